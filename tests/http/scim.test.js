// Provisioning by SCIM 2.0: what an identity provider does in its life with users and groups, filters, pages, versions, and
// refusals in the words of RFC 7644; and what it means here: sign-in, sessions, subscriptions.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, until, SERVERS } = require('./harness');
const { request, sql, Visitor } = require('./people');

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User', GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error', LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const PASSWORD = 'a sentence that nobody guesses';
let gw, token;

async function up(server) {
  gw = await start({ server, workers: 1, setup(g) {
    g.cli('product', 'create', 'starter');
    g.cli('user', 'create', 'pat@example.com', '--role', 'developer', '--first-name', 'Pat', '--password-file', g.file('pat', `${PASSWORD}\n`));
    g.cli('subscription', 'create', '--product', 'starter', '--user', 'pat@example.com');
    token = g.cli('scim-token', 'create', 'corp', '--format', 'json').json().token;
  } });
}

async function scim(method, path, body, headers = {}) {
  const url = new URL(path.startsWith('http') ? path : `${gw.url}/admin/scim/v2${path}`);
  const answer = await request(method, url, { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }), ...headers },
    body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  const read = answer.text ? JSON.parse(answer.text) : undefined;
  // what holds for every answer: its type (RFC 7644, section 3.1), the shape of errors (3.12) and lists (3.4.2), the version beside and in a resource (3.14)
  if (read) assert.match(answer.headers.get('content-type'), /^application\/scim\+json/, path);
  if (answer.status >= 400) {
    assert.deepStrictEqual([read.schemas, read.status, typeof read.detail], [[ERROR], String(answer.status), 'string'], path);
    assert.ok(!('scimType' in read) || [400, 409].includes(answer.status), path);
  } else if (read?.totalResults !== undefined) {
    assert.deepStrictEqual([read.schemas, read.itemsPerPage], [[LIST], (read.Resources || []).length], path);
    for (const one of read.Resources || []) assert.ok(one.schemas.length && one.id, path);
  } else if (read?.meta?.version) {
    assert.deepStrictEqual([answer.headers.get('etag'), read.meta.location], [read.meta.version, `${gw.url}/admin/scim/v2/${read.meta.resourceType}s/${read.id}`], path);
  }
  return { status: answer.status, headers: answer.headers, body: read, text: answer.text };
}
const ada = (more = {}) => ({ schemas: [USER, ENTERPRISE], userName: 'ada', externalId: 'A-1', name: { givenName: 'Ada', familyName: 'Byron' },
  emails: [{ value: 'old@example.com', type: 'home' }, { value: 'ada@example.com', type: 'work', primary: true }], active: true,
  [ENTERPRISE]: { department: 'Engines', manager: { value: '7' } }, password: 'never kept', ...more });
