// Pages and mails in the language of whoever reads them: the account's choice, then the browser's cookie, then what the browser
// asks for; dates, numbers and the time zone; the foot of the page; nothing of it for the dashboard.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, SERVERS } = require('./harness');
const { mailSink, config, sql, Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const german = { 'accept-language': 'de-DE,de;q=0.9,en;q=0.8' };
let gw, sink;

test(`behind ${SERVERS[0]}`, async (t) => {
  t.after(async () => {
    if (gw) await gw.stop();
    if (sink) await sink.close();
  });
  sink = await mailSink();
  gw = await start({
    server: SERVERS[0], workers: 1, config: config(sink),
    setup(g) {
      for (const name of ['pat', 'kim'])
        g.cli('user', 'create', `${name}@example.com`, '--role', 'developer', '--first-name', 'Pat', '--password-file', g.file(name, `${PASSWORD}\n`));
    },
  });
  const says = async (headers, path, text, lang) => {
    const v = await new Visitor(gw.url, headers).open(path);
    assert.match(v.html, new RegExp(`<html lang="${lang}"`), JSON.stringify(headers));
    assert.ok(v.html.includes(text), v.html);
    return v;
  };

  await t.test('what the browser asks for', async () => {
    await says({}, '/sign-in', 'Forgot your password?', 'en');
    await says({ 'accept-language': 'fr, it' }, '/sign-in', 'Forgot your password?', 'en');
    await says(german, '/sign-in', 'Passwort vergessen?', 'de');
    await says(german, '/nothing', 'Hier ist nichts', 'de');
    await says({ 'accept-language': `${'x,'.repeat(5000)}de` }, '/sign-in', 'Forgot your password?', 'en');
  });

  await t.test('messages made in C', async () => {
    const v = await new Visitor(gw.url, german).open('/sign-in');
    await v.submit('/sign-in', { email: 'x', password: '' });
    assert.ok(v.status === 422 && v.html.includes('Das ist keine vollständige E-Mail-Adresse.'), v.html);
    assert.ok(v.html.includes('Geben Sie Ihr Passwort ein.'));
  });

  await t.test('the choice at the foot is kept, and wins over what the browser asks for', async () => {
    const v = await new Visitor(gw.url, german).get('/language/en?return=%2Fsign-in%3Fx%3D1');
    assert.ok(v.status === 303 && v.location.endsWith('/sign-in?x=1'), v.location);
    await v.follow();
    assert.ok(v.html.includes('Forgot your password?'));
    for (const elsewhere of ['//evil.example/', 'https://evil.example/', '/\\evil.example']) {
      const w = await new Visitor(gw.url).get(`/language/de?return=${encodeURIComponent(elsewhere)}`);
      assert.strictEqual(new URL(w.location, gw.url).href, `${gw.url}/`, elsewhere);
    }
    assert.strictEqual((await new Visitor(gw.url).open('/language/xx')).status, 404);
    assert.strictEqual((await new Visitor(gw.url).open('/language/..%2F..')).status, 404);
  });

  await t.test('the account wins, also in another browser and for mails', async () => {
    const v = await new Visitor(gw.url).signIn('pat@example.com', PASSWORD);
    await v.open('/account');
    assert.match(v.html, /<time datetime="[0-9T:.Z-]+">\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC<\/time>/);
    await v.submit('/account/preferences', { language: 'de', zone: 'Nowhere/Land' });
    assert.ok(v.status === 422 && v.says('This is no time zone.') && v.html.includes('value="Nowhere/Land"'), v.html);
    await v.submit('/account/preferences', { language: 'xx', zone: '' });
    assert.strictEqual(v.status, 422);
    await v.submit('/account/preferences', { language: 'de', zone: 'Asia/Kolkata' });
    await v.follow();
    assert.ok(v.html.includes('Sprache und Zeitzone sind geändert.') && v.html.includes('<html lang="de" data-zone="Asia/Kolkata"'), v.html);
    const since = /<time datetime="([^"]+)">(\d+)\. \S+ \d{4}, (\d\d):(\d\d)<\/time>/.exec(v.html);
    assert.ok(since, v.html);
    const there = new Date(Date.parse(since[1]) + 330 * 60000);
    assert.deepStrictEqual(since.slice(2).map(Number), [there.getUTCDate(), there.getUTCHours(), there.getUTCMinutes()]);
    const other = await new Visitor(gw.url, { 'accept-language': 'en' }).signIn('pat@example.com', PASSWORD);
    await other.open('/account');
    assert.match(other.html, /<html lang="de"/);
    await other.submit('/account/password', { password_now: PASSWORD, password_new: `${PASSWORD} any more` });
    const mail = await sink.next('pat@example.com');
    assert.match(mail.text, /^Hallo Pat,/);
    assert.match(mail.html, /<html lang="de">/);
    assert.match(sql(gw, "SELECT detail FROM audit_entry WHERE kind = 'preference'"), /Asia\/Kolkata/);
  });

  await t.test('who chose nothing gets mails in the language of the page', async () => {
    const v = await new Visitor(gw.url, german).open('/forgot');
    await v.submit('/forgot', { email: 'kim@example.com' });
    assert.match((await sink.next('kim@example.com')).text, /^Hallo Pat,/);
  });

  await t.test('a choice of somebody signed in needs the token of a form', async () => {
    const v = await new Visitor(gw.url).signIn('kim@example.com', PASSWORD);
    await v.open('/account');
    await v.submit('/language/de', { csrf: 'x' });
    assert.strictEqual(v.status, 403);
    assert.strictEqual(sql(gw, "SELECT count(*) FROM user_preference WHERE language = 'de'"), '1');
    await v.open('/account');
    await v.submit('/language/de', {});
    assert.strictEqual(sql(gw, "SELECT count(*) FROM user_preference WHERE language = 'de'"), '2');
    await v.open('/account');
    assert.ok(v.html.includes('Ihr Konto'));
  });
});
