// Limits of the worker: time in each phase, sizes, calls in flight; and what it does when its surroundings change.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { connect, record, begin, paramsOf, paramRecords, bodyRecords, TYPE } = require('./fcgi-client');
const { startWorker } = require('./worker');
const { until } = require('./harness');

let w;
let hasty;      // a second worker, with short times: only for calls that shall run into them, since a busy machine may be slower
let reply;
let sockets = 0;
const server = http.createServer((req, res) => reply(req, res));
server.on('connection', () => { sockets++; });
const plain = (req, res) => {
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => res.end(`hello ${Buffer.concat(chunks).length}`));
};

test.before(async () => {
  server.keepAliveTimeout = 60000;
  await new Promise((resolve) => server.listen(0, resolve));
  const backend = `http://127.0.0.1:${server.address().port}`;
  hasty = await startWorker({ backend, config: { 'gateway.first_byte_timeout_ms': 2000, 'gateway.idle_timeout_ms': 300 } });
  w = await startWorker({
    backend,
    config: {
      'gateway.dns_servers': '127.0.0.1:9',         // nobody: the names of other machines have no part in this
      'gateway.max_in_flight': 8, 'gateway.backend_share_percent': 100, 'gateway.shed_normal_percent': 100,
      'gateway.max_body_bytes': 1000000, 'gateway.max_held_body_bytes': 100000,
    },
  });
});
test.after(async () => {
  await w?.stop();
  await hasty?.stop();
  server.closeAllConnections();
  server.close();
});
test.beforeEach(() => { reply = plain; });

async function one({ worker = w, ...options }) {
  const c = await connect(worker.socket);
  try {
    return await c.request({ path: `${w.path}/x`, ...options });
  } finally {
    c.close();
  }
}

function refused(res, status, words) {
  assert.equal(res.status, status);
  const json = JSON.parse(res.body);
  assert.equal(json.statusCode, status);
  assert.match(json.message, words);
  assert.equal(json.requestId, res.headers['x-request-id']);
}

test('a backend that never answers', async () => {
  reply = () => {};
  refused(await one({ worker: hasty }), 504, /did not answer in time/);
});

test('forward-request has a timeout of its own', async () => {
  w.gw.cli('policy', 'set', '--scope', 'api:echo', w.gw.file('p.xml', '<policies><inbound><base/></inbound><backend><forward-request timeout-ms="100"/></backend><outbound><base/></outbound></policies>'));
  reply = () => {};
  refused(await one({}), 504, /did not answer in time/);
  w.gw.cli('policy', 'unset', '--scope', 'api:echo');
  reply = plain;
  assert.equal((await one({})).status, 200);
});

test('a backend that falls silent in the body', async () => {
  reply = (req, res) => { res.write('abc'); };
  const c = await connect(hasty.socket);
  const res = await c.request({ path: `${w.path}/x` });
  assert.equal(res.status, 200);
  assert.equal(res.end, null);
});

test('a client that falls silent in its body', async () => {
  const c = await connect(hasty.socket);
  await c.write(Buffer.concat([begin(1), paramRecords(1, paramsOf({ method: 'POST', path: `${w.path}/x`, length: 100 })), bodyRecords(1, Buffer.from('abc'))]));
  refused(await c.response(), 408, /did not arrive in time/);
  c.close();
});

test('bodies over the limit, announced and not', async () => {
  const announced = await one({ method: 'POST', body: Buffer.alloc(1000001) });
  refused(announced, 413, /larger than the limit/);
  refused(await one({ method: 'POST', body: Buffer.alloc(1100000), chunked: true }), 413, /larger than the limit/);
  assert.equal((await one({ method: 'POST', body: Buffer.alloc(1000000) })).body.toString(), 'hello 1000000');
  const log = () => w.gw.cli('log', '--id', announced.headers['x-request-id'], '--format', 'json', { fails: true });
  await until(() => log().stdout.includes('body_too_large'), 'the call in the store');
  assert.equal(log().json().api, 'echo', 'counted to its API');
});

