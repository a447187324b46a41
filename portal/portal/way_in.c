#include "portal/portal/docs.h"

#include "core/access_rule.h"
#include "core/str.h"
#include "db/access_rules.h"
#include "db/backends.h"

/* An access rule of the API is the whole truth about who may call. Without one there is the subscription key, and what the
 * description asks for besides is for the backend, unless the gateway has a credential of its own for that. */

static void read_method(struct portal_way_in *to, const struct access_method *m)
{
	switch (m->kind) {
	case ACCESS_KEY:
		to->key = true;
		break;
	case ACCESS_JWT:
	case ACCESS_INTROSPECT:
		to->bearer = true;
		to->issuer = access_text(m, "issuer");
		to->scopes = access_given(m, "scope").v;
		to->n_scopes = access_given(m, "scope").n;
		break;
	case ACCESS_CLIENT:
		to->client = true;
		break;
	case ACCESS_BASIC:
		to->basic = true;
		break;
	default:                         /* certificates and signatures are more than a line of a sample */
		break;
	}
}

static GH_RC read_rule(struct web *w, const struct store_access_rule *row, struct portal_way_in *to, struct gh_err *err)
{
	struct access_rule rule;
	json_t *v;

	TRY(jsn_parse_in(w->a, row->rule, NULL, &v, NULL, err));
	TRY(access_rule_read(w->a, v, &rule, err));
	for (size_t i = 0; rule.n_groups && i < rule.groups[0].n; i++)
		read_method(to, &rule.groups[0].methods[i]);
	return GH_RC_OK;
}

static GH_RC has_credential(struct web *w, const struct store_api *api, bool *yes, struct gh_err *err)
{
	struct store_backend b;
	bool found;

	*yes = false;
	if (!api->backend_id.n)
		return GH_RC_OK;
	TRY(store_backend_find(w->site->store, w->a, api->backend_id, false, &b, &found, err));
	*yes = found && b.credential_id.n;
	return GH_RC_OK;
}

static void read_need(struct portal_way_in *to, const struct openapi_need *need)
{
	const struct openapi_scheme *s = need->scheme;

	if (!s)
		return;
	if (s->type == OPENAPI_OAUTH2 || s->type == OPENAPI_OPENID || (s->type == OPENAPI_HTTP && str_eq_ci(s->scheme, STR("bearer")))) {
		to->bearer = true;
		to->scheme = s;
		to->scopes = need->scopes;
		to->n_scopes = need->n_scopes;
	} else if (s->type == OPENAPI_HTTP && str_eq_ci(s->scheme, STR("basic"))) {
		to->basic = true;
	} else if (s->type == OPENAPI_API_KEY) {
		to->api_key = s;
	}
}

/* Of several ways the description's first one that needs something. */
static const struct openapi_requirement *first_way(const struct openapi_operation *op)
{
	for (size_t i = 0; op && i < op->n_security; i++)
		if (op->security[i].n_needs)
			return &op->security[i];
	return NULL;
}

/* How a token for the rule's issuer is to be had may stand in the description. */
static void find_scheme(const struct openapi *o, struct portal_way_in *to)
{
	for (size_t i = 0; o && i < o->n_schemes && !to->scheme; i++)
		if (o->schemes[i].type == OPENAPI_OAUTH2 || o->schemes[i].type == OPENAPI_OPENID)
			to->scheme = &o->schemes[i];
}

gh_rc portal_way_in(struct web *w, const struct store_api *api, const struct openapi *o, const struct openapi_operation *op,
		    struct portal_way_in *out, struct gh_err *err)
{
	const struct openapi_requirement *way = first_way(op);
	struct store_access_rule row;
	bool found, credential;

	*out = (struct portal_way_in){ .key = false };
	TRY(store_access_rule_find(w->site->store, w->a, api->id, STR_NULL, &row, &found, err));
	if (found) {
		TRY(read_rule(w, &row, out, err));
		if (out->bearer)
			find_scheme(o, out);
		return GH_RC_OK;
	}
	out->key = api->subscription_required;
	TRY(has_credential(w, api, &credential, err));
	for (size_t i = 0; way && !credential && i < way->n_needs; i++)
		read_need(out, &way->needs[i]);
	return GH_RC_OK;
}
