// Search parameters added at run time, and the background tasks that make their index rows.
// https://hl7.org/fhir/R4/searchparameter.html
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, medulla, startServer, storeSettings } from './lib/server.mjs';
import { json, observation, patient } from './lib/fhir.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const url = 'http://example.org/eye';
const eye = (colour) => ({ extension: [{ url, valueCode: colour }] });
const parameter = (more = {}) => ({ resourceType: 'SearchParameter', url: `http://example.org/sp/${more.code ?? 'eye'}`,
  name: 'eye', status: 'active', description: 'colour of the eyes', code: 'eye', base: ['Patient'], type: 'token',
  expression: `Patient.extension.where(url = '${url}').value`, ...more });

async function ask(s, method, path, body, headers = {}) {
  const r = await fetch(path.startsWith('http') ? path : `${s.base}/${path}`, { method, headers: { ...(body !== undefined && { 'Content-Type': json }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await r.text();
  return { status: r.status, headers: r.headers, body: text ? JSON.parse(text) : undefined };
}
const said = (r) => r.body?.issue?.map((i) => `${i.code} ${i.diagnostics} ${i.expression ?? ''}`).join('; ') ?? '';
const ids = (r) => (r.body.entry ?? []).map((e) => e.resource.id).sort();

// Until searches may use it: 503 and how far it is, never a part of the answer.
async function ready(s, query, total) {
  for (let i = 0; i < 600; i++) {
    const r = await ask(s, 'GET', query);
    if (r.status === 200) {
      if (total !== undefined) assert.equal(r.body.total, total, query);
      return r;
    }
    assert.equal(r.status, 503, said(r));
    assert.match(said(r), /is not ready: .* of about \d+ resources/);
    assert.ok(r.headers.get('retry-after'));
    await sleep(100);
  }
  return assert.fail('never ready');
}
const searchParams = async (s, type) => (await ask(s, 'GET', 'metadata')).body.rest[0].resource
  .find((r) => r.type === type).searchParam.map((p) => p.name);

let server;
before(async () => { server = await startServer(); });
after(async () => { assert.equal(await server.stop(), 0); });

test('no lists of parts of words are made of an added parameter: :contains is priced, and said so', async () => {
  const s = await startServer({ MEDULLA_FHIR_SEARCH_COST: '1' });
  try {
    const entry = Array.from({ length: 400 }, (_, i) => ({ request: { method: 'PUT', url: `Patient/n${i}` },
      resource: { ...patient({ contact: [{ name: { text: `Kin number ${i}` } }], identifier: [{ system: 'urn:n', value: `${i}` }] }), id: `n${i}` } }));
    assert.equal((await ask(s, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status, 200);
    assert.equal((await ask(s, 'PUT', 'SearchParameter/kin', { ...parameter({ code: 'kin', type: 'string', expression: 'Patient.contact.name.text' }), id: 'kin' })).status, 201);
    await ready(s, 'Patient?kin=kin%20number%2017&identifier=urn:n|17', 1);
    const dear = await ask(s, 'GET', 'Patient?kin:contains=mber%2017');
    assert.equal(dear.status, 403, said(dear));
    assert.match(said(dear), /^too-costly .* no lists of parts of words are made of a parameter that was added here: .*add a patient/);
    assert.deepEqual(ids(await ask(s, 'GET', 'Patient?kin:contains=mber%2017&identifier=urn:n|17,urn:n|18')), ['n17']);
    const job = await ask(s, 'GET', 'Patient?kin:contains=mber%2017', undefined, { Prefer: 'respond-async' });
    assert.equal(job.status, 202);
    let done;
    for (let i = 0; i < 600 && done?.status !== 200; i++, await sleep(50)) done = await ask(s, 'GET', job.headers.get('content-location'));
    assert.deepEqual(ids(done), [17, ...Array.from({ length: 10 }, (_, i) => 170 + i)].map((i) => `n${i}`).sort());
  } finally {
    assert.equal(await s.stop(), 0);
  }
});

test('while the lists of words are being made, a search that needs them says so', { skip: process.env.MEDULLA_TEST_STORE === 'postgres' && 'a store in files' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-lists-')), data = join(folder, 'store'), file = join(folder, 'many.ndjson');
  const narrative = Array.from({ length: 200 }, (_, i) => `word${i}`).join(' ');
  writeFileSync(file, Array.from({ length: 8000 }, (_, i) => JSON.stringify({ ...patient({ name: [{ text: `Kin number ${i}` }],
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${narrative} ${i}</div>` } }), id: `n${i}` })).join('\n'));
  assert.equal((await medulla(['import', '--data', data, file])).code, 0);
  const s = await startServer({ MEDULLA_FHIR_SEARCH_COST: '1' }, { data });
  try {
    const early = await ask(s, 'GET', 'Patient?name:contains=mber%207999');
    assert.equal(early.status, 403, said(early));
    assert.match(said(early), /^too-costly .* the lists of words are still being made: ask again later, or/);
    let late;
    for (let i = 0; i < 1200 && late?.status !== 200; i++, await sleep(50)) late = await ask(s, 'GET', 'Patient?name:contains=mber%207999');
    assert.deepEqual(ids(late), ['n7999']);
  } finally {
    assert.equal(await s.stop(), 0);
    rmSync(folder, { recursive: true });
  }
});

test('what is stored is indexed, then searches may use it and /metadata names it', async () => {
  for (let i = 0; i < 150; i++) assert.equal((await ask(server, 'PUT', `Patient/a${i}`, { ...patient(), id: `a${i}`, ...eye(i % 3 ? 'blue' : 'brown') })).status, 201);
  assert.equal((await ask(server, 'GET', 'Patient?eye=blue')).status, 400);
  assert.ok(!(await searchParams(server, 'Patient')).includes('eye'));
  assert.equal((await ask(server, 'PUT', 'SearchParameter/eye', { ...parameter(), id: 'eye' })).status, 201);
  await ready(server, 'Patient?eye=blue', 100);
  assert.ok((await searchParams(server, 'Patient')).includes('eye'));
  assert.equal((await ask(server, 'GET', 'Patient?eye:not=blue&_summary=count')).body.total, 50);
  assert.equal((await ask(server, 'GET', 'Patient?eye=brown&_id=a0')).body.total, 1);
  assert.equal((await ask(server, 'GET', 'Patient?eye:missing=true&_id=a0')).body.total, 0);
});

test('what is written meanwhile and afterwards is indexed at once', async () => {
  const r = await ask(server, 'POST', 'Patient', { ...patient(), ...eye('green') });
  assert.equal((await ask(server, 'GET', 'Patient?eye=green')).body.total, 1);
  await ask(server, 'PUT', `Patient/${r.body.id}`, { ...r.body, ...eye('grey') });
  assert.equal((await ask(server, 'GET', 'Patient?eye=green')).body.total, 0);
  assert.equal((await ask(server, 'GET', 'Patient?eye=grey')).body.total, 1);
  // Writers that never pause, while a parameter comes: none of theirs is missed.
  let writing = true, written = 0;
  const writers = [1, 2, 3, 4].map(async (w) => {
    for (let i = 0; writing; i++, written++) assert.equal((await ask(server, 'PUT', `Patient/w${w}-${i}`, { ...patient(), id: `w${w}-${i}`, extension: [{ url: 'http://example.org/shoe', valueInteger: 40 }] })).status, 201);
  });
  await sleep(200);
  assert.equal((await ask(server, 'PUT', 'SearchParameter/shoe', { ...parameter({ code: 'shoe', type: 'number', expression: "Patient.extension('http://example.org/shoe').value" }), id: 'shoe' })).status, 201);
  await ready(server, 'Patient?shoe=40&_summary=count');
  writing = false;
  await Promise.all(writers);
  assert.equal((await ask(server, 'GET', 'Patient?shoe=40&_summary=count')).body.total, written);
});

test('each type of parameter; the same code on different types', async () => {
  const make = (code, type, expression, more = {}) => ask(server, 'PUT', `SearchParameter/${code}-${type}`, { ...parameter({ code, type, expression, ...more }), id: `${code}-${type}`, url: `http://example.org/sp/${code}-${type}` });
  await ask(server, 'PUT', 'Patient/types', { ...patient(), id: 'types', birthDate: '1970-01-01', multipleBirthInteger: 3, contact: [{ name: { family: 'Svěrák' }, telecom: [{ system: 'email', value: 'x@example.org' }] }],
    extension: [{ url: 'http://example.org/mass', valueQuantity: { value: 70, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' } },
      { url: 'http://example.org/since', valueDate: '2020-05-01' }, { url: 'http://example.org/page', valueUri: 'http://example.org/a' }] });
  await ask(server, 'PUT', 'Observation/types', { ...observation('Patient/types'), id: 'types', focus: [{ reference: 'Patient/types' }] });
  assert.equal((await make('contact', 'string', 'Patient.contact.name.family')).status, 201);
  assert.equal((await make('nth', 'number', 'Patient.multipleBirth as integer')).status, 201);
  assert.equal((await make('mass', 'quantity', "Patient.extension('http://example.org/mass').value")).status, 201);
  assert.equal((await make('since', 'date', "Patient.extension('http://example.org/since').value as date")).status, 201);
  assert.equal((await make('page', 'uri', "Patient.extension('http://example.org/page').value")).status, 201);
  assert.equal((await make('about', 'reference', 'Observation.focus.where(resolve() is Patient)', { base: ['Observation'], target: ['Patient'] })).status, 201);
  assert.equal((await make('since', 'token', 'Observation.status', { base: ['Observation'] })).status, 201);
  for (const query of ['Patient?contact=sverak', 'Patient?contact:contains=VERA', 'Patient?nth=3', 'Patient?mass=gt69000||g', 'Patient?since=2020-05', 'Patient?page=http://example.org/a',
    'Observation?about=Patient/types', 'Observation?since=final&_id=types', 'Observation?about.contact=sverak', 'Patient?_has:Observation:about:since=final'])
    assert.deepEqual(ids(await ready(server, query)), ['types'], query);
  const included = await ask(server, 'GET', 'Observation?_id=types&_include=Observation:about');
  assert.deepEqual(ids(included), ['types', 'types']);
  assert.equal((await ask(server, 'GET', 'Patient?_sort=-nth&nth=3')).status, 200);
});

test('a changed expression makes the rows anew; a retired one loses them', async () => {
  await ask(server, 'PUT', 'Patient/b1', { ...patient({ gender: 'female' }), id: 'b1', ...eye('black') });
  assert.equal((await ask(server, 'GET', 'Patient?eye=black')).body.total, 1);
  assert.equal((await ask(server, 'PUT', 'SearchParameter/eye', { ...parameter({ expression: 'Patient.gender' }), id: 'eye' })).status, 200);
  await ready(server, 'Patient?eye=female', 1);
  assert.equal((await ask(server, 'GET', 'Patient?eye=black')).body.total, 0);
  // What is said of it for people makes nothing anew.
  assert.equal((await ask(server, 'PUT', 'SearchParameter/eye', { ...parameter({ expression: 'Patient.gender', description: 'other' }), id: 'eye' })).status, 200);
  assert.equal((await ask(server, 'GET', 'Patient?eye=female')).status, 200);
  assert.equal((await ask(server, 'PUT', 'SearchParameter/eye', { ...parameter({ status: 'retired' }), id: 'eye' })).status, 200);
  assert.match(said(await ask(server, 'GET', 'Patient?eye=female')), /unknown search parameter 'eye'/);
  assert.equal((await ask(server, 'DELETE', 'SearchParameter/shoe')).status < 300, true);
  assert.equal((await ask(server, 'GET', 'Patient?shoe=40')).status, 400);
});

const bad = [
  ['a syntax error', { expression: 'Patient.name.(family' }, 422, /SearchParameter\.expression/],
  ['an unknown element', { expression: 'Patient.nane.family' }, 422, /nane.*name.*SearchParameter\.expression|name.*SearchParameter\.expression/],
  ['no expression', { expression: undefined }, 422, /needs a FHIRPath expression.*SearchParameter\.expression/],
  ['an expression about another type', { expression: 'Observation.status' }, 422, /about Patient/],
  ['an expression beyond 4 KiB', { expression: `Patient.name.where(family = '${'x'.repeat(4100)}')` }, 422, /4096 bytes/],
  ['a code of the standard', { code: 'birthdate' }, 409, /already.*SearchParameter\.code/],
  ['a code that all types have', { code: '_id' }, 422, /letters, digits/],
  ['a code with a dot', { code: 'a.b' }, 422, /letters, digits/],
  ['a code with a colon', { code: 'a:b' }, 422, /letters, digits/],
  ['a composite', { type: 'composite' }, 422, /number, date, string/],
  ['a special one', { type: 'special' }, 422, /number, date, string/],
  ['an unknown base', { base: ['Pationt'] }, 422, /Patient/],
];
for (const [name, more, status, pattern] of bad) {
  test(`refused: ${name}`, async () => {
    const r = await ask(server, 'POST', 'SearchParameter', parameter({ code: 'bad', ...more }));
    assert.equal(r.status, status, said(r));
    assert.match(said(r), pattern);
  });
}

test('two with one code on one type: the second is refused, also when both come at once', async () => {
  const both = await Promise.all(['x', 'y', 'z'].map((n) => ask(server, 'POST', 'SearchParameter', parameter({ code: 'twice', url: `http://example.org/sp/${n}`, expression: 'Patient.gender' }))));
  assert.deepEqual(both.map((r) => r.status).sort(), [201, 409, 409]);
  assert.match(said(both.find((r) => r.status === 409)), /gives Patient a search parameter 'twice' already/);
});

test('drafts and those of the standard are only stored', async () => {
  assert.equal((await ask(server, 'POST', 'SearchParameter', parameter({ code: 'birthdate', status: 'draft' }))).status, 201);
  assert.equal((await ask(server, 'POST', 'SearchParameter', parameter({ code: 'birthdate', url: 'http://hl7.org/fhir/SearchParameter/individual-birthdate' }))).status, 201);
});

test('no more than 200', async () => {
  const s = await startServer();
  const entry = Array.from({ length: 200 }, (_, i) => ({ request: { method: 'PUT', url: `SearchParameter/n${i}` },
    resource: { ...parameter({ code: `n${i}`, expression: 'Patient.gender' }), id: `n${i}` } }));
  assert.equal((await ask(s, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status, 200);
  const one = await ask(s, 'POST', 'SearchParameter', parameter({ code: 'more', expression: 'Patient.gender' }));
  assert.equal(one.status, 403, said(one));
  assert.match(said(one), /too-costly this server has 200 search parameters of its own/);
  assert.equal((await ask(s, 'PUT', 'SearchParameter/n0', { ...parameter({ code: 'n0', expression: 'Patient.active' }), id: 'n0' })).status, 200);
  assert.equal(await s.stop(), 0);
});

// ---- a server that is killed while it indexes ----

async function start(folder, port, settings) {
  const child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--log-level', 'warn'],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '', ...settings }, stdio: ['ignore', 'inherit', 'inherit'] });
  for (let i = 0; ; i++) {
    try { if ((await fetch(`http://127.0.0.1:${port}/health/ready`)).ok) break; } catch { /* not yet */ }
    if (i > 300 || child.exitCode !== null) throw new Error('the server did not start');
    await sleep(50);
  }
  return child;
}
const run = (folder, settings, ...args) => execFileSync(binary, [args[0], '--data', join(folder, 'store'), ...args.slice(1)], { encoding: 'utf8', env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'ignore'] });

test('a task outlives kill -9, is shown, cancelled and begun again; verify, backup and restore know', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-parameters-'));
  const settings = storeSettings();
  const port = await freePort();
  const s = { base: `http://127.0.0.1:${port}/fhir` };
  let child = await start(folder, port, settings);
  try {
    const n = 1500;
    for (let at = 0; at < n; at += 300)
      assert.equal((await ask(s, 'POST', '', { resourceType: 'Bundle', type: 'transaction', entry: Array.from({ length: 300 }, (_, i) => ({
        request: { method: 'PUT', url: `Patient/k${at + i}` }, resource: { ...patient(), id: `k${at + i}`, ...eye('blue') } })) })).status, 200);
    assert.equal((await ask(s, 'PUT', 'SearchParameter/eye', { ...parameter(), id: 'eye' })).status, 201);
    assert.equal((await ask(s, 'GET', 'Patient?eye=blue')).status, 503);
    child.kill('SIGKILL');
    await once(child, 'exit');
    if (!settings.MEDULLA_STORE_URL) assert.match(run(folder, settings, 'verify'), / 0 faults/);
    child = await start(folder, port, settings);
    await ready(s, 'Patient?eye=blue&_summary=count', n);
    assert.match(run(folder, settings, 'tasks'), /task:index:eye {2}done index \(eye of Patient\): 1500 of about 1500/);
    assert.match(run(folder, settings, 'verify'), / 0 faults/);
    // Cancelled: searches say so. Begun again: ready.
    assert.equal((await ask(s, 'PUT', 'SearchParameter/eye', { ...parameter({ expression: 'Patient.gender' }), id: 'eye' })).status, 200);
    try { run(folder, settings, 'tasks', 'cancel', 'task:index:eye'); } catch { /* it was quicker */ }
    const state = run(folder, settings, 'tasks');
    if (/cancelled/.test(state)) {
      for (let i = 0; i < 50 && (await ask(s, 'GET', 'Patient?eye=female')).status === 503; i++) await sleep(100);
      assert.match(said(await ask(s, 'GET', 'Patient?eye=female')), /not ready and its indexing has stopped/);
      run(folder, settings, 'tasks', 'again', 'task:index:eye');
      for (let i = 0; i < 50 && (await ask(s, 'GET', 'Patient?eye=female')).status === 400; i++) await sleep(100);
    }
    await ready(s, 'Patient?eye=female', 0);
    if (!settings.MEDULLA_STORE_URL) {
      run(folder, settings, 'backup', '--with-key', join(folder, 'copy'));
      child.kill('SIGTERM');
      await once(child, 'exit');
      execFileSync(binary, ['restore', join(folder, 'copy'), '--data', join(folder, 'again')], { stdio: 'ignore' });
      assert.match(execFileSync(binary, ['verify', '--data', join(folder, 'again')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }), / 0 faults/);
    }
  } finally {
    if (child.exitCode === null && child.signalCode === null) { child.kill('SIGTERM'); await once(child, 'exit'); }
    rmSync(folder, { recursive: true, force: true });
  }
});
