/* jwt.c - what AsJwt() and AsBasic() give. They take a token apart and check nothing but its form; validate-jwt checks. */
#include <math.h>

#include "core/jose.h"
#include "core/str.h"
#include "policy/net/base64.h"
#include "policy/net/make.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/time.h"

struct jwt {
	struct object head;
	const json_t *header, *claims;
};
struct basic {
	struct object head;
	struct str user, password;
};

static struct value_class class_jwt;
static struct value_class class_basic;

/* "Bearer x" and "x" alike */
static struct str bare_token(struct str s)
{
	s = str_trim(s);
	if (str_starts_ci(s, STR("Bearer ")))
		s = str_trim(str_from(s, 7));
	return s;
}

struct value jwt_value(struct arena *a, struct str token)
{
	struct jose_token t;
	struct jwt *j;

	if (!token.p || jose_decode(a, bare_token(token), &t) != JOSE_OK || !json_is_object(t.claims))
		return VALUE_NULL_INIT;
	j = arena_new_of(a, struct jwt);
	if (!j)
		return VALUE_NULL_INIT;
	*j = (struct jwt){ { &class_jwt }, t.header, t.claims };
	return value_object(j);
}

struct value basic_value(struct arena *a, struct str header)
{
	struct str decoded;
	struct basic *b;
	size_t colon;

	if (!header.p)
		return VALUE_NULL_INIT;
	header = str_trim(header);
	if (!str_starts_ci(header, STR("Basic ")) || !base64_bytes(a, str_trim(str_from(header, 6)), &decoded))
		return VALUE_NULL_INIT;
	colon = str_find_char(decoded, ':');
	b = arena_new_of(a, struct basic);
	if (colon == SIZE_MAX || !b)
		return VALUE_NULL_INIT;
	*b = (struct basic){ { &class_basic }, str_first(decoded, colon), str_from(decoded, colon + 1) };
	b->user = text_clean(a, b->user);
	b->password = text_clean(a, b->password);
	return b->user.p && b->password.p ? value_object(b) : VALUE_NULL_INIT;
}

/* ---- Jwt ------------------------------------------------------------------------------------------------------------------------- */

static struct str claim_text(struct arena *a, const json_t *v)
{
	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : jsn_text(a, v, 0);
}

static bool give_claim(struct vm_call *c, const json_t *from, const char *name)
{
	const json_t *v = json_object_get(from, name);

	return v ? give_new(c, claim_text(c->arena, v)) : vm_return(c, VALUE_NULL_INIT);
}

#define CLAIM(getter, part, name)                                            \
	static bool getter(struct vm_call *c)                                \
	{                                                                    \
		return give_claim(c, SELF(c, struct jwt)->part, name);       \
	}
CLAIM(get_algorithm, header, "alg")
CLAIM(get_type, header, "typ")
CLAIM(get_id, claims, "jti")
CLAIM(get_issuer, claims, "iss")
CLAIM(get_subject, claims, "sub")

static bool give_time(struct vm_call *c, const char *name)
{
	const json_t *v = json_object_get(SELF(c, struct jwt)->claims, name);
	double seconds = json_number_value(v);

	if (!json_is_number(v) || !(fabs(seconds) < 2e11))
		return vm_return(c, VALUE_NULL_INIT);
	return give_made(c, date_time_of_us(c->arena, (int64_t)floor(seconds) * 1000000));
}

#define MOMENT(getter, name)                      \
	static bool getter(struct vm_call *c)     \
	{                                         \
		return give_time(c, name);        \
	}
MOMENT(get_expiration, "exp")
MOMENT(get_issued, "iat")
MOMENT(get_not_before, "nbf")

/* The texts of a claim: one, or one for each item of an array. */
static bool claim_values(struct vm_call *c, const struct type *string, const json_t *v, struct value *out)
{
	size_t n = json_is_array(v) ? json_array_size(v) : 1;
	struct array *a = vm_array_of(c, string, n);

	for (size_t i = 0; a && i < n; i++) {
		a->v[i] = value_string(c->arena, claim_text(c->arena, json_is_array(v) ? json_array_get(v, i) : v), false);
		if (a->v[i].kind == VALUE_NULL)
			return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	}
	*out = value_object(a);
	return a != NULL;
}

