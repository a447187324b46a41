// The fields of a schema as the portal shows them: a table of schemas, and what a reader finds on the page of the operation.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { start } = require('./harness');

const MANY = Object.fromEntries([...Array(400).keys()].map((i) => [`f${i}`, { type: 'string' }]));
const SCHEMAS = {
  Node: { type: 'object', properties: { value: { type: 'integer' }, next: { $ref: '#/components/schemas/Node' } } },
  Base: { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid', readOnly: true } } },
  Card: { title: 'Credit card', type: 'object', properties: { number: { type: 'string', pattern: '^[0-9]{16}$', writeOnly: true } } },
  Bill: { type: 'object', properties: { net: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 9 } } },
  Wide: { type: 'object', properties: { deep: { type: 'object', properties: MANY } } },
};
const ROWS = {
  'limits and defaults': [{ type: 'object', required: ['n'], properties: {
    n: { type: 'integer', format: 'int32', minimum: 1, maximum: 100, default: 20, description: 'How **many**.' },
    s: { type: 'string', minLength: 3 }, l: { type: 'array', items: { type: 'string' }, maxItems: 5, uniqueItems: true },
    old: { type: 'boolean', deprecated: true }, m: { type: 'number', multipleOf: 0.5 } } },
  ['n integer, int32 required How many . 1 to 100; otherwise 20', 's string at least 3 characters', 'l list of string at most 5 entries, no entry twice',
    'old boolean deprecated', 'm number a multiple of 0.5']],
  'values of an enum': [{ type: 'object', properties: { state: { type: 'string', enum: ['open', 'shipped'] } } }, ['state string Values open shipped']],
  'null and several types': [{ type: 'object', properties: { a: { type: ['string', 'null'] }, b: { type: 'string', nullable: true } } },
    ['a string or null', 'b string or null']],
  'allOf is one list': [{ allOf: [{ $ref: '#/components/schemas/Base' }, { type: 'object', properties: { more: { type: 'string' } }, required: ['more'] }] },
    ['id string, uuid required only in answers', 'more string required']],
  'alternatives': [{ oneOf: [{ $ref: '#/components/schemas/Card' }, { $ref: '#/components/schemas/Bill' }] },
    ['One of these: Credit card number string only in requests like ^[0-9]{16}$ Bill net number between 0 and 9']],
  'a schema that contains itself': [{ $ref: '#/components/schemas/Node' },
    ['value integer next Node The same fields as above, and so on.']],
  'fields of entries of a list': [{ type: 'array', items: { $ref: '#/components/schemas/Bill' } }, ['list of Bill', 'net number']],
  'values under any name': [{ type: 'object', additionalProperties: { type: 'integer', minimum: 0 } }, ['any other name integer at least 0']],
  'fields of fields': [{ type: 'object', properties: { bill: { $ref: '#/components/schemas/Bill' } } }, ['bill Bill Fields of bill net number']],
  'markup in names and texts': [{ type: 'object', properties: { '<b>x</b>': { type: 'string', description: '<script>alert(1)</script>' } } },
    ['&lt;b&gt;x&lt;/b&gt; string']],
  'a reference to nowhere': [{ type: 'object', properties: { gone: { $ref: '#/components/schemas/Gone' } } }, ['gone Gone']],
  'no object at all': [{ type: 'object', properties: { odd: true, odder: 7 } }, ['odd any', 'odder any']],
};

let gw;
before(async () => {
  const names = Object.keys(ROWS);
  const body = (schema) => ({ content: { 'application/json': { schema }, 'application/xml': { schema } } });
  const description = { openapi: '3.1.0', info: { title: 'schemas', version: '1' }, components: { schemas: SCHEMAS }, paths: {
    ...Object.fromEntries(names.map((name, i) => [`/r${i}`, { post: { operationId: `r${i}`, summary: name, requestBody: body(ROWS[name][0]),
      responses: { 200: { description: 'ok' } } } }])),
    '/wide': { post: { operationId: 'wide', requestBody: body({ $ref: '#/components/schemas/Wide' }), responses: { 200: { description: 'ok' } } } } } };
  gw = await start({ server: 'nginx', workers: 1, setup: (g) => {
    g.cli('product', 'create', 'open', '--require-key', 'no');
    g.cli('import', 'openapi', g.file('api.json', JSON.stringify(description)), '--path', 's', '--name', 's', '--backend', 'http://127.0.0.1:1', '--product', 'open');
  } });
});
after(() => gw.stop());

const page = async (id) => {
  const r = await fetch(`${gw.url}/apis/s/operations/${id}`);
  assert.equal(r.status, 200);
  return r.text();
};
// what stands under "Body", without markup
const shown = (html) => /id="body-title"([\s\S]*?)<\/section>/.exec(html)[1].replace(/<pre[\s\S]*?<\/pre>/g, ' ').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

for (const [i, [name, [, wanted]]] of Object.entries(ROWS).entries())
  test(name, async () => {
    const text = shown(await page(`r${i}`));
    for (const w of wanted) assert.ok(text.includes(w), `${w}\n  not in: ${text}`);
    const last = wanted.at(-1);
    assert.equal(text.split(last).length, 2, `the schema of two media types is shown once: ${text}`);
  });

test('a page stays small, whatever the schema is', async () => {
  const html = await page('wide');
  assert.ok(html.length < 100 << 10, `${html.length} bytes`);
  assert.ok(shown(html).includes('f158 string') && !shown(html).includes('f159 string'));
});
