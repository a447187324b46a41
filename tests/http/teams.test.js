// Applications and those who look after them: made, changed, deleted; subscribed with a tier and a message to the approver;
// invited, joined, left, removed; limits of tiers kept exactly, changed at once. What is somebody else's is answered like what is
// not there, on every page.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const { start, until, SERVERS } = require('./harness');
const { mailSink, config, sql, Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const PEOPLE = ['pat', 'ola', 'eve'];
let gw, sink, backend, admin;
const who = {};

const call = (key) => fetch(`${gw.url}/api/orders/orders`, { headers: { 'Ocp-Apim-Subscription-Key': key } });
const idOf = (v) => new URL(v.url).pathname.split('/').pop();
const keysOn = (v) => [...v.html.matchAll(/<code class="address">([0-9a-f]{32})<\/code>/g)].map((m) => m[1]);
const cli = (...args) => gw.cli(...args);
// Every worker and the cache of keys see a change with the next call: it raises a number in a mapped file, which a commit publishes.
const works = async (key) => (await call(key)).status;

test.before(async () => {
  backend = http.createServer((req, res) => res.end('{"ok":true}'));
  await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));
  sink = await mailSink();
  gw = await start({
    server: SERVERS[0], workers: 2, config: { ...config(sink) },
    setup(g) {
      const api = g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
        paths: { '/orders': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } }));
      g.cli('product', 'create', 'open');
      g.cli('product', 'create', 'tiers', '--name', 'Tiered');
      g.cli('import', 'openapi', api, '--path', 'orders', '--name', 'orders', '--product', 'open',
        '--backend', `http://127.0.0.1:${backend.address().port}`);
      g.cli('product', 'add-api', 'tiers', 'orders');
      g.cli('tier', 'create', 'trial', '--product', 'tiers', '--name', 'Trial', '--rate', '5/300');      // long enough for a slow machine
      g.cli('tier', 'create', 'gold', '--product', 'tiers', '--name', 'Gold', '--approval', 'manual', '--rate', '100/1', '--quota', '8/day');
      for (const name of PEOPLE)
        g.cli('user', 'create', `${name}@example.com`, '--role', 'developer', '--first-name', name, '--password-file', g.file(name, `${PASSWORD}\n`));
    },
  });
  for (const name of PEOPLE) who[name] = await (await new Visitor(gw.url).signIn(`${name}@example.com`, PASSWORD)).follow();
  admin = await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in');
});

test.after(async () => {
  if (gw) await gw.stop();
  if (sink) await sink.close();
  if (backend) backend.close();
});

let app, sub, key;

test('an application is made and changed; what is wrong stands beside its field and nothing is lost', async () => {
  const { pat } = who;
  await pat.open('/account/new-application');
  await pat.submit('/account/applications', { name: '', description: 'Reads <orders>' });
  assert.ok(pat.status === 422 && /id="name-error">Enter a name/.test(pat.html) && pat.says('Reads <orders>'), pat.html);
  await pat.submit('/account/applications', { name: 'Planning' });
  await pat.follow();
  app = idOf(pat);
  assert.ok(pat.says('The application is there'), pat.html);
  await pat.submit(`/account/applications/${app}`, { name: 'Planning & more', description: 'x'.repeat(1001) });
  assert.ok(pat.status === 422 && /id="description-error">This is too long/.test(pat.html), pat.html);
  await pat.submit(`/account/applications/${app}`, { name: 'Planning & more', description: '' });
  await pat.follow();
  assert.ok(pat.says('Planning & more'));
  assert.ok((await pat.open('/account/applications')).says('Planning & more'));
});

