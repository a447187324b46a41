/* message.c - HTTP Message Signatures (RFC 9421): components, the signature base, signing and checking.
 *
 * The signature base is one line per covered component and a last one with the signature's parameters. Lines are made from
 * the component's identifier as it stands in Signature-Input, written canonically, so signer and verifier meet whatever
 * blanks were sent. Keys and algorithms are those of core/jose.h: the raw signatures of both worlds are the same bytes. */
#include "core/jose/internal.h"
#include "core/sign/internal.h"
#include "core/uri.h"

static const struct {
	struct str name;
	enum jose_alg alg;
} algs[] = {
	{ STR_INIT("rsa-v1_5-sha256"), JOSE_RS256 }, { STR_INIT("rsa-pss-sha512"), JOSE_PS512 },
	{ STR_INIT("hmac-sha256"), JOSE_HS256 },     { STR_INIT("ecdsa-p256-sha256"), JOSE_ES256 },
	{ STR_INIT("ecdsa-p384-sha384"), JOSE_ES384 }, { STR_INIT("ed25519"), JOSE_EdDSA },
};

enum jose_alg msgsig_alg_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		if (str_eq(algs[i].name, name))
			return algs[i].alg;
	return JOSE_NO_ALG;
}

struct str msgsig_alg_name(enum jose_alg alg)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		if (algs[i].alg == alg)
			return algs[i].name;
	return STR_NULL;
}

/* ---- components (section 2) --------------------------------------------------------------------------------------------- */

static struct str lower(struct arena *a, struct str s)
{
	struct str out = arena_dup(a, s);

	for (size_t i = 0; out.p && i < out.n; i++)
		((char *)(uintptr_t)out.p)[i] = ascii_lower(out.p[i]);
	return out;
}

static struct str authority_of(struct arena *a, const struct sign_request *rq)
{
	struct str port = str_eq_ci(rq->scheme, STR("https")) ? STR(":443") : STR(":80");
	struct str host = rq->authority.p ? rq->authority : sign_field_value(a, rq, STR("Host"), ", ", false);

	if (str_ends(host, port))
		host.n -= port.n;
	return host.p ? lower(a, host) : STR_NULL;
}

static struct str path_of(const struct sign_request *rq)
{
	return rq->path.n ? rq->path : STR("/");
}

/* As a form writes it, but for the blank (section 2.2.8). */
static struct str form_escaped(struct arena *a, struct str raw)
{
	struct str plain = uri_decode(a, raw, true);
	struct buf b;

	buf_init(&b, SIGN_TEXT_MAX);
	for (size_t i = 0; plain.p && i < plain.n; i++) {
		char c = plain.p[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || strchr("*-._", c ? c : '%'))
			buf_char(&b, c);
		else
			buf_fmt(&b, "%%%02X", (unsigned char)c);
	}
	b.failed |= !plain.p;
	return sign_take(a, &b);
}

static struct str query_param(struct arena *a, const struct sign_request *rq, const struct sfv_item *id)
{
	const struct sfv_bare *wanted = sfv_param_get(id, STR("name"));
	struct str query = rq->query, name, value, found = STR_NULL;

	while (wanted && wanted->type == SFV_STRING && uri_query_next(&query, &name, &value)) {
		if (!str_eq(form_escaped(a, name), wanted->text))
			continue;
		if (found.p)
			return STR_NULL;         /* twice: which one is meant cannot be told */
		found = form_escaped(a, value.p ? value : STR(""));
	}
	return found;
}

static struct str derived(struct arena *a, const struct sign_request *rq, int status, const struct sfv_item *id)
{
	struct str name = id->bare.text, q = rq->query;

