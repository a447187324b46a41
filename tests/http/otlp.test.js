// Traces and logs for OpenTelemetry through a real gateway and keeper into a collector that takes OTLP/HTTP: the caller's trace goes
// on, each try at the backend is a span whose id the backend saw, refusals are log records; a collector that is busy is asked again
// when it says, what it rejects is counted.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { start, backend, until } = require('./harness');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/{p}': { get: { operationId: 'get-order', responses: { 200: { description: 'ok' } } } } } });
const RETRY = `<policies><inbound><base />
  <set-query-parameter name="pin" exists-action="override"><value>{{pin}}</value></set-query-parameter></inbound><backend><retry condition="@(context.Response.StatusCode == 503)" count="2" interval="0">
  <forward-request /></retry></backend><outbound><base /></outbound></policies>`;
const KEPT = `<policies><inbound><base /><cache-lookup vary-by-developer="false" vary-by-developer-groups="false" /></inbound>
  <backend><base /></backend><outbound><base /><cache-store duration="600" /></outbound></policies>`;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736', PARENT = '00f067aa0ba902b7';
let gw, orders, collector, key, busy = 1, partial = '';

before(async () => {
  orders = await backend((req, res) => { if (req.url.includes('/flaky') && orders.seen.filter((s) => s.url === req.url).length < 2) res.statusCode = 503; if (req.url.includes('/fail')) res.statusCode = 500; if (req.url.includes('/cut')) { res.writeHead(200, { 'Content-Length': 2 << 20 }); res.write(Buffer.alloc(1 << 20), () => res.destroy()); return; } res.end('ok'); });
  collector = await backend((req, res) => {
    if (busy-- > 0) { res.statusCode = 429; res.setHeader('Retry-After', '1'); return res.end(); }
    res.setHeader('Content-Type', 'application/json');
    return res.end(partial || '{"partialSuccess":{}}');
  });
  gw = await start({
    server: 'nginx', workers: 2, config: { 'otlp.service_name': 'plant "7"' },
    async setup(g) {
      fs.writeFileSync(path.join(g.dir, 'otlp.json'), '{"Authorization":"Bearer otlp-secret"}');
      fs.appendFileSync(path.join(g.state, 'gatehouse.conf'), `otlp.headers_file = ${path.join(g.dir, 'otlp.json')}\n`);
      g.cli('product', 'create', 'gold');
      g.cli('import', 'openapi', g.file('o.json', SPEC), '--path', 'orders', '--name', 'orders', '--backend', orders.url, '--product', 'gold');
      g.cli('import', 'openapi', g.file('o.json', SPEC), '--path', 'dead', '--name', 'dead', '--backend', 'http://127.0.0.1:1', '--product', 'gold');
      g.cli('import', 'openapi', g.file('o.json', SPEC), '--path', 'kept', '--name', 'kept', '--backend', orders.url, '--product', 'gold');
      g.cli('policy', 'set', g.file('kept.xml', KEPT), '--scope', 'api:kept');
      g.cli('named-value', 'set', 'pin', '--secret', '--file', g.file('pin', 'hush-hush-4711'));
      g.cli('policy', 'set', g.file('p.xml', RETRY), '--scope', 'api:orders');
      key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
    },
  });
  // gateways and keeper take the settings anew, and all tests below are of what they then do
  const said = (text) => gw.log('serve').split(text).length, taken = said('configuration generation='), begun = said('begins anew with the settings');
  fs.appendFileSync(path.join(gw.state, 'gatehouse.conf'), `otlp.endpoint = ${collector.url}\n`);
  process.kill(gw.serve.child.pid, 'SIGHUP');
  await until(() => said('configuration generation=') >= taken + 2 && said('begins anew with the settings') > begun, 'both workers and the keeper with new settings');
});
after(async () => {
  await gw?.stop();
  await orders?.close();
  await collector?.close();
});

const call = (p, headers = {}) => fetch(`${gw.url}/api/orders/${p}`, { headers: { 'X-Api-Key': key, ...headers } }).then((r) => r.headers.get('x-request-id'));
const taken = (url) => collector.seen.filter((s) => s.url === url).map((s) => JSON.parse(s.body.toString()));
const attributes = (o) => Object.fromEntries(o.attributes.map((a) => [a.key, a.value.stringValue ?? Number(a.value.intValue)]));
const spans = () => taken('/v1/traces').flatMap((b) => b.resourceSpans[0].scopeSpans[0].spans);
const spansOf = (id) => until(() => { const one = spans().find((s) => attributes(s)['gatehouse.request_id'] === id); return one && [one, ...spans().filter((s) => s.parentSpanId === one.spanId)]; }, `spans of ${id}`);
const stats = (name) => JSON.parse(fs.readFileSync(path.join(gw.state, 'run/keeper.json'), 'utf8')).exports?.find((e) => e.name === name) ?? {};

