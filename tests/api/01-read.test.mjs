// https://hl7.org/fhir/R4/http.html#read
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, del, get, issues, patient, put, send, unique } from './lib/fhir.mjs';

test('read gives the resource with its version headers', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id }));
  const r = await get(`Patient/${id}`);
  assert.equal(r.status, 200);
  assert.equal(r.headers.get('etag'), 'W/"1"');
  assert.ok(Date.parse(r.headers.get('last-modified')));
  assert.match(r.headers.get('content-type'), /^application\/fhir\+json/);
  assert.equal(r.body.id, id);
  assert.equal(r.body.meta.versionId, '1');
  assert.match(r.body.meta.lastUpdated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('HEAD has the headers of GET and no body', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id }));
  const whole = await get(`Patient/${id}`);
  const r = await send('HEAD', `Patient/${id}`);
  assert.equal(r.status, 200);
  assert.equal(r.text, '');
  assert.equal(r.headers.get('etag'), whole.headers.get('etag'));
  assert.equal(r.headers.get('content-length'), String(Buffer.byteLength(whole.text)));
});

test('vread gives each version, and 404 for one that never was', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, gender: 'male' }));
  await put(`Patient/${id}`, patient({ id, gender: 'female' }));
  assert.equal((await get(`Patient/${id}/_history/1`)).body.gender, 'male');
  assert.equal((await get(`Patient/${id}/_history/2`)).body.gender, 'female');
  for (const version of ['3', '0', 'x', '01', '99999999999999999999'])
    assert.equal((await get(`Patient/${id}/_history/${version}`)).status, 404, version);
});

test('what never was is 404, what was deleted 410', async () => {
  const id = unique();
  assert.equal((await get(`Patient/${id}`)).status, 404);
  await put(`Patient/${id}`, patient({ id }));
  assert.equal((await del(`Patient/${id}`)).status, 204);
  const gone = await get(`Patient/${id}`);
  assert.equal(gone.status, 410);
  assert.equal(issues(gone)[0].code, 'deleted');
  assert.equal((await get(`Patient/${id}/_history/1`)).status, 200);
  assert.equal((await get(`Patient/${id}/_history/2`)).status, 410);
});

test('conditional read: If-None-Match and If-Modified-Since', async () => {
  const id = unique();
  const made = await put(`Patient/${id}`, patient({ id }));
  assert.equal((await get(`Patient/${id}`, { 'If-None-Match': 'W/"1"' })).status, 304);
  assert.equal((await get(`Patient/${id}`, { 'If-None-Match': 'W/"7", W/"1"' })).status, 304);
  assert.equal((await get(`Patient/${id}`, { 'If-None-Match': '*' })).status, 304);
  assert.equal((await get(`Patient/${id}`, { 'If-None-Match': 'W/"2"' })).status, 200);
  assert.equal((await get(`Patient/${id}`, { 'If-None-Match': 'nonsense' })).status, 400);
  const at = made.headers.get('last-modified');
  assert.equal((await get(`Patient/${id}`, { 'If-Modified-Since': at })).status, 304);
  assert.equal((await get(`Patient/${id}`, { 'If-Modified-Since': 'Thu, 01 Jan 2015 00:00:00 GMT' })).status, 200);
});

test('_summary and _elements leave out what they say and tag it', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, active: true, birthDate: '1980-01-02', multipleBirthBoolean: true,
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' } }));
  const subsetted = (r) => r.body.meta.tag?.some((t) => t.code === 'SUBSETTED') ?? false;
  const whole = await get(`Patient/${id}`);
  assert.ok(!subsetted(whole));
  const summary = await get(`Patient/${id}?_summary=true`);
  assert.ok(subsetted(summary) && summary.body.active && !summary.body.text && !summary.body.multipleBirthBoolean);
  const text = await get(`Patient/${id}?_summary=text`);
  assert.ok(subsetted(text) && text.body.text && !text.body.active);
  const data = await get(`Patient/${id}?_summary=data`);
  assert.ok(subsetted(data) && !data.body.text && data.body.multipleBirthBoolean);
  const elements = await get(`Patient/${id}?_elements=birthDate`);
  // active is a modifier, so it stays
  assert.deepEqual(Object.keys(elements.body).sort(), ['active', 'birthDate', 'id', 'meta', 'resourceType']);
  assert.equal((await get(`Patient/${id}?_summary=maybe`)).status, 400);
});

test('_pretty and _format', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id }));
  const r = await get(`Patient/${id}?_pretty=true&_format=json`);
  assert.ok(r.text.includes('\n  "id"'));
  assert.equal((await get(`Patient/${id}?_format=application/fhir%2Bjson`)).status, 200);
  assert.equal((await get(`Patient/${id}?_format=text/turtle`)).status, 406);
  assert.equal((await get(`Patient/${id}`, { Accept: 'application/fhir+turtle' })).status, 406);
  assert.equal((await get(`Patient/${id}`, { Accept: 'application/fhir+json; fhirVersion=5.0' })).status, 406);
  assert.equal((await get(`Patient/${id}`, { Accept: 'application/fhir+json; fhirVersion=4.0' })).status, 200);
  assert.equal((await get(`Patient/${id}`, { Accept: 'text/html, */*;q=0.1' })).status, 200);
});

test('outside the base there is nothing, and it says where the base is', async () => {
  const r = await get(base.replace(/\/fhir$/, '/elsewhere'));
  assert.equal(r.status, 404);
  assert.match(issues(r)[0].diagnostics, /\/fhir/);
});
