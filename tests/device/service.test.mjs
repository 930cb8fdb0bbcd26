// SPDX-License-Identifier: Apache-2.0
// Every call of the unmodified SDK for the DPS service API (azure-iot-provisioning-service): what
// it writes is read back, listed page by page, changed in bulk, and let go.
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { intermediate, leaf, register, rollcall, root, selfSigned, serviceClient,
  serviceClientByToken } from './lab.mjs';

let client;
let factory;
const pem = async (party) => ({ certificate: await readFile(party.certificate, 'utf8') });
const x509 = async (kind, primary, secondary) => ({ type: 'x509', x509: { [kind]: {
  primary: await pem(primary), ...(secondary ? { secondary: await pem(secondary) } : {}) } } });
const body = async (call) => (await call).responseBody;
const signing = (group) => group.attestation.x509.signingCertificates;

before(async () => {
  client = await serviceClient();
  factory = await root('service factory');
  await rollcall('ca', 'add', 'factory', factory.certificate, '--vouch');
});

/** All pages of a query, as the SDK is to be used: with its continuation token. */
async function pages(query) {
  const found = [];
  let token;
  do {
    const { responseBody } = await query.next(token);
    found.push(responseBody);
    token = query.continuationToken;
    assert.ok(found.length < 100, 'the pages never end');
  } while (query.hasMoreResults);
  return found;
}

describe('the service SDK on enrollment groups', () => {
  it('creates, reads, changes without the certificate, and deletes', async () => {
    const [old, next] = [await intermediate(factory, 'plant old'),
      await intermediate(factory, 'plant new')];
    const device = await leaf(old, 'group-device');
    const made = await body(client.createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'plant',
      attestation: await x509('signingCertificates', old), provisioningStatus: 'enabled' }));
    assert.equal(signing(made).primary.info.subjectName, 'CN=plant old');
    assert.equal(signing(made).primary.certificate, undefined);
    assert.deepEqual(signing(made).secondary, signing(made).primary);
    assert.ok((await register('group-device', device)).assigned);
    // Read, modify, write: the certificate is not at hand any more.
    const read = await body(client.getEnrollmentGroup('plant'));
    assert.deepEqual(read, made);
    read.provisioningStatus = 'disabled';
    const changed = await body(client.createOrUpdateEnrollmentGroup(read));
    assert.deepEqual(signing(changed), signing(made));
    assert.notEqual(changed.etag, made.etag);
    assert.ok((await register('group-device', device)).refused);
    changed.provisioningStatus = 'enabled';
    signing(changed).secondary = await pem(next);
    const both = await body(client.createOrUpdateEnrollmentGroup(changed));
    assert.equal(signing(both).primary.info.subjectName, 'CN=plant old');
    assert.equal(signing(both).secondary.info.subjectName, 'CN=plant new');
    assert.ok((await register('group-device', device)).assigned);
    assert.ok((await register('group-device', await leaf(next, 'group-device'))).assigned);
    await assert.rejects(client.createOrUpdateEnrollmentGroup(made), { name: 'InvalidEtagError' });
    await assert.rejects(client.deleteEnrollmentGroup(made), { name: 'InvalidEtagError' });
    await client.deleteEnrollmentGroup(both);
    await assert.rejects(client.getEnrollmentGroup('plant'), /Not found/);
    await assert.rejects(client.deleteEnrollmentGroup('plant'), /Not found/);
  });

  it('reads attestation mechanisms', async () => {
    const made = await body(client.createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'keys',
      attestation: { type: 'symmetricKey' } }));
    const mechanism = await body(client.getEnrollmentGroupAttestationMechanism('keys'));
    assert.deepEqual(mechanism, made.attestation);
    assert.equal(Buffer.from(mechanism.symmetricKey.primaryKey, 'base64').length, 64);
    const read = await body(client.getEnrollmentGroup('keys'));
    assert.deepEqual(read.attestation, { type: 'symmetricKey' });
    await client.deleteEnrollmentGroup('keys', made.etag);
  });

  it('lists groups and the registrations of one, page by page', async () => {
    const ca = await intermediate(factory, 'plant listed');
    await client.createOrUpdateEnrollmentGroup({ enrollmentGroupId: 'listed',
      attestation: await x509('signingCertificates', ca) });
    const ids = ['listed-1', 'listed-2', 'listed-3', 'listed-4', 'listed-5'];
    for (const id of ids) {
      assert.ok((await register(id, await leaf(ca, id))).assigned);
    }
    const states = await pages(client.createEnrollmentGroupDeviceRegistrationStateQuery(
      { query: 'SELECT * FROM deviceRegistrations' }, 'listed', 2));
    assert.deepEqual(states.map((page) => page.length), [2, 2, 1]);
    assert.deepEqual(states.flat().map((each) => each.registrationId).sort(), ids);
    const state = await body(client.getDeviceRegistrationState('listed-1'));
    assert.deepEqual(state, states.flat().find((each) => each.registrationId === 'listed-1'));
    assert.equal(state.status, 'assigned');
    assert.equal(state.assignedHub, 'dps.example');
    await assert.rejects(client.deleteDeviceRegistrationState('listed-1', 'bm90IGl0'),
      { name: 'InvalidEtagError' });
    await client.deleteDeviceRegistrationState(state);
    await client.deleteDeviceRegistrationState('listed-2');
    await assert.rejects(client.getDeviceRegistrationState('listed-1'), /Not found/);
    const left = await pages(client.createEnrollmentGroupDeviceRegistrationStateQuery(
      { query: 'SELECT *' }, 'listed'));
    assert.equal(left.flat().length, 3);
    const groups = await pages(client.createEnrollmentGroupQuery(
      { query: 'SELECT * FROM enrollmentGroups' }, 1));
    assert.ok(groups.every((page) => page.length === 1));
    assert.ok(groups.flat().some((each) => each.enrollmentGroupId === 'listed'));
    await client.deleteEnrollmentGroup('listed');
  });
});

