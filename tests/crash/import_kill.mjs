// import_kill.mjs DIRECTORY KILLS SEED - D09: an import is killed in the middle and taken up again.
//
// Resources without an id, and transactions that create: loading one twice would make doubles.
// In turns the import on a stopped store is killed, and the server that does the import's work.
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { binary, command, dice, freePort, serve, sleep } from './kill_kit.mjs';

const [directory, kills, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const roll = dice(seed);
const input = join(directory, 'input');
const LINES = 12000, BUNDLES = 60, PARTS = 30;
const value = (kind, i) => [{ system: 'urn:medulla:import', value: `${kind}-${i}` }];
const patient = (kind, i) => ({ resourceType: 'Patient', identifier: value(kind, i), name: [{ family: `F${i}` }] });
const text = (kind, n) => Array.from({ length: n }, (_, i) => `${JSON.stringify(patient(kind, i))}\n`).join('');
mkdirSync(input);
writeFileSync(join(input, 'a.ndjson'), text('plain', LINES));
writeFileSync(join(input, 'b.ndjson.gz'), gzipSync(text('packed', LINES)));
for (let b = 0; b < BUNDLES; b++)
  writeFileSync(join(input, `c${b}.json`), JSON.stringify({ resourceType: 'Bundle', type: b % 5 === 0 ? 'batch' : 'transaction',
    entry: Array.from({ length: PARTS }, (_, i) => ({ fullUrl: `urn:uuid:${randomUUID()}`, resource: patient(`bundle${b}`, i),
      request: { method: 'POST', url: 'Patient', ...(i % 7 === 0 && { ifNoneExist: `identifier=urn:medulla:import|bundle${b}-${i}` }) } })) }));

const port = await freePort();
const found = { lost: 0, doubled: 0, faults: 0, finished: 0 };
const start = (data) => spawn(binary, ['import', '--data', data, '--rejects', join(directory, 'rejects'), input], { stdio: 'ignore' });

// How long it takes undisturbed: moments are taken from all of it.
async function measure() {
  const data = join(directory, 'measured');
  const began = performance.now();
  const { code, said } = await command('import', '--data', data, input);
  if (code !== 0) throw new Error(said);
  rmSync(data, { recursive: true });
  return performance.now() - began;
}
const whole = Math.round(await measure());

async function interrupt(data, i) {
  const server = i % 2 === 1 ? await serve(data, port) : undefined;
  const child = start(data);
  const ended = once(child, 'exit');
  await sleep(whole / 8 + roll(Math.round(whole * 0.8)));
  if (server) await server.kill();
  else child.kill('SIGKILL');
  const [code] = await ended;
  found.finished += code === 0;
}

async function judge(data) {
  const out = join(directory, 'out');
  const last = await command('import', '--data', data, '--rejects', join(directory, 'rejects'), input);
  const verified = await command('verify', '--data', data);
  const exported = await command('export', '--data', data, out);
  found.faults += (last.code !== 0) + (verified.code !== 0) + (exported.code !== 0);
  if (last.code + verified.code + exported.code !== 0) console.error(last.said, verified.said, exported.said);
  const totals = new Map();
  for (const line of readFileSync(join(out, 'Patient.ndjson'), 'utf8').trimEnd().split('\n')) {
    const name = JSON.parse(line).identifier[0].value;
    totals.set(name, (totals.get(name) ?? 0) + 1);
  }
  found.lost += 2 * LINES + BUNDLES * PARTS - totals.size;
  found.doubled += [...totals.values()].filter((n) => n > 1).length;
  rmSync(out, { recursive: true });
  rmSync(data, { recursive: true });
}

const A_STORE = 3; // kills
for (let i = 0; i < kills; i++) {
  const data = join(directory, 'imported');
  await interrupt(data, i);
  if (i % A_STORE === A_STORE - 1 || i === kills - 1) await judge(data);
}
const good = found.lost + found.doubled + found.faults === 0 && found.finished < kills;
console.log(`D09 ${good ? 'pass' : 'fail'} ${kills} kills of imports (${found.finished} had finished), lost ${found.lost}, `
  + `doubled ${found.doubled}, faults ${found.faults} seed ${seed}`);
process.exit(good ? 0 : 1);
