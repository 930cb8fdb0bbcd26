// SPDX-License-Identifier: Apache-2.0
// Comma-separated values after RFC 4180. What a spreadsheet would take for a formula is quoted with
// an apostrophe: names of devices come from strangers.

function field(value: unknown): string {
    let word = value === null || value === undefined ? "" : String(value);
    if (/^[=+\-@\t\r]/.test(word)) word = `'${word}`;
    return /[",\r\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word;
}

export function csv(head: string[], rows: unknown[][]): string {
    return [head, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}
