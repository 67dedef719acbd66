// Implementation guides: medulla package add, list, remove; what the server makes of them; and
// StructureDefinition/$snapshot. Packages are packed here, good and evil ones.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { binary, medulla, startServer } from './lib/server.mjs';
import { get, issues, post, put, unique } from './lib/fhir.mjs';

// One entry of a tar archive; `type` '0' is a file.
function entry(name, bytes, { type = '0', link = '' } = {}) {
  const head = Buffer.alloc(512);
  head.write(name, 0, 100);
  head.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  head.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  head.write('00000000000\0', 136);
  head.write('        ', 148);
  head.write(type, 156);
  head.write(link, 157);
  head.write('ustar\0' + '00', 257);
  const sum = head.reduce((all, byte) => all + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
const tgz = (...entries) => zlib.gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
const file = (name, content) => entry(name, Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)));

const folder = mkdtempSync(join(tmpdir(), 'medulla-packages-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const at = (name) => join(folder, name);
const write = (name, bytes) => { writeFileSync(at(name), bytes); return at(name); };
let stores = 0;
const store = () => { const path = at(`store-${stores++}`); mkdirSync(path); return path; };
const installed = (data) => (existsSync(join(data, 'packages')) ? readdirSync(join(data, 'packages')) : []);
const run = (data, verb, ...more) => medulla(['package', verb, '--data', data, ...more]);

const canonical = 'http://example.org/guide';
const manifest = (more = {}) => file('package/package.json', { name: 'org.example.guide', version: '1.0.0',
  fhirVersions: ['4.0.1'], dependencies: { 'hl7.fhir.r4.core': '4.0.1' }, ...more });
// A profile that ships its differential alone.
const profile = (id, differential, more = {}) => ({ resourceType: 'StructureDefinition', id,
  url: `${canonical}/StructureDefinition/${id}`, version: '1.0.0', name: id, status: 'active', fhirVersion: '4.0.1',
  kind: 'resource', abstract: false, type: 'Patient', derivation: 'constraint',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Patient', differential: { element: differential }, ...more });
const definition = (d) => file(`package/StructureDefinition-${d.id}.json`, d);
const named = profile('named', [{ id: 'Patient.name', path: 'Patient.name', min: 1 }]);
const guide = (name, version, ...rest) => write(`${name}-${version}.tgz`, tgz(manifest({ name, version }), ...rest));

function ips() {
  const from = 'definitions/node_modules/hl7.fhir.uv.ips';
  const names = readdirSync(from).filter((name) => name.endsWith('.json'));
  return write('ips.tgz', tgz(...names.map((name) => entry(`package/${name}`, readFileSync(join(from, name))))));
}

test('IPS is added, listed, used by a running server, and removed', async () => {
  const server = await startServer({ MEDULLA_STORE_URL: 'sqlite' }, { data: store() });
  const ask = async (path) => (await fetch(`${server.base}/${path}`)).json();
  const soon = async (check) => {
    for (let i = 0; i < 100 && !(await check()); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(await check());
  };
  const { data } = server;
  const archive = ips();
  const missing = await run(data, 'add', archive);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /hl7\.fhir\.uv\.ips needs hl7\.fhir\.uv\.ipa 1\.1\.0.*--without hl7\.fhir\.uv\.ipa.*nothing was installed/s);
  assert.deepEqual(installed(data), []);
  assert.equal((await ask('metadata')).implementationGuide, undefined);
  const added = await run(data, 'add', '--without', 'hl7.fhir.uv.ipa', archive);
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /hl7\.fhir\.uv\.ips +2\.0\.0 +\d+ +32 +0/);
  assert.deepEqual(installed(data), ['hl7.fhir.uv.ips#2.0.0.package']);
  const list = await run(data, 'list');
  assert.match(list.out, /32 StructureDefinition.*needs hl7\.fhir\.uv\.ipa 1\.1\.0 \(not there, left out\)/s);
  await soon(async () => (await ask('metadata')).implementationGuide?.[0]
    === 'http://hl7.org/fhir/uv/ips/ImplementationGuide/hl7.fhir.uv.ips|2.0.0');
  const found = await ask(`StructureDefinition/$snapshot?${new URLSearchParams({ url: 'http://hl7.org/fhir/uv/ips/StructureDefinition/Patient-uv-ips' })}`);
  assert.equal(found.id, 'Patient-uv-ips');
  const removed = await run(data, 'remove', 'hl7.fhir.uv.ips@2.0.0');
  assert.equal(removed.code, 0, removed.err);
  assert.deepEqual(installed(data), []);
  await soon(async () => (await ask('metadata')).implementationGuide === undefined);
  assert.equal(await server.stop(), 0);
});

test('value sets and code systems of a package are known to the terminology, behind stored ones', async () => {
  const server = await startServer({ MEDULLA_STORE_URL: 'sqlite' }, { data: store() });
  const url = `${canonical}/fruit`;
  const system = (display) => ({ resourceType: 'CodeSystem', id: 'fruit', url, version: '1', status: 'active',
    content: 'complete', concept: [{ code: 'apple', display }] });
  const archive = guide('org.example.codes', '1.0.0', file('package/CodeSystem-fruit.json', system('Apple')),
    file('package/ValueSet-all.json', { resourceType: 'ValueSet', id: 'all', url: `${url}/all`, status: 'active', compose: { include: [{ system: url }] } }));
  const display = async () => {
    const r = await fetch(`${server.base}/CodeSystem/$lookup?${new URLSearchParams({ system: url, code: 'apple' })}`);
    return (await r.json()).parameter?.find((p) => p.name === 'display')?.valueString;
  };
  assert.equal(await display(), undefined);
  assert.equal((await run(server.data, 'add', archive)).code, 0);
  for (let i = 0; i < 100 && (await display()) === undefined; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await display(), 'Apple');
  const r = await fetch(`${server.base}/ValueSet/$expand?${new URLSearchParams({ url: `${url}/all` })}`);
  assert.equal((await r.json()).expansion.contains[0].code, 'apple');
  await fetch(`${server.base}/CodeSystem/fruit`, { method: 'PUT', headers: { 'Content-Type': 'application/fhir+json' }, body: JSON.stringify(system('Our apple')) });
  assert.equal(await display(), 'Our apple');
  assert.equal(await server.stop(), 0);
});

test('a package that depends on another waits for it, and keeps it', async () => {
  const data = store();
  const first = guide('org.example.base', '1.0.0', definition(named));
  const derived = { ...profile('born', [{ id: 'Patient.birthDate', path: 'Patient.birthDate', min: 1 }]), baseDefinition: named.url };
  const second = write('second.tgz', tgz(definition(derived), manifest({ name: 'org.example.second', dependencies: { 'org.example.base': '1.0.x' } })));
  assert.match((await run(data, 'add', second)).err, /org\.example\.second needs org\.example\.base 1\.0\.x, which is not installed/);
  assert.deepEqual(installed(data), []);
  const both = await run(data, 'add', second, first); // in any order
  assert.equal(both.code, 0, both.err);
  assert.match(both.out, /org\.example\.second +1\.0\.0 +1 +1 +1/);
  const refused = await run(data, 'remove', 'org.example.base');
  assert.equal(refused.code, 4);
  assert.match(refused.err, /org\.example\.second depends on it: remove that one first/);
  assert.equal((await run(data, 'remove', 'org.example.second')).code, 0);
  assert.equal((await run(data, 'remove', 'org.example.base')).code, 0);
  const again = await run(data, 'remove', 'org.example.base');
  assert.equal(again.code, 1);
  assert.match(again.err, /is not installed/);
});

// What is refused: the reason, and nothing is installed.
const element = (path, more) => [{ id: path, path, ...more }];
const broken = (differential, more) => [manifest(), definition(named), definition(profile('broken', differential, more))];
const refusals = {
  'no gzip': [Buffer.from('{}'), /bad\.tgz: the file is not compressed with gzip/],
  'gzip of something else': [zlib.gzipSync(Buffer.alloc(600, 'x')), /no tar archive, or a header in it is damaged/],
  'cut short': [tgz(manifest(), definition(named)).subarray(0, -40), /cut short/],
  'a bomb': [tgz(manifest(), entry('package/a.json', Buffer.alloc(60 << 20, ' '))), /inflates to more than 200 times its size/],
  'a name that leads out': [tgz(manifest(), file('package/../../evil.json', {})), /leads out of it/],
  'an absolute name': [tgz(manifest(), file('/etc/evil.json', {})), /leads out of it/],
  'a link': [tgz(manifest(), entry('package/a.json', Buffer.alloc(0), { type: '2', link: '/etc/passwd' })), /a link or a device/],
  'no manifest': [tgz(definition(named)), /no package\/package\.json/],
  'a name that is none': [tgz(manifest({ name: '../evil' })), /package\.json: package\.json has no name and version/],
  'another FHIR version': [tgz(manifest({ fhirVersions: ['5.0.0'] })), /for FHIR 5\.0\.0; this server is R4/],
  'what is built in': [tgz(manifest({ name: 'hl7.fhir.r4.core', version: '4.0.1' })), /hl7\.fhir\.r4\.core is built in/],
  'damaged JSON': [tgz(manifest(), file('package/ValueSet-a.json', '{"resourceType":')), /bad\.tgz: ValueSet-a\.json: line 1/],
  'an unknown base': [tgz(...broken([], { baseDefinition: `${canonical}/none` })), /StructureDefinition-broken\.json: its base .*none is not known here/],
  'a path that does not exist': [tgz(...broken(element('Patient.nmae', { min: 1 }))), /StructureDefinition-broken\.json, at Patient: it has no element nmae; nearest: name/],
  'a wider cardinality': [tgz(...broken(element('Patient.gender', { max: '2' }))), /at Patient\.gender: max is wider than the 1 of its base/],
  'a lower minimum': [tgz(...broken(element('Patient.name', { min: 0 }), { baseDefinition: named.url })), /at Patient\.name: min is 0, and its base says 1/],
  'a type that is not allowed': [tgz(...broken(element('Patient.birthDate', { type: [{ code: 'Quantity' }] }))), /at Patient\.birthDate: the type Quantity is not one that its base allows \(date\)/],
  'a loosened binding': [tgz(...broken(element('Patient.gender', { binding: { strength: 'example' } }))), /at Patient\.gender: the binding of its base is required/],
  'a slice that nobody defined': [tgz(...broken([{ id: 'Patient.identifier:nin.system', path: 'Patient.identifier.system', min: 1 }])), /at Patient\.identifier: it has no slice nin/],
  'a circle': [tgz(...broken([], { baseDefinition: `${canonical}/StructureDefinition/broken` })), /a circle: it is derived from itself/],
};
for (const [what, [bytes, reason]] of Object.entries(refusals)) {
  test(`refused, and nothing is installed: ${what}`, async () => {
    const data = store();
    const r = await run(data, 'add', guide('org.example.good', '1.0.0', definition(named)), write('bad.tgz', bytes));
    assert.equal(r.code, 1, r.out);
    assert.match(r.err, reason);
    assert.match(r.err, /nothing was installed/);
    assert.deepEqual(installed(data), []);
  });
}

test('a damaged package file is named at the start, and in the list', async () => {
  const data = store();
  assert.equal((await run(data, 'add', guide('org.example.good', '1.0.0', definition(named)))).code, 0);
  const path = join(data, 'packages', installed(data)[0]);
  const bytes = readFileSync(path);
  bytes[100] ^= 1;
  writeFileSync(path, bytes);
  const r = await run(data, 'list');
  assert.equal(r.code, 1);
  assert.match(r.err, /org\.example\.good#1\.0\.0\.package is damaged.*add the package again/);
  assert.equal((await run(data, 'add', at('org.example.good-1.0.0.tgz'))).code, 1);
  rmSync(path);
  assert.equal((await run(data, 'add', at('org.example.good-1.0.0.tgz'))).code, 0);
});

test('killed on the way: a package is there whole or not at all', async () => {
  const data = store();
  const archive = ips();
  for (const wait of [20, 60, 120, 250, 400]) {
    await medulla(['package', 'add', '--data', data, '--without', 'hl7.fhir.uv.ipa', archive], {
      ready: (child) => setTimeout(() => child.kill('SIGKILL'), wait) });
    const list = await run(data, 'list');
    assert.equal(list.code, 0, list.err);
    const whole = installed(data).filter((name) => name.endsWith('.package'));
    assert.ok(whole.length === 0 ? /no package is installed/.test(list.out) : /hl7\.fhir\.uv\.ips +2\.0\.0/.test(list.out));
    if (whole.length > 0) break;
  }
  assert.equal((await run(data, 'add', '--without', 'hl7.fhir.uv.ipa', archive)).code, 0);
  assert.deepEqual(installed(data), ['hl7.fhir.uv.ips#2.0.0.package']); // no drafts are left
});

test('the command says what it does', async () => {
  assert.match(execFileSync(binary, ['package', '--help'], { encoding: 'utf8' }), /add FILE\.tgz.*--without/s);
  assert.match((await run(store(), 'ad')).err, /nearest: add/);
  assert.match((await run(store(), 'list')).out, /no package is installed/);
});

const snapshot = (body) => post('StructureDefinition/$snapshot', body);
const ids = (answer) => answer.body.snapshot.element.map((e) => e.id);

test('$snapshot: sent, in Parameters, stored, by url', async () => {
  const d = profile(unique('sd'), [
    { id: 'Patient.extension:place', path: 'Patient.extension', sliceName: 'place', min: 1, max: '1',
      type: [{ code: 'Extension', profile: ['http://hl7.org/fhir/StructureDefinition/patient-birthPlace'] }] },
    { id: 'Patient.name.family', path: 'Patient.name.family', min: 1 }]);
  const sent = await snapshot(d);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const all = ids(sent);
  assert.ok(all.indexOf('Patient.extension') < all.indexOf('Patient.extension:place'));
  assert.equal(sent.body.snapshot.element.find((e) => e.id === 'Patient.name.family').min, 1);
  assert.equal(sent.body.snapshot.element.find((e) => e.id === 'Patient.name.family').base.path, 'HumanName.family');
  const wrapped = await snapshot({ resourceType: 'Parameters', parameter: [{ name: 'definition', resource: d }] });
  assert.deepEqual(ids(wrapped), all);
  assert.equal((await put(`StructureDefinition/${d.id}`, d)).status, 201);
  assert.deepEqual(ids(await get(`StructureDefinition/${d.id}/$snapshot`)), all);
  assert.deepEqual(ids(await get(`StructureDefinition/$snapshot?${new URLSearchParams({ url: d.url })}`)), all);
  assert.equal((await get('StructureDefinition/$snapshot?url=http%3A%2F%2Fhl7.org%2Ffhir%2FStructureDefinition%2Fbp')).body.id, 'bp');
  // One that derives from what is stored.
  const further = { ...profile(unique('sd'), [{ id: 'Patient.gender', path: 'Patient.gender', min: 1 }]), baseDefinition: d.url };
  assert.equal((await snapshot(further)).body.snapshot.element.find((e) => e.id === 'Patient.name.family').min, 1);
});

test('$snapshot: what can not be made, and what is missing', async () => {
  const wrong = await snapshot(profile('x', element('Patient.nmae', { min: 1 })));
  assert.equal(wrong.status, 422);
  assert.match(issues(wrong)[0].diagnostics, /it has no element nmae; nearest: name/);
  assert.deepEqual(issues(wrong)[0].expression, ['Patient']);
  assert.equal((await snapshot({ ...profile('x', []), baseDefinition: `${canonical}/none` })).status, 422);
  const none = await get(`StructureDefinition/$snapshot?url=${encodeURIComponent(`${canonical}/none`)}`);
  assert.equal(none.status, 404);
  assert.equal((await get('StructureDefinition/$snapshot')).status, 400);
  assert.equal((await get('StructureDefinition/$snapshot?urll=x')).status, 400);
  const self = profile(unique('sd'), element('Patient.name', { min: 1 }));
  self.baseDefinition = self.url;
  assert.equal((await put(`StructureDefinition/${self.id}`, self)).status, 201);
  const circle = await get(`StructureDefinition/${self.id}/$snapshot`);
  assert.equal(circle.status, 422);
  assert.match(issues(circle)[0].diagnostics, /derived from itself/);
});
