// Accounts on the portal without any script: sign-up, reset, change of address, second factor, sessions, invitation, closing,
// terms of use; that nobody learns who has an account; and that guessing is slow. Mails come from a real SMTP server.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { start, SERVERS } = require('./harness');

// what web servers do to forms and cookies is tested elsewhere: one of them is enough here
const SERVER = SERVERS[0];
const { management, mailSink, config, sql, totp, Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
let gw, sink;

const linkIn = (mail) => {
  const link = /^https?:\/\/\S+$/m.exec(mail.text)[0];
  assert.ok(mail.html.includes(`href="${link}"`), 'the same link in HTML');
  return link;
};

async function up(server, more = {}) {
  sink = await mailSink();
  gw = await start({
    server, workers: 1, config: { ...config(sink), 'portal.title': 'Orders & more', ...more },
    setup(g) {
      g.cli('product', 'create', 'starter');
      g.cli('user', 'create', 'pat@example.com', '--role', 'developer', '--first-name', 'Pat', '--password-file', g.file('pat', `${PASSWORD}\n`));
      g.cli('subscription', 'create', '--product', 'starter', '--user', 'pat@example.com');
    },
  });
}

async function down() {
  if (gw) await gw.stop();
  if (sink) await sink.close();
  gw = sink = undefined;
}

test(`behind ${SERVER}`, async (t) => {
  t.after(down);
  await up(SERVER);

  await t.test('sign-up: form errors beside their fields, input kept', async () => {
    const v = await new Visitor(gw.url).open('/sign-up');
    await v.submit('/sign-up', { email: 'ada.example.com', first_name: '<Ada>', last_name: '' });
    assert.strictEqual(v.status, 422);
    assert.match(v.html, /id="email-error">This is not a complete e-mail address/);
    assert.match(v.html, /aria-describedby="email-error"/);
    assert.match(v.html, /value="&lt;Ada&gt;"/);
    await v.submit('/sign-up', { email: 'ada@example.com\r\nBcc: x@y.example', first_name: 'Ada' });
    assert.strictEqual(v.status, 422);
  });

  await t.test('sign-up: link, password, in', async () => {
    const v = await new Visitor(gw.url).open('/sign-up');
    await v.submit('/sign-up', { email: 'ada@example.com', first_name: 'Ada', last_name: 'Byron' });
    assert.ok(v.status === 200 && v.says('Check your mail') && v.says('ada@example.com'));
    assert.strictEqual(sql(gw, "SELECT count(*) FROM user_account WHERE email = 'ada@example.com'"), '0');
    const mail = await sink.next('ada@example.com');
    assert.match(mail.text, /^Hello Ada,/);
    assert.strictEqual(mail.headers.subject, 'Finish your account at Orders & more');
    const link = linkIn(mail);
    assert.ok(link.startsWith(`${gw.url}/link/`));
    const other = await new Visitor(gw.url).open(link);
    assert.strictEqual(other.status, 200, 'looking uses nothing up, and the browser does not matter');
    await other.submit(new URL(link).pathname, { password: 'short' });
    assert.ok(other.status === 422 && other.says('at least 10 characters'));
    await other.submit(new URL(link).pathname, { password: PASSWORD });
    await other.follow();
    assert.ok(other.says('Your account is ready') && other.says('Ada Byron'), other.html);
    assert.strictEqual((await new Visitor(gw.url).open(link)).status, 404, 'good once');
    assert.ok((await (await new Visitor(gw.url).signIn('ada@example.com', PASSWORD)).follow()).says('Ada Byron'));
  });

  await t.test('whether an address has an account is told to that address only', async () => {
    const texts = [];
    for (const email of ['pat@example.com', 'nobody@example.com']) {
      for (const path of ['/sign-up', '/forgot']) {
        const v = await new Visitor(gw.url).open(path);
        const began = performance.now();
        await v.submit(path, { email, first_name: 'X' });
        assert.ok(performance.now() - began >= 100, 'an answer waits for the full tenth of a second, whatever was found out');
        assert.strictEqual(v.status, 200);
        texts.push(v.html.replaceAll(email, 'ADDRESS').replace(/[0-9a-f]{32,}/g, ''));
      }
      const v = await new Visitor(gw.url).signIn(email, 'a wrong password');
      assert.strictEqual(v.status, 422);
      texts.push(v.html.replaceAll(email, 'ADDRESS').replace(/[0-9a-f]{32,}/g, ''));
    }
    assert.deepStrictEqual(texts.slice(0, 3), texts.slice(3));
    const known = await sink.next('pat@example.com');
    assert.match(known.text, /There is one already/);
    assert.match((await sink.next('pat@example.com')).text, /a new password was asked for/);
    assert.match((await sink.next('nobody@example.com')).headers.subject, /Finish your account/);
    assert.ok(!sink.mails.some((m) => !m.read));
  });

  await t.test('a mail address that somebody else signs up with is not taken away from its owner', async () => {
    for (const name of ['Mallory', 'Grace']) {
      const v = await new Visitor(gw.url).open('/sign-up');
      await v.submit('/sign-up', { email: 'grace@example.com', first_name: name });
    }
    const links = [linkIn(await sink.next('grace@example.com')), linkIn(await sink.next('grace@example.com'))];
    const v = await new Visitor(gw.url).open(links[1]);
    await v.submit(new URL(links[1]).pathname, { password: PASSWORD });
    assert.strictEqual(v.status, 303);
    assert.strictEqual((await new Visitor(gw.url).open(links[0])).status, 404, 'the others are worth nothing any more');
  });

  await t.test('reset: new password, all browsers signed out, the old one is worth nothing', async () => {
    const signedIn = await (await new Visitor(gw.url).signIn('grace@example.com', PASSWORD)).follow();
    assert.ok(signedIn.says('Grace'));
    const v = await new Visitor(gw.url).open('/forgot');
    await v.submit('/forgot', { email: 'Grace@Example.com' });
    const link = linkIn(await sink.next('grace@example.com'));
    await v.open(link);
    await v.submit(new URL(link).pathname, { password: 'another good sentence' });
    await v.follow();
    assert.ok(v.says('Your new password is set'));
    assert.match((await sink.next('grace@example.com')).text, /was changed/);
    assert.ok(!(await signedIn.open('/')).says('Grace'));
    assert.strictEqual((await new Visitor(gw.url).signIn('grace@example.com', PASSWORD)).status, 422);
    assert.strictEqual((await new Visitor(gw.url).signIn('grace@example.com', 'another good sentence')).status, 303);
  });

  await t.test('a link that went to an address which the account has no more resets nothing', async () => {
    const rest = management(gw), { id } = gw.cli('user', 'list', '--search', 'grace@', '--format', 'json').json()[0];
    const v = await new Visitor(gw.url).open('/forgot');
    await v.submit('/forgot', { email: 'grace@example.com' });
    const link = linkIn(await sink.next('grace@example.com'));
    assert.strictEqual((await rest('PATCH', `/users/${id}`, { email: 'hopper@example.com' })).status, 200);
    await v.open(link);
    await v.submit(new URL(link).pathname, { password: 'a third good sentence' });
    assert.notStrictEqual(v.status, 303, v.html);
    assert.strictEqual((await new Visitor(gw.url).signIn('hopper@example.com', 'a third good sentence')).status, 422);
    assert.strictEqual((await rest('PATCH', `/users/${id}`, { email: 'grace@example.com' })).status, 200);
    assert.strictEqual((await new Visitor(gw.url).signIn('grace@example.com', 'another good sentence')).status, 303);
  });

  await t.test('no page of the account without signing in, and back to it afterwards', async () => {
    const v = await new Visitor(gw.url).open('/account');
    assert.strictEqual(new URL(v.url).pathname, '/sign-in');
    await v.submit('/sign-in', { email: 'pat@example.com', password: PASSWORD });
    await v.follow();
    assert.ok(v.says('Your account') && new URL(v.url).pathname === '/account');
  });

  await t.test('every form needs its token', async () => {
    const v = await (await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).follow();
    for (const path of ['/account/name', '/account/password', '/account/address', '/account/sessions/end', '/account/sessions/end-others',
      '/account/second-factor', '/account/second-factor/off', '/account/second-factor/codes', '/account/close', '/terms', '/sign-out',
      '/account/identities/x/unlink'])
      for (const form of [{}, { csrf: '0'.repeat(64) }])
        assert.strictEqual((await v.send('POST', path, { form })).status, 403, path);
    for (const path of ['/sign-in', '/sign-up', '/forgot', `/link/${'0'.repeat(64)}`])
      assert.strictEqual((await new Visitor(gw.url).send('POST', path, { form: { email: 'x@y.example' } })).status, 403, path);
  });

  await t.test('name and password', async () => {
    const v = await (await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).follow();
    const other = await (await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).follow();
    await v.open('/account');
    await v.submit('/account/name', { first_name: ' Patricia ', last_name: 'Öz' });
    assert.ok((await v.follow()).says('Patricia Öz'));
    await v.submit('/account/password', { password_now: 'not this', password_new: 'short' });
    assert.strictEqual(v.status, 422);
    assert.match(v.html, /id="password_now-error"/);
    assert.match(v.html, /id="password_new-error"/);
    await v.submit('/account/password', { password_now: PASSWORD, password_new: `${PASSWORD}!` });
    assert.ok((await v.follow()).says('All other browsers are signed out'));
    assert.strictEqual(new URL((await other.open('/account')).url).pathname, '/sign-in');
    await sink.next('pat@example.com');
    await v.submit('/account/password', { password_now: `${PASSWORD}!`, password_new: PASSWORD });
    await sink.next('pat@example.com');
  });

  await t.test('change of address: the new one proves itself, the old one is told', async () => {
    const v = await (await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).follow();
    await v.open('/account');
    await v.submit('/account/address', { new_email: 'ada@example.com', password_address: PASSWORD });
    await v.follow();
    assert.match((await sink.next('ada@example.com')).text, /There is one already/);
    await v.submit('/account/address', { new_email: 'patricia@example.com', password_address: PASSWORD });
    await v.follow();
    assert.ok(v.says('on its way to the new address') && v.says('<strong>pat@example.com</strong>'));
    const link = linkIn(await sink.next('patricia@example.com'));
    await v.open(link);
    await v.submit(new URL(link).pathname);
    await v.follow();
    assert.ok(v.says('patricia@example.com') && v.says('Your address is changed'));
    assert.match((await sink.next('pat@example.com')).text, /patricia@example.com/);
    assert.strictEqual((await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).status, 422);
    gw.cli('user', 'set', 'patricia@example.com', '--first-name', 'Pat');
  });

  await t.test('second factor: set up, asked for, not used twice, recovery codes', async () => {
    const v = await (await new Visitor(gw.url).signIn('patricia@example.com', PASSWORD)).follow();
    await v.open('/account/second-factor');
    const secret = /<code class="secret">([^<]+)</.exec(v.html)[1];
    assert.match(v.html, /<svg class="qr"[^>]*><path d="M\d/);
    await v.open('/account/second-factor');
    assert.strictEqual(/<code class="secret">([^<]+)</.exec(v.html)[1], secret, 'stays the same until it is confirmed');
    await v.submit('/account/second-factor', { code: '000000', password_factor: PASSWORD });
    assert.strictEqual(v.status, 422);
    const code = totp(secret);
    await v.submit('/account/second-factor', { code: `${code.slice(0, 3)} ${code.slice(3)}`, password_factor: PASSWORD });
    assert.strictEqual(v.status, 200, v.html);
    const recovery = [...v.html.matchAll(/<li><code>([a-z2-9]{5}-[a-z2-9]{5})<\/code>/g)].map((m) => m[1]);
    assert.strictEqual(new Set(recovery).size, 10);
    assert.match((await sink.next('patricia@example.com')).text, /switched on/);

    const w = await new Visitor(gw.url).signIn('patricia@example.com', PASSWORD);
    assert.ok(!w.cookies.some((c) => c.name === 'gh_portal'), 'no session before the code');
    await w.follow();
    assert.ok(w.says('Enter your code'));
    await w.submit('/sign-in/code', { code });
    assert.strictEqual(w.status, 422, 'the code that was used to set it up');
    await w.submit('/sign-in/code', { code: totp(secret, Date.now() + 30000) });
    assert.strictEqual(w.status, 303, w.html);
    const again = await (await new Visitor(gw.url).signIn('patricia@example.com', PASSWORD)).follow();
    await again.submit('/sign-in/code', { code: recovery[0].toUpperCase().replace('-', ' ') });
    assert.strictEqual(again.status, 303);
    const third = await (await new Visitor(gw.url).signIn('patricia@example.com', PASSWORD)).follow();
    await third.submit('/sign-in/code', { code: recovery[0] });
    assert.strictEqual(third.status, 422, 'a recovery code is good once');
    assert.strictEqual((await new Visitor(gw.url).open('/sign-in/code')).url.endsWith('/sign-in'), true);
    await again.open('/account/second-factor');
    assert.ok(again.says('9 unused recovery codes'));
    await again.send('POST', '/account/second-factor/off', { form: { ...again.form('/account/second-factor/codes'), password_factor: PASSWORD } });
    await again.follow();
    assert.ok(again.says('switched off'));
    await sink.next('patricia@example.com');
  });

  await t.test('sessions: seen, one signed out, all others signed out', async () => {
    const agents = ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1'];
    const [v, w] = await Promise.all(agents.map(async (agent) => (await new Visitor(gw.url, { 'user-agent': agent }).signIn('patricia@example.com', PASSWORD)).follow()));
    await v.open('/account');
    assert.ok(v.says('Firefox on Linux') && v.says('Safari on iPhone') && v.says('This browser'));
    const phone = v.html.split('<li class="line">').find((l) => l.includes('Safari on iPhone'));
    const handle = /name="session" value="([0-9a-f]{16})"/.exec(phone)[1];
    const csrf = /name="csrf" value="([^"]+)"/.exec(phone)[1];
    const stranger = await (await new Visitor(gw.url).signIn('ada@example.com', PASSWORD)).follow();
    await stranger.open('/account');
    await stranger.send('POST', '/account/sessions/end', { form: { csrf: stranger.form('/account/name').csrf, session: handle } });
    assert.ok((await w.open('/account')).says('Your account'), 'nobody else can sign it out');
    await (await v.send('POST', '/account/sessions/end', { form: { csrf, session: handle } })).follow();
    assert.strictEqual(new URL((await w.open('/account')).url).pathname, '/sign-in');
    await v.submit('/account/sessions/end-others');
    assert.strictEqual([...(await v.follow()).html.matchAll(/<li class="line"><div>/g)].length, 1);
  });

  await t.test('closing: password, key cancelled, name forgotten', async () => {
    const v = await (await new Visitor(gw.url).signIn('patricia@example.com', PASSWORD)).follow();
    await v.open('/account/close');
    assert.ok(v.says('1 active subscription is cancelled'));
    await v.submit('/account/close', { password_close: 'no' });
    assert.strictEqual(v.status, 422);
    const id = sql(gw, "SELECT id FROM user_account WHERE email = 'patricia@example.com'");
    const put = spawnSync('sqlite3', ['-cmd', '.timeout 60000', `${gw.state}/config.db`, `INSERT INTO user_factor (user_id, secret_sealed, confirmed_us, last_step) VALUES ('${id}', x'00', 0, 0);
      INSERT INTO user_recovery_code (user_id, digest) VALUES ('${id}', 'a');
      INSERT INTO user_passkey (id, user_id, name, public_key, algorithm, sign_count, created_us, used_us) VALUES ('k', '${id}', 'Phone', x'00', -7, 0, 0, 0);
      INSERT OR REPLACE INTO user_preference (user_id, language, zone, seen_language) VALUES ('${id}', '', 'UTC', '');
      INSERT INTO user_link (digest, kind, user_id, email, data, created_us, ends_us) VALUES ('d', 'address', '${id}', 'new@example.com', '{}', 0, 9000000000000000)`], { encoding: 'utf8' });
    assert.strictEqual(put.status, 0, put.stderr);
    await v.submit('/account/close', { password_close: PASSWORD });
    await v.follow();
    assert.ok(v.says('Your account is closed'), v.html);
    for (const table of ['user_factor', 'user_recovery_code', 'user_passkey', 'user_preference', 'user_link', 'user_identity'])
      assert.strictEqual(sql(gw, `SELECT count(*) FROM ${table} WHERE user_id = '${id}'`), '0', table);
    assert.match((await sink.next('patricia@example.com')).text, /closed as you asked/);
    assert.strictEqual(sql(gw, 'SELECT state FROM subscription'), '4');
    assert.strictEqual(sql(gw, "SELECT count(*) FROM user_account WHERE email LIKE 'pat%' OR last_name <> '' AND email LIKE 'closed%'"), '0');
    assert.strictEqual(new URL((await v.open('/account')).url).pathname, '/sign-in');
    const ada = await (await new Visitor(gw.url).signIn('ada@example.com', PASSWORD)).follow();
    await ada.open('/account/close');
    await ada.submit('/account/close', { password_close: PASSWORD });
    await sink.next('ada@example.com');
    assert.strictEqual(sql(gw, "SELECT count(*) FROM user_account WHERE email = 'ada@example.com'"), '0');
    const admin = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password)).follow();
    await admin.open('/account/close');
    await admin.submit('/account/close', { password_close: gw.admin.password });
    assert.ok(admin.status === 422 && admin.says('the only administrator'));
  });

  await t.test('invitation: role and groups as invited', async () => {
    gw.cli('group', 'create', 'partners', '--name', 'Partners');
    const printed = gw.cli('user', 'invite', 'ivan@example.com', '--role', 'publisher', '--group', 'partners', '--first-name', 'Ivan', '--portal', gw.url, '--format', 'json').json();
    const link = linkIn(await sink.next('ivan@example.com'));
    assert.strictEqual(link, printed.link);
    const v = await new Visitor(gw.url).open(link);
    await v.submit(new URL(link).pathname, { password: PASSWORD });
    assert.ok((await v.follow()).says('Ivan'));
    assert.strictEqual(sql(gw, "SELECT role FROM user_account u JOIN group_member m ON m.user_id = u.id WHERE email = 'ivan@example.com' AND group_id = 'partners'"), 'publisher');
    for (const [email, more, says] of [['ivan@example.com', [], /^gatehouse: error: user: email: there is an account with the address 'ivan@example\.com' already\n$/], ['no-address', [], /email: /], ['eva@example.com', ['--group', 'partner'], /groups\/\d: there is no group 'partner'; did you mean 'partners'\?/]]) {
      const made = gw.cli('user', 'create', email, '--role', 'developer', ...more, { fails: true }), invited = gw.cli('user', 'invite', email, '--role', 'developer', '--portal', gw.url, ...more, { fails: true });
      const words = (r) => r.stderr.replace(/user \w+: /, '').replace(/groups\/\d/, 'groups/N');    // who is made is a developer first
      assert.deepStrictEqual([invited.code, words(invited)], [1, words(made)], 'an invitation passes the checks of an account');
      assert.match(invited.stderr, says);
    }
  });

  await t.test('terms of use: agreed to at sign-up, asked for again when they change', async () => {
    gw.cli('terms', 'set', gw.file('terms.md', '# Terms\n\nBe **kind**.\n'));
    const v = await new Visitor(gw.url).open('/sign-up');
    await v.submit('/sign-up', { email: 'tom@example.com', first_name: 'Tom' });
    assert.ok(v.status === 422 && v.says('Agree to the terms'));
    await v.submit('/sign-up', { email: 'tom@example.com', first_name: 'Tom', agree: 'yes' });
    const link = linkIn(await sink.next('tom@example.com'));
    await v.open(link);
    await v.submit(new URL(link).pathname, { password: PASSWORD });
    await v.follow();
    assert.ok((await v.open('/account')).says('Your account'), 'no second question');
    const first = sql(gw, "SELECT c.terms || ' ' || c.address FROM user_consent c JOIN user_account u ON u.id = c.user_id WHERE email = 'tom@example.com'");
    assert.match(first, /^[0-9a-f]{16} 127\.0\.0\.1$/);
    gw.cli('terms', 'set', gw.file('terms.md', '# Terms\n\nBe kind <script>alert(1)</script>.\n'));
    await v.open('/account');
    assert.ok(new URL(v.url).pathname === '/terms' && v.says('I agree') && !v.html.includes('<script>'));
    await v.submit('/terms');
    assert.ok((await v.open('/account')).says('Your account'));
    assert.strictEqual(sql(gw, 'SELECT count(*) FROM user_consent'), '2');
    gw.cli('terms', 'unset');
  });
});

