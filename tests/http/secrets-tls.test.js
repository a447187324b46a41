// TLS to backends: what is checked, with real servers and real certificates. A refusal is 502 backend_tls with the check that
// failed, and the backend has not seen a request.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const { until } = require('./harness');
const { startWorker } = require('./worker');
const { connect } = require('./fcgi-client');

let w, dir;
const servers = [];
const file = (name) => path.join(dir, name);
const read = (name) => fs.readFileSync(file(name));

function openssl(...args) {
  const r = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${r.stderr}`);
}
const key = (name) => openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`);
function authority(name) {
  key(name);
  openssl('req', '-x509', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-days', '30', '-out', `${name}.pem`);
}
function certificate(name, issuer, { san = 'DNS:localhost,IP:127.0.0.1', days = '30', usage = 'serverAuth' } = {}) {
  key(name);
  openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
  fs.writeFileSync(file(`${name}.ext`), `subjectAltName=${san}\nextendedKeyUsage=${usage}\n`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial', '-days', days,
    '-extfile', `${name}.ext`, '-out', `${name}.pem`);
}
const pin = (name) => `sha256//${crypto.createHash('sha256')
  .update(new crypto.X509Certificate(read(`${name}.pem`)).publicKey.export({ type: 'spki', format: 'der' })).digest('base64')}`;

async function serve(cert, options = {}) {
  const seen = [];
  const server = https.createServer({ key: read(`${cert}.key`), cert: read(`${cert}.pem`), ...options }, (req, res) => {
    seen.push({ host: req.headers.host, sni: req.socket.servername, client: req.socket.getPeerCertificate?.().subject?.CN,
      version: req.socket.getProtocol() });
    res.end('ok');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return { seen, port: server.address().port };
}

const one = async (id) => {
  const c = await connect(w.socket);
  const r = await c.request({ path: `/api/${id}/x`, params: {} });
  c.close();
  return { status: r.status, text: r.body.toString(), id: r.headers['x-request-id'] };
};
let n = 0;
// An API whose backend has these TLS settings; its first answer.
async function call(host, port, ...settings) {
  const id = `tls-${++n}`;
  w.gw.cli('backend', 'set', id, '--url', `https://${host}:${port}`, ...settings);
  w.gw.cli('import', 'openapi', file('echo.json'), '--path', id, '--name', id, '--backend', 'http://127.0.0.1:9', '--product', 'open');
  w.gw.cli('api', 'set', id, '--backend-id', id);
  let r;      // not found, then the backend of the import, where nobody listens
  await until(async () => { r = await one(id); return r.status !== 404 && !/cannot be reached/.test(r.text); }, 'the API');
  return { ...r, api: id };
}

before(async () => {
  w = await startWorker({ backend: 'http://127.0.0.1:9', config: { 'snapshot.poll_ms': 10 } });
  dir = w.gw.dir;
  authority('ca');
  authority('other-ca');
  certificate('good', 'ca');
  certificate('elsewhere', 'ca', { san: 'DNS:elsewhere.example' });
  certificate('old', 'ca', { days: '-1' });
  certificate('client', 'ca', { usage: 'clientAuth' });
  for (const id of ['ca', 'other-ca']) w.gw.cli('certificate', 'set', id, '--file', file(`${id}.pem`), '--authority');
  w.gw.cli('certificate', 'set', 'client', '--file', file('client.pem'), '--key-file', file('client.key'));
});
after(async () => {
  for (const s of servers) { s.closeAllConnections(); s.close(); }
  await w?.stop();
});

const refused = (r, why) => {
  assert.equal(r.status, 502, r.text);
  assert.match(r.text, why);
  assert.match(r.text, /"requestId"/);
};

test('a certificate of an own authority is good for its name', async () => {
  const b = await serve('good');
  for (const host of ['localhost', '127.0.0.1']) assert.equal((await call(host, b.port, '--ca', 'ca')).status, 200);
  assert.equal(b.seen[0].host, `localhost:${b.port}`);
  assert.equal((await call('localhost', b.port, '--ca', 'other-ca', '--ca', 'ca')).status, 200);
});

test('what is not checked by an authority, a name or a date is refused before a request is sent', async () => {
  const good = await serve('good'), elsewhere = await serve('elsewhere'), old = await serve('old');
  const before = good.seen.length;
  refused(await call('localhost', good.port), /secure connection to the backend failed: its certificate is not of a trusted authority/);
  refused(await call('localhost', good.port, '--ca', 'other-ca'), /not of a trusted authority/);
  refused(await call('localhost', elsewhere.port, '--ca', 'ca'), /its certificate is for another name/);
  refused(await call('localhost', old.port, '--ca', 'ca'), /its certificate has expired/);
  assert.equal(good.seen.length - before + elsewhere.seen.length + old.seen.length, 0);
});

test('the record says backend_tls', async () => {
  const old = await serve('old');
  const r = await call('localhost', old.port, '--ca', 'ca');
  const out = spawnSync(path.join(w.gw.bin, 'gatehouse-keeper'), ['--state', w.gw.state, '--once'], { encoding: 'utf8' });
  assert.equal(out.status, 0, out.stderr);
  const record = JSON.parse(w.gw.cli('log', '--request-id', r.id, '--format', 'json').stdout);
  assert.equal(record.reason, 'backend_tls');
  assert.match(record.decision, /its certificate has expired/);
});

test('public keys are pinned, beside the authority or in its place', async () => {
  const b = await serve('good');
  assert.equal((await call('localhost', b.port, '--ca', 'ca', '--pin', pin('good'))).status, 200);
  assert.equal((await call('localhost', b.port, '--ca', 'ca', '--pin', pin('old'), '--pin', pin('good'))).status, 200);
  assert.equal((await call('localhost', b.port, '--verify-tls', 'no', '--pin', pin('good'))).status, 200);
  const before = b.seen.length;
  refused(await call('localhost', b.port, '--ca', 'ca', '--pin', pin('old')), /its public key is none of the pinned ones/);
  refused(await call('localhost', b.port, '--verify-tls', 'no', '--pin', pin('old')), /none of the pinned ones/);
  assert.equal(b.seen.length, before);
  for (const bad of ['sha256//short', 'sha1//AAAA', 'x'])
    assert.match(w.gw.cli('backend', 'set', 'bad-pin', '--url', 'https://a', '--pin', bad, { fails: true }).stderr, /a pin is sha256\/\/ and/);
});

test('a server name of its own is asked for and checked', async () => {
  const b = await serve('elsewhere');
  const r = await call('127.0.0.1', b.port, '--ca', 'ca', '--server-name', 'elsewhere.example');
  assert.equal(r.status, 200, r.text);
  assert.equal(b.seen.at(-1).sni, 'elsewhere.example');
  assert.equal(b.seen.at(-1).host, `127.0.0.1:${b.port}`);
  refused(await call('127.0.0.1', b.port, '--ca', 'ca', '--server-name', 'third.example'), /for another name/);
});

test('the check is left out only where it is said', async () => {
  const b = await serve('elsewhere'), old = await serve('old');
  assert.equal((await call('localhost', b.port, '--ca', 'ca', '--verify-name', 'no')).status, 200);
  refused(await call('localhost', old.port, '--ca', 'ca', '--verify-name', 'no'), /has expired/);
  assert.equal((await call('localhost', old.port, '--verify-tls', 'no')).status, 200);
  // a connection that was made without a check serves nobody who wants one
  refused(await call('localhost', old.port, '--ca', 'ca'), /has expired/);
});

test('the least version holds', async () => {
  const b = await serve('good', { maxVersion: 'TLSv1.2' });
  assert.equal((await call('localhost', b.port, '--ca', 'ca', '--tls-min', '1.2')).status, 200);
  assert.equal(b.seen.at(-1).version, 'TLSv1.2');
  refused(await call('localhost', b.port, '--ca', 'ca', '--tls-min', '1.3'), /it speaks no version of TLS that is allowed/);
});

test('a client certificate is shown to whom it is for', async () => {
  const b = await serve('good', { ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true });
  assert.equal((await call('localhost', b.port, '--ca', 'ca', '--client-certificate', 'client')).status, 200);
  assert.equal(b.seen.at(-1).client, 'client');
  refused(await call('localhost', b.port, '--ca', 'ca'), /it does not take our client certificate, or wants one/);
});

test('settings change while running, and an authority in use stays', async () => {
  const b = await serve('good');
  const r = await call('localhost', b.port, '--ca', 'other-ca');
  refused(r, /trusted authority/);
  w.gw.cli('backend', 'set', r.api, '--ca', 'ca');
  await until(async () => (await one(r.api)).status === 200, 'the new authority');
  assert.match(w.gw.cli('certificate', 'delete', 'ca', { fails: true }).stderr, /is in use/);
});
