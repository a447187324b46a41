// 2,000 exchanges in flight at a backend that answers after 2 s: none may fail, and the worker stays small.
'use strict';
const fs = require('node:fs');
const http = require('node:http');

const IN_FLIGHT = 2000;
const DELAY_MS = 2000;

const peakMb = (pid) => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

module.exports = async function flight(gatehouse) {
  const server = http.createServer((req, res) => setTimeout(() => res.end('{}'), DELAY_MS));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', 4096, resolve));
  const gw = await gatehouse('nginx', server.address().port);
  const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const one = () => new Promise((resolve) => {
    http.get(`${gw.url}/api/bench/x`, { agent, headers: { 'Ocp-Apim-Subscription-Key': gw.key } }, (res) => {
      res.resume();
      res.on('end', () => resolve(res.statusCode));
    }).on('error', () => resolve(0));
  });
  const statuses = await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  const rssMb = Math.max(...gw.pids('gatehouse-gateway').map(peakMb));
  agent.destroy();
  server.closeAllConnections();
  server.close();
  await gw.stop();
  const failed = statuses.filter((s) => s !== 200);
  return { failed: failed.length, rssMb, kinds: [...new Set(failed)] };
};
