// log-to-eventhub through a real gateway to HTTP, file and syslog loggers: what arrives, that nothing waits for a logger that
// is slow or away, and that what is lost is counted and said.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const dgram = require('node:dgram');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { start, backend, until, offline, freePort } = require('./harness');

const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/{p}': { post: { operationId: 'post', responses: { 200: { description: 'ok' } } } } } });
const BODY = 'context.Request.Body.As&lt;string&gt;(true)';
const policy = (logger, more = '') => `<policies><inbound><base />
  <log-to-eventhub logger-id="${logger}" ${more}>@(${BODY})</log-to-eventhub></inbound></policies>`;

let gw, orders, sink, tcp, udp, key, answer = 204;
const lines = [], datagrams = [];

before(async () => {
  orders = await backend((req, res) => res.end('ok'));
  sink = await backend((req, res) => { res.statusCode = answer; res.end(); });
  tcp = net.createServer((s) => { let left = ''; s.setEncoding('utf8'); s.on('data', (d) => {
    left += d;
    for (let m; (m = /^(\d+) /.exec(left));) {
      const n = Number(m[1]), rest = Buffer.from(left.slice(m[0].length));
      if (rest.length < n) break;
      lines.push(rest.subarray(0, n).toString());
      left = rest.subarray(n).toString();
    }
  }); });
  await new Promise((r) => tcp.listen(0, '127.0.0.1', r));
  udp = dgram.createSocket('udp4');
  udp.on('message', (m) => datagrams.push(m.toString()));
  await new Promise((r) => udp.bind(0, '127.0.0.1', r));
  gw = await start({
    server: 'nginx', config: { 'logger.queue_bytes': 1000000, 'logger.flush_ms': 50 },
    async setup(g) {
      const dead = await freePort();
      fs.mkdirSync(path.join(g.dir, 'logs'));
      if (process.getuid() === 0) fs.chmodSync(path.join(g.dir, 'logs'), 0o777);
      g.cli('product', 'create', 'gold');
      g.cli('logger', 'create', 'http', '--kind', 'http', '--url', `${sink.url}/in`, '--headers-file',
        g.file('h.json', '{"Authorization":"Bearer logger-secret"}'));
      g.cli('logger', 'create', 'file', '--kind', 'file', '--path', path.join(g.dir, 'logs/orders.log'), '--max-bytes', '65536');
      g.cli('logger', 'create', 'tcp', '--kind', 'syslog', '--address', `tcp://127.0.0.1:${tcp.address().port}`);
      g.cli('logger', 'create', 'udp', '--kind', 'syslog', '--address', `udp://127.0.0.1:${udp.address().port}`, '--facility', 'user');
      g.cli('logger', 'create', 'dead', '--kind', 'http', '--url', `http://127.0.0.1:${dead}/`);
      for (const [name, more] of [['http', 'partition-key="@(context.Api.Id)"'], ['file', 'partition-id="3"'], ['tcp'], ['udp'], ['dead']]) {
        g.cli('import', 'openapi', g.file(`${name}.json`, SPEC), '--path', name, '--name', name, '--backend', orders.url, '--product', 'gold');
        g.cli('policy', 'set', g.file(`${name}.xml`, policy(name, more)), '--scope', `api:${name}`);
      }
      key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
    },
  });
});
after(async () => {
  await gw?.stop();
  await orders?.close();
  await sink?.close();
  tcp?.close();
  udp?.close();
});

const post = (name, body) => fetch(`${gw.url}/api/${name}/x`, { method: 'POST', headers: { 'X-Api-Key': key }, body });
const doctor = () => gw.cli('doctor', '--format', 'json', { fails: true }).json().filter((f) => f.what === 'logger');

