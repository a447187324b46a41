// The policies that reach the backend, on the wire: forward-request, retry, set-backend-service, rewrite-uri, proxy,
// authentication-*, limit-concurrency, and on-error with what a dead backend leaves behind.
'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { backend, until } = require('./harness');
const { table, send } = require('./policy-table');

const echo = (req, res, body) => {
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify({ url: req.url, method: req.method, body: body.toString() }));
};
const statuses = (...list) => {   // one after the other, the last for ever
  let n = 0;
  return (req, res, body) => {
    const status = list[Math.min(n++, list.length - 1)];
    if (status === 'cut') return req.socket.destroy();
    res.statusCode = status;
    return status === 200 ? echo(req, res, body) : res.end(`status ${status}`);
  };
};
const LAST_ERROR = '<return-response><set-status code="@(context.LastError.Reason == "Timeout" ? 504 : 502)" />'
  + '<set-body>@(new JObject(new JProperty("source", context.LastError.Source), new JProperty("reason", context.LastError.Reason), '
  + 'new JProperty("section", context.LastError.Section), new JProperty("scope", context.LastError.Scope), '
  + 'new JProperty("path", context.LastError.Path), new JProperty("message", context.LastError.Message), '
  + 'new JProperty("policyId", context.LastError.PolicyId)).ToString(Newtonsoft.Json.Formatting.None))</set-body></return-response>';
const lastError = (wanted) => (answer) => {
  const e = JSON.parse(answer.body);
  for (const [k, v] of Object.entries(wanted)) if (v instanceof RegExp) assert.match(e[k], v); else assert.equal(e[k], v, answer.body);
};

// The caller's first bytes as an event: arm() gives what the caller is to run then, `come` is fulfilled by it.
const first = { arm() { let fire; this.come = new Promise((resolve) => { fire = resolve; }); return fire; } };

