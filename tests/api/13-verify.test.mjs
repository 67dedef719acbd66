// `medulla verify`: what the index says against what the resources say
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, onPostgres } from './lib/server.mjs';

const tamper = join(dirname(binary), 'tests/api/tamper');
const skip = onPostgres ? 'damages a file of SQLite'
  : existsSync(tamper) ? false : 'this build has no tests/api/tamper';
let folder, data;

const resources = [
  { resourceType: 'Patient', id: 'p', birthDate: '1970-01-02', name: [{ family: 'Novak' }] },
  { resourceType: 'Patient', id: 'q', birthDate: '1971-01-02', name: [{ family: 'Kranjc' }] },
  {
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: 'Patient/p' },
    effectiveDateTime: '2024-05-06T07:08:09Z',
    valueQuantity: { value: 62, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
  },
];

function run(...words) {
  const child = spawnSync(binary, words, { encoding: 'utf8' });
  return { code: child.status, text: child.stdout };
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'medulla-verify-'));
});
after(() => rmSync(folder, { recursive: true }));

function freshStore(name) {
  data = join(folder, name);
  const file = join(folder, `${name}.ndjson`);
  writeFileSync(file, resources.map((r) => JSON.stringify(r)).join('\n'));
  assert.equal(run('import', '--data', data, file).code, 0);
}

test('a sound store has no faults', () => {
  freshStore('sound');
  const answer = run('verify', '--data', data);
  assert.equal(answer.code, 0, answer.text);
  assert.match(answer.text, /^3 versions read, 0 faults$/m);
});

// [what, SQL, what verify says]
const faults = [
  ['a missing token row', 'DELETE FROM token', /^index: Observation\/o: a row of the table token is missing$/m],
  ['a missing reference row', 'DELETE FROM reference', /^index: Observation\/o: a row of the table reference is missing$/m],
  ['a missing row of the compartment', 'DELETE FROM patient', /a row of the table patient is missing$/m],
  ['a missing row of the list', 'DELETE FROM updated', /^index: Observation\/o: the resource is not listed$/m],
  ['a foreign string row', "INSERT INTO string SELECT param, 'foreign', rid FROM string LIMIT 1", /^index: /m],
  ['a foreign quantity row', 'INSERT INTO quantity SELECT param, unit, low + 1, rid, high + 1 FROM quantity LIMIT 1', /^index: /m],
];

// As if lists had been made: of the whole feed, in the form of today, and with this in them.
const lists = (posting) => `${posting}; UPDATE posted SET form = 3, t = (SELECT t FROM state)`;

for (const [what, sql, says] of [
  ['lists that lack terms', 'SELECT 1', /^lists: Patient\/p: the full-text lists lack a term that it has$/m],
  ['a damaged list', "INSERT INTO posting VALUES (1, 'x', 1, x'ff')", /^lists: internal id 1: a list of the full-text index is damaged$/m],
  ['a list with a stranger', "INSERT INTO posting VALUES (1, 'x', 9999, x'')", /^lists: internal id 9999: the full-text lists name it, and it is not there$/m],
]) {
  test(`${what}: found, and thrown away when asked`, { skip }, () => {
    freshStore(what.replaceAll(' ', '-'));
    const done = spawnSync(tamper, [data, lists(sql)], { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    let answer = run('verify', '--data', data);
    assert.equal(answer.code, 1);
    assert.match(answer.text, says);
    assert.match(answer.text, /`medulla verify --renew-lists` throws them away/);
    answer = run('verify', '--data', data, '--renew-lists');
    assert.equal(answer.code, 1, 'there were faults');
    assert.match(answer.text, /lists were thrown away/);
    answer = run('verify', '--data', data);
    assert.equal(answer.code, 0, answer.text);
  });
}

for (const [what, sql, says] of faults) {
  test(`${what} is found`, { skip }, () => {
    freshStore(what.replaceAll(' ', '-'));
    const done = spawnSync(tamper, [data, sql], { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    const answer = run('verify', '--data', data);
    assert.equal(answer.code, 1);
    assert.match(answer.text, says);
    assert.doesNotMatch(answer.text, / 0 faults$/m);
  });
}
