// A call's whole way, client -> web server -> gateway -> backend and back, behind each web server with the configuration
// that deploy/ ships: keys, limits, headers, streams, records.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { start, backend, raw, until, SERVERS } = require('./harness');

const PETS = JSON.stringify({
  openapi: '3.0.3', info: { title: 'Pets', version: '1.0' },
  paths: {
    '/pets': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } },
      post: { operationId: 'create', responses: { 201: { description: 'ok' } } } },
    '/pets/{id}': { get: { operationId: 'get', parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      responses: { 200: { description: 'ok' } } } },
    '/events': { get: { operationId: 'events', responses: { 200: { description: 'ok' } } } },
  },
});

const MISSING = '{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include '
  + 'subscription key when making requests to an API." }';
const INVALID = '{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid '
  + 'key for an active subscription." }';
const NOT_FOUND = '{ "statusCode": 404, "message": "Resource not found" }';

function reply(req, res, body) {
  if (req.url.startsWith('/v1/events')) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.write('data: 1\n\n');
    const timer = setInterval(() => res.write('data: again\n\n'), 100);
    res.on('close', () => clearInterval(timer));
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
      gw = await start({
        server,
        setup(g) {
          g.cli('product', 'create', 'gold');
          g.cli('product', 'create', 'tight', '--rate', '5/60');
          g.cli('product', 'create', 'open', '--require-key', 'no');
          const file = g.file('pets.json', PETS);
          g.cli('import', 'openapi', file, '--path', 'pets', '--name', 'pets', '--backend', `${pets.url}/v1`, '--product', 'gold');
          g.cli('import', 'openapi', file, '--path', 'small', '--name', 'small', '--backend', `${pets.url}/v1`, '--product', 'tight');
          g.cli('import', 'openapi', file, '--path', 'open', '--name', 'open', '--backend', `${pets.url}/v1`, '--product', 'open');
          keys = g.cli('subscription', 'create', '--product', 'gold', '--name', 'mine', '--format', 'json').json();
          limited = g.cli('subscription', 'create', '--product', 'tight', '--format', 'json').json();
        },
      });
    });
    after(async () => {
      await gw?.stop();
      await pets?.close();
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
      assert.match(r.headers.get('www-authenticate'), /^AzureApiManagementKey realm="http:\/\/127\.0\.0\.1:?\d*\/.*pets",name="Ocp-Apim-Subscription-Key",type="header"$/);
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
      const answer = await raw(gw.port, 'GET /api/pets/pets HTTP/1.1\r\nHost: x\r\nConnection: close, X-Secret-Hop\r\nX-Secret-Hop: 1\r\n'
        + `TE: trailers\r\nOcp-Apim-Subscription-Key: ${keys.primaryKey}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 200/);
      assert.doesNotMatch(answer, /X-Hop:/i);
      assert.equal(pets.seen.at(-1).headers.te, undefined);
    });

    for (const [what, target] of [['an encoded slash', '/api/pets/pets/a%2Fb'], ['a dot segment', '/api/pets/../x'],
      ['an encoded dot segment', '/api/pets/%2e%2e/x'], ['an encoded backslash', '/api/pets/a%5Cb']])
      it(`refuses ${what} with a reason and the request id`, async () => {
        const before = pets.seen.length;
        const answer = await raw(gw.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        const [head, body] = answer.split('\r\n\r\n');
        assert.match(head, /^HTTP\/1\.1 400/);
        const id = /X-Request-Id: (\S+)/i.exec(head)[1];
        assert.match(body, new RegExp(`"statusCode": 400, "message": "[^"]+", "requestId": "${id}"`));
        assert.equal(pets.seen.length, before);
      });

    for (const [what, target] of [['a broken percent-escape', '/api/pets/%zz'], ['a zero byte', '/api/pets/a%00b']])
      it(`lets ${what} reach no backend`, async () => {   // some web servers refuse it themselves
        const before = pets.seen.length;
        const answer = await raw(gw.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        assert.match(answer, /^HTTP\/1\.1 40[04]/);
        assert.equal(pets.seen.length, before);
      });

    it('answers HEAD without a body', async () => {
      const r = await fetch(`${gw.url}/api/open/pets`, { method: 'HEAD' });
      assert.equal(await r.text(), '');
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