const FORWARD = [
  { what: 'sends the request as it came', backend: '<forward-request />',
    request: { method: 'PUT', path: '/x/7?a=b%20c&a=d', headers: { 'X-A': '1', 'Content-Type': 'text/plain' }, body: 'hello' },
    expect: { status: 200, backend: [{ method: 'PUT', url: '/x/7?a=b%20c&a=d', headers: { 'x-a': '1', 'content-type': 'text/plain' }, body: 'hello' }] } },
  { what: 'is not there: the backend is not called', backend: '<set-variable name="a" value="1" />',
    request: {}, expect: { status: 200, body: '', backend: [] } },
  { what: 'gives up after timeout-ms, and the client gets 504', backend: '<forward-request timeout-ms="200" />', answers: () => {},
    request: {}, expect: { status: 504, body: /did not answer in time/, ms: [150, 60000] } },
  { what: 'gives up after timeout', backend: '<forward-request timeout="1" />', answers: () => {},
    request: {}, expect: { status: 504, ms: [900, 60000] } },
  { what: 'takes its timeout from an expression', backend: '<forward-request timeout-ms="@(100 + 100)" />', answers: () => {},
    request: {}, expect: { status: 504, ms: [150, 60000] } },
  { what: 'waits for the head only: a body may take longer than the timeout', backend: '<forward-request timeout-ms="2000" />',
    answers: (req, res) => { res.write('begin '); setTimeout(() => res.end('end'), 2200); },
    request: {}, expect: { status: 200, body: 'begin end' } },
  { what: 'hands redirects to the caller', backend: '<forward-request />',
    answers: (req, res) => { res.writeHead(302, { Location: 'https://elsewhere.example/y' }); res.end(); },
    request: {}, expect: { status: 302, headers: { Location: 'https://elsewhere.example/y' } } },
  { what: 'follows redirects when told', backend: '<forward-request follow-redirects="true" />',
    answers: (req, res, body) => { if (req.url !== '/x') return echo(req, res, body); res.writeHead(302, { Location: '/x/moved' }); return res.end(); },
    request: {}, expect: { status: 200, body: { url: '/x/moved', method: 'GET', body: '' }, backend: [{ url: '/x' }, { url: '/x/moved' }] } },
  { what: 'keeps method and body over a 307', backend: '<forward-request follow-redirects="true" buffer-request-body="true" />',
    answers: (req, res, body) => { if (req.url !== '/x') return echo(req, res, body); res.writeHead(307, { Location: '/x/moved' }); return res.end(); },
    request: { method: 'POST', body: 'again' }, expect: { status: 200, body: { url: '/x/moved', method: 'POST', body: 'again' } } },
  { what: 'ends a circle of redirects', backend: '<forward-request follow-redirects="true" />',
    answers: (req, res) => { res.writeHead(302, { Location: '/x' }); res.end(); },
    request: {}, expect: { status: 502, body: /redirects too often/ } },
  { what: 'follows what curl takes for a redirect', backend: '<forward-request follow-redirects="true" />',
    answers: (req, res, body) => { if (req.url !== '/x') return echo(req, res, body); res.writeHead(300, { Location: '/x/one' }); return res.end('many'); },
    request: {}, expect: { status: 200, body: { url: '/x/one', method: 'GET', body: '' } } },
  { what: 'does not follow a redirect that leads nowhere', backend: '<forward-request follow-redirects="true" />',
    answers: (req, res) => { res.writeHead(302, { Location: '' }); res.end('where?'); }, request: {}, expect: { status: 302, body: 'where?' } },
  { what: 'does not follow a redirect into the file system', backend: '<forward-request follow-redirects="true" />',
    answers: (req, res) => { res.writeHead(302, { Location: 'file:///etc/passwd' }); res.end(); }, request: {}, expect: { status: 502 } },
  { what: 'passes errors of the backend', backend: '<forward-request />', answers: statuses(503),
    request: {}, expect: { status: 503, body: 'status 503' } },
  { what: 'fails on an error status when told, and the caller gets the backend\'s answer', answers: statuses(404),
    backend: '<forward-request fail-on-error-status-code="true" />', outbound: '<set-header name="X-Outbound"><value>1</value></set-header>',
    onError: '<set-header name="X-Reason" exists-action="override"><value>@(context.LastError.Reason)</value></set-header>',
    request: {}, expect: { status: 404, body: 'status 404', headers: { 'X-Reason': 'BackendErrorStatusCode', 'X-Outbound': null } } },
  { what: 'does not fail below 400', backend: '<forward-request fail-on-error-status-code="true" />', answers: statuses(304),
    request: {}, expect: { status: 304 } },
  { what: 'passes chunks on as they come with buffer-response="false"', backend: '<forward-request buffer-response="false" />',
    answers: (req, res) => { res.write('1'); first.come.then(() => res.end('2')); },   // not before the caller has the first
    request: () => ({ onData: first.arm() }), expect: (a) => assert.equal(a.body, '12') },
  { what: 'holds the body when a policy needs it, whatever buffer-response says', backend: '<forward-request buffer-response="false" />',
    outbound: '<set-body>@(context.Response.Body.As<string>() + "!")</set-body>',
    answers: (req, res) => { res.write('1'); setTimeout(() => res.end('2'), 50); },
    request: {}, expect: { status: 200, body: '12!' } },
  { what: 'speaks HTTP/1.1 unless told', backend: '<forward-request http-version="1" />',
    answers: (req, res) => res.end(req.httpVersion), request: {}, expect: { body: '1.1' } },
  { what: 'passes HEAD and its length', backend: '<forward-request />', answers: (req, res) => { res.setHeader('Content-Length', 7); res.end(); },
    request: { method: 'HEAD' }, expect: { status: 200, body: '', headers: { 'Content-Length': '7' }, backend: [{ method: 'HEAD' }] } },
  { what: 'tells on-error of a backend that nobody answers for', dead: true, backend: '<forward-request id="my-forward" />', onError: LAST_ERROR,
    request: {}, expect: (a) => { assert.equal(a.status, 502);
      lastError({ source: 'forward-request', reason: 'BackendConnectionFailure', section: 'backend', scope: 'api', path: 'forward-request',
        policyId: 'my-forward', message: /cannot be reached/ })(a); } },
  { what: 'tells on-error of a time-out', backend: '<forward-request timeout-ms="150" />', onError: LAST_ERROR, answers: () => {},
    request: {}, expect: (a) => { assert.equal(a.status, 504);
      lastError({ source: 'forward-request', reason: 'Timeout', section: 'backend' })(a); } },
  { what: 'tells on-error of a backend that hangs up', backend: '<forward-request />', onError: LAST_ERROR, answers: statuses('cut'),
    request: { method: 'POST', body: 'x' }, expect: lastError({ reason: 'BackendConnectionFailure' }) },
];

