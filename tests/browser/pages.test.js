// The portal and the dashboard in a real browser, behind lighttpd: every page at two widths and in both colour schemes is
// free of accessibility faults (axe), script and loading errors, and sideways scrolling; its HTML is valid.
// `make screenshots` leaves pictures of all of them in build/screenshots/ for people to look at.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { start, until, ROOT } = require('../http/harness');
const { check, launch, signIn: signInAs, watch } = require('./page');

// A form with a file, of an API that wants tokens.
const FORMS = { openapi: '3.1.0', info: { title: 'Forms', version: '1' }, security: [{ login: ['files.write'] }],
  components: { securitySchemes: { login: { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: 'https://login.example/auth', tokenUrl: 'https://login.example/token', scopes: {} } } } } },
  paths: { '/files/{kind}': { post: { operationId: 'send', summary: 'Send a file',
    parameters: [{ name: 'kind', in: 'path', required: true, schema: { type: 'string' } }, { name: 'deep', in: 'query', schema: { type: 'boolean' } },
      { name: 'tag', in: 'query', schema: { type: 'array', items: { type: 'string' } } }],
    requestBody: { content: { 'multipart/form-data': { schema: { type: 'object', required: ['title'],
      properties: { title: { type: 'string', example: 'A title' }, file: { type: 'string', format: 'binary' } } } } } },
    responses: { 200: { description: 'ok' } } } } } };

const DEV = { email: 'pat@example.com', password: 'a sentence that nobody guesses' };
let gw, browser, refused;

