// SPDX-License-Identifier: Apache-2.0
// What the first load weighs: the page, and every script and style it names itself. `npm run sizes`.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const out = process.env.ROLLCALL_CONSOLE_OUT ?? "dist";
const page = readFileSync(`${out}/index.html`);
const first = new Set([...page.toString().matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]));
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
let sum = gzipSync(page, { level: 9 }).length;
const rows = readdirSync(`${out}/assets`).map((name) => {
    const bytes = readFileSync(`${out}/assets/${name}`);
    const packed = gzipSync(bytes, { level: 9 }).length;
    const named = first.has(`assets/${name}`);
    if (named) sum += packed;
    return { name, packed, named };
});
for (const row of rows.sort((a, b) => b.packed - a.packed)) {
    console.log(`${row.named ? "first" : "later"} ${kib(row.packed).padStart(11)}  ${row.name}`);
}
console.log(`first load, gzip: ${kib(sum)}`);
