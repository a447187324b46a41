// A small FastCGI client: what a web server says to a worker, and everything that none should say.
//
//   const c = await connect(socketPath);
//   const res = await c.request({ path: '/api/x', headers: { Accept: '*/*' }, body: Buffer });
//   res.status, res.headers (lower case), res.body, res.end ({ appStatus, protocolStatus }), res.closed
'use strict';
const net = require('node:net');

const TYPE = { BEGIN: 1, ABORT: 2, END: 3, PARAMS: 4, STDIN: 5, STDOUT: 6, STDERR: 7, GET_VALUES: 9, VALUES: 10, UNKNOWN: 11 };

function record(type, id, content = Buffer.alloc(0), padding = 0) {
  const head = Buffer.from([1, type, id >> 8, id & 255, content.length >> 8, content.length & 255, padding, 0]);
  return Buffer.concat([head, content, Buffer.alloc(padding)]);
}

function lengthOf(n) {
  return n < 128 ? Buffer.from([n]) : Buffer.from([(n >>> 24) | 0x80, (n >> 16) & 255, (n >> 8) & 255, n & 255]);
}

function pairs(entries) {
  const parts = [];
  for (const [name, value] of entries) {
    const n = Buffer.from(String(name), 'latin1');
    const v = Buffer.from(String(value), 'latin1');
    parts.push(lengthOf(n.length), lengthOf(v.length), n, v);
  }
  return Buffer.concat(parts);
}

function begin(id = 1, { role = 1, keep = true } = {}) {
  return record(TYPE.BEGIN, id, Buffer.from([role >> 8, role & 255, keep ? 1 : 0, 0, 0, 0, 0, 0]));
}

// Parameters as a web server makes them. `params` adds or replaces; null leaves one out.
function paramsOf({ method = 'GET', path = '/', headers = {}, length, params = {} }) {
  const all = {
    REQUEST_METHOD: method, REQUEST_URI: path, REMOTE_ADDR: '203.0.113.9', SERVER_NAME: 'gw.example',
    SERVER_PORT: '80', SERVER_PROTOCOL: 'HTTP/1.1', HTTP_HOST: 'gw.example',
  };
  if (length !== undefined) all.CONTENT_LENGTH = String(length);
  for (const [k, v] of Object.entries(headers)) {
    const name = k.toUpperCase().replaceAll('-', '_');
    all[name === 'CONTENT_TYPE' ? name : `HTTP_${name}`] = v;
  }
  Object.assign(all, params);
  return Object.entries(all).filter(([, v]) => v !== null);
}

function paramRecords(id, entries) {
  const bytes = pairs(entries);
  const out = [];
  for (let at = 0; at < bytes.length; at += 65535) out.push(record(TYPE.PARAMS, id, bytes.subarray(at, at + 65535)));
  out.push(record(TYPE.PARAMS, id));
  return Buffer.concat(out);
}

function bodyRecords(id, body) {
  const out = [];
  for (let at = 0; at < body.length; at += 65528) out.push(record(TYPE.STDIN, id, body.subarray(at, at + 65528)));
  return Buffer.concat(out);
}

function parseHead(bytes) {
  const at = bytes.indexOf('\r\n\r\n');
  if (at < 0) return null;
  const headers = {};
  let status = 200;
  let reason = '';
  for (const line of bytes.subarray(0, at).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') {
      status = Number(value.slice(0, 3));
      reason = value.slice(4);
    } else {
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
  }
  return { status, reason, headers, bodyAt: at + 4 };
}

class Client {
  constructor(socket) {
    this.socket = socket;
    this.pending = Buffer.alloc(0);
    this.records = [];
    this.waiting = [];
    this.closed = false;
    socket.on('data', (d) => this.take(d));
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
    socket.on('error', () => {});
  }

  take(data) {
    this.pending = this.pending.length ? Buffer.concat([this.pending, data]) : data;
    for (;;) {
      if (this.pending.length < 8) break;
      const n = this.pending.readUInt16BE(4) + this.pending[6] + 8;
      if (this.pending.length < n) break;
      this.records.push({
        type: this.pending[1], id: this.pending.readUInt16BE(2),
        content: this.pending.subarray(8, 8 + this.pending.readUInt16BE(4)),
      });
      this.pending = this.pending.subarray(n);
    }
    this.wake();
  }

  wake() {
    for (const w of this.waiting.splice(0)) w();
  }

  write(bytes) {
    return new Promise((resolve) => { this.socket.write(bytes, resolve); });
  }

  // The next record, or null when the worker has closed the connection.
  async next(timeoutMs = 60000) {
    const end = Date.now() + timeoutMs;
    for (;;) {
      if (this.records.length) return this.records.shift();
      if (this.closed) return null;
      if (Date.now() > end) throw new Error('no record in time');
      await new Promise((resolve) => {
        const t = setTimeout(resolve, 1000);
        this.waiting.push(() => { clearTimeout(t); resolve(); });
      });
    }
  }

  // Collects the answer of request `id`. onData(piece) sees each STDOUT record as it comes.
  async response(id = 1, onData) {
    const parts = [];
    let end = null;
    for (;;) {
      const r = await this.next();
      if (!r) break;
      if (r.type === TYPE.END && r.id === id) {
        end = { appStatus: r.content.readUInt32BE(0), protocolStatus: r.content[4] };
        break;
      }
      if (r.type !== TYPE.STDOUT || !r.content.length) continue;
      if (onData) onData(r.content);
      if (!onData || !parts.length) parts.push(Buffer.from(r.content));
    }
    const bytes = Buffer.concat(parts);
    const head = parseHead(bytes);
    return { ...(head || { status: 0, headers: {} }), body: head ? bytes.subarray(head.bodyAt) : bytes, end, closed: this.closed };
  }

  async send({ id = 1, keep = true, body, chunked = false, ...rest } = {}) {
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
    const length = body === undefined || chunked ? undefined : bytes.length;
    await this.write(Buffer.concat([begin(id, { keep }), paramRecords(id, paramsOf({ length, ...rest })),
      bodyRecords(id, bytes), record(TYPE.STDIN, id)]));
  }

  async request(options = {}) {
    await this.send(options);
    return this.response(options.id || 1, options.onData);
  }

  close() {
    this.socket.destroy();
  }
}

function connect(where) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(where);
    socket.once('connect', () => resolve(new Client(socket)));
    socket.once('error', reject);
  });
}

module.exports = { connect, record, pairs, begin, paramsOf, paramRecords, bodyRecords, TYPE };
