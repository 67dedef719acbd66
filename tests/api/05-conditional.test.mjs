// https://hl7.org/fhir/R4/http.html#ccreate https://hl7.org/fhir/R4/http.html#cond-update
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, patch, patient, post, put, send, unique } from './lib/fhir.mjs';

const withIdentifier = (value, more = {}) => patient({ identifier: [{ system: 'urn:c', value }], ...more });
const total = async (value) => (await get(`Patient?identifier=urn:c|${value}`)).body.total;

test('conditional create: none 201, one 200 with it, several 412', async () => {
  const value = unique();
  const condition = { 'If-None-Exist': `identifier=urn:c|${value}` };
  const first = await post('Patient', withIdentifier(value), condition);
  assert.equal(first.status, 201);
  const second = await post('Patient', withIdentifier(value), condition);
  assert.equal(second.status, 200);
  assert.equal(second.body.id, first.body.id);
  assert.equal(await total(value), 1);
  await post('Patient', withIdentifier(value));
  assert.equal((await post('Patient', withIdentifier(value), condition)).status, 412);
});

test('64 simultaneous identical conditional creates make exactly one', async () => {
  const value = unique();
  const condition = { 'If-None-Exist': `identifier=urn:c|${value}` };
  const answers = await Promise.all(Array.from({ length: 64 }, () => post('Patient', withIdentifier(value), condition)));
  assert.equal(answers.filter((r) => r.status === 201).length, 1);
  assert.equal(answers.filter((r) => r.status === 200).length, 63);
  assert.equal(new Set(answers.map((r) => r.body.id)).size, 1);
  assert.equal(await total(value), 1);
});

test('64 clients updating with If-Match lose nothing', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, name: [{ family: '0' }] }));
  async function add() {
    for (;;) {
      const now = await get(`Patient/${id}`);
      const body = { ...now.body, name: [{ family: String(Number(now.body.name[0].family) + 1) }] };
      const r = await put(`Patient/${id}`, body, { 'If-Match': now.headers.get('etag') });
      if (r.status === 200) return;
      assert.equal(r.status, 412, r.text);
    }
  }
  await Promise.all(Array.from({ length: 64 }, add));
  const end = await get(`Patient/${id}`);
  assert.equal(end.body.name[0].family, '64');
  assert.equal(end.body.meta.versionId, '65');
});

test('conditional update: creates, updates, refuses several', async () => {
  const value = unique();
  const first = await put(`Patient?identifier=urn:c|${value}`, withIdentifier(value));
  assert.equal(first.status, 201);
  const second = await put(`Patient?identifier=urn:c|${value}`, withIdentifier(value, { active: true }));
  assert.equal(second.status, 200);
  assert.equal(second.body.id, first.body.id);
  assert.equal(second.body.meta.versionId, '2');
  assert.equal((await put(`Patient?identifier=urn:c|${value}`, withIdentifier(value, { id: 'other' }))).status, 400);
  await post('Patient', withIdentifier(value));
  assert.equal((await put(`Patient?identifier=urn:c|${value}`, withIdentifier(value))).status, 412);
});

test('conditional patch and delete', async () => {
  const value = unique();
  const jsonPatch = { 'Content-Type': 'application/json-patch+json' };
  const change = [{ op: 'add', path: '/active', value: true }];
  assert.equal((await patch(`Patient?identifier=urn:c|${value}`, change, jsonPatch)).status, 404);
  const made = await post('Patient', withIdentifier(value));
  assert.equal((await patch(`Patient?identifier=urn:c|${value}`, change, jsonPatch)).body.active, true);
  await post('Patient', withIdentifier(value));
  assert.equal((await send('DELETE', `Patient?identifier=urn:c|${value}`)).status, 412);
  assert.equal((await get(`Patient/${made.body.id}`)).status, 200);
  const one = unique();
  await post('Patient', withIdentifier(one));
  assert.equal((await send('DELETE', `Patient?identifier=urn:c|${one}`)).status, 204);
  assert.equal(await total(one), 0);
});

test('a condition that is none, unknown or has result parameters is refused', async () => {
  assert.equal((await put('Patient', patient())).status, 412);
  assert.equal((await send('DELETE', 'Patient')).status, 412);
  assert.equal((await post('Patient', patient(), { 'If-None-Exist': 'identifer=x' })).status, 400);
  assert.equal((await post('Patient', patient(), { 'If-None-Exist': 'identifier=x&_sort=name' })).status, 400);
});
