// The terminology operations, built in and stored. https://hl7.org/fhir/R4/terminology-service.html
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { base, get, issues, observation, patient, post, put, send, unique } from './lib/fhir.mjs';
import { medulla, startServer } from './lib/server.mjs';

const param = (answer, name) => {
  const p = answer.body.parameter.find((each) => each.name === name);
  return p && Object.entries(p).find(([key]) => key.startsWith('value'))?.[1];
};
const codes = (answer) => (answer.body.expansion.contains ?? []).map((each) => each.code);
const at = (path, query) => get(`${path}?${new URLSearchParams(query)}`);

const gender = 'http://hl7.org/fhir/ValueSet/administrative-gender';
const roles = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';

// A system of a test's own: fruit > apple, pear; an old one; displays in two languages.
async function fruits() {
  const url = `http://example.org/fruit/${unique()}`;
  const id = unique();
  const system = { resourceType: 'CodeSystem', id, url, version: '1', status: 'active', content: 'complete',
    language: 'en', caseSensitive: true, hierarchyMeaning: 'is-a',
    property: [{ code: 'inactive', uri: 'http://hl7.org/fhir/concept-properties#inactive', type: 'boolean' }],
    concept: [{ code: 'fruit', display: 'Fruit', concept: [
      { code: 'apple', display: 'Apple', designation: [{ language: 'de', value: 'Apfel' }] },
      { code: 'pear', display: 'Pear', designation: [{ language: 'de', value: 'Birne' }] }] },
    { code: 'medlar', display: 'Medlar', property: [{ code: 'inactive', valueBoolean: true }] }] };
  assert.equal((await put(`CodeSystem/${id}`, system)).status, 201);
  const set = { resourceType: 'ValueSet', id, url: `${url}/all`, version: '1', status: 'active', compose: { include: [{ system: url }] } };
  assert.equal((await put(`ValueSet/${id}`, set)).status, 201);
  return { url, id, system, set };
}

test('$validate-code: in, not in with the reason, never "valid" for what is unknown', async () => {
  const system = 'http://hl7.org/fhir/administrative-gender';
  const good = await at('ValueSet/$validate-code', { url: gender, system, code: 'female', display: 'Female' });
  assert.equal(param(good, 'result'), true);
  assert.equal(param(good, 'display'), 'Female');
  const bad = await at('ValueSet/$validate-code', { url: gender, system, code: 'feminine' });
  assert.equal(param(bad, 'result'), false);
  assert.match(param(bad, 'message'), /not found in the value set/);
  const display = await at('ValueSet/$validate-code', { url: gender, system, code: 'female', display: 'Woman' });
  assert.equal(param(display, 'result'), false);
  const none = await at('ValueSet/$validate-code', { url: 'http://example.org/none', system, code: 'female' });
  assert.equal(none.status, 404);
  assert.match(issues(none)[0].details.text, /could not be found.*store the ValueSet/);
  const snomed = await at('CodeSystem/$validate-code', { url: 'http://snomed.info/sct', code: '73211009' });
  assert.equal(param(snomed, 'result'), false);
  for (const [url, code, result] of [['http://unitsofmeasure.org', 'mm[Hg]', true], ['http://unitsofmeasure.org', 'mmHg', false],
    ['urn:ietf:bcp:47', 'sv-FI', true], ['urn:iso:std:iso:3166', 'FI', true], ['urn:ietf:bcp:13', 'text', false]])
    assert.equal(param(await at('CodeSystem/$validate-code', { url, code }), 'result'), result, `${url} ${code}`);
});

test('$validate-code of a CodeableConcept by POST: one coding in the set is enough', async () => {
  const codeableConcept = { coding: [{ system: 'http://loinc.org', code: '1-8' }, { system: 'http://hl7.org/fhir/administrative-gender', code: 'male' }] };
  const r = await post('ValueSet/$validate-code', { resourceType: 'Parameters', parameter: [
    { name: 'url', valueUri: gender }, { name: 'codeableConcept', valueCodeableConcept: codeableConcept }] });
  assert.equal(param(r, 'code'), 'male');
});

