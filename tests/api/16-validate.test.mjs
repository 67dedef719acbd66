// https://hl7.org/fhir/R4/resource-operation-validate.html https://hl7.org/fhir/R4/validation.html
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { get, patient, post, put, send, unique } from './lib/fhir.mjs';
import { medulla, startServer } from './lib/server.mjs';

const text = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' };
const observation = (more) => ({
  resourceType: 'Observation', text, status: 'final', code: { text: 'weight' }, ...more,
});
const ask = (r, more = []) => ({
  resourceType: 'Parameters', parameter: [{ name: 'resource', resource: r }, ...more],
});
const issues = (r) => r.body.issue.map((i) => `${i.severity} ${i.code} ${i.expression?.[0] ?? ''}`.trim());

test('a legal resource has nothing but a note', async () => {
  const r = await post('Observation/$validate', observation({ valueString: 'x' }));
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(issues(r), ['information informational']);
});

test('all problems at once, each with its place, what was expected and the nearest code', async () => {
  const r = await post('Observation/$validate', observation({
    valueString: 'x', dataAbsentReason: { text: 'y' },
    effectivePeriod: { start: '2020-01-02', end: '2020-01-01' },
    subject: { reference: 'Medication/1' },
    bodySite: { coding: [{ cod: 'x' }] },
  }));
  assert.equal(r.status, 200);
  assert.deepEqual(issues(r).sort(), [
    'error invariant Observation', 'error invariant Observation.effective',
    'error structure Observation.bodySite.coding[0].cod',
    'error value Observation.subject',
  ]);
  assert.match(r.text, /nearest: code/);
  assert.match(r.text, /obs-6/);
});

test('what base R4 forbids is refused on writes, with the reason', async () => {
  const invariant = await post('Patient', patient({ contact: [{ gender: 'male' }] }));
  assert.equal(invariant.status, 422);
  assert.deepEqual(issues(invariant), ['error invariant Patient.contact[0]']);
  const code = await post('Condition', {
    resourceType: 'Condition', subject: { display: 'x' },
    clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'activ' }] },
  });
  assert.equal(code.status, 422);
  assert.deepEqual(issues(code), ['error code-invalid Condition.clinicalStatus.coding[0].code']);
  assert.match(code.body.issue[0].diagnostics, /condition-clinical.*nearest: active/);
  const modifier = await post('Patient', patient({ modifierExtension: [{ url: 'http://example.org/x', valueBoolean: true }] }));
  assert.equal(modifier.status, 422);
  assert.deepEqual(issues(modifier), ['error extension Patient.modifierExtension[0]']);
});

test('a transaction tells the problems of all its entries', async () => {
  const entry = (resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } });
  const r = await post('', {
    resourceType: 'Bundle', type: 'transaction',
    entry: [entry(patient({ contact: [{ gender: 'male' }] })), entry(patient({ telecom: [{ value: '1' }] }))],
  });
  assert.equal(r.status, 422);
  assert.deepEqual(issues(r), [
    'error invariant Bundle.entry[0].resource.contact[0]', 'error invariant Bundle.entry[1].resource.telecom[0]',
  ]);
});

