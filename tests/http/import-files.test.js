// Descriptions that stand in several files: what they refer to beside them becomes one document, which portal and gateway
// work from; the file that was imported stays as it was. No file elsewhere on the machine and no address is ever read.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const crypto = require('node:crypto');
const { offline, start, backend, SERVERS } = require('./harness');

const SECRET = 'nobody-may-read-this';

function write(dir, files) {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), text);
  }
}

const THREE = {
  'orders.yaml': `openapi: 3.1.0
info: {title: Orders, version: "1"}
paths:
  /orders/{id}: {$ref: paths/order.yaml}
  /orders:
    post:
      operationId: create
      requestBody: {$ref: "common.yaml#/bodies/order"}
      responses:
        "201": {description: made, content: {application/json: {schema: {$ref: "schemas/order.json"}}}}
        default: {$ref: 'common.yaml#/responses/problem'}
components:
  schemas:
    order: {type: string, description: the name is taken}
    money: {type: integer}
`,
  'paths/order.yaml': `get:
  operationId: read
  parameters: [{$ref: '../common.yaml#/parameters/id'}]
  responses:
    "200": {description: ok, content: {application/json: {schema: {$ref: ../schemas/order.json}, example: {$ref: not-a-reference.yaml}}}}
`,
  'common.yaml': `parameters:
  id: {name: id, in: path, required: true, schema: {$ref: '#/types/id'}}
types: {id: {type: string, maxLength: 5}}
bodies:
  order: {required: true, content: {application/json: {schema: {$ref: 'schemas/order.json'}}}}
responses:
  problem: {description: wrong, content: {application/json: {schema: {type: object}}}}
`,
  // a cycle over two files, one back into the first, a property whose name looks like something else
  'schemas/order.json': JSON.stringify({ type: 'object', required: ['total'], properties: {
    lines: { type: 'array', items: { $ref: 'line.yaml#/Line' } }, total: { $ref: '../orders.yaml#/components/schemas/money' },
    parameters: { $ref: 'line.yaml#/Note' }, kind: { type: 'string' } },
  discriminator: { propertyName: 'kind', mapping: { line: 'line.yaml#/Line' } } }),
  'schemas/line.yaml': `Line:
  type: object
  properties: {order: {$ref: order.json}, next: {$ref: '#/Line'}}
Note: {type: string}
`,
};

const refs = (v, found = []) => {
  if (v && typeof v === 'object') for (const [k, child] of Object.entries(v)) { if (k === '$ref') found.push(child); else if (k !== 'example') refs(child, found); }
  return found;
};
const at = (doc, ref) => ref.slice(2).split('/').reduce((v, k) => v?.[decodeURIComponent(k).replace(/~1/g, '/').replace(/~0/g, '~')], doc);

