// Quotas by calls and by bytes through a real web server: what is counted, what the caller is told, what a restart keeps.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until } = require('./harness');

const API = JSON.stringify({ openapi: '3.0.3', info: { title: 'Pets', version: '1' },
  paths: { '/pets': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const document = (quota) => `<policies><inbound><base />${quota}</inbound><backend><base /></backend><outbound><base /></outbound>`
  + '<on-error><base /></on-error></policies>';

describe('quotas', () => {
  let gw, pets;
  const keys = {};
  before(async () => {
    pets = await backend((req, res) => res.end('x'.repeat(900)));
    gw = await start({
      server: 'nginx', workers: 2,
      setup(g) {
        g.cli('product', 'create', 'calls', '--quota', '3/3600');
        g.cli('product', 'create', 'bytes');
        g.cli('import', 'openapi', g.file('pets.json', API), '--path', 'pets', '--name', 'pets', '--backend', pets.url, '--product', 'calls');
        g.cli('product', 'add-api', 'bytes', 'pets');
        g.cli('policy', 'set', '--scope', 'product:bytes', g.file('bytes.xml', document('<quota bandwidth="2" renewal-period="3600" />')));
        for (const product of ['calls', 'bytes'])
          keys[product] = g.cli('subscription', 'create', '--product', product, '--format', 'json').json().primaryKey;
      },
    });
  });
  after(async () => {
    await gw?.stop();
    await pets?.close();
  });
  const call = async (product) => {
    const r = await fetch(`${gw.url}/api/pets/pets`, { headers: { 'Ocp-Apim-Subscription-Key': keys[product] } });
    return { status: r.status, body: await r.text(), retry: Number(r.headers.get('retry-after')) };
  };

  it('lets the calls of the period through and then answers 403 with the documented words', async () => {
    const all = [];
    for (let i = 0; i < 5; i++) all.push(await call('calls'));
    assert.deepEqual(all.map((r) => r.status), [200, 200, 200, 403, 403]);
    assert.match(all[3].body, /^\{ "statusCode": 403, "message": "Out of call volume quota\. Quota will be replenished in 0[01]:\d\d:\d\d\." \}$/);
    assert.ok(all[3].retry > 0 && all[3].retry <= 3600);
  });

  it('counts the bytes that went to and from the client', async () => {
    const all = [];
    for (let i = 0; i < 4; i++) all.push(await call('bytes'));   // 900 bytes each, 2 KB allowed
    assert.deepEqual(all.map((r) => r.status), [200, 200, 200, 403]);
    assert.match(all[3].body, /"Out of bandwidth quota\. Quota will be replenished in 0[01]:\d\d:\d\d\."/);
  });

  it('remembers what was used over a restart, also after kill -9 of the workers', async () => {
    await gw.killWorkers();
    const again = await until(() => call('calls').catch(() => null), 'an answer');
    assert.equal(again.status, 403);
  });
});
