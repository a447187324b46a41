// Limits that two gateway installations share through one Redis: a server, one over TLS with a password, the master of a Sentinel,
// and a Cluster. Each is real, and is killed and brought back.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { backend, until } = require('./harness');
const { Visitor } = require('./people');
const { redis, command, freePort, pair: twoOf, state, workDir, clear } = require('./redis-pair');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Plans', version: '1' },
  paths: { '/plans': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const POLICY = (kind) => `<policies><inbound><${kind} calls="40" renewal-period="300" counter-key="everybody" /></inbound></policies>`;
const LATE = '<policies><inbound><rate-limit-by-key calls="2" renewal-period="300" counter-key="late" '
  + 'increment-condition="@(context.Response.StatusCode == 200)" /></inbound></policies>';
// one counter, and each caller says what its limit is
const OWN = '<policies><inbound><rate-limit-by-key renewal-period="300" counter-key="own" '
  + 'calls="@(int.Parse(context.Request.Headers.GetValueOrDefault(&quot;X-Calls&quot;,&quot;1&quot;)))" /></inbound></policies>';

const KEPT = (key, where) => `<policies><inbound><cache-lookup-value key="${key}" default-value="none" variable-name="found" caching-type="${where}" />`
  + `<cache-store-value key="${key}" value="${key}" duration="60" caching-type="${where}" /><return-response><set-body>@((string)context.Variables["found"])`
  + '</set-body></return-response></inbound></policies>';

const CROWD = '<policies><inbound><base /></inbound><backend><limit-concurrency key="everybody" max-count="5"><forward-request /></limit-concurrency></backend></policies>';
const LEASE_MS = 6000;

let dir, plans;
const held = [];                                                     // answers that the backend keeps back

before(async () => {
  dir = workDir();
  plans = await backend((req, res) => (req.headers['x-hold'] ? held.push(res) : res.end('{}')));
});
after(async () => {
  await plans?.close();
  clear();
});

// Both serve the APIs of the tests.
async function pair(config, policies = {}) {
  const keys = {};
  const fill = (g) => {
    const file = g.file('plans.json', DESCRIPTION);
    const api = (name) => g.cli('import', 'openapi', file, '--path', name, '--name', name, '--backend', plans.url, '--product', 'planning');
    g.cli('product', 'create', 'planning', '--rate', '20/300');
    g.cli('product', 'create', 'tiers');
    g.cli('product', 'create', 'open');
    g.cli('tier', 'create', 'gold', '--product', 'tiers', '--name', 'Gold', '--rate', '1000/60', '--quota', '30/day');
    g.cli('tier', 'create', 'crowd', '--product', 'tiers', '--name', 'Crowd', '--concurrency', '5');
    api('plans');
    g.cli('product', 'add-api', 'tiers', 'plans');
    for (const [name, text] of Object.entries(policies)) {
      api(name);
      g.cli('product', 'add-api', 'open', name);
      g.cli('policy', 'set', '--scope', `api:${name}`, g.file(`${name}.xml`, text));
    }
    for (const [id, ...more] of [['planning'], ['tiers', '--tier', 'gold'], ['open']])
      keys[id] = g.cli('subscription', 'create', '--product', id, ...more, '--format', 'json').json().primaryKey;
    keys.crowd = g.cli('subscription', 'create', '--product', 'tiers', '--tier', 'crowd', '--format', 'json').json().primaryKey;
  };
  return Object.assign(await twoOf(config, fill), { keys });
}

function call(gw, at, key, more = {}) {
  return new Promise((resolve, reject) => {
    http.get(`${gw.url}/api/${at}/plans`, { headers: { 'Ocp-Apim-Subscription-Key': key, ...more } }, (res) => {
      let text = '';
      res.on('data', (d) => { text += d; });
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
    }).on('error', reject);
  });
}
// 8 clients against each of both installations, n calls each.
async function flood(p, at, id, n) {
  const client = async (gw) => { const out = []; for (let i = 0; i < n; i++) out.push(await call(gw, at, p.keys[id])); return out; };
  const all = (await Promise.all(p.both.flatMap((gw) => Array.from({ length: 8 }, () => client(gw))))).flat();
  return all.reduce((sum, r) => ({ ...sum, [r.status]: (sum[r.status] || 0) + 1 }), {});
}

const served = (sum) => sum[200] || 0;

describe('one server', () => {
  let server, p;
  before(async () => {
    server = await redis('one', await freePort());
    p = await pair({ redis: `redis://127.0.0.1:${server.port}`, 'redis.lease_ms': LEASE_MS, 'redis.timeout_ms': 5000 }, { by: POLICY('rate-limit-by-key'), quota: POLICY('quota-by-key'), late: LATE,
      crowd: CROWD, outer: KEPT('outer', 'external'), inner: KEPT('inner', 'internal') });
  });
  after(async () => { await p?.stop(); await server?.stop(); });

  it('lets exactly the limit pass over both: of a product, a tier, and of policies', async () => {
    assert.deepEqual(await flood(p, 'plans', 'planning', 4), { 200: 20, 429: 44 });
    assert.deepEqual(await flood(p, 'plans', 'tiers', 4), { 200: 30, 403: 34 });
    assert.deepEqual(await flood(p, 'by', 'open', 4), { 200: 40, 429: 24 });
    assert.deepEqual(await flood(p, 'quota', 'open', 4), { 200: 40, 403: 24 });
  });
  // The set of those that are inside, of the one limit that counts at present.
  const places = () => command(server.port, 'KEYS', '*:c');
  const inside = () => (places() ? Number(command(server.port, 'ZCARD', places())) : 0);
  const release = (n) => { for (const res of held.splice(0, n)) res.end('{}'); };
  // n calls against each, of which so many stay inside; what was answered to the others
  async function crowd(at, id, n, passes) {
    const from = held.length, refused = [];
    const all = p.both.flatMap((g) => Array.from({ length: n }, () => call(g, at, p.keys[id], { 'X-Hold': 'yes' }).then((r) => { if (r.status !== 200) refused.push(r); })));
    await until(() => held.length - from + refused.length === 2 * n, 'all to pass or be refused');
    assert.deepEqual([held.length - from, refused.filter((r) => r.status !== 429)], [passes, []]);
    return { all, refused };
  }
  it('lets exactly so many in at once over both, of a policy and of a tier; what goes out makes room on either', async () => {
    for (const [at, id] of [['crowd', 'open'], ['plans', 'crowd']]) {
      const first = await crowd(at, id, 8, 5);
      assert.equal(inside(), 5);
      assert.ok(first.refused.every((r) => Number(r.headers['retry-after']) >= 1), 'Retry-After');
      release(2);
      await until(() => inside() === 3, 'two to go');
      const second = await crowd(at, id, 4, 2);
      release(5);
      await Promise.all([...first.all, ...second.all]);
      await until(() => inside() === 0, 'all to go');
    }
  });
  it('a call that lasts says that it is there; who says no more is forgotten when its time is over', async () => {
    const { all } = await crowd('crowd', 'open', 2, 4);
    const key = places(), told = () => command(server.port, 'ZRANGE', key, '0', '0', 'WITHSCORES').split('\n')[1];
    const was = Number(told());
    await until(() => new Promise((resolve) => { setTimeout(() => resolve(Number(told()) > was), 100); }), 'the next word of each of them');
    assert.equal(inside(), 4);
    const from = Number(command(server.port, 'TIME').split('\n')[0]) * 1e6;
    command(server.port, 'ZADD', key, String(from + 3600e6), 'of-another-machine');
    const third = await crowd('crowd', 'open', 1, 0);
    command(server.port, 'ZADD', key, String(from), 'of-another-machine');
    const fourth = await crowd('crowd', 'open', 1, 1);
    release(9);
    await Promise.all([...all, ...third.all, ...fourth.all]);
    await until(() => inside() === 0, 'all to go');
  });
  it('counts afterwards what is counted by its answer', async () => {
    for (const g of p.both) assert.equal((await call(g, 'late', p.keys.open)).status, 200);
    for (const g of p.both) await until(async () => (await call(g, 'late', p.keys.open)).status === 429, 'the answers are counted');
  });
  it('tells the same of the limit on both', async () => {
    command(server.port, 'FLUSHALL');
    const left = [];
    for (const g of [...p.both, ...p.both]) left.push((await call(g, 'plans', p.keys.planning)).headers.ratelimit);
    assert.deepEqual(left.map((l) => /r=(\d+)/.exec(l)[1]), ['19', '18', '17', '16']);
  });
  it('the portal leads to the answers for what is left, as its own counters know nothing', async () => {
    const [gw] = p.both;
    const { id } = gw.cli('subscription', 'create', '--product', 'planning', '--user', gw.admin.email, '--format', 'json').json();
    const who = await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/sign-in');
    const page = (await who.send('GET', `/account/subscriptions/${id}`)).html;
    assert.match(page, /20 calls in 5 minutes; each answer says in its field RateLimit what is left/);
  });
  it('shares the external cache, not the internal one', async () => {
    const [one, two] = p.both;
    const value = async (g, at) => (await call(g, at, p.keys.open)).text;
    assert.deepEqual([await value(one, 'outer'), await value(two, 'outer')], ['none', 'outer'], 'kept by one, found by the other');
    assert.deepEqual([await value(one, 'inner'), await value(two, 'inner')], ['none', 'none']);
  });
  it('goes on after the server has forgotten its scripts', async () => {
    command(server.port, 'FLUSHALL');
    command(server.port, 'SCRIPT', 'FLUSH');
    assert.deepEqual(await flood(p, 'plans', 'planning', 2), { 200: 20, 429: 12 });
  });
  it('keeps nothing there that names a caller', () => {
    const keys = command(server.port, 'KEYS', '*').split('\n');
    assert.ok(keys[0] && keys.every((k) => /^gatehouse:(\{[0-9a-f]{32}\}:([sfb]:\d+|c)|value:.*outer)$/.test(k)), keys.join(' '));
  });
  it('away: each machine counts for itself, and together again when it is back', async () => {
    await server.stop();
    assert.deepEqual(await flood(p, 'plans', 'planning', 3), { 200: 40, 429: 8 }, 'twice 20');
    const apart = await crowd('crowd', 'open', 8, 10);
    server = await redis('one', server.port);
    await p.here();
    await until(() => inside() === 10, 'those that came in meanwhile');
    const { all } = await crowd('crowd', 'open', 1, 0);
    release(10);
    await Promise.all([...apart.all, ...all]);
    await until(() => inside() === 0, 'all to go');
    assert.deepEqual(await flood(p, 'plans', 'planning', 2), { 200: 20, 429: 12 });
  });
});

describe('over TLS, with a password, closed when it is away, calls taken along', () => {
  let server, p;
  before(async () => {
    const at = (f) => path.join(dir, f), openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore' });
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('k.pem'), '-out', at('c.pem'), '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost');
    fs.writeFileSync(at('password'), 'open sesame\n');
    const port = await freePort();
    server = await redis('tls', 0, ['--tls-port', String(port), '--tls-cert-file', at('c.pem'), '--tls-key-file', at('k.pem'), '--tls-ca-cert-file', at('c.pem'),
      '--tls-auth-clients', 'no', '--requirepass', 'open sesame']);
    p = await pair({ redis: `rediss://localhost:${port}/3`, 'redis.password_file': at('password'), 'redis.ca_file': at('c.pem'), 'redis.away': 'closed',
      'redis.preallocate': 3 }, { by: POLICY('rate-limit-by-key'), own: OWN, crowd: CROWD });
  });
  after(async () => { await p?.stop(); await server?.stop(); });

  // docs/redis.md: at most workers x (N - 1) too few, here 4 x 2, and in a sliding window as many too many within it
  it('keeps the error within its bound', async () => {
    const n = served(await flood(p, 'by', 'open', 6));
    assert.ok(n >= 40 - 8 && n <= 40, `${n} of 40`);
  });
  it('lets nobody with a lower limit live on what was taken along for a higher one', async () => {
    // on a machine that is busy an answer of Redis may come too late: 503 here
    const once = async (calls) => (await call(p.both[0], 'own', p.keys.open, { 'X-Calls': calls })).status;
    const as = (calls) => until(async () => { const status = await once(calls); return status !== 503 && status; }, 'Redis in time');
    for (let i = 0; i < 32; i++) assert.equal(await as(1000), 200);
    for (let i = 0; i < 8; i++) assert.deepEqual([await as(1000), await as(30), await as(30)], [200, 429, 429]);
  });
  it('answers 503 with its reason when it is away', async () => {
    await server.stop();
    for (const [at, id] of [['plans', 'planning'], ['plans', 'tiers'], ['crowd', 'open'], ['plans', 'crowd']])
      await until(async () => (await call(p.both[0], at, p.keys[id])).status === 503, `${id}: 503`);
    const refused = await call(p.both[0], 'plans', p.keys.tiers);
    assert.match(refused.text, /limits of this gateway cannot be kept/);
    assert.match(state(p.both[0]).join(), /redis|connect/i);
  });
});

