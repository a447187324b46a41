// Passkeys in a real browser with a virtual authenticator (WebAuthn.addVirtualAuthenticator of the DevTools protocol): made,
// listed, used without a password, used in place of the code of the second factor, removed; and what must not pass: an answer sent
// twice, an answer for another challenge, a counter that went back, a device that verifies nobody.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { start } = require('../http/harness');
const { mailSink, config, totp } = require('../http/people');
const { check, launch, watch } = require('./page');

const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const PASSWORD = 'a sentence that nobody guesses';
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
let gw, sink, browser, base;

test.before(async () => {
  sink = await mailSink();
  gw = await start({
    workers: 1, config: { ...config(sink), 'web.sign_in_tries': 100, 'admin.require_second_factor': 'yes' },
    setup(g) {
      for (const name of ['ada', 'bob'])
        g.cli('user', 'create', `${name}@example.com`, '--role', 'developer', '--first-name', 'Ada', '--password-file', g.file(name, `${PASSWORD}\n`));
    },
  });
  base = gw.url.replace('127.0.0.1', 'localhost');   // an address of numbers can have no passkeys
  browser = await launch();
});
test.after(async () => {
  if (browser) await browser.close();
  if (gw) await gw.stop();
  if (sink) await sink.close();
});

async function open(options = {}) {
  const context = await browser.newContext({ baseURL: base, ...options }), page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const device = async (more = {}) => (await cdp.send('WebAuthn.addVirtualAuthenticator', { options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true, ...more } })).authenticatorId;
  return { context, page, cdp, device };
}

async function signIn(page, email) {
  await page.goto('/sign-in');
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await press(page, 'Sign in');
}

async function make(page, name) {
  await page.goto('/account/passkeys');
  await page.fill('#name', name);
  await page.fill('#password_passkey', PASSWORD);
  await press(page, 'Go on');
  await press(page, 'Make the passkey');
  await page.getByText('Your passkey is ready').waitFor();
}

async function usePasskey(page) {
  await page.goto('/sign-in/passkey?return=%2Faccount');
  await press(page, 'Use your passkey');
}

