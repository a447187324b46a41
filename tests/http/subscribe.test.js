// A developer's way on the portal, without script: find a product, subscribe, call with the key, see the call and why one
// was refused, replace the key while the old one goes on, cancel. Approval by hand in the dashboard, with mails. Nobody
// sees anything of anybody else.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const { start, until, SERVERS } = require('./harness');
const { mailSink, config, sql, Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const HEADER = 'Ocp-Apim-Subscription-Key';

async function up(server, more = {}) {
  const backend = http.createServer((req, res) => res.end('{"ok":true}'));
  await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const sink = await mailSink();
  const gw = await start({
    server, workers: 1, config: { ...config(sink), ...more },
    setup(g) {
      const api = g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1', description: 'All **orders**.' },
        paths: { '/orders': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } }));
      g.cli('product', 'create', 'starter', '--rate', '3/60', '--quota', '1000/86400');
      g.cli('product', 'create', 'gold', '--approval', 'manual');
      g.cli('product', 'create', 'partners');
      g.cli('group', 'create', 'partners');
      g.cli('product', 'set', 'partners', '--group', 'partners');
      g.cli('import', 'openapi', api, '--path', 'orders', '--name', 'orders', '--product', 'starter',
        '--backend', `http://127.0.0.1:${backend.address().port}`);
      g.cli('product', 'add-api', 'gold', 'orders');
      for (const who of ['pat', 'eve'])
        g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--first-name', who, '--password-file', g.file(who, `${PASSWORD}\n`));
    },
  });
  const call = (key) => fetch(`${gw.url}/api/orders/orders`, { headers: key ? { [HEADER]: key } : {} });
  return { gw, sink, call, down: async () => { await gw.stop(); await sink.close(); backend.close(); } };
}

const keysOn = (v) => [...v.html.matchAll(/<code class="address">([0-9a-zA-Z]{16,})<\/code>/g)].map((m) => m[1]);
const inside = async (gw, who) => (await new Visitor(gw.url).signIn(`${who}@example.com`, PASSWORD)).follow();

for (const server of SERVERS)
  test(`behind ${server}`, async (t) => {
    const { gw, sink, call, down } = await up(server);
    t.after(down);
    const pat = await inside(gw, 'pat');
    let keys, page;

    await t.test('products: limits in words; what a visitor may not see is nowhere', async () => {
      const v = await new Visitor(gw.url).open('/products');
      assert.ok(v.says('3 calls a minute, 1,000 calls a day'), v.html);
      assert.ok(!v.says('partners'));
      assert.strictEqual((await v.open('/products/partners')).status, 404);
      await v.open('/products/starter');
      assert.ok(v.says('Sign in to subscribe') && v.says('/apis/orders'));
      assert.strictEqual((await pat.open('/products/partners')).status, 404);
    });

    await t.test('subscribe: the keys are there and work at once', async () => {
      await pat.open('/products/starter');
      await pat.submit('/products/starter/subscribe', { name: 'x'.repeat(101) });
      assert.ok(pat.status === 422 && /id="name-error">This is too long/.test(pat.html));
      await pat.submit('/products/starter/subscribe', { name: '<Planning>' });
      await pat.follow();
      assert.ok(pat.says('You are subscribed') && pat.says('<Planning>'), pat.html);
      keys = keysOn(pat);
      page = new URL(pat.url).pathname;
      assert.strictEqual(keys.length, 2);
      for (const key of keys) await until(async () => (await call(key)).status === 200, 'the key works');
      await pat.open(page);
      assert.deepStrictEqual(keysOn(pat), [], 'shown only on the page that followed');
      assert.ok(!pat.answer.headers.get('set-cookie')?.includes(keys[0]));
      await pat.submit(`${page}/keys`);
      assert.deepStrictEqual(keysOn(pat), keys, 'and whenever asked for, as the operator chose');
      assert.strictEqual(pat.answer.headers.get('cache-control'), 'no-store');
    });

    await t.test('the calls are seen, and why one was refused', async () => {
      assert.strictEqual((await call(keys[0])).status, 200);
      const refused = await call(keys[0]);
      assert.strictEqual(refused.status, 429);
      const id = refused.headers.get('x-request-id');
      await until(async () => (await pat.open('/account/calls')).says(id), 'the refused call in the list');
      assert.ok(pat.says('4 calls, 1 refused, 0 failed'), pat.html);
      assert.ok(pat.says('2xx') && pat.says('4xx') && pat.says('RateLimitExceeded') && pat.says('Retry-After says'), pat.html);
      assert.ok(/\d of 3 calls a minute; 997 of 1,000 calls a day/.test(pat.html), 'what is left, as the gateway counts it');
      await pat.open(`/account/calls/${id}`);
      assert.ok(pat.says('RateLimitExceeded') || pat.says('rate_limit'), pat.html);
      assert.ok(pat.says('/orders/orders') && pat.says('429'), pat.html);
      assert.ok(pat.html.includes('<dd>Orders</dd>') && !pat.html.includes('<dd>orders</dd>'), 'the API by its name');
      await pat.get('/account/calls.csv');
      assert.match(pat.answer.headers.get('content-type'), /^text\/csv/);
      assert.strictEqual(pat.html.trim().split('\r\n').length, 5);
      const eve = await inside(gw, 'eve');
      assert.strictEqual((await eve.open(`/account/calls/${id}`)).status, 404);
      assert.strictEqual((await eve.open(page)).status, 404);
      assert.strictEqual((await eve.open(`/account/calls?subscription=${page.split('/').pop()}`)).status, 404);
      assert.ok((await eve.open('/account/calls')).says('No data'));
      for (const action of ['keys', 'rotate', 'cancel', 'name']) {
        await eve.open('/account');
        await eve.send('POST', `${page}/${action}`, { form: { csrf: eve.form('/account/name').csrf, name: 'mine' } });
        assert.strictEqual(eve.status, 404, action);
      }
    });

    await t.test('a new key: the old one goes on for the time that was chosen, or not at all', async () => {
      await pat.open(page);
      await pat.send('POST', `${page}/rotate`, { form: { ...pat.form(`${page}/rotate`), slot: 'primary', overlap: 'hour' } });
      await pat.follow();
      const [fresh] = keysOn(pat);
      assert.ok(fresh && !keys.includes(fresh), pat.html);
      const works = async (key) => [200, 429].includes((await call(key)).status);
      await until(() => works(fresh), 'the new key');
      assert.ok(await works(keys[0]), 'the old key');
      await pat.open(page);
      await pat.send('POST', `${page}/rotate`, { form: { ...pat.form(`${page}/rotate`), slot: 'secondary', overlap: 'none' } });
      await until(async () => (await call(keys[1])).status === 401, 'the old secondary key is refused');
      keys = [fresh, keys[0]];
    });

    await t.test('cancel: both keys end at once', async () => {
      await pat.open(page);
      await pat.submit(`${page}/cancel`);
      await pat.follow();
      assert.ok(pat.says('is cancelled'), pat.html);
      for (const key of keys) await until(async () => (await call(key)).status === 401, 'a cancelled key is refused');
      assert.match((await sink.next('pat@example.com')).headers.subject, /starter is cancelled/);
      assert.strictEqual((await pat.open('/account/subscriptions')).status, 200);
      assert.ok(pat.says('Cancelled'));
    });

    await t.test('approval by hand: refused until then, mails to the approver and to the owner', async () => {
      await pat.open('/products/gold');
      await pat.submit('/products/gold/subscribe', {});
      await pat.follow();
      assert.ok(pat.says('waits for approval'), pat.html);
      const [key] = keysOn(pat);
      assert.ok([401, 403].includes((await call(key)).status));
      assert.match((await sink.next(gw.admin.email)).headers.subject, /waits for approval/);
      assert.match((await sink.next('pat@example.com')).headers.subject, /^Your request: a subscription to gold/);
      const admin = await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in');
      await admin.open('/admin/subscriptions?state=submitted');
      const id = new URL(pat.url).pathname.split('/').pop();
      assert.ok(admin.says(`/admin/subscriptions/${id}/approve`), admin.html);
      await admin.send('POST', `/admin/subscriptions/${id}/approve`, { form: { ...admin.form(`/admin/subscriptions/${id}/note`), note: 'Welcome' } });
      await admin.follow();
      assert.ok(admin.says('The subscription is approved.'), admin.html);
      await until(async () => (await call(key)).status === 200, 'the key works once approved');
      const mail = await sink.next('pat@example.com');
      assert.match(mail.headers.subject, /gold is approved/);
      assert.match(mail.text, /Note: Welcome/);
      gw.cli('subscription', 'set-state', id, 'suspended', '--note', 'Unpaid');
      assert.match((await sink.next('pat@example.com')).text, /Note: Unpaid/);
      await until(async () => (await call(key)).status !== 200, 'refused while suspended');
      assert.ok((await pat.open(`/account/subscriptions/${id}`)).says('Unpaid'));
    });
  });

