// The script that counts in Redis, against a real server whose clock the test moves: whatever comes, no more than the limit passes,
// and after the time that a refusal tells the same passes.
'use strict';
const { describe, it, before, after } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { redis, freePort, clear } = require('./redis-pair');

// RESP2, one command at a time
function client(port) {
  const s = net.connect(port, '127.0.0.1');
  let got = Buffer.alloc(0), waiting;
  const line = (at) => { const end = got.indexOf('\r\n', at); return end < 0 ? null : [got.toString('latin1', at, end), end + 2]; };
  function read(at) {                      // [value, next], or null: more must come
    const l = line(at);
    if (!l) return null;
    const [text, next] = l, n = Number(text.slice(1));
    if (text[0] === ':') return [n, next];
    if (text[0] === '+' || text[0] === '-') return [text[0] === '-' ? new Error(text.slice(1)) : text.slice(1), next];
    if (text[0] === '$') return n < 0 ? [null, next] : got.length < next + n + 2 ? null : [got.toString('utf8', next, next + n), next + n + 2];
    const all = [];
    let to = next;
    for (let i = 0; i < n; i++) {
      const one = read(to);
      if (!one) return null;
      all.push(one[0]);
      to = one[1];
    }
    return [all, to];
  }
  s.on('data', (d) => {
    got = Buffer.concat([got, d]);
    const one = read(0);
    if (!one) return;
    got = got.subarray(one[1]);
    const { resolve, reject } = waiting;
    if (one[0] instanceof Error) reject(one[0]); else resolve(one[0]);
  });
  return { ask: (...words) => new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    s.write(`*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(String(w))}\r\n${w}\r\n`).join('')}`);
  }), close: () => s.destroy() };
}

describe('the script of limits', () => {
  let server, c, sha, now = 1700000000000000, seed = 1;
  before(async () => {
    server = await redis('script', await freePort());
    c = client(server.port);
    const text = fs.readFileSync(path.join(__dirname, '../../fcgi/shared_limit.lua'), 'utf8'), clock = "redis.call('TIME')";
    assert.ok(text.includes(clock));
    sha = await c.ask('SCRIPT', 'LOAD', text.replace(clock, "{ redis.call('GET', 'clock:s'), redis.call('GET', 'clock:us') }"));
  });
  after(async () => { c?.close(); await server?.stop(); clear(); });

  const random = (n) => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 65536) % n; };
  async function take(key, a, amount) {
    await c.ask('MSET', 'clock:s', Math.floor(now / 1e6), 'clock:us', now % 1e6);
    const [passes, used, left, wait, reset, more] = await c.ask('EVALSHA', sha, 1, `${key}:${a.kind}`, a.kind, a.limit, amount, a.window, a.burst || 0, a.origin || 0, 0, 0);
    return { passes: passes === 1, used, left, wait, reset, more };
  }

  for (const a of [{ kind: 's', limit: 20, window: 7 }, { kind: 's', limit: 200, window: 7 }, { kind: 'f', limit: 20, window: 7, origin: 1234567 },
    { kind: 'b', limit: 20, window: 7 }, { kind: 'b', limit: 20, window: 7, burst: 5 }, { kind: 'b', limit: 20, window: 7, burst: 1 }]) {
    it(`${{ s: 'sliding window', f: 'fixed window', b: 'bucket' }[a.kind]}, ${a.limit} in ${a.window} s${a.burst ? `, ${a.burst} at once` : ''}`, async () => {
      const passed = [], key = JSON.stringify(a), window = a.window * 1e6;
      let refused = 0;
      const one = async (amount) => {
        const got = await take(key, a, amount);
        for (let i = 0; got.passes && i < amount; i++) passed.push(now);
        // what passed in the time that counts is never more than the limit; of a bucket, what its burst and the time allow
        const since = a.kind === 'f' ? now - ((now - a.origin) % window) : now - window + 1;
        const lately = passed.filter((t) => t >= since).length;
        assert.ok(lately <= (a.kind === 'b' ? a.limit + (a.burst || a.limit) : a.limit), `${lately} passed`);
        return got;
      };
      for (let i = 0; i < 400; i++) {
        const amount = 1 + (a.burst === 1 ? 0 : random(3));
        now += random(a.limit > 100 ? 10000 : 200000);
        const got = await one(amount);
        if (got.passes) continue;
        refused++;
        assert.ok(got.wait >= 1, `waits ${got.wait}`);
        if (i % 2) {
          now += got.wait - 1;
          assert.equal((await one(amount)).passes, false, 'a moment before');
          now += 1;
        } else {
          now += Math.ceil(got.wait / 1e6) * 1e6;
        }
        assert.equal((await one(amount)).passes, true, 'what it promised');
      }
      assert.ok(refused > 3, `refused ${refused}`);
    });
  }
});
