// Limits and caches on the wire: what callers are told, what counts, what all workers share and what survives them.
'use strict';
const assert = require('node:assert/strict');
const { until } = require('./harness');
const { table, send } = require('./policy-table');

const ERROR = '<return-response><set-status code="@(context.LastError.Source.StartsWith("quota") ? 403 : 429)" /><set-header name="X-Reason"><value>@(context.LastError.Source + " " + context.LastError.Reason)</value></set-header></return-response>';
const LIMIT = '{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in ';
const statuses = (wanted) => (all) => assert.deepEqual(all.map((a) => a.status).sort(), wanted);
const counted = (n, of) => [...Array(n).fill(200), ...Array(of - n).fill(429)];
const by = (key, more) => `<rate-limit-by-key counter-key="${key}" calls="3" renewal-period="60" ${more ?? ''} />`;
const burst = async (e, n) => (await Promise.all(Array.from({ length: n }, () => send(`${e.gw.url}/api/${e.id}`, {})))).map((a) => a.status);
// Two calls a second and no more pass, however long this takes.
async function slides(e) {
  const begun = Date.now();
  let passed = 0;
  for (let i = 0; i < 5; i++) passed += (await burst(e, 12)).filter((s) => s === 200).length;
  assert.ok(passed <= 2 * (1 + Math.ceil((Date.now() - begun) / 1000)), `${passed} in ${Date.now() - begun} ms`);
}
const subscribed = (more) => ({ product: 'gold', ...more });
const withKey = (more = {}) => (e) => ({ ...more, headers: { 'Ocp-Apim-Subscription-Key': e.shared.key, ...more.headers } });

const RATES = [
  { what: 'rate-limit-by-key: exactly the limit, over all workers', inbound: by('all'),
    steps: [{ request: {}, times: 12, expect: (all, seen) => { statuses(counted(3, 12))(all); assert.equal(seen.length, 3); } }] },
  { what: 'rate-limit-by-key: what the caller is told', inbound: by('told', 'remaining-calls-header-name="X-Left" total-calls-header-name="X-All"'),
    steps: [
      ...[2, 1, 0].map((left) => ({ request: {}, expect: { status: 200, headers: { 'X-Left': `${left}`, 'X-All': '3', 'Retry-After': null } } })),
      { request: {}, expect: (a) => { assert.equal(a.status, 429);
        assert.ok(a.body.startsWith(LIMIT), a.body);
        const wait = Number(a.headers['retry-after']);
        assert.ok(wait > 0 && wait <= 60, `${wait}`);
        assert.ok(a.body.includes(` ${wait} seconds`), a.body); } }] },
  { what: 'rate-limit-by-key: each key alone', inbound: by('@("each" + context.Request.Headers.GetValueOrDefault("X-K", ""))'),
    steps: ['a', 'b'].map((k) => ({ request: { headers: { 'X-K': k } }, times: 4, expect: statuses(counted(3, 4)) })) },
  { what: 'rate-limit-by-key: names of header and variable', inbound: by('names', 'retry-after-header-name="X-Wait" retry-after-variable-name="wait"'),
    onError: '<set-header name="X-Var"><value>@(context.Variables["wait"].ToString())</value></set-header>',
    steps: [{ request: {}, times: 3, expect: statuses(counted(3, 3)) },
      { request: {}, expect: (a) => { assert.equal(a.status, 429);
        assert.equal(a.headers['retry-after'], undefined);
        assert.ok(Number(a.headers['x-wait']) > 0);
        assert.equal(a.headers['x-var'], a.headers['x-wait']); } }] },
  { what: 'rate-limit-by-key: counts by the answer', inbound: by('answer', 'increment-condition="@(context.Response.StatusCode == 200)"'),
    answers: (req, res) => { res.statusCode = req.url.includes('bad') ? 404 : 200; res.end(); },
    steps: [{ request: { path: '/x/bad' }, times: 8, expect: (all) => assert.deepEqual(new Set(all.map((a) => a.status)), new Set([404])) },
      ...[1, 2, 3].map(() => ({ request: {}, expect: { status: 200 } })), { request: {}, expect: { status: 429 } }] },
  { what: 'rate-limit-by-key: a call may weigh more', inbound: by('weight', 'increment-count="2"'), steps: [{ request: {}, expect: { status: 200 } }, { request: {}, expect: { status: 429 } }] },
  { what: 'rate-limit-by-key: on-error answers', inbound: by('on-error'), onError: ERROR,
    steps: [{ request: {}, times: 3, expect: statuses(counted(3, 3)) }, { request: {}, expect: { status: 429, headers: { 'X-Reason': 'rate-limit-by-key RateLimitExceeded' } } }] },
  { what: 'rate-limit-by-key: the window slides on', inbound: '<rate-limit-by-key counter-key="slides" calls="2" renewal-period="1" />',
    // as many at a time as are refused on a machine where a second is little; then one after the other until one passes
    steps: [{ first: (e) => until(async () => (await burst(e, 12)).includes(429), 'a refusal'), request: {}, expect: () => {} },
      { first: (e) => until(async () => (await burst(e, 1))[0] === 200, 'the window to slide on'), request: {}, expect: () => {} },
      { first: (e) => slides(e), request: {}, expect: () => {} }] },
  subscribed({ what: 'rate-limit: headers of a subscription\'s limit', inbound: '<rate-limit calls="2" renewal-period="60" remaining-calls-header-name="X-Left" total-calls-header-name="X-All" />',
    steps: [{ request: withKey(), expect: { status: 200, headers: { 'X-Left': '1', 'X-All': '2' } } }, { request: withKey(), expect: { status: 200, headers: { 'X-Left': '0' } } },
      { request: withKey(), expect: { status: 429, headers: { 'Retry-After': /^\d+$/ } } }] }),
  subscribed({ what: 'rate-limit: an operation\'s own limit', inbound: (e) => `<rate-limit calls="100" renewal-period="60"><api id="${e.id}" calls="50" renewal-period="60"><operation id="get-x" calls="1" renewal-period="60" /></api></rate-limit>`,
    steps: [{ request: withKey(), expect: { status: 200 } }, { request: withKey(), expect: { status: 429 } }, { request: withKey({ path: '/x/1' }), expect: { status: 200 } }] }),
  { what: 'rate-limit: nobody\'s calls are not limited', inbound: '<rate-limit calls="1" renewal-period="60" />', steps: [{ request: {}, times: 4, expect: statuses(counted(4, 4)) }] },
];

