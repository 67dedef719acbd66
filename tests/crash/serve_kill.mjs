// serve_kill.mjs DIRECTORY KILLS SEED - D08: kill -9 on the server while clients write over HTTP.
//
// Writers create, create under a condition, send transactions and update, and note what was
// acknowledged. After each kill the server starts again and all of that round is looked for; what
// was under way may be there or not, but whole, and once. At the end everything is exported,
// counted and verified.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, dice, freePort, serve, sleep, summary } from './kill_kit.mjs';

const [directory, kills, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const roll = dice(seed);
const data = join(directory, 'served');
const port = await freePort();
const base = `http://127.0.0.1:${port}/fhir`;
const system = 'urn:medulla:kill';
const PARTS = 3;
// nonce -> { parts: how many resources carry it, done: acknowledged }
const ledger = new Map();
const counters = new Map(); // id of an updated Patient -> { acknowledged, tried }
let serial = 0;
const found = { lost: 0, torn: 0, doubled: 0 };

const send = (method, path, body, headers = {}) => fetch(`${base}${path}`, { method, body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/fhir+json', ...headers } }).then(async (a) => ({ status: a.status, text: await a.text() }));
const patient = (nonce) => ({ resourceType: 'Patient', identifier: [{ system, value: nonce }] });

async function attempt(nonce, parts, sending) {
  if (!ledger.has(nonce)) ledger.set(nonce, { parts, done: false });
  const answer = await sending();
  if (answer.status === 200 || answer.status === 201) ledger.get(nonce).done = true;
  else throw new Error(`status ${answer.status}: ${answer.text.slice(0, 300)}`);
}

const transaction = (nonce) => {
  const subject = `urn:uuid:${randomUUID()}`;
  const observation = () => ({ resource: { resourceType: 'Observation', status: 'final', identifier: [{ system, value: nonce }],
    code: { text: 'x' }, subject: { reference: subject } }, request: { method: 'POST', url: 'Observation' } });
  return { resourceType: 'Bundle', type: 'transaction', entry: [
    { fullUrl: subject, resource: patient(nonce), request: { method: 'POST', url: 'Patient' } },
    ...Array.from({ length: PARTS - 1 }, observation)] };
};

const kinds = [
  (nonce) => attempt(nonce, 1, () => send('POST', '/Patient', patient(nonce))),
  (nonce) => attempt(nonce, PARTS, () => send('POST', '', transaction(nonce))),
  (nonce) => attempt(`if-${nonce}`, 1, () => conditional(`if-${nonce}`)),
];
const conditional = (nonce) => send('POST', '/Patient', patient(nonce), { 'If-None-Exist': `identifier=${system}|${nonce}` });

async function update(id) {
  const counter = counters.get(id) ?? { acknowledged: 0, tried: 0 };
  counters.set(id, counter);
  const n = ++counter.tried;
  const answer = await send('PUT', `/Patient/${id}`, { resourceType: 'Patient', id, multipleBirthInteger: n });
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`status ${answer.status} of an update`);
  counter.acknowledged = n;
}

// Until the server is gone; an answer that is no success is a fault of the server, not of the kill.
async function write(writer, state) {
  for (;;) {
    const nonce = `n${serial++}`;
    try {
      if (writer % 4 === 3) await update(`counter-${writer}`);
      else await kinds[writer % 4](nonce);
    } catch (e) {
      if (e instanceof TypeError) return; // fetch: the connection is gone
      if (!state.killed) state.fault ??= e;
      return;
    }
  }
}

async function count(nonce) {
  let n = 0;
  for (const type of ['Patient', 'Observation']) {
    const answer = await send('GET', `/${type}?identifier=${system}|${nonce}&_summary=count`);
    n += JSON.parse(answer.text).total;
  }
  return n;
}

function judge(nonce, { parts, done }, n) {
  if (n > parts) found.doubled++;
  else if (n !== 0 && n < parts) found.torn++;
  else if (done && n === 0) found.lost++;
  else return;
  console.error(`${nonce}: ${n} of ${parts}, ${done ? 'acknowledged' : 'under way'}`);
}

// A client that was told nothing asks again with the same condition: one, never two.
async function check(round) {
  for (const nonce of round) {
    if (nonce.startsWith('if-') && !ledger.get(nonce).done) await attempt(nonce, 1, () => conditional(nonce));
    judge(nonce, ledger.get(nonce), await count(nonce));
  }
  for (const [id, { acknowledged, tried }] of counters) {
    const answer = await fetch(`${base}/Patient/${id}`).then((a) => a.json());
    const n = answer.multipleBirthInteger ?? 0;
    if (n < acknowledged || n > tried) found.lost++;
  }
}

const times = [];
let server = await serve(data, port);
for (let i = 0; i < kills; i++) {
  const before = ledger.size;
  const state = { killed: false };
  const writers = Array.from({ length: 8 }, (_, writer) => write(writer, state));
  await sleep(30 + roll(270));
  state.killed = true;
  await server.kill();
  await Promise.all(writers);
  if (state.fault) throw state.fault;
  server = await serve(data, port);
  times.push(server.ms);
  await check([...ledger.keys()].slice(before));
}
server.child.kill('SIGTERM');
const [code] = await server.ended;

// Everything once more, from the files.
const exported = await command('export', '--data', data, join(directory, 'served-out'));
const verified = await command('verify', '--data', data);
const totals = new Map();
for (const type of ['Patient', 'Observation'])
  for (const line of readFileSync(join(directory, 'served-out', `${type}.ndjson`), 'utf8').trimEnd().split('\n')) {
    const nonce = JSON.parse(line).identifier?.[0].value;
    if (nonce) totals.set(nonce, (totals.get(nonce) ?? 0) + 1);
  }
for (const [nonce, entry] of ledger) judge(nonce, entry, totals.get(nonce) ?? 0);

const done = [...ledger.values()].filter((e) => e.done).length;
const { median, p99, worst } = summary(times);
const good = found.lost + found.torn + found.doubled === 0 && exported.code === 0 && verified.code === 0 && code === 0
  && done > kills && worst < 2000;
if (!good) console.error(exported.said, verified.said, `the server ended with ${code}`);
console.log(`D08 ${good ? 'pass' : 'fail'} ${kills} kills of the server under HTTP writes, ${done} of ${ledger.size} acknowledged, `
  + `lost ${found.lost}, torn ${found.torn}, doubled ${found.doubled}, start to ready median ${median} ms p99 ${p99} ms worst ${worst} ms seed ${seed}`);
process.exit(good ? 0 : 1);
