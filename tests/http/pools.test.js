// Backends that fail: circuit breakers that all workers share, pools that spread calls and leave out who is away, sessions that
// stay where they are.
'use strict';
const { describe, it, before, after, beforeEach } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { start, until, freePort, SERVERS } = require('./harness');
const { tokenEndpoint } = require('./token-endpoint');

// A backend that can be killed and brought back on its port; says its name, answers as `node.reply` tells.
async function node(name) {
  const n = { name, seen: 0, reply: null, port: await freePort() };     // which nobody else takes while it is down
  n.up = (port = n.port) => new Promise((resolve, reject) => {
    n.server = http.createServer((req, res) => {
      req.resume();
      req.on('end', () => {
        n.seen++;
        if (n.reply) n.reply(req, res); else res.end(name);
      });
    });
    n.server.keepAliveTimeout = 60000;
    n.server.once('error', reject);
    n.server.listen(port, '127.0.0.1', () => { n.port = n.server.address().port; n.server.unref(); resolve(); });
  });
  n.down = () => new Promise((resolve) => { n.server.close(resolve); n.server.closeAllConnections(); });
  await n.up();
  n.url = `http://127.0.0.1:${n.port}`;
  return n;
}

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'A', version: '1' },
  paths: { '/x': { get: { responses: { 200: { description: 'ok' } } }, post: { responses: { 200: { description: 'ok' } } } } } });
const breaker = (condition, more = {}) => JSON.stringify({ circuitBreaker: { rules: [{ name: 'r', failureCondition: condition, tripDuration: 'PT1S', ...more }] } });

