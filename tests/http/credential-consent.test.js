// An administrator consents once: from the dashboard to the provider and back, and the gateway lives on the refresh token.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { start, backend, until, SERVERS, filesIn } = require('./harness');
const { management } = require('./people');
const { tokenEndpoint } = require('./token-endpoint');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'CRM', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });

const server = SERVERS[0];

describe(`consent behind ${server}`, () => {
  let gw, crm, idp, cookie, n = 0;
  const refresh = new Set();            // that are good; each is good once
  const codes = new Map();              // code -> challenge and redirect_uri that it was given for

  before(async () => {
    idp = await tokenEndpoint({ clientId: 'gw', secret: 'client-secret-of-gw' });
    idp.state.reply = (form, json) => {
      const next = () => { const r = `refresh-token-${++n}`; refresh.add(r); return r; };
      const give = () => json(200, { access_token: `access-token-${n}`, refresh_token: next(), expires_in: 3600, token_type: 'Bearer' });
      if (form.get('grant_type') === 'authorization_code') {
        const c = codes.get(form.get('code'));
        const fits = c && c.redirect === form.get('redirect_uri')
          && c.challenge === crypto.createHash('sha256').update(form.get('code_verifier') || '').digest('base64url');
        codes.delete(form.get('code'));
        if (fits) give(); else json(400, { error: 'invalid_grant' });
      } else if (refresh.delete(form.get('refresh_token'))) give();
      else json(400, { error: 'invalid_grant' });
      return true;
    };
    crm = await backend();
    gw = await start({ server, workers: 2, build: 'release', setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      g.cli('credential', 'set', 'crm', '--kind', 'authorization-code', '--set', `token-url=${idp.url}`, '--set', 'authorize-url=https://login.example/authorize?tenant=7',
        '--set', 'client-id=gw', '--set', 'scope=api offline_access', '--secret-file', `client-secret=${g.file('secret', 'client-secret-of-gw\n')}`);
      g.cli('import', 'openapi', g.file('crm.json', DESCRIPTION), '--path', 'crm', '--name', 'crm', '--backend', crm.url, '--product', 'open');
      g.cli('backend', 'set', 'crm', '--url', crm.url, '--credential', 'crm');
      g.cli('api', 'set', 'crm', '--backend-id', 'crm');
    } });
    const form = await fetch(`${gw.url}/admin/sign-in`);
    const visit = form.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
    const csrf = /name="csrf" value="([^"]+)"/.exec(await form.text())[1];
    const r = await fetch(`${gw.url}/admin/sign-in`, { method: 'POST', redirect: 'manual', headers: { cookie: visit },
      body: new URLSearchParams({ csrf, email: gw.admin.email, password: gw.admin.password }) });
    assert.equal(r.status, 303);
    cookie = r.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  });
  after(async () => { await gw?.stop(); await crm?.close(); await idp?.close(); });

  const call = () => fetch(`${gw.url}/api/crm/things`);
  const get = (p, more = '') => fetch(`${gw.url}/admin/${p}`, { redirect: 'manual', headers: { cookie: cookie + more } });
  const page = async () => (await get('credentials')).text();
  const connectLink = async () => /href="\/admin\/(credentials\/default\/crm\/connect\?link=[^"]+)"/.exec(await page())[1].replaceAll('&amp;', '&');
  async function begin() {
    const r = await get(await connectLink());
    assert.equal(r.status, 303);
    return { to: new URL(r.headers.get('location')), attempt: `; ${r.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ')}` };
  }

  it('without consent: 503, and the reason says what to do', async () => {
    const r = await call();
    assert.equal(r.status, 503);
    const id = r.headers.get('x-request-id');
    const rec = await until(() => { const o = gw.cli('log', '--request-id', id, '--format', 'json').stdout.trim(); return o && JSON.parse(o); }, 'the record');
    assert.match(rec.decision, /nobody has consented yet: open the credential in the dashboard/);
    assert.match(await page(), /Missing/);
  });

  it('goes to the provider with PKCE and state, only by a link of this session', async () => {
    const { to } = await begin();
    assert.equal(`${to.origin}${to.pathname}`, 'https://login.example/authorize');
    const q = Object.fromEntries(to.searchParams);
    assert.deepEqual([q.tenant, q.response_type, q.client_id, q.scope, q.code_challenge_method, q.redirect_uri],
      ['7', 'code', 'gw', 'api offline_access', 'S256', `${gw.url}/admin/credentials/callback`]);
    assert.ok(q.state.length >= 32 && /^[\w-]{43}$/.test(q.code_challenge));
    assert.equal((await get('credentials/default/crm/connect')).status, 403);
    assert.equal((await get('credentials/default/crm/connect?link=0123456789abcdef0123456789abcdef')).status, 403);
  });

  it('refuses answers that do not belong to it', async () => {
    const { to, attempt } = await begin();
    codes.set('good-code', { challenge: to.searchParams.get('code_challenge'), redirect: to.searchParams.get('redirect_uri') });
    const state = to.searchParams.get('state');
    for (const [what, query, jar] of [['another state', `code=good-code&state=${'0'.repeat(64)}`, attempt], ['no attempt', `code=good-code&state=${state}`, ''],
      ['the provider refused', `error=access_denied&state=${state}`, attempt], ['a wrong code', `code=wrong&state=${state}`, attempt]]) {
      const r = await get(`credentials/callback?${query}`, jar);
      assert.equal(r.status, 303, what);
      assert.match(await page(), /not connected|Nothing was connected/, what);
      assert.match(await page(), /Missing/, what);
    }
    codes.clear();
  });

  it('connects, and the gateway lives on refresh tokens that change each time', async () => {
    const { to, attempt } = await begin();
    codes.set('the-code', { challenge: to.searchParams.get('code_challenge'), redirect: to.searchParams.get('redirect_uri') });
    const r = await get(`credentials/callback?code=the-code&state=${to.searchParams.get('state')}`, attempt);
    assert.equal(r.status, 303);
    const shown = await page();
    assert.match(shown, /crm is connected/);
    assert.ok(shown.includes(gw.admin.email) && !/Missing/.test(shown));
    await until(async () => (await call()).status === 200, 'the first call');
    for (let i = 0; i < 3; i++) {        // each time only what was stored of the last answer can have been used
      const used = crm.seen.at(-1).headers.authorization;
      // the store is written beside the call
      await until(() => gw.cli('audit', '--format', 'json').json().filter((e) => e.action === 'rotate').length === i + 1, 'the next refresh token to be stored');
      gw.cli('token', 'purge');
      await until(async () => (await call()).status === 200, 'a call with the next token');
      assert.notEqual(crm.seen.at(-1).headers.authorization, used);
    }
  });

  it('forgets tokens by a button', async () => {
    const before = crm.seen.at(-1).headers.authorization;
    const csrf = /name="csrf" value="([^"]+)"/.exec(await page())[1];
    const post = (body) => fetch(`${gw.url}/admin/credentials/default/crm/forget`, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(body) });
    assert.equal((await post({})).status, 403);
    assert.equal((await post({ csrf })).status, 303);
    assert.match(await page(), /1 token of crm forgotten/);
    await until(async () => (await call()).status === 200, 'a call');
    assert.notEqual(crm.seen.at(-1).headers.authorization, before);
    // and by the management API
    const rest = management(gw, { scopes: ['write:credentials'] }), next = crm.seen.at(-1).headers.authorization;
    assert.deepEqual((await rest('GET', '/credentials/default/crm/consent')).body, { connected: true, address: `${gw.url}/admin/credentials` });
    const [state] = (await rest('GET', '/credential-states')).body.items;
    assert.deepEqual([state.id, state.consent, state.connectedBy, state.tokens.length, state.tokens[0].live], ['crm', true, `user:${gw.admin.email}`, 1, true]);
    assert.equal((await rest('POST', '/credentials/default/crm/forget?dry-run=true')).body.forgotten, 1);
    assert.equal((await rest('POST', '/credentials/default/crm/forget')).body.forgotten, 1);
    await until(async () => (await call()).status === 200, 'a call with another token');
    assert.notEqual(crm.seen.at(-1).headers.authorization, next);
    assert.match(await page(), /Tokens for backends/);
  });

  it('keeps no token or secret in the clear', async () => {
    const secrets = ['client-secret-of-gw', ...[...Array(n)].flatMap((x, i) => [`refresh-token-${i + 1}`, `access-token-${i + 1}`])];
    const html = await page();
    for (const s of secrets) assert.ok(!html.includes(s));
    const clean = (file, bytes) => { for (const s of secrets) assert.ok(!bytes.includes(s), `${file} holds ${s}`); };
    for (const [file, bytes] of filesIn(gw.state)) clean(file, bytes);
    clean('the log', gw.log('serve'));
  });

  it('another client or scope withdraws the consent', async () => {
    gw.cli('credential', 'set', 'crm', '--set', 'scope=api');
    assert.match(await page(), /Missing/);
    await until(async () => (await call()).status === 503, 'the calls to end');
  });
});
