// What every browser test of pages needs: Chromium, the sizes that are looked at, and the checks that hold for each page.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { HtmlValidate } = require('html-validate');
const { chromium } = require('playwright-core');
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

// A bound for what never comes, with which nothing is said: on a busy machine a page may take long.
const PATIENCE_MS = 60000;

async function launch(args = []) {
  const browser = await chromium.launch({ ...CHROMIUM, args: [...CHROMIUM.args, ...args], timeout: 2 * PATIENCE_MS });
  const make = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await make(options);
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  };
  return browser;
}

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

// In the page: what is cut or stands out of its box, tables that are wider than their panel on a wide screen (there they scroll, which
// is for widths between), and on a phone cells that say nothing or put several things apart that belong together.
const untidy = (narrow) => {
  const found = [], say = (what, e) => found.push(`${what}: ${(e.dataset.label || e.className || e.tagName)} "${e.textContent.trim().slice(0, 40)}"`);
  for (const e of document.querySelectorAll('main *, header *, footer *')) {
    if (!e.checkVisibility() || e.closest('.hidden, svg, .cm-editor, .swagger-ui, .who-name')) continue;
    const { display, overflowX } = getComputedStyle(e), scrolls = /auto|scroll/.test(overflowX), wider = e.clientWidth > 2 && e.scrollWidth > e.clientWidth + 2;
    if (wider && !scrolls && display !== 'inline' && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) say('cut', e);
    if (wider && e.matches('label')) say('a choice wider than its place', e);
    if (wider && e.matches('.panel')) say('a table too wide for its panel', e.querySelector('table') || e);
    if (!narrow || !e.matches('td[data-label]')) continue;
    if ([...e.childNodes].filter((n) => n.nodeType === 1 || n.nodeType === 3 && n.data.trim()).length > 1) say('a cell of several parts', e);
    if (!e.innerText.trim() && !e.querySelector('input, button, select')) say('a label without a value', e);
  }
  return found;
};

// One page as people see it at a width, light and then dark. The scheme changes colours only, so what else can be wrong is looked for once.
async function look(page, seen, width, name) {
  await shoot(page, `${name}-${width}-light`);
  assert.deepStrictEqual(await axe(page), []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `scrolls sideways: ${wide} px`);
  assert.deepStrictEqual(await page.evaluate(low), [], 'fields that nothing styles');
  assert.deepStrictEqual(await page.evaluate(untidy, width < 736), []);
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, `${name}-${width}-dark`);
  assert.deepStrictEqual(await axe(page, COLOURS), [], 'in the dark');
  assert.deepStrictEqual(seen.problems, []);
}

async function load(page, entry, html) {
  const answer = await page.goto(address(entry)), body = await answer.body();
  assert.strictEqual(answer.status(), entry.status || 200);
  assert.ok(body.length < MAX_PAGE_BYTES, 'the page is too large');
  if (html) {
    const report = await html.validateString(body.toString());
    assert.deepStrictEqual(report.results.flatMap((r) => r.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`)), []);
  }
  if (!entry.act) return;
  await entry.act(page);
  await page.waitForLoadState();     // a click waits until the answer begins, and half a page has no end of its landmarks
}

// Each page { name, url, act, status, fresh } at all widths, and its HTML: `url` may be a function, `act` brings the page into the state
// worth looking at. Without it the page is loaded once and then made narrow, unless it is one that must be loaded `fresh`, as its script
// measures. `before` (of the entry) comes before a page is loaded.
async function check(t, page, seen, entries, before = () => {}) {
  const html = new HtmlValidate(VALIDATE);
  for (const entry of entries) {
    let there = false, valid = false;
    for (const [width, height] of SIZES)
      await t.test(`${entry.name} at ${width} px`, async () => {
        seen.problems.length = 0;
        if (!there) await before(entry);
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: 'light' });
        if (!there) await load(page, entry, !valid && html);
        there = !entry.act && !entry.fresh;
        valid = true;
        await look(page, seen, width, entry.name);
      });
  }
}

module.exports = { CHROMIUM, COLOURS, MAX_PAGE_BYTES, SIZES, VALIDATE, axe, check, launch, shoot, signIn, watch, address };
