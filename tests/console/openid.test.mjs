// SPDX-License-Identifier: Apache-2.0
// Signing in to the console at an OpenID provider, as people do: both sites in one real browser.
import { after, before, describe } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { end, file, hangUp, lab, listen, rollcall, start } from '../device/openid_lab.mjs';
import { atBrowser, picture, see, signIn, story, visit } from './browser.mjs';

const unknown = '401 /api/v1/session';
const administrator = { name: 'root', password: 'the password of an administrator' };

before(async () => {
  await start();
  writeFileSync(file('password'), `${administrator.password}\n`, { mode: 0o600 });
  await rollcall('user', 'create', administrator.name, '--role', 'administrator', '--password-file', file('password'));
  visit({ origin: lab.operators, alsoAt: [lab.issuer], ca: lab.trust });
});
after(end);

/** On the provider's own pages: says who one is, and agrees. */
async function beAtProvider(page, name) {
  await page.waitForURL((url) => url.origin === lab.issuer);
  await page.getByPlaceholder('Enter any login').fill(name);
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
const withOpenId = (page) => page.getByRole('link', { name: 'Sign in with OpenID Connect' });

describe('signing in with OpenID Connect', () => {
  story('lets in whom an administrator let in, and leads to where the way began', async () => {
    const office = await atBrowser({ expected: [unknown] });
    await office.goto('/ui/access');
    await signIn(office, administrator);
    await office.getByRole('button', { name: 'New user' }).click();
    const dialog = await see(office, 'dialog', 'Let somebody sign in');
    await dialog.getByRole('radio', { name: 'OpenID Connect' }).check();
    await dialog.getByRole('textbox', { name: 'Email at the provider' }).fill('ann@example.com');
    await dialog.getByRole('radio', { name: /^Operator/ }).check();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await see(office, 'row', /ann@example\.com/);

    const page = await atBrowser({ expected: [unknown] });
    await page.goto('/ui/audit');
    await picture(page, 'sign-in-openid');
    await withOpenId(page).click();
    await beAtProvider(page, 'ann');
    await page.waitForURL(`${lab.operators}/ui/audit`);
    await see(page, 'heading', 'Audit');
    await page.getByRole('button', { name: 'Signed in as ann@example.com' }).click();
    await page.getByRole('menuitem', { name: 'Your account' }).click();
    await page.getByText('You sign in at the OpenID provider, which keeps your password.').waitFor();
    await page.getByRole('button', { name: 'Signed in as ann@example.com' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await withOpenId(page).waitFor();
    const left = (await page.context().cookies()).filter(({ name }) => name.startsWith('__Host-rollcall'));
    assert.deepEqual(left, []);
  });

  story('says why to whom nobody let in, and leads back', async () => {
    const page = await atBrowser({ expected: [unknown, '403 /auth/oidc/callback'] });
    await page.goto('/');
    await withOpenId(page).click();
    await beAtProvider(page, 'stranger');
    await page.getByText('stranger@example.com').waitFor();
    await page.getByRole('link', { name: 'go to the console' }).click();
    await withOpenId(page).waitFor();
  });

  story('goes on where it was when the session has ended', async () => {
    const page = await atBrowser({ expected: [/^401 \/api\/v1\//] });
    await page.goto('/ui/device-connection/groups');
    await withOpenId(page).click();
    await beAtProvider(page, 'ann');
    await see(page, 'heading', 'Device connection');
    await rollcall('user', 'disable', 'ann@example.com', '--yes');
    await rollcall('user', 'enable', 'ann@example.com');
    const dialog = page.getByRole('alertdialog', { name: 'Your session has ended' });
    await Promise.race([dialog.waitFor(), page.getByRole('link', { name: 'Settings' }).click().catch(() => {})]);
    await dialog.waitFor();
    const at = page.url();
    await withOpenId(dialog).click();
    // The provider still knows who that is.
    await page.waitForURL(at);
    await see(page, 'button', 'Signed in as ann@example.com');
  });

  story('passwords are good while the provider is down', async () => {
    hangUp();
    const page = await atBrowser({ expected: [unknown] });
    await page.goto('/ui/audit');
    const nowhere = page.waitForEvent('requestfailed', (request) => request.url().startsWith(lab.issuer));
    await withOpenId(page).click();
    await nowhere;
    await page.goBack();
    await signIn(page, administrator);
    await see(page, 'heading', 'Audit');
    await listen();
  });
});
