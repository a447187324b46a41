// The pages of accounts in a real browser, each at two widths and in both colour schemes: free of accessibility faults, errors and
// sideways scrolling, its HTML is valid, and an account can be made and used with the keyboard alone and without script.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { HtmlValidate } = require('html-validate');
const { start } = require('../http/harness');
const { COLOURS, SIZES, VALIDATE, axe, launch, shoot } = require('./page');
const { mailSink, config, totp, openIdProvider } = require('../http/people');

const PASSWORD = 'a sentence that nobody guesses';
const TERMS = '# Terms of use\n\nBe kind. **No more than** a million calls a day.\n\n- You own what you build.\n- We may change this, and ask again.\n';

let gw, sink, idp, browser;

test.before(async () => {
  sink = await mailSink();
  idp = await openIdProvider({ people: {}, clients: [{ client_id: 'x', redirect_uris: ['http://127.0.0.1/'], token_endpoint_auth_method: 'none' }] });
  gw = await start({
    config: { ...config(sink), 'web.mails_per_hour': 100, 'portal.sign_ups_per_hour': 1000 },
    setup(g) {
      g.cli('identity-provider', 'create', 'corp', '--issuer', idp.issuer, '--client-id', 'x', '--name', 'Corporate sign-in', '--for', 'both');
      for (const [name, email] of [['Ada', 'ada@example.com'], ['Bob', 'bob.with.a.rather.long.address@department.example.com']])
        g.cli('user', 'create', email, '--role', 'developer', '--first-name', name, '--last-name', 'Byron', '--password-file', g.file('password', `${PASSWORD}\n`));
    },
  });
  browser = await launch();
});

test.after(async () => {
  if (browser) await browser.close();
  if (gw) await gw.stop();
  if (sink) await sink.close();
  if (idp) await idp.close();
});

const linkIn = (mail) => /^https?:\/\/\S+$/m.exec(mail.text)[0];
const press = (page, name) => page.getByRole('button', { name }).click();

async function signIn(page, email) {
  await page.goto('/sign-in');
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await press(page, 'Sign in');
}

// What brings a page into the state worth looking at. Order counts: some need what was done before.
const VISITOR = [
  { name: 'sign-in', open: (p) => p.goto('/sign-in') },
  { name: 'sign-in-wrong', async open(p) { await p.goto('/sign-in'); await p.fill('#email', 'nobody@example.com'); await p.fill('#password', 'x'); await press(p, 'Sign in'); } },
  { name: 'sign-in-empty', async open(p) { await p.goto('/sign-in'); await press(p, 'Sign in'); } },
  { name: 'sign-up', open: (p) => p.goto('/sign-up') },
  { name: 'sign-up-errors', async open(p) { await p.goto('/sign-up'); await p.fill('#email', 'ada'); await press(p, 'Send me the link'); } },
  { name: 'sent', async open(p) { await p.goto('/forgot'); await p.fill('#email', 'bob.with.a.rather.long.address@department.example.com'); await press(p, 'Send me the link'); } },
  { name: 'forgot', open: (p) => p.goto('/forgot') },
  { name: 'link', async open(p) { await p.goto(linkIn(await sink.next('bob.with.a.rather.long.address@department.example.com'))); } },
  { name: 'link-short', async open(p) { await p.fill('#password', 'x'); await press(p, 'Set the password'); } },
  { name: 'link-gone', open: (p) => p.goto(`/link/${'0'.repeat(64)}`) },
  { name: 'terms', open: (p) => p.goto('/terms') },
];
const MEMBER = [
  { name: 'terms-ask', async open(p) { await signIn(p, 'ada@example.com'); await p.goto('/account'); } },
  { name: 'account', async open(p) { if (/terms$/.test(p.url())) await press(p, 'I agree'); await p.goto('/account'); } },
  { name: 'account-errors', async open(p) { await p.goto('/account'); await p.fill('#password_new', 'x'); await press(p, 'Set the password'); } },
  { name: 'close', open: (p) => p.goto('/account/close') },
  { name: 'second-factor', open: (p) => p.goto('/account/second-factor') },
  { name: 'second-factor-wrong', async open(p) { await p.fill('#code', '1'); await press(p, 'Switch it on'); } },
  { name: 'recovery-codes', async open(p) { await p.fill('#code', totp(await p.textContent('.secret'))); await p.fill('#password_factor', PASSWORD); await press(p, 'Switch it on'); } },
  { name: 'second-factor-on', open: (p) => p.goto('/account/second-factor') },
  { name: 'code', async open(p) { await p.context().clearCookies(); await signIn(p, 'ada@example.com'); } },
  { name: 'code-wrong', async open(p) { await p.fill('#code', '123'); await press(p, 'Sign in'); } },
];

