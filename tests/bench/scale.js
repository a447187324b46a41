// 10,000 APIs with 10 operations and 1,000,000 subscriptions: how long from the start of a worker to its first answer, and
// how many look-ups a second compared with a small store, every call with another API and another key.
'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { Gateway, until } = require('../http/harness');

const SMALL = { apis: 10, subscriptions: 1000 };
const LARGE = { apis: 10000, subscriptions: 1000000 };
const KEYS_IN_USE = 1000;   // of those that exist; a key's first call reads the store, later ones the worker's cache

async function filled(size, backendPort) {
  const gw = new Gateway({ server: 'nginx', workers: 1, build: 'release' });
  gw.options.setup = () => gw.cli('fill', '--product', 'fill', '--apis', String(size.apis), '--operations', '10',
    '--subscriptions', String(size.subscriptions), '--backend', `http://127.0.0.1:${backendPort}/api`);
  await gw.start();
  return gw;
}

function rate(gw, size, seconds) {
  const out = spawnSync('wrk', ['-t1', '-c32', `-d${seconds}`, '-s', path.join(__dirname, 'spread.lua'), gw.url, '--',
    String(size.apis), String(KEYS_IN_USE)], { encoding: 'utf8' }).stdout;
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]);
}

// the supervisor starts a killed worker again at once: from there to the first 200
async function startSeconds(gw, size) {
  const call = () => fetch(`${gw.url}/api/fill-${size.apis - 1}/r9/1`,
    { headers: { 'Ocp-Apim-Subscription-Key': `fill-key-${String(size.subscriptions - 1).padStart(10, '0')}` } });
  // the backend has no such file: its 404 is a page, the gateway's own would be JSON
  const reached = (r) => r.status === 404 && /html/.test(r.headers.get('content-type'));
  await gw.end(gw.serve);
  const from = process.hrtime.bigint();
  gw.serve = gw.run('serve', path.join(gw.bin, 'gatehouse'), gw.serveArgs());
  await until(() => call().then((r) => reached(r), () => false), 'the first answer');
  return Number(process.hrtime.bigint() - from) / 1e9;
}

module.exports = async function scale(gatehouse, backendPort) {
  const small = await filled(SMALL, backendPort);
  const large = await filled(LARGE, backendPort);
  const starts = [];
  for (let i = 0; i < 3; i++) {
    large.serve.mayEnd = true;
    starts.push(await startSeconds(large, LARGE));
  }
  const ratios = [];
  for (let i = 0; i < 3; i++) {
    rate(small, SMALL, 1);
    const a = rate(small, SMALL, 3);
    rate(large, LARGE, 1);
    ratios.push(rate(large, LARGE, 3) / a);
  }
  await small.stop();
  await large.stop();
  starts.sort((a, b) => a - b);
  ratios.sort((a, b) => a - b);
  return { startS: starts[1], rpsRatio: ratios[1], starts, ratios };
};
