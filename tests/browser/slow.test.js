// A client that sends its form drop by drop must not keep the dashboard from everybody else: lighttpd passes bodies on as
// they come, and here one process answers everything.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const net = require('node:net');
const { start } = require('../http/harness');

test('a slow sender is dropped', async (t) => {
  const gw = await start({ server: 'lighttpd', config: { 'admin.workers': 1, 'web.request_timeout_s': 1 } });
  const slow = net.connect(gw.port, '127.0.0.1');
  t.after(async () => { slow.destroy(); await gw.stop(); });
  slow.on('error', () => {});
  slow.write('POST /admin/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n'
    + 'Content-Length: 1000000\r\n\r\na');
  const drip = setInterval(() => slow.write('a'), 100);
  await new Promise((r) => setTimeout(r, 300));
  // the form would be whole in a day; what comes before is that its sender is dropped
  const answer = await fetch(`${gw.url}/admin/sign-in`, { signal: AbortSignal.timeout(60000) });
  clearInterval(drip);
  assert.strictEqual(answer.status, 200);
});
