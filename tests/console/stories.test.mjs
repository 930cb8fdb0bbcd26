// SPDX-License-Identifier: Apache-2.0
// What happens to people: both keys lost, the wrong file, a colleague who was quicker, a session
// that ends, a server that restarts, a slow line, no mouse.
import { after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crash, eventually, groupOf, hubClient, leaf, once, proofOf, rollcall, root, selfSigned, Tally } from '../device/lab.mjs';
import { native, person, see, signIn, story } from './browser.mjs';
import { addCertificate, chooseFile, newGroup, openSlot, press, toGroup } from './clicks.mjs';
import { askedInVain, newDevice, setLeaves } from './clicks_devices.mjs';

const tally = new Tally();
after(() => {
  assert.deepEqual(tally.lost, []);
  assert.deepEqual(tally.letIn, []);
});
const scratch = (name) => path.join(process.env.ROLLCALL_SCRATCH, name);
const held = async (group, slot) => (await native('GET', `/groups/${group}`)).certificates[slot];

describe('both keys are lost', () => {
  story('of a group: both slots in one step, and sessions that rest on them end', async () => {
    const lost = await groupOf('both');
    const [lost2, next, next2] = [await root('both lost 2'), await root('both next'), await root('both next 2')];
    await rollcall('group', 'cert', 'set', 'both', 'secondary', lost2.certificate, '--vouch');
    const [device, device2] = [await leaf(lost, 'both-1'), await leaf(lost2, 'both-2')];
    await tally.expect(true, 'both-1', device, 'before');
    await tally.expect(true, 'both-2', device2, 'before');
    const hub = await hubClient('both-1', device);
    await hub.open();
    const page = await person('both-operator');
    await toGroup(page, 'both');
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Replace both certificates' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replace both certificates' });
    await chooseFile(dialog, 'Primary certificate', next.certificate);
    await chooseFile(dialog, 'Secondary certificate', next2.certificate);
    await dialog.getByRole('radio', { name: /^Breach/ }).check();
    await dialog.getByRole('switch', { name: 'Certificate status verified on upload' }).check();
    await dialog.getByText('2 devices last proved themselves with what would go.').first().waitFor();
    await see(dialog, 'link', 'both-1');
    const closed = once(hub, 'disconnect');
    await press(dialog, 'Save');
    await dialog.waitFor({ state: 'hidden' });
    await closed;
    await tally.expect(false, 'both-1', device, 'after');
    await tally.expect(false, 'both-2', device2, 'after');
    await tally.expect(true, 'both-1', await leaf(next, 'both-1'), 'after');
    await tally.expect(true, 'both-2', await leaf(next2, 'both-2'), 'after');
  });

  story('of one device: both files, one Save', async () => {
    const [a, b, c, d] = await Promise.all([1, 2, 3, 4].map(() => selfSigned('both-own')));
    const page = await person('own-operator', { expected: [askedInVain] });
    await newDevice(page, 'both-own', { primary: a, secondary: b });
    await tally.expect(true, 'both-own', a, 'before');
    await setLeaves(page, 'both-own', { primary: c, secondary: d }, /^Breach/);
    for (const gone of [a, b]) await tally.expect(false, 'both-own', gone, 'after');
    for (const came of [c, d]) await tally.expect(true, 'both-own', came, 'after');
  });
});

describe('the wrong file', () => {
  /** In the primary slot of a new group: chooses it, and reads why it is none. */
  async function refused(name, file, words) {
    const page = await person(name, { expected: [/^4\d\d \/api\/v1\/groups\/.*\/preview$/] });
    await newGroup(page, name);
    const panel = await openSlot(page, 'primary');
    await chooseFile(panel, 'Primary certificate', file);
    await panel.getByText(words).first().waitFor();
    assert.equal(await panel.getByRole('button', { name: 'Save', exact: true }).isDisabled(), true);
    assert.equal((await held(name, 'primary')).current, null);
    return panel;
  }

  story('a picture', async () => {
    const file = scratch('picture.png');
    await writeFile(file, Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), randomBytes(2000)]));
    await refused('picture', file, /no certificate/i);
  });

  story('a private key', async () => {
    const panel = await refused('key', (await root('key')).key, /private key/i);
    // Then the right one, and all is well.
    const ca = await root('key right');
    await addCertificate(panel, 'primary', ca, { vouch: true });
    await panel.getByText('Verified', { exact: true }).first().waitFor();
  });

  story('a leaf where a root belongs', async () => {
    const ca = await root('leaf root');
    await refused('leaf-as-root', (await leaf(ca, 'leaf-as-root')).certificate, /not a CA|CA:FALSE/i);
  });

  story('a root that has expired', async () => {
    const stem = scratch('pki/expired');
    await rollcall('pki', 'ca', '--cn', 'expired', '--not-before', '-2y', '--not-after',
      '-1d', '--out', stem);
    await refused('expired', `${stem}.pem`, /expired|ended/i);
  });
});

