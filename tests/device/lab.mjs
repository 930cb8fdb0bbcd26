// SPDX-License-Identifier: Apache-2.0
// What the device tests share: commands to the server, certificates, and the SDK's registration
// with a count of what went otherwise than it should have.
import { execFile } from 'node:child_process';
import { after } from 'node:test';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { promisify } from 'node:util';
import path from 'node:path';
import dps from 'azure-iot-provisioning-device';
import amqp from 'azure-iot-provisioning-device-amqp';
import http from 'azure-iot-provisioning-device-http';
import mqtt from 'azure-iot-provisioning-device-mqtt';
import common from 'azure-iot-common';
import device from 'azure-iot-device';
import hubAmqp from 'azure-iot-device-amqp';
import hubHttp from 'azure-iot-device-http';
import hubMqtt from 'azure-iot-device-mqtt';
import symmetric from 'azure-iot-security-symmetric-key';
import security from 'azure-iot-security-x509';
import service from 'azure-iot-provisioning-service';

const run = promisify(execFile);
const { ROLLCALL_PROGRAM: program, ROLLCALL_SCRATCH: scratch } = process.env;
export const scope = process.env.ROLLCALL_SCOPE;
export const host = 'dps.example';

/** A command to the server; refused ones reject. ROLLCALL_DATA says which server. */
export async function rollcall(...words) {
  const { stdout } = await run(program, words.map(String));
  return stdout.trim();
}

/** What the native API says there, on the server's own socket. */
export function ask(address) {
  return new Promise((resolve, reject) => {
    const socketPath = path.join(process.env.ROLLCALL_DATA, 'operator.sock');
    request({ socketPath, path: `/api/v1${address}`, headers: { host: 'localhost' } }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => (answer.statusCode === 200 ? resolve(JSON.parse(text))
        : reject(new Error(`${address}: ${answer.statusCode} ${text}`))));
    }).on('error', reject).end();
  });
}

/** The server is killed in the midst of its work, and has been started again by the runner. */
export async function crash() {
  process.kill(Number(process.env.ROLLCALL_RUNNER), 'SIGUSR1');
  await eventually(() => existsSync(path.join(scratch, 'crashed')), 60);
}

/** The SDK's client of the service API, by the connection string of a shared access policy. */
export async function serviceClient(policy = 'provisioningserviceowner') {
  return service.ProvisioningServiceClient.fromConnectionString(
    await rollcall('token', 'show', policy));
}

export const adminToken = async () => (await readFile(
  path.join(process.env.ROLLCALL_DATA, 'admin-token'), 'utf8')).trim();

/** The same with a bearer token, the administrator's. */
export async function serviceClientByToken() {
  const token = await adminToken();
  return service.ProvisioningServiceClient.fromTokenCredential('svc.example', {
    getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600_000 }),
  });
}

/**
 * A CA proven through the certificates API alone, as the cloud's tools do: uploaded, given a code,
 * verified by a certificate over it.
 */
export async function provenCa(name, ca) {
  const token = await adminToken();
  const arm = async (method, last, body) => {
    const answer = await fetch(
      'https://svc.example/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices' +
      `/provisioningServices/p/certificates/${name}${last}?api-version=2022-02-05`,
      { method, body: body && JSON.stringify(body), headers: { Authorization: `Bearer ${token}`,
        ...(method === 'POST' ? { 'If-Match': '*' } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}) } });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    return (await answer.json()).properties;
  };
  const base64 = (file) => readFile(file, 'base64');
  await arm('PUT', '', { properties: { certificate: await base64(ca.certificate) } });
  const { verificationCode } = await arm('POST', '/generateVerificationCode');
  const proof = await proofOf(verificationCode, ca);
  const { isVerified } = await arm('POST', '/verify', { certificate: await base64(proof) });
  if (isVerified !== true) throw new Error(`${name} is not verified`);
}

/** What the API of IoT Central answers; other statuses than `status` reject with its error. */
export async function central(method, address, body, { token, status = 200 } = {}) {
  const answer = await fetch(`https://svc.example/api${address}?api-version=2022-07-31`, {
    method, body: body && JSON.stringify(body), headers: {
      Authorization: token ?? `Bearer ${await adminToken()}`,
      ...(body ? { 'Content-Type': 'application/json' } : {}) } });
  const text = await answer.text();
  const said = text && JSON.parse(text);
  if (answer.status !== status) {
    throw Object.assign(new Error(`${method} ${address}: ${answer.status} ${text}`),
      { status: answer.status, said });
  }
  return said;
}

/** A proof of possession: a certificate over the code, signed by that CA. */
export async function proofOf(code, issuer) {
  const proof = `${issuer.stem}.${code.slice(0, 8)}.proof.pem`;
  await rollcall('pki', 'verification', '--code', code, '--issuer', issuer.stem, '--out', proof);
  return proof;
}

let made = 0;
async function pki(kind, name, ...words) {
  made += 1;
  const stem = path.join(scratch, 'pki', `${made}-${name.replace(/[^\w-]/g, '_')}`);
  await rollcall('pki', kind, '--cn', name, '--out', stem, ...words);
  return { stem, certificate: `${stem}.pem`, key: `${stem}.key` };
}

