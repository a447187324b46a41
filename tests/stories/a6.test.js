// Alerts fire on state change: one mail when it gets bad, one when it is well again, none in between.
//
// Periods are of a few seconds; what matters is awaited at a real SMTP server. Each line of the story is one test. That windows
// slide across the border of a minute is shown with exact times in tests/unit/core/test_alert.c, too.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until, SERVERS } = require('../http/harness');
const { mailSink, config, Visitor } = require('../http/people');

const operations = ['list', 'fail', 'border', 'slow', 'closed', 'limited'];
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
// The keeper judges whenever it looks, also while a burst still arrives: what a mail says is a number between the first that is over
// the threshold and the whole burst.
const KINDS = {
  requests: ['--kind', 'requests', '--threshold', '20', '--period', '5s'],
  code: ['--kind', 'status', '--status', '5xx', '--origin', 'backend', '--threshold', '5', '--period', '5s'],
  gateway: ['--kind', 'status', '--status', '5xx', '--origin', 'gateway', '--threshold', '5', '--period', '5s'],
  time: ['--api', 'parcels', '--kind', 'latency', '--statistic', 'p90', '--time', 'backend', '--threshold', '150', '--period', '5s', '--least-calls', '5'],
  violation: ['--kind', 'policy-violation', '--threshold', '5', '--period', '5s'],
};
const WATCHED = { time: 'Parcels (parcels)' };      // the others: Orders (orders)
// One more than all that the backend, and all that the gateway, answers so in the first two tests: when the two are told apart, never.
const NEVER = { 'backend-10': ['--origin', 'backend', '--threshold', '9'], 'gateway-9': ['--origin', 'gateway', '--threshold', '8'] };
const QUICK_MS = 30000;                              // from a breach to its mail, with which nothing is said of machines that stand still meanwhile

