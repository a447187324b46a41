// The dashboard in a real browser: every page at two widths and in both colour schemes, without faults of accessibility, script,
// loading or HTML; and what its scripts do, against what works without them.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { start, until, ROOT } = require('../http/harness');
const { address, check, launch, signIn, watch } = require('./page');

const POLICY = '<policies>\n\t<inbound>\n\t\t<base />\n\t\t<!-- one window a caller -->\n\t\t<rate-limit calls="100" renewal-period="60" />\n'
  + '\t</inbound>\n</policies>\n';
const CHANGED = POLICY.replace('100', '50').replace('\t</inbound>', '\t\t<set-header name="X-Who" exists-action="override">\n'
  + '\t\t\t<value>@(context.Subscription?.Id ?? "nobody")</value>\n\t\t</set-header>\n\t</inbound>');
const LONG = { email: 'maximiliane.musterfrau@a-rather-long-company-name.example.com', path: 'b2b/subsidiary-of-the-northern-region/order-intake' };
let gw, browser, person, busy, refused, capture, apiops;

test.before(async () => {
  gw = await start({
    setup(g) {
      const sample = (name) => path.join(ROOT, 'deploy/sample', `${name}.yaml`);
      g.cli('product', 'create', 'starter', '--rate', '100/60');
      for (const name of ['orders', 'inventory'])
        g.cli('import', 'openapi', sample(name), '--path', name, '--name', name, '--backend', 'http://127.0.0.1:9', '--product', 'starter');
      g.cli('environment', 'create', 'sandbox', '--prefix', 'sandbox');
      // names as people have them, which no table may be torn by
      const titled = fs.readFileSync(sample('orders'), 'utf8').replace(/title: .*/, 'title: Business-to-business order intake, northern region');
      g.cli('import', 'openapi', g.file('long.yaml', titled), '--path', LONG.path, '--name', 'b2b-order-intake', '--backend',
        'https://erp-1.europe-central.backend.internal.example.com/services/production/v2', '--product', 'starter');
      g.cli('user', 'create', LONG.email, '--role', 'developer', '--first-name', 'Maximiliane', '--last-name', 'Musterfrau-Beispielhausen',
        '--password-file', g.file('long', 'a sentence that nobody guesses\n'));
      g.cli('application', 'create', 'wall', '--name', 'Planungswand mit Rückmeldung aus der Fertigungssteuerung', '--owner', LONG.email);
      g.key = g.cli('subscription', 'create', '--product', 'starter', '--user', LONG.email, '--name', 'Planning of the shop floor in hall 17', '--format', 'json').json().primaryKey;
      g.cli('backend', 'set', 'erp-3', '--url', 'https://erp-3.europe-central.backend.internal.example.com/services/production/v2/purchasing');
      g.cli('backend', 'set', 'erp-1', '--url', 'https://erp-1.example.com');
      g.cli('backend', 'set', 'erp-2', '--url', 'https://erp-2.example.com');
      g.cli('backend', 'set', 'pool', '--member', 'erp-1:2', '--member', 'erp-2');
      g.cli('canary', 'set', 'orders', '--backend', 'erp-1', '--percent', '5', '--error-percent', '20');
      g.cli('policy', 'set', '--scope', 'api:orders', g.file('a.xml', POLICY));
      g.cli('policy', 'set', '--scope', 'api:orders', g.file('b.xml', CHANGED));
      g.cli('policy', 'set', '--scope', 'operation:orders/get-order', g.file('c.xml', POLICY.replace('rate-limit', 'quota')));
      g.cli('certificate', 'set', 'partners', '--file', g.file('ca.pem', execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '/dev/null', '-days', '20', '-subj', '/CN=partners'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })), '--authority');
      g.cli('access', 'set', '--api', 'orders', 'key | jwt(issuer=https://login.example, audience=orders) + cert(ca=partners)');
      g.cli('policy', 'set', '--scope', 'global', g.file('d.xml', '<policies><outbound><base /><set-header name="Server" exists-action="delete" /></outbound></policies>'));
    },
  });
  const people = gw.cli('user', 'list', '--format', 'json').json();
  person = people.find((u) => u.email === gw.admin.email).id;
  busy = people.find((u) => u.email === LONG.email).id;
  await fetch(`${gw.url}/api/${LONG.path}/operations-that-nobody-described`, { headers: { 'Ocp-Apim-Subscription-Key': gw.key } });
  capture = gw.cli('capture', 'start', '--api', 'orders', '--format', 'json').json().id;
  refused = (await fetch(`${gw.url}/api/orders/orders`)).headers.get('x-request-id');
  await until(() => gw.cli('log', '--request-id', refused).stdout.includes(refused), 'the call in the store');
  await until(() => gw.cli('capture', 'show', refused, { fails: true }).code === 0, 'what was captured of it');
  apiops = path.join(gw.dir, 'extract.zip');                  // in a folder of the archive, as people pack it
  execFileSync('python3', ['-c', 'import shutil, sys; shutil.make_archive(sys.argv[1][:-4], "zip", sys.argv[2], "input")', apiops,
    path.join(ROOT, 'tests/golden/import/apiops-shop')]);
  browser = await launch();
});

