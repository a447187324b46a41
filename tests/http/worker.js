// One gateway worker with a store and a FastCGI socket of its own, without web server and supervisor: for tests that speak
// to it directly.
//
//   const w = await startWorker({ backend: 'http://127.0.0.1:9', config: { 'gateway.idle_timeout_ms': 500 } });
//   w.socket, w.pid, w.asan
//   w.path            an API that leads to `backend`; one operation, /x, with every method
//   w.bad             the same, leading to a server that says to each request what w.talk(fn) was given
//   w.closed          the same, leading to a port where nobody listens
//   w.gw              the Gateway of harness.js, for its cli()
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { Gateway, RELEASE, freePort, until } = require('./harness');

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head'];

function description(title) {
  const item = Object.fromEntries(METHODS.map((m) => [m, { operationId: `${title}-${m}`, responses: { 200: { description: 'ok' } } }]));
  return JSON.stringify({ openapi: '3.0.3', info: { title, version: '1' }, paths: { '/x': item } });
}

function talker() {
  const sockets = new Set();
  let talk = () => {};
  const server = net.createServer((s) => {
    sockets.add(s);
    s.on('close', () => sockets.delete(s));
    s.on('error', () => {});
    s.on('data', (d) => talk(s, d));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    port: server.address().port,
    set: (fn) => { talk = fn; },
    close: () => { for (const s of sockets) s.destroy(); server.close(); },
  })));
}

async function startWorker({ backend, config = {}, args = [], build = process.env.BUILD || 'asan' }) {
  const gw = new Gateway({ build, config, workers: 1 });
  const bad = await talker();
  const socket = path.join(gw.dir, 'gateway.sock');

  gw.init();
  fs.writeFileSync(path.join(gw.state, 'gatehouse.conf'), Object.entries(config).map(([k, v]) => `${k} = ${v}\n`).join(''));
  gw.cli('product', 'create', 'open', '--require-key', 'no');
  const api = (id, url) => gw.cli('import', 'openapi', gw.file(`${id}.json`, description(id)), '--path', id, '--name', id,
    '--backend', url, '--product', 'open');
  api('echo', `${backend}/base`);
  api('bad', `http://127.0.0.1:${bad.port}`);
  api('closed', `http://127.0.0.1:${await freePort()}`);

  const p = gw.run('gateway', path.join(gw.bin, 'gatehouse-gateway'), ['--state', gw.state, '--socket', socket, ...args]);
  gw.serve = p;    // cli() waits until it has what was changed
  const { connect } = require('./fcgi-client');
  const healthy = async () => {
    const c = await connect(socket);
    const res = await c.request({ path: '/api/-/health' });
    c.close();
    return res.status === 200;
  };
  await until(() => {
    if (p.ended) throw new Error(`the worker ended: ${gw.log('gateway')}`);
    return healthy().catch(() => false);
  }, 'the worker');
  return {
    gw, socket, healthy, process: p, pid: p.child.pid, asan: gw.bin !== RELEASE, path: '/api/echo', bad: '/api/bad', closed: '/api/closed',
    talk: bad.set,
    log: () => gw.log('gateway'),
    terminate: async () => { p.mayEnd = true; return (await gw.end(p)).code; },
    stop: async () => {
      bad.close();
      if (!p.ended) {
        const how = await gw.end(p);
        if (how.code !== 0) throw new Error(`the worker ended with ${how.code ?? how.signal}: ${gw.log('gateway').slice(-4000)}`);
        p.mayEnd = true;
      }
      await gw.stop();
    },
  };
}

module.exports = { startWorker };
