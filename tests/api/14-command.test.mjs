// The command line and the settings: words, help, exit codes, where a setting came from.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { medulla, onPostgres } from './lib/server.mjs';

let folder;
before(() => { folder = mkdtempSync(join(tmpdir(), 'medulla-command-')); });
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name, text) => { const path = join(folder, name); writeFileSync(path, text); return path; };
const settings = (out) => new Map(out.split('\n').map((line) => /^(\S+) += (.*?) +# (.*)$/.exec(line)).filter(Boolean).map(([, name, value, source]) => [name, [value, source]]));
const commands = ['serve', 'demo', 'import', 'export', 'backup', 'restore', 'verify', 'upgrade', 'purge', 'doctor', 'bench', 'fhirpath', 'licenses', 'version', 'config'];

test('every command is listed, and its help has options and examples', async () => {
  const { code, out } = await medulla(['--help']);
  assert.equal(code, 0);
  for (const command of commands) {
    assert.match(out, new RegExp(`^  ${command} +\\S`, 'm'));
    const help = await medulla([command, '--help']);
    assert.equal(help.code, 0, command);
    assert.match(help.out, new RegExp(`^usage: medulla ${command}`, 'm'));
    assert.match(help.out, /^examples:\n  (medulla|[A-Z_]+=|\S)/m, command);
  }
});

test('a wrong word is code 2 and names the nearest', async () => {
  const rows = [
    [['serv'], /'serv'; did you mean serve;/], [['impotr', 'x'], /did you mean import;/], [['serve', '--lisen', 'x'], /no option --lisen; did you mean --listen;/],
    [['frobnicate'], /there is no command 'frobnicate'/], [['serve', '--listen'], /--listen/], [['import'], /needs files or folders/], [['backup'], /needs one word/],
    [['restore'], /needs one word/], [['purge', 'Patient/1'], /--reason/], [['fhirpath'], /needs an expression/], [['serve', '--auth', 'maybe'], /auth.mode must be one of: on \| off/],
  ];
  for (const [words, says] of rows) {
    const r = await medulla(words, { cwd: folder });
    assert.equal(r.code, 2, `${words.join(' ')}: ${r.err}`);
    assert.match(r.err, says);
  }
  assert.equal((await medulla([])).code, 2);
});

test('the other exit codes: failed, partly done, refused as unsafe', async () => {
  const good = file('good.ndjson', '{"resourceType":"Patient","id":"a"}\n');
  const half = file('half.ndjson', '{"resourceType":"Patient","id":"b"}\n{"resourceType":"Patien"}\n');
  const data = join(folder, 'store');
  const code = async (...words) => (await medulla(words, { cwd: folder })).code;
  assert.equal(await code('import', '--data', data, join(folder, 'nothing')), 1);
  if (!onPostgres) assert.equal(await code('verify', '--data', join(folder, 'nowhere')), 1);
  assert.equal(await code('import', '--data', data, good), 0);
  assert.equal(await code('import', '--data', data, half), 3);
  assert.equal(await code('serve', '--data', data, '--listen', '127.0.0.1:0', '--auth', 'on'), 4);
  for (const outside of ['0.0.0.0:0', '127.example.org:0', '[::]:0']) assert.equal(await code('serve', '--data', data, '--listen', outside, '--auth', 'off'), 4, outside);
  for (const none of ['nonsense', '127.0.0.1', '127.0.0.1:x', '127.0.0.1:65536', ':8080', 'unix:']) assert.equal(await code('serve', '--data', data, '--listen', none, '--auth', 'off'), 2, none);
});

test('config show: each value with its source; defaults < file < environment < flags', async () => {
  const conf = file('medulla.conf', '# mine\n[fhir]\ncount_max = 500\nbundle_entries = "77"\n\n[log]\nformat = json\n');
  const { code, out } = await medulla(['config', 'show', '--config', conf, '--log-level', 'debug'],
    { settings: { MEDULLA_FHIR_BUNDLE_ENTRIES: '88', MEDULLA_LOG_LEVEL: 'warn', MEDULLA_HTTP_HEAD_SECONDS: '11' } });
  assert.equal(code, 0);
  const shown = settings(out);
  assert.deepEqual(shown.get('fhir.count_max'), ['500', `file ${conf}:3`]);
  assert.deepEqual(shown.get('log.format'), ['json', `file ${conf}:7`]);
  assert.deepEqual(shown.get('fhir.bundle_entries'), ['88', 'environment MEDULLA_FHIR_BUNDLE_ENTRIES']);
  assert.deepEqual(shown.get('http.head_seconds'), ['11', 'environment MEDULLA_HTTP_HEAD_SECONDS']);
  assert.equal(shown.get('log.level')[0], 'debug');
  assert.match(shown.get('log.level')[1], /^flag/);
  assert.deepEqual(shown.get('fhir.page_time'), ['10000', 'default']);
});

test('what is wrong in the settings is told with its place, and nothing is begun', async () => {
  const rows = [
    ['fhir.bundle_entris = 5\n', /:1: unknown setting 'fhir.bundle_entris'; nearest: fhir.bundle_entries/],
    ['# c\n\nlog.format = bogus\n', /:3: log.format must be one of: logfmt \| json/],
    ['log.level = loud\n', /:1: log.level must be one of: error \| warn \| info \| debug/],
    ['validation.enforce = all\n', /:1: validation.enforce must be one of: base \| structure/],
    ['fhir.count_max = many\n', /:1: fhir.count_max must be a whole number/],
    ['fhir.count_max = 0\n', /:1: fhir.count_max must lie between 1 and 10000/],
    ['http.body = 64 Mega\n', /:1: http.body must be a size/],
    ['fhir.update_as_create = yes\n', /:1: fhir.update_as_create must be true or false/],
    ['count_max\n', /:1: expected 'key = value'/],
  ];
  for (const [text, says] of rows) {
    const conf = file('bad.conf', text);
    for (const words of [['config', 'show'], ['serve', '--data', join(folder, 'never'), '--listen', '127.0.0.1:0', '--auth', 'off']]) {
      const r = await medulla([...words, '--config', conf]);
      assert.equal(r.code, 2, `${text}${r.err}`);
      assert.match(r.err, says);
    }
  }
  const variable = await medulla(['config', 'show'], { settings: { MEDULLA_FHIR_COUNT_MX: '5' } });
  assert.equal(variable.code, 2);
  assert.match(variable.err, /MEDULLA_FHIR_COUNT_MX: unknown setting 'fhir.count_mx'; nearest: fhir.count_max/);
  assert.equal((await medulla(['config', 'show', '--config', join(folder, 'nothing.conf')])).code, 2);
});

test('doctor names what is broken and what mends it', { skip: onPostgres && 'about a store in files' }, async () => {
  const data = join(folder, 'ill');
  const doctor = () => medulla(['doctor', '--data', data]);
  const missing = await doctor();
  assert.equal(missing.code, 1);
  assert.match(missing.out, /^FAULT data directory +No such file.*\n +mend it with: medulla serve --data /m);
  assert.equal((await medulla(['import', '--data', data, file('one.ndjson', '{"resourceType":"Patient","id":"a"}\n')])).code, 0);
  const well = await doctor();
  assert.equal(well.code, 0, well.out);
  assert.doesNotMatch(well.out, /FAULT/);
  chmodSync(data, 0o755);
  const open = await doctor();
  assert.equal(open.code, 1);
  assert.match(open.out, /^FAULT data directory +other users may look into it\n +mend it with: chmod 700 /m);
  chmodSync(data, 0o700);
  chmodSync(join(data, 'key'), 0o644);
  assert.match((await doctor()).out, /^FAULT key +other users may read it\n +mend it with: chmod 600 /m);
  chmodSync(join(data, 'key'), 0o600);
  writeFileSync(join(data, 'medulla.db'), 'this is no store');
  const damaged = await doctor();
  assert.equal(damaged.code, 1);
  assert.match(damaged.out, /^FAULT store .*\n +mend it with: medulla restore/m);
  rmSync(data, { recursive: true });
  writeFileSync(data, '');
  assert.match((await doctor()).out, /^FAULT data directory +it is no directory/m);
  rmSync(data);
  mkdirSync(data, { mode: 0o700 });
});

test('version, licenses and fhirpath', async () => {
  assert.match((await medulla(['version'])).out, /^medulla \d+\.\d+\.\d+\nFHIR 4\.0\.1/);
  const licenses = await medulla(['licenses']);
  assert.match(licenses.out, /Apache License, Version 2\.0/);
  for (const name of ['libevent', 'SQLite', 'OpenSSL', 'hl7.fhir.r4', 'ucum']) assert.ok(licenses.out.toLowerCase().includes(name.toLowerCase()), name);
  const ana = file('ana.json', '{"resourceType":"Patient","name":[{"family":"A"}]}');
  const found = await medulla(['fhirpath', 'Patient.name.family', ana]);
  assert.deepEqual([found.code, found.out.includes('A')], [0, true], found.err);
  const wrong = await medulla(['fhirpath', 'Patient.name(', ana]);
  assert.ok(wrong.code !== 0 && /position/.test(wrong.err), wrong.err);
});
