// floods.test.mjs - rows N01, N03, N04, N05 of the security matrix: slow, long and lying clients,
// directly and through the shipped nginx edge. Each row prints "ID pass|fail figure". Where a
// limit carries the row, the same attack runs once with the limit off and must be seen to fail.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { LONG, NAME, ask, connect, converse, counters, exchange, factor, goodClient, percentile,
  row, seconds, sleep, startEdge, startServer, statuses, whole } from './lab.mjs';

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

// `n` sockets from many addresses of 127/8, each doing the same; `cut` resolves when the other
// side ended it, with the seconds that took.
const crowd = async (to, n, first, { every, bytes = 'x' } = {}) => {
  const sockets = [];
  for (let i = 0; i < n; i += 50) {
    sockets.push(...await Promise.all(Array.from({ length: Math.min(50, n - i) }, (_, k) =>
      connect(to, to.tls ? {} : { localAddress: `127.0.${1 + (i >> 8)}.${1 + k}` }))));
  }
  const began = seconds();
  const ends = sockets.map((socket) => new Promise((resolve) => {
    let text = '';
    socket.on('data', (data) => { text += data.toString('latin1'); });
    const end = () => resolve({ text, after: seconds() - began });
    socket.on('end', end).on('close', end).on('error', end);
    socket.write(first);
  }));
  let turn = 0; // a twentieth of the sockets at a time
  const timer = every && setInterval(() => {
    turn = (turn + 1) % 20;
    for (let i = turn; i < sockets.length; i += 20) {
      if (sockets[i].writable) sockets[i].write(bytes);
    }
  }, every / 20);
  return {
    ends: () => Promise.all(ends),
    close: () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
};

const slowHeads = async (to, lab, n, cutAfter) => {
  const idle = await counters(lab);
  let grown = 0, ends = [], times = [];
  const attack = await crowd(to, n, `GET / HTTP/1.1\r\n${HOST}X-Slow: `, { every: 1000 });
  try {
    times = await goodClient(to, async () => {
      await sleep(500);
      const now = await counters(lab);
      grown = (now.rss - idle.rss) / Math.max(1, now.open - idle.open);
      ends = await Promise.race([attack.ends(), sleep((cutAfter + 4) * 1000).then(() => [])]);
    });
  } finally {
    attack.close();
  }
  const latest = ends.reduce((most, end) => Math.max(most, end.after), 0);
  return { ends, latest, p99: percentile(times, 0.99), grown };
};

test('N01 slow heads are cut and good clients served', async () => {
  const n = LONG ? 5000 : 500;
  const lab = await startServer({ head_seconds: 2, connections: 20000 });
  const { ends, latest, p99, grown } = await slowHeads(lab, lab, n, 2);
  const ok = ends.length === n && latest < 3.5 && latest > 1.5 && p99 < 250 * factor
    && grown < 16384 * factor && ends.every(({ text }) => statuses(text)[0] === 408);
  await lab.stop();
  row('N01', 'direct', ok, `heads: ${ends.length} of ${n} cut with 408 by ${latest.toFixed(1)} s, `
    + `good p99 ${p99.toFixed(0)} ms, ${Math.round(grown)} bytes a socket`);
});

test('N01 slow heads stop at nginx', async () => {
  const { ends, latest, p99 } = await slowHeads(edge, server, 150, 10);
  row('N01', 'nginx', ends.length === 150 && latest < 13 && p99 < 250 * factor,
    `heads: ${ends.length} of 150 cut by ${latest.toFixed(1)} s, good p99 ${p99.toFixed(0)} ms`);
});

test('N01 would be seen to fail without the deadline', async () => {
  const lab = await startServer({ head_seconds: 0 });
  const { ends } = await slowHeads(lab, lab, 20, 2);
  assert.equal(ends.length, 0);
  await lab.stop();
});

test('N01 at nginx would be seen to fail without its deadline', async () => {
  const lax = await startEdge(server, '/client_header_timeout/d');
  const { ends } = await slowHeads(lax, server, 20, 9);
  assert.equal(ends.length, 0);
  await lax.stop();
});

test('N01 silent sockets are closed too', async () => {
  const lab = await startServer({ head_seconds: 1 });
  const attack = await crowd(lab, 50, '');
  const ends = await Promise.race([attack.ends(), sleep(4000).then(() => [])]);
  attack.close();
  await lab.stop();
  row('N01', 'direct', ends.length === 50, `silent: ${ends.length} of 50 closed`);
});

test('N01 slow bodies are cut', async () => {
  for (const framing of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
    const n = LONG ? 2000 : 200;
    const lab = await startServer({ body_window_seconds: 2 });
    const attack = await crowd(lab, n, `POST /echo HTTP/1.1\r\n${HOST}${framing}\r\n\r\n`,
      { every: 500, bytes: framing.startsWith('T') ? '1\r\nx\r\n' : 'x' });
    let ends = [];
    const times = await goodClient(lab, async () => {
      ends = await Promise.race([attack.ends(), sleep(7000).then(() => [])]);
    });
    attack.close();
    const latest = ends.reduce((most, end) => Math.max(most, end.after), 0);
    const p99 = percentile(times, 0.99);
    const ok = ends.length === n && latest < 4 && p99 < 250 * factor
      && ends.every(({ text }) => statuses(text)[0] === 408);
    await lab.stop();
    row('N01', 'direct', ok, `bodies, ${framing}: ${ends.length} of ${n} cut with 408 by `
      + `${latest.toFixed(1)} s, good p99 ${p99.toFixed(0)} ms`);
  }
});

test('N01 a body just above the least rate is not cut', async () => {
  const lab = await startServer({ body_window_seconds: 1, body_bytes_per_second: 1000 });
  const socket = await connect(lab);
  socket.write(`POST /echo HTTP/1.1\r\n${HOST}Content-Length: 6000\r\n\r\n`);
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < 6000) socket.write('x'.repeat(300));
    sent += 300;
  }, 200);
  const { text } = await converse(socket, undefined, { ms: 8000, until: whole });
  clearInterval(timer);
  assert.deepEqual(statuses(text), [200]);
  socket.destroy();
  await lab.stop();
});