test.after(async () => {
  if (browser) await browser.close();
  if (gw) await gw.stop();
});

const edit = (scope) => `/admin/policies/edit?scope=${encodeURIComponent(scope)}`;
const ready = (p) => p.waitForFunction(() => document.documentElement.dataset.editor === 'complete');
async function form(p) {
  await ready(p);
  await p.click('#forms summary');
  await p.selectOption('#form-element', 'rate-limit-by-key');
  await p.click('text=New one');
  await p.waitForSelector('text=Put it into the text');
}
async function upload(p) {
  const buffer = await (await p.request.get('/admin/apis/orders/export')).body();
  await p.setInputFiles('#file', { name: 'orders.zip', mimeType: 'application/zip', buffer });
  await p.selectOption('#environment', 'sandbox');       // so that there is something to show
  await p.click('main form button[type=submit]');
  await p.waitForSelector('#plan-title');
}
const PAGES = [
  { name: 'admin-policies', url: '/admin/policies' },
  ...['tiers', 'users', 'groups', 'applications', 'backends', 'named-values', 'policy-fragments', 'environments', 'business-groups', 'version-sets',
    'operations', 'revisions', 'alert-rules', 'alert-webhooks', 'alert-silences', 'consumer-rules', 'certificates', 'loggers', 'schemas', 'access-rules', 'network-rules', 'traffic-rules', 'governance-rulesets', 'governance-exceptions', 'callers', 'identity-providers', 'sign-ins', 'machine-tokens', 'scim-tokens', 'cache-rules', 'terms-of-use', 'signing-keys', 'roles', 'role-assignments'].flatMap((k) => [{ name: `admin-list-${k}`, url: `/admin/${k}` }, { name: `admin-new-${k}`, url: `/admin/edit/${k}` }]),
  { name: 'admin-api', url: '/admin/apis/orders' },
  { name: 'admin-revisions', url: '/admin/apis/orders/revisions' },
  { name: 'admin-promote', url: '/admin/apis/orders/promote' },
  { name: 'admin-promote-plan', url: '/admin/apis/orders/promote', async act(p) {
    await p.fill('#backend', 'http://127.0.0.1:9/there');
    await p.check('input[value=policies]');
    await p.click('text=Show what changes');
    await p.waitForSelector('#plan');
  } },
  { name: 'admin-governance', url: '/admin/governance' },
  { name: 'admin-governance-none', url: '/admin/governance?q=zebra&found=error' },
  { name: 'admin-api-governance', url: '/admin/apis/orders/governance' },
  { name: 'admin-start', url: '/admin/start' },
  { name: 'admin-new-api', url: '/admin/new-api' },
  { name: 'admin-new-api-errors', url: '/admin/new-api', act: (p) => p.click('main form button[type=submit]') },
  { name: 'admin-products', url: '/admin/products' },
  { name: 'admin-subscriptions', url: '/admin/subscriptions' },
  { name: 'admin-audit', url: '/admin/audit', act: (p) => p.locator('summary').first().click() },
  { name: 'admin-audit-none', url: '/admin/audit?actor=zebra&from=2001-01-01' },
  { name: 'admin-person', url: () => `/admin/users/${person}` },
  { name: 'admin-person-busy', url: () => `/admin/users/${busy}` },
  { name: 'admin-new-credential', url: '/admin/edit/credentials' },
  { name: 'admin-edit-access-rule', url: '/admin/edit/access-rules?id=api:orders' },
  { name: 'admin-edit-product', url: '/admin/edit/products?id=starter' },
  { name: 'admin-edit-api', url: '/admin/edit/apis?id=orders' },
  { name: 'admin-edit-backend', url: '/admin/edit/backends?id=pool' },
  { name: 'admin-edit-subscription', url: '/admin/edit/subscriptions' },
  { name: 'admin-edit-traffic-rule', url: '/admin/edit/traffic-rules?id=api:orders' },
  { name: 'admin-edit-api-description', url: '/admin/edit/api-descriptions?id=orders' },
  { name: 'admin-calls', url: '/admin/calls' },
  { name: 'admin-calls-none', url: '/admin/calls?q=zebra' },
  { name: 'admin-call', url: '/admin/calls/1' },
  { name: 'admin-capture', url: () => `/admin/captures/${capture}` },
  { name: 'admin-captured-call', url: () => `/admin/captures/calls/${refused}` },
  { name: 'admin-issued', url: '/admin/edit/subscriptions', async act(p) {
    await p.selectOption('[name="/product"]', 'starter');
    await p.click('button[value=save]');
    await p.waitForSelector('dd code');
  } },
  { name: 'admin-bulk', url: '/admin/subscriptions', async act(p) {
    await p.locator('input[name=pick]').first().check();
    await p.click('button[value=approve]');      // it is active, so each time nothing is left to do
    await p.waitForSelector('text=Back to the list');
  } },
  { name: 'admin-import-report', url: '/admin/new-api', async act(p) {
    await p.setInputFiles('#file', path.join(ROOT, 'tests/golden/import/postman-shop/input.postman'));
    await p.fill('#id', `shop-${p.viewportSize().width}`);
    await p.fill('#path', `shop-${p.viewportSize().width}`);
    await p.click('main form button[type=submit]');
    await p.waitForSelector('text=What became of each part');
  } },
  { name: 'admin-api-zip', url: '/admin/new-api', act: (p) => upload(p) },
  { name: 'admin-import-apiops', url: '/admin/new-api', async act(p) {
    await p.setInputFiles('#file', apiops);
    await p.click('main form button[type=submit]');
    await p.waitForSelector('text=What becomes of each part');
  } },
  { name: 'admin-edit-errors', url: '/admin/edit/tiers', act: (p) => p.click('button[value=save]') },
  { name: 'admin-edit-404', url: '/admin/edit/backends?id=nobody', status: 404 },
  { name: 'admin-policies-none', url: '/admin/policies?q=zebra' },
  { name: 'admin-policy', url: edit('api:orders'), act: ready },
  { name: 'admin-policy-new', url: edit('product:starter'), act: ready },
  { name: 'admin-policy-404', url: edit('api:nobody'), status: 404 },
  { name: 'admin-policy-history', url: '/admin/policies/history?scope=api:orders' },
  { name: 'admin-policy-history-none', url: '/admin/policies/history?scope=product:starter' },
  { name: 'admin-policy-effective', url: '/admin/policies/effective?scope=operation:orders/get-order' },
  { name: 'admin-policy-try', url: edit('operation:orders/get-order'), async act(p) {
    await ready(p);
    await p.click('#try summary');
    await p.click('#try button');
    await p.waitForSelector('#result');
    await ready(p);
  } },
  { name: 'admin-policy-form', url: edit('api:orders'), act: (p) => form(p) },
  { name: 'admin-policy-form-errors', url: edit('api:orders'), async act(p) {
    await form(p);
    await p.click('text=Put it into the text');
    await p.waitForSelector('.field-error');
  } },
  { name: 'admin-policy-diff', url: edit('api:orders'), async act(p) {
    await ready(p);
    await p.click('.cm-content');
    await p.keyboard.press('Control+End');
    await p.keyboard.type('<!-- more -->');
    await p.click('text=Show what changes');
    await p.waitForSelector('.cm-changedLine');
  } },
];

