// Operations of the management API that are no resources: one request of each that is carried out. From it and from the OpenAPI document
// come the others: a wrong type, a missing and an unknown member, a foreign id, no token, no right, a stale ETag, a dry run, a repetition.
'use strict';
const assert = require('node:assert');
const { execFileSync } = require('node:child_process');

const SCOPE = 'operation:orders/get-order';
const XML = (inside) => `<policies><inbound>${inside}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const OPENAPI = JSON.stringify({ openapi: '3.0.3', info: { title: 'Imported', version: '1' }, paths: { '/things': { get: { operationId: 'things', responses: { 200: { description: 'fine' } } } } } });
const FILES = [{ path: 'groups/filed.yaml', text: '$kind: group\nid: filed\nname: Filed\n' }];
const HEADER = '<base /><set-header name="X-B"><value>b</value></set-header>';

// By operationId, in the order in which they are called; c: the answers so far. params: of path and query; foreign: what names something
// that is not there; open: whoever may read anything may read it; all: it belongs to no environment; check: what the answer must say besides.
const OPERATIONS = {
  getOpenapi: () => ({ open: true, anybody: true }),
  getMe: () => ({ open: true, check: (b) => assert.strictEqual(b.actor, 'token:tests') }),
  exportFiles: () => ({ params: { api: 'orders' }, foreign: { api: 'nowhere' }, check: (b) => assert.ok(b.files.some((f) => f.path === 'apis/orders/api.yaml')) }),
  planFiles: () => ({ body: { files: FILES, secrets: {}, placeholders: false, state: '' }, foreign: { files: [{ path: 'tiers/t.yaml', text: '$kind: tier\nid: t\nname: T\nproduct: nowhere\n' }] },
    check: (b) => assert.strictEqual(b.summary.create, 1) }),
  applyFiles: () => ({ body: { files: FILES, secrets: {}, placeholders: false, state: '' }, foreign: { files: [{ path: 'tiers/t.yaml', text: '$kind: tier\nid: t\nname: T\nproduct: nowhere\n' }] },
    check: async (b, call) => assert.strictEqual((await call('DELETE', '/groups/filed', undefined, { 'if-match': '*' })).status, 204) }),
  promoteApi: () => ({ body: { api: 'orders', from: 'sandbox', to: 'default', backendUrl: 'https://erp.example/', with: ['policies'] }, foreign: { api: 'nowhere', to: 'nowhere', with: ['everything'] },
    check: async (b, call) => { assert.ok(b.summary.create); assert.strictEqual((await call('DELETE', `/apis/${b.instance}`, undefined, { 'if-match': '*' })).status, 204); } }),
  getGovernance: () => ({ params: { api: 'orders' }, foreign: { api: 'nowhere' }, check: (b) => assert.strictEqual(b.apis[0].id, 'orders') }),
  getCache: () => ({ params: { api: 'orders' }, check: (b) => assert.deepStrictEqual(b.items, []) }),
  purgeCache: () => ({ body: { api: 'orders' }, check: (b) => assert.strictEqual(b.removed, 0) }),
  listPolicyVersions: (c, w) => ({ params: { scope: SCOPE }, foreign: { scope: 'operation:orders/nowhere' }, check: async (b, call) => {
    assert.deepStrictEqual(b.items.map((v) => v.newest), [true, false]);
    for (const path of ['policy-versions', `policy-versions/${b.items[0].version}`, 'effective-policies']) {
      const far = await call('GET', `/${path}?scope=%20${encodeURIComponent(SCOPE)}`, undefined, {}, w.far);
      assert.strictEqual(far.status, 403, `${path} behind a blank: ${far.text}`);
    }
  } }),
  getPolicyVersion: (c) => ({ params: { version: c.listPolicyVersions.items[1].version, scope: SCOPE }, foreign: { version: '999999', scope: 'api:nowhere' },
    check: (b) => { assert.match(b.policy, /<inbound><base \/><\/inbound>/); assert.deepStrictEqual(b.restoring.map((l) => l.kind), ['old', 'new']); } }),
  restorePolicyVersion: (c) => ({ params: { version: c.listPolicyVersions.items[1].version }, body: { scope: SCOPE }, foreign: { version: '999999', scope: 'api:nowhere' },
    check: async (b, call) => {
      assert.strictEqual((await call('GET', `/policies/${encodeURIComponent(SCOPE)}`)).body.policy, c.getPolicyVersion.policy);
      const [last] = (await call('GET', '/audit?kind=policy&limit=1')).body.items;   // as the page and PUT leave it
      assert.deepStrictEqual([last.actor, Object.keys(last.detail)], ['token:tests', ['before', 'after']], JSON.stringify(last));
    } }),
  checkPolicy: () => ({ body: { scope: SCOPE, policy: XML(`${HEADER}\n<nothing />`) }, foreign: { scope: 'product:nowhere' },
    check: (b) => { assert.strictEqual(b.fine, false); assert.deepStrictEqual([b.problems[0].line, b.problems[0].column], [2, 1]); assert.ok(b.diff.length); } }),
  tryPolicy: () => ({ body: { scope: SCOPE, policy: XML(HEADER), method: 'GET', url: 'https://gw.example/orders/7', headers: { 'X-A': 'a' }, body: '', backendStatus: 203, backendHeaders: {},
    backendBody: 'x', context: {} }, foreign: { scope: 'product:nowhere' },
  check: async (b, call) => {
    assert.strictEqual(b.result.response.status, 203);
    assert.ok(b.result.trace.some((s) => s.policy === 'set-header'));
    const odd = [{ headers: { a: {} } }, { headers: { a: [7] } }, { url: 'no address' }, { method: '\u0000' }, { backendHeaders: { a: 1 } }, { context: { namedValues: 7 } }, { context: { api: [] } },
      { context: { backend: 'x' } }, { context: { scopes: { global: 1 } } }, { policy: '<policies>' }, { policy: '' }];
    for (const more of odd) {
      const got = await call('POST', '/policy-trials', { scope: SCOPE, policy: XML(HEADER), ...more });
      assert.ok([200, 400, 422].includes(got.status), `${JSON.stringify(more)}: ${got.status} ${got.text}`);
    }
    assert.strictEqual((await call('POST', '/policy-trials', { scope: SCOPE, policy: '<policies>' })).body.problems.length, 1);
  } }),
  getEffectivePolicy: () => ({ params: { scope: SCOPE, product: 'gold' }, foreign: { scope: 'operation:nowhere/x' },
    check: (b) => assert.deepStrictEqual(b.sections.map((s) => s.name), ['inbound', 'backend', 'outbound', 'on-error']) }),
  getPolicyCatalogue: () => ({ check: (b) => assert.ok(b.policies.some((p) => p.name === 'set-header')) }),
  listAudit: () => ({ params: { kind: 'policy', limit: '1' }, check: (b) => assert.ok(b.items.length === 1 && b.items[0].kind === 'policy' && b.next) }),
  exportAudit: () => ({ params: { kind: 'policy', format: 'csv' }, check: (b) => assert.match(b, /^number,at,actor,.*\r\n\d+,20/) }),
  verifyAudit: () => ({ check: (b) => assert.deepStrictEqual([b.whole, b.brokenAt], [true, null]) }),
  makeRevisionCurrent: () => ({ params: { api: 'orders' }, body: { revision: 2, note: 'Faster' }, foreign: { api: 'nowhere', revision: 99 },
    check: async (b, call) => {
      assert.deepStrictEqual([b.revision, b.revisionDescription], [2, 'Faster']);
      assert.strictEqual((await call('POST', '/apis/orders/current-revision', { revision: 1 })).body.revision, 1, 'rolled back');
    } }),
  getApiArchive: () => ({ params: { api: 'orders' }, foreign: { api: 'nowhere' }, check: (b) => assert.match(b, /^PK/) }),
  importApi: () => ({ body: { name: '', id: 'imported', path: 'imported', backendUrl: 'https://b.example', environment: 'sandbox', product: '', document: OPENAPI, address: '', state: '', secrets: {},
    placeholders: true }, foreign: { environment: 'nowhere', product: 'nowhere' },
  check: async (b, call) => {
    assert.deepStrictEqual(b, { apis: ['imported'], report: [], leftOut: 0, plan: null });
    assert.strictEqual((await call('GET', '/operations/imported%2Fthings')).body.uriTemplate, '/things');
    for (const [document, field, text] of [['{"openapi":"3.0.3",', 'document', /^Line 1, column /], ['<definitions/>', 'document', /^Line 1/]]) {
      const no = await call('POST', '/imports', { document });
      assert.deepStrictEqual([no.status, no.body.errors[0].pointer], [422, `#/${field}`], no.text);
      assert.match(no.body.errors[0].detail, text);
    }
    const far = await call('POST', '/imports', { address: 'file:///etc/passwd' });
    assert.deepStrictEqual([far.status, far.body.errors[0].pointer], [422, '#/address'], far.text);
    assert.strictEqual((await call('PUT', '/roles/maker', { name: 'Maker', permissions: ['view-apis', 'change-apis'] })).status, 201);
    const maker = (await call('PUT', '/machine-tokens/maker', { role: 'maker', scopes: ['write'] })).body.token;
    const into = await call('POST', '/imports', { id: 'smuggled', document: OPENAPI, environment: 'sandbox', product: 'gold' }, {}, maker);
    assert.strictEqual(into.status, 403, `a product that the role may not change: ${into.text}`);
    for (const path of ['/machine-tokens/maker', '/roles/maker']) assert.strictEqual((await call('DELETE', path, undefined, { 'if-match': '*' })).status, 204);
    const both = await call('POST', '/imports', { document: OPENAPI, address: 'https://a.example/' });
    assert.strictEqual(both.body.errors[0].pointer, '#/document', both.text);
    const kong = await call('POST', '/imports?dry-run=true', { document: '_format_version: "3.0"\nservices:\n- name: kong\n  url: https://k.example/\n  routes:\n  - name: all\n    paths: [/kong]\n', environment: 'sandbox' });
    assert.strictEqual(kong.status, 200, kong.text);
    assert.ok(kong.body.apis.length && kong.body.report.length && kong.body.plan.summary.create, kong.text);
    assert.strictEqual((await call('GET', `/apis/${kong.body.apis[0]}`)).status, 404, 'a dry run');
    const har = await call('POST', '/imports', { id: 'recorded', environment: 'sandbox', document: JSON.stringify({ log: { entries: [{ request: { method: 'GET', url: 'https://h.example/v1/a/1', headers: [], queryString: [] },
      response: { status: 200, headers: [], content: { mimeType: 'application/json', text: '{"a":1}' } } }] } }) });
    assert.ok(har.status === 200 && har.body.report.length, har.text);
    for (const id of ['imported', 'recorded']) assert.strictEqual((await call('DELETE', `/apis/${id}`, undefined, { 'if-match': '*' })).status, 204);
  } }),
  getSubscriptionRequest: (c, w) => {
    execFileSync('sqlite3', ['-cmd', '.timeout 60000', `${w.state}/config.db`, "INSERT INTO subscription_request (subscription_id, tier_id, message, user_id, created_us) VALUES ('s1', 'small', 'More, please', 'ann', 1)"]);
    return { params: { subscription: 's1' }, foreign: { subscription: 'nowhere' }, check: (b) => assert.deepStrictEqual([b.tier, b.message, b.email], ['small', 'More, please', 'ann@example.com']) };
  },
  decideSubscriptionRequest: () => ({ params: { subscription: 's1' }, body: { decision: 'refuse', note: 'Not yet' }, foreign: { subscription: 'nowhere', decision: 'perhaps' },
    check: async (b, call) => assert.strictEqual((await call('GET', '/subscriptions/s1/request')).status, 404) }),
  listCaptures: () => ({ params: { limit: '1' } }),
  startCapture: () => ({ body: { api: 'orders', subscription: '', address: '', minutes: 1, calls: 1, mask: '', bodies: true, bodyBytes: 0 }, foreign: { api: 'nowhere' } }),
  getCapture: (c) => ({ params: { capture: c.startCapture.id }, foreign: { capture: 'nowhere' }, check: (b) => assert.deepStrictEqual([b.api, b.on, b.captured], ['orders', true, []]) }),
  stopCapture: (c) => ({ params: { capture: c.startCapture.id }, foreign: { capture: 'nowhere' }, check: (b) => assert.strictEqual(b.endedBy, 'token:tests') }),
  getLive: () => ({ check: (b) => assert.ok(b.noData && b.rows.length === 30) }),
  getLiveEvents: () => ({ check: (b) => assert.match(b, /^retry: \d+\nevent: traffic\ndata: \[.*\]\n\n$/) }),
  listAlerts: () => ({ check: (b) => assert.deepStrictEqual([b.items[0].rule, b.items[0].state], ['errors', 'good']) }),
  getAlert: () => ({ params: { rule: 'errors' }, foreign: { rule: 'nowhere' } }),
  listAlertEvents: () => ({ params: { rule: 'errors', api: 'orders', limit: '5' } }),
  listAlertDeliveries: () => ({ params: { limit: '5' } }),
  getBackendState: () => ({ all: true, params: { backend: 'erp' }, foreign: { backend: 'nowhere' }, check: (b) => assert.deepStrictEqual(b.items.map((x) => [x.id, x.level, x.health]), [['erp', 'none', 'unknown']]) }),
  getTrafficRuleState: () => ({ params: { rule: 'api:orders' }, foreign: { rule: 'api:nowhere' }, check: (b) => assert.deepStrictEqual(b.items.map((x) => [x.part, x.id]), [['Mirror', 'erp']]) }),
  replaceSubscriptionKey: () => ({ params: { subscription: 's1' }, body: { key: 'secondary', overlapSeconds: 60 }, foreign: { subscription: 'nowhere' },
    check: (b) => assert.match(b.secondaryKey, /^[0-9a-f]{32}$/) }),
  listCredentialStates: () => ({ check: (b) => { const [c] = b.items.filter((x) => x.id === 'erp'); assert.deepStrictEqual([c.environment, c.connected, c.tokens, c.rotateBy], ['sandbox', false, [], null]); } }),
  forgetCredentialTokens: () => ({ params: { environment: 'sandbox', credential: 'erp' }, foreign: { environment: 'nowhere', credential: 'nothing' }, check: (b) => assert.strictEqual(b.forgotten, 0) }),
  remindCredential: () => ({ params: { environment: 'sandbox', credential: 'erp' }, body: { by: '2031-02-03' }, foreign: { credential: 'nothing' }, check: async (b, call) => {
    assert.strictEqual((await call('GET', '/credentials/sandbox%2Ferp')).body.rotateBy.slice(0, 10), '2031-02-03');
    assert.strictEqual((await call('POST', '/credentials/sandbox/erp/remind', { by: 'soon' })).body.errors[0].pointer, '#/by');
    assert.strictEqual((await call('POST', '/credentials/sandbox/erp/remind', { by: null })).body.rotateBy, null);
    assert.strictEqual((await call('POST', '/credentials/sandbox/erp/rotate')).status, 409, 'nothing replaces it by itself');
    assert.strictEqual((await call('GET', '/credentials/sandbox/erp/consent')).status, 409, 'nobody consents to a key');
  } }),
  getPerson: () => ({ params: { user: 'ann' }, foreign: { user: 'nowhere' }, check: async (b, call) => {
    assert.deepStrictEqual([b.email, b.state, b.applications.map((a) => a.id), b.calls, b.password], ['ann@example.com', 'active', ['shop'], [], false]);
    assert.ok(b.subscriptions.some((s) => s.id === 's1' && s.primaryBegins.length < 10) && b.trail.some((e) => e.action === 'create'));
    assert.strictEqual((await call('PUT', '/roles/desk', { name: 'Desk', permissions: ['view-apis', 'view-people'] })).status, 201);
    const { token } = (await call('PUT', '/machine-tokens/desk', { role: 'desk', scopes: ['read'] })).body, seen = (await call('GET', '/people/ann', undefined, {}, token)).body;
    assert.deepStrictEqual([seen.email, seen.applications, seen.subscriptions, seen.calls, seen.refusals, seen.trail], ['ann@example.com', null, null, null, null, null]);
    const narrow = (await call('POST', '/machine-tokens', { id: 'narrow-desk', role: 'administrator', scopes: ['write:users'] })).body.token;
    const part = (await call('GET', '/people/ann', undefined, {}, narrow)).body;
    assert.deepStrictEqual([part.email, part.subscriptions, part.calls, part.trail], ['ann@example.com', null, null, null], 'the scopes narrow the role');
    assert.strictEqual((await call('POST', '/people/ann/move', { to: 'x@example.com' }, {}, narrow)).status, 403);
    for (const path of ['/machine-tokens/narrow-desk', '/machine-tokens/desk', '/roles/desk']) assert.strictEqual((await call('DELETE', path, undefined, { 'if-match': '*' })).status, 204);
  } }),
  actOnPerson: (answers, w) => ({ params: { user: 'ann', action: 'groups' }, body: { groups: ['partners'] }, foreign: { user: 'nowhere', action: 'perhaps', groups: ['nowhere'] }, check: async (b, call) => {
    const act = (action, body) => call('POST', `/people/ann/${action}`, body), state = async () => (await call('GET', '/users/ann')).body.state;
    assert.deepStrictEqual((await call('GET', '/users/ann')).body.groups, ['partners']);
    assert.strictEqual((await act('restore')).status, 409, 'it is active');
    for (const [body, pointer] of [[undefined, '#/to'], [{ to: 'nobody@example.com' }, '#/to'], [{ to: 'ann@example.com' }, '#/to'], [{ to: 'a', groups: [] }, '#/groups']])
      assert.strictEqual((await act('move', body)).body.errors[0].pointer, pointer);
    assert.deepStrictEqual([(await act('suspend')).status, await state(), (await act('suspend')).status, (await act('restore')).status, await state()], [200, 'blocked', 409, 200, 'active']);
    assert.strictEqual((await act('sign-out')).status, 200);
    assert.strictEqual((await act('reset-second-factor')).status, 409, 'it has none');
    execFileSync('sqlite3', ['-cmd', '.timeout 60000', `${w.state}/config.db`, "INSERT INTO user_factor VALUES ('ann', x'00', 1, 0)"]);
    assert.strictEqual((await act('reset-second-factor')).status, 200);
    assert.strictEqual((await call('GET', '/audit?kind=second%20factor&object=ann')).body.items[0].action, 'delete');
    assert.strictEqual((await act('reset-second-factor')).status, 409);
    const trail = (await call('GET', '/audit?kind=user&object=ann&limit=3')).body.items.map((e) => [e.actor, e.action]);
    assert.deepStrictEqual(trail, [['token:tests', 'sign-out'], ['token:tests', 'update'], ['token:tests', 'update']]);
  } }),
  bulkSubscriptions: () => ({ body: { action: 'restore', ids: ['s1', 'nowhere'], note: 'Later' }, foreign: { action: 'perhaps' }, check: async (b, call) => {
    assert.deepStrictEqual([b.done, b.items.map((x) => x.done)], [1, [true, false]]);
    assert.match(b.items[1].why, /no such subscription/);
    assert.strictEqual((await call('GET', '/subscriptions/s1')).body.state, 'active');
  } }),
  bulkApplications: () => ({ body: { action: 'suspend', ids: ['shop'], note: '' }, foreign: { action: 'approve' }, check: async (b, call) => {
    assert.strictEqual((await call('GET', '/subscriptions/s1')).body.state, 'suspended');
    assert.strictEqual((await call('POST', '/bulk/applications', { action: 'restore', ids: ['shop'] })).body.done, 1);
  } }),
  bulkUsers: () => ({ body: { action: 'suspend', ids: ['ann'], note: '' }, foreign: { action: 'perhaps' }, check: async (b, call) => {
    assert.strictEqual((await call('GET', '/users/ann')).body.state, 'blocked');
    assert.deepStrictEqual((await call('POST', '/bulk/users', { action: 'restore', ids: ['ann', 'ann'] })).body.items.map((x) => x.done), [true, false]);
  } }),
  listPolicySnippets: () => ({ check: (b) => assert.ok(b.items.some((g) => g.snippets.length)) }),
};

