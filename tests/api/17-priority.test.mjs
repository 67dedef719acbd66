// The European priority documents, each through its whole life: sent whole or refused, checked,
// registered, found by its type, replaced, marked as wrong, and never changed.
// docs/documents.md; https://hl7.org/fhir/R4/documents.html
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { del, get, issues, patient, post, put, send, unique } from './lib/fhir.mjs';

const loinc = (code) => ({ coding: [{ system: 'http://loinc.org', code }] });
const text = (words) => ({ status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${words}</p></div>` });
const urn = () => `urn:uuid:${crypto.randomUUID()}`;
const ref = (reference) => ({ reference });
const snomed = (code) => ({ coding: [{ system: 'http://snomed.info/sct', code }] });
const mg = (value) => ({ value, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' });

// What stands in the sections: resources about `subject`, written by `author`.
const kinds = {
  'patient summary': { type: '60591-5', section: '11450-4', entries: (subject) => [
    { resourceType: 'Condition', text: text('Asthma'), clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
      code: snomed('195967001'), subject }] },
  ePrescription: { type: '57833-6', section: '57828-6', entries: (subject, author) => [
    { resourceType: 'MedicationRequest', text: text('Paracetamol'), status: 'active', intent: 'order', groupIdentifier: { system: 'urn:test:prescription', value: unique() },
      medicationCodeableConcept: { coding: [{ system: 'http://www.whocc.no/atc', code: 'N02BE01' }] }, subject, requester: author, authoredOn: '2026-01-02',
      dosageInstruction: [{ text: 'one, three times a day', doseAndRate: [{ doseQuantity: mg(500) }] }],
      dispenseRequest: { quantity: { value: 20 }, validityPeriod: { start: '2026-01-02', end: '2026-01-16' } } }] },
  eDispensation: { type: '60593-1', section: '60590-7', entries: (subject, author) => [
    { resourceType: 'MedicationDispense', text: text('Paracetamol'), status: 'completed', medicationCodeableConcept: { coding: [{ system: 'http://www.whocc.no/atc', code: 'N02BE01' }] },
      subject, performer: [{ actor: author }], quantity: { value: 20 }, whenHandedOver: '2026-01-03T10:00:00Z' }] },
  'laboratory report': { type: '11502-2', section: '18719-5', entries: (subject, author) => [
    { resourceType: 'Observation', text: text('Haemoglobin'), status: 'final', code: loinc('718-7'), subject, performer: [author], effectiveDateTime: '2026-01-02',
      valueQuantity: { value: 140, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' } }] },
  'imaging report': { type: '85430-7', section: '18782-3', entries: (subject, author) => [
    { resourceType: 'DiagnosticReport', text: text('No fracture'), status: 'final', code: loinc('36643-5'), subject, resultsInterpreter: [author], effectiveDateTime: '2026-01-02T10:00:00Z',
      conclusion: 'No fracture.' },
    { resourceType: 'ImagingStudy', text: text('Chest'), status: 'available', subject, identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:2.16.124.113543.6003.1154777499' }] }] },
  'discharge report': { type: '18842-5', section: '8648-8', entries: (subject, author) => [
    { resourceType: 'Encounter', text: text('Ward 3'), status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' }, subject,
      participant: [{ individual: author }], period: { start: '2026-01-01', end: '2026-01-05' } }] },
};

function document(kind, who, composition = {}) {
  const [head, subject, author] = [urn(), urn(), urn()];
  const entries = kind.entries(ref(subject), ref(author)).map((resource) => ({ fullUrl: urn(), resource }));
  return { resourceType: 'Bundle', type: 'document', timestamp: '2026-01-05T12:00:00Z', identifier: { system: 'urn:ietf:rfc:3986', value: urn() }, entry: [
    { fullUrl: head, resource: { resourceType: 'Composition', text: text('Document'), status: 'final', type: loinc(kind.type), subject: ref(subject), author: [ref(author)],
      date: '2026-01-05', title: 'Document', section: [{ title: 'Content', code: loinc(kind.section), text: text('Content'), entry: entries.map((e) => ref(e.fullUrl)) }], ...composition } },
    { fullUrl: subject, resource: { resourceType: 'Patient', text: text('Novak'), identifier: [who.identifier], name: [{ family: 'Novak' }] } },
    { fullUrl: author, resource: { resourceType: 'Practitioner', text: text('Lind'), name: [{ family: 'Lind' }] } },
    ...entries] };
}

async function person() {
  const id = unique();
  const identifier = { system: 'urn:test:person', value: id };
  assert.equal((await put(`Patient/${id}`, patient({ id, identifier: [identifier] }))).status, 201);
  return { id, identifier };
}

const ids = (answer) => (answer.body.entry ?? []).map((e) => e.resource.id);

for (const [name, kind] of Object.entries(kinds)) {
  test(`${name}: sent, checked, registered, found by type, replaced, marked as wrong`, async () => {
    const who = await person();
    const errors = (r) => issues(r).filter((each) => each.severity === 'error');
    const register = async (doc) => {
      const checked = await post('Bundle/$validate', doc);
      assert.equal(checked.status, 200);
      assert.deepEqual(errors(checked), [], checked.text);
      const kept = await post('Bundle', doc);
      assert.equal(kept.status, 201, kept.text);
      const entry = await post(`DocumentReference/$generate?url=Bundle/${kept.body.id}&persist=true`, undefined);
      assert.equal(entry.status, 201, entry.text);
      return { at: `Bundle/${kept.body.id}`, id: entry.body.id, body: entry.body };
    };
    const current = async () => ids(await get(`DocumentReference?patient=Patient/${who.id}&type=http://loinc.org|${kind.type}&status=current`));
    const asked = async () => ids(await get(`DocumentReference/$docref?patient=${who.id}&type=http://loinc.org|${kind.type}`));

    // not whole: refused, with the place; nothing is kept
    const broken = document(kind, who);
    broken.entry.pop();
    const refused = await post('Bundle', broken);
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.text, /Bundle\.entry\[0\]\.resource\.section\[0\]\.entry/);
    assert.deepEqual(await current(), []);

    // registered, and what is registered is the document
    const doc = document(kind, who);
    const first = await register(doc);
    assert.deepEqual(first.body.type.coding[0].code, kind.type);
    assert.equal(first.body.subject.reference, `Patient/${who.id}`);
    assert.deepEqual(await current(), [first.id]);
    assert.deepEqual(await asked(), [first.id]);
    const read = await get(first.body.content[0].attachment.url);
    assert.deepEqual(read.body.entry, doc.entry);
    assert.equal((await post('Bundle', doc)).status, 200); // sent again: the same one

    // of another type nothing is found
    assert.deepEqual(ids(await get(`DocumentReference/$docref?patient=${who.id}&type=http://loinc.org|34133-9`)), []);

    // sealed
    for (const change of [() => put(first.at, { ...read.body, timestamp: '2026-02-01T00:00:00Z' }), () => del(first.at),
      () => send('PATCH', first.at, [{ op: 'replace', path: '/timestamp', value: '2026-02-01T00:00:00Z' }], { 'Content-Type': 'application/json-patch+json' })]) {
      const r = await change();
      assert.equal(r.status, 409, r.text);
      assert.match(r.text, /sealed/);
    }
    assert.equal((await get(first.at)).text, read.text);

    // replaced: the earlier one is superseded in the same commit, and not served by default
    const second = await register(document(kind, who, { relatesTo: [{ code: 'replaces', targetIdentifier: doc.identifier }] }));
    assert.equal((await get(`DocumentReference/${first.id}`)).body.status, 'superseded');
    assert.deepEqual(await current(), [second.id]);
    assert.deepEqual(await asked(), [second.id]);

    // marked as wrong: no longer found, still readable
    const wrong = await put(`DocumentReference/${second.id}`, { ...second.body, status: 'entered-in-error' });
    assert.equal(wrong.status, 200, wrong.text);
    assert.deepEqual(await current(), []);
    assert.deepEqual(await asked(), []);
    assert.equal((await get(second.at)).status, 200);
  });
}
