// SPDX-License-Identifier: Apache-2.0
// Every way a device may come, {HTTPS, MQTT, MQTT-WS, AMQP, AMQP-WS} x {group, individual} x
// {X.509, symmetric key}, from its first registration through an expiry roll and a breach, with the
// Azure SDK for Node: who should be let in is, at DPS and at the hub, and who should not is not.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  hubClient, leaf, Message, once, refusalOf, register, rollcall, root, selfSigned, transports,
} from './lab.mjs';

const withKey = async (...words) => ({ symmetricKey: await rollcall(...words) });

// Each kind makes an entry for one device: its credentials before, during and after the rolls, one
// that is never good, and the operator's three orders. `state`: what it is told of its entry.
const kinds = {
  'group, X.509': async (id) => {
    const [first, second, third] = [await root(`${id} 1`), await root(`${id} 2`),
      await root(`${id} 3`)];
    const set = (slot, ca, ...how) => rollcall('group', 'cert', 'set', id, slot, ca.certificate,
      '--vouch', ...how);
    await rollcall('group', 'create', id);
    await set('primary', first);
    return {
      old: await leaf(first, id), next: await leaf(second, id), last: await leaf(third, id),
      stranger: await selfSigned(id),
      state: (told) => assert.deepEqual(told.x509, { enrollmentGroupId: id }),
      stage: () => set('secondary', second),
      retire: () => rollcall('group', 'cert', 'remove', id, 'primary', '--yes'),
      lose: () => set('secondary', third, '--breach', '--yes'),
    };
  },
  'individual, X.509': async (id) => {
    const [old, next, last] = [await selfSigned(id), await selfSigned(id), await selfSigned(id)];
    await rollcall('enrollment', 'create', id, '--primary', old.certificate);
    const set = (...words) => rollcall('enrollment', 'cert', 'set', id, 'secondary', ...words);
    return {
      old, next, last,
      stranger: await selfSigned(id),
      state: (told) => assert.deepEqual(told.x509, {}),
      stage: () => set(next.certificate),
      retire: () => rollcall('enrollment', 'cert', 'remove', id, 'primary', '--yes'),
      lose: () => set(last.certificate, '--breach', '--yes'),
    };
  },
  'group, symmetric key': async (id) => {
    const derived = (slot) => withKey('group', 'key', 'derive', id, id, slot);
    await rollcall('group', 'create', id, '--symmetric-key');
    return {
      old: await derived('primary'), next: await derived('secondary'),
      stranger: await withKey('group', 'key', 'show', id, 'primary'),
      state: (told) => assert.deepEqual(told.symmetricKey, { enrollmentGroupId: id }),
      stage: () => {},  // the other key has been there from the start
      retire: () => rollcall('group', 'key', 'regenerate', id, 'primary'),
      lose: () => rollcall('group', 'key', 'regenerate', id, 'secondary', '--breach', '--yes'),
      fresh: () => derived('secondary'),
    };
  },
  'individual, symmetric key': async (id) => {
    const shown = (slot) => withKey('enrollment', 'key', 'show', id, slot);
    await rollcall('enrollment', 'create', id, '--symmetric-key');
    return {
      old: await shown('primary'), next: await shown('secondary'),
      stranger: { symmetricKey: Buffer.alloc(64, 7).toString('base64') },
      state: (told) => assert.deepEqual(told.symmetricKey, {}),
      stage: () => {},
      retire: () => rollcall('enrollment', 'key', 'regenerate', id, 'primary'),
      lose: () => rollcall('enrollment', 'key', 'regenerate', id, 'secondary', '--breach', '--yes'),
      fresh: () => shown('secondary'),
    };
  },
};

async function story(id, entry, transport) {
  let said = 0;
  const assigned = async (held, when) => {
    const { assigned: told, refused } = await register(id, held, undefined, transport);
    assert.ok(told, `${when}: ${refused}`);
    assert.equal(told.deviceId, id);
    entry.state(told);
  };
  const refused = async (held, when) => {
    const outcome = await register(id, held, undefined, transport);
    assert.ok(outcome.refused, `${when}: assigned`);
    assert.equal(refusalOf(outcome.refused), 'UnauthorizedError', when);
  };
  const speaks = async (held) => {
    const client = await hubClient(id, held, transport);
    await client.open();
    said += 1;
    await client.sendEvent(new Message(String(said)));
    return client;
  };
  const keptOut = async (held, when) => {
    const client = await hubClient(id, held, transport);
    await assert.rejects(client.open().then(() => client.sendEvent(new Message('never'))),
      undefined, when);
    await client.close().catch(() => {});
  };

  await refused(entry.stranger, 'a stranger');
  await assigned(entry.old, 'before the rolls');
  await (await speaks(entry.old)).close();
  if (entry.last) await refused(entry.next, 'before it is in a slot');
  await entry.stage();
  await assigned(entry.old, 'while both are good');
  await assigned(entry.next, 'while both are good');
  await (await speaks(entry.next)).close();
  await entry.retire();
  await refused(entry.old, 'after it was retired');
  await keptOut(entry.old, 'after it was retired');
  await assigned(entry.next, 'after the expiry roll');

  const client = await speaks(entry.next);
  const left = transport === 'https' ? undefined : once(client, 'disconnect', 60);
  await entry.lose();
  await left;  // over HTTPS nothing stays open
  await client.close().catch(() => {});
  await refused(entry.next, 'after the breach');
  await keptOut(entry.next, 'after the breach');
  const last = entry.last ?? await entry.fresh();
  await assigned(last, 'after the breach');
  await (await speaks(last)).close();

  const lines = await rollcall('device', 'watch', id, '--from-start', '--count', said, '--json');
  assert.deepEqual(lines.split('\n').map((line) => JSON.parse(line).body),
    Array.from({ length: said }, (_, n) => String(n + 1)));
}

let cells = 0;
for (const transport of Object.keys(transports)) {
  describe(transport, { concurrency: true, timeout: 180_000 }, () => {
    for (const [kind, make] of Object.entries(kinds)) {
      it(`${kind}: first registration, expiry roll, breach`, async () => {
        const id = `${transport}-${kind.replaceAll(/\W+/g, '-')}`.toLowerCase();
        await story(id, await make(id), transport);
        cells += 1;
      });
    }
  });
}

describe('the matrix', () => {
  it('is whole', () => assert.equal(cells, 20));
});
