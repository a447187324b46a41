// Secrets that are replaced by a program: at an OpenID provider (RFC 7592), by a described request, by the vault; and the
// vault's own token, which is prolonged before it ends.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const http = require('node:http');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { start, backend, until } = require('./harness');
const { vault } = require('./vault');
const { Visitor, management } = require('./people');

const quietly = (f) => {
  const { warn, info } = console;
  console.warn = console.info = () => {};
  try { return f(); } finally { Object.assign(console, { warn, info }); }
};
const loaded = quietly(() => require('oidc-provider'));
const Provider = loaded.Provider || loaded.default || loaded;
const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' }, paths: { '/things': { get: { operationId: 'l', responses: { 200: { description: 'ok' } } } } } });

// oidc-provider with dynamic registration whose policy gives a new client secret with each update, as RFC 7592 allows.
async function openId() {
  const p = { kept: false };
  const server = http.createServer((req, res) => p.callback(req, res));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  p.issuer = `http://127.0.0.1:${server.address().port}`;
  p.provider = quietly(() => new Provider(p.issuer, {
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true },
      registration: { enabled: true, initialAccessToken: true, policies: { fresh: (ctx, properties) => {
        if (ctx.method === 'PUT' && !p.kept) properties.client_secret = crypto.randomBytes(24).toString('hex');
      } } },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: true } },
  }));
  p.callback = p.provider.callback();
  const iat = await new p.provider.InitialAccessToken({ policies: ['fresh'] }).save();
  const r = await fetch(`${p.issuer}/reg`, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${iat}` },
    body: JSON.stringify({ grant_types: ['client_credentials'], redirect_uris: [], response_types: [], client_name: 'Gateway' }) });
  p.client = await r.json();
  assert.equal(r.status, 201, JSON.stringify(p.client));
  p.secret = async () => (await p.provider.Client.find(p.client.client_id)).clientSecret;
  p.close = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  return p;
}

describe('rotation', () => {
  let gw, back, idp, maker, v, made;
  const secrets = { accepted: ['first-secret-of-erp'] };
  const call = (api) => fetch(`${gw.url}/api/${api}/things`).then(async (r) => ({ status: r.status, text: await r.text() }));
  const shown = (id) => gw.cli('credential', 'show', id).stdout;
  const rotated = (id) => !/rotated +never/.test(shown(id));
  const forget = () => gw.cli('token', 'purge');

  before(async () => {
    back = await backend((req, res) => res.end('{}'));
    idp = await openId();
    // a token endpoint that takes the secrets of a list, and an address that makes new ones, as Microsoft Graph's addPassword
    made = [];
    maker = await backend((req, res, body) => {
      made.push({ url: req.url, headers: req.headers, body: body.toString() });
      if (req.url === '/token') {
        const [, given] = Buffer.from((req.headers.authorization || '').slice(6), 'base64').toString().split(':').map(decodeURIComponent);
        const good = secrets.accepted.includes(given);
        res.writeHead(good ? 200 : 401, { 'Content-Type': 'application/json' });
        return res.end(JSON.stringify(good ? { access_token: `t-${given}`, token_type: 'Bearer', expires_in: 3600 } : { error: 'invalid_client' }));
      }
      if (req.url === '/broken') { res.writeHead(500); return res.end('no secret-word here'); }
      secrets.next = `made-${made.length}-secret-of-erp`;
      if (secrets.at === 'once') secrets.accepted.push(secrets.next);
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify({ keyId: 'k', items: [{ secretText: secrets.next }] }));
    });
    v = await vault({ token: 'vault-token-1' });
    await v.put('kv/erp', { password: 'unused' });
    await v.set('tokenLife', 4);
    await v.set('tokenGraceMs', 120000);       // a keeper that a busy machine holds up is not too late
    await v.set('tokenEnds', Date.now() + 60000);
    gw = await start({ server: 'nginx', env: { VAULT_TOKEN: 'vault-token-1' }, config: { 'vault.address': v.url, 'vault.poll_s': 3600 }, setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      const api = (id, ...args) => {
        g.cli('credential', 'set', id, ...args);
        g.cli('import', 'openapi', g.file(`${id}.json`, SPEC), '--path', id, '--name', id, '--backend', back.url, '--product', 'open');
        g.cli('backend', 'set', id, '--url', back.url, '--credential', id);
        g.cli('api', 'set', id, '--backend-id', id);
      };
      const secret = (name, value) => ['--secret-file', `${name}=${g.file(`s-${crypto.randomUUID()}`, value)}`];
      api('oidc', '--kind', 'client-credentials', '--set', `token-url=${idp.issuer}/token`, '--set', `client-id=${idp.client.client_id}`,
        '--set', 'rotate=rfc7592', '--set', `rotate-url=${idp.client.registration_client_uri}`,
        ...secret('client-secret', idp.client.client_secret), ...secret('rotate-token', idp.client.registration_access_token));
      api('graph', '--kind', 'client-credentials', '--set', `token-url=${maker.url}/token`, '--set', 'client-id=app-1', '--set', 'rotate=http',
        '--set', `rotate-url=${maker.url}/addPassword`, '--set', 'rotate-auth=own', '--set', 'rotate-scope=graph/.default',
        '--set', 'rotate-body={"passwordCredential":{"displayName":"{{client-id}}","endDateTime":"{{until}}"}}',
        '--set', 'rotate-path=$.items[0].secretText', ...secret('client-secret', secrets.accepted[0]));
      g.cli('credential', 'set', 'byhand', '--kind', 'api-key', ...secret('value', 'k-456'));
      g.cli('named-value', 'set', 'erp-password', '--file', g.file('erp-password', 'x'), '--rotate-by', '2020-01-31');
      api('db', '--kind', 'basic', '--set', 'username=erp', '--set', 'rotate=vault', '--set', 'rotate-vault=database/rotate-role/erp',
        '--secret-ref', 'password=vault-engine:database/static-creds/erp#password');
    } });
  });
  after(async () => {
    await gw?.stop();
    await Promise.all([back, idp, maker, v].map((x) => x?.close()));
  });

  it('RFC 7592: the provider makes another secret, it is tried, and calls go on with it; the registration token follows', async () => {
    assert.equal((await call('oidc')).status, 200);
    const first = await idp.secret();
    for (let i = 0; i < 2; i++) {       // twice: the second time with the registration token that the first time gave
      const before = await idp.secret();
      gw.cli('credential', 'rotate', 'oidc');
      await until(async () => (await idp.secret()) !== before && !/rotation problem/.test(shown('oidc')) && rotated('oidc'), 'another secret');
      await until(async () => {
        forget();
        const r = await call('oidc');
        return r.status === 200;
      }, 'a call with the new secret');
    }
    assert.notEqual(await idp.secret(), first);
    const all = shown('oidc') + gw.cli('doctor', { fails: true }).stdout + gw.log('serve');
    for (const secret of [first, await idp.secret(), idp.client.registration_access_token]) assert.ok(!all.includes(secret));
  });

  it('the dashboard asks for a new secret, shows what came of it, and keeps the dates of what a person replaces', async () => {
    const admin = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
    const row = (name) => admin.html.split('id="rotations-title"')[1].split('<tr>').find((r) => r.includes(`<td class="main">${name}<br>`) || r.includes(`<code>${name}</code>`));
    await admin.open('/admin/credentials');
    assert.match(row('oidc'), /The provider \(RFC 7592\).*/s);
    assert.match(row('db'), /The vault/);
    assert.ok(/A person/.test(row('byhand')) && !/Replace now/.test(row('byhand')), row('byhand'));
    assert.match(row('erp-password'), /2020-01-31.*Overdue/s);
    const before = await idp.secret();
    await admin.submit('/admin/credentials/default/oidc/rotate');
    assert.ok((await admin.follow()).says('The keeper asks for a new secret now'), admin.html);
    await until(async () => (await idp.secret()) !== before, 'another secret');
    await until(async () => { await admin.open('/admin/credentials'); return !/Asked for|Failed/.test(row('oidc')) && !/Never/.test(row('oidc')); }, 'the page to say so');
    assert.ok(!admin.html.includes(await idp.secret()));
    await admin.submit('/admin/credentials/default/byhand/remind', { by: '2020-02-29' });
    assert.ok((await admin.follow()).says('reminded to replace the secret of byhand by 2020-02-29'));
    assert.match(row('byhand'), /value="2020-02-29"/);
    assert.match(row('byhand'), /Overdue/);
    assert.match(gw.cli('doctor', { fails: true }).stdout, /credential 'default.byhand' was to be replaced/);
    await admin.submit('/admin/credentials/default/byhand/remind', { by: 'soon' });
    assert.ok((await admin.follow()).says('This is no date') && /2020-02-29/.test(row('byhand')));
    await admin.submit('/admin/credentials/default/byhand/remind', { by: '' });
    assert.ok((await admin.follow()).says('The reminder is taken away') && !/Overdue/.test(row('byhand')));
    const csrf = admin.form('/credentials/default/oidc/rotate').csrf;
    await admin.send('POST', '/admin/credentials/default/byhand/rotate', { form: { csrf } });
    assert.ok((await admin.follow()).says('Nothing replaces the secret of byhand by itself'));
    await admin.send('POST', '/admin/credentials/default/nothing/remind', { form: { csrf, by: '2030-01-01' } });
    assert.equal(admin.status, 404);
    const rest = management(gw, { scopes: ['write:credentials'] }), ask = async (id, query = '') => (await rest('POST', `/credentials/default/${id}/rotate${query}`)).status;
    const state = async () => (await rest('GET', '/credential-states')).body.items.find((c) => c.id === 'oidc');
    const was = await idp.secret();
    assert.deepEqual([await ask('byhand'), await ask('nothing'), await ask('oidc', '?dry-run=true'), (await state()).rotationWanted], [409, 404, 200, false]);
    assert.equal(await ask('oidc'), 200);
    await until(async () => (await idp.secret()) !== was, 'another secret, asked for by a program');
    await until(async () => !(await state()).rotationWanted, 'it to be told');
    assert.deepEqual([(await state()).replacedBy, (await state()).rotationProblem], ['The provider (RFC 7592)', null]);
  });

  it('a provider that keeps the secret is told of, in doctor too, and nothing changes', async () => {
    idp.kept = true;
    const before = await idp.secret();
    gw.cli('credential', 'rotate', 'oidc');
    await until(() => /rotation problem +the provider has kept the secret that there was/.test(shown('oidc')), 'the problem');
    assert.match(gw.cli('doctor', { fails: true }).stdout, /credential default\/oidc: the provider has kept the secret/);
    assert.equal(await idp.secret(), before);
    forget();
    const r = await call('oidc');
    assert.equal(r.status, 200, `${r.text}\n${gw.log('serve').slice(-3000)}`);
    idp.kept = false;
  });

  it('a described request: the old secret goes on until the new one has worked, and nothing is asked for twice meanwhile', async () => {
    assert.equal((await call('graph')).status, 200);
    secrets.at = 'later';
    gw.cli('credential', 'rotate', 'graph');
    await until(() => /rotation problem +the new secret does not work yet and the old one goes on/.test(shown('graph')), 'the try');
    const asked = made.filter((m) => m.url === '/addPassword');
    assert.equal(asked.length, 1);
    assert.equal(asked[0].headers.authorization, 'Bearer t-first-secret-of-erp');
    const sent = JSON.parse(asked[0].body).passwordCredential;
    assert.equal(sent.displayName, 'app-1');
    assert.ok(Math.abs(Date.parse(sent.endDateTime) - Date.now() - 60 * 86400000) < 3600000);
    forget();
    assert.equal((await call('graph')).status, 200);
    assert.match(back.seen.at(-1).headers.authorization, /first-secret/);
    secrets.accepted = [secrets.next];       // it has got around at the provider
    gw.cli('credential', 'rotate', 'graph');
    await until(() => rotated('graph'), 'the new secret');
    await until(async () => { forget(); await call('graph'); return back.seen.at(-1).headers.authorization === `Bearer t-${secrets.next}`; }, 'its use');
    assert.equal(made.filter((m) => m.url === '/addPassword').length, 1);
    const trail = spawnSync('sqlite3', ['-cmd', '.timeout 10000', path.join(gw.state, 'config.db'),
      "SELECT group_concat(action || ' ' || actor, ', ') FROM (SELECT action, actor FROM audit_entry WHERE kind = 'rotation of credential' AND object_id = 'default/graph' ORDER BY seq)"], { encoding: 'utf8' });
    assert.match(trail.stdout, /^ask cli:\w+, receive keeper, fail keeper, ask cli:\w+, rotate keeper\n$/);
  });

  it('it comes by itself when its date has come, and what fails is tried again', async () => {
    secrets.at = 'once';
    gw.cli('credential', 'set', 'graph', '--set', `rotate-url=${maker.url}/broken`);
    const age = (days) => {
      const r = spawnSync('sqlite3', ['-cmd', '.timeout 10000', path.join(gw.state, 'config.db'),
        `UPDATE credential_rotation SET rotated_us = rotated_us - ${days} * 86400000000, tried_us = 0 WHERE credential_id = 'graph'`], { encoding: 'utf8' });
      assert.equal(r.status, 0, r.stderr);
    };
    age(29);
    const before = made.length;
    await until(() => gw.cli('credential', 'show', 'oidc').stdout, 'a moment');
    age(2);
    await until(() => /rotation problem +POST http\S+\/broken answered 500/.test(shown('graph')), 'the failure');
    assert.equal(made.filter((m) => m.url === '/broken').length, 1);
    assert.ok(made.length > before && !shown('graph').includes('secret-word'));
    gw.cli('credential', 'set', 'graph', '--set', `rotate-url=${maker.url}/addPassword`);
    gw.cli('credential', 'rotate', 'graph');
    await until(() => !/rotation problem/.test(shown('graph')), 'the new secret');
    await until(async () => { forget(); await call('graph'); return back.seen.at(-1).headers.authorization === `Bearer t-${secrets.next}`; }, 'its use');
  });

  it('the vault rotates where the secret is a reference to an engine of it', async () => {
    const password = async () => { await call('db'); return Buffer.from(back.seen.at(-1).headers.authorization.slice(6), 'base64').toString(); };
    await until(async () => (await password()) === 'erp:made-by-vault-0', 'the first password');
    gw.cli('credential', 'rotate', 'db');
    await until(async () => (await password()) === 'erp:made-by-vault-1', 'the next password');
    assert.equal((await v.state()).rotations, 1);
    assert.ok(rotated('db'));
  });

  it('the token of the vault is prolonged before it ends', async () => {
    await until(async () => (await v.state()).renewals >= 2, 'two renewals');
    await v.set('renewable', false);
    await until(() => gw.log('serve').includes("the vault's token cannot be prolonged"), 'the warning');
  });

  it('what does not fit together is refused with the reason', () => {
    const bad = (...args) => gw.cli('credential', 'set', 'bad', ...args, { fails: true }).stderr;
    const client = ['--kind', 'client-credentials', '--set', 'token-url=http://x.example/t', '--set', 'client-id=a', '--secret-file', `client-secret=${gw.file('cs', 'some-secret')}`];
    assert.match(bad(...client, '--set', 'rotate=rfc7592'), /rotate-url is missing/);
    assert.match(bad(...client, '--set', 'rotate=rfc7592', '--set', 'rotate-url=http://x.example/r'), /rotate-token is missing: the registration access token/);
    assert.match(bad(...client, '--set', 'rotate=http', '--set', 'rotate-url=http://x.example/r'), /rotate-path is missing/);
    assert.match(bad(...client, '--set', 'rotate=vault', '--set', 'rotate-vault=a/b'), /a secret that is a reference to the vault/);
    assert.match(bad(...client, '--set', 'rotate=vault'), /rotate-vault is missing/);
    assert.match(gw.cli('credential', 'rotate', 'nope', { fails: true }).stderr, /no credential 'nope'/);
  });
});
