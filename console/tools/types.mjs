// SPDX-License-Identifier: Apache-2.0
// Writes src/api/schema.ts from the document of the native API, so that the pages and the server
// cannot drift apart unseen: `npm run types`. With --check nothing is written; what differs is told.
import { readFileSync, writeFileSync } from "node:fs";

const here = new URL(".", import.meta.url);
const document = JSON.parse(readFileSync(new URL(process.env.OPENAPI ?? "../../docs/api/openapi.json", here), "utf8"));

const literal = (value) => JSON.stringify(value);

function type(schema, indent) {
    if (!schema || Object.keys(schema).length === 0) return "unknown";
    if (schema.$ref) return schema.$ref.split("/").pop();
    if (schema.const !== undefined) return literal(schema.const);
    if (schema.enum) return schema.enum.map(literal).join(" | ");
    for (const word of ["oneOf", "anyOf"]) {
        if (schema[word]) return schema[word].map((one) => type(one, indent)).join(" | ");
    }
    if (schema.allOf) return schema.allOf.map((one) => type(one, indent)).join(" & ");
    if (Array.isArray(schema.type)) {
        return schema.type.map((one) => type({ ...schema, type: one }, indent)).join(" | ");
    }
    switch (schema.type) {
        case "string": return "string";
        case "integer":
        case "number": return "number";
        case "boolean": return "boolean";
        case "null": return "null";
        case "array": {
            const item = type(schema.items, indent);
            return /[|&]/.test(item) ? `(${item})[]` : `${item}[]`;
        }
        default: return object(schema, indent);
    }
}

function object(schema, indent) {
    const members = Object.entries(schema.properties ?? {});
    if (members.length === 0) {
        const rest = schema.additionalProperties;
        return `Record<string, ${typeof rest === "object" ? type(rest, indent) : "unknown"}>`;
    }
    const required = new Set(schema.required ?? []);
    const inner = indent + "    ";
    const lines = members.map(([name, member]) => {
        const says = member.description ? `${inner}/** ${member.description} */\n` : "";
        const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
        return `${says}${inner}${key}${required.has(name) ? "" : "?"}: ${type(member, inner)};`;
    });
    return `{\n${lines.join("\n")}\n${indent}}`;
}

const out = ["// SPDX-License-Identifier: Apache-2.0",
    "// Made by tools/types.mjs from docs/api/openapi.json. Do not edit.", ""];
for (const [name, schema] of Object.entries(document.components.schemas)) {
    if (schema.description) out.push(`/** ${schema.description} */`);
    out.push(`export type ${name} = ${type(schema, "")};`, "");
}
const at = new URL("../src/api/schema.ts", here);
const made = out.join("\n");
if (!process.argv.includes("--check")) {
    writeFileSync(at, made);
} else if (readFileSync(at, "utf8") !== made) {
    console.error("src/api/schema.ts is not what docs/api/openapi.json says: npm run types");
    process.exit(1);
}
