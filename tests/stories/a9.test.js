// Backends change, clients do not: pools, addresses, revisions and versions change under load; answers come from the cache; what is
// behind the gateway is nowhere to be seen; ways in are combined.
//
// Each line of the story is one test. The line with a second gateway on another host, which is controlled from the first, waits for
// gateways that pull their configuration.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { start, backend, until, SERVERS, freePort } = require('../http/harness');
const { Signer, provider, now } = require('../http/tokens');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' }, paths: { '/x': {
  get: { responses: { 200: { description: 'ok' } } }, post: { responses: { 200: { description: 'ok' } } } } } });
const BREAKER = { rules: [{ name: 'r', failureCondition: { count: 1, interval: 'PT1H' }, tripDuration: 'PT1S' }] };
const REWRITE = '<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /><redirect-content-urls /></outbound><on-error><base /></on-error></policies>';
const HEADER = 'Ocp-Apim-Subscription-Key';
const LONG = 3000;                        // bytes of an answer: several writes, so that a mixed one would show

// A backend that costs little: it looks for the ends of heads (no bodies) and says its name. Can be killed and brought back.
async function node(name) {
  const text = name.repeat(LONG), answer = `HTTP/1.1 200 OK\r\nContent-Length: ${LONG}\r\n\r\n${text}`;
  const n = { name, seen: 0, sockets: new Set(), port: await freePort() };      // which nobody else takes while it is down
  n.up = () => new Promise((resolve, reject) => {
    n.server = net.createServer((s) => {
      let rest = '';
      n.sockets.add(s);
      s.on('close', () => n.sockets.delete(s));
      s.on('error', () => {});
      s.on('data', (d) => {
        const parts = (rest + d.toString('latin1')).split('\r\n\r\n');
        rest = parts.pop();
        for (let i = 0; i < parts.length; i++) { n.seen++; s.write(answer); }
      });
    });
    n.server.once('error', reject);
    n.server.listen(n.port, '127.0.0.1', resolve);
  });
  n.down = () => new Promise((resolve) => { n.server.close(resolve); for (const s of n.sockets) s.destroy(); });
  await n.up();
  n.url = `http://127.0.0.1:${n.port}`;
  return n;
}

// One caller on a connection of its own, a call after the other. next() gives { status, body }.
class Caller {
  constructor(port) { this.port = port; this.rest = ''; }

  next(where) {
    return new Promise((resolve, reject) => {
      this.waits = { resolve, reject };
      if (!this.socket) {
        this.socket = net.connect(this.port, '127.0.0.1');
        this.socket.on('data', (d) => { this.rest += d.toString('latin1'); this.look(); });
        this.socket.on('error', (e) => this.waits?.reject(e));
        this.socket.on('close', () => { this.socket = null; this.rest = ''; this.waits?.reject(new Error('closed in the middle')); });
      }
      this.socket.write(`GET ${where} HTTP/1.1\r\nHost: gateway\r\n\r\n`);
    });
  }

  look() {
    const end = this.rest.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.rest.slice(0, end), length = /^content-length: *(\d+)/im.exec(head), chunked = /^transfer-encoding: *chunked/im.test(head);
    let body = this.rest.slice(end + 4);
    if (chunked) {
      if (!body.endsWith('0\r\n\r\n')) return;
      body = body.replace(/(?:^|\r\n)[0-9a-f]+\r\n/gi, '').slice(0, -2);
    } else if (body.length < Number(length?.[1])) {
      return;
    }
    const { resolve } = this.waits, last = /^connection: *close/im.test(head);
    this.waits = null;
    this.rest = '';
    if (last) { this.socket.removeAllListeners('close'); this.socket.destroy(); this.socket = null; }
    resolve({ status: Number(head.slice(9, 12)), body });
  }

  end() { this.waits = null; this.socket?.destroy(); }
}

