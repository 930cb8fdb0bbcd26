// SPDX-License-Identifier: Apache-2.0
// The Azure SDK for Node before, during and after each of the eight rolls {group, individual} x
// {expiry, breach} x {primary, secondary}, and a breach of both slots in one change.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { intermediate, leaf, prove, rollcall, root, selfSigned, Tally } from './lab.mjs';

const tally = new Tally();
const other = { primary: 'secondary', secondary: 'primary' };
const set = (group, slot, ca, ...how) =>
  rollcall('group', 'cert', 'set', group, slot, ca.certificate, ...how);

/** A root with a device below an intermediate and one straight below the root. */
async function family(name, ids) {
  const ca = await root(`${name} root`);
  const factory = await intermediate(ca, `${name} factory`);
  return { ca, devices: [await leaf(factory, ids[0]), await leaf(ca, ids[1])] };
}

/** Every device of the family at once; `should`: are they to succeed? */
const all = (should, ids, from, when) =>
  Promise.all(ids.map((id, n) => tally.expect(should, id, from.devices[n], when)));

async function groupExpiry(slot) {
  const group = `group-expiry-${slot}`;
  const ids = [`${group}-chain`, `${group}-alone`];
  const [old, next] = [await family(`${group} old`, ids), await family(`${group} new`, ids)];
  await rollcall('group', 'create', group);
  await set(group, slot, old.ca);
  await all(false, ids, old, 'before its root is proven');
  await prove(group, slot, old.ca);
  await all(true, ids, old, 'before the roll');
  await all(false, ids, next, 'before the new root is in a slot');
  await set(group, other[slot], next.ca);
  await all(true, ids, old, 'while the new root is unproven');
  await all(false, ids, next, 'while it is unproven');
  await prove(group, other[slot], next.ca);
  await all(true, ids, old, 'while both are accepted');
  await all(true, ids, next, 'while both are accepted');
  await all(true, ids, old, 'going back while both are accepted');
  await all(true, ids, next, 'and forth');
  await rollcall('group', 'cert', 'remove', group, slot, '--yes');
  await all(false, ids, old, 'after the old root is retired');
  await all(true, ids, next, 'after the roll');
}

async function groupBreach(slot) {
  const group = `group-breach-${slot}`;
  const ids = [`${group}-chain`, `${group}-alone`];
  const bystanders = [`${group}-by-chain`, `${group}-by-alone`];
  const [lost, next] = [await family(`${group} lost`, ids), await family(`${group} new`, ids)];
  const fine = await family(`${group} fine`, bystanders);
  await rollcall('group', 'create', group);
  await set(group, slot, lost.ca);
  await set(group, other[slot], fine.ca);
  await prove(group, slot, lost.ca);
  await prove(group, other[slot], fine.ca);
  await Promise.all([all(true, ids, lost, 'before the breach'),
    all(true, bystanders, fine, 'before the breach'),
    all(false, ids.map((id) => `${id}-x`), next, 'under an unknown root')]);
  await set(group, slot, next.ca, '--breach', '--yes');
  await Promise.all([all(false, ids, lost, 'from the breach on'),
    all(false, ids, next, 'while the new root is unproven'),
    all(true, bystanders, fine, 'during the breach roll')]);
  await prove(group, slot, next.ca);
  await Promise.all([all(true, ids, next, 'after the breach roll'),
    all(true, bystanders, fine, 'after the breach roll')]);
  await all(false, ids, lost, 'after the breach roll');
}

async function individualExpiry(slot) {
  const id = `individual-expiry-${slot}`;
  const [old, next] = [await selfSigned(id), await selfSigned(id)];
  await rollcall('enrollment', 'create', id, `--${slot}`, old.certificate);
  await tally.expect(true, id, old, 'before the roll');
  await tally.expect(false, id, next, 'before the new leaf is in a slot');
  await rollcall('enrollment', 'cert', 'set', id, other[slot], next.certificate);
  await tally.expect(true, id, old, 'while both are accepted');
  await tally.expect(true, id, next, 'while both are accepted');
  await tally.expect(true, id, old, 'going back while both are accepted');
  await tally.expect(true, id, next, 'and forth');
  await rollcall('enrollment', 'cert', 'remove', id, slot, '--yes');
  await tally.expect(false, id, old, 'after the old leaf is retired');
  await tally.expect(true, id, next, 'after the roll');
}

