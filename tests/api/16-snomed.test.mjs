// A release of SNOMED CT in RF2: relationships, expression constraints with refinements, and implicit
// concept maps (https://hl7.org/fhir/R4/snomedct.html). The rows are made up; the ids of attributes
// and reference sets are those that everybody needs.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { medulla, startServer } from './lib/server.mjs';

let s;
const system = 'http://snomed.info/sct';
const SITE = '363698007', MORPHOLOGY = '116676008', STRENGTH = '1142135004', GROUP = '609096000';
const concepts = { 138875005: 'SNOMED CT Concept', [SITE]: 'Finding site', [MORPHOLOGY]: 'Associated morphology', [STRENGTH]: 'Strength',
  1001: 'Lung structure', 1002: 'Upper lobe', 1003: 'Inflammation', 2001: 'Pneumonia', 2002: 'Upper lobe pneumonia', 2003: 'Mixed disorder',
  2004: 'Tablet 500', 2099: 'Old pneumonia' };
const head = ['id', 'effectiveTime', 'active', 'moduleId'];
const tables = () => {
  let id = 1;
  const row = (...fields) => [String(id++), '20250101', '1', '900000000000207008', ...fields];
  const relation = (source, target, group, type) => row(source, target, group, type, '900000000000011006', '900000000000451002');
  const isA = (child, parent) => relation(child, parent, '0', '116680003');
  return {
    'sct2_Concept_Snapshot_X.txt': [[...head, 'definitionStatusId'],
      ...Object.keys(concepts).map((c) => [c, '20250101', c === '2099' ? '0' : '1', '900000000000207008', c === '2002' ? '900000000000073002' : '900000000000074008'])],
    'sct2_Description_Snapshot-en_X.txt': [[...head, 'conceptId', 'languageCode', 'typeId', 'term', 'caseSignificanceId'],
      ...Object.entries(concepts).map(([c, term]) => row(c, 'en', '900000000000013009', term, '900000000000448009'))],
    'sct2_Relationship_Snapshot_X.txt': [[...head, 'sourceId', 'destinationId', 'relationshipGroup', 'typeId', 'characteristicTypeId', 'modifierId'],
      isA('1002', '1001'), isA('2001', '138875005'), isA('2002', '2001'), isA('2003', '138875005'), isA('2004', '138875005'),
      relation('2002', '1003', '1', MORPHOLOGY), relation('2001', '1003', '1', MORPHOLOGY), relation('2001', '1001', '1', SITE),
      relation('2002', '1002', '1', SITE), relation('2003', '1003', '1', MORPHOLOGY), relation('2003', '1001', '2', SITE)],
    'sct2_RelationshipConcreteValues_Snapshot_X.txt': [[...head, 'sourceId', 'value', 'relationshipGroup', 'typeId', 'characteristicTypeId', 'modifierId'],
      row('2004', '#500', '0', STRENGTH, '900000000000011006', '900000000000451002')],
    'der2_cRefset_AssociationSnapshot_X.txt': [[...head, 'refsetId', 'referencedComponentId', 'targetComponentId'],
      row('900000000000527005', '2099', '2001')],
    'der2_sRefset_SimpleMapSnapshot_X.txt': [[...head, 'refsetId', 'referencedComponentId', 'mapTarget'], row('446608001', '1001', 'C34.9')],
    'der2_iisssccRefset_ExtendedMapSnapshot_X.txt': [[...head, 'refsetId', 'referencedComponentId', 'mapGroup', 'mapPriority', 'mapRule', 'mapAdvice', 'mapTarget', 'correlationId', 'mapCategoryId'],
      row('447562003', '2001', '1', '1', 'IFA 445518008 | Age at onset |', 'x', 'P23.9', '1', '1'),
      row('447562003', '2001', '1', '2', 'OTHERWISE TRUE', 'ALWAYS J18.9', 'J18.9', '1', '1'),
      row('447562003', '2002', '1', '1', 'TRUE', 'ALWAYS J18.1', 'J18.1', '1', '1')],
  };
};
const write = (name, rows) => writeFileSync(join(s.folder, 'rf2', name), rows.map((r) => r.join('\t') + '\r\n').join(''));
const load = () => medulla(['terminology', 'import', '--data', s.data, join(s.folder, 'rf2')]);
const ask = async (path, parameters) => {
  const r = await fetch(`${s.base}/${path}?${new URLSearchParams(parameters)}`);
  return { status: r.status, body: await r.json() };
};
const ecl = async (expression) => {
  const r = await ask('ValueSet/$expand', { url: `${system}?fhir_vs=ecl/${encodeURIComponent(expression)}` });
  return r.body.expansion ? (r.body.expansion.contains ?? []).map((c) => c.code) : r.body.issue[0].details?.text ?? r.body.issue[0].diagnostics;
};
const lookup = async (code, parameters = {}) => {
  const r = await ask('CodeSystem/$lookup', { system, code, ...parameters });
  const parts = (p) => Object.fromEntries(p.part.filter((x) => !x.part).map((x) => [x.name, Object.values(x)[1]]));
  return r.body.parameter.filter((p) => p.name === 'property').map((p) => ({ ...parts(p), parts: p.part.filter((x) => x.part).map(parts) }));
};
const translate = async (map, code, more = {}) => {
  const r = await ask('ConceptMap/$translate', { url: `${system}?fhir_cm=${map}`, system, code, ...more });
  if (!r.body.parameter) return r;
  return r.body.parameter.filter((p) => p.name === 'match').map((p) => {
    const at = Object.fromEntries(p.part.map((x) => [x.name, Object.values(x)[1]]));
    return [at.concept.system, at.concept.code, at.equivalence, at.concept.display];
  });
};

