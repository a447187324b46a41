// Replacing subscription keys with an overlap, when keys were last used, and what `gatehouse lint` finds.
'use strict';
const { test, describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { start, offline, backend, until, SERVERS } = require('./harness');

const API = JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' }, paths: { '/x': { get: { responses: { 200: { description: 'ok' } } } } } });

describe(`keys behind ${SERVERS[0]}`, () => {
  let gw, b;
  before(async () => {
    b = await backend();
    gw = await start({ server: SERVERS[0], workers: 3, setup(g) {
      g.cli('product', 'create', 'p');
      g.cli('import', 'openapi', g.file('t.json', API), '--path', 't', '--name', 't', '--backend', b.url, '--product', 'p');
    } });
  });
  after(async () => { await gw?.stop(); await b?.close(); });
  const create = () => gw.cli('subscription', 'create', '--product', 'p', '--format', 'json').json();
  const rotate = (...args) => gw.cli('subscription', 'rotate', ...args, '--format', 'json').json();
  const status = async (key) => { const r = await fetch(`${gw.url}/api/t/x`, { headers: { 'X-Api-Key': key } }); await r.text(); return r.status; };
  // all workers answer, as far as many connections at once reach them
  const all = async (key) => [...new Set(await Promise.all([...Array(24)].map(() => status(key))))];

  it('both keys work during the overlap, and the old one nowhere a second after its end', async () => {
    const sub = create();
    assert.deepEqual(await all(sub.primaryKey), [200]);
    const begun = Date.now(), out = rotate(sub.id, '--key', 'primary', '--overlap', '1h'), ends = Date.parse(out.oldEnds);
    assert.ok(ends >= begun + 3599000 && ends <= Date.now() + 3601000, out.oldEnds);
    for (const key of [out.key, sub.primaryKey, sub.secondaryKey]) assert.deepEqual(await all(key), [200]);
    // a short one: whenever a call is served, it was before a second after the end, and whenever it is refused, it was after the end
    const next = rotate(sub.id, '--key', 'secondary', '--overlap', '2s'), end = Date.parse(next.oldEnds);
    let seen;
    do {
      const from = Date.now();
      seen = await all(sub.secondaryKey);
      const till = Date.now();
      if (seen.includes(200)) assert.ok(from < end + 1000, `served ${from - end} ms after the end`);
      if (seen.includes(401)) assert.ok(till >= end, `refused ${end - till} ms before the end`);
    } while (seen.join() !== '401');
    assert.deepEqual(await all(next.key), [200]);
  });

  it('without an overlap the old key ends with the next call; both can be replaced together', async () => {
    const sub = create();
    assert.deepEqual(await all(sub.secondaryKey), [200]);
    const out = rotate(sub.id, '--key', 'both');
    assert.deepEqual(await all(sub.primaryKey), [401]);
    assert.deepEqual(await all(sub.secondaryKey), [401]);
    assert.deepEqual(await all(out.primaryKey), [200]);
    assert.deepEqual(await all(out.secondaryKey), [200]);
    for (const bad of [['--overlap', '1y'], ['--overlap', '-1s'], ['--overlap', '1h', '--keep-old', '5'], ['--key', 'third']])
      assert.equal(gw.cli('subscription', 'rotate', sub.id, ...bad, { fails: true }).code, 2);
  });

  it('when a key was last used is known', async () => {
    const sub = create();
    const used = () => gw.cli('subscription', 'list', '--search', sub.id, '--format', 'json').json()[0].lastUsed;
    assert.equal(used(), null);
    const begun = Date.now();
    assert.equal(await status(sub.primaryKey), 200);
    const at = await until(used, 'the keeper');
    assert.ok(Date.parse(at) >= begun - 1000 && Date.parse(at) <= Date.now() + 1000, at);
  });
});

test('lint names what is old, unused, weak, double, open, and says how to mend it', () => {
  const gw = offline({ build: 'release' });
  const sql = (text) => {
    const r = spawnSync('sqlite3', ['-cmd', '.timeout 60000', path.join(gw.state, 'config.db'), text], { encoding: 'utf8' });
    assert.equal(r.status, 0, r.stderr);
  };
  const lint = () => gw.cli('lint', '--format', 'json', { fails: true });
  const rules = () => lint().json().map((f) => `${f.level} ${f.rule}: ${f.object}`);
  assert.deepEqual(rules(), []);
  assert.equal(lint().code, 0);
  assert.match(gw.cli('lint').stdout, /nothing found/);

  gw.cli('product', 'create', 'p');
  gw.cli('product', 'create', 'open', '--require-key', 'no');
  gw.cli('import', 'openapi', gw.file('t.json', API), '--path', 't', '--name', 't', '--backend', 'http://erp.example', '--product', 'p');
  gw.cli('network', 'set', '--scope', 'global', '--https-only', 'yes');
  gw.cli('subscription', 'create', '--product', 'p', '--id', 'old');
  gw.cli('subscription', 'create', '--product', 'p', '--id', 'weak', '--key-file', gw.file('keys', 'aaaaaaaaaaaaaaaaaaaaaaaa\n'));
  gw.cli('subscription', 'create', '--product', 'p', '--id', 'fresh');
  sql("UPDATE subscription_key SET created_us = created_us - 400*86400000000 WHERE subscription_id = 'old'");
  gw.cli('named-value', 'set', 'good', '--secret-stdin', { input: 'kJ8#vn2Lq9!xW4zR7pT1' });
  gw.cli('named-value', 'set', 'twice', '--secret-stdin', { input: 'kJ8#vn2Lq9!xW4zR7pT1' });
  gw.cli('named-value', 'set', 'short', '--secret-stdin', '--rotate-by', '2020-01-01', { input: 'hunter2' });
  gw.cli('named-value', 'set', 'away', '--ref', 'file:/nowhere/at/all');
  gw.cli('policy', 'set', '--scope', 'api:t', gw.file('p.xml', `<policies><inbound><base />
    <authentication-basic username="u" password="literal-secret" />
    <set-header name="A" exists-action="override"><value>Bearer {{good}}</value></set-header>
    <set-header name="B" exists-action="override"><value>{{twice}} {{short}}</value></set-header>
    </inbound><backend><base /></backend><outbound><base /></outbound></policies>`));
  gw.cli('backend', 'set', 'loose', '--url', 'https://a.example', '--verify-tls', 'no');
  gw.cli('backend', 'set', 'tight', '--url', 'https://b.example');
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '5', '-subj', '/CN=soon',
    '-keyout', path.join(gw.dir, 'k'), '-out', path.join(gw.dir, 'c')]);
  gw.cli('certificate', 'set', 'soon', '--file', path.join(gw.dir, 'c'));
  gw.cli('certificate', 'set', 'dated', '--file', path.join(gw.dir, 'c'), '--rotate-by', '2021-05-05');
  gw.cli('credential', 'set', 'erp', '--kind', 'basic', '--set', 'username=u', '--secret-file', `password=${gw.file('pw', 'Zk3!pQ9#vB2@nM7$wX5%')}`, '--rotate-by', '2021-06-06');
  gw.cli('certificate', 'set', 'gone', '--file', path.join(gw.dir, 'c'));
  sql("UPDATE certificate SET expires_us = 1000000 WHERE id = 'gone'");

  const found = rules();
  assert.deepEqual(found, [
    'error backend-unverified: backend loose',
    'error certificate-expired: certificate gone',
    'error document-secret: policy of api:t;rev=1',
    'error rotation-late: certificate dated',
    'error rotation-late: credential default/erp',
    'error rotation-late: named value short',
    'error secret-unreadable: file:/nowhere/at/all',
    'warning backend-plain-http: api t',
    'warning certificate-expires: certificate dated',
    'warning certificate-expires: certificate soon',
    'warning key-old: subscription old, primary key',
    'warning key-old: subscription old, secondary key',
    'warning product-open: product open',
    'warning secret-duplicate: named value twice',
    'warning secret-weak: named value short',
    'warning secret-weak: subscription weak, primary key',
    'note key-unused: subscription old, primary key',
    'note value-unused: named value away',
  ]);
  assert.equal(lint().code, 1);
  gw.cli('certificate', 'delete', 'dated');
  gw.cli('credential', 'delete', 'erp');
  assert.ok(!rules().some((f) => /dated|erp$/.test(f)));
  for (const f of lint().json()) assert.ok(f.mend.length > 10, f.rule);
  const text = gw.cli('lint', { fails: true }).stdout;
  for (const secret of ['hunter2', 'kJ8#', 'literal-secret', 'aaaaaaaa']) assert.ok(!text.includes(secret), secret);

  // the rules are settings
  fs.writeFileSync(path.join(gw.state, 'gatehouse.conf'), 'lint.key_days = 500\nlint.unused_days = 500\nlint.secret_bits = 0\nlint.expiry_days = 1\n');
  const less = rules();
  for (const rule of ['key-old', 'key-unused', 'secret-weak', 'certificate-expires']) assert.ok(!less.some((f) => f.includes(rule)), rule);
  fs.rmSync(gw.dir, { recursive: true, force: true });
});
