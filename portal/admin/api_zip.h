/* api_zip.h - taking over an archive of an API, or what another gateway has (an export of API Gateway, a file of decK, a ZIP
 * with the folder of APIOps' extractor), on the page and by a call. The fields are those of the form: environment, id, path,
 * state, and one for each secret that is missing here. */
#pragma once

#include "config/files/plan.h"
#include "config/import/bundle.h"
#include "portal/web/web.h"

#define API_ZIP_SECRET "secret:"         /* before "named-value/erp-password/secret": the field of a secret */

struct api_zip {
	struct web *w;
	struct str zip, environment;     /* the bytes, or another gateway's text; environment empty: that of the archive */
	struct files_set *set;
	struct plan plan;
	json_t *secrets;
	struct str state;                /* of the configuration that the plan was shown for; empty: any will do */
	bool random;                     /* a secret that is missing becomes a random text */
	struct str api;                  /* the first of the archive */
	bool foreign;                    /* of another gateway: the set is made of the bundle */
	struct bundle bundle;
	struct import_report report;
	bool blind_to_alerts;            /* as in struct plan_options; pages show no warnings of a plan */
	gh_rc (*look)(void *ctx, struct gh_err *err);    /* as in struct plan_options */
	void *look_ctx;
};

/* INVALID, LIMIT, CONFLICT: it cannot be read; err is a sentence. */
GH_RC api_zip_read(struct web *w, struct api_zip *x, struct str zip, struct gh_err *err);
/* The plan, or with dry_run false the change. *out: what it came to; INVALID: problems may stand in the set. Failures of ours, and DENIED,
 * are returned. */
GH_RC api_zip_walk(struct api_zip *x, bool dry_run, gh_rc *out, struct gh_err *why, struct gh_err *err);

/* The files of an API with what it needs, and the set of them for whoever asks about rights; then as the answer. */
GH_RC api_zip_tree(struct web *w, struct str api, struct tree *t, struct files_set **set, struct gh_err *err);
GH_RC api_zip_give(struct web *w, struct str api, const struct tree *t, struct gh_err *err);
