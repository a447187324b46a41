/* snapshot.c - life and look-ups of a snapshot, and the frame of a build: one read transaction, one arena. */
#include "fcgi/snapshot.h"

#include "core/clock.h"
#include "core/str.h"
#include "fcgi/snapshot_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* The rows of a large configuration and what is made of them; a bound against damage, not a size to expect. */
#define SNAPSHOT_BYTES_MAX ((size_t)8 << 30)

/* ---- look-ups ------------------------------------------------------------------------------------------------------------ */

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add_explicit(&s->priv->refs, 1, memory_order_relaxed);
	return s;
}

void snapshot_unref(struct snapshot *s)
{
	if (s && atomic_fetch_sub_explicit(&s->priv->refs, 1, memory_order_acq_rel) == 1)
		arena_free(s->priv->arena);
}

const struct snap_product *snapshot_product(const struct snapshot *s, struct str id)
{
	return map_get(&s->priv->products, id);
}

const struct snap_backend *snapshot_backend(const struct snapshot *s, struct str id)
{
	return map_get(&s->priv->backends, id);
}

const struct snap_certificate *snapshot_certificate(const struct snapshot *s, struct str id_or_thumbprint)
{
	return map_get(&s->priv->certificates, id_or_thumbprint);
}

const struct snap_logger *snapshot_logger(const struct snapshot *s, struct str id)
{
	return map_get(&s->priv->loggers, id);
}

const struct snap_certificate *snapshot_certificate_next(const struct snapshot *s, size_t *cursor)
{
	const struct map_slot *slot;

	while ((slot = map_next(&s->priv->certificates, cursor))) {
		const struct snap_certificate *c = slot->value;

		if (slot->key.p == c->id.p)     /* it stands under its thumbprint too */
			return c;
	}
	return NULL;
}

void snapshot_documents(const struct snapshot *s, const struct snap_api *api, const struct snap_operation *operation,
			const struct snap_product *product, const struct policy_document *out[SCOPE__COUNT])
{
	out[SCOPE_GLOBAL] = s->global;
	out[SCOPE_WORKSPACE] = api && api->environment ? api->environment->policy : NULL;
	out[SCOPE_PRODUCT] = product ? product->policy : NULL;
	out[SCOPE_API] = api ? api->policy : NULL;
	out[SCOPE_OPERATION] = operation ? operation->policy : NULL;
	out[SCOPE_ENVIRONMENT] = api && api->environment ? api->environment->binding : NULL;
}

/* ---- building ------------------------------------------------------------------------------------------------------------- */

gh_rc build_error(struct build *b, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (b->n_errors++)
		return GH_RC_OK;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gh_err_set(b->err, GH_E_INVALID, __FILE__, __LINE__, "%s", text);
	return GH_RC_OK;
}

gh_rc build_text(struct build *b, struct str from, struct str *to)
{
	*to = from.p ? arena_dup(b->a, from) : STR_NULL;
	if (from.p && !to->p)
		FAIL(b->err, NOMEM, "no memory for a snapshot");
	return GH_RC_OK;
}

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for a snapshot");
}

