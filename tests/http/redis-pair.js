// Redis servers of a test, and two gateway installations that share one: real ones, that are killed and brought back.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawn } = require('node:child_process');
const { start, until, freePort } = require('./harness');

const running = new Set();
let dir;

const workDir = () => { dir ||= fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-redis-')); return dir; };
function clear() {
  for (const child of running) child.kill('SIGKILL');
  if (dir) fs.rmSync(dir, { recursive: true, force: true });
}

// A Redis of our own; `stop` kills it as a power cut does.
async function redis(name, port, extra = [], program = 'redis-server', config) {
  const where = path.join(workDir(), name);
  fs.mkdirSync(where, { recursive: true });
  const args = config ? [config] : ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', where, ...extra];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const over = new Promise((resolve) => child.on('exit', () => { running.delete(child); resolve(); }));
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (d) => { if (/Ready to accept connections|\+monitor/.test(d)) resolve(); });
    child.on('exit', () => reject(new Error(`${name} did not start`)));
  });
  return { port, stop: () => { child.kill('SIGKILL'); return over; } };
}
const command = (port, ...args) => execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' }).trim();

// What the workers say of Redis.
const state = (g) => fs.readdirSync(path.join(g.state, 'run')).filter((f) => /^gateway-\d+\.json$/.test(f))
  .map((f) => JSON.parse(fs.readFileSync(path.join(g.state, 'run', f), 'utf8')).redis);

// Two installations of one configuration, keys and all, as two machines have it: the second begins as a copy of the first.
async function pair(config, fill, workers = 2) {
  const seed = fs.mkdtempSync(path.join(workDir(), 'seed-'));
  const first = (g) => { fill(g); fs.cpSync(g.state, seed, { recursive: true }); };
  const second = (g) => fs.cpSync(seed, g.state, { recursive: true, force: true });
  const both = [];
  const patient = { 'redis.timeout_ms': 10000, ...config };      // an answer that is late on a busy machine does not make Redis one that is away
  for (const setup of [first, second]) both.push(await start({ server: 'nginx', workers, config: patient, setup }));
  const p = { both, here: () => Promise.all(both.map((g) => until(() => state(g).every((s) => s === 'here'), 'Redis at every worker'))),
    stop: () => Promise.all(both.map((g) => g.stop())) };
  await p.here();
  return p;
}

module.exports = { redis, command, freePort, pair, state, workDir, clear };
