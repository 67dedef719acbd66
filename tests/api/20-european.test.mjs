// A European laboratory report on its way through the server: its guide is installed, it is checked
// against the profiles that it claims, kept, registered, found, replaced.
// https://hl7.eu/fhir/laboratory/ (the guide lies in the shared data)
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { json } from './lib/fhir.mjs';
import { medulla, startServer } from './lib/server.mjs';

const guide = join(process.env.MEDULLA_SHARED ?? '../shared', 'data/eu-laboratory');
const ips = join(process.env.MEDULLA_DEFINITIONS ?? 'definitions/node_modules', 'hl7.fhir.uv.ips');
const absent = existsSync(guide) ? false : 'shared data absent';

const canonical = (name) => `http://hl7.eu/fhir/laboratory/StructureDefinition/${name}`;
const composition5 = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition';
const urn = (n) => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const ref = (n) => ({ reference: urn(n) });
const text = (words) => ({ status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${words}</div>` });
const coding = (system, code) => ({ coding: [{ system, code }] });
const loinc = (code) => coding('http://loinc.org', code);

// The guide names an extension of R5 that no package of R4 here defines.
const extension = {
  resourceType: 'StructureDefinition', id: 'composition-of-r5', url: composition5, name: 'DiagnosticReportComposition', status: 'active',
  kind: 'complex-type', abstract: false, context: [{ type: 'element', expression: 'DiagnosticReport' }], type: 'Extension',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Extension', derivation: 'constraint',
  differential: { element: [{ id: 'Extension', path: 'Extension', max: '1' }, { id: 'Extension.url', path: 'Extension.url', fixedUri: composition5 },
    { id: 'Extension.value[x]', path: 'Extension.value[x]', min: 1, type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Composition'] }] }] },
};

function report(n, more = {}) {
  const type = loinc('11502-2');
  const category = loinc('26436-6');
  const identifier = { system: 'urn:test:laboratory', value: String(n) };
  const resources = [
    { resourceType: 'Composition', meta: { profile: [canonical('Composition-eu-lab')] }, language: 'en', text: text('Report'), identifier, status: 'final', type, category: [category],
      extension: [{ url: canonical('composition-diagnosticReportReference'), valueReference: ref(4) }],
      subject: ref(2), date: '2026-01-02T10:00:00Z', author: [ref(3)], title: 'Laboratory report', ...more,
      section: [{ title: 'Chemistry', code: loinc('18719-5'), text: text('Haemoglobin 140 g/L'), entry: [ref(5)] }] },
    { resourceType: 'Patient', meta: { profile: [canonical('Patient-eu-lab')] }, text: text('Novak'), identifier: [{ system: 'urn:test:person', value: 'ana' }],
      name: [{ family: 'Novak', given: ['Ana'] }], gender: 'female', birthDate: '1980-01-02' },
    { resourceType: 'Practitioner', text: text('Lind'), identifier: [{ system: 'urn:test:doctor', value: '9' }], name: [{ family: 'Lind', given: ['Eva'] }] },
    { resourceType: 'DiagnosticReport', meta: { profile: [canonical('DiagnosticReport-eu-lab')] }, text: text('Report'), identifier: [identifier], status: 'final',
      extension: [{ url: composition5, valueReference: ref(1) }], category: [category], code: type, subject: ref(2),
      effectiveDateTime: '2026-01-02T09:00:00Z', performer: [ref(3)], specimen: [ref(6)], result: [ref(5)] },
    { resourceType: 'Observation', meta: { profile: [canonical('Observation-resultslab-eu-lab')] }, text: text('Haemoglobin 140 g/L'), status: 'final',
      category: [coding('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')], code: loinc('718-7'), subject: ref(2),
      effectiveDateTime: '2026-01-02T09:00:00Z', performer: [ref(3)], specimen: ref(6),
      valueQuantity: { value: 140, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' } },
    { resourceType: 'Specimen', meta: { profile: [canonical('Specimen-eu-lab')] }, text: text('Blood'), type: { text: 'Blood' }, subject: ref(2),
      collection: { collectedDateTime: '2026-01-02T08:00:00Z' } },
  ];
  return { resourceType: 'Bundle', meta: { profile: [canonical('Bundle-eu-lab')] }, type: 'document', timestamp: '2026-01-02T10:00:00Z',
    identifier: { system: 'urn:ietf:rfc:3986', value: urn(1000 + n) },
    entry: resources.map((resource, i) => ({ fullUrl: urn(i + 1), resource })) };
}

// What the guide forbids, and what is said about it.
const wrong = {
  'another type in report and document': [(b) => { b.entry[3].resource.code = loinc('26436-6'); }, /dr-comp-type/],
  'a result that is no laboratory result': [(b) => { delete b.entry[4].resource.category; }, /Observation\.category.*is required/],
  'a document without its report': [(b) => { delete b.entry[0].resource.extension; b.entry.splice(3, 1); }, /Bundle\.entry:diagnosticReport is required/],
  'a section without a text': [(b) => { delete b.entry[0].resource.section[0].text; delete b.entry[0].resource.section[0].entry; }, /section/],
};

// Profiles of data types that stand on what IPS 2.0.0 has no longer: here on the type itself.
const moved = ['Ratio', 'Quantity'];
const rebase = (folder) => moved.forEach((type) => {
  const file = join(folder, `StructureDefinition-${type}-eu-lab.json`);
  const profile = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...profile, baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}` }));
});

