// Requests made at random out of what the server says it can do: alone, and as entries of batches and
// transactions. None may be a 500 or leave the server unable to answer the next one.
// The short run is the same each time, so that a red one is the change's fault; the long one rolls
// anew. MEDULLA_TEST_SEED repeats it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, put, send } from './lib/fhir.mjs';
import { dice } from './lib/random.mjs';

const isLong = process.env.MEDULLA_LONG === '1';
const seed = Number(process.env.MEDULLA_TEST_SEED ?? (isLong ? Date.now() % 1000000 : 424829));
const requests = isLong ? 200000 : 4000;

const { random, pick, often: sometimes } = dice(seed);

const id = 'random';
const kept = [
  { resourceType: 'Patient' },
  { resourceType: 'ValueSet', url: 'urn:v', status: 'active', compose: { include: [{ system: 'urn:x', concept: [{ code: 'a' }] }] } },
  { resourceType: 'CodeSystem', url: 'urn:x', status: 'active', content: 'complete', concept: [{ code: 'a' }] },
  { resourceType: 'ConceptMap', url: 'urn:m', status: 'active', group: [{ source: 'urn:x', target: 'urn:y', element: [{ code: 'a', target: [{ code: 'b', equivalence: 'equal' }] }] }] },
  { resourceType: 'Composition', status: 'final', type: { text: 'x' }, date: '2020', author: [{ display: 'x' }], title: 't' },
  { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } },
  { resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { url: 'urn:d' } }] },
].map((resource) => ({ ...resource, id }));

const parameters = (...parameter) => ({ resourceType: 'Parameters', parameter });
const names = ['url', 'code', 'system', 'coding', 'expression', 'name', 'patient', 'mode', 'resource', 'valueSet', 'codeSystem', 'filter', 'count', 'meta', 'definition', 'profile'];
const bodies = [undefined, '', '{}', '[]', 'x'.repeat(100), { resourceType: 'Parameters' }, parameters({}),
  parameters(...names.map((name) => ({ name, valueString: 'urn:x' }))),
  parameters(...names.map((name) => ({ name, resource: { resourceType: 'Patient' } }))),
  parameters({ name: 'resource' }, { name: 'url', valueUri: 'urn:v' }, { name: 'url', valueUri: 'urn:v' }),
  { resourceType: 'Patient', id }, ...['batch', 'transaction'].map((type) => ({ resourceType: 'Bundle', type, entry: [] }))];
const queries = ['', '?url=urn:v', '?code=a&system=urn:x', '?codeA=a&codeB=a&system=urn:x', '?expression=1', '?identifier=x', `?patient=${id}`,
  '?url=Bundle/x', '?count=0&offset=-1', '?x=y', '?profile=urn:p&mode=profile', '?_count=0', '?_summary=count', '?_include=*'];
const headers = () => ({
  ...(sometimes(0.2) && { Prefer: pick(['respond-async', 'return=minimal', 'return=OperationOutcome', 'handling=lenient']) }),
  ...(sometimes(0.2) && { Accept: pick(['application/fhir+xml', 'text/html', 'application/json', '*/*;q=0']) }),
  ...(sometimes(0.1) && { 'Content-Type': pick(['application/fhir+xml', 'text/plain', 'application/x-www-form-urlencoded', 'application/json-patch+json']) }),
  ...(sometimes(0.1) && { 'If-None-Exist': 'identifier=x' }),
  ...(sometimes(0.1) && { 'If-Match': pick(['W/"1"', '*', 'x']) }),
});

function bundle(paths) {
  const entry = () => {
    const resource = pick(bodies);
    return { request: { method: pick(['GET', 'POST', 'PUT', 'PATCH']), url: pick(paths) + pick(queries) }, ...(typeof resource === 'object' && { resource }) };
  };
  return { resourceType: 'Bundle', type: pick(['batch', 'transaction']), entry: Array.from({ length: 1 + Math.floor(random() * 4) }, entry) };
}

test(`random requests, seed ${seed}`, async () => {
  for (const resource of kept) assert.ok([200, 201].includes((await put(`${resource.resourceType}/${id}`, resource)).status));
  const { rest: [rest] } = (await get('metadata')).body;
  const operations = [rest, ...rest.resource].flatMap((of) => of.operation ?? []).map((o) => `$${o.name}`);
  const places = ['', 'Patient', 'Observation', 'Bundle', 'Patient/none', `Patient/${id}/_history/1`, ...kept.flatMap((r) => [r.resourceType, `${r.resourceType}/${id}`])];
  const paths = places.flatMap((place) => [...new Set(operations), '_history', '_search', 'metadata', ''].map((what) => (place && what ? `${place}/${what}` : place || what || '/')));
  const answers = {};
  for (let i = 0; i < requests; i++) {
    const inBundle = sometimes(0.4);
    const method = inBundle ? 'POST' : pick(['GET', 'POST', 'POST', 'PUT', 'PATCH', 'HEAD']);
    const path = inBundle ? '' : pick(paths) + pick(queries);
    const body = inBundle ? bundle(paths) : method === 'GET' || method === 'HEAD' ? undefined : pick(bodies);
    const answer = await send(method, path === '/' ? '' : path, body, headers());
    const what = () => `seed ${seed}, request ${i}: ${method} ${path} ${JSON.stringify(body)?.slice(0, 1000)}: ${answer.text.slice(0, 500)}`;
    assert.ok(answer.status < 500 || answer.status === 501 || answer.status === 503, what());
    for (const { response } of answer.body?.type === 'batch-response' ? answer.body.entry ?? [] : []) assert.ok(!/^500/.test(response.status), what());
    if (i % 20 === 0) assert.equal((await get(`Patient/${id}`)).status, 200, what());
    answers[answer.status] = (answers[answer.status] ?? 0) + 1;
  }
  // so that it would be noticed if the requests did not reach what they are for
  for (const status of [200, 400, 404, 422]) assert.ok(answers[status] > requests / 100, JSON.stringify(answers));
});
