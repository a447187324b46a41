// From the front page on, without script: every link, form and picture that a visitor, a developer and an administrator can
// follow leads somewhere, and every page on the way is valid HTML. What stands where is not known here: a new page is found
// by the links to it.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { HtmlValidate } = require('html-validate');
const { start, until, ROOT } = require('./harness');
const { Visitor, unescaped } = require('./people');

const PAGES_MAX = 800;                       // a crawl that does not end is a fault
const validate = new HtmlValidate({
  extends: ['html-validate:recommended'],
  rules: { 'form-dup-name': ['error', { shared: ['radio', 'checkbox', 'button', 'submit', 'reset'] }], 'no-trailing-whitespace': 'off', 'long-title': 'off', 'valid-id': ['error', { relaxed: true }] },
});
const DEV = { email: 'pat@example.com', password: 'a sentence that nobody guesses' };
let gw;

test.before(async () => {
  gw = await start({
    server: 'nginx', workers: 1,
    setup(g) {
      const sample = (name) => path.join(ROOT, 'deploy/sample', `${name}.yaml`);
      g.cli('product', 'create', 'starter', '--rate', '3/60');
      g.cli('product', 'create', 'gold', '--approval', 'manual');
      g.cli('product', 'create', 'partners');
      g.cli('group', 'create', 'partners');
      g.cli('product', 'set', 'partners', '--group', 'partners');
      for (const [name, product] of [['orders', 'starter'], ['inventory', 'starter'], ['prices', 'partners'], ['old', 'gold']])
        g.cli('import', 'openapi', sample(name === 'orders' ? 'orders' : 'inventory'), '--path', name, '--name', name, '--backend',
          'http://127.0.0.1:9', '--product', product);
      g.cli('api', 'set', 'orders', '--tag', 'sales & more', '--tag', 'ä/ö');
      g.cli('api', 'set', 'old', '--stage', 'deprecated', '--sunset-date', '2099-01-31');
      g.cli('terms', 'set', g.file('terms.md', '# Terms\n\nBe kind. See [the APIs](/apis).\n'));
      g.cli('user', 'create', DEV.email, '--role', 'developer', '--first-name', 'Pat', '--password-file', g.file('pat', `${DEV.password}\n`));
      g.own = g.cli('subscription', 'create', '--product', 'starter', '--user', DEV.email, '--name', 'Plan <b>', '--format', 'json').json();
    },
  });
  const call = () => fetch(`${gw.url}/api/orders/health`, { headers: { 'Ocp-Apim-Subscription-Key': gw.own.primaryKey } });
  for (let i = 0; i < 5; i++) await call();
  await until(() => gw.cli('log', '--format', 'json').stdout.includes('429'), 'the calls in the store');
});
test.after(async () => gw && gw.stop());

// What a page refers to: links and pictures, and where its GET forms go (those that post have tests of their own).
function references(html) {
  const out = [];
  for (const [, tag, attributes] of html.matchAll(/<(a|link|script|img|use|form|iframe|source)\b([^>]*)>/g)) {
    if (tag === 'form' && /method="post"/i.test(attributes)) continue;
    const m = /\b(?:href|src|action)="([^"]*)"/.exec(attributes);
    if (m) out.push(unescaped(m[1]));
  }
  return out;
}

const ids = (html) => new Set([...html.matchAll(/\bid="([^"]*)"/g)].map((m) => unescaped(m[1])));

async function crawl(visitor, from) {
  const seen = new Map(), queue = from.map((to) => ({ to, on: '(start)' })), faults = [], fragments = [];
  while (queue.length) {
    const { to, on } = queue.shift();
    // each page offers the languages with itself to go back to: one is enough
    const url = new URL(to, gw.url), key = url.pathname + (url.pathname.startsWith('/language/') ? '' : url.search);
    if (url.hash) fragments.push({ key, hash: decodeURIComponent(url.hash.slice(1)), on });
    if (seen.has(key)) continue;
    seen.set(key, null);
    if (seen.size > PAGES_MAX) throw new Error(`more than ${PAGES_MAX} pages, the last from ${on}: ${key}`);
    // the choice of a language changes every page after it: with cookies of its own
    const who = url.pathname.startsWith('/language/') ? new Visitor(gw.url) : visitor;
    await (await who.get(key)).follow();
    if (who.status !== 200) faults.push(`${who.status} ${key} (from ${on})`);
    if (!/^text\/html/.test(who.answer.headers.get('content-type'))) {
      if (/svg/.test(who.answer.headers.get('content-type'))) seen.set(key, { ids: ids(who.html) });
      continue;
    }
    if (who !== visitor) continue;
    const report = await validate.validateString(who.html);
    for (const m of report.results.flatMap((r) => r.messages)) faults.push(`${key}:${m.line}:${m.column} ${m.ruleId}: ${m.message}`);
    seen.set(key, { ids: ids(who.html) });
    for (const reference of references(who.html)) {
      if (/^(mailto|data|insomnia|javascript):/.test(reference)) {
        if (/^(data|javascript):/.test(reference)) faults.push(`${key} refers to ${reference.slice(0, 60)}`);
        continue;
      }
      const next = new URL(reference, new URL(who.url));
      if (next.host === new URL(gw.url).host) queue.push({ to: next.href, on: key });
      else if (next.protocol !== 'https:') faults.push(`${key} leads to ${next.href}`);
    }
  }
  for (const { key, hash, on } of fragments)
    if (seen.get(key) && !seen.get(key).ids.has(hash)) faults.push(`${key} has no #${hash} (from ${on})`);
  return { faults, seen };
}

const reached = ({ seen }, ...pages) => { for (const p of pages) assert.ok(seen.has(p), `${p} was not reached; what was: ${[...seen.keys()].join(' ')}`); };

test('as a visitor', async () => {
  const found = await crawl(new Visitor(gw.url), ['/']);
  assert.deepStrictEqual(found.faults, []);
  reached(found, '/apis', '/apis/orders', '/apis/orders/operations/create-order', '/products/starter', '/sign-in', '/sign-up', '/forgot', '/terms', '/portal/api',
    '/portal/api/v1/openapi.json');
  assert.deepStrictEqual([...found.seen.keys()].filter((k) => /prices|^\/admin/.test(k)), [], 'what is not for visitors');
});

test('as a visitor who reads German', async () => {
  const found = await crawl(new Visitor(gw.url, { 'accept-language': 'de' }), ['/']);
  assert.deepStrictEqual(found.faults, []);
});

test('as a developer', async () => {
  const pat = await (await new Visitor(gw.url).signIn(DEV.email, DEV.password)).follow();
  await pat.open('/account');
  assert.match(pat.url, /\/terms$/);
  await (await pat.submit('/terms', { agree: 'yes' })).follow();
  const found = await crawl(pat, ['/']);
  assert.deepStrictEqual(found.faults, []);
  reached(found, '/account', '/account/tokens', '/account/traces', '/account/second-factor', '/account/close', '/account/subscriptions',
    `/account/subscriptions/${gw.own.id}`, '/account/calls', '/account/calls.csv?subscription=&application=');
  assert.ok([...found.seen.keys()].some((k) => /^\/account\/calls\/./.test(k)), 'one call');
});

test('as an administrator', async () => {
  const admin = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
  const found = await crawl(admin, ['/admin/']);
  assert.deepStrictEqual(found.faults, []);
  reached(found, '/admin/apis/orders', '/admin/apis/prices', '/admin/products', '/admin/subscriptions', '/admin/credentials');
});