test('subscribe it: a tier has to be chosen, one without approval works at once and to the call', async () => {
  const { pat } = who;
  await pat.open(`/products/tiers?application=${app}`);
  assert.ok(pat.says('5 calls in 5 minutes') && pat.says('100 calls a second, 8 calls a day') && pat.says('on approval'), pat.html);
  assert.match(pat.html, new RegExp(`<option value="${app}" selected>`));
  await pat.send('POST', '/products/tiers/subscribe', { form: { csrf: pat.form('/products/tiers/subscribe').csrf, application: app, message: 'kept' } });
  assert.ok(pat.status === 422 && /id="tier-error">Choose a tier/.test(pat.html) && pat.says('kept'), pat.html);
  await pat.send('POST', '/products/tiers/subscribe', { form: { csrf: pat.form('/products/tiers/subscribe').csrf, application: app, tier: 'trial' } });
  await pat.follow();
  assert.ok(pat.says('You are subscribed') && pat.says('Planning & more') && pat.says('Trial'), pat.html);
  [key] = keysOn(pat);
  sub = idOf(pat);
  await gw.adopted();
  const first = await call(key);
  assert.strictEqual(first.status, 200);
  assert.strictEqual(first.headers.get('ratelimit-policy'), '"rate";q=5;w=300');
  assert.match(first.headers.get('ratelimit'), /^"rate";r=4;t=\d+$/);
  assert.ok((await pat.open(`/account/subscriptions/${sub}`)).says('4 of 5 calls in 5 minutes'), pat.html);
  const more = await Promise.all(Array.from({ length: 12 }, () => call(key)));
  assert.strictEqual(more.filter((r) => r.status === 200).length, 4);
  const refused = more.find((r) => r.status === 429);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1 && Number(refused.headers.get('retry-after')) <= 300);
  const id = refused.headers.get('x-request-id');
  await until(async () => (await pat.open('/account/calls')).says(id), 'the refused call in the list');
  assert.ok((await pat.open(`/account/calls/${id}`)).says('RateLimitExceeded') && pat.says('Retry-After'), pat.html);
});

test('a changed tier binds what has it with the next call; one in use is not deleted', async () => {
  cli('tier', 'set', 'trial', '--rate', '7/300');
  const all = await Promise.all(Array.from({ length: 6 }, () => call(key)));
  assert.strictEqual(all.filter((r) => r.status === 200).length, 2, 'five of seven are used');
  const r = gw.cli('tier', 'delete', 'trial', { fails: true });
  assert.ok(r.code === 1 && /deprecate it/.test(r.stderr), r.stderr);
  cli('tier', 'set', 'trial', '--deprecated', 'yes');
  assert.ok(!(await who.eve.open('/products/tiers')).says('calls in 5 minutes') && !who.eve.says('>Trial<'));
  cli('tier', 'set', 'trial', '--deprecated', 'no');
});

test('another tier: asked for with a message, granted in the dashboard, both limits hold', async () => {
  const { pat } = who;
  await pat.open(`/account/subscriptions/${sub}`);
  await pat.send('POST', `/account/subscriptions/${sub}/tier`, { form: { csrf: pat.form(`/account/subscriptions/${sub}/tier`).csrf, tier: 'gold', message: 'We go live <on Monday>' } });
  await pat.follow();
  assert.ok(pat.says('A change to Gold waits for approval'), pat.html);
  const asked = await sink.next(gw.admin.email);
  assert.match(asked.headers.subject, /Another tier for Tiered waits for approval/);
  assert.match(asked.text, /pat@example\.com asks for the tier Gold of Tiered in place of Trial for the application Planning & more\.[^]*We go live <on Monday>/);
  assert.match((await sink.next('pat@example.com')).headers.subject, /^Your request: another tier for Tiered/);
  await admin.open('/admin/subscriptions?state=asking');
  assert.ok(admin.says('Asks for Gold') && admin.says('We go live <on Monday>'), admin.html);
  await admin.send('POST', `/admin/subscriptions/${sub}/grant-tier`, { form: { ...admin.form(`/admin/subscriptions/${sub}/note`), note: 'Good luck' } });
  await admin.follow();
  assert.ok(admin.says('The tier is changed.'), admin.html);
  const mail = await sink.next('pat@example.com');
  assert.match(mail.headers.subject, /The tier of your subscription to Tiered is changed/);
  assert.match(mail.text, /Its tier was Trial and is Gold from now on\.[^]*Note: Good luck/);
  const answers = [];
  for (let i = 0; i < 10; i++) answers.push(await call(key));
  assert.deepStrictEqual(answers.map((r) => r.status), [200, 200, 200, 200, 200, 200, 200, 200, 403, 403]);
  assert.strictEqual(answers[9].headers.get('ratelimit-policy'), '"quota";q=8;w=86400', 'the tightest is told');
  assert.ok(Number(answers[9].headers.get('retry-after')) > 0);
});

