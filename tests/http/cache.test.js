// cache-lookup and cache-store over four workers: parallel misses are one backend call, nobody waits for an answer that will
// not be kept, HTTP's rules hold, and the records say hit, miss or none.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { start, backend, until, SERVERS } = require('./harness');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Prices', version: '1' },
  paths: { '/{p}': { get: { operationId: 'get', responses: { 200: { description: 'ok' } } },
    post: { operationId: 'post', responses: { 200: { description: 'ok' } } } } } });
const POLICY = `<policies>
  <inbound>
    <base />
    <cache-lookup vary-by-developer="false" vary-by-developer-groups="false" downstream-caching-type="public">
      <vary-by-header>X-Tenant</vary-by-header>
    </cache-lookup>
  </inbound>
  <backend><base /></backend>
  <outbound>
    <base />
    <set-header name="X-Before" exists-action="append"><value>1</value></set-header>
    <cache-store duration="60" />
    <set-header name="X-After" exists-action="override"><value>@(context.RequestId.ToString())</value></set-header>
  </outbound>
</policies>`;

// nginx and Apache tell the gateway when a caller goes away; lighttpd does not
for (const server of SERVERS.filter((s) => s === 'nginx')) {
  describe(`the cache of answers behind ${server}`, () => {
    let gw, prices, key;
    let reply = (req, res) => res.end('price');

    before(async () => {
      prices = await backend((req, res, body) => reply(req, res, body));
      gw = await start({ server, workers: 4, setup(g) {
        g.cli('product', 'create', 'gold');
        g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', 'prices', '--name', 'prices', '--backend', prices.url,
          '--product', 'gold');
        g.cli('policy', 'set', g.file('p.xml', POLICY), '--scope', 'api:prices');
        key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
      } });
    });
    after(async () => { await gw?.stop(); await prices?.close(); });

    // Each on a connection of its own, so that all workers get some.
    const get = (path, headers = {}) => new Promise((resolve, reject) => {
      http.get(`${gw.url}/api/prices/${path}`, { agent: false, headers: { 'X-Api-Key': key, ...headers } }, (res) => {
        let text = '';
        res.setEncoding('utf8');
        res.on('data', (d) => { text += d; });
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
      }).on('error', reject);
    });
    const asked = (path) => prices.seen.filter((s) => s.url.split('?')[0] === `/${path}`).length;

    it('makes one backend call of 100 parallel misses', async () => {
      reply = (req, res) => setTimeout(() => res.end('slow price'), 300);
      const all = await Promise.all(Array.from({ length: 100 }, () => get('slow')));
      assert.deepEqual([...new Set(all.map((r) => `${r.status} ${r.text}`))], ['200 slow price']);
      assert.equal(asked('slow'), 1);
    });

    it('makes one backend call for each variant of parallel misses', async () => {
      reply = (req, res) => { res.setHeader('Vary', 'Accept-Language'); setTimeout(() => res.end(req.headers['accept-language']), 200); };
      const languages = Array.from({ length: 60 }, (_, i) => ['de', 'en', 'fr'][i % 3]);
      const all = await Promise.all(languages.map((language) => get('variants', { 'Accept-Language': language })));
      assert.deepEqual(all.map((r) => r.text), languages);
      assert.equal(asked('variants'), 3);
    });

    it('lets nobody wait for an answer that is not kept, and does not queue up for the next one', async () => {
      const inside = [];
      let first, all, tries = 0;
      reply = (req, res) => {
        res.setHeader('Cache-Control', 'no-store');
        if (first) { first = false; return res.end('mine'); }
        return inside.push(res) === all && inside.splice(0).forEach((r) => r.end('mine'));      // none of them before all are there
      };
      // who waits for another does so for five seconds, always; who does not may take that long on a busy machine: then once more
      await until(async () => {
        const path = `private${++tries}`, begun = Date.now();
        for (const n of [20, 10]) {
          first = n === 20;
          all = first ? n - 1 : n;
          assert.deepEqual((await Promise.all(Array.from({ length: n }, () => get(path)))).map((r) => `${r.status} ${r.text}`), Array(n).fill('200 mine'));
        }
        assert.equal(asked(path), 30);
        return Date.now() - begun < 4500;
      }, 'calls of which none waits for another');
    });

    it('goes on when the caller that fetches goes away', async () => {
      let first = true;
      reply = (req, res) => {
        if (first) { first = false; return; }    // the first is never answered
        res.end('after all');
      };
      const gone = http.get(`${gw.url}/api/prices/gone`, { agent: false, headers: { 'X-Api-Key': key } });
      gone.on('error', () => {});
      await until(() => asked('gone') === 1, 'the first call at the backend');
      const others = Promise.all(Array.from({ length: 8 }, () => get('gone')));
      gone.destroy();
      assert.ok((await others).every((r) => r.text === 'after all'));
      assert.equal(asked('gone'), 2);
    });

    it('goes on when the worker that fetches is killed', async () => {
      const fs = require('node:fs');
      const hex = (port) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
      let from = 0;
      reply = (req, res) => {
        if (!from) { from = req.socket.remotePort; return; }
        res.end('from another');
      };
      const lost = get('killed').catch(() => ({}));
      await until(() => from, 'the first call at the backend');
      const others = Array.from({ length: 12 }, () => get('killed').catch(() => ({})));
      // the worker at the other end of that very connection: others may have idle ones
      const line = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((l) => l.trim().split(/\s+/))
        .find((f) => f[1]?.endsWith(hex(from)) && f[2]?.endsWith(hex(prices.port)));
      const busy = gw.pids('gatehouse-gateway').find((pid) => fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
        try { return fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${line[9]}]`; } catch { return false; }
      }));
      assert.ok(busy, 'the worker with the connection to the backend');
      process.kill(busy, 'SIGKILL');
      const answered = (await Promise.all(others)).filter((r) => r.status === 200);
      assert.ok(answered.length >= 1, 'calls of the other workers are answered');
      assert.ok(answered.every((r) => r.text === 'from another'));
      await lost;
      await until(async () => (await get('killed')).text === 'from another', 'the worker is back');
    });

    it('a hit goes on behind cache-store', async () => {
      reply = (req, res) => res.end('x');
      const first = await get('order'), second = await get('order');
      assert.equal(asked('order'), 1);
      assert.deepEqual([first.headers['x-before'], second.headers['x-before']], ['1', '1']);
      assert.equal(second.headers['x-after'].length, 36);
      assert.notEqual(second.headers['x-after'], first.headers['x-after']);
      assert.match(second.headers['cache-control'], /^public, max-age=60/);
      assert.match(second.headers.age, /^\d+$/);
      assert.equal(first.headers.age, undefined);
    });

    const rules = [
      ['private', { 'Cache-Control': 'private' }], ['no-cache', { 'Cache-Control': 'max-age=9, No-Cache' }],
      ['Set-Cookie', { 'Set-Cookie': 'a=b' }], ['Vary: *', { Vary: 'Accept, *' }],
    ];
    for (const [name, headers] of rules)
      it(`does not keep a response with ${name}`, async () => {
        reply = (req, res) => { for (const [k, v] of Object.entries(headers)) res.setHeader(k, v); res.end('x'); };
        const path = `rule${rules.findIndex((r) => r[0] === name)}`;
        await get(path);
        await get(path);
        assert.equal(asked(path), 2);
      });

    it('keeps apart what the response varies by, and what the policy varies by', async () => {
      reply = (req, res) => { res.setHeader('Vary', 'Accept-Language'); res.end(req.headers['accept-language'] || 'none'); };
      assert.equal((await get('vary', { 'Accept-Language': 'de' })).text, 'de');
      assert.equal((await get('vary', { 'Accept-Language': 'de' })).text, 'de');
      assert.equal(asked('vary'), 1);
      assert.equal((await get('vary', { 'Accept-Language': 'it' })).text, 'it');
      assert.equal((await get('vary', { 'Accept-Language': 'it' })).text, 'it');
      assert.equal(asked('vary'), 2);
      reply = (req, res) => res.end(req.headers['x-tenant'] || 'none');
      for (const tenant of ['a', 'b', 'a', 'b']) assert.equal((await get('tenant', { 'X-Tenant': tenant })).text, tenant);
      assert.equal(asked('tenant'), 2);
      await get('query?b=1');
      await get('query?b=2');
      assert.equal(asked('query'), 2);
    });

    it('passes by requests with Authorization and other methods, and asks the backend for the whole', async () => {
      reply = (req, res) => res.end(req.headers['if-none-match'] || 'whole');
      await get('auth', { Authorization: 'Bearer x' });
      await get('auth', { Authorization: 'Bearer x' });
      assert.equal(asked('auth'), 2);
      await get('whole', { 'If-None-Match': '"1"', Range: 'bytes=0-1', 'Cache-Control': 'max-age=60' });
      assert.deepEqual([prices.seen.at(-1).headers.range, prices.seen.at(-1).headers['cache-control']], [undefined, undefined]);
      assert.equal((await get('whole')).text, 'whole');
      assert.equal(asked('whole'), 1);
      assert.equal((await get('whole', { 'Cache-Control': 'no-cache' })).text, 'whole');
      assert.equal(prices.seen.at(-1).headers['cache-control'], 'no-cache');
      assert.equal(asked('whole'), 2);
    });

    it('records hit, miss and none', async () => {
      reply = (req, res) => res.end('x');
      await get('recorded');
      await get('recorded');
      await fetch(`${gw.url}/api/prices/recorded`, { method: 'POST', headers: { 'X-Api-Key': key } });
      const calls = await until(() => {
        const all = gw.cli('log', '-n', '1000', '--format', 'json').stdout.trim().split('\n').map((l) => JSON.parse(l))
          .filter((c) => c.path.endsWith('/recorded'));
        return all.length === 3 && all;
      }, 'the records');
      const cache = (c) => `${c.method} ${c.cache} ${c.origin}`;
      assert.deepEqual(calls.map(cache).sort(), ['GET hit cache', 'GET miss backend', 'POST none backend']);
      assert.match(gw.cli('log', '-n', '1000').stdout, /GET \/api\/prices\/recorded .* cache=hit/);
    });
  });
}
