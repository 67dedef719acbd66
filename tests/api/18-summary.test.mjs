// https://hl7.org/fhir/uv/ips/OperationDefinition-summary.html
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { medulla } from './lib/server.mjs';
import { get, patient, post, put, unique } from './lib/fhir.mjs';

const ref = (reference) => ({ reference });
const status = (system, code) => ({ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }] });
const section = (r, code) => r.body.entry[0].resource.section.find((s) => s.code.coding[0].code === code);
const shown = (r, s) =>
  (s.entry ?? []).map((e) => {
    const found = r.body.entry.find((x) => x.fullUrl === e.reference);
    assert.ok(found, `${e.reference} is an entry`);
    return found.resource;
  });
const required = ['11450-4', '48765-2', '10160-0'];

async function person(more = {}) {
  const id = unique();
  const r = await put(`Patient/${id}`, patient({ id, birthDate: '1971-02-03', ...more }));
  assert.equal(r.status, 201, r.text);
  return id;
}
async function add(resource) {
  const r = await post(resource.resourceType, resource);
  assert.equal(r.status, 201, r.text);
  return r.body.id;
}
const condition = (id, text, clinical = 'active', verification = 'confirmed') =>
  add({ resourceType: 'Condition', subject: ref(`Patient/${id}`), code: { text }, clinicalStatus: status('condition-clinical', clinical), verificationStatus: status('condition-ver-status', verification) });

test('an empty record is a summary that says so', async () => {
  const id = await person();
  const r = await get(`Patient/${id}/$summary`);
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.type, 'document');
  assert.ok(r.body.identifier.value && r.body.timestamp);
  const composition = r.body.entry[0].resource;
  assert.equal(composition.resourceType, 'Composition');
  assert.equal(composition.type.coding[0].code, '60591-5');
  assert.ok(r.body.entry.some((e) => e.fullUrl === composition.subject.reference && e.resource.id === id));
  assert.ok(r.body.entry.some((e) => e.fullUrl === composition.author[0].reference && e.resource.resourceType === 'Device'));
  assert.deepEqual(composition.section.map((s) => s.code.coding[0].code), required);
  for (const s of composition.section) {
    assert.equal(s.emptyReason.coding[0].code, 'unavailable');
    assert.match(s.text.div, /does not mean that there is none/);
  }
  assert.equal((await post('Bundle', r.body)).status, 201); // it is a document that can be kept
});

test('"none known" is said only where somebody has recorded it', async () => {
  const id = await person();
  await add({ resourceType: 'List', status: 'current', mode: 'snapshot', subject: ref(`Patient/${id}`), code: { coding: [{ system: 'http://loinc.org', code: '52472-8' }] }, emptyReason: status('list-empty-reason', 'nilknown') });
  await add({ resourceType: 'List', status: 'current', mode: 'snapshot', subject: ref(`Patient/${id}`), code: { coding: [{ system: 'http://loinc.org', code: '10160-0' }] }, emptyReason: status('list-empty-reason', 'notasked') });
  const r = await get(`Patient/${id}/$summary`);
  assert.equal(section(r, '48765-2').emptyReason.coding[0].code, 'nilknown');
  assert.match(section(r, '48765-2').text.div, /No known allergies/);
  for (const code of ['11450-4', '10160-0']) {
    assert.equal(section(r, code).emptyReason.coding[0].code, 'unavailable');
    assert.doesNotMatch(section(r, code).text.div, /No known/);
  }
});

