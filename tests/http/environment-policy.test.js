// The document of an environment binds every API of it, those that come later too, whatever their own documents say.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/orders': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const section = (name, inner) => `<${name}>${inner}</${name}>`;
const document = (inbound, outbound) => `<policies>${section('inbound', inbound)}<backend><base /></backend>${section('outbound', outbound)}<on-error><base /></on-error></policies>`;
const BINDING = document('<set-header name="X-Bound" exists-action="override"><value>in</value></set-header><base />',
  '<base /><set-header name="X-Bound" exists-action="override"><value>@("out of " + context.Api.Id)</value></set-header>');
// One that leaves everything else out.
const OWN = '<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>';

describe('the policies of an environment', () => {
  let gw, orders;
  before(async () => {
    orders = await backend((req, res) => res.end(req.headers['x-bound'] || 'nothing'));
    gw = await start({ server: 'nginx', setup(g) {
      g.cli('environment', 'create', 'sandbox', '--prefix', 'sandbox');
      g.file('orders.json', DESCRIPTION);
    } });
    add('orders', 'default');
    add('orders-sandbox', 'sandbox');
  });
  after(async () => { await gw?.stop(); await orders?.close(); });

  function add(name, env) {
    gw.cli('import', 'openapi', gw.file('orders.json', DESCRIPTION), '--path', name, '--name', name, '--env', env, '--backend', orders.url);
    gw.cli('api', 'set', name, '--require-key', 'no');
  }
  const get = async (path) => { const r = await fetch(`${gw.url}/api/${path}/orders`); return [r.status, await r.text(), r.headers.get('x-bound')]; };

  it('run for every API of it and for no other', async () => {
    gw.cli('policy', 'set', '--scope', 'environment:default', gw.file('b.xml', BINDING));
    assert.deepEqual(await get('orders'), [200, 'in', 'out of orders']);
    assert.deepEqual(await get('sandbox/orders-sandbox'), [200, 'nothing', null]);
  });

  it('run whatever the document of the API says', async () => {
    gw.cli('policy', 'set', '--scope', 'api:orders', gw.file('o.xml', OWN));
    gw.cli('policy', 'set', '--scope', 'global', gw.file('g.xml', OWN));
    assert.deepEqual(await get('orders'), [200, 'in', 'out of orders']);
  });

  it('run for an API that comes later', async () => {
    add('later', 'default');
    assert.deepEqual(await get('later'), [200, 'in', 'out of later']);
  });

  it('may end a call before anything of the API is asked', async () => {
    gw.cli('policy', 'set', '--scope', 'environment:default', gw.file('b.xml', document('<ip-filter action="forbid"><address>127.0.0.1</address></ip-filter><base />', '<base />')));
    const before = orders.seen.length;
    assert.equal((await get('orders'))[0], 403);
    assert.equal(orders.seen.length, before);
  });

  it('keep the place of all others, and are shown, listed and taken away', async () => {
    const wrong = gw.cli('policy', 'set', '--scope', 'environment:default', gw.file('w.xml', document('<ip-filter action="forbid"><address>127.0.0.1</address></ip-filter>', '<base />')), { fails: true });
    assert.match(wrong.stderr, /w\.xml:1:11: error: <inbound> of an environment's document needs <base \/>/);
    assert.match(gw.cli('policy', 'set', '--scope', 'environment:nowhere', gw.file('b.xml', BINDING), { fails: true }).stderr, /there is no environment 'nowhere'/);
    assert.equal(gw.cli('policy', 'show', '--scope', 'environment:default').stdout.includes('ip-filter'), true);
    assert.ok(gw.cli('policy', 'list', '--format', 'json').json().some((p) => p.scope === 'environment'));
    gw.cli('policy', 'unset', '--scope', 'environment:default');
    assert.deepEqual(await get('orders'), [200, 'nothing', null]);
  });
});
