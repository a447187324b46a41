// Every page of the portal and the dashboard with 1,000 APIs, 10,000 users and 100,000 subscriptions in the store: processor
// time of one page and its size. tests/bench/pages.c does it in its own process, without a web server between.
'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { ROOT } = require('../http/harness');

module.exports = function pages() {
  const r = spawnSync(path.join(ROOT, 'build/release/bench/pages'), { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (r.status !== 0) throw new Error(r.stderr);
  const { pages: all } = JSON.parse(r.stdout);
  const slowestOf = (list) => list.reduce((a, b) => (a.p95Ms > b.p95Ms ? a : b)), slowest = slowestOf(all), portal = slowestOf(all.filter((p) => p.app === 'portal'));
  const largest = all.filter((p) => /^text\/html/.test(p.type)).reduce((a, b) => (a.bytes > b.bytes ? a : b));
  return { pages: all, slowestMs: slowest.p95Ms, slowest: slowest.uri, slowestPortalMs: portal.p95Ms, slowestPortal: portal.uri, largestBytes: largest.bytes, largest: largest.uri };
};
