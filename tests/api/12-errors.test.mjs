// Every row of docs/errors.md: what came is sent, and status, code, place and words are the page's.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, medulla, onPostgres, startServer } from './lib/server.mjs';
import { canMount, onSmallDisk } from './lib/small_disk.mjs';
import { json, observation, patient, unique } from './lib/fhir.mjs';

const searchParameter = (code, expression) => JSON.stringify({ resourceType: 'SearchParameter', url: `http://example.org/sp/${code}`,
  name: code, status: 'active', description: code, code, base: ['Patient'], type: 'string', expression });
const page = readFileSync('docs/errors.md', 'utf8').split('\nOther limits')[0];
const rows = [...page.matchAll(/^\| ([^|]+) \| (\d+) \| ([^|]*) \| ([^|]*)\| ([^|]+) \|$/gm)]
  .map((row) => row.slice(1).map((cell) => cell.trim()));
const quoted = (cell) => /`([^`]+)`/.exec(cell)?.[1];
const unescaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
// "..." stands for anything, as in the examples of the other pages.
const pattern = (text) => new RegExp(`^${text.split('...').map(unescaped).join('.*')}$`, 's');

let server;
before(async () => { server = await startServer({ MEDULLA_HTTP_HEAD_SECONDS: '1', MEDULLA_HTTP_BODY: '64KiB',
  MEDULLA_WORKER_THREADS: '1', MEDULLA_WORKER_QUEUE: '1', MEDULLA_HTTP_CONNECTIONS_PER_ADDRESS: '500' }); });
after(async () => assert.equal(await server.stop(), 0));

const answered = async (response) => {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text.startsWith('{') ? JSON.parse(text) : undefined };
};
const send = async (method, path, body, headers = {}, s = server) => answered(await fetch(`${s.base}${path && `/${path}`}`, { method,
  body: body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  headers: { ...(body !== undefined && { 'Content-Type': json }), ...headers } }));
const get = (path, headers) => send('GET', path, undefined, headers);
const post = (body, headers, path = 'Patient') => send('POST', path, body, headers);
const made = async (resource, id = unique()) => {
  const answer = await send('PUT', `${resource.resourceType}/${id}`, { ...resource, id });
  assert.equal(answer.status, 201);
  return id;
};

// Bytes as they are: what fetch would not send.
function raw(bytes, s = server) {
  return new Promise((done, fail) => {
    const socket = net.connect(Number(new URL(s.base).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (data) => { text += data; }).on('error', fail);
    socket.on('close', () => {
      const [head, body] = text.split('\r\n\r\n');
      done({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), closed: true, text: body, body: body?.startsWith('{') ? JSON.parse(body) : undefined });
    });
  });
}
const get1 = (...headers) => `GET /fhir/Patient HTTP/1.1\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`;

async function onTwo(ask) {
  const [system, value] = ['urn:twice', unique()];
  for (let i = 0; i < 2; i++) await made(patient({ identifier: [{ system, value }] }));
  return ask(`identifier=${system}|${value}`);
}

// A bad write leaves nothing behind.
async function lost(ask) {
  const count = async () => (await get('Patient?_summary=count')).body.total;
  const before = await count();
  const answer = await ask();
  assert.equal(await count(), before);
  return answer;
}

// Asks 64 times at once until somebody is refused; the others must be served.
async function busy() {
  const batch = { resourceType: 'Bundle', type: 'batch', entry: Array.from({ length: 50 }, () => ({ request: { method: 'GET', url: 'Patient' } })) };
  for (let i = 0; i < 40; i++) {
    const answers = await Promise.all(Array.from({ length: 64 }, () => post(batch, {}, '')));
    const refused = answers.find((a) => a.status !== 200);
    if (refused) return refused;
  }
  return assert.fail('never refused');
}

async function crowded() {
  const s = await startServer({ MEDULLA_HTTP_CONNECTIONS_PER_ADDRESS: '3' });
  const { port } = new URL(s.base);
  await new Promise((done) => setTimeout(done, 300)); // the connections of the start are gone
  const held = Array.from({ length: 8 }, () => net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  await new Promise((done) => setTimeout(done, 300));
  const answer = await raw(get1('Host: 127.0.0.1', 'Connection: close'), s);
  held.forEach((socket) => socket.destroy());
  assert.equal(await s.stop(), 0);
  return answer;
}

async function full(t) {
  const disk = onSmallDisk(t);
  const ask = async (method, path, body) => {
    const asking = request({ socketPath: disk.fhir, path, method, headers: { Host: 'localhost', 'Content-Type': json } }).end(body);
    const [answer] = await once(asking, 'response');
    let text = '';
    for await (const part of answer) text += part;
    return { status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : undefined };
  };
  const create = () => ask('POST', '/fhir/Patient', JSON.stringify(patient({ name: [{ text: unique('x').repeat(10000) }] })));
  const until = async (status, ask) => {
    for (let i = 0; i < 400; i++) {
      const answer = await ask().catch(() => undefined);
      if (answer?.status === status) return answer;
      await new Promise((done) => setTimeout(done, 50));
    }
    return assert.fail(`never ${status}`);
  };
  await until(201, create);
  await disk.fill();
  const answer = await until(507, create);
  assert.equal((await ask('GET', '/fhir/Patient')).status, 200);
  await disk.free();
  await until(201, create);
  assert.equal(await disk.stop(), 0);
  return answer;
}

async function withStore(run) {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-errors-'));
  try {
    return await run(join(folder, 'store'), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const built = (name) => resolve(dirname(binary), 'tests/api', name);
const damaged = () => withStore(async (data, folder) => {
  const file = join(folder, 'ana.ndjson');
  writeFileSync(file, JSON.stringify(patient({ id: 'ana' })));
  assert.equal((await medulla(['import', '--data', data, file])).code, 0);
  const done = spawnSync(built('tamper'), [data, 'UPDATE resource SET body = zeroblob(length(body))'], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  const s = await startServer({}, { data });
  const answer = await send('GET', 'Patient/ana', undefined, {}, s);
  assert.equal(await s.stop(), 0);
  return answer;
});

// The server ends by itself; started again, the same request with its key makes no second one.
const brokenDisk = () => withStore(async (data, folder) => {
  const FAIL_SYNC_WHILE = join(folder, 'broken');
  const options = process.env.ASAN_OPTIONS ?? '';
  const s = await startServer({ LD_PRELOAD: built('fail_sync.so'), FAIL_SYNC_WHILE,
    ASAN_OPTIONS: `${options}${options && ':'}verify_asan_link_order=0` }, { data });
  const key = { 'Idempotency-Key': unique() };
  const create = (on) => send('POST', 'Patient', patient(), key, on);
  assert.equal((await send('POST', 'Patient', patient(), {}, s)).status, 201);
  writeFileSync(FAIL_SYNC_WHILE, '');
  const ended = once(s.child, 'exit');
  const answer = await create(s);
  assert.notEqual((await ended)[0], 0);
  await s.stop();
  const again = await startServer({}, { data });
  assert.ok([200, 201].includes((await create(again)).status));
  assert.equal((await send('GET', 'Patient?_summary=count', undefined, {}, again)).body.total, 2);
  assert.equal(await again.stop(), 0);
  return answer;
});

const gendr = { resource: { resourceType: 'Patient', gendr: 'x' }, request: { method: 'POST', url: 'Patient' } };
const xml = { 'Content-Type': 'application/fhir+xml' };
// Each gives the answer; what else the row says is asserted here.
const document = () => ({ resourceType: 'Bundle', type: 'document', identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` },
  timestamp: '2026-01-02T03:04:05Z', entry: [{ fullUrl: `urn:uuid:${randomUUID()}`, resource: { resourceType: 'Composition', status: 'final',
    type: { text: 'Letter' }, date: '2026-01-02', title: 'Letter', author: [{ display: 'Holm' }] } }] });
