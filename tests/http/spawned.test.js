// The gateway without `gatehouse serve`: started by the web server as a FastCGI program (mod_fcgid, lighttpd's bin-path) and,
// once a call, as a plain CGI program.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { start, backend, raw, answer } = require('./harness');

const API = JSON.stringify({ openapi: '3.0.3', info: { title: 'Pets', version: '1' }, paths: { '/pets': {
  get: { operationId: 'list', responses: { 200: { description: 'ok' } } }, post: { operationId: 'create', responses: { 200: { description: 'ok' } } } } } });

for (const server of ['apache-fcgid', 'lighttpd-spawn', 'lighttpd-cgi'])
  describe(`the gateway started by the web server: ${server}`, () => {
    let gw, pets, key;
    before(async () => {
      pets = await backend();
      gw = await start({
        server, workers: 0,
        setup(g) {
          g.cli('product', 'create', 'gold', '--rate', '3/60');
          g.cli('import', 'openapi', g.file('pets.json', API), '--path', 'pets', '--name', 'pets', '--backend', pets.url, '--product', 'gold');
          key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
        },
      });
    });
    after(async () => {
      await gw?.stop();
      await pets?.close();
    });

    it('refuses a call without a key', async () => {
      const r = await fetch(`${gw.url}/api/pets/pets`);
      assert.equal(r.status, 401);
      assert.match(r.headers.get('www-authenticate'), /^AzureApiManagementKey /);
    });

    if (server === 'apache-fcgid') {
      it('serves portal, dashboard and static files beside it', async () => {
        const portal = await fetch(`${gw.url}/`);
        const page = await portal.text();
        assert.equal(portal.status, 200, page);
        assert.match(page, /Pets/);
        const admin = await fetch(`${gw.url}/admin/`, { redirect: 'manual' });
        assert.equal(admin.status, 303);
        assert.match(admin.headers.get('location'), /\/admin\/sign-in/);
        const css = fs.readdirSync(path.join(gw.dir, 'www')).find((f) => f.endsWith('.css'));
        assert.equal((await fetch(`${gw.url}/static/${css}`)).headers.get('content-type'), 'text/css');
      });

      it('refuses as the gateway does', async () => {
        for (const target of ['/api/pets/%zz', '/api/pets/%00']) {
          const a = answer(await raw(gw.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
          assert.equal(a.headers['content-type'], 'application/json', target);
          assert.ok(a.headers['x-request-id'], target);
          assert.equal(JSON.parse(a.body).statusCode, a.status);
        }
      });
    }

    it('carries a body both ways, and counts over all processes', async () => {
      const statuses = [];
      for (let i = 0; i < 4; i++) {
        const r = await fetch(`${gw.url}/api/pets/pets`, { method: 'POST', body: `hello ${i}`,
          headers: { 'Ocp-Apim-Subscription-Key': key, Authorization: 'Bearer t' } });
        statuses.push(r.status);
        if (r.status !== 200) continue;
        const got = await r.json();
        assert.equal(got.body, `hello ${i}`);
        assert.equal(got.headers.authorization, 'Bearer t');
        assert.equal(got.url, '/pets');
      }
      assert.deepEqual(statuses, [200, 200, 200, 429]);
    });
  });