async function individualBreach(slot) {
  const id = `individual-breach-${slot}`;
  const [lost, fine, next] = [await selfSigned(id), await selfSigned(id), await selfSigned(id)];
  await rollcall('enrollment', 'create', id, `--${slot}`, lost.certificate,
    `--${other[slot]}`, fine.certificate);
  await tally.expect(true, id, lost, 'before the breach');
  await tally.expect(true, id, fine, 'before the breach');
  await tally.expect(false, id, next, 'before the roll');
  await rollcall('enrollment', 'cert', 'set', id, slot, next.certificate, '--breach', '--yes');
  await tally.expect(false, id, lost, 'from the breach on');
  await tally.expect(true, id, fine, 'in the other slot');
  await tally.expect(true, id, next, 'after the breach roll');
  await tally.expect(false, id, lost, 'after the breach roll');
}

async function groupBreachOfBoth() {
  const group = 'group-breach-both';
  const names = ['one', 'two', 'three', 'four'];
  const ids = Object.fromEntries(names.map((n) => [n, [`${group}-${n}-chain`, `${group}-${n}-alone`]]));
  const [one, two] = [await family(`${group} one`, ids.one), await family(`${group} two`, ids.two)];
  const [three, four] = [await family(`${group} three`, ids.one),
    await family(`${group} four`, ids.two)];
  await rollcall('group', 'create', group);
  await set(group, 'primary', one.ca, '--vouch');
  await set(group, 'secondary', two.ca, '--vouch');
  await Promise.all([all(true, ids.one, one, 'before'), all(true, ids.two, two, 'before')]);
  await rollcall('group', 'cert', 'set', group, 'both', '--primary', three.ca.certificate,
    '--secondary', four.ca.certificate, '--breach', '--yes');
  await Promise.all([all(false, ids.one, one, 'from the breach on'),
    all(false, ids.two, two, 'from the breach on')]);
  await prove(group, 'primary', three.ca);
  await prove(group, 'secondary', four.ca);
  await Promise.all([all(true, ids.one, three, 'after'), all(true, ids.two, four, 'after')]);
  await Promise.all([all(false, ids.one, one, 'after'), all(false, ids.two, two, 'after')]);
}

async function individualBreachOfBoth() {
  const id = 'individual-breach-both';
  const [one, two, three, four] =
    [await selfSigned(id), await selfSigned(id), await selfSigned(id), await selfSigned(id)];
  await rollcall('enrollment', 'create', id, '--primary', one.certificate, '--secondary',
    two.certificate);
  await tally.expect(true, id, one, 'before');
  await tally.expect(true, id, two, 'before');
  await rollcall('enrollment', 'cert', 'set', id, '--primary', three.certificate, '--secondary',
    four.certificate, '--breach', '--yes');
  for (const lost of [one, two]) await tally.expect(false, id, lost, 'from the breach on');
  for (const next of [three, four]) await tally.expect(true, id, next, 'after');
}

describe('rolls', { concurrency: true }, () => {
  for (const slot of ['primary', 'secondary']) {
    it(`group, expiry of the ${slot}`, () => groupExpiry(slot));
    it(`group, breach of the ${slot}`, () => groupBreach(slot));
    it(`individual, expiry of the ${slot}`, () => individualExpiry(slot));
    it(`individual, breach of the ${slot}`, () => individualBreach(slot));
  }
  it('group, breach of both slots in one change', groupBreachOfBoth);
  it('individual, breach of both slots in one change', individualBreachOfBoth);
});

describe('rolls, counted', () => {
  it('refused nothing that should have succeeded, accepted nothing that should not', () => {
    console.log(`${tally.attempts} registrations by the SDK: ${tally.lost.length} refused that ` +
      `should have succeeded, ${tally.letIn.length} accepted that should have been refused`);
    assert.ok(tally.attempts >= 100, `only ${tally.attempts} registrations were tried`);
    assert.deepEqual({ lost: tally.lost, letIn: tally.letIn }, { lost: [], letIn: [] });
  });
});
