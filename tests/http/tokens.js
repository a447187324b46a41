// For tests of tokens: a provider with discovery and keys that counts what it is asked and can change its mind, and tokens
// made by node's own crypto, good and bad ones.
'use strict';
const crypto = require('node:crypto');
const { backend } = require('./harness');

const b64 = (value) => (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
  .toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

// [node's digest, key type and options, options of sign]
const ALGORITHMS = {
  RS256: ['sha256', 'rsa', { modulusLength: 2048 }, {}],
  PS256: ['sha256', 'rsa', { modulusLength: 2048 }, { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
  ES256: ['sha256', 'ec', { namedCurve: 'P-256' }, { dsaEncoding: 'ieee-p1363' }],
  EdDSA: [null, 'ed25519', {}, {}],
};

class Signer {
  constructor(kid, alg = 'RS256') {
    const [digest, type, options, how] = ALGORITHMS[alg];
    Object.assign(this, { kid, alg, digest, how }, crypto.generateKeyPairSync(type, options));
    this.jwk = { ...this.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg };
  }

  token(claims, header = {}) {
    const text = `${b64({ alg: this.alg, typ: 'JWT', kid: this.kid, ...header })}.${b64(claims)}`;
    return `${text}.${b64(crypto.sign(this.digest, Buffer.from(text), { key: this.privateKey, ...this.how }))}`;
  }
}

const hmac = (secret, claims, header) => {
  const text = `${b64({ alg: 'HS256', typ: 'JWT', ...header })}.${b64(claims)}`;
  return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
};

// { issuer, hits, keys: [Signer], failing }
async function provider(...keys) {
  const p = { keys, hits: { configuration: 0, keys: 0 }, failing: false };
  p.server = await backend((req, res) => {
    res.setHeader('Content-Type', 'application/json');
    if (p.failing) {
      res.statusCode = 500;
      return res.end('{}');
    }
    if (req.url === '/keys') {
      p.hits.keys += 1;
      return res.end(JSON.stringify({ keys: [{ kty: 'unknown' }, ...p.keys.map((k) => k.jwk)] }));
    }
    p.hits.configuration += 1;
    return res.end(JSON.stringify({ issuer: p.issuer, jwks_uri: `${p.issuer}/keys` }));
  });
  p.issuer = p.server.url;
  p.close = () => p.server.close();
  return p;
}

module.exports = { Signer, provider, hmac, b64, now };