for (const server of SERVERS) describe(`A9 behind ${server}`, () => {
  let gw, a, b, c, spare, erp, idp, signer, dir, callers, keys;
  const nodes = () => [a, b, c, spare];
  const pem = (name) => fs.readFileSync(path.join(dir, name));
  const listed = (id) => gw.cli('backend', 'list', '--format', 'json').json().find((x) => x.id === id);
  // `n` calls of all callers; what is not one whole answer of one backend is told.
  async function calls(n, where = '/api/pooled/x') {
    const bad = [];
    for (const x of nodes()) x.seen = 0;
    await Promise.all(callers.map(async (caller) => {
      while (n-- > 0) {
        const r = await caller.next(where);
        if (r.status !== 200 || r.body.length !== LONG || r.body !== r.body[0].repeat(LONG)) bad.push(`${r.status} ${r.body.slice(0, 300)}`);
      }
    }));
    return bad;
  }
  // Calls go on while `work` is done; nothing may fail or be mixed. *made counts them.
  async function underLoad(where, work) {
    const state = { made: 0, bad: [], stop: false, names: new Set() };
    const load = Promise.all(callers.map(async (caller) => {
      while (!state.stop) {
        const r = await caller.next(where);
        state.made++;
        state.names.add(r.body[0]);
        if (r.status !== 200 || r.body.length !== LONG || r.body !== r.body[0].repeat(LONG)) state.bad.push(`${r.status} ${r.body.slice(0, 300)}`);
      }
    }));
    try { await work(state, (n) => { const from = state.made; return until(() => state.made >= from + n, `${n} more calls`); }); } finally { state.stop = true; await load; }
    assert.deepEqual(state.bad, []);
    return state;
  }
  const get = async (where, headers = {}, method = 'GET') => {
    const r = await fetch(`${gw.url}/api/${where}`, { method, headers, redirect: 'manual' });
    return { status: r.status, headers: r.headers, text: await r.text() };
  };
  const secure = (headers, certificate) => new Promise((resolve, reject) => {
    https.get({ host: '127.0.0.1', port: gw.tlsPort, path: '/api/vault/x', headers, rejectUnauthorized: false, agent: false,
      ...(certificate && { cert: pem(`${certificate}.pem`), key: pem(`${certificate}.key`) }) }, (res) => { res.resume(); res.on('end', () => resolve(res.statusCode)); }).on('error', reject);
  });
  function certificates() {
    const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
    for (const name of ['partners', 'others']) {
      openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '30', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
      openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `of-${name}.key`, '-out', 'csr', '-subj', `/CN=of-${name}`);
      openssl('x509', '-req', '-in', 'csr', '-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-set_serial', '7', '-days', '10', '-out', `of-${name}.pem`);
    }
    fs.writeFileSync(path.join(dir, 'authorities.pem'), Buffer.concat([pem('partners.pem'), pem('others.pem')]));
  }

  before(async () => {
    [a, b, c, spare] = await Promise.all(['a', 'b', 'c', 'd'].map(node));
    signer = new Signer('k1', 'ES256');
    idp = await provider(signer);
    erp = await backend((req, res) => {
      res.setHeader('Server', 'SecretERP/1.0');
      if (req.url.endsWith('?away')) { res.writeHead(302, { Location: `${erp.url}/v1/orders/7` }); return res.end(); }
      if (req.url.endsWith('?links')) return res.end(JSON.stringify({ self: `${erp.url}/v1/orders/7` }));
      if (req.url.endsWith('?hang')) return req.socket.destroy();
      return setTimeout(() => res.end(`${req.url} ${erp.seen.length}`), req.url.endsWith('?many') ? 100 : 0);
    });
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-a9-'));
    fs.chmodSync(dir, 0o755);
    certificates();
    gw = await start({ server, workers: 2, build: 'release', config: { 'pool.eject_ms': 100, 'pool.eject_max_ms': 200 },
      tls: { cert: path.join(dir, 'of-others.pem'), key: path.join(dir, 'of-others.key'), ca: path.join(dir, 'authorities.pem') }, setup(g) {
        const add = (name, ...more) => g.cli('import', 'openapi', g.file('d.json', DESCRIPTION), '--name', name, '--path', name, '--product', 'open', ...more);
        g.cli('product', 'create', 'open', '--require-key', 'no');
        g.cli('product', 'create', 'sold');
        const breaker = g.file('breaker.json', JSON.stringify(BREAKER));
        for (const n of nodes()) g.cli('backend', 'set', n.name, '--url', n.url, '--breaker', n === spare ? 'none' : breaker);
        g.cli('backend', 'set', 'pool', '--member', 'a:5', '--member', 'b:3', '--member', 'c:2', '--member', 'd:1:2');
        add('pooled', '--backend', 'http://127.0.0.1:1');
        g.cli('api', 'set', 'pooled', '--backend-id', 'pool');
        add('orders', '--backend', a.url);
        g.cli('import', 'openapi', g.file('d.json', DESCRIPTION), '--name', 'v1', '--path', 'parts', '--version', 'v1', '--product', 'open', '--backend', `${erp.url}/one`);
        g.cli('import', 'openapi', g.file('d.json', DESCRIPTION), '--name', 'prices', '--path', 'prices', '--product', 'sold', '--backend', `${erp.url}/prices`);
        g.cli('cache', 'set', 'api:prices', '--ttl', '60');
        add('hidden', '--backend', `${erp.url}/v1`);
        g.cli('policy', 'set', '--scope', 'api:hidden', g.file('rewrite.xml', REWRITE));
        g.cli('certificate', 'set', 'partners', '--file', path.join(dir, 'partners.pem'), '--authority');
        g.cli('import', 'openapi', g.file('d.json', DESCRIPTION), '--name', 'vault', '--path', 'vault', '--product', 'sold', '--backend', erp.url);
        g.cli('network', 'set', '--scope', 'api:vault', '--https-only', 'yes', '--allow', '127.0.0.0/8');
        g.cli('access', 'set', '--api', 'vault', `key | jwt(issuer=${idp.issuer}, audience=vault) + cert(ca=partners)`);
        keys = [1, 2].map(() => g.cli('subscription', 'create', '--product', 'sold', '--format', 'json').json().primaryKey);
      } });
    callers = Array.from({ length: 8 }, () => new Caller(gw.port));
  });
  after(async () => {
    for (const x of callers || []) x.end();
    await gw?.stop();
    for (const n of nodes()) await n?.down().catch(() => {});
    await erp?.close();
    await idp?.close();
    if (dir) fs.rmSync(dir, { recursive: true, force: true });
  });

  it('a pool of 5:3:2 shares 10,000 calls within 2 %', async () => {
    assert.deepEqual(await calls(10000), []);
    for (const [n, share] of [[a, 5000], [b, 3000], [c, 2000], [spare, 0]])
      assert.ok(Math.abs(n.seen - share) <= 200, `${n.name}: ${n.seen} for ${share}`);
  });

  it('a node dies: no consumer sees an error, its breaker opens, a probe closes it, the split is back', async () => {
    await underLoad('/api/pooled/x', async (state, more) => {
      await a.down();
      await until(() => listed('a').trips >= 1, 'its breaker');
      assert.notEqual(listed('a').breaker, 'closed');
      await more(100);
      await a.up();
      await until(() => listed('a').breaker === 'closed' && listed('a').ejectedSeconds === 0, 'the probe to close it');
    });
    assert.deepEqual(await calls(1000), []);
    for (const [n, share] of [[a, 500], [b, 300], [c, 200]]) assert.ok(Math.abs(n.seen - share) <= 20, `${n.name}: ${n.seen} for ${share}`);
  });

  it('all of them are down: the failover group takes over', async () => {
    await Promise.all([a, b, c].map((n) => n.down()));
    assert.deepEqual(await calls(100), []);
    assert.equal(spare.seen, 100);
    await Promise.all([a, b, c].map((n) => n.up()));
    await until(async () => { await calls(8); return a.seen + b.seen + c.seen === 8; }, 'the first group');
  });

  it('the backend, from an address to a pool and back, and the policy are switched under load: no call fails, no answer is mixed', async () => {
    const state = await underLoad('/api/orders/x', async (_, more) => {
      await more(50);
      const members = () => gw.cli('backend', 'set', 'pool', '--member', 'a:5', '--member', 'b:3', '--member', 'c:2', '--member', 'd:1:2');
      for (const [option, to] of [['--backend', b.url], ['--backend-id', 'c'], ['--backend-id', 'pool'], ['--backend', a.url]]) {
        if (to === 'pool') gw.cli('backend', 'set', 'pool', '--member', 'b', '--member', 'c');
        gw.cli('api', 'set', 'orders', option, to);
        await more(50);
        if (to === 'pool') { members(); await more(50); }
      }
      for (const text of [REWRITE, REWRITE.replace('<redirect-content-urls />', '')]) {                  // and what is done with the calls
        gw.cli('policy', 'set', '--scope', 'api:orders', gw.file('switched.xml', text));
        await more(20);
      }
    });
    assert.deepEqual([...state.names].sort(), ['a', 'b', 'c']);
  });

  it('a revision is tried under its own address, made current, and rolled back, a step each', async () => {
    gw.cli('api', 'revise', 'orders');
    gw.cli('api', 'set', 'orders', '--revision', '2', '--backend', b.url);
    assert.equal((await get('orders;rev=2/x')).text[0], 'b');
    const state = await underLoad('/api/orders/x', async (_, more) => {
      await more(50);
      assert.equal((await get('orders/x')).text[0], 'a');
      gw.cli('api', 'make-current', 'orders', '2');
      assert.equal((await get('orders/x')).text[0], 'b');
      await more(50);
      gw.cli('api', 'make-current', 'orders', '1');
      assert.equal((await get('orders/x')).text[0], 'a');
    });
    assert.deepEqual([...state.names].sort(), ['a', 'b']);
  });

  it('v1 and v2 side by side, by path and by header; who calls v1 notices nothing', async () => {
    const one = () => get('parts/v1/x').then((r) => [r.status, r.text.split(' ')[0]]);
    assert.deepEqual(await one(), [200, '/one/x']);
    gw.cli('import', 'openapi', gw.file('d.json', DESCRIPTION), '--name', 'v2', '--path', 'parts', '--version', 'v2', '--product', 'open', '--backend', `${erp.url}/two`);
    assert.deepEqual(await one(), [200, '/one/x']);
    assert.equal((await get('parts/v2/x')).text.split(' ')[0], '/two/x');
    const token = gw.cli('machine-token', 'create', 'a9', '--role', 'owner', '--scope', 'write', '--format', 'json').json().token;
    const put = async (where, body) => {
      const r = await fetch(`${gw.url}/admin/api/v1/${where}`, { method: 'PUT', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
      assert.ok(r.ok, await r.text());
    };
    await put('version-sets/things', { name: 'Things', scheme: 'header', parameter: 'X-Version' });
    for (const [v, to] of [['v1', 'one'], ['v2', 'two']]) {
      await put(`apis/things-${v}`, { name: 'Things', path: 'things', versionSet: 'things', version: v, backendUrl: `${erp.url}/${to}`, subscriptionRequired: false });
      await put(`operations/things-${v}%2Fx`, { name: 'X', method: 'GET', uriTemplate: '/x' });
    }
    await gw.adopted();
    for (const [v, to] of [['v1', '/one/x'], ['v2', '/two/x']]) assert.equal((await get('things/x', { 'X-Version': v })).text.split(' ')[0], to);
    assert.deepEqual(await one(), [200, '/one/x']);
  });

  it('the cache: GET with Age and X-Cache, for each consumer by itself, purged, never POST, one backend call for 100 misses', async () => {
    const as = (k, query = '', method = 'GET') => get(`prices/x${query}`, { [HEADER]: keys[k] }, method);
    const first = await as(0), again = await as(0);
    assert.deepEqual([first.headers.get('x-cache'), again.headers.get('x-cache'), again.text], ['MISS', 'HIT', first.text]);
    assert.match(again.headers.get('age'), /^\d+$/);
    assert.equal(first.headers.get('age'), null);
    const other = await as(1);
    assert.deepEqual([other.headers.get('x-cache'), other.text === first.text], ['MISS', false]);
    assert.equal((await as(0)).text, first.text);
    gw.cli('cache', 'purge', '--api', 'prices');
    assert.notEqual((await as(0)).text, first.text);
    const posts = [await as(0, '?p', 'POST'), await as(0, '?p', 'POST')];
    assert.notEqual(posts[0].text, posts[1].text);
    const before = erp.seen.length;
    const all = await Promise.all(Array.from({ length: 100 }, () => as(0, '?many')));
    assert.deepEqual([erp.seen.length - before, new Set(all.map((r) => r.text)).size, all.every((r) => r.status === 200)], [1, 1, true]);
  });

  it('the address of the backend stands nowhere', async () => {
    const address = `127.0.0.1:${erp.port}`;
    const answers = [await get('hidden/x?away'), await get('hidden/x?links'), await get('hidden/x?hang'), await get('hidden/nothing'), await get('hidden/x')];
    assert.deepEqual(answers.map((r) => r.status), [302, 200, 502, 404, 200]);
    assert.equal(answers[0].headers.get('location'), `${gw.url}/api/hidden/orders/7`);
    assert.equal(JSON.parse(answers[1].text).self, `${gw.url}/api/hidden/orders/7`);
    for (const i of [2, 3]) assert.equal(JSON.parse(answers[i].text).statusCode, answers[i].status, 'a page of ours');
    for (const r of answers) {
      const whole = `${JSON.stringify([...r.headers])} ${r.text}`;
      assert.ok(!whole.includes(address) && !whole.includes('SecretERP'), whole);
    }
  });

  it('https only; addresses, certificates, tokens and keys as any-of and all-of', async () => {
    const token = signer.token({ iss: idp.issuer, aud: 'vault', sub: 'mes', exp: now() + 300 });
    const bearer = { Authorization: `Bearer ${token}` }, key = { [HEADER]: keys[0] };
    const plain = await get('vault/x', key);
    assert.ok(plain.status === 301 || plain.status === 308 || plain.status === 403, `plain http: ${plain.status}`);
    const tries = [['a key', 200, key], ['nothing', 401, {}], ['a wrong key', 401, { [HEADER]: 'no' }], ['a token alone', 401, bearer],
      ['a certificate alone', 401, {}, 'of-partners'], ['token and certificate', 200, bearer, 'of-partners'],
      ['token and a certificate of others', 403, bearer, 'of-others']];
    for (const [what, status, headers, certificate] of tries) assert.equal(await secure(headers, certificate), status, what);
    gw.cli('network', 'set', '--scope', 'api:vault', '--allow', '192.0.2.0/24');
    assert.equal(await secure(key), 403, 'whatever is shown, from elsewhere');
  });
});
