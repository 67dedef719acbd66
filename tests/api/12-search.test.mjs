// https://hl7.org/fhir/R4/search.html
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onPostgres, startServer } from './lib/server.mjs';
import { base, get, issues, observation, patient, post, put, send, unique } from './lib/fhir.mjs';

const mark = unique('s');
const id = (name) => `${mark}-${name}`;
const tag = { tag: [{ system: 'urn:mark', code: mark }] };
const ids = (r) => r.body.entry?.map((e) => e.resource.id.replace(`${mark}-`, '')).sort() ?? [];
const link = (r, relation) => r.body.link.find((l) => l.relation === relation)?.url;

async function found(path, expected) {
  const r = await get(path);
  assert.equal(r.status, 200, `${path}: ${r.text}`);
  assert.deepEqual(ids(r), [...expected].sort(), path);
  return r;
}

async function refused(path, ...says) {
  const r = await get(path);
  assert.equal(r.status, 400, `${path}: ${r.status} ${r.text.slice(0, 300)}`);
  assert.equal(issues(r).length, 1);
  for (const part of says) assert.ok(issues(r)[0].diagnostics.includes(part), `${path}: ${issues(r)[0].diagnostics}`);
}

before(async () => {
  const all = [
    { resourceType: 'Organization', id: id('o1'), meta: tag, name: `General ${mark}` },
    { resourceType: 'Practitioner', id: id('d1'), meta: tag, name: [{ family: 'Berg' }] },
    patient({ id: id('p1'), meta: { ...tag, source: `http://src/${mark}` }, birthDate: '1970-03-05', managingOrganization: { reference: `Organization/${id('o1')}` },
      identifier: [{ type: { coding: [{ system: 'urn:it', code: 'MR' }] }, system: 'urn:i', value: id('12') }] }),
    patient({ id: id('p2'), meta: tag, birthDate: '1980', name: [{ family: 'Dvořák' }] }),
    { resourceType: 'Encounter', id: id('e1'), meta: tag, status: 'finished', class: { code: 'AMB' }, subject: { reference: `Patient/${id('p1')}` },
      participant: [{ individual: { reference: `Practitioner/${id('d1')}` } }], period: { start: '2020-01-01', end: '2020-01-01' } },
    observation(`Patient/${id('p1')}`, { id: id('a'), meta: tag, effectiveDateTime: '2020-01-01', encounter: { reference: `Encounter/${id('e1')}` } }),
    observation(`Patient/${id('p1')}`, { id: id('b'), meta: tag, effectiveDateTime: '2021-01-01', performer: [{ reference: `Practitioner/${id('d1')}` }] }),
    observation(`Patient/${id('p1')}`, { id: id('c'), meta: tag, effectiveDateTime: '2022-01-01', code: { text: 'free' } }),
    observation(`Patient/${id('p2')}`, { id: id('d'), meta: tag, effectiveDateTime: '2022-01-01', derivedFrom: [{ reference: `Observation/${id('c')}` }] }),
    { resourceType: 'List', id: id('l1'), meta: tag, status: 'current', mode: 'working', entry: [{ item: { reference: `Patient/${id('p2')}` } }] },
  ];
  for (const resource of all) {
    const r = await put(`${resource.resourceType}/${resource.id}`, resource);
    assert.equal(r.status, 201, r.text);
  }
});

test('several types are searched at once', async () => {
  await found(`?_tag=${mark}`, ['o1', 'd1', 'p1', 'p2', 'e1', 'a', 'b', 'c', 'd', 'l1']);
  await found(`?_tag=${mark}&_type=Patient,List`, ['p1', 'p2', 'l1']);
  await found(`?_source=http://src/${mark}`, ['p1']);
  await found(`?_id=${id('p1')},${id('a')}`, ['p1', 'a']);
  const sorted = await get(`?_tag=${mark}&_type=Patient,Observation&_sort=-_lastUpdated&_count=3`);
  assert.deepEqual(sorted.body.entry.map((e) => e.resource.id), [id('d'), id('c'), id('b')]);
  const form = await send('POST', '_search', `_tag=${mark}&_type=Encounter`, { 'Content-Type': 'application/x-www-form-urlencoded' });
  assert.deepEqual(ids(form), ['e1']);
  await refused('?_type=Patiant', 'nearest: Patient');
});