test('calls beyond the limit get 503 and Retry-After; the others are answered', async () => {
  // the backend is done once all others are refused, and not by a clock
  const held = [];
  let left = 12;
  reply = (req, res) => (left > 0 ? held.push(res) : res.end('late'));
  const all = await Promise.all([...Array(20)].map(() => one({}).then((r) => {
    if (r.status === 503 && --left === 0)
      for (const res of held) res.end('late');
    return r;
  })));
  const busy = all.filter((r) => r.status === 503);
  assert.deepEqual(all.map((r) => r.status).sort(), [...Array(8).fill(200), ...Array(12).fill(503)], busy[0]?.body);
  refused(busy[0], 503, /busy/);
  assert.equal(busy[0].headers['retry-after'], '1');
});

test('backend connections are reused', async () => {
  await Promise.all([one({}), one({})]);
  const before = sockets;
  for (let i = 0; i < 20; i++) assert.equal((await one({ method: i % 2 ? 'POST' : 'GET', body: i % 2 ? 'x' : undefined })).status, 200);
  assert.ok(sockets - before <= 1, `${sockets - before} new connections`);
});

test('a kept connection that the backend has closed is no failure', async () => {
  for (const method of ['GET', 'POST']) {
    let gone;
    reply = (req, res) => {
      gone = new Promise((resolve) => { req.socket.once('close', resolve); });
      plain(req, res);
      res.on('finish', () => setTimeout(() => req.socket.destroy(), 1));
    };
    for (let i = 0; i < 10; i++) {
      const res = await one({ method, body: method === 'POST' ? 'x' : undefined });
      assert.equal(res.status, 200, method);
      if (i % 2 || method === 'POST') await gone;        // a POST in the very moment of closing may fail: it is sent once
    }
  }
});

test('a backend that closes a kept connection without an answer: GET is sent again, POST is not', async () => {
  let n = 0;
  reply = plain;
  await one({});
  reply = (req, res) => (n++ === 0 ? req.socket.destroy() : plain(req, res));
  assert.equal((await one({})).status, 200);
  assert.equal(n, 2);
  n = 0;
  const res = await one({ method: 'POST', body: 'x' });
  assert.equal(res.status, 502);
  assert.equal(n, 1);
});

test('names are looked up, and kept', async () => {
  w.gw.cli('import', 'openapi', path.join(w.gw.dir, 'echo.json'), '--path', 'named', '--name', 'named', '--backend', `http://localhost:${server.address().port}`, '--product', 'open');
  await until(async () => (await one({ path: '/api/named/x' })).status === 200, 'the new API');
  const before = sockets;
  for (let i = 0; i < 10; i++) assert.equal((await one({ path: '/api/named/x' })).status, 200);
  assert.ok(sockets - before <= 1, `${sockets - before} new connections`);
});

test('a name that does not exist, a certificate that is not trusted', async () => {
  w.gw.cli('import', 'openapi', path.join(w.gw.dir, 'echo.json'), '--path', 'nowhere', '--name', 'nowhere', '--backend', 'http://nowhere.invalid', '--product', 'open');
  const pem = path.join(w.gw.dir, 'self.pem');
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', pem, '-out', `${pem}.crt`, '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']);
  const tls = https.createServer({ key: fs.readFileSync(pem), cert: fs.readFileSync(`${pem}.crt`) }, plain);
  await new Promise((resolve) => tls.listen(0, '127.0.0.1', resolve));
  w.gw.cli('import', 'openapi', path.join(w.gw.dir, 'echo.json'), '--path', 'tls', '--name', 'tls', '--backend', `https://127.0.0.1:${tls.address().port}`, '--product', 'open');
  await until(async () => (await one({ path: '/api/tls/x' })).status !== 404, 'the new API');
  refused(await one({ path: '/api/tls/x' }), 502, /secure connection/);
  refused(await one({ path: '/api/nowhere/x' }), 502, /cannot be resolved/);
  tls.close();
});