test('$lookup: names, definition, place; an unknown code is 404', async () => {
  const r = await at('CodeSystem/$lookup', { system: roles, code: 'MTH' });
  assert.equal(r.status, 200);
  assert.equal(param(r, 'display'), 'mother');
  const parents = r.body.parameter.filter((p) => p.name === 'property' && p.part[0].valueCode === 'parent').map((p) => p.part[1].valueCode);
  assert.ok(parents.includes('PRN'));
  assert.equal((await at('CodeSystem/$lookup', { system: roles, code: 'nobody' })).status, 404);
  assert.equal((await at('CodeSystem/$lookup', { system: roles })).status, 400);
  assert.equal((await at('CodeSystem/$lookup', { system: roles, code: 'MTH', propertty: 'x' })).status, 400);
});

test('$subsumes: both ways, equal, and neither', async () => {
  for (const [codeA, codeB, outcome] of [['PRN', 'MTH', 'subsumes'], ['MTH', 'PRN', 'subsumed-by'], ['MTH', 'MTH', 'equivalent'], ['MTH', 'FTH', 'not-subsumed']])
    assert.equal(param(await at('CodeSystem/$subsumes', { system: roles, codeA, codeB }), 'outcome'), outcome);
  assert.equal((await at('CodeSystem/$subsumes', { system: roles, codeA: 'MTH', codeB: 'none' })).status, 404);
});

test('$expand: all, filtered, paged, in another language, without the inactive', async () => {
  const { url, id } = await fruits();
  const set = `${url}/all`;
  assert.deepEqual(codes(await at('ValueSet/$expand', { url: set })), ['fruit', 'apple', 'pear', 'medlar']);
  assert.deepEqual(codes(await get(`ValueSet/${id}/$expand`)), ['fruit', 'apple', 'pear', 'medlar']);
  const filtered = await at('ValueSet/$expand', { url: set, filter: 'app' });
  assert.deepEqual(codes(filtered), ['apple']);
  const page = await at('ValueSet/$expand', { url: set, offset: '1', count: '2' });
  assert.deepEqual(codes(page), ['apple', 'pear']);
  assert.equal(page.body.expansion.total, 4);
  const german = await at('ValueSet/$expand', { url: set, displayLanguage: 'de', filter: 'birn' });
  assert.deepEqual(german.body.expansion.contains.map((c) => c.display), ['Birne']);
  assert.deepEqual(codes(await at('ValueSet/$expand', { url: set, activeOnly: 'true' })), ['fruit', 'apple', 'pear']);
  assert.equal((await at('ValueSet/$expand', { url: set, count: '-1' })).status, 400);
  assert.equal((await at('ValueSet/$expand', { url: 'http://example.org/none' })).status, 404);
});

test('$expand: as a tree where it is asked for, but what a value set lists stays as it is listed', async () => {
  const { url } = await fruits();
  const tree = (list) => list.map((c) => (c.contains ? [c.code, tree(c.contains)] : c.code));
  const nested = await at('ValueSet/$expand', { url: `${url}/all`, excludeNested: 'false' });
  assert.deepEqual(tree(nested.body.expansion.contains), [['fruit', ['apple', 'pear']], 'medlar']);
  assert.equal(nested.body.expansion.total, 4);
  const page = await at('ValueSet/$expand', { url: `${url}/all`, excludeNested: 'false', count: '3' });
  assert.deepEqual(tree(page.body.expansion.contains), ['fruit', 'apple', 'pear']);
  const some = await at('ValueSet/$expand', { url: `${url}/all`, excludeNested: 'false', filter: 'pear' });
  assert.deepEqual(tree(some.body.expansion.contains), ['pear']);
  const id = unique();
  const deep = Array.from({ length: 40 }, (_, i) => ({ code: `c${i}`, ...(i > 0 && { property: [{ code: 'parent', valueCode: `c${i - 1}` }] }) }));
  assert.equal((await put(`CodeSystem/${id}`, { resourceType: 'CodeSystem', id, url: `${url}/deep`, status: 'active', content: 'complete',
    property: [{ code: 'parent', uri: 'http://hl7.org/fhir/concept-properties#parent', type: 'code' }], concept: deep })).status, 201);
  const compose = { include: [{ system: `${url}/deep` }] };
  assert.equal((await put(`ValueSet/${id}`, { resourceType: 'ValueSet', id, url: `${url}/deep-all`, status: 'active', compose })).status, 201);
  const all = await at('ValueSet/$expand', { url: `${url}/deep-all`, excludeNested: 'false' });
  assert.equal(tree(all.body.expansion.contains).flat(Infinity).length, 40, 'no code is lost where JSON has no room for more levels');
});

