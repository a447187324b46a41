// Live tracing: a call that shows a debug credential leaves a trace without secrets; any other call leaves none.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { createHmac } = require('node:crypto');
const { start, backend, until } = require('./harness');
const { Visitor } = require('./people');

const SECRET = 's3cret /named+value&';
const PLAIN_SECRET = 'plain-secret-9931';
const CALLER_TOKEN = 'caller-bearer-5521';
const QUERY_TOKEN = 'caller-query-3307';
const COOKIE = 'cookie-value-8812';
const PASSWORD = 'correct horse battery staple';
const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Pets', version: '1.0' },
  paths: { '/pets': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } });
const POLICY = `<policies>
  <inbound>
    <base />
    <set-header name="X-Backend-Pass" exists-action="override"><value>{{pass}}</value></set-header>
    <set-header name="X-Edge" exists-action="override"><value>${'z'.repeat(1014)}{{pass}}</value></set-header>
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

const BIG = `<policies><inbound><base />${'<trace source="s"><message>@(new string(\'y\', 1000))</message></trace>'.repeat(600)}</inbound></policies>`;

let gw, pets, mine, other, token;

const call = (headers, query = '') => fetch(`${gw.url}/api/pets/pets${query}`, { headers });
const traced = (t, more = {}, query = '') => call({ 'X-Api-Key': mine.primaryKey, 'Apim-Debug-Authorization': t, ...more }, query);
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
      g.cli('import', 'openapi', g.file('big.json', SPEC), '--path', 'big', '--name', 'big', '--backend', pets.url, '--product', 'gold');
      g.cli('policy', 'set', g.file('big.xml', BIG), '--scope', 'api:big');
      for (const who of ['ann', 'bob'])
        g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--password-file', g.file(`${who}.pw`, `${PASSWORD}\n`));
      mine = g.cli('subscription', 'create', '--product', 'gold', '--user', 'ann@example.com', '--name', 'Mine', '--format', 'json').json();
      other = g.cli('subscription', 'create', '--product', 'gold', '--user', 'bob@example.com', '--format', 'json').json();
    },
  });
  token = gw.cli('trace', 'token', '--subscription', mine.id).stdout.trim();
});
after(async () => {
  await gw?.stop();
  await pets?.close();
});

function hasNoSecret(text) {
  for (const secret of [SECRET.slice(0, -1), encodeURIComponent(SECRET.slice(0, -1)), 's3cret', PLAIN_SECRET, 'plain-sec', CALLER_TOKEN, QUERY_TOKEN,
    COOKIE, 'policy-made-4410', mine.primaryKey, mine.secondaryKey, token])
    assert.ok(!text.includes(secret), `${secret} in\n${text}`);
}

test('a traced call shows its steps and no secret', async () => {
  const r = await traced(token, { Authorization: `Bearer ${CALLER_TOKEN}`, Cookie: `a=${COOKIE}` }, `?n=1&token=${QUERY_TOKEN}`);
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
  assert.deepEqual([step.section, step.scope, step.line, step.decision], ['inbound', 'api', 6, 'X-Internal: internal-route-7']);
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
  assert.match(text, /inbound +api +6 +set-header +\d+ us +X-Internal: internal-route-7/);
  hasNoSecret(text);
});

test('what an access rule asks for is not shown', async () => {
  const admin = gw.cli('trace', 'token', '--all').stdout.trim();
  gw.cli('application', 'create', 'mes', '--name', 'MES', '--owner', 'ann@example.com');
  gw.cli('subscription', 'create', '--product', 'gold', '--application', 'mes');
  const { secret } = gw.cli('caller', 'create', 'client', 'mes-client', '--application', 'mes', '--format', 'json').json();
  gw.cli('import', 'openapi', gw.file('ruled.json', SPEC), '--path', 'ruled', '--name', 'ruled', '--backend', pets.url, '--product', 'gold');
  gw.cli('auth-key', 'rotate', '--purpose', 'identity');
  gw.cli('access', 'set', '--api', 'ruled', '--file', gw.file('rule.yaml', `anyOf: [ { method: client }, { method: jwt, issuer: 'http://127.0.0.1:1', header: X-Their-Token } ]
