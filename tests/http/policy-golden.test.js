// The cases under tests/golden/policy, run by `gatehouse policy test`: what a document must do according to the reference.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { ROOT } = require('./harness');

const LEAST = 40;   // so that a search which finds nothing does not pass
const args = ['policy', 'test', 'tests/golden/policy', '--format', 'json'];
const run = spawnSync(path.join(ROOT, 'build/asan/bin/gatehouse'), args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 });
const results = run.stdout ? JSON.parse(run.stdout) : [];

test('there are cases', () => {
  assert.ok(results.length >= LEAST, `${results.length} cases; ${run.stderr}`);
  assert.strictEqual(run.status, results.every((r) => r.ok) ? 0 : 1);
});

for (const r of results)
  test(`${path.basename(path.dirname(r.file))}: ${r.name}`, () => {
    assert.ok(r.ok, `${r.file}:${r.line}\n${r.errors.join('\n')}${JSON.stringify(r.differences, null, 1)}`);
  });
