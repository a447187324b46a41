/* docs.h - the documentation of an API: its description as read, and what is made of it. */
#pragma once

#include "core/openapi.h"
#include "portal/portal/portal.h"

/* The description of the API's current revision, read; NULL when there is none, or none that can be read for a page. The one
 * that was read last stays until anything in the configuration changes: who looks at one page of an API often looks at the
 * next, and reading a large description takes a good part of a second. Valid until the next call with another API. */
GH_RC portal_description(struct web *w, const struct store_api *api, const struct openapi **out, struct gh_err *err);
/* Descriptions up to this size are read for pages; larger ones can only be downloaded. */
enum { PORTAL_DESCRIPTION_MAX = 16 << 20 };

/* ---- downloads.c -------------------------------------------------------------------------------------------------------- */

/* `downloads` in w->page for templates/portal/downloads.html: nil when the API has no description. */
GH_RC portal_put_downloads(struct web *w, const struct store_api *api, struct gh_err *err);
/* Whether a visitor who has not signed in may see an API that the caller may see. */
GH_RC portal_is_public(struct web *w, const struct store_api *api, bool *yes, struct gh_err *err);

web_handler portal_openapi_json, portal_openapi_yaml, portal_openapi_original;

/* ---- way_in.c: what a call must bring along -------------------------------------------------------------------------------- */

struct portal_way_in {
	bool key;                        /* a subscription key */
	bool client;                     /* id and secret of a client */
	bool bearer, basic;              /* in Authorization */
	struct str issuer;               /* of the tokens; STR_NULL: not told */
	const struct str *scopes;        /* that a token should have */
	size_t n_scopes;
	const struct openapi_scheme *scheme;     /* how the description says that tokens are had; NULL: it does not */
	const struct openapi_scheme *api_key;    /* one of the backend's own; NULL: none */
};
/* The first of the ways that the API's access rule names; without a rule the key, and what the description asks for. */
GH_RC portal_way_in(struct web *w, const struct store_api *api, const struct openapi *o, const struct openapi_operation *op,
		    struct portal_way_in *out, struct gh_err *err);

/* ---- samples.c --------------------------------------------------------------------------------------------------------------- */

/* `samples` in w->page: the operation as code in each language of samples.h, `here` marks the one chosen before; and
 * `sample_file`, the name of the file that the body is read from, or nil. o and op may be NULL. */
GH_RC portal_put_samples(struct web *w, const struct store_api *api, const struct openapi *o, const struct openapi_operation *op,
			 const struct store_operation *stored, const struct portal_way_in *way, struct gh_err *err);
/* JSON when it is among them. NULL: none. */
const struct openapi_media *portal_choose_media(const struct openapi_body *body);
/* An example in its media type, JSON in lines; STR_NULL when we cannot write that. */
struct str portal_media_text(struct web *w, struct str type, json_t *v);
/* What a parameter may be given: its example, else a value made of its schema when that tells anything; NULL: neither. */
json_t *portal_parameter_value(struct web *w, const struct openapi *o, const struct openapi_parameter *p);

/* ---- schema_view.c -------------------------------------------------------------------------------------------------------------- */

/* Fields of schemas that one page shows at most: with them the pages of the largest descriptions stay below 100 KB. */
enum { PORTAL_FIELDS_MAX = 160 };
/* A type in a few words: "integer, int64", "list of Order". "" when there is none. */
struct str portal_schema_words(struct web *w, const struct openapi *o, json_t *schema);
/* `choices` of the record: the values of an enum, the first ones. */
void portal_put_choices(struct web *w, const struct openapi *o, json_t *schema, struct liquid_record *to);
/* `fields`, `alternatives` and `again` of the record, for templates/portal/schema.html. `left`: fields that the page may still
 * show, counted down. Nothing when o or schema is NULL. */
GH_RC portal_put_schema(struct web *w, const struct openapi *o, json_t *schema, size_t *left, struct liquid_record *to,
			struct gh_err *err);

/* ---- console.c, viewer.c ------------------------------------------------------------------------------------------------------ */

/* The caller's subscriptions that open the API, as records with id and name; their keys never stand in a page. None with
 * portal.show_keys = once. */
GH_RC portal_put_own_keys(struct web *w, const struct store_api *api, struct liquid_list *to, struct gh_err *err);

/* `console` in w->page, for templates/portal/console.html; *policy is the policy on content that its page needs, or STR_NULL. */
GH_RC portal_put_console(struct web *w, const struct store_api *api, const struct openapi *o, const struct openapi_operation *op,
			 const struct store_operation *stored, const struct portal_way_in *way, struct str *policy, struct gh_err *err);
/* What a field for the parameter is like: is_list, repeats, is_boolean, is_number, value. */
void portal_put_field(struct web *w, const struct openapi *o, const struct openapi_parameter *p, struct liquid_record *row);

web_handler portal_document, portal_console_back;

/* ---- guides.c: pages that people wrote ------------------------------------------------------------------------------------------ */

/* `menu_pages` in w->page, for the layout: those of the whole portal that stand in its menu. */
void portal_put_menu(struct web *w);
/* `guides` in w->page: the pages of an API (STR_NULL: of the portal) that the caller may read; `here` is the one shown. */
GH_RC portal_put_guides(struct web *w, struct str api_id, struct str here, struct gh_err *err);

web_handler portal_page, portal_api_page;