test('the caller\'s trace goes on: a server span, and a client span for each try that the backend was named', async () => {
  const id = await call('flaky', { traceparent: `00-${TRACE}-${PARENT}-01` });
  const all = await spansOf(id), [server, first, second] = all;
  assert.equal(all.length, 3);
  assert.deepEqual([server.traceId, server.parentSpanId, server.kind, server.name], [TRACE, PARENT, 2, 'GET /api/orders/{p}']);
  assert.match(server.spanId, /^[0-9a-f]{16}$/);
  const of = attributes(server);
  assert.deepEqual([of['http.request.method'], of['http.response.status_code'], of['gatehouse.api'], of['server.address']], ['GET', 200, 'orders', '127.0.0.1']);
  assert.match(of['url.path'], /\/orders\/flaky$/);
  const heard = orders.seen.filter((s) => s.url.includes('/flaky')).map((s) => s.headers.traceparent);
  assert.deepEqual([first, second].map((s) => `00-${s.traceId}-${s.spanId}-01`), heard);
  assert.deepEqual([first, second].map((s) => [s.kind, attributes(s)['http.response.status_code'], attributes(s)['http.request.resend_count'], s.status?.code]),
    [[3, 503, undefined, 2], [3, 200, 1, undefined]]);
  for (const s of [first, second]) assert.ok(BigInt(s.startTimeUnixNano) >= BigInt(server.startTimeUnixNano) && BigInt(s.endTimeUnixNano) <= BigInt(server.endTimeUnixNano), 'a try outside its call');
  const { headers, body } = collector.seen.find((s) => s.url === '/v1/traces');
  assert.deepEqual([headers['content-type'], headers.authorization], ['application/json', 'Bearer otlp-secret']);
  assert.equal(JSON.parse(body.toString()).resourceSpans[0].resource.attributes[0].value.stringValue, 'plant "7"');
  const log = gw.cli('log', '--id', id).stdout;
  assert.match(log, /try\s+503 after [\d.]+ ms.*at 127\.0\.0\.1\n.*try\s+200 after/);
  assert.ok(!gw.log('serve').includes('otlp-secret'));
});

test('a caller who does not sample has no span; a call without a trace has one of its own', async () => {
  const without = await call('1', { traceparent: `00-${TRACE}-${PARENT}-00` });
  const [server, client] = await spansOf(await call('2'));
  assert.equal(server.parentSpanId, undefined);
  assert.equal(client.traceId, server.traceId);
  assert.ok(!spans().some((s) => attributes(s)['gatehouse.request_id'] === without), 'a span that was not wanted');
});

test('refusals are log records of the same trace, as the record tells them', async () => {
  const id = await call('3', { 'X-Api-Key': 'wrong', traceparent: `00-${TRACE}-${PARENT}-01` });
  const record = await until(() => taken('/v1/logs').flatMap((b) => b.resourceLogs[0].scopeLogs[0].logRecords).find((r) => attributes(r)['gatehouse.request_id'] === id), 'the log record');
  const [server] = await spansOf(id);
  assert.deepEqual([record.traceId, record.spanId, record.severityNumber, attributes(record)['http.response.status_code']], [TRACE, server.spanId, 13, 401]);
  assert.ok(record.body.stringValue.length > 0 && attributes(record)['error.type'] === attributes(server)['gatehouse.reason']);
});

// What the collector shows of a call leads to its record, also where nobody was sent a trace to go on with.
test('a call that reached no backend has the trace of its id, and is found by it', async () => {
  await spansOf(await call('../kept/5'));
  const asked = orders.seen.length;
  for (const [label, p, headers, want] of [
    ['refused', '5', { 'X-Api-Key': 'wrong' }, (id) => id.replaceAll('-', '')],
    ['served from the cache', '../kept/5', {}, (id) => id.replaceAll('-', '')],
    ['no route', '../nowhere/5', {}, (id) => id.replaceAll('-', '')],
    ['a traceparent that is none', '5', { 'X-Api-Key': 'wrong', traceparent: `00-${TRACE}-0-01` }, (id) => id.replaceAll('-', '')],
    ['refused, with an id that the caller chose', '5', { 'X-Api-Key': 'wrong', 'X-Request-Id': 'chosen-5' }, null],
  ]) {
    const id = await call(p, headers), [server] = await spansOf(id);
    if (want) assert.equal(server.traceId, want(id), label);
    assert.equal(gw.cli('log', '--trace-id', server.traceId, '--format', 'json').stdout.trim().split('\n').map((l) => JSON.parse(l).request_id).join(), id, label);
  }
  assert.equal(orders.seen.length, asked, 'no backend was asked');
});

