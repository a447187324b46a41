// validate-jwt through the whole gateway: a provider with discovery and keys, tokens made by node's own crypto, attacks.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { start, backend, until, SERVERS } = require('./harness');
const { Signer, hmac, b64, now } = require('./tokens');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const WORKERS = 2;
const AUDIENCE = 'api://things';

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
const SEALING = crypto.randomBytes(32);

describe(`tokens behind ${SERVERS[0]}`, () => {
  const first = new Signer('k1'), stranger = new Signer('k1');
  let gw, things, provider, issuer, good;
  const hits = { configuration: 0, keys: 0 }, begun = Date.now();

  const call = async (token, name = 'things') => {
    const r = await fetch(`${gw.url}/api/${name}/things`, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
    return { status: r.status, text: await r.text(), why: r.headers.get('x-why'), challenge: r.headers.get('www-authenticate'), id: r.headers.get('x-request-id') };
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
        </validate-jwt></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base />
          <set-header name="X-Why"><value>@(context.LastError.Reason + ": " + context.LastError.Message)</value></set-header></on-error></policies>`));
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

  it('refuses what is no good, with the configured text and its own reason', async () => {
    const confused = (secret) => hmac(secret, good, { kid: 'k1' });
    const valid = first.token(good);
    const [header, payload, signature] = valid.split('.');
    const seen = things.seen.length;
    const SIGNATURE = 'TokenSignatureInvalid: Signature validation failed', FORM = 'JwtInvalid: JWT is not well formed',
      UNSIGNED = 'TokenSignatureInvalid: JWT must be signed', ALGORITHM = 'TokenSignatureInvalid: Signature algorithm is not allowed',
      KEY = 'TokenSignatureKeyNotFound: Signature key was not found', CLAIMS = 'JwtInvalid: JWT payload is not a JSON object',
      HEADER = 'JwtInvalid: JWT header is not acceptable';
    const bad = [
      ['no token', undefined, 'TokenNotPresent: JWT not present'],
      ['not a token', 'abc', FORM],
      ['expired', first.token({ ...good, exp: now() - 1 }), 'TokenExpired: JWT has expired'],
      ['no expiry', first.token({ ...good, exp: undefined }), 'TokenExpired: JWT has no expiration time'],
      ['not yet', first.token({ ...good, nbf: now() + 60 }), 'JwtInvalid: JWT is not valid yet'],
      ['another audience', first.token({ ...good, aud: 'api://other' }), 'TokenAudienceNotAllowed: Audience is not allowed'],
      ['another issuer', first.token({ ...good, iss: 'https://evil.example/' }), 'TokenIssuerNotAllowed: Issuer is not allowed'],
      ['no role', first.token({ ...good, roles: ['guest'] }), 'TokenClaimValueNotAllowed: Claim roles value of ["guest"] is not allowed'],
      ['claims exchanged', `${header}.${b64({ ...good, roles: ['writer'] })}.${signature}`, SIGNATURE],
      ['another key under the same name', stranger.token(good), SIGNATURE],
      ['an unknown key', first.token(good, { kid: 'k9' }), KEY],
      ['none', `${b64({ alg: 'none' })}.${b64(good)}.`, UNSIGNED],
      ['none with a signature', `${b64({ alg: 'none' })}.${b64(good)}.${signature}`, UNSIGNED],
      ['public key as secret (PEM)', confused(first.publicKey.export({ type: 'spki', format: 'pem' })), ALGORITHM],
      ['public key as secret (DER)', confused(first.publicKey.export({ type: 'spki', format: 'der' })), ALGORITHM],
      ['public key as secret (modulus)', confused(Buffer.from(first.jwk.n, 'base64url')), ALGORITHM],
      ['a key of its own', stranger.token(good, { jwk: stranger.jwk, kid: undefined }), SIGNATURE],
      ['a key of its own under an unknown name', stranger.token(good, { jwk: stranger.jwk, kid: 'mine' }), KEY],
      ['critical extension', first.token(good, { crit: ['x'], x: 1 }), 'JwtInvalid: JWT header has a critical extension that is not understood'],
      ['padded', `${valid}==`, FORM],
      ['truncated signature', valid.slice(0, -10), SIGNATURE],
      ['truncated payload', `${header}.${payload.slice(0, -9)}.${signature}`, FORM],
      ['without its signature', `${header}.${payload}.`, UNSIGNED],
      ['two parts', `${header}.${payload}`, FORM],
      ['a name of the file system as kid', first.token(good, { kid: '../../../../dev/null' }), KEY],
      ['the same, signed with nothing', hmac('', good, { kid: '../../../../dev/null' }), KEY],
      ['a statement as kid', first.token(good, { kid: "k1' OR '1'='1" }), KEY],
      ['a list as kid', first.token(good, { kid: ['k1'] }), HEADER],
      ['a key set to be fetched', stranger.token(good, { jku: issuer, kid: undefined }), SIGNATURE],
      ['a certificate to be fetched', stranger.token(good, { x5u: issuer, kid: undefined }), SIGNATURE],
      ['a chain of its own', stranger.token(good, { x5c: ['AAAA'], kid: undefined }), SIGNATURE],
      ['None with a capital', `${b64({ alg: 'None' })}.${b64(good)}.`, ALGORITHM],
      ['no algorithm', `${b64({ typ: 'JWT' })}.${b64(good)}.${signature}`, HEADER],
      ['claims that are a list', first.token([good]), CLAIMS],
      ['claims that are no JSON', first.token('{"iss":'), CLAIMS],
      ['a claim twice', first.token(`{"exp":1,"exp":${now() + 600},"iss":"${issuer}","aud":"${AUDIENCE}","roles":["reader"]}`), CLAIMS],
      ['an expiry that is a text', first.token({ ...good, exp: String(now() + 600) }), CLAIMS],
      ['an expiry without end', first.token(JSON.stringify({ ...good, exp: 0 }).replace('"exp":0', '"exp":1e999')), CLAIMS],
      ['nested deep', first.token(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`), CLAIMS],
      ['a long signature', `${valid}${'A'.repeat(20000)}`, SIGNATURE],
      ['a fourth part', `${valid}.${'a'.repeat(3000)}`, FORM],
      ['huge', first.token({ ...good, filler: 'x'.repeat(36000) }), 'JwtInvalid: JWT is larger than the limit'],
    ];
    const COMPARED = {
      'no token': 'check="token" expected="a token" got="none"',
      'no expiry': 'check="exp" expected="a time" got="none"',
      'another audience': `check="audience" expected="${AUDIENCE}" got="api://other" kid="k1"`,
      'another issuer': `check="issuer" expected="${issuer}" got="https://evil.example/" kid="k1"`,
      'no role': `check="claim roles" expected="reader, writer" got="['guest']"`,
      'an unknown key': `check="kid" expected="a key of ${issuer}" got="k9" kid="k9"`,
      none: 'check="alg" expected="a signed token" got="none without a signature"',
      'public key as secret (PEM)': `check="alg" expected="an algorithm of the keys of ${issuer}" got="HS256" kid="k1"`,
      'critical extension': `check="crit" expected="no extension that is not understood" got="['x']"`,
      'another key under the same name': `check="signature" expected="a signature by a key of ${issuer}" got="another signature (RS256)"`,
    };
    const refused = [];
    for (const [label, token, why] of bad) {
      const answer = await call(token);
      if (label === 'huge' && answer.status !== 401) {
        assert.ok([400, 413, 431].includes(answer.status), 'web servers stop such a field already');
        continue;
      }
      assert.equal(answer.status, 401, label);
      assert.ok(answer.why?.startsWith(why), `${label}: ${answer.why}`);
      assert.equal(JSON.parse(answer.text).message, 'Not with this token.', label);
      assert.ok(!answer.text.includes('eyJ') && !answer.why.includes('eyJ'), label);
      assert.ok(answer.id, `${label}: the request id`);
      // RFC 6750 section 3: of nothing shown no error is told
      assert.equal(answer.challenge, `Bearer realm="things"${token ? ', error="invalid_token"' : ''}`, label);
      refused.push([label, answer.id, token, ...why.split(': ')]);
    }
    assert.equal(things.seen.length, seen, 'a refused call reached the backend');
    // the request id of each leads to a recorded decision: the reason's code, what was found wrong, never the token
    const rows = await until(() => {
      const all = new Map(gw.cli('log', '-n', '300', '--format', 'json').stdout.trim().split('\n').map((l) => JSON.parse(l)).map((r) => [r.request_id ?? r.requestId, r]));
      return refused.every(([, id]) => all.has(id)) && all;
    }, 'the records');
    for (const [label, id, token, code, message] of refused) {
      const row = rows.get(id), text = JSON.stringify(row);
      assert.equal(row.reason, code, label);
      assert.match(row.detail ?? '', /^method=jwt check="[^"]+" expected="[^"]+" got="[^"]+"/, label);
      if (COMPARED[label]) assert.ok(row.detail.includes(COMPARED[label]), `${label}: ${row.detail}`);
      assert.ok(text.includes(JSON.stringify(message).slice(1, -1)), `${label}: ${text}`);
      if (token) for (const part of String(token).split('.').filter((p) => p.length > 20)) assert.ok(!text.includes(part), label);
    }
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
    // at most once a minute
    assert.ok(hits.keys <= (2 + (Date.now() - begun) / 60000) * WORKERS, JSON.stringify(hits));
  });

  it('a caller who leaves does not take the fetch of the keys with him', async () => {
    let asked = 0, release;
    const gate = new Promise((resolve) => { release = resolve; });
    const slow = await backend(async (req, res) => {
      res.setHeader('Content-Type', 'application/json');
      if (req.url === '/keys') return res.end(JSON.stringify({ keys: [first.jwk] }));
      asked += 1;
      await gate;
      return res.end(JSON.stringify({ issuer: slow.url, jwks_uri: `${slow.url}/keys` }));
    });
    gw.cli('import', 'openapi', gw.file('slow.json', DESCRIPTION), '--path', 'slow', '--name', 'slow', '--backend', things.url, '--product', 'open');
    gw.cli('policy', 'set', '--scope', 'api:slow', gw.file('slow.xml', `<policies><inbound><base /><validate-jwt header-name="Authorization">
      <openid-config url="${slow.url}/.well-known/openid-configuration" /></validate-jwt></inbound>
      <backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
    await gw.adopted();
    const token = first.token({ iss: slow.url, exp: now() + 600 });
    const leaving = new AbortController();
    const gone = fetch(`${gw.url}/api/slow/things`, { headers: { Authorization: `Bearer ${token}` }, signal: leaving.signal }).catch((e) => e.name);
    await until(() => asked === 1, 'the first fetch');
    leaving.abort();
    assert.equal(await gone, 'AbortError');
    const waiting = Array.from({ length: 6 }, () => call(token, 'slow'));
    release();
    assert.deepEqual((await Promise.all(waiting)).map((r) => r.status), Array(6).fill(200));
    assert.ok(asked <= WORKERS, `asked ${asked} times`);
    await slow.close();
  });

  it('goes on while the provider is away', async () => {
    await provider.close();
    for (let i = 0; i < 10; i += 1) assert.equal((await call(first.token(good))).status, 200);
  });
});
