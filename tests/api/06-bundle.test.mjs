// https://hl7.org/fhir/R4/http.html#transaction
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { base, get, issues, observation, patient, post, put, unique } from './lib/fhir.mjs';

const bundle = (type, ...entry) => ({ resourceType: 'Bundle', type, entry });
const entry = (method, url, resource, more = {}) => ({ ...(resource && { resource }), request: { method, url, ...more } });
const urn = () => `urn:uuid:${randomUUID()}`;

test('a transaction rewrites references, uris and narrative links, whatever the order', async () => {
  const one = urn();
  const two = urn();
  const r = await post('', bundle('transaction',
    { fullUrl: two, ...entry('POST', 'Observation', observation(one, {
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${one}">p</a></div>` },
      identifier: [{ system: 'urn:ietf:rfc:3986', value: one }],
    })) },
    { fullUrl: one, ...entry('POST', 'Patient', patient()) },
  ));
  assert.equal(r.status, 200, r.text);
  assert.equal(r.body.type, 'transaction-response');
  assert.deepEqual(r.body.entry.map((e) => e.response.status.slice(0, 3)), ['201', '201']);
  const where = r.body.entry.map((e) => e.response.location.slice(base.length + 1).split('/_history')[0]);
  const made = (await get(where[0])).body;
  assert.equal(made.subject.reference, where[1]);
  assert.ok(made.text.div.includes(`href="${where[1]}"`));
  assert.equal(made.identifier[0].value, one, 'an identifier is no link');
});

test('a transaction is all or nothing, and says which entry is at fault', async () => {
  const value = unique();
  const good = patient({ identifier: [{ system: 'urn:t', value }] });
  for (const [bad, status, where] of [
    [entry('POST', 'Patient', { resourceType: 'Patient', gendr: 'male' }), 422, 'Bundle.entry[1].resource.gendr'],
    [entry('POST', 'Pacient', patient()), 404, 'Bundle.entry[1]'],
    [entry('PUT', `Patient/${unique()}`, patient({ id: 'another' })), 400, 'Bundle.entry[1]'],
    [entry('POST', 'Observation', observation('Patient/nobody')), 422, ''],
    [entry('POST', 'Observation', observation(`Patient?identifier=urn:t|${unique()}`)), 412, 'Bundle.entry[1]'],
    [entry('PUT', `Patient/${unique()}`, undefined), 422, 'Bundle.entry[1]'],
  ]) {
    const r = await post('', bundle('transaction', entry('POST', 'Patient', good), bad));
    assert.equal(r.status, status, `${JSON.stringify(bad)} ${r.text}`);
    assert.ok(JSON.stringify(issues(r)).includes(where), r.text);
    assert.equal((await get(`Patient?identifier=urn:t|${value}`)).body.total, 0);
  }
});

test('two writes of one resource are refused', async () => {
  const id = unique();
  const r = await post('', bundle('transaction', entry('PUT', `Patient/${id}`, patient({ id })), entry('DELETE', `Patient/${id}`)));
  assert.equal(r.status, 400);
  assert.equal(issues(r)[0].code, 'duplicate');
});

test('DELETE, POST, PUT, GET: reads see the writes, answers keep the order asked', async () => {
  const id = unique();
  const gone = unique();
  await put(`Patient/${gone}`, patient({ id: gone }));
  const r = await post('', bundle('transaction',
    entry('GET', `Patient/${id}`), entry('PUT', `Patient/${id}`, patient({ id, gender: 'female' })),
    entry('DELETE', `Patient/${gone}`), entry('GET', `Patient?_id=${id}`)));
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.body.entry.map((e) => e.response.status.slice(0, 3)), ['200', '201', '204', '200']);
  assert.equal(r.body.entry[0].resource.gender, 'female');
  assert.equal(r.body.entry[3].resource.total, 1);
});

test('conditional create and references inside a transaction', async () => {
  const value = unique();
  const make = () => {
    const name = urn();
    return bundle('transaction',
      { fullUrl: name, ...entry('POST', 'Patient', patient({ identifier: [{ system: 'urn:t', value }] }), { ifNoneExist: `identifier=urn:t|${value}` }) },
      entry('POST', 'Observation', observation(name)));
  };
  const first = await post('', make());
  const second = await post('', make());
  assert.deepEqual(first.body.entry.map((e) => e.response.status.slice(0, 3)), ['201', '201']);
  assert.deepEqual(second.body.entry.map((e) => e.response.status.slice(0, 3)), ['200', '201']);
  const found = await get(`Patient?identifier=urn:t|${value}`);
  assert.equal(found.body.total, 1);
  assert.equal((await get(`Observation?subject=Patient/${found.body.entry[0].resource.id}`)).body.total, 2);
  const by = await post('', bundle('transaction', entry('POST', 'Observation', observation(`Patient?identifier=urn:t|${value}`))));
  assert.equal(by.status, 200, by.text);
  assert.equal((await get(`Observation?subject=Patient/${found.body.entry[0].resource.id}`)).body.total, 3);
});

