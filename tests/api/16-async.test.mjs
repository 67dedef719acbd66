// Prefer: respond-async: 202, a status to ask, the whole answer, DELETE. https://hl7.org/fhir/R4/async.html
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, startServer, storeSettings } from './lib/server.mjs';
import { json, observation, patient } from './lib/fhir.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const later = { Prefer: 'respond-async' };
let server;
before(async () => {
  server = await startServer({ MEDULLA_FHIR_COUNT_MAX: '7' }); // an answer of many pages
  const entry = [{ request: { method: 'PUT', url: 'Patient/p' }, resource: { ...patient(), id: 'p' } }];
  for (let i = 0; i < 60; i++) entry.push({ request: { method: 'PUT', url: `Observation/o${i}` }, resource: { ...observation('Patient/p'), id: `o${i}` } });
  assert.equal((await ask('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } })).status, 200);
});
after(async () => { assert.equal(await server.stop(), 0); });

async function ask(method, path, { body, headers = {}, s = server } = {}) {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const r = await fetch(path.startsWith('http') ? path : `${s.base}/${path}`, { method, body: text,
    headers: { ...(typeof body === 'object' && { 'Content-Type': json }), ...headers } });
  const got = await r.text();
  return { status: r.status, headers: r.headers, text: got, body: got.startsWith('{') ? JSON.parse(got) : undefined };
}
const said = (r) => r.body?.issue?.map((i) => `${i.code} ${i.diagnostics}`).join('; ') ?? r.text;

async function begin(path, more = {}) {
  const r = await ask(more.method ?? 'GET', path, { ...more, headers: { ...later, ...more.headers } });
  assert.equal(r.status, 202, said(r));
  const status = r.headers.get('content-location');
  assert.match(status, /\/_async\/[0-9a-f-]{36}$/);
  return status;
}
async function answer(status, s = server) {
  for (let i = 0; i < 200; i++) {
    const r = await ask('GET', status, { s });
    if (r.status !== 202) return r;
    assert.match(r.headers.get('x-progress'), /\d+ resources so far/);
    assert.ok(Number(r.headers.get('retry-after')) >= 1);
    await sleep(50);
  }
  return assert.fail('never done');
}

test('the whole answer, whatever a page holds', async () => {
  for (const [path, type, n, more] of [
    ['Observation?patient=p', 'searchset', 60],
    ['Observation?patient=p&_count=2&_sort=-_lastUpdated', 'searchset', 60],
    ['Observation/_search', 'searchset', 60, { method: 'POST', body: 'patient=p', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }],
    ['?_type=Patient,Observation', 'searchset', 61],
    ['Patient/p/*', 'searchset', 61],
    ['Patient/p/$everything', 'searchset', 61],
    ['Observation/_history', 'history', 60],
    ['_history', 'history', 61]]) {
    const r = await answer(await begin(path, more));
    assert.equal(r.status, 200, `${path}: ${said(r)}`);
    assert.ok(Date.parse(r.headers.get('expires')) > Date.now());
    assert.equal(r.body.resourceType, 'Bundle');
    assert.equal(r.body.type, type, path);
    assert.equal(r.body.entry.length, n, path);
    assert.equal(new Set(r.body.entry.map((e) => e.resource.id)).size, n, path);
    assert.match(r.body.link[0].url, /\/fhir/);
  }
});

test('XML comes to who asks for it', async () => {
  const status = await begin('Patient?_id=p');
  await answer(status);
  const r = await ask('GET', status, { headers: { Accept: 'application/fhir+xml' } });
  assert.match(r.text, /^<\?xml|^<Bundle/);
});

test('DELETE ends and forgets it', async () => {
  const status = await begin('Observation?patient=p');
  assert.equal((await ask('DELETE', status)).status, 202);
  assert.equal((await ask('GET', status)).status, 404);
  assert.equal((await ask('DELETE', status)).status, 404);
  await sleep(300);
  assert.ok(readdirSync(join(server.data, 'jobs')).every((name) => !name.includes(status.slice(-36))));
});

test('what would be refused at once is refused at the status', async () => {
  const r = await answer(await begin('Observation?famly=x'));
  assert.equal(r.status, 400);
  assert.match(said(r), /unknown search parameter 'famly'/);
  assert.equal((await answer(await begin('Observation?_count=x&date=banana'))).status, 400);
});

test('bad input: no such status, another method, what is never answered later', async () => {
  assert.equal((await ask('GET', '_async/nothing')).status, 404);
  assert.equal((await ask('GET', '_async/')).status, 404);
  assert.equal((await ask('GET', `_async/${'x'.repeat(5000)}`)).status, 404);
  assert.equal((await ask('GET', '_async/..%2f..%2fkey')).status, 404);
  const other = await ask('POST', '_async/nothing', { body: {} });
  assert.equal(other.status, 405);
  assert.match(other.headers.get('allow'), /DELETE/);
  assert.equal((await ask('GET', 'Patient/p', { headers: later })).status, 200);
  assert.equal((await ask('POST', 'Patient', { body: patient(), headers: later })).status, 201);
  assert.equal((await ask('GET', 'Pationt', { headers: later })).status, 404);
});

test('a search that costs too much is advised to ask so, and then answered', async () => {
  const s = await startServer({ MEDULLA_FHIR_SEARCH_COST: '1' });
  const entry = Array.from({ length: 600 }, (_, i) => ({ request: { method: 'PUT', url: `Patient/c${i}` }, resource: { ...patient(), id: `c${i}`, text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">hello world</div>' } } }));
  assert.equal((await ask('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry }, s })).status, 200);
  const r = await ask('GET', 'Patient?_sort=phonetic', { s });
  if (r.status === 403) assert.match(said(r), /too-costly .*Prefer: respond-async/);
  const done = await answer(await begin('Patient?_sort=phonetic', { s }), s);
  assert.equal(done.body.entry.length, 600);
  assert.equal(await s.stop(), 0);
});

test('no more than 100 are kept', async () => {
  const s = await startServer();
  for (let i = 0; i < 100; i++) await begin('Patient', { s });
  const r = await ask('GET', 'Patient', { headers: later, s });
  assert.equal(r.status, 429);
  assert.match(said(r), /100 questions are kept already/);
  assert.ok(r.headers.get('retry-after'));
  assert.equal(await s.stop(), 0);
});

test('a question outlives kill -9', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-async-'));
  const settings = { MEDULLA_ADMIN_LISTEN: '', MEDULLA_FHIR_COUNT_MAX: '1', ...storeSettings() };
  const port = await freePort();
  const s = { base: `http://127.0.0.1:${port}/fhir` };
  const start = async () => {
    const child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--log-level', 'warn'],
      { env: { ...process.env, ...settings }, stdio: ['ignore', 'inherit', 'inherit'] });
    for (let i = 0; ; i++) {
      try { if ((await fetch(`http://127.0.0.1:${port}/health/ready`)).ok) return child; } catch { /* not yet */ }
      if (i > 300 || child.exitCode !== null) throw new Error('the server did not start');
      await sleep(50);
    }
  };
  let child = await start();
  try {
    const entry = Array.from({ length: 300 }, (_, i) => ({ request: { method: 'PUT', url: `Patient/k${i}` }, resource: { ...patient(), id: `k${i}` } }));
    assert.equal((await ask('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry }, s })).status, 200);
    const status = await begin('Patient', { s });
    child.kill('SIGKILL');
    await once(child, 'exit');
    child = await start();
    const r = await answer(status, s);
    assert.equal(r.status, 200, said(r));
    assert.equal(r.body.entry.length, 300);
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
});