test('files beside the description become one document', async (t) => {
  const gw = offline();
  t.after(() => gw.stop());
  const dir = path.join(gw.dir, 'api');
  const bring = (file, ...more) => gw.cli('import', 'openapi', path.join(dir, file), '--path', 'x', '--name', 'x', '--backend', 'http://127.0.0.1:9', '--format', 'json', ...more).json();
  const bundled = () => JSON.parse(gw.cli('api', 'document', 'x', '--bundled').stdout);
  write(dir, THREE);

  await t.test('each reference leads somewhere within it; the file itself is kept byte for byte', () => {
    const answer = bring('orders.yaml');
    assert.deepStrictEqual([answer.operations, answer.warnings], [2, []]);
    assert.strictEqual(gw.cli('api', 'document', 'x').stdout, THREE['orders.yaml']);
    const doc = bundled();
    const all = refs(doc);
    assert.ok(all.length >= 9, `${all}`);
    for (const ref of all) assert.ok(ref.startsWith('#/') && at(doc, ref), ref);
    assert.deepStrictEqual(Object.keys(doc.components.schemas).sort(), ['Line', 'Note', 'id', 'money', 'order', 'order_2']);
    assert.deepStrictEqual([Object.keys(doc.components.parameters), Object.keys(doc.components.requestBodies), Object.keys(doc.components.responses)],
      [['id'], ['order'], ['problem']]);
    const { properties, discriminator } = doc.components.schemas.order_2;
    assert.deepStrictEqual([properties.total.$ref, properties.lines.items.$ref, discriminator.mapping.line],
      ['#/components/schemas/money', '#/components/schemas/Line', '#/components/schemas/Line']);
    assert.strictEqual(doc.components.schemas.Line.properties.order.$ref, '#/components/schemas/order_2');
    assert.deepStrictEqual(doc.paths['/orders/{id}'].get.responses['200'].content['application/json'].example, { $ref: 'not-a-reference.yaml' });
  });

  await t.test('Swagger 2.0 has its own places', () => {
    write(dir, { 'old.json': JSON.stringify({ swagger: '2.0', info: { title: 'Old', version: '1' }, paths: { '/a': { get: {
      parameters: [{ $ref: 'old-parts.yaml#/p' }], responses: { 200: { $ref: 'old-parts.yaml#/r' } } } } } }),
    'old-parts.yaml': 'p: {name: q, in: query, type: string}\nr: {description: ok, schema: {$ref: "#/s"}}\ns: {type: object}\n' });
    assert.deepStrictEqual(bring('old.json').warnings, []);
    const doc = bundled();
    for (const ref of refs(doc)) assert.ok(at(doc, ref), ref);
    assert.deepStrictEqual([Object.keys(doc.definitions), Object.keys(doc.parameters), Object.keys(doc.responses)], [['s'], ['p'], ['r']]);
  });

  await t.test('what is not beside it, and what is no file, is not read and said so', async () => {
    let asked = 0;
    const server = http.createServer((q, s) => { asked++; s.end('{}'); });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const network = `http://127.0.0.1:${server.address().port}/x.yaml`;
    write(gw.dir, { 'outside.yaml': `secret: {type: string, description: ${SECRET}}\n` });
    fs.symlinkSync(path.join(gw.dir, 'outside.yaml'), path.join(dir, 'link.yaml'));
    for (const [ref, says] of [[network, /addresses of the network/], ['//127.0.0.1/x.yaml', /addresses of the network/], ['file:///etc/passwd', /addresses of the network/],
      ['/etc/passwd', /relative path/], [`${gw.dir}/outside.yaml#/secret`, /relative path/], ['../outside.yaml#/secret', /outside of/],
      ['%2e%2e/outside.yaml#/secret', /outside of/], ['link.yaml#/secret', /outside of/], ['missing.yaml', /there is no file/], ['schemas', /is no file/],
      ['common.yaml#/nowhere', /nothing stands there/], ['common.yaml#anchor', /JSON Pointer/]]) {
      write(dir, { 'bad.yaml': `openapi: 3.0.3\ninfo: {title: B, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: ok, content: {a/b: {schema: {$ref: '${ref}'}}}}}}}}\n` });
      const warnings = bring('bad.yaml').warnings.map((w) => w.message);
      assert.ok(warnings.length === 1 && says.test(warnings[0]) && warnings[0].includes(ref.slice(0, 20)), `${ref}: ${warnings}`);
      assert.ok(!JSON.stringify(bundled()).includes(SECRET), ref);
    }
    assert.strictEqual(asked, 0);
    server.close();
    write(dir, { 'shared.yaml': "openapi: 3.0.3\ninfo: {title: B, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: ok, content: {a/b: {schema: {$ref: ../outside.yaml#/secret}}}}}}}}\n" });
    assert.deepStrictEqual(bring('shared.yaml', '--files', gw.dir).warnings, [], 'where the one who imports says so');
    assert.ok(JSON.stringify(bundled()).includes(SECRET));
  });

  await t.test('files that name themselves, or very many, come to an end', () => {
    const head = "openapi: 3.0.3\ninfo: {title: B, version: '1'}\n";
    write(dir, { 'self.yaml': `${head}paths: {/a: {$ref: loop.yaml}}\n`, 'loop.yaml': '$ref: loop.yaml\n' });
    assert.ok(bring('self.yaml').warnings.some((w) => /stands in itself/.test(w.message)));
    const paths = Object.fromEntries([...Array(300)].map((_, i) => [`/p${i}`, { $ref: `many/${i}.json` }]));
    write(dir, { 'many.json': JSON.stringify({ openapi: '3.0.3', info: { title: 'M', version: '1' }, paths }),
      ...Object.fromEntries([...Array(300)].map((_, i) => [`many/${i}.json`, '{"get":{"responses":{"200":{"description":"ok"}}}}'])) });
    const many = bring('many.json');
    assert.strictEqual(many.operations, 256);
    assert.ok(many.warnings.some((w) => /too many files/.test(w.message)));
    write(dir, { 'bomb.yaml': `${head}paths: {/a: {$ref: b0.yaml}}\n`, ...Object.fromEntries([...Array(15)].map((_, i) => [`b${i}.yaml`,
      `get: {responses: {'200': {description: ok}}, callbacks: {x: {'{$a}': {$ref: b${i + 1}.yaml}, '{$b}': {$ref: b${i + 1}.yaml}, '{$c}': {$ref: b${i + 1}.yaml}}}}\n`])), 'b15.yaml': 'get: {}\n' });
    const r = gw.cli('import', 'openapi', path.join(dir, 'bomb.yaml'), '--path', 'bomb', '--backend', 'http://127.0.0.1:9', { fails: true });
    assert.ok(r.code === 1 && /too large or too deep/.test(r.stderr), r.stderr);
  });
});

