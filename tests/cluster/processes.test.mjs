// Three servers of one store: what must be one is one, no update is lost, and what a server that died
// had promised to answer later is answered by another.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort } from '../api/lib/server.mjs';

const control = (...words) => execFileSync('sh', ['tests/postgres/server.sh', ...words], { encoding: 'utf8' }).trim();
const have = () => { try { control('have'); return true; } catch { return false; } };
const skip = have() ? false : 'PostgreSQL is not installed';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const EACH = 64;

let folder, place, conninfo;
const servers = [], locks = [];
const sql = (text) => execFileSync('psql', ['-q', '-At', '-c', text, conninfo], { encoding: 'utf8' }).trim();

async function serve(name) {
  const data = join(folder, name);
  mkdirSync(data, { mode: 0o700, recursive: true });
  if (servers.length > 0 && name !== 's0') copyFileSync(join(folder, 's0', 'key'), join(data, 'key'));
  const port = await freePort();
  const child = spawn(binary, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--store', `postgres:${conninfo}`],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '', MEDULLA_WORKER_THREADS: '4', MEDULLA_WORKER_QUICK: '4' }, stdio: ['ignore', 'ignore', 'pipe'] });
  const server = { child, base: `http://127.0.0.1:${port}/fhir`, log: '' };
  child.stderr.on('data', (part) => { server.log += part; });
  for (let i = 0; i < 600 && !(await fetch(`http://127.0.0.1:${port}/health/ready`).then((r) => r.ok, () => false)); i++) await pause(50);
  return server;
}
before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-processes-'));
  place = mkdtempSync(join(tmpdir(), 'mpg-'));
  chmodSync(place, 0o755);
  conninfo = control('start', place);
  for (let i = 0; i < 3; i++) servers.push(await serve(`s${i}`));
});
after(async () => {
  if (skip) return;
  for (const lock of locks) lock.kill(); // of a test that failed
  for (const { child } of servers) {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  control('stop', place);
  rmSync(folder, { recursive: true, force: true });
});

async function call(server, method, path, body, headers = {}) {
  const r = await fetch(path.startsWith('http') ? path : `${server.base}/${path}`, { method, body: body && JSON.stringify(body),
    headers: { ...(body && { 'content-type': 'application/fhir+json' }), ...headers } });
  const text = await r.text();
  return { status: r.status, headers: r.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}
// Each of n clients at each server.
const everywhere = (n, run) => Promise.all(servers.flatMap((server, s) => Array.from({ length: n }, (_, i) => run(server, s * n + i))));

test('192 clients that create one thing make one', { skip }, async () => {
  const body = { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: 'one' }] };
  const answers = await everywhere(EACH, (server) => call(server, 'POST', 'Patient', body, { 'if-none-exist': 'identifier=urn:x|one' }));
  assert.equal(answers.filter((a) => a.status === 201).length, 1);
  assert.equal(answers.filter((a) => a.status === 200).length, answers.length - 1, answers.map((a) => a.status).join(' '));
  assert.equal((await call(servers[0], 'GET', 'Patient?identifier=urn:x|one')).json.total, 1);
});

test('a counter that all of them raise with If-Match loses nothing', { skip }, async () => {
  const of = (n) => ({ resourceType: 'Basic', id: 'n', code: { text: `${n}` } });
  assert.equal((await call(servers[0], 'PUT', 'Basic/n', of(0))).status, 201);
  await everywhere(4, async (server) => {
    for (let done = 0; done < 3;) {
      const now = await call(server, 'GET', 'Basic/n');
      const next = await call(server, 'PUT', 'Basic/n', of(Number(now.json.code.text) + 1), { 'if-match': now.headers.get('etag') });
      assert.ok(next.status === 200 || next.status === 412, next.text);
      done += next.status === 200;
    }
  });
  assert.equal((await call(servers[1], 'GET', 'Basic/n')).json.code.text, '36');
});

test('transactions that create the same patient make one, each with what is about it', { skip }, async () => {
  const bundle = (i) => ({ resourceType: 'Bundle', type: 'transaction', entry: [
    { fullUrl: 'urn:uuid:5cbc121b-cd71-4428-b8b7-31e53eba8184', resource: { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: 'two' }] },
      request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:x|two' } },
    { resource: { resourceType: 'Basic', identifier: [{ system: 'urn:b', value: `${i}` }], code: { text: 'x' }, subject: { reference: 'urn:uuid:5cbc121b-cd71-4428-b8b7-31e53eba8184' } },
      request: { method: 'POST', url: 'Basic' } }] });
  const answers = await everywhere(8, (server, i) => call(server, 'POST', '', bundle(i)));
  for (const a of answers) assert.equal(a.status, 200, a.text);
  const patients = (await call(servers[2], 'GET', 'Patient?identifier=urn:x|two')).json;
  assert.equal(patients.total, 1);
  assert.equal((await call(servers[2], 'GET', `Basic?subject=Patient/${patients.entry[0].resource.id}&_total=accurate`)).json.total, answers.length);
});

