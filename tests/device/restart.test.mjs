// SPDX-License-Identifier: Apache-2.0
// Devices on the Azure SDK for Node with its own retry policy: the server is killed and comes again,
// and nobody tells them.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  ask, crash, eventually, hubClient, leaf, Message, register, rollcall, root, transports,
} from './lab.mjs';

const twinOf = async (id) => JSON.parse(await rollcall('device', 'twin', id, '--json'));
const bodiesOf = async (id) => {
  const bodies = [];
  for (let after = -1, next = 0; next !== after;) {
    after = next;
    const page = await ask(`/devices/${id}/telemetry?after=${after}&limit=1000`);
    bodies.push(...page.items.map(({ body }) => body));
    next = page.next;
  }
  return bodies;
};
const lasting = Object.keys(transports).filter((transport) => transport !== 'https');

const report = (twin, interval) => new Promise((resolve, reject) => {
  twin.properties.reported.update({ interval }, (error) => (error ? reject(error) : resolve()));
});

/** A device of its own group, its client open, with everything a device may listen for. */
async function persistent(transport) {
  const id = `r-${transport}`;
  const ca = await root(`${id} root`);
  await rollcall('group', 'create', id);
  await rollcall('group', 'cert', 'set', id, 'primary', ca.certificate, '--vouch');
  const held = await leaf(ca, id);
  const { assigned, refused } = await register(id, held, undefined, transport);
  assert.ok(assigned, String(refused));
  const client = await hubClient(id, held, transport, true);
  await client.open();
  const device = { id, client, messages: [] };
  client.on('error', () => {});  // over HTTPS, each time it asked for messages in vain
  client.on('message', (message) => {
    device.messages.push(message.getData().toString());
    client.complete(message);
  });
  if (transport !== 'https') {
    client.onDeviceMethod('ping', (request, response) => { response.send(200, 'pong', () => {}); });
    device.twin = await client.getTwin();
    device.twin.on('properties.desired.interval', (value) => { device.interval = value; });
    await report(device.twin, 1);  // answered: it hears of changes
  }
  return device;
}

/** One message until it is acknowledged. Over HTTPS the SDK leaves a broken connection to the
 * application, which tries again. */
async function send(client, transport, body) {
  for (;;) {
    try {
      return await client.sendEvent(new Message(body));
    } catch (error) {
      if (transport !== 'https' || !/^ECONN/.test(error.code)) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
}

/** Answers as soon as it is reached. */
const called = (id) => eventually(async () => {
  try {
    return JSON.parse(await rollcall('device', 'call', id, 'ping', '--timeout', 2, '--json'));
  } catch { return null; }
}, 60);

describe('the server is killed and comes again', () => {
  const devices = {};
  const sent = {};

  before(async () => {
    for (const transport of Object.keys(transports)) {
      devices[transport] = await persistent(transport);
    }
    for (const transport of lasting) await called(devices[transport].id);
    // In the midst of work: each device sends one message after the other, until some have got
    // through to the server that came again.
    let more = Infinity;
    const working = Object.entries(devices).map(async ([transport, { client }]) => {
      sent[transport] = [];
      for (let n = 0, left = more; left > 0; n += 1) {
        await send(client, transport, `${n}`);
        sent[transport].push(`${n}`);
        left = Math.min(left, more) - 1;
      }
    });
    await eventually(() => Object.values(sent).every((acknowledged) => acknowledged.length > 5));
    await crash();
    more = 5;
    await Promise.all(working);
  });

  for (const transport of Object.keys(transports)) {
    it(`a device over ${transport} sends on by itself, and nothing it was told of is lost`,
      async () => {
        const { id } = devices[transport];
        // What was not acknowledged before the crash came again, perhaps for the second time.
        const kept = new Set(await bodiesOf(id));
        assert.deepEqual(sent[transport].filter((body) => !kept.has(body)), []);
      });

    it(`a device over ${transport} is given messages again`, async () => {
      const device = devices[transport];
      await rollcall('device', 'send', device.id, 'after');
      await eventually(() => device.messages.includes('after'), 60);
    });
  }

  for (const transport of lasting) {
    it(`a device over ${transport} hears of its twin and of methods again`, async () => {
      const device = devices[transport];
      assert.deepEqual(await called(device.id), { status: 200, payload: 'pong' });
      await rollcall('device', 'twin', device.id, '--desired', '{"interval":7}');
      await eventually(() => device.interval === 7);
      await report(device.twin, 7);
      assert.equal((await twinOf(device.id)).properties.reported.interval, 7);
    });
  }

  after(async () => {
    await Promise.all(Object.values(devices).map(({ client }) => client.close()));
  });
});