test('approval by tier: waits, is granted when the tier no longer asks for it', async () => {
  const { pat } = who;
  await pat.open('/products/tiers');
  await pat.send('POST', '/products/tiers/subscribe', { form: { csrf: pat.form('/products/tiers/subscribe').csrf, tier: 'gold', message: 'Just me' } });
  await pat.follow();
  const mine = idOf(pat), [waiting] = keysOn(pat);
  assert.ok(pat.says('waits for approval'), pat.html);
  assert.strictEqual(await works(waiting), 401);
  assert.match((await sink.next(gw.admin.email)).text, /asks for a subscription to Tiered with the tier Gold\.[^]*Just me/);
  assert.match((await sink.next('pat@example.com')).headers.subject, /^Your request: a subscription to Tiered/);
  await admin.open('/admin/subscriptions?state=submitted');
  assert.ok(admin.says('Just me'), admin.html);
  cli('tier', 'set', 'gold', '--approval', 'auto');
  assert.match((await sink.next('pat@example.com')).headers.subject, /to Tiered is approved/);
  assert.strictEqual(await works(waiting), 200);
  cli('tier', 'set', 'gold', '--approval', 'manual');
  cli('subscription', 'set', mine, '--tier', 'trial');
  assert.match((await sink.next('pat@example.com')).text, /Its tier was Gold and is Trial/);
});

// What stands for the team, and what only Pat may see.
const pages = () => [`/account/applications/${app}`, `/account/subscriptions/${sub}`, `/account/calls?subscription=${sub}`, `/account/calls?application=${app}`];
const posts = () => [
  ...['', '/delete', '/owners', '/clients', '/owners/x/remove', '/invitations/x/withdraw', '/clients/x/rotate', '/clients/x/delete']
    .map((p) => `/account/applications/${app}${p}`),
  ...['keys', 'console-key', 'rotate', 'name', 'cancel', 'tier', 'tier/withdraw'].map((p) => `/account/subscriptions/${sub}/${p}`)];
// The page of an error says which request it was, and nothing else differs.
const same = (html) => html.replace(/[0-9a-f]{32}/g, 'ID').replace(/name="csrf" value="[^"]*"/g, '');

test('what is not one\'s own is answered as what is not there, page by page', async () => {
  const { eve } = who;
  for (const path of pages()) {
    const gone = same((await eve.open(path.replace(app, '0123456789abcdef').replace(sub, '0123456789abcdef'))).html);
    assert.strictEqual(eve.status, 404, path);
    assert.strictEqual(same((await eve.open(path)).html), gone, path);
  }
  const { csrf } = (await eve.open('/account')).form('/account/name');
  for (const path of posts()) {
    await eve.send('POST', path, { form: { csrf, name: 'mine', sure: 'yes', email: 'eve@example.com', tier: 'trial' } });
    assert.strictEqual(eve.status, 404, path);
  }
  await eve.open('/products/tiers');
  await eve.send('POST', '/products/tiers/subscribe', { form: { csrf: eve.form('/products/tiers/subscribe').csrf, application: app, tier: 'trial' } });
  assert.strictEqual(eve.status, 404, 'nobody subscribes somebody else\'s application');
  const v = await new Visitor(gw.url).get(`/account/applications/${app}`);
  assert.ok(v.status === 303 && v.location.includes('/sign-in'), 'a visitor signs in first');
});

