// What tests of signing in need besides a Gatehouse: a real OpenID provider (oidc-provider), a real SMTP server, and a
// client that keeps cookies and fills in forms as a browser without script does.
'use strict';
const { spawnSync } = require('node:child_process');
const http = require('node:http');
const { createHmac } = require('node:crypto');
const { SMTPServer } = require('smtp-server');
const { until, freePort } = require('./harness');

// oidc-provider says on loading that it is made for a newer node; it runs on this one, which its tests show
const warn = console.warn;
console.warn = () => {};
const loaded = require('oidc-provider');
const Provider = loaded.Provider || loaded.default || loaded;
console.warn = warn;

// people: {sub: {email, email_verified, given_name, family_name, groups}}; whoever stands in `idp.who` is signed in at once. While
// `idp.closes`, kept connections are closed when something is posted on them, as where they have just had no request for long enough.
async function openIdProvider({ clients, people, inToken = false, ...more }) {
  const idp = { who: null, seen: [], people };
  const server = http.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const log = console.warn;
  console.warn = () => {};   // that keys and store are for tests only is what we want
  const provider = new Provider(issuer, {
    clients: clients.map((c) => ({ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], ...c })),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
    conformIdTokenClaims: !inToken,
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...idp.people[id] }) }),
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['tests only'] },
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    // what it posts to clients on logout: by itself not to loopback addresses, and given up after 2.5 s
    fetch: (url, { signal, dispatcher, ...options }) => fetch(url, options),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid email profile groups offline_access');
      await grant.save();
      return grant;
    },
    ...more,
  });
  console.warn = log;
  provider.on('server_error', (ctx, error) => { idp.error = error; });
  const answer = provider.callback(), used = new WeakSet();
  server.on('request', async (req, res) => {
    idp.seen.push({ method: req.method, url: req.url, headers: req.headers });
    if (idp.away && req.url.startsWith(idp.away)) return res.writeHead(503).end();
    if (idp.closes && req.method === 'POST' && used.has(req.socket)) return req.socket.destroy();
    used.add(req.socket);
    if (!req.url.startsWith('/interaction/')) return answer(req, res);
    const result = idp.who ? { login: { accountId: idp.who } } : { error: 'access_denied', error_description: 'declined' };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  });
  return Object.assign(idp, {
    issuer, provider, server,
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  });
}

// The texts of a multipart message whose parts are in base64.
function parts(raw) {
  const out = { headers: {}, text: '', html: '' };
  const [head, ...rest] = raw.split('\r\n\r\n');
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const at = line.indexOf(':');
    out.headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
  }
  const body = rest.join('\r\n\r\n');
  for (const [name, type] of [['text', 'text/plain'], ['html', 'text/html']]) {
    const m = new RegExp(`Content-Type: ${type}[^]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)`).exec(body);
    if (m) out[name] = Buffer.from(m[1].replace(/[^A-Za-z0-9+/=]/g, ''), 'base64').toString('utf8');
  }
  return out;
}

// `hooks` are options of smtp-server; by default everything is taken. `port`: the one where it stood before.
async function mailSink({ port, ...hooks } = {}) {
  port ??= await freePort();      // which nobody else takes while the server is away
  const sink = { mails: [] };
  const server = new SMTPServer({
    authOptional: true, disableReverseLookup: true /* there may be no name server */, disabledCommands: hooks.secure === undefined && !hooks.key ? ['STARTTLS'] : [], logger: false,
    onData(stream, session, done) {
      const chunks = [];
      stream.on('data', (c) => chunks.push(c));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8');
        const mail = { raw, from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((r) => r.address), ...parts(raw),
          user: session.user, tls: session.secure };
        if (hooks.refuse) {
          const error = hooks.refuse(mail);
          if (error) return done(error);
        }
        sink.mails.push(mail);
        return done(null, 'taken');
      });
    },
    ...hooks,
  });
  server.on('error', () => {});
  await new Promise((resolve, reject) => { server.once('error', reject); server.listen(port, '127.0.0.1', resolve); });
  sink.port = server.server.address().port;
  sink.server = server;
  // The next mail to that address that was not looked at yet.
  sink.next = async (to, what = '') => {
    let found;
    await until(() => { found = sink.mails.find((m) => !m.read && m.to.includes(to)); return found; }, `a mail to ${to} ${what}`);
    found.read = true;
    return found;
  };
  sink.close = () => new Promise((resolve) => { server.close(resolve); });
  return sink;
}

const config = (sink) => ({ 'mail.smtp_url': `smtp://127.0.0.1:${sink.port}`, 'mail.tls': 'none',
  'mail.from': 'Gatehouse tests <portal@example.com>', 'mail.retry_s': 1 });

const unescaped = (s) => s.replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

