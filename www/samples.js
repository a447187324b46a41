// Remembers the language that somebody reads samples in: the server marks it on the next page, so nothing jumps.
'use strict';
(() => {
  const path = document.currentScript.dataset.path;
  for (const radio of document.querySelectorAll('input[name=sample]'))
    radio.addEventListener('change', () => {
      document.cookie = `gh_sample=${radio.value}; path=${path}; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
    });
})();
