// suite.mjs - the public FHIRPath suites over evaluate.c; prints the score of each group.
//
//     node tests/fhirpath/suite.mjs EVALUATE DEFINITIONS official|js [--failures]
//
// The data is not part of the project: MEDULLA_SHARED (default ../shared) holds it; without it
// the exit code is 77. Each case that differs stands in differs.txt with its reason; one that
// does not, and one that stands there and passes, fails the run.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Converter, parseXml } from './xml.mjs';

const [evaluate, definitions, suite, ...options] = process.argv.slice(2);
const shared = process.env.MEDULLA_SHARED ?? '../shared';

if (!existsSync(`${shared}/data/fhirpath-official`)) {
  console.log('skipped: shared data absent');
  process.exit(77);
}

const converter = new Converter(definitions);
const inputs = new Map();

// The JSON text of an input file, looked for in `folders` in order.
function input(name, folders) {
  if (!inputs.has(name)) {
    let text;
    const stem = name.replace(/\.(xml|json)$/, '');
    for (const folder of folders) {
      for (const file of [`${folder}/${name}`, `${folder}/${stem}.json`]) {
        if (text !== undefined || !existsSync(file)) continue;
        text = readFileSync(file, 'utf8');
        if (file.endsWith('.xml')) text = converter.convert(text);
      }
    }
    inputs.set(name, text === undefined ? undefined : JSON.stringify(rawParse(text)));
  }
  return inputs.get(name);
}

// JSON.parse would round decimals; all we want is the text on one line.
function rawParse(text) {
  return { raw: text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (part) => (part[0] === '"' ? part : '')) };
}

function request(fields, resource) {
  const text = JSON.stringify(fields);
  return `${text.slice(0, -1)},"resource":${resource ?? '{}'}}`;
}

// ---- the official suite ----

function attributeText(node, name) {
  return node?.attributes[name];
}

function officialCases() {
  const folder = `${shared}/data/fhirpath-official`;
  const folders = [folder, `${shared}/data/fhirpath.js/resources/r4`, `${shared}/data/fhir-test-cases-r4-examples`, definitions];
  const root = parseXml(readFileSync(`${folder}/tests-fhir-r4.xml`, 'utf8'));
  const cases = [];
  for (const group of root.children.filter((c) => c.name === 'group'))
    for (const test of group.children.filter((c) => c.name === 'test')) {
      const expression = test.children.find((c) => c.name === 'expression');
      const file = test.attributes.inputfile;
      cases.push({
        group: group.attributes.name,
        name: test.attributes.name,
        expression: expression.text,
        invalid: attributeText(expression, 'invalid'),
        predicate: test.attributes.predicate === 'true',
        ordered: test.attributes.ordered !== 'false',
        outputs: test.children.filter((c) => c.name === 'output').map((o) => ({ type: o.attributes.type, text: o.text })),
        resource: file === undefined ? undefined : JSON.parse(input(file, folders) ?? 'null')?.raw,
        missing: file !== undefined && input(file, folders) === undefined,
        typed: true,
      });
    }
  return cases;
}

const SYSTEM = { boolean: 'Boolean', integer: 'Integer', decimal: 'Decimal', string: 'String', date: 'Date', dateTime: 'DateTime', time: 'Time', Quantity: 'Quantity' };

// What the suite writes for a value: true, 4, @2014-01, 1 'mg'.
function shown({ type, value, number }) {
  if (type === 'System.Quantity') return /^(year|month|week|day|hour|minute|second|millisecond)s?$/.test(value.unit) ? `${number} ${value.unit}` : `${number} '${value.unit}'`;
  return number ?? String(value);
}

// Zones may be written Z or +00:00.
const plainDate = (text) => text.replace(/^@T?/, '').replace(/\+00:00$/, 'Z');

function sameOutput(got, want) {
  const text = shown(got);
  const isDate = /Date|Time/i.test(got.type) || got.type === 'FHIR.instant';
  const zero = /^-?0(\.0+)?$/;
  const number = got.type === 'System.Decimal' && want.type && Number(text) === Number(want.text);
  const same = isDate ? plainDate(text) === plainDate(want.text)
    : text === want.text || number || (zero.test(text) && zero.test(want.text));
  if (!want.type || !same) return same;
  return got.type === `FHIR.${want.type}` || got.type === `System.${SYSTEM[want.type]}`;
}

function judgeOfficial(test, answer) {
  if (test.invalid) return !answer.ok && (test.invalid !== 'syntax' || answer.stage === 'compile');
  if (!answer.ok) return false;
  if (test.predicate) return test.outputs[0].text === String(answer.values.length > 0);
  if (answer.values.length !== test.outputs.length) return false;
  if (test.ordered) return answer.values.every((v, i) => sameOutput(v, test.outputs[i]));
  return test.outputs.every((o) => answer.values.some((v) => sameOutput(v, o)));
}

// ---- fhirpath.js ----

// An expression on a part of a resource is {base, expression}.
const part = (e) => (typeof e === 'object' ? { expression: e.expression, context: e.base } : { expression: e });

