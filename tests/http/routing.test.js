// Which API, version and operation a call reaches, over HTTP: what the unit tables of tests/unit/fcgi/test_route.c say about
// the table holds with a web server in front, and a change of the configuration reaches every worker without a failed call.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, raw, until, SERVERS } = require('./harness');

const op = (operationId) => ({ operationId, responses: { 200: { description: 'ok' } } });
const describeApi = (title, paths) => JSON.stringify({ openapi: '3.0.3', info: { title, version: '1' }, paths });
const param = (name) => ({ name, in: 'path', required: true, schema: { type: 'string' } });

for (const server of SERVERS) {
  describe(`routing behind ${server}`, () => {
    let gw, back;

    before(async () => {
      back = await backend();
      gw = await start({ server, workers: 2, setup(g) {
        const file = g.file('a.json', describeApi('A', {
          '/items': { get: op('list') }, '/items/mine': { get: op('mine') },
          '/items/{id}': { get: { ...op('get'), parameters: [param('id')] }, put: { ...op('put'), parameters: [param('id')] } },
          '/files/{name}.{ext}': { get: { ...op('file'), parameters: [param('name'), param('ext')] } },
        }));
        g.cli('product', 'create', 'open', '--require-key', 'no');
        const add = (path, name, ...more) => g.cli('import', 'openapi', file, '--path', path, '--name', name, '--backend',
          `${back.url}/${name}`, '--product', 'open', ...more);
        add('shop', 'shop');
        add('shop/admin', 'shop-admin');
        add('versions', 'versions-1', '--version', 'v1');
        add('versions', 'versions-2', '--version', 'v2');
      } });
    });
    after(async () => { await gw?.stop(); await back?.close(); });

    const reach = async (method, path) => {
      const r = await fetch(`${gw.url}/api${path}`, { method });
      const text = await r.text();
      return r.status === 200 ? JSON.parse(text).url : r.status;
    };

    for (const [what, method, path, want] of [
      ['an operation', 'GET', '/shop/items', '/shop/items'],
      ['a parameter, as it was escaped', 'GET', '/shop/items/a%20b%C3%A9?x=1', '/shop/items/a%20b%C3%A9?x=1'],
      ['two parameters in one segment', 'GET', '/shop/files/a.tar.gz', '/shop/files/a.tar.gz'],
      ['a path in another case', 'GET', '/SHOP/Items', '/shop/Items'],
      ['an ending that a web server keeps to itself', 'GET', '/shop/items/a.inc', '/shop/items/a.inc'],
      ['another one', 'GET', '/shop/items/a~', '/shop/items/a~'],
      ['a name that a web server hides', 'GET', '/shop/items/.htaccess', '/shop/items/.htaccess'],
      ['a slash at the end', 'GET', '/shop/items/', '/shop/items/'],
      ['the longer path of two APIs', 'GET', '/shop/admin/items', '/shop-admin/items'],
      ['a version', 'GET', '/versions/v1/items', '/versions-1/items'],
      ['the other version', 'GET', '/versions/v2/items', '/versions-2/items'],
      ['no such version', 'GET', '/versions/v3/items', 404],
      ['no version', 'GET', '/versions/items', 404],
      ['the current revision by number', 'GET', '/shop;rev=1/items', '/shop/items'],
      ['no such revision', 'GET', '/shop;rev=2/items', 404],
      ['a parameter where the literal has another method', 'PUT', '/shop/items/mine', '/shop/items/mine'],
      ['a wrong method', 'PATCH', '/shop/items/7', 404],
      ['half a segment', 'GET', '/shopping/items', 404],
      ['no API', 'GET', '/', 404],
    ])
      it(`${what}: ${method} ${path}`, async () => assert.equal(await reach(method, path), want));

    for (const target of ['/api/shop/items/..%2f..%2fx', '/api/shop/items/%2e%2e', '/api/shop/items/..;/x', '/api/shop/items/a%5cb'])
      it(`lets ${target} reach no backend`, async () => {
        const n = back.seen.length;
        const answer = await raw(gw.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        assert.match(answer, /^HTTP\/1\.1 40[04]/);
        assert.equal(back.seen.length, n);
      });

    it('takes a changed configuration without a failed call', async () => {
      let stop = false, calls = 0;
      const failed = [];
      const clients = Array.from({ length: 3 }, async () => {
        while (!stop) {
          const r = await reach('GET', '/shop/items').catch((e) => e.message);
          calls++;
          if (r !== '/shop/items') failed.push(r);
        }
      });
      for (let i = 0; i < 5; i++) {
        gw.cli('import', 'openapi', gw.file('b.json', describeApi(`B${i}`, { '/x': { get: op('x') } })), '--path', `new-${i}`,
          '--name', `new-${i}`, '--backend', back.url, '--product', 'open', { adopt: false });   // calls go on meanwhile
        await until(async () => (await reach('GET', `/new-${i}/x`)) === '/x', `API new-${i}`);
      }
      await until(() => calls > 20, 'some calls');
      stop = true;
      await Promise.all(clients);
      assert.deepEqual(failed, []);
    });
  });
}
