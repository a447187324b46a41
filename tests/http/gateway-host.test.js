// What policies may do to the world, through the live worker: requests of their own, retries, waits, limits, certificates.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const { connect } = require('./fcgi-client');
const { startWorker } = require('./worker');
const { until } = require('./harness');

let w;
let reply;
let seen = [];
let round = 0;
const server = http.createServer((req, res) => {
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => {
    const call = { method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(chunks).toString() };
    seen.push(call);
    reply(call, res, req);
  });
});
const plain = (call, res) => res.end(`${call.url} ${call.body}`);
let side;

test.before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  side = `http://127.0.0.1:${server.address().port}`;
  w = await startWorker({ backend: side, config: { 'gateway.max_subresponse_bytes': 10000 } });
});
test.after(async () => {
  await w.stop();
  server.closeAllConnections();
  server.close();
});
test.beforeEach(() => { reply = plain; seen = []; });

async function one(options) {
  const c = await connect(w.socket);
  try {
    return await c.request({ path: `${w.path}/x`, ...options });
  } finally {
    c.close();
  }
}

// Sets the policy of the API and waits until the worker has it.
async function policy({ inbound = '', backend = '<base/>', outbound = '', onError = '' }) {
  const mark = `r${++round}`;
  w.gw.cli('policy', 'set', '--scope', 'api:echo', w.gw.file('p.xml', `<policies><inbound><base/>${inbound}</inbound><backend>${backend}</backend>
    <outbound><base/>${outbound}<set-header name="X-Round" exists-action="override"><value>${mark}</value></set-header></outbound>
    <on-error><base/>${onError}<set-header name="X-Round" exists-action="override"><value>${mark}</value></set-header></on-error></policies>`));
  const was = reply;
  reply = plain;
  await until(async () => (await one({})).headers['x-round'] === mark, 'the policy');
  reply = was;
  seen = [];
}

const ask = (url, rest = '', attrs = '') => `<send-request mode="new" response-variable-name="r" timeout="60" ${attrs}><set-url>${url}</set-url><set-method>POST</set-method>
  <set-header name="X-Side" exists-action="override"><value>1</value></set-header><set-body>ask</set-body>${rest}</send-request>`;

test('a request of its own, and its answer in the response', async () => {
  await policy({ inbound: ask(`${side}/side`),
    outbound: '<set-header name="X-Side" exists-action="override"><value>@(((IResponse)context.Variables["r"]).StatusCode.ToString() + ((IResponse)context.Variables["r"]).Body.As&lt;string&gt;())</value></set-header>' });
  const res = await one({});
  assert.equal(res.status, 200);
  assert.equal(res.headers['x-side'], '200/side ask');
  assert.deepEqual(seen.map((s) => `${s.method} ${s.url}`), ['POST /side', 'GET /base/x']);
  assert.equal(seen[0].headers['x-side'], '1');
});