test('a read that fails fails the transaction, before anything is written (R4: every entry 2xx or 3xx, or nothing)', async () => {
  const value = unique();
  const made = entry('POST', 'Patient', patient({ identifier: [{ system: 'urn:r', value }] }));
  const there = unique(), fresh = unique(), gone = unique();
  for (const id of [there, gone]) await put(`Patient/${id}`, patient({ id }));
  const failing = [
    [entry('GET', `Patient/${unique()}`), 404], [entry('GET', `Patient/${there}/_history/7`), 404], [entry('GET', 'Patient?famly=x'), 400],
    [entry('HEAD', `Patient/${unique()}`), 404], [entry('GET', `Patient/${unique()}/$everything`), 404], [entry('GET', `Patient/${unique()}/_history`), 404],
  ];
  for (const [read, status] of failing) {
    const r = await post('', bundle('transaction', made, read));
    assert.equal(r.status, status, `${read.request.url}: ${r.text}`);
    assert.deepEqual(issues(r)[0].expression, ['Bundle.entry[1]'], r.text);
  }
  const both = await post('', bundle('transaction', made, entry('DELETE', `Patient/${gone}`), entry('GET', `Patient/${gone}`)));
  assert.equal(both.status, 410, both.text);
  assert.deepEqual(issues(both)[0].expression, ['Bundle.entry[2]']);
  assert.equal((await get(`Patient/${gone}`)).status, 200);
  assert.equal((await get(`Patient?identifier=urn:r|${value}`)).body.total, 0);
  const good = await post('', bundle('transaction', made, entry('PUT', `Patient/${fresh}`, patient({ id: fresh })), entry('GET', `Patient/${fresh}`),
    entry('GET', `Patient/${fresh}/_history`), entry('GET', `Patient/${there}`, undefined, { ifNoneMatch: 'W/"1"' })));
  assert.equal(good.status, 200, good.text);
  assert.deepEqual(good.body.entry.map((e) => e.response.status.slice(0, 3)), ['201', '201', '200', '200', '304']);
});

test('two entries that would both create what one condition does not find', async () => {
  const value = unique();
  const one = (more = {}) => patient({ identifier: [{ system: 'urn:u', value }], ...more });
  const condition = `identifier=urn:u|${value}`;
  const create = () => entry('POST', 'Patient', one(), { ifNoneExist: condition });
  const update = (more) => entry('PUT', `Patient?${condition}`, one(more));
  for (const pair of [[create(), create()], [update(), update()], [create(), update({ id: unique() })], [update({ id: unique() }), update({ id: unique() })]]) {
    const r = await post('', bundle('transaction', ...pair));
    assert.equal(r.status, 400, r.text);
    assert.deepEqual([issues(r)[0].code, issues(r)[0].expression], ['duplicate', ['Bundle.entry[1]']]);
  }
  assert.equal((await get(`Patient?${condition}`)).body.total, 0);
  const first = await post('', bundle('transaction', create(), entry('POST', 'Organization', { resourceType: 'Organization', name: 'x' }, { ifNoneExist: condition })));
  assert.equal(first.status, 200, first.text); // of another type
  const again = await post('', bundle('transaction', create(), create()));
  assert.deepEqual(again.body.entry.map((e) => e.response.status.slice(0, 3)), ['200', '200'], again.text);
});

test('a patch in a transaction: as Binary or Parameters, with what it says of other entries', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, active: true }));
  const binary = (operations, contentType = 'application/json-patch+json') =>
    ({ resourceType: 'Binary', contentType, data: Buffer.from(JSON.stringify(operations)).toString('base64') });
  const name = urn(), other = urn();
  const add = [{ op: 'add', path: '/link', value: [{ type: 'seealso', other: { reference: name } }] }];
  const r = await post('', bundle('transaction', entry('PATCH', `Patient/${id}`, binary(add)), { fullUrl: name, ...entry('POST', 'Patient', patient()) }));
  assert.equal(r.status, 200, r.text);
  assert.equal((await get(`Patient/${id}`)).body.link[0].other.reference, r.body.entry[1].response.location.match(/Patient\/[^/]+/)[0]);
  const part = (key, value) => ({ name: key, ...value });
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'operation', part: [part('type', { valueCode: 'replace' }), part('path', { valueString: 'Patient.link.other' }), part('value', { valueReference: { reference: other } })] }] };
  const second = await post('', bundle('transaction', entry('PATCH', `Patient/${id}`, parameters), { fullUrl: other, ...entry('POST', 'Patient', patient()) }));
  assert.equal(second.status, 200, second.text);
  assert.equal((await get(`Patient/${id}`)).body.link[0].other.reference, second.body.entry[1].response.location.match(/Patient\/[^/]+/)[0]);
  for (const type of ['application/merge-patch+json', 'application/json', 'text/plain']) {
    const refused = await post('', bundle('transaction', entry('PATCH', `Patient/${id}`, binary([], type))));
    assert.equal(refused.status, 415, refused.text);
  }
  assert.equal((await get(`Patient/${id}`)).body.meta.versionId, '3');
});

