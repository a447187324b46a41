// A call's whole way, client -> web server -> gateway -> backend and back, behind each web server with the configuration
// that deploy/ ships: keys, limits, headers, streams, records.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { start, backend, raw, answer, until, SERVERS } = require('./harness');

const BODY_LIMIT = 102400;   // of the web servers, where a test wants one
const LARGE = Number(process.env.LARGE_MB || 128) * (1 << 20);

// gives back what came: at once, in pieces that come late, or while it still comes
function echo(req, res) {
  if (req.url.endsWith('duplex')) return req.pipe(res);
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  return req.on('end', async () => {
    const all = Buffer.concat(chunks);
    for (let i = 0; i < all.length && req.url.endsWith('drip'); i += 50000) {
      res.write(all.subarray(i, i + 50000));
      if (i % 200000 === 0) await new Promise((r) => setTimeout(r, 2));
    }
    return res.end(req.url.endsWith('drip') ? undefined : all);
  });
}

// counts what comes, sends as much as comes; holds nothing
const large = http.createServer((req, res) => {
  let n = 0;
  if (req.url.startsWith('/echo')) return echo(req, res);
  req.on('data', (c) => { n += c.length; });
  req.on('end', () => {
    if (req.method === 'POST') return res.end(String(n));
    const block = Buffer.alloc(1 << 20, 'y');
    const more = () => { while (n < LARGE) { n += block.length; if (!res.write(block)) return res.once('drain', more); } return res.end(); };
    res.writeHead(200, { 'Content-Length': LARGE });
    return more();
  });
});

function family(pid) {   // a web server and its children
  const out = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout;
  return [pid, ...out.split('\n').map(Number).filter(Boolean)];
}

const PETS = JSON.stringify({
  openapi: '3.0.3', info: { title: 'Pets', version: '1.0' },
  paths: {
    '/pets': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } },
      post: { operationId: 'create', responses: { 201: { description: 'ok' } } } },
    '/pets/{id}': { get: { operationId: 'get', parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      responses: { 200: { description: 'ok' } } } },
    '/echo/{how}': { post: { operationId: 'echo', parameters: [{ name: 'how', in: 'path', required: true, schema: { type: 'string' } }],
      responses: { 200: { description: 'ok' } } } },
    '/events': { get: { operationId: 'events', responses: { 200: { description: 'ok' } } } },
  },
});

const MISSING = '{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include '
  + 'subscription key when making requests to an API." }';
const INVALID = '{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid '
  + 'key for an active subscription." }';
const NOT_FOUND = '{ "statusCode": 404, "message": "Resource not found" }';

const halves = [];   // connections whose backend has sent half an answer

function reply(req, res, body) {
  if (req.url.startsWith('/v1/events')) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.write('data: 1\n\n');
    const timer = setInterval(() => res.write('data: again\n\n'), 100);
    res.on('close', () => clearInterval(timer));
    return;
  }
  if (req.url.startsWith('/v1/pets/half')) {
    if (req.url.endsWith('told')) res.setHeader('Content-Length', 100);
    res.write('half');
    halves.push(res.socket);
    return;
  }
  res.writeHead(200, { 'Content-Type': 'application/json', 'X-Powered-By': 'backend', Connection: 'close, X-Hop', 'X-Hop': '1' });
  res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body: body.toString() }));
}