test('$expand: the language that the value set asks for', async () => {
  const { url } = await fruits();
  const id = unique();
  const parameter = (name, valueCode) => ({ url: 'http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter',
    extension: [{ url: 'name', valueCode: name }, { url: 'value', valueCode }] });
  const compose = { extension: [parameter('displayLanguage', 'de')], include: [{ system: url, concept: [{ code: 'apple' }] }] };
  assert.equal((await put(`ValueSet/${id}`, { resourceType: 'ValueSet', id, url: `${url}/de`, status: 'active', compose })).status, 201);
  const display = async (more) => (await at('ValueSet/$expand', { url: `${url}/de`, ...more })).body.expansion.contains[0].display;
  assert.equal(await display({}), 'Apfel');
  assert.equal(await display({ displayLanguage: 'en' }), 'Apple');
});

test('what is stored takes part at once, also when it changes', async () => {
  const { url, id, system } = await fruits();
  const ask = (code) => at('ValueSet/$validate-code', { url: `${url}/all`, system: url, code });
  assert.equal(param(await ask('plum'), 'result'), false);
  system.concept.push({ code: 'plum', display: 'Plum' });
  assert.equal((await put(`CodeSystem/${id}`, system)).status, 200);
  assert.equal(param(await ask('plum'), 'result'), true);
  assert.equal((await send('DELETE', `CodeSystem/${id}`)).status, 204);
  assert.equal(param(await ask('plum'), 'result'), false);
});

test('a filter by hierarchy, an exclusion, an import, and a value set that holds itself', async () => {
  const { url } = await fruits();
  const make = async (compose, suffix) => {
    const id = unique();
    assert.equal((await put(`ValueSet/${id}`, { resourceType: 'ValueSet', id, url: `${url}/${suffix}`, status: 'active', compose })).status, 201);
    return at('ValueSet/$expand', { url: `${url}/${suffix}` });
  };
  const isA = { system: url, filter: [{ property: 'concept', op: 'is-a', value: 'fruit' }] };
  assert.deepEqual(codes(await make({ include: [isA] }, 'isa')), ['fruit', 'apple', 'pear']);
  assert.deepEqual(codes(await make({ include: [isA], exclude: [{ system: url, concept: [{ code: 'fruit' }] }] }, 'kinds')), ['apple', 'pear']);
  assert.deepEqual(codes(await make({ include: [{ valueSet: [`${url}/kinds`, `${url}/all`] }] }, 'both')), ['apple', 'pear']);
  const circle = await make({ include: [{ valueSet: [`${url}/circle`] }] }, 'circle');
  assert.equal(circle.status, 422);
});

test('$translate: forward, backward, and nothing found', async () => {
  const id = unique();
  const map = { resourceType: 'ConceptMap', id, url: `http://example.org/map/${id}`, status: 'active', group: [{ source: 'urn:a', target: 'urn:b',
    element: [{ code: '1', target: [{ code: 'one', display: 'One', equivalence: 'wider' }] }] }] };
  assert.equal((await put(`ConceptMap/${id}`, map)).status, 201);
  const there = await at('ConceptMap/$translate', { url: map.url, system: 'urn:a', code: '1' });
  assert.equal(param(there, 'result'), true);
  const match = there.body.parameter.find((p) => p.name === 'match').part;
  assert.deepEqual(match.find((p) => p.name === 'concept').valueCoding, { system: 'urn:b', code: 'one', display: 'One' });
  const back = await at('ConceptMap/$translate', { url: map.url, system: 'urn:b', code: 'one', reverse: 'true' });
  assert.equal(back.body.parameter.find((p) => p.name === 'match').part[0].valueCode, 'narrower');
  assert.equal(param(await at('ConceptMap/$translate', { url: map.url, system: 'urn:a', code: '2' }), 'result'), false);
  assert.equal((await at('ConceptMap/$translate', { url: 'http://example.org/none', system: 'urn:a', code: '2' })).status, 404);
});

