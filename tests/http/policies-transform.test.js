// Policies that change or check what goes through, on the wire with real bodies: transformations, mock-response, jsonp,
// redirect-content-urls, validation.
'use strict';
const assert = require('node:assert/strict');
const zlib = require('node:zlib');
const { table } = require('./policy-table');

const ON_ERROR = '<return-response><set-status code="418" reason="Teapot" /><set-body>'
  + '@(context.LastError.Source + " " + context.LastError.Reason + " " + context.LastError.Message)</set-body></return-response>';

const answers = (type, body, headers = {}, status = 200) => (req, res) => { res.writeHead(status, { 'Content-Type': type, ...headers }); res.end(body); };
const XML = '<order id="7"><item>a</item><item>b &amp; c</item></order>';
const ERROR = '<return-response><set-status code="500" /><set-body>@(context.LastError.Source + "|" + context.LastError.Reason)</set-body></return-response>';
const XSL = '<xsl-transform><parameter parameter-name="who">@(context.Request.Headers.GetValueOrDefault("X-Who", "nobody"))</parameter>'
  + '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output method="xml" omit-xml-declaration="yes" /><xsl:param name="who" />'
  + '<xsl:template match="/order"><copy of="{@id}" for="{$who}"><xsl:apply-templates select="item" /></copy></xsl:template>'
  + '<xsl:template match="item"><i><xsl:value-of select="." /></i></xsl:template></xsl:stylesheet></xsl-transform>';

