// Asks the device for a passkey (W3C Web Authentication) and sends its answer with the form. Without script, or in a browser
// without passkeys, the form says so and nothing is sent.
'use strict';
(() => {
  const form = document.querySelector('form[data-passkey]');
  if (!form || !window.PublicKeyCredential) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const keys = () => (form.dataset.keys || '').split(' ').filter(Boolean).map((id) => ({ type: 'public-key', id: bytes(id) }));
  const put = (name, buffer) => { form.elements[name].value = buffer ? text(buffer) : ''; };
  const challenge = bytes(form.dataset.challenge);
  const problem = (name) => form.querySelector(`[data-problem="${name}"]`);
  let done = false;

  async function make() {
    const { response } = await navigator.credentials.create({ publicKey: {
      challenge, rp: { id: form.dataset.rp, name: form.dataset.site },
      user: { id: new TextEncoder().encode(form.dataset.user), name: form.dataset.email, displayName: form.dataset.name },
      pubKeyCredParams: [-7, -8, -35, -257].map((alg) => ({ type: 'public-key', alg })), excludeCredentials: keys(), attestation: 'none',
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' } } });
    put('client_data', response.clientDataJSON);
    put('auth_data', response.getAuthenticatorData());
  }

  async function get() {
    const key = await navigator.credentials.get({ publicKey: { challenge, rpId: form.dataset.rp, allowCredentials: keys(), userVerification: 'required' } });
    put('key', key.rawId);
    put('client_data', key.response.clientDataJSON);
    put('auth_data', key.response.authenticatorData);
    put('signature', key.response.signature);
    put('handle', key.response.userHandle);
  }

  problem('never').hidden = true;
  form.addEventListener('submit', async (event) => {
    if (done) return;
    event.preventDefault();
    problem('no').hidden = true;
    try {
      await (form.dataset.passkey === 'create' ? make() : get());
      done = true;
      form.requestSubmit();
    } catch {
      problem('no').hidden = false;
    }
  });
})();
