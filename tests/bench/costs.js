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

// `measure` is (url, headers, gateway or pids of a bare server) => { rps, cpuUs, errors }
module.exports = async function costs({ dir, backendPort, rounds, measure, startNginx }) {
  const gw = await gateway(backendPort, true);
  const silent = await gateway(backendPort, false);
  const barePort = await freePort();
  const bare = await startNginx('bare-cache', barePort, `proxy_cache_path ${dir}/cache keys_zone=c:10m;\n`
    + `upstream b { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 1000000000; }\nserver { listen 127.0.0.1:${barePort}; location / { `
    + 'proxy_cache c; proxy_cache_valid 200 1h; proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; } }');
  const call = (g, api) => measure(`${g.url}/api/${api}/1k.json`, g.keys[api] ? [`Ocp-Apim-Subscription-Key: ${g.keys[api]}`] : [], g);
  const seen = { records: [], recordsCpu: [], limit: [], limitCpu: [], cache: [], ruled: [] };
  try {
    for (let i = 0; i < rounds; i++) {
      const unlimited = call(gw, 'unlimited'), limited = call(gw, 'limited'), without = call(silent, 'unlimited');
      const cached = call(gw, 'cached'), ruled = call(gw, 'ruled'), proxied = measure(`http://127.0.0.1:${barePort}/api/1k.json`, [], bare);
      for (const r of [unlimited, limited, without, cached, ruled, proxied]) if (r.errors) throw new Error('calls failed');
      seen.records.push(unlimited.rps / without.rps);
      seen.recordsCpu.push(unlimited.cpuUs / without.cpuUs);
      seen.limit.push(limited.rps / unlimited.rps);
      seen.limitCpu.push(limited.cpuUs / unlimited.cpuUs);
      seen.cache.push(cached.rps / proxied.rps);
      seen.ruled.push(ruled.rps / proxied.rps);
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
  const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
  return { ...Object.fromEntries(Object.entries(seen).map(([k, v]) => [`${k}Ratio`, median(v)])), seen };
};
