// What was answered is recorded, once, whoever is killed: 50 times kill -9 of a worker, the keeper, or both under load (KILLS for
// another number), and a keeper that is stopped for a minute (STOP_S) while calls go on. The short form of it is in tests/http.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert/strict');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { start, backend, until } = require('../http/harness');

const KILLS = Number(process.env.KILLS || 50), STOP_S = Number(process.env.STOP_S || 60), CLIENTS = 16;
const SPEC = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/{id}': { get: { operationId: 'get', responses: { 200: { description: 'ok' } } } } } });
let gw, things, key, known = 0;

before(async () => {
  things = await backend((req, res) => res.end('{"a":1}'));
  gw = await start({ server: 'nginx', build: 'release', setup: (g) => {
    g.cli('product', 'create', 'gold');
    g.cli('import', 'openapi', g.file('t.json', SPEC), '--path', 'things', '--name', 'things', '--backend', things.url, '--product', 'gold');
    key = g.cli('subscription', 'create', '--product', 'gold', '--format', 'json').json().primaryKey;
  } });
});
after(async () => { await gw?.stop(); await things?.close(); });

const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });
// Ids of callers stand beside the block that has the call, once: so twice the same call is found by the number of calls.
function recorded(prefix) {
  const r = spawnSync('sqlite3', ['-readonly', '-cmd', '.timeout 5000', path.join(gw.state, 'telemetry.db'),
    `SELECT DISTINCT value FROM call_seen WHERE kind = 5 AND value LIKE '${prefix}%'`], { encoding: 'utf8', maxBuffer: 1 << 30 });
  assert.equal(r.status, 0, r.stderr);
  return r.stdout.split('\n').filter(Boolean);
}
const counted = () => gw.cli('analytics', '--api', 'things', '--format', 'json').json()[0].calls;

// Calls until `stop`, each with an id of its own: which were answered whole, and how many began.
function load(prefix) {
  const out = { answered: [], begun: 0, stop: false };
  out.over = Promise.all(Array.from({ length: CLIENTS }, async (_, n) => {
    for (let i = 0; !out.stop; i++) {
      const id = `${prefix}${n}-${i}`;
      out.begun++;
      const r = await fetch(`${gw.url}/api/things/1`, { headers: { 'X-Api-Key': key, 'X-Request-Id': id } }).catch(() => null);
      const text = r && await r.text().catch(() => null);
      if (r && r.status === 200 && text === '{"a":1}') out.answered.push(id);
    }
  }));
  return out;
}

async function settled(calls, prefix, what) {
  let ids;
  await until(() => { ids = new Set(recorded(prefix)); return calls.answered.every((id) => ids.has(id)); }, what, 120000)
    .catch((error) => { throw new Error(`${error.message}: ${calls.answered.filter((id) => !ids.has(id)).length} of ${calls.answered.length} are missing`); });
  // A worker writes the record just before it hands out the answer. Killed between the two, nginx sends the GET anew over another
  // connection: two calls with one id. At most what was under way; a batch that is taken in twice would be hundreds.
  let twice;
  await until(() => { twice = counted() - recorded('').length; return twice >= 0 && twice <= known + CLIENTS; }, 'the totals', 30000)
    .catch((error) => { throw new Error(`${error.message}: ${twice} calls more in the totals than ids`); });
  known = twice;
  return recorded(prefix).length;
}

test(`${KILLS} times kill -9 under load: answered equals recorded, give or take the calls in flight`, async () => {
  const calls = load('k-');
  for (let i = 0; i < KILLS; i++) {
    await sleep(300);
    for (const name of [['gatehouse-gateway'], ['gatehouse-keeper'], ['gatehouse-gateway', 'gatehouse-keeper']][i % 3]) {
      const [pid] = await until(() => { const v = gw.pids(name); return v.length && v; }, name);
      process.kill(pid, 'SIGKILL');
    }
  }
  const then = calls.answered.length;
  await until(() => calls.answered.length > then + 100, 'calls after the last kill');
  calls.stop = true;
  await calls.over;
  const n = await settled(calls, 'k-', 'every answered call');
  assert.ok(n - calls.answered.length <= CLIENTS * KILLS, `${n} recorded, ${calls.answered.length} answered`);
  console.log(`# ${calls.answered.length} answered, ${n} recorded, ${KILLS} kills`);
});

test(`the keeper stopped for ${STOP_S} s under load: nothing is lost`, async () => {
  const [keeper] = gw.pids('gatehouse-keeper'), calls = load('s-');
  process.kill(keeper, 'SIGSTOP');
  await sleep(STOP_S * 1000);
  calls.stop = true;
  await calls.over;
  process.kill(keeper, 'SIGCONT');
  const before = known, n = await settled(calls, 's-', 'what waited');
  assert.equal(known, before, 'calls are in the totals twice');
  assert.equal(n, calls.answered.length);
  assert.ok(!/records were lost/.test(gw.cli('doctor', { fails: true }).stdout), 'records were dropped');
  console.log(`# ${n} calls in ${STOP_S} s`);
});
