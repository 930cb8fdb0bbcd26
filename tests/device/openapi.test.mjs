// SPDX-License-Identifier: Apache-2.0
// A client made from nothing but the server's own OpenAPI document (openapi-client-axios) works, the
// document is a valid one, and every answer is as the document says (JSON Schema 2020-12).
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import clients from 'openapi-client-axios';
import { adminToken, leaf, register, rollcall, root, selfSigned } from './lab.mjs';

const OpenAPIClientAxios = clients.default ?? clients;
const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
const pem = async (party) => readFile(party.certificate, 'utf8');
const base = 'https://svc.example/api/v1';

let document;
let client;
let operations; // by operationId

/** The part of the document at that path of keys, references followed. */
function at(...keys) {
  let part = document;
  for (const key of keys) {
    part = part?.[key];
    while (part?.$ref) {
      part = part.$ref.slice(2).split('/').reduce((whole, each) => whole[each], document);
    }
  }
  return part;
}

/** Is what was answered what the document tells of this operation? */
function check({ path, method, operationId }, answer) {
  const told = at('paths', path, method, 'responses', String(answer.status))
    ?? at('paths', path, method, 'responses', 'default');
  const type = (answer.headers['content-type'] ?? '').split(';')[0];
  assert.ok(told.content[type], `${operationId}: ${answer.status} as ${type} is not documented`);
  const holds = ajv.compile({ ...told.content[type].schema, components: document.components });
  assert.ok(holds(answer.data), `${operationId} answered ${JSON.stringify(answer.data)}: ` +
    ajv.errorsText(holds.errors));
}

/** A documented answer of any status. */
async function say(operationId, parameters, body) {
  const answer = await client[operationId](parameters, body, { validateStatus: () => true });
  check(operations.get(operationId), answer);
  return answer;
}
async function done(operationId, parameters, body) {
  const answer = await say(operationId, parameters, body);
  assert.ok(answer.status < 300, `${operationId}: ${answer.status} ${JSON.stringify(answer.data)}`);
  return answer.data;
}

before(async () => {
  document = await new Promise((resolve, reject) => {
    request(`${base}/openapi.json`, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject).end();
  });
  operations = new Map();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operations.set(operation.operationId, { path, method, operationId: operation.operationId });
    }
  }
  const token = await adminToken();
  client = await new OpenAPIClientAxios({ definition: structuredClone(document), axiosConfigDefaults: {
    baseURL: base, headers: { Authorization: `Bearer ${token}` } } }).init();
});

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const told = await new Validator().validate(structuredClone(document));
    assert.deepEqual(told.errors ?? [], []);
    assert.ok(told.valid);
    assert.match(document.openapi, /^3\.1\./);
  });

  it('serves a client that creates, reads, changes and deletes', async () => {
    const [old, next] = [await root('document old'), await root('document new')];
    await done('createGroup', null, { id: 'paper' });
    await done('setGroupCertificate', { group: 'paper', slot: 'primary' },
      { certificate: await pem(old), vouch: true });
    const preview = await done('previewGroupCertificate', { group: 'paper', slot: 'secondary' },
      { certificate: await pem(next) });
    assert.equal(preview.dryRun, true);
    const staged = await done('setGroupCertificate', { group: 'paper', slot: 'secondary' },
      { certificate: await pem(next) });
    assert.equal(staged.group.certificates.secondary.current.verified, false);
    const { code } = await done('createGroupCertificateCode', { group: 'paper', slot: 'secondary' });
    assert.match(code, /^[0-9A-F]{48}$/);
    assert.ok((await register('paper-device', await leaf(old, 'paper-device'))).assigned);
    const solo = await selfSigned('paper-solo');
    await done('createEnrollment', null, { registrationId: 'paper-solo',
      certificates: { primary: await pem(solo) } });
    assert.ok((await register('paper-solo', solo)).assigned);
    await done('updateGroup', { group: 'paper' }, { autoApprove: false });
    const { etag } = (await done('getGroup', { group: 'paper' })).group ?? {};
    const stale = await client.updateGroup({ group: 'paper', 'If-Match': '"stale"' },
      { autoApprove: true }, { validateStatus: () => true });
    assert.equal(stale.status, 412, `${etag}`);
    check(operations.get('updateGroup'), stale);
    await done('addDistrusted', null, { certificate: await pem(next), reason: 'lost' });
    await done('createToken', null, { name: 'paper-token', role: 'viewer' });
    await done('createUser', null, { name: 'paper-user', role: 'viewer', kind: 'local',
      password: 'a long sentence for a test' });
    await done('createPolicy', null, { name: 'paper-policy', rights: ['EnrollmentRead'] });
  });

  it('tells what every GET answers', async () => {
    const [{ spkiSha256: spki }] = (await done('listDistrusted')).items;
    const [{ id: ca }] = (await done('listCaCertificates')).items;
    const [{ name: hub }] = (await done('listHubs')).items;
    const samples = { group: 'paper', slot: 'primary', registrationId: 'paper-device',
      device: 'paper-device', spki, ca, hub, user: 'paper-user' };
    const enrollment = { ...samples, registrationId: 'paper-solo' };
    let asked = 0;
    for (const { path, method, operationId } of operations.values()) {
      if (method === 'get') {
        const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const from = path.startsWith('/enrollments') ? enrollment : samples;
        const parameters = Object.fromEntries(names.map((name) => [name, from[name]]));
        assert.ok(names.every((name) => from[name]), `${path} needs a sample`);
        await done(operationId, parameters);
        asked += 1;
      }
    }
    assert.ok(asked >= 25, `only ${asked}`);
  });

  it('tells what every operation answers to a body that is none of its own', async () => {
    let refused = 0;
    for (const { path, method, operationId } of operations.values()) {
      if (at('paths', path, method, 'requestBody')) {
        const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, 'x']);
        const answer = await say(operationId, Object.fromEntries(names), { nonsense: { deep: [1] } });
        assert.ok(answer.status >= 400 && answer.status < 500, `${operationId}: ${answer.status}`);
        assert.equal(answer.headers['content-type'].split(';')[0], 'application/problem+json');
        refused += 1;
      }
    }
    assert.ok(refused >= 25, `only ${refused}`);
  });

  it('tells how a stranger is refused', async () => {
    for (const header of ['', 'Bearer rct_00', 'Basic YTpi']) {
      const answer = await client.listGroups(null, null, { validateStatus: () => true,
        headers: { Authorization: header } });
      assert.equal(answer.status, 401);
      check(operations.get('listGroups'), answer);
    }
    await rollcall('token', 'revoke', 'paper-token', '--yes');
  });
});
