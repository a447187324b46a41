// Policies that call somebody beside the backend, on the wire: send-request, send-one-way-request, wait, and what a policy
// makes of the answers.
'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { backend } = require('./harness');
const { table } = require('./policy-table');

// One service beside the backend, that does as its path says: /status/503, /slow/400, /echo, /big/BYTES, /cut, /silent; /together/3/a
// answers when three have come, /held when the test lets it.
const waiting = [];
function service(req, res, body) {
  const [, what, n] = req.url.split(/[/?]/);
  res.setHeader('Content-Type', 'application/json');
  const does = {
    status: () => { res.statusCode = Number(n); res.setHeader('X-Reason', 'told'); res.end(JSON.stringify({ status: Number(n) })); },
    slow: () => setTimeout(() => res.end(JSON.stringify({ slow: Number(n) })), Number(n)),
    echo: () => res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body: body.toString() })),
    big: () => res.end('x'.repeat(Number(n))),
    cut: () => req.socket.destroy(),
    silent: () => {},
    held: () => waiting.push(res),
    together: () => { if (waiting.push(res) === Number(n)) for (const r of waiting.splice(0)) r.end(JSON.stringify({ together: Number(n) })); },
  };
  (does[what] ?? does.echo)();
}
const send = (attributes, inside) => `<send-request ${/mode=/.test(attributes) ? '' : 'mode="new" '}response-variable-name="r" ${attributes}>${inside}</send-request>`;
const to = (where, more = '') => (e) => send('', `<set-url>${e.shared.side.url}${where}</set-url>${more}`);
const R = '((IResponse)context.Variables["r"])';
const show = (text) => `<return-response><set-body>@(${text})</set-body></return-response>`;
const ERROR = '<return-response><set-status code="500" /><set-body>@(context.LastError.Source + "|" + context.LastError.Reason + "|" + context.LastError.Message)</set-body></return-response>';
const both = (a, b) => (e) => (typeof a === 'function' ? a(e) : a) + (typeof b === 'function' ? b(e) : b);
const seenBy = (e, what) => e.shared.side.seen.filter((s) => s.url.includes(what));

