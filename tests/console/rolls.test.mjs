// SPDX-License-Identifier: Apache-2.0
// The eight rolls of the mission by clicks alone, each by an operator at a browser of their own,
// while devices of the Azure SDK register before, during and after. Of the groups, those whose
// primary slot rolls have roots in their slots, the others intermediates.
import { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { eightRolls } from '../device/eight_rolls.mjs';
import { groupOf, intermediate, leaf, root, selfSigned, Tally } from '../device/lab.mjs';
import { nothingWrong, person, telling } from './browser.mjs';
import { addCertificate, closeSlot, newGroup, openSlot, removeCertificate, verify } from './clicks.mjs';
import { askedInVain, newDevice, removeLeaf, setLeaves } from './clicks_devices.mjs';

const tally = new Tally();
const bystanders = new Tally();
let going = true;
let goingOn;

before(async () => {
  const ca = await groupOf('bystanders');
  const device = await leaf(ca, 'bystander');
  goingOn = (async () => {
    while (going) {
      await bystanders.expect(true, 'bystander', device, 'while others roll');
    }
  })();
});
after(async () => {
  going = false;
  await goingOn;
  assert.deepEqual(bystanders.lost, []);
  assert.deepEqual(tally.lost, []);
  assert.deepEqual(tally.letIn, []);
  assert.ok(tally.attempts > 80, `${tally.attempts} attempts`);
  nothingWrong();
});

const operators = new Map();
/** The operator of an entry, with the entry's page before them. */
async function operatorOf(id) {
  if (!operators.has(id)) operators.set(id, person(id, { expected: [askedInVain] }));
  return operators.get(id);
}

async function party(kind, id, name) {
  if (kind === 'individual') {
    const device = await selfSigned(id);
    return { held: device, devices: [[id, device]] };
  }
  const above = await root(`${id} ${name}`);
  const ca = id.endsWith('primary') ? above : await intermediate(above, `${id} ${name} factory`);
  const ids = [`${id}-1`, `${id}-2`];
  return { held: ca, devices: await Promise.all(ids.map(async (each) => [each, await leaf(ca, each)])) };
}

/** Adds, verifies and closes the panel. */
async function put(page, slot, ca, how) {
  const panel = await openSlot(page, slot);
  await addCertificate(panel, slot, ca, how && { how });
  await verify(panel, ca);
  await closeSlot(panel);
}

/** `work` on the operator's page. */
const onPage = (work) => async (kind, id, ...more) => {
  const page = await operatorOf(id);
  await telling(page, id, () => work(page, kind, id, ...more));
};

eightRolls('the console', tally, {
  party,
  create: onPage(async (page, kind, id, held) => {
    if (kind === 'individual') {
      await newDevice(page, id, held);
      return;
    }
    await newGroup(page, id);
    for (const [slot, ca] of Object.entries(held)) await put(page, slot, ca);
  }),
  add: onPage((page, kind, id, slot, held) => (kind === 'group' ? put(page, slot, held)
    : setLeaves(page, id, { [slot]: held }))),
  replace: onPage((page, kind, id, slot, held) => (kind === 'group' ? put(page, slot, held, /^Breach/)
    : setLeaves(page, id, { [slot]: held }, /^Breach/))),
  retire: onPage(async (page, kind, id, slot) => {
    if (kind === 'individual') {
      await removeLeaf(page, id, slot);
      return;
    }
    const panel = await openSlot(page, slot);
    await removeCertificate(panel, slot);
    await closeSlot(panel);
  }),
});