static bool get_claims(struct vm_call *c)
{
	const struct type *string = type_named("string");
	struct value all = vm_dictionary_new(c, string, type_named("string[]"), false), key, item;
	const char *name;
	json_t *v;
	size_t n;

	if (all.kind == VALUE_NULL)
		return false;
	json_object_keylen_foreach((json_t *)(uintptr_t)SELF(c, struct jwt)->claims, name, n, v)
	{
		key = value_string(c->arena, (struct str){ name, n }, false);
		if (!claim_values(c, string, v, &item) || !vm_dictionary_put(c, all, key, item))
			return false;
	}
	return vm_return(c, all);
}

static bool get_audiences(struct vm_call *c)
{
	const json_t *v = json_object_get(SELF(c, struct jwt)->claims, "aud");
	struct value out;

	if (v)
		return claim_values(c, type_named("string"), v, &out) && vm_return(c, out);
	return vm_return(c, value_object(vm_array(c, 0)));
}

/* ---- extension methods ------------------------------------------------------------------------------------------------------------- */

static bool as_jwt(struct vm_call *c)
{
	return vm_return(c, jwt_value(c->arena, arg_str(c, 0)));
}

static bool as_basic(struct vm_call *c)
{
	return vm_return(c, basic_value(c->arena, arg_str(c, 0)));
}

static bool try_jwt(struct vm_call *c)
{
	c->args[1] = jwt_value(c->arena, arg_str(c, 0));
	return give_bool(c, !arg_is_null(c, 1));
}

static bool try_basic(struct vm_call *c)
{
	c->args[1] = basic_value(c->arena, arg_str(c, 0));
	return give_bool(c, !arg_is_null(c, 1));
}

static bool get_user(struct vm_call *c)
{
	return vm_return_str(c, SELF(c, struct basic)->user);
}

static bool get_password(struct vm_call *c)
{
	return vm_return_str(c, SELF(c, struct basic)->password);
}

static const struct class_member jwt_members[] = {
	{ "string Algorithm { get; }", get_algorithm },
	{ "IEnumerable<string> Audiences { get; }", get_audiences },
	{ "IReadOnlyDictionary<string, string[]> Claims { get; }", get_claims },
	{ "DateTime? ExpirationTime { get; }", get_expiration },
	{ "string Id { get; }", get_id },
	{ "string Issuer { get; }", get_issuer },
	{ "DateTime? IssuedAt { get; }", get_issued },
	{ "DateTime? NotBefore { get; }", get_not_before },
	{ "string Subject { get; }", get_subject },
	{ "string Type { get; }", get_type },
	{ 0 }
};
static const struct class_member basic_members[] = {
	{ "string UserId { get; }", get_user },
	{ "string Username { get; }", get_user },
	{ "string Password { get; }", get_password },
	{ 0 }
};
static const struct class_member extension_members[] = {
	{ "static Jwt AsJwt(this string value)", as_jwt },
	{ "static bool TryParseJwt(this string value, out Jwt result)", try_jwt },
	{ "static BasicAuthCredentials AsBasic(this string value)", as_basic },
	{ "static bool TryParseBasic(this string value, out BasicAuthCredentials result)", try_basic },
	{ 0 }
};

static struct value_class class_jwt = { .name = "Jwt", .members = jwt_members };
static struct value_class class_basic = { .name = "BasicAuthCredentials", .members = basic_members };
static struct value_class class_extensions = {
	.name = "TokenExtensions", .kind = CLASS_STATIC, .members = extension_members, .extensions = true
};
static struct value_class *const classes[] = { &class_jwt, &class_basic, &class_extensions, NULL };

const struct class_module net_jwt = { .classes = classes };
