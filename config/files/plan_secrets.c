/* plan_secrets.c - secrets that the files only say to be kept: {sealed: true}. Where the store has one it stays; else it is
 * taken from what was given apart, or a random text takes its place, or the plan ends with a problem that tells how to give
 * it. */
#include "config/files/plan_walk.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/alerts.h"

enum { PLACEHOLDER_BYTES = 32 };

struct search {
	struct walk *w;
	const struct files_doc *doc;
	struct buf pointer;
	json_t *there;                   /* the resource as it stands; NULL: it is new */
	bool ok;
};

static GH_RC note_missing(struct search *f, bool placeholder, struct gh_err *err)
{
	struct plan *p = f->w->plan;

	if (p->n_missing == p->cap_missing) {
		size_t cap = p->cap_missing ? 2 * p->cap_missing : 16;
		struct plan_missing *v = arena_alloc(p->arena, cap, sizeof(*v));

		if (!v)
			FAIL(err, NOMEM, "plan");
		if (p->n_missing)
			memcpy(v, p->missing, p->n_missing * sizeof(*v));
		p->missing = v;
		p->cap_missing = cap;
	}
	p->missing[p->n_missing++] = (struct plan_missing){ f->doc, arena_dup(p->arena, buf_view(&f->pointer)), placeholder };
	return GH_RC_OK;
}

/* Private keys must fit their certificate; a random text does not. */
static bool may_be_random(const struct resource_kind *k)
{
	return strcmp(k->name, "certificate") != 0;
}

/* Some have a form of their own, which a random text is not. */
static GH_RC placeholder(struct search *f, const char *name, struct str *out, struct gh_err *err)
{
	uint8_t bytes[PLACEHOLDER_BYTES];

	if (strcmp(f->doc->kind->name, "alert-webhook") == 0)
		return store_alert_secret_new(f->w->arena, out, err);
	if (strcmp(name, "credentials") == 0 || strcmp(name, "secretHeaders") == 0) {    /* fields and their values, of a backend or logger */
		*out = STR("{}");
		return GH_RC_OK;
	}
	TRY(crypto_random(bytes, sizeof(bytes), err));
	*out = crypto_base64url(f->w->arena, (struct str){ (const char *)bytes, sizeof(bytes) });
	if (!out->p)
		FAIL(err, NOMEM, "secret");
	return GH_RC_OK;
}

static GH_RC fill(struct search *f, json_t *holder, const char *name, struct gh_err *err)
{
	struct arena *a = f->w->arena;
	struct str key = arena_printf(a, "%s/%.*s%.*s", f->doc->kind->name, STR_ARG(f->doc->id), STR_ARG(buf_view(&f->pointer)));
	json_t *given = key.p ? jsn_get_n(f->w->options->secrets, key) : NULL;
	struct str text;

	if (given) {
		json_object_set(holder, name, given);
		return GH_RC_OK;
	}
	TRY(note_missing(f, f->w->options->placeholders && may_be_random(f->doc->kind), err));
	if (!f->w->options->placeholders || !may_be_random(f->doc->kind)) {
		files_set_problem(f->w->set, f->doc, buf_view(&f->pointer), "the secret of %s %.*s is kept where the files come from; "
				  "give it in a file with --secrets (\"%.*s: text\"), or as {ref: ...}", f->doc->kind->name,
				  STR_ARG(f->doc->id), STR_ARG(key));
		f->ok = may_be_random(f->doc->kind);     /* goes on with one, so that what names it is checked too; never committed */
		if (!f->ok)
			return GH_RC_OK;
	}
	TRY(placeholder(f, name, &text, err));
	json_object_set_new(holder, name, json_stringn(text.p, text.n));
	return GH_RC_OK;
}

static GH_RC search(struct search *f, const struct resource_field *fields, json_t *doc, const json_t *there, struct gh_err *err)
{
	for (const struct resource_field *field = fields; field && field->name; field++) {
		json_t *v = jsn_get(doc, field->name), *item;
		const json_t *was = jsn_get(there, field->name);
		size_t before = f->pointer.n, i;

		jsn_pointer_add(&f->pointer, str_of(field->name));
		if (field->type == RESOURCE_SECRET && jsn_bool(v, "sealed", false) && !jsn_bool(was, "sealed", false))
			TRY(fill(f, doc, field->name, err));
		else if (field->fields && json_is_object(v))
			TRY(search(f, field->fields, v, was, err));
		else if (field->fields)
			json_array_foreach(v, i, item) {
				size_t at = f->pointer.n;

				buf_fmt(&f->pointer, "/%zu", i);
				TRY(search(f, field->fields, item, json_array_get(was, i), err));
				f->pointer.n = at;
			}
		f->pointer.n = before;
	}
	return GH_RC_OK;
}

static bool has_secrets(const struct resource_field *fields)
{
	for (const struct resource_field *f = fields; f && f->name; f++)
		if (f->type == RESOURCE_SECRET || has_secrets(f->fields))
			return true;
	return false;
}

GH_RC plan_secrets(struct walk *w, const struct files_doc *d, json_t **out, struct gh_err *err)
{
	struct search f = { .w = w, .doc = d, .ok = true };
	gh_rc rc;

	*out = d->doc;
	if (!has_secrets(d->kind->fields))
		return GH_RC_OK;
	TRY(resource_read(w->store, w->arena, d->kind, d->id, &f.there, err));
	*out = jsn_keep(w->arena, json_deep_copy(d->doc));       /* what is given apart never gets into the set */
	if (!*out)
		FAIL(err, NOMEM, "document");
	buf_init(&f.pointer, 4096);
	rc = search(&f, d->kind->fields, *out, f.there, err);
	buf_release(&f.pointer);
	if (!f.ok)
		*out = NULL;
	return rc;
}
