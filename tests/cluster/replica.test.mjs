// Reading from a streaming standby: how old an answer may be, a client that sees what it wrote, and a
// standby that stands still, goes away and comes back.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, medulla } from '../api/lib/server.mjs';

const control = (...words) => execFileSync('sh', ['tests/postgres/server.sh', ...words], { encoding: 'utf8' }).trim();
const have = () => { try { control('have'); return true; } catch { return false; } };
const skip = have() ? false : 'PostgreSQL is not installed';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sql = (conninfo, text) => execFileSync('psql', ['-q', '-At', '-c', text, conninfo], { encoding: 'utf8' }).trim();
const BOUND = 1000; // milliseconds that what `strict` answers may be old

let folder, places, primary, standby;
let strict, lax; // two servers of one store: the second is content with what is ten minutes old

async function serve(name, lag) {
  const data = join(folder, name);
  mkdirSync(data, { mode: 0o700 });
  if (name !== 'strict') copyFileSync(join(folder, 'strict', 'key'), join(data, 'key'));
  const port = await freePort();
  const admin = await freePort();
  const child = spawn(binary, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--store', `postgres:${primary}`,
    '--replica', standby], { env: { ...process.env, MEDULLA_ADMIN_LISTEN: `127.0.0.1:${admin}`, MEDULLA_STORE_REPLICA_LAG: `${lag}` },
    stdio: ['ignore', 'ignore', 'pipe'] });
  const server = { child, base: `http://127.0.0.1:${port}`, admin: `http://127.0.0.1:${admin}`, log: '' };
  child.stderr.on('data', (part) => { server.log += part; });
  for (let i = 0; i < 600 && !(await fetch(`${server.base}/health/ready`).then((r) => r.ok, () => false)); i++) await pause(50);
  return server;
}
const health = async (server) => (await (await fetch(`${server.admin}/health`)).json());
async function used(server, wanted) {
  for (let i = 0; i < 600; i++) {
    const [replica] = (await health(server)).replicas;
    if (replica.used === wanted) return replica;
    await pause(50);
  }
  throw new Error(`the replica is ${wanted ? 'not ' : ''}read from: ${JSON.stringify((await health(server)).replicas)}`);
}

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-replica-'));
  places = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'mpg-')));
  places.forEach((at) => chmodSync(at, 0o755));
  primary = control('start', places[0]);
  standby = control('standby', places[1], places[0]);
  strict = await serve('strict', BOUND);
  lax = await serve('lax', 600_000);
});
after(async () => {
  if (skip) return;
  for (const server of [strict, lax]) {
    server?.child.kill('SIGTERM');
    if (server && server.child.exitCode === null) await once(server.child, 'exit');
  }
  for (const at of [...places].reverse()) control('stop', at);
  rmSync(folder, { recursive: true, force: true });
});

// Each client is another, unless it says so: servers know by the credentials who wrote.
let clients = 0;
async function call(server, method, path, { body, client = `c${clients++}`, ...headers } = {}) {
  const r = await fetch(`${server.base}/fhir/${path}`, { method, body: body && JSON.stringify(body),
    headers: { 'content-type': 'application/fhir+json', authorization: `Bearer ${client}`, ...headers } });
  const text = await r.text();
  return { status: r.status, position: r.headers.get('medulla-position'), etag: r.headers.get('etag'), text, json: text ? JSON.parse(text) : null };
}
const put = (server, id, family, more) => call(server, 'PUT', `Patient/${id}`, { body: { resourceType: 'Patient', id, name: [{ family }] }, ...more });
const family = async (server, id, more) => {
  const a = await call(server, 'GET', `Patient/${id}`, more);
  assert.equal(a.status, 200, a.text);
  return a.json.name[0].family;
};
const found = async (server, name, more) => {
  const a = await call(server, 'GET', `Patient?family=${name}`, more);
  assert.equal(a.status, 200, a.text);
  return a.json.total;
};
// Until the standby has what the primary has.
async function level() {
  const t = sql(primary, 'SELECT t FROM medulla.state');
  for (let i = 0; i < 600 && sql(standby, 'SELECT t FROM medulla.state') !== t; i++) await pause(50);
}
// On a busy machine a look at the standby may come late, and the primary answers meanwhile.
async function eventually(look, what) {
  for (let i = 0; i < 600; i++) {
    if (await look()) return;
    await pause(50);
  }
  assert.fail(what);
}
const stop = () => sql(standby, 'SELECT pg_wal_replay_pause()');
const go = () => sql(standby, 'SELECT pg_wal_replay_resume()');

test('reads go to the standby', { skip }, async () => {
  assert.equal((await put(strict, 'a', 'Eins')).status, 201);
  await level();
  const before = (await used(strict, true)).reads;
  await eventually(async () => {
    assert.equal(await family(strict, 'a'), 'Eins');
    assert.equal(await found(strict, 'Eins'), 1);
    return (await used(strict, true)).reads > before + 10;
  }, 'it is not read from');
  await eventually(async () => /medulla_replica_used\{replica="1"\} 1\n[^]*medulla_replica_behind_seconds\{replica="1"\} \d/
    .test(await (await fetch(`${strict.admin}/metrics`)).text()), 'metrics');
  await used(lax, true);
});

