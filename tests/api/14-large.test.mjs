// A store whose resources are large: no command may need the memory of many of them at once.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, writeSync, openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { medulla, onPostgres } from './lib/server.mjs';

const isLong = process.env.MEDULLA_LONG === '1';
const resources = 120, bytes = 6 << 20; // more than any command's memory

test('verify and export of many large resources', { skip: (!isLong && 'only in the long run') || (onPostgres && 'with files only') }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-large-'));
  try {
    const input = join(folder, 'large.ndjson'), sums = new Map();
    const file = openSync(input, 'w');
    for (let i = 0; i < resources; i++) {
      const data = randomBytes(bytes).toString('base64');
      sums.set(`b${i}`, createHash('sha256').update(data).digest('hex'));
      writeSync(file, `${JSON.stringify({ resourceType: 'Binary', id: `b${i}`, contentType: 'application/octet-stream', data })}\n`);
    }
    closeSync(file);
    const data = join(folder, 'store'), out = join(folder, 'out');
    const done = async (...args) => {
      const answer = await medulla(args);
      assert.equal(answer.code, 0, answer.out + answer.err);
    };
    await done('import', '--data', data, input);
    await done('verify', '--data', data);
    await done('export', '--data', data, out);
    for await (const line of createInterface({ input: createReadStream(join(out, 'Binary.ndjson')) })) {
      const { id, data: text } = JSON.parse(line);
      assert.equal(createHash('sha256').update(text).digest('hex'), sums.get(id), id);
      sums.delete(id);
    }
    assert.equal(sums.size, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
