// Policies on the wire, as tables: each row is a document, what a client sends, and what client and backend must see. A row
// gets an API and a backend of its own, so rows do not disturb each other.
//
//   table('forward-request', { workers: 2 }, [
//     { what: 'follows a redirect', backend: '<forward-request follow-redirects="true" />',
//       answers: (req, res) => …,                        // the row's backend; without it: an echo as JSON
//       request: { method: 'GET', path: '/x', headers: {}, body: '' },
//       expect: { status: 200, headers: { Location: null, 'X-A': /b/ }, body: 'text' | /pattern/ | { json }, ms: [0, 500],
//                 backend: [{ method, url, headers, body }] } },          // what the backend got, in this order; [] nothing
//   ]);
//
// `inbound`, `backend`, `outbound` and `onError` are the document's sections; without <base /> in them it is put first (not in
// backend). `document` is a whole one. Each may be a function of { url, host, port } of the row's backend and { gw }.
// `steps`: [{ request, expect, times, each }] in place of request and expect; `times` sends the same at once, `each` is told of every
// answer as it comes (answer, env), and `expect` is then a function of all answers. `request.root` asks the gateway's mount and not the row's API. An expectation may always be a function (answer, seen) that throws.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { start, backend, until, RELEASE, SERVERS } = require('./harness');

const METHODS = ['get', 'post', 'put', 'delete', 'head', 'patch'];
const responses = { 200: { description: 'ok' } };

function description(id) {
  const operations = (name) => Object.fromEntries(METHODS.map((m) => [m, { operationId: `${m}-${name}`, responses }]));
  return { openapi: '3.0.3', info: { title: id, version: '1' }, paths: {
    '/x': operations('x'),
    '/x/{id}': { parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }], ...operations('item') } } };
}

function documentOf(row, env) {
  const text = (part) => (typeof part === 'function' ? part(env) : part);
  const section = (name, part) => {
    const inside = text(part) ?? '<base />';
    return `<${name}>${/<base ?\/>/.test(inside) || name === 'backend' ? '' : '<base />'}${inside}</${name}>`;
  };
  return text(row.document) ?? `<policies>${section('inbound', row.inbound)}${section('backend', row.backend)}`
    + `${section('outbound', row.outbound)}${section('on-error', row.onError)}</policies>`;
}

// The programs without sanitizers are ten times faster to start, and a table starts many.
function quick(gw) {
  const program = path.join(RELEASE, 'gatehouse');
  return (...args) => {
    const r = spawnSync(fs.existsSync(program) ? program : path.join(gw.bin, 'gatehouse'), args, { encoding: 'utf8',
      env: { ...process.env, GATEHOUSE_STATE: gw.state } });
    if (r.status !== 0) throw new Error(`gatehouse ${args.join(' ')}: ${r.stdout}${r.stderr}`);
    return r.stdout;
  };
}

