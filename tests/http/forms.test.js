// Forms that the gateway itself reads, sent without a length: they are answered, whatever the size of the upload buffer is.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { connect, begin, paramsOf, paramRecords, bodyRecords, record, TYPE } = require('./fcgi-client');
const { startWorker } = require('./worker');
const { until } = require('./harness');

const LIMIT = 65536;
let w;
test.before(async () => {
  w = await startWorker({ backend: 'http://127.0.0.1:9', config: { 'gateway.stream_buffer_bytes': 16384 } });
  w.gw.cli('identity-provider', 'create', 'corp', '--issuer', 'http://127.0.0.1:9', '--client-id', 'c', '--for', 'apis');
  w.gw.cli('iap', 'set', '--api', 'echo', '--provider', 'corp');
  await until(async () => (await sent('/api/-/iap/backchannel/corp', [head('/api/-/iap/backchannel/corp'), record(TYPE.STDIN, 1)])).status === 400,
    'the provider');
});
test.after(() => w.stop());

const form = (n) => Buffer.from(`grant_type=client_credentials&client_id=nobody&logout_token=${'x'.repeat(n)}`);
const head = (path) => Buffer.concat([begin(1), paramRecords(1, paramsOf({ method: 'POST', path,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }))]);

async function sent(path, pieces) {
  const c = await connect(w.socket);
  for (const piece of pieces) await c.write(piece);
  const res = await c.response();
  c.close();
  return res;
}

for (const [path, status] of [['/api/-/oauth2/token', 401], ['/api/-/oauth2/revoke', 401], ['/api/-/iap/backchannel/corp', 503]]) {
  test(`${path}: a form that is larger than the upload buffer`, async () => {
    const res = await sent(path, [Buffer.concat([head(path), bodyRecords(1, form(40000)), record(TYPE.STDIN, 1)])]);
    assert.equal(res.status, status, res.body.toString());
  });

  test(`${path}: in pieces`, async () => {
    const all = form(40000);
    const res = await sent(path, [head(path), bodyRecords(1, all.subarray(0, 100)), bodyRecords(1, all.subarray(100, 30000)),
      Buffer.concat([bodyRecords(1, all.subarray(30000)), record(TYPE.STDIN, 1)])]);
    assert.equal(res.status, status, res.body.toString());
  });

  test(`${path}: one that is too large is refused before its end has come`, async () => {
    const res = await sent(path, [head(path), bodyRecords(1, form(LIMIT))]);
    assert.ok([400, 413].includes(res.status), `${res.status} ${res.body}`);
  });
}
