// edge.test.mjs - what the shipped nginx configuration lets through, and in which form. Behind
// it stands an echo server, so this shows the edge alone; with Medulla behind it the same edge
// is used by the HTTP tests.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

const NAME = 'fhir.example.org';
let folder, nginx, upstream, port, ca;
let heard = []; // what the upstream was told, oldest first

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const found = server.address().port;
    server.close(() => resolve(found));
  });
});

const connect = (options = {}) => new Promise((resolve, reject) => {
  const socket = tls.connect({ host: '127.0.0.1', port, servername: NAME, ca, ...options },
    () => resolve(socket));
  socket.on('error', reject);
});

// Sends bytes as they are; gives all that came back until the edge closed or 2 s went by.
const raw = async (text) => {
  const socket = await connect();
  let answer = '';
  socket.on('data', (data) => { answer += data.toString('latin1'); });
  socket.write(text, 'latin1');
  await new Promise((resolve) => {
    socket.on('close', resolve);
    socket.setTimeout(2000, resolve);
  });
  socket.destroy();
  return answer;
};
const status = (answer) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
const request = (lines, body = '') =>
  raw([...lines, `Host: ${NAME}`, 'Connection: close', '', body].join('\r\n'));

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'medulla-edge-'));
  upstream = http.createServer((req, res) => {
    let body = 0;
    req.on('data', (data) => { body += data.length; });
    req.on('end', () => {
      heard.push({ method: req.method, url: req.url, headers: req.headers, body });
      res.end('heard');
    });
  });
  await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  port = await freePort();
  nginx = spawn(fileURLToPath(new URL('nginx.sh', import.meta.url)),
    [folder, `127.0.0.1:${upstream.address().port}`, String(port)], { stdio: 'inherit' });
  for (let tries = 0; ; tries++) {
    try {
      ca = readFileSync(join(folder, 'chain.pem'));
      (await connect()).destroy();
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});

after(async () => {
  const gone = new Promise((resolve) => nginx.on('exit', resolve));
  nginx.kill('SIGTERM');
  await gone;
  upstream.close();
  rmSync(folder, { recursive: true });
});

test('a plain request goes through as it is, with the edge headers', async () => {
  heard = [];
  const answer = await request(['GET /fhir/Patient?name=a%2Cb&x=%2F HTTP/1.1', 'Accept: a/b']);
  assert.equal(status(answer), 200);
  assert.match(answer, /strict-transport-security: max-age=63072000/i);
  assert.doesNotMatch(answer, /nginx\/\d/);
  const [got] = heard;
  assert.equal(got.url, '/fhir/Patient?name=a%2Cb&x=%2F');
  assert.equal(got.headers.host, NAME);
  assert.equal(got.headers['x-forwarded-proto'], 'https');
  assert.equal(got.headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(got.headers.accept, 'a/b');
});

test('what a client claims of itself is replaced', async () => {
  heard = [];
  const forged = ['X-Forwarded-For: 10.0.0.1', 'X-Forwarded-Proto: http', 'X-Forwarded-Host: evil',
    'X-Real-IP: 10.0.0.1', 'Forwarded: for=10.0.0.1', 'X-HTTP-Method-Override: DELETE',
    'X-Original-URL: /metrics', 'X-Rewrite-URL: /metrics', 'Proxy: http://evil', 'TE: trailers',
    'X_Forwarded_For: 10.0.0.1'];
  assert.equal(status(await request(['GET /fhir/metadata HTTP/1.1', ...forged])), 200);
  const { headers } = heard[0];
  assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(headers['x-forwarded-proto'], 'https');
  for (const name of ['x-forwarded-host', 'x-real-ip', 'forwarded', 'x-http-method-override',
    'x-original-url', 'x-rewrite-url', 'proxy', 'te', 'x_forwarded_for', 'upgrade']) {
    assert.equal(headers[name], undefined, name);
  }
});

test('no two readings of where a request ends', async () => {
  const bad = {
    'length and chunked': ['Content-Length: 4', 'Transfer-Encoding: chunked'],
    'two lengths': ['Content-Length: 4', 'Content-Length: 5'],
    'a list of lengths': ['Content-Length: 4, 4'],
    'a signed length': ['Content-Length: +4'],
    'an unknown coding': ['Transfer-Encoding: xchunked'],
    'two codings': ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    'white space before the colon': ['Transfer-Encoding : chunked'],
    'a tab in the coding': ['Transfer-Encoding: \tchunked\x0b'],
  };
  for (const [what, lines] of Object.entries(bad)) {
    heard = [];
    const answer = await request(['POST /fhir/Patient HTTP/1.1', ...lines],
      '0\r\n\r\nGET /fhir/smuggled HTTP/1.1\r\nHost: x\r\n\r\n');
    const code = status(answer);
    assert.ok(code === 400 || code === 501, `${what}: ${code}`);
    assert.deepEqual(heard, [], what);
  }
});

test('a chunked body arrives with a length', async () => {
  heard = [];
  const answer = await request(['POST /fhir/Patient HTTP/1.1', 'Transfer-Encoding: chunked'],
    '4\r\nabcd\r\n0\r\n\r\n');
  assert.equal(status(answer), 200);
  assert.equal(heard[0].body, 4);
  assert.equal(heard[0].headers['content-length'], '4');
  assert.equal(heard[0].headers['transfer-encoding'], undefined);
});

test('methods that FHIR does not have are refused', async () => {
  heard = [];
  for (const method of ['TRACE', 'CONNECT', 'PROPFIND', 'BREW']) {
    const code = status(await request([`${method} /fhir/Patient HTTP/1.1`]));
    assert.ok(code === 405 || code === 400, `${method}: ${code}`);
  }
  assert.deepEqual(heard, []);
});

test('limits: body, request line, headers', async () => {
  heard = [];
  assert.equal(status(await request(['POST /fhir HTTP/1.1', 'Content-Length: 67108865'])), 413);
  assert.equal(status(await request([`GET /${'a'.repeat(9000)} HTTP/1.1`])), 414);
  const many = Array.from({ length: 40 }, (_, i) => `X-${i}: ${'b'.repeat(1000)}`);
  assert.equal(status(await request(['GET /fhir HTTP/1.1', ...many])), 400);
  assert.deepEqual(heard, []);
});

test('another host gets no certificate, no answer', async () => {
  await assert.rejects(connect({ servername: 'evil.example.org' }));
  await assert.rejects(connect({ servername: '' }));
  const code = status(await raw('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'));
  assert.equal(code, 400);
});

test('TLS below 1.2 is refused', async () => {
  await assert.rejects(connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0' }));
});

test('HTTP/2 is spoken', async () => {
  const session = http2.connect(`https://${NAME}:${port}`, {
    createConnection: () => tls.connect({ host: '127.0.0.1', port, servername: NAME, ca,
      ALPNProtocols: ['h2'] }),
  });
  const stream = session.request({ ':path': '/fhir/metadata' });
  const headers = await new Promise((resolve, reject) => {
    stream.on('response', resolve);
    session.on('error', reject);
  });
  assert.equal(headers[':status'], 200);
  stream.resume();
  await new Promise((resolve) => stream.on('end', resolve));
  session.close();
});