test('N01 slow readers are cut and hold little', async () => {
  const n = LONG ? 1000 : 100;
  const lab = await startServer({ write_seconds: 2 });
  const before = await counters(lab);
  const sockets = [];
  for (let i = 0; i < n; i++) {
    const socket = await connect(lab, { localAddress: `127.0.2.${1 + i % 200}` });
    socket.pause(); // reads nothing: the kernel's window fills
    socket.on('error', () => {});
    socket.write(`GET /large?bytes=20000000 HTTP/1.1\r\n${HOST}\r\n`.repeat(i % 2 ? 1 : 5));
    sockets.push(socket);
  }
  let open = n;
  const times = await goodClient(lab, async () => {
    for (let i = 0; i < 40 && open > 2; i++) {
      await sleep(250);
      open = (await counters(lab)).open - before.open;
    }
  });
  sockets.forEach((socket) => socket.destroy());
  const p99 = percentile(times, 0.99);
  await lab.stop();
  row('N01', 'direct', open <= 2 && p99 < 250 * factor,
    `readers: ${n - Math.max(0, open)} of ${n} cut, good p99 ${p99.toFixed(0)} ms`);
});

// What the server read of one connection that sends `parts` until it is refused.
const bytesRead = async (lab, to, parts) => {
  const before = (await counters(lab)).bytes_in;
  const socket = await connect(to);
  let stopped = false;
  const ended = converse(socket, undefined, { ms: 8000 }).then((result) => {
    stopped = true;
    return result;
  });
  for (const part of parts) {
    if (stopped || !socket.writable) break;
    if (!socket.write(part, 'latin1')) {
      await Promise.race([ended, new Promise((resolve) => socket.once('drain', resolve))]);
    }
    await new Promise(setImmediate);
  }
  const result = await ended;
  socket.destroy();
  await sleep(50);
  return { ...result, read: (await counters(lab)).bytes_in - before };
};

