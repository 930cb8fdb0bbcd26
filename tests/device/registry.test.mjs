// SPDX-License-Identifier: Apache-2.0
// The unmodified service SDK of IoT Hub (azure-iothub): its Registry reads, lists, disables and
// deletes devices that came by registering, and reads and changes their twins.
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import hub from 'azure-iothub';
import { groupOf, hubClient, leaf, register, rollcall } from './lab.mjs';

let registry;
let ca;
const body = async (call) => (await call).responseBody;

/** A registered device of the test's own. */
async function device(id) {
  const held = await leaf(ca, id);
  const { assigned, refused } = await register(id, held, undefined, 'mqtt');
  assert.ok(assigned, String(refused));
  return held;
}

const connectionOf = (policy, ...rights) =>
  rollcall('token', 'create', policy, '--sas-policy', rights.join(','));

before(async () => {
  registry = hub.Registry.fromConnectionString(
    await connectionOf('iothubowner', 'RegistryRead', 'RegistryWrite'));
  ca = await groupOf('registry');
});

describe('the Registry of IoT Hub', () => {
  it('reads a device that came, and whether it is connected', async () => {
    const held = await device('reg-read');
    const found = await body(registry.get('reg-read'));
    assert.equal(found.deviceId, 'reg-read');
    assert.equal(found.status, 'enabled');
    assert.equal(found.authentication.type, 'selfSigned');
    assert.equal(found.connectionState, 'Disconnected');
    const client = await hubClient('reg-read', held, 'mqtt');
    await client.open();
    assert.equal((await body(registry.get('reg-read'))).connectionState, 'Connected');
    await client.close();
  });

  it('lists all, and queries page by page', async () => {
    for (const id of ['reg-a', 'reg-b', 'reg-c']) await device(id);
    const all = (await body(registry.list())).map((each) => each.deviceId);
    for (const id of ['reg-a', 'reg-b', 'reg-c']) assert.ok(all.includes(id), id);
    const query = registry.createQuery('SELECT * FROM devices', 2);
    const found = [];
    while (query.hasMoreResults) {
      const { result } = await query.nextAsTwin();
      assert.ok(result.length <= 2);
      found.push(...result.map((twin) => twin.deviceId));
    }
    assert.deepEqual(found.sort(), all.sort());
    await assert.rejects(registry.createQuery("SELECT * FROM devices WHERE a = 'b'").nextAsTwin());
  });

  it('disables a device, which is closed and refused, and enables it again', async () => {
    const held = await device('reg-off');
    const found = await body(registry.get('reg-off'));
    const disabled = await body(registry.update({ ...found, status: 'disabled' }));
    assert.equal(disabled.status, 'disabled');
    const client = await hubClient('reg-off', held, 'mqtt');
    await assert.rejects(client.open(), { name: 'UnauthorizedError' });
    assert.equal((await body(registry.update({ ...disabled, status: 'enabled' }))).status,
      'enabled');
    const again = await hubClient('reg-off', held, 'mqtt');
    await again.open();
    await again.close();
  });

  it('reads and changes a twin, which its device sees', async () => {
    const held = await device('reg-twin');
    const twin = await body(registry.getTwin('reg-twin'));
    assert.deepEqual(twin.tags, {});
    const patch = { tags: { site: 'north' }, properties: { desired: { interval: 30 } } };
    const changed = await body(registry.updateTwin('reg-twin', patch, twin.etag));
    assert.equal(changed.tags.site, 'north');
    assert.equal(changed.properties.desired.interval, 30);
    await assert.rejects(registry.updateTwin('reg-twin', patch, 'another'),
      { name: 'InvalidEtagError' });
    const client = await hubClient('reg-twin', held, 'mqtt');
    await client.open();
    assert.equal((await client.getTwin()).properties.desired.interval, 30);
    await client.close();
  });

  it('deletes a device', async () => {
    await device('reg-gone');
    await registry.delete('reg-gone');
    await assert.rejects(registry.get('reg-gone'), { name: 'DeviceNotFoundError' });
  });

  it('makes no device, and says what to do', async () => {
    await assert.rejects(registry.create({ deviceId: 'reg-made', status: 'enabled' }),
      (error) => error.name === 'ArgumentError' && /create an enrollment/.test(error.responseBody));
    await assert.rejects(registry.get('reg-made'), { name: 'DeviceNotFoundError' });
  });

  it('reads only, where the policy has no more', async () => {
    await device('reg-kept');
    const reader = hub.Registry.fromConnectionString(
      await connectionOf('reader', 'RegistryRead'));
    assert.equal((await body(reader.get('reg-kept'))).deviceId, 'reg-kept');
    await assert.rejects(reader.delete('reg-kept'));
    assert.equal((await body(registry.get('reg-kept'))).deviceId, 'reg-kept');
    const none = hub.Registry.fromConnectionString(
      await connectionOf('service', 'ServiceConfig', 'EnrollmentWrite'));
    await assert.rejects(none.get('reg-kept'));
  });
});
