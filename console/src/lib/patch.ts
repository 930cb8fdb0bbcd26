// SPDX-License-Identifier: Apache-2.0
// The merge patch (RFC 7396) that makes `after` of `before`; undefined where they are the same.

export type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

export function mergePatch(before: Json, after: Json): Json | undefined {
    const patch: Json = {};
    for (const name of Object.keys(before)) {
        if (!(name in after)) patch[name] = null;
    }
    for (const [name, value] of Object.entries(after)) {
        const old = before[name];
        if (isObject(old) && isObject(value)) {
            const inner = mergePatch(old, value);
            if (inner) patch[name] = inner;
        } else if (JSON.stringify(old) !== JSON.stringify(value)) {
            patch[name] = value;
        }
    }
    return Object.keys(patch).length > 0 ? patch : undefined;
}

/** Without what the hub adds: $version, $metadata. */
export function plain(properties: Json): Json {
    return Object.fromEntries(Object.entries(properties).filter(([name]) => !name.startsWith("$")));
}
