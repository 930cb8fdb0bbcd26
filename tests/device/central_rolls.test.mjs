// SPDX-License-Identifier: Apache-2.0
// The eight rolls driven by the API of IoT Central alone, with an API token of its form, which an
// operator's work needs no more than. Roots stand in the groups' slots; each is proven by a code.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { eightRolls, everyDevice } from './eight_rolls.mjs';
import { central, hubClient, leaf, Message, once, proofOf, register, root, selfSigned, Tally }
  from './lab.mjs';

const administrator = 'ca310b8d-2f4a-44e0-a36e-957c202cd8d4';
const tally = new Tally();
const all = everyDevice(tally);
let token;

before(async () => {
  ({ token } = await central('PUT', '/apiTokens/rolls', { roles: [{ role: administrator }] }));
  assert.match(token, /^SharedAccessSignature sr=svc&sig=.*&skn=rolls&se=\d{13}$/);
});
after(() => {
  assert.deepEqual(tally.lost, []);
  assert.deepEqual(tally.letIn, []);
  assert.ok(tally.attempts > 80, `${tally.attempts} attempts`);
});

const api = (method, address, body, status) => central(method, address, body, { token, status });
/** As `az iot central` sends files: base64 of their text. */
const file = async (party) => ({ certificate: await readFile(party.certificate, 'base64') });
const slotOf = (group, slot) => `/enrollmentGroups/${group}/certificates/${slot}`;
const attestation = (slots) => ({ type: 'x509', x509: { clientCertificates: slots } });

/** Into a group's slot: what stood there attests until the new one is proven. */
async function stage(group, slot, held) {
  const shown = await api('PUT', slotOf(group, slot), await file(held));
  assert.equal(shown.verified, false);
}
async function prove(group, slot, held) {
  const { verificationCode } = await api('POST', `${slotOf(group, slot)}/generateVerificationCode`);
  const proof = await proofOf(verificationCode, held);
  await api('POST', `${slotOf(group, slot)}/verify`,
    { certificate: await readFile(proof, 'base64') }, 204);
}

const newGroup = (id) => api('PUT', `/enrollmentGroups/${id}`,
  { displayName: id, type: 'iot', enabled: true, attestation: { type: 'x509' } });

const kinds = {
  group: {
    async party(id, name) {
      const held = await root(`${id} ${name}`);
      const ids = [`${id}-1`, `${id}-2`];
      return { held, devices: await Promise.all(ids.map(
        async (each) => [each, await leaf(held, each)])) };
    },
    async create(id, slots) {
      await newGroup(id);
      for (const [slot, held] of Object.entries(slots)) {
        await kinds.group.add(id, slot, held);
      }
    },
    async add(id, slot, held) {
      await stage(id, slot, held);
      await prove(id, slot, held);
    },
    replace: async (id, slot, held) => {
      const shown = await api('PUT', slotOf(id, slot), { ...await file(held), verified: true });
      assert.equal(shown.verified, true);
    },
    retire: (id, slot) => api('DELETE', slotOf(id, slot), undefined, 204),
  },
  individual: {
    async party(id) {
      const held = await selfSigned(id);
      return { held, devices: [[id, held]] };
    },
    async create(id, { primary, secondary }) {
      await api('PUT', `/devices/${id}`, { displayName: id, enabled: true, simulated: false });
      const first = primary ?? await selfSigned(id);  // there has to be a primary one
      await api('PUT', `/devices/${id}/attestation`, attestation({
        primary: await file(first),
        ...(secondary ? { secondary: await file(secondary) } : {}) }));
    },
    add: async (id, slot, held) => api('PATCH', `/devices/${id}/attestation`,
      { x509: { clientCertificates: { [slot]: await file(held) } } }),
    replace: (id, slot, held) => kinds.individual.add(id, slot, held),
    retire: async (id, slot, rest) => api('PUT', `/devices/${id}/attestation`,
      attestation({ primary: await file(rest) })),
  },
};

