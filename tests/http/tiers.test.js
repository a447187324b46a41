// Limits of tiers beside rates and quotas of calls: bytes, calls at once, and queues in front of a rate. Over two workers.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { start, backend, until } = require('./harness');
const { Visitor } = require('./people');

const API = JSON.stringify({ openapi: '3.0.3', info: { title: 'Pets', version: '1' }, paths: {
  '/pets': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } },
  '/hold': { get: { operationId: 'hold', responses: { 200: { description: 'ok' } } },
    post: { operationId: 'hold-once', responses: { 200: { description: 'ok' } } } } } });   // web servers repeat a GET whose worker died
const TIERS = {
  bytes: ['--bandwidth', '2KB/hour'],
  five: ['--concurrency', '5'],
  all: ['--rate', '100/1', '--quota', '10000/day', '--bandwidth', '1GB/month', '--concurrency', '5'],
  spike: ['--rate', '3/30:queue=3,40000ms'],
  even: ['--rate', '4/2:leaky-bucket:queue=10,20000ms'],
  leaver: ['--rate', '1/2:queue=1,20000ms'],
};

// a key of its own making for who sends one
const AT_ONCE = '<policies><inbound><base/></inbound><backend><choose><when condition="@(context.Request.Url.Query.ContainsKey(&quot;k&quot;))">'
  + '<limit-concurrency key="@(context.Request.Url.Query.GetValueOrDefault(&quot;k&quot;, &quot;&quot;))" max-count="100"><forward-request/></limit-concurrency></when>'
  + '<otherwise><forward-request/></otherwise></choose></backend><outbound><base/></outbound></policies>';

