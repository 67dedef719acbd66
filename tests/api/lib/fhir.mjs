// fhir.mjs - a small client for the black-box tests. MEDULLA_URL names the FHIR base of an
// empty server; each test makes what it needs under ids of its own.
import { randomUUID } from 'node:crypto';

export const base = process.env.MEDULLA_URL ?? 'http://127.0.0.1:8080/fhir';
export const json = 'application/fhir+json';

export async function send(method, path, body, headers = {}) {
  const options = { method, headers: { ...headers }, redirect: 'manual' };
  if (body !== undefined) {
    options.body = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type'))
      options.headers['Content-Type'] = json;
  }
  const response = await fetch(path.startsWith('http') ? path : path === '' ? base : `${base}/${path}`, options);
  const text = await response.text();
  let parsed;
  try {
    parsed = text === '' ? undefined : JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, headers: response.headers, text, body: parsed };
}

export const get = (path, headers) => send('GET', path, undefined, headers);
export const post = (path, body, headers) => send('POST', path, body, headers);
export const put = (path, body, headers) => send('PUT', path, body, headers);
export const del = (path, headers) => send('DELETE', path, undefined, headers);
export const patch = (path, body, headers) => send('PATCH', path, body, headers);

// An id and a name that no other test uses.
export const unique = (prefix = 't') => `${prefix}-${randomUUID().slice(0, 18)}`;

export const patient = (more = {}) => ({ resourceType: 'Patient', name: [{ family: 'Novák', given: ['Jana'] }], ...more });
export const observation = (subject, more = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  subject: { reference: subject },
  ...more,
});

// The issues of an OperationOutcome, or of none.
export const issues = (answer) => (answer.body?.resourceType === 'OperationOutcome' ? answer.body.issue : []);
