// The commands for who writes policies: check, run, test, docs. None of them needs a store.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const BIN = process.env.GATEHOUSE_BIN || path.join(__dirname, '../../build/asan/bin');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-policy-'));
const file = (name, text) => {
  fs.writeFileSync(path.join(dir, name), text);
  return path.join(dir, name);
};
const run = (...args) => spawnSync(path.join(BIN, 'gatehouse'), ['policy', ...args], { encoding: 'utf8', cwd: dir });
const policy = (inbound) => `<policies>\n<inbound>\n${inbound}\n</inbound>\n<backend><base /></backend><outbound /><on-error />\n</policies>\n`;

test.after(() => fs.rmSync(dir, { recursive: true }));

test('check: a line for each good document, places for each mistake', () => {
  const good = file('good.xml', policy('<set-header name="X"><value>{{any}}</value></set-header>'));
  const fragment = file('fragment.xml', '<fragment><trace source="a">b</trace></fragment>');
  const bad = file('bad.xml', policy('<rate-limit call="1" renewal-period="3" />'));
  let r = run('check', good, fragment);
  assert.strictEqual(r.stdout, `${good}: ok\n${fragment}: ok\n`);
  assert.strictEqual(r.status, 0);
  r = run('check', good, bad);
  assert.strictEqual(r.status, 1);
  assert.strictEqual(r.stdout, `${good}: ok\n`);
  assert.match(r.stderr, new RegExp(`^${bad}:3:13: error: \`rate-limit\` has no attribute \`call\`; did you mean \`calls\`\\?$`, 'm'));
  r = run('check', bad, '--format', 'json');
  const [told] = JSON.parse(r.stdout);
  assert.strictEqual(told.ok, false);
  assert.deepStrictEqual([told.messages[0].line, told.messages[0].column], [3, 13]);
});

test('check: a file that is not there', () => {
  const r = run('check', 'none.xml');
  assert.notStrictEqual(r.status, 0);
  assert.match(r.stderr, /none\.xml/);
});

test('run: request and context in, everything that happened out', () => {
  const p = file('run.xml', policy('<base /><set-header name="X-User"><value>@(context.User.Email)</value></set-header>'));
  file('global.xml', '<policies><inbound><set-variable name="g" value="1" /></inbound><backend><forward-request /></backend></policies>');
  const q = file('q.json', JSON.stringify({ method: 'GET', url: 'https://gw.example/orders/7?x=1' }));
  const c = file('c.json', JSON.stringify({ user: { email: 'a@example.com' }, scopes: { global: 'global.xml' },
    api: { path: 'orders', serviceUrl: 'https://b.example/v1' }, backend: { status: 201, headers: { 'X-B': ['1', '2'] }, body: 'hi' } }));
  const r = run('run', p, '--request', q, '--context', c);
  assert.strictEqual(r.status, 0, r.stderr);
  const out = JSON.parse(r.stdout);
  assert.strictEqual(out.response.status, 201);
  assert.strictEqual(out.response.reason, 'Created');
  assert.deepStrictEqual(out.response.headers['X-B'], ['1', '2']);
  assert.strictEqual(out.backendRequest.url, 'https://b.example/v1/7?x=1');
  assert.strictEqual(out.backendRequest.headers['X-User'], 'a@example.com');
  assert.strictEqual(out.variables.g, '1');
  assert.strictEqual(out.lastError, null);
  assert.ok(out.trace.some((t) => t.policy === 'set-header' && t.scope === 'operation' && t.line === 3));
});

test('run --trace: each step for a person, with variables, decisions and times, without secrets', () => {
  const p = file('traced.xml', policy(`<set-variable name="kind" value="@(context.Request.Method + "!")" />
    <set-variable name="key" value="{{k}} of {{open}}" />
    <choose><when condition="@((string)context.Variables["kind"] == "GET!")"><set-header name="X-A"><value>1</value></set-header></when></choose>`));
  const q = file('q.json', '{"url":"https://gw.example/a"}');
  const c = file('c.json', '{"namedValues":{"k":{"value":"open sesame","secret":true},"open":"all"}}');
  const r = run('run', p, '--request', q, '--context', c, '--trace');
  assert.strictEqual(r.status, 0, r.stderr);
  const lines = r.stderr.trim().split('\n').map((l) => /^(\S+) +(\S+) +(\d+) +(\S+) +(\d+) us(?:  (.*))?$/.exec(l)?.slice(1));
  assert.ok(lines.every(Boolean), r.stderr);
  const said = lines.map(([section, scope, , name, , what]) => [section, scope, name, what ?? '']);
  for (const step of [['inbound', 'operation', 'set-variable', 'kind = GET!'], ['inbound', 'operation', 'set-variable', 'key = *** of all'],
    ['inbound', 'operation', 'choose', 'condition is true'], ['inbound', 'operation', 'set-header', 'X-A: 1']])
    assert.ok(said.some((s) => s.join() === step.join()), `${step} in\n${r.stderr}`);
  assert.ok(!r.stderr.includes('sesame'));
  assert.strictEqual(JSON.parse(r.stdout).trace.length, lines.length);
});

test('run: the same input gives the same output', () => {
  const p = file('same.xml', policy('<set-variable name="v" value="@(Guid.NewGuid().ToString() + DateTime.UtcNow.ToString())" />'));
  const q = file('q.json', '{}');
  const c = file('c.json', '{"now":"2025-01-02T03:04:05Z","seed":7}');
  const once = () => JSON.parse(run('run', p, '--request', q, '--context', c).stdout);
  assert.deepStrictEqual(once().variables, once().variables);
});

test('run: a document with an error is refused with its place', () => {
  const p = file('wrong.xml', policy('<set-variable name="v" value="@(1 +)" />'));
  const r = run('run', p, '--request', file('q.json', '{}'));
  assert.strictEqual(r.status, 1);
  assert.match(r.stderr, /wrong\.xml:3:\d+: error: /);
});

test('test: cases beside the documents, as TAP', () => {
  file('run.xml', policy('<return-response><set-status code="418" /></return-response>'));
  file('run.test.yaml', 'name: tea\nexpect: { response: { status: 418 } }\n');
  let r = run('test', dir);
  assert.strictEqual(r.stdout, `TAP version 13\n1..1\nok 1 - ${dir}/run.test.yaml: tea\n`);
  assert.strictEqual(r.status, 0);
  file('run.test.yaml', 'name: coffee\nexpect: { response: { status: 200 } }\n');
  r = run('test', dir);
  assert.match(r.stdout, /^not ok 1 - .*: coffee\n# .*run\.xml\n# response\.status\n#   expected: 200\n#   actual:   418$/m);
  assert.strictEqual(r.status, 1);
});

test('docs: the reference of a policy', () => {
  assert.match(run('docs').stdout, /^rate-limit /m);
  assert.match(run('docs', 'rate-limit').stdout, /\| `renewal-period` \| whole number, 1 to 300 \| yes/);
  assert.strictEqual(run('docs', 'nothing').status, 1);
});
