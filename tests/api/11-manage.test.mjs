// https://prometheus.io/docs/instrumenting/exposition_formats/ and the addresses a server listens on
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, startServer } from './lib/server.mjs';
import { canMount, onSmallDisk } from './lib/small_disk.mjs';

let server, manage;
before(async () => {
  const port = await freePort();
  manage = `http://127.0.0.1:${port}`;
  server = await startServer({ MEDULLA_ADMIN_LISTEN: `127.0.0.1:${port}` });
});
after(async () => assert.equal(await server.stop(), 0));

// fetch knows neither unix sockets nor a Host of one's own.
async function ask(options, body) {
  const asking = request({ path: '/', ...options }).end(body);
  const [answer] = await once(asking, 'response');
  let text = '';
  for await (const part of answer) text += part;
  return { status: answer.statusCode, headers: answer.headers, text };
}

async function samples() {
  const text = await (await fetch(`${manage}/metrics`)).text();
  const found = new Map();
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('#')) {
      assert.match(line, /^# (TYPE [a-z_]+ (counter|gauge|histogram)|HELP [a-z_]+ .+)$/);
      continue;
    }
    assert.match(line, /^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+$/);
    const [, name, value] = line.match(/^(.*) (\S+)$/);
    assert.ok(!found.has(name), `${name} twice`);
    found.set(name, Number(value));
  }
  return found;
}