test('what is in force is shown, with what it refers to; nothing of others', async () => {
  const other = await person();
  const doctor = unique();
  await put(`Practitioner/${doctor}`, { resourceType: 'Practitioner', id: doctor });
  const id = await person({ generalPractitioner: [ref(`Practitioner/${doctor}`)], link: [{ other: ref(`Patient/${other}`), type: 'seealso' }] });
  await condition(other, 'of another');
  await condition(id, 'Asthma');
  await condition(id, 'Flu', 'resolved');
  await condition(id, 'Wrong', 'active', 'refuted');
  const drug = await add({ resourceType: 'Medication', code: { text: 'Amoxicillin <500>' } });
  await add({ resourceType: 'MedicationStatement', status: 'active', subject: ref(`Patient/${id}`), medicationReference: ref(`Medication/${drug}`), dosage: [{ text: '1 & 1' }] });
  await add({ resourceType: 'MedicationRequest', status: 'stopped', intent: 'order', subject: ref(`Patient/${id}`), medicationCodeableConcept: { text: 'Stopped' } });
  await add({ resourceType: 'AllergyIntolerance', patient: ref(`Patient/${id}`), code: { text: '<script>alert("x")</script>' }, clinicalStatus: status('allergyintolerance-clinical', 'active'), verificationStatus: status('allergyintolerance-verification', 'confirmed') });
  await add({ resourceType: 'Observation', status: 'final', subject: ref(`Patient/${id}`), code: { text: 'Hb' }, effectiveDateTime: '2026-01-02', category: [status('observation-category', 'laboratory')], valueQuantity: { value: 7.1, unit: 'mmol/L' } });
  await add({ resourceType: 'Immunization', status: 'completed', patient: ref(`Patient/${id}`), vaccineCode: { text: 'MMR' }, occurrenceDateTime: '2020-02-02' });
  const r = await get(`Patient/${id}/$summary`);
  assert.equal(r.status, 200, r.text);
  const names = (code) => shown(r, section(r, code)).map((x) => (x.code ?? x.vaccineCode ?? x.medicationCodeableConcept)?.text ?? x.resourceType);
  assert.deepEqual(names('11450-4'), ['Asthma']);
  assert.deepEqual(names('11348-0'), ['Flu']);
  assert.deepEqual(names('10160-0'), ['MedicationStatement']);
  assert.deepEqual(names('30954-2'), ['Hb']);
  assert.deepEqual(names('11369-6'), ['MMR']);
  assert.match(section(r, '10160-0').text.div, /Amoxicillin &lt;500&gt;.*1 &amp; 1/);
  assert.match(section(r, '48765-2').text.div, /&lt;script&gt;/);
  assert.match(section(r, '30954-2').text.div, /7\.1 mmol\/L.*2026-01-02/);
  const told = r.body.entry[0].resource.section.map((s) => s.text.div).join('');
  assert.ok(!/<script|of another|Wrong|Stopped/.test(told));
  assert.ok(!/of another|Wrong|Stopped/.test(r.text));
  const all = r.body.entry.map((e) => `${e.resource.resourceType}/${e.resource.id}`);
  assert.ok(all.includes(`Medication/${drug}`) && all.includes(`Practitioner/${doctor}`));
  assert.equal(r.body.entry.filter((e) => e.resource.resourceType === 'Patient').length, 1);
  assert.equal(new Set(r.body.entry.map((e) => e.fullUrl)).size, r.body.entry.length);
  assert.equal((await post('Bundle', r.body)).status, 201);
});

test('a replaced record leads to the one in force; questions that are no question are refused', async () => {
  const now = await person({ identifier: [{ system: 'urn:test:summary', value: unique() }] });
  const before = await person({ link: [{ other: ref(`Patient/${now}`), type: 'replaced-by' }] });
  await condition(now, 'Asthma');
  const r = await get(`Patient/${before}/$summary`);
  assert.equal(r.status, 200, r.text);
  assert.ok(r.body.entry[0].resource.subject.reference.endsWith(`Patient/${now}`));
  assert.match(r.body.entry[0].resource.text.div, new RegExp(`Patient/${before}`));
  const value = (await get(`Patient/${now}`)).body.identifier[0].value;
  assert.equal((await get(`Patient/$summary?identifier=urn:test:summary|${value}`)).status, 200);
  const posted = await post('Patient/$summary', { resourceType: 'Parameters', parameter: [{ name: 'identifier', valueString: `urn:test:summary|${value}` }] });
  assert.equal(posted.body.entry[0].resource.subject.reference, r.body.entry[0].resource.subject.reference);
  assert.equal((await get('Patient/$summary?identifier=urn:test:summary|nobody')).status, 404);
  assert.equal((await get('Patient/$summary')).status, 400);
  assert.equal((await get(`Patient/${now}/$summary?profile=http://t.org/p`)).status, 400);
  assert.equal((await get(`Patient/${now}/$summary?x=1`)).status, 400);
  assert.equal((await get(`Patient/${unique()}/$summary`)).status, 404);
});

