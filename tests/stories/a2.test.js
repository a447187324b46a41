// One hub, five systems, each with rules of its own: planning may call 100 times a minute, the partner 20 times, the BI tool may
// only GET, the MES may GET and POST; three sources with three ways to report errors look like one to all of them.
//
// One product, one subscription each; what differs are rules of the subscriptions. Each line of the story is one test.
'use strict';
const { describe, it, before, after, beforeEach } = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const { start, backend, until, SERVERS } = require('../http/harness');

const SOURCES = ['erp', 'mes', 'wms'];
const INVENTORY = { type: 'object', required: ['item', 'count'], properties: { item: { type: 'string' }, count: { type: 'integer', minimum: 0 } } };
const description = (title) => JSON.stringify({ openapi: '3.0.3', info: { title, version: '1' },
  paths: { '/items': {
    get: { operationId: 'list-items', responses: { 200: { description: 'ok' } } },
    post: { operationId: 'add-item', requestBody: { content: { 'application/json': { schema: INVENTORY } } }, responses: { 201: { description: 'made' } } } } } });

// What all calls go through: a field for the backend, a mark that is not let through, retries of what may be repeated, one form
// of errors and one field for the consumer.
const EVERYWHERE = `<policies>
  <inbound>
    <set-header name="X-Hub" exists-action="override"><value>north</value></set-header>
    <choose>
      <when condition='@(context.Request.Body != null && (context.Request.Body.As<string>(preserveContent: true) ?? "").Contains("\\"quarantine\\":true"))'>
        <return-response><set-status code="422" reason="Quarantined" /><set-body>{"error":{"message":"quarantined goods are not passed on"}}</set-body></return-response>
      </when>
    </choose>
  </inbound>
  <backend>
    <retry condition='@(context.Response.StatusCode == 503 && context.Request.Method == "GET")' count="2" interval="1" first-fast-retry="true">
      <forward-request timeout="5" />
    </retry>
  </backend>
  <outbound>
    <set-header name="X-Answered-By" exists-action="override"><value>@(context.Api.Name)</value></set-header>
    <choose>
      <when condition="@(context.Response.StatusCode >= 400)">
        <set-header name="Content-Type" exists-action="override"><value>application/json</value></set-header>
        <set-body>@{
          var type = context.Response.Headers.GetValueOrDefault("X-Native-Type", "");
          var text = context.Response.Body.As<string>();
          var message = text;
          if (type == "json") { message = (string)JObject.Parse(text)["fault"]["text"]; }
          if (type == "xml") { message = XElement.Parse(text).Value; }
          return new JObject(new JProperty("error", new JObject(new JProperty("status", context.Response.StatusCode),
            new JProperty("source", context.Api.Id), new JProperty("message", message)))).ToString(Newtonsoft.Json.Formatting.None);
        }</set-body>
        <set-header name="X-Native-Type" exists-action="delete" />
      </when>
    </choose>
  </outbound>
  <on-error>
    <set-header name="Content-Type" exists-action="override"><value>application/json</value></set-header>
    <set-body>@(new JObject(new JProperty("error", new JObject(new JProperty("reason", context.LastError.Reason), new JProperty("message", context.LastError.Message)))).ToString(Newtonsoft.Json.Formatting.None))</set-body>
  </on-error>
</policies>`;
const VALIDATE = `<policies><inbound><base />
  <validate-content unspecified-content-type-action="prevent" max-size="100000" size-exceeded-action="prevent"><content type="application/json" validate-as="json" action="prevent" /></validate-content>
</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>`;

const NATIVE = {
  erp: ['json', '{"fault":{"text":"no such company"}}'], mes: ['xml', '<e:Error xmlns:e="urn:mes"><e:Message>line is down</e:Message></e:Error>'],
  wms: ['text', 'ERR 17 unknown bin'],
};

