#include "portal/portal/docs.h"

#include "core/str.h"
#include "core/uri.h"
#include "core/yaml.h"
#include "db/catalog.h"

/* Descriptions as files: the one that was imported, byte for byte, and the one for callers (openapi_publish). What
 * decides about the API's page decides here. Who has a copy asks again with its tag: an answer may be kept but is used only
 * after we were asked, so what somebody may no longer see is not shown from a cache. */

static const size_t FILE_MAX_BYTES = (size_t)128 << 20;  /* YAML and indented JSON of the largest description that is read */

/* ---- the answer ------------------------------------------------------------------------------------------------------ */

/* The tag covers everything that the bytes depend on; true: the caller has them. */
static bool has_it(struct web *w, struct str bytes, struct str more)
{
	uint8_t both[2][CRYPTO_SHA256_BYTES], digest[CRYPTO_SHA256_BYTES];
	struct str tag;

	crypto_sha256(bytes, both[0]);
	crypto_sha256(more, both[1]);
	crypto_sha256((struct str){ (const char *)both, sizeof(both) }, digest);
	tag = arena_printf(w->a, "W/\"%.*s\"", 32, crypto_hex(w->a, (struct str){ (const char *)digest, 16 }).p);
	web_header(w, "ETag", tag);
	web_header(w, "Cache-Control", w->signed_in ? STR("private, no-cache") : STR("no-cache"));
	web_header(w, "Vary", STR("Cookie"));
	if (!str_eq(w->rq.if_none_match, tag))
		return false;
	w->rs.status = 304;
	return true;
}

static void put_name(struct web *w, const struct store_api *api, const char *part, const char *ending)
{
	struct buf b;

	buf_init(&b, 300);
	buf_cstr(&b, "attachment; filename=\"");
	for (size_t i = 0; i < api->id.n; i++)
		if (ascii_is_alpha(api->id.p[i]) || ascii_is_digit(api->id.p[i]) || strchr("-_.", api->id.p[i]))
			buf_char(&b, api->id.p[i]);
	buf_fmt(&b, "%s.%s\"", part, ending);
	web_header(w, "Content-Disposition", buf_ok(&b) ? arena_dup(w->a, buf_view(&b)) : STR("attachment"));
	buf_release(&b);
}

static bool looks_like_json(struct str bytes)
{
	bytes = str_trim(bytes);
	return bytes.n && (bytes.p[0] == '{' || bytes.p[0] == '[');
}

static GH_RC find_document(struct web *w, const struct store_api *api, struct store_api_document *doc, struct gh_err *err)
{
	bool found;

	TRY(store_api_document_find(w->site->store, w->a, api->id, 0, doc, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no description");
	return GH_RC_OK;
}

gh_rc portal_openapi_original(struct web *w, struct gh_err *err)
{
	struct store_api_document doc;
	struct store_api api;
	bool json;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	if (!config_bool(&w->site->config, CONFIG_PORTAL_ORIGINALS))
		FAIL(err, NOT_FOUND, "originals are not given out");
	TRY(find_document(w, &api, &doc, err));
	json = looks_like_json(doc.bytes);
	put_name(w, &api, "-original", json ? "json" : "yaml");
	web_header(w, "Content-Type", json ? STR("application/json") : STR("application/yaml"));
	if (has_it(w, doc.bytes, STR("original")))
		return GH_RC_OK;
	w->rs.body.max = FILE_MAX_BYTES;
	buf_str(&w->rs.body, doc.bytes);
	web_compress(w);
	return GH_RC_OK;
}

/* The description for callers, written by `yaml` or as JSON. */
static GH_RC write_published(struct web *w, const struct openapi *o, const struct openapi_face *face, bool yaml, struct gh_err *err)
{
	json_t *v = openapi_publish(o, face);
	gh_rc rc = GH_RC_OK;

	if (!v)
		FAIL(err, NOMEM, "description");
	w->rs.body.max = FILE_MAX_BYTES;
	if (yaml)
		rc = yaml_write(&w->rs.body, v, err);
	else
		jsn_write(&w->rs.body, v, JSN_INDENT);
	json_decref(v);
	if (!rc.code && !buf_ok(&w->rs.body))
		FAIL(err, LIMIT, "description");
	if (!rc.code)
		web_compress(w);
	return rc;
}

static GH_RC published(struct web *w, bool yaml, struct gh_err *err)
{
	struct store_api_document doc;
	struct store_api api;
	const struct openapi *o;
	struct openapi_face face;
	bool open;

	TRY(portal_find_api(w, w->rq.args[0], &api, err));
	TRY(find_document(w, &api, &doc, err));
	TRY(portal_base_address(w, &api, &face.address, err));
	face.key_header = api.subscription_required ? portal_key_header(&api) : STR_NULL;
	TRY(portal_is_public(w, &api, &open, err));
	if (open)                                        /* tools that run in a browser may read what everybody may */
		web_header(w, "Access-Control-Allow-Origin", STR("*"));
	web_header(w, "Content-Type", yaml ? STR("application/yaml") : STR("application/json"));
	if (has_it(w, store_api_description(&doc), arena_printf(w->a, "%d %.*s %.*s", yaml, STR_ARG(face.key_header), STR_ARG(face.address))))
		return GH_RC_OK;
	TRY(portal_description(w, &api, &o, err));
	if (!o)
		FAIL(err, NOT_FOUND, "a description that cannot be read");
	return write_published(w, o, &face, yaml, err);
}

gh_rc portal_openapi_json(struct web *w, struct gh_err *err)
{
	return published(w, false, err);
}

gh_rc portal_openapi_yaml(struct web *w, struct gh_err *err)
{
	return published(w, true, err);
}

/* ---- on the page ----------------------------------------------------------------------------------------------------- */

gh_rc portal_is_public(struct web *w, const struct store_api *api, bool *yes, struct gh_err *err)
{
	struct store_api same;

	return store_catalog_api(w->site->store, w->a, STR_NULL, api->id, &same, yes, err);
}

gh_rc portal_put_downloads(struct web *w, const struct store_api *api, struct gh_err *err)
{
	struct str host = w->rq.host, address;
	struct liquid_record *r;
	int64_t bytes;
	bool open;

	liquid_set(w->page, "downloads", LIQUID_NIL_VALUE);
	TRY(store_api_document_size(w->site->store, api->id, api->revision, &bytes, err));
	if (!bytes)
		return GH_RC_OK;
	TRY(portal_is_public(w, api, &open, err));
	address = arena_printf(w->a, "%s%.*s%.*sapis/%.*s/openapi.json", !host.n ? "" : w->rq.tls ? "https://" : "http://", STR_ARG(host),
			       STR_ARG(w->site->base), STR_ARG(uri_encode(w->a, api->id, URI_KEEP_UNRESERVED)));
	r = liquid_set_record(w->page, "downloads");
	liquid_set_text(r, "address", address);
	liquid_set_bool(r, "published", bytes <= PORTAL_DESCRIPTION_MAX);
	liquid_set_bool(r, "original", config_bool(&w->site->config, CONFIG_PORTAL_ORIGINALS));
	liquid_set_bool(r, "open", open);
	return GH_RC_OK;
}
