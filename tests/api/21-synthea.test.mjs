// A reference for searches, slow and obvious: it walks all resources of a type, takes the values of a parameter out by the
// expression of its definition, and compares them as https://hl7.org/fhir/R4/search.html says. Questions made at random out of
// what is there have the same answers from both, on Synthea data, with writes in between. MEDULLA_TEST_SEED repeats a run.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dice } from './lib/random.mjs';
import { startServer } from './lib/server.mjs';

const isLong = process.env.MEDULLA_LONG === '1';
const seed = Number(process.env.MEDULLA_TEST_SEED ?? (isLong ? Date.now() % 1000000 : 20261123));
const rounds = isLong ? 40 : 3, questions = isLong ? 500 : 200;
const bundles = join(process.env.MEDULLA_SHARED ?? '../shared', 'data/synthea-r4-48');
const definitions = 'definitions/node_modules/hl7.fhir.r4.examples';
const skip = !existsSync(bundles) ? 'shared data absent' : existsSync(definitions) ? false : `${definitions} is not installed`;

const { random, pick, often } = dice(seed);

// ---- expressions: paths, choices, where(resolve() is T), where(x='y'); others are left out ----

const split = (text, by) => {
  const parts = [''];
  let depth = 0;
  for (const c of text) {
    depth += (c === '(') - (c === ')');
    if (c === by && depth === 0) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim());
};
const inside = (text) => (/^\([^()]*\)$/.test(text) ? text.slice(1, -1) : text);
function steps(alternative, type) {
  const [path, as] = inside(alternative).split(/ as /);
  const names = split(path, '.');
  if (!/^\w+$/.test(names[0])) return undefined;
  if (names[0] !== type) return [];
  const out = names.slice(1).map((step) => {
    if (/^[a-z][A-Za-z0-9]*$/.test(step)) return { name: step };
    const is = /^where\(resolve\(\) is (\w+)\)$/.exec(step) ?? /^(?:as|ofType)\((\w+)\)$/.exec(step);
    if (is) return step.startsWith('where') ? { refersTo: is[1] } : { as: is[1] };
    const where = /^where\((\w+)='([^']*)'\)$/.exec(step);
    return where ? { key: where[1], value: where[2] } : undefined;
  });
  if (as) out.push({ as });
  return out.includes(undefined) ? undefined : out;
}
function members({ v }, name) {
  if (v[name] !== undefined) return [v[name]].flat().map((one) => ({ v: one }));
  const key = Object.keys(v).find((k) => k.startsWith(name) && /^[A-Z]/.test(k.slice(name.length)));
  return key ? [v[key]].flat().map((one) => ({ v: one, t: key.slice(name.length).toLowerCase() })) : [];
}
const walk = (resource, path) => path.reduce((at, step) => at.flatMap((x) => {
  if (step.name) return typeof x.v === 'object' ? members(x, step.name) : [];
  if (step.as) return x.t === undefined || x.t === step.as.toLowerCase() ? [x] : [];
  if (step.refersTo) return String(x.v.reference).startsWith(`${step.refersTo}/`) ? [x] : [];
  return x.v[step.key] === step.value ? [x] : [];
}), [{ v: resource }]).map((x) => x.v);

// ---- values ----

const fold = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
const tokens = (v) => (v.coding ?? (v.code !== undefined || v.display !== undefined ? [v] : undefined))?.map((c) => ({ s: c.system, c: c.code }))
  ?? [typeof v === 'object' ? { s: v.system, c: v.value } : { c: String(v) }];
const texts = (v) => (typeof v === 'object' ? [v.text, v.display, v.type?.text, ...(v.coding ?? []).map((c) => c.display)].filter((t) => t !== undefined) : []);
const strings = (v) => (typeof v === 'string' ? [v]
  : ['family', 'given', 'prefix', 'suffix', 'text', 'line', 'city', 'district', 'state', 'postalCode', 'country'].flatMap((k) => v[k] ?? []));

