// What the portal gives out besides its pages: descriptions as files, original and for callers, to those who may see the API.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { start, SERVERS } = require('./harness');
const { Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const SAMPLES = path.join(path.dirname(require.resolve('@readme/oas-examples/package.json')));
const FILES = { json: '3.0/json/petstore.json', yaml: '3.1/yaml/petstore.yaml', old: '2.0/json/petstore.json' };
const original = (name) => fs.readFileSync(path.join(SAMPLES, FILES[name]));

for (const server of SERVERS) {
  test(`descriptions as files, behind ${server}`, async (t) => {
    const gw = await start({
      server, workers: 1, config: {},
      setup(g) {
        g.cli('product', 'create', 'partners');
        g.cli('group', 'create', 'partners');
        g.cli('product', 'set', 'partners', '--group', 'partners');
        for (const name of Object.keys(FILES))
          g.cli('import', 'openapi', path.join(SAMPLES, FILES[name]), '--path', name, '--name', name, '--backend', 'http://127.0.0.1:9');
        g.cli('import', 'openapi', path.join(SAMPLES, FILES.json), '--path', 'hidden', '--name', 'hidden', '--product', 'partners', '--backend', 'http://127.0.0.1:9');
        g.cli('api', 'set', 'yaml', '--require-key', 'no');
        g.cli('user', 'create', 'pat@example.com', '--role', 'developer', '--group', 'partners', '--password-file', g.file('pat', `${PASSWORD}\n`));
      },
    });
    t.after(() => gw.stop());
    const get = (url, headers = {}) => fetch(gw.url + url, { headers });

    await t.test('the original is given out byte for byte', async () => {
      for (const name of Object.keys(FILES)) {
        const answer = await get(`/apis/${name}/original`);
        assert.strictEqual(answer.status, 200);
        assert.deepStrictEqual(Buffer.from(await answer.arrayBuffer()), original(name));
        assert.strictEqual(answer.headers.get('content-type'), name === 'yaml' ? 'application/yaml' : 'application/json');
        assert.match(answer.headers.get('content-disposition'), new RegExp(`^attachment; filename="${name}-original\\.`));
      }
    });

    await t.test('the one for callers has the gateway’s address and the key', async () => {
      const three = await (await get('/apis/json/openapi.json')).json();
      assert.deepStrictEqual(three.servers, [{ url: `${gw.url}/api/json` }]);
      assert.deepStrictEqual(three.components.securitySchemes.subscriptionKey.name, 'Ocp-Apim-Subscription-Key');
      const old = await (await get('/apis/old/openapi.json')).json();
      assert.deepStrictEqual([old.host, old.basePath, old.schemes], [new URL(gw.url).host, '/api/old', ['http']]);
      const open = await (await get('/apis/yaml/openapi.json')).json();
      assert.strictEqual(open.components.securitySchemes.subscriptionKey, undefined);
      assert.deepStrictEqual(Object.keys(three.paths), Object.keys(JSON.parse(original('json')).paths));
    });

    await t.test('JSON and YAML say the same', async () => {
      for (const name of Object.keys(FILES)) {
        const yaml = gw.file(`${name}.yaml`, await (await get(`/apis/${name}/openapi.yaml`)).text());
        gw.cli('import', 'openapi', yaml, '--path', `again-${name}`, '--name', `again-${name}`, '--backend', 'http://127.0.0.1:9');
        const [a, b] = await Promise.all([name, `again-${name}`].map(async (n) => (await get(`/apis/${n}/openapi.json`)).json()));
        assert.deepStrictEqual(Object.keys(b.paths), Object.keys(a.paths));
        for (const p of Object.keys(a.paths)) for (const m of ['get', 'post', 'put'])
          assert.deepStrictEqual(b.paths[p][m] && { ...b.paths[p][m], security: 0 }, a.paths[p][m] && { ...a.paths[p][m], security: 0 });
      }
    });

    await t.test('who has it already is told so, and a change is seen at once', async () => {
      const first = await get('/apis/json/openapi.json'), tag = first.headers.get('etag');
      assert.strictEqual(first.headers.get('cache-control'), 'no-cache');
      assert.strictEqual((await get('/apis/json/openapi.json', { 'If-None-Match': tag })).status, 304);
      gw.cli('api', 'set', 'json', '--key-header', 'X-Own');
      const again = await get('/apis/json/openapi.json', { 'If-None-Match': tag });
      assert.strictEqual(again.status, 200);
      assert.strictEqual((await again.json()).components.securitySchemes.subscriptionKey.name, 'X-Own');
    });

    await t.test('what a visitor may not see is not there, whatever is asked for', async () => {
      const files = ['openapi.json', 'openapi.yaml', 'original'];
      for (const file of files) {
        const [hidden, none] = await Promise.all(['hidden', 'no-such'].map((id) => get(`/apis/${id}/${file}`)));
        assert.deepStrictEqual([hidden.status, none.status], [404, 404]);
        assert.strictEqual((await hidden.text()).replace(/[0-9a-f]{32}/g, ''), (await none.text()).replace(/[0-9a-f]{32}/g, ''));
      }
      const pat = await (await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).follow();
      for (const file of files) {
        await pat.get(`/apis/hidden/${file}`);
        assert.strictEqual(pat.status, 200, file);
        assert.match(pat.answer.headers.get('cache-control'), /^private/);
        assert.strictEqual(pat.answer.headers.get('access-control-allow-origin'), null);
      }
      await pat.get('/apis/hidden');
      assert.match(pat.html, /download it and import the file/);
      await pat.get('/apis/json');
      assert.ok(pat.html.includes(`value="${gw.url}/apis/json/openapi.json"`), 'the address to import');
      assert.ok(pat.html.includes(`insomnia://app/import?uri=${encodeURIComponent(`${gw.url}/apis/json/openapi.json`)}`));
    });
  });
}