const TRANSFORM = [
  { what: 'xml-to-json on a response', answers: answers('text/xml', XML), outbound: '<xml-to-json kind="direct" apply="always" consider-accept-header="false" />',
    request: {}, expect: { status: 200, headers: { 'Content-Type': /^application\/json/ }, body: { order: { '@id': '7', item: ['a', 'b & c'] } } } },
  { what: 'xml-to-json, javascript-friendly', answers: answers('application/xml', XML), outbound: '<xml-to-json kind="javascript-friendly" apply="content-type-xml" consider-accept-header="false" />',
    request: {}, expect: { body: { order: { id: '7', item: ['a', 'b & c'] } } } },
  { what: 'xml-to-json waits for an Accept that asks for JSON', answers: answers('text/xml', XML), outbound: '<xml-to-json kind="direct" apply="always" />',
    steps: [{ request: { headers: { Accept: 'text/xml' } }, expect: { body: XML } },
      { request: { headers: { Accept: 'application/json' } }, expect: { body: { order: { '@id': '7', item: ['a', 'b & c'] } } } }] },
  { what: 'xml-to-json leaves other types alone', answers: answers('text/plain', XML), outbound: '<xml-to-json kind="direct" apply="content-type-xml" consider-accept-header="false" />',
    request: {}, expect: { body: XML, headers: { 'Content-Type': 'text/plain' } } },
  { what: 'xml-to-json on a request', inbound: '<xml-to-json kind="direct" apply="always" consider-accept-header="false" />',
    request: { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body: XML },
    expect: { status: 200, backend: [{ headers: { 'content-type': /json/ }, body: { order: { '@id': '7', item: ['a', 'b & c'] } } }] } },
  { what: 'xml-to-json refuses a body that is none', inbound: '<xml-to-json kind="direct" apply="always" consider-accept-header="false" />',
    request: { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body: '<open>' }, expect: { status: 400, backend: [] } },
  { what: 'json-to-xml on a request', inbound: '<json-to-xml apply="always" consider-accept-header="false" />',
    request: { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"order":{"item":["a","b & c"]}}' },
    expect: { backend: [{ headers: { 'content-type': /xml/ }, body: /<order>\s*<item>a<\/item>\s*<item>b &amp; c<\/item>\s*<\/order>/ }] } },
  { what: 'json-to-xml on a response', answers: answers('application/json', '{"a":{"b":[1,true,null,"x"]}}'), outbound: '<json-to-xml apply="always" consider-accept-header="false" />',
    request: {}, expect: { headers: { 'Content-Type': /xml/ }, body: /<a>\s*<b>1<\/b>\s*<b>true<\/b>\s*<b ?\/>\s*<b>x<\/b>\s*<\/a>/ } },
  { what: 'json-to-xml and broken JSON', answers: answers('application/json', '{"a":'), outbound: '<json-to-xml apply="always" consider-accept-header="false" />', onError: ERROR,
    request: {}, expect: { status: 500, body: /^json-to-xml\|/ } },
  { what: 'xsl-transform on a response', answers: answers('text/xml', XML), outbound: XSL, request: { headers: { 'X-Who': 'ann' } },
    expect: { body: '<copy of="7" for="ann"><i>a</i><i>b &amp; c</i></copy>' } },
  { what: 'xsl-transform on a request', inbound: XSL, request: { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body: XML },
    expect: { backend: [{ body: '<copy of="7" for="nobody"><i>a</i><i>b &amp; c</i></copy>' }] } },
  { what: 'xsl-transform and a body that is no XML', answers: answers('text/plain', 'plain'), outbound: XSL, onError: ERROR,
    request: {}, expect: { status: 500, body: /^xsl-transform\|TransformationFailure/ } },
  { what: 'find-and-replace over the chunks of a body', answers: (req, res) => { res.write('one tw'); setTimeout(() => res.end('o three two'), 30); },
    outbound: '<find-and-replace from="two" to="2" />', request: {}, expect: { body: 'one 2 three 2', headers: { 'Content-Length': '13' } } },
  { what: 'find-and-replace on a request', inbound: '<find-and-replace from="a" to="@(context.Request.Method)" />', request: { method: 'POST', body: 'xax' },
    expect: { backend: [{ body: 'xPOSTx', headers: { 'content-length': '6' } }] } },
  ...[['gzip', zlib.gzipSync], ['deflate', zlib.deflateSync], ['br', zlib.brotliCompressSync]].map(([coding, pack]) => (
    { what: `set-body reads a response that came as ${coding}`, answers: (req, res) => { res.writeHead(200, { 'Content-Encoding': coding }); res.end(pack('{"a":1}')); },
      outbound: '<set-body>@((string)context.Response.Body.As<JObject>()["a"])</set-body>', request: { headers: { 'Accept-Encoding': coding } },
      expect: { status: 200, body: '1', headers: { 'Content-Encoding': null, 'Content-Length': '1' } } })),
  { what: 'a look at a compressed response leaves its text', answers: (req, res) => { res.writeHead(200, { 'Content-Encoding': 'gzip' }); res.end(zlib.gzipSync('hello')); },
    outbound: '<set-header name="X-Length"><value>@(context.Response.Body.As<string>(preserveContent: true).Length.ToString())</value></set-header>',
    request: {}, expect: { body: 'hello', headers: { 'X-Length': '5', 'Content-Encoding': null, 'Content-Length': '5' } } },
  { what: 'a request that came compressed', inbound: '<set-header name="X-A"><value>@((string)context.Request.Body.As<JObject>(preserveContent: true)["a"])</value></set-header>',
    request: { method: 'POST', headers: { 'Content-Encoding': 'gzip' }, body: zlib.gzipSync('{"a":"b"}') },
    expect: { status: 200, backend: [{ headers: { 'x-a': 'b', 'content-encoding': null }, body: '{"a":"b"}' }] } },
  { what: 'a small body that becomes a huge one', inbound: '<set-header name="X-A"><value>@(context.Request.Body.As<string>(preserveContent: true))</value></set-header>',
    request: { method: 'POST', headers: { 'Content-Encoding': 'gzip' }, body: zlib.gzipSync(Buffer.alloc(20 << 20)) }, expect: { status: 413, backend: [] } },
  { what: 'on-error hears of a small body that becomes a huge one', onError: ON_ERROR,
    inbound: '<set-header name="X-A"><value>@(context.Request.Body.As<string>(preserveContent: true))</value></set-header>',
    request: { method: 'POST', headers: { 'Content-Encoding': 'gzip' }, body: zlib.gzipSync(Buffer.alloc(20 << 20)) },
    expect: { status: 418, body: 'request BodyTooLarge The request body is larger than the limit', backend: [] } },
  { what: 'on-error hears of a response that becomes a huge one', onError: ON_ERROR, outbound: '<set-body>@(context.Response.Body.As<string>())</set-body>',
    answers: (req, res) => { res.writeHead(200, { 'Content-Encoding': 'gzip' }); res.end(zlib.gzipSync(Buffer.alloc(20 << 20))); }, request: {},
    expect: { status: 418, body: /^forward-request \w+ .*larger than the limit/ } },
  { what: 'a response that becomes a huge one', outbound: '<set-body>@(context.Response.Body.As<string>())</set-body>',
    answers: (req, res) => { res.writeHead(200, { 'Content-Encoding': 'gzip' }); res.end(zlib.gzipSync(Buffer.alloc(20 << 20))); }, request: {}, expect: { status: 502, body: /larger than the limit/ } },
  { what: 'a coding that is not what it says stays as it came', answers: (req, res) => { res.writeHead(200, { 'Content-Encoding': 'gzip' }); res.end('plain'); },
    outbound: '<set-header name="X-Length"><value>@(context.Response.Body.As<string>(preserveContent: true).Length.ToString())</value></set-header>',
    request: {}, expect: { body: 'plain', headers: { 'X-Length': '5', 'Content-Encoding': 'gzip' } } },
  { what: 'a send-request that came compressed', answers: (req, res) => { res.writeHead(200, { 'Content-Encoding': 'gzip' }); res.end(zlib.gzipSync('{"a":"b"}')); },
    inbound: (e) => `<send-request mode="new" response-variable-name="r"><set-url>${e.url}/y</set-url></send-request><return-response><set-body>@((string)((IResponse)context.Variables["r"]).Body.As<JObject>()["a"])</set-body></return-response>`,
    request: {}, expect: { body: 'b' } },
  { what: 'a compressed body goes through untouched when nobody reads it', answers: (req, res) => { res.writeHead(200, { 'Content-Encoding': 'gzip' }); res.end(zlib.gzipSync('hello')); },
    request: { headers: { 'Accept-Encoding': 'gzip' } },
    expect: (a) => { assert.equal(a.headers['content-encoding'], 'gzip'); assert.equal(zlib.gunzipSync(a.bytes).toString(), 'hello'); } },
  { what: 'set-status and set-header in outbound', outbound: '<set-status code="299" reason="Fine Enough" /><set-header name="X-A" exists-action="override"><value>1</value></set-header>'
    + '<set-header name="Content-Type" exists-action="delete" />', request: {}, expect: { status: 299, reason: 'Fine Enough', headers: { 'X-A': '1', 'Content-Type': null } } },
  { what: 'a value with a line break makes no second field', outbound: '<set-header name="X-A" exists-action="override"><value>@("a" + "\\r\\n" + "X-Evil: 1")</value></set-header>',
    request: {}, expect: { headers: { 'X-Evil': null } } },
];

