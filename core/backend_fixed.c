#include "core/backend_fixed.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/str.h"

#include <string.h>

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !memchr("!#$%&'*+-.^_`|~", s.p[i], 15))
			return false;
	return s.n > 0;
}

bool backend_fixed_value_ok(struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if (((unsigned char)value.p[i] < 0x20 && value.p[i] != '\t') || value.p[i] == 0x7f)
			return false;
	return true;
}

bool backend_fixed_named(struct str *rest, struct str *before, struct str *name)
{
	size_t at = str_find(*rest, STR("{{")), end = at == SIZE_MAX ? SIZE_MAX : str_find(str_from(*rest, at), STR("}}"));

	if (end == SIZE_MAX)
		return false;
	*before = str_first(*rest, at);
	*name = str_trim((struct str){ rest->p + at + 2, end - 2 });
	*rest = str_from(*rest, at + end + 2);
	return true;
}

GH_RC backend_fixed_fill(struct arena *a, struct str text, backend_fixed_of *of, void *ctx, struct str *out, struct gh_err *err)
{
	struct str before, name;
	struct buf to;

	*out = text;
	if (str_find(text, STR("{{")) == SIZE_MAX)
		return GH_RC_OK;
	buf_init(&to, BACKEND_FIXED_BYTES);
	while (backend_fixed_named(&text, &before, &name)) {
		buf_str(&to, before);
		buf_str(&to, of(ctx, name));
	}
	buf_str(&to, text);
	*out = !buf_ok(&to) ? STR_NULL : to.n ? arena_dup(a, buf_view(&to)) : STR("");
	buf_release(&to);
	return out->p ? GH_RC_OK : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "headers and parameters of a backend");
}

/* Those that frame a message or end at a hop (RFC 9110 section 7.6.1), and the address of the call. */
static bool is_of_the_gateway(struct str name)
{
	static const struct str own[] = {
		STR_INIT("Host"), STR_INIT("Content-Length"), STR_INIT("Expect"), STR_INIT("Connection"), STR_INIT("Keep-Alive"), STR_INIT("TE"),
		STR_INIT("Trailer"), STR_INIT("Transfer-Encoding"), STR_INIT("Upgrade"), STR_INIT("Proxy-Connection"),
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_eq_ci(own[i], name))
			return true;
	return false;
}

static gh_rc add(struct arena *a, bool query, const char *name, const json_t *value, struct backend_fixed *out, struct gh_err *err)
{
	struct backend_fixed_value *v = &out->v[out->n];
	struct str text = jsn_string(value);

	if (!text.p || (!query && !backend_fixed_value_ok(text)))
		FAIL(err, INVALID, "%s.%.100s must be a text or an array of texts, without line breaks", query ? "query" : "header", name);
	if (out->n == BACKEND_FIXED_MAX)
		FAIL(err, INVALID, "a backend takes at most %d headers and parameters", BACKEND_FIXED_MAX);
	*v = (struct backend_fixed_value){ arena_dup(a, str_of(name)), arena_dup(a, text), query };
	if (!v->name.p || !v->value.p)
		FAIL(err, NOMEM, "headers and parameters of a backend");
	out->n++;
	return GH_RC_OK;
}

static gh_rc add_all(struct arena *a, bool query, json_t *of, struct backend_fixed *out, struct gh_err *err)
{
	const char *name;
	json_t *value, *one;
	size_t i;

	if (!json_is_object(of))
		FAIL(err, INVALID, "%s must be an object of names and values", query ? "query" : "header");
	json_object_foreach(of, name, value) {
		if (query ? !*name : !is_token(str_of(name)))
			FAIL(err, INVALID, "'%.100s' is no name of a %s", name, query ? "parameter" : "header");
		if (!query && is_of_the_gateway(str_of(name)))
			FAIL(err, INVALID, "the gateway writes the header '%.100s' by itself; a policy (set-header) can change Host", name);
		if (!json_is_array(value))
			TRY(add(a, query, name, value, out, err));
		json_array_foreach(value, i, one)
			TRY(add(a, query, name, one, out, err));
	}
	return GH_RC_OK;
}

/* "Bearer t-1"; the scheme may stand alone. */
static gh_rc add_authorization(struct arena *a, const json_t *of, struct backend_fixed *out, struct gh_err *err)
{
	struct str scheme = str_trim(jsn_str(of, "scheme")), parameter = jsn_str(of, "parameter"), text;
	json_t *value;

	if (!json_is_object(of) || !is_token(scheme))
		FAIL(err, INVALID, "authorization needs a scheme, such as Bearer, and may have a parameter");
	text = arena_printf(a, "%.*s%s%.*s", STR_ARG(scheme), parameter.n ? " " : "", STR_ARG(parameter));
	value = text.p ? jsn_keep(a, json_stringn(text.p, text.n)) : NULL;
	if (!value)
		FAIL(err, NOMEM, "headers and parameters of a backend");
	return add(a, false, "Authorization", value, out, err);
}

static bool is_certificate(const char *name)
{
	return strcmp(name, "certificate") == 0 || strcmp(name, "certificateIds") == 0 || strcmp(name, "certificateThumbprint") == 0;
}

GH_RC backend_fixed_parse(struct arena *a, struct str json, struct backend_fixed *out, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = BACKEND_FIXED_BYTES, .max_depth = 8 };
	const char *name;
	json_t *all, *v;

	out->n = 0;
	if (jsn_parse_in(a, json, &limits, &all, NULL, NULL).code || !json_is_object(all))
		FAIL(err, INVALID, "must be the text of a JSON object, at most %d bytes", BACKEND_FIXED_BYTES);
	json_object_foreach(all, name, v) {
		if (json_is_null(v))
			continue;
		if (strcmp(name, "header") == 0 || strcmp(name, "query") == 0)
			TRY(add_all(a, *name == 'q', v, out, err));
		else if (strcmp(name, "authorization") == 0)
			TRY(add_authorization(a, v, out, err));
		else if (!is_certificate(name))
			FAIL(err, INVALID, "has no '%.100s'; there are header, query and authorization", name);
		else if (json_object_size(v) || json_array_size(v) || json_string_length(v))
			FAIL(err, INVALID, "'%s' is not taken; a certificate is named in \"clientCertificate\"", name);
	}
	return GH_RC_OK;
}