test('the team: invited by address, joins, manages alike, leaves; the last owner stays', async () => {
  const { pat, ola, eve } = who;
  await pat.open(`/account/applications/${app}`);
  await pat.submit(`/account/applications/${app}/owners`, { email: 'pat@example.com' });
  assert.ok(pat.status === 422 && pat.says('is in the team'), pat.html);
  for (const address of ['ola@example.com', 'nobody@example.com']) {       // with an account or without: the same answer
    await pat.open(`/account/applications/${app}`);
    await pat.submit(`/account/applications/${app}/owners`, { email: address });
    await pat.follow();
    assert.ok(pat.says('An invitation is on its way.'), pat.html);
    assert.match((await sink.next(address)).text, /pat@example\.com invites you to look after the application Planning & more/);
  }
  const invitation = sql(gw, "SELECT id FROM application_invitation WHERE email = 'ola@example.com'");
  const { csrf } = (await eve.open('/account')).form('/account/name');
  await eve.send('POST', `/account/invitations/${invitation}/accept`, { form: { csrf } });
  assert.strictEqual(eve.status, 404, 'an invitation is for its address');
  await ola.open('/account/applications');
  await ola.submit(`/account/invitations/${invitation}/accept`);
  await ola.follow();
  for (const path of pages()) assert.strictEqual((await ola.open(path)).status, 200, path);
  assert.ok((await ola.open('/account/subscriptions')).says(sub));
  await ola.open(`/account/subscriptions/${sub}`);
  await ola.send('POST', `/account/subscriptions/${sub}/rotate`, { form: { ...ola.form(`/account/subscriptions/${sub}/rotate`), slot: 'secondary', overlap: 'none' } });
  await ola.follow();
  assert.strictEqual(keysOn(ola).length, 1);
  cli('subscription', 'set-state', sub, 'suspended', '--note', 'Unpaid');
  for (const address of ['pat@example.com', 'ola@example.com'])
    assert.match((await sink.next(address)).headers.subject, /to Tiered is suspended/);
  cli('subscription', 'set-state', sub, 'active');
  for (const address of ['pat@example.com', 'ola@example.com']) assert.match((await sink.next(address)).headers.subject, /works again/);
  await ola.open(`/account/applications/${app}`);
  const patId = sql(gw, "SELECT id FROM user_account WHERE email = 'pat@example.com'");
  const olaId = sql(gw, "SELECT id FROM user_account WHERE email = 'ola@example.com'");
  await ola.submit(`/account/applications/${app}/owners/${patId}/remove`);
  await ola.follow();
  assert.strictEqual((await pat.open(`/account/applications/${app}`)).status, 404);
  assert.strictEqual((await pat.open(`/account/subscriptions/${sub}`)).status, 404, 'the subscription stays with the team');
  await ola.open(`/account/applications/${app}`);
  const form = { csrf: ola.form(`/account/applications/${app}/owners`).csrf };
  await ola.send('POST', `/account/applications/${app}/owners/${olaId}/remove`, { form });
  await ola.follow();
  assert.ok(ola.says('keeps its last owner'), ola.html);
  assert.deepStrictEqual(sql(gw, `SELECT action FROM audit_entry WHERE kind = 'application' AND object_id = '${app}' ORDER BY seq`).split('\n'),
    ['create', 'add', 'update', 'invite', 'invite', 'add', 'remove']);
});

test('a client id: its secret is seen once, a new one goes beside the old, removed it is gone', async () => {
  const { ola } = who;
  const token = (id, secret) => fetch(`${gw.url}/api/-/oauth2/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret }) });
  const shown = () => [...ola.html.matchAll(/<code class="address">([0-9a-f]+)<\/code>/g)].map((m) => m[1]);
  await ola.open(`/account/applications/${app}`);
  await ola.submit(`/account/applications/${app}/clients`);
  await ola.follow();
  const [id, secret] = shown();
  await gw.adopted();
  assert.strictEqual((await token(id, secret)).status, 200);
  await ola.open(`/account/applications/${app}`);
  assert.deepStrictEqual(shown(), [id]);
  await ola.submit(`/account/applications/${app}/clients/${id}/rotate`);
  await ola.follow();
  const next = shown()[1];
  assert.deepStrictEqual([(await token(id, next)).status, (await token(id, secret)).status], [200, 200]);
  await ola.submit(`/account/applications/${app}/clients/${id}/delete`);
  await ola.follow();
  assert.strictEqual((await token(id, next)).status, 401);
});

test('deleted: its keys end, its page is gone for the whole team', async () => {
  const { ola } = who;
  await ola.open(`/account/applications/${app}`);
  await ola.submit(`/account/applications/${app}/delete`);
  assert.ok(ola.status === 422 && ola.says('Say that you want this.'), ola.html);
  await ola.submit(`/account/applications/${app}/delete`, { sure: 'yes' });
  await ola.follow();
  assert.ok(ola.says('The application is deleted'), ola.html);
  assert.strictEqual((await ola.open(`/account/applications/${app}`)).status, 404);
  assert.strictEqual(await works(key), 401);
});
