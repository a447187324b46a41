// What commands change while everything runs is what the next calls meet: revisions, pools, keys, users, a restored backup.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { start, backend, until } = require('./harness');

let gw;
let one;
let two;
let key;

const call = (where, headers = { 'X-Api-Key': key }) => fetch(`${gw.url}/api/${where}`, { headers });
const status = (where, headers) => call(where, headers).then((r) => r.status);
// a change is published at the commit and taken over by a thread beside the loop
const becomes = (want, where, headers) => until(async () => await status(where, headers) === want, `${where} to answer ${want}`);

before(async () => {
  [one, two] = [await backend((req, res) => res.end('one')), await backend((req, res) => res.end('two'))];
  gw = await start({
    server: 'lighttpd',
    setup: (g) => {
      const doc = g.file('a.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'A', version: '1' },
        paths: { '/x': { get: { operationId: 'get-x', responses: { 200: { description: 'ok' } } } } } }));
      g.cli('product', 'create', 'gold');
      g.cli('import', 'openapi', doc, '--path', 'a', '--name', 'a', '--backend', one.url, '--product', 'gold');
    },
  });
  const sub = gw.cli('subscription', 'create', '--product', 'gold', '--name', 'test', '--format', 'json').json();
  key = sub.primaryKey;
});
after(async () => {
  await gw?.stop();
  await one?.close();
  await two?.close();
});

test('a revision is tried under its number, made current, and taken back', async () => {
  await becomes(200, 'a/x');
  gw.cli('api', 'revise', 'a');
  gw.cli('api', 'set', 'a', '--revision', '2', '--backend', two.url);
  await becomes(200, 'a;rev=2/x');
  await until(async () => (await (await call('a;rev=2/x')).text()) === 'two', 'revision 2');
  assert.strictEqual(await (await call('a/x')).text(), 'one');
  gw.cli('api', 'make-current', 'a', '2');
  await until(async () => (await (await call('a/x')).text()) === 'two', 'revision 2 to be current');
  gw.cli('api', 'make-current', 'a', '1');
  await until(async () => (await (await call('a/x')).text()) === 'one', 'revision 1 to be current');
  await becomes(404, 'a;rev=3/x');
});

test('a pool shares calls by weight', async () => {
  gw.cli('backend', 'set', 'b1', '--url', one.url);
  gw.cli('backend', 'set', 'b2', '--url', two.url);
  gw.cli('backend', 'set', 'both', '--member', 'b1:3', '--member', 'b2:1');
  gw.cli('api', 'set', 'a', '--backend-id', 'both');
  await until(async () => (await (await call('a/x')).text()) === 'two', 'the second backend to be asked');
  const counts = { one: 0, two: 0 };
  for (let i = 0; i < 200; i++) counts[await (await call('a/x')).text()]++;
  assert.ok(counts.one >= 120 && counts.two >= 30, JSON.stringify(counts));
});

test('keys: replaced with an overlap, suspended, deleted', async () => {
  const sub = gw.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json();
  const old = { 'X-Api-Key': sub.primaryKey };
  await becomes(200, 'a/x', old);
  const { key: fresh } = gw.cli('subscription', 'rotate', sub.id, '--keep-old', '1', '--format', 'json').json();
  await becomes(200, 'a/x', { 'X-Api-Key': fresh });
  assert.strictEqual(await status('a/x', { 'X-Api-Key': sub.secondaryKey }), 200);
  await becomes(401, 'a/x', old);
  gw.cli('subscription', 'set-state', sub.id, 'suspended');
  await becomes(401, 'a/x', { 'X-Api-Key': fresh });
  gw.cli('subscription', 'set-state', sub.id, 'active');
  await becomes(200, 'a/x', { 'X-Api-Key': fresh });
  gw.cli('subscription', 'delete', sub.id);
  await becomes(401, 'a/x', { 'X-Api-Key': fresh });
  assert.strictEqual(await status('a/x'), 200, 'other keys go on');
});

test('an API needs no key once that is said, and none is at its place once it has moved', async () => {
  gw.cli('api', 'set', 'a', '--require-key', 'no');
  gw.cli('product', 'set', 'gold', '--require-key', 'no');
  await becomes(200, 'a/x', {});
  gw.cli('api', 'set', 'a', '--require-key', 'yes');
  gw.cli('product', 'set', 'gold', '--require-key', 'yes');
  await becomes(401, 'a/x', {});
  gw.cli('api', 'set', 'a', '--key-header', 'X-My-Key');
  await becomes(200, 'a/x', { 'X-My-Key': key });
  gw.cli('api', 'set', 'a', '--key-header', '');
  await becomes(200, 'a/x');
});

test('a restored backup serves at once, and doctor is content while all runs', async () => {
  const file = path.join(gw.dir, 'copy.db');
  gw.cli('backup', file);
  gw.cli('api', 'set', 'a', '--path', 'moved');
  await becomes(200, 'moved/x');
  assert.strictEqual(await status('a/x'), 404);
  gw.cli('restore', file);
  await becomes(200, 'a/x');
  const doctor = gw.cli('doctor', '--format', 'json').json();
  assert.ok(doctor.every((f) => f.state === 'ok'), JSON.stringify(doctor));
  assert.ok(doctor.some((f) => f.what === 'worker 1') && doctor.some((f) => f.what === 'keeper'));
});

// The command waits for the store while somebody else suspends the subscription: it must read after that, not before.
test('a new name does not write an old state back', async () => {
  const { id } = gw.cli('subscription', 'create', '--product', 'gold', '--name', 'before', '--format', 'json').json();
  const other = spawn('sqlite3', [path.join(gw.state, 'config.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = (what) => new Promise((resolve) => { other.stdout.on('data', (d) => { if (`${d}`.includes(what)) resolve(); }); });
  let answer = said('locked');
  other.stdin.write(`BEGIN IMMEDIATE; UPDATE subscription SET state = 2 WHERE id = '${id}'; SELECT 'locked';\n`);
  await answer;
  const rename = spawn(path.join(gw.bin, 'gatehouse'), ['subscription', 'set', id, '--name', 'after'], { env: { ...process.env, GATEHOUSE_STATE: gw.state } });
  const ended = new Promise((resolve) => { rename.on('exit', resolve); });
  // it has the store open and sleeps until the other one is done
  await until(() => {
    const fds = fs.readdirSync(`/proc/${rename.pid}/fd`).map((f) => { try { return fs.readlinkSync(`/proc/${rename.pid}/fd/${f}`); } catch { return ''; } });
    return fds.some((f) => f.endsWith('config.db-wal')) && / S /.test(fs.readFileSync(`/proc/${rename.pid}/stat`, 'utf8'));
  }, 'the command to wait');
  answer = said('done');
  other.stdin.end("COMMIT; SELECT 'done';\n");
  await answer;
  assert.strictEqual(await ended, 0);
  const row = gw.cli('subscription', 'list', '--search', id, '--format', 'json').json()[0];
  assert.deepStrictEqual([row.name, row.state], ['after', 'suspended']);
});
