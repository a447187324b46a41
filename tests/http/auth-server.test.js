// The gateway's own authorization server: an application registered here has OAuth 2.0 without a third party.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { start, backend, until, SERVERS } = require('./harness');
const { b64 } = require('./tokens');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const SERVER = SERVERS[0];

describe(`the authorization server behind ${SERVER}`, () => {
  let gw, things, secret, other;
  const basic = (id, s) => ({ Authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(s)}`).toString('base64')}` });
  const post = async (what, form, headers = {}) => {
    const r = await fetch(`${gw.url}/api/-/oauth2/${what}`, { method: 'POST', body: typeof form === 'string' ? form : new URLSearchParams(form),
      headers: { ...(typeof form === 'string' ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}), ...headers } });
    return { status: r.status, json: await r.json(), headers: r.headers };
  };
  const token = async (scope) => (await post('token', { grant_type: 'client_credentials', ...(scope ? { scope } : {}) }, basic('mes', secret))).json.access_token;
  const call = async (api, bearer, more = {}) => {
    const r = await fetch(`${gw.url}/api/${api}/things`, { headers: { ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}), ...more } });
    const text = await r.text();
    return { status: r.status, reason: (() => { try { return JSON.parse(text).reason; } catch { return undefined; } })(), text, id: r.headers.get('x-request-id') };
  };

  before(async () => {
    things = await backend();
    gw = await start({ server: SERVER, workers: 4, setup(g) {
      for (const id of ['gold', 'silver', 'lead']) g.cli('product', 'create', id);
      const api = (id, ...more) => g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', id, '--name', id, '--backend', things.url, ...more);
      api('orders', '--product', 'gold');
      api('stock', '--product', 'silver');
      api('secret', '--product', 'lead');
      api('ruled', '--product', 'gold');
      api('free');
      g.cli('api', 'set', 'free', '--require-key', 'no');
      g.cli('access', 'set', '--api', 'ruled', 'jwt');
      g.cli('application', 'create', 'mes');
      g.cli('subscription', 'create', '--product', 'gold', '--application', 'mes', '--id', 'gold-mes');
      g.cli('subscription', 'create', '--product', 'silver', '--application', 'mes', '--id', 'silver-mes');
      secret = g.cli('caller', 'create', 'client', 'mes', '--application', 'mes', '--format', 'json').json().secret;
      g.cli('application', 'create', 'poor');
      other = g.cli('caller', 'create', 'client', 'poor', '--application', 'poor', '--format', 'json').json().secret;
    } });
  });
  after(async () => {
    await things.close();
    await gw.stop();
  });

  it('says what it offers, and publishes its keys', async () => {
    const iss = `${gw.url}/api/-/oauth2`;
    for (const doc of ['openid-configuration', 'oauth-authorization-server']) {
      const meta = await (await fetch(`${iss}/.well-known/${doc}`)).json();
      assert.equal(meta.issuer, iss);
      assert.equal(meta.token_endpoint, `${iss}/token`);
      assert.deepEqual(meta.grant_types_supported, ['client_credentials']);
    }
    const { keys } = await (await fetch(`${iss}/jwks`)).json();
    assert.equal(keys.length, 1);
    assert.deepEqual([keys[0].use, keys[0].alg, keys[0].d], ['sig', 'ES256', undefined]);
  });

  it('gives a JWT whose scopes are the products, by Basic and by form', async () => {
    const r = await post('token', { grant_type: 'client_credentials' }, basic('mes', secret));
    assert.equal(r.status, 200, JSON.stringify(r.json));
    assert.equal(r.headers.get('cache-control'), 'no-store');
    assert.deepEqual([r.json.token_type, r.json.expires_in, r.json.scope], ['Bearer', 3600, 'gold silver']);
    const [head, payload, signature] = r.json.access_token.split('.');
    const { keys: [jwk] } = await (await fetch(`${gw.url}/api/-/oauth2/jwks`)).json();
    assert.ok(crypto.verify('sha256', Buffer.from(`${head}.${payload}`), { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url')));
    const [h, c] = [head, payload].map((p) => JSON.parse(Buffer.from(p, 'base64url')));
    assert.deepEqual([h.typ, h.alg, h.kid], ['at+jwt', 'ES256', jwk.kid]);
    assert.deepEqual([c.iss, c.sub, c.client_id, c.aud, c.exp - c.iat], [`${gw.url}/api/-/oauth2`, 'mes', 'mes', `${gw.url}/api`, 3600]);
    const form = await post('token', { grant_type: 'client_credentials', client_id: 'mes', client_secret: secret, scope: 'silver' });
    assert.deepEqual([form.status, form.json.scope], [200, 'silver']);
  });

  const refusals = [
    ['another grant', { grant_type: 'password' }, () => basic('mes', secret), 400, 'unsupported_grant_type'],
    ['no grant', {}, () => basic('mes', secret), 400, 'invalid_request'],
    ['a wrong secret', { grant_type: 'client_credentials' }, () => basic('mes', `${secret}x`), 401, 'invalid_client'],
    ['an unknown client', { grant_type: 'client_credentials' }, () => basic('nobody', secret), 401, 'invalid_client'],
    ['no client', { grant_type: 'client_credentials' }, () => ({}), 401, 'invalid_client'],
    ['a secret in two ways', { grant_type: 'client_credentials', client_id: 'mes', client_secret: 'x' }, () => basic('mes', secret), 400, 'invalid_request'],
    ['a parameter twice', 'grant_type=client_credentials&grant_type=client_credentials', () => basic('mes', secret), 400, 'invalid_request'],
    ['a product without subscription', { grant_type: 'client_credentials', scope: 'gold lead' }, () => basic('mes', secret), 400, 'invalid_scope'],
    ['an application without subscription', { grant_type: 'client_credentials' }, () => basic('poor', other), 400, 'invalid_scope'],
  ];
  for (const [label, form, headers, status, error] of refusals)
    it(`refuses ${label}: ${error}`, async () => {
      const r = await post('token', form, headers());
      assert.deepEqual([r.status, r.json.error], [status, error]);
      if (status === 401) assert.match(r.headers.get('www-authenticate'), /^Basic/);
    });

  it('refuses another method and another form of body', async () => {
    assert.equal((await fetch(`${gw.url}/api/-/oauth2/token`)).status, 405);
    const r = await fetch(`${gw.url}/api/-/oauth2/token`, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } });
    assert.equal(r.status, 400);
  });

  it('a token serves in place of a key, for the products in its scope, and counts for its subscription', async () => {
    const t = await token();
    for (const api of ['orders', 'stock', 'ruled']) assert.equal((await call(api, t)).status, 200, api);
    assert.equal(things.seen.at(-1).headers.authorization, undefined);
    const silver = await token('silver');
    const refused = await call('orders', silver);
    assert.deepEqual([refused.status, refused.reason], [403, 'subscription_none']);
    assert.equal((await call('secret', t)).status, 403);
    assert.equal((await call('orders', `${t.slice(0, -4)}AAAA`)).reason, 'token_signature');
    assert.match((await call('orders')).text, /missing subscription key/);
    const r = await call('stock', silver);
    const row = gw.cli('log', '--id', r.id, '--format', 'json').json();
    assert.deepEqual([row.application, row.subscription, row.product], ['mes', 'silver-mes', 'silver']);
  });

  it('tokens of others are left to the backend where no rule is', async () => {
    const foreign = `${b64({ alg: 'none', kid: 'x' })}.${b64({ sub: 'a' })}.`;
    gw.cli('product', 'create', 'open', '--require-key', 'no');
    gw.cli('product', 'add-api', 'open', 'orders');
    await until(async () => (await call('orders', foreign)).status === 200, 'the open product');
    assert.equal(things.seen.at(-1).headers.authorization, `Bearer ${foreign}`);
    gw.cli('product', 'remove-api', 'open', 'orders');
    await until(async () => (await call('orders', foreign)).status === 401, 'its end');
  });

  it('a token that does not open an open API is nobody\'s there, in the record too', async () => {
    const r = await call('free', await token());
    assert.equal(r.status, 200, r.text);
    const row = await until(() => { const out = gw.cli('log', '--id', r.id, '--format', 'json').stdout.trim(); return out && JSON.parse(out); }, 'the record');
    assert.equal(row.application || '', '');
  });

  it('a revoked token is refused by every worker at once', async () => {
    const t = await token();
    for (let i = 0; i < 12; i++) assert.equal((await call('ruled', t)).status, 200);
    assert.equal((await post('revoke', { token: t }, basic('poor', other))).json.error, 'unauthorized_client');
    const r = await post('revoke', { token: t, token_type_hint: 'access_token' }, basic('mes', secret));
    assert.equal(r.status, 200);
    const all = await Promise.all(Array.from({ length: 40 }, () => call('ruled', t)));
    assert.deepEqual([...new Set(all.map((x) => x.reason))], ['token_revoked']);
    assert.equal((await post('revoke', { token: 'rubbish' }, basic('mes', secret))).status, 200);
    assert.equal((await post('introspect', { token: t }, basic('mes', secret))).json.active, false);
    const live = await post('introspect', { token: await token() }, basic('mes', secret));
    assert.deepEqual([live.json.active, live.json.client_id, live.json.scope], [true, 'mes', 'gold silver']);
  });

  it('keys rotate: both are good during the overlap, the old one is not after it', async () => {
    const old = await token();
    const kid = (t) => JSON.parse(Buffer.from(t.split('.')[0], 'base64url')).kid;
    const rotate = async (algorithm, overlap) => {
      const { id } = gw.cli('auth-key', 'rotate', '--algorithm', algorithm, '--overlap', overlap, '--format', 'json').json();
      await until(async () => kid(await token()) === id, 'the new key');
      return token();
    };
    const next = await rotate('RS256', '3600');
    for (const t of [old, next]) assert.equal((await call('ruled', t)).status, 200);
    const last = await rotate('ES256', '1');
    await until(async () => (await call('ruled', next)).reason === 'token_key_unknown', 'the end of the one before');
    assert.equal((await call('ruled', last)).status, 200);
  });

  it('a subscription that ends, a client that is suspended: their tokens are worth nothing', async () => {
    const t = await token();
    gw.cli('subscription', 'set-state', 'gold-mes', 'suspended');
    assert.equal((await call('ruled', t)).reason, 'subscription_none');
    gw.cli('subscription', 'set-state', 'gold-mes', 'active');
    gw.cli('caller', 'set', 'client', 'mes', '--suspended', 'yes');
    assert.equal((await call('ruled', t)).reason, 'caller_suspended');
    assert.equal((await post('token', { grant_type: 'client_credentials' }, basic('mes', secret))).json.error, 'invalid_client');
  });
});