const registered = (more = {}, attachment = { url: 'http://example.org/d' }) => post({ resourceType: 'DocumentReference', status: 'current',
  content: [{ attachment: { contentType: 'text/plain', ...attachment } }], ...more }, {}, 'DocumentReference');

const cases = {
  'bytes that are not JSON': () => post('{"resourceType":"Patient",\n "active": tru}'),
  'a repeated key': () => post('{"resourceType":"Patient","active":1,"active":1}'),
  'bad UTF-8': () => post(Buffer.from('{"resourceType":"Patient","id":"\xff"}', 'latin1')),
  'JSON deeper than 64 levels': () => post('['.repeat(1000)),
  'bytes that are not XML': () => post('<Patient xmlns="http://hl7.org/fhir"><active value="true"></Patient>', xml),
  'an element that does not exist': () => lost(() => post({ resourceType: 'Patient', gendr: 'male' })),
  'a value of another type': () => lost(() => post(patient({ active: 'yes' }))),
  'a date that the calendar does not have': () => lost(() => post(patient({ birthDate: '1980-02-30' }))),
  'an element that is missing': () => post({ resourceType: 'Observation', status: 'final' }, {}, 'Observation'),
  'a broken invariant of R4': () => lost(() => post(patient({ contact: [{ gender: 'male' }] }))),
  'a code outside of a required value set': () => lost(() => post(patient({ gender: 'femal' }))),
  'a code asked of a value set that is not known': () => get('Observation?code:in=http://example.org/none'),
  'concepts for a closure table that was not begun': () => post({ resourceType: 'Parameters', parameter: [{ name: 'name', valueString: unique() },
    { name: 'concept', valueCoding: { system: 'http://hl7.org/fhir/administrative-gender', code: 'male' } }] }, {}, '$closure'),
  'an extension where it can not stand': () => post({ resourceType: 'Observation', status: 'final', code: { text: 'x' },
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { city: 'x' } }] }, {}, 'Observation'),
  'a modifier extension that nobody knows': () => lost(() => post(patient({ modifierExtension: [{ url: 'http://example.org/x', valueBoolean: true }] }))),
  'a bad id': () => lost(() => post(patient({ id: 'a_b' }))),
  'several faults in one resource': async () => {
    const answer = await lost(() => post(patient({ gendr: 'male', active: 'yes', birthDate: 'soon' })));
    assert.deepEqual(answer.body.issue.map((i) => [i.code, i.expression[0]]),
      [['structure', 'Patient.gendr'], ['structure', 'Patient.active'], ['value', 'Patient.birthDate']]);
    return answer;
  },
  'a fault in an entry of a transaction': () => lost(() => post({ resourceType: 'Bundle', type: 'transaction',
    entry: [{ ...gendr, resource: patient() }, gendr] }, {}, '')),
  'a read in a transaction that fails': () => lost(() => post({ resourceType: 'Bundle', type: 'transaction',
    entry: [{ resource: patient(), request: { method: 'POST', url: 'Patient' } }, { request: { method: 'GET', url: `Patient/${unique()}` } }] }, {}, '')),
  'two entries of a transaction with one condition that nothing matches yet': () => {
    const one = { resource: patient(), request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=urn:e|${unique()}` } };
    return lost(() => post({ resourceType: 'Bundle', type: 'transaction', entry: [one, one] }, {}, ''));
  },
  'a patch in a Bundle that is a Binary of another contentType': async () => {
    const id = await made(patient());
    return post({ resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'PATCH', url: `Patient/${id}` },
      resource: { resourceType: 'Binary', contentType: 'application/merge-patch+json', data: 'W10=' } }] }, {}, '');
  },
  'an empty `If-Match`, `If-None-Match`, `If-None-Exist` or `Idempotency-Key`': () => lost(() => post(patient(), { 'If-Match': '' })),
  'a body of another type than the address': () => post(observation('Patient/x')),
  'a resource type that does not exist': () => get('Pacient/1'),
  'an operation that does not exist': () => get('Patient/1/$everithing'),
  'a parameter that a read or a write does not know': async () => {
    const { id } = (await post(patient())).body;
    assert.equal((await get(`Patient/${id}?sumary=true`, { Prefer: 'handling=lenient' })).status, 200);
    for (const answer of [await get(`Patient/${id}?sumary=true`), await get(`Patient/${id}/_history/1?x=1`),
      await send('PUT', `Patient/${id}?x=1`, patient({ id })), await send('DELETE', `Patient/${id}?x=1`), await get('metadata?x=1'),
      await get(`Patient/${id}/$meta?x=1`), await get(`Patient/${id}?_format=json&_format=xml`), await get('Patient?_pretty=true&_pretty=false'),
      await post({ resourceType: 'Bundle', type: 'batch' }, {}, '?x=1')]) assert.equal(answer.status, 400, answer.text);
    assert.equal((await get(`Patient/${id}`)).body.meta.versionId, '1');
    return lost(() => post(patient(), {}, 'Patient?_sumary=true'));
  },
  'a shape of the answer that does not exist': async () => {
    const inside = await lost(() => post({ resourceType: 'Bundle', type: 'transaction',
      entry: [{ resource: patient(), request: { method: 'POST', url: 'Patient?_summary=most' } }] }, {}, ''));
    assert.equal(inside.status, 400, inside.text);
    return lost(() => post(patient(), {}, 'Patient?_summary=most'));
  },
  '`_elements` with a name that no type asked for has': async () => {
    for (const at of ['Patient?_elements=Observation.code', 'Patient/none?_elements=nmae', '_history?_elements=nobodyHasThis', '?_elements=nobodyHasThis'])
      assert.equal((await get(at)).status, 400, at);
    return lost(() => post(patient(), {}, 'Patient?_elements=brithDate'));
  },
  'a fault around an entry\'s resource in a batch': async () => {
    const answer = await post({ resourceType: 'Bundle', type: 'batch',
      entry: [{ link: [], request: { method: 'GET', url: 'Patient?_count=0' } }] }, {}, '');
    return { ...answer, status: Number.parseInt(answer.body.entry[0].response.status, 10), body: answer.body.entry[0].response.outcome };
  },
  'a search parameter that is not known': () => get('Patient?famly=x'),
  'a SearchParameter with a code that one of its types has': () => post(searchParameter('birthdate', 'Patient.birthDate'), {}, 'SearchParameter'),
  'a SearchParameter whose expression names what is not there': () => post(searchParameter('kin', 'Patient.contact.nane'), {}, 'SearchParameter'),
  'a profile whose snapshot can not be made (`$snapshot`)': () => post({ resourceType: 'StructureDefinition', type: 'Patient',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', differential: { element: [{ path: 'Patient.nmae' }] } }, {}, 'StructureDefinition/$snapshot'),
  'a modifier that is not possible': () => get('Patient?family:exat=x'),
  'the same with `Prefer: handling=lenient`': async () => {
    const answer = await get('Patient?famly=x', { Prefer: 'handling=lenient' });
    const [{ resource }] = answer.body.entry.filter((e) => e.search.mode === 'outcome');
    assert.equal(resource.issue[0].severity, 'warning');
    return { ...answer, body: resource };
  },
  'a value that a parameter does not take': () => get('Patient?birthdate=soon'),
  'a link between pages that is not ours': () => get('Patient?_page=xx'),
  'a method that the address does not have': async () => {
    const answer = await post({}, {}, 'Patient/1');
    assert.equal(answer.headers.get('allow'), 'GET, HEAD, PUT, PATCH, DELETE');
    return answer;
  },
  'a method that nobody has': () => send('FOO', 'Patient'),
  'an id in the body that is not the one in the address': () => send('PUT', 'Patient/one', patient({ id: 'two' })),
  'an id in the address that is none': () => send('PUT', 'Patient/a_b', patient()),
  'a resource that was deleted': async () => {
    const id = await made(patient());
    await send('DELETE', `Patient/${id}`);
    return get(`Patient/${id}`);
  },
  'an id that never was': () => get(`Patient/${unique()}`),
  '`If-Match` with another version than the current one': async () => {
    const id = await made(patient());
    const answer = await send('PUT', `Patient/${id}`, patient({ id, active: true }), { 'If-Match': 'W/"9"' });
    assert.equal((await get(`Patient/${id}`)).body.meta.versionId, '1');
    return answer;
  },
  '`If-None-Match: *` on what is there': async () => {
    const id = await made(patient());
    return send('PUT', `Patient/${id}`, patient({ id }), { 'If-None-Match': '*' });
  },
  'a condition that matches more than one resource': async () => {
    const answer = await onTwo((query) => lost(() => post(patient(), { 'If-None-Exist': query })));
    const update = await onTwo((query) => send('PUT', `Patient?${query}`, patient()));
    assert.deepEqual([update.status, update.body.issue[0].code], [412, 'multiple-matches']);
    return answer;
  },
  'a patch whose test fails': async () => send('PATCH', `Patient/${await made(patient({ active: true }))}`,
    [{ op: 'test', path: '/active', value: false }], { 'Content-Type': 'application/json-patch+json' }),
  'an `Idempotency-Key` with another request than before': async () => {
    const key = { 'Idempotency-Key': unique() };
    assert.equal((await post(patient(), key)).status, 201);
    return lost(() => post(patient({ active: true }), key));
  },
  'a reference to a local resource that does not exist': () => post(observation('Patient/nobody'), {}, 'Observation'),
  'deleting what another resource refers to': async () => {
    const id = await made(patient());
    const of = await made(observation(`Patient/${id}`));
    const answer = await send('DELETE', `Patient/${id}`);
    assert.equal((await send('DELETE', `Patient/${id}?_cascade=delete`)).status, 200);
    for (const gone of [`Patient/${id}`, `Observation/${of}`]) assert.equal((await get(gone)).status, 410);
    return answer;
  },
  'a document with the identifier of another one': async () => {
    const letter = document();
    assert.equal((await post(letter, {}, 'Bundle')).status, 201);
    return post({ ...letter, timestamp: '2027-01-01T00:00:00Z' }, {}, 'Bundle');
  },
  'a DocumentReference with the masterIdentifier of another one': async () => {
    const masterIdentifier = { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` };
    assert.equal((await registered({ masterIdentifier })).status, 201);
    return registered({ masterIdentifier, description: 'another' });
  },
  'a size that is not that of what is attached': async () => registered({}, { url: `Binary/${await made({ resourceType: 'Binary', contentType: 'text/plain', data: 'QUJD' })}`, size: 4 }),
  'a hash that is not that of what is attached': () => registered({}, { data: 'QUJD', hash: 'AAAA' }),
  'a new DocumentReference of a Binary that is not there': () => registered({}, { url: `Binary/${unique()}` }),
  'replacing a document that is superseded already': async () => {
    const relatesTo = [{ code: 'replaces', target: { reference: `DocumentReference/${(await registered()).body.id}` } }];
    assert.equal((await registered({ relatesTo })).status, 201);
    return registered({ relatesTo });
  },
  'replacing a document of another patient': async () => {
    const old = await registered({ subject: { reference: `Patient/${await made(patient())}` } });
    return registered({ subject: { reference: `Patient/${await made(patient())}` }, relatesTo: [{ code: 'replaces', target: { reference: `DocumentReference/${old.body.id}` } }] });
  },
  'changing or deleting a stored document': async () => {
    const letter = document();
    const id = await made(letter);
    assert.equal((await send('DELETE', `Bundle/${id}`)).status, 409);
    return send('PUT', `Bundle/${id}`, { ...letter, id, timestamp: '2026-01-02T03:04:06Z' });
  },
  'a format we do not write (`Accept`)': () => get('Patient', { Accept: 'text/turtle' }),
  'a format we do not read (`Content-Type`)': () => post('{}', { 'Content-Type': 'text/plain' }),
  'a charset that is not UTF-8 (`Content-Type`)': () => lost(() => post(patient(), { 'Content-Type': 'application/fhir+json; charset=latin1' })),
  'a packing we do not read (`Content-Encoding`)': () => post('x', { 'Content-Encoding': 'br' }),
  'a body too long': () => lost(() => post(JSON.stringify(patient()).padEnd(70000))),
  'a request line too long': () => get(`Patient?family=${'x'.repeat(9000)}`),
  'a head too long': () => raw(get1('Host: 127.0.0.1', `X: ${'x'.repeat(40000)}`)),
  'a head that is no HTTP/1.1': () => raw(get1('Host: 127.0.0.1', 'nothing')),
  'a `Host` that is not ours': () => raw(get1('Host: evil.example')),
  'a head or body that comes too slowly': () => raw('GET /fhir/Patient HTTP/1.1\r\nX: '),
  'too many connections from one address': crowded,
  'all workers are busy': async () => {
    const answer = await busy();
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    return answer;
  },
  'the disk is full': full,
  'what is stored was damaged': damaged,
  'the disk fails while a write is committed': brokenDisk,
};