test('limits: sign-ups from one network, mails to one person, guesses of passwords and codes', async (t) => {
  t.after(down);
  await up(SERVER, { 'portal.sign_ups_per_hour': 6, 'web.mails_per_hour': 2, 'web.sign_in_tries': 2 });
  const ask = async (path, email) => {
    const v = await new Visitor(gw.url).open(path);
    await v.submit(path, { email, first_name: 'X' });
    return v;
  };
  for (let i = 0; i < 3; i++) assert.strictEqual((await ask('/forgot', 'pat@example.com')).status, 200);
  assert.strictEqual(sql(gw, "SELECT count(*) FROM mail WHERE recipient = 'pat@example.com'"), '2', 'the third is not sent, and nobody can tell');
  for (let i = 0; i < 3; i++) assert.strictEqual((await ask('/sign-up', `new${i}@example.com`)).status, 200);
  const over = await ask('/sign-up', 'new4@example.com');
  assert.strictEqual(over.status, 429);
  assert.match(over.html, /value="new4@example.com"/);
  const guess = async () => (await new Visitor(gw.url).signIn('pat@example.com', 'a wrong guess'));
  assert.deepStrictEqual([(await guess()).status, (await guess()).status], [422, 422]);
  const slowed = await guess();
  assert.strictEqual(slowed.status, 429);
  assert.ok(Number(slowed.answer.headers.get('retry-after')) >= 1);
});

test('without web.public_url a forged Host makes no link', async (t) => {
  t.after(down);
  await up(SERVER);
  const host = { host: 'evil.example' };
  const { raw } = require('./harness');
  const page = await raw(gw.port, 'GET /forgot HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page)[1];
  const cookie = /Set-Cookie: ([^;]+)/i.exec(page)[1];
  const body = `csrf=${csrf}&email=pat%40example.com`;
  const answer = await raw(gw.port, `POST /forgot HTTP/1.1\r\nHost: ${host.host}\r\nCookie: ${cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  assert.match(answer, /^HTTP\/1.1 503/);
  assert.strictEqual(sql(gw, 'SELECT count(*) FROM mail'), '0');
});
