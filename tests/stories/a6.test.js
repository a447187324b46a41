// Alerts fire on state change: one mail when it gets bad, one when it is well again, none in between.
//
// Periods are of a few seconds; what matters is awaited at a real SMTP server. Each line of the story is one test. That windows
// slide across the border of a minute is shown with exact times in tests/unit/core/test_alert.c, too.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until, SERVERS } = require('../http/harness');
const { mailSink, config, Visitor } = require('../http/people');

const operations = ['list', 'fail', 'slow', 'closed', 'limited'];
const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
  paths: Object.fromEntries(operations.map((o) => [`/${o}`, { get: { operationId: o, responses: { 200: { description: 'ok' } } } }])) });
// An automated policy: it holds for every API, also for the one that is watched.
const AUTOMATED = `<policies><inbound><set-header name="X-Automated" exists-action="override"><value>yes</value></set-header>
  <choose><when condition="@(context.Request.OriginalUrl.Path.EndsWith(&quot;/limited&quot;))">
    <rate-limit-by-key calls="1" renewal-period="300" counter-key="all" /></when></choose></inbound>
  <backend><forward-request /></backend><outbound /><on-error /></policies>`;
const CLOSED = '<policies><inbound><base /><return-response><set-status code="503" reason="Closed" /></return-response></inbound>'
  + '<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>';
const BURST = 8;
const KINDS = {
  requests: ['--kind', 'requests', '--threshold', '20', '--period', '5s'],
  code: ['--kind', 'status', '--status', '5xx', '--origin', 'backend', '--threshold', '5', '--period', '5s'],
  gateway: ['--kind', 'status', '--status', '5xx', '--origin', 'gateway', '--threshold', '5', '--period', '5s'],
  time: ['--kind', 'latency', '--statistic', 'p90', '--time', 'backend', '--threshold', '150', '--period', '5s', '--least-calls', '5'],
  violation: ['--kind', 'policy-violation', '--threshold', '5', '--period', '5s'],
};

