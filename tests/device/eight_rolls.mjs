// SPDX-License-Identifier: Apache-2.0
// The eight rolls {group, individual} x {expiry, breach} x {primary, secondary} as stories, whatever
// API drives them: what devices of the SDK for Node are let in before, during and after.
import { describe, it } from 'node:test';

export const other = { primary: 'secondary', secondary: 'primary' };

/** Every device of a party registers, and should be let in or not. */
export const everyDevice = (tally) => (should, party, when) =>
  Promise.all(party.devices.map(([id, device]) => tally.expect(should, id, device, when)));

/**
 * `way`: "the service API". `driver` drives a roll by it alone:
 * - party(kind, id, name): { held, devices: [[id, device]] }, what stands in a slot and who comes by it;
 * - create(kind, id, { slot: held }): a new entry;
 * - add(kind, id, slot, held): into an empty or spare slot, the other one serves on;
 * - replace(kind, id, slot, held): at once, what stood there is lost;
 * - retire(kind, id, slot, rest): empties the slot; `rest` is what stands in the other one.
 */
export function eightRolls(way, tally, driver) {
  const all = everyDevice(tally);

  async function expiry(kind, slot) {
    const id = `${kind}-expiry-${slot}`;
    const [old, next] = [await driver.party(kind, id, 'old'), await driver.party(kind, id, 'new')];
    await driver.create(kind, id, { [slot]: old.held });
    await all(true, old, 'before the roll');
    await all(false, next, 'before the new one is in a slot');
    await driver.add(kind, id, other[slot], next.held);
    await all(true, old, 'while both are accepted');
    await all(true, next, 'while both are accepted');
    await all(true, old, 'going back while both are accepted');
    await all(true, next, 'and forth');
    await driver.retire(kind, id, slot, next.held);
    await all(false, old, 'after the old one is retired');
    await all(true, next, 'after the roll');
  }

  async function breach(kind, slot) {
    const id = `${kind}-breach-${slot}`;
    const [lost, next] = [await driver.party(kind, id, 'lost'), await driver.party(kind, id, 'new')];
    const fine = await driver.party(kind, id, 'fine');
    await driver.create(kind, id, { [slot]: lost.held, [other[slot]]: fine.held });
    await all(true, lost, 'before the breach');
    await all(true, fine, 'before the breach');
    await all(false, next, 'before the breach');
    await driver.replace(kind, id, slot, next.held);
    await all(false, lost, 'from the breach on');
    await all(true, fine, 'during the breach roll');
    await all(true, next, 'after the breach roll');
    await all(false, lost, 'after the breach roll');
  }

  for (const kind of ['group', 'individual']) {
    for (const slot of ['primary', 'secondary']) {
      describe(`through ${way}: ${kind} ${slot}`, { concurrency: true }, () => {
        it('rolls before it expires', () => expiry(kind, slot));
        it('rolls after a breach', () => breach(kind, slot));
      });
    }
  }
}
