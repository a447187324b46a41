// The five scopes on the wire: which document comes where, what the absence of <base/> means, and that a document comes out of
// the store as it went in.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { start, backend, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' }, paths: {
  '/a': { get: { operationId: 'a', responses: { 200: { description: 'ok' } } } },
  '/b': { get: { operationId: 'b', responses: { 200: { description: 'ok' } } } },
  '/c': { get: { operationId: 'c', responses: { 200: { description: 'ok' } } } } } });

const mark = (text) => `<set-header name="X-Way" exists-action="append"><value>${text}</value></set-header>`;
// raw: an expression with quotes, < and && in an attribute, an entity, a comment with two dashes, CRLF, tabs, no end of line
const document = (scope, inbound = '<base />') => `<?xml version="1.0"?>\r\n<!-- ${scope} -->\r\n<policies>\r\n\t<inbound>${mark(`${scope}(`)}${inbound}`
  + `<choose><when condition="@(context.Request.Method == "GET" && 1 < 2)">${mark(`${scope})`)}</when></choose>`
  + `</inbound><backend>${scope === 'global' ? '<forward-request />' : '<base/>'}</backend><outbound><base/></outbound><on-error><base/></on-error>\r\n</policies   >`;
const SCOPES = { global: 'global', 'workspace:default': 'workspace', 'product:open': 'product', 'api:things': 'api', 'operation:things/a': 'operation' };

describe(`scopes behind ${SERVERS[0]}`, () => {
  let gw, things;
  const way = async (path) => {
    const r = await fetch(`${gw.url}/api/things/${path}`);
    await r.text();
    return things.seen.at(-1).headers['x-way'];
  };

  before(async () => {
    things = await backend();
    gw = await start({ server: SERVERS[0], workers: 1, setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      g.cli('import', 'openapi', g.file('d.json', DESCRIPTION), '--path', 'things', '--name', 'things', '--backend', things.url, '--product', 'open');
      for (const [scope, name] of Object.entries(SCOPES))
        g.cli('policy', 'set', '--scope', scope, g.file(`${name}.xml`, document(name, name === 'global' ? '' : '<base />')));
      g.cli('policy', 'set', '--scope', 'operation:things/b', g.file('b.xml', document('alone', '')));
      g.cli('policy', 'set', '--scope', 'workspace:default', g.file('w.xml', document('workspace').replace('</choose>', '</choose>'
        + '<choose><when condition="@(context.Operation.Id == "c")"><set-variable name="v" value="@(((string)null).Length)" /></when></choose>')
        .replace('<on-error>', '<on-error><return-response><set-status code="418" /><set-body>@(context.LastError.Scope + " " '
        + '+ context.LastError.Section + " " + context.LastError.Path + " " + context.Workspace.Id)</set-body></return-response>')));
    } });
  });
  after(async () => { await gw?.stop(); await things?.close(); });

  it('run from the innermost outwards at <base/>, and come back', async () => {
    assert.equal(await way('a'), 'operation(,api(,product(,workspace(,global(,global),workspace),product),api),operation)');
  });

  it('end where a document has no <base/>', async () => {
    assert.equal(await way('b'), 'alone(,alone)');
  });

  it('are named in context.LastError', async () => {
    const r = await fetch(`${gw.url}/api/things/c`);
    assert.deepEqual([r.status, await r.text()], [418, 'workspace inbound choose[2]\\when\\set-variable default']);
  });

  it('give documents back byte for byte', () => {
    for (const [scope, name] of Object.entries(SCOPES)) {
      const file = name === 'workspace' ? 'w.xml' : `${name}.xml`;
      assert.equal(gw.cli('policy', 'show', '--scope', scope).stdout, fs.readFileSync(`${gw.dir}/${file}`, 'utf8'), scope);
    }
  });
});
