// Policies that depend on what the web server makes of a request, behind each of them: cors with real preflights, ip-filter and
// the client's address, check-header, set-header on fields that mean something to a web server, errors and their on-error.
'use strict';
const assert = require('node:assert/strict');
const { SERVERS } = require('./harness');
const { table } = require('./policy-table');

const ORIGIN = 'https://app.example';
const CORS = (more = '', rest = '<allowed-methods preflight-result-max-age="300"><method>GET</method><method>PUT</method></allowed-methods><allowed-headers><header>X-One</header><header>Content-Type</header></allowed-headers><expose-headers><header>X-Total</header></expose-headers>') =>
  `<cors ${more}><allowed-origins><origin>${ORIGIN}</origin><origin>http://localhost:4200</origin></allowed-origins>${rest}</cors>`;
const preflight = (origin, method, headers) => ({ method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': method, ...(headers && { 'Access-Control-Request-Headers': headers }) } });
const NONE = { 'Access-Control-Allow-Origin': null, 'Access-Control-Allow-Methods': null };
const gold = (row) => ({ product: 'gold', ...row });
const lists = (a, name) => (a.headers[name] ?? '').split(',').map((v) => v.trim().toLowerCase());

const CORS_ROWS = [
  gold({ what: 'a preflight is granted, without a key, and reaches no backend', inbound: CORS('allow-credentials="true"'), request: preflight(ORIGIN, 'PUT', 'x-one'),
    expect: { status: 200, headers: { 'Access-Control-Allow-Origin': ORIGIN, 'Access-Control-Allow-Methods': /PUT/, 'Access-Control-Allow-Headers': /x-one/i, 'Access-Control-Max-Age': '300',
      'Access-Control-Allow-Credentials': 'true', Vary: /Origin/i }, body: '', backend: [] } }),
  { what: 'a preflight from elsewhere is not', inbound: CORS(), request: preflight('https://evil.example', 'PUT'), expect: { status: 200, headers: NONE, backend: [] } },
  { what: 'nor for another method', inbound: CORS(), request: preflight(ORIGIN, 'DELETE'), expect: { status: 200, headers: NONE } },
  { what: 'nor for another header', inbound: CORS(), request: preflight(ORIGIN, 'PUT', 'x-one, x-two'), expect: { status: 200, headers: NONE } },
  { what: 'an OPTIONS request that is no preflight is a request like others', inbound: CORS(), request: { method: 'OPTIONS', headers: { Origin: ORIGIN } }, expect: { status: 404 } },
  gold({ what: 'a refusal carries the headers, so that the page can read it', inbound: CORS(), request: { headers: { Origin: ORIGIN } }, expect: { status: 401, headers: { 'Access-Control-Allow-Origin': ORIGIN } } }),
  { what: 'a request gets the headers beside the answer', inbound: CORS(), answers: (req, res) => { res.setHeader('X-Total', '3'); res.end('hello'); }, request: { headers: { Origin: ORIGIN } },
    expect: { status: 200, body: 'hello', headers: { 'Access-Control-Allow-Origin': ORIGIN, 'Access-Control-Expose-Headers': 'X-Total', 'X-Total': '3' } } },
  { what: 'Vary of the backend stays, with Origin beside it', inbound: CORS(), answers: (req, res) => { res.setHeader('Vary', 'Accept-Encoding'); res.end(); }, request: { headers: { Origin: ORIGIN } },
    expect: (a) => assert.deepEqual(lists(a, 'vary').sort(), ['accept-encoding', 'origin']) },
  { what: 'Origin does not stand in Vary twice', inbound: CORS(), answers: (req, res) => { res.setHeader('Vary', 'origin, X-A'); res.end(); }, request: { headers: { Origin: ORIGIN } },
    expect: (a) => assert.deepEqual(lists(a, 'vary').sort(), ['origin', 'x-a']) },
  { what: 'headers of the backend do not stand twice', inbound: CORS(), answers: (req, res) => { res.setHeader('Access-Control-Allow-Origin', '*'); res.end(); }, request: { headers: { Origin: ORIGIN } },
    expect: { headers: { 'Access-Control-Allow-Origin': ORIGIN } } },
  { what: 'a request from elsewhere gets an empty 200', inbound: CORS(), request: { headers: { Origin: 'https://evil.example' } }, expect: { status: 200, body: '', headers: NONE, backend: [] } },
  { what: 'unless the policy says otherwise', inbound: CORS('terminate-unmatched-request="false"'), request: { headers: { Origin: 'https://evil.example' } }, expect: { status: 200, headers: NONE, backend: [{}] } },
  { what: 'errors of the backend carry the headers', dead: true, inbound: CORS(), request: { headers: { Origin: ORIGIN } }, expect: { status: 502, headers: { 'Access-Control-Allow-Origin': ORIGIN } } },
  { what: 'a star for everybody', inbound: '<cors><allowed-origins><origin>*</origin></allowed-origins><allowed-methods><method>*</method></allowed-methods><allowed-headers><header>*</header></allowed-headers></cors>',
    steps: [{ request: preflight('https://any.example', 'PATCH', 'x-any'), expect: { status: 200, headers: { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Methods': /PATCH|\*/, 'Access-Control-Allow-Headers': /x-any|\*/i } } },
      { request: { headers: { Origin: 'https://any.example' } }, expect: { headers: { 'Access-Control-Allow-Origin': '*' } } }] },
];

const ERROR = '<return-response><set-status code="403" /><set-body>@(context.LastError.Source + "|" + context.LastError.Reason + "|" + context.LastError.Section + "|" + context.LastError.Scope + "|" + context.LastError.Message)</set-body></return-response>';
const HEADER = (attributes = 'ignore-case="true"') => `<check-header name="X-Tenant" failed-check-httpcode="409" failed-check-error-message="Which tenant?" ${attributes}><value>north</value><value>south</value></check-header>`;
const ACCESS_ROWS = [
  { what: 'ip-filter sees the client\'s address: allowed', inbound: '<ip-filter action="allow"><address>127.0.0.1</address></ip-filter>', request: {}, expect: { status: 200 } },
  { what: 'ip-filter: a range', inbound: '<ip-filter action="allow"><address-range from="126.255.255.255" to="127.0.0.2" /></ip-filter>', request: {}, expect: { status: 200 } },
  { what: 'ip-filter: not in the list', inbound: '<ip-filter action="allow"><address>203.0.113.9</address></ip-filter>', request: {}, expect: { status: 403, body: '{ "statusCode": 403, "message": "Forbidden" }', backend: [] } },
  { what: 'ip-filter: forbidden', inbound: '<ip-filter action="forbid"><address-range from="127.0.0.0" to="127.255.255.255" /></ip-filter>', onError: ERROR, request: {},
    expect: { status: 403, body: /^ip-filter\|CallerIpBlocked\|inbound\|api\|/ } },
  { what: 'ip-filter does not believe what the client says', inbound: '<ip-filter action="forbid"><address>127.0.0.1</address></ip-filter>',
    request: { headers: { 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.9', 'X-Real-IP': '203.0.113.9' } }, expect: { status: 403 } },
  { what: 'context.Request.IpAddress', inbound: '<return-response><set-body>@(context.Request.IpAddress)</set-body></return-response>', request: {}, expect: { body: '127.0.0.1' } },
  { what: 'check-header: a good value in another case', inbound: HEADER(), request: { headers: { 'x-tenant': 'NORTH' } }, expect: { status: 200 } },
  { what: 'check-header: case matters when told', inbound: HEADER('ignore-case="false"'), request: { headers: { 'x-tenant': 'NORTH' } }, expect: { status: 409, body: '{ "statusCode": 409, "message": "Which tenant?" }', backend: [] } },
  { what: 'check-header: not there', inbound: HEADER(), onError: ERROR, request: {}, expect: { status: 403, body: /^check-header\|HeaderNotFound\|/ } },
  { what: 'check-header: another value', inbound: HEADER(), onError: ERROR, request: { headers: { 'X-Tenant': 'east' } }, expect: { status: 403, body: /^check-header\|HeaderValueNotAllowed\|/ } },
  { what: 'several Set-Cookie fields stay apart', answers: (req, res) => { res.setHeader('Set-Cookie', ['a=1; Path=/', 'b=2; Path=/']); res.end(); },
    outbound: '<set-header name="Set-Cookie" exists-action="append"><value>c=3</value></set-header>', request: {}, expect: (a) => assert.deepEqual(a.headers['set-cookie'], ['a=1; Path=/', 'b=2; Path=/', 'c=3']) },
  { what: 'a backend cannot make the web server serve a file', answers: (req, res) => { res.setHeader('X-Sendfile', '/etc/passwd'); res.setHeader('X-Accel-Redirect', '/static/logo.svg'); res.end('mine'); },
    request: {}, expect: { status: 200, body: 'mine', headers: { 'X-Accel-Redirect': null, 'X-Sendfile': null } } },
  { what: 'nor make it ask itself again', answers: (req, res) => { res.writeHead(200, { Location: '/static/logo.svg' }); res.end('mine'); }, request: {}, expect: { status: 200, body: 'mine' } },
  { what: 'a status that nobody knows', answers: (req, res) => { res.writeHead(299, 'Odd'); res.end('x'); }, request: {}, expect: { status: 299, body: 'x' } },
  { what: 'a status without a body', answers: (req, res) => { res.writeHead(204); res.end(); }, request: {}, expect: { status: 204, body: '' } },
  { what: '304 and its validators', answers: (req, res) => { res.writeHead(304, { ETag: '"1"' }); res.end(); }, request: { headers: { 'If-None-Match': '"1"' } },
    expect: { status: 304, body: '', headers: { ETag: '"1"' }, backend: [{ headers: { 'if-none-match': '"1"' } }] } },
  { what: 'ranges', answers: (req, res) => { res.writeHead(206, { 'Content-Range': 'bytes 0-1/5' }); res.end('he'); }, request: { headers: { Range: 'bytes=0-1' } },
    expect: { status: 206, body: 'he', headers: { 'Content-Range': 'bytes 0-1/5' }, backend: [{ headers: { range: 'bytes=0-1' } }] } },
  { what: 'an address with everything that may stand in it', request: { path: `/x/a%20b%C3%A4%2B+~!$'()*,;=:@?q=%26%3D&r=a+b&s=%C3%A4&t=[]` },
    expect: (a, seen) => assert.equal(seen[0].url, `/x/a%20b%C3%A4%2B+~!$'()*,;=:@?q=%26%3D&r=a+b&s=%C3%A4&t=[]`) },
  { what: 'fields of every byte that may be in one', request: { headers: { 'X-A': 'a "quoted", \t value; with=all', 'X-B': Buffer.from('ä').toString('latin1') } },
    expect: { backend: [{ headers: { 'x-a': 'a "quoted", \t value; with=all', 'x-b': Buffer.from('ä').toString('latin1') } }] } },
  { what: 'an expression that fails says nothing to the caller', inbound: '<set-header name="X"><value>@(((string)null).Length.ToString())</value></set-header>', request: {},
    expect: { status: 500, body: /^\{ "statusCode": 500, "message": "Internal server error", "activityId": "[^"]+" \}$/, backend: [] } },
];

const named = (name, rows) => rows.map((row) => ({ ...row, what: `${name}: ${row.what}` }));
table('policies and web servers', { servers: SERVERS, setup: (g, cli) => { cli('product', 'create', 'gold'); } }, [...named('cors', CORS_ROWS), ...ACCESS_ROWS]);
