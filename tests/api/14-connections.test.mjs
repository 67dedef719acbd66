// more clients than connections, a database that gives no connection, and one that is too old: what
// clients, log and doctor hear, and that all goes on without a restart
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { control, pause, serveOn } from './lib/database.mjs';
import { medulla } from './lib/server.mjs';

const skip = process.env.MEDULLA_TEST_POSTGRES ? false : 'no PostgreSQL (MEDULLA_TEST_POSTGRES)';
const WORKERS = 2, QUICK = 2, OTHERS = 12; // docs/operations.md: "and some twelve more"
let folder, place, admin, app;

const sql = (text) => execFileSync('psql', ['-q', '-At', '-c', text, admin], { encoding: 'utf8' }).trim();
const connections = () => Number(sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"));

before(() => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-db-'));
  place = mkdtempSync(join(tmpdir(), 'mpg-'));
  chmodSync(place, 0o755);
  admin = control('start', place);
  sql('CREATE ROLE app LOGIN');
  sql('CREATE DATABASE clinic OWNER app');
  app = admin.replace('user=medulla dbname=postgres', 'user=app dbname=clinic');
});
after(() => {
  if (skip) return;
  control('stop', place);
  rmSync(folder, { recursive: true, force: true });
});

const serve = (t, conninfo) => serveOn(t, join(folder, 'store'), conninfo, { workers: WORKERS, quick: QUICK });
async function call(server, method, path, body) {
  const r = await fetch(`${server.base}/fhir/${path}`, { method, body: body && JSON.stringify(body), headers: { 'content-type': 'application/fhir+json' } });
  return { status: r.status, retry: Number(r.headers.get('retry-after')), text: await r.text() };
}
const write = (server, id) => call(server, 'PUT', `Basic/${id}`, { resourceType: 'Basic', id, code: { text: id } });
const doctor = () => medulla(['doctor', '--data', join(folder, 'store'), '--store', `postgres:${app}`]);

async function logged(server, says) {
  for (let i = 0; i < 200 && !says.test(server.log); i++) await pause(50);
  assert.match(server.log, says);
}
async function recovers(server, id) {
  for (const request of [() => write(server, id), () => call(server, 'GET', `Basic/${id}`), () => call(server, 'GET', `Basic?_id=${id}`)]) {
    let a = { status: 0 };
    for (let i = 0; i < 600 && !(a.status >= 200 && a.status < 300); i++) {
      a = await request();
      if (a.status >= 300) assert.equal(a.status, 503, a.text);
      if (a.status >= 300) await pause(50);
    }
    assert.ok(a.status < 300, a.text);
  }
}
// Ways that need connections of their own: committing, reading by id, searching.
async function refusedEverywhere(server, says) {
  for (const [method, path] of [['POST', 'Basic'], ['GET', 'Basic/first'], ['GET', 'Basic?code:text=first']]) {
    const a = await call(server, method, path, method === 'POST' ? { resourceType: 'Basic', code: { text: 'x' } } : undefined);
    assert.equal(a.status, 503, `${method} ${path}: ${a.text}`);
    assert.ok(a.retry > 0, 'Retry-After');
    assert.match(a.text, says);
  }
}
const cutAll = () => sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'app'");

test('more clients than connections: all are answered, and there are no more connections than were promised', { skip }, async (t) => {
  const server = await serve(t, app);
  assert.equal((await write(server, 'first')).status, 201);
  let most = 0, done = false;
  const watch = (async () => { for (; !done; await pause(20)) most = Math.max(most, connections()); })();
  const paths = ['Basic/first', 'Basic?_id=first', 'Basic/first/_history'];
  const answers = await Promise.all(Array.from({ length: 240 }, (_, i) =>
    i % 4 === 3 ? write(server, `many-${i}`) : call(server, 'GET', paths[i % 4])));
  done = true;
  await watch;
  // a queue that is full may turn searches away, never reads and writes
  for (const [i, a] of answers.entries()) assert.ok(a.status < 300 || (i % 4 === 1 && a.status === 503 && a.retry > 0), `${i}: ${a.text}`);
  assert.ok(most > QUICK && most <= WORKERS + QUICK + OTHERS, `${most} connections`);
});

