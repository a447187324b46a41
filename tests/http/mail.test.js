// The mail queue against a real SMTP server: what arrives, TLS and sign-in, refusals for now and for good, and what becomes
// of a mail when the server or the keeper dies at the worst moment.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { start, until } = require('./harness');
const { mailSink, config, management } = require('./people');

const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code });
const list = (gw) => gw.cli('mail', 'list', '--format', 'json').json();
const settled = (gw, state) => until(() => list(gw)[0]?.state === state && list(gw)[0], `the mail to be ${state}`);

async function withGateway(t, sink, more = {}, setup) {
  const gw = await start({ server: 'nginx', workers: 1, config: { ...config(sink), ...more }, setup });
  t.after(async () => { await gw.stop(); await sink.close(); });
  return gw;
}

test('a mail arrives once, whole, in text and HTML', async (t) => {
  const sink = await mailSink();
  const gw = await withGateway(t, sink, { 'portal.title': 'Schnittstellen für Öl & Gas, ein Portal mit einem langen Namen', 'mail.from': 'Öl & Gas <portal@example.com>' });
  gw.cli('mail', 'test', 'ada@example.com');
  const mail = await sink.next('ada@example.com');
  assert.strictEqual(mail.from, 'portal@example.com');
  assert.match(mail.headers.from, /^=\?UTF-8\?B\?[A-Za-z0-9+/=]+\?= <portal@example.com>$/);
  assert.strictEqual(mail.headers.to, 'ada@example.com');
  assert.match(mail.headers.date, /^(Sun|Mon|Tue|Wed|Thu|Fri|Sat), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/);
  assert.match(mail.headers['message-id'], /^<[0-9a-f]{32}@example.com>$/);
  assert.strictEqual(mail.headers['auto-submitted'], 'auto-generated');
  const subject = mail.headers.subject.split(' ').map((w) => Buffer.from(/^=\?UTF-8\?B\?(.*)\?=$/.exec(w)[1], 'base64').toString('utf8')).join('');
  assert.strictEqual(subject, 'Test mail of Schnittstellen für Öl & Gas, ein Portal mit einem langen Namen');
  assert.match(mail.text, /^This is the test mail/);
  assert.match(mail.html, /Öl &amp; Gas/);
  for (const line of mail.raw.split('\r\n')) assert.ok(line.length <= 100, line);
  const row = await settled(gw, 'sent');
  assert.deepStrictEqual([row.to, row.template, row.tries, row.problem], ['ada@example.com', 'test', 1, '']);
  gw.cli('mail', 'test', 'bob@example.com');
  await sink.next('bob@example.com');
  assert.strictEqual(sink.mails.length, 2);
});

test('settings are read again at SIGHUP, wrong ones are not taken', async (t) => {
  const sink = await mailSink();
  const gw = await withGateway(t, sink);
  const conf = path.join(gw.state, 'gatehouse.conf');
  const [keeper] = gw.pids('gatehouse-keeper');
  fs.appendFileSync(conf, 'telemetry.raw_days = many\n');
  process.kill(keeper, 'SIGHUP');
  await until(() => /the settings are not read again.*raw_days/.test(gw.log('serve')), 'the refusal');
  fs.writeFileSync(conf, `${fs.readFileSync(conf, 'utf8').replace(/telemetry.raw_days.*\n|mail.from.*\n/g, '')}mail.from = new@example.com\n`);
  process.kill(gw.serve.child.pid, 'SIGHUP');
  await until(() => /begins anew/.test(gw.log('serve')), 'the keeper');
  gw.cli('mail', 'test', 'ada@example.com');
  assert.strictEqual((await sink.next('ada@example.com')).from, 'new@example.com');
  assert.deepStrictEqual(gw.pids('gatehouse-keeper'), [keeper]);
});

test('refused for now is tried again, refused for good is given up', async (t) => {
  let busy = 1;
  const sink = await mailSink({
    onRcptTo(address, session, done) {
      if (address.address.startsWith('gone@')) return done(refusal(550, 'no such user'));
      return busy-- > 0 ? done(refusal(451, 'later')) : done();
    },
  });
  const gw = await withGateway(t, sink);
  gw.cli('mail', 'test', 'ada@example.com');
  await sink.next('ada@example.com');
  assert.strictEqual((await settled(gw, 'sent')).tries, 2);
  gw.cli('mail', 'test', 'gone@example.com');
  const row = await settled(gw, 'failed');
  assert.deepStrictEqual([row.tries, /550/.test(row.problem)], [1, true]);
  assert.strictEqual(sink.mails.length, 1);
});

