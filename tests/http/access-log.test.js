// The access log through a real gateway: into a file that is rotated, to syslogs over UDP, TCP and a unix socket (RFC 5424), over
// HTTP in batches; what waits while a receiver is away is bounded, and what is lost is counted where an operator looks.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const dgram = require('node:dgram');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { start, backend, until, freePort } = require('./harness');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/{p}': { get: { operationId: 'get', responses: { 200: { description: 'ok' } } } } } });
let gw, orders, key, dir;

before(async () => {
  orders = await backend((req, res) => res.end('twelve bytes'));
  gw = await start({
    server: 'nginx',
    async setup(g) {
      g.cli('product', 'create', 'gold');
      g.cli('import', 'openapi', g.file('o.json', SPEC), '--path', 'orders', '--name', 'orders', '--backend', orders.url, '--product', 'gold');
      key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
    },
  });
  dir = path.join(gw.dir, 'logs');
  fs.mkdirSync(dir);
  if (process.getuid() === 0) fs.chmodSync(dir, 0o777);
});
after(async () => {
  await gw?.stop();
  await orders?.close();
});

const call = async (p, withKey = true) => (await fetch(`${gw.url}/api/orders/${p}`, { headers: withKey ? { 'X-Api-Key': key } : {} })).headers.get('x-request-id');
const report = () => { try { return JSON.parse(fs.readFileSync(path.join(gw.state, 'run/keeper.json'), 'utf8')); } catch { return {}; } };
const stats = () => report().exports?.find((e) => e.name === 'access_log') ?? {};
const begun = () => gw.log('serve').split('begins anew with the settings').length;
// Settings of the one keeper, which begins anew with them; the calls that follow are its own.
async function settings(values) {
  const n = begun();
  fs.writeFileSync(path.join(gw.state, 'gatehouse.conf'), Object.entries(values).map(([k, v]) => `${k} = ${v}\n`).join(''));
  process.kill(report().pid, 'SIGHUP');
  await until(() => begun() > n, 'the keeper with new settings');
}
const linesOf = (f) => { try { return fs.readFileSync(f, 'utf8').split('\n').filter(Boolean); } catch { return []; } };

test('a file: JSON, found again after a rotation; the caller writes no line of his own', async () => {
  const file = path.join(dir, 'access.log');
  await until(() => report().pid, 'the keeper');
  await settings({ 'access_log.to': file });
  const ids = [await call('1'), await call('a%22b%20c', false)];
  const all = await until(() => linesOf(file).length >= 2 && linesOf(file).map((l) => JSON.parse(l)), 'two lines');
  assert.deepEqual(all.map((l) => l.request_id), ids);
  assert.deepEqual([all[0].status, all[0].api, all[0].bytes_out, all[1].status, all[1].reason], [200, 'orders', 12, 401, 'key_missing']);
  assert.ok(!linesOf(file).join().includes(key), 'the key stands in the log');
  fs.renameSync(file, `${file}.old`);
  const id = await call('2');
  await until(() => linesOf(file).some((l) => JSON.parse(l).request_id === id), 'the new file');
});