test('the resource may come in Parameters, with mode and profile', async () => {
  const id = unique();
  const good = observation({ id });
  const profile = (url) => ({ name: 'profile', valueUri: url });
  const mode = (code) => ({ name: 'mode', valueCode: code });
  const sd = 'http://hl7.org/fhir/StructureDefinition/';
  assert.deepEqual(issues(await post('Observation/$validate', ask(good))), ['information informational']);
  assert.deepEqual(issues(await post('Observation/$validate', ask(good, [profile(`${sd}Observation`)]))), ['information informational']);
  assert.deepEqual(issues(await post('Observation/$validate', ask(good, [profile(`${sd}Patient`)]))), ['error structure Observation']);
  const unknown = await post('Observation/$validate', ask(good, [mode('profile'), profile('http://example.org/p')]));
  assert.deepEqual(issues(unknown), ['error not-found Observation']);
  assert.match(unknown.text, /not installed/);
  const lost = observation({ subject: { reference: `Patient/${unique()}` } });
  assert.deepEqual(issues(await post('Observation/$validate?mode=create', lost)), ['error not-found Observation.subject']);
  assert.deepEqual(issues(await post('Observation/$validate', lost)), ['information informational']);
  assert.deepEqual(issues(await post('Observation/$validate?mode=update', observation())), ['error required Observation']);
  assert.deepEqual(issues(await post('Observation/$validate', patient({ text }))), ['error invalid Observation']);
  assert.equal((await post('Observation/$validate?mode=xyz', good)).status, 400);
  assert.equal((await post('Observation/$validate?mode=profile', good)).status, 400);
  assert.equal((await post('Observation/$validate', ask(undefined))).status, 400);
  assert.equal((await post('Observation/$validate?xyz=1', good)).status, 400);
  // Parameters themselves can be asked about
  const self = { resourceType: 'Parameters', parameter: [{ name: 'x', valueString: 'y', valueCode: 'z' }] };
  assert.deepEqual(issues(await post('Parameters/$validate', self)), ['error structure Parameters.parameter[0].value']);
});

test('at an instance: what is stored, what would replace it, whether it can be deleted', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, text }));
  assert.deepEqual(issues(await get(`Patient/${id}/$validate`)), ['information informational']);
  assert.deepEqual(issues(await post(`Patient/${id}/$validate`, patient({ id: 'other', text }))), ['error invariant Patient']);
  assert.deepEqual(issues(await post(`Patient/${id}/$validate`, patient({ id, text, gender: 'x' }))), ['error code-invalid Patient.gender']);
  assert.deepEqual(issues(await post(`Patient/${id}/$validate?mode=delete`, undefined)), ['information informational']);
  await post('Observation', observation({ subject: { reference: `Patient/${id}` } }));
  assert.deepEqual(issues(await post(`Patient/${id}/$validate?mode=delete`, undefined)), ['error conflict Patient']);
  assert.equal((await get(`Patient/${unique()}/$validate`)).status, 404);
});

test('a QuestionnaireResponse is held against the stored Questionnaire', async () => {
  const url = `http://example.org/q/${unique()}`;
  await post('Questionnaire', { resourceType: 'Questionnaire', url, status: 'active', item: [{ linkId: 'a', type: 'integer', required: true }] });
  const response = (...item) => ({ resourceType: 'QuestionnaireResponse', text, questionnaire: url, status: 'completed', ...(item.length ? { item } : {}) });
  const ask1 = async (r) => issues(await post('QuestionnaireResponse/$validate', r));
  assert.deepEqual(await ask1(response({ linkId: 'a', answer: [{ valueInteger: 1 }] })), ['information informational']);
  assert.deepEqual(await ask1(response({ linkId: 'a', answer: [{ valueString: 'x' }] })), ['error value QuestionnaireResponse.item[0].answer[0].value']);
  assert.deepEqual(await ask1(response()), ['error required QuestionnaireResponse']);
  assert.deepEqual(await ask1({ ...response(), questionnaire: `${url}-other` }), ['warning not-found QuestionnaireResponse.questionnaire']);
});

