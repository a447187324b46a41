// A stand-in for HashiCorp Vault's HTTP API as far as the gateway speaks it: KV version 2 reads, token checks, namespaces,
// AppRole log-in, tokens with an end that are renewed, static roles of the database engine; over TLS with `tls` ({ key, cert } as PEM). A process of its own: tests run commands synchronously, and these ask the vault.
'use strict';
const { fork } = require('node:child_process');
const http = require('node:http');
const https = require('node:https');
const { freePort } = require('./harness');

async function serve({ port, token = 'root-token', roles = {}, namespace, tls }) {
  const secrets = new Map();      // "mount/path" -> { version, data } ; data null: deleted
  const tokens = new Map();       // of log-ins -> when they end
  const state = { reads: 0, logins: 0, renewals: 0, rotations: 0, tokenLife: 0, tokenEnds: Infinity, tokenGraceMs: 0, renewable: true, sealed: false, lease: 3600, seen: [] };
  const send = (res, status, body) => {
    res.writeHead(status, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(body));
  };
  const valid = (t) => (t === state.token && Date.now() < state.tokenEnds + state.tokenGraceMs) || (tokens.get(t) ?? 0) > Date.now();
  state.token = token;

  const answer = (req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      state.seen.push({ url: req.url, headers: req.headers });
      if (state.sealed) return send(res, 503, { errors: ['Vault is sealed'] });
      if (!req.headers['x-vault-request']) return send(res, 400, { errors: ["missing 'X-Vault-Request' header"] });
      if (namespace && req.headers['x-vault-namespace'] !== namespace) return send(res, 404, { errors: [] });
      const login = /^\/v1\/auth\/([^/]+)\/login$/.exec(req.url);
      if (login && req.method === 'POST') {
        state.logins++;
        const { role_id: role, secret_id: secret } = JSON.parse(Buffer.concat(chunks).toString());
        if (roles[role] !== secret) return send(res, 400, { errors: ['invalid role or secret ID'] });
        const client = `hvs.login-${state.logins}`;
        tokens.set(client, Date.now() + state.lease * 1000);
        return send(res, 200, { auth: { client_token: client, lease_duration: state.lease, renewable: true } });
      }
      if (!valid(req.headers['x-vault-token'])) return send(res, 403, { errors: ['permission denied'] });
      if (req.url === '/v1/auth/token/lookup-self') {
        const ttl = state.tokenLife ? Math.max(1, Math.round((state.tokenEnds - Date.now()) / 1000)) : 0;
        return send(res, 200, { data: { ttl, renewable: state.tokenLife > 0 && state.renewable } });
      }
      if (req.url === '/v1/auth/token/renew-self' && req.method === 'POST') {
        if (!state.tokenLife || !state.renewable) return send(res, 400, { errors: ['lease is not renewable'] });
        state.renewals++;
        state.tokenEnds = Date.now() + state.tokenLife * 1000;
        return send(res, 200, { auth: { client_token: state.token, lease_duration: state.tokenLife, renewable: true } });
      }
      const role = /^\/v1\/database\/(static-creds|rotate-role)\/(\w+)$/.exec(req.url);
      if (role && req.method === (role[1] === 'rotate-role' ? 'POST' : 'GET')) {
        if (role[1] === 'rotate-role') { state.rotations++; return send(res, 200, {}); }
        return send(res, 200, { lease_duration: 0, data: { username: role[2], password: `made-by-vault-${state.rotations}`,
          last_vault_rotation: `2026-01-01T00:00:0${state.rotations}Z`, ttl: 86400 } });
      }
      const read = /^\/v1\/(.+)\/data\/(.+)$/.exec(req.url);
      const s = read && secrets.get(`${decodeURIComponent(read[1])}/${decodeURIComponent(read[2])}`);
      state.reads++;
      if (!s) return send(res, 404, { errors: [] });
      const metadata = { created_time: '2026-01-01T00:00:00Z', deletion_time: s.data ? '' : '2026-01-02T00:00:00Z', destroyed: false,
        version: s.version };
      send(res, s.data ? 200 : 404, { request_id: 'x', lease_duration: 0, renewable: false, data: { data: s.data, metadata } });
    });
  };
  const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
  server.keepAliveTimeout = 1000;
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const put = (place, data) => secrets.set(place, { version: (secrets.get(place)?.version ?? 0) + 1, data });
  return { port,
    put, set: (name, value) => { state[name] = value; }, revoke: () => tokens.clear(), state: () => state,
    away: () => new Promise((resolve) => { server.closeAllConnections(); server.close(() => resolve()); }),
    back: () => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
  };
}

// const v = await vault({ token }); await v.put('kv/erp', { password: 'x' }); await v.away(); await v.back(); await v.close()
async function vault(options = {}) {
  const child = fork(__filename, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = [];
  child.on('message', (m) => waiting.shift()(m));
  const ask = (op, ...args) => new Promise((resolve) => { waiting.push(resolve); child.send({ op, args }); });
  const port = await ask('serve', { ...options, port: await freePort() });       // which nobody else takes while it is away
  const v = { url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => { child.on('exit', resolve); child.disconnect(); }) };
  for (const op of ['put', 'set', 'revoke', 'state', 'away', 'back']) v[op] = (...args) => ask(op, ...args);
  return v;
}

if (require.main === module) {
  let server;
  process.on('message', async ({ op, args }) => {
    if (op === 'serve') server = await serve(...args);
    process.send((op === 'serve' ? server.port : await server[op](...args)) ?? null);
  });
  process.on('disconnect', () => process.exit(0));
}

module.exports = { vault };
