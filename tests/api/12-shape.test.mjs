// https://hl7.org/fhir/R4/search.html#summary, #elements, #sort: what a search gives of each, and in which order
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { base, get, issues, put, send, unique } from './lib/fhir.mjs';

const mark = unique('shape');
const id = (name) => `${mark}-${name}`;
const meta = { tag: [{ system: 'urn:mark', code: mark }] };
const text = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">told</div>' };
const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
const members = (resource) => Object.keys(resource).filter((name) => name !== 'resourceType').sort();
const link = (r, relation) => r.body.link.find((l) => l.relation === relation)?.url;
const short = (r) => (r.body.entry ?? []).map((e) => e.resource.id.slice(mark.length + 1));

async function ask(query) {
  const r = await get(query);
  assert.equal(r.status, 200, `${query}: ${r.text}`);
  return r;
}
async function refused(query, says) {
  const r = await get(query);
  assert.equal(r.status, 400, `${query}: ${r.status} ${r.text.slice(0, 300)}`);
  assert.match(issues(r)[0].diagnostics, says, query);
}

const person = (name, more) => ({ resourceType: 'Patient', id: id(name), meta, ...more });
const ward = { resourceType: 'Organization', id: id('ward'), meta, text, name: 'Ward' };
const whole = person('whole', {
  text, active: true, name: [{ family: 'Whole' }], birthDate: '1970-01-01', _birthDate: { id: 'b' }, multipleBirthInteger: 2,
  maritalStatus: { text: 'M' }, contact: [{ name: { family: 'Kin' } }], communication: [{ language: { text: 'nb' }, preferred: true }],
  managingOrganization: { reference: `Organization/${id('ward')}` } });
const value = { resourceType: 'Observation', id: id('value'), meta, text, status: 'final', code: { text: 'mass' }, subject: { reference: `Patient/${id('whole')}` },
  category: [{ text: 'vital' }], valueQuantity: { value: 1.50, unit: 'kg' }, note: [{ text: 'n' }] };
// Ties (b, c, d by family; a, b by birth date), and what lacks a value (e a birth date, f a family).
const rows = { a: ['Aas', '1980-01-01'], b: ['Berg', '1980-01-01'], c: ['Berg', '1975-05-05'], d: ['Berg', '1990'], e: ['Dahl', undefined], f: [undefined, '1960'] };

before(async () => {
  const all = [ward, whole, value, ...Object.entries(rows).map(([name, [family, birthDate]]) => person(name, { gender: 'other', name: [family ? { family } : { text: '-' }], birthDate }))];
  for (const resource of all) {
    const r = await put(`${resource.resourceType}/${resource.id}`, resource);
    assert.equal(r.status, 201, r.text);
  }
});

test('each _summary gives what R4 says, tagged SUBSETTED', async () => {
  const shapes = {
    true: ['active', 'birthDate', '_birthDate', 'id', 'managingOrganization', 'meta', 'name'],
    text: ['id', 'meta', 'text'],
    data: members(whole).filter((name) => name !== 'text'),
  };
  for (const [summary, expected] of Object.entries(shapes)) {
    const r = await ask(`Patient?_id=${id('whole')}&_summary=${summary}`);
    const [{ resource }] = r.body.entry;
    assert.deepEqual(members(resource), [...expected].sort(), summary);
    assert.deepEqual(resource.meta.tag, [...meta.tag, subsetted], summary);
    assert.equal(r.body.total, 1);
    assert.deepEqual((await get(`Patient/${id('whole')}?_summary=${summary}`)).body, resource, 'a read of it');
    assert.ok(link(r, 'self').includes(`_summary=${summary}`));
  }
  // of text: what is mandatory, at the top only, stays
  const [{ resource }] = (await ask(`Observation?_id=${id('value')}&_summary=text`)).body.entry;
  assert.deepEqual(members(resource), ['code', 'id', 'meta', 'status', 'text']);
  const full = await ask(`Patient?_id=${id('whole')}&_summary=false`);
  assert.deepEqual(members(full.body.entry[0].resource), members(whole));
  assert.deepEqual(full.body.entry[0].resource.meta.tag, meta.tag);
});

test('_summary=count gives the total alone, whatever else is asked', async () => {
  for (const more of ['', '&_count=1', '&_sort=family', '&_include=Patient:organization', '&_total=none']) {
    const r = await ask(`Patient?_tag=${mark}&_summary=count${more}`);
    assert.deepEqual([r.body.total, r.body.entry, link(r, 'next')], [7, undefined, undefined], more);
  }
});

