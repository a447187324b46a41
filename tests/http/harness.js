// Starts a whole Gatehouse (store, workers, keeper, portal, admin) behind a real web server with the configuration that
// deploy/ ships, and real backends. Everything lives in a folder of its own under /tmp and on free loopback ports.
//
//   const { start, SERVERS } = require('./harness');
//   const gw = await start({ server: 'nginx', workers: 2, setup: (gw) => gw.cli('import', …) });
//   await fetch(`${gw.url}/api/…`); … await gw.stop();
//
// stop() fails when any process wrote a sanitizer report or died by itself.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '../..');
const SERVERS = (process.env.SERVERS || 'lighttpd,nginx,apache').split(',');
for (const s of SERVERS) if (!['lighttpd', 'nginx', 'apache'].includes(s)) throw new Error(`SERVERS: ${s} is none of lighttpd, nginx, apache`);
const ASAN = process.env.GATEHOUSE_BIN || path.join(ROOT, 'build/asan/bin');
const RELEASE = path.join(ROOT, 'build/release/bin');
// Commands before the gateway serves, some thousands, are those of the release build: without sanitizers they take a third. Only where
// both builds are known to be of these sources, which `make test` sees to; all commands are run with sanitizers elsewhere.
const QUICK_SETUP = process.env.QUICK_SETUP && !process.env.GATEHOUSE_BIN;
// Bounds of what never comes. Nothing is asserted by them, and a machine may be slow, so no test has a shorter one.
const PATIENCE_MS = 60000;
const START_MS = 2000;        // what start() takes at most on a machine of two cores that nobody else uses
const GONE_MS = 3000;         // how long a worker that does not run is waited for, which may be on its way back
const PORTALS = 2;            // processes of the portal, of some 70 MB each with sanitizers: enough to be several
const PAUSE = new Int32Array(new SharedArrayBuffer(4));   // never notified: to wait while no event can come

// How many times longer than on the machine where bounds were measured a fixed piece of work takes here, at least 1: a bound of
// processor time is multiplied with it. (For one of the clock: gw.slowness.)
const WORK_MS = 100;
function cpuSlowness() {
  const table = new Uint32Array(4096);
  const work = () => {
    const from = process.cpuUsage();
    for (let i = 0, x = 1; i < 2e7; i++) {
      x = (Math.imul(x, 1664525) + 1013904223) | 0;
      table[x & 4095] += x;
      if (table[(x >>> 7) & 4095] & 1) x ^= i;
    }
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1000;
  };
  return Math.max(1, Math.min(work(), work(), work()) / WORK_MS);
}

// A port for another program to listen on, or for nobody. The kernel gives ports from 32768 up to outgoing connections and to
// listen(0): one of those could be taken before the other program has it. Of those below, each program of tests has a part to itself,
// which is its own while it listens on the first port of it: what it leaves free stays free.
const PORTS = { from: 10240, to: 32000, part: 256 };
let ports;          // of { first, last given out }, once it is asked for
const listens = (port, keep) => new Promise((resolve) => {
  const s = net.createServer().unref();
  s.once('error', () => resolve(false));
  s.listen(port, '127.0.0.1', () => (keep ? resolve(true) : s.close(() => resolve(true))));
});
async function partOfPorts() {
  const n = Math.floor((PORTS.to - PORTS.from) / PORTS.part);
  for (let i = 0; i < n; i++) {
    const first = PORTS.from + ((process.pid + i) % n) * PORTS.part;
    if (await listens(first, true)) return { first, last: first };
  }
  throw new Error(`no part of the ports from ${PORTS.from} to ${PORTS.to} is free`);
}
async function freePort() {
  const mine = await (ports ??= partOfPorts()), { first } = mine;
  for (let i = 1; i < PORTS.part; i++) {
    mine.last = mine.last + 1 < first + PORTS.part ? mine.last + 1 : first + 1;
    const port = mine.last;
    if (await listens(port)) return port;
  }
  throw new Error(`no port is free from ${first + 1} to ${first + PORTS.part - 1}`);
}

// Calls `probe` until it gives something true; there is no event to wait for when another program opens its port.
async function until(probe, what, timeoutMs = PATIENCE_MS) {
  const end = performance.now() + Math.max(timeoutMs, PATIENCE_MS);       // whatever somebody does to the clock
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > end) throw new Error(`timed out waiting for ${what}`);
    await new Promise((r) => setTimeout(r, 20));
  }
}