test('what is over does not hide what is in force, however much there is of it', async () => {
  const id = await person();
  const one = (i) => ({ resourceType: 'Condition', subject: ref(`Patient/${id}`), code: { text: `C${i}` },
    clinicalStatus: status('condition-clinical', i < 5 || i >= 255 ? 'active' : 'resolved'), verificationStatus: status('condition-ver-status', 'confirmed') });
  const entry = Array.from({ length: 260 }, (_, i) => ({ request: { method: 'POST', url: 'Condition' }, resource: one(i) }));
  assert.equal((await post('', { resourceType: 'Bundle', type: 'transaction', entry })).status, 200);
  const r = await get(`Patient/${id}/$summary`);
  assert.equal(section(r, '11450-4').entry.length, 10);
  assert.equal(section(r, '11348-0').entry.length, 100);
  assert.match(section(r, '11348-0').text.div, /not all are shown/);
});

test('of a record with only mistakes nothing is told, and not that there is nothing', async () => {
  const id = await person({ deceasedDateTime: '2026-01-05' });
  await add({ resourceType: 'Condition', subject: ref(`Patient/${id}`), code: { text: 'Wrong' }, verificationStatus: status('condition-ver-status', 'entered-in-error') });
  await add({ resourceType: 'AllergyIntolerance', patient: ref(`Patient/${id}`), code: { text: 'Wrong' }, verificationStatus: status('allergyintolerance-verification', 'entered-in-error') });
  await add({ resourceType: 'MedicationStatement', status: 'entered-in-error', subject: ref(`Patient/${id}`), medicationCodeableConcept: { text: 'Wrong' } });
  const r = await get(`Patient/${id}/$summary`);
  assert.ok(!r.text.includes('Wrong'));
  for (const s of r.body.entry[0].resource.section) assert.equal(s.emptyReason.coding[0].code, 'unavailable');
  assert.match(r.body.entry[0].resource.text.div, /died 2026-01-05/);
});

const guide = join(process.env.MEDULLA_DEFINITIONS ?? 'definitions/node_modules', 'hl7.fhir.uv.ips');
const profile = 'http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips';

test('a summary keeps the profiles of IPS', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-ips-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const check = async (name, bundle) => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(bundle));
    return medulla(['validate', '--quiet', '--with', guide, '--profile', profile, file]);
  };
  const code = (text) => ({ coding: [{ system: 'http://snomed.info/sct', code: '38341003', display: text }], text });
  const empty = (await get(`Patient/${await person()}/$summary`)).body;
  const id = await person({ identifier: [{ system: 'urn:test:ips', value: unique() }], gender: 'female' });
  await condition(id, 'Asthma');
  await add({ resourceType: 'AllergyIntolerance', patient: ref(`Patient/${id}`), code: { text: 'Penicillin' }, clinicalStatus: status('allergyintolerance-clinical', 'active') });
  await add({ resourceType: 'MedicationStatement', status: 'active', subject: ref(`Patient/${id}`), medicationCodeableConcept: code('x'), effectivePeriod: { start: '2024-01-01' } });
  await add({ resourceType: 'Immunization', status: 'completed', patient: ref(`Patient/${id}`), vaccineCode: code('x'), occurrenceDateTime: '2023-05-06' });
  await add({ resourceType: 'Procedure', status: 'completed', subject: ref(`Patient/${id}`), code: code('x'), performedDateTime: '2022-01-01' });
  const full = (await get(`Patient/${id}/$summary`)).body;
  assert.ok(full.entry[0].resource.section.length >= 5);
  const nobody = (await get(`Patient/${(await add({ resourceType: 'Patient' }))}/$summary`)).body;
  for (const [name, bundle] of Object.entries({ empty, full, nobody })) {
    const { code: exit, out, err } = await check(name, bundle);
    assert.equal(exit, 0, `${name}: ${out}${err}`);
  }
  // and it would be noticed if it did not
  const without = structuredClone(full);
  const composition = without.entry[0].resource;
  composition.section = composition.section.filter((s) => s.code.coding[0].code !== '48765-2');
  const told = await check('without', without);
  assert.equal(told.code, 1);
  assert.match(told.out + told.err, /sectionAllergies is required/);
});
