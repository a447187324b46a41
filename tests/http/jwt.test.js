// validate-jwt through the whole gateway: a provider with discovery and keys, tokens made by node's own crypto, attacks.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { start, backend, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const WORKERS = 2;
const AUDIENCE = 'api://things';

const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
// A token inside a token: JWE with a shared key, dir and A128CBC-HS256 (RFC 7518 section 5.2)
function seal(token, key) {
  const header = b64({ alg: 'dir', enc: 'A128CBC-HS256', cty: 'JWT' });
  const iv = crypto.randomBytes(16);
  const cipher = crypto.createCipheriv('aes-128-cbc', key.subarray(16), iv);
  const text = Buffer.concat([cipher.update(token), cipher.final()]);
  const bits = Buffer.alloc(8);
  bits.writeBigUInt64BE(BigInt(header.length * 8));
  const tag = crypto.createHmac('sha256', key.subarray(0, 16)).update(Buffer.concat([Buffer.from(header), iv, text, bits])).digest().subarray(0, 16);
  return [header, '', iv.toString('base64url'), text.toString('base64url'), tag.toString('base64url')].join('.');
}
const now = () => Math.floor(Date.now() / 1000);

function signer(kid) {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    kid, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' },
    token(claims, header = {}) {
      const text = `${b64({ alg: 'RS256', typ: 'JWT', kid, ...header })}.${b64(claims)}`;
      return `${text}.${crypto.sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
    },
  };
}

const SEALING = crypto.randomBytes(32);

describe(`tokens behind ${SERVERS[0]}`, () => {
  const first = signer('k1'), stranger = signer('k1');
  let gw, things, provider, issuer, good;
  const hits = { configuration: 0, keys: 0 };

  const call = async (token, name = 'things') => {
    const r = await fetch(`${gw.url}/api/${name}/things`, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
    return { status: r.status, text: await r.text() };
  };

  before(async () => {
    things = await backend();
    provider = await backend((req, res) => {
      res.setHeader('Content-Type', 'application/json');
      if (req.url === '/keys') {
        hits.keys += 1;
        return res.end(JSON.stringify({ keys: [{ kty: 'unknown' }, first.jwk] }));
      }
      hits.configuration += 1;
      return res.end(JSON.stringify({ issuer, jwks_uri: `${issuer}keys` }));
    });
    issuer = `${provider.url}/`;
    good = { iss: issuer, aud: AUDIENCE, exp: now() + 600, roles: ['reader'] };
    gw = await start({ server: SERVERS[0], workers: WORKERS, setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', 'things', '--name', 'things',
        '--backend', things.url, '--product', 'open');
      g.cli('policy', 'set', '--scope', 'api:things', g.file('jwt.xml', `<policies><inbound><base />
        <validate-jwt header-name="Authorization" require-scheme="Bearer" failed-validation-error-message="Not with this token.">
          <openid-config url="${issuer}.well-known/openid-configuration" />
          <audiences><audience>${AUDIENCE}</audience></audiences>
          <required-claims><claim name="roles" match="any"><value>reader</value><value>writer</value></claim></required-claims>
        </validate-jwt></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
      g.cli('import', 'openapi', g.file('sealed.json', DESCRIPTION), '--path', 'sealed', '--name', 'sealed', '--backend', things.url,
        '--product', 'open');
      g.cli('policy', 'set', '--scope', 'api:sealed', g.file('sealed.xml', `<policies><inbound><base />
        <validate-jwt header-name="Authorization"><openid-config url="${issuer}.well-known/openid-configuration" />
          <decryption-keys><key>${SEALING.toString('base64')}</key></decryption-keys>
        </validate-jwt></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
    } });
  });
  after(async () => { await gw?.stop(); await things?.close(); await provider?.close(); });

  it('lets good tokens in and asks the provider once a worker', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => call(first.token(good))));
    assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200]));
    for (let i = 0; i < 20; i += 1) assert.equal((await call(first.token(good))).status, 200);
    assert.ok(hits.configuration <= WORKERS && hits.keys <= WORKERS, JSON.stringify(hits));
  });

  it('refuses what is no good, with the configured text', async () => {
    const hmac = (secret) => {
      const text = `${b64({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${b64(good)}`;
      return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const valid = first.token(good);
    const [header, , signature] = valid.split('.');
    const seen = things.seen.length;
    const bad = {
      'no token': undefined,
      'not a token': 'abc',
      expired: first.token({ ...good, exp: now() - 1 }),
      'no expiry': first.token({ ...good, exp: undefined }),
      'not yet': first.token({ ...good, nbf: now() + 60 }),
      'another audience': first.token({ ...good, aud: 'api://other' }),
      'another issuer': first.token({ ...good, iss: 'https://evil.example/' }),
      'no role': first.token({ ...good, roles: ['guest'] }),
      'claims exchanged': `${header}.${b64({ ...good, roles: ['writer'] })}.${signature}`,
      'another key under the same name': stranger.token(good),
      'an unknown key': first.token(good, { kid: 'k9' }),
      none: `${b64({ alg: 'none' })}.${b64(good)}.`,
      'public key as secret (PEM)': hmac(first.publicKey.export({ type: 'spki', format: 'pem' })),
      'public key as secret (DER)': hmac(first.publicKey.export({ type: 'spki', format: 'der' })),
      'a key of its own': stranger.token(good, { jwk: stranger.jwk, kid: undefined }),
      'critical extension': first.token(good, { crit: ['x'], x: 1 }),
      padded: `${valid}==`,
      truncated: valid.slice(0, -10),
      'without its signature': `${header}.${b64(good)}.`,
      'two parts': `${header}.${b64(good)}`,
      'a name of the file system as kid': first.token(good, { kid: '../../../../dev/null' }),
      'a statement as kid': first.token(good, { kid: "k1' OR '1'='1" }),
      'a list as kid': first.token(good, { kid: ['k1'] }),
      'a key set to be fetched': stranger.token(good, { jku: issuer, kid: undefined }),
      'a chain of its own': stranger.token(good, { x5c: ['AAAA'], kid: undefined }),
      'None with a capital': `${b64({ alg: 'None' })}.${b64(good)}.`,
      'no algorithm': `${b64({ typ: 'JWT' })}.${b64(good)}.${signature}`,
      'claims that are a list': first.token([good]),
      'claims that are no JSON': first.token('{"iss":'),
      'a claim twice': first.token(`{"exp":1,"exp":${now() + 600},"iss":"${issuer}","aud":"${AUDIENCE}","roles":["reader"]}`),
      'an expiry that is a text': first.token({ ...good, exp: String(now() + 600) }),
      'an expiry without end': first.token(JSON.stringify({ ...good, exp: 0 }).replace('"exp":0', '"exp":1e999')),
      'nested deep': first.token(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`),
      huge: `${valid}${'A'.repeat(20000)}`,
      'a fourth part': `${valid}.${'a'.repeat(3000)}`,
    };
    for (const [label, token] of Object.entries(bad)) {
      const answer = await call(token);
      assert.equal(answer.status, 401, label);
      assert.equal(JSON.parse(answer.text).message, 'Not with this token.', label);
      assert.ok(!answer.text.includes('eyJ'), label);
    }
    assert.equal(things.seen.length, seen, 'a refused call reached the backend');
  });

  it('opens a sealed token and checks what is inside', async () => {
    const other = crypto.randomBytes(32);
    const sealed = seal(first.token(good), SEALING);
    assert.equal((await call(sealed, 'sealed')).status, 200);
    assert.equal((await call(first.token(good), 'sealed')).status, 200);
    assert.equal((await call(sealed)).status, 401, 'without a key');
    for (const [label, token] of Object.entries({
      'another key': seal(first.token(good), other),
      'a stranger inside': seal(stranger.token(good), SEALING),
      'expired inside': seal(first.token({ ...good, exp: 1 }), SEALING),
      'no token inside': seal('hello', SEALING),
      'changed on the way': sealed.slice(0, -3) + (sealed.endsWith('AAA') ? 'BBB' : 'AAA'),
    })) assert.equal((await call(token, 'sealed')).status, 401, label);
  });

  it('does not ask the provider again for each unknown key', () => {
    assert.ok(hits.keys <= 2 * WORKERS, JSON.stringify(hits));
  });

  it('goes on while the provider is away', async () => {
    await provider.close();
    for (let i = 0; i < 10; i += 1) assert.equal((await call(first.token(good))).status, 200);
  });
});