test('HTTP: batches of JSON lines with the secret header, and what is refused for now comes again', async () => {
  answer = 503;
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await post('http', `first ${i} "quoted"\n`)).headers.get('x-request-id'));
  await until(() => sink.seen.length >= 1, 'a first try');
  answer = 204;
  const got = () => sink.seen.flatMap((s) => s.body.toString().trim().split('\n')).map((l) => JSON.parse(l));
  const all = await until(() => new Set(got().map((m) => m.message)).size === 5 && got(), 'all five');
  const m = all.find((one) => one.message.startsWith('first 3'));
  assert.deepEqual([m.logger, m.partitionKey, m.requestId, m.message], ['http', 'http', ids[3], 'first 3 "quoted"\n']);
  assert.ok(Math.abs(Date.parse(m.time) - Date.now()) < 60000, m.time);
  assert.equal(sink.seen[0].headers.authorization, 'Bearer logger-secret');
  assert.equal(sink.seen[0].headers['content-type'], 'application/x-ndjson');
});

test('HTTP: a batch that is refused for good is dropped and counted', async () => {
  answer = 400;
  await post('http', 'refused');
  const f = await until(() => doctor().find((d) => /^http: .*dropped [1-9]/.test(d.detail)), 'the doctor');
  assert.equal(f.state, 'warning');
  answer = 204;
  assert.match(gw.log('serve'), /messages of policies do not get through.*logger=http.*answered 400/);
});

test('a file: messages of all workers, whole, moved aside when it is full, found again after a rotation', async () => {
  const file = path.join(gw.dir, 'logs/orders.log');
  const read = (f) => { try { return fs.readFileSync(f, 'utf8').trim().split('\n').filter(Boolean).map((l) => JSON.parse(l)); } catch { return []; } };
  await Promise.all(Array.from({ length: 40 }, (_, i) => post('file', `line ${i} ${'x'.repeat(1000)}`)));
  await until(() => read(file).length + read(`${file}.1`).length === 40, 'forty lines');
  assert.equal(read(file)[0].partitionId, '3');
  fs.renameSync(file, `${file}.old`);
  await post('file', 'after the rotation');
  await until(() => read(file).some((m) => m.message === 'after the rotation'), 'the new file');
  await Promise.all(Array.from({ length: 110 }, () => post('file', 'y'.repeat(1000))));    // more than a file takes, for each worker
  await until(() => fs.existsSync(`${file}.1`), 'the full file aside');
  await until(() => read(file).length + read(`${file}.1`).length >= 60, 'all lines');
  for (const f of [file, `${file}.1`]) assert.ok(fs.statSync(f).size <= 65536, `${f}: ${fs.statSync(f).size} bytes`);
});

test('syslog over TCP and UDP: RFC 5424', async () => {
  const id = (await post('tcp', 'by "tcp" ü')).headers.get('x-request-id');
  await until(() => lines.length, 'a line');
  const host = '[!-~]+', when = '\\d{4}-\\d\\d-\\d\\dT[\\d:]+\\.\\d{6}Z';
  assert.match(lines[0], new RegExp(`^<134>1 ${when} ${host} gatehouse - log-to-eventhub `
    + `\\[gatehouse@32473 logger="tcp" requestId="${id}"\\] \ufeffby "tcp" ü$`));
  await post('udp', 'z'.repeat(100000));
  await until(() => datagrams.length, 'a datagram');
  assert.match(datagrams[0], /^<14>1 /);
  assert.ok(datagrams[0].length > 50000 && Buffer.byteLength(datagrams[0]) <= 60000, `${datagrams[0].length}`);
});

test('200 KB and no more', async () => {
  lines.length = 0;
  await post('tcp', `${'ä'.repeat(150000)}`);
  const line = await until(() => lines[0], 'the line');
  const message = line.slice(line.indexOf('\ufeff') + 1);
  assert.ok(Buffer.byteLength(message) <= 204000 && Buffer.byteLength(message) >= 203996);
  assert.ok(!message.includes('\ufffd'));
});

test('a logger that is away costs its calls nothing; the queue is bounded, and the loss is counted, logged and told', async () => {
  const body = 'q'.repeat(60000);
  const all = await Promise.all(Array.from({ length: 60 }, () => post('dead', body)));
  assert.ok(all.every((r) => r.status === 200));
  const f = await until(() => doctor().find((d) => /^dead: .*dropped [1-9].*/.test(d.detail)), 'the doctor');
  assert.match(f.detail, /bytes wait: /);
  assert.match(gw.log('serve'), /messages of policies do not get through.*logger=dead/);
});

