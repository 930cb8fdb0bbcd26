// SPDX-License-Identifier: Apache-2.0
// A device's whole life on the Azure SDK for Node: it is provisioned and speaks with its hub, over
// every transport; refusals, breach and return.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  ask, eventually, groupOf, hubClient, leaf, Message, once, refusalOf, register, rollcall, root,
  selfSigned, transports,
} from './lab.mjs';

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

/** Connects and says something: over AMQP who it is shows only then. */
async function present(id, held, transport) {
  const client = await connected(id, held, transport);
  await client.sendEvent(new Message('here'));
  return client;
}

async function device(name, transport) {
  const held = await leaf(await groupOf(name), name);
  await provisioned(name, held, transport);
  return held;
}

const twinOf = async (id) => JSON.parse(await rollcall('device', 'twin', id, '--json'));
const telemetryOf = async (id, count = 1) => {
  const lines = await rollcall('device', 'watch', id, '--from-start', '--count', count, '--json');
  return lines.split('\n').map((line) => JSON.parse(line));
};
const waitingFor = async (id) => (await ask(`/devices/${id}/messages`)).items;

/** Two ways to be enrolled: who has the first certificate, and how it is lost and replaced. */
const enrollments = {
  async group(id) {
    const held = await leaf(await groupOf(id), id);
    return { held, async breach() {
      const fresh = await root(`${id} new root`);
      await rollcall('group', 'cert', 'set', id, 'primary', fresh.certificate, '--vouch',
        '--breach', '--reason', 'lost', '--yes');
      return leaf(fresh, id);
    } };
  },
  async individual(id) {
    const held = await selfSigned(id);
    await rollcall('enrollment', 'create', id, '--primary', held.certificate);
    return { held, async breach() {
      const renewed = await selfSigned(id);
      await rollcall('enrollment', 'cert', 'set', id, 'primary', renewed.certificate, '--breach',
        '--reason', 'lost', '--yes');
      return renewed;
    } };
  },
};

for (const transport of Object.keys(transports)) {
  describe(`provisioning over ${transport}`, { concurrency: true }, () => {
    it('takes a device of a group, with a payload, twice', async () => {
      const id = `p-${transport}`;
      const ca = await groupOf(id);
      const held = await leaf(ca, id);
      for (const payload of [undefined, { modelId: 'dtmi:a:b;1' }]) {
        const { assigned, refused } = await register(id, held, payload, transport);
        assert.ok(assigned, String(refused));
        assert.equal(assigned.status, 'assigned');
        assert.equal(assigned.deviceId, id);
        assert.deepEqual(assigned.x509, { enrollmentGroupId: id });
      }
    });

    it('takes an individually enrolled device', async () => {
      const id = `i-${transport}`;
      const held = await selfSigned(id);
      await rollcall('enrollment', 'create', id, '--primary', held.certificate);
      const assigned = await provisioned(id, held, transport);
      assert.deepEqual(assigned.x509, {});
    });

    it('refuses a stranger as UnauthorizedError', async () => {
      const id = `s-${transport}`;
      const { refused } = await register(id, await selfSigned(id), undefined, transport);
      assert.equal(refusalOf(refused), 'UnauthorizedError');
    });
  });
}