describe('the master of a Sentinel', () => {
  let master, replica, sentinel, p;
  before(async () => {
    master = await redis('master', await freePort());
    replica = await redis('replica', await freePort(), ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0']);
    const port = await freePort(), conf = path.join(dir, 'sentinel.conf');
    fs.writeFileSync(conf, `port ${port}\ndir ${dir}\nsentinel monitor main 127.0.0.1 ${master.port} 1\n`
      + 'sentinel down-after-milliseconds main 600000\nsentinel failover-timeout main 3000\n');      // it lives until it is killed
    sentinel = await redis('sentinel', port, [], 'redis-sentinel', conf);
    await until(() => command(sentinel.port, 'SENTINEL', 'replicas', 'main').includes(String(replica.port)), 'the replica at the Sentinel');
    p = await pair({ redis: `redis+sentinel://127.0.0.1:1,127.0.0.1:${port}/main` });
  });
  after(async () => { await p?.stop(); for (const s of [sentinel, replica, master]) await s?.stop(); });

  it('is found, and found again when another one is', async () => {
    assert.deepEqual(await flood(p, 'plans', 'planning', 2), { 200: 20, 429: 12 });
    await until(() => /connected=?1|connected_slaves:1/.test(command(master.port, 'INFO', 'replication')), 'replication');
    await master.stop();
    command(sentinel.port, 'SENTINEL', 'SET', 'main', 'down-after-milliseconds', '300');
    // it closes all connections while it becomes the master
    const role = () => { try { return command(replica.port, 'ROLE'); } catch { return ''; } };
    await until(() => role().startsWith('master'), 'another master');
    await until(async () => { await call(p.both[0], 'plans', p.keys.planning); await call(p.both[1], 'plans', p.keys.planning);
      return p.both.every((g) => state(g).every((s) => s === 'here')); }, 'the other master');
    command(replica.port, 'FLUSHALL');
    assert.deepEqual(await flood(p, 'plans', 'planning', 2), { 200: 20, 429: 12 });
  });
});

describe('a Cluster', () => {
  let nodes, p;
  before(async () => {
    nodes = [];
    for (let i = 0; i < 3; i++) {
      const port = await freePort(), bus = await freePort();
      nodes.push(await redis(`node-${i}`, port, ['--cluster-enabled', 'yes', '--cluster-node-timeout', '60000', '--cluster-port', String(bus)]));
    }
    execFileSync('redis-cli', ['--cluster', 'create', ...nodes.map((n) => `127.0.0.1:${n.port}`), '--cluster-yes'], { stdio: 'ignore' });
    await until(() => nodes.every((n) => command(n.port, 'CLUSTER', 'INFO').includes('cluster_state:ok')), 'the Cluster');
    p = await pair({ redis: `redis+cluster://127.0.0.1:${nodes[0].port}` }, { by: POLICY('rate-limit-by-key'), quota: POLICY('quota-by-key') });
  });
  after(async () => { await p?.stop(); for (const n of nodes) await n.stop(); });

  it('counts each key on its node', async () => {
    assert.deepEqual(await flood(p, 'plans', 'tiers', 4), { 200: 30, 403: 34 });
    assert.deepEqual(await flood(p, 'by', 'open', 4), { 200: 40, 429: 24 });
    assert.deepEqual(await flood(p, 'plans', 'planning', 2), { 200: 20, 429: 12 });
  });
});