before(async () => {
  s = await startServer();
  mkdirSync(join(s.folder, 'rf2'));
  for (const [name, rows] of Object.entries(tables())) write(name, rows);
  const r = await load();
  assert.equal(r.code, 0, r.err);
  for (let i = 0; i < 200 && (await ask('CodeSystem/$lookup', { system, code: '2001' })).status !== 200; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
after(() => s.stop());

test('refinements: attributes, groups, cardinalities, numbers, dots and the other way round', async () => {
  assert.deepEqual(await ecl(`* : ${SITE} = 1001`), ['2001', '2003']);
  assert.deepEqual(await ecl(`* : ${SITE} |Finding site| = << 1001 |Lung structure|`), ['2001', '2002', '2003']);
  assert.deepEqual(await ecl(`* : { ${SITE} = << 1001, ${MORPHOLOGY} = 1003 }`), ['2001', '2002']);
  assert.deepEqual(await ecl(`* : ${SITE} = << 1001, ${MORPHOLOGY} = 1003`), ['2001', '2002', '2003']);
  assert.deepEqual(await ecl(`< 138875005 : [0..0] ${SITE} = *`), ['2004']);
  assert.deepEqual(await ecl(`* : ${STRENGTH} >= #499.9`), ['2004']);
  assert.deepEqual(await ecl(`* : ${STRENGTH} < #500`), []);
  assert.deepEqual(await ecl(`<< 2001 . ${SITE}`), ['1001', '1002']);
  assert.deepEqual(await ecl(`* : R ${SITE} = 2002`), ['1002']);
  assert.match(await ecl(`* : ${SITE}`), /lacks '='/);
  assert.match(await ecl(`* : 4711 = 1001`), /4711/);
});

test('$lookup tells groups as they are, and what their codes mean', async () => {
  const all = await lookup('2002');
  const group = all.find((p) => p.code === GROUP);
  assert.deepEqual(group.parts.sort((a, b) => a.code.localeCompare(b.code)), [
    { code: MORPHOLOGY, value: '1003', description: 'Inflammation' }, { code: SITE, value: '1002', description: 'Upper lobe' }]);
  assert.equal(all.find((p) => p.code === 'sufficientlyDefined').value, true);
  assert.equal(all.find((p) => p.code === 'moduleId').value, '900000000000207008');
  assert.deepEqual((await lookup('2002', { property: SITE })).map((p) => [p.code, p.value]), [[SITE, '1002']]);
  const tablet = await lookup('2004');
  assert.equal(tablet.find((p) => p.code === STRENGTH).value, 500);
  assert.equal(tablet.some((p) => p.code === GROUP), false, 'group 0 is none');
});

test('implicit concept maps: associations, simple maps, and what an extended map says without a condition', async () => {
  assert.deepEqual(await translate('900000000000527005', '2099'), [[system, '2001', 'equal', 'Pneumonia']]);
  assert.deepEqual(await translate('900000000000527005', '2001'), []);
  assert.deepEqual(await translate('900000000000527005', '2001', { reverse: true }), [[system, '2099', 'equal', 'Old pneumonia']]);
  assert.deepEqual(await translate('446608001', '1001'), [['http://terminology.hl7.org/CodeSystem/icd-o-3', 'C34.9', 'relatedto', undefined]]);
  assert.deepEqual(await translate('447562003', '2001'), [['http://hl7.org/fhir/sid/icd-10', 'J18.9', 'relatedto', undefined]]);
  assert.deepEqual(await translate('447562003', 'J18.1', { system: 'http://hl7.org/fhir/sid/icd-10', reverse: true }), [[system, '2002', 'relatedto', 'Upper lobe pneumonia']]);
  for (const id of ['4711', GROUP, SITE, 'refset']) assert.equal((await translate(id, '2001')).status, 404, id);
});

test('$find-matches: the parts of a group stand in one group', async () => {
  const part = (name, code, value) => ({ name, part: [{ name: 'code', valueCode: code }, { name: 'value', valueCode: value }] });
  const find = async (...groups) => {
    const r = await fetch(`${s.base}/CodeSystem/$find-matches`, { method: 'POST', headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'system', valueUri: system }, { name: 'exact', valueBoolean: true },
        ...groups.map((parts) => ({ name: 'property', part: [{ name: 'code', valueCode: GROUP }, ...parts] }))] }) });
    const body = await r.json();
    return body.parameter?.map((m) => [m.part[0].valueCoding.code, m.part.filter((x) => x.name === 'unmatched').length]) ?? body.issue?.[0].diagnostics ?? [];
  };
  assert.deepEqual(await find([part('subproperty', SITE, '1001'), part('subproperty', MORPHOLOGY, '1003')]), [['2001', 0]]);
  assert.deepEqual(await find([part('subproperty', SITE, '1001')]), [['2001', 0], ['2003', 0]]);
  assert.deepEqual(await find([part('subproperty', SITE, '1001')], [part('subproperty', SITE, '1002')]), [['2001', 1], ['2002', 1], ['2003', 1]]);
  assert.deepEqual(await find([part('subproperty', SITE, '1003')]), []);
  assert.match(await find([part('subproperty', SITE, '1001'), { name: 'value', valueCode: '1' }]), /no value/);
  assert.match(await find([{ name: 'subproperty', part: [{ name: 'code', valueCode: SITE }] }]), /parts code and value/);
});

test('a broken relationship is named with its line', async () => {
  const all = tables();
  const bad = [
    ['sct2_Relationship_Snapshot_X.txt', (r) => { r[6][6] = '-1'; }, /Relationship_Snapshot_X\.txt, line 7: the group/],
    ['sct2_Relationship_Snapshot_X.txt', (r) => { r[6][7] = '4711'; }, /line 7: the type of the relationship/],
    ['sct2_RelationshipConcreteValues_Snapshot_X.txt', (r) => { r[1][5] = '500'; }, /line 2: a concrete value is #NUMBER/],
    ['der2_sRefset_SimpleMapSnapshot_X.txt', (r) => { for (const row of r) row.pop(); }, /SimpleMapSnapshot_X\.txt, line 2: the row has too few columns/],
  ];
  for (const [name, change, says] of bad) {
    const rows = tables()[name];
    change(rows);
    write(name, rows);
    const r = await load();
    assert.notEqual(r.code, 0, name);
    assert.match(r.err, says);
    write(name, all[name]);
  }
});