const spares = {
  before: async (shared) => {
    shared.spare = await backend((req, res) => res.end(`spare ${req.url}`));
    shared.other = await backend((req, res) => res.end(`other ${req.url}`));
  },
  after: async (shared) => { await shared.spare.close(); await shared.other.close(); },
};
const again = (attributes, inside = '<forward-request buffer-request-body="true" />') =>
  `<retry condition="@(context.Response == null || context.Response.StatusCode >= 500)" ${attributes}>${inside}</retry>`;

const RETRY = [
  { what: 'stops at the first good answer', backend: again('count="5" interval="0"'), answers: statuses(500, 503, 200),
    request: {}, expect: { status: 200, backend: [{}, {}, {}] } },
  { what: 'does not repeat what was good', backend: again('count="5" interval="0"'), request: {}, expect: { status: 200, backend: [{}] } },
  { what: 'gives the last answer when the count is used up', backend: again('count="2" interval="0"'), answers: statuses(500, 501, 502),
    request: {}, expect: { status: 502, body: 'status 502', backend: [{}, {}, {}] } },
  { what: 'sends the body again', backend: again('count="2" interval="0"'), answers: statuses(500, 200),
    request: { method: 'POST', body: 'the body' }, expect: { status: 200, backend: [{ body: 'the body' }, { body: 'the body' }] } },
  { what: 'waits the interval', backend: again('count="1" interval="1"'), answers: statuses(500, 200),
    request: {}, expect: { status: 200, ms: [950, 60000] } },
  { what: 'does not wait before a first fast retry', backend: again('count="1" interval="3600" first-fast-retry="true"'), answers: statuses(500, 200),
    request: {}, expect: { status: 200 } },
  { what: 'tries again after a failed connection', backend: again('count="3" interval="0"'), answers: statuses('cut', 'cut', 200),
    request: { method: 'POST', body: 'x' }, expect: { status: 200, body: { url: '/x', method: 'POST', body: 'x' } } },
  { what: 'fails as the last try did', dead: true, backend: again('count="2" interval="0"'), request: {}, expect: { status: 502, body: /cannot be reached/ } },
  { what: 'goes to another backend', answers: statuses(503),
    backend: (e) => again('count="1" interval="0"', '<choose><when condition="@(context.Variables.ContainsKey("tried"))">'
      + `<set-backend-service base-url="${e.shared.spare.url}" /></when></choose><set-variable name="tried" value="1" />`
      + '<forward-request buffer-request-body="true" />'),
    request: {}, expect: { status: 200, body: 'spare /x', backend: [{}] } },
  { what: 'repeats a send-request too', backend: '<forward-request />', answers: (req, res, body) => (req.url === '/flap'
    ? statuses.flap(req, res, body) : echo(req, res, body)),
    inbound: (e) => '<retry condition="@(((IResponse)context.Variables["r"]).StatusCode != 200)" count="4" interval="0">'
      + `<send-request mode="new" response-variable-name="r"><set-url>${e.url}/flap</set-url></send-request></retry>`,
    setup: () => { statuses.flap = statuses(500, 500, 200); },
    request: {}, expect: { status: 200, backend: [{ url: '/flap' }, { url: '/flap' }, { url: '/flap' }, { url: '/x' }] } },
];

