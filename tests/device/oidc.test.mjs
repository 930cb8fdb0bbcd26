// SPDX-License-Identifier: Apache-2.0
// Signing in by OpenID Connect at a provider by another hand (oidc-provider), over TLS, with a
// scripted browser: the whole way, and what goes wrong on it.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { configured, end, file, hangUp, lab, listen, makeProvider, pki, rollcall, serve, start, stop } from './openid_lab.mjs';

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
      request(url, { method, headers, ca: lab.trust }, (answer) => {
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
  async wayBack(name, from = `${lab.operators}/auth/oidc/start?return=/ui/groups`) {
    let answer = await this.go('GET', from);
    for (let steps = 0; steps < 20; steps += 1) {
      if (answer.location?.startsWith(`${lab.operators}/auth/oidc/callback`)) return answer.location;
      if (answer.location) {
        answer = await this.go('GET', answer.location);
      } else {
        const [, action] = /action="([^"]+)"/.exec(answer.text) ?? assert.fail(answer.text);
        const [, prompt] = /name="prompt" value="([^"]+)"/.exec(answer.text);
        answer = await this.go('POST', new URL(action, lab.issuer).href,
          prompt === 'login' ? { prompt, login: name, password: 'any' } : { prompt });
      }
    }
    return assert.fail('no way back');
  }

  async signIn(name) {
    return this.go('GET', await this.wayBack(name));
  }

  async session() {
    const answer = await this.go('GET', `${lab.operators}/api/v1/session`);
    return { status: answer.status, ...JSON.parse(answer.text) };
  }
}

before(async () => {
  await start();
  for (const name of ['ann', 'liar', 'late']) {
    await rollcall('user', 'create', `${name}@example.com`, '--role', 'operator', '--oidc');
  }
});
after(end);

describe('signing in at an OpenID provider', () => {
  it('goes the whole way and back to where it began', async () => {
    const browser = new Browser();
    const back = await browser.signIn('ann');
    assert.equal(back.status, 303, back.text);
    assert.equal(back.location, `${lab.operators}/ui/groups`);
    const [cookie] = back.headers['set-cookie'].filter((line) => line.startsWith('__Host-rollcall='));
    assert.match(cookie, /; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
    const session = await browser.session();
    assert.equal(session.caller, 'user:ann@example.com');
    assert.equal(session.role, 'operator');
    assert.deepEqual(session.user.identity, { issuer: lab.issuer, subject: 'ann' });
    assert.ok(!browser.jar.get(new URL(lab.operators).host).has('__Host-rollcall-openid'));
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
    lab.tamper = (body) => { older = body.id_token; };
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
      lab.tamper = change;
      const browser = new Browser();
      const back = await browser.signIn('ann');
      assert.equal(back.status, 401, `${what}: ${back.text}`);
      assert.equal((await browser.session()).status, 401, what);
    }
    lab.tamper = null;
    assert.equal((await new Browser().signIn('ann')).status, 303);
  });

  it('follows the provider to new keys, of another kind', async () => {
    lab.provider = makeProvider('RSA');
    assert.equal((await new Browser().signIn('ann')).status, 303);
  });

  it('says so while the provider is down, and goes on when it is back', async () => {
    const browser = new Browser();
    const way = await browser.wayBack('ann');
    hangUp();
    const back = await browser.go('GET', way);
    assert.equal(back.status, 503, back.text);
    assert.ok(Number(back.headers['retry-after']) >= 1);
    await listen();
    assert.equal((await new Browser().signIn('ann')).status, 303);
  });

  it('leads nowhere else afterwards', async () => {
    for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', 'ui']) {
      const answer = await new Browser().go('GET',
        `${lab.operators}/auth/oidc/start?return=${encodeURIComponent(to)}`);
      assert.equal(answer.status, 400, to);
    }
    assert.equal((await new Browser().go('GET', `${lab.operators}/auth/oidc/else`)).status, 404);
    assert.equal((await new Browser().go('POST', `${lab.operators}/auth/oidc/start`)).status, 405);
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
    await pki('ca', '--cn', 'another ca', '--out', file('ca'), '--force');
    await stop();
    await serve();
    const answer = await new Browser().go('GET', `${lab.operators}/auth/oidc/start`);
    assert.equal(answer.status, 503, answer.text);
  });
});