test('a policy that reads the body holds it, up to the limit', async () => {
  const policy = '<policies><inbound><base/><set-body template="liquid">{{ body }}!</set-body></inbound><backend><base/></backend><outbound><base/></outbound></policies>';
  w.gw.cli('policy', 'set', '--scope', 'api:echo', w.gw.file('body.xml', policy));
  await until(async () => (await one({ method: 'POST', body: 'abc' })).body.toString() === 'hello 4', 'the policy');
  refused(await one({ method: 'POST', body: Buffer.alloc(100001, 'x') }), 413, /larger than the limit/);
  refused(await one({ method: 'POST', body: Buffer.alloc(100001, 'x'), chunked: true }), 413, /larger than the limit/);
  assert.equal((await one({ method: 'POST', body: Buffer.alloc(50000, 'x') })).body.toString(), 'hello 50001');
  w.gw.cli('policy', 'unset', '--scope', 'api:echo');
});

// While a command runs nothing else does in this process, the backend neither: it has more time than that.
const numbered = (n) => w.gw.file('p.xml', '<policies><inbound><base/><set-header name="X-N" exists-action="override">'
  + `<value>${n}</value></set-header></inbound><backend><forward-request timeout="60"/></backend><outbound><base/></outbound></policies>`);

// Four clients while `change` is under way, which gets a call of its own and waits for more of theirs. What was answered.
async function underLoad(change) {
  const seen = new Set(), own = await connect(w.socket);
  let stop = false, n = 0;
  const text = async (c) => {
    const res = await c.request({ path: `${w.path}/x` }), s = `${res.status} ${res.body}`;
    n++;
    seen.add(s);
    return s;
  };
  const load = [...Array(4)].map(async () => {
    const c = await connect(w.socket);
    while (!stop) await text(c);
    c.close();
  });
  try {
    await change((wanted) => until(async () => await text(own) === wanted, wanted), (more, from = n) => until(() => n > from + more, 'calls after the change'));
  } finally {
    stop = true;
    await Promise.all(load);
    own.close();
  }
  return [...seen];
}

test('changes are taken over under load without a failed call', async () => {
  reply = (req, res) => res.end(String(req.headers['x-n']));
  w.gw.cli('policy', 'set', '--scope', 'api:echo', numbered(0));
  await until(async () => (await one({})).body.toString() === '0', 'the policy');
  const seen = await underLoad(async (answer, more) => {
    for (let i = 1; i <= 6; i++) {
      w.gw.cli('policy', 'set', '--scope', 'api:echo', numbered(i));
      if (i % 3 === 0) process.kill(w.pid, 'SIGHUP');
      if (i % 2 === 0) await more(10);
    }
    await answer('200 6');
  });
  assert.deepEqual(seen.filter((s) => !/^200 [0-6]$/.test(s)), []);
});

// Each revision has an address and a policy of its own: an answer of the one with the header of the other would be mixed.
test('the current revision is changed under load: no call fails, none is mixed', async () => {
  reply = (req, res) => res.end(`${req.url} ${req.headers['x-n']}`);
  w.gw.cli('policy', 'set', '--scope', 'api:echo', numbered(1));
  w.gw.cli('api', 'revise', 'echo');
  w.gw.cli('api', 'set', 'echo', '--revision', '2', '--backend', `http://127.0.0.1:${server.address().port}/second`);
  w.gw.cli('policy', 'set', '--scope', 'api:echo;rev=2', numbered(2));
  const wanted = { 1: '200 /base/x 1', 2: '200 /second/x 2' };
  await until(async () => (await one({})).body.toString() === '/base/x 1', 'the policy');
  const seen = await underLoad(async (answer, more) => {
    for (const current of ['2', '1', '2', '1']) {
      w.gw.cli('api', 'make-current', 'echo', current);
      await answer(wanted[current]);
      await more(40);
    }
  });
  assert.deepEqual(seen.sort(), Object.values(wanted));
  w.gw.cli('policy', 'unset', '--scope', 'api:echo');
});

test('health and the status file', async () => {
  const res = await one({ path: '/api/-/health' });
  assert.equal(res.status, 200);
  const health = JSON.parse(res.body);
  assert.equal(health.status, 'ok');
  const status = JSON.parse(fs.readFileSync(path.join(w.gw.state, 'run/gateway-0.json')));
  assert.equal(status.complete, true);
  assert.equal(status.pid, w.pid);
  assert.equal(status.generation, health.generation);
});
