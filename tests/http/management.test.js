// The management API, by its own document: every operation of every kind with the happy path, a wrong type, a missing field, a foreign
// id, no right and a stale ETag; answers hold to the schemas that the document gives; a generated client; two administrators at once.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const http = require('node:http');
const Ajv2020 = require('ajv/dist/2020');
const { OpenAPIClientAxios } = require('openapi-client-axios');
const { start, SERVERS } = require('./harness');
const { runOperations } = require('./operations');
const { request, sql, Visitor } = require('./people');

const LIMIT = (l) => ({ kind: 'rate', calls: 0, bytes: 0, seconds: 0, algorithm: 'usual', queue: 0, maxDelayMs: 0, ...l });
const XML = (inside = '<base />') => `<policies><inbound>${inside}</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;
const PEM = execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null', '-days', '10', '-subj', '/CN=ca'],
  { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
// One resource of each kind, in the order of dependence, and a change of it.
const SAMPLES = {
  'business-groups': ['sales', { name: 'Sales' }, { name: 'Sales and more' }],
  environments: ['sandbox', { name: 'Sandbox', kind: 'sandbox', pathPrefix: 'sandbox' }, { name: 'Playground' }],
  groups: ['partners', { name: 'Partners' }, { description: 'They sell it on' }],
  roles: ['keeper', { name: 'Keeper', permissions: ['view-apis', 'view-traffic'] }, { description: 'Looks on' }],
  'identity-providers': ['corp', { issuer: 'https://login.example', clientId: 'gatehouse', groups: { eng: 'partners' } }, { roles: { api: 'operator' } }],
  certificates: ['ca', { certificate: PEM, authority: true }, { authority: false }],
  credentials: ['sandbox/erp', { kind: 'api-key', settings: { header: 'X-Api-Key' }, secrets: { value: 'hush-hush' } }, { description: 'Of the ERP' }],
  backends: ['erp', { url: 'https://erp.example/' }, { description: 'Orders' }],
  'named-values': ['greeting', { value: 'hello' }, { value: 'good day' }],
  schemas: ['order', { schema: '{"type":"object"}' }, { description: 'An order' }],
  loggers: ['hub', { kind: 'http', settings: { url: 'https://log.example/' } }, { description: 'Of all' }],
  'policy-fragments': ['greet', { policy: '<fragment><set-header name="X-A"><value>{{greeting}}</value></set-header></fragment>' }, { description: 'Greets' }],
  'version-sets': ['orders', { name: 'Orders' }, { description: 'All orders' }],
  apis: ['orders', { name: 'Orders', path: 'orders', versionSet: 'orders', version: 'v1', environment: 'sandbox', backend: 'erp' }, { tags: ['erp'] }],
  'sign-ins': ['orders', { provider: 'corp', groups: ['eng'] }, { idleSeconds: 60 }],
  revisions: ['orders;rev=2', { description: 'Faster', copyOf: 1 }, { description: 'Faster still' }],
  operations: ['orders/get-order', { name: 'Get order', method: 'GET', uriTemplate: '/orders/{id}' }, { name: 'Read an order' }],
  'api-descriptions': ['orders', { document: '{"openapi":"3.0.0","info":{"title":"O","version":"1"},"paths":{}}' }, { source: 'orders.json' }],
  products: ['gold', { name: 'Gold', apis: ['orders'], groups: ['partners'] }, { approval: 'manual' }],
  tiers: ['small', { product: 'gold', name: 'Small', limits: [LIMIT({ kind: 'rate', calls: 5, seconds: 1, algorithm: 'fixed-window' }),
    LIMIT({ kind: 'rate', calls: 100, seconds: 60, algorithm: 'leaky-bucket', queue: 50, maxDelayMs: 2000 }),
    LIMIT({ kind: 'bandwidth', bytes: 1073741824, seconds: 2592000 }), LIMIT({ kind: 'concurrency', calls: 5 })] }, { limits: [] }],
  users: ['ann', { email: 'ann@example.com', role: 'operator' }, { lastName: 'Ant' }],
  'role-assignments': ['ann-sandbox', { role: 'keeper', user: 'ann', environment: 'sandbox' }, { role: 'analyst' }],
  applications: ['shop', { name: 'Shop', owners: ['ann'] }, { name: 'The shop' }],
  callers: ['client:shop', { application: 'shop', groups: ['partners'] }, { state: 'suspended' }],
  subscriptions: ['s1', { product: 'gold', tier: 'small', application: 'shop' }, { state: 'suspended' }],
  'consumer-rules': ['s1/orders', { methods: ['GET'] }, { limits: [LIMIT({ kind: 'quota', calls: 9, seconds: 60, algorithm: 'token-bucket' })] }],
  policies: ['operation:orders/get-order', { policy: XML() }, { policy: XML('<base /><set-header name="X-B"><value>b</value></set-header>') }],
  'access-rules': ['api:orders', { rule: { anyOf: [{ method: 'key' }] } }, { rule: { anyOf: [{ method: 'anonymous' }] } }],
  'cache-rules': ['api:orders', { ttl: 60 }, { varyBy: ['Accept-Language'] }],
  'traffic-rules': ['api:orders', { mirror: { backend: 'erp', percent: 100, methods: ['GET'], maxBodyBytes: 0, maxInFlight: 32, credentials: false } },
    { faults: [{ percent: 50, delayMs: 5, abortStatus: null, header: 'X-Fault', headerValue: null, subscriptions: [] }] }],
  'network-rules': ['product:gold', { allow: ['10.0.0.0/8'] }, { httpsOnly: true }],
  'governance-rulesets': ['house', { name: 'House rules', rules: 'rules:\n  title:\n    given: $.info\n    then: {field: title, function: truthy}\n' }, { tags: ['erp'] }],
  'governance-exceptions': ['orders-tls', { api: 'orders', rule: 'security/backend-tls', reason: 'Old host', owner: 'ann@example.com', ends: '2031-01-01T00:00:00Z' }, { reason: 'An old host' }],
  pages: ['orders/start', { title: 'Start', body: '# Start' }, { position: 7 }],
  'alert-webhooks': ['chat', { url: 'https://hooks.example/x' }, { description: 'A room' }],
  'alert-rules': ['errors', { kind: 'status', status: ['5xx'], api: 'orders', measure: 'percent', threshold: '2.5', webhooks: ['chat'] }, { periods: 3 }],
  'alert-silences': ['night', { rule: 'errors', from: '2026-11-22T01:00:00Z', to: '2026-11-22T03:00:00Z' }, { repeatSeconds: 86400 }],
  looks: ['portal', { name: 'Acme', texts: { en: { headline: 'Build' } }, menu: [{ label: 'Status', address: '/status' }], logo: 'iVBORw0KGgo=' }, { name: 'Acme & more' }],
  'terms-of-use': ['portal', { text: '# Terms\n\nBe kind.\n' }, { text: 'Be kinder.' }],
  'signing-keys': ['first', { purpose: 'identity' }, { ends: '2031-01-01T00:00:00Z' }],
  'machine-tokens': ['pipeline', { role: 'operator', scopes: ['read'] }, { scopes: ['read', 'write:products'] }],
  'scim-tokens': ['directory', {}, { ends: '2031-01-01T00:00:00Z' }],
};
let gw, token, reader, poor, weak, far, doc, ajv;
// Tested where what they do is.
const ELSEWHERE = ['getCalls', 'getCall', 'rotateCredential', 'getCredentialConsent', 'getCapturedCall', 'retryAlertDelivery', 'listMails', 'retryMail'];

async function call(method, path, body, headers = {}, as = token) {
  const answer = await request(method, new URL(`${gw.url}/admin/api/v1${path}`), {
    ...(as ? { authorization: `Bearer ${as}` } : {}), ...(body === undefined ? {} : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }), ...headers,
  }, body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  return { status: answer.status, headers: answer.headers, etag: answer.headers.get('etag'), body: /json/.test(answer.headers.get('content-type') || '') && answer.text ? JSON.parse(answer.text) : answer.text || undefined, text: answer.text };
}
const at = (kind, id) => `/${kind}/${encodeURIComponent(id)}`;
function fits(method, path, answer) {
  const operation = doc.paths[path][method.toLowerCase()];
  let response = operation.responses[answer.status];
  assert.ok(response, `${method} ${path} does not say ${answer.status}: ${answer.text}`);
  if (response.$ref) response = doc.components.responses[response.$ref.split('/').pop()];
  if (!response.content) return assert.ok(!answer.text);
  const [type, { schema }] = Object.entries(response.content)[0];
  assert.ok(answer.headers.get('content-type').startsWith(type), `${method} ${path}: ${answer.headers.get('content-type')}`);
  if (!/json/.test(type)) return;
  const check = ajv.compile({ ...schema, components: doc.components });
  assert.ok(check(answer.body), `${method} ${path} ${answer.status}: ${JSON.stringify(check.errors)} ${answer.text}`);
}
const seen = new Map();   // "PUT /products/{id}": the statuses with which it was answered as the document says
async function expect(status, method, path, pattern, ...rest) {
  const answer = await call(method, path, ...rest);
  assert.strictEqual(answer.status, status, `${method} ${path}: ${answer.text}`);
  fits(method, pattern, answer);
  seen.set(`${method} ${pattern}`, (seen.get(`${method} ${pattern}`) || new Set()).add(status));
  return answer;
}

for (const server of SERVERS) {
  test(`behind ${server}`, async (t) => {
    t.after(async () => { if (gw) await gw.stop(); gw = undefined; });
    gw = await start({ server, workers: 1, config: { 'admin.import_private': 'yes' }, setup(g) {
      token = g.cli('machine-token', 'create', 'tests', '--role', 'administrator', '--scope', 'write', '--format', 'json').json().token;
      reader = g.cli('machine-token', 'create', 'reader', '--role', 'administrator', '--scope', 'read').stdout.trim();
      poor = g.cli('machine-token', 'create', 'poor', '--role', 'auditor', '--scope', 'read:apis', '--days', '1').stdout.trim();
      far = g.cli('machine-token', 'create', 'far', '--role', 'administrator', '--scope', 'write', '--env', 'default').stdout.trim();
      weak = g.cli('machine-token', 'create', 'weak', '--role', 'administrator', '--scope', 'read:pages').stdout.trim();
    } });
    doc = (await call('GET', '/openapi.json', undefined, {}, null)).body;
    ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
    const kinds = Object.keys(doc.paths).filter((p) => p.endsWith('/{id}') && doc.paths[p].put).map((p) => p.split('/')[1]);

    await t.test('the document and the server are of one mind', async () => {
      assert.strictEqual(doc.openapi, '3.1.0');
      const ids = new Set();
      for (const [path, item] of Object.entries(doc.paths)) for (const [method, o] of Object.entries(item)) {
        if (method === 'parameters') continue;
        assert.ok(/^[a-z][A-Za-z0-9-]*$/.test(o.operationId) && !ids.has(o.operationId), `${method} ${path}: ${o.operationId}`);
        assert.ok(o.summary && o.tags.every((t) => doc.tags.some((x) => x.name === t)), `${method} ${path}: ${o.tags}`);
        ids.add(o.operationId);
        const named = [...(item.parameters || []), ...(o.parameters || [])].filter((x) => x.in === 'path').map((x) => x.name);
        assert.deepStrictEqual([...path.matchAll(/\{(\w+)\}/g)].map((x) => x[1]), named, path);
        for (const ref of JSON.stringify(o).matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) assert.ok(doc.components[ref[1]][ref[2]], `${path}: ${ref[0]}`);
      }
      for (const kind of kinds) assert.ok(SAMPLES[kind], `a sample of ${kind}`);
      for (const [path, item] of Object.entries(doc.paths)) {
        const methods = Object.keys(item).filter((m) => m !== 'parameters').map((m) => m.toUpperCase());
        const answer = await request('OPTIONS', new URL(`${gw.url}/admin/api/v1${path.replace(/\{\w+\}/g, 'x')}`), {});
        assert.strictEqual(answer.status, 405, path + answer.text);
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
          const got = await call(method, path.replace(/\{\w+\}/g, 'none'), /GET|DELETE/.test(method) ? undefined : {}, { 'if-match': '*' });
          assert.strictEqual(got.status === 405, !methods.includes(method), `${method} ${path}: ${got.status}`);
          if (got.status === 405) for (const m of methods) assert.match(got.headers.get('allow'), new RegExp(`\\b${m}\\b`));
        }
      }
      assert.strictEqual((await call('GET', '/nothing')).status, 404);
    });

    await t.test('each kind: made, read, listed, replaced, patched; each way in which that is refused', async () => {
      for (const kind of kinds) {
        const [id, sample, change] = SAMPLES[kind], one = `/${kind}/{id}`, all = `/${kind}`;
        const schema = doc.components.schemas[doc.paths[one].put.requestBody.content['application/json'].schema.$ref.split('/').pop()];
        const single = !doc.paths[one].delete;   // always there, so it is neither made nor removed
        const before = single && (await expect(200, 'GET', at(kind, id), one)).etag;
        await expect(single ? 200 : 201, 'PUT', `${at(kind, id)}?dry-run=true`, one, sample, single ? { 'if-match': before } : {});
        if (single) assert.strictEqual((await call('GET', at(kind, id))).etag, before);
        else {
          const wrong = Object.keys(schema.properties).find((name) => name !== 'id');
          await expect(201, 'POST', `${all}?dry-run=true`, all, { id, ...sample });
          await expect(403, 'POST', all, all, { id, ...sample }, {}, poor);
          if (wrong) await expect(422, 'POST', all, all, { id, ...sample, [wrong]: schema.properties[wrong].type === 'array' ? 7 : [] });
          for (const name of schema.required) await expect(422, 'POST', all, all, Object.fromEntries(Object.entries({ id, ...sample }).filter(([n]) => n !== name)));
          await expect(404, 'PATCH', at(kind, id), one, change);
          await expect(404, 'DELETE', at(kind, id), one);
          await expect(412, 'DELETE', at(kind, id), one, undefined, { 'if-match': '*' });
          await expect(412, 'PUT', at(kind, id), one, sample, { 'if-match': '"stale"' });
          await expect(404, 'GET', at(kind, id), one);
        }
        const made = await expect(single ? 200 : 201, 'PUT', at(kind, id), one, sample, single ? { 'if-match': before } : {});
        if (!single) assert.match(made.headers.get('location'), new RegExp(`/admin/api/v1/${kind}/`));
        const read = await expect(200, 'GET', at(kind, id), one);
        assert.strictEqual(read.etag, made.etag);
        assert.strictEqual((await expect(304, 'GET', at(kind, id), one, undefined, { 'if-none-match': read.etag })).text, '');
        for (const [name, value] of Object.entries(sample)) if (name !== 'secrets') assert.deepStrictEqual(read.body[name], name === 'copyOf' ? null : value, `${kind} ${name}`);
        assert.ok(!read.text.includes('hush-hush'));
        assert.ok((await expect(200, 'GET', `${all}?limit=1000`, all)).body.items.some((x) => x.id === id));
        await expect(200, 'GET', `${all}?search=${encodeURIComponent(id.slice(0, 4))}`, all);
        await expect(400, 'GET', `${all}?serach=x`, all);
        // refused
        if (!single) await expect(409, 'POST', all, all, { id, ...sample });
        await expect(428, 'PUT', at(kind, id), one, sample);
        await expect(412, 'PUT', at(kind, id), one, sample, { 'if-match': '"stale"' });
        await expect(412, 'PATCH', at(kind, id), one, change, { 'if-match': '"stale"' });
        if (!single) await expect(412, 'DELETE', at(kind, id), one, undefined, { 'if-match': '"stale"' });
        if (!single) await expect(428, 'DELETE', at(kind, id), one);
        await expect(415, 'PUT', at(kind, id), one, 'a: 1', { 'content-type': 'application/yaml' });
        await expect(400, 'PUT', at(kind, id), one, '{"a":');
        await expect(406, 'GET', at(kind, id), one, undefined, { accept: 'text/html' });
        await expect(401, 'GET', at(kind, id), one, undefined, {}, null);
        if (kind === 'products') await expect(401, 'GET', at(kind, id), one, undefined, {}, `${token}x`);
        await expect(403, 'PATCH', at(kind, id), one, change, {}, reader);
        await expect(403, 'PUT', at(kind, id), one, sample, { 'if-match': '*' }, poor);
        await expect(kind === 'apis' ? 200 : 403, 'GET', at(kind, id), one, undefined, {}, poor);
        await expect(kind === 'apis' ? 200 : 403, 'GET', all, all, undefined, {}, poor);
        await expect(401, 'GET', all, all, undefined, {}, null);
        if (!single) await expect(403, 'DELETE', at(kind, id), one, undefined, { 'if-match': '*' }, reader);
        const unknown = await expect(422, 'PUT', at(kind, id), one, { ...sample, nmae: 1 }, { 'if-match': '*' });
        assert.strictEqual(unknown.body.errors[0].pointer, '#/nmae');
        for (const [name, property] of Object.entries(schema.properties)) {
          const wrong = await expect(422, 'PATCH', at(kind, id), one, { [name]: property.type === 'array' || name === 'id' ? 7 : [] });
          assert.ok(wrong.body.errors.some((e) => e.pointer === `#/${name}`), `${kind} ${name}: ${wrong.text}`);
          if (property['x-reference']) {
            const foreign = await expect(422, 'PATCH', at(kind, id), one, { [name]: property.type === 'array' ? ['nowhere'] : 'nowhere' });
            assert.match(foreign.text, /nowhere|cannot change|is not there/);
          }
          const inner = property.items?.properties || property.properties || {};
          for (const [part, { type, 'x-reference': reference }] of Object.entries(inner)) {
            if (!reference) continue;
            const value = { [part]: type === 'array' ? ['nowhere'] : 'nowhere' };
            const foreign = await expect(422, 'PATCH', at(kind, id), one, { [name]: property.type === 'array' ? [value] : value });
            assert.ok(foreign.body.errors.some((e) => e.pointer.startsWith(`#/${name}`)), `${kind} ${name}/${part}: ${foreign.text}`);
          }
        }
        for (const name of schema.required) {
          const { [name]: left, ...rest } = sample;
          const missing = await expect(422, 'PUT', at(kind, id), one, rest, { 'if-match': '*' });
          assert.ok(missing.body.errors.some((e) => e.pointer === `#/${name}`), `${kind} without ${name}`);
        }
        // and nothing of all that has changed it
        assert.strictEqual((await call('GET', at(kind, id))).etag, read.etag, kind);
        const patched = await expect(200, 'PATCH', at(kind, id), one, change, { 'if-match': read.etag });
        for (const [name, value] of Object.entries(change)) assert.deepStrictEqual(patched.body[name], value, `${kind} ${name}`);
        const back = await expect(200, 'PUT', at(kind, id), one, patched.body, { 'if-match': patched.etag });
        assert.strictEqual(back.etag, patched.etag, `${kind}: what was read may be written back`);
      }
    });

    const client = () => new OpenAPIClientAxios({ definition: { ...doc, servers: [{ url: `${gw.url}/admin/api/v1` }] },
      axiosConfigDefaults: { headers: { authorization: `Bearer ${token}` }, validateStatus: () => true } }).init();
    await t.test('each operation that is no kind, by a generated client; each way in which it is refused', async () => {
      await runOperations({ doc, kinds, state: gw.state, call, fits, token, reader, weak, far, client: await client(),
        elsewhere: [...ELSEWHERE, ...Object.keys(doc.paths).filter((p) => p.startsWith('/analytics')).map((p) => doc.paths[p].get.operationId)] });
    });

    await t.test('what is referred to stays; in the other order all can go', async () => {
      const refused = await expect(409, 'DELETE', at('products', 'gold'), '/products/{id}', undefined, { 'if-match': '*' });
      assert.match(refused.text, /the subscription 's1' refers to it/);
      for (const kind of [...kinds].reverse().filter((k) => doc.paths[`/${k}/{id}`].delete)) {
        const [id] = SAMPLES[kind];
        await expect(204, 'DELETE', `${at(kind, id)}?dry-run=true`, `/${kind}/{id}`, undefined, { 'if-match': '*' });
        await expect(204, 'DELETE', at(kind, id), `/${kind}/{id}`, undefined, { 'if-match': '*' });
        await expect(404, 'DELETE', at(kind, id), `/${kind}/{id}`);
      }
    });

    await t.test('each operation of a kind was carried out, and refused in each way', () => {
      const ways = { 'GET /': [200, 400, 401], 'POST /': [201, 403, 409, 422], GET: [200, 304, 401, 404, 406], PUT: [200, 400, 403, 412, 415, 422, 428],
        PATCH: [200, 403, 404, 412, 422], DELETE: [204, 403, 404, 412, 428] };
      for (const kind of kinds) for (const path of [`/${kind}`, `/${kind}/{id}`]) {
        const single = !doc.paths[`/${kind}/{id}`].delete;
        for (const method of Object.keys(doc.paths[path]).filter((m) => m !== 'parameters').map((m) => m.toUpperCase())) {
          const want = ways[path.endsWith('}') ? method : `${method} /`];
          assert.ok(want, `${method} ${path}`);
          for (const status of want) if (!(single && status === 404)) assert.ok(seen.get(`${method} ${path}`)?.has(status), `${method} ${path} was never answered ${status}`);
        }
      }
    });

    await t.test('two administrators at once lose nothing', async () => {
      await call('PUT', '/products/both', { name: 'Both' });
      const change = async (field) => {
        for (let tries = 0; tries < 50; tries++) {
          const seen = await call('GET', '/products/both');
          const answer = await call('PUT', '/products/both', { ...seen.body, [field]: `${seen.body[field]}x` }, { 'if-match': seen.etag });
          if (answer.status === 200) return;
          assert.ok([412, 503].includes(answer.status), answer.text);
        }
        assert.fail('never got through');
      };
      await Promise.all(Array.from({ length: 12 }, (_, i) => change(i % 2 ? 'description' : 'terms')));
      const { body } = await call('GET', '/products/both');
      assert.deepStrictEqual([body.description, body.terms], ['xxxxxx', 'xxxxxx']);
    });

    await t.test('a request that comes twice is carried out once', async () => {
      const twice = () => call('POST', '/subscriptions', { product: 'both', name: 'Once' }, { 'idempotency-key': 'k-1' });
      const [a, b] = await Promise.all([twice(), twice()]);
      assert.deepStrictEqual([a.status, b.status], [201, 201], a.text + b.text);
      assert.strictEqual(a.body.id, b.body.id);
      assert.strictEqual(a.body.primaryKey, b.body.primaryKey);
      assert.match(a.body.primaryKey, /^[0-9a-f]{32,}$/);
      assert.strictEqual([a, b].filter((x) => x.headers.get('idempotent-replayed') === 'true').length, 1);
      assert.strictEqual((await call('GET', '/subscriptions?product=both')).body.items.length, 1);
      assert.strictEqual((await call('POST', '/subscriptions', { product: 'both', name: 'Other' }, { 'idempotency-key': 'k-1' })).status, 422);
      assert.ok(!sql(gw, 'SELECT group_concat(CAST(answer AS TEXT)) FROM repeated_answer').includes(a.body.primaryKey), 'sealed');
      assert.ok(!(await call('GET', `/subscriptions/${a.body.id}`)).text.includes(a.body.primaryKey), 'told once');
    });

    await t.test('pages follow each other', async () => {
      for (let i = 0; i < 7; i++) await call('PUT', `/groups/page-${i}`, { name: `Page ${i}` });
      const seen = [];
      let path = '/groups?search=page-&limit=3';
      while (path) {
        const answer = await call('GET', path);
        seen.push(...answer.body.items.map((x) => x.id));
        const next = /<[^>]*\/admin\/api\/v1([^>]*)>; rel="next"/.exec(answer.headers.get('link') || '');
        assert.strictEqual(!!next, !!answer.body.next);
        path = next && next[1];
      }
      assert.deepStrictEqual(seen, Array.from({ length: 7 }, (_, i) => `page-${i}`));
    });

    await t.test('a generated client', async () => {
      const api = await client(), made = await api.createProduct(null, { id: 'generated', name: 'Generated' });
      assert.strictEqual(made.status, 201);
      const read = await api.getProduct('generated');
      assert.strictEqual((await api.putProduct({ id: 'generated', 'If-Match': read.headers.etag }, { name: 'Renamed' })).data.name, 'Renamed');
      assert.strictEqual((await api.listProducts({ search: 'generated' })).data.items[0].name, 'Renamed');
      const denied = await api.putProduct({ id: 'generated', 'If-Match': read.headers.etag }, { name: 'Late' });
      assert.deepStrictEqual([denied.status, denied.data.status], [412, 412]);
    });

    await t.test('a token makes none that may more than itself', async () => {
      const warden = gw.cli('machine-token', 'create', 'warden', '--role', 'administrator', '--scope', 'write:machine-tokens', '--scope', 'read').stdout.trim();
      const wish = (id, scopes) => call('PUT', `/machine-tokens/${id}`, { role: 'administrator', scopes }, { 'if-match': id === 'warden' ? '*' : '' }, warden);
      for (const scopes of [['write'], ['read', 'write:products'], ['write:users']]) {
        for (const id of ['wide', 'warden']) {
          const answer = await wish(id, scopes);
          assert.strictEqual(answer.status, 422, `${id} ${scopes}: ${answer.text}`);
          assert.match(answer.body.errors[0].pointer, /^#\/scopes\/[01]$/);
        }
      }
      assert.strictEqual((await call('GET', '/products', undefined, {}, warden)).status, 200);
      assert.strictEqual((await call('PUT', '/products/wardens', { name: 'No' }, {}, warden)).status, 403);
      assert.strictEqual((await wish('narrow', ['read:apis', 'write:machine-tokens'])).status, 201);
    });

    if (server === SERVERS[0]) await t.test('the dashboard takes descriptions from addresses, and an API as one ZIP', async (tt) => {
      const text = JSON.stringify({ openapi: '3.0.3', info: { title: 'From afar', version: '1' }, servers: [{ url: '/v2' }],
        paths: { '/things': { get: { operationId: 'things', responses: { 200: { description: 'fine' } } } } } });
      const answers = { '/openapi.json': [200, text], '/away': [302, '', { location: '/openapi.json' }], '/none': [404, 'no'], '/bin': [200, Buffer.from([0xff, 0xfe])],
        '/loop': [302, '', { location: '/loop' }], '/file': [302, '', { location: 'file:///etc/passwd' }] };
      const origin = http.createServer((req, res) => { const [status, body, headers] = answers[req.url]; res.writeHead(status, headers).end(body); });
      await new Promise((resolve) => origin.listen(0, '127.0.0.1', resolve));
      tt.after(() => { origin.closeAllConnections(); origin.close(); });
      const base = `http://127.0.0.1:${origin.address().port}`;
      const v = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
      const make = async (address, more = {}) => { await v.open('/admin/new-api'); return v.submit('/admin/new-api', { address, environment: 'default', product: '', ...more }); };
      for (const [address, why] of [[`${base}/none`, 'status 404'], [`${base}/bin`, 'no text in UTF-8'], [`${base}/loop`, 'leads on more than 5 times'],
        [`${base}/file`, 'could not be fetched'], ['file:///etc/passwd', 'begins with https://'], ['http://a:b@127.0.0.1/', 'user or password']]) {
        assert.strictEqual((await make(address)).status, 422, address);
        assert.ok(v.says(why), `${address}: ${v.html}`);
      }
      assert.strictEqual((await make(`${base}/away`, { id: 'afar' })).status, 303, v.html);
      assert.strictEqual((await call('GET', '/apis/afar')).body.backendUrl, `${base}/v2`, 'a server without host is beside the description');
      assert.strictEqual((await call('GET', '/operations/afar%2Fthings')).status, 200);
      assert.strictEqual((await call('GET', '/api-descriptions/afar')).body.source, `${base}/away`);
      const twice = () => call('POST', '/imports', { address: `${base}/away`, id: 'twice', environment: 'default' }, { 'idempotency-key': 'import-twice' });
      const was = await twice();
      answers['/away'] = [500, ''];
      const repeated = await twice();
      assert.deepStrictEqual([was.status, repeated.status, repeated.headers.get('idempotent-replayed'), repeated.text], [200, 200, 'true', was.text]);
      assert.strictEqual((await call('DELETE', '/apis/afar?dryRun=true', undefined, { 'if-match': '*' })).status, 400);
      assert.strictEqual((await call('DELETE', '/apis/twice', undefined, { 'if-match': '*' })).status, 204);

      // the ZIP that the page gives out is what `import zip` and the form take
      gw.cli('named-value', 'set', 'pass', '--secret', '--file', gw.file('pass', 'hush'));
      const xml = XML('<base /><set-header name="X-P"><value>{{pass}}</value></set-header>');
      assert.strictEqual((await call('PUT', '/policies/api:afar', { policy: xml })).status, 201);
      const url = new URL('/admin/apis/afar/export', gw.url);
      const answer = await fetch(url, { headers: { cookie: v.cookieHeader(url) } });
      assert.strictEqual(answer.headers.get('content-disposition'), 'attachment; filename="afar.zip"');
      const zip = Buffer.from(await answer.arrayBuffer());
      const given = await fetch(`${gw.url}/admin/api/v1/apis/afar/archive`, { headers: { authorization: `Bearer ${token}` } });
      assert.ok(Buffer.from(await given.arrayBuffer()).equals(zip), 'the call gives what the page gives');
      const files = (await expect(200, 'GET', '/export?api=afar', '/export')).body.files;
      assert.ok(files.some((f) => f.path === 'apis/afar/policy.xml') && !JSON.stringify(files).includes('hush'));
      assert.strictEqual((await call('POST', '/plan', { files })).body.changes.length, 0, 'what was given out is what is there');
      assert.strictEqual((await call('GET', '/export?api=nobody')).status, 404);
      assert.strictEqual((await call('GET', '/export?api=afar', undefined, {}, poor)).status, 403);
      assert.strictEqual((await call('DELETE', '/apis/afar', undefined, { 'if-match': '*' })).status, 204);
      gw.cli('named-value', 'delete', 'pass');
      gw.cli('environment', 'create', 'elsewhere', '--prefix', 'elsewhere');
      // the same by calls: shown first, with what is missing; then done, once
      const take = (query, more, headers) => call('POST', `/imports${query}`, { archive: zip.toString('base64'), environment: 'elsewhere', ...more }, headers);
      const plan = await take('?dry-run=true');
      assert.strictEqual(plan.status, 200, plan.text);
      assert.deepStrictEqual([plan.status, plan.body.apis, plan.body.plan.missing.map((m) => m.id + m.field)], [200, ['afar'], ['pass/secret']], plan.text);
      assert.strictEqual((await call('GET', '/apis/afar')).status, 404, 'shown, not done');
      assert.deepStrictEqual((await call('POST', '/imports', { archive: 'UEsDBA==' })).body.errors[0].pointer, '#/archive');
      assert.strictEqual((await take('', {}, {})).status === 200 && (await take('', { state: plan.body.plan.state })).status, 409, 'the configuration is another one now');
      const again = [await take('', { secrets: { 'named-value/pass/secret': 'one' } }, { 'idempotency-key': 'zip' }), await take('', { secrets: { 'named-value/pass/secret': 'one' } }, { 'idempotency-key': 'zip' })];
      assert.deepStrictEqual(again.map((x) => [x.status, x.headers.get('idempotent-replayed')]), [[200, null], [200, 'true']], again[1].text);
      assert.strictEqual((await call('DELETE', '/apis/afar', undefined, { 'if-match': '*' })).status, 204);
      gw.cli('named-value', 'delete', 'pass');
      const upload = async (bytes) => {
        const form = new FormData();
        await v.open('/admin/new-api');
        for (const [name, value] of Object.entries(v.form('/admin/new-api'))) if (name !== 'file') form.append(name, value);
        form.append('environment', 'elsewhere');
        form.append('file', new Blob([bytes]), 'afar.zip');
        const to = new URL('/admin/new-api', gw.url), got = await fetch(to, { method: 'POST', body: form, headers: { cookie: v.cookieHeader(to) } });
        v.html = await got.text();
        return got.status;
      };
      assert.strictEqual(await upload(zip.subarray(0, 200)), 422);
      assert.ok(v.says('this is no ZIP that can be read'), v.html);
      const shown = await upload(zip);
      assert.strictEqual(shown, 200, v.html.slice(v.html.indexOf('<main'), v.html.indexOf('<main') + 3000));
      assert.ok(v.says('What would be made and changed') && v.says('Named value pass, secret'), v.html);
      assert.strictEqual((await call('GET', '/apis/afar')).status, 404, 'shown, not done');
      gw.cli('named-value', 'set', 'pass', '--value', 'somebody else');
      assert.strictEqual((await v.submit('/admin/import-api', { 'secret:named-value/pass/secret': 'new one' })).status, 409, v.html);
      assert.ok(v.says('Somebody has changed the configuration since this was shown') && v.says('Named value pass, secret'), v.html);
      assert.strictEqual((await call('GET', '/apis/afar')).status, 404, 'nothing was imported');
      assert.strictEqual((await v.submit('/admin/import-api', { 'secret:named-value/pass/secret': 'new one' })).status, 303, v.html);
      assert.strictEqual((await call('GET', '/apis/afar')).body.environment, 'elsewhere');
      assert.deepStrictEqual((await call('GET', '/named-values/pass')).body.secret, { sealed: true });
      assert.match((await call('GET', '/policies/api:afar')).body.policy, /\{\{pass\}\}/);
    });

    await t.test('the trail: narrowed, page by page, as one file, and whole', async () => {
      const list = (query) => expect(200, 'GET', `/audit?${query}`, '/audit').then((x) => x.body);
      const all = [], { items } = await list('kind=product&object=both&limit=1000');
      assert.ok(items.length > 12 && items.every((e, i) => e.kind === 'product' && e.object === 'both' && (!i || e.number < items[i - 1].number)));
      for (let next = ''; next !== null;) {
        const part = await list(`kind=product&object=both&limit=5${next && `&cursor=${next}`}`);
        all.push(...part.items);
        next = part.next;
      }
      assert.deepStrictEqual(all, items);
      assert.deepStrictEqual([(await list('actor=nobody')).items, (await list('from=2001-01-01&to=2001-01-02')).items, (await list('action=create&object=both')).items.length], [[], [], 1]);
      for (const query of ['from=soon', 'to=2026-13-01', 'limit=0', 'limit=1001', 'cursor=x', 'knid=product']) await expect(400, 'GET', `/audit?${query}`, '/audit');
      const file = await call('GET', '/audit/export?kind=product&object=both&format=json', undefined, { accept: 'application/json' });
      assert.deepStrictEqual([file.body, file.headers.get('content-disposition')], [items, 'attachment; filename="audit.json"']);
      const csv = await request('GET', new URL(`${gw.url}/admin/api/v1/audit/export?kind=product&object=both`), { authorization: `Bearer ${token}`, accept: 'text/csv' });
      assert.deepStrictEqual([csv.status, csv.headers.get('content-type'), csv.text.trim().split('\r\n').length], [200, 'text/csv; charset=utf-8', items.length + 1]);
      await expect(400, 'GET', '/audit/export?format=xml', '/audit/export');
      const chain = (await expect(200, 'GET', '/audit/chain', '/audit/chain')).body, [newest] = (await list('limit=1')).items;
      assert.deepStrictEqual(chain, { whole: true, entries: newest.number, lastHash: newest.hash, brokenAt: null });
      const narrow = gw.cli('machine-token', 'create', 'trail', '--role', 'auditor', '--scope', 'read:audit').stdout.trim();
      for (const path of ['/audit', '/audit/export', '/audit/chain']) {
        assert.strictEqual((await call('GET', `${path}${path === '/audit' ? '' : '?'}`, undefined, { accept: '*/*' }, poor)).status, 403, path);
        assert.strictEqual((await request('GET', new URL(`${gw.url}/admin/api/v1${path}`), { authorization: `Bearer ${narrow}` })).status, 200, path);
      }
    });

    await t.test('the trail says who, what was before and what is after; other ways in', async () => {
      const entry = JSON.parse(sql(gw, "SELECT json_object('actor', actor, 'detail', json(detail)) FROM audit_entry WHERE kind = 'product' AND object_id = 'generated' ORDER BY seq DESC LIMIT 1"));
      assert.deepStrictEqual(entry, { actor: 'token:tests', detail: { before: { name: 'Generated' }, after: { name: 'Renamed' } } });
      const v = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
      assert.strictEqual((await v.get('/admin/api/v1/me')).status, 200, 'a browser that is signed in may read');
      gw.cli('machine-token', 'delete', 'reader');
      assert.strictEqual((await call('GET', '/me', undefined, {}, reader)).status, 401);
      const large = await call('PUT', '/products/large', `{"name":"${'x'.repeat(1 << 21)}"}`);
      assert.strictEqual(large.status, 422);
    });
  });
}
