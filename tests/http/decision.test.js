// The record of each call: found by any of its ids, it says what was decided, by which policy, and what mends it; in words, and
// without a secret.
'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until } = require('./harness');

const KEY = 'Ocp-Apim-Subscription-Key';
const POLICY = '<policies><inbound><base /><set-header name="X-Mark" exists-action="override"><value>one</value></set-header>'
  + '<rate-limit calls="2" renewal-period="300" /></inbound><backend><base /></backend><outbound><base /></outbound>'
  + '<on-error><base /></on-error></policies>';

test('what was decided about a call', async (t) => {
  let key, cookie, hold;
  const erp = await backend((req, res) => { res.setHeader('X-Correlation-Id', `mule-${req.url.length}`); if (hold) hold(res); else res.end('ok'); });
  const gw = await start({ server: 'nginx', workers: 1, config: { 'telemetry.detail_every': 1 }, setup: (g) => {
    const file = g.file('d.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' }, paths: { '/o': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } }));
    g.cli('import', 'openapi', file, '--name', 'orders', '--path', 'orders', '--backend', erp.url);
    g.cli('product', 'create', 'gold');
    g.cli('product', 'add-api', 'gold', 'orders');
    key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
    g.cli('policy', 'set', '--scope', 'api:orders', g.file('p.xml', POLICY));
  } });
  t.after(async () => { await gw.stop(); await erp.close(); });
  const call = async (k, extra = {}) => {
    const r = await fetch(`${gw.url}/api/orders/o`, { headers: { ...(k ? { [KEY]: k } : {}), ...extra } });
    await r.arrayBuffer();
    return { status: r.status, id: r.headers.get('x-request-id') };
  };
  const get = (to) => fetch(`${gw.url}/admin${to}`, { headers: { Cookie: cookie }, redirect: 'manual' });
  const signIn = async () => {
    const form = await fetch(`${gw.url}/admin/sign-in`);
    const first = form.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
    const csrf = (await form.text()).match(/name="csrf" value="([^"]+)"/)[1];
    const r = await fetch(`${gw.url}/admin/sign-in`, { method: 'POST', redirect: 'manual', headers: { Cookie: first },
      body: new URLSearchParams({ csrf, email: gw.admin.email, password: gw.admin.password }) });
    cookie = r.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  };
  const found = async (q) => {
    const r = await get(`/calls?q=${encodeURIComponent(q)}`);
    assert.equal(r.status, 303, `${q} leads to one call`);
    return (await get(new URL(r.headers.get('location'), gw.url).pathname.slice('/admin'.length))).text();
  };
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const good = await call(key, { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
  const second = await call(key);
  const limited = await call(key);
  const nobody = await call('not-a-key-of-anybody');
  assert.deepEqual([good.status, second.status, limited.status, nobody.status], [200, 200, 429, 401]);
  await signIn();
  await until(async () => gw.cli('analytics', '--api', 'orders', '--format', 'json').json()[0].calls === 4, 'the keeper to take in all calls');

  await t.test('a refused call: reason in words, the policy, the limit, what to do', async () => {
    const html = await found(limited.id);
    for (const text of ['RateLimitExceeded', 'What to do:', 'Decided in: inbound, api', 'rate-limit:1', 'set-header:1']) assert.ok(html.includes(text), text);
    assert.match(html, /rate: 0 of 2 left in (300|[12]\d\d) s, 0 before/);
    assert.ok(!html.includes(key), 'not the key');
  });
  await t.test('a good call: by its id, its trace and the address of the caller', async () => {
    for (const q of [good.id, `00-${trace}-00f067aa0ba902b7-01`, trace]) {
      const html = await found(q);
      for (const text of [good.id, 'orders', 'backend', 'Waiting for the backend', 'set-header:1']) assert.ok(html.includes(text), `${q}: ${text}`);
      assert.match(html, /rate: 1 of 2 left in \d+ s, 2 before/);
    }
    assert.match(gw.cli('log', '--id', second.id, '--format', 'json').json().limits, /^rate: 0 of 2 left in (300|[12]\d\d) s, 1 before$/);
    assert.match(await (await get('/calls?q=127.0.0.1')).text(), /orders\/o/);
    assert.match(await (await get('/calls?q=mule-2')).text(), /orders\/o/);
    assert.match(await (await get(`/calls?q=${key.slice(0, 4)}&status=429`)).text(), /RateLimitExceeded|No such call/);
  });
  await t.test('a key that nobody has', async () => {
    const html = await found(nobody.id);
    assert.ok(html.includes('key_invalid') && html.includes('What to do:') && !html.includes('not-a-key-of-anybody'));
  });
  await t.test('a path that is none: the command to look with is one', async () => {
    const id = (await fetch(`${gw.url}/api/elsewhere`)).headers.get('x-request-id');
    await until(async () => (await get(`/calls?q=${id}`)).status === 303, 'the call in the store');
    assert.match(await found(id), /compare it with <code>gatehouse api list<\/code>\./);
  });
  await t.test('the command says the same', () => {
    const { stdout } = gw.cli('log', '--id', limited.id);
    for (const text of ['RateLimitExceeded', 'inbound, api', 'rate-limit:1', 'fix']) assert.ok(stdout.includes(text), text);
    assert.match(stdout, /rate: 0 of 2 left in (300|[12]\d\d) s/);
    assert.equal(gw.cli('log', '--address', '127.0.0.1').stdout.split('\n').filter((l) => l.includes('/orders/o')).length, 4);
  });
  await t.test('the management API says the same, without who called to whom that is hidden', async () => {
    const token = (role, scope) => gw.cli('machine-token', 'create', role, '--role', role, '--scope', scope, '--format', 'json').json().token;
    const [analyst, pipeline] = [token('analyst', 'read:analytics'), token('api-manager', 'read:apis')];
    const whole = token('administrator', 'read');
    const rest = async (query, bearer = whole) => {
      const r = await fetch(`${gw.url}/admin/api/v1/calls?${query}`, { headers: { Authorization: `Bearer ${bearer}` } });
      return { status: r.status, ...await r.json() };
    };
    const ids = async (...args) => (await rest(...args)).items.map((c) => c.request_id);
    const logged = gw.cli('log', '--id', limited.id, '--format', 'json').json();
    const [one] = (await rest(`id=${limited.id}`)).items;
    assert.deepEqual(one, { ...logged, row: one.row, layer: 'policy', fix: one.fix });
    assert.match(one.fix, /Retry-After/);
    for (const q of [`id=00-${trace}-00f067aa0ba902b7-01`, `status=200&limit=2&id=${trace}`]) assert.deepEqual(await ids(q), [good.id], q);
    assert.deepEqual(await ids('status=4xx&range=1h&api=orders'), [nobody.id, limited.id]);
    assert.equal((await ids(`id=${key}`)).length, 3);
    for (const q of ['', `id=${key}&`, 'status=2xx&']) {   // page by page, as the page and the command go
      const all = await ids(q), pages = [];
      for (let next = ''; next !== null;) {
        const part = await rest(`${q}limit=1${next && `&cursor=${next}`}`);
        pages.push(...part.items.map((c) => c.request_id));
        next = part.next;
      }
      assert.deepEqual([pages, all.length > 1], [all, true], q);
    }
    const [newest, ...older] = await ids('');
    const before = (...args) => gw.cli('log', '--format', 'json', ...args).stdout.trim().split('\n').map((l) => JSON.parse(l).request_id);
    assert.deepEqual(before('--before', newest, '-n', '2'), older.slice(0, 2).reverse());
    assert.match(gw.cli('log', '--before', 'nothing-like-this', { fails: true }).stderr, /no call that is kept/);
    const row = (await rest(`id=${newest}`)).items[0].row, html = await (await get(`/calls?before=${row}`)).text();
    assert.ok(html.match(/calls\/\d+"/g).length === older.length && html.includes('Newest') && !html.includes('Older'), html);
    const single = async (id, bearer = whole) => {
      const r = await fetch(`${gw.url}/admin/api/v1/calls/${id}`, { headers: { Authorization: `Bearer ${bearer}` } });
      return { code: r.status, ...await r.json() };
    };
    for (const id of [one.row, one.request_id]) assert.deepEqual(await single(id), { code: 200, ...one, captured: false, hidden: false });
    assert.deepEqual([(await single('999999')).code, (await single(one.row, pipeline)).code], [404, 403]);
    for (const q of ['status=600', 'range=soon', 'limit=0', 'cursor=x', 'statsu=4xx']) assert.equal((await rest(q)).status, 400, q);
    assert.equal((await rest('', pipeline)).status, 403);
    const [masked] = (await rest(`id=${limited.id}`, analyst)).items;
    const hidden = await single(limited.id, analyst);
    assert.deepEqual([hidden.hidden, hidden.request_id, hidden.key_prefix, hidden.client_ip], [true, limited.id, '', '']);
    assert.deepEqual([masked.request_id, masked.key_prefix, masked.subscription, masked.client_ip], [limited.id, '', '', '']);
    assert.deepEqual(await ids('id=127.0.0.1', analyst), []);
    gw.cli('environment', 'create', 'elsewhere', '--prefix', 'elsewhere');
    const away = gw.cli('machine-token', 'create', 'away', '--role', 'administrator', '--env', 'elsewhere', '--scope', 'read', '--format', 'json').json().token;
    for (const q of ['', `id=${limited.id}`]) assert.deepEqual(await ids(q, away), [], 'calls of another environment');
    assert.equal((await single(limited.id, away)).code, 403);
    const csv = (accept) => fetch(`${gw.url}/admin/api/v1/analytics?format=csv`, { headers: { Authorization: `Bearer ${whole}`, Accept: accept } });
    assert.deepEqual([(await csv('text/csv')).status, (await csv('image/png')).status], [200, 406]);
  });
  await t.test('the newest first is the one that began last, though a slow one ended after it', async () => {
    const other = gw.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
    const asked = new Promise((resolve) => { hold = resolve; }), late = call(other), res = await asked;
    hold = null;
    const quick = await call('not-a-key-of-anybody');
    res.end('ok');
    const slow = await late, list = async () => (await (await get('/api/v1/calls?limit=2')).json()).items.map((c) => c.request_id);
    await until(async () => (await list()).includes(slow.id), 'the record of the slow one');
    assert.deepEqual(await list(), [quick.id, slow.id]);
    const html = await (await get('/calls')).text(), rows = [...html.matchAll(/calls\/(\d+)"/g)].map((m) => Number(m[1]));
    assert.ok(rows[0] < rows[1], `the page: ${rows}`);
  });
  await t.test('what is not there', async () => {
    assert.match(await (await get('/calls?status=6xx')).text(), /is no status/);
    assert.match(await (await get('/calls?q=nothing-like-this')).text(), /No such call/);
    assert.equal((await get('/calls/999999')).status, 404);
    assert.equal((await get('/calls/x')).status, 404);
    assert.match(await (await get('/calls?range=soon')).text(), /is no range/);
    assert.match(await (await get('/calls?range=1h&api=orders&status=4xx')).text(), /key_invalid/);
  });
  await t.test('what an expression could not read is told without secrets', async () => {
    gw.cli('named-value', 'set', 'pin', '--secret', '--file', gw.file('pin', 'hush-hush-4711'));
    const policy = (value) => gw.cli('policy', 'set', '--scope', 'api:orders', gw.file('p.xml', POLICY.replace(/<rate-limit[^>]*>/,
      `<set-variable name="n" value="@(int.Parse(${value}))" />`)));
    policy('&quot;{{pin}}&quot;');
    await gw.adopted();
    const secret = await call(key);
    policy('context.Request.Headers.GetValueOrDefault(&quot;Authorization&quot;))+int.Parse(&quot;1&quot;');
    await gw.adopted();
    const header = await call(key, { Authorization: 'Bearer caller-only-knows' });
    assert.deepEqual([secret.status, header.status], [500, 500]);
    for (const [id, hidden] of [[secret.id, /hush-hush/], [header.id, /caller-only/]]) {
      await until(() => gw.cli('log', '--id', id).stdout.includes('was not in a correct format'), 'the keeper to take it in');
      assert.doesNotMatch(gw.cli('log', '--id', id).stdout, hidden);
      assert.doesNotMatch(gw.cli('log', '--id', id, '--format', 'json').stdout, hidden);
    }
  });
});

// What went before is known too, when nothing was sampled: the failure need not come twice.
test('the first call that fails is told step by step', async (t) => {
  const gw = await start({ server: 'nginx', workers: 1, config: { 'telemetry.detail_every': 0 }, setup: (g) => {
    const file = g.file('d.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' }, paths: { '/o': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } }));
    g.cli('import', 'openapi', file, '--name', 'orders', '--path', 'orders', '--backend', 'http://127.0.0.1:9');
    g.cli('product', 'create', 'gold');
    g.cli('product', 'add-api', 'gold', 'orders');
    g.key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
    g.cli('policy', 'set', '--scope', 'api:orders', g.file('p.xml', POLICY.replace('calls="2"', 'calls="1"').replace('<backend><base /></backend>', '<backend><return-response><set-status code="200" /></return-response></backend>')));
  } });
  t.after(() => gw.stop());
  const ids = [];
  for (const status of [200, 429]) {
    const r = await fetch(`${gw.url}/api/orders/o`, { headers: { [KEY]: gw.key } });
    assert.equal(r.status, status);
    ids.push(r.headers.get('x-request-id'));
  }
  const steps = (id) => gw.cli('log', '--id', id, '--format', 'json').json().steps;
  await until(() => gw.cli('analytics', '--api', 'orders', '--format', 'json').json()[0]?.calls === 2, 'the keeper to take in both calls');
  assert.equal(steps(ids[0]) ?? '', '', 'nothing failed');
  assert.match(steps(ids[1]), /^inbound api set-header:1 -\ninbound api rate-limit:1 -$/);
});
