// SPDX-License-Identifier: Apache-2.0
// People at a browser, for the console's tests: Debian's Chromium against the real server. Things on
// a page are found by what they are and what they are called, as people and screen readers find
// them: by role and name, never by class or place.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, it } from 'node:test';
import { connect } from 'node:tls';
import { chromium } from 'playwright-core';
import { rollcall } from '../device/lab.mjs';

export const origin = 'https://svc.example';
const { ROLLCALL_SCRATCH: scratch = tmpdir(), ROLLCALL_SCREENSHOTS: pictures } = process.env;
/** How long a person waits for something to appear. */
const patience = 15_000;

/** Which key a server has, from a handshake that Node found good: the browser takes those alone. */
function serverKey(address, ca) {
  const { hostname: host, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port || 443), servername: host, ca }, () => {
      const { publicKey } = new X509Certificate(socket.getPeerX509Certificate().raw);
      socket.end();
      resolve(createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
        .digest('base64'));
    }).on('error', reject);
  });
}

/** Where people go, and what they may be led to on the way. */
let visited = { origin, alsoAt: [], ca: undefined };
/** For tests with a server elsewhere; before the first browser. */
export function visit(elsewhere) {
  visited = { ...visited, ...elsewhere };
}

let launched;
async function launch() {
  launched ??= (async () => chromium.launch({
    executablePath: process.env.ROLLCALL_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--disable-gpu', '--disable-dev-shm-usage',
      `--ignore-certificate-errors-spki-list=${(await Promise.all([visited.origin, ...visited.alsoAt]
        .map((each) => serverKey(each, visited.ca)))).join()}`,
      `--host-resolver-rules=MAP svc.example ${process.env.ROLLCALL_ADDRESS ?? '127.0.0.1'}`,
      ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
  }))();
  return launched;
}
/** Makes a local user. */
export async function makeUser(name, role = 'administrator') {
  const file = path.join(scratch, `${name}.password`);
  const password = `${name} has a long password`;
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  await rollcall('user', 'create', name, '--role', role, '--password-file', file);
  return { name, password };
}

/** What the native API answers there, on the server's own socket. */
export function native(method, address, body) {
  return new Promise((resolve, reject) => {
    const socketPath = path.join(process.env.ROLLCALL_DATA, 'operator.sock');
    request({ socketPath, method, path: `/api/v1${address}`, headers: { host: 'localhost',
      ...(body ? { 'content-type': 'application/json' } : {}) } }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => (answer.statusCode < 300 ? resolve(JSON.parse(text))
        : reject(new Error(`${method} ${address}: ${answer.statusCode} ${text}`))));
    }).on('error', reject).end(body && JSON.stringify(body));
  });
}

/** What a story's people have open, and what went wrong on their pages. */
const ofStory = new AsyncLocalStorage();
const ofFile = { open: [], wrong: [] };
const record = () => ofStory.getStore() ?? ofFile;

/** Pages under work, from where `npm run build` put them, instead of those in the program. */
const dist = process.env.ROLLCALL_CONSOLE_DIST;
function fromDist(route) {
  const { pathname } = new URL(route.request().url());
  return route.fulfill({ path: path.join(dist, pathname.startsWith('/assets/') ? pathname : 'index.html') });
}

/**
 * Somebody at a browser of their own. `expected`: failing answers that belong to the story, as
 * "status path"; every other failing answer, message on the browser's console or refusal of the
 * content security policy fails the test.
 */
export async function atBrowser({ theme = 'light', width = 1280, height = 900, expected = [],
  ...more } = {}) {
  const context = await (await launch()).newContext({ baseURL: visited.origin, colorScheme: theme,
    viewport: { width, height }, locale: 'en-GB', timezoneId: 'Europe/Berlin', ...more });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: visited.origin });
  context.setDefaultTimeout(patience);
  const hosts = [visited.origin, ...visited.alsoAt].map((each) => new URL(each).host);
  if (dist) await context.route(({ host, pathname }) => host === hosts[0]
    && !/^\/(api|auth)\//.test(pathname), fromDist);
  const page = await context.newPage();
  const { open, wrong } = record();
  const allowed = (status, url) => expected.some((each) => (each instanceof RegExp
    ? each.test(`${status} ${url}`) : `${status} ${url}` === each));
  page.on('response', (answer) => {
    const { pathname, host } = new URL(answer.url());
    if (!hosts.includes(host)) wrong.push(`a request to ${host}`);
    if (answer.status() >= 400 && !allowed(answer.status(), pathname)) {
      wrong.push(`${answer.status()} ${answer.request().method()} ${pathname}`);
    }
  });
  page.on('pageerror', (error) => wrong.push(`an error on the page: ${error.stack ?? error}`));
  page.on('console', (message) => {
    // Answers of 4xx and a server that is away are told there too; they are judged above.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) {
      wrong.push(`on the browser's console: ${message.text()}`);
    }
  });
  open.push(page);
  return page;
}

/** At the page that asks who you are: types name and password. */
export async function signIn(page, { name, password }) {
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** A new user of that role, signed in and on the page at that address. */
export async function person(name, { role = 'administrator', at = '/', expected = [], ...more } = {}) {
  const user = await makeUser(name, role);
  const page = await atBrowser({ expected: ['401 /api/v1/session', ...expected], ...more });
  await page.goto(at);
  await signIn(page, user);
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  return Object.assign(page, { user });
}

/** For who has to find out: what the pages show, and what went wrong on them. */
async function tellPages({ open, wrong }, name) {
  if (wrong.length > 0) console.log(`what went wrong on the pages:\n${wrong.join('\n')}`);
  for (const [number, page] of open.entries()) {
    const stem = path.join(scratch, `${name.replace(/\W+/g, '-')}-${number}`);
    await page.screenshot({ path: `${stem}.png` }).catch(() => {});
    const words = await page.locator('body').ariaSnapshot().catch(() => '(no page)');
    console.log(`${page.url()}, ${stem}.png:\n${words}`);
  }
}
const closeAll = ({ open }) => Promise.all(open.map((page) => page.context().close().catch(() => {})));

/** A test whose pages are told of when it fails, and must not have met anything wrong. */
export function story(name, tell, options = {}) {
  it(name, { timeout: 240_000, ...options }, (context) => {
    const mine = { open: [], wrong: [] };
    return ofStory.run(mine, async () => {
      try {
        await tell(context);
        assert.deepEqual(mine.wrong, []);
      } catch (error) {
        await tellPages(mine, name);
        throw error;
      } finally {
        await closeAll(mine);
      }
    });
  });
}
/** For browsers that several tests of a file share: called after all of them. */
export function nothingWrong() {
  assert.deepEqual(ofFile.wrong, []);
}
/** Tells of the page where what is done on it fails. */
export async function telling(page, name, work) {
  try {
    return await work();
  } catch (error) {
    await tellPages({ open: [page], wrong: ofFile.wrong }, name);
    throw error;
  }
}
after(async () => {
  await closeAll(ofFile);
  await (await launched)?.close();
});

/** A picture of the page, where somebody wants pictures. */
export async function picture(page, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, `${name}.png`), animations: 'disabled' });
}

/** The one with that role and name; waits until it is there. */
export async function see(page, role, name, options = {}) {
  const found = page.getByRole(role, { name, ...options });
  await found.first().waitFor();
  return found;
}

/** What went wrong so far belongs to the story after all, where it fits. */
export function forgive(pattern) {
  const { wrong } = record();
  wrong.splice(0, wrong.length, ...wrong.filter((each) => !pattern.test(each)));
}