const story = (server) => {
  describe(`behind ${server}`, { concurrency: 1 }, () => {
    let gw, sink, orders;
    const of = (name) => sink.mails.filter((m) => m.to.includes(`${name}@elsewhere.example`));
    const next = (name, what) => sink.next(`${name}@elsewhere.example`, what);
    const call = (op, api = 'orders') => fetch(`${gw.url}/api/${api}/${op}`).then(async (r) => { await r.arrayBuffer(); return r.status; });
    const burst = (op, n = BURST, api) => Promise.all(Array.from({ length: n }, () => call(op, api)));
    const rule = (name, ...more) => gw.cli('alert', 'set', name, ...(more.includes('--api') ? [] : ['--api', 'orders']), '--mail', `${name}@elsewhere.example`, ...more);
    const history = (name) => gw.cli('alert', 'history', '--rule', name, '--format', 'json').json();

    before(async () => {
      sink = await mailSink();
      orders = await backend((req, res) => {
        const end = () => { res.statusCode = req.url.endsWith('/fail') ? 500 : req.url.endsWith('/border') ? 501 : 200; res.end('{}'); };
        if (req.url.endsWith('/slow')) setTimeout(end, 300); else end();
      });
      gw = await start({ server, workers: 2, config: { ...config(sink), 'web.public_url': 'https://apis.example.com' },
        setup: (g) => {
          g.cli('product', 'create', 'open', '--require-key', 'no');
          g.cli('import', 'openapi', g.file('orders.json', DESCRIPTION), '--name', 'orders', '--path', 'orders', '--backend', orders.url, '--product', 'open');
          g.cli('import', 'openapi', g.file('parcels.json', DESCRIPTION.replace('Orders', 'Parcels')), '--name', 'parcels', '--path', 'parcels', '--backend', orders.url, '--product', 'open');
          g.cli('policy', 'set', '--scope', 'global', g.file('automated.xml', AUTOMATED));
          g.cli('policy', 'set', '--scope', 'operation:orders/closed', g.file('closed.xml', CLOSED));
        } });
      for (const [name, options] of Object.entries(KINDS)) rule(name, ...options);
      for (const [name, options] of Object.entries(NEVER)) rule(name, '--kind', 'status', '--status', '5xx', '--period', '10m', ...options);
      rule('five-in-ten', '--kind', 'status', '--status', '500', '--threshold', '4', '--period', '10m');
    });
    after(async () => { await gw?.stop(); await sink?.close(); await orders?.close(); });

    it('a single 500 in ten minutes does not fire a five-in-ten rule', async () => {
      assert.equal(await call('fail'), 500);
      await until(() => gw.cli('log').stdout.includes('/orders/fail'), 'the call in the log');
      assert.deepEqual(history('five-in-ten'), []);
    });

    it('one alert of each kind: a burst gives one mail, recovery one', async () => {
      const began = Date.now();
      const got = (await Promise.all([burst('list', 21), burst('fail'), burst('closed'), burst('slow', BURST, 'parcels'), burst('limited', BURST + 1)]))
        .map((v) => v.sort().at(-1));
      const breached = Date.now();
      assert.deepEqual(got, [200, 500, 503, 200, 429]);
      const fired = Object.fromEntries(await Promise.all(Object.keys(KINDS).map(async (k) => [k, await next(k, 'that it is bad')])));
      // a machine that takes long for the burst may take longer for the mails, too
      const took = Date.now() - breached, bound = QUICK_MS * gw.slowness + 10 * (breached - began);
      assert.ok(took < bound, `the last mail came after ${took} ms, of ${bound}`);
      for (const [name, mail] of Object.entries(fired)) {
        assert.match(mail.headers.subject, new RegExp(`^Alert: ${name}`), name);
        const api = WATCHED[name] || 'Orders (orders)';
        assert.ok(mail.text.split(/\r?\n/).includes(`API: ${api}`), `the text names the API: ${mail.text}`);
        assert.match(mail.text, /^Environment: .+\r?$/m, '… the environment');
        assert.match(mail.text, /^Number: \d+(\.\d+)? (calls|ms)\r?$/m, '… the number');
        assert.match(mail.text, /^Period: 5 s\r?$/m, '… the period');
        assert.match(mail.text, new RegExp(`https://apis.example.com/admin/alerts/${name}`));
        assert.ok(mail.html.includes(api));
      }
      for (const name of Object.keys(KINDS))
        assert.match((await next(name, 'that it is well again')).headers.subject, new RegExp(`^Well again: ${name}`));
      for (const name of Object.keys(KINDS)) assert.equal(of(name).length, 2, name);
    });

    it('5XX of the gateway and of the backend are told apart', () => {
      const [[code], [gateway]] = [of('code'), of('gateway')];
      assert.match(code.text, /^[6-9] calls answered 5xx by the backend in 5 s/);
      assert.match(gateway.text, /^[6-8] calls answered 5xx by the gateway in 5 s/);
      // the bursts are long over: they were counted whole
      for (const name of Object.keys(NEVER)) assert.deepEqual(history(name), [], name);
    });

    it('staying bad gives no further mail', async () => {
      await next('five-in-ten', 'from the burst');
      await burst('fail');
      const event = () => history('code').filter((e) => e.event === 'fired').length;
      await until(() => event() >= 2, 'the second burst to be judged');
      await until(() => history('backend-10').length === 1, 'the rule that did not fire before');
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
      rule('lasting', '--kind', 'requests', '--threshold', '0', '--period', '3s', '--periods', '2', '--api', 'parcels');
      const since = Date.now();
      let done = false;
      const fired = next('lasting', 'that it lasts').finally(() => { done = true; });
      while (!done) { await call('list', 'parcels'); await new Promise((r) => { setTimeout(r, 50); }); }
      assert.match((await fired).text, /in each of 2 consecutive periods/);
      assert.ok(Date.now() - since > 3000, 'one period is not enough');
    });

    it('windows slide: a burst across the border of a period fires', async () => {
      const period = 8000, wait = (ms) => new Promise((r) => { setTimeout(r, Math.max(0, ms)); });
      rule('border', '--kind', 'status', '--status', '501', '--origin', 'backend', '--threshold', '5', '--period', `${period / 1000}s`);
      for (let took = period; took > period - 2000; await wait(took > period - 2000 && period)) {      // once more where a busy machine took too long for it
        // rather half before and half behind it, and neither half is enough
        const border = Math.ceil((Date.now() + 1500) / period) * period;
        await wait(border - 1000 - Date.now());
        const began = Date.now();
        await burst('border', 5);
        await wait(border + 200 - Date.now());
        await burst('border', 5);
        took = Date.now() - began;
      }
      assert.match((await next('border', 'that the burst counts whole')).text, /^([6-9]|10) calls answered 501 by the backend in 8 s/);
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
      await until(() => queued()[0]?.tries > 0, 'a try');
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
};

// Side by side, since most of it is waiting for periods to be over.
describe('alerts', { concurrency: SERVERS.length }, () => SERVERS.forEach(story));
