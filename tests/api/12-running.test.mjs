// docs/admin-socket.md: every command on a server that runs and is being written to
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { holds, medulla, onPostgres, startServer } from './lib/server.mjs';

// With a store in PostgreSQL a command is one more process on the database, and asks no server.

let server, folder;
before(async () => {
  server = await startServer();
  folder = mkdtempSync(join(tmpdir(), 'medulla-run-'));
  const some = join(folder, 'some.ndjson');
  writeFileSync(some, patients('some', 3000));
  const made = await medulla(['import', '--data', server.data, some]);
  assert.equal(made.code, 0, made.err);
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const patients = (prefix, n) => Array.from({ length: n }, (_, i) =>
  `{"resourceType":"Patient","id":"${prefix}-${i}","name":[{"family":"Family${i}","given":["Given${i * 7919}"]}]}\n`).join('');
const lines = (path) => readFileSync(path, 'utf8').trimEnd().split('\n');
const ids = (path) => lines(path).map((line) => JSON.parse(line).id);
const json = { 'Content-Type': 'application/fhir+json' };
const run = (command, ...args) => medulla([command, '--data', server.data, ...args], { cwd: folder });

// Writes until told to stop; what was acknowledged, in order.
function load() {
  const acknowledged = [];
  let stopping = false;
  const write = async (writer) => {
    for (let i = 0; !stopping; i++) {
      const id = `load-${process.hrtime.bigint()}-${writer}-${i}`;
      const answer = await fetch(`${server.base}/Patient/${id}`, { method: 'PUT', headers: json,
        body: JSON.stringify({ resourceType: 'Patient', id, name: [{ family: id }] }) });
      assert.equal(answer.status, 201);
      await answer.arrayBuffer();
      acknowledged.push(id);
    }
  };
  const writers = [0, 1, 2, 3].map(write);
  return {
    acknowledged,
    async some(n) { while (acknowledged.length < n) await new Promise((done) => setTimeout(done, 5)); },
    async stop() { stopping = true; await Promise.all(writers); },
  };
}

// Runs `work` under load; gives it the ids that were acknowledged before it began.
async function underLoad(work) {
  const writing = load();
  try {
    await writing.some(50);
    await work([...writing.acknowledged]);
    await writing.some(writing.acknowledged.length + 20); // and goes on
  } finally {
    await writing.stop();
  }
}

test('the socket is for the owner alone', () => {
  const socket = statSync(join(server.data, 'admin.sock'));
  assert.ok(socket.isSocket());
  assert.equal(socket.mode & 0o777, 0o600);
});

test('a backup taken under load restores, verifies and holds what came before', { skip: onPostgres && 'PostgreSQL has its own tools for backups' }, async () => {
  await underLoad(async (before) => {
    const made = await run('backup', '--with-key', join(folder, 'saved'));
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, /^backup made: /);
    const again = join(folder, 'again');
    assert.equal((await medulla(['restore', '--data', again, join(folder, 'saved')])).code, 0);
    const verified = await medulla(['verify', '--data', again]);
    assert.equal(verified.code, 0, verified.out + verified.err);
    const out = join(folder, 'again-out');
    assert.equal((await medulla(['export', '--data', again, out])).code, 0);
    const there = new Set(ids(join(out, 'Patient.ndjson')));
    assert.equal(before.filter((id) => !there.has(id)).length, 0);
    assert.ok(there.has('some-2999'));
  });
});

test('a restore that fails leaves nothing behind, and one that is mended goes on', { skip: onPostgres && 'PostgreSQL has its own tools for backups' }, async () => {
  const saved = join(folder, 'keyless'), again = join(folder, 'keyless-again');
  const made = await run('backup', saved);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /The key is not in it/);
  const failed = await medulla(['restore', '--data', again, saved]);
  assert.equal(failed.code, 1);
  assert.match(failed.err, /copy the key/);
  assert.ok(!existsSync(again) && !existsSync(`${again}.restoring`));
  mkdirSync(`${again}.restoring`); // what a restore that was killed leaves
  const beside = await medulla(['restore', '--data', again, saved]);
  assert.equal(beside.code, 1);
  assert.match(beside.err, /keyless-again\.restoring can not be made/);
  rmdirSync(`${again}.restoring`);
  copyFileSync(join(server.data, 'key'), join(saved, 'key'));
  assert.equal((await medulla(['restore', '--data', `${again}/`, saved])).code, 0);
  assert.equal((await medulla(['verify', '--data', again])).code, 0);
  assert.equal((await medulla(['restore', '--data', again, saved])).code, 1);
  mkdirSync(join(server.data, 'packages'), { recursive: true });
  const told = await run('backup', '--with-key', join(folder, 'with-packages'));
  assert.match(told.out, /^Not in it: .*\/packages; copy this folder, too\.$/m);
});

