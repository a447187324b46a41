// The test console in a real browser, with the policy on content that pages have: a call with an own key by its name, refused
// calls with the gateway's own words, and the key nowhere in the page, the browser's storage or the history.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const http = require('node:http');
const { start, until, SERVERS } = require('../http/harness');
const { openIdProvider } = require('../http/people');
const { launch } = require('./page');

const DEV = { email: 'pat@example.com', password: 'a sentence that nobody guesses' };
let gw, browser, backend, own, tokens;
const open = [];                        // servers of a test that may fail: an open one would keep this process
const seen = [];

test.before(async () => {
  backend = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      seen.push({ method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(chunks).toString() });
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify({ got: req.url }));
    });
  });
  await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));
  tokens = { seen: [] };               // the token endpoint of a service on a host of its own: hands on to `to`
  tokens.server = http.createServer((req, res) => {
    tokens.seen.push(req.url);
    req.pipe(http.request(tokens.to + req.url, { method: req.method, headers: { ...req.headers, host: new URL(tokens.to).host } }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    }));
  });
  await new Promise((resolve) => tokens.server.listen(0, '127.0.0.1', resolve));
  tokens.url = `http://127.0.0.1:${tokens.server.address().port}`;
  gw = await start({
    server: SERVERS[0], config: { 'portal.console_clients': 'https://login.example=other http://127.0.0.1=portal-console',
      'portal.console_origins': `http://localhost=${tokens.url}` },
    setup(g) {
      const api = g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' }, paths: { '/orders/{id}': { put: {
        operationId: 'put', summary: 'Change an order',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' }, example: 'a b' },
          { name: 'dry', in: 'query', schema: { type: 'string', enum: ['yes', 'no'] } },
          { name: 'X-Why', in: 'header', schema: { type: 'string' } }],
        requestBody: { content: { 'application/json': { schema: { type: 'object', properties: { amount: { type: 'integer', example: 7 } } } } } },
        responses: { 200: { description: 'ok' } } } } } }));
      g.cli('product', 'create', 'starter', '--rate', '2/60');
      g.cli('import', 'openapi', api, '--path', 'orders', '--name', 'orders', '--product', 'starter', '--backend',
        `http://127.0.0.1:${backend.address().port}`);
      g.cli('user', 'create', DEV.email, '--role', 'developer', '--password-file', g.file('pat', `${DEV.password}\n`));
      own = g.cli('subscription', 'create', '--product', 'starter', '--user', DEV.email, '--name', 'Mine', '--format', 'json').json();
    },
  });
  browser = await launch(['--test-third-party-cookie-phaseout']);
});

test.after(async () => {
  for (const close of open) await close();
  if (browser) await browser.close();
  if (gw) await gw.stop();
  if (backend) backend.close();
  if (tokens) tokens.server.close();
});

const OPERATION = '/apis/orders/operations/put';
const status = (page) => page.textContent('[data-part=status]');

async function send(page) {
  await page.evaluate(() => { document.querySelector('[data-part=answer]').hidden = true; });
  await page.click('[data-part=send]');
  await page.waitForSelector('[data-part=answer]:not([hidden])');
}

