// Webhooks of alerts: signed by the Standard Webhooks scheme, tried again under the same id, taken once. And a keeper that is
// killed forgets neither what it counted nor what it told.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert/strict');
const { createHmac } = require('node:crypto');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { start, backend, until } = require('./harness');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/{p}': { get: { operationId: 'get', responses: { 200: { description: 'ok' } } } } } });

test('a webhook is signed, tried again under the same id, and survives a killed keeper', async (t) => {
  let refuse = 1;
  const orders = await backend((req, res) => { res.statusCode = 500; res.end(); });
  const hook = await backend((req, res) => { res.statusCode = refuse-- > 0 ? 503 : 204; res.end(); });
  let secret;
  const gw = await start({ server: 'nginx', workers: 1, config: { 'alerts.webhook_retry_s': 1 }, setup(g) {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', 'orders', '--name', 'orders', '--backend', orders.url, '--product', 'open');
    secret = g.cli('alert', 'webhook-set', 'pager', '--url', `${hook.url}/alerts`, '--format', 'json').json().secret;
    g.cli('alert', 'set', 'errors', '--kind', 'status', '--status', '5xx', '--threshold', '3', '--period', '10m', '--webhook', 'pager');
  } });
  t.after(async () => { await gw.stop(); await hook.close(); await orders.close(); });
  const call = () => fetch(`${gw.url}/api/orders/x`).then((r) => r.arrayBuffer());
  const logged = () => gw.cli('log', '--status', '500', '--format', 'json').stdout.split('\n').filter((l) => l.includes('/orders/x')).length;
  for (let i = 0; i < 2; i++) await call();
  await until(() => logged() === 2, 'two calls to be counted');
  const [keeper] = gw.pids('gatehouse-keeper');
  process.kill(keeper, 'SIGKILL');
  await until(() => gw.pids('gatehouse-keeper').some((p) => p !== keeper), 'another keeper');
  for (let i = 0; i < 2; i++) await call();
  await until(() => hook.seen.length === 2, 'the second try');
  const [first, second] = hook.seen;
  assert.equal(first.headers['webhook-id'], second.headers['webhook-id']);
  for (const { headers, body } of [first, second]) {
    const mac = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
    assert.equal(headers['webhook-signature'], `v1,${mac.digest('base64')}`);
  }
  const { type, data } = JSON.parse(second.body);
  assert.deepEqual([type, data.rule.id, data.state, data.api, data.value], ['alert.fired', 'errors', 'bad', 'orders', 4]);
  await until(() => gw.cli('alert', 'deliveries', '--format', 'json').json()[0].state === 'delivered', 'the outcome');
  assert.equal(gw.cli('alert', 'deliveries', '--format', 'json').json()[0].tries, 2);
  assert.ok(!gw.log('serve').includes(secret));
});

test('a webhook whose outcome cannot be written is not called again and again', async (t) => {
  const orders = await backend((req, res) => { res.statusCode = 500; res.end(); });
  const hook = await backend((req, res) => { res.statusCode = 204; res.end(); });
  let gw;
  const sql = (text) => spawnSync('sqlite3', ['-cmd', '.timeout 10000', path.join(gw.state, 'config.db'), text], { encoding: 'utf8' });
  gw = await start({ server: 'nginx', workers: 1, setup(g) {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', 'orders', '--name', 'orders', '--backend', orders.url, '--product', 'open');
    for (const id of ['first', 'second']) g.cli('alert', 'webhook-set', id, '--url', `${hook.url}/${id}`);
    g.cli('alert', 'set', 'errors', '--kind', 'status', '--status', '5xx', '--threshold', '0', '--period', '10m', '--webhook', 'first', '--webhook', 'second');
  } });
  t.after(async () => { await gw.stop(); await hook.close(); await orders.close(); });
  // as a full disk does: what was sent cannot be written down
  assert.equal(sql("CREATE TRIGGER full BEFORE UPDATE ON alert_delivery BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END").status, 0);
  await fetch(`${gw.url}/api/orders/x`).then((r) => r.arrayBuffer());
  await until(() => hook.seen.length > 0, 'the message');
  await until(() => /database or disk is full/.test(gw.log('serve')), 'the trouble to be told');
  const reported = () => JSON.parse(fs.readFileSync(path.join(gw.state, 'run/keeper.json'), 'utf8')).time;
  const time = reported();
  await until(() => reported() !== time, 'the keeper to go on for some seconds');
  assert.equal(hook.seen.length, 1, 'sent once, and no other before that is known');
  assert.equal(sql('DROP TRIGGER full').status, 0);
  const states = () => gw.cli('alert', 'deliveries', '--format', 'json').json().map((d) => `${d.state} ${d.tries}`);
  await until(() => states().join() === 'delivered 1,delivered 1', 'both to be delivered');
  assert.equal(hook.seen.length, 2);
});