const CALLBACK = '<jsonp callback-parameter-name="cb" />';
const RESPOND = [
  { what: 'include-fragment and named values', inbound: '<include-fragment fragment-id="greeting" />', request: { headers: { 'X-Who': 'ann' } },
    expect: { status: 200, body: 'good morning, ann: s3cret', backend: [] } },
  { what: 'cross-domain of the global scope', request: { root: true, path: '/crossdomain.xml' }, expect: { status: 200, headers: { 'Content-Type': 'text/x-cross-domain-policy' }, body: /<cross-domain-policy>[\s\S]*domain="\*"/, backend: [] } },
  { what: 'jsonp wraps the answer', outbound: CALLBACK, answers: answers('application/json', '{"a":1}'), request: { path: '/x?cb=my.fn' },
    expect: { status: 200, body: /^(\/\*\*\/ ?)?my\.fn\(\{"a":1\}\);?$/, headers: { 'Content-Type': /javascript/ } } },
  { what: 'jsonp without a callback', outbound: CALLBACK, answers: answers('application/json', '{"a":1}'), request: {}, expect: { body: '{"a":1}', headers: { 'Content-Type': 'application/json' } } },
  { what: 'jsonp refuses a callback that is code', outbound: CALLBACK, answers: answers('application/json', '{"a":1}'), request: { path: '/x?cb=alert(1)//' },
    expect: { status: 400, body: /not a valid JavaScript identifier/ } },
  { what: 'return-response ends everything', inbound: '<return-response><set-status code="410" reason="Gone" /><set-header name="X-A"><value>1</value></set-header><set-body>{"gone":true}</set-body></return-response>',
    outbound: '<set-header name="X-Never"><value>1</value></set-header>', request: {}, expect: { status: 410, reason: 'Gone', headers: { 'X-A': '1', 'X-Never': null }, body: '{"gone":true}', backend: [] } },
  { what: 'return-response to HEAD', inbound: '<return-response><set-body>hello</set-body></return-response>', request: { method: 'HEAD' }, expect: { status: 200, body: '' } },
  { what: 'return-response takes the upload that nobody wants', inbound: '<return-response><set-status code="403" /></return-response>',
    request: { method: 'POST', body: 'z'.repeat(300000) }, expect: { status: 403, backend: [] } },
  { what: 'return-response in outbound in place of the backend\'s answer', answers: answers('text/plain', 'x'.repeat(200000)), outbound: '<return-response><set-body>mine</set-body></return-response>',
    request: {}, expect: { status: 200, body: 'mine', headers: { 'Content-Length': '4' } } },
  { what: 'redirect-content-urls in body and Location', answers: (req, res) => { const b = `http://${req.headers.host}`;
    res.writeHead(201, { Location: `${b}/x/8`, 'Content-Type': 'application/json' }); res.end(JSON.stringify({ self: `${b}/x/7`, other: 'http://other.example/x/7' })); },
  outbound: '<redirect-content-urls />', request: { method: 'POST' },
  expect: (a, seen, e) => { const mine = `${e.gw.url}/api/${e.id}`;
    assert.equal(a.headers.location, `${mine}/x/8`);
    assert.deepEqual(JSON.parse(a.body), { self: `${mine}/x/7`, other: 'http://other.example/x/7' }); } },
  { what: 'redirect-content-urls in a request', inbound: '<redirect-content-urls />',
    request: (e) => ({ method: 'POST', body: `see ${e.gw.url}/api/${e.id}/x/7` }), expect: (a, seen, e) => assert.equal(seen[0].body.toString(), `see ${e.url}/x/7`) },
];

