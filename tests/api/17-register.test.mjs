// One document, one identifier; replacing; attachments; DocumentReference/$generate.
// https://profiles.ihe.net/ITI/MHD/ITI-65.html https://hl7.org/fhir/R4/documentreference.html
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { base, del, get, patient, post, put, unique } from './lib/fhir.mjs';

const ref = (reference) => ({ reference });
const sha1 = (bytes) => createHash('sha1').update(bytes).digest('base64');
const search = async (query) => (await get(query)).body;
const urn = () => ({ system: 'urn:ietf:rfc:3986', value: `urn:uuid:${unique()}` });

async function person() {
  const id = unique();
  const identifier = { system: 'urn:test:person', value: id };
  assert.equal((await put(`Patient/${id}`, patient({ id, identifier: [identifier] }))).status, 201);
  assert.equal((await put(`Practitioner/${id}`, { resourceType: 'Practitioner', id, name: [{ family: 'Holm' }] })).status, 201);
  return { id, identifier };
}

const entry = (p, more = {}) => ({
  resourceType: 'DocumentReference', status: 'current', masterIdentifier: urn(),
  type: { coding: [{ system: 'http://loinc.org', code: '11502-2' }] }, subject: ref(`Patient/${p.id}`),
  content: [{ attachment: { contentType: 'text/plain', data: 'QUJD' } }], ...more,
});

/** A document as another system sends it: its people are entries of its own. */
function letter(p, more = {}, composition = {}) {
  return {
    resourceType: 'Bundle', type: 'document', identifier: urn(), timestamp: '2026-01-02T03:04:05Z',
    entry: [
      { fullUrl: 'urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: {
        resourceType: 'Composition', status: 'final', title: 'Laboratory report', date: '2026-01-02',
        type: { coding: [{ system: 'http://loinc.org', code: '11502-2' }] },
        category: [{ text: 'laboratory' }], confidentiality: 'R',
        subject: ref('urn:uuid:1c3201bd-1cbf-4d64-b04d-cd9187a4c6e0'),
        author: [ref('urn:uuid:2c3201bd-1cbf-4d64-b04d-cd9187a4c6e0')],
        event: [{ period: { start: '2026-01-01', end: '2026-01-02' } }], ...composition } },
      { fullUrl: 'urn:uuid:1c3201bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: {
        resourceType: 'Patient', identifier: [p.identifier], name: [{ family: 'Novak' }] } },
      { fullUrl: 'urn:uuid:2c3201bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: {
        resourceType: 'Practitioner', identifier: [{ system: 'urn:test:doctor', value: unique() }], name: [{ family: 'Lind' }] } },
    ], ...more,
  };
}

const conflict = (r, where) => {
  assert.equal(r.status, 409, r.text);
  assert.equal(r.body.issue[0].code, 'duplicate');
  assert.deepEqual(r.body.issue[0].expression, [where]);
};

test('the same document again is the one that is stored; another one under its identifier is refused', async () => {
  const p = await person();
  const doc = letter(p);
  const first = await post('Bundle', doc);
  assert.equal(first.status, 201, first.text);
  const again = await post('Bundle', doc);
  assert.equal(again.status, 200, again.text);
  assert.equal(again.body.id, first.body.id);
  conflict(await post('Bundle', { ...doc, timestamp: '2026-01-03T03:04:05Z' }), 'Bundle.identifier');
  const other = unique();
  conflict(await put(`Bundle/${other}`, { ...doc, id: other }), 'Bundle.identifier');
  assert.equal((await search(`Bundle?identifier=${doc.identifier.value}&_summary=count`)).total, 1);
  // a Bundle that is no document may have any identifier
  const set = { resourceType: 'Bundle', type: 'collection', identifier: doc.identifier };
  assert.equal((await post('Bundle', set)).status, 201);
  assert.equal((await post('Bundle', set)).status, 201);
});

test('of many equal documents at once one is made', async () => {
  const doc = letter(await person());
  const answers = await Promise.all(Array.from({ length: 16 }, () => post('Bundle', doc)));
  assert.deepEqual(answers.map((r) => r.status).sort(), [...Array(15).fill(200), 201]);
  assert.equal(new Set(answers.map((r) => r.body.id)).size, 1);
});

