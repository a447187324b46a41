// A developer finds, reads, tries, signs up; comes back to replace a key, to see the own calls, and learns that an API ends.
//
// Each line of the story is one test. Everything is done by script, as people would do it in a browser without script; the
// console is used in Chromium with third-party cookies off.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { chromium } = require('playwright-core');
const { start, backend, until, SERVERS } = require('../http/harness');
const { mailSink, config, sql, Visitor } = require('../http/people');

const HEADER = 'Ocp-Apim-Subscription-Key';
const PASSWORD = 'a sentence that nobody guesses';
const ADA = 'ada@example.com';
const ORDERS = `{ "openapi": "3.0.3",   "info": {"title": "Orders", "version": "1", "description": "Orders of the ERP."},
  "paths": {"/orders": {"get": {"operationId": "list", "summary": "List orders", "responses": {"200": {"description": "ok"}}}}} }\r\n`;
const STOCK = `# what is in store
openapi: 3.1.0
info: {title: Stock of the plant, version: "1"}
paths:
  /stock:
    get: {operationId: stock, summary: How much is there, responses: {"200": {description: ok}}}
`;
const titled = (title) => ORDERS.replace('"Orders"', JSON.stringify(title)).replace('of the ERP', `: ${title}`).replace('List orders', `List ${title}`);
const LIMIT = '<policies><inbound><base /><rate-limit calls="40" renewal-period="300" /></inbound><backend><base /></backend>'
  + '<outbound><base /></outbound><on-error><base /></on-error></policies>';
const MARK = '<policies><inbound><base /><set-header name="X-Mark" exists-action="override"><value>orders</value></set-header></inbound>'
  + '<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>';