function flatten(node, group, subject, out) {
  if (Array.isArray(node)) node.forEach((n) => flatten(n, group, subject, out));
  else if (node && typeof node === 'object' && 'expression' in node) {
    for (const expression of [node.expression].flat()) out.push({ ...node, ...part(expression), group, subject });
  } else if (node && typeof node === 'object')
    for (const [key, value] of Object.entries(node))
      if (key !== 'desc') flatten(value, group, subject, out);
}

const RESOURCE_MODELS = new Set([undefined, null, 'r4']);

function jsCases() {
  const folder = `${shared}/data/fhirpath.js`;
  const files = JSON.parse(readFileSync(`${folder}/cases.json`, 'utf8'));
  const folders = [`${folder}/resources/r4`];
  const cases = [];
  for (const [file, { tests, subject }] of Object.entries(files)) {
    if (file === 'fhir-r5.yaml' || file === 'factory.yaml') continue; // another release; %factory
    const found = [];
    flatten(tests, file, subject, found);
    for (const test of found) {
      if (test.disable || !RESOURCE_MODELS.has(test.model)) continue;
      if (/%(factory|terminologies|server)/.test(test.expression)) continue; // services of that library
      const resource = test.inputfile ? JSON.parse(input(test.inputfile, folders) ?? 'null')?.raw : JSON.stringify(subject ?? {});
      const variables = Object.fromEntries(Object.entries(test.variables ?? {}));
      cases.push({ group: file, name: test.desc ?? '', expression: test.expression, context: test.context, error: [test.error].flat()[0] === true,
        result: test.result, resource, variables, missing: resource === undefined, typed: false });
    }
  }
  return cases;
}

function plain(answer) {
  if (answer.type === 'System.Type') {
    const [namespace, name] = answer.value.split(/\.(.*)/);
    return { namespace, name };
  }
  return answer.type === 'System.Quantity' ? shown(answer) : answer.value;
}

// The same moment, whatever the zone it is told in.
const moment = (text) => (/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN);

function sameJson(got, want) {
  if (typeof got === 'number' && typeof want === 'string') return String(got) === want; // their long
  if (typeof got === 'number' || typeof want === 'number') return typeof want === typeof got ? Math.abs(got - want) <= 1e-12 * Math.max(1, Math.abs(want)) : false;
  if (typeof got === 'string' && typeof want === 'string') return got === want || plainDate(got) === plainDate(want) || moment(got) === moment(want);
  if (Array.isArray(got) || Array.isArray(want))
    return Array.isArray(got) && Array.isArray(want) && got.length === want.length && got.every((v, i) => sameJson(v, want[i]));
  if (got && want && typeof got === 'object' && typeof want === 'object') {
    const keys = Object.keys(got);
    return keys.length === Object.keys(want).length && keys.every((k) => sameJson(got[k], want[k]));
  }
  return got === want;
}

function judgeJs(test, answer) {
  if (test.error) return !answer.ok;
  if (!answer.ok || test.result === undefined) return answer.ok;
  const want = [test.result].flat();
  return answer.values.length === want.length && answer.values.every((v, i) => sameJson(plain(v), want[i]));
}

// ---- run ----

const cases = suite === 'official' ? officialCases() : jsCases();
const judge = suite === 'official' ? judgeOfficial : judgeJs;
const lines = cases.map((c) => request({ expression: c.expression, context: c.context ?? '', typed: c.typed, variables: c.variables ?? {} }, c.resource));
const run = spawnSync(evaluate, [], { input: lines.join('\n') + '\n', maxBuffer: 1 << 28, encoding: 'utf8' });
const answers = run.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
if (answers.length !== cases.length) {
  console.error(`${answers.length} answers to ${cases.length} requests: ${run.stderr}`);
  process.exit(1);
}
// differs.txt: a line "# reason" for the lines of cases below it: suite, group, name, expression.
const expected = new Map();
let reason = '';
for (const line of readFileSync(new URL('differs.txt', import.meta.url), 'utf8').split('\n'))
  if (line.startsWith('# ')) reason = line.slice(2);
  else if (line.startsWith(`${suite} | `)) expected.set(line, reason);
const lineOf = (test) => [suite, test.group, test.name, test.expression].join(' | ').replace(/\s+/g, ' ').trim();

const unexpected = [];
const groups = new Map();
cases.forEach((test, i) => {
  const score = groups.get(test.group) ?? { passed: 0, all: 0 };
  groups.set(test.group, score);
  const good = !test.missing && judge(test, answers[i]);
  score.all++;
  const known = expected.get(lineOf(test)) !== undefined;
  if (known === good) unexpected.push(`${good ? 'passes, but stands in differs.txt' : 'differs'}: ${lineOf(test)}`);
  if (good) score.passed++;
  else if (options.includes('--failures'))
    console.log(`FAIL ${test.group} / ${test.name}\n     ${test.expression}\n     got  ${JSON.stringify(answers[i].ok ? answers[i].values : answers[i])}\n     want ${JSON.stringify(test.missing ? 'input file missing' : test.invalid ?? test.outputs ?? (test.error ? 'error' : test.result))}`);
});
let passed = 0;
for (const [name, score] of groups) {
  passed += score.passed;
  if (score.passed < score.all) console.log(`  ${name}: ${score.passed} of ${score.all}`);
}
console.log(`fhirpath-${suite}: ${passed} of ${cases.length} passed`);
if (unexpected.length > 0) {
  console.error(unexpected.join('\n'));
  process.exit(1);
}