test('Bundles that were stored come back from an export as they were: none is run, none taken apart', { skip: onPostgres && 'the import would go to the same database' }, async () => {
  const inner = { resourceType: 'Patient', id: `inner-${randomUUID()}` };
  const stored = ['transaction', 'collection', 'searchset'].map((type) => ({ resourceType: 'Bundle', id: `kept-${type}`, type,
    entry: [{ fullUrl: `http://example.org/Patient/${inner.id}`, resource: inner, ...(type === 'transaction' && { request: { method: 'PUT', url: `Patient/${inner.id}` } }) }] }));
  for (const bundle of stored) {
    const answer = await fetch(`${server.base}/Bundle/${bundle.id}`, { method: 'PUT', headers: json, body: JSON.stringify(bundle) });
    assert.equal(answer.status, 201, await answer.text());
  }
  const out = join(folder, 'bundles');
  assert.equal((await run('export', out)).code, 0);
  const other = join(folder, 'bundles-again');
  const made = await medulla(['import', '--data', other, join(out, 'Bundle.ndjson')], { cwd: folder });
  assert.equal(made.code, 0, made.err);
  const back = join(folder, 'bundles-back');
  assert.equal((await medulla(['export', '--data', other, back])).code, 0);
  assert.deepEqual(readdirSync(back).filter((name) => name.endsWith('.ndjson')), ['Bundle.ndjson']);
  const plain = (line) => ({ ...JSON.parse(line), meta: undefined });
  assert.deepEqual(lines(join(back, 'Bundle.ndjson')).map(plain), lines(join(out, 'Bundle.ndjson')).map(plain));
});

test('an import asks for the profiles that a write must keep', { skip: onPostgres && 'the import would go to the same database' }, async () => {
  const file = join(folder, 'claims.ndjson');
  const patient = (id, name) => JSON.stringify({ resourceType: 'Patient', id, meta: { profile: ['http://example.org/named'] }, ...(name && { name: [{ family: 'X' }] }) });
  const profile = { resourceType: 'StructureDefinition', id: 'named', url: 'http://example.org/named', name: 'Named', status: 'active', kind: 'resource', abstract: false,
    type: 'Patient', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', derivation: 'constraint',
    differential: { element: [{ id: 'Patient.name', path: 'Patient.name', min: 1 }] } };
  const data = join(folder, 'claims');
  const settings = { MEDULLA_VALIDATION_PROFILES: 'claimed' };
  writeFileSync(file, `${patient('before', true)}\n`);
  const unknown = await medulla(['import', '--data', data, '--rejects', join(folder, 'c0'), file], { cwd: folder, settings });
  assert.equal(unknown.code, 3, unknown.err);
  assert.match(readFileSync(join(folder, 'c0'), 'utf8'), /example\.org\/named/);
  writeFileSync(file, JSON.stringify(profile));
  assert.equal((await medulla(['import', '--data', data, file], { cwd: folder, settings })).code, 0);
  writeFileSync(file, `${patient('with', true)}\n${patient('without')}\n`);
  const made = await medulla(['import', '--data', data, '--rejects', join(folder, 'c1'), file], { cwd: folder, settings });
  assert.equal(made.code, 3, made.err);
  const rejected = lines(join(folder, 'c1')).map((line) => JSON.parse(line));
  assert.equal(rejected.length, 1);
  assert.match(JSON.stringify(rejected[0]), /Patient\.name/);
});

test('nothing is overwritten, and half a backup is removed', async () => {
  const taken = join(folder, 'taken');
  mkdirSync(taken);
  assert.equal((await run('backup', taken)).code, 1);
  assert.deepEqual(readdirSync(taken), []);
  const nowhere = await run('backup', join(folder, 'no', 'where'));
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.err, /can not make/);
});

test('an export under load is whole, without doubles, with right sums', async () => {
  await underLoad(async (before) => {
    const to = join(folder, 'out');
    const made = await run('export', to);
    assert.equal(made.code, 0, made.err);
    const manifest = JSON.parse(readFileSync(join(to, 'manifest.json'), 'utf8'));
    for (const file of manifest.files) {
      const bytes = readFileSync(join(to, file.name));
      assert.equal(lines(join(to, file.name)).length, file.resources);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), file.sha256);
    }
    const all = ids(join(to, 'Patient.ndjson'));
    const there = new Set(all);
    assert.equal(there.size, all.length);
    assert.equal(before.filter((id) => !there.has(id)).length, 0);
    assert.match(made.out, new RegExp(`Patient +${all.length}\n`));
  });
});

