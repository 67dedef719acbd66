// docs/scale.md, "Hash partitions": the tables partitioned by shard, as its statements make them;
// and what the page says of shards
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, onPostgres, startServer, storeSettings } from './lib/server.mjs';
import { json } from './lib/fhir.mjs';

const skip = onPostgres ? false : 'not a store in PostgreSQL';
const PATIENTS = 40, EACH = 5;
let folder, data, settings, database, server;

const sql = (text) => execFileSync('psql', ['-q', '-At', '-v', 'ON_ERROR_STOP=1', '-c', text, database], { encoding: 'utf8' }).trim();
const send = (method, path, body) => fetch(`${server.base}/${path}`, { method, body: body && JSON.stringify(body), headers: { 'Content-Type': json } });
const get = async (path) => { const r = await send('GET', path); assert.equal(r.status, 200, path); return r.json(); };
const ids = async (path) => ((await get(path)).entry ?? []).map((e) => e.resource.id);

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-parts-'));
  data = join(folder, 'store');
  settings = storeSettings();
  database = settings.MEDULLA_STORE_URL.replace(/^postgres:/, '');
  const made = spawnSync(binary, ['import', '--data', data, '/dev/null'], { env: { ...process.env, ...settings }, encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const page = readFileSync('docs/scale.md', 'utf8');
  sql(/<!-- partitions -->\n```sql\n(.*?)```/s.exec(page)[1]);
  server = await startServer(settings, { data });
});
after(async () => {
  if (skip) return;
  assert.equal(await server.stop(), 0);
  rmSync(folder, { recursive: true, force: true });
});

test('reading, writing, searching, history', { skip }, async () => {
  const observation = (p, i) => ({ resourceType: 'Observation', id: `o-${p}-${i}`, status: 'final', subject: { reference: `Patient/p-${p}` },
    code: { coding: [{ system: 'urn:c', code: i % 2 ? 'odd' : 'even' }] }, effectiveDateTime: `2024-0${i + 1}-01` });
  for (let p = 0; p < PATIENTS; p++) {
    const entry = [{ request: { method: 'PUT', url: `Patient/p-${p}` }, resource: { resourceType: 'Patient', id: `p-${p}`, name: [{ family: `Family${p}` }] } },
      ...Array.from({ length: EACH }, (_, i) => ({ request: { method: 'PUT', url: `Observation/o-${p}-${i}` }, resource: observation(p, i) }))];
    assert.equal((await send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })).status, 200);
  }
  assert.deepEqual(await ids('Observation?patient=p-7&code=urn:c|odd&_sort=-date'), ['o-7-3', 'o-7-1']);
  assert.deepEqual(await ids('Observation?patient=p-7&_sort=-date&_count=2'), ['o-7-4', 'o-7-3']);
  assert.equal((await get('Observation?code=odd&_summary=count')).total, PATIENTS * 2);
  assert.deepEqual(await ids('Observation?patient.name=family12&date=2024-02'), ['o-12-1']);
  assert.deepEqual(await ids('Patient?name:contains=mily33'), ['p-33']);
  const all = [];
  for (let next = `${server.base}/Observation?_sort=date&_count=17`; next;) {
    const page = await (await fetch(next)).json();
    all.push(...page.entry.map((e) => e.resource));
    next = page.link.find((l) => l.relation === 'next')?.url;
  }
  assert.equal(new Set(all.map((o) => o.id)).size, PATIENTS * EACH);
  assert.deepEqual(all.map((o) => o.effectiveDateTime), all.map((o) => o.effectiveDateTime).sort());
  const first = await send('PUT', 'Patient/p-0', { resourceType: 'Patient', id: 'p-0', active: true });
  assert.equal(first.headers.get('etag'), 'W/"2"');
  assert.equal((await get('Patient/p-0/_history')).total, 2);
  assert.equal((await send('DELETE', 'Observation/o-0-0')).status, 204);
  assert.equal((await get('_history?_summary=count')).total, PATIENTS * (EACH + 1) + 2);
  const verified = spawnSync(binary, ['verify', '--data', data], { env: { ...process.env, ...settings }, encoding: 'utf8' });
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
});

const tables = ['resource', 'version', 'feed', 'token', 'reference', 'date', 'string', 'quantity', 'uri', 'updated', 'target', 'patient', 'ptok'];

test('every row is in its shard, and a shard in one partition of each table', { skip }, () => {
  for (const table of tables) {
    const of = table === 'patient' || table === 'ptok' ? 'patient' : 'rid';
    assert.equal(sql(`SELECT count(*) FROM medulla.${table} WHERE shard <> ${of} & 1023`), '0', table);
    assert.equal(sql(`SELECT count(*) FROM pg_partition_tree('medulla.${table}') WHERE isleaf`), '8', table);
  }
  const spread = sql(tables.map((table) =>
    `SELECT DISTINCT shard, right(tableoid::regclass::text, 1) AS part FROM medulla.${table}`).join(' UNION ')).split('\n');
  const shards = new Set(spread.map((line) => line.split('|')[0]));
  assert.equal(spread.length, shards.size); // the same partition in all of them
  assert.ok(new Set(spread.map((line) => line.split('|')[1])).size > 1);
});

test('what a patient question joins is of one shard', { skip }, () => {
  for (const table of ['patient', 'ptok']) {
    assert.ok(Number(sql(`SELECT count(*) FROM medulla.${table}`)) >= PATIENTS);
    assert.equal(sql(`SELECT count(*) FROM medulla.${table} p JOIN medulla.resource r ON r.rid = p.rid WHERE r.shard <> p.shard`), '0', table);
  }
  for (const table of ['version', 'token', 'date', 'string'])
    assert.equal(sql(`SELECT count(*) FROM medulla.${table} i JOIN medulla.resource r ON r.rid = i.rid WHERE r.shard <> i.shard`), '0', table);
});
