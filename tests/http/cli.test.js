// The command line from outside: exit statuses, what is printed where, secrets, backups, and `doctor` on sick installations.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const { Gateway, offline, until, ROOT } = require('./harness');

const refused = (gw, ...args) => gw.cli(...args, { fails: true });
const finding = (doctor, what) => doctor.find((f) => f.what === what);
const remove = (gw) => fs.rmSync(gw.dir, { recursive: true, force: true });
const modeOf = (file) => (fs.statSync(file).mode & 0o777).toString(8);
// the store as SQLite sees it, past all our code
const sql = (gw, text) => spawnSync('sqlite3', ['-cmd', '.timeout 60000', path.join(gw.state, 'config.db'), text], { encoding: 'utf8' });

test('init makes everything with modes that keep others out, and prints a password once', () => {
  const gw = new Gateway();
  const made = gw.cli('init', '--admin', 'ann@example.com', '--format', 'json').json();
  assert.strictEqual(made.administrator, 'ann@example.com');
  assert.match(made.password, /^[\w-]{20}$/);
  assert.strictEqual(modeOf(gw.state), '700');
  assert.strictEqual(modeOf(path.join(gw.state, 'master.key')), '600');
  assert.strictEqual(modeOf(path.join(gw.state, 'config.db')), '600');
  assert.match(fs.readFileSync(path.join(gw.state, 'master.key'), 'utf8'), /^[0-9a-f]{64}\n$/);
  const again = refused(gw, 'init', '--admin', 'ann@example.com');
  assert.strictEqual(again.code, 1);
  assert.match(again.stderr, /^gatehouse: error: there is a store in .* already\n$/);
  const files = fs.readdirSync(gw.state).map((f) => fs.readFileSync(path.join(gw.state, f), 'latin1')).join('');
  assert.ok(!files.includes(made.password), 'the password stands in no file');
  remove(gw);
});

test('init that fails leaves nothing behind and can be run again', () => {
  const gw = new Gateway();
  assert.strictEqual(refused(gw, 'init', '--admin', 'no-address').code, 1);
  assert.match(refused(gw, 'init', '--admin', 'a@example.com', '--admin-id', '../a').stderr, /'\.\.\/a'/);
  assert.match(refused(gw, 'init', '--admin', 'a@example.com', '--admin-id', 'x'.repeat(513)).stderr, /--admin-id: an id has 1 to 512 characters/);
  assert.deepStrictEqual(fs.readdirSync(gw.state), []);
  const short = refused(gw, 'init', '--admin', 'a@example.com', '--password-file', gw.file('pw', 'short\n'));
  assert.match(short.stderr, /use at least 10 characters \(web\.password_min\)/);
  gw.cli('init', '--admin', 'a@example.com', '--admin-id', 'ada');
  assert.deepStrictEqual(gw.cli('user', 'list', '--format', 'json').json().map((u) => [u.id, u.email]), [['ada', 'a@example.com']]);
  remove(gw);
});

test('log -f that was begun before there was a gateway holds back the files of its calls as any other', async () => {
  const gw = offline();
  const log = spawn(path.join(gw.bin, 'gatehouse'), ['log', '-f'], { env: { ...process.env, GATEHOUSE_STATE: gw.state }, stdio: 'ignore' });
  const fds = `/proc/${log.pid}/fd`;
  const has = (name) => fs.readdirSync(fds).some((n) => { try { return fs.readlinkSync(path.join(fds, n)).endsWith(name); } catch { return false; } });
  try {
    await until(() => has('.db'), 'the store is open: the first look at the folder is over');
    fs.mkdirSync(path.join(gw.state, 'telemetry'));
    await until(() => has('/telemetry/followers.lock'), 'its lock');
  } finally {
    log.kill();
    await once(log, 'exit');
    remove(gw);
  }
});

