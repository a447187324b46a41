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
const { management } = require('./people');

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

  // the management API tells what the pages and the commands tell
  const rest = management(gw, { role: 'operator', scopes: ['read:alert-rules', 'write:alert-webhooks', 'read:alert-webhooks'] });
  const get = async (path) => { const r = await rest('GET', path); assert.equal(r.status, 200, JSON.stringify(r.body)); return r.body; };
  const [rule] = (await get('/alerts')).items;
  assert.deepEqual([rule.rule, rule.state, rule.silenced, rule.breaches.length, rule.breaches[0].told], ['errors', 'breached', false, 1, true]);
  assert.deepEqual(await get('/alerts/errors'), rule);
  const [event] = (await get('/alert-events?rule=errors&api=orders')).items;
  assert.deepEqual([event.rule, event.event, event.told, event.api], ['errors', 'fired', 1, 'orders']);
  assert.deepEqual([(await get('/alert-events?rule=other')).items, (await get('/alert-events?cursor=1')).items], [[], []]);
  const [delivery] = (await get('/alert-deliveries')).items;
  assert.deepEqual([delivery.id, delivery.webhook, delivery.event, delivery.state, delivery.tries, delivery.status],
    [second.headers['webhook-id'], 'pager', event.id, 'delivered', 2, 204]);
  const [told] = gw.cli('alert', 'history', '--format', 'json').json();
  const [sent] = gw.cli('alert', 'deliveries', '--format', 'json').json();
  for (const name of ['id', 'rule', 'name', 'event', 'environment', 'api', 'requestId', 'told']) assert.equal(told[name], event[name], `history: ${name}`);
  for (const name of ['id', 'webhook', 'event', 'state', 'tries', 'status']) assert.equal(sent[name], delivery[name], `deliveries: ${name}`);
  assert.ok(Date.parse(sent.due), 'when it is due');
  assert.equal((await rest('POST', `/alert-deliveries/${delivery.id}/again`)).status, 404, 'it was not given up');
  spawnSync('sqlite3', ['-cmd', '.timeout 10000', path.join(gw.state, 'config.db'), "UPDATE alert_delivery SET state = 2, tries = 9"]);
  assert.equal((await rest('POST', `/alert-deliveries/${delivery.id}/again?dry-run=true`)).status, 200);
  assert.equal((await get('/alert-deliveries')).items[0].state, 'failed', 'a dry run makes no call');
  assert.equal((await rest('POST', `/alert-deliveries/${delivery.id}/again`)).status, 200);
  await until(() => hook.seen.length === 3, 'the call once more');
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
  assert.equal(hook.seen.length, 2, 'each was sent once, as both were due at the same time');
  assert.equal(sql('DROP TRIGGER full').status, 0);
  const states = () => gw.cli('alert', 'deliveries', '--format', 'json').json().map((d) => `${d.state} ${d.tries}`);
  await until(() => states().join() === 'delivered 1,delivered 1', 'both to be delivered');
  assert.equal(hook.seen.length, 2);
});

const QUOTA = `<policies><inbound><base /><quota-by-key calls="10" renewal-period="86400"
  counter-key="@(context.Request.Headers.GetValueOrDefault(&quot;X-Consumer&quot;,&quot;nobody&quot;))" /></inbound>
  <backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;

test('a receiver that hangs keeps nobody else waiting; the share of a quota is told by policy, scope and masked key', async (t) => {
  const orders = await backend((req, res) => { res.statusCode = req.url.endsWith('/bad') ? 500 : 200; res.end(); });
  const hanging = await backend(() => {});
  const quick = await backend((req, res) => { res.statusCode = 204; res.end(); });
  const gw = await start({ server: 'nginx', workers: 2, config: { 'alerts.webhook_timeout_s': 300 }, setup(g) {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', 'orders', '--name', 'orders', '--backend', orders.url, '--product', 'open');
    g.cli('policy', 'set', '--scope', 'api:orders', g.file('quota.xml', QUOTA));
    g.cli('alert', 'webhook-set', 'hanging', '--url', hanging.url);
    g.cli('alert', 'webhook-set', 'quick', '--url', quick.url);
    g.cli('alert', 'set', 'errors', '--kind', 'status', '--status', '5xx', '--threshold', '0', '--period', '10m', '--webhook', 'hanging');
    g.cli('alert', 'set', 'share', '--kind', 'quota', '--threshold', '80', '--webhook', 'quick', '--webhook', 'hanging');
  } });
  t.after(async () => { await gw.stop(); await quick.close(); await hanging.close(); await orders.close(); });
  const call = (what, who) => fetch(`${gw.url}/api/orders/${what}`, { headers: { 'X-Consumer': who } }).then((r) => r.arrayBuffer());
  await call('bad', 'somebody');
  await until(() => hanging.seen.length === 1, 'the first message');
  for (let i = 0; i < 7; i++) await call('x', 'consumer-4711');
  await call('x', 'consumer-0815');
  assert.equal(gw.cli('alert', 'history', '--rule', 'share', '--format', 'json').json().length, 0, '7 of 10 is no 80 %');
  // gateways note shares from the moment on when the keeper has seen the rule
  const { data } = JSON.parse((await until(async () => { await call('x', 'consumer-4711'); return quick.seen[0]; }, 'the message of the other receiver')).body);
  assert.deepEqual([data.rule.id, data.state, data.unit, data.api, data.environment], ['share', 'bad', '%', 'orders', 'default']);
  assert.ok(data.value >= 80 && data.value <= 100, `${data.value}`);
  assert.match(data.summary, /^quota-by-key of API orders key cons…#[0-9a-f]{8} has used \d+ % of 10 calls, which begins anew at /);
  assert.equal(hanging.seen.length, 1, 'it has its first message still, and no second one beside it');
  const deliveries = gw.cli('alert', 'deliveries', '--format', 'json').json();
  assert.deepEqual(deliveries.filter((d) => d.webhook === 'hanging').map((d) => d.state), ['waiting', 'waiting']);
  assert.ok(!JSON.stringify(gw.cli('alert', 'history', '--format', 'json').json()).includes('4711'), 'no counter key in clear');
});
