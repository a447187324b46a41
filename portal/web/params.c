#include "portal/web/params.h"

#include "core/multipart.h"
#include "core/str.h"

void web_params_init(struct web_params *p, size_t max)
{
	*p = (struct web_params){ .max = max };
}

static int hex_digit(char c)
{
	c = ascii_lower(c);
	return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Into the arena; p is NULL when an escape is malformed or memory is out (*bad tells which). */
static struct str decode(struct arena *a, struct str s, bool plus, bool *bad)
{
	char *out = arena_alloc_text(a, s.n + 1);
	size_t n = 0;

	*bad = false;
	if (!out)
		return STR_NULL;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1, low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;

			if (high < 0 || low < 0) {
				*bad = true;
				return STR_NULL;
			}
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return (struct str){ out, n };
}

static bool clean(struct str s)
{
	return !memchr(s.p ? s.p : "", 0, s.n) && utf8_valid(s);
}

bool web_path_decode(struct arena *a, struct str path, struct str *out)
{
	bool bad;

	*out = decode(a, path, false, &bad);
	if (!out->p || !clean(*out))
		return false;
	for (size_t i = 0; i < out->n; i++)
		if ((unsigned char)out->p[i] < ' ' || out->p[i] == 0x7F)
			return false;
	return true;
}

static GH_RC add(struct web_params *p, struct arena *a, struct web_param param, struct gh_err *err)
{
	if (p->n == p->max)
		FAIL(err, LIMIT, "more than %zu form fields", p->max);
	if (!p->v)
		p->v = arena_alloc(a, p->max, sizeof(*p->v));
	if (!p->v)
		FAIL(err, NOMEM, "form fields");
	if (!clean(param.name) || !clean(param.value) || (param.file_name.p && !clean(param.file_name)))
		FAIL(err, INVALID, "a form field is not UTF-8 text");
	p->v[p->n++] = param;
	return GH_RC_OK;
}

gh_rc web_params_add(struct web_params *p, struct arena *a, struct str name, struct str value, struct gh_err *err)
{
	return add(p, a, (struct web_param){ .name = name, .value = value }, err);
}

gh_rc web_params_urlencoded(struct web_params *p, struct arena *a, struct str text, struct gh_err *err)
{
	struct str rest = text.n ? text : STR_NULL, pair;
	struct web_param param;
	bool bad_name, bad_value;
	size_t eq;

	while (str_split(&rest, '&', &pair)) {
		if (!pair.n)
			continue;
		eq = str_find_char(pair, '=');
		param = (struct web_param){ .name = decode(a, str_first(pair, eq), true, &bad_name) };
		param.value = decode(a, eq == SIZE_MAX ? STR("") : str_from(pair, eq + 1), true, &bad_value);
		if (bad_name || bad_value)
			FAIL(err, INVALID, "a '%%' in a query or form is not followed by two hexadecimal digits");
		if (!param.name.p || !param.value.p)
			FAIL(err, NOMEM, "form fields");
		TRY(add(p, a, param, err));
	}
	return GH_RC_OK;
}

gh_rc web_params_cookies(struct web_params *p, struct arena *a, struct str header, struct gh_err *err)
{
	struct str rest = header.n ? header : STR_NULL, pair;

	while (str_split(&rest, ';', &pair)) {
		size_t eq = str_find_char(pair, '=');
		struct web_param c;

		if (eq == SIZE_MAX)
			continue;
		c = (struct web_param){ .name = str_trim(str_first(pair, eq)), .value = str_trim(str_from(pair, eq + 1)) };
		if (c.value.n >= 2 && c.value.p[0] == '"' && c.value.p[c.value.n - 1] == '"')
			c.value = str_first(str_from(c.value, 1), c.value.n - 2);
		if (c.name.n && clean(c.name) && clean(c.value))
			TRY(add(p, a, c, err));
	}
	return GH_RC_OK;
}

/* ---- multipart/form-data ------------------------------------------------------------------------------------------- */

gh_rc web_params_multipart(struct web_params *p, struct arena *a, struct str content_type, struct str body, struct gh_err *err)
{
	struct multipart m;
	struct multipart_part part;
	enum multipart_step step;
	const char *why = multipart_begin(&m, a, content_type, body);

	if (why)
		FAIL(err, PROTO, "%s", why);
	while ((step = multipart_next(&m, &part)) == MULTIPART_PART) {
		struct web_param param = { .name = part.name, .media_type = part.type, .file_name = part.file };

		if (str_is_null(param.name))
			FAIL(err, PROTO, "a part of the form has no name");
		*(param.file_name.p ? &param.file : &param.value) = part.bytes;
		if (param.file_name.p)
			param.value = STR("");
		TRY(add(p, a, param, err));
	}
	if (step == MULTIPART_END)
		return GH_RC_OK;
	FAIL(err, PROTO, step == MULTIPART_CUT ? "the form ends before its boundary" : "a part of the form is malformed");
}

/* ---- look-up ------------------------------------------------------------------------------------------------------- */

const struct web_param *web_param_find(const struct web_params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].name, str_of(name)))
			return &p->v[i];
	return NULL;
}

struct str web_param(const struct web_params *p, const char *name)
{
	const struct web_param *param = web_param_find(p, name);

	return param ? param->value : STR_NULL;
}
