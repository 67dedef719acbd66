// A primary that is killed under load, and its synchronous standby promoted: nothing that was
// acknowledged is lost, clients hear 503 with Retry-After meanwhile, and then go on by themselves.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, medulla } from '../api/lib/server.mjs';

const CLIENTS = 16;
const ROUNDS = process.env.MEDULLA_LONG === '1' ? 5 : 1;
const WRITES = process.env.MEDULLA_LONG === '1' ? 400 : 60; // acknowledged before and after each failover
const control = (...words) => execFileSync('sh', ['tests/postgres/server.sh', ...words], { encoding: 'utf8' }).trim();
const have = () => { try { control('have'); return true; } catch { return false; } };
const skip = have() ? false : 'PostgreSQL is not installed';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sql = (at, text) => execFileSync('psql', ['-q', '-At', '-c', text, `host=${at} user=medulla dbname=postgres`], { encoding: 'utf8' }).trim();

let folder, child, base;
const machines = []; // directories of PostgreSQL servers; the first is the primary
const places = []; // of those that are not there yet: all are named to the server from the beginning

const place = () => {
  const at = mkdtempSync(join(tmpdir(), 'mpg-'));
  chmodSync(at, 0o755);
  return at;
};
const host = (at) => `host=${at} user=medulla dbname=postgres`;

// A standby of the primary, for which every commit waits from now on.
async function addStandby() {
  const at = places.shift();
  machines.push(at);
  control('standby', at, machines[0]);
  for (let i = 0; i < 200 && sql(machines[0], "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") === '0'; i++) await pause(50);
  sql(machines[0], "ALTER SYSTEM SET synchronous_standby_names = '*'");
  sql(machines[0], 'SELECT pg_reload_conf()');
  for (let i = 0; i < 200 && sql(machines[0], "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") === '0'; i++) await pause(50);
}

// As kill -9 of all of it: nothing is flushed, no connection is closed politely.
function killPrimary() {
  const at = machines.shift();
  const postmaster = Number(readFileSync(join(at, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  const workers = execFileSync('ps', ['-o', 'pid=', '--ppid', `${postmaster}`], { encoding: 'utf8' }).split(/\s+/).filter(Boolean).map(Number);
  for (const pid of [postmaster, ...workers]) try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
  return at;
}
function promote() {
  sql(machines[0], "ALTER SYSTEM SET synchronous_standby_names = ''");
  sql(machines[0], 'SELECT pg_promote(true, 60)');
  sql(machines[0], 'SELECT pg_reload_conf()');
}

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-failover-'));
  places.push(...Array.from({ length: ROUNDS + 1 }, place));
  const hosts = places.join(',');
  machines.push(places.shift());
  control('start', machines[0]);
  const port = await freePort();
  child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--store',
    `postgres:host=${hosts} user=medulla dbname=postgres target_session_attrs=read-write`],
  { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '' }, stdio: 'ignore' });
  base = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 600 && !(await fetch(`${base}/health/ready`).then((r) => r.ok, () => false)); i++) await pause(50);
});
after(async () => {
  if (skip) return;
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
  for (const at of [...machines, ...places]) control('stop', at);
  rmSync(folder, { recursive: true, force: true });
});

const acknowledged = new Map(); // id -> the number that was last acknowledged
const seen = { refused: 0, unknown: 0, acknowledged: 0 };
let next = 0;

// One write, repeated as its answer says until it is acknowledged.
async function write(id, number) {
  for (;;) {
    const r = await fetch(`${base}/fhir/Basic/${id}`, { method: 'PUT', headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Basic', id, code: { text: `${number}` } }) });
    const text = await r.text();
    if (r.status === 200 || r.status === 201) {
      acknowledged.set(id, number);
      seen.acknowledged++;
      return;
    }
    if (r.status === 503) {
      assert.ok(Number(r.headers.get('retry-after')) > 0, 'Retry-After');
      seen.refused++;
    } else { // a COMMIT of which nobody can say what became of it: PUT may simply be repeated
      assert.equal(r.status, 500, text);
      assert.match(text, /unknown whether this was stored/);
      seen.unknown++;
    }
    await pause(100);
  }
}
// Who writes may all wait to be told what became of their COMMIT; who asks meanwhile hears it at once.
async function ask() {
  const r = await fetch(`${base}/fhir/Basic/nobody`);
  await r.arrayBuffer();
  if (r.status === 503) {
    assert.ok(Number(r.headers.get('retry-after')) > 0, 'Retry-After');
    seen.refused++;
  }
  await pause(20);
}
async function client(stop) {
  while (!stop()) await write(`b${next % 50}-${next++}`, next);
}
const reach = async (n) => { const from = seen.acknowledged; while (seen.acknowledged < from + n) await pause(20); };

async function failOver() {
  let over = false;
  const clients = Array.from({ length: CLIENTS }, () => client(() => over));
  await reach(WRITES);
  const dead = killPrimary();
  const before = seen.refused;
  for (let i = 0; i < 200 && seen.refused === before; i++) await ask(); // they hear of it
  promote();
  await reach(WRITES);
  over = true;
  await Promise.all(clients);
  control('stop', dead);
}

test('a primary that is killed under load, and its standby promoted', { skip }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await addStandby();
    await failOver();
  }
  assert.ok(seen.refused > 0, 'clients were told to wait');
  for (const [id, number] of acknowledged) {
    const r = await fetch(`${base}/fhir/Basic/${id}`);
    assert.equal(r.status, 200, `${id} was acknowledged and is lost`);
    assert.equal((await r.json()).code.text, `${number}`);
  }
  console.log(`${seen.acknowledged} acknowledged, none lost; ${seen.refused} were told to come back, ${seen.unknown} that it is unknown`);
  const verify = await medulla(['verify', '--data', join(folder, 'store'), '--store', `postgres:${host(machines[0])}`]);
  assert.equal(verify.code, 0, verify.err);
});