const WRONG = (schema) => (schema.type === 'string' || (Array.isArray(schema.type) && schema.type.includes('string')) ? { a: 1 } : 'text');

/* w: doc, client (of that document), call(method, path, body, headers, as), fits(method, path, answer), token, reader, weak */
async function runOperations(w) {
  const answers = {}, all = [];
  for (const [path, item] of Object.entries(w.doc.paths)) for (const [method, o] of Object.entries(item)) if (o.operationId && !w.doc.paths[path].put) all.push({ path, method, o });
  const ours = all.filter(({ path }) => !w.kinds.includes(path.split('/')[1]) || (path.match(/[^/]+/g).length > 2));
  for (const { o } of ours) assert.ok(OPERATIONS[o.operationId] || w.elsewhere.includes(o.operationId), `a sample of ${o.operationId}`);
  for (const [id, sample] of Object.entries(OPERATIONS)) {
    const { path, method, o } = all.find((x) => x.o.operationId === id) || assert.fail(`no operation ${id}`), s = sample(answers, w), params = s.params || {};
    const send = async (status, over = {}) => {
      const { params: p = params, body = s.body, headers = {}, as = w.token } = over;
      const query = new URLSearchParams(Object.entries(p).filter(([name]) => !path.includes(`{${name}}`)));
      const to = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(p[name])) + (query.size ? `?${query}` : '');
      const answer = await w.call(method.toUpperCase(), to, body, headers, as);
      assert.ok([status].flat().includes(answer.status), `${id} ${JSON.stringify(over)}: ${answer.status} ${answer.text}`);
      w.fits(method.toUpperCase(), path, answer);
      return answer;
    };
    const has = (name) => (o.parameters || []).some((x) => x.$ref === `#/components/parameters/${name}`), writes = has('DryRun');
    const schema = o.requestBody?.content['application/json'].schema;
    if (!s.anybody) await send(401, { as: null });
    if (!s.open) await send(403, { as: w.weak });
    if (s.foreign && !s.all) await send([403, 404, 422], { as: w.far });   // what it names is of another environment
    if (writes) await send(403, { as: w.reader });
    if (o.parameters?.some((x) => x.in === 'query')) await send(400, { params: { ...params, nmae: 'x' } });
    for (const [name, property] of Object.entries(schema?.properties || {})) {
      const wrong = await send(422, { body: { ...s.body, [name]: WRONG(property) } });
      assert.ok(wrong.body.errors.some((e) => e.pointer === `#/${name}`), `${id} ${name}: ${wrong.text}`);
    }
    for (const name of schema?.required || []) {
      const { [name]: left, ...rest } = s.body, missing = await send(422, { body: rest });
      assert.ok(missing.body.errors.some((e) => e.pointer === `#/${name}`), `${id} without ${name}: ${missing.text}`);
    }
    if (schema) {
      const unknown = await send(422, { body: { ...s.body, nmae: 1 } });
      assert.ok(unknown.body.errors.some((e) => e.pointer === '#/nmae'), unknown.text);
      await send(415, { headers: { 'content-type': 'application/yaml' } });
      await send(400, { body: '{"a":' });
    }
    for (const [name, value] of Object.entries(s.foreign || {})) {
      if (s.body && name in s.body) await send([403, 404, 422], { body: { ...s.body, [name]: value } });
      else await send([403, 404, 422], { params: { ...params, [name]: value } });
    }
    if (has('IfMatch')) await send(412, { headers: { 'if-match': '"stale"' } });
    if (writes) {
      for (const odd of [{ 'dry-run': 'yes' }, { dryRun: 'true' }]) await send(400, { params: { ...params, ...odd } });
      assert.strictEqual((await send(200, { params: { ...params, 'dry-run': 'true' } })).headers.get('dry-run'), 'true');
    }
    // and as it should be, by the generated client
    const done = await w.client[id](Object.keys(params).length ? params : null, s.body, writes ? { headers: { 'idempotency-key': `once-${id}` } } : {});
    assert.strictEqual(done.status, 200, `${id}: ${JSON.stringify(done.data)}`);
    w.fits(method.toUpperCase(), path, { status: done.status, headers: new Headers(done.headers), body: done.data, text: String(done.data) });
    if (writes) assert.strictEqual((await send(200, { headers: { 'idempotency-key': `once-${id}` } })).headers.get('idempotent-replayed'), 'true');
    answers[id] = done.data;
    if (s.check) await s.check(done.data, w.call);
  }
}

module.exports = { runOperations };