const QUOTAS = [
  { what: 'quota-by-key: calls, and the documented words', inbound: '<quota-by-key counter-key="q" calls="2" renewal-period="3600" />',
    steps: [{ request: {}, expect: { status: 200 } }, { request: {}, expect: { status: 200 } },
      { request: {}, expect: { status: 403, headers: { 'Retry-After': /^\d+$/ }, body: /^\{ "statusCode": 403, "message": "Out of call volume quota\. Quota will be replenished in \d\d:\d\d:\d\d\." \}$/, backend: [] } }] },
  { what: 'quota-by-key: bytes', inbound: '<quota-by-key counter-key="b" bandwidth="1" renewal-period="3600" />', answers: (req, res) => res.end('x'.repeat(700)),
    steps: [{ request: {}, expect: { status: 200 } }, { request: {}, expect: { status: 200 } }, { request: {}, expect: { status: 403, body: /Out of bandwidth quota/ } }] },
  { what: 'quota-by-key: what was refused by another policy does not count', inbound: '<quota-by-key counter-key="c" calls="1" renewal-period="3600" increment-condition="@(context.Response.StatusCode &lt; 400)" />',
    answers: (req, res) => { res.statusCode = req.url.includes('bad') ? 500 : 200; res.end(); },
    steps: [{ request: { path: '/x/bad' }, times: 3, expect: (all) => assert.ok(all.every((a) => a.status === 500)) }, { request: {}, expect: { status: 200 } }, { request: {}, expect: { status: 403 } }] },
  { what: 'quota-by-key: on-error answers', inbound: '<quota-by-key counter-key="e" calls="1" renewal-period="3600" />', onError: ERROR,
    steps: [{ request: {}, expect: { status: 200 } }, { request: {}, expect: { status: 403, headers: { 'X-Reason': 'quota-by-key QuotaExceeded' } } }] },
];

