// small_disk.mjs - a server on a disk of 6 MB that is filled and freed by words.
//
// The disk is a tmpfs in a mount namespace of its own, so only the shell in there can fill it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { binary } from './server.mjs';

const script = `mount -t tmpfs -o size=6m none "$1/disk" || exit 1
"$2" serve --data "$1/disk/store" --listen "unix:$1/fhir.sock" --auth off & server=$!
read -r fill && dd if=/dev/zero of="$1/disk/fill" bs=64k 2>/dev/null; echo filled
read -r free && rm "$1/disk/fill"; echo freed
read -r stop; kill -TERM $server; wait $server`;

export const canMount = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

// fhir and admin are paths of sockets; fill() and free() once each, then stop() gives the exit code.
export function onSmallDisk(t) {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-full-'));
  const admin = join(folder, 'admin.sock');
  mkdirSync(join(folder, 'disk'));
  const child = spawn('unshare', ['-Urm', 'sh', '-c', script, 'sh', folder, binary],
    { env: { ...process.env, MEDULLA_ADMIN_LISTEN: `unix:${admin}` }, stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => child.stdin.end()); // its end stops the server
  const ended = once(child, 'exit');
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const tell = async (word) => { child.stdin.write(`${word}\n`); return (await answers.next()).value; };
  return {
    fhir: join(folder, 'fhir.sock'),
    admin,
    fill: () => tell('fill'),
    free: () => tell('free'),
    async stop() {
      child.stdin.end('stop\n');
      const [code] = await ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}