// fetch refuses some methods and fields, and hides the raw ones.
function send(base, { method = 'GET', path: target = '/x', headers = {}, body, agent = false, onData } = {}) {
  return new Promise((resolve, reject) => {
    const begun = Date.now();
    const u = new URL(base);
    const req = http.request({ host: u.hostname, port: u.port, path: u.pathname + target, method, headers, agent }, (res) => {
      const chunks = [];
      let firstMs;
      res.on('data', (c) => { firstMs ??= Date.now() - begun; onData?.(); chunks.push(c); });
      res.on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode, reason: res.statusMessage, headers: res.headers, bytes: Buffer.concat(chunks),
        body: Buffer.concat(chunks).toString(), firstMs, ms: Date.now() - begun }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

function same(actual, wanted, what) {
  if (wanted instanceof RegExp) assert.match(String(actual), wanted, what);
  else if (wanted === null) assert.equal(actual, undefined, what);
  else assert.equal(actual, wanted, what);
}

const fieldsAre = (actual, wanted, what) => {
  for (const [name, value] of Object.entries(wanted)) same(actual[name.toLowerCase()], value, `${what} ${name}`);
};

function bodyIs(actual, wanted, what) {
  if (typeof wanted === 'object' && !(wanted instanceof RegExp)) assert.deepEqual(JSON.parse(actual), wanted, what);
  else same(actual, wanted, what);
}

function check(answer, wanted, seen, env) {
  if (typeof wanted === 'function') return wanted(answer, seen, env);
  const shown = `${answer.status} ${answer.body.slice(0, 300)}`;
  if (wanted.status) assert.equal(answer.status, wanted.status, shown);
  if (wanted.reason) assert.equal(answer.reason, wanted.reason, shown);
  fieldsAre(answer.headers, wanted.headers ?? {}, 'header');
  if (wanted.body !== undefined) bodyIs(answer.body, wanted.body, 'body');
  if (wanted.ms) assert.ok(answer.ms >= wanted.ms[0] && answer.ms <= wanted.ms[1], `${answer.ms} ms`);
  if (!wanted.backend) return undefined;
  assert.equal(seen.length, wanted.backend.length, `calls of the backend: ${JSON.stringify(seen.map((s) => [s.method, s.url]))}`);
  wanted.backend.forEach((w, i) => {
    if (w.method) assert.equal(seen[i].method, w.method);
    if (w.url) same(seen[i].url, w.url, 'backend url');
    fieldsAre(seen[i].headers, w.headers ?? {}, 'backend header');
    if (w.body !== undefined) bodyIs(seen[i].body.toString(), w.body, 'backend body');
  });
  return undefined;
}

function table(title, options, rows) {
  for (const server of options.servers ?? [SERVERS.includes('nginx') ? 'nginx' : SERVERS[0]])
    describe(`${title} behind ${server}`, () => {
      let gw;
      const shared = {};
      const envs = rows.map(() => ({ shared }));

      before(async () => {
        for (const [i, row] of rows.entries()) {
          envs[i].backend = await backend(row.answers);
          Object.assign(envs[i], { url: envs[i].backend.url, port: envs[i].backend.port, host: `127.0.0.1:${envs[i].backend.port}` });
        }
        await options.before?.(shared);
        gw = await start({ server, workers: 2, ...options, setup: async (g) => {
          const cli = quick(g);
          cli('product', 'create', 'open', '--require-key', 'no');
          await options.setup?.(g, cli, shared);
          for (const [i, row] of rows.entries()) {
            const id = `r${i}`;
            Object.assign(envs[i], { gw: g, cli, id });
            await row.setup?.(envs[i]);
            cli('import', 'openapi', g.file(`${id}.json`, JSON.stringify(row.openapi ?? description(id))), '--path', id, '--name', id,
              '--backend', row.dead ? 'http://127.0.0.1:1' : envs[i].url, '--product', row.product ?? 'open');
            cli('policy', 'set', '--scope', `api:${id}`, g.file(`${id}.xml`, documentOf(row, envs[i])));
          }
        } });
      });
      after(async () => {
        await gw?.stop();
        for (const e of envs) await e.backend?.close();
        await options.after?.(shared);
      });

      for (const [i, row] of rows.entries())
        it(row.what, async () => {
          const env = envs[i];
          const base = `${gw.url}/api/r${i}`;
          for (const step of row.steps ?? [row]) {
            env.backend.seen.length = 0;
            await step.first?.(env);
            const request = typeof step.request === 'function' ? step.request(env) : step.request;
            if (step.times) {
              const all = await Promise.all(Array.from({ length: step.times }, () => send(base, request).then((a) => { step.each?.(a, env); return a; })));
              step.expect(all, env.backend.seen, env);
            } else {
              const answer = await send(request?.root ? `${gw.url}/api` : base, request);
              if (step.settled) await until(() => step.settled(env.backend.seen, env), row.what);
              check(answer, step.expect, env.backend.seen, env);
            }
          }
        });
    });
}

module.exports = { table, send, check };
