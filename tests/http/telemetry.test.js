// What was answered is recorded, once: also when workers and the keeper are killed in the middle. And `gatehouse log -f`
// shows a call as it comes.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { start, backend, until, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things/{id}': { get: { operationId: 'get', responses: { 200: { description: 'ok' } } } } } });

describe(`telemetry behind ${SERVERS[0]}`, () => {
  let gw, things, key;

  before(async () => {
    things = await backend((req, res) => (req.url.endsWith('/500') ? res.writeHead(500).end('{}') : res.end('{"a":1}')));
    gw = await start({ server: SERVERS[0], workers: 2, setup(g) {
      g.cli('product', 'create', 'gold');
      g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', 'things', '--name', 'things', '--backend', things.url,
        '--product', 'gold');
      key = g.cli('subscription', 'create', '--product', 'gold', '--id', 'mine', '--format', 'json').json().primaryKey;
    } });
  });
  after(async () => { await gw?.stop(); await things?.close(); });

  const call = (id, requestId) => fetch(`${gw.url}/api/things/things/${id}`,
    { headers: { 'Ocp-Apim-Subscription-Key': key, 'X-Request-Id': requestId } });
  const logged = (...args) => gw.cli('log', '-n', '10000', '--format', 'json', ...args).stdout.split('\n').filter(Boolean)
    .map((line) => JSON.parse(line));

  it('knows everything about a call', async () => {
    const r = await call('7?secret=1', 'all-about-it');
    await r.text();
    const [c] = await until(() => { const v = logged('--request-id', 'all-about-it'); return v.length && v; }, 'the record');
    assert.equal(c.status, 200);
    assert.equal(c.origin, 'backend');
    assert.equal(c.api, 'things');
    assert.equal(c.operation, 'get');
    assert.equal(c.product, 'gold');
    assert.equal(c.subscription, 'mine');
    assert.equal(c.environment, 'default');
    assert.equal(c.method, 'GET');
    assert.match(c.path, /\/things\/things\/7$/);
    assert.equal(c.key_prefix, key.slice(0, 6));
    assert.equal(c.bytes_out, 7);
    assert.equal(c.attempts, 1);
    assert.ok(c.total_us > 0 && c.backend_us > 0 && c.total_us >= c.backend_us);
    assert.match(c.trace_id, /^[0-9a-f]{32}$/);
    assert.ok(!JSON.stringify(c).includes(key));
    assert.ok(c.gateway_us > 0, 'what the gateway did in the turns of its loop is time of the gateway');
  });

  it('finds calls by the start of a key, however much of it is given, and by time', () => {
    const ids = (...args) => logged(...args).map((c) => c.request_id);
    assert.ok(ids('--key', key.slice(0, 6)).includes('all-about-it'));
    assert.deepEqual(ids('--key', key), ids('--key', key.slice(0, 6)));
    assert.ok(ids('--range', '1h').includes('all-about-it'));
    assert.deepEqual(ids('--range', '2020-01-01/2020-01-02'), []);
    for (const args of [['--key', key.slice(0, 5)], ['--range', 'bogus']]) assert.equal(gw.cli('log', ...args, { fails: true }).code, 2);
    assert.match(gw.cli('log', '--id', 'nobody').stderr, /no call has this id/);
    for (const [option, value] of [['status', '503'], ['origin', 'erp'], ['address', '10.0.0.1'], ['group', 'colour']]) {
      const r = gw.cli('analytics', `--${option}`, value, { fails: true });
      assert.equal(r.code, 2, 'what cannot be is no "no data"');
      assert.match(r.stderr, new RegExp(`error: --${option}: "${value}" is n`));
    }
  });

  it('tells errors of the backend from those of the gateway', async () => {
    await (await call('500', 'backend-500')).text();
    await (await fetch(`${gw.url}/api/things/nothing`, { headers: { 'Ocp-Apim-Subscription-Key': key, 'X-Request-Id': 'gw-404' } })).text();
    await until(() => logged('--request-id', 'backend-500').length && logged('--request-id', 'gw-404').length, 'the records');
    assert.equal(logged('--request-id', 'backend-500')[0].origin, 'backend');
    const gateway = logged('--request-id', 'gw-404')[0];
    assert.equal(gateway.origin, 'gateway');
    assert.equal(gateway.reason, 'operation_not_found');
    assert.ok(gateway.gateway_us > 0 && gateway.gateway_us === gateway.total_us);
    assert.ok(logged('--status', '5xx').every((c) => c.status >= 500));
    assert.equal(logged('--api', 'nothing').length, 0);
  });

  it('shows a call as it comes with log -f, once, and nothing that was not asked for', async () => {
    const follow = spawn(path.join(gw.bin, 'gatehouse'), ['log', '-f', '-n', '0', '--format', 'json', '--status', '200'],
      { env: { ...process.env, GATEHOUSE_STATE: gw.state } });
    let text = '';
    follow.stdout.on('data', (d) => { text += d; });
    try {
      await until(async () => { await (await call('1', 'before')).text(); return text.includes('"before"'); }, 'the follower');
      await (await call('1', 'seen-at-once')).text();
      await until(() => text.includes('"seen-at-once"'), 'the call');
      await (await call('500', 'not-wanted')).text();
      await until(() => logged('--request-id', 'not-wanted').length, 'the call that is not wanted');
      await (await call('1', 'after-it')).text();
      await until(() => text.includes('"after-it"'), 'the call after it');
      assert.ok(!text.includes('not-wanted'));
      const ids = text.split('\n').filter(Boolean).map((l) => JSON.parse(l).request_id);
      assert.equal(ids.filter((id) => id === 'seen-at-once').length, 1);
    } finally {
      follow.kill();
    }
  });

  it('loses no answered call and counts none twice when workers and the keeper are killed', async () => {
    const answered = [];
    let stop = false;
    const clients = Array.from({ length: 4 }, async (_, n) => {
      for (let i = 0; !stop; i++) {
        const id = `k-${n}-${i}`;
        const r = await call(i, id).catch(() => null);
        const text = r && await r.text().catch(() => null);
        if (r && r.status === 200 && text === '{"a":1}') answered.push(id);
      }
    });
    for (let round = 0; round < 4; round++) {
      const n = answered.length;
      await until(() => answered.length > n + 20, 'calls');
      const name = round % 2 ? 'gatehouse-keeper' : 'gatehouse-gateway';
      const [pid] = gw.pids(name);
      assert.ok(pid, name);
      process.kill(pid, 'SIGKILL');
    }
    const then = answered.length;
    await until(() => answered.length > 100 && answered.length > then + 20, 'calls before and after the kills');
    stop = true;
    await Promise.all(clients);
    let ids, records;
    await until(() => {
      records = logged().filter((c) => c.request_id.startsWith('k-'));
      ids = records.map((c) => c.request_id);
      return answered.every((id) => ids.includes(id));
    }, 'every answered call').catch((error) => {
      throw new Error(`${error.message}: missing ${answered.filter((id) => !ids.includes(id)).slice(0, 5)}`);
    });
    // a web server may ask again when a worker dies, which is a call of its own under the same id; its beginning is another
    assert.equal(new Set(records.map((c) => `${c.request_id} ${c.time}`)).size, records.length, 'a call is there twice');
  });
});
