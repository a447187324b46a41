/* keys.c - what the pages sign and seal with, made from the master key.
 *
 * The master key may be changed while we run (`gatehouse rotate-master-key`), and no two processes may disagree for long: the
 * file is looked at with each request, which is nothing beside a page. Forms and sign-ins that were begun under the key
 * before are taken for a while, so that nobody loses what he has typed. */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/paths.h"
#include "portal/web/web.h"

GH_RC web_keys_read(struct web_site *site, struct gh_err *err)
{
	static const uint8_t none[CRYPTO_SHA256_BYTES];
	uint8_t master[PATHS_MASTER_KEY_BYTES];
	struct web_keys now;
	struct str key = { (const char *)master, sizeof(master) };
	bool found;

	TRY(paths_master_key(site->state_dir, master, &found, err));
	if (!found)
		FAIL(err, UNAVAILABLE, "there is no master key in %s; run `gatehouse init` first", site->state_dir);
	crypto_hmac_sha256(key, STR("gatehouse web form tokens"), now.form);
	crypto_hmac_sha256(key, STR("gatehouse web cookies"), now.seal);
	crypto_wipe(master, sizeof(master));
	if (memcmp(site->keys.form, none, sizeof(none)) != 0 && memcmp(site->keys.form, now.form, sizeof(now.form)) != 0) {
		site->keys_before = site->keys;
		site->keys_before_until_us = clock_mono_us() + (int64_t)WEB_KEYS_BEFORE_S * 1000000;
	}
	site->keys = now;
	crypto_wipe(&now, sizeof(now));
	return GH_RC_OK;
}

const struct web_keys *web_keys_before(const struct web_site *site)
{
	return clock_mono_us() < site->keys_before_until_us ? &site->keys_before : NULL;
}
