// The public suite http-cache-tests over a cache rule. What it finds is a table, tests/golden/http-cache-tests.txt, so that a
// change of any of its results is seen. After a wanted change: UPDATE=1 node --test tests/http/cache-suite.test.js
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { start, freePort, until, SERVERS } = require('./harness');

const ROOT = path.resolve(__dirname, '../..');
const TABLE = path.join(ROOT, 'tests/golden/http-cache-tests.txt');
const RUNNER = path.join(ROOT, 'tests/tools/cache-suite.mjs');
const SUITES = process.env.GATEHOUSE_SUITES || path.join(ROOT, '../shared/suites');
const FOLDER = [path.join(ROOT, 'node_modules/http-cache-tests'), path.join(SUITES, 'http-cache-tests')].find((f) => fs.existsSync(f));
const METHODS = ['get', 'head', 'post', 'put', 'delete', 'options', 'patch'];
const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Suite', version: '1' },
  paths: Object.fromEntries(['/test/{id}', '/test/{id}/{file}', '/config/{id}', '/state/{id}'].map((p, i) => [p,
    Object.fromEntries(METHODS.map((m) => [m, { operationId: `${m}${i}`, responses: { 200: { description: 'ok' } } }]))])) });

for (const server of SERVERS.filter((s) => s === 'nginx')) {
  describe(`http-cache-tests behind ${server}`, { skip: FOLDER ? false : 'the package http-cache-tests is not here' }, () => {
    let gw, origin;

    before(async () => {
      const port = await freePort();
      origin = spawn(process.execPath, [RUNNER, 'server', FOLDER, String(port)], { stdio: 'ignore', cwd: FOLDER });
      await until(() => fetch(`http://127.0.0.1:${port}/state/x`).then(() => true, () => false), 'the origin of the suite');
      gw = await start({ server, workers: 2, setup(g) {
        g.cli('product', 'create', 'open', '--require-key', 'no');
        g.cli('import', 'openapi', g.file('s.json', SPEC), '--path', 'suite', '--name', 'suite', '--backend', `http://127.0.0.1:${port}`, '--product', 'open');
        g.cli('cache', 'set', 'api:suite', '--shared-by', 'everyone');
      } });
    });
    after(async () => { origin?.kill(); await gw?.stop(); });

    it('gives what the table says', () => {
      const run = (...only) => {
        const r = spawnSync(process.execPath, [RUNNER, 'client', FOLDER, `${gw.url}/api/suite`, ...only], { encoding: 'utf8', timeout: 120000 });
        assert.equal(r.status, 0, r.stderr);
        return r.stdout;
      };
      const read = (text) => Object.fromEntries(text.trim().split('\n').map((l) => [l.split(' ')[0], l.split(' # ')[0]]));
      let text = run();
      if (process.env.UPDATE) {           // what people have written behind a result stays
        const before_ = fs.readFileSync(TABLE, 'utf8').split('\n').map((l) => l.split(' # ')).filter((l) => l[1]);
        fs.writeFileSync(TABLE, text.replace(/.+/g, (l) => [l, ...before_.filter((b) => b[0] === l).map((b) => b[1])].join(' # ')));
      }
      const got = read(text), want = read(fs.readFileSync(TABLE, 'utf8'));
      const differ = () => Object.keys({ ...got, ...want }).filter((id) => got[id] !== want[id]);
      // its tests have answers that are fresh for two seconds, which is little where many tests share a machine: again, and alone
      for (let i = 0; i < 3 && differ().length && differ().length < 20; i++) {
        text = run(differ().join(','));
        Object.assign(got, read(text));
      }
      assert.deepEqual(differ().map((id) => `${want[id] || 'new'} -> ${got[id] || 'gone'}`), []);
      const lost = Object.values(got).filter((l) => / required (no|setup)$/.test(l));
      assert.ok(Object.keys(got).length > 250 && lost.length < 25, `${lost.length} required ones not met`);
    });
  });
}