test('$translate without naming a map: all that are stored for the system, and between the value sets named', async () => {
  const [from, to] = [`urn:from:${unique()}`, `urn:to:${unique()}`];
  const map = async (code, more = {}) => {
    const id = unique();
    const r = await put(`ConceptMap/${id}`, { resourceType: 'ConceptMap', id, url: `http://example.org/map/${id}`, status: 'active', group: [{ source: from, target: to,
      element: [{ code: '1', target: [{ code, equivalence: 'equivalent' }] }] }], ...more });
    assert.equal(r.status, 201, r.text);
  };
  await map('one');
  await map('eins', { sourceUri: 'urn:set:a', targetCanonical: 'urn:set:b|2' });
  await map('old', { status: 'retired' });
  const found = async (query) => (await at('ConceptMap/$translate', query)).body.parameter.filter((p) => p.name === 'match')
    .map((m) => m.part.find((p) => p.name === 'concept').valueCoding.code).sort();
  assert.deepEqual(await found({ system: from, code: '1' }), ['eins', 'one']);
  assert.deepEqual(await found({ system: from, code: '1', source: 'urn:set:a', target: 'urn:set:b' }), ['eins']);
  assert.deepEqual(await found({ system: from, code: '1', targetsystem: 'urn:other' }), []);
  assert.deepEqual(await found({ system: to, code: 'one', reverse: 'true' }), ['1']);
  const none = await at('ConceptMap/$translate', { system: `urn:nobody:${unique()}`, code: '1' });
  assert.equal(param(none, 'result'), false);
  assert.match(param(none, 'message'), /no ConceptMap is known/);
  assert.equal((await at('ConceptMap/$translate', { code: '1' })).status, 400);
});

test('$translate without naming a map: those of R4 too, but not where one of that url is stored', async () => {
  const use = 'http://hl7.org/fhir/address-use', v2 = 'http://terminology.hl7.org/CodeSystem/v2-0190';
  const found = async (query) => (await at('ConceptMap/$translate', query)).body.parameter.filter((p) => p.name === 'match')
    .map((m) => m.part.find((p) => p.name === 'concept').valueCoding).map((c) => `${c.system}|${c.code}`);
  assert.deepEqual(await found({ system: use, code: 'work', targetsystem: v2 }), [`${v2}|O`]);
  assert.deepEqual(await found({ system: v2, code: 'O', reverse: 'true', targetsystem: use }), [`${use}|work`]);
  assert.deepEqual(await found({ system: v2, code: 'O', reverse: 'true', targetsystem: 'urn:other' }), []);
  assert.deepEqual(await found({ system: use, code: 'work', source: 'http://hl7.org/fhir/ValueSet/address-use', targetsystem: v2 }), [`${v2}|O`]);
  assert.deepEqual(await found({ system: use, code: 'work', source: 'urn:other' }), []);
});

test('context: the value set that an element is bound to, also one in its type, of a profile and of an extension', async () => {
  const sd = 'http://hl7.org/fhir/StructureDefinition';
  const name = async (context, more = {}) => {
    const r = await at('ValueSet/$expand', { context, ...more });
    return r.status === 200 ? r.body.url : r.status;
  };
  assert.equal(await name(`${sd}/Patient#Patient.gender`), gender);
  assert.equal(await name('Patient.gender'), gender);
  assert.equal(await name(`${sd}/Patient#Patient.contact.gender`, { contextDirection: 'incoming' }), gender);
  assert.equal(await name(`${sd}/Patient#Patient.name.use`), 'http://hl7.org/fhir/ValueSet/name-use');
  assert.equal(await name(`${sd}/Patient#Patient.contact.name.period.start`), 422);
  assert.equal(await name(`${sd}/Observation#Observation.status`), 'http://hl7.org/fhir/ValueSet/observation-status');
  assert.equal(await name(`${sd}/Patient#Patient.deceasedBoolean`), 422);
  assert.equal(await name(`${sd}/Patient#Patient.nothing`), 404);
  assert.equal(await name(`${sd}/Patient#Patient.name.nothing`), 404);
  assert.equal(await name(`${sd}/Nothing#Nothing.x`), 404);
  assert.equal(await name(`${sd}/Patient`), 400);
  assert.equal(await name(`${sd}/Patient#Patient.gender`, { contextDirection: 'sideways' }), 400);
  assert.equal(await name(`${sd}/iso21090-EN-qualifier`), 'http://hl7.org/fhir/ValueSet/name-part-qualifier');
  const system = 'http://hl7.org/fhir/administrative-gender';
  const check = async (code) => param(await at('ValueSet/$validate-code', { context: `${sd}/Patient#Patient.gender`, system, code }), 'result');
  assert.equal(await check('female'), true);
  assert.equal(await check('femal'), false);
  // a profile that is stored, with a value set of its own
  const { url, set } = await fruits();
  const profile = { resourceType: 'StructureDefinition', id: unique(), url: `${url}/profile`, name: 'Fruit', status: 'active', kind: 'resource', abstract: false,
    type: 'Observation', baseDefinition: `${sd}/Observation`, derivation: 'constraint', differential: { element: [
      { id: 'Observation.code', path: 'Observation.code', binding: { strength: 'required', valueSet: set.url } }] } };
  assert.equal((await put(`StructureDefinition/${profile.id}`, profile)).status, 201);
  assert.equal(await name(`${profile.url}#Observation.code`), set.url);
});

