// Runs http-cache-tests (Mark Nottingham's suite for HTTP caches) against a cache and prints a line a test: "id kind result".
//
//   node cache-suite.mjs server FOLDER PORT       the suite's own origin
//   node cache-suite.mjs client FOLDER BASE [ID,…]    BASE: where the cache serves that origin; IDs: only these tests
//
// FOLDER is the package. Its kinds: required, optimal, check (what a cache does, neither good nor bad). Results: yes, no,
// setup (what the test needs did not come about, so it says nothing).
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import http from 'node:http';

// What the suite needs of fetch, without the fields that Node's own adds to take part in caching.
function plainFetch(url, { method = 'GET', headers = [], body, redirect } = {}) {
  return new Promise((resolve, reject) => {
    const fields = {};
    for (const [name, value] of headers) fields[name] = name in fields ? [fields[name], value].flat() : String(value);
    const req = http.request(url, { method, headers: fields, agent: false }, (res) => {
      const chunks = [], got = new Headers();
      for (let i = 0; i < res.rawHeaders.length; i += 2) got.append(res.rawHeaders[i], res.rawHeaders[i + 1]);
      res.on('data', (c) => chunks.push(c));
      res.on('error', reject);
      res.on('end', () => {
        const to = got.get('location');
        if (to && redirect !== 'manual' && [301, 302, 303, 307, 308].includes(res.statusCode))
          plainFetch(new URL(to, url), { headers }).then(resolve, reject);
        else
          resolve({ status: res.statusCode, statusText: res.statusMessage, headers: got, text: async () => Buffer.concat(chunks).toString() });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

const [role, folder, where, only] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(path.join(folder, file)).href);

if (role === 'server') {
  Object.assign(process.env, { npm_config_protocol: 'http', npm_config_port: where, npm_config_pidfile: '/dev/null' });
  await load('server/server.mjs');
} else {
  const { runTests, getResults } = await load('client/runner.mjs');
  const wanted = only && new Set(only.split(','));
  const suites = (await load('tests/index.mjs')).default
    .map((suite) => ({ ...suite, tests: suite.tests.filter((test) => !wanted || wanted.has(test.id)) }));
  await runTests(suites, plainFetch, false, where, 1000);
  const results = getResults();
  for (const test of suites.flatMap((suite) => suite.tests)) {
    const got = results[test.id];
    if (got === undefined) continue;
    console.log(`${test.id} ${test.kind || 'required'} ${got === true ? 'yes' : got[0] === 'Setup' ? 'setup' : 'no'}`);
    if (got !== true && process.env.WHY) console.log(`# ${got.join(': ')}`);
  }
}
