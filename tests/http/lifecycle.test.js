// An API on its way out, behind each web server: Deprecation, Sunset and Link with every answer, 410 from the sunset date on,
// one mail to each subscriber, no new subscription to a product that holds nothing else. What is current answers as before.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, backend, until, SERVERS } = require('./harness');
const { mailSink, config, Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const HEADER = 'Ocp-Apim-Subscription-Key';
const CORS = '<policies><inbound><base /><cors><allowed-origins><origin>https://app.example</origin></allowed-origins>'
  + '<allowed-headers><header>*</header></allowed-headers></cors></inbound></policies>';

async function up(server) {
  const sink = await mailSink();
  const erp = await backend((req, res) => {
    res.setHeader('Deprecation', '@1');
    res.setHeader('Sunset', 'Thu, 01 Jan 1970 00:00:00 GMT');
    res.setHeader('Link', '</next>; rel="next"');
    res.end('{"ok":true}');
  });
  const gw = await start({
    server, workers: 2, config: { ...config(sink), 'web.public_url': 'https://apis.example' },
    setup(g) {
      const api = g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
        paths: { '/orders': { get: { operationId: 'list', tags: ['Sales'], responses: { 200: { description: 'ok' } } } } } }));
      g.cli('product', 'create', 'starter');
      for (const version of ['v1', 'v2'])
        g.cli('import', 'openapi', api, '--path', 'orders', '--version', version, '--name', `orders-${version}`, '--backend', erp.url);
      g.cli('product', 'add-api', 'starter', 'orders-v1');
      g.cli('policy', 'set', '--scope', 'api:orders-v1', g.file('cors.xml', CORS));
      for (const who of ['pat', 'eve'])
        g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--first-name', who, '--password-file', g.file(who, `${PASSWORD}\n`));
      for (const name of ['One', 'Two'])
        g.key = g.cli('subscription', 'create', '--product', 'starter', '--user', 'pat@example.com', '--name', name, '--format', 'json').json().primaryKey;
    },
  });
  const call = (path, options = {}) => fetch(`${gw.url}/api/orders/${path}`, { ...options, headers: { [HEADER]: gw.key, ...options.headers } });
  return { gw, sink, call, down: async () => { await gw.stop(); await sink.close(); await erp.close(); } };
}

const of = (r) => [r.headers.get('deprecation'), r.headers.get('sunset'), r.headers.get('link')];
const PAGE = '<https://apis.example/apis/orders-v1>';

