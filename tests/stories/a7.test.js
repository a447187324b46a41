// Environments: rights that end at their border, promotion, ZIP, policies of an environment, how APIs are tracked, the gatekeeper.
//
// Each line of the story is one test. That an API which was silent for the set time is inactive needs that time: its border is in
// tests/unit/portal/test_dashboard.c (border_of_inactive).
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { execFileSync } = require('node:child_process');
const { start, offline, backend, until, SERVERS } = require('../http/harness');
const { Visitor } = require('../http/people');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: { '/list': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const document = (inbound) => `<policies><inbound>${inbound}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const BINDING = document('<set-header name="X-Bound" exists-action="override"><value>{{bound}}</value></set-header>'
  + '<ip-filter action="allow"><address>127.0.0.1</address></ip-filter><base />');

// What the files of a ZIP hold, one behind the other: their sizes stand before them (APPNOTE 4.3.7).
function unzipped(zip) {
  const texts = [];
  for (let at = 0; zip.readUInt32LE(at) === 0x04034b50;) {
    const from = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
    at = from + zip.readUInt32LE(at + 18);
    texts.push(zlib.inflateRawSync(zip.subarray(from, at)).toString());
  }
  return texts.join('\n');
}

for (const server of SERVERS) {
  describe(`behind ${server}`, () => {
    let gw, sand, live, owner, sam;
    const api = async (method, where, body, token = owner) => {
      const r = await fetch(`${gw.url}/admin/api/v1/${where}`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...(['PATCH', 'DELETE'].includes(method) && { 'if-match': '*' }) },
        body: body === undefined ? undefined : JSON.stringify(body) });
      const text = await r.text();
      return { status: r.status, text, body: text ? JSON.parse(text) : undefined };
    };
    const made = async (where, body) => { const r = await api('POST', where, body); assert.equal(r.status, 201, r.text); return r.body; };
    const call = async (where, headers) => { const r = await fetch(`${gw.url}/api/${where}`, { headers }); return [r.status, await r.text()]; };

    const signedIn = (email = gw.admin.email, password = gw.admin.password) => new Visitor(gw.url).signIn(email, password, '/admin/sign-in');

    before(async () => {
      sand = await backend((req, res) => res.end(`sand ${req.headers['x-bound']}`));
      live = await backend((req, res) => res.end(`live ${req.headers['x-bound']}`));
      gw = await start({ server, workers: 1, setup(g) {
        const token = (...more) => g.cli('machine-token', 'create', ...more, '--scope', 'write', '--format', 'json').json().token;
        g.cli('environment', 'create', 'sandbox', '--prefix', 'sandbox');
        g.cli('environment', 'create', 'production', '--prefix', 'live', '--kind', 'production');
        owner = token('owner', '--role', 'owner');
        sam = token('sam', '--role', 'owner', '--env', 'sandbox');
        const named = g.file('orders.json', DESCRIPTION);
        g.cli('import', 'openapi', named, '--name', 'orders-sandbox', '--path', 'orders', '--env', 'sandbox', '--backend', `${sand.url}/v1`);
        g.cli('import', 'openapi', named, '--name', 'prices', '--path', 'prices', '--env', 'production', '--backend', live.url);
        for (const a of ['orders-sandbox', 'prices']) g.cli('api', 'set', a, '--require-key', 'no');
        g.cli('policy', 'set', '--scope', 'api:orders-sandbox', g.file('own.xml', document('<base /><set-header name="X-Own"><value>1</value></set-header>')));
      } });
      for (const [id, value] of [['sandbox', sand.url], ['production', live.url]])
        assert.equal((await api('PATCH', `environments/${id}`, { variables: [{ name: 'erp', value }] })).status, 200);
      await made('products', { id: 'gold', name: 'Gold', apis: ['orders-sandbox'] });
      await made('tiers', { id: 'small', product: 'gold', name: 'Small', limits: [{ kind: 'quota', calls: 1000, seconds: 86400 }] });
      await made('subscriptions', { id: 'ann', product: 'gold', tier: 'small', name: 'Ann' });
      gw.cli('alert', 'set', 'errors', '--api', 'orders-sandbox', '--kind', 'status', '--status', '5xx', '--threshold', '5', '--period', '1m', '--mail', 'a@example.com');
    });
    after(async () => { await gw?.stop(); await sand?.close(); await live?.close(); });

    it('with rights on Sandbox only nobody sees or changes Production: UI and API, 403', async () => {
      const seen = (await api('GET', 'apis', undefined, sam)).body.items.map((x) => x.id);
      assert.deepEqual(seen, ['orders-sandbox']);
      for (const [method, where, body] of [['GET', 'apis/prices'], ['PATCH', 'apis/prices', { name: 'Mine' }], ['DELETE', 'apis/prices'],
        ['POST', 'promote', { api: 'prices', to: 'sandbox' }], ['PUT', 'policies/environment:production', { policy: BINDING }]]) {
        const r = await api(method, where, body, sam);
        assert.ok(r.status === 403 || (where === 'promote' && r.status === 404), `${method} ${where}: ${r.text}`);
      }
      assert.equal((await api('PATCH', 'apis/orders-sandbox', { description: 'Mine' }, sam)).status, 200);
      await made('users', { id: 'sam', email: 'sam@example.com', role: 'developer' });
      await made('role-assignments', { role: 'owner', user: 'sam', environment: 'sandbox' });
      gw.cli('user', 'set-password', 'sam@example.com', '--password-file', gw.file('pw', 'another horse battery staple\n'));
      const page = await signedIn('sam@example.com', 'another horse battery staple');
      await page.get('/admin/');
      assert.equal(page.status, 200);
      assert.ok(page.says('orders-sandbox') && !page.says('prices'));
      assert.equal((await page.get('/admin/apis/prices')).status, 403);
      assert.equal((await page.get('/admin/policies/edit?scope=api:prices')).status, 403);
    });

    it('promoted with policies, tiers and alerts: a new instance with the address of Production and no contract; again: a diff, and it is brought up to date', async () => {
      const first = gw.cli('promote', 'orders-sandbox', '--from', 'sandbox', '--to', 'production', '--with', 'policies,tiers,alerts', '--format', 'json').json();
      assert.equal(first.instance, 'orders-production');
      assert.deepEqual(first.changes.filter((c) => c.kind === 'alert-rule').map((c) => [c.action, c.id]), [['create', 'errors-production']], 'in the same transaction');
      const instance = (await api('GET', 'apis/orders-production')).body;
      assert.deepEqual([instance.environment, instance.backendUrl, instance.path], ['production', `${live.url}/v1`, 'orders']);
      assert.match((await api('GET', 'policies/api:orders-production')).body.policy, /X-Own/);
      assert.equal((await api('GET', 'tiers/small-production')).body.product, 'gold-production');
      assert.deepEqual((await api('GET', 'products/gold-production')).body.apis, ['orders-production']);
      assert.deepEqual((await api('GET', 'subscriptions?product=gold-production')).body.items, []);
      assert.ok(gw.cli('alert', 'list', '--format', 'json').json().some((r) => r.id === 'errors-production'));
      assert.deepEqual(await call('live/orders/list'), [200, 'live undefined']);
      // nothing to do, then a change
      const again = { api: 'orders-sandbox', to: 'production', with: ['policies', 'tiers', 'alerts'] };
      assert.deepEqual((await api('POST', 'promote?dry-run=true', again)).body.changes, []);
      await api('PATCH', 'apis/orders-sandbox', { name: 'Orders, new' });
      await made('operations', { id: 'orders-sandbox/more', name: 'More', method: 'GET', uriTemplate: '/more' });
      const diff = (await api('POST', 'promote?dry-run=true', again)).body;
      assert.deepEqual(diff.changes.map((c) => [c.action, c.kind, c.id]), [['change', 'api', 'orders-production'], ['create', 'operation', 'orders-production/more']]);
      assert.deepEqual(diff.changes[0].fields, [{ field: 'name', before: 'Orders', after: 'Orders, new' }]);
      assert.equal((await api('POST', 'promote', again)).status, 200);
      assert.equal((await api('GET', 'apis/orders-production')).body.name, 'Orders, new');
      assert.equal((await api('DELETE', 'operations/orders-sandbox%2Fmore')).status, 204);
      assert.equal((await api('POST', 'promote', again)).status, 200);
      assert.equal((await api('GET', 'operations/orders-production%2Fmore')).status, 404);
      await gw.adopted();
      assert.deepEqual(await call('live/orders/list'), [200, 'live undefined']);
    });

    it('promoted on the page of the API, without script: what changes is shown, and only what was shown is done', async () => {
      const page = await signedIn(), where = '/admin/apis/orders-sandbox/promote';
      await api('PATCH', 'apis/orders-sandbox', { name: 'Orders by hand' });
      await page.get(where);
      await page.submit(where, { to: 'production', with: 'contracts', action: 'show' });
      assert.equal(page.status, 422);
      assert.ok(page.says('tick tiers too'));
      await page.submit(where, { to: 'production', with: 'policies', action: 'show' });
      assert.equal(page.status, 200, page.html);
      assert.match(page.html, /diff-old[^]*Orders, new[^]*diff-new[^]*Orders by hand/);
      const shown = Object.fromEntries([...page.html.split('id="plan"')[1].matchAll(/name="([^"]+)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]));
      assert.equal((await api('GET', 'apis/orders-production')).body.name, 'Orders, new');
      await api('PATCH', 'apis/orders-sandbox', { name: 'Orders once more' });
      await page.send('POST', where, { form: shown });
      assert.equal(page.status, 409);
      assert.equal((await api('GET', 'apis/orders-production')).body.name, 'Orders, new');
      shown.shown = /name="shown" value="([^"]*)"/.exec(page.html)[1];
      await page.send('POST', where, { form: { ...shown, csrf: 'none' } });
      assert.equal(page.status, 403);
      await page.send('POST', where, { form: shown });
      assert.deepEqual([page.status, page.location], [303, '/admin/apis/orders-production']);
      assert.equal((await api('GET', 'apis/orders-production')).body.name, 'Orders once more');
      const theirs = await signedIn('sam@example.com', 'another horse battery staple');
      await theirs.get(where);
      assert.ok(theirs.says('no other environment'));
      await theirs.send('POST', where, { form: { csrf: /name="csrf" value="([^"]*)"/.exec(theirs.html)[1], to: 'production', action: 'show' } });
      assert.equal(theirs.status, 403);
      await api('PATCH', 'apis/orders-sandbox', { name: 'Orders, new' });
    });

    it('without an address for Production it is refused with what to do', async () => {
      gw.cli('import', 'openapi', gw.file('orders.json', DESCRIPTION), '--name', 'stray', '--path', 'stray', '--env', 'sandbox', '--backend', 'http://other.example');
      const refused = gw.cli('promote', 'stray', '--to', 'production', { fails: true });
      assert.match(refused.stderr, /variable.*--backend/s);
      gw.cli('promote', 'stray', '--to', 'production', '--backend', live.url);
      assert.equal((await api('GET', 'apis/stray-production')).body.backendUrl, live.url);
    });

    it('a ZIP goes into a second, empty installation and comes out byte-equal, without a secret; what is missing is told before', async () => {
      await made('named-values', { id: 'hush', secret: 'deep-secret' });
      const keyFile = path.join(gw.dir, 'partner.key'), certificate = execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
        '-keyout', keyFile, '-days', '10', '-subj', '/CN=partner'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }), key = fs.readFileSync(keyFile, 'utf8');
      await made('certificates', { id: 'partner', certificate, key });
      await api('PUT', 'policies/operation:orders-sandbox%2Flist', { policy: document('<base /><set-header name="X-Hush"><value>{{hush}}</value></set-header><authentication-certificate certificate-id="partner" />') });
      const other = offline(), zip = path.join(gw.dir, 'orders.zip'), again = path.join(other.dir, 'again.zip');
      other.cli('environment', 'create', 'sandbox', '--prefix', 'sandbox');
      gw.cli('export', zip, '--api', 'orders-sandbox');
      const texts = unzipped(fs.readFileSync(zip));
      assert.ok(texts.includes('X-Hush') && texts.includes('partner') && !texts.includes('deep-secret') && !texts.includes(key.split('\n')[1]));
      assert.match(other.cli('import', 'zip', zip, '--yes', { fails: true }).stderr, /secret of certificate partner[^]*secret of named-value hush/);
      assert.deepEqual(other.cli('api', 'list', '--format', 'json').json(), []);
      other.cli('import', 'zip', zip, '--yes', '--secrets', other.file('s.yaml', JSON.stringify({ 'named-value/hush/secret': 'deep-secret', 'certificate/partner/key': key })));
      other.cli('export', again, '--api', 'orders-sandbox');
      assert.ok(fs.readFileSync(zip).equals(fs.readFileSync(again)));
      fs.rmSync(other.dir, { recursive: true, force: true });
    });

    it('the policies of Production act on every present and future API there at once, and show where they come from', async () => {
      gw.cli('named-value', 'set', 'bound', '--value', 'yes');
      gw.cli('policy', 'set', '--scope', 'environment:production', gw.file('binding.xml', BINDING));
      assert.deepEqual(await call('live/prices/list'), [200, 'live yes']);
      assert.deepEqual(await call('live/orders/list'), [200, 'live yes']);
      assert.deepEqual(await call('sandbox/orders/list'), [200, 'sand undefined']);
      gw.cli('import', 'openapi', gw.file('orders.json', DESCRIPTION), '--name', 'later', '--path', 'later', '--env', 'production', '--backend', live.url);
      gw.cli('api', 'set', 'later', '--require-key', 'no');
      assert.deepEqual(await call('live/later/list'), [200, 'live yes']);
      const page = await signedIn();
      for (const id of ['prices', 'orders-production', 'later']) {
        const { html } = await page.get(`/admin/policies/effective?scope=api:${id}`);
        assert.match(html, /<tr class="from-Environment"><td>[^\n]*ip-filter[^\n]*>Environment <span class="soft">production, line \d/, id);
      }
    });

    it('declared and never called is Unregistered, the first call makes it Active; search and filter find it', async () => {
      gw.cli('import', 'openapi', gw.file('orders.json', DESCRIPTION), '--name', 'never', '--path', 'never', '--env', 'sandbox', '--backend', sand.url);
      const page = await signedIn();
      const ids = async (query) => [...(await page.get(`/admin/apis?${query}`)).html.matchAll(/admin\/apis\/([a-z-]+)"/g)].map((m) => m[1]);
      await until(async () => (await ids('status=active')).includes('orders-sandbox'), 'the first call');
      assert.ok((await ids('status=unregistered')).includes('never'));
      assert.ok(!(await ids('status=active')).includes('never'));
      assert.ok((await ids('q=ORDERS')).includes('orders-sandbox'));
      const tracked = async (status) => (await api('GET', `apis?status=${status}`)).body.items.map((x) => x.id);
      assert.ok((await tracked('active')).includes('orders-sandbox') && (await tracked('unregistered')).includes('never'));
      assert.deepEqual(await tracked('inactive'), []);
    });

    // The report of governance on an API without authentication and without TLS to its backend: tests/http/governance.test.js.

    it('a broken policy leaves the last good configuration serving', async () => {
      const refused = gw.cli('policy', 'set', '--scope', 'environment:production', gw.file('broken.xml', document('<set-hedaer />')), { fails: true });
      assert.match(refused.stderr, /broken\.xml:1:\d+: error:/);
      assert.deepEqual(await call('live/prices/list'), [200, 'live yes']);
    });

    it('a named value that would break a policy is refused, and the policy is named', async () => {
      await api('PUT', 'policies/api:prices', { policy: document('<base /><rate-limit calls="{{calls}}" renewal-period="60" />') });
      gw.cli('named-value', 'set', 'calls', '--value', '100');
      assert.equal((await api('PUT', 'policies/api:prices', { policy: document('<base /><rate-limit calls="{{calls}}" renewal-period="60" />') })).status, 201);
      assert.match(gw.cli('named-value', 'set', 'calls', '--value', 'many', { fails: true }).stderr, /policy api:prices/);
      const refused = await api('PATCH', 'named-values/calls', { value: 'many' });
      assert.deepEqual([refused.status, /policy api:prices/.test(refused.text)], [422, true]);
      assert.equal((await api('PATCH', 'named-values/calls', { value: '200' })).status, 200);
      await gw.adopted();
      assert.deepEqual(await call('live/prices/list'), [200, 'live yes']);
    });

    it('during start no call gets through without all policies: 503 until then', async () => {
      const before = live.seen.length;
      gw.serve.mayEnd = true;
      await gw.end(gw.serve);
      gw.serve = gw.run('serve', path.join(gw.bin, 'gatehouse'), gw.serveArgs(), gw.account());
      const statuses = new Set();
      await until(async () => {
        const [status, text] = await call('live/prices/list').catch(() => [503, '']);
        statuses.add(status);
        if (status === 200) assert.equal(text, 'live yes');
        return status === 200;
      }, 'the gateway to serve');
      for (const s of statuses) assert.ok([200, 502, 503].includes(s), `${s}`);
      for (const r of live.seen.slice(before)) assert.equal(r.headers['x-bound'], 'yes');
    });
  });
}
