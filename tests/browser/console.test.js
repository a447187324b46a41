// The test console in a real browser, with the policy on content that pages have: a call with an own key by its name, refused
// calls with the gateway's own words, and the key nowhere in the page, the browser's storage or the history.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const { chromium } = require('playwright-core');
const { start, until, SERVERS } = require('../http/harness');

const DEV = { email: 'pat@example.com', password: 'a sentence that nobody guesses' };
let gw, browser, backend, own;
const seen = [];

test.before(async () => {
  backend = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      seen.push({ method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(chunks).toString() });
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify({ got: req.url }));
    });
  });
  await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));
  gw = await start({
    server: SERVERS[0],
    setup(g) {
      const api = g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' }, paths: { '/orders/{id}': { put: {
        operationId: 'put', summary: 'Change an order',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' }, example: 'a b' },
          { name: 'dry', in: 'query', schema: { type: 'string', enum: ['yes', 'no'] } },
          { name: 'X-Why', in: 'header', schema: { type: 'string' } }],
        requestBody: { content: { 'application/json': { schema: { type: 'object', properties: { amount: { type: 'integer', example: 7 } } } } } },
        responses: { 200: { description: 'ok' } } } } } }));
      g.cli('product', 'create', 'starter', '--rate', '2/60');
      g.cli('import', 'openapi', api, '--path', 'orders', '--name', 'orders', '--product', 'starter', '--backend',
        `http://127.0.0.1:${backend.address().port}`);
      g.cli('user', 'create', DEV.email, '--role', 'developer', '--password-file', g.file('pat', `${DEV.password}\n`));
      own = g.cli('subscription', 'create', '--product', 'starter', '--user', DEV.email, '--name', 'Mine', '--format', 'json').json();
    },
  });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--test-third-party-cookie-phaseout'] });
});

test.after(async () => {
  if (browser) await browser.close();
  if (gw) await gw.stop();
  if (backend) backend.close();
});

const OPERATION = '/apis/orders/operations/put';
const status = (page) => page.textContent('[data-part=status]');

async function send(page) {
  await page.evaluate(() => { document.querySelector('[data-part=answer]').hidden = true; });
  await page.click('[data-part=send]');
  await page.waitForSelector('[data-part=answer]:not([hidden])');
}

test('a call with an own key, by its name', async () => {
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  await page.goto('/sign-in');
  await page.fill('#email', DEV.email);
  await page.fill('#password', DEV.password);
  await page.click('button[type=submit]');
  await page.waitForURL((url) => url.pathname === '/');
  await page.goto(OPERATION);
  assert.strictEqual(await page.inputValue('[data-name=id]'), 'a b', 'the example is filled in');
  assert.deepStrictEqual(JSON.parse(await page.inputValue('[data-part=send-body]')), { amount: 7 });
  await page.selectOption('[data-part=key]', { label: 'Mine' });
  await page.selectOption('[data-name=dry]', 'yes');
  await page.fill('[data-name=X-Why]', 'because');
  await send(page);
  assert.match(await status(page), /^200/);
  assert.match(await page.textContent('[data-part=body]'), /"got": "\/orders\/a%20b\?dry=yes"/);
  const got = seen.at(-1);
  assert.strictEqual(got.method, 'PUT');
  assert.strictEqual(got.headers['x-why'], 'because');
  assert.deepStrictEqual(JSON.parse(got.body), { amount: 7 });
  assert.strictEqual(got.headers.cookie, undefined);
  assert.strictEqual(got.headers['ocp-apim-subscription-key'], undefined);
  const curl = await page.textContent('[data-part=curl]');
  assert.match(curl, /^curl -X PUT 'http:\/\/127\.0\.0\.1:\d+\/api\/orders\/orders\/a%20b\?dry=yes'/);
  assert.match(curl, /YOUR-KEY/);
  const everywhere = await page.content() + await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  for (const key of [own.primaryKey, own.secondaryKey]) assert.ok(!everywhere.includes(key), 'the key is nowhere');
  assert.match(await page.textContent('[data-part=history]'), /200\s+PUT/);

  await send(page);
  await send(page);
  assert.match(await status(page), /^429/);
  assert.match(await page.textContent('[data-part=body]'), /Rate limit is exceeded/);
  const link = await page.getAttribute('[data-part=why]', 'href');
  await until(async () => (await page.request.get(link)).status() === 200, 'the record of the call');
  await page.click('[data-part=why]');
  await page.waitForURL('**/account/calls/*');
  assert.match(await page.textContent('main'), /429/);

  await page.goto(OPERATION);
  await page.selectOption('[data-part=key]', 'other');
  await page.fill('[data-part=other]', 'no-such-key-anywhere');
  await send(page);
  assert.match(await status(page), /^401/);
  assert.match(await page.textContent('[data-part=body]'), /invalid subscription key/);
  await page.fill('[data-name=id]', '');
  await page.click('[data-part=send]');
  assert.match(await page.textContent('[data-part=problem]'), /Enter “id” first/);
  await context.close();
});

test('a visitor is told to sign in, and without script there is the curl line', async () => {
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  await page.goto(OPERATION);
  assert.ok(await page.isVisible('text=Sign in to use your own keys') || await page.isVisible('#console >> text=Sign in'));
  await context.close();
  const plain = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false });
  const bare = await plain.newPage();
  await bare.goto(OPERATION);
  assert.ok(!(await bare.isVisible('#console')));
  assert.ok(await bare.isVisible('text=curl -X PUT'));
  await plain.close();
});

test('somebody else’s key is not to be had', async () => {
  const answer = await fetch(`${gw.url}/account/subscriptions/${own.id}/console-key`, { method: 'POST', redirect: 'manual' });
  assert.ok([303, 403].includes(answer.status), `${answer.status}`);
});
