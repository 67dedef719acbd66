// What https://hl7.org/fhir/R4/http.html asks beside the plain cases of the other files.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { base, del, get, issues, json, observation, patch, patient, post, put, send, unique } from './lib/fhir.mjs';
import { startServer } from './lib/server.mjs';

const bundle = (type, ...entry) => ({ resourceType: 'Bundle', type, entry });
const entry = (method, url, resource, more = {}) => ({ ...(resource && { resource }), request: { method, url, ...more } });
const withIdentifier = (value, more = {}) => patient({ identifier: [{ system: 'urn:r', value }], ...more });
const statuses = (r) => r.body.entry.map((e) => e.response.status.slice(0, 3));
const replaceGender = (value) => ({ resourceType: 'Parameters', parameter: [{ name: 'operation', part: [
  { name: 'type', valueCode: 'replace' }, { name: 'path', valueString: 'Patient.gender' }, { name: 'value', valueCode: value }] }] });

test('FHIRPath Patch obeys If-Match; a bad one changes nothing', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id, gender: 'male' }));
  assert.equal((await patch(`Patient/${id}`, replaceGender('female'), { 'If-Match': 'W/"4"' })).status, 412);
  assert.equal((await get(`Patient/${id}`)).body.gender, 'male');
  const done = await patch(`Patient/${id}`, replaceGender('female'), { 'If-Match': 'W/"1"' });
  assert.deepEqual([done.status, done.body.gender, done.headers.get('etag')], [200, 'female', 'W/"2"']);
  assert.equal((await patch(`Patient/${id}`, replaceGender('man'))).status, 422);
  assert.equal((await get(`Patient/${id}`)).body.meta.versionId, '2');
});

test('conditional FHIRPath Patch: one match is changed, several are refused', async () => {
  const value = unique();
  assert.equal((await patch(`Patient?identifier=urn:r|${value}`, replaceGender('other'))).status, 404);
  const made = await post('Patient', withIdentifier(value, { gender: 'male' }));
  assert.equal((await patch(`Patient?identifier=urn:r|${value}`, replaceGender('other'), { 'If-Match': 'W/"9"' })).status, 412);
  assert.equal((await patch(`Patient?identifier=urn:r|${value}`, replaceGender('other'))).body.gender, 'other');
  await post('Patient', withIdentifier(value, { gender: 'male' }));
  assert.equal((await patch(`Patient?identifier=urn:r|${value}`, replaceGender('female'))).status, 412);
  assert.equal((await get(`Patient/${made.body.id}`)).body.gender, 'other');
});

test('PATCH inside a transaction: FHIRPath, and JSON Patch in a Binary', async () => {
  const ids = [unique(), unique()];
  for (const id of ids) await put(`Patient/${id}`, patient({ id, gender: 'male' }));
  const data = Buffer.from(JSON.stringify([{ op: 'replace', path: '/gender', value: 'unknown' }])).toString('base64');
  const r = await post('', bundle('transaction', entry('PATCH', `Patient/${ids[0]}`, replaceGender('female')),
    entry('PATCH', `Patient/${ids[1]}`, { resourceType: 'Binary', contentType: 'application/json-patch+json', data })));
  assert.equal(r.status, 200, r.text);
  assert.deepEqual(statuses(r), ['200', '200']);
  assert.deepEqual(await Promise.all(ids.map(async (id) => (await get(`Patient/${id}`)).body.gender)), ['female', 'unknown']);
});

test('history pages at type and system level, without gap or repetition while others write', async () => {
  const ids = Array.from({ length: 5 }, () => unique('hp'));
  const began = new Date().toISOString();
  for (const id of ids) await put(`Basic/${id}`, { resourceType: 'Basic', id, code: { text: 'x' } });
  for (const where of ['Basic/_history', '_history']) {
    const seen = [];
    let url = `${where}?_count=2&_since=${began}`;
    for (let i = 0; url && i < 200; i++) {
      const r = await get(url);
      assert.equal(r.status, 200, r.text);
      seen.push(...(r.body.entry ?? []).map((e) => `${e.fullUrl} ${e.response.etag}`));
      if (i === 0) await put(`Basic/${ids[0]}`, { resourceType: 'Basic', id: ids[0], code: { text: `later ${where}` } });
      url = r.body.link.find((l) => l.relation === 'next')?.url;
    }
    assert.equal(new Set(seen).size, seen.length, `${where} repeats`);
    for (const id of ids) assert.ok(seen.some((s) => s.includes(`${base}/Basic/${id} W/"1"`)), `${where} lacks ${id}`);
  }
});