static gh_rc read_environments(struct build *b)
{
	struct store_environment *rows;
	size_t n;

	TRY(store_environments(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_environment *e = arena_new_of(b->a, struct snap_environment);
		struct store_policy_scope place = { .kind = STORE_POLICY_WORKSPACE,
						    .business_group_id = rows[i].business_group_id };
		const struct store_policy_scope binding = { .kind = STORE_POLICY_ENVIRONMENT, .environment_id = rows[i].id };

		if (!e || !map_put(&b->environments, rows[i].id, e))
			return no_memory(b);
		TRY(build_text(b, rows[i].id, &e->id));
		TRY(build_text(b, rows[i].name, &e->name));
		TRY(build_text(b, rows[i].business_group_id, &e->business_group));
		TRY(build_text(b, rows[i].host, &e->host));
		TRY(build_text(b, rows[i].path_prefix, &e->path_prefix));
		e->workspace = (struct ctx_workspace){ .id = e->business_group, .name = e->business_group };
		TRY(build_policy(b, &place, STR_NULL, &e->policy));
		TRY(build_policy(b, &binding, STR_NULL, &e->binding));
		TRY(route_table_add_environment(b->routes, e, b->err));
	}
	return GH_RC_OK;
}

static gh_rc read_networks(struct build *b)
{
	struct store_network_rule *rows;
	size_t n;

	TRY(store_network_rules(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_network *x = arena_new_of(b->a, struct snap_network);

		if (!x)
			return no_memory(b);
		x->https_only = rows[i].https_only;
		TRY(ip_set_parse(b->a, rows[i].allow, &x->allow, b->err));
		TRY(ip_set_parse(b->a, rows[i].deny, &x->deny, b->err));
		if (!rows[i].product_id.n && !rows[i].api_id.n)
			b->s->network = x;
		else if (!map_put(rows[i].api_id.n ? &b->api_networks : &b->product_networks,
				  rows[i].api_id.n ? rows[i].api_id : rows[i].product_id, x))
			return no_memory(b);
	}
	return GH_RC_OK;
}

static gh_rc product_groups(struct build *b, const struct map *names, struct snap_product *p)
{
	struct ctx_group *groups;
	struct str *ids;
	size_t n;

	TRY(store_product_groups(b->store, b->rows, p->ctx.id, &ids, &n, b->err));
	groups = arena_alloc(b->a, n, sizeof(*groups));
	if (!groups)
		return no_memory(b);
	for (size_t i = 0; i < n; i++) {
		const struct store_group *g = map_get(names, ids[i]);

		TRY(build_text(b, ids[i], &groups[i].id));
		TRY(build_text(b, g ? g->name : ids[i], &groups[i].name));
	}
	p->ctx.groups = groups;
	p->ctx.n_groups = n;
	return GH_RC_OK;
}

static gh_rc read_group_names(struct build *b, struct map *names)
{
	struct store_group *rows;
	size_t n;

	map_init(names, b->rows, false);
	TRY(store_groups(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++)
		if (!map_put(names, rows[i].id, &rows[i]))
			return no_memory(b);
	return GH_RC_OK;
}

static gh_rc read_products(struct build *b)
{
	const struct snap_product **list;
	struct store_product *rows;
	struct map groups;
	size_t n;

	TRY(read_group_names(b, &groups));
	TRY(store_products(b->store, b->rows, NULL, &rows, &n, b->err));
	list = arena_alloc(b->a, n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		struct snap_product *p = arena_new_of(b->a, struct snap_product);
		struct store_policy_scope place = { .kind = STORE_POLICY_PRODUCT, .product_id = rows[i].id };

		if (!list || !p)
			return no_memory(b);
		list[i] = p;
		TRY(build_text(b, rows[i].id, &p->ctx.id));
		TRY(build_text(b, rows[i].name, &p->ctx.name));
		p->ctx.approval_required = rows[i].approval == STORE_APPROVAL_MANUAL;
		p->ctx.subscription_required = rows[i].subscription_required;
		p->ctx.published = rows[i].state == STORE_PRODUCT_PUBLISHED;
		p->ctx.subscriptions_limit = rows[i].subscriptions_limit ? rows[i].subscriptions_limit : -1;
		p->priority = (int)rows[i].priority;
		p->network = map_get(&b->product_networks, rows[i].id);
		TRY(product_groups(b, &groups, p));
		TRY(build_policy(b, &place, STR_NULL, &p->policy));
		if (!map_put(&b->s->priv->products, p->ctx.id, p))
			return no_memory(b);
	}
	b->s->products = list;
	b->s->n_products = n;
	return GH_RC_OK;
}

static gh_rc read_certificates(struct build *b)
{
	struct store_certificate *rows;
	size_t n;

	TRY(store_certificates(b->store, b->rows, true, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_certificate *c = arena_new_of(b->a, struct snap_certificate);

		if (!c)
			return no_memory(b);
		TRY(build_text(b, rows[i].id, &c->id));
		TRY(build_text(b, rows[i].thumbprint, &c->thumbprint));
		TRY(build_text(b, rows[i].pem, &c->cert_pem));
		TRY(build_text(b, rows[i].key_pem, &c->key_pem));
		if (!map_put(&b->s->priv->certificates, c->id, c)
		    || (c->thumbprint.n && !map_put(&b->s->priv->certificates, c->thumbprint, c)))
			return no_memory(b);
	}
	return build_trust(b, rows, n);
}

/* The authorities of each backend, one behind the other. */
static gh_rc read_authorities(struct build *b)
{
	struct store_backend_authority *rows;
	size_t n;

	TRY(store_backend_authorities(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_backend *x = map_get(&b->s->priv->backends, rows[i].backend_id);
		const struct snap_certificate *c = map_get(&b->s->priv->certificates, rows[i].certificate_id);

		if (!x || !c)
			continue;
		x->ca_pem = arena_printf(b->a, "%.*s%.*s\n", STR_ARG(x->ca_pem), STR_ARG(c->cert_pem));
		if (!x->ca_pem.p)
			return no_memory(b);
	}
	return GH_RC_OK;
}

/* One that is missing must not make the system's count in its place. */
static gh_rc read_request_authorities(struct build *b)
{
	struct str rest = b->config ? config_text(b->config, CONFIG_GATEWAY_REQUEST_AUTHORITIES) : STR_NULL, id, *pem = &b->s->request_ca;

	while (str_word(&rest, &id)) {
		const struct snap_certificate *c = map_get(&b->s->priv->certificates, id);

		*pem = arena_printf(b->a, "%.*s%.*s\n", STR_ARG(*pem), STR_ARG(c ? c->cert_pem : STR("")));
		if (!pem->p)
			return no_memory(b);
		if (!c)
			b->s->trust_problem = arena_printf(b->a, "gateway.request_authorities: there is no certificate `%.*s`", STR_ARG(id));
	}
	return GH_RC_OK;
}

static gh_rc read_loggers(struct build *b)
{
	struct store_logger *rows;
	size_t n;

	TRY(store_loggers(b->store, b->rows, true, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_logger *l = arena_new_of(b->a, struct snap_logger);

		if (!l || !logger_kind_parse(rows[i].kind, &l->kind))
			return no_memory(b);
		TRY(build_text(b, rows[i].id, &l->id));
		TRY(build_text(b, rows[i].settings, &l->settings));
		TRY(build_text(b, rows[i].secrets, &l->secrets));
		if (!map_put(&b->s->priv->loggers, l->id, l))
			return no_memory(b);
	}
	return GH_RC_OK;
}

static gh_rc read_all(struct build *b)
{
	uint64_t generation[GENFILE__COUNT];
	struct store_policy_scope global = { .kind = STORE_POLICY_GLOBAL };

	TRY(store_generation(b->store, generation, b->err));
	b->s->generation = generation[GENFILE_CONFIG];
	TRY(build_read_policies(b));
	TRY(build_policy(b, &global, STR_NULL, &b->s->global));
	TRY(read_networks(b));
	TRY(read_environments(b));
	TRY(read_products(b));
	TRY(build_backends(b));
	TRY(read_certificates(b));
	TRY(read_authorities(b));
	TRY(read_request_authorities(b));
	TRY(read_loggers(b));
	TRY(build_schemas(b));
	TRY(build_credentials(b));
	TRY(build_iap(b));
	TRY(build_access_rules(b));
	TRY(build_auth_keys(b));
	TRY(build_cache_rules(b));
	TRY(build_traffic_rules(b));
	TRY(build_apis(b));
	TRY(build_captures(b));
	if (b->n_errors > 1)
		gh_err_prefix(b->err, "%zu errors, the first", b->n_errors);
	return b->n_errors ? (gh_rc){ GH_E_INVALID } : GH_RC_OK;
}

static gh_rc fill_deployment(struct build *b)
{
	char host[256] = "gatehouse";

	gethostname(host, sizeof(host) - 1);
	b->s->deployment = (struct ctx_deployment){
		.region = STR("local"), .service_name = STR("gatehouse"), .service_id = STR("gatehouse"),
		.gateway_id = STR("managed"), .gateway_is_managed = true,
	};
	return build_text(b, str_of(host), &b->s->deployment.gateway_instance_id);
}

static gh_rc begin(struct build *b, struct arena *a)
{
	struct snapshot *s = arena_new_of(a, struct snapshot);
	struct map *maps[] = { &b->environments, &b->version_sets, &b->named_values, &b->fragments, &b->policies, &b->documents,
			       &b->operation_apis, &b->product_networks, &b->api_networks, &b->cache_rules, &b->traffic_rules, &b->api_rules, &b->product_rules };

	b->a = a;
	b->s = s;
	if (!s || !(s->priv = arena_new_of(a, struct snapshot_private)) || !(b->routes = route_table_new(a)))
		return no_memory(b);
	s->priv->arena = a;
	s->priv->refs = 1;
	s->routes = b->routes;
	map_init(&s->priv->products, a, false);
	map_init(&s->priv->backends, a, false);
	map_init(&s->priv->certificates, a, true);
	map_init(&s->priv->loggers, a, false);
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		map_init(maps[i], b->rows, false);
	return fill_deployment(b);
}

gh_rc snapshot_build(struct store *store, const struct config *config, struct snapshot **out, struct gh_err *err)
{
	struct arena *a = arena_new(SNAPSHOT_BYTES_MAX);
	struct gh_err local;
	struct build b = { .store = store, .config = config, .err = err ? err : &local, .rows = arena_new(SNAPSHOT_BYTES_MAX) };
	gh_rc rc;

	if (!a || !b.rows) {
		arena_free(a);
		arena_free(b.rows);
		FAIL(err, NOMEM, "no memory for a snapshot");
	}
	rc = begin(&b, a);
	if (!rc.code)
		rc = store_read_begin(store, err);
	if (!rc.code)
		rc = read_all(&b);
	store_read_end(store);
	arena_free(b.rows);
	if (rc.code) {
		arena_free(a);
		return rc;
	}
	b.s->built_us = clock_wall_us();
	*out = b.s;
	return rc;
}
