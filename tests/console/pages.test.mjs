// SPDX-License-Identifier: Apache-2.0
// Every page as somebody looks at it: no serious violation of axe-core's rules in light or dark, none
// wider than a narrow screen, and a picture of each.
import { after, describe } from 'node:test';
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { atBrowser, makeUser, picture, signIn, story } from './browser.mjs';
import { askedInVain } from './clicks_devices.mjs';
import { makeScene } from './scene.mjs';

const groups = '/ui/device-connection/groups';
/** Each by name, address and what its heading, or its panel's, says. */
const pages = [
  ['dashboard', '/ui', 'Dashboard'],
  ['devices', '/ui/devices', 'Devices'],
  ['device', '/ui/devices/press-001', 'press-001'],
  ['device-history', '/ui/devices/press-001/history', 'press-001'],
  ['device-telemetry', '/ui/devices/sensor-live/telemetry', 'sensor-live'],
  ['device-twin', '/ui/devices/sensor-live/twin', 'sensor-live'],
  ['device-commands', '/ui/devices/sensor-live/commands', 'sensor-live'],
  ['device-connect', '/ui/devices/robot-7?connect=1', 'Connect'],
  ['device-unknown', '/ui/devices/thief-1', 'thief-1'],
  ['enrollments', '/ui/devices/enrollments', 'Devices'],
  ['refusals', '/ui/devices/refusals', 'Devices'],
  ['groups', groups, 'Device connection'],
  ['group', `${groups}/plant-a`, 'plant-a'],
  ['group-ends-soon', `${groups}/plant-b`, 'plant-b'],
  ['group-primary', `${groups}/pumps/primary`, 'Manage primary'],
  ['group-secondary', `${groups}/plant-b/secondary`, 'Manage secondary'],
  ['group-keys', `${groups}/gateways-by-key`, 'gateways-by-key'],
  ['certificates', '/ui/device-connection/certificates', 'Device connection'],
  ['distrust', '/ui/device-connection/distrust', 'Device connection'],
  ['users', '/ui/access/users', 'Access'],
  ['tokens', '/ui/access/tokens', 'Access'],
  ['policies', '/ui/access/policies', 'Access'],
  ['account', '/ui/access/account', 'Access'],
  ['audit', '/ui/audit', 'Audit'],
  ['settings', '/ui/settings', 'Settings'],
  ['nowhere', '/ui/no/such/page', 'There is nothing at this address'],
];

/** Serious and critical findings, as lines somebody can act on. */
async function violations(page, rules) {
  await page.evaluate(axe.source);
  // Where the kit keeps the focus in a dialog stand elements of its own that nobody reaches.
  const found = await page.evaluate((only) => window.axe.run({ exclude: [['[data-tabster-dummy]']] },
    { resultTypes: ['violations'], ...(only ? { runOnly: only } : {}) }), rules);
  return found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => (
      `${target.join(' ')} (${failureSummary.split('\n').slice(1).join(' ').trim()})`)).join('; ')}`);
}

/** Waits until the page stands: its heading is there and nothing loads. */
async function stands(page, heading) {
  await page.getByRole('heading', { name: heading }).first().waitFor();
  // Pages that watch something are never idle.
  await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => {});
  await page.getByRole('progressbar').first().waitFor({ state: 'hidden' });
  await page.waitForTimeout(300);  // what fades in has its colour then
}

const user = { made: null };
async function somebody(options) {
  user.made ??= await makeUser('ines');
  const page = await atBrowser({ expected: ['401 /api/v1/session', askedInVain], ...options });
  await page.goto('/ui');
  await signIn(page, user.made);
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  return page;
}

let scene;
after(() => scene?.close());

/** Looks at each page; all that is wrong comes in one list. */
async function lookAtAll(options, look) {
  scene ??= await makeScene();
  const page = await somebody(options);
  const wrong = [];
  for (const [name, address, heading] of pages) {
    try {
      await page.goto(address);
      await stands(page, heading);
      wrong.push(...(await look(page, name)).map((each) => `${name}: ${each}`));
    } catch (error) {
      wrong.push(`${name}: ${error.message}`);
    }
  }
  assert.deepEqual(wrong, []);
}

describe('an empty server', () => {
  for (const theme of ['light', 'dark']) {
    story(`asks who comes, and shows the first steps, ${theme}`, async () => {
      const page = await atBrowser({ theme, expected: ['401 /api/v1/session'] });
      await page.goto('/ui');
      await stands(page, 'Sign in');
      await picture(page, `${theme}-sign-in`);
      assert.deepEqual(await violations(page), []);
      user.made ??= await makeUser('ines');
      await signIn(page, user.made);
      await page.getByRole('heading', { name: 'Three steps to the first device' }).waitFor();
      await stands(page, 'Dashboard');
      await picture(page, `${theme}-first-steps`);
      assert.deepEqual(await violations(page), []);
    });
  }
});

describe('every page', () => {
  const minutes = { timeout: 420_000 };

  story('is accessible in light', async () => {
    await lookAtAll({ theme: 'light' }, async (page, name) => {
      await picture(page, `light-${name}`);
      if (name === 'dashboard') {
        await page.getByRole('region', { name: 'gateways-by-key' }).getByText('Primary key').waitFor();
      }
      return violations(page);
    });
  }, minutes);

  story('has its contrast in dark', () => lookAtAll({ theme: 'dark' }, async (page, name) => {
    await picture(page, `dark-${name}`);
    return violations(page, ['color-contrast', 'link-in-text-block']);
  }), minutes);

  story('fits a narrow screen', () => lookAtAll({ width: 390, height: 844 }, async (page, name) => {
    await picture(page, `narrow-${name}`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    return over > 0 ? [`is ${over} pixels too wide`] : [];
  }), minutes);
});