test('_at gives the version that was current then', async () => {
  const id = unique();
  const first = await put(`Patient/${id}`, patient({ id, gender: 'male' }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const between = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await put(`Patient/${id}`, patient({ id, gender: 'female' }));
  const then = (await get(`Patient/${id}/_history?_at=${between}`)).body;
  assert.deepEqual(then.entry.map((e) => e.resource.gender), ['male']);
  const now = (await get(`Patient/${id}/_history?_at=${new Date(Date.now() + 1000).toISOString()}`)).body;
  assert.deepEqual(now.entry.map((e) => e.resource.gender), ['female']);
  const moment = new Date(Date.parse(first.body.meta.lastUpdated) - 5000).toISOString();
  assert.equal((await get(`Patient/${id}/_history?_at=${moment}`)).body.entry, undefined);
});

test('HEAD and conditional GET on what is no single resource', async () => {
  for (const path of ['metadata', 'Patient?_count=1', 'Patient/_history?_count=1']) {
    const r = await send('HEAD', path);
    assert.deepEqual([r.status, r.text], [200, ''], path);
    assert.match(r.headers.get('content-type'), /fhir\+json/);
  }
});

test('references in a transaction: urn:uuid in every place, conditional ones, the base\'s own URLs', async () => {
  const name = `urn:uuid:${randomUUID()}`;
  const value = unique();
  await post('Organization', { resourceType: 'Organization', identifier: [{ system: 'urn:r', value }], name: 'x' });
  const r = await post('', bundle('transaction',
    { fullUrl: name, ...entry('POST', 'Patient', patient({ managingOrganization: { reference: `Organization?identifier=urn:r|${value}` } })) },
    entry('PUT', `Composition/${unique()}x`, undefined)));
  assert.equal(r.status, 422, 'an entry without its resource');
  const id = unique();
  const done = await post('', bundle('transaction',
    { fullUrl: name, ...entry('POST', 'Patient', patient({ managingOrganization: { reference: `Organization?identifier=urn:r|${value}` } })) },
    { fullUrl: `${base}/Observation/${id}`, ...entry('PUT', `Observation/${id}`, observation(name, { id,
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${name}">a</a> <img src="${name}" alt="b"/> ${name}</div>` },
      contained: [{ resourceType: 'Group', id: 'g', type: 'person', actual: true, member: [{ entity: { reference: name } }] }],
      focus: [{ reference: '#g' }], extension: [{ url: 'urn:x', valueReference: { reference: name } }, { url: 'urn:y', valueUri: name }] })) },
    { fullUrl: `urn:uuid:${randomUUID()}`, ...entry('POST', 'Observation', observation(name, { hasMember: [{ reference: `${base}/Observation/${id}` }] })) }));
  assert.equal(done.status, 200, done.text);
  const where = done.body.entry[0].response.location.slice(base.length + 1).split('/_history')[0];
  const made = (await get(`Observation/${id}`)).body;
  assert.equal(made.subject.reference, where);
  assert.equal(made.contained[0].member[0].entity.reference, where);
  assert.equal(made.extension[0].valueReference.reference, where);
  assert.equal(made.extension[1].valueUri, where);
  assert.ok(made.text.div.includes(`href="${where}"`) && made.text.div.includes(`src="${where}"`), made.text.div);
  assert.match((await get(where)).body.managingOrganization.reference, /^Organization\/[^?]+$/);
});

test('a resource is the target of one entry only, also by a condition', async () => {
  const value = unique();
  const { body: { id } } = await post('Patient', withIdentifier(value, { gender: 'male' }));
  for (const pair of [
    [entry('PUT', `Patient?identifier=urn:r|${value}`, withIdentifier(value)), entry('DELETE', `Patient/${id}`)],
    [entry('PUT', `Patient/${id}`, withIdentifier(value, { id })), entry('PATCH', `Patient?identifier=urn:r|${value}`, replaceGender('other'))],
    [entry('PUT', `Patient?identifier=urn:r|${value}`, withIdentifier(value)), entry('PUT', `Patient?identifier=urn:r|${value}&active:missing=true`, withIdentifier(value))],
  ]) {
    const r = await post('', bundle('transaction', ...pair));
    assert.equal(r.status, 400, r.text);
    assert.equal(issues(r)[0].code, 'duplicate');
  }
  assert.equal((await get(`Patient/${id}`)).body.meta.versionId, '1');
});

test('conditions inside a transaction: If-Match, ifNoneExist twice, conditional delete', async () => {
  const id = unique(), value = unique();
  await put(`Patient/${id}`, withIdentifier(value, { id }));
  const stale = await post('', bundle('transaction', entry('PUT', `Patient/${id}`, patient({ id }), { ifMatch: 'W/"7"' }), entry('POST', 'Patient', withIdentifier(`${value}-new`))));
  assert.equal(stale.status, 412);
  assert.equal((await get(`Patient?identifier=urn:r|${value}-new`)).body.total, 0);
  const fresh = await post('', bundle('transaction', entry('PUT', `Patient/${id}`, patient({ id }), { ifMatch: 'W/"1"' })));
  assert.deepEqual(statuses(fresh), ['200']);
  const gone = unique();
  await post('Patient', withIdentifier(gone));
  assert.deepEqual(statuses(await post('', bundle('transaction', entry('DELETE', `Patient?identifier=urn:r|${gone}`)))), ['204']);
  assert.equal((await get(`Patient?identifier=urn:r|${gone}`)).body.total, 0);
});

test('Prefer inside a transaction, and outcomes of each entry', async () => {
  const make = (prefer) => post('', bundle('transaction', entry('POST', 'Patient', patient())), { Prefer: `return=${prefer}` });
  assert.equal((await make('minimal')).body.entry[0].resource, undefined);
  assert.equal((await make('representation')).body.entry[0].resource.resourceType, 'Patient');
  assert.equal((await make('OperationOutcome')).body.entry[0].response.outcome.resourceType, 'OperationOutcome');
});

test('security labels added by $meta-add survive a PUT, and go with $meta-delete', async () => {
  const id = unique();
  const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' };
  const given = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { security: [label], tag: [{ system: 'urn:tags', code: 'm' }] } }] };
  await put(`Patient/${id}`, patient({ id }));
  await post(`Patient/${id}/$meta-add`, given);
  const after = await put(`Patient/${id}`, patient({ id, active: true }));
  assert.deepEqual(after.body.meta.security, [label]);
  assert.deepEqual(after.body.meta.tag.map((t) => t.code), ['m']);
  await post(`Patient/${id}/$meta-delete`, given);
  const end = (await get(`Patient/${id}`)).body.meta;
  assert.deepEqual([end.security, end.tag], [undefined, undefined]);
});

