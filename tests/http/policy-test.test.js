// `gatehouse policy test`: cases beside policy documents, what a failing one says, exit statuses.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { ROOT } = require('./harness');

const PROGRAM = path.join(ROOT, 'build/asan/bin/gatehouse');
const policies = (sections) => `<policies><inbound>${sections.inbound ?? ''}</inbound><backend><forward-request /></backend>`
  + `<outbound>${sections.outbound ?? ''}</outbound><on-error /></policies>`;
const ANSWER = '<return-response><set-status code="201" reason="Made" />'
  + '<set-header name="X-One" exists-action="override"><value>1</value></set-header>'
  + '<set-body>{"a": 1, "list": [1, 2], "deep": {"b": true}}</set-body></return-response>';

function run(files, ...args) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gh-ptest-'));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), typeof text === 'string' ? text : JSON.stringify(text));
  }
  const r = spawnSync(PROGRAM, ['policy', 'test', ...(args.length ? args : ['.'])], { cwd: dir, encoding: 'utf8' });
  fs.rmSync(dir, { recursive: true, force: true });
  return { code: r.status, stdout: r.stdout, stderr: r.stderr, lines: r.stdout.split('\n') };
}
// one case about one document
const one = (inbound, testCase, ...args) => run({ 'policy.xml': policies({ inbound }), 'a.test.json': testCase }, ...args);

test('passing cases: found below the folder, sorted, planned, one line each', () => {
  const r = run({
    'b/policy.xml': policies({ inbound: ANSWER }),
    'b/x.test.yaml': 'name: the answer is made here\nexpect:\n  response:\n    status: 201\n    reason: /^Ma/\n    headers: {x-one: 1}\n'
      + '    body: {list: [1, 2], deep: {b: true}, a: 1.0}\n  backendRequest: null\n  lastError: null\n',
    'a/orders.xml': policies({ inbound: '<set-variable name="v" value="1" />' }),
    'a/policy.xml': policies({ inbound: ANSWER }),
    'a/orders.test.yml': 'cases:\n- {name: "its own document, #1", expect: {variables: {v: "1"}, backendRequest: {method: GET}}}\n'
      + '- {name: another document, policy: ../b/policy.xml, expect: {response: {status: 201}}}\n',
    '.hidden/c.test.yaml': 'never: read',
    'notes.yaml': 'never: read',
  });
  assert.strictEqual(r.stdout, [
    'TAP version 13', '1..3', 'ok 1 - ./a/orders.test.yml: its own document, \\#1', 'ok 2 - ./a/orders.test.yml: another document',
    'ok 3 - ./b/x.test.yaml: the answer is made here', '',
  ].join('\n'));
  assert.strictEqual(r.code, 0);
});