test('structure only: by the setting, and for an import, which counts what it took', async (t) => {
  const server = await startServer({ MEDULLA_VALIDATION_ENFORCE: 'structure' });
  const broken = JSON.stringify(patient({ id: 'old', contact: [{ gender: 'male' }] }));
  const answer = await fetch(`${server.base}/Patient`, { method: 'POST', body: broken, headers: { 'Content-Type': 'application/fhir+json' } });
  assert.equal(answer.status, 201, await answer.text());
  assert.equal(await server.stop(), 0);

  const folder = mkdtempSync(join(tmpdir(), 'validate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'old.ndjson'), `${broken}\n`);
  const refused = await medulla(['import', '--data', 'A', 'old.ndjson'], { cwd: folder });
  assert.equal(refused.code, 3, refused.err);
  const taken = await medulla(['import', '--data', 'B', '--enforce', 'structure', 'old.ndjson'], { cwd: folder });
  assert.equal(taken.code, 0, taken.err);
  assert.match(taken.out + taken.err, /1 of these a full check would refuse/);
  const checked = await medulla(['validate', '--format', 'json', 'old.ndjson'], { cwd: folder });
  assert.equal(checked.code, 1);
  assert.equal(JSON.parse(checked.out).outcome.issue[0].code, 'invariant');
});

// A required binding of R4 whose value set R4 does not bring: it is asked of the terminology.
test('a binding is checked against what was stored, and what is unknown is never passed in silence', async () => {
  const answers = 'http://loinc.org/vs/LL379-9';
  const variant = (code, display) => ({ resourceType: 'MolecularSequence', text, coordinateSystem: 0,
    structureVariant: [{ variantType: { coding: [{ system: 'http://loinc.org', code, display }] } }] });
  const place = 'MolecularSequence.structureVariant[0].variantType.coding[0]';
  const before = await post('MolecularSequence/$validate', variant('LA9658-1'));
  assert.deepEqual(issues(before), [`error not-found ${place}.code`]);
  assert.match(before.text, /http:\/\/loinc\.org\/vs\/LL379-9.*is not known here; store the ValueSet/);
  const written = await post('MolecularSequence', variant('LA9658-1'), { Prefer: 'return=OperationOutcome' });
  assert.equal(written.status, 201, written.text);
  assert.match(written.text, /is not known here; store the ValueSet/);
  const id = unique();
  const set = { resourceType: 'ValueSet', id, url: answers, status: 'active', compose: { include: [
    { system: 'http://loinc.org', concept: [{ code: 'LA9658-1', display: 'Deletion' }, { code: 'LA6692-3', display: 'Insertion' }] }] } };
  assert.equal((await put(`ValueSet/${id}`, set)).status, 201);
  assert.deepEqual(issues(await post('MolecularSequence/$validate', variant('LA9658-1'))), ['information informational']);
  const wrong = await post('MolecularSequence', variant('LA9658-2'));
  assert.equal(wrong.status, 422);
  assert.deepEqual(issues(wrong), [`error code-invalid ${place}.code`]);
  assert.match(wrong.text, /not a code of http:\/\/loinc\.org\/vs\/LL379-9, which is required here; nearest: LA9658-1/);
  assert.equal((await send('DELETE', `ValueSet/${id}`)).status, 204);
  assert.deepEqual(issues(await post('MolecularSequence/$validate', variant('LA9658-2'))), [`error not-found ${place}.code`]);
});

test('a display that is not the code\'s, and a code that its system has not, are errors, with the right one', async () => {
  const system = 'http://terminology.hl7.org/CodeSystem/observation-category';
  const of = (code, display) => observation({ valueString: 'x', category: [{ coding: [{ system, code, display }] }] });
  const ask = (r) => post('Observation/$validate', r);
  assert.deepEqual(issues(await ask(of('vital-signs', 'Vital Signs'))), ['information informational']);
  const wrong = await ask(of('vital-signs', 'Laboratory'));
  assert.deepEqual(issues(wrong), ['error invalid Observation.category[0].coding[0].display']);
  assert.match(wrong.text, /the right one: Vital Signs/);
  const none = await ask(of('vital-sign'));
  assert.deepEqual(issues(none), ['error code-invalid Observation.category[0].coding[0].code']);
  assert.match(none.text, /nearest: vital-signs/);
});

const category = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }];
const weight = {
  ...observation({}), category, subject: { reference: 'Patient/example' }, effectiveDateTime: '2020-01-01',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  valueQuantity: { value: 70, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
};
const sdBase = 'http://hl7.org/fhir/StructureDefinition/';
const places = (r) => issues(r).filter((i) => i.startsWith('error'));

test('a profile of R4: what it asks for beyond its type, with its canonical', async () => {
  const url = `${sdBase}bodyweight`;
  assert.deepEqual(places(await post(`Observation/$validate?profile=${url}`, weight)), []);
  const bad = await post(`Observation/$validate?profile=${url}`, {
    ...weight, category: undefined, effectiveDateTime: undefined,
    valueQuantity: { ...weight.valueQuantity, code: 'm', unit: 'm' },
  });
  assert.deepEqual(places(bad).sort(), [
    'error code-invalid Observation.value.code', 'error required Observation', 'error required Observation',
    'error required Observation',
  ], bad.text);
  assert.match(bad.text, /profile http:\/\/hl7.org\/fhir\/StructureDefinition\/bodyweight\|4.0.1/);
});

test('what meta.profile claims is checked by $validate, and told when it is not known', async () => {
  const claims = (url) => ({ ...weight, category: undefined, meta: { profile: [url] } });
  assert.ok(places(await post('Observation/$validate', claims(`${sdBase}bodyweight`))).length > 0);
  assert.deepEqual(issues(await post('Observation/$validate', claims('http://example.org/none'))),
    ['warning not-found Observation']);
});

test('a profile that is stored holds at once, and its change, too', async () => {
  const id = unique('sd');
  const profile = (min) => ({
    resourceType: 'StructureDefinition', id, url: `http://example.org/sd/${id}`, name: 'Named', status: 'active',
    text, kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint',
    baseDefinition: `${sdBase}Patient`,
    differential: { element: [{ id: 'Patient.name', path: 'Patient.name', min }] },
  });
  const ask1 = () => post(`Patient/$validate?profile=http://example.org/sd/${id}`, { resourceType: 'Patient', text, active: true });
  assert.deepEqual(places(await ask1()), ['error not-found Patient']);
  assert.equal((await put(`StructureDefinition/${id}`, profile(1))).status, 201);
  assert.deepEqual(places(await ask1()), ['error required Patient']);
  assert.equal((await put(`StructureDefinition/${id}`, profile(0))).status, 200);
  assert.deepEqual(places(await ask1()), []);
});

test('validation.profiles: what is claimed, or what is listed, refuses a write', async () => {
  for (const [setting, bad, unknown] of [
    ['claimed', { ...weight, category: undefined, meta: { profile: [`${sdBase}bodyweight`] } }, 422],
    [`${sdBase}vitalsigns`, { ...weight, category: undefined }, 201],
  ]) {
    const server = await startServer({ MEDULLA_VALIDATION_PROFILES: setting });
    try {
      const p = await send('PUT', `${server.base}/Patient/example`, patient({ id: 'example' }));
      assert.ok(p.status < 300, p.text);
      const refused = await send('POST', `${server.base}/Observation`, bad);
      assert.equal(refused.status, 422, refused.text);
      const other = { ...weight, meta: { profile: ['http://example.org/none'] } };
      assert.equal((await send('POST', `${server.base}/Observation`, other)).status, unknown);
      assert.equal((await send('POST', `${server.base}/Observation`, weight)).status, 201);
    } finally {
      await server.stop();
    }
  }
});

test('what a reference names is held against the profile that is asked of it', async () => {
  const id = unique('target');
  const sd = (name, type, element) => put(`StructureDefinition/${id}-${name}`, {
    resourceType: 'StructureDefinition', id: `${id}-${name}`, url: `http://example.org/sd/${id}-${name}`, name: 'T',
    status: 'active', text, kind: 'resource', abstract: false, type, derivation: 'constraint',
    baseDefinition: `${sdBase}${type}`, differential: { element: [element] },
  });
  assert.equal((await sd('named', 'Patient', { id: 'Patient.name', path: 'Patient.name', min: 1 })).status, 201);
  assert.equal((await sd('of-named', 'Observation', {
    id: 'Observation.subject', path: 'Observation.subject',
    type: [{ code: 'Reference', targetProfile: [`http://example.org/sd/${id}-named`] }],
  })).status, 201);
  const about = async (more) => {
    const p = await post('Patient', { resourceType: 'Patient', text, ...more });
    assert.equal(p.status, 201, p.text);
    return observation({ valueString: 'x', subject: { reference: `Patient/${p.body.id}` } });
  };
  const ask1 = async (r) => post(`Observation/$validate?profile=http://example.org/sd/${id}-of-named`, r);
  const named = await about({ name: [{ text: 'a' }] });
  assert.deepEqual(places(await ask1(named)), []);
  const nameless = await about({ active: true });
  const refused = await ask1(nameless);
  assert.deepEqual(places(refused), ['error value Observation.subject']);
  assert.match(refused.text, /there Patient: Patient.name is required/);
  assert.deepEqual(places(await ask1({ ...nameless, subject: { reference: 'Patient/nobody-at-all' } })), []);
  const server = await startServer({ MEDULLA_VALIDATION_PROFILES: 'claimed' });
  try {
    for (const [path, method] of [[`StructureDefinition/${id}-named`, get], [`StructureDefinition/${id}-of-named`, get]])
      await send('PUT', `${server.base}/${path}`, (await method(path)).body);
    for (const [name, status] of [[[{ text: 'a' }], 201], [undefined, 422]]) {
      const p = await send('POST', `${server.base}/Patient`, { resourceType: 'Patient', text, active: true, name });
      const written = await send('POST', `${server.base}/Observation`, {
        ...observation({ valueString: 'x' }), subject: { reference: `Patient/${p.body.id}` },
        meta: { profile: [`http://example.org/sd/${id}-of-named`] },
      });
      assert.equal(written.status, status, written.text);
    }
  } finally {
    await server.stop();
  }
});

test('what must hold where an extension stands', async () => {
  const extension = [{ url: `${sdBase}questionnaire-choiceOrientation`, valueCode: 'horizontal' }];
  const asked = (type) => post('Questionnaire/$validate', {
    resourceType: 'Questionnaire', text, status: 'draft', item: [{ linkId: '1', type, text: 'x', extension }],
  });
  assert.deepEqual(places(await asked('string')), ['error extension Questionnaire.item[0]']);
  assert.deepEqual(places(await asked('open-choice')), []);
});

test('a differential that does not narrow its base: $validate and medulla validate say where and why', async () => {
  const url = `http://example.org/sd/${unique()}`;
  const sd = (element, more) => ({ resourceType: 'StructureDefinition', text, url, name: 'Narrow', status: 'draft', kind: 'resource', abstract: false,
    type: 'Patient', derivation: 'constraint', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', differential: { element: [element] }, ...more });
  const rows = [
    [{ id: 'Patient.nam', path: 'Patient.nam' }, {}, 'error invalid', /Patient: it has no element nam; nearest: name/],
    [{ id: 'Patient.gender', path: 'Patient.gender', max: '*' }, {}, 'error invalid', /Patient\.gender: max is wider than the 1 of its base/],
    [{ id: 'Patient.name', path: 'Patient.name', min: 1 }, { baseDefinition: `${url}-none` }, 'warning not-found', /its base .* is not known here/],
  ];
  for (const [element, more, kind, says] of rows) {
    const r = await post('StructureDefinition/$validate', sd(element, more));
    assert.deepEqual(issues(r), [`${kind} StructureDefinition.differential`], r.text);
    assert.match(r.text, says);
  }
  assert.deepEqual(issues(await post('StructureDefinition/$validate', sd({ id: 'Patient.name', path: 'Patient.name', min: 1 }, {}))), ['information informational']);
  const folder = mkdtempSync(join(tmpdir(), 'medulla-differential-'));
  try {
    const file = join(folder, 'sd.json');
    writeFileSync(file, JSON.stringify(sd(rows[0][0], {})));
    const r = await medulla(['validate', '--quiet', file]);
    assert.equal(r.code, 1);
    assert.match(r.out, /StructureDefinition\.differential: no snapshot can be made: Patient: it has no element nam/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an expression constraint that is none is told without a release of SNOMED CT', async () => {
  const set = (value) => ({ resourceType: 'ValueSet', text, status: 'draft', url: `http://example.org/vs/${unique()}`,
    compose: { include: [{ system: 'http://snomed.info/sct', filter: [{ property: 'constraint', op: '=', value }] }] } });
  const bad = await post('ValueSet/$validate', set('<< 404684003 << 39057004'));
  assert.ok(issues(bad).includes('error value ValueSet.compose.include[0].filter[0]'), bad.text);
  assert.match(bad.text, /goes on behind its end/);
  const good = await post('ValueSet/$validate', set('<< 404684003 : 363698007 = << 39057004'));
  assert.ok(!issues(good).some((i) => i.startsWith('error')), good.text);
});