eightRolls('the API of IoT Central', tally, {
  party: (kind, id, name) => kinds[kind].party(id, name),
  create: (kind, id, slots) => kinds[kind].create(id, slots),
  add: (kind, id, slot, held) => kinds[kind].add(id, slot, held),
  replace: (kind, id, slot, held) => kinds[kind].replace(id, slot, held),
  retire: (kind, id, slot, rest) => kinds[kind].retire(id, slot, rest),
});

describe('through the API of IoT Central, beside the rolls', () => {
  it('stages a replacement: the old one serves until the new one is proven', async () => {
    const [old, next] = [await kinds.group.party('staged', 'old'),
      await kinds.group.party('staged', 'new')];
    await kinds.group.create('staged', { primary: old.held });
    await stage('staged', 'primary', next.held);
    await all(true, old, 'while the new one waits');
    await all(false, next, 'while it waits');
    await prove('staged', 'primary', next.held);
    await all(false, old, 'once it is proven');
    await all(true, next, 'once it is proven');
    assert.equal((await api('GET', slotOf('staged', 'primary'))).verified, true);
  });

  it('withdraws trust: the hub closes what rests on it, at once', async () => {
    const [lost, next] = [await kinds.group.party('live', 'lost'),
      await kinds.group.party('live', 'new')];
    await kinds.group.create('live', { primary: lost.held });
    const [[id, device]] = lost.devices;
    assert.ok((await register(id, device)).assigned);
    const hub = await hubClient(id, device);
    await hub.open();
    const closed = once(hub, 'disconnect');
    await kinds.group.replace('live', 'primary', next.held);
    await closed;
    await assert.rejects((await hubClient(id, device)).open(), { name: 'UnauthorizedError' });
  });

  it('blocks a device, lets it in again, and forgets it with its certificates', async () => {
    const { held, devices: [[id]] } = await kinds.individual.party('one');
    await kinds.individual.create(id, { primary: held });
    assert.equal((await api('GET', `/devices/${id}`)).provisioned, false);
    await all(true, { devices: [[id, held]] }, 'as registered');
    assert.equal((await api('GET', `/devices/${id}`)).provisioned, true);
    await api('PATCH', `/devices/${id}`, { enabled: false });
    const blocked = await register(id, held);
    assert.equal(blocked.refused?.name, 'ProvisioningRegistrationFailedError');
    await api('PATCH', `/devices/${id}`, { enabled: true });
    await all(true, { devices: [[id, held]] }, 'unblocked');
    await api('DELETE', `/devices/${id}`, undefined, 204);
    await all(false, { devices: [[id, held]] }, 'forgotten');
  });

  it('reads and writes properties, runs commands, shows the last telemetry', async () => {
    const { held, devices: [[id]] } = await kinds.individual.party('hub');
    await kinds.individual.create(id, { primary: held });
    assert.ok((await register(id, held)).assigned);
    const command = (body) => api('POST', `/devices/${id}/commands/reboot`, body, 201);
    await assert.rejects(command({}), { status: 404 });
    const hub = await hubClient(id, held);
    await hub.open();
    hub.onDeviceMethod('reboot', (request, response) =>
      response.send(202, { after: request.payload.after, done: true }));
    const twin = await hub.getTwin();
    const desired = new Promise((resolve) => { twin.on('properties.desired.target', resolve); });
    await api('PATCH', `/devices/${id}/properties`, { target: 65.5 }, 202);
    assert.equal(await desired, 65.5);
    await new Promise((resolve, reject) => {
      twin.properties.reported.update({ serial: 's-1', target: { value: 60, ac: 200, av: 2 } },
        (error) => (error ? reject(error) : resolve()));
    });
    const properties = await api('GET', `/devices/${id}/properties`);
    assert.equal(properties.serial, 's-1');
    assert.equal(properties.target, 60);
    assert.equal(properties.$metadata.target.desiredValue, 65.5);
    const told = await command({ request: { after: 5 }, connectionTimeout: 5, responseTimeout: 10 });
    assert.deepEqual(told.response, { after: 5, done: true });
    assert.equal(told.responseCode, 202);
    await hub.sendEvent(new Message(JSON.stringify({ temperature: 21.5 })));
    const telemetry = await api('GET', `/devices/${id}/telemetry/temperature`);
    assert.equal(telemetry.value, 21.5);
    await hub.close();
  });
});
