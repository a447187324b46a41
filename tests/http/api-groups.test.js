// API groups: several API instances under one contract. One application with one subscription and one client id calls all of
// them and nothing else; who ends the contract ends all of it, on every worker. In the portal a group is
// found, read and subscribed to by those who may see it and does not exist for anybody else.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, SERVERS } = require('./harness');
const { mailSink, config, Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const HEADER = 'Ocp-Apim-Subscription-Key';
const MEMBERS = ['orders', 'stock', 'invoices'];
const OUTSIDE = 'payroll';
const WORKERS = 3;
const described = (title) => JSON.stringify({ openapi: '3.0.3', info: { title, version: '1' },
  paths: { '/items': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });

describe(`API groups behind ${SERVERS[0]}`, () => {
  let gw, erp, sink, ada, eve, staff, contract;
  const fields = {
    key: (c) => ({ [HEADER]: c.key }),
    headers: (c) => ({ 'Client-Id': c.id, 'Client-Secret': c.secret }),
    basic: (c) => ({ Authorization: `Basic ${Buffer.from(`${c.id}:${c.secret}`).toString('base64')}` }),
  };
  const status = async (way, c, api) => { const r = await fetch(`${gw.url}/api/${api}/items`, { headers: fields[way](c) }); await r.arrayBuffer(); return r.status; };
  // as many calls as reach every worker, each over a connection of its own
  const everywhere = async (way, c, api) => new Set(await Promise.all([...Array(8 * WORKERS)].map(() => status(way, c, api))));
  const inside = async (who) => (await new Visitor(gw.url).signIn(`${who}@example.com`, PASSWORD)).follow();
  const mails = (mail) => `${mail.headers.subject}\n${mail.text}`;

  before(async () => {
    erp = await backend();
    sink = await mailSink();
    gw = await start({ server: SERVERS[0], workers: WORKERS, config: { ...config(sink), 'portal.workers': 1 }, setup(g) {
      for (const api of [...MEMBERS, OUTSIDE]) {
        g.cli('import', 'openapi', g.file(`${api}.json`, described(api)), '--path', api, '--name', api, '--backend', erp.url);
        g.cli('access', 'set', '--api', api, 'key | client');
      }
      for (const who of ['ada', 'eve'])
        g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--first-name', who, '--password-file', g.file(who, `${PASSWORD}\n`));
      g.cli('group', 'create', 'partners');
      g.cli('group', 'add-user', 'partners', 'ada@example.com');
      g.cli('api-group', 'create', 'logistics', '--name', 'Logistics', '--description', 'Everything a **haulier** needs.', ...MEMBERS.flatMap((m) => ['--api', m]));
      g.cli('api-group', 'set', 'logistics', '--group', 'partners');
      g.cli('product', 'create', 'payroll', '--api', OUTSIDE);
      g.cli('tier', 'create', 'trial', '--product', 'logistics', '--rate', '1000/60');
      g.cli('tier', 'create', 'gold', '--product', 'logistics', '--approval', 'manual', '--rate', '5000/60');
      g.cli('application', 'create', 'truck', '--name', 'Truck', '--owner', 'ada@example.com');
    } });
    [ada, eve] = [await inside('ada'), await inside('eve')];
    staff = await new Visitor(`${gw.url}/admin/`).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in');
  });
  after(async () => { await gw?.stop(); await sink?.close(); await erp?.close(); });

  it('a group is listed apart from products, and each by its own commands', () => {
    assert.deepEqual(gw.cli('api-group', 'list', '--format', 'json').json().map((g) => g.id), ['logistics']);
    assert.deepEqual(gw.cli('product', 'list', '--format', 'json').json().map((p) => p.id), ['payroll']);
    for (const command of [['api-group', 'set', 'payroll', '--name', 'x'], ['api-group', 'delete', 'payroll'], ['product', 'delete', 'logistics'],
      ['product', 'add-api', 'logistics', OUTSIDE], ['subscription', 'create', '--api-group', 'payroll']]) {
      const r = gw.cli(...command, { fails: true });
      assert.ok(r.code === 1 && /there is no (product|API group) '/.test(r.stderr), `${command}: ${r.stderr}`);
    }
  });

  it('who may not see it finds it nowhere: not in the menu, the list, search, the API, by address', async () => {
    for (const who of [new Visitor(gw.url), eve]) {
      for (const page of ['/', '/groups', '/products', '/apis?q=haulier', '/apis?q=logistics', '/portal/api/v1/groups', '/new.atom']) {
        await who.open(page);
        assert.ok(who.status === 200 && !/logistics/i.test(who.html.replace(/q(=|%3D)logistics|“logistics”|value="logistics"/g, '')), `${page}: ${who.html}`);
      }
      assert.ok(!(await who.open('/')).html.includes('"/groups"'));
      for (const page of ['/groups/logistics', '/products/logistics', '/apis/orders', '/portal/api/v1/groups/logistics', '/portal/api/v1/apis/orders'])
        assert.equal((await who.open(page)).status, 404, page);
    }
    await eve.open('/');
    assert.equal((await eve.send('POST', '/groups/logistics/subscribe', { form: { csrf: /name="csrf" value="([^"]*)"/.exec(eve.html)[1], tier: 'trial' } })).status, 404);
  });

  it('its people find it in the menu, the list, search and at its APIs; its own page says what it opens', async () => {
    assert.ok((await ada.open('/')).html.includes('"/groups"'));
    assert.ok((await ada.open('/groups')).says('Logistics') && ada.says('3 APIs') && !ada.says('payroll'));
    assert.ok(!(await ada.open('/products')).says('Logistics'));
    assert.ok((await ada.open('/apis?q=haulier')).html.includes('/groups/logistics'));
    assert.ok((await ada.open('/apis/orders')).html.includes('/groups/logistics') && ada.says('Everything a haulier needs.'), 'no marks of Markdown');
    assert.equal(new URL((await ada.open('/products/logistics')).url).pathname, '/groups/logistics');
    for (const m of MEMBERS) assert.ok(ada.html.includes(`/apis/${m}"`), m);
    assert.ok(!ada.html.includes(`/apis/${OUTSIDE}"`) && ada.says('One contract opens all APIs of this group') && ada.says('1,000 calls a minute'));
  });

  it('an application asks once; approved, one key pair and one client id open every member and nothing else', async () => {
    await ada.open('/groups/logistics');
    await ada.submit('/groups/logistics/subscribe', { application: 'truck', tier: 'gold', message: 'Forty lorries' });
    await ada.follow();
    assert.ok(ada.says('Your request is on its way'), ada.html);
    const id = new URL(ada.url).pathname.split('/').pop();
    assert.match(mails(await sink.next(gw.admin.email, 'about the request')), /Logistics[^]*Forty lorries/);
    const keys = gw.cli('subscription', 'keys', id, '--format', 'json').json();
    const client = gw.cli('caller', 'create', 'client', 'truck-client', '--application', 'truck', '--format', 'json').json();
    contract = { sub: id, key: keys.primaryKey, id: client.id, secret: client.secret };
    await gw.adopted();
    for (const way of Object.keys(fields)) assert.deepEqual(await everywhere(way, contract, 'orders'), new Set([way === 'key' ? 401 : 403]), `${way} while it waits`);
    await staff.open('/admin/subscriptions?state=submitted');
    await staff.submit(`/admin/subscriptions/${id}/approve`, {});
    await gw.adopted();
    assert.match(mails(await sink.next('ada@example.com', 'about the approval')), /Logistics/);
    for (const way of Object.keys(fields)) {
      for (const api of MEMBERS) assert.deepEqual(await everywhere(way, contract, api), new Set([200]), `${way} ${api}`);
      assert.ok([401, 403].includes(await status(way, contract, OUTSIDE)), `${way} ${OUTSIDE}`);
    }
  });

  it('a second contract of the same application is refused, on the page, by JSON and by command', async () => {
    await ada.open('/groups/logistics');
    await ada.submit('/groups/logistics/subscribe', { application: 'truck', tier: 'trial' });
    assert.ok(ada.status === 422 && ada.says('has a contract with the group already'), ada.html);
    const csrf = JSON.parse((await ada.open('/portal/api/v1/account')).html).csrfToken;
    const ask = (body) => ada.send('POST', '/portal/api/v1/subscriptions', { json: body, headers: { 'X-CSRF-Token': csrf } });
    assert.equal((await ask({ group: 'logistics', application: 'truck', tier: 'trial' })).status, 409);
    assert.equal((await ask({ product: 'logistics', tier: 'trial' })).status, 422);
    assert.equal((await ask({ group: 'payroll' })).status, 422);
    const r = gw.cli('subscription', 'create', '--api-group', 'logistics', '--application', 'truck', { fails: true });
    assert.ok(r.code === 1 && /contract with this API group already/.test(r.stderr), r.stderr);
    assert.equal((await ask({ group: 'logistics', tier: 'trial' })).status, 201, 'another one, of hers alone');
  });

  it('who joins and leaves the group is opened and closed by the same contract', async () => {
    gw.cli('api-group', 'add-api', 'logistics', OUTSIDE);
    for (const way of Object.keys(fields)) assert.deepEqual(await everywhere(way, contract, OUTSIDE), new Set([200]), way);
    gw.cli('api-group', 'remove-api', 'logistics', OUTSIDE);
    for (const way of Object.keys(fields)) assert.ok(![...await everywhere(way, contract, OUTSIDE)].includes(200), way);
  });

  it('suspended, restored, revoked: all members stop and start together on every worker', async () => {
    for (const [state, open] of [['suspended', false], ['active', true], ['cancelled', false]]) {
      gw.cli('subscription', 'set-state', contract.sub, state);   // how fast that is: access.test.js
      await gw.adopted();
      for (const way of Object.keys(fields))
        for (const api of MEMBERS) {
          const got = await everywhere(way, contract, api);
          assert.ok(open ? got.size === 1 && got.has(200) : !got.has(200), `${state}: ${way} ${api}: ${[...got]}`);
        }
      assert.match(mails(await sink.next('ada@example.com', `when ${state}`)), /Logistics/);
    }
    assert.ok(gw.cli('api-group', 'delete', 'logistics', { fails: true }).code === 1, 'not while contracts are known');
  });

  it('the dashboard lists groups with members and contracts', async () => {
    await staff.open('/admin/api-groups');
    assert.ok(staff.status === 200 && staff.says('Logistics') && staff.says('Contracts') && MEMBERS.every((m) => staff.html.includes(`/apis/${m}"`)), staff.html);
    assert.ok(!(await staff.open('/admin/products')).says('Logistics'));
  });
});
