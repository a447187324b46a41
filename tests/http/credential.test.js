// What the gateway shows to backends: each kind of credential against a backend that checks it, each way to a token against an
// endpoint that checks the client, and what happens when something of it is missing, slow, broken or changed.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const https = require('node:https');
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { start, backend, until, SERVERS } = require('./harness');
const { tokenEndpoint } = require('./token-endpoint');
const { Signer, provider } = require('./tokens');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': Object.fromEntries(['get', 'post', 'put'].map((m) => [m, { operationId: m, responses: { 200: { description: 'ok' } } }])) } });
const sha256 = (s, how = 'hex') => crypto.createHash('sha256').update(s).digest(how);
const hmac = (key, s, how) => crypto.createHmac('sha256', key).update(s).digest(how);

describe(`credentials behind ${SERVERS[0]}`, () => {
  let gw, echo, idp, tlsIdp, tlsBackend;
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = crypto.generateKeyPairSync('ed25519');
  const pem = (k) => k.privateKey.export({ type: 'pkcs8', format: 'pem' });

  before(async () => {
    idp = await tokenEndpoint();
    echo = await backend();
    gw = await start({ server: SERVERS[0], workers: 2, config: { 'credential.timeout_ms': 3000 }, setup(g) {
      g.file('things.json', DESCRIPTION);
      g.cli('product', 'create', 'open', '--require-key', 'no');
    } });
  });
  after(async () => { await gw?.stop(); await echo?.close(); await idp?.close(); await tlsIdp?.close(); tlsBackend?.close(); });

  const call = (api, options = {}, query = '') => fetch(`${gw.url}/api/${api}/things${query}`, options);
  const record = (r) => until(() => {
    const out = gw.cli('log', '--request-id', r.headers.get('x-request-id'), '--format', 'json').stdout.trim();
    return out && JSON.parse(out);
  }, 'the record');
  const secret = (field, text) => ['--secret-file', `${field}=${gw.file(`${field}-${Math.random()}`, `${text}\n`)}`];
  const credential = (id, ...args) => gw.cli('credential', 'set', id, ...args);
  // An API of that name whose backend is shown the credential of that name; waits until it answers as `ready` wants.
  async function serve(id, url = echo.url, ready = () => true, more = []) {
    gw.cli('backend', 'set', id, '--url', url, '--credential', id, ...more);
    gw.cli('import', 'openapi', path.join(gw.dir, 'things.json'), '--path', `new-${id}`, '--name', id, '--backend', url, '--product', 'open');
    gw.cli('api', 'set', id, '--path', id, '--backend-id', id);
    // a kept connection that the web server closes at this moment is no answer: asked again
    await until(async () => { const r = await call(id).catch(() => null); if (!r) return false; await r.arrayBuffer(); return r.status !== 404 && ready(r); }, `API ${id}`);
    echo.seen.length = 0;
  }
  const oauth = (id, kind, ...args) => credential(id, '--kind', kind, '--set', `token-url=${idp.url}`, '--set', `client-id=${idp.clientId}`, ...args);
  const seen = () => echo.seen.at(-1);

  it('a key in a header: the caller cannot put his own in its place', async () => {
    credential('key', '--kind', 'api-key', '--set', 'header=X-Erp-Key', '--set', 'prefix=Key ', ...secret('value', 'k-123'));
    await serve('key');
    const r = await call('key', { headers: { 'X-Erp-Key': 'mine', Authorization: 'Bearer of-the-caller' } });
    assert.equal(r.status, 200);
    assert.equal(seen().headers['x-erp-key'], 'Key k-123');
    assert.equal(seen().headers.authorization, 'Bearer of-the-caller');
  });

  it('a key in the query', async () => {
    credential('query', '--kind', 'api-key', '--set', 'query=code', ...secret('value', 'a b&c'));
    await serve('query');
    await call('query', {}, '?x=1&code=mine&y=2');
    assert.equal(seen().url, '/things?x=1&y=2&code=a%20b%26c');
  });

  // The management API is the way in here; the form and the files pass the same document.
  let token;
  const fixed = async (id, credentials) => {
    token = token || gw.cli('machine-token', 'create', 'pipeline', '--role', 'administrator', '--scope', 'write').stdout.trim();
    const r = await fetch(`${gw.url}/admin/api/v1/backends/${id}`, { method: 'PATCH', body: JSON.stringify({ credentials: JSON.stringify(credentials) }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json', 'if-match': '*' } });
    const text = await r.text();
    if (r.status === 200) await gw.adopted();
    return { status: r.status, text };
  };

  it('fixed headers and parameters of a backend: over what callers and policies set, in no trace, at no other backend', async () => {
    const other = await backend(), hops = await backend((req, res) => { res.writeHead(307, { Location: `${other.url}/hop` }); res.end(); });
    const KEY = 'fixed-key-5521', CODE = 'code &7731', BEARER = 'fixed-bearer-9', hidden = [KEY, CODE, encodeURIComponent(CODE), BEARER];
    const all = { header: { 'X-Erp-Key': ['k={{erp-fixed}}'], 'X-Tag': ['a', 'b'], 'X-Short': 'abc' }, query: { code: [CODE], n: '1' }, authorization: { scheme: 'Bearer', parameter: BEARER } };
    gw.cli('named-value', 'set', 'erp-fixed', '--secret', '--file', gw.file('erp-fixed', KEY));
    gw.cli('backend', 'set', 'fixed', '--url', echo.url);
    gw.cli('backend', 'set', 'fixed-plain', '--url', other.url);
    gw.cli('import', 'openapi', path.join(gw.dir, 'things.json'), '--path', 'fixed', '--name', 'fixed', '--backend', other.url, '--product', 'open');
    gw.cli('api', 'set', 'fixed', '--backend-id', 'fixed');
    for (const [wrong, why] of [[{ header: { Host: 'x' } }, /writes the header 'Host' by itself/], [{ headers: {} }, /has no 'headers'/], [{ header: { 'X A': 'b' } }, /no name of a header/]]) {
      const r = await fixed('fixed', wrong);
      assert.equal(r.status, 422, r.text);
      assert.match(r.text, why);
      assert.match(r.text, /\/credentials/);
    }
    assert.equal((await fixed('fixed', all)).status, 200);
    const policy = (inbound, forward = '<base/>') => gw.cli('policy', 'set', '--scope', 'api:fixed',
      gw.file('fixed.xml', `<policies><inbound><base/>${inbound}</inbound><backend>${forward}</backend><outbound><base/></outbound><on-error><base/></on-error></policies>`));
    const debug = gw.cli('trace', 'token', '--all').stdout.trim();
    const has = (h) => [h.headers['x-erp-key'], h.headers['x-tag'], h.headers['x-short'], h.headers.authorization, h.url];
    const want = (query) => [`k=${KEY}`, 'a, b', 'abc', `Bearer ${BEARER}`, `/things?${query}code=code%20%267731&n=1`];

    policy('<set-header name="X-Erp-Key" exists-action="override"><value>of-the-policy</value></set-header><set-query-parameter name="n" exists-action="override"><value>9</value></set-query-parameter>');
    gw.cli('capture', 'start', '--api', 'fixed');
    await gw.adopted();
    const r = await call('fixed', { headers: { 'x-short': 'mine', Authorization: 'Basic bWluZQ==', 'Apim-Debug-Authorization': debug } }, '?x=1&code=mine');
    assert.equal(r.status, 200);
    assert.deepEqual(has(seen()), want('x=1&'));
    const id = r.headers.get('x-request-id');
    const trace = await until(() => { const t = gw.cli('trace', 'show', id, '--format', 'json', { fails: true }); return t.code === 0 && t.stdout; }, 'the trace');
    // the backend sends back all that it was sent
    const captured = await until(() => { const t = gw.cli('capture', 'show', id, '--format', 'json', { fails: true }); return t.code === 0 && t.stdout; }, 'the captured call');
    assert.match(captured, /x-erp-key/);
    for (const text of [trace, captured, JSON.stringify(await record(r))])
      for (const secret of hidden) assert.ok(!text.includes(secret), `${secret} in ${text}`);
    const sent = JSON.parse(trace).backend.headers;
    for (const name of ['X-Erp-Key', 'X-Short', 'X-Tag', 'Authorization']) assert.equal(sent.find((h) => h.name.toLowerCase() === name.toLowerCase()).value, '***', name);

    // each try by its own backend: retry at the same one, then at another one, by a policy, in a pool, as a mirror, over a redirect
    echo.seen.length = other.seen.length = 0;
    policy('', `<retry condition="@(context.Variables.GetValueOrDefault&lt;int&gt;(&quot;n&quot;, 0) &lt; 3)" count="2" interval="0" first-fast-retry="true"><set-variable name="n" value="@(context.Variables.GetValueOrDefault&lt;int&gt;(&quot;n&quot;, 0) + 1)"/>
      <choose><when condition="@((int)context.Variables[&quot;n&quot;] == 3)"><set-backend-service backend-id="fixed-plain"/></when></choose><forward-request/></retry>`);
    assert.equal((await call('fixed')).status, 200);
    assert.deepEqual(echo.seen.map(has), [want(''), want('')]);
    assert.deepEqual(other.seen.map(has), [[undefined, undefined, undefined, undefined, '/things']]);
    const gone = await backend();
    await gone.close();
    gw.cli('backend', 'set', 'fixed-gone', '--url', gone.url);
    assert.equal((await fixed('fixed-gone', all)).status, 200);
    gw.cli('backend', 'set', 'fixed-pool', '--member', 'fixed-gone:1:1', '--member', 'fixed-plain:1:2');
    policy('<set-backend-service backend-id="fixed-pool"/>');
    assert.equal((await call('fixed')).status, 200);
    assert.deepEqual(has(other.seen.at(-1)), [undefined, undefined, undefined, undefined, '/things']);
    gw.cli('backend', 'set', 'fixed-hops', '--url', hops.url);
    assert.equal((await fixed('fixed-hops', all)).status, 200);
    policy('<set-backend-service backend-id="fixed-hops"/>', '<forward-request follow-redirects="true"/>');
    other.seen.length = 0;
    assert.equal((await call('fixed', { redirect: 'manual' })).status, 307);
    assert.equal((await fixed('fixed-hops', { authorization: all.authorization })).status, 200);
    assert.equal((await call('fixed')).status, 200);
    assert.equal(hops.seen.at(-1).headers.authorization, `Bearer ${BEARER}`);
    assert.deepEqual(other.seen.map(has), [[undefined, undefined, undefined, undefined, '/hop']]);

    policy('');
    gw.cli('mirror', 'set', 'fixed', '--backend', 'fixed-plain', '--percent', '100', '--credentials', 'yes');
    other.seen.length = 0;
    assert.equal((await call('fixed')).status, 200);
    await until(() => other.seen.length, 'the copy');
    assert.deepEqual(has(other.seen[0]), [undefined, undefined, undefined, undefined, '/things']);
    assert.equal((await fixed('fixed-plain', { header: { 'X-Erp-Key': 'of-the-mirror' }, query: { m: '1' } })).status, 200);
    other.seen.length = 0;
    assert.equal((await call('fixed')).status, 200);
    await until(() => other.seen.length, 'the copy');
    assert.deepEqual(has(other.seen[0]), ['of-the-mirror', undefined, undefined, undefined, '/things?m=1']);
    gw.cli('mirror', 'end', 'fixed');

    const kept = gw.cli('named-value', 'delete', 'erp-fixed', { fails: true });
    assert.match(kept.stderr, /named-value 'erp-fixed' is in use by backend 'fixed'/);
    gw.cli('named-value', 'set', 'erp-fixed', '--ref', 'file:/nowhere/at/all');
    echo.seen.length = 0;
    const without = await call('fixed');
    assert.equal(without.status, 502);
    const { reason, decision } = await record(without);
    assert.equal(reason, 'credential_unusable');
    assert.match(decision, /backend fixed: named value erp-fixed: nothing could be read for it yet/);
    assert.equal(echo.seen.length, 0);
    await Promise.all([other.close(), hops.close()]);
  });

  it('basic', async () => {
    credential('basic', '--kind', 'basic', '--set', 'username=ann', ...secret('password', 'pä:ss'));
    await serve('basic');
    await call('basic', { headers: { Authorization: 'Basic bWluZTptaW5l' } });
    assert.equal(seen().headers.authorization, `Basic ${Buffer.from('ann:pä:ss').toString('base64')}`);
  });

  it('AWS Signature Version 4, body, query and path signed', async () => {
    credential('aws', '--kind', 'aws-sigv4', '--set', 'access-key-id=AKID', '--set', 'region=eu-west-1', '--set', 'service=execute-api',
      ...secret('secret-access-key', 'aws-secret'), ...secret('session-token', 'session'));
    await serve('aws');
    const body = 'x'.repeat(100000);     // more than goes in one piece: it is held for its digest
    assert.equal((await call('aws', { method: 'POST', body, headers: { 'Content-Type': 'text/plain', 'X-Amz-Date': 'forged' } }, '?b=2&a=1%20x')).status, 200);
    const { headers: h, body: got } = seen();
    assert.equal(got.toString(), body);
    assert.equal(h['x-amz-content-sha256'], sha256(body));
    assert.equal(h['x-amz-security-token'], 'session');
    const m = /^AWS4-HMAC-SHA256 Credential=AKID\/(\d{8})\/eu-west-1\/execute-api\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(h.authorization);
    assert.equal(m[2], 'content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token');
    const canonical = ['POST', '/things', 'a=1%20x&b=2', ...m[2].split(';').map((n) => `${n}:${h[n]}`), '', m[2], sha256(body)].join('\n');
    const scope = `${m[1]}/eu-west-1/execute-api/aws4_request`;
    const key = ['eu-west-1', 'execute-api', 'aws4_request'].reduce((k, s) => hmac(k, s), hmac('AWS4aws-secret', m[1]));
    assert.equal(m[3], hmac(key, ['AWS4-HMAC-SHA256', h['x-amz-date'], scope, sha256(canonical)].join('\n'), 'hex'));
  });

  it('HTTP Message Signatures over method, address and body', async () => {
    credential('message', '--kind', 'http-signature', '--set', 'key-id=gw-1', '--set', 'expires=60', '--set', 'nonce=yes', '--set', 'tag=erp', ...secret('key', pem(ed)));
    await serve('message');
    assert.equal((await call('message', { method: 'PUT', body: '{"a":1}', headers: { Signature: 'sig1=:AAAA:', 'Signature-Input': 'sig1=()' } }, '?q=1')).status, 200);
    const { headers: h } = seen();
    assert.equal(h['content-digest'], `sha-256=:${sha256('{"a":1}', 'base64')}:`);
    const input = h['signature-input'].slice('sig1='.length);
    assert.match(input, /^\("@method" "@target-uri" "content-digest"\);created=\d+;expires=\d+;keyid="gw-1";nonce="[0-9a-f]{32}";tag="erp"$/);
    const base = `"@method": PUT\n"@target-uri": ${echo.url}/things?q=1\n"content-digest": ${h['content-digest']}\n"@signature-params": ${input}`;
    const signature = Buffer.from(/^sig1=:(.*):$/.exec(h.signature)[1], 'base64');
    assert.ok(crypto.verify(null, Buffer.from(base), ed.publicKey, signature));
  });

  it('HMAC over the parts that a partner wants', async () => {
    credential('hmac', '--kind', 'hmac', '--set', 'key-id=p1', '--set', 'parts=\'v1\',timestamp,method,target,body', '--set', 'separator=.', '--set', 'prefix=v1=', '--set', 'signature-header=X-Partner-Signature', '--set', 'nonce-header=none', ...secret('key', 'shared'));
    await serve('hmac');
    assert.equal((await call('hmac', { method: 'POST', body: 'hello' }, '?a=b')).status, 200);
    const { headers: h } = seen();
    assert.equal(h['x-key-id'], 'p1');
    assert.equal(h['x-nonce'], undefined);
    assert.equal(h['x-partner-signature'], `v1=${hmac('shared', `v1.${h['x-timestamp']}.POST./things?a=b.hello`, 'hex')}`);
  });

  it('a client certificate, and one for the token endpoint (RFC 8705)', async () => {
    const openssl = (...args) => { const r = spawnSync('openssl', args, { cwd: gw.dir }); assert.equal(r.status, 0, String(r.stderr)); };
    for (const [name, subject] of [['server', '/CN=127.0.0.1'], ['client', '/CN=gateway']])
      openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.pem`,
        '-addext', 'subjectAltName=IP:127.0.0.1');
    const read = (f) => fs.readFileSync(path.join(gw.dir, f));
    const tls = { key: read('server.key'), cert: read('server.pem'), ca: read('client.pem'), requestCert: true, rejectUnauthorized: true };
    gw.cli('certificate', 'set', 'gateway', '--file', path.join(gw.dir, 'client.pem'), '--key-file', path.join(gw.dir, 'client.key'));
    gw.cli('certificate', 'set', 'partner', '--file', path.join(gw.dir, 'server.pem'), '--authority');
    tlsBackend = https.createServer(tls, (req, res) => res.end(JSON.stringify({ cn: req.socket.getPeerCertificate().subject.CN, auth: req.headers.authorization })));
    await new Promise((resolve) => tlsBackend.listen(0, '127.0.0.1', resolve));
    tlsBackend.unref();
    const url = `https://127.0.0.1:${tlsBackend.address().port}`;
    credential('cert', '--kind', 'certificate', '--set', 'certificate=gateway');
    await serve('cert', url, (r) => r.status === 200, ['--ca', 'partner']);
    assert.equal((await (await call('cert')).json()).cn, 'gateway');
    tlsIdp = await tokenEndpoint({ tls });
    credential('mtls', '--kind', 'client-credentials', '--set', `token-url=${tlsIdp.url}`, '--set', 'client-id=gw', '--set', 'auth=tls_client_auth',
      '--set', 'certificate=gateway', '--set', 'ca=partner');
    await serve('mtls', echo.url, (r) => r.status === 200);
    assert.equal(tlsIdp.requests[0].certificate, 'gateway');
    assert.equal(tlsIdp.requests[0].form.get('client_id'), 'gw');
    assert.equal(tlsIdp.requests[0].headers.authorization, undefined);
  });

  it('client_secret_post, further parameters, another header for the token', async () => {
    oauth('post', 'client-credentials', '--set', 'auth=client_secret_post', '--set', 'audience=https://erp', '--set', 'resource=urn:erp', '--set', 'resource-parameter=yes',
      '--set', 'parameters=tenant=t%201', '--set', 'header=X-Token', ...secret('client-secret', idp.secret));
    credential('post', '--set', 'prefix=Token ');
    await serve('post', echo.url, (r) => r.status === 200);
    const { form, basic } = idp.requests.at(-1);
    assert.ok(!basic);
    assert.deepEqual([form.get('client_id'), form.get('client_secret'), form.get('audience'), form.get('resource'), form.get('tenant')], [idp.clientId, idp.secret, 'https://erp', 'urn:erp', 't 1']);
    await call('post');
    assert.equal(seen().headers['x-token'], `Token ${idp.issued.at(-1).token}`);
  });

  // takes a JWT apart and checks its signature
  const opened = (jwt, key, alg) => {
    const [h, p, s] = jwt.split('.');
    const header = JSON.parse(Buffer.from(h, 'base64url'));
    assert.equal(header.alg, alg);
    assert.ok(crypto.verify('sha256', Buffer.from(`${h}.${p}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(s, 'base64url')));
    return { header, claims: JSON.parse(Buffer.from(p, 'base64url')) };
  };

  it('private_key_jwt (RFC 7523 section 2.2)', async () => {
    idp.state.reply = (form, json) => {
      if (form.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') return false;
      json(200, { access_token: 'from-assertion', expires_in: 60 });
      return true;
    };
    oauth('pkjwt', 'client-credentials', '--set', 'auth=private_key_jwt', '--set', 'key-id=k1', ...secret('private-key', pem(rsa)));
    await serve('pkjwt', echo.url, (r) => r.status === 200);
    const { header, claims } = opened(idp.requests.at(-1).form.get('client_assertion'), rsa.publicKey, 'RS256');
    assert.equal(header.kid, 'k1');
    assert.deepEqual([claims.iss, claims.sub, claims.aud], [idp.clientId, idp.clientId, idp.url]);
    assert.ok(claims.jti.length >= 16 && claims.exp > Date.now() / 1000 && claims.exp < Date.now() / 1000 + 600);
    idp.state.reply = null;
  });

  it('jwt-bearer with an own assertion (RFC 7523 section 2.1)', async () => {
    idp.state.reply = (form, json) => { json(200, { access_token: 'own', expires_in: 60, instance_url: 'https://eu7.example' }); return true; };
    credential('own', '--kind', 'jwt-bearer', '--set', `token-url=${idp.url}`, '--set', 'issuer=svc@example', '--set', 'subject=robot', '--set', 'audience=https://aud', '--set', 'scope=a b',
      '--set', 'claims={"tenant":7}', ...secret('private-key', pem(ec)));
    await serve('own', echo.url, (r) => r.status === 200);
    const { form } = idp.requests.at(-1);
    assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
    const { claims } = opened(form.get('assertion'), ec.publicKey, 'ES256');
    assert.deepEqual([claims.iss, claims.sub, claims.aud, claims.scope, claims.tenant], ['svc@example', 'robot', 'https://aud', 'a b', 7]);
    idp.state.reply = null;
  });

  it('resource owner password', async () => {
    oauth('ropc', 'password', '--set', 'username=robot@example', '--set', 'scope=x', ...secret('password', 'p w'), ...secret('client-secret', idp.secret));
    await serve('ropc', echo.url, (r) => r.status === 200);
    const { form, basic } = idp.requests.at(-1);
    assert.deepEqual([form.get('grant_type'), form.get('username'), form.get('password'), form.get('scope'), basic], ['password', 'robot@example', 'p w', 'x', true]);
  });

  it('token exchange on behalf of callers (RFC 8693): a token for each, none for nobody', async () => {
    oauth('obo', 'token-exchange', '--set', 'audience=erp', ...secret('client-secret', idp.secret));
    await serve('obo', echo.url, (r) => r.status === 401);
    const as = (token) => call('obo', { headers: { Authorization: `Bearer ${token}` } });
    idp.requests.length = 0;
    for (const who of ['ann', 'bob', 'ann', 'bob', 'ann']) {
      assert.equal((await as(`jwt-of-${who}`)).status, 200);
      const mine = idp.issued.find((i) => i.form.get('subject_token') === `jwt-of-${who}`);
      assert.equal(seen().headers.authorization, `Bearer ${mine.token}`);
    }
    assert.equal(idp.requests.length, 2);
    const { form } = idp.requests[0];
    assert.deepEqual([form.get('grant_type'), form.get('subject_token_type'), form.get('audience')],
      ['urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:token-type:access_token', 'erp']);
    const rows = gw.cli('token', 'list', '--format', 'json').json().filter((t) => t.credential === 'obo' && t.live);
    assert.equal(rows.length, 2);
    assert.ok(rows.every((t) => /^[0-9a-f]{8}$/.test(t.caller)) && rows[0].caller !== rows[1].caller);
    const none = await call('obo');
    assert.equal(none.status, 401);
    assert.match(none.headers.get('www-authenticate'), /^Bearer/);
    assert.equal((await record(none)).reason, 'subject_token_missing');
    idp.state.reply = (f, json) => { json(400, { error: 'invalid_grant' }); return true; };
    const stale = await as('jwt-that-expired');
    idp.state.reply = null;
    assert.equal(stale.status, 401);
    assert.match(stale.headers.get('www-authenticate'), /invalid_token/);
    assert.equal((await record(stale)).reason, 'subject_token_refused');
    assert.equal((await as('jwt-of-ann')).status, 200);
  });

  it('the token that an access rule has checked, and kept from the backend, is the one that is exchanged', async () => {
    const signer = new Signer('k1');
    const issuer = await provider(signer);
    oauth('both-ways', 'token-exchange', ...secret('client-secret', idp.secret));
    await serve('both-ways', echo.url, (r) => r.status === 401);
    gw.cli('access', 'set', '--api', 'both-ways', `jwt(issuer=${issuer.issuer}, audience=api://orders)`);
    const jwt = signer.token({ iss: issuer.issuer, aud: 'api://orders', sub: 'ann', exp: Math.floor(Date.now() / 1000) + 600 });
    const r = await until(async () => {
      const x = await call('both-ways', { headers: { Authorization: `Bearer ${jwt}` } });
      return x.status === 200 && seen().headers['x-consumer-id'] && x;
    }, 'the access rule');
    assert.equal(r.status, 200);
    assert.equal(seen().headers['x-consumer-id'], 'ann');
    const mine = idp.issued.find((i) => i.form.get('subject_token') === jwt);
    assert.equal(seen().headers.authorization, `Bearer ${mine.token}`);
    assert.equal((await call('both-ways', { headers: { Authorization: 'Bearer forged' } })).status, 401);
    await issuer.close();
  });

  it('policies get the same tokens, with claims; traces do not show them', async () => {
    idp.state.extra = { instance_url: 'https://eu7.example', id: 7 };
    oauth('crm', 'client-credentials', '--provider', 'salesforce', '--set', 'resource=https://crm.example', ...secret('client-secret', idp.secret));
    gw.cli('backend', 'set', 'plain', '--url', echo.url);
    gw.cli('import', 'openapi', path.join(gw.dir, 'things.json'), '--path', 'pol', '--name', 'pol', '--backend', echo.url, '--product', 'open');
    const policy = async (inbound, mark) => {
      gw.cli('policy', 'set', '--scope', 'api:pol', gw.file('pol.xml', `<policies><inbound><base/>${inbound}<set-header name="X-Mark" exists-action="override"><value>${mark}</value></set-header></inbound>
        <backend><base/></backend><outbound><base/></outbound><on-error><base/><set-header name="X-Mark" exists-action="override"><value>${mark}</value></set-header></on-error></policies>`));
      return until(async () => {
        const r = await call('pol');
        const t = await r.text();
        return (r.headers.get('x-mark') === mark || t.includes(`"x-mark":"${mark}"`)) && { r, t };
      }, `the policy ${mark}`);
    };
    await policy(`<get-authorization-context provider-id="salesforce" authorization-id="crm" context-variable-name="auth" identity-type="managed" ignore-error="false"/>
      <set-header name="X-Tok" exists-action="override"><value>@(((Authorization)context.Variables["auth"]).AccessToken)</value></set-header>
      <set-header name="X-Url" exists-action="override"><value>@((string)((Authorization)context.Variables["auth"]).Claims["instance_url"])</value></set-header>`, 'one');
    assert.equal(seen().headers['x-tok'], idp.issued.at(-1).token);
    assert.equal(seen().headers['x-url'], 'https://eu7.example');
    const debug = gw.cli('trace', 'token', '--all').stdout.trim();
    const traced = await call('pol', { headers: { 'Apim-Debug-Authorization': debug } });
    const trace = await until(() => { const t = gw.cli('trace', 'show', traced.headers.get('x-request-id'), '--format', 'json', { fails: true }); return t.code === 0 && t.stdout; }, 'the trace');
    assert.match(trace, /X-Tok/);
    assert.ok(!trace.includes(idp.issued.at(-1).token), trace);
    await policy('<authentication-managed-identity resource="https://crm.example"/>', 'two');
    assert.equal(seen().headers.authorization, `Bearer ${idp.issued.at(-1).token}`);
    await policy('<authentication-managed-identity resource="https://crm.example" client-id="mes" output-token-variable-name="t"/><set-header name="X-Var" exists-action="override"><value>@((string)context.Variables["t"])</value></set-header>', 'three');
    assert.equal(seen().headers['x-var'], idp.issued.at(-1).token);
    await policy('<authentication-managed-identity resource="https://nobody.example" ignore-error="true"/>', 'four');
    assert.equal(seen().headers.authorization, undefined);
    const { r } = await policy('<authentication-managed-identity resource="https://nobody.example"/>', 'five');
    assert.equal(r.status, 500);
    assert.match((await record(r)).decision, /no credential of environment default is configured for the resource https:\/\/nobody.example/);
    gw.cli('token', 'purge', '--credential', 'crm');
    idp.state.status = 503;
    const { r: down } = await policy('<get-authorization-context provider-id="salesforce" authorization-id="crm" context-variable-name="auth"/>', 'six');
    assert.equal(down.status, 503);
    assert.ok(Number(down.headers.get('retry-after')) >= 1);
    assert.match((await record(down)).decision, /token endpoint http.*answered 503/);
    await policy('<get-authorization-context provider-id="salesforce" authorization-id="crm" context-variable-name="auth" ignore-error="true"/>', 'seven');
    idp.state.status = 200;
    idp.state.extra = {};
  });

  it('a dead or confused endpoint is not hammered, and says why', async () => {
    const answers = [
      ['answered 500', (f, json) => json(500, { error: 'boom' })],
      ['invalid_client', (f, json) => json(401, { error: 'invalid_client' })],
      ['without a usable access_token', (f, json) => json(200, { token: 'x' })],
      ['without a usable access_token', (f, json, res) => res.end('<html>')],
      ['without a usable access_token', (f, json) => json(200, { access_token: 'a\r\nX-Evil: 1' })],
      ['larger than', (f, json, res) => res.end('x'.repeat(70000))],
      ['the request failed (', () => {}],         // never answers
      ['the request failed (', (f, json, res) => res.socket.destroy()],
    ];
    oauth('sick', 'client-credentials', ...secret('client-secret', idp.secret));
    idp.state.reply = (f, json) => { answers[0][1](f, json); return true; };
    await serve('sick', echo.url, (r) => r.status === 503);
    for (const [why, reply] of answers) {
      idp.state.reply = (...args) => { reply(...args); return true; };
      idp.requests.length = 0;
      const begun = Date.now();
      let all, rounds = 0;
      // where it never answers, callers may hear of it before the request is over, which then is the failure of the next round too
      await until(async () => {
        gw.cli('token', 'purge', '--credential', 'sick');
        rounds++;
        all = await Promise.all([...Array(20)].map(() => call('sick')));
        return idp.requests.length;
      }, 'the request at the endpoint');
      assert.deepEqual([...new Set(all.map((r) => r.status))], [503], why);
      assert.ok(Number(all[0].headers.get('retry-after')) >= 1);
      // a second, less an eighth: that long nobody asks again
      assert.ok(idp.requests.length <= rounds + (Date.now() - begun) / 875, `${why}: ${idp.requests.length} requests`);
      const { decision, reason } = await record(all[0]);
      assert.equal(reason, 'token_unavailable');
      assert.ok(decision.includes(why) && decision.includes(idp.url), decision);
      assert.ok(gw.cli('token', 'list', '--format', 'json').json().find((t) => t.credential === 'sick').failure.includes(why));
      if (reply === answers[0][1]) assert.ok(gw.cli('doctor', { fails: true }).stdout.includes('credential default/sick: token endpoint'));
    }
    assert.equal(echo.seen.length, 0);
    idp.state.reply = null;
    await until(async () => (await call('sick')).status === 200, 'the endpoint to be asked again');
  });

  it('a key does not travel along a redirect to another host; a token is kept back', async () => {
    const away = await backend();
    const here = await backend((req, res) => { res.writeHead(302, { Location: `http://localhost:${away.port}/caught` }); res.end(); });
    credential('roam', '--kind', 'api-key', ...secret('value', 'k-456'));
    await serve('roam', here.url, (r) => r.status === 302 || r.status === 200);
    gw.cli('policy', 'set', '--scope', 'api:roam', gw.file('roam.xml', '<policies><inbound><base/></inbound><backend><forward-request follow-redirects="true"/></backend><outbound><base/><set-header name="X-Mark" exists-action="override"><value>1</value></set-header></outbound><on-error><base/></on-error></policies>'));
    away.seen.length = 0;        // the test's own client has followed redirects until now
    const r = await until(async () => { const x = await call('roam', { redirect: 'manual' }); return x.headers.get('x-mark') && x; }, 'the policy');
    assert.equal(r.status, 302);
    assert.equal(here.seen.at(-1).headers['x-api-key'], 'k-456');
    assert.equal(away.seen.length, 0);
    oauth('roam', 'client-credentials', ...secret('client-secret', idp.secret));
    await until(async () => { await call('roam', { redirect: 'manual' }); return away.seen.length; }, 'the redirect to be followed');
    assert.match(here.seen.at(-1).headers.authorization, /^Bearer tok-/);
    assert.equal(away.seen.at(-1).headers.authorization, undefined);
    await here.close();
    await away.close();
  });

  it('a body that was streamed is not sent again; the next call has a new token', async () => {
    let refuse = false;
    const erp = await backend((req, res) => { res.statusCode = refuse && idp.issued.at(-1).token !== 'x' && req.headers.authorization === `Bearer ${first}` ? 401 : 200; res.end(); });
    let first;
    oauth('stream', 'client-credentials', ...secret('client-secret', idp.secret));
    await serve('stream', erp.url, (r) => r.status === 200);
    first = idp.issued.at(-1).token;
    refuse = true;
    erp.seen.length = 0;
    const r = await call('stream', { method: 'POST', body: Buffer.alloc(3 << 20, 'x') });
    assert.equal(r.status, 502);
    assert.equal((await record(r)).reason, 'backend_refused_credential');
    assert.equal(erp.seen.length, 1);
    assert.equal((await call('stream')).status, 200);
    assert.notEqual(idp.issued.at(-1).token, first);
    await erp.close();
  });

  it('an endpoint that closes a kept connection just when it is asked costs no call', async () => {
    const used = new Set();
    idp.state.reply = (form, json, res, req) => {
      if (used.has(req.socket)) { req.socket.destroy(); return true; }
      used.add(req.socket);
      return false;
    };
    oauth('closing', 'client-credentials', ...secret('client-secret', idp.secret));
    await serve('closing', echo.url, (r) => r.status === 200);
    for (let i = 0; i < 4; i++) {
      gw.cli('token', 'purge', '--credential', 'closing');
      assert.equal((await call('closing')).status, 200);
    }
    idp.state.reply = null;
  });

  it('a secret by reference: a new one in the file is used for the next token, without restart', async () => {
    const file = gw.file('vault-secret', `${idp.secret}\n`);
    oauth('ref', 'client-credentials', '--secret-ref', `client-secret=file:${file}`);
    await serve('ref', echo.url, (r) => r.status === 200);
    const shown = gw.cli('credential', 'show', 'ref', '--format', 'json').json();
    assert.deepEqual(shown.secrets, { 'client-secret': `file:${file}` });
    idp.requests.length = 0;
    fs.writeFileSync(file, 'the-next-secret\n');
    await until(() => {
      gw.cli('token', 'purge', '--credential', 'ref');
      return call('ref').then(() => idp.requests.some((q) => q.given[1] === 'the-next-secret'));
    }, 'the new secret');
  });

  it('belongs to an environment: the same name, another value', async () => {
    gw.cli('environment', 'create', 'sandbox', '--prefix', 'sandbox', '--kind', 'sandbox');
    credential('both', '--kind', 'api-key', ...secret('value', 'production-key'));
    await serve('both');
    gw.cli('import', 'openapi', path.join(gw.dir, 'things.json'), '--path', 'new-both', '--name', 'both-sandbox', '--backend', echo.url, '--product', 'open', '--env', 'sandbox');
    gw.cli('api', 'set', 'both-sandbox', '--path', 'both', '--backend-id', 'both');
    const r = await until(async () => { const x = await call('sandbox/both'); return x.status !== 404 && x; }, 'the sandbox');
    assert.equal(r.status, 502);
    const rec = await record(r);
    assert.equal(rec.reason, 'credential_unusable');
    assert.match(rec.decision, /environment sandbox has no credential both/);
    credential('both', '--environment', 'sandbox', '--kind', 'api-key', ...secret('value', 'sandbox-key'));
    await until(async () => { await call('sandbox/both'); return seen()?.headers['x-api-key'] === 'sandbox-key'; }, 'the sandbox key');
    await call('both');
    assert.equal(seen().headers['x-api-key'], 'production-key');
  });

  it('refuses what cannot work, and says which field', () => {
    const bad = (...args) => { const r = gw.cli('credential', 'set', 'bad', ...args, { fails: true }); assert.notEqual(r.code, 0); return r.stderr; };
    assert.match(bad('--kind', 'oauth'), /must be one of client-credentials, /);
    assert.match(bad('--kind', 'basic', '--set', 'username=a'), /needs password/);
    assert.match(bad('--kind', 'client-credentials', '--set', 'client-id=x', '--set', 'token-url=ftp://x'), /token-url: 'ftp:\/\/x' is no http or https address/);
    assert.match(bad('--kind', 'client-credentials', '--set', 'client-id=x', '--set', 'token-url=https://x/t'), /client-secret is missing/);
    assert.match(bad('--kind', 'api-key', '--set', 'region=x', ...secret('value', 'v')), /api-key has no 'region'/);
    assert.match(bad('--kind', 'api-key', '--set', 'value=v'), /value is a secret/);
    assert.match(bad('--kind', 'http-signature', '--set', 'algorithm=hs256', ...secret('key', 'v')), /algorithm: 'hs256'/);
    assert.match(bad('--kind', 'hmac', '--set', 'parts=method,everything', ...secret('key', 'v')), /'everything' is no part/);
    assert.match(bad('--kind', 'api-key', '--environment', 'nowhere'), /no environment 'nowhere'/);
    assert.match(gw.cli('credential', 'delete', 'basic', { fails: true }).stderr, /credential 'default\/basic' is in use by backend 'basic'/);
    assert.match(gw.cli('backend', 'set', 'basic', '--credential', 'nobody', { fails: true }).stderr, /no credential 'nobody'/);
    gw.cli('backend', 'set', 'basic', '--credential', 'none');
    gw.cli('credential', 'delete', 'basic');
    assert.ok(gw.cli('credential', 'kinds', '--format', 'json').json().length === 11);
  });
});
