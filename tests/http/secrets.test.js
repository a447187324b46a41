// Secrets that stand elsewhere: a change in a file, an environment or a vault reaches the backend without a restart, an
// outage changes nothing, and no value comes out anywhere.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { start, offline, backend, until, SERVERS } = require('./harness');
const { vault } = require('./vault');

const POLICY = `<policies><inbound><base />
  <set-header name="X-Vault" exists-action="override"><value>{{from-vault}}</value></set-header>
  <set-header name="X-File" exists-action="override"><value>{{from-file}}</value></set-header>
  <set-header name="X-Env" exists-action="override"><value>{{from-env}}</value></set-header>
</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const VALUES = ['vault-value-1', 'vault-value-2', 'vault-value-3', 'file-value-1', 'file-value-2', 'env-value-1', 'root-token'];

describe(`secrets by reference behind ${SERVERS[0]}`, () => {
  let gw, v, things, file;
  const sent = async () => {
    const r = await fetch(`${gw.url}/api/things/things`);
    if (r.status !== 200) return { status: r.status, text: await r.text() };
    return (await r.json()).headers;
  };
  const becomes = (name, value) => until(async () => (await sent())[name] === value, `${name}: ${value}`);
  const secret = (ref) => gw.cli('secret', 'list', '--format', 'json').json().find((s) => s.ref === ref);

  before(async () => {
    things = await backend();
    v = await vault();
    await v.put('kv/erp/prod', { password: 'vault-value-1', other: 7 });
    gw = await start({ server: SERVERS[0], workers: 2, config: { 'vault.address': v.url, 'vault.poll_s': 1 },
      env: { ERP_SECRET: 'env-value-1', VAULT_TOKEN: 'root-token' }, setup(g) {
        file = g.file('erp-secret', 'file-value-1\n');
        g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', 'things', '--name', 'things', '--backend', things.url);
        g.cli('api', 'set', 'things', '--require-key', 'no');
        g.cli('named-value', 'set', 'from-vault', '--ref', 'vault:kv/erp/prod#password');
        g.cli('named-value', 'set', 'from-file', '--ref', `file:${file}`);
        g.cli('named-value', 'set', 'from-env', '--ref', 'env:ERP_SECRET');
      } });
    gw.cli('policy', 'set', '--scope', 'api:things', gw.file('policy.xml', POLICY));
  });
  after(async () => { await gw?.stop(); await v?.close(); await things?.close(); });

  it('gives the backend what stands in the three places', async () => {
    await becomes('x-vault', 'vault-value-1');
    const h = await sent();
    assert.equal(h['x-file'], 'file-value-1');
    assert.equal(h['x-env'], 'env-value-1');
  });

  it('takes over a change in a file and in the vault without a restart', async () => {
    fs.writeFileSync(`${file}.new`, 'file-value-2\n');
    fs.renameSync(`${file}.new`, file);
    await v.put('kv/erp/prod', { password: 'vault-value-2' });
    await becomes('x-file', 'file-value-2');
    await becomes('x-vault', 'vault-value-2');
    assert.equal(secret('vault:kv/erp/prod#password').version, '2');
  });

  it('keeps the last good value while the vault is away, and says so with the name', async () => {
    await v.away();
    await until(() => secret('vault:kv/erp/prod#password').problem, 'the outage');
    assert.equal((await sent())['x-vault'], 'vault-value-2');
    const doctor = gw.cli('doctor', { fails: true }).stdout;
    assert.match(doctor, /warning\s+secrets elsewhere\s+vault:kv\/erp\/prod#password cannot be read: the vault cannot be reached/);
    await v.put('kv/erp/prod', { password: 'vault-value-3' });
    await v.back();
    await becomes('x-vault', 'vault-value-3');
    await until(() => !secret('vault:kv/erp/prod#password').problem, 'the end of the outage');
    assert.match(gw.log('serve'), /a secret cannot be read; its last good value stays.*ref=.?vault:kv/);
    assert.match(gw.log('serve'), /a secret can be read again/);
  });

  it('keeps it when a file goes and when a version is deleted', async () => {
    const kept = fs.readFileSync(file);
    fs.rmSync(file);
    await v.put('kv/erp/prod', null);
    await until(() => secret(`file:${file}`).problem && secret('vault:kv/erp/prod#password').problem, 'both problems');
    assert.match(secret('vault:kv/erp/prod#password').problem, /version 4 of it was deleted/);
    assert.equal((await sent())['x-file'], 'file-value-2');
    assert.equal((await sent())['x-vault'], 'vault-value-3');
    fs.writeFileSync(file, kept);
    await v.put('kv/erp/prod', { password: 'vault-value-3' });
    await until(() => !secret(`file:${file}`).problem && !secret('vault:kv/erp/prod#password').problem, 'both again');
  });

  it('refuses a configuration that names what was never read, and serves the one before', async () => {
    const refused = gw.cli('named-value', 'set', 'from-env', '--ref', 'vault:kv/nothing#x');
    assert.match(refused.stderr, /warning: vault:kv\/nothing#x cannot be read now: the vault has no such secret/);
    await until(() => /nothing could be read from vault:kv\/nothing#x yet/.test(gw.cli('doctor', { fails: true }).stdout), 'the refusal');
    assert.equal((await sent())['x-env'], 'env-value-1');
    gw.cli('named-value', 'set', 'from-env', '--ref', 'env:ERP_SECRET');
    await until(() => gw.cli('doctor', { fails: true }).code === 0, 'health');
  });

  it('reads several fields with one request, and forgets what nobody uses', async () => {
    await v.put('kv/shared', { a: 'A-A-A', b: 'B-B-B' });
    gw.cli('named-value', 'set', 'a', '--ref', 'vault:kv/shared#a');
    gw.cli('named-value', 'set', 'b', '--ref', 'vault:kv/shared#b');
    assert.deepEqual(gw.cli('secret', 'list', '--format', 'json').json().filter((s) => s.ref.startsWith('vault:kv/shared')).map((s) => s.usedBy),
      ['named value a', 'named value b']);
    gw.cli('named-value', 'delete', 'a');
    gw.cli('named-value', 'set', 'b', '--value', 'plain');
    assert.equal(secret('vault:kv/shared#a'), undefined);
    assert.equal(secret('vault:kv/shared#b'), undefined);
    gw.cli('named-value', 'delete', 'b');
  });

  it('shows no value in lists, audit, log, doctor, trace or the store', async () => {
    const token = gw.cli('trace', 'token', '--all').stdout.trim();
    const r = await fetch(`${gw.url}/api/things/things`, { headers: { 'Apim-Debug-Authorization': token } });
    await r.text();
    const trace = gw.cli('trace', 'show', r.headers.get('apim-trace-id')).stdout;
    assert.match(trace, /set-header/);
    const shown = [trace, gw.cli('named-value', 'list').stdout, gw.cli('named-value', 'list', '--format', 'json').stdout,
      gw.cli('secret', 'list').stdout, gw.cli('audit').stdout, gw.cli('doctor').stdout, gw.log('serve'),
      fs.readFileSync(path.join(gw.state, 'config.db'), 'latin1'), fs.readFileSync(path.join(gw.state, 'config.db-wal'), 'latin1')];
    for (const text of shown)
      for (const value of VALUES) assert.ok(!text.includes(value), `${value} in ${text.slice(0, 80)}`);
    const h = await sent();
    assert.ok(VALUES.includes(h['x-vault']) && VALUES.includes(h['x-file']));       // it does go to the backend
  });
});

describe('the vault', () => {
  let gw;
  before(() => { gw = offline(); });
  after(() => fs.rmSync(gw.dir, { recursive: true, force: true }));
  const conf = (lines) => fs.writeFileSync(path.join(gw.state, 'gatehouse.conf'), lines.join('\n'));
  const set = (name, ref, env = {}) => {
    gw.options.env = env;
    return gw.cli('named-value', 'set', name, '--ref', ref);
  };
  const found = (ref) => gw.cli('secret', 'list', '--format', 'json').json().find((s) => s.ref === ref);

  it('is asked with a token from a file, in a namespace, below a mount of several parts', async () => {
    const v = await vault({ token: 'file-token', namespace: 'team' });
    await v.put('team/kv/a b/c', { x: 'one' });
    conf([`vault.address = ${v.url}/`, `vault.token_file = ${gw.file('token', 'file-token\n')}`, 'vault.namespace = team']);
    assert.equal(set('n', 'vault:team/kv//a b/c#x').stderr, '');
    assert.equal(found('vault:team/kv//a b/c#x').hasValue, true);
    assert.equal((await v.state()).seen[0].url, '/v1/team/kv/data/a%20b/c');
    gw.file('token', 'another\n');
    assert.match(set('n', 'vault:team/kv//a b/c#x').stderr, /the vault refuses the token: permission denied/);
    await v.close();
  });

  it('is logged in to by AppRole', async () => {
    const v = await vault({ roles: { 'role-1': 'secret-1' } });
    await v.put('kv/a', { x: 'one' });
    conf([`vault.address = ${v.url}`, 'vault.role_id = role-1', `vault.secret_id_file = ${gw.file('secret-id', 'secret-1\n')}`]);
    assert.equal(set('n', 'vault:kv/a#x').stderr, '');
    assert.equal((await v.state()).logins, 1);
    gw.file('secret-id', 'wrong\n');
    assert.match(set('n', 'vault:kv/a#x').stderr, /refuses the log-in by AppRole \(400\): invalid role or secret ID/);
    await v.close();
  });

  it('is reached over TLS, by an authority of its own and under its own name', async () => {
    const file = (name) => path.join(gw.dir, name);
    const made = (name, alt) => {
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
        '-addext', `subjectAltName=${alt}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)], { stdio: 'pipe' });
      return { key: fs.readFileSync(file(`${name}.key`), 'utf8'), cert: fs.readFileSync(file(`${name}.pem`), 'utf8') };
    };
    const env = { VAULT_TOKEN: 'root-token' };
    const v = await vault({ tls: made('vault', 'IP:127.0.0.1') }), elsewhere = await vault({ tls: made('elsewhere', 'DNS:vault.example') });
    for (const x of [v, elsewhere]) await x.put('kv/a', { x: 'one' });
    conf([`vault.address = ${v.url}`, `vault.ca_file = ${file('vault.pem')}`]);
    assert.equal(set('n', 'vault:kv/a#x', env).stderr, '');
    assert.equal(found('vault:kv/a#x').hasValue, true);
    conf([`vault.address = ${v.url}`]);
    assert.equal(set('n', 'vault:kv/a#x', { ...env, VAULT_CACERT: file('vault.pem') }).stderr, '', 'as the vault\'s own tools are told');
    const before = (await v.state()).seen.length;
    for (const lines of [[`vault.address = ${v.url}`], [`vault.address = ${v.url}`, `vault.ca_file = ${file('elsewhere.pem')}`]]) {
      conf(lines);
      assert.match(set('n', 'vault:kv/a#x', env).stderr, /the vault cannot be reached: .*certificate/i);
    }
    conf([`vault.address = ${elsewhere.url}`, `vault.ca_file = ${file('elsewhere.pem')}`]);
    assert.match(set('n', 'vault:kv/a#x', env).stderr, /the vault cannot be reached: .*(certificate|subject|name)/i, 'a certificate of another host');
    assert.equal((await v.state()).seen.length, before);
    assert.equal((await elsewhere.state()).seen.length, 0, 'no token was shown to it');
    for (const x of [v, elsewhere]) await x.close();
  });

  it('says what is wrong: sealed, no field, no token, no address, no answer in time', async () => {
    const v = await vault();
    await v.put('kv/a', { x: 'one', n: 12, o: { p: 1 } });
    conf([`vault.address = ${v.url}`]);
    const env = { VAULT_TOKEN: 'root-token' };
    assert.match(set('n', 'vault:kv/a#y', env).stderr, /the secret has no field 'y'/);
    assert.equal(set('n', 'vault:kv/a#o', env).stderr, '');
    assert.match(set('n', 'vault:kv/a#x').stderr, /there is no token for the vault/);
    await v.set('sealed', true);
    assert.match(set('n', 'vault:kv/a#x', env).stderr, /sealed/);
    conf([]);
    assert.match(set('n', 'vault:kv/a#x', env).stderr, /no vault is configured: set vault\.address/);
    const deaf = net.createServer(() => {});         // takes the connection and says nothing: this process is waiting
    await new Promise((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    conf([`vault.address = http://127.0.0.1:${deaf.address().port}`, 'vault.timeout_ms = 200']);
    assert.match(set('n', 'vault:kv/a#x', env).stderr, /the vault cannot be reached: .*timed? ?out/i);
    deaf.close();
    await v.close();
  });

  it('refuses what is no reference', () => {
    for (const ref of ['hunter2', 'env:', 'vault:kv/a', 'file:relative'])
      assert.match(gw.cli('named-value', 'set', 'n', '--ref', ref, { fails: true }).stderr, /is no reference to a secret/);
    assert.equal(gw.cli('named-value', 'set', 'n', '--secret', '--value', 'x', { fails: true }).code, 2);
    assert.equal(gw.cli('named-value', 'set', 'n', '--ref', 'env:A', '--secret-stdin', { fails: true }).code, 2);
  });

  it('takes a secret from standard input and keeps it one', () => {
    gw.cli('named-value', 'set', 'in', '--secret-stdin', '--rotate-by', '2020-01-31', { input: 'typed-secret\n' });
    gw.cli('named-value', 'set', 'in', '--file', gw.file('v', 'typed-secret-2'));
    const row = gw.cli('named-value', 'list', '--format', 'json').json().find((n) => n.name === 'in');
    assert.equal(row.secret, true);
    assert.equal(row.value, null);
    assert.equal(row.rotateBy, '2020-01-31T00:00:00Z');
    assert.match(gw.cli('doctor', { fails: true }).stdout, /named value 'in' was to be replaced by 2020-01-31/);
    assert.ok(!fs.readFileSync(path.join(gw.state, 'config.db'), 'latin1').includes('typed-secret'));
  });
});