const elsewhere = onPostgres && 'about the files of SQLite';
const skipped = {
  'the disk is full': elsewhere || !canMount && 'no mount namespace here',
  'what is stored was damaged': elsewhere || !existsSync(built('tamper')) && 'this build has no tests/api/tamper',
  'the disk fails while a write is committed': elsewhere || !existsSync(built('fail_sync.so')) && 'this build has no tests/api/fail_sync.so',
};

test('every row has a case and every case a row', () => {
  assert.ok(rows.length > 40);
  assert.deepEqual(Object.keys(cases).sort(), rows.map(([what]) => what).sort());
});

for (const [what, status, code, place, said] of rows) {
  test(what, { skip: skipped[what] }, async (t) => {
    const answer = await cases[what](t);
    assert.equal(answer.status, Number(status));
    if (said.includes('the connection is closed')) assert.ok(answer.closed);
    if (code.startsWith('none')) {
      assert.match(answer.text.trimEnd(), pattern(quoted(said)));
      return;
    }
    assert.equal(answer.body?.resourceType, 'OperationOutcome', answer.text);
    const [issue] = answer.body.issue;
    if (!quoted(code)) return; // said in words: the case has looked
    assert.equal(issue.code, quoted(code));
    assert.deepEqual(issue.expression, quoted(place) && [quoted(place)]);
    assert.match(issue.diagnostics, pattern(quoted(said)));
  });
}
