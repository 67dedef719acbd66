// https://hl7.org/fhir/R4/documents.html https://hl7.org/fhir/R4/composition-operation-document.html
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { base, del, get, patch, patient, post, put, unique } from './lib/fhir.mjs';
import { medulla, startServer } from './lib/server.mjs';

const ref = (reference) => ({ reference });
const types = (bundle) => bundle.entry.map((e) => e.resource.resourceType);

async function visit() {
  const id = unique();
  const other = unique();
  const put1 = async (resource) => {
    const r = await put(`${resource.resourceType}/${resource.id}`, resource);
    assert.equal(r.status, 201, r.text);
  };
  await put1({ resourceType: 'Organization', id, name: 'Ward' });
  await put1({ resourceType: 'Practitioner', id, name: [{ family: 'Holm' }] });
  await put1(patient({ id: other }));
  await put1(patient({ id, managingOrganization: ref(`Organization/${id}`), link: [{ other: ref(`Patient/${other}`), type: 'seealso' }] }));
  await put1({ resourceType: 'Specimen', id, subject: ref(`Patient/${id}`) });
  await put1({ resourceType: 'Observation', id, status: 'final', code: { text: 'Hb' }, subject: ref(`Patient/${id}`), specimen: ref(`Specimen/${id}`) });
  await put1({
    resourceType: 'Composition', id, status: 'final', type: { text: 'Letter' }, date: '2026-01-02', title: 'Letter',
    subject: ref(`Patient/${id}`), author: [ref(`Practitioner/${id}`)],
    section: [{ title: 'Results', entry: [ref(`Observation/${id}`)] }],
  });
  return id;
}

test('$document holds what the Composition needs, in the order of the document', async () => {
  const id = await visit();
  const r = await get(`Composition/${id}/$document`);
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.type, 'document');
  assert.equal(r.body.identifier.value, `urn:uuid:${r.body.id}`);
  assert.ok(r.body.timestamp);
  assert.deepEqual(types(r.body), ['Composition', 'Patient', 'Practitioner', 'Observation', 'Organization', 'Specimen']);
  assert.equal(r.body.entry[1].fullUrl, `${base}/Patient/${id}`); // not the patient that is linked
  assert.deepEqual(types((await get(`Composition/${id}/$document`)).body), types(r.body));
  assert.equal((await get(`Bundle/${r.body.id}`)).status, 404);
  assert.equal((await get(`Composition/${unique()}/$document`)).status, 404);
  assert.equal((await get(`Composition/${id}/$document?persist=true`)).status, 400);
  assert.equal((await get(`Composition/${id}/$document?persist=maybe`)).status, 400);
});

test('a stored document is sealed', async () => {
  const id = await visit();
  const made = await post(`Composition/${id}/$document?persist=true`, undefined);
  assert.equal(made.status, 200, made.text);
  const at = `Bundle/${made.body.id}`;
  assert.ok(made.headers.get('content-location').endsWith(`${at}/_history/1`));
  const stored = await get(at);
  assert.equal(stored.status, 200);
  assert.deepEqual(stored.body.entry, made.body.entry);
  const says = async (r, status = 409) => {
    assert.equal(r.status, status, r.text);
    if (status === 409) assert.match(r.body.issue[0].diagnostics, /sealed/);
  };
  await says(await put(at, { ...stored.body, timestamp: '2020-01-01T00:00:00Z' }));
  await says(await put(at, { resourceType: 'Bundle', id: made.body.id, type: 'collection' }));
  await says(await patch(at, [{ op: 'replace', path: '/timestamp', value: '2020-01-01T00:00:00Z' }], { 'Content-Type': 'application/json-patch+json' }));
  await says(await post(`${at}/$meta-add`, { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] }));
  await says(await del(at));
  await says(await put(at, stored.body), 200); // the same again is no change
  assert.equal((await get(at)).body.meta.versionId, '1');
  // a change of what it was made of does not reach it
  await put(`Observation/${id}`, { resourceType: 'Observation', id, status: 'corrected', code: { text: 'Hb' }, subject: ref(`Patient/${id}`) });
  assert.equal((await get(at)).body.entry.find((e) => e.resource.resourceType === 'Observation').resource.status, 'final');
});

test('a document that is sent is checked', async () => {
  const id = await visit();
  const good = (await get(`Composition/${id}/$document`)).body;
  const bad = async (change, where, pattern) => {
    const copy = structuredClone(good);
    change(copy);
    const r = await post('Bundle', copy);
    assert.equal(r.status, 422, r.text);
    assert.match(JSON.stringify(r.body.issue), pattern);
    assert.ok(r.body.issue.some((i) => i.expression?.some((e) => e.startsWith(where))), r.text);
  };
  await bad((b) => delete b.identifier, 'Bundle', /identifier/);
  await bad((b) => delete b.timestamp, 'Bundle', /put together|timestamp|date/);
  await bad((b) => b.entry.reverse(), 'Bundle', /Composition/);
  await bad((b) => b.entry.splice(3, 1), 'Bundle.entry[0]', /must be an entry|no entry has this address/);
  // what came from elsewhere names what is in it, not what is here
  const text = JSON.stringify(good).replaceAll(base, 'http://elsewhere.org/fhir').replaceAll(id, `${id}-x`);
  const elsewhere = JSON.parse(text);
  elsewhere.identifier.value = `urn:uuid:${unique()}`;
  assert.equal((await post('Bundle', elsewhere)).status, 201);
  const sent = await post('Bundle', good);
  assert.equal(sent.status, 201, sent.text);
  assert.deepEqual(sent.body.entry, good.entry);
  assert.equal((await get(`Bundle?composition=Composition/${id}&_summary=count`)).status, 200);
});

