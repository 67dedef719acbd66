// $closure, $find-matches, $batch-validate-code and what is told of the terminology.
// https://hl7.org/fhir/R4/conceptmap-operation-closure.html
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { get, issues, post, put, unique } from './lib/fhir.mjs';
import { startServer, storeSettings } from './lib/server.mjs';

const parameters = (...parameter) => ({ resourceType: 'Parameters', parameter });
const roles = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
const name = (text) => ({ name: 'name', valueString: text });
const concept = (code, system = roles) => ({ name: 'concept', valueCoding: { system, code } });
const since = (version) => ({ name: 'version', valueString: version });
// "below<above" of each relation.
const relations = (r) => (r.body.group ?? []).flatMap((g) => g.element.flatMap((e) => e.target.map((t) => `${e.code}<${t.code}`))).sort();

test('$closure: begun, added to, asked again from a version on, and begun anew', async () => {
  const table = name(unique('table'));
  const ask = (...more) => post('$closure', parameters(table, ...more));
  const absent = await ask(concept('MTH'));
  assert.equal(absent.status, 404);
  assert.match(issues(absent)[0].diagnostics, /begin it first/);
  const begun = await ask();
  assert.equal(begun.status, 200, begun.text);
  assert.deepEqual([begun.body.resourceType, begun.body.version, relations(begun)], ['ConceptMap', '0', []]);
  const first = await ask(concept('MTH'), concept('PRN'));
  assert.deepEqual([first.body.version, relations(first)], ['1', ['MTH<PRN']]);
  assert.equal(first.body.group[0].element[0].target[0].equivalence, 'subsumes');
  const second = await ask(concept('FAMMEMB'), concept('FTH'), concept('MTH'));
  assert.deepEqual([second.body.version, relations(second)], ['2', ['FTH<FAMMEMB', 'FTH<PRN', 'MTH<FAMMEMB', 'PRN<FAMMEMB']]);
  const nothing = await ask(concept('FTH'));
  assert.deepEqual([nothing.body.version, relations(nothing)], ['2', []]);
  assert.deepEqual(relations(await ask(since('1'))), relations(second));
  assert.deepEqual(relations(await ask(since('0'))), [...relations(first), ...relations(second)].sort());
  assert.deepEqual(relations(await ask(since('2'))), []);
  assert.equal((await ask(since('3'))).status, 404);
  assert.equal((await ask(since('x'))).status, 400);
  assert.equal((await ask(since('1'), concept('MTH'))).status, 400);
  assert.deepEqual([(await ask()).body.version, relations(await ask(concept('MTH'), concept('PRN')))], ['0', ['MTH<PRN']]);
});

test('$closure refuses what is no code, and what it can not know', async () => {
  const table = name(unique('table'));
  assert.equal((await post('$closure', parameters(table))).status, 200);
  const none = await post('$closure', parameters(table, concept('MTH'), concept('nobody')));
  assert.equal(none.status, 422);
  const unknown = await post('$closure', parameters(table, concept('1', 'http://example.org/none')));
  assert.match(issues(unknown)[0].diagnostics, /not known here; store the CodeSystem/);
  assert.equal((await post('$closure', parameters(table, { name: 'concept', valueString: 'x' }))).status, 400);
  assert.equal((await post('$closure', parameters())).status, 400);
  assert.deepEqual((await post('$closure', parameters(table, since('0')))).body.group, undefined, 'nothing was half added');
});

test('$closure: clients that add at once lose nothing', async () => {
  const table = name(unique('table'));
  assert.equal((await post('$closure', parameters(table))).status, 200);
  const codes = ['PRN', 'MTH', 'FTH', 'CHILD', 'SON', 'DAU', 'SIB', 'BRO', 'SIS', 'FAMMEMB'];
  const all = await Promise.all(codes.map((code) => post('ConceptMap/$closure', parameters(table, concept(code)))));
  assert.ok(all.every((r) => r.status === 200), all.map((r) => r.status).join());
  const whole = await post('$closure', parameters(table, since('0')));
  assert.equal(whole.body.version, '10');
  assert.deepEqual(all.flatMap(relations).sort(), relations(whole), 'each relation was told once');
  assert.ok(relations(whole).includes('MTH<PRN') && relations(whole).includes('SIS<FAMMEMB'));
});

