// What limits cost that several machines count together: the same limit counted by the machine itself, in a Redis call by call, and
// in a Redis of which a worker takes 50 calls at once.
'use strict';
const { spawn } = require('node:child_process');
const { Gateway, freePort } = require('../http/harness');

const LIMIT = '<policies><inbound><rate-limit calls="1000000000" renewal-period="60" /></inbound></policies>';

async function gateway(backendPort, config) {
  const gw = new Gateway({ server: 'nginx', workers: 1, build: 'release', config });
  gw.options.setup = () => {
    const api = gw.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'bench', version: '1' },
      paths: { '/{file}': { get: { operationId: 'get', parameters: [{ name: 'file', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'ok' } } } } } }));
    gw.cli('product', 'create', 'limited');
    gw.cli('import', 'openapi', api, '--path', 'limited', '--name', 'limited', '--product', 'limited', '--backend', `http://127.0.0.1:${backendPort}/api`);
    gw.cli('policy', 'set', '--scope', 'product:limited', gw.file('limit.xml', LIMIT));
    gw.key = gw.cli('subscription', 'create', '--product', 'limited', '--format', 'json').json().primaryKey;
  };
  return gw.start();
}

// `measure` is (url, headers, gateway) => { rps, cpuUs, errors }
module.exports = async function shared({ backendPort, rounds, measure }) {
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve, reject) => {
    server.stdout.on('data', (d) => { if (/Ready to accept/.test(d)) resolve(); });
    server.on('error', reject);
  });
  const redis = `redis://127.0.0.1:${port}`, gateways = [];
  const seen = { each: [], lumps: [] };
  try {
    for (const config of [{}, { redis }, { redis, 'redis.preallocate': 50 }]) gateways.push(await gateway(backendPort, config));
    for (let i = 0; i < rounds; i++) {
      const [alone, each, lumps] = gateways.map((g) => measure(`${g.url}/api/limited/1k.json`, [`Ocp-Apim-Subscription-Key: ${g.key}`], g));
      for (const r of [alone, each, lumps]) if (r.errors) throw new Error('calls failed');
      seen.each.push(each.rps / alone.rps);
      seen.lumps.push(lumps.rps / alone.rps);
    }
    for (const g of gateways.slice(1)) if (/redis is away|cannot be reached/.test(g.log('serve'))) throw new Error('Redis was away');
  } finally {
    for (const g of gateways) await g.stop();
    server.kill();
  }
  const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
  return { eachRatio: median(seen.each), lumpsRatio: median(seen.lumps), seen };
};