test('Binary keeps the securityContext of its resource form', async () => {
  const id = unique(), subject = unique();
  await put(`Patient/${subject}`, patient({ id: subject }));
  const securityContext = { reference: `Patient/${subject}` };
  const r = await put(`Binary/${id}`, { resourceType: 'Binary', id, contentType: 'text/plain', securityContext, data: 'aGFsbG8=' });
  assert.equal(r.status, 201, r.text);
  assert.deepEqual((await get(`Binary/${id}`, { Accept: json })).body.securityContext, securityContext);
  assert.equal((await put(`Binary/${unique()}`, 'x', { 'Content-Type': 'text/plain', 'X-Security-Context': `Patient/${unique()}` })).status, 422);
});

test('fhirVersion in what is sent and asked for', async () => {
  const r = await post('Patient', JSON.stringify(patient()), { 'Content-Type': `${json}; fhirVersion=4.0`, Accept: `${json}; fhirVersion=4.0` });
  assert.equal(r.status, 201);
  assert.equal((await post('Patient', JSON.stringify(patient()), { 'Content-Type': `${json}; fhirVersion=3.0` })).status, 415);
  assert.equal((await get('metadata', { Accept: `${json}; fhirVersion=3.0` })).status, 406);
  assert.equal((await get('metadata', { Accept: 'text/turtle' })).status, 406);
  assert.equal((await get('metadata?_format=text/turtle')).status, 406);
});