test('a database that has no connection left', { skip }, async (t) => {
  const server = await serve(t, app);
  assert.ok((await write(server, 'first')).status < 300);
  sql('ALTER ROLE app CONNECTION LIMIT 0');
  t.after(() => sql('ALTER ROLE app CONNECTION LIMIT -1'));
  cutAll();
  await refusedEverywhere(server, /the database can not be reached: .*too many connections for role/);
  await logged(server, /the database takes no writes[^\n]*too many connections/);
  const told = await doctor();
  assert.equal(told.code, 1);
  assert.match(told.out, /can not be reached: .*too many connections for role/);
  sql('ALTER ROLE app CONNECTION LIMIT -1');
  await recovers(server, 'after-limit');
  await logged(server, /the database takes writes again/);
});

test('a limit below what one process may need is told by doctor', { skip }, async () => {
  sql('ALTER SYSTEM SET max_connections = 20');
  control('restart', place);
  try {
    assert.match((await doctor()).out, /connections.*of at most 20; one process has up to \d+[^]*a larger max_connections, or fewer workers/);
  } finally {
    sql('ALTER SYSTEM RESET max_connections');
    control('restart', place);
  }
});

// What a server of another version says until a client could ask it something.
function old(socket) {
  const message = (type, ...parts) => {
    const body = Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from(part))));
    const head = Buffer.alloc(5);
    head.write(type, 0);
    head.writeUInt32BE(body.length + 4, 1);
    socket.write(Buffer.concat([head, body]));
  };
  socket.on('error', () => {});
  socket.on('data', (part) => {
    const code = part.length >= 8 ? part.readUInt32BE(4) : 0;
    if (code === 80877103 || code === 80877104) { // SSL, GSS
      socket.write('N');
    } else if (code === 196608) {
      message('R', Buffer.alloc(4));
      message('S', 'server_version\0', '14.11\0');
      message('S', 'client_encoding\0', 'UTF8\0');
      message('K', Buffer.alloc(8));
      message('Z', 'I');
    }
  });
}

test('a server that is too old', { skip }, async (t) => {
  let isOld = false;
  const ends = new Set();
  const way = createServer((near) => {
    ends.add(near);
    if (isOld) return old(near);
    const far = connect(join(place, '.s.PGSQL.5432'));
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on('error', () => { near.destroy(); far.destroy(); });
  }).listen(0, '127.0.0.1');
  await once(way, 'listening');
  t.after(() => { for (const end of ends) end.destroy(); way.close(); });
  const direct = app;
  app = `host=127.0.0.1 port=${way.address().port} user=app dbname=clinic`;
  try {
    const server = await serve(t, app);
    assert.ok((await write(server, 'first')).status < 300);
    isOld = true;
    for (const end of ends) end.destroy();
    await refusedEverywhere(server, /PostgreSQL 14 is too old: 15 or newer is needed/);
    await logged(server, /the database takes no writes[^\n]*PostgreSQL 14 is too old/);
    const told = await doctor();
    assert.equal(told.code, 1);
    assert.match(told.out, /PostgreSQL 14 is too old: 15 or newer is needed/);
    const verify = await medulla(['verify', '--data', join(folder, 'store'), '--store', `postgres:${app}`]);
    assert.notEqual(verify.code, 0);
    assert.match(verify.err, /PostgreSQL 14 is too old/);
    isOld = false;
    for (const end of ends) end.destroy();
    await recovers(server, 'after-old');
  } finally {
    app = direct;
  }
});

test('a user who may not make the tables, or not read them', { skip }, async () => {
  sql('CREATE ROLE guest LOGIN');
  sql('CREATE DATABASE empty OWNER app');
  for (const [name, says] of [['empty', /refuses the store's user \(42501\)/], ['clinic', /the user needs all rights on the schema medulla/]]) {
    const conninfo = app.replace('user=app dbname=clinic', `user=guest dbname=${name}`);
    for (const command of [['serve', '--listen', '127.0.0.1:0', '--auth', 'off'], ['import', '/dev/null']]) {
      const said = await medulla([...command, '--data', join(folder, 'guest'), '--store', `postgres:${conninfo}`]);
      assert.notEqual(said.code, 0);
      assert.match(said.err, says);
    }
  }
});
