// `medulla move`: all of a store into one of another kind, and back
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, medulla } from './lib/server.mjs';

const server = process.env.MEDULLA_TEST_POSTGRES;
const skip = server ? false : 'no PostgreSQL (MEDULLA_TEST_POSTGRES)';
const database = `move_${process.pid}`;
const postgres = `postgres:${server} dbname=${database}`;
let folder, source, keys, back;

before(() => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-move-'));
  [source, keys, back] = ['source', 'keys', 'back'].map((name) => join(folder, name));
  execFileSync('psql', ['-q', '-c', `CREATE DATABASE ${database}`, server]);
});
after(() => {
  if (skip) return;
  rmSync(folder, { recursive: true, force: true });
  execFileSync('psql', ['-q', '-c', `DROP DATABASE ${database} WITH (FORCE)`, server]);
});

const patient = (n, more = {}) => ({
  resourceType: 'Patient', id: `p${n}`, name: [{ family: `Novak${n}`, given: ['Jana'] }], birthDate: `19${10 + (n % 80)}-01-02`, ...more,
});
const observation = (n) => ({
  resourceType: 'Observation',
  id: `o${n}`,
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: `88${n % 7}-4` }] },
  subject: { reference: `Patient/p${n % 1000}` },
  effectiveDateTime: `2024-0${1 + (n % 9)}-06T07:08:09Z`,
  valueQuantity: { value: 60 + (n % 50), unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
});

async function serving(data, store, work) {
  const port = await freePort();
  const child = spawn(binary, ['serve', '--data', data, '--store', store, '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--log-level', 'warn'],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '' }, stdio: ['ignore', 'inherit', 'inherit'] });
  const base = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) {
    if (await fetch(`${base}/health/ready`).then((r) => r.ok, () => false)) break;
    assert.ok(i < 300 && child.exitCode === null, 'the server starts');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  try {
    return await work(async (path, method = 'GET', body = undefined) => {
      const answer = await fetch(path.startsWith('http') ? path : `${base}/fhir/${path}`, { method, body: body && JSON.stringify(body), headers: { 'content-type': 'application/fhir+json' } });
      const text = await answer.text();
      assert.ok(answer.ok || answer.status === 410, `${method} ${path}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : undefined;
    });
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

async function pages(fhir, path, of) {
  const lines = [];
  for (let next = path; next;) {
    const bundle = await fhir(next);
    lines.push(`total ${bundle.total}`, ...(bundle.entry ?? []).map(of));
    next = bundle.link.find((l) => l.relation === 'next')?.url;
  }
  return lines;
}

// What a client can see: the whole history, in its order, and answers of searches.
const look = async (fhir) => ({
  history: await pages(fhir, '_history?_count=1000', (e) => `${e.request.method} ${e.request.url} ${e.response.etag} ${e.response.lastModified} ${JSON.stringify(e.resource)}`),
  one: await pages(fhir, 'Patient/p1/_history', (e) => `${e.response.etag} ${JSON.stringify(e.resource)}`),
  newest: await pages(fhir, 'Observation?_count=500&_elements=id', (e) => e.resource.id),
  patients: await pages(fhir, 'Patient?name=novak1&_sort=birthdate,_id', (e) => e.resource.id),
  code: await pages(fhir, 'Observation?patient=p3&code=http://loinc.org|881-4&_sort=-date', (e) => e.resource.id),
});

async function makeSource() {
  const file = join(folder, 'all.ndjson');
  const all = [];
  for (let i = 0; i < 1000; i++) all.push(patient(i));
  for (let i = 0; i < 5000; i++) all.push(observation(i));
  writeFileSync(file, all.map((r) => JSON.stringify(r)).join('\n'));
  assert.equal((await medulla(['import', '--data', source, file])).code, 0);
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [] };
  for (let i = 2000; i < 2040; i++) bundle.entry.push({ resource: patient(i), request: { method: 'PUT', url: `Patient/p${i}` } });
  return serving(source, 'sqlite', async (fhir) => {
    for (const gender of ['male', 'female', 'other']) await fhir('Patient/p1', 'PUT', patient(1, { gender }));
    await fhir('Observation/o2', 'DELETE');
    await fhir('Observation/o7', 'DELETE');
    await fhir('Observation/o7', 'PUT', observation(7));
    await fhir('', 'POST', bundle);
    await fhir('Patient/p2001', 'PUT', patient(2001, { gender: 'male' }));
  });
}

// kill -9 when the target has something, and not yet all.
async function moveAndKill() {
  const child = spawn(binary, ['move', '--from', `sqlite:${source}`, '--to', postgres, '--data', keys], { stdio: 'ignore' });
  const exit = once(child, 'exit');
  const at = () => {
    try {
      return Number(execFileSync('psql', ['-At', '-c', 'SELECT t FROM medulla.state', `${server} dbname=${database}`], { stdio: ['ignore', 'pipe', 'ignore'] }));
    } catch {
      return 0; // not made yet
    }
  };
  while (at() === 0 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await exit;
}

test('history, feed, deletions and answers are the same behind a move, a kill and the way back', { skip }, async () => {
  await makeSource();
  const purge = await medulla(['purge', '--data', source, '--reason', 'a test', 'Observation/o4999']);
  assert.equal(purge.code, 0, purge.err);
  const before = await serving(source, 'sqlite', look);
  assert.ok(before.history.length > 6000);

  await moveAndKill();
  const other = join(folder, 'other');
  const file = join(folder, 'other.ndjson');
  writeFileSync(file, JSON.stringify(patient(1)));
  assert.equal((await medulla(['import', '--data', other, file])).code, 0);
  const foreign = await medulla(['move', '--from', `sqlite:${other}`, '--to', postgres, '--data', keys]);
  assert.equal(foreign.code, 1);
  assert.match(foreign.err, /did not come from the source|further than the source/);

  const moved = await medulla(['move', '--from', `sqlite:${source}`, '--to', postgres, '--data', keys]);
  assert.equal(moved.code, 0, moved.err);
  assert.match(moved.out, /versions were there already/);
  assert.match(moved.out, /are the same in both stores, in the same order/);
  const there = await serving(keys, postgres, async (fhir) => {
    const seen = await look(fhir);
    await fhir('Patient/p3', 'PUT', patient(3, { gender: 'male' }));
    return { seen, later: await look(fhir) };
  });
  assert.deepEqual(there.seen, before);

  const again = await medulla(['move', '--from', `sqlite:${source}`, '--to', postgres, '--data', keys]);
  assert.equal(again.code, 1);
  assert.match(again.err, /further than the source/);

  const home = await medulla(['move', '--from', postgres, '--data', keys, '--to', `sqlite:${back}`]);
  assert.equal(home.code, 0, home.err);
  assert.deepEqual(await serving(back, 'sqlite', look), there.later);
});

test('what can not be moved is told', { skip }, async () => {
  const without = await medulla(['move', '--from', `sqlite:${source}`]);
  assert.equal(without.code, 2);
  assert.match(without.err, /--from STORE and --to STORE/);
  const unknown = await medulla(['move', '--from', `sqlite:${source}`, '--to', 'oracle:x']);
  assert.match(unknown.err, /--to is sqlite:DIR or postgres:CONNINFO/);
  const absent = await medulla(['move', '--from', `sqlite:${join(folder, 'nowhere')}`, '--to', postgres]);
  assert.notEqual(absent.code, 0);
});
