// The test console of an operation's page. The page works without it: then there is the curl line above.
//
// Keys never stand in the page or in the browser's storage: the chosen subscription's key is asked for when the first call is
// made (the server notes that) and lives in this variable until the page goes. Calls go to the gateway on the same origin, without
// cookies, so no CORS policy is needed and no session of the portal travels along.
'use strict';
(() => {
  const box = document.getElementById('console');
  if (!box) return;
  const at = (name) => box.dataset[name] || '';
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  const form = part('form'), out = part('answer'), keys = new Map();
  const SHOWN_MAX = 200000, HISTORY_MAX = 10, HISTORY = 'gatehouse-console';

  const fields = (where) => [...form.querySelectorAll(`[data-in="${where}"]`)].filter((f) => f.value !== '');
  const missing = () => [...form.querySelectorAll('[data-in][required]')].find((f) => f.value === '');

  function target() {
    let path = at('template').split('?')[0];
    for (const f of form.querySelectorAll('[data-in="path"]'))
      path = path.replaceAll(`{${f.dataset.name}}`, encodeURIComponent(f.value)).replaceAll(`{${f.dataset.name}*}`, encodeURI(f.value));
    const query = new URLSearchParams(fields('query').map((f) => [f.dataset.name, f.value])).toString();
    return at('address') + path + (query ? `?${query}` : '');
  }

  async function ownKey() {
    const choice = part('key').value;
    if (choice === '') return '';
    if (choice === 'other') return part('other').value.trim();
    if (!keys.has(choice)) {
      const r = await fetch(`${at('keys')}/${encodeURIComponent(choice)}/console-key`,
        { method: 'POST', body: new URLSearchParams({ csrf: at('csrf') }), headers: { Accept: 'application/json' } });
      if (!r.ok) throw new Error('The key of this subscription cannot be had. Sign in again, or enter a key.');
      keys.set(choice, (await r.json()).key);
    }
    return keys.get(choice);
  }

  const quoted = (s) => `'${s.replaceAll("'", "'\\''")}'`;

  function curl(url, headers, body) {
    const lines = [`curl${at('method') === 'GET' ? '' : ` -X ${at('method')}`} ${quoted(new URL(url, location.href).href)}`];
    for (const [name, value] of headers) lines.push(`-H ${quoted(`${name}: ${name === at('header') ? 'YOUR-KEY' : value}`)}`);
    if (body !== undefined) lines.push(`-d ${quoted(body)}`);
    return lines.join(' \\\n  ');
  }

  function shown(type, text) {
    if (/[/+]json/.test(type)) {
      try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
    }
    return text;
  }

  function row(list, name, value) {
    const dt = document.createElement('dt'), dd = document.createElement('dd'), div = document.createElement('div');
    dt.textContent = name;
    dd.textContent = value;
    div.append(dt, dd);
    list.append(div);
  }

  function remember(entry) {
    try {
      const all = JSON.parse(localStorage.getItem(HISTORY) || '[]').filter((e) => e && typeof e.url === 'string');
      localStorage.setItem(HISTORY, JSON.stringify([entry, ...all].slice(0, HISTORY_MAX)));
    } catch { /* a browser that keeps nothing has no history */ }
    past();
  }

  function past() {
    const list = part('history');
    let all = [];
    try { all = JSON.parse(localStorage.getItem(HISTORY) || '[]'); } catch { /* as above */ }
    list.replaceChildren(...all.map((e) => {
      const li = document.createElement('li');
      li.textContent = `${new Date(e.at).toLocaleTimeString()}  ${e.status}  ${e.method} ${e.url}  ${e.ms} ms`;
      return li;
    }));
    part('past').hidden = !all.length;
  }

  function show(answer, text, ms, line) {
    const facts = part('facts'), id = answer.headers.get('x-request-id');
    part('status').textContent = `${answer.status} ${answer.statusText}`;
    part('status').className = `status status-${answer.ok ? 'good' : answer.status < 500 ? 'warn' : 'bad'}`;
    facts.replaceChildren();
    row(facts, 'Time', `${ms} ms`);
    row(facts, 'Size', `${new Blob([text]).size.toLocaleString()} bytes`);
    if (id) row(facts, 'Request id', id);
    const why = part('why');
    why.hidden = !id || answer.ok || !at('calls');
    if (!why.hidden) why.href = `${at('calls')}/${encodeURIComponent(id)}`;
    part('headers').textContent = [...answer.headers].map(([n, v]) => `${n}: ${v}`).join('\n');
    const body = shown(answer.headers.get('content-type') || '', text);
    part('body').textContent = body.length > SHOWN_MAX ? `${body.slice(0, SHOWN_MAX)}\n… cut here` : body;
    part('curl').textContent = line;
    out.hidden = false;
    out.focus();
  }

  async function send() {
    const headers = fields('header').map((f) => [f.dataset.name, f.value]), text = part('send-body');
    const key = await ownKey(), url = target();
    const body = text && text.value !== '' ? text.value : undefined;
    if (key) headers.push([at('header'), key]);
    if (body !== undefined) headers.push(['Content-Type', at('type')]);
    const from = performance.now();
    const answer = await fetch(url, { method: at('method'), headers, body, credentials: 'omit', cache: 'no-store', redirect: 'manual' });
    const received = await answer.text(), ms = Math.round(performance.now() - from);
    show(answer, received, ms, curl(url, headers, body));
    remember({ at: Date.now(), method: at('method'), url, status: answer.status, ms });
  }

  function fail(message) {
    part('problem').textContent = message;
    part('problem').hidden = !message;
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const empty = missing();
    if (empty) {
      fail(`Enter “${empty.dataset.name}” first.`);
      empty.focus();
      return;
    }
    fail('');
    part('send').disabled = true;
    try { await send(); } catch (e) { fail(e instanceof TypeError ? 'No answer: the gateway cannot be reached from here.' : e.message); }
    part('send').disabled = false;
  });
  part('key').addEventListener('change', () => { part('other-field').hidden = part('key').value !== 'other'; });
  part('other-field').hidden = part('key').value !== 'other';
  past();
  box.hidden = false;
})();
