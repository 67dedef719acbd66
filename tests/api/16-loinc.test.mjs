// The folder of a LOINC release: terms, parts, answer lists, hierarchy and languages, and the value
// sets and filters of https://hl7.org/fhir/R4/loinc.html. The rows are made up.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { medulla, startServer } from './lib/server.mjs';

let s;
const release = () => join(s.folder, 'Loinc_2.78');
const files = {
  'LoincTable/Loinc.csv': [
    ['LOINC_NUM', 'COMPONENT', 'SYSTEM', 'CLASS', 'STATUS', 'SHORTNAME', 'LONG_COMMON_NAME', 'EXTERNAL_COPYRIGHT_NOTICE'],
    ['1-8', 'Glucose', 'Bld', 'CHEM', 'ACTIVE', 'Glucose Bld', 'Glucose in Blood', ''],
    ['2-6', 'Glucose', 'Ur', 'CHEM', 'DEPRECATED', 'Glucose Ur', 'Glucose in Urine', ''],
    ['3-4', 'Mood, "today"', '^Patient', 'SURVEY', 'ACTIVE', 'Mood', 'Mood today', 'Copyright Somebody'],
  ],
  'AccessoryFiles/PartFile/Part.csv': [
    ['PartNumber', 'PartTypeName', 'PartName', 'PartDisplayName', 'Status'],
    ['LP1-1', 'COMPONENT', 'Glucose', 'Glucose', 'ACTIVE'],
    ['LP2-9', 'SYSTEM', 'Bld', 'Blood', 'ACTIVE'],
  ],
  'AccessoryFiles/PartFile/LoincPartLink_Primary.csv': [
    ['LoincNumber', 'LongCommonName', 'PartNumber', 'PartName', 'PartCodeSystem', 'PartTypeName', 'LinkTypeName', 'Property'],
    ['1-8', 'x', 'LP1-1', 'Glucose', 'http://loinc.org', 'COMPONENT', 'Primary', 'http://loinc.org/property/COMPONENT'],
    ['1-8', 'x', 'LP2-9', 'Bld', 'http://loinc.org', 'SYSTEM', 'Primary', 'http://loinc.org/property/SYSTEM'],
    ['2-6', 'x', 'LP1-1', 'Glucose', 'http://loinc.org', 'COMPONENT', 'Primary', 'http://loinc.org/property/COMPONENT'],
    ['3-4', 'x', 'LP7-8', 'Mood, "today"', 'http://loinc.org', 'COMPONENT', 'Primary', 'http://loinc.org/property/COMPONENT'],
  ],
  'AccessoryFiles/AnswerFile/AnswerList.csv': [
    ['AnswerListId', 'AnswerListName', 'ExtDefinedAnswerListCodeSystem', 'AnswerStringId', 'SequenceNumber', 'DisplayText'],
    ['LL1-9', 'Moods', '', 'LA9-1', '1', 'Well'],
    ['LL1-9', 'Moods', '', 'LA2-6', '2', 'So so'],
    ['LL1-9', 'Moods', '', 'LA5-5', '3', 'Bad'],
    ['LL2-7', 'Others', '', 'LA2-6', '1', 'So so'],
    ['LL3-5', 'Elsewhere', 'http://snomed.info/sct', '', '', ''],
  ],
  'AccessoryFiles/AnswerFile/LoincAnswerListLink.csv': [
    ['LoincNumber', 'LongCommonName', 'AnswerListId', 'AnswerListName', 'AnswerListLinkType', 'ApplicableContext'],
    ['3-4', 'Mood today', 'LL1-9', 'Moods', 'NORMATIVE', ''],
  ],
  'AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv': [
    ['PATH_TO_ROOT', 'SEQUENCE', 'IMMEDIATE_PARENT', 'CODE', 'CODE_TEXT'],
    ['', '1', '', 'LP100-0', 'Laboratory'],
    ['LP100-0', '1', 'LP100-0', 'LP1-1', 'Glucose'],
    ['LP100-0.LP1-1', '1', 'LP1-1', '1-8', 'Glucose in Blood'],
    ['LP100-0.LP1-1', '2', 'LP1-1', '2-6', 'Glucose in Urine'],
  ],
  'AccessoryFiles/LinguisticVariants/deAT24LinguisticVariant.csv': [
    ['LOINC_NUM', 'COMPONENT', 'SHORTNAME', 'LONG_COMMON_NAME', 'LinguisticVariantDisplayName'],
    ['1-8', 'Glukose', '', 'Glukose im Blut', ''],
  ],
};
const csv = (rows) => rows.map((row) => row.map((v) => `"${v.replaceAll('"', '""')}"`).join(',') + '\n').join('');
const write = (name, rows = files[name]) => {
  const path = join(release(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, csv(rows));
  return path;
};
const load = (...words) => medulla(['terminology', 'import', '--data', s.data, ...words, release()]);
const ask = async (path, parameters) => {
  const r = await fetch(`${s.base}/${path}?${new URLSearchParams(parameters)}`);
  return { status: r.status, body: await r.json() };
};
const value = (r, name) => Object.values(r.body.parameter?.find((p) => p.name === name) ?? {})[1];
const expand = async (parameters) => (await ask('ValueSet/$expand', parameters)).body.expansion?.contains?.map((c) => c.code);
const expandBy = async (property, value) => {
  const r = await fetch(`${s.base}/ValueSet/$expand`, { method: 'POST', headers: { 'Content-Type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'active', compose: { include: [
      { system: 'http://loinc.org', filter: [{ property, op: '=', value }] }] } } }] }) });
  const body = await r.json();
  return body.expansion ? (body.expansion.contains ?? []).map((c) => c.code) : body;
};

