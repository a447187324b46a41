// The governance report flags an API without authentication and one without TLS to the backend, says how to mend each, turns green after
// that; at the API and in the overview; with a status for pipelines. (The other lines of the story are in a7.test.js.)
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { start, SERVERS } = require('../http/harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1', contact: { name: 'Ann' } },
  paths: { '/items': { get: { operationId: 'listItems', summary: 'List', responses: { 200: { description: 'ok' }, 400: { description: 'no' } } } } } });
const LIMIT = '<policies><inbound><base /><rate-limit-by-key calls="100" renewal-period="60" counter-key="@(context.Request.IpAddress)" /></inbound></policies>';

for (const server of SERVERS) {
  describe(`behind ${server}`, () => {
    let gw, cookies = '', token;
    const check = (...options) => gw.cli('governance', 'check', ...options, { fails: true });
    const found = (api) => check('--api', api, '--format', 'json').json().apis[0].findings.filter((f) => !f.exception)
      .map((f) => f.rule).sort();
    const rest = (query = '') => fetch(`${gw.url}/admin/api/v1/governance${query}`, { headers: { authorization: `Bearer ${token}` } });

    async function page(url, form) {
      const answer = await fetch(gw.url + url, { method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form), redirect: 'manual', headers: { cookie: cookies } });
      for (const c of answer.headers.getSetCookie()) {
        const pair = c.split(';')[0];
        cookies = [...cookies.split('; ').filter((o) => o && !o.startsWith(`${pair.split('=')[0]}=`)), pair].join('; ');
      }
      return { status: answer.status, html: await answer.text() };
    }
    // What the overview says of an API: state, errors, warnings.
    async function row(api) {
      const { html } = await page('/admin/governance');
      const one = html.split('<tr>').find((r) => r.includes(`/apis/${api}/governance"`) && r.includes('data-label="Warnings"'));
      return one.split('</td>').slice(1, 4).map((c) => c.replace(/<[^>]*>/g, '').trim());
    }

    before(async () => {
      gw = await start({ server, setup(g) {
        g.cli('product', 'create', 'starter', '--rate', '100/60');
        const file = g.file('t.json', DESCRIPTION);
        for (const [name, backend] of [['guarded', 'https://b.example'], ['open', 'https://b.example'], ['plain', 'http://b.example']]) {
          g.cli('import', 'openapi', file, '--name', name, '--path', name, '--backend', backend, '--product', 'starter');
          g.cli('policy', 'set', '--scope', `api:${name}`, g.file('limit.xml', LIMIT));
        }
        g.cli('api', 'set', 'open', '--require-key', 'no');
        token = g.cli('machine-token', 'create', 'tests', '--role', 'auditor', '--scope', 'read', '--format', 'json').json().token;
      } });
      const { html } = await page('/admin/sign-in');
      const { status } = await page('/admin/sign-in', { csrf: /name="csrf" value="([^"]+)"/.exec(html)[1], email: gw.admin.email, password: gw.admin.password });
      assert.equal(status, 303);
    });
    after(() => gw?.stop());

    it('one without authentication and one without TLS are found, with how to mend it', async () => {
      assert.ok(found('open').includes('security/authentication'));
      assert.ok(found('plain').includes('security/backend-tls'));
      for (const api of ['open', 'plain', 'guarded']) assert.equal(found(api).filter((r) => r.startsWith('security/') && r !== 'security/https-only').length, api === 'guarded' ? 0 : 1, api);
      const { apis: [open] } = await (await rest('?api=open')).json();
      assert.match(open.findings[0].mend, /gatehouse api set open --require-key yes/);
      assert.match(open.findings[0].message, /list-?items/i);
    });

    it('the overview and the page of the API show the same', async () => {
      assert.deepEqual((await row('open')).slice(0, 2), ['Errors', '1']);
      assert.deepEqual((await row('plain')).slice(0, 2), ['Errors', '1']);
      assert.notEqual((await row('guarded'))[0], 'Errors');
      const { html } = await page('/admin/apis/plain/governance');
      for (const text of ['What is sent to the backend is encrypted', 'security/backend-tls', 'How to mend it', 'Use an https address for the backend']) assert.ok(html.includes(text), text);
    });

    it('a pipeline sees it by the status', () => {
      assert.equal(check().code, 1);
      assert.equal(check('--api', 'open').code, 1);
      assert.equal(check('--api', 'guarded').code, 0);
      assert.equal(check('--fail-on', 'never').code, 0);
      assert.equal(check('--api', 'nope').code, 1);
      assert.equal(check('--fail-on', 'high').code, 2);
      const sarif = path.join(path.dirname(gw.file('x', '')), 'out.sarif');
      check('--sarif', sarif);
      const { runs: [run] } = JSON.parse(fs.readFileSync(sarif, 'utf8'));
      assert.ok(run.results.some((r) => r.ruleId === 'security/backend-tls' && r.level === 'error' && r.locations[0].logicalLocations[0].fullyQualifiedName.startsWith('plain')));
      assert.ok(run.results.every((r) => run.tool.driver.rules.some((x) => x.id === r.ruleId)));
    });

    it('files are judged before they are applied', () => {
      const dir = path.join(path.dirname(gw.file('x', '')), 'conf');
      gw.cli('export', dir);
      const file = path.join(dir, 'apis/guarded/api.yaml');
      const text = fs.readFileSync(file, 'utf8');
      fs.writeFileSync(file, text.replace('https://b.example', 'http://b.example'));
      assert.equal(check('--dir', dir, '--api', 'guarded').code, 1);
      assert.equal(check('--api', 'guarded').code, 0, 'nothing was changed');
      fs.writeFileSync(file, text);
      assert.equal(check('--dir', dir, '--api', 'guarded').code, 0);
    });

    it('it turns green after that', async () => {
      gw.cli('api', 'set', 'open', '--require-key', 'yes');
      gw.cli('api', 'set', 'plain', '--backend', 'https://b.example');
      assert.equal(check().code, 0);
      for (const api of ['open', 'plain']) assert.notEqual((await row(api))[0], 'Errors');
      const { summary } = await (await rest()).json();
      assert.equal(summary.errors, 0);
    });

    it('an exception lets a finding pass until its day', async () => {
      gw.cli('api', 'set', 'open', '--require-key', 'no');
      const { html } = await page('/admin/edit/governance-exceptions?new=open-data&api=open&rule=security%2Fauthentication');
      assert.ok(html.includes('value="open-data"') && html.includes('security/authentication'));
      const file = gw.file('e.yaml', '');
      fs.writeFileSync(file, '$kind: governance-exception\nid: open-data\napi: open\nrule: security/authentication\nreason: Open data\nowner: ann@example.com\nends: 2040-01-01T00:00:00Z\n');
      const dir = path.join(path.dirname(file), 'one');
      fs.mkdirSync(dir);
      fs.renameSync(file, path.join(dir, 'e.yaml'));
      gw.cli('apply', dir, '--yes');
      assert.equal(check().code, 0);
      const page1 = await page('/admin/apis/open/governance');
      assert.ok(page1.html.includes('Open data') && page1.html.includes('ann@example.com'));
      fs.writeFileSync(path.join(dir, 'e.yaml'), fs.readFileSync(path.join(dir, 'e.yaml'), 'utf8').replace('2040', '2020'));
      gw.cli('apply', dir, '--yes');
      assert.equal(check().code, 1, 'it is over');
      assert.equal((await row('open'))[0], 'Errors');
    });
  });
}
