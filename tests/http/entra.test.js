// validate-azure-ad-token through the whole gateway: a sign-in service over TLS, whose authority stands in the certificate
// store, and tokens of both generations.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { start, backend, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const TENANT = '11111111-2222-3333-4444-555555555555', OTHER = '99999999-2222-3333-4444-555555555555';
const CLIENT = 'aaaaaaaa-0000-0000-0000-000000000001', BACKEND = 'bbbbbbbb-0000-0000-0000-000000000001';

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

describe(`tokens of Entra ID behind ${SERVERS[0]}`, () => {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const asked = [];
  let dir, service, host, things, gw;

  const token = (claims) => {
    const text = `${b64({ alg: 'RS256', typ: 'JWT', kid: 'k' })}.${b64({ aud: `api://${BACKEND}`, tid: TENANT, exp: now() + 600, ...claims })}`;
    return `${text}.${crypto.sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const v2 = (claims) => token({ iss: `https://${host}/${claims?.tid ?? TENANT}/v2.0`, azp: CLIENT, ...claims });
  const v1 = (claims) => token({ iss: `https://sts.windows.net/${TENANT}/`, appid: CLIENT, ...claims });
  const call = async (t) => {
    const r = await fetch(`${gw.url}/api/things/things`, { headers: t ? { Authorization: `Bearer ${t}` } : {} });
    return { status: r.status, text: await r.text() };
  };

  before(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-entra-'));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path.join(dir, 'key'),
      '-out', path.join(dir, 'cert'), '-days', '2', '-subj', '/CN=sign-in', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
    service = https.createServer({ key: fs.readFileSync(path.join(dir, 'key')), cert: fs.readFileSync(path.join(dir, 'cert')) }, (req, res) => {
      asked.push(req.url);
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify(req.url === '/keys' ? { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig' }] }
        : { issuer: `https://${host}/{tenantid}/v2.0`, jwks_uri: `https://${host}/keys` }));
    });
    await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${service.address().port}`;
    things = await backend();
    gw = await start({ server: SERVERS[0], workers: 1, config: { 'gateway.request_authorities': 'sign-in' }, setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      g.cli('certificate', 'set', 'sign-in', '--file', path.join(dir, 'cert'), '--authority');
      g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', 'things', '--name', 'things', '--backend', things.url,
        '--product', 'open');
      g.cli('policy', 'set', '--scope', 'api:things', g.file('entra.xml', `<policies><inbound><base />
        <validate-azure-ad-token tenant-id="${TENANT}" authentication-endpoint="https://${host}/" output-token-variable-name="jwt">
          <client-application-ids><application-id>${CLIENT}</application-id></client-application-ids>
          <backend-application-ids><application-id>${BACKEND}</application-id></backend-application-ids>
          <required-claims><claim name="roles" match="any"><value>reader</value></claim></required-claims>
        </validate-azure-ad-token>
        <set-header name="X-Subject" exists-action="override"><value>@(((Jwt)context.Variables["jwt"]).Subject)</value></set-header>
        </inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /><return-response>
          <set-status code="401" /><set-body>@(context.LastError.Reason)</set-body></return-response></on-error></policies>`));
    } });
  });
  after(async () => {
    await gw?.stop();
    await things?.close();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    fs.rmSync(dir, { recursive: true });
  });

  it('lets tokens of both generations in, and asks the tenant once', async () => {
    const roles = ['reader'];
    assert.equal((await call(v2({ roles, sub: 'ann' }))).status, 200);
    assert.equal(things.seen.at(-1).headers['x-subject'], 'ann');
    assert.equal((await call(v1({ roles, sub: 'bob' }))).status, 200);
    assert.equal((await call(v2({ roles, sub: 'ann', aud: BACKEND }))).status, 200);
    assert.deepEqual(asked, [`/${TENANT}/v2.0/.well-known/openid-configuration`, '/keys']);
  });

  const roles = ['reader'];
  for (const [what, make, reason] of [
    ['none', () => undefined, 'TokenNotPresent'],
    ['another tenant', () => v2({ roles, tid: OTHER }), 'TokenIssuerNotAllowed'],
    ['another tenant under this issuer', () => v2({ roles, tid: OTHER, iss: `https://${host}/${TENANT}/v2.0` }), 'TokenIssuerNotAllowed'],
    ['another issuer', () => v2({ roles, iss: 'https://evil.example/' }), 'TokenIssuerNotAllowed'],
    ['another client', () => v2({ roles, azp: BACKEND }), 'TokenAudienceNotAllowed'],
    ['another audience', () => v2({ roles, aud: CLIENT }), 'TokenAudienceNotAllowed'],
    ['expired', () => v2({ roles, exp: now() - 1 }), 'TokenExpired'],
    ['no role', () => v2({}), 'TokenClaimNotFound'],
    ['another role', () => v2({ roles: ['guest'] }), 'TokenClaimValueNotAllowed'],
    ['a bent signature', () => v2({ roles }).replace(/.{4}$/, 'AAAA'), 'TokenSignatureInvalid'],
  ])
    it(`refuses: ${what}`, async () => {
      const seen = things.seen.length;
      assert.deepEqual(await call(make()), { status: 401, text: reason });
      assert.equal(things.seen.length, seen);
    });
});