	if (str_eq(name, STR("@status")))
		return status ? arena_printf(a, "%d", status) : STR_NULL;
	if (status)
		return STR_NULL;         /* a response has no method and no target of its own */
	if (str_eq(name, STR("@method")))
		return rq->method;
	if (str_eq(name, STR("@authority")))
		return authority_of(a, rq);
	if (str_eq(name, STR("@scheme")))
		return lower(a, rq->scheme);
	if (str_eq(name, STR("@path")))
		return path_of(rq);
	if (str_eq(name, STR("@query")))
		return arena_printf(a, "?%.*s", STR_ARG(q));
	if (str_eq(name, STR("@query-param")))
		return query_param(a, rq, id);
	if (str_eq(name, STR("@request-target")))
		return arena_printf(a, "%.*s%s%.*s", STR_ARG(path_of(rq)), q.p ? "?" : "", STR_ARG(q));
	if (str_eq(name, STR("@target-uri"))) {
		struct str host = authority_of(a, rq), scheme = lower(a, rq->scheme);

		return host.p && scheme.p ? arena_printf(a, "%s://%s%.*s%s%.*s", scheme.p, host.p, STR_ARG(path_of(rq)),
							 q.p ? "?" : "", STR_ARG(q)) : STR_NULL;
	}
	return STR_NULL;
}

static struct str byte_wrapped(struct arena *a, const struct sign_request *rq, struct str name)
{
	struct sfv_list list = { .v = arena_alloc(a, rq->n_fields + 1, sizeof(struct sfv_item)) };
	struct buf b;

	buf_init(&b, SIGN_TEXT_MAX);
	for (size_t i = 0; list.v && i < rq->n_fields; i++)
		if (str_eq_ci(rq->fields[i].name, name))
			list.v[list.n++].bare = (struct sfv_bare){ .type = SFV_BYTES, .text = str_trim(rq->fields[i].value) };
	sfv_write_list(&b, &list);
	b.failed |= !list.n;
	return sign_take(a, &b);
}

/* ;key and ;sf need the field's type: ;key is for dictionaries, ;sf for the fields whose type is known here. */
static struct str structured(struct arena *a, struct str name, struct str value, const struct sfv_bare *key)
{
	static const struct str dictionaries[] = { STR_INIT("content-digest"), STR_INIT("repr-digest"), STR_INIT("signature"),
		STR_INIT("want-content-digest"), STR_INIT("want-repr-digest"), STR_INIT("signature-input"),
		STR_INIT("accept-signature"), STR_INIT("priority"), STR_INIT("cdn-cache-control") };
	static const struct str lists[] = { STR_INIT("cache-status"), STR_INIT("proxy-status"), STR_INIT("client-cert-chain"),
		STR_INIT("accept"), STR_INIT("accept-encoding"), STR_INIT("accept-language") };
	const struct sfv_item *member;
	struct sfv_list l;
	bool known = false, list = false;
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(dictionaries); i++)
		known |= str_eq(name, dictionaries[i]);
	for (size_t i = 0; !key && i < ARRAY_LEN(lists); i++)
		list |= str_eq(name, lists[i]);
	if ((!key && !known && !list) || !value.p)
		return STR_NULL;
	if (list ? !sfv_parse_list(a, value, &l) : !sfv_parse_dictionary(a, value, &l))
		return STR_NULL;
	buf_init(&b, SIGN_TEXT_MAX);
	if (key) {
		member = key->type == SFV_STRING ? sfv_get(&l, key->text) : NULL;
		if (member)
			sfv_write_item(&b, member);
		b.failed |= !member;
	} else if (list) {
		sfv_write_list(&b, &l);
	} else {
		sfv_write_dictionary(&b, &l);
	}
	return sign_take(a, &b);
}

static struct str field_component(struct arena *a, const struct sign_request *rq, const struct sfv_item *id)
{
	const struct sfv_bare *key = sfv_param_get(id, STR("key"));
	bool bytes = sfv_param_get(id, STR("bs")) != NULL, sf = sfv_param_get(id, STR("sf")) != NULL;
	struct str name = id->bare.text;

