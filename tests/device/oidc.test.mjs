// SPDX-License-Identifier: Apache-2.0
// Signing in by OpenID Connect at a provider by another hand (oidc-provider), over TLS, with a
// scripted browser: the whole way, and what goes wrong on it.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Provider } from 'oidc-provider';

const run = promisify(execFile);
const program = process.env.ROLLCALL_PROGRAM;
const scratch = mkdtempSync(path.join(tmpdir(), 'rollcall-oidc-'));
const file = (name) => path.join(scratch, name);
const data = file('data');
const secret = 'a client secret with +/= in it';

let issuer;
let provider; // what answers at the issuer now
let listener;
let server;
let operators; // https://localhost:PORT
let tamper = null; // changes what the token endpoint answers
let trust;

const rollcall = async (...words) => (await run(program, ['--data', data, ...words])).stdout.trim();

function newKey(kind) {
  const { privateKey } = kind === 'RSA' ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: `key-${Math.random()}`,
    alg: kind === 'RSA' ? 'RS256' : 'ES256' };
}

/** Everybody who types a name is that; the address is NAME@example.com. */
function makeProvider(kind) {
  const made = new Provider(issuer, {
    clients: [{
      client_id: 'rollcall', client_secret: secret, redirect_uris: [`${operators}/auth/oidc/callback`],
      response_types: ['code'], grant_types: ['authorization_code'],
      id_token_signed_response_alg: kind === 'RSA' ? 'RS256' : 'ES256',
    }],
    jwks: { keys: [newKey(kind)] },
    pkce: { required: () => true, methods: ['S256'] },
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: async (context, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: id !== 'liar',
        groups: id.startsWith('staff') ? ['rollcall-staff'] : [] }),
    }),
    cookies: { keys: ['only for this test'] },
  });
  made.use(async (context, next) => {
    await next();
    if (tamper && context.path === '/token' && context.body?.id_token) tamper(context.body);
  });
  return made;
}

/** Follows redirects only when told; keeps cookies by host, as far as this test needs it. */
class Browser {
  jar = new Map();

  go(method, address, form) {
    const url = new URL(address);
    const cookies = this.jar.get(url.host) ?? new Map();
    this.jar.set(url.host, cookies);
    const body = form && new URLSearchParams(form).toString();
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) };
    return new Promise((resolve, reject) => {
      request(url, { method, headers, ca: trust }, (answer) => {
        let text = '';
        answer.on('data', (part) => { text += part; });
        answer.on('end', () => {
          for (const line of answer.headers['set-cookie'] ?? []) {
            const [pair, ...rest] = line.split('; ');
            const name = pair.slice(0, pair.indexOf('='));
            const gone = /max-age=0|expires=thu, 01 jan 1970/i.test(rest.join());
            if (gone) cookies.delete(name); else cookies.set(name, pair.slice(name.length + 1));
          }
          const location = answer.headers.location && new URL(answer.headers.location, url).href;
          resolve({ status: answer.statusCode, headers: answer.headers, text, location });
        });
      }).on('error', reject).end(body);
    });
  }

  /** To the provider and through its pages, up to the address that leads back to us. */
  async wayBack(name, from = `${operators}/auth/oidc/start?return=/ui/groups`) {
    let answer = await this.go('GET', from);
    for (let steps = 0; steps < 20; steps += 1) {
      if (answer.location?.startsWith(`${operators}/auth/oidc/callback`)) return answer.location;
      if (answer.location) {
        answer = await this.go('GET', answer.location);
      } else {
        const [, action] = /action="([^"]+)"/.exec(answer.text) ?? assert.fail(answer.text);
        const [, prompt] = /name="prompt" value="([^"]+)"/.exec(answer.text);
        answer = await this.go('POST', new URL(action, issuer).href,
          prompt === 'login' ? { prompt, login: name, password: 'any' } : { prompt });
      }
    }
    return assert.fail('no way back');
  }

  async signIn(name) {
    return this.go('GET', await this.wayBack(name));
  }

  async session() {
    const answer = await this.go('GET', `${operators}/api/v1/session`);
    return { status: answer.status, ...JSON.parse(answer.text) };
  }
}