const block = 'y'.repeat(4096);
const floods = {
  'a request line of 1 MiB': [414, ['GET /', ...Array(256).fill(block)]],
  'a query of 1 MiB': [414, [`GET /?${block}`, ...Array(256).fill(block)]],
  'a method of 1 MiB': [414, Array(256).fill(block)],
  'a header of 1 MiB': [431, [`GET / HTTP/1.1\r\n${HOST}X: `, ...Array(256).fill(block)]],
  'a header name of 1 MiB': [431, [`GET / HTTP/1.1\r\n${HOST}`, ...Array(256).fill(block)]],
  '10,000 headers': [431, [`GET / HTTP/1.1\r\n${HOST}`,
    ...Array.from({ length: 100 }, (_, i) => Array.from({ length: 100 }, (_, k) =>
      `X-${i}-${k}: y\r\n`).join(''))]],
  '10,000 empty headers': [431, [`GET / HTTP/1.1\r\n${HOST}`, ...Array(100).fill('a:\r\n'.repeat(100))]],
};

test('N03 floods of headers', async () => {
  for (const [name, [status, parts]] of Object.entries(floods)) {
    const { text, closed, read } = await bytesRead(server, server, parts);
    row('N03', 'direct', statuses(text)[0] === status && closed && read < 65536,
      `${name}: ${statuses(text)[0]}, ${read} bytes read`);
  }
  for (const [name, [, parts]] of Object.entries(floods)) {
    const { text, read } = await bytesRead(server, edge, parts);
    row('N03', 'nginx', [400, 414, 431, 494].includes(statuses(text)[0]) && read < 65536,
      `${name}: ${statuses(text)[0]}, ${read} bytes reached us`);
  }
});

test('N03 would be seen to fail without the limits', async () => {
  const lax = await startServer({ request_line: 1 << 30, head: 1 << 30, headers: 1 << 30 });
  const [, parts] = floods['a header of 1 MiB'];
  const { read } = await bytesRead(lax, lax, parts);
  assert.ok(read > 65536);
  await lax.stop();
});

test('N03 at nginx would be seen to fail without its limits', async () => {
  const long = `GET /a HTTP/1.1\r\n${HOST}Connection: close\r\nX: ${'y'.repeat(16000)}\r\n\r\n`;
  assert.deepEqual(statuses((await exchange(edge, long)).text), [400]);
  const open = await startEdge(server,
    's/large_client_header_buffers 4 8k/large_client_header_buffers 4 64k/');
  assert.deepEqual(statuses((await exchange(open, long)).text), [200]);
  await open.stop();
});

