// `medulla bench`: does it count right? Not: is it fast. The server is one of this file's own, that
// counts what it gets, or the one that bench starts for itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort } from './lib/server.mjs';

let folder;
before(() => (folder = mkdtempSync(join(tmpdir(), 'medulla-bench-test-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

// Runs to the end; `started` may do something with the child meanwhile.
async function bench(words, started = () => {}) {
  const json = join(folder, `figures-${Math.random()}.json`);
  const work = words.includes('--work') ? [] : ['--work', folder];
  const child = spawn(binary, ['bench', '--rounds', '1', ...work, '--json', json, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '', err = '';
  child.stdout.on('data', (part) => (out += part));
  child.stderr.on('data', (part) => {
    err += part;
    started(child, err);
  });
  const [code] = await once(child, 'close');
  let figures;
  try {
    figures = JSON.parse(readFileSync(json));
  } catch { /* nothing was measured */ }
  return { code, out, err, figures };
}

const figure = (run, key) => run.figures.figures.find((one) => one.key === key);

// A FHIR server of three patients on two pages. `read` answers GET Patient/ID.
async function fakeServer(read) {
  const seen = { requests: 0, reads: 0, stored: new Map(), bodies: [] };
  const patient = (id) => ({ resource: { resourceType: 'Patient', id } });
  const answer = (response, status, body, headers = {}) =>
    response.writeHead(status, { 'Content-Type': 'application/fhir+json', ...headers }).end(body === undefined ? undefined : JSON.stringify(body));
  let next = 1;
  const server = createServer(async (request, response) => {
    seen.requests++;
    let body = '';
    for await (const part of request) body += part;
    const { pathname, search } = new URL(request.url, 'http://x');
    if (pathname === '/base/Patient' && search.includes('page=2'))
      answer(response, 200, { resourceType: 'Bundle', entry: [patient('c')] });
    else if (pathname === '/base/Patient')
      answer(response, 200, { resourceType: 'Bundle', entry: [patient('a'), patient('b')],
        link: [{ relation: 'self', url: 'http://x/base/Patient' }, { relation: 'next', url: 'http://elsewhere/base/Patient?page=2' }] });
    else if (/^\/base\/Patient\/[abc]$/.test(pathname)) read(request, response, ++seen.reads);
    else if (request.method === 'POST' && pathname === '/base/Observation') {
      const id = String(next++);
      seen.bodies.push(body);
      seen.stored.set(`Observation/${id}`, body);
      answer(response, 201, undefined, { Location: `http://x/base/Observation/${id}/_history/1`, ETag: 'W/"1"' });
    } else if (request.method === 'PUT') {
      const path = pathname.slice('/base/'.length);
      const current = seen.stored.get(path);
      const version = Number(JSON.parse(current).version ?? 1);
      if (request.headers['if-match'] !== `W/"${version}"`) return answer(response, 412, {});
      seen.stored.set(path, JSON.stringify({ ...JSON.parse(body), version: version + 1 }));
      answer(response, 200, {}, { ETag: `W/"${version + 1}"` });
    } else if (request.method === 'DELETE') {
      answer(response, seen.stored.delete(pathname.slice('/base/'.length)) ? 204 : 404);
    } else answer(response, 404, {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/base`;
  return { seen, url, async stop() {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  } };
}

const good = (request, response) => response.writeHead(200, { 'Content-Type': 'application/fhir+json' }).end('{"resourceType":"Patient"}');

test('what was sent is what the server got', async () => {
  const server = await fakeServer(good);
  const run = await bench(['--url', server.url, '--seconds', '0.3', '--connections', '4', 'read']);
  await server.stop();
  assert.equal(run.code, 0, run.err);
  assert.equal(run.figures.requests, server.seen.requests);
  const read = figure(run, 'read');
  assert.ok(read.good > 0);
  assert.equal(read.errors, 0);
  assert.equal(read.sent, read.good);
  assert.ok(read.sent <= server.seen.reads);
  assert.ok(read.rate_low <= read.value && read.value <= read.rate_high);
  assert.ok(read.p50_ms > 0 && read.p50_ms <= read.p99_ms && read.p99_ms <= read.max_ms);
});

test('chunked answers are answers', async () => {
  const server = await fakeServer((request, response) => {
    response.writeHead(200);
    response.write('{"resourceType":');
    response.end('"Patient"}');
  });
  const run = await bench(['--url', server.url, '--seconds', '0.2', '--connections', '2', 'read']);
  await server.stop();
  assert.equal(run.code, 0, run.err);
  assert.equal(figure(run, 'read').errors, 0);
  assert.equal(run.figures.requests, server.seen.requests);
});

test('a server that answers 500 has errors and no rate', async () => {
  const server = await fakeServer((request, response) => response.writeHead(500).end());
  const run = await bench(['--url', server.url, '--seconds', '0.2', '--connections', '4', 'read']);
  await server.stop();
  assert.equal(run.code, 3);
  const read = figure(run, 'read');
  assert.equal(read.value, 0);
  assert.equal(read.good, 0);
  assert.ok(read.sent > 0);
  assert.equal(read.errors, read.sent);
  assert.equal(read.first_bad_status, 500);
  assert.equal(read.verdict, 'errors');
  assert.match(run.out, /ERRORS/);
});

test('refusals, broken connections and good answers are counted apart', async () => {
  let ok = 0;
  const server = await fakeServer((request, response, n) => {
    if (n % 3 === 0) return response.writeHead(503).end();
    if (n % 7 === 0) return request.socket.destroy();
    ok++;
    good(request, response);
  });
  const run = await bench(['--url', server.url, '--seconds', '0.3', '--connections', '4', 'read']);
  await server.stop();
  assert.equal(run.code, 3);
  const read = figure(run, 'read');
  assert.ok(read.good > 0 && read.errors > 0);
  assert.equal(read.sent, read.good + read.errors);
  assert.ok(read.good <= ok);
  assert.equal(run.figures.requests, server.seen.requests);
});

test('another server is not written to unless that was allowed', async () => {
  const server = await fakeServer(good);
  for (const family of ['create', 'update', 'delete', 'bundle']) {
    const run = await bench(['--url', server.url, family]);
    assert.equal(run.code, 4);
    assert.match(run.err, /--write allows it/);
    assert.equal(run.figures, undefined);
  }
  assert.equal(server.seen.requests, 0);
  const run = await bench(['--url', server.url, '--seconds', '0.1', '--connections', '2']);
  await server.stop();
  assert.equal(server.seen.bodies.length, 0);
  assert.ok(run.figures.figures.every((one) => ['read', 'search', 'json'].includes(one.family)));
});

test('what is written there is tagged, and gone at the end', async () => {
  const server = await fakeServer(good);
  const run = await bench(['--url', server.url, '--write', '--seconds', '0.2', '--connections', '4', 'create', 'update', 'delete']);
  await server.stop();
  assert.equal(run.code, 0, run.err + run.out);
  for (const key of ['create', 'update', 'delete']) {
    assert.ok(figure(run, key).good > 0, key);
    assert.equal(figure(run, key).errors, 0, key);
  }
  assert.equal(server.seen.stored.size, 0);
  assert.equal(run.figures.requests, server.seen.requests);
  const identifiers = new Set();
  for (const body of server.seen.bodies) {
    const resource = JSON.parse(body);
    assert.equal(resource.meta.tag[0].system, 'https://medulla.example/bench');
    assert.match(resource.subject.reference, /^Patient\/[abc]$/);
    identifiers.add(resource.identifier[0].value);
  }
  assert.equal(identifiers.size, server.seen.bodies.length);
});

test('the constant answer alone, for other load programs', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(binary, ['bench', '--serve-constant', address], { stdio: 'ignore' });
  try {
    let got;
    for (let i = 0; i < 200 && !got; i++)
      got = await fetch(`http://${address}/`).catch(() => new Promise((next) => setTimeout(next, 50)));
    assert.equal(got.status, 200);
    assert.equal((await got.text()).length, 2048);
    const second = await bench(['--serve-constant', address]);
    assert.equal(second.code, 1);
    assert.match(second.err, /in use/);
  } finally {
    child.kill('SIGKILL');
  }
});

test('wrong usage is told', async () => {
  const port = await freePort();
  for (const [words, code, text] of [
    [['reed'], 2, /did you mean read/],
    [['--seconds', '0', 'read'], 2, /--seconds/],
    [['--seconds', '1.x', 'read'], 2, /--seconds/],
    [['--bundle-mib', '99', 'read'], 2, /--bundle-mib/],
    [['--people', '10,20', 'read'], 2, /--ladder/],
    [['--ladder', '--people', '10', 'read'], 2, /two to 8 sizes/],
    [['--ladder', 'create'], 2, /not for create/],
    [['--write', 'read'], 2, /belong to --url/],
    [['--url', 'https://127.0.0.1/fhir', 'read'], 2, /https/],
    [['--url', 'ftp://127.0.0.1', 'read'], 2, /http:/],
    [['--url', 'http://127.0.0.1/fhir', '--ladder', 'read'], 2, /--ladder/],
    [['--url', 'http://127.0.0.1/fhir', 'recovery'], 2, /without --url/],
    [['--url', `http://127.0.0.1:${port}/fhir`, 'read'], 1, /no answer from 127/],
    [['--work', join(folder, 'absent'), 'read'], 1, /can not make a folder/],
  ]) {
    const run = await bench(words);
    assert.equal(run.code, code, `${words}: ${run.err}`);
    assert.match(run.err, text);
  }
});

test('a server of its own is filled, measured and removed', async () => {
  const run = await bench(['--people', '12', '--seconds', '0.1', '--bundle-mib', '1', 'import', 'bytes', 'start', 'memory',
    'read', 'patient-identifier', 'count', 'terminology', 'create', 'update', 'delete', 'bundle', 'isolation', 'recovery', 'json']);
  assert.ok(run.code === 0 || run.code === 3, run.err);
  const wanted = ['import', 'bytes', 'start', 'memory', 'read-1', 'read', 'patient-identifier', 'count', 'validate-code', 'subsumes', 'expand-words', 'create-1', 'create-16',
    'create', 'update-1', 'update', 'delete-1', 'delete', 'bundle', 'isolation-alone', 'isolation-busy', 'isolation', 'recovery', 'json'];
  assert.deepEqual(run.figures.figures.map((one) => one.key), wanted);
  for (const one of run.figures.figures) {
    assert.ok(one.value > 0, one.key);
    assert.notEqual(one.verdict, 'errors', `${one.key}: ${JSON.stringify(one)}`);
    assert.ok(one.errors === undefined || one.errors === 0, one.key);
  }
  for (const key of ['read', 'validate-code', 'create', 'import', 'json']) assert.ok(figure(run, key).reference_value > 0, key);
  assert.match(figure(run, 'recovery').note, /^0 of [1-9]\d* acknowledged/);
  assert.ok(!readdirSync(folder).some((name) => name.startsWith('medulla-bench-')), 'the folder is gone');
});

test('the ladder has a row a family and its growth', async () => {
  const run = await bench(['--ladder', '--people', '8,16', '--seconds', '0.1', 'patient-identifier']);
  assert.ok(run.code === 0 || run.code === 3, run.err);
  assert.deepEqual(run.figures.figures.map((one) => [one.family, one.people]), [['search', 8], ['search', 16], ['growth', undefined]]);
  assert.match(run.out, /people +\| +8 +\| +16/);
});

test('Ctrl-C ends it and leaves nothing behind', async () => {
  let asked = false;
  const run = await bench(['--people', '8', '--seconds', '30', 'read'], (child, err) => {
    if (!asked && /^read$/m.test(err)) {
      asked = true;
      child.kill('SIGINT');
    }
  });
  assert.ok(asked);
  assert.equal(run.code, 1);
  assert.match(run.err, /interrupted/);
  assert.ok(!readdirSync(folder).some((name) => name.startsWith('medulla-bench-')));
});