// https://opentelemetry.io/docs/specs/semconv/http/http-spans/ (stable): what must be there, what must when the case is given, and
// what a gateway knows of the rest. undefined: must not be there.
const here = (url) => ({ 'server.address': '127.0.0.1', 'server.port': Number(new URL(url).port) });
const CONVENTION = [
  ['an answer of the backend, and secrets in the addresses', 'a%20b?x=1&subscription-key=KEY&sig=abc&token=caller-tok-1&client%5Fsecret=caller-tok-2&go=%2Fcb%3Fid_token%3Dcaller-tok-3', {}, () => ({
    span: 'GET /api/orders/{p}', 'http.request.method': 'GET', 'http.request.method_original': undefined, 'http.route': '/api/orders/{p}',
    'url.scheme': 'http', 'url.path': '/api/orders/a%20b', 'url.query': 'x=1&subscription-key=***&sig=***&token=***&client%5Fsecret=***&go=%2Fcb%3Fid_token%3D***', 'url.full': undefined, ...here(gw.url),
    'client.address': '127.0.0.1', 'http.response.status_code': 200, 'error.type': undefined }), () => ({
    span: 'GET', 'http.request.method': 'GET', 'url.full': `${orders.url}/a%20b?x=1&sig=***&token=***&client%5Fsecret=***&go=%2Fcb%3Fid_token%3D***&pin=***`, ...here(orders.url),
    'http.response.status_code': 200, 'error.type': undefined, 'http.request.resend_count': undefined })],
  ['no query', 'plain', {}, () => ({ 'url.query': undefined, 'url.path': '/api/orders/plain' }), () => ({ 'url.full': `${orders.url}/plain?pin=***` })],
  ['a method that HTTP does not know, and no route', 'x', { method: 'PROPFIND' }, () => ({
    span: 'HTTP', 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND', 'http.route': undefined, 'url.scheme': 'http',
    'http.response.status_code': 404, 'error.type': undefined })],
  ['an error of the backend', 'fail', {}, () => ({ 'http.response.status_code': 500, 'error.type': '500', code: 2 }),
    () => ({ 'http.response.status_code': 500, 'error.type': '500', code: 2 })],
  ['an answer that the backend broke off', 'cut', {}, () => ({ 'http.response.status_code': 200, 'error.type': 'backend_cut_off', code: 2 }),
    () => ({ 'http.response.status_code': 200, 'error.type': 'backend_cut_off', code: 2 })],
  ['a backend that is not there', '../dead/x', {}, () => ({ 'http.route': '/api/dead/{p}', 'http.response.status_code': 502, 'error.type': 'backend_connect', code: 2 }),
    () => ({ 'url.full': 'http://127.0.0.1:1/x', 'server.port': 1, 'http.response.status_code': undefined, 'error.type': 'backend_connect', code: 2 })],
];

test('attributes are those of the semantic conventions for HTTP', async () => {
  for (const [label, where, init, ofServer, ofClient] of CONVENTION) {
    const r = await fetch(`${gw.url}/api/orders/${where.replace('KEY', key)}`, { headers: { 'X-Api-Key': key }, ...init });
    const all = await spansOf(r.headers.get('x-request-id'));
    assert.equal(all.length, ofClient ? 2 : 1, label);
    for (const [i, want] of [ofServer(), ofClient?.()].entries())
      for (const [name, value] of Object.entries(want ?? {}))
        assert.equal({ ...attributes(all[i]), span: all[i].name, code: all[i].status?.code }[name], value, `${label}: ${name} of the ${i ? 'client' : 'server'} span`);
  }
  const text = JSON.stringify([taken('/v1/traces'), taken('/v1/logs')]);
  assert.ok(!text.includes(key) && !text.includes('hush-hush-4711') && !text.includes('sig=abc') && !text.includes('caller-tok'), 'a secret left the house');
  const failed = await until(() => taken('/v1/logs').flatMap((b) => b.resourceLogs[0].scopeLogs[0].logRecords).map(attributes).find((v) => v['url.path'] === '/api/orders/fail'), 'the log record');
  await until(() => taken('/v1/logs').flatMap((b) => b.resourceLogs[0].scopeLogs[0].logRecords).find((v) => v.severityNumber === 17 && attributes(v)['url.path'] === '/api/orders/cut'),
    'the log record of the answer that was broken off');
  assert.deepEqual([failed['url.scheme'], failed['http.route'], failed['server.port'], failed['error.type']], ['http', '/api/orders/{p}', Number(new URL(gw.url).port), '500']);
});

test('a busy collector was asked again when it said; what it rejects is counted', async () => {
  assert.ok(collector.seen.length > 1 && busy < 1);
  partial = '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}';
  await call('4');
  await until(() => stats('otlp_traces').dropped === 1, 'the rejected span');
  assert.match(gw.cli('doctor', { fails: true }).stdout, /otlp_traces: \d+ records sent, 1 dropped, 0 wait: the receiver rejected 1: too old/);
});
