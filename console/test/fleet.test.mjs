// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./load.mjs";

const calendar = await load("lib/calendar.ts");
const audit = await load("lib/audit.ts");

test("months as grids, a week beginning on Monday", () => {
    const [january, february, march] = calendar.months(Date.UTC(2032, 0, 31, 23, 59), 3);
    assert.equal(january.key, "2032-01");
    assert.equal(january.before, 3, "the first of January 2032 is a Thursday");
    assert.deepEqual([january.days.length, february.days.length, march.days.length], [31, 29, 31]);
    assert.equal(february.days.at(-1), "2032-02-29");
    assert.equal(calendar.months(Date.UTC(2032, 11, 5), 2)[1].key, "2033-01");
});

test("what has ended and what ends from today on", () => {
    const at = (day, caCertificates, deviceCertificates) => ({ day, caCertificates, deviceCertificates });
    const { past, coming } = calendar.divide([at("2030-02-01", 1, 0), at("2029-12-31", 0, 4), at("2030-01-01", 0, 2)], "2030-01-01");
    assert.deepEqual(past.map((one) => one.day), ["2029-12-31"]);
    assert.deepEqual(coming.map((one) => one.day), ["2030-01-01", "2030-02-01"], "today is not over");
    assert.deepEqual(calendar.sum(coming), { caCertificates: 1, deviceCertificates: 2 });
});

test("an event's detail: what was before and after, and the rest", () => {
    assert.deepEqual(audit.told(null), { changes: [], facts: [] });
    assert.deepEqual(audit.told({ slot: "primary", before: null, after: { subject: "CN=a" } }), {
        changes: [{ what: "", before: null, after: { subject: "CN=a" } }],
        facts: [{ what: "slot", value: "primary" }],
    });
    assert.deepEqual(audit.told({ autoApprove: { before: true, after: false } }).changes, [{ what: "autoApprove", before: true, after: false }]);
    assert.deepEqual(audit.told({ primaryBefore: 1, primaryAfter: 2, secondaryAfter: 3 }).changes, [
        { what: "primary", before: 1, after: 2 }, { what: "secondary", before: null, after: 3 },
    ]);
});

test("names and places of what was changed", () => {
    assert.equal(audit.spoken("refuseOlderLeaf"), "Refuse older leaf");
    assert.equal(audit.placeOf("group/plant-a"), "/ui/device-connection/groups/plant-a");
    assert.equal(audit.placeOf("device/a/b"), "/ui/devices/a%2Fb");
    assert.equal(audit.placeOf("audit"), null);
});

test("the table of roles is the one of docs/access.md", async () => {
    const { permissions, roleMay, roles } = await load("lib/roles.ts");
    const page = readFileSync(new URL("../../docs/access.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `([a-z-]+\.[a-z]+)` \|[^|]+\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)]
        .map(([, name, ...may]) => [name, ...may.map((word) => word.trim() === "yes")]);
    assert.ok(rows.length > 20);
    assert.deepEqual(permissions.map((one) => [one.name, ...roles.map((role) => roleMay(role, one.least))]), rows);
});
