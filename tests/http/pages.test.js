// Pages that people write: for whom they are shown, edited in the dashboard by those who may, as files and back.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { start, SERVERS } = require('./harness');
const { Visitor } = require('./people');

const PASSWORD = 'a sentence that nobody guesses';
const ROLES = { publisher: true, operator: true, auditor: false };
let gw;

test.before(async () => {
  gw = await start({
    server: SERVERS[0], workers: 1,
    setup(g) {
      const api = g.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'A', version: '1' }, paths: {} }));
      g.cli('group', 'create', 'partners');
      g.cli('product', 'create', 'partners');
      g.cli('product', 'set', 'partners', '--group', 'partners');
      g.cli('import', 'openapi', api, '--path', 'open', '--name', 'open', '--backend', 'http://127.0.0.1:9');
      g.cli('import', 'openapi', api, '--path', 'hidden', '--name', 'hidden', '--product', 'partners', '--backend', 'http://127.0.0.1:9');
      for (const [who, groups] of [['pat', ['--group', 'partners']], ['eve', []]])
        g.cli('user', 'create', `${who}@example.com`, '--role', 'developer', '--password-file', g.file(who, `${PASSWORD}\n`), ...groups);
      for (const role of Object.keys(ROLES)) g.cli('user', 'create', `${role}@example.com`, '--role', role, '--password-file', g.file(role, `${PASSWORD}\n`));
      const page = (id, audience, ...more) => g.cli('page', 'set', id, '--audience', audience, '--title', `Page ${id}`, '--file', g.file(`${id}.md`, `# ${id}\n\nText of ${id} <b onclick="x()">raw</b> [x](javascript:alert(1))\n`), ...more);
      page('everybody', 'everybody');
      page('users', 'users', '--position', '2');
      page('partners', 'group:partners', '--position', '3');
      page('draft', 'nobody');
      page('changes', 'everybody', '--api', 'open');
      page('secret', 'everybody', '--api', 'hidden');
      page('quiet', 'everybody', '--menu', 'no');
    },
  });
});
test.after(async () => { if (gw) await gw.stop(); });

const inside = async (who, base = '') => {
  const v = new Visitor(gw.url);
  if (!base) return (await v.signIn(`${who}@example.com`, PASSWORD)).follow();
  await v.get(`${base}/sign-in`);
  return (await v.submit(`${base}/sign-in`, { email: `${who}@example.com`, password: PASSWORD })).follow();
};
const menu = (v) => [...v.html.matchAll(/href="\/pages\/([^"]+)"[^>]*>Page/g)].map((m) => m[1]);

test('each reader sees what is for him, in the menu and by its address', async () => {
  const places = ['pages/everybody', 'pages/users', 'pages/partners', 'pages/draft', 'pages/quiet', 'apis/open/pages/changes', 'apis/hidden/pages/secret'];
  const want = { visitor: [1, 0, 0, 0, 1, 1, 0], eve: [1, 1, 0, 0, 1, 1, 0], pat: [1, 1, 1, 0, 1, 1, 1] };
  for (const [who, may] of Object.entries(want)) {
    const v = who === 'visitor' ? new Visitor(gw.url) : await inside(who);
    for (const [i, place] of places.entries()) {
      await v.get(`/${place}`);
      assert.strictEqual(v.status, may[i] ? 200 : 404, `${who} ${place}`);
      assert.strictEqual(v.html.includes('Text of'), !!may[i]);
    }
    await v.get('/');
    assert.deepStrictEqual(menu(v), ['everybody', ...(may[1] ? ['users'] : []), ...(may[2] ? ['partners'] : [])], who);
  }
});

test('HTML is text, and a link runs nothing', async () => {
  const v = await new Visitor(gw.url).get('/pages/everybody');
  assert.ok(v.html.includes('&lt;b onclick='));
  assert.ok(!/javascript:/.test(v.html) && !/<b /.test(v.html));
  assert.match(v.html, /<h2>everybody<\/h2>/);
});

test('the page of an API leads to its guides', async () => {
  const v = await new Visitor(gw.url).get('/apis/open');
  assert.match(v.html, /href="\/apis\/open\/pages\/changes">Page changes</);
});

test('only roles that may edit get to the form', async () => {
  for (const [role, may] of Object.entries(ROLES)) {
    const v = await inside(role, '/admin');
    for (const place of ['/admin/pages', '/admin/pages/edit', '/admin/pages/edit?id=draft&api=']) {
      await v.get(place);
      assert.strictEqual(v.status, may ? 200 : 403, `${role} ${place}`);
    }
    await v.send('POST', '/admin/pages/edit', { form: { action: 'delete', id: 'draft', api: '' } });
    assert.strictEqual(v.status, 403, `${role} without a token`);
  }
  assert.match(gw.cli('page', 'list').stdout, /draft/);
});