test('a document known already stands for itself in a transaction', async () => {
  const p = await person();
  const doc = letter(p);
  const first = await post('Bundle', doc);
  const list = { resourceType: 'List', status: 'current', mode: 'working', entry: [{ item: ref('urn:uuid:5c3201bd-1cbf-4d64-b04d-cd9187a4c6e0') }] };
  const r = await post('', { resourceType: 'Bundle', type: 'transaction', entry: [
    { fullUrl: 'urn:uuid:5c3201bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: doc, request: { method: 'POST', url: 'Bundle' } },
    { fullUrl: 'urn:uuid:6c3201bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: list, request: { method: 'POST', url: 'List' } }] });
  assert.equal(r.status, 200, r.text);
  assert.match(r.body.entry[0].response.status, /^200/);
  const stored = await get(r.body.entry[1].response.location.replace(/\/_history.*/, ''));
  assert.equal(stored.body.entry[0].item.reference, `Bundle/${first.body.id}`);
});

test('a masterIdentifier belongs to one reference', async () => {
  const p = await person();
  const one = entry(p);
  const made = await post('DocumentReference', one);
  assert.equal(made.status, 201, made.text);
  assert.equal((await post('DocumentReference', one)).status, 200);
  conflict(await post('DocumentReference', { ...one, description: 'other' }), 'DocumentReference.masterIdentifier');
  const other = entry(p);
  const second = await post('DocumentReference', other);
  conflict(await put(`DocumentReference/${second.body.id}`, { ...other, id: second.body.id, masterIdentifier: one.masterIdentifier }), 'DocumentReference.masterIdentifier');
  // its own it keeps
  assert.equal((await put(`DocumentReference/${made.body.id}`, { ...one, id: made.body.id, status: 'entered-in-error' })).status, 200);
  // a business identifier is shared as one likes, and an identifier with signs of the search grammar is found
  const odd = { system: 'urn:test:a|b', value: `x,$\\${unique()}` };
  assert.equal((await post('DocumentReference', entry(p, { masterIdentifier: odd }))).status, 201);
  conflict(await post('DocumentReference', entry(p, { masterIdentifier: odd, description: 'other' })), 'DocumentReference.masterIdentifier');
  assert.equal((await post('DocumentReference', entry(p, { identifier: [one.masterIdentifier] }))).status, 201);
});

test('what is replaced becomes superseded in the same commit', async () => {
  const p = await person();
  const old = await post('DocumentReference', entry(p));
  const replaces = (id) => ({ relatesTo: [{ code: 'replaces', target: ref(`DocumentReference/${id}`) }] });
  const fresh = await post('DocumentReference', entry(p, replaces(old.body.id)));
  assert.equal(fresh.status, 201, fresh.text);
  assert.equal(fresh.body.status, 'current');
  const now = await get(`DocumentReference/${old.body.id}`);
  assert.equal(now.body.status, 'superseded');
  assert.equal(now.body.meta.versionId, '2');
  assert.equal(now.body.meta.lastUpdated, fresh.body.meta.lastUpdated);
  const found = await search(`DocumentReference/$docref?patient=Patient/${p.id}`);
  assert.deepEqual(found.entry.map((e) => e.resource.id), [fresh.body.id]);
  assert.deepEqual((await search(`DocumentReference?patient=Patient/${p.id}&status=superseded`)).entry.map((e) => e.resource.id), [old.body.id]);
  // what is superseded is not replaced again
  const late = await post('DocumentReference', entry(p, replaces(old.body.id)));
  assert.equal(late.status, 409, late.text);
  assert.match(late.body.issue[0].diagnostics, /superseded already/);
  // changing the newer one later is no second replacing
  assert.equal((await put(`DocumentReference/${fresh.body.id}`, { ...fresh.body, description: 'a' })).status, 200);
  assert.equal((await get(`DocumentReference/${old.body.id}`)).body.meta.versionId, '2');
  // nobody replaces another patient's document
  const other = await person();
  const wrong = await post('DocumentReference', entry(other, replaces(fresh.body.id)));
  assert.equal(wrong.status, 422, wrong.text);
  assert.match(wrong.body.issue[0].diagnostics, /another patient/);
  assert.equal((await get(`DocumentReference/${fresh.body.id}`)).body.status, 'current');
  // one in error replaces nothing, `appends` neither
  await post('DocumentReference', entry(p, { ...replaces(fresh.body.id), status: 'entered-in-error' }));
  await post('DocumentReference', entry(p, { relatesTo: [{ code: 'appends', target: ref(`DocumentReference/${fresh.body.id}`) }] }));
  assert.equal((await get(`DocumentReference/${fresh.body.id}`)).body.status, 'current');
});

test('of many that replace the same document one does', async () => {
  const p = await person();
  const old = await post('DocumentReference', entry(p));
  const answers = await Promise.all(Array.from({ length: 12 }, () =>
    post('DocumentReference', entry(p, { relatesTo: [{ code: 'replaces', target: ref(`DocumentReference/${old.body.id}`) }] }))));
  assert.deepEqual(answers.map((r) => r.status).sort(), [201, ...Array(11).fill(409)]);
  assert.equal((await search(`DocumentReference?patient=Patient/${p.id}&status=current&_summary=count`)).total, 1);
});

test('a transaction may say itself what becomes of the replaced one', async () => {
  const p = await person();
  const old = await post('DocumentReference', entry(p));
  const r = await post('', { resourceType: 'Bundle', type: 'transaction', entry: [
    { resource: entry(p, { relatesTo: [{ code: 'replaces', target: ref(`DocumentReference/${old.body.id}`) }] }), request: { method: 'POST', url: 'DocumentReference' } },
    { resource: { ...old.body, status: 'superseded', description: 'by the sender' }, request: { method: 'PUT', url: `DocumentReference/${old.body.id}` } }] });
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.entry.length, 2);
  const now = (await get(`DocumentReference/${old.body.id}`)).body;
  assert.deepEqual([now.status, now.description, now.meta.versionId], ['superseded', 'by the sender', '2']);
});

test('size and hash of an attachment are those of its bytes', async () => {
  const p = await person();
  const bytes = Buffer.from('a report\n');
  const inline = (more) => post('DocumentReference', entry(p, { content: [{ attachment: { contentType: 'text/plain', data: bytes.toString('base64'), ...more } }] }));
  assert.equal((await inline({ size: bytes.length, hash: sha1(bytes) })).status, 201);
  const bad = async (r, where, pattern) => {
    assert.equal(r.status, 422, r.text);
    assert.match(r.text, pattern);
    assert.ok(r.body.issue.some((i) => i.expression?.[0]?.includes(where)), r.text);
  };
  await bad(await inline({ size: 3 }), 'attachment', /which has 9 bytes/);
  await bad(await inline({ hash: sha1('other') }), 'attachment.hash', /SHA-1 in base64 is/);
  await bad(await inline({ hash: 'AAAA' }), 'attachment.hash', /SHA-1/);

  const binary = await post('Binary', { resourceType: 'Binary', contentType: 'text/plain', data: bytes.toString('base64') });
  const at = (url, more) => entry(p, { content: [{ attachment: { contentType: 'text/plain', url, ...more } }] });
  const url = `Binary/${binary.body.id}`;
  assert.equal((await post('DocumentReference', at(url, { size: 9, hash: sha1(bytes) }))).status, 201);
  assert.equal((await post('DocumentReference', at(`${base}/${url}`, { hash: sha1(bytes) }))).status, 201);
  await bad(await post('DocumentReference', at(url, { size: 10 })), 'attachment.size', /they are 9/);
  await bad(await post('DocumentReference', at(`${base}/${url}`, { hash: sha1('x') })), 'attachment.hash', /SHA-1/);
  await bad(await post('DocumentReference', at(`Binary/${unique()}`, {})), 'attachment.url', /no Binary/);
  assert.equal((await post('DocumentReference', at('https://other.example/Binary/1', { hash: sha1('x') }))).status, 201);

  // in one transaction, whatever the order of its entries
  const both = (hash) => ({ resourceType: 'Bundle', type: 'transaction', entry: [
    { resource: at('urn:uuid:7c3201bd-1cbf-4d64-b04d-cd9187a4c6e0', { hash }), request: { method: 'POST', url: 'DocumentReference' } },
    { fullUrl: 'urn:uuid:7c3201bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: { resourceType: 'Binary', contentType: 'text/plain', data: bytes.toString('base64') }, request: { method: 'POST', url: 'Binary' } }] });
  assert.equal((await post('', both(sha1(bytes)))).status, 200);
  await bad(await post('', both(sha1('x'))), 'attachment.hash', /SHA-1/);

  // a large one
  const large = Buffer.alloc(2 << 20, 7);
  const big = await fetch(`${base}/Binary`, { method: 'POST', headers: { 'Content-Type': 'application/pdf' }, body: large });
  const bigAt = `Binary/${(big.headers.get('location') ?? '').match(/Binary\/([^/]+)/)[1]}`;
  assert.equal((await post('DocumentReference', at(bigAt, { size: large.length, hash: sha1(large) }))).status, 201);
  await bad(await post('DocumentReference', at(bigAt, { size: large.length, hash: sha1('x') })), 'attachment.hash', /SHA-1/);
  // once it is registered, the Binary may go and the reference still be changed
  const keep = await post('DocumentReference', at(url, { size: 9 }));
  assert.equal((await del(url)).status, 204);
  assert.equal((await put(`DocumentReference/${keep.body.id}`, { ...keep.body, status: 'entered-in-error' })).status, 200);
});

test('$generate registers a document', async () => {
  const p = await person();
  const doc = letter(p);
  const stored = await post('Bundle', doc);
  const url = `Bundle/${stored.body.id}`;
  const shown = await get(`DocumentReference/$generate?url=${url}`);
  assert.equal(shown.status, 200, shown.text);
  assert.equal((await get(`DocumentReference/${shown.body.id}`)).status, 404);
  const made = await post(`DocumentReference/$generate?url=${url}&persist=true`, undefined);
  assert.equal(made.status, 201, made.text);
  const d = made.body;
  assert.deepEqual(d.masterIdentifier, doc.identifier);
  assert.deepEqual([d.status, d.docStatus, d.description], ['current', 'final', 'Laboratory report']);
  assert.equal(d.subject.reference, `Patient/${p.id}`); // found by the identifier in the document
  assert.equal(d.author[0].reference, undefined); // unknown here
  assert.equal(d.author[0].identifier.system, 'urn:test:doctor');
  assert.equal(d.author[0].display, 'Lind');
  assert.equal(d.securityLabel[0].coding[0].code, 'R');
  assert.equal(d.content[0].attachment.url, url);
  assert.equal(d.context.period.start, '2026-01-01');
  assert.equal((await get(`DocumentReference/$validate?x`, {}).then(() => post('DocumentReference/$validate', d))).body.issue.every((i) => i.severity !== 'error'), true);
  // again: that one
  const again = await post(`DocumentReference/$generate?url=${url}&persist=true`, undefined);
  assert.equal(again.status, 200, again.text);
  assert.equal(again.body.id, d.id);
  assert.equal((await get(`DocumentReference/$generate?url=${base}/${url}`)).body.id, d.id);
  const found = await search(`DocumentReference?patient=Patient/${p.id}&type=http://loinc.org|11502-2`);
  assert.deepEqual(found.entry.map((e) => e.resource.id), [d.id]);

  // its successor replaces it
  const next = await post('Bundle', letter(p, {}, { relatesTo: [{ code: 'replaces', targetIdentifier: doc.identifier }] }));
  const newer = await post(`DocumentReference/$generate?url=Bundle/${next.body.id}&persist=true`, undefined);
  assert.equal(newer.status, 201, newer.text);
  assert.deepEqual(newer.body.relatesTo, [{ code: 'replaces', target: ref(`DocumentReference/${d.id}`) }]);
  assert.equal((await get(`DocumentReference/${d.id}`)).body.status, 'superseded');
});

test('$generate of a Binary, and what it refuses', async () => {
  const bytes = Buffer.from('PDF');
  const binary = await post('Binary', { resourceType: 'Binary', contentType: 'application/pdf', data: bytes.toString('base64') });
  const made = await post(`DocumentReference/$generate?url=Binary/${binary.body.id}&persist=true`, undefined);
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.body.content[0].attachment, { contentType: 'application/pdf', url: `Binary/${binary.body.id}`, size: 3, hash: sha1(bytes) });
  const status = async (q, method = get) => (await method(`DocumentReference/$generate${q}`, undefined)).status;
  assert.equal(await status(''), 400);
  assert.equal(await status(`?url=Bundle/${unique()}`), 404);
  assert.equal(await status('?url=https://other.example/fhir/Bundle/1'), 400);
  assert.equal(await status('?url=Patient/1'), 400);
  assert.equal(await status(`?url=Binary/${binary.body.id}&persist=true`), 400);
  assert.equal(await status(`?url=Binary/${binary.body.id}&nothing=1`), 400);
  const set = await post('Bundle', { resourceType: 'Bundle', type: 'collection' });
  assert.equal(await status(`?url=Bundle/${set.body.id}`), 400);
});