const shared = {
  before: async (s) => {
    s.side = await backend(service);
    s.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-send-'));
    const cert = path.join(s.dir, 'c');
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${cert}.key`, '-out', `${cert}.crt`,
      '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:TRUE']);
    assert.equal(made.status, 0, String(made.stderr));
    s.cert = cert;
    s.tls = https.createServer({ key: fs.readFileSync(`${cert}.key`), cert: fs.readFileSync(`${cert}.crt`), requestCert: true, rejectUnauthorized: false },
      (req, res) => res.end(req.socket.getPeerCertificate().subject?.CN ?? 'nobody'));
    await new Promise((resolve) => s.tls.listen(0, '127.0.0.1', resolve));
    s.proxied = [];
    s.proxy = http.createServer((req, res) => {
      s.proxied.push({ url: req.url, auth: req.headers['proxy-authorization'] });
      const u = new URL(req.url);
      req.pipe(http.request({ host: u.hostname, port: u.port, path: u.pathname, method: req.method }, (r) => { res.writeHead(r.statusCode); r.pipe(res); }));
    });
    await new Promise((resolve) => s.proxy.listen(0, '127.0.0.1', resolve));
  },
  after: async (s) => {
    await s.side.close();
    for (const server of [s.tls, s.proxy]) { server.closeAllConnections(); server.close(); }
    fs.rmSync(s.dir, { recursive: true });
  },
  setup: (g, cli, s) => {
    cli('certificate', 'set', 'mine', '--file', `${s.cert}.crt`, '--key-file', `${s.cert}.key`);
  },
};

const SEND = [
  { what: 'keeps status, reason, headers and body', inbound: both(to('/status/418'),
    show(`${R}.StatusCode + " " + ${R}.Headers.GetValueOrDefault("X-Reason", "") + " " + ${R}.Body.As<string>()`)),
    request: {}, expect: { status: 200, body: '418 told {"status":418}', backend: [] } },
  { what: 'reads JSON out of the body', inbound: both(to('/echo?a=1'), show(`(string)${R}.Body.As<JObject>()["url"]`)), request: {}, expect: { body: '/echo?a=1' } },
  { what: 'a new request has only what the policy gives it', request: { method: 'POST', headers: { 'X-Mine': '1', Authorization: 'Bearer mine' }, body: 'mine' },
    inbound: both(to('/echo', '<set-method>PUT</set-method><set-header name="X-A" exists-action="override"><value>@(context.Request.Method)</value></set-header><set-body>@("body of " + context.Api.Name)</set-body>'),
      show(`${R}.Body.As<string>()`)),
    expect: (a) => { const j = JSON.parse(a.body);
      assert.equal(j.method, 'PUT');
      assert.match(j.body, /^body of r\d+$/);
      assert.equal(j.headers['x-a'], 'POST');
      assert.equal(j.headers['x-mine'], undefined);
      assert.equal(j.headers.authorization, undefined); } },
  { what: 'a copy has method, headers and body of the request', request: { method: 'POST', headers: { 'X-Mine': '1' }, body: 'mine' },
    inbound: both((e) => send('mode="copy"', `<set-url>${e.shared.side.url}/echo</set-url>`), show(`${R}.Body.As<string>()`)),
    expect: (a) => { const j = JSON.parse(a.body);
      assert.deepEqual([j.method, j.body, j.headers['x-mine']], ['POST', 'mine', '1']); } },
  { what: 'a copy leaves the request as it was', request: { method: 'POST', body: 'mine' },
    inbound: (e) => send('mode="copy"', `<set-url>${e.shared.side.url}/echo</set-url>`), expect: { status: 200, backend: [{ method: 'POST', body: 'mine' }] } },
  { what: 'a response beside a large upload does not disturb it', inbound: to('/echo'),
    request: { method: 'POST', body: 'z'.repeat(400000) }, expect: (a, seen) => { assert.equal(a.status, 200); assert.equal(seen[0].body.length, 400000); } },
  { what: 'gives up after the timeout', inbound: (e) => send('timeout="1"', `<set-url>${e.shared.side.url}/silent</set-url>`), onError: ERROR,
    request: {}, expect: { status: 500, body: /^send-request\|Timeout\|/, ms: [900, 60000], backend: [] } },
  { what: 'fails the request when nobody answers', inbound: send('', '<set-url>http://127.0.0.1:1/x</set-url>'), onError: ERROR,
    request: {}, expect: { status: 500, body: /^send-request\|BackendConnectionFailure\|The backend cannot be reached/ } },
  { what: 'ignore-error leaves null and goes on', inbound: both(send('ignore-error="true"', '<set-url>http://127.0.0.1:1/x</set-url>'),
    show('context.Variables["r"] == null ? "null" : "not null"')), request: {}, expect: { status: 200, body: 'null' } },
  { what: 'ignore-error with a time-out', inbound: both((e) => send('ignore-error="true" timeout="1"', `<set-url>${e.shared.side.url}/silent</set-url>`),
    show('context.Variables["r"] == null ? "null" : "not null"')), request: {}, expect: { status: 200, body: 'null' } },
  { what: 'a service that hangs up', inbound: to('/cut'), onError: ERROR, request: {}, expect: { status: 500, body: /^send-request\|BackendConnectionFailure/ } },
  { what: 'an error status is an answer like any other', inbound: to('/status/500'), request: {}, expect: { status: 200 } },
  { what: 'an address that is none', inbound: send('', '<set-url>@("ftp:" + "//x")</set-url>'), onError: ERROR,
    request: {}, expect: { status: 500, body: /is no http or https address/ } },
  { what: 'return-response begins from the answer', inbound: both(to('/status/409'), '<return-response response-variable-name="r"><set-header name="X-More"><value>1</value></set-header></return-response>'),
    request: {}, expect: { status: 409, headers: { 'X-Reason': 'told', 'X-More': '1' }, body: { status: 409 } } },
  { what: 'checks the certificate of the server before it shows its own', onError: ERROR, request: {},
    inbound: (e) => send('', `<set-url>https://127.0.0.1:${e.shared.tls.address().port}/</set-url><authentication-certificate certificate-id="mine" />`),
    expect: { status: 500, body: /^send-request\|BackendConnectionFailure\|The secure connection/ } },
  { what: 'goes through a proxy', inbound: both((e) => send('', `<set-url>${e.shared.side.url}/status/201</set-url><proxy url="http://127.0.0.1:${e.shared.proxy.address().port}" username="u" password="p" />`),
    show(`${R}.StatusCode.ToString()`)), request: {},
    expect: (a, seen, e) => { assert.equal(a.body, '201');
      assert.deepEqual(e.shared.proxied.at(-1), { url: `${e.shared.side.url}/status/201`, auth: `Basic ${Buffer.from('u:p').toString('base64')}` }); } },
  { what: 'works in outbound and on-error too', outbound: both(to('/status/202'), `<set-header name="X-Out"><value>@(${R}.StatusCode.ToString())</value></set-header>`),
    request: {}, expect: { status: 200, headers: { 'X-Out': '202' } } },
  { what: 'in on-error', dead: true, onError: both(to('/status/203'), `<set-header name="X-Err"><value>@(${R}.StatusCode.ToString())</value></set-header>`),
    request: {}, expect: { status: 502, headers: { 'X-Err': '203' } } },
  { what: 'keeps the request id', inbound: to('/echo?id'), request: { headers: { 'X-Request-Id': 'id-of-mine-1' } },
    expect: (a, seen, e) => assert.equal(seenBy(e, 'echo?id').at(-1).headers['x-request-id'], 'id-of-mine-1') },
];

