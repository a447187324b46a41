// The configuration as files, from outside: export, plan, apply, one API as a ZIP, sync, imports of other systems.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { once } = require('node:events');
const { spawn } = require('node:child_process');
const { Gateway, start, offline, ROOT } = require('./harness');

const remove = (gw) => fs.rmSync(gw.dir, { recursive: true, force: true });
const tried = (gw, ...args) => gw.cli(...args, { fails: true });
const sample = (name) => path.join(ROOT, 'tests/golden/import', name);

// every file below dir, with its text
function filesOf(dir) {
  const all = {};
  for (const f of fs.readdirSync(dir, { recursive: true }))
    if (fs.statSync(path.join(dir, f)).isFile()) all[f] = fs.readFileSync(path.join(dir, f), 'utf8');
  return all;
}

test('export, plan, apply: exit statuses, whom a change touches, byte-equal on an empty installation', async () => {
  const gw = offline(), other = offline(), dir = path.join(gw.dir, 'conf'), again = path.join(gw.dir, 'again');
  gw.cli('product', 'create', 'gold', '--rate', '10/60');
  gw.cli('import', 'wsdl', path.join(sample('wsdl-orders'), 'input.wsdl'), '--path', 'soap', '--product', 'gold');
  gw.cli('subscription', 'create', '--product', 'gold');
  gw.cli('export', dir);
  const files = filesOf(dir);
  assert.ok(files['apis/orderservice/openapi.json'].startsWith('{'), Object.keys(files).join(' '));
  assert.match(files['products/gold/policy.xml'], /<rate-limit /);
  assert.strictEqual(gw.cli('plan', dir).code, 0);

  fs.writeFileSync(path.join(dir, 'products/gold/product.yaml'), files['products/gold/product.yaml'].replace('name: gold', 'name: Gold'));
  const plan = tried(gw, 'plan', dir);
  assert.strictEqual(plan.code, 2);
  assert.match(plan.stdout, /^~ product gold {2}\[1 subscription, 0 calls in 7 days\]\n {4}name: "gold" -> "Gold"\n/);
  const data = JSON.parse(tried(gw, 'plan', dir, '--format', 'json').stdout);
  assert.deepStrictEqual(data.summary, { create: 0, change: 1, delete: 0, same: data.summary.same });
  assert.deepStrictEqual(data.changes[0].fields, [{ field: 'name', before: 'gold', after: 'Gold' }]);
  const nowhere = tried(gw, 'export', dir, '--env', 'defualt');
  assert.deepStrictEqual([nowhere.code, nowhere.stderr], [1, "gatehouse: error: there is no environment 'defualt'; did you mean 'default'?\n"]);
  assert.match(tried(gw, 'export', `${dir}.zip`, '--api', 'orderservise').stderr, /there is no API 'orderservise'; did you mean 'orderservice'\?/);
  assert.ok(fs.existsSync(path.join(dir, 'apis/orderservice/api.yaml')), 'and no file of an earlier export goes');
  assert.strictEqual(tried(gw, 'apply', dir).code, 1, 'nobody is there to be asked');
  gw.cli('apply', dir, '--yes');
  assert.strictEqual(gw.cli('plan', dir).code, 0);

  other.cli('apply', dir, '--yes');
  other.cli('export', again);
  assert.deepStrictEqual(filesOf(again), filesOf(dir));

  fs.writeFileSync(path.join(dir, 'products/gold/product.yaml'), '$kind: product\nid: gold\nname: Gold\nterm: x\n');
  const wrong = tried(gw, 'apply', dir, '--yes');
  assert.strictEqual(wrong.code, 1);
  assert.match(wrong.stderr, /^\S+\/conf\/products\/gold\/product\.yaml:4:1: error: product gold: there is no such field; did you mean 'terms'\?\n/);
  fs.rmSync(path.join(dir, 'products'), { recursive: true });
  assert.match(tried(gw, 'apply', dir, '--yes').stderr, /error: product gold: .*refers to it/, 'what is in use is not deleted');
  remove(gw);
  remove(other);
});