const WHERE = [
  { what: 'set-backend-service base-url', inbound: (e) => `<set-backend-service base-url="${e.shared.spare.url}/v2" />`,
    request: { path: '/x/1?q=1' }, expect: { body: 'spare /v2/x/1?q=1', backend: [] } },
  { what: 'set-backend-service base-url from an expression',
    inbound: (e) => `<set-backend-service base-url="@("${e.shared.spare.url}/" + context.Request.Headers.GetValueOrDefault("X-V", "none"))" />`,
    request: { headers: { 'X-V': 'v9' } }, expect: { body: 'spare /v9/x' } },
  { what: 'set-backend-service backend-id', inbound: '<set-backend-service backend-id="spare" />', request: {}, expect: { body: 'spare /base/x' } },
  { what: 'the last one wins', inbound: (e) => `<set-backend-service base-url="${e.shared.spare.url}" /><set-backend-service backend-id="other" />`,
    request: {}, expect: { body: 'other /x' } },
  { what: 'a backend that is not there', inbound: '<set-backend-service backend-id="@("no" + "where")" />', onError: LAST_ERROR,
    request: {}, expect: lastError({ source: 'set-backend-service', reason: 'BackendNotFound' }) },
  { what: 'a pool takes turns by weight', inbound: '<set-backend-service backend-id="pool" />',
    steps: [{ request: {}, times: 40, expect: (all) => {
      const spare = all.filter((a) => a.body.startsWith('spare')).length;
      assert.ok(spare >= 15 && spare <= 25, `${spare} of 40`);
    } }] },
  { what: 'a pool with unequal weights', inbound: '<set-backend-service backend-id="heavy" />',
    steps: [{ request: {}, times: 100, expect: (all) => {
      const spare = all.filter((a) => a.body.startsWith('spare')).length;
      assert.ok(spare >= 80 && spare <= 98, `${spare} of 100`);
    } }] },
  { what: 'rewrite-uri with parameters', inbound: '<rewrite-uri template="/items/{id}/show?kind=a" />',
    request: { path: '/x/7?q=1' }, expect: { backend: [{ url: '/items/7/show?kind=a&q=1' }] } },
  { what: 'rewrite-uri drops what it does not use', inbound: '<rewrite-uri template="/items/{id}" copy-unmatched-params="false" />',
    request: { path: '/x/7?q=1' }, expect: { backend: [{ url: '/items/7' }] } },
  { what: 'rewrite-uri from an expression', inbound: '<rewrite-uri template="@("/" + context.Request.MatchedParameters["id"].ToUpper() + "?a=%2F")" copy-unmatched-params="false" />',
    request: { path: '/x/ab' }, expect: { backend: [{ url: '/AB?a=%2F' }] } },
  { what: 'set-method and set-query-parameter', inbound: '<set-method>POST</set-method><set-query-parameter name="a" exists-action="append"><value>2</value></set-query-parameter>'
    + '<set-query-parameter name="gone" exists-action="delete" /><set-query-parameter name="n" exists-action="override"><value>a b&amp;c</value></set-query-parameter>',
    request: { path: '/x?a=1&gone=1' }, expect: { backend: [{ method: 'POST', url: /^\/x\?a=1&a=2&n=a(\+|%20)b%26c$/ }] } },
  { what: 'authentication-basic', inbound: '<authentication-basic username="ann" password="s3cret:ä" />',
    request: { headers: { Authorization: 'Bearer mine' } },
    expect: { backend: [{ headers: { authorization: `Basic ${Buffer.from('ann:s3cret:ä').toString('base64')}` } }] } },
  { what: 'set-header of every kind', inbound: '<set-header name="X-A" exists-action="append"><value>2</value><value>3</value></set-header>'
    + '<set-header name="X-B" exists-action="skip"><value>no</value></set-header><set-header name="X-C" exists-action="delete" />'
    + '<set-header name="Host" exists-action="override"><value>virtual.example</value></set-header>',
    request: { headers: { 'X-A': '1', 'X-B': 'mine', 'X-C': 'x' } },
    expect: { backend: [{ headers: { 'x-a': /^1, ?2, ?3$/, 'x-b': 'mine', 'x-c': null, host: 'virtual.example' } }] } },
];

// A backend that answers when so many calls were refused: however slow the machine, those that came in were there all the while.
const places = {
  shut(refusals) { this.left = refusals; this.open = new Promise((resolve) => { this.release = resolve; }); },
  each: (a) => { if (a.status !== 200 || /Exceeded/.test(a.body)) places.left--; if (places.left <= 0) places.release(); },
  answers: (text) => (req, res) => places.open.then(() => res.end(text)),
};

const K = (key) => ({ headers: { 'X-K': key } });

