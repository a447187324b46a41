// Two large real descriptions, GitHub's with 1,223 operations and Stripe's: their pages stay small, all of their operations are
// found and shown, and the viewer reads them whole, under a strict policy on content and without another host. And a call from
// the viewer with an own key, which never stands in the page's source.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { start, backend, ROOT, SERVERS } = require('../http/harness');
const { launch } = require('./page');

const MAX_PAGE_BYTES = 100 * 1024;
const LARGE = { github: { operations: 1223, search: 'list repository issues', at: '/repos/{owner}/{repo}/issues' },
  stripe: { operations: 452, search: '/v1/charges/{charge}/capture', at: '/v1/charges/{charge}/capture' } };
const DEV = { email: 'pat@example.com', password: 'a sentence that nobody guesses' };
let gw, browser, to, own;

test.before(async () => {
  const got = spawnSync(path.join(ROOT, 'tests/tools/large-descriptions'), { encoding: 'utf8' });
  assert.strictEqual(got.status, 0, got.stderr);
  to = await backend();
  gw = await start({
    server: SERVERS[0], workers: 1, build: 'release', config: { 'portal.workers': 1 },
    setup(g) {
      for (const name of Object.keys(LARGE))
        g.cli('import', 'openapi', path.join(ROOT, `build/large/${name}.json`), '--path', name, '--name', name, '--backend', 'http://127.0.0.1:9');
      g.cli('import', 'openapi', path.join(ROOT, 'deploy/sample/orders.yaml'), '--path', 'sample', '--name', 'sample', '--backend', 'http://127.0.0.1:9');
      g.cli('product', 'create', 'starter');
      const api = g.file('api.json', JSON.stringify({ openapi: '3.1.0', info: { title: 'Small', version: '1' }, paths: { '/a': { get: { responses: { 200: { description: 'ok' } } } } } }));
      g.cli('import', 'openapi', api, '--path', 'small', '--name', 'small', '--product', 'starter', '--backend', to.url);
      g.cli('user', 'create', DEV.email, '--role', 'developer', '--password-file', g.file('pat', `${DEV.password}\n`));
      own = g.cli('subscription', 'create', '--product', 'starter', '--user', DEV.email, '--name', 'Mine', '--format', 'json').json();
    },
  });
  browser = await launch();
});
test.after(async () => {
  if (browser) await browser.close();
  if (gw) await gw.stop();
  if (to) await to.close();
});

async function page(url) {
  const answer = await fetch(gw.url + url), html = await answer.text();
  assert.strictEqual(answer.status, 200, url);
  assert.ok(Buffer.byteLength(html) < MAX_PAGE_BYTES, `${url} has ${Buffer.byteLength(html)} bytes`);
  return html;
}

for (const [name, want] of Object.entries(LARGE)) {
  test(`${name}: every operation has a page below 100 KB`, async () => {
    const ids = new Set();
    for (let n = 1; n <= Math.ceil(want.operations / 100); n++)
      for (const [, id] of (await page(`/apis/${name}?page=${n}`)).matchAll(/\/operations\/([^"]+)"/g)) ids.add(id);
    assert.strictEqual(ids.size, want.operations);
    for (const id of ids) assert.match(await page(`/apis/${name}/operations/${id}`), /class="sample sample-go"/);
  });

  test(`${name}: an operation is found by its words`, async () => {
    const html = await page(`/apis/${name}?q=${encodeURIComponent(want.search)}`);
    assert.ok(html.includes(`<code>${want.at}</code>`), 'among the results');
    assert.ok((html.match(/class="op op-link"/g) || []).length < 10);
    assert.match(await page(`/apis/${name}?q=no+such+thing`), /Nothing of that kind/);
  });

  test(`${name}: the whole of it in the viewer`, async () => {
    const context = await browser.newContext({ baseURL: gw.url }), view = await context.newPage();
    const problems = [], hosts = new Set();
    view.on('pageerror', (e) => problems.push(e.message));
    view.on('console', (m) => { if (m.type() === 'error') problems.push(m.text()); });
    view.on('request', (r) => { if (!r.url().startsWith('data:')) hosts.add(new URL(r.url()).host); });
    const answer = await view.goto(`/apis/${name}/document`);
    assert.doesNotMatch(answer.headers()['content-security-policy'], /unsafe/);
    await view.waitForSelector('#viewer .opblock-tag');
    const tags = await view.locator('#viewer .opblock-tag').count();
    await view.fill('.operation-filter-input', 'gitignore');
    if (tags > 1) await view.waitForFunction((all) => document.querySelectorAll('#viewer .opblock-tag').length < all, tags);
    assert.deepStrictEqual(problems, []);
    assert.deepStrictEqual([...hosts], [new URL(gw.url).host]);
    await context.close();
  });
}

// Swagger UI is not ours: what axe finds minor or moderate in its markup (names of its landmarks) is not mended here.
for (const colorScheme of ['light', 'dark'])
  test(`the viewer in a ${colorScheme} page: nothing serious for who cannot see it well`, async () => {
    const context = await browser.newContext({ baseURL: gw.url, colorScheme, bypassCSP: true }), view = await context.newPage();
    await view.goto('/apis/sample/document');
    await view.waitForSelector('#viewer .opblock-tag');
    for (const button of await view.locator('.opblock-summary-control').all()) await button.click();
    await view.waitForSelector('.examples-select-element');
    assert.strictEqual(await view.evaluate(() => document.documentElement.classList.contains('dark-mode')), colorScheme === 'dark');
    const ground = await view.evaluate(() => ['#viewer', '#viewer .swagger-ui'].map((q) => getComputedStyle(document.querySelector(q)).backgroundColor));
    assert.strictEqual(ground[colorScheme === 'dark' ? 1 : 0], colorScheme === 'dark' ? 'rgb(28, 32, 34)' : 'rgb(255, 255, 255)');
    // until nothing moves any more: what fades in has no colours to measure
    await view.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {}))));
    await view.evaluate(fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const found = await view.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    assert.deepStrictEqual(found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => [v.id, v.nodes.map((n) => n.target.join(' '))]), []);
    await context.close();
  });

test('a call from the viewer with an own key', async () => {
  const context = await browser.newContext({ baseURL: gw.url }), view = await context.newPage();
  await view.goto('/sign-in');
  await view.fill('#email', DEV.email);
  await view.fill('#password', DEV.password);
  await view.click('button[type=submit]');
  await view.waitForURL((url) => url.pathname === '/');
  const source = await (await view.goto('/apis/small/document')).text();
  await view.waitForSelector('#viewer .opblock-tag');
  const asked = view.waitForResponse(/console-key$/);
  await view.selectOption('#viewer-key', { label: 'Mine' });
  await asked;
  await view.waitForSelector('.authorize.locked');
  await view.click('.opblock-summary-control');
  await view.click('.try-out__btn');
  await view.click('.execute');
  assert.strictEqual((await view.textContent('.live-responses-table tbody .response-col_status')).trim().slice(0, 3), '200');
  assert.strictEqual(to.seen.at(-1).url, '/a');
  assert.strictEqual(to.seen.at(-1).headers.cookie, undefined);
  const kept = source + await view.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  for (const key of [own.primaryKey, own.secondaryKey]) assert.ok(!kept.includes(key), 'the key is nowhere');
  await context.close();
});
