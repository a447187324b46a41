// A new master key: online, and usable whenever who is killed.
'use strict';
const { test, describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { start, offline, backend, until, SERVERS } = require('./harness');

const KILLS = 20;
const key = (c) => c.repeat(64);
const exists = (gw, name) => fs.existsSync(path.join(gw.state, name));
const master = (gw) => fs.readFileSync(path.join(gw.state, 'master.key'), 'utf8').trim();

test('kill -9 at any moment leaves a usable store', async () => {
  const gw = offline({ build: 'release' });
  gw.cli('fill', '--product', 'many', '--subscriptions', '4000');
  const first = master(gw);
  const sub = gw.cli('subscription', 'create', '--product', 'many', '--format', 'json').json();
  gw.cli('named-value', 'set', 'n', '--secret-stdin', { input: 'kept-secret' });
  const whole = () => {
    assert.equal(gw.cli('subscription', 'keys', sub.id, '--format', 'json').json().primaryKey, sub.primaryKey);
    const doctor = gw.cli('doctor', '--format', 'json').json();
    assert.equal(doctor.find((f) => f.what === 'secrets').state, 'ok');
  };
  const begun = Date.now();
  gw.cli('rotate-master-key');
  const takes = Date.now() - begun;
  assert.notEqual(master(gw), first);
  whole();
  // The moments are spread over the time that it takes; on a machine that is less busy by now it takes less. Where it is busier and they
  // all come early, each fifth is the one when both keys are there.
  const bothKeys = async (child) => { while (child.exitCode === null && !exists(gw, 'master.key.new')) await new Promise(setImmediate); };
  let killed = 0, pending = 0, span = takes;
  for (let i = 0; killed < KILLS && i < 4 * KILLS; i++) {
    const child = spawn(path.join(gw.bin, 'gatehouse'), ['rotate-master-key'], { env: { ...process.env, GATEHOUSE_STATE: gw.state }, stdio: 'ignore' });
    const exit = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal)));
    const at = Date.now();
    await Promise.race([exit, i % 5 === 4 ? bothKeys(child) : new Promise((r) => setTimeout(r, Math.round((span * (i % KILLS + 0.5)) / KILLS)))]);
    child.kill('SIGKILL');
    if (await exit === 'SIGKILL') killed++;
    else span = Math.min(span, Date.now() - at);
    if (exists(gw, 'master.key.new')) pending++;
    whole();
  }
  assert.ok(killed >= KILLS / 2, `${killed} killed`);
  assert.ok(pending >= 1, `${pending} were interrupted between the two keys`);
  gw.cli('rotate-master-key');
  assert.ok(!exists(gw, 'master.key.new'));
  whole();
  // the old key opens nothing any more
  const now = master(gw);
  fs.writeFileSync(path.join(gw.state, 'master.key'), `${first}\n`);
  assert.match(gw.cli('doctor', { fails: true }).stdout, /BROKEN\s+secrets/);
  assert.match(gw.cli('named-value', 'set', 'x', '--secret-stdin', { input: 'y', fails: true }).stderr, /sealed with another master key/);
  fs.writeFileSync(path.join(gw.state, 'master.key'), `${now}\n`);
  whole();
  fs.rmSync(gw.dir, { recursive: true, force: true });
});

