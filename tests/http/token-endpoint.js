// An OAuth 2.0 token endpoint that counts: what was asked, in which form, and what it answered. Its answers can be made slow,
// short-lived, refused or broken, or it can be taken away altogether.
'use strict';
const http = require('node:http');
const https = require('node:https');
const crypto = require('node:crypto');
const { freePort } = require('./harness');

async function tokenEndpoint({ clientId = 'mes', secret = 's3cr/et+of=the client', tls } = {}) {
  const state = { life: 3600, delayMs: 0, status: 200, error: 'invalid_client', extra: {}, port: 0, reply: null };
  const requests = [], issued = [];
  const sockets = new Set();
  const answer = (req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const basic = /^Basic (.*)$/.exec(req.headers.authorization || '');
      const given = basic ? Buffer.from(basic[1], 'base64').toString().split(':').map(decodeURIComponent)
        : [form.get('client_id'), form.get('client_secret')];
      requests.push({ at: Date.now(), url: req.url, headers: req.headers, form, basic: !!basic, given, method: req.method,
        certificate: req.socket.getPeerCertificate?.()?.subject?.CN });
      const finish = () => {
        const json = (status, body, headers = {}) => {
          res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers });
          res.end(JSON.stringify(body));
        };
        if (state.reply && state.reply(form, json, res, req)) return;
        if (state.status !== 200) return json(state.status, { error: state.error, error_description: `secret ${secret} is wrong` });
        if (secret && !tls && (given[0] !== clientId || given[1] !== secret)) return json(401, { error: 'invalid_client' });
        const token = `tok-${issued.length + 1}-${crypto.randomBytes(24).toString('base64url')}`;
        issued.push({ token, at: Date.now(), ends: Date.now() + state.life * 1000, form });
        json(200, { access_token: token, token_type: 'Bearer', expires_in: state.life, ...state.extra });
      };
      if (state.delayMs) setTimeout(finish, state.delayMs); else finish();
    });
  };
  const make = () => (tls ? https.createServer(tls, answer) : http.createServer(answer));
  let server = make();
  const listen = (port) => new Promise((resolve, reject) => {
    server.on('connection', (s) => { sockets.add(s); s.on('close', () => sockets.delete(s)); });
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => { server.unref(); state.port = server.address().port; resolve(); });
  });
  const down = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); for (const s of sockets) s.destroy(); });
  await listen(await freePort());       // which nobody else takes while it is down
  return {
    state, requests, issued, clientId, secret,
    get url() { return `${tls ? 'https' : 'http'}://127.0.0.1:${state.port}/oauth2/token`; },
    live: (token) => issued.some((i) => i.token === token && !i.revoked && i.ends > Date.now()),
    revoke: () => issued.forEach((i) => { i.revoked = true; }),
    down, up: async () => { server = make(); await listen(state.port); }, close: down,
  };
}

module.exports = { tokenEndpoint };
