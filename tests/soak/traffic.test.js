// What needs many repetitions or a quiet machine: limits that are exact 200 times over (ROUNDS), on one machine and on two with one
// Redis; a pool 5:3:2 over 10,000 calls, a node that is killed and brought back 20 times under load (KILLS), changes of all that is involved under load; backends that hang in each phase of a call and move
// the p99 of another API by less than 20 %. The short forms are in tests/http and tests/stories.
'use strict';
const { test, describe, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { start, backend, until, freePort } = require('../http/harness');

const ROUNDS = Number(process.env.ROUNDS || 200), KILLS = Number(process.env.KILLS || 20), SAMPLES = Number(process.env.SAMPLES || 4000);
const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' }, paths: { '/x': { get: { responses: { 200: { description: 'ok' } } } } } });
const limit = (calls) => `<policies><inbound><rate-limit-by-key calls="${calls}" renewal-period="300" counter-key="@(context.Request.Headers.GetValueOrDefault(&quot;X-Round&quot;,&quot;&quot;))" /></inbound>`
  + '<backend><base /></backend><outbound /><on-error /></policies>';
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
after(() => agent.destroy());

const get = (gw, api, headers = {}) => new Promise((resolve, reject) => {
  const req = http.get(`${gw.url}/api/${api}/x`, { agent, headers }, (res) => { res.resume(); res.on('end', () => resolve(res.statusCode)); res.on('error', reject); });
  req.on('error', (e) => (req.reusedSocket && e.code === 'ECONNRESET' ? resolve(get(gw, api, headers)) : reject(e)));
});
const add = (g, name, url) => g.cli('import', 'openapi', g.file('t.json', SPEC), '--path', name, '--name', name, '--backend', url, '--product', 'open');

describe('limits, exact each time', () => {
  let things, redis, one, both = [];
  const setup = (g) => {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    for (const n of [100, 20]) {
      add(g, `limit-${n}`, things.url);
      g.cli('policy', 'set', '--scope', `api:limit-${n}`, g.file('p.xml', limit(n)));
    }
  };
  // 8 clients, so many calls each: how many passed
  const passed = async (gws, n, round) => {
    const all = await Promise.all(gws.flatMap((gw) => Array.from({ length: 8 / gws.length }, async () => {
      const out = [];
      for (let i = 0; i < (n === 100 ? 16 : 5); i++) out.push(await get(gw, `limit-${n}`, { 'X-Round': `${n}-${round}` }));
      return out;
    })));
    assert.deepEqual([...new Set(all.flat())].sort(), [200, 429]);
    return all.flat().filter((s) => s === 200).length;
  };
  const rounds = async (gws) => {
    for (let round = 0; round < ROUNDS; round++)
      assert.deepEqual(await Promise.all([passed(gws, 100, round), passed(gws, 20, round)]), [100, 20], `round ${round}`);
  };

  before(async () => {
    things = await backend((req, res) => res.end('{}'));
    one = await start({ server: 'nginx', workers: 4, build: 'release', setup });
    const port = await freePort();
    redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' });
    const options = { server: 'nginx', workers: 2, build: 'release', config: { redis: `redis://127.0.0.1:${port}` } };
    both.push(await start({ ...options, setup }));
    both.push(await start({ ...options, setup: (g) => fs.cpSync(both[0].state, g.state, { recursive: true, force: true, filter: (f) => !/\/(run|telemetry|counters|keeper\.lock)/.test(f.slice(both[0].state.length)) }) }));
    const away = (g) => [0, 1].some((n) => JSON.parse(fs.readFileSync(`${g.state}/run/gateway-${n}.json`, 'utf8')).redis !== 'here');
    for (const g of both) await until(() => !away(g), 'Redis at every worker');
  });
  after(async () => {
    await one?.stop();
    for (const g of both) await g.stop();
    redis?.kill('SIGKILL');
    await things?.close();
  });

  test(`${ROUNDS} times: 8 clients over 4 workers, 100 and 20 pass`, () => rounds([one]));
  test(`${ROUNDS} times: the same over two gateways on one Redis`, () => rounds(both));
});

test(`a node is killed and brought back ${KILLS} times under load: no GET fails after it was found out`, async () => {
  const nodes = await Promise.all(['a', 'b', 'c'].map(async (name) => {
    const n = { name, seen: 0 };
    n.up = (port) => new Promise((resolve, reject) => {
      n.server = http.createServer((req, res) => { n.seen++; res.end(name); });
      n.server.once('error', reject);
      n.server.listen(port || 0, '127.0.0.1', () => { n.port = n.server.address().port; resolve(); });
    });
    n.down = () => new Promise((resolve) => { n.server.close(resolve); n.server.closeAllConnections(); });
    await n.up();
    return n;
  }));
  const gw = await start({ server: 'nginx', workers: 4, build: 'release', config: { 'pool.eject_ms': 100, 'pool.eject_max_ms': 200 }, setup(g) {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    for (const n of nodes) g.cli('backend', 'set', n.name, '--url', `http://127.0.0.1:${n.port}`);
    g.cli('backend', 'set', 'pool', '--member', 'a:5', '--member', 'b:3', '--member', 'c:2');
    add(g, 'pooled', 'http://127.0.0.1:1');
    g.cli('api', 'set', 'pooled', '--backend-id', 'pool');
  } });
  let left = 10000;
  await Promise.all(Array.from({ length: 16 }, async () => { while (left-- > 0) assert.equal(await get(gw, 'pooled'), 200); }));
  for (const [n, share] of [[nodes[0], 5000], [nodes[1], 3000], [nodes[2], 2000]])
    assert.ok(Math.abs(n.seen - share) <= share * 0.02, `${n.name}: ${n.seen} of 10,000 for ${share}`);
  const state = { stop: false, made: 0, bad: [] };
  const load = Promise.all(Array.from({ length: 16 }, async () => {
    while (!state.stop) {
      const status = await get(gw, 'pooled');
      state.made++;
      if (status !== 200) state.bad.push(status);
    }
  }));
  for (let i = 0; i < KILLS; i++) {
    const victim = nodes[i % 3], from = state.made;
    await victim.down();
    await until(() => state.made > from + 200, 'calls without it');
    await victim.up(victim.port);
    const seen = victim.seen;
    await until(() => victim.seen > seen + 10, `${victim.name} to be asked again`);
  }
  // and while all of it is changed
  for (let i = 0; i < 10; i++) {
    const from = state.made, one = i % 2 ? '1' : '5';
    gw.cli('backend', 'set', 'pool', '--member', `a:${one}`, '--member', 'b:3', '--member', 'c:2');
    gw.cli('backend', 'set', 'b', '--max-calls', i % 2 ? '0' : '1000');
    gw.cli('policy', 'set', '--scope', 'api:pooled', gw.file('p.xml', `<policies><inbound><base /><set-header name="X-N" exists-action="override"><value>${i}</value></set-header></inbound>`
      + '<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>'));
    gw.cli('api', 'set', 'pooled', '--backend-id', i % 2 ? 'pool' : 'c');
    await until(() => state.made > from + 200, 'calls with what was changed');
  }
  state.stop = true;
  await load;
  await gw.stop();
  for (const n of nodes) await n.down();
  assert.deepEqual(state.bad, []);
});

// Each revision has a backend and a policy of its own: an answer of the one with the header of the other would be mixed.
test(`the current revision is changed ${KILLS} times under load, by command and with a whole pool and policy: no call fails, none is mixed`, async () => {
  const nodes = await Promise.all(['1', '2'].map((name) => backend((req, res) => res.end(`${name} ${req.headers['x-revision']}`))));
  const policy = (n) => `<policies><inbound><base /><set-header name="X-Revision" exists-action="override"><value>${n}</value></set-header></inbound>`
    + '<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>';
  const gw = await start({ server: 'nginx', workers: 4, build: 'release', setup(g) {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    add(g, 'things', nodes[0].url);
    g.cli('policy', 'set', '--scope', 'api:things', g.file('p1.xml', policy(1)));
    g.cli('api', 'revise', 'things');
    g.cli('api', 'set', 'things', '--revision', '2', '--backend', nodes[1].url);
    g.cli('policy', 'set', '--scope', 'api:things;rev=2', g.file('p2.xml', policy(2)));
  } });
  const state = { stop: false, made: 0, seen: {} };
  const text = () => new Promise((resolve, reject) => {
    const req = http.get(`${gw.url}/api/things/x`, { agent }, (res) => { let s = `${res.statusCode} `; res.on('data', (d) => { s += d; }); res.on('end', () => resolve(s)); res.on('error', reject); });
    req.on('error', (e) => (req.reusedSocket && e.code === 'ECONNRESET' ? resolve(text()) : reject(e)));
  });
  const load = Promise.all(Array.from({ length: 16 }, async () => {
    while (!state.stop) {
      const s = await text();
      state.seen[s] = (state.seen[s] || 0) + 1;
      state.made++;
    }
  }));
  for (let i = 0; i < KILLS; i++) {
    const from = state.made, current = i % 2 ? '1' : '2';
    gw.cli('api', 'make-current', 'things', current);
    assert.equal(await text(), `200 ${current} ${current}`, 'from the next call on');
    await until(() => state.made > from + 200, 'calls of both sides of the change');
  }
  state.stop = true;
  await load;
  await gw.stop();
  for (const n of nodes) await n.close();
  assert.deepEqual(Object.keys(state.seen).sort(), ['200 1 1', '200 2 2'], JSON.stringify(state.seen));
});

test('backends that hang in each phase move the p99 of another API by less than 20 %', async () => {
  const well = await backend((req, res) => setTimeout(() => res.end('well'), 5));
  const silent = net.createServer((s) => { s.on('error', () => {}); });
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const hung = http.createServer((req, res) => { if (req.url.startsWith('/middle')) { res.writeHead(200, { 'Content-Length': 100 }); res.write('x'); } });
  await new Promise((resolve) => hung.listen(0, '127.0.0.1', resolve));
  const queue = spawn('python3', ['-c', 'import socket,sys\ns=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(0)\nheld=[]\nfor i in range(8):\n'
    + '    c=socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); held.append(c)\nprint(s.getsockname()[1], flush=True); sys.stdin.read()'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const full = Number(await new Promise((resolve) => { queue.stdout.once('data', (d) => resolve(String(d))); }));
  const at = { connect: `http://127.0.0.1:${full}`, tls: `https://127.0.0.1:${silent.address().port}`, headers: `http://127.0.0.1:${hung.address().port}/headers`,
    middle: `http://127.0.0.1:${hung.address().port}/middle`, well: well.url };
  const gw = await start({ server: 'nginx', workers: 2, build: 'release', config: { 'gateway.connect_timeout_ms': 60000 }, setup(g) {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    for (const [name, url] of Object.entries(at)) add(g, name, url);
  } });
  const p99 = async () => {
    const times = [];
    let left = SAMPLES;
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (left-- > 0) {
        const began = process.hrtime.bigint();
        assert.equal(await get(gw, 'well'), 200);
        times.push(Number(process.hrtime.bigint() - began) / 1e6);
      }
    }));
    return times.sort((x, y) => x - y)[Math.floor(times.length * 0.99)];
  };
  await p99();                                                       // warm
  const alone = await p99();
  const requests = ['connect', 'tls', 'headers', 'middle'].flatMap((api) => Array.from({ length: 50 }, () => http.get(`${gw.url}/api/${api}/x`, { agent: false }, () => {}).on('error', () => {})));
  await new Promise((r) => { setTimeout(r, 1000); });
  const beside = await p99();
  console.log(`# p99 alone ${alone.toFixed(2)} ms, beside 200 calls that hang ${beside.toFixed(2)} ms; turns of the loop of 250 ms and more: ${(gw.log('serve').match(/held calls up/g) || []).length}`);
  if (process.env.LATE) console.log((gw.log('serve').match(/.*held calls up.*/g) || []).join('\n'));
  for (const r of requests) r.destroy();
  await gw.stop();
  queue.stdin.end();
  for (const s of [silent, hung]) { s.closeAllConnections?.(); s.close(); }
  await well.close();
  assert.ok(beside < alone * 1.2, `${alone} ms, ${beside} ms`);
});