test('the examples of the page are files that can be applied', () => {
  const gw = offline({ env: { ERP_PASSWORD: 'hush' } }), page = fs.readFileSync(path.join(ROOT, 'docs/configuration-files.md'), 'utf8');
  gw.cli('import', 'openapi', path.join(ROOT, 'deploy/sample/orders.yaml'), '--path', 'orders', '--name', 'orders');
  const blocks = [...page.matchAll(/```(?:yaml|sh)\n([^]*?)```/g)].map((m) => m[1].replace(/^gatehouse apply.*\n|^EOF\n/gm, '')).filter((b) => /^\$kind: (?!configuration)/.test(b));
  assert.ok(blocks.length >= 4, `${blocks.length}`);
  for (const [i, block] of blocks.entries()) {
    const dir = path.join(gw.dir, `example-${i}`);
    fs.mkdirSync(dir);
    fs.writeFileSync(path.join(dir, 'x.yaml'), block);
    if (block.includes('policy.xml')) fs.writeFileSync(path.join(dir, 'policy.xml'), '<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>');
    const plan = tried(gw, 'plan', dir);
    assert.strictEqual(plan.code, 2, `${block}${plan.stdout}${plan.stderr}`);
  }
  const missing = tried(gw, 'plan', gw.file('m.yaml', '$kind: product\nid: gold\n'));
  assert.match(missing.stderr, /m\.yaml:1:1: error: product gold: name: is required/, 'what is missing has no place, so it is named');
  remove(gw);
});

test('the whole look of a portal arrives in an empty installation: name, logo, colours, texts, menu, pages, files of the theme', () => {
  const gw = offline(), other = offline(), dir = path.join(gw.dir, 'conf'), again = path.join(gw.dir, 'again');
  const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const look = `$kind: look\nid: portal\nname: Acme <APIs>\ncolours:\n  accent: ['#7a1f5c', '#f0a3d4']\ntexts:\n  en: {headline: Build with Acme}\n`
    + `menu:\n  - {label: Status, address: 'https://status.example.com/'}\nlogo: |\n  ${PNG.slice(0, 60)}\n  ${PNG.slice(60)}\n`;
  gw.cli('apply', '-', '--yes', { input: look });
  assert.match(gw.cli('plan', gw.file('look.yaml', look)).stdout, /nothing to do/, 'base64 with line ends is the same picture');
  gw.cli('page', 'set', 'start', '--title', 'How to start', '--file', gw.file('start.md', 'Ask **Ada** first.\n'));
  gw.cli('theme', 'copy', 'templates/portal/home.html');
  fs.appendFileSync(path.join(gw.state, 'theme/templates/portal/home.html'), '<p>Made in the north plant.</p>\n');
  gw.cli('export', dir);
  const files = filesOf(dir);
  assert.match(files['look.yaml'], /^name: Acme <APIs>$/m);
  assert.strictEqual(files['looks/logo.txt'], PNG);
  assert.match(files['theme/templates/portal/home.html'], /north plant/);

  other.cli('apply', dir, '--yes');
  other.cli('export', again);
  assert.deepStrictEqual(filesOf(again), files);
  const shown = path.join(gw.dir, 'shown');        // as the portal itself reads it
  other.cli('theme', 'export', shown);
  assert.deepStrictEqual(JSON.parse(fs.readFileSync(path.join(shown, 'look.json'), 'utf8')), { name: 'Acme <APIs>', colours: { accent: ['#7a1f5c', '#f0a3d4'] },
    menu: [{ label: 'Status', address: 'https://status.example.com/' }], texts: { en: { headline: 'Build with Acme' } } });
  assert.strictEqual(fs.readFileSync(path.join(shown, 'logo.png')).toString('base64'), PNG);
  assert.match(fs.readFileSync(path.join(other.state, 'theme/templates/portal/home.html'), 'utf8'), /north plant/);

  const wrong = other.cli('apply', '-', '--yes', { fails: true, input: "$kind: look\nid: portal\ncolours:\n  text: ['#cccccc', '#ffffff']\n" });
  assert.match(wrong.stderr, /:3:1: error: look portal: text on canvas \(light\): contrast/);
  gw.cli('apply', '-', '--yes', { input: '$kind: look\nid: portal\n' });
  gw.cli('export', dir);
  assert.ok(!('looks/logo.txt' in filesOf(dir)), 'a logo that went leaves no file');
  remove(gw);
  remove(other);
});

