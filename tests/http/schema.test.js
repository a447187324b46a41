// Schemas that stand apart: `gatehouse schema …`, and validate-content by them through the whole gateway, also while they
// change.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start, backend, until, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/a': { post: { operationId: 'a', responses: { 200: { description: 'ok' } } } } } });
const XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="/schemas/types"/>'
  + '<xs:element name="order" type="order"/></xs:schema>';
const types = (type) => '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:complexType name="order"><xs:sequence>'
  + `<xs:element name="id" type="xs:${type}"/></xs:sequence></xs:complexType></xs:schema>`;
const policy = (content) => `<policies><inbound><base /><validate-content unspecified-content-type-action="prevent" max-size="2000"
  size-exceeded-action="prevent" errors-variable-name="e">${content}</validate-content></inbound><backend><base /></backend>
  <outbound><base /></outbound><on-error><base /></on-error></policies>`;

describe(`schemas behind ${SERVERS[0]}`, () => {
  let gw, things;
  const take = (id, text, ...more) => gw.cli('schema', 'set', id, '--file', gw.file(`${id}.txt`, text), ...more);
  const post = (name, type, body) => fetch(`${gw.url}/api/${name}/a`, { method: 'POST', headers: { 'Content-Type': type }, body })
    .then(async (r) => ({ status: r.status, text: await r.text() }));

  before(async () => {
    things = await backend();
    gw = await start({ server: SERVERS[0], workers: 2, setup(g) {
      gw = g;
      g.cli('product', 'create', 'open', '--require-key', 'no');
      take('person', '{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}', '--description', 'who');
      take('types', types('positiveInteger'));
      take('order', XSD);
      for (const [name, content] of Object.entries({
        json: '<content type="application/json" validate-as="json" schema-id="person" action="prevent" />',
        soap: '<content type="text/xml" validate-as="soap" schema-id="order" action="prevent" />',
      })) {
        g.cli('import', 'openapi', g.file('d.json', DESCRIPTION), '--path', name, '--name', name, '--backend', things.url, '--product', 'open');
        g.cli('policy', 'set', '--scope', `api:${name}`, g.file(`${name}.xml`, policy(content)));
      }
    } });
  });
  after(async () => { await gw.stop(); await things.close(); });

  it('lists, shows and refuses', () => {
    assert.deepEqual(gw.cli('schema', 'list', '--format', 'json').json().map((s) => [s.id, s.kind, s.description]),
      [['order', 'xml', ''], ['person', 'json', 'who'], ['types', 'xml', '']]);
    assert.equal(gw.cli('schema', 'show', 'order').stdout, XSD);
    for (const [id, text, why] of [
      ['bad', '{"type":1}', /type/], ['bad', '{', /JSON/], ['bad', '<xs:schema/>', /wrong/], ['bad', '<a/>', /wrong/],
      ['bad', '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="file:///etc/hostname"/></xs:schema>', /wrong/],
      ['bad', '{"$ref":"/schemas/nowhere"}', /nowhere/], ['a/b', '{}', /letters/], ['bad', ' '.repeat(5 << 20), /larger|bytes/],
    ]) {
      const r = gw.cli('schema', 'set', id, '--file', gw.file('bad.txt', text), { fails: true });
      assert.equal(r.code, 1, text.slice(0, 80));
      assert.match(r.stderr, why, text.slice(0, 80));
    }
    assert.equal(gw.cli('schema', 'show', 'bad', { fails: true }).code, 1);
  });

  it('validates JSON by the schema of the moment', async () => {
    assert.equal((await post('json', 'application/json', '{"name":"n"}')).status, 200);
    const wrong = await post('json', 'application/json', '{"name":\n1}');
    assert.equal(wrong.status, 400);
    assert.match(JSON.parse(wrong.text).message, /definition person.*\n.*Expected String but got Integer\. Line: 2, Position: 1$/s);
    take('person', '{"type":"object","properties":{"name":{"type":"integer"}}}');
    await until(async () => (await post('json', 'application/json', '{"name":1}')).status === 200, 'the new schema');
    const refused = gw.cli('schema', 'delete', 'person', { fails: true });
    assert.deepEqual([refused.code, refused.stderr], [1, "gatehouse: error: schema 'person' is in use by policy 'api:json'\n"]);
    // what an expression names is known at run time only
    const text = gw.cli('policy', 'show', '--scope', 'api:json').stdout;
    gw.cli('policy', 'set', '--scope', 'api:json', gw.file('by-expression.xml', text.replace('schema-id="person"', 'schema-id="@(&quot;person&quot;)"')));
    gw.cli('schema', 'delete', 'person');
    await until(async () => (await post('json', 'application/json', '{"name":1}')).status === 400, 'the schema to go');
    assert.match((await post('json', 'application/json', '{"name":1}')).text, /internal error\. Contact the API owner/);
  });

  it('validates what stands in a SOAP envelope', async () => {
    const soap = (id) => `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><order><id>${id}</id></order></s:Body></s:Envelope>`;
    assert.equal((await post('soap', 'text/xml; charset=utf-8', soap(7))).status, 200);
    assert.equal((await post('soap', 'text/xml', soap('x'))).status, 400);
    take('types', types('string'));
    await until(async () => (await post('soap', 'text/xml', soap('x'))).status === 200, 'the schema that it includes');
    const bomb = `<!DOCTYPE a [<!ENTITY a "${'x'.repeat(100)}">${Array.from({ length: 9 }, (_, i) => `<!ENTITY ${'bcdefghij'[i]} "${`&${'abcdefghi'[i]};`.repeat(10)}">`).join('')}]>`;
    assert.equal((await post('soap', 'text/xml', bomb + soap('&j;'))).status, 400);
    assert.equal(things.seen.filter((s) => s.body.includes('DOCTYPE')).length, 0);
  });
});
