// 200 configuration changes while calls run: none fails, memory is the same afterwards.
'use strict';
const fs = require('node:fs');
const { spawn } = require('node:child_process');

const CHANGES = 200;
const rssMb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

const policy = (n) => `<policies><inbound><base /><set-header name="X-Change" exists-action="override"><value>${n}</value></set-header>`
  + '</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>';

module.exports = async function changes(gatehouse, backendPort, wrk) {
  const gw = await gatehouse('nginx', backendPort);
  const [pid] = gw.pids('gatehouse-gateway');
  const url = `${gw.url}/api/bench/1k.json`;
  const header = `Ocp-Apim-Subscription-Key: ${gw.key}`;
  const change = (n) => gw.cli('policy', 'set', '--scope', 'api:bench', gw.file('api.xml', policy(n)), { adopt: false });

  wrk(url, [header], 1);
  for (let n = 0; n < 10; n++) change(n);
  const before = rssMb(pid);
  const load = spawn('wrk', ['-t1', '-c16', '-d600', '-H', header, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  load.stdout.on('data', (d) => { out += d; });
  const ended = new Promise((resolve) => load.on('exit', resolve));
  for (let n = 0; n < CHANGES; n++) {
    change(n);
    await new Promise((r) => setImmediate(r));
  }
  load.kill('SIGINT');
  await ended;
  const after = rssMb(pid);
  await gw.stop();
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] || 0)
    + (/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(out)?.slice(1).map(Number).reduce((a, b) => a + b, 0) || 0);
  return { failed, calls: Number(/(\d+) requests in/.exec(out)[1]), beforeMb: before, afterMb: after, memoryRatio: after / before };
};
