// Tokens for backends from a real OpenID provider: what it demands of a client, the gateway must do.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { start, backend, until, SERVERS } = require('./harness');
const { openIdProvider } = require('./people');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'ERP', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });

describe(`a real provider behind ${SERVERS[0]}`, () => {
  let gw, erp, idp;
  const key = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

  before(async () => {
    const grants = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [], scope: 'api:read' };
    idp = await openIdProvider({ people: {}, scopes: ['openid', 'offline_access', 'api:read'], ttl: { ClientCredentials: 600 }, clients: [
      { client_id: 'basic', client_secret: 'a secret/with+odd=characters:1', token_endpoint_auth_method: 'client_secret_basic', ...grants },
      { client_id: 'post', client_secret: 'another-secret-of-some-length', token_endpoint_auth_method: 'client_secret_post', ...grants },
      { client_id: 'pkjwt', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }] }, ...grants },
    ], features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true }, introspection: { enabled: true } } });
    // a resource server that asks the provider itself whether a token is good
    erp = await backend(async (req, res) => {
      const token = (/^Bearer (.+)$/.exec(req.headers.authorization || '') || [])[1];
      const found = token && await idp.provider.ClientCredentials.find(token);
      res.statusCode = found && !found.isExpired ? 200 : 401;
      res.end(JSON.stringify({ client: found?.clientId, scope: found?.scope }));
    });
    gw = await start({ server: SERVERS[0], workers: 2, build: 'release', setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      const file = g.file('erp.json', DESCRIPTION);
      const secrets = { basic: ['client-secret', 'a secret/with+odd=characters:1'], post: ['client-secret', 'another-secret-of-some-length'],
        pkjwt: ['private-key', key.privateKey.export({ type: 'pkcs8', format: 'pem' })] };
      for (const [id, auth] of [['basic', 'client_secret_basic'], ['post', 'client_secret_post'], ['pkjwt', 'private_key_jwt']]) {
        g.cli('credential', 'set', id, '--kind', 'client-credentials', '--set', `token-url=${idp.issuer}/token`, '--set', `client-id=${id}`, '--set', `auth=${auth}`,
          '--set', 'scope=api:read', ...(id === 'pkjwt' ? ['--set', 'key-id=k1'] : []), '--secret-file', `${secrets[id][0]}=${g.file(`s-${id}`, `${secrets[id][1]}\n`)}`);
        g.cli('backend', 'set', id, '--url', erp.url, '--credential', id);
        g.cli('import', 'openapi', file, '--path', id, '--name', id, '--backend', erp.url, '--product', 'open');
        g.cli('api', 'set', id, '--backend-id', id);
      }
    } });
  });
  after(async () => { await gw?.stop(); await erp?.close(); await idp?.close(); });

  for (const id of ['basic', 'post', 'pkjwt'])
    it(`client credentials, ${id}`, async () => {
      const asked = idp.seen.length;
      const all = await Promise.all([...Array(20)].map(async () => { const r = await fetch(`${gw.url}/api/${id}/things`); return [r.status, await r.text()]; }));
      assert.deepEqual([...new Set(all.map(String))], [`200,${JSON.stringify({ client: id, scope: 'api:read' })}`]);
      assert.equal(idp.seen.length - asked, 1);
    });

  it('a client that the provider does not know: 503, and its own word for it', async () => {
    gw.cli('credential', 'set', 'basic', '--set', 'client-id=nobody');
    const r = await until(async () => { const x = await fetch(`${gw.url}/api/basic/things`); return x.status === 503 && x; }, 'the refusal');
    const rec = await until(() => { const o = gw.cli('log', '--request-id', r.headers.get('x-request-id'), '--format', 'json').stdout.trim(); return o && JSON.parse(o); }, 'the record');
    assert.match(rec.decision, /answered 40[01] \(invalid_client\)/);
  });
});
