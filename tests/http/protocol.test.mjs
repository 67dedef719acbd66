// protocol.test.mjs - HTTP/1.1 as it should be: order, framing, headers, keep-alive, the end.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import zlib from 'node:zlib';
import { ask, connect, converse, counters, exchange, sleep, startServer, statuses, whole }
  from './lab.mjs';

let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

test('every answer says what it is, and that it is private', async () => {
  for (const [request, status] of [[get('/constant'), 200], [get('/none'), 204],
    ['BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 501], ['nonsense\r\n\r\n', 501],
    ['GET / HTTP/1.1\r\n\r\n', 400], [get('/forgot'), 500],
    ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 204]]) {
    const { text } = await exchange(server, request, { until: whole });
    assert.equal(statuses(text)[0], status, request);
    assert.match(text, /\r\nX-Content-Type-Options: nosniff\r\n/);
    assert.match(text, /\r\nCache-Control: no-store\r\n/);
    assert.match(text, /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  }
});

test('HEAD says the length and sends no body; 204 has neither', async () => {
  const { text } = await exchange(server,
    `HEAD /constant HTTP/1.1\r\nHost: a\r\n\r\n${get('/none', 'Connection: close\r\n')}`);
  assert.deepEqual(statuses(text), [200, 204]);
  assert.match(text, /Content-Length: 2048\r\n/);
  assert.equal(text.match(/Content-Length/g).length, 1);
  assert.ok(text.endsWith('\r\n\r\n'));
  assert.equal(text.match(/\r\n\r\n/g).length, 2);
});

test('requests sent ahead are answered in order, quick ones behind slow ones', async () => {
  const order = ['/slow?ms=60', '/a', '/constant', '/async', '/b', '/slow?ms=20', '/c'];
  const requests = order.map((path) => get(path)).join('');
  const { text } = await exchange(server, requests + get('/end', 'Connection: close\r\n'),
    { ms: 5000 });
  assert.equal(statuses(text).length, order.length + 1);
  assert.deepEqual([...text.matchAll(/"path":"(.*?)"/g)].map((m) => m[1]),
    ['/a', '/b', '/c', '/end']);
});

test('a thousand requests in one write come back as a thousand answers', async () => {
  const { text } = await exchange(server,
    get('/x').repeat(999) + get('/end', 'Connection: close\r\n'), { ms: 20000 });
  assert.equal(statuses(text).length, 1000);
});

test('it does not matter how a request is cut into packets', async () => {
  const request = 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    + '5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n';
  const socket = await connect(server);
  socket.setNoDelay(true);
  for (let cut = 1; cut < request.length; cut++) {
    socket.write(request.slice(0, cut), 'latin1');
    await new Promise(setImmediate);
    const { text } = await converse(socket, request.slice(cut), { until: whole });
    assert.ok(text.endsWith('\r\n\r\nhello!'), `cut at ${cut}: ${text}`);
  }
  for (const byte of request.slice(0, -1)) {
    socket.write(byte, 'latin1');
    await new Promise(setImmediate);
  }
  const { text } = await converse(socket, request.slice(-1), { until: whole });
  assert.ok(text.endsWith('hello!'));
  socket.destroy();
});

test('HTTP/1.0 and Connection: close end the connection', async () => {
  for (const request of ['GET /a HTTP/1.0\r\n\r\n', get('/a', 'Connection: foo, close\r\n'),
    'GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n']) {
    const { text, closed } = await exchange(server, request);
    assert.deepEqual(statuses(text), [200]);
    assert.match(text, /Connection: close/);
    assert.ok(closed);
  }
});

test('a client that has said all and half closes still gets its answer', async () => {
  const socket = net.connect({ host: server.host, port: server.port, allowHalfOpen: true });
  socket.end(get('/slow?ms=100'));
  const { text } = await converse(socket, undefined, { ms: 3000 });
  assert.deepEqual(statuses(text), [200]);
});

test('100 Continue is said when it is waited for, and only then', async () => {
  const head = (length, more = '') =>
    `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n${more}\r\n`;
  const socket = await connect(server);
  const first = await converse(socket, head(5), { until: (t) => t.includes('\r\n\r\n') });
  assert.equal(first.text, 'HTTP/1.1 100 Continue\r\n\r\n');
  const second = await converse(socket, 'hello', { until: whole });
  assert.ok(second.text.endsWith('hello'));
  socket.destroy();
  const eager = await exchange(server, `${head(5)}hello`, { until: whole });
  assert.deepEqual(statuses(eager.text), [200]);
  const huge = await exchange(server, head(1e12));
  assert.deepEqual(statuses(huge.text), [413]);
  const empty = await exchange(server, head(0), { until: whole });
  assert.deepEqual(statuses(empty.text), [200]);
  const other = await exchange(server,
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 200-ok\r\n\r\n');
  assert.deepEqual(statuses(other.text), [417]);
});

test('bodies come back as they were: sized, chunked, gzip, large, empty', async () => {
  const agent = new http.Agent({ keepAlive: true });
  const post = (body, headers, chunked) => new Promise((resolve, reject) => {
    const request = http.request({ agent, host: server.host, port: server.port, path: '/echo',
      method: 'POST', headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve([response.statusCode, Buffer.concat(parts)]));
    });
    request.on('error', reject);
    if (!chunked) {
      request.setHeader('Content-Length', body.length);
      request.end(body);
      return;
    }
    for (let at = 0; at < body.length; at += 10007) request.write(body.subarray(at, at + 10007));
    request.end();
  });
  for (const size of [0, 1, 8191, 8192, 65536, 65537, 1 << 20, 9999999]) {
    const body = Buffer.from(Array.from({ length: size }, (_, i) => 65 + ((i * i) >> 7) % 26));
    for (const [sent, headers] of [[body, {}], [zlib.gzipSync(body), { 'Content-Encoding': 'gzip' }]]) {
      for (const chunked of [false, true]) {
        const [status, back] = await post(sent, headers, chunked);
        assert.equal(status, 200);
        assert.ok(back.equals(body), `${size} bytes, chunked: ${chunked}`);
      }
    }
  }
  assert.equal((await post(Buffer.from('x'), { 'Content-Encoding': 'br' }))[0], 415);
  agent.destroy();
});

test('long text answers are compressed for those who take it', async () => {
  const plain = await ask(server, '/large?bytes=100000');
  assert.equal(plain.body.length, 100000);
  assert.match(plain.head, /Vary: Accept-Encoding/);
  const packed = await ask(server, '/large?bytes=100000', { headers: ['Accept-Encoding: gzip'] });
  assert.match(packed.head, /Content-Encoding: gzip/);
  assert.equal(zlib.gunzipSync(Buffer.from(packed.body, 'latin1')).toString(), plain.body);
  const refused = await ask(server, '/large?bytes=100000',
    { headers: ['Accept-Encoding: gzip;q=0'] });
  assert.doesNotMatch(refused.head, /Content-Encoding/);
});

test('a large answer arrives whole, also at a slow reader', async () => {
  const size = 30 << 20;
  const { text } = await exchange(server, get(`/large?bytes=${size}`), { ms: 20000, until: whole });
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, size);
  const socket = await connect(server);
  socket.write(get(`/large?bytes=${size}`) + get('/a', 'Connection: close\r\n'));
  let got = 0, last = '';
  socket.on('data', (data) => {
    got += data.length;
    last = data.toString('latin1');
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  await new Promise((resolve) => socket.on('close', resolve));
  assert.ok(got > size);
  assert.match(last, /"path":"\/a"/);
});

test('request ids: sane ones are kept, others are ours', async () => {
  const given = await ask(server, '/', { headers: ['X-Request-Id: abc-123._:Z'] });
  assert.match(given.head, /X-Request-Id: abc-123._:Z\r?/);
  const ours = new Set();
  for (const id of ['', 'a b', 'x'.repeat(65), '<script>', 'a,b']) {
    const answer = await ask(server, '/', { headers: [`X-Request-Id: ${id}`] });
    ours.add(/X-Request-Id: ([0-9a-f]{16})(\r|$)/.exec(answer.head)[1]);
  }
  assert.equal(ours.size, 5);
});

test('a client that goes away before its answer harms nobody', async () => {
  for (let i = 0; i < 50; i++) {
    const socket = await connect(server);
    socket.write(get('/slow?ms=50') + get('/constant'));
    setTimeout(() => (i % 2 ? socket.resetAndDestroy?.() ?? socket.destroy() : socket.destroy()), 10);
  }
  await sleep(500);
  assert.equal((await ask(server, '/constant')).status, 200);
});

test('many connections at once, on both loops', async () => {
  const all = await Promise.all(Array.from({ length: 200 }, (_, i) =>
    ask(server, i % 2 ? '/async' : '/constant', { ms: 10000 })));
  assert.ok(all.every((answer) => answer.status === 200 && answer.body.length === 2048));
});

test('more connections than allowed wait; more from one address get 503', async () => {
  const few = await startServer({ connections: 5, loops: 1 });
  const held = await Promise.all(Array.from({ length: 5 }, () => connect(few)));
  for (const socket of held) await converse(socket, get('/a'), { until: whole });
  const waiting = ask(few, '/constant', { ms: 5000 });
  await sleep(400);
  assert.equal(await Promise.race([waiting, sleep(50).then(() => 'waits')]), 'waits');
  held[0].destroy();
  assert.equal((await waiting).status, 200);
  held.forEach((socket) => socket.destroy());
  await few.stop();

  const shared = await startServer({ connections_per_address: 3, loops: 2 });
  const mine = await Promise.all(Array.from({ length: 3 }, () => connect(shared)));
  for (const socket of mine) await converse(socket, get('/a'), { until: whole });
  const { text, closed } = await exchange(shared, '');
  assert.deepEqual(statuses(text), [503]);
  assert.ok(closed);
  const neighbour = { ...shared, host: '127.0.0.1' };
  const other = await connect(neighbour, { localAddress: '127.0.0.9' });
  assert.deepEqual(statuses((await converse(other, get('/a'), { until: whole })).text), [200]);
  other.destroy();
  mine[0].destroy();
  await sleep(100);
  assert.equal((await ask(shared, '/a')).status, 200);
  mine.forEach((socket) => socket.destroy());
  await shared.stop();
});

test('without descriptors the server waits without spinning, and recovers', async () => {
  const tight = await startServer({ loops: 1 }, { limitFiles: 40 });
  const sockets = [];
  for (let i = 0; i < 60; i++) sockets.push(await connect(tight));
  const cpu = (pid) => execFileSync('sh', ['-c', `awk '{print $14 + $15}' /proc/${pid}/stat`]);
  const before = Number(cpu(tight.pid));
  await sleep(1000);
  assert.ok(Number(cpu(tight.pid)) - before < 20, 'ticks of CPU in a second');
  sockets.forEach((socket) => socket.destroy());
  await sleep(500);
  assert.equal((await ask(tight, '/constant')).status, 200);
  await tight.stop();
});

test('idle connections are closed after their time', async () => {
  const brief = await startServer({ idle_seconds: 1 });
  const socket = await connect(brief);
  await converse(socket, get('/a'), { until: whole });
  const { text, closed } = await converse(socket, undefined, { ms: 3000 });
  assert.equal(text, '');
  assert.ok(closed);
  await brief.stop();
});

test('a drain finishes what is under way and says close', async () => {
  const ending = await startServer({ drain: 10 });
  const idle = await connect(ending);
  const busy = await connect(ending);
  const late = await connect(ending);
  late.write('GET /a HTTP/1.1\r\nHo');
  busy.write(get('/slow?ms=1000'));
  await sleep(100);
  const idleEnds = converse(idle, undefined, { ms: 900 });
  ending.signal('SIGTERM');
  assert.ok((await idleEnds).closed);
  for (let tries = 0; tries < 50; tries++) { // each loop closes its own listener
    const refused = await connect(ending).then((socket) => socket.destroy() && false, () => true);
    if (refused) break;
    assert.ok(tries < 49, 'still listening');
    await sleep(20);
  }
  const lateAnswer = await converse(late, 'st: a\r\n\r\n', { ms: 2000 });
  assert.match(lateAnswer.text, /Connection: close/);
  const answer = await converse(busy, undefined, { ms: 3000 });
  assert.deepEqual(statuses(answer.text), [200]);
  assert.match(answer.text, /Connection: close/);
  assert.equal(await ending.ended, 0);
});

test('a drain does not wait for ever', async () => {
  const ending = await startServer({ drain: 1 });
  const stuck = await connect(ending);
  stuck.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const slow = await connect(ending);
  slow.write(get('/slow?ms=2500'));
  await sleep(100);
  const began = Date.now();
  ending.signal('SIGTERM');
  assert.ok((await converse(stuck, undefined, { ms: 3000 })).closed);
  assert.equal(await ending.ended, 0);
  assert.ok(Date.now() - began < 5000);
  slow.destroy();
});

test('two servers do not share an address', async () => {
  await assert.rejects(startServer({ listen: server.address }), /in use/);
  for (const listen of ['nonsense', '127.0.0.1', ':80', '127.0.0.1:99999', '[::1', 'unix:']) {
    await assert.rejects(startServer({ listen }), /listen|no address/);
  }
});

test('a unix socket serves, and a stale one is replaced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-unix-'));
  const path = join(folder, 'medulla.sock');
  for (let round = 0; round < 2; round++) {
    const local = await startServer({ listen: `unix:${path}`, proxy: 'unix' });
    const socket = net.connect(path);
    const { text } = await converse(socket,
      get('/a', 'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n'), { until: whole });
    assert.match(text, /"peer":"192.0.2.7"/);
    assert.match(text, /"secure":true/);
    socket.destroy();
    if (round === 0) {
      local.signal('SIGKILL'); // leaves the file behind
      await local.ended;
    } else {
      await assert.rejects(startServer({ listen: `unix:${path}` }), /in use/);
      await local.stop();
    }
  }
  rmSync(folder, { recursive: true });
});

