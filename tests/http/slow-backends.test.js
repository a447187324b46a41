// Backends that hang, in each phase of a call: they cost their own calls only. How backends are reached: a Unix socket, a name with
// several addresses of which one hangs; and how many calls may be under way to one.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { start, backend, until, freePort, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'A', version: '1' }, paths: { '/x': { get: { responses: { 200: { description: 'ok' } } } } } });
const HUNG = 20, OTHERS = 40;

// A listener whose queue is full: connections to it neither come about nor fail. Node accepts everything, so this is Python.
async function fullQueue(family, port) {
  const code = `import socket,sys
s=socket.socket(socket.AF_INET6 if ${family}==6 else socket.AF_INET); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("::1" if ${family}==6 else "127.0.0.1", ${port})); s.listen(0)
held=[]
for i in range(8):
    c=socket.socket(s.family); c.setblocking(False); c.connect_ex(s.getsockname()); held.append(c)
print(s.getsockname()[1], flush=True); sys.stdin.read()`;
  const child = spawn('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  const bound = Number(await new Promise((resolve, reject) => { child.stdout.once('data', (d) => resolve(String(d))); child.once('exit', () => reject(new Error('no listener'))); }));
  return { port: bound, close: () => new Promise((resolve) => { child.once('exit', resolve); child.stdin.end(); }) };
}

describe('backends that hang', () => {
  let gw, well, full, silent, hung, socket, seen;
  const closing = [];
  // a connection each: none that the web server closes while a command runs
  const get = (api) => new Promise((resolve, reject) => {
    http.get(`${gw.url}/api/${api}/x`, { agent: false }, (res) => {
      let text = '';
      res.on('data', (d) => { text += d; });
      res.on('error', () => resolve({ status: res.statusCode, text: 'broken off' }));
      res.on('end', () => resolve({ status: res.statusCode, text }));
    }).on('error', reject);
  });

  before(async () => {
    well = await backend((req, res) => res.end('well'));
    full = await fullQueue(4, 0);
    silent = net.createServer((s) => { s.on('error', () => {}); });              // takes connections, says nothing: no TLS handshake
    await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
    hung = http.createServer((req, res) => {
      if (req.url.startsWith('/middle')) { res.writeHead(200, { 'Content-Length': 100 }); res.write('a beginning'); }
    });
    await new Promise((resolve) => hung.listen(0, '127.0.0.1', resolve));
    gw = await start({ server: SERVERS[0], workers: 2, build: 'release', config: { 'gateway.connect_timeout_ms': 3000, 'gateway.first_byte_timeout_ms': 4000, 'gateway.idle_timeout_ms': 4000 },
      setup(g) {
        const at = { connect: `http://127.0.0.1:${full.port}`, tls: `https://127.0.0.1:${silent.address().port}`,
          headers: `http://127.0.0.1:${hung.address().port}/headers`, middle: `http://127.0.0.1:${hung.address().port}/middle`, well: well.url };
        g.cli('product', 'create', 'open', '--require-key', 'no');
        for (const [name, url] of Object.entries(at))
          g.cli('import', 'openapi', g.file('a.json', DESCRIPTION), '--name', name, '--path', name, '--backend', url, '--product', 'open');
        for (const name of ['socket', 'narrow']) {
          g.cli('backend', 'set', name, '--url', 'http://app.internal/base');
          g.cli('import', 'openapi', g.file('a.json', DESCRIPTION), '--name', name, '--path', name, '--backend', 'http://127.0.0.1:1', '--product', 'open');
          g.cli('api', 'set', name, '--backend-id', name);
        }
      } });
    seen = [];
    socket = path.join(gw.dir, 'app.sock');
    const app = http.createServer((req, res) => { seen.push([req.url, req.headers.host]); if (app.hold && req.url === '/base/x') app.hold(res); else res.end('from the socket'); });
    await new Promise((resolve) => app.listen(socket, resolve));
    closing.push(app);
    well.app = app;
  });
  after(async () => {
    await gw?.stop();
    for (const s of [...closing, hung]) { s?.closeAllConnections(); s?.close(); }
    silent?.close();
    await well?.close();
    await full?.close();
  });

  it('cost their own calls only: all others are answered while they wait, each phase has its reason', async () => {
    let ended = 0, early = 0;      // early: answered while all that hang were waiting; how many on a busy machine is no matter
    const phases = { connect: [504, 'backend_connect_timeout'], tls: [504, 'backend_tls_timeout'], headers: [504, 'backend_timeout'], middle: [200, 'backend_idle'] };
    const waiting = Object.keys(phases).flatMap((api) => Array.from({ length: HUNG }, () => get(api).then((r) => { ended++; return [api, r]; }, () => { ended++; return [api, { status: 200 }]; })));
    let left = OTHERS;
    await Promise.all(Array.from({ length: 8 }, async () => {
      while (left-- > 0) {
        assert.deepEqual(await get('well'), { status: 200, text: 'well' });
        early += ended === 0;
      }
    }));
    assert.ok(early > 0, 'nobody waits for those that hang');
    for (const [api, r] of await Promise.all(waiting)) assert.equal(r.status, phases[api][0], api);
    for (const [api, [, reason]] of Object.entries(phases)) {
      const rows = await until(() => {
        const text = gw.cli('log', '--api', api, '-n', String(HUNG), '--format', 'json').stdout.trim();
        const all = text ? (text.startsWith('[') ? JSON.parse(text) : text.split('\n').map((l) => JSON.parse(l))) : [];
        return all.length === HUNG && all;
      }, `the records of ${api}`);
      assert.deepEqual([...new Set(rows.map((r) => r.reason))], [reason]);
    }
  });

  it('a backend behind a Unix socket; its address is the Host and the path', async () => {
    gw.cli('backend', 'set', 'socket', '--unix-socket', socket);
    assert.deepEqual(await get('socket'), { status: 200, text: 'from the socket' });
    assert.deepEqual(await get('socket'), { status: 200, text: 'from the socket' });
    assert.deepEqual(seen, [['/base/x', 'app.internal'], ['/base/x', 'app.internal']]);
    gw.cli('backend', 'set', 'socket', '--health', gw.file('h.json', '{"path":"/well","interval":1}'));
    await until(() => gw.cli('backend', 'list', '--format', 'json').json().find((b) => b.id === 'socket').health === 'up', 'its health check');
    assert.match(gw.cli('backend', 'set', 'socket', '--unix-socket', 'app.sock', { fails: true }).stderr, /a path that begins with \//);
    gw.cli('backend', 'set', 'socket', '--health', 'none');
  });

  it('no more calls under way to a backend than it may have, over all workers; the next are let in when one ends', async () => {
    gw.cli('backend', 'set', 'narrow', '--unix-socket', socket, '--max-calls', '3');
    const held = [];
    well.app.hold = (res) => { held.push(res); };
    const three = Array.from({ length: 3 }, () => get('narrow'));
    await until(() => held.length === 3, 'three calls under way').catch(async (e) => { throw new Error(`${e.message}: ${held.length} ${JSON.stringify(await Promise.race([Promise.all(three), new Promise((r) => setTimeout(r, 100))]))}`); });
    const more = await Promise.all(Array.from({ length: 8 }, () => get('narrow')));
    assert.deepEqual([...new Set(more.map((r) => r.status))], [503]);
    assert.match(JSON.parse(more[0].text).message, /as it may have/);
    assert.equal(held.length, 3);
    well.app.hold = null;
    for (const res of held) res.end('late');
    assert.deepEqual((await Promise.all(three)).map((r) => r.text), ['late', 'late', 'late']);
    await until(async () => (await get('narrow')).text === 'from the socket', 'room for another');
    gw.cli('backend', 'set', 'plain', '--url', `${well.url}`);
    gw.cli('backend', 'set', 'both', '--member', 'narrow', '--member', 'plain:1:2');
    gw.cli('api', 'set', 'narrow', '--backend-id', 'both');
    const again = [];
    well.app.hold = (res) => { again.push(res); };
    const first = Array.from({ length: 3 }, () => get('narrow'));
    await until(() => again.length === 3, 'three of the pool');
    assert.deepEqual((await Promise.all(Array.from({ length: 4 }, () => get('narrow')))).map((r) => r.text), Array(4).fill('well'), 'the next group takes the rest');
    well.app.hold = null;
    for (const res of again) res.end('late');
    await Promise.all(first);
    // one that waits to try again has nothing under way
    gw.cli('api', 'set', 'narrow', '--backend-id', 'narrow');
    gw.cli('backend', 'set', 'narrow', '--max-calls', '1');
    gw.cli('policy', 'set', '--scope', 'api:narrow', gw.file('again.xml', '<policies><inbound><base /></inbound><backend>'
      + '<retry condition="@(context.Response.StatusCode == 500)" count="1" interval="60"><forward-request /></retry></backend>'
      + '<outbound><base /></outbound><on-error><base /></on-error></policies>'));
    const failed = new Promise((resolve) => { well.app.hold = (res) => { well.app.hold = null; res.on('finish', resolve); res.writeHead(500).end(); }; });
    const leaving = http.get(`${gw.url}/api/narrow/x`, { agent: false }).on('error', () => {});
    await failed;
    await until(async () => (await get('narrow')).text === 'from the socket', 'room while another waits to be tried again');
    leaving.destroy();
  });

  it('a name with two addresses of which one hangs: the other is used (Happy Eyeballs)', async (t) => {
    const port = await freePort();
    const six = await fullQueue(6, port).catch(() => null);
    if (!six) return t.skip('no IPv6 here');
    const four = http.createServer((req, res) => res.end('four'));
    await new Promise((resolve) => four.listen(port, '127.0.0.1', resolve));
    closing.push(four);
    gw.cli('api', 'set', 'well', '--backend', `http://localhost:${port}`);
    assert.deepEqual(await get('well'), { status: 200, text: 'four' });
    await six.close();
    return undefined;
  });
});
