// What policies cost: an expression, ten thousand documents, and ten ordinary policies on top of a bare forward.
'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { Gateway, ROOT } = require('../http/harness');

const TEN = `<policies>
  <inbound>
    <base />
    <set-variable name="kind" value="@(context.Request.Headers.GetValueOrDefault(&quot;X-Kind&quot;,&quot;plain&quot;))" />
    <choose>
      <when condition="@((string)context.Variables[&quot;kind&quot;] == &quot;closed&quot;)">
        <return-response><set-status code="403" reason="Forbidden" /></return-response>
      </when>
    </choose>
    <check-header name="X-Kind" failed-check-httpcode="400" failed-check-error-message="X-Kind is missing" ignore-case="true" />
    <ip-filter action="allow"><address-range from="127.0.0.0" to="127.255.255.255" /></ip-filter>
    <set-header name="X-From" exists-action="override"><value>gatehouse</value></set-header>
    <set-header name="X-User" exists-action="override"><value>@(context.Subscription?.Id ?? "nobody")</value></set-header>
    <set-query-parameter name="tenant" exists-action="override"><value>one</value></set-query-parameter>
    <rate-limit-by-key calls="1000000000" renewal-period="60" counter-key="@(context.Request.IpAddress)" />
  </inbound>
  <backend><base /></backend>
  <outbound>
    <base />
    <set-header name="X-Served-By" exists-action="override"><value>gatehouse</value></set-header>
    <set-header name="X-Powered-By" exists-action="delete" />
  </outbound>
  <on-error><base /></on-error>
</policies>`;

async function gateway(backendPort, policy) {
  const gw = new Gateway({ server: 'nginx', workers: 1, build: 'release' });
  gw.options.setup = () => {
    const api = gw.file('api.json', JSON.stringify({ openapi: '3.0.3', info: { title: 'bench', version: '1' },
      paths: { '/{file}': { get: { operationId: 'get', parameters: [{ name: 'file', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'ok' } } } } } }));
    gw.cli('product', 'create', 'open', '--require-key', 'no');
    gw.cli('import', 'openapi', api, '--path', 'bench', '--name', 'bench', '--product', 'open', '--backend', `http://127.0.0.1:${backendPort}/api`);
    if (policy) gw.cli('policy', 'set', '--scope', 'api:bench', gw.file('api.xml', policy));
  };
  return gw.start();
}

module.exports = async function policies(backendPort, measure, rounds) {
  const alone = JSON.parse(spawnSync(path.join(ROOT, 'build/release/bench/policy'), { encoding: 'utf8' }).stdout);
  const bare = await gateway(backendPort, null);
  const ten = await gateway(backendPort, TEN);
  const ratios = [];
  for (let i = 0; i < rounds; i++) {
    const a = measure(bare, 'bench', ['X-Kind: plain']);
    const b = measure(ten, 'bench', ['X-Kind: plain']);
    if (a.errors || b.errors) throw new Error('calls failed');
    ratios.push(b.cpuUs / a.cpuUs);
  }
  await bare.stop();
  await ten.stop();
  return { ...alone, tenPoliciesRatio: ratios.sort((x, y) => x - y)[Math.floor(ratios.length / 2)], ratios };
};