test('$expand of a grammar: the common units and languages, and it says that there are others', async () => {
  const open = (r) => r.body.expansion.extension?.some((e) => e.url === 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed' && e.valueBoolean);
  const units = await at('ValueSet/$expand', { url: 'http://hl7.org/fhir/ValueSet/ucum-units', filter: 'milligram', count: '10' });
  assert.ok(codes(units).includes('mg') && open(units), units.text.slice(0, 300));
  const languages = await at('ValueSet/$expand', { url: 'http://hl7.org/fhir/ValueSet/all-languages' });
  assert.ok(codes(languages).includes('de') && open(languages));
  assert.equal((await at('ValueSet/$expand', { url: 'http://hl7.org/fhir/ValueSet/mimetypes' })).status, 403);
  assert.ok(!open(await at('ValueSet/$expand', { url: gender })));
  const none = await at('ValueSet/$expand', { url: gender, 'exclude-system': 'http://hl7.org/fhir/administrative-gender' });
  assert.equal(none.body.expansion.total, 0);
});

test('$translate: what a target depends on, and what comes with it', async () => {
  const id = unique();
  const target = (code, sex) => ({ code, equivalence: 'equivalent', dependsOn: [{ property: 'http://example.org/sex', system: 'urn:sex', value: sex }],
    product: [{ property: 'http://example.org/side', system: 'urn:side', value: 'left', display: 'Left' }] });
  assert.equal((await put(`ConceptMap/${id}`, { resourceType: 'ConceptMap', id, status: 'active', group: [{ source: 'urn:a', target: 'urn:b',
    element: [{ code: '1', target: [target('f', 'female'), target('m', 'male')] }] }] })).status, 201);
  const ask = (...dependencies) => post(`ConceptMap/${id}/$translate`, { resourceType: 'Parameters', parameter: [
    { name: 'code', valueCode: '1' }, { name: 'system', valueUri: 'urn:a' }, ...dependencies] });
  const sex = (code, system = 'urn:sex') => ({ name: 'dependency', part: [{ name: 'element', valueUri: 'http://example.org/sex' },
    { name: 'concept', valueCodeableConcept: { coding: [{ system, code }] } }] });
  const matches = (r) => r.body.parameter.filter((p) => p.name === 'match').map((m) => m.part);
  const [only, ...others] = matches(await ask(sex('female')));
  assert.deepEqual(others, []);
  assert.equal(only.find((p) => p.name === 'concept').valueCoding.code, 'f');
  assert.deepEqual(only.find((p) => p.name === 'product').part, [{ name: 'element', valueUri: 'http://example.org/side' },
    { name: 'concept', valueCoding: { system: 'urn:side', code: 'left', display: 'Left' } }]);
  for (const nothing of [await ask(), await ask(sex('female', 'urn:other')), await ask(sex('other'))]) assert.equal(param(nothing, 'result'), false);
});

test('batch: each entry has its own answer', async () => {
  const r = await post('', { resourceType: 'Bundle', type: 'batch', entry: ['male', 'neither'].map((code) => ({ request: { method: 'GET',
    url: `ValueSet/$validate-code?url=${gender}&system=http://hl7.org/fhir/administrative-gender&code=${code}` } })) });
  assert.deepEqual(r.body.entry.map((e) => e.resource.parameter.find((p) => p.name === 'result').valueBoolean), [true, false]);
});

test('searches by what codes mean: :in, :not-in, :below, :above', async () => {
  const { url } = await fruits();
  const subject = `Patient/${unique('p')}`;
  assert.equal((await put(subject, patient({ id: subject.split('/')[1] }))).status, 201);
  for (const code of ['apple', 'pear', 'medlar', 'fruit'])
    assert.equal((await post('Observation', observation(subject, { code: { coding: [{ system: url, code }] } }))).status, 201);
  assert.equal((await post('Observation', observation(subject))).status, 201);
  const found = async (query) => {
    const r = await at('Observation', { subject, ...query });
    assert.equal(r.status, 200, r.text);
    return r.body.entry?.map((e) => e.resource.code.coding[0].code).sort() ?? [];
  };
  assert.deepEqual(await found({ 'code:below': `${url}|fruit` }), ['apple', 'fruit', 'pear']);
  assert.deepEqual(await found({ 'code:above': `${url}|apple` }), ['apple', 'fruit']);
  assert.deepEqual(await found({ 'code:in': `${url}/all` }), ['apple', 'fruit', 'medlar', 'pear']);
  assert.deepEqual(await found({ 'code:not-in': `${url}/all` }), ['8867-4']);
  const filter = (text) => found({ _filter: `code ${text}` });
  assert.deepEqual(await filter(`ss ${url}|fruit`), ['apple', 'fruit', 'pear']);
  assert.deepEqual(await filter(`sb ${url}|apple`), ['apple', 'fruit']);
  assert.deepEqual(await filter(`in ${url}/all and not (code ss ${url}|fruit)`), ['medlar']);
  assert.equal((await at('Observation', { subject, _filter: 'code in http://example.org/none' })).status, 400);
  const none = await at('Observation', { subject, 'code:in': 'http://example.org/none' });
  assert.equal(none.status, 400);
  assert.match(issues(none)[0].diagnostics, /does not know/);
  assert.equal((await at('Observation', { subject, 'code:below': 'fruit' })).status, 400);
});

test('supplements: one that translates always counts, another one for who names it', async () => {
  const { url } = await fruits();
  const supplement = (name, concept) => ({ resourceType: 'CodeSystem', id: unique(), url: `${url}/${name}`, version: '1',
    status: 'active', content: 'supplement', supplements: url, concept });
  const words = supplement('nl', [{ code: 'apple', designation: [{ language: 'nl', value: 'Appel' }] }]);
  const label = { url: 'http://hl7.org/fhir/StructureDefinition/codesystem-label', valueString: 'a.' };
  const labels = supplement('labels', [{ code: 'apple', extension: [label], designation: [{ language: 'sl', value: 'Jabolko' }] }]);
  for (const one of [words, labels]) assert.equal((await put(`CodeSystem/${one.id}`, one)).status, 201);
  const lookup = async (more) => param(await at('CodeSystem/$lookup', { system: url, code: 'apple', ...more }), 'display');
  assert.equal(await lookup({ displayLanguage: 'nl' }), 'Appel');
  assert.equal(await lookup({ displayLanguage: 'sl' }), 'Apple');
  assert.equal(await lookup({ displayLanguage: 'sl', useSupplement: labels.url }), 'Jabolko');
  const r = await at('ValueSet/$expand', { url: `${url}/all`, useSupplement: labels.url });
  const apple = r.body.expansion.contains.find((each) => each.code === 'apple');
  assert.deepEqual(apple.property, [{ code: 'label', valueString: 'a.' }]);
  const named = { resourceType: 'ValueSet', id: unique(), url: `${url}/named`, status: 'active', compose: { include: [{ system: url }] },
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-supplement', valueCanonical: labels.url }] };
  assert.equal((await put(`ValueSet/${named.id}`, named)).status, 201);
  const by = await at('ValueSet/$expand', { url: named.url, filter: 'apple', displayLanguage: 'sl' });
  assert.equal(by.body.expansion.contains[0].display, 'Jabolko');
});

test('two versions of a system: apart where the value set names both, else the same code', async () => {
  const url = `http://example.org/versions/${unique()}`;
  const system = (version, names) => ({ resourceType: 'CodeSystem', url, version, status: 'active', content: 'complete',
    concept: names.map((display, i) => ({ code: `c${i}`, display })) });
  const given = [system('1.0', ['Old', 'Same']), system('2.0', ['New', 'Same', 'Third'])];
  const ask = (operation, compose, more) => post(`ValueSet/${operation}`, { resourceType: 'Parameters', parameter: [
    ...given.map((resource) => ({ name: 'tx-resource', resource })), ...more,
    { name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'active', compose } }] });
  const both = { include: [{ system: url, version: '1.0' }, { system: url, version: '2.0' }] };
  const match = [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter',
    extension: [{ url: 'name', valueCode: 'versionsMatch' }, { url: 'value', valueString: 'true' }] }];
  assert.deepEqual(codes(await ask('$expand', both, [])).sort(), ['c0', 'c0', 'c1', 'c1', 'c2']);
  const merged = await ask('$expand', { ...both, extension: match }, []);
  assert.deepEqual(merged.body.expansion.contains.map((c) => `${c.code} ${c.version}`), ['c0 2.0', 'c1 2.0', 'c2 2.0']);
  const without = { include: [{ system: url, version: '2.0' }], exclude: [{ system: url, version: '1.0' }] };
  assert.deepEqual(codes(await ask('$expand', without, [])), ['c2']);
  for (const [display, version] of [['Old', '1.0'], ['New', '2.0'], ['Neither', '2.0']]) {
    const r = await ask('$validate-code', both, [{ name: 'coding', valueCoding: { system: url, code: 'c0', display } }]);
    assert.equal(param(r, 'version'), version);
    assert.equal(param(r, 'result'), display !== 'Neither');
  }
});