test('pages of several types hold each resource once', async () => {
  const seen = [];
  let url = `${base}?_tag=${mark}&_count=3`;
  for (let pages = 0; url; pages++) {
    assert.ok(pages < 10);
    const r = await get(url);
    assert.equal(r.status, 200, r.text);
    assert.ok(r.body.entry.length <= 3);
    seen.push(...ids(r));
    url = link(r, 'next');
  }
  assert.deepEqual(seen.sort(), ['a', 'b', 'c', 'd', 'd1', 'e1', 'l1', 'o1', 'p1', 'p2']);
});

test('first, previous, next and last lead around', async () => {
  const pages = [await get(`${base}?_tag=${mark}&_count=2`)];
  while (link(pages.at(-1), 'next')) pages.push(await get(link(pages.at(-1), 'next')));
  assert.equal(pages.length, 5);
  assert.equal(link(pages[0], 'previous'), undefined);
  for (const [i, page] of pages.entries()) {
    assert.equal(page.status, 200, page.text);
    assert.deepEqual(ids(await get(link(page, 'first'))), ids(pages[0]));
    if (i > 0) assert.deepEqual(ids(await get(link(page, 'previous'))), ids(pages[i - 1]));
    assert.equal(link(page, 'last') !== undefined, i === 4);
  }
  const back = await get(link(await get(link(pages[4], 'previous')), 'previous'));
  assert.deepEqual(ids(back), ids(pages[2]));
  const whole = await get(`Observation?_tag=${mark}`);
  for (const relation of ['first', 'previous', 'next', 'last']) assert.equal(link(whole, relation), undefined);
  const next = link(pages[0], 'next');
  for (const bad of [`${next}!`, `${next}~"<x>`, next.replace('_page=', '_page=~'), next.replace('_page=', '_page=A')])
    assert.equal((await get(bad)).status, 400, bad);
});

test('explain says what was really looked at, and how long it took', async () => {
  const r = await get(`Observation?_tag=${mark}&explain=true`);
  const lines = r.body.entry.find((e) => e.search.mode === 'outcome').resource.issue.map((i) => i.diagnostics);
  assert.match(lines.join('; '), /looked at \d+ candidates, 4 on this page; took \d{1,7} microseconds/);
});

test('$everything of all patients, page by page', async () => {
  const seen = [];
  let url = `${base}/Patient/$everything?_count=3`;
  for (let pages = 0; url; pages++) {
    assert.ok(pages < 2000);
    const r = await get(url);
    assert.equal(r.status, 200, r.text);
    const here = r.body.entry.map((e) => `${e.resource.resourceType}/${e.resource.id}`);
    assert.equal(new Set(here).size, here.length);
    seen.push(...here);
    url = link(r, 'next');
  }
  for (const name of ['Patient/p1', 'Patient/p2', 'Encounter/e1', 'Observation/a', 'Observation/d']) {
    const [type, short] = name.split('/');
    assert.ok(seen.includes(`${type}/${id(short)}`), name);
  }
  await refused('Patient/$everything?begin=2020', 'start and end');
  assert.equal((await get('Patient/$everything?_page=x')).status, 400);
  assert.equal((await get('Encounter/$everything')).status, 404);
});