for (const server of SERVERS)
  test(`behind ${server}`, async (t) => {
    const { gw, sink, call, down } = await up(server);
    t.after(down);

    await t.test('what is current answers as its backend does', async () => {
      const r = await call('v1/orders');
      assert.strictEqual(r.status, 200);
      assert.deepStrictEqual(of(r), ['@1', 'Thu, 01 Jan 1970 00:00:00 GMT', '</next>; rel="next"']);
    });

    await t.test('a preview is served', async () => {
      gw.cli('api', 'set', 'orders-v1', '--stage', 'preview');
      await gw.adopted();
      assert.strictEqual((await call('v1/orders')).status, 200);
    });

    await t.test('deprecated: three fields with each answer, the gateway\'s own too', async () => {
      const { stdout } = gw.cli('api', 'set', 'orders-v1', '--stage', 'deprecated', '--deprecation-date', '2026-01-02T03:04:05Z', '--sunset-date', '2999-12-31');
      assert.match(stdout, /^1 subscriber is told/);
      await gw.adopted();
      const want = ['@1767323045', 'Tue, 31 Dec 2999 00:00:00 GMT'];
      const links = `${PAGE}; rel="deprecation"; type="text/html", ${PAGE}; rel="sunset"; type="text/html"`;
      const good = await call('v1/orders');
      assert.strictEqual(good.status, 200);
      assert.deepStrictEqual(of(good), [...want, `</next>; rel="next", ${links}`]);
      for (const [what, r, status] of [['no key', await call('v1/orders', { headers: { [HEADER]: '' } }), 401],
        ['no operation', await call('v1/nothing'), 404], ['HEAD', await call('v1/orders', { method: 'HEAD' }), 404]]) {
        assert.strictEqual(r.status, status, what);
        assert.deepStrictEqual(of(r), [...want, links], what);
      }
      assert.deepStrictEqual(of(await call('v2/orders', { headers: { [HEADER]: '' } })), [null, null, null], 'the other version');
    });

    await t.test('one mail to each subscriber, in text and HTML; another date is worth another one', async () => {
      const mail = await sink.next('pat@example.com');
      assert.strictEqual(mail.headers.subject, 'Orders v1 is deprecated and ends on 2999-12-31');
      for (const part of [mail.text, mail.html]) {
        assert.match(part, /Hello pat,/);
        assert.match(part, /deprecated as of 2026-01-02/);
        assert.match(part, /until 2999-12-31 00:00 UTC/);
        assert.match(part, /Move to Orders v2\./);
        assert.match(part, /https:\/\/apis\.example\/apis\/orders-v1/);
      }
      gw.cli('api', 'set', 'orders-v1', '--description', 'Goes on for a while.');
      gw.cli('api', 'set', 'orders-v1', '--sunset-date', '2998-12-31');
      assert.match((await sink.next('pat@example.com')).headers.subject, /ends on 2998-12-31/);
      assert.deepStrictEqual(sink.mails.flatMap((m) => m.to), ['pat@example.com', 'pat@example.com'], 'nobody else, and not for the description');
    });

    await t.test('the portal says so, and takes no new subscription', async () => {
      const eve = await (await new Visitor(gw.url).signIn('eve@example.com', PASSWORD)).follow();
      for (const path of ['/apis/orders-v1', '/apis/orders-v1/operations/list', '/apis?state=deprecated']) {
        await eve.open(path);
        assert.ok(eve.says('Deprecated') && eve.says('31 Dec 2998'), path);
      }
      await eve.open('/products/starter');
      assert.ok(eve.says('it takes no new subscription'), eve.html);
      await eve.open('/account');
      const { csrf } = eve.form('/account/name');
      await eve.send('POST', '/products/starter/subscribe', { form: { csrf, name: 'x' } });
      assert.strictEqual(eve.status, 422);
      assert.ok(eve.says('it takes no new subscription'), eve.html);
      gw.cli('product', 'add-api', 'starter', 'orders-v2');
      await eve.open('/products/starter');
      await eve.submit('/products/starter/subscribe', { name: 'x' });
      assert.strictEqual(eve.status, 303, 'with an API that stays it does');
    });

    await t.test('from the sunset date on: 410, without anybody doing anything', async () => {
      gw.cli('api', 'set', 'orders-v1', '--sunset-date', new Date(Date.now() + 1500).toISOString());
      await gw.adopted();
      await until(async () => (await call('v1/orders')).status === 410, 'the sunset');
      const r = await call('v1/orders');
      assert.match(r.headers.get('content-type'), /^application\/json/);
      assert.match(r.headers.get('link'), /rel="sunset"/);
      const body = await r.json();
      assert.strictEqual(body.statusCode, 410);
      assert.match(body.message, /no longer served/);
      assert.strictEqual((await call('v1/nothing')).status, 410, 'whatever the operation');
      assert.strictEqual((await call('v2/orders')).status, 200, 'the other version');
      const id = r.headers.get('x-request-id');
      await until(() => gw.cli('log', '--request-id', id).stdout.includes('api_retired'), 'the reason in the record');
      assert.match(gw.cli('log', '--id', id).stdout, /move to another one/, 'and what to do');
      const preflight = await call('v1/orders', { method: 'OPTIONS', headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' } });
      assert.strictEqual(preflight.headers.get('access-control-allow-origin'), 'https://app.example');
      assert.ok((await new Visitor(gw.url).open('/apis/orders-v1')).says('This version is retired'));
    });

    await t.test('retired by hand: the same; a draft is not there at all', async () => {
      gw.cli('api', 'set', 'orders-v2', '--stage', 'retired');
      await gw.adopted();
      assert.strictEqual((await call('v2/orders')).status, 410);
      gw.cli('api', 'set', 'orders-v2', '--stage', 'draft');
      await gw.adopted();
      const r = await call('v2/orders');
      assert.strictEqual(r.status, 404);
      assert.strictEqual(r.headers.get('deprecation'), null);
    });

    await t.test('the dashboard does the same; what is wrong is told beside its field and stays typed', async () => {
      gw.cli('api', 'set', 'orders-v2', '--stage', 'published');
      const admin = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
      const page = '/admin/apis/orders-v2', action = `${page}/life`;
      await admin.open(page);
      const wrong = { stage: 'published', deprecated: '', sunset: '2999-02-30', tags: 'erp, <sales>' };
      await admin.submit(action, wrong);
      assert.strictEqual(admin.status, 422);
      assert.match(admin.html, /id="sunset-error">This is no date/);
      assert.deepStrictEqual([admin.form(action).sunset, admin.form(action).tags], ['2999-02-30', 'erp, <sales>']);
      await admin.submit(action, { ...wrong, sunset: '2999-03-01' });
      assert.strictEqual(admin.status, 422, 'a sunset of what is current');
      await admin.submit(action, { stage: 'deprecated', deprecated: '', sunset: '2999-03-01', tags: 'erp, <sales>' });
      await admin.follow();
      assert.ok(admin.says('2 subscribers are told by mail'), admin.html);
      assert.deepStrictEqual([admin.form(action).sunset, admin.form(action).tags], ['2999-03-01', '<sales>, erp']);
      await admin.submit(action, { stage: 'deprecated', sunset: '2999-03-01' });
      await admin.follow();
      assert.ok(admin.says('The API is changed.') && !admin.says('told by mail'), 'saved again, nobody is told');
      assert.match((await sink.next('eve@example.com')).headers.subject, /Orders v1/, 'its sunset was moved above, when she had subscribed');
      assert.match((await sink.next('eve@example.com')).headers.subject, /Orders v2 is deprecated and ends on 2999-03-01/);
      const shown = gw.cli('api', 'show', 'orders-v2', '--format', 'json').json();
      assert.deepStrictEqual([shown.state, shown.sunset, shown.tags], ['deprecated', '2999-03-01T00:00:00Z', ['<sales>', 'erp']]);
      await gw.adopted();
      assert.match((await call('v2/orders')).headers.get('sunset'), /01 Mar 2999/);
    });
  });
