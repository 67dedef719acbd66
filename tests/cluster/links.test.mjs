// The way between medulla and its database: broken, refused, standing still, and cut in a network of its
// own. Clients hear 503 with Retry-After (or, of a write whose COMMIT was under way, that nobody knows),
// nothing that was acknowledged is lost, and all goes on by itself.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { control, pause, serveOn } from '../api/lib/database.mjs';
import { medulla } from '../api/lib/server.mjs';

// `node links.test.mjs --forward ADDRESS PORT SOCKET`: the far end of a network of its own.
if (process.argv[2] === '--forward') {
  const [, , , address, port, socket] = process.argv;
  createServer((near) => join2(near, connect(socket))).listen(Number(port), address, () => console.log('there'));
}
function join2(near, far) {
  near.pipe(far).pipe(near);
  for (const end of [near, far]) end.on('error', () => { near.destroy(); far.destroy(); });
}

const have = () => { try { control('have'); return process.argv[2] !== '--forward'; } catch { return false; } };
const skip = have() ? false : 'PostgreSQL is not installed';
// What the link loses is noticed sooner than by the defaults (15 s).
const IMPATIENT = 'user=medulla dbname=postgres connect_timeout=2 tcp_user_timeout=2000 keepalives_idle=1 keepalives_interval=1 keepalives_count=2';

let folder, place;
before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-links-'));
  place = mkdtempSync(join(tmpdir(), 'mpg-'));
  chmodSync(place, 0o755);
  control('start', place);
});
after(() => {
  if (skip) return;
  control('stop', place);
  rmSync(folder, { recursive: true, force: true });
});

const serve = (t, conninfo) => serveOn(t, join(folder, 'store'), conninfo, { workers: 2, quick: 2 });
async function call(server, method, path, body) {
  const r = await fetch(`${server.base}/fhir/${path}`, { method, body: body && JSON.stringify(body), headers: { 'content-type': 'application/fhir+json' } });
  return { status: r.status, retry: Number(r.headers.get('retry-after')), text: await r.text() };
}
const write = (server, id, n) => call(server, 'PUT', `Basic/${id}`, { resourceType: 'Basic', id, code: { text: `${n}` } });

function wentAway(a) {
  if (a.status === 503) assert.ok(a.retry > 0, 'Retry-After');
  else assert.ok(a.status === 500 && /unknown whether this was stored/.test(a.text), `${a.status} ${a.text}`);
}
async function recovers(server, id) {
  for (let i = 0; i < 600; i++) {
    const a = await write(server, id, 'again');
    if (a.status < 300) break;
    wentAway(a);
    await pause(50);
  }
  for (let i = 0; i < 600; i++) { // each reader finds out by itself
    const a = await call(server, 'GET', `Basic/${id}`);
    if (a.status === 200) return;
    assert.equal(a.status, 503, a.text);
    await pause(50);
  }
  assert.fail('it does not go on');
}
async function logged(server, says) {
  for (let i = 0; i < 200 && !says.test(server.log); i++) await pause(50);
  assert.match(server.log, says);
}