// A backend that records what it received and answers as told: `reply` is (req, res, body) => void.
async function backend(reply) {
  const seen = [];
  const answer = reply || ((req, res, body) => {
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body: body.toString() }));
  });
  const server = http.createServer({ maxHeaderSize: 1 << 20 }, (req, res) => {
    const chunks = [];
    req.on('data', (c) => chunks.push(c));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      seen.push({ method: req.method, url: req.url, headers: req.headers, rawHeaders: req.rawHeaders, body });
      answer(req, res, body);
    });
  });
  server.keepAliveTimeout = 60000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();   // a test that fails must not hang on its backend
  const { port } = server.address();
  return {
    port, seen, server, url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}

// With `tls` ({ cert, key, ca }: files) a second port speaks TLS and asks for client certificates: gw.tlsUrl.
const tlsParts = {
  nginx: (gw) => `\tlisten 127.0.0.1:${gw.tlsPort} ssl;\n\tssl_certificate ${gw.tls.cert};\n\tssl_certificate_key ${gw.tls.key};\n`
    + '\tssl_verify_client optional_no_ca;\n',
  apache: (gw) => `Listen 127.0.0.1:${gw.tlsPort}\nSSLSessionCache none\n<VirtualHost 127.0.0.1:${gw.tlsPort}>\nSSLEngine on\n`
    + `SSLCertificateFile ${gw.tls.cert}\nSSLCertificateKeyFile ${gw.tls.key}\nSSLVerifyClient optional_no_ca\n</VirtualHost>\n`,
  lighttpd: (gw) => `server.modules += ( "mod_openssl" )\n$SERVER["socket"] == "127.0.0.1:${gw.tlsPort}" {\nssl.engine = "enable"\n`
    + `ssl.pemfile = "${gw.tls.cert}"\nssl.privkey = "${gw.tls.key}"\nssl.ca-file = "${gw.tls.ca}"\n`
    + 'ssl.verifyclient.activate = "enable"\nssl.verifyclient.enforce = "disable"\nssl.verifyclient.exportcert = "enable"\n}\n',
};
const tlsPart = (gw, server) => (gw.tls ? tlsParts[server](gw) : '');

function shipped(file, gw) {
  return fs.readFileSync(path.join(ROOT, 'deploy', file), 'utf8')
    .replaceAll('/usr/share/gatehouse/deploy', `${gw.dir}/deploy`)
    .replaceAll('/run/gatehouse/', `${gw.sockets}/`)
    .replaceAll('/usr/share/gatehouse/www/', `${gw.dir}/www/`)
    .replaceAll('/usr/share/gatehouse/www', `${gw.dir}/www`)
    .replaceAll('/usr/bin/gatehouse-', `${gw.dir}/bin/gatehouse-`)
    .replaceAll('/var/lib/gatehouse', gw.state)
    .replaceAll('listen 8080;', `listen 127.0.0.1:${gw.port};\n${tlsPart(gw, 'nginx')}`);
}

const TYPES = '".css" => "text/css; charset=utf-8", ".js" => "text/javascript; charset=utf-8", ".svg" => "image/svg+xml", '
  + '".json" => "application/json"';

function spawning(gw, modules, text) {
  const conf = `${gw.dir}/lighttpd.conf`;
  fs.writeFileSync(conf, `server.document-root = "${gw.dir}/www"\nserver.bind = "127.0.0.1"\nserver.port = ${gw.port}\n`
    + `server.errorlog = "${gw.dir}/lighttpd.log"\nserver.max-keep-alive-idle = ${KEPT_S}\nserver.modules = ( ${modules} )\n${text}`);
  return ['lighttpd', ['-D', '-f', conf]];
}

// What stands in Debian's lighttpd.conf before conf-enabled/ is read: the shipped file must get along with it.
const DEBIAN_LIGHTTPD = `server.modules = ( "mod_indexfile", "mod_access", "mod_alias", "mod_redirect" )
server.http-parseopts = ( "header-strict" => "enable", "host-strict" => "enable", "host-normalize" => "enable",
\t"url-normalize-unreserved" => "enable", "url-normalize-required" => "enable", "url-ctrls-reject" => "enable",
\t"url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable" )
index-file.names = ( "index.php", "index.html" )
url.access-deny = ( "~", ".inc" )
static-file.exclude-extensions = ( ".php", ".pl", ".fcgi" )
`;

