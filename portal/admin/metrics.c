#include "portal/admin/admin.h"

#include "core/file.h"
#include "core/ip.h"
#include "core/metrics.h"
#include "core/str.h"

/* What Prometheus reads. It is open to whom the settings name: a bearer token, or an address. By itself it is closed. */

enum { TOKEN_FILE_MAX = 4096 };

static gh_rc by_address(struct web *w, bool *in, struct gh_err *err)
{
	struct str list = config_text(&w->site->config, CONFIG_METRICS_ALLOW);
	struct ip_set set;
	struct ip address;

	if (!list.n || !ip_parse(w->rq.address, &address))
		return GH_RC_OK;
	TRY(ip_set_parse(w->a, list, &set, err));
	*in = ip_set_find(&set, &address) != NULL;
	return GH_RC_OK;
}

static gh_rc by_token(struct web *w, bool *in, struct gh_err *err)
{
	struct str file = config_text(&w->site->config, CONFIG_METRICS_TOKEN_FILE), field = w->rq.authorization, token;

	if (!file.n || !str_starts_ci(field, STR("Bearer ")))
		return GH_RC_OK;
	TRY(file_read(w->a, arena_cstr(w->a, file), TOKEN_FILE_MAX, &token, err));
	token = str_trim(str_first(token, str_find_char(token, '\n')));
	*in = token.n && crypto_equal(token, str_trim(str_from(field, 7)));
	return GH_RC_OK;
}

static gh_rc refuse(struct web *w, struct gh_err *err)
{
	struct str field = w->rq.authorization;
	json_t *v;
	uint32_t wait = field.n ? web_brake(w, "metrics", w->rq.address) : 0;

	if (field.n && !wait)
		web_brake_count(w, "metrics", w->rq.address);
	if (!wait)
		web_header(w, "WWW-Authenticate", STR("Bearer realm=\"metrics\""));
	v = jsn_keep(w->a, json_pack("{s:s}", "message", wait ? "There were too many failed tries."
				     : "The settings metrics.token_file and metrics.allow say who may read this."));
	if (!v)
		FAIL(err, NOMEM, "answer");
	return web_json(w, wait ? 429 : 401, "application/json", v, err);
}

gh_rc admin_metrics(struct web *w, struct gh_err *err)
{
	bool in = false;

	TRY(by_address(w, &in, err));
	if (!in)
		TRY(by_token(w, &in, err));
	if (!in)
		return refuse(w, err);
	TRY(metrics_exposition(&w->rs.body, w->a, w->site->state_dir, err));
	w->rs.status = 200;
	web_header(w, "Content-Type", STR("application/openmetrics-text; version=1.0.0; charset=utf-8"));
	web_header(w, "Cache-Control", STR("no-store"));
	web_compress(w);
	return GH_RC_OK;
}
