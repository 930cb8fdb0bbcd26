// SPDX-License-Identifier: Apache-2.0
// Files that a person brings, and files we hand out.

/** Far above any certificate; the server has the last word. */
export const fileBytesMax = 256 * 1024;

export type PickedFile = { name: string; content: string };

/** As the API takes certificates: PEM as it is, everything else as base64. */
export async function readFile(file: File): Promise<PickedFile> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const head = new TextDecoder("latin1").decode(bytes.subarray(0, 4096));
    if (head.includes("-----BEGIN ")) {
        return { name: file.name, content: new TextDecoder().decode(bytes) };
    }
    return { name: file.name, content: base64(bytes) };
}

export function base64(bytes: Uint8Array): string {
    let binary = "";
    for (let at = 0; at < bytes.length; at += 0x8000) {
        binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    }
    return btoa(binary);
}

/** The same by an address of our own; no request leaves the page. */
export function download(name: string, content: string, type: string): void {
    const url = URL.createObjectURL(new Blob([content], { type }));
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
