// The test console of an operation's page. The page works without it: then there are the samples above it.
//
// Keys never stand in the page or in the browser's storage: the chosen subscription's key is asked for when the first call is
// made (the server notes that) and lives in this variable until the page goes, as do tokens. Calls go to the gateway on the same
// origin, without cookies, so no CORS policy is needed and no session of the portal travels along. The history keeps addresses
// and results in the browser, never keys, tokens or bodies.
'use strict';
(() => {
  const box = document.getElementById('console');
  if (!box) return;
  const at = (name) => box.dataset[name] || '';
  const part = (name) => box.querySelector(`[data-part="${name}"]`);
  const form = part('form'), out = part('answer'), keys = new Map();
  const SHOWN_MAX = 200000, HISTORY_MAX = 20, HISTORY = 'gatehouse-console', RECORD_TRIES = 12, RECORD_WAIT_MS = 400;
  let token = '', saved = '';

  function text(key, value) {
    return part('texts').querySelector(`[data-key="${key}"]`).textContent.replace('{1}', () => value);
  }

  const fields = (where) => [...form.querySelectorAll(`[data-in="${where}"]`)].filter((f) => f.value !== '');
  const missing = () => [...form.querySelectorAll('[data-in][required]')].find((f) => f.value === '');
  const list = (f) => f.value.split(',').map((s) => s.trim()).filter((s) => s);

  // ---- the call ----

  function target() {
    let path = at('template').split('?')[0];
    for (const f of form.querySelectorAll('[data-in="path"]'))
      path = path.replaceAll(`{${f.dataset.name}}`, encodeURIComponent(f.value))
        .replaceAll(`{${f.dataset.name}*}`, encodeURI(f.value)).replaceAll(`{*${f.dataset.name}}`, encodeURI(f.value));
    const pairs = fields('query').flatMap((f) => (f.dataset.repeats ? list(f) : [f.value]).map((v) => [f.dataset.name, v]));
    const named = new Set(pairs.map(([n]) => n));
    for (const [n, v] of new URLSearchParams(at('template').split('?')[1] || ''))   // what the template asks for with a fixed value
      if (!named.has(n) && !/[{}]/.test(v)) pairs.push([n, v]);
    const query = new URLSearchParams(pairs).toString();
    return at('address') + path + (query ? `?${query}` : '');
  }

  async function ownKey() {
    const choice = part('key') ? part('key').value : '';
    if (choice === '') return '';
    if (choice === 'other') return part('other').value.trim();
    if (!keys.has(choice)) {
      const r = await fetch(`${at('keys')}/${encodeURIComponent(choice)}/console-key`,
        { method: 'POST', body: new URLSearchParams({ csrf: at('csrf') }), headers: { Accept: 'application/json' } });
      if (!r.ok) throw new Error(text('key'));
      keys.set(choice, (await r.json()).key);
    }
    return keys.get(choice);
  }

  function more() {
    return part('more').value.split('\n').filter((l) => l.trim()).map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw new Error(text('header'));
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
  }

  // [name, value, what the curl line shows instead]
  async function credentials() {
    const all = [], key = await ownKey(), bearer = part('bearer') ? part('bearer').value.trim() || token : '';
    if (key) all.push([at('header'), key, 'YOUR-KEY']);
    if (bearer) all.push(['Authorization', `Bearer ${bearer}`, 'Bearer YOUR-TOKEN']);
    if (part('user') && part('user').value) {
      const bytes = new TextEncoder().encode(`${part('user').value}:${part('password').value}`);
      all.push(['Authorization', `Basic ${btoa(String.fromCharCode(...bytes))}`, 'Basic BASE64-OF-USER-COLON-PASSWORD']);
    }
    return all;
  }

  // { body for fetch, type to name or '', lines for curl }
  function body() {
    const area = part('send-body'), set = part('form-body');
    if (!set) return area && area.value !== '' ? { send: area.value, type: at('type'), curl: [`--data-raw ${quoted(area.value)}`] } : { curl: [] };
    const given = [...set.querySelectorAll('[data-field]')].filter((f) => (f.type === 'file' ? f.files.length : f.value !== ''));
    if (!/^multipart/i.test(at('type'))) {
      const all = new URLSearchParams(given.map((f) => [f.dataset.field, f.value])).toString();
      return { send: all, type: at('type'), curl: [`--data-raw ${quoted(all)}`] };
    }
    const all = new FormData(), curl = [];
    for (const f of given) {
      all.append(f.dataset.field, f.type === 'file' ? f.files[0] : f.value);
      curl.push(f.type === 'file' ? `-F ${quoted(`${f.dataset.field}=@${f.files[0].name}`)}` : `--form-string ${quoted(`${f.dataset.field}=${f.value}`)}`);
    }
    return { send: all, type: '', curl };
  }

  const quoted = (s) => `'${s.replaceAll("'", "'\\''")}'`;

  function curl(url, headers, lines) {
    const method = at('method') === 'GET' ? '' : at('method') === 'HEAD' ? ' --head' : ` -X ${at('method')}`;
    const all = [`curl${method} ${quoted(new URL(url, location.href).href)}`];
    for (const [name, value, shown] of headers) all.push(`-H ${quoted(`${name}: ${shown || value}`)}`);
    return [...all, ...lines].join(' \\\n  ');
  }

  // ---- the answer ----

  const isText = (type) => !type || /^text\/|[/+](json|xml|yaml|javascript|x-www-form-urlencoded|x-ndjson)\b|problem/i.test(type);

  function indentXml(xml) {
    let depth = 0;
    return xml.replace(/>\s*</g, '>\n<').split('\n').map((line) => {
      if (/^<\//.test(line)) depth = Math.max(0, depth - 1);
      const shown = '  '.repeat(depth) + line;
      if (/^<[^!?/][^>]*[^/]>$/.test(line) || /^<[^!?/]>$/.test(line)) depth += 1;
      return shown;
    }).join('\n');
  }

  // JSON as a tree of coloured texts; everything else as it is.
  function show(where, type, received) {
    let shown = received;
    where.replaceChildren();
    if (/[/+]json\b/i.test(type)) {
      try { shown = JSON.stringify(JSON.parse(received), null, 2); } catch { /* not what it says: as it came */ }
    } else if (/[/+]xml\b/i.test(type)) {
      shown = indentXml(received);
    }
    const cut = shown.length > SHOWN_MAX;
    if (cut) shown = shown.slice(0, SHOWN_MAX);
    if (/[/+]json\b/i.test(type) && shown.length < SHOWN_MAX / 4) {
      let from = 0;
      for (const m of shown.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
        const span = document.createElement('span');
        span.className = m[2] ? 'json-name' : m[1] ? 'json-text' : 'json-value';
        span.textContent = m[1] || m[0];
        where.append(shown.slice(from, m.index), span);
        from = m.index + span.textContent.length;
      }
      where.append(shown.slice(from));
    } else {
      where.append(shown);
    }
    if (cut) where.append(`\n${text('cut')}`);
  }

  function row(name, value) {
    const dt = document.createElement('dt'), dd = document.createElement('dd'), div = document.createElement('div');
    dt.textContent = name;
    dd.textContent = value;
    div.append(dt, dd);
    part('facts').append(div);
  }

  async function showAnswer(answer, ms, line) {
    const id = answer.headers.get('x-request-id'), type = answer.headers.get('content-type') || '';
    const bytes = answer.type === 'opaqueredirect' ? new Blob([]) : await answer.blob();
    const redirect = answer.type === 'opaqueredirect';
    part('status').textContent = redirect ? text('redirect') : `${answer.status} ${answer.statusText}`;
    part('status').className = `status status-${answer.ok ? 'good' : answer.status < 500 ? 'warn' : 'bad'}`;
    part('facts').replaceChildren();
    row(text('time'), `${ms} ms`);
    row(text('size'), text('bytes', bytes.size.toLocaleString(document.documentElement.lang)));
    if (id) row(text('id'), id);
    part('why').hidden = !id || !at('calls') || !part('key') || !keys.has(part('key').value);
    if (!part('why').hidden) part('why').href = `${at('calls')}/${encodeURIComponent(id)}`;
    part('headers').textContent = [...answer.headers].map(([n, v]) => `${n}: ${v}`).join('\n');
    if (isText(type)) show(part('body'), type, await bytes.text());
    else part('body').textContent = text('binary', bytes.size.toLocaleString(document.documentElement.lang));
    if (saved) URL.revokeObjectURL(saved);
    saved = bytes.size ? URL.createObjectURL(bytes) : '';
    part('save-line').hidden = !saved;
    part('save').href = saved || '#console';
    part('curl').textContent = line;
    out.hidden = false;
    out.focus();
  }

  // The record of a call is written a moment after its answer: who is quick waits for it.
  part('why').addEventListener('click', async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { href } = part('why');
    for (let i = 0; i < RECORD_TRIES && !(await fetch(href, { method: 'HEAD' }).catch(() => ({}))).ok; i++)
      await new Promise((r) => setTimeout(r, RECORD_WAIT_MS));
    location.href = href;
  });

  // ---- what was called before ----

  function past() {
    try { return JSON.parse(localStorage.getItem(HISTORY) || '[]').filter((e) => e && typeof e.url === 'string'); } catch { return []; }
  }

  function remember(entry) {
    try { localStorage.setItem(HISTORY, JSON.stringify([entry, ...past()].slice(0, HISTORY_MAX))); } catch { /* a browser that keeps nothing has no history */ }
    showPast();
  }

  function refill(values) {
    for (const f of form.querySelectorAll('[data-in="path"], [data-in="query"]')) f.value = values[`${f.dataset.in} ${f.dataset.name}`] || '';
    part('send').focus();
  }

  function showPast() {
    const all = past();
    part('history').replaceChildren(...all.map((e) => {
      const li = document.createElement('li');
      li.append(`${new Date(e.at).toLocaleTimeString(document.documentElement.lang)}  ${e.status || '3xx'}  ${e.method} ${e.url}  ${e.ms} ms `);
      if (e.of === `${at('method')} ${at('address')}${at('template')}` && e.values) {
        const again = document.createElement('button');
        again.type = 'button';
        again.className = 'button button-quiet button-small';
        again.textContent = text('again');
        again.addEventListener('click', () => refill(e.values));
        li.append(again);
      }
      return li;
    }));
    part('past').hidden = !all.length;
  }

  part('clear').addEventListener('click', () => {
    try { localStorage.removeItem(HISTORY); } catch { /* as above */ }
    showPast();
    part('send').focus();
  });

  // ---- all of it ----

  async function send() {
    const headers = [...fields('header').map((f) => [f.dataset.name, f.value]), ...more(), ...await credentials()];
    const url = target(), b = body();
    if (b.type) headers.push(['Content-Type', b.type]);
    const from = performance.now();
    const answer = await fetch(url, { method: at('method'), headers: headers.map(([n, v]) => [n, v]), body: b.send, credentials: 'omit', cache: 'no-store', redirect: 'manual' });
    const ms = Math.round(performance.now() - from);
    await showAnswer(answer, ms, curl(url, headers, b.curl));
    const values = Object.fromEntries([...fields('path'), ...fields('query')].map((f) => [`${f.dataset.in} ${f.dataset.name}`, f.value]));
    remember({ at: Date.now(), method: at('method'), url, status: answer.status, ms, of: `${at('method')} ${at('address')}${at('template')}`, values });
  }

  function fail(message) {
    part('problem').textContent = message;
    part('problem').hidden = !message;
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const empty = missing();
    if (empty) {
      fail(text('missing', empty.dataset.name));
      empty.focus();
      return;
    }
    fail('');
    part('send').disabled = true;
    try { await send(); } catch (e) { fail(e instanceof TypeError ? text('away') : e.message); }
    part('send').disabled = false;
  });

  if (part('get')) part('get').addEventListener('click', async () => {
    const have = (message) => {
      part('have').textContent = message;
      part('have').hidden = !message;
    };
    fail('');
    have('');
    try {
      const got = await window.consoleToken({ authorize: at('authorize'), token: at('token'), discovery: at('discovery'),
        back: new URL(at('return'), location.origin).href, client: part('client').value.trim(), scopes: part('scopes').value.trim(),
        text, waiting: () => have(text('waiting')) });
      token = got.token;
      have(text('have', got.until ? new Date(got.until).toLocaleTimeString(document.documentElement.lang) : '–'));
    } catch (e) {
      have('');
      fail(e.message);
    }
  });

  if (part('key')) {
    const other = () => { part('other-field').hidden = part('key').value !== 'other'; };
    part('key').addEventListener('change', other);
    other();
  }
  showPast();
  box.hidden = false;
})();