test('many requests at once do not pass the limit of a product', async (t) => {
  const { gw, down } = await up(SERVERS[0]);
  t.after(down);
  gw.cli('product', 'set', 'starter', '--subscriptions-limit', '2');
  const pat = await inside(gw, 'pat');
  await pat.open('/products/starter');
  const form = pat.form('/products/starter/subscribe');
  const cookie = pat.cookieHeader(new URL(gw.url));
  const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(`${gw.url}/products/starter/subscribe`,
    { method: 'POST', redirect: 'manual', body: new URLSearchParams(form), headers: { cookie } })));
  assert.deepStrictEqual(answers.map((r) => r.status).sort(), [303, 303, 422, 422, 422, 422, 422, 422]);
  assert.strictEqual(sql(gw, "SELECT count(*) FROM subscription WHERE product_id = 'starter'"), '2');
});

test('keys are shown once where the operator wants it so', async (t) => {
  const { gw, down } = await up(SERVERS[0], { 'portal.show_keys': 'once' });
  t.after(down);
  const pat = await inside(gw, 'pat');
  await pat.open('/products/starter');
  await pat.submit('/products/starter/subscribe', {});
  await pat.follow();
  assert.strictEqual(keysOn(pat).length, 2);
  const page = new URL(pat.url).pathname;
  await pat.open(page);
  assert.ok(!pat.says('Show the keys'));
  await pat.send('POST', `${page}/keys`, { form: { csrf: pat.form(`${page}/name`).csrf } });
  assert.strictEqual(pat.status, 404);
  assert.deepStrictEqual(keysOn(pat), []);
  assert.strictEqual(sql(gw, "SELECT count(*) FROM audit_entry WHERE action LIKE '%shown%'"), '0');
  const admin = await new Visitor(`${gw.url}/admin`).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in');
  await admin.open('/admin/subscriptions');
  const made = await admin.send('POST', `/admin/subscriptions/${page.split('/').pop()}/new-key`, { form: { csrf: /name="csrf" value="([^"]+)"/.exec(admin.html)[1], key: 'primary', keep: '60' } });
  assert.match(made.html, /New key/);
  assert.strictEqual(sql(gw, 'SELECT count(*) || \':\' || total(length(sealed) > 0) FROM subscription_key'), '3:0.0', 'the new one and the two before it, none of them kept in clear');
});
