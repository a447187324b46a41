// Who may call: states and scopes of subscriptions, told apart in the record and not to the client, and how fast a change
// reaches every worker.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/things': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });

describe(`access behind ${SERVERS[0]}`, () => {
  let gw, things;
  const create = (...args) => gw.cli('subscription', 'create', '--format', 'json', ...args).json();
  const call = (key, api = 'one', query = '') => fetch(`${gw.url}/api/${api}/things${query}`,
    { headers: key ? { 'Ocp-Apim-Subscription-Key': key } : {} });
  const status = async (...args) => { const r = await call(...args); await r.text(); return r.status; };
  const reasonOf = async (key, api) => {
    const r = await call(key, api);
    const text = await r.text();
    const id = r.headers.get('x-request-id');
    const record = await until(() => {
      const out = gw.cli('log', '--request-id', id, '--format', 'json').stdout.trim();
      return out && JSON.parse(out);
    }, 'the record');
    return { status: r.status, text, record };
  };

  before(async () => {
    things = await backend();
    gw = await start({ server: SERVERS[0], workers: 3, setup(g) {
      const file = g.file('things.json', DESCRIPTION);
      g.cli('product', 'create', 'gold');
      g.cli('product', 'create', 'other');
      g.cli('product', 'create', 'open', '--require-key', 'no');
      g.cli('import', 'openapi', file, '--path', 'one', '--name', 'one', '--backend', things.url, '--product', 'gold');
      g.cli('import', 'openapi', file, '--path', 'two', '--name', 'two', '--backend', things.url, '--product', 'other');
      g.cli('import', 'openapi', file, '--path', 'free', '--name', 'free', '--backend', things.url, '--product', 'open');
    } });
  });
  after(async () => { await gw?.stop(); await things?.close(); });

  it('opens by product, by API and for all APIs', async () => {
    const product = create('--product', 'gold').primaryKey;
    const api = create('--api', 'one').primaryKey;
    const all = create('--all-apis').primaryKey;
    for (const [key, one, two] of [[product, 200, 401], [api, 200, 401], [all, 200, 200]]) {
      assert.equal(await status(key, 'one'), one);
      assert.equal(await status(key, 'two'), two);
    }
  });

  it('keeps the sessions of portal and dashboard from backends, and nothing else', async () => {
    const key = create('--api', 'one').primaryKey;
    await fetch(`${gw.url}/api/one/things`, { headers: { 'Ocp-Apim-Subscription-Key': key, Cookie: 'a=1; gh_portal=secret; gh_admin=more; b=2' } });
    assert.equal(things.seen.at(-1).headers.cookie, 'a=1; b=2');
    await fetch(`${gw.url}/api/one/things`, { headers: { 'Ocp-Apim-Subscription-Key': key, Cookie: 'gh_portal=secret' } });
    assert.equal(things.seen.at(-1).headers.cookie, undefined);
  });

  it('tells the client nothing but "invalid", and the record everything', async () => {
    const suspended = create('--product', 'gold', '--id', 'sus');
    const cancelled = create('--product', 'gold', '--id', 'can');
    const ended = create('--product', 'gold', '--ends', '2020-01-01T00:00:00Z').primaryKey;
    const elsewhere = create('--product', 'other').primaryKey;
    gw.cli('subscription', 'set-state', 'sus', 'suspended');
    gw.cli('subscription', 'set-state', 'can', 'cancelled');
    const texts = new Set();
    for (const [key, reason] of [['no-such-key-anywhere', 'key_invalid'], [suspended.primaryKey, 'key_suspended'],
      [cancelled.secondaryKey, 'key_cancelled'], [ended, 'key_expired'], [elsewhere, 'key_wrong_scope']]) {
      const got = await reasonOf(key, 'one');
      assert.equal(got.status, 401);
      assert.equal(got.record.reason, reason);
      assert.equal(got.record.origin, 'gateway');
      if (key === suspended.primaryKey) assert.equal(got.record.subscription, 'sus');
      texts.add(got.text);
      assert.ok(!JSON.stringify(got.record).includes(key.slice(8)), 'the key is in the record');
    }
    assert.equal(texts.size, 1);
    assert.equal((await reasonOf(undefined, 'one')).record.reason, 'key_missing');
  });

  it('lets an open product in without a key, and with any', async () => {
    assert.equal(await status(undefined, 'free'), 200);
  });

  it('takes a revoked key from every worker once it has heard of it, and gives it back', async () => {
    const sub = create('--product', 'gold', '--id', 'revoked');
    for (const [state, want] of [[null, 200], ['suspended', 401], ['active', 200]]) {
      if (state) gw.cli('subscription', 'set-state', 'revoked', state);
      await gw.adopted();
      for (let i = 0; i < 30; i++) assert.equal(await status(sub.primaryKey), want);   // then it is in the cache of each worker
    }
  });

  it('takes a new key at once, though it was tried before', async () => {
    const key = 'a-key-that-is-made-later-0123456789';
    for (let i = 0; i < 12; i++) assert.equal(await status(key), 401);
    create('--product', 'gold', '--key-file', gw.file('key', `${key}\nsecond-of-it-9876543210\n`));
    await gw.adopted();
    for (let i = 0; i < 12; i++) assert.equal(await status(key), 200);
  });

  it('looks at the header first and never forwards a key', async () => {
    const good = create('--product', 'gold').primaryKey;
    const r = await call('wrong-key-in-the-header', 'one', `?subscription-key=${good}`);
    assert.equal(r.status, 401);
    const before = things.seen.length;
    const q = await fetch(`${gw.url}/api/one/things?a=1&subscription-key=${good}&b=2`, { headers: { 'X-Api-Key': good } });
    assert.equal(q.status, 200);
    const seen = things.seen[before];
    assert.equal(seen.url, '/things?a=1&b=2');
    assert.ok(!JSON.stringify(seen.headers).includes(good));
  });
});
