// Limits over all workers: 8 clients against 4 workers let exactly the limit pass, each consumer has a count of its own, and
// what Retry-After says is true.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { start, backend, until, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Plans', version: '1' },
  paths: { '/plans': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });

const BOTH = '<policies><inbound><rate-limit calls="50" renewal-period="60" remaining-calls-header-name="X-Calls-Left">'
  + '<api id="plans" calls="2" renewal-period="200" /></rate-limit></inbound></policies>';

// By what calls are counted: a policy for each, the caller says which.
const CLAIM = '((context.Request.Headers.GetValueOrDefault("Authorization", "").AsJwt())?.Claims.GetValueOrDefault("team", ""))';
const KEYS = { subscription: 'context.Subscription.Id', application: 'context.ApplicationId', user: 'context.User.Id', address: 'context.Request.IpAddress',
  claim: CLAIM, expression: 'context.Request.Headers.GetValueOrDefault("X-Tenant", "").ToLower()' };
const escape = (s) => s.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
const BY = `<policies><inbound><base/><choose>${Object.entries(KEYS).map(([by, key]) =>
  `<when condition="${escape(`@(context.Request.Headers.GetValueOrDefault("X-By", "") == "${by}")`)}">`
  + `<rate-limit-by-key calls="3" renewal-period="300" counter-key="${escape(`@("${by}:" + ${key})`)}"/></when>`).join('')}</choose></inbound></policies>`;
const jwt = (claims) => `Bearer ${[{ alg: 'none' }, claims].map((x) => Buffer.from(JSON.stringify(x)).toString('base64url')).join('.')}.`;

