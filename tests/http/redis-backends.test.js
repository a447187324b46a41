// What two gateway installations know together about backends, through one Redis: the tokens that they show to them, and
// which of them are out of order.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { backend, until } = require('./harness');
const { tokenEndpoint } = require('./token-endpoint');
const { redis, command, freePort, pair, clear } = require('./redis-pair');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': { get: { responses: { 200: { description: 'ok' } } } } } });
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
const call = (gw, api) => new Promise((resolve, reject) => {
  http.get(`${gw.url}/api/${api}/things`, { agent }, (res) => {
    let text = '';
    res.on('data', (d) => { text += d; });
    res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
  }).on('error', reject);
});
const many = (p, api, n) => Promise.all(p.both.flatMap((gw) => Array.from({ length: n }, () => call(gw, api))));
const statuses = (all) => [...new Set(all.map((r) => r.status))];

describe('backends of two machines', () => {
  let server, idp, guarded, p;
  before(async () => {
    server = await redis('backends', await freePort());
    idp = await tokenEndpoint();
    guarded = await backend((req, res) => {
      const token = /^Bearer (.*)$/.exec(req.headers.authorization || '')?.[1];
      res.statusCode = idp.live(token) ? 200 : 401;
      res.end(token);
    });
    p = await pair({ redis: `redis://127.0.0.1:${server.port}`, 'credential.timeout_ms': 1000 }, (g) => {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      for (const id of ['erp', 'crm', 'late', 'alone']) {
        g.cli('credential', 'set', id, '--kind', 'client-credentials', '--set', `token-url=${idp.url}`, '--set', `client-id=${idp.clientId}`,
          '--set', `scope=${id}`, '--secret-file', `client-secret=${g.file('secret', idp.secret)}`);
        g.cli('backend', 'set', id, '--url', guarded.url, '--credential', id);
        g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', id, '--name', id, '--backend', guarded.url, '--product', 'open');
        g.cli('api', 'set', id, '--backend-id', id, '--require-key', 'no');
      }
    });
  });
  after(async () => { agent.destroy(); await p?.stop(); await guarded?.close(); await idp?.close(); clear(); });

  const asked = (id) => idp.requests.filter((r) => r.form.get('scope') === id).length;

  it('one of all workers of both asks for a token, and the others show it too', async () => {
    idp.state.delayMs = 150;
    const all = await many(p, 'erp', 12);
    idp.state.delayMs = 0;
    assert.deepEqual(statuses(all), [200]);
    assert.equal(new Set(all.map((r) => r.text)).size, 1);
    assert.equal(asked('erp'), 1);
  });

  it('keeps nothing there that could be read', () => {
    const keys = command(server.port, 'KEYS', '*').split('\n');
    assert.ok(keys.every((k) => /^gatehouse:(token:[0-9a-f]{32}|\{backends\}.*)$/.test(k)), keys.join(' '));
    const token = keys.find((k) => k.includes(':token:')), all = command(server.port, 'HGETALL', token);
    assert.match(all, /sealed/);
    for (const secret of [idp.issued[0].token, idp.issued[0].token.slice(6, 20), idp.secret, 'erp', 'Bearer'])
      assert.ok(!all.includes(secret), `${secret} can be read`);
    const left = Number(command(server.port, 'TTL', token));
    assert.ok(left > 3000 && left <= 3600, `${left} s`);
  });

  it('a token that a backend refuses is replaced once for both', async () => {
    idp.revoke();
    for (const gw of p.both) assert.equal((await call(gw, 'erp')).status, 200);
    assert.equal(asked('erp'), 2);
  });

  it('who forgets its tokens gets a new one, not the old one back', async () => {
    const [one, two] = p.both;
    const before = (await call(two, 'erp')).text;
    one.cli('token', 'purge');
    assert.notEqual((await call(one, 'erp')).text, before);
    assert.equal(asked('erp'), 3);
    assert.equal((await call(two, 'erp')).text, before);
  });

  it('the endpoint may be away when another machine has the token', async () => {
    const first = (await call(p.both[0], 'crm')).text;
    await idp.down();
    assert.deepEqual([(await call(p.both[1], 'crm'))].map((r) => [r.status, r.text]), [[200, first]]);
    await idp.up();
  });

  it('who waits for another machine waits no longer than credential.timeout_ms', async () => {
    let hangs = 0;
    idp.state.reply = () => { hangs++; return hangs === 1; };          // the first one never gets an answer
    const first = call(p.both[0], 'late');
    await until(() => hangs === 1, 'a request that hangs');
    assert.equal((await call(p.both[1], 'late')).status, 200);
    idp.state.reply = null;
    await first;
    assert.equal(asked('late'), 2);
  });

  it('without Redis each machine asks for itself', async () => {
    await server.stop();
    await until(async () => { const all = await many(p, 'alone', 1); return statuses(all)[0] === 200; }, 'tokens without Redis');
    assert.equal(asked('alone'), 2);
  });
});