	if (bytes)
		return key || sf ? STR_NULL : byte_wrapped(a, rq, name);
	if (key || sf)
		return structured(a, name, sign_field_value(a, rq, name, ", ", false), key);
	return sign_field_value(a, rq, name, ", ", false);
}

/* Parameters that change what a component means; one that is not known must not be passed over. */
static bool params_known(const struct sfv_item *id)
{
	static const struct str known[] = { STR_INIT("sf"), STR_INIT("key"), STR_INIT("bs"), STR_INIT("req"), STR_INIT("name") };

	for (size_t i = 0; i < id->n_params; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			found |= str_eq(id->params[i].key, known[k]);
		if (!found)
			return false;
	}
	return true;
}

static struct str component(struct arena *a, const struct msgsig_message *m, const struct sfv_item *id)
{
	const struct sign_request *rq = &m->rq;
	int status = m->status;
	struct str name = id->bare.text, value;

	if (id->bare.type != SFV_STRING || !name.n || !params_known(id))
		return STR_NULL;
	if (sfv_param_get(id, STR("req"))) {
		if (!m->status || !m->request)
			return STR_NULL;
		rq = m->request;
		status = 0;
	}
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			return STR_NULL;
	value = name.p[0] == '@' ? derived(a, rq, status, id) : field_component(a, rq, id);
	/* a line break would let one component pass for two */
	return value.p && (memchr(value.p, '\n', value.n) || memchr(value.p, '\r', value.n)) ? STR_NULL : value;
}

/* ---- the signature base (section 2.5) ----------------------------------------------------------------------------------- */

static struct str identifier(struct arena *a, const struct sfv_item *id)
{
	struct buf b;

	buf_init(&b, SIGN_TEXT_MAX);
	sfv_write_item(&b, id);
	return sign_take(a, &b);
}

static enum sign_verdict make_base(struct arena *a, const struct msgsig_message *m, const struct sfv_item *input, struct str *out)
{
	struct str *seen = arena_alloc(a, input->n_inner + 1, sizeof(*seen));
	struct buf b;

	if (!seen)
		return SIGN_NO_MEMORY;
	buf_init(&b, SIGN_TEXT_MAX);
	for (size_t i = 0; i < input->n_inner; i++) {
		struct str value = component(a, m, &input->inner[i]);
		bool twice = false;

		seen[i] = identifier(a, &input->inner[i]);
		for (size_t k = 0; k < i; k++)
			twice |= str_eq(seen[i], seen[k]);
		if (!value.p || !seen[i].p || twice || str_eq(input->inner[i].bare.text, STR("@signature-params"))) {
			buf_release(&b);
			return SIGN_COMPONENT;
		}
		buf_str(&b, seen[i]);
		buf_cstr(&b, ": ");
		buf_str(&b, value);
		buf_char(&b, '\n');
	}
	buf_cstr(&b, "\"@signature-params\": ");
	sfv_write_item(&b, input);
	*out = sign_take(a, &b);
	return out->p ? SIGN_OK : SIGN_NO_MEMORY;
}

/* ---- signing ------------------------------------------------------------------------------------------------------------ */

static void put(struct sfv_item *input, const char *key, struct sfv_bare value)
{
	input->params[input->n_params++] = (struct sfv_param){ str_of(key), value };
}

static bool make_input(struct arena *a, const struct msgsig_wish *w, struct sfv_item *out)
{
	struct sfv_list l;
	struct str alg = msgsig_alg_name(w->alg);

	if (!sfv_parse_list(a, w->components, &l) || l.n != 1 || l.v[0].bare.type != SFV_INNER_LIST || l.v[0].n_params)
		return false;
	*out = l.v[0];
	out->key = w->label.n ? w->label : STR("sig1");
	out->params = arena_alloc(a, 6, sizeof(*out->params));
	if (!out->params)
		return false;
	if (w->created_s)
		put(out, "created", (struct sfv_bare){ .type = SFV_INTEGER, .number = w->created_s });
	if (w->expires_s)
		put(out, "expires", (struct sfv_bare){ .type = SFV_INTEGER, .number = w->expires_s });
	if (w->key_id.n)
		put(out, "keyid", (struct sfv_bare){ .type = SFV_STRING, .text = w->key_id });
	if (w->say_alg && alg.p)
		put(out, "alg", (struct sfv_bare){ .type = SFV_STRING, .text = alg });
	if (w->nonce.n)
		put(out, "nonce", (struct sfv_bare){ .type = SFV_STRING, .text = w->nonce });
	if (w->tag.n)
		put(out, "tag", (struct sfv_bare){ .type = SFV_STRING, .text = w->tag });
	return true;
}