test.before(async () => {
  gw = await start({
    setup(g) {
      const sample = (name) => path.join(ROOT, 'deploy/sample', `${name}.yaml`);
      const policy = g.file('policy.xml', '<policies>\n\t<inbound>\n\t\t<base />\n\t\t<!-- one window a caller -->\n'
        + '\t\t<rate-limit calls="100" renewal-period="60" />\n\t</inbound>\n</policies>\n');
      g.cli('product', 'create', 'starter', '--rate', '100/60');
      g.cli('import', 'openapi', sample('orders'), '--path', 'orders', '--name', 'orders', '--backend',
        'http://127.0.0.1:9', '--product', 'starter');
      g.cli('import', 'openapi', sample('inventory'), '--path', 'inventory', '--name', 'inventory', '--backend',
        'http://127.0.0.1:9', '--product', 'starter');
      g.cli('api', 'set', 'orders', '--tag', 'erp', '--tag', 'purchasing & sales');
      g.cli('api', 'set', 'inventory', '--tag', 'erp', '--stage', 'deprecated', '--sunset-date', '2999-01-31');
      g.cli('subscription', 'create', '--product', 'starter', '--name', 'Planning');
      g.cli('product', 'create', 'gold', '--approval', 'manual');
      g.cli('user', 'create', DEV.email, '--role', 'developer', '--first-name', 'Pat', '--password-file', g.file('pat', `${DEV.password}\n`));
      const own = (product, name) => g.cli('subscription', 'create', '--product', product, '--user', DEV.email, '--name', name, '--format', 'json').json();
      g.own = own('starter', 'Planning of the shop floor');
      g.waiting = own('gold', 'Trial');
      g.cli('subscription', 'set-state', g.waiting.id, 'submitted');
      g.cli('import', 'openapi', g.file('forms.json', JSON.stringify(FORMS)), '--path', 'forms', '--name', 'forms', '--backend', 'http://127.0.0.1:9');
      g.cli('tier', 'create', 'small', '--product', 'gold', '--name', 'Small', '--rate', '10/60', '--description', 'To try it out');
      g.cli('tier', 'create', 'large', '--product', 'gold', '--name', 'Large', '--approval', 'manual', '--rate', '100/1', '--quota', '10000/day');
      g.cli('application', 'create', 'planning', '--name', 'Planning of the shop floor', '--description', 'Reads orders at night', '--owner', DEV.email);
      g.cli('user', 'create', 'ola@example.com', '--role', 'developer', '--password-file', g.file('ola', `${DEV.password}\n`));
      g.cli('application', 'set', 'planning', '--add-owner', 'ola@example.com');
      g.cli('caller', 'create', 'client', 'planning-client', '--application', 'planning');
      g.team = g.cli('subscription', 'create', '--product', 'gold', '--application', 'planning', '--tier', 'small', '--name', 'At night', '--format', 'json').json();
      g.cli('page', 'set', 'getting-started', '--title', 'Getting started', '--file', g.file('a.md', '# First steps\n\nSign up, **subscribe**, call.\n\n### Deeper\n\n- one\n- two\n\n```sh\ncurl x\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n'));
      g.cli('page', 'set', 'changes', '--api', 'orders', '--title', 'Change log', '--file', g.file('b.md', '## 2026-11\n\nNew.\n'));
      g.cli('policy', 'set', '--scope', 'api:orders', policy);
      // a credential that nobody has consented to, and one whose endpoint is away: its token request has failed
      const secret = ['--secret-file', `client-secret=${g.file('secret', 's\n')}`];
      g.cli('credential', 'set', 'crm', '--kind', 'authorization-code', '--name', 'Customers', '--description', 'Accounts and visits', '--set', 'client-id=gw',
        '--set', 'token-url=https://login.example/token', '--set', 'authorize-url=https://login.example/authorize', ...secret);
      g.cli('credential', 'set', 'stock', '--kind', 'client-credentials', '--set', 'client-id=gw', '--set', 'token-url=http://127.0.0.1:9/oauth2/token', ...secret);
      g.cli('api-group', 'create', 'logistics', '--name', 'Logistics', '--description', 'Everything that a **haulier** needs.', '--api', 'orders', '--api', 'inventory', '--approval', 'manual');
      g.cli('tier', 'create', 'lorry', '--product', 'logistics', '--name', 'Lorry', '--description', 'A few drivers', '--rate', '60/60', '--quota', '10000/day');
      g.cli('tier', 'create', 'fleet', '--product', 'logistics', '--name', 'Fleet', '--rate', '100/1');
      g.cli('backend', 'set', 'stock', '--url', 'http://127.0.0.1:9', '--credential', 'stock');
      g.cli('api', 'set', 'inventory', '--backend-id', 'stock');
      g.cli('alert', 'webhook-set', 'pager', '--url', 'http://127.0.0.1:9/alerts');
      g.cli('alert', 'set', 'busy', '--webhook', 'pager', '--kind', 'requests', '--threshold', '0', '--period', '1h', '--api', 'orders', '--name', 'Health is asked for',
        '--description', 'Ask the planning team first.', '--mail', 'on-call@example.com');
      g.cli('alert', 'set', 'slow', '--kind', 'latency', '--statistic', 'p95', '--threshold', '800', '--period', '10m', '--each', 'api');
      g.cli('alert', 'silence', '--api', 'inventory', '--for', '2h', '--comment', 'Stock taking');
    },
  });
  const call = (path, key) => fetch(`${gw.url}/api/${path}`, { headers: { 'Ocp-Apim-Subscription-Key': key } });
  for (let i = 0; i < 5; i++) refused = (await call('orders/health', gw.own.primaryKey)).headers.get('x-request-id');
  await call('inventory/inventory', gw.own.primaryKey);
  await until(() => gw.cli('alert', 'state', { fails: true }).stdout.includes('busy'), 'an alert');
  await until(() => gw.cli('log', '--request-id', refused).stdout.includes(refused), 'the calls in the store');
  browser = await launch();
  const token = gw.cli('trace', 'token', '--subscription', gw.own.id).stdout.trim();
  await fetch(`${gw.url}/api/orders/orders?page=1&${'filter=long-value-'.repeat(20)}`, { headers: { 'X-Request-Id': 'traced-1',
    'X-Api-Key': gw.own.primaryKey, 'Apim-Debug-Authorization': token, 'X-Long': 'v'.repeat(600) } });
});

test.after(async () => {
  if (browser) await browser.close();
  if (gw) await gw.stop();
});

async function signInDeveloper(page) {
  await page.goto('/sign-in');
  await page.fill('#email', DEV.email);
  await page.fill('#password', DEV.password);
  await page.click('button[type=submit]');
  await page.waitForURL((url) => url.pathname === '/');
}

