// What every browser test of pages needs: Chromium, the sizes that are looked at, and the checks that hold for each page.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../http/harness');

const SHOTS = path.join(ROOT, 'build/screenshots');
fs.mkdirSync(SHOTS, { recursive: true });
const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUM = {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
};
const COLOURS = ['color-contrast', 'link-in-text-block'];
const SIZES = [[1280, 800], [390, 844]];
const MAX_PAGE_BYTES = 100 * 1024;
const VALIDATE = {
  extends: ['html-validate:recommended'],
  rules: { 'form-dup-name': ['error', { shared: ['radio', 'checkbox', 'button', 'submit', 'reset'] }], 'no-trailing-whitespace': 'off', 'long-title': 'off', 'valid-id': ['error', { relaxed: true }] },
};

async function signIn(page, user) {
  await page.goto('/admin/sign-in');
  await page.fill('#email', user.email);
  await page.fill('#password', user.password);
  await page.click('button[type=submit]');
  await page.waitForURL('**/admin/');
}

function watch(page) {
  const seen = { problems: [], hosts: new Set() };
  page.on('pageerror', (e) => seen.problems.push(`script: ${e.message}`));
  page.on('console', (m) => {
    if (m.type() === 'error' && !/status of (404|409|422)/.test(m.text())) seen.problems.push(`console: ${m.text()}`);
  });
  page.on('request', (r) => seen.hosts.add(new URL(r.url()).host));
  page.on('response', (r) => {
    if (r.status() >= 400 && r.request().resourceType() !== 'document') seen.problems.push(`${r.status()} ${r.url()}`);
  });
  return seen;
}

// Every rule that axe has, or those of `rules` only. Reading its half megabyte takes as long as the rules of colour, so a page gets it once.
async function axe(page, rules) {
  if (!await page.evaluate(() => Boolean(window.axe))) await page.evaluate(AXE);
  const result = await page.evaluate((only) => window.axe.run(document, { resultTypes: ['violations'], ...only && { runOnly: only } }), rules);
  return result.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ')).join('; ')}`);
}

// Screenshots of every page are for people: `make screenshots` leaves them in build/screenshots.
async function shoot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage: true });
}

const address = (entry) => (typeof entry.url === 'function' ? entry.url() : entry.url);

// In the page: fields of a line that are too low to be touched, as those are that the style sheet does not name.
const low = () => [...document.querySelectorAll('input:not([type=checkbox], [type=radio], [type=file], [type=hidden])')]
  .filter((e) => e.checkVisibility() && e.offsetHeight > 1 && e.offsetHeight < 32).map((e) => `${e.id || e.name}: ${e.offsetHeight} px`);

// One page as people see it, light and then dark. The scheme changes colours only, so what else can be wrong is looked for once.
async function check(page, seen, entry, width, name) {
  seen.problems.length = 0;
  await page.emulateMedia({ colorScheme: 'light' });
  const answer = await page.goto(address(entry));
  assert.strictEqual(answer.status(), entry.status || 200);
  assert.ok((await answer.body()).length < MAX_PAGE_BYTES, 'the page is too large');
  if (entry.act) await entry.act(page);
  await shoot(page, `${name}-${width}-light`);
  assert.deepStrictEqual(await axe(page), []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `scrolls sideways: ${wide} px`);
  assert.deepStrictEqual(await page.evaluate(low), [], 'fields that nothing styles');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, `${name}-${width}-dark`);
  assert.deepStrictEqual(await axe(page, COLOURS), [], 'in the dark');
  assert.deepStrictEqual(seen.problems, []);
}

module.exports = { CHROMIUM, COLOURS, MAX_PAGE_BYTES, SIZES, VALIDATE, address, axe, check, shoot, signIn, watch };