for (const server of SERVERS) {
  describe(`behind ${server}`, () => {
    let gw, sink, orders;
    const of = (name) => sink.mails.filter((m) => m.to.includes(`${name}@elsewhere.example`));
    const next = (name, what) => sink.next(`${name}@elsewhere.example`, what);
    const call = (op) => fetch(`${gw.url}/api/orders/${op}`).then(async (r) => { await r.arrayBuffer(); return r.status; });
    const burst = (op, n = BURST) => Promise.all(Array.from({ length: n }, () => call(op)));
    const rule = (name, ...more) => gw.cli('alert', 'set', name, '--api', 'orders', '--mail', `${name}@elsewhere.example`, ...more);

    before(async () => {
      sink = await mailSink();
      orders = await backend((req, res) => {
        const end = () => { res.statusCode = req.url.endsWith('/fail') ? 500 : 200; res.end('{}'); };
        if (req.url.endsWith('/slow')) setTimeout(end, 300); else end();
      });
      gw = await start({ server, workers: 2, config: { ...config(sink), 'web.public_url': 'https://apis.example.com' },
        setup: (g) => {
          g.cli('product', 'create', 'open', '--require-key', 'no');
          g.cli('import', 'openapi', g.file('orders.json', DESCRIPTION), '--name', 'orders', '--path', 'orders', '--backend', orders.url, '--product', 'open');
          g.cli('policy', 'set', '--scope', 'global', g.file('automated.xml', AUTOMATED));
          g.cli('policy', 'set', '--scope', 'operation:orders/closed', g.file('closed.xml', CLOSED));
        } });
      for (const [name, options] of Object.entries(KINDS)) rule(name, ...options);
      rule('five-in-ten', '--kind', 'status', '--status', '500', '--threshold', '4', '--period', '10m');
    });
    after(async () => { await gw?.stop(); await sink?.close(); await orders?.close(); });

    it('a single 500 in ten minutes does not fire a five-in-ten rule', async () => {
      assert.equal(await call('fail'), 500);
      await until(() => gw.cli('log').stdout.includes('/orders/fail'), 'the call in the log', 10000);
      assert.deepEqual(gw.cli('alert', 'history', '--rule', 'five-in-ten', '--format', 'json').json(), []);
    });

    it('one alert of each kind: a burst gives one mail, recovery one', async () => {
      const began = Date.now();
      const got = (await Promise.all([burst('list', 21), burst('fail'), burst('closed'), burst('slow'), burst('limited', BURST + 1)]))
        .map((v) => v.sort().at(-1));
      assert.deepEqual(got, [200, 500, 503, 200, 429]);
      const fired = Object.fromEntries(await Promise.all(Object.keys(KINDS).map(async (k) => [k, await next(k, 'that it is bad')])));
      assert.ok(Date.now() - began < 10000, `the last mail came after ${Date.now() - began} ms`);
      for (const [name, mail] of Object.entries(fired)) {
        assert.match(mail.headers.subject, new RegExp(`^Alert: ${name}`), name);
        assert.match(mail.text, /^API: Orders \(orders\)\r?$/m, 'the text names the API');
        assert.match(mail.text, /^Environment: .+\r?$/m, '… the environment');
        assert.match(mail.text, /^Number: \d+(\.\d+)? (calls|ms)\r?$/m, '… the number');
        assert.match(mail.text, /^Period: 5 s\r?$/m, '… the period');
        assert.match(mail.text, new RegExp(`https://apis.example.com/admin/alerts/${name}`));
        assert.match(mail.html, /Orders \(orders\)/);
      }
      for (const name of Object.keys(KINDS))
        assert.match((await next(name, 'that it is well again')).headers.subject, new RegExp(`^Well again: ${name}`));
      for (const name of Object.keys(KINDS)) assert.equal(of(name).length, 2, name);
    });

    it('5XX of the gateway and of the backend are told apart', () => {
      const [[code], [gateway]] = [of('code'), of('gateway')];
      assert.match(code.text, /^[89] calls answered 5xx by the backend in 5 s/);
      assert.match(gateway.text, /^8 calls answered 5xx by the gateway in 5 s/);
    });

    it('staying bad gives no further mail', async () => {
      await next('five-in-ten', 'from the burst');
      await burst('fail');
      const event = () => gw.cli('alert', 'history', '--rule', 'code', '--format', 'json').json().filter((e) => e.event === 'fired').length;
      await until(() => event() === 2, 'the second burst to be judged', 10000);
      assert.equal(of('five-in-ten').length, 1);
      assert.deepEqual(gw.cli('alert', 'state', '--format', 'json', { fails: true }).json().filter((s) => s.rule === 'five-in-ten').length, 1);
    });

    it("the page of the API has its history: what fired and what is well again, and the call that leads on", async () => {
      const admin = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
      const { html } = await admin.get('/admin/apis/orders');
      const part = html.slice(html.indexOf('id="alerts-title"'));
      const fired = gw.cli('alert', 'history', '--api', 'orders', '--rule', 'code', '--format', 'json').json().find((e) => e.event === 'fired');
      for (const text of ['>Bad<', '>Well again<', '/admin/alerts/code', fired.summary, fired.requestId]) assert.ok(part.includes(text), text);
    });

    it('more than N in each of M consecutive periods', async () => {
      rule('lasting', '--kind', 'requests', '--threshold', '0', '--period', '3s', '--periods', '2');
      const since = Date.now();
      let done = false;
      const fired = next('lasting', 'that it lasts').finally(() => { done = true; });
      for (let i = 0; !done && i < 400; i++) { await call('list'); await new Promise((r) => { setTimeout(r, 50); }); }
      assert.match((await fired).text, /in each of 2 consecutive periods/);
      assert.ok(Date.now() - since > 3000, 'one period is not enough');
    });

    it('windows slide: a burst across the border of a period fires', async () => {
      const period = 8000;
      rule('border', '--kind', 'status', '--status', '500', '--origin', 'backend', '--threshold', '5', '--period', `${period / 1000}s`);
      // rather half before and half behind it; whenever they come, they come within a period
      const border = Math.ceil((Date.now() + 1500) / period) * period;
      await new Promise((r) => { setTimeout(r, border - 1000 - Date.now()); });
      await burst('fail', 3);
      await new Promise((r) => { setTimeout(r, Math.max(0, border + 200 - Date.now())); });
      await burst('fail', 3);
      assert.match((await next('border', 'that the burst counts whole')).text, /^[6-9] calls answered 500 by the backend in 8 s/);
    });

    it('recipients outside the user base, a sender that is configured, on an API under an automated policy', () => {
      assert.equal(of('code')[0].from, 'portal@example.com');
      assert.ok(!gw.cli('user', 'list').stdout.includes('elsewhere.example'));
      assert.equal(orders.seen.at(-1).headers['x-automated'], 'yes');
    });

    it('SMTP down: queued, sent later, never lost, never doubled; traffic goes on', async () => {
      const { port } = sink;
      await sink.close();
      rule('down', '--kind', 'status', '--status', '500', '--threshold', '0', '--period', '10m');
      await burst('fail', 1);
      const queued = () => gw.cli('mail', 'list', '--search', 'down@elsewhere', '--format', 'json').json();
      await until(() => queued()[0]?.tries > 0, 'a try', 15000);
      assert.equal(queued()[0].state, 'waiting');
      assert.deepEqual([...new Set(await burst('list', 20))], [200]);
      sink = await mailSink({ port });
      const mail = await next('down', 'when the server is there again');
      assert.match(mail.headers.subject, /^Alert: down/);
      await until(() => queued()[0].state === 'sent', 'the mail to be settled');
      assert.equal(of('down').length, 1);
      assert.equal(queued().length, 1);
    });
  });
}