test('a standby that does not follow: an old answer where it may be old, never an own write missed', { skip }, async () => {
  await level();
  stop();
  try {
    const written = await put(strict, 'a', 'Zwei', { client: 'anna' });
    assert.equal(written.status, 200);
    assert.ok(written.position);
    assert.equal(await family(strict, 'a', { client: 'anna' }), 'Zwei', 'who wrote sees it, at the process it wrote through');
    await eventually(async () => await family(lax, 'a') === 'Eins', 'another may see what was');
    await eventually(async () => await found(lax, 'Zwei') === 0, 'also in a search');
    const token = { 'medulla-position': written.position };
    assert.equal(await family(lax, 'a', token), 'Zwei', 'with the position it is seen everywhere');
    assert.equal(await found(lax, 'Zwei', token), 1);
    assert.equal(await family(lax, 'a', { 'medulla-position': 'nonsense' }), 'Zwei', 'what is no position asks the primary');
    assert.equal(await family(lax, 'a', { 'cache-control': 'max-age=0, no-cache' }), 'Zwei');
    assert.equal((await call(lax, 'GET', 'Patient/a', { 'if-none-match': written.etag })).status, 304, 'who has a version is not shown an older one');
    assert.equal((await call(lax, 'GET', `Patient/a/_history/2`)).status, 200, 'a version that is named is found');
    const fresh = await put(strict, 'b', 'Drei');
    assert.equal(fresh.status, 201);
    assert.equal(await family(lax, 'b'), 'Drei', 'an id that is named is found');
    await pause(BOUND);
    assert.equal(await family(strict, 'a'), 'Zwei', 'nothing older than the bound');
    assert.equal(await found(strict, 'Zwei'), 1);
    const replica = await used(strict, false);
    assert.match(replica.why, /further behind/);
    assert.ok((await health(strict)).readsPastReplicas > 0);
    assert.match(await (await fetch(`${strict.admin}/metrics`)).text(), /medulla_replica_passed_total\{why="(behind|away)"\} [1-9]/);
  } finally {
    go();
  }
  await used(strict, true);
  await level();
  assert.equal(await family(lax, 'a'), 'Zwei');
});

test('conditions of a write are held against what is, not against a standby', { skip }, async () => {
  await level();
  stop();
  try {
    const identifier = [{ system: 'urn:x', value: 'once' }];
    const body = { resourceType: 'Patient', identifier };
    const header = { 'if-none-exist': 'identifier=urn:x|once' };
    assert.equal((await call(strict, 'POST', 'Patient', { body, ...header })).status, 201);
    assert.equal((await call(lax, 'POST', 'Patient', { body, ...header })).status, 200, 'there is one');
    const { etag } = await put(strict, 'c', 'Eins');
    assert.equal((await put(lax, 'c', 'Fuenf', { 'if-match': etag })).status, 200);
    assert.equal((await put(lax, 'c', 'Drei', { 'if-match': etag })).status, 412);
    const client = 'bert';
    assert.equal((await put(lax, 'c', 'Sechs', { 'if-match': etag, client })).status, 412);
    assert.equal(await family(lax, 'c', { client }), 'Fuenf', 'who was refused reads what refused it');
  } finally {
    go();
  }
});

test('a standby that goes away, and one that stands still', { skip }, async () => {
  await level();
  await used(strict, true);
  let over = false;
  let read = 0;
  const readers = Array.from({ length: 4 }, async () => {
    while (!over) {
      assert.equal(await family(strict, 'a'), 'Zwei');
      assert.equal(await found(strict, 'Zwei'), 1);
      read++;
    }
  });
  const some = async () => { const from = read; while (read < from + 8) await pause(20); };
  try {
    await some();
    control('restart', places[1], 'immediate');
    await some();
    await used(strict, true);
    control('halt', places[1]);
    for (let i = 0; i < 600 && !/can not be reached/.test((await used(strict, false)).why); i++) await pause(50);
    assert.match((await used(strict, false)).why, /can not be reached/);
    await some();
    const doctor = await medulla(['doctor', '--data', join(folder, 'strict'), '--store', `postgres:${primary}`, '--replica', standby]);
    assert.match(doctor.out, /FAULT replica 1[^\n]*can not be reached/);
    control('begin', places[1]);
    await used(strict, true);
    await some();
    const all = [Number(readFileSync(join(places[1], 'data/postmaster.pid'), 'utf8').split('\n')[0])];
    all.push(...execFileSync('ps', ['-o', 'pid=', '--ppid', `${all[0]}`], { encoding: 'utf8' }).split(/\s+/).filter(Boolean).map(Number));
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    try {
      await used(strict, false);
      await some();
    } finally {
      for (const pid of all) try { process.kill(pid, 'SIGCONT'); } catch { /* gone */ }
    }
    await used(strict, true);
    await some();
  } finally {
    over = true;
    await Promise.all(readers);
  }
  const told = /a replica is not read from[^]*a replica is read from/;
  for (let i = 0; i < 200 && !told.test(strict.log); i++) await pause(50); // lines are written in batches
  assert.match(strict.log, told);
});

test('what is no standby of this store is not read from', { skip }, async () => {
  await level();
  const doctor = async (replica) => (await medulla(['doctor', '--data', join(folder, 'strict'), '--store', `postgres:${primary}`, '--replica', replica]));
  assert.match((await doctor(standby)).out, /ok +replica 1 +\S+: a standby, 0 commits behind/);
  assert.match((await doctor(primary)).out, /FAULT replica 1[^\n]*it is no standby/);
  sql(primary, 'CREATE DATABASE empty');
  const twice = await doctor(`${standby}; ${primary.replace('dbname=postgres', 'dbname=empty')}`);
  assert.match(twice.out, /ok +replica 1[^]*FAULT replica 2/);
  const secret = await medulla(['serve', '--data', join(folder, 'strict'), '--auth', 'off', '--store', `postgres:${primary}`, '--replica', `${standby} password=x`]);
  assert.notEqual(secret.code, 0);
  assert.match(secret.err, /password/);
  const sqlite = await medulla(['serve', '--data', join(folder, 'embedded'), '--auth', 'off', '--replica', standby]);
  assert.notEqual(sqlite.code, 0);
  assert.match(sqlite.err, /store\.replica/);
});
