// SPDX-License-Identifier: Apache-2.0
// What the Azure SDK for Node makes of allocation: the static hub it is told, a webhook's payload,
// a registration that failed for its webhook; and a twin that moves or begins anew with its device.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import https from 'node:https';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  eventually, host, hubClient, leaf, register, rollcall, root, transports,
} from './lab.mjs';

const scratch = process.env.ROLLCALL_SCRATCH;
const away = 'away.example';
const second = 'second.example';

/** The webhook that in-namespace had the server trust (webhook-ca.pem); by path, what it says. */
let webhook;
const answers = new Map();
const asked = new Map();

async function listen() {
  const ca = path.join(scratch, 'webhook-ca');
  const stem = path.join(scratch, 'pki', 'webhook');
  await rollcall('pki', 'leaf', '--cn', 'webhook', '--issuer', ca, '--eku', 'serverAuth', '--ip',
    '127.0.0.1', '--out', stem);
  const [cert, key] = await Promise.all([readFile(`${stem}.pem`), readFile(`${stem}.key`)]);
  webhook = https.createServer({ cert, key }, (request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      asked.set(request.url, JSON.parse(Buffer.concat(parts)));
      const { status = 200, body = {} } = answers.get(request.url) ?? { status: 404 };
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise((resolve) => { webhook.listen(0, '127.0.0.1', resolve); });
}

async function groupOf(name, ...options) {
  const ca = await root(`${name} root`);
  await rollcall('group', 'create', name, ...options);
  await rollcall('group', 'cert', 'set', name, 'primary', ca.certificate, '--vouch');
  return leaf(ca, name);
}

function hooked(name, answer) {
  answers.set(`/${name}`, answer);
  return groupOf(name, '--allocation', 'custom', '--webhook',
    `https://127.0.0.1:${webhook.address().port}/${name}`);
}

const twinOf = async (id) => JSON.parse(await rollcall('device', 'twin', id, '--json'));

before(async () => {
  await listen();
  await rollcall('hub', 'add', away);
  await rollcall('hub', 'add', second, '--own');
});
after(() => webhook.close());

for (const transport of Object.keys(transports)) {
  describe(`allocation over ${transport}`, { concurrency: true }, () => {
    it('tells the static hub', async () => {
      const id = `static-${transport}`;
      const held = await groupOf(id, '--allocation', 'static', '--hub', away);
      const { assigned, refused } = await register(id, held, undefined, transport);
      assert.ok(assigned, String(refused));
      assert.equal(assigned.assignedHub, away);
      assert.equal(assigned.substatus, 'initialAssignment');
    });

    it('passes payloads on, both ways', async () => {
      const id = `hook-${transport}`;
      const body = { iotHubHostName: away, payload: { interval: 30, list: [1, null] } };
      const held = await hooked(id, { body });
      const { assigned, refused } = await register(id, held, { modelId: 'dtmi:a:b;1' }, transport);
      assert.ok(assigned, String(refused));
      assert.equal(assigned.assignedHub, away);
      assert.deepEqual(assigned.payload, body.payload);
      assert.deepEqual(asked.get(`/${id}`).deviceRuntimeContext.payload,
        { modelId: 'dtmi:a:b;1' });
    });

    it('fails where the webhook refuses', async () => {
      const id = `refused-${transport}`;
      const held = await hooked(id, { status: 401 });
      const { refused } = await register(id, held, undefined, transport);
      assert.ok(refused, 'it was assigned');
      const shown = JSON.parse(await rollcall('registration', 'show', id, '--json'));
      assert.equal(shown.errorCode, 400207);
      assert.equal(shown.errorMessage, 'Custom allocation failed with status code: 401');
    });
  });
}

/** A device at its hub with reported and desired properties; then its group says otherwise. */
async function moved(id, policy) {
  const held = await groupOf(id, '--allocation', 'static', '--hub', host, '--reprovision', policy);
  await register(id, held, undefined, 'mqtt');
  const client = await hubClient(id, held, 'mqtt');
  await client.open();
  const twin = await client.getTwin();
  await new Promise((resolve, reject) => {
    twin.properties.reported.update({ firmware: '1.2' },
      (error) => (error ? reject(error) : resolve()));
  });
  await client.close();
  await rollcall('device', 'twin', id, '--desired', '{"interval":5}', '--tags', '{"site":"a"}');
  await rollcall('group', 'update', id, '--hub', second);
  const { assigned, refused } = await register(id, held, undefined, 'mqtt');
  assert.ok(assigned, String(refused));
  assert.equal(assigned.assignedHub, second);
  return { assigned, twin: await twinOf(id) };
}

describe('a device that moves', { concurrency: true }, () => {
  it('takes its twin along', async () => {
    const { assigned, twin } = await moved('migrates', 'migrate');
    assert.equal(assigned.substatus, 'deviceDataMigrated');
    assert.equal(twin.tags.site, 'a');
    assert.equal(twin.properties.desired.interval, 5);
    assert.equal(twin.properties.reported.firmware, '1.2');
  });

  it('begins anew where the entry says so', async () => {
    const { assigned, twin } = await moved('resets', 'reset');
    assert.equal(assigned.substatus, 'deviceDataReset');
    assert.deepEqual(twin.tags, {});
    assert.equal(twin.properties.desired.interval, undefined);
    assert.equal(twin.properties.reported.firmware, undefined);
  });

  it('loses its session here when it goes elsewhere', async () => {
    const id = 'leaves';
    const held = await groupOf(id, '--allocation', 'static', '--hub', host);
    await register(id, held, undefined, 'mqtt');
    const client = await hubClient(id, held, 'mqtt');
    await client.open();
    client.on('error', () => {});
    await rollcall('group', 'update', id, '--hub', away);
    const { assigned } = await register(id, held, undefined, 'mqtt');
    assert.equal(assigned.assignedHub, away);
    await eventually(async () => !JSON.parse(
      await rollcall('device', 'show', id, '--json')).connection.connected);
    const again = await hubClient(id, held, 'mqtt');
    await assert.rejects(again.open());
  });
});
