// SPDX-License-Identifier: Apache-2.0
// The procedure as clicks: what the tests share of how an operator goes about it. Words are those of
// the pages.
import { proofOf } from '../device/lab.mjs';
import { see } from './browser.mjs';

const title = { primary: 'Primary', secondary: 'Secondary' };
export const manage = { primary: 'Manage primary', secondary: 'Manage secondary' };

/** By a button that opens the system's dialog for files. */
export async function chooseFile(within, what, file) {
  const page = within.page?.() ?? within;
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'),
    within.getByRole('button', { name: `Choose a file for ${what}` }).first().click()]);
  await chooser.setFiles(file);
}

/** "I know that 3 devices would be cut off", where it is asked. */
async function understand(within, action) {
  const tick = within.getByRole('checkbox', { name: /would be cut off$/ });
  const button = within.getByRole('button', { name: action, exact: true });
  for (;;) {
    if (await button.isEnabled()) return;
    if (await tick.isVisible() && !await tick.isChecked()) await tick.check();
    await within.page().waitForTimeout(50);
  }
}
/** Presses that button, with the tick that it may want first. */
export async function press(within, action) {
  await understand(within, action);
  await within.getByRole('button', { name: action, exact: true }).click();
}

export async function toGroups(page) {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Device connection' }).click();
  await page.getByRole('link', { name: 'Enrollment Groups' }).first().click();
}

export async function toGroup(page, id) {
  await toGroups(page);
  await page.getByRole('searchbox', { name: 'Search groups' }).fill(id);
  await page.getByRole('link', { name: id, exact: true }).click();
  await see(page, 'heading', id, { level: 1 });
}

export async function newGroup(page, id) {
  await toGroups(page);
  await page.getByRole('button', { name: 'New group' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New enrollment group' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill(id);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await see(page, 'heading', id, { level: 1 });
}

/** On a group's page: opens the panel of a slot. */
export async function openSlot(page, slot) {
  await page.getByRole('button', { name: manage[slot] }).click();
  return page.getByRole('dialog', { name: manage[slot] });
}
export async function closeSlot(panel) {
  await panel.getByRole('button', { name: 'Close', exact: true }).click();
  await panel.waitFor({ state: 'hidden' });
}

/** In a slot's panel: the CA's file, and Save. `how`: the choice where the slot is taken. */
export async function addCertificate(panel, slot, ca, { how, vouch } = {}) {
  const add = panel.getByRole('button', { name: 'Add certificate', exact: true });
  const choose = panel.getByRole('button', { name: `Choose a file for ${title[slot]} certificate` }).first();
  await add.or(choose).first().waitFor();
  if (!await choose.isVisible()) await add.click();
  await chooseFile(panel, `${title[slot]} certificate`, ca.certificate);
  if (vouch) await panel.getByRole('switch', { name: 'Certificate status verified on upload' }).check();
  if (how) await panel.getByRole('radio', { name: how }).check();
  await press(panel, 'Save');
}

/** In a slot's panel: code, verification certificate, Verify. */
export async function verify(panel, ca) {
  await panel.getByRole('button', { name: 'Generate verification code' }).click();
  const code = await panel.getByText(/^[0-9A-F]{48}$/).textContent();
  await chooseFile(panel, 'Verification certificate', await proofOf(code, ca));
  await press(panel, 'Verify');
  await panel.page().getByText('Verified. It attests devices from now on.').first().waitFor();
}

export async function removeCertificate(panel, slot, how) {
  await panel.getByRole('button', { name: 'Remove certificate' }).click();
  const dialog = panel.page().getByRole('dialog', { name: `Remove the ${slot} certificate?` });
  if (how) await dialog.getByRole('radio', { name: how }).check();
  await press(dialog, 'Remove');
  await dialog.waitFor({ state: 'hidden' });
}
