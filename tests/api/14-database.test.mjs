// a database that goes away, takes no writes, or is not ours: what clients, log and doctor hear, and
// that all goes on without a restart
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, medulla } from './lib/server.mjs';

const skip = process.env.MEDULLA_TEST_POSTGRES ? false : 'no PostgreSQL (MEDULLA_TEST_POSTGRES)';
let preload = {}; // of the database server
const control = (...words) => execFileSync('sh', ['tests/postgres/server.sh', ...words], { encoding: 'utf8', env: { ...process.env, ...preload } }).trim();
const shim = join(dirname(binary), 'tests/api/fail_space.so');
let folder, database, admin, app, child, base, log = '';

const sql = (text) => execFileSync('psql', ['-q', '-At', '-c', text, admin], { encoding: 'utf8' }).trim();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'medulla-db-'));
  database = mkdtempSync(join(tmpdir(), 'mpg-'));
  chmodSync(database, 0o755);
  if (existsSync(shim)) {
    copyFileSync(shim, join(database, 'fail_space.so')); // where the server's user may read it
    preload = { LD_PRELOAD: join(database, 'fail_space.so'), FAIL_SPACE_WHILE: join(database, 'full') };
  }
  admin = control('start', database);
  preload = {};
  sql('CREATE ROLE app LOGIN');
  sql('CREATE DATABASE clinic OWNER app');
  app = admin.replace('user=medulla', 'user=app').replace('dbname=postgres', 'dbname=clinic');
  admin = admin.replace('dbname=postgres', 'dbname=clinic');
  const port = await freePort();
  child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--store', `postgres:${app}`, '--listen', `127.0.0.1:${port}`, '--auth', 'off'],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '' }, stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (part) => { log += part; });
  base = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 300 && !(await fetch(`${base}/health/ready`).then((r) => r.ok, () => false)); i++) await pause(50);
  assert.equal((await write('first')).status, 201);
});
after(async () => {
  if (skip) return;
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
  control('stop', database);
  rmSync(folder, { recursive: true, force: true });
});

async function answer(path, method, body) {
  const r = await fetch(`${base}/fhir/${path}`, { method, body, headers: { 'content-type': 'application/fhir+json' } });
  return { status: r.status, retry: r.headers.get('retry-after'), text: await r.text() };
}
const write = (id) => answer(`Patient/${id}`, 'PUT', JSON.stringify({ resourceType: 'Patient', id }));
const read = (id) => answer(`Patient/${id}`, 'GET');

// Until it works again: a refused write says 503 and when to come back, never anything else.
async function recovers(id) {
  for (let i = 0; i < 150; i++) {
    const a = await write(id);
    if (a.status === 201 || a.status === 200) break;
    assert.equal(a.status, 503, a.text);
    await pause(100);
  }
  assert.equal((await write(id)).status, 200);
  assert.equal((await read(id)).status, 200);
}

function refused(a, says) {
  assert.equal(a.status, 503, a.text);
  assert.ok(Number(a.retry) > 0, 'Retry-After');
  assert.match(a.text, says);
}

async function doctor(says) {
  const d = await medulla(['doctor', '--data', join(folder, 'store'), '--store', `postgres:${app}`]);
  assert.equal(d.code, 1, d.out);
  assert.match(d.out, says);
}

// Lines are written in batches, and what keeps the connections looks every so often.
async function logged(says) {
  for (let i = 0; i < 200 && !says.test(log); i++) await pause(50);
  assert.match(log, says);
}

const large = (id) => answer(`Patient/${id}`, 'PUT', JSON.stringify({ resourceType: 'Patient', id,
  photo: [{ contentType: 'image/png', data: randomBytes(200_000).toString('base64') }] }));

