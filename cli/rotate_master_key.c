/* rotate_master_key.c - `gatehouse rotate-master-key`: a new master key while everything runs. What was interrupted is gone on
 * with: the state of the two key files and the id in the store say how far it came. */
#include "cli/output.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/seal.h"

#include <string.h>

static const struct option options[] = {
	{ "new-key-file", OPTION_TEXT, "FILE", "the new key, 64 hexadecimal digits (else GATEHOUSE_MASTER_KEY_NEW, else a random one)", false },
	OPTION_END,
};

struct keys {
	uint8_t present[PATHS_MASTER_KEY_BYTES], next[PATHS_MASTER_KEY_BYTES];
	char present_id[PATHS_KEY_ID_MAX], next_id[PATHS_KEY_ID_MAX], store_id[PATHS_KEY_ID_MAX];
	bool has_next;
};

static gh_rc read_keys(struct cli *c, struct store *s, struct keys *k, struct gh_err *err)
{
	bool found;

	TRY(paths_master_key(c->state_dir, k->present, &found, err));
	TRY(paths_master_key_next(c->state_dir, k->next, &k->has_next, err));
	if (!found)
		FAIL(err, UNAVAILABLE, "there is no master key: neither GATEHOUSE_MASTER_KEY nor %s/master.key", c->state_dir);
	paths_master_key_id(k->present, k->present_id);
	if (k->has_next)
		paths_master_key_id(k->next, k->next_id);
	return store_master_key_id(s, k->store_id, err);
}

/* DIR/master.key.new is written whatever gives the key: the programs that run find it there, not in our environment. */
static gh_rc make_next(struct cli *c, struct keys *k, struct gh_err *err)
{
	const char *file = option_text(&c->options, "new-key-file");
	bool found;

	if (file) {
		TRY(paths_master_key_read(file, k->next, &k->has_next, err));
		if (!k->has_next)
			FAIL(err, NOT_FOUND, "%s: there is no such file", file);
	} else if (!k->has_next && paths_master_key_is_variable()) {
		return cli_usage(c, err, "the master key is in GATEHOUSE_MASTER_KEY: give the new one with --new-key-file FILE or in "
				 "GATEHOUSE_MASTER_KEY_NEW");
	}
	TRY(paths_master_key_next_create(c->state_dir, k->has_next ? k->next : NULL, err));
	TRY(paths_master_key_next(c->state_dir, k->next, &found, err));
	paths_master_key_id(k->next, k->next_id);
	if (strcmp(k->next_id, k->present_id) == 0) {
		TRY(paths_master_key_next_end(c->state_dir, false, err));
		FAIL(err, INVALID, "the new master key is the one that is there");
	}
	return GH_RC_OK;
}

static gh_rc seal_anew(struct cli *c, struct store *s, struct keys *k, int64_t *n, struct gh_err *err)
{
	gh_rc rc;

	TRY(make_next(c, k, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_rekey(s, k->next, n, err);
	return store_tx_end(s, rc, err);
}

static gh_rc finish(struct cli *c, struct store *s, bool promote, struct gh_err *err)
{
	gh_rc rc;

	TRY(paths_master_key_next_end(c->state_dir, promote, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = store_rekey_finished(s, err);
	return store_tx_end(s, rc, err);
}

static void say(struct cli *c, const char *state, int64_t n, const char *text)
{
	if (c->json)
		buf_fmt(&c->out, "{\"state\": \"%s\", \"values\": %lld}\n", state, (long long)n);
	else
		buf_fmt(&c->out, "%s\n", text);
}

static gh_rc rotate(struct cli *c, struct store *s, struct keys *k, struct gh_err *err)
{
	bool sealed = k->has_next && strcmp(k->store_id, k->next_id) == 0, variable = paths_master_key_is_variable();
	bool took_over = *k->store_id && k->has_next && strcmp(k->store_id, k->present_id) == 0
			 && strcmp(k->present_id, k->next_id) == 0;
	int64_t n = 0;

	if (took_over) {
		TRY(finish(c, s, false, err));
		say(c, "done", 0, "the new master key is in use; DIR/master.key.new is gone");
		return GH_RC_OK;
	}
	if (!sealed)
		TRY(seal_anew(c, s, k, &n, err));
	if (variable) {
		say(c, "waiting", n, "all values are sealed with the new master key. Now put it into GATEHOUSE_MASTER_KEY of the service, "
		    "start that again,\nand run `gatehouse rotate-master-key` with it once more: it removes DIR/master.key.new.");
		return GH_RC_OK;
	}
	TRY(finish(c, s, true, err));
	say(c, "done", n, "all values are sealed with the new master key in DIR/master.key; the old one is gone. Copies of the store that\n"
	    "were made before need the old one.");
	return GH_RC_OK;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct keys k = { 0 };
	struct store *s;
	gh_rc rc;

	TRY(cli_store(c, true, &s, err));
	rc = read_keys(c, s, &k, err);
	if (!rc.code)
		rc = rotate(c, s, &k, err);
	crypto_wipe(&k, sizeof(k));
	return rc;
}

const struct command command_rotate_master_key = {
	.name = "rotate-master-key", .summary = "seal every secret with a new master key, while everything runs",
	.help = "Calls go on; changes wait for a moment. When it is interrupted, run it again: it goes on where it was.",
	.options = options, .run = run,
};