/** The guide as a package file, with IPS, on which it stands. */
function packages(folder) {
  const pack = (name, source, { manifest, extra, change } = {}) => {
    const at = join(folder, name);
    mkdirSync(at);
    cpSync(source, join(at, 'package'), { recursive: true, dereference: true });
    if (manifest) writeFileSync(join(at, 'package/package.json'), JSON.stringify(manifest));
    change?.(join(at, 'package'));
    for (const resource of extra ?? []) writeFileSync(join(at, 'package', `StructureDefinition-${resource.id}.json`), JSON.stringify(resource));
    const file = join(folder, `${name}.tgz`);
    execFileSync('tar', ['-czf', file, '-C', at, 'package']);
    return file;
  };
  const dependencies = { 'hl7.fhir.r4.core': '4.0.1', 'hl7.fhir.uv.ips': '2.0.0' };
  const manifest = { name: 'hl7.fhir.eu.laboratory', version: '0.2.0', fhirVersions: ['4.0.1'], dependencies };
  return [pack('ips', ips), pack('laboratory', guide, { manifest, extra: [extension], change: rebase })];
}

test('a European laboratory report', { skip: absent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-european-'));
  const server = await startServer({ MEDULLA_VALIDATION_PROFILES: 'claimed' });
  t.after(async () => { rmSync(folder, { recursive: true }); assert.equal(await server.stop(), 0); });
  const send = async (method, path, body) => {
    const r = await fetch(`${server.base}/${path}`, { method, headers: { 'Content-Type': json }, body: body && JSON.stringify(body) });
    const words = await r.text();
    return { status: r.status, text: words, body: words && JSON.parse(words) };
  };
  const before = await send('POST', 'Bundle', report(0));
  assert.equal(before.status, 422, 'it claims what is not installed');
  assert.match(before.text, /medulla package add/);

  const added = await medulla(['package', 'add', '--without', 'hl7.fhir.uv.ipa', '--data', server.data, ...packages(folder)]);
  assert.equal(added.code, 0, added.out + added.err);

  for (const [name, [change, words]] of Object.entries(wrong)) {
    await t.test(name, async () => {
      const bad = report(1);
      change(bad);
      const r = await send('POST', 'Bundle', bad);
      assert.equal(r.status, 422, r.text);
      assert.match(r.text, words);
    });
  }

  await send('PUT', 'Patient/ana', { resourceType: 'Patient', id: 'ana', identifier: [{ system: 'urn:test:person', value: 'ana' }] });
  const register = async (doc) => {
    const kept = await send('POST', 'Bundle', doc);
    assert.equal(kept.status, 201, kept.text);
    const entry = await send('POST', `DocumentReference/$generate?url=Bundle/${kept.body.id}&persist=true`);
    assert.equal(entry.status, 201, entry.text);
    return entry.body;
  };
  const ask = async (more = '') => (await send('GET', `DocumentReference?patient=Patient/ana&type=http://loinc.org|11502-2${more}`)).body.entry?.map((e) => e.resource.id) ?? [];
  const first = await register(report(2));
  assert.deepEqual(await ask('&status=current'), [first.id]);
  const second = await register(report(3, { relatesTo: [{ code: 'replaces', targetIdentifier: report(2).identifier }] }));
  assert.deepEqual(await ask('&status=current'), [second.id]);
  assert.deepEqual(await ask('&status=superseded'), [first.id]);
  assert.equal((await send('PUT', `DocumentReference/${second.id}`, { ...second, status: 'entered-in-error' })).status, 200);
  assert.deepEqual(await ask('&status=current'), []);
});