function span(text) { // [low, high) in milliseconds
  const m = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(text);
  const [, y, mo, d, hm, s, f, zone] = m ?? assert.fail(text);
  if (!mo) return [Date.UTC(y), Date.UTC(+y + 1)];
  if (!d) return [Date.UTC(y, mo - 1), Date.UTC(y, mo)];
  if (!hm) return [Date.UTC(y, mo - 1, d), Date.UTC(y, mo - 1, +d + 1)];
  const low = Date.parse(`${y}-${mo}-${d}T${hm}${s ?? ':00'}${f ?? ''}${zone ?? 'Z'}`);
  return [low, low + (f ? 1 : s ? 1000 : 60000)];
}
const spanOf = (v) => (typeof v === 'string' ? span(v) : [v.start ? span(v.start)[0] : -Infinity, v.end ? span(v.end)[1] : Infinity]);
const inSpan = { '': (r, q) => r[0] >= q[0] && r[1] <= q[1], ne: (r, q) => !inSpan[''](r, q), gt: (r, q) => r[1] > q[1], lt: (r, q) => r[0] < q[0],
  ge: (r, q) => inSpan[''](r, q) || r[1] > q[1], le: (r, q) => inSpan[''](r, q) || r[0] < q[0], sa: (r, q) => r[0] >= q[1], eb: (r, q) => r[1] <= q[0] };

const SCALE = 40;
function decimal(text) { // an integer of 10^-40
  const [, sign, whole, point = '', e = 0] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text);
  const n = BigInt(whole + point) * 10n ** BigInt(SCALE - point.length + Number(e));
  return sign ? -n : n;
}
function inNumber(prefix, value, text) {
  const v = decimal(String(value)), q = decimal(text), half = 10n ** BigInt(SCALE - (text.split('.')[1] ?? '').length) / 2n;
  const eq = v >= q - half && v < q + half;
  return { '': eq, ne: !eq, gt: v > q, sa: v > q, lt: v < q, eb: v < q, ge: v >= q, le: v <= q }[prefix];
}

// ---- questions: made out of a value, with what decides them ----

const prefixes = Object.keys(inSpan);
const escape = (text) => text.replace(/[\\,|$]/g, '\\$&');
const plain = (text) => /^[\p{L}\p{M}\p{N}]{2,}$/u.test(text);
const units = ['mm[Hg]', 'mmol/L', 'kg/m2']; // which nothing else in the data is converted to
const makers = {
  token(v) {
    const t = pick(tokens(v));
    if (t?.c === undefined) return undefined;
    const has = (s, c) => (x) => tokens(x).some((y) => y.c !== undefined && (s === undefined || y.s === s) && (c === undefined || y.c === c));
    const [value, one] = t.s !== undefined && !/^(phone|email|fax)$/.test(t.s) && often(0.6) ? [`${escape(t.s)}|${escape(t.c)}`, has(t.s, t.c)] : [escape(t.c), has(undefined, t.c)];
    if (often(0.2)) return { modifier: ':not', value, none: one };
    const said = texts(v).find((text) => plain(text.slice(0, 4)));
    if (said && often(0.2)) return { modifier: ':text', value: said.slice(0, 4), one: (x) => texts(x).some((text) => fold(text).startsWith(fold(said.slice(0, 4)))) };
    return { value, one };
  },
  string(v) {
    const text = pick(strings(v).filter(plain));
    if (!text) return undefined;
    const how = pick(['', '', ':exact', ':contains']), at = how === ':contains' ? Math.floor(random() * (text.length - 1)) : 0;
    const asked = how === ':exact' ? text : text.slice(at, at + 2 + Math.floor(random() * 4));
    const same = { '': (s) => fold(s).startsWith(fold(asked)), ':exact': (s) => s === asked, ':contains': (s) => fold(s).includes(fold(asked)) }[how];
    return asked.length < 2 || fold(asked).length < 2 ? undefined : { modifier: how, value: often(0.5) && how !== ':exact' ? asked.toUpperCase() : asked, one: (x) => strings(x).some(same) };
  },
  date(v) {
    const text = typeof v === 'string' ? v : v.start ?? v.end;
    if (!text) return undefined;
    const asked = text.slice(0, pick([4, 7, 10, 99])), prefix = pick(prefixes), q = span(asked);
    return { value: prefix + asked, one: (x) => inSpan[prefix](spanOf(x), q) };
  },
  reference(v) {
    const [type, id] = String(v.reference).split('/');
    if (!id || type.includes(':')) return undefined;
    return { ...(often(0.3) && { modifier: `:${type}` }), value: id, one: (x) => x.reference === v.reference, whole: `${type}/${id}` };
  },
  quantity(v) {
    if (v.value === undefined) return undefined;
    const text = pick([String(v.value), v.value.toFixed(1), v.value.toFixed(0), v.value.toFixed(2)]), prefix = pick(prefixes);
    const unit = units.includes(v.code) && often(0.5) ? v.code : undefined;
    return { value: `${prefix}${text}${unit ? `|${v.system}|${unit}` : ''}`, one: (x) => (unit === undefined || x.code === unit) && x.value !== undefined && inNumber(prefix, x.value, text) };
  },
  number: (v) => makers.quantity({ value: v }) && (({ value, one }) => ({ value, one: (x) => one({ value: x }) }))(makers.quantity({ value: v })),
  uri: (v) => ({ value: escape(v), one: (x) => x === v }),
};