const XSD = (ns, body) => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" ${ns ? `targetNamespace="${ns}" xmlns:t="${ns}"` : ''}>${body}</xs:schema>`;
const WSDL_FILES = {
  'shop.wsdl': `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:a="urn:abstract" targetNamespace="urn:shop">
    <import namespace="urn:abstract" location="parts/abstract.wsdl"/>
    <binding name="B" type="a:P"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/><operation name="Get"><s:operation soapAction="urn:get"/><input><s:body use="literal"/></input><output><s:body use="literal"/></output></operation></binding>
    <service name="Shop"><port name="One" binding="B"><s:address location="http://shop.example/soap"/></port></service></definitions>`,
  'parts/abstract.wsdl': `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:x="urn:types" xmlns:me="urn:abstract" targetNamespace="urn:abstract">
    <import namespace="urn:shop" location="../shop.wsdl"/>
    <types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:import namespace="urn:types" schemaLocation="../xsd/types.xsd"/><xs:import schemaLocation="http://127.0.0.1:9/far.xsd"/></xs:schema></types>
    <message name="In"><part name="p" element="x:get"/></message><message name="Out"><part name="p" element="x:answer"/></message>
    <portType name="P"><operation name="Get"><input message="me:In"/><output message="me:Out"/></operation></portType></definitions>`,
  'xsd/types.xsd': XSD('urn:types', '<xs:include schemaLocation="common.xsd"/><xs:include schemaLocation="types.xsd"/><xs:include schemaLocation="../../outside.xsd"/>'
    + '<xs:element name="get"><xs:complexType><xs:sequence><xs:element name="id" type="t:Id"/></xs:sequence></xs:complexType></xs:element><xs:element name="answer" type="t:Order"/>'),
  // without a namespace of its own: it is of the one that includes it
  'xsd/common.xsd': XSD(null, '<xs:simpleType name="Id"><xs:restriction base="xs:string"><xs:enumeration value="A"/></xs:restriction></xs:simpleType>'
    + '<xs:complexType name="Order"><xs:sequence><xs:element name="id" type="Id"/><xs:element name="next" type="Order" minOccurs="0"/></xs:sequence></xs:complexType>'),
};

test('a WSDL in several files has all of its schemas', (t) => {
  const gw = offline();
  t.after(() => gw.stop());
  const dir = path.join(gw.dir, 'soap'), out = path.join(gw.dir, 'out.json');
  write(dir, WSDL_FILES);
  write(gw.dir, { 'outside.xsd': XSD('urn:types', `<xs:element name="${SECRET}" type="xs:string"/>`) });
  const { report } = gw.cli('import', 'wsdl', path.join(dir, 'shop.wsdl'), '--path', 'x', '--out', out, '--format', 'json').json();
  const doc = JSON.parse(fs.readFileSync(out, 'utf8')), bodies = JSON.stringify(doc.paths['/?soapAction=Get']);
  assert.deepStrictEqual(doc.components.schemas.Order.properties, { id: { $ref: '#/components/schemas/Id' }, next: { $ref: '#/components/schemas/Order' } });
  assert.deepStrictEqual(doc.components.schemas.Id, { type: 'string', enum: ['A'] });
  assert.ok(bodies.includes('"namespace":"urn:types"') && bodies.includes('#/components/schemas/Order'), bodies);
  assert.deepStrictEqual(refs(doc).filter((ref) => !at(doc, ref)), []);
  assert.ok(!JSON.stringify(doc).includes(SECRET));
  const left = report.filter((r) => r.outcome === 'not possible').map((r) => `${r.what}: ${r.note}`);
  assert.strictEqual(left.length, 2, `${left}`);
  assert.ok(left.some((r) => /^schema http:\/\/127\.0\.0\.1:9\/far\.xsd: addresses of the network are not read/.test(r)) && left.some((r) => /outside\.xsd: it is outside of .*--files/.test(r)), `${left}`);
  assert.strictEqual(report.find((r) => r.what === 'other file').count, 3);
});

