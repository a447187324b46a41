#include "core/sfv.h"

#include "core/crypto.h"
#include "core/str.h"

#include <inttypes.h>

enum { INTEGER_DIGITS = 15, DECIMAL_DIGITS = 12, FRACTION_DIGITS = 3 };

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

struct reader {
	struct arena *a;
	struct str rest;
	bool failed;
};

static char peek(const struct reader *r)
{
	return r->rest.n ? r->rest.p[0] : '\0';
}

static void skip(struct reader *r)
{
	r->rest = str_from(r->rest, 1);
}

static bool fault(struct reader *r)
{
	r->failed = true;
	return false;
}

static void skip_blanks(struct reader *r, bool tabs)
{
	while (peek(r) == ' ' || (tabs && peek(r) == '\t'))
		skip(r);
}

static bool is_key_start(char c)
{
	return (c >= 'a' && c <= 'z') || c == '*';
}

static bool is_key_char(char c)
{
	return is_key_start(c) || ascii_is_digit(c) || c == '_' || c == '-' || c == '.';
}

static bool is_token_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~:/", c));
}

static bool read_key(struct reader *r, struct str *out)
{
	size_t n = 0;

	if (!is_key_start(peek(r)))
		return fault(r);
	while (n < r->rest.n && is_key_char(r->rest.p[n]))
		n++;
	*out = arena_dup(r->a, str_first(r->rest, n));
	r->rest = str_from(r->rest, n);
	return out->p || fault(r);
}

static bool read_number(struct reader *r, struct sfv_bare *out)
{
	bool minus = peek(r) == '-';
	unsigned digits = 0, fraction = 0;
	int64_t n = 0;

	if (minus)
		skip(r);
	for (; ascii_is_digit(peek(r)); skip(r), digits++)
		n = digits < INTEGER_DIGITS ? n * 10 + (peek(r) - '0') : n;
	if (!digits || digits > INTEGER_DIGITS)
		return fault(r);
	out->type = SFV_INTEGER;
	if (peek(r) == '.') {
		if (digits > DECIMAL_DIGITS)
			return fault(r);
		skip(r);
		for (; ascii_is_digit(peek(r)) && fraction < FRACTION_DIGITS; skip(r), fraction++)
			n = n * 10 + (peek(r) - '0');
		if (!fraction || ascii_is_digit(peek(r)))
			return fault(r);
		for (; fraction < FRACTION_DIGITS; fraction++)
			n *= 10;
		out->type = SFV_DECIMAL;
	}
	out->number = minus ? -n : n;
	return true;
}

static bool read_string(struct reader *r, struct sfv_bare *out)
{
	char *to = arena_alloc_text(r->a, r->rest.n);
	size_t n = 0;

	if (!to)
		return fault(r);
	for (skip(r); r->rest.n && peek(r) != '"'; skip(r)) {
		if (peek(r) == '\\') {
			skip(r);
			if (peek(r) != '"' && peek(r) != '\\')
				return fault(r);
		} else if (peek(r) < ' ' || peek(r) > '~') {
			return fault(r);
		}
		to[n++] = peek(r);
	}
	if (!r->rest.n)
		return fault(r);
	skip(r);
	*out = (struct sfv_bare){ .type = SFV_STRING, .text = { to, n } };
	return true;
}

static bool read_bytes(struct reader *r, struct sfv_bare *out)
{
	size_t end;

	skip(r);
	end = str_find_char(r->rest, ':');
	out->type = SFV_BYTES;
	if (end == SIZE_MAX || !crypto_base64_decode(r->a, str_first(r->rest, end), &out->text))
		return fault(r);
	r->rest = str_from(r->rest, end + 1);
	return true;
}

static bool read_bare(struct reader *r, struct sfv_bare *out)
{
	char c = peek(r);
	size_t n = 0;

	*out = (struct sfv_bare){ 0 };
	if (c == '-' || ascii_is_digit(c))
		return read_number(r, out);
	if (c == '"')
		return read_string(r, out);
	if (c == ':')
		return read_bytes(r, out);
	if (c == '?') {
		skip(r);
		if (peek(r) != '0' && peek(r) != '1')
			return fault(r);
		*out = (struct sfv_bare){ .type = SFV_BOOLEAN, .number = peek(r) == '1' };
		skip(r);
		return true;
	}
	if (!ascii_is_alpha(c) && c != '*')
		return fault(r);
	while (n < r->rest.n && is_token_char(r->rest.p[n]))
		n++;
	*out = (struct sfv_bare){ .type = SFV_TOKEN, .text = arena_dup(r->a, str_first(r->rest, n)) };
	r->rest = str_from(r->rest, n);
	return out->text.p || fault(r);
}

