// The worker spoken to directly over its FastCGI socket: good and bad records, bad requests, bad backends, bodies in both
// directions in bounded memory, clients that go away.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const { connect, record, pairs, begin, paramsOf, paramRecords, bodyRecords, TYPE } = require('./fcgi-client');
const { until } = require('./harness');
const { startWorker } = require('./worker');

let w;
let seen = [];
let reply = null;
const server = http.createServer({ maxHeaderSize: 1 << 20 }, (req, res) => {
  if (reply) return reply(req, res);
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => {
    seen.push({ method: req.method, url: req.url, headers: req.headers, rawHeaders: req.rawHeaders, body: Buffer.concat(chunks) });
    res.setHeader('Content-Type', 'text/plain');
    res.end('hello');
  });
});

test.before(async () => {
  server.keepAliveTimeout = 60000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  w = await startWorker({ backend: `http://127.0.0.1:${server.address().port}`, config: { 'gateway.max_header_bytes': 131072 } });
});
test.after(async () => {
  await w.stop();
  server.closeAllConnections();
  server.close();
});
test.beforeEach(() => {
  seen = [];
  reply = null;
});

async function one(options) {
  const c = await connect(w.socket);
  try {
    return await c.request({ path: `${w.path}/x`, ...options });
  } finally {
    c.close();
  }
}

test('a plain request, and a second one on the same connection', async () => {
  const c = await connect(w.socket);
  for (let i = 0; i < 3; i++) {
    const res = await c.request({ path: `${w.path}/x?a=%20b` });
    assert.equal(res.status, 200);
    assert.equal(res.body.toString(), 'hello');
    assert.deepEqual(res.end, { appStatus: 0, protocolStatus: 0 });
    assert.match(res.headers['x-request-id'], /^[0-9a-f-]{36}$/);
  }
  assert.equal(c.closed, false);
  assert.ok(seen[0].url.endsWith('/x?a=%20b'));
  c.close();
});

test('the connection closes after the answer when it is not to be kept', async () => {
  const c = await connect(w.socket);
  const res = await c.request({ path: `${w.path}/x`, keep: false });
  assert.equal(res.status, 200);
  assert.equal(await c.next(), null);
});

