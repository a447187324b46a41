// 1,000 APIs with 20 operations each as files: what a plan and an apply take, in processor time and by the clock.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { ROOT } = require('../http/harness');

const OPERATIONS = 20;

function write(dir, apis, word) {
  const put = (name, text) => { fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true }); fs.writeFileSync(path.join(dir, name), text); };
  const ids = Array.from({ length: apis }, (_, i) => `api-${i}`);

  put('gatehouse.yaml', '$kind: configuration\nformat: 1\nkinds: [backends, apis, operations, products, policies, named-values]\n');
  put('shared.yaml', `$kind: backend\nid: erp\nurl: https://erp.example\n---\n$kind: named-value\nid: word\nvalue: ${word}\n`);
  put('product.yaml', `$kind: product\nid: all\nname: All\napis: [${ids.join(', ')}]\n`);
  for (const id of ids) {
    put(`apis/${id}/api.yaml`, `$kind: api\nid: ${id}\nname: ${id}\ndescription: |\n  What ${id} is for, ${word}.\npath: ${id}\nbackend: erp\ntags: [a, b]\n`);
    put(`apis/${id}/operations.yaml`, Array.from({ length: OPERATIONS }, (_, o) => `$kind: operation\nid: ${id}/op-${o}\nname: Operation ${o}\n`
      + `method: GET\nuriTemplate: /r${o}/{id}\ndescription: Reads number ${o}\ntags: [read]\n`).join('---\n'));
    put(`apis/${id}/policies.yaml`, `$kind: policy\nid: api:${id}\npolicy:\n  $file: policy.xml\n`);
    put(`apis/${id}/policy.xml`, '<policies><inbound><base /><set-header name="X-Word"><value>{{word}}</value></set-header></inbound>'
      + '<backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>\n');
  }
}

module.exports = function files(apis = 1000, gatehouse = path.join(ROOT, 'build/release/bin/gatehouse')) {
  const dir = fs.mkdtempSync('/tmp/gatehouse-files-'), conf = path.join(dir, 'conf'), state = path.join(dir, 'state'), password = path.join(dir, 'password');
  const run = (ends, ...args) => {
    const r = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S %R"; time "$@" > "$OUT"', 'bash', gatehouse, ...args, '--state', state],
      { encoding: 'utf8', env: { ...process.env, OUT: path.join(dir, 'out') } });
    if (r.status !== ends) throw new Error(`gatehouse ${args.join(' ')}: ${r.status}: ${r.stderr}`);
    const [user, system, wall] = r.stderr.trim().split('\n').pop().split(' ').map(Number);
    return { cpuS: Math.round((user + system) * 100) / 100, wallS: wall, said: fs.readFileSync(path.join(dir, 'out'), 'utf8').trim().split('\n').pop() };
  };

  try {
    fs.writeFileSync(password, 'a sentence that nobody guesses');
    run(0, 'init', '--admin', 'bench@example.com', '--password-file', password);
    write(conf, apis, 'one');
    const results = { apis, operations: OPERATIONS };
    results.planNew = run(2, 'plan', conf);
    results.applyNew = run(0, 'apply', '--yes', conf);
    results.planSame = run(0, 'plan', conf);
    write(conf, apis, 'two');
    results.planChanged = run(2, 'plan', conf);
    results.applyChanged = run(0, 'apply', '--yes', conf);
    results.export = run(0, 'export', path.join(dir, 'export'));
    return results;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
};

// by itself: node tests/bench/files.js [APIS]
if (require.main === module) console.log(JSON.stringify(module.exports(Number(process.argv[2]) || 1000), null, 2));
