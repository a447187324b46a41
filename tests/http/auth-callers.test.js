// Access rules with everything but tokens of others: clients, passwords, certificates, signed requests, introspection; groups of
// them; what applications have to do with it; the form of refusals.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { spawn, spawnSync, execFile: execFileCallback } = require('node:child_process');
const { promisify } = require('node:util');
const { start, backend, until, freePort, SERVERS } = require('./harness');
const { Signer, provider, now } = require('./tokens');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' }, paths: {
  '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } },
    post: { operationId: 'create', responses: { 201: { description: 'ok' } } } } } });
const SERVER = SERVERS[0];
const execFile = promisify(execFileCallback);
const basic = (user, password) => ({ Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });
const sha256 = (v, enc = 'hex') => crypto.createHash('sha256').update(v).digest(enc);
const hmac = (key, v, enc) => crypto.createHmac('sha256', key).update(v).digest(enc);

// AWS Signature Version 4 by the book, with header fields.
function sigv4(url, { method = 'GET', body = '', id, secret, region = 'eu', service = 'execute-api', at = new Date() }) {
  const u = new URL(url);
  const stamp = at.toISOString().replace(/[-:]|\.\d+/g, '');
  const day = stamp.slice(0, 8);
  const hash = sha256(body);
  const canonical = [method, u.pathname, '', `host:${u.host}`, `x-amz-content-sha256:${hash}`, `x-amz-date:${stamp}`, '',
    'host;x-amz-content-sha256;x-amz-date', hash].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = ['aws4_request'].reduce((k, v) => hmac(k, v), hmac(hmac(hmac(`AWS4${secret}`, day), region), service));
  return { 'X-Amz-Date': stamp, 'X-Amz-Content-Sha256': hash,
    Authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${hmac(key, text, 'hex')}` };
}

// RFC 9421 with hmac-sha256.
function messageSignature(url, { method = 'GET', body, id, secret, created = now(), cover }) {
  const digest = body === undefined ? null : `sha-256=:${sha256(body, 'base64')}:`;
  const components = cover || ['@method', '@authority', '@path', ...(new URL(url).search ? ['@query'] : []), ...(digest ? ['content-digest'] : [])];
  const params = `(${components.map((c) => `"${c}"`).join(' ')});created=${created};keyid="${id}";alg="hmac-sha256";nonce="${crypto.randomUUID()}"`;
  const u = new URL(url);
  const values = { '@method': method, '@path': u.pathname, '@authority': u.host, '@query': u.search || '?', '@target-uri': u.href, 'content-digest': digest };
  const base = [...components.map((c) => `"${c}": ${values[c]}`), `"@signature-params": ${params}`].join('\n');
  return { 'Signature-Input': `sig1=${params}`, Signature: `sig1=:${hmac(secret, base, 'base64')}:`, ...(digest ? { 'Content-Digest': digest } : {}) };
}

describe(`callers behind ${SERVER}`, () => {
  let gw, things, idp;
  const secrets = {};
  const issuer = new Signer('k');
  const answers = { asked: 0, seen: [] };

  const call = async (api, headers = {}, { method = 'GET', body, query = '' } = {}) => {
    const r = await fetch(`${gw.url}/api/${api}/things${query}`, { method, headers, body });
    const text = await r.text();
    return { status: r.status, text, reason: (() => { try { return JSON.parse(text).reason; } catch { return undefined; } })(),
      challenge: r.headers.get('www-authenticate'), id: r.headers.get('x-request-id'), type: r.headers.get('content-type') };
  };
  const detail = (r) => JSON.parse(gw.cli('log', '--id', r.id, '--format', 'json').stdout.trim().split('\n')[0]);

  before(async () => {
    things = await backend();
    idp = await provider(issuer);
    answers.server = await backend((req, res, body) => {
      answers.asked += 1;
      answers.seen.push({ auth: req.headers.authorization, body: body.toString() });
      const token = new URLSearchParams(body.toString()).get('token');
      res.setHeader('Content-Type', 'application/json');
      if (token === 'broken') { res.statusCode = 500; return res.end('{}'); }
      if (token === 'good-slow') { answers.slow = res; return undefined; }
      return res.end(JSON.stringify(token.startsWith('good') ? { active: true, scope: 'things.read', sub: 'u1', client_id: 'app1', exp: now() + 60 }
        : { active: false }));
    });
    gw = await start({ server: SERVER, workers: 2, setup(g) {
      const api = (id, rule, ...more) => {
        g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', id, '--name', id, '--backend', things.url, ...more);
        if (rule) g.cli('access', 'set', '--api', id, ...(Array.isArray(rule) ? rule : [rule]));
      };
      g.cli('product', 'create', 'gold', '--rate', '1000/60');
      g.cli('named-value', 'set', 'introspect-secret', '--secret', '--file', g.file('s', 'p@ss:word'));
      api('client', 'client', '--product', 'gold');
      api('other', 'client');
      api('anypoint', ['--file', g.file('a.json', JSON.stringify({ anyOf: [{ method: 'client' }], profile: 'anypoint' }))], '--product', 'gold');
      api('basic', 'basic(group=night)');
      api('hmac', 'hmac(window=60)');
      api('cavage', 'hmac(scheme=cavage, window=60)');
      api('parts', 'hmac(scheme=plain, window=60)');
      api('sigv4', 'sigv4(region=eu, window=60)');
      api('opaque', `introspect(endpoint=${answers.server.url}/introspect, client-id=gate way, client-secret={{introspect-secret}}, scope=things.read, cache=60)`);
      api('mixed', `key | jwt(issuer=${idp.issuer}) + basic`, '--product', 'gold');
      api('identity', ['--file', g.file('i.yaml', `anyOf: [ { method: jwt, issuer: '${idp.issuer}' } ]
identity:
  headers: { X-Who: username, X-Mail: "claim:email", X-App: application, X-Product: product }
  token: { header: X-Identity, audience: erp, lifetime: 60, claims: [email, dept] }
`)], '--product', 'gold');
      g.cli('application', 'create', 'mes', '--name', 'MES hall 3');
      g.cli('subscription', 'create', '--product', 'gold', '--application', 'mes', '--id', 'sub-mes');
      secrets.mes = g.cli('caller', 'create', 'client', 'mes-client', '--application', 'mes', '--format', 'json').json().secret;
      g.cli('caller', 'create', 'basic', 'ann', '--group', 'night', '--password-file', g.file('pw', 'correct horse'));
      g.cli('caller', 'create', 'basic', 'bob', '--group', 'day', '--password-file', g.file('pw', 'battery staple'));
      secrets.ak = g.cli('caller', 'create', 'signing', 'AK1', '--application', 'mes', '--format', 'json').json().secret;
      g.cli('caller', 'create', 'token', `${idp.issuer} mes-at-idp`, '--application', 'mes');
      secrets.key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
    } });
  });
  after(async () => {
    await Promise.all([things, idp, answers.server].map((b) => b.close()));
    await gw.stop();
  });

  describe('client id and secret', () => {
    const fields = (id, secret) => ({ 'Client-Id': id, 'Client-Secret': secret });

    it('come as fields or as Basic, and never reach the backend', async () => {
      const seen = things.seen.length;
      assert.equal((await call('client', fields('mes-client', secrets.mes))).status, 200);
      assert.equal((await call('client', basic('mes-client', secrets.mes))).status, 200);
      for (const s of things.seen.slice(seen)) {
        assert.ok(!JSON.stringify(s.headers).includes(secrets.mes));
        assert.equal(s.headers.authorization, undefined);
        assert.equal(s.headers['x-consumer-id'], 'mes');
        assert.equal(s.headers['x-consumer-username'], 'MES hall 3');
      }
    });

    it('count for the application and its subscription', async () => {
      const row = detail(await call('client', fields('mes-client', secrets.mes)));
      assert.deepEqual([row.application, row.subscription, row.product], ['mes', 'sub-mes', 'gold']);
    });

    it('are refused when missing, wrong, without a subscription, suspended', async () => {
      const missing = await call('client');
      assert.deepEqual([missing.status, missing.reason], [401, 'client_missing']);
      assert.match(missing.challenge, /^Basic realm=/);
      assert.equal((await call('client', fields('mes-client', `${secrets.mes}x`))).reason, 'client_invalid');
      assert.equal((await call('client', fields('nobody', secrets.mes))).reason, 'client_invalid');
      const other = await call('other', fields('mes-client', secrets.mes));
      assert.deepEqual([other.status, other.reason], [403, 'subscription_none']);
      assert.match(detail(other).detail, /expected="one that opens API other" got="application mes: none for this API"/);
      gw.cli('caller', 'set', 'client', 'mes-client', '--suspended', 'yes');
      assert.equal((await call('client', fields('mes-client', secrets.mes))).reason, 'caller_suspended', 'of the next call');
      gw.cli('caller', 'set', 'client', 'mes-client', '--suspended', 'no');
      assert.equal((await call('client', fields('mes-client', secrets.mes))).status, 200);
    });

    it('both secrets work while one replaces the other', async () => {
      const next = gw.cli('caller', 'rotate', 'client', 'mes-client', '--keep-old', '600', '--format', 'json').json().secret;
      assert.equal((await call('client', fields('mes-client', next))).status, 200);
      assert.equal((await call('client', fields('mes-client', secrets.mes))).status, 200);
      secrets.mes = gw.cli('caller', 'rotate', 'client', 'mes-client', '--keep-old', '0', '--format', 'json').json().secret;
      assert.equal((await call('client', fields('mes-client', next))).status, 401, 'the end of the old one');
    });

    it('refuse as Anypoint does where the profile says so', async () => {
      const r = await call('anypoint', fields('mes-client', 'wrong-secret-of-it'));
      assert.equal(r.status, 401);
      assert.equal(r.text, '{ "error": "Invalid client id or secret" }');
      assert.equal(r.challenge, 'Client-ID-Enforcement');
      assert.equal((await call('anypoint', fields('mes-client', secrets.mes))).status, 200);
    });
  });

  describe('user name and password', () => {
    it('let a user of the group in', async () => {
      const seen = things.seen.length;
      const all = await Promise.all(Array.from({ length: 8 }, () => call('basic', basic('ann', 'correct horse'))));
      assert.deepEqual(all.map((r) => r.status), all.map(() => 200));
      assert.equal(things.seen[seen].headers['x-consumer-username'], 'ann');
      assert.equal(things.seen[seen].headers['x-consumer-groups'], 'night');
    });

    it('refuse all others, known or not', async () => {
      assert.equal((await call('basic', basic('ann', 'incorrect horse'))).reason, 'basic_invalid');
      assert.equal((await call('basic', basic('nobody', 'correct horse'))).reason, 'basic_invalid');
      assert.equal((await call('basic', { Authorization: 'Basic %%%' })).reason, 'basic_missing');
      const bob = await call('basic', basic('bob', 'battery staple'));
      assert.deepEqual([bob.status, bob.reason], [403, 'group_missing']);
      assert.match((await call('basic')).challenge, /^Basic realm="gatehouse", charset="UTF-8"$/);
    });

    it('a changed password is one at once', async () => {
      gw.cli('caller', 'set', 'basic', 'bob', '--group', 'night', '--password-file', gw.file('pw', 'tr0ub4dor&3'));
      assert.equal((await call('basic', basic('bob', 'tr0ub4dor&3'))).status, 200);
      assert.equal((await call('basic', basic('bob', 'battery staple'))).reason, 'basic_invalid');
    });
  });

  describe('signed requests', () => {
    const url = (api) => `${gw.url}/api/${api}/things`;
    const sign = (options = {}) => messageSignature(url('hmac'), { id: 'AK1', secret: secrets.ak, ...options });
    const aws = (options = {}) => sigv4(url('sigv4'), { id: 'AK1', secret: secrets.ak, ...options });

    it('RFC 9421: pass once, with their body', async () => {
      const headers = sign();
      assert.equal((await call('hmac', headers)).status, 200);
      const again = await call('hmac', headers);
      assert.deepEqual([again.status, again.reason], [401, 'signature_replay']);
      const body = JSON.stringify({ a: 'x'.repeat(100000) });
      const r = await call('hmac', sign({ method: 'POST', body }), { method: 'POST', body });
      assert.equal(r.status, 200, r.text);
      assert.equal(things.seen.at(-1).body.toString(), body, 'the body went on after it was checked');
      assert.equal(things.seen.at(-1).headers['x-consumer-id'], 'mes');
    });

    const bad = [
      ['no signature', () => ({}), 'signature_missing'],
      ['an unknown key', () => sign({ id: 'AK2' }), 'signature_key'],
      ['another secret', () => sign({ secret: `${secrets.ak}x` }), 'signature_invalid'],
      ['another method', () => sign({ method: 'DELETE' }), 'signature_invalid'],
      ['too old', () => sign({ created: now() - 120 }), 'signature_time'],
      ['too early', () => sign({ created: now() + 120 }), 'signature_time'],
      ['only the method is signed', () => sign({ cover: ['@method'] }), 'signature_cover'],
      ['the method is not signed', () => sign({ cover: ['@target-uri'] }), 'signature_cover'],
      ['the host is not signed', () => sign({ cover: ['@method', '@path'] }), 'signature_cover'],
      ['rubbish', () => ({ Signature: 'sig1=:AAAA:', 'Signature-Input': 'sig1=(((' }), 'signature_malformed'],
    ];
    for (const [label, make, reason] of bad)
      it(`RFC 9421: ${label}: ${reason}`, async () => {
        const seen = things.seen.length;
        const r = await call('hmac', make());
        assert.deepEqual([r.status, r.reason], [401, reason], r.text);
        assert.equal(things.seen.length, seen);
      });

    it('RFC 9421: a query must be signed when there is one', async () => {
      const asked = async (query, headers) => {
        const r = await fetch(`${url('hmac')}${query}`, { headers });
        return r.status === 200 ? 200 : (await r.json()).reason;
      };
      assert.equal(await asked('?a=1', sign({ cover: ['@method', '@authority', '@path'] })), 'signature_cover');
      assert.equal(await asked('?a=1', messageSignature(`${url('hmac')}?a=1`, { id: 'AK1', secret: secrets.ak })), 200);
      assert.equal(await asked('?a=2', messageSignature(`${url('hmac')}?a=1`, { id: 'AK1', secret: secrets.ak })), 'signature_invalid');
      assert.equal(await asked('?a=1', messageSignature(`${url('hmac')}?a=1`, { id: 'AK1', secret: secrets.ak, cover: ['@method', '@target-uri'] })), 200);
    });

    it('RFC 9421: another body, a body that is not signed', async () => {
      const headers = sign({ method: 'POST', body: 'one' });
      assert.equal((await call('hmac', headers, { method: 'POST', body: 'two' })).reason, 'signature_body');
      assert.equal((await call('hmac', sign({ method: 'POST' }), { method: 'POST', body: 'two' })).reason, 'signature_cover');
    });

    // draft-cavage-http-signatures, in the form of its authors and in the one of Kong
    const cavage = ({ id = 'AK1', secret = secrets.ak, method = 'GET', target = '/api/cavage/things', cover, date = new Date().toUTCString(), body, kong,
      algorithm = 'hmac-sha256' } = {}) => {
      const words = kong ? ['@request-target', 'host', 'x-date'] : ['(request-target)', 'host', 'date'];
      const fields = { host: new URL(gw.url).host, date, 'x-date': date,
        ...(body === undefined ? {} : { digest: `SHA-256=${crypto.createHash('sha256').update(body).digest('base64')}` }) };
      const names = cover || [...words, ...(body === undefined ? [] : ['digest'])];
      const text = names.map((n) => `${n}: ${/request-target/.test(n) ? `${method.toLowerCase()} ${target}` : fields[n]}`).join('\n');
      const how = { 'hmac-sha256': 'sha256', 'hmac-sha512': 'sha512', 'rsa-sha256': 'sha256' }[algorithm];
      const signature = crypto.createHmac(how, secret).update(text).digest('base64');
      const authorization = kong ? `hmac username="${id}", algorithm="${algorithm}", headers="${names.join(' ')}", signature="${signature}"`
        : `Signature keyId="${id}",algorithm="${algorithm}",headers="${names.join(' ')}",signature="${signature}"`;
      const { host, ...rest } = fields;
      return { Authorization: authorization, ...rest };
    };

    it('HTTP Signatures (draft-cavage): both spellings pass, once, with their body', async () => {
      for (const options of [{}, { kong: true }, { algorithm: 'hmac-sha512' }]) {
        const headers = cavage(options), r = await call('cavage', headers);
        assert.equal(r.status, 200, r.text);
        assert.equal(things.seen.at(-1).headers['x-consumer-id'], 'mes');
        assert.equal((await call('cavage', headers)).reason, 'signature_replay');
      }
      const body = 'x'.repeat(70000), r = await call('cavage', cavage({ method: 'POST', body }), { method: 'POST', body });
      assert.equal(r.status, 200, r.text);
      assert.equal(things.seen.at(-1).body.toString(), body);
    });

    it('HTTP Signatures (draft-cavage): what is wrong is refused with its reason, and reaches no backend', async () => {
      const rows = [
        ['no signature', {}, {}, 'signature_missing'],
        ['an unknown key', cavage({ id: 'AK2' }), {}, 'signature_key'],
        ['another secret', cavage({ secret: 'another secret of good length' }), {}, 'signature_invalid'],
        ['another method', cavage({ method: 'DELETE' }), {}, 'signature_invalid'],
        ['another address', cavage({ target: '/api/cavage/things?a=1' }), {}, 'signature_invalid'],
        ['too old', cavage({ date: new Date(Date.now() - 120000).toUTCString() }), {}, 'signature_time'],
        ['too early', cavage({ date: new Date(Date.now() + 120000).toUTCString() }), {}, 'signature_time'],
        ['the time is not signed', cavage({ cover: ['(request-target)', 'host'] }), {}, 'signature_cover'],
        ['the address is not signed', cavage({ cover: ['host', 'date'] }), {}, 'signature_cover'],
        ['the host is not signed', cavage({ cover: ['(request-target)', 'date'] }), {}, 'signature_cover'],
        ['a field that is not there', cavage({ cover: ['(request-target)', 'host', 'date', 'x-none'] }), {}, 'signature_cover'],
        ['another algorithm', cavage({ algorithm: 'rsa-sha256' }), {}, 'signature_malformed'],
        ['another body', cavage({ method: 'POST', body: 'one' }), { method: 'POST', body: 'two' }, 'signature_body'],
        ['a body that is not signed', cavage({ method: 'POST' }), { method: 'POST', body: 'two' }, 'signature_cover'],
        ['rubbish', { Authorization: 'Signature keyId="AK1' }, {}, 'signature_malformed'],
        ['no key', { Authorization: 'Signature signature="AAAA"' }, {}, 'signature_malformed'],
      ];
      const seen = things.seen.length;
      for (const [label, headers, options, reason] of rows) {
        const r = await call('cavage', headers, options);
        assert.deepEqual([r.status, r.reason], [401, reason], `${label}: ${r.text}`);
      }
      assert.equal(things.seen.length, seen);
    });

    const plain = ({ id = 'AK1', secret = secrets.ak, method = 'GET', target = '/api/parts/things', at = now(), body = '', nonce = crypto.randomUUID() } = {}) => ({
      'X-Key-Id': id, 'X-Timestamp': `${at}`, 'X-Nonce': nonce,
      'X-Signature': hmac(secret, [method, target, new URL(gw.url).host, at, nonce, crypto.createHash('sha256').update(body).digest('hex')].join('\n'), 'hex') });

    it('a plain HMAC over parts of the request: passes once; anything else does not', async () => {
      const headers = plain(), r = await call('parts', headers);
      assert.equal(r.status, 200, r.text);
      assert.equal((await call('parts', headers)).reason, 'signature_replay');
      assert.equal((await call('parts', plain({ method: 'POST', body: 'one' }), { method: 'POST', body: 'one' })).status, 200);
      const rows = [[{}, {}, 'signature_missing'], [plain({ id: 'AK2' }), {}, 'signature_key'], [plain({ secret: 'x' }), {}, 'signature_invalid'],
        [plain({ method: 'PUT' }), {}, 'signature_invalid'], [plain({ at: now() - 120 }), {}, 'signature_time'], [plain({ at: now() + 120 }), {}, 'signature_time'],
        [plain({ method: 'POST', body: 'one' }), { method: 'POST', body: 'two' }, 'signature_invalid'], [{ ...plain(), 'X-Nonce': 'n' }, {}, 'signature_invalid'],
        [{ ...plain(), 'X-Signature': 'zz' }, {}, 'signature_malformed']];
      for (const [given, options, reason] of rows) {
        const bad = await call('parts', given, options);
        assert.deepEqual([bad.status, bad.reason], [401, reason], bad.text);
      }
    });

    it('AWS Signature Version 4', async () => {
      const headers = aws();
      const r = await call('sigv4', headers);
      assert.equal(r.status, 200, r.text);
      assert.equal((await call('sigv4', headers)).reason, 'signature_replay');
      assert.equal((await call('sigv4', aws({ method: 'POST', body: '{}' }), { method: 'POST', body: '{}' })).status, 200);
      assert.equal((await call('sigv4', aws({ method: 'POST', body: '{}' }), { method: 'POST', body: '[]' })).reason, 'signature_body');
      assert.equal((await call('sigv4', aws({ secret: 'x'.repeat(40) }))).reason, 'signature_invalid');
      assert.equal((await call('sigv4', aws({ region: 'us' }))).reason, 'signature_key');
      assert.equal((await call('sigv4', aws({ at: new Date(Date.now() - 600000) }))).reason, 'signature_time');
      assert.equal((await call('sigv4')).reason, 'signature_missing');
    });
  });

  describe('tokens that their issuer is asked about', () => {
    it('are asked about once while the answer lasts', async () => {
      const token = { Authorization: 'Bearer good-1' };
      const all = [];
      for (let i = 0; i < 6; i++) all.push(await call('opaque', token));
      assert.deepEqual(all.map((r) => r.status), all.map(() => 200));
      assert.ok(answers.asked <= 2, 'once for each worker');
      assert.equal(answers.seen[0].auth, `Basic ${Buffer.from('gate%20way:p%40ss%3Aword').toString('base64')}`);
      assert.equal(things.seen.at(-1).headers['x-consumer-id'], 'u1');
    });

    it('are refused when they are not active, and 503 when nobody can say', async () => {
      assert.equal((await call('opaque', { Authorization: 'Bearer bad-1' })).reason, 'token_inactive');
      const r = await call('opaque', { Authorization: 'Bearer broken' });
      assert.deepEqual([r.status, r.reason], [503, 'issuer_unavailable']);
      assert.equal((await call('opaque')).reason, 'token_missing');
    });
  });

  describe('groups', () => {
    const token = () => ({ Authorization: `Bearer ${issuer.token({ iss: idp.issuer, sub: 'x', exp: now() + 60 })}` });

    it('any will do, all of one must pass', async () => {
      assert.equal((await call('mixed', { 'X-Api-Key': secrets.key })).status, 200);
      const half = await call('mixed', token());
      assert.deepEqual([half.status, half.reason], [401, 'basic_missing']);
      const wrong = await call('mixed', { 'X-Api-Key': 'not-a-key-of-anybody' });
      assert.equal(wrong.status, 401);
      assert.match(wrong.text, /invalid subscription key/);
      for (const scheme of ['AzureApiManagementKey', 'Bearer', 'Basic']) assert.ok(wrong.challenge.includes(scheme), wrong.challenge);
      assert.match((await call('mixed')).text, /missing subscription key/);
    });

    it('a product without a rule is opened by its key beside one that has a rule', async () => {
      gw.cli('product', 'create', 'tokens');
      gw.cli('product', 'add-api', 'tokens', 'other');
      gw.cli('product', 'add-api', 'gold', 'other');
      gw.cli('access', 'delete', '--api', 'other');
      gw.cli('access', 'set', '--product', 'tokens', `jwt(issuer=${idp.issuer})`);
      await until(async () => (await call('other', token())).status === 200, 'the rule of the product');
      assert.equal((await call('other', { 'X-Api-Key': secrets.key })).status, 200);
      const row = detail(await call('other', token()));
      assert.equal(row.product, 'tokens');
      assert.equal((await call('other')).status, 401);
    });
  });

  describe('what the backend learns', () => {
    it('fields as the rule names them, the application of the token, and a signed token', async () => {
      const seen = things.seen.length;
      const r = await call('identity', { 'X-Who': 'root', 'X-Identity': 'forged', 'X-Mail': 'root@example.com',
        Authorization: `Bearer ${issuer.token({ iss: idp.issuer, azp: 'mes-at-idp', sub: 's', exp: now() + 60, email: 'a\u00e4@example.com\r\nX: y', dept: 7 })}` });
      assert.equal(r.status, 200, r.text);
      const h = things.seen[seen].headers;
      assert.equal(h['x-app'], 'mes');
      assert.equal(h['x-product'], 'gold');
      assert.equal(h['x-mail'], encodeURIComponent('a\u00e4@example.com\r\nX: y'));
      assert.equal(h['x-consumer-id'], undefined);
      assert.equal(detail(r).application, 'mes');

      const jwks = await (await fetch(`${gw.url}/api/-/identity/jwks`)).json();
      const [head, payload, signature] = h['x-identity'].split('.');
      const { kid, alg } = JSON.parse(Buffer.from(head, 'base64url'));
      const key = crypto.createPublicKey({ key: jwks.keys.find((k) => k.kid === kid), format: 'jwk' });
      assert.equal(alg, 'ES256');
      assert.ok(crypto.verify('sha256', Buffer.from(`${head}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
      const claims = JSON.parse(Buffer.from(payload, 'base64url'));
      assert.equal(claims.aud, 'erp');
      assert.equal(claims.dept, 7);
      assert.equal(claims.sub, 'mes');
      assert.equal(claims.exp - claims.iat, 60);
      assert.equal(claims.iss, `${gw.url}/api/-/identity`);
    });

    it('keys are changed while running; an identity is no access token', async () => {
      const before = things.seen.at(-1).headers['x-identity'];
      const { id } = gw.cli('auth-key', 'rotate', '--purpose', 'identity', '--format', 'json').json();
      const auth = () => ({ Authorization: `Bearer ${issuer.token({ iss: idp.issuer, sub: 's', exp: now() + 60 })}` });
      await until(async () => {
        await call('identity', auth());
        return JSON.parse(Buffer.from(things.seen.at(-1).headers['x-identity'].split('.')[0], 'base64url')).kid === id;
      }, 'the new key');
      const { keys } = await (await fetch(`${gw.url}/api/-/identity/jwks`)).json();
      assert.equal(keys.length, 2, 'the old one stays published');
      assert.equal((await call('identity', { Authorization: `Bearer ${before}` })).status, 401);
      assert.equal((await call('client', { Authorization: `Bearer ${before}` })).status, 401);
    });
  });

  it('a trace shows neither the secret nor the identity that is sent', async () => {
    const debug = gw.cli('trace', 'token', '--all', '--format', 'json').json().token;
    for (const [api, headers] of [['client', { 'Client-Id': 'mes-client', 'Client-Secret': secrets.mes }],
      ['identity', { Authorization: `Bearer ${issuer.token({ iss: idp.issuer, sub: 's', exp: now() + 60 })}` }]]) {
      const r = await fetch(`${gw.url}/api/${api}/things`, { headers: { ...headers, 'Apim-Debug-Authorization': debug } });
      assert.equal(r.status, 200);
      await r.arrayBuffer();
      const shown = gw.cli('trace', 'show', r.headers.get('apim-trace-id')).stdout;
      assert.ok(shown.length > 100);
      for (const secret of [secrets.mes, headers.Authorization, things.seen.at(-1).headers['x-identity']].filter(Boolean))
        assert.ok(!shown.includes(secret), api);
    }
  });

  it('a caller who leaves while he is checked harms nobody', async () => {
    const seen = things.seen.length;
    const leave = async (api, headers, ready) => {
      const gone = new AbortController();
      const left = fetch(`${gw.url}/api/${api}/things`, { headers, signal: gone.signal }).then((r) => r.status, () => 'left');
      await ready();
      gone.abort();
      assert.equal(await left, 'left');
    };
    await leave('opaque', { Authorization: 'Bearer good-slow' }, () => until(() => answers.slow, 'the question'));
    answers.slow.end(JSON.stringify({ active: true, scope: 'things.read', sub: 'slow' }));
    for (let i = 0; i < 8; i++) await leave('basic', basic('ann', `wrong-${i}`), () => new Promise((r) => setTimeout(r, 5)));
    assert.equal((await call('basic', basic('ann', 'correct horse'))).status, 200);
    assert.equal((await call('opaque', { Authorization: 'Bearer good-2' })).status, 200);
    assert.ok(things.seen.length <= seen + 3);     // lighttpd does not tell that a client has gone: his call may go on
  });

  it('a rule that cannot be made good leaves the last good one in force', async () => {
    const refused = gw.cli('access', 'set', '--api', 'basic', 'jwt(issuer=partner, key={{nobody-has-set-this}})', { fails: true });
    assert.match(refused.stderr, /there is no named value 'nobody-has-set-this'/);
    // a store of a time when nothing kept the value
    spawnSync('sqlite3', ['-cmd', '.timeout 10000', `${gw.state}/config.db`, `UPDATE access_rule SET rule = '{"anyOf":[{"method":"jwt","issuer":"partner","key":"{{nobody-has-set-this}}"}]}' WHERE api_id = 'basic'`]);
    gw.cli('api', 'set', 'basic', '--description', 'once more');
    await until(() => /nobody-has-set-this/.test(gw.log('serve')), 'the refusal in the log');
    assert.match(gw.log('serve'), /access rule of API basic, jwt, key: there is no named value/);
    assert.equal((await call('basic')).reason, 'basic_missing');
    assert.equal((await call('basic', basic('ann', 'correct horse'))).status, 200);
    gw.cli('access', 'set', '--api', 'basic', 'basic');
    await until(async () => (await call('basic', basic('bob', 'tr0ub4dor&3'))).status === 200, 'the next good one');
  });

  it('a header of the default set never passes, rule or not', async () => {
    gw.cli('import', 'openapi', gw.file('things.json', DESCRIPTION), '--path', 'plain', '--name', 'plain', '--backend', things.url, '--product', 'gold');
    await until(async () => (await call('plain', { 'X-Api-Key': secrets.key })).status === 200, 'the new API');
    await call('plain', { 'X-Api-Key': secrets.key, 'X-Consumer-Id': 'root' });
    assert.equal(things.seen.at(-1).headers['x-consumer-id'], undefined);
  });
});

