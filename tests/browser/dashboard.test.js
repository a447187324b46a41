// What the dashboard says of traffic, against calls that were really made: "No data" before the first, then the number of
// calls and the share of errors. Behind each web server, as forms, cookies and addresses pass through it.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { start, backend, until, ROOT, SERVERS } = require('../http/harness');

let gw, erp, cookies;

async function up(server) {
  cookies = '';
  erp = await backend();
  gw = await start({
    server,
    setup(g) {
      g.cli('product', 'create', 'starter');
      for (const name of ['orders', 'inventory'])
        g.cli('import', 'openapi', path.join(ROOT, 'deploy/sample', `${name}.yaml`), '--path', name, '--name', name,
          '--backend', erp.url, '--product', 'starter');
      g.key = g.cli('subscription', 'create', '--product', 'starter', '--format', 'json').json().primaryKey;
    },
  });
}

async function down() {
  if (gw) await gw.stop();
  if (erp) await erp.close();
  gw = erp = undefined;
}

async function page(url, form) {
  const answer = await fetch(gw.url + url, {
    method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form), redirect: 'manual', headers: { cookie: cookies },
  });
  for (const c of answer.headers.getSetCookie()) {
    const pair = c.split(';')[0];
    const others = cookies.split('; ').filter((o) => o && !o.startsWith(`${pair.split('=')[0]}=`));
    cookies = [...others, pair].join('; ');
  }
  return { status: answer.status, html: await answer.text(), answer };
}

// The cells of an API's row: name, path, version, state, subscriptions, calls, errors.
async function row(api) {
  const { html } = await page('/admin/');
  const rows = html.split('<tr>').filter((r) => r.includes(`/admin/apis/${api}"`));
  assert.strictEqual(rows.length, 1);
  return rows[0].split('</td>').map((c) => c.replace(/<[^>]*>/g, '').trim()).slice(0, 7);
}

for (const server of SERVERS) {
  test(`behind ${server}`, async (t) => {
    t.after(down);
    await up(server);
    await t.test('signing in by hand', async () => {
      const { html } = await page('/admin/sign-in');
      const csrf = /name="csrf" value="([^"]+)"/.exec(html)[1];
      const { status } = await page('/admin/sign-in', { csrf, email: gw.admin.email, password: gw.admin.password });
      assert.strictEqual(status, 303);
    });

    await t.test('no call yet is "No data", not zero', async () => {
      assert.deepStrictEqual(await row('orders'), ['Orders', '/orders', 'None', 'Published', '1', 'No data', 'No data']);
    });

    await t.test('calls and errors are counted', async () => {
      const call = (headers) => fetch(`${gw.url}/api/orders/orders`, { headers }).then(async (r) => { await r.text(); return r.status; });
      for (let i = 0; i < 3; i++) assert.strictEqual(await call({ 'Ocp-Apim-Subscription-Key': gw.key }), 200);
      assert.strictEqual(await call({}), 401);
      await until(async () => (await row('orders'))[5] === '4', 'the calls on the dashboard');
      assert.deepStrictEqual((await row('orders')).slice(4), ['1', '4', '25 %']);
      assert.deepStrictEqual((await row('inventory')).slice(5), ['No data', 'No data']);
      const { html } = await page('/admin/apis/orders');
      assert.match(html, /<dt>Calls, 24 h<\/dt><dd>4<\/dd>/);
    });

    await t.test('SIGHUP makes the apps read their settings again, broken ones change nothing', async () => {
      const css = async () => /href="([^"]*)gatehouse.css/.exec((await page('/')).html)[1];
      const conf = path.join(gw.state, 'gatehouse.conf');
      const settle = (want) => until(async () => new Set(await Promise.all([css(), css(), css(), css()])).size === 1
        && await css() === want, `the style sheet under ${want}`);
      fs.writeFileSync(conf, 'web.static_path = /assets/\n');
      gw.serve.child.kill('SIGHUP');
      await settle('/assets/');
      fs.writeFileSync(conf, 'web.static_pth = /x/\n');
      gw.serve.child.kill('SIGHUP');
      await until(() => gw.log('serve').includes('settings not read again'), 'the refusal in the log');
      assert.strictEqual(await css(), '/assets/');
    });
  });
}