before(async () => {
  s = await startServer();
  for (const name of Object.keys(files)) write(name);
  const r = await load();
  assert.equal(r.code, 0, r.err);
  assert.match(r.out, /http:\/\/loinc\.org\|2\.78: 13 codes/);
  for (let i = 0; i < 200 && (await ask('CodeSystem/$lookup', { system: 'http://loinc.org', code: '1-8' })).status !== 200; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
after(() => s.stop());

test('a term: its axes are parts, its short name is a display, too', async () => {
  const r = await ask('CodeSystem/$lookup', { system: 'http://loinc.org', code: '1-8' });
  assert.equal(value(r, 'display'), 'Glucose in Blood');
  assert.equal(value(r, 'version'), '2.78');
  const properties = Object.fromEntries(r.body.parameter.filter((p) => p.name === 'property')
    .map((p) => [p.part[0].valueCode, Object.values(p.part.find((x) => x.name === 'value'))[1]]));
  assert.deepEqual(properties.COMPONENT, { system: 'http://loinc.org', code: 'LP1-1', display: 'Glucose' });
  assert.equal(properties.CLASS, 'CHEM');
  const short = await ask('CodeSystem/$validate-code', { url: 'http://loinc.org', code: '1-8', display: 'Glucose Bld' });
  assert.equal(value(short, 'result'), true, JSON.stringify(short.body));
  const german = await ask('CodeSystem/$lookup', { system: 'http://loinc.org', code: '1-8', displayLanguage: 'de-AT' });
  assert.equal(value(german, 'display'), 'Glukose im Blut');
});

test('an answer list is a value set, in the order of its answers', async () => {
  assert.deepEqual(await expand({ url: 'http://loinc.org/vs/LL1-9' }), ['LA9-1', 'LA2-6', 'LA5-5']);
  const inside = await ask('ValueSet/$validate-code', { url: 'http://loinc.org/vs/LL2-7', system: 'http://loinc.org', code: 'LA2-6' });
  assert.equal(value(inside, 'result'), true);
  const outside = await ask('ValueSet/$validate-code', { url: 'http://loinc.org/vs/LL2-7', system: 'http://loinc.org', code: 'LA5-5' });
  assert.equal(value(outside, 'result'), false);
  for (const id of ['LL3-5', 'LL99-9', '1-8']) assert.equal((await ask('ValueSet/$expand', { url: `http://loinc.org/vs/${id}` })).status, 404, id);
  assert.deepEqual(await expandBy('LIST', 'LL1-9'), ['LA9-1', 'LA2-6', 'LA5-5']);
  assert.deepEqual(await expandBy('answers-for', '3-4'), ['LA9-1', 'LA2-6', 'LA5-5']);
  assert.deepEqual(await expandBy('answer-list', 'LL1-9'), ['3-4']);
});

test('the hierarchy answers subsumption, filters and the value set of a part', async () => {
  assert.equal(value(await ask('CodeSystem/$subsumes', { system: 'http://loinc.org', codeA: 'LP100-0', codeB: '1-8' }), 'outcome'), 'subsumes');
  assert.deepEqual(await expand({ url: 'http://loinc.org/vs/LP1-1' }), ['1-8', '2-6']);
  assert.deepEqual(await expand({ url: 'http://loinc.org/vs/LP1-1', activeOnly: true }), ['1-8'], 'a deprecated code is inactive');
  assert.deepEqual(await expandBy('ancestor', 'LP100-0'), ['1-8', '2-6', 'LP1-1']);
  assert.deepEqual(await expandBy('parent', 'LP100-0'), ['LP1-1']);
});

test('filters by part and copyright do not look at case', async () => {
  for (const v of ['LP1-1', 'lp1-1', 'Glucose', 'GLUCOSE']) assert.deepEqual(await expandBy('COMPONENT', v), ['1-8', '2-6'], v);
  assert.deepEqual(await expandBy('COMPONENT', 'Mood, "today"'), ['3-4']);
  assert.deepEqual(await expandBy('COMPONENT', 'Gluc'), []);
  assert.deepEqual(await expandBy('copyright', '3rdParty'), ['3-4']);
  assert.equal((await expandBy('copyright', 'LOINC')).includes('3-4'), false);
  assert.match(JSON.stringify(await expandBy('copyright', 'mine')), /neither LOINC nor 3rdParty/);
});

test('a broken file of a release is named with its line, and nothing changes', async () => {
  const bad = [
    ['AccessoryFiles/PartFile/LoincPartLink_Primary.csv', (rows) => [rows[0], ['9-9', 'x', 'LP1-1', 'n', '', '', '', 'http://loinc.org/property/SYSTEM']], /LoincPartLink_Primary\.csv, line 2: .*Loinc\.csv does not have/],
    ['AccessoryFiles/AnswerFile/AnswerList.csv', (rows) => [rows[0].slice(0, -1)], /AnswerList\.csv, line 1: .*DisplayText/],
    ['AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv', (rows) => [...rows, ['', '1', 'LP404-4', '3-4', 'x']], /ComponentHierarchyBySystem\.csv, line 6: the parent/],
    ['AccessoryFiles/ComponentHierarchyBySystem/ComponentHierarchyBySystem.csv', (rows) => [...rows, ['', '1', '1-8', 'LP100-0', 'x']], /ComponentHierarchyBySystem\.csv, line 6: the hierarchy goes in a circle/],
    ['LoincTable/Loinc.csv', (rows) => [...rows, rows[1]], /Loinc\.csv, line 5: the code stood/],
  ];
  for (const [name, change, says] of bad) {
    write(name, change(files[name]));
    const r = await load();
    assert.notEqual(r.code, 0, name);
    assert.match(r.err, says);
    assert.match(r.err, /nothing was changed/);
    write(name);
  }
  const variant = write('AccessoryFiles/LinguisticVariants/deAT24LinguisticVariant.csv');
  truncateSync(variant, readFileSync(variant).length - 6);
  assert.match((await load()).err, /deAT24LinguisticVariant\.csv, line 2: .*cut short/);
  assert.equal(value(await ask('CodeSystem/$lookup', { system: 'http://loinc.org', code: '1-8' }), 'display'), 'Glucose in Blood');
});