// a worker that dies takes nothing with it: what is found afterwards stood in what all workers share
const killWorkers = (e) => e.gw.killWorkers();
const numbered = () => { let n = 0; return (req, res) => { n++; res.setHeader('Content-Type', 'text/plain'); res.end(`answer ${n}`); }; };
const LOOKUP = (more = '', inside = '') => `<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" ${more}>${inside}</cache-lookup>`;
const STORE = '<cache-store duration="60" />';
const VALUE = '<cache-lookup-value key="KEY" variable-name="v" /><choose><when condition="@(!context.Variables.ContainsKey("v"))"><cache-store-value key="KEY" value="@(context.Request.Headers.GetValueOrDefault("X-Value", ""))" duration="DURATION" />'
  + '</when></choose><return-response><set-body>@(context.Variables.ContainsKey("v") ? "found " + (string)context.Variables["v"] : "nothing")</set-body></return-response>';
const value = (key, duration = 60) => VALUE.replaceAll('KEY', key).replace('DURATION', duration);
const X = (v) => ({ headers: { 'X-Value': v } });

const seenNow = async (e) => (await send(`${e.gw.url}/api/${e.id}`, X('a'))).body;

const CACHES = [
  { what: 'cache-store-value: found again, by every worker', inbound: value('shared'),
    steps: [{ request: X('one'), expect: { body: 'nothing' } }, { request: X('two'), times: 12, expect: (all) => assert.deepEqual(new Set(all.map((a) => a.body)), new Set(['found one'])) }] },
  { what: 'cache-store-value: gone after its duration', inbound: value('short', 1),
    steps: [{ request: X('a'), expect: { body: 'nothing' } },     // each call that finds nothing keeps its own
      { first: (e) => until(async () => (await seenNow(e)).startsWith('found '), 'the value'), request: X('b'), expect: {} },
      { first: (e) => until(async () => (await seenNow(e)) === 'nothing', 'its end'), request: X('c'), expect: {} }] },
  { what: 'cache-store-value: bytes of any kind and length', inbound: value('long'),
    steps: [{ request: X('ä'.repeat(1000)), expect: { body: 'nothing' } }, { request: {}, expect: (a) => assert.equal(a.body.length > 1000, true) }] },
  { what: 'cache-lookup-value: a default', inbound: '<cache-lookup-value key="never" variable-name="v" default-value="@("de" + "fault")" /><return-response><set-body>@((string)context.Variables["v"])</set-body></return-response>',
    request: {}, expect: { body: 'default' } },
  { what: 'cache-remove-value: gone for all', inbound: `<choose><when condition="@(context.Request.Method == "DELETE")"><cache-remove-value key="removed" /></when></choose>${value('removed')}`,
    steps: [{ request: X('a'), expect: { body: 'nothing' } }, { request: {}, expect: { body: 'found a' } }, { request: { method: 'DELETE' }, expect: { body: 'nothing' } }] },
  { what: 'cache-lookup: one call of the backend, then none', inbound: LOOKUP(), outbound: STORE, answers: numbered(),
    steps: [{ request: {}, expect: { body: 'answer 1', backend: [{}] } },
      { request: {}, times: 8, expect: (all, seen) => { assert.deepEqual(new Set(all.map((a) => a.body)), new Set(['answer 1'])); assert.equal(seen.length, 0); } }] },
  { what: 'cache-lookup: varies by header and query', inbound: LOOKUP('', '<vary-by-header>Accept-Language</vary-by-header><vary-by-query-parameter>page</vary-by-query-parameter>'), outbound: STORE, answers: numbered(),
    steps: [['/x?page=1', 'de', 1], ['/x?page=1', 'en', 2], ['/x?page=2', 'de', 3], ['/x?page=1&other=1', 'de', 1]].map(([path, language, n]) =>
      ({ request: { path, headers: { 'Accept-Language': language } }, expect: { body: `answer ${n}` } })) },
  { what: 'cache-lookup: not for POST, not with Authorization', inbound: LOOKUP(), outbound: STORE, answers: numbered(),
    steps: [{ request: {}, expect: { body: 'answer 1' } }, { request: { method: 'POST' }, expect: { body: 'answer 2' } }, { request: { headers: { Authorization: 'Bearer x' } }, expect: { body: 'answer 3' } },
      { request: {}, expect: { body: 'answer 1' } }] },
  { what: 'cache-store: not what the backend forbids', inbound: LOOKUP(), outbound: STORE, answers: (() => { let n = 0; return (req, res) => { res.setHeader('Cache-Control', 'no-store'); res.end(`${++n}`); }; })(),
    steps: [{ request: {}, expect: { body: '1' } }, { request: {}, expect: { body: '2' } }] },
  { what: 'cache-store: not an error', inbound: LOOKUP(), outbound: STORE, answers: (() => { let n = 0; return (req, res) => { res.statusCode = n++ ? 200 : 500; res.end(`${n}`); }; })(),
    steps: [{ request: {}, expect: { status: 500 } }, { request: {}, expect: { status: 200, body: '2' } }, { request: {}, expect: { body: '2' } }] },
  { what: 'cache-lookup: a response for each variant that Vary tells apart, side by side', inbound: LOOKUP(), outbound: STORE,
    answers: (() => { let n = 0; return (req, res) => { res.setHeader('Vary', 'Accept-Language, X-Kind'); res.end(`${req.headers['accept-language']} ${++n}`); }; })(),
    steps: [['de', 1], ['en', 2], ['de', 1], ['en', 2], ['fr', 3], ['de', 1]].map(([language, n]) =>
      ({ request: { headers: { 'Accept-Language': language } }, expect: { body: `${language} ${n}` } })) },
  { what: 'cache-lookup: what the client says in Cache-Control', inbound: LOOKUP(), outbound: STORE, answers: numbered(),
    steps: [[undefined, 1], ['no-cache', 2], [undefined, 2], ['max-age=0', 3], ['max-age=1000', 3], ['min-fresh=30', 3], ['min-fresh=100', 4],
      ['no-store', 5], [undefined, 4], ['only-if-cached', 4]].map(([control, n]) =>
      ({ request: { headers: control ? { 'Cache-Control': control } : {} }, expect: { body: `answer ${n}` } }))
      .concat([{ request: { headers: { Pragma: 'no-cache' } }, expect: { body: 'answer 6' } },
        { request: { path: '/x/other', headers: { 'Cache-Control': 'only-if-cached' } }, expect: { status: 504, backend: [] } }]) },
  { what: 'cache-lookup: a client that has the response already', inbound: LOOKUP(), outbound: STORE,
    answers: (req, res) => { res.setHeader('ETag', '"one"'); res.setHeader('Last-Modified', 'Sat, 01 Jan 2022 00:00:00 GMT'); res.end('body'); },
    steps: [{ request: { headers: { 'If-None-Match': '"one"' } }, expect: { status: 200, body: 'body' } },
      { request: { headers: { 'If-None-Match': '"zero", W/"one"' } }, expect: { status: 304, body: '', headers: { ETag: '"one"' }, backend: [] } },
      { request: { headers: { 'If-None-Match': '"two"', 'If-Modified-Since': 'Sat, 01 Jan 2022 00:00:00 GMT' } }, expect: { status: 200, body: 'body', backend: [] } },
      { request: { headers: { 'If-Modified-Since': 'Sat, 01 Jan 2022 00:00:00 GMT' } }, expect: { status: 304, backend: [] } }] },
  { what: 'cache-lookup: what browsers are told', inbound: LOOKUP('downstream-caching-type="public" must-revalidate="false"'), outbound: STORE, answers: numbered(),
    request: {}, expect: { headers: { 'Cache-Control': /public.*max-age=\d+|max-age=\d+.*public/ } } },
  // the last row, as it kills the workers
  { what: 'limits, values and answers outlive kill -9 of every worker', inbound: `${LOOKUP()}<cache-lookup-value key="outlives" variable-name="v" /><choose><when condition="@(!context.Variables.ContainsKey("v"))"><cache-store-value key="outlives" value="kept" duration="60" /></when></choose>`
      + '<rate-limit-by-key counter-key="outlives" calls="3" renewal-period="60" remaining-calls-header-name="X-Left" /><set-header name="X-Found" exists-action="override"><value>@(context.Variables.ContainsKey("v") ? "yes" : "no")</value></set-header>',
    outbound: STORE, answers: numbered(),
    steps: [{ request: { path: '/x/1' }, expect: { status: 200, headers: { 'X-Left': '2' }, backend: [{ headers: { 'x-found': 'no' } }] } },
      { first: killWorkers, request: { path: '/x/1' }, expect: { body: 'answer 1', backend: [] } },
      { request: { path: '/x/2' }, expect: { headers: { 'X-Left': '1' }, backend: [{ headers: { 'x-found': 'yes' } }] } }] },
];

table('limits and caches', {
  setup: (g, cli, shared) => {
    cli('product', 'create', 'gold');
    shared.key = JSON.parse(cli('subscription', 'create', '--product', 'gold', '--format', 'json')).primaryKey;
  },
}, [...RATES, ...QUOTAS, ...CACHES]);
