// What Prometheus reads: who may, that it equals what was called, that labels are bounded, and that the shipped dashboard of
// Grafana asks for nothing that is not there.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { start, backend, until, ROOT } = require('./harness');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' },
  paths: { '/{p}': { get: { operationId: 'get', responses: { 200: { description: 'ok' } } } } } });
const TOKEN = 'a-token-of-the-test';
let gw, orders;

// { name: [{ labels, value }] } of samples, { name: type } of families; fails on text that OpenMetrics does not allow.
function parse(text) {
  const samples = {}, types = {};
  assert.match(text, /\n# EOF\n$/);
  for (const line of text.trimEnd().split('\n').slice(0, -1)) {
    const meta = /^# (TYPE|UNIT|HELP) (\S+) (.+)$/.exec(line);
    if (meta) {
      if (meta[1] === 'TYPE') { assert.ok(!(meta[2] in types), `${meta[2]} once`); types[meta[2]] = meta[3]; }
      continue;
    }
    const m = /^([a-zA-Z_][a-zA-Z0-9_]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (-?[0-9.e+]+)$/.exec(line);
    assert.ok(m, `a sample: ${line}`);
    const labels = Object.fromEntries([...(m[2] || '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((l) => [l[1], l[2]]));
    assert.ok(Object.keys(types).some((t) => m[1] === t || m[1].startsWith(`${t}_`)), `${m[1]} has a type`);
    (samples[m[1]] ||= []).push({ labels, value: Number(m[3]) });
  }
  return { samples, types };
}

const read = (headers = { Authorization: `Bearer ${TOKEN}` }) => fetch(`${gw.url}/admin/metrics`, { headers });
const sum = (v, want) => (v || []).filter((s) => Object.entries(want).every(([k, x]) => s.labels[k] === x)).reduce((n, s) => n + s.value, 0);

before(async () => {
  orders = await backend((req, res) => { res.statusCode = req.url.endsWith('/fail') ? 500 : 200; res.end('{"n":1}'); });
  gw = await start({ server: 'nginx', workers: 2, config: { 'metrics.apis': 2, 'counter.entries': 64 }, setup(g) {
    const file = g.file('metrics-token', `${TOKEN}\n`);
    fs.appendFileSync(path.join(g.state, 'gatehouse.conf'), `metrics.token_file = ${file}\n`);
    g.cli('product', 'create', 'open', '--require-key', 'no');
    for (const id of ['orders', 'stock', 'more'])
      g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', id, '--name', id, '--backend', orders.url, '--product', 'open');
  } });
});
after(async () => { await gw?.stop(); await orders?.close(); });

test('closed but to the token', async () => {
  for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: `Basic ${TOKEN}` }]) {
    const r = await read(headers);
    assert.equal(r.status, 401);
    assert.match(r.headers.get('www-authenticate'), /^Bearer/);
    assert.ok(!(await r.text()).includes('gatehouse_'));
  }
  const r = await read();
  assert.equal(r.status, 200);
  assert.equal(r.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
});

test('counters, histograms and bytes are what was called; further APIs are together', async () => {
  const call = (p) => fetch(`${gw.url}/api/${p}`).then((r) => r.arrayBuffer());
  for (const [p, n] of [['orders/x', 20], ['orders/fail', 3], ['nowhere', 4]]) await Promise.all(Array.from({ length: n }, () => call(p)));
  // who asks for the gateway's health makes no call: the harness did before, and a load balancer does all the time
  assert.equal((await fetch(`${gw.url}/api/-/health`)).status, 200);
  const of = (text, environment) => sum(parse(text).samples.gatehouse_calls_total, { environment });
  await until(() => of(gw.cli('metrics').stdout, 'default') === 27, 'the calls to be counted');
  for (const p of ['stock/x', 'more/x', 'more/y']) await call(p);
  await until(async () => of(await (await read()).text(), 'other') === 3, 'all calls');
  const { samples } = parse(await (await read()).text());
  assert.equal(sum(samples.gatehouse_calls_total, {}), 30);
  assert.ok(!gw.cli('log').stdout.includes('/-/health'));
  assert.equal(sum(samples.gatehouse_calls_total, { api: 'orders', code: '2xx', origin: 'backend' }), 20);
  assert.equal(sum(samples.gatehouse_calls_total, { api: 'orders', code: '5xx', origin: 'backend' }), 3);
  assert.equal(sum(samples.gatehouse_calls_total, { environment: 'default', api: '', code: '4xx', origin: 'gateway' }), 4);
  assert.equal(sum(samples.gatehouse_calls_total, { api: 'other' }), 3);
  assert.equal(sum(samples.gatehouse_refused_total, {}), 4);
  assert.equal(sum(samples.gatehouse_body_bytes_total, { api: 'orders', direction: 'out' }), 23 * 7);
  assert.equal(sum(samples.gatehouse_call_duration_seconds_count, { api: 'orders' }), 23);
  assert.equal(sum(samples.gatehouse_call_duration_seconds_bucket, { api: 'orders', le: '+Inf' }), 23);
  assert.equal(sum(samples.gatehouse_backend_duration_seconds_count, { api: 'orders' }), 23);
  assert.ok(sum(samples.gatehouse_call_duration_seconds_sum, { api: 'orders' }) > 0);
  const steps = samples.gatehouse_call_duration_seconds_bucket.filter((s) => s.labels.api === 'orders').map((s) => s.value);
  assert.deepEqual(steps, [...steps].sort((a, b) => a - b), 'buckets are cumulative');
});

test('how long the turns of each worker take', async () => {
  gw.cli('product', 'create', 'another');                          // what a worker takes over it reports
  const lag = (samples, name, labels) => sum(samples[`gatehouse_loop_lag_seconds_${name}`], labels);
  const status = (n) => path.join(gw.state, `run/gateway-${n}.json`);
  // one that has ended leaves its numbers behind: its series must end, too
  fs.writeFileSync(status(2), fs.readFileSync(status(1), 'utf8').replace(/"pid":\d+/, `"pid":${spawnSync('true').pid}`));
  const calls = (v) => sum(v.gatehouse_calls_total, {});
  const before = calls(parse(gw.cli('metrics').stdout).samples);
  const samples = await until(async () => {
    await fetch(`${gw.url}/api/orders/x`).then((r) => r.arrayBuffer());
    const v = parse(await (await read()).text()).samples;
    return lag(v, 'count', { worker: '0' }) > 0 && lag(v, 'count', { worker: '1' }) > 0 && calls(v) > before && v;
  }, 'turns of both');
  for (const worker of ['0', '1']) {
    assert.equal(lag(samples, 'bucket', { worker, le: '+Inf' }), lag(samples, 'count', { worker }));
    assert.ok(lag(samples, 'bucket', { worker, le: '0.001' }) > 0 && lag(samples, 'sum', { worker }) > 0);
  }
  assert.equal(lag(samples, 'count', { worker: '2' }), 0);
  fs.unlinkSync(status(2));
});

test('counters that were forgotten for want of room: Prometheus and doctor say how many', async () => {
  const finding = () => gw.cli('doctor', '--format', 'json').json().find((f) => f.what === 'counters');
  assert.match(finding().detail, /^room for 64; none was forgotten/);
  const policy = (scope, rate) => gw.cli('policy', 'set', '--scope', scope, gw.file('rate.xml', `<policies><inbound><base />${rate}</inbound>
    <backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
  policy('api:more', '<rate-limit-by-key calls="5" renewal-period="300" counter-key="@(context.Request.OriginalUrl.Path)" />');
  for (let i = 0; i < 300; i++) await fetch(`${gw.url}/api/more/${i}`).then((r) => r.arrayBuffer());
  const n = Number(/^(\d+) of limits and quotas were forgotten while they counted, for want of room; raise counter\.entries \(64\)$/.exec(finding().detail)?.[1]);
  assert.ok(n > 100 && n < 300, `${n}`);
  await until(() => sum(parse(gw.cli('metrics').stdout).samples.gatehouse_counters_evicted_total, {}) === n, 'the metric');
});

test("Grafana's dashboard asks for what is there", () => {
  const { samples } = parse(gw.cli('metrics').stdout);
  const board = fs.readFileSync(path.join(ROOT, 'deploy/grafana/gatehouse.json'), 'utf8');
  const names = [...new Set(board.match(/gatehouse_\w+/g))];
  assert.ok(names.length >= 8 && names.every((n) => samples[n]), names.filter((n) => !samples[n]).join());
  const labels = new Set(Object.values(samples).flat().flatMap((s) => Object.keys(s.labels)));
  for (const panel of JSON.parse(board).panels)
    for (const { expr } of panel.targets)
      for (const [, label] of expr.matchAll(/[{,] ?(\w+)[!=]~?=?/g)) assert.ok(labels.has(label), `${label} in ${expr}`);
});
