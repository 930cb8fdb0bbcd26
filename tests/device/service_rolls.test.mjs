// SPDX-License-Identifier: Apache-2.0
// The eight rolls driven by the SDK of the DPS service API alone, which reads an entry, changes a
// slot and writes the whole. Plants stand in the groups' slots, under a root that is proven once, by
// the certificates API.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { eightRolls, everyDevice } from './eight_rolls.mjs';
import { hubClient, intermediate, leaf, once, provenCa, register, root, selfSigned,
  serviceClient, Tally } from './lab.mjs';

const tally = new Tally();
let client;
let factory;

before(async () => {
  client = await serviceClient();
  factory = await root('rolls factory');
  await provenCa('rolls-factory', factory);
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
const all = everyDevice(tally);
const put = (kind, id, slot, held) =>
  change(kind, id, async (slots) => { slots[slot] = await pem(held); });

eightRolls('the service API', tally, {
  party,
  create: async (kind, id, held) => create(kind, id, Object.fromEntries(await Promise.all(
    Object.entries(held).map(async ([slot, each]) => [slot, await pem(each)])))),
  add: put,
  replace: put,
  retire: (kind, id, slot) => change(kind, id, (slots) => { delete slots[slot]; }),
});

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