test('made, looked at, changed and deleted in the dashboard; nothing that was entered is lost', async () => {
  const v = await inside('publisher', '/admin');
  const at = '/admin/pages/edit';
  await v.get(at);
  await v.submit(at, { title: '', id: 'no/slash', body: 'Half *done', action: 'save' });
  assert.strictEqual(v.status, 422);
  assert.match(v.html, /Enter a title/);
  assert.ok(v.html.includes('Half *done'));
  await v.submit(at, { title: 'T', action: 'save', body: 'kept' });
  assert.strictEqual(v.status, 422);
  assert.match(v.html, /the id of a page has 1 to 80 letters/);
  await v.submit(at, { id: 'guide', title: 'A guide', body: 'Line one\r\n\r\n**bold**', action: 'preview', audience: 'group:partners' });
  assert.strictEqual(v.status, 200);
  assert.match(v.html, /<strong>bold<\/strong>/);
  assert.match(v.html, /value="group:partners" selected/);
  await v.submit(at, { body: 'Line one\r\n\r\n**bold**', action: 'save', audience: 'group:partners' });
  assert.strictEqual(v.status, 303);
  assert.strictEqual(gw.cli('page', 'show', 'guide').stdout, 'Line one\n\n**bold**');
  await v.get(at);
  await v.submit(at, { id: 'guide', title: 'Another', body: 'x', action: 'save', audience: 'everybody' });
  assert.strictEqual(v.status, 409);
  assert.match(v.html, /There is a page of this name already/);

  await v.get(`${at}?id=guide&api=`);
  gw.cli('page', 'set', 'guide', '--title', 'Changed meanwhile');
  await v.submit(at, { body: 'mine', action: 'save', audience: 'everybody' });
  assert.strictEqual(v.status, 409);
  assert.match(v.html, /Somebody else changed this page/);
  assert.ok(v.html.includes('mine'));
  assert.match(gw.cli('page', 'list').stdout, /Changed meanwhile +group:partners/);
  await v.get(`${at}?id=guide&api=`);
  await v.submit(at, { action: 'delete' });
  assert.strictEqual(v.status, 303);
  assert.ok(gw.cli('page', 'show', 'guide', { fails: true }).code === 1);
});

test('as files and back', () => {
  const dir = path.join(gw.dir, 'pages'), again = path.join(gw.dir, 'again');
  gw.cli('page', 'export', dir);
  const all = (d) => fs.readdirSync(d, { recursive: true }).filter((f) => f.endsWith('.md')).sort().map((f) => [f, fs.readFileSync(path.join(d, f), 'utf8')]);
  assert.deepStrictEqual(all(dir).map(([f]) => f), ['apis/hidden/secret.md', 'apis/open/changes.md', 'draft.md', 'everybody.md', 'partners.md', 'quiet.md', 'users.md']);
  fs.writeFileSync(path.join(dir, 'plain.md'), '\n# Plain title\n\nNo head.\n');
  for (const id of ['everybody', 'users', 'draft', 'partners', 'quiet']) gw.cli('page', 'delete', id);
  gw.cli('page', 'delete', 'changes', '--api', 'open');
  assert.match(gw.cli('page', 'import', dir).stdout, /^8 pages/);
  gw.cli('page', 'export', again);
  assert.deepStrictEqual(all(again).filter(([f]) => f !== 'plain.md'), all(dir).filter(([f]) => f !== 'plain.md'));
  assert.match(gw.cli('page', 'list').stdout, /plain +Plain title +everybody +yes/);
});

test('what is wrong with a file is said with its place, and then none is taken', () => {
  for (const [text, message] of [['---\ntitel: x\n---\n', /bad\.md: 'titel' is not known/], ['---\naudience: all\n---\n', /bad\.md: the audience is/],
    ['---\ntitle: [\n---\n', /bad\.md:\d+:\d+: the head of the page/], ['---\n- x\n---\n', /bad\.md: the head of the page is no mapping/], ['\xff\xfe', /not UTF-8/]]) {
    const dir = fs.mkdtempSync(path.join(gw.dir, 'bad-'));
    fs.writeFileSync(path.join(dir, 'bad.md'), text, 'latin1');
    fs.writeFileSync(path.join(dir, 'a-good-one.md'), 'fine');
    const r = gw.cli('page', 'import', dir, { fails: true });
    assert.strictEqual(r.code, 1);
    assert.match(r.stderr, message);
    assert.doesNotMatch(gw.cli('page', 'list').stdout, /a-good-one/);
  }
  assert.strictEqual(gw.cli('page', 'set', 'x', '--audience', 'group:nobody-knows', { fails: true }).code, 1);
});
