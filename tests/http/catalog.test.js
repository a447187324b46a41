// The catalog behind a real web server: what is found and in which order, for whom; that what somebody may not see is nowhere;
// that anything can be typed; that an import is found at once. The same rules for lists, search, news, feed and downloads.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, SERVERS } = require('./harness');
const { Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const document = (title, description, operations) => JSON.stringify({ openapi: '3.1.0', info: { title, version: '1', description },
  paths: Object.fromEntries(operations.map(([method, path, summary, tags = []]) => [path, { [method]: { summary, tags, responses: { 200: { description: 'ok' } } } }])) });

let gw;
test.before(async () => {
  gw = await start({
    server: SERVERS[0], workers: 1,
    setup(g) {
      const add = (id, text, ...more) => g.cli('import', 'openapi', g.file(`${id}.json`, text), '--path', id, '--name', id, '--backend', 'http://127.0.0.1:9', ...more);
      add('orders', document('Purchase orders', 'Everything that is **ordered**, with [rules](https://example.com/secret-address) and <b>signs</b>.',
        [['get', '/orders', 'List orders', ['Buying']], ['post', '/orders/{id}/cancel', 'Cancel an order', ['Buying', 'Ändern']]]));
      add('stock', document('Warehouse', 'What lies there; see orders for what comes.', [['get', '/bins', 'Read the bins', ['Store']]]));
      add('prices', document('Zanzibar prices', 'Secret zanzibar conditions.', [['get', '/zanzibar', 'Zanzibar list', ['Zanzibar']]]));
      g.cli('group', 'create', 'partners');
      for (const [product, api] of [['starter', 'orders'], ['partner', 'prices']]) g.cli('product', 'create', product, '--api', api, '--description', `Product with ${api}`);
      g.cli('product', 'set', 'partner', '--group', 'partners');
      g.cli('api', 'set', 'prices', '--tag', 'zanzibar');
      for (const who of ['pat', 'member']) g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--first-name', who, '--password-file', g.file(who, `${PASSWORD}\n`));
      g.cli('group', 'add-user', 'partners', 'member@example.com');
    },
  });
});
test.after(() => gw.stop());

const inside = async (who) => (await new Visitor(gw.url).signIn(`${who}@example.com`, PASSWORD)).follow();
const visitor = () => new Visitor(gw.url);
// where the links of results lead to, in their order
const hits = (v) => [...v.html.split('<main')[1].split('</main>')[0].matchAll(/<a [^>]*href="(\/(?:apis|products)\/[^"?]+)"/g)].map((m) => decodeURIComponent(m[1]));

test('what is found, best first, with deep links', async (t) => {
  const rows = [
    ['a name before a description', 'orders', ['/apis/orders', '/apis/stock', '/apis/orders/operations/get-orders', '/apis/orders/operations/post-orders-id-cancel', '/products/starter']],
    ['the beginning of a word', 'wareh', ['/apis/stock']],
    ['several words in any order', 'bins read', ['/apis/stock/operations/get-bins']],
    ['a path as it stands', '/orders/{id}/cancel', ['/apis/orders/operations/post-orders-id-cancel']],
    ['a method', 'post cancel', ['/apis/orders/operations/post-orders-id-cancel']],
    ['a tag of operations, without its dots', 'andern', ['/apis/orders/operations/post-orders-id-cancel']],
    ['one word is missing', 'warehouse zebra', []],
    ['quotes and operators are nothing', '"ware*" house', []],
    ['words that FTS5 would take for operators', 'orders AND NOT NEAR', []],
  ];
  for (const [what, q, want] of rows)
    await t.test(what, async () => {
      const v = await visitor().open(`/apis?q=${encodeURIComponent(q)}`);
      assert.strictEqual(v.status, 200);
      assert.deepStrictEqual(hits(v), want);
    });
});

test('what was found is marked, and Markdown and HTML of a description are text', async () => {
  const v = await visitor().open('/apis?q=ordered+sign');
  assert.match(v.html, /<mark>ordered<\/mark>, with rules and &lt;b&gt;<mark>signs<\/mark>&lt;\/b&gt;/);
  assert.ok(!v.says('secret-address'), 'the address of a link is no text');
});

test('whatever is typed is answered with a page', async () => {
  const parts = ['"', "'", '*', '(', ')', '^', ':', '-', '+', '{', '}', ' ', '\\', '%', '_', ';', '–', '😀', '\u0301', '\u200b', '<b>', 'NEAR(', 'name:', 'x'.repeat(500), '\ufffd'];
  for (const a of parts) {
    const v = await visitor().open(`/apis?q=${encodeURIComponent(`${a}orders${a}${a}`)}&tag=${encodeURIComponent(a)}&state=${encodeURIComponent(a)}&page=${encodeURIComponent(a)}`);
    assert.strictEqual(v.status, 200, a);
    assert.ok(!v.html.includes('<b>'), a);
  }
  for (const raw of ['%00', '%ff%fe', '%', '%zz', '%c3']) assert.ok([200, 400].includes((await visitor().open(`/apis?q=${raw}`)).status), raw);
});

test('what somebody may not see is nowhere; a member of the group sees it everywhere', async (t) => {
  const member = await inside('member'), others = [['a visitor', visitor()], ['another developer', await inside('pat')]];
  const lists = ['/', '/apis', '/apis?q=zanzibar', '/apis?q=prices', '/apis?tag=zanzibar', '/apis?tag=Zanzibar', '/apis?state=current', '/products', '/apis?q=partner', '/new', '/new.atom'];
  const pages = ['/apis/prices', '/apis/prices/operations/get-zanzibar', '/apis/prices/openapi.json', '/apis/prices/openapi.yaml', '/apis/prices/original', '/products/partner'];
  for (const [who, v] of others)
    await t.test(who, async () => {
      for (const path of lists) {
        await v.open(path);
        assert.strictEqual(v.status, 200, path);
        const text = v.html.replace(/“[^”]*”|value="[^"]*"|<option[^]*?<\/option>/gi, '');   // his own words
        assert.ok(!/zanzibar (prices|list|conditions)|apis\/prices|products\/partner/i.test(v.html) && !/zanzibar/i.test(text.replace(/href="[^"]*"/g, '')), path);
      }
      for (const path of pages) assert.strictEqual((await v.open(path)).status, 404, path);
    });
  for (const path of lists.filter((p) => p !== '/apis?q=partner')) assert.match((await member.open(path)).html, /zanzibar prices|products\/partner/i, path);
  for (const path of pages) assert.strictEqual((await member.open(path)).status, 200, path);
});

test('an import is found as soon as it is done, a new name at once, what is deleted no more', async () => {
  const found = async (q) => hits(await visitor().open(`/apis?q=${q}`));
  assert.deepStrictEqual(await found('quokka'), []);
  gw.cli('import', 'openapi', gw.file('q.json', document('Animals', '', [['get', '/quokka', 'A quokka']])), '--path', 'animals', '--name', 'animals', '--backend', 'http://127.0.0.1:9');
  assert.deepStrictEqual(await found('quokka'), ['/apis/animals/operations/get-quokka']);
  gw.cli('import', 'openapi', gw.file('q.json', document('Animals', '', [['get', '/wombat', 'A wombat']])), '--path', 'animals', '--backend', 'http://127.0.0.1:9');
  assert.deepStrictEqual([await found('quokka'), await found('wombat')], [[], ['/apis/animals/operations/get-wombat']]);
  gw.cli('api', 'set', 'animals', '--name', 'Beasts', '--tag', 'wild life');
  assert.deepStrictEqual(await found('beast'), ['/apis/animals']);
  assert.deepStrictEqual(hits(await visitor().open('/apis?tag=wild%20life')), ['/apis/animals']);
  gw.cli('api', 'delete', 'animals');
  assert.deepStrictEqual([await found('beast'), await found('wombat')], [[], []]);
});

test('what is new: revisions with what they say, in the page and in the feed, in the reader\'s language', async () => {
  gw.cli('api', 'revise', 'stock', '--description', 'Bins <are> counted');
  gw.cli('api', 'make-current', 'stock', '2');
  const v = await visitor().open('/new');
  assert.ok(v.says('Revision 2 is current') && v.says('Bins <are> counted'), v.html);
  const feed = await visitor().open('/new.atom');
  assert.strictEqual(feed.answer.headers.get('content-type'), 'application/atom+xml; charset=utf-8');
  assert.match(feed.html, /^<\?xml[^>]*\?>\s*<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom">/);
  assert.match(feed.html, /<entry>\s*<id>http:\/\/127\.0\.0\.1:\d+\/new#news-\d+<\/id>\s*<title>Warehouse: Revision 2 is current<\/title>/);
  assert.match(feed.html, /Bins &lt;are&gt; counted/);
  assert.ok((await new Visitor(gw.url, { 'accept-language': 'de' }).open('/new')).says('Revision 2 ist aktuell'));
});

test('a long list comes in pages, which keep what it is narrowed by', async () => {
  gw.cli('fill', '--product', 'many', '--apis', '70', '--operations', '1');
  const seen = new Set();
  let v = await visitor().open('/apis?state=current');
  for (let pages = 0; ; pages++) {
    for (const hit of hits(v)) seen.add(hit);
    const next = /href="([^"]*)" rel="next"/.exec(v.html);
    if (!next) {
      assert.strictEqual(pages, 1);
      break;
    }
    assert.strictEqual(next[1], '/apis?state=current&amp;page=2');
    v = await v.open('/apis?state=current&page=2');
  }
  assert.strictEqual(seen.size, 72, 'orders, stock and 70 more');
  assert.match(v.html, /href="\/apis\?state=current" rel="prev"/);
});
