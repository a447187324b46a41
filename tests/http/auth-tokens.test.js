// Access rules with tokens of an OpenID provider, through the whole gateway: the attacks of RFC 7515, 7519 and 8725, each refused
// with a reason of its own and without a call of the backend; scopes and claims; keys that roll over; what the backend learns.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { start, backend, SERVERS } = require('./harness');
const { Signer, provider, hmac, b64, now } = require('./tokens');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' }, paths: {
  '/orders': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } },
    post: { operationId: 'create', responses: { 201: { description: 'ok' } } } } } });
const AUDIENCE = 'api://orders';
const SERVER = SERVERS[0];

describe(`tokens by access rules behind ${SERVER}`, () => {
  const rsa = new Signer('k1'), stranger = new Signer('k1');
  let gw, orders, idp, good, began;

  const call = async (token, { method = 'GET', path = '/api/orders/orders', headers = {} } = {}) => {
    const r = await fetch(gw.url + path, { method, headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers } });
    const text = await r.text();
    let body = null;
    try { body = JSON.parse(text); } catch { /* no JSON */ }
    return { status: r.status, body, text, challenge: r.headers.get('www-authenticate'), id: r.headers.get('x-request-id') };
  };
  const log = (...args) => gw.cli('log', '--format', 'json', ...args).stdout.trim().split('\n').filter(Boolean).map((l) => JSON.parse(l));

  before(async () => {
    orders = await backend();
    idp = await provider(rsa);
    began = Date.now();
    good = { iss: idp.issuer, aud: AUDIENCE, sub: 'u-17', azp: 'mes', exp: now() + 600, scope: 'orders.read profile',
      preferred_username: 'ann', groups: ['ops', 'night'], email: 'ann@example.com', role: 'clerk' };
    gw = await start({ server: SERVER, workers: 2, setup(g) {
      g.cli('import', 'openapi', g.file('orders.json', DESCRIPTION), '--path', 'orders', '--name', 'orders', '--backend', orders.url);
      g.cli('access', 'set', '--api', 'orders', `jwt(issuer=${idp.issuer}, audience=${AUDIENCE}, scope=orders.read, leeway=5)`
        + ' ; create: scope=orders.write, claim.role=buyer');
    } });
  });
  after(async () => {
    await Promise.all([orders, idp].map((b) => b.close()));
    await gw.stop();
  });

  it('lets a good token in and tells the backend who it is, whatever the client says about itself', async () => {
    const seen = orders.seen.length;
    const r = await call(rsa.token(good), { headers: { 'X-Consumer-Id': 'root', 'x-consumer-username': 'root', X_Consumer_Groups: 'admins',
      'X-Consumer-Anything': 'x' } });
    assert.equal(r.status, 200, r.text);
    const h = orders.seen[seen].headers;
    assert.equal(h['x-consumer-id'], 'u-17');
    assert.equal(h['x-consumer-username'], 'ann');
    assert.equal(h['x-consumer-groups'], 'ops,night');
    assert.equal(h['x-consumer-anything'], undefined);
    assert.equal(h.authorization, undefined, 'the token was for the gateway');
    assert.ok(!JSON.stringify(h).includes('root') && !JSON.stringify(h).includes('admins'));
  });

  describe('refuses', () => {
    const rows = [
      ['no token', () => null, 401, 'token_missing', null],
      ['rubbish', () => 'abc', 401, 'token_malformed'],
      ['two parts', () => rsa.token(good).split('.').slice(0, 2).join('.'), 401, 'token_malformed'],
      ['a truncated signature', () => rsa.token(good).slice(0, -6), 401, 'token_signature'],
      ['a truncated payload', () => { const [h, p, s] = rsa.token(good).split('.'); return `${h}.${p.slice(0, -9)}.${s}`; }, 401, 'token_malformed'],
      ['alg none', () => `${b64({ alg: 'none', typ: 'JWT' })}.${b64(good)}.`, 401, 'token_unsigned'],
      ['alg None in other letters', () => `${b64({ alg: 'nOnE', typ: 'JWT' })}.${b64(good)}.`, 401, 'token_algorithm'],
      ['alg none with a signature', () => `${b64({ alg: 'none' })}.${b64(good)}.${rsa.token(good).split('.')[2]}`, 401, 'token_unsigned'],
      ['the signature left out', () => `${rsa.token(good).split('.').slice(0, 2).join('.')}.`, 401, 'token_unsigned'],
      ['HS256 with the public key as its secret (PEM)', () => hmac(rsa.publicKey.export({ type: 'spki', format: 'pem' }), good, { kid: 'k1' }),
        401, 'token_algorithm'],
      ['HS256 with the public key as its secret (modulus)', () => hmac(Buffer.from(rsa.jwk.n, 'base64url'), good, { kid: 'k1' }), 401, 'token_algorithm'],
      ['a kid that is a path', () => hmac('', good, { kid: '../../../../dev/null' }), 401, 'token_algorithm'],
      ['a kid that is SQL', () => hmac('x', good, { kid: "' UNION SELECT 'x" }), 401, 'token_algorithm'],
      ['a kid that is SQL, signed by somebody', () => stranger.token(good, { kid: "' UNION SELECT 'x" }), 401, 'token_key_unknown'],
      ['an embedded jwk', () => stranger.token(good, { kid: undefined, jwk: stranger.jwk }), 401, 'token_signature'],
      ['an embedded jwk under an unknown kid', () => stranger.token(good, { kid: 'mine', jwk: stranger.jwk }), 401, 'token_key_unknown'],
      ['a jku', () => stranger.token(good, { kid: 'mine', jku: `${orders.url}/keys` }), 401, 'token_key_unknown'],
      ['an x5u', () => stranger.token(good, { kid: 'mine', x5u: `${orders.url}/cert` }), 401, 'token_key_unknown'],
      ['the right kid of another key', () => stranger.token(good), 401, 'token_signature'],
      ['a changed payload', () => { const [h, , s] = rsa.token(good).split('.'); return `${h}.${b64({ ...good, sub: 'root' })}.${s}`; }, 401, 'token_signature'],
      ['an unknown critical extension', () => rsa.token(good, { crit: ['exp2'], exp2: 1 }), 401, 'token_critical'],
      ['expired', () => rsa.token({ ...good, exp: now() - 60 }), 401, 'token_expired'],
      ['no expiry', () => rsa.token({ ...good, exp: undefined }), 401, 'token_no_expiry'],
      ['an expiry that is a text', () => rsa.token({ ...good, exp: 'tomorrow' }), 401, 'token_malformed'],
      ['not yet valid', () => rsa.token({ ...good, nbf: now() + 300 }), 401, 'token_not_yet'],
      ['another audience', () => rsa.token({ ...good, aud: ['api://other', 'x'] }), 401, 'token_audience'],
      ['no audience', () => rsa.token({ ...good, aud: undefined }), 401, 'token_audience'],
      ['another issuer', () => rsa.token({ ...good, iss: 'https://evil.example' }), 401, 'token_issuer'],
      ['no issuer', () => rsa.token({ ...good, iss: undefined }), 401, 'token_issuer'],
      ['a missing scope', () => rsa.token({ ...good, scope: 'profile orders.reading' }), 403, 'token_scope'],
      ['huge', () => rsa.token({ ...good, filler: 'x'.repeat(36000) }), 401, 'token_too_large'],
      ['encrypted for nobody here', () => `${b64({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.AAAA.AAAA.AAAA.AAAA`, 401, 'token_decryption'],
    ];

    for (const [label, make, status, reason, error] of rows) {
      it(`${label}: ${reason}`, async (t) => {
        const before = orders.seen.length, token = make();
        const r = await call(token);
        if (reason === 'token_too_large' && r.status !== status) {
          assert.ok([400, 413, 414, 431].includes(r.status));      // web servers stop such a field already
          assert.equal(orders.seen.length, before);
          return t.diagnostic(`the web server answered ${r.status}`);
        }
        assert.equal(r.status, status, r.text);
        assert.equal(r.body.reason, reason);
        assert.equal(r.body.requestId, r.id);
        assert.equal(orders.seen.length, before, 'the backend saw nothing');
        assert.match(r.challenge, /^Bearer realm="/);
        if (error === null) assert.ok(!r.challenge.includes('error='), 'RFC 6750: no error when nothing was shown');
        else assert.ok(r.challenge.includes(status === 403 ? 'error="insufficient_scope"' : 'error="invalid_token"'), r.challenge);
        if (reason === 'token_scope') assert.ok(r.challenge.includes('scope="orders.read"'), r.challenge);
        const [row] = log('--id', r.id);
        assert.equal(row.reason, reason);
        assert.match(row.detail, /^method=jwt check="[^"]+" expected="[^"]+" got="[^"]+"/);
        if (token) for (const part of token.split('.').filter((p) => p.length > 20)) assert.ok(!JSON.stringify(row).includes(part), 'no token is kept');
        return undefined;
      });
    }
  });

  it('keeps to operations, expiry and what the token says, also when it comes again and again', async () => {
    const write = rsa.token({ ...good, jti: 'again', scope: 'orders.read orders.write' });
    const other = rsa.token({ ...good, jti: 'again too', sub: 'u-18', groups: ['day'] });
    for (let i = 0; i < 8; i += 1) {
      const seen = orders.seen.length;
      assert.deepEqual([(await call(write)).status, (await call(other)).status], [200, 200]);
      assert.deepEqual(orders.seen.slice(seen).map((r) => [r.headers['x-consumer-id'], r.headers['x-consumer-groups']]),
        [['u-17', 'ops,night'], ['u-18', 'day']]);
      const post = await call(write, { method: 'POST' });
      assert.deepEqual([post.status, post.body.reason], [403, 'token_claim'], 'that it may read says nothing of writing');
    }
    const exp = now() - 3, short = rsa.token({ ...good, exp });   // with the leeway of the rule two more seconds
    for (let r, before; r?.status !== 401;) {
      before = now();
      r = await call(short);
      assert.ok(r.status === 401 ? now() >= exp + 5 && r.body.reason === 'token_expired' : before < exp + 5, `${r.status} ${r.text}`);
    }
  });

  it('says in the record what was compared, and in words what to do', async () => {
    const r = await call(rsa.token({ ...good, aud: 'api://other' }));
    const text = gw.cli('log', '--id', r.id).stdout;
    assert.match(text, /layer +access/);
    assert.match(text, /expected="api:\/\/orders" got="api:\/\/other" kid="k1"/);
    assert.match(text, /fix +Ask the issuer for a token for this API/);
  });

  it('asks more of an operation where the rule says so', async () => {
    const write = { ...good, scope: 'orders.read orders.write', role: 'buyer' };
    assert.equal((await call(rsa.token(write), { method: 'POST' })).status, 200);
    const scope = await call(rsa.token(good), { method: 'POST' });
    assert.deepEqual([scope.status, scope.body.reason], [403, 'token_scope']);
    const role = await call(rsa.token({ ...write, role: 'clerk' }), { method: 'POST' });
    assert.deepEqual([role.status, role.body.reason], [403, 'token_claim']);
    assert.match(log('--id', role.id)[0].detail, /check="claim role" expected="buyer" got="clerk"/);
  });

  it('fetches the keys once for both workers, a new key once, and unknown ones at most once a minute', async () => {
    // one for the first token, one for the unknown keys above; and one for each minute that a busy machine has taken for them
    const few = () => { for (const n of Object.values(idp.hits)) assert.ok(n >= 2 && n <= 2 + (Date.now() - began) / 60000, JSON.stringify(idp.hits)); };
    few();
    const more = await Promise.all(Array.from({ length: 40 }, (_, i) => call(stranger.token(good, { kid: `flood-${i}` }))));
    assert.ok(more.every((r) => r.status === 401 && r.body.reason === 'token_key_unknown'));
    few();
  });

  it('changes with the configuration while running', async () => {
    const token = rsa.token(good);
    assert.equal((await call(token)).status, 200);
    gw.cli('access', 'set', '--api', 'orders', `jwt(issuer=${idp.issuer}, audience=api://new)`);
    await gw.adopted();
    const r = await call(token);
    assert.deepEqual([r.status, r.body.reason], [401, 'token_audience']);
  });
});