test('request and context may stand in files of their own', () => {
  const r = run({
    'policy.xml': policies({ inbound: '<set-header name="X-Api"><value>@(context.Api.Id + context.Request.Method)</value></set-header>' }),
    'd/req.json': { method: 'PUT', url: 'https://gw.example/x' },
    'd/ctx.yaml': 'api: {id: orders}\n',
    'a.test.json': { request: 'd/req.json', context: 'd/ctx.yaml', expect: { backendRequest: { headers: { 'x-api': 'ordersPUT' } } } },
  });
  assert.strictEqual(r.code, 0, r.stdout);
  const wrong = run({ 'policy.xml': policies({}), 'req.json': { metod: 'PUT' }, 'a.test.json': { request: 'req.json', expect: {} } });
  assert.match(wrong.stdout, /^# \.\/req\.json:1:\d+: error: there is no field `metod`; did you mean `method`\?$/m);
  const missing = one('', { request: 'nowhere.json', expect: {} });
  assert.match(missing.stdout, /^# \.\/a\.test\.json:1:\d+: error: \.\/nowhere\.json: No such file/m);
  assert.strictEqual(missing.code, 1);
});

test('each kind of difference is shown with what was expected and what there was', () => {
  const send = '<send-request mode="new" response-variable-name="r"><set-url>https://b.example/t</set-url><set-method>POST</set-method>'
    + '</send-request>';
  const context = { calls: [{ response: { status: 200 } }], variables: { v: '1' } };
  const rows = [
    [ANSWER, { response: { status: 200 } }, ['# response.status', '#   expected: 200', '#   actual:   201']],
    [ANSWER, { response: { headers: { 'X-ONE': '2' } } }, ['# response.headers.X-ONE', '#   expected: "2"', '#   actual:   "1"']],
    [ANSWER, { response: { headers: { 'X-Two': '2' } } }, ['# response.headers.X-Two', '#   expected: "2"', '#   actual:   (absent)']],
    [ANSWER, { response: { headers: { 'X-One': null } } }, ['#   expected: null', '#   actual:   "1"']],
    [ANSWER, { response: { headers: { 'X-One': ['1', '2'] } } }, ['# response.headers.X-One[1]', '#   expected: "2"', '#   actual:   (absent)']],
    [ANSWER, { response: { reason: '/^gone$/' } }, ['# response.reason: the pattern does not match', '#   expected: "/^gone$/"', '#   actual:   "Made"']],
    [ANSWER, { response: { reason: '/(/' } }, [/^# response\.reason: the pattern is malformed at character 2: missing closing/]],
    [ANSWER, { response: { body: { a: 1, list: [1, 3], more: null } } },
      ['# response.body.list[1]', '#   expected: 3', '#   actual:   2', '# response.body.deep', '#   expected: (absent)', '#   actual:   {"b":true}']],
    [ANSWER, { response: { body: 'x' } }, ['# response.body', '#   expected: "x"']],
    [ANSWER, { backendRequest: { method: 'GET' } }, ['# backendRequest', '#   expected: {"method":"GET"}', '#   actual:   null']],
    ['', { backendRequest: null }, ['# backendRequest', '#   expected: null']],
    ['', { variables: { v: 1 } }, ['# variables.v', '#   expected: 1', '#   actual:   "1"']],
    ['', { lastError: { reason: 'X' } }, ['# lastError', '#   expected: {"reason":"X"}', '#   actual:   null']],
    [send, { calls: [{ method: 'GET' }] }, ['# calls[0].method', '#   expected: "GET"', '#   actual:   "POST"']],
    [send, { calls: [] }, ['# calls', '#   expected: []']],
    [send + send, { calls: [{ url: '/nope/' }] }, ['# calls[0]: none of them is the expected one, in this order']],
    ['', { response: { body: { a: 1 } } }, ['# response.body: the body is no JSON', '#   expected: {"a":1}', '#   actual:   ""']],
  ];
  for (const [inbound, expect, lines] of rows) {
    const r = one(inbound, { name: 'it differs', context, expect });
    assert.strictEqual(r.code, 1, `${JSON.stringify(expect)}: ${r.stdout}${r.stderr}`);
    assert.strictEqual(r.lines[2], 'not ok 1 - ./a.test.json: it differs');
    for (const line of lines)
      assert.ok(r.lines.some((l) => (line instanceof RegExp ? line.test(l) : l.startsWith(line))), `${line}\nin\n${r.stdout}`);
  }
});

test('of calls only the named ones are compared, in their order', () => {
  const send = (x) => `<send-request mode="new" response-variable-name="r"><set-url>https://b.example/${x}</set-url></send-request>`;
  const context = { calls: [{ response: { status: 200 } }] };
  const inbound = send('a') + send('b') + send('c');
  const expect = (...names) => ({ calls: names.map((n) => ({ url: `https://b.example/${n}` })) });
  assert.strictEqual(one(inbound, { context, expect: expect('a', 'c') }).code, 0);
  assert.strictEqual(one(inbound, { context, expect: expect('c', 'a') }).code, 1);
});

test('texts of several lines differ line by line', () => {
  const r = one('<return-response><set-body>one\ntwo\nthree\nfour</set-body></return-response>',
    { name: 'lines', expect: { response: { body: 'one\nTWO\nthree\nfour' } } });
  assert.deepStrictEqual(r.lines.slice(4, 8), ['# response.body', '#   from line 2 on (- expected, + actual):', '#   - TWO', '#   + two']);
});

test('repeat: one expectation a run, or one for all', () => {
  const inbound = '<rate-limit-by-key calls="1" renewal-period="60" counter-key="k" />';
  const request = { repeat: 2 };
  const status = (n) => ({ response: { status: n } });
  assert.strictEqual(one(inbound, { request, expect: [status(200), status(429)] }).code, 0);
  assert.match(one(inbound, { request, expect: status(200) }).stdout, /^# run 2: response\.status\n#   expected: 200\n#   actual:   429$/m);
  assert.match(one(inbound, { request, expect: [status(200)] }).stdout, /`expect` has 1 entries, but the request runs 2 times/);
  assert.match(one(inbound, { expect: [status(200)] }).stdout, /`expect` can only be a list when the request has `repeat`/);
});

test('an unknown field is named with its place and the nearest known one', () => {
  const rows = [
    ['nmae: x\nexpect: {}\n', 'a.test.yaml:1:1: error: there is no field `nmae`; did you mean `name`?'],
    ['expect:\n  response:\n    staus: 200\n', 'a.test.yaml:3:5: error: there is no field `staus`; did you mean `status`?'],
    ['cases:\n- expect: {}\n- request:\n    methd: GET\n  expect: {}\n', 'a.test.yaml:4:5: error: there is no field `methd`; did you mean `method`?'],
    ['context: {calls: [{respons: {}}]}\nexpect: {}\n', 'did you mean `response`?'],
    ['expect: {trace: []}\n', 'there is no field `trace`; there are response, backendRequest,'],
    ['name: x\n', 'error: a case needs `expect`: what the run must give'],
    ['expect: 7\n', '`expect` is an object, or with `repeat` a list of objects'],
    ['cases: []\n', '`cases` must be a list of at least one case'],
    ['cases: [{expect: {}}]\nname: x\n', 'beside `cases` there are no other fields'],
    ['expect: [\n', 'a.test.yaml:2:1: error: '],
    ['- 1\n', 'a case has the fields name, policy, request, context and expect'],
    ['request: {url: "nowhere"}\nexpect: {}\n', 'request: url `nowhere` is no http or https address'],
    ['context: {now: today}\nexpect: {}\n', 'context: now: `today` is no time'],
    ['policy: none.xml\nexpect: {}\n', './none.xml: No such file'],
  ];
  for (const [text, message] of rows) {
    const r = run({ 'policy.xml': policies({}), 'a.test.yaml': text });
    assert.strictEqual(r.code, 1, text);
    assert.ok(r.stdout.includes('\nnot ok '), r.stdout);
    assert.ok(r.stdout.includes(message), `${message}\nin\n${r.stdout}`);
    assert.strictEqual(r.stderr, '');
  }
});

test('a broken document fails its case with all its errors, and the others run on', () => {
  const r = run({
    'a.xml': '<policies>\n<inbound>\n<set-headr name="x" />\n<check-header />\n</inbound>\n</policies>',
    'a.test.yaml': 'name: broken\nexpect: {}\n',
    'b.xml': policies({}),
    'b.test.yaml': 'name: sound\nexpect: {response: {status: 200}}\n',
  });
  assert.strictEqual(r.code, 1);
  assert.match(r.stdout, /^not ok 1 - \.\/a\.test\.yaml: broken\n# \.\/a\.xml:3:\d+: error: .*set-header.*\n# \.\/a\.xml:4:\d+: error: /m);
  assert.match(r.stdout, /^ok 2 - \.\/b\.test\.yaml: sound$/m);
});

test('as JSON', () => {
  const files = {
    'policy.xml': policies({ inbound: ANSWER }),
    'a.test.yaml': 'cases:\n- name: good\n  expect: {response: {status: 201}}\n- name: bad\n  expect: {response: {status: 404}}\n'
      + '- name: odd\n  expct: {}\n',
  };
  const r = run(files, '.', '--format', 'json');
  assert.strictEqual(r.code, 1);
  const out = JSON.parse(r.stdout);
  assert.deepStrictEqual(out.slice(0, 2), [
    { file: './a.test.yaml', name: 'good', policy: './policy.xml', ok: true, errors: [], differences: [] },
    { file: './a.test.yaml', line: 4, name: 'bad', policy: './policy.xml', ok: false, errors: [],
      differences: [{ path: 'response.status', expected: 404, actual: 201 }] },
  ]);
  assert.strictEqual(out[2].ok, false);
  assert.match(out[2].errors[0], /there is no field `expct`; did you mean `expect`\?/);
});

test('wrong usage is 2, nothing to run is 1', () => {
  const none = spawnSync(PROGRAM, ['policy', 'test'], { encoding: 'utf8' });
  assert.strictEqual(none.status, 2);
  assert.strictEqual(run({ 'x.txt': '' }, 'x.txt').code, 2);
  const empty = run({ 'x.txt': '' });
  assert.strictEqual(empty.code, 1);
  assert.match(empty.stderr, /there are no files \*\.test\.yaml, \*\.test\.yml or \*\.test\.json under \./);
  assert.strictEqual(run({}, 'nowhere').code, 1);
});