static bool put_param(struct reader *r, struct sfv_item *item, struct str key, const struct sfv_bare *value)
{
	for (size_t i = 0; i < item->n_params; i++)
		if (str_eq(item->params[i].key, key)) {
			item->params[i].value = *value;
			return true;
		}
	if (item->n_params == SFV_PARAMS_MAX)
		return fault(r);
	if (!(item->n_params & (item->n_params - 1))) {
		struct sfv_param *more = arena_alloc(r->a, item->n_params ? item->n_params * 2 : 1, sizeof(*more));

		if (!more)
			return fault(r);
		if (item->n_params)
			memcpy(more, item->params, item->n_params * sizeof(*more));
		item->params = more;
	}
	item->params[item->n_params++] = (struct sfv_param){ key, *value };
	return true;
}

static bool read_params(struct reader *r, struct sfv_item *item)
{
	while (peek(r) == ';') {
		struct sfv_bare value = { .type = SFV_BOOLEAN, .number = 1 };
		struct str key;

		skip(r);
		skip_blanks(r, false);
		if (!read_key(r, &key))
			return false;
		if (peek(r) == '=') {
			skip(r);
			if (!read_bare(r, &value))
				return false;
		}
		if (!put_param(r, item, key, &value))
			return false;
	}
	return true;
}

/* Room for one more at the end; doubles, so that a short list costs little. */
static struct sfv_item *push(struct reader *r, struct sfv_item **v, size_t *n)
{
	if (*n == SFV_MEMBERS_MAX) {
		fault(r);
		return NULL;
	}
	if (!(*n & (*n - 1))) {
		struct sfv_item *more = arena_alloc(r->a, *n ? *n * 2 : 1, sizeof(*more));

		if (!more) {
			fault(r);
			return NULL;
		}
		if (*n)
			memcpy(more, *v, *n * sizeof(*more));
		*v = more;
	}
	(*v)[*n] = (struct sfv_item){ 0 };
	return &(*v)[(*n)++];
}

static bool read_item(struct reader *r, struct sfv_item *out)
{
	return read_bare(r, &out->bare) && read_params(r, out);
}

static bool read_member(struct reader *r, struct sfv_item *out)
{
	if (peek(r) != '(')
		return read_item(r, out);
	out->bare.type = SFV_INNER_LIST;
	skip(r);
	for (;;) {
		struct sfv_item *item;

		skip_blanks(r, false);
		if (peek(r) == ')')
			break;
		item = push(r, &out->inner, &out->n_inner);
		if (!item || !read_item(r, item))
			return false;
		if (peek(r) != ' ' && peek(r) != ')')
			return fault(r);
	}
	skip(r);
	return read_params(r, out);
}

static bool begin(struct reader *r, struct arena *a, struct str text)
{
	*r = (struct reader){ .a = a, .rest = text };
	if (text.n > SFV_TEXT_MAX)
		return fault(r);
	skip_blanks(r, false);
	return true;
}

/* Behind a member: the end, or a comma with a further member behind it. */
static bool more_members(struct reader *r)
{
	skip_blanks(r, true);
	if (!r->rest.n)
		return false;
	if (peek(r) != ',')
		return fault(r);
	skip(r);
	skip_blanks(r, true);
	return r->rest.n ? true : fault(r);
}

bool sfv_parse_item(struct arena *a, struct str text, struct sfv_item *out)
{
	struct reader r;

	*out = (struct sfv_item){ 0 };
	if (!begin(&r, a, text) || !read_item(&r, out))
		return false;
	skip_blanks(&r, false);
	return !r.rest.n;
}

/* Members one after the other to the end of the text, each read by `one`. */
static bool parse_members(struct arena *a, struct str text, struct sfv_list *out, bool (*one)(struct reader *r, struct sfv_list *out))
{
	struct reader r;

	*out = (struct sfv_list){ 0 };
	if (!begin(&r, a, text))
		return false;
	if (!r.rest.n)
		return true;
	do {
		if (!one(&r, out))
			return false;
	} while (more_members(&r));
	return !r.failed;
}

static bool read_listed(struct reader *r, struct sfv_list *out)
{
	struct sfv_item *item = push(r, &out->v, &out->n);

	return item && read_member(r, item);
}

bool sfv_parse_list(struct arena *a, struct str text, struct sfv_list *out)
{
	return parse_members(a, text, out, read_listed);
}

/* A name that stands twice keeps its first place and gets the last value. */
static struct sfv_item *member_for(struct reader *r, struct sfv_list *out, struct str key)
{
	for (size_t i = 0; i < out->n; i++)
		if (str_eq(out->v[i].key, key)) {
			out->v[i] = (struct sfv_item){ 0 };
			return &out->v[i];
		}
	return push(r, &out->v, &out->n);
}

