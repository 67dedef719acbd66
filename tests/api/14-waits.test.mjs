// questions that wait for the database: nothing else waits with them, and their number is bounded
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { onPostgres, startServer } from './lib/server.mjs';

const skip = onPostgres ? false : 'not a store in PostgreSQL';
const type = { 'content-type': 'application/fhir+json' };
const WORKERS = 16, QUEUE = 4;
let s, holder;

// A connection of our own that takes a lock and keeps it until it is let go.
const database = () => {
  const of = 'WITH newest AS (SELECT datname FROM pg_database WHERE datname LIKE \'api_%\' ORDER BY oid DESC LIMIT 1) SELECT datname FROM newest';
  return execFileSync('psql', ['-At', '-c', of, process.env.MEDULLA_TEST_POSTGRES], { encoding: 'utf8' }).trim();
};
async function lock(name, tables) {
  holder = spawn('psql', ['-q', '-At', `${process.env.MEDULLA_TEST_POSTGRES} dbname=${name}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  holder.stdin.write(`BEGIN; LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE;\n\\echo held\n`);
  for await (const part of holder.stdout) if (`${part}`.includes('held')) break;
  holder.stdout.resume?.();
}
function letGo() {
  holder?.stdin.end('ROLLBACK;\n');
  holder = undefined;
}
const waiting = (name) => Number(execFileSync('psql', ['-At', '-c',
  'SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = \'Lock\' AND datname = current_database()',
  `${process.env.MEDULLA_TEST_POSTGRES} dbname=${name}`], { encoding: 'utf8' }));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const get = (path) => fetch(path, { signal: AbortSignal.timeout(15000) });
const status = async (answer) => { const r = await answer; await r.arrayBuffer(); return r.status; };

before(async () => {
  if (skip) return;
  s = await startServer({ MEDULLA_WORKER_THREADS: `${WORKERS}`, MEDULLA_WORKER_QUEUE: `${QUEUE}`, MEDULLA_HTTP_LOOPS: '1' });
  for (const id of ['one', 'two']) {
    const r = await fetch(`${s.base}/Patient/${id}`, { method: 'PUT', headers: type,
      body: JSON.stringify({ resourceType: 'Patient', id, gender: 'female', identifier: [{ system: 'urn:s', value: id }] }) });
    assert.equal(r.status, 201);
  }
});
after(async () => {
  if (skip) return;
  letGo();
  await s.stop();
});

test('searches that wait hold up neither health nor reads nor writes', { skip }, async () => {
  const name = database();
  await lock(name, 'medulla.string');
  const slow = Array.from({ length: WORKERS }, () => fetch(`${s.base}/Patient?address=nowhere`));
  for (let i = 0; i < 300 && waiting(name) < WORKERS; i++) await pause(20);
  assert.equal(waiting(name), WORKERS); // each by a worker of its own
  // None of these could be answered before the lock is let go if it waited with the searches.
  for (let i = 0; i < 20; i++) {
    assert.equal(await status(get(s.base.replace('/fhir', '/health/live'))), 200);
    assert.equal(await status(get(s.base.replace('/fhir', '/health/ready'))), 200);
    assert.equal(await status(get(`${s.base}/Patient/one`)), 200);
    assert.equal(await status(get(`${s.base}/Patient/one/_history/1`)), 200);
    assert.equal(await status(get(`${s.base}/metadata`)), 200);
  }
  const put = await fetch(`${s.base}/Basic/new`, { method: 'PUT', headers: type, signal: AbortSignal.timeout(15000),
    body: JSON.stringify({ resourceType: 'Basic', id: 'new', code: { text: 'x' } }) });
  assert.equal(put.status, 201);

  // More may wait for a worker, but not any number; who is turned away is told when to come back.
  const queued = Array.from({ length: QUEUE }, () => fetch(`${s.base}/Patient?address=nowhere`));
  let refused;
  for (let i = 0; i < 100 && refused?.status !== 503; i++) {
    refused = await Promise.race([fetch(`${s.base}/Patient?address=nowhere`), pause(200)]);
    if (refused) await refused.arrayBuffer();
  }
  assert.equal(refused?.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal(await status(get(`${s.base}/Patient/two`)), 200);

  letGo();
  for (const answer of [...slow, ...queued]) assert.equal(await status(answer), 200);
});

test('reads that wait hold up no health', { skip }, async () => {
  const name = database();
  await lock(name, 'medulla.ident, medulla.counter, medulla.state');
  const slow = Array.from({ length: 8 }, () => fetch(`${s.base}/Patient/one`));
  for (let i = 0; i < 300 && waiting(name) < 4; i++) await pause(20);
  for (let i = 0; i < 20; i++) {
    assert.equal(await status(get(s.base.replace('/fhir', '/health/live'))), 200);
    assert.equal(await status(get(s.base.replace('/fhir', '/health/ready'))), 200);
  }
  letGo();
  for (const answer of slow) assert.equal(await status(answer), 200);
});
