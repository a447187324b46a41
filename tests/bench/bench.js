// `make bench`: the same load generator (wrk), the same nginx backend with a 1 KB answer, one web-server worker and one
// gateway worker. Peers take turns within a round, so what else the machine does hits all of them; a ratio is the median
// over the rounds of Gatehouse's figure over the bare server's of the same round. Never fails on a slow machine.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Gateway, freePort, until, ROOT } = require('../http/harness');
const scale = require('./scale');
const flight = require('./flight');
const changes = require('./changes');
const policies = require('./policies');
const jwt = require('./jwt');
const pages = require('./pages');
const costs = require('./costs');
const files = require('./files');
const shared = require('./shared');

const ROUNDS = Number(process.env.ROUNDS || 3);
const SECONDS = Number(process.env.SECONDS_EACH || 5);
const CONNECTIONS = 32;
const ONLY = process.env.ONLY ? process.env.ONLY.split(',') : null;
const TICKS = 100;   // of /proc/PID/stat, a second

const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];

// user + system time of a process and its children, seconds
function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(f[11]) + Number(f[12]);
  }
  return ticks / TICKS;
}

function childrenOf(pid) {
  const out = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout;
  return out.split('\n').map(Number).filter(Boolean);
}

const treeOf = (pid) => [pid, ...childrenOf(pid).flatMap(treeOf)];

function milliseconds(text) {
  const [, value, unit] = /^([\d.]+)(us|ms|s|m|h)$/.exec(text) ?? [null, NaN, 'ms'];
  return Number(value) * { us: 0.001, ms: 1, s: 1000, m: 60000, h: 3600000 }[unit];
}

function wrk(url, headers, seconds) {
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}`, '--latency', ...headers.flatMap((h) => ['-H', h]), url];
  const out = spawnSync('wrk', args, { encoding: 'utf8' }).stdout;
  const requests = Number(/(\d+) requests in/.exec(out)[1]);
  return {
    requests,
    rps: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
    p50: milliseconds(/50%\s+(\S+)/.exec(out)[1]),
    p99: milliseconds(/99%\s+(\S+)/.exec(out)[1]),
    errors: Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] || 0)
      + (/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(out)?.slice(1).map(Number)
        .reduce((a, b) => a + b, 0) || 0),
  };
}

function startServer(dir, name, command, text) {
  const conf = path.join(dir, `${name}.conf`);
  fs.writeFileSync(conf, text);
  const args = command === 'nginx' ? ['-c', conf, '-p', dir] : ['-D', '-f', conf];
  return spawn(command, args, { stdio: ['ignore', 'ignore', fs.openSync(path.join(dir, `${name}.err`), 'w')] });
}

const nginxConf = (dir, name, http) => `daemon off;\npid ${dir}/${name}.pid;\nerror_log ${dir}/${name}.log;\n`
  + `worker_processes 1;\n${process.getuid() === 0 ? 'user root;\n' : ''}events { worker_connections 8192; }\nhttp {\naccess_log off;\n`
  + ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'].map((t) => `${t}_temp_path ${dir}/${name}-${t};\n`).join('')
  + `keepalive_requests 1000000000;\n${http}\n}\n`;

const listening = (port) => until(() => fetch(`http://127.0.0.1:${port}/api/1k.json`).then((r) => r.ok, () => false), `port ${port}`);

// Gatehouse as an operator sets it up: imported API, product with a key, a limit, one added header; telemetry is always on.
async function gatehouse(server, backendPort) {
  const gw = new Gateway({ server, workers: 1, build: 'release', config: {} });
  gw.options.setup = () => {
    const api = gw.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'bench', version: '1' },
      paths: { '/{file}': { get: { operationId: 'get', parameters: [{ name: 'file', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'ok' } } } } } }));
    gw.cli('product', 'create', 'bench');
    gw.cli('import', 'openapi', api, '--path', 'bench', '--name', 'bench', '--product', 'bench',
      '--backend', `http://127.0.0.1:${backendPort}/api`);
    gw.cli('policy', 'set', '--scope', 'product:bench', gw.file('product.xml', '<policies><inbound><base />'
      + '<rate-limit calls="1000000000" renewal-period="60" /><set-header name="X-Bench" exists-action="override"><value>1</value></set-header>'
      + '</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>'));
    gw.key = gw.cli('subscription', 'create', '--product', 'bench', '--format', 'json').json().primaryKey;
  };
  await gw.start();
  return gw;
}

function sample(url, headers, pids, seconds) {
  const before = cpuSeconds(pids);
  const r = wrk(url, headers, seconds);
  return { ...r, cpuUs: (cpuSeconds(pids) - before) / r.requests * 1e6 };
}

