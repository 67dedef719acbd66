// Nothing is stored, nothing is lost, never a 500.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, issues, patient, post, put, send, unique } from './lib/fhir.mjs';

test('malformed JSON: 400 with line and column', async () => {
  const r = await post('Patient', '{"resourceType":"Patient",\n "active": tru}');
  assert.equal(r.status, 400);
  assert.match(issues(r)[0].diagnostics, /line 2, column \d+/);
  for (const body of ['', '[]', '"x"', '{', '{"resourceType":"Patient","id":1,"id":2}', '\u0000', 'null', '1e999'])
    assert.ok([400, 422].includes((await post('Patient', body)).status), body);
});

test('wrong structure: 422 with every error, each with its place and what was expected', async () => {
  const r = await post('Patient', {
    resourceType: 'Patient', gendr: 'male', active: 'yes', birthDate: '1980-13-01', name: { family: 'x' },
    contact: [{ telecom: [{ systen: 'phone' }] }], communication: [{ preferred: true }], gender: 'man',
  });
  assert.equal(r.status, 422);
  const at = issues(r).map((i) => i.expression[0]).sort();
  for (const expected of ['Patient.gendr', 'Patient.active', 'Patient.birthDate', 'Patient.name',
    'Patient.contact[0].telecom[0].systen', 'Patient.communication[0]', 'Patient.gender'])
    assert.ok(at.includes(expected), `${expected} in ${at}`);
  assert.match(issues(r).find((i) => i.expression[0] === 'Patient.gendr').diagnostics, /gender/);
});

test('unknown type: 404 with the nearest; unknown operation: 404; wrong method: 405 with Allow', async () => {
  const type = await get('Pacient/1');
  assert.equal(type.status, 404);
  assert.match(issues(type)[0].diagnostics, /Patient/);
  assert.equal((await get('patient/1')).status, 404);
  assert.equal((await get('Patient/1/$nothing')).status, 404);
  const method = await send('POST', 'Patient/1', {});
  assert.equal(method.status, 405);
  for (const name of ['GET', 'PUT', 'PATCH', 'DELETE']) assert.ok(method.headers.get('allow').includes(name));
  assert.equal((await send('DELETE', 'metadata')).status, 405);
});

test('unknown parameter, modifier or bad value: 400; lenient: ignored and said so', async () => {
  const r = await get('Patient?famly=x');
  assert.equal(r.status, 400);
  assert.match(issues(r)[0].diagnostics, /family/);
  for (const query of ['family:sounds=x', 'birthdate=soon', '_count=many', '_sort=colour', 'identifier=a|b|c', '_total=all',
    'active:exact=true', '__proto__=1', '=1', '%00=1', '_summary=maybe', 'family=%FF'])
    assert.equal((await get(`Patient?${query}`)).status, 400, query);
  const lenient = await get('Patient?famly=x&family=Novak', { Prefer: 'handling=lenient' });
  assert.equal(lenient.status, 200);
  assert.ok(!lenient.body.link[0].url.includes('famly'));
  assert.match(JSON.stringify(lenient.body.entry), /famly/);
});

test('ids that are none', async () => {
  for (const id of ['a_b', 'a%20b', '%00', 'x'.repeat(65), '..%2f..']) {
    assert.equal((await get(`Patient/${id}`)).status, 400, id);
    assert.equal((await put(`Patient/${id}`, patient({ id }))).status, 400, id);
  }
});

test('media types: 415 for a body that is none of ours', async () => {
  for (const type of ['text/plain', 'application/fhir+turtle', 'application/fhir+json; fhirVersion=5.0'])
    assert.equal((await post('Patient', '{}', { 'Content-Type': type })).status, 415, type);
  assert.equal((await post('Patient', patient(), { 'Content-Type': 'application/json' })).status, 201);
});

test('hostile nesting and sizes end in an answer', async () => {
  assert.equal((await post('Patient', '['.repeat(1000000))).status, 400);
  assert.equal((await post('Patient', '{"a":'.repeat(100000))).status, 400);
  const long = await get(`Patient?family=${'x'.repeat(5000)}`);
  assert.equal(long.status, 200);
  assert.ok([400, 403, 414].includes((await get(`Patient?${'family=x&'.repeat(300)}`)).status));
  const id = unique();
  const huge = patient({ id, name: Array.from({ length: 20000 }, (_, i) => ({ family: `n${i}` })) });
  assert.equal((await put(`Patient/${id}`, huge)).status, 201);
  assert.equal((await get(`Patient/${id}`)).body.name.length, 20000);
});
