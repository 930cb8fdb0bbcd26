// SPDX-License-Identifier: Apache-2.0
// A server and an OpenID provider by another hand (oidc-provider), both over TLS on ports of the
// system's choice, for tests that sign in there: with a scripted browser here, with a real one in
// tests/console.
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Provider } from 'oidc-provider';

const run = promisify(execFile);
const program = process.env.ROLLCALL_PROGRAM;
const scratch = mkdtempSync(path.join(tmpdir(), 'rollcall-oidc-'));
export const file = (name) => path.join(scratch, name);
const data = file('data');
const secret = 'a client secret with +/= in it';

let listener;
let server;

/** What stands now: addresses, who answers at the issuer, whose certificates are good. */
export const lab = {
  issuer: undefined,
  operators: undefined, // https://localhost:PORT
  provider: undefined,
  tamper: null, // changes what the token endpoint answers
  trust: undefined,
};

export const rollcall = async (...words) => (await run(program, ['--data', data, ...words])).stdout.trim();
export const pki = (...words) => run(program, ['pki', ...words]);

function newKey(kind) {
  const { privateKey } = kind === 'RSA' ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: `key-${Math.random()}`,
    alg: kind === 'RSA' ? 'RS256' : 'ES256' };
}

/** Everybody who types a name is that; the address is NAME@example.com. */
export function makeProvider(kind) {
  const made = new Provider(lab.issuer, {
    clients: [{
      client_id: 'rollcall', client_secret: secret, redirect_uris: [`${lab.operators}/auth/oidc/callback`],
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
    if (lab.tamper && context.path === '/token' && context.body?.id_token) lab.tamper(context.body);
  });
  return made;
}

export async function listen() {
  listener = createServer({ cert: readFileSync(file('provider.pem')),
    key: readFileSync(file('provider.key')) }, (...both) => lab.provider.callback()(...both));
  listener.listen(new URL(lab.issuer ?? 'https://localhost:0').port || 0, '127.0.0.1');
  await once(listener, 'listening');
  lab.issuer ??= `https://localhost:${listener.address().port}`;
}

/** Starts it and waits for the ready line; port 0 the first time, then the same again. */
export async function serve() {
  server = spawn(program, ['serve', '--data', data, '--config', file('rollcall.toml'), '--name',
    'localhost', '--device-https', 'off', '--device-mqtt', 'off', '--device-amqp', 'off', '--metrics',
    'off', '--operator', lab.operators ? new URL(lab.operators).host.replace('localhost', '127.0.0.1')
      : '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const part of server.stdout) {
    said += part;
    const ready = /ready .*operator=127\.0\.0\.1:(\d+)/.exec(said);
    if (ready) {
      lab.operators = `https://localhost:${ready[1]}`;
      return;
    }
  }
  assert.fail(`the server did not start: ${said}`);
}
export async function stop() {
  server.kill();
  await once(server, 'exit');
}

export const configured = (more) => writeFileSync(file('rollcall.toml'), `[oidc]
issuer = "${lab.issuer}"
client_id = "rollcall"
client_secret_file = "${file('secret')}"
ca = "${file('ca.pem')}"
${more}
`);

/** Both run, and nobody is a user yet. */
export async function start() {
  await pki('ca', '--cn', 'provider ca', '--out', file('ca'));
  await pki('leaf', '--cn', 'localhost', '--dns', 'localhost', '--eku', 'serverAuth', '--issuer', file('ca'),
    '--out', file('provider'));
  writeFileSync(file('secret'), `${secret}\n`, { mode: 0o600 });
  await listen();
  configured('');
  await serve();
  lab.trust = [readFileSync(file('ca.pem')), readFileSync(path.join(data, 'tls', 'ca.pem'))];
  lab.provider = makeProvider('ES');
}

export function hangUp() {
  listener.close();
  listener.closeAllConnections();
}

export async function end() {
  await stop();
  hangUp();
  rmSync(scratch, { recursive: true });
}