describe(`online behind ${SERVERS[0]}`, () => {
  let gw, b, sub;
  before(async () => {
    b = await backend();
    gw = await start({ server: SERVERS[0], workers: 2, setup(g) {
      g.cli('product', 'create', 'p');
      g.cli('import', 'openapi', g.file('t.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' },
        paths: { '/x': { get: { responses: { 200: { description: 'ok' } } } } } })), '--path', 't', '--name', 't', '--backend', b.url, '--product', 'p');
      g.cli('named-value', 'set', 'pass', '--secret-stdin', { input: 'of the policy' });
      g.cli('policy', 'set', '--scope', 'api:t', g.file('p.xml', `<policies><inbound><base />
        <set-header name="X-Pass" exists-action="override"><value>{{pass}}</value></set-header>
        <set-header name="X-Primary" exists-action="override"><value>@(context.Subscription.PrimaryKey)</value></set-header>
        </inbound><backend><base /></backend><outbound><base /></outbound></policies>`));
      sub = g.cli('subscription', 'create', '--product', 'p', '--format', 'json').json();
    } });
  });
  after(async () => { await gw?.stop(); await b?.close(); });

  it('no call fails while the key changes, twice', async () => {
    let stop = false, calls = 0;
    const load = (async () => {
      while (!stop) {
        const r = await fetch(`${gw.url}/api/t/x`, { headers: { 'X-Api-Key': sub.primaryKey } });
        assert.equal(r.status, 200);
        const { headers } = await r.json();
        assert.equal(headers['x-pass'], 'of the policy');
        assert.equal(headers['x-primary'], sub.primaryKey);
        calls++;
      }
    })();
    for (let i = 0; i < 2; i++) {
      const old = master(gw);
      await new Promise((resolve, reject) => spawn(path.join(gw.bin, 'gatehouse'), ['rotate-master-key', '--state', gw.state], { stdio: 'ignore' })
        .on('exit', (code) => (code ? reject(new Error(`exit ${code}`)) : resolve())));
      assert.notEqual(master(gw), old);
    }
    // programs that ran all the while write with the new key: the keeper reads this one, the gateway takes it over
    gw.file('later', 'after the change');
    gw.cli('named-value', 'set', 'pass', '--ref', `file:${path.join(gw.dir, 'later')}`);
    stop = true;
    await load;
    assert.ok(calls > 5, `${calls} calls`);
    const passed = async (value) => {
      const r = await fetch(`${gw.url}/api/t/x`, { headers: { 'X-Api-Key': sub.primaryKey } });
      return (await r.json()).headers['x-pass'] === value;
    };
    await until(() => passed('after the change'), 'the value');
    gw.file('later', 'and again');
    await until(() => passed('and again'), 'the keeper');
    const token = gw.cli('trace', 'token', '--all').stdout.trim();
    await until(async () => {
      const r = await fetch(`${gw.url}/api/t/x`, { headers: { 'X-Api-Key': sub.primaryKey, 'Apim-Debug-Authorization': token } });
      await r.text();
      return r.headers.get('apim-trace-id');
    }, 'a trace signed with the new key');
    assert.equal(gw.cli('doctor').code, 0);
  });
});

test('with the key in the environment: two steps', () => {
  const gw = offline({ env: { GATEHOUSE_MASTER_KEY: key('a') } });
  gw.cli('named-value', 'set', 'n', '--secret-stdin', { input: 'x' });
  assert.equal(gw.cli('rotate-master-key', { fails: true }).code, 2);
  fs.writeFileSync(path.join(gw.dir, 'new'), `${key('b')}\n`, { mode: 0o600 });
  assert.match(gw.cli('rotate-master-key', '--new-key-file', path.join(gw.dir, 'new')).stdout, /put it into GATEHOUSE_MASTER_KEY/);
  assert.ok(exists(gw, 'master.key.new'));
  assert.match(gw.cli('doctor').stdout, /secrets\s+all open/);      // who still has the old one goes on
  gw.options.env = { GATEHOUSE_MASTER_KEY: key('b') };
  assert.match(gw.cli('rotate-master-key').stdout, /master\.key\.new is gone/);
  assert.ok(!exists(gw, 'master.key.new') && !exists(gw, 'master.key'));
  assert.match(gw.cli('doctor').stdout, /secrets\s+all open/);
  gw.options.env = { GATEHOUSE_MASTER_KEY: key('a') };
  assert.match(gw.cli('doctor', { fails: true }).stdout, /BROKEN\s+secrets/);
  gw.options.env = { GATEHOUSE_MASTER_KEY: key('b'), GATEHOUSE_MASTER_KEY_NEW: key('b') };
  assert.match(gw.cli('rotate-master-key').stdout, /is in use/);      // a variable that was left behind
  fs.rmSync(gw.dir, { recursive: true, force: true });
});
