// SPDX-License-Identifier: Apache-2.0
// What only AMQP has: refusals that the Azure SDK for Node must not repeat for ever, messages that
// a device gives back or rejects, and bounds that a link tells. The rest is in hub.test.mjs.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  eventually, groupOf, hubClient, leaf, Message, once, refusalOf, register, rollcall, selfSigned,
} from './lab.mjs';

async function provisioned(name, transport) {
  const held = await leaf(await groupOf(name), name);
  const { assigned, refused } = await register(name, held, undefined, transport);
  assert.ok(assigned, String(refused));
  return held;
}

async function connected(name, transport) {
  const client = await hubClient(name, await provisioned(name, transport), transport);
  await client.open();
  return client;
}

for (const transport of ['amqp', 'amqp-ws']) {
  describe(`refusals over ${transport}`, { concurrency: true, timeout: 60_000 }, () => {
    it('come to the application with our body, and once', async () => {
      const id = `ar-${transport}`;
      const { refused } = await register(id, await selfSigned(id), undefined, transport);
      assert.equal(refusalOf(refused), 'UnauthorizedError');
      const body = JSON.parse(refused.description);
      assert.equal(body.errorCode, 401002);
      assert.match(body.trackingId, /^[0-9a-f-]{36}$/);
    });

    it('tell an expired certificate from a stranger to the operator only', async () => {
      const id = `ae-${transport}`;
      const old = await leaf(await groupOf(id), id, '--not-before', '-20d', '--not-after', '-1d');
      const { refused } = await register(id, old, undefined, transport);
      assert.equal(refusalOf(refused), 'UnauthorizedError');
    });

    it('assign nothing to a disabled enrollment', async () => {
      const id = `ad-${transport}`;
      const held = await selfSigned(id);
      await rollcall('enrollment', 'create', id, '--primary', held.certificate, '--disabled');
      const { assigned, refused } = await register(id, held, undefined, transport);
      assert.equal(assigned, undefined);
      assert.ok(refused);
    });
  });

  describe(`messages over ${transport}`, { concurrency: true, timeout: 60_000 }, () => {
    it('come again when given back, and never when rejected', async () => {
      const id = `am-${transport}`;
      const client = await connected(id, transport);
      client.on('message', () => {});  // without a listener the SDK would leave the link
      const first = once(client, 'message');
      await rollcall('device', 'send', id, 'one', '--property', 'a=b');
      const [message] = await first;
      const again = once(client, 'message');
      await client.abandon(message);
      const [returned] = await again;
      assert.equal(returned.getData().toString(), 'one');
      assert.equal(returned.properties.getValue('a'), 'b');
      await client.reject(returned);
      const next = once(client, 'message');
      await rollcall('device', 'send', id, 'two');
      const [other] = await next;
      assert.equal(other.getData().toString(), 'two');
      await client.complete(other);
      await client.close();
    });

    it('have a bound, which the client is told', async () => {
      const id = `ab-${transport}`;
      const client = await connected(id, transport);
      await client.sendEvent(new Message('x'.repeat(256 * 1024)));
      await assert.rejects(client.sendEvent(new Message('x'.repeat(300 * 1024))));
      await client.close().catch(() => {});  // the SDK gave the connection up with the message
    });

    it('of many kinds go over one connection', async () => {
      const id = `ak-${transport}`;
      const client = await connected(id, transport);
      const twin = await client.getTwin();
      client.onDeviceMethod('count', (request, response) => response.send(200, 1, () => {}));
      await Promise.all(Array.from({ length: 50 }, (_, i) => client.sendEvent(
        new Message(String(i)))));
      await new Promise((resolve, reject) => {
        twin.properties.reported.update({ sent: 50 }, (e) => (e ? reject(e) : resolve()));
      });
      const answer = await eventually(async () => {
        try {
          return JSON.parse(await rollcall('device', 'call', id, 'count', '--json'));
        } catch { return null; }
      });
      assert.deepEqual(answer, { status: 200, payload: 1 });
      const lines = await rollcall('device', 'watch', id, '--from-start', '--count', 50, '--json');
      assert.deepEqual(lines.split('\n').map((line) => Number(JSON.parse(line).body)),
        Array.from({ length: 50 }, (_, i) => i));
      await client.close();
    });
  });
}