test('displayLanguage with *;q=0: no display rather than one in another language', async () => {
  const { url } = await fruits();
  const show = async (displayLanguage) => (await at('ValueSet/$expand', { url: `${url}/all`, displayLanguage }))
    .body.expansion.contains.map((c) => c.display);
  assert.deepEqual(await show('de'), ['Fruit', 'Apfel', 'Birne', 'Medlar']);
  assert.deepEqual(await show('de,*;q=0'), [undefined, 'Apfel', 'Birne', undefined]);
});

// tests/terminology/tx.mjs prints what is missing, and why.
const suite = `${process.env.MEDULLA_SHARED ?? '../shared'}/data/tx-open`;
test('the public tests of the terminology ecosystem', { skip: existsSync(suite) ? false : 'shared data absent' }, () => {
  const r = spawnSync('node', ['tests/terminology/tx.mjs', suite], { encoding: 'utf8',
    env: { ...process.env, MEDULLA_URL: base } });
  assert.equal(r.status, 0, r.stdout);
});

// What a bad file leaves behind: nothing. Each format is imported whole, then cut short, then whole again.
const rf2 = (folder, concepts) => {
  const table = (name, head, rows) => writeFileSync(join(folder, name), [head.join('\t'), ...rows.map((row) => row.join('\t')), ''].join('\r\n'));
  const common = ['id', 'effectiveTime', 'active', 'moduleId'];
  mkdirSync(folder, { recursive: true });
  table('sct2_Concept_Snapshot_X.txt', [...common, 'definitionStatusId'], [['138875005', '20250101', '1', '9', '9']]);
  table('sct2_Description_Snapshot-en_X.txt', [...common, 'conceptId', 'languageCode', 'typeId', 'term', 'caseSignificanceId'],
    [['1', '20250101', '1', '9', '138875005', 'en', '900000000000013009', concepts, '9']]);
  table('sct2_Relationship_Snapshot_X.txt', [...common, 'sourceId', 'destinationId', 'relationshipGroup', 'typeId', 'characteristicTypeId', 'modifierId'], []);
};
const formats = {
  csv: { code: 'a', words: ['--system', 'urn:imported'], system: 'urn:imported', file: 'codes.csv', line: /codes\.csv, line 3: .*cut short/,
    text: (display) => `code,display\na,${display}\nb,"This"\n`, cut: -4 },
  loinc: { code: '1-8', words: ['--system-version', '2.78'], system: 'http://loinc.org', file: 'Loinc.csv', line: /Loinc\.csv, line 3: .*cut short/,
    text: (display) => `"LOINC_NUM","COMPONENT","LONG_COMMON_NAME","STATUS"\n"1-8","A","${display}","ACTIVE"\n"2-6","B","Other","ACTIVE"\n`, cut: -12 },
  claml: { code: 'E11', words: ['--system-version', '1'], system: 'http://hl7.org/fhir/sid/icd-10', file: 'icd.xml', line: /icd\.xml, line 3: .*cut short/,
    text: (display) => `<ClaML version="2.0.0">\n<Class code="E11" kind="category"><Rubric kind="preferred"><Label>${display}</Label></Rubric></Class>\n<Class code="E12" kind="category"/></ClaML>\n`, cut: -20 },
  json: { code: 'a', words: [], system: 'urn:json', file: 'system.json', line: /system\.json: line 2, column \d+/,
    text: (display) => `{"resourceType":"CodeSystem","url":"urn:json","status":"active","content":"complete",\n"concept":[{"code":"a","display":"${display}"}]}`, cut: -4 },
  snomed: { code: '138875005', words: [], system: 'http://snomed.info/sct', file: 'rf2', line: /sct2_Description_Snapshot-en_X\.txt, line 2: .*(cut short|ends)/ },
};
test('terminology import, of each format: cut short it names the line and changes nothing, whole it is taken up', async () => {
  const s = await startServer();
  const place = (file) => join(s.folder, file);
  const run = (format, { words, file }) => medulla(['terminology', 'import', '--data', s.data, '--format', format, ...words, place(file)]);
  const display = async ({ system, code }) => {
    const r = await (await fetch(`${s.base}/CodeSystem/$lookup?${new URLSearchParams({ system, code })}`)).json();
    return r.parameter?.find((p) => p.name === 'display')?.valueString;
  };
  const until = async (f, wanted) => {
    for (let i = 0; i < 200 && (await display(f)) !== wanted; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await display(f), wanted);
  };
  const write = (f, name, cut) => {
    if (!f.text) {
      rf2(place(f.file), name);
      const last = join(place(f.file), 'sct2_Description_Snapshot-en_X.txt');
      if (cut) truncateSync(last, readFileSync(last).length - 5);
    } else {
      writeFileSync(place(f.file), cut ? f.text(name).slice(0, f.cut) : f.text(name));
    }
  };
  try {
    for (const [format, f] of Object.entries(formats)) {
      write(f, 'First');
      const first = await run(format, f);
      assert.equal(first.code, 0, first.err);
      assert.match(first.err, /licen[cs]e|may use/i);
    }
    for (const f of Object.values(formats)) await until(f, 'First');
    const kept = readdirSync(join(s.data, 'terminology')).sort();
    for (const [format, f] of Object.entries(formats)) {
      write(f, 'Second', true);
      const short = await run(format, f);
      assert.notEqual(short.code, 0, format);
      assert.match(short.err, f.line);
      assert.match(short.err, /nothing was changed/);
      assert.deepEqual(readdirSync(join(s.data, 'terminology')).sort(), kept);
      assert.equal(await display(f), 'First');
    }
    for (const [format, f] of Object.entries(formats)) {
      write(f, 'Second');
      const second = await run(format, f);
      assert.equal(second.code, 0, second.err);
    }
    for (const f of Object.values(formats)) await until(f, 'Second');
    const expand = async (form) => {
      const r = await fetch(`${s.base}/ValueSet/$expand?${new URLSearchParams({ url: `http://snomed.info/sct?fhir_vs${form}` })}`);
      return { status: r.status, body: await r.json() };
    };
    for (const form of ['', '=isa/138875005', '=ecl/<< 138875005', '=ecl/%3C%3C138875005', '=ecl/<< 138875005 |SNOMED CT Concept|']) {
      const r = await expand(form);
      assert.deepEqual(r.body.expansion?.contains.map((c) => c.code), ['138875005'], `${form}: ${JSON.stringify(r.body)}`);
    }
    const filtered = await expand('=ecl/<< 138875005 {{ term = "x" }}');
    assert.equal(filtered.status, 422);
    assert.match(JSON.stringify(filtered.body), /filter/);
    const other = await expand('=nothing/1');
    assert.equal(other.status, 404);
    assert.match(JSON.stringify(other.body), /fhir_vs=ecl\/EXPRESSION/);
  } finally {
    await s.stop();
  }
});
