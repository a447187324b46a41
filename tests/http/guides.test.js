// What the pages for people promise: links lead somewhere, commands exist with the options that they are shown with, and the first
// API of the README comes to be by the lines that stand there.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { execFile, spawnSync } = require('node:child_process');
const { start, offline, backend, SERVERS, ROOT } = require('./harness');

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const below = (dir, ending) => fs.readdirSync(path.join(ROOT, dir), { recursive: true }).filter((f) => f.endsWith(ending)).map((f) => path.join(dir, f));
const PAGES = ['README.md', 'CHANGELOG.md', ...below('docs', '.md')];
const withoutCode = (text) => text.replace(/^```.*?^```/gms, '');

// the anchor of a heading, as the web makes it
const anchorsOf = (file) => new Set([...withoutCode(read(file)).matchAll(/^#+ (.*)$/gm)]
  .map(([, h]) => h.replace(/<[^>]*>|`/g, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim().toLowerCase().replace(/[^\p{L}\p{N}\-_ ]/gu, '').replaceAll(' ', '-'))
  .concat([...read(file).matchAll(/<a id="([^"]*)"/g)].map((m) => m[1])));

const linksOf = (text) => [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map((m) => m[1]);

test('links between pages lead somewhere', () => {
  const broken = [];
  for (const page of PAGES)
    for (const target of linksOf(read(page))) {
      if (/^[a-z]+:/.test(target)) continue;
      const [name, anchor] = target.split('#'), file = name ? path.join(path.dirname(page), name) : page;
      if (!fs.existsSync(path.join(ROOT, file)) || (anchor && !anchorsOf(file).has(anchor))) broken.push(`${page}: ${target}`);
    }
  assert.deepStrictEqual(broken, []);
});

test('and so they do where they are installed', () => {
  const gw = offline(), share = path.join(gw.dir, 'share'), doc = path.join(share, 'doc/gatehouse');
  const r = spawnSync('make', ['-s', 'install-docs', `DESTDIR=${gw.dir}`, 'PREFIX='], { cwd: ROOT, encoding: 'utf8' });
  assert.strictEqual(r.status, 0, r.stderr);
  fs.symlinkSync(ROOT, path.join(share, 'gatehouse'));      // has deploy/ as the installed folder has it
  const pages = fs.readdirSync(doc, { recursive: true }).filter((f) => f.endsWith('.md'));
  assert.strictEqual(pages.length, PAGES.length);
  const broken = pages.flatMap((page) => linksOf(fs.readFileSync(path.join(doc, page), 'utf8')).map((target) => target.split('#')[0])
    .filter((file) => file && !/^[a-z]+:/.test(file) && !fs.existsSync(path.join(doc, path.dirname(page), file))).map((file) => `${page}: ${file}`));
  fs.rmSync(gw.dir, { recursive: true, force: true });
  assert.deepStrictEqual(broken, []);
});

test('the files that the architecture names are there', () => {
  const files = ['core', 'db', 'config', 'policy', 'fcgi', 'portal', 'keeper', 'cli', 'templates', 'www', 'deploy', 'make', 'tools', 'tests']
    .flatMap((dir) => below(dir, ''));
  const gone = [...read('docs/architecture.md').matchAll(/`([\w./*-]+\.(?:c|h|def|js|lua|sql|yaml|conf|txt))`/g)].map((m) => m[1]).filter((name) => {
    const like = new RegExp(`(^|/)${name.replace(/[.]/g, '\\.').replaceAll('*', '[^/]*')}$`);
    return !files.some((f) => like.test(f));
  });
  assert.deepStrictEqual(gone, []);
});

test('the architecture names every folder with code', () => {
  const folders = ['core', 'db', 'config', 'policy', 'fcgi', 'portal', 'keeper', 'cli', 'templates', 'www', 'deploy', 'make', 'tools', 'tests']
    .flatMap((top) => [top, ...fs.readdirSync(path.join(ROOT, top), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => `${top}/${e.name}`)])
    .filter((folder) => folder !== 'www/vendor');      // what make fetches
  const text = read('docs/architecture.md');
  assert.deepStrictEqual(folders.filter((folder) => !text.includes(`${path.basename(folder)}/`)), []);
});

test('commands on the pages, and those that governance names, exist with these options', () => {
  const gw = offline(), wrong = [], known = {};
  const names = new Set(gw.cli('--help').stdout.split('\n').filter((l) => /^ {2}[a-z]/.test(l)).map((l) => /^ {2}([a-z][a-z-]*(?: [a-z][a-z-]*(?![\w|]))*?)(?= {2,}| [A-Z[]| \S*\||$)/.exec(l)[1]));
  const options = (name) => (known[name] ??= new Set(gw.cli(...name.split(' '), '--help').stdout.match(/(?<!\S)--?[a-z][a-z0-9-]*/g)));
  for (const file of [...PAGES, ...below('config/governance/builtin', '.yaml')]) {
    const text = read(file).replaceAll('\\\n', ' ');
    const lines = [...text.matchAll(/^(?:\$ )?gatehouse (.*)$/gm), ...text.matchAll(/`gatehouse ([^`]*)`/g)].map((m) => m[1].replace(/\s+/g, ' '));
    for (const line of lines) {
      const words = line.replace(/^help /, '').split(' #')[0].split(' | ')[0].split(' ');
      const name = [3, 2, 1].map((n) => words.slice(0, n).join(' ')).find((n) => names.has(n));
      if (!name) {        // a group of commands ("gatehouse logger") and COMMAND are no mistakes
        if (words[0] !== 'COMMAND' && ![...names].some((n) => n.startsWith(`${words[0]} `))) wrong.push(`${file}: ${line}`);
        continue;
      }
      for (const word of words.filter((w) => /^--[a-z]/.test(w))) if (!options(name).has(word)) wrong.push(`${file}: ${name} has no ${word}`);
    }
  }
  fs.rmSync(gw.dir, { recursive: true, force: true });
  assert.deepStrictEqual(wrong, []);
});

test('every setting stands on a page, and pages name no others', () => {
  const gw = offline(), settings = [...gw.cli('config').stdout.matchAll(/^#?([a-z_]+(?:\.[a-z_]+)?) =/gm)].map((m) => m[1]);
  fs.rmSync(gw.dir, { recursive: true, force: true });
  const texts = below('docs', '.md').map((page) => [page, read(page)]), all = texts.map(([, text]) => text).join('\n');
  const groups = new Set(settings.map((name) => name.split('.')[0]));
  assert.ok(settings.length > 100);
  assert.deepStrictEqual(settings.filter((name) => !new RegExp(`(?<![\\w.])${name.replace('.', '\\.')}(?!\\w)`).test(all)), []);
  const told = texts.flatMap(([page, text]) => [...text.matchAll(/^([a-z_]+\.[a-z_]+) = |^\| `([a-z_]+\.[a-z_]+)`(?:, `([a-z_]+\.[a-z_]+)`)? \|/gm)]
    .flatMap((m) => m.slice(1)).filter((name) => name && groups.has(name.split('.')[0]) && !settings.includes(name) && !name.endsWith('.db')).map((name) => `${page}: ${name}`));
  assert.deepStrictEqual(told, []);
});

test('the document and its cases on the page about tests of policies', () => {
  const gw = offline(), page = read('docs/policy-test.md');
  fs.mkdirSync(path.join(gw.dir, 'policies'));
  gw.file('policies/orders.xml', /^```xml\n(.*?)^```/ms.exec(page)[1]);
  gw.file('policies/orders.test.yaml', /^```yaml\n(cases:.*?)^```/ms.exec(page)[1]);
  const r = gw.cli('policy', 'test', path.join(gw.dir, 'policies'), { fails: true });
  fs.rmSync(gw.dir, { recursive: true, force: true });
  assert.strictEqual(r.code, 0, r.stdout);
});

test('resources on the pages pass the checks of files, but for others that they name', () => {
  const gw = offline(), wrong = [], dir = path.join(gw.dir, 'conf');
  const blocks = PAGES.flatMap((page) => [...read(page).matchAll(/^```yaml\n(.*?)^```/gms)].map((m) => [page, m[1]]));
  const beside = { 'policy.xml': '<policies><inbound><base /></inbound></policies>',
    'logo.txt': 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=' };
  for (const [, text] of blocks.filter(([, t]) => /^# \S+$/m.test(t))) beside[/^# (\S+)$/m.exec(text)[1]] = text;
  const resources = blocks.filter(([, t]) => t.startsWith('$kind:') && !t.startsWith('$kind: configuration'));
  for (const [page, text] of resources) {
    fs.mkdirSync(dir);
    fs.writeFileSync(path.join(dir, 'x.yaml'), text);
    for (const name of [...text.matchAll(/\$file: (\S+)/g)].map((m) => m[1])) fs.writeFileSync(path.join(dir, name), beside[name]);
    const r = gw.cli('plan', dir, { fails: true });
    if (![0, 2].includes(r.code) && !r.stderr.trim().split('\n').every((line) => /there is no (?!such)/.test(line))) wrong.push(`${page}: ${r.stderr}`);
    fs.rmSync(dir, { recursive: true });
  }
  fs.rmSync(gw.dir, { recursive: true, force: true });
  assert.ok(resources.length > 5);
  assert.deepStrictEqual(wrong, []);
});

test('the policy of the README compiles', () => {
  const gw = offline(), file = gw.file('set_color.c', /^```c\n(.*?)^```/ms.exec(read('README.md'))[1]);
  const flags = spawnSync('pkg-config', ['--cflags', 'libxml-2.0'], { encoding: 'utf8' }).stdout.trim().split(' ');
  const r = spawnSync('gcc', ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I.', ...flags, file],
    { cwd: ROOT, encoding: 'utf8' });
  fs.rmSync(gw.dir, { recursive: true, force: true });
  assert.strictEqual(r.status, 0, r.stderr);
});

test('what make help lists can be made', () => {
  const listed = [...read('Makefile').matchAll(/^make( .*?) {2,}/gm)].flatMap((m) => m[1].trim().split(', ')).filter(Boolean);
  const rules = ['Makefile', ...below('make', '.mk')].map(read).join('\n');
  assert.ok(listed.length > 10, listed.join(' '));
  assert.deepStrictEqual(listed.filter((name) => !rules.includes(`\n${name}:`)), []);
});

test('the first API of the README', async (t) => {
  const [, part] = /^## Your first API in five minutes$(.*?)^## /ms.exec(read('README.md'));
  const [make, call, policy] = [...part.matchAll(/^```sh\n(.*?)^```/gms)].map((m) => m[1]);
  const orders = await backend((req, res) => res.end(JSON.stringify({ id: req.url.split('/').pop() })));
  const gw = await start({ server: SERVERS[0], workers: 1 });
  t.after(async () => { await gw.stop(); await orders.close(); });
  const run = async (script, key) => {
    const text = script.replace(/^export PATH=.*$/m, '').replaceAll('http://127.0.0.1:8081', orders.url).replaceAll('http://127.0.0.1:8080', gw.url).replaceAll('KEY\'', `${key}'`);
    const said = await new Promise((resolve, reject) => {      // the backend lives in this process
      const child = execFile('bash', ['-e'], { cwd: ROOT, env: { ...process.env, GATEHOUSE_STATE: gw.state, PATH: `${gw.bin}:${process.env.PATH}` } },
        (error, stdout, stderr) => (error ? reject(new Error(`${text}\n${stdout}${stderr}`)) : resolve(stdout)));
      child.stdin.end(text.replaceAll('shop.xml', path.join(gw.dir, 'shop.xml')));
    });
    gw.waitForWorkers();
    return said;
  };
  const key = /PRIMARY KEY\s+([0-9a-f]{32})/.exec(await run(make))[1];
  const before = await run(call, key);
  assert.match(before, /^HTTP\/1\.1 200/);
  assert.match(before, /^RateLimit: "rate";r=19;/im);
  assert.match(before, /\{"id":"1001"\}/);
  assert.doesNotMatch(before, /^X-Via/im);
  await run(policy);
  assert.match(await run(call, key), /^X-Via: gatehouse, for First partner\r$/im);
  assert.strictEqual((await fetch(`${gw.url}/apis/shop`)).status, 200);
});

test('the kinds of the management API stand on its page, in their order', async (t) => {
  const gw = await start({ server: SERVERS[0], workers: 1 });
  t.after(() => gw.stop());
  const { paths } = await (await fetch(`${gw.url}/admin/api/v1/openapi.json`)).json();
  const kinds = Object.keys(paths).filter((p) => /^\/[a-z-]+$/.test(p) && paths[`${p}/{id}`]?.put).map((p) => p.slice(1));
  assert.ok(kinds.length > 30, kinds.join(' '));
  const [, list] = /^Kinds, in the order.*?$(.*?)^Ids of/ms.exec(read('docs/management-api.md'));
  const told = [...list.matchAll(/`([a-z-]+)`/g)].map((m) => m[1]).filter((k) => k !== 'portal');
  assert.deepStrictEqual(told, kinds);
});