describe('somebody else', () => {
  story('changes the group meanwhile: one is told, looks, and goes on', async () => {
    await newGroupFor('shared');
    const [first, second] = [await root('shared first'), await root('shared second')];
    const ann = await person('quick');
    const bob = await person('slow', { expected: [/^412 \/api\/v1\/groups\/shared\/certificates\/secondary$/] });
    await toGroup(ann, 'shared');
    await toGroup(bob, 'shared');
    const [quick, slow] = [await openSlot(ann, 'primary'), await openSlot(bob, 'secondary')];
    await chooseFile(slow, 'Secondary certificate', second.certificate);
    await slow.getByRole('switch', { name: 'Certificate status verified on upload' }).check();
    await slow.getByRole('textbox', { name: 'Reason' }).fill('the next roll');
    await slow.getByRole('region', { name: 'What this does' }).waitFor();
    await addCertificate(quick, 'primary', first, { vouch: true });
    await quick.getByText('Verified', { exact: true }).first().waitFor();
    await slow.getByRole('button', { name: 'Save', exact: true }).click();
    await slow.getByText('Somebody else changed this meanwhile.', { exact: false }).first().waitFor();
    assert.equal((await held('shared', 'secondary')).current, null);
    assert.equal(await slow.getByRole('textbox', { name: 'Reason' }).inputValue(), 'the next roll');
    await press(slow, 'Save');
    await slow.getByText('Verified', { exact: true }).first().waitFor();
    const group = (await native('GET', '/groups/shared')).certificates;
    assert.equal(group.primary.current.certificate.commonName, 'shared first');
    assert.equal(group.secondary.current.certificate.commonName, 'shared second');
  });
});

async function newGroupFor(id) {
  await native('POST', '/groups', { id });
}

