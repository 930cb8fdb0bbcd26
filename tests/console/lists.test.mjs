// SPDX-License-Identifier: Apache-2.0
// A list of 10,000 devices: no more is in the page than is in sight, every page of it is asked for
// once, and searching, choosing and changing reach what was never shown.
import { before, describe } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { rollcall } from '../device/lab.mjs';
import { native, person, see, story } from './browser.mjs';

const fleet = 10_000;
const name = (n) => `bulk-${String(n).padStart(5, '0')}`;
/** More than this stands in no window. */
const rowsMax = 80;

before(async () => {
  const file = path.join(process.env.ROLLCALL_SCRATCH, 'devices.json');
  writeFileSync(file, JSON.stringify(Array.from({ length: fleet }, (_, n) => ({ displayName: name(n), enabled: true,
    etag: 'x', id: name(n), organizations: null, provisioned: true, simulated: false, template: null }))));
  await rollcall('import', file, '--yes');
}, { timeout: 120_000 });

const list = (page) => page.getByRole('region', { name: 'Devices' });
const row = (page, n) => list(page).getByRole('row').filter({ has: page.getByRole('link', { name: name(n), exact: true }) });

describe('10,000 devices', () => {
  story('are scrolled through from the first to the last and back', async () => {
    const page = await person('reader', { at: '/ui/devices' });
    const asked = [];
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === '/api/v1/devices' && searchParams.has('after')) asked.push(searchParams.get('after'));
    });
    await row(page, 0).waitFor();
    await page.getByText('200 of 10,000').waitFor();
    const table = list(page).getByRole('table', { name: 'Devices' });
    assert.equal(await table.getAttribute('aria-rowcount'), String(fleet + 1));
    await list(page).focus();
    let most = 0;
    for (let ends = 0; await row(page, fleet - 1).count() === 0; ends += 1) {
      assert.ok(ends < 200, 'the end is never reached');
      const loaded = await page.getByText(/^[\d,]+ (of|loaded|rows)/).textContent();
      await page.keyboard.press('End');
      most = Math.max(most, await table.getByRole('row').count());
      await page.waitForFunction(([before, last]) => document.body.textContent.includes(last)
        || !document.body.textContent.includes(before), [loaded, name(fleet - 1)]);
    }
    assert.ok(most <= rowsMax, `${most} rows stand in the page`);
    assert.equal(asked.length, fleet / 200 - 1);
    assert.equal(new Set(asked).size, asked.length, 'a page of the list was asked for twice');
    assert.equal(await row(page, fleet - 1).getAttribute('aria-rowindex'), String(fleet + 1));
    await page.keyboard.press('Home');
    await row(page, 0).waitFor();
    assert.ok(await table.getByRole('row').count() <= rowsMax);
  });

  story('are searched by the server', async () => {
    const page = await person('seeker', { at: '/ui/devices' });
    await row(page, 0).waitFor();
    await page.getByRole('searchbox', { name: /^Search/ }).fill('bulk-0777');
    await row(page, 7777).waitFor();
    await row(page, 0).waitFor({ state: 'detached' });
    assert.equal(await list(page).getByRole('table').getByRole('row').count(), 11);
    // The address leads others to the same.
    await page.waitForURL(/search=bulk-0777/);
    await page.reload();
    await row(page, 7770).waitFor();
    await row(page, 0).waitFor({ state: 'detached' });
  });

  story('are chosen by what they match, and changed, though most were never shown', async () => {
    const page = await person('keeper', { at: '/ui/devices?search=bulk-03' });
    await row(page, 3000).waitFor();
    await list(page).getByRole('checkbox', { name: 'Select all that are loaded' }).check();
    await page.getByText('200 selected').waitFor();
    await page.getByRole('button', { name: 'Select all that match' }).click();
    await page.getByText('1,000 selected').waitFor();
    await page.getByRole('toolbar').getByRole('button', { name: 'Block', exact: true }).click();
    const dialog = await see(page, 'dialog', 'Block 1,000 devices?');
    await dialog.getByRole('button', { name: 'Block', exact: true }).click();
    await dialog.getByText('1,000 devices done').waitFor({ timeout: 60_000 });
    await dialog.getByRole('button', { name: 'Close' }).click();
    const { items, next } = await native('GET', '/devices?state=blocked&limit=1000');
    assert.deepEqual([items.length, next], [1000, null]);
    assert.equal((await native('GET', '/devices/bulk-03999')).state, 'blocked');
    assert.notEqual((await native('GET', '/devices/bulk-04000')).state, 'blocked');
  });
});