// Longer than a command of `gw.cli` blocks this process on a busy machine: it would not see that the server closed a connection, and
// send the next call there. nginx has 75 seconds by itself.
const KEPT_S = 60;
// Apache has as many threads to spare as it may have at all: a child that it ends after a burst would close idle connections likewise.
const servers = {
  lighttpd(gw) {
    const conf = `${gw.dir}/lighttpd.conf`;
    fs.writeFileSync(conf, `server.document-root = "${gw.dir}/www"\nserver.bind = "127.0.0.1"\nserver.port = ${gw.port}\n`
      + `server.errorlog = "${gw.dir}/lighttpd.log"\nserver.max-request-size = 0\nserver.max-keep-alive-idle = ${KEPT_S}\nmimetype.assign = ( ${TYPES} )\n`
      + `server.upload-dirs = ( "${gw.dir}" )\n${DEBIAN_LIGHTTPD}${tlsPart(gw, 'lighttpd')}${shipped('lighttpd/gatehouse.conf', gw)}`);
    return ['lighttpd', ['-D', '-f', conf]];
  },
  nginx(gw) {
    const conf = `${gw.dir}/nginx.conf`;
    fs.writeFileSync(conf, `daemon off;\npid ${gw.dir}/nginx.pid;\nerror_log ${gw.dir}/nginx.log warn;\nworker_processes 1;\n`
      + `${process.getuid() === 0 ? 'user www-data;\n' : ''}events { worker_connections 16384; }\nhttp {\n`
      + 'types { text/css css; text/javascript js; image/svg+xml svg; application/json json; }\n'
      + ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'].map((t) => `${t}_temp_path ${gw.dir}/nginx-${t};\n`).join('')
      + `access_log off;\n${shipped('nginx/gatehouse.conf', gw)}}\n`);
    return ['nginx', ['-c', conf, '-p', gw.dir]];
  },
  apache(gw, file = 'apache/gatehouse.conf', modules = ['proxy', 'proxy_fcgi']) {
    const conf = `${gw.dir}/apache.conf`;
    const load = ['mpm_event', 'authz_core', 'alias', 'mime', 'headers', 'unique_id', ...(gw.tls ? ['ssl'] : []), ...modules]
      .map((m) => `LoadModule ${m}_module /usr/lib/apache2/modules/mod_${m}.so\n`).join('');
    fs.writeFileSync(conf, `ServerRoot "${gw.dir}"\nServerName 127.0.0.1\nPidFile ${gw.dir}/apache.pid\n`
      + `ErrorLog ${gw.dir}/apache.log\nKeepAliveTimeout ${KEPT_S}\nListen 127.0.0.1:${gw.port}\nDefaultRuntimeDir ${gw.dir}\n${load}MaxRequestWorkers 400\nMaxSpareThreads 400\n`
      + `${process.getuid() === 0 ? 'User www-data\nGroup www-data\n' : ''}TypesConfig /etc/mime.types\n`
      + `${modules.includes('fcgid') ? `FcgidIPCDir "${gw.sockets}/fcgid"\nFcgidProcessTableFile "${gw.dir}/fcgid-table"\n` : ''}`
      + `DocumentRoot "${gw.dir}/www"\n${shipped(file, gw)}${tlsPart(gw, 'apache')}`);
    return ['apache2', ['-D', 'FOREGROUND', '-f', conf]];
  },
  // the web server starts the gateway itself: no process of `gatehouse serve` takes part in a call
  'apache-fcgid': (gw) => servers.apache(gw, 'apache/gatehouse-fcgid.conf', ['fcgid']),
  'lighttpd-spawn': (gw) => spawning(gw, '"mod_fastcgi"', `fastcgi.server = ( "/api" => (( "bin-path" => "${gw.dir}/bin/gatehouse-gateway", `
    + `"socket" => "${gw.dir}/spawned.sock", "max-procs" => 2, "check-local" => "disable", `
    + `"bin-environment" => ( "GATEHOUSE_STATE" => "${gw.state}" ) )) )\n`),
  'lighttpd-cgi': (gw) => spawning(gw, '"mod_cgi", "mod_alias", "mod_setenv"', `alias.url = ( "/api" => "${gw.dir}/bin/gatehouse-gateway" )\n`
    + `$HTTP["url"] =~ "^/api/" { cgi.assign = ( "" => "" )\nsetenv.set-environment = ( "GATEHOUSE_STATE" => "${gw.state}" ) }\n`),
};