const CONCURRENCY = [
  { what: 'lets so many in at once and no more, over all workers', backend: '<limit-concurrency key="a" max-count="3"><forward-request /></limit-concurrency>',
    answers: places.answers('ok'),
    steps: [
      { first: () => places.shut(9), request: {}, times: 12, each: places.each, expect: (all, seen) => {
        assert.equal(all.filter((a) => a.status === 200).length, 3);
        assert.equal(all.filter((a) => a.status === 429).length, 9);
        assert.equal(seen.length, 3);
      } },
      { request: {}, times: 3, expect: (all) => assert.deepEqual(all.map((a) => a.status), [200, 200, 200]) },   // the places are free again
    ] },
  { what: 'counts each key alone', backend: '<limit-concurrency key="@(context.Request.Headers.GetValueOrDefault("X-K", ""))" max-count="1"><forward-request /></limit-concurrency>',
    answers: (req, res) => (req.headers['x-k'] === 'one' ? places.open : Promise.resolve()).then(() => res.end('ok')),
    steps: [{ first: async (e) => { places.shut(1); send(`${e.gw.url}/api/${e.id}`, K('one')); await until(() => e.backend.seen.length, 'the first'); },
      request: K('two'), expect: { status: 200 } }, { request: K('one'), expect: (a) => { places.release(); assert.equal(a.status, 429); } }] },
  { what: 'gives the place back when the backend fails', dead: true, backend: '<limit-concurrency key="c" max-count="1"><forward-request /></limit-concurrency>',
    steps: [1, 2, 3].map(() => ({ request: {}, expect: { status: 502 } })) },
  { what: 'says so to on-error', backend: '<limit-concurrency key="d" max-count="1"><forward-request /></limit-concurrency>', onError: LAST_ERROR,
    answers: places.answers('{"reason":"none"}'),
    steps: [{ first: () => places.shut(1), request: {}, times: 2, each: places.each, expect: (all) => assert.deepEqual(all.map((a) => JSON.parse(a.body).reason).sort(), ['ConcurrencyLimitExceeded', 'none']) }] },
];

const named = (name, rows) => rows.map((row) => ({ ...row, what: `${name}: ${row.what}` }));
table('to the backend', {
  ...spares,
  setup: (g, cli, shared) => {
    cli('backend', 'set', 'spare', '--url', `${shared.spare.url}/base`);
    cli('backend', 'set', 'other', '--url', shared.other.url);
    cli('backend', 'set', 'pool', '--member', 'spare:1', '--member', 'other:1');
    cli('backend', 'set', 'heavy', '--member', 'spare:9', '--member', 'other:1');
  },
}, [...named('forward-request', FORWARD), ...named('retry', RETRY), ...WHERE, ...named('limit-concurrency', CONCURRENCY)]);

// A forward proxy as companies have them: absolute targets, CONNECT, Proxy-Authorization.
function proxyServer() {
  const seen = [];
  const server = http.createServer((req, res) => {
    seen.push({ method: req.method, url: req.url, auth: req.headers['proxy-authorization'] });
    const to = new URL(req.url);
    delete req.headers['proxy-authorization'];   // meant for us
    req.pipe(http.request({ host: to.hostname, port: to.port, path: to.pathname + to.search, method: req.method, headers: req.headers }, (r) => {
      res.writeHead(r.statusCode, { ...r.headers, 'X-Via': 'the proxy' });
      r.pipe(res);
    }));
  });
  server.on('connect', (req, socket, head) => {
    seen.push({ method: 'CONNECT', url: req.url, auth: req.headers['proxy-authorization'] });
    const [host, port] = req.url.split(':');
    const up = net.connect(port, host, () => { socket.write('HTTP/1.1 200 OK\r\n\r\n'); up.write(head); up.pipe(socket); socket.pipe(up); });
    up.on('error', () => socket.destroy());
    socket.on('error', () => up.destroy());
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => { server.unref(); resolve({ server, seen, url: `http://127.0.0.1:${server.address().port}` }); }));
}