test('apply reads standard input and leaves alone what it does not name', () => {
  const gw = offline();
  gw.cli('product', 'create', 'gold');
  gw.cli('apply', '-', '--yes', { input: '$kind: product\nid: silver\nname: Silver\n' });
  assert.deepStrictEqual(gw.cli('product', 'list', '--format', 'json').json().map((p) => p.id), ['gold', 'silver']);
  remove(gw);
});

test('one API as a ZIP: what is missing is told first, the second ZIP is byte-equal', () => {
  const gw = offline(), other = offline(), zip = path.join(gw.dir, 'orders.zip'), again = path.join(gw.dir, 'again.zip');
  gw.cli('import', 'apiops', path.join(sample('apiops-shop'), 'input'), '--placeholders');
  gw.cli('export', zip, '--api', 'orders');
  const missing = tried(other, 'import', 'zip', zip, '--yes');
  assert.strictEqual(missing.code, 1);
  assert.match(missing.stderr, /erp-password\.yaml:3:1: error: the secret of named-value erp-password is kept/);
  assert.deepStrictEqual(other.cli('api', 'list', '--format', 'json').json(), []);
  other.cli('import', 'zip', zip, '--yes', '--secrets', other.file('secrets.yaml', 'named-value/erp-password/secret: hunter2\n'));
  other.cli('export', again, '--api', 'orders');
  assert.ok(fs.readFileSync(zip).equals(fs.readFileSync(again)));
  assert.ok(!fs.readFileSync(again).includes('hunter2'));
  remove(gw);
  remove(other);
});

test('imports of other systems are one transaction, and what guarded calls is never opened', () => {
  const rows = [
    ['kong', 'kong-shop/input.kong', 'api:search', /<return-response>\s*<set-status code="501"/],
    ['aws', 'aws-orders/input.aws', 'operation:shop-orders/get-orders', /<set-status code="501"/],
  ];
  for (const [command, file, scope, want] of rows) {
    const gw = offline();
    const plan = gw.cli('import', command, sample(file), '--dry-run');
    assert.match(plan.stdout, /to create/);
    assert.deepStrictEqual(gw.cli('api', 'list', '--format', 'json').json(), []);
    const done = gw.cli('import', command, sample(file), '--format', 'json').json();
    assert.ok(done.report.some((r) => r.outcome === 'taken over') && done.report.some((r) => r.outcome === 'not possible'));
    assert.match(gw.cli('policy', 'show', '--scope', scope).stdout, want);
    assert.match(gw.cli('import', command, sample(file)).stdout, /^0 created, 0 changed/, 'again it changes nothing');
    // what somebody wrote in between is shown before it is replaced
    const mine = '<policies><inbound><base /><!-- mine --></inbound></policies>\n', show = () => gw.cli('policy', 'show', '--scope', scope).stdout;
    gw.cli('policy', 'set', '--scope', scope, gw.file('mine.xml', mine));
    const asked = tried(gw, 'import', command, sample(file));
    assert.strictEqual(asked.code, 1);
    assert.ok(asked.stdout.includes(`\n~ policy ${scope}`) && /say --yes/.test(asked.stderr), asked.stdout + asked.stderr);
    assert.strictEqual(show(), mine);
    assert.match(gw.cli('import', command, sample(file), '--yes').stdout, /^0 created, 1 changed/);
    assert.match(show(), want);
    remove(gw);
  }
});