test('a call with an own key, by its name', async () => {
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  await page.goto('/sign-in');
  await page.fill('#email', DEV.email);
  await page.fill('#password', DEV.password);
  await page.click('button[type=submit]');
  await page.waitForURL((url) => url.pathname === '/');
  await page.goto(OPERATION);
  assert.strictEqual(await page.inputValue('[data-name=id]'), 'a b', 'the example is filled in');
  assert.deepStrictEqual(JSON.parse(await page.inputValue('[data-part=send-body]')), { amount: 7 });
  await page.selectOption('[data-part=key]', { label: 'Mine' });
  await page.selectOption('[data-name=dry]', 'yes');
  await page.fill('[data-name=X-Why]', 'because');
  await send(page);
  assert.match(await status(page), /^200/);
  assert.match(await page.textContent('[data-part=body]'), /"got": "\/orders\/a%20b\?dry=yes"/);
  const got = seen.at(-1);
  assert.strictEqual(got.method, 'PUT');
  assert.strictEqual(got.headers['x-why'], 'because');
  assert.deepStrictEqual(JSON.parse(got.body), { amount: 7 });
  assert.strictEqual(got.headers.cookie, undefined);
  assert.strictEqual(got.headers['ocp-apim-subscription-key'], undefined);
  const curl = await page.textContent('[data-part=curl]');
  assert.match(curl, /^curl -X PUT 'http:\/\/127\.0\.0\.1:\d+\/api\/orders\/orders\/a%20b\?dry=yes'/);
  assert.match(curl, /YOUR-KEY/);
  const everywhere = await page.content() + await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  for (const key of [own.primaryKey, own.secondaryKey]) assert.ok(!everywhere.includes(key), 'the key is nowhere');
  assert.match(await page.textContent('[data-part=history]'), /200\s+PUT/);

  await send(page);
  await send(page);
  assert.match(await status(page), /^429/);
  assert.match(await page.textContent('[data-part=body]'), /Rate limit is exceeded/);
  const link = await page.getAttribute('[data-part=why]', 'href');
  await until(async () => (await page.request.get(link)).status() === 200, 'the record of the call');
  await page.click('[data-part=why]');
  await page.waitForURL('**/account/calls/*');
  assert.match(await page.textContent('main'), /429/);

  await page.goto(OPERATION);
  await page.selectOption('[data-part=key]', 'other');
  await page.fill('[data-part=other]', 'no-such-key-anywhere');
  await send(page);
  assert.match(await status(page), /^401/);
  assert.match(await page.textContent('[data-part=body]'), /invalid subscription key/);
  await page.fill('[data-name=id]', '');
  await page.click('[data-part=send]');
  assert.match(await page.textContent('[data-part=problem]'), /Enter “id” first/);
  await context.close();
});

test('what a form takes: lists, truth values, numbers, files; the history fills it in again and can be cleared', async () => {
  const api = gw.file('forms.json', JSON.stringify({ openapi: '3.1.0', info: { title: 'Forms', version: '1' }, paths: { '/files/{kind}': { post: {
    operationId: 'send', parameters: [{ name: 'kind', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'tag', in: 'query', required: true, schema: { type: 'array', items: { type: 'string' } }, example: ['a', 'b c'] },
      { name: 'ids', in: 'query', style: 'form', explode: false, schema: { type: 'array', items: { type: 'integer' } } },
      { name: 'deep', in: 'query', schema: { type: 'boolean' } }, { name: 'session', in: 'cookie', schema: { type: 'string' } }],
    requestBody: { content: { 'multipart/form-data': { schema: { type: 'object', required: ['title'],
      properties: { title: { type: 'string', example: 'it\'s "x"' }, file: { type: 'string', format: 'binary' } } } } } },
    responses: { 200: { description: 'ok' } } } },
  '/log-in': { post: { operationId: 'log-in', requestBody: { content: { 'application/x-www-form-urlencoded': { schema: { type: 'object',
    required: ['user'], properties: { user: { type: 'string', example: 'a&b=c' } } } } } }, responses: { 200: { description: 'ok' } } } } } }));
  gw.cli('import', 'openapi', api, '--path', 'forms', '--name', 'forms', '--backend', `http://127.0.0.1:${backend.address().port}`);
  gw.cli('api', 'set', 'forms', '--require-key', 'no');
  await gw.adopted();
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  const problems = [];
  page.on('console', (m) => { if (m.type() === 'error') problems.push(m.text()); });
  await page.goto('/apis/forms/operations/send');
  assert.strictEqual(await page.locator('[data-name=session]').count(), 0, 'a cookie cannot be sent');
  assert.strictEqual(await page.inputValue('[data-name=tag]'), 'a,b c');
  await page.fill('[data-name=kind]', 'x/y?');
  await page.fill('[data-name=ids]', '1,2');
  await page.selectOption('[data-name=deep]', 'true');
  await page.setInputFiles('[data-field=file]', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('the file') });
  await page.click('text=Further header fields');
  await page.fill('[data-part=more]', 'X-One: 1\n\nX-Two: a: b');
  await send(page);
  assert.match(await status(page), /^(200|400)/);
  await page.fill('[data-name=kind]', 'x y');
  await send(page);
  assert.match(await status(page), /^200/);
  const got = seen.at(-1), url = new URL(got.url, 'http://x');
  assert.strictEqual(url.pathname, '/files/x%20y');
  assert.deepStrictEqual([...url.searchParams], [['tag', 'a'], ['tag', 'b c'], ['ids', '1,2'], ['deep', 'true']]);
  assert.deepStrictEqual([got.headers['x-one'], got.headers['x-two']], ['1', 'a: b']);
  const parts = await new Response(got.body, { headers: { 'content-type': got.headers['content-type'] } }).formData();
  assert.deepStrictEqual([parts.get('title'), await parts.get('file').text(), parts.get('file').name], ['it\'s "x"', 'the file', 'a.txt']);
  assert.match(await page.textContent('[data-part=curl]'), /-F 'file=@a\.txt'/);
  assert.match(await page.innerHTML('[data-part=body]'), /<span class="json-name">"got"<\/span>/);
  assert.ok(await page.isVisible('[data-part=save]'));

  await page.reload();
  assert.strictEqual(await page.inputValue('[data-name=kind]'), '');
  await page.click('[data-part=past] summary');
  await page.click('[data-part=history] li:first-child button');
  assert.strictEqual(await page.inputValue('[data-name=kind]'), 'x y');
  assert.strictEqual(await page.inputValue('[data-name=deep]'), 'true');
  await page.click('[data-part=clear]');
  assert.ok(!(await page.isVisible('[data-part=past]')));
  assert.strictEqual(await page.evaluate(() => localStorage.length), 0);

  await page.goto('/apis/forms/operations/log-in');
  await send(page);
  assert.strictEqual(seen.at(-1).body, 'user=a%26b%3Dc');
  assert.deepStrictEqual(problems.filter((p) => !/status of 400/.test(p)), []);
  await context.close();
});

