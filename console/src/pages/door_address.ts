// SPDX-License-Identifier: Apache-2.0
// Where devices reach a door: under the server's first name, else as we reached the server.
import type { Server } from "../api/schema.ts";

export function doorAddress(server: Server, door: string): string | null {
    const found = server.doors.find((one) => one.name === door);
    if (!found) return null;
    const port = found.address.slice(found.address.lastIndexOf(":") + 1);
    return `${server.names?.[0] ?? window.location.hostname}:${port}`;
}
