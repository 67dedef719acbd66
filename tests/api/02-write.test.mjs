// create, update, delete. https://hl7.org/fhir/R4/http.html#create
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, del, get, issues, observation, patient, post, put, unique } from './lib/fhir.mjs';

test('create answers 201 with Location, ETag and the resource; the id is the server\'s', async () => {
  const r = await post('Patient', patient({ id: 'mine' }));
  assert.equal(r.status, 201);
  assert.notEqual(r.body.id, 'mine');
  assert.equal(r.headers.get('location'), `${base}/Patient/${r.body.id}/_history/1`);
  assert.equal(r.headers.get('etag'), 'W/"1"');
  assert.deepEqual(r.body.name, patient().name);
});

test('update: 200 with a new version, 201 when it creates, the same content makes none', async () => {
  const id = unique();
  assert.equal((await put(`Patient/${id}`, patient({ id, gender: 'male' }))).status, 201);
  const second = await put(`Patient/${id}`, patient({ id, gender: 'other' }));
  assert.equal(second.status, 200);
  assert.equal(second.headers.get('etag'), 'W/"2"');
  const same = await put(`Patient/${id}`, patient({ id, gender: 'other' }));
  assert.equal(same.status, 200);
  assert.equal(same.headers.get('etag'), 'W/"2"');
  assert.equal((await get(`Patient/${id}/_history`)).body.total, 2);
});

test('update refuses an id that is missing or another', async () => {
  const id = unique();
  for (const body of [patient(), patient({ id: 'another' })]) {
    const r = await put(`Patient/${id}`, body);
    assert.equal(r.status, 400);
    assert.deepEqual(issues(r)[0].expression, ['Patient.id']);
  }
  assert.equal((await put(`Patient/${id}`, { resourceType: 'Basic', id })).status, 400);
  assert.equal((await get(`Patient/${id}`)).status, 404);
});

test('If-Match: the current version is taken, another is 412 and changes nothing', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id }));
  assert.equal((await put(`Patient/${id}`, patient({ id, gender: 'male' }), { 'If-Match': 'W/"1"' })).status, 200);
  const stale = await put(`Patient/${id}`, patient({ id, gender: 'female' }), { 'If-Match': 'W/"1"' });
  assert.equal(stale.status, 412);
  assert.equal((await get(`Patient/${id}`)).body.gender, 'male');
  assert.equal((await put(`Patient/${id}`, patient({ id }), { 'If-Match': 'three' })).status, 400);
  assert.equal((await put(`Patient/${unique()}x`, patient({ id: 'x' }), { 'If-Match': 'W/"1"' })).status, 400);
});

test('If-None-Match: * creates and never replaces', async () => {
  const id = unique();
  const only = { 'If-None-Match': '*' };
  assert.equal((await put(`Patient/${id}`, patient({ id }), only)).status, 201);
  assert.equal((await put(`Patient/${id}`, patient({ id, active: true }), only)).status, 412);
});

test('tags and labels survive a PUT that does not name them; profiles are as sent', async () => {
  const id = unique();
  const tag = { system: 'urn:tags', code: 'a' };
  const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
  await put(`Patient/${id}`, patient({ id, meta: { tag: [tag], security: [label], profile: ['http://x/p'] } }));
  const r = await put(`Patient/${id}`, patient({ id, meta: { tag: [{ system: 'urn:tags', code: 'b' }] } }));
  assert.deepEqual(r.body.meta.tag.map((t) => t.code).sort(), ['a', 'b']);
  assert.deepEqual(r.body.meta.security, [label]);
  assert.equal(r.body.meta.profile, undefined);
  assert.equal((await get(`Patient?_tag=urn:tags|a&_id=${id}`)).body.total, 1);
  assert.equal((await get(`Patient?_tag=urn:tags|b&_id=${id}`)).body.total, 1);
});

test('delete is 204, also again and for what never was; afterwards a PUT brings it back', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id }));
  assert.equal((await del(`Patient/${id}`)).status, 204);
  assert.equal((await del(`Patient/${id}`)).status, 204);
  assert.equal((await del(`Patient/${unique()}`)).status, 204);
  const back = await put(`Patient/${id}`, patient({ id }));
  assert.equal(back.status, 201);
  assert.equal(back.headers.get('etag'), 'W/"3"');
});

test('referential integrity: a missing target is refused, a referenced resource not deleted', async () => {
  const id = unique();
  const missing = await post('Observation', observation(`Patient/${id}`));
  assert.equal(missing.status, 422);
  assert.match(JSON.stringify(issues(missing)[0]), /Observation\.subject/);
  await put(`Patient/${id}`, patient({ id }));
  const made = await post('Observation', observation(`Patient/${id}`));
  assert.equal(made.status, 201);
  assert.equal((await del(`Patient/${id}`)).status, 409);
  assert.equal((await get(`Patient/${id}`)).status, 200);
  assert.ok([200, 204].includes((await del(`Patient/${id}?_cascade=delete`)).status));
  assert.equal((await get(`Patient/${id}`)).status, 410);
  assert.equal((await get(`Observation/${made.body.id}`)).status, 410);
});

test('Prefer: return', async () => {
  const minimal = await post('Patient', patient(), { Prefer: 'return=minimal' });
  assert.equal(minimal.status, 201);
  assert.equal(minimal.text, '');
  assert.ok(minimal.headers.get('location'));
  const outcome = await post('Patient', patient(), { Prefer: 'return=OperationOutcome' });
  assert.equal(outcome.body.resourceType, 'OperationOutcome');
  const whole = await post('Patient', patient(), { Prefer: 'return=representation' });
  assert.equal(whole.body.resourceType, 'Patient');
  assert.equal((await post('Patient', patient(), { Prefer: 'return=everything' })).status, 400);
});

test('Idempotency-Key: the second time the first answer, another request is refused', async () => {
  const key = { 'Idempotency-Key': unique('key') };
  const body = patient({ identifier: [{ system: 'urn:idem', value: unique() }] });
  const first = await post('Patient', body, key);
  const second = await post('Patient', body, key);
  assert.equal(first.status, 201);
  assert.equal(second.status, 201);
  assert.equal(second.headers.get('location'), first.headers.get('location'));
  assert.equal((await get(`Patient?identifier=urn:idem|${body.identifier[0].value}`)).body.total, 1);
  assert.equal((await post('Patient', patient({ active: true }), key)).status, 422);
});
