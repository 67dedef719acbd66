// Every row of docs/limits.md: its default is the program's own, and beyond it the answer is the
// one the page names. Each limit that can be set is set low here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { binary, medulla, onPostgres, startServer } from './lib/server.mjs';
import { json, patient } from './lib/fhir.mjs';

const page = readFileSync('docs/limits.md', 'utf8').split('\nBehind the shipped nginx')[0];
const rows = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map((row) => row.slice(1))
  .filter(([name]) => name !== 'limit' && !name.startsWith('-'));
const shown = Object.fromEntries(execFileSync(binary, ['config', 'show'], { encoding: 'utf8' })
  .split('\n').map((line) => /^(\S+) += (.*?) +# default$/.exec(line)?.slice(1)).filter(Boolean));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const body = (r) => JSON.stringify(r);
const send = (s, method, path, text, headers = {}) => fetch(`${s.base}/${path}`, { method, body: text,
  headers: { ...(text !== undefined && { 'Content-Type': json }), ...headers } });
const statusOf = async (answer) => { const r = await answer; await r.arrayBuffer(); return r.status; };
const create = (s, r, headers) => send(s, 'POST', r.resourceType, body(r), headers);

// Bytes as they are; gives what came back and whether the server closed, after `ms` at the latest.
function raw(s, bytes, { ms = 20000 } = {}) {
  return new Promise((resolve) => {
    const socket = net.connect(Number(new URL(s.base).port), '127.0.0.1');
    let text = '';
    const end = (closed) => { clearTimeout(timer); socket.destroy(); resolve({ text, closed, status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]) }); };
    const timer = setTimeout(() => end(false), ms);
    socket.on('data', (data) => { text += data.toString('latin1'); });
    socket.on('end', () => end(true)).on('close', () => end(true)).on('error', () => end(true));
    socket.on('connect', () => { socket.write(bytes, 'latin1'); });
  });
}
const head = (line, ...headers) => `${[line, 'Host: 127.0.0.1', ...headers].join('\r\n')}\r\n\r\n`;
const closing = 'Connection: close';

async function using(settings, run) {
  const s = await startServer(Object.fromEntries(Object.entries(settings)
    .map(([key, value]) => [`MEDULLA_${key.toUpperCase().replace('.', '_')}`, String(value)])));
  try {
    await run(s);
  } finally {
    assert.equal(await s.stop(), 0);
  }
}

// Asks until somebody is refused with `status`; the others must be served.
async function until(status, ask, served) {
  for (let i = 0; i < 40; i++) {
    const answers = await Promise.all(Array.from({ length: 64 }, ask));
    assert.deepEqual([...new Set(answers.map((a) => a.status))].filter((x) => x !== status && x !== served), []);
    const refused = answers.find((a) => a.status === status);
    if (refused) return refused;
  }
  return assert.fail(`never ${status}`);
}

