// Access tokens for the test console, from the API's own sign-in service: authorization code with PKCE (RFC 7636) in a window of
// its own. The service sends that window back to a page of this portal, which hands the code on over a channel that only pages
// of this origin hear; the code is exchanged by this page, and the token is kept in its memory.
'use strict';
window.consoleToken = ({ authorize, token, discovery, back, client, scopes, text, waiting }) => {
  const b64 = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const random = (n) => b64(crypto.getRandomValues(new Uint8Array(n)));
  const refused = (why) => new Error(text('refused', why));
  const WAIT_MS = 600000;

  const json = async (address, options) => {
    let answer;
    try { answer = await fetch(address, { credentials: 'omit', cache: 'no-store', ...options }); } catch { throw refused(text('unreachable')); }
    return { ok: answer.ok, status: answer.status, body: await answer.json().catch(() => ({})) };
  };

  async function service() {
    if (!discovery) return { authorize, token };
    const { ok, body } = await json(discovery);
    if (!ok || !body.authorization_endpoint || !body.token_endpoint) throw refused(text('unreachable'));
    return { authorize: body.authorization_endpoint, token: body.token_endpoint, issuer: body.issuer };
  }

  // The answer that carries our state; all others are somebody else's.
  const answered = (state) => new Promise((resolve, reject) => {
    const channel = new BroadcastChannel('gatehouse-console');
    const end = (how, value) => {
      clearTimeout(timer);
      channel.close();
      how(value);
    };
    const timer = setTimeout(() => end(reject, refused('…')), WAIT_MS);
    channel.onmessage = ({ data }) => {
      if (data && data.state === state) end(resolve, data);
    };
  });

  return (async () => {
    if (!window.isSecureContext || !crypto.subtle) throw new Error(text('secure'));
    if (!client) throw new Error(text('client', back));
    const popup = window.open('', '_blank', 'popup,width=520,height=700');   // within the click, or it is blocked
    if (!popup) throw new Error(text('blocked'));
    const state = random(16), verifier = random(32);
    let at;
    try { at = await service(); } catch (e) { popup.close(); throw e; }
    const challenge = b64(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
    const address = new URL(at.authorize);
    if (!/^https?:$/.test(address.protocol)) { popup.close(); throw refused(text('unreachable')); }
    for (const [name, value] of Object.entries({ response_type: 'code', client_id: client, redirect_uri: back, state,
      code_challenge: challenge, code_challenge_method: 'S256', ...(scopes ? { scope: scopes } : {}) })) address.searchParams.set(name, value);
    const answer = answered(state);
    popup.location = address.href;
    waiting();
    const { code, error, error_description: description, iss } = await answer;
    if (error || !code) throw refused(description || error || '…');
    if (iss && at.issuer && iss !== at.issuer) throw refused(iss);
    const got = await json(at.token, { method: 'POST', headers: { Accept: 'application/json' },
      body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: back, client_id: client, code_verifier: verifier }) });
    if (!got.ok || !got.body.access_token) throw refused(got.body.error_description || got.body.error || String(got.status));
    return { token: got.body.access_token, until: got.body.expires_in ? Date.now() + got.body.expires_in * 1000 : 0 };
  })();
};
