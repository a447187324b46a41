// Traffic rules: a canary that is chosen by share, header, cookie and subscription and comes back by itself when it fails; copies of
// calls for another backend; faults that consumers test with. The commands are those of docs/traffic.md.
'use strict';
const { describe, it, before, after, beforeEach } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { start, until, SERVERS, ROOT } = require('./harness');

async function node(name) {
  const n = { name, seen: [], reply: null };
  n.server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (t) => { body += t; });
    req.on('end', () => {
      n.seen.push({ method: req.method, url: req.url, headers: req.headers, body });
      if (n.reply) n.reply(req, res); else res.end(name);
    });
  });
  await new Promise((resolve) => n.server.listen(0, '127.0.0.1', resolve));
  n.url = `http://127.0.0.1:${n.server.address().port}/base-${name}`;
  n.close = () => { n.server.close(); n.server.closeAllConnections(); };
  return n;
}

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'O', version: '1' }, paths: { '/x': {
  get: { operationId: 'get-order', responses: { 200: { description: 'ok' } } }, post: { responses: { 200: { description: 'ok' } } } } } });

// Lines of the page that begin so, as arguments.
const documented = (prefix, partner) => fs.readFileSync(path.join(ROOT, 'docs/traffic.md'), 'utf8').split('\n')
  .filter((l) => l.startsWith(`gatehouse ${prefix}`)).map((l) => l.split(' ').slice(1).map((w) => (w === 'partner' ? partner : w)));

