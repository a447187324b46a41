// `gatehouse import openapi` on real descriptions: every document of @readme/oas-examples (OpenAPI 3.0, 3.1, Swagger 2.0,
// JSON and YAML) and the samples that ship. No web server is needed.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { offline, ROOT } = require('./harness');

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

function documents(dir) {
  return fs.readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && /\.(json|ya?ml)$/.test(e.name))
    .map((e) => path.join(e.parentPath ?? e.path, e.name))
    .filter((f) => /(^|\n)\s*"?(openapi|swagger)"?\s*:/.test(fs.readFileSync(f, 'utf8')))
    .sort();
}

// how many operations a JSON document has, counted by another parser
function countOperations(file) {
  const routes = new Set();
  for (const [p, item] of Object.entries(JSON.parse(fs.readFileSync(file, 'utf8')).paths ?? {}))
    for (const method of METHODS)
      if (item[method] && typeof item[method] === 'object') routes.add(`${method} ${p.replace(/#.*/, '').replace(/\{[^}]*\}/g, '{}')}`);
  return routes.size;
}

const SAMPLE = path.join(ROOT, 'deploy/sample/orders.yaml');
const BACKEND = ['--backend', 'http://127.0.0.1:9'];

function store(t) {
  const gw = offline();
  t.after(() => gw.stop());
  return gw;
}

test('every published example imports, with all of its operations, and comes back byte for byte', (t) => {
  const gw = store(t);
  const files = documents(path.dirname(require.resolve('@readme/oas-examples/package.json')));
  assert.ok(files.length > 100, `${files.length} documents`);
  files.forEach((file, i) => {
    const id = `doc-${i}`;
    const answer = gw.cli('import', 'openapi', file, '--path', id, '--name', id, ...BACKEND, '--format', 'json').json();
    assert.strictEqual(answer.id, id, file);
    assert.strictEqual(answer.created, true, file);
    for (const w of answer.warnings) assert.ok(w.message && w.line > 0, `${file}: ${JSON.stringify(w)}`);
    if (file.endsWith('.json')) {
      const paths = JSON.parse(fs.readFileSync(file, 'utf8')).paths ?? {};
      if (!Object.values(paths).some((item) => item.$ref)) assert.strictEqual(answer.operations, countOperations(file), file);
    }
    assert.strictEqual(gw.cli('api', 'document', id).stdout, fs.readFileSync(file, 'utf8'), file);
  });
});

test('importing again updates, keeps ids, and drops what is gone', (t) => {
  const gw = store(t);
  const first = gw.cli('import', 'openapi', SAMPLE, '--path', 'orders', '--name', 'orders', ...BACKEND, '--format', 'json').json();
  assert.deepStrictEqual([first.created, first.operations, first.warnings.length], [true, 5, 0]);
  const smaller = gw.file('smaller.yaml', fs.readFileSync(SAMPLE, 'utf8').replace(/^ {2}\/health:[^]*?^components:/m, 'components:'));
  const second = gw.cli('import', 'openapi', smaller, '--path', 'orders', '--name', 'orders', ...BACKEND, '--format', 'json').json();
  assert.deepStrictEqual([second.created, second.operations, second.id], [false, 4, 'orders']);
  const shown = gw.cli('api', 'show', 'orders').stdout;
  assert.match(shown, /list-orders +GET +\/orders\b/);
  assert.match(shown, /get-order +GET +\/orders\/\{id\}/);
  assert.doesNotMatch(shown, /get-health/);
});

