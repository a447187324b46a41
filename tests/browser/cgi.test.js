// Portal and dashboard as plain CGI programs, and their answers to bad starts: no web server needed.
'use strict';
const test = require('node:test');
const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { offline } = require('../http/harness');

const gw = offline();

function cgi(program, env, input = '') {
  const r = spawnSync(path.join(gw.bin, `gatehouse-${program}`), ['--state', gw.state], {
    env: { PATH: process.env.PATH, ...env }, input, encoding: 'utf8',
  });
  assert.strictEqual(r.status, 0, r.stderr);
  const [head, ...rest] = r.stdout.split('\r\n\r\n');
  return { head, body: rest.join('\r\n\r\n'), status: Number(/^Status: (\d+)/.exec(head)[1]) };
}

test('a page', () => {
  const { head, body, status } = cgi('portal', { REQUEST_METHOD: 'GET', REQUEST_URI: '/' });
  assert.strictEqual(status, 200);
  assert.match(body, /Nothing is published yet/);
  assert.match(head, new RegExp(`Content-Length: ${Buffer.byteLength(body)}(\r\n|$)`));
});

test('SCRIPT_NAME and PATH_INFO serve where REQUEST_URI is missing', () => {
  const { status } = cgi('admin', { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/admin', PATH_INFO: '/sign-in' });
  assert.strictEqual(status, 200);
});

test('HEAD has the length but no body', () => {
  const { head, body } = cgi('portal', { REQUEST_METHOD: 'HEAD', REQUEST_URI: '/' });
  assert.match(head, /Content-Length: \d{4}/);
  assert.strictEqual(body, '');
});

test('bad requests', () => {
  const form = { REQUEST_METHOD: 'POST', REQUEST_URI: '/admin/sign-in', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
  assert.strictEqual(cgi('admin', { ...form, CONTENT_LENGTH: '3' }, 'a=1').status, 403, 'no form token');
  assert.strictEqual(cgi('admin', { ...form, CONTENT_LENGTH: '9' }, 'a=1').status, 400, 'cut short');
  assert.strictEqual(cgi('admin', { ...form, CONTENT_LENGTH: '99999999' }).status, 413, 'too large');
  assert.strictEqual(cgi('admin', { ...form, CONTENT_LENGTH: '-1' }).status, 400, 'no number');
  assert.strictEqual(cgi('admin', { REQUEST_METHOD: 'GET', REQUEST_URI: '/admin/%ff' }).status, 400, 'not UTF-8');
  const many = { REQUEST_METHOD: 'GET', REQUEST_URI: `/?${'a&'.repeat(500)}` };
  assert.strictEqual(cgi('portal', many).status, 413, 'too many fields');
});

test('starts that cannot work say why', () => {
  const start = (...args) => spawnSync(path.join(gw.bin, 'gatehouse-portal'), args, { encoding: 'utf8', input: '' });
  const none = start('--state', '/nonexistent');
  assert.strictEqual(none.status, 1);
  assert.match(none.stderr, /gatehouse init/);
  assert.strictEqual(start('--bogus').status, 2);
  assert.match(start('--help').stdout, /usage: gatehouse-portal/);
});
