// The gateway without `gatehouse serve`: started by the web server as a FastCGI program (mod_fcgid, lighttpd's bin-path) and,
// once a call, as a plain CGI program.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend } = require('./harness');

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
