// SPDX-License-Identifier: Apache-2.0
// The Azure SDK for Node with symmetric keys: provisioned by a group's derived key and by an
// individual one, then at its hub with the same key, over every transport; keys rolled and lost.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { hubClient, Message, once, refusalOf, register, rollcall, transports } from './lab.mjs';

async function derived(group, id, slot = 'primary') {
  return { symmetricKey: await rollcall('group', 'key', 'derive', group, id, slot) };
}

async function provisioned(id, held, transport) {
  const { assigned, refused } = await register(id, held, undefined, transport);
  assert.ok(assigned, String(refused));
  return assigned;
}

async function connected(id, held, transport) {
  const client = await hubClient(id, held, transport);
  await client.open();
  return client;
}

async function speaks(id, held, transport, words) {
  const client = await connected(id, held, transport);
  await client.sendEvent(new Message(words));
  await client.close();
  const lines = await rollcall('device', 'watch', id, '--from-start', '--count', 1, '--json');
  assert.equal(JSON.parse(lines.split('\n').at(-1)).body, words);
}

for (const transport of Object.keys(transports)) {
  describe(`symmetric keys over ${transport}`, { concurrency: true }, () => {
    it('a device of a group, by the key of either slot', async () => {
      const group = `kg-${transport}`;
      await rollcall('group', 'create', group, '--symmetric-key');
      for (const slot of ['primary', 'secondary']) {
        const id = `${group}-${slot}`;
        const held = await derived(group, id, slot);
        const assigned = await provisioned(id, held, transport);
        assert.equal(assigned.deviceId, id);
        assert.deepEqual(assigned.symmetricKey, { enrollmentGroupId: group });
        await speaks(id, held, transport, `by the ${slot} key`);
      }
    });

    it('an individually enrolled device', async () => {
      const id = `ki-${transport}`;
      await rollcall('enrollment', 'create', id, '--symmetric-key');
      const held = { symmetricKey: await rollcall('enrollment', 'key', 'show', id, 'primary') };
      const assigned = await provisioned(id, held, transport);
      assert.deepEqual(assigned.symmetricKey, {});
      await speaks(id, held, transport, 'alone');
    });

    it('refuses the group\'s own key and a stranger\'s as UnauthorizedError', async () => {
      const group = `kw-${transport}`;
      await rollcall('group', 'create', group, '--symmetric-key');
      for (const symmetricKey of [await rollcall('group', 'key', 'show', group, 'primary'),
        Buffer.alloc(64, 7).toString('base64')]) {
        const { refused } = await register(`${group}-dev`, { symmetricKey }, undefined, transport);
        assert.equal(refusalOf(refused), 'UnauthorizedError');
      }
    });
  });
}

for (const transport of ['mqtt', 'mqtt-ws']) {
  describe(`keys that change, over ${transport}`, { concurrency: true }, () => {
    it('one is regenerated while the other serves', async () => {
      const id = `kr-${transport}`;
      await rollcall('group', 'create', id, '--symmetric-key');
      const [old, other] = [await derived(id, id), await derived(id, id, 'secondary')];
      await provisioned(id, old, transport);
      await rollcall('group', 'key', 'regenerate', id, 'primary');
      const { refused } = await register(id, old, undefined, transport);
      assert.equal(refused.name, 'UnauthorizedError');
      await assert.rejects(connected(id, old, transport), { name: 'UnauthorizedError' });
      await provisioned(id, other, transport);
      await speaks(id, other, transport, 'by the other key');
      await provisioned(id, await derived(id, id), transport);
    });

    it('a lost one is left at once', async () => {
      const id = `kb-${transport}`;
      await rollcall('group', 'create', id, '--symmetric-key');
      const lost = await derived(id, id);
      await provisioned(id, lost, transport);
      const client = await connected(id, lost, transport);
      const left = once(client, 'disconnect', 60);
      await rollcall('group', 'key', 'regenerate', id, 'primary', '--breach', '--yes');
      await left;
      await assert.rejects(connected(id, lost, transport), { name: 'UnauthorizedError' });
      const fresh = await derived(id, id);
      await provisioned(id, fresh, transport);
      await speaks(id, fresh, transport, 'back');
    });
  });
}