test('a token from the API’s own sign-in service, in the memory of the page only', async () => {
  const idp = await openIdProvider({ people: { pat: { email: DEV.email } }, clientBasedCORS: () => true,
    clients: [{ client_id: 'portal-console', token_endpoint_auth_method: 'none', redirect_uris: [`${gw.url}/console/callback`], scope: 'openid email' }] });
  open.push(() => idp.close());
  const description = (scheme) => gw.file('token.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' },
    components: { securitySchemes: { login: scheme } }, security: [{ login: ['openid'] }],
    paths: { '/me': { get: { operationId: 'me', responses: { 200: { description: 'ok' } } } } } }));
  const add = (name, scheme) => {
    gw.cli('import', 'openapi', description(scheme), '--path', name, '--name', name, '--backend', `http://127.0.0.1:${backend.address().port}`);
    gw.cli('api', 'set', name, '--require-key', 'no');
  };
  add('flow', { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: `${idp.issuer}/auth`, tokenUrl: `${idp.issuer}/token`, scopes: { openid: 'who' } } } });
  add('found', { type: 'openIdConnect', openIdConnectUrl: `${idp.issuer}/.well-known/openid-configuration` });
  add('elsewhere', { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: 'http://login.example/auth', tokenUrl: "https://x'; script-src *", scopes: {} } } });
  await gw.adopted();
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  for (const name of ['flow', 'found']) {
    const answer = await page.goto(`/apis/${name}/operations/me`);
    assert.ok(answer.headers()['content-security-policy'].includes(`connect-src 'self' ${idp.issuer};`));
    assert.strictEqual(await page.inputValue('[data-part=client]'), 'portal-console', 'as configured');
    await page.fill('[data-part=client]', '');
    await page.click('[data-part=get]');
    await page.waitForSelector('[data-part=problem]:not([hidden])');
    assert.match(await page.textContent('[data-part=problem]'), /console\/callback/, 'which redirect address the client needs');
    await page.fill('[data-part=client]', 'portal-console');
    assert.strictEqual(await page.inputValue('[data-part=scopes]'), 'openid');
    idp.who = 'pat';
    const window = context.waitForEvent('page');
    await page.click('[data-part=get]');
    const opened = await window;
    if (!opened.isClosed()) await opened.waitForEvent('close');
    await page.waitForFunction(() => /There is a token/.test(document.querySelector('[data-part=have]').textContent));
    await send(page);
    assert.match(await status(page), /^200/);
    const bearer = seen.at(-1).headers.authorization.slice(7);
    assert.ok((await idp.provider.AccessToken.find(bearer)).clientId === 'portal-console', 'the service knows the token');
    const everywhere = await page.content() + await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    assert.ok(!everywhere.includes(bearer), 'the token is nowhere');
    assert.match(await page.textContent('[data-part=curl]'), /Bearer YOUR-TOKEN/);
    await context.clearCookies();
  }
  idp.who = null;
  await page.goto('/apis/flow/operations/me');
  await page.fill('[data-part=client]', 'portal-console');
  await page.click('[data-part=get]');
  await page.waitForSelector('[data-part=problem]:not([hidden])');
  assert.match(await page.textContent('[data-part=problem]'), /No token: declined/);
  // a service whose description names a token endpoint on another host: the browser goes there when the operator has named it
  const found = http.createServer(async (req, res) => {
    const metadata = await (await fetch(`${idp.issuer}/.well-known/openid-configuration`)).json();
    res.writeHead(200, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' });
    res.end(JSON.stringify({ ...metadata, token_endpoint: `${tokens.url}/token` }));
  });
  await new Promise((resolve) => found.listen(0, '127.0.0.1', resolve));
  open.push(() => { found.closeAllConnections(); found.close(); });
  const places = { named: `http://localhost:${found.address().port}`, unnamed: `http://127.0.0.1:${found.address().port}` };
  for (const [name, place] of Object.entries(places))
    add(name, { type: 'openIdConnect', openIdConnectUrl: `${place}/.well-known/openid-configuration` });
  await gw.adopted();
  tokens.to = idp.issuer;
  idp.who = 'pat';
  for (const [name, part] of [['unnamed', 'problem'], ['named', 'have']]) {
    const csp = (await page.goto(`/apis/${name}/operations/me`)).headers()['content-security-policy'];
    assert.ok(csp.includes(`connect-src 'self' ${places[name]}${name === 'named' ? ` ${tokens.url}` : ''};`), csp);
    await page.fill('[data-part=client]', 'portal-console');
    await page.click('[data-part=get]');
    // `have` also says that it waits
    await page.waitForFunction(([p, said]) => said.test(document.querySelector(`[data-part=${p}]`).textContent), [part, name === 'named' ? /There is a token/ : /./]);
    assert.strictEqual(tokens.seen.length, name === 'named' ? 1 : 0, name);
  }
  await send(page);
  assert.ok((await idp.provider.AccessToken.find(seen.at(-1).headers.authorization.slice(7))).clientId === 'portal-console');
  const strict = await page.goto('/apis/elsewhere/operations/me');
  assert.doesNotMatch(strict.headers()['content-security-policy'], /connect-src|script-src/);
  assert.strictEqual(await page.locator('[data-part=get]').count(), 0, 'no button for a service that a page may not talk to');
  assert.ok(await page.isVisible('[data-part=bearer]'), 'a token can be entered');
  await context.close();
});

test('a visitor is told to sign in, and without script there is the curl line', async () => {
  const context = await browser.newContext({ baseURL: gw.url });
  const page = await context.newPage();
  await page.goto(OPERATION);
  assert.ok(await page.isVisible('text=Sign in to use your own keys') || await page.isVisible('#console >> text=Sign in'));
  await context.close();
  const plain = await browser.newContext({ baseURL: gw.url, javaScriptEnabled: false });
  const bare = await plain.newPage();
  await bare.goto(OPERATION);
  assert.ok(!(await bare.isVisible('#console')));
  assert.ok(await bare.isVisible('text=curl -X PUT'));
  await plain.close();
});

test('somebody else’s key is not to be had', async () => {
  const answer = await fetch(`${gw.url}/account/subscriptions/${own.id}/console-key`, { method: 'POST', redirect: 'manual' });
  assert.ok([303, 403].includes(answer.status), `${answer.status}`);
});
