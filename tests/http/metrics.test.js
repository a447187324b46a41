// emit-metric and trace over four workers: sums with their dimensions, overflow, and what a severity does in the log.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until } = require('./harness');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/{p}': { get: { operationId: 'get', responses: { 200: { description: 'ok' } } } } } });
const POLICY = `<policies><inbound><base />
  <emit-metric name="calls" namespace="orders" value="@(double.Parse(context.Request.Headers.GetValueOrDefault(&quot;X-Value&quot;,&quot;1&quot;)))">
    <dimension name="API ID" /><dimension name="Operation ID" /><dimension name="Product ID" /><dimension name="Subscription ID" />
    <dimension name="Location" /><dimension name="Gateway ID" />
    <dimension name="Client" value="@(context.Request.Headers.GetValueOrDefault(&quot;X-Client&quot;,&quot;none&quot;))" />
  </emit-metric>
  <trace source="verbose one"><message>@(context.RequestId.ToString().Substring(9999))</message></trace>
  <trace source="orders" severity="information"><message>order for {{secret}}</message>
    <metadata name="client" value="@(context.Request.Headers.GetValueOrDefault(&quot;X-Client&quot;,&quot;none&quot;))" />
    <metadata name="pass" value="{{secret}}" /></trace>
  <trace source="alarm" severity="error">bare text</trace>
</inbound></policies>`;

let gw, orders, sub;

before(async () => {
  orders = await backend((req, res) => res.end('ok'));
  gw = await start({ server: 'nginx', workers: 4, config: { 'metrics.series': 16 }, setup(g) {
    g.cli('product', 'create', 'gold');
    g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', 'orders', '--name', 'orders', '--backend', orders.url, '--product', 'gold');
    g.cli('named-value', 'set', 'secret', '--secret', '--file', g.file('secret', 's3cret-in-trace'));
    g.cli('policy', 'set', g.file('p.xml', POLICY), '--scope', 'api:orders');
    sub = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json();
  } });
});
after(async () => { await gw?.stop(); await orders?.close(); });

const get = (client, value) => fetch(`${gw.url}/api/orders/x`, { headers: { 'X-Api-Key': sub.primaryKey, 'X-Client': client, 'X-Value': value } });

test('nothing yet is no error', () => {
  assert.match(gw.cli('metrics').stdout, /^# TYPE gatehouse_metric_series gauge\ngatehouse_metric_series 0\n[^]*# EOF\n$/);
});

test('counts, sums and dimensions are exact over all workers', async () => {
  await Promise.all(Array.from({ length: 60 }, (_, i) => get(i % 2 ? 'web' : 'app', i % 2 ? '2.5' : '-1')));
  const all = gw.cli('metrics', '--format', 'json').json();
  assert.equal(all.overflow, 0);
  const web = all.series.find((s) => s.dimensions.some((d) => d.value === 'web'));
  assert.deepEqual([web.namespace, web.name, web.count, web.sum, web.min, web.max], ['orders', 'calls', 30, 75, 2.5, 2.5]);
  assert.deepEqual(Object.fromEntries(web.dimensions.map((d) => [d.name, d.value])), { 'API ID': 'orders', 'Operation ID': 'get',
    'Product ID': 'gold', 'Subscription ID': sub.id, Location: 'local', 'Gateway ID': 'managed', Client: 'web' });
  const text = gw.cli('metrics', '--namespace', 'orders').stdout;
  assert.match(text, /^# TYPE orders_calls summary$/m);
  assert.match(text, new RegExp(`^orders_calls_sum\\{API_ID="orders",.*Subscription_ID="${sub.id}",.*Client="app"\\} -30\\.0$`, 'm'));
  assert.equal(gw.cli('metrics', '--name', 'other', '--format', 'json').json().series.length, 0);
});

test('series are bounded, and what does not fit is counted', async () => {
  for (let i = 0; i < 30; i++) await get(`client-${i}`, '1');
  const all = gw.cli('metrics', '--format', 'json').json();
  assert.deepEqual([all.series.length, all.room, all.overflow], [16, 16, 16]);
});

test('severities go into the log by their level, with metadata, without secrets; nobody works out what nobody reads', async () => {
  const r = await get('logged', '1');
  assert.equal(r.status, 200, 'the expression of the verbose trace was not evaluated');
  const log = await until(() => /client=logged/.test(gw.log('serve')) && gw.log('serve'), 'the line');
  const id = r.headers.get('x-request-id');
  assert.match(log, new RegExp(` info gateway\\[\\d+\\] trace source=orders request_id=${id} api=orders message="order for \\*\\*\\*" `
    + 'metadata="client=logged pass=\\*\\*\\*"'));
  assert.match(log, new RegExp(` error gateway\\[\\d+\\] trace source=alarm request_id=${id} api=orders message="bare text"`));
  assert.ok(!log.includes('verbose one') && !log.includes('s3cret-in-trace'));
});
