// Client certificates in both directions, over real TLS: what callers show to the web server (validate-client-certificate,
// context.Request.Certificate) and what the gateway shows to backends (authentication-certificate). openssl makes them.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { start, backend, until, freePort, SERVERS } = require('./harness');

const DESCRIPTION = JSON.stringify({ openapi: '3.0.3', info: { title: 'Things', version: '1' },
  paths: { '/a': { get: { operationId: 'a', responses: { 200: { description: 'ok' } } } } } });

// A folder with an authority, a sub-authority and what they have issued.
class Pki {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-pki-'));
    fs.chmodSync(this.dir, 0o755);
    this.serial = 100;
    fs.writeFileSync(this.at('ca.conf'), `[ca]\ndefault_ca=x\n[x]\ndatabase=${this.at('index')}\ndefault_md=sha256\nunique_subject=no\n`
      + `crlnumber=${this.at('crlnumber')}\n`);
    fs.writeFileSync(this.at('index'), '');
    fs.writeFileSync(this.at('crlnumber'), '01\n');
    this.authority('root', 'Root');
    this.authority('other', 'Other');
    this.issue('sub', '/CN=Sub', { extensions: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign' });
    fs.writeFileSync(this.at('authorities.pem'), this.pem('root') + this.pem('sub'));
    this.issue('web', '/CN=127.0.0.1', { extensions: 'subjectAltName=IP:127.0.0.1' });
  }

  at(name) { return path.join(this.dir, name); }

  pem(name) { return fs.readFileSync(this.at(`${name}.pem`), 'utf8'); }

  run(...args) { return execFileSync('openssl', args, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] }).toString(); }

  authority(name, cn) {
    this.run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out',
      `${name}.pem`, '-subj', `/O=Test, Inc./CN=${cn}`, '-days', '30', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
  }

  issue(name, subject, { by = 'root', extensions = 'extendedKeyUsage=clientAuth', days = '10' } = {}) {
    this.serial += 1;
    fs.writeFileSync(this.at('ext'), `${extensions}\n`);
    this.run('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', 'csr', '-subj', subject);
    this.run('x509', '-req', '-in', 'csr', '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-set_serial', String(this.serial), '-days', days,
      '-extfile', 'ext', '-out', `${name}.pem`);
    return { cert: this.pem(name), key: fs.readFileSync(this.at(`${name}.key`)) };
  }

  thumbprint(name) {
    return this.run('x509', '-in', `${name}.pem`, '-noout', '-fingerprint', '-sha1').trim().replace(/.*=|:/g, '');
  }

  // What the authority has revoked until now, as a list.
  list(by, file, ...revoked) {
    for (const name of revoked)
      this.run('ca', '-config', 'ca.conf', '-cert', `${by}.pem`, '-keyfile', `${by}.key`, '-revoke', `${name}.pem`);
    this.run('ca', '-config', 'ca.conf', '-cert', `${by}.pem`, '-keyfile', `${by}.key`, '-gencrl', '-crldays', '5', '-out', 'list.tmp');
    fs.renameSync(this.at('list.tmp'), this.at(file));
  }

  // The authority's database knows these as good.
  known(...names) {
    for (const name of names)
      this.run('ca', '-config', 'ca.conf', '-cert', 'sub.pem', '-keyfile', 'sub.key', '-valid', `${name}.pem`);
  }

  // `openssl ocsp` as the authority runs it; it reads its database when it starts.
  async responder(by, port) {
    const child = spawn('openssl', ['ocsp', '-index', 'index', '-port', String(port), '-rsigner', `${by}.pem`, '-rkey', `${by}.key`,
      '-CA', `${by}.pem`, '-ndays', '1'], { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // a connection without a question would hold it up, so its own word is waited for
    await new Promise((resolve, reject) => {
      child.stdout.on('data', (text) => /ACCEPT/.test(text) && resolve());
      child.stderr.on('data', (text) => /waiting for/.test(text) && resolve());
      child.once('exit', () => reject(new Error('the responder ended')));
    });
    return { stop: () => { child.kill(); return ended; } };
  }

  remove() { fs.rmSync(this.dir, { recursive: true, force: true }); }
}

function get(url, identity, headers = {}) {
  return new Promise((resolve, reject) => {
    const r = (url.startsWith('https') ? https : http).get(url, { ...identity, headers, rejectUnauthorized: false, agent: false }, (res) => {
      let text = '';
      res.on('data', (c) => { text += c; });
      res.on('end', () => resolve({ status: res.statusCode, text }));
    });
    r.on('error', reject);
    r.setTimeout(60000, () => r.destroy(new Error('timeout')));
  });
}

const policy = (inbound) => `<policies><inbound><base />${inbound}</inbound><backend><base /></backend><outbound><base /></outbound>`
  + '<on-error><base /></on-error></policies>';

// validate-client-certificate that tells why it refused
const guarded = (attributes, identities = '') => `<policies><inbound><base /><validate-client-certificate ${attributes}>${identities}`
  + '</validate-client-certificate></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base />'
  + '<return-response><set-status code="403" reason="No" /><set-body>@(context.LastError.Message)</set-body></return-response>'
  + '</on-error></policies>';

function api(gw, name, document, url, ...more) {
  gw.cli('import', 'openapi', gw.file('d.json', DESCRIPTION), '--path', name, '--name', name, '--backend', url, '--product', 'open', ...more);
  gw.cli('policy', 'set', '--scope', `api:${name}`, gw.file(`${name}.xml`, document));
}

const MEMBERS = ['Subject', 'Issuer', 'Thumbprint', 'SerialNumber'];
const SHOW = `<choose><when condition="@(context.Request.Certificate == null)"><return-response><set-body>none</set-body></return-response></when></choose>
  <return-response><set-body>@{ var c = context.Request.Certificate; return ${MEMBERS.map((m) => `c.${m}`).join(' + "|" + ')}
  + "|" + c.NotAfter.ToString("yyyy-MM-dd") + "|" + c.Verify() + "|" + c.VerifyNoRevocation(); }</set-body></return-response>`;

let pki;
before(() => { pki = new Pki(); });
after(() => pki.remove());

for (const server of SERVERS) {
  describe(`certificates of callers behind ${server}`, () => {
    let gw, things, crl, good, revoked, stranger, pointing;
    const fetched = [];

    before(async () => {
      things = await backend();
      crl = http.createServer((req, res) => { fetched.push(req.url); res.end(fs.readFileSync(pki.at('sub.crl'))); });
      await new Promise((resolve) => crl.listen(0, '127.0.0.1', resolve));
      good = pki.issue('good', '/C=US/O=Contoso, Inc./CN=Partner', { by: 'sub' });
      revoked = pki.issue('revoked', '/CN=Revoked', { by: 'sub' });
      stranger = pki.issue('stranger', '/CN=Partner', { by: 'other' });
      pointing = pki.issue('pointing', '/CN=Pointing', { by: 'sub',
        extensions: `crlDistributionPoints=URI:http://127.0.0.1:${crl.address().port}/sub.crl` });
      pki.list('sub', 'sub.crl');
      fs.copyFileSync(pki.at('sub.crl'), pki.at('held.crl'));
      gw = await start({ server, workers: 2, tls: { cert: pki.at('web.pem'), key: pki.at('web.key'), ca: pki.at('authorities.pem') },
        config: { 'gateway.crl_files': pki.at('held.crl'), 'gateway.client_certificate_header': 'X-Client-Cert',
          'gateway.trusted_proxies': '127.0.0.2' },
        setup(g) {
          g.cli('product', 'create', 'open', '--require-key', 'no');
          g.cli('certificate', 'set', 'authorities', '--file', pki.at('authorities.pem'), '--authority');
          api(g, 'guarded', guarded(''), things.url);
          api(g, 'named', guarded('validate-revocation="false"', `<identities><identity thumbprint="${pki.thumbprint('good')}"
            subject="CN=Partner, O=&quot;Contoso, Inc.&quot;, C=US" issuer-thumbprint="${pki.thumbprint('sub')}" /></identities>`), things.url);
          api(g, 'show', policy(SHOW), things.url);
        } });
    });
    after(async () => {
      await gw.stop();
      await things.close();
      await new Promise((resolve) => crl.close(resolve));
    });

    const call = (name, identity, headers) => get(`${gw.tlsUrl}/api/${name}/a`, identity, headers);

    it('lets the right ones through and says why not', async () => {
      assert.equal((await call('guarded', good)).status, 200);
      assert.match((await call('guarded', {})).text, /none was shown/);
      // lighttpd does not hand over what its own file of authorities does not prove
      const refused = await call('guarded', stranger);
      assert.equal(refused.status, 403);
      assert.match(refused.text, server === 'lighttpd' ? /none was shown/ : /no trusted authority/);
      assert.equal((await call('named', good)).status, 200);
      assert.match((await call('named', revoked)).text, /none of the listed identities/);
      assert.match((await get(`${gw.url}/api/guarded/a`)).text, /none was shown/);
    });

    it('shows the certificate to expressions', async () => {
      const [subject, issuer, thumbprint, serial, until_, ...verified] = (await call('show', good)).text.split('|');
      assert.equal(subject, 'CN=Partner, O="Contoso, Inc.", C=US');
      assert.equal(issuer, 'CN=Sub');
      assert.equal(thumbprint, pki.thumbprint('good'));
      assert.equal(BigInt(`0x${serial}`).toString(16).toUpperCase(), pki.run('x509', '-in', 'good.pem', '-noout', '-serial').trim().replace(/serial=0*/, ''));
      assert.match(until_, /^\d{4}-\d\d-\d\d$/);
      assert.deepEqual(verified, ['True', 'True']);
      assert.equal((await call('show', {})).text, 'none');
    });

    it('takes a new list of revoked certificates from its file', async () => {
      assert.equal((await call('guarded', revoked)).status, 200);
      pki.list('sub', 'held.crl', 'revoked');
      await until(async () => (await call('guarded', revoked)).status === 403, 'the new list');
      assert.match((await call('guarded', revoked)).text, /has been revoked/);
      assert.match((await call('show', revoked)).text, /False\|True$/);
      assert.equal((await call('guarded', good)).status, 200);
    });

    it('fetches the list that a certificate names when there is no other, once', async () => {
      fs.rmSync(pki.at('held.crl'));
      await until(async () => (await call('guarded', good)).status === 403, 'the list to be missed');
      assert.match((await call('guarded', good)).text, /no list of its issuer is at hand/);
      for (let i = 0; i < 8; i += 1) assert.equal((await call('guarded', pointing)).status, 200);
      assert.ok(fetched.length >= 1 && fetched.length <= 2, `${fetched.length} fetches for two workers`);
    });

    it('asks the responder that a certificate names, and follows what it says', async () => {
      const port = await freePort();
      const at = `authorityInfoAccess=OCSP;URI:http://127.0.0.1:${port}`;
      const asked = pki.issue('asked', '/CN=Asked', { by: 'sub', extensions: at });
      const withdrawn = pki.issue('withdrawn', '/CN=Withdrawn', { by: 'sub', extensions: at });
      const unknown = pki.issue('unknown', '/CN=Unknown', { by: 'sub', extensions: at });
      pki.known('asked', 'withdrawn');
      pki.list('sub', 'unused.crl', 'withdrawn');
      const responder = await pki.responder('sub', port);
      try {
        for (let i = 0; i < 8; i += 1) assert.equal((await call('guarded', asked)).status, 200);
        assert.match((await call('guarded', withdrawn)).text, /has been revoked/);
        assert.match((await call('guarded', unknown)).text, /no list of its issuer is at hand/);
      } finally {
        await responder.stop();
      }
      // what was said is kept when the responder is away
      for (let i = 0; i < 8; i += 1) assert.equal((await call('guarded', asked)).status, 200);
    });

    it('believes no header from just anybody', async () => {
      const forged = { 'X-Client-Cert': encodeURIComponent(pki.pem('good')) };
      assert.equal((await call('show', {}, forged)).text, 'none');
      assert.match((await call('named', {}, forged)).text, /none was shown/);
      assert.equal((await get(`${gw.url}/api/show/a`, {}, forged)).text, 'none');
      assert.equal(things.seen.some((s) => s.headers['x-client-cert']), false);
    });

    it('believes the header of a trusted proxy, and then no other certificate', async () => {
      const from = { localAddress: '127.0.0.2' };
      const header = { 'X-Client-Cert': encodeURIComponent(pki.pem('good')) };
      assert.match((await get(`${gw.url}/api/show/a`, from, header)).text, /^CN=Partner/);
      assert.equal((await get(`${gw.url}/api/named/a`, from, header)).status, 200);
      assert.equal((await get(`${gw.url}/api/show/a`, from, { 'X-Client-Cert': 'nonsense!' })).text, 'none');
      assert.equal((await call('show', { ...good, ...from })).text, 'none');
      assert.equal(things.seen.some((s) => s.headers['x-client-cert']), false);
    });
  });
}

describe('certificates for backends', () => {
  let gw, server, url, mine;
  const shown = () => url;

  before(async () => {
    mine = pki.issue('mine', '/CN=Gateway');
    pki.run('pkcs12', '-export', '-in', 'mine.pem', '-inkey', 'mine.key', '-out', 'mine.pfx', '-passout', 'pass:open sesame');
    const pfx = fs.readFileSync(pki.at('mine.pfx')).toString('base64');
    server = https.createServer({ cert: pki.pem('web'), key: fs.readFileSync(pki.at('web.key')), ca: pki.pem('root'), requestCert: true,
      rejectUnauthorized: false }, (req, res) => {
      const peer = req.socket.getPeerCertificate();
      res.end(peer.subject ? `${peer.subject.CN} ${req.socket.authorized}` : 'nobody');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${server.address().port}`;
    gw = await start({ server: SERVERS[0], workers: 1, setup(g) {
      g.cli('product', 'create', 'open', '--require-key', 'no');
      g.cli('certificate', 'set', 'gateway', '--file', pki.at('mine.pem'), '--key-file', pki.at('mine.key'));
      g.cli('backend', 'set', 'closed', '--url', shown(), '--verify-tls', 'no');
      const to = '<set-backend-service backend-id="closed" />';
      api(g, 'bare', policy(to), url);
      api(g, 'id', policy(`${to}<authentication-certificate certificate-id="gateway" />`), url);
      api(g, 'thumbprint', policy(`${to}<authentication-certificate thumbprint="${pki.thumbprint('mine').toLowerCase()}" />`), url);
      api(g, 'body', policy(`<set-variable name="pfx" value="${pfx}" />${to}<authentication-certificate
        body="@(Convert.FromBase64String((string)context.Variables["pfx"]))"
        password="@(context.Request.Headers.GetValueOrDefault("X-Word", ""))" />`), url);
      api(g, 'gone', policy(`${to}<authentication-certificate certificate-id="gone" />`), url);
    } });
  });
  after(async () => {
    await gw.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const call = (name, headers) => get(`${gw.url}/api/${name}/a`, {}, headers);

  it('shows the one that is named by id or thumbprint', async () => {
    assert.equal((await call('bare')).text, 'nobody');
    assert.equal((await call('id')).text, 'Gateway true');
    assert.equal((await call('thumbprint')).text, 'Gateway true');
    assert.equal((await call('bare')).text, 'nobody', 'a connection with a certificate serves nobody else');
  });

  it('shows one that the policy brings along', async () => {
    assert.equal((await call('body', { 'X-Word': 'open sesame' })).text, 'Gateway true');
    const wrong = await call('body', { 'X-Word': 'wrong' });
    assert.equal(wrong.status, 500);
    assert.doesNotMatch(wrong.text, /wrong|sesame/);
    assert.equal((await call('gone')).status, 500);
  });
});
