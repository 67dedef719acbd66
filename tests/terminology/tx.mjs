// tx.mjs - the public tests of the HL7 terminology ecosystem against a running server.
//
//     MEDULLA_URL=http://127.0.0.1:PORT/fhir node tests/terminology/tx.mjs FOLDER [NAME...]
//
// FOLDER holds test-cases.json. The resources that a suite sets up go with each request as
// tx-resource. Prints the score and every miss with its reason; with NAME only those cases.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const base = process.env.MEDULLA_URL;
const [folder, ...only] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(join(folder, file), 'utf8').replace(/^\uFEFF/, ''));

const choices = (text) => text.slice(8, -1).split('|');
function textFits(want, have) {
  if (typeof want === 'string' && want.endsWith('|$version$')) return have?.startsWith(want.slice(0, -9)) ?? false;
  if (typeof want !== 'string' || !/^\$.*\$$/.test(want)) return want === have;
  if (want === '$id$' || want === '$token$' || want === '$string$' || want.startsWith('$url')) return typeof have === 'string';
  if (want === '$uuid$') return /^urn:uuid:[0-9a-f-]{36}$/.test(have);
  if (want === '$instant$') return /^\d{4}-\d\d-\d\dT/.test(have);
  if (want === '$date$') return /^\d{4}/.test(have);
  if (want === '$version$' || want === '$semver$') return typeof have === 'string';
  if (want.startsWith('$choice:')) return choices(want).includes(have);
  if (want.startsWith('$external:')) {
    const part = want.slice(10, -1).split(':').slice(1).join(':');
    return typeof have === 'string' && (part === '' || have.includes(part));
  }
  if (want.startsWith('$fragments:')) return want.slice(11, -1).split(/[|;]/).every((f) => have?.includes(f));
  return false;
}

const isOptional = (v) => v !== null && typeof v === 'object' && v.$optional$ !== undefined;
// The parts of an answer whose order means nothing (that of codes is the server's).
const unordered = new Set(['contains', 'parameter', 'issue', 'property', 'extension', 'designation', 'part']);
const allowedExtra = new Set(['id', 'meta', 'text', 'location']); // location repeats expression

// "" when they fit, else where and why not.
function compare(want, have, path) {
  if (Array.isArray(want)) return compareLists(want, Array.isArray(have) ? have : [], path);
  if (want === null || typeof want !== 'object')
    return textFits(want, have) ? '' : `${path}: wanted ${JSON.stringify(want)}, got ${JSON.stringify(have)?.slice(0, 300)}`;
  if (have === null || typeof have !== 'object') return `${path}: nothing there`;
  const optional = new Set(want['$optional-properties$'] ?? []);
  for (const [key, value] of Object.entries(want)) {
    if (key.startsWith('$')) continue;
    if (have[key] === undefined) {
      if (optional.has(key) || isOptional(value) || (Array.isArray(value) && value.every(isOptional))) continue;
      return `${path}.${key}: is not there`;
    }
    const why = compare(value, have[key], `${path}.${key}`);
    if (why !== '') return why;
  }
  for (const key of Object.keys(have))
    if (want[key] === undefined && !optional.has(key) && !allowedExtra.has(key))
      return `${path}.${key}: was not wanted: ${JSON.stringify(have[key]).slice(0, 300)}`;
  return '';
}

function compareLists(want, have, path) {
  const free = [...have];
  const loose = unordered.has(path.split('.').pop().replace(/\[.*/, ''));
  for (const [i, w] of want.entries()) {
    const at = loose ? free.findIndex((h) => compare(w, h, path) === '') : 0;
    if (at >= 0 && at < free.length && (loose || compare(w, free[0], `${path}[${i}]`) === '')) {
      free.splice(at, 1);
      continue;
    }
    if (isOptional(w)) continue;
    const named = loose && w.name !== undefined ? free.find((h) => h.name === w.name) : free[0];
    if (named === undefined) return `${path}[${i}]: lacks ${JSON.stringify(w).slice(0, 300)}`;
    return compare(w, named, `${path}[${w.name ?? i}]`) || `${path}[${i}]: differs`;
  }
  return free.length > 0 ? `${path}: has more: ${JSON.stringify(free[0]).slice(0, 300)}` : '';
}

const operations = {
  expand: 'ValueSet/$expand',
  'validate-code': 'ValueSet/$validate-code',
  'cs-validate-code': 'CodeSystem/$validate-code',
  lookup: 'CodeSystem/$lookup',
  translate: 'ConceptMap/$translate',
  'batch-validate': 'ValueSet/$batch-validate-code',
};

async function ask(test, resources) {
  const headers = { 'Content-Type': 'application/fhir+json', Accept: 'application/fhir+json' };
  if (test['Accept-Language']) headers['Accept-Language'] = test['Accept-Language'];
  if (test.header) Object.assign(headers, test.header);
  if (test.operation === 'metadata' || test.operation === 'term-caps') {
    const r = await fetch(`${base}/metadata${test.operation === 'metadata' ? '' : '?mode=terminology'}`, { headers });
    return r.json();
  }
  const request = read(test.request);
  if (request.resourceType === 'Parameters')
    for (const resource of resources) request.parameter.push({ name: 'tx-resource', resource });
  const url = request.resourceType === 'Bundle' ? base : `${base}/${operations[test.operation]}`;
  const r = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request) });
  return r.json();
}

function verdict(test, body) {
  const files = [test.response, test['response:flat'], test['response:tx.fhir.org']].filter(Boolean);
  let first = '';
  for (const file of files) {
    const why = compare(read(file), body, body.resourceType ?? '?');
    if (why === '') return '';
    first ||= why;
  }
  return first;
}

const missed = [];
let all = 0;
let good = 0;
for (const suite of read('test-cases.json').suites) {
  const resources = (suite.setup ?? []).map(read);
  let n = 0;
  let passed = 0;
  for (const test of suite.tests) {
    if (only.length > 0 && !only.includes(test.name)) continue;
    n++;
    let why;
    try {
      const body = await ask(test, resources);
      why = verdict(test, body);
      if (only.length > 0) console.log(JSON.stringify(body, null, 1));
    } catch (e) {
      why = String(e);
    }
    if (why === '') passed++;
    else {
      missed.push(`${suite.name}/${test.name}`);
      console.log(`miss ${suite.name}/${test.name}: ${why}`);
    }
  }
  if (n > 0) console.log(`${suite.name}: ${passed} of ${n}`);
  all += n;
  good += passed;
}
console.log(`terminology ecosystem: ${good} of ${all}`);

// differs.txt names what is missed, with the reason; nothing else may be, and all of it must.
const listed = new Set(readFileSync(new URL('differs.txt', import.meta.url), 'utf8').split('\n')
  .filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(' ')[0]));
const fresh = missed.filter((name) => !listed.has(name));
const mended = only.length > 0 ? [] : [...listed].filter((name) => !missed.includes(name));
for (const name of fresh) console.log(`not listed in differs.txt: ${name}`);
for (const name of mended) console.log(`listed in differs.txt, but good: ${name}`);
process.exitCode = fresh.length + mended.length === 0 ? 0 : 1;
