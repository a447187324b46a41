/* token_keys.c - the keys that tokens are checked and opened with.
 *
 * Keys that stand in the document are made when it is compiled. Those that an expression gives or that belong to a
 * certificate of the installation are known with the request only; what was parsed once is kept for the process under the
 * digest of its material, so that neither parsing nor the secret itself is there twice. */
#include "core/crypto.h"
#include "core/str.h"
#include "policy/elements/token.h"

#include <stdatomic.h>

enum { KEYS_KEPT = 128, KEYS_FRESH_S = 3600 };

/* One <key> with its values. STR_NULL: not given. */
struct material {
	struct str text, id, cert_pem, key_pem, n, e;
	bool certificate;
};

static GH_RC add_key(struct arena *a, struct jose_keys *keys, const struct material *m, struct gh_err *err)
{
	struct str id = m->id.n ? m->id : STR_NULL, secret;

	if (m->certificate) {
		TRY(jose_keys_add_pem(keys, id, m->cert_pem, err));
		return m->key_pem.n ? jose_keys_add_pem(keys, id, m->key_pem, err) : GH_RC_OK;
	}
	if (m->n.n || m->e.n)
		return jose_keys_add_rsa(keys, id, m->n, m->e, err);
	if (!crypto_base64_decode(a, str_trim(m->text), &secret))
		FAIL(err, INVALID, "a key is Base64 text");
	return jose_keys_add_secret(keys, id, secret, err);
}

/* ---- while compiling -------------------------------------------------------------------------------------------------- */

static bool key_depends(const struct token_key *k)
{
	const struct arg *args[] = { &k->text, &k->id, &k->certificate, &k->n, &k->e };

	for (size_t i = 0; i < ARRAY_LEN(args); i++)
		if (args[i]->expr || args[i]->unknown)
			return true;
	return k->certificate.text.n > 0;
}

static void free_keys(void *keys)
{
	jose_keys_free(keys);
}

static bool check_key(struct compiler *c, const struct doc_node *n, const struct child *item, struct jose_keys *keys, bool *depends)
{
	const struct token_key *k = item->config;
	const struct material m = { .text = k->text.text, .id = k->id.text, .n = k->n.text, .e = k->e.text };
	struct gh_err err = { 0 };

	if (!k->text.text.n && !k->text.expr && !k->certificate.given && !(k->n.given && k->e.given)) {
		compile_error(c, n, NULL, "the key on line %u needs a Base64 text, a certificate-id, or n and e", item->line);
		return false;
	}
	if (key_depends(k)) {
		*depends = true;
		return true;
	}
	if (!add_key(c->arena, keys, &m, &err).code)
		return true;
	compile_error(c, n, NULL, "the key on line %u: %s", item->line, err.message);
	return false;
}

/* The keys of a list: *out stays NULL when one depends on the request or the host. */
static bool fixed_keys(struct compiler *c, const struct doc_node *n, const struct children *lists, struct jose_keys **out)
{
	struct jose_keys *keys = jose_keys_new();
	bool ok = true, depends = false;

	if (!keys || !arena_defer(c->arena, free_keys, keys)) {
		jose_keys_free(keys);
		compile_error(c, n, NULL, "out of memory");
		return false;
	}
	for (size_t l = 0; l < lists->n; l++) {
		const struct children *items = &((const struct token_list *)lists->v[l].config)->items;

		for (size_t i = 0; i < items->n; i++)
			ok &= check_key(c, n, &items->v[i], keys, &depends);
	}
	*out = depends ? NULL : keys;
	return ok;
}

bool token_check(struct compiler *c, const struct doc_node *n, struct token_config *config)
{
	int places = config->header.given + config->query.given + config->value.given;
	bool ok = true;

	if (places > 1 || (places == 0 && !config->header.text.n)) {
		compile_error(c, n, NULL, "say where the token is with one of header-name, query-parameter-name and token-value");
		ok = false;
	}
	if (config->providers.n > TOKEN_PROVIDERS_MAX) {
		compile_error(c, n, NULL, "at most %d openid-config elements may stand here", TOKEN_PROVIDERS_MAX);
		ok = false;
	}
	return fixed_keys(c, n, &config->signing_keys, &config->signing) &&
	       fixed_keys(c, n, &config->decryption_keys, &config->decryption) && ok;
}

static bool lists_depend(const struct children *lists)
{
	for (size_t l = 0; l < lists->n; l++) {
		const struct children *items = &((const struct token_list *)lists->v[l].config)->items;

		for (size_t i = 0; i < items->n; i++)
			if (((const struct token_value *)items->v[i].config)->text.expr)
				return true;
	}
	return false;
}

static bool claims_depend(const struct children *lists)
{
	for (size_t l = 0; l < lists->n; l++) {
		const struct children *items = &((const struct token_list *)lists->v[l].config)->items;

		for (size_t i = 0; i < items->n; i++) {
			const struct token_claim *claim = items->v[i].config;

			if (claim->name.expr || claim->match.expr || claim->separator.expr)
				return true;
			for (size_t v = 0; v < claim->values.n; v++)
				if (((const struct token_value *)claim->values.v[v].config)->text.expr)
					return true;
		}
	}
	return false;
}

