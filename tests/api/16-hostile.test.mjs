// What is made to hang or to fill the memory ends in an answer that says why: profiles that stand
// on themselves, expressions, value sets and maps in circles, expansions without end, attachments.
// The limits: docs/limits.md
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, issues, post, put, unique } from './lib/fhir.mjs';

const at = 'http://example.org/hostile';
const profile = (id, differential, more = {}) => ({ resourceType: 'StructureDefinition', id, url: `${at}/${id}`, name: 'Hostile', status: 'active',
  kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint', baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient',
  differential: { element: [{ id: 'Patient', path: 'Patient' }, ...differential] }, ...more });
const store = async (resource) => {
  const r = await put(`${resource.resourceType}/${resource.id}`, resource);
  assert.equal(r.status, 201, r.text);
};
const check = async (id, resource) => {
  const r = await post(`Patient/$validate?profile=${at}/${id}`, { resourceType: 'Patient', text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }, ...resource });
  assert.equal(r.status, 200, r.text);
  return issues(r);
};

test('profiles that are derived from each other: neither can be used, and why', async () => {
  const [a, b] = [unique(), unique()];
  await store(profile(a, [], { baseDefinition: `${at}/${b}` }));
  await store(profile(b, [], { baseDefinition: `${at}/${a}` }));
  const found = await check(a, { active: true });
  assert.equal(found[0].severity, 'error');
  assert.match(found[0].diagnostics, /can not be used: .*(circle|derived from itself|nested)/);
  const r = await get(`StructureDefinition/${a}/$snapshot`);
  assert.equal(r.status, 422, r.text);
});

test('profiles that ask for themselves are decided', async () => {
  const [a, b] = [unique(), unique()];
  await store(profile(a, [{ id: 'Patient.link.other', path: 'Patient.link.other', type: [{ code: 'Reference', targetProfile: [`${at}/${a}`] }] },
    { id: 'Patient.gender', path: 'Patient.gender', min: 1 }]));
  const ring = (gender) => ({ gender: 'female', link: [{ other: { reference: '#x' }, type: 'seealso' }],
    contained: [{ resourceType: 'Patient', id: 'x', gender, link: [{ other: { reference: '#' }, type: 'seealso' }] }] });
  assert.deepEqual((await check(a, ring('male'))).filter((i) => i.severity === 'error'), []);
  assert.match((await check(a, ring(undefined))).map((i) => i.diagnostics).join(), /does not keep the profile/);
  await store(profile(b, [], { differential: { element: [{ id: 'Patient', path: 'Patient',
    constraint: [{ key: 'h-1', severity: 'error', human: 'itself', expression: `conformsTo('${at}/${b}')` }] }] } }));
  assert.deepEqual((await check(b, { active: true })).filter((i) => i.severity === 'error'), []);
});

test('slices by the thousand, and a constraint that never ends', async () => {
  const [a, b] = [unique(), unique()];
  const slices = [{ id: 'Patient.identifier', path: 'Patient.identifier', slicing: { discriminator: [{ type: 'value', path: 'system' }], rules: 'closed' } }];
  for (let i = 0; i < 200; i++)
    slices.push({ id: `Patient.identifier:s${i}`, path: 'Patient.identifier', sliceName: `s${i}`, max: '1' },
      { id: `Patient.identifier:s${i}.system`, path: 'Patient.identifier.system', min: 1, fixedUri: `urn:s:${i}` });
  await store(profile(a, slices));
  const many = await check(a, { identifier: Array.from({ length: 1000 }, (_, i) => ({ system: `urn:s:${i}` })) });
  assert.ok(many.some((i) => i.severity === 'error' && /none of the slices|too many|too costly|can not be used/.test(i.diagnostics)), JSON.stringify(many.slice(0, 3)));
  await store(profile(b, [], { differential: { element: [{ id: 'Patient', path: 'Patient', constraint: [{ key: 'h-1', severity: 'error', human: 'long',
    expression: 'descendants().select(%resource.descendants()).select(%resource.descendants()).count() > 0' }] }] } }));
  const long = await check(b, { name: Array.from({ length: 500 }, () => ({ family: 'a', given: ['b'] })) });
  assert.match(long.map((i) => i.diagnostics).join(), /h-1 was not decided/);
});