test('the Common Log Format, and one of one\'s own', async () => {
  const file = path.join(dir, 'common.log');
  await settings({ 'access_log.to': file, 'access_log.format': 'common' });
  await call('1');
  await call('a%22b');
  const lines = await until(() => linesOf(file).length === 2 && linesOf(file), 'two lines');
  assert.match(lines[0], /^127\.0\.0\.1 - \S+ \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \S*\/orders\/1 HTTP\/1\.1" 200 12$/);
  assert.match(lines[1], /"GET \S*\/orders\/a(\\"|%22)b HTTP\/1\.1" 200 12$/);
  await settings({ 'access_log.to': `${file}.own`, 'access_log.format': '${status}x|$reason|$api|$origin|$$' });
  await call('1', false);
  await until(() => linesOf(`${file}.own`).length, 'a line');
  assert.equal(linesOf(`${file}.own`)[0], '401x|key_missing|orders|gateway|$');
});

test('syslog over UDP, TCP and a unix socket: RFC 5424, one message a call', async () => {
  const head = /^<134>1 \d{4}-\d\d-\d\dT[\d:]+\.\d{6}Z [!-~]+ gatehouse - access - (200) (\S+)$/;
  const format = { 'access_log.format': '$status $request_id' };
  const udp = dgram.createSocket('udp4'), got = [];
  udp.on('message', (m) => got.push(m.toString()));
  await new Promise((r) => udp.bind(0, '127.0.0.1', r));
  await settings({ ...format, 'access_log.to': `udp://127.0.0.1:${udp.address().port}` });
  let id = await call('1');
  await until(() => got.length, 'a datagram');
  assert.equal(head.exec(got[0])?.[2], id, got[0]);
  udp.close();
  for (const where of ['tcp', 'unix']) {
    let bytes = '';
    const server = net.createServer((s) => s.setEncoding('utf8').on('data', (d) => { bytes += d; }));
    const socket = path.join(dir, 'log.sock');
    await new Promise((r) => (where === 'tcp' ? server.listen(0, '127.0.0.1', r) : server.listen(socket, r)));
    if (where === 'unix' && process.getuid() === 0) fs.chmodSync(socket, 0o777);
    await settings({ ...format, 'access_log.to': where === 'tcp' ? `tcp://127.0.0.1:${server.address().port}` : `unix:${socket}` });
    id = await call('1');
    await until(() => bytes.includes(id), `a message over ${where}`);
    const [, n, text] = /^(\d+) (.*)$/s.exec(bytes);
    assert.equal(text.length, Number(n));                        // octet counting, RFC 6587
    assert.equal(head.exec(text)?.[2], id, text);
    server.close();
  }
});

test('HTTP: batches with the secret header; later is later, refused is dropped, and both are told', async () => {
  const answers = [503, 204];
  const sink = await backend((req, res) => { res.statusCode = answers.length > 1 ? answers.shift() : answers[0]; res.setHeader('Retry-After', '1'); res.end(); });
  const headers = gw.file('log-headers.json', '{"Authorization":"Bearer log-secret"}');
  await settings({ 'access_log.to': `${sink.url}/in`, 'access_log.headers_file': headers });
  const ids = await Promise.all([call('1'), call('2'), call('3')]);
  await until(() => stats().sent === 3, 'three records sent');
  const last = sink.seen.at(-1);
  assert.ok(sink.seen.length >= 2, 'the 503 was not followed by another try');
  assert.equal(last.headers.authorization, 'Bearer log-secret');
  assert.equal(last.headers['content-type'], 'application/x-ndjson');
  assert.deepEqual(new Set(sink.seen.slice(1).flatMap((s) => s.body.toString().trim().split('\n')).map((l) => JSON.parse(l).request_id)), new Set(ids));
  answers.splice(0, 9, 400);
  await call('4');
  await until(() => stats().dropped === 1, 'a dropped record');
  const f = gw.cli('doctor', '--format', 'json', { fails: true }).json().find((d) => d.what === 'export');
  assert.deepEqual([f.state, f.detail], ['warning', 'access_log: 3 records sent, 1 dropped, 0 wait: the receiver answered 400']);
  assert.match(await until(() => /gatehouse_export_dropped_total\{export="access_log"\} 1/.exec(gw.cli('metrics').stdout)?.[0], 'the metric'), /1$/);
  assert.ok(!gw.log('serve').includes('log-secret'));
  await sink.close();
});

test('a receiver that is away: the queue is bounded, the loss is counted, the rest arrives', async () => {
  const port = await freePort();
  await settings({ 'access_log.to': `http://127.0.0.1:${port}/`, 'export.queue_bytes': 65536 });
  const all = 150;                                               // of more than a kilobyte each
  const before = (await Promise.all(Array.from({ length: all }, (_, i) => call(`${i}`)))).length;
  await until(() => stats().waiting + stats().dropped === before && stats().dropped > 0, 'some dropped, some waiting');
  assert.ok(stats().waiting > 10, JSON.stringify(stats()));
  const http = require('node:http');
  const lines = [];
  const server = http.createServer((req, res) => { let b = ''; req.on('data', (d) => { b += d; }); req.on('end', () => { lines.push(...b.trim().split('\n')); res.end(); }); });
  await new Promise((r) => server.listen(port, '127.0.0.1', r));
  await until(() => stats().waiting === 0, 'the rest', 70000);
  assert.equal(lines.length + stats().dropped, before);
  assert.equal(new Set(lines.map((l) => JSON.parse(l).request_id)).size, lines.length);
  server.close();
});

test('a setting that is wrong stops the access log only, and says so', async () => {
  await settings({ 'access_log.to': '/tmp/x', 'access_log.format': '$nothing' });
  const id = await call('1');
  await until(() => gw.cli('log', '--request-id', id).stdout.includes(id), 'the call in the store');
  await until(() => /there is no value '\$nothing'/.test(stats().error), 'the reason in the keeper\'s report');
  assert.match(gw.cli('doctor', { fails: true }).stdout, /access_log: .*there is no value '\$nothing'/);
});
