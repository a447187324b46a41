// The two systems behind the sample API: an ERP that keeps orders and a warehouse that keeps stock. Each answers as
// such systems do (its own headers, its own errors) so that the gateway has something to tidy up.
// Usage: node backends.js ERP_PORT WAREHOUSE_PORT
'use strict';
const http = require('node:http');

const orders = new Map([
  ['1001', { id: '1001', customer: 'Fenwick Pumps', item: 'PX-200', quantity: 12, status: 'released', due: '2026-12-04' }],
  ['1002', { id: '1002', customer: 'Harbour Marine', item: 'PX-350', quantity: 3, status: 'planned', due: '2026-12-11' }],
  ['1003', { id: '1003', customer: 'Aldane Water', item: 'VX-20', quantity: 250, status: 'shipped', due: '2026-11-18' }],
]);
const stock = new Map([
  ['PX-200', { sku: 'PX-200', name: 'Pump 200', onHand: 41, reserved: 12, site: 'North' }],
  ['PX-350', { sku: 'PX-350', name: 'Pump 350', onHand: 7, reserved: 3, site: 'North' }],
  ['VX-20', { sku: 'VX-20', name: 'Valve 20', onHand: 1890, reserved: 250, site: 'South' }],
]);

const MAX_BODY = 64 * 1024;

function send(res, status, value, headers = {}) {
  const body = value === undefined ? '' : JSON.stringify(value, null, 2) + '\n';
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers });
  res.end(body);
}

async function readJson(req) {
  let text = '';
  for await (const chunk of req) {
    text += chunk;
    if (text.length > MAX_BODY) throw new Error('too large');
  }
  return JSON.parse(text);
}

// Server-sent events: the state of the shop floor, one event a second, five of them.
function events(res) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  let n = 0;
  const next = () => {
    n += 1;
    res.write(`id: ${n}\nevent: order\ndata: ${JSON.stringify({ order: '1001', done: n * 2 })}\n\n`);
    if (n === 5) res.end();
  };
  next();
  const timer = setInterval(next, 1000);
  res.on('close', () => clearInterval(timer));
}

async function createOrder(req, res) {
  let wish;
  try {
    wish = await readJson(req);
  } catch (error) {
    return send(res, 400, { error: { code: 'ERP-0400', text: `unreadable order: ${error.message}` } });
  }
  if (!stock.has(wish.item) || !Number.isInteger(wish.quantity) || wish.quantity < 1)
    return send(res, 422, { error: { code: 'ERP-0422', text: 'item must be known and quantity a positive number' } });
  const id = String(1001 + orders.size);
  const order = { id, customer: String(wish.customer ?? ''), item: wish.item, quantity: wish.quantity, status: 'planned',
    due: String(wish.due ?? '') };
  if (orders.size < 10000) orders.set(id, order);
  return send(res, 201, order, { Location: `/orders/${id}` });
}

async function erp(req, res) {
  const url = new URL(req.url, 'http://erp');
  const [, root, id] = url.pathname.split('/');
  if (url.pathname === '/health') return send(res, 200, { status: 'ok', system: 'erp' });
  if (url.pathname === '/orders/events' && req.method === 'GET') return events(res);
  if (root !== 'orders') return send(res, 404, { error: { code: 'ERP-0404', text: 'no such resource' } });
  if (req.method === 'POST' && !id) return createOrder(req, res);
  if (req.method !== 'GET' && req.method !== 'HEAD') return send(res, 405, { error: { code: 'ERP-0405', text: 'method' } });
  if (id) return orders.has(id) ? send(res, 200, orders.get(id)) : send(res, 404, { error: { code: 'ERP-0404', text: `no order ${id}` } });
  const status = url.searchParams.get('status');
  return send(res, 200, { orders: [...orders.values()].filter((o) => !status || o.status === status) });
}

function warehouse(req, res) {
  const [, root, sku] = new URL(req.url, 'http://warehouse').pathname.split('/');
  if (root === 'health') return send(res, 200, { status: 'ok', system: 'warehouse' });
  if (root !== 'inventory') return send(res, 404, { fault: 'unknown path' });
  if (!sku) return send(res, 200, { items: [...stock.values()] });
  return stock.has(sku) ? send(res, 200, stock.get(sku)) : send(res, 404, { fault: `unknown item ${sku}` });
}

function listen(port, handler, name) {
  const server = http.createServer((req, res) => {
    Promise.resolve(handler(req, res)).catch((error) => {
      process.stderr.write(`${name}: ${error.stack}\n`);
      if (!res.headersSent) send(res, 500, { error: 'internal' });
    });
  });
  server.keepAliveTimeout = 60000;
  server.listen(port, '127.0.0.1');
}

const [erpPort, warehousePort] = process.argv.slice(2).map(Number);
if (!erpPort || !warehousePort) {
  process.stderr.write('usage: node backends.js ERP_PORT WAREHOUSE_PORT\n');
  process.exit(2);
}
listen(erpPort, erp, 'erp');
listen(warehousePort, warehouse, 'warehouse');