identity:
  token: { header: X-Our-Token }
`));
  const headers = { 'Client-Id': 'mes-client', 'Client-Secret': secret, 'X-Their-Token': 'opaque-thing-7781', 'Apim-Debug-Authorization': admin };
  const r = await until(async () => {
    const one = await fetch(`${gw.url}/api/ruled/pets`, { headers });
    return one.status === 200 && one;
  }, 'the rule');
  const ours = pets.seen.at(-1).headers['x-our-token'];
  assert.match(ours, /^eyJ/);
  const json = await shown(r.headers.get('apim-trace-id'), '--format', 'json');
  for (const hidden of [secret, 'opaque-thing-7781', ours]) assert.ok(!json.includes(hidden), `${hidden} in\n${json}`);
  assert.equal(JSON.parse(json).request.headers.find((h) => h.name.toLowerCase() === 'client-secret').value, '***');
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

// A token as the gateway signs it, with any claims.
function signed(claims) {
  const master = Buffer.from(fs.readFileSync(path.join(gw.state, 'master.key'), 'utf8').trim(), 'hex');
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const key = createHmac('sha256', master).update('trace-token').digest();
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
}

test('an expired token and one for another API are told in the reference\'s own fields', async () => {
  const now = Math.floor(Date.now() / 1000);
  const good = await traced(signed({ v: 1, exp: now + 60, sub: mine.id, admin: false }));
  assert.ok(good.headers.get('apim-trace-id'), 'tokens of this test are signed as the gateway does');
  const expired = await traced(signed({ v: 1, exp: now - 5, sub: mine.id, admin: false }));
  assert.deepEqual([expired.status, expired.headers.get('apim-trace-error'), expired.headers.get('apim-trace-id')], [200, 'expired token', null]);
  assert.equal(Date.parse(expired.headers.get('apim-debug-authorization-expired')), (now - 5) * 1000);
  const wrong = await traced(gw.cli('trace', 'token', '--all', '--api', 'big').stdout.trim());
  assert.deepEqual([wrong.headers.get('apim-debug-authorization-wrongapi'), wrong.headers.get('apim-trace-id')], ['token of another API', null]);
  const right = await traced(gw.cli('trace', 'token', '--all', '--api', 'pets').stdout.trim());
  assert.ok(right.headers.get('apim-trace-id'));
});

test('calls that are refused at the key or at routing are traced too', async () => {
  const all = gw.cli('trace', 'token', '--all').stdout.trim();
  for (const [what, url, headers, status, failure] of [
    ['no key', '/api/pets/pets', {}, 401, 'key_missing'],
    ['a wrong key', '/api/pets/pets', { 'X-Api-Key': 'nobody-has-this-key' }, 401, 'key_invalid'],
    ['no operation', '/api/pets/nothing', { 'X-Api-Key': mine.primaryKey }, 404, 'operation_not_found'],
    ['no API', '/api/nowhere', {}, 404, 'api_not_found'],
  ]) {
    for (const t of [all, token]) {
      const r = await fetch(`${gw.url}${url}`, { headers: { ...headers, 'Apim-Debug-Authorization': t } });
      assert.equal(r.status, status, what);
      const id = r.headers.get('apim-trace-id');
      assert.ok(id, `${what}: ${r.headers.get('apim-trace-error')}`);
      const trace = JSON.parse(await shown(id, '--format', 'json'));
      assert.deepEqual([trace.status, trace.backend, trace.request.method], [status, null, 'GET'], what);
      assert.ok(trace.failure, what);
      if (failure.startsWith('key')) assert.equal(trace.failure, failure);
      hasNoSecret(JSON.stringify(trace));
    }
  }
  const foreign = await fetch(`${gw.url}/api/pets/pets`, { headers: { 'X-Api-Key': 'x', 'Apim-Debug-Authorization': `${token}x` } });
  assert.equal(foreign.headers.get('apim-trace-id'), null);
});

test('a trace has at most 256 KiB', async () => {
  const r = await fetch(`${gw.url}/api/big/pets`, { headers: { 'X-Api-Key': mine.primaryKey, 'Apim-Debug-Authorization': token } });
  assert.equal(r.status, 200);
  const trace = JSON.parse(await shown(r.headers.get('apim-trace-id'), '--format', 'json'));
  assert.ok(JSON.stringify(trace).length <= 262144, `${JSON.stringify(trace).length}`);
  assert.ok(trace.steps.length > 100 && trace.steps.length < 600, `${trace.steps.length} steps`);
  assert.match(trace.note, /cut/);
});

test('whose calls: a user gets credentials and traces of own subscriptions only, and not what was added for the backend', async () => {
  const as = (who, ...args) => gw.cli('trace', ...args, '--user', `${who}@example.com`, { fails: true });
  const own = as('ann', 'token', '--subscription', mine.id);
  assert.equal(own.code, 0, own.stderr);
  for (const [who, args, why] of [['bob', ['--subscription', mine.id], /no subscription/], ['ann', ['--subscription', 'none'], /no subscription/],
    ['ann', ['--all'], /only an administrator/]]) {
    const r = as(who, 'token', ...args);
    assert.equal(r.code, 1);
    assert.match(r.stderr, why);
  }
  const id = (await traced(own.stdout.trim())).headers.get('apim-trace-id');
  await shown(id);
  const seen = as('ann', 'show', id);
  assert.equal(seen.code, 0, seen.stderr);
  assert.ok(!seen.stdout.includes('internal-route-7') && !seen.stdout.includes('code=***'), seen.stdout);
  hasNoSecret(seen.stdout);
  const strange = as('bob', 'show', id);
  assert.equal(strange.code, 1);
  assert.match(strange.stderr, /there is no trace/);
  assert.equal(gw.cli('trace', 'show', id, '--user', gw.admin.email).stdout.includes('internal-route-7'), true);
  assert.ok(as('ann', 'list').stdout.includes(id));
  assert.ok(!as('bob', 'list').stdout.includes(id));
  assert.ok(!as('bob', 'list', '--subscription', mine.id).stdout.includes(id));
  const listed = gw.cli('trace', 'list', '--format', 'json').json();
  assert.deepEqual([listed.find((t) => t.id === id).subscription, listed.find((t) => t.id === id).path], [mine.id, '/api/pets/pets']);
  assert.ok(listed.length <= 50);
});

test('the same in the portal', async () => {
  const stranger = await new Visitor(gw.url).open('/account/traces');
  assert.ok(stranger.says('Sign in'), 'only for those who have signed in');
  const ann = await (await new Visitor(gw.url).signIn('ann@example.com', PASSWORD)).follow();
  await ann.open('/account/traces');
  assert.ok(ann.says('<option value="') && ann.says('Mine'));
  await ann.submit('/account/traces', { subscription: mine.id });
  assert.equal(ann.status, 200);
  assert.equal(ann.answer.headers.get('cache-control'), 'no-store');
  const credential = /id="token">([^<]+)</.exec(ann.html)[1];
  const id = (await traced(credential)).headers.get('apim-trace-id');
  assert.ok(id);
  await until(async () => { await ann.open('/account/traces'); return ann.html.includes(`/account/traces/${id}`); }, 'the list');
  await ann.open(`/account/traces/${id}`);
  assert.equal(ann.status, 200);
  assert.ok(ann.says('X-Internal') && !ann.says('internal-route-7') && ann.says('set-variable'));
  assert.ok(ann.html.includes('<dd>Mine</dd>') && !ann.html.includes(`<dd>${mine.id}</dd>`), 'a subscription by its name');
  hasNoSecret(ann.html);
  await ann.open('/account/traces');
  await ann.submit('/account/traces', { subscription: other.id });
  assert.equal(ann.status, 422);
  assert.ok(ann.says('not yours') && !ann.html.includes('id="token"'));
  await ann.open('/account/traces');
  await ann.submit('/account/traces', { subscription: '' });
  assert.equal(ann.status, 422);
  const bob = await (await new Visitor(gw.url).signIn('bob@example.com', PASSWORD)).follow();
  await bob.open(`/account/traces/${id}`);
  assert.equal(bob.status, 404);
  await bob.open('/account/traces');
  assert.ok(!bob.html.includes(id));
});