test('compartments', async () => {
  await found(`Patient/${id('p1')}/Observation`, ['a', 'b', 'c']);
  await found(`Patient/${id('p1')}/Observation?code=8867-4`, ['a', 'b']);
  await found(`Patient/${id('p1')}/*`, ['p1', 'e1', 'a', 'b', 'c']);
  await found(`Patient/${id('p2')}/*?_type=Observation`, ['d']);
  await found(`Encounter/${id('e1')}/*`, ['e1', 'a']);
  await found(`Practitioner/${id('d1')}/*`, ['d1', 'e1', 'b']);
  const form = await send('POST', `Patient/${id('p1')}/Observation/_search`, 'code=8867-4', { 'Content-Type': 'application/x-www-form-urlencoded' });
  assert.deepEqual(ids(form), ['a', 'b']);
  const self = link(await get(`Patient/${id('p1')}/Observation?code=8867-4`), 'self');
  assert.equal(self, `${base}/Patient/${id('p1')}/Observation?code=8867-4`);
  await refused(`Patient/${id('p1')}/Medication`, 'CompartmentDefinition');
  assert.equal((await get(`Patient/${id('p1')}/Observaton`)).status, 404);
});

test('lists, modifiers, filters', async () => {
  await found(`Patient?_list=${id('l1')}`, ['p2']);
  await found(`Patient?identifier:of-type=urn:it|MR|${id('12')}`, ['p1']);
  await found(`Patient?identifier:of-type=urn:it|SS|${id('12')}`, []);
  await found(`Patient?_tag=${mark}&_filter=${encodeURIComponent('name co "vora" or birthdate lt 1975')}`, ['p1', 'p2']);
  await found(`Observation?_tag=${mark}&_filter=${encodeURIComponent('not (code pr true and date ge 2021)')}`, ['a']);
  await refused(`Patient?_filter=${encodeURIComponent('name is x')}`, "parameter 1, '_filter'", 'at character 6', 'eq ne co');
});

test('includes go on with :iterate, and know wildcards', async () => {
  const first = await get(`Observation?_id=${id('d')}&_include=Observation:derived-from`);
  assert.deepEqual(ids(first), ['c', 'd']);
  const all = await get(`Observation?_id=${id('d')}&_include:iterate=*`);
  assert.deepEqual(ids(all), ['c', 'd', 'o1', 'p1', 'p2']);
  const reverse = await get(`Patient?_id=${id('p1')}&_revinclude=*`);
  assert.deepEqual(ids(reverse), ['a', 'b', 'c', 'e1', 'p1']);
  assert.equal(reverse.body.entry.filter((e) => e.search.mode === 'match').length, 1);
});

test('a POST search shapes its answer as a GET does', async () => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const r = await send('POST', 'Patient/_search?_elements=birthDate', `_id=${id('p1')}`, form);
  assert.deepEqual([r.body.entry[0].resource.birthDate, r.body.entry[0].resource.name], ['1970-03-05', undefined]);
  const other = await send('POST', 'Patient/_search', `_id=${id('p1')}&_elements=birthDate`, form);
  assert.deepEqual(other.body.entry[0].resource, r.body.entry[0].resource);
});

