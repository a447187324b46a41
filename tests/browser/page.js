// What every browser test of pages needs: Chromium, the sizes that are looked at, and the checks that hold for each page.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../http/harness');

const SHOTS = path.join(ROOT, 'build/screenshots');
const AXE = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const CHROMIUM = {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
};
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

async function axe(page) {
  await page.evaluate(AXE);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return result.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(' ')).join('; ')}`);
}

const address = (entry) => (typeof entry.url === 'function' ? entry.url() : entry.url);

async function check(page, seen, entry, width, shot) {
  seen.problems.length = 0;
  const answer = await page.goto(address(entry));
  assert.strictEqual(answer.status(), entry.status || 200);
  assert.ok((await answer.body()).length < MAX_PAGE_BYTES, 'the page is too large');
  if (entry.act) await entry.act(page);
  await page.screenshot({ path: shot, fullPage: true });
  assert.deepStrictEqual(await axe(page), []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= width, `scrolls sideways: ${wide} px`);
  assert.deepStrictEqual(seen.problems, []);
}

module.exports = { CHROMIUM, MAX_PAGE_BYTES, SHOTS, SIZES, VALIDATE, address, axe, check, signIn, watch };