test('fields for the backend', async () => {
  await one({ headers: {
    Accept: 'a/b', Connection: 'keep-alive, X-Private', 'X-Private': '1', 'X-Public': '2', TE: 'trailers', 'Keep-Alive': '5',
    'X-Forwarded-For': '198.51.100.7', Forwarded: 'for=198.51.100.7', Proxy: 'evil', 'Proxy-Authorization': 'x', Upgrade: 'h2c',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b', 'X-Request-Id': 'my-id.7',
    'X-Empty': '',
  } });
  const h = seen[0].headers;
  assert.equal(h['x-public'], '2');
  for (const gone of ['x-private', 'te', 'keep-alive', 'proxy', 'proxy-authorization', 'upgrade', 'expect']) assert.equal(h[gone], undefined, gone);
  assert.equal(h.host, `127.0.0.1:${server.address().port}`);
  assert.equal(h['x-forwarded-for'], '198.51.100.7, 203.0.113.9');
  assert.equal(h['x-forwarded-host'], 'gw.example');
  assert.equal(h['x-forwarded-proto'], 'http');
  assert.equal(h.forwarded, 'for=198.51.100.7, for=203.0.113.9;host="gw.example";proto=http');
  assert.match(h.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
  assert.equal(h.tracestate, 'a=b');
  assert.equal(h['x-request-id'], 'my-id.7');
  assert.equal(h['x-empty'], '');
  assert.equal(h.accept, 'a/b');
});

test('a trace begins here when the client has none, and a broken one is not continued', async () => {
  await one({});
  assert.match(seen[0].headers.traceparent, /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
  assert.equal(seen[0].headers.accept, undefined);
  await one({ headers: { traceparent: '00-xyz', tracestate: 'a=b' } });
  assert.match(seen[1].headers.traceparent, /^00-[0-9a-f]{32}-/);
  assert.equal(seen[1].headers.tracestate, undefined);
});

// RFC 9562 version 7. Ids that begin with the time are neighbours in the store's indexes; what other ends sample by is random. A call
// and the trace that begins with it have one id; of an id that the caller chose, a trace says nothing.
test('ids made here begin with the time and end in random bytes', async () => {
  const before = Date.now();
  const ids = [];
  for (let i = 0; i < 4; i++) {
    const chosen = i === 3 && '018bcfe5-6800-7abc-8def-0123456789ab';
    const { headers } = await one(chosen ? { headers: { 'X-Request-Id': chosen } } : {});
    const id = headers['x-request-id'];
    const trace = seen[i].headers.traceparent.split('-')[1];
    assert.equal(seen[i].headers['x-request-id'], id);
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const at = parseInt(trace.slice(0, 12), 16);
    assert.ok(at >= before && at <= Date.now(), `${at} of ${trace}`);
    assert.equal(trace === id.replaceAll('-', ''), !chosen);
    ids.push(trace.slice(-14));
  }
  assert.equal(new Set(ids).size, 4);
});

test('bodies: with a length, of unknown length, empty, none', async () => {
  await one({ method: 'POST', body: 'abc', headers: { 'Content-Type': 'text/x' } });
  await one({ method: 'POST', body: 'abcdef', chunked: true });
  await one({ method: 'POST', body: '' });
  await one({ method: 'DELETE' });
  await one({ method: 'POST', body: Buffer.alloc(300000, 'z') });
  await one({ method: 'GET', body: 'with a get' });
  assert.deepEqual(seen.map((s) => s.body.length), [3, 6, 0, 0, 300000, 10]);
  assert.equal(seen[0].headers['content-length'], '3');
  assert.equal(seen[0].headers['content-type'], 'text/x');
  assert.equal(seen[1].headers['content-type'], undefined);
  assert.equal(seen[2].headers['content-length'], '0');
  assert.equal(seen[3].headers['content-length'], undefined);
  assert.equal(seen[5].method, 'GET');
});

// A head is written in one piece where it fits into a record, and over several where it does not.
test('a head as large as a record and larger arrives whole', async () => {
  const c = await connect(w.socket);
  reply = (req, res) => {
    res.setHeader('X-Large', 'x'.repeat(Number(req.url.split('?')[1])));
    res.setHeader('X-Last', 'yes');
    res.end('hello');
  };
  for (let n = 65100; n <= 65700; n += 25) {   // a record holds 65528 bytes, and its length has two of them
    const res = await c.request({ path: `${w.path}/x?${n}` });
    assert.deepEqual([res.status, res.headers['x-large']?.length, res.headers['x-last'], res.body.toString()], [200, n, 'yes', 'hello']);
    assert.match(res.headers['x-request-id'], /^[0-9a-f-]{36}$/);
  }
  c.close();
});

test('HEAD, 204, 304 have no body', async () => {
  reply = (req, res) => { res.setHeader('Content-Length', '5'); res.end(req.method === 'HEAD' ? undefined : 'hello'); };
  const head = await one({ method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], '5');
  assert.equal(head.body.length, 0);
  reply = (req, res) => { res.statusCode = 204; res.end(); };
  const none = await one({ method: 'PUT', body: 'x' });
  assert.equal(none.status, 204);
  assert.equal(none.headers['content-length'], undefined);
  reply = (req, res) => { res.statusCode = 304; res.setHeader('ETag', '"1"'); res.end(); };
  assert.equal((await one({})).headers.etag, '"1"');
});

test('what a backend must not say to the web server', async () => {
  reply = (req, res) => {
    res.setHeader('Status', '500 Evil');
    res.setHeader('X-Accel-Redirect', '/etc/passwd');
    res.setHeader('X-Sendfile', '/etc/passwd');
    res.setHeader('X-LIGHTTPD-send-file', '/etc/passwd');
    res.setHeader('Server', 'secret/1.0');
    res.setHeader('X-Request-Id', 'theirs');
    res.setHeader('Location', '/internal');
    res.setHeader('Connection', 'X-Hop');
    res.setHeader('X-Hop', '1');
    res.setHeader('X-End', '1');
    res.end('ok');
  };
  const res = await one({});
  assert.equal(res.status, 200);
  for (const h of ['x-accel-redirect', 'x-sendfile', 'x-lighttpd-send-file', 'server', 'connection', 'x-hop']) assert.equal(res.headers[h], undefined, h);
  assert.notEqual(res.headers['x-request-id'], 'theirs');
  assert.equal(res.headers.location, 'http://gw.example/internal');
  assert.equal(res.headers['x-end'], '1');
});

test('requests that are refused', async () => {
  const rows = [
    ['bad percent-escape', 400, { path: `${w.path}/a%zz` }],
    ['cut percent-escape', 400, { path: `${w.path}/a%2` }],
    ['dot segment', 400, { path: `${w.path}/../x` }],
    ['encoded dot segment', 400, { path: `${w.path}/%2e%2E/x` }],
    ['encoded slash', 400, { path: `${w.path}/a%2fb` }],
    ['encoded backslash', 400, { path: `${w.path}/a%5cb` }],
    ['NUL', 400, { path: `${w.path}/a%00b` }],
    ['blank in the path', 400, { path: `${w.path}/a b` }],
    ['no path', 400, { params: { REQUEST_URI: null } }],
    ['two lengths', 400, { method: 'POST', body: 'abc', params: { HTTP_CONTENT_LENGTH: '4' } }],
    ['length that is no number', 400, { params: { CONTENT_LENGTH: '5, 5' } }],
    ['negative length', 400, { params: { CONTENT_LENGTH: '-1' } }],
    ['less body than announced', 400, { method: 'POST', body: 'abc', params: { CONTENT_LENGTH: '10' } }],
    ['more body than announced', 400, { method: 'POST', body: 'abcdef', params: { CONTENT_LENGTH: '2' } }],
    ['line feed in a field', 400, { headers: { 'X-A': 'a\nB: c' } }],
    ['bad method', 400, { method: 'GE T' }],
    ['bad host', 400, { headers: { Host: 'a"b' } }],
    ['unknown expectation', 417, { headers: { Expect: 'tea' } }],
    ['long address', 414, { path: `${w.path}/${'a'.repeat(20000)}` }],
    ['large fields', 431, { headers: { 'X-A': 'a'.repeat(140000) } }],
    ['many fields', 431, { headers: Object.fromEntries([...Array(300)].map((_, i) => [`X-${i}`, '1'])) }],
  ];
  for (const [label, status, options] of rows) {
    const res = await one(options);
    assert.equal(res.status, status, label);
    const json = JSON.parse(res.body);
    assert.equal(json.statusCode, status, label);
    assert.equal(json.requestId, res.headers['x-request-id'], label);
    assert.equal(Number(res.headers['content-length']), res.body.length, label);
  }
  assert.equal(seen.length, 0);
});

test('malformed records end their connection and no other', async () => {
  const good = await connect(w.socket);
  const rows = {
    'version 2': Buffer.from([2, 1, 0, 1, 0, 8, 0, 0]),
    'plain HTTP': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'id 0': begin(0),
    'begin twice': Buffer.concat([begin(1), begin(1)]),
    'short begin': record(TYPE.BEGIN, 1, Buffer.alloc(3)),
    'huge get values': Buffer.from([1, 9, 0, 0, 255, 255, 0, 0]),
  };
  for (const [label, bytes] of Object.entries(rows)) {
    const c = await connect(w.socket);
    await c.write(bytes);
    assert.equal(await c.next(), null, label);
  }
  assert.equal((await good.request({ path: `${w.path}/x` })).status, 200);
  good.close();
});

test('parameters that cannot be decoded', async () => {
  const c = await connect(w.socket);
  await c.write(Buffer.concat([begin(1), record(TYPE.PARAMS, 1, Buffer.from([200, 1, 1, 1, 1])), record(TYPE.PARAMS, 1), record(TYPE.STDIN, 1)]));
  const res = await c.response();
  assert.equal(res.status, 400);
  assert.equal((await c.request({ path: `${w.path}/x` })).status, 200);
  c.close();
});

test('management records, other roles, multiplexing', async () => {
  const c = await connect(w.socket);
  await c.write(record(TYPE.GET_VALUES, 0, pairs([['FCGI_MPXS_CONNS', ''], ['X', '']])));
  const values = await c.next();
  assert.equal(values.type, TYPE.VALUES);
  assert.deepEqual(values.content, pairs([['FCGI_MPXS_CONNS', '0']]));
  await c.write(record(77, 0, Buffer.from('abc')));
  const unknown = await c.next();
  assert.equal(unknown.type, TYPE.UNKNOWN);
  assert.equal(unknown.content[0], 77);
  await c.write(begin(1, { role: 2 }));
  const role = await c.response(1);
  assert.equal(role.end.protocolStatus, 3);
  await c.write(Buffer.concat([begin(1), begin(2)]));
  assert.equal((await c.response(2)).end.protocolStatus, 1);
  await c.write(Buffer.concat([paramRecords(2, paramsOf({ path: '/evil' })), paramRecords(1, paramsOf({ path: `${w.path}/x` })), record(TYPE.STDIN, 1)]));
  assert.equal((await c.response(1)).status, 200);
  c.close();
});

test('records cut into single bytes, and requests glued together', async () => {
  const c = await connect(w.socket);
  const bytes = Buffer.concat([begin(1), paramRecords(1, paramsOf({ method: 'POST', path: `${w.path}/x`, length: 3 })), bodyRecords(1, Buffer.from('abc')), record(TYPE.STDIN, 1)]);
  c.socket.setNoDelay(true);
  for (const b of bytes) await c.write(Buffer.from([b]));
  assert.equal((await c.response()).status, 200);
  assert.equal(seen[0].body.toString(), 'abc');
  c.close();
});

test('an abort ends the call and the backend\'s too; the connection goes on', async () => {
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  reply = (req, res) => { res.on('close', () => gone()); res.write('x'); };
  const c = await connect(w.socket);
  await c.send({ path: `${w.path}/x` });
  await c.next();
  await c.write(record(TYPE.ABORT, 1));
  const res = await c.response();
  assert.ok(res.end);
  await closed;
  reply = null;
  assert.equal((await c.request({ path: `${w.path}/x` })).status, 200);
  c.close();
});

test('a client that goes away ends the backend\'s transfer', async () => {
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  const c = await connect(w.socket);
  reply = (req, res) => { res.on('close', () => gone()); c.close(); };
  await c.send({ path: `${w.path}/x` });
  await closed;
});

test('server-sent events pass one by one', async () => {
  let send;
  reply = (req, res) => {
    res.setHeader('Content-Type', 'text/event-stream');
    res.flushHeaders();
    send = (n) => (n < 3 ? res.write(`data: ${n}\n\n`) : res.end());
  };
  const c = await connect(w.socket);
  await c.send({ path: `${w.path}/x` });
  const head = (await c.next()).content.toString();
  assert.match(head, /X-Accel-Buffering: no/);
  for (let n = 0; n < 3; n++) {
    send(n);
    assert.equal((await c.next()).content.toString(), `data: ${n}\n\n`);
  }
  send(3);
  assert.ok((await c.response()).end);
  c.close();
});

test('backends that misbehave', async () => {
  const rows = [
    ['garbage', 502, (s) => s.end('\x00\x01garbage\r\n\r\n')],
    ['nothing at all', 502, (s) => s.end()],
    ['a status that is none', 502, (s) => s.end('HTTP/1.1 abc\r\n\r\n')],
    ['a field without colon', 502, (s) => s.end('HTTP/1.1 200 OK\r\nnonsense\r\n\r\n')],
    ['a folded field', 502, (s) => s.end('HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n')],
    ['two lengths', 502, (s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd')],
    ['a head that never ends', 502, (s) => { s.write('HTTP/1.1 200 OK\r\n'); s.write(`A: ${'b'.repeat(200000)}\r\n`); }],
    ['cut off in the head', 502, (s) => s.end('HTTP/1.1 200 OK\r\nContent-Le')],
  ];
  for (const [label, status, talk] of rows) {
    w.talk(talk);
    const res = await one({ path: `${w.bad}/x` });
    assert.equal(res.status, status, label);
    const json = JSON.parse(res.body);
    assert.equal(json.statusCode, status, label);
    assert.equal(json.requestId, res.headers['x-request-id'], label);
  }
});

test('a backend that cuts off in the body breaks the connection: no half answer passes for a whole one', async () => {
  for (const talk of [
    (s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'),
    (s) => s.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'),
  ]) {
    w.talk((s) => setTimeout(() => talk(s), 50));
    const c = await connect(w.socket);
    const res = await c.request({ path: `${w.bad}/x` });
    assert.equal(res.end, null);
    assert.equal(res.closed, true);
  }
});

test('a backend that refuses connections', async () => {
  const res = await one({ path: `${w.closed}/x` });
  assert.equal(res.status, 502);
});

test('interim responses and trailers are not passed on', async () => {
  w.talk((s) => s.end('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n'));
  const res = await one({ path: `${w.bad}/x` });
  assert.equal(res.status, 200);
  assert.equal(res.body.toString(), 'abc');
  for (const h of ['link', 'trailer', 'x-t', 'transfer-encoding']) assert.equal(res.headers[h], undefined, h);
});

function rssMb(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`))[1]) / 1024;
}

const BIG = Number(process.env.BIG_MB || 1024) * 1048576;

test('a large download to a slow client in bounded memory', async () => {
  reply = (req, res) => {
    const chunk = Buffer.alloc(1 << 20, 'd');
    let left = BIG / chunk.length;
    res.setHeader('Content-Length', BIG);
    (function more() {
      while (left > 0) {
        left--;
        if (!res.write(chunk)) return res.once('drain', more);
      }
      res.end();
    })();
  };
  const c = await connect(w.socket);
  let n = 0;
  let paused = false;
  const res = await c.request({ path: `${w.path}/x`, onData: (d) => {
    n += d.length;
    if (!paused && n > 1 << 20) {
      paused = true;
      c.socket.pause();
      setTimeout(() => c.socket.resume(), 500);
    }
  } });
  assert.ok(n > BIG && n < BIG + 1000);
  assert.ok(res.end);
  if (!w.asan) assert.ok(rssMb(w.pid) < 64, `${rssMb(w.pid)} MB`);
  c.close();
});

test('a large upload to a slow backend in bounded memory', async () => {
  let got = 0;
  reply = (req, res) => {
    req.pause();
    setTimeout(() => req.resume(), 500);
    req.on('data', (d) => { got += d.length; });
    req.on('end', () => res.end('done'));
  };
  const c = await connect(w.socket);
  await c.write(Buffer.concat([begin(1), paramRecords(1, paramsOf({ method: 'PUT', path: `${w.path}/x`, length: BIG }))]));
  const piece = bodyRecords(1, Buffer.alloc(65528 * 16, 'u'));
  let left = BIG;
  while (left > 0) {
    const n = Math.min(left, 65528 * 16);
    await c.write(n === 65528 * 16 ? piece : bodyRecords(1, Buffer.alloc(n)));
    left -= n;
  }
  await c.write(record(TYPE.STDIN, 1));
  const res = await c.response();
  assert.equal(res.status, 200);
  assert.equal(got, BIG);
  if (!w.asan) assert.ok(rssMb(w.pid) < 64, `${rssMb(w.pid)} MB`);
  c.close();
});

test('an answer before the end of the upload; the connection survives', async () => {
  reply = (req, res) => { res.statusCode = 403; res.end('no'); };
  const c = await connect(w.socket);
  await c.write(Buffer.concat([begin(1), paramRecords(1, paramsOf({ method: 'PUT', path: `${w.path}/x`, length: 10 << 20 })), bodyRecords(1, Buffer.alloc(1 << 20))]));
  const res = await c.response();
  assert.equal(res.status, 403);
  await c.write(Buffer.concat([bodyRecords(1, Buffer.alloc(9 << 20)), record(TYPE.STDIN, 1)]));
  reply = null;
  assert.equal((await c.request({ path: `${w.path}/x` })).status, 200);
  c.close();
});

test('many calls in flight at a slow backend', async () => {
  const many = w.asan ? 500 : 2000;
  const held = [];
  reply = (req, res) => { if (held.push(res) === many) for (const r of held) r.end('late'); };      // all of them are there at once
  const all = await Promise.all([...Array(many)].map(() => one({}).catch((e) => ({ status: e.message }))));
  assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
  if (!w.asan) assert.ok(rssMb(w.pid) < 64, `${rssMb(w.pid)} MB`);
});

test('a worker that is told to stop finishes what it has', async () => {
  const idle = await connect(w.socket);
  assert.equal((await idle.request({ path: `${w.path}/x` })).status, 200);
  const held = [];
  let there;
  const all50 = new Promise((resolve) => { there = resolve; });
  reply = (req, res) => { if (held.push(res) === 50) there(); };
  const calls = [...Array(50)].map(() => one({}));
  await all50;
  const exit = w.terminate();
  await until(() => connect(w.socket).then((c) => { c.close(); return false; }, () => true), 'the worker to take no more');
  for (const res of held) res.end('late');
  const all = await Promise.all(calls);
  assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
  assert.equal(await exit, 0);
});
