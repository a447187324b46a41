// The code samples of operations, run: each language at hand makes the call that its sample shows through a whole Gatehouse to a
// real backend, with values that are hostile to its quoting, and the backend must have got exactly what the description says.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { start, backend, SERVERS } = require('./harness');
const { unescaped } = require('./people');

const HOSTILE = 'it\'s "quoted" \\ $HOME `id` ${x} #{1} %s <b> \\u0041 ?> {{x}} \'\'\' """ end"';
const LINES = ['  leading and trailing  ', '\ttab\t', `${HOSTILE}`, '"""" four', 'é ✓ 😀 \u2028', '', 'back\\', 'ends with "'].join('\n');
const text = (example) => ({ post: { requestBody: { required: true, content: { 'text/plain': { example } } }, responses: { 200: { description: 'ok' } } } });
const json = (example, more = {}) => ({ responses: { 200: { description: 'ok' } }, requestBody: { content: { 'application/json': { example } } }, ...more });

const ID = 'a\'b"c $HOME é %41 `x`', LIST = ['1&2', 'it\'s "x"'], OBJECT = { name: HOSTILE, lines: LINES, n: 1.5, none: null, deep: [{ a: {} }] };
const LONG = { items: Array.from({ length: 400 }, (_, i) => ({ i, text: 'long' })) };
const PATHS = {
  '/things/{id}': { put: json(OBJECT, { operationId: 'put', parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' }, example: ID },
    { name: 'q', in: 'query', required: true, schema: { type: 'array', items: { type: 'string' } }, example: LIST },
    { name: 'not', in: 'query', schema: { type: 'string' }, example: 'left out' },
    { name: 'X-Why', in: 'header', required: true, schema: { type: 'string' }, example: HOSTILE }] }) },
  '/text': text(LINES), '/at': text('@/etc/passwd\r\nline\r\n\\'), '/newlines': text('\n\n"starts and ends\n\n'),
  '/form': { post: { ...text('').post, requestBody: { content: { 'application/x-www-form-urlencoded': { example: { a: HOSTILE, b: 2 } } } } } },
  '/parts': { post: { ...text('').post, requestBody: { content: { 'multipart/form-data': { example: { a: HOSTILE, b: 2 } } } } } },
  '/long': { patch: json(LONG) },
  '/plain/{orderId}': { get: { responses: { 200: { description: 'ok' } }, parameters: [{ name: 'orderId', in: 'path', required: true, schema: { type: 'string' } }] },
    delete: { responses: { 200: { description: 'ok' } }, parameters: [{ name: 'orderId', in: 'path', required: true, schema: { type: 'integer', minimum: 7 } }] },
    head: { responses: { 200: { description: 'ok' } }, parameters: [{ name: 'orderId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }] } },
};
const WANT = {
  put: { method: 'PUT', path: `/things/${ID}`, query: LIST, why: HOSTILE, json: OBJECT },
  'post-text': { method: 'POST', path: '/text', body: LINES },
  'post-at': { method: 'POST', path: '/at', body: '@/etc/passwd\r\nline\r\n\\' },
  'post-newlines': { method: 'POST', path: '/newlines', body: '\n\n"starts and ends\n\n' },
  'post-form': { method: 'POST', path: '/form', form: { a: HOSTILE, b: '2' } },
  'post-parts': { method: 'POST', path: '/parts', parts: { a: HOSTILE, b: '2' } },
  'patch-long': { method: 'PATCH', path: '/long', json: LONG },
  'get-plain-orderid': { method: 'GET', path: '/plain/ORDER_ID', body: '' },
  'delete-plain-orderid': { method: 'DELETE', path: '/plain/7', body: '' },
  'head-plain-orderid': { method: 'HEAD', path: '/plain/3fa85f64-5717-4562-b3fc-2c963f66afa6', body: '' },
};
const there = (program) => (process.env.PATH || '').split(':').some((d) => fs.existsSync(path.join(d, program)));
const goOn = { env: { ...process.env, GOCACHE: `/tmp/gatehouse-go-cache-${process.getuid()}`, GOFLAGS: '-mod=mod', GO111MODULE: 'off' } };
const RUN = {
  curl: ['call.sh', 'sh', ['call.sh']],
  python: ['call.py', '/usr/bin/python3', ['call.py']],
  javascript: ['call.mjs', process.execPath, ['call.mjs']],
  php: ['call.php', 'php', ['call.php']],
  java: ['Call.java', 'java', ['Call.java'], 'javac'],          // which takes a compiler
  go: ['call.go', 'go', ['run', 'call.go']],
};
const SLOW = { java: ['put', 'post-text', 'patch-long'] };   // a second each
const only = process.env.SAMPLES ? process.env.SAMPLES.split(',') : Object.keys(RUN);

let gw, to, key;
test.before(async () => {
  to = await backend();
  gw = await start({
    server: SERVERS[0], workers: 1,
    setup(g) {
      g.cli('product', 'create', 'all');
      g.cli('import', 'openapi', g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' }, paths: PATHS })),
        '--path', 'things', '--name', 'things', '--product', 'all', '--backend', to.url);
      key = g.cli('subscription', 'create', '--product', 'all', '--format', 'json').json().primaryKey;
      fs.writeFileSync(path.join(g.dir, 'body.json'), JSON.stringify(LONG));
    },
  });
});
test.after(async () => {
  if (gw) await gw.stop();
  if (to) await to.close();
});

async function samples(operation) {
  const html = await (await fetch(`${gw.url}/apis/things/operations/${operation}`)).text();
  const found = {};
  for (const [, id, code] of html.matchAll(/<div class="sample sample-([a-z]+)"><pre[^>]*><code>([\s\S]*?)<\/code>/g)) found[id] = unescaped(code);
  return found;
}

const run = (program, args) => new Promise((resolve) => {
  execFile(program, args, { cwd: gw.dir, timeout: 600000, ...goOn }, (error, stdout, stderr) => resolve({ failed: error, stdout, stderr }));
});

async function check(language, operation) {
  const [file, program, args] = RUN[language], want = WANT[operation];
  const code = (await samples(operation))[language];
  assert.match(code, /YOUR-KEY/);
  fs.writeFileSync(path.join(gw.dir, file), code.replace('YOUR-KEY', key));
  to.seen.length = 0;
  const { failed, stdout, stderr } = await run(program, args);
  assert.ok(!failed, `${failed}\n${stderr}\n${code}`);
  assert.strictEqual(to.seen.length, 1, `${stdout}\n${code}`);
  const got = to.seen[0], url = new URL(got.url, 'http://x'), body = got.body.toString();
  assert.strictEqual(got.method, want.method);
  assert.strictEqual(decodeURIComponent(url.pathname), want.path);
  if (want.query) assert.deepStrictEqual([...url.searchParams], want.query.map((v) => ['q', v]));
  else assert.strictEqual(url.search, '');
  if (want.why) assert.strictEqual(got.headers['x-why'], want.why);
  if (want.body !== undefined) assert.strictEqual(body, want.body);
  if (want.json) assert.deepStrictEqual(JSON.parse(body), want.json);
  if (want.form) assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(body)), want.form);
  if (want.parts) assert.deepStrictEqual(Object.fromEntries(await new Response(got.body, { headers: { 'content-type': got.headers['content-type'] } }).formData()), want.parts);
  if (want.json || want.form) assert.match(got.headers['content-type'], want.json ? /^application\/json/ : /urlencoded/);
  assert.match(stdout, want.method === 'HEAD' ? /200/ : language === 'curl' ? /"method"/ : /^200\n/);
}

for (const language of only)
  test(`${language}: what the sample says arrives`, { skip: !there(path.basename(RUN[language][3] ?? RUN[language][1])) && `no ${RUN[language][1]} here` }, async (t) => {
    for (const operation of SLOW[language] || Object.keys(WANT)) await t.test(operation, () => check(language, operation));
  });

test('C#: nothing is escaped, and the quotes around are more than those within', async () => {
  const code = (await samples('post-text')).csharp;
  assert.ok(code.includes(`var body =\n"""""\n${LINES}\n""""";\n`), code);
  assert.ok((await samples('put')).csharp.includes(`TryAddWithoutValidation("X-Why", "${HOSTILE.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}");`));
});

test('the language chosen before is open, without script as well', async () => {
  const page = async (cookie) => (await fetch(`${gw.url}/apis/things/operations/put`, { headers: cookie ? { cookie } : {} })).text();
  assert.match(await page(), /id="sample-curl" value="curl" checked/);
  assert.match(await page('gh_sample=java'), /id="sample-java" value="java" checked/);
  assert.match(await page('gh_sample=%22%3E%3Cscript'), /id="sample-curl" value="curl" checked/);
  assert.ok(Buffer.byteLength(await page()) < 100 * 1024);
});