describe('the service SDK on individual enrollments', () => {
  it('creates, reads, changes without the certificate, and deletes', async () => {
    const [old, next] = [await selfSigned('single'), await selfSigned('single')];
    const made = await body(client.createOrUpdateIndividualEnrollment({ registrationId: 'single',
      deviceId: 'press-4', attestation: await x509('clientCertificates', old),
      capabilities: { iotEdge: true }, optionalDeviceInformation: { line: 4 },
      initialTwin: { tags: { site: 'a' }, properties: { desired: { speed: 1 } } },
      reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: false } }));
    assert.deepEqual(made.capabilities, { iotEdge: true });
    const fresh = await body(client.getIndividualEnrollment('single'));
    assert.deepEqual(fresh.registrationState, { registrationId: 'single', status: 'unassigned' });
    assert.equal((await register('single', old)).assigned.deviceId, 'press-4');
    const read = await body(client.getIndividualEnrollment('single'));
    assert.equal(read.registrationState.status, 'assigned');
    read.attestation.x509.clientCertificates.secondary = await pem(next);
    const both = await body(client.createOrUpdateIndividualEnrollment(read));
    assert.deepEqual(both.optionalDeviceInformation, { line: 4 });
    assert.deepEqual(both.initialTwin, made.initialTwin);
    assert.deepEqual(both.reprovisionPolicy, made.reprovisionPolicy);
    assert.ok((await register('single', next)).assigned);
    assert.ok((await register('single', old)).assigned);
    delete both.attestation.x509.clientCertificates.primary;
    const one = await body(client.createOrUpdateIndividualEnrollment(both));
    assert.ok((await register('single', old)).refused);
    assert.ok((await register('single', next)).assigned);
    const mechanism = await body(client.getIndividualEnrollmentAttestationMechanism('single'));
    assert.deepEqual(mechanism, one.attestation);
    await assert.rejects(client.deleteIndividualEnrollment('single', made.etag),
      { name: 'InvalidEtagError' });
    await client.deleteIndividualEnrollment(one);
    await assert.rejects(client.getIndividualEnrollment('single'), /Not found/);
  });

  it('refuses what is no enrollment with a status and a reason', async () => {
    await assert.rejects(client.createOrUpdateIndividualEnrollment({ registrationId: 'no spaces',
      attestation: { type: 'symmetricKey' } }), { name: 'ArgumentError' });
    await assert.rejects(client.createOrUpdateIndividualEnrollment({ registrationId: 'tpm',
      attestation: { type: 'tpm', tpm: { endorsementKey: 'x' } } }), (error) => {
      assert.equal(error.name, 'ArgumentError');
      assert.match(JSON.stringify(error.responseBody), /TPM attestation is not offered/);
      return true;
    });
  });

  // The promise form of this call never settles: callback only.
  const bulk = (mode, enrollments) => new Promise((resolve, reject) => {
    client.runBulkEnrollmentOperation({ mode, enrollments },
      (error, result) => (error ? reject(error) : resolve(result)));
  });

  it('makes, changes and deletes ten at once', async () => {
    const attestation = { type: 'symmetricKey' };
    const ten = Array.from({ length: 10 }, (_, n) => ({ registrationId: `bulk-${n}`, attestation }));
    const done = { errors: [], isSuccessful: true };
    assert.deepEqual(await bulk('create', ten), done);
    const again = await bulk('update', ten.slice(0, 1));
    assert.deepEqual(again, { isSuccessful: false, errors: [{ registrationId: 'bulk-0',
      errorCode: 409201, errorStatus: 'Enrollment already exists.' }] });
    const stale = await body(client.getIndividualEnrollment('bulk-1'));
    const current = await body(client.createOrUpdateIndividualEnrollment(
      { ...stale, provisioningStatus: 'disabled' }));
    const half = await bulk('updateIfMatchETag', [current, { ...stale, registrationId: 'bulk-2' }]);
    assert.equal(half.isSuccessful, false);
    assert.deepEqual(half.errors.map((each) => [each.registrationId, each.errorCode]),
      [['bulk-2', 412001]]);
    await assert.rejects(bulk('create', [...ten, ten[0]]), { name: 'ArgumentError' });
    const query = client.createIndividualEnrollmentQuery({ query: 'SELECT * FROM enrollments' }, 3);
    const found = (await pages(query)).flat().map((each) => each.registrationId);
    assert.equal(new Set(found).size, found.length);
    assert.equal(found.filter((id) => id.startsWith('bulk-')).length, 10);
    assert.deepEqual(await bulk('delete', ten), done);
    const gone = await bulk('delete', ten.slice(0, 1));
    assert.equal(gone.errors[0].errorCode, 404201);
  });
});

