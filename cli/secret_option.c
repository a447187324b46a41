#include "cli/secret_option.h"

#include "core/clock.h"
#include "core/config.h"
#include "core/file.h"
#include "core/secret_ref.h"
#include "core/str.h"
#include "db/secrets.h"

#include <curl/curl.h>

GH_RC secret_option_read(struct cli *c, struct secret_option *out, struct gh_err *err)
{
	const char *file = option_text(&c->options, "file"), *ref = option_text(&c->options, "ref");
	bool from_stdin = option_flag(&c->options, "secret-stdin");
	struct secret_ref parsed;

	*out = (struct secret_option){ .ref = str_of(ref), .secret = from_stdin || ref };
	if ((file != NULL) + from_stdin + (ref != NULL) > 1)
		return cli_usage(c, err, "give one of --file FILE, --secret-stdin and --ref REF");
	if (ref)
		return secret_ref_parse(out->ref, &parsed, err);
	if (!file && !from_stdin)
		return GH_RC_OK;
	TRY(file_read(c->arena, from_stdin ? "-" : file, STORE_TEXT_MAX, &out->value, err));
	if (str_ends(out->value, STR("\n")))
		out->value.n--;
	if (str_ends(out->value, STR("\r")))
		out->value.n--;
	return GH_RC_OK;
}

static gh_rc keep(struct cli *c, struct store *s, struct str ref, const struct secret_value *v, const struct gh_err *why,
		  struct gh_err *err)
{
	gh_rc rc;

	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	rc = why ? store_secret_failed(s, ref, str_of(why->message), err)
		 : store_secret_resolved(s, ref, v->value, str_of(v->version), NULL, err);
	return store_tx_end(s, rc, err);
}

GH_RC secret_option_try(struct cli *c, struct store *s, struct str ref, struct gh_err *err)
{
	struct secret_source *source;
	struct gh_err why = { 0 };
	struct secret_value v;
	struct secret_ref parsed;
	struct config config;
	char conf[PATHS_MAX];
	bool failed;

	TRY(secret_ref_parse(ref, &parsed, err));
	if (parsed.provider == SECRET_ENV || parsed.provider == SECRET_CREDENTIAL)
		return GH_RC_OK;
	TRY(paths_join(conf, c->state_dir, "gatehouse.conf", err));
	TRY(config_load(&config, c->arena, conf, err));
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		FAIL(err, INTERNAL, "libcurl cannot be used");
	TRY(secret_source_new(&config, &source, err));
	failed = secret_resolve(source, c->arena, &parsed, &v, &why).code != GH_OK;
	secret_source_free(source);
	if (failed)
		cli_warn(c, "%.*s cannot be read now: %s; the keeper goes on trying", STR_ARG(ref), why.message);
	return keep(c, s, ref, &v, failed ? &why : NULL, err);
}
