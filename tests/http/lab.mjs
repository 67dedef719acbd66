// lab.mjs - what the HTTP tests share: the server with other limits, the nginx edge in front of
// it, raw sockets, and the line each row of the matrix prints.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

export const LONG = process.env.MEDULLA_LONG === '1';
export const NAME = 'fhir.example.org';
const PROGRAM = process.env.MEDULLA_HTTP_LAB ?? 'build/tests/http/echo_server';
const SANITIZED = process.env.MEDULLA_SANITIZED === '1';
export const factor = SANITIZED ? 4 : 1; // sanitizers cost time and memory

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const seconds = () => Number(process.hrtime.bigint()) / 1e9;

// "N01 pass 12.3 ms": a row of the security matrix with its figure.
export const row = (id, chain, ok, figure) => {
  console.log(`${id} ${ok ? 'pass' : 'fail'} ${figure} (${chain})`);
  if (!ok) throw new Error(`${id} (${chain}): ${figure}`);
};

// Starts the server; options are those of echo_server.c. Gives { port, address, stop, kill }.
export const startServer = (options = {}, { limitFiles } = {}) => new Promise((resolve, reject) => {
  const words = Object.entries(options).flatMap(([key, value]) =>
    [].concat(value).map((one) => `${key}=${one}`));
  const child = limitFiles
    ? spawn('sh', ['-c', `ulimit -n ${limitFiles}; exec "$0" "$@"`, PROGRAM, ...words])
    : spawn(PROGRAM, words);
  let said = '', complained = '';
  const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  child.stderr.on('data', (data) => { complained += data; });
  child.stdout.on('data', (data) => {
    said += data;
    const found = /^listening (\S+)\n/.exec(said);
    if (!found) return;
    const address = found[1];
    resolve({
      address,
      host: '127.0.0.1',
      port: Number(address.split(':').pop()),
      pid: child.pid,
      signal: (name) => child.kill(name),
      ended,
      log: () => complained,
      // A clean end is part of every test: no crash, no leak, no sanitizer report.
      stop: async () => {
        child.kill('SIGTERM');
        const code = await ended;
        if (code !== 0 || /Sanitizer|runtime error/.test(complained)) {
          throw new Error(`the server ended with ${code}: ${complained}`);
        }
      },
    });
  });
  child.on('error', reject);
  ended.then((code) => reject(new Error(`no server: ${code} ${complained}`)));
});

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const found = server.address().port;
    server.close(() => resolve(found));
  });
});

// The shipped nginx configuration in front of `server`; `edit` is a sed expression that takes one
// of its rules out, for tests that must then be seen to fail.
export const startEdge = async (server, edit = '') => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-http-'));
  const port = await freePort();
  const script = fileURLToPath(new URL('../edge/nginx.sh', import.meta.url));
  const child = spawn(script, [folder, `127.0.0.1:${server.port}`, String(port)],
    { stdio: 'inherit', env: { ...process.env, MEDULLA_EDGE_EDIT: edit } });
  const edge = { host: '127.0.0.1', port, name: 'nginx', tls: true };
  for (let tries = 0; ; tries++) {
    try {
      edge.ca = readFileSync(join(folder, 'chain.pem'));
      (await connect(edge)).destroy();
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(100);
    }
  }
  edge.stop = async () => {
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true });
  };
  return edge;
};

// A connected socket to a server or an edge.
export const connect = (to, more = {}) => new Promise((resolve, reject) => {
  const socket = to.tls
    ? tls.connect({ host: to.host, port: to.port, servername: NAME, ca: to.ca, ...more },
      () => resolve(socket))
    : net.connect({ host: to.host, port: to.port, ...more }, () => resolve(socket));
  socket.on('error', reject);
});

// Sends `bytes`; gives { text, closed, ms } once the other side closed, `until(text)` holds, or
// `ms` went by.
export const exchange = async (to, bytes, { ms = 1000, until = () => false } = {}) => {
  const socket = await connect(to);
  const began = seconds();
  const result = await converse(socket, bytes, { ms, until });
  socket.destroy();
  return { ...result, ms: (seconds() - began) * 1000 };
};

export const converse = (socket, bytes, { ms = 1000, until = () => false } = {}) =>
  new Promise((resolve) => {
    let text = '';
    const memo = {};
    const end = (closed) => {
      clearTimeout(timer);
      for (const event of ['data', 'end', 'close']) socket.removeAllListeners(event);
      socket.removeListener('error', onError);
      resolve({ text, closed });
    };
    const onError = () => end(true);
    const timer = setTimeout(() => end(false), ms);
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (until(text, memo)) end(false);
    });
    socket.on('end', () => end(true));
    socket.on('close', () => end(true));
    socket.on('error', onError);
    if (bytes !== undefined) socket.write(bytes, 'latin1');
  });

// The statuses of all answers in `text`, in order (1xx included).
export const statuses = (text) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map((found) => Number(found[1]));

// Is the first answer complete? `memo` keeps its length, so that long ones are looked at once.
export const whole = (text, memo) => {
  if (memo.length === undefined) {
    const head = text.indexOf('\r\n\r\n');
    if (head < 0) return false;
    const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2));
    memo.length = head + 4 + Number(length?.[1] ?? 0);
  }
  return text.length >= memo.length;
};

// One good request on a connection of its own: { status, body, ms }.
export const ask = async (to, path, { headers = [], method = 'GET', body = '', ms = 5000 } = {}) => {
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${to.tls ? NAME : '127.0.0.1'}`,
    ...(body ? [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`] : []), ...headers];
  const answer = await exchange(to, `${head.join('\r\n')}\r\n\r\n${body}`, { ms, until: whole });
  const at = answer.text.indexOf('\r\n\r\n');
  return {
    status: statuses(answer.text)[0],
    head: answer.text.slice(0, at),
    body: answer.text.slice(at + 4),
    ms: answer.ms,
  };
};

export const counters = async (server) => JSON.parse((await ask(server, '/counters')).body);

// Milliseconds that good requests took, sorted, while `during` runs. They are asked on a thread
// of their own, so that what the attack costs this process is not counted as the server's.
export const goodClient = async (to, during) => {
  const { host, port, tls: secure, ca } = to;
  const worker = new Worker(new URL('good_client.mjs', import.meta.url),
    { workerData: { host, port, tls: secure, ca } });
  const result = new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  try {
    await during();
  } finally {
    worker.postMessage('enough');
  }
  const { times, faults } = await result;
  if (faults.length > 0) throw new Error(`good clients got ${faults}`);
  return times.sort((a, b) => a - b);
};

export const percentile = (sorted, p) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
