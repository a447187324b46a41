// Signing in to portal and dashboard at a real OpenID provider: who gets in and as whom, what follows the claims, and what is
// refused.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { generateKeyPairSync, createSign, randomBytes } = require('node:crypto');
const { start, SERVERS, until } = require('./harness');
const { management, openIdProvider, sql, Visitor } = require('./people');

const SECRET = 'a secret: with/odd characters+ü';
const people = {
  ada: { email: 'ada@corp.example', email_verified: true, given_name: 'Ada', family_name: 'Byron', groups: ['staff', 'erp'] },
  bob: { email: 'bob@corp.example', email_verified: false, given_name: 'Bob' },
  rae: { email: 'rae@example.com', email_verified: true, given_name: 'Rae' },
  eve: { email: 'admin@example.com', email_verified: true, given_name: 'Eve' },
  ops: { email: 'ops@corp.example', email_verified: true, given_name: 'Olga', groups: ['platform'] },
  pat: { email: 'Pat@Example.com', email_verified: true },
  boss: { email: 'boss@corp.example', email_verified: true, groups: ['root'] },
};

let corp, social, gw;

async function up(server) {
  corp = await openIdProvider({ people: structuredClone(people), clients: [{ client_id: 'gatehouse', client_secret: encodeURIComponent(SECRET), redirect_uris: ['http://127.0.0.1/'] }] });
  social = await openIdProvider({ people: structuredClone(people), inToken: true,
    clients: [{ client_id: 'public', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/'] }] });
  gw = await start({
    server, workers: 1,
    setup(g) {
      g.cli('group', 'create', 'erp-developers', '--name', 'ERP');
      g.cli('user', 'create', 'pat@example.com', '--role', 'developer', '--first-name', 'Pat', '--password-file', g.file('pat', 'the password of pat\n'));
      g.cli('user', 'create', 'mal@example.com', '--role', 'developer', '--password-file', g.file('mal', 'the password of mal\n'));
      g.cli('identity-provider', 'create', 'corp', '--issuer', corp.issuer, '--client-id', 'gatehouse', '--name', 'Corporate sign-in', '--for', 'both',
        '--client-secret-file', g.file('secret', `${encodeURIComponent(SECRET)}\n`), '--scopes', 'openid email profile groups',
        '--group', 'erp=erp-developers', '--role', 'platform=operator', '--role', 'root=administrator');
      g.cli('identity-provider', 'create', 'social', '--issuer', social.issuer, '--client-id', 'public', '--name', 'Social');
    },
  });
  for (const [idp, id] of [[corp, 'gatehouse'], [social, 'public']]) {
    const client = await idp.provider.Client.find(id);
    client.redirectUris.push(`${gw.url}/sign-in/callback`, `${gw.url}/admin/sign-in/callback`);
  }
}

async function down() {
  if (gw) await gw.stop();
  for (const idp of [corp, social]) if (idp) await idp.close();
  gw = corp = social = undefined;
}

async function go(idp, who, path, visitor = new Visitor(gw.url)) {
  idp.who = who;
  return visitor.open(path);
}
const groups = (email) => gw.cli('user', 'list', '--search', email, '--format', 'json').json()[0];

for (const server of SERVERS.slice(0, 1)) {   // redirects and cookies behind each: iap.test.js
  test(`behind ${server}`, async (t) => {
    t.after(down);
    await up(server);

    await t.test('the sign-in page offers what is meant for the app', async () => {
      const v = await new Visitor(gw.url).open('/sign-in');
      assert.ok(v.says('Sign in with Corporate sign-in') && v.says('Sign in with Social'));
      await v.open('/admin/sign-in');
      assert.ok(v.says('Sign in with Corporate sign-in') && !v.says('Sign in with Social'));
    });

    await t.test('somebody new gets an account, name and groups by the claims; the way back is kept', async () => {
      const v = await go(corp, 'ada', '/sign-in/with/corp?return=/account');
      assert.strictEqual(v.status, 200, v.html);
      assert.ok(v.says('Your account') && v.says('ada@corp.example') && v.says('Ada Byron'));
      const row = groups('ada@corp.example');
      assert.deepStrictEqual([row.role, row.state, row.firstName], ['developer', 'active', 'Ada']);
      assert.strictEqual(sql(gw, "SELECT count(*) FROM group_member WHERE group_id = 'erp-developers'"), '1');
    });

    await t.test('PKCE, state and nonce are sent, the secret is not in any address', async () => {
      const asked = corp.seen.filter((r) => r.url.startsWith('/auth?')).map((r) => new URL(r.url, corp.issuer).searchParams)[0];
      assert.strictEqual(asked.get('code_challenge_method'), 'S256');
      assert.match(asked.get('state'), /^[0-9a-f]{32}$/);
      assert.match(asked.get('nonce'), /^[0-9a-f]{32}$/);
      const token = corp.seen.find((r) => r.url === '/token');
      assert.match(token.headers.authorization, /^Basic /);
      for (const r of corp.seen) assert.ok(!r.url.includes('secret'));
    });

    await t.test('the second time it is the same account; a group that is gone in the claims is gone here', async () => {
      corp.people.ada.groups = [];
      const v = await go(corp, 'ada', '/sign-in/with/corp');
      assert.ok(v.says('Ada Byron'));
      assert.strictEqual(sql(gw, "SELECT count(*) FROM group_member WHERE group_id = 'erp-developers'"), '0');
      assert.strictEqual(gw.cli('user', 'list', '--search', 'ada@', '--format', 'json').json().length, 1);
    });

    await t.test('a role for the dashboard follows the claims; without it the door stays closed', async () => {
      let v = await go(corp, 'ops', '/admin/sign-in/with/corp?return=/admin/products');
      assert.strictEqual(new URL(v.url).pathname, '/admin/products', v.html);
      assert.strictEqual(groups('ops@corp.example').role, 'operator');
      corp.people.ops.groups = [];
      v = await go(corp, 'ops', '/admin/sign-in/with/corp');
      assert.strictEqual(v.status, 403);
      assert.strictEqual(groups('ops@corp.example').role, 'developer');
      assert.strictEqual((await go(corp, 'ada', '/admin/sign-in/with/corp')).status, 403);
    });

    await t.test('an address that the provider does not vouch for opens and makes nothing', async () => {
      const v = await go(corp, 'bob', '/sign-in/with/corp');
      assert.strictEqual(v.status, 403);
      assert.ok(v.says('does not vouch'));
      assert.strictEqual(gw.cli('user', 'list', '--search', 'bob@', '--format', 'json').json().length, 0);
    });

    await t.test('a verified address links to the account that has it, whatever its case', async () => {
      const v = await go(social, 'pat', '/sign-in/with/social?return=/account');
      assert.ok(v.says('pat@example.com'), v.html);
      assert.strictEqual(gw.cli('user', 'list', '--search', 'pat@', '--format', 'json').json().length, 1);
    });

    await t.test('but a provider for developers links nobody who administers', async () => {
      const v = await go(social, 'eve', '/sign-in/with/social');
      assert.strictEqual(v.status, 403);
      assert.ok(v.says('role in the administration'));
      gw.cli('user', 'create', 'rae@example.com', '--role', 'approver');   // a role that is assigned, not the account's own
      assert.ok((await go(social, 'rae', '/sign-in/with/social')).says('role in the administration'));
    });

    await t.test('a session of the portal opens no dashboard', async () => {
      const v = await go(corp, 'eve', '/sign-in/with/corp');
      const portal = v.cookies.find((c) => c.name === 'gh_portal').value;
      assert.ok(v.says('Sign out'));
      const other = await new Visitor(gw.url).get('/admin/', { headers: {} });
      const forged = await fetch(`${gw.url}/admin/`, { headers: { cookie: `gh_admin=${portal}` }, redirect: 'manual' });
      assert.deepStrictEqual([other.status, forged.status], [303, 303]);
    });

    await t.test('declined at the provider', async () => {
      const v = await go(corp, null, '/sign-in/with/corp');
      assert.strictEqual(v.status, 403);
      assert.ok(v.says('declined'));
    });

    await t.test('answers that belong to no sign-in of this browser', async () => {
      const v = new Visitor(gw.url);
      await v.get('/sign-in/callback?code=x&state=y');
      assert.strictEqual(v.status, 400);
      corp.who = 'ada';
      await v.get('/sign-in/with/corp');
      const state = new URL(v.location).searchParams.get('state');
      for (const query of [`code=x&state=${state.replace(/^./, (c) => (c === '0' ? '1' : '0'))}`, 'code=x', `state=${state}x&code=x`])
        assert.strictEqual((await v.get(`${gw.url}/sign-in/callback?${query}`)).status, 400, query);
      const other = new Visitor(gw.url);
      assert.strictEqual((await other.get(`/sign-in/callback?code=x&state=${state}`)).status, 400);
      await v.get(`${gw.url}/sign-in/callback?code=made-up&state=${state}&iss=${encodeURIComponent(corp.issuer)}`);
      assert.strictEqual(v.status, 502, 'a code that the provider does not know');
      assert.strictEqual((await v.get(`${gw.url}/sign-in/callback?code=made-up&state=${state}`)).status, 400, 'an attempt is good once');
    });

    await t.test('an answer that names another issuer (RFC 9207)', async () => {
      const v = new Visitor(gw.url);
      await v.get('/sign-in/with/corp');
      const state = new URL(v.location).searchParams.get('state');
      for (const iss of [`&iss=${encodeURIComponent('https://evil.example')}`, '']) {
        const w = Object.assign(new Visitor(gw.url), { cookies: [...v.cookies] });
        await w.get(`/sign-in/callback?code=x&state=${state}${iss}`);
        assert.strictEqual(w.status, 403, iss);
      }
    });

    await t.test('linking by hand, and taking it back; the last way in stays', async () => {
      const v = await new Visitor(gw.url).signIn('pat@example.com', 'the password of pat');
      await v.open('/account');
      const link = /href="([^"]*sign-in\/with\/corp\?link=[^"]*)"/.exec(v.html)[1].replaceAll('&amp;', '&');
      corp.people.other = { email: 'other@corp.example', email_verified: true };
      await go(corp, 'other', link, v);
      assert.strictEqual(new URL(v.url).pathname, '/account', v.html);
      const w = await go(corp, 'other', '/sign-in/with/corp?return=/account');
      assert.ok(w.says('pat@example.com'));
      await v.open('/account');
      await v.submit('/account/identities/corp/unlink');
      await v.follow();
      assert.ok(v.says('no longer linked'));
      const a = await go(corp, 'ada', '/sign-in/with/corp?return=/account');
      assert.ok(!a.html.includes('/account/identities/corp/unlink'));
      const csrf = /name="csrf" value="([^"]+)"/.exec(a.html)[1];
      await (await a.send('POST', '/account/identities/corp/unlink', { form: { csrf } })).follow();
      assert.ok(a.says('only way to sign in'));
    });

    await t.test('who owns the address that somebody else wrote into an account takes it over alone: no password, identity, link or session of before', async () => {
      const rest = management(gw, { scopes: ['write'] });
      const mal = await new Visitor(gw.url).signIn('mal@example.com', 'the password of mal');
      await mal.open('/account');
      social.people.mal = { email: 'mal2@corp.example', email_verified: true };
      await go(social, 'mal', /href="([^"]*sign-in\/with\/social\?link=[^"]*)"/.exec(mal.html)[1].replaceAll('&amp;', '&'), mal);
      assert.strictEqual(new URL(mal.url).pathname, '/account', mal.html);
      const { id } = groups('mal@example.com');
      assert.strictEqual((await rest('PATCH', `/users/${id}`, { email: 'boss@corp.example' })).status, 200);
      assert.strictEqual((await new Visitor(gw.url).signIn('boss@corp.example', 'the password of mal')).status, 303, 'until its owner comes');
      const boss = await go(corp, 'boss', '/admin/sign-in/with/corp?return=/admin/users');
      assert.strictEqual(boss.status, 200, boss.html);
      assert.deepStrictEqual([groups('boss@corp.example').role, groups('boss@corp.example').id], ['administrator', id]);
      assert.strictEqual((await new Visitor(gw.url).signIn('boss@corp.example', 'the password of mal')).status, 422);
      assert.strictEqual(new URL((await mal.open('/account')).url).pathname, '/sign-in', 'signed out');
      assert.ok(!(await go(social, 'mal', '/sign-in/with/social?return=/account')).says('boss@corp.example'), 'the other identity');
      assert.strictEqual((await go(corp, 'boss', '/admin/sign-in/with/corp')).status, 200, 'the second time too');
    });

    await t.test('a blocked account stays outside', async () => {
      gw.cli('user', 'set', 'ada@corp.example', '--access', 'blocked');
      const v = await go(corp, 'ada', '/sign-in/with/corp');
      assert.strictEqual(v.status, 403);
      assert.ok(v.says('blocked'));
    });
  });
}

// A provider that lies, one lie a row. Written by hand, as real ones cannot be told to.
test('what a provider says is checked', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const b64 = (v) => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url');
  let lie = {}, nonce;
  const server = http.createServer((req, res) => {
    const url = new URL(req.url, issuer);
    const json = (v, status = 200) => { res.writeHead(status, { 'content-type': 'application/json' }); res.end(JSON.stringify(v)); };
    if (url.pathname === '/.well-known/openid-configuration')
      return json({ issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${issuer}/me` });
    if (url.pathname === '/jwks') return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }] });
    if (url.pathname === '/me') return json({ sub: lie.info || 'mallory', email: 'm@x.example', email_verified: true });
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: 'me', sub: 'mallory', exp: now + 60, iat: now, nonce, email: 'm@x.example', email_verified: true, groups: [], ...lie.claims };
    const head = { alg: 'RS256', kid: 'k', ...lie.header };
    const input = `${b64(head)}.${b64(claims)}`;
    const key = lie.key || privateKey;
    const signature = head.alg === 'none' ? '' : createSign('sha256').update(input).sign(key).toString('base64url');
    return json(lie.token || { access_token: 'at', token_type: 'Bearer', id_token: `${input}.${lie.signature ?? signature}` }, lie.status);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const g = await start({ server: 'nginx', workers: 1, setup: (x) => x.cli('identity-provider', 'create', 'p', '--issuer', issuer, '--client-id', 'me') });
  t.after(async () => { await g.stop(); server.closeAllConnections(); server.close(); });

  async function attempt(what) {
    lie = what;
    const v = new Visitor(g.url);
    await v.get('/sign-in/with/p');
    const asked = new URL(v.location).searchParams;
    nonce = what.nonce ?? asked.get('nonce');
    await v.get(`${g.url}/sign-in/callback?code=c&state=${asked.get('state')}`);
    return v;
  }
  const past = Math.floor(Date.now() / 1000) - 3600;
  const rows = [
    ['the truth', {}, 303],
    ['audience among others, with azp', { claims: { aud: ['me', 'you'], azp: 'me' } }, 303],
    ['another audience', { claims: { aud: 'you' } }, 403],
    ['two audiences and no azp', { claims: { aud: ['me', 'you'] } }, 403],
    ['azp of another', { claims: { azp: 'you' } }, 403],
    ['another issuer', { claims: { iss: 'https://evil.example' } }, 403],
    ['expired', { claims: { exp: past } }, 403],
    ['without expiry', { claims: { exp: undefined } }, 403],
    ['not yet', { claims: { nbf: past + 7200 } }, 403],
    ['another nonce', { nonce: randomBytes(16).toString('hex') }, 403],
    ['no nonce', { claims: { nonce: undefined } }, 403],
    ['no subject', { claims: { sub: '' } }, 403],
    ['another key', { key: stranger.privateKey }, 403],
    ['unsigned', { header: { alg: 'none' } }, 403],
    ['cut', { signature: 'AAAA' }, 403],
    ['HS256 with the public key', { header: { alg: 'HS256' } }, 403],
    ['an unknown key', { header: { kid: 'other' }, key: stranger.privateKey }, 403],
    ['user information of somebody else', { claims: { email: undefined, groups: undefined }, info: 'somebody' }, 403],
    ['no ID token', { token: { access_token: 'x' } }, 403],
    ['an error', { status: 400, token: { error: 'invalid_grant' } }, 502],
    ['an address with a line break', { claims: { sub: 'new', email: 'x\r\nBcc: y@z' } }, 403],
    ['the issuer once more the truth', {}, 303],
  ];
  for (const [label, what, want] of rows)
    await t.test(label, async () => { const v = await attempt(what); assert.strictEqual(v.status, want, v.html); });

  await t.test('a provider that is away', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const v = new Visitor(g.url);
    await until(async () => { await v.get(`${g.url}/sign-in/with/p`); return v.status === 502 || v.status === 303; }, 'an answer');
  });
});

test('a provider that hangs', async (t) => {
  let asked = 0, ended = 0;
  const open = new Set();
  const hole = net.createServer((s) => { asked++; open.add(s); s.on('error', () => {}); s.on('close', () => { ended++; open.delete(s); }); s.resume(); });
  await new Promise((resolve) => hole.listen(0, '127.0.0.1', resolve));
  const PROCESSES = 4;
  const config = { 'portal.workers': PROCESSES, 'web.provider_timeout_s': 60 };
  const g = await start({ server: SERVERS[0], workers: 1, config, setup(x) {
    for (const id of ['hole', 'other'])
      x.cli('identity-provider', 'create', id, '--issuer', `http://127.0.0.1:${hole.address().port}/${id}`, '--client-id', 'me');
  } });
  t.after(async () => { await g.stop(); hole.close(); });
  const askOf = async (id) => { const v = new Visitor(g.url); await v.get(`${g.url}/sign-in/with/${id}`); return v.status; };
  const ask = () => askOf('hole');

  const waiting = Array.from({ length: PROCESSES - 1 }, ask);
  await until(() => asked === PROCESSES - 1, 'all that may to wait for it');
  const page = await new Visitor(g.url).open('/sign-in');
  assert.strictEqual(page.status, 200);
  assert.strictEqual(ended, 0, 'others are served while it hangs');
  assert.deepStrictEqual([await ask(), ended], [502, 0], 'nor does the last process wait for it, and then nobody could be served');
  for (const s of open) s.destroy();
  assert.deepStrictEqual(new Set(await Promise.all(waiting)), new Set([502]));
  assert.strictEqual(asked, PROCESSES - 1, 'one process never waits for it');
  assert.deepStrictEqual(await Promise.all(Array.from({ length: 6 }, ask)), Array(6).fill(502));
  assert.strictEqual(asked, PROCESSES - 1, 'nobody asks again at once');
  const css = async () => /href="([^"]*)gatehouse.css/.exec((await new Visitor(g.url).open('/sign-in')).html)[1];
  fs.writeFileSync(path.join(g.state, 'gatehouse.conf'), 'web.provider_timeout_s = 1\nweb.static_path = /assets/\n');
  g.serve.child.kill('SIGHUP');
  await until(async () => new Set(await Promise.all(Array.from({ length: 8 }, css))).has('/static/') === false, 'all processes with the new settings');
  assert.deepStrictEqual([await askOf('other'), asked], [502, PROCESSES], 'it is waited for no longer than web.provider_timeout_s');
});
