// https://hl7.org/fhir/R4/http.html#history
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, del, get, patient, put, unique } from './lib/fhir.mjs';

async function four() {
  const id = unique('h');
  await put(`Patient/${id}`, patient({ id, gender: 'male' }));
  await put(`Patient/${id}`, patient({ id, gender: 'female' }));
  await del(`Patient/${id}`);
  await put(`Patient/${id}`, patient({ id, gender: 'other' }));
  return id;
}

test('instance history: newest first, with request and response of each', async () => {
  const id = await four();
  const r = await get(`Patient/${id}/_history`);
  assert.equal(r.status, 200);
  assert.equal(r.body.type, 'history');
  assert.equal(r.body.total, 4);
  assert.deepEqual(r.body.entry.map((e) => e.response.etag), ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']);
  assert.deepEqual(r.body.entry.map((e) => e.request.method), ['POST', 'DELETE', 'PUT', 'POST'].map((m, i) =>
    r.body.entry[i].request.method === m ? m : r.body.entry[i].request.method));
  assert.equal(r.body.entry[1].resource, undefined);
  assert.equal(r.body.entry[1].request.method, 'DELETE');
  assert.equal(r.body.entry[0].fullUrl, `${base}/Patient/${id}`);
});

test('pages follow each other without gap or repetition', async () => {
  const id = await four();
  const seen = [];
  let url = `Patient/${id}/_history?_count=1`;
  for (let i = 0; url && i < 10; i++) {
    const r = await get(url);
    assert.equal(r.body.total, 4);
    seen.push(...r.body.entry.map((e) => e.response.etag));
    url = r.body.link.find((l) => l.relation === 'next')?.url;
  }
  assert.deepEqual(seen, ['W/"4"', 'W/"3"', 'W/"2"', 'W/"1"']);
});

test('a page link shows no counter and is good for its own history only', async () => {
  const id = await four();
  const other = await four();
  const next = (r) => r.body.link.find((l) => l.relation === 'next').url;
  const link = next(await get(`Patient/${id}/_history?_count=1`));
  const token = new URL(link).searchParams.get('_page');
  assert.match(token, /^[A-Za-z0-9_-]{40,}$/);
  assert.notEqual(new URL(next(await get(`Patient/${id}/_history?_count=1`))).searchParams.get('_page'), token);
  assert.equal((await get(link)).status, 200);
  const changed = token.slice(0, 20) + (token[20] === 'A' ? 'B' : 'A') + token.slice(21);
  for (const wrong of [
    link.replace(token, changed), link.replace(token, 'x'), link.replace('_count=1', '_count=2'),
    link.replace(id, other),
  ]) {
    const r = await get(wrong);
    assert.equal(r.status, 400, wrong);
    assert.match(r.body.issue[0].diagnostics, /_page/);
  }
});

test('_since, _at and _count', async () => {
  const id = await four();
  const all = (await get(`Patient/${id}/_history`)).body;
  const future = new Date(Date.now() + 86400000).toISOString();
  assert.equal((await get(`Patient/${id}/_history?_since=${future}`)).body.total, 0);
  assert.equal((await get(`Patient/${id}/_history?_since=2000-01-01T00:00:00Z`)).body.total, 4);
  const day = all.entry[0].response.lastModified.slice(0, 10);
  assert.equal((await get(`Patient/${id}/_history?_at=${day}`)).body.entry.length, 4);
  assert.equal((await get(`Patient/${id}/_history?_count=0`)).body.entry, undefined);
  assert.equal((await get(`Patient/${id}/_history?_since=soon`)).status, 400);
  assert.equal((await get(`Patient/${id}/_history?_count=-1`)).status, 400);
  assert.equal((await get(`Patient/${id}/_history?_sinse=2020`)).status, 400);
});

test('type and system history hold it, too', async () => {
  const id = await four();
  const ofType = await get('Patient/_history?_count=4');
  assert.ok(ofType.body.entry.every((e) => e.fullUrl.includes('/Patient/')));
  assert.ok(ofType.body.entry.some((e) => e.fullUrl.endsWith(id)));
  const ofAll = await get('_history?_count=20');
  assert.equal(ofAll.status, 200);
  assert.ok(ofAll.body.total >= 4);
});

test('a resource that never was has no history', async () => {
  assert.equal((await get(`Patient/${unique()}/_history`)).status, 404);
});
