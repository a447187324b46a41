/* lint.c - `gatehouse lint`: credentials that are old, unused, weak or double, secrets in documents, certificates that end, and
 * doors that stand open. It changes nothing. Exit status 1 when a finding is an error. */
#include "cli/lint.h"

#include "cli/output.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const levels[] = { "error", "warning", "note", NULL };

void lint_tell(struct lint *l, enum lint_level level, const char *rule, struct str object, struct str mend, const char *fmt, ...)
{
	char text[600];
	va_list args;

	if (level == LINT_ERROR)
		l->c->exit_code = 1;
	if (l->n == LINT_FINDINGS_MAX) {
		l->left_out++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	l->v[l->n++] = (struct lint_finding){ level, str_of(rule), arena_dup(l->c->arena, object),
					      arena_dup(l->c->arena, str_of(text)), arena_dup(l->c->arena, mend) };
}

/* ---- strength --------------------------------------------------------------------------------------------------------- */

/* Bits of a text as if each character were drawn by itself: Shannon's entropy of its characters times its length. It says
 * nothing good of a word in a dictionary, but it finds what is short or repeats itself. */
static double bits_of(struct str s)
{
	size_t count[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < s.n; i++)
		count[(unsigned char)s.p[i]]++;
	for (size_t i = 0; i < ARRAY_LEN(count); i++)
		if (count[i])
			bits -= (double)count[i] * log2((double)count[i] / (double)s.n);
	return bits;
}

void lint_secret(struct lint *l, struct str object, struct str secret, struct str mend)
{
	int64_t least = config_int(&l->config, CONFIG_LINT_SECRET_BITS);
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct str key = { (const char *)digest, sizeof(digest) };
	struct str *first;
	double bits = bits_of(secret);

	if (!secret.n)
		return;
	if (bits < (double)least)
		lint_tell(l, LINT_WARNING, "secret-weak", object, mend, "has about %d bits in %zu characters; %lld are the rule",
			  (int)bits, secret.n, (long long)least);
	crypto_sha256(secret, digest);
	first = map_get(&l->digests, key);
	if (first) {
		lint_tell(l, LINT_WARNING, "secret-duplicate", object, mend, "is the same as that of %.*s", STR_ARG(*first));
		return;
	}
	first = arena_new_of(l->c->arena, struct str);
	key = arena_dup(l->c->arena, key);
	if (!first || !key.p || !map_put(&l->digests, key, first))
		return;
	*first = arena_dup(l->c->arena, object);
}

/* ---- the command ------------------------------------------------------------------------------------------------------ */

static gh_rc look(struct lint *l, struct gh_err *err)
{
	TRY(lint_values(l, err));
	TRY(lint_credentials(l, err));
	TRY(lint_keys(l, err));
	TRY(lint_reminders(l, err));
	TRY(lint_certificates(l, err));
	TRY(lint_documents(l, err));
	TRY(lint_backends(l, err));
	return lint_access(l, err);
}

static int by_level(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return str_cmp(x->rule, y->rule) ? str_cmp(x->rule, y->rule) : str_cmp(x->object, y->object);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "LEVEL", "level", COLUMN_NAME, offsetof(struct lint_finding, level), levels },
		{ "RULE", "rule", COLUMN_TEXT, offsetof(struct lint_finding, rule), NULL },
		{ "OBJECT", "object", COLUMN_TEXT, offsetof(struct lint_finding, object), NULL },
		{ "FINDING", "finding", COLUMN_TEXT, offsetof(struct lint_finding, detail), NULL },
		{ "MEND", "mend", COLUMN_TEXT, offsetof(struct lint_finding, mend), NULL },
	};
	struct lint l = { .c = c, .now_us = clock_wall_us(),
			  .v = arena_alloc(c->arena, LINT_FINDINGS_MAX, sizeof(struct lint_finding)) };
	char conf[PATHS_MAX];

	if (!l.v)
		FAIL(err, NOMEM, "looking at the configuration");
	map_init(&l.digests, c->arena, false);
	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&l.config, c->arena, conf, err));
	TRY(cli_store(c, false, &l.s, err));
	TRY(look(&l, err));
	qsort(l.v, l.n, sizeof(*l.v), by_level);
	output_list(c, columns, ARRAY_LEN(columns), l.v, l.n, sizeof(*l.v));
	if (l.left_out)
		cli_warn(c, "%zu more findings were left out; mend these first", l.left_out);
	if (!l.n && !c->json)
		buf_cstr(&c->out, "nothing found\n");
	return GH_RC_OK;
}

const struct command command_lint = {
	.name = "lint", .summary = "name credentials that are old, unused, weak or double, and doors that stand open",
	.help = "Exit status 1 when a finding is an error. The settings lint.* say what is old, unused, weak and soon.", .run = run,
};