const ORDER = { type: 'object', required: ['id'], additionalProperties: false, properties: { id: { type: 'integer', minimum: 1 }, note: { type: 'string', maxLength: 5 } } };
const openapi = { openapi: '3.0.3', info: { title: 'orders', version: '1' }, paths: {
  '/x': {
    get: { operationId: 'list', parameters: [
      { name: 'page', in: 'query', required: true, schema: { type: 'integer', maximum: 9 } },
      { name: 'X-Kind', in: 'header', schema: { type: 'string', enum: ['a', 'b'] } }],
    responses: { 200: { description: 'ok', headers: { 'X-Total': { schema: { type: 'integer' } } },
      content: { 'application/json': { schema: { type: 'array', items: ORDER }, example: [{ id: 7, note: 'shown' }] } } },
    404: { description: 'none', content: { 'application/json': { schema: { type: 'object', properties: { reason: { type: 'string' } } } } } } } },
    post: { operationId: 'create', requestBody: { content: { 'application/json': { schema: ORDER } } }, responses: { 201: { description: 'made' } } } },
  '/x/{id}': { get: { operationId: 'one', parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
    { name: 'X-Need', in: 'header', required: true, schema: { type: 'string' } }], responses: { 200: { description: 'ok' } } } } } };
const api = (row) => ({ openapi, ...row });
const CONTENT = (action, more = '') => `<validate-content unspecified-content-type-action="prevent" max-size="200" size-exceeded-action="prevent" errors-variable-name="errors"${more}>`
  + `<content type="application/json" validate-as="json" action="${action}" /></validate-content>`;
