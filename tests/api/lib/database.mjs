// A PostgreSQL of a test's own, and medulla on it as a process of its own.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { binary, freePort } from './server.mjs';

/** tests/postgres/server.sh: have, start DIR (answers with the conninfo), stop DIR, ... */
export const control = (...words) => execFileSync('sh', ['tests/postgres/server.sh', ...words], { encoding: 'utf8' }).trim();
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ready, with its log so far; ended with the test, and then it must be the same process still. */
export async function serveOn(t, data, conninfo, { workers, quick }) {
  const port = await freePort();
  const child = spawn(binary, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--auth', 'off', '--store', `postgres:${conninfo}`],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '', MEDULLA_WORKER_THREADS: `${workers}`, MEDULLA_WORKER_QUICK: `${quick}` }, stdio: ['ignore', 'ignore', 'pipe'] });
  const server = { base: `http://127.0.0.1:${port}`, log: '' };
  child.stderr.on('data', (part) => { server.log += part; });
  t.after(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    assert.equal(child.exitCode, 0, 'it was the same process all along');
  });
  for (let i = 0; i < 600 && !(await fetch(`${server.base}/health/ready`).then((r) => r.ok, () => false)); i++) await pause(50);
  return server;
}