static struct str one_member(struct arena *a, const struct sfv_item *item)
{
	const struct sfv_list l = { .v = (struct sfv_item *)(uintptr_t)item, .n = 1 };
	struct buf b;

	buf_init(&b, SIGN_TEXT_MAX);
	sfv_write_dictionary(&b, &l);
	return sign_take(a, &b);
}

GH_RC msgsig_sign(struct arena *a, const struct msgsig_message *m, const struct jose_keys *keys, struct str key_kid,
		  const struct msgsig_wish *w, struct sign_added *out, struct gh_err *err)
{
	struct sfv_item input, signature = { .bare.type = SFV_BYTES };
	enum sign_verdict v;
	struct str base;

	out->n = 0;
	if (!make_input(a, w, &input))
		FAIL(err, INVALID, "the components are no list of quoted names: (\"@method\" \"@path\")");
	v = make_base(a, m, &input, &base);
	if (v)
		FAIL(err, INVALID, "the request cannot be signed: %s", sign_verdict_text(v));
	TRY(jose_sign_bytes(a, keys, key_kid, w->alg, base, &signature.bare.text, err));
	signature.key = input.key;
	if (!sign_add(out, STR("Signature-Input"), one_member(a, &input))
	    || !sign_add(out, STR("Signature"), one_member(a, &signature)))
		FAIL(err, INVALID, "the label, key id, nonce or tag of a signature holds a character that it may not hold");
	return GH_RC_OK;
}

/* ---- checking ----------------------------------------------------------------------------------------------------------- */

static bool take_text(const struct sfv_item *input, const char *key, struct str *out)
{
	const struct sfv_bare *v = sfv_param_get(input, str_of(key));

	*out = v ? v->text : STR_NULL;
	return !v || v->type == SFV_STRING;
}

static bool take_number(const struct sfv_item *input, const char *key, int64_t *out)
{
	const struct sfv_bare *v = sfv_param_get(input, str_of(key));

	*out = v ? v->number : 0;
	return !v || (v->type == SFV_INTEGER && v->number > 0);
}

enum sign_verdict msgsig_parse(struct arena *a, const struct msgsig_message *m, struct str label, struct msgsig_claim *out)
{
	struct str inputs = sign_field_value(a, &m->rq, STR("Signature-Input"), ", ", false);
	struct str signatures = sign_field_value(a, &m->rq, STR("Signature"), ", ", false);
	const struct sfv_item *input, *signature;
	struct sfv_list in, sig;

	*out = (struct msgsig_claim){ 0 };
	if (!inputs.p || !signatures.p)
		return SIGN_MISSING;
	if (!sfv_parse_dictionary(a, inputs, &in) || !sfv_parse_dictionary(a, signatures, &sig))
		return SIGN_MALFORMED;
	input = label.p ? sfv_get(&in, label) : in.n ? &in.v[0] : NULL;
	signature = input ? sfv_get(&sig, input->key) : NULL;
	if (!signature)
		return SIGN_MISSING;
	if (input->bare.type != SFV_INNER_LIST || signature->bare.type != SFV_BYTES)
		return SIGN_MALFORMED;
	out->label = input->key;
	out->input = input;
	out->signature = signature->bare.text;
	return take_text(input, "keyid", &out->key_id) && take_text(input, "alg", &out->alg)
			       && take_text(input, "nonce", &out->nonce) && take_text(input, "tag", &out->tag)
			       && take_number(input, "created", &out->created_s) && take_number(input, "expires", &out->expires_s)
		       ? SIGN_OK : SIGN_MALFORMED;
}