describe('who calls the service API', () => {
  const keys = { registrationId: 'caller', attestation: { type: 'symmetricKey' } };

  it('is known by a bearer token, too', async () => {
    const other = await serviceClientByToken();
    const made = await body(other.createOrUpdateIndividualEnrollment(keys));
    await other.deleteIndividualEnrollment(made);
  });

  it('may do what the rights of its policy say, and no more', async () => {
    await rollcall('token', 'create', 'reader', '--sas-policy',
      'EnrollmentRead,RegistrationStatusRead');
    await client.createOrUpdateIndividualEnrollment(keys);
    const reader = await serviceClient('reader');
    const read = await body(reader.getIndividualEnrollment('caller'));
    assert.equal(read.registrationId, 'caller');
    assert.ok((await pages(reader.createIndividualEnrollmentQuery({ query: 'SELECT *' }))).length);
    const refused = [reader.createOrUpdateIndividualEnrollment(keys),
      reader.deleteIndividualEnrollment('caller'),
      reader.getIndividualEnrollmentAttestationMechanism('caller'),
      reader.deleteDeviceRegistrationState('caller')];
    for (const call of refused) {  // 403, as the SDK calls it
      await assert.rejects(call, { name: 'TooManyDevicesError' });
    }
    await client.deleteIndividualEnrollment('caller');
    await rollcall('token', 'revoke', 'reader', '--yes');
    await assert.rejects(reader.getIndividualEnrollment('caller'), { name: 'UnauthorizedError' });
  });
});