const made = {};    // the directory of the programs -> that of a new store
process.on('exit', () => Object.values(made).forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));

class Gateway {
  constructor(options) {
    this.options = { server: 'lighttpd', workers: 2, config: {}, env: {}, ...options };
    this.bin = this.options.build === 'release' ? RELEASE : ASAN;
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-'));
    fs.chmodSync(this.dir, 0o755);
    this.state = path.join(this.dir, 'state');
    this.sockets = path.join(this.dir, 'run');
    this.processes = [];
    this.admin = { email: 'admin@example.com', password: 'correct horse battery staple' };
  }

  // Runs the command; throws on a refusal unless { fails: true }. While the gateway serves it waits until all workers have what
  // the command changed; not with { adopt: false }, for tests of what comes before.
  cli(...args) {
    const options = typeof args.at(-1) === 'object' ? args.pop() : {};
    const before = this.generation();
    const r = spawnSync(path.join(this.settingUp && QUICK_SETUP ? RELEASE : this.bin, 'gatehouse'), args, {
      env: { ...process.env, ...this.options.env, GATEHOUSE_STATE: this.state }, encoding: 'utf8', input: options.input,
      maxBuffer: 64 << 20,
    });
    if (r.status !== 0 && !options.fails)
      throw new Error(`gatehouse ${args.join(' ')}: exit ${r.status ?? r.signal ?? r.error}\n${r.stdout}${r.stderr}`);
    if (this.serve && !this.serve.ended && options.adopt !== false && this.generation() !== before) this.waitForWorkers();
    return { code: r.status, stdout: r.stdout, stderr: r.stderr, json: () => JSON.parse(r.stdout) };
  }

  // A worker that was killed or stopped by the test is not waited for longer than it takes to tell.
  waitForWorkers() {
    const generation = this.generation(), begun = performance.now();
    const gone = () => this.behind(generation).every((n) => !this.runs(n));
    for (let waited = 0; this.behind(generation).length && waited < PATIENCE_MS; waited = performance.now() - begun) {
      if (waited > GONE_MS && gone()) return;
      Atomics.wait(PAUSE, 0, 0, 5);
    }
  }

  file(name, text) {
    const file = path.join(this.dir, name);
    fs.writeFileSync(file, text);
    return file;
  }

  run(name, command, args, options = {}) {
    const log = path.join(this.dir, `${name}.out`);
    const fd = fs.openSync(log, 'a');
    const child = spawn(command, args, { stdio: ['ignore', fd, fd], env: { ...process.env, ...this.options.env }, ...options });
    fs.closeSync(fd);
    const p = { name, child, log, ended: false };
    p.exit = new Promise((resolve) => {
      const end = (how) => { p.ended = true; resolve(how); };
      child.on('exit', (code, signal) => end({ code, signal }));
      child.on('error', (error) => { fs.appendFileSync(log, `${error}\n`); end({ code: null, signal: error.code }); });     // no such program, or none that may be run
    });
    this.processes.push(p);
    return p;
  }

  log(name) {
    return fs.readFileSync(path.join(this.dir, `${name}.out`), 'utf8');
  }

  pids(program) {   // of the supervisor's children by program name
    const out = spawnSync('ps', ['-o', 'pid=,comm=', '--ppid', String(this.serve.child.pid)], { encoding: 'utf8' }).stdout;
    return out.split('\n').map((l) => l.trim().split(/\s+/)).filter((f) => f[1] && program.startsWith(f[1]) && f[1].length >= 15)
      .map((f) => Number(f[0]));
  }

  // The number of the configuration that stands in the store (core/genfile.h: the first word of the file).
  generation() {
    try { return Number(fs.readFileSync(path.join(this.state, 'generation')).readBigUInt64LE(0)); } catch { return 0; }
  }

  // What worker `n` says of itself; undefined when it has not begun yet.
  worker(n) {
    try { return JSON.parse(fs.readFileSync(path.join(this.state, `run/gateway-${n}.json`), 'utf8')); } catch { return undefined; }
  }

  // The workers that have neither taken over nor refused the configuration `generation`.
  behind(generation) {
    return [...Array(this.options.workers).keys()].filter((n) => {
      const w = this.worker(n);
      return !w || (w.generation < generation && w.refused === null);
    });
  }

