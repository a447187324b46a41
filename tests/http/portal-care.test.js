// What the portal takes care of for its people: what of an account ends with its password, that two owners who change an
// application at once lose nothing, and that somebody who calls a retired API finds that among his calls.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, backend, until, SERVERS } = require('./harness');
const { mailSink, config, Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const SERVER = SERVERS[0];

test(`behind ${SERVER}`, async (t) => {
  const erp = await backend(), sink = await mailSink();
  const gw = await start({ server: SERVER, workers: 1, config: { ...config(sink), 'portal.workers': 2 }, setup(g) {
    g.cli('product', 'create', 'starter');
    g.cli('import', 'openapi', g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'Orders', version: '1' },
      paths: { '/orders': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } } })),
    '--path', 'orders', '--name', 'orders', '--product', 'starter', '--backend', erp.url);
    for (const who of ['ada', 'bob', 'eve'])
      g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--first-name', who, '--password-file', g.file(who, `${PASSWORD}\n`));
  } });
  t.after(async () => { await gw.stop(); await sink.close(); await erp.close(); });
  const inside = async (who, password = PASSWORD) => (await new Visitor(gw.url).signIn(`${who}@example.com`, password)).follow();
  const ada = await inside('ada');
  const token = async (v) => {
    await v.open('/account/tokens');
    await v.submit('/account/tokens', { name: 'a program', write: 'yes' });
    await v.follow();
    return /ghportal_\w+/.exec(v.html)[0];
  };
  const asks = (secret, path, more = {}) => fetch(`${gw.url}/portal/api/v1${path}`, { ...more, headers: { Authorization: `Bearer ${secret}`, ...more.headers } });

  await t.test('a change of password signs other browsers out, and ends access tokens when wished for', async () => {
    const secret = await token(ada), other = await inside('ada');
    await ada.open('/account');
    assert.ok(ada.says('Your programs go on with their access tokens'));
    await ada.submit('/account/password', { password_now: PASSWORD, password_new: 'a second good sentence' });
    await ada.follow();
    assert.ok(ada.says('All other browsers are signed out.') && new URL((await other.open('/account')).url).pathname === '/sign-in');
    assert.strictEqual((await asks(secret, '/account')).status, 200);
    await ada.open('/account');
    await ada.submit('/account/password', { password_now: 'a second good sentence', password_new: PASSWORD, end_tokens: 'yes' });
    await ada.follow();
    assert.ok(ada.says('your access tokens have ended'), ada.html);
    assert.strictEqual((await asks(secret, '/account')).status, 401);
  });

  await t.test('a reset by mail ends them always, and says so', async () => {
    const eve = await inside('eve'), secret = await token(eve), v = new Visitor(gw.url);
    await v.open('/forgot');
    await v.submit('/forgot', { email: 'eve@example.com' });
    let mail;
    do mail = await sink.next('eve@example.com'); while (!mail.text.includes('/link/'));     // the first is about her token
    const link = new URL(/^https?:\/\/\S+$/m.exec(mail.text)[0]).pathname;
    assert.ok((await v.open(link)).says('all your access tokens end'), v.html);
    await v.submit(link, { password: 'a third good sentence' });
    assert.strictEqual((await asks(secret, '/account')).status, 401);
    assert.strictEqual(new URL((await eve.open('/account')).url).pathname, '/sign-in');
  });

  await t.test('a key is replaced during traffic without a failed call', async () => {
    const eve = await inside('eve', 'a third good sentence');
    await eve.open('/products/starter');
    await eve.submit('/products/starter/subscribe', {});
    await eve.follow();
    const keysOn = (v) => [...v.html.matchAll(/<code class="address">([0-9a-zA-Z]{16,})<\/code>/g)].map((m) => m[1]);
    const page = new URL(eve.url).pathname, used = [keysOn(eve)[0]];
    const answers = [], asked = () => answers.filter((a) => a.key === used.at(-1)).length;
    let going = true;
    const clients = [...Array(3)].map(async () => {
      while (going) {
        const key = used.at(-1), r = await fetch(`${gw.url}/api/orders/orders`, { headers: { 'Ocp-Apim-Subscription-Key': key } });
        await r.arrayBuffer();
        answers.push({ key, status: r.status });
      }
    });
    await until(() => asked() > 30, 'calls with the first key');
    for (let i = 0; i < 2; i++) {
      await eve.open(page);
      await eve.send('POST', `${page}/rotate`, { form: { ...eve.form(`${page}/rotate`), slot: 'primary', overlap: 'hour' } });
      await eve.follow();
      const before = answers.length;
      await until(() => answers.length > before + 30, 'calls with the old key, which goes on');
      used.push(keysOn(eve)[0]);
      await until(() => asked() > 30, 'calls with the new one');
    }
    going = false;
    await Promise.all(clients);
    assert.strictEqual(new Set(used).size, 3);
    assert.deepStrictEqual(answers.filter((a) => a.status !== 200), []);
  });

  await t.test('two owners at once: the second is told, keeps what he typed, and nothing is lost', async () => {
    gw.cli('application', 'create', 'board', '--name', 'Board', '--owner', 'ada@example.com');
    await ada.open('/account/applications/board');
    await ada.submit('/account/applications/board/owners', { email: 'bob@example.com' });
    const bob = await inside('bob');
    await bob.open('/account/applications');
    await bob.submit(/action="([^"]*accept)"/.exec(bob.html)[1]);
    const page = '/account/applications/board';
    await ada.open(page);
    await bob.open(page);
    await ada.submit(page, { name: 'Board of Ada', description: 'On the wall' });
    assert.strictEqual(ada.status, 303);
    await bob.submit(page, { name: 'Board of Bob' });
    assert.ok(bob.status === 409 && bob.says('Somebody in the team changed this meanwhile') && bob.says('Board of Ada') && bob.says('On the wall'), bob.html);
    assert.ok(bob.html.includes('value="Board of Bob"'), 'what he typed');
    assert.ok((await ada.open(page)).says('Board of Ada'));
    await bob.submit(page, { name: 'Board of both', description: 'On the wall' });
    assert.strictEqual(bob.status, 303, 'who has seen it may');
    // the form of somebody who did not look again never overwrites, whatever process answers
    await ada.open(page);
    const forms = [...Array(6)].map((_, i) => new URLSearchParams({ ...ada.form(page), name: `Name ${i}`, description: '' }));
    const cookie = ada.cookieHeader(new URL(gw.url));
    const answers = await Promise.all(forms.map((body) => fetch(gw.url + page, { method: 'POST', redirect: 'manual', body, headers: { cookie } })));
    assert.deepStrictEqual(answers.map((r) => r.status).sort(), [303, 409, 409, 409, 409, 409]);
  });

  await t.test('the JSON API: ETag and If-Match; what is not named stays as another wrote it', async () => {
    const secret = await token(ada), at = '/applications/board';
    const change = (body, tag) => asks(secret, at, { method: 'PATCH', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...(tag ? { 'If-Match': tag } : {}) } });
    const tag = (await asks(secret, at)).headers.get('etag');
    const first = await change({ name: 'One' }, tag);
    assert.strictEqual(first.status, 200);
    const refused = await change({ name: 'Two' }, tag);
    assert.deepStrictEqual([refused.status, (await refused.json()).reason], [412, 'changed_meanwhile']);
    assert.strictEqual((await change({ description: 'More' }, first.headers.get('etag'))).status, 200);
    const now = await (await asks(secret, at)).json();
    assert.deepStrictEqual([now.name, now.description], ['One', 'More']);
  });

  await t.test('who calls an API that is retired finds that among his calls', async () => {
    const { primaryKey } = gw.cli('subscription', 'create', '--product', 'starter', '--user', 'ada@example.com', '--format', 'json').json();
    gw.cli('api', 'set', 'orders', '--stage', 'retired');
    await gw.adopted();
    const r = await fetch(`${gw.url}/api/orders/orders`, { headers: { 'Ocp-Apim-Subscription-Key': primaryKey } });
    assert.strictEqual(r.status, 410);
    await r.text();
    const id = r.headers.get('x-request-id');
    await until(async () => (await ada.open(`/account/calls/${id}`)).status === 200, 'the record');
    assert.ok(ada.says('410') && ada.says('api_retired'), ada.html);
    ada.headers['accept-language'] = 'de';
    assert.ok((await ada.open(`/account/calls/${id}`)).says('Diese Version ist abgeschaltet'), 'what to do, in the reader’s language');
    delete ada.headers['accept-language'];
    assert.ok((await ada.open('/account/calls')).html.includes(id));
    const eve = await inside('eve', 'a third good sentence');
    assert.strictEqual((await eve.open(`/account/calls/${id}`)).status, 404, 'and nobody else does');
    const without = await fetch(`${gw.url}/api/orders/orders`);
    assert.strictEqual(without.status, 410);
    await without.text();
  });
});