test('passkeys', async (t) => {
  const one = await open(), { page, cdp } = one;
  const id = await one.device();

  await t.test('made by the owner only, told by mail', async () => {
    await signIn(page, 'ada@example.com');
    await page.goto('/account/passkeys');
    await page.fill('#name', '');
    await page.fill('#password_passkey', 'wrong');
    await press(page, 'Go on');
    assert.ok(await page.locator('#name-error').isVisible() && await page.locator('#password_passkey-error').isVisible());
    await make(page, 'Laptop <1>');
    assert.ok((await page.textContent('main')).includes('Laptop <1>'));
    assert.match((await sink.next('ada@example.com')).text, /A passkey was added to your account .*Laptop <1>/);
    assert.strictEqual((await cdp.send('WebAuthn.getCredentials', { authenticatorId: id })).credentials.length, 1);
    for (const path of ['/account/passkeys', '/sign-in/passkey']) {
      await page.goto(path);
      await page.evaluate(AXE);
      const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      assert.deepStrictEqual(found.violations.map((v) => v.id), []);
    }
  });

  await t.test('signs in without a password, and goes back to where it was wanted', async () => {
    await one.context.clearCookies();
    await page.goto('/sign-in');
    await page.getByText('Sign in with a passkey').click();
    await usePasskey(page);
    await page.waitForURL((u) => u.pathname === '/account');
    assert.ok((await page.textContent('main')).includes('ada@example.com'));
  });

  await t.test('an answer is taken once, and for its own challenge only', async () => {
    await one.context.clearCookies();
    let sent;
    await page.route('**/sign-in/passkey', async (route) => {
      if (route.request().method() === 'POST') sent = { body: route.request().postData(), headers: await route.request().allHeaders() };
      await route.continue();
    });
    await usePasskey(page);
    await page.waitForURL((u) => u.pathname === '/account');
    await page.unroute('**/sign-in/passkey');
    const post = (headers, body = sent.body) => fetch(`${base}/sign-in/passkey`, { method: 'POST', redirect: 'manual', body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: headers } });
    assert.strictEqual((await post(sent.headers.cookie)).status, 422, 'the very same request once more');
    const fresh = await fetch(`${base}/sign-in/passkey`, { headers: { cookie: sent.headers.cookie } });
    const cookie = fresh.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
    const visit = /gh_visit=[^;]+/.exec(sent.headers.cookie)[0];
    assert.strictEqual((await post(`${visit}; ${cookie}`)).status, 422, 'an old signature for a new challenge');
    assert.strictEqual((await post(visit)).status, 422, 'without a challenge');
    const other = new URLSearchParams(sent.body);
    other.set('handle', Buffer.from('somebody-else').toString('base64url'));
    assert.strictEqual((await post(`${visit}; ${cookie}`, other.toString())).status, 422);
    assert.match(gw.log('serve'), /passkey refused.*another challenge/);
  });

  await t.test('a counter that went back is refused', async () => {
    await one.context.clearCookies();
    const db = path.join(gw.state, 'config.db');
    assert.strictEqual(spawnSync('sqlite3', ['-cmd', '.timeout 60000', db, 'UPDATE user_passkey SET sign_count = 4000000000']).status, 0);
    await usePasskey(page);
    await page.getByText('This passkey was not accepted').waitFor();
    assert.match(gw.log('serve'), /passkey refused.*may have been copied/);
    assert.strictEqual(spawnSync('sqlite3', ['-cmd', '.timeout 60000', db, 'UPDATE user_passkey SET sign_count = 0']).status, 0);
  });

  await t.test('a device that verifies nobody makes no passkey here', async () => {
    const two = await open();
    await two.device({ hasUserVerification: false, isUserVerified: false });
    await signIn(two.page, 'bob@example.com');
    await two.page.goto('/account/passkeys');
    await two.page.fill('#name', 'Key');
    await two.page.fill('#password_passkey', PASSWORD);
    await press(two.page, 'Go on');
    await press(two.page, 'Make the passkey');
    await two.page.getByText('Nothing was chosen, or the device refused.').waitFor();
    await two.context.close();
  });

  await t.test('in place of the code of the second factor', async () => {
    await one.context.clearCookies();
    await signIn(page, 'ada@example.com');
    await page.goto('/account/second-factor');
    await page.fill('#code', totp(await page.textContent('.secret')));
    await page.fill('#password_factor', PASSWORD);
    await press(page, 'Switch it on');
    await page.getByText('I have kept them').waitFor();
    await one.context.clearCookies();
    await signIn(page, 'ada@example.com');
    await page.getByText('Use a passkey instead').click();
    await press(page, 'Use your passkey');
    await page.waitForURL((u) => u.pathname === '/');
    await page.goto('/account');
    assert.ok((await page.textContent('main')).includes('ada@example.com'));
  });

  await t.test('removed: it opens nothing any more', async () => {
    await page.goto('/account/passkeys');
    await page.getByRole('button', { name: /^Remove/ }).click();
    await page.getByText('The passkey is removed').waitFor();
    await one.context.clearCookies();
    await usePasskey(page);
    await page.getByText('This passkey was not accepted').waitFor();
  });

  await t.test('without script the pages say so', async () => {
    const three = await open({ javaScriptEnabled: false });
    await three.page.goto('/sign-in/passkey');
    assert.ok(await three.page.getByText('Passkeys need script').isVisible());
    await press(three.page, 'Use your passkey');
    assert.ok(await three.page.getByText('This passkey was not accepted').isVisible());
    await three.context.close();
  });
});

// The dashboard asks for a second factor: whoever has none sets one up, here a passkey, before anything else opens.
test('a second factor that the dashboard demands', async (t) => {
  const { context, page, device } = await open();
  const seen = watch(page);
  const enter = async () => {
    await page.goto('/admin/sign-in');
    await page.fill('#email', gw.admin.email);
    await page.fill('#password', gw.admin.password);
    await press(page, 'Sign in');
  };
  const look = (url, name, tt) => check(tt, page, seen, [{ url, name }]);
  await device();

  await t.test('leads to the set-up page and nowhere else', async (tt) => {
    await enter();
    await page.waitForURL('**/admin/account/second-factor');
    await page.goto('/admin/products');
    assert.strictEqual(new URL(page.url()).pathname, '/admin/account/second-factor');
    assert.strictEqual(await page.getByRole('navigation', { name: 'Main' }).getByRole('link').count(), 0);
    await look('/admin/account/second-factor', 'admin-factor-demanded', tt);
    await look('/admin/account/passkeys', 'admin-passkeys-demanded', tt);
  });

  await t.test('a passkey is enough, and is asked for after the password from then on', async (tt) => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto('/admin/account/second-factor');
    await page.getByRole('link', { name: 'passkey' }).click();
    await page.fill('#name', 'Laptop');
    await page.fill('#password_passkey', gw.admin.password);
    await press(page, 'Go on');
    await press(page, 'Make the passkey');
    await page.getByText('Your passkey is ready').waitFor();
    await look('/admin/account', 'admin-account', tt);
    await page.setViewportSize({ width: 1280, height: 800 });
    await press(page, 'Sign out');
    await page.getByText('You are signed out').waitFor();
    await enter();
    await press(page, 'Use your passkey');
    await page.waitForURL((u) => u.pathname === '/admin/');
  });
  await context.close();
});
