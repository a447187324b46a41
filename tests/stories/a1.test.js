// The production system speaks API key, the ERP speaks OAuth 2.0.
//
// The caller knows an API key and nothing else. The gateway checks it, gets a bearer token from the identity provider with
// the client credentials flow, keeps it, sets it, and the ERP sees a standard OAuth 2.0 request. Each line of the story is
// one test. Tokens live seconds here so that a life fits into a test.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { start, backend, until, SERVERS, filesIn } = require('../http/harness');
const { tokenEndpoint } = require('../http/token-endpoint');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'ERP', version: '1' }, paths: { '/orders': {
  get: { operationId: 'list', responses: { 200: { description: 'ok' } } },
  post: { operationId: 'create', responses: { 201: { description: 'made' } } } } } });

for (const server of SERVERS) describe(`A1 behind ${server}`, () => {
  let gw, erp, idp, key;
  let always401 = false;
  const bearer = (req) => (/^Bearer (.+)$/.exec(req.headers.authorization || '') || [])[1];

  before(async () => {
    idp = await tokenEndpoint();
    // the ERP takes tokens that the provider has issued, that live and that were not revoked
    erp = await backend((req, res) => {
      const good = !always401 && idp.live(bearer(req));
      res.statusCode = good ? 200 : 401;
      if (!good) res.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify({ ok: good }));
    });
    // four workers share one cache; they run before anything is configured
    // (this process is the provider, too, and may be busy with 500 connections before it comes to answer as such)
    gw = await start({ server, workers: 4, build: 'release', config: { 'credential.timeout_ms': 120000 } });
  });
  after(async () => { await gw?.stop(); await erp?.close(); await idp?.close().catch(() => {}); });

  const call = (options = {}) => fetch(`${gw.url}/api/erp/orders`, { ...options, headers: { 'Ocp-Apim-Subscription-Key': key, ...options.headers } });
  // on a connection of its own: a web server may close an idle one just when it is to be used
  const status = () => new Promise((resolve, reject) => {
    http.get(`${gw.url}/api/erp/orders`, { agent: false, headers: { 'Ocp-Apim-Subscription-Key': key } },
      (res) => { res.resume(); res.on('end', () => resolve(res.statusCode)); }).on('error', reject);
  });
  // the statuses, or what went wrong, of `n` calls at once; when it is over, none is under way that the next test would see
  const burst = async (n) => (await Promise.allSettled([...Array(n)].map(status))).map((r) => r.value ?? r.reason.message);
  const record = (id) => until(() => {
    const out = gw.cli('log', '--request-id', id, '--format', 'json').stdout.trim();
    return out && JSON.parse(out);
  }, 'the record');
  const traced = (id) => until(() => {
    const t = gw.cli('trace', 'show', id, '--format', 'json', { fails: true });
    return t.code === 0 && t.stdout;
  }, 'the trace');
  const credential = (...args) => gw.cli('credential', 'set', 'erp', ...args);
  // A credential that differs in nothing that matters: the tokens of its old state are forgotten, so the cache is empty.
  let round = 0;
  const emptyCache = async () => {
    const mark = `r${++round}`;
    credential('--set', `parameters=round=${mark}`);
    gw.cli('token', 'purge');
    erp.seen.length = idp.requests.length = idp.issued.length = 0;
  };

  it('is configured while running', async () => {
    const file = gw.file('erp.json', DESCRIPTION);
    gw.cli('product', 'create', 'mes');
    gw.cli('import', 'openapi', file, '--path', 'erp', '--name', 'erp', '--backend', erp.url, '--product', 'mes');
    gw.cli('credential', 'set', 'erp', '--kind', 'client-credentials', '--set', `token-url=${idp.url}`, '--set', `client-id=${idp.clientId}`,
      '--set', 'scope=erp.read erp.write', '--secret-file', `client-secret=${gw.file('secret', `${idp.secret}\n`)}`);
    gw.cli('backend', 'set', 'erp', '--url', erp.url, '--credential', 'erp');
    gw.cli('api', 'set', 'erp', '--backend-id', 'erp');
    key = gw.cli('subscription', 'create', '--product', 'mes', '--format', 'json').json().primaryKey;
    await until(async () => (await status()) === 200, 'the first call');
    const asked = idp.requests[0];
    assert.ok(asked.basic && asked.given[0] === idp.clientId && asked.given[1] === idp.secret);
    assert.equal(asked.form.get('grant_type'), 'client_credentials');
    assert.equal(asked.form.get('scope'), 'erp.read erp.write');
    assert.equal(asked.headers['content-type'], 'application/x-www-form-urlencoded');
  });

  it('500 calls: 500 x 200, one token request, 500 bearer tokens and no API key', async () => {
    await emptyCache();
    for (let i = 0; i < 20; i++)
      for (const s of await burst(25)) assert.equal(s, 200);
    assert.equal(erp.seen.length, 500);
    assert.equal(idp.requests.length, 1);
    for (const seen of erp.seen) {
      assert.equal(seen.headers.authorization, `Bearer ${idp.issued[0].token}`);
      assert.ok(!JSON.stringify([seen.url, seen.headers]).includes(key));
    }
  });

  it('500 parallel first calls on an empty cache over 4 workers: one token request', async () => {
    await emptyCache();
    idp.state.delayMs = 300;
    const all = await burst(500).finally(() => { idp.state.delayMs = 0; });
    assert.deepEqual([...new Set(all)], [200]);
    assert.equal(erp.seen.length, 500);
    assert.equal(idp.requests.length, 1);
  });

  // What a gateway that works does with tokens that live `life` seconds, as far as the machine lets it in the time that is left.
  async function seams(life, lives) {
    idp.state.life = life;
    await emptyCache();
    const end = Date.now() + 130 * life + 870 * life * lives;
    const answers = [];
    await Promise.all([...Array(6)].map(async () => { while (Date.now() < end) answers.push(await status()); }));
    idp.state.life = 3600;
    assert.deepEqual([...new Set(answers)], [200]);
    // each token but the last was replaced in its last fifth
    assert.ok(idp.issued.length > lives && idp.issued.length <= lives + 2, `${idp.issued.length} tokens`);
    for (let i = 1; i < idp.issued.length; i++) {
      const age = idp.issued[i].at - idp.issued[i - 1].at;
      assert.ok(age > 730 * life && age < 1000 * life, `replaced after ${age} ms of ${life} s`);
    }
  }

  it('a short token life under load: one request a life, made before its end, and no call fails at the seam', async () => {
    const lives = server === SERVERS[0] ? 2 : 1;        // the web server has no part in it; once is enough for the others
    // 3 s are enough on most machines; one that stops for half a second in the wrong moment gets longer lives
    for (const life of [3, 9]) if (await seams(life, lives).then(() => true, () => false)) return;
    await seams(27, lives);
  });

  it('the ERP revokes the token: one refresh, one replay, the caller sees 200', async () => {
    await emptyCache();
    assert.equal(await status(), 200);
    idp.revoke();
    erp.seen.length = idp.requests.length = 0;
    const body = JSON.stringify({ order: 7, note: 'x'.repeat(2000) });
    const r = await call({ method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    assert.equal(r.status, 200, await r.clone().text());
    assert.equal(idp.requests.length, 1);
    assert.deepEqual(erp.seen.map((s) => s.body.toString() === body), [true, true]);
    assert.equal((await record(r.headers.get('x-request-id'))).status, 200);
    // also when the body comes later than the fields
    idp.revoke();
    const late = await new Promise((resolve, reject) => {
      const req = http.request(`${gw.url}/api/erp/orders`, { method: 'POST', headers: { 'Ocp-Apim-Subscription-Key': key, 'Content-Length': 2 } },
        (answer) => resolve(answer.resume().statusCode)).on('error', reject);
      req.flushHeaders();
      setTimeout(() => req.end('{}'), 150);
    });
    assert.equal(late, 200);
    // many calls at once find the revoked token: still one refresh
    idp.revoke();
    idp.requests.length = 0;
    assert.deepEqual([...new Set(await burst(40))], [200]);
    assert.equal(idp.requests.length, 1);
  });

  it('the ERP keeps answering 401: 502 with a reason that names the backend, not 401', async () => {
    await emptyCache();
    always401 = true;
    try {
      const r = await call();
      const text = await r.text();
      assert.equal(r.status, 502);
      assert.equal(r.headers.get('www-authenticate'), null);
      assert.match(text, /backend refused the gateway's own credential/i);
      assert.equal(erp.seen.length, 2);
      assert.equal(idp.requests.length, 2);
      const rec = await record(r.headers.get('x-request-id'));
      assert.equal(rec.reason, 'backend_refused_credential');
      assert.equal(rec.backend_status, 401);
      // and the provider is not asked for each further call
      for (let i = 0; i < 10; i++) assert.equal(await status(), 502);
      assert.ok(idp.requests.length <= 2 + 5, `${idp.requests.length} token requests for 11 calls`);
    } finally {
      always401 = false;
    }
    await until(async () => (await status()) === 200, 'the calls to go on');
  });

  it('provider down: calls go on while the token lives, then 503 with Retry-After and a trace that names the endpoint', async () => {
    idp.state.life = 3;
    await emptyCache();
    const asked = Date.now();
    assert.equal(await status(), 200);
    const known = Date.now(), taken = known - asked;
    await idp.down();
    // The gateway counts from before it had the answer. What is answered before the end was sent before it.
    const ends = idp.issued[0].ends - taken;
    let served = 0;
    for (let s; (s = await status(), Date.now() < ends); served++) assert.equal(s, 200);
    assert.ok(served > 0);
    await until(() => Date.now() > known + 1000 * idp.state.life, 'the end of the token');
    const token = gw.cli('trace', 'token', '--all').stdout.trim();
    const r = await call({ headers: { 'Apim-Debug-Authorization': token } });
    assert.equal(r.status, 503);
    assert.ok(Number(r.headers.get('retry-after')) >= 1);
    const id = r.headers.get('x-request-id');
    const rec = await record(id);
    assert.equal(rec.reason, 'token_unavailable');
    const trace = await traced(id);
    assert.ok(trace.includes(idp.url) && /token_unavailable/.test(trace), trace);
    assert.equal(rec.attempts, 0);
    await idp.up();
    idp.state.life = 3600;
    await until(async () => (await status()) === 200, 'the calls to go on');
  });

  it('wrong key: 401 with WWW-Authenticate, and the ERP saw nothing', async () => {
    erp.seen.length = 0;
    const r = await call({ headers: { 'Ocp-Apim-Subscription-Key': 'wrong' } });
    assert.equal(r.status, 401);
    assert.ok(r.headers.get('www-authenticate'));
    assert.equal(erp.seen.length, 0);
  });

  it('lists the tokens by credential, issued, expires, last used and count, never the value', async () => {
    await emptyCache();
    await burst(10);
    const rows = gw.cli('token', 'list', '--format', 'json').json();
    const row = rows.find((t) => t.credential === 'erp' && t.live);
    assert.equal(row.uses, 10);
    assert.equal(row.requests, 1);
    assert.ok(Date.parse(row.expires) > Date.parse(row.issued) && Date.parse(row.lastUsed) >= Date.parse(row.issued));
    assert.equal(rows.filter((t) => t.credential === 'erp').length, 1);     // those of its old states are gone
  });

  it('no secret or token in any log, trace, export, page or file', async () => {
    const token = gw.cli('trace', 'token', '--all').stdout.trim();
    const r = await call({ headers: { 'Apim-Debug-Authorization': token } });
    const id = r.headers.get('x-request-id');
    await r.text();
    const shown = await traced(id);
    const secrets = [idp.secret, encodeURIComponent(idp.secret), Buffer.from(`${idp.clientId}:${idp.secret}`).toString('base64'), ...idp.issued.map((i) => i.token)];
    const clean = (what, text) => { for (const s of secrets) assert.ok(!text.includes(s), `${what} holds ${s}`); };   // text or bytes
    clean('the trace', shown);
    assert.match(shown, /Authorization/);
    for (const args of [['credential', 'show', 'erp'], ['credential', 'list'], ['token', 'list'], ['audit'], ['log'], ['backend', 'list'], ['doctor']])
      for (const format of server === SERVERS[0] ? ['text', 'json'] : ['json']) { const o = gw.cli(...args, '--format', format, { fails: true }); clean(args.join(' '), o.stdout + o.stderr); }
    await record(id);
    const cookie = await signIn(gw);
    const show = async (page) => {
      const answer = await fetch(`${gw.url}/admin/${page}`, { headers: { cookie } }), text = await answer.text();
      assert.ok(answer.status === 200, `${page}: ${answer.status}\n${gw.log('serve').split('\n').filter((l) => /err|warn/i.test(l)).slice(-5).join('\n')}`);
      clean(`page ${page}`, text);
      return text;
    };
    assert.ok((await show(`calls?q=${id}`)).includes(id), 'the page of the call');
    for (const page of ['credentials', '', 'edit/credentials?id=default%2Ferp', 'audit', 'api/v1/credentials/default%2Ferp']) await show(page);
    for (const pid of gw.pids('gatehouse-gateway')) clean(`process ${pid}`, fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
    clean('the log', gw.log('serve') + gw.log('web'));
    if (server !== SERVERS[0]) return;   // what lies on disk does not depend on the web server, and there is much of it
    gw.cli('export', path.join(gw.dir, 'exported'));
    for (const dir of [path.join(gw.dir, 'exported'), gw.state]) for (const [file, bytes] of filesIn(dir)) clean(file, bytes);
    for (const [file, bytes] of filesIn(gw.dir, /\.(out|log)$/)) clean(file, bytes);
  });
});

async function signIn(gw) {
  const form = await fetch(`${gw.url}/admin/sign-in`);
  const visit = form.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  const csrf = /name="csrf" value="([^"]+)"/.exec(await form.text())[1];
  const r = await fetch(`${gw.url}/admin/sign-in`, { method: 'POST', redirect: 'manual', headers: { cookie: visit },
    body: new URLSearchParams({ csrf, email: gw.admin.email, password: gw.admin.password }) });
  assert.equal(r.status, 303);
  return r.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
}
