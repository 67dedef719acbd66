// kill_kit.mjs - what the kill loops on the whole program share: starting it, random moments, a report.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

export const binary = process.env.MEDULLA_BIN ?? 'build/medulla';
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// xorshift64*, as the other crash tests roll their dice: MEDULLA_TEST_SEED repeats a run.
export function dice(seed) {
  let state = BigInt.asUintN(64, BigInt(seed) * 0x9e3779b97f4a7c15n + 1n);
  return (n) => {
    for (const [left, by] of [[true, 13n], [false, 7n], [true, 17n]])
      state ^= BigInt.asUintN(64, left ? state << by : state >> by);
    return Number((state >> 11n) % BigInt(n));
  };
}

export async function freePort() {
  const taker = createServer().listen(0, '127.0.0.1');
  await once(taker, 'listening');
  const { port } = taker.address();
  taker.close();
  await once(taker, 'close');
  return port;
}

// Ready, with how long that took: from the start of the process to the first 200.
export async function serve(data, port) {
  const began = performance.now();
  const child = spawn(binary, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--log-level', 'error'],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '' }, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(child, 'exit');
  for (;;) {
    const ok = await fetch(`http://127.0.0.1:${port}/health/ready`).then((a) => a.arrayBuffer().then(() => a.ok), () => false);
    if (ok) break;
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    if (performance.now() - began > 30000) throw new Error('the server is not ready after 30 s');
    await sleep(2);
  }
  return { child, ended, ms: performance.now() - began, async kill() { child.kill('SIGKILL'); await ended; } };
}

export async function command(...args) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => { said += part; });
  const [code] = await once(child, 'close');
  return { code, said };
}

export function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { median: at(0.5), p99: at(0.99), worst: at(1) };
}