const expressions = ["('ab' | 'c').repeat($this & $this)", "('ab' | 'c').repeat($this + $this)", '(1 | 2 | 3).repeat($this + 1)', `${'('.repeat(500)}1${')'.repeat(500)}`,
  "name.given.matches('^(a+)+$')", `'x'.replace('', '${'y'.repeat(1000)}').replace('', '${'z'.repeat(1000)}').replace('', '${'w'.repeat(1000)}')`];
for (const expression of expressions) {
  test(`$fhirpath ends: ${expression.slice(0, 40)}`, async () => {
    const r = await post('$fhirpath', { resourceType: 'Parameters', parameter: [{ name: 'expression', valueString: expression },
      { name: 'resource', resource: { resourceType: 'Patient', name: [{ given: [`${'a'.repeat(20000)}!`] }] } }] });
    assert.equal(r.status, 422, r.text.slice(0, 300));
    assert.equal(r.body.issue[0].code, 'too-costly', r.text);
  });
}

test('value sets and maps in circles, and a system whose codes stand above each other', async () => {
  const set = (id, of) => ({ resourceType: 'ValueSet', id, url: `urn:set:${id}`, status: 'active', compose: { include: [{ valueSet: [`urn:set:${of}`] }] } });
  const [a, b, c, map, ring] = Array.from({ length: 5 }, () => unique());
  for (const each of [set(a, a), set(b, c), set(c, b)]) await store(each);
  for (const id of [a, b, c]) {
    for (const path of [`ValueSet/${id}/$expand`, `ValueSet/${id}/$validate-code?system=urn:x&code=y`]) {
      const r = await get(path);
      assert.equal(r.status, 422, r.text);
      assert.match(r.body.issue[0].diagnostics, /includes itself/);
    }
  }
  await store({ resourceType: 'ConceptMap', id: map, url: `urn:map:${map}`, status: 'active', group: [{ source: 'urn:a', target: 'urn:a',
    element: [{ code: 'x', target: [{ code: 'y', equivalence: 'equivalent' }] }, { code: 'y', target: [{ code: 'x', equivalence: 'equivalent' }] }],
    unmapped: { mode: 'other-map', url: `urn:map:${map}` } }] });
  const told = async (code) => (await get(`ConceptMap/${map}/$translate?system=urn:a&code=${code}`)).body.parameter.find((p) => p.name === 'result').valueBoolean;
  assert.deepEqual([await told('x'), await told('y'), await told('z')], [true, true, false]);
  await store({ resourceType: 'CodeSystem', id: ring, url: `urn:ring:${ring}`, status: 'active', content: 'complete',
    property: [{ code: 'parent', uri: 'http://hl7.org/fhir/concept-properties#parent', type: 'code' }],
    concept: [['a', 'b'], ['b', 'c'], ['c', 'a']].map(([code, parent]) => ({ code, property: [{ code: 'parent', valueCode: parent }] })) });
  assert.equal((await get(`CodeSystem/$subsumes?system=urn:ring:${ring}&codeA=a&codeB=b`)).status, 200);
});

test('an expansion without end: ask for a page', async () => {
  const id = unique();
  await store({ resourceType: 'CodeSystem', id, url: `urn:many:${id}`, status: 'active', content: 'complete', concept: Array.from({ length: 10001 }, (_, i) => ({ code: `c${i}` })) });
  await store({ resourceType: 'ValueSet', id, url: `urn:many:set:${id}`, status: 'active', compose: { include: [{ system: `urn:many:${id}` }] } });
  const all = await get(`ValueSet/${id}/$expand`);
  assert.equal(all.status, 403, all.text);
  assert.equal(all.body.issue[0].code, 'too-costly');
  assert.match(all.body.issue[0].diagnostics, /ask for a page/);
  const page = await get(`ValueSet/${id}/$expand?offset=10000&count=5`);
  assert.deepEqual([page.body.expansion.total, page.body.expansion.contains.length], [10001, 1]);
});

test('an attachment of 40 MiB is kept, one beyond the limit of a body refused', { skip: process.env.MEDULLA_LONG === '1' ? false : 'long form only' }, async () => {
  const send = (bytes, path = 'DocumentReference') => post(path, { resourceType: 'DocumentReference', status: 'current',
    content: [{ attachment: { contentType: 'text/plain', data: 'QUJD'.repeat(bytes / 4) } }] }, { Prefer: 'return=minimal' });
  assert.equal((await send(40 << 20)).status, 201);
  assert.equal((await send(40 << 20, 'DocumentReference/$validate')).status, 200);
  const r = await send(65 << 20);
  assert.equal(r.status, 413, r.text);
  assert.equal(r.body.issue[0].code, 'too-long');
});
