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
const BREAKER = JSON.stringify({ circuitBreaker: { rules: [{ name: 'r', failureCondition: { count: 3, interval: 'PT1H' }, tripDuration: 'PT1S' }] } });
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
  let server, idp, guarded, erp, p;
  const seen = { reply: null, n: 0 };
  before(async () => {
    erp = await backend((req, res) => { seen.n++; if (seen.reply) seen.reply(req, res); else res.end('well'); });
    server = await redis('backends', await freePort());
    idp = await tokenEndpoint();
    guarded = await backend((req, res) => {
      const token = /^Bearer (.*)$/.exec(req.headers.authorization || '')?.[1];
      res.statusCode = idp.live(token) ? 200 : 401;
      res.end(token);
    });
    p = await pair({ redis: `redis://127.0.0.1:${server.port}`, 'credential.timeout_ms': 3000, 'redis.backends_ms': 50, 'pool.eject_ms': 60000,
      'pool.eject_max_ms': 60000 }, (g) => {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      for (const id of ['erp', 'crm', 'late', 'alone']) {
        g.cli('credential', 'set', id, '--kind', 'client-credentials', '--set', `token-url=${idp.url}`, '--set', `client-id=${idp.clientId}`,
          '--set', `scope=${id}`, '--secret-file', `client-secret=${g.file('secret', idp.secret)}`);
        g.cli('backend', 'set', id, '--url', guarded.url, '--credential', id);
        g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', id, '--name', id, '--backend', guarded.url, '--product', 'open');
        g.cli('api', 'set', id, '--backend-id', id, '--require-key', 'no');
      }
      g.cli('backend', 'set', 'fragile', '--url', erp.url, '--breaker', g.file('b.json', BREAKER));
      g.cli('backend', 'set', 'dead', '--url', 'http://127.0.0.1:1');
      g.cli('backend', 'set', 'alive', '--url', erp.url);
      g.cli('backend', 'set', 'pool', '--member', 'dead', '--member', 'alive');
      for (const id of ['fragile', 'pool']) {
        g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', id, '--name', id, '--backend', erp.url, '--product', 'open');
        g.cli('api', 'set', id, '--backend-id', id, '--require-key', 'no');
      }
    });
  });
  after(async () => { agent.destroy(); await p?.stop(); await guarded?.close(); await erp?.close(); await idp?.close(); clear(); });

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

  const listed = (gw, id) => gw.cli('backend', 'list', '--format', 'json').json().find((x) => x.id === id);
  const know = (id, field, want) => Promise.all(p.both.map((gw) => until(() => want(listed(gw, id)[field]), `${id}: ${field} on both`)));
  const broken = (req, res) => { res.statusCode = 500; res.end('no'); };

  it('a breaker that opens on one is open on both', async () => {
    const [one, two] = p.both;
    seen.reply = broken;
    for (let i = 0; i < 3; i++) assert.equal((await call(one, 'fragile')).status, 500);
    await until(() => listed(two, 'fragile').breaker !== 'closed', 'the other machine hears of it');
    assert.equal(seen.n, 3, 'nobody asked it again');
  });

  // Both are asked all the time; the backend holds what comes to it.
  async function probes() {
    const held = [], all = [];
    seen.reply = (req, res) => { if (held.push(res) > 1) res.end('a second probe'); };
    for (let rounds = 0; !held.length; rounds++) {
      assert.ok(rounds < 400, 'nobody probes');
      all.push(...p.both.flatMap((gw) => Array.from({ length: 4 }, () => call(gw, 'fragile'))));
      await new Promise((r) => { setTimeout(r, 50); });
    }
    const more = await many(p, 'fragile', 8);
    assert.deepEqual(statuses(more), [503]);
    assert.equal(held.length, 1, 'one probe over both machines');
    return { held: held[0], all };
  }

  it('one machine probes it, and both hear that it failed', async () => {
    const { held, all } = await probes();
    seen.reply = broken;
    broken(null, held);
    assert.equal((await Promise.all(all)).filter((r) => r.status !== 503).length, 1);
    assert.deepEqual(p.both.map((gw) => listed(gw, 'fragile').breaker === 'closed'), [false, false]);
  });

  it('or that it is well again', async () => {
    const { held, all } = await probes();
    seen.reply = null;
    held.end('well');
    assert.equal((await Promise.all(all)).filter((r) => r.status === 200).length, 1);
    await know('fragile', 'breaker', (b) => b === 'closed');
    assert.deepEqual(statuses(await many(p, 'fragile', 4)), [200]);
  });

  it('a member that one cannot reach is left out by both', async () => {
    await until(async () => { assert.equal((await call(p.both[0], 'pool')).status, 200); return listed(p.both[0], 'dead').ejectedSeconds > 0; }, 'ejected');
    await know('dead', 'ejectedSeconds', (s) => s > 30);
  });

  it('without Redis each machine asks for itself', async () => {
    await server.stop();
    await until(async () => { const all = await many(p, 'alone', 1); return statuses(all)[0] === 200; }, 'tokens without Redis');
    assert.equal(asked('alone'), 2);
  });

  it('and what happens meanwhile to a backend is told when Redis is back', async () => {
    const [one, two] = p.both;
    seen.reply = broken;
    for (let i = 0; i < 3; i++) assert.equal((await call(one, 'fragile')).status, 500);
    assert.notEqual(listed(one, 'fragile').breaker, 'closed');
    assert.equal((await call(two, 'fragile')).status, 500);
    server = await redis('backends', server.port);
    await until(() => listed(two, 'fragile').breaker !== 'closed', 'the other machine hears of it');
    seen.reply = null;
    await until(async () => (await call(two, 'fragile')).status === 200, 'closed by a probe');
    await know('fragile', 'breaker', (b) => b === 'closed');
  });
});
