#include "core/sign/internal.h"

#include "core/words.h"

#define WORD_OF_VERDICT(name, text) [SIGN_##name] = { #name, text },
static const struct word verdicts[SIGN__COUNT] = { SIGN_VERDICTS(WORD_OF_VERDICT) };

const char *sign_verdict_name(enum sign_verdict v)
{
	return word_name(verdicts, SIGN__COUNT, v);
}

const char *sign_verdict_text(enum sign_verdict v)
{
	return word_text(verdicts, SIGN__COUNT, v);
}

struct str sign_sha256_hex(struct arena *a, struct str body)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(body, digest);
	return crypto_hex(a, (struct str){ (const char *)digest, sizeof(digest) });
}

static void add_squeezed(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_space(s.p[i]))
			buf_char(b, s.p[i]);
		else if (!ascii_is_space(s.p[i + 1]))    /* trimmed, so one more follows */
			buf_char(b, ' ');
}

struct str sign_take(struct arena *a, struct buf *b)
{
	struct str out = buf_ok(b) ? arena_dup(a, buf_view(b)) : STR_NULL;

	buf_release(b);
	return out;
}

struct str sign_field_value(struct arena *a, const struct sign_request *rq, struct str name, const char *glue, bool squeeze)
{
	struct buf b;
	size_t found = 0;

	buf_init(&b, SIGN_TEXT_MAX);
	for (size_t i = 0; i < rq->n_fields; i++) {
		struct str value = str_trim(rq->fields[i].value);

		if (!str_eq_ci(rq->fields[i].name, name))
			continue;
		if (found++)
			buf_cstr(&b, glue);
		if (squeeze)
			add_squeezed(&b, value);
		else
			buf_str(&b, value);
	}
	if (!found && str_eq_ci(name, STR("Host")) && rq->authority.p) {
		buf_str(&b, rq->authority);
		found = 1;
	}
	if (found)
		return sign_take(a, &b);
	buf_release(&b);
	return STR_NULL;
}

bool sign_add(struct sign_added *out, struct str name, struct str value)
{
	if (!value.p || out->n == SIGN_ADDED_MAX)
		return false;
	out->v[out->n++] = (struct sign_field){ name, value };
	return true;
}