function certificate(dir, name, subject, extra = []) {
  const file = path.join(dir, name);
  const r = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${file}.key`,
    '-out', `${file}.crt`, '-days', '2', '-subj', `/CN=${subject}`, ...extra]);
  assert.equal(r.status, 0, String(r.stderr));
  return { key: fs.readFileSync(`${file}.key`), cert: fs.readFileSync(`${file}.crt`), file };
}

const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => { server.unref(); resolve(server.address().port); }));

table('TLS, HTTP/2 and proxies', {
  before: async (shared) => {
    shared.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-tls-'));
    const own = certificate(shared.dir, 'server', '127.0.0.1', ['-addext', 'subjectAltName=IP:127.0.0.1']);
    shared.client = certificate(shared.dir, 'client', 'the gateway');
    shared.tls = https.createServer({ key: own.key, cert: own.cert, requestCert: true, rejectUnauthorized: false }, (req, res) =>
      res.end(JSON.stringify({ client: req.socket.getPeerCertificate().subject?.CN ?? null })));
    shared.h2 = http2.createSecureServer({ key: own.key, cert: own.cert, allowHTTP1: true }, (req, res) => res.end(`HTTP/${req.httpVersion}`));
    shared.tlsPort = await listen(shared.tls);
    shared.h2Port = await listen(shared.h2);
    shared.proxy = await proxyServer();
    spawnSync('openssl', ['pkcs12', '-export', '-inkey', `${shared.client.file}.key`, '-in', `${shared.client.file}.crt`, '-passout', 'pass:sesame',
      '-out', `${shared.client.file}.p12`]);
  },
  after: (shared) => {
    for (const s of [shared.tls, shared.h2, shared.proxy.server]) { s.closeAllConnections?.(); s.close(); }
    fs.rmSync(shared.dir, { recursive: true });
  },
  setup: (g, cli, shared) => {
    cli('backend', 'set', 'tls', '--url', `https://127.0.0.1:${shared.tlsPort}`, '--verify-tls', 'no');
    cli('backend', 'set', 'h2', '--url', `https://127.0.0.1:${shared.h2Port}`, '--verify-tls', 'no');
    cli('certificate', 'set', 'mine', '--file', `${shared.client.file}.crt`, '--key-file', `${shared.client.file}.key`);
  },
}, [
  { what: 'a certificate that is not trusted', inbound: (e) => `<set-backend-service base-url="https://127.0.0.1:${e.shared.tlsPort}" />`, onError: LAST_ERROR,
    request: {}, expect: lastError({ reason: 'BackendConnectionFailure', message: /secure connection/ }) },
  { what: 'no client certificate', inbound: '<set-backend-service backend-id="tls" />', request: {}, expect: { body: { client: null } } },
  { what: 'authentication-certificate by id', inbound: '<set-backend-service backend-id="tls" /><authentication-certificate certificate-id="mine" />',
    request: {}, expect: { body: { client: 'the gateway' } } },
  { what: 'authentication-certificate with a body', inbound: (e) => '<set-backend-service backend-id="tls" />'
    + `<authentication-certificate body="@(Convert.FromBase64String("${fs.readFileSync(`${e.shared.client.file}.p12`).toString('base64')}"))" password="sesame" />`,
    request: {}, expect: { body: { client: 'the gateway' } } },
  { what: 'http-version="2"', inbound: '<set-backend-service backend-id="h2" />', backend: '<forward-request http-version="2" />', request: {}, expect: { body: 'HTTP/2.0' } },
  { what: 'http-version="2or1" where both are there', inbound: '<set-backend-service backend-id="h2" />', backend: '<forward-request http-version="2or1" />',
    request: {}, expect: { body: 'HTTP/2.0' } },
  { what: 'http-version="2or1" where only the old one is', backend: '<forward-request http-version="2or1" />', answers: (req, res) => res.end(req.httpVersion),
    request: {}, expect: { body: '1.1' } },
  { what: 'proxy', inbound: (e) => `<proxy url="${e.shared.proxy.url}" username="gw" password="pw" />`,
    request: { method: 'POST', path: '/x?a=1', body: 'b' },
    expect: (a, seen, e) => {
      assert.equal(a.status, 200, a.body);
      assert.equal(a.headers['x-via'], 'the proxy');
      assert.deepEqual(e.shared.proxy.seen.at(-1), { method: 'POST', url: `${e.url}/x?a=1`, auth: `Basic ${Buffer.from('gw:pw').toString('base64')}` });
      assert.equal(seen[0].body.toString(), 'b');
    } },
  { what: 'proxy to a TLS backend', inbound: (e) => `<set-backend-service backend-id="tls" /><proxy url="${e.shared.proxy.url}" />`,
    request: {}, expect: (a, seen, e) => {
      assert.equal(a.body, '{"client":null}');
      assert.equal(e.shared.proxy.seen.at(-1).method, 'CONNECT');
    } },
  { what: 'a proxy that is away', inbound: '<proxy url="http://127.0.0.1:1" />', onError: LAST_ERROR,
    request: {}, expect: lastError({ reason: 'BackendConnectionFailure' }) },
]);