const validate = new HtmlValidate(VALIDATE);
async function invalid(response) {
  const report = await validate.validateString(await response.text());
  return report.results.flatMap((r) => r.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`));
}

// The pages come in their order, each once: what was typed and done leads to the next. Light first, then the same page dark.
async function look(page, entries, width, once, t) {
  const problems = [];
  let last;
  page.on('pageerror', (e) => problems.push(`script: ${e.message}`));
  page.on('console', (m) => { if (m.type() === 'error' && !/status of (404|422|429)/.test(m.text())) problems.push(m.text()); });
  page.on('response', (r) => { if (r.request().resourceType() === 'document' && r.status() < 300 | r.status() >= 400) last = r; });
  for (const entry of entries) {
    await t.test(`${entry.name} ${width}`, async () => {
      await page.emulateMedia({ colorScheme: 'light' });
      await entry.open(page);
      await page.waitForLoadState('load');
      await shoot(page, `account-${entry.name}-${width}-light`);
      assert.deepStrictEqual(await axe(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width, 'scrolls sideways');
      if (once) assert.deepStrictEqual(await invalid(last), []);
      await page.emulateMedia({ colorScheme: 'dark' });
      await shoot(page, `account-${entry.name}-${width}-dark`);
      assert.deepStrictEqual(await axe(page, COLOURS), [], 'in the dark');
      assert.deepStrictEqual(problems, []);
    });
  }
}

test('moments stand in the zone of the browser', async () => {
  const plain = (text) => text.replace(/\s/g, ' ');       // releases of ICU differ in the blank before AM
  for (const timezoneId of ['Asia/Kolkata', 'America/St_Johns']) {
    const context = await browser.newContext({ baseURL: gw.url, locale: 'en-GB', timezoneId }), page = await context.newPage();
    await signIn(page, 'bob.with.a.rather.long.address@department.example.com');
    await page.goto('/account');
    const moment = page.locator('main time:not([data-ago])').first();
    const want = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: timezoneId, timeZoneName: 'short' })
      .format(new Date(await moment.getAttribute('datetime')));
    assert.strictEqual(plain(await moment.textContent()), plain(want));
    await press(page, 'Sign out');
    await context.close();
  }
});

for (const [width, height] of SIZES)
  test(`pages at ${width} px`, async (t) => {
    const options = { viewport: { width, height }, baseURL: gw.url, bypassCSP: true, reducedMotion: 'reduce' };
    gw.cli('terms', 'set', gw.file('terms.md', `${TERMS}\n${width}\n`));     // changed, so everybody is asked
    const visitor = await browser.newContext(options), member = await browser.newContext(options);
    await look(await visitor.newPage(), VISITOR, width, width === SIZES[0][0], t);
    await look(await member.newPage(), MEMBER, width, width === SIZES[0][0], t);
    gw.cli('user', 'reset-second-factor', 'ada@example.com');
    await visitor.close();
    await member.close();
  });

test('without script and by keyboard alone: sign up, confirm, sign out, sign in', async () => {
  const context = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false });
  const page = await context.newPage();
  const type = async (...keys) => { for (const k of keys) await (k === 'Tab' || k === 'Enter' || k === ' ' ? page.keyboard.press(k === ' ' ? 'Space' : k) : page.keyboard.type(k)); };
  await page.goto('/sign-up');
  await page.focus('#email');
  await type('kim@example.com', 'Tab', 'Kim', 'Tab', 'Tab', ' ', 'Enter');
  await page.getByText('Check your mail').waitFor();
  await page.goto(linkIn(await sink.next('kim@example.com')));
  await page.focus('#password');
  await type(PASSWORD, 'Enter');
  await page.getByText('Your account is ready').waitFor();
  await press(page, 'Sign out');
  await page.getByText('You are signed out').waitFor();
  await page.focus('#email');
  await type('kim@example.com', 'Tab', PASSWORD, 'Enter');
  await page.getByRole('link', { name: 'Kim' }).waitFor();
  await page.goBack();
  await context.close();
});