test('_summary shapes what is included, too; text has none', async () => {
  const r = await ask(`Patient?_id=${id('whole')}&_include=Patient:organization&_revinclude=Observation:subject&_summary=data`);
  assert.deepEqual(r.body.entry.map((e) => [e.search.mode, e.resource.resourceType, 'text' in e.resource]).sort(),
    [['include', 'Observation', false], ['include', 'Organization', false], ['match', 'Patient', false]]);
  for (const include of ['_include=Patient:organization', '_revinclude=Observation:subject', '_include=*'])
    await refused(`Patient?_id=${id('whole')}&${include}&_summary=text`, /_include and _revinclude can not be asked together with _summary=text/);
});

test('_elements: what is named, what is mandatory, what modifies; tagged', async () => {
  const of = async (query) => members((await ask(query)).body.entry[0].resource);
  assert.deepEqual(await of(`Patient?_id=${id('whole')}&_elements=birthDate`), ['_birthDate', 'active', 'birthDate', 'id', 'meta']);
  assert.deepEqual(await of(`Patient?_id=${id('whole')}&_elements=name,%20gender,Patient.contact.name`), ['active', 'contact', 'id', 'meta', 'name']);
  for (const name of ['value', 'value[x]', 'valueQuantity', 'Observation.value'])
    assert.deepEqual(await of(`Observation?_id=${id('value')}&_elements=${name}`), ['code', 'id', 'meta', 'status', 'valueQuantity'], name);
  const r = await ask(`Observation?_id=${id('value')}&_elements=value`);
  assert.deepEqual(r.body.entry[0].resource.meta.tag, [...meta.tag, subsetted]);
  assert.match(r.text, /"value":1\.50?[,}]/);
  for (const summary of ['true', 'text', 'data'])
    await refused(`Patient?_id=${id('whole')}&_elements=name&_summary=${summary}`, /_summary and _elements/);
  assert.deepEqual(await of(`Patient?_id=${id('whole')}&_elements=name&_summary=false`), ['active', 'id', 'meta', 'name']);
});

test('_elements: a name that no type asked for has is refused, and left out by lenient handling', async () => {
  const one = `_id=${id('whole')}`;
  const wrong = {
    'Patient?ONE&_elements=name,brithDate': /^'brithDate' is no element of Patient; nearest: birthDate$/,
    'Patient?ONE&_elements=Observation.code': /'Observation\.code' is no element of Patient$/,
    'Patient?ONE&_elements=contact.nmae': /'contact\.nmae' is no element of Patient; nearest: name$/,
    'Patient?ONE&_elements=_birthDate': /nearest: birthDate$/,
    '?_type=Patient,Observation&_elements=valueQuantity,brithDate': /'brithDate' is no element of any resource that is asked for; nearest: birthDate$/,
    '?_type=Patient,Organization&_elements=valueQuantity': /'valueQuantity' is no element/,
    '_history?_elements=nobodyHasThis': /'nobodyHasThis' is no element/,
    'Patient/_history?_elements=valueQuantity': /'valueQuantity' is no element of Patient/,
    'metadata?_elements=softwear': /nearest: software$/,
    [`Patient/${id('whole')}?_elements=nmae`]: /'nmae' is no element of Patient; nearest: name$/,
    [`Patient/${id('whole')}/_history/1?_elements=nmae`]: /nearest: name$/,
    [`Patient/${id('whole')}/Observation?_elements=nmae`]: /'nmae' is no element of Observation/,
    [`Patient/${id('whole')}/$everything?_elements=nobodyHasThis`]: /'nobodyHasThis' is no element/,
  };
  for (const [query, says] of Object.entries(wrong)) await refused(query.replace('ONE', one), says);
  const form = await send('POST', 'Patient/_search', `${one}&_elements=nmae`, { 'Content-Type': 'application/x-www-form-urlencoded' });
  assert.equal(form.status, 400, form.text);
  for (const gap of ['_elements=', '_elements=,name,']) await refused(`Patient?${one}&${gap}`, /expected names of elements joined by ','/);
  for (const right of ['_elements=Resource.id,DomainResource.text', '_elements=resourceType,contact.name.family'])
    await ask(`Patient?${one}&${right}`);
  await ask(`?_type=Patient,Observation&_tag=${mark}&_elements=valueQuantity,Patient.birthDate`);
  await ask('metadata?_elements=software');
  await ask(`Patient/${id('whole')}/$everything?_elements=valueQuantity`);

  const lenient = { Prefer: 'handling=lenient' };
  const r = await get(`Patient?${one}&_elements=nmae,birthDate,famly`, lenient);
  const of = (mode) => r.body.entry.filter((e) => e.search.mode === mode).map((e) => e.resource);
  assert.deepEqual(of('outcome')[0].issue.map((i) => [i.severity, i.diagnostics]), [['warning', "parameter '_elements=nmae,famly' was ignored"]]);
  assert.deepEqual(members(of('match')[0]), ['_birthDate', 'active', 'birthDate', 'id', 'meta']);
  assert.equal(new URL(link(r, 'self')).searchParams.get('_elements'), 'birthDate');
  const none = await get(`Patient?${one}&_elements=nmae`, lenient);
  assert.deepEqual(members(none.body.entry[0].resource.resourceType === 'Patient' ? none.body.entry[0].resource : none.body.entry[1].resource), members(whole));
  assert.ok(!link(none, 'self').includes('_elements'));
  const read = await get(`Patient/${id('whole')}?_elements=nmae,gender`, lenient);
  assert.deepEqual(members(read.body), ['active', 'id', 'meta']);
  assert.deepEqual(members((await get(`Patient/${id('whole')}?_elements=nmae`, lenient)).body), members(whole));
  const many = await get(`Patient?_elements=${Array(300).fill('name').join(',')}`);
  assert.equal(many.status, 403, many.text);
});