export const root = (name) => pki('ca', name);
export const intermediate = (issuer, name) => pki('intermediate', name, '--issuer', issuer.stem);

/** An enrollment group with a new root, for which we vouch. */
export async function groupOf(name) {
  const ca = await root(`${name} root`);
  await rollcall('group', 'create', name);
  await rollcall('group', 'cert', 'set', name, 'primary', ca.certificate, '--vouch');
  return ca;
}

/** A device's certificate with its intermediates. */
export async function leaf(issuer, name, ...words) {
  const device = await pki('leaf', name, '--issuer', issuer.stem, '--chain', ...words);
  return { ...device, chain: `${device.stem}.chain.pem` };
}

/** A device's own certificate, signed by itself. */
export async function selfSigned(name, ...words) {
  const device = await pki('leaf', name, '--self-signed', ...words);
  return { ...device, chain: device.certificate };
}

/** Proof of possession of the CA in a group's slot. */
export async function prove(group, slot, issuer) {
  const code = await rollcall('group', 'cert', 'code', group, slot);
  await rollcall('group', 'cert', 'verify', group, slot, await proofOf(code, issuer));
}

/** How a device may come, with the SDK's two halves for it. */
export const transports = {
  https: { provisioning: http.Http, hub: hubHttp.Http },
  mqtt: { provisioning: mqtt.Mqtt, hub: hubMqtt.Mqtt },
  'mqtt-ws': { provisioning: mqtt.MqttWs, hub: hubMqtt.MqttWs },
  amqp: { provisioning: amqp.Amqp, hub: hubAmqp.Amqp },
  'amqp-ws': { provisioning: amqp.AmqpWs, hub: hubAmqp.AmqpWs },
};

async function securityOf(id, held) {
  if (held.symmetricKey) return new symmetric.SymmetricKeySecurityClient(id, held.symmetricKey);
  const cert = await readFile(held.chain, 'utf8');
  const key = await readFile(held.key, 'utf8');
  return new security.X509Security(id, { cert, key });
}

/**
 * What the unmodified SDK says: {assigned: registrationState} or {refused: error}. `device`: a
 * certificate of above, or {symmetricKey}.
 */
export async function register(id, device, payload, transport = 'https') {
  const client = dps.ProvisioningDeviceClient.create(
    host, scope, new transports[transport].provisioning(), await securityOf(id, device));
  if (payload !== undefined) client.setProvisioningPayload(payload);
  return new Promise((resolve) => {
    client.register((error, result) => resolve(error ? { refused: error } : { assigned: result }));
  });
}

/** What the SDK makes of a refusal; over AMQP it hands on the condition as it came. */
export const refusalOf = (error) => (
  error.condition === 'amqp:unauthorized-access' ? 'UnauthorizedError' : error.name);

const clients = [];
// A client that a failed test left open keeps the process alive.
after(() => Promise.race([Promise.allSettled(clients.map((client) => client.close())),
  new Promise((resolve) => { setTimeout(resolve, 10_000).unref(); })]));

/** The SDK's hub client of a device, not yet open. It does not try again, unless `persistent`. */
export async function hubClient(id, held, transport = 'mqtt', persistent = false) {
  if (held.symmetricKey) {
    const client = device.Client.fromConnectionString(
      `HostName=${host};DeviceId=${id};SharedAccessKey=${held.symmetricKey}`,
      transports[transport].hub);
    clients.push(client);
    if (!persistent) client.setRetryPolicy(new common.NoRetry());
    return client;
  }
  const client = device.Client.fromConnectionString(
    `HostName=${host};DeviceId=${id};x509=true`, transports[transport].hub);
  clients.push(client);
  const options = { cert: await readFile(held.chain, 'utf8'),
    key: await readFile(held.key, 'utf8') };
  const set = client.setOptions(options);
  if (transport !== 'https') await set;  // over HTTPS the SDK never says that it is done
  if (!persistent) client.setRetryPolicy(new common.NoRetry());
  return client;
}

export const { Message } = device;

/** Resolves with the first event of that name. */
export function once(emitter, event, seconds = 10) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} in ${seconds} s`)),
      seconds * 1000);
    emitter.once(event, (...values) => { clearTimeout(timer); resolve(values); });
  });
}

/** Waits until `holds` gives something. */
export async function eventually(holds, seconds = 10) {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > until) throw new Error(`not within ${seconds} s: ${holds}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

/** Attempts of all tests of a file against what should have become of them. */
export class Tally {
  attempts = 0;
  lost = [];
  letIn = [];

  /** Registers and notes; `should`: true when it must succeed. */
  async expect(should, id, device, when) {
    const outcome = await register(id, device);
    this.attempts += 1;
    if (should && !outcome.assigned) {
      this.lost.push(`${id} ${when}: ${outcome.refused}`);
    } else if (!should && outcome.assigned) {
      this.letIn.push(`${id} ${when}: assigned`);
    } else if (!should && outcome.refused.name !== 'UnauthorizedError') {
      this.lost.push(`${id} ${when}: refused as ${outcome.refused.name}, not UnauthorizedError`);
    }
    return outcome;
  }
}