test('verify reads everything under load', async () => {
  await underLoad(async () => {
    const verified = await run('verify');
    assert.equal(verified.code, 0, verified.out + verified.err);
    assert.match(verified.out, /^\d+ versions read, 0 faults\n$/);
  });
});

test('doctor asks the server', async () => {
  const said = await run('doctor');
  assert.equal(said.code, 0, said.out);
  if (!onPostgres) assert.match(said.out, new RegExp(`server +medulla .*, process ${server.child.pid},`));
});

test('an import while serving: the same report as on a stopped store, readable at once', async () => {
  const file = join(folder, 'more.ndjson');
  writeFileSync(file, `${patients('more', 2500)}{"resourceType":"Patient","birthdate":"1980"}\n{"resourceType":"Patient"\n`);
  await underLoad(async () => {
    const made = await run('import', '--rejects', join(folder, 'r1'), file);
    const stopped = await medulla(['import', '--data', join(folder, 'stopped'), '--rejects', join(folder, 'r1'), file]);
    assert.equal(made.code, 3);
    assert.equal(stopped.code, 3);
    assert.equal(made.out, stopped.out);
    assert.match(made.out, /Patient +2500 +0 +0 +1\n/);
  });
  assert.equal((await fetch(`${server.base}/Patient/more-2499`)).status, 200);
  const rejects = lines(join(folder, 'r1')).map((line) => JSON.parse(line));
  assert.deepEqual(rejects.map((r) => r.line).sort(), [2501, 2502]);
  const again = await run('import', file);
  assert.match(again.out, /1 files were imported before/);
});

// Feeds an import of standard input until it has surely begun: large resources do not wait for more.
const LARGE = 20;
const large = (prefix, n) => Array.from({ length: n }, (_, i) =>
  `${JSON.stringify({ resourceType: 'Patient', id: `${prefix}-${i}`, name: [{ text: 'x'.repeat(70000) }] })}\n`).join('');
async function begun(child, prefix) {
  child.stdin.write(large(prefix, LARGE));
  while ((await fetch(`${server.base}/Patient/${prefix}-0`).then((a) => a.arrayBuffer().then(() => a.status))) !== 200)
    await new Promise((done) => setTimeout(done, 10));
}

test('standard input, Ctrl-C: what was taken stays, the server goes on', async () => {
  const cut = await medulla(['import', '--data', server.data, '-'], { cwd: folder, ready: async (child) => {
    await begun(child, 'piped');
    child.kill('SIGINT');
  } });
  assert.equal(cut.code, 3, cut.err);
  assert.match(cut.err, /cancelled/);
  assert.match(cut.out, new RegExp(`Patient +${LARGE} `));
  assert.equal((await fetch(`${server.base}/Patient/piped-${LARGE - 1}`)).status, 200);
  const whole = await medulla(['import', '--data', server.data, '-'], { cwd: folder, input: large('piped', LARGE + 5) });
  assert.equal(whole.code, 0, whole.err);
  assert.match(whole.out, new RegExp(`Patient +5 +0 +${LARGE} `));
});

test('only one import at a time; another command beside it', async () => {
  let second, beside;
  const first = await medulla(['import', '--data', server.data, '-'], { cwd: folder, ready: async (child) => {
    await begun(child, 'one');
    second = await run('import', join(folder, 'some.ndjson'));
    beside = await run('export', join(folder, 'beside'));
    child.stdin.end();
  } });
  assert.equal(first.code, 0, first.err);
  assert.equal(second.code, 1);
  assert.match(second.err, /another import/);
  assert.equal(beside.code, 0, beside.err);
});

async function isGone(marker) {
  for (let i = 0; i < 200 && holds(server, marker).length > 0; i++) await new Promise((done) => setTimeout(done, 50));
  assert.deepEqual(holds(server, marker), []);
}