for (const transport of ['mqtt', 'mqtt-ws', 'amqp', 'amqp-ws']) {
  describe(`the hub over ${transport}`, { concurrency: true }, () => {
    it('takes telemetry with its properties', async () => {
      const id = `t-${transport}`;
      const client = await connected(id, await device(id, transport), transport);
      const message = new Message('{"temperature":21}');
      message.messageId = 'm 1';
      message.contentType = 'application/json';
      message.contentEncoding = 'utf-8';
      message.properties.add('kind', 'farm & field=1');
      await client.sendEvent(message);
      await client.close();
      const [kept] = await telemetryOf(id);
      assert.equal(kept.body, '{"temperature":21}');
      assert.equal(kept.properties.kind, 'farm & field=1');
      assert.equal(kept.systemProperties['$.mid'], 'm 1');
    });

    it('takes many messages at once, in order', async () => {
      const id = `n-${transport}`;
      const client = await connected(id, await device(id, transport), transport);
      const numbers = Array.from({ length: 100 }, (_, n) => `message ${n}`);
      await Promise.all(numbers.map((text) => client.sendEvent(new Message(text))));
      assert.deepEqual((await telemetryOf(id, numbers.length)).map(({ body }) => body), numbers);
      // The SDK has batches over HTTPS alone; a device that tries all the same goes on.
      await assert.rejects(async () => client.sendEventBatch([new Message('a')]),
        { name: 'NotImplementedError' });
      await client.sendEvent(new Message('last'));
      await client.close();
    });

    it('gives and takes twins', async () => {
      const id = `w-${transport}`;
      const client = await connected(id, await device(id, transport), transport);
      const twin = await client.getTwin();
      assert.equal(twin.properties.desired.$version, 1);
      // Subscribed before it reports: once that is answered, it hears of changes.
      const changed = once(twin, 'properties.desired.interval', 60);
      await new Promise((resolve, reject) => {
        twin.properties.reported.update({ fan: { speed: 3, gone: null } },
          (error) => (error ? reject(error) : resolve()));
      });
      assert.deepEqual((await twinOf(id)).properties.reported, { fan: { speed: 3 }, $version: 2 });
      await rollcall('device', 'twin', id, '--desired', '{"interval":30}');
      assert.deepEqual(await changed, [30]);
      assert.equal(twin.properties.desired.$version, 2);
      await client.close();
    });

    it('calls methods', async () => {
      const id = `c-${transport}`;
      const client = await connected(id, await device(id, transport), transport);
      client.onDeviceMethod('reboot', (request, response) => {
        response.send(200, { asked: request.payload }, () => {});
      });
      const answer = await eventually(async () => {
        try {
          return JSON.parse(await rollcall('device', 'call', id, 'reboot', '{"in":5}',
            '--timeout', 2, '--json'));
        } catch { return null; }
      });
      assert.deepEqual(answer, { status: 200, payload: { asked: { in: 5 } } });
      await client.close();
      await assert.rejects(rollcall('device', 'call', id, 'reboot'), /not connected/);
    });

    it('delivers messages, also those that came while it was away', async () => {
      const id = `d-${transport}`;
      const held = await device(id, transport);
      const client = await connected(id, held, transport);
      client.on('message', () => {});  // over AMQP the SDK leaves the link without a listener
      const first = once(client, 'message');
      await rollcall('device', 'send', id, 'one', '--property', 'a=b & c');
      const [message] = await first;
      assert.equal(message.getData().toString(), 'one');
      assert.equal(message.properties.getValue('a'), 'b & c');
      await client.complete(message);
      await client.close();
      await rollcall('device', 'send', id, 'two');
      const later = await hubClient(id, held, transport);
      later.on('message', () => {});
      const second = once(later, 'message');
      await later.open();
      const [waited] = await second;
      assert.equal(waited.getData().toString(), 'two');
      await later.complete(waited);
      await later.close();
    });

    for (const kind of Object.keys(enrollments)) {
      it(`is left at once after a breach by a device of the ${kind} enrollment, and met again`
        + ' with a new certificate', async () => {
        const id = `b-${kind}-${transport}`;
        const { held, breach } = await enrollments[kind](id);
        await provisioned(id, held, transport);
        const client = await present(id, held, transport);
        const left = once(client, 'disconnect');
        const renewed = await breach();
        await left;
        await assert.rejects(present(id, held, transport), { name: 'UnauthorizedError' });
        const { refused } = await register(id, held, undefined, transport);
        assert.equal(refusalOf(refused), 'UnauthorizedError');
        await provisioned(id, renewed, transport);
        const back = await connected(id, renewed, transport);
        await back.sendEvent(new Message('back'));
        await back.close();
        assert.deepEqual((await telemetryOf(id, 2)).map(({ body }) => body), ['before', 'back']);
      });
    }

    it('lets a second connection take over', async () => {
      const id = `o-${transport}`;
      const held = await device(id, transport);
      const first = await present(id, held, transport);
      const left = once(first, 'disconnect');
      const second = await present(id, held, transport);
      await left;
      await second.sendEvent(new Message('still here'));
      await second.close();
    });
  });
}

describe('the hub over https', { concurrency: true }, () => {
  it('takes telemetry, alone and in a batch', async () => {
    const id = 'h-https';
    const client = await connected(id, await device(id, 'https'), 'https');
    const message = new Message('alone');
    message.messageId = 'm 1';
    message.properties.add('kind', 'farm & field=1');
    await client.sendEvent(message);
    const batch = ['a', 'b'].map((text) => new Message(text));
    batch[1].properties.add('kind', 'sea');
    await client.sendEventBatch(batch);
    const kept = await telemetryOf(id, 3);
    assert.deepEqual(kept.map(({ body }) => body), ['alone', 'a', 'b']);
    assert.equal(kept[0].systemProperties['$.mid'], 'm 1');
    assert.deepEqual(kept.map(({ properties }) => properties?.kind),
      ['farm & field=1', undefined, 'sea']);
    await client.close();
  });

  it('delivers messages, which are completed, rejected, or abandoned and come again', async () => {
    const id = 'd-https';
    const client = await connected(id, await device(id, 'https'), 'https');
    for (const text of ['complete', 'reject', 'abandon']) {
      await rollcall('device', 'send', id, text, '--property', `asked=${text}`, '--id', text);
    }
    const came = [];
    let done;
    const settled = new Promise((resolve) => { done = resolve; });
    client.on('message', async (message) => {
      const text = message.getData().toString();
      // Over HTTPS the SDK leaves the header's name as it came.
      assert.equal(message.properties.getValue('iothub-app-asked'), text);
      assert.equal(message.messageId, text);
      const again = came.includes(text);
      came.push(text);
      await (again ? client.complete(message) : client[text](message));
      if (again) done();
    });
    await settled;
    assert.deepEqual([...came].sort(), ['abandon', 'abandon', 'complete', 'reject']);
    await eventually(async () => (await waitingFor(id)).length === 0);
    await client.close();
  });

  for (const kind of Object.keys(enrollments)) {
    it(`refuses a device of the ${kind} enrollment after a breach, and takes it again with a new`
      + ' certificate', async () => {
      const id = `b-${kind}-https`;
      const { held, breach } = await enrollments[kind](id);
      await provisioned(id, held, 'https');
      const client = await connected(id, held, 'https');
      await client.sendEvent(new Message('before'));
      const renewed = await breach();
      await assert.rejects(client.sendEvent(new Message('lost')), { name: 'UnauthorizedError' });
      const { refused } = await register(id, held, undefined, 'https');
      assert.equal(refused.name, 'UnauthorizedError');
      await provisioned(id, renewed, 'https');
      const back = await connected(id, renewed, 'https');
      await back.sendEvent(new Message('back'));
      await back.close();
      assert.deepEqual((await telemetryOf(id, 2)).map(({ body }) => body), ['before', 'back']);
    });
  }
});