async function listen() {
  listener = createServer({ cert: readFileSync(file('provider.pem')),
    key: readFileSync(file('provider.key')) }, (...both) => provider.callback()(...both));
  listener.listen(new URL(issuer ?? 'https://localhost:0').port || 0, '127.0.0.1');
  await once(listener, 'listening');
  issuer ??= `https://localhost:${listener.address().port}`;
}

/** Starts it and waits for the ready line; port 0 the first time, then the same again. */
async function serve() {
  server = spawn(program, ['serve', '--data', data, '--config', file('rollcall.toml'), '--name',
    'localhost', '--device-https', 'off', '--device-mqtt', 'off', '--device-amqp', 'off', '--metrics',
    'off', '--operator', operators ? new URL(operators).host.replace('localhost', '127.0.0.1')
      : '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const part of server.stdout) {
    said += part;
    const ready = /ready .*operator=127\.0\.0\.1:(\d+)/.exec(said);
    if (ready) {
      operators = `https://localhost:${ready[1]}`;
      return;
    }
  }
  assert.fail(`the server did not start: ${said}`);
}
async function stop() {
  server.kill();
  await once(server, 'exit');
}

const configured = (more) => writeFileSync(file('rollcall.toml'), `[oidc]
issuer = "${issuer}"
client_id = "rollcall"
client_secret_file = "${file('secret')}"
ca = "${file('ca.pem')}"
${more}
`);

before(async () => {
  await run(program, ['pki', 'ca', '--cn', 'provider ca', '--out', file('ca')]);
  await run(program, ['pki', 'leaf', '--cn', 'localhost', '--dns', 'localhost', '--eku', 'serverAuth',
    '--issuer', file('ca'), '--out', file('provider')]);
  writeFileSync(file('secret'), `${secret}\n`, { mode: 0o600 });
  await listen();
  configured('');
  await serve();
  trust = [readFileSync(file('ca.pem')), readFileSync(path.join(data, 'tls', 'ca.pem'))];
  provider = makeProvider('ES');
  for (const name of ['ann', 'liar', 'late']) {
    await rollcall('user', 'create', `${name}@example.com`, '--role', 'operator', '--oidc');
  }
});
after(async () => {
  await stop();
  listener.close();
  listener.closeAllConnections();
  rmSync(scratch, { recursive: true });
});

describe('signing in at an OpenID provider', () => {
  it('goes the whole way and back to where it began', async () => {
    const browser = new Browser();
    const back = await browser.signIn('ann');
    assert.equal(back.status, 303, back.text);
    assert.equal(back.location, `${operators}/ui/groups`);
    const [cookie] = back.headers['set-cookie'].filter((line) => line.startsWith('__Host-rollcall='));
    assert.match(cookie, /; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
    const session = await browser.session();
    assert.equal(session.caller, 'user:ann@example.com');
    assert.equal(session.role, 'operator');
    assert.deepEqual(session.user.identity, { issuer, subject: 'ann' });
    assert.ok(!browser.jar.get(new URL(operators).host).has('__Host-rollcall-openid'));
  });

  it('keeps out whom nobody let in, and whose address is not verified', async () => {
    for (const name of ['stranger', 'liar']) {
      const browser = new Browser();
      const back = await browser.signIn(name);
      assert.equal(back.status, 403, back.text);
      assert.match(back.headers['content-type'], /^text\/html/);
      assert.match(back.headers['content-security-policy'], /default-src 'none'/);
      assert.equal((await browser.session()).status, 401);
    }
  });

  it('refuses another state, another browser, and a code that was used', async () => {
    const browser = new Browser();
    const way = await browser.wayBack('ann');
    const bent = new URL(way);
    bent.searchParams.set('state', 'x'.repeat(43));
    assert.equal((await new Browser().go('GET', way)).status, 400);
    const copy = new Browser();
    copy.jar = new Map([...browser.jar].map(([host, jar]) => [host, new Map(jar)]));
    assert.equal((await copy.go('GET', bent.href)).status, 400);
    copy.jar = new Map([...browser.jar].map(([host, jar]) => [host, new Map(jar)]));
    assert.equal((await browser.go('GET', way)).status, 303);
    assert.equal((await browser.go('GET', way)).status, 400, 'its cookie went with the first');
    const replayed = await copy.go('GET', way);
    assert.equal(replayed.status, 401, 'the provider knows the code no more');
    assert.match(replayed.text, /did not sign you in/);
  });

  it('refuses tokens that are bent, of another sign-in, or not signed', async () => {
    const part = (token, at) => JSON.parse(Buffer.from(token.split('.')[at], 'base64url'));
    const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = (change) => (body) => {
      const [head, , signature] = body.id_token.split('.');
      body.id_token = [head, encoded({ ...part(body.id_token, 1), ...change }), signature].join('.');
    };
    let older;
    tamper = (body) => { older = body.id_token; };
    assert.equal((await new Browser().signIn('ann')).status, 303);
    for (const [what, change] of [
      ['another nonce', (body) => { body.id_token = older; }],
      ['another subject', claims({ sub: 'root' })],
      ['a later end', claims({ exp: 9999999999 })],
      ['no algorithm', (body) => {
        body.id_token = `${encoded({ alg: 'none' })}.${body.id_token.split('.')[1]}.`;
      }],
      ['no token', (body) => { delete body.id_token; }],
    ]) {
      tamper = change;
      const browser = new Browser();
      const back = await browser.signIn('ann');
      assert.equal(back.status, 401, `${what}: ${back.text}`);
      assert.equal((await browser.session()).status, 401, what);
    }
    tamper = null;
    assert.equal((await new Browser().signIn('ann')).status, 303);
  });

  it('follows the provider to new keys, of another kind', async () => {
    provider = makeProvider('RSA');
    assert.equal((await new Browser().signIn('ann')).status, 303);
  });

  it('says so while the provider is down, and goes on when it is back', async () => {
    const browser = new Browser();
    const way = await browser.wayBack('ann');
    listener.close();
    listener.closeAllConnections();
    const back = await browser.go('GET', way);
    assert.equal(back.status, 503, back.text);
    assert.ok(Number(back.headers['retry-after']) >= 1);
    await listen();
    assert.equal((await new Browser().signIn('ann')).status, 303);
  });

  it('leads nowhere else afterwards', async () => {
    for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', 'ui']) {
      const answer = await new Browser().go('GET',
        `${operators}/auth/oidc/start?return=${encodeURIComponent(to)}`);
      assert.equal(answer.status, 400, to);
    }
    assert.equal((await new Browser().go('GET', `${operators}/auth/oidc/else`)).status, 404);
    assert.equal((await new Browser().go('POST', `${operators}/auth/oidc/start`)).status, 405);
  });

  it('takes roles from a claim where that is configured', async () => {
    configured('role_claim = "groups"\nviewers = ["rollcall-staff"]');
    await stop();
    await serve();
    const staff = new Browser();
    assert.equal((await staff.signIn('staff-bob')).status, 303);
    const session = await staff.session();
    assert.equal(session.role, 'viewer');
    assert.equal(session.user.roleByClaim, true);
    assert.equal((await new Browser().signIn('stranger')).status, 403);
  });

  it('trusts nobody who is not certified', async () => {
    await run(program, ['pki', 'ca', '--cn', 'another ca', '--out', file('ca'), '--force']);
    await stop();
    await serve();
    const answer = await new Browser().go('GET', `${operators}/auth/oidc/start`);
    assert.equal(answer.status, 503, answer.text);
  });
});