describe('traffic rules', () => {
  let gw, stable, next, key, id;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

  // A connection that the web server closed while a command ran is no failure of the call: it had not been sent.
  const call = (options) => once(options).catch((e) => { if (!e.reused) throw e; return call(options); });
  const once = ({ method = 'GET', headers = {}, body, api = 'orders' } = {}) => new Promise((resolve, reject) => {
    const req = http.request(`${gw.url}/api/${api}/x?q=1`, { agent, method, headers: { 'Ocp-Apim-Subscription-Key': key.other, 'X-Api': api, ...headers } }, (res) => {
      let text = '';
      res.on('data', (t) => { text += t; });
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
    });
    req.on('error', (e) => reject(Object.assign(e, { reused: req.reusedSocket && e.code === 'ECONNRESET' })));
    req.end(body);
  });
  async function calls(n, options) {
    const all = [];
    await Promise.all(Array.from({ length: 8 }, async () => { while (n-- > 0) all.push(await call(options)); }));
    return all;
  }
  const side = (all) => ({ stable: all.filter((r) => r.text === 'stable').length, next: all.filter((r) => r.text === 'next').length });
  const record = (r) => until(() => {
    const text = gw.cli('log', '--request-id', r.headers['x-request-id'], '--format', 'json').stdout.trim();
    return text.length > 2 && [JSON.parse(text)].flat()[0];
  }, 'the record');
  const canary = () => gw.cli('canary', 'list', '--format', 'json').json()[0];
  const mirrored = () => gw.cli('mirror', 'list', '--format', 'json').json()[0];

  before(async () => {
    [stable, next] = await Promise.all(['stable', 'next'].map(node));
    gw = await start({ server: SERVERS[0], workers: 2, config: { 'gateway.mirror_timeout_ms': 4000 }, setup(g) {
      for (const product of ['all', 'gold', 'few']) g.cli('product', 'create', product);
      for (const api of ['orders', 'others'])
        g.cli('import', 'openapi', g.file('o.json', DESCRIPTION), '--path', api, '--name', api, '--backend', stable.url, '--product', 'all');
      g.cli('backend', 'set', 'orders-next', '--url', next.url);
      g.cli('product', 'add-api', 'gold', 'orders');
      const [partner, other, gold] = ['all', 'all', 'gold'].map((p) => g.cli('subscription', 'create', '--product', p, '--format', 'json').json());
      id = partner.id;
      key = { partner: partner.primaryKey, other: other.primaryKey, gold: gold.primaryKey };
      g.cli('alert', 'set', 'backends', '--kind', 'backend', '--mail', 'ops@example.com');
    } });
  });
  after(async () => {
    agent.destroy();
    await gw?.stop();
    for (const n of [stable, next]) n?.close();
  });
  beforeEach(() => { for (const n of [stable, next]) { n.seen = []; n.reply = null; } });

  it('sends a share to the canary, and whoever asks by header, cookie or subscription', async () => {
    const commands = documented('canary set', id);
    assert.equal(commands.length, 4);
    gw.cli(...commands[0]);
    const all = await calls(200);
    assert.ok(Math.abs(side(all).next - 10) <= 2 && side(all).stable + side(all).next === 200, JSON.stringify(side(all)));
    assert.equal(next.seen[0].url, '/base-next/x?q=1', 'the path goes behind the address of the canary');
    const asked = [['canary: header X-Canary', 'next', { 'X-Canary': 'always' }], ['stable: header X-Canary', 'stable', { 'X-Canary': 'never' }],
      ['canary: cookie canary', 'next', { Cookie: 'a=1; canary=always' }],
      ['stable: header X-Canary', 'stable', { 'X-Canary': 'never', Cookie: 'canary=always' }]];
    for (const [decision, where, headers] of asked) {
      const r = await call({ headers });
      assert.equal(r.text, where, decision);
      const row = await record(r);
      assert.equal(row.decision, decision);
      assert.equal(row.backend, where === 'next' ? 'orders-next' : row.backend);
    }
    gw.cli(...commands[1]);
    assert.deepEqual(side(await calls(12, { headers: { 'Ocp-Apim-Subscription-Key': key.partner } })), { stable: 0, next: 12 });
    gw.cli('canary', 'set', 'orders', '--header-value', 'blue');
    assert.equal((await call({ headers: { 'X-Canary': 'blue' } })).text, 'next');
    assert.equal((await call({ headers: { 'X-Canary': 'always', Cookie: 'canary=never' } })).text, 'stable');
    gw.cli('canary', 'set', 'orders', '--header-value', 'none');
    assert.match(gw.cli('canary', 'set', 'orders', '--roll-back', 'yes', { fails: true }).stderr, /--roll-back takes no alone/);
  });

  it('keeps a browser on its side by a cookie, also when the share grows', async () => {
    gw.cli('canary', 'set', 'orders', '--percent', '50');
    const first = await Promise.all(Array.from({ length: 16 }, () => call()));
    const homes = first.map((r) => [r.headers['set-cookie'][0].match(/^side=[0-9a-f]{12}/)[0], r.text]);
    assert.ok(new Set(homes.map((h) => h[1])).size === 2, 'both sides');
    for (const [cookie, home] of homes) {
      const again = await call({ headers: { Cookie: cookie } });
      assert.deepEqual([again.text, again.headers['set-cookie']], [home, undefined]);
    }
    gw.cli('canary', 'set', 'orders', '--percent', '80');
    for (const [cookie, home] of homes) if (home === 'next') assert.equal((await call({ headers: { Cookie: cookie } })).text, 'next');
  });

  it('rolls a canary back that fails, for all workers, and forgets it with no restart', async () => {
    gw.cli(...documented('canary set', id)[2]);
    next.reply = (req, res) => { res.statusCode = 500; res.end('next'); };
    const before = await calls(19, { headers: { 'X-Canary': 'always' } });
    assert.ok(before.every((r) => r.status === 500), 'too few calls to judge');
    assert.equal(canary().state, 'running');
    await call({ headers: { 'X-Canary': 'always' } });
    next.seen = [];
    assert.deepEqual(side(await calls(40, { headers: { 'X-Canary': 'always' } })), { stable: 40, next: 0 });
    const row = await until(() => canary().why && canary(), 'the keeper to write it down');
    assert.equal(row.state, 'rolled-back');
    assert.match(row.why, /^20 errors in 20 calls of the canary orders-next, 0 in \d+ of the others$/);
    assert.ok(gw.cli('audit', '--format', 'json').json().some((e) => e.actor === 'keeper' && e.action === 'roll-back' && e.id === 'orders'), 'the audit trail');
    assert.match(gw.log('serve'), /canary rolled back.*api=orders backend=orders-next calls=20 errors=20/);
    await until(() => gw.cli('alert', 'history', '--format', 'json').json().some((e) => e.event === 'fired' && /the canary of API orders was rolled back/.test(e.summary)), 'the alert');
    gw.cli('canary', 'set', 'orders', '--percent', '40');
    assert.equal(canary().state, 'rolled-back', 'another share is no new beginning');
    const workers = gw.pids('gatehouse-gateway');
    await gw.end(gw.serve);
    fs.rmSync(path.join(gw.state, 'backends'));                      // as after a boot
    gw.serve.mayEnd = true;
    gw.processes = gw.processes.filter((p) => p !== gw.serve);
    gw.serve = gw.run('serve', path.join(gw.bin, 'gatehouse'), gw.serveArgs());
    await gw.renewed(workers);
    await until(() => call().then((r) => r.status === 200, () => false), 'the gateway');
    assert.equal((await call({ headers: { 'X-Canary': 'always' } })).text, 'stable');
    next.reply = null;
    gw.cli('canary', 'set', 'orders', '--running', 'yes');
    assert.equal((await call({ headers: { 'X-Canary': 'always' } })).text, 'next');
    assert.deepEqual([canary().state, canary().why], ['running', '']);
    await until(() => gw.cli('alert', 'history', '--format', 'json').json().some((e) => e.event === 'recovered'), 'the end of the alert');
  });

  it('measures a canary against the other calls', async () => {
    gw.cli('canary', 'set', 'orders', '--against', 'stable', '--error-percent', '20', '--minimum-calls', '10');
    for (const n of [stable, next]) n.reply = (req, res) => { res.statusCode = 503; res.end(n.name); };
    await calls(20, { headers: { 'X-Canary': 'never' } });
    await calls(20, { headers: { 'X-Canary': 'always' } });
    assert.deepEqual([canary().state, canary().errors, canary().stableErrors], ['running', 20, 20], 'both are as bad');
    stable.reply = null;
    await calls(80, { headers: { 'X-Canary': 'never' } });
    await calls(8, { headers: { 'X-Canary': 'always' } });
    assert.equal(canary().state, 'rolled-back');
    gw.cli('canary', 'end', 'orders');
    assert.equal(canary(), undefined);
    assert.equal((await call({ headers: { 'X-Canary': 'always' } })).text, 'stable');
    assert.match(gw.cli('canary', 'set', 'orders', '--backend', 'nobody', { fails: true }).stderr, /no backend 'nobody'/);
  });

  it('takes only the operations and products that it is for, onto a pool too, and comes back from there', async () => {
    const second = await node('next');
    try {
      gw.cli('backend', 'set', 'orders-two', '--url', second.url);
      gw.cli('backend', 'set', 'orders-pool', '--member', 'orders-next', '--member', 'orders-two');
      gw.cli('canary', 'set', 'orders', '--backend', 'orders-pool', '--percent', '100', '--error-percent', '50', '--minimum-calls', '10', '--window', '3600');
      gw.cli(...documented('canary set', id)[3], '--product', 'few');
      assert.deepEqual([gw.cli('canary', 'set', 'orders', '--operation', 'gone', { fails: true }).stderr.match(/the API 'orders' has no operation 'gone'/)?.length,
        gw.cli('canary', 'set', 'orders', '--product', 'gone', { fails: true }).stderr.match(/no product 'gone'/)?.length,
        gw.cli('product', 'delete', 'few', { fails: true }).stderr.match(/traffic-rule 'api:orders'/)?.length], [1, 1, 1]);
      const gold = { headers: { 'Ocp-Apim-Subscription-Key': key.gold } };
      for (const [what, options, where] of [['both', gold, 'next'], ['another product', {}, 'stable'], ['another operation', { ...gold, method: 'POST' }, 'stable']]) {
        const all = await calls(20, options);
        assert.deepEqual(side(all), { stable: where === 'stable' ? 20 : 0, next: where === 'next' ? 20 : 0 }, what);
      }
      assert.deepEqual([next.seen.length + second.seen.length, canary().calls, canary().stableCalls], [20, 20, 0], 'counted are only its own');
      assert.ok(Math.min(next.seen.length, second.seen.length) >= 9, 'both members of the pool');
      second.close();                                                // a member that is away costs nothing
      assert.deepEqual(side(await calls(20, gold)), { stable: 0, next: 20 });
      assert.deepEqual([canary().calls, canary().errors], [40, 0]);
      next.reply = (req, res) => { res.statusCode = 500; res.end('next'); };
      await calls(60, gold);
      assert.deepEqual(side(await calls(20, gold)), { stable: 20, next: 0 }, 'it was rolled back');
      assert.equal(canary().state, 'rolled-back');
    } finally {
      second.close();
      gw.cli('canary', 'end', 'orders');
    }
  });

  it('counts for a side only what went to it', async () => {
    gw.cli('canary', 'set', 'orders', '--backend', 'orders-next', '--percent', '0', '--header', 'X-Canary', '--error-percent', '90', '--minimum-calls', '50');
    gw.cli('policy', 'set', '--scope', 'api:orders', gw.file('second.xml', '<policies><inbound><base /></inbound><backend>'
      + '<retry condition="@(context.Response.StatusCode == 500)" count="1" interval="0" first-fast-retry="true"><choose><when condition="@(context.Response != null)">'
      + `<set-backend-service base-url="${stable.url}" /></when></choose><forward-request /></retry></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
    next.reply = (req, res) => { res.statusCode = 500; res.end('next'); };
    assert.deepEqual(side(await calls(4, { headers: { 'X-Canary': 'always' } })), { stable: 4, next: 0 });
    assert.deepEqual([next.seen.length, canary().calls, canary().errors], [4, 4, 4]);
    gw.cli('policy', 'unset', '--scope', 'api:orders');
    gw.cli('canary', 'end', 'orders');
  });

  it('meets consumers with faults that they asked for, and nobody else', async () => {
    for (const c of documented('fault add', id).slice(0, 2)) gw.cli(...c);
    let waited;
    await until(async () => {                    // on a busy machine two seconds may be too little for the other one: once more
      let over = false;
      const slow = call({ headers: { 'X-Fault': 'slow' } }).then((r) => { over = true; return r; });
      const other = await call().then((r) => ({ status: r.status, sooner: !over }));
      waited = await slow;
      assert.deepEqual([waited.status, waited.text, other.status], [200, 'stable', 200]);
      return other.sooner;
    }, 'a call without the field that does not wait');
    stable.seen = [];
    const down = await call({ headers: { 'X-Fault': 'down' } });
    assert.deepEqual([down.status, JSON.parse(down.text).statusCode, stable.seen.length], [503, 503, 0]);
    const row = await record(down);
    assert.deepEqual([row.reason, row.decision], ['fault_injected', 'fault: status 503']);
    assert.equal((await record(waited)).decision, 'fault: delay of 2000 ms');
    assert.equal((await call({ headers: { 'X-Fault': 'other' } })).status, 200);
    assert.deepEqual(gw.cli('fault', 'list', '--format', 'json').json().map((f) => [f.header, f.delayMs, f.status]),
      [['X-Fault: slow', 2000, 0], ['X-Fault: down', 0, 503]]);
    gw.cli('fault', 'end', 'orders');
    gw.cli(...documented('fault add', id)[2]);
    const partner = await calls(40, { headers: { 'Ocp-Apim-Subscription-Key': key.partner } });
    assert.ok(Math.abs(partner.filter((r) => r.status === 500).length - 4) <= 2);
    assert.ok((await calls(20)).every((r) => r.status === 200));
    gw.cli('fault', 'end', 'orders');
    assert.match(gw.cli('fault', 'add', 'orders', { fails: true }).stderr, /does nothing/);
    assert.match(gw.cli('fault', 'add', 'orders', '--status', '99', { fails: true }).stderr, /traffic-rule api:orders: faults\/0\/abortStatus: must be from 400 to 599/);
  });

  it('copies calls without credentials, waits for none of them, and counts', async () => {
    gw.cli(...documented('mirror set')[0]);
    next.reply = () => {};                                         // hangs: nobody notices
    const all = await calls(60, { headers: { Authorization: 'Bearer mine', Cookie: 'a=1', 'X-Api-Key': 'k', 'X-Kind': 'copy' } });
    assert.ok(all.every((r) => r.status === 200 && r.text === 'stable'));
    await until(() => next.seen.length >= 28, 'the copies');
    const one = next.seen[0];
    assert.deepEqual([one.method, one.url, one.headers['x-kind'], one.headers.authorization, one.headers.cookie, one.headers['x-api-key']],
      ['GET', '/base-next/x?q=1', 'copy', undefined, undefined, undefined]);
    assert.match(stable.seen[0].headers.authorization, /mine/);
    assert.equal(one.headers.host, new URL(next.url).host);
    // one that broke off on a connection that had been used before is sent once more
    let last;
    await until(() => {
      next.server.closeAllConnections();
      const { failed } = mirrored(), was = last;
      last = `${failed} ${next.seen.length}`;
      return failed >= 28 && last === was;           // and none is on its way for the second time
    }, 'the count of those that failed');
    next.reply = null;
    next.seen = [];
    assert.equal((await call({ method: 'POST', body: 'order' })).status, 200);
    gw.cli('mirror', 'set', 'orders', '--method', 'POST', '--percent', '100', '--max-body', '16', '--credentials', 'yes');
    const was = mirrored();
    await call({ method: 'POST', body: 'order', headers: { Authorization: 'Bearer mine', 'Content-Length': 5 } });
    await call({ method: 'POST', body: 'x'.repeat(17), headers: { 'Content-Length': 17 } });
    await call();
    const now = await until(() => mirrored().sent > was.sent && mirrored().skipped > was.skipped && mirrored(), 'the counts');
    assert.deepEqual([now.sent - was.sent, now.skipped - was.skipped], [1, 1]);
    assert.deepEqual(next.seen.map((r) => [r.method, r.body, r.headers.authorization]), [['POST', 'order', 'Bearer mine']]);
    gw.cli('policy', 'set', '--scope', 'api:orders', gw.file('own.xml', '<policies><inbound><base /><set-header name="Authorization" exists-action="override">'
      + '<value>Bearer of-the-backend</value></set-header></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>'));
    await call({ method: 'POST', body: 'own', headers: { Authorization: 'Bearer mine', Cookie: 'a=1', 'Content-Length': 3 } });
    await until(() => next.seen.length === 2, 'another copy');
    assert.equal(stable.seen.at(-1).headers.authorization, 'Bearer of-the-backend');
    assert.deepEqual([next.seen[1].headers.authorization, next.seen[1].headers.cookie], [undefined, 'a=1'], 'what a policy shows is for its backend');
    gw.cli('mirror', 'set', 'orders', '--max-in-flight', '1', '--method', 'GET');
    const open = new Set();
    next.reply = (req, res) => {                                   // never comes to an end by itself
      const drip = setInterval(() => res.write('.'), 200);
      open.add(res);
      res.on('close', () => { clearInterval(drip); open.delete(res); });
    };
    const begun = Date.now();
    await calls(30);
    const most = 2 * (1 + Math.ceil((Date.now() - begun) / 4000));             // one of each worker, and the next when one is given up
    assert.ok(mirrored().skipped - now.skipped >= 30 - most, `at most one of each worker is under way: ${mirrored().skipped - now.skipped} skipped`);
    await until(() => open.size > 0, 'copies under way');
    gw.cli('mirror', 'set', 'others', '--backend', 'orders-next', '--max-in-flight', '1');
    await until(async () => { await call({ api: 'others' }); return next.seen.some((r) => r.headers['x-api'] === 'others'); }, 'a copy of another API');
    gw.cli('mirror', 'end', 'others');
    gw.cli('mirror', 'end', 'orders');
    await until(() => open.size === 0, 'copies that are given up');
    next.seen = [];
    await calls(10);
    assert.deepEqual([next.seen.length, gw.cli('mirror', 'list', '--format', 'json').json().length], [0, 0]);
  });
});