// "version": "0.1.0" of the project, as `medulla version` says it.
async function version() {
  const child = spawn(binary, ['version'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const part of child.stdout) text += part;
  return text;
}

test('health tells version, uptime, store and queues', async () => {
  const answer = await fetch(`${manage}/health`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const health = await answer.json();
  assert.equal(health.status, 'ok');
  assert.ok((await version()).includes(health.version));
  assert.ok(Number.isInteger(health.uptimeSeconds) && health.uptimeSeconds >= 0);
  assert.equal(health.store.writable, true);
  assert.equal(health.store.failed, false);
  assert.ok(health.store.databaseBytes > 0);
  assert.deepEqual(health.queues, { commits: 0, workers: 0 });
});

test('a create counts in health and in metrics', async () => {
  const health = async () => (await (await fetch(`${manage}/health`)).json()).store;
  const [before, counted] = [await health(), await samples()];
  const made = await fetch(`${server.base}/Patient`, { method: 'POST', body: '{"resourceType":"Patient"}',
    headers: { 'Content-Type': 'application/fhir+json' } });
  assert.equal(made.status, 201);
  const [then, counts] = [await health(), await samples()];
  assert.equal(then.resources, before.resources + 1);
  assert.equal(then.versions, before.versions + 1);
  assert.equal(then.commits, before.commits + 1);
  const grew = (name) => counts.get(name) - (counted.get(name) ?? 0);
  assert.equal(grew('medulla_resources'), 1);
  assert.equal(grew('medulla_commits_total'), 1);
  assert.equal(grew('medulla_request_seconds_count'), 1);
  assert.equal(grew('medulla_request_seconds_bucket{le="+Inf"}'), 1);
  const creates = [...counts.keys()].filter((k) => /^medulla_requests_total\{interaction="create",.*status="2xx"\}$/.test(k));
  assert.equal(creates.length, 1);
  assert.equal(grew(creates[0]), 1);
});

test('metrics are Prometheus text with the queues', async () => {
  const answer = await fetch(`${manage}/metrics`);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const counts = await samples();
  assert.equal(counts.get('medulla_worker_queue'), 0);
  assert.equal(counts.get('medulla_commit_queue'), 0);
  assert.equal(counts.get('medulla_store_writable'), 1);
});

test('nothing else is there, and neither page is on the public port', async () => {
  assert.equal((await fetch(`${manage}/fhir/Patient`)).status, 404);
  assert.equal((await fetch(`${manage}/`)).status, 404);
  const post = await fetch(`${manage}/metrics`, { method: 'POST', body: 'x' });
  assert.equal(post.status, 405);
  assert.equal(post.headers.get('allow'), 'GET, HEAD');
  const head = await fetch(`${manage}/health`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  const open = new URL(server.base).origin;
  assert.equal((await fetch(`${open}/metrics`)).status, 404);
  assert.equal((await fetch(`${open}/health`)).status, 404);
});

test('another Host is refused, so no page can rebind its name to it', async () => {
  const { hostname, port } = new URL(manage);
  const host = (name) => ask({ hostname, port, path: '/health', headers: { Host: name } });
  assert.equal((await host(`localhost:${port}`)).status, 200);
  assert.ok([400, 403, 421].includes((await host('evil.example')).status));
});

// Serves with `settings` until it ends by itself or has said `until`; its words and exit code.
async function serve(settings, until) {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-api-'));
  const env = { ...process.env, ...settings };
  if (settings.MEDULLA_ADMIN_LISTEN === undefined) delete env.MEDULLA_ADMIN_LISTEN;
  const child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--listen', `127.0.0.1:${await freePort()}`,
    '--auth', 'off'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let said = '';
  for await (const part of child.stderr) {
    said += part;
    if (until?.test(said)) child.kill('SIGTERM');
  }
  const [code] = await ended;
  rmSync(folder, { recursive: true, force: true });
  return { code, said };
}

test('an address asked for that is taken: serve fails and names the setting', async () => {
  const { port } = new URL(manage);
  const { code, said } = await serve({ MEDULLA_ADMIN_LISTEN: `127.0.0.1:${port}` }, /\bserving\b/);
  assert.equal(code, 1);
  assert.match(said, /admin\.listen: address 127\.0\.0\.1:\d+ is in use/);
});

test('the default address taken: serve starts and warns', async () => {
  const taker = createServer().listen(9464, '127.0.0.1');
  await once(taker, 'listening').catch((e) => assert.equal(e.code, 'EADDRINUSE')); // somebody's is as good
  const { code, said } = await serve({}, /\bserving\b/);
  taker.close();
  assert.equal(code, 0);
  assert.match(said, /no management address/);
});

test('no management address when the setting is empty', async () => {
  const { code, said } = await serve({ MEDULLA_ADMIN_LISTEN: '' }, /\bserving\b/);
  assert.equal(code, 0);
  assert.doesNotMatch(said, /manag/);
});

test('both addresses may be unix sockets', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-unix-'));
  const fhir = join(folder, 'fhir.sock'), admin = join(folder, 'admin.sock');
  const child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--listen', `unix:${fhir}`, '--auth', 'off'],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: `unix:${admin}` }, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill());
  const ended = once(child, 'exit');
  await new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (part) => { said += part; if (/\bserving\b/.test(said)) resolve(); });
    child.on('exit', () => reject(new Error(`the server ended: ${said}`)));
  });
  const headers = { Host: 'localhost' };
  const made = await ask({ socketPath: fhir, method: 'PUT', path: '/fhir/Patient/u', headers: {
    ...headers, 'Content-Type': 'application/fhir+json', 'Content-Length': 0 } });
  assert.equal(made.status, 400); // no body: it is FHIR that answers
  const statement = await ask({ socketPath: fhir, path: '/fhir/metadata', headers });
  assert.equal(statement.status, 200);
  assert.equal(JSON.parse(statement.text).implementation.url, 'http://localhost/fhir');
  assert.equal((await ask({ socketPath: fhir, path: '/fhir/metadata', headers: { Host: 'evil.example' } })).status >= 400, true);
  assert.equal(JSON.parse((await ask({ socketPath: admin, path: '/health', headers })).text).status, 'ok');
  assert.equal(statSync(fhir).mode & 0o077, 0);
  child.kill('SIGTERM');
  assert.equal((await ended)[0], 0);
  assert.throws(() => statSync(fhir), { code: 'ENOENT' });
  rmSync(folder, { recursive: true, force: true });
});

test('a full disk: health says 503 and read-only, and 200 again when there is room', {
  skip: !canMount && 'no mount namespace here' }, async (t) => {
  const disk = onSmallDisk(t);
  const admin = { socketPath: disk.admin, headers: { Host: 'localhost' } };
  const health = async () => {
    const { status, text } = await ask({ ...admin, path: '/health' });
    return [status, JSON.parse(text).status];
  };
  const until = async (status) => {
    for (let i = 0; i < 400; i++) {
      if (await health().then(([s]) => s === status, () => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`health never said ${status}`);
  };
  const create = () => ask({ socketPath: disk.fhir, path: '/fhir/Patient', method: 'POST',
    headers: { Host: 'localhost', 'Content-Type': 'application/fhir+json' } }, JSON.stringify({
    resourceType: 'Patient', name: [{ text: randomBytes(400000).toString('hex') }] }));
  await until(200);
  assert.equal((await create()).status, 201);
  assert.equal(await disk.fill(), 'filled');
  assert.equal((await create()).status, 507);
  assert.deepEqual(await health(), [503, 'read-only']);
  assert.equal(await disk.free(), 'freed');
  await until(200);
  assert.equal((await create()).status, 201);
  assert.equal(await disk.stop(), 0);
});