test('a purge leaves no byte of what it was', async () => {
  // no codec makes this shorter, so it can be looked for as it is
  const marker = 'Xq7LpZ0vKw3RtYb9';
  const body = (i) => JSON.stringify({ resourceType: 'Patient', id: 'secret', identifier: [{ system: 'urn:x', value: `${marker}${i}` }] });
  for (let i = 0; i < 3; i++)
    await fetch(`${server.base}/Patient/secret`, { method: 'PUT', headers: json, body: body(i) });
  assert.ok(holds(server, marker).length > 0); // it can be found
  await underLoad(async () => {
    assert.equal((await run('purge', 'Patient/secret')).code, 2); // no reason
    const purged = await run('purge', '--reason', 'a test', 'Patient/secret');
    assert.equal(purged.code, 0, purged.err);
  });
  assert.equal((await fetch(`${server.base}/Patient/secret`)).status, 404);
  assert.equal((await fetch(`${server.base}/Patient/secret/_history/1`)).status, 404);
  await isGone(marker);
});

test('a whole patient leaves no byte, and takes nothing of others along', async () => {
  const marker = 'Jw4Mx8Qd2Nf6Hs0C';
  const put = async (resource) => {
    const answer = await fetch(`${server.base}/${resource.resourceType}/${resource.id}`, { method: 'PUT', headers: json, body: JSON.stringify(resource) });
    assert.ok(answer.ok, await answer.text());
  };
  const remove = async (what) => assert.ok((await fetch(`${server.base}/${what}`, { method: 'DELETE' })).ok);
  const observation = (id, patient, text) => ({ resourceType: 'Observation', id, status: 'final', subject: { reference: `Patient/${patient}` },
    code: { text, coding: [{ system: 'urn:c', code: text, display: `display ${text}` }] }, valueString: text });
  const blob = randomBytes(45000).toString('base64');
  const status = async (what) => (await fetch(`${server.base}/${what}`)).status;
  for (const id of ['wp', 'other'])
    await put({ resourceType: 'Patient', id, name: [{ family: id === 'wp' ? marker : 'Other' }], identifier: [{ system: 'urn:x', value: id === 'wp' ? marker : 'o' }] });
  await put(observation('wp-1', 'wp', `${marker}a`));
  await put(observation('wp-1', 'wp', 'now without it'));
  await put(observation('wp-2', 'wp', `${marker}b`));
  await remove('Observation/wp-2');
  await put({ resourceType: 'DocumentReference', id: 'wp-3', status: 'current', subject: { reference: 'Patient/wp' },
    content: [{ attachment: { contentType: 'application/octet-stream', data: blob, title: marker } }] });
  await put(observation('wp-other', 'other', 'of another'));
  const participant = (id) => ({ actor: { reference: `Patient/${id}` }, status: 'accepted' });
  await put({ resourceType: 'Appointment', id: 'wp-both', status: 'proposed', description: marker, participant: [participant('wp'), participant('other')] });
  await put({ resourceType: 'List', id: 'wp-list', status: 'current', mode: 'working', entry: [{ item: { reference: 'Observation/wp-1' } }] });

  const purge = (...more) => run('purge', '--reason', 'court order', '--whole-patient', ...more, 'Patient/wp');
  for (const bytes of [marker, marker.toLowerCase()]) assert.ok(holds(server, bytes).length > 0); // it can be found
  const refused = await purge();
  assert.equal(refused.code, 4, refused.err);
  assert.match(refused.out, /also another patient's.*Appointment\/wp-both/);
  assert.match(refused.out, /refers to what would be purged: List\/wp-list/);
  await remove('List/wp-list');
  assert.equal((await purge()).code, 4);
  const dry = await purge('--shared', '--dry-run');
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /Observation +2 +4\n/);
  assert.match(dry.out, /Patient +1 +1\n/);
  assert.match(dry.out, /all +5 +7\n/);
  assert.match(dry.out, /nothing was purged/);
  assert.equal(await status('Patient/wp'), 200);
  await underLoad(async () => {
    const purged = await purge('--shared');
    assert.equal(purged.code, 0, purged.err);
    assert.match(purged.out, /all +5 +7\n/);
  });
  for (const what of ['Patient/wp', 'Observation/wp-1', 'Observation/wp-2', 'Observation/wp-1/_history/1', 'DocumentReference/wp-3', 'Appointment/wp-both'])
    assert.equal(await status(what), 404, what);
  for (const what of ['Patient/other', 'Observation/wp-other']) assert.equal(await status(what), 200, what);
  for (const bytes of [marker, marker.toLowerCase()]) await isGone(bytes);
  assert.match((await purge()).out, /there was nothing to purge/);
  const verified = await run('verify');
  assert.equal(verified.code, 0, verified.out + verified.err);
});

