// https://hl7.org/fhir/R4/resource-operation-meta.html https://hl7.org/fhir/R4/http.html#capabilities
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, patient, post, put, unique } from './lib/fhir.mjs';

const given = (meta) => ({ resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta }] });
const tag = (code) => ({ system: 'urn:tags', code });
const tags = (r) => (r.body.parameter[0].valueMeta?.tag ?? []).map((t) => t.code).sort();

test('$meta, $meta-add and $meta-delete', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, meta: { tag: [tag('a')] } }));
  assert.deepEqual(tags(await get(`Patient/${id}/$meta`)), ['a']);
  assert.deepEqual(tags(await post(`Patient/${id}/$meta-add`, given({ tag: [tag('a'), tag('b')] }))), ['a', 'b']);
  assert.deepEqual((await get(`Patient/${id}`)).body.meta.tag.map((t) => t.code).sort(), ['a', 'b']);
  assert.deepEqual(tags(await post(`Patient/${id}/$meta-delete`, given({ tag: [tag('a')] }))), ['b']);
  assert.equal((await get(`Patient?_tag=urn:tags|a&_id=${id}`)).body.total, 0);
  assert.equal((await get(`Patient?_tag=urn:tags|b&_id=${id}`)).body.total, 1);
  assert.deepEqual(tags(await get(`Patient/${id}/_history/1/$meta`)), ['a']);
  assert.ok(tags(await get('Patient/$meta')).includes('b'));
  assert.ok(tags(await get('$meta')).includes('b'));
  assert.equal((await post(`Patient/${id}/$meta-add`, {})).status, 422);
  assert.equal((await post(`Patient/${unique()}/$meta-add`, given({ tag: [tag('a')] }))).status, 404);
});

test('the CapabilityStatement says what is wired, and has an ETag', async () => {
  const r = await get('metadata');
  assert.equal(r.status, 200);
  assert.equal(r.body.resourceType, 'CapabilityStatement');
  assert.equal(r.body.fhirVersion, '4.0.1');
  assert.equal((await get('metadata', { 'If-None-Match': r.headers.get('etag') })).status, 304);
  const rest = r.body.rest[0];
  assert.equal(rest.resource.length, 146);
  const one = rest.resource.find((x) => x.type === 'Patient');
  for (const code of ['read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'history-type', 'create', 'search-type'])
    assert.ok(one.interaction.some((i) => i.code === code), code);
  assert.ok(rest.interaction.some((i) => i.code === 'transaction'));
  assert.match(rest.security.description, /--auth off/);
  // each parameter it names is one that a search takes
  for (const p of one.searchParam) {
    const value = { number: '1', date: '2020', string: 'x', token: 'x', reference: 'Patient/1', quantity: '1', uri: 'urn:x' }[p.type];
    if (value === undefined) continue;
    const found = await get(`Patient?${encodeURIComponent(p.name)}=${value}`);
    assert.equal(found.status, 200, `${p.name} ${found.text}`);
  }
});
