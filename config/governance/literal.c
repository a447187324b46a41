#include "config/governance/literal.h"

#include "core/str.h"

/* What stands before a secret. */
static const struct {
	struct str before;
	const char *what;
	size_t least;                    /* characters that it must have to be taken for one */
	bool whole;                      /* the mark is part of the secret and enough by itself */
} marks[] = {
	{ STR_INIT("password=\""), "a password", 1, false },
	{ STR_INIT("Bearer "), "a bearer token", 12, false },
	{ STR_INIT("Basic "), "a user and password", 8, false },
	{ STR_INIT("client_secret="), "a client secret", 4, false },
	{ STR_INIT("-----BEGIN PRIVATE KEY"), "a private key", 0, true },
	{ STR_INIT("-----BEGIN RSA PRIVATE KEY"), "a private key", 0, true },
	{ STR_INIT("-----BEGIN EC PRIVATE KEY"), "a private key", 0, true },
	{ STR_INIT("AccountKey="), "a storage key", 8, false },
	{ STR_INIT("SharedAccessKey="), "a shared key", 8, false },
	{ STR_INIT("AKIA"), "an access key", 16, false },
	{ STR_INIT("sk_live_"), "an API key", 8, false },
	{ STR_INIT("ghp_"), "an access token", 20, false },
	{ STR_INIT("xoxb-"), "an access token", 10, false },
};

static size_t secret_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && !ascii_is_space(s.p[n]) && !strchr("\"'<>&;,", s.p[n]))
		n++;
	return n;
}

static bool is_secret(size_t mark, struct str s)
{
	size_t n = secret_length(s);

	return marks[mark].whole || (!str_starts(s, STR("{{")) && !str_starts(s, STR("@(")) && !str_starts(s, STR("@{")) && n >= marks[mark].least
				     && str_find(str_first(s, n), STR("{{")) == SIZE_MAX);
}

bool literal_secret_next(struct str text, size_t from, struct literal_secret *out)
{
	out->at = SIZE_MAX;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		struct str rest = str_from(text, from);
		size_t at;

		while ((at = str_find(rest, marks[i].before)) != SIZE_MAX) {
			size_t here = (size_t)(rest.p - text.p) + at + marks[i].before.n;

			if (here >= out->at)
				break;
			if (is_secret(i, str_from(text, here)))
				*out = (struct literal_secret){ here, marks[i].what };
			rest = str_from(text, here);
		}
	}
	return out->at != SIZE_MAX;
}