test('_elements is about matches, not about what is included (R4)', async () => {
  const r = await ask(`Patient?_id=${id('whole')}&_elements=birthDate&_include=Patient:organization&_revinclude=Observation:subject`);
  const [match] = r.body.entry.filter((e) => e.search.mode === 'match');
  assert.deepEqual(members(match.resource), ['_birthDate', 'active', 'birthDate', 'id', 'meta']);
  const included = r.body.entry.filter((e) => e.search.mode === 'include').map((e) => e.resource);
  assert.deepEqual(included.map((x) => [x.resourceType, members(x)]).sort(), [['Observation', members(value)], ['Organization', members(ward)]]);
  for (const x of included) assert.deepEqual(x.meta.tag, meta.tag, x.resourceType);
  const history = await ask(`Patient/${id('whole')}/_history?_elements=birthDate`);
  assert.deepEqual(members(history.body.entry[0].resource), ['_birthDate', 'active', 'birthDate', 'id', 'meta']);
});

test('what shapes the answer is given once', async () => {
  for (const twice of ['_count=1&_count=2', '_summary=true&_summary=data', '_elements=name&_elements=a,b,c,d,e,f,g,h', '_sort=name&_sort=-birthdate', '_total=none&_total=accurate'])
    await refused(`Patient?${twice}`, /^parameter 2, '_\w+': it was given before, as parameter 1$/);
  const form = await send('POST', 'Patient/_search?_count=1', `_tag=${mark}&_count=2`, { 'Content-Type': 'application/x-www-form-urlencoded' });
  assert.equal(form.status, 400, form.text);
});

test('several keys, ties, what lacks a value last, both directions, in pages of any size', async () => {
  const others = '_id=' + Object.keys(rows).map(id).join(',');
  const orders = {
    'family,birthdate': 'acbdef', // b, c, d by birth date; f has no family
    'family,-birthdate': 'adbcef',
    '-family,birthdate': 'ecbdaf',
    '-family,-birthdate': 'edbcaf',
    'birthdate,family': 'fcabde', // e has no birth date
    '-birthdate,-family': 'dbacfe',
    '-birthdate,family,_id': 'dabcfe',
    'gender,-_id': 'fedcba', // all tied by the first
    '_id': 'abcdef',
    '-_id': 'fedcba',
    'organization,-birthdate,family': 'dabcfe', // none has one
  };
  for (const [sort, expected] of Object.entries(orders)) {
    for (const count of [1, 2, 3, 5, 6, 50]) {
      let r = await ask(`Patient?${others}&_sort=${sort}&_count=${count}`), all = short(r), pages = 1;
      for (let next = link(r, 'next'); next; next = link(r, 'next'), pages++) {
        r = await ask(next.slice(base.length + 1));
        assert.ok(r.body.entry.length <= count);
        all = all.concat(short(r));
      }
      assert.equal(all.join(''), expected, `${sort} by ${count}`);
      assert.equal(pages, Math.ceil(6 / count), `${sort} by ${count}`);
    }
  }
});

test('a reference sorts by what it names: the same stand together', async () => {
  const names = ['x', 'y', 'z', 'u', 'v'];
  for (const [i, name] of names.entries())
    assert.equal((await put(`Observation/${id(name)}`, { ...value, id: id(name), subject: name === 'v' ? undefined : { reference: `Patient/${id(i % 2 ? 'b' : 'a')}` }, effectiveDateTime: `2020-01-0${i + 1}` })).status, 201);
  const query = `Observation?_id=${names.map(id).join(',')}`;
  assert.equal(short(await ask(`${query}&_sort=patient,-date`)).join(''), 'zxuyv');
  assert.equal(short(await ask(`${query}&_sort=-subject,date`)).join(''), 'yuxzv');
  assert.equal(short(await ask(`${query}&_sort=subject,code,date`)).join(''), 'xzyuv');
});