describe('backends that fail', () => {
  let gw, a, b, c, d, erp;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

  const call = (api, { method = 'GET', headers = {}, body } = {}) => new Promise((resolve, reject) => {
    const req = http.request(`${gw.url}/api/${api}/x`, { agent, method, headers }, (res) => {
      let text = '';
      res.on('data', (t) => { text += t; });
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
    });
    req.on('error', reject);
    req.end(body);
  });
  const listed = (id) => gw.cli('backend', 'list', '--format', 'json').json().find((x) => x.id === id);
  const api = (g, name, backend) => {
    g.cli('import', 'openapi', g.file('a.json', DESCRIPTION), '--path', name, '--name', name, '--backend', 'http://127.0.0.1:1', '--product', 'open');
    g.cli('api', 'set', name, '--backend-id', backend);
  };

  before(async () => {
    [a, b, c, d, erp] = await Promise.all(['a', 'b', 'c', 'd', 'erp'].map(node));
    gw = await start({ server: SERVERS[0], workers: 4, config: { 'pool.eject_ms': 100, 'pool.eject_max_ms': 200 }, setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      for (const n of [a, b, c, d]) g.cli('backend', 'set', n.name, '--url', n.url);
      g.cli('backend', 'set', 'erp', '--url', erp.url, '--breaker', g.file('b.json', breaker({ count: 3, interval: 'PT1H' })));
      g.cli('backend', 'set', 'three', '--member', 'a:5', '--member', 'b:3', '--member', 'c:2', '--member', 'd:1:2');
      g.cli('backend', 'set', 'sticky', '--member', 'a', '--member', 'b', '--member', 'c', '--affinity-cookie', 'SessionId');
      g.cli('backend', 'set', 'hashed', '--member', 'a', '--member', 'b', '--member', 'c', '--balance', 'hash', '--hash-on', 'header:X-Tenant');
      for (const [name, backend] of [['erp', 'erp'], ['three', 'three'], ['sticky', 'sticky'], ['hashed', 'hashed']]) api(g, name, backend);
      for (const name of ['erp', 'three', 'sticky', 'hashed']) g.cli('api', 'set', name, '--require-key', 'no');
    } });
  });
  after(async () => {
    agent.destroy();
    await gw?.stop();
    for (const n of [a, b, c, d, erp]) await n?.down().catch(() => {});
  });
  beforeEach(() => { for (const n of [a, b, c, d, erp]) { n.seen = 0; n.reply = null; } });

  it('opens a circuit breaker for all workers, probes with one call, closes it', async () => {
    erp.reply = (req, res) => { res.statusCode = 500; res.end('no'); };
    for (let i = 0; i < 3; i++) assert.equal((await call('erp')).status, 500);
    const shut = await Promise.all(Array.from({ length: 16 }, () => call('erp')));
    if (erp.seen === 3) {                  // the machine was not so slow that a second went by
      assert.deepEqual(new Set(shut.map((r) => r.status)), new Set([503]));
      assert.equal(shut[0].headers['retry-after'], '1');
      assert.match(JSON.parse(shut[0].text).message, /not asked/);
    }
    let answer;
    const held = new Promise((resolve) => { erp.reply = (req, res) => { answer = () => res.end('well'); resolve(); }; });
    const probes = [];
    erp.seen = 0;
    while (!erp.seen) {
      probes.push(...Array.from({ length: 8 }, () => call('erp')));
      await Promise.race([held, new Promise((r) => { setTimeout(r, 100); })]);
    }
    assert.deepEqual((await Promise.all(Array.from({ length: 8 }, () => call('erp')))).map((r) => r.status), Array(8).fill(503));
    assert.equal(erp.seen, 1, 'one probe over all workers');
    assert.equal(listed('erp').breaker, 'half-open');
    answer();
    erp.reply = null;
    const done = await Promise.all(probes);
    assert.equal(done.filter((r) => r.status === 200).length, 1);
    assert.equal(done.filter((r) => r.status === 503).length, done.length - 1);
    assert.deepEqual((await Promise.all(Array.from({ length: 8 }, () => call('erp')))).map((r) => r.text), Array(8).fill('erp'));
    const row = listed('erp');
    assert.deepEqual([row.breaker, row.openSeconds], ['closed', 0]);
    assert.ok(row.trips >= 1);
  });

  it('counts what the backend says to another token', async () => {
    const idp = await tokenEndpoint();
    gw.cli('credential', 'set', 'idp', '--kind', 'client-credentials', '--set', `token-url=${idp.url}`, '--set', `client-id=${idp.clientId}`,
      '--secret-file', `client-secret=${gw.file('secret', idp.secret)}`);
    gw.cli('backend', 'set', 'guarded', '--url', erp.url, '--credential', 'idp', '--breaker', gw.file('g.json', breaker({ count: 2, interval: 'PT1H' }, { tripDuration: 'PT1H' })));
    api(gw, 'guarded', 'guarded');
    gw.cli('api', 'set', 'guarded', '--require-key', 'no');
    let n = 0;
    erp.reply = (req, res) => { res.statusCode = n++ % 2 ? 500 : 401; res.end('no'); };      // the first token is refused each time
    for (let i = 0; i < 2; i++) assert.equal((await call('guarded')).status, 500);
    assert.equal((await call('guarded')).status, 503);
    assert.deepEqual([n, idp.requests.length >= 2], [4, true]);
    gw.cli('backend', 'set', 'guarded', '--breaker', 'none');
    await idp.close();
  });

  it('says in the record which backend it was', async () => {
    const rows = await until(() => {
      const all = gw.cli('log', '--api', 'erp', '--status', '503', '--format', 'json').stdout.trim();
      return all.length > 2 && all;
    }, 'the record');
    assert.match(rows, /backend_breaker_open/);
    assert.match(rows, /The circuit breaker of the backend erp is open/);
  });

  it('takes Retry-After of the backend for the time it stays open', async () => {
    gw.cli('backend', 'set', 'erp', '--breaker', gw.file('b2.json', breaker({ count: 1, interval: 60, statusCodeRanges: [{ min: 429, max: 429 }] }, { acceptRetryAfter: true })));
    erp.reply = (req, res) => { res.writeHead(429, { 'Retry-After': '300' }); res.end(); };
    assert.equal((await call('erp')).status, 429);
    const shut = await call('erp');
    assert.equal(shut.status, 503);
    assert.ok(shut.headers['retry-after'] > 200 && shut.headers['retry-after'] <= 300, shut.headers['retry-after']);
    assert.equal(listed('erp').breaker, 'open');
    gw.cli('backend', 'set', 'erp', '--breaker', 'none');
    assert.equal((await call('erp')).status, 429, 'without a breaker nobody is kept away');
  });

  it('refuses a document that promises what is not kept', () => {
    const r = gw.cli('backend', 'set', 'erp', '--breaker', gw.file('b3.json', '{"rules":[{"trip":1}]}'), { fails: true });
    assert.equal(r.code, 1);
    assert.match(r.stderr, /circuit breaker: the rule has no member "trip"/);
    assert.match(gw.cli('backend', 'set', 'three', '--breaker', gw.file('b4.json', '{"rules":[]}'), { fails: true }).stderr, /breaker: a pool has none; its members have/);
    assert.match(gw.cli('backend', 'set', 'erp', '--balance', 'hash', { fails: true }).stderr, /for pools/);
  });

  // `n` calls of eight clients at a time.
  async function calls(name, n, each = () => ({})) {
    const results = [];
    await Promise.all(Array.from({ length: 8 }, async () => { while (n-- > 0) results.push(await call(name, each(n))); }));
    return results;
  }

  it('spreads calls 5:3:2 over all workers', async () => {
    const all = await calls('three', 1000);
    assert.ok(all.every((r) => r.status === 200));
    for (const [n, share] of [[a, 500], [b, 300], [c, 200], [d, 0]]) assert.ok(Math.abs(n.seen - share) <= 20, `${n.name}: ${n.seen} for ${share}`);
  });

  it('loses no call when a member is killed and brought back under load', async () => {
    let stop = false, made = 0;
    const bad = [];
    const load = Promise.all(Array.from({ length: 8 }, async () => {
      while (!stop) {
        const r = await call('three');
        made++;
        if (r.status !== 200) bad.push(`${r.status} ${r.text}`);
      }
    }));
    for (let i = 0; i < 6; i++) {
      const victim = [a, b, c][i % 3];
      await victim.down();
      const from = made;
      await until(() => made > from + 60, 'calls without it');
      await victim.up();
      const seen = victim.seen;
      await until(() => victim.seen > seen + 5, `${victim.name} to be asked again`);
    }
    stop = true;
    await load;
    assert.deepEqual(bad, []);
  });

  it('goes to the next group when the first is away, and comes back', async () => {
    await Promise.all([a, b, c].map((n) => n.down()));
    const all = await calls('three', 100);
    assert.deepEqual(all.filter((r) => r.status !== 200 || r.text !== 'd').map((r) => r.status), []);
    const posts = await calls('three', 20, () => ({ method: 'POST', body: 'order', headers: { 'Content-Length': 5 } }));
    assert.ok(posts.every((r) => r.status === 200), 'what was not sent may be sent elsewhere, whatever it is');
    assert.equal(d.seen, 120);
    await Promise.all([a, b, c].map((n) => n.up()));
    await until(async () => ['a', 'b', 'c'].includes((await call('three')).text), 'the first group');
    await until(async () => { await call('three'); return a.seen && b.seen && c.seen; }, 'all of it');
  });

  it('answers 502 when nobody is there', async () => {
    await Promise.all([a, b, c, d].map((n) => n.down()));
    const all = await calls('three', 20);
    assert.deepEqual([...new Set(all.map((r) => r.status))], [502]);
    const nobody = await call('sticky');
    assert.deepEqual([nobody.status, nobody.headers['set-cookie']], [502, undefined], 'no session stays with a member that did not answer');
    await Promise.all([a, b, c, d].map((n) => n.up()));
    await until(async () => (await call('three')).status === 200, 'them to be back');
    for (const n of [a, b, c]) await until(async () => { await call('three'); return listed(n.name).ejectedSeconds === 0; }, `${n.name} to be asked`);
  });

  it('leaves out a member whose health checks fail, until they succeed', async () => {
    const check = gw.file('h.json', JSON.stringify({ path: '/health', interval: 1, timeout: 60, unhealthyThreshold: 2, healthyThreshold: 1 }));
    let well = false;
    const asked = [];
    a.reply = (req, res) => {
      if (req.url === '/health') { asked.push(req.headers['user-agent']); res.statusCode = well ? 200 : 503; }
      res.end('a');
    };
    gw.cli('backend', 'set', 'a', '--health', check);
    gw.cli('backend', 'set', 'b', '--health', check);
    await until(() => listed('a').health === 'down (503)' && listed('b').health === 'up', 'the checks to tell');
    assert.ok(asked.length >= 2 && asked[0].startsWith('gatehouse-health/'));
    const without = await calls('three', 60);
    assert.deepEqual([...new Set(without.map((r) => r.text))].sort(), ['b', 'c']);
    well = true;
    await until(async () => (await call('three')).text === 'a', 'it to be asked again');
    assert.equal(listed('a').health, 'up');
    const doctor = gw.cli('doctor', '--format', 'json', { fails: true }).json();
    assert.deepEqual(doctor.filter((f) => /backend/.test(f.what)), []);
    gw.cli('backend', 'set', 'a', '--health', 'none');
    gw.cli('backend', 'set', 'b', '--health', 'none');
    assert.equal(listed('a').health, '');
    assert.match(gw.cli('backend', 'set', 'a', '--health', gw.file('h2.json', '{"path":"x"}'), { fails: true }).stderr, /"path" begins with \//);
  });

  it('keeps a session on its member by a cookie that does not name it', async () => {
    const first = await call('sticky');
    const cookie = first.headers['set-cookie'][0];
    assert.match(cookie, /^SessionId=[\w-]{12}; Path=\/; HttpOnly; SameSite=Lax$/);
    const again = await calls('sticky', 30, () => ({ headers: { Cookie: `x=1; ${cookie.split(';')[0]}` } }));
    assert.deepEqual([...new Set(again.map((r) => r.text))], [first.text]);
    assert.ok(again.every((r) => !r.headers['set-cookie']));
    const home = [a, b, c].find((n) => n.name === first.text);
    await home.down();
    const moved = await call('sticky', { headers: { Cookie: cookie.split(';')[0] } });
    assert.equal(moved.status, 200);
    assert.notEqual(moved.headers['set-cookie'][0], cookie);
    await home.up();
  });

  it('sets no cookie for a member that broke off, when the answer is our own', async () => {
    gw.cli('policy', 'set', '--scope', 'api:sticky', gw.file('held.xml', '<policies><inbound><base /></inbound><backend><base /></backend>'
      + '<outbound><base /><set-body>@(context.Response.Body.As&lt;string&gt;() + ".")</set-body></outbound><on-error><base /></on-error></policies>'));
    for (const n of [a, b, c]) n.reply = (req, res) => { res.writeHead(200, { 'Content-Length': 100 }); res.write('half', () => res.destroy()); };
    const broken = await call('sticky');
    assert.deepEqual([broken.status, broken.headers['set-cookie']], [502, undefined]);
    for (const n of [a, b, c]) n.reply = null;
    assert.ok((await until(async () => { const r = await call('sticky'); return r.status === 200 && r; }, 'a member')).headers['set-cookie']);
  });

  it('tells policies whether the backend is a pool', async () => {
    for (const [name, type] of [['erp', 'Single'], ['three', 'Pool']]) {
      gw.cli('policy', 'set', '--scope', `api:${name}`, gw.file('p.xml', '<policies><inbound><base /></inbound><backend><base /></backend><outbound><base />'
        + '<set-header name="X-Type" exists-action="override"><value>@(context.Backend.Type.ToString())</value></set-header></outbound><on-error><base /></on-error></policies>'));
      assert.equal((await until(async () => { const r = await call(name); return r.status === 200 && r; }, name)).headers['x-type'], type);
    }
  });

  it('sends equal keys to the same member', async () => {
    await until(async () => { await Promise.all(['t1', 't2', 't3', 't4', 't5', 't6', 't7', 't8'].map((t) => call('hashed', { headers: { 'X-Tenant': t } })));
      return [a, b, c].every((n) => n.seen); }, 'every member to have a tenant');
    for (const tenant of ['t1', 't2', 't3', 't4'])
      assert.equal(new Set((await calls('hashed', 12, () => ({ headers: { 'X-Tenant': tenant } }))).map((r) => r.text)).size, 1);
  });
});
