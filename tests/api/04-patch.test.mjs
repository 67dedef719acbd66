// https://hl7.org/fhir/R4/http.html#patch https://hl7.org/fhir/R4/fhirpatch.html
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, issues, patch, patient, put, unique } from './lib/fhir.mjs';

const jsonPatch = { 'Content-Type': 'application/json-patch+json' };
const operation = (...parts) => ({
  name: 'operation',
  part: parts.map(([name, key, value]) => ({ name, [key]: value })),
});
const parameters = (...parameter) => ({ resourceType: 'Parameters', parameter });

async function fresh(more = {}) {
  const id = unique('p');
  await put(`Patient/${id}`, patient({ id, gender: 'male', name: [{ family: 'A', given: ['x', 'y'] }], ...more }));
  return `Patient/${id}`;
}

test('JSON Patch: test, replace, add, remove, move, copy', async () => {
  const path = await fresh();
  const r = await patch(path, [
    { op: 'test', path: '/gender', value: 'male' },
    { op: 'replace', path: '/gender', value: 'female' },
    { op: 'add', path: '/name/0/given/-', value: 'z' },
    { op: 'move', from: '/name/0/given/0', path: '/name/0/given/2' },
    { op: 'copy', from: '/name/0', path: '/name/1' },
    { op: 'remove', path: '/name/1/given' },
  ], jsonPatch);
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.gender, 'female');
  assert.deepEqual(r.body.name, [{ family: 'A', given: ['y', 'z', 'x'] }, { family: 'A' }]);
  assert.equal(r.body.meta.versionId, '2');
});

test('a JSON Patch that can not be applied changes nothing and names the operation', async () => {
  const path = await fresh();
  for (const [op, status] of [
    [{ op: 'test', path: '/gender', value: 'other' }, 422],
    [{ op: 'remove', path: '/nothing' }, 422],
    [{ op: 'replace', path: '/name/7', value: {} }, 422],
    [{ op: 'add', path: '/gendr', value: 'male' }, 422],
    [{ op: 'replace', path: '/resourceType', value: 'Basic' }, 422],
    [{ op: 'replace', path: '/id', value: 'x' }, 422],
    [{ op: 'bend', path: '/gender' }, 400],
    [{ path: '/gender' }, 400],
  ]) {
    const r = await patch(path, [{ op: 'replace', path: '/gender', value: 'unknown' }, op], jsonPatch);
    assert.equal(r.status, status, `${JSON.stringify(op)} ${r.text}`);
    assert.ok(issues(r).length > 0);
  }
  assert.equal((await get(path)).body.meta.versionId, '1');
});

test('FHIRPath Patch: add, insert, replace, delete, move', async () => {
  const path = await fresh();
  const r = await patch(path, parameters(
    operation(['type', 'valueCode', 'add'], ['path', 'valueString', 'Patient'], ['name', 'valueString', 'birthDate'], ['value', 'valueDate', '1990-01-02']),
    operation(['type', 'valueCode', 'replace'], ['path', 'valueString', 'Patient.gender'], ['value', 'valueCode', 'female']),
    operation(['type', 'valueCode', 'insert'], ['path', 'valueString', 'Patient.name.given'], ['index', 'valueInteger', 1], ['value', 'valueString', 'm']),
    operation(['type', 'valueCode', 'move'], ['path', 'valueString', 'Patient.name.given'], ['source', 'valueInteger', 0], ['destination', 'valueInteger', 2]),
    operation(['type', 'valueCode', 'delete'], ['path', 'valueString', 'Patient.name.family']),
    operation(['type', 'valueCode', 'delete'], ['path', 'valueString', 'Patient.photo']),
  ));
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.birthDate, '1990-01-02');
  assert.equal(r.body.gender, 'female');
  assert.deepEqual(r.body.name, [{ given: ['m', 'y', 'x'] }]);
});

test('FHIRPath Patch adds a part that is given as parts', async () => {
  const path = await fresh();
  const r = await patch(path, parameters({
    name: 'operation',
    part: [
      { name: 'type', valueCode: 'add' },
      { name: 'path', valueString: 'Patient' },
      { name: 'name', valueString: 'contact' },
      { name: 'value', part: [{ name: 'name', valueHumanName: { text: 'a name' } }, { name: 'gender', valueCode: 'male' }] },
    ],
  }));
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.body.contact, [{ name: { text: 'a name' }, gender: 'male' }]);
});

test('If-Match is obeyed; without it concurrent patches are all applied', async () => {
  const path = await fresh();
  const gender = (value) => [{ op: 'replace', path: '/gender', value }];
  assert.equal((await patch(path, gender('female'), { ...jsonPatch, 'If-Match': 'W/"9"' })).status, 412);
  assert.equal((await patch(path, gender('female'), { ...jsonPatch, 'If-Match': 'W/"1"' })).status, 200);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) =>
    patch(path, [{ op: 'add', path: '/name/0/given/-', value: `n${i}` }], jsonPatch)));
  assert.deepEqual(answers.map((r) => r.status), Array(8).fill(200));
  assert.equal((await get(path)).body.name[0].given.length, 10);
});

test('patching what is not there, and in a type that is none', async () => {
  assert.equal((await patch(`Patient/${unique()}`, [], jsonPatch)).status, 404);
  const path = await fresh();
  assert.equal((await patch(path, '{}', { 'Content-Type': 'text/plain' })).status, 415);
});

test('a patch sees meta as a read shows it, and can not change what is the server\'s', async () => {
  const path = await fresh();
  const tag = { system: 'urn:t', code: 'c' };
  assert.equal((await patch(path, [{ op: 'test', path: '/meta/versionId', value: '2' }], jsonPatch)).status, 422);
  const tagged = await patch(path, [{ op: 'test', path: '/meta/versionId', value: '1' }, { op: 'add', path: '/meta/tag', value: [tag] }], jsonPatch);
  assert.equal(tagged.status, 200, tagged.text);
  assert.deepEqual([tagged.body.meta.versionId, tagged.body.meta.tag], ['2', [tag]]);
  const kept = await patch(path, [{ op: 'replace', path: '/meta/versionId', value: '77' }, { op: 'remove', path: '/meta/lastUpdated' }], jsonPatch);
  assert.deepEqual([kept.status, kept.body.meta.versionId, typeof kept.body.meta.lastUpdated], [200, '2', 'string']); // nothing was changed
  const other = await fresh();
  const added = await patch(other, parameters(operation(['type', 'valueCode', 'add'], ['path', 'valueString', 'Patient.meta'], ['name', 'valueString', 'tag'], ['value', 'valueCoding', tag])));
  assert.equal(added.status, 200, added.text);
  assert.deepEqual(added.body.meta.tag, [tag]);
});
