// SPDX-License-Identifier: Apache-2.0
// The eight rolls {group, individual} x {expiry, breach} x {primary, secondary}, driven by the SDK
// of the DPS service API alone, which reads an entry, changes a slot and writes the whole, while
// devices of the SDK for Node register before, during and after. Plants stand in the groups' slots,
// under roots that are verified once.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { hubClient, intermediate, leaf, once, register, rollcall, root, selfSigned, serviceClient,
  Tally } from './lab.mjs';

const tally = new Tally();
const other = { primary: 'secondary', secondary: 'primary' };
let client;
let factory;

before(async () => {
  client = await serviceClient();
  factory = await root('rolls factory');
  await rollcall('ca', 'add', 'rolls-factory', factory.certificate, '--vouch');
});
after(() => {
  assert.deepEqual(tally.lost, []);
  assert.deepEqual(tally.letIn, []);
  assert.ok(tally.attempts > 80, `${tally.attempts} attempts`);
});

const pem = async (party) => ({ certificate: await readFile(party.certificate, 'utf8') });
const kinds = {
  group: { certificates: 'signingCertificates', id: 'enrollmentGroupId',
    put: (body) => client.createOrUpdateEnrollmentGroup(body),
    get: (id) => client.getEnrollmentGroup(id) },
  individual: { certificates: 'clientCertificates', id: 'registrationId',
    put: (body) => client.createOrUpdateIndividualEnrollment(body),
    get: (id) => client.getIndividualEnrollment(id) },
};

/** A new entry with these certificates. */
async function create(kind, id, slots) {
  const { certificates, id: name, put } = kinds[kind];
  await put({ [name]: id, attestation: { type: 'x509', x509: { [certificates]: slots } } });
}

/** Reads the entry, lets `edit` change its slots, writes it back under its etag. */
async function change(kind, id, edit) {
  const { certificates, put, get } = kinds[kind];
  const { responseBody: entry } = await get(id);
  await edit(entry.attestation.x509[certificates]);
  await put(entry);
}

/** A CA for the slots of a group, with two devices; or one device's own certificate. */
async function party(kind, id, name) {
  if (kind === 'individual') {
    const device = await selfSigned(id);
    return { held: device, devices: [[id, device]] };
  }
  const plant = await intermediate(factory, `${id} ${name}`);
  const ids = [`${id}-1`, `${id}-2`];
  return { held: plant, devices: await Promise.all(ids.map(
    async (each) => [each, await leaf(plant, each)])) };
}
const all = (should, from, when) =>
  Promise.all(from.devices.map(([id, device]) => tally.expect(should, id, device, when)));

async function expiry(kind, slot) {
  const id = `${kind}-expiry-${slot}`;
  const [old, next] = [await party(kind, id, 'old'), await party(kind, id, 'new')];
  await create(kind, id, { [slot]: await pem(old.held) });
  await all(true, old, 'before the roll');
  await all(false, next, 'before the new one is in a slot');
  await change(kind, id, async (slots) => { slots[other[slot]] = await pem(next.held); });
  await all(true, old, 'while both are accepted');
  await all(true, next, 'while both are accepted');
  await all(true, old, 'going back while both are accepted');
  await all(true, next, 'and forth');
  await change(kind, id, (slots) => { delete slots[slot]; });
  await all(false, old, 'after the old one is retired');
  await all(true, next, 'after the roll');
}

async function breach(kind, slot) {
  const id = `${kind}-breach-${slot}`;
  const [lost, next] = [await party(kind, id, 'lost'), await party(kind, id, 'new')];
  const fine = await party(kind, id, 'fine');
  await create(kind, id, { [slot]: await pem(lost.held), [other[slot]]: await pem(fine.held) });
  await all(true, lost, 'before the breach');
  await all(true, fine, 'before the breach');
  await all(false, next, 'before the breach');
  await change(kind, id, async (slots) => { slots[slot] = await pem(next.held); });
  await all(false, lost, 'from the breach on');
  await all(true, fine, 'during the breach roll');
  await all(true, next, 'after the breach roll');
  await all(false, lost, 'after the breach roll');
}

for (const kind of ['group', 'individual']) {
  for (const slot of ['primary', 'secondary']) {
    describe(`through the service API: ${kind} ${slot}`, { concurrency: true }, () => {
      it('rolls before it expires', () => expiry(kind, slot));
      it('rolls after a breach', () => breach(kind, slot));
    });
  }
}

describe('through the service API, beside the rolls', () => {
  it('replaces the only certificate; its mirror does not keep the old one', async () => {
    const [lost, next] = [await party('group', 'only', 'lost'), await party('group', 'only', 'new')];
    await create('group', 'only', { primary: await pem(lost.held) });
    await all(true, lost, 'before');
    await change('group', 'only', async (slots) => { slots.primary = await pem(next.held); });
    await all(false, lost, 'after');
    await all(true, next, 'after');
  });

  it('replaces both in one write', async () => {
    const [lost, next] = [await party('group', 'both', 'lost'), await party('group', 'both', 'new')];
    const [lost2, next2] = [await party('group', 'both', 'lost 2'),
      await party('group', 'both', 'new 2')];
    await create('group', 'both', { primary: await pem(lost.held), secondary: await pem(lost2.held) });
    await all(true, lost, 'before');
    await all(true, lost2, 'before');
    await change('group', 'both', async (slots) => {
      slots.primary = await pem(next.held);
      slots.secondary = await pem(next2.held);
    });
    await all(false, lost, 'after');
    await all(false, lost2, 'after');
    await all(true, next, 'after');
    await all(true, next2, 'after');
  });

  it('withdraws trust: the hub closes what rests on it, at once', async () => {
    const [lost, next] = [await party('group', 'live', 'lost'), await party('group', 'live', 'new')];
    await create('group', 'live', { primary: await pem(lost.held) });
    const [[id, device]] = lost.devices;
    assert.ok((await register(id, device)).assigned);
    const hub = await hubClient(id, device);
    await hub.open();
    const closed = once(hub, 'disconnect');
    await change('group', 'live', async (slots) => { slots.primary = await pem(next.held); });
    await closed;
    await assert.rejects((await hubClient(id, device)).open(), { name: 'UnauthorizedError' });
  });

  it('promotes by a swap, which nobody notices', async () => {
    const [first, second] = [await party('group', 'swap', 'first'),
      await party('group', 'swap', 'second')];
    await create('group', 'swap', { primary: await pem(first.held),
      secondary: await pem(second.held) });
    await change('group', 'swap', (slots) => {
      [slots.primary, slots.secondary] = [slots.secondary, slots.primary];
    });
    const { responseBody: entry } = await client.getEnrollmentGroup('swap');
    assert.equal(entry.attestation.x509.signingCertificates.primary.info.subjectName,
      'CN=swap second');
    await all(true, first, 'after the swap');
    await all(true, second, 'after the swap');
  });
});
