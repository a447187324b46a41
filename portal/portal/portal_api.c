#include "portal/portal/json.h"

#include "core/str.h"
#include "portal/web/markdown.h"

/* The page that shows the portal's own JSON API: out of the same document that programs get. */

/* "curl -X POST '…/subscriptions' -H 'Authorization: Bearer TOKEN' …" with the example of the body. */
static struct str example(struct web *w, const char *method, const char *path, const json_t *op, bool needs_token)
{
	const json_t *body = jsn_pointer(op, STR("/requestBody/content/application~1json/example"));
	bool form = jsn_pointer(op, STR("/security/0/formToken"));
	const char *scheme = w->rq.tls ? "https://" : "http://";

	return arena_printf(w->a, "curl%s%s '%s%.*s%.*s%s%s'%s%s%.*s%s", strcmp(method, "GET") ? " -X " : "", strcmp(method, "GET") ? method : "",
			    w->rq.host.n ? scheme : "", STR_ARG(w->rq.host), STR_ARG(w->site->base), PORTAL_JSON + 1, path,
			    needs_token ? " -H 'Authorization: Bearer TOKEN'" : form ? " -b cookies -c cookies -H 'X-CSRF-Token: TOKEN'" : "", body ? " -H 'Content-Type: application/json' -d '" : "",
			    STR_ARG(body ? jsn_text(w->a, body, 0) : STR("")), body ? "'" : "");
}

static void put_operation(struct web *w, struct liquid_record *r, const char *method, const char *path, const json_t *op)
{
	struct str scope = jsn_string(jsn_pointer(op, STR("/security/0/token/0"))), description = jsn_str(op, "description");

	liquid_set_text(r, "method", str_of(method));
	liquid_set_text(r, "path", str_of(path));
	liquid_set_text(r, "summary", jsn_str(op, "summary"));
	liquid_set_text(r, "description", description.p ? description : STR(""));
	liquid_set_text(r, "scope", scope.p ? scope : STR(""));
	liquid_set_text(r, "example", example(w, method, path, op, scope.n > 0));
}

static void put_group(struct web *w, const json_t *document, struct str tag, struct liquid_record *group)
{
	static const char *const methods[][2] = { { "get", "GET" }, { "post", "POST" }, { "patch", "PATCH" }, { "delete", "DELETE" } };
	struct liquid_list *list = liquid_set_list(group, "operations");
	const char *path;
	json_t *item;

	liquid_set_text(group, "name", tag);
	json_object_foreach(jsn_obj(document, "paths"), path, item)
		for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
			const json_t *op = jsn_obj(item, methods[i][0]);

			if (op && str_eq(jsn_string(jsn_pointer(op, STR("/tags/0"))), tag))
				put_operation(w, liquid_push_record(list), methods[i][1], path, op);
		}
}

gh_rc portal_own_api_page(struct web *w, struct gh_err *err)
{
	struct liquid_list *groups = liquid_set_list(w->page, "groups");
	struct liquid_value description;
	json_t *document, *tag;
	size_t i;

	TRY(portal_api_description(w, &document, err));
	TRY(web_markdown(w->a, jsn_str(jsn_obj(document, "info"), "description"), &description, err));
	liquid_set(w->page, "description", description);
	json_array_foreach(jsn_arr(document, "tags"), i, tag)
		put_group(w, document, jsn_str(tag, "name"), liquid_push_record(groups));
	web_title(w, "API of this portal");
	return web_page(w, "portal-api", err);
}
