// The look of the portal: a theme's files in place of shipped ones, one by one; what is broken in it; name, picture, colours, texts
// and menu from the dashboard; taking all of it to another installation.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { start, until, SERVERS } = require('./harness');
const { Visitor, sql } = require('./people');

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

// A form with a file, as a browser sends it.
async function upload(v, action, values, file) {
  const boundary = 'x-boundary-x', chunks = [];
  for (const [name, value] of Object.entries({ ...v.form(action), ...values }))
    if (name !== 'logo') chunks.push(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  chunks.push(`--${boundary}\r\nContent-Disposition: form-data; name="logo"; filename="${file ? 'a.png' : ''}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    file || '', `\r\n--${boundary}--\r\n`);
  const rs = await fetch(new URL(action, v.url), { method: 'POST', redirect: 'manual', body: Buffer.concat(chunks.map((c) => Buffer.from(c))),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, cookie: v.cookieHeader(new URL(v.url)) } });
  return { status: rs.status, html: await rs.text() };
}

// An upgrade in place: the new files are there before the new programs run.
test('at SIGHUP programs take no templates of another version', async (t) => {
  const share = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'gh-share-')), root = path.join(__dirname, '../..');
  for (const part of ['templates', 'www']) fs.cpSync(path.join(root, part), path.join(share, part), { recursive: true });
  const g = await start({ server: SERVERS[0], workers: 1, env: { GATEHOUSE_SHARE: share }, config: {} });
  t.after(async () => { await g.stop(); fs.rmSync(share, { recursive: true }); });
  const hup = () => process.kill(g.serve.child.pid, 'SIGHUP'), told = (what) => (g.log('serve').match(what) || []).length;
  const processes = [...g.pids('gatehouse-portal'), ...g.pids('gatehouse-admin')].length, pages = async () => {
    for (const page of ['/', '/admin/sign-in', '/']) assert.strictEqual((await fetch(g.url + page)).status, 200, page);
  };
  hup();
  await until(() => told(/settings read again/g) === processes, 'the same templates are read again');
  // a name that the old programs do not know, as a new version has it
  for (const app of ['portal', 'admin']) fs.appendFileSync(path.join(share, `templates/${app}/layout.html`), '<p>{{ of_the_new_version }}</p>');
  hup();
  await until(() => told(/restart gatehouse to finish the upgrade/g) === processes, 'each says so');
  await pages();
  assert.doesNotMatch(await (await fetch(g.url)).text(), /new version/);
  for (const app of ['portal', 'admin']) fs.copyFileSync(path.join(root, `templates/${app}/layout.html`), path.join(share, `templates/${app}/layout.html`));
  hup();
  await until(() => told(/settings read again/g) === 2 * processes, 'the files of its own version again');
  await pages();
});

test(`behind ${SERVERS[0]}`, async (t) => {
  const g = await start({ server: SERVERS[0], workers: 1, config: {} }), theme = path.join(g.state, 'theme');
  t.after(() => g.stop());
  const put = (name, text) => {
    fs.mkdirSync(path.dirname(path.join(theme, name)), { recursive: true });
    fs.writeFileSync(path.join(theme, name), text);
  };
  const home = async (headers) => (await new Visitor(g.url, headers).open('/')).html;
  // SIGHUP reaches several processes one after the other: all four have it when as many answers in a row show it
  const settled = (see) => until(async () => {
    for (let i = 0; i < 40; i++) if (!see(await home())) return false;
    return true;
  }, 'the theme in every process');
  const reload = () => process.kill(g.processes[0].pid ?? g.processes[0].child.pid, 'SIGHUP');

  await t.test('list, copy, and a name that is wrong', () => {
    const files = g.cli('theme', 'list', '--format', 'json').json();
    assert.ok(files.some((f) => f.file === 'templates/portal/home.html' && f.shipped && !f.replaced));
    g.cli('theme', 'copy', 'templates/portal/home.html');
    assert.ok(fs.existsSync(path.join(theme, 'templates/portal/home.html')));
    assert.match(g.cli('theme', 'copy', 'templates/portal/home.html', { fails: true }).stderr, /is there already/);
    assert.match(g.cli('theme', 'copy', 'templates/portal/hom.html', { fails: true }).stderr, /did you mean 'templates\/portal\/home.html'/);
    assert.strictEqual(g.cli('theme', 'copy', '../../etc/passwd', { fails: true }).code, 1);
    assert.match(g.cli('theme', 'check').stdout, /: ok/);
  });

  await t.test('templates, texts and static files are replaced without a restart, the others stay', async () => {
    put('templates/portal/home.html', '<h1>Our own front page</h1>');
    put('templates/lang/en.yaml', 'texts: { "Sign in": "Log in here" }\n');
    put('www/favicon.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
    reload();
    await settled((html) => html.includes('Our own front page') && html.includes('Log in here'));
    const html = await home();
    const [, icon] = /<link rel="icon" href="([^"]+)"/.exec(html);
    assert.match(icon, /^\/theme\/favicon\.svg\?v=[0-9a-f]{12}$/);
    assert.strictEqual(await (await fetch(g.url + icon)).text(), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    const [, css] = /<link rel="stylesheet" href="([^"]+)"/.exec(html);
    assert.match(css, /^\/static\/gatehouse\.css/);
    for (const bad of ['/theme/../gatehouse.conf', '/theme/..%2fgatehouse.conf', '/theme/%2e%2e/%2e%2e/master.key', '/theme/nothing.css'])
      assert.notStrictEqual((await fetch(g.url + bad)).status, 200, bad);
  });

  await t.test('what is broken leaves the shipped file, and is told by log, check and doctor', async () => {
    put('templates/portal/home.html', '<h1>{{ oops </h1>');
    put('templates/portal/layuot.html', 'x');
    put('templates/lang/de.yaml', 'texts: { "Hello {1},": "Hallo" }\n');
    put('www/gatehouse.css', ':root { --text: light-dark(#777777, #e6ecea); }');
    put('notes.txt', 'x');
    const { code, stderr } = g.cli('theme', 'check', { fails: true });
    assert.strictEqual(code, 1);
    for (const what of [/templates\/portal\/home.html:? ?1:\d+: /, /layuot.html: error: .*did you mean 'templates\/portal\/layout.html'/,
      /de.yaml: error: 'Hello \{1\},'/, /gatehouse.css: error: text on canvas \(light\): contrast 4\.\d\d, needs 4.5/, /notes.txt: error: .*is ever used/])
      assert.match(stderr, what);
    assert.match(g.cli('doctor', { fails: true }).stdout, /warning\s+theme\s+templates\/portal\/home.html/);
    reload();
    await settled((html) => html.includes('Published APIs'));
    assert.match(g.log('serve') || '', /a file of the theme cannot be used/);
  });

  await t.test('a template that fails while a page is made', async () => {
    put('templates/portal/home.html', '<h1>{{ nothing_of_this_name }}</h1>');
    reload();
    await until(() => /nothing_of_this_name/.test(g.log('serve')) || home().then(() => false), 'the failure in the log');
    assert.match(await home(), /Published APIs/);
  });
  fs.rmSync(theme, { recursive: true });
  reload();
  await settled((html) => html.includes('>Sign in<'));

  const admin = await new Visitor(`${g.url}/admin`).signIn(g.admin.email, g.admin.password, '/admin/sign-in');

  await t.test('from the dashboard: refused as a whole with the input kept', async () => {
    await admin.open('/admin/look');
    for (const [what, values, says] of [
      ['no name', { name: '' }, 'Enter a name.'],
      ['a colour that cannot be read', { 'text_light': '#cccccc' }, 'text on canvas (light): contrast'],
      ['no colour', { 'accent_dark': 'red' }, 'Two colours like'],
      ['a script for an address', { menu_2_label: 'Bad', menu_2_address: 'javascript:alert(1)' }, 'An address begins with'],
      ['another host by slashes', { menu_1_label: 'Bad', menu_1_address: '//evil.example' }, 'An address begins with'],
      ['a long headline', { headline_en: 'x'.repeat(401) }, 'This is longer than 400 bytes.'],
    ]) {
      const rs = await upload(admin, '/admin/look', { lead_en: 'Kept & safe', ...values });
      assert.ok(rs.status === 422 && rs.html.includes(says) && rs.html.includes('value="Kept &amp; safe"'), `${what}: ${rs.status}`);
    }
    for (const [what, file] of [['SVG', Buffer.from('<svg onload="alert(1)"/>')], ['HTML', Buffer.from('<html>')], ['too large', Buffer.concat([PNG, Buffer.alloc(300 * 1024)])]]) {
      const rs = await upload(admin, '/admin/look', {}, file);
      assert.ok(rs.status === 422 && /id="logo-hint">(This is no|A picture has)/.test(rs.html), what);
    }
    assert.strictEqual(sql(g, 'SELECT count(*) FROM portal_look'), '0');
    assert.strictEqual((await upload(admin, '/admin/look', { csrf: 'x' })).status, 403);
  });

  await t.test('from the dashboard: saved, seen by visitors in their language, audited', async () => {
    const rs = await upload(admin, '/admin/look', { name: 'Acme <APIs>', accent_light: '#7a1f5c', accent_dark: '#f0a3d4', headline_en: 'Build with Acme',
      headline_de: 'Bauen mit Acme', menu_1_label: 'Status', menu_1_address: 'https://status.example.com/' }, PNG);
    assert.strictEqual(rs.status, 303, rs.html);
    const html = await home();
    assert.ok(html.includes('<h1>Build with Acme</h1>') && html.includes('Acme &lt;APIs&gt;') && html.includes('<a href="https://status.example.com/">Status</a>'), html);
    assert.ok((await home({ 'accept-language': 'de' })).includes('<h1>Bauen mit Acme</h1>'));
    const css = await fetch(g.url + /href="(\/look\.css\?v=\d+)"/.exec(html)[1]);
    assert.match(await css.text(), /--accent: light-dark\(#7a1f5c, #f0a3d4\);/);
    const logo = await fetch(g.url + /src="(\/logo\?v=\d+)"/.exec(html)[1]);
    assert.deepStrictEqual([logo.headers.get('content-type'), logo.headers.get('x-content-type-options')], ['image/png', 'nosniff']);
    assert.ok(Buffer.from(await logo.arrayBuffer()).equals(PNG));
    assert.strictEqual(sql(g, "SELECT count(*) FROM audit_entry WHERE kind IN ('look', 'logo')"), '1');
  });

  await t.test('two administrators at once lose nothing', async () => {
    const other = await new Visitor(`${g.url}/admin`).signIn(g.admin.email, g.admin.password, '/admin/sign-in');
    await other.open('/admin/look');
    await admin.open('/admin/look');
    assert.strictEqual((await upload(admin, '/admin/look', { lead_en: 'The first' })).status, 303);
    const late = await upload(other, '/admin/look', { lead_de: 'Spät' });
    assert.ok(late.status === 409 && late.html.includes('Somebody else changed this meanwhile') && late.html.includes('value="Spät"'), late.html);
    assert.strictEqual((await upload(other, '/admin/look', { lead_de: 'Spät' })).status, 409, 'sent once more from there');
    assert.strictEqual((await other.send('POST', '/admin/look/reset', { form: other.form('/admin/look/reset') })).status, 409, 'nor the colours');
    assert.match(sql(g, 'SELECT look FROM portal_look'), /#7a1f5c.*The first/);
  });

  await t.test('who may', async () => {
    for (const role of ['operator', 'auditor', 'publisher']) {
      g.cli('user', 'create', `${role}@example.com`, '--role', role, '--password-file', g.file(role, 'a sentence that nobody guesses\n'));
      const v = await new Visitor(`${g.url}/admin`).signIn(`${role}@example.com`, 'a sentence that nobody guesses', '/admin/sign-in');
      assert.strictEqual((await v.open('/admin/look')).status, role === 'publisher' ? 200 : 403, role);
    }
  });

  await t.test('taken to another installation, all or nothing', async () => {
    const dir = path.join(g.dir, 'export');
    put('templates/portal/home.html', '<h1>Own {{ site_title }}</h1>');
    g.cli('theme', 'export', dir);
    assert.deepStrictEqual(fs.readdirSync(dir).sort(), ['logo.png', 'look.json', 'templates']);
    assert.match(g.cli('theme', 'export', dir, { fails: true }).stderr, /is there already/);
    const other = { GATEHOUSE_STATE: path.join(g.dir, 'other') };
    const cli = (...args) => require('node:child_process').spawnSync(path.join(g.bin, 'gatehouse'), args, { encoding: 'utf8', env: { ...process.env, ...other } });
    assert.strictEqual(cli('init', '--admin', 'a@example.com').status, 0);
    const look = JSON.parse(fs.readFileSync(path.join(dir, 'look.json')));
    fs.writeFileSync(path.join(dir, 'look.json'), JSON.stringify({ ...look, colours: { accent: ['#ffffff', '#ffffff'] } }));
    const bad = cli('theme', 'import', dir);
    assert.ok(bad.status === 1 && /accent on canvas \(light\)/.test(bad.stderr) && /nothing was changed/.test(bad.stderr), bad.stderr);
    assert.ok(!fs.existsSync(path.join(other.GATEHOUSE_STATE, 'theme')));
    fs.writeFileSync(path.join(dir, 'look.json'), JSON.stringify(look));
    for (const name of ['templates/portal/terms.html', 'templates/portal']) {   // a file, a folder
      const to = path.join(dir, name), kept = `${to}.kept`;
      if (fs.existsSync(to)) fs.renameSync(to, kept);
      fs.symlinkSync(name.endsWith('html') ? path.join(g.state, 'gatehouse.conf') : path.join(theme, 'templates/portal'), to);
      const out = cli('theme', 'import', dir);
      assert.ok(out.status === 1 && /leads out of/.test(out.stderr), `${name}: ${out.status} ${out.stderr}`);
      fs.unlinkSync(to);
      if (fs.existsSync(kept)) fs.renameSync(kept, to);
    }
    assert.strictEqual(cli('theme', 'import', dir).status, 0);
    const again = path.join(g.dir, 'again');
    assert.strictEqual(cli('theme', 'export', again).status, 0);
    for (const file of ['logo.png', 'templates/portal/home.html'])
      assert.ok(fs.readFileSync(path.join(again, file)).equals(fs.readFileSync(path.join(dir, file))), file);
    assert.deepStrictEqual(JSON.parse(fs.readFileSync(path.join(again, 'look.json'))), look);
    assert.strictEqual(look.name, 'Acme <APIs>');
  });
});
