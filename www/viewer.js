// The whole description in Swagger UI. Calls go to the gateway on the same origin without cookies; a key is asked for by the
// name of its subscription when it is chosen and lives in the viewer's memory only. Nothing is loaded from or told to
// another host, and nothing is kept in the browser's storage. Tokens are had in the test console of an operation's page.
'use strict';
(() => {
  const box = document.getElementById('viewer'), chosen = document.getElementById('viewer-key');
  // the viewer's own dark colours hang on a class; the page follows the reader's wish by itself
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  follow();
  dark.addEventListener('change', follow);

  // What the viewer leaves to be mended for screen readers: lists without a name, links within buttons.
  const mend = () => {
    for (const list of box.querySelectorAll('select:not([aria-label])')) {
      const name = list.closest('tr')?.querySelector('.parameter__name')?.textContent.replace('*', '').trim();
      list.setAttribute('aria-label', name || box.dataset.choose);
    }
    for (const link of box.querySelectorAll('button a[href]')) link.removeAttribute('href');
  };
  new MutationObserver(mend).observe(box, { childList: true, subtree: true });

  const KEY_SCHEME = /^subscriptionKey\d*$/;

  const tokens = (system) => ({
    wrapComponents: {
      oauth2: () => () => system.React.createElement('p', null, box.dataset.tokens),
    },
  });

  const ui = window.SwaggerUIBundle({
    url: new URL(box.dataset.address, location.href).href,
    domNode: box,
    docExpansion: box.dataset.expansion,
    defaultModelsExpandDepth: 0,
    deepLinking: true,
    filter: true,
    validatorUrl: null,
    queryConfigEnabled: false,
    persistAuthorization: false,
    withCredentials: false,
    displayRequestDuration: true,
    syntaxHighlight: { activated: false },
    plugins: [tokens],
    requestInterceptor: (request) => {
      if (!request.loadSpec) request.credentials = 'omit';
      return request;
    },
  });

  function fail(message) {
    const at = document.getElementById('viewer-problem');
    at.textContent = message;
    at.hidden = !message;
  }

  const schemes = () => {
    const spec = ui.getState().getIn(['spec', 'json']);
    const all = spec && (spec.getIn(['components', 'securitySchemes']) || spec.get('securityDefinitions'));
    return all ? [...all.keys()].filter((name) => KEY_SCHEME.test(name)) : [];
  };

  if (chosen) chosen.addEventListener('change', async () => {
    fail('');
    ui.authActions.logout(schemes());
    if (!chosen.value) return;
    const answer = await fetch(`${chosen.dataset.keys}/${encodeURIComponent(chosen.value)}/console-key`,
      { method: 'POST', body: new URLSearchParams({ csrf: chosen.dataset.csrf }), headers: { Accept: 'application/json' } }).catch(() => null);
    if (!answer || !answer.ok) {
      fail(box.dataset.noKey);
      return;
    }
    const { key } = await answer.json();
    for (const name of schemes()) ui.preauthorizeApiKey(name, key);
  });
})();