test('a link that breaks, is refused, and stands still', { skip }, async (t) => {
  const ends = new Set();
  let mode = 'open';
  const proxy = createServer((near) => {
    if (mode === 'refused') { near.destroy(); return; }
    const far = connect(join(place, '.s.PGSQL.5432'));
    join2(near, far);
    for (const end of [near, far]) {
      ends.add(end);
      end.on('close', () => ends.delete(end));
      if (mode === 'still') end.pause();
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  t.after(() => { proxy.close(); for (const end of ends) end.destroy(); });
  const conninfo = `host=127.0.0.1 port=${proxy.address().port} ${IMPATIENT}`;
  const server = await serve(t, conninfo);
  assert.equal((await write(server, 'first', 1)).status, 201);

  // broken under writes: what was acknowledged is there
  const acknowledged = new Map();
  let writing = true;
  const clients = Array.from({ length: 8 }, async (_, i) => {
    for (let n = 1; writing; n++) {
      const a = await write(server, `c${i}`, n);
      if (a.status < 300) acknowledged.set(`c${i}`, n);
      else { wentAway(a); n--; await pause(10); }
    }
  });
  for (let i = 0; i < 3; i++) {
    await pause(200);
    for (const end of ends) end.destroy();
  }
  await pause(200);
  writing = false;
  await Promise.all(clients);
  assert.ok(acknowledged.size > 0);
  for (const [id, n] of acknowledged)
    assert.ok(Number(JSON.parse((await call(server, 'GET', `Basic/${id}`)).text).code.text) >= n, 'an acknowledged write is there');

  mode = 'refused';
  for (const end of ends) end.destroy();
  for (const a of [await write(server, 'refused', 1), await call(server, 'GET', 'Basic/first'), await call(server, 'GET', 'Basic?code=x')]) wentAway(a);
  const doctor = await medulla(['doctor', '--data', join(folder, 'store'), '--store', `postgres:${conninfo}`]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.out, /can not be reached/);
  await logged(server, /the database can not be reached/);
  mode = 'open';
  await recovers(server, 'refused');

  // nothing is closed and nothing answers: a read waits until its time is over, no longer
  mode = 'still';
  for (const end of ends) end.pause();
  const a = await call(server, 'GET', 'Basic/first');
  assert.equal(a.status, 503, a.text);
  assert.ok(a.retry > 0);
  mode = 'open';
  for (const end of ends) end.destroy();
  await recovers(server, 'still');
});

const SPACE = `med${process.pid}`;
const ip = (...words) => spawnSync('ip', words).status === 0;
const spaces = () => ip('netns', 'add', SPACE) && ip('netns', 'del', SPACE);
test('a link that is cut, between two networks', { skip: skip || (!spaces() && 'no network namespaces here') }, async (t) => {
  const inside = (...words) => ip('netns', 'exec', SPACE, ...words);
  const net = `10.213.${process.pid % 250}`;
  t.after(() => ip('netns', 'del', SPACE));
  if (!ip('netns', 'add', SPACE) || !ip('link', 'add', SPACE, 'type', 'veth', 'peer', 'name', 'med0', 'netns', SPACE)) {
    t.skip('no pair of network devices here');
    return;
  }
  t.after(() => ip('link', 'del', SPACE));
  assert.ok(ip('addr', 'add', `${net}.1/30`, 'dev', SPACE) && ip('link', 'set', SPACE, 'up'));
  assert.ok(inside('ip', 'addr', 'add', `${net}.2/30`, 'dev', 'med0') && inside('ip', 'link', 'set', 'med0', 'up'));
  const far = spawn('ip', ['netns', 'exec', SPACE, process.execPath, fileURLToPath(import.meta.url), '--forward', `${net}.2`, '5432', join(place, '.s.PGSQL.5432')],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => far.kill());
  await once(far.stdout, 'data');

  const server = await serve(t, `host=${net}.2 port=5432 ${IMPATIENT}`);
  assert.equal((await write(server, 'before', 1)).status, 201);
  // some connections are asked while it happens, others find out later
  const cut = () => assert.ok(inside('ip', 'link', 'set', 'med0', 'down'));
  const under = Array.from({ length: 8 }, async (_, i) => {
    for (let n = 0; ; n++) {
      const a = await write(server, `u${i}`, n);
      if (a.status >= 300) return wentAway(a);
      if (i === 0 && n === 2) cut();
    }
  });
  await Promise.all(under);
  wentAway(await call(server, 'GET', 'Basic/before'));
  wentAway(await call(server, 'GET', 'Basic?code=x'));
  assert.ok(inside('ip', 'link', 'set', 'med0', 'up'));
  await recovers(server, 'after');
  assert.equal((await call(server, 'GET', 'Basic/before')).status, 200);
});