for (const server of SERVERS) {
  describe(`one hub, five systems behind ${server}`, () => {
    const sources = {}, seen = [];
    let gw, keys = {};
    let answer = {};

    before(async () => {
      for (const name of SOURCES)
        sources[name] = await backend((req, res, body) => {
          seen.push({ name, method: req.method, headers: req.headers, body: String(body || '') });
          if (answer[name]?.(req, res)) return;
          res.writeHead(req.method === 'POST' ? 201 : 200, { 'Content-Type': 'application/json' });
          res.end(JSON.stringify({ source: name }));
        });
      gw = await start({ server, workers: 4, setup(g) {
        g.cli('product', 'create', 'hub');
        for (const name of SOURCES)
          g.cli('import', 'openapi', g.file(`${name}.json`, description(name.toUpperCase())), '--path', name, '--name', name,
            '--backend', sources[name].url, '--product', 'hub');
        g.cli('policy', 'set', '--scope', 'global', g.file('all.xml', EVERYWHERE));
        g.cli('policy', 'set', '--scope', 'operation:wms/add-item', g.file('validate.xml', VALIDATE));
        for (const id of ['planning', 'partner', 'bi', 'mes', 'quick'])
          keys[id] = g.cli('subscription', 'create', '--product', 'hub', '--id', id, '--format', 'json').json().primaryKey;
        g.cli('consumer-rule', 'set', 'planning', '--rate', '100/60');
        g.cli('consumer-rule', 'set', 'partner', '--rate', '20/60', '--api', 'erp');
        g.cli('consumer-rule', 'set', 'bi', '--methods', 'GET');
        g.cli('consumer-rule', 'set', 'mes', '--methods', 'GET,POST');
        g.cli('consumer-rule', 'set', 'quick', '--rate', '2/2:token-bucket');
      } });
    });
    beforeEach(() => { answer = {}; seen.length = 0; });
    after(async () => { await gw?.stop(); for (const s of Object.values(sources)) await s.close(); });

    const call = (who, source, { method = 'GET', body, headers = {} } = {}) => new Promise((resolve, reject) => {
      const req = http.request(`${gw.url}/api/${source}/items`, { method, headers: { 'Ocp-Apim-Subscription-Key': keys[who],
        ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }), ...headers } }, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (d) => { text += d; }).on('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
      });
      req.on('error', reject).end(body);
    });
    const clients = (who, n) => Promise.all(Array.from({ length: 8 }, async () => {
      const all = [];
      for (let i = 0; i < n; i++) all.push(await call(who, 'erp'));
      return all;
    })).then((all) => all.flat());
    const record = (id) => until(() => {
      const r = gw.cli('log', '--id', id, '--format', 'json', { fails: true });
      return r.code === 0 && r.stdout.trim() ? JSON.parse(r.stdout.trim().split('\n')[0]) : null;
    }, `the record of ${id}`);

    it('lets planning call exactly 100 times and the partner 20 times, from 8 clients over 4 workers, and leaves the MES alone', async () => {
      const [planning, partner, mes] = await Promise.all([clients('planning', 25), clients('partner', 10), clients('mes', 10)]);
      const count = (all, status) => all.filter((r) => r.status === status).length;
      assert.deepEqual([count(planning, 200), count(planning, 429)], [100, 100]);
      assert.deepEqual([count(partner, 200), count(partner, 429)], [20, 60]);
      assert.equal(count(mes, 200), 80);
      for (const r of planning) assert.equal(r.headers['ratelimit-policy'], '"rate";q=100;w=60');
      for (const r of partner) assert.equal(r.headers['ratelimit-policy'], '"rate";q=20;w=60');
      const left = planning.filter((r) => r.status === 200).map((r) => Number(/^"rate";r=(\d+);t=\d+$/.exec(r.headers.ratelimit)[1]));
      assert.deepEqual(left.sort((x, y) => x - y), [...Array(100).keys()], 'each call is told another number');
      for (const r of [...planning, ...partner].filter((x) => x.status === 429))
        assert.ok(r.headers['retry-after'] >= 1 && r.headers.ratelimit === `"rate";r=0;t=${r.headers['retry-after']}`);
      assert.equal((await call('partner', 'wms')).status, 200, 'the rule is about the ERP alone');
    });

    it('serves the next call after what Retry-After says', async () => {
      const refused = await until(async () => {
        await Promise.all([1, 2, 3].map(() => call('quick', 'erp')));
        const last = await call('quick', 'erp');      // it tells: nothing is taken after it
        return last.status === 429 && last;
      }, 'a refusal');
      await new Promise((resolve) => setTimeout(resolve, Number(refused.headers['retry-after']) * 1000));
      assert.equal((await call('quick', 'erp')).status, 200);
    });

    it('lets the BI tool read every source in one scheme and write to none', async () => {
      for (const source of SOURCES) {
        const r = await call('bi', source);
        assert.deepEqual([r.status, JSON.parse(r.text).source], [200, source]);
      }
      seen.length = 0;
      const no = await call('bi', 'erp', { method: 'POST', body: '{"item":"a","count":1}' });
      assert.equal(no.status, 403);
      assert.equal(JSON.parse(no.text).error.reason, 'method_not_allowed_for_consumer');
      assert.deepEqual(seen, [], 'the backend saw nothing');
      const row = await record(no.headers['x-request-id']);
      assert.equal(row.reason, 'method_not_allowed_for_consumer');
      assert.match(JSON.stringify(row), /methods GET/);
      assert.equal((await call('mes', 'mes', { method: 'POST', body: '{"item":"a","count":1}' })).status, 201);
    });

    it('shows errors of three kinds in one form', async () => {
      for (const source of SOURCES) {
        answer[source] = (req, res) => { res.writeHead(404, { 'X-Native-Type': NATIVE[source][0], 'Content-Type': 'text/plain' }); res.end(NATIVE[source][1]); return true; };
        const r = await call('mes', source);
        assert.equal(r.status, 404);
        assert.equal(r.headers['content-type'], 'application/json');
        assert.deepEqual(JSON.parse(r.text), { error: { status: 404, source, message: { erp: 'no such company', mes: 'line is down', wms: 'ERR 17 unknown bin' }[source] } });
      }
    });

    it('asks again after a passing 503 of a GET, and never of a POST', async () => {
      let n = 0;
      answer.erp = (req, res) => { if (n++) return false; res.statusCode = 503; res.end('later'); return true; };
      assert.deepEqual([(await call('mes', 'erp')).status, n], [200, 2]);
      n = 0;
      assert.deepEqual([(await call('mes', 'erp', { method: 'POST', body: '{"item":"a","count":1}' })).status, n], [503, 1]);
    });

    it('has four stages: inbound, outbound, a condition, on-error', async () => {
      const r = await call('mes', 'erp');
      assert.equal(seen.at(-1).headers['x-hub'], 'north');
      assert.equal(r.headers['x-answered-by'], 'ERP');
      seen.length = 0;
      const marked = await call('mes', 'erp', { method: 'POST', body: '{"item":"a","count":1,"quarantine":true}' });
      assert.deepEqual([marked.status, JSON.parse(marked.text).error.message, seen.length], [422, 'quarantined goods are not passed on', 0]);
      answer.erp = (req) => { req.socket.destroy(); return true; };
      const broken = await call('mes', 'erp', { method: 'POST', body: '{"item":"a","count":1}' });
      assert.equal(broken.status, 502);
      assert.equal(typeof JSON.parse(broken.text).error.reason, 'string', 'the body of on-error');
    });

    it('lets a submission in that fits its schema, and names the field of one that does not', async () => {
      assert.equal((await call('partner', 'wms', { method: 'POST', body: '{"item":"a","count":1}' })).status, 201);
      seen.length = 0;
      const bad = await call('partner', 'wms', { method: 'POST', body: '{"item":"a"}' });
      assert.equal(bad.status, 400);
      assert.match(bad.text, /count/);
      assert.deepEqual(seen, []);
    });

    it('keeps a subscription to the operations that its rule lists, from the next call on', async () => {
      gw.cli('consumer-rule', 'set', 'bi', '--api', 'wms', '--operations', 'list-items');
      assert.equal((await call('bi', 'wms')).status, 200);
      const no = await call('bi', 'wms', { method: 'POST', body: '{"item":"a","count":1}' });
      assert.deepEqual([no.status, JSON.parse(no.text).error.reason], [403, 'operation_not_allowed_for_consumer']);
      assert.deepEqual(gw.cli('consumer-rule', 'list', 'bi', '--format', 'json').json(),
        [{ api: null, methods: 'GET', operations: '', limits: '' }, { api: 'wms', methods: '', operations: 'list-items', limits: '' }]);
      gw.cli('consumer-rule', 'delete', 'bi', '--api', 'wms');
      assert.equal((await call('bi', 'wms', { method: 'POST', body: '{"item":"a","count":1}' })).status, 403);
      gw.cli('consumer-rule', 'delete', 'bi');
      assert.equal((await call('bi', 'wms', { method: 'POST', body: '{"item":"a","count":1}' })).status, 201);
      for (const [args, says] of [[['nobody', '--methods', 'GET'], /no subscription 'nobody'/], [['bi', '--methods', 'get'], /no method/],
        [['bi', '--operations', 'x'], /say which/], [['bi', '--api', 'erp', '--operations', 'x'], /has no operation 'x'/], [['bi'], /a rule says methods, operations or limits/],
        [['bi', '--rate', '5/60:leaky'], /fixed-window, sliding-window, token-bucket or leaky-bucket/]])
        assert.match(gw.cli('consumer-rule', 'set', ...args, { fails: true }).stderr, says);
    });
  });
}