test('a batch runs each entry alone', async () => {
  const id = unique();
  const r = await post('', bundle('batch',
    entry('PUT', `Patient/${id}`, patient({ id })), entry('POST', 'Patient', { resourceType: 'Patient', gendr: 'x' }),
    entry('GET', `Patient/${id}`), entry('GET', `Patient/${unique()}`), entry('FLY', 'Patient'), entry('GET', 'Pacient/1')));
  assert.equal(r.status, 200);
  assert.equal(r.body.type, 'batch-response');
  assert.deepEqual(r.body.entry.map((e) => e.response.status.slice(0, 3)), ['201', '422', '200', '404', '422', '404']);
  assert.equal(r.body.entry[1].response.outcome.resourceType, 'OperationOutcome');
});

test('an address and a condition of an entry', async () => {
  const id = unique();
  const { meta } = (await put(`Patient/${id}`, patient({ id }))).body;
  const before = new Date(Date.parse(meta.lastUpdated) - 1).toISOString();
  const since = (ifModifiedSince) => entry('GET', `Patient/${id}`, undefined, { ifModifiedSince });
  const r = await post('', bundle('batch', since(meta.lastUpdated), since('2099-01-01T00:00:00+02:00'), since(before), entry('GET', `${base}/Patient/${id}`),
    entry('GET', `/Patient/${id}`), entry('GET', `http://other.example.org/fhir/Patient/${id}`), entry('GET', `Patient?url=http://x.org/y&_id=${id}`)));
  assert.deepEqual(r.body.entry.map((e) => e.response.status.slice(0, 3)), ['304', '304', '200', '200', '200', '400', '400'], r.text);
  assert.match(r.body.entry[5].response.outcome.issue[0].diagnostics, /^request.url names another server/);
  assert.match(r.body.entry[6].response.outcome.issue[0].diagnostics, /unknown search parameter 'url'/);
});

test('what is wrong around a resource of a batch is told at its entry, the rest to all', async () => {
  const good = entry('GET', 'Patient?_count=0');
  const r = await post('', bundle('batch', good,
    { ...good, bar: 1, link: [] }, { request: { method: 'GET' } }, { ...entry('POST', 'Patient'), resource: [] }, {}));
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(r.body.entry.map((e) => Number(e.response.status.slice(0, 3))), [200, 422, 422, 422, 422]);
  assert.deepEqual(r.body.entry.slice(1).map((e) => e.response.outcome.issue.map((i) => i.expression[0])), [
    ['Bundle.entry[1].bar', 'Bundle.entry[1].link'], ['Bundle.entry[2].request'], ['Bundle.entry[3].resource'], ['Bundle.entry[4]']]);
  for (const [broken, where] of [
    [{ ...bundle('batch', good), foo: 1 }, 'Bundle.foo'],
    [bundle('batch'), 'Bundle.entry'],
    [{ ...bundle('batch'), entry: {} }, 'Bundle.entry'],
    [bundle('batch', good, 5), 'Bundle.entry[1]'],
  ]) {
    const all = await post('', broken);
    assert.equal(all.status, 422, all.text);
    assert.equal(issues(all)[0].expression[0], where);
  }
  const many = await post('', bundle('batch', ...Array.from({ length: 200 }, () => ({ ...good, bar: 1 }))));
  assert.equal(many.status, 422, 'more problems than are listed: nobody knows whose');
});

test('a Bundle that is no batch or transaction', async () => {
  for (const type of ['collection', 'searchset', 'document']) assert.equal((await post('', bundle(type))).status, 422);
  assert.equal((await post('', patient())).status, 400);
  assert.equal((await post('', { resourceType: 'Bundle', type: 'transaction' })).status, 200);
});

test('a batch or transaction inside another is refused, and nothing else suffers', async () => {
  const inner = (type) => ({ resource: { resourceType: 'Bundle', type, entry: [{ resource: patient(), request: { method: 'POST', url: 'Patient' } }] }, request: { method: 'POST', url: '/' } });
  for (const outer of ['batch', 'transaction']) {
    for (const type of ['batch', 'transaction']) {
      const r = await post('', { resourceType: 'Bundle', type: outer, entry: [inner(type), { request: { method: 'GET', url: 'Patient?_count=1' } }] });
      const outcome = outer === 'batch' ? r.body.entry[0].response.outcome : r.body;
      assert.equal(outer === 'batch' ? Number(r.body.entry[0].response.status.slice(0, 3)) : r.status, 400, r.text);
      assert.match(outcome.issue[0].diagnostics, /can not be an entry of another one/);
      if (outer === 'batch') assert.match(r.body.entry[1].response.status, /^200/);
      for (let i = 0; i < 8; i++) assert.equal((await get('Patient?_count=1')).status, 200);
    }
  }
});