test('a request of its own that fails', async () => {
  await policy({ inbound: ask('http://127.0.0.1:1/side', '', 'ignore-error="true"') });
  assert.equal((await one({})).status, 200);
  await policy({ inbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'>${ask('http://127.0.0.1:1/side')}</when></choose>` });
  const res = await one({ headers: { 'X-Ask': '1' } });
  assert.equal(res.status, 500);
  assert.match(res.body.toString(), /Internal server error/);
});

test('a response that is too large for a policy', async () => {
  await policy({ inbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'>${ask(`${side}/large`)}</when></choose>` });
  reply = (call, res) => (call.url === '/large' ? res.end(Buffer.alloc(10001, 'x')) : plain(call, res));
  assert.equal((await one({ headers: { 'X-Ask': '1' } })).status, 500);
});

test('one way: nobody waits, and it outlives the call', async () => {
  let arrived;
  const done = new Promise((resolve) => { arrived = resolve; });
  await policy({ inbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'><send-one-way-request mode="new"><set-url>${side}/oneway</set-url><set-method>POST</set-method><set-body>tell</set-body></send-one-way-request></when></choose>` });
  let release;
  const answered = new Promise((resolve) => { release = resolve; });    // it would wait for ever if the caller waited for it
  reply = (call, res) => (call.url === '/oneway' ? answered.then(() => { res.end(); arrived(call.body); }) : plain(call, res));
  assert.equal((await one({ headers: { 'X-Ask': '1' } })).status, 200);
  release();
  assert.equal(await done, 'tell');
});

test('retry sends the body again after a wait', async () => {
  await policy({ backend: '<retry condition="@(context.Response.StatusCode == 503)" count="3" interval="1" first-fast-retry="true"><forward-request buffer-request-body="true"/></retry>' });
  let n = 0;
  reply = (call, res) => { res.statusCode = ++n < 3 ? 503 : 200; plain(call, res); };
  const begun = Date.now();
  const res = await one({ method: 'POST', body: 'again' });
  assert.equal(res.status, 200);
  assert.equal(res.body.toString(), '/base/x again');
  assert.equal(n, 3);
  assert.ok(Date.now() - begun >= 900);
  assert.deepEqual(seen.map((s) => s.body), ['again', 'again', 'again']);
  const spans = new Set(seen.map((s) => s.headers.traceparent.slice(36, 52)));
  assert.equal(spans.size, 3);
  assert.equal(new Set(seen.map((s) => s.headers.traceparent.slice(3, 35))).size, 1);
});

test('a client that goes away while its policies wait', async () => {
  await policy({ inbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'>${ask(`${side}/slow`)}</when></choose>` });
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  const c = await connect(w.socket);
  reply = (call, res) => {
    if (call.url !== '/slow') return plain(call, res);
    res.on('close', gone);
    return c.close();
  };
  await c.send({ path: `${w.path}/x`, headers: { 'X-Ask': '1' } });
  await closed;
  await policy({});
  assert.equal((await one({})).status, 200);
  assert.ok(!seen.some((s) => s.url === '/never'));
});

test('return-response in the backend\'s place, and over a stream that has begun', async () => {
  await policy({ inbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'><return-response><set-status code="299" reason="Mine"/><set-body>mine</set-body></return-response></when></choose>` });
  const res = await one({ headers: { 'X-Ask': '1' } });
  assert.equal(res.status, 299);
  assert.equal(res.reason, 'Mine');
  assert.equal(res.body.toString(), 'mine');
  assert.equal(seen.length, 0);
  await policy({ outbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'><return-response><set-status code="200"/><set-body>short</set-body></return-response></when></choose>` });
  reply = (call, res) => res.end(Buffer.alloc(3000000, 'x'));
  const over = await one({ headers: { 'X-Ask': '1' } });
  assert.equal(over.body.toString(), 'short');
  assert.equal(over.headers['content-length'], '5');
});

test('a response that a policy reads is held whole; past the limit it is 502', async () => {
  await policy({ outbound: '<set-body>@(context.Response.Body.As&lt;string&gt;() + "!")</set-body>' });
  reply = (call, res) => { res.write('one '); setTimeout(() => res.end('two'), 100); };
  const res = await one({});
  assert.equal(res.body.toString(), 'one two!');
  assert.equal(res.headers['content-length'], '8');
  reply = (call, res) => { for (let i = 0; i < 10; i++) res.write(Buffer.alloc(1 << 20)); res.end(); };
  const large = await one({});
  assert.equal(large.status, 502);
  assert.match(JSON.parse(large.body).message, /larger than the limit/);
});

test('limit-concurrency', async () => {
  await policy({ backend: '<limit-concurrency key="k" max-count="2"><forward-request/></limit-concurrency>' });
  let refused = 0, release;
  const four = new Promise((resolve) => { release = resolve; });
  reply = (call, res) => four.then(() => res.end());
  const all = await Promise.all([...Array(6)].map(() => one({}).then((r) => { if (r.status === 429 && ++refused === 4) release(); return r; })));
  assert.deepEqual(all.map((r) => r.status).sort(), [200, 200, 429, 429, 429, 429]);
  assert.equal((await one({})).status, 200);
});

test('values in the shared cache', async () => {
  await policy({ inbound: '<cache-lookup-value key="k1" variable-name="v" default-value="none"/><cache-store-value key="k1" value="kept" duration="60"/>',
    outbound: '<set-header name="X-V" exists-action="override"><value>@((string)context.Variables["v"])</value></set-header>' });
  assert.equal((await one({})).headers['x-v'], 'kept');
});

test('a browser\'s preflight is answered by cors alone, without a key', async () => {
  await policy({ inbound: '<cors><allowed-origins><origin>https://app.example</origin></allowed-origins><allowed-methods><method>PUT</method></allowed-methods></cors>' });
  const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'PUT' };
  const res = await one({ method: 'OPTIONS', headers });
  assert.equal(res.status, 200);
  assert.equal(res.headers['access-control-allow-origin'], 'https://app.example');
  assert.match(res.headers['access-control-allow-methods'], /PUT/);
  assert.equal(seen.length, 0);
  assert.equal((await one({ method: 'OPTIONS' })).status, 404);
});

test('no policy can end a line of the request to the backend', async () => {
  await policy({ inbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'>
    <set-method>@("GET / HTTP/1.1\\r\\nEvil: 1\\r\\n\\r\\nGET")</set-method></when></choose>` });
  const res = await one({ headers: { 'X-Ask': '1' } });
  assert.ok(res.status >= 400, String(res.status));
  await policy({ inbound: `<choose><when condition='@(context.Request.Headers.ContainsKey("X-Ask"))'>
    <set-header name="X-Forwarded-For" exists-action="override"><value>@("1\\r\\nEvil: 1")</value></set-header>
    <set-header name="X-Other" exists-action="override"><value>@("1\\r\\nEvil: 1")</value></set-header></when></choose>` });
  await one({ headers: { 'X-Ask': '1' } });
  assert.ok(seen.every((s) => s.headers.evil === undefined));
});