// Routes that answer no page of their own, and why; all others are looked at above or in the file that is named.
const NO_PAGE = {
  '/apis/{api}/export': 'a ZIP', '/audit/export': 'a file', '/policies/catalogue.json': 'JSON for the editor', '/live/events': 'a stream of events',
  '/metrics': 'text for Prometheus', '/api/v1/{rest*}': 'JSON', '/scim/v2/{rest*}': 'JSON', '/credentials/callback': 'leads to the list',
  '/credentials/{environment}/{id}/connect': 'leads to the provider', '/sign-in/with/{provider}': 'leads to the provider',
  '/sign-in/callback': 'leads on, or to the form of signing in', '/apis': 'the same as /',
  '/sign-in/code': 'the template of the portal, passkey.test.js', '/sign-in/passkey': 'the template of the portal, passkey.test.js',
  '/sign-in/code/passkey': 'the template of the portal, passkey.test.js',
};
// Pages that no address has by itself: they answer a form. By the template of templates/admin/ that a handler names.
const ANSWERS = { api_zip: 'admin-api-zip', bulk: 'admin-bulk', import_report: 'admin-import-report', policy_form: 'admin-policy-form', resource_issued: 'admin-issued',
  'captured-call': 'admin-captured-call' };

test('every page is looked at', () => {
  const read = (...name) => fs.readFileSync(path.join(ROOT, ...name), 'utf8');
  const routes = read('portal/admin/routes.c'), here = path.basename(__filename);
  const gets = [...[...routes.matchAll(/\{ "GET", "([^"]+)"/g)].map((m) => m[1]).filter((r) => r.startsWith('/') && r.length > 0),
    ...[...routes.matchAll(/KIND\("([^"]+)",/g)].flatMap((m) => [`/${m[1]}`, `/edit/${m[1]}`])].filter((r) => r !== '/edit/');
  const others = fs.readdirSync(__dirname).filter((f) => f.endsWith('.test.js') && f !== here).map((f) => read('tests/browser', f)).join();
  const addresses = [...PAGES.map(address), ...[...others.matchAll(/(?:url: (?:\(\) => )?|look\()['`]([^'`]+)/g)].map((m) => m[1])]
    .filter((a) => a.startsWith('/admin/')).map((a) => a.replace(/^\/admin/, '').replace(/\?.*/, '').replace(/\$\{[^}]*\}/g, 'x'));
  const names = new Set([...PAGES.map((e) => e.name), ...[...others.matchAll(/name: '([^']+)'/g)].map((m) => m[1])]);
  const seen = (r) => addresses.some((a) => new RegExp(`^${r.replace(/\{[^}]*\}/g, '[^/]+')}$`).test(a));
  assert.ok(gets.length > 100, `${gets.length} routes`);
  assert.deepStrictEqual(gets.filter((r) => !seen(r) && !NO_PAGE[r]), [], 'routes that nobody looks at');
  assert.deepStrictEqual(Object.keys(NO_PAGE).filter((r) => !gets.includes(r)), [], 'reasons without a route');
  const templates = fs.readdirSync(path.join(ROOT, 'portal/admin')).filter((f) => f.endsWith('.c'))
    .flatMap((f) => [...read('portal/admin', f).matchAll(/web_page\([a-z>.-]*, "([^"]+)"/g)].map((m) => m[1]));
  assert.ok(Object.keys(ANSWERS).every((t) => templates.includes(t)), 'a template that is not there');
  assert.deepStrictEqual(Object.values(ANSWERS).filter((n) => !names.has(n)), [], 'answers that nobody looks at');
});

test('pages', async (t) => {
  // bypassCSP is for axe only, which is injected
  const context = await browser.newContext({ baseURL: gw.url, bypassCSP: true, reducedMotion: 'reduce' });
  const page = await context.newPage(), seen = watch(page);
  await signIn(page, gw.admin);
  await check(t, page, seen, PAGES.filter((e) => new RegExp(process.env.PAGE || '').test(e.name)));       // PAGE=policy: some of them only
  assert.deepStrictEqual([...seen.hosts], [new URL(gw.url).host], 'something was loaded from elsewhere');
  await context.close();
});

test('the editor of policies completes, marks problems at their place and saves', async () => {
  const context = await browser.newContext({ baseURL: gw.url }), page = await context.newPage(), seen = watch(page);
  await signIn(page, gw.admin);
  await page.goto(edit('api:inventory'));
  await ready(page);
  const write = async (text) => {
    await page.click('.cm-content');
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');     // what is typed over a selection, Chromium gives the style of
    await page.keyboard.insertText(text);
  };
  const offers = () => page.locator('.cm-tooltip-autocomplete li .cm-completionLabel').allTextContents();
  const complete = async (text) => {
    await write(text);
    await page.keyboard.press('Control+Space');
    await page.waitForSelector('.cm-tooltip-autocomplete');
    const labels = await offers();
    await page.keyboard.press('Escape');
    return labels;
  };
  assert.ok((await complete('<policies><inbound><rate-')).some((l) => l.includes('rate-limit-by-key')), 'elements');
  assert.ok((await complete('<policies><inbound><rate-limit ')).some((l) => l.includes('renewal-period')), 'attributes');
  const members = await complete('<policies><inbound><set-variable name="a" value="@(context.Request.Headers.');
  assert.ok(members.includes('GetValueOrDefault') && !members.includes('StatusCode'), `members of a type: ${members}`);
  await write('<policies>\n<inbound>\n<rate-limit calls="many" renewal-period="60" />\n</inbound>\n</policies>');
  await page.waitForSelector('.cm-lintRange-error');
  assert.strictEqual(await page.locator('.cm-line', { has: page.locator('.cm-lintRange-error') }).first().textContent(),
    '<rate-limit calls="many" renewal-period="60" />');
  assert.match(await page.textContent('#state'), /1 problem/);
  await write('<policies>\n<inbound>\n<base />\n\n</inbound>\n</policies>');
  await page.keyboard.press('Control+Home');
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowDown');
  await page.click('summary:text("Give up sooner")');       // any snippet goes where the cursor is
  await page.click('details[open] .insert');
  assert.match(await page.inputValue('#text'), /<forward-request timeout="10" \/>/);
  // with the cursor in no section: at the end of the one that it is for, which may be empty, missing or on one line
  for (const [text, want] of [
    ['<policies>\n\t<inbound>\n\t\t<base />\n\t</inbound>\n\t<backend>\n\t\t<base />\n\t</backend>\n</policies>',
      /<backend>\n\t\t<base \/>\n\t\t<forward-request timeout="10" \/>\n\t<\/backend>/],
    ['<policies>\n\t<inbound />\n\t<backend />\n</policies>', /<backend>\n\t\t<base \/>\n\t\t<forward-request timeout="10" \/>\n\t<\/backend>/],
    ['<policies>\n</policies>', /<policies>\n\t<backend>\n\t\t<base \/>\n\t\t<forward-request timeout="10" \/>\n\t<\/backend>\n<\/policies>/],
    ['<policies><inbound></inbound><backend></backend></policies>', /<backend>\n\t<forward-request timeout="10" \/>\n<\/backend>/],
  ]) {
    await write(text);
    await page.keyboard.press('Control+Home');
    await page.click('details[open] .insert');
    assert.match(await page.inputValue('#text'), want);
  }
  await write('<policies>\n<inbound>\n<base />\n<rate-limit calls="7" renewal-period="60" />\n</inbound>\n</policies>\n');
  await page.click('button[value=save]');
  await page.waitForSelector('text=The policy is saved');
  assert.match(gw.cli('policy', 'show', '--scope', 'api:inventory').stdout, /calls="7"/);
  assert.deepStrictEqual(seen.problems, [], 'nothing that the policy on content refuses');
  await context.close();
});

test('policies without script: refused with the place, compared, saved, restored, not over somebody else', async () => {
  const context = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false }), page = await context.newPage();
  await signIn(page, gw.admin);
  const show = () => gw.cli('policy', 'show', '--scope', 'product:starter').stdout;
  await page.goto('/admin/policies');
  await page.fill('input[name=scope]', 'product:starter');
  await page.click('.filter-bar button');
  await page.fill('#text', '<policies>\n<inbound>\n<rate-limit calls="x" renewal-period="60" />\n</inbound></policies>');
  await page.click('button[value=save]');
  assert.match(await page.textContent('.problems'), /line 3, column 20/);
  assert.match(await page.inputValue('#text'), /calls="x"/, 'what was typed is kept');
  await page.fill('#text', POLICY);
  await page.click('button[value=review]');
  assert.match(await page.textContent('.diff-new'), /one window/);
  await page.click('button[value=save]');
  await page.waitForSelector('text=The policy is saved');
  assert.strictEqual(show(), POLICY);
  gw.cli('policy', 'set', '--scope', 'product:starter', gw.file('e.xml', CHANGED));
  await page.fill('#text', POLICY.replace('100', '9'));
  await page.click('button[value=save]');
  assert.match(await page.textContent('[role=alert]'), /Somebody else changed/);
  assert.strictEqual(show(), CHANGED);
  await page.goto('/admin/policies/history?scope=product:starter');
  assert.match(await page.textContent('.diff-old'), /calls="100"/);
  await page.locator('text=Restore').first().click();
  await page.click('button[value=save]');
  await page.waitForSelector('text=The policy is saved');
  assert.strictEqual(show(), POLICY);
  await page.goto('/admin/policies/effective?scope=operation:orders/get-order');
  const origins = await page.locator('#section-inbound >> xpath=../.. >> .origin').allTextContents();
  assert.deepStrictEqual(origins.map((o) => o.split(' ')[0]), ['Product', 'Product', 'API', 'API', 'API', 'API', 'API', 'Operation', 'Operation']);
  await page.goto(edit('operation:orders/get-order'));
  await page.click('#try summary');
  await page.fill('#text', '<policies><inbound><base /><return-response><set-status code="418" /></return-response></inbound></policies>');
  await page.click('#try button');
  assert.match(await page.textContent('#result'), /418[^]*The backend was not called[^]*return-response/);
  assert.strictEqual((await page.textContent('.problems')).split('the section <outbound> is missing').length, 2, 'of the document itself, not of those around it');
  await context.close();
});

test('forms of resources: problems beside their fields with the input kept, made, changed, not over somebody else, removed', async () => {
  const context = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false }), page = await context.newPage();
  const field = (name) => `[name="/${name}"]`;
  const save = () => page.click('button[value=save]');
  await signIn(page, gw.admin);
  await page.goto('/admin/tiers');
  await page.click('text=New tier');
  await page.fill(field('id'), 'small');
  await page.fill(field('name'), 'Small');
  await page.fill(field('limits/0/calls'), 'ten');
  await page.fill(field('limits/0/seconds'), '60');
  await save();
  assert.strictEqual(await page.getAttribute(field('product'), 'aria-invalid'), 'true', 'required');
  assert.strictEqual(await page.getAttribute(field('limits/0/calls'), 'aria-invalid'), 'true');
  assert.strictEqual(await page.inputValue(field('limits/0/calls')), 'ten', 'what was typed is kept');
  assert.strictEqual(await page.inputValue(field('name')), 'Small');
  await page.selectOption(field('product'), 'starter');
  await page.fill(field('limits/0/calls'), '10');
  await page.click('button[value=check]');
  await page.waitForSelector('text=It is not saved yet');
  assert.strictEqual(gw.cli('tier', 'list', '--product', 'starter', '--format', 'json').json().length, 0);
  await save();
  await page.waitForSelector('text=It is saved.');
  assert.strictEqual(gw.cli('tier', 'list', '--product', 'starter', '--format', 'json').json()[0].name, 'Small');
  await page.fill(field('name'), 'Mine');
  const other = await context.newPage();
  await other.goto('/admin/edit/tiers?id=small');
  await other.fill(field('name'), 'Theirs');
  await other.click('button[value=save]');
  await save();
  assert.match(await page.textContent('[role=alert]'), /Somebody else changed/);
  assert.strictEqual(await page.inputValue(field('name')), 'Mine');
  await page.goto('/admin/edit/tiers?id=small');
  assert.strictEqual(await page.inputValue(field('name')), 'Theirs');
  await page.click('summary:text("Remove this tier")');
  await page.click('button[value=remove]');
  await page.waitForSelector('text=It is removed.');
  // what others refer to stays, and the page says who they are
  await page.goto('/admin/edit/backends?id=erp-1');
  await page.click('summary:text("Remove this backend")');
  await page.click('button[value=remove]');
  assert.match(await page.textContent('[role=alert]'), /pool/);
  // a pool: members with weights, changed in place
  await page.goto('/admin/edit/backends?id=pool');
  assert.strictEqual(await page.inputValue(field('members/0/weight')), '2');
  await page.fill(field('members/1/priority'), '7');
  await save();
  await page.waitForSelector('text=It is saved.');
  assert.strictEqual(await page.inputValue(field('members/1/priority')), '7');
  // a secret is never read back
  await page.goto('/admin/edit/named-values');
  await page.fill(field('id'), 'token');
  await page.fill(field('secret'), 'zebra-crossing');
  await save();
  await page.waitForSelector('text=It is saved.');
  assert.ok(!(await page.content()).includes('zebra-crossing'));
  await page.fill(field('tags'), 'erp\nkeys');
  await save();
  assert.match(gw.cli('named-value', 'list', '--format', 'json').stdout, /"token"/);
  // keys are shown once
  await page.goto('/admin/edit/subscriptions');
  await page.selectOption(field('product'), 'starter');
  await save();
  const key = await page.textContent('dd code');
  assert.ok(key.length >= 16);
  await page.click('text=Go on');
  assert.ok(!(await page.content()).includes(key));
  assert.strictEqual(await page.locator('text=Take it away').count(), 0, 'a subscription always has its keys');
  assert.match(await page.locator(field('user')).textContent(), new RegExp(gw.admin.email), 'people are known by their address');
  await context.close();
});

test('the first steps tell what is done and what is next', async () => {
  const context = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false }), page = await context.newPage();
  await signIn(page, gw.admin);
  await page.goto('/admin/start');
  const done = () => page.locator('.start > li', { has: page.locator('.start-done') }).locator('h2').allTextContents();
  assert.deepStrictEqual((await done()).slice(0, 3), ['Bring an API', 'Make a product', 'Protect it']);
  assert.match(await page.textContent('.start pre'), /curl -H 'Ocp-Apim-Subscription-Key: YOUR-KEY' '.*\/api\//);
  await page.click('text=New subscription');
  assert.strictEqual(await page.inputValue('[name="/product"]'), 'starter', 'the link knows the product');
  await page.click('button[value=save]');
  const key = await page.textContent('dd code');
  const call = (headers) => fetch(`${gw.url}/api/orders/orders`, { headers }).then((r) => r.status);
  assert.strictEqual(await call({}), 401);
  await until(async () => await call({ 'Ocp-Apim-Subscription-Key': key }) !== 401, 'the key is known');
  await until(async () => { await page.goto('/admin/start'); return (await done()).length === 5; }, 'the call in the store');
  await page.waitForSelector('text=All of it is done');
  await context.close();
});

test('an API from its description, a revision beside the current one, made current and back; the trail knows', async () => {
  const context = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false }), page = await context.newPage();
  await signIn(page, gw.admin);
  await page.click('text=New API');
  await page.fill('#description', '{"openapi": "3.0.3", "info"');
  await page.click('main form button[type=submit]');
  assert.match(await page.textContent('#description-error'), /Line 1/);
  await page.fill('#description', '');
  await page.setInputFiles('#file', path.join(ROOT, 'deploy/sample/orders.yaml'));
  await page.fill('#id', 'orders');
  await page.fill('#path', 'fresh');
  await page.click('main form button[type=submit]');
  assert.match(await page.textContent('#id-error'), /already|exists|taken|there is/);
  await page.fill('#id', 'fresh');
  await page.selectOption('#product', 'starter');
  await page.setInputFiles('#file', path.join(ROOT, 'deploy/sample/orders.yaml'));
  await page.click('main form button[type=submit]');
  await page.waitForSelector('text=The API is made');
  assert.ok(await page.locator('.op').count() > 2, 'operations of the description');
  await page.click('text=Revisions');
  await page.fill('#note1', 'Orders may be cancelled');
  await page.click('button:text("New revision from this one")');
  await page.waitForSelector('text=Work on it under its own address');
  assert.match(await page.textContent('main'), /\/fresh;rev=2/);
  assert.strictEqual(await page.locator('h2:text("Revision 1") + .tag-published').count(), 1);
  await page.fill('#note2', 'Cancelling');
  await page.click('button:text("Make current")');
  await page.waitForSelector('text=Calls go to this revision');
  assert.strictEqual(await page.locator('h2:text("Revision 2") + .tag-published').count(), 1);
  await page.click('button:text("Make current")');             // and back
  assert.strictEqual(await page.locator('h2:text("Revision 1") + .tag-published').count(), 1);
  await page.click('button:text("Remove")');
  await page.waitForSelector('text=The revision is removed');
  // its page leads to what else counts for it; the same API in another environment
  await page.goto('/admin/apis/fresh');
  await page.click('text=No rule: Who may call');
  assert.strictEqual(await page.inputValue('[name="/id"]'), 'api:fresh', 'the link knows the API');
  await page.goto('/admin/new-api');
  await page.selectOption('#from', 'fresh');
  await page.selectOption('#to', 'sandbox');
  await page.click('text=Choose what goes along');
  assert.strictEqual(await page.inputValue('#to'), 'sandbox');
  await page.fill('#backend', 'http://127.0.0.1:9');
  await page.click('text=Show what changes');
  await page.click('button[value=promote]');
  await page.waitForURL(/\/apis\//);
  assert.ok(gw.cli('api', 'list', '--format', 'json').json().some((v) => v.path === 'fresh' && v.environment === 'sandbox'));
  await page.goto('/admin/audit?object=fresh&kind=api');
  const trail = await page.locator('tbody tr').allTextContents();
  assert.ok(trail.length >= 3 && trail.every((t) => t.includes(gw.admin.email)), trail.join());
  assert.match(await page.textContent('.changes'), /revision/);
  const csv = await (await page.request.get('/admin/audit/export?object=fresh&format=csv')).text();
  assert.match(csv, /^number,at,actor,action,kind,object,detail,hash\r\n/);
  const json = await (await page.request.get('/admin/audit/export?object=fresh&kind=api&format=json')).json();
  assert.strictEqual(json.length, trail.length);
  assert.ok(json.some((e) => e.action === 'create' && e.object === 'fresh' && /^[0-9a-f]{64}$/.test(e.hash)));
  assert.ok((await (await page.request.get('/admin/audit/export?from=2001-01-01&to=2001-01-02&format=json')).json()).length === 0);
  await context.close();
});

test('forms ask for what their kind needs; an archive is a certificate; times are chosen; all rows are ticked at once; parts of an API keep its tabs', async () => {
  const context = await browser.newContext({ baseURL: gw.url }), page = await context.newPage(), seen = watch(page);
  await signIn(page, gw.admin);
  await page.goto('/admin/edit/credentials');
  const secrets = () => page.locator('fieldset fieldset:visible legend').allTextContents();
  assert.deepStrictEqual(await secrets(), ['client-secret', 'private-key', 'rotate-token']);
  await page.selectOption('[name="/kind"]', 'basic');
  assert.deepStrictEqual(await secrets(), ['password']);
  await page.selectOption('[name="/kind"]', 'client-credentials');
  assert.strictEqual(await page.locator('textarea[name="/secrets/private-key"]:visible').count(), 1, 'a key has lines');
  const pem = gw.file('own.pem', execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '-',
    '-days', '20', '-subj', '/CN=own'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  const buffer = execFileSync('openssl', ['pkcs12', '-export', '-in', pem, '-passout', 'pass:zebra']);
  await page.goto('/admin/edit/certificates');
  assert.strictEqual(await page.locator('input[type=file]').count(), 2, 'certificate or archive, key');
  await page.fill('[name="/id"]', 'own');
  await page.setInputFiles('[name="/certificate.file"]', { name: 'own.pfx', mimeType: 'application/x-pkcs12', buffer });
  await page.click('button[value=save]');
  assert.match(await page.textContent('.field-error'), /password/);
  await page.setInputFiles('[name="/certificate.file"]', { name: 'own.pfx', mimeType: 'application/x-pkcs12', buffer });
  await page.fill('[name="/password"]', 'zebra');
  await page.fill('[name="/rotateBy"]', '2031-01-31T12:00');
  await page.click('button[value=save]');
  await page.waitForSelector('text=It is saved.');
  const own = await (await page.request.get('/admin/api/v1/certificates/own')).json();
  assert.match(own.certificate, /^-----BEGIN CERTIFICATE/);
  assert.deepStrictEqual([own.key, own.rotateBy], [{ sealed: true }, '2031-01-31T12:00:00Z']);
  assert.strictEqual(await page.inputValue('[name="/rotateBy"]'), '2031-01-31T12:00');
  await page.goto('/admin/users');
  await page.check('th.tick input');
  assert.strictEqual(await page.locator('td.tick input:not(:checked)').count(), 0);
  await page.goto('/admin/apis/orders');
  for (const tab of ['Settings', 'Operations']) {
    await page.click(`.tabs a:text-is("${tab}")`);
    assert.strictEqual(await page.textContent('.tabs [aria-current]'), tab);
  }
  await page.goto('/admin/role-assignments');
  await page.selectOption('[name=role]', 'analyst');   // those that are always there too
  await page.goto('/admin/edit/role-assignments');
  await page.selectOption('[name="/role"]', 'analyst');
  await page.goto('/admin/live');
  assert.match(await page.textContent('.rail [aria-current]'), /Analytics/);
  await page.goto('/admin/certificates');
  assert.ok(await page.locator('.rail [aria-current]').evaluate((e) => e.getBoundingClientRect().bottom <= e.closest('nav').getBoundingClientRect().bottom), 'the menu shows where one is');
  assert.deepStrictEqual(seen.problems, []);
  await context.close();
});

// The last one, as it brings more people than a form shows at once.
test('one of many is found while one types, by its name and with the keyboard; filters offer what is there; charts show whole bars', async () => {
  const context = await browser.newContext({ baseURL: gw.url }), page = await context.newPage(), seen = watch(page);
  await page.addInitScript(() => {                  // the charts that are drawn
    let made;
    window.plots = [];
    Object.defineProperty(window, 'uPlot', { get: () => made, set(U) {
      made = class extends U { constructor(...a) { super(...a); window.plots.push(this); } };
    } });
  });
  await signIn(page, gw.admin);
  const csrf = await page.locator('input[name=csrf]').first().inputValue();
  const post = async (kind, data) => {
    const answer = await page.request.post(`/admin/api/v1/${kind}`, { data, headers: { 'X-CSRF-Token': csrf } });
    assert.strictEqual(answer.status(), 201, await answer.text());
    return answer.json();
  };
  for (let i = 0; i < 60; i++) await post('users', { email: `pat${i}@many.example`, role: 'developer' });
  const ann = await post('users', { email: 'ann@search.example', firstName: 'Ann', role: 'developer' });
  const ben = await post('users', { email: 'ben@search.example', role: 'developer' });
  const offered = (field) => page.waitForFunction((e) => e.getAttribute('aria-activedescendant'), field);
  const find = async (field, text) => {
    await field.focus();
    await page.keyboard.type(text);
    await offered(await field.elementHandle());
    await page.keyboard.press('Enter');
  };
  await page.goto('/admin/edit/subscriptions');
  await page.selectOption('[name="/product"]', 'starter');
  await page.fill('[name="/name"]', 'Of Ann');
  const user = page.getByRole('combobox', { name: 'User' });
  let give;                                            // what is offered for a text that does not stand there any more is not shown
  const held = new Promise((resolve) => { give = resolve; });
  await page.route(/search=pat$/, async (route) => { await held; await route.continue(); });
  const asked = page.waitForRequest(/search=pat$/), told = page.waitForResponse(/search=pat$/);
  await user.pressSequentially('pat');
  await asked;
  await user.evaluate((e) => { e.value = 'ben@sea'; });
  give();
  await (await told).finished();
  await page.evaluate(() => fetch('/admin/api/v1/me').then((r) => r.text()));      // and the page has read it
  assert.strictEqual(await user.getAttribute('aria-activedescendant'), null);
  await user.fill('');
  await find(user, 'ann@sea');
  assert.strictEqual(await user.inputValue(), `ann@search.example (${ann.id})`);
  await page.click('button[value=save]');
  await page.waitForSelector('dd code');
  await page.click('text=Go on');
  assert.strictEqual(await user.inputValue(), `ann@search.example (${ann.id})`, 'people are known by their address');
  await page.click('text=Make a new key');
  const key = await page.textContent('dd code');
  await page.click('text=Go on');
  assert.ok((await page.textContent('main')).includes(key.slice(0, 6)) && !(await page.content()).includes(key), 'told once');
  await page.goto('/admin/users');                     // what has the focus is not under the bar that stays in sight
  await page.focus('td.tick input');
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const under = await page.evaluate(() => {
      const { left, top } = document.activeElement.getBoundingClientRect();
      return document.elementFromPoint(left + 2, top + 8)?.closest('.bulk-bar') ? document.activeElement.textContent : '';
    });
    assert.strictEqual(under, '', `the focus is covered after ${i} steps`);
  }
  await page.goto('/admin/edit/applications');
  await page.fill('[name="/id"]', 'team-of-two');
  await page.fill('[name="/name"]', 'Team of two');
  const team = page.getByRole('combobox', { name: 'Add' });
  await find(team, 'ann@sea');
  await find(team, 'ben@');
  await team.fill('nobody');
  await page.click('button[value=save]');              // what is still typed counts too
  assert.match(await page.textContent('.field-error'), /nobody/);
  await page.uncheck('[value=nobody]');
  await page.click('button[value=save]');
  await page.waitForSelector('text=It is saved.');
  const { owners } = await (await page.request.get('/admin/api/v1/applications/team-of-two')).json();
  assert.deepStrictEqual(owners.sort(), [ann.id, ben.id].sort());
  await page.goto('/admin/applications');
  const owner = page.getByRole('combobox', { name: 'Owner' });
  await owner.click();
  await page.keyboard.type('ben@');
  await page.getByRole('option', { name: /ben@/ }).click();
  await page.click('.filter-bar button');
  assert.deepStrictEqual(await page.locator('td.main a').allTextContents(), ['Team of two']);
  await page.goto('/admin/operations');
  await page.selectOption('[name=api]', 'orders');     // of few ones all are there
  await page.goto('/admin/analytics');
  const [first, step, least] = await page.waitForFunction(() => window.plots.length === 2
    && [window.plots[0].data[0][0], window.plots[0].data[0][1] - window.plots[0].data[0][0], window.plots[0].scales.x.min]).then((h) => h.jsonValue());
  assert.ok(least <= first - step / 2, 'half of the first bar is cut');
  // a part that is selected in one chart is shown in both, and a double click shows all again
  const shown = () => page.evaluate(() => window.plots.map(({ scales }) => [scales.x.min, scales.x.max])), all = await shown();
  const over = page.locator('#plot-calls .u-over');
  await over.scrollIntoViewIfNeeded();
  const { x, y, width } = await over.boundingBox();
  await page.mouse.move(x + width / 4, y + 50);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + 60, { steps: 5 });
  await page.mouse.up();
  await page.waitForFunction((min) => window.plots.every((p) => p.scales.x.min > min), all[0][0]);
  for (const [i, [from, to]] of (await shown()).entries()) assert.ok(to - from < (all[i][1] - all[i][0]) / 2, `chart ${i}`);
  await over.dblclick();
  await page.waitForFunction((min) => window.plots.every((p) => p.scales.x.min === min), all[0][0]);
  assert.deepStrictEqual(await shown(), all);
  await page.click('summary:text("Own range")');
  await page.fill('main input[name=reason]', 'key');
  await page.getByRole('option', { name: 'key_missing' }).click();
  await page.click('main button:text("Show")');
  assert.match(page.url(), /reason=key_missing/);
  assert.deepStrictEqual(seen.problems, []);
  await context.close();
});
