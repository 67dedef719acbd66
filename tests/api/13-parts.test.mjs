// Long base64 values (a Binary's data, an attachment's) are kept once, and given back as they came.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { base, get, json, patient, post, put, unique } from './lib/fhir.mjs';
import { binary } from './lib/server.mjs';

const tamper = join(dirname(binary), 'tests/api/tamper');

// Bytes that do not compress, the same each time.
function bytesOf(n, seed) {
  const parts = [];
  for (let i = 0; i * 32 < n; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, n);
}

const pdf = bytesOf(100 * 1024, 'a scan');

function document(id, subject, data) {
  const attachment = {
    contentType: 'application/pdf',
    data: data.toString('base64'),
    size: data.length,
    hash: createHash('sha1').update(data).digest('base64'),
  };
  return { resourceType: 'DocumentReference', id, status: 'current', subject: { reference: subject }, content: [{ attachment }] };
}

async function fetchBytes(path) {
  const r = await fetch(`${base}/${path}`, { headers: { Accept: '*/*' } });
  assert.equal(r.status, 200);
  return Buffer.from(await r.arrayBuffer());
}

test('bytes and base64 come out as they went in, in every version', async () => {
  const id = unique();
  const other = bytesOf(5000, 'another');
  assert.equal((await put(`Binary/${id}`, pdf, { 'Content-Type': 'application/pdf' })).status, 201);
  const resource = { resourceType: 'Binary', id, contentType: 'application/pdf', data: other.toString('base64') };
  assert.equal((await put(`Binary/${id}`, resource)).status, 200);
  const spaced = { ...resource, data: resource.data.replace(/(.{76})/g, '$1 ') };
  assert.equal((await put(`Binary/${id}`, spaced)).status, 200);
  assert.ok((await fetchBytes(`Binary/${id}/_history/1`)).equals(pdf));
  assert.ok((await fetchBytes(`Binary/${id}/_history/2`)).equals(other));
  assert.ok((await fetchBytes(`Binary/${id}`)).equals(other));
  const versions = (await get(`Binary/${id}/_history`, { Accept: json })).body.entry.map((e) => e.resource.data);
  assert.deepEqual(versions, [spaced.data, resource.data, pdf.toString('base64')]);
});

test('two Binaries and an attachment with the same bytes; XML, search and history have them', async () => {
  const subject = unique();
  await put(`Patient/${subject}`, patient({ id: subject }));
  const first = await post('Binary', pdf, { 'Content-Type': 'application/pdf' });
  const second = await post('Binary', pdf, { 'Content-Type': 'application/pdf' });
  // nothing in the answer tells that somebody has them already
  const shape = (r) => [r.status, [...r.headers.keys()].sort().join(), r.headers.get('etag')];
  assert.deepEqual(shape(second), shape(first));
  const id = unique();
  const made = await put(`DocumentReference/${id}`, document(id, `Patient/${subject}`, pdf));
  assert.equal(made.status, 201, made.text);
  const found = await get(`DocumentReference?patient=${subject}`);
  assert.equal(found.body.entry[0].resource.content[0].attachment.data, pdf.toString('base64'));
  const xml = await get(`DocumentReference/${id}`, { Accept: 'application/fhir+xml' });
  assert.ok(xml.text.includes(`<data value="${pdf.toString('base64')}"/>`));
  for (const r of [first, second]) {
    const path = r.headers.get('location').slice(base.length + 1).split('/_history')[0];
    assert.ok((await fetchBytes(path)).equals(pdf));
  }
});

// ---- what is kept, as the commands tell it ----

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'medulla-parts-'));
});
after(() => rmSync(folder, { recursive: true }));

function run(...words) {
  const child = spawnSync(binary, words, { encoding: 'utf8' });
  return { code: child.status, text: child.stdout + child.stderr };
}

function store(name) {
  const file = join(folder, `${name}.ndjson`);
  const data = join(folder, name);
  const encoded = { resourceType: 'Binary', contentType: 'application/pdf', data: pdf.toString('base64') };
  const resources = [
    { resourceType: 'Patient', id: 'p' },
    { resourceType: 'Patient', id: 'q' },
    { ...encoded, id: 'a' },
    { ...encoded, id: 'b' },
    document('d', 'Patient/p', pdf),
    document('e', 'Patient/q', pdf),
    document('f', 'Patient/q', bytesOf(6000, 'of q alone')),
  ];
  writeFileSync(file, resources.map((r) => JSON.stringify(r)).join('\n'));
  const done = run('import', '--data', data, file);
  assert.equal(done.code, 0, done.text);
  return data;
}

function kept(data) {
  const answer = run('verify', '--data', data);
  assert.equal(answer.code, 0, answer.text);
  assert.match(answer.text, / 0 faults$/m);
  return Number(/^(\d+) long values?/m.exec(answer.text)?.[1] ?? 0);
}

test('they are kept once, and go with their last holder', () => {
  const data = store('once');
  assert.equal(kept(data), 2);
  const purge = (...what) => assert.equal(run('purge', '--data', data, '--reason', 'a test', ...what).code, 0);
  purge('--whole-patient', 'Patient/q');
  assert.equal(kept(data), 1);
  const out = join(folder, 'out');
  assert.equal(run('export', '--data', data, out).code, 0);
  purge('Binary/a');
  purge('Binary/b');
  assert.equal(kept(data), 1);
  purge('DocumentReference/d');
  assert.equal(kept(data), 0);
});

test('a backup has them', () => {
  const data = store('backed-up');
  const copy = join(folder, 'copy');
  const again = join(folder, 'again');
  const saved = run('backup', '--data', data, '--with-key', copy);
  assert.equal(saved.code, 0, saved.text);
  const restored = run('restore', '--data', again, copy);
  assert.equal(restored.code, 0, restored.text);
  assert.equal(kept(again), 2);
});

const skip = existsSync(tamper) && process.env.MEDULLA_TEST_STORE !== 'postgres' ? false : 'no tests/api/tamper, or another store';
test('one that was changed is found', { skip }, () => {
  const data = store('changed');
  const sql = "UPDATE part SET bytes = substr(bytes, 1, 3000) || x'00' || substr(bytes, 3002) WHERE length(bytes) > 10000";
  assert.equal(spawnSync(tamper, [data, sql]).status, 0);
  const answer = run('verify', '--data', data);
  assert.equal(answer.code, 1);
  assert.match(answer.text, /^part: long value \d+: it is not what its hash says/m);
  assert.match(answer.text, /^version: .*a stored version is damaged/m);
});