// The web server asks for a certificate and hands it on, whatever it is worth.
describe(`client certificates behind ${SERVER}`, () => {
  let gw, things, dir, responderPort;
  const openssl = (...args) => {
    const r = spawnSync('openssl', args, { encoding: 'utf8', cwd: dir });
    assert.equal(r.status, 0, r.stderr);
  };
  const curl = async (api, ...args) => {
    const { stdout } = await execFile('curl', ['-sk', '-m', '10', '-w', '\n%{http_code}', `${gw.tlsUrl}/api/${api}/things`, ...args], { cwd: dir });
    const lines = stdout.split('\n');
    return [Number(lines.at(-1)), JSON.parse(lines[0] || '{}').reason];
  };
  const cert = (name) => ['--cert', `${name}.pem`, '--key', `${name}.key`];

  before(async () => {
    dir = fs.mkdtempSync('/tmp/gatehouse-certs-');
    const make = (name, subject, ca, ...more) => {
      openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
      openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-out', `${name}.pem`, '-days', '2', ...more);
    };
    const authority = (name) => openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`,
      '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2');
    authority('partners');
    authority('strangers');
    make('mes', '/O=Example/CN=mes', 'partners');
    make('erp', '/O=Example/CN=erp', 'partners');
    make('revoked', '/O=Example/CN=revoked', 'partners');
    make('foreign', '/O=Example/CN=mes', 'strangers');
    make('server', '/CN=127.0.0.1', 'partners');
    responderPort = await freePort();
    fs.writeFileSync(path.join(dir, 'asks'), `authorityInfoAccess=OCSP;URI:http://127.0.0.1:${responderPort}\n`);
    for (const name of ['asked', 'withdrawn', 'unheard']) make(name, `/O=Example/CN=${name}`, 'partners', '-extfile', 'asks');
    fs.writeFileSync(path.join(dir, 'index.txt'), '');
    fs.writeFileSync(path.join(dir, 'crlnumber'), '01\n');
    fs.writeFileSync(path.join(dir, 'ca.cnf'), '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=2\n');
    openssl('ca', '-config', 'ca.cnf', '-keyfile', 'partners.key', '-cert', 'partners.pem', '-revoke', 'revoked.pem');
    openssl('ca', '-config', 'ca.cnf', '-keyfile', 'partners.key', '-cert', 'partners.pem', '-gencrl', '-out', 'list.pem');
    for (const name of ['asked', 'erp']) openssl('ca', '-config', 'ca.cnf', '-keyfile', 'partners.key', '-cert', 'partners.pem', '-valid', `${name}.pem`);
    openssl('ca', '-config', 'ca.cnf', '-keyfile', 'partners.key', '-cert', 'partners.pem', '-revoke', 'withdrawn.pem');
    const thumb = crypto.createHash('sha256').update(new crypto.X509Certificate(fs.readFileSync(path.join(dir, 'erp.pem'))).raw).digest('hex');
    things = await backend();
    gw = await start({ server: SERVER, workers: 1, tls: { cert: path.join(dir, 'server.pem'), key: path.join(dir, 'server.key'), ca: path.join(dir, 'partners.pem') }, setup(g) {
      const api = (id, rule) => {
        g.cli('import', 'openapi', g.file('things.json', DESCRIPTION), '--path', id, '--name', id, '--backend', things.url);
        g.cli('access', 'set', '--api', id, rule);
      };
      g.cli('certificate', 'set', 'partners', '--file', path.join(dir, 'partners.pem'), '--authority');
      g.cli('named-value', 'set', 'list', '--file', path.join(dir, 'list.pem'));
      g.cli('application', 'create', 'mes');
      g.cli('caller', 'create', 'certificate', 'CN=mes,O=Example', '--application', 'mes');
      api('ca', 'cert(ca=partners)');
      api('crl', 'cert(ca=partners, crl={{list}})');
      api('online', 'cert(ca=partners, revocation=online)');
      api('told', `cert(ca=partners, revocation=online, responder=http://127.0.0.1:${responderPort})`);
      api('thumb', `cert(thumbprint=${thumb.toUpperCase().match(/../g).join(':')})`);
      api('subject', 'cert(ca=partners, subject=CN=mes)');
      api('both', 'cert(ca=partners) + anonymous | key');
    } });
  });
  after(async () => {
    await things.close();
    await gw.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('are checked against authority, list, thumbprint, subject', async () => {
    assert.deepEqual(await curl('ca'), [401, 'certificate_missing']);
    assert.deepEqual(await curl('ca', ...cert('mes')), [200, undefined]);
    assert.equal(things.seen.at(-1).headers['x-consumer-id'], 'mes');
    // lighttpd does not hand on what it does not believe
    const untrusted = SERVER === 'lighttpd' ? [401, 'certificate_missing'] : [403, 'certificate_untrusted'];
    assert.deepEqual(await curl('ca', ...cert('foreign')), untrusted);
    assert.deepEqual(await curl('crl', ...cert('mes')), [200, undefined]);
    assert.deepEqual(await curl('crl', ...cert('revoked')), [403, 'certificate_revoked']);
    assert.deepEqual(await curl('thumb', ...cert('erp')), [200, undefined]);
    assert.deepEqual(await curl('thumb', ...cert('mes')), [403, 'certificate_other']);
    assert.deepEqual(await curl('subject', ...cert('mes')), [200, undefined]);
    assert.deepEqual(await curl('subject', ...cert('erp')), [403, 'certificate_other']);
    assert.deepEqual(await curl('both', ...cert('mes')), [200, undefined]);
    if (SERVER !== 'lighttpd') assert.deepEqual(await curl('both', ...cert('foreign')), untrusted);
  });

  it('are asked about at the responder that they name, and what nobody knows is not let in', async () => {
    const responder = spawn('openssl', ['ocsp', '-index', 'index.txt', '-port', String(responderPort), '-rsigner', 'partners.pem', '-rkey',
      'partners.key', '-CA', 'partners.pem', '-ndays', '1'], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => { responder.once('exit', resolve); });
    try {
      await new Promise((resolve, reject) => {     // its own word that it listens
        responder.stdout.on('data', (text) => /ACCEPT/.test(text) && resolve());
        responder.stderr.on('data', (text) => /waiting for/.test(text) && resolve());
        responder.once('exit', () => reject(new Error('the responder ended')));
      });
      assert.deepEqual(await curl('online', ...cert('asked')), [200, undefined]);
      assert.deepEqual(await curl('online', ...cert('withdrawn')), [403, 'certificate_revoked']);
      assert.deepEqual(await curl('online', ...cert('unheard')), [403, 'certificate_revoked']);
      assert.deepEqual(await curl('online', ...cert('mes')), [403, 'certificate_revoked'], 'it names nobody who could be asked');
      assert.deepEqual(await curl('ca', ...cert('withdrawn')), [200, undefined], 'nobody is asked without the word');
      // the rule's own responder is asked about those that name none, and its word is no more than theirs
      assert.deepEqual(await curl('online', ...cert('erp')), [403, 'certificate_revoked']);
      assert.deepEqual(await curl('told', ...cert('erp')), [200, undefined]);
      assert.deepEqual(await curl('told', ...cert('mes')), [403, 'certificate_revoked'], 'it does not know this one');
      assert.deepEqual(await curl('told', ...cert('withdrawn')), [403, 'certificate_revoked']);
    } finally {
      responder.kill();
      await ended;
    }
    assert.deepEqual(await curl('online', ...cert('asked')), [200, undefined], 'what was said is kept');
    const row = await until(() => gw.cli('log', '-n', '50', '--format', 'json').stdout.trim().split('\n').map((l) => JSON.parse(l))
      .find((r) => r.reason === 'certificate_revoked' && r.detail?.includes('responder')), 'the record');
    assert.match(row.detail, /^method=cert check="revocation" expected="a good word of a responder or a current list" got=".*CN=/);
  });

  it('cannot be sent as a field by the client', async () => {
    const pem = encodeURIComponent(fs.readFileSync(path.join(dir, 'mes.pem'), 'utf8'));
    for (const name of ['SSL-Client-Cert', 'X-SSL-Client-Cert', 'Client-Cert', 'X-Forwarded-Client-Cert'])
      assert.deepEqual(await curl('ca', '-H', `${name}: ${pem}`), [401, 'certificate_missing']);
  });
});