static bool read_named(struct reader *r, struct sfv_list *out)
{
	struct sfv_item *item;
	struct str key;

	if (!read_key(r, &key) || !(item = member_for(r, out, key)))
		return false;
	item->key = key;
	if (peek(r) == '=') {
		skip(r);
		return read_member(r, item);
	}
	item->bare = (struct sfv_bare){ .type = SFV_BOOLEAN, .number = 1 };
	return read_params(r, item);
}

bool sfv_parse_dictionary(struct arena *a, struct str text, struct sfv_list *out)
{
	return parse_members(a, text, out, read_named);
}

const struct sfv_item *sfv_get(const struct sfv_list *dictionary, struct str key)
{
	for (size_t i = 0; i < dictionary->n; i++)
		if (str_eq(dictionary->v[i].key, key))
			return &dictionary->v[i];
	return NULL;
}

const struct sfv_bare *sfv_param_get(const struct sfv_item *item, struct str key)
{
	for (size_t i = 0; i < item->n_params; i++)
		if (str_eq(item->params[i].key, key))
			return &item->params[i].value;
	return NULL;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

static void write_key(struct buf *b, struct str key)
{
	bool ok = key.n && is_key_start(key.p[0]);

	for (size_t i = 0; i < key.n; i++)
		ok &= is_key_char(key.p[i]);
	if (ok)
		buf_str(b, key);
	else
		b->failed = true;
}

static void write_string(struct buf *b, struct str s)
{
	buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] > '~')
			b->failed = true;
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, s.p[i]);
	}
	buf_char(b, '"');
}

static void write_bytes(struct buf *b, struct str s)
{
	struct arena *a = arena_new(s.n * 2 + 256);
	struct str text = a ? crypto_base64(a, s) : STR_NULL;

	if (!text.p)
		b->failed = true;
	buf_char(b, ':');
	buf_str(b, text);
	buf_char(b, ':');
	arena_free(a);
}

static void write_decimal(struct buf *b, int64_t thousandths)
{
	int64_t n = thousandths < 0 ? -thousandths : thousandths, part = n % 1000;
	int digits = 3;

	for (; digits > 1 && part % 10 == 0; digits--)
		part /= 10;
	buf_fmt(b, "%s%" PRId64 ".%0*" PRId64, thousandths < 0 ? "-" : "", n / 1000, digits, part);
}

void sfv_write_bare(struct buf *b, const struct sfv_bare *v)
{
	switch (v->type) {
	case SFV_INTEGER:
		buf_fmt(b, "%" PRId64, v->number);
		break;
	case SFV_DECIMAL:
		write_decimal(b, v->number);
		break;
	case SFV_STRING:
		write_string(b, v->text);
		break;
	case SFV_TOKEN:
		buf_str(b, v->text);
		break;
	case SFV_BYTES:
		write_bytes(b, v->text);
		break;
	case SFV_BOOLEAN:
		buf_cstr(b, v->number ? "?1" : "?0");
		break;
	case SFV_INNER_LIST:
		b->failed = true;        /* not bare */
	}
}

static void write_params(struct buf *b, const struct sfv_item *item)
{
	for (size_t i = 0; i < item->n_params; i++) {
		const struct sfv_bare *v = &item->params[i].value;

		buf_char(b, ';');
		write_key(b, item->params[i].key);
		if (v->type != SFV_BOOLEAN || !v->number) {
			buf_char(b, '=');
			sfv_write_bare(b, v);
		}
	}
}

void sfv_write_item(struct buf *b, const struct sfv_item *item)
{
	if (item->bare.type != SFV_INNER_LIST) {
		sfv_write_bare(b, &item->bare);
		write_params(b, item);
		return;
	}
	buf_char(b, '(');
	for (size_t i = 0; i < item->n_inner; i++) {
		if (i)
			buf_char(b, ' ');
		sfv_write_item(b, &item->inner[i]);
	}
	buf_char(b, ')');
	write_params(b, item);
}

void sfv_write_list(struct buf *b, const struct sfv_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_cstr(b, ", ");
		sfv_write_item(b, &l->v[i]);
	}
}

void sfv_write_dictionary(struct buf *b, const struct sfv_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct sfv_item *m = &l->v[i];

		if (i)
			buf_cstr(b, ", ");
		write_key(b, m->key);
		if (m->bare.type == SFV_BOOLEAN && m->bare.number) {
			write_params(b, m);
		} else {
			buf_char(b, '=');
			sfv_write_item(b, m);
		}
	}
}