test('texts and distances', async () => {
  const div = (text) => ({ status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><b>${text}</b></div>` });
  await put(`Condition/${id('k1')}`, { resourceType: 'Condition', id: id('k1'), meta: tag, subject: { reference: `Patient/${id('p2')}` }, text: div('Fracture of the wrist') });
  await put(`Condition/${id('k2')}`, { resourceType: 'Condition', id: id('k2'), meta: tag, subject: { reference: `Patient/${id('p2')}` }, code: { text: 'Ankle fracture' } });
  await found(`Condition?_tag=${mark}&_text=wrist%20FRACT`, ['k1']);
  await found(`Condition?_tag=${mark}&_content=fracture`, ['k1', 'k2']);
  await put(`Location/${id('t')}`, { resourceType: 'Location', id: id('t'), meta: tag, position: { latitude: 55.6737, longitude: 12.5681 } });
  await found(`Location?_tag=${mark}&near=55.68|12.57|1|km`, ['t']);
  await found(`Location?_tag=${mark}&near=55.68|12.57|100|m`, []);
  await refused('Location?near=here', 'latitude|longitude|distance|unit');
});

test('explain=true tells the plan', async () => {
  const r = await get(`Observation?patient=${id('p1')}&code=8867-4&date=ge2020&explain=true`);
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.entry[0].search.mode, 'outcome');
  const said = r.body.entry[0].resource.issue.map((i) => i.diagnostics);
  assert.match(said[0], /^driver: .*; about \d+ candidates, \d+ microseconds estimated$/);
  const asked = said.splice(5); // of the database, where the store is one
  assert.equal(said.length, 5);
  for (const [i, name] of ['patient', 'code', 'date'].entries())
    assert.ok(said[i + 1].startsWith(`'${name === 'patient' ? 'subject' : name}': about `), said[i + 1]);
  assert.match(said[4], /^looked at \d+ candidates, 2 on this page; took \d{1,7} microseconds$/);
  assert.ok(![...said, ...asked].join().includes(mark));
  assert.equal(asked.length > 0, onPostgres);
  const how = asked.filter((line) => line.includes(', how: ')), times = asked.filter((line) => !how.includes(line));
  for (const line of times) assert.match(line, /^PostgreSQL(, [A-Z_]+)?: asked \d+ times, \d+ rows, (waited )?\d+ microseconds$/);
  for (const line of how) assert.match(line, /^PostgreSQL, [A-Z_]+, how: (\w[\w ]*: \d+ rows \(\d+ expected\)(, \d+ pages in memory, \d+ read)?(; |$))+$/);
  assert.equal(how.length, onPostgres ? times.length - 1 : 0, 'one of each kind');
  if (onPostgres) assert.ok(how.some((line) => / by p?tok(en)?_key/.test(line)), how.join('\n'));
  assert.ok(!how.some((line) => line.includes('Seq Scan')), how.join('\n'));
  const [all, ...each] = times.map((line) => Number(/asked (\d+)/.exec(line)[1]));
  if (onPostgres) assert.equal(each.reduce((a, b) => a + b), all);
  await refused('Patient?explain=perhaps', 'true or false');
});

test('lenient handling says what it left out', async () => {
  const r = await get(`Patient?_tag=${mark}&nmae=x&birthdate=1970-03-05&name:foo=x`, { Prefer: 'handling=lenient' });
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.entry[0].search.mode, 'outcome');
  const said = r.body.entry[0].resource.issue.map((i) => i.diagnostics);
  assert.equal(said.length, 2);
  assert.ok(said[0].includes("'nmae'") && said[1].includes("'name:foo'"));
  assert.deepEqual(r.body.entry.slice(1).map((e) => e.resource.id), [id('p1')]);
  assert.equal(link(r, 'self'), `${base}/Patient?_tag=${mark}&birthdate=1970-03-05`);
  const system = await get(`?_tag=${mark}&_type=Patient,Observation&birthdate=1970`, { Prefer: 'handling=lenient' });
  assert.deepEqual(system.body.entry.slice(1).map((e) => e.resource.id).sort(), ['p1', 'p2', 'a', 'b', 'c', 'd'].map(id).sort());
  assert.equal((await get(`Patient?birthdate=never`, { Prefer: 'handling=lenient' })).status, 400);
});

test('what is left out leaves nothing behind, neither an order nor an include', async () => {
  const lenient = { Prefer: 'handling=lenient' };
  const plain = await get(`Patient?_tag=${mark}`);
  const sorted = await get(`Patient?_tag=${mark}&_sort=birthdate,famly`, lenient);
  assert.equal(link(sorted, 'self'), `${base}/Patient?_tag=${mark}`);
  assert.deepEqual(sorted.body.entry.slice(1).map((e) => e.resource.id), plain.body.entry.map((e) => e.resource.id));
  const open = await get(`Patient?_tag=${mark}&birthdate=&name=&_sort=&_id=&_include=&_filter=&_count=`, lenient);
  assert.equal(open.body.entry[0].resource.issue.length, 7, open.text);
  assert.equal(link(open, 'self'), `${base}/Patient?_tag=${mark}`);
  assert.equal(open.body.entry.length, 1 + plain.body.entry.length);
});

test('a parameter without a value is refused, and so is a list with a gap', async () => {
  await refused('Patient?_sort=', 'names of search parameters');
  await refused('Patient?_sort=family,', 'names of search parameters');
  await refused('Patient?_sort=family,,given', 'names of search parameters');
  await refused('Patient?_elements=', 'names of elements');
  await refused('Patient?_elements=name,', 'names of elements');
  await refused('Patient?_id=', 'the id of a resource');
  await refused('Patient?_id=a,', 'value 2', 'the id of a resource');
  await refused('Patient?name=&birthdate=1970', "parameter 1, 'name'");
  await refused('Patient?gender:missing=', ':missing must be');
  await refused('Patient?family:=x', "behind the ':'");
  await refused('Observation?subject:.name=x', "behind the ':'");
  await refused('Patient?_include:=Patient:organization', "behind the ':'");
});

test('_text is asked of all types at once; what has no narrative is not found', async () => {
  const r = await get('?_text=zzyzx');
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.total, 0);
  assert.equal((await get('?_text=zzyzx&_type=Patient,Binary')).status, 200);
  await refused('Binary?_text=zzyzx', "unknown search parameter '_text'");
});

test('bad input is a 400 that says where and what was expected', async () => {
  await refused('Patient?active=true&birthdate=gx2020', "parameter 2, 'birthdate'", 'expected a date');
  await refused('Patient?birthdate=2020-13', 'expected a date');
  await refused('Patient?birthdate=2020,2021-02-30', 'value 2');
  await refused('Patient?birthdate:exact=2020', "':exact'", 'possible: missing');
  await refused('Patient?gender:in=http://x', 'terminology');
  await refused('Observation?patient:Device.name=x', 'never refers to a Device');
  await refused('Observation?subject:Medication=1', 'never refers to a Medication');
  await refused('Organization?_has:Observation:patient:code=x', 'never refers');
  await refused('Observation?code.display=x', 'only a reference can be chained');
  await refused('Patient?famly=x', 'nearest: family');
  await refused('Patient?__proto__=x', 'unknown search parameter');
  await refused('Patient?constructor=x', 'unknown search parameter');
  await refused('Patient?_sort=famly', 'nearest: family');
  await refused('Patient?_count=-1', '_count');
  await refused('Patient?_count=99999999999999999999', '_count');
  await refused('Patient?_count=many', '_count');
  await refused('Patient?name=%00', 'NUL');
  await refused('Patient?_include=Patient:name', 'reference');
  await refused('Patient?_include:again=Patient:organization', ':iterate');
  await refused('Patient?_contained=perhaps', 'false, true or both');
  await refused('Patient?_contained=true&_include=Patient:organization', 'nothing can be included');
  await refused('Patient?_query=newest', 'named queries');
  await refused('Patient?_list=$current-allergies', 'functional');
  await refused(`Patient?${'x'.repeat(8000)}=1`, 'unknown search parameter');
  await refused('?family=x', "unknown search parameter 'family'");
  await refused('Observation?value-quantity=five', 'number');
  await refused('Observation?code-value-quantity=8867-4', "joined by '$'");
  await refused('Observation?_has:Observation=x', '_has:Type:reference:parameter');
});

test('what is large but right is answered', async () => {
  const r = await get(`Patient?_tag=${mark}&_count=100000`);
  assert.deepEqual(ids(r), ['p1', 'p2']);
  const many = Array.from({ length: 999 }, (_, i) => `${mark}-none${i}`);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  for (const name of ['_id', 'organization', 'identifier', 'name']) {
    const hit = { _id: id('p1'), organization: id('o1'), identifier: id('12'), name: 'dvorak' }[name];
    const post = await send('POST', 'Patient/_search', `_tag=${mark}&${name}=${[...many, hit].join(',')}`, form);
    assert.equal(post.status, 200, `${name}: ${post.text.slice(0, 200)}`);
    assert.deepEqual(ids(post), [name === 'name' ? 'p2' : 'p1'], name);
    const more = await send('POST', 'Patient/_search', `_tag=${mark}&${name}=${[...many, 'x', hit].join(',')}`, form);
    assert.ok(more.status >= 400 && more.status < 500, `${name}: ${more.status}`);
  }
  assert.deepEqual(ids(await get(`Patient?_tag=${mark}&_include:iterate=Patient:link`)), ['p1', 'p2']);
});

test('what is contained is found by its container, or alone', async () => {
  const medication = (name, code) => ({ resourceType: 'Medication', id: name, code: { coding: [{ system: `urn:${mark}`, code }] } });
  const request = (name, contained) => ({ resourceType: 'MedicationRequest', id: id(name), meta: tag, status: 'active', intent: 'order', contained,
    subject: { display: 'somebody' }, medicationReference: { reference: `#${contained[0].id}` }, supportingInformation: contained.map((r) => ({ reference: `#${r.id}` })) });
  for (const r of [request('r1', [medication('m', 'a'), medication('n', 'b')]), request('r2', [medication('m', 'b')]), { ...medication(id('m3'), 'b'), meta: tag }])
    assert.equal((await put(`${r.resourceType}/${r.id}`, r)).status, 201);
  await found(`Medication?code=urn:${mark}|b`, ['m3']);
  await found(`Medication?code=urn:${mark}|b&_contained=true`, ['r1', 'r2']);
  await found(`Medication?code=urn:${mark}|b&_contained=both`, ['m3', 'r1', 'r2']);
  const alone = await get(`Medication?code=urn:${mark}|b&_contained=both&_containedType=contained`);
  assert.equal(alone.status, 200, alone.text);
  assert.deepEqual(alone.body.entry.map((e) => e.fullUrl).sort(), [`Medication/${id('m3')}`, `MedicationRequest/${id('r1')}#n`, `MedicationRequest/${id('r2')}#m`].map((r) => `${base}/${r}`).sort());
  assert.deepEqual(alone.body.entry.find((e) => e.fullUrl.endsWith('#n')).resource, medication('n', 'b'));
  assert.ok(alone.body.entry.every((e) => e.search.mode === 'match'));
  assert.equal(alone.body.total, 3);
});

test('includes that go in a circle end', async () => {
  for (const name of ['x', 'y', 'z']) await put(`Patient/${id(name)}`, patient({ id: id(name) }));
  for (const [from, to] of [['x', 'y'], ['y', 'z'], ['z', 'x']])
    await put(`Patient/${id(from)}`, patient({ id: id(from), link: [{ type: 'seealso', other: { reference: `Patient/${id(to)}` } }] }));
  await found(`Patient?_id=${id('x')}&_include:iterate=Patient:link`, ['x', 'y', 'z']);
  await found(`Patient?_id=${id('x')}&_revinclude:iterate=Patient:link`, ['x', 'y', 'z']);
});

test('$everything of a patient', async () => {
  const all = await get(`Patient/${id('p1')}/$everything`);
  assert.equal(all.status, 200, all.text);
  assert.deepEqual(ids(all), ['a', 'b', 'c', 'd1', 'e1', 'o1', 'p1']);
  assert.deepEqual(ids(await get(`Patient/${id('p1')}/$everything?_type=Observation`)).filter((n) => n.length === 1), ['a', 'b', 'c']);
  const range = await get(`Patient/${id('p1')}/$everything?start=2020-06-01&end=2021-06-01`);
  assert.deepEqual(range.body.entry.filter((e) => e.search.mode === 'match').map((e) => e.resource.id).sort(), [id('b'), id('p1')]);
  assert.equal((await get(`Patient/${id('p1')}/$everything?_since=2100-01-01`)).body.total, 0);
  const seen = new Set();
  let url = `${base}/Patient/${id('p1')}/$everything?_count=2`;
  for (let pages = 0; url; pages++) {
    assert.ok(pages < 10);
    const page = await get(url);
    const matches = page.body.entry.filter((e) => e.search.mode === 'match');
    assert.ok(matches.length <= 2);
    matches.forEach((e) => { assert.ok(!seen.has(e.resource.id)); seen.add(e.resource.id); });
    url = link(page, 'next');
    if (url) assert.ok(url.includes('/$everything?_count=2&_page='));
  }
  assert.deepEqual([...seen].sort(), ['a', 'b', 'c', 'e1', 'p1'].map(id).sort());
  const posted = await post(`Patient/${id('p1')}/$everything`, { resourceType: 'Parameters', parameter: [{ name: '_type', valueString: 'Encounter' }] });
  assert.deepEqual(ids(posted), ['d1', 'e1', 'p1']);
  assert.deepEqual(ids(await get(`Encounter/${id('e1')}/$everything`)), ['a', 'd1', 'e1', 'p1']);
  await refused(`Patient/${id('p1')}/$everything?begin=2020`, 'start and end');
  await refused(`Patient/${id('p1')}/$everything?start=2020)%20or%20(x`, 'dates');
  assert.equal((await get('Patient/nobody/$everything')).status, 404);
  assert.equal((await get(`Observation/${id('a')}/$everything`)).status, 404);
});

test('$lastn keeps the newest of each code', async () => {
  assert.deepEqual(ids(await get(`Observation/$lastn?patient=${id('p1')}`)), ['b', 'c']);
  const two = await get(`Observation/$lastn?subject=Patient/${id('p1')}&max=2`);
  assert.deepEqual(two.body.entry.map((e) => e.resource.id), [id('c'), id('b'), id('a')]);
  assert.deepEqual(ids(await get(`Observation/$lastn?patient=${id('p1')}&code=8867-4&date=lt2021`)), ['a']);
  await refused('Observation/$lastn?code=8867-4', 'patient or a subject');
  await refused(`Observation/$lastn?patient=${id('p1')}&max=0`, 'max must be');
});

test('the self link has the page size that was used', async () => {
  const r = await get(`Patient?_tag=${mark}&_count=100000`);
  assert.equal(link(r, 'self'), `${base}/Patient?_tag=${mark}&_count=1000`);
});

test('a search that would take too long is refused with advice', async () => {
  const server = await startServer({ MEDULLA_FHIR_SEARCH_COST: '1' });
  try {
    const entry = Array.from({ length: 300 }, (_, i) => ({ request: { method: 'POST', url: 'Patient' }, resource: patient({ active: i % 2 === 0 }) }));
    const r = await send('POST', server.base, { resourceType: 'Bundle', type: 'transaction', entry });
    assert.equal(r.status, 200, r.text.slice(0, 300));
    const costly = await send('GET', `${server.base}/Patient?identifier:text=fracture`);
    assert.equal(costly.status, 403, costly.text);
    assert.equal(issues(costly)[0].code, 'too-costly');
    assert.ok(issues(costly)[0].diagnostics.includes('add a patient'));
    assert.equal((await send('GET', `${server.base}/Patient?_count=1`)).status, 200);
  } finally {
    assert.equal(await server.stop(), 0);
  }
});

test('the CapabilityStatement says what is wired', async () => {
  const { body } = await get('metadata');
  const [rest] = body.rest;
  const of = (type) => rest.resource.find((r) => r.type === type);
  assert.ok(rest.interaction.some((i) => i.code === 'search-system'));
  assert.deepEqual(of('Patient').operation.map((o) => o.definition), ['http://hl7.org/fhir/OperationDefinition/Patient-everything',
    'http://hl7.org/fhir/uv/ips/OperationDefinition/summary']);
  assert.deepEqual(of('Observation').operation.map((o) => o.name), ['lastn']);
  assert.equal(of('Organization').operation, undefined);
  assert.ok(of('Observation').searchInclude.includes('Observation:subject'));
  assert.deepEqual(rest.searchParam.map((p) => p.name), ['_filter', '_has', '_list', '_type']);
  for (const name of of('Patient').searchInclude)
    assert.equal((await get(`Patient?_id=none&_include=${name}`)).status, 200, name);
  const names = of('Location').searchParam.map((p) => p.name);
  for (const name of ['_content', '_id', '_lastUpdated', '_source', '_text', 'near']) assert.ok(names.includes(name), name);
  assert.ok(!names.includes('_query'));
  assert.ok(of('Observation').searchParam.some((p) => p.name === 'code-value-quantity' && p.type === 'composite'));
});
