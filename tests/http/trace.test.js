// Live tracing: a call that shows a debug credential leaves a trace without secrets; any other call leaves none.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until } = require('./harness');

const SECRET = 's3cret /named+value&';
const PLAIN_SECRET = 'plain-secret-9931';
const CALLER_TOKEN = 'caller-bearer-5521';
const COOKIE = 'cookie-value-8812';
const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Pets', version: '1.0' },
  paths: { '/pets': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const POLICY = `<policies>
  <inbound>
    <base />
    <set-header name="X-Backend-Pass" exists-action="override"><value>{{pass}}</value></set-header>
    <set-header name="X-Internal" exists-action="override"><value>internal-route-7</value></set-header>
    <set-header name="Authorization" exists-action="override"><value>Basic policy-made-4410</value></set-header>
    <set-query-parameter name="code" exists-action="override"><value>{{odd}}</value></set-query-parameter>
    <set-variable name="seen" value="@(context.Request.Headers.GetValueOrDefault(&quot;Cookie&quot;,&quot;&quot;))" />
    <set-variable name="key" value="@(context.Subscription.Key)" />
    <set-variable name="edge" value="${'x'.repeat(190)}{{pass}}" />
    <trace source="me"><message>${'y'.repeat(995)}{{pass}}</message></trace>
    <choose><when condition="@(context.Request.Method == &quot;GET&quot;)">
      <set-header name="X-Chosen" exists-action="override"><value>yes</value></set-header></when></choose>
  </inbound>
  <backend><base /></backend>
  <outbound><base /><set-header name="X-Out" exists-action="override"><value>{{pass}}-out</value></set-header></outbound>
  <on-error><base /></on-error>
</policies>`;

let gw, pets, mine, other, token;

const call = (headers, query = '') => fetch(`${gw.url}/api/pets/pets${query}`, { headers });
const traced = (t, more = {}) => call({ 'X-Api-Key': mine.primaryKey, 'Apim-Debug-Authorization': t, ...more });
const shown = (id, ...more) => until(() => {
  const r = gw.cli('trace', 'show', id, ...more, { fails: true });
  return r.code === 0 && r.stdout;
}, 'the trace');

before(async () => {
  pets = await backend((req, res) => {
    res.setHeader('Set-Cookie', `session=${COOKIE}-set`);
    res.end('ok');
  });
  gw = await start({
    server: 'nginx',
    setup(g) {
      g.cli('product', 'create', 'gold');
      g.cli('import', 'openapi', g.file('pets.json', SPEC), '--path', 'pets', '--name', 'pets', '--backend', pets.url,
        '--product', 'gold');
      g.cli('named-value', 'set', 'pass', '--secret', '--file', g.file('pass', PLAIN_SECRET));
      g.cli('named-value', 'set', 'odd', '--secret', '--file', g.file('odd', SECRET.replace('&', '')));
      g.cli('policy', 'set', g.file('p.xml', POLICY), '--scope', 'api:pets');
      mine = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json();
      other = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json();
    },
  });
  token = gw.cli('trace', 'token', '--subscription', mine.id).stdout.trim();
});
after(async () => {
  await gw?.stop();
  await pets?.close();
});

function hasNoSecret(text) {
  for (const secret of [SECRET.slice(0, -1), encodeURIComponent(SECRET.slice(0, -1)), 's3cret', PLAIN_SECRET, 'plain-sec', CALLER_TOKEN,
    COOKIE, 'policy-made-4410', mine.primaryKey, mine.secondaryKey, token])
    assert.ok(!text.includes(secret), `${secret} in\n${text}`);
}

test('a traced call shows its steps and no secret', async () => {
  const r = await traced(token, { Authorization: `Bearer ${CALLER_TOKEN}`, Cookie: `a=${COOKIE}` });
  assert.equal(r.status, 200);
  const id = r.headers.get('apim-trace-id');
  assert.equal(id, r.headers.get('x-request-id'));
  assert.equal(r.headers.get('apim-trace-error'), null);
  const sent = pets.seen.at(-1);
  assert.equal(sent.headers['x-backend-pass'], PLAIN_SECRET);
  assert.equal(sent.headers['apim-debug-authorization'], undefined);
  assert.match(sent.url, /s3cret/);

  const json = await shown(id, '--format', 'json');
  const t = JSON.parse(json);
  assert.deepEqual([t.id, t.api, t.operation, t.product, t.subscription, t.status, t.lastError],
    [id, 'pets', 'list', 'gold', mine.id, 200, null]);
  const step = t.steps.find((s) => s.policy === 'set-header' && s.decision.startsWith('X-Internal'));
  assert.deepEqual([step.section, step.scope, step.line, step.decision], ['inbound', 'api', 5, 'X-Internal: internal-route-7']);
  assert.ok(t.steps.some((s) => s.decision === 'condition is true'), json);
  assert.ok(t.steps.some((s) => s.policy === 'forward-request' && s.decision.includes('200')), json);
  assert.ok(t.steps.some((s) => s.section === 'outbound' && s.decision === 'X-Out: ***-out'), json);
  assert.equal(t.request.headers.find((h) => h.name === 'Authorization').value, '***');
  assert.equal(t.backend.headers.find((h) => h.name === 'X-Backend-Pass').value, '***');
  assert.equal(t.backend.headers.find((h) => h.name === 'X-Internal').by, 'policy');
  assert.ok(t.response.headers.some((h) => h.name === 'X-Out'));
  assert.ok(t.timings.totalUs > 0);
  hasNoSecret(json);
  const text = await shown(id);
  assert.match(text, /inbound +api +5 +set-header +\d+ us +X-Internal: internal-route-7/);
  hasNoSecret(text);
});

test('a key in the query is not shown either', async () => {
  const r = await call({ 'Apim-Debug-Authorization': token }, `?subscription-key=${mine.secondaryKey}&a=1`);
  assert.equal(r.status, 200);
  const text = await shown(r.headers.get('apim-trace-id'));
  assert.match(text, /subscription-key=\*\*\*/);
  hasNoSecret(text);
});

test('a consumer does not see what was added for the backend', async () => {
  const r = await traced(token, { 'X-Mine': 'from-the-client' });
  for (const more of [[], ['--format', 'json']]) {
    const text = await shown(r.headers.get('apim-trace-id'), '--consumer', ...more);
    assert.ok(!text.includes('internal-route-7'), text);
    assert.match(text, /X-Internal/);
    assert.match(text, /from-the-client/);
    hasNoSecret(text);
  }
});

test('an administrator traces every subscription', async () => {
  const all = gw.cli('trace', 'token', '--all', '--minutes', '5', '--format', 'json').json();
  assert.ok(all.expires <= Date.now() / 1000 + 300);
  const r = await call({ 'X-Api-Key': other.primaryKey, 'Apim-Debug-Authorization': all.token });
  assert.match(await shown(r.headers.get('apim-trace-id')), new RegExp(`subscription ${other.id}`));
});

test('a token that is not good traces nothing, says why and does not reach the backend', async () => {
  const foreign = gw.cli('trace', 'token', '--subscription', other.id).stdout.trim();
  for (const [bad, why] of [[foreign, 'token of another subscription'], ['x', 'malformed token'], [`A${token.slice(1)}`, 'wrong signature'],
    [token.slice(0, -3), 'wrong signature']]) {
    const r = await traced(bad);
    assert.equal(r.status, 200);
    assert.equal(r.headers.get('apim-trace-id'), null);
    assert.equal(r.headers.get('apim-trace-error'), why);
    assert.equal(pets.seen.at(-1).headers['apim-debug-authorization'], undefined);
    const none = gw.cli('trace', 'show', r.headers.get('x-request-id'), { fails: true });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /there is no trace/);
  }
});

test('a call without a token leaves no trace', async () => {
  const r = await call({ 'X-Api-Key': mine.primaryKey });
  assert.equal(r.status, 200);
  assert.equal(r.headers.get('apim-trace-id'), null);
  assert.equal(r.headers.get('apim-trace-error'), null);
  assert.equal(gw.cli('trace', 'show', r.headers.get('x-request-id'), { fails: true }).code, 1);
});

test('a token is asked for with care, and the issue is in the audit trail', () => {
  assert.equal(gw.cli('trace', 'token', { fails: true }).code, 2);
  assert.equal(gw.cli('trace', 'token', '--all', '--minutes', '61', { fails: true }).code, 2);
  assert.equal(gw.cli('trace', 'token', '--all', '--minutes', '0', { fails: true }).code, 2);
  assert.match(gw.cli('trace', 'token', '--subscription', 'nobody', { fails: true }).stderr, /no subscription/);
  const audit = gw.cli('audit', '--search', 'trace-token').stdout;
  assert.match(audit, new RegExp(`issue +trace-token +${mine.id}`));
  assert.ok(!audit.includes(token));
});
