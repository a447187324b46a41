// A button beside each field or block with data-copy that puts its text into the clipboard. Without script the text can be
// selected by hand.
'use strict';
(() => {
  if (!navigator.clipboard) return;                      // pages without TLS have none
  for (const from of document.querySelectorAll('[data-copy]')) {
    const button = document.createElement('button'), said = from.dataset.copy;
    button.type = 'button';
    button.className = 'button button-quiet button-small copy';
    button.textContent = said;
    button.addEventListener('click', async () => {
      try { await navigator.clipboard.writeText('value' in from ? from.value : from.textContent); } catch { return; }
      button.textContent = from.dataset.copied;
      setTimeout(() => { button.textContent = said; }, 2000);
    });
    from.after(button);
  }
})();