test('$closure survives a restart', async () => {
  const store = storeSettings();
  const dir = mkdtempSync(join(tmpdir(), 'medulla-closure-'));
  const ask = async (server, ...more) => {
    const r = await fetch(`${server.base}/$closure`, { method: 'POST', headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify(parameters(name('kept'), ...more)) });
    return { body: await r.json() };
  };
  try {
    let server = await startServer(store, { data: dir });
    await ask(server);
    await ask(server, concept('MTH'));
    await server.stop();
    server = await startServer(store, { data: dir });
    const after = await ask(server, concept('PRN'));
    assert.deepEqual([after.body.version, relations(after)], ['2', ['MTH<PRN']]);
    await server.stop();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

const property = (code, value) => ({ name: 'property', part: [{ name: 'code', valueCode: code }, { name: 'value', valueString: value }] });
const found = (r) => r.body.parameter.filter((p) => p.name === 'match').map((p) => p.part.find((x) => x.name === 'code').valueCoding.code);

test('$find-matches: by property, display and parent; what is lacking is named', async () => {
  const url = `http://example.org/paint/${unique()}`;
  const id = unique();
  const paint = (code, display, colour, form) => ({ code, display, property: [{ code: 'colour', valueCode: colour }, { code: 'form', valueString: form }] });
  assert.equal((await put(`CodeSystem/${id}`, { resourceType: 'CodeSystem', id, url, status: 'active', content: 'complete',
    property: [{ code: 'colour', type: 'code' }, { code: 'form', type: 'string' }],
    concept: [{ ...paint('r', 'Red paint', 'red', 'thick paste'), concept: [paint('d', 'Dark red paint', 'red', 'thin liquid')] }, paint('b', 'Blue paint', 'blue', 'thin liquid')] })).status, 201);
  const ask = (...more) => post('CodeSystem/$find-matches', parameters({ name: 'system', valueUri: url }, ...more));
  assert.deepEqual(found(await ask(property('colour', 'red'))), ['r', 'd']);
  assert.deepEqual(found(await ask(property('colour', 'red'), property('form', 'thin liquid'))), ['d']);
  assert.deepEqual(found(await ask(property('form', 'liq'))), ['d', 'b']);
  assert.deepEqual(found(await ask({ name: 'exact', valueBoolean: true }, property('form', 'liq'))), []);
  assert.deepEqual(found(await ask(property('parent', 'r'))), ['d']);
  assert.deepEqual(found(await ask(property('display', 'dark'))), ['d']);
  const partial = await ask(property('colour', 'blue'), property('form', 'thick paste'));
  assert.deepEqual(found(partial).sort(), ['b', 'r']);
  assert.ok(partial.body.parameter.every((p) => p.part.some((x) => x.name === 'unmatched')));
  assert.equal((await ask()).status, 400);
  assert.equal((await post('CodeSystem/$find-matches', parameters({ name: 'system', valueUri: 'http://example.org/none' }, property('a', 'b')))).status, 404);
});

test('$batch-validate-code: each has its own answer, also one that is no question', async () => {
  const system = 'http://hl7.org/fhir/administrative-gender';
  const one = (...parameter) => ({ name: 'validation', resource: parameters(...parameter) });
  const coding = (code) => ({ name: 'coding', valueCoding: { system, code } });
  const r = await post('ValueSet/$batch-validate-code', parameters({ name: 'url', valueUri: 'http://hl7.org/fhir/ValueSet/administrative-gender' },
    one(coding('male')), one(coding('neither')), one(), one({ name: 'url', valueUri: 'http://example.org/none' }, coding('male'))));
  assert.equal(r.status, 200, r.text);
  const answers = r.body.parameter.map((p) => p.resource);
  assert.deepEqual(answers.map((a) => a.parameter?.find((p) => p.name === 'result').valueBoolean), [true, false, undefined, undefined]);
  assert.match(answers[2].issue[0].details.text, /Unable to find code/);
  assert.match(answers[3].issue[0].details.text, /http:\/\/example\.org\/none.*could not be found/);
  assert.equal((await post('ValueSet/$batch-validate-code', parameters())).status, 400);
});

test('TerminologyCapabilities: what is built in and what was stored, the parameters of $expand', async () => {
  const url = `http://example.org/told/${unique()}`;
  for (const version of ['1', '2']) {
    const id = unique();
    assert.equal((await put(`CodeSystem/${id}`, { resourceType: 'CodeSystem', id, url, version, status: 'active', content: 'complete', concept: [{ code: 'a' }] })).status, 201);
  }
  const r = await get('metadata?mode=terminology');
  assert.equal(r.body.resourceType, 'TerminologyCapabilities');
  const system = (uri) => r.body.codeSystem.filter((s) => s.uri === uri);
  assert.deepEqual(system(url)[0].version, [{ code: '1' }, { code: '2', isDefault: true }]);
  assert.equal(system(roles).length, 1);
  assert.equal(system('http://unitsofmeasure.org').length, 1);
  assert.equal(system('http://snomed.info/sct').length, 0, 'only its name is known');
  assert.ok(r.body.expansion.parameter.some((p) => p.name === 'excludeNested'));
  const checked = await post('TerminologyCapabilities/$validate', r.body);
  assert.deepEqual(issues(checked).filter((i) => i.severity === 'error'), []);
  assert.equal((await get('metadata?mode=none')).status, 400);
});
