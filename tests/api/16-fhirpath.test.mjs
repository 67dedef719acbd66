// https://github.com/brianpos/fhirpath-lab/blob/master/server-api.md
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, patient, post, put, unique } from './lib/fhir.mjs';

const text = (name, valueString) => ({ name, valueString });
const ask = (expression, more = []) =>
  post('$fhirpath', { resourceType: 'Parameters', parameter: [text('expression', expression), ...more] });
const results = (r) => r.body.parameter.filter((p) => p.name === 'result');
const ana = {
  resourceType: 'Patient',
  id: 'ana',
  active: true,
  name: [{ family: 'Novak', given: ['Ana', 'Eva'] }, { family: 'Kos' }],
  _birthDate: { extension: [{ url: 'http://t.org/x', valueString: 'unknown' }] },
  contact: [{ gender: 'male' }],
};
const subject = { name: 'resource', resource: ana };

test('an expression over a resource that is sent', async () => {
  const r = await ask('name.given | active | name.first() | contact | birthDate | 1.50 | id', [subject]);
  assert.equal(r.status, 200, r.text);
  const [asked] = r.body.parameter;
  assert.equal(asked.name, 'parameters');
  assert.match(asked.part.find((p) => p.name === 'evaluator').valueString, /^Medulla .*\(R4\)$/);
  assert.equal(asked.part.find((p) => p.name === 'resource').resource.id, 'ana');
  const [result] = results(r);
  assert.equal(result.valueString, undefined);
  const json = 'http://fhir.forms-lab.com/StructureDefinition/json-value';
  assert.deepEqual(result.part, [
    { name: 'string', valueString: 'Ana' },
    { name: 'string', valueString: 'Eva' },
    { name: 'boolean', valueBoolean: true },
    { name: 'HumanName', valueHumanName: ana.name[0] },
    { extension: [{ url: json, valueString: '{"gender":"male"}' }], name: 'Patient.contact' },
    { name: 'date', _valueDate: ana._birthDate },
    { name: 'decimal', valueDecimal: 1.5 },
    { name: 'id', valueId: 'ana' },
  ]);
  assert.match(r.text, /1\.50/); // a decimal keeps its digits
});

test('context, variables and trace', async () => {
  const r = await ask("trace('all', family).given.select($this & %sign & %who.family)", [
    subject,
    text('context', 'Patient.name'),
    { name: 'variables', part: [text('sign', '!'), { name: 'who', valueHumanName: { family: 'X' } }, { name: 'none' }] },
  ]);
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(results(r), [
    {
      name: 'result',
      valueString: 'Patient.name[0]',
      part: [text('string', 'Ana!X'), text('string', 'Eva!X'), { ...text('trace', 'all'), part: [text('string', 'Novak')] }],
    },
    { name: 'result', valueString: 'Patient.name[1]', part: [{ ...text('trace', 'all'), part: [text('string', 'Kos')] }] },
  ]);
});

test('what a part can not hold, and the values of no resource', async () => {
  const json = 'http://fhir.forms-lab.com/StructureDefinition/json-value';
  const r = await ask("'' | 4 'mg' | 2 years | @2014-01 | @2014-01-01T08 | @T10:00 | 3000000000 | 1.type()");
  assert.deepEqual(results(r)[0].part, [
    { name: 'empty-string' },
    { name: 'Quantity', valueQuantity: { value: 4, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' } },
    { name: 'Quantity', valueQuantity: { value: 2, unit: 'years' } },
    { name: 'date', valueDate: '2014-01' },
    { extension: [{ url: json, valueString: '"2014-01-01T08"' }], name: 'dateTime' },
    { extension: [{ url: json, valueString: '"10:00"' }], name: 'time' },
    { name: 'decimal', valueDecimal: 3000000000 },
    { name: 'TypeInfo', valueString: 'System.Integer' },
  ]);
});

test('a stored resource, and what it refers to', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, name: [{ family: 'Novak' }] }));
  await put(`Observation/${id}`, { resourceType: 'Observation', id, status: 'final', code: { text: 'x' }, subject: { reference: `Patient/${id}` } });
  const found = await get(`Observation/${id}/$fhirpath?expression=${encodeURIComponent('subject.resolve().name.family')}`);
  assert.deepEqual(results(found)[0].part, [text('string', 'Novak')]);
  const version = await post(`Patient/${id}/$fhirpath`, { resourceType: 'Parameters', parameter: [text('expression', 'meta.versionId')] });
  assert.deepEqual(results(version)[0].part, [{ name: 'id', valueId: '1' }]);
  assert.deepEqual(results(await get('$fhirpath?expression=1%2B1'))[0].part, [{ name: 'integer', valueInteger: 2 }]);
  assert.equal((await get(`Patient/${unique()}/$fhirpath?expression=id`)).status, 404);
});