const ops = (...Operations) => ({ schemas: [PATCH], Operations });
const found = async (filter) => (await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body;
const row = (email) => gw.cli('user', 'list', '--search', email, '--format', 'json').json()[0];

for (const server of SERVERS.slice(0, 1)) {
  test(`behind ${server}`, async (t) => {
    t.after(async () => { if (gw) await gw.stop(); gw = undefined; });
    await up(server);
    let id;

    await t.test('without a token, with a wrong one, with a session: 401', async () => {
      for (const headers of [{ authorization: '' }, { authorization: 'Bearer x' }, { authorization: `Bearer ${token}x` }, { authorization: `Basic ${token}` }]) {
        const answer = await scim('GET', '/Users', undefined, headers);
        assert.strictEqual(answer.status, 401);
        assert.match(answer.headers.get('www-authenticate'), /^Bearer realm="scim"/);
        assert.deepStrictEqual([answer.body.schemas[0], answer.body.status], ['urn:ietf:params:scim:api:messages:2.0:Error', '401']);
      }
      const v = await (await new Visitor(gw.url).signIn(gw.admin.email, gw.admin.password, '/admin/sign-in')).follow();
      assert.strictEqual((await v.get('/admin/scim/v2/Users')).status, 401);
      assert.ok(!sql(gw, 'SELECT digest FROM scim_token').includes(token), 'only the digest is kept');
    });

    await t.test('what it can do', async () => {
      const { body } = await scim('GET', '/ServiceProviderConfig');
      assert.deepStrictEqual([body.patch.supported, body.filter.supported, body.etag.supported, body.bulk.supported, body.sort.supported], [true, true, true, false, false]);
      assert.deepStrictEqual((await scim('GET', '/ResourceTypes')).body.Resources.map((r) => r.endpoint), ['/Users', '/Groups']);
      const schema = (await scim('GET', `/Schemas/${USER}`)).body;
      assert.deepStrictEqual(schema.attributes.find((a) => a.name === 'name').subAttributes.map((a) => a.name), ['givenName', 'familyName', 'formatted']);
      assert.strictEqual((await scim('POST', '/Schemas', {})).status, 405);
      for (const path of ['/Bulk', '/Me']) assert.strictEqual((await scim('POST', path, {})).status, 501);
      assert.strictEqual((await scim('GET', '/Nothing')).status, 404);
    });

    await t.test('create', async () => {
      const { status, headers, body } = await scim('POST', '/Users', ada());
      assert.strictEqual(status, 201, JSON.stringify(body));
      id = body.id;
      assert.strictEqual(headers.get('location'), `${gw.url}/admin/scim/v2/Users/${id}`);
      assert.strictEqual(headers.get('etag'), body.meta.version);
      assert.deepStrictEqual([body.userName, body.externalId, body.active, body.emails, body[ENTERPRISE].department, body.password, body.name.formatted],
        ['ada', 'A-1', true, [{ value: 'ada@example.com', type: 'work', primary: true }], 'Engines', undefined, 'Ada Byron']);
      assert.deepStrictEqual([row('ada@').role, row('ada@').state, row('ada@').lastName], ['developer', 'active', 'Byron']);
    });

    await t.test('create: refusals', async () => {
      for (const [label, body, status, type] of [
        ['the same userName', ada({ emails: [{ value: 'x@example.com' }] }), 409, 'uniqueness'],
        ['the same address', ada({ userName: 'other' }), 409, 'uniqueness'],
        ['no userName', ada({ userName: undefined }), 400, 'invalidValue'],
        ['no address', ada({ userName: 'other', emails: [] }), 400, 'invalidValue'],
        ['an address with a line break', ada({ userName: 'o', emails: [{ value: 'a@b\r\nBcc: c@d' }] }), 400, 'invalidValue'],
        ['no JSON', '{', 400, 'invalidSyntax'], ['a list', '[]', 400, 'invalidSyntax'], ['twice the same name', '{"userName":"a","userName":"b"}', 400, 'invalidSyntax']]) {
        const answer = await scim('POST', '/Users', body);
        assert.deepStrictEqual([answer.status, answer.body.scimType], [status, type], label);
      }
      assert.strictEqual((await scim('POST', '/Users', ada(), { 'content-type': 'text/plain' })).status, 415);
    });

    await t.test('filters', async () => {
      for (const [filter, want] of [['userName eq "ADA"', 1], ['userName eq "pat@example.com"', 1], ['userName eq "nobody"', 0], [`${USER}:userName eq "ada"`, 1],
        ['userName co "d"', 2], ['userName sw "ad"', 2], ['userName ew "a" and active eq true', 1], ['userName ne "ada"', 2], ['name.familyName eq "byron"', 1],
        ['emails[type eq "work" and value co "ada@"]', 1], ['emails.value eq "ada@example.com"', 1], ['externalId eq "a-1"', 0], ['externalId eq "A-1"', 1],
        [`${ENTERPRISE}:department eq "engines"`, 1], ['not (userName eq "ada") and not (userName sw "pat")', 1], ['userName eq "ada" or userName eq "pat@example.com"', 2],
        ['(userName eq "x" or userName eq "ada") and name.givenName pr', 1], ['title pr', 0], ['active eq "True"', 3], ['meta.created gt "2020-01-01T00:00:00Z"', 3],
        [`id eq "${id}"`, 1], ['userName eq "a\\"b"', 0], ['active eq false', 0]])
        assert.strictEqual((await found(filter)).totalResults, want, filter);
      for (const filter of ['userName', 'userName eq', 'userName eq ada', 'eq "x"', '(userName pr', 'userName pr)', 'userName is "x"', 'emails[type eq "x"', 'a eq "', `${'('.repeat(40)}a pr${')'.repeat(40)}`,
        `userName eq "${'x'.repeat(5000)}"`]) {
        const answer = await scim('GET', `/Users?filter=${encodeURIComponent(filter)}`);
        assert.deepStrictEqual([answer.status, answer.body.scimType], [400, 'invalidFilter'], filter.slice(0, 50));
      }
    });

    await t.test('pages and chosen attributes', async () => {
      const all = (await scim('GET', '/Users')).body;
      assert.deepStrictEqual([all.totalResults, all.startIndex, all.itemsPerPage], [3, 1, 3]);
      const page = (await scim('GET', '/Users?startIndex=2&count=1')).body;
      assert.deepStrictEqual([page.totalResults, page.startIndex, page.itemsPerPage, page.Resources[0].id], [3, 2, 1, all.Resources[1].id]);
      assert.deepStrictEqual((await scim('GET', '/Users?count=0')).body.Resources, []);
      assert.deepStrictEqual((await scim('GET', '/Users?startIndex=9')).body.Resources, []);
      assert.strictEqual((await scim('GET', '/Users?startIndex=-3&count=-1')).body.startIndex, 1);
      assert.deepStrictEqual(Object.keys((await scim('GET', `/Users/${id}?attributes=userName,name.givenName`)).body).sort(), ['id', 'name', 'schemas', 'userName']);
      assert.ok(!('emails' in (await scim('GET', `/Users/${id}?excludedAttributes=emails`)).body));
    });

    await t.test('versions', async () => {
      const { headers } = await scim('GET', `/Users/${id}`);
      const tag = headers.get('etag');
      assert.strictEqual((await scim('GET', `/Users/${id}`, undefined, { 'if-none-match': tag })).status, 304);
      assert.strictEqual((await scim('PUT', `/Users/${id}`, ada(), { 'if-match': 'W/"old"' })).status, 412);
      assert.strictEqual((await scim('PATCH', `/Users/${id}`, ops({ op: 'replace', path: 'title', value: 'Countess' }), { 'if-match': tag })).status, 200);
      assert.strictEqual((await scim('PATCH', `/Users/${id}`, ops({ op: 'replace', path: 'title', value: 'x' }), { 'if-match': tag })).status, 412);
      assert.strictEqual((await scim('DELETE', `/Users/${id}`, undefined, { 'if-match': tag })).status, 412);
      gw.cli('user', 'set', 'ada@example.com', '--first-name', 'Augusta');
      assert.strictEqual((await scim('GET', `/Users/${id}`, undefined, { 'if-none-match': '*' })).status, 304);
      assert.strictEqual((await scim('GET', `/Users/${id}`)).body.name.givenName, 'Augusta', 'changes made elsewhere show');
    });

    await t.test('PATCH, one way a row', async () => {
      for (const [label, operations, check] of [
        ['replace a part', [{ op: 'replace', path: 'name.familyName', value: 'King' }], (u) => u.name.familyName === 'King' && u.name.givenName === 'Augusta'],
        ['without a path', [{ op: 'Replace', value: { name: { givenName: 'Ada' }, nickName: 'A' } }], (u) => u.name.givenName === 'Ada' && u.nickName === 'A'],
        ['names that are paths', [{ op: 'add', value: { 'name.familyName': 'Lovelace', [`${ENTERPRISE}:department`]: 'Looms' } }], (u) => u.name.familyName === 'Lovelace' && u[ENTERPRISE].department === 'Looms' && u[ENTERPRISE].manager.value === '7'],
        ['an extension', [{ op: 'replace', path: `${ENTERPRISE}:department`, value: 'Engines' }], (u) => u[ENTERPRISE].department === 'Engines'],
        ['by filter', [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'countess@example.com' }], (u) => u.emails[0].value === 'countess@example.com'],
        ['by filter, not there yet', [{ op: 'add', path: 'phoneNumbers[type eq "mobile"].value', value: '1' }], (u) => u.phoneNumbers[0].type === 'mobile'],
        ['add to a list twice', [{ op: 'add', path: 'phoneNumbers', value: [{ value: '2' }] }, { op: 'add', path: 'phoneNumbers', value: { value: '2', type: 'home' } }], (u) => u.phoneNumbers.length === 2],
        ['remove by filter', [{ op: 'remove', path: 'phoneNumbers[value eq "1"]' }], (u) => u.phoneNumbers.length === 1],
        ['remove', [{ op: 'remove', path: 'phoneNumbers' }, { op: 'remove', path: 'nickName' }], (u) => !u.phoneNumbers?.length && !u.nickName],
        ['read-only parts are passed over', [{ op: 'replace', value: { id: 'x', meta: {}, schemas: [], title: 'y' } }], (u) => u.id === id && u.title === 'y'],
      ]) {
        const { status, body } = await scim('PATCH', `/Users/${id}`, ops(...operations));
        assert.ok(status === 200 && check(body), `${label}: ${JSON.stringify(body)}`);
      }
      assert.strictEqual(row('countess@').lastName, 'Lovelace');
      for (const [label, operations, type] of [['no such verb', [{ op: 'move', path: 'title' }], 'invalidSyntax'], ['none', [], 'invalidSyntax'], ['id', [{ op: 'replace', path: 'id', value: 'x' }], 'mutability'],
        ['a path that is none', [{ op: 'replace', path: 'emails[type eq', value: 1 }], 'invalidPath'], ['nothing there', [{ op: 'remove', path: 'emails[type eq "x"]' }], 'noTarget'],
        ['no value', [{ op: 'add', path: 'title' }], 'invalidValue'], ['remove without a path', [{ op: 'remove' }], 'noTarget']]) {
        const { status, body } = await scim('PATCH', `/Users/${id}`, ops(...operations));
        assert.deepStrictEqual([status, body.scimType], [400, type], label);
      }
    });

    await t.test('PUT replaces: what is not there is gone', async () => {
      const { status, body } = await scim('PUT', `/Users/${id}`, ada({ [ENTERPRISE]: undefined, title: undefined, externalId: 'A-2' }));
      assert.ok(status === 200 && body.externalId === 'A-2' && !body[ENTERPRISE] && !body.title && body.emails[0].value === 'ada@example.com');
    });

    await t.test('deactivated: no sign-in, no session, keys suspended; activated again: back', async () => {
      const pat = (await found('userName eq "pat@example.com"')).Resources[0].id;
      const v = await (await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).follow();
      assert.ok(v.says('Sign out'));
      const off = await scim('PATCH', `/Users/${pat}`, ops({ op: 'Replace', path: 'active', value: 'False' }));
      assert.strictEqual(off.body.active, false);
      assert.ok(!(await v.open('/')).says('Sign out'));
      assert.strictEqual((await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).status, 422);
      assert.strictEqual(sql(gw, 'SELECT state FROM subscription'), '2');
      assert.strictEqual((await found('active eq false')).totalResults, 1);
      await scim('PATCH', `/Users/${pat}`, ops({ op: 'replace', value: { active: true } }));
      assert.strictEqual(sql(gw, 'SELECT state FROM subscription'), '1');
      assert.strictEqual((await new Visitor(gw.url).signIn('pat@example.com', PASSWORD)).status, 303);
    });

    await t.test('the only administrator stays', async () => {
      const admin = (await found(`userName eq "${gw.admin.email}"`)).Resources[0].id;
      gw.cli('user', 'set', 'ada@example.com', '--access', 'blocked');
      const { active, ...silent } = ada();
      assert.strictEqual((await scim('PUT', `/Users/${id}`, silent)).body.active, false, 'what is not said does not unblock');
      assert.strictEqual((await scim('PATCH', `/Users/${id}`, ops({ op: 'replace', path: 'title', value: 'x' }))).body.active, false);
      assert.strictEqual((await scim('PUT', `/Users/${id}`, ada())).body.active, true);
      assert.strictEqual((await scim('PATCH', `/Users/${admin}`, ops({ op: 'replace', path: 'active', value: false }))).status, 403);
      assert.strictEqual((await scim('DELETE', `/Users/${admin}`)).status, 403);
      // whose address it is can set the password: provisioning must not become a way into the dashboard
      for (const path of ['userName', 'emails[type eq "work"].value']) {
        const taken = await scim('PATCH', `/Users/${admin}`, ops({ op: 'replace', path, value: 'thief@example.com' }));
        assert.ok([200, 403].includes(taken.status), `${path}: ${taken.status}`);
      }
      assert.strictEqual(sql(gw, `SELECT count(*) FROM user_account WHERE email = '${gw.admin.email}'`), '1');
      gw.cli('user', 'create', 'rae@example.com', '--role', 'approver');   // a role that is assigned, not the account's own
      const rae = (await found('userName eq "rae@example.com"')).Resources[0].id;
      for (const path of ['userName', 'emails[type eq "work"].value']) await scim('PATCH', `/Users/${rae}`, ops({ op: 'replace', path, value: 'thief@example.com' }));
      assert.strictEqual(sql(gw, "SELECT count(*) FROM user_account WHERE email = 'rae@example.com'"), '1');
    });

    await t.test('groups: members come, go and are listed at the user', async () => {
      const made = await scim('POST', '/Groups', { schemas: [GROUP], displayName: 'Partners', externalId: 'G1', members: [{ value: id }] });
      assert.strictEqual(made.status, 201, made.text);
      const group = made.body.id;
      assert.deepStrictEqual(made.body.members.map((m) => [m.value, m.display]), [[id, 'ada@example.com']]);
      assert.deepStrictEqual((await scim('GET', `/Users/${id}`)).body.groups.map((g) => [g.value, g.display]), [[group, 'Partners']]);
      assert.strictEqual((await scim('POST', '/Groups', { schemas: [GROUP], displayName: 'partners' })).status, 409);
      assert.strictEqual((await scim('POST', '/Groups', { schemas: [GROUP], displayName: 'X', members: [{ value: 'nobody' }] })).status, 400);
      assert.strictEqual(sql(gw, "SELECT count(*) FROM user_group WHERE name = 'X'"), '0', 'nothing is left of a refused one');
      const pat = (await found('userName eq "pat@example.com"')).Resources[0].id;
      const members = async () => (await scim('GET', `/Groups/${group}`)).body.members.map((m) => m.value).sort();
      await scim('PATCH', `/Groups/${group}`, ops({ op: 'Add', path: 'members', value: [{ value: pat }, { value: id }] }));
      assert.deepStrictEqual(await members(), [id, pat].sort());
      const filter = (f) => scim('GET', `/Groups?filter=${encodeURIComponent(f)}&excludedAttributes=members`);
      assert.strictEqual((await filter(`members.value eq "${pat}"`)).body.totalResults, 1);
      assert.ok(!('members' in (await filter('displayName eq "PARTNERS"')).body.Resources[0]));
      await scim('PATCH', `/Groups/${group}`, ops({ op: 'remove', path: `members[value eq "${pat}"]` }));
      assert.deepStrictEqual(await members(), [id]);
      await scim('PATCH', `/Groups/${group}`, ops({ op: 'Remove', path: 'members', value: [{ value: id }] }, { op: 'replace', path: 'displayName', value: 'Friends' }));
      assert.deepStrictEqual(await members(), []);
      await scim('PUT', `/Groups/${group}`, { schemas: [GROUP], displayName: 'Friends', members: [{ value: pat }] });
      assert.deepStrictEqual(await members(), [pat]);
      for (const built of ['administrators', 'developers', 'guests']) assert.strictEqual((await scim('GET', `/Groups/${built}`)).status, 404);
      assert.strictEqual((await scim('DELETE', '/Groups/administrators')).status, 404);
      assert.strictEqual((await scim('DELETE', `/Groups/${group}`)).status, 204);
      assert.strictEqual((await scim('GET', `/Groups/${group}`)).status, 404);
    });

    await t.test('delete: gone; with subscriptions gone for the provisioner, and the same account when it comes back', async () => {
      assert.strictEqual((await scim('DELETE', `/Users/${id}`)).status, 204);
      assert.strictEqual((await scim('GET', `/Users/${id}`)).status, 404);
      assert.strictEqual(row('ada@'), undefined);
      const pat = (await found('userName eq "pat@example.com"')).Resources[0].id;
      assert.strictEqual((await scim('DELETE', `/Users/${pat}`)).status, 204);
      assert.strictEqual((await scim('GET', `/Users/${pat}`)).status, 404);
      assert.strictEqual((await found('userName eq "pat@example.com"')).totalResults, 0);
      assert.deepStrictEqual([row('pat@').state, sql(gw, 'SELECT state FROM subscription')], ['blocked', '2']);
      const back = await scim('POST', '/Users', { schemas: [USER], userName: 'pat', emails: [{ value: 'pat@example.com' }], name: { givenName: 'Patricia' } });
      assert.deepStrictEqual([back.status, back.body.id], [201, pat]);
      assert.deepStrictEqual([row('pat@').state, row('pat@').firstName, sql(gw, 'SELECT state FROM subscription')], ['active', 'Patricia', '1']);
    });

    await t.test('a token that is taken back or has ended', async () => {
      await until(async () => (await scim('GET', '/Users', undefined, { authorization: 'Bearer guess' })).status === 429, 'the brake on guessing');
      assert.strictEqual((await scim('GET', '/Users')).status, 200, 'the good token passes all the same');
      gw.cli('scim-token', 'delete', 'corp');
      assert.ok([401, 429].includes((await scim('GET', '/Users')).status));
      assert.deepStrictEqual(gw.cli('scim-token', 'list', '--format', 'json').json(), []);
    });
  });
}