test('a Bundle counts by the types of its entries', async () => {
  const entry = (method, url, resource, more = {}) => ({ fullUrl: resource && `urn:uuid:${randomUUID()}`, resource, request: { method, url, ...more } });
  const patient = (value) => ({ resourceType: 'Patient', identifier: [{ system: 'urn:b', value }] });
  const bundle = (type, entries) => `${JSON.stringify({ resourceType: 'Bundle', type, entry: entries })}\n`;
  const file = join(folder, 'bundles.ndjson');
  writeFileSync(file, bundle('transaction', [
    entry('POST', 'Patient', patient('1')), entry('POST', 'Patient', patient('2')),
    entry('PUT', 'Organization/b-1', { resourceType: 'Organization', id: 'b-1', name: 'One' }),
    entry('POST', 'Patient', patient('3'), { ifNoneExist: 'identifier=urn:b|none' })])
    + bundle('batch', [
      entry('PUT', 'Organization/b-1', { resourceType: 'Organization', id: 'b-1', name: 'Two' }),
      entry('POST', 'Observation', { resourceType: 'Observation', status: 'nonsense', code: 7 }),
      entry('GET', 'Organization/b-1'),
      entry('DELETE', 'Organization/b-2')]));
  const made = await run('import', '--rejects', join(folder, 'r2'), file);
  assert.equal(made.code, 3, made.err);
  assert.match(made.out, /Patient +3 +0 +0 +0 +0\n/);
  assert.match(made.out, /Organization +1 +1 +0 +0 +1\n/);
  assert.match(made.out, /Observation +0 +0 +0 +1 +0\n/);
  const again = await run('import', '--restart', '--rejects', join(folder, 'r2'), file);
  assert.match(again.out, /Patient +0 +0 +3 +0 +0\n/);
});

test('references that name nothing are counted, listed and code 3', async () => {
  const file = join(folder, 'dangling-in.ndjson');
  const about = (id, subject) => `${JSON.stringify({ resourceType: 'Observation', id, status: 'final', code: { text: 'x' },
    subject: { reference: subject }, instantiatesCanonical: undefined, derivedFrom: [{ reference: 'http://elsewhere.example/Observation/1' }] })}\n`;
  writeFileSync(file, about('d-1', 'Patient/nobody-1') + about('d-2', 'Patient/nobody-1') + about('d-3', 'Patient/some-1')
    + about('d-4', 'Patient/comes-later') + '{"resourceType":"Patient","id":"comes-later"}\n');
  const made = await run('import', '--dangling', join(folder, 'missing.ndjson'), file);
  assert.equal(made.code, 3, made.err);
  assert.match(made.out, /2 references name 1 resources that are not there/);
  assert.deepEqual(lines(join(folder, 'missing.ndjson')).map((line) => JSON.parse(line)), ['d-1', 'd-2'].map((id) => (
    { resource: `Observation/${id}`, expression: 'Observation.subject', missing: 'Patient/nobody-1' })));
  writeFileSync(file, '{"resourceType":"Patient","id":"nobody-1"}\n');
  assert.equal((await run('import', file)).code, 0);
});

test('upgrade: refused while a server has the store, nothing to do on a current one', async () => {
  const running = await run('upgrade');
  assert.equal(running.code, onPostgres ? 0 : 4);
  assert.match(running.out + running.err, onPostgres ? /nothing to do/ : /stop all servers first/);
  const current = await medulla(['upgrade', '--data', join(folder, 'stopped')]);
  assert.equal(current.code, 0, current.err);
  assert.match(current.out, /nothing to do/);
  assert.equal((await medulla(['upgrade', '--data', join(folder, 'none')])).code, 1);
});

test('the socket goes with its server, and one left by a killed server is replaced', async () => {
  const other = await startServer();
  const socket = join(other.data, 'admin.sock');
  assert.ok(existsSync(socket));
  other.child.kill('SIGKILL');
  await once(other.child, 'exit');
  assert.ok(existsSync(socket));
  const made = await medulla(['verify', '--data', other.data]); // not in the way of a stopped store
  assert.equal(made.code, 0, made.err);
  await other.stop();
  const clean = await startServer();
  clean.child.kill('SIGTERM');
  await once(clean.child, 'exit');
  assert.ok(!existsSync(join(clean.data, 'admin.sock')));
  await clean.stop();
});

test('the server that all this was done to ends as it should', async () => {
  const code = await server.stop();
  assert.equal(code, 0, `exit code ${code}, signal ${server.child.signalCode}`);
});
