// What came in comes out: equal value, decimals by their text.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content, parseExact } from './lib/exact.mjs';
import { startServer } from './lib/server.mjs';

// Official examples that are no legal R4 by their own definitions, and why.
const faulty = new Map(readFaulty());

function readFaulty() {
  const path = new URL('./data/faulty-examples.txt', import.meta.url);
  return readFileSync(path, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'))
    .map((line) => [line.split(' ')[0], line]);
}

let server;
before(async () => {
  server = await startServer({ MEDULLA_FHIR_CHECK_REFERENCES: 'false', MEDULLA_FHIR_CHECK_CODES: 'false' });
});
after(async () => assert.equal(await server.stop(), 0));

async function roundTrip(folder, t) {
  let count = 0;
  const problems = [];
  for (const name of readdirSync(folder).filter((n) => n.endsWith('.json') && n !== 'package.json' && !n.startsWith('.'))) {
    const text = readFileSync(join(folder, name), 'utf8');
    const parsed = JSON.parse(text);
    if (!parsed.resourceType || !parsed.id || faulty.has(name)) continue;
    if (!isExample(name, parsed)) continue;
    const url = `${server.base}/${parsed.resourceType}/${parsed.id}`;
    const stored = await fetch(url, { method: 'PUT', body: text, headers: { 'Content-Type': 'application/fhir+json', Prefer: 'return=minimal' } });
    if (!stored.ok) {
      problems.push(`${name}: ${stored.status} ${(await stored.text()).slice(0, 300)}`);
      continue;
    }
    await stored.text();
    const back = await (await fetch(url, { headers: { Accept: 'application/fhir+json' } })).text();
    try {
      assert.deepEqual(content(parseExact(back)), content(parseExact(text)));
      count++;
    } catch (e) {
      problems.push(`${name}: ${e.message.slice(0, 300)}`);
    }
  }
  t.diagnostic(`${count} resources came back as they went in`);
  assert.deepEqual(problems, []);
  return count;
}

// Of the definitions package only the examples: not its 4,500 conformance resources.
const conformance = new Set(['StructureDefinition', 'SearchParameter', 'ValueSet', 'CodeSystem', 'OperationDefinition',
  'CompartmentDefinition', 'CapabilityStatement', 'ConceptMap', 'NamingSystem', 'ImplementationGuide', 'Bundle']);
const isExample = (name, r) => !conformance.has(r.resourceType) || /example/.test(r.id);

test('the official examples', async (t) => {
  const folder = 'definitions/node_modules/hl7.fhir.r4.examples';
  const count = await roundTrip(folder, t);
  assert.ok(count > 700, `only ${count}`);
});

test('the US Core examples', async (t) => {
  const folder = join(process.env.MEDULLA_SHARED ?? '../shared', 'data/us-core-examples');
  if (!existsSync(folder)) return t.skip('shared data absent');
  const count = await roundTrip(folder, t);
  assert.ok(count > 100, `only ${count}`);
});