test('two gateways of Kong are told apart, and rules for what is there already are asked about', (t) => {
  const gw = offline();
  t.after(() => gw.stop());
  const deck = (service, more) => gw.file(`${service}.json`, JSON.stringify({ _format_version: '3.0', ...more, services: [{ name: service, url: `https://${service}.example`,
    routes: [{ name: service, paths: [`/${service}`], plugins: [{ name: 'key-auth' }] }] }], consumers: [{ username: 'bob', keyauth_credentials: [{ key: `a-key-of-bob-at-${service}` }] }] }));
  gw.cli('import', 'kong', deck('one'));
  const refused = gw.cli('import', 'kong', deck('two'), '--yes', { fails: true });
  assert.strictEqual(refused.code, 1);
  assert.match(refused.stderr, /the product 'kong' has the keys of other APIs \(one\).*give this one a name of its own \(--name ID/);
  gw.cli('import', 'kong', deck('two'), '--name', 'Team B');
  gw.cli('import', 'kong', deck('three', { _konnect: { control_plane_name: 'eu' } }));
  gw.cli('import', 'kong', deck('one'));
  const subs = gw.cli('subscription', 'list', '--format', 'json').json().map((s) => `${s.id} ${s.product ?? s.productId}`).sort();
  assert.deepStrictEqual(subs.map((s) => s.split(' ')[0]), ['eu-bob', 'kong-bob', 'team-b-bob'], `${subs}`);
  assert.deepStrictEqual(gw.cli('product', 'list', '--format', 'json').json().map((p) => p.id).sort(), ['eu', 'kong', 'team-b']);
  // an API that is there, and now gets a rule: nothing is replaced, but its callers are
  const ask = deck('one');
  fs.writeFileSync(ask, fs.readFileSync(ask, 'utf8').replace('"name":"key-auth"', '"name":"key-auth"}, {"name":"basic-auth"').replace('"consumers":[{', '"consumers":[{"basicauth_credentials":[{"username":"bob","password":"a word of bob"}],'));
  const plan = gw.cli('import', 'kong', ask, '--dry-run').stdout;
  assert.match(plan, /\+ access-rule api:one/);
  const asked = gw.cli('import', 'kong', ask, { fails: true });
  assert.ok(asked.code === 1 && /say --yes/.test(asked.stderr), asked.stderr);
  assert.ok(!gw.cli('access', 'list').stdout.includes('api:one'));
  gw.cli('import', 'kong', ask, '--yes');
  assert.ok(gw.cli('access', 'list').stdout.includes('one'));
  // what clients have is taken, however short, and told; new ones are as long as elsewhere
  fs.writeFileSync(ask, fs.readFileSync(ask, 'utf8').replace('{"username":"bob","password":"a word of bob"}', '{"username":"kim","password":"kim"}'));
  assert.match(gw.cli('import', 'kong', ask, '--yes').stdout, /caller basic:kim.*less than 10 characters \(web\.password_min\).*caller set basic 'kim' --password-file/s);
  assert.ok(gw.cli('caller', 'list').stdout.includes('kim'));
  assert.doesNotMatch(gw.cli('import', 'kong', ask, '--yes').stdout, /less than 10 characters/);
});

// Consumers of Kong call as they did, and nobody else does.
const plugins = (...names) => names.map((n) => (typeof n === 'string' ? { name: n } : n));
const KONG = (url) => ({ _format_version: '3.0', services: [{ name: 'kong', url, routes: [
  { name: 'basic', paths: ['/k/basic'], plugins: plugins('basic-auth', { name: 'acl', config: { allow: ['gold'] } }) },
  { name: 'tokens', paths: ['/k/tokens'], plugins: plugins('jwt', { name: 'acl', config: { deny: ['silver'] } }) },
  { name: 'keyed', paths: ['/k/keyed'], plugins: plugins('key-auth', { name: 'acl', config: { allow: ['gold'] } }) },
  { name: 'either', paths: ['/k/either'], plugins: plugins(...['key-auth', 'basic-auth'].map((name) => ({ name, config: { anonymous: 'guest' } }))) },
  { name: 'both', paths: ['/k/both'], plugins: plugins('key-auth', 'basic-auth') },
  { name: 'closed', paths: ['/k/closed'], plugins: plugins('acl') },
  { name: 'safe', paths: ['/k/safe'], protocols: ['https'] },
  { name: 'open', paths: ['/k/open'] },
  { name: 'open-write', paths: ['/k/open'], methods: ['POST'], plugins: plugins('key-auth') },
  { name: 'open-admin', paths: ['~/k/open/[a-z]+/admin$'], plugins: plugins('key-auth') },
  { name: 'open-root', expression: 'http.path == "/k/open/"', plugins: plugins('key-auth') },
] }], consumers: ['gold', 'silver'].map((group) => ({ username: group, acls: [{ group }], keyauth_credentials: [{ key: `a-key-of-the-${group}-one` }, { key: '$A_KEY_THAT_IS_RENDERED' }],
  basicauth_credentials: [{ username: group, password: `word of ${group}` }], jwt_secrets: [{ key: `iss-${group}`, secret: `${group}-`.repeat(8) }] })) });

async function kongCalls(gw) {
  const part = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');
  const jwt = (who, secret = `${who}-`.repeat(8)) => {
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: `iss-${who}`, exp: 4102444800 })}`;
    return { Authorization: `Bearer ${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}` };
  };
  const key = (who) => ({ apikey: `a-key-of-the-${who}-one` }), basic = (who, word = `word of ${who}`) => ({ Authorization: `Basic ${Buffer.from(`${who}:${word}`).toString('base64')}` });
  for (const [route, headers, want, method = 'GET'] of [['basic', {}, 401], ['basic', basic('gold'), 200], ['basic', basic('gold', 'wrong'), 401], ['basic', basic('silver'), 403],
    ['tokens', {}, 401], ['tokens', jwt('gold'), 200], ['tokens', jwt('silver'), 401], ['tokens', jwt('gold', 'another secret of thirty-two bytes'), 401],
    ['keyed', {}, 401], ['keyed', key('gold'), 200], ['keyed', key('silver'), 403], ['either', key('silver'), 200], ['either', basic('silver'), 200], ['either', {}, 401],
    ['both', key('gold'), 401], ['both', { ...key('gold'), ...basic('gold') }, 200], ['closed', key('gold'), 501], ['safe', {}, 403],
    ['keyed', { apikey: '$A_KEY_THAT_IS_RENDERED' }, 401], ['open', {}, 200], ['open', {}, 501, 'POST'], ['open/', {}, 501], ['open//', {}, 501], ['open/x', {}, 200],
    ['open/x/admin', key('gold'), 501], ['open/x/admins', {}, 200]]) {
    const r = await fetch(`${gw.url}/api/k/${route}`, { headers, method });
    await r.text();
    assert.strictEqual(r.status, want, `${method} ${route} with ${JSON.stringify(headers)}`);
  }
}

test(`the portal shows and gives out the whole, the gateway validates by it, behind ${SERVERS[0]}`, async (t) => {
  const erp = await backend();
  const gw = await start({ server: SERVERS[0], workers: 1, setup(g) {
    write(path.join(g.dir, 'api'), THREE);
    g.cli('import', 'openapi', path.join(g.dir, 'api/orders.yaml'), '--path', 'orders', '--name', 'orders', '--backend', erp.url);
    g.cli('api', 'set', 'orders', '--require-key', 'no');
    g.cli('import', 'kong', g.file('kong.json', JSON.stringify(KONG(erp.url))));
    g.cli('policy', 'set', '--scope', 'api:orders', g.file('p.xml', '<policies><inbound><base /><validate-content unspecified-content-type-action="prevent" max-size="1000" '
      + 'size-exceeded-action="prevent"><content type="application/json" validate-as="json" action="prevent" /></validate-content></inbound>'
      + '<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>'));
  } });
  t.after(async () => { await gw.stop(); await erp.close(); });
  const post = async (v) => { const r = await fetch(`${gw.url}/api/orders/orders`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(v) }); await r.text(); return r.status; };
  assert.deepStrictEqual([await post({ total: 1, lines: [{ order: { total: 2 } }] }), await post({ total: 'x' }), await post({ total: 1, lines: [{ order: {} }] })], [200, 400, 400]);
  const doc = await (await fetch(`${gw.url}/apis/orders/openapi.json`)).json();
  assert.ok(refs(doc).every((ref) => ref.startsWith('#/') && at(doc, ref)));
  assert.strictEqual(await (await fetch(`${gw.url}/apis/orders/original`)).text(), THREE['orders.yaml']);
  const page = await (await fetch(`${gw.url}/apis/orders/operations/read`)).text();
  assert.ok(page.includes('lines') && page.includes('total'), page);
  await t.test('what came from Kong asks for what it asked for', () => kongCalls(gw));
});