describe('limits of tiers', () => {
  let gw, pets;
  const keys = {}, ids = {}, held = [], seen = [];
  before(async () => {
    pets = await backend((req, res) => {
      seen.push(req.url);
      if (req.url.includes('/hold')) held.push(res); else res.end('x'.repeat(900));
    });
    gw = await start({ server: 'nginx', workers: 2, config: { 'gateway.x_ratelimit': 'yes' }, setup(g) {
      g.cli('product', 'create', 'p');
      g.cli('import', 'openapi', g.file('pets.json', API), '--path', 'pets', '--name', 'pets', '--backend', pets.url, '--product', 'p');
      for (const [id, limits] of Object.entries(TIERS)) {
        g.cli('tier', 'create', id, '--product', 'p', ...limits);
        ({ primaryKey: keys[id], id: ids[id] } = g.cli('subscription', 'create', '--product', 'p', '--tier', id, '--format', 'json').json());
      }
      g.cli('policy', 'set', '--scope', 'api:pets', g.file('at-once.xml', AT_ONCE));
    } });
  });
  after(async () => {
    for (const res of held.splice(0)) res.end();
    await gw?.stop();
    await pets?.close();
  });

  function call(tier, path = 'pets', method = 'GET') {
    let req;
    const done = new Promise((resolve) => {
      req = http.request(`${gw.url}/api/pets/${path}`, { agent: false, method, headers: { 'Ocp-Apim-Subscription-Key': keys[tier] } }, (res) => {
        let body = '';
        res.on('data', (t) => { body += t; });
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body }));
      });
      req.on('error', () => resolve({ status: 0, headers: {}, body: '' }));
      req.end();
    });
    done.leave = () => req.destroy();
    return done;
  }
  const statuses = (all) => all.map((r) => r.status).sort();
  const limit = (r) => [r.headers['ratelimit-policy'], r.headers.ratelimit, r.headers['retry-after']];
  const let_go = () => { for (const res of held.splice(0)) res.end('ok'); };

  it('are listed as they were given', () => {
    const rows = Object.fromEntries(gw.cli('tier', 'list', '--format', 'json').json().map((t) => [t.id, t.limits]));
    assert.equal(rows.all, 'rate 100/1, quota 10000/86400, bandwidth 1073741824/2592000, concurrency 5');
    assert.equal(rows.even, 'rate 4/2:leaky-bucket:queue=10,20000ms');
    for (const wrong of [['--concurrency', '0'], ['--bandwidth', '1GB'], ['--rate', '5/1:queue=5'], ['--quota', '5/60:queue=5,100ms'], ['--quota', '5/60:leaky-bucket']])
      assert.notEqual(gw.cli('tier', 'create', 'wrong', '--product', 'p', ...wrong, { fails: true }).status, 0, wrong.join(' '));
  });

  it('stand in the portal in words, in the language of the reader', async () => {
    const who = await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/sign-in');
    const page = async (language) => (await who.send('GET', '/products/p', { headers: { 'accept-language': language } })).html;
    const en = await page('en'), de = await page('de');
    for (const words of ['2 KB an hour', '5 calls at a time', '1 GB in 30 days', '3 calls in 30 seconds, and 3 more wait for at most 40 seconds']) assert.ok(en.includes(words), words);
    for (const words of ['5 Aufrufe gleichzeitig', '3 weitere warten höchstens 40 Sekunden']) assert.ok(de.includes(words), words);
  });

  it('bytes: the call that goes over is the last one; the fields count bytes', async () => {
    const all = [];
    for (let i = 0; i < 4; i++) all.push(await call('bytes'));   // 900 bytes each, 2048 allowed
    assert.deepEqual(all.map((r) => r.status), [200, 200, 200, 403]);
    const left = all.slice(0, 3).map((r) => /^"quota";r=(\d+);t=\d+$/.exec(r.headers.ratelimit)[1]);
    assert.deepEqual(left, ['2047', '1147', '247']);
    assert.equal(all[0].headers['ratelimit-policy'], '"quota";q=2048;qu="content-bytes";w=3600');
    assert.match(all[3].body, /"Out of bandwidth quota\. Quota will be replenished in 0[01]:\d\d:\d\d\."/);
    assert.ok(all[3].headers['retry-after'] > 0 && all[3].headers['retry-after'] <= 3600);
  });

  it('calls at once: exactly five of twelve, over both workers', async () => {
    const all = Array.from({ length: 12 }, () => call('five', 'hold'));
    const refused = (await Promise.all(all.map((c) => Promise.race([c, until(() => held.length === 5 && { status: 'held' }, 'five calls at the backend')]))))
      .filter((r) => r.status === 429);
    await until(() => held.length === 5, 'five calls at the backend');
    let_go();
    const over = await Promise.all(all);
    assert.deepEqual(statuses(over), [...Array(5).fill(200), ...Array(7).fill(429)]);
    for (const r of over.filter((x) => x.status === 429)) {
      assert.deepEqual(limit(r), ['"concurrency";q=5;qu="concurrent-requests"', '"concurrency";r=0;t=1', '1']);
      assert.match(r.body, /Concurrency limit is exceeded/);
    }
    assert.ok(refused.length <= 7);
    assert.equal((await call('five')).headers.ratelimit, '"concurrency";r=4', 'places are given back');
  });

  it('a key that a caller makes up is no place of a tier', async () => {
    assert.ok(ids.five);
    const all = Array.from({ length: 5 }, () => call('five', `hold?k=%01tier:${ids.five}`));
    await until(() => held.length === 5, 'five calls at the backend');
    let_go();
    assert.deepEqual(statuses(await Promise.all(all)), Array(5).fill(200));
  });

  it('gives places back of a worker that was killed', async () => {
    const lost = Array.from({ length: 5 }, () => call('five', 'hold', 'POST'));
    await until(() => held.length === 5, 'five calls at the backend');
    assert.equal((await call('five')).status, 429);
    for (const pid of gw.pids('gatehouse-gateway')) process.kill(pid, 'SIGKILL');
    await Promise.all(lost);
    held.splice(0);
    const again = [];
    await until(async () => {
      while (again.length < 5) {
        const c = call('five', 'hold'), n = held.length;
        const r = await Promise.race([c, until(() => held.length > n && 'held', 'the call at the backend').catch(() => null)]);
        if (r !== 'held') return false;
        again.push(c);
      }
      return true;
    }, 'five new calls at the backend');
    assert.equal((await call('five')).status, 429, 'and not one more');
    let_go();
    assert.deepEqual(statuses(await Promise.all(again)), Array(5).fill(200));
  });

  it('all at once: the tightest of those that count is the one shown', async () => {
    const one = await call('all');
    assert.deepEqual([one.status, one.headers['ratelimit-policy'], one.headers.ratelimit], [200, '"rate";q=100;w=1', '"rate";r=99;t=1']);
    assert.deepEqual(['limit', 'remaining', 'reset'].map((n) => one.headers[`x-ratelimit-${n}`]), ['100', '99', '1']);
    const holding = Array.from({ length: 5 }, () => call('all', 'hold'));
    await until(() => held.length === 5, 'five calls at the backend');
    assert.equal((await call('all')).headers['ratelimit-policy'], '"concurrency";q=5;qu="concurrent-requests"');
    let_go();
    assert.deepEqual(statuses(await Promise.all(holding)), Array(5).fill(200));
  });

  it('a queue: as many as it holds wait, one more is refused', async () => {
    const over = [], all = Array.from({ length: 7 }, () => { const c = call('spike'); c.then((r) => over.push(r)); return c; });
    await until(() => over.length === 4, 'three that pass and one that is refused');
    assert.deepEqual(statuses(over), [200, 200, 200, 429]);
    assert.ok(over.find((r) => r.status === 429).headers['retry-after'] >= 1);
    for (const c of all) c.leave();
  });

  it('who waits is served: a leaky bucket lets one call through at a time, evenly', async () => {
    const begun = process.hrtime.bigint();
    const all = await Promise.all(Array.from({ length: 4 }, () => call('even')));
    const took = Number(process.hrtime.bigint() - begun) / 1e6;
    assert.deepEqual(statuses(all), Array(4).fill(200));
    assert.ok(took >= 1450, `the fourth comes no sooner than after three halves of a second: ${took}`);
  });

  it('a client that goes away leaves the queue', async () => {
    assert.equal((await call('leaver')).status, 200);
    const b = call('leaver', 'pets?b');
    await until(async () => {                // it stands in the queue once that is full
      const r = await call('leaver', 'pets?c');
      return r.status === 429;
    }, 'a full queue');
    const before = seen.filter((u) => u.endsWith('?b')).length;
    if (before) return;                      // the machine was so slow that its turn had come
    b.leave();
    await until(async () => (await call('leaver', 'pets?d')).status === 200, 'a free place');
    assert.ok(!seen.some((u) => u.endsWith('?b')), 'who has left is not sent on');
  });
});
