// The first 401 does not ruin the weekend: tokens of an OpenID provider at the gateway, identity for the backend, and a record
// that says which layer refused and why.
//
// The provider is oidc-provider, set by its issuer URL alone. Broken tokens are signed with its own key. Each line of the
// story is one test.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { start, backend, until, SERVERS } = require('../http/harness');
const { Signer, b64, now } = require('../http/tokens');
const { tokenEndpoint } = require('../http/token-endpoint');
const { Visitor } = require('../http/people');

const quietly = (f) => {      // the provider tells that its keys and store are for tests only
  const { warn, info } = console;
  console.warn = console.info = () => {};
  try { return f(); } finally { Object.assign(console, { warn, info }); }
};
const loaded = quietly(() => require('oidc-provider'));
const Provider = loaded.Provider || loaded.default || loaded;

const AUDIENCE = 'urn:orders';
const PASSWORD = 'a sentence that nobody guesses';
const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/orders': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });

// A real provider whose keys can be changed; counts requests by path.
async function openId(signer) {
  const idp = { hits: {}, current: null };
  const server = http.createServer((req, res) => {
    idp.hits[req.url] = (idp.hits[req.url] || 0) + 1;
    return idp.current(req, res);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  idp.issuer = `http://127.0.0.1:${server.address().port}`;
  idp.use = (key) => quietly(() => {
    const provider = new Provider(idp.issuer, {
      jwks: { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: key.kid, alg: key.alg, use: 'sig' }] },
      clients: [{ client_id: 'planning', client_secret: 'planning-secret-0123456789', grant_types: ['client_credentials'], redirect_uris: [],
        response_types: [], scope: 'orders.read' }],
      scopes: ['orders.read'],
      extraTokenClaims: () => ({ tenant: 'north', preferred_username: 'planning system' }),
      features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true },
        resourceIndicators: { enabled: true, defaultResource: () => AUDIENCE, useGrantedResource: () => true,
          getResourceServerInfo: () => ({ scope: 'orders.read', audience: AUDIENCE, accessTokenTTL: 300, accessTokenFormat: 'jwt',
            jwt: { sign: { alg: key.alg } } }) } },
    });
    idp.current = provider.callback();
  });
  idp.use(signer);
  idp.token = async () => {
    const r = await fetch(`${idp.issuer}/token`, { method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from('planning:planning-secret-0123456789').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders.read' }) });
    const body = await r.json();
    assert.ok(body.access_token, JSON.stringify(body));
    return body.access_token;
  };
  idp.keyFetches = () => idp.hits['/jwks'] || 0;
  idp.close = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  return idp;
}

for (const server of SERVERS) describe(`A4 behind ${server}`, () => {
  const first = new Signer('2026-a'), second = new Signer('2026-b');
  let gw, mule, idp, secure, wrong, tokens, dir, vaultFile, mine;
  const openssl = (...args) => {
    const r = spawnSync('openssl', args, { encoding: 'utf8', cwd: dir });
    assert.equal(r.status, 0, r.stderr);
  };
  const read = (name) => fs.readFileSync(path.join(dir, name));

  const call = async (token, { api = 'orders', headers = {} } = {}) => {
    const r = await fetch(`${gw.url}/api/${api}/orders`, { headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers } });
    const text = await r.text();
    return { status: r.status, text, id: r.headers.get('x-request-id'), challenge: r.headers.get('www-authenticate'),
      reason: (() => { try { return JSON.parse(text).reason; } catch { return undefined; } })() };
  };
  const record = (...args) => until(() => {
    const out = gw.cli('log', '--format', 'json', ...args).stdout.trim();
    return out && out.split('\n').map((l) => JSON.parse(l));
  }, 'the record');
  const claims = (more) => ({ iss: idp.issuer, aud: AUDIENCE, sub: 'planning', client_id: 'planning', exp: now() + 300, scope: 'orders.read', jti: crypto.randomUUID(), ...more });

  before(async () => {
    dir = fs.mkdtempSync('/tmp/gatehouse-a4-');
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const authority = (name) => openssl('req', '-x509', ...curve, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2');
    const leaf = (name, ca) => {
      fs.writeFileSync(path.join(dir, `${name}.ext`), 'subjectAltName=IP:127.0.0.1');
      openssl('req', ...curve, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-out', `${name}.pem`, '-days', '2', '-extfile', `${name}.ext`);
    };
    authority('house');
    authority('strangers');
    leaf('mule', 'house');
    leaf('impostor', 'strangers');
    leaf('gateway', 'house');
    const listen = async (name) => {
      const seen = [];
      const s = https.createServer({ key: read(`${name}.key`), cert: read(`${name}.pem`), ca: read('house.pem'), requestCert: true, rejectUnauthorized: true },
        (req, res) => { seen.push({ headers: req.headers, subject: req.socket.getPeerCertificate().subject?.CN }); res.end('{}'); });
      await new Promise((resolve) => s.listen(0, '127.0.0.1', resolve));
      s.unref();
      return { seen, url: `https://127.0.0.1:${s.address().port}`, close: () => new Promise((r) => { s.closeAllConnections(); s.close(r); }) };
    };
    secure = await listen('mule');
    wrong = await listen('impostor');
    mule = await backend((req, res) => {
      res.setHeader('X-Correlation-Id', 'mule-77');
      res.setHeader('Content-Type', 'application/json');
      res.end('{}');
    });
    idp = await openId(first);
    tokens = await tokenEndpoint({ secret: '' });     // takes any secret, and tells which
    vaultFile = path.join(dir, 'backend-secret');
    fs.writeFileSync(vaultFile, 'first-secret-of-the-mes');
    gw = await start({ server, workers: 2, setup(g) {
      const api = (id, url, ...more) => g.cli('import', 'openapi', g.file('orders.json', DESCRIPTION), '--path', id, '--name', id, '--backend', url, ...more);
      g.cli('product', 'create', 'open', '--require-key', 'no');
      api('orders', mule.url);
      g.cli('access', 'set', '--api', 'orders', '--file', g.file('rule.yaml', `anyOf: [ { method: jwt, issuer: '${idp.issuer}', audience: '${AUDIENCE}', scope: orders.read, leeway: 5 } ]
identity: { headers: { X-Consumer-Id: id, X-Consumer-Username: username, X-Consumer-Groups: groups, X-Tenant: "claim:tenant" } }
`));
      g.cli('certificate', 'set', 'house', '--file', path.join(dir, 'house.pem'), '--authority');
      g.cli('certificate', 'set', 'gateway', '--file', path.join(dir, 'gateway.pem'), '--key-file', path.join(dir, 'gateway.key'));
      for (const [id, url] of [['secure', secure.url], ['wrong', wrong.url]]) {
        api(id, url, '--product', 'open');
        g.cli('backend', 'set', id, '--url', url, '--ca', 'house', '--client-certificate', 'gateway');
        g.cli('api', 'set', id, '--backend-id', id);
      }
      g.cli('credential', 'set', 'erp', '--kind', 'client-credentials', '--set', `token-url=${tokens.url}`, '--set', 'client-id=mes',
        '--secret-ref', `client-secret=file:${vaultFile}`);
      api('erp', mule.url, '--product', 'open');
      g.cli('backend', 'set', 'erp', '--url', mule.url, '--credential', 'erp');
      g.cli('api', 'set', 'erp', '--backend-id', 'erp');
      g.cli('product', 'create', 'gold');
      api('sold', mule.url, '--product', 'gold');
      g.cli('policy', 'set', '--scope', 'api:sold', g.file('sold.xml', `<policies><inbound><base />
        <validate-jwt header-name="X-Token"><openid-config url="${idp.issuer}/.well-known/openid-configuration" />
          <audiences><audience>${AUDIENCE}</audience></audiences></validate-jwt></inbound>
        <backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
      for (const who of ['ann', 'bob'])
        g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--password-file', g.file(who, `${PASSWORD}\n`));
      mine = g.cli('subscription', 'create', '--product', 'gold', '--user', 'ann@example.com', '--id', 'ann-gold', '--format', 'json').json();
    } });
  });
  after(async () => {
    await gw?.stop();
    await Promise.all([mule, idp, secure, wrong, tokens].map((b) => b?.close()));
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('a good token of the provider, known by its issuer alone: the backend learns who calls, copies of the client are dropped', async () => {
    const r = await call(await idp.token(), { headers: { 'X-Consumer-Id': 'root', 'X-Consumer-Groups': 'admins', 'X-Tenant': 'south' } });
    assert.equal(r.status, 200, r.text);
    const h = mule.seen.at(-1).headers;
    assert.deepEqual([h['x-consumer-id'], h['x-consumer-username'], h['x-tenant'], h['x-consumer-groups']], ['planning', 'planning system', 'north', undefined]);
  });

  it('five 401 and one 403, each with its reason, its challenge, its record, and no call of the backend', async () => {
    const rows = [
      [first.token(claims({ exp: now() - 60 })), 401, 'token_expired', /check="exp" expected="later than .+" got="20/],
      [first.token(claims({ aud: 'urn:billing' })), 401, 'token_audience', /expected="urn:orders" got="urn:billing"/],
      [first.token(claims({ iss: 'https://evil.example' })), 401, 'token_issuer', /expected="http.+" got="https:\/\/evil\.example"/],
      [second.token(claims()), 401, 'token_key_unknown', /check="kid" .*got="2026-b"/],
      [first.token(claims({ nbf: now() + 1200 })), 401, 'token_not_yet', /check="nbf" expected="not later than/],
      [first.token(claims({ scope: 'orders.list' })), 403, 'token_scope', /expected="orders\.read" got="orders\.list".* missing="orders\.read"/],
    ];
    const before = mule.seen.length;
    for (const [token, status, reason, detail] of rows) {
      const r = await call(token);
      assert.deepEqual([r.status, r.reason], [status, reason]);
      assert.match(r.challenge, status === 403 ? /^Bearer .*error="insufficient_scope".*scope="orders\.read"/ : /^Bearer .*error="invalid_token"/);
      // the request id opens the record: layer, check, compared values, the fix; never the token
      await record('--id', r.id);
      const text = gw.cli('log', '--id', r.id).stdout;
      assert.match(text, /layer +access/);
      assert.match(text, new RegExp(`reason +${reason}`));
      assert.match(text, detail);
      assert.match(text, /fix +\w/);
      assert.ok(!text.includes(token.split('.')[1]) && !text.includes(token.split('.')[2]));
    }
    assert.equal(mule.seen.length, before);
  });

  it('a new key at the provider works with the next call and costs one fetch; a flood of unknown keys costs none', async () => {
    // The floor of a minute has been used up by the unknown key above: another installation of the same provider has not.
    const other = await start({ server, workers: 2, setup(g) {
      g.cli('import', 'openapi', g.file('orders.json', DESCRIPTION), '--path', 'orders', '--name', 'orders', '--backend', mule.url);
      g.cli('access', 'set', '--api', 'orders', `jwt(issuer=${idp.issuer}, audience=${AUDIENCE})`);
    } });
    const ask = (token) => fetch(`${other.url}/api/orders/orders`, { headers: { Authorization: `Bearer ${token}` } }).then(async (r) => { await r.arrayBuffer(); return r.status; });
    try {
      for (let i = 0; i < 6; i++) assert.equal(await ask(await idp.token()), 200);
      const fetched = idp.keyFetches();
      idp.use(second);
      const fresh = await Promise.all(Array.from({ length: 8 }, () => idp.token()));
      assert.deepEqual(await Promise.all(fresh.map(ask)), fresh.map(() => 200));
      assert.equal(idp.keyFetches(), fetched + 1);
      const stranger = new Signer('x');
      const flood = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(stranger.token(claims(), { kid: `made-up-${i}` }))));
      assert.ok(flood.every((s) => s === 401));
      assert.equal(idp.keyFetches(), fetched + 1);
    } finally {
      await other.stop();
      idp.use(first);
    }
  });

  it('a consumer opens the trace of his own refused call in the portal, with the check and what was compared; another does not', async () => {
    const ann = await (await new Visitor(gw.url).signIn('ann@example.com', PASSWORD)).follow();
    await ann.open('/account/traces');
    await ann.submit('/account/traces', { subscription: mine.id });
    const credential = /id="token">([^<]+)</.exec(ann.html)[1], token = first.token(claims({ aud: 'urn:billing' }));
    const r = await fetch(`${gw.url}/api/sold/orders`, { headers: { 'Ocp-Apim-Subscription-Key': mine.primaryKey, 'X-Token': token,
      'Apim-Debug-Authorization': credential } });
    assert.equal(r.status, 401, await r.text());
    const id = r.headers.get('apim-trace-id');
    await until(async () => { await ann.open('/account/traces'); return ann.html.includes(`/account/traces/${id}`); }, 'the list');
    await ann.open(`/account/traces/${id}`);
    assert.equal(ann.status, 200);
    assert.ok(ann.says('validate-jwt') && ann.says('Audience is not allowed'), ann.html);
    for (const part of [...token.split('.').slice(1), mine.primaryKey]) assert.ok(!ann.html.includes(part));
    const bob = await (await new Visitor(gw.url).signIn('bob@example.com', PASSWORD)).follow();
    await bob.open(`/account/traces/${id}`);
    assert.equal(bob.status, 404);
  });

  it('the id that the backend gave finds our call, and traceparent continued the trace of the caller', async () => {
    const trace = crypto.randomBytes(16).toString('hex');
    const r = await call(await idp.token(), { headers: { traceparent: `00-${trace}-${crypto.randomBytes(8).toString('hex')}-01` } });
    assert.equal(r.status, 200);
    assert.match(mule.seen.at(-1).headers.traceparent, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    const [byTrace] = await record('--trace-id', trace);
    assert.equal(byTrace.request_id ?? byTrace.requestId, r.id);
    assert.ok((await record('--correlation', 'mule-77')).some((row) => (row.request_id ?? row.requestId) === r.id));
    assert.equal(gw.cli('log', '--correlation', 'mule-78', '--format', 'json').stdout, '');
  });

  it('the backend is reached over mutual TLS; to one with a wrong certificate nothing is sent', async () => {
    const good = await call(null, { api: 'secure' });
    assert.equal(good.status, 200, good.text);
    assert.equal(secure.seen.at(-1).subject, 'gateway');
    const bad = await call(null, { api: 'wrong' });
    assert.equal(bad.status, 502);
    const [row] = await record('--id', bad.id);
    assert.match(row.reason, /^backend_tls/);
    assert.equal(wrong.seen.length, 0);
  });

  it('tokens held for backends are listed by name and times, never by value; a secret that changes in its file is used with the next request', async () => {
    assert.equal((await call(null, { api: 'erp' })).status, 200);
    assert.deepEqual(tokens.requests.at(-1).given, ['mes', 'first-secret-of-the-mes']);
    const list = gw.cli('token', 'list', '--format', 'json');
    const [row] = list.json();
    assert.equal(row.credential, 'erp');
    assert.ok(Date.parse(row.expires) > Date.parse(row.issued) && Date.parse(row.lastUsed) >= Date.parse(row.issued), JSON.stringify(row));
    const admin = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
    await admin.open('/admin/credentials');
    const held = admin.html.split('id="tokens-title"')[1];
    for (const words of ['erp', 'Issued', 'Expires', 'Last used', 'Good']) assert.ok(held.includes(words), words);
    for (const { token } of tokens.issued) assert.ok(!list.stdout.includes(token) && !admin.html.includes(token));
    fs.writeFileSync(vaultFile, 'second-secret-of-the-mes');
    await until(async () => {
      gw.cli('token', 'purge');
      await call(null, { api: 'erp' });
      return tokens.requests.at(-1).given[1] === 'second-secret-of-the-mes';
    }, 'the new secret');
  });

  it('"if latency spikes, log headers": capture is switched on for one API for ten minutes, masks secrets, and switches itself off', async () => {
    const begun = Date.now(), token = await idp.token();
    const id = gw.cli('capture', 'start', '--api', 'orders', '--format', 'json').json().id;
    const row = () => gw.cli('capture', 'list', '--format', 'json').json().find((c) => c.id === id);
    assert.deepEqual([row().of, row().on], ['api:orders', true]);
    const life = Date.parse(row().until) - Date.parse(row().started);
    assert.equal(life, 600000);
    assert.ok(Date.parse(row().started) >= begun - 1000);
    const mine = await call(token, { headers: { 'X-Trial': 'spike-1', Cookie: 'sid=cookie-7781' } }), other = await call(null, { api: 'erp' });
    assert.deepEqual([mine.status, other.status], [200, 200]);
    const shown = (who) => gw.cli('capture', 'show', who, '--format', 'json', { fails: true });
    const seen = await until(() => shown(mine.id).code === 0 && shown(mine.id).json(), 'the captured call');
    const field = (m, name) => m.headers.find((h) => h.name.toLowerCase() === name)?.value;
    assert.deepEqual([field(seen.request, 'x-trial'), field(seen.request, 'authorization'), field(seen.request, 'cookie')], ['spike-1', '***', '***']);
    assert.equal(field(seen.backendRequest, 'x-consumer-id'), 'planning');
    assert.equal(field(seen.backendResponse, 'x-correlation-id'), 'mule-77');
    assert.equal(seen.response.status, 200);
    for (const secret of [...token.split('.'), 'cookie-7781']) assert.ok(!JSON.stringify(seen).includes(secret));
    // its time is over: nobody switched it off
    const r = spawnSync('sqlite3', ['-cmd', '.timeout 60000', path.join(gw.state, 'config.db'),
      `UPDATE capture SET started_us = started_us - 600000000, until_us = until_us - 600000000 WHERE id = '${id}'`], { encoding: 'utf8' });
    assert.equal(r.status, 0, r.stderr);
    await until(() => row().ended && row().endedBy === 'time', 'its end');
    await gw.adopted();
    const later = await call(token);
    assert.equal(later.status, 200);
    await record('--id', later.id);
    assert.deepEqual(shown(id).json().map((c) => c.id), [mine.id]);
    assert.equal(shown(later.id).code, 1);
  });

  it('a lint lists keys that are older than the rule', () => {
    const old = () => gw.cli('lint', '--format', 'json', { fails: true }).json().filter((f) => f.rule === 'key-old').map((f) => f.object);
    assert.deepEqual(old(), []);
    const r = spawnSync('sqlite3', ['-cmd', '.timeout 60000', path.join(gw.state, 'config.db'),
      "UPDATE subscription_key SET created_us = created_us - 400*86400000000 WHERE subscription_id = 'ann-gold'"], { encoding: 'utf8' });
    assert.equal(r.status, 0, r.stderr);
    assert.deepEqual(old(), ['subscription ann-gold, primary key', 'subscription ann-gold, secondary key']);
  });
});