// Portal and dashboard have sessions of their own: each is signed in to when its first page wants it.
async function signInFor(page, entry, done) {
  if (entry.signedIn && !done.admin) await signInAs(page, gw.admin);
  if (entry.developer && !done.developer) await signInDeveloper(page);
  return { admin: done.admin || entry.signedIn, developer: done.developer || entry.developer };
}

// Every page that can be reached, with what brings it into the state worth looking at.
const PAGES = [
  { name: 'portal-home', url: '/' },
  { name: 'portal-apis', url: '/apis' },
  { name: 'portal-nothing-found', url: '/apis?q=zebra' },
  { name: 'portal-search', url: '/apis?q=order' },
  { name: 'portal-filtered', url: '/apis?tag=erp&state=deprecated' },
  { name: 'portal-filtered-nothing', url: '/apis?tag=none&state=retired' },
  { name: 'portal-news', url: '/new' },
  { name: 'portal-status', url: '/status' },
  { name: 'portal-api-deprecated', url: '/apis/inventory' },
  { name: 'portal-api', url: '/apis/orders' },
  { name: 'portal-operation', url: '/apis/orders/operations/create-order' },
  { name: 'portal-404', url: '/nothing-here', status: 404 },
  { name: 'portal-products', url: '/products' },
  { name: 'portal-product', url: '/products/starter' },
  { name: 'portal-groups', url: '/groups' },
  { name: 'portal-group', url: '/groups/logistics', developer: true },
  { name: 'portal-product-mine', url: '/products/gold', developer: true },
  { name: 'portal-subscriptions', url: '/account/subscriptions', developer: true },
  { name: 'portal-subscription', url: () => `/account/subscriptions/${gw.own.id}`, developer: true },
  { name: 'portal-keys', url: () => `/account/subscriptions/${gw.own.id}`, developer: true, act: (p) => p.click('text=Show the keys') },
  { name: 'portal-waiting', url: () => `/account/subscriptions/${gw.waiting.id}`, developer: true },
  { name: 'portal-calls', url: '/account/calls', developer: true },
  { name: 'portal-applications', url: '/account/applications', developer: true },
  { name: 'portal-application-new', url: '/account/new-application', developer: true },
  { name: 'portal-application', url: '/account/applications/planning', developer: true },
  { name: 'portal-application-stale', url: '/account/applications/planning', developer: true,
    act: async (p) => { await p.evaluate(() => { document.querySelector('[name=version]').value = 'old'; }); await p.fill('#name', 'Planning wall'); await p.click('form[action$="/planning"] button'); } },
  { name: 'portal-application-errors', url: '/account/applications/planning', developer: true, act: async (p) => { await p.fill('#email', 'nobody'); await p.click('form[action$="/owners"] button'); } },
  { name: 'portal-subscription-tier', url: () => `/account/subscriptions/${gw.team.id}`, developer: true, act: (p) => p.click('text=Change the tier') },
  { name: 'portal-call', url: () => `/account/calls/${refused}`, developer: true },
  { name: 'portal-own-api', url: '/portal/api' },
  { name: 'portal-tokens', url: '/account/tokens', developer: true },
  { name: 'portal-token-made', url: '/account/tokens', developer: true,
    act: async (p) => { await p.fill('#name', 'Nightly build'); await p.click('main form button[type=submit]'); } },
  { name: 'portal-traces', url: '/account/traces', developer: true },
  { name: 'portal-trace-credential', url: '/account/traces', developer: true, act: (p) => p.click('main button[type=submit]') },
  { name: 'portal-trace', url: '/account/traces/traced-1', developer: true },
  { name: 'portal-trace-404', url: '/account/traces/nobody', developer: true, status: 404 },
  { name: 'admin-sign-in', url: '/admin/sign-in' },
  { name: 'admin-sign-in-errors', url: '/admin/sign-in', act: (p) => p.click('button[type=submit]') },
  { name: 'admin-apis', url: '/admin/', signedIn: true },
  { name: 'admin-filtered', url: '/admin/?status=active&stage=published&tag=erp', signedIn: true },
  { name: 'admin-menu', url: '/admin/', signedIn: true, act: async (p) => { if (await p.isVisible('.drawer-button')) await p.click('.drawer-button'); } },
  { name: 'admin-nothing-found', url: '/admin/?q=zebra', signedIn: true },
  { name: 'admin-api', url: '/admin/apis/orders', signedIn: true },
  { name: 'admin-traffic', fresh: true, url: '/admin/analytics?group=api&compare=yes', signedIn: true },
  { name: 'admin-traffic-none', fresh: true, url: '/admin/analytics?api=none', signedIn: true },
  { name: 'admin-traffic-report', fresh: true, url: '/admin/analytics/latency?range=soon', signedIn: true },
  { name: 'admin-live', fresh: true, url: '/admin/live', signedIn: true },
  { name: 'admin-api-groups', url: '/admin/api-groups', signedIn: true },
  { name: 'admin-products', url: '/admin/products', signedIn: true },
  { name: 'admin-subscriptions', url: '/admin/subscriptions', signedIn: true },
  { name: 'portal-operation-form', url: '/apis/forms/operations/send' },
  { name: 'portal-console-back', url: '/console/callback?state=x' },
  { name: 'portal-guide', url: '/pages/getting-started' },
  { name: 'portal-api-guide', url: '/apis/orders/pages/changes' },
  { name: 'admin-kept-answers', url: '/admin/kept-answers', signedIn: true },
  { name: 'admin-captures', url: '/admin/captures', signedIn: true },
  { name: 'admin-captures-errors', url: '/admin/captures', signedIn: true, act: (p) => p.click('text=Start') },
  { name: 'admin-pages', url: '/admin/pages', signedIn: true },
  { name: 'admin-page', url: '/admin/pages/edit?id=getting-started&api=', signedIn: true },
  { name: 'admin-page-errors', url: '/admin/pages/edit', signedIn: true, act: (p) => p.click('text=Save') },
  { name: 'admin-credentials', url: '/admin/credentials', signedIn: true },
  { name: 'admin-alerts', url: '/admin/alerts', signedIn: true },
  { name: 'admin-alert', url: '/admin/alerts/busy', signedIn: true },
  { name: 'admin-alert-new', url: '/admin/alert-rule', signedIn: true },
  { name: 'admin-alert-errors', url: '/admin/alert-rule?id=slow', signedIn: true,
    async act(p) { await p.fill('#threshold', 'many'); await p.fill('#mails', 'nobody'); await p.click('main button[value=save]'); } },
  { name: 'admin-alert-history', url: '/admin/alert-history', signedIn: true },
  { name: 'admin-alert-history-none', url: '/admin/alert-history?api=forms', signedIn: true },
  { name: 'admin-alert-messages', url: '/admin/alert-messages', signedIn: true },
  { name: 'admin-alert-messages-none', url: '/admin/alert-messages?state=delivered', signedIn: true },
  { name: 'admin-mails', url: '/admin/mails', signedIn: true },
  { name: 'admin-mails-none', url: '/admin/mails?q=nobody', signedIn: true },
  { name: 'admin-look', url: '/admin/look', signedIn: true },
  { name: 'admin-look-errors', url: '/admin/look', signedIn: true, async act(p) { await p.fill('#name', ''); await p.fill('#text_light', '#cccccc'); await p.click('text=Save the look'); } },
  { name: 'admin-404', url: '/admin/nothing-here', signedIn: true, status: 404 },
];

