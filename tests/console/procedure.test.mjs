// SPDX-License-Identifier: Apache-2.0
// The procedure control by control, as the cloud's documentation has it: the rows of the table of
// controls under their labels, word for word, each doing what it is for.
import { after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { leaf, proofOf, root, selfSigned, Tally } from '../device/lab.mjs';
import { native, person, see, story } from './browser.mjs';
import { chooseFile, press } from './clicks.mjs';
import { askedInVain } from './clicks_devices.mjs';

const tally = new Tally();
after(() => {
  assert.deepEqual(tally.lost, []);
  assert.deepEqual(tally.letIn, []);
});
const pemOf = (ca) => readFile(ca.certificate, 'utf8');
const slotOf = async (group, slot) => (await native('GET', `/groups/${group}`)).certificates[slot];

describe('for enrollment groups', () => {
  story('A1 to A7', async () => {
    const [first, second] = [await root('A first'), await root('A second')];
    const device = await leaf(first, 'a-device');
    await native('POST', '/groups', { id: 'procedure' });
    const page = await person('follows-a');

    // A1: left pane Administration, Device connection.
    const pane = page.getByRole('navigation', { name: 'Main' });
    await pane.getByText('Administration', { exact: true }).waitFor();
    await pane.getByRole('list', { name: 'Administration' })
      .getByRole('link', { name: 'Device connection', exact: true }).click();

    // A2: Enrollment Groups, with name, attestation type and status; the group's name.
    await page.getByRole('link', { name: 'Enrollment Groups', exact: true }).click();
    for (const column of ['Name', 'Attestation type', 'Status']) {
      await see(page, 'columnheader', column, { exact: true });
    }
    await page.getByRole('link', { name: 'procedure', exact: true }).click();
    await see(page, 'heading', 'procedure', { level: 1 });

    // A3: Manage primary.
    await page.getByRole('button', { name: 'Manage primary', exact: true }).click();
    const panel = page.getByRole('dialog', { name: 'Manage primary' });

    // A4: Add certificate; verified on upload is a choice, and off.
    await panel.getByRole('heading', { name: 'Add certificate' }).waitFor();
    await chooseFile(panel, 'Primary certificate', first.certificate);
    const verified = panel.getByRole('switch', { name: 'Certificate status verified on upload' });
    assert.equal(await verified.isChecked(), false);
    await press(panel, 'Save');
    await panel.getByRole('button', { name: 'Generate verification code' }).waitFor();
    const held = (await slotOf('procedure', 'primary')).current;
    assert.equal(held.verified, false);
    await panel.getByRole('heading', { name: 'A first' }).waitFor();
    await panel.getByText(held.certificate.sha1Thumbprint).first().waitFor();
    await panel.getByText('Not verified', { exact: true }).first().waitFor();
    await tally.expect(false, 'a-device', device, 'before the CA is verified');

    // A5: Generate verification code, a certificate over it, Verify, and the status is Verified.
    await panel.getByRole('button', { name: 'Generate verification code', exact: true }).click();
    const code = await panel.getByText(/^[0-9A-F]{48}$/).textContent();
    await chooseFile(panel, 'Verification certificate', await proofOf(code, first));
    await press(panel, 'Verify');
    await panel.getByText('Verified', { exact: true }).first().waitFor();
    await tally.expect(true, 'a-device', device, 'after it');
    await panel.getByRole('button', { name: 'Close', exact: true }).click();

    // A6: the other slot, for a breach of both or the next roll: Manage secondary.
    await page.getByRole('button', { name: 'Manage secondary', exact: true }).click();
    const other = page.getByRole('dialog', { name: 'Manage secondary' });
    await chooseFile(other, 'Secondary certificate', second.certificate);
    await press(other, 'Save');
    await other.getByRole('button', { name: 'Generate verification code', exact: true }).click();
    const next = await other.getByText(/^[0-9A-F]{48}$/).textContent();
    await chooseFile(other, 'Verification certificate', await proofOf(next, second));
    await press(other, 'Verify');
    await other.getByText('Verified', { exact: true }).first().waitFor();
    await other.getByRole('button', { name: 'Close', exact: true }).click();

    // A7: both slots attest; when the first has ended one comes back and takes it out.
    await tally.expect(true, 'a-device', await leaf(second, 'a-device'), 'by the other slot');
    await page.getByRole('button', { name: 'Manage primary', exact: true }).click();
    await panel.getByRole('button', { name: 'Remove certificate' }).click();
    await press(page.getByRole('dialog', { name: 'Remove the primary certificate?' }), 'Remove');
    await panel.getByRole('button', { name: 'Choose a file for Primary certificate' }).first().waitFor();
    assert.equal((await slotOf('procedure', 'primary')).current, null);
    await tally.expect(false, 'a-device', device, 'after the first is removed');
  });
});

describe('for individual enrollments', () => {
  story('B1 to B5', async () => {
    const [first, second, third] = [await selfSigned('b-device'), await selfSigned('b-device'),
      await selfSigned('b-device')];
    await native('POST', '/groups', { id: 'of-b' });
    const ca = await root('B group');
    await native('PUT', '/groups/of-b/certificates/primary',
      { certificate: await pemOf(ca), vouch: true });
    await tally.expect(true, 'b-device', await leaf(ca, 'b-device'), 'by its group');
    const page = await person('follows-b', { expected: [askedInVain] });

    // B1: left pane Devices, the device, Connect.
    await page.getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'Devices', exact: true }).click();
    await page.getByRole('link', { name: 'b-device', exact: true }).click();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    const panel = page.getByRole('dialog', { name: 'Connect' });

    // B2: Individual enrollment. B3: Certificates (X.509).
    const type = panel.getByRole('radiogroup', { name: 'Authentication type' });
    await type.getByRole('radio', { name: 'Individual enrollment' }).check();
    await panel.getByRole('combobox', { name: 'Authentication method' })
      .selectOption({ label: 'Certificates (X.509)' });

    // B4: the folder icon at primary, a file, Save; no verification.
    await chooseFile(panel, 'Primary certificate', first.certificate);
    await press(panel, 'Save');
    await panel.getByRole('button', { name: 'Save', exact: true, disabled: true }).waitFor();
    await tally.expect(true, 'b-device', first, 'with what is primary');

    // B5, expiry: to secondary now, and both prove it.
    await chooseFile(panel, 'Secondary certificate', second.certificate);
    await press(panel, 'Save');
    await panel.getByRole('button', { name: 'Save', exact: true, disabled: true }).waitFor();
    await tally.expect(true, 'b-device', second, 'with what is secondary');
    await tally.expect(true, 'b-device', first, 'with what is primary still');

    // Later primary, alternating.
    await chooseFile(panel, 'Primary certificate', third.certificate);
    await press(panel, 'Save');
    await panel.getByRole('button', { name: 'Save', exact: true, disabled: true }).waitFor();
    await tally.expect(true, 'b-device', third, 'with the next primary');
    await tally.expect(false, 'b-device', first, 'with what was primary');
    await tally.expect(true, 'b-device', second, 'with what is secondary');
  });
});