test('a disk of the database that is full', { skip: skip || (!existsSync(shim) && 'this build has no tests/api/fail_space.so') }, async () => {
  assert.equal((await large('l0')).status, 201);
  writeFileSync(join(database, 'full'), '');
  try {
    let a = { status: 201 };
    for (let i = 1; i < 100 && a.status === 201; i++) a = await large(`l${i}`);
    assert.equal(a.status, 507, a.text);
    assert.match(a.text, /the database's disk is full \(53100\); reading goes on/);
    assert.equal((await read('first')).status, 200);
    assert.equal((await read('l0')).status, 200);
    await logged(/the database takes no writes[^\n]*disk is full/);
  } finally {
    rmSync(join(database, 'full'));
  }
  for (let i = 0; i < 150; i++) {
    const a = await large('after-full');
    if (a.status === 201 || a.status === 200) break;
    assert.ok(a.status === 507 || a.status === 503, a.text);
    await pause(100);
  }
  assert.equal((await large('after-full')).status, 200, 'by itself');
  await logged(/disk is full[^]*takes writes again/);
});

test('no room for the log of the database', { skip: skip || (!existsSync(shim) && 'this build has no tests/api/fail_space.so') }, async () => {
  assert.equal((await write('before-wal')).status, 201);
  const flag = join(database, 'full.wal');
  writeFileSync(flag, '');
  try { // the server ends when it needs a new file of WAL, and does not get up again without one
    for (let i = 0; i < 20; i++) {
      if (spawnSync('psql', ['-q', '-At', '-c', 'CREATE TEMPORARY TABLE t (a int); SELECT pg_switch_wal()', admin]).status !== 0) break;
    }
    let a = { status: 200 };
    for (let i = 0; i < 100 && a.status < 300; i++) a = await write('without-wal');
    if (a.status === 500) { // its COMMIT was under way
      assert.match(a.text, /unknown whether this was stored/);
      a = await write('without-wal');
    }
    refused(a, /database/);
    await logged(/the database can not be reached/);
  } finally {
    rmSync(flag);
  }
  control('restart', database, 'immediate');
  await recovers('after-wal');
  assert.equal((await read('before-wal')).status, 200);
});

test('a statement that takes too long, or is cancelled', { skip }, async () => {
  const lock = spawn('psql', ['-q', '-At', admin], { stdio: ['pipe', 'pipe', 'inherit'] });
  lock.stdin.write('BEGIN; SELECT t FROM medulla.state FOR UPDATE;\n');
  await once(lock.stdout, 'data');
  let told;
  write('cancelled').then((a) => { told = a; }, (e) => { told = e; });
  for (let i = 0; i < 300 && told === undefined; i++) { // others may wait for it, too
    sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Lock'");
    await pause(50);
  }
  refused(told, /took too long over a write, or somebody cancelled it \(57014\): nothing was stored/);
  lock.stdin.end('COMMIT;\n');
  await once(lock, 'exit');
  assert.equal((await read('cancelled')).status, 404);
  assert.equal((await write('cancelled')).status, 201, 'on the same connection');
});

test('a question that takes too long, or is cancelled', { skip }, async () => {
  const lock = spawn('psql', ['-q', '-At', admin], { stdio: ['pipe', 'pipe', 'inherit'] });
  lock.stdin.write('BEGIN; LOCK TABLE medulla.string IN ACCESS EXCLUSIVE MODE; SELECT 1;\n');
  await once(lock.stdout, 'data');
  let told;
  answer('Patient?address=nowhere', 'GET').then((a) => { told = a; }, (e) => { told = e; });
  for (let i = 0; i < 300 && told === undefined; i++) {
    sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Lock'");
    await pause(50);
  }
  refused(told, /reading took longer than it may/);
  lock.stdin.end('COMMIT;\n');
  await once(lock, 'exit');
  assert.equal((await answer('Patient?address=nowhere', 'GET')).status, 200);
});

test('a database that is stopped', { skip }, async () => {
  control('restart', database, 'immediate'); // connections break, and it comes back at once
  await recovers('after-restart');
  control('halt', database);
  try {
    refused(await write('while-stopped'), /database/);
    refused(await read('first'), /database/);
    await doctor(/can not be reached/);
    await logged(/the database can not be reached/);
  } finally {
    control('begin', database);
  }
  await recovers('after-stop');
});

test('a backup is PostgreSQL\'s own matter, and whether it is made is looked at', { skip }, async () => {
  const backup = async (says) => {
    const a = await medulla(['backup', '--data', join(folder, 'store'), '--store', `postgres:${app}`, join(folder, 'backup')]);
    assert.notEqual(a.code, 0);
    assert.match(a.err, /PostgreSQL's own tools do this: pg_basebackup or pgBackRest, and the file `key` beside it/);
    assert.match(a.err, says);
  };
  // Settled when the archiver has told it: it looks every so often.
  const settled = async (column) => {
    sql('SELECT pg_switch_wal()');
    for (let i = 0; i < 300 && sql(`SELECT ${column} IS NULL FROM pg_stat_archiver`) === 't'; i++) await pause(100);
  };
  await backup(/WAL is not archived \(archive_mode is off\); without it a backup only goes back to when it was made/);
  try {
    sql('ALTER SYSTEM SET archive_mode = on');
    sql("ALTER SYSTEM SET archive_command = 'false'");
    control('restart', database);
    await write('archived');
    await settled('last_failed_time');
    await backup(/archiving WAL fails: see the server's log/);
    await doctor(/archiving WAL fails[^]*a working archive_command/);
    sql("ALTER SYSTEM SET archive_command = 'true'");
    sql('SELECT pg_reload_conf()');
    await settled('last_archived_time');
    await backup(/WAL is archived, the last \d+ s ago\s*$/);
  } finally {
    sql('ALTER SYSTEM RESET archive_mode');
    sql('ALTER SYSTEM RESET archive_command');
    control('restart', database);
  }
  await recovers('after-archiving');
});

test('a standby that was named by mistake', { skip }, async () => {
  const standby = mkdtempSync(join(tmpdir(), 'mpg-'));
  chmodSync(standby, 0o755);
  try {
    const conninfo = control('standby', standby, database).replace('user=medulla dbname=postgres', 'user=app dbname=clinic');
    for (const command of ['verify', 'doctor']) {
      const answer = await medulla([command, '--data', join(folder, 'store'), '--store', `postgres:${conninfo}`]);
      assert.notEqual(answer.code, 0);
      assert.match(answer.out + answer.err, /read-only \((25006|0A000)\): a standby\? Name the primary/);
    }
  } finally {
    control('stop', standby);
  }
});

test('rights that are missing', { skip }, async () => {
  sql('REVOKE INSERT, UPDATE ON medulla.resource, medulla.state FROM app');
  refused(await write('without-rights'), /refuses the store's user \(42501\)/);
  assert.equal((await read('first')).status, 200);
  await doctor(/lacks rights on its tables/);
  sql('GRANT INSERT, UPDATE ON medulla.resource, medulla.state TO app');
  await recovers('with-rights');
  await logged(/the database takes no writes[^]*takes writes again/);
});

test('a format that a newer program made', { skip }, async () => {
  sql('INSERT INTO medulla.format (number) VALUES (99)');
  const verify = await medulla(['verify', '--data', join(folder, 'store'), '--store', `postgres:${app}`]);
  assert.equal(verify.code, 4);
  assert.match(verify.err, /format 99.*newer medulla/);
  await doctor(/newer version of medulla/);
  sql('DELETE FROM medulla.format WHERE number = 99');
});

test('a format that an older program made', { skip }, async () => {
  const last = sql('DELETE FROM medulla.format WHERE number = (SELECT max(number) FROM medulla.format) RETURNING number');
  const command = (name) => medulla([name, '--data', join(folder, 'store'), '--store', `postgres:${app}`]);
  try {
    const verify = await command('verify');
    assert.equal(verify.code, 4);
    assert.match(verify.err, new RegExp(`format ${last - 1}, this program works on format ${last}: .*run \`medulla upgrade\` \\(nothing was changed\\)`));
    await doctor(/mend it with: medulla upgrade/);
    const upgrade = await command('upgrade'); // beside the server that is running
    assert.equal(upgrade.code, 4);
    assert.match(upgrade.err, /other processes of medulla have \d+ connections to this database; stop all servers first/);
  } finally {
    sql(`INSERT INTO medulla.format (number) VALUES (${last})`);
  }
  assert.match((await command('upgrade')).out, new RegExp(`format ${last}: nothing to do`));
});

test('a database that is not there', { skip }, async () => {
  const gone = await medulla(['verify', '--data', join(folder, 'store'), '--store', `postgres:${app.replace('clinic', 'nowhere')}`]);
  assert.notEqual(gone.code, 0);
  assert.match(gone.err, /can not be reached.*nowhere/);
});
