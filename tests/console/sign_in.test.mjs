// SPDX-License-Identifier: Apache-2.0
// Getting into the console and out of it: local users, roles, sessions that end, deep links.
import { describe } from 'node:test';
import assert from 'node:assert/strict';
import { atBrowser, forgive, makeUser, native, origin, person, see, signIn, story } from './browser.mjs';

const unknown = '401 /api/v1/session';

describe('signing in', () => {
  story('says what to do while there are no users', async () => {
    const page = await atBrowser({ expected: [unknown] });
    await page.goto('/');
    await see(page, 'heading', 'Sign in');
    await page.getByText('rollcall user create', { exact: false }).first().waitFor();
  });

  story('lets in who knows the password, and out again', async () => {
    const page = await person('ann');
    assert.equal(new URL(page.url()).pathname, '/ui');
    const cookie = (await page.context().cookies()).find(({ name }) => name === '__Host-rollcall');
    assert.equal(cookie.httpOnly && cookie.secure && cookie.sameSite === 'Strict', true);
    await page.getByRole('button', { name: 'Signed in as ann' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await see(page, 'button', 'Sign in', { exact: true });
    await page.reload();
    await see(page, 'button', 'Sign in', { exact: true });
  });

  story('keeps out who does not', async () => {
    const user = await makeUser('bob');
    const page = await atBrowser({ expected: [unknown] });
    await page.goto('/');
    await signIn(page, { ...user, password: 'a wrong one, and long' });
    await page.getByText('The name or the password is wrong.').waitFor();
    await signIn(page, user);
    await see(page, 'navigation', 'Main');
  });

  story('leads to where a deep link points', async () => {
    const page = await person('carl', { at: '/ui/devices' });
    assert.equal(page.url(), `${origin}/ui/devices`);
    await see(page, 'heading', 'Devices');
  });

  story('goes on where it was when the session has ended', async () => {
    const page = await person('dora', { at: '/ui/devices',
      expected: [/^401 \/api\/v1\//] });
    await native('DELETE', '/users/dora/sessions');
    const dialog = page.getByRole('alertdialog', { name: 'Your session has ended' });
    // Whatever the page asks next tells it; it may ask by itself before the link is clicked.
    await Promise.race([dialog.waitFor(),
      page.getByRole('link', { name: 'Device connection' }).click().catch(() => {})]);
    await dialog.waitFor();
    await signIn(dialog, page.user);
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('link', { name: 'Device connection' }).click();
    await see(page, 'heading', 'Device connection');
  });

  story('runs nothing but its own files', async () => {
    const page = await atBrowser({ expected: [unknown] });
    const answer = await page.goto('/ui/');
    const policy = answer.headers()['content-security-policy'];
    assert.match(policy, /^default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    const blocked = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.head.append(script);
      return { ran: window.ran === true,
        elsewhere: await fetch('https://dps.example/').then(() => 'fetched', () => 'blocked') };
    });
    assert.deepEqual(blocked, { ran: false, elsewhere: 'blocked' });
    forgive(/Content Security Policy/);
  });
});