test('wrong usage exits with 2, a refusal with 1, and both speak on standard error only', () => {
  const gw = offline();
  const rows = [
    [2, [], /Usage: gatehouse COMMAND/],
    [2, ['prodct'], /there is no command 'prodct'/],
    [2, ['product', 'crate', 'x'], /product crate is not complete; there are:\n {2}product create/],
    [2, ['product', 'create'], /too few arguments/],
    [2, ['product', 'create', 'a', 'b'], /'b' is one argument too many/],
    [2, ['product', 'create', 'a', '--rat', '1/2'], /unknown option --rat; did you mean --rate\?/],
    [2, ['product', 'create', 'a', '--rate', '1'], /--rate takes CALLS\/PERIOD/],
    [2, ['product', 'create', 'a', '--rate', '0/60'], /--rate takes CALLS\/PERIOD/],
    [2, ['product', 'create', 'a', '--rate', '1/301'], /1 to 300 are \(use --quota for longer ones\)/],
    [2, ['product', 'create', 'a', '--rate', '1/0'], /a period of 0 seconds is not possible/],
    [2, ['product', 'create', 'a', '--approval', 'later'], /--approval takes auto\|manual, not 'later'/],
    [2, ['subscription', 'create'], /give one of --product ID, --api-group ID, --api ID and --all-apis/],
    [2, ['policy', 'show', '--scope', 'here'], /'here' is no scope/],
    [1, ['subscription', 'create', '--product', 'nope'], /there is no product 'nope'/],
    [1, ['subscription', 'create', '--all-apis', '--user', 'x@y.z'], /there is no user 'x@y\.z'/],
    [1, ['product', 'create', 'a', '--api', 'nope'], /there is no api 'nope'/],
    [1, ['api', 'show', 'nope'], /there is no API 'nope'\n/],
    [2, ['caller', 'create', 'nokind', 'x'], /'nokind' is none of client\|basic\|signing\|token\|certificate/],
    [2, ['subscription', 'set-state', 'x', 'on'], /'on' is none of submitted\|active\|/],
    [1, ['alert', 'set', 'x'], /alert-rule x: kind: is required/],
    [1, ['product', 'create', 'a b'], /^gatehouse: error: product a b: an id holds no blank, '\/' or ';'\n$/],
    [1, ['user', 'set', 'admn@example.com', '--access', 'blocked'], /there is no user 'admn@example\.com'; did you mean 'admin@example\.com'\?/],
    [1, ['restore', '/nowhere'], /\/nowhere: No such file/],
    [1, ['--state', '/nowhere', 'api', 'list'], /there is no store in \/nowhere; make one with: gatehouse init/],
  ];
  for (const [code, args, text] of rows) {
    const r = refused(gw, ...args);
    assert.strictEqual(r.code, code, `gatehouse ${args.join(' ')}: ${r.stderr}`);
    assert.match(r.stderr, text);
    assert.strictEqual(r.stdout, '');
  }
  assert.strictEqual(gw.cli('product', 'list', '--format', 'json').stdout, '[]\n', 'a refused product is not there');
  remove(gw);
});

