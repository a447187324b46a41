// Hands what a sign-in service answered to the page whose test console asked for it, and closes this window. The page checks
// that the answer belongs to its own question; the code is worth nothing without the secret that only that page knows (PKCE).
'use strict';
(() => {
  const answer = new URLSearchParams(location.search), channel = new BroadcastChannel('gatehouse-console');
  channel.postMessage(Object.fromEntries(['state', 'code', 'error', 'error_description', 'iss'].map((n) => [n, answer.get(n)])));
  channel.close();
  history.replaceState(null, '', location.pathname);
  window.close();
})();