test('N04 bodies end at the limit', async () => {
  const limit = 1 << 20;
  const lab = await startServer({ body: limit, proxy: '127.0.0.1' });
  const post = `POST /echo HTTP/1.1\r\n${HOST}`;
  const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`;
  const cases = {
    'one byte more, announced': [413, [`${post}Content-Length: ${limit + 1}\r\n\r\n`]],
    'announced without end': [413, [`${post}Content-Length: ${'9'.repeat(40)}\r\n\r\n`]],
    'one byte more, chunked': [413, [`${post}Transfer-Encoding: chunked\r\n\r\n`,
      ...Array(16).fill(chunk), '1\r\nx\r\n']],
    'endless chunks': [413, [`${post}Transfer-Encoding: chunked\r\n\r\n`, ...Array(400).fill(chunk)]],
    'one chunk without end': [413, [`${post}Transfer-Encoding: chunked\r\n\r\n7fffffffffffff0\r\n`,
      ...Array(400).fill('x'.repeat(65536))]],
    'endless extension': [400, [`${post}Transfer-Encoding: chunked\r\n\r\n1;`,
      ...Array(400).fill('x'.repeat(4096))]],
    'endless trailers': [400, [`${post}Transfer-Encoding: chunked\r\n\r\n0\r\n`,
      ...Array(400).fill('a: b\r\n'.repeat(500))]],
    'endless small chunks with extensions': [400, [`${post}Transfer-Encoding: chunked\r\n\r\n`,
      ...Array(400).fill('1;abc=defghi\r\nx\r\n'.repeat(100))]],
    'endless zeros in a size': [400, [`${post}Transfer-Encoding: chunked\r\n\r\n`,
      ...Array(400).fill('0'.repeat(1000))]],
  };
  for (const [name, [status, parts]] of Object.entries(cases)) {
    const before = await counters(lab);
    const { text, closed, read } = await bytesRead(lab, lab, parts);
    const now = await counters(lab);
    const grown = now.rss - before.rss;
    row('N04', 'direct', statuses(text)[0] === status && closed && read < limit * 2 + 262144
      && grown < 4 * limit * factor, `${name}: ${statuses(text)[0]}, ${read} bytes read`);
  }
  const exact = await ask(lab, '/echo', { method: 'POST', body: 'x'.repeat(limit) });
  assert.equal(exact.status, 200);
  assert.equal(exact.body.length, limit);
  await lab.stop();
});

test('N04 a client that promises more than it sends holds no memory', async () => {
  const lab = await startServer({});
  const before = await counters(lab);
  const liars = await crowd(lab, 200,
    `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 67108864\r\n\r\nshort`);
  await sleep(300);
  const grown = ((await counters(lab)).rss - before.rss) / 200;
  liars.close();
  await lab.stop();
  row('N04', 'direct', grown < 65536 * factor, `lying lengths: ${Math.round(grown)} bytes each`);
});

test('N04 bodies in flight are bounded together', async () => {
  const lab = await startServer({ bodies_in_flight: 3000000 });
  const half = `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 2000000\r\n\r\n${'x'.repeat(1000000)}`;
  const held = [];
  for (let i = 0; i < 5; i++) held.push(exchange(lab, half, { ms: 1500 }));
  const refused = (await Promise.all(held)).filter(({ text }) => statuses(text)[0] === 503);
  assert.ok(refused.length >= 2 && refused.length <= 3, `${refused.length} of 5 refused`);
  assert.match(refused[0].text, /Retry-After/);
  await sleep(200);
  assert.equal((await ask(lab, '/echo', { method: 'POST', body: 'ok' })).status, 200);
  await lab.stop();
});

test('N04 at nginx', async () => {
  const before = await counters(server);
  const post = `POST /echo HTTP/1.1\r\n${HOST}`;
  const announced = await exchange(edge, `${post}Content-Length: 67108865\r\n\r\n`);
  const chunk = `100000\r\n${'x'.repeat(1 << 20)}\r\n`;
  const chunks = await bytesRead(server, edge,
    [`${post}Transfer-Encoding: chunked\r\n\r\n`, ...Array(70).fill(chunk)]);
  const reached = (await counters(server)).bytes_in - before.bytes_in;
  row('N04', 'nginx', statuses(announced.text)[0] === 413 && statuses(chunks.text)[0] === 413
    && reached < 65536, `announced and chunked: 413, ${reached} bytes reached us`);
});

test('N04 would be seen to fail without the limits', async () => {
  const lax = await startServer({ body: 1 << 30, bodies_in_flight: 1 << 30, proxy: '127.0.0.1' });
  const post = `POST /echo HTTP/1.1\r\n${HOST}`;
  const endless = [`${post}Transfer-Encoding: chunked\r\n\r\n`,
    ...Array(70).fill(`100000\r\n${'x'.repeat(1 << 20)}\r\n`)];
  const { text, read } = await bytesRead(lax, lax, endless);
  assert.notEqual(statuses(text)[0], 413);
  assert.ok(read > 64 << 20, `${read} bytes read`);
  const open = await startEdge(lax, '/client_max_body_size/s/64m/0/');
  const behind = await bytesRead(lax, open, [...endless, '0\r\n\r\n']);
  assert.notEqual(statuses(behind.text)[0], 413);
  assert.ok(behind.read > 65536, `${behind.read} bytes reached us`);
  await open.stop();
  await lax.stop();
});

// A body that inflates to `mebibytes` of one byte.
const bomb = (mebibytes) => zlib.gzipSync(Buffer.alloc(mebibytes << 20, 'a'), { level: 9 });
const sendGzip = (to, body, more = '') => exchange(to, Buffer.concat([Buffer.from(
  `POST /echo HTTP/1.1\r\n${HOST}Content-Encoding: gzip\r\nConnection: close\r\n${more}`
  + `Content-Length: ${body.length}\r\n\r\n`), body]).toString('latin1'), { ms: 5000 });

test('N05 gzip bombs', async () => {
  const random = Buffer.from(Array.from({ length: 3 << 20 }, () => Math.random() * 256));
  const honest = zlib.gzipSync(Buffer.from(Array.from({ length: 200 }, (_, i) => `{"id":${i}}`).join()));
  const flipped = Buffer.from(honest);
  flipped[flipped.length - 5] ^= 1;
  const cases = {
    '100 MiB in one member': [[413], bomb(100)],
    'a thousand members of 100 KiB': [[413], Buffer.concat(Array(1000).fill(
      zlib.gzipSync(Buffer.alloc(102400, 'a'))))],
    'a bomb inside a bomb is only unpacked once': [[200, 413], zlib.gzipSync(bomb(100))],
    'a wrong checksum': [[400], flipped],
    'something behind the member': [[400], Buffer.concat([honest, Buffer.from('garbage')])],
    'no gzip at all': [[400], Buffer.from('plain text')],
    'raw deflate': [[400], zlib.deflateRawSync('text')],
    'zlib instead of gzip': [[400], zlib.deflateSync('text')],
    'noise behind a gzip header': [[400], Buffer.concat([honest.subarray(0, 10), random.subarray(0, 9999)])],
  };
  for (const [chain, to] of [['direct', server], ['nginx', edge]]) {
    for (const [name, [allowed, body]] of Object.entries(cases)) {
      const before = await counters(server);
      const { text, ms } = await sendGzip(to, body);
      const after = await counters(server);
      const cpu = (after.cpu_us - before.cpu_us) / 1000;
      const grown = after.rss - before.rss;
      row('N05', chain, allowed.includes(statuses(text)[0]) && cpu < 100 * factor
        && grown < (8 << 20) * factor, `${name}: ${statuses(text)[0]} after ${ms.toFixed(0)} ms, `
        + `${cpu.toFixed(0)} ms of CPU, ${grown} bytes more`);
    }
  }
});

test('N05 every prefix of a gzip stream is refused, none hangs', async () => {
  const packed = zlib.gzipSync(Buffer.from('{"resourceType":"Patient","active":true}'.repeat(5)));
  let worst = 0;
  for (let n = 1; n < packed.length; n++) {
    const { text, ms } = await sendGzip(server, packed.subarray(0, n));
    assert.deepEqual(statuses(text), [400], `${n} of ${packed.length} bytes`);
    worst = Math.max(worst, ms);
  }
  assert.deepEqual(statuses((await sendGzip(server, packed)).text), [200]);
  row('N05', 'direct', worst < 100 * factor,
    `${packed.length - 1} prefixes refused, slowest ${worst.toFixed(0)} ms`);
});

test('N05 would be seen to fail without the limits', async () => {
  const lax = await startServer({ inflate_ratio: 1 << 30, body: 1 << 30, proxy: '127.0.0.1' });
  const { text } = await sendGzip(lax, bomb(20));
  assert.deepEqual(statuses(text), [200]);
  const open = await startEdge(lax); // nginx hands bodies on as they are: the rule is ours alone
  assert.deepEqual(statuses((await sendGzip(open, bomb(20))).text), [200]);
  await open.stop();
  await lax.stop();
});