test('IPv6', async () => {
  const six = await startServer({ listen: '[::1]:0' });
  const { text } = await exchange({ host: '::1', port: six.port }, get('/a'), { until: whole });
  assert.match(text, /"peer":"::1"/);
  await six.stop();
});

test('TLS: 1.2 and 1.3, large bodies, pipelining, nothing older', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-tls-'));
  const certificate = join(folder, 'chain.pem'), key = join(folder, 'key.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key,
    '-out', certificate], { stdio: 'ignore' });
  const secure = await startServer({ certificate, key });
  const to = { host: '127.0.0.1', port: secure.port, tls: true };
  const open = (more) => connect(to, { rejectUnauthorized: false, ...more });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const socket = await open({ maxVersion, ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.getProtocol(), maxVersion);
    assert.equal(socket.alpnProtocol, 'http/1.1');
    const body = 'x'.repeat(3000000);
    const back = await converse(socket,
      `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      { ms: 10000, until: whole });
    assert.ok(back.text.endsWith(`\r\n\r\n${body}`));
    const many = await converse(socket,
      get('/slow?ms=30') + get('/a').repeat(300) + get('/async', 'Connection: close\r\n'),
      { ms: 10000 });
    assert.equal(statuses(many.text).length, 302);
    assert.match(many.text, /"secure":true/);
  }
  await assert.rejects(open({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0' }));
  await assert.rejects(open({ ALPNProtocols: ['h2'] }));
  const bad = await open();
  assert.deepEqual(statuses((await converse(bad, 'GET /\n\n')).text), [400]);
  const plain = await exchange({ host: '127.0.0.1', port: secure.port }, get('/a'));
  assert.doesNotMatch(plain.text, /HTTP/);
  assert.ok((await counters({ ...to, ca: undefined, port: secure.port, tls: false, host: to.host })
    .catch(() => 'refused')) === 'refused');
  await secure.stop();
  await assert.rejects(startServer({ certificate, key: certificate }), /key/);
  await assert.rejects(startServer({ certificate }), /both/);
  rmSync(folder, { recursive: true });
});
