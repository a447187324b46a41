// Warnings that keys expire, sent by the keeper to a real SMTP server: at the right stage, in text and HTML, to everybody who looks
// after them, once, whether the keeper is killed or the whole system is stopped and started. Jumps of the clock:
// tests/unit/db/test_notices.c.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, until } = require('./harness');
const { mailSink, config, sql } = require('./people');

const day = 86400e3;
const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

test('keys that expire: each warning is sent once', async (t) => {
  const sink = await mailSink();
  const now = Date.now();
  const gw = await start({
    server: 'nginx', workers: 1, config: { ...config(sink), 'web.public_url': 'https://apis.example.com' },
    setup(g) {
      g.cli('product', 'create', 'gold', '--name', 'Gold & more');
      for (const name of ['pat', 'ola']) g.cli('user', 'create', `${name}@example.com`, '--role', 'developer', '--password-file', g.file(name, 'a sentence that nobody guesses\n'));
      g.cli('application', 'create', 'planning', '--owner', 'pat@example.com');
      g.cli('application', 'set', 'planning', '--add-owner', 'ola@example.com');
      const add = (id, days, ...owner) => g.cli('subscription', 'create', '--product', 'gold', '--id', id, ...owner, '--ends', iso(now + days * day));
      add('month', 29.5, '--user', 'pat@example.com');
      add('later', 31, '--user', 'pat@example.com');
      add('week', 8.5, '--application', 'planning');
      add('soon', 0.5, '--user', 'ola@example.com');
      // they were made long ago
      const r = require('node:child_process').spawnSync('sqlite3', ['-cmd', '.timeout 60000', `${g.state}/config.db`, 'UPDATE subscription SET created_us = 1']);
      assert.strictEqual(r.status, 0);
    },
  });
  t.after(async () => { await gw.stop(); await sink.close(); });
  const subjects = (to) => sink.mails.filter((m) => m.to.includes(to)).map((m) => m.headers.subject).sort();
  const ten = 'Your keys for Gold & more expire in 9 days', thirty = 'Your keys for Gold & more expire in 30 days';
  const all = [ten, 'Your keys for Gold & more expire within a day', ten, thirty];
  await until(() => sink.mails.length >= all.length, 'the warnings');
  assert.deepStrictEqual([subjects('pat@example.com'), subjects('ola@example.com')], [[thirty, ten].sort(), [all[1], ten].sort()]);
  const week = sink.mails.find((m) => m.headers.subject === ten);
  const end = iso(now + 8.5 * day);
  assert.ok(week.text.includes(`ends on ${end.slice(0, 10)} ${end.slice(11, 16)} UTC`), week.text);
  assert.ok(week.text.includes('https://apis.example.com/account/subscriptions/week') && week.html.includes('Gold &amp; more'), week.text);

  // the keeper looks again as soon as it starts
  const [pid] = gw.pids('gatehouse-keeper');
  process.kill(pid, 'SIGKILL');
  await until(() => gw.pids('gatehouse-keeper').some((p) => p !== pid), 'the next keeper');
  gw.cli('mail', 'test', 'end@example.com');
  await sink.next('end@example.com');
  assert.strictEqual(sink.mails.length, all.length + 1);
  assert.strictEqual(sql(gw, 'SELECT group_concat(subscription_id || days) FROM (SELECT * FROM expiry_notice ORDER BY subscription_id)'), 'month30,soon1,week10');

  // a new end has warnings of its own, and nothing else is said again
  gw.cli('subscription', 'set', 'soon', '--ends', iso(now + 9 * day));
  process.kill(gw.pids('gatehouse-keeper')[0], 'SIGKILL');
  await until(() => sql(gw, "SELECT group_concat(days) FROM expiry_notice WHERE subscription_id = 'soon'").split(',').length === 2, 'the warning of the new end');
  gw.cli('mail', 'test', 'last@example.com');
  await sink.next('last@example.com');
  assert.strictEqual(sink.mails.length, all.length + 3);
});
