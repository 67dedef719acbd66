// server.mjs - a server of a test's own, with settings of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export const binary = process.env.MEDULLA_BIN ?? 'build/medulla';

// Without a management address, unless the settings name one: two servers can not share it.
export async function startServer(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-api-'));
  const port = await freePort();
  const child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--listen', `127.0.0.1:${port}`,
    '--auth', 'off', '--log-level', 'warn'], { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '', ...settings }, stdio: ['ignore', 'inherit', 'inherit'] });
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
    async stop() {
      child.kill('SIGTERM');
      const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}