for (const server of SERVERS) {
  describe(`limits behind ${server}`, () => {
    let gw, plans, keys;
    const of = {};

    before(async () => {
      plans = await backend((req, res) => res.end('{}'));
      gw = await start({ server, workers: 4, config: { 'gateway.x_ratelimit': 'yes' }, setup(g) {
        const file = g.file('plans.json', DESCRIPTION);
        g.cli('product', 'create', 'planning', '--rate', '100/300');
        g.cli('product', 'create', 'partner', '--rate', '20/300');
        g.cli('product', 'create', 'quick', '--rate', '3/2');
        g.cli('product', 'create', 'mes');
        g.cli('product', 'create', 'both');
        g.cli('policy', 'set', '--scope', 'product:both', g.file('both.xml', BOTH));
        g.cli('import', 'openapi', file, '--path', 'plans', '--name', 'plans', '--backend', plans.url, '--product', 'planning');
        for (const product of ['partner', 'quick', 'mes', 'both']) g.cli('product', 'add-api', product, 'plans');
        g.cli('product', 'create', 'keyed');
        g.cli('import', 'openapi', file, '--path', 'keyed', '--name', 'keyed', '--backend', plans.url, '--product', 'keyed');
        g.cli('policy', 'set', '--scope', 'api:keyed', g.file('by.xml', BY));
        const subscribe = (name, ...more) => {
          of[name] = g.cli('subscription', 'create', '--product', 'keyed', '--name', name, ...more, '--format', 'json').json().primaryKey;
        };
        for (const who of ['pat', 'ola']) g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--password-file', g.file('pw', 'correct horse battery staple\n'));
        for (const id of ['mes', 'erp']) g.cli('application', 'create', id);
        for (const [name, ...more] of [['mes1', '--application', 'mes'], ['mes2', '--application', 'mes'], ['erp1', '--application', 'erp'],
          ['pat1', '--user', 'pat@example.com'], ['pat2', '--user', 'pat@example.com'], ['ola1', '--user', 'ola@example.com']]) subscribe(name, ...more);
        keys = Object.fromEntries(['planning', 'partner', 'quick', 'mes', 'both'].map((product) =>
          [product, g.cli('subscription', 'create', '--product', product, '--format', 'json').json().primaryKey]));
      } });
    });
    after(async () => { await gw?.stop(); await plans?.close(); });

    // One client: calls one after the other on a connection of its own, like a program would.
    async function client(key, n) {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const statuses = [];
      for (let i = 0; i < n; i++) {
        statuses.push(await new Promise((resolve, reject) => {
          http.get(`${gw.url}/api/plans/plans`, { agent, headers: { 'Ocp-Apim-Subscription-Key': key } }, (res) => {
            res.resume();
            res.on('end', () => resolve({ status: res.statusCode, retry: res.headers['retry-after'], headers: res.headers }));
          }).on('error', reject);
        }));
      }
      agent.destroy();
      return statuses;
    }

    for (const [by, one, same, other] of [
      ['subscription', { key: 'mes1' }, { key: 'mes1' }, { key: 'mes2' }],
      ['application', { key: 'mes1' }, { key: 'mes2' }, { key: 'erp1' }],
      ['user', { key: 'pat1' }, { key: 'pat2' }, { key: 'ola1' }],
      ['address', { key: 'mes1', from: '127.0.0.2' }, { key: 'pat1', from: '127.0.0.2' }, { key: 'mes1', from: '127.0.0.3' }],
      ['claim', { key: 'mes1', Authorization: jwt({ team: 'blue' }) }, { key: 'pat1', Authorization: jwt({ team: 'blue' }) }, { key: 'mes1', Authorization: jwt({ team: 'red' }) }],
      ['expression', { key: 'mes1', 'X-Tenant': 'A' }, { key: 'ola1', 'X-Tenant': 'a' }, { key: 'mes1', 'X-Tenant': 'b' }],
    ]) {
      it(`counts by ${by}`, async () => {
        const ask = ({ key, from, ...headers }) => new Promise((resolve, reject) => {
          http.get(`${gw.url}/api/keyed/plans`, { localAddress: from, agent: false, headers: { 'Ocp-Apim-Subscription-Key': of[key], 'X-By': by, ...headers } }, (res) => {
            res.resume();
            res.on('end', () => resolve(res));
          }).on('error', reject);
        });
        const got = [];
        for (const who of [one, same, one]) got.push((await ask(who)).statusCode);
        assert.deepEqual(got, [200, 200, 200]);
        const refused = await ask(same);
        assert.equal(refused.statusCode, 429);
        assert.ok(Number(refused.headers['retry-after']) > 250);
        assert.equal((await ask(other)).statusCode, 200);
      });
    }

    const count = (all, status) => all.flat().filter((r) => r.status === status).length;

    it('passes exactly 100 and 20 of 8 parallel clients over 4 workers, and counts each consumer alone', async () => {
      const clients = (key, n) => Promise.all(Array.from({ length: 8 }, () => client(key, n)));
      const [planning, partner, mes] = await Promise.all([clients(keys.planning, 25), clients(keys.partner, 10), clients(keys.mes, 10)]);
      const others = [...planning, ...partner, ...mes].flat().filter((r) => r.status !== 200 && r.status !== 429);
      assert.deepEqual(others.map((r) => r.status), []);
      assert.equal(count(planning, 200), 100);
      assert.equal(count(planning, 429), 100);
      assert.equal(count(partner, 200), 20);
      assert.equal(count(partner, 429), 60);
      assert.equal(count(mes, 200), 80);
      for (const r of planning.flat().filter((x) => x.status === 429)) assert.ok(r.retry >= 1 && r.retry <= 300, r.retry);
      for (const r of planning.flat()) assert.equal(r.headers['ratelimit-policy'], '"rate";q=100;w=300');
      for (const r of partner.flat()) assert.equal(r.headers['ratelimit-policy'], '"rate";q=20;w=300');
      for (const r of mes.flat()) assert.equal(r.headers.ratelimit, undefined, 'no limit, no field');
      const left = planning.flat().filter((r) => r.status === 200).map((r) => Number(/^"rate";r=(\d+);t=\d+$/.exec(r.headers.ratelimit)[1]));
      assert.deepEqual(left.sort((x, y) => x - y), [...Array(100).keys()], 'each call is told another number');
      for (const r of planning.flat().filter((x) => x.status === 429)) assert.equal(r.headers.ratelimit, `"rate";r=0;t=${r.retry}`);
    });

    it('tells of the tightest limit, and for how long a call within several is refused', async () => {
      const first = await client(keys.both, 3);
      assert.deepEqual(first.map((r) => r.status), [200, 200, 429]);
      assert.equal(first[0].headers['ratelimit-policy'], '"rate";q=2;w=200', 'the limit of the API within the product');
      assert.ok(first[2].retry > 150 && first[2].retry <= 200, first[2].retry);
      assert.deepEqual([first[0], first[2]].map((r) => r.headers['x-ratelimit-limit'] + r.headers['x-ratelimit-remaining']), ['21', '20']);
      assert.equal(first[2].headers['x-ratelimit-reset'], first[2].retry);
      assert.equal(first[0].headers['x-calls-left'], '1', 'the fields that a document names stay as they are');
    });

    it('serves the call that waited as long as Retry-After said', async () => {
      // so many at once that even on a busy machine they are over what two seconds allow; the last one tells, as nothing is taken after it
      const over = await until(async () => {
        await Promise.all(Array.from({ length: 8 }, () => client(keys.quick, 1)));
        const [last] = await client(keys.quick, 1);
        return last.status === 429 && last;
      }, 'a refusal');
      await new Promise((resolve) => setTimeout(resolve, Number(over.retry) * 1000));
      assert.equal((await client(keys.quick, 1))[0].status, 200);
    });
  });
}