const later = { prefer: 'respond-async' };
async function answered(server, status) {
  for (let i = 0; i < 600; i++) {
    const a = await call(server, 'GET', status.replace(/^.*\/fhir\//, ''));
    if (a.status !== 202) return a;
    await pause(50);
  }
  return assert.fail('never answered');
}

test('a status and its result are told by every server, and cancelled at every one', { skip }, async () => {
  const begun = await call(servers[0], 'GET', 'Basic', undefined, later);
  assert.equal(begun.status, 202);
  const status = begun.headers.get('content-location');
  const done = await answered(servers[0], status);
  assert.equal(done.status, 200, done.text);
  const elsewhere = await answered(servers[1], status);
  assert.equal(elsewhere.status, 200, elsewhere.text);
  assert.equal(elsewhere.text, done.text);
  assert.ok(done.json.entry.length > 20);
  assert.equal((await call(servers[1], 'DELETE', status.replace(/^.*\/fhir\//, ''))).status, 202);
  for (const server of servers) assert.equal((await answered(server, status)).status, 404);
  assert.equal(sql('SELECT count(*) FROM medulla.note_file'), '0');
});

// What holds a lock until `release`; the SQL must answer something.
async function locked(text) {
  const lock = spawn('psql', ['-q', '-At', conninfo], { stdio: ['pipe', 'pipe', 'inherit'] });
  locks.push(lock);
  lock.stdin.write(`BEGIN; ${text};\n`);
  await once(lock.stdout, 'data');
  return async () => { lock.stdin.end('COMMIT;\n'); await once(lock, 'exit'); };
}
async function until(what, holds) {
  for (let i = 0; i < 600; i++, await pause(50)) if (await holds()) return;
  assert.fail(what);
}

test('a new search parameter is ready on every server or on none, and its task outlives its server', { skip }, async () => {
  const query = 'Basic?words=words';
  for (let i = 0; i < 5; i++) assert.equal((await call(servers[0], 'PUT', `Basic/w${i}`, { resourceType: 'Basic', id: `w${i}`, code: { text: 'Words' } })).status, 201);
  for (const server of servers) assert.equal((await call(server, 'GET', query)).status, 400);
  // the index rows of these resources can not be written while others hold them
  const release = await locked("SELECT rid FROM medulla.resource WHERE type = (SELECT number FROM medulla.name WHERE kind = 0 AND text = 'Basic'::bytea) FOR UPDATE");
  assert.equal((await call(servers[1], 'POST', 'SearchParameter', { resourceType: 'SearchParameter', url: 'http://example.org/sp/words', name: 'words', status: 'active',
    description: 'words', code: 'words', base: ['Basic'], type: 'string', expression: 'Basic.code.text' })).status, 201);
  for (const server of servers) {
    await until('every server knows it', async () => {
      const a = await call(server, 'GET', query);
      assert.ok([400, 503].includes(a.status), a.text);
      if (a.status === 503) assert.match(a.text, /is not ready/);
      return a.status === 503;
    });
  }
  const says = (words) => servers.filter(({ log }) => log.includes(words));
  await until('one begins', () => says('task begins').length > 0);
  const [owner] = says('task begins');
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  const others = servers.filter((server) => server !== owner);
  for (const server of others) assert.equal((await call(server, 'GET', query)).status, 503);
  // as if its lease were over: that takes ten seconds
  sql("UPDATE medulla.note SET text = convert_to(regexp_replace(convert_from(text, 'UTF8'), '\"leaseUntil\":[0-9]+', '\"leaseUntil\":0'), 'UTF8') WHERE convert_from(name, 'UTF8') LIKE 'task:%'");
  await release();
  for (const server of others) {
    await until('ready', async () => {
      const a = await call(server, 'GET', query);
      assert.ok([200, 503].includes(a.status), a.text);
      if (a.status === 200) assert.equal(a.json.total, 5);
      return a.status === 200;
    });
  }
  await until('its end is told', () => says('task ends').length > 0);
  assert.deepEqual([says('task begins').length, says('task goes on').length, says('task ends').length], [1, 1, 1], 'each of them once');
  const at = servers.indexOf(owner);
  servers[at] = await serve(`s${at}`);
  assert.equal((await call(servers[at], 'GET', query)).json.total, 5);
});

test('a question whose server died is answered by another', { skip }, async () => {
  // nothing is read while the table is locked, so that the job is under way when its server dies
  const release = await locked('LOCK TABLE medulla.resource IN ACCESS EXCLUSIVE MODE; SELECT 1');
  const begun = await call(servers[2], 'GET', 'Basic', undefined, later);
  assert.equal(begun.status, 202, begun.text);
  const status = begun.headers.get('content-location');
  servers[2].child.kill('SIGKILL');
  await once(servers[2].child, 'exit');
  assert.equal((await call(servers[0], 'GET', status.replace(/^.*\/fhir\//, ''))).status, 202, 'it is not lost');
  await release();
  // as if its lease were over: that takes two minutes
  sql("UPDATE medulla.note SET text = convert_to(regexp_replace(convert_from(text, 'UTF8'), '\"lease\":[0-9]+', '\"lease\":0'), 'UTF8') WHERE convert_from(name, 'UTF8') LIKE 'job:%'");
  let done;
  for (let i = 0; i < 600; i++) { // whoever took it over has the result
    const answers = await Promise.all(servers.slice(0, 2).map((server) => call(server, 'GET', status.replace(/^.*\/fhir\//, ''))));
    done = answers.find((a) => a.status === 200);
    if (done) break;
    await pause(50);
  }
  assert.ok(done, 'never answered');
  assert.equal(done.json.entry.length, (await call(servers[0], 'GET', 'Basic?_summary=count')).json.total);
});