for (const server of SERVERS) describe(`A8 behind ${server}`, () => {
  let gw, erp, sink, browser, ada, eve, key, secondary, subscription, token;
  const call = (k, api = 'orders/orders') => fetch(`${gw.url}/api/${api}`, { headers: k ? { [HEADER]: k } : {} });
  const status = async (k, api) => { const r = await call(k, api); await r.arrayBuffer(); return r.status; };
  const keysOn = (v) => [...v.html.matchAll(/<code class="address">([0-9a-zA-Z]{16,})<\/code>/g)].map((m) => m[1]);
  const idOf = (v) => new URL(v.url).pathname.split('/').pop();
  const json = async (method, to, body) => {
    const r = await fetch(`${gw.url}/portal/api/v1${to}`, { method, body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) } });
    return { status: r.status, body: r.status === 204 ? null : await r.json() };
  };
  const subscribe = async (who, product, form = {}) => {
    await who.open(`/products/${product}`);
    await who.submit(`/products/${product}/subscribe`, form);
    await who.follow();
    assert.ok(who.says('You are subscribed'), who.html);
    return { keys: keysOn(who), id: idOf(who) };
  };

  before(async () => {
    erp = await backend();
    sink = await mailSink();
    gw = await start({ server, workers: 2, build: 'release', config: { ...config(sink), 'portal.workers': 1, 'portal.show_keys': 'once' } });
  });
  after(async () => { await browser?.close(); await gw?.stop(); await sink?.close(); await erp?.close(); });

  it('two descriptions, 3.0 and 3.1, two APIs in a product, policies: published in under two minutes, nothing restarted', async () => {
    const began = Date.now(), before = gw.pids('gatehouse-gateway').join();
    const files = { orders: gw.file('orders.json', ORDERS), stock: gw.file('stock.yaml', STOCK) };
    gw.cli('product', 'create', 'planning', '--name', 'Planning');
    for (const name of ['orders', 'stock'])
      gw.cli('import', 'openapi', files[name], '--path', name, '--name', name, '--product', 'planning', '--backend', erp.url);
    gw.cli('policy', 'set', '--scope', 'product:planning', gw.file('limit.xml', LIMIT));
    gw.cli('policy', 'set', '--scope', 'api:orders', gw.file('mark.xml', MARK));
    const own = gw.cli('subscription', 'create', '--product', 'planning', '--format', 'json').json();
    await gw.adopted();
    assert.deepEqual([await status(own.primaryKey), await status(own.primaryKey, 'stock/stock')], [200, 200]);
    assert.ok(Date.now() - began < 120000 * gw.slowness);
    assert.equal(gw.pids('gatehouse-gateway').join(), before);
    assert.equal(erp.seen[0].headers['x-mark'], 'orders');
    for (const [name, text] of [['orders', ORDERS], ['stock', STOCK]]) {
      assert.equal(gw.cli('api', 'document', name).stdout, text, 'byte for byte');
      assert.equal(Buffer.from(await (await fetch(`${gw.url}/apis/${name}/original`)).arrayBuffer()).toString(), text);
    }
  });

  it('a visitor finds it by search; what is for a group is in no list, search, page or download', async () => {
    gw.cli('group', 'create', 'partners');
    gw.cli('product', 'create', 'partners');
    gw.cli('product', 'set', 'partners', '--group', 'partners');
    gw.cli('import', 'openapi', gw.file('prices.json', titled('Prices')), '--path', 'prices', '--name', 'prices', '--product', 'partners', '--backend', erp.url);
    const v = await new Visitor(gw.url).open('/apis?q=order');
    assert.ok(/href="\/apis\/orders"/.test(v.html), v.html);
    for (const page of ['/', '/apis', '/apis?q=prices', '/products', '/new', '/new.atom', '/portal/api/v1/apis', '/portal/api/v1/apis?q=prices', '/portal/api/v1/products']) {
      await v.open(page);
      assert.ok(v.status === 200 && !/\/apis\/prices|"id":"prices"|List Prices|products\/partners/.test(v.html), `${page}: ${v.html}`);
    }
    for (const page of ['', '/operations/list', '/original', '/openapi.json', '/openapi.yaml', '/document'])
      assert.equal((await v.open(`/apis/prices${page}`)).status, 404, page);
    for (const page of ['/apis/prices', '/apis/prices/operations', '/apis/prices/operations/list', '/products/partners'])
      assert.equal((await v.open(`/portal/api/v1${page}`)).status, 404, page);
    assert.equal((await v.open('/products/partners')).status, 404);
  });

  it('sign-up, confirmation, application, subscription: a key that is shown once, a first call in under a minute; the store has its digest', async () => {
    const began = Date.now();
    ada = await new Visitor(gw.url).open('/sign-up');
    await ada.submit('/sign-up', { email: ADA, first_name: 'Ada', last_name: 'Byron' });
    const link = new URL(/^https?:\/\/\S+$/m.exec((await sink.next(ADA)).text)[0]);
    await ada.open(link.href);
    await ada.submit(link.pathname, { password: PASSWORD });
    await ada.follow();
    await ada.open('/account/new-application');
    await ada.submit('/account/applications', { name: 'Planning board' });
    await ada.follow();
    const application = idOf(ada);
    const made = await subscribe(ada, 'planning', { application });
    [key, secondary] = made.keys;
    subscription = made.id;
    assert.equal(await status(key), 200, 'the first call, and with the first key');
    assert.ok(Date.now() - began < 60000 * gw.slowness);
    assert.ok(ada.says('Planning board'), 'the subscription of the application');

    await ada.open(`/account/subscriptions/${subscription}`);
    assert.deepEqual(keysOn(ada), [], 'once');
    assert.equal((await ada.send('POST', `/account/subscriptions/${subscription}/keys`, { form: { csrf: ada.form('/cancel').csrf } })).status, 404);
    const dump = spawnSync('sqlite3', ['-cmd', '.timeout 60000', '-readonly', `${gw.state}/config.db`, '.dump'], { encoding: 'utf8', maxBuffer: 64 << 20 }).stdout;
    for (const k of made.keys) {
      assert.ok(!dump.includes(k) && !dump.includes(Buffer.from(k).toString('hex')));
      assert.ok(dump.includes(crypto.createHash('sha256').update(k).digest('hex')), 'its digest');
    }
    const rows = sql(gw, `SELECT prefix, length(sealed) FROM subscription_key WHERE subscription_id = '${subscription}' ORDER BY slot`);
    assert.deepEqual(rows.split('\n'), made.keys.map((k) => `${k.slice(0, 6)}|0`), 'its first characters and no copy');
  });

  it('the console: a call with an own key and no CORS policy, third-party cookies off; a wrong key shows the gateway\'s 401', async () => {
    fs.writeFileSync(path.join(gw.state, 'gatehouse.conf'), fs.readFileSync(path.join(gw.state, 'gatehouse.conf'), 'utf8').replace('show_keys = once', 'show_keys = always'));
    gw.serve.child.kill('SIGHUP');
    await until(async () => (await ada.open(`/account/subscriptions/${subscription}`)).says('Show the keys'), 'the portal to read its settings again');
    const name = 'For the console', { keys, id } = await subscribe(ada, 'planning', { name });
    browser = await chromium.launch({ timeout: 120000, executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
        '--disable-sync', '--test-third-party-cookie-phaseout'] });
    const page = await browser.newPage({ baseURL: gw.url });
    page.setDefaultTimeout(120000);
    await page.goto('/sign-in');
    await page.fill('#email', ADA);
    await page.fill('#password', PASSWORD);
    await page.click('main button[type=submit]');
    await page.waitForURL((url) => url.pathname === '/');
    await page.goto('/apis/orders/operations/list');
    const send = async () => {
      await page.evaluate(() => { document.querySelector('[data-part=answer]').hidden = true; });
      await page.click('[data-part=send]');
      await page.waitForSelector('[data-part=answer]:not([hidden]), [data-part=problem]:not([hidden])');
      assert.equal(await page.textContent('[data-part=problem]'), '', 'what the console could not do');
      return page.textContent('[data-part=status]');
    };
    await page.selectOption('[data-part=key]', { label: name });
    assert.match(await send(), /^200/);
    assert.ok(!gw.cli('policy', 'show', '--scope', 'api:orders').stdout.includes('cors'));
    const source = await (await page.request.get('/apis/orders/operations/list')).text();
    for (const text of [source, await page.content()]) for (const k of keys) assert.ok(!text.includes(k), 'the key is not in the page');
    await page.selectOption('[data-part=key]', 'other');
    await page.fill('[data-part=other]', 'not-a-key-of-anybody');
    assert.match(await send(), /^401/);
    assert.match(await page.textContent('[data-part=body]'), /"statusCode": 401[^]*invalid subscription key/);
    await browser.close();
    await ada.open(`/account/subscriptions/${id}`);
    await ada.submit(`/account/subscriptions/${id}/cancel`);
  });

  it('a new key: both work while they overlap, the old one stops at its end; a cancelled one with the next call', async () => {
    await ada.open('/account/tokens');
    await ada.submit('/account/tokens', { name: 'Rotation', life: 'week', write: 'yes' });
    token = /ghportal_[0-9a-f]+/.exec(ada.html)[0];
    const told = await until(() => sink.mails.find((m) => m.to.includes(ADA) && /A token was made/.test(m.headers.subject)), 'the mail about the token');
    assert.ok(told.text.includes('Rotation') && told.html.includes('/account/tokens') && !told.raw.includes(token));
    const rotated = async (slot, overlapSeconds) => {
      const r = await json('POST', `/subscriptions/${subscription}/rotate`, { slot, overlapSeconds });
      assert.equal(r.status, 200, JSON.stringify(r.body));
      return r.body;
    };
    const fresh = await rotated('primary', 3600);
    assert.deepEqual([await status(fresh.key), await status(key)], [200, 200], 'both');
    key = fresh.key;
    const short = await rotated('secondary', 1);
    await until(async () => Date.now() > Date.parse(short.oldKeyEndsAt), 'the end of the old key');
    assert.deepEqual([await status(secondary), await status(short.key)], [401, 200], 'the old one has stopped at its end');
    // of another subscription: the next call, whichever worker gets it, already meets the cancelled key
    const { keys, id } = await subscribe(ada, 'planning', { name: 'For a moment' });
    for (const k of keys) assert.equal(await status(k), 200);
    await ada.open(`/account/subscriptions/${id}`);
    await ada.submit(`/account/subscriptions/${id}/cancel`);
    for (let i = 0; i < 10; i++) for (const k of keys) assert.equal(await status(k), 401, 'revoked');
  });

  it('own calls a day, own refusals, own limits, and nothing of anybody else; all of it without script', async () => {
    gw.cli('user', 'create', 'eve@example.com', '--role', 'developer', '--first-name', 'Eve', '--password-file', gw.file('eve', `${PASSWORD}\n`));
    eve = await (await new Visitor(gw.url).signIn('eve@example.com', PASSWORD)).follow();
    const others = await subscribe(eve, 'planning', { name: 'Of Eve' });
    const strange = (await call(others.keys[0])).headers.get('x-request-id');
    let refused;
    for (let i = 0; i < 60 && !refused; i++) {
      const r = await call(key);
      if (r.status === 429) refused = r.headers.get('x-request-id');
    }
    assert.ok(refused, 'the limit of 40 calls');
    await until(async () => (await ada.open('/account/calls')).says(refused), 'the refused call');
    await until(() => gw.cli('log', '--request-id', strange).stdout.includes(strange), 'her call');
    await ada.open(`/account/calls?subscription=${subscription}&range=day`);
    const usage = await json('GET', `/usage?subscription=${subscription}&range=day`);
    assert.ok(usage.body.days[0].calls >= 40 && usage.body.days[0].refused >= 1, JSON.stringify(usage.body));
    await ada.open(`/account/calls/${refused}`);
    assert.ok(ada.says('RateLimitExceeded') || ada.says('rate_limit'), ada.html);
    assert.ok((await ada.open(`/account/subscriptions/${subscription}`)).says('40 calls in 5 minutes'), ada.html);
    for (const page of ['/account/calls', '/account/calls.csv', '/account/subscriptions', '/portal/api/v1/calls?per_page=100', '/portal/api/v1/subscriptions', '/portal/api/v1/usage']) {
      await ada.open(page);
      assert.ok(ada.status === 200 && !ada.says(strange) && !ada.says(others.id) && !ada.says('Of Eve'), page);
    }
    for (const page of [`/account/calls/${strange}`, `/account/subscriptions/${others.id}`, `/account/calls?subscription=${others.id}`, `/portal/api/v1/calls/${strange}`])
      assert.equal((await ada.open(page)).status, 404, page);
  });

  it('theme and pages are files in the export, and come back from it', async () => {
    gw.cli('page', 'set', 'start', '--title', 'How to start', '--file', gw.file('start.md', 'Ask **Ada** first.\n'));
    gw.cli('theme', 'copy', 'templates/portal/home.html');
    const home = path.join(gw.state, 'theme/templates/portal/home.html');
    fs.writeFileSync(home, `${fs.readFileSync(home, 'utf8')}<p>Made in the north plant.</p>\n`);
    const pages = path.join(gw.dir, 'pages'), theme = path.join(gw.dir, 'theme');
    gw.cli('page', 'export', pages);
    gw.cli('theme', 'export', theme);
    assert.match(fs.readFileSync(path.join(pages, 'start.md'), 'utf8'), /How to start[^]*Ask \*\*Ada\*\* first\./);
    const files = fs.readdirSync(theme, { recursive: true }).filter((name) => name.endsWith('home.html'));
    assert.equal(files.length, 1);
    assert.match(fs.readFileSync(path.join(theme, files[0]), 'utf8'), /north plant/);
    const whole = path.join(gw.dir, 'whole');
    gw.cli('export', whole);
    const written = fs.readdirSync(whole, { recursive: true, withFileTypes: true }).filter((e) => e.isFile())
      .map((e) => fs.readFileSync(path.join(e.parentPath ?? e.path, e.name), 'utf8'));
    for (const text of ['Made in the north plant.', 'Ask **Ada** first.']) assert.ok(written.some((file) => file.includes(text)), `the whole export has: ${text}`);
    gw.cli('page', 'delete', 'start');
    fs.rmSync(path.join(gw.state, 'theme'), { recursive: true });
    gw.cli('page', 'import', pages);
    gw.cli('theme', 'import', theme);
    gw.serve.child.kill('SIGHUP');
    const v = new Visitor(gw.url);
    await until(async () => (await v.open('/')).says('Made in the north plant.'), 'the theme');
    assert.ok((await v.open('/pages/start')).html.includes('Ask <strong>Ada</strong> first.'), v.html);
  });

  it('on its way out: a notice, Deprecation and Sunset, no new subscription, a mail; 410 after its date', async () => {
    gw.cli('product', 'create', 'classic');
    gw.cli('import', 'openapi', gw.file('old.json', titled('Old orders')), '--path', 'old', '--name', 'old', '--product', 'classic', '--backend', erp.url);
    await gw.adopted();
    const { keys } = await subscribe(ada, 'classic');
    assert.equal(await status(keys[0], 'old/orders'), 200);
    gw.cli('api', 'set', 'old', '--stage', 'deprecated', '--sunset-date', '2999-12-31');
    await gw.adopted();
    const r = await call(keys[0], 'old/orders');
    assert.equal(r.status, 200);
    assert.match(r.headers.get('deprecation'), /^@\d+$/);
    assert.equal(r.headers.get('sunset'), 'Tue, 31 Dec 2999 00:00:00 GMT');
    assert.ok((await new Visitor(gw.url).open('/apis/old')).says('This version is deprecated'));
    await until(() => sink.mails.some((m) => m.to.includes(ADA) && /deprecated and ends on 2999-12-31/.test(m.headers.subject)), 'the mail about it');
    await eve.open('/account');
    await eve.send('POST', '/products/classic/subscribe', { form: { csrf: eve.form('/account/name').csrf } });
    assert.equal(eve.status, 422, 'no new subscription');
    gw.cli('api', 'set', 'old', '--sunset-date', new Date(Date.now() + 1000).toISOString());
    await gw.adopted();
    await until(async () => (await status(keys[0], 'old/orders')) === 410, 'the end');
    assert.equal(await status(keys[0], 'old/orders'), 410);
  });
});
