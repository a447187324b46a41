// What an administrator does by a command, by a call of the management API, by files and with the mouse is one and the same: the same message for what
// is wrong, the same document for what is not, the same entry of the audit trail.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { execFile, execFileSync } = require('node:child_process');
const { start } = require('./harness');
const { request, sql, Visitor } = require('./people');

const PLURAL = { policy: 'policies', 'policy-fragment': 'policy-fragments', terms: 'terms-of-use' };
const XML = (name) => `<policies><inbound><base /><set-header name="${name}"><value>v</value></set-header></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const PEM = execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=one', '-days', '3650'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
// kind, id, what is there before (null: nothing), the command, what the command says as a document
const ROWS = [
  ['a product', 'product', 'x', null, ['product', 'create', 'x', '--name', 'X', '--api', 'orders', '--approval', 'manual', '--require-key', 'no'],
    { name: 'X', apis: ['orders'], approval: 'manual', subscriptionRequired: false }],
  ['of an API that is not there', 'product', 'x', null, ['product', 'create', 'x', '--api', 'nope'], { name: 'x', apis: ['nope'] }],
  ['under a bad id', 'product', 'a;b', null, ['product', 'create', 'a;b'], { name: 'a;b' }],
  ['a name of two lines', 'product', 'x', { name: 'X' }, ['product', 'set', 'x', '--name', 'a\nb'], { name: 'a\nb' }],
  ['terms and priority', 'product', 'x', { name: 'X', apis: ['orders'] }, ['product', 'set', 'x', '--terms', 'Be kind.', '--priority', 'high', '--publish', 'no', '--group', 'developers'],
    { terms: 'Be kind.', priority: 'high', state: 'draft', groups: ['developers'] }],
  ['a group that is not there', 'product', 'x', { name: 'X' }, ['product', 'set', 'x', '--group', 'nope'], { groups: ['nope'] }],
  ['an API put in', 'product', 'x', { name: 'X' }, ['product', 'add-api', 'x', 'orders'], { apis: ['orders'] }],
  ['an API moved', 'api', 'o2', { name: 'O', path: 'o2', backendUrl: 'https://o.example' }, ['api', 'set', 'o2', '--path', 'o3', '--backend-id', 'erp', '--tag', 'b', '--tag', 'a'],
    { path: 'o3', backend: 'erp', backendUrl: null, tags: ['b', 'a'] }],
  ['onto the place of another', 'api', 'o2', { name: 'O', path: 'o2' }, ['api', 'set', 'o2', '--path', 'orders'], { path: 'orders' }],
  ['to no path', 'api', 'o2', { name: 'O', path: 'o2' }, ['api', 'set', 'o2', '--path', '/o{x}'], { path: '/o{x}' }],
  ['deprecated', 'api', 'o2', { name: 'O', path: 'o2' }, ['api', 'set', 'o2', '--stage', 'deprecated', '--deprecation-date', '2031-01-01', '--sunset-date', '2031-02-01'],
    { state: 'deprecated', deprecated: '2031-01-01T00:00:00Z', sunset: '2031-02-01T00:00:00Z' }],
  ['gone before it is deprecated', 'api', 'o2', { name: 'O', path: 'o2' }, ['api', 'set', 'o2', '--stage', 'deprecated', '--deprecation-date', '2031-03-01', '--sunset-date', '2031-02-01'],
    { state: 'deprecated', deprecated: '2031-03-01T00:00:00Z', sunset: '2031-02-01T00:00:00Z' }],
  ['a sunset without that', 'api', 'o2', { name: 'O', path: 'o2' }, ['api', 'set', 'o2', '--sunset-date', '2031-02-01'], { sunset: '2031-02-01T00:00:00Z' }],
  ['a revision that is not there', 'api', 'o2', { name: 'O', path: 'o2' }, ['api', 'make-current', 'o2', '7'], { revision: 7 }],
  ['a backend', 'backend', 'b', null, ['backend', 'set', 'b', '--url', 'https://b.example', '--max-calls', '5', '--tls-min', '1.3', '--verify-name', 'no'],
    { name: 'b', url: 'https://b.example', maxCalls: 5, tlsMinVersion: '1.3', verifyName: false }],
  ['a pool', 'backend', 'b', null, ['backend', 'set', 'b', '--member', 'erp:3:1', '--balance', 'hash', '--hash-on', 'path'],
    { name: 'b', members: [{ backend: 'erp', weight: 3, priority: 1 }], balance: 'hash', hashOn: 'path' }],
  ['no address', 'backend', 'b', { url: 'https://b.example' }, ['backend', 'set', 'b', '--url', 'ftp://b.example'], { url: 'ftp://b.example' }],
  ['a socket that is no path', 'backend', 'b', { url: 'https://b.example' }, ['backend', 'set', 'b', '--unix-socket', 'run/b'], { unixSocket: 'run/b' }],
  ['a member that is not there', 'backend', 'b', null, ['backend', 'set', 'b', '--member', 'nope'], { name: 'b', members: [{ backend: 'nope' }] }],
  ['a value', 'named-value', 'v', null, ['named-value', 'set', 'v', '--value', 'hello', '--tags', 'one two', '--rotate-by', '2031-01-01'],
    { value: 'hello', tags: ['one', 'two'], rotateBy: '2031-01-01T00:00:00Z' }],
  ['sealed as it stands', 'named-value', 'v', { value: 'hello' }, ['named-value', 'set', 'v', '--secret'], { value: null, secret: 'hello' }],
  ['a reference in place of what is sealed', 'named-value', 'v', { secret: 'hush' }, ['named-value', 'set', 'v', '--ref', 'env:HOME'], { secret: { ref: 'env:HOME' } }],
  ['under a bad name', 'named-value', 'a b', null, ['named-value', 'set', 'a b', '--value', 'x'], { value: 'x' }],
  ['a group', 'group', 'g', null, ['group', 'create', 'g', '--name', 'G', '--description', 'All'], { name: 'G', description: 'All' }],
  ['a tier', 'tier', 't', null, ['tier', 'create', 't', '--product', 'gold', '--rate', '5/1', '--quota', '100/60'],
    { product: 'gold', name: 't', limits: [{ kind: 'rate', calls: 5, seconds: 1 }, { kind: 'quota', calls: 100, seconds: 60 }] }],
  ['of no product', 'tier', 't', null, ['tier', 'create', 't', '--product', 'nope'], { product: 'nope', name: 't' }],
  ['another tier', 'tier', 't', { product: 'gold', name: 'T' }, ['tier', 'set', 't', '--deprecated', 'yes', '--concurrency', '5'],
    { deprecated: true, limits: [{ kind: 'concurrency', calls: 5 }] }],
  ['an environment', 'environment', 'e', null, ['environment', 'create', 'e', '--prefix', 'e'], { name: 'e', pathPrefix: 'e', kind: 'sandbox' }],
  ['at no path', 'environment', 'e', null, ['environment', 'create', 'e', '--prefix', '/e/'], { name: 'e', pathPrefix: '/e/', kind: 'sandbox' }],
  ['a version set', 'version-set', 'w', null, ['version-set', 'set', 'w', '--scheme', 'header', '--parameter', 'X-Version'],
    { name: 'w', scheme: 'header', parameter: 'X-Version' }],
  ['a policy', 'policy', 'api:orders', null, ['policy', 'set', '--scope', 'api:orders', 'FILE'], { policy: XML('X-A') }, XML('X-A')],
  ['a fragment', 'policy-fragment', 'f', { policy: '<fragment />' }, ['fragment', 'set', 'f', 'FILE'], { policy: '<fragment>\n</fragment>' }, '<fragment>\n</fragment>'],
  ['a person who may not come in', 'user', 'ann', {}, ['user', 'set', 'ann@example.com', '--access', 'blocked', '--last-name', 'Ant'], { state: 'blocked', lastName: 'Ant' }],
  ['of no role', 'user', 'ann', {}, ['group', 'add-user', 'nope', 'ann@example.com'], { groups: ['developers', 'nope'] }],
  ['a subscription', 'subscription', 's1', {}, ['subscription', 'set-state', 's1', 'suspended', '--note', 'late'], { state: 'suspended', note: 'late' }],
  ['that ends before it begins', 'subscription', 's1', {}, ['subscription', 'set', 's1', '--ends', '2001-01-01'], { ends: '2001-01-01T00:00:00Z' }],
  ['with a tier of another product', 'subscription', 's1', {}, ['subscription', 'set', 's1', '--tier', 'other'], { tier: 'other' }],
  ['an application', 'application', 'shop', {}, ['application', 'set', 'shop', '--name', 'Shop 2', '--add-owner', 'ann@example.com'], { name: 'Shop 2', owners: ['ann'] }],
  ['who may call', 'access-rule', 'api:orders', null, ['access', 'set', '--api', 'orders', 'jwt(issuer=https://login.example, scope=read) | key'],
    { rule: { anyOf: [{ method: 'jwt', issuer: 'https://login.example', scope: 'read' }, { method: 'key' }] } }],
  ['of no API', 'access-rule', 'api:nope', null, ['access', 'set', '--api', 'nope', 'key'], { rule: { anyOf: [{ method: 'key' }] } }],
  ['by an authority that is not there', 'access-rule', 'product:gold', null, ['access', 'set', '--product', 'gold', 'cert(ca=nope)'], { rule: { anyOf: [{ method: 'cert', ca: 'nope' }] } }],
  ['from where', 'network-rule', 'api:orders', { allow: ['10.0.0.0/8'], httpsOnly: true }, ['network', 'set', '--scope', 'api:orders', '--allow', '192.0.2.1,192.0.2.2', '--deny', '2001:db8::/32'],
    { allow: ['192.0.2.1', '192.0.2.2'], deny: ['2001:db8::/32'] }],
  ['from everywhere', 'network-rule', 'all', null, ['network', 'set', '--scope', 'global', '--allow', 'none', '--https-only', 'yes'], { allow: [], httpsOnly: true }],
  ['from nowhere', 'network-rule', 'all', null, ['network', 'set', '--scope', 'global', '--allow', '10.0.0.0/33'], { allow: ['10.0.0.0/33'] }],
  ['what one may', 'consumer-rule', 's1/orders', null, ['consumer-rule', 'set', 's1', '--api', 'orders', '--methods', 'GET,HEAD', '--rate', '5/1'],
    { methods: ['GET', 'HEAD'], limits: [{ kind: 'rate', calls: 5, seconds: 1 }] }],
  ['one that is not there', 'consumer-rule', 'nobody', null, ['consumer-rule', 'set', 'nobody', '--methods', 'GET'], { methods: ['GET'] }],
  ['nothing', 'consumer-rule', 's1', null, ['consumer-rule', 'set', 's1'], {}],
  ['no method', 'consumer-rule', 's1', null, ['consumer-rule', 'set', 's1', '--methods', 'get'], { methods: ['get'] }],
  ['a certificate', 'certificate', 'ca', null, ['certificate', 'set', 'ca', '--authority', '--rotate-by', '2031-01-01', '--file', 'FILE'],
    { certificate: PEM, key: null, authority: true, rotateBy: '2031-01-01T00:00:00Z' }, PEM],
  ['that is none', 'certificate', 'ca', null, ['certificate', 'set', 'ca', '--file', 'FILE'], { certificate: 'PEM', key: null }, 'PEM'],
  ['a logger', 'logger', 'l', null, ['logger', 'create', 'l', '--kind', 'http', '--url', 'https://l.example', '--timeout-ms', '500'],
    { kind: 'http', settings: { url: 'https://l.example', timeoutMs: 500 }, secretHeaders: null }],
  ['that goes nowhere', 'logger', 'l', null, ['logger', 'create', 'l', '--kind', 'file', '--path', 'l.log'], { kind: 'file', settings: { path: 'l.log' }, secretHeaders: null }],
  ['a schema', 'schema', 'x', { schema: '{}', description: 'old' }, ['schema', 'set', 'x', '--description', 'new', '--file', 'FILE'],
    { kind: 'json', description: 'new', schema: '{"type": "object"}' }, '{"type": "object"}'],
  ['that is none', 'schema', 'x', null, ['schema', 'set', 'x', '--file', 'FILE'], { kind: 'json', schema: '{"type": 1}' }, '{"type": 1}'],
  ['a caller', 'caller', 'token:https://login.example shop', null, ['caller', 'create', 'token', 'https://login.example shop', '--application', 'shop', '--group', 'a', '--name', 'Shop'],
    { application: 'shop', groups: ['a'], name: 'Shop' }],
  ['of a blank group', 'caller', 'token:i x', null, ['caller', 'create', 'token', 'i x', '--group', 'a b'], { groups: ['a b'] }],
  ['that may not call', 'caller', 'token:i s', { application: 'shop' }, ['caller', 'set', 'token', 'i s', '--suspended', 'yes', '--application', ''], { state: 'suspended', application: null }],
  ['an alert', 'alert-rule', 'r', null, ['alert', 'set', 'r', '--kind', 'status', '--api', 'orders', '--status', '404 5xx', '--threshold', '5', '--period', '5m', '--mail', 'ops@example.com'],
    { kind: 'status', api: 'orders', status: ['404', '5xx'], threshold: 5, periodSeconds: 300, mails: ['ops@example.com'] }],
  ['about all again', 'alert-rule', 'r', { kind: 'requests', threshold: '5', api: 'orders', mails: ['a@example.com'] }, ['alert', 'set', 'r', '--api', 'none', '--mail', 'none', '--enabled', 'no'],
    { api: null, mails: [], enabled: false }],
  ['of no number', 'alert-rule', 'r', null, ['alert', 'set', 'r', '--kind', 'requests', '--threshold', 'many'], { kind: 'requests', threshold: 'many' }],
  ['without a status', 'alert-rule', 'r', null, ['alert', 'set', 'r', '--kind', 'status', '--threshold', '5'], { kind: 'status', threshold: '5' }],
  ['a webhook', 'alert-webhook', 'w', { url: 'https://w.example', secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3' }, ['alert', 'webhook-set', 'w', '--url', 'https://w2.example', '--enabled', 'no'],
    { url: 'https://w2.example', enabled: false }],
  ['without an address', 'alert-webhook', 'w', null, ['alert', 'webhook-set', 'w'], {}],
  ['a credential', 'credential', 'default/k', null, ['credential', 'set', 'k', '--kind', 'api-key', '--set', 'header=X-Key', '--secret-file', 'value=FILE', '--rotate-by', '2031-01-01'],
    { kind: 'api-key', name: 'k', settings: { header: 'X-Key' }, secrets: { value: 'hush' }, rotateBy: '2031-01-01T00:00:00Z' }, 'hush'],
  ['a reference in place of what is sealed', 'credential', 'default/k', { kind: 'api-key', name: 'K', settings: { header: 'X-Key' }, secrets: { value: 'hush' } },
    ['credential', 'set', 'k', '--secret-ref', 'value=env:HOME'], { secrets: { value: { ref: 'env:HOME' } } }],
  ['without a reminder', 'credential', 'default/k', { kind: 'api-key', name: 'K', settings: {}, secrets: { value: 'hush' }, rotateBy: '2031-01-01T00:00:00Z' },
    ['credential', 'set', 'k', '--rotate-by', 'none'], { rotateBy: null }],
  ['of another kind', 'credential', 'default/k', { kind: 'api-key', name: 'K', settings: {}, secrets: { value: 'hush' } },
    ['credential', 'set', 'k', '--kind', 'basic', '--set', 'username=u', '--secret-file', 'password=FILE'], { kind: 'basic', settings: { username: 'u' }, secrets: { value: { sealed: true }, password: 'hush' } }, 'hush'],
  ['without what it needs', 'credential', 'default/k', null, ['credential', 'set', 'k', '--kind', 'api-key'], { kind: 'api-key', name: 'k', settings: {} }],
  ['of no environment', 'credential', 'nope/k', null, ['credential', 'set', 'k', '--environment', 'nope', '--kind', 'api-key', '--set', 'header=X'], { kind: 'api-key', name: 'k', settings: { header: 'X' } }],
  ['a provider', 'identity-provider', 'idp', null, ['identity-provider', 'create', 'idp', '--issuer', 'https://login.example', '--client-id', 'c', '--group', 'eng=developers', '--role', 'ops=operator', '--for', 'both'],
    { issuer: 'https://login.example', clientId: 'c', clientSecret: null, groups: { eng: 'developers' }, roles: { ops: 'operator' }, portal: true, dashboard: true }],
  ['of no group and no role', 'identity-provider', 'idp', null, ['identity-provider', 'create', 'idp', '--issuer', 'login.example', '--client-id', 'c', '--group', 'a=nope', '--role', 'a=king'],
    { issuer: 'login.example', clientId: 'c', clientSecret: null, groups: { a: 'nope' }, roles: { a: 'king' }, portal: true, dashboard: false }],
  ['a sign-in', 'sign-in', 'orders', null, ['iap', 'set', '--api', 'orders', '--provider', 'idp0', '--groups', 'staff, all hands', '--idle', '60'],
    { provider: 'idp0', groups: ['staff', 'all hands'], idleSeconds: 60 }],
  ['at no provider', 'sign-in', 'orders', null, ['iap', 'set', '--api', 'orders', '--provider', 'nope', '--max', '10'], { provider: 'nope', groups: [], maxSeconds: 10 }],
  ['that ends before it idles', 'sign-in', 'orders', null, ['iap', 'set', '--api', 'orders', '--provider', 'idp0', '--max', '10'], { provider: 'idp0', groups: [], maxSeconds: 10 }],
  ['a page', 'page', 'orders/guide', null, ['page', 'set', 'guide', '--api', 'orders', '--audience', 'group:developers', '--position', '-2', '--file', 'FILE'],
    { title: 'guide', body: '# Guide\n', audience: 'group', group: 'developers', inMenu: false, position: -2 }, '# Guide\n'],
  ['of a group that is not there', 'page', 'guide', { title: 'Guide' }, ['page', 'set', 'guide', '--audience', 'group:nope'], { audience: 'group', group: 'nope' }],
  ['for everybody again', 'page', 'guide', { title: 'Guide', audience: 'group', group: 'developers' }, ['page', 'set', 'guide', '--audience', 'everybody', '--menu', 'yes'],
    { audience: 'everybody', group: null, inMenu: true }],
  ['terms', 'terms', 'portal', {}, ['terms', 'set', 'FILE'], { text: '# Be kind\n' }, '# Be kind\n'],
];

// of the release build: two processes a row, and what is compared does not depend on it
test('by command, by call and by file: one validation, one result, one trail', async (t) => {
  let token;
  const gw = await start({ server: 'nginx', workers: 1, build: 'release', setup(g) { token = g.cli('machine-token', 'create', 'tests', '--role', 'administrator', '--scope', 'write').stdout.trim(); } });
  t.after(() => gw.stop());
  const call = async (method, kind, id, body) => {
    const there = method !== 'GET' && (await call('GET', kind, id)).status === 200;
    const answer = await request(method, new URL(`${gw.url}/admin/api/v1/${PLURAL[kind] || `${kind}s`}/${encodeURIComponent(id)}`), { authorization: `Bearer ${token}`, ...(there ? { 'if-match': '*' } : {}),
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }, body && JSON.stringify(body));
    return { status: answer.status, body: answer.text ? JSON.parse(answer.text) : undefined };
  };
  const must = async (...args) => { const a = await call(...args); assert.ok(a.status < 300, `${args.slice(0, 3)}: ${JSON.stringify(a.body)}`); return a.body; };
  const seq = () => Number(sql(gw, 'SELECT max(seq) FROM audit_entry'));
  // what the keeper reads anew by itself, whenever it gets to it, is nobody's change
  const trail = (from) => JSON.parse(sql(gw, `SELECT json_group_array(json_object('action', action, 'kind', kind, 'id', object_id, 'detail', json(detail))) FROM audit_entry WHERE seq > ${from} AND action <> 'refresh'`));
  // what it is made of: without dates of the store and secrets
  const writable = (doc) => Object.fromEntries(Object.entries(doc).filter(([k]) => !/^(created|changed|signedIn|builtIn|problem|.*Key(Prefix)?)$/.test(k)));
  const shown = async (kind, id) => { const a = await call('GET', kind, id); return a.status === 200 ? writable(a.body) : null; };
  const file = (text) => { const name = path.join(gw.dir, 'one-result.yaml'); fs.writeFileSync(name, text); return name; };
  const ways = {
    command: (kind, id, before, args, change, text) => {
      const name = text && file(text), r = gw.cli(...args.map((a) => a.replace(/FILE$/, name)), { fails: 'perhaps', adopt: false });
      return r.stderr.split('gatehouse: error: ').slice(1).map((m) => m.trim());
    },
    call: async (kind, id, before, args, change) => {
      const a = await (before ? call('PATCH', kind, id, change) : call('PUT', kind, id, change));
      return a.status < 300 ? [] : (a.body.errors || [a.body]).map((e) => e.detail);
    },
    file: async (kind, id, before, args, change) => {
      const doc = { ...(before ? await shown(kind, id) : {}), ...change };
      const lines = Object.entries({ ...doc, id }).map(([k, v]) => `${k}: ${JSON.stringify(v)}\n`).join('');
      const r = gw.cli('apply', '--yes', file(`$kind: ${kind}\n${lines}`), { fails: 'perhaps', adopt: false });
      return r.stderr.split(' error: ').slice(1).map((m) => m.replace(/\n.*$/s, ''));
    },
  };
  // the words alone: a command names the field in front, a file has its place there
  const words = (messages, kind, id) => messages.map((m) => m.replace(`${kind} ${id}: `, '').replace(/^[A-Za-z0-9/]+: (?=\S+ )/, '').trim()).sort();

  for (const [kind, id, doc] of [['backend', 'erp', { url: 'https://erp.example' }], ['api', 'orders', { name: 'Orders', path: 'orders', backend: 'erp' }],
    ['product', 'gold', { name: 'Gold', apis: ['orders'] }], ['product', 'other', { name: 'Other' }], ['tier', 'other', { product: 'other', name: 'O' }],
    ['user', 'ann', { email: 'ann@example.com' }], ['identity-provider', 'idp0', { issuer: 'https://login.example', clientId: 'c' }], ['application', 'shop', { name: 'Shop' }], ['subscription', 's1', { product: 'gold', user: 'ann' }]]) await must('PUT', kind, id, doc);

  for (const [label, kind, id, before, args, change, text] of ROWS) await t.test(`${kind}: ${label}`, async () => {
    const got = {}, there = before && await shown(kind, id);
    for (const way of Object.keys(ways)) {
      if (before && !there) await must('PUT', kind, id, before);
      const from = seq(), messages = await ways[way](kind, id, before, args, change, text);
      got[way] = { messages: words(messages, kind, id), document: await shown(kind, id), trail: trail(from) };
      if (!before) await call('DELETE', kind, id);
      else if (there) await must('PUT', kind, id, there);
      else await must('DELETE', kind, id);
    }
    assert.deepStrictEqual(got.command, got.call, 'command and call');
    assert.deepStrictEqual(got.file, got.call, 'file and call');
    assert.ok(got.call.messages.length ? !got.call.trail.length : got.call.trail.length === 1, JSON.stringify(got.call));
  });

  await t.test('what the dashboard does to a subscription is what a call does to it', async () => {
    const desk = await new Visitor(`${gw.url}/admin`).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in');
    const press = async (where, form) => {
      await desk.open('/admin/subscriptions');
      await desk.send('POST', `/admin/subscriptions/${where}`, { form: { csrf: /name="csrf" value="([^"]+)"/.exec(desk.html)[1], ...form } });
    };
    for (const [deed, from, to] of [['approve', 'submitted', 'active'], ['reject', 'submitted', 'rejected'], ['suspend', 'active', 'suspended'], ['restore', 'suspended', 'active'], ['cancel', 'active', 'cancelled']]) {
      const trails = [];
      for (const way of [() => call('PATCH', 'subscription', 's1', { state: to, note: 'Why' }), () => press(`s1/${deed}`, { note: 'Why' }), () => deed !== 'cancel' && press('bulk', { pick: 's1', action: deed, note: 'Why' })]) {
        await must('PATCH', 'subscription', 's1', { state: from, note: '' });
        const at = seq();
        if (await way() !== false) trails.push(trail(at));
      }
      assert.strictEqual(trails[0].length, 1, deed);
      for (const other of trails.slice(1)) assert.deepStrictEqual(other, trails[0], deed);
    }
    await must('PUT', 'tier', 'big', { product: 'gold', name: 'Big' });
    const wish = () => execFileSync('sqlite3', ['-cmd', '.timeout 60000', `${gw.state}/config.db`, "INSERT INTO subscription_request (subscription_id, tier_id, message, user_id, created_us) VALUES ('s1', 'big', 'More', 'ann', 1)"]);
    await must('PATCH', 'subscription', 's1', { state: 'active', note: 'Old' });
    const both = [];
    for (const way of [() => call('PATCH', 'subscription', 's1', { tier: 'big' }), () => press('s1/grant-tier', {})]) {
      wish();
      const at = seq();
      await way();
      both.push(trail(at));
      assert.deepStrictEqual([(await shown('subscription', 's1')).note, sql(gw, 'SELECT count(*) FROM subscription_request')], ['Old', '0']);
      await must('PATCH', 'subscription', 's1', { tier: null });
    }
    assert.ok(both[0].length === 1, JSON.stringify(both));
    assert.deepStrictEqual(both[1], both[0]);
    await must('DELETE', 'tier', 'big');
  });

  await t.test('a description that a command imports is what its documents are as calls and as files', async () => {
    const described = (paths) => JSON.stringify({ openapi: '3.1.0', info: { title: `Bring\n${'é'.repeat(200)}`, version: '1' }, servers: [{ url: 'https://im.example' }], paths });
    const get = (operationId, summary) => ({ get: { operationId, summary, responses: { 200: { description: 'ok' } } } });
    const bring = (text, ...more) => ways.command(null, null, null, ['import', 'openapi', 'FILE', '--name', 'im', '--path', more.includes('a\\b') ? more.pop() : 'im', ...more], null, text);
    const KINDS = [['api', 'im'], ['operation', 'im/a'], ['operation', 'im/b'], ['operation', 'im/c'], ['api-description', 'im'], ['product', 'other']];
    const all = async () => { const out = []; for (const [kind, id] of KINDS) out.push([kind, id, await shown(kind, id)]); delete out[0][2]?.revision; return out; };    // which one is current stays as it is
    const sorted = (list) => list.map((e) => JSON.stringify(e)).sort();
    const states = [], trails = [];
    const other = await shown('product', 'other');
    for (const [paths, ...more] of [[{ '/a': get('a', 'x'.repeat(299) + 'é'), '/b': get('b', 'Two\tthings') }, '--product', 'other'], [{ '/a': get('b', 'B'), '/c': get('c', 'C') }]]) {
      const from = seq();
      assert.deepStrictEqual(await bring(described(paths), ...more), []);
      states.push(await all());
      trails.push(sorted(trail(from)));
    }
    assert.deepStrictEqual(trails.map((x) => x.length), [5, 4], 'an entry for each document that is another: API, operations, description, product');
    for (const way of ['call', 'file']) {
      await must('DELETE', 'api', 'im');
      await must('PUT', 'product', 'other', other);
      for (const [i, state] of states.entries()) {
        const from = seq();
        for (const [kind, id, doc] of state) if (!doc && await shown(kind, id)) await must('DELETE', kind, id);
        if (way === 'call') for (const [kind, id, doc] of state) { if (doc) await must('PUT', kind, id, doc); }
        else gw.cli('apply', '--yes', file(state.filter((x) => x[2]).map(([kind, id, doc]) => `$kind: ${kind}\n${Object.entries({ ...doc, id }).map(([k, v]) => `${k}: ${JSON.stringify(v)}\n`).join('')}`).join('---\n')), { adopt: false });
        assert.deepStrictEqual([await all(), sorted(trail(from))], [state, trails[i]], `${way} ${i}`);
      }
    }
    for (const [more, patch] of [[['--env', 'nope', '--backend', 'https://x.example'], { environment: 'nope' }], [['--version', 'v\n'], { version: 'v\n' }], [['a\\b'], { path: 'a\\b' }]]) {
      const from = seq(), says = words(await bring(described({ '/a': get('a', 'A') }), ...more), 'api', 'im');
      const call422 = words(await ways.call('api', 'im', true, null, patch), 'api', 'im');
      assert.ok(call422.length && call422.every((m) => says.some((s) => s.endsWith(m))), `${more}: ${says} | ${call422}`);
      assert.deepStrictEqual(trail(from), [], 'nothing of it happened');
    }
    for (const [kind, id, doc] of [['consumer-rule', 's1/im', { operations: ['b'] }], ['traffic-rule', 'api:im', { canary: { backend: 'erp', percent: 5, operations: ['b'] } }]]) {
      await must('PUT', kind, id, doc);
      const from = seq();
      assert.match((await bring(described({ '/a': get('a', 'A') }))).join(), new RegExp(`operation 'im/b' is in use by ${kind} '${id}'`), 'a rule names what the description has no more');
      assert.ok(await shown('operation', 'im/b') && !trail(from).length, 'nothing of it happened');
      await must('DELETE', kind, id);
    }
    await must('DELETE', 'api', 'im');
  });

  await t.test('of commands that add to one list at once, none takes away what another has added', async () => {
    const ids = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'];
    for (const id of ids) await must('PUT', 'api', id, { name: id, path: id, backend: 'erp' });
    const run = (...args) => new Promise((resolve, reject) => execFile(path.join(gw.bin, 'gatehouse'), args, { env: { ...process.env, GATEHOUSE_STATE: gw.state } },
      (e, out, said) => (e ? reject(new Error(said)) : resolve())));
    await Promise.all(ids.map((id) => run('product', 'add-api', 'other', id)));
    assert.deepStrictEqual((await call('GET', 'product', 'other')).body.apis, ids);
    await Promise.all([1, 2, 3].map(() => run('api', 'revise', 'a1')));
    assert.strictEqual(Number(sql(gw, "SELECT count(*) FROM api_revision WHERE api_id = 'a1'")), 4);
  });

  await t.test('a plan over the management API is applied only to the configuration that it was made for', async () => {
    const work = (what, state) => request('POST', new URL(`${gw.url}/admin/api/v1/${what}`), { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      JSON.stringify({ files: [{ path: 'x.yaml', text: '$kind: product\nid: planned\nname: Planned\n' }], ...(state ? { state } : {}) }));
    const { state } = JSON.parse((await work('plan')).text);
    await must('PATCH', 'product', 'gold', { description: 'what it does not touch may change' });
    await must('PUT', 'product', 'planned', { name: 'Somebody else', description: 'made meanwhile' });
    const refused = await work('apply', state);
    assert.strictEqual(refused.status, 409, refused.text);
    assert.match(refused.text, /somebody has changed the configuration since this was planned/);
    assert.strictEqual((await call('GET', 'product', 'planned')).body.name, 'Somebody else');
    const again = JSON.parse((await work('plan')).text).state;
    await must('PUT', 'subscription', 's2', { product: 'gold', user: 'ann' });
    assert.strictEqual((await work('apply', again)).status, 200, 'somebody who subscribes meanwhile is in nobody\'s way');
    assert.strictEqual((await call('GET', 'product', 'planned')).body.name, 'Planned');
  });
});
