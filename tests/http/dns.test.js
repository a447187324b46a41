// Names of backends: a real name server (dnsmasq) whose records change, that goes away and comes back. TTL 1.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const dgram = require('node:dgram');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { start, until, SERVERS } = require('./harness');

const freeUdpPort = () => new Promise((resolve) => {
  const s = dgram.createSocket('udp4');
  s.bind(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); });
});

// The names that it knows stand in a file; `say` writes another and has it read.
async function nameServer() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-dns-')), hosts = path.join(dir, 'hosts');
  const port = await freeUdpPort();
  fs.writeFileSync(hosts, '');
  const child = spawn('/usr/sbin/dnsmasq', ['--keep-in-foreground', '--conf-file=/dev/null', `--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces',
    '--no-resolv', '--no-hosts', '--no-daemon', `--addn-hosts=${hosts}`, '--local-ttl=1', '--local=/test/', '--user=root', `--pid-file=${dir}/pid`], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '', reads = 0;
  child.stderr.on('data', (t) => { text += t; reads = (text.match(/^dnsmasq: read .*hosts/gm) || []).length; });
  await until(() => reads, 'the name server');
  return {
    dir,
    address: `127.0.0.1:${port}`,
    async say(...lines) {
      const was = reads;
      fs.writeFileSync(hosts, `${lines.join('\n')}\n`);
      child.kill('SIGHUP');
      await until(() => reads > was, 'the names to be read');
    },
    away: (yes) => child.kill(yes ? 'SIGSTOP' : 'SIGCONT'),
    close: () => { child.kill('SIGKILL'); fs.rmSync(dir, { recursive: true }); },
  };
}

describe('names of backends', () => {
  let gw, dns, port, tls;
  const servers = [], late = [];
  const listen = (make, address, at) => new Promise((resolve, reject) => {
    const s = make((req, res) => { s.seen++; if (req.url === '/late') late.push(req.headers['x-request-id']); res.end(address); });
    s.seen = 0;
    s.keepAliveTimeout = 60000;
    s.once('error', reject);
    s.listen(at, address, () => { servers.push(s); resolve(s); });
  });
  const call = (api, headers = {}) => new Promise((resolve, reject) => {
    http.get(`${gw.url}/api/${api}/x`, { headers }, (res) => {
      let text = '';
      res.on('data', (t) => { text += t; });
      res.on('end', () => resolve({ status: res.statusCode, text }));
    }).on('error', reject);
  });

  before(async () => {
    dns = await nameServer();
    const first = await listen((f) => http.createServer(f), '127.0.0.1', 0);
    port = first.address().port;
    await listen((f) => http.createServer(f), '127.0.0.2', port);
    const file = path.join(dns.dir, 'key');
    spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file, '-out', `${file}.crt`, '-days', '2', '-subj', '/CN=shop', '-addext', 'subjectAltName=DNS:shop.test']);
    const leaf = { key: fs.readFileSync(file), cert: fs.readFileSync(`${file}.crt`) };
    const one = await listen((f) => https.createServer(leaf, f), '127.0.0.1', 0);
    tls = one.address().port;
    await listen((f) => https.createServer(leaf, f), '127.0.0.2', tls);
    await dns.say('127.0.0.1 shop.test');
    gw = await start({ server: SERVERS[0], workers: 1, config: { 'gateway.dns_servers': dns.address, 'gateway.dns_timeout_ms': 200 }, setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      const api = (name, url) => {
        g.cli('import', 'openapi', g.file('a.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'A', version: '1' },
          paths: { '/x': { get: { responses: { 200: { description: 'ok' } } } } } })), '--path', name, '--name', name, '--backend', url, '--product', 'open');
        g.cli('api', 'set', name, '--require-key', 'no');
      };
      api('plain', `http://shop.test:${port}`);
      api('secure', `https://shop.test:${tls}`);
      api('two', `http://two.test:${port}`);
      api('nobody', `http://nobody.test:${port}`);
      api('late', `http://127.0.0.1:${port}`);
      g.cli('policy', 'set', '--scope', 'api:late', g.file('p.xml', `<policies><inbound><base /><choose><when condition='@(context.Request.Headers.ContainsKey("X-Name"))'>
        <send-one-way-request mode="new"><set-url>@("http://" + context.Request.Headers["X-Name"][0] + ".test:${port}/late")</set-url></send-one-way-request></when></choose>
        <return-response><set-status code="200" /></return-response></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
      g.cli('certificate', 'set', 'shop', '--file', `${file}.crt`, '--authority');
      g.cli('backend', 'set', 'secure', '--url', `https://shop.test:${tls}`, '--ca', 'shop');
      g.cli('api', 'set', 'secure', '--backend-id', 'secure');
    } });
  });
  after(async () => {
    await gw?.stop();
    dns?.close();
    for (const s of servers) { s.close(); s.closeAllConnections(); }
  });

  it('goes to the address that the name server says, over TLS too, and asks again when the TTL is over', async () => {
    for (const api of ['plain', 'secure']) for (let i = 0; i < 3; i++) assert.deepEqual(await call(api), { status: 200, text: '127.0.0.1' });
    await dns.say('127.0.0.2 shop.test');
    const from = Date.now();
    // connections to the old address are open; nobody kills them
    for (const api of ['plain', 'secure']) await until(async () => (await call(api)).text === '127.0.0.2', `${api}: the new address`);
    assert.ok(Date.now() - from < 45000, 'less than the 60 s that libcurl would take');
    for (const api of ['plain', 'secure']) for (let i = 0; i < 5; i++) assert.equal((await call(api)).text, '127.0.0.2');
  });

  it('uses the last answer while name servers are away, and the new one when they are back', async () => {
    await call('plain');
    dns.away(true);
    const served = async () => assert.deepEqual(await call('plain'), { status: 200, text: '127.0.0.2' });
    await until(async () => { await served(); return /name servers do not answer.*host=shop\.test/.test(gw.log('serve')); }, 'the log');
    for (let i = 0; i < 5; i++) await served();
    dns.away(false);
    await dns.say('127.0.0.1 shop.test');
    await until(async () => (await call('plain')).text === '127.0.0.1', 'the new address');
    assert.match(gw.log('serve'), /name servers answer again/);
  });

  it('loses no call when one of two addresses is away', async () => {
    await dns.say('127.0.0.1 two.test', '127.0.0.3 two.test', '::1 two.test');
    for (let i = 0; i < 8; i++) assert.deepEqual(await call('two'), { status: 200, text: '127.0.0.1' });
    await dns.say('127.0.0.3 two.test', '127.0.0.2 two.test');
    await until(async () => { const r = await call('two'); assert.equal(r.status, 200); return r.text === '127.0.0.2'; }, 'the other one');
    for (let i = 0; i < 8; i++) assert.equal((await call('two')).status, 200);
  });

  it('sends a one-way request as it was, though its name is known when the call is over and others have come', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `late${i}`);
    await dns.say(...names.map((name) => `127.0.0.1 ${name}.test`));
    for (const name of names) {              // a name server that is held up for too long answers none
      dns.away(true);
      await call('late', { 'X-Name': name, 'X-Request-Id': `sent-${'a'.repeat(100)}` });
      for (let i = 0; i < 3; i++) await call('late', { 'X-Request-Id': `other-${'b'.repeat(100)}`, 'X-Long': 'c'.repeat(5000) });
      dns.away(false);
      await until(() => late.length || gw.log('serve').includes(`host=${name}.test reason=`), 'the request');
      if (late.length) break;
    }
    assert.deepEqual(late, [`sent-${'a'.repeat(100)}`]);
  });

  it('says that a name cannot be resolved, and finds it when it is there', async () => {
    const none = await call('nobody');
    assert.equal(none.status, 502);
    assert.match(none.text, /name cannot be resolved/);
    await dns.say('127.0.0.1 nobody.test');
    await until(async () => (await call('nobody')).text === '127.0.0.1', 'the name');
  });
});
