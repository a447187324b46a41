/* snapshot_trust.c - whose client certificates are believed, and the schemas that stand apart: parts of a snapshot.
 *
 * Lists of revoked certificates come from files that something else renews (a timer that fetches them from the authority).
 * A file that is missing or damaged must not hold up the configuration: it is left out and told, and certificates of its
 * issuer are then refused where revocation is checked, as nothing is known of them. */
#include "core/file.h"
#include "core/str.h"
#include "fcgi/snapshot_impl.h"

#include "db/schemas.h"
#include "policy/schemas.h"
#include "policy/trust.h"

#include <stdio.h>
#include <sys/stat.h>

enum { FILES_MAX = 64, FILE_BYTES_MAX = 256 << 20 };

uint64_t snapshot_files_state(const struct config *config)
{
	struct str rest = config ? config_text(config, CONFIG_GATEWAY_CRL_FILES) : STR_NULL, file;
	uint64_t state = 0;
	char path[4096];
	struct stat st;

	while (str_word(&rest, &file)) {
		snprintf(path, sizeof(path), "%.*s", STR_ARG(file));
		if (stat(path, &st) < 0)
			memset(&st, 0, sizeof(st));
		state = state * 0x100000001B3u + (uint64_t)st.st_mtim.tv_sec * 1000000007u + (uint64_t)st.st_mtim.tv_nsec;
		state = state * 0x100000001B3u + (uint64_t)st.st_size * 31 + (uint64_t)st.st_ino;
	}
	return state;
}

/* A list that can be used, or not at all. */
static bool is_list(struct str bytes)
{
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
	bool yes = lists && trust_read_lists(bytes, lists);

	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	return yes;
}

static size_t read_lists(struct build *b, struct str out[FILES_MAX])
{
	struct str rest = b->config ? config_text(b->config, CONFIG_GATEWAY_CRL_FILES) : STR_NULL, file;
	size_t n = 0;

	while (n < FILES_MAX && str_word(&rest, &file)) {
		const char *path = arena_cstr(b->rows, file);
		struct gh_err err = { 0 };

		if (!path || file_read(b->rows, path, FILE_BYTES_MAX, &out[n], &err).code)
			b->s->trust_problem = arena_printf(b->a, "%s", err.message);
		else if (!is_list(out[n]))
			b->s->trust_problem = arena_printf(b->a, "%s: it is no list of revoked certificates (CRL)", path);
		else
			n++;
	}
	return n;
}

static void free_trust(void *t)
{
	trust_free(t);
}

static void free_schemas(void *s)
{
	schemas_free(s);
}

GH_RC build_trust(struct build *b, const struct store_certificate *rows, size_t n)
{
	struct str lists[FILES_MAX], *authorities = arena_alloc(b->rows, n + 1, sizeof(*authorities));
	struct trust_options o = { .authorities = authorities, .lists = lists };

	if (!authorities)
		FAIL(b->err, NOMEM, "no memory for a snapshot");
	for (size_t i = 0; i < n; i++)
		if (rows[i].is_authority)
			authorities[o.n_authorities++] = rows[i].pem;
	o.n_lists = read_lists(b, lists);
	o.system = !b->config || config_bool(b->config, CONFIG_GATEWAY_TRUST_SYSTEM_AUTHORITIES);
	o.responder = b->config ? config_text(b->config, CONFIG_GATEWAY_OCSP_RESPONDER) : STR_NULL;
	TRY(trust_new(&b->s->trust, &o, b->err));
	if (arena_defer(b->a, free_trust, b->s->trust))
		return GH_RC_OK;
	trust_free(b->s->trust);
	FAIL(b->err, NOMEM, "no memory for a snapshot");
}

GH_RC build_schemas(struct build *b)
{
	struct store_schema *rows;
	struct schema_text *texts;
	size_t n;

	TRY(store_schemas(b->store, b->rows, &rows, &n, b->err));
	if (!n)
		return GH_RC_OK;
	texts = arena_alloc(b->a, n, sizeof(*texts));
	if (!texts)
		FAIL(b->err, NOMEM, "no memory for a snapshot");
	for (size_t i = 0; i < n; i++) {
		texts[i].kind = rows[i].kind == STORE_SCHEMA_XML ? SCHEMA_XML : SCHEMA_JSON;
		TRY(build_text(b, rows[i].id, &texts[i].id));
		TRY(build_text(b, rows[i].bytes, &texts[i].text));
	}
	TRY(schemas_new(&b->s->schemas, texts, n, b->err));
	if (arena_defer(b->a, free_schemas, b->s->schemas))
		return GH_RC_OK;
	schemas_free(b->s->schemas);
	FAIL(b->err, NOMEM, "no memory for a snapshot");
}
