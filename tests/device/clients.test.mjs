// SPDX-License-Identifier: Apache-2.0
// What an application on the Azure SDK for Node sees of us: results, errors, payloads, files as
// devices really have them.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { groupOf, host, intermediate, leaf, register, rollcall, root, selfSigned } from './lab.mjs';

describe('the SDK', { concurrency: true }, () => {
  it('is given what it needs to find its hub', async () => {
    const ca = await groupOf('find-hub');
    const { assigned, refused } = await register('find-hub-1', await leaf(ca, 'find-hub-1'));
    assert.ok(assigned, String(refused));
    assert.equal(assigned.status, 'assigned');
    assert.equal(assigned.deviceId, 'find-hub-1');
    assert.equal(assigned.assignedHub, host);
    assert.equal(assigned.substatus, 'initialAssignment');
    assert.deepEqual(assigned.x509, { enrollmentGroupId: 'find-hub' });
  });

  it('is told of a refusal as UnauthorizedError with our body', async () => {
    const stranger = await selfSigned('stranger-1');
    const { refused } = await register('stranger-1', stranger);
    assert.equal(refused.name, 'UnauthorizedError');
    const body = typeof refused.responseBody === 'string'
      ? JSON.parse(refused.responseBody) : refused.responseBody;
    assert.equal(body.errorCode, 401002);
    assert.match(body.trackingId, /^[0-9a-f-]{36}$/);
    assert.match(body.timestampUtc, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.ok(body.message);
  });

  it('may send a payload', async () => {
    const ca = await groupOf('payload');
    for (const payload of [{ modelId: 'dtmi:a:b;1' }, 'text', 17]) {
      const { assigned, refused } =
        await register('payload-1', await leaf(ca, 'payload-1'), payload);
      assert.ok(assigned, String(refused));
    }
  });

  it('may have every kind of key', async () => {
    const ca = await groupOf('keys');
    await Promise.all(['p256', 'p384', 'rsa2048', 'rsa3072', 'ed25519'].map(async (key) => {
      const id = `keys-${key}`;
      const { assigned, refused } = await register(id, await leaf(ca, id, '--key', key));
      assert.ok(assigned, `${key}: ${refused}`);
    }));
  });

  it('may have a file with words around its certificates', async () => {
    const ca = await groupOf('words');
    const factory = await intermediate(ca, 'words factory');
    const device = await leaf(factory, 'words-1');
    const pem = await readFile(device.chain, 'utf8');
    const odd = { ...device, chain: `${device.stem}.odd.pem` };
    await writeFile(odd.chain, `subject=/CN=words-1\r\n${pem.replaceAll('\n', '\r\n')}null`);
    const { assigned, refused } = await register('words-1', odd);
    assert.ok(assigned, String(refused));
  });

  it('may bring the root as well, and spare certificates', async () => {
    const ca = await groupOf('spares');
    const factory = await intermediate(ca, 'spares factory');
    const device = await leaf(factory, 'spares-1');
    const files = [device.chain, ca.certificate, (await root('spares stranger')).certificate];
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const odd = { ...device, chain: `${device.stem}.odd.pem` };
    await writeFile(odd.chain, texts.join(''));
    const { assigned, refused } = await register('spares-1', odd);
    assert.ok(assigned, String(refused));
  });

  it('is refused, not cut off, with expired, future and foreign certificates', async () => {
    const ca = await groupOf('faults');
    const cases = {
      'faults-expired': await leaf(ca, 'faults-expired', '--not-before', '-20d', '--not-after', '-1d'),
      'faults-future': await leaf(ca, 'faults-future', '--not-before', '+2d', '--not-after', '+9d'),
      'faults-eku': await leaf(ca, 'faults-eku', '--eku', 'serverAuth'),
      'faults-name': await leaf(ca, 'faults-another-name'),
    };
    await Promise.all(Object.entries(cases).map(async ([id, device]) => {
      const { refused } = await register(id, device);
      assert.equal(refused?.name, 'UnauthorizedError', `${id}: ${refused}`);
    }));
  });

  it('of a disabled enrollment ends at once and assigns nothing', async () => {
    const device = await selfSigned('disabled-1');
    await rollcall('enrollment', 'create', 'disabled-1', '--primary', device.certificate,
      '--disabled');
    const { assigned } = await register('disabled-1', device);
    assert.equal(assigned, undefined); // the SDK knows no such status and says so
  });
});
