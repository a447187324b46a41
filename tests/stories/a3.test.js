// The questions that were impossible to answer: 14 days of traffic are played with a shifted clock and known totals into the spool,
// the keeper takes them in, and every figure of the command, the JSON API, its CSV and the pages must be the ledger's.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { start, backend, until, SERVERS } = require('../http/harness');

const DAYS = 14;
const RAW_BYTES = 2 << 20;
const END_S = Math.floor(Date.now() / 86400000) * 86400;
const day = (i) => new Date((END_S - (DAYS - i) * 86400) * 1000).toISOString().slice(0, 10);
const RANGE = `${day(0)}/${day(DAYS - 1)}`;

function play(gw) {
  return new Promise((resolve, reject) => {
    const child = spawn(path.join(gw.bin, '../bench/traffic'), [gw.state, String(END_S), String(DAYS)]);
    let out = '';
    child.stdout.on('data', (d) => { out += d; });
    child.stderr.pipe(process.stderr);
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`traffic: exit ${code}`))));
  });
}

const near = (got, want, what) => assert.ok(Math.abs(got - want) <= Math.max(1, want / 100), `${what}: ${got}, ledger ${want}`);

for (const server of SERVERS) describe(`A3 behind ${server}`, () => {
  let gw, erp, ledger, cookie, token;
  const command = (...args) => gw.cli('analytics', ...args, '--range', RANGE, '--limit', '1000', '--format', 'json').json();
  const get = async (to) => fetch(`${gw.url}/admin${to}`, { headers: { Cookie: cookie }, redirect: 'manual' });
  const query = (of) => new URLSearchParams({ range: RANGE, limit: '1000', ...of });
  const api = async (report, of = {}) => {
    const r = await fetch(`${gw.url}/admin/api/v1/analytics/${report}?${query(of)}`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(r.status, 200);
    const { noData, rows } = await r.json();
    assert.equal(noData, false, `${report}: there were calls`);
    return rows;
  };
  const page = async (report, of = {}) => {
    const r = await get(`/analytics/${report}?${query(of)}`);
    assert.equal(r.status, 200);
    return r.text();
  };
  const csv = async (report, of = {}) => {
    const r = await get(`/api/v1/analytics/${report}?${query({ ...of, format: 'csv' })}`);
    const [names, ...rows] = (await r.text()).trim().split('\r\n').map((line) => line.split(','));
    return rows.map((row) => Object.fromEntries(row.map((v, i) => [names[i], v])));
  };
  const numbers = (html) => html.replace(/,(?=\d{3})/g, '');

  before(async () => {
    erp = await backend();
    gw = await start({ server, workers: 1, build: 'release', config: { 'telemetry.raw_bytes': RAW_BYTES }, setup: (g) => {
      const file = g.file('d.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' }, paths: { '/o': { get: { operationId: 'list-orders', responses: { 200: { description: 'ok' } } } } } }));
      g.cli('import', 'openapi', file, '--name', 'orders-v1', '--path', 'orders', '--backend', erp.url);
      g.cli('import', 'openapi', file, '--name', 'silent', '--path', 'silent', '--backend', erp.url);
      g.cli('api', 'set', 'orders-v1', '--stage', 'deprecated');
      token = g.cli('machine-token', 'create', 'figures', '--role', 'auditor', '--scope', 'read:analytics').stdout.trim();
    } });
    ledger = await play(gw);
    await until(() => command()[0].calls === ledger.calls, 'the keeper to take in all calls', 300000);
    const form = await fetch(`${gw.url}/admin/sign-in`);
    const first = form.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
    const csrf = (await form.text()).match(/name="csrf" value="([^"]+)"/)[1];
    const r = await fetch(`${gw.url}/admin/sign-in`, { method: 'POST', redirect: 'manual', headers: { Cookie: first },
      body: new URLSearchParams({ csrf, email: gw.admin.email, password: gw.admin.password }) });
    assert.equal(r.status, 303);
    cookie = r.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  });
  after(async () => { await gw?.stop(); await erp?.close(); });

  it('calls of each consumer a day, refused ones apart, bytes: to the call', async () => {
    for (const rows of [command('calls'), await api('calls'), await csv('calls')]) {
      for (const [who, want] of Object.entries(ledger.consumers)) {
        const mine = rows.filter((r) => r.subscription === who);
        assert.deepEqual(mine.map((r) => [r.time, ...['calls', 'refused', 'bytesIn', 'bytesOut'].map((k) => Number(r[k]))]),
          want.days.map((d) => [d.day, d.calls, d.refused, d.bytesIn, d.bytesOut]), who);
      }
    }
    const html = numbers(await page('calls', { subscription: 'planning' }));
    for (const d of ledger.consumers.planning.days) assert.ok(html.includes(`>${d.calls}<`), `the page has ${d.calls}`);
  });

  it('sums of each consumer are the same in every form', async () => {
    for (const rows of [command('--group', 'subscription'), await api('traffic', { group: 'subscription' }), await csv('traffic', { group: 'subscription' })]) {
      for (const [who, want] of Object.entries(ledger.consumers)) {
        const got = rows.find((r) => r.subscription === who);
        for (const k of ['calls', 'refused', 'bytesIn', 'bytesOut']) assert.equal(Number(got[k]), want[k], `${who} ${k}`);
        assert.equal(Number(got.served), want.calls - want.refused);
      }
    }
    const html = numbers(await page('traffic', { group: 'subscription' }));
    for (const [who, want] of Object.entries(ledger.consumers)) assert.match(html, new RegExp(`>${who}</a></td>(<td[^>]*><span>[^<]*</span></td>)*`), who), assert.ok(html.includes(`<span>${want.calls}</span>`), `${who}: ${want.calls}`);
    assert.ok(html.includes(`<dd>${ledger.calls}</dd>`), 'the sum of all');
  });

  it('response times of the MES: average and percentiles, the gateway apart from the backend', async () => {
    const want = ledger.consumers.mes;
    for (const rows of [command('latency', '--api', 'mes'), await api('latency', { api: 'mes' }), await csv('latency', { api: 'mes' })]) {
      assert.equal(rows.length, 1);
      for (const k of ['averageMs', 'p50Ms', 'p95Ms', 'p99Ms']) near(Number(rows[0][k]), want.total[k], k);
      near(Number(rows[0].gatewayAverageMs), want.gateway.averageMs, 'gateway');
      near(Number(rows[0].gatewayP95Ms), want.gateway.p95Ms, 'gateway p95');
      near(Number(rows[0].backendAverageMs), want.backend.averageMs, 'backend');
      near(Number(rows[0].backendP95Ms), want.backend.p95Ms, 'backend p95');
      assert.equal(rows[0].mostly, 'backend');
    }
    const html = await page('latency', { api: 'mes' });
    assert.match(html, /backend/);
    assert.match(html.replace(/\s+/g, ' '), /Share of the backend, %<\/th> ?<th[^>]*>Average, ms</, 'times come first, counts behind them');
  });

  it('the one partner who is over its limit on 11 of 14 days from 9 to 11 is named, and not the one who was once', async () => {
    for (const rows of [command('exceeders'), await api('exceeders')]) {
      assert.deepEqual(rows.map((r) => [r.subscription, r.daysOver, r.days, r.hours, r.refused]),
        [['partner-b', 11, 14, '09:00-11:00', ledger.consumers['partner-b'].refused]]);
      assert.equal(rows[0].servedPerMinute, ledger.servedPerMinute);
      assert.equal(rows[0].fitsPerMinute, ledger.wantedPerMinute, 'a limit that would have let all through');
    }
    const html = await page('exceeders');
    assert.ok(html.includes('partner-b') && html.includes('09:00-11:00') && !html.includes('partner-c'));
  });

  it('failures, limits and what is deprecated come as CSV, too', async () => {
    const calls = ledger.erpHours.reduce((n, h) => n + h.calls, 0);
    const [failing] = await csv('failures'), [over] = await csv('exceeders'), [old] = await csv('deprecated');
    assert.deepEqual([failing.backend, Number(failing.calls), failing.hours], ['bc365', calls, '00:00-05:00']);
    assert.deepEqual([over.subscription, Number(over.daysOver), over.hours, Number(over.fitsPerMinute)], ['partner-b', 11, '09:00-11:00', ledger.wantedPerMinute]);
    assert.deepEqual([old.api, old.subscription, Number(old.calls)], ['orders-v1', 'old-app', ledger.consumers['old-app'].calls]);
  });

  it('the ERP fails at night', async () => {
    const calls = ledger.erpHours.reduce((n, h) => n + h.calls, 0), errors = ledger.erpHours.reduce((n, h) => n + h.errors, 0);
    for (const rows of [command('failures'), await api('failures')])
      assert.deepEqual([rows[0].backend, rows[0].calls, rows[0].errors, rows[0].hours], ['bc365', calls, errors, '00:00-05:00']);
    assert.match(await page('failures'), /bc365[\s\S]*00:00-05:00/);
  });

  it('who still uses what is deprecated', async () => {
    for (const rows of [command('deprecated'), await api('deprecated')])
      assert.deepEqual(rows.map((r) => [r.api, r.subscription, r.state, r.calls]), [['orders-v1', 'old-app', 'deprecated', ledger.consumers['old-app'].calls]]);
    assert.match(await page('deprecated'), /old-app/);
  });

  it('every figure in the table of every page is the one that the command prints', async () => {
    for (const [report, of, least] of [['traffic', { group: 'subscription' }, 5], ['calls', {}, 5 * DAYS], ['latency', {}, 4], ['exceeders', {}, 1], ['failures', {}, 3], ['deprecated', {}, 1]]) {
      const table = (await page(report, of)).match(/<table[^]*?<\/table>/g).at(-1);
      const [names, ...shown] = [...table.matchAll(/<tr>([^]*?)<\/tr>/g)].map((tr) => [...tr[1].matchAll(/<t[dh][^>]*>([^]*?)<\/t[dh]>/g)].map((td) => td[1].replace(/<[^>]*>/g, '').trim()));
      const text = gw.cli('analytics', report, '--range', RANGE, '--limit', '1000', ...(of.group ? ['--group', of.group] : [])).stdout;
      const [heads, ...printed] = text.trim().split('\n').slice(1).map((line) => line.trim().split(/ {2,}/));
      assert.equal(shown.length, printed.length, report);
      assert.ok(shown.length >= least && names.length > 3, `${report}: ${shown.length} rows`);
      for (const [i, row] of shown.entries()) for (const [k, value] of row.entries()) {
        const name = names[k], want = printed[i][heads.indexOf(name)];
        if (name === 'Day' || / UTC$|iB$/.test(value)) continue;    // days, times and sizes have another form for people
        assert.equal(value.replace(/,(?=\d{3})/g, '').replace('–', '-'), want, `${report}, row ${i}, ${name}`);
      }
    }
  });

  it('hours add up to days, and the time before is compared', async () => {
    const hours = await api('traffic', { step: 'hour', api: 'erp' }), days = await api('traffic', { step: 'day', api: 'erp' });
    assert.equal(hours.length, DAYS * 24);
    assert.deepEqual(days.map((d) => d.calls), ledger.consumers.planning.days.map((d) => d.calls));
    days.forEach((d, i) => assert.equal(hours.slice(i * 24, i * 24 + 24).reduce((n, h) => n + h.calls, 0), d.calls));
    const second = { range: `${day(7)}/${day(13)}`, compare: 'yes', api: 'erp' };
    const [row] = await api('traffic', second);
    const sum = (from) => ledger.consumers.planning.days.slice(from, from + 7).reduce((n, d) => n + d.calls, 0);
    assert.deepEqual([row.calls, row.callsBefore], [sum(7), sum(0)]);
    const [first] = await api('traffic', { range: `${day(0)}/${day(6)}`, api: 'erp' });
    assert.deepEqual([row.errorPercentBefore, row.averageMsBefore], [first.errorPercent, first.averageMs]);
  });

  it('every dimension splits and narrows, to the same numbers on the page, in the API and by the command', async () => {
    for (const by of ['environment', 'api', 'version', 'operation', 'product', 'subscription', 'application', 'user', 'backend', 'status', 'reason', 'origin', 'address']) {
      const rows = await api('traffic', { group: by });
      assert.equal(rows.reduce((n, r) => n + r.calls, 0), ledger.calls, `all calls by ${by}`);
      assert.deepEqual(command('--group', by).map((r) => [r[by], r.calls]), rows.map((r) => [r[by], r.calls]), `the command by ${by}`);
      const one = rows.find((r) => r[by]);
      if (!one) continue;                              // nobody of the 14 days had an application
      const html = numbers(await page('traffic', { group: by }));
      for (const r of rows) assert.ok(html.includes(`<span>${r.calls}</span>`), `the page by ${by}: ${r.calls}`);
      const [narrow] = await api('traffic', { [by]: one[by] }), [told] = command(`--${by}`, one[by]);
      assert.deepEqual([narrow.calls, narrow.bytesOut, told.calls], [one.calls, one.bytesOut, one.calls], `only ${by} ${one[by]}`);
      assert.ok(numbers(await page('traffic', { [by]: one[by] })).includes(`<dd>${one.calls}</dd>`), `the page, only ${by} ${one[by]}`);
    }
  });

  it('the address holds the question; without script the chart is a picture with its figures as a table', async () => {
    const asked = { group: 'subscription', step: 'day', compare: 'yes', api: 'erp' };
    const html = await page('traffic', asked), rows = await api('traffic', asked);
    const [, link] = html.match(/href="[^"]*\/(api\/v1\/analytics\/traffic\?[^"]*)">JSON</);
    assert.deepEqual((await (await get(`/${link.replaceAll('&amp;', '&')}`)).json()).rows, rows, 'the link asks the same');
    const chart = await page('traffic', { step: 'day', api: 'erp' });
    assert.match(chart, /<svg[^>]*>[^]*?<(path|polyline|rect)[^]*?<\/svg>/);
    for (const { calls } of ledger.consumers.planning.days) assert.ok(numbers(chart).includes(`<span>${calls}</span>`), `${calls} of a day`);
  });

  it('an API that never got a call has no data, which is not 0', async () => {
    const r = await (await get(`/api/v1/analytics/traffic?${query({ api: 'silent' })}`)).json();
    assert.equal(r.noData, true);
    assert.equal(r.rows[0].averageMs, null);
    assert.equal(r.rows[0].errorPercent, null);
    assert.match(await page('traffic', { api: 'silent' }), /No data/);
    assert.match(gw.cli('analytics', '--api', 'silent').stdout, /No data/);
  });

  it('what happens now comes as server-sent events, one an answer', async () => {
    const r = await get('/live/events');
    assert.match(r.headers.get('content-type'), /^text\/event-stream/);
    const [, rows] = (await r.text()).match(/^retry: \d+\nevent: traffic\ndata: (\[.*\])\n\n$/);
    assert.equal(JSON.parse(rows).length, 30);
    assert.match(await (await get('/live')).text(), /live\.js/);
  });

  it('retention keeps single calls bounded, and totals stay whole', async () => {
    const kept = () => gw.cli('analytics', '--range', RANGE, '--format', 'json').json()[0].calls;
    const single = () => Number(gw.cli('metrics').stdout.match(/^gatehouse_telemetry_bytes (\d+)$/m)?.[1] ?? NaN);
    await until(() => single() <= RAW_BYTES, 'single calls to be pruned', 300000);
    const left = Number(gw.cli('doctor', { fails: true }).stdout.match(/[KM]iB: (\d+) calls/)[1]);
    assert.ok(left > 0 && left < ledger.calls, `${left} of ${ledger.calls} single calls are left`);
    assert.equal(kept(), ledger.calls);
  });

  it('how much is kept is shown, and what is asked wrongly is said', async () => {
    assert.match(gw.cli('doctor', { fails: true }).stdout, /traffic .*[KM]iB: \d+ calls, \d+ totals per minute.*; by how much it grows is known after two days$/m);
    const wrong = await get('/api/v1/analytics/traffic?range=soon');
    assert.equal(wrong.status, 400);
    assert.match((await wrong.json()).detail, /24h/);
    assert.match(await page('traffic', { range: 'soon' }), /is no range/);
    for (const [of, says] of [['traffic?subscripton=planning', /no parameter 'subscripton'/], ['traffic?format=xml', /json or csv/], ['traffic?to=2026-01-02', /since when/],
      ['latency?compare=yes', /latency has none/], [`traffic?range=${day(0)}T00:00:10Z/${day(0)}T00:00:20Z`, /whole minutes/]]) {
      const r = await get(`/api/v1/analytics/${of}`);
      assert.deepEqual([r.status, says.test((await r.json()).detail)], [400, true], `${of}: what is not heeded is refused`);
    }
    assert.match(gw.cli('analytics', 'failures', '--step', 'hour', { fails: true }).stderr, /--step: the report failures has none/);
    assert.match(gw.cli('analytics', '--step', 'hour', '--group', 'api', { fails: true }).stderr, /the report calls has both/);
    const since = await (await get(`/api/v1/analytics/traffic?from=${day(13)}T12:00`)).json();
    assert.deepEqual([since.from, Date.parse(since.to) > Date.now()], [`${day(13)}T12:00:00Z`, true], 'without an end until now');
    const nobody = await page('deprecated', { api: 'mes' });
    assert.match(nobody, /Nothing to report/);
    assert.doesNotMatch(nobody, /<h2>No data/, 'nobody is an answer');
    assert.equal((await get('/api/v1/analytics/nothing')).status, 404);
    assert.equal((await fetch(`${gw.url}/admin/api/v1/analytics/traffic`, { redirect: 'manual' })).status, 401);
    const document = await (await get('/api/v1/openapi.json')).json();
    for (const report of ['traffic', 'calls', 'latency', 'exceeders', 'failures', 'deprecated'])
      assert.ok(document.paths[`/analytics/${report}`].get, report);
  });

  it('the same numbers come from the metrics endpoint and by a machine token that may nothing else', async () => {
    const text = await until(() => { const t = gw.cli('metrics').stdout; return t.includes('api="erp"') && t; }, 'the metrics');
    const of = (api) => [...text.matchAll(/^gatehouse_calls_total\{([^}]*)\} (\d+)$/gm)].filter((m) => m[1].includes(`api="${api}"`)).reduce((n, m) => n + Number(m[2]), 0);
    const [row] = await api('traffic', { api: 'erp' });
    assert.equal(of('erp'), row.calls);
    assert.equal((await fetch(`${gw.url}/admin/api/v1/apis`, { headers: { Authorization: `Bearer ${token}` } })).status, 403);
  });
});
