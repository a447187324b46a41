// A web application behind a sign-in: browsers are led to a real OpenID provider and back, scripts get 401, the backend learns
// who it is, and sessions end by time, by logout and by the provider, on every worker.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, backend, until, SERVERS } = require('./harness');
const { openIdProvider, request, Visitor } = require('./people');
const { Signer, now } = require('./tokens');

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };
const SCRIPT = { accept: 'application/json' };
const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Tool', version: '1' },
  paths: { '/{rest}': Object.fromEntries(['get', 'post', 'delete'].map((m) => [m, { operationId: `${m}-any`, parameters: [{ name: 'rest', in: 'path', required: true, schema: { type: 'string' } }], responses: { 200: { description: 'ok' } } }])) } });

let idp, app, gw;
let life = 600;      // of access tokens, in seconds

async function up(server) {
  app = await backend();
  idp = await openIdProvider({
    people: { ada: { email: 'ada@corp.example', email_verified: true, given_name: 'Ada', groups: ['tools', 'a,b', 'größe'] },
      bob: { email: 'bob@corp.example', email_verified: false, groups: ['others'] } },
    clients: [{ client_id: 'gw', client_secret: 'the secret of the gateway', redirect_uris: ['http://127.0.0.1/'], backchannel_logout_session_required: true },
      { client_id: 'another', client_secret: 'the secret of somebody else', redirect_uris: ['http://127.0.0.1/'] }],
    ttl: { AccessToken: () => life, IdToken: 60, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600, AuthorizationCode: 60 },
    rotateRefreshToken: () => true,
  });
  gw = await start({
    server, workers: 2, config: { 'cache.max_bytes': 1048576 },
    setup(g) {
      const file = g.file('tool.json', DESCRIPTION);
      for (const name of ['tool', 'other', 'brief'])
        g.cli('import', 'openapi', file, '--path', name, '--name', name, '--backend', app.url);
      g.cli('api', 'set', 'tool', '--require-key', 'no');
      g.cli('api', 'set', 'other', '--require-key', 'no');
      g.cli('api', 'set', 'brief', '--require-key', 'no');
      g.cli('import', 'openapi', file, '--path', 'fill', '--name', 'fill', '--backend', app.url);
      g.cli('api', 'set', 'fill', '--require-key', 'no');
      g.cli('policy', 'set', '--scope', 'api:fill', g.file('fill.xml', `<policies><inbound><base />
        <cache-store-value key="@(Guid.NewGuid().ToString())" value="@(new string('x', 200000))" duration="3600" /><return-response /></inbound>
        <backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
      g.cli('identity-provider', 'create', 'corp', '--issuer', idp.issuer, '--client-id', 'gw', '--for', 'apis', '--scopes', 'openid email profile groups',
        '--client-secret-file', g.file('secret', 'the secret of the gateway\n'));
      g.cli('iap', 'set', '--api', 'tool', '--provider', 'corp');
      g.cli('iap', 'set', '--api', 'other', '--provider', 'corp', '--groups', 'admins,others');
      g.cli('iap', 'set', '--api', 'brief', '--provider', 'corp', '--idle', '1', '--max', '3');
    },
  });
  const client = await idp.provider.Client.find('gw');
  client.redirectUris.push(`${gw.url}/api/-/iap/callback`);
  client.backchannelLogoutUri = `${gw.url}/api/-/iap/backchannel/corp`;
}

async function down() {
  if (gw) await gw.stop();
  for (const x of [idp, app]) if (x) await x.close();
  gw = idp = app = undefined;
}

async function signedIn(who, path = '/api/tool/page') {
  idp.who = who;
  return new Visitor(gw.url, BROWSER).open(path);
}
// A session whose access token is over: its life is the event, nothing tells of its end. The next one lasts.
async function withOldToken(who) {
  let v;
  life = 1;
  await until(async () => { v = await signedIn(who); return v.status === 200; }, 'a session');
  life = 600;
  await new Promise((r) => setTimeout(r, 1100));
  return v;
}
async function endAtProvider(v) {
  await v.open(`${idp.issuer}/session/end?client_id=gw`);
  const form = /<form[^>]*action="([^"]+)"[^]*?name="xsrf" value="([^"]+)"/.exec(v.html);
  await v.send('POST', form[1], { form: { xsrf: form[2], logout: 'yes' } });
}
const last = () => app.seen.at(-1);
const refreshes = () => idp.seen.filter((r) => r.url === '/token').length;

for (const server of SERVERS) {
  test(`behind ${server}`, async (t) => {
    t.after(down);
    await up(server);

    await t.test('a page leads to the provider and back to where it began', async () => {
      const v = await signedIn('ada', '/api/tool/page?x=1&y=%2Fz');
      assert.strictEqual(v.status, 200, v.html);
      assert.strictEqual(v.url, `${gw.url}/api/tool/page?x=1&y=%2Fz`);
      const cookie = v.cookies.find((c) => c.name === 'gh_iap_corp');
      assert.match(cookie.line, /; HttpOnly; SameSite=Lax$/);
      assert.match(cookie.line, /; Path=\/api; /);
      assert.ok(!v.cookies.some((c) => c.name.startsWith('gh_go_')), 'nothing is left of the way');
      assert.ok(!Buffer.from(cookie.value, 'base64url').toString('latin1').includes('ada'), 'nobody can read it');
      const h = last().headers;
      assert.deepStrictEqual([h['x-forwarded-user'], h['x-forwarded-email'], h['x-forwarded-groups']],
        ['ada', 'ada@corp.example', 'tools,a%2Cb,gr%C3%B6%C3%9Fe']);
      assert.strictEqual(h.cookie, undefined);
    });

    await t.test('a kept connection that the provider closes at this moment costs no sign-in', async () => {
      idp.closes = true;
      for (let i = 0; i < 4; i++) assert.strictEqual((await signedIn('ada')).status, 200);
      idp.closes = false;
    });

    await t.test('what a client says about itself does not pass; its other cookies do', async () => {
      const v = await signedIn('ada');
      v.cookies.push({ host: new URL(gw.url).host, name: 'theirs', value: '1', path: '/' });
      await v.get('/api/tool/page', { headers: { 'x-forwarded-user': 'root', 'X-Forwarded-Groups': 'admins', 'x-forwarded-name': 'Root' } });
      assert.deepStrictEqual([last().headers['x-forwarded-user'], last().headers['x-forwarded-groups'], last().headers['x-forwarded-name'], last().headers.cookie],
        ['ada', 'tools,a%2Cb,gr%C3%B6%C3%9Fe', undefined, 'theirs=1']);
    });

    await t.test('scripts and forms without a session get 401 and no redirect', async () => {
      const before = app.seen.length;
      for (const [method, headers] of [['GET', SCRIPT], ['GET', { ...BROWSER, 'sec-fetch-mode': 'cors' }], ['GET', { ...BROWSER, 'x-requested-with': 'XMLHttpRequest' }],
        ['POST', BROWSER], ['DELETE', BROWSER], ['GET', {}]]) {
        const answer = await request(method, new URL('/api/tool/page', gw.url), headers, method === 'POST' ? 'x=1' : undefined);
        assert.strictEqual(answer.status, 401, `${method} ${JSON.stringify(headers)}`);
        assert.match(answer.headers.get('www-authenticate'), /^OpenIDConnect realm="corp"$/);
        assert.match(answer.text, /"statusCode": 401.*Sign-in is required/);
      }
      assert.strictEqual(app.seen.length, before, 'the backend has seen nothing');
    });

    await t.test('with a session they pass', async () => {
      const v = await signedIn('ada');
      await v.send('POST', '/api/tool/page', { form: { a: '1' }, headers: SCRIPT });
      assert.strictEqual(v.status, 200);
      assert.strictEqual(last().body.toString(), 'a=1');
    });

    await t.test('group rules; one session is good for all APIs of the provider', async () => {
      const v = await signedIn('ada');
      const asked = idp.seen.length;
      await v.open('/api/other/page');
      assert.strictEqual(v.status, 403);
      assert.match(v.html, /none of the groups/);
      const bob = await signedIn('bob', '/api/other/page');
      assert.strictEqual(bob.status, 200);
      assert.deepStrictEqual([last().headers['x-forwarded-groups'], last().headers['x-forwarded-email']], ['others', undefined], 'no address that is not proven');
      assert.ok(idp.seen.length > asked);
    });

    if (server !== SERVERS[0]) return;       // what follows does not depend on the web server
    await t.test('a cookie that was changed, or made for something else, is none', async () => {
      const v = await signedIn('ada');
      const cookie = v.cookies.find((c) => c.name === 'gh_iap_corp');
      const good = cookie.value;
      const middle = Math.floor(good.length / 2);
      for (const value of [good.slice(0, middle) + (good[middle] === 'A' ? 'B' : 'A') + good.slice(middle + 1), good.slice(0, -4), 'x', '', good + good]) {
        cookie.value = value;
        assert.strictEqual((await v.get('/api/tool/page')).status, 302, value.slice(0, 20));
      }
    });

    await t.test('callbacks that belong to no attempt of this browser', async () => {
      const v = new Visitor(gw.url, BROWSER);
      idp.who = 'ada';
      await v.get('/api/tool/page');
      const state = new URL(v.location).searchParams.get('state');
      const callback = (query) => v.get(`${gw.url}/api/-/iap/callback?${query}`);
      for (const query of ['', 'code=x', `code=x&state=${'0'.repeat(32)}`, `code=x&state=${state}0`, `state=${state}`])
        assert.strictEqual((await callback(query)).status, 400, query);
      assert.strictEqual((await new Visitor(gw.url, BROWSER).get(`/api/-/iap/callback?code=x&state=${state}`)).status, 400);
      assert.strictEqual((await callback(`code=x&state=${state}&iss=${encodeURIComponent('https://evil.example')}`)).status, 403);
      assert.strictEqual((await callback(`code=x&state=${state}`)).status, 403, 'the provider names itself in its answers');
      assert.strictEqual((await callback(`code=made-up&state=${state}&iss=${encodeURIComponent(idp.issuer)}`)).status, 403);
      assert.strictEqual((await callback(`error=access_denied&state=${state}`)).status, 403);
      for (const path of ['/api/-/iap/logout/nobody', '/api/-/iap/other', '/api/-/iap/'])
        assert.strictEqual((await v.get(path)).status, 404, path);
    });

    await t.test('idle and absolute lifetime of an API', async () => {
      const idle = 1000, max = 3000;
      await until(async () => {            // once more where a busy machine leaves more than the idle time between two calls
        const from = Date.now(), v = await signedIn('ada', '/api/brief/page'), there = Date.now();
        const cookie = () => v.cookies.find((c) => c.name === 'gh_iap_corp')?.value;
        const first = cookie();
        for (let used = from, alive = 0; ;) {
          const sent = Date.now(), { status } = await v.get('/api/brief/page', { headers: BROWSER }), got = Date.now();
          if (status === 302) {
            if (got - used >= idle) return false;
            assert.ok(got - from >= max - 1000, `${got - from} ms: use keeps it alive, until the absolute end`);
            assert.ok(alive > idle && cookie() !== first, `used for ${alive} ms`);
            assert.strictEqual((await v.get('/api/tool/page')).status, 200, 'elsewhere it lives on');
            return true;
          }
          assert.strictEqual(status, 200);
          assert.ok(sent - there < max + 1000, 'the absolute end');
          [used, alive] = [sent, sent - there];
        }
      }, 'a session that is used until its end');
    });

    await t.test('an API that nobody uses asks again after its idle time, before the absolute end', async () => {
      const v = await signedIn('ada', '/api/brief/page');
      await new Promise((r) => setTimeout(r, 1500));       // time itself is the subject
      await v.get('/api/brief/page', { headers: BROWSER });
      assert.ok(v.status === 302, `${v.status}`);
      assert.strictEqual((await v.get('/api/tool/page')).status, 200, 'elsewhere it lives on');
    });

    await t.test('claims are asked for anew; of many calls at once one asks', async () => {
      const v = await withOldToken('ada');
      idp.people.ada.groups = ['admins'];
      const old = v.cookies.map((c) => ({ ...c }));
      const before = refreshes();
      const many = await Promise.all(Array.from({ length: 20 }, () => Object.assign(new Visitor(gw.url, BROWSER), { cookies: old.map((c) => ({ ...c })) }).get('/api/tool/page')));
      assert.deepStrictEqual([...new Set(many.map((x) => x.status))], [200]);
      assert.strictEqual(refreshes() - before, 1);
      const fresh = many.find((x) => x.cookies.find((c) => c.name === 'gh_iap_corp').value !== old.find((c) => c.name === 'gh_iap_corp').value);
      await fresh.get('/api/other/page');
      assert.strictEqual(fresh.status, 200, 'the new group lets in');
      const late = Object.assign(new Visitor(gw.url, BROWSER), { cookies: old.map((c) => ({ ...c })) });
      await late.get('/api/other/page');
      assert.strictEqual(late.status, 200, 'the old cookie gets the outcome of the one refresh');
      idp.people.ada.groups = ['tools'];
    });

    await t.test('what a refresh does not tell again stays: groups, and the session by which the provider ends it', async () => {
      const v = await withOldToken('ada'), client = await idp.provider.Client.find('gw');
      const { 'x-forwarded-groups': groups } = last().headers;
      const before = refreshes();
      client.backchannelLogoutSessionRequired = false;     // no sid in ID tokens
      idp.away = '/me';
      assert.strictEqual((await v.get('/api/tool/page')).status, 200);
      client.backchannelLogoutSessionRequired = true;
      idp.away = undefined;
      assert.strictEqual(refreshes() - before, 1);
      assert.strictEqual(last().headers['x-forwarded-groups'], groups);
      await endAtProvider(v);
      await until(async () => (await v.get(`${gw.url}/api/tool/page`)).status === 302, 'the end of the session');
    });

    await t.test('logout ends the session for every copy of the cookie', async () => {
      const v = await signedIn('ada');
      const copy = Object.assign(new Visitor(gw.url, BROWSER), { cookies: v.cookies.map((c) => ({ ...c })) });
      assert.strictEqual((await v.get('/api/-/iap/logout/corp', { headers: { ...BROWSER, 'sec-fetch-site': 'cross-site' } })).status, 400);
      await v.get(`${gw.url}/api/-/iap/logout/corp`);
      assert.strictEqual(v.status, 302);
      assert.ok(v.location.startsWith(`${idp.issuer}/session/end?client_id=gw`));
      assert.ok(!v.cookies.some((c) => c.name === 'gh_iap_corp'));
      for (let i = 0; i < 8; i++) assert.strictEqual((await copy.get('/api/tool/page')).status, 302);
      // whatever else is kept: the cache has made room several times over
      for (let i = 0; i < 30; i++) assert.strictEqual((await fetch(`${gw.url}/api/fill/page`)).status, 200);
      for (let i = 0; i < 8; i++) assert.strictEqual((await copy.get('/api/tool/page')).status, 302);
    });

    await t.test('the provider ends a session on all workers; another one of the same person goes on', async () => {
      const v = await signedIn('ada'), other = await signedIn('ada');
      await endAtProvider(v);
      await until(async () => (await v.get(`${gw.url}/api/tool/page`)).status === 302, 'the end of the session');
      for (let i = 0; i < 16; i++) assert.strictEqual((await v.get(`${gw.url}/api/tool/page`)).status, 302);
      assert.strictEqual((await other.get('/api/tool/page')).status, 200);
    });

    await t.test('logout tokens that are none', async () => {
      const post = (token) => fetch(`${gw.url}/api/-/iap/backchannel/corp`, { method: 'POST', body: new URLSearchParams(token === undefined ? {} : { logout_token: token }) })
        .then(async (r) => { await r.text(); return [r.status, r.headers.get('cache-control')]; });
      const v = await signedIn('ada');
      for (const token of [undefined, 'x', 'a.b.c', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"ada"}').toString('base64url')}.`])
        assert.deepStrictEqual(await post(token), [400, 'no-store'], String(token));
      assert.strictEqual((await fetch(`${gw.url}/api/-/iap/backchannel/corp`)).status, 400);
      assert.strictEqual((await post('x'.repeat(100000)))[0], 413);
      const { IdToken } = idp.provider;
      const made = async (claims, to = 'gw') => {
        const token = new IdToken({ sub: 'ada' }, { client: await idp.provider.Client.find(to) });
        token.mask = { sub: null };
        token.set('jti', 'a');
        token.set('iat', Math.floor(Date.now() / 1000));
        for (const [k, x] of Object.entries(claims)) token.set(k, x);
        return token.issue({ use: 'idtoken' });
      };
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      assert.deepStrictEqual(await post(await made({})), [400, 'no-store'], 'an ID token is no logout token');
      assert.strictEqual((await post(await made({ events, nonce: 'n' })))[0], 400);
      assert.strictEqual((await post(await made({ events }, 'another')))[0], 400, 'for another audience');
      const claims = { iss: idp.issuer, aud: 'gw', sub: 'ada', jti: 'b', iat: now(), exp: now() + 60, events };
      assert.strictEqual((await post(new Signer('k').token(claims)))[0], 400, 'signed by somebody else');
      assert.strictEqual((await v.get('/api/tool/page')).status, 200);
      assert.deepStrictEqual(await post(await made({ events })), [200, 'no-store'], 'by subject');
      for (let i = 0; i < 8; i++) assert.strictEqual((await v.get('/api/tool/page')).status, 302);
    });

    await t.test('the provider away: who is signed in goes on, others get 503, nothing else waits', async () => {
      const v = await signedIn('bob');
      gw.cli('identity-provider', 'create', 'far', '--issuer', 'http://127.0.0.1:9', '--client-id', 'x', '--for', 'apis');
      gw.cli('iap', 'set', '--api', 'other', '--provider', 'far');
      await until(async () => (await new Visitor(gw.url, BROWSER).get('/api/other/page')).status === 503, 'the new setting');
      assert.strictEqual((await v.get('/api/tool/page')).status, 200);
      gw.cli('iap', 'unset', '--api', 'other');
      await gw.adopted();
      await until(async () => (await new Visitor(gw.url, BROWSER).get('/api/other/page')).status === 200, 'the open API');
    });

    await t.test('another issuer under the same name, and no session of the old one is believed', async () => {
      const v = await signedIn('ada');
      assert.strictEqual(v.status, 200);
      const attempt = new Visitor(gw.url, BROWSER);
      await attempt.get('/api/tool/page');
      const state = new URL(attempt.location).searchParams.get('state');
      const other = await openIdProvider({ people: {}, clients: [{ client_id: 'gw', client_secret: 'the secret of the gateway',
        redirect_uris: [`${gw.url}/api/-/iap/callback`] }] });
      t.after(() => other.close());
      for (const api of ['tool', 'brief']) gw.cli('iap', 'unset', '--api', api);
      gw.cli('identity-provider', 'delete', 'corp');
      gw.cli('identity-provider', 'create', 'corp', '--issuer', other.issuer, '--client-id', 'gw', '--for', 'apis',
        '--client-secret-file', gw.file('secret', 'the secret of the gateway\n'));
      gw.cli('iap', 'set', '--api', 'tool', '--provider', 'corp');
      await gw.adopted();
      await v.get(`${gw.url}/api/tool/page`);
      assert.strictEqual(v.status, 302);
      assert.ok(v.location.startsWith(other.issuer), 'signs in at the new one');
      await attempt.get(`${gw.url}/api/-/iap/callback?code=of-the-old-one&state=${state}`);
      assert.strictEqual(attempt.status, 400, 'a code of the old one is not shown to the new one');
      assert.deepStrictEqual(other.seen.filter((r) => r.url === '/token'), []);
    });
  });
}