test('pages', async (t) => {
  // bypassCSP is for axe only, which is injected; the policy itself has a test of its own
  const context = await browser.newContext({ baseURL: gw.url, bypassCSP: true, reducedMotion: 'reduce' });
  const page = await context.newPage(), seen = watch(page);
  let signedIn = {};
  await check(t, page, seen, PAGES.filter((e) => new RegExp(process.env.PAGE || '').test(e.name)), async (entry) => { signedIn = await signInFor(page, entry, signedIn); });
  assert.deepStrictEqual([...seen.hosts], [new URL(gw.url).host], 'something was loaded from elsewhere');
  await context.close();
});

test('pages work without script, by keyboard, and end where they should', async () => {
  const context = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('/');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');                       // skip link
  assert.ok(page.url().endsWith('#main'));
  await page.fill('#q', 'order');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/apis?q=order');
  await page.click('.found a[href$="/operations/get-order"]');        // a result that is an operation
  await page.waitForURL('**/apis/orders/operations/get-order');
  await page.goBack();
  await page.selectOption('#state', 'deprecated');
  await page.selectOption('#tag', 'erp');
  await page.click('.filters button');
  await page.waitForURL('**/apis?q=order&state=deprecated&tag=erp');
  assert.deepStrictEqual(await page.locator('.card h3').allTextContents(), ['Inventory']);
  await page.click('text=Show all APIs');
  await page.waitForURL('**/apis');
  await page.click('.card a[href$="/apis/orders"]');
  await page.waitForURL('**/apis/orders');
  await page.click('text=Place an order');
  await page.waitForURL('**/operations/create-order');
  await page.goto('/admin/products');
  assert.match(page.url(), /\/admin\/sign-in\?return=\/admin\/products$/);
  await page.fill('#email', gw.admin.email);
  await page.fill('#password', 'wrong');
  await page.click('button[type=submit]');
  assert.strictEqual(await page.inputValue('#email'), gw.admin.email, 'what was typed is kept');
  assert.strictEqual(await page.inputValue('#password'), '', 'but not the password');
  await page.fill('#password', gw.admin.password);
  await page.click('button[type=submit]');
  await page.waitForURL('**/admin/products');
  await page.click('text=Sign out');
  await page.waitForURL('**/admin/sign-in?after=sign-out');
  assert.ok(await page.isVisible('text=You are signed out.'));
  await page.goto('/admin/');
  assert.match(page.url(), /sign-in/);
  await context.close();
});