function measure(url, headers, pids) {
  wrk(url, headers, 1);
  return sample(url, headers, pids, SECONDS);
}

const pidsOf = (gw) => [...treeOf(gw.web.child.pid), ...gw.pids('gatehouse-gateway')];

async function pair(server, dir, backendPort, bareConf, results) {
  const barePort = await freePort();
  const bare = startServer(dir, `bare-${server}`, server, bareConf(barePort));
  const gw = await gatehouse(server, backendPort);
  await listening(barePort);
  const key = [`Ocp-Apim-Subscription-Key: ${gw.key}`];
  const bareUrl = `http://127.0.0.1:${barePort}/api/1k.json`;
  const gwUrl = `${gw.url}/api/bench/1k.json`;
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++)
    rounds.push({ bare: measure(bareUrl, [], treeOf(bare.pid)), gatehouse: measure(gwUrl, key, pidsOf(gw)) });
  bare.kill();
  await gw.stop();
  const ratio = (f) => median(rounds.map((r) => r.gatehouse[f] / r.bare[f]));
  const mid = (who, f) => median(rounds.map((r) => r[who][f]));
  results[server] = {
    bareRps: mid('bare', 'rps'), rps: mid('gatehouse', 'rps'), rpsRatio: ratio('rps'), p99Ratio: ratio('p99'),
    bareP99Ms: mid('bare', 'p99'), p99Ms: mid('gatehouse', 'p99'), bareCpuUs: mid('bare', 'cpuUs'), cpuUs: mid('gatehouse', 'cpuUs'),
    cpuRatio: ratio('cpuUs'), errors: rounds.reduce((n, r) => n + r.gatehouse.errors + r.bare.errors, 0), rounds,
  };
}

const AIMS = {
  lighttpd: (r) => [['requests per second / lighttpd mod_proxy', r.rpsRatio, '>=', 0.85], ['failed calls', r.errors, '<=', 0]],
  nginx: (r) => [['requests per second / nginx proxy_pass', r.rpsRatio, '>=', 0.45], ['p99 / nginx proxy_pass', r.p99Ratio, '<=', 2.5],
    ['processor time / nginx proxy_pass', r.cpuRatio, '<=', 2.4], ['failed calls', r.errors, '<=', 0]],
  flight: (r) => [['2,000 in flight: failed calls', r.failed, '<=', 0], ['2,000 in flight: worker memory, MB', r.rssMb, '<=', 64]],
  scale: (r) => [['10,000 APIs, 1,000,000 subscriptions: start to first answer, s', r.startS, '<=', 1],
    ['look-ups per second / small store', r.rpsRatio, '>=', 0.9]],
  pages: (r) => [['slowest page or list of 1,000 APIs, 10,000 users, 100,000 subscriptions, ms of processor at the 95th percentile', r.slowestMs, '<=', 50],
    ['the same of the portal', r.slowestPortalMs, '<=', 10],
    ['largest page, KB', r.largestBytes / 1024, '<=', 100]],
  files: (r) => [['1,000 APIs with 20 operations: applied to an empty store, s', r.applyNew.wallS, '<=', 10], ['all of them planned, s', r.planNew.wallS, '<=', 3],
    ['planned when all is as it is, s', r.planSame.wallS, '<=', 3], ['planned when each has changed, s', r.planChanged.wallS, '<=', 3],
    ['applied then, s', r.applyChanged.wallS, '<=', 10]],
  policies: (r) => [['an expression, ns', r.expressionNs, '<=', 1000], ['10,000 documents compiled, s', r.compileS, '<=', 5],
    ['ten policies / a bare forward, processor time', r.tenPoliciesRatio, '<=', 1.15]],
  jwt: (r) => [['a remembered RS256 token / a key, processor time', r.warmRatio, '<=', 1.10],
    ['the same with validate-jwt', r.policyRatio, '<=', 1.10],
    ['a new RS256 token beyond a key, µs of processor', r.coldExtraUs, '<=', 100]],
  costs: (r) => [['requests per second with the telemetry record / without', r.recordsRatio, '>=', 0.95],
    ['the same, processor time', r.recordsCpuRatio, '<=', 1.05],
    ['requests per second with a rate limit / without', r.limitRatio, '>=', 0.97],
    ['the same, processor time', r.limitCpuRatio, '<=', 1.03],
    ['hits of cache-lookup per second / nginx proxy_cache', r.cacheRatio, '>=', 0.6],
    ['hits by a cache rule per second / nginx proxy_cache', r.ruledRatio, '>=', 0.6]],
  shared: (r) => [['requests per second with a limit in Redis / here', r.eachRatio, '>=', 0],
    ['the same, redis.preallocate = 50', r.lumpsRatio, '>=', 0]],
  changes: (r) => [['200 configuration changes under load: failed calls', r.failed, '<=', 0],
    ['memory after / before', r.memoryRatio, '<=', 1.2]],
};

