// SPDX-License-Identifier: Apache-2.0
// Brings a source file without a browser: Node 18 reads no TypeScript, the compiler is there anyway.
import { readFileSync } from "node:fs";
import ts from "typescript";

export async function load(path) {
    const source = readFileSync(new URL(`../src/${path}`, import.meta.url), "utf8");
    const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}
