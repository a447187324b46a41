// The pages of docs/policies against the program: each policy has one, it says what `policy docs` says, and its example is
// a document that loads and runs.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ASAN, ROOT } = require('./harness');

// what an example gives when it does not end with the backend's 200
const STATUS = {
  'return-response': 410,
  'set-status': 202,
  'validate-azure-ad-token': 401,              // the request has no token, …
  'validate-client-certificate': 403,          // … no certificate
  'validate-jwt': 401,
};
// needs a credential manager, a private key, or an answer that only the live system has
const OUTSIDE = new Set(['authentication-certificate', 'authentication-managed-identity', 'get-authorization-context']);
// on the request: what the example looks for
const HEADERS = { 'X-Tenant': 'north', Accept: 'application/json' };
const CONTEXT = {
  api: { id: 'orders', name: 'orders', path: 'orders' },
  operation: { id: 'list', name: 'list', method: 'GET', urlTemplate: '/' },
  product: { id: 'gold', name: 'gold' },
  subscription: { id: 'sub-1', name: 'first', key: 'k', startDate: '2025-01-01T00:00:00Z' },
  user: { id: 'ann', email: 'ann@example.com' },
  namedValues: { 'backend-password': 'x', 'proxy-password': 'x' },
  fragments: { 'standard-headers': '<fragment><set-header name="X-F"><value>1</value></set-header></fragment>' },
  variables: {},
  calls: [
    { match: { url: 'https://login.example/token' }, response: { status: 200, body: '{"access_token":"t"}' } },
    { match: { url: '*' }, response: { status: 200, body: '{}' } },
  ],
  backend: { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"id":1}' },
  openapi: { openapi: '3.0.3', info: { title: 'orders', version: '1' },
    paths: { '/': { get: { operationId: 'list',
      responses: { 200: { description: 'ok', content: { 'application/json': { example: { id: 1 } } } } } } } } },
};

let dir;
let policies;

function run(...args) {
  const r = spawnSync(path.join(ASAN, 'gatehouse'), args, { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 24 });
  return { code: r.status, stdout: r.stdout, stderr: r.stderr };
}
const page = (name) => fs.readFileSync(path.join(ROOT, 'docs/policies', `${name}.md`), 'utf8');
const examples = (text) => [...text.matchAll(/```xml\n([\s\S]*?)```/g)].map((m) => m[1]);

function write(name, text) {
  const file = path.join(dir, name);
  fs.writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
  return file;
}

before(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gh-policy-docs-'));
  const r = run('policy', 'docs', '--format', 'json');
  assert.strictEqual(r.code, 0, r.stderr);
  policies = JSON.parse(r.stdout);
});
after(() => fs.rmSync(dir, { recursive: true, force: true }));

test('the list and the data name the same policies', () => {
  const names = policies.map((p) => p.name);
  assert.ok(names.length > 50);
  assert.deepStrictEqual(names, [...names].sort());
  assert.deepStrictEqual(run('policy', 'docs').stdout.trim().split('\n').map((l) => l.split(' ')[0]), names);
  const limit = policies.find((p) => p.name === 'rate-limit');
  assert.deepStrictEqual(limit.sections, ['inbound']);
  assert.deepStrictEqual(limit.scopes, ['product', 'api', 'operation']);
  assert.deepStrictEqual(limit.attributes.find((a) => a.name === 'renewal-period'), { name: 'renewal-period', kind: 'int',
    required: true, expression: false, least: 1, most: 300, default: null,
    help: 'length of the sliding window in seconds, at most 300' });
  assert.strictEqual(limit.children[0].children[0].name, 'operation');
  const header = policies.find((p) => p.name === 'set-header');
  assert.deepStrictEqual(header.attributes.find((a) => a.name === 'exists-action').choices,
    ['override', 'skip', 'append', 'delete']);
});

test('a policy that does not exist is said so', () => {
  for (const format of ['text', 'json']) {
    const r = run('policy', 'docs', 'rate-limits', '--format', format);
    assert.strictEqual(r.code, 1);
    assert.match(r.stderr, /there is no policy `rate-limits`/);
    assert.strictEqual(r.stdout, '');
  }
});

test('every policy has a page that begins as `policy docs` prints it, and no page is left over', () => {
  const names = policies.map((p) => p.name);
  assert.deepStrictEqual(fs.readdirSync(path.join(ROOT, 'docs/policies')).sort(), names.map((n) => `${n}.md`).sort());
  for (const name of names) {
    const text = page(name);
    const at = text.indexOf('\n## Example\n');
    assert.strictEqual(text.slice(0, at), run('policy', 'docs', name).stdout, name);
  }
});

test('every page has notes, and the guide names every page', () => {
  const guide = fs.readFileSync(path.join(ROOT, 'docs/policies.md'), 'utf8');
  for (const { name } of policies) {
    assert.match(page(name), /\n## Notes\n\n- \S/, name);
    assert.ok(guide.includes(`(policies/${name}.md)`), `docs/policies.md links to ${name}`);
  }
  for (const [, target] of guide.matchAll(/\]\(([a-z-]+(?:\/[a-z-]+)?\.md)\)/g))
    assert.ok(fs.existsSync(path.join(ROOT, 'docs', target)), `docs/policies.md: ${target}`);
});

test('every example passes policy check', () => {
  for (const { name } of policies)
    for (const [i, text] of examples(page(name)).entries()) {
      const r = run('policy', 'check', write(`${name}-${i}.xml`, text));
      assert.strictEqual(r.code, 0, `${name}: ${r.stderr}`);
    }
  const guide = examples(fs.readFileSync(path.join(ROOT, 'docs/policies.md'), 'utf8'));
  assert.ok(guide.length > 0);
  for (const [i, text] of guide.entries()) {
    const r = run('policy', 'check', write(`guide-${i}.xml`, text));
    assert.strictEqual(r.code, 0, `docs/policies.md, example ${i + 1}: ${r.stderr}`);
  }
});

test('every example that needs nothing of the live system runs and gives its response', () => {
  const request = write('request.json', { method: 'GET', url: 'https://gw.example/orders/', headers: HEADERS, ip: '10.0.0.1' });
  const context = write('context.json', CONTEXT);
  let ran = 0;
  for (const { name, notLive } of policies) {
    if (notLive || OUTSIDE.has(name)) continue;
    const file = write(`${name}.xml`, examples(page(name))[0]);
    const r = run('policy', 'run', file, '--request', request, '--context', context);
    assert.strictEqual(r.code, 0, `${name}: ${r.stderr}`);
    const { response, lastError } = JSON.parse(r.stdout);
    assert.strictEqual(response.status, STATUS[name] || 200, `${name}: ${JSON.stringify({ response, lastError })}`);
    ran++;
  }
  assert.ok(ran > 45, `${ran} examples ran`);
});