test('every command explains itself', () => {
  const gw = new Gateway();
  const all = gw.cli('--help').stdout;
  const names = all.split('\n').filter((l) => /^ {2}[a-z]/.test(l)).map((l) => l.trim().split(/ {2,}| (?=[A-Z[]|\S*\|)/)[0]);
  assert.ok(names.length > 25, all);
  const crowded = (text, begins) => text.split('\n').filter((l, i, lines) => begins.test(l) && l.length > 36
    && !/^.{35} \S/.test(l) && !/^ {36}\S/.test(lines[i + 1]));
  assert.deepStrictEqual(crowded(all, /^ {2}[a-z]/), []);
  const page = fs.readFileSync(path.join(ROOT, 'docs/command-line.md'), 'utf8');
  for (const name of names) {
    const help = gw.cli(...name.split(' '), '--help').stdout;
    assert.ok(help.startsWith(`gatehouse ${name} - `), `${name}: ${help.slice(0, 80)}`);
    assert.deepStrictEqual(crowded(help, /^ {2}--?[a-z]/), [], 'explanations stand in one column');
    assert.match(help, /--state DIR .*\n {2}--format text\|json /);
    assert.ok(new RegExp(`\`${name}[ \`]`).test(page), `docs/command-line.md names ${name}`);
  }
  remove(gw);
});

test('every setting stands in the pages for operators', () => {
  const gw = new Gateway(), docs = path.join(ROOT, 'docs');
  const pages = fs.readdirSync(docs, { recursive: true }).filter((f) => f.endsWith('.md')).map((f) => fs.readFileSync(path.join(docs, f), 'utf8')).join('');
  const names = [...gw.cli('config').stdout.matchAll(/^# *([a-z]+\.[a-z0-9_.]+|[a-z]+) = /gm)].map((m) => m[1]);
  assert.ok(names.length > 150, `${names.length}`);
  assert.deepStrictEqual(names.filter((name) => !pages.includes(name)), []);
  remove(gw);
});

test('help COMMAND is COMMAND --help', () => {
  const gw = new Gateway();
  for (const words of [['log'], ['product', 'create'], ['product'], ['prodct', 'create'], ['--format', 'json', 'log']]) {
    const [got, want] = [gw.cli('help', ...words, { fails: true }), gw.cli(...words, '--help', { fails: true })];
    assert.deepStrictEqual([got.code, got.stdout, got.stderr], [want.code, want.stdout, want.stderr], words.join(' '));
  }
  assert.match(gw.cli('help', 'product', 'create').stdout, /^gatehouse product create - /);
  assert.strictEqual(gw.cli('help').stdout, gw.cli('--help').stdout);
  remove(gw);
});

test('the roles that a command takes stand in its help, all of them', () => {
  const gw = new Gateway();
  const source = fs.readFileSync(path.join(ROOT, 'config/rights.c'), 'utf8');
  const table = source.slice(source.indexOf('rights_roles[] = {'), source.indexOf('{ NULL, NULL, NULL, 0 }'));
  const roles = [...table.matchAll(/\{ "([a-z-]+)", "/g)].map((m) => m[1]);
  assert.ok(roles.length > 8 && roles.includes('policy-author'));
  for (const name of ['user create', 'machine-token create']) {
    const help = gw.cli(...name.split(' '), '--help').stdout;
    for (const role of roles) assert.match(help, new RegExp(`^  ${role} +[A-Z]`, 'm'), `${name}: ${role}`);
  }
  remove(gw);
});

test('the master key may come from the environment and then stands in no file', () => {
  const gw = new Gateway({ env: { GATEHOUSE_MASTER_KEY: 'ab'.repeat(32) } });
  gw.cli('init', '--admin', 'a@example.com');
  assert.ok(!fs.existsSync(path.join(gw.state, 'master.key')));
  const sub = gw.cli('subscription', 'create', '--all-apis', '--format', 'json').json();
  assert.strictEqual(gw.cli('subscription', 'keys', sub.id, '--format', 'json').json().primaryKey, sub.primaryKey);
  gw.options.env.GATEHOUSE_MASTER_KEY = 'cd'.repeat(32);
  assert.match(refused(gw, 'subscription', 'keys', sub.id).stderr, /does not open with this master key/);
  gw.options.env.GATEHOUSE_MASTER_KEY = 'short';
  const bad = refused(gw, 'subscription', 'list');
  assert.match(bad.stderr, /GATEHOUSE_MASTER_KEY: a master key is 64 hexadecimal digits/);
  delete gw.options.env.GATEHOUSE_MASTER_KEY;
  assert.match(refused(gw, 'subscription', 'keys', sub.id).stderr, /there is no master key/);
  remove(gw);
});

test('what others have written cannot steer the terminal of who lists it', () => {
  const gw = offline();
  gw.cli('product', 'create', 'p');
  // as stores may hold it that were written to before such names were refused
  spawnSync('sqlite3', ['-cmd', '.timeout 10000', path.join(gw.state, 'config.db'), `UPDATE product SET name = char(127, 155) || '2J "q"' WHERE id = 'p'`]);
  gw.cli('named-value', 'set', 'v', '--value', '\u001b[31mred\u001b[0m');
  for (const kind of ['product', 'named-value']) assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(gw.cli(kind, 'list').stdout), kind);
  assert.strictEqual(gw.cli('product', 'list', '--format', 'json').json()[0].name, '\u007f\u009b2J "q"');
  assert.strictEqual(gw.cli('named-value', 'list', '--format', 'json').json()[0].value, '\u001b[31mred\u001b[0m');
  for (const name of ['\u001b[31mred', 'a\u007f', '\u009b31mred']) assert.match(refused(gw, 'product', 'create', 'q', '--name', name).stderr, /name: must be one line without control characters/);
  assert.match(refused(gw, 'product', 'create', 'q\u009b').stderr, /an id holds no control characters/);
  remove(gw);
});

test('limits of a product become its policy document', () => {
  const gw = offline();
  gw.cli('product', 'create', 'gold', '--rate', '100/60', '--quota', '1000/day', '--require-key', 'no', '--approval', 'manual');
  const text = gw.cli('policy', 'show', '--scope', 'product:gold').stdout;
  assert.match(text, /<inbound>\s*<base \/>\s*<rate-limit calls="100" renewal-period="60" \/>\s*<quota calls="1000" renewal-period="86400" \/>/);
  const [gold] = gw.cli('product', 'list', '--format', 'json').json();
  assert.deepStrictEqual(gold, { id: 'gold', name: 'gold', priority: 'normal', state: 'published', approval: 'manual', subscriptionRequired: false });
  gw.cli('product', 'create', 'plain');
  assert.strictEqual(refused(gw, 'policy', 'show', '--scope', 'product:plain').code, 1);
  remove(gw);
});

test('keys are printed once and kept as digest, first characters and sealed', () => {
  const gw = offline();
  gw.cli('product', 'create', 'gold');
  const sub = gw.cli('subscription', 'create', '--product', 'gold', '--user', gw.admin.email, '--name', 'mine', '--format', 'json').json();
  assert.match(sub.primaryKey, /^[0-9a-f]{32}$/);
  assert.match(sub.secondaryKey, /^[0-9a-f]{32}$/);
  assert.notStrictEqual(sub.primaryKey, sub.secondaryKey);
  const [listed] = gw.cli('subscription', 'list', '--format', 'json').json();
  assert.strictEqual(listed.user, gw.admin.email);
  assert.ok(!('primaryKey' in listed));
  const digest = crypto.createHash('sha256').update(sub.primaryKey).digest('hex');
  assert.strictEqual(sql(gw, `SELECT count(*) FROM subscription_key WHERE digest = x'${digest}'`).stdout, '1\n');
  assert.ok(!fs.readFileSync(path.join(gw.state, 'config.db'), 'latin1').includes(sub.primaryKey), 'not in clear in the store');
  const shown = gw.cli('subscription', 'keys', sub.id, '--format', 'json').json();
  assert.strictEqual(shown.secondaryKey, sub.secondaryKey);
  const { key } = gw.cli('subscription', 'rotate', sub.id, '--secondary', '--keep-old', '60', '--format', 'json').json();
  assert.notStrictEqual(key, sub.secondaryKey);
  const trail = gw.cli('audit', '--format', 'json').json();
  assert.ok(trail.some((e) => e.action === 'show-keys' && e.id === sub.id), 'who looked at the keys is in the trail');
  assert.ok(!JSON.stringify(trail).includes(key));
  remove(gw);
});

test('existing keys are taken over from a file', () => {
  const gw = offline();
  const file = gw.file('keys', 'first-key-of-a-customer\nsecond-key-of-a-customer\n');
  const sub = gw.cli('subscription', 'create', '--all-apis', '--key-file', file, '--format', 'json').json();
  assert.strictEqual(sub.primaryKey, 'first-key-of-a-customer');
  assert.strictEqual(sub.secondaryKey, 'second-key-of-a-customer');
  const twice = refused(gw, 'subscription', 'create', '--all-apis', '--key-file', file);
  assert.match(twice.stderr, /the key is in use by another subscription/);
  assert.ok(!twice.stderr.includes('first-key'));
  assert.strictEqual(gw.cli('subscription', 'list', '--format', 'json').json().length, 1);
  remove(gw);
});

test('a backup is one file that brings everything back', () => {
  const gw = offline();
  const file = path.join(gw.dir, 'backup.db');
  gw.cli('product', 'create', 'gold');
  const before = gw.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json();
  gw.cli('backup', file);
  assert.strictEqual(modeOf(file), '600');
  assert.match(refused(gw, 'backup', file).stderr, /is there already; --force replaces it/);
  gw.cli('product', 'create', 'silver');
  const generation = Number(sql(gw, 'SELECT config FROM generation').stdout);
  gw.cli('restore', file);
  assert.deepStrictEqual(gw.cli('product', 'list', '--format', 'json').json().map((p) => p.id), ['gold']);
  assert.strictEqual(gw.cli('subscription', 'keys', before.id, '--format', 'json').json().primaryKey, before.primaryKey);
  assert.ok(Number(sql(gw, 'SELECT config FROM generation').stdout) > generation, 'gateways see that it changed');
  assert.ok(fs.existsSync(path.join(gw.state, 'config.db.before-restore')));
  gw.cli('restore', path.join(gw.state, 'config.db.before-restore'));
  assert.strictEqual(gw.cli('product', 'list', '--format', 'json').json().length, 2);
  assert.match(refused(gw, 'restore', gw.file('no.db', 'this is no store')).stderr, /the file is no store/);
  assert.strictEqual(refused(gw, 'restore', gw.file('empty.db', '')).code, 1);
  assert.strictEqual(gw.cli('product', 'list', '--format', 'json').json().length, 2, 'a bad copy changes nothing');
  fs.writeFileSync(path.join(gw.state, 'config.db'), 'damaged '.repeat(1000));
  gw.cli('restore', file);
  assert.deepStrictEqual(gw.cli('product', 'list', '--format', 'json').json().map((p) => p.id), ['gold']);
  assert.ok(fs.readFileSync(path.join(gw.state, 'config.db.damaged'), 'latin1').startsWith('damaged '), 'put aside');
  assert.ok(Number(sql(gw, 'SELECT config FROM generation').stdout) > generation + 1);
  remove(gw);
});

test('doctor finds what is wrong and says how to mend it', () => {
  const gw = offline();
  const key = path.join(gw.state, 'master.key');
  const doctor = () => {
    const r = refused(gw, 'doctor', '--format', 'json');
    const findings = r.json();
    assert.strictEqual(r.code, findings.some((f) => f.state === 'BROKEN') ? 1 : 0);
    return findings;
  };
  assert.ok(doctor().every((f) => f.state === 'ok'), JSON.stringify(doctor()));

  fs.chmodSync(key, 0o644);
  assert.match(finding(doctor(), 'master key').detail, /others may read or write it; mend that with: chmod 600 /);
  fs.chmodSync(key, 0o600);
  gw.cli('named-value', 'set', 'erp', '--secret', '--file', gw.file('secret', 'hidden-value\n'));
  const conf = path.join(gw.state, 'gatehouse.conf');
  fs.writeFileSync(conf, `gateway.crl_files = ${gw.file('none.crl', 'x')} ${gw.dir}/gone.crl\n`);
  assert.deepEqual(doctor().filter((f) => f.what === 'revocation list').map((f) => f.detail.replace(/.*\//, '')),
    ['none.crl: it is no list of revoked certificates (CRL)', 'gone.crl: No such file or directory']);
  fs.rmSync(conf);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${gw.dir}/k`,
    '-out', `${gw.dir}/soon.pem`, '-subj', '/CN=Soon', '-days', '7'], { stdio: 'ignore' });
  gw.cli('certificate', 'set', 'soon', '--file', `${gw.dir}/soon.pem`, '--authority');
  assert.match(finding(doctor(), 'certificate').detail, /^soon expires at .*: gatehouse certificate set soon --file FILE$/);
  gw.cli('certificate', 'delete', 'soon');
  const good = fs.readFileSync(key);
  fs.writeFileSync(key, `${'ab'.repeat(32)}\n`);
  assert.match(finding(doctor(), 'secrets').detail, /named_value 'erp': a sealed value does not open with this master key/);
  fs.writeFileSync(key, good);

  sql(gw, "DROP TRIGGER audit_entry_stays; UPDATE audit_entry SET actor = 'nobody' WHERE seq = 2");
  assert.match(finding(doctor(), 'audit trail').detail, /the audit trail was changed at entry: 2/);
  fs.mkdirSync(path.join(gw.state, 'run'));
  const report = { worker: 0, pid: process.pid, generation: 3, complete: true, refused: 'API a: line 3', store: true, counters: true,
    telemetry: true, cache: true, dropped: 0 };
  fs.writeFileSync(path.join(gw.state, 'run/gateway-0.json'), JSON.stringify(report));
  assert.match(finding(doctor(), 'worker 0').detail, /goes on with an older configuration, the newest is refused: API a: line 3/);
  fs.writeFileSync(path.join(gw.state, 'run/gateway-0.json'), JSON.stringify({ ...report, refused: null, counters: false }));
  assert.match(finding(doctor(), 'worker 0').detail, /cannot open the counters: limits are not enforced/);
  fs.writeFileSync(path.join(gw.state, 'run/gateway-0.json'), JSON.stringify({ ...report, refused: null }));
  assert.match(finding(doctor(), 'worker 0').detail, /serves generation 3; 0 records dropped/);
  assert.match(finding(doctor(), 'keeper').detail, /not running: records of calls wait in/);
  const keeper = { pid: process.pid, time: new Date().toISOString(), calls: 1, error: null };
  fs.writeFileSync(path.join(gw.state, 'run/keeper.json'), JSON.stringify(keeper));
  assert.strictEqual(finding(doctor(), 'keeper').state, 'ok');
  fs.writeFileSync(path.join(gw.state, 'run/keeper.json'), JSON.stringify({ ...keeper, time: '2020-01-01T00:00:00Z' }));
  assert.match(finding(doctor(), 'keeper').detail, /has not worked since 2020/);
  fs.writeFileSync(path.join(gw.state, 'run/keeper.json'), JSON.stringify({ ...keeper, error: 'no room' }));
  assert.strictEqual(finding(doctor(), 'keeper').detail, 'no room');
  fs.writeFileSync(path.join(gw.state, 'run/keeper.json'), '{"pid":');
  assert.match(finding(doctor(), 'keeper').detail, /keeper\.json/);
  fs.rmSync(path.join(gw.state, 'run'), { recursive: true });

  const db = path.join(gw.state, 'config.db');
  fs.writeFileSync(db, 'rubbish that is no database at all '.repeat(100));
  assert.match(finding(doctor(), 'store').detail, /the file is no store/);
  fs.rmSync(db);
  assert.match(finding(doctor(), 'store').detail, /there is no store in/);
  remove(gw);
});

test('doctor tells how full a disk is, and whether the keeper has its reserve', (t) => {
  const gw = offline();
  // the shell's own view of the mounts: the disk goes with it
  const on = (size, reserve) => spawnSync('unshare', ['-m', 'sh', '-c', `mount -t tmpfs -o size=${size} none "$GATEHOUSE_STATE" || exit 77
    [ -z "${reserve}" ] || : >"$GATEHOUSE_STATE/reserve"; exec "$0" doctor --format json`, path.join(gw.bin, 'gatehouse')],
  { encoding: 'utf8', env: { ...process.env, GATEHOUSE_STATE: gw.state } });
  const rows = [
    ['300m', '', 'ok', /^300 MiB free$/],
    ['300m', 'yes', 'ok', /^300 MiB free, and the keeper's reserve$/],
    ['100m', '', 'warning', /^100 MiB free$/],
    ['20m', '', 'BROKEN', /^20 MiB free; old single calls go to make room for new ones, so make room on this disk$/],
  ];
  for (const [size, reserve, state, detail] of rows) {
    const r = on(size, reserve);
    if (r.status === 77 || r.error) return t.skip('may not mount');
    const f = finding(JSON.parse(r.stdout), 'disk space');
    assert.deepEqual([f.state, detail.test(f.detail)], [state, true], `${size}: ${JSON.stringify(f)}`);
  }
  remove(gw);
});

test('an API is changed, revised and moved to another backend', () => {
  const gw = offline();
  const doc = gw.file('a.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'A', version: '1' },
    paths: { '/x': { get: { operationId: 'get-x', responses: { 200: { description: 'ok' } } } } } }));
  gw.cli('import', 'openapi', doc, '--path', 'a', '--name', 'a', '--backend', 'http://one.example');
  gw.cli('backend', 'set', 'two', '--url', 'http://two.example', '--verify-tls', 'no');
  gw.cli('backend', 'set', 'pool', '--member', 'two:3:1');
  gw.cli('backend', 'set', 'pool', '--name', 'Pool');
  assert.strictEqual(sql(gw, 'SELECT weight, priority FROM backend_pool_member').stdout, '3|1\n', 'members stay');
  assert.match(refused(gw, 'backend', 'delete', 'two').stderr, /backend 'two' is in use/);
  gw.cli('api', 'set', 'a', '--key-header', 'X-K', '--require-key', 'no', '--stage', 'deprecated');
  const revised = gw.cli('api', 'revise', 'a', '--description', 'try', '--format', 'json').json();
  assert.deepStrictEqual([revised.revision, revised.current, revised.backendUrl], [2, false, 'http://one.example']);
  gw.cli('api', 'set', 'a', '--revision', '2', '--backend-id', 'pool');
  assert.strictEqual(gw.cli('api', 'show', 'a', '--format', 'json').json().backendUrl, 'http://one.example');
  gw.cli('api', 'make-current', 'a', '2');
  const now = gw.cli('api', 'show', 'a', '--format', 'json').json();
  assert.deepStrictEqual([now.revision, now.backendUrl, now.backendId, now.state, now.subscriptionRequired],
    [2, null, 'pool', 'deprecated', false]);
  assert.strictEqual(now.operations.length, 1);
  assert.match(refused(gw, 'api', 'make-current', 'a', '3').stderr, /there is no revision 3; make it first/);
  gw.cli('environment', 'create', 'sandbox', '--prefix', 'sb');
  assert.match(refused(gw, 'environment', 'delete', 'default').stderr, /environment 'default' is in use/);
  assert.deepStrictEqual(gw.cli('environment', 'list', '--format', 'json').json().map((e) => e.prefix), [null, 'sb']);
  remove(gw);
});

test('users, groups and products are changed; who is blocked is signed out', () => {
  const gw = offline();
  gw.cli('user', 'create', 'dev@example.com', '--role', 'developer');
  const { id: approver } = gw.cli('user', 'create', 'decides@example.com', '--role', 'approver', '--format', 'json').json();
  assert.strictEqual(sql(gw, 'SELECT role, user_id FROM role_assignment').stdout, `approver|${approver}\n`);
  assert.match(gw.cli('user', 'create', 'x@example.com', '--role', 'nobody', { fails: true }).stderr, /there is no role 'nobody'/);
  const [dev] = gw.cli('user', 'list', '--search', 'dev@', '--format', 'json').json();
  sql(gw, `INSERT INTO session VALUES ('s', '${dev.id}', 'c', NULL, 1, 1, 9e15)`);
  gw.cli('user', 'set', 'DEV@example.com', '--role', 'auditor', '--access', 'blocked', '--last-name', 'Doe');
  const [now] = gw.cli('user', 'list', '--search', 'dev@', '--format', 'json').json();
  assert.deepStrictEqual([now.role, now.state, now.lastName], ['auditor', 'blocked', 'Doe']);
  assert.strictEqual(sql(gw, 'SELECT count(*) FROM session').stdout, '0\n');
  gw.cli('group', 'create', 'partners', '--description', 'from outside');
  gw.cli('group', 'add-user', 'partners', 'dev@example.com');
  assert.match(refused(gw, 'group', 'add-user', 'nope', 'dev@example.com').stderr, /there is no group 'nope'/);
  assert.match(refused(gw, 'group', 'delete', 'developers').stderr, /there is no group 'developers' that may be deleted/);
  gw.cli('product', 'create', 'gold', '--draft');
  gw.cli('product', 'set', 'gold', '--publish', 'yes', '--approval', 'manual', '--group', 'partners');
  const [gold] = gw.cli('product', 'list', '--format', 'json').json();
  assert.deepStrictEqual([gold.state, gold.approval, gold.subscriptionRequired], ['published', 'manual', true]);
  assert.match(refused(gw, 'product', 'set', 'gold', '--group', 'nope').stderr, /there is no group 'nope'/);
  const sub = gw.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json();
  assert.match(refused(gw, 'product', 'delete', 'gold').stderr, /product 'gold' is in use/);
  gw.cli('subscription', 'delete', sub.id);
  assert.strictEqual(sql(gw, 'SELECT count(*) FROM subscription_key').stdout, '0\n');
  gw.cli('product', 'delete', 'gold');
  gw.cli('group', 'remove-user', 'partners', 'dev@example.com');
  gw.cli('group', 'delete', 'partners');
  remove(gw);
});

test('certificates are read before they are kept, and their keys are sealed', () => {
  const gw = offline();
  const make = (name) => spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
    '-keyout', path.join(gw.dir, `${name}.key`), '-out', path.join(gw.dir, `${name}.pem`)]);
  make('one');
  make('two');
  const file = (name) => path.join(gw.dir, name);
  const set = gw.cli('certificate', 'set', 'client', '--file', file('one.pem'), '--key-file', file('one.key'), '--format', 'json').json();
  const x = new crypto.X509Certificate(fs.readFileSync(file('one.pem')));
  assert.strictEqual(set.thumbprint, x.fingerprint.replaceAll(':', ''));
  assert.strictEqual(set.subject, '/CN=one');
  assert.strictEqual(Date.parse(set.expires), Date.parse(x.validTo));
  assert.match(refused(gw, 'certificate', 'set', 'b', '--file', file('one.pem'), '--key-file', file('two.key')).stderr,
    /key: the key does not belong to the certificate/);
  assert.match(refused(gw, 'certificate', 'set', 'b', '--file', file('one.key')).stderr, /certificate: there is no certificate in PEM/);
  spawnSync('openssl', ['rsa', '-aes128', '-passout', 'pass:x', '-in', file('two.key'), '-out', file('locked.key')]);
  assert.match(refused(gw, 'certificate', 'set', 'b', '--file', file('two.pem'), '--key-file', file('locked.key')).stderr,
    /there is no private key in PEM, or it needs a password/);
  assert.ok(!fs.readFileSync(path.join(gw.state, 'config.db'), 'latin1').includes('PRIVATE KEY'));
  gw.cli('certificate', 'set', 'ca', '--file', file('two.pem'), '--authority');
  assert.deepStrictEqual(gw.cli('certificate', 'list', '--format', 'json').json().map((k) => [k.id, k.authority]),
    [['ca', true], ['client', false]]);
  gw.cli('certificate', 'delete', 'ca');
  remove(gw);
});

test('a locked store is an error that says so, and nothing waits for ever', async () => {
  const gw = offline();
  const holder = spawn('sqlite3', [path.join(gw.state, 'config.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  holder.stdin.write("BEGIN IMMEDIATE; SELECT 'held';\n");
  await once(holder.stdout, 'data');
  const late = refused(gw, 'product', 'create', 'late');
  assert.strictEqual(late.code, 1);
  assert.match(late.stderr, /another program holds the store/);
  gw.cli('product', 'list');
  assert.match(finding(refused(gw, 'doctor', '--format', 'json').json(), 'writing').detail, /another program holds the store/);
  holder.stdin.end();
  await once(holder, 'exit');
  gw.cli('product', 'create', 'late');
  remove(gw);
});

test('an unwritable standard output is not taken for success', () => {
  const gw = offline();
  const r = spawnSync('sh', ['-c', '"$0" config > /dev/full', path.join(gw.bin, 'gatehouse')],
    { encoding: 'utf8', env: { ...process.env, GATEHOUSE_STATE: gw.state } });
  assert.strictEqual(r.status, 1);
  assert.match(r.stderr, /standard output: No space left on device/);
  remove(gw);
});
