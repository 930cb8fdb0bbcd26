// SPDX-License-Identifier: Apache-2.0
// The detail of an audit event in two halves: what was before and after, and all else that is told.

type Told = {
    changes: { what: string; before: unknown; after: unknown }[];
    facts: { what: string; value: unknown }[];
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const ending = /^(.+)(Before|After)$/;

export function told(detail: Record<string, unknown> | null): Told {
    const changes = new Map<string, { what: string; before: unknown; after: unknown }>();
    const facts: Told["facts"] = [];
    const change = (what: string) => {
        const known = changes.get(what) ?? { what, before: null, after: null };
        changes.set(what, known);
        return known;
    };
    for (const [name, value] of Object.entries(detail ?? {})) {
        const side = ending.exec(name);
        if (name === "before" || name === "after") change("")[name] = value;
        else if (side) change(side[1]!)[side[2] === "Before" ? "before" : "after"] = value;
        else if (isRecord(value) && "before" in value && "after" in value) Object.assign(change(name), { before: value.before, after: value.after });
        else facts.push({ what: name, value });
    }
    return { changes: [...changes.values()], facts };
}

/** "refuseOlderLeaf" as people read it: "Refuse older leaf". */
export function spoken(name: string): string {
    const words = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll("-", " ").toLowerCase();
    return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Where in the console an event's object is: `group/plant-a`. */
export function placeOf(object: string): string | null {
    const slash = object.indexOf("/");
    const kind = slash < 0 ? object : object.slice(0, slash);
    const name = slash < 0 ? "" : encodeURIComponent(object.slice(slash + 1));
    switch (kind) {
        case "group": return `/ui/device-connection/groups/${name}`;
        case "device":
        case "registration": return `/ui/devices/${name}`;
        case "enrollment": return `/ui/devices/${name}?connect=1`;
        case "ca": return `/ui/device-connection/certificates/${name}`;
        case "key": return "/ui/device-connection/distrust";
        case "user": return "/ui/access/users";
        case "token": return "/ui/access/tokens";
        case "policy": return "/ui/access/policies";
        case "hub":
        case "allocation": return "/ui/settings";
        default: return null;
    }
}