/* Where the token stands and what is said of one that is refused may depend: neither is asked of it. */
void token_number(struct token_config *config)
{
	static _Atomic uint64_t last;
	const struct arg *const asked[] = { &config->need_expiry, &config->need_signature, &config->skew, &config->tenant, &config->endpoint };
	const struct children *const lists[] = { &config->audiences, &config->issuers, &config->clients, &config->backends };
	bool depends = !config->signing || !config->decryption || claims_depend(&config->claims);

	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		depends |= asked[i]->expr != NULL;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		depends |= lists_depend(lists[i]);
	for (size_t i = 0; i < config->providers.n; i++)
		depends |= ((const struct token_value *)config->providers.v[i].config)->text.expr != NULL;
	config->number = depends ? 0 : atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

/* ---- while running ------------------------------------------------------------------------------------------------------ */

static void *hold(void *keys)
{
	return jose_keys_ref(keys);
}

static struct shelf_place places[KEYS_KEPT];
static struct shelf shelf = SHELF_INIT(places, hold, free_keys);

static bool read_material(struct exchange *x, const struct child *item, struct material *m)
{
	const struct token_key *k = item->config;
	struct str certificate;

	if (!arg_get_text(x, &k->text, &m->text) || !arg_get_text(x, &k->id, &m->id)
	    || !arg_get_text(x, &k->certificate, &certificate) || !arg_get_text(x, &k->n, &m->n) || !arg_get_text(x, &k->e, &m->e))
		return false;
	m->certificate = certificate.n > 0;
	if (!m->certificate || (x->host->certificate && x->host->certificate(x, certificate, &m->cert_pem, &m->key_pem)))
		return true;
	exchange_fail(x, 500, STR_NULL, "The key on line %u is not usable: there is no certificate '%.*s'", item->line,
		      STR_ARG(certificate));
	return false;
}

/* A digest over all material, each part with its length in front so that no two lists look alike. */
static struct str name_of(struct arena *a, const struct material *all, size_t n)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct buf b;

	buf_init(&b, arena_left(a));
	for (size_t i = 0; i < n; i++) {
		const struct str parts[] = { all[i].text, all[i].id, all[i].cert_pem, all[i].key_pem, all[i].n, all[i].e };

		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			buf_fmt(&b, "%zu:", parts[k].n);
			buf_str(&b, parts[k]);
		}
	}
	crypto_sha256(buf_view(&b), digest);
	crypto_wipe(b.p, b.n);
	if (!buf_ok(&b)) {
		buf_release(&b);
		return STR_NULL;
	}
	buf_release(&b);
	return crypto_hex(a, (struct str){ (const char *)digest, sizeof(digest) });
}

static struct jose_keys *make_keys(struct exchange *x, const struct children *items, const struct material *all)
{
	struct jose_keys *keys = jose_keys_new();
	struct gh_err err = { 0 };

	if (!keys)
		exchange_no_memory(x);
	for (size_t i = 0; keys && i < items->n; i++) {
		if (!add_key(x->arena, keys, &all[i], &err).code)
			continue;
		exchange_fail(x, 500, STR_NULL, "The key on line %u is not usable: %s", items->v[i].line, err.message);
		jose_keys_free(keys);
		keys = NULL;
	}
	return keys;
}

static const struct children *items_of(const struct children *lists)
{
	static const struct children none;

	return lists->n ? &((const struct token_list *)lists->v[0].config)->items : &none;
}

static bool request_keys(struct exchange *x, const struct children *lists, const struct jose_keys *fixed, const struct jose_keys **out)
{
	static const struct shelf_pace pace;
	const struct children *items = items_of(lists);
	struct material *all;
	struct str name;
	void *keys = NULL;
	int64_t now = x->host->now_us(x), put_us;

	*out = fixed;
	if (fixed)
		return true;
	all = arena_alloc(x->arena, items->n + 1, sizeof(*all));
	if (!all)
		exchange_no_memory(x);
	for (size_t i = 0; all && i < items->n; i++)
		if (!read_material(x, &items->v[i], &all[i]))
			return false;
	name = all ? name_of(x->arena, all, items->n) : STR_NULL;
	if (str_is_null(name)) {
		exchange_no_memory(x);
		return false;
	}
	if (shelf_look(&shelf, name, &pace, false, now, &keys, &put_us) != SHELF_USE) {
		struct jose_keys *made = make_keys(x, items, all);

		if (!made || !shelf_put(&shelf, name, made, STR_NULL, KEYS_FRESH_S, KEYS_FRESH_S, now, &keys, &put_us)) {
			if (made)
				exchange_no_memory(x);
			return false;
		}
		exchange_trace(x, "%zu keys read", jose_keys_count(keys));
	}
	if (!arena_defer(x->arena, free_keys, keys)) {
		jose_keys_free(keys);
		exchange_no_memory(x);
		return false;
	}
	*out = keys;
	return true;
}

enum step token_keys(struct exchange *x, const struct token_config *c, struct token_state *s)
{
	if (!s->signing && (!request_keys(x, &c->signing_keys, c->signing, &s->signing) ||
			    !request_keys(x, &c->decryption_keys, c->decryption, &s->decryption)))
		return STEP_FAIL;
	for (; s->at < s->n_providers; s->at++) {
		enum step step = openid_step(x, &s->providers[s->at]);

		if (step != STEP_NEXT)
			return step;
	}
	return STEP_NEXT;
}