test('a changed address is taken over; a logger goes when no policy names it', async () => {
  gw.cli('logger', 'create', 'dead', '--kind', 'http', '--url', `${sink.url}/found`, '--format', 'lines');
  await until(async () => { await post('dead', 'found again'); return sink.seen.some((s) => s.url === '/found'); }, 'the new address');
  const refused = gw.cli('logger', 'delete', 'udp', { fails: true });
  assert.deepEqual([refused.code, refused.stderr], [1, "gatehouse: error: logger 'udp' is in use by policy 'api:udp'\n"]);
  gw.cli('policy', 'set', '--scope', 'api:udp', gw.file('silent.xml', '<policies><inbound><base /></inbound><backend><base /></backend>'
    + '<outbound><base /></outbound><on-error><base /></on-error></policies>'));
  gw.cli('logger', 'delete', 'udp');
  assert.equal((await post('udp', 'x')).status, 200);
  assert.ok(!gw.cli('logger', 'list', '--format', 'json').json().some((l) => l.id === 'udp'));
});

test('nothing secret is shown, and what does not fit is refused with a reason', () => {
  const g = offline();
  const refused = (...args) => { const r = g.cli('logger', 'create', 'x', ...args, { fails: true }); return [r.code, r.stderr]; };
  for (const [args, code, why] of [
    [['--kind', 'ftp'], 2, /http\|file\|syslog|http, file/],
    [['--kind', 'http'], 1, /`url` is an http or https address/],
    [['--kind', 'http', '--url', 'ftp://x/'], 1, /`url`/],
    [['--kind', 'http', '--url', 'http://u:p@x/'], 1, /password/],
    [['--kind', 'http', '--url', 'http://x/', '--path', '/x'], 2, /--path does not go with --kind http/],
    [['--kind', 'http', '--url', 'http://x/', '--timeout-ms', '0'], 1, /`timeoutMs`/],
    [['--kind', 'http', '--url', 'http://x/', '--headers-file', g.file('bad.json', '{"A b":"c"}')], 1, /no name of a header/],
    [['--kind', 'http', '--url', 'http://x/', '--headers-file', g.file('bad2.json', '{"A":"c\\nX: y"}')], 1, /control character/],
    [['--kind', 'file', '--path', 'relative.log'], 1, /`path` is a whole path/],
    [['--kind', 'file', '--path', '/x', '--format', 'json'], 1, /`format` is one of ndjson and lines/],
    [['--kind', 'syslog', '--address', 'udp://host'], 1, /`address`/],
    [['--kind', 'syslog', '--address', 'unix:/dev/log', '--facility', 'locl0'], 1, /did you mean local0/],
    [['--kind', 'syslog', '--address', 'unix:/dev/log', '--sd-id', 'a]b'], 1, /`sdId`/],
  ]) {
    const [status, text] = refused(...args);
    assert.equal(status, code, args.join(' ') + text);
    assert.match(text, why);
  }
  g.cli('logger', 'create', 'audit', '--kind', 'http', '--url', 'https://logs.example/', '--headers-file', g.file('h.json', '{"X-Key":"s3cret-value"}'));
  for (const shown of [g.cli('logger', 'list').stdout, g.cli('logger', 'list', '--format', 'json').stdout, g.cli('audit').stdout])
    assert.ok(!shown.includes('s3cret-value') && shown.includes('audit'), shown);
  assert.equal(g.cli('logger', 'delete', 'nobody', { fails: true }).code, 1);

  const file = g.file('p.xml', policy('nobody').replaceAll('&lt;', '<').replaceAll('&gt;', '>'));
  const set = g.cli('policy', 'set', file, '--scope', 'global', { fails: true });
  assert.equal(set.code, 1);
  assert.match(set.stderr, /p\.xml:2:\d+: error: there is no logger "nobody"/);
  const check = g.cli('policy', 'check', file);
  assert.match(check.stdout, /p\.xml: ok/);
  assert.match(check.stderr, /p\.xml:2:\d+: warning: the logger "nobody" is not known here/);
  g.cli('policy', 'set', g.file('q.xml', policy('audit')), '--scope', 'global');
  fs.rmSync(g.dir, { recursive: true, force: true });
});
