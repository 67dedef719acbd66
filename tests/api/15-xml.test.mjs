// https://hl7.org/fhir/R4/xml.html: every interaction takes and gives XML as it does JSON
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, get, json, post, put, send, unique } from './lib/fhir.mjs';

const xml = 'application/fhir+xml';
const asXml = { Accept: xml };
const patientXml = (id, inside = '') => `<Patient xmlns="http://hl7.org/fhir"><id value="${id}"/>${inside}</Patient>`;
const name = '<name><family value="Novák"/><given value="Jana &amp; &#x10C;"/></name>';

test('what went in as XML comes out as JSON and as XML', async () => {
  const id = unique();
  const made = await put(`Patient/${id}`, `<?xml version="1.0" encoding="UTF-8"?>\n<!-- a note -->${patientXml(id, `<active value="true"/>${name}<birthDate value="1970-03"/>`)}`,
    { 'Content-Type': xml, ...asXml });
  assert.equal(made.status, 201);
  assert.match(made.headers.get('content-type'), /^application\/fhir\+xml/);
  assert.match(made.headers.get('vary'), /Accept/);
  const read = (await get(`Patient/${id}`)).body;
  assert.equal(read.active, true);
  assert.deepEqual(read.name, [{ family: 'Novák', given: ['Jana & Č'] }]);
  const back = await get(`Patient/${id}`, asXml);
  assert.equal(back.status, 200);
  assert.match(back.text, /^<\?xml version="1.0" encoding="UTF-8"\?><Patient xmlns="http:\/\/hl7.org\/fhir"><id value="[^"]+"\/><meta><versionId value="1"\/>/);
  assert.match(back.text, /<family value="Novák"\/><given value="Jana &amp; Č"\/>/);
  const again = await put(`Patient/${id}`, back.text, { 'Content-Type': xml });
  assert.equal(again.status, 200);
  assert.equal((await get(`Patient/${id}`)).body.meta.versionId, '1', 'the same content makes no version');
});

test('_format and Accept choose, quality decides, the first of equals', async () => {
  const id = unique();
  await put(`Patient/${id}`, patientXml(id), { 'Content-Type': xml });
  const type = async (path, headers) => (await get(path, headers)).headers.get('content-type').split(';')[0];
  assert.equal(await type(`Patient/${id}?_format=xml`), xml);
  assert.equal(await type(`Patient/${id}?_format=application/fhir%2Bxml`, { Accept: json }), xml);
  assert.equal(await type(`Patient/${id}?_format=json`, asXml), json);
  assert.equal(await type(`Patient/${id}`, { Accept: `${json};q=0.5, ${xml};q=0.9` }), xml);
  assert.equal(await type(`Patient/${id}`, { Accept: `${json};q=0.9, ${xml};q=0.899` }), json);
  assert.equal(await type(`Patient/${id}`, { Accept: `${xml}, ${json}` }), xml);
  assert.equal(await type(`Patient/${id}`, { Accept: 'text/html, application/xml;q=0.9, */*;q=0.8' }), xml);
  assert.equal(await type(`Patient/${id}`, { Accept: '*/*' }), json);
  assert.equal((await get(`Patient/${id}`, { Accept: `${xml};q=0` })).status, 406);
});

test('search, history, a transaction, metadata and errors', async () => {
  const id = unique();
  await put(`Patient/${id}`, patientXml(id, name), { 'Content-Type': xml });
  const found = await get(`Patient?_id=${id}`, asXml);
  assert.match(found.text, /<Bundle xmlns="http:\/\/hl7.org\/fhir">.*<type value="searchset"\/>.*<entry>.*<resource><Patient>/);
  assert.match((await get(`Patient/${id}/_history`, asXml)).text, /<type value="history"\/>/);
  assert.match((await get('metadata', asXml)).text, /<CapabilityStatement xmlns.*<format value="application\/fhir\+xml"\/>/);
  const two = unique();
  const bundle = `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource>${patientXml(two).replace(' xmlns="http://hl7.org/fhir"', '')}</resource><request><method value="PUT"/><url value="Patient/${two}"/></request></entry></Bundle>`;
  const done = await send('POST', '', bundle, { 'Content-Type': xml, ...asXml });
  assert.equal(done.status, 200, done.text);
  assert.match(done.text, /<type value="transaction-response"\/>.*<status value="201 ?[A-Za-z]*"\/>/);
  for (const [path, status] of [['Patient/none', 404], ['Patiet/1', 404], ['Patient?nme=x', 400]]) {
    const answer = await get(path, asXml);
    assert.equal(answer.status, status);
    assert.match(answer.text, /<OperationOutcome xmlns="http:\/\/hl7.org\/fhir">.*<severity value="error"\/>/, path);
  }
});

test('a patch, and a Binary as a resource', async () => {
  const id = unique();
  await put(`Patient/${id}`, patientXml(id, name), { 'Content-Type': xml });
  const patched = await send('PATCH', `Patient/${id}`, `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="add"/></part><part><name value="path"/><valueString value="Patient"/></part><part><name value="name"/><valueString value="birthDate"/></part><part><name value="value"/><valueDate value="1980-01-01"/></part></parameter></Parameters>`,
    { 'Content-Type': xml });
  assert.equal(patched.status, 200, patched.text);
  assert.equal((await get(`Patient/${id}`)).body.birthDate, '1980-01-01');
  const made = await post('Binary', '<Binary xmlns="http://hl7.org/fhir"><contentType value="text/plain"/><data value="aGk="/></Binary>', { 'Content-Type': xml });
  assert.equal(made.status, 201, made.text);
  const path = made.headers.get('location').slice(base.length + 1).split('/_history')[0];
  assert.equal((await get(path, { Accept: 'text/plain' })).text, 'hi');
  assert.match((await get(path, asXml)).text, /<Binary xmlns.*<data value="aGk="\/>/);
});

test('bad XML: 400 with line or place, wrong structure: 422, and nothing is fetched or stored', async () => {
  const id = unique();
  const bad = async (text) => {
    const answer = await put(`Patient/${id}`, text, { 'Content-Type': xml });
    assert.equal((await get(`Patient/${id}`)).status, 404);
    return { status: answer.status, issue: answer.body.issue[0] };
  };
  const open = await bad(`<Patient xmlns="http://hl7.org/fhir">\n<id value="${id}">`);
  assert.equal(open.status, 400);
  assert.match(open.issue.diagnostics, /line 2/);
  const doctype = await bad(`<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>${patientXml(id, '<name><text value="&b;"/></name>')}`);
  assert.equal(doctype.status, 400);
  assert.match(doctype.issue.diagnostics, /DOCTYPE/);
  const twice = await bad(patientXml(id, '<name/><active value="true"/><active value="false"/>'));
  assert.equal(twice.status, 400);
  assert.deepEqual(twice.issue.expression, ['Patient']);
  const unknown = await bad(patientXml(id, '<nme><family value="x"/></nme><active value="yes"/>'));
  assert.equal(unknown.status, 422);
  assert.match(unknown.issue.diagnostics, /name/);
  const deep = await bad(patientXml(id, '<extension url="u">'.repeat(100000)));
  assert.equal(deep.status, 400);
  assert.equal((await bad(patientXml(id, name).replaceAll('http://hl7.org/fhir', 'urn:other'))).status, 400);
});
