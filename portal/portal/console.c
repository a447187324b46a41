#include "portal/portal/docs.h"

#include "core/json.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/teams.h"

/* What templates/portal/console.html and www/console.js need: the form of a call, keys by the names of their subscriptions and
 * never their values, and where a token is had. Tokens never come here: the browser gets them from the provider (authorization
 * code with PKCE, RFC 7636) and keeps them in the memory of the page. For that the policy on content of the page names the
 * provider's origin, which the API's description or its access rule has told. */

enum { FIELD_MAX = 2000, BODY_MAX = 16 << 10 };

/* Whether a subscription opens the API: its own, everything, or a product that it is in. */
static bool opens(const struct store_subscription *s, const struct store_product *products, size_t n, const struct store_api *api)
{
	if (s->state != STORE_SUB_ACTIVE)
		return false;
	if (s->scope != STORE_SCOPE_PRODUCT)
		return s->scope == STORE_SCOPE_ALL_APIS || str_eq(s->api_id, api->id);
	for (size_t i = 0; i < n; i++)
		if (str_eq(products[i].id, s->product_id))
			return true;
	return false;
}

gh_rc portal_put_own_keys(struct web *w, const struct store_api *api, struct liquid_list *to, struct gh_err *err)
{
	struct store_subscription *own;
	struct store_product *products;
	size_t n = 0, n_products = 0;

	if (w->signed_in && str_eq(config_text(&w->site->config, CONFIG_PORTAL_SHOW_KEYS), STR("always")))
		TRY(store_own_subscriptions(w->site->store, w->a, w->user.id, &own, &n, err));
	if (n)
		TRY(store_products_of_api(w->site->store, w->a, api->id, &products, &n_products, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *k;

		if (!opens(&own[i], products, n_products, api))
			continue;
		k = liquid_push_record(to);
		liquid_set_text(k, "id", own[i].id);
		liquid_set_text(k, "name", own[i].name.n ? own[i].name : own[i].id);
	}
	return GH_RC_OK;
}

/* ---- what a call takes ------------------------------------------------------------------------------------------------- */

static bool of_type(const struct openapi *o, json_t *schema, const char *name)
{
	json_t *type = schema ? json_object_get(openapi_resolve(o, schema), "type") : NULL, *one;
	size_t i;

	json_array_foreach(type, i, one) {
		if (str_eq(jsn_string(one), str_of(name)))
			return true;
	}
	return str_eq(jsn_string(type), str_of(name));
}

/* The parts of a list with commas between, as the field takes them. */
static struct str field_text(struct web *w, const json_t *v)
{
	struct str out;
	struct buf b;
	json_t *one;
	size_t i;

	if (!json_is_array(v))
		return json_is_string(v) ? jsn_string(v) : v ? jsn_text(w->a, v, 0) : STR("");
	buf_init(&b, FIELD_MAX);
	json_array_foreach(v, i, one) {
		buf_cstr(&b, i ? "," : "");
		buf_str(&b, json_is_string(one) ? jsn_string(one) : jsn_text(w->a, one, 0));
	}
	out = buf_ok(&b) ? arena_dup(w->a, buf_view(&b)) : STR("");
	buf_release(&b);
	return out;
}

void portal_put_field(struct web *w, const struct openapi *o, const struct openapi_parameter *p, struct liquid_record *row)
{
	struct str text = field_text(w, portal_parameter_value(w, o, p));
	bool list = of_type(o, p->schema, "array");

	liquid_set_bool(row, "is_list", list);
	liquid_set_bool(row, "repeats", list && p->explode && p->in == OPENAPI_QUERY);
	liquid_set_bool(row, "is_boolean", of_type(o, p->schema, "boolean"));
	liquid_set_bool(row, "is_number", of_type(o, p->schema, "integer") || of_type(o, p->schema, "number"));
	liquid_set_text(row, "value", p->required && text.n <= FIELD_MAX ? text : STR(""));
}

/* A form: a field for each member of the example, which has all properties of the schema. False: it is no form, or one that we
 * cannot take apart. */
static bool put_form(struct web *w, const struct openapi *o, const struct openapi_media *m, struct liquid_record *c)
{
	json_t *example = openapi_media_example(o, w->a, m), *schema = m->schema ? openapi_resolve(o, m->schema) : NULL, *v, *one;
	bool parts = str_starts_ci(m->type, STR("multipart/form-data"));
	struct liquid_list *l;
	const char *name;
	size_t i;

	if ((!parts && !str_starts_ci(m->type, STR("application/x-www-form-urlencoded"))) || !json_is_object(example))
		return false;
	l = liquid_set_list(c, "fields");
	json_object_foreach(example, name, v) {
		json_t *property = openapi_resolve(o, json_object_get(json_object_get(schema, "properties"), name));
		struct liquid_record *r = liquid_push_record(l);
		bool required = false;

		json_array_foreach(json_object_get(schema, "required"), i, one) {
			required |= str_eq(jsn_string(one), str_of(name));
		}
		liquid_set_text(r, "name", str_of(name));
		liquid_set_bool(r, "required", required);
		liquid_set_bool(r, "is_file", parts && (str_eq(jsn_str(property, "format"), STR("binary")) || jsn_str(property, "contentMediaType").n));
		liquid_set_text(r, "value", field_text(w, v).n <= FIELD_MAX ? field_text(w, v) : STR(""));
	}
	return true;
}

static void put_body(struct web *w, const struct openapi *o, const struct openapi_operation *op, struct liquid_record *c)
{
	const struct openapi_media *m = op && op->body ? portal_choose_media(op->body) : NULL;
	struct str text = STR("");

	liquid_set_list(c, "fields");
	if (m && (str_eq(op->method, STR("GET")) || str_eq(op->method, STR("HEAD"))))
		m = NULL;                        /* no browser sends one */
	liquid_set_text(c, "type", m ? m->type : STR(""));
	liquid_set_bool(c, "is_form", m && put_form(w, o, m, c));
	if (m)
		text = portal_media_text(w, m->type, openapi_media_example(o, w->a, m));
	liquid_set_text(c, "body", text.n <= BODY_MAX && text.p ? text : STR(""));
}

/* ---- tokens ------------------------------------------------------------------------------------------------------------ */

/* "https://login.example:8443" of an address that a page may talk to: https, or this machine. STR_NULL: any other. */
static struct str origin_of(struct arena *a, struct str address)
{
	struct uri u;
	bool local;

	if (!uri_parse(address, &u) || !u.host.n || u.userinfo.p)
		return STR_NULL;
	local = str_eq(u.host, STR("127.0.0.1")) || str_eq(u.host, STR("localhost")) || str_eq(u.host, STR("[::1]"));
	if (!str_eq(u.scheme, STR("https")) && !(local && str_eq(u.scheme, STR("http"))))
		return STR_NULL;
	for (size_t i = 0; i < u.host.n; i++)            /* it goes into a header field with a grammar of its own */
		if (!ascii_is_alpha(u.host.p[i]) && !ascii_is_digit(u.host.p[i]) && !strchr("-.:[]", u.host.p[i]))
			return STR_NULL;
	return u.port ? arena_printf(a, "%.*s://%.*s:%u", STR_ARG(u.scheme), STR_ARG(u.host), u.port)
		      : arena_printf(a, "%.*s://%.*s", STR_ARG(u.scheme), STR_ARG(u.host));
}

/* "https://login.example=portal https://other=…": the value whose address the given one begins with, the longest of them. */
static struct str setting_for(struct web *w, enum setting setting, struct str address)
{
	struct str rest = config_text(&w->site->config, setting), item, best = STR(""), id = STR("");

	while (rest.n && str_split(&rest, ' ', &item)) {
		size_t at = str_rfind_char(item, '=');
		struct str prefix = str_first(item, at);

		if (at != SIZE_MAX && prefix.n > best.n && str_starts(address, prefix)) {
			best = prefix;
			id = str_from(item, at + 1);
		}
	}
	return id;
}

struct oauth {
	struct str authorize, token, discovery;
};

/* OpenAPI 3: flows.authorizationCode; Swagger 2: the members beside flow "accessCode". */
static struct oauth find_oauth(struct web *w, const struct portal_way_in *way)
{
	const struct openapi_scheme *s = way->scheme;
	struct oauth out = { .discovery = STR_NULL };

	if (s && s->type == OPENAPI_OAUTH2) {
		json_t *flow = json_object_get(json_object_get(s->raw, "flows"), "authorizationCode");

		if (!flow && str_eq(jsn_str(s->raw, "flow"), STR("accessCode")))
			flow = s->raw;
		out.authorize = jsn_str(flow, "authorizationUrl");
		out.token = jsn_str(flow, "tokenUrl");
	} else if (s && s->type == OPENAPI_OPENID) {
		out.discovery = s->url;
	}
	if (!out.authorize.n && !out.discovery.n && way->issuer.n)
		out.discovery = arena_printf(w->a, "%.*s%s.well-known/openid-configuration", STR_ARG(way->issuer),
					     way->issuer.p[way->issuer.n - 1] == '/' ? "" : "/");
	return out;
}

/* Where the browser gets a token: `oauth`, and its origins for the policy on content. nil: nowhere that we know. */
static void put_oauth(struct web *w, const struct portal_way_in *way, struct liquid_record *c, struct str *origins)
{
	struct oauth f = find_oauth(w, way);
	struct str from = f.discovery.n ? f.discovery : f.authorize, first = origin_of(w->a, from), second, third;
	struct liquid_record *r;
	struct buf scopes;

	liquid_set(c, "oauth", LIQUID_NIL_VALUE);
	*origins = STR_NULL;
	second = f.discovery.n ? first : origin_of(w->a, f.token);
	if (!way->bearer || !first.p || !second.p)
		return;
	*origins = str_eq(first, second) ? first : arena_printf(w->a, "%.*s %.*s", STR_ARG(first), STR_ARG(second));
	/* what the service's own document names, the operator has to know: pages open no host that a document from elsewhere tells */
	third = origin_of(w->a, setting_for(w, CONFIG_PORTAL_CONSOLE_ORIGINS, from));
	if (third.n)
		*origins = arena_printf(w->a, "%.*s %.*s", STR_ARG(*origins), STR_ARG(third));
	buf_init(&scopes, FIELD_MAX);
	for (size_t i = 0; i < way->n_scopes; i++)
		buf_fmt(&scopes, "%s%.*s", i ? " " : "", STR_ARG(way->scopes[i]));
	r = liquid_set_record(c, "oauth");
	liquid_set_text(r, "authorize", f.authorize.n ? f.authorize : STR(""));
	liquid_set_text(r, "token", f.token.n ? f.token : STR(""));
	liquid_set_text(r, "discovery", f.discovery.n ? f.discovery : STR(""));
	liquid_set_text(r, "client", setting_for(w, CONFIG_PORTAL_CONSOLE_CLIENTS, from));
	liquid_set_text(r, "host", str_from(first, str_find(first, STR("://")) + 3));
	liquid_set_text(r, "scopes", buf_ok(&scopes) ? arena_dup(w->a, buf_view(&scopes)) : STR(""));
	buf_release(&scopes);
}

gh_rc portal_put_console(struct web *w, const struct store_api *api, const struct openapi *o, const struct openapi_operation *op,
			 const struct store_operation *stored, const struct portal_way_in *way, struct str *policy, struct gh_err *err)
{
	struct liquid_record *c = liquid_set_record(w->page, "console");
	struct str address, origins;

	TRY(portal_base_address(w, api, &address, err));
	liquid_set_text(c, "address", address);
	liquid_set_text(c, "header", portal_key_header(api));
	liquid_set_bool(c, "key", way->key || (!way->bearer && !way->basic && !way->client));
	liquid_set_bool(c, "bearer", way->bearer);
	liquid_set_bool(c, "basic", way->basic && !way->bearer);
	put_body(w, o, op, c);
	put_oauth(w, way, c, &origins);
	*policy = origins.n ? arena_printf(w->a, "default-src 'self'; connect-src 'self' %.*s; base-uri 'none'; form-action 'self'; "
						 "frame-ancestors 'none'; object-src 'none'", STR_ARG(origins))
			    : STR_NULL;
	liquid_set_text(w->page, "here", arena_printf(w->a, "apis/%.*s/operations/%.*s", STR_ARG(api->id), STR_ARG(stored->id)));
	return portal_put_own_keys(w, api, liquid_set_list(c, "keys"), err);
}

/* Where a provider sends the browser back to, in the window that the console opened: the script hands the code on. */
gh_rc portal_console_back(struct web *w, struct gh_err *err)
{
	web_title(w, "Back from the sign-in service");
	TRY(web_page(w, "console-back", err));
	for (size_t i = 0; i < w->rs.n_headers; i++)
		if (strcmp(w->rs.headers[i].name, "Cache-Control") == 0)
			w->rs.headers[i].value = STR("no-store");
	return GH_RC_OK;
}
