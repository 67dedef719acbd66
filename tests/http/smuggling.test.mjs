// smuggling.test.mjs - rows N06 and N11 of the security matrix: requests that two programs could
// read differently, and claims a client must not be able to make; directly and through the
// shipped nginx edge. A desync is a request for /smuggled that arrives as a request of its own,
// or an answer that goes to somebody else.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { NAME, ask, connect, converse, counters, exchange, row, startEdge, startServer, statuses,
  whole } from './lab.mjs';

const HOST = `Host: ${NAME}\r\n`;
let server, edge;
before(async () => {
  server = await startServer({ proxy: '127.0.0.1' });
  edge = await startEdge(server);
});
after(async () => {
  await edge.stop();
  await server.stop();
});

const INNER = `GET /smuggled HTTP/1.1\r\n${HOST}X: `;
const ENDED = `0\r\n\r\n${INNER}`;

// Ways to say "chunked" that one reader sees and another does not.
const codings = [
  'Transfer-Encoding: chunked', 'Transfer-Encoding: xchunked', 'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked', ' Transfer-Encoding: chunked', '\tTransfer-Encoding: chunked',
  'Transfer-Encoding:\tchunked', 'Transfer-Encoding:chunked', 'Transfer-Encoding: \x0bchunked',
  'Transfer-Encoding: \x0cchunked', 'Transfer-Encoding: chunked\x0b', 'Transfer-Encoding: chunked\x00',
  'Transfer-Encoding: \x00chunked', 'Transfer-Encoding\x00: chunked', 'Transfer-Encoding: \xa0chunked',
  'Transfer-Encoding: chunked\xa0', 'Transfer-Encoding: CHUNKED', 'Transfer-Encoding: cHuNkEd',
  'TRANSFER-ENCODING: chunked', 'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked', 'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked;q=1', 'Transfer-Encoding: "chunked"', "Transfer-Encoding: 'chunked'",
  'Transfer-Encoding: chunk', 'Transfer-Encoding: chunked-false', 'Transfer-Encoding: false',
  'Transfer-Encoding:', 'Transfer-Encoding: ,chunked', 'Transfer-Encoding: chunked,',
  'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
  'Transfer-Encoding: chunked\r\nTransfer-encoding: identity',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked', 'Transfer-Encoding:\r\n\tchunked', 'Transfer-Encoding\r\n: chunked',
  'Transfer-Encoding:\n chunked', 'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked', 'X: y\r\r\nTransfer-Encoding: chunked',
  '\nTransfer-Encoding: chunked', 'X\r\nTransfer-Encoding: chunked', ': x\r\nTransfer-Encoding: chunked',
  'Transfer_Encoding: chunked', 'Transfer Encoding: chunked', 'Transfer-Encoding;: chunked',
  'X-Transfer-Encoding: chunked', 'Transfer-Encoding: chun\xc5\xbfed',
  'Transfer-Encoding: \xef\xbd\x83hunked', 'Content-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding',
];

// Ways to give a length, with a body that holds another request.
const lengths = [
  ['Content-Length: 0', 'Content-Length: {n}'], ['Content-Length: {n}', 'Content-Length: 0'],
  ['Content-Length: {n}', 'Content-Length: {n}'], ['Content-Length: 0, {n}'],
  ['Content-Length: {n}, {n}'], ['Content-Length: +{n}'], ['Content-Length: -{n}'],
  ['Content-Length: 0{n}'], ['Content-Length: 0x{h}'], ['Content-Length: {n} '],
  ['Content-Length: {n};a'], ['Content-Length: {n}.0'], ['Content-Length: {n}e0'],
  ['Content-Length: {n} 0'], ['Content-Length: "{n}"'], ['Content-Length : {n}'],
  ['Content-Length\t: {n}'], [' Content-Length: {n}'], ['Content-Length:\r\n {n}'],
  ['Content-Length: 0\r\n {n}'], ['X: y\nContent-Length: {n}'], ['Content-Length: {n}\x00'],
  ['Content-Length: \x0b{n}'], ['Content-Length:'], ['Content-Length: '],
  ['Content-Length: 18446744073709551616'], ['Content-Length: 4294967296'], ['Content_Length: {n}'],
  ['X-Content-Length: {n}'], ['Content-Length: {n}', 'Connection: Content-Length'],
  ['Content-Length: {n}'],
];

// Sizes of chunks that one reader refuses and another takes for 0 or for something else.
const sizes = ['0x0', '+0', '-0', ' 0', '0 ', '0\t', '0;', '0;a\n', '0\n', '0\r', '0_', '0.0', 'G', '',
  '10000000000000000', '100000000', '00000000000000000', '0\x00', '0\x0b', '0;a="\n"', '0;\x00',
  '0;a\rb', '0,', '0#', '"0"'];

