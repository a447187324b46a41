// What a token costs beside a subscription key: RS256 by an access rule and by validate-jwt, the same token again and again
// (remembered), and a new one with each call (the signature is checked).
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Gateway } = require('../http/harness');
const { Signer, provider, now } = require('../http/tokens');

const COLD_TOKENS = 4000;      // many more than the worker remembers below

module.exports = async function jwt(backendPort, measure, cpu, rounds, seconds) {
  const signer = new Signer('k1');
  const idp = await provider(signer);
  const gw = new Gateway({ server: 'nginx', workers: 1, build: 'release', config: { 'access.token_entries': 16 } });
  const claims = { iss: idp.issuer, aud: 'bench', azp: 'client', sub: 'user', scope: 'read', preferred_username: 'ann', exp: now() + 36000 };
  gw.options.setup = () => {
    const api = gw.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'bench', version: '1' },
      paths: { '/{file}': { get: { operationId: 'get', parameters: [{ name: 'file', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'ok' } } } } } }));
    gw.cli('product', 'create', 'bench');
    for (const id of ['key', 'jwt'])
      gw.cli('import', 'openapi', api, '--path', id, '--name', id, '--product', 'bench', '--backend', `http://127.0.0.1:${backendPort}/api`);
    // the check alone: a key sends no identity to the backend either
    gw.cli('access', 'set', '--api', 'jwt', '--file', gw.file('rule.json', JSON.stringify({ identity: { send: false },
      anyOf: [{ method: 'jwt', issuer: idp.issuer, audience: 'bench', scope: 'read' }] })));
    gw.cli('product', 'create', 'open', '--require-key', 'no');
    gw.cli('import', 'openapi', api, '--path', 'policy', '--name', 'policy', '--product', 'open', '--backend', `http://127.0.0.1:${backendPort}/api`);
    gw.cli('policy', 'set', '--scope', 'api:policy', gw.file('policy.xml', `<policies><inbound><base />
      <validate-jwt header-name="Authorization"><openid-config url="${idp.issuer}/.well-known/openid-configuration" />
        <audiences><audience>bench</audience></audiences>
        <required-claims><claim name="scope" separator=" "><value>read</value></claim></required-claims></validate-jwt>
      </inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`));
    gw.key = gw.cli('subscription', 'create', '--product', 'bench', '--format', 'json').json().primaryKey;
  };
  await gw.start();
  const tokens = gw.file('tokens', Array.from({ length: COLD_TOKENS }, (_, i) => signer.token({ ...claims, jti: `${i}` })).join('\n'));
  // the provider is this process, which stands still while wrk runs: its keys are fetched before
  for (const api of ['jwt', 'policy']) {
    const first = await fetch(`${gw.url}/api/${api}/1k.json`, { headers: { Authorization: `Bearer ${signer.token(claims)}` } });
    if (first.status !== 200) throw new Error(`a token is refused: ${await first.text()}`);
  }
  const ratios = [], policy = [], cold = [];
  try {
    for (let i = 0; i < rounds; i++) {
      const key = measure(gw, 'key', [`Ocp-Apim-Subscription-Key: ${gw.key}`]);
      const warm = measure(gw, 'jwt', [`Authorization: Bearer ${signer.token(claims)}`]);
      const byPolicy = measure(gw, 'policy', [`Authorization: Bearer ${signer.token(claims)}`]);
      if (key.errors || warm.errors || byPolicy.errors) throw new Error('calls failed');
      ratios.push(warm.cpuUs / key.cpuUs);
      policy.push(byPolicy.cpuUs / key.cpuUs);
      const before = cpu(gw);
      const out = spawnSync('wrk', ['-t1', '-c32', `-d${seconds}`, '-s', path.join(__dirname, 'tokens.lua'), gw.url, '--', tokens], { encoding: 'utf8' }).stdout;
      const requests = Number(/(\d+) requests in/.exec(out)[1]);
      if (/Non-2xx/.test(out)) throw new Error(`calls with new tokens failed\n${out}`);
      cold.push((cpu(gw) - before) / requests * 1e6 - key.cpuUs);
    }
  } finally {
    await gw.stop();
    await idp.close();
    fs.rmSync(tokens, { force: true });
  }
  const median = (v) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
  return { warmRatio: median(ratios), policyRatio: median(policy), coldExtraUs: median(cold), ratios, policy, cold };
};
