// A busy worker: calls of less important products go first, and one backend that hangs cannot take all places. One worker with
// twenty places: eight for a backend, ten for low priority, sixteen for normal.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { start, backend, until } = require('./harness');

const API = JSON.stringify({ openapi: '3.0.3', info: { title: 'A', version: '1' },
  paths: { '/x': { get: { operationId: 'x', responses: { 200: { description: 'ok' } } } } } });
const PRIORITIES = ['low', 'normal', 'high'];

describe('overload', () => {
  let gw, slow, other, well;
  const held = { slow: [], other: [] }, keys = {};
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  before(async () => {
    slow = await backend((req, res) => held.slow.push(res));
    other = await backend((req, res) => held.other.push(res));
    well = await backend((req, res) => res.end('ok'));
    gw = await start({ server: 'nginx', workers: 1, config: { 'gateway.max_in_flight': 20, 'gateway.shed_low_percent': 50,
      'gateway.shed_normal_percent': 80, 'gateway.backend_share_percent': 40 }, setup(g) {
      const file = g.file('a.json', API);
      for (const p of PRIORITIES) g.cli('product', 'create', p, '--priority', p);
      for (const [id, b] of Object.entries({ slow, other, well })) {
        g.cli('import', 'openapi', file, '--path', id, '--name', id, '--backend', b.url, '--product', 'high');
        for (const p of ['low', 'normal']) g.cli('product', 'add-api', p, id);
      }
      for (const p of PRIORITIES) keys[p] = g.cli('subscription', 'create', '--product', p, '--format', 'json').json().primaryKey;
    } });
  });
  after(async () => {
    for (const res of [...held.slow, ...held.other]) res.end();
    agent.destroy();
    await gw?.stop();
    await Promise.all([slow, other, well].map((b) => b?.close()));
  });

  const call = (api, priority) => new Promise((resolve, reject) => {
    http.get(`${gw.url}/api/${api}/x`, { agent, headers: { 'Ocp-Apim-Subscription-Key': keys[priority] } }, (res) => {
      let text = '';
      res.on('data', (t) => { text += t; });
      res.on('end', () => resolve({ status: res.statusCode, retry: res.headers['retry-after'], text }));
    }).on('error', reject);
  });
  const hold = async (api, n) => {
    const all = Array.from({ length: n }, () => call(api, 'high'));
    await until(() => held[api].length === n, `${n} calls at the backend`);
    return all;
  };
  async function many(api, clients, n) {
    const all = [];
    await Promise.all(Array.from({ length: clients }, async () => { for (let i = 0; i < n; i++) all.push(await call(api, 'high')); }));
    return all;
  }

  it('a backend that hangs keeps its share and no more: all calls to another one pass', async () => {
    await hold('slow', 8);
    const [refused, passed] = await Promise.all([many('slow', 5, 100), many('well', 4, 100)]);
    assert.deepEqual([...new Set(passed.map((r) => r.status))], [200]);
    assert.deepEqual([...new Set(refused.map((r) => `${r.status} ${r.retry}`))], ['503 1']);
    assert.match(refused[0].text, /Too many calls wait for this backend/);
    assert.equal(held.slow.length, 8, 'not one more came through');
  });

  it('low priority is refused first, then normal; high ones have all places', async () => {
    const now = async () => { const out = []; for (const p of PRIORITIES) out.push((await call('well', p)).status); return out; };
    assert.deepEqual(await now(), [200, 200, 200], '8 in flight');
    await hold('other', 3);
    assert.deepEqual(await now(), [503, 200, 200], '11 in flight');
    const before = held.other.splice(0);
    await hold('other', 5);
    assert.deepEqual(await now(), [503, 503, 200], '16 in flight');
    const r = await call('well', 'low');
    assert.equal(r.retry, '1');
    assert.match(r.text, /serves more important calls first/);
    held.other.push(...before);
    for (const res of [...held.slow.splice(0), ...held.other.splice(0)]) res.end();
    await until(async () => (await now()).every((s) => s === 200), 'places that are free again');
  });

  it('what was refused is counted by its reason, and the record tells it', async () => {
    const text = await until(() => {
      const t = gw.cli('metrics').stdout;
      return /reason="overload_priority"/.test(t) && t;
    }, 'metrics');
    assert.match(text, /gatehouse_shed_total\{environment="[^"]*",api="slow",reason="overload_backend"\} 500\n/);
    assert.match(text, /gatehouse_shed_total\{environment="[^"]*",api="well",reason="overload_priority"\} \d+\n/);
  });
});

// A line of two before a backend that may have two calls under way.
describe('calls that stand in line for a backend', () => {
  let gw, slow;
  const held = [], keys = {};
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const settings = (ms) => ({ 'gateway.backend_queue': 2, 'gateway.backend_queue_ms': ms });
  before(async () => {
    slow = await backend((req, res) => held.push(res));
    gw = await start({ server: 'nginx', workers: 1, config: settings(600000), setup(g) {
      for (const p of PRIORITIES) g.cli('product', 'create', p, '--priority', p);
      g.cli('import', 'openapi', g.file('a.json', API), '--path', 'slow', '--name', 'slow', '--backend', slow.url, '--product', 'high');
      for (const p of ['low', 'normal']) g.cli('product', 'add-api', p, 'slow');
      g.cli('backend', 'set', 'narrow', '--url', slow.url, '--max-calls', '2');
      g.cli('api', 'set', 'slow', '--backend-id', 'narrow');
      for (const p of PRIORITIES) keys[p] = g.cli('subscription', 'create', '--product', p, '--format', 'json').json().primaryKey;
    } });
  });
  after(async () => {
    for (const res of held) res.end();
    agent.destroy();
    await gw?.stop();
    await slow?.close();
  });
  const call = (priority, made = () => {}) => new Promise((resolve, reject) => {
    made(http.get(`${gw.url}/api/slow/x`, { agent, headers: { 'Ocp-Apim-Subscription-Key': keys[priority], 'X-Priority': priority } }, (res) => {
      let text = '';
      res.on('data', (t) => { text += t; });
      res.on('end', () => resolve({ status: res.statusCode, retry: res.headers['retry-after'], text }));
    }).on('error', reject));
  });
  const full = /Too many calls wait for this backend/;
  const twoHeld = async () => {
    const two = [call('high'), call('high')];
    await until(() => held.length === 2, 'two calls at the backend');
    return two;
  };

  it('two are served, two wait, the fifth is refused; places that are free go to those who waited, the more important first', async () => {
    const two = await twoHeld();
    const three = PRIORITIES.map((p) => call(p).then((r) => ({ ...r, p })));      // whoever of them comes last is refused
    const fifth = await Promise.race(three);
    assert.deepEqual([fifth.status, fifth.retry, held.length], [503, '1', 2]);
    assert.match(fifth.text, full);
    held.shift().end('first');
    await until(() => held.length === 2, 'one who waited');
    assert.equal(held[1].req.headers['x-priority'], PRIORITIES.filter((p) => p !== fifth.p).at(-1));
    held.shift().end('first');
    await until(() => held.length === 2, 'the other');
    for (const res of held.splice(0)) res.end('then');
    assert.deepEqual((await Promise.all(two)).map((r) => r.text), ['first', 'first']);
    assert.deepEqual((await Promise.all(three)).filter((r) => r.p !== fifth.p).map((r) => r.text), ['then', 'then']);
    const text = await until(() => { const t = gw.cli('metrics').stdout; return /gatehouse_backend_queue_seconds_count\{.*outcome="served"/.test(t) && t; }, 'metrics');
    assert.match(text, /gatehouse_backend_queue_seconds_count\{backend="narrow",outcome="served"\} 2\n/);
  });

  it('one that waited in vain is told why, and one whose client goes gives its place in line back', async () => {
    // until here nobody waited in vain, on however slow a machine; the next worker lets nobody wait for long
    fs.writeFileSync(path.join(gw.state, 'gatehouse.conf'), Object.entries(settings(1000)).map(([k, v]) => `${k} = ${v}\n`).join(''));
    const [before_] = gw.pids('gatehouse-gateway');
    process.kill(before_, 'SIGKILL');
    await until(() => gw.pids('gatehouse-gateway').some((pid) => pid !== before_), 'another worker');
    await until(() => fetch(`${gw.url}/api/-/health`).then((r) => r.status === 200, () => false), 'it to serve');
    const two = await twoHeld();
    const late = await call('normal');
    assert.equal(late.status, 503);
    assert.match(late.text, /as it may have/);
    await until(async () => {                // two stand in line when the third is refused; not so where that takes longer than they wait
      const gone = new Map();
      const three = [0, 1, 2].map((i) => call('high', (req) => gone.set(i, req)).then((r) => ({ ...r, i }), () => ({})));
      const refused = await Promise.race(three);
      gone.delete(refused.i);
      for (const req of gone.values()) req.destroy();
      return full.test(refused.text);
    }, 'a full line');
    await until(async () => !full.test((await call('low')).text), 'room in the line');
    for (const res of held.splice(0)) res.end('end');
    assert.deepEqual((await Promise.all(two)).map((r) => r.text), ['end', 'end']);
  });
});