test('what codes mean; of what nobody knows the answer is empty', async () => {
  const coding = (system, code) => ({ name: code, valueCoding: { system, code } });
  const cls = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  const is = async (expression) => results(await ask(expression, [{ name: 'resource', resource: { ...ana, gender: 'female' } },
    { name: 'variables', part: [coding(cls, '_ActEncounterCode'), coding(cls, 'AMB'), coding('urn:nobody', 'x')] }]))[0].part?.[0].valueBoolean;
  assert.equal(await is('gender.memberOf(%`vs-administrative-gender`)'), true);
  assert.equal(await is("'nobody'.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')"), false);
  assert.equal(await is("gender.memberOf('http://t.org/vs')"), undefined);
  assert.equal(await is('%_ActEncounterCode.subsumes(%AMB)'), true);
  assert.equal(await is('%_ActEncounterCode.subsumedBy(%AMB)'), false);
  assert.equal(await is('%x.subsumes(%AMB)'), undefined);
});

test('conformsTo() of a resource asks the profile, base definition and all', async () => {
  const sd = 'http://hl7.org/fhir/StructureDefinition/bodyweight';
  const weight = {
    resourceType: 'Observation', status: 'final', subject: { reference: 'Patient/ana' }, effectiveDateTime: '2026-01-02',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
    valueQuantity: { value: 70, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  };
  const says = async (expression, resource) => {
    const r = await ask(expression, [{ name: 'resource', resource }]);
    return r.status === 200 ? results(r)[0].part.map((p) => p.valueBoolean ?? p.valueInteger) : `${r.status} ${r.body.issue[0].code}`;
  };
  const bundle = (n) => ({ resourceType: 'Bundle', type: 'collection', entry: Array.from({ length: n }, (_, i) => ({
    fullUrl: `urn:uuid:00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    resource: i % 2 ? weight : { ...weight, category: undefined } })) });
  assert.deepEqual(await says(`conformsTo('${sd}')`, weight), [true]);
  assert.deepEqual(await says(`conformsTo('${sd}')`, { ...weight, category: undefined }), [false]);
  assert.deepEqual(await says(`conformsTo('${sd}')`, { ...weight, status: 'finel' }), [false]); // nor the base
  assert.deepEqual(await says(`conformsTo('${sd}')`, ana), [false]);
  assert.deepEqual(await says(`entry.resource.where(conformsTo('${sd}')).count()`, bundle(5)), [2]);
  assert.equal(await says(`entry.resource.select(%resource.entry.resource.where(conformsTo('${sd}'))).count()`, bundle(40)),
    '422 too-costly');
});

test('errors say where and what', async () => {
  const says = async (expression, status, pattern, more) => {
    const r = await ask(expression, more ?? [subject]);
    assert.equal(r.status, status, r.text);
    assert.match(r.body.issue[0].diagnostics, pattern);
  };
  await says('name.frist()', 422, /position 6.*did you mean 'first'/);
  await says('gendre', 422, /position 1.*gender/);
  await says('name.single()', 422, /several/);
  await says("conformsTo('http://t.org/sd')", 422, /does not know the profile http:\/\/t\.org\/sd; add its package/);
  await says("name[0].conformsTo('http://t.org/sd')", 422, /no resource/);
  await says("repeatAll($this)", 422, /too many/);
  await says('', 400, /needs an expression/);
  await says('name', 400, /did you mean 'resource'/, [{ name: 'resouce', resource: ana }]);
  assert.equal((await get('$fhirpath')).status, 400);
  assert.equal((await get('$fhirpath?expression=1&x=2')).status, 400);
  assert.equal((await post('$fhirpath', ana)).status, 400);
});

test('a hostile pattern ends in an answer', async () => {
  const r = await ask(`'${'a'.repeat(60)}!'.matches('^(a+)+$')`);
  assert.deepEqual(results(r)[0].part, [{ name: 'boolean', valueBoolean: false }]);
});