const nested = (n, open, close, inner) => open.repeat(n) + inner + close.repeat(n);
const narrative = (n) => patient({ text: { status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${nested(n, '<b>', '</b>', 'x')}</div>` } });
const big = (mebibytes) => zlib.gzipSync(Buffer.from(`${' '.repeat(mebibytes << 20)}${body(patient())}`));
const zipped = { 'Content-Encoding': 'gzip' };

const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const costly = async (answer, words) => {
  const a = await answer;
  const outcome = await a.json();
  assert.deepEqual([a.status, outcome.issue[0].code], [403, 'too-costly']);
  assert.match(outcome.issue[0].diagnostics, words);
};

const put = async (s, resource) => assert.ok([200, 201].includes(await statusOf(send(s, 'PUT', `${resource.resourceType}/${resource.id}`, body(resource)))), resource.id);
const valueSet = (id, include) => ({ resourceType: 'ValueSet', id, url: `urn:vs:${id}`, status: 'active', compose: { include } });

const cases = {
  'request line': () => using({}, async (s) => {
    const line = (n) => `GET /fhir/Patient?family=${'x'.repeat(n)} HTTP/1.1`;
    assert.equal((await raw(s, head(line(8000), closing))).status, 200);
    assert.equal((await raw(s, head(line(8200), closing))).status, 414);
  }),
  head: () => using({ 'http.head': '4KiB' }, async (s) => {
    assert.equal((await raw(s, head('GET /fhir/metadata HTTP/1.1', `X: ${'y'.repeat(3500)}`, closing))).status, 200);
    assert.equal((await raw(s, head('GET /fhir/metadata HTTP/1.1', `X: ${'y'.repeat(4500)}`, closing))).status, 431);
  }),
  'number of headers': () => using({}, async (s) => {
    const many = (n) => head('GET /fhir/metadata HTTP/1.1', closing, ...Array.from({ length: n }, (_, i) => `X-${i}: y`));
    assert.equal((await raw(s, many(98))).status, 200);
    assert.equal((await raw(s, many(99))).status, 431);
  }),
  'body, as sent and as inflated': () => using({ 'http.body': '64KiB' }, async (s) => {
    const exact = '{"resourceType":"Patient","active":true}'.padEnd(65536);
    assert.equal(await statusOf(send(s, 'POST', 'Patient', exact)), 201);
    assert.equal(await statusOf(send(s, 'POST', 'Patient', `${exact} `)), 413);
    assert.equal(await statusOf(send(s, 'POST', 'Patient', zlib.gzipSync(exact), zipped)), 201);
    assert.equal(await statusOf(send(s, 'POST', 'Patient', zlib.gzipSync(`${exact} `), zipped)), 413);
    assert.equal((await raw(s, `${head('POST /fhir/Patient HTTP/1.1', `Content-Type: ${json}`, 'Transfer-Encoding: chunked')}11000\r\n${'x'.repeat(0x11000)}\r\n0\r\n\r\n`)).status, 413);
  }),
  'gzip: output to input, beyond the first 64 KiB': () => using({}, async (s) => {
    assert.equal(await statusOf(send(s, 'POST', 'Patient', zlib.gzipSync(`${' '.repeat(60000)}${body(patient())}`), zipped)), 201);
    for (const bomb of [big(1), big(30), Buffer.concat(Array(300).fill(zlib.gzipSync(' '.repeat(102400))))])
      assert.equal(await statusOf(send(s, 'POST', 'Patient', bomb, zipped)), 413);
    for (const broken of [zlib.gzipSync(body(patient())).subarray(0, 40), Buffer.from('none'), zlib.deflateRawSync('{}')])
      assert.equal(await statusOf(send(s, 'POST', 'Patient', broken, zipped)), 400);
  }),
  'time for the head': () => using({ 'http.head_seconds': 1 }, async (s) => {
    // Who has not sent a byte by then is closed without a word: so is this client on a machine so busy
    // that its first bytes take a second. Then it tries again.
    let slow;
    for (let i = 0; i < 20 && !slow?.text; i++) slow = await raw(s, 'GET /fhir/metadata HTTP/1.1\r\nX: ');
    assert.deepEqual([slow.status, slow.closed], [408, true]);
  }),
  'speed of the body': () => using({ 'http.body_rate': 1000 }, async (s) => {
    const slow = await raw(s, `${head('POST /fhir/Patient HTTP/1.1', `Content-Type: ${json}`, 'Content-Length: 1000000')}{`,
      { ms: 45000 });
    assert.deepEqual([slow.status, slow.closed], [408, true]);
  }),
  'speed of reading the answer': () => using({}, async (s) => {
    const made = await send(s, 'POST', 'Binary', Buffer.alloc(20 << 20, 'a'), { 'Content-Type': 'text/plain' });
    assert.equal(made.status, 201);
    const path = new URL(made.headers.get('location')).pathname;
    await made.arrayBuffer();
    const port = Number(new URL(s.base).port);
    const socket = net.connect(port, '127.0.0.1', () => { socket.write(head(`GET ${path} HTTP/1.1`)); socket.pause(); });
    socket.on('error', () => {});
    await sleep(40000);
    let read = 0;
    socket.on('data', (data) => { read += data.length; });
    await Promise.race([new Promise((resolve) => socket.on('close', resolve).on('end', resolve)), sleep(5000)]);
    assert.ok(read < 20 << 20, `${read} bytes: it was cut`);
    socket.destroy();
  }),
  'extensions of chunks; trailers': () => using({}, async (s) => {
    const chunked = (bytes) => raw(s, `${head('POST /fhir/Patient HTTP/1.1', `Content-Type: ${json}`, 'Transfer-Encoding: chunked')}${bytes}`);
    const text = body(patient());
    const n = Buffer.byteLength(text).toString(16);
    const sent = Buffer.from(text).toString('latin1');
    const fine = await raw(s, `${head('POST /fhir/Patient HTTP/1.1', `Content-Type: ${json}`, closing, 'Transfer-Encoding: chunked')}${n};a=b\r\n${sent}\r\n0\r\nX: y\r\n\r\n`);
    assert.equal(fine.status, 201);
    for (const bytes of [`1;${'x'.repeat(5000)}`, `0\r\n${'X: y\r\n'.repeat(1000)}`]) {
      const bad = await chunked(bytes);
      assert.deepEqual([bad.status, bad.closed], [400, true]);
    }
  }),
  memory: () => using({ 'http.arena': '16MiB' }, async (s) => {
    const long = patient({ name: [{ given: Array(900000).fill('x') }] });
    const answer = await create(s, long);
    const outcome = await answer.json();
    assert.deepEqual([answer.status, outcome.issue[0].code], [413, 'too-costly']);
    assert.equal(await statusOf(create(s, patient())), 201);
  }),
  'JSON depth': () => using({}, async (s) => {
    // 64 levels are read, and found wrong by the structure check; 65 are not read
    assert.equal(await statusOf(send(s, 'POST', 'Patient', `{"resourceType":"Patient","a":${nested(63, '[', ']', '1')}}`)), 422);
    assert.equal(await statusOf(send(s, 'POST', 'Patient', `{"resourceType":"Patient","a":${nested(64, '[', ']', '1')}}`)), 400);
  }),
  'a string': () => using({}, async (s) => {
    const named = (n) => patient({ name: [{ family: 'x'.repeat(n) }] });
    assert.equal(await statusOf(create(s, named(1 << 20))), 201);
    const answer = await create(s, named((1 << 20) + 1));
    assert.equal(answer.status, 413);
    assert.equal((await answer.json()).issue[0].code, 'too-long');
  }),
  'elements inside each other in a narrative': () => using({}, async (s) => {
    assert.equal(await statusOf(create(s, narrative(127))), 201);
    assert.equal(await statusOf(create(s, narrative(129))), 422);
  }),
  'problems told of one resource': () => using({}, async (s) => {
    const answer = await create(s, { ...patient(), ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`zz${i}`, 1])) });
    const { issue } = await answer.json();
    assert.equal(answer.status, 422);
    assert.ok(issue.length >= 101 && issue.length <= 102);
    assert.match(issue.at(-1).diagnostics, /more/);
  }),
  'query parameters': () => using({}, async (s) => {
    assert.equal(await statusOf(send(s, 'GET', `Patient?${Array(60).fill('family=x').join('&')}`)), 200);
    const answer = await send(s, 'GET', `Patient?${Array(257).fill('family=x').join('&')}`);
    assert.equal(answer.status, 403);
    assert.equal((await answer.json()).issue[0].code, 'too-costly');
  }),
  'entries of a Bundle': () => using({ 'fhir.bundle_entries': 3 }, async (s) => {
    for (const type of ['batch', 'transaction']) {
      const bundle = (n) => body({ resourceType: 'Bundle', type, entry: Array.from({ length: n }, () => ({ resource: patient(), request: { method: 'POST', url: 'Patient' } })) });
      assert.equal(await statusOf(send(s, 'POST', '', bundle(3))), 200);
      assert.equal(await statusOf(send(s, 'POST', '', bundle(4))), 413);
    }
  }),
  'resources one cascade removes': () => using({ 'fhir.cascade_limit': 2 }, async (s) => {
    await statusOf(send(s, 'PUT', 'Patient/p', body(patient({ id: 'p' }))));
    const about = { resourceType: 'Basic', code: { text: 'x' }, subject: { reference: 'Patient/p' } };
    for (let i = 0; i < 2; i++) assert.equal(await statusOf(create(s, about)), 201);
    const answer = await send(s, 'DELETE', 'Patient/p?_cascade=delete');
    assert.deepEqual([answer.status, (await answer.json()).issue[0].code], [409, 'too-costly']);
    assert.equal(await statusOf(send(s, 'GET', 'Patient/p')), 200);
  }),
  'page size': () => using({ 'fhir.count_max': 2 }, async (s) => {
    for (let i = 0; i < 3; i++) await statusOf(create(s, patient()));
    const found = await (await send(s, 'GET', 'Patient?_count=50')).json();
    assert.equal(found.entry.length, 2);
    assert.match(found.link.find((l) => l.relation === 'self').url, /_count=2(&|$)/);
  }),
  connections: () => using({ 'http.connections': 5, 'http.loops': 1 }, async (s) => {
    const port = Number(new URL(s.base).port);
    const held = [];
    for (let i = 0; i < 20; i++) held.push(net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
    await sleep(300);
    const late = await raw(s, head('GET /health/live HTTP/1.1', closing), { ms: 600 });
    assert.equal(late.text, '', 'nobody accepts it');
    held.forEach((socket) => socket.destroy());
    await sleep(300);
    assert.equal((await raw(s, head('GET /health/live HTTP/1.1', closing))).status, 200);
  }),
  'connections of one address': () => using({ 'http.connections_per_address': 3 }, async (s) => {
    const port = Number(new URL(s.base).port);
    await sleep(200);
    const held = [];
    for (let i = 0; i < 8; i++) held.push(net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
    await sleep(300);
    const late = await raw(s, head('GET /health/live HTTP/1.1', closing));
    assert.deepEqual([late.status, late.closed], [503, true]);
    held.forEach((socket) => socket.destroy());
    await sleep(300);
    assert.equal((await raw(s, head('GET /health/live HTTP/1.1', closing))).status, 200);
  }),
  'bodies being received at once': () => using({ 'http.bodies_in_flight': '1MiB' }, async (s) => {
    const half = `${head('POST /fhir/Patient HTTP/1.1', `Content-Type: ${json}`, 'Content-Length: 900000')}${' '.repeat(700000)}`;
    const answers = await Promise.all([0, 1, 2].map(() => raw(s, half, { ms: 1500 })));
    assert.equal(answers.filter((a) => a.status === 503).length, 2);
    assert.equal(await statusOf(create(s, patient())), 201);
  }),
  'commits waiting': () => using({ 'store.queue': 1 }, async (s) => {
    const refused = await until(503, async () => { const a = await create(s, patient()); await a.arrayBuffer(); return a; }, 201);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
  }),
  'a search, by its estimate': () => using({ 'fhir.search_cost': 1, 'search.content': false }, async (s) => { // no list serves it
    const entry = times(300, () => ({ request: { method: 'POST', url: 'Patient' }, resource: patient() }));
    assert.equal(await statusOf(send(s, 'POST', '', body({ resourceType: 'Bundle', type: 'transaction', entry }))), 200);
    await costly(send(s, 'GET', 'Patient?identifier:text=nothing'), /fhir\.search_cost.*add a patient/);
    assert.equal(await statusOf(send(s, 'GET', 'Patient?_count=1')), 200);
  }),
  'time for one page of a search': () => using({ 'fhir.page_time': 1 }, async (s) => {
    const n = 3000;
    await fill(s, times(n, (i) => patient({ id: `t${i}`, ...(i === 0 && { communication: [{ language: { coding: [{ code: 'da' }] } }] }) })));
    let early = 0, url = `${s.base}/Patient?language:missing=false`; // no index says it
    const found = [];
    for (let pages = 0; url; pages++) {
      assert.ok(pages < n);
      const bundle = await (await fetch(url)).json();
      url = bundle.link.find((l) => l.relation === 'next')?.url;
      const late = bundle.entry?.some((e) => e.search.mode === 'outcome' && /follow the next link/.test(e.resource.issue[0].diagnostics)) ?? false;
      assert.ok(!late || url);
      early += late;
      found.push(...(bundle.entry ?? []).filter((e) => e.search.mode === 'match').map((e) => e.resource.id));
    }
    assert.deepEqual(found, ['t0']);
    assert.ok(early > 0);
  }),
  'the expression of one': () => using({}, async (s) => {
    const named = (n) => ({ resourceType: 'SearchParameter', url: `urn:long:${n}`, name: 'long', status: 'active', description: 'long',
      code: `long-${n}`, base: ['Patient'], type: 'string', expression: `Patient.name.family${' '.repeat(n - 19)}` });
    assert.equal(await statusOf(create(s, named(4096))), 201);
    assert.equal(await statusOf(create(s, named(4097))), 422);
  }),
  'steps of an expression given to `$fhirpath`': () => using({}, async (s) => {
    const given = (n) => ({ resourceType: 'Parameters', parameter: [{ name: 'expression', valueString: 'name.given.select(%resource.name.given.select($this & \'x\').count())' },
      { name: 'resource', resource: patient({ name: [{ given: times(n, (i) => `n${i}`) }] }) }] });
    assert.equal(await statusOf(send(s, 'POST', '$fhirpath', body(given(100)))), 200);
    const over = await send(s, 'POST', '$fhirpath', body(given(1500)));
    assert.equal(over.status, 422);
    assert.equal((await over.json()).issue[0].code, 'too-costly');
  }),
  'codes of one `$expand`': () => using({}, async (s) => {
    await put(s, valueSet('many', [{ system: 'urn:many', concept: times(10001, (i) => ({ code: `c${i}` })) }]));
    await costly(send(s, 'GET', 'ValueSet/$expand?url=urn:vs:many'), /10000/);
    const page = await (await send(s, 'GET', 'ValueSet/$expand?url=urn:vs:many&count=5')).json();
    assert.equal(page.expansion.contains.length, 5);
  }),
  'codes of a `$closure` table': () => using({}, async (s) => {
    await put(s, { resourceType: 'CodeSystem', id: 'wide', url: 'urn:wide', status: 'active', content: 'complete', concept: times(5001, (i) => ({ code: `c${i}` })) });
    const closure = (codes) => send(s, 'POST', '$closure', body({ resourceType: 'Parameters', parameter: [{ name: 'name', valueString: 'wide' },
      ...codes.map((code) => ({ name: 'concept', valueCoding: { system: 'urn:wide', code } }))] }));
    assert.equal(await statusOf(closure([])), 200);
    assert.equal(await statusOf(closure(times(5000, (i) => `c${i}`))), 200);
    await costly(closure(['c5000']), /5000/);
  }),
  'validations of one `$batch-validate-code`': () => using({}, async (s) => {
    const coding = { system: 'http://hl7.org/fhir/administrative-gender', code: 'male' };
    const validation = { name: 'validation', resource: { resourceType: 'Parameters', parameter: [{ name: 'coding', valueCoding: coding }] } };
    const batch = (n) => send(s, 'POST', 'CodeSystem/$batch-validate-code', body({ resourceType: 'Parameters', parameter: times(n, () => validation) }));
    assert.equal((await (await batch(1000)).json()).parameter.length, 1000);
    await costly(batch(1001), /1000/);
  }),
  'concepts that `$find-matches` names': () => using({}, async (s) => {
    await put(s, { resourceType: 'CodeSystem', id: 'wide', url: 'urn:wide', status: 'active', content: 'complete', concept: times(101, (i) => ({ code: `c${i}`, display: 'Same' })) });
    const find = await send(s, 'POST', 'CodeSystem/$find-matches', body({ resourceType: 'Parameters', parameter: [{ name: 'system', valueUri: 'urn:wide' },
      { name: 'property', part: [{ name: 'code', valueCode: 'display' }, { name: 'value', valueString: 'Same' }] }] }));
    const { parameter } = await find.json();
    assert.equal(parameter.length, 100);
    assert.match(parameter[0].part.find((p) => p.name === 'comment').valueString, /there are more/);
  }),
  'codes that `:in`, `:not-in`, `:above`, `:below` stand for': () => using({}, async (s) => {
    for (const n of [1000, 1001]) await put(s, valueSet(`in-${n}`, [{ system: 'urn:many', concept: times(n, (i) => ({ code: `c${i}` })) }]));
    assert.equal(await statusOf(send(s, 'GET', 'Observation?code:in=urn:vs:in-1000')), 200);
    const over = await send(s, 'GET', 'Observation?code:in=urn:vs:in-1001');
    assert.equal(over.status, 400);
    assert.equal((await over.json()).issue[0].code, 'too-costly');
  }),
  'value sets inside each other': () => using({}, async (s) => {
    for (let i = 0; i < 18; i++)
      await put(s, valueSet(`deep-${i}`, [i === 0 ? { system: 'urn:many', concept: [{ code: 'c' }] } : { valueSet: [`urn:vs:deep-${i - 1}`] }]));
    // one after the other, so that those inside are known when the next one is asked for
    for (let i = 0; i < 16; i++) assert.equal(await statusOf(send(s, 'GET', `ValueSet/$expand?url=urn:vs:deep-${i}`)), 200);
    await costly(send(s, 'GET', 'ValueSet/$expand?url=urn:vs:deep-16'), /16/);
    for (let i = 0; i < 8; i++)
      await put(s, valueSet(`wide-${i}`, times(10, () => (i === 0 ? { system: 'urn:many', concept: [{ code: 'c' }] } : { valueSet: [`urn:vs:wide-${i - 1}`] }))));
    const has = (i) => send(s, 'GET', `ValueSet/$validate-code?url=urn:vs:wide-${i}&system=urn:many&code=other`);
    assert.equal(await statusOf(has(3)), 200);
    for (const i of [4, 5, 6, 7]) await costly(has(i), /10000/);
  }),
  'long requests waiting': () => using({ 'worker.queue': 1, 'worker.threads': 1 }, async (s) => {
    const batch = body({ resourceType: 'Bundle', type: 'batch', entry: Array.from({ length: 50 }, () => ({ request: { method: 'GET', url: 'Patient' } })) });
    const refused = await until(503, async () => { const a = await send(s, 'POST', '', batch); await a.arrayBuffer(); return a; }, 200);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
  }),
};

// ---- what only a full store shows ----

const FULL = 10001;
const long = process.env.MEDULLA_LONG === '1';
const ndjson = (resources) => resources.map((r) => `${body(r)}\n`).join('');
const found = async (s, query) => (await send(s, 'GET', query)).json();
const fill = async (s, resources) => {
  const done = await medulla(['import', '--data', s.data, '-'], { input: ndjson(resources) });
  assert.equal(done.code, 0, done.err);
};

const full = {
  'resources a page includes': async (s) => {
    const lone = await found(s, 'Patient?_id=p&_revinclude=Observation:subject');
    assert.equal(lone.entry.filter((e) => e.search.mode === 'include').length, 10000);
    const [{ resource: outcome }] = lone.entry.filter((e) => e.search.mode === 'outcome');
    assert.equal(outcome.issue[0].code, 'incomplete');
    const two = await found(s, 'Patient?_id=p,q&_revinclude=Observation:subject');
    assert.equal(two.entry.filter((e) => e.search.mode === 'match').length, 1);
    assert.ok(two.link.some((l) => l.relation === 'next'));
  },
  'values of one search parameter': async (s) => {
    const values = (n) => `Patient?family=${Array(n).fill('a').join()}`;
    assert.equal(await statusOf(send(s, 'GET', values(1000))), 200);
    await costly(send(s, 'GET', values(1001)), /1000/);
  },
  'names in `_elements`': async (s) => {
    const names = (n) => `_elements=${Array(n).fill('name').join()}`;
    assert.equal(await statusOf(send(s, 'GET', `Patient?${names(256)}`)), 200);
    await costly(send(s, 'GET', `Patient?${names(257)}`), /256/);
    await costly(send(s, 'GET', `metadata?${names(257)}`), /256/);
  },
  'words of one value of `_text`, `_content`': async (s) => {
    const words = (n) => `Patient?_content=${times(n, (i) => `word${i}`).join('%20')}`;
    assert.equal(await statusOf(send(s, 'GET', words(32))), 200);
    assert.equal(await statusOf(send(s, 'GET', words(33))), 400);
  },
  'tests of a `_filter`, parentheses in it': async (s) => {
    const tests = (n) => `Patient?_filter=${encodeURIComponent(Array(n).fill('active eq true').join(' or '))}`;
    const deep = (n) => `Patient?_filter=${encodeURIComponent(nested(n, '(', ')', 'active eq true'))}`;
    for (const [ok, over] of [[tests(100), tests(101)], [deep(16), deep(17)]]) {
      assert.equal(await statusOf(send(s, 'GET', ok)), 200);
      await costly(send(s, 'GET', over), /100|16/);
    }
  },
  'resources of a hierarchy (`:above`, `:below`)': (s) => costly(send(s, 'GET', 'Location?partof:below=root'), /10000/),
  'Observations `$lastn` looks at': async (s) => {
    await costly(send(s, 'GET', 'Observation/$lastn?patient=p'), /9500/);
    assert.equal(await statusOf(send(s, 'GET', 'Observation/$lastn?patient=q')), 200);
  },
  'entries of a document that `$document` makes': async (s) => {
    const letter = (id, n) => ({ resourceType: 'Composition', id, status: 'final', type: { text: 'Letter' }, title: 'Letter', date: '2026-01-02',
      subject: { reference: 'Patient/p' }, author: [{ display: 'Holm' }],
      section: [{ title: 'All', entry: times(n, (i) => ({ reference: `Observation/o${i + 1}` })) }] });
    await put(s, letter('fits', 1900));
    await put(s, letter('over', 2001));
    assert.equal(await statusOf(send(s, 'GET', 'Composition/fits/$document')), 200);
    await costly(send(s, 'GET', 'Composition/over/$document'), /2000/);
  },
  'commands at work on a running server': async (s) => {
    let held;
    const importing = medulla(['import', '--data', s.data, '-'], { ready: (child) => { held = child; } });
    // who comes first is served: so wait until ours has surely begun (large resources do not wait for more)
    held.stdin.write(ndjson(times(20, (i) => ({ resourceType: 'Patient', id: `held-${i}`, name: [{ text: 'x'.repeat(70000) }] }))));
    await waitFor(async () => (await sleep(250), await statusOf(send(s, 'GET', 'Patient/held-0')) === 200));
    const second = await medulla(['import', '--data', s.data, '-'], { input: '' });
    assert.match(second.err, /another import/);
    // an export takes some time, but how long? So try until one of ours falls into it
    await waitFor(async (i) => {
      const exporting = medulla(['export', '--data', s.data, join(s.folder, `out-${i}`)]);
      let refused = false;
      for (let j = 0; j < 3 && !refused; j++) {
        const third = await medulla(['verify', '--data', s.data]);
        refused = third.code === 1 && /at 2 other commands; wait/.test(third.err);
      }
      const other = await exporting;
      return refused || /at 2 other commands; wait/.test(other.err);
    });
    held.stdin.end();
    assert.equal((await importing).code, 0);
  },
  'resources sorted by what no index orders': async (s) => {
    await fill(s, times(10 * FULL, (i) => ({ resourceType: 'Basic', id: `b${i}`, code: { text: `x${i}` } })));
    await costly(send(s, 'GET', 'Basic?_sort=code'), /100000/);
  },
};
const skipped = {
  'resources sorted by what no index orders': !long && 'of the long tests',
  'commands at work on a running server': onPostgres && 'with PostgreSQL commands need no server',
};

async function waitFor(happens) {
  for (let i = 0; i < 40; i++) if (await happens(i)) return;
  assert.fail('it never happened');
}

// Shown where the feature is tested: row -> the file, its test, and the constant it goes by, if it has
// a name. With a constant alone only the number is compared.
const session = 'tests/unit/admin/test_session.c'; // packet sockets are nothing for a script
const elsewhere = {
  'connections on the admin socket': [session, 'TEST(there_are_only_so_many_connections)', 'src/admin/server.h', 'MED_ADMIN_CONNECTIONS = 8'],
  'a packet on the admin socket': [session, 'TEST(what_is_no_request_runs_nothing)', 'src/admin/message.h', 'MED_MESSAGE_BYTES = 64 << 10'],
  'the `.tgz` of a package; unpacked; one file in it': ['tests/api/19-packages.test.mjs', "'a bomb'", 'src/package/archive.h', 'MED_ARCHIVE_PACKED_MAX ((size_t)128 << 20)',
    'src/package/archive.h', 'MED_ARCHIVE_PLAIN_MAX ((uint64_t)1 << 30)', 'src/package/archive.h', 'MED_ARCHIVE_ENTRY_MAX ((size_t)64 << 20)', 'src/package/archive.h', 'MED_ARCHIVE_RATIO_MAX = 200'],
  'files in a package; elements of one snapshot': ['src/package/archive.h', 'MED_ARCHIVE_ENTRIES_MAX = 50000', 'src/package/snapshot.h', 'MED_SNAPSHOT_ELEMENTS = 20000'],
  'packages installed; given to one command': ['src/package/packages.h', 'MED_PACKAGES_MAX = 256', 'src/package/add.h', 'MED_PACKAGE_ADD_MAX = 32'],
  'bases of a profile': ['src/package/definition_set.h', 'MED_DEFINITION_DEPTH = 24', 'src/fhir/definitions.c', 'BASES = 16'],
  'search parameters of your own': ['tests/api/16-parameters.test.mjs', "test('no more than 200'"],
  'steps of one invariant': ['src/validate/structure_rules.c', 'STEPS = 1000000, STEPS_A_NODE = 64'],
  'their answers': ['src/jobs.c', 'PAGE_ARENA = 256 << 20'],
  'questions with `Prefer: respond-async` kept': ['tests/api/16-async.test.mjs', "test('no more than 100 are kept'"],
};

test('every row has a case and every case a row', () => {
  assert.ok(rows.length > 20);
  assert.deepEqual([cases, full, elsewhere].flatMap(Object.keys).sort(), rows.map(([name]) => name).sort());
});

// "64 MiB" is 64MiB to the program, "10,000" is 10000, "10 s" is 10, "1 KiB/s in each 30 s" 1024.
const asSet = (text) => text.replace(/ in each .*/, '').replace('1 KiB/s', '1024').replace(/ s$/, '').replace(/[ ,](?=\d{3}|[KMG]iB)/g, '');

test('defaults are the program\'s', () => {
  const named = rows.map(([, value]) => /^`([a-z_.]+)`, (.*)$/.exec(value)).filter(Boolean);
  assert.ok(named.length >= 12);
  for (const [, name, value] of named) assert.equal(asSet(value), ['fhir.search_cost', 'fhir.page_time'].includes(name) ? String(shown[name] / 1000) : shown[name], name);
});

test('beyond each limit', { concurrency: 8 }, async (t) => {
  await Promise.all(Object.entries(cases).map(([name, run]) => t.test(name, run)));
});

test('beyond the limits of a full store', async (t) => {
  await using({}, async (s) => {
    const subject = (i) => ({ reference: i === 0 ? 'Patient/q' : 'Patient/p' });
    await fill(s, [patient({ id: 'p' }), patient({ id: 'q' }), { resourceType: 'Location', id: 'root' },
      ...times(FULL, (i) => ({ resourceType: 'Location', id: `l${i}`, partOf: { reference: 'Location/root' } })),
      ...times(FULL + 1, (i) => ({ resourceType: 'Observation', id: `o${i}`, status: 'final', code: { text: `c${i}` }, subject: subject(i) }))]);
    for (const [name, run] of Object.entries(full))
      await t.test(name, { skip: skipped[name] ?? false }, () => run(s));
  });
});

test('what other tests show', () => {
  for (const [name, places] of Object.entries(elsewhere)) {
    for (let i = 0; i < places.length; i += 2) assert.ok(readFileSync(places[i], 'utf8').includes(places[i + 1]), `${name}: ${places[i + 1]}`);
  }
});