test('what is bad is named as people call it, one call leads to what it was about, a lone day is seen in a chart', async () => {
  const context = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false }), page = await context.newPage();
  await signInAs(page, gw.admin);
  await page.goto('/admin/alerts');
  assert.strictEqual(await page.locator('[aria-labelledby=states-title] td.main a').first().textContent(), 'Health is asked for');
  assert.deepStrictEqual((await page.locator('td[data-label="Breached when"]').allTextContents()).map((t) => t.trim()),
    ['More than 0 calls in 1 h', 'More than 800 ms in 10 min']);
  await page.goto('/admin/calls?api=orders&subscription=' + gw.own.id);
  await page.click('td.main a');
  const leads = await page.locator('[aria-labelledby=who-title] a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  assert.ok(leads.includes('/admin/apis/orders') && leads.includes(`/admin/edit/subscriptions?id=${gw.own.id}`) && leads.some((a) => a.startsWith('/admin/users/')), leads.join());
  for (const lead of leads) assert.strictEqual((await page.goto(lead)).status(), 200, lead);
  await page.goto('/admin/analytics?range=30d&step=1d');
  assert.match(await page.getAttribute('.curve-slow', 'd'), /M[\d. ]+m-3 0h6/);
  await context.close();
});

test('the feed is XML that a reader can follow', async () => {
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  await page.goto('/new');
  const entries = await page.evaluate(async () => {
    const text = await (await fetch(document.querySelector('link[type="application/atom+xml"]').href)).text();
    const xml = new DOMParser().parseFromString(text, 'application/xml');
    const all = (e, name) => [...e.getElementsByTagNameNS('http://www.w3.org/2005/Atom', name)];
    return all(xml, 'entry').map((e) => ['title', 'updated', 'id'].map((n) => all(e, n)[0].textContent).concat(all(e, 'link')[0].getAttribute('href')));
  });
  assert.deepStrictEqual(entries.map((e) => e[0]), ['Forms: New API', 'Inventory: Deprecated', 'Inventory: New API', 'Orders: New API']);
  assert.strictEqual(new Set(entries.map((e) => e[2])).size, 4, 'ids are unique');
  for (const [, updated, , link] of entries) {
    assert.ok(!Number.isNaN(Date.parse(updated)), updated);
    assert.strictEqual((await page.request.get(link)).status(), 200, link);
  }
  await context.close();
});

test('the content security policy holds', async () => {
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  await page.goto('/');
  const ran = await page.evaluate(() => {
    const s = document.createElement('script');
    s.textContent = 'window.injected = true';
    document.body.append(s);
    const style = document.createElement('style');
    style.textContent = 'body { display: none }';
    document.head.append(style);
    return { script: Boolean(window.injected), style: getComputedStyle(document.body).display === 'none' };
  });
  assert.deepStrictEqual(ran, { script: false, style: false });
  await context.close();
});