function report(results) {
  const rows = Object.entries(results).flatMap(([part, r]) => AIMS[part](r).map((row) => [part, ...row]));
  process.stdout.write('\n| part | figure | reached | aim | |\n|---|---|--:|--:|---|\n');
  for (const [part, what, value, sign, aim] of rows) {
    const ok = sign === '>=' ? value >= aim : value <= aim;
    process.stdout.write(`| ${part} | ${what} | ${Number(value.toFixed(3))} | ${sign} ${aim} | ${ok ? 'ok' : 'missed'} |\n`);
  }
  for (const [name, r] of Object.entries(results))
    if (r.rps && r.bareRps)
      process.stdout.write(`${name}: ${Math.round(r.rps)} requests/s (bare ${Math.round(r.bareRps)}), p99 ${r.p99Ms.toFixed(2)} ms `
        + `(bare ${r.bareP99Ms.toFixed(2)}), ${r.cpuUs.toFixed(1)} µs of processor a call (bare ${r.bareCpuUs.toFixed(1)})\n`);
}

async function main() {
  const dir = fs.mkdtempSync('/tmp/gatehouse-bench-');
  const results = {};
  const wanted = (part) => !ONLY || ONLY.includes(part);
  fs.mkdirSync(path.join(dir, 'api'));
  fs.writeFileSync(path.join(dir, 'api/1k.json'), JSON.stringify({ data: 'x'.repeat(1000) }));
  const backendPort = await freePort();
  const backend = startServer(dir, 'backend', 'nginx',
    nginxConf(dir, 'backend', `server { listen 127.0.0.1:${backendPort}; root ${dir}; }`));
  await listening(backendPort);
  try {
    if (wanted('nginx'))
      await pair('nginx', dir, backendPort, (port) => nginxConf(dir, 'bare-nginx',
        `upstream b { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 1000000000; }\nserver { listen 127.0.0.1:${port}; location / { `
        + 'proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; } }'), results);
    if (wanted('lighttpd'))
      await pair('lighttpd', dir, backendPort, (port) => `server.document-root = "${dir}"\nserver.bind = "127.0.0.1"\nserver.port = ${port}\n`
        + `server.modules = ( "mod_proxy" )\nserver.max-keep-alive-requests = 1000000\n`
        + `proxy.server = ( "/" => (( "host" => "127.0.0.1", "port" => ${backendPort} )) )\n`, results);
    if (wanted('policies'))
      results.policies = await policies(backendPort,
        (gw, api, headers) => measure(`${gw.url}/api/${api}/1k.json`, headers, pidsOf(gw)), ROUNDS);
    if (wanted('jwt'))
      results.jwt = await jwt(backendPort, (gw, api, headers) => measure(`${gw.url}/api/${api}/1k.json`, headers, pidsOf(gw)),
        (gw) => cpuSeconds(pidsOf(gw)), ROUNDS, SECONDS);
    if (wanted('costs'))
      results.costs = await costs({ dir, backendPort, rounds: ROUNDS,
        sample: (url, headers, who) => sample(url, headers, who.web ? pidsOf(who) : treeOf(who.pid), 1),
        startNginx: async (name, port, http) => {
          const child = startServer(dir, name, 'nginx', nginxConf(dir, name, http));
          await listening(port);
          return child;
        } });
    if (wanted('shared'))
      results.shared = await shared({ backendPort, rounds: ROUNDS, measure: (url, headers, gw) => measure(url, headers, pidsOf(gw)) });
    if (wanted('pages')) results.pages = pages();
    if (wanted('files')) results.files = files();
    if (wanted('flight')) results.flight = await flight(gatehouse);
    if (wanted('changes')) results.changes = await changes(gatehouse, backendPort, wrk);
    if (wanted('scale')) results.scale = await scale(gatehouse, backendPort, wrk);
  } finally {
    backend.kill();
    fs.rmSync(dir, { recursive: true, force: true });
  }
  fs.mkdirSync(path.join(ROOT, 'build'), { recursive: true });
  fs.writeFileSync(path.join(ROOT, 'build/bench.json'), JSON.stringify(results, null, 2));
  report(results);
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);   // servers that were started would keep the loop alive; they end with their pipes
});
