// SPDX-License-Identifier: Apache-2.0
// The procedure for one device, as clicks: Devices, the device, Connect, Individual enrollment,
// Certificates (X.509), the folder icons, Save.
import { see } from './browser.mjs';
import { chooseFile, press } from './clicks.mjs';

const title = { primary: 'Primary', secondary: 'Secondary' };
/** What a page asks of a device that has never registered, or has no enrollment of its own. */
export const askedInVain = /^404 \/api\/v1\/(devices|enrollments|registrations)\/[^/]+(\/explanation)?$/;

async function toDevices(page) {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Devices' }).click();
  await see(page, 'heading', 'Devices', { level: 1 });
}

export async function toDevice(page, id) {
  await toDevices(page);
  await page.getByRole('searchbox', { name: 'Search by device or registration id' }).fill(id);
  await page.getByRole('link', { name: id, exact: true }).click();
  await see(page, 'heading', id, { level: 1 });
}

/** On a device's page. */
export async function openConnect(page) {
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  return page.getByRole('dialog', { name: 'Connect' });
}
export async function closeConnect(panel) {
  await panel.getByRole('button', { name: 'Close', exact: true }).click();
  await panel.waitFor({ state: 'hidden' });
}

/** In the panel, under Certificates (X.509): files at the folder icons, and Save. */
export async function saveLeaves(panel, held, how) {
  await panel.getByRole('radio', { name: 'Individual enrollment' }).check();
  const method = panel.getByRole('combobox', { name: 'Authentication method' });
  if (await method.isEnabled()) await method.selectOption({ label: 'Certificates (X.509)' });
  for (const [slot, leaf] of Object.entries(held)) {
    await chooseFile(panel, `${title[slot]} certificate`, leaf.certificate);
  }
  if (how) await panel.getByRole('radio', { name: how }).check();
  await press(panel, 'Save');
  await panel.getByRole('button', { name: 'Save', exact: true, disabled: true }).waitFor();
}

/** A device that is to come with a certificate of its own. */
export async function newDevice(page, id, held) {
  await toDevices(page);
  await page.getByRole('button', { name: 'New device' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New device' });
  await dialog.getByRole('textbox', { name: 'Registration id' }).fill(id);
  await dialog.getByRole('button', { name: 'Next' }).click();
  const panel = page.getByRole('dialog', { name: 'Connect' });
  await saveLeaves(panel, held);
  await closeConnect(panel);
}

export async function setLeaves(page, id, held, how) {
  await toDevice(page, id);
  const panel = await openConnect(page);
  await saveLeaves(panel, held, how);
  await closeConnect(panel);
}

export async function removeLeaf(page, id, slot, how) {
  await toDevice(page, id);
  const panel = await openConnect(page);
  await panel.getByRole('button', { name: `Remove: ${title[slot]}`, exact: true })
    // The pages before this name had it for both; of two the first is primary.
    .or(panel.getByRole('button', { name: 'Remove', exact: true }).nth(slot === 'primary' ? 0 : 1))
    .click();
  const dialog = page.getByRole('dialog', { name: `Remove the ${slot} certificate?` });
  if (how) await dialog.getByRole('radio', { name: how }).check();
  await press(dialog, 'Remove');
  await dialog.waitFor({ state: 'hidden' });
  await closeConnect(panel);
}