for (const server of SERVERS) {
  describe(`calls behind ${server}`, () => {
    let gw, pets, keys, limited;

    before(async () => {
      pets = await backend(reply);
      await new Promise((resolve) => large.listen(0, '127.0.0.1', resolve));
      gw = await start({
        server,   // a small quarantine: freed memory that the sanitizer keeps would look like ours
        env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS || 'detect_leaks=1'}:quarantine_size_mb=4` },
        setup(g) {
          g.cli('product', 'create', 'gold');
          g.cli('product', 'create', 'tight', '--rate', '5/60');
          g.cli('product', 'create', 'open', '--require-key', 'no');
          const file = g.file('pets.json', PETS);
          g.cli('import', 'openapi', file, '--path', 'pets', '--name', 'pets', '--backend', `${pets.url}/v1`, '--product', 'gold');
          g.cli('import', 'openapi', file, '--path', 'small', '--name', 'small', '--backend', `${pets.url}/v1`, '--product', 'tight');
          g.cli('import', 'openapi', file, '--path', 'open', '--name', 'open', '--backend', `${pets.url}/v1`, '--product', 'open');
          g.cli('import', 'openapi', file, '--path', 'large', '--name', 'large', '--backend', `http://127.0.0.1:${large.address().port}`,
            '--product', 'open');
          g.cli('import', 'openapi', file, '--path', 'curl', '--name', 'curl', '--backend', `http://127.0.0.1:${large.address().port}`, '--product', 'open');
          g.cli('policy', 'set', '--scope', 'api:curl', g.file('curl.xml', '<policies><inbound><base /></inbound><backend>'
            + '<forward-request follow-redirects="true" /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>'));
          keys = g.cli('subscription', 'create', '--product', 'gold', '--name', 'mine', '--format', 'json').json();
          limited = g.cli('subscription', 'create', '--product', 'tight', '--format', 'json').json();
        },
      });
    });
    after(async () => {
      await gw?.stop();
      await pets?.close();
      large.closeAllConnections();
      await new Promise((resolve) => large.close(resolve));
    });
    const get = (path, headers = {}) => fetch(`${gw.url}/api${path}`, { headers });
    const withKey = (headers = {}) => ({ 'Ocp-Apim-Subscription-Key': keys.primaryKey, ...headers });

    it('carries a call to the backend and back', async () => {
      const r = await get('/pets/pets/7?x=a%20b&x=c', withKey({ Accept: 'application/json' }));
      const got = await r.json();
      assert.equal(r.status, 200);
      assert.equal(got.method, 'GET');
      assert.equal(got.url, '/v1/pets/7?x=a%20b&x=c');
      assert.equal(got.headers.accept, 'application/json');
      assert.equal(got.headers.host, `127.0.0.1:${pets.port}`);
    });

    for (const [how, url, headers] of [
      ['Ocp-Apim-Subscription-Key', '/pets/pets', (k) => ({ 'Ocp-Apim-Subscription-Key': k })],
      ['X-Api-Key', '/pets/pets', (k) => ({ 'X-Api-Key': k })],
      ['the query', (k) => `/pets/pets?subscription-key=${k}&left=1`, () => ({})],
    ])
      for (const which of ['primaryKey', 'secondaryKey'])
        it(`takes the ${which} in ${how} and keeps it from the backend`, async () => {
          const r = await get(typeof url === 'function' ? url(keys[which]) : url, headers(keys[which]));
          assert.equal(r.status, 200);
          assert.ok(!JSON.stringify(await r.json()).includes(keys[which]));
        });

    it('refuses a missing key with the documented bytes', async () => {
      const before = pets.seen.length;
      const r = await get('/pets/pets');
      assert.equal(r.status, 401);
      assert.equal(await r.text(), MISSING);
      assert.match(r.headers.get('www-authenticate'), /^AzureApiManagementKey realm="http:\/\/127\.0\.0\.1:?\d*\/api\/pets",name="Ocp-Apim-Subscription-Key",type="header"$/);
      assert.equal(pets.seen.length, before);
    });

    it('refuses an invalid key with the documented bytes', async () => {
      const r = await get('/pets/pets', { 'Ocp-Apim-Subscription-Key': 'nonsense' });
      assert.equal(r.status, 401);
      assert.equal(await r.text(), INVALID);
    });

    it('refuses the key of another product', async () => {
      const r = await get('/small/pets', withKey());
      assert.equal(r.status, 401);
      assert.equal(await r.text(), INVALID);
    });

    it('lets everybody call an open product', async () => {
      assert.equal((await get('/open/pets')).status, 200);
    });

    for (const [what, method, path] of [['an unknown API', 'GET', '/nothing/x'], ['an unknown operation', 'GET', '/pets/cats'],
      ['a method that the operation has not', 'DELETE', '/pets/pets']])
      it(`answers 404 to ${what}`, async () => {
        const r = await fetch(`${gw.url}/api${path}`, { method, headers: withKey() });
        assert.equal(r.status, 404);
        assert.equal(await r.text(), NOT_FOUND);
      });

    it('lets exactly the limit pass, from parallel clients over all workers', async () => {
      const headers = { 'Ocp-Apim-Subscription-Key': limited.primaryKey };
      const all = await Promise.all(Array.from({ length: 24 }, () => get('/small/pets', headers)));
      const passed = all.filter((r) => r.status === 200).length;
      const refused = all.filter((r) => r.status === 429);
      assert.equal(passed, 5);
      assert.equal(refused.length, 19);
      assert.match(await refused[0].text(), /^\{ "statusCode": 429, "message": "Rate limit is exceeded\. Try again in \d+ seconds\." \}$/);
      assert.ok(Number(refused[0].headers.get('retry-after')) > 0);
    });

    it('passes Authorization and the body, adds the forwarding fields, begins a trace', async () => {
      const r = await fetch(`${gw.url}/api/pets/pets`, { method: 'POST', body: 'hello', headers: withKey({ Authorization: 'Bearer t' }) });
      const { headers, body } = await r.json();
      assert.equal(body, 'hello');
      assert.equal(headers.authorization, 'Bearer t');
      assert.equal(headers['x-forwarded-for'], '127.0.0.1');
      assert.equal(headers['x-forwarded-proto'], 'http');
      assert.match(headers['x-forwarded-host'], /^127\.0\.0\.1/);
      assert.match(headers.forwarded, /for=/);
      assert.match(headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
      assert.ok(r.headers.get('x-request-id'));
    });

    it('continues the caller\'s trace and keeps his request id', async () => {
      const r = await get('/pets/pets', withKey({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'X-Request-Id': 'caller-77' }));
      const { headers } = await r.json();
      assert.match(headers.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
      assert.notEqual(headers.traceparent.slice(36, 52), 'b7ad6b7169203331');
      assert.equal(r.headers.get('x-request-id'), 'caller-77');
    });

    it('drops hop-by-hop fields of both sides', async () => {
      const text = await raw(gw.port, 'GET /api/pets/pets HTTP/1.1\r\nHost: x\r\nConnection: close, X-Secret-Hop\r\nX-Secret-Hop: 1\r\n'
        + `TE: trailers\r\nOcp-Apim-Subscription-Key: ${keys.primaryKey}\r\n\r\n`);
      assert.match(text, /^HTTP\/1\.1 200/);
      assert.doesNotMatch(text, /X-Hop:/i);
      assert.equal(pets.seen.at(-1).headers.te, undefined);
    });

    for (const [what, target] of [['an encoded slash', '/api/pets/pets/a%2Fb'], ['a dot segment', '/api/pets/../x'],
      ['an encoded dot segment', '/api/pets/%2e%2e/x'], ['an encoded backslash', '/api/pets/a%5Cb']])
      it(`refuses ${what} with a reason and the request id`, async () => {
        const before = pets.seen.length;
        const [head, body] = (await raw(gw.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).split('\r\n\r\n');
        assert.match(head, /^HTTP\/1\.1 400/);
        const id = /X-Request-Id: (\S+)/i.exec(head)[1];
        assert.match(body, new RegExp(`"statusCode": 400, "message": "[^"]+", "requestId": "${id}"`));
        assert.equal(pets.seen.length, before);
      });

    it('takes an upload in chunks', async () => {   // lighttpd collects it first: FastCGI wants to know the length there
      const bytes = 'a'.repeat(300000);
      const r = await fetch(`${gw.url}/api/pets/pets`, { method: 'POST', duplex: 'half', headers: withKey(),
        body: new ReadableStream({ pull(c) { for (let i = 0; i < 300000; i += 100000) c.enqueue(Buffer.from(bytes.slice(i, i + 100000))); c.close(); } }) });
      assert.equal(r.status, 200);
      assert.equal((await r.json()).body, bytes);
      const empty = await raw(gw.port, 'POST /api/open/pets HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
      assert.equal(answer(empty).status, 200, empty);
      const trailers = await raw(gw.port, 'POST /api/open/pets HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
        + '3;extension=1\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n');
      assert.equal(JSON.parse(answer(trailers).body).body, 'abc');
      assert.equal(pets.seen.at(-1).headers['x-trailer'], undefined);
    });

    it('takes a long token, and refuses it rather than lose it', async () => {
      const length = server === 'apache' ? 15800 : 30000;   // mod_proxy_fcgi drops what makes its parameters longer than 16 KB
      const token = `Bearer ${'a'.repeat(length)}`;
      const r = await get('/open/pets', { Authorization: token });
      assert.equal(r.status, 200);
      assert.equal((await r.json()).headers.authorization, token);
      const longer = await get('/open/pets', { Authorization: `Bearer ${'a'.repeat(70000)}` });
      assert.ok([400, 431].includes(longer.status), `${longer.status}`);
    });

    it('asks for a body that waits for 100 Continue, and asks once', async () => {
      const req = http.request(`${gw.url}/api/open/pets`, { method: 'POST', agent: false, headers: { Expect: '100-continue', 'Content-Length': 5 } });
      let asked = 0;
      req.on('continue', () => { asked++; req.end('hello'); });
      req.flushHeaders();
      const res = await new Promise((resolve, reject) => req.on('response', resolve).on('error', reject));
      const chunks = [];
      for await (const c of res) chunks.push(c);
      assert.equal(asked, 1);
      assert.equal(JSON.parse(Buffer.concat(chunks)).body, 'hello');
      assert.equal(pets.seen.at(-1).headers.expect, undefined);
    });

    // CGI writes both as HTTP_X_A. lighttpd passes them all; docs/operator.md says what to do about it.
    it(server === 'lighttpd' ? 'takes a field with an underscore for the one with a dash' : 'drops a field with an underscore', async () => {
      const text = await raw(gw.port, 'GET /api/pets/pets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
        + `Ocp_Apim_Subscription_Key: ${keys.primaryKey}\r\nX_Forwarded_For: 203.0.113.9\r\n\r\n`);
      assert.equal(answer(text).status, server === 'lighttpd' ? 200 : 401);
    });

    // small ones go over a connection of our own, redirects are libcurl's; nginx stops an upload whose answer has begun
    it('keeps every byte in its place, however it comes and goes', { timeout: 600000 }, async () => {
      const bad = [];
      for (const api of ['large', 'curl'])
        for (const size of [0, 1, 65536, 65537, 300001, 1000003])
          for (const mode of ['plain', 'drip', ...(server === 'nginx' ? [] : ['duplex'])])
            for (const up of ['length', 'chunked']) {
              const body = crypto.randomBytes(size);
              const req = http.request(`${gw.url}/api/${api}/echo/${mode}`, { method: 'POST', agent: false, headers: up === 'length' ? { 'Content-Length': size } : {} });
              const answered = new Promise((resolve, reject) => req.on('response', resolve).on('error', reject));
              for (let i = 0; i < size; i += 70001) req.write(body.subarray(i, i + 70001));
              req.end();
              const chunks = [];
              for await (const c of await answered) {
                chunks.push(c);
                if (chunks.length % 8 === 0) await new Promise((r) => setTimeout(r, 1));   // a client slower than the backend
              }
              if (!Buffer.concat(chunks).equals(body)) bad.push(`${api} ${mode} ${up} ${size}`);
            }
      assert.deepEqual(bad, []);
    });

    it('streams large bodies both ways in bounded memory', { timeout: 600000 }, async () => {
      const peak = () => new Map([...gw.pids('gatehouse-gateway'), ...family(gw.web.child.pid)].map((pid) =>
        [pid, Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024]));
      const before = peak();
      const block = Buffer.alloc(1 << 20, 'x');
      const up = http.request(`${gw.url}/api/large/pets`, { method: 'POST', agent: false, headers: { 'Content-Length': LARGE } });
      const answered = new Promise((resolve, reject) => up.on('response', resolve).on('error', reject));
      for (let n = 0; n < LARGE; n += block.length) if (!up.write(block)) await new Promise((resolve) => up.once('drain', resolve));
      up.end();
      let text = '';
      for await (const c of await answered) text += c;
      assert.equal(text, `${LARGE}`);
      const res = await new Promise((resolve, reject) => http.get(`${gw.url}/api/large/pets`, { agent: false }, resolve).on('error', reject));
      let got = 0;
      for await (const c of res) got += c.length;
      assert.equal(got, LARGE);
      for (const [pid, now] of peak()) {
        const more = (now - (before.get(pid) ?? 0)) / (1 << 20);
        assert.ok(more < 64, `${more} MiB more in process ${pid}`);
      }
    });

    it('answers HEAD without a body', async () => {
      const r = await fetch(`${gw.url}/api/open/pets`, { method: 'HEAD' });
      assert.equal(await r.text(), '');
    });

    for (const how of ['told', 'not told'])
      it(`an answer that the backend cuts off, its length ${how}, is broken off for the client too`, async () => {
        const res = await new Promise((resolve, reject) => {
          http.get(`${gw.url}/api/pets/pets/half-${how.replace(' ', '-')}`, { headers: withKey(), agent: false }, resolve).on('error', reject);
        });
        const over = new Promise((resolve) => {
          res.on('error', () => resolve('broken off'));
          res.on('end', () => resolve(res.complete ? 'whole' : 'broken off'));
        });
        await new Promise((resolve) => res.once('data', resolve));
        halves.pop().destroy();
        // mod_proxy_fcgi lets go of the client when nothing has come for KeepAliveTimeout, without the end of the body
        if (server === 'apache') res.socket.end();
        assert.equal(await over, 'broken off');
      });

    it('passes server-sent events chunk by chunk, and tells the backend when the client has gone', async () => {
      let closed;
      const gone = new Promise((resolve) => { closed = resolve; });
      pets.server.once('request', (req) => req.socket.once('close', closed));
      const req = http.get(`${gw.url}/api/pets/events`, { headers: withKey(), agent: false });
      const res = await new Promise((resolve, reject) => req.on('response', resolve).on('error', reject));
      const first = await new Promise((resolve) => res.once('data', resolve));
      assert.equal(first.toString(), 'data: 1\n\n');   // the stream is still open
      res.on('error', () => {});
      req.destroy();
      await gone;
    });

    it('records each call for `gatehouse log`', async () => {
      const id = `record-${server}`;
      await get('/pets/pets/9', withKey({ 'X-Request-Id': id }));
      const line = await until(() => gw.cli('log', '--format', 'json').stdout.split('\n').find((l) => l.includes(id)), 'the record');
      const record = JSON.parse(line);
      assert.equal(record.status, 200);
      assert.equal(record.api, 'pets');
      assert.equal(record.operation, 'get');
      assert.ok(!line.includes(keys.primaryKey));
    });
  });
}

// What a web server refuses by itself, or answers because the gateway is away: the same JSON as the gateway's own errors.
// A row is what goes over the wire and the statuses that may come back. The last field names a server that takes it for a good
// request, and what comes of that: lighttpd resolves ".." and asks the portal; Apache drops a length that stands beside
// chunks and closes the connection afterwards, as RFC 9112 section 6.1 allows.
const head = (line, ...fields) => `${[line, 'Host: x', 'Connection: close', ...fields].join('\r\n')}\r\n\r\n`;
const get = (target, ...fields) => head(`GET ${target} HTTP/1.1`, ...fields);
const post = (...fields) => head('POST /api/open/pets HTTP/1.1', ...fields);
const REFUSED = [
  ['a broken percent-escape', get('/api/open/%zz'), [400]],
  ['an escape that ends too early', get('/api/open/a%2'), [400]],
  ['an encoded zero byte', get('/api/open/a%00b'), [400, 404]],
  ['a zero byte', get('/api/open/a\0b'), [400]],
  ['a zero byte in a header field', get('/api/open/pets', 'X-A: a\0b'), [400]],
  ['a path that leaves the root', get('/../../etc/passwd'), [400], { lighttpd: 404 }],
  ['a path that leaves the mount and the root', get('/api/../../x'), [400], { lighttpd: 404 }],
  ['an encoded way up', get('/api/open/%2e%2e/%2e%2e/%2e%2e/x'), [400], { lighttpd: 404 }],
  ['no request line', 'nonsense\r\n\r\n', [400]],
  ['no HTTP version', 'GET /api/open/pets HTTP/one\r\nHost: x\r\n\r\n', [400, 505]],
  ['a method with bytes that no method has', head('G{}T /api/open/pets HTTP/1.1'), [400, 405, 501]],
  ['TRACE', head('TRACE /api/open/pets HTTP/1.1'), [400, 404, 405]],
  ['no Host', 'GET /api/open/pets HTTP/1.1\r\nConnection: close\r\n\r\n', [400]],
  ['two Hosts', get('/api/open/pets', 'Host: y'), [400]],
  ['a Host that is none', 'GET /api/open/pets HTTP/1.1\r\nHost: a b{}\r\nConnection: close\r\n\r\n', [400]],
  ['a header field without a name', get('/api/open/pets', ': value'), [400]],
  ['a blank before the colon', get('/api/open/pets', 'X-A : value'), [400]],
  ['two lengths that differ', `${post('Content-Length: 1', 'Content-Length: 2')}ab`, [400]],
  ['a length that is no number', `${post('Content-Length: 1x')}ab`, [400]],
  ['a negative length', `${post('Content-Length: -1')}ab`, [400]],
  ['a length beyond all bounds', `${post('Content-Length: 99999999999999999999999')}ab`, [400, 413]],
  ['a length and chunks', `${post('Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`, [400], { apache: 200 }],
  ['a transfer coding that nobody knows', `${post('Transfer-Encoding: squeeze')}ab`, [400, 501]],
  ['chunks that are none', `${post('Transfer-Encoding: chunked')}zz\r\nab\r\n`, [400]],
  ['an expectation that nobody meets', get('/api/open/pets', 'Expect: the-unexpected'), [417]],
  ['a header field that is too long', get('/api/open/pets', `X-A: ${'a'.repeat(100000)}`), [400, 431]],
  ['too many header fields', get('/api/open/pets', ...Array.from({ length: 600 }, (_, i) => `X-A-${i}: 1`)), [400, 431]],
  ['a target that is too long', get(`/api/open/${'a'.repeat(100000)}`), [400, 414, 431]],
  ['a body over the limit', `${post(`Content-Length: ${BODY_LIMIT + 1024}`)}${'a'.repeat(BODY_LIMIT + 1024)}`, [413]],
  ['chunks over the limit', `${post('Transfer-Encoding: chunked')}${`2000\r\n${'a'.repeat(8192)}\r\n`.repeat(30)}0\r\n\r\n`, [413]],
];
const EDITS = {
  lighttpd: [['server.max-request-size = 0', `server.max-request-size = ${BODY_LIMIT / 1024}`]],
  nginx: [['client_max_body_size 0', `client_max_body_size ${BODY_LIMIT}`]],
  apache: [],   // its LimitRequestBody is not for proxied requests: the gateway's own limit answers
};
// For a gateway that is silent. Not before: calls may take that long on a busy machine.
const IMPATIENT = {
  lighttpd: ['"read-timeout"       => 3600', '"read-timeout" => 1'],
  nginx: ['fastcgi_read_timeout 1h', 'fastcgi_read_timeout 1s'],
  apache: ['timeout=3600', 'timeout=1'],
};
const edited = (edits) => (text) => edits.reduce((t, [from, to]) => {
  assert.ok(t.includes(from), from);
  return t.replaceAll(from, to);
}, text);

function errorOf(text, statuses, what) {
  const a = answer(text);
  assert.ok(statuses.includes(a.status), `${what}: ${text.slice(0, 600)}`);
  assert.equal(a.headers['content-type'], 'application/json', what);
  assert.equal(a.count['content-type'], 1, what);
  const error = JSON.parse(a.body);
  assert.equal(error.statusCode, a.status, what);
  assert.ok(error.message.length > 5, what);
  assert.match(a.headers['x-request-id'], /^[A-Za-z0-9@_.-]{8,}$/, what);
  assert.equal(a.count['x-request-id'], 1, what);
  if (a.status !== 404) assert.equal(error.requestId, a.headers['x-request-id'], what);   // 404 has a documented text
  return a;
}

for (const server of SERVERS) {
  describe(`refusals behind ${server}`, () => {
    let gw, pets, stand;
    const ok = async (what) => {
      const r = await fetch(`${gw.url}/api/open/pets`);
      assert.equal(r.status, 200, what);
      await r.text();
    };

    before(async () => {
      pets = await backend(reply);
      gw = await start({
        server, config: { 'gateway.max_body_bytes': BODY_LIMIT },
        edit: edited(EDITS[server]),
        setup(g) {
          g.cli('product', 'create', 'open', '--require-key', 'no');
          g.cli('import', 'openapi', g.file('pets.json', PETS), '--path', 'open', '--name', 'open', '--backend', `${pets.url}/v1`, '--product', 'open');
        },
      });
    });
    after(async () => {
      await gw?.stop();
      await pets?.close();
    });

    for (const [what, bytes, statuses, takes] of REFUSED)
      it(takes?.[server] ? `takes ${what}` : `answers ${what} with JSON and an id`, async () => {
        const before = pets.seen.length;
        const text = await raw(gw.port, bytes);
        if (takes?.[server]) {
          assert.equal(answer(text).status, takes[server]);
        } else {
          errorOf(text, statuses, what);
          assert.equal(pets.seen.length, before);
        }
        await ok(what);
      });

    it('leaves a stream alone that runs while others are refused', async () => {
      const req = http.get(`${gw.url}/api/open/events`, { agent: false });
      const res = await new Promise((resolve, reject) => req.on('response', resolve).on('error', reject));
      for (const [, bytes] of REFUSED.slice(0, 8)) await raw(gw.port, bytes);
      const more = await new Promise((resolve) => { res.on('data', (d) => d.includes('again') && resolve(d)); });
      assert.ok(more);
      res.on('error', () => {});
      req.destroy();
    });

    it('says nothing of its own on the pages', async () => {
      for (const path of ['/static/nothing-there.css', '/%zz']) {
        const text = await raw(gw.port, get(path));
        assert.match(text, /^HTTP\/1\.1 40[04]/);
        assert.doesNotMatch(answer(text).body, /nginx|apache|lighttpd/i);
      }
    });

    it('keeps the statuses and texts of the gateway', async () => {
      const r = await fetch(`${gw.url}/api/nothing/here`, { headers: { 'X-Request-Id': 'mine-4' } });
      assert.equal(r.status, 404);
      assert.equal(await r.text(), NOT_FOUND);
      assert.equal(r.headers.get('x-request-id'), 'mine-4');
    });

    it('answers for a gateway that is away, silent or speaks nonsense, and goes on when it is back', async () => {
      const socket = path.join(gw.sockets, 'gateway.sock');
      const call = (fields = []) => raw(gw.port, get('/api/open/pets', ...fields));
      gw.web.mayEnd = true;
      await gw.end(gw.web);
      gw.options.edit = edited([...EDITS[server], IMPATIENT[server]]);
      gw.startWeb();
      await until(() => fetch(`${gw.url}/api/-/health`).then((r) => r.status === 200, () => false), 'the web server with its new settings');
      const old = gw.serve;
      old.mayEnd = true;
      await gw.end(old);
      const away = errorOf(await until(async () => { const text = await call(); return answer(text).status !== 504 && text; }, 'an answer'), [502, 503], 'away');
      assert.equal(away.headers['retry-after'], '1');

      const sockets = new Set();
      let talk = () => {};
      stand = net.createServer((s) => { sockets.add(s); s.on('error', () => {}); s.on('data', () => talk(s)); });
      fs.rmSync(socket, { force: true });
      await new Promise((resolve) => stand.listen(socket, resolve));
      fs.chmodSync(socket, 0o666);
      const answers = await until(async () => {
        const text = await call();   // a server that has seen the gateway away may wait a second
        return /^HTTP\/1\.1 504/.test(text) && text;
      }, 'the time-out');
      errorOf(answers, [504], 'silent');
      talk = (s) => s.end('nonsense that is no FastCGI at all');
      errorOf(await until(async () => { const text = await call(); return answer(text).status !== 504 && text; }, 'another answer'), [500, 502, 503], 'nonsense');
      for (const s of sockets) s.destroy();
      await new Promise((resolve) => stand.close(resolve));
      fs.rmSync(socket, { force: true });

      gw.serve = gw.run('serve again', path.join(gw.bin, 'gatehouse'), gw.serveArgs());
      await until(() => fs.existsSync(socket), 'the socket');
      await until(async () => (await fetch(`${gw.url}/api/open/pets`)).status === 200, 'the gateway to be back');
    });
  });
}