test('a description without operations opens nothing; one title is no second API at another path; a terminal obeys nothing of a name', (t) => {
  const gw = store(t);
  const none = gw.file('none.yaml', "openapi: 3.1.0\ninfo: {title: Orders, version: '1'}\npaths: {}\n");
  const odd = gw.file('odd.json', '{"openapi":"3.0.0","info":{"title":"Orders","version":"1"},"paths":{},"\\u001b[31mx":1}');
  assert.strictEqual(gw.cli('import', 'openapi', none, '--path', 'orders', ...BACKEND, '--format', 'json').json().operations, 0);
  assert.doesNotMatch(gw.cli('api', 'show', 'orders').stdout, /Any call/);
  const other = gw.cli('import', 'openapi', none, '--path', 'other', ...BACKEND, { fails: true });
  assert.deepStrictEqual([other.code, other.stdout], [1, '']);
  assert.match(other.stderr, /there is an API 'orders' already, at the path 'orders': .*--name orders/);
  assert.strictEqual(gw.cli('import', 'openapi', none, '--path', 'other', '--name', 'orders', ...BACKEND, '--format', 'json').json().created, false);
  assert.match(gw.cli('import', 'openapi', odd, '--path', 'other', ...BACKEND).stderr, /warning: .*\\u001b\[31mx/);
});

test('an archive of a whole installation takes nothing away when it is imported', (t) => {
  const gw = store(t), zip = path.join(gw.dir, 'all.zip');
  gw.cli('export', zip);
  gw.cli('product', 'create', 'later');
  gw.cli('import', 'zip', zip, '--yes');
  assert.match(gw.cli('product', 'list').stdout, /^later /m);
});

test('versions share a path and get ids of their own', (t) => {
  const gw = store(t);
  const ids = ['', 'v1', 'v2', 'v1'].map((v) => gw.cli('import', 'openapi', SAMPLE, '--path', '/orders/', '--name', 'orders',
    ...(v ? ['--version', v] : []), ...BACKEND, '--format', 'json').json());
  assert.deepStrictEqual(ids.map((a) => [a.id, a.path, a.version, a.created]), [
    ['orders', 'orders', '', true], ['orders-v1', 'orders', 'v1', true], ['orders-v2', 'orders', 'v2', true],
    ['orders-v1', 'orders', 'v1', false],
  ]);
});

test('standard input, and the backend from the description', (t) => {
  const gw = store(t);
  const answer = gw.cli('import', 'openapi', '-', '--path', 'orders', '--format', 'json',
    { input: fs.readFileSync(SAMPLE, 'utf8') }).json();
  assert.strictEqual(answer.backend, 'http://127.0.0.1:8081');
  assert.strictEqual(answer.id, 'orders');
});

test('what is wrong is named with file, line and column', (t) => {
  const gw = store(t);
  const broken = gw.file('broken.yaml', 'openapi: 3.0.0\ninfo: {title: T\n');
  const none = gw.file('none.json', '{"info":{}}');
  const odd = gw.file('odd.yaml', "openapi: 3.0.0\ninfo: {title: Odd, version: '1'}\npaths:\n  /a:\n    get:\n      responses: {}\n"
    + '      wrong: 1\n');
  const cases = [
    [[broken, '--path', 'x', ...BACKEND], 1, /broken\.yaml:3:1: error: /],
    [[none, '--path', 'x', ...BACKEND], 1, /none\.json:1:1: error: this is no API description/],
    [[gw.file('big.json', `{"openapi":"3.0.0","x":${'['.repeat(600)}${']'.repeat(600)}}`), '--path', 'x', ...BACKEND], 1,
      /big\.json:1:\d+: error: .*nested/],
    [[path.join(gw.dir, 'absent.yaml'), '--path', 'x', ...BACKEND], 1, /absent\.yaml: No such file/],
    [[SAMPLE, ...BACKEND], 2, /--path PATH is needed/],
    [[SAMPLE, '--path', 'x', '--backend', 'ftp://x'], 2, /http:\/\/ or https:\/\//],
    [[SAMPLE, '--path', 'a//b', ...BACKEND], 2, /--path a\/\/b/],
    [[SAMPLE, '--path', 'x', '--product', 'none', ...BACKEND], 1, /no product 'none'; make it with: gatehouse product create none/],
    [[SAMPLE, '--path', 'x', '--env', 'none', ...BACKEND], 1, /no environment 'none'/],
  ];
  for (const [args, code, message] of cases) {
    const r = gw.cli('import', 'openapi', ...args, { fails: true });
    assert.strictEqual(r.code, code, `${args.join(' ')}: ${r.stderr}`);
    assert.match(r.stderr, message);
    assert.strictEqual(r.stdout, '');
  }
  const warned = gw.cli('import', 'openapi', odd, '--path', 'odd', ...BACKEND);
  assert.match(warned.stderr, /odd\.yaml:5:5: warning: 'wrong' is not known here.*\(#\/paths\/~1a\/get\)/);
  assert.match(warned.stdout, /^created API odd .*: 1 operations, 1 warnings\n$/);
  assert.doesNotMatch(gw.cli('api', 'list').stdout, /\bx\b/);
});