// Not fetch: that says of itself what kind of request it makes (Sec-Fetch-Mode), which is the browser's to say here.
function request(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const rq = http.request(url, { method, headers: Object.fromEntries(Object.entries(headers).filter(([, v]) => v !== '')) }, (rs) => {
      const chunks = [];
      rs.on('data', (c) => chunks.push(c));
      rs.on('error', reject);
      rs.on('end', () => resolve({
        status: rs.statusCode, text: Buffer.concat(chunks).toString('utf8'),
        headers: { get: (n) => rs.headers[n.toLowerCase()]?.toString() ?? null, getSetCookie: () => rs.headers['set-cookie'] || [] },
      }));
    });
    rq.on('error', reject);
    rq.end(body);
  });
}

// A browser without script: cookies by host and path, forms by what the page holds, redirects by hand or all the way.
class Visitor {
  constructor(base, headers = {}) { this.base = base; this.headers = headers; this.cookies = []; }

  cookieHeader(url) {
    return this.cookies.filter((c) => c.host === url.host && (url.pathname === c.path || url.pathname.startsWith(c.path.endsWith('/') ? c.path : `${c.path}/`)))
      .map((c) => `${c.name}=${c.value}`).join('; ');
  }

  keep(url, line) {
    const [pair, ...attributes] = line.split(';').map((s) => s.trim());
    const at = pair.indexOf('=');
    const attribute = (n) => (attributes.find((a) => a.toLowerCase().startsWith(`${n}=`)) || '').slice(n.length + 1);
    const c = { host: url.host, name: pair.slice(0, at), value: pair.slice(at + 1), path: attribute('path') || '/', line };
    this.cookies = this.cookies.filter((o) => !(o.host === c.host && o.name === c.name && o.path === c.path));
    if (attribute('max-age') !== '0' && !/^Thu, 01 Jan 1970/.test(attribute('expires'))) this.cookies.push(c);
  }

  async send(method, path, { form, json, headers = {} } = {}) {
    const url = new URL(path, this.url || this.base);
    const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
    const type = form ? 'application/x-www-form-urlencoded' : json === undefined ? undefined : 'application/json';
    const answer = await request(method, url, { ...this.headers, ...(type ? { 'content-type': type } : {}), ...headers, cookie: this.cookieHeader(url) }, body);
    for (const line of answer.headers.getSetCookie()) this.keep(url, line);
    this.url = url.href;
    this.status = answer.status;
    this.answer = answer;
    this.location = answer.headers.get('location');
    this.html = answer.text;
    return this;
  }

  get(path, options) { return this.send('GET', path, options); }

  // Follows redirects to their end, as a browser does.
  async follow(most = 12) {
    for (let i = 0; this.location && this.status >= 300 && this.status < 400; i++) {
      if (i === most) throw new Error(`too many redirects, the last to ${this.location}`);
      await this.get(this.location);
    }
    return this;
  }

  async open(path) { return (await this.get(path)).follow(); }

  // The values that the form of that action holds now.
  form(action) {
    const form = this.html.split('<form').slice(1).find((f) => unescaped(/action="([^"]*)"/.exec(f)?.[1] || '').endsWith(action)
      || f.includes(`formaction="${action}"`));
    if (!form) throw new Error(`no form for ${action} on ${this.url}: ${this.html.slice(0, 3000)}`);
    const values = {};
    for (const [input] of form.split('</form>')[0].matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input)?.[1];
      if (name && !(/type="checkbox"/.test(input) && !/ checked/.test(input))) values[name] = unescaped(/ value="([^"]*)"/.exec(input)?.[1] || '');
    }
    return values;
  }

  async submit(action, values = {}) {
    return this.send('POST', action, { form: { ...this.form(action), ...values } });
  }

  async signIn(email, password, path = '/sign-in') {
    await this.open(path);
    await this.submit(path, { email, password });
    return this;
  }

  says(text) { return unescaped(this.html).includes(text); }
}

// RFC 6238, for the tests to be the phone.
function totp(base32, at = Date.now()) {
  const bits = [...base32.replace(/\s/g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1000000).padStart(6, '0');
}

// One value of the configuration, for what no page and no command tells.
function sql(gw, query) {
  const r = spawnSync('sqlite3', ['-cmd', '.timeout 60000', '-readonly', `${gw.state}/config.db`, query], { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(r.stderr);
  return r.stdout.trim();
}

// The management API by a machine token of its own: await rest('POST', '/captures', { api: 'pets' }).
function management(gw, { role = 'administrator', scopes = ['write'], name = `t-${role}-${scopes.join('-').replace(/:/g, '-')}` } = {}) {
  const token = gw.cli('machine-token', 'create', name, '--role', role, ...scopes.flatMap((s) => ['--scope', s])).stdout.trim();
  return async (method, path, body, headers = {}) => {
    const r = await request(method, new URL(`${gw.url}/admin/api/v1${path}`), { authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, body === undefined ? undefined : JSON.stringify(body));
    return { status: r.status, headers: r.headers, body: /json/.test(r.headers.get('content-type') || '') ? JSON.parse(r.text) : r.text };
  };
}

module.exports = { management, openIdProvider, sql, request, mailSink, config, Visitor, totp, unescaped };