const ONE_WAY = [
  { what: 'does not wait for the answer', inbound: (e) => `<send-one-way-request mode="new"><set-url>${e.shared.side.url}/held/?one-way</set-url><set-method>POST</set-method><set-body>told</set-body></send-one-way-request>`,
    request: {}, settled: (seen, e) => seenBy(e, 'one-way').length > 0,
    expect: (a, seen, e) => { assert.equal(a.status, 200);       // though its request has no answer yet
      for (const res of waiting.splice(0)) res.end();
      assert.equal(seenBy(e, 'one-way')[0].body.toString(), 'told'); } },
  { what: 'goes on when nobody answers', inbound: '<send-one-way-request mode="new"><set-url>http://127.0.0.1:1/x</set-url></send-one-way-request>',
    request: {}, expect: { status: 200, backend: [{}] } },
  { what: 'copies the request', request: { method: 'PUT', body: 'copied', headers: { 'X-Mine': '2' } }, settled: (seen, e) => seenBy(e, 'copy').length > 0,
    outbound: (e) => `<send-one-way-request mode="copy"><set-url>${e.shared.side.url}/echo?copy</set-url></send-one-way-request>`,
    expect: (a, seen, e) => { const s = seenBy(e, 'copy')[0];
      assert.deepEqual([s.method, s.headers['x-mine'], s.body.toString()], ['PUT', '2', 'copied']); } },
  { what: 'outlives a client that is answered at once', inbound: (e) => `<send-one-way-request mode="new"><set-url>${e.shared.side.url}/slow/50?late</set-url></send-one-way-request><return-response />`,
    request: {}, settled: (seen, e) => seenBy(e, 'late').length > 0, expect: { status: 200, body: '' } },
];

const named = (name, where, more = '') => (e) => `<send-request mode="new" response-variable-name="${name}" ${more}><set-url>${e.shared.side.url}${where}</set-url></send-request>`;
const all = (...parts) => (e) => parts.map((p) => (typeof p === 'function' ? p(e) : p)).join('');
const WAIT = [
  { what: 'all: beside each other, and not one after the other', request: {},
    inbound: all('<wait for="all">', named('a', '/together/3/a'), named('b', '/together/3/b'), named('c', '/together/3/c'), '</wait>',
      show('string.Join(",", new [] { "a", "b", "c" }.Select(n => (string)((IResponse)context.Variables[n]).Body.As<JObject>()["together"]))')),
    expect: { body: '3,3,3' } },
  { what: 'any: as long as the quickest', request: {},
    inbound: all('<wait for="any">', named('a', '/silent'), named('b', '/slow/200'), '</wait>',
      show('(context.Variables.ContainsKey("a") ? "a" : "") + (context.Variables.ContainsKey("b") ? "b" : "")')),
    expect: { body: 'b' } },
  { what: 'all fails when one fails', onError: ERROR, request: {},
    inbound: all('<wait for="all">', named('a', '/slow/100'), '<send-request mode="new" response-variable-name="b"><set-url>http://127.0.0.1:1/</set-url></send-request>', '</wait>'),
    expect: { status: 500, body: /^send-request\|BackendConnectionFailure/ } },
  { what: 'all goes on when the failing one ignores errors', request: {},
    inbound: all('<wait for="all">', named('a', '/slow/100'), '<send-request mode="new" response-variable-name="b" ignore-error="true"><set-url>http://127.0.0.1:1/</set-url></send-request>',
      '</wait>', show('((IResponse)context.Variables["a"]).StatusCode + (context.Variables["b"] == null ? " null" : "")')),
    expect: { status: 200, body: '200 null' } },
  { what: 'branches with choose', request: { headers: { 'X-Want': 'b' } },
    inbound: all('<wait for="all"><choose><when condition="@(context.Request.Headers.GetValueOrDefault("X-Want", "") == "a")">', named('a', '/echo'), '</when><otherwise>',
      named('b', '/echo'), '</otherwise></choose>', named('c', '/echo'), '</wait>',
      show('string.Join(",", new [] { "a", "b", "c" }.Where(n => context.Variables.ContainsKey(n)))')),
    expect: { body: 'b,c' } },
  { what: 'stands in backend beside a forward-request', backend: all('<wait for="all">', named('a', '/slow/100'), '</wait><forward-request />'),
    request: {}, expect: { status: 200, backend: [{}] } },
];

const prefixed = (name, rows) => rows.map((row) => ({ ...row, what: `${name}: ${row.what}` }));
table('calls beside the call', shared, [...prefixed('send-request', SEND), ...prefixed('send-one-way-request', ONE_WAY), ...prefixed('wait', WAIT)]);

table('requests to servers of an authority of the store', {
  ...shared,
  config: { 'gateway.request_authorities': 'side' },
  setup: (g, cli, s) => {
    shared.setup(g, cli, s);
    cli('certificate', 'set', 'side', '--file', `${s.cert}.crt`, '--authority');
  },
}, [
  { what: 'are trusted, and see the certificate of the policy', request: {}, expect: { status: 200, body: '127.0.0.1' },
    inbound: both((e) => send('', `<set-url>https://127.0.0.1:${e.shared.tls.address().port}/</set-url><authentication-certificate certificate-id="mine" />`),
      show(`${R}.Body.As<string>()`)) },
  { what: 'must still have the right name', onError: ERROR, request: {}, expect: { status: 500, body: /^send-request\|BackendConnectionFailure\|The secure connection/ },
    inbound: (e) => send('', `<set-url>https://localhost:${e.shared.tls.address().port}/</set-url>`) },
]);
