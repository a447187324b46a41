// What single features cost, each beside a gateway or a server that does without: the telemetry record, a rate limit, and hits of the
// response cache beside nginx's own proxy_cache.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Gateway, freePort } = require('../http/harness');

const document = (inbound, outbound = '') => `<policies><inbound><base />${inbound}</inbound><backend><base /></backend>`
  + `<outbound><base />${outbound}</outbound><on-error><base /></on-error></policies>`;
const HEADER = '<set-header name="X-Bench" exists-action="override"><value>1</value></set-header>';
const LIMIT = '<rate-limit calls="1000000000" renewal-period="60" />';
const LOOKUP = '<cache-lookup vary-by-developer="false" vary-by-developer-groups="false" downstream-caching-type="public" />';

async function gateway(backendPort, recorded) {
  const gw = new Gateway({ server: 'nginx', workers: 1, build: 'release' });
  gw.options.setup = () => {
    const api = gw.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'bench', version: '1' },
      paths: { '/{file}': { get: { operationId: 'get', parameters: [{ name: 'file', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'ok' } } } } } }));
    const products = { limited: LIMIT + HEADER, unlimited: HEADER };
    gw.keys = {};
    for (const [id, inbound] of Object.entries(products)) {
      gw.cli('product', 'create', id);
      gw.cli('import', 'openapi', api, '--path', id, '--name', id, '--product', id, '--backend', `http://127.0.0.1:${backendPort}/api`);
      gw.cli('policy', 'set', '--scope', `product:${id}`, gw.file(`${id}.xml`, document(inbound)));
      gw.keys[id] = gw.cli('subscription', 'create', '--product', id, '--format', 'json').json().primaryKey;
    }
    gw.cli('product', 'create', 'open', '--require-key', 'no');
    gw.cli('import', 'openapi', api, '--path', 'cached', '--name', 'cached', '--product', 'open', '--backend', `http://127.0.0.1:${backendPort}/api`);
    gw.cli('policy', 'set', '--scope', 'api:cached', gw.file('cached.xml', document(LOOKUP, '<cache-store duration="3600" />')));
    gw.cli('import', 'openapi', api, '--path', 'ruled', '--name', 'ruled', '--product', 'open', '--backend', `http://127.0.0.1:${backendPort}/api`);
    gw.cli('cache', 'set', 'api:ruled', '--ttl', '3600', '--shared-by', 'everyone');
    // a file where the folder of the segments should be: the worker serves, and can record nothing
    if (!recorded) fs.writeFileSync(path.join(gw.state, 'telemetry'), '');
  };
  return gw.start();
}

// What is compared stands side by side and is measured a second each, many times, there and back: a longer sample would be of one mood of
// the machine, and whoever always came second would pay for the records of the first, which the keeper takes over meanwhile.
const SAMPLES = 5;   // of each, in a round

// `sample` is (url, headers, gateway or child of a bare server) => { rps, cpuUs, errors }, of a second
module.exports = async function costs({ dir, backendPort, rounds, sample, startNginx }) {
  const gw = await gateway(backendPort, true);
  const silent = await gateway(backendPort, false);
  const barePort = await freePort();
  const bare = await startNginx('bare-cache', barePort, `proxy_cache_path ${dir}/cache keys_zone=c:10m;\n`
    + `upstream b { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 1000000000; }\nserver { listen 127.0.0.1:${barePort}; location / { `
    + 'proxy_cache c; proxy_cache_valid 200 1h; proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; } }');
  const call = (g, api) => () => sample(`${g.url}/api/${api}/1k.json`, g.keys[api] ? [`Ocp-Apim-Subscription-Key: ${g.keys[api]}`] : [], g);
  const runs = {
    without: call(silent, 'unlimited'), unlimited: call(gw, 'unlimited'), limited: call(gw, 'limited'),
    cached: call(gw, 'cached'), proxied: () => sample(`http://127.0.0.1:${barePort}/api/1k.json`, [], bare), ruled: call(gw, 'ruled'),
  };
  const seen = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  try {
    for (const run of Object.values(runs)) run();    // warms up
    for (let i = 0; i < rounds * SAMPLES; i++) {
      const names = i % 2 ? Object.keys(runs).reverse() : Object.keys(runs);
      for (const name of names) {
        const r = runs[name]();
        if (r.errors) throw new Error('calls failed');
        seen[name].push(r);
      }
    }
    // a connection of its own: this process was blocked while the server closed those that it keeps
    for (const api of ['cached', 'ruled']) {
      const hits = await new Promise((resolve, reject) => http.get(`${gw.url}/api/${api}/1k.json`, { agent: false }, resolve).on('error', reject));
      hits.resume();
      if (!hits.headers.age) throw new Error(`the answers did not come from the cache: ${JSON.stringify(hits.headers)}`);
    }
  } finally {
    bare.kill();
    await gw.stop();
    await silent.stop();
  }
  const mean = (name, f) => seen[name].reduce((sum, r) => sum + r[f], 0) / seen[name].length;
  const ratio = (of, to, f = 'rps') => mean(of, f) / mean(to, f);
  return {
    recordsRatio: ratio('unlimited', 'without'), recordsCpuRatio: ratio('unlimited', 'without', 'cpuUs'),
    limitRatio: ratio('limited', 'unlimited'), limitCpuRatio: ratio('limited', 'unlimited', 'cpuUs'),
    cacheRatio: ratio('cached', 'proxied'), ruledRatio: ratio('ruled', 'proxied'), seen,
  };
};