let server, stored, params; // stored: type -> id -> resource; params: type -> [{code, type, paths}]
const call = async (method, path, body) => {
  const r = await fetch(path.startsWith('http') ? path : `${server.base}/${path}`, { method, headers: { 'Content-Type': 'application/fhir+json' }, body: body && JSON.stringify(body) });
  return { status: r.status, body: await r.json().catch(() => undefined) };
};
async function answer(query) {
  const ids = [];
  let total;
  for (let next = query; next !== undefined;) {
    const r = await call('GET', next);
    assert.equal(r.status, 200, `seed ${seed}: ${query}: ${JSON.stringify(r.body)}`);
    total ??= r.body.total;
    ids.push(...(r.body.entry ?? []).filter((e) => e.search.mode === 'match').map((e) => e.resource.id));
    next = r.body.link.find((l) => l.relation === 'next')?.url;
  }
  return { ids, total };
}
async function readAll(type) {
  stored.set(type, new Map());
  for (let next = `${type}?_count=500`; next !== undefined;) {
    const r = await call('GET', next);
    for (const e of r.body.entry ?? []) stored.get(type).set(e.resource.id, e.resource);
    next = r.body.link.find((l) => l.relation === 'next')?.url;
  }
}
function readParams(types) {
  params = new Map(types.map((type) => [type, []]));
  for (const name of readdirSync(definitions).filter((f) => f.startsWith('SearchParameter-'))) {
    const p = JSON.parse(readFileSync(join(definitions, name)));
    for (const type of types.filter((t) => p.base?.includes(t) && makers[p.type] && p.expression && p.status !== 'retired' && /^http:\/\/hl7.org\/fhir\/SearchParameter\//.test(p.url))) {
      const paths = split(p.expression, '|').map((one) => steps(one, type));
      if (!paths.includes(undefined) && paths.some((path) => path.length > 0)) params.get(type).push({ code: p.code, type: p.type, paths: paths.filter((path) => path.length > 0) });
    }
  }
}
const valuesOf = (resource, p) => p.paths.flatMap((path) => walk(resource, path));

// A question about a type, out of one of its resources: text and who passes.
function ask(type, depth = 0) {
  const resource = pick([...stored.get(type).values()]), p = pick(params.get(type));
  const values = valuesOf(resource, p);
  if (often(0.1)) {
    const missing = often(0.5);
    return { text: `${p.code}:missing=${missing}`, passes: (r) => (valuesOf(r, p).length === 0) === missing };
  }
  if (values.length === 0) return undefined;
  if (p.type === 'reference' && depth < 2 && often(0.4)) {
    const [target] = String(pick(values).reference).split('/');
    const inner = stored.get(target)?.size > 0 && ask(target, depth + 1);
    if (!inner || /^_has/.test(inner.text)) return undefined;
    const found = new Set([...stored.get(target)].filter(([, r]) => inner.passes(r)).map(([id]) => `${target}/${id}`));
    return { text: `${p.code}:${target}.${inner.text}`, passes: (r) => valuesOf(r, p).some((v) => found.has(v.reference)) };
  }
  const q = makers[p.type](pick(values));
  if (!q) return undefined;
  const other = !q.modifier && p.type !== 'reference' && often(0.2) && makers[p.type](pick(values)), or = other && !other.modifier ? other : undefined;
  return { text: `${p.code}${q.modifier ?? ''}=${encodeURIComponent(q.value)}${or ? `,${encodeURIComponent(or.value)}` : ''}`,
    passes: q.none ? (r) => !valuesOf(r, p).some(q.none) : (r) => valuesOf(r, p).some((v) => q.one(v) || or?.one(v)) };
}
// What is referred to by something that passes.
function askReverse(type) {
  const source = pick([...params.keys()]), p = pick(params.get(source).filter((one) => one.type === 'reference') ?? []);
  const inner = p && ask(source, 1);
  if (!inner || !stored.get(source).size) return undefined;
  const named = new Set();
  for (const r of stored.get(source).values()) if (inner.passes(r)) for (const v of valuesOf(r, p)) named.add(v.reference);
  return named.size === 0 || ![...named].some((n) => String(n).startsWith(`${type}/`)) ? undefined
    : { text: `_has:${source}:${p.code}:${inner.text}`, passes: (r) => named.has(`${type}/${r.id}`) };
}

const many = { ids: 0, asked: 0, byType: {} };
async function same(type) {
  const asked = Array.from({ length: pick([1, 1, 2, 3]) }, () => (often(0.15) ? askReverse(type) : ask(type))).filter(Boolean);
  if (asked.length === 0) return;
  const dates = params.get(type).filter((p) => p.type === 'date'), sort = dates.length > 0 && often(0.3) ? pick(dates) : undefined, down = often(0.5);
  const expected = [...stored.get(type).values()].filter((r) => asked.every((a) => a.passes(r))).map((r) => r.id).sort();
  const query = `${type}?${asked.map((a) => a.text).join('&')}&_total=accurate&_count=${pick([7, 50, 200, 1000])}${sort ? `&_sort=${down ? '-' : ''}${sort.code}` : ''}`;
  const { ids, total } = await answer(query);
  assert.deepEqual([...ids].sort(), expected, `seed ${seed}: ${query}`);
  assert.equal(total, expected.length, `seed ${seed}: ${query}`);
  many.asked++;
  many.ids += ids.length;
  many.byType[type] = (many.byType[type] ?? 0) + 1;
  if (!sort) return;
  const keys = ids.map((id) => valuesOf(stored.get(type).get(id), sort).map((v) => spanOf(v)[0]));
  const key = (all) => (all.length === 0 ? undefined : down ? Math.max(...all) : Math.min(...all));
  for (let i = 1; i < keys.length; i++) {
    const [a, b] = [key(keys[i - 1]), key(keys[i])];
    assert.ok(b === undefined || (a !== undefined && (down ? a >= b : a <= b)), `seed ${seed}: ${query}: ${ids[i - 1]}, ${ids[i]}`);
  }
}

// A resource becomes what another is, or loses an element, or goes.
async function write(type) {
  if (stored.get(type).size < 2) return; // what questions are made of stays
  const [id, old] = pick([...stored.get(type)]), other = pick([...stored.get(type).values()]);
  if (type !== 'Patient' && often(0.2)) {
    const r = await call('DELETE', `${type}/${id}`);
    if (r.status < 300) stored.get(type).delete(id);
    return;
  }
  const resource = { ...(often(0.5) ? other : old), id };
  const key = pick(Object.keys(resource).filter((k) => !['resourceType', 'id', 'status', 'code', 'subject', 'patient', 'intent', 'meta'].includes(k)));
  if (key) delete resource[key];
  const r = await call('PUT', `${type}/${id}`, resource);
  if (r.status < 300) stored.get(type).set(id, (await call('GET', `${type}/${id}`)).body);
}

before(async () => {
  if (skip) return;
  server = await startServer();
  const people = readdirSync(bundles).filter((f) => f.endsWith('.json.bz2'));
  const shared = people.filter((f) => /^(hospital|practitioner)Information/.test(f));
  const size = new Map(people.map((f) => [f, readFileSync(join(bundles, f)).length]));
  const small = people.filter((f) => !shared.includes(f)).sort((a, b) => size.get(a) - size.get(b)).slice(0, isLong ? 12 : 4);
  for (const file of [...shared, ...small]) {
    const r = await call('POST', '', JSON.parse(execFileSync('bzcat', [join(bundles, file)], { maxBuffer: 1 << 28 })));
    assert.equal(r.status, 200, `${file}: ${JSON.stringify(r.body).slice(0, 500)}`);
  }
  stored = new Map();
  const all = (await call('GET', 'metadata')).body.rest[0].resource.map((r) => r.type);
  for (const type of all) if ((await call('GET', `${type}?_summary=count`)).body.total > 0) await readAll(type);
  readParams([...stored.keys()]);
  for (const [type, list] of params) if (list.length === 0) params.delete(type);
});
after(async () => { if (server) assert.equal(await server.stop(), 0); });

test(`random questions on Synthea data, seed ${seed}`, { skip }, async (t) => {
  const types = [...params.keys()];
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < questions; i++) await same(pick(types));
    for (let i = 0; i < 20; i++) await write(pick(types));
  }
  t.diagnostic(`${many.asked} questions, ${many.ids} matches, ${[...stored.values()].reduce((n, m) => n + m.size, 0)} resources, ${[...params.values()].reduce((n, l) => n + l.length, 0)} parameters: ${JSON.stringify(many.byType)}`);
  assert.ok(many.asked > rounds * questions / 3);
});
