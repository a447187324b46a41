// On-demand capture: headers and bodies of calls of one API, subscription or address, for a while, without secrets.
'use strict';
const { describe, it, before, after, afterEach } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { start, backend, until } = require('./harness');
const { Visitor, management } = require('./people');

const NAMED = 'named-"secret"&9931', TOKEN = 'caller-bearer-5521', PASSWORD = 'correct horse battery staple';
const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Pets', version: '1.0' },
  paths: { '/pets': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } }, post: { operationId: 'add', responses: { 200: { description: 'ok' } } } } } });
const POLICY = '<policies><inbound><base /><set-header name="X-Pass" exists-action="override"><value>{{pass}}</value></set-header></inbound>'
  + '<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>';
const CHANGING = '<policies><inbound><base /><set-body>{"made":"by policy","apiKey":"k-4471"}</set-body></inbound><backend><base /></backend>'
  + '<outbound><base /><set-body>{"out":"changed"}</set-body></outbound><on-error><base /></on-error></policies>';

describe('capture', () => {
  let gw, pets, mine, answer;
  const call = (options = {}, api = 'pets', query = '') => fetch(`${gw.url}/api/${api}/pets${query}`,
    { ...options, headers: { 'Ocp-Apim-Subscription-Key': mine.primaryKey, ...options.headers } })
    .then(async (r) => ({ status: r.status, id: r.headers.get('x-request-id'), text: await r.text() }));
  const begin = async (...args) => {
    const c = gw.cli('capture', 'start', ...args, '--format', 'json').json();
    await gw.adopted();
    return c;
  };
  const end = async (c) => { gw.cli('capture', 'stop', c.id); await gw.adopted(); };
  // the record is written when the call is over, which is after the client has its answer
  const record = (id) => until(() => {
    const r = gw.cli('capture', 'show', id, '--format', 'json', { fails: true });
    return r.code === 0 && r.json();
  }, 'the captured call');
  const calls = (c) => { const r = gw.cli('capture', 'show', c.id, '--format', 'json', { fails: true }); return r.code ? [] : r.json(); };

  before(async () => {
    pets = await backend((req, res, body) => answer(req, res, body));
    gw = await start({ server: 'nginx', workers: 2, setup(g) {
      g.cli('product', 'create', 'gold');
      for (const id of ['pets', 'other', 'changing'])
        g.cli('import', 'openapi', g.file(`${id}.json`, SPEC), '--path', id, '--name', id, '--backend', pets.url, '--product', 'gold');
      g.cli('named-value', 'set', 'pass', '--secret', '--file', g.file('pass', NAMED));
      g.cli('policy', 'set', g.file('p.xml', POLICY), '--scope', 'api:pets');
      g.cli('policy', 'set', g.file('c.xml', CHANGING), '--scope', 'api:changing');
      mine = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json();
      for (const [who, role] of [['boss', 'administrator'], ['pub', 'publisher']])
        g.cli('user', 'create', `${who}@example.com`, '--role', role, '--password-file', g.file(`${who}.pw`, `${PASSWORD}\n`));
    } });
    answer = (req, res) => { res.setHeader('Content-Type', 'application/json'); res.end('{}'); };
  });
  afterEach(() => {
    for (const c of gw.cli('capture', 'list', '--format', 'json').json()) if (c.on) gw.cli('capture', 'stop', c.id);
  });
  after(async () => {
    await gw?.stop();
    await pets?.close();
  });

  it('all four messages, without secrets, marked fields and keys, and the call is found from its record', async () => {
    const c = await begin('--api', 'pets', '--mask', 'iban, X-Patient');
    answer = (req, res) => {
      res.setHeader('Content-Type', 'application/json');
      res.setHeader('Set-Cookie', 'session=cookie-value-8812');
      res.setHeader('Location', '/next?page=2&access_token=place-token-5');
      res.end(JSON.stringify({ kept: 'answer', refresh_token: 'back-token-1', iban: 'NL91ABNA0417164300', echo: NAMED, deep: [{ password: { a: 'pw-77' } }] }));
    };
    const body = JSON.stringify({ name: 'Rex', clientSecret: 'body-secret-1', note: `uses ${TOKEN}`, iban: 'DE02120300000000202051' });
    const r = await call({ method: 'POST', body, headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${TOKEN}`, 'X-Patient': 'patient-4410' } },
      'pets', '?colour=red&access_token=query-token-3&iban=FR76');
    assert.equal(r.status, 200);
    const v = await record(r.id), text = JSON.stringify(v);
    assert.equal(v.capture, c.id);
    assert.deepEqual([v.api, v.operation, v.subscription, v.status, v.address], ['pets', 'add', mine.id, 200, '127.0.0.1']);
    assert.equal(v.request.method, 'POST');
    assert.match(v.request.url, /\/api\/pets\/pets\?colour=red&access_token=\*\*\*&iban=\*\*\*$/);
    assert.deepEqual(JSON.parse(v.request.body.text), { name: 'Rex', clientSecret: '***', note: 'uses ***', iban: '***' });
    assert.equal(v.request.body.bytes, body.length);
    assert.deepEqual(JSON.parse(v.backendResponse.body.text), { kept: 'answer', refresh_token: '***', iban: '***', echo: '***', deep: [{ password: '***' }] });
    assert.equal(v.response.body.text, v.backendResponse.body.text);
    assert.equal(v.backendRequest.body.text, v.request.body.text);
    const sent = Object.fromEntries(v.backendRequest.headers.map((h) => [h.name.toLowerCase(), h.value]));
    assert.equal(sent['x-pass'], '***');
    assert.equal(sent['content-type'], 'application/json');
    for (const secret of ['body-secret-1', TOKEN, 'DE0212', 'NL91', 'FR76', 'query-token', 'back-token', 'place-token', 'cookie-value', 'pw-77', 'patient-4410',
      'named-', '9931', mine.primaryKey])
      assert.ok(!text.includes(secret), `${secret} in ${text}`);
    // nothing of it lies in the clear in the shared cache either: masked before it is written
    const files = fs.readdirSync(path.join(gw.state, 'cache')).map((f) => fs.readFileSync(path.join(gw.state, 'cache', f)));
    assert.ok(files.some((f) => f.includes('Rex')));
    for (const secret of ['body-secret-1', TOKEN, 'NL91ABNA', 'patient-4410', 'pw-77']) assert.ok(!files.some((f) => f.includes(secret)), secret);
    await until(() => gw.cli('log', '--id', r.id).stdout.includes(`captured     headers and bodies: gatehouse capture show ${r.id}`), 'the record of the call');
    assert.deepEqual(calls(c).map((x) => [x.id, x.method, x.status]), [[r.id, 'POST', 200]]);
    assert.match(gw.cli('capture', 'show', r.id).stdout, /from the client {2}POST http.*\n[^]*clientSecret":"\*\*\*"[^]*to the backend[^]*from the backend {2}200[^]*to the client {2}200/);
    await end(c);
    assert.equal((await call()).status, 200);
    assert.equal(calls(c).length, 1);
  });

  it('bodies that a policy changes are shown on both sides; forms, XML, compressed, binary and cut ones as what they are', async () => {
    const c = await begin('--subscription', mine.id, '--body-bytes', '200');
    answer = (req, res) => { res.setHeader('Content-Type', 'application/json'); res.end('{"in":"backend"}'); };
    let v = await record((await call({ method: 'POST', body: '{"in":"client"}', headers: { 'Content-Type': 'application/json' } }, 'changing')).id);
    assert.deepEqual(['request', 'backendRequest', 'backendResponse', 'response'].map((m) => v[m].body.text),
      ['{"in":"client"}', '{"made":"by policy","apiKey":"***"}', '{"in":"backend"}', '{"out":"changed"}']);
    const rows = [
      ['application/x-www-form-urlencoded', 'user=ann&password=p%26w&client%5Fsecret=x', 'user=ann&password=***&client%5Fsecret=***'],
      ['text/xml', '<e xmlns:w="u"><w:Password Type="t">pw-1</w:Password><a token="t1" b="2"/></e>', '<e xmlns:w="u"><w:Password Type="t">***</w:Password><a token="***" b="2"/></e>'],
      ['application/octet-stream', Buffer.from([1, 0, 2, 255]), null],
      ['application/x-www-form-urlencoded', Buffer.from('a=1\0&b=2'), null],          // what curl says that sends a file
      ['text/xml; charset=utf-16', Buffer.from('<a>b</a>', 'utf16le'), null],
      ['application/json', JSON.stringify({ event: JSON.stringify({ pin: 'inner-1', to: '/cb?code=1&access_token=inner-2' }) }),
        JSON.stringify({ event: JSON.stringify({ pin: '***', to: '/cb?code=1&access_token=***' }) })],
      ['text/plain', 'x'.repeat(500), 'x'.repeat(200)],
      ['application/json', `{"a":"${'y'.repeat(180)}","password":"edge-secret-at-the-end-of-what-is-shown"}`, `{"a":"${'y'.repeat(180)}","password":"***"}`.slice(0, 200)],
    ];
    for (const [type, body, want] of rows) {
      answer = (req, res) => { res.setHeader('Content-Type', type); res.end(body); };
      v = await record((await call()).id);
      assert.equal(v.response.body.text, want, type);
      assert.equal(v.response.body.bytes, body.length);
    }
    answer = (req, res) => { res.setHeader('Content-Type', 'application/json'); res.setHeader('Content-Encoding', 'gzip'); res.end(zlib.gzipSync('{"token":"zipped-1","b":1}')); };
    v = await record((await call()).id);
    assert.equal(v.response.body.text, '{"token":"***","b":1}');
    await end(c);
  });

  it('of a multipart body each part, with the text of what is text, masked as all else', async () => {
    const c = await begin('--api', 'pets', '--body-bytes', '2000', '--mask', 'iban');
    const form = (parts, end = true) => Buffer.concat([...parts.flatMap(([head, body]) => [`--edge;1\r\n${head}\r\n\r\n`, body, '\r\n'].map((x) => Buffer.from(x))), Buffer.from(end ? '--edge;1--\r\n' : '')]);
    const field = (name, more = '') => `Content-Disposition: form-data; name="${name}"${more}`;
    const send = async (body) => (await record((await call({ method: 'POST', body, headers: { 'Content-Type': 'multipart/form-data; boundary="edge;1"', Authorization: `Bearer ${TOKEN}` } })).id)).request.body;
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]);
    let body = await send(form([[field('customer'), 'Ada'], [field('password'), 'hunter2-4471'], [field('IBAN'), 'DE0212-5512'], [field('empty'), ''],
      [field('photo', '; filename="a;b.png"') + '\r\nContent-Type: image/png', png], [field('order') + '\r\nContent-Type: application/json', '{"clientSecret":"x-9911","n":1}'],
      [field('note') + '\r\nContent-Type: text/plain', `uses ${TOKEN}`], [field('mail') + '\r\nContent-Transfer-Encoding: base64', 'c2VjcmV0LTc3MTI='], ['Content-Type: text/plain', 'no name']]));
    const part = (name, text, more = {}) => ({ name, file: '', type: '', bytes: text === null ? 0 : text.length, cut: false, text, ...more });
    assert.deepEqual(body.parts, [part('customer', 'Ada'), part('password', '***', { bytes: 12 }), part('IBAN', '***', { bytes: 11 }), part('empty', ''),
      part('photo', null, { file: 'a;b.png', type: 'image/png', bytes: 8, note: 'not text' }),
      part('order', '{"clientSecret":"***","n":1}', { type: 'application/json', bytes: 31 }), part('note', 'uses ***', { type: 'text/plain', bytes: 5 + TOKEN.length }),
      part('mail', null, { bytes: 16, note: 'encoded' }), part('', 'no name', { type: 'text/plain' })]);
    assert.deepEqual([body.text, body.note, body.cut], [null, null, false]);
    body = await send(form([[field('long'), 'x'.repeat(1990)], [field('next'), 'y'.repeat(500)], [field('last'), 'z'.repeat(20000)]]));
    assert.deepEqual(body.parts.map((p) => [p.name, p.text.length, p.cut]), [['long', 1990, false], ['next', 10, true], ['last', 0, true]]);
    body = await send(form([...Array(60)].map((_, i) => [field(`f${i}`), 'v'])));
    assert.equal(body.parts.length, 50);
    for (const broken of ['--edge;1', '--other\r\n', '--edge;1\r\nno end of the head', '--edge;1--\r\n']) {
      body = await send(Buffer.from(broken));
      assert.deepEqual([body.parts, body.text, body.note], [undefined, null, 'not text'], broken);
    }
    // names are the client's: one that JSON takes only when asked does not make the call unreadable
    body = await send(form([['Content-Disposition: form-data; name="nu\0l"', 'v']]));
    assert.deepEqual(body.parts, [part('nu\0l', 'v')]);
    const shown = gw.cli('capture', 'show', (await call({ method: 'POST', body: form([[field('customer'), 'Ada'], [field('photo', '; filename="a.png"'), png]]),
      headers: { 'Content-Type': 'multipart/form-data; boundary="edge;1"' } }).then(async (r) => { await record(r.id); return r; })).id).stdout;
    assert.match(shown, /part customer \(3 bytes\)\n {2}\| Ada\n {2}part photo, a\.png \(8 bytes, not shown: not text\)/);
    await end(c);
  });

  it('a secret at the very place where a long body is cut leaves no half of itself', async () => {
    const c = await begin('--api', 'pets', '--body-bytes', '1000');
    for (const at of [980, 990, 1000, 9180, 9186, 9191]) {
      answer = (req, res) => { res.setHeader('Content-Type', 'text/plain'); res.end(`${'z'.repeat(at)}${TOKEN}${'z'.repeat(9000)}`); };
      const v = await record((await call({ headers: { Authorization: `Bearer ${TOKEN}` } })).id);
      assert.ok(!v.response.body.text.includes('calle'), v.response.body.text.slice(-40));
      assert.ok(v.response.body.cut && v.response.body.text.length <= 1000);
    }
    await end(c);
  });

  it('refused calls too; by address; calls of others are not; a call is written down once', async () => {
    const c = await begin('--address', '127.0.0.0/8', '--body-bytes', '0'), d = await begin('--address', '192.0.2.1');
    const refused = await call({ headers: { 'Ocp-Apim-Subscription-Key': 'no-such-key-12345' } });
    assert.equal(refused.status, 401);
    const v = await record(refused.id);
    assert.deepEqual([v.status, v.backendRequest, v.failure], [401, null, 'key_invalid']);
    assert.ok(!JSON.stringify(v).includes('no-such-key-12345'));
    assert.equal(v.response.body.text, null);
    assert.deepEqual(calls(d), []);
    await end(c);
    await end(d);
    const e = await begin('--api', 'pets');
    await call({}, 'other');
    await record((await call()).id);
    assert.equal(calls(e).length, 1);
    await end(e);
  });

  it('it stops at its number of calls, and by itself when its time is over; each start and end stands in the audit trail', async () => {
    answer = (req, res) => res.end('ok');
    const c = await begin('--api', 'pets', '--calls', '3');
    for (let i = 0; i < 6; i++) assert.equal((await call()).status, 200);
    await until(() => calls(c).length === 3, 'three calls');
    await end(c);
    assert.match(gw.cli('capture', 'stop', c.id, { fails: true }).stderr, /has ended already/);
    const d = await begin('--api', 'pets', '--for', '1s');
    const state = (id) => gw.cli('capture', 'list', '--format', 'json').json().find((x) => x.id === id);
    await until(() => state(d.id).endedBy === 'time' && !state(d.id).on, 'the end');
    assert.equal((await call()).status, 200);
    await gw.adopted();
    assert.ok(calls(d).length === 0);
    const { spawnSync } = require('node:child_process');
    const trail = () => spawnSync('sqlite3', ['-cmd', '.timeout 10000', path.join(gw.state, 'config.db'), "SELECT action, actor, object_id FROM audit_entry WHERE kind = 'capture' ORDER BY seq"], { encoding: 'utf8' });
    await until(() => trail().stdout.includes(`end|keeper|${d.id}`), `the end in the audit trail: ${trail().stdout}${trail().stderr}`);
    assert.match(trail().stdout, new RegExp(`start\\|cli:\\w+\\|${c.id}\n[^]*stop\\|cli:\\w+\\|${c.id}\n[^]*start\\|cli:\\w+\\|${d.id}`));
  });

  it('the dashboard starts, shows and stops one, for those who run the gateway; what is entered wrong stays', async () => {
    answer = (req, res) => { res.setHeader('Content-Type', 'application/json'); res.end('{"seen":"<b>","password":"pw-1"}'); };
    const boss = new Visitor(gw.url);
    await (await boss.signIn('boss@example.com', PASSWORD, '/admin/sign-in')).follow();
    await boss.open('/admin/captures');
    assert.equal(boss.status, 200);
    await boss.submit('/admin/captures', { api: 'pets', address: '192.0.2.1', minutes: '10', calls: '5', mask: 'iban' });
    assert.equal(boss.status, 422);
    assert.ok(boss.says('one API, one subscription or one address') && boss.html.includes('value="iban"'));
    await boss.submit('/admin/captures', { api: 'pets', address: '', minutes: 'many', calls: '5' });
    assert.ok(boss.status === 422 && boss.says('Enter a number from 1 to 60'));
    await boss.submit('/admin/captures', { api: 'pets', minutes: '10', calls: '5', bodies: 'yes' });
    await boss.follow();
    await gw.adopted();
    const id = gw.cli('capture', 'list', '--format', 'json').json()[0].id;
    assert.ok(boss.says('Capture is on') && boss.says('No call yet'));
    const r = await call();
    await record(r.id);
    await boss.open(`/admin/captures/${id}`);
    assert.ok(boss.html.includes(`/captures/calls/${r.id}`));
    await boss.open(`/admin/captures/calls/${r.id}`);
    assert.ok(boss.says('From the client') && boss.says('To the backend') && boss.html.includes('&lt;b&gt;') && !boss.html.includes('pw-1'));
    // its decision record leads there
    await until(async () => { await boss.open(`/admin/calls?q=${r.id}`); return boss.html.includes(`/captures/calls/${r.id}`); }, 'the record of the call');
    await boss.open(`/admin/captures/${id}`);
    await boss.submit(`/admin/captures/${id}/stop`);
    await boss.follow();
    assert.ok(boss.says('Capture is off'));
    assert.equal(gw.cli('capture', 'list', '--format', 'json').json()[0].endedBy, 'user:boss@example.com');
    const pub = new Visitor(gw.url);
    await (await pub.signIn('pub@example.com', PASSWORD, '/admin/sign-in')).follow();
    await pub.open('/admin/captures');
    assert.equal(pub.status, 403);
    await pub.open(`/admin/captures/calls/${r.id}`);
    assert.equal(pub.status, 403);
  });

  it('a program starts, reads and stops one by the management API', async () => {
    answer = (req, res) => { res.setHeader('Content-Type', 'application/json'); res.end('{"password":"pw-2"}'); };
    const rest = management(gw, { scopes: ['write:captures', 'read:analytics'] });
    for (const [body, pointer, words] of [[{}, '#/api', /one API, one subscription or one address/], [{ api: 'pets', address: '::1' }, '#/api', /name one/],
      [{ api: 'nope' }, '#/api', /no API 'nope'/], [{ subscription: 'nope' }, '#/subscription', /no subscription/], [{ address: 'somewhere' }, '#/address', /no address/],
      [{ api: 'pets', minutes: 61 }, '#/minutes', /1 to 60/], [{ api: 'pets', calls: 0 }, '#/calls', /1 to 500/], [{ api: 'pets', mask: 'x '.repeat(40) }, '#/mask', /at most 32/],
      [{ apy: 'pets' }, '#/apy', /no such member/]]) {
      const r = await rest('POST', '/captures', body);
      assert.equal(r.status, 422, JSON.stringify(body));
      assert.ok(r.body.errors.some((e) => e.pointer === pointer && words.test(e.detail)), JSON.stringify(r.body));
    }
    const dry = await rest('POST', '/captures?dry-run=true', { api: 'pets' });
    assert.deepEqual([dry.status, dry.headers.get('dry-run'), dry.body.on], [200, 'true', true]);
    assert.equal((await rest('GET', `/captures/${dry.body.id}`)).status, 404);
    const { body: c } = await rest('POST', '/captures', { api: 'pets', minutes: 5, calls: 3, mask: 'iban' });
    await gw.adopted();
    assert.deepEqual([c.api, c.on, c.calls, c.mask, c.startedBy, c.bodyBytes], ['pets', true, 3, 'iban', 'token:t-administrator-write-captures-read-analytics', 16384]);
    const r = await call();
    const seen = await record(r.id), one = await rest('GET', `/captured-calls/${r.id}`);
    assert.deepEqual(one.body, seen);
    assert.ok(!JSON.stringify(one.body).includes('pw-2'));
    assert.deepEqual((await rest('GET', `/captures/${c.id}`)).body.captured.map((x) => x.id), [r.id]);
    assert.deepEqual((await rest('GET', '/captures?limit=1')).body.items.map((x) => x.id), [c.id]);
    const found = await until(async () => { const x = await rest('GET', `/calls/${r.id}`); return x.status === 200 && x.body; }, 'the record of the call');
    assert.deepEqual([found.request_id, found.captured], [r.id, true]);
    assert.equal((await rest('POST', `/captures/${c.id}/stop?dry-run=true`)).body.on, false);
    assert.equal((await rest('GET', `/captures/${c.id}`)).body.on, true);
    assert.equal((await rest('POST', `/captures/${c.id}/stop`)).body.endedBy, c.startedBy);
    assert.equal((await rest('POST', `/captures/${c.id}/stop`)).status, 409);
    assert.equal((await rest('GET', '/captured-calls/nothing')).status, 404);
    const trail = (await management(gw, { scopes: ['read:audit'] })('GET', `/audit?actor=${c.startedBy}`)).body.items.map((e) => `${e.action} ${e.kind} ${e.object}`);
    assert.deepEqual(trail, [`stop capture ${c.id}`, `read captured call ${r.id}`, `start capture ${c.id}`]);
    for (const other of [{ role: 'administrator', scopes: ['read:captures'], name: 'looks' }, { role: 'analyst', scopes: ['write'] }])
      assert.equal((await management(gw, other)('POST', '/captures', { api: 'pets' })).status, 403);
  });

  it('what cannot be is said: nothing named, two named, an API that is not there, too long, too many', async () => {
    const fails = (...args) => gw.cli('capture', 'start', ...args, { fails: true }).stderr;
    assert.match(fails(), /one API, one subscription or one address/);
    assert.match(fails('--api', 'pets', '--address', '192.0.2.1'), /name one of them/);
    assert.match(fails('--api', 'nope'), /there is no API 'nope'/);
    assert.match(fails('--address', 'somewhere'), /no address and no network/);
    assert.match(fails('--api', 'pets', '--for', '2h'), /60 minutes/);
    assert.match(fails('--api', 'pets', '--calls', '100000'), /1 to 500/);
    const ids = Array.from({ length: 8 }, () => gw.cli('capture', 'start', '--address', '192.0.2.1', '--format', 'json').json().id);
    assert.match(fails('--api', 'pets'), /8 captures are on already: stop one first/);
    for (const id of ids) gw.cli('capture', 'stop', id);
  });
});