describe('in the middle of it', () => {
  story('the session ends: one signs in again, and nothing typed is lost', async () => {
    await newGroupFor('ended');
    const ca = await root('ended');
    const page = await person('sleeper', { expected: [/^401 \/api\/v1\//] });
    await toGroup(page, 'ended');
    const panel = await openSlot(page, 'primary');
    await chooseFile(panel, 'Primary certificate', ca.certificate);
    await panel.getByRole('textbox', { name: 'Reason' }).fill('typed before');
    await panel.getByRole('region', { name: 'What this does' }).waitFor();
    await native('DELETE', '/users/sleeper/sessions');
    await panel.getByRole('button', { name: 'Save', exact: true }).click();
    const dialog = (await see(page, 'alertdialog', 'Your session has ended')).first();
    await signIn(dialog, page.user);
    await dialog.waitFor({ state: 'hidden' });
    // It goes on by itself with what was pressed.
    await panel.getByRole('button', { name: 'Generate verification code' }).waitFor();
    const { items } = await native('GET', '/audit?order=newest&action=group.certificate&object=group/ended');
    assert.equal(items[0].reason, 'typed before');
  });

  story('the server restarts: it is waited for, and nothing typed is lost', async () => {
    await newGroupFor('restarted');
    const ca = await root('restarted');
    const page = await person('waiter');
    await toGroup(page, 'restarted');
    const panel = await openSlot(page, 'primary');
    await chooseFile(panel, 'Primary certificate', ca.certificate);
    await panel.getByRole('switch', { name: 'Certificate status verified on upload' }).check();
    await panel.getByRole('textbox', { name: 'Reason' }).fill('typed before');
    await panel.getByRole('region', { name: 'What this does' }).waitFor();
    await page.context().setOffline(true);
    await panel.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText(/^The server (does not answer|was not reached)/).first().waitFor();
    await crash();
    await page.context().setOffline(false);
    await page.getByText(/^The server does not answer\. Trying again/).waitFor({ state: 'hidden' });
    assert.equal(await panel.getByRole('textbox', { name: 'Reason' }).inputValue(), 'typed before');
    await press(panel, 'Save');
    await panel.getByText('Verified', { exact: true }).first().waitFor();
    await tally.expect(true, 'after-restart', await leaf(ca, 'after-restart'), 'after the restart');
  });

  story('the line is slow: what is asked for comes, and is asked for once', async () => {
    await newGroupFor('slow-line');
    const ca = await root('slow line');
    const page = await person('patient');
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions',
      { offline: false, latency: 800, downloadThroughput: 30_000, uploadThroughput: 15_000 });
    let saves = 0;
    page.on('request', (request) => { if (request.method() === 'PUT') saves += 1; });
    await toGroup(page, 'slow-line');
    const panel = await openSlot(page, 'primary');
    await chooseFile(panel, 'Primary certificate', ca.certificate);
    await panel.getByRole('switch', { name: 'Certificate status verified on upload' }).check();
    await panel.getByRole('region', { name: 'What this does' }).waitFor();
    const save = panel.getByRole('button', { name: 'Save', exact: true });
    await save.dblclick();
    await panel.getByText('Verified', { exact: true }).first().waitFor();
    assert.equal(saves, 1);
    await tally.expect(true, 'slow-1', await leaf(ca, 'slow-1'), 'after');
  });
});

describe('without a mouse', () => {
  /** Tabs on until that is where the keys go. */
  async function tabTo(page, target) {
    await target.first().waitFor();
    for (let steps = 0; steps < 120; steps += 1) {
      if (await target.first().evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`the Tab key does not lead to ${target}`);
  }
  async function enter(page, target, key = 'Enter') {
    await tabTo(page, target);
    await page.keyboard.press(key);
  }
  async function fileByKeys(page, target, file) {
    await tabTo(page, target);
    const chooser = page.waitForEvent('filechooser');
    await page.waitForTimeout(300);  // the browser is told to hand choosers over, and not asked again
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(file);
  }

  story('a whole roll of a group', async () => {
    const old = await groupOf('keys-only');
    const next = await root('keys-only next');
    const device = await leaf(old, 'keys-only-1');
    await tally.expect(true, 'keys-only-1', device, 'before');
    const page = await person('typist');
    await enter(page, page.getByRole('link', { name: 'Skip to the page' }));
    await enter(page, page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Device connection' }));
    await see(page, 'heading', 'Device connection');
    await tabTo(page, page.getByRole('searchbox', { name: 'Search groups' }));
    await page.keyboard.type('keys-only');
    await enter(page, page.getByRole('link', { name: 'keys-only', exact: true }));
    await see(page, 'heading', 'keys-only', { level: 1 });
    await enter(page, page.getByRole('button', { name: 'Manage secondary' }));
    const panel = page.getByRole('dialog', { name: 'Manage secondary' });
    await fileByKeys(page, panel.getByRole('button', { name: 'Choose a file for Secondary certificate' }), next.certificate);
    await panel.getByRole('region', { name: 'What this does' }).waitFor();
    await enter(page, panel.getByRole('button', { name: 'Save', exact: true }));
    await enter(page, panel.getByRole('button', { name: 'Generate verification code' }));
    const code = await panel.getByText(/^[0-9A-F]{48}$/).textContent();
    await fileByKeys(page, panel.getByRole('button', { name: 'Choose a file for Verification certificate' }),
      await proofOf(code, next));
    await enter(page, panel.getByRole('button', { name: 'Verify', exact: true }));
    await page.getByText('Verified. It attests devices from now on.').first().waitFor();
    // What was pressed is gone; the keys go to the panel, and not nowhere.
    await eventually(() => panel.evaluate((element) => element.contains(document.activeElement)));
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    await tally.expect(true, 'keys-only-1', await leaf(next, 'keys-only-1'), 'by the other slot');
    await enter(page, page.getByRole('button', { name: 'Manage primary' }));
    const primary = page.getByRole('dialog', { name: 'Manage primary' });
    await enter(page, primary.getByRole('button', { name: 'Remove certificate' }));
    const dialog = page.getByRole('dialog', { name: 'Remove the primary certificate?' });
    await dialog.getByText(/rests on this alone|last proved/).first().waitFor();
    const tick = dialog.getByRole('checkbox', { name: /would be cut off$/ });
    if (await tick.isVisible()) await enter(page, tick, 'Space');
    await enter(page, dialog.getByRole('button', { name: 'Remove', exact: true }));
    await dialog.waitFor({ state: 'hidden' });
    await tally.expect(false, 'keys-only-1', device, 'after');
  });
});