  // Is worker `n` a process that is neither gone nor stopped by a signal?
  runs(n) {
    try { return /^[^TtZX]/.test(fs.readFileSync(`/proc/${this.worker(n).pid}/stat`, 'latin1').split(') ').pop()); } catch { return false; }
  }

  serves(generation) { return this.behind(generation).length === 0; }

  // Other workers than those `before` serve, each of them: one that has no configuration yet answers 503.
  async renewed(before) {
    const anew = (n) => { const w = this.worker(n); return w?.complete && !before.includes(w.pid); };
    await until(() => [...Array(this.options.workers).keys()].every(anew), 'new workers');
  }

  // Kills every worker by surprise; others take their place.
  async killWorkers() {
    const killed = this.pids('gatehouse-gateway');
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await this.renewed(killed);
  }

  // What was changed before holds for each call from now on, whichever worker gets it: a call that shows the change speaks
  // for one worker only. cli() does this by itself.
  async adopted() {
    const generation = this.generation();
    await until(() => this.serves(generation), `generation ${generation} in all workers`);
  }

  serveArgs() {
    return ['serve', '--state', this.state, '--socket-dir', this.sockets, '--workers', String(this.options.workers)];
  }

  // Programs that Apache starts run as its user, who then must own what `serve` writes.
  account() {
    if (this.options.server !== 'apache-fcgid' || process.getuid() !== 0) return {};
    const [uid, gid] = ['-u', '-g'].map((o) => Number(spawnSync('id', [o, 'www-data'], { encoding: 'utf8' }).stdout));
    fs.mkdirSync(this.sockets, { recursive: true });
    spawnSync('chown', ['-R', 'www-data:www-data', this.state, this.sockets]);
    return { uid, gid };
  }

  // A new store. Making one takes as long as four other commands, so a program of tests makes one for each build and copies it.
  init() {
    if (this.options.env?.GATEHOUSE_MASTER_KEY) return this.initAnew();
    if (!made[this.bin]) {
      this.initAnew();
      made[this.bin] = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-store-'));
      fs.cpSync(this.state, made[this.bin], { recursive: true });
      return;
    }
    fs.cpSync(made[this.bin], this.state, { recursive: true });
    fs.chmodSync(this.state, 0o700);
  }

  initAnew() {
    this.cli('init', '--admin', this.admin.email, '--password-file', this.file('password', `${this.admin.password}\n`));
  }

  // What web servers read and start, by paths without a space, where they split theirs. The programs that Apache starts as its user are
  // copies where that user may not go to those of the tree, as in a folder of root.
  place() {
    const link = (name, to) => { if (!fs.existsSync(path.join(this.dir, name))) fs.symlinkSync(to, path.join(this.dir, name)); };
    const closed = (dir) => !(fs.statSync(dir).mode & 1) || (dir !== '/' && closed(path.dirname(dir)));
    link('deploy', path.join(ROOT, 'deploy'));
    if (!this.account().uid || !closed(this.bin)) return link('bin', this.bin);
    const copies = path.join(this.dir, 'tree/build/x/bin');
    fs.cpSync(this.bin, copies, { recursive: true });
    for (const dir of ['templates', 'www']) fs.cpSync(path.join(ROOT, dir), path.join(this.dir, 'tree', dir), { recursive: true });
    return link('bin', copies);
  }

  // The web server; after `await gw.end(gw.web)` again, maybe with another options.edit: an operator's own settings,
  // (text of the whole configuration, server) => text.
  startWeb() {
    const [command, args] = servers[this.options.server](this);
    if (this.options.edit) {
      const conf = args.find((a) => a.endsWith('.conf'));
      fs.writeFileSync(conf, this.options.edit(fs.readFileSync(conf, 'utf8'), this.options.server));
    }
    this.web = this.run('web', command, args);
  }