test('an import keeps a document whole, and does not change one that is sealed', async () => {
  const s = await startServer();
  const doc = (title) => ({ resourceType: 'Bundle', id: 'd', type: 'document', timestamp: '2026-01-01T00:00:00Z', identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:6d8cb7a8-41c2-44b7-9a0f-6a2e0a7f3b11' },
    entry: [{ fullUrl: 'urn:uuid:6d8cb7a8-41c2-44b7-9a0f-6a2e0a7f3b12', resource: { resourceType: 'Composition', status: 'final', type: { text: 'L' }, date: '2026-01-01', author: [{ display: 'x' }], title } }] });
  const reference = { resourceType: 'DocumentReference', id: 'r', status: 'current', masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:x' }, content: [{ attachment: { url: 'http://example.org/x' } }] };
  const load = async (name, ...resources) => {
    const file = join(s.folder, name), rejects = `${file}.rejects`;
    writeFileSync(file, `${resources.map((r) => JSON.stringify(r)).join('\n')}\n`);
    const { code } = await medulla(['import', '--data', s.data, '--rejects', rejects, file]);
    return { code, rejects: existsSync(rejects) ? readFileSync(rejects, 'utf8') : '' };
  };
  const stored = async (path) => (await fetch(`${s.base}/${path}`)).json();
  try {
    const first = await load('a.ndjson', doc('First'), reference);
    assert.deepEqual(first, { code: 0, rejects: '' });
    assert.equal((await stored('Bundle/d')).entry[0].resource.title, 'First');
    assert.equal((await stored('DocumentReference/r')).masterIdentifier.value, 'urn:x');
    assert.equal((await stored('Composition?_summary=count')).total, 0);
    assert.match((await load('b.ndjson', doc('Other'))).rejects, /sealed/);
    assert.match((await load('c.ndjson', { ...doc('Other'), id: undefined })).rejects, /another document/);
    assert.equal((await load('d.ndjson', { ...doc('First'), id: undefined })).code, 0);
    assert.match((await load('e.ndjson', { ...reference, id: 'r2' })).rejects, /another document/);
    const now = await stored('Bundle/d');
    assert.deepEqual([now.meta.versionId, now.entry[0].resource.title], ['1', 'First']);
    assert.equal((await stored('Bundle?_summary=count')).total, 1);
  } finally {
    await s.stop();
  }
});

test('$docref finds the documents of a patient that are current', async () => {
  const id = await visit();
  const register = (more) => post('DocumentReference', {
    resourceType: 'DocumentReference', status: 'current', subject: ref(`Patient/${id}`), date: '2026-01-02T00:00:00Z',
    type: { coding: [{ system: 'http://loinc.org', code: '18842-5' }] },
    context: { period: { start: '2026-01-01', end: '2026-01-02' } },
    content: [{ attachment: { url: 'http://t.org/d' } }], ...more,
  });
  const first = (await register({})).body;
  const second = (await register({ date: '2026-02-02T00:00:00Z', relatesTo: [{ code: 'replaces', target: ref(`DocumentReference/${first.id}`) }] })).body;
  const other = (await register({ type: { coding: [{ system: 'http://loinc.org', code: '11502-2' }] }, context: undefined })).body;
  await put(`DocumentReference/${first.id}`, { ...first, status: 'superseded' });
  const ids = (r) => r.body.entry?.map((e) => e.resource.id) ?? [];
  assert.deepEqual(ids(await get(`DocumentReference/$docref?patient=${id}`)), [second.id, other.id]);
  assert.deepEqual(ids(await get(`DocumentReference/$docref?patient=${id}&type=http://loinc.org|11502-2`)), [other.id]);
  assert.deepEqual(ids(await get(`DocumentReference/$docref?patient=${id}&start=2025-12-31&end=2026-01-31`)), [second.id]);
  const posted = await post('DocumentReference/$docref', { resourceType: 'Parameters', parameter: [{ name: 'patient', valueId: id }] });
  assert.deepEqual(ids(posted), [second.id, other.id]);
  assert.equal((await get('DocumentReference/$docref')).status, 400);
  assert.equal((await get(`DocumentReference/$docref?patient=${id}&on-demand=true`)).status, 400);
  assert.equal((await get(`DocumentReference/$docref?patient=${id}&foo=1`)).status, 400);
});