describe(`keys of providers behind ${SERVER}`, () => {
  let gw, orders, idp;
  const call = (path, token) => fetch(`${gw.url}/api/${path}/orders`, { headers: { Authorization: `Bearer ${token}` } })
    .then(async (r) => ({ status: r.status, body: await r.json().catch(() => null) }));
  const secret = crypto.randomBytes(40).toString('hex');
  const signers = { rs: new Signer('rs'), ps: new Signer('ps', 'PS256'), es: new Signer('es', 'ES256'), ed: new Signer('ed', 'EdDSA') };
  const fixed = new Signer(undefined, 'ES256');

  before(async () => {
    orders = await backend();
    idp = await provider(...Object.values(signers));
    gw = await start({ server: SERVER, workers: 2, setup(g) {
      const api = (id, rule) => {
        g.cli('import', 'openapi', g.file('orders.json', DESCRIPTION), '--path', id, '--name', id, '--backend', orders.url);
        g.cli('access', 'set', '--api', id, rule);
      };
      g.cli('named-value', 'set', 'shared-secret', '--secret', '--file', g.file('s', secret));
      g.cli('named-value', 'set', 'partner-key', '--file', g.file('p', fixed.publicKey.export({ type: 'spki', format: 'pem' })));
      api('discovered', `jwt(issuer=${idp.issuer})`);
      api('jwks', `jwt(issuer=https://issuer.example, jwks=${idp.issuer}/keys, alg=ES256)`);
      api('secret', 'jwt(issuer=partner, key={{shared-secret}})');
      api('pem', 'jwt(issuer=partner, key={{partner-key}}, type=at+jwt)');
      api('pem-any', 'jwt(issuer=partner, key={{partner-key}})');
      api('down', 'jwt(issuer=http://127.0.0.1:1)');
      g.cli('product', 'create', 'partners');
      g.cli('policy', 'set', '--scope', 'product:partners', g.file('p.xml', `<policies><inbound><base />
        <set-header name="X-Of" exists-action="override"><value>partners</value></set-header></inbound></policies>`));
      g.cli('import', 'openapi', g.file('orders.json', DESCRIPTION), '--path', 'sold', '--name', 'sold', '--backend', orders.url, '--product', 'partners');
      g.cli('access', 'set', '--product', 'partners', 'jwt(issuer=partner, key={{partner-key}}, subscription=none)');
    } });
  });
  after(async () => {
    await Promise.all([orders, idp].map((b) => b.close()));
    await gw.stop();
  });

  for (const name of Object.keys(signers))
    it(`takes ${signers[name].alg}`, async () => {
      assert.equal((await call('discovered', signers[name].token({ iss: idp.issuer, exp: now() + 60 }))).status, 200);
    });

  it('takes the algorithms that the rule names, from a key set without discovery', async () => {
    const claims = { iss: 'https://issuer.example', exp: now() + 60 };
    assert.equal((await call('jwks', signers.es.token(claims))).status, 200);
    assert.equal((await call('jwks', signers.rs.token(claims))).body.reason, 'token_algorithm');
  });

  it('takes a shared secret and a PEM of a named value', async () => {
    const claims = { iss: 'partner', exp: now() + 60 };
    assert.equal((await call('secret', hmac(secret, claims))).status, 200);
    assert.equal((await call('secret', hmac(`${secret}x`, claims))).body.reason, 'token_signature');
    assert.equal((await call('pem', fixed.token(claims, { typ: 'at+jwt' }))).status, 200);
    assert.equal((await call('pem', fixed.token(claims))).body.reason, 'token_type');
  });

  it('a product that asks for a token and no subscription is the product of the call all the same', async () => {
    assert.equal((await call('sold', fixed.token({ iss: 'partner', exp: now() + 60, jti: 'sold' }))).status, 200);
    assert.equal(orders.seen.at(-1).headers['x-of'], 'partners');
  });

  it('does not take a token of another type because another API has taken it', async () => {
    const token = fixed.token({ iss: 'partner', exp: now() + 60, jti: 'type' });
    for (let i = 0; i < 12; i++) {               // each worker has it in its memory
      assert.equal((await call('pem-any', token)).status, 200);
      assert.equal((await call('pem', token)).body.reason, 'token_type');
    }
  });

  it('rolls over: a new key works with the next call and costs one fetch, over all workers', async () => {
    const next = new Signer('next');
    const claims = { iss: idp.issuer, exp: now() + 60 };
    const { keys } = idp.hits;
    idp.keys = [next];
    const all = await Promise.all(Array.from({ length: 24 }, (_, i) => call('discovered', next.token({ ...claims, jti: `${i}` }))));
    assert.deepEqual(all.map((r) => r.status), all.map(() => 200));
    assert.equal(idp.hits.keys, keys + 1);
    const old = await call('discovered', signers.rs.token({ ...claims, jti: 'again' }));
    assert.equal(old.status, 401, 'the withdrawn key is worth nothing any more');
  });

  it('says 503 when the provider cannot be asked', async () => {
    const r = await call('down', signers.rs.token({ iss: 'http://127.0.0.1:1', exp: now() + 60 }));
    assert.deepEqual([r.status, r.body.reason], [503, 'issuer_unavailable']);
  });
});