// Whole requests that need no list.
const others = {
  'a request in a GET body': `GET / HTTP/1.1\r\n${HOST}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'a request behind a HEAD': `HEAD / HTTP/1.1\r\n${HOST}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'HTTP/1.0 chunked': `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${ENDED}`,
  'HTTP/1.0 keep-alive': `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'h2c upgrade': `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'websocket upgrade': `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'an expectation': `POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'an odd expectation': `POST / HTTP/1.1\r\n${HOST}Expect: y 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'an expectation twice': `POST / HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'Host hidden by a space': `GET / HTTP/1.1\r\nHost : evil\r\n${HOST}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
  'a request in the target': `GET /?x=%0d%0a%0d%0aGET%20/smuggled HTTP/1.1\r\n${HOST}\r\n`,
  'bare LF all through': `POST / HTTP/1.1\n${HOST.trim()}\nContent-Length: ${INNER.length}\n\n${INNER}`,
  'bare CR all through': `POST / HTTP/1.1\r${HOST.trim()}\rContent-Length: ${INNER.length}\r\r${INNER}`,
  'a trailer that is a request': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n${INNER}y\r\n\r\n`,
  'a trailer with a length': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 60\r\n\r\n`,
  'a chunk ended by LF': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n`,
  'a chunk ended by anything': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\nxZZ0\r\n\r\n`,
  'an extension with a request': `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;\nxx\r\n${ENDED.length.toString(16)}\r\n${ENDED}\r\n0\r\n\r\n`,
};

const post = (...lines) => `POST / HTTP/1.1\r\n${HOST}${lines.join('\r\n')}\r\n\r\n`;
const corpus = () => {
  const cases = { ...others };
  for (const coding of codings) {
    const name = JSON.stringify(coding);
    cases[`${name}, then a short length`] = post(coding, 'Content-Length: 4') + ENDED;
    cases[`${name}, behind a long length`] = post(`Content-Length: ${ENDED.length}`, coding) + ENDED;
    cases[`${name} alone`] = post(coding) + `0\r\n\r\n`;
  }
  for (const lines of lengths) {
    const filled = lines.map((line) => line.replaceAll('{n}', INNER.length)
      .replaceAll('{h}', INNER.length.toString(16)));
    cases[JSON.stringify(filled)] = post(...filled) + INNER;
  }
  for (const size of sizes) {
    cases[`chunk size ${JSON.stringify(size)}`] = `${post('Transfer-Encoding: chunked')}${size}\r\n\r\n${INNER}`;
    cases[`second chunk size ${JSON.stringify(size)}`] =
      `${post('Transfer-Encoding: chunked')}1\r\nx\r\n${size}\r\n\r\n${INNER}`;
  }
  return cases;
};

// One attack; gives the statuses, whether it was closed, and whether the inner request arrived.
const attack = async (to, bytes) => {
  const before = await counters(server);
  // INNER is left open, so that whatever comes next would complete it
  const { text, closed } = await exchange(to, bytes,
    { ms: 300, until: (t) => statuses(t).filter((s) => s >= 200).length > 1 });
  const after = await counters(server);
  return {
    statuses: statuses(text).filter((status) => status >= 200),
    closed,
    smuggled: after.smuggled - before.smuggled,
    text,
  };
};

// Legal spellings, read by their one meaning: the inner request is the body, or comes behind it
// as a request of its own and is never complete.
const legal = (name) => /^"(X-Transfer-Encoding|Transfer_Encoding|Content-Encoding)/.test(name)
  || /^\["(Content_Length|X-Content-Length)/.test(name);

test('N06 smuggling: refused with 400 and closed', async () => {
  const cases = Object.entries(corpus());
  let desyncs = 0, refused = 0, answered = 0;
  const wrong = [];
  for (const [name, bytes] of cases) {
    const { statuses: got, closed, smuggled } = await attack(server, bytes);
    desyncs += smuggled;
    if (got.length === 1 && [400, 413, 417].includes(got[0]) && closed) refused++;
    else if (got.length === 1 && got[0] === 200) answered++;
    else if (got.length === 0 && !legal(name)) wrong.push(`${name}: no answer`);
    else if (!legal(name)) wrong.push(`${name}: ${got}${closed ? '' : ', open'}`);
  }
  const conflicting = cases.filter(([name]) => /^"(Transfer-Encoding|TRANSFER)/.test(name)
    && /length$/.test(name));
  for (const [name, bytes] of conflicting) {
    const { statuses: got, closed } = await attack(server, bytes);
    if (got[0] !== 400 || !closed) wrong.push(`${name}: must be 400`);
  }
  assert.deepEqual(wrong, []);
  row('N06', 'direct', desyncs === 0,
    `${desyncs} desyncs of ${cases.length} (${refused} refused, ${answered} read as one request)`);
});

test('N06 smuggling through nginx: nothing arrives as a second request', async () => {
  const cases = Object.entries(corpus());
  let desyncs = 0, mixed = 0, n = 0;
  for (const [, bytes] of cases) {
    const { smuggled } = await attack(edge, bytes);
    desyncs += smuggled;
    const victim = await ask(edge, `/victim?n=${n}`);
    if (!victim.body.includes(`"path":"/victim","query":"n=${n}"`)) mixed++;
    n++;
  }
  row('N06', 'nginx', desyncs === 0 && mixed === 0,
    `${desyncs} desyncs, ${mixed} mixed answers of ${cases.length}`);
});

test('N06 would be seen to fail with a lax reader', async () => {
  let seen = 0;
  const lax = http.createServer({ insecureHTTPParser: true }, (request, response) => {
    if (request.url.includes('smuggled')) seen++;
    request.resume();
    response.end('ok');
  });
  await new Promise((resolve) => lax.listen(0, '127.0.0.1', resolve));
  const to = { host: '127.0.0.1', port: lax.address().port };
  for (const bytes of Object.values(corpus())) {
    await exchange(to, `${bytes}y\r\n\r\n`, { ms: 30, until: (t) => statuses(t).length > 1 });
  }
  lax.closeAllConnections();
  lax.close();
  assert.ok(seen > 0, 'the corpus must be able to smuggle');
});

// ---- N11 ----

const send = async (to, bytes) => {
  const { text, closed } = await exchange(to, bytes, { ms: 3000, until: whole });
  const at = text.indexOf('\r\n\r\n');
  return { status: statuses(text)[0], head: text.slice(0, at), body: text.slice(at + 4), closed };
};

test('N11 methods', async () => {
  const wrong = [];
  for (const [chain, to] of [['direct', server], ['nginx', edge]]) {
    for (const method of ['TRACE', 'CONNECT', 'TRACK', 'PROPFIND', 'BREW', 'get', 'Get', 'GETS',
      'DEBUG', 'PURGE', 'LINK', 'SEARCH', 'QUERY', '__proto__', 'G\x00T', 'G=T', '']) {
      const { status } = await send(to, `${method} / HTTP/1.1\r\n${HOST}\r\n`);
      const expected = chain === 'nginx' ? [400, 405] : ['TRACE', 'CONNECT'].includes(method) ? [405]
        : /^[A-Za-z_]+$/.test(method) ? [501] : [400];
      if (!expected.includes(status)) wrong.push(`${chain} ${method}: ${status}`);
    }
    const traced = await send(to, `TRACE / HTTP/1.1\r\n${HOST}Authorization: Bearer secret\r\n\r\n`);
    if (traced.body.includes('secret')) wrong.push(`${chain} TRACE echoes`);
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method']) {
      const answer = await send(to, `POST / HTTP/1.1\r\n${HOST}${name}: DELETE\r\nContent-Length: 0\r\n\r\n`);
      if (!answer.body.includes('"method":"POST"')) wrong.push(`${chain} ${name} has an effect`);
    }
    row('N11', chain, wrong.length === 0, `methods: ${wrong.length} effects ${wrong}`);
  }
  const refused = await exchange(server, `TRACE / HTTP/1.1\r\n${HOST}\r\n`);
  assert.match(refused.text, /\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n/);
  assert.ok(refused.closed);
});

test('N11 forwarded headers count only from a listed proxy', async () => {
  const forged = 'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n'
    + 'Forwarded: for=6.6.6.6;host=evil\r\nX-Real-IP: 6.6.6.6\r\nX-Original-URL: /metrics\r\n';
  const alone = await startServer({});
  const direct = JSON.parse((await send(alone, `GET /a HTTP/1.1\r\n${HOST}${forged}\r\n`)).body);
  await alone.stop();
  const honest = direct.peer === '127.0.0.1' && !direct.secure && direct.host === NAME
    && direct.path === '/a';
  row('N11', 'direct', honest, `forged: peer ${direct.peer}, secure ${direct.secure}`);
  const behind = JSON.parse((await send(edge, `GET /a HTTP/1.1\r\n${HOST}${forged}\r\n`)).body);
  row('N11', 'nginx', behind.peer === '127.0.0.1' && behind.secure && behind.host === NAME
    && behind.path === '/a' && !behind.headers.includes('X-Forwarded-Host'),
  `forged: peer ${behind.peer}, secure ${behind.secure}`);
  // from the listed address itself: the rightmost address that is no proxy
  const listed = JSON.parse((await send(server,
    `GET / HTTP/1.1\r\n${HOST}X-Forwarded-For: 6.6.6.6, 192.0.2.7, 127.0.0.1\r\n\r\n`)).body);
  assert.equal(listed.peer, '192.0.2.7');
});

test('N11 Host', async () => {
  const lab = await startServer({ host: ['fhir.example.org', '127.0.0.1', '[::1]'] });
  const wrong = [];
  const expect = async (host, status, target = '/') => {
    const answer = await send(lab, `GET ${target} HTTP/1.1\r\n${host}\r\n`);
    if (answer.status !== status) wrong.push(`${JSON.stringify(host)}: ${answer.status}`);
    if (status !== 200 && /evil/.test(answer.head + answer.body)) wrong.push(`${host} comes back`);
  };
  await expect('Host: fhir.example.org\r\n', 200);
  await expect('Host: FHIR.example.org:8443\r\n', 200);
  await expect('Host: 127.0.0.1:1\r\n', 200);
  await expect('Host: [::1]:80\r\n', 200);
  for (const host of ['evil.example', 'fhir.example.org.evil', 'evil-fhir.example.org', 'example.org',
    'localhost', '127.0.0.2', '[::2]', '2130706433', '0x7f.1']) {
    await expect(`Host: ${host}\r\n`, 421);
  }
  for (const host of ['Host: evil@fhir.example.org\r\n', 'Host: fhir.example.org/evil\r\n',
    'Host: fhir.example.org\r\nHost: evil\r\n', 'Host: fhir.example.org, evil\r\n', 'Host:\r\n', '',
    'Host: fhir.example.org#@evil\r\n', 'Host: fhir.example.org:evil\r\n', 'Host: \xc5\xbf\r\n']) {
    await expect(host, 400);
  }
  await expect('Host: fhir.example.org\r\n', 400, 'http://evil/');
  await expect('Host: fhir.example.org\r\n', 200, 'http://fhir.example.org/');
  await lab.stop();
  row('N11', 'direct', wrong.length === 0, `Host: ${wrong.length} effects ${wrong}`);
  const other = await send(edge, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  row('N11', 'nginx', other.status === 400, `two hosts: ${other.status}`);
});

test('N11 would be seen to fail without the rules', async () => {
  const forged = 'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n';
  const mirror = async (to, headers) =>
    JSON.parse((await send(to, `GET / HTTP/1.1\r\n${headers}\r\n`)).body);
  // the client itself on the list of proxies: what it claims is believed
  const claimed = await mirror(server, HOST + forged);
  assert.deepEqual([claimed.peer, claimed.secure], ['6.6.6.6', true]);
  // no list of hosts: any name is served
  assert.equal((await mirror(server, 'Host: evil.example\r\n')).host, 'evil.example');
  // an edge that hands on what the client says, and any method
  const open = await startEdge(server,
    '/proxy_set_header X-Forwarded-For/d; /if (.request_method/,/}/d');
  assert.equal((await mirror(open, HOST + forged)).peer, '6.6.6.6');
  const odd = await send(open, `BREW / HTTP/1.1\r\n${HOST}\r\n`);
  assert.equal(odd.status, 501, 'it is ours that refuses it now');
  await open.stop();
});

test('N11 odd parameter names and paths reach the application as they are', async () => {
  const wrong = [];
  const names = ['__proto__=1', 'constructor=1', '=', '=1', '&&&', '%00=1', '%=1', `${'a'.repeat(8000)}=1`,
    'a%', '%ff%fe=1', 'a=1&a=2', '?', '??', 'a[b]=c', "a'b=c", 'a|b=c|d', '%7Ca=1'];
  for (const [chain, to] of [['direct', server], ['nginx', edge]]) {
    for (const query of names) {
      const answer = await send(to, `GET /x?${query} HTTP/1.1\r\n${HOST}\r\n`);
      const mirrored = answer.status === 200 && JSON.parse(answer.body).query === query;
      const longLine = chain === 'nginx' && query.length > 7000 && answer.status === 414;
      if (!mirrored && !longLine) wrong.push(`${chain} ${query.slice(0, 20)}: ${answer.status}`);
    }
    row('N11', chain, wrong.length === 0, `names: ${names.length} sent, ${wrong.length} effects ${wrong}`);
  }
});

test('N11 a refused connection serves nothing more', async () => {
  const socket = await connect(server);
  const good = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;
  const before = await counters(server);
  const { text, closed } = await converse(socket, `GET / HTTP/1.1\nHost: a\n\n${good.repeat(5)}`,
    { ms: 3000 });
  assert.deepEqual(statuses(text), [400]);
  assert.ok(closed);
  assert.equal((await counters(server)).smuggled, before.smuggled);
});