test('an import brings a global policy beside other APIs only when somebody says so', () => {
  const gw = offline(), kong = sample('kong-shop/input.kong');
  gw.cli('apply', '-', '--yes', { input: '$kind: api\nid: ours\nname: Ours\npath: ours\nbackendUrl: http://127.0.0.1:9\n' });
  const asked = tried(gw, 'import', 'kong', kong);
  assert.strictEqual(asked.code, 1);
  assert.match(asked.stdout, /\n\+ policy global {2}\[all calls/);
  assert.deepStrictEqual(gw.cli('api', 'list', '--format', 'json').json().map((v) => v.id), ['ours']);
  gw.cli('import', 'kong', kong, '--yes');
  assert.match(gw.cli('policy', 'show', '--scope', 'global').stdout, /X-Request-Id/);
  remove(gw);
});

test('secrets that somebody put elsewhere since stay there when a file is imported again', () => {
  const gw = offline(), file = gw.file('kong.yaml', `_format_version: "3.0"
services: [ { name: s, url: http://127.0.0.1:9, routes: [ { name: s, paths: [/s], plugins: [ { name: jwt } ] } ] } ]
consumers: [ { username: ann, jwt_secrets: [ { key: iss-one, secret: 0123456789abcdef0123456789abcdef }, { key: iss-two, secret: 0123456789abcdef0123456789abcdef } ] } ]
`);
  const values = '$kind: named-value\nid: kong-jwt-iss-one\nsecret: {ref: "env:NOT_SET"}\n---\n$kind: named-value\nid: kong-jwt-iss-two\nvalue: in clear\n';
  gw.cli('apply', '-', '--yes', { input: values });
  assert.match(gw.cli('import', 'kong', file, '--yes').stdout, /created, 1 changed/);
  gw.cli('export', path.join(gw.dir, 'conf'));
  assert.match(fs.readFileSync(path.join(gw.dir, 'conf/named-values/kong-jwt-iss-one.yaml'), 'utf8'), /env:NOT_SET/);
  assert.match(fs.readFileSync(path.join(gw.dir, 'conf/named-values/kong-jwt-iss-two.yaml'), 'utf8'), /^secret:$/m);
  remove(gw);
});

test('sync keeps a directory and the store in step, both ways', async (t) => {
  const gw = offline(), dir = path.join(gw.dir, 'conf');
  const sync = spawn(path.join(gw.bin, 'gatehouse'), ['sync', dir, '--state', gw.state], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => sync.kill('SIGKILL'));
  let out = '';
  sync.stdout.on('data', (d) => { out += d; });
  sync.stderr.on('data', (d) => { out += d; });
  const told = async (what) => {
    while (!what.test(out)) {
      await Promise.race([once(sync.stdout, 'data'), once(sync.stderr, 'data'), once(sync, 'exit').then(() => assert.fail(out))]);
    }
    out = '';
  };
  await told(/is in step with/);
  fs.writeFileSync(path.join(dir, 'quick.yaml'), '$kind: product\nid: quick\nname: Quick\n');
  await told(/\+ product quick\n/);
  assert.deepStrictEqual(gw.cli('product', 'list', '--format', 'json').json().map((p) => p.id), ['quick']);
  gw.cli('product', 'create', 'slow');
  await told(/directory: .* written/);
  assert.match(fs.readFileSync(path.join(dir, 'products/slow/product.yaml'), 'utf8'), /^id: slow$/m);
  fs.writeFileSync(path.join(dir, 'quick.yaml'), '$kind: product\nid: other\nnme: x\n');
  await told(/quick\.yaml:3:1: error: product other: there is no such field/);
  sync.kill('SIGTERM');
  assert.deepStrictEqual(await once(sync, 'exit'), [0, null]);
  remove(gw);
});

test('plan and apply over the management API of another machine', async (t) => {
  const here = offline(), dir = path.join(here.dir, 'conf');
  let gw, writer, reader;
  t.after(async () => { await gw?.stop(); remove(here); });
  gw = await start({ server: 'nginx', workers: 1, setup(g) {
    writer = g.cli('machine-token', 'create', 'pipeline', '--role', 'administrator', '--scope', 'write').stdout.trim();
    reader = g.cli('machine-token', 'create', 'reader', '--role', 'administrator', '--scope', 'read').stdout.trim();
  } });
  here.cli('import', 'apiops', path.join(sample('apiops-shop'), 'input'), '--placeholders');
  here.cli('theme', 'copy', 'templates/portal/home.html');
  here.cli('apply', '-', '--yes', { input: '$kind: look\nid: portal\nname: Of the north\n' });
  here.cli('export', dir);
  const there = (...args) => [...args, '--server', `${gw.url}/admin`, '--token-file', here.file('token', writer)];
  const missing = tried(here, ...there('plan', dir));
  assert.strictEqual(missing.code, 1);
  assert.match(missing.stderr, /conf\/named-values\/erp-password\.yaml:3:1: error: .*the secret of named-value erp-password is kept/);
  const plan = tried(here, ...there('plan', dir, '--placeholders'));
  assert.strictEqual(plan.code, 2, plan.stderr);
  assert.match(plan.stdout, /^\+ api orders$/m);
  assert.match(plan.stderr, /^gatehouse: warning: 1 file below theme\/ is not sent: /);
  const said = (text) => text.replace(/\d+ calls? in/g, 'calls in');        // those of the start reach the store between the two
  assert.strictEqual(said(plan.stdout), said(tried(gw, 'plan', dir, '--placeholders').stdout.replace(/^. theme file .*\n/gm, '')), 'in the words of a plan on that machine');
  const denied = tried(here, 'apply', dir, '--yes', '--placeholders', '--server', `${gw.url}/admin`, '--token-file', here.file('reader', reader));
  assert.match(denied.stderr, /answered 403: /);
  assert.deepStrictEqual(gw.cli('api', 'list', '--format', 'json').json(), []);
  assert.match(here.cli(...there('apply', dir, '--yes', '--placeholders')).stdout, /\napplied: \d+ created, \d+ changed, 0 deleted\n$/);
  assert.deepStrictEqual(gw.cli('api', 'list', '--format', 'json').json().map((a) => a.id), ['legacy', 'orders']);
  const [mine, theirs] = ['mine', 'theirs'].map((name) => path.join(here.dir, name));
  gw.cli('export', mine);
  here.cli(...there('export', theirs));
  assert.deepStrictEqual(filesOf(theirs), filesOf(mine), 'an export from afar is one from there');
  assert.strictEqual(here.cli(...there('plan', dir)).code, 0);
  assert.match(await (await fetch(gw.url)).text(), /<title>[^<]*Of the north/, 'the portal there has the name');
  const audit = gw.cli('audit', '--format', 'json').stdout;
  assert.match(audit, /pipeline/, 'the audit trail names the token');
  const wrong = tried(here, 'plan', dir, '--server', `${gw.url}/nowhere`, '--token-file', here.file('token', writer));
  assert.strictEqual(wrong.code, 1);
});

test('an answer that is no export changes nothing in an earlier one', async (t) => {
  const gw = offline(), dir = path.join(gw.dir, 'conf'), head = { path: 'gatehouse.yaml', text: '$kind: configuration\n' };
  let answer;
  const server = http.createServer((q, s) => s.writeHead(answer.errors ? 422 : 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer)));
  t.after(() => { server.close(); remove(gw); });
  gw.cli('product', 'create', 'gold');
  gw.cli('export', dir);
  const files = filesOf(dir);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (const [said, says] of [[{}, /without gatehouse\.yaml/], [{ files: [] }, /without gatehouse\.yaml/], [{ errors: [{ detail: 'so not' }] }, /so not/],
    [{ files: [head, { path: '.git/config', text: 'x' }] }, /'\.git\/config'/], [{ files: [head, { path: 'products/.x/y', text: 'x' }] }, /no file of an export/],
    [{ files: [head, { path: '../x', text: 'x' }] }, /'\.\.\/x'/], [{ files: [head, { path: 'products/x.yaml' }] }, /no file of an export/]]) {
    answer = said;
    const cli = spawn(path.join(gw.bin, 'gatehouse'), ['export', dir, '--server', `http://127.0.0.1:${server.address().port}`, '--token-file', gw.file('token', 't'), '--state', gw.state],
      { stdio: ['ignore', 'ignore', 'pipe'] });
    const [text, [code]] = await Promise.all([cli.stderr.setEncoding('utf8').toArray(), once(cli, 'exit')]);
    assert.strictEqual(code, 1, JSON.stringify(said));
    assert.match(text.join(''), says);
    assert.deepStrictEqual(filesOf(dir), files, JSON.stringify(said));
  }
});

test('what plan and apply take grows with the files and no faster', () => {
  const bin = path.join(process.env.GATEHOUSE_BIN || path.join(ROOT, 'build/asan/bin'), 'gatehouse');
  const r = require('../bench/files')(60, bin);   // a 16th of what may take 10 and 3 seconds, with sanitizers
  assert.ok(r.applyNew.cpuS < 5 && r.planSame.cpuS < 3 && r.planChanged.cpuS < 3, JSON.stringify(r));
  assert.match(r.planSame.said, /^nothing to do: 1323 resources/);
  assert.match(r.planChanged.said, /^0 to create, 61 to change, 0 to delete/);
});