  async start() {
    const begun = Date.now();
    fs.cpSync(path.join(ROOT, 'www'), path.join(this.dir, 'www'), { recursive: true });
    this.settingUp = true;
    this.init();
    const config = Object.entries({ 'portal.workers': PORTALS, ...this.options.config }).map(([k, v]) => `${k} = ${v}\n`).join('');
    fs.writeFileSync(path.join(this.state, 'gatehouse.conf'), config);
    if (this.options.setup) await this.options.setup(this);
    this.settingUp = false;
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    this.tls = this.options.tls;
    this.tlsPort = this.tls ? await freePort() : 0;
    this.tlsUrl = `https://127.0.0.1:${this.tlsPort}`;
    this.place();
    this.serve = this.run('serve', path.join(this.dir, 'bin/gatehouse'), this.serveArgs(), this.account());
    this.startWeb();
    await until(async () => {
      for (const p of this.processes) if (p.ended) throw new Error(`${p.name} ended: ${this.log(p.name)}`);
      if (!this.options.workers && !/ serving /.test(this.log('serve'))) return false;      // its signals are not heard yet
      return this.serves(this.generation()) && fetch(`${this.url}/api/-/health`).then((r) => r.status === 200, () => false);
    }, 'the gateway').catch(async (error) => {
      const logs = this.processes.map((p) => `--- ${p.name}\n${this.log(p.name)}`).join('\n');
      await this.stop().catch(() => {});
      throw new Error(`${error.message}\n${logs}`);
    });
    this.slowness = Math.max(1, (Date.now() - begun) / START_MS);     // what a bound of the clock is multiplied with
    return this;
  }

  async end(p, signal = 'SIGTERM') {
    if (!p.ended) p.child.kill(signal);
    const timer = setTimeout(() => p.child.kill('SIGKILL'), PATIENCE_MS);
    const how = await p.exit;
    clearTimeout(timer);
    return how;
  }

  async stop() {
    const problems = [];
    for (const p of [...this.processes].reverse()) {
      if (p.ended && !p.mayEnd) problems.push(`${p.name} had ended by itself`);
      const how = await this.end(p);
      if (p.name === 'serve' && how.code !== 0 && !p.mayEnd) problems.push(`serve ended with ${how.code ?? how.signal}`);
      const text = fs.readFileSync(p.log, 'utf8');
      if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(text)) problems.push(`${p.name}:\n${text.slice(-8000)}`);
    }
    if (problems.length) throw new Error(problems.join('\n'));
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

const start = (options) => new Gateway(options).start();

// The state of an installation without servers, for tests of the command alone.
function offline(options) {
  const gw = new Gateway(options);
  gw.init();
  return gw;
}

// One call over a raw socket: what fetch would normalise or refuse to send.
function raw(port, text, { timeoutMs = PATIENCE_MS } = {}) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    const s = net.connect(port, '127.0.0.1', () => s.write(text));
    s.setTimeout(timeoutMs, () => s.destroy());
    s.on('data', (c) => chunks.push(c));
    s.on('error', (error) => { if (!chunks.length) reject(error); });   // a server that refuses may not read on
    s.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

// What raw() gave, taken apart: { status, headers (names in lower case, the last one wins), count (of each), body }.
function answer(text) {
  const at = text.indexOf('\r\n\r\n');
  const [line, ...fields] = text.slice(0, at).split('\r\n');
  const headers = {}, count = {};
  for (const f of fields) {
    const name = f.slice(0, f.indexOf(':')).toLowerCase();
    headers[name] = f.slice(f.indexOf(':') + 1).trim();
    count[name] = (count[name] || 0) + 1;
  }
  let body = text.slice(at + 4);
  if (/chunked/i.test(headers['transfer-encoding'])) {
    let rest = body;
    body = '';
    for (let n; (n = parseInt(rest, 16)) > 0; rest = rest.slice(rest.indexOf('\r\n') + 2 + n + 2))
      body += rest.slice(rest.indexOf('\r\n') + 2, rest.indexOf('\r\n') + 2 + n);
  }
  return { status: Number(line.split(' ')[1]), headers, count, body };
}

// Each file below a folder with such a path, [path, bytes]; not those that somebody who serves takes away meanwhile.
function* filesIn(dir, such = /./) {
  const there = (read) => { try { return read(); } catch (e) { if (e.code !== 'ENOENT') throw e; return undefined; } };
  for (const e of there(() => fs.readdirSync(dir, { withFileTypes: true })) ?? []) {
    const file = path.join(dir, e.name), bytes = e.isFile() && such.test(file) ? there(() => fs.readFileSync(file)) : undefined;
    if (bytes) yield [file, bytes];
    if (e.isDirectory()) yield* filesIn(file, such);
  }
}

module.exports = { start, filesIn, offline, backend, raw, answer, until, freePort, cpuSlowness, Gateway, SERVERS, ROOT, ASAN, RELEASE };
