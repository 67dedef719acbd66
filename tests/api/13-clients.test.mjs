// Clients that people use, against the running server: search, paging, includes, POST search.
// They are installed by tests/stages/api.sh from tests/api/clients.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import { base, observation, patient, put, unique } from './lib/fhir.mjs';

const folder = new URL('./clients/', import.meta.url);
const installed = existsSync(new URL('node_modules', folder));
const require = createRequire(new URL('package.json', folder));
const skip = installed ? false : 'the clients are not installed';
const mark = unique('cl');
const count = 7;

before(async () => {
  await put(`Patient/${mark}`, patient({ id: mark, identifier: [{ system: 'urn:cl', value: mark }], name: [{ family: `Žižka ${mark}` }] }));
  for (let i = 0; i < count; i++)
    await put(`Observation/${mark}-${i}`, observation(`Patient/${mark}`, { id: `${mark}-${i}`, effectiveDateTime: `2020-01-0${i + 1}` }));
});

const idsOf = (bundle, type) => (bundle.entry ?? []).filter((e) => e.resource.resourceType === type).map((e) => e.resource.id);
const all = Array.from({ length: count }, (_, i) => `${mark}-${i}`);

test('fhir-kit-client', { skip }, async () => {
  const Client = require('fhir-kit-client');
  const client = new Client({ baseUrl: base });
  assert.equal((await client.capabilityStatement()).fhirVersion, '4.0.1');
  const found = await client.search({ resourceType: 'Patient', searchParams: { identifier: `urn:cl|${mark}` } });
  assert.deepEqual(idsOf(found, 'Patient'), [mark]);
  const posted = await client.search({ resourceType: 'Patient', searchParams: { name: `zizka ${mark}` }, options: { postSearch: true } });
  assert.deepEqual(idsOf(posted, 'Patient'), [mark]);
  const seen = [];
  let page = await client.search({ resourceType: 'Observation', searchParams: { patient: mark, _count: 3, _sort: 'date', _include: 'Observation:subject' } });
  while (page) {
    assert.deepEqual(idsOf(page, 'Patient'), [mark]);
    seen.push(...idsOf(page, 'Observation'));
    page = page.link.some((l) => l.relation === 'next') ? await client.nextPage({ bundle: page }) : undefined;
  }
  assert.deepEqual(seen, all);
  const compartment = await client.compartmentSearch({ resourceType: 'Observation', compartment: { resourceType: 'Patient', id: mark }, searchParams: { date: 'lt2020-01-03' } });
  assert.deepEqual(idsOf(compartment, 'Observation').sort(), all.slice(0, 2));
  const system = await client.systemSearch({ searchParams: { _id: `${mark},${mark}-1` } });
  assert.equal(system.entry.length, 2);
  const everything = await client.operation({ name: 'everything', resourceType: 'Patient', id: mark, method: 'GET' });
  assert.deepEqual(idsOf(everything, 'Observation').sort(), all);
  await assert.rejects(client.search({ resourceType: 'Patient', searchParams: { famly: 'x' } }),
    (e) => e.response.status === 400 && e.response.data.issue[0].diagnostics.includes('family'));
});

test('fhirclient', { skip }, async () => {
  const storage = { get: async () => undefined, set: async () => undefined, unset: async () => true };
  const client = require('fhirclient')({ headers: {}, url: '/' }, {}, storage).client({ serverUrl: base });
  const found = await client.request(`Patient?identifier=urn:cl|${mark}`);
  assert.deepEqual(idsOf(found, 'Patient'), [mark]);
  const flat = await client.request(`Observation?patient=${mark}&_count=2&_sort=-date`, { flat: true, pageLimit: 0 });
  assert.deepEqual(flat.map((r) => r.id), [...all].reverse());
  const resolved = await client.request(`Observation?_id=${mark}-0`, { resolveReferences: 'subject', flat: true });
  assert.equal(resolved[0].subject.id, mark);
  const pages = [];
  await client.request(`Observation?patient=${mark}&_count=3`, { pageLimit: 0, onPage: (bundle) => pages.push(idsOf(bundle, 'Observation').length) });
  assert.deepEqual(pages, [3, 3, 1]);
  await assert.rejects(client.request('Patient?birthdate=never'), /400|expected a date/);
});

test('@medplum/core', { skip }, async () => {
  const { MedplumClient } = require('@medplum/core');
  const medplum = new MedplumClient({ baseUrl: `${new URL(base).origin}/`, fhirUrlPath: 'fhir/', fetch, cacheTime: 0 });
  const found = await medplum.searchOne('Patient', { identifier: `urn:cl|${mark}` });
  assert.equal(found.id, mark);
  const bundle = await medplum.search('Observation', { subject: `Patient/${mark}`, _count: '3', _sort: '-date', _total: 'accurate', _include: 'Observation:subject' });
  assert.equal(bundle.total, count);
  assert.deepEqual(idsOf(bundle, 'Observation'), [...all].reverse().slice(0, 3));
  const seen = [];
  for await (const page of medplum.searchResourcePages('Observation', { subject: `Patient/${mark}`, _count: '3', _sort: 'date' }))
    seen.push(...page.map((r) => r.id));
  assert.deepEqual(seen, all);
  const everything = await medplum.readPatientEverything(mark);
  assert.deepEqual(idsOf(everything, 'Observation').sort(), all);
});
