// https://hl7.org/fhir/R4/binary.html
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, get, json, patient, post, put, unique } from './lib/fhir.mjs';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);

async function fetchBytes(path, headers = {}) {
  const r = await fetch(`${base}/${path}`, { headers });
  return { r, bytes: new Uint8Array(await r.arrayBuffer()) };
}

test('bytes in, bytes out; and as a resource for who asks for FHIR', async () => {
  const made = await post('Binary', bytes, { 'Content-Type': 'image/png', Prefer: 'return=minimal' });
  assert.equal(made.status, 201, made.text);
  const path = made.headers.get('location').slice(base.length + 1).split('/_history')[0];
  const back = await fetchBytes(path);
  assert.equal(back.r.headers.get('content-type'), 'image/png');
  assert.equal(back.r.headers.get('content-disposition'), 'attachment');
  assert.equal(back.r.headers.get('x-content-type-options'), 'nosniff');
  assert.deepEqual(back.bytes, bytes);
  const resource = await get(path, { Accept: json });
  assert.equal(resource.body.contentType, 'image/png');
  assert.deepEqual(Uint8Array.from(Buffer.from(resource.body.data, 'base64')), bytes);
});

test('resource form in, securityContext from the header, update of the bytes', async () => {
  const id = unique();
  const subject = unique();
  await put(`Patient/${subject}`, patient({ id: subject }));
  const r = await put(`Binary/${id}`, { resourceType: 'Binary', id, contentType: 'text/plain', data: 'aGFsbG8=' });
  assert.equal(r.status, 201, r.text);
  assert.equal((await get(`Binary/${id}`, { Accept: 'text/plain' })).text, 'hallo');
  const next = await put(`Binary/${id}`, 'other', { 'Content-Type': 'text/plain', 'X-Security-Context': `Patient/${subject}`, Accept: json });
  assert.equal(next.status, 200, next.text);
  assert.equal(next.body.securityContext.reference, `Patient/${subject}`);
  assert.equal((await get(`Binary/${id}/_history/1`)).text, 'hallo');
  assert.equal((await get(`Binary/${id}`)).text, 'other');
  assert.equal((await put(`Binary/${id}`, 'x', { 'Content-Type': 'text/plain', 'X-Security-Context': 'Pacient/1' })).status, 400);
});
