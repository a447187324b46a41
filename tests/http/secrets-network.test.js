// From where calls come: networks that may and may not call, over https or not, and who the caller is behind proxies.
'use strict';
const { describe, it, test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { start, backend, until, SERVERS } = require('./harness');
const { startWorker } = require('./worker');
const { connect } = require('./fcgi-client');

let w, things;
const call = async (options = {}) => {
  const c = await connect(w.socket);
  const r = await c.request({ path: options.path ?? `${w.path}/x`, method: options.method, headers: options.headers,
    params: { REMOTE_ADDR: options.from ?? '203.0.113.9', ...options.params } });
  c.close();
  return { status: r.status, headers: r.headers, text: r.body.toString() };
};
const sent = async (options) => {
  const r = await call(options);
  assert.equal(r.status, 200, r.text);
  return JSON.parse(r.text).headers;
};
const network = (...args) => w.gw.cli('network', 'set', '--scope', ...args);
const eventually = (status, options) => until(async () => (await call(options)).status === status, `${status} for ${JSON.stringify(options)}`);

before(async () => {
  things = await backend();
  w = await startWorker({ backend: things.url, config: { 'gateway.trusted_proxies': '10.0.0.0/8, 2001:db8:f::/48', 'snapshot.poll_ms': 10 } });
  w.gw.cli('policy', 'set', '--scope', 'api:echo', w.gw.file('p.xml', `<policies><inbound><base />
    <set-header name="X-Ip" exists-action="override"><value>@(context.Request.IpAddress)</value></set-header></inbound>
    <backend><base /></backend><outbound><base /></outbound><on-error><base />
    <set-header name="X-Error" exists-action="override"><value>@(context.LastError.Source + " " + context.LastError.Reason)</value></set-header>
    </on-error></policies>`));
  await until(async () => (await sent())['x-ip'], 'the policy');
});
after(async () => { await w?.stop(); await things?.close(); });

test('the caller behind trusted proxies, and no tale of the caller', async () => {
  const rows = [
    // from, X-Forwarded-For, the caller, X-Forwarded-For sent on
    ['203.0.113.9', undefined, '203.0.113.9', '203.0.113.9'],
    ['203.0.113.9', '127.0.0.1', '203.0.113.9', '127.0.0.1, 203.0.113.9'],
    ['10.0.0.1', '198.51.100.7', '198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', '127.0.0.1, 198.51.100.7, 10.0.0.2', '198.51.100.7', '127.0.0.1, 198.51.100.7'],
    ['10.0.0.1', 'nonsense', '10.0.0.1', 'nonsense, 10.0.0.1'],
    ['2001:db8:f::1', '2001:db8:1::9', '2001:db8:1::9', '2001:db8:1::9'],
    ['::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7', '198.51.100.7'],
    ['::ffff:203.0.113.9', '198.51.100.7', '203.0.113.9', '198.51.100.7, 203.0.113.9'],
  ];
  for (const [from, hops, caller, on] of rows) {
    const h = await sent({ from, headers: hops ? { 'X-Forwarded-For': hops, Forwarded: 'for=1.1.1.1' } : { Forwarded: 'for=1.1.1.1' } });
    assert.equal(h['x-ip'], caller, `${from} ${hops}`);
    assert.equal(h['x-forwarded-for'], on, `${from} ${hops}`);
    assert.match(h.forwarded, new RegExp(`^for=1\\.1\\.1\\.1, for="?\\[?${caller}\\]?"?;`));
  }
});

test('the scheme is that of the web server, or what trusted proxies say', async () => {
  const proto = async (options) => (await sent(options))['x-forwarded-proto'];
  assert.equal(await proto({}), 'http');
  assert.equal(await proto({ params: { HTTPS: 'on' } }), 'https');
  assert.equal(await proto({ headers: { 'X-Forwarded-Proto': 'https' } }), 'http');
  assert.equal(await proto({ from: '10.0.0.1', headers: { 'X-Forwarded-Proto': 'https' } }), 'https');
  assert.equal(await proto({ from: '10.0.0.1', params: { HTTPS: 'on' }, headers: { 'X-Forwarded-Proto': 'http' } }), 'http');
  assert.equal(await proto({ from: '10.0.0.1', params: { HTTPS: 'on' } }), 'https');
});

test('lists of networks on an API, with a reason and a record', async () => {
  network('api:echo', '--allow', '203.0.113.0/24,2001:db8::/32', '--deny', '203.0.113.128/25');
  await eventually(403, { from: '203.0.113.200' });
  assert.equal((await call({ from: '203.0.113.9' })).status, 200);
  assert.equal((await call({ from: '2001:db8::7' })).status, 200);
  const elsewhere = await call({ from: '198.51.100.1' });
  assert.equal(elsewhere.status, 403);
  assert.equal(elsewhere.headers['x-error'], 'network CallerIpNotAllowed');
  assert.match(elsewhere.text, /"message": ?"Forbidden"/);
  assert.ok(!elsewhere.text.includes('198.51.100.1'));
  const denied = await call({ from: '203.0.113.200' });
  assert.equal(denied.headers['x-error'], 'network CallerIpBlocked');
  // the lists see who is behind a proxy, and not who says so
  assert.equal((await call({ from: '10.0.0.1', headers: { 'X-Forwarded-For': '203.0.113.9' } })).status, 200);
  assert.equal((await call({ from: '198.51.100.1', headers: { 'X-Forwarded-For': '203.0.113.9' } })).status, 403);
  assert.equal((await call({ from: '10.0.0.1', headers: { 'X-Forwarded-For': '203.0.113.9, 198.51.100.1' } })).status, 403);
  assert.equal((await call({ from: 'unix:' })).status, 403);
  const keeper = spawnSync(path.join(w.gw.bin, 'gatehouse-keeper'), ['--state', w.gw.state, '--once'], { encoding: 'utf8' });
  assert.equal(keeper.status, 0, keeper.stderr);
  const record = JSON.parse(w.gw.cli('log', '--request-id', denied.headers['x-request-id'], '--format', 'json').stdout);
  assert.equal(record.reason, 'ip_denied');
  assert.equal(record.clientIp ?? record.client_ip, '203.0.113.200');
  assert.match(record.decision, /203\.0\.113\.200 is on the deny list of api echo/);
  assert.match(record.detail, /check=ip expected="not on the deny list of api echo" got=203\.0\.113\.200/);
  w.gw.cli('network', 'unset', '--scope', 'api:echo');
  await eventually(200, { from: '198.51.100.1' });
});

test('rules of all calls, of a product and of an API hold together', async () => {
  network('global', '--deny', '192.0.2.1');
  network('product:open', '--allow', '192.0.2.0/24');
  network('api:echo', '--deny', '192.0.2.3');
  await eventually(403, { from: '192.0.2.3' });
  await eventually(403, { from: '192.0.2.1' });
  await eventually(403, { from: '198.51.100.1' });
  assert.equal((await call({ from: '192.0.2.4' })).status, 200);
  assert.equal((await call({ from: '192.0.2.1', path: '/api/nowhere' })).status, 403);
  assert.equal((await call({ from: '192.0.2.4', path: '/api/nowhere' })).status, 404);
  assert.equal((await call({ from: '192.0.2.1', path: '/api/-/health' })).status, 200);
  for (const path of ['/api/-/iap/callback', '/api/-/iap/nothing', '/api/-/oauth2/jwks'])
    assert.equal((await call({ from: '192.0.2.1', path })).status, 403, path);
  assert.equal((await call({ from: '192.0.2.4', path: '/api/-/iap/callback' })).status, 400);
  assert.deepEqual(w.gw.cli('network', 'list', '--format', 'json').json().map((r) => [r.scope, r.allow, r.deny]),
    [['global', '', '192.0.2.1'], ['api:echo', '', '192.0.2.3'], ['product:open', '192.0.2.0/24', '']]);
  for (const scope of ['global', 'product:open', 'api:echo']) w.gw.cli('network', 'unset', '--scope', scope);
  await eventually(200, { from: '192.0.2.1' });
  assert.match(network('api:echo', '--allow', '10.0.0.0/40', { fails: true }).stderr, /'10\.0\.0\.0\/40' is no IP address or network/);
  assert.match(network('api:nope', '--allow', '10.0.0.1', { fails: true }).stderr, /there is no API 'nope'/);
  network('api:echo', '--allow-file', w.gw.file('nets', '192.0.2.7\n198.51.100.0/24 2001:db8::/32\n'));
  await eventually(403, { from: '203.0.113.9' });
  await eventually(200, { from: '198.51.100.9' });
  network('api:echo', '--allow', 'none');
  await eventually(200, { from: '203.0.113.9' });
  w.gw.cli('network', 'unset', '--scope', 'api:echo');
});

test('https only: refused, with a reason', async () => {
  network('api:echo', '--https-only', 'yes');
  await eventually(403, {});
  const r = await call({});
  assert.match(r.text, /This is served over https only/);
  assert.equal(r.headers['x-error'], 'network HttpsRequired');
  assert.equal((await call({ params: { HTTPS: 'on' } })).status, 200);
  assert.equal((await call({ headers: { 'X-Forwarded-Proto': 'https' } })).status, 403);
  assert.equal((await call({ from: '10.0.0.1', headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.9' } })).status, 200);
  w.gw.cli('network', 'unset', '--scope', 'api:echo');
});

describe('https only, redirected; Forwarded in place of X-Forwarded-For', () => {
  let other;
  const one = async (options) => {
    const c = await connect(other.socket);
    const r = await c.request({ path: options.path ?? '/api/echo/x', query: options.query, method: options.method, headers: options.headers,
      params: { REMOTE_ADDR: options.from ?? '203.0.113.9', ...options.params } });
    c.close();
    return { status: r.status, headers: r.headers, text: r.body.toString() };
  };
  before(async () => {
    other = await startWorker({ backend: things.url, config: { 'gateway.trusted_proxies': '10.0.0.0/8', 'gateway.proxy_header': 'Forwarded',
      'gateway.https_redirect': 'yes', 'gateway.https_port': 8443 } });
    other.gw.cli('network', 'set', '--scope', 'api:echo', '--https-only', 'yes');
    await until(async () => (await one({})).status === 308, 'the rule');
  });
  after(() => other?.stop());

  it('says where', async () => {
    const r = await one({ params: { REQUEST_URI: '/api/echo/x?a=1&b=%2F', QUERY_STRING: 'a=1&b=%2F' } });
    assert.equal(r.status, 308);
    assert.equal(r.headers.location, 'https://gw.example:8443/api/echo/x?a=1&b=%2F');
  });
  it('believes Forwarded of proxies only', async () => {
    const r = await one({ from: '10.0.0.1', headers: { Forwarded: 'for=1.1.1.1, for="[2001:db8::9]:1";proto=https', 'X-Forwarded-For': '9.9.9.9' } });
    assert.equal(r.status, 200, r.text);
    const h = JSON.parse(r.text).headers;
    assert.equal(h.forwarded, 'for=1.1.1.1, for="[2001:db8::9]";host="gw.example";proto=https');
    assert.equal(h['x-forwarded-for'], '9.9.9.9, 2001:db8::9');
    assert.equal((await one({ headers: { Forwarded: 'for=1.1.1.1;proto=https' } })).status, 308);
  });
});

for (const server of SERVERS) {
  describe(`behind ${server}`, () => {
    let gw, b;
    before(async () => {
      b = await backend();
      gw = await start({ server, workers: 1, config: { 'gateway.trusted_proxies': '127.0.0.1' }, setup(g) {
        g.cli('import', 'openapi', g.file('t.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' },
          paths: { '/x': { get: { responses: { 200: { description: 'ok' } } } } } })), '--path', 't', '--name', 't', '--backend', b.url);
        g.cli('api', 'set', 't', '--require-key', 'no');
        g.cli('network', 'set', '--scope', 'api:t', '--allow', '203.0.113.0/24', '--https-only', 'yes');
      } });
    });
    after(async () => { await gw?.stop(); await b?.close(); });

    it('the fields of a proxy arrive', async () => {
      const get = (headers) => fetch(`${gw.url}/api/t/x`, { headers });
      const good = await get({ 'X-Forwarded-For': '6.6.6.6, 203.0.113.9', 'X-Forwarded-Proto': 'https' });
      assert.equal(good.status, 200);
      assert.equal((await good.json()).headers['x-forwarded-for'], '6.6.6.6, 203.0.113.9');
      assert.equal((await get({ 'X-Forwarded-For': '203.0.113.9, 6.6.6.6', 'X-Forwarded-Proto': 'https' })).status, 403);
      assert.equal((await get({ 'X-Forwarded-For': '203.0.113.9' })).status, 403);
    });
  });
}