test('STARTTLS and sign-in; without TLS nothing is said', async (t) => {
  const dir = fs.mkdtempSync('/tmp/gatehouse-mail-');
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const key = path.join(dir, 'key.pem'), cert = path.join(dir, 'cert.pem'), password = path.join(dir, 'password');
  spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1']);
  fs.writeFileSync(password, 'a pass:word\n', { mode: 0o600 });
  const sink = await mailSink({
    key: fs.readFileSync(key), cert: fs.readFileSync(cert), authOptional: false,
    onAuth: (auth, session, done) => (auth.username === 'portal' && auth.password === 'a pass:word' ? done(null, { user: 'portal' })
      : done(refusal(535, 'wrong'))),
  });
  const gw = await withGateway(t, sink, { 'mail.tls': 'required', 'mail.ca_file': cert, 'mail.smtp_user': 'portal', 'mail.smtp_password_file': password });
  gw.cli('mail', 'test', 'ada@example.com');
  const mail = await sink.next('ada@example.com');
  assert.deepStrictEqual([mail.user, mail.tls], ['portal', true]);
  assert.ok(!gw.log('serve').includes('a pass:word'));
  const plain = await mailSink();
  t.after(() => plain.close());
  const other = await start({ server: 'nginx', workers: 1, config: { ...config(plain), 'mail.tls': 'required' } });
  t.after(() => other.stop());
  other.cli('mail', 'test', 'ada@example.com');
  await until(() => /STARTTLS|TLS|SSL/i.test(list(other)[0].problem), 'the refusal to go on without TLS');
  assert.strictEqual(plain.mails.length, 0);
});

test('a server that dies behind the last byte leaves the mail uncertain, and it is not sent twice', async (t) => {
  let got = 0;
  const sink = await mailSink({
    onData(stream, session) {
      stream.on('data', () => {});
      stream.on('end', () => { got++; for (const c of sink.server.connections) c._socket.destroy(); });
    },
  });
  const gw = await withGateway(t, sink);
  gw.cli('mail', 'test', 'ada@example.com');
  const row = await settled(gw, 'uncertain');
  assert.strictEqual(row.tries, 1);
  gw.cli('mail', 'again', row.id);
  await until(() => got === 2, 'the second try, asked for by a person');
  await settled(gw, 'uncertain');
  const rest = management(gw, { scopes: ['write:users', 'read:users'] }), [mail] = (await rest('GET', '/mails')).body.items;
  assert.deepStrictEqual([mail.id, mail.to, mail.template, mail.state, mail.tries], [row.id, 'ada@example.com', 'test', 'uncertain', 1]);
  assert.strictEqual((await rest('POST', '/mails/nothing/again')).status, 404);
  assert.strictEqual((await rest('POST', `/mails/${row.id}/again?dry-run=true`)).status, 200);
  assert.strictEqual((await rest('GET', '/mails?limit=1')).body.items[0].state, 'uncertain');
  assert.strictEqual((await rest('POST', `/mails/${row.id}/again`)).status, 200);
  await until(() => got === 3, 'the third try, asked for by a program');
});

test('a store that somebody else writes to for long does not make a mail that was sent look lost', async (t) => {
  const held = [];
  const sink = await mailSink({
    onData(stream, session, done) {
      stream.on('data', () => {});
      stream.on('end', () => held.push(done));
    },
  });
  const gw = await withGateway(t, sink);
  gw.cli('mail', 'test', 'ada@example.com');
  await until(() => held.length === 1 && list(gw)[0].state === 'handed', 'the mail to be handed over');
  const writer = spawn('sqlite3', [path.join(gw.state, 'config.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => writer.kill());
  const begun = new Promise((r) => writer.stdout.once('data', r));
  writer.stdin.write("BEGIN IMMEDIATE; SELECT 'begun';\n");
  await begun;
  held[0]();
  await new Promise((r) => setTimeout(r, 5500));       // longer than a handle waits for another writer: STORE_BUSY_TIMEOUT_MS
  writer.stdin.end('ROLLBACK;\n');
  await settled(gw, 'sent');
  assert.strictEqual(held.length, 1);
});

test('a keeper killed while it sends: not handed over is sent again, handed over is not', async (t) => {
  let hold = 'rcpt';
  const held = [];
  const sink = await mailSink({
    onRcptTo: (address, session, done) => (hold === 'rcpt' ? held.push(done) : done()),
    onData(stream, session, done) {
      stream.on('data', () => {});
      stream.on('end', () => (hold === 'data' ? held.push(done) : (sink.mails.push({ to: session.envelope.rcptTo.map((r) => r.address) }), done())));
    },
  });
  const gw = await withGateway(t, sink);
  const kill = () => process.kill(gw.pids('gatehouse-keeper')[0], 'SIGKILL');
  gw.cli('mail', 'test', 'ada@example.com');
  await until(() => held.length === 1, 'the mail on its way');
  assert.strictEqual(list(gw)[0].state, 'sending');
  hold = '';
  kill();
  await sink.next('ada@example.com');
  assert.strictEqual((await settled(gw, 'sent')).tries, 2);
  hold = 'data';
  gw.cli('mail', 'test', 'bob@example.com');
  await until(() => held.length === 2, 'the second mail handed over');
  assert.strictEqual(list(gw)[0].state, 'handed');
  kill();
  await settled(gw, 'uncertain');
  assert.strictEqual(sink.mails.length, 1);
});