const PARAMETERS = '<validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="prevent" errors-variable-name="errors"><headers unspecified-parameter-action="ignore" /></validate-parameters>';
const json = (body, type = 'application/json') => ({ method: 'POST', headers: { 'Content-Type': type }, body });

const VALIDATE = [
  { what: 'mock-response gives the example', inbound: '<mock-response status-code="200" content-type="application/json" />', request: { path: '/x?page=1' },
    expect: { status: 200, headers: { 'Content-Type': /^application\/json/ }, body: [{ id: 7, note: 'shown' }], backend: [] } },
  { what: 'mock-response makes one from the schema', inbound: '<mock-response status-code="404" content-type="application/json" />', request: { path: '/x?page=1' },
    expect: (a) => { assert.equal(a.status, 404); assert.equal(typeof JSON.parse(a.body).reason, 'string'); } },
  { what: 'validate-content lets a good body pass, whole', inbound: CONTENT('prevent'), request: json('{"id": 3, "note": "abc"}'), expect: { status: 200, backend: [{ body: '{"id": 3, "note": "abc"}' }] } },
  { what: 'validate-content: a missing property', inbound: CONTENT('prevent'), request: json('{"note":"abc"}'), expect: { status: 400, body: /id/, backend: [] } },
  { what: 'validate-content: a wrong type', inbound: CONTENT('prevent'), request: json('{"id":"3"}'), expect: { status: 400, backend: [] } },
  { what: 'validate-content: a property too many', inbound: CONTENT('prevent'), request: json('{"id":3,"more":1}'), expect: { status: 400, backend: [] } },
  { what: 'validate-content: no JSON at all', inbound: CONTENT('prevent'), request: json('{"id":'), expect: { status: 400, backend: [] } },
  { what: 'validate-content: too large', inbound: CONTENT('prevent'), request: json(`{"id":3${' '.repeat(300)}}`), expect: { status: 400, backend: [] } },
  { what: 'validate-content: a type that nobody named', inbound: CONTENT('prevent'), request: json('a,b', 'text/csv'), expect: { status: 400, backend: [] } },
  { what: 'validate-content detect: noted, not refused', inbound: `${CONTENT('detect')}<set-header name="X-Errors"><value>@(((System.Collections.IEnumerable)context.Variables["errors"]) == null ? "none" : "some")</value></set-header>`,
    request: json('{"note":"abc"}'), expect: { status: 200, backend: [{ body: '{"note":"abc"}' }] } },
  { what: 'validate-content on a response', outbound: CONTENT('prevent'), answers: answers('application/json', '[{"id":0}]'), request: { path: '/x?page=1' },
    expect: (a) => { assert.equal(a.status, 502); assert.ok(!a.body.includes('minimum'), a.body); } },
  { what: 'validate-content on a good response', outbound: CONTENT('prevent'), answers: answers('application/json', '[{"id":1}]'), request: { path: '/x?page=1' }, expect: { status: 200, body: '[{"id":1}]' } },
  { what: 'validate-parameters: good ones', inbound: PARAMETERS, request: { path: '/x?page=9', headers: { 'X-Kind': 'b' } }, expect: { status: 200 } },
  { what: 'validate-parameters: a missing one', inbound: PARAMETERS, request: { path: '/x/7' }, expect: { status: 400, body: /X-Need/, backend: [] } },
  { what: 'validate-parameters: beyond its maximum', inbound: PARAMETERS, request: { path: '/x?page=10' }, expect: { status: 400, body: /page/ } },
  { what: 'validate-parameters: no number', inbound: PARAMETERS, request: { path: '/x?page=one' }, expect: { status: 400 } },
  { what: 'validate-parameters: a query parameter that nobody named', inbound: PARAMETERS, request: { path: '/x?page=1&debug=1' }, expect: { status: 400, body: /debug/ } },
  { what: 'validate-parameters: a header outside its list', inbound: PARAMETERS, request: { path: '/x?page=1', headers: { 'X-Kind': 'c' } }, expect: { status: 400, body: /X-Kind/i } },
  { what: 'validate-parameters: the path', inbound: PARAMETERS, request: { path: '/x/seven', headers: { 'X-Need': '1' } }, expect: { status: 400, body: /id/ } },
  { what: 'validate-headers lets a good one pass', outbound: '<validate-headers specified-header-action="prevent" unspecified-header-action="ignore" errors-variable-name="errors" />',
    answers: answers('application/json', '[]', { 'X-Total': '3' }), request: { path: '/x?page=1' }, expect: { status: 200 } },
  { what: 'validate-headers: a wrong one', outbound: '<validate-headers specified-header-action="prevent" unspecified-header-action="ignore" errors-variable-name="errors" />',
    answers: answers('application/json', '[]', { 'X-Total': 'many' }), request: { path: '/x?page=1' }, expect: { status: 502 } },
  { what: 'validate-headers: one that nobody named', outbound: '<validate-headers specified-header-action="ignore" unspecified-header-action="prevent" errors-variable-name="errors" />',
    answers: answers('application/json', '[]', { 'X-Else': '1' }), request: { path: '/x?page=1' }, expect: { status: 502 } },
  { what: 'validate-status-code: named', outbound: '<validate-status-code unspecified-status-code-action="prevent" errors-variable-name="errors" />', answers: answers('application/json', '{}', {}, 404),
    request: { path: '/x?page=1' }, expect: { status: 404 } },
  { what: 'validate-status-code: not named', outbound: '<validate-status-code unspecified-status-code-action="prevent" errors-variable-name="errors" />', answers: answers('application/json', '{}', {}, 418),
    request: { path: '/x?page=1' }, expect: { status: 502 } },
  { what: 'validate-status-code: an exception', outbound: '<validate-status-code unspecified-status-code-action="prevent" errors-variable-name="errors"><status-code code="418" action="ignore" /></validate-status-code>',
    answers: answers('application/json', '{}', {}, 418), request: { path: '/x?page=1' }, expect: { status: 418 } },
].map(api);

const GLOBAL = '<policies><inbound><cross-domain><cross-domain-policy><allow-http-request-headers-from domain="*" headers="*" /></cross-domain-policy></cross-domain></inbound>'
  + '<backend><forward-request /></backend><outbound /><on-error /></policies>';
table('bodies', { setup: (g, cli) => {
  cli('named-value', 'set', 'salutation', '--file', g.file('salutation', 'good morning'));
  cli('named-value', 'set', 'hidden', '--secret', '--file', g.file('hidden', 's3cret'));
  cli('fragment', 'set', 'greeting', g.file('greeting.xml', '<fragment><return-response><set-body>@("{{salutation}}, " + context.Request.Headers.GetValueOrDefault("X-Who", "") + ": {{hidden}}")</set-body></return-response></fragment>'));
  cli('policy', 'set', '--scope', 'global', g.file('global.xml', GLOBAL));
} }, [...TRANSFORM, ...RESPOND, ...VALIDATE]);
