// SPDX-License-Identifier: Apache-2.0
// A plant to look at: groups in the middle of rolls, devices that came over every transport, some that
// wait, are blocked or were refused. What pages are held against rules and pictured with.
import path from 'node:path';
import { groupOf, hubClient, intermediate, leaf, Message, register, rollcall, root, selfSigned } from '../device/lab.mjs';
import { native } from './browser.mjs';

const cert = (...words) => rollcall('group', 'cert', ...words);

/** Resolves to what is left open: close() it. */
export async function makeScene() {
  const plant = await groupOf('plant-a');
  const next = await root('Plant A 2030');
  await cert('set', 'plant-a', 'secondary', next.certificate, '--vouch');
  const factory = await intermediate(plant, 'Plant A line 3');

  // Ends soon, and its other slot is empty.
  const soon = { stem: path.join(process.env.ROLLCALL_SCRATCH, 'pki', 'plant-b') };
  await rollcall('pki', 'ca', '--cn', 'Plant B', '--days', '20', '--out', soon.stem);
  soon.certificate = `${soon.stem}.pem`;
  await rollcall('group', 'create', 'plant-b');
  await cert('set', 'plant-b', 'primary', soon.certificate, '--vouch');
  // Staged: the new one waits to be verified.
  await rollcall('group', 'create', 'pumps');
  await cert('set', 'pumps', 'primary', (await root('Pumps 2024')).certificate, '--vouch');
  await cert('set', 'pumps', 'primary', (await root('Pumps 2026')).certificate);
  await rollcall('group', 'create', 'visitors', '--auto-approve', 'off');
  const visitors = await root('Visitors');
  await cert('set', 'visitors', 'primary', visitors.certificate, '--vouch');
  await native('POST', '/groups', { id: 'gateways-by-key', symmetricKey: {} });

  const transports = ['https', 'mqtt', 'amqp', 'mqtt-ws', 'amqp-ws'];
  const of = async (prefix, count, make) => Promise.all(Array.from({ length: count }, async (_, n) => {
    const id = `${prefix}-${String(n + 1).padStart(3, '0')}`;
    await register(id, await make(id), undefined, transports[n % transports.length]);
    return id;
  }));
  await of('press', 6, (id) => leaf(factory, id, '--days', '300'));
  await of('sensor', 4, (id) => leaf(next, id, '--days', '90'));
  await of('valve', 3, (id) => leaf(soon, id, '--days', '10'));
  await of('visitor', 2, (id) => leaf(visitors, id));
  const own = await selfSigned('robot-7');
  await rollcall('enrollment', 'create', 'robot-7', '--primary', own.certificate);
  await register('robot-7', own);
  await rollcall('enrollment', 'create', 'robot-8', '--primary', (await selfSigned('robot-8')).certificate);
  await rollcall('device', 'block', 'press-006', '--yes');

  // Refused, each for its own reason.
  const stranger = await root('Nobody');
  await register('thief-1', await leaf(stranger, 'thief-1'));
  await register('press-001', await leaf(stranger, 'press-001'));
  await register('typo', await leaf(plant, 'tpyo'));
  await register('robot-8', await selfSigned('robot-8'));
  await register('press-006', await leaf(factory, 'press-006'));

  await rollcall('distrust', 'add', (await root('Lost laptop')).certificate, '--reason', 'stolen from the car', '--yes');
  await rollcall('token', 'create', 'ci', '--role', 'viewer');

  const live = await leaf(next, 'sensor-live');
  await register('sensor-live', live);
  const hub = await hubClient('sensor-live', live);
  await hub.open();
  await new Promise((resolve, reject) => {
    hub.onDeviceMethod('reboot', (_, answer) => answer.send(200, { inSeconds: 5 }));
    hub.sendEvent(new Message(JSON.stringify({ temperature: 21.5, unit: 'C' })),
      (error) => (error ? reject(error) : resolve()));
  });
  await native('PATCH', '/devices/sensor-live/twin',
    { tags: { hall: 3 }, properties: { desired: { interval: 30 } } });
  return { close: () => hub.close() };
}