test('CORS is closed unless configured', async () => {
  const origin = 'https://portal.example';
  const simple = await get('metadata', { Origin: origin });
  assert.equal(simple.headers.get('access-control-allow-origin'), null);
  const asked = await send('OPTIONS', 'Patient', undefined, { Origin: origin, 'Access-Control-Request-Method': 'POST' });
  assert.equal(asked.headers.get('access-control-allow-origin'), null);
});

let server;
before(async () => {
  server = await startServer({ MEDULLA_HTTP_CORS_ORIGINS: 'https://portal.example', MEDULLA_FHIR_MULTIPLE_DELETE: 'true',
    MEDULLA_FHIR_CASCADE_LIMIT: '3', MEDULLA_FHIR_UPDATE_AS_CREATE: 'false' });
});
after(async () => assert.equal(await server.stop(), 0));
const at = (path) => `${server.base}/${path}`;

test('CORS when configured: the listed origin, and no other', async () => {
  const asked = await send('OPTIONS', at('Patient'), undefined, { Origin: 'https://portal.example', 'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'content-type,if-match,prefer' });
  assert.ok([200, 204].includes(asked.status));
  assert.equal(asked.headers.get('access-control-allow-origin'), 'https://portal.example');
  assert.match(asked.headers.get('access-control-allow-methods'), /PUT/);
  for (const name of ['content-type', 'if-match', 'prefer'])
    assert.ok(asked.headers.get('access-control-allow-headers').toLowerCase().includes(name), name);
  const real = await get(at('metadata'), { Origin: 'https://portal.example' });
  assert.equal(real.headers.get('access-control-allow-origin'), 'https://portal.example');
  assert.match(real.headers.get('vary') ?? '', /Origin/i);
  assert.match(real.headers.get('access-control-expose-headers') ?? '', /ETag/i);
  const other = await get(at('metadata'), { Origin: 'https://evil.example' });
  assert.equal(other.headers.get('access-control-allow-origin'), null);
});

test('a conditional delete of several, when configured, up to its limit and all or none', async () => {
  const url = (value) => at(`Patient?identifier=urn:r|${value}`);
  for (const [n, status, left] of [[3, 200, 0], [4, 412, 4]]) {
    const value = unique();
    for (let i = 0; i < n; i++) await post(at('Patient'), withIdentifier(value));
    assert.equal((await del(url(value))).status, status, `${n}`);
    assert.equal((await get(url(value))).body.total, left);
  }
});

test('update-as-create can be turned off', async () => {
  const id = unique();
  const r = await put(at(`Patient/${id}`), patient({ id }));
  assert.equal(r.status, 405, r.text);
  assert.equal((await get(at(`Patient/${id}`))).status, 404);
});

test('an empty condition is none: nothing is done', async () => {
  const id = unique();
  await put(`Patient/${id}`, patient({ id }));
  for (const name of ['If-Match', 'If-None-Exist', 'If-None-Match', 'Idempotency-Key']) {
    const r = await send('PUT', `Patient/${id}`, patient({ id, active: true }), { [name]: '' });
    assert.equal(r.status, 400, `${name}: ${r.text}`);
    assert.match(issues(r)[0].diagnostics, new RegExp(`^${name} is empty`));
  }
  assert.equal((await get(`Patient/${id}`)).body.meta.versionId, '1');
});

test("_format with a '+' that was not escaped", async () => {
  for (const [name, type] of [['application/fhir+xml', 'application/fhir+xml'], ['application/fhir+json', 'application/fhir+json']])
    assert.ok((await get(`Patient?_count=0&_format=${name}`, { Accept: 'application/fhir+json' })).headers.get('content-type').startsWith(type), name);
});
