// What the log says of a request, and what it never says: one line each, no value of anybody's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binary, freePort } from './lib/server.mjs';

// A server that logs everything; `stop` gives all it said.
async function logging(format) {
  const folder = mkdtempSync(join(tmpdir(), 'medulla-api-'));
  const origin = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(binary, ['serve', '--data', join(folder, 'store'), '--listen', origin.slice(7), '--auth', 'off',
    '--log-level', 'debug'], { env: { ...process.env, MEDULLA_ADMIN_LISTEN: '', MEDULLA_LOG_FORMAT: format },
    stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part) => { said += part; });
  child.stdout.on('data', (part) => { said += part; });
  while (!said.includes('serving')) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    base: `${origin}/fhir`,
    async stop() {
      child.kill('SIGTERM');
      const [code] = await once(child, 'close');
      rmSync(folder, { recursive: true, force: true });
      assert.equal(code, 0);
      return said;
    },
  };
}

const secret = 'Zqxwvutsr';

// Requests that carry the secret wherever one can stand, right and wrong ones; their answers.
async function requests(base) {
  const fhir = { 'Content-Type': 'application/fhir+json' };
  const patient = JSON.stringify({ resourceType: 'Patient', id: secret, name: [{ family: secret }],
    identifier: [{ system: `http://${secret}.example`, value: secret }] });
  const ask = (path, options) => fetch(`${base}${path}`, options);
  return [
    await ask(`/Patient/${secret}`, { method: 'PUT', headers: fhir, body: patient }),
    await ask(`/Patient/${secret}`),
    await ask(`/Patient/${secret}/_history/1`),
    await ask(`/Patient?family=${secret}&identifier=http://${secret}.example|${secret}`),
    await ask(`/Patient?${secret}=${secret}`),
    await ask(`/Patient?birthdate=${secret}`),
    await ask(`/${secret}/1`),
    await ask(`/Patient/$${secret}`),
    await ask('/Patient', { method: 'POST', headers: fhir, body: `{"resourceType":"Patient","${secret}":"${secret}"}` }),
    await ask('/Patient', { method: 'POST', headers: fhir, body: `{"${secret}` }),
    await ask('/Patient', { method: 'POST', headers: { ...fhir, 'If-None-Exist': `family=${secret}` }, body: patient }),
    await ask(`/Patient/${secret}`, { headers: { Authorization: `Bearer ${secret}`, Cookie: `a=${secret}`, 'User-Agent': secret, 'If-None-Match': secret } }),
    await ask(`/Observation`, { method: 'POST', headers: fhir, body: JSON.stringify({ resourceType: 'Observation', status: secret, code: { text: secret }, subject: { reference: `Patient/${secret}-none` } }) }),
    await ask('', { method: 'POST', headers: fhir, body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction',
      entry: [{ resource: JSON.parse(patient), request: { method: 'PUT', url: `Patient/${secret}` } }] }) }),
    await ask(`/Patient/${secret}`, { method: 'DELETE' }),
    await ask(`/Patient/${secret}`),
  ];
}

// key=value and key="quoted value", as logfmt has it.
function logfmt(line) {
  const fields = {};
  const rest = line.replace(/([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)( |$)/g, (_, key, value) => {
    fields[key] = value.startsWith('"') ? JSON.parse(value) : value;
    return '';
  });
  assert.equal(rest, '', line);
  return fields;
}

for (const [format, parse] of [['logfmt', logfmt], ['json', JSON.parse]]) {
  test(`${format}: a line a request, with its id, template, status and time, and no value`, async () => {
    const server = await logging(format);
    const answers = await requests(server.base);
    for (const answer of answers) await answer.arrayBuffer();
    const said = await server.stop();
    const lines = said.trimEnd().split('\n').map(parse);
    const logged = lines.filter((line) => line.msg === 'request');
    assert.equal(logged.length, answers.length);
    for (const [i, answer] of answers.entries()) {
      const line = logged.find((l) => l.id === answer.headers.get('x-request-id'));
      assert.ok(line, `no line for request ${i}`);
      assert.equal(Number(line.status), answer.status);
      assert.match(line.route, /^\/(\{type\}(\/\{id\}(\/_history\/\{version\})?)?)?$/);
      assert.ok(Number(line.microseconds) >= 0);
      assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    }
    assert.ok(!said.toLowerCase().includes(secret.toLowerCase()), 'a value in the log');
    assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200, 201, 204, 400, 404, 410, 422]));
  });
}

test('SIGTERM: what was asked before it is answered and durable, and the exit code is 0', async () => {
  const server = await logging('logfmt');
  const create = () => fetch(`${server.base}/Patient`, { method: 'POST', body: '{"resourceType":"Patient"}',
    headers: { 'Content-Type': 'application/fhir+json', Connection: 'close' } });
  const asked = Array.from({ length: 64 }, create);
  await Promise.race(asked); // the others are on their way
  const stopped = server.stop();
  const statuses = (await Promise.allSettled(asked)).map((a) => a.value?.status ?? 'refused');
  await stopped;
  // A connection that was not accepted yet may be refused; one that was is answered.
  for (const status of statuses) assert.ok([201, 503, 'refused'].includes(status), `${status}`);
  assert.ok(statuses.filter((s) => s === 201).length > 0);
});
