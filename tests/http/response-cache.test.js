// Cache rules: answers of backends kept for all workers as RFC 9111 has it. Each row of a table is a path of its own; the
// backend answers as the row says and counts.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { start, backend, until, SERVERS } = require('./harness');
const { Visitor } = require('./people');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Prices', version: '1' }, paths: Object.fromEntries(['/{p}', '/off/{p}'].map((path, i) => [path,
  Object.fromEntries(['get', 'head', 'post', 'delete'].map((m) => [m, { operationId: `${m}${i}`, responses: { 200: { description: 'ok' } } }]))])) });
// a policy that names the site of the backend, and one that asks for the head alone
const SITES = `<policies><inbound><base />
  <choose><when condition="@(context.Request.Headers.ContainsKey(&quot;X-Site&quot;))">
    <set-header name="Host" exists-action="override"><value>@(context.Request.Headers.GetValueOrDefault("X-Site",""))</value></set-header></when></choose>
  <choose><when condition="@(context.Request.Headers.ContainsKey(&quot;X-Head&quot;))"><set-method>HEAD</set-method></when></choose>
</inbound><backend><base /></backend><outbound><base /></outbound></policies>`;
const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';

for (const server of SERVERS.filter((s) => s === 'nginx')) {
  describe(`cache rules behind ${server}`, () => {
    let gw, prices, ann, bob;
    const replies = new Map();

    before(async () => {
      prices = await backend((req, res) => {
        const reply = replies.get(req.url.split('?')[0].split('/').pop());
        if (reply) reply(req, res); else res.end('x');
      });
      gw = await start({ server, workers: 4, config: { 'cache.refresh_timeout_ms': 5000, 'telemetry.detail_every': 1 }, setup(g) {
        g.cli('product', 'create', 'gold');
        for (const name of ['mine', 'ours', 'plain'])
          g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', name, '--name', name, '--backend', `${prices.url}/${name}`, '--product', 'gold');
        g.cli('cache', 'set', 'api:mine');
        g.cli('cache', 'set', 'operation:mine/get1', '--on', 'no');
        g.cli('import', 'openapi', g.file('p.json', SPEC), '--path', 'sites', '--name', 'sites', '--backend', `${prices.url}/sites`, '--product', 'gold');
        g.cli('policy', 'set', g.file('sites.xml', SITES), '--scope', 'api:sites');
        g.cli('cache', 'set', 'api:sites', '--shared-by', 'everyone');
        g.cli('cache', 'set', 'api:ours', '--shared-by', 'everyone', '--stale-if-error', '0', '--vary-by', 'X-Tenant', '--max-bytes', '1000');
        [ann, bob] = ['ann', 'bob'].map((name) => g.cli('subscription', 'create', '--product', 'gold', '--name', name, '--format', 'json').json());
      } });
    });
    after(async () => { await gw?.stop(); await prices?.close(); });

    const call = (path, headers = {}, method = 'GET') => new Promise((resolve, reject) => {
      const req = http.request(`${gw.url}/api/${path}`, { method, agent: false, headers: { 'X-Api-Key': ann.primaryKey, ...headers } }, (res) => {
        let text = '';
        res.setEncoding('utf8');
        res.on('data', (d) => { text += d; });
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
      }).on('error', reject);
      req.end();
    });
    const asked = (name) => prices.seen.filter((s) => s.url.split('?')[0].endsWith(`/${name}`));
    // The backend numbers its answers; `more` may change them.
    const numbered = (name, headers, more = () => {}) => {
      let n = 0;
      replies.set(name, (req, res) => {
        n++;
        res.setHeader('X-Number', n);
        for (const [k, v] of Object.entries(headers)) res.setHeader(k, v);
        if (more(req, res, n) !== true) res.end(`answer ${n}`);
      });
    };

    // label, fields of the answer, requests in turn, and the body (or status) that each is to get
    const table = [
      ['fresh', { 'Cache-Control': 'max-age=60' }, [{}, {}, {}], ['answer 1', 'answer 1', 'answer 1']],
      ['no word', {}, [{}, {}], ['answer 1', 'answer 2']],
      ['no-store', { 'Cache-Control': 'no-store' }, [{}, {}], ['answer 1', 'answer 2']],
      ['private', { 'Cache-Control': 'private, max-age=60' }, [{}, {}], ['answer 1', 'answer 2']],
      ['cookies', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'a=b' }, [{}, {}], ['answer 1', 'answer 2']],
      ['s-maxage', { 'Cache-Control': 'max-age=0, s-maxage=60' }, [{}, {}], ['answer 1', 'answer 1']],
      ['old already', { 'Cache-Control': 'max-age=60', Age: '60' }, [{}, {}], ['answer 1', 'answer 2']],
      ['client wants anew', { 'Cache-Control': 'max-age=60' }, [{}, { 'Cache-Control': 'no-cache' }, {}], ['answer 1', 'answer 2', 'answer 2']],
      ['client keeps nothing', { 'Cache-Control': 'max-age=60' }, [{ 'Cache-Control': 'no-store' }, {}], ['answer 1', 'answer 2']],
      ['authorization', { 'Cache-Control': 'max-age=60' }, [{ Authorization: 'a' }, { Authorization: 'a' }], ['answer 1', 'answer 2']],
      ['authorization, public', { 'Cache-Control': 'max-age=60, public' }, [{ Authorization: 'a' }, {}], ['answer 1', 'answer 1']],
      ['only if cached', { 'Cache-Control': 'max-age=60' }, [{ 'Cache-Control': 'only-if-cached' }, {}, { 'Cache-Control': 'only-if-cached' }], [504, 'answer 1', 'answer 1']],
      ['condition that holds', { 'Cache-Control': 'max-age=60', ETag: '"1"' }, [{}, { 'If-None-Match': '"0", W/"1"' }], ['answer 1', 304]],
      ['condition by date', { 'Cache-Control': 'max-age=60', 'Last-Modified': DATE }, [{}, { 'If-Modified-Since': DATE }], ['answer 1', 304]],
      ['condition that does not', { 'Cache-Control': 'max-age=60', ETag: '"1"' }, [{}, { 'If-None-Match': '"2"' }], ['answer 1', 'answer 1']],
      ['condition on a miss', { 'Cache-Control': 'max-age=60', ETag: '"1"' }, [{ 'If-None-Match': '"2"' }, {}], ['answer 1', 'answer 1']],
      ['part', { 'Cache-Control': 'max-age=60' }, [{}, { Range: 'bytes=1-3' }, { Range: 'bytes=-1' }], ['answer 1', 'nsw', '1']],
      ['part beyond', { 'Cache-Control': 'max-age=60' }, [{}, { Range: 'bytes=99-' }], ['answer 1', 416]],
      ['if-range', { 'Cache-Control': 'max-age=60', ETag: '"1"' }, [{}, { Range: 'bytes=0-0', 'If-Range': '"2"' }], ['answer 1', 'answer 1']],
      ['vary', { 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' },
        [{ 'Accept-Language': 'de' }, { 'Accept-Language': 'it' }, { 'Accept-Language': 'de' }, { 'Accept-Language': 'it' }], ['answer 1', 'answer 2', 'answer 1', 'answer 2']],
      ['by header of the rule', { 'Cache-Control': 'max-age=60' }, [{ 'X-Tenant': 'a' }, { 'X-Tenant': 'b' }, { 'X-Tenant': 'a' }], ['answer 1', 'answer 2', 'answer 1']],
      ['vary all', { 'Cache-Control': 'max-age=60', Vary: '*' }, [{}, {}], ['answer 1', 'answer 2']],
    ];
    for (const [label, headers, requests, want] of table)
      it(label, async () => {
        const name = `row${table.findIndex((r) => r[0] === label)}`;
        numbered(name, headers);
        const got = [];
        for (const request of requests) got.push(await call(`ours/${name}`, request));
        assert.deepEqual(got.map((r, i) => (typeof want[i] === 'number' ? r.status : r.text)), want);
        got.forEach((r, i) => assert.equal(r.status, typeof want[i] === 'number' ? want[i] : requests[i].Range && !requests[i]['If-Range'] ? 206 : 200));
      });

    it('tells how old an answer is and where it comes from, and answers HEAD from it', async () => {
      numbered('told', { 'Cache-Control': 'max-age=60', 'Cache-Status': 'Origin; hit' });
      const [first, second, head] = [await call('ours/told'), await call('ours/told'), await call('ours/told', {}, 'HEAD')];
      assert.deepEqual([first, second, head].map((r) => r.headers['x-cache']), ['MISS', 'HIT', 'HIT']);
      assert.equal(first.headers['cache-status'], 'Origin; hit, Gatehouse; fwd=uri-miss; stored');
      assert.match(second.headers['cache-status'], /^Origin; hit, Gatehouse; hit; ttl=([1-5]?\d|60)$/);
      assert.equal(first.headers.age, undefined);
      assert.match(second.headers.age, /^\d+$/);
      assert.deepEqual([head.text, head.headers['content-length']], ['', '8']);
    });

    it('validates what is old: 304 keeps it, another answer takes its place', async () => {
      numbered('old', { 'Cache-Control': 'max-age=0', ETag: '"1"' }, (req, res, n) => {
        if (n === 2) assert.equal(req.headers['if-none-match'], '"1"');
        if (n === 2) { res.setHeader('X-New', 'yes'); res.writeHead(304).end(); return true; }
        return false;
      });
      const all = [await call('ours/old'), await call('ours/old'), await call('ours/old')];
      assert.deepEqual(all.map((r) => r.text), ['answer 1', 'answer 1', 'answer 3']);
      assert.deepEqual(all.map((r) => r.headers['x-cache']), ['MISS', 'REVALIDATED', 'MISS']);
      assert.deepEqual([all[1].headers['x-new'], all[1].headers['x-number']], ['yes', '2']);
      assert.match(all[1].headers['cache-status'], /fwd=stale; fwd-status=304/);
    });

    it('keeps nothing of a 304 that is for one caller', async () => {
      for (const [name, fields] of [['new-cookie', { 'Set-Cookie': 'session=ann', 'Cache-Control': 'max-age=60' }], ['now-private', { 'Cache-Control': 'private, max-age=60', 'X-For': 'ann' }]]) {
        numbered(name, { 'Cache-Control': 'max-age=0', ETag: '"1"' }, (req, res, n) => { if (n === 2) { res.writeHead(304, fields).end(); return true; } return false; });
        await call(`ours/${name}`);
        const own = await call(`ours/${name}`), other = await call(`ours/${name}`, { 'X-Api-Key': bob.primaryKey });
        assert.deepEqual([own.text, own.headers['set-cookie'], own.headers['x-for']], ['answer 1', fields['Set-Cookie'] && ['session=ann'], fields['X-For']], name);
        assert.deepEqual([other.text, other.headers['set-cookie'], other.headers['x-for']], ['answer 3', undefined, undefined], name);
      }
      numbered('field', { 'Cache-Control': 'max-age=0', ETag: '"1"' }, (req, res, n) => {
        if (n === 2) { res.writeHead(304, { 'Cache-Control': 'private="X-For", max-age=60', 'X-For': 'ann' }).end(); return true; }
        return false;
      });
      await call('ours/field');
      await call('ours/field');
      const other = await call('ours/field', { 'X-Api-Key': bob.primaryKey });
      assert.deepEqual([other.text, other.headers['x-cache'], other.headers['x-for']], ['answer 1', 'HIT', undefined]);
    });

    it('tells apart the sites that a policy names, and keeps no head in place of the whole', async () => {
      numbered('site', { 'Cache-Control': 'max-age=60' }, (req, res) => { res.end(req.headers.host); return true; });
      const got = [];
      for (const site of ['a.example', 'b.example', 'a.example']) got.push((await call('sites/site', { 'X-Site': site })).text);
      assert.deepEqual([...got, asked('site').length], ['a.example', 'b.example', 'a.example', 2]);
      numbered('heads', { 'Cache-Control': 'max-age=60' });
      await call('sites/heads', { 'X-Head': '1' });
      assert.equal((await call('sites/heads')).text, 'answer 2');
    });

    it('makes one backend call of 100 parallel misses, and of 40 that find it old', async () => {
      const later = (req, res, n) => { setTimeout(() => res.end(`answer ${n}`), 200); return true; };
      numbered('many', { 'Cache-Control': 'max-age=600' }, later);
      const all = await Promise.all(Array.from({ length: 100 }, () => call('ours/many')));
      assert.deepEqual([...new Set(all.map((r) => `${r.status} ${r.text}`))], ['200 answer 1']);
      assert.equal(asked('many').length, 1);
      numbered('aged', {}, (req, res, n) => { res.setHeader('Cache-Control', `max-age=${n === 1 ? 1 : 600}`); return later(req, res, n); });
      await call('ours/aged');
      await until(async () => (await call('ours/aged', { 'Cache-Control': 'only-if-cached' })).status === 504, 'it is old');
      const again = await Promise.all(Array.from({ length: 40 }, () => call('ours/aged')));
      assert.deepEqual([...new Set(again.map((r) => r.text))], ['answer 2']);
      assert.equal(asked('aged').length, 2);
    });

    it('gives the old answer while the backend is asked once, off the path', async () => {
      let tries = 0;
      await until(async () => {            // once more where a busy machine takes longer for the calls than a refresh may
        const name = `swr${++tries}`;
        let let_go, begun;
        numbered(name, { 'Cache-Control': 'max-age=1, stale-while-revalidate=600' }, (req, res, n) => {
          if (n === 2) { begun = Date.now(); let_go = () => res.end('answer 2'); return true; }
          return false;
        });
        await call(`ours/${name}`);
        await until(async () => (await call(`ours/${name}`)).headers['x-cache'] === 'STALE', 'it is old');
        await until(() => let_go, 'the refresh');
        const all = await Promise.all(Array.from({ length: 20 }, () => call(`ours/${name}`)));
        if (Date.now() - begun > 3000) return false;
        assert.deepEqual([...new Set(all.map((r) => `${r.text} ${r.headers['x-cache']}`))], ['answer 1 STALE']);
        assert.equal(asked(name).length, 2);
        let_go();
        await until(async () => (await call(`ours/${name}`)).text !== 'answer 1', 'the new one');
        return true;
      }, 'a refresh in time');
    });

    it('gives a refresh up that a trickling backend does not end, and begins another', async () => {
      let left = false;
      numbered('drip', { 'Cache-Control': 'max-age=1, stale-while-revalidate=600' }, (req, res, n) => {
        if (n !== 2) return false;
        const drops = setInterval(() => res.write('.'), 50);
        res.on('close', () => { clearInterval(drops); left = true; });
        return true;
      });
      await call('ours/drip');
      await until(async () => (await call('ours/drip')).headers['x-cache'] === 'STALE', 'it is old');
      await until(() => left, 'the end of the refresh');
      await until(async () => (await call('ours/drip')).text === 'answer 3', 'another refresh');
    });

    it('gives the old answer in place of an error when it may, and not when it must ask', async () => {
      for (const [name, control, want] of [['sie', 'max-age=0, stale-if-error=600', '200 answer 1'], ['strict', 'max-age=0, stale-if-error=600, must-revalidate', '503 down'],
        ['none', 'max-age=0', '503 down']]) {
        numbered(name, { 'Cache-Control': control, ETag: '"1"' }, (req, res, n) => { if (n > 1) res.writeHead(503).end('down'); return n > 1; });
        await call(`ours/${name}`);
        const r = await call(`ours/${name}`);
        assert.equal(`${r.status} ${r.text}`, want, name);
      }
      numbered('broken', { 'Cache-Control': 'max-age=0, stale-if-error=600', ETag: '"1"' }, (req, res, n) => { if (n > 1) req.socket.destroy(); return n > 1; });
      await call('ours/broken');
      const r = await call('ours/broken');
      assert.deepEqual([r.status, r.text, r.headers['x-cache']], [200, 'answer 1', 'STALE']);
    });

    it('gives nothing old that forbids it when the backend closes the connection, whatever the caller takes', async () => {
      const strict = ['max-age=0, must-revalidate', 'max-age=0, proxy-revalidate', 'max-age=60, no-cache', 's-maxage=0, max-age=0'];
      for (const [i, control] of [...strict, 'max-age=0'].entries())
        for (const [j, request] of [{}, { 'Cache-Control': 'max-stale' }, { 'Cache-Control': 'stale-if-error=600' }].entries()) {
          const name = `closed${i}-${j}`, stale = ', stale-if-error=600, stale-while-revalidate=600';
          numbered(name, { 'Cache-Control': control + (strict.includes(control) ? stale : ', stale-if-error=600'), ETag: '"1"' },
            (req, res, n) => { if (n > 1) req.socket.destroy(); return n > 1; });
          await call(`ours/${name}`);
          const r = await call(`ours/${name}`, request), said = `${control}, asked with ${JSON.stringify(request)}`;
          assert.equal(`${r.status} ${r.text === 'answer 1'}`, strict.includes(control) ? '502 false' : '200 true', said);
          assert.equal(r.headers['x-number'], strict.includes(control) ? undefined : '1', said);
          // with max-stale nobody asks; else the backend was asked and what it had said before went into no answer
          if (strict.includes(control)) assert.ok(asked(name).length > 1, said);
        }
    });

    it('never gives one subscription the answer of another unless told', async () => {
      for (const [api, want] of [['mine', ['answer 1', 'answer 2', 'answer 1', 'answer 2']], ['ours', ['answer 1', 'answer 1', 'answer 1', 'answer 1']]]) {
        numbered(`tenant-${api}`, { 'Cache-Control': 'public, max-age=60' });
        const got = [];
        for (const who of [ann, bob, ann, bob]) got.push((await call(`${api}/tenant-${api}`, { 'X-Api-Key': who.primaryKey })).text);
        assert.deepEqual(got, want, api);
      }
      numbered('both', { 'Cache-Control': 'public, max-age=60' }, (req, res, n) => { setTimeout(() => res.end(`answer ${n}`), 100); return true; });
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => call('mine/both', { 'X-Api-Key': (i % 2 ? ann : bob).primaryKey })));
      assert.equal(new Set(all.filter((_, i) => i % 2).map((r) => r.text)).size, 1);
      assert.equal(new Set(all.map((r) => r.text)).size, 2);
    });

    it('keeps nothing of POST, and what POST and DELETE change is fetched anew, for every subscription', async () => {
      numbered('posted', { 'Cache-Control': 'public, max-age=60' });
      await call('mine/posted', {}, 'POST');
      await call('mine/posted', {}, 'POST');
      assert.equal(asked('posted').length, 2);
      numbered('changed', { 'Cache-Control': 'max-age=60' });
      numbered('listed', { 'Cache-Control': 'max-age=60' });
      replies.set('changer', (req, res) => { res.setHeader('Location', '/mine/listed'); res.writeHead(201).end(); });
      replies.set('refused', (req, res) => { res.setHeader('Location', '/mine/listed'); res.writeHead(400).end(); });
      const bobs = { 'X-Api-Key': bob.primaryKey };
      assert.equal((await call('mine/changed', bobs)).text, 'answer 1');
      assert.equal((await call('mine/listed', bobs)).text, 'answer 1');
      await call('mine/refused', {}, 'POST');
      assert.equal((await call('mine/listed', bobs)).text, 'answer 1');
      await call('mine/changed', {}, 'DELETE');
      await call('mine/changer', {}, 'POST');
      assert.equal((await call('mine/changed', bobs)).text, 'answer 3');
      assert.equal((await call('mine/listed', bobs)).text, 'answer 2');
    });

    it('leaves out what is too large, operations that are off, and APIs without a rule', async () => {
      const large = 'x'.repeat(1001);
      numbered('large', { 'Cache-Control': 'max-age=60' }, (req, res) => { res.write(large.slice(500)); res.end(large.slice(0, 500)); return true; });
      for (const path of ['ours/large', 'mine/off/left', 'plain/left']) {
        numbered('left', { 'Cache-Control': 'max-age=60' });
        const before_ = prices.seen.length, all = [await call(path), await call(path)];
        assert.equal(prices.seen.length - before_, 2, path);
        assert.deepEqual(all.map((r) => r.headers['x-cache']), path === 'ours/large' ? ['MISS', 'MISS'] : [undefined, undefined]);
      }
    });

    it('purges by key, prefix, tag and subscription, and lists what is kept', async () => {
      const fill = async () => {
        for (const name of ['p1', 'p2', 'q1']) {
          numbered(name, { 'Cache-Control': 'max-age=60', 'Surrogate-Key': `all ${name}`, 'Cache-Tag': 'x,y' });
          await call(`mine/${name}?a=1`);
        }
        await call('mine/p1?a=1', { 'X-Api-Key': bob.primaryKey });
      };
      const listed = (...args) => gw.cli('cache', 'list', '--api', 'mine', '--prefix', '/api/mine/', ...args, '--format', 'json').json();
      const purge = (...args) => gw.cli('cache', 'purge', ...args, '--format', 'json').json().removed;
      gw.cli('cache', 'purge', '--all');
      await fill();
      assert.deepEqual(listed().map((l) => l.key.slice(10)).sort(), ['p1?a=1', 'p1?a=1', 'p2?a=1', 'q1?a=1']);
      assert.deepEqual(listed('--tag', 'q1').map((l) => [l.status, l.bytes, l.tags, l.subscription]), [[200, 8, 'all q1 x y', ann.id]]);
      numbered('r1', { 'Cache-Control': 'max-age=60' });
      await call(`mine/r1?subscription-key=${ann.primaryKey}&a=1`, { 'X-Api-Key': '' });
      assert.deepEqual(listed().map((l) => l.key).filter((name) => name.includes('r1')), ['/api/mine/r1?a=1']);
      assert.equal(purge('--key', '/api/mine/p1'), 0);
      assert.equal(purge('--key', '/api/mine/p1?a=1', '--subscription', bob.id), 1);
      assert.equal(purge('--tag', 'q1'), 1);
      assert.equal((await call('mine/q1?a=1')).headers['x-cache'], 'MISS');
      assert.equal((await call('mine/p1?a=1')).headers['x-cache'], 'HIT');
      assert.equal(purge('--prefix', '/api/mine/p'), 2);
      assert.equal((await call('mine/p1?a=1')).headers['x-cache'], 'MISS');
      assert.equal(gw.cli('cache', 'stats', '--format', 'json').json().maxBytes, 268435456);
      assert.notEqual(gw.cli('cache', 'purge', { fails: true }).status, 0);
    });

    it('does not keep what was on its way when it was purged', async () => {
      const held = [];
      for (const name of ['flying', 'landing']) {
        numbered(name, { 'Cache-Control': 'max-age=60', 'Surrogate-Key': `tag-${name}` }, (req, res, n) => { if (n === 1) held.push(() => res.end('answer 1')); return n === 1; });
      }
      const first = [call('ours/flying'), call('ours/landing')];
      await until(() => held.length === 2, 'both at the backend');
      gw.cli('cache', 'purge', '--tag', 'tag-flying');
      held.forEach((end) => end());
      assert.deepEqual((await Promise.all(first)).map((r) => r.text), ['answer 1', 'answer 1']);
      const then = [];
      for (const name of ['flying', 'flying', 'landing']) then.push(await call(`ours/${name}`));
      assert.deepEqual(then.map((r) => `${r.text} ${r.headers['x-cache']}`), ['answer 2 MISS', 'answer 2 HIT', 'answer 1 HIT']);
    });

    it('lists and purges by the management API, for who may, and the audit trail has it', async () => {
      const token = (...args) => gw.cli('machine-token', 'create', args[0], '--role', args[1], '--scope', args[2], '--format', 'json').json().token;
      const [admin, reader, other] = [token('caches', 'administrator', 'write'), token('looks', 'administrator', 'read'), token('apis', 'administrator', 'write:apis')];
      const rest = async (path, body, bearer = admin) => {
        const r = await fetch(`${gw.url}/admin/api/v1${path}`, { method: body ? 'POST' : 'GET', body: body && JSON.stringify(body),
          headers: { ...(bearer && { Authorization: `Bearer ${bearer}` }), ...(body && { 'Content-Type': 'application/json' }) } });
        return { status: r.status, body: await r.json() };
      };
      for (const name of ['r1', 'r2', 's1']) {
        numbered(name, { 'Cache-Control': 'max-age=60', 'Surrogate-Key': `rest-${name}` });
        await call(`ours/${name}`);
      }
      const listed = await rest('/cache?api=ours&tag=rest-r1');
      assert.equal(listed.status, 200, JSON.stringify(listed.body));
      assert.deepEqual(listed.body.items.map((l) => [l.key, l.status, l.bytes, l.tags, l.subscription]), [['/api/ours/r1', 200, 8, 'rest-r1', null]]);
      assert.equal(listed.body.maxBytes, 268435456);
      assert.deepEqual([(await rest('/cache?prefix=/api/ours/r&limit=1')).body.more, (await rest('/cache?limit=0')).status], [true, 400]);
      for (const [body, bearer, want] of [[{}, admin, 422], [{ prefx: '/x', api: 'ours' }, admin, 422], [{ all: true, api: 'ours' }, admin, 422], [{ key: 7 }, admin, 422],
        [{ all: true }, reader, 403], [{ all: true }, other, 403], [{ all: true }, null, 401]])
        assert.equal((await rest('/cache/purge', body, bearer)).status, want, JSON.stringify(body));
      assert.deepEqual(await rest('/cache/purge?dry-run=true', { prefix: '/api/ours/r', api: 'ours' }), { status: 200, body: { removed: 2 } });
      assert.deepEqual(await rest('/cache/purge', { prefix: '/api/ours/r', api: 'ours' }), { status: 200, body: { removed: 2 } });
      assert.deepEqual([(await call('ours/r1')).headers['x-cache'], (await call('ours/s1')).headers['x-cache']], ['MISS', 'HIT']);
      assert.match(gw.cli('audit', '--format', 'json').stdout, /"purge"/);
      const document = (await rest('/openapi.json')).body;
      assert.ok(document.paths['/cache'].get && document.paths['/cache/purge'].post);
    });

    it('the dashboard shows what is kept, and removes what it shows', async () => {
      const admin = await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in');
      for (const name of ['page-1', 'page-2', 'other']) {
        numbered(name, { 'Cache-Control': 'max-age=600', 'Surrogate-Key': name === 'other' ? 'red' : 'blue' });
        await call(`ours/${name}`);
      }
      const shown = async (query) => {
        await admin.open(`/admin/kept-answers?${query}`);
        return ['page-1', 'page-2', 'other'].filter((n) => admin.html.includes(`/ours/${n} `) || admin.html.includes(`/ours/${n}<`));
      };
      assert.deepEqual(await shown('tag=blue'), ['page-1', 'page-2']);
      assert.deepEqual(await shown(`key=${encodeURIComponent('/api/ours/other')}`), ['other']);
      assert.deepEqual(await shown(`prefix=${encodeURIComponent('/api/ours/page')}`), ['page-1', 'page-2']);
      assert.deepEqual(await shown('tag=%3Cb%3E'), []);
      assert.ok(!admin.html.includes('<b>'), 'what was asked for is escaped');
      await shown('tag=blue');
      await admin.send('POST', '/admin/kept-answers/purge', { form: admin.form('/admin/kept-answers/purge') });
      await admin.follow();
      assert.ok(admin.says('Removed: 2'), admin.html);
      assert.deepEqual(await shown(`prefix=${encodeURIComponent('/api/ours/')}`).then((v) => v.filter((n) => n !== 'other')), []);
      assert.equal((await call('ours/page-1')).text, 'answer 2');
      assert.equal((await call('ours/other')).text, 'answer 1');
      await admin.open('/admin/kept-answers');
      await admin.send('POST', '/admin/kept-answers/purge', { form: admin.form('/admin/kept-answers/purge') });
      await admin.follow();
      assert.ok(admin.says('Nothing was removed'), 'without the tick nothing is');
      assert.equal((await call('ours/other')).text, 'answer 1');
      const { csrf } = (await admin.open('/admin/kept-answers'), admin.form('/admin/kept-answers/purge'));
      await admin.send('POST', '/admin/kept-answers/purge', { form: { csrf, all: 'yes' } });
      await admin.follow();
      assert.equal((await call('ours/other')).text, 'answer 2');
      assert.match(gw.cli('audit', '--format', 'json').stdout, /"purge"/);
    });

    it('records hit and miss', async () => {
      numbered('recorded', { 'Cache-Control': 'max-age=60' });
      await call('ours/recorded');
      await call('ours/recorded');
      const calls = await until(() => {
        const all = gw.cli('log', '-n', '1000', '--format', 'json').stdout.trim().split('\n').map((l) => JSON.parse(l)).filter((c) => c.path.endsWith('/recorded'));
        return all.length === 2 && all;
      }, 'the records');
      assert.deepEqual(calls.map((c) => `${c.cache} ${c.origin} ${c.attempts}`).sort(), ['hit cache 0', 'miss backend 1']);
      for (const c of calls.filter((one) => one.steps))        // at most 100 a second have them
        assert.match(c.steps, c.cache === 'hit' ? /the cache answered 200/ : /the backend answered 200/);
      assert.ok(calls.some((c) => c.cache === 'hit' && c.steps), 'what was done of a hit is told');
      const row = await until(() => {
        const all = gw.cli('log', '-n', '5000', '--api', 'ours', '--format', 'json').stdout.trim().split('\n').map((l) => JSON.parse(l).cache);
        const [hits, misses] = ['hit', 'miss'].map((c) => all.filter((one) => one === c).length);
        const r = gw.cli('analytics', '--api', 'ours', '--format', 'json').json()[0];
        return r.cacheHits === hits && r.cacheMisses === misses && r;
      }, 'totals that say the same');
      assert.ok(row.cacheHits > 0 && row.cacheMisses > 0);
      assert.ok(Math.abs(row.cacheHitPercent - 100 * row.cacheHits / (row.cacheHits + row.cacheMisses)) < 0.01, JSON.stringify(row));
    });

    it('is still full after a restart', async () => {
      numbered('kept', { 'Cache-Control': 'max-age=600' });
      await call('ours/kept');
      for (const pid of gw.pids('gatehouse-gateway')) process.kill(pid, 'SIGKILL');
      const r = await until(async () => { const one = await call('ours/kept').catch(() => ({})); return one.status === 200 && one; }, 'new workers');
      assert.deepEqual([r.text, r.headers['x-cache']], ['answer 1', 'HIT']);
    });
  });
}
