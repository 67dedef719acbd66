// server.mjs - a server of a test's own, with settings of its own.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { once } from 'node:events';

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// Which store the servers have, by data directory: a command on one of them means the same.
const stores = new Map();

// A command of the program: its exit code and what it wrote. `ready` is given the child at once.
export async function medulla(args, { input, cwd, ready, settings } = {}) {
  const env = { ...process.env, ...stores.get(args[args.indexOf('--data') + 1]), ...settings };
  const child = spawn(resolve(binary), args, { cwd, env, stdio: [input === undefined && !ready ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  let out = '', err = '';
  child.stdout.on('data', (part) => { out += part; });
  child.stderr.on('data', (part) => { err += part; });
  child.stdin?.on('error', () => {}); // it may end before it has read all
  if (input !== undefined) child.stdin.end(input);
  ready?.(child);
  const [code, signal] = await once(child, 'close');
  return { code, signal, out, err };
}

export const binary = process.env.MEDULLA_BIN ?? 'build/medulla';

// With MEDULLA_TEST_STORE=postgres each server has a database of its own in the server that
// MEDULLA_TEST_POSTGRES names (tests/postgres/server.sh); else a data directory is all it needs.
export const onPostgres = process.env.MEDULLA_TEST_STORE === 'postgres';
let databases = 0;
export function storeSettings() {
  if (!onPostgres) return {};
  const name = `api_${process.pid}_${databases++}`;
  execFileSync('psql', ['-q', '-c', `CREATE DATABASE ${name}`, process.env.MEDULLA_TEST_POSTGRES]);
  return { MEDULLA_STORE_URL: `postgres:${process.env.MEDULLA_TEST_POSTGRES} dbname=${name}` };
}

// All bytes that are kept of a server: a file of its data directory, or all live rows of its
// database, holds `marker`. (bytea is dumped as hex.)
export function holds(server, marker) {
  const holders = readdirSync(server.data, { recursive: true }).filter((name) => {
    const path = join(server.data, name);
    return statSync(path).isFile() && readFileSync(path).includes(marker);
  });
  if (onPostgres) {
    const { MEDULLA_STORE_URL: url } = stores.get(server.data);
    const dump = execFileSync('pg_dump', ['--data-only', '-d', url.replace(/^postgres:/, '')], { encoding: 'latin1', maxBuffer: 1 << 30 });
    if (dump.includes(Buffer.from(marker).toString('hex'))) holders.push('the database');
  }
  return holders;
}

// Without a management address, unless the settings name one: two servers can not share it. The
// data directory is a new one, or the one named, which stays.
export async function startServer(settings = {}, { data } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-api-'));
  data ??= join(folder, 'store');
  const store = stores.get(data) ?? storeSettings();
  stores.set(data, store);
  const port = await freePort();
  const child = spawn(binary, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`,
    '--auth', 'off', '--log-level', 'warn'], { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '', ...store, ...settings }, stdio: ['ignore', 'inherit', 'inherit'] });
  const origin = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) {
    try {
      if ((await fetch(`${origin}/health/ready`)).ok) break;
    } catch { /* not yet */ }
    if (i > 300 || child.exitCode !== null) throw new Error('the server did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    base: `${origin}/fhir`,
    data,
    folder,
    child,
    async stop() {
      child.kill('SIGTERM');
      const running = child.exitCode === null && child.signalCode === null;
      const [code] = running ? await once(child, 'exit') : [child.exitCode];
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}