bool msgsig_covers(struct arena *a, const struct msgsig_claim *c, struct str component)
{
	struct str wanted = arena_printf(a, "\"%.*s\"", STR_ARG(component));

	for (size_t k = 0; k < c->input->n_inner; k++)
		if (str_eq(identifier(a, &c->input->inner[k]), wanted))
			return true;
	return false;
}

static enum sign_verdict check_rules(struct arena *a, const struct msgsig_claim *c, const struct msgsig_rules *r)
{
	int64_t away = r->now_s > c->created_s ? r->now_s - c->created_s : c->created_s - r->now_s;

	for (size_t i = 0; i < r->n_required; i++)
		if (!msgsig_covers(a, c, r->required[i]))
			return SIGN_NOT_COVERED;
	if (c->expires_s && r->now_s >= c->expires_s)
		return SIGN_EXPIRED;
	if (r->window_s && (!c->created_s || away > r->window_s))
		return SIGN_TIME;
	return SIGN_OK;
}

enum sign_verdict msgsig_verify(struct arena *a, const struct msgsig_message *m, struct msgsig_claim *c,
				const struct msgsig_rules *r)
{
	unsigned allowed = r->algs ? r->algs : JOSE_ALL_ALGS, mine = 0;
	enum sign_verdict v = check_rules(a, c, r);

	if (!v && c->alg.p && !(allowed & JOSE_BIT(msgsig_alg_of(c->alg)) & ~1u))
		v = SIGN_ALGORITHM;
	if (!v)
		v = make_base(a, m, c->input, &c->base);
	if (v)
		return v;
	/* the key decides; a name in the parameters can only narrow it */
	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		if (!c->alg.p || str_eq(algs[i].name, c->alg))
			mine |= JOSE_BIT(algs[i].alg);
	return jose_verify_bytes(r->keys, c->key_id, allowed & mine, c->base, c->signature) ? SIGN_OK : SIGN_MISMATCH;
}

/* ---- Content-Digest (RFC 9530) ------------------------------------------------------------------------------------------ */

static bool digest_of(struct str body, bool sha512, uint8_t out[EVP_MAX_MD_SIZE], size_t *n)
{
	return EVP_Q_digest(NULL, sha512 ? "SHA512" : "SHA256", NULL, body.p ? body.p : "", body.n, out, n);
}

struct str content_digest(struct arena *a, struct str body, bool sha512)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	size_t n = 0;
	struct str text;

	if (!digest_of(body, sha512, md, &n))
		return STR_NULL;
	text = crypto_base64(a, (struct str){ (const char *)md, n });
	return text.p ? arena_printf(a, "%s=:%s:", sha512 ? "sha-512" : "sha-256", text.p) : STR_NULL;
}

enum sign_verdict content_digest_check(struct arena *a, struct str field, struct str body)
{
	bool any = false;
	struct sfv_list l;

	if (!field.p)
		return SIGN_MISSING;
	if (!sfv_parse_dictionary(a, field, &l))
		return SIGN_MALFORMED;
	for (size_t i = 0; i < l.n; i++) {
		bool sha512 = str_eq(l.v[i].key, STR("sha-512"));
		uint8_t md[EVP_MAX_MD_SIZE];
		size_t n = 0;

		if (!sha512 && !str_eq(l.v[i].key, STR("sha-256")))
			continue;
		if (l.v[i].bare.type != SFV_BYTES)
			return SIGN_MALFORMED;
		any = true;
		if (!digest_of(body, sha512, md, &n) || !crypto_equal((struct str){ (const char *)md, n }, l.v[i].bare.text))
			return SIGN_PAYLOAD;
	}
	return any ? SIGN_OK : SIGN_MISSING;
}
