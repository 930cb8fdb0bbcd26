// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const time = await load("lib/time.ts");
const { csv } = await load("lib/csv.ts");
const at = (iso) => new Date(iso).getTime();

test("a moment in UTC", () => {
    assert.equal(time.utc("2030-01-31T10:20:30.123Z"), "2030-01-31 10:20:30 UTC");
    assert.equal(time.utc("nonsense"), "nonsense");
});

test("a span in words, both ways", () => {
    const now = at("2030-01-01T00:00:00Z");
    assert.equal(time.relative("2030-01-01T00:00:05Z", now, "en"), "now");
    assert.equal(time.relative("2030-01-01T00:02:10Z", now, "en"), "in 2 minutes");
    assert.equal(time.relative("2029-12-31T00:00:00Z", now, "en"), "yesterday");
    assert.equal(time.relative("2031-06-01T00:00:00Z", now, "en"), "in 17 months");
});

test("how a certificate stands", () => {
    const from = "2030-01-01T00:00:00Z";
    const to = "2031-01-01T00:00:00Z";
    assert.equal(time.standing(from, to, at("2029-12-31T00:00:00Z")), "future");
    assert.equal(time.standing(from, to, at("2030-06-01T00:00:00Z")), "good");
    assert.equal(time.standing(from, to, at("2030-12-10T00:00:00Z")), "soon");
    assert.equal(time.standing(from, to, at(to)), "soon", "its end is inclusive");
    assert.equal(time.standing(from, to, at(to) + 1), "expired");
    assert.equal(time.standing(from, "2030-01-11T00:00:00Z", at("2030-01-09T00:00:00Z")), "good", "a short life is not all end");
});

test("how much of a validity is over", () => {
    assert.equal(time.spent("2030-01-01T00:00:00Z", "2030-01-03T00:00:00Z", at("2030-01-02T00:00:00Z")), 0.5);
    assert.equal(time.spent("2030-01-01T00:00:00Z", "2030-01-03T00:00:00Z", 0), 0);
    assert.equal(time.spent("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z", 0), 1);
});

test("names from strangers are no formulas and break no row", () => {
    assert.equal(csv(["a", "b"], [["=1+1", 'he said "x"'], ["one,two", null]]), 'a,b\r\n\'=1+1,"he said ""x"""\r\n"one,two",\r\n');
});

const { mergePatch, plain } = await load("lib/patch.ts");

test("the merge patch between two objects", () => {
    assert.deepEqual(mergePatch({ a: 1, b: { c: 2, d: [1] } }, { a: 1, b: { c: 3, d: [1] }, e: "new" }), { b: { c: 3 }, e: "new" });
    assert.deepEqual(mergePatch({ a: 1, b: { c: 2 } }, { b: {} }), { a: null, b: { c: null } });
    assert.deepEqual(mergePatch({ a: { b: 1 } }, { a: [1] }), { a: [1] });
    assert.equal(mergePatch({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), undefined);
});

test("what the hub adds to properties is not ours to edit", () => {
    assert.deepEqual(plain({ interval: 5, $version: 3, $metadata: {} }), { interval: 5 });
});
