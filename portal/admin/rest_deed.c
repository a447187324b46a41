/* rest_deed.c - what all routes of the management API that are no resource have in common. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"

enum { TEXT_MOST = 1000 };

/* ---- parameters of the address -------------------------------------------------------------------------------------------- */

static bool is_among(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_eq(name, str_of(*names)))
			return true;
	return false;
}

static GH_RC check_known(struct rest *r, const char *const *known, const char *const *more, bool *ok, struct gh_err *err)
{
	const struct web_params *q = &r->w->rq.query;

	*ok = true;
	for (size_t i = 0; i < q->n; i++) {
		if (is_among(q->v[i].name, known) || is_among(q->v[i].name, more))
			continue;
		*ok = false;
		return rest_problem(r, 400, "bad-request", arena_printf(r->w->a, "There is no parameter '%.*s' here.", STR_ARG(str_first(q->v[i].name, 80))),
				    NULL, err);
	}
	return GH_RC_OK;
}

gh_rc rest_known(struct rest *r, const char *const *known, bool *ok, struct gh_err *err)
{
	static const char *const none[] = { NULL };

	return check_known(r, known, none, ok, err);
}

gh_rc rest_window(struct rest *r, const char *const *known, size_t usual, size_t most, struct rest_window *out, bool *ok, struct gh_err *err)
{
	static const char *const own[] = { "cursor", "limit", NULL };
	struct str cursor = web_param(&r->w->rq.query, "cursor"), limit = web_param(&r->w->rq.query, "limit");
	int64_t n = (int64_t)usual;

	*out = (struct rest_window){ .limit = usual };
	TRY(check_known(r, known, own, ok, err));
	if (!*ok)
		return GH_RC_OK;
	*ok = false;
	if (limit.n && !str_to_i64(limit, 1, (int64_t)most, &n))
		return rest_problem(r, 400, "bad-request", arena_printf(r->w->a, "limit is a number from 1 to %zu.", most), NULL, err);
	if (cursor.n && !str_to_i64(cursor, 1, INT64_MAX, &out->before))
		return rest_problem(r, 400, "bad-request", STR("cursor is not one that a list gave."), NULL, err);
	out->limit = (size_t)n;
	*ok = true;
	return GH_RC_OK;
}

gh_rc rest_window_answer(struct rest *r, json_t *items, int64_t next, struct gh_err *err)
{
	json_t *v = jsn_keep(r->w->a, json_pack("{s:O, s:o}", "items", items, "next", next ? json_sprintf("%lld", (long long)next) : json_null()));

	if (!v)
		FAIL(err, NOMEM, "list");
	TRY(web_json(r->w, 200, "application/json", v, err));
	web_compress(r->w);
	return GH_RC_OK;
}

/* ---- bodies ------------------------------------------------------------------------------------------------------------------ */

static bool take_text(const struct rest_member *m, const json_t *v, void *to)
{
	struct str s = jsn_string(v);

	if (!json_is_string(v) || (int64_t)s.n > (m->most ? m->most : TEXT_MOST) || (int64_t)s.n < m->least)
		return false;
	*(struct str *)to = s;
	return true;
}

static bool take_int(const struct rest_member *m, const json_t *v, void *to)
{
	if (!json_is_integer(v) || json_integer_value(v) < m->least || json_integer_value(v) > m->most)
		return false;
	*(int64_t *)to = json_integer_value(v);
	return true;
}

static bool take_texts(const struct rest_member *m, json_t *v, void *to)
{
	const size_t n = json_array_size(v);

	if (!json_is_array(v) || (int64_t)n < m->least || (int64_t)n > (m->most ? m->most : TEXT_MOST))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!jsn_string(json_array_get(v, i)).n)
			return false;
	*(json_t **)to = v;
	return true;
}

static bool take(const struct rest_member *m, json_t *v, void *to)
{
	switch (m->type) {
	case REST_TEXT: return take_text(m, v, to);
	case REST_INT: return take_int(m, v, to);
	case REST_TEXTS: return take_texts(m, v, to);
	case REST_OBJECT:
		*(json_t **)to = v;
		return json_is_object(v);
	case REST_LIST:
		*(json_t **)to = v;
		return json_is_array(v);
	case REST_BOOL: break;
	}
	if (!json_is_boolean(v))
		return false;
	*(bool *)to = json_is_true(v);
	return true;
}

static void tell(struct resource_change *c, const struct rest_member *m)
{
	static const char *const words[] = { [REST_TEXT] = "must be a text", [REST_INT] = "must be a number", [REST_BOOL] = "must be true or false",
					     [REST_TEXTS] = "must be a list of texts", [REST_OBJECT] = "must be an object", [REST_LIST] = "must be a list" };
	char pointer[64];
	long long most = m->most ? (long long)m->most : TEXT_MOST;

	snprintf(pointer, sizeof(pointer), "/%s", m->name);
	if (m->type == REST_INT)
		resource_problem(c, NULL, STR_NULL, str_of(pointer), "%s from %lld to %lld", words[m->type], (long long)m->least, most);
	else if (m->type == REST_BOOL || m->type == REST_OBJECT || m->type == REST_LIST)
		resource_problem(c, NULL, STR_NULL, str_of(pointer), "%s", words[m->type]);
	else
		resource_problem(c, NULL, STR_NULL, str_of(pointer), "%s, %lld to %lld %s", words[m->type], (long long)m->least, most,
				 m->type == REST_TEXT ? "bytes long" : "of them");
}

static void refuse_unknown(struct resource_change *c, const json_t *body, const struct rest_member *members)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)body, name, v) {
		const struct rest_member *m = members;
		struct buf pointer;

		while (m->name && strcmp(m->name, name) != 0)
			m++;
		if (m->name)
			continue;
		buf_init(&pointer, 1024);
		jsn_pointer_add(&pointer, str_first(str_of(name), 200));
		resource_problem(c, NULL, STR_NULL, buf_view(&pointer), "there is no such member here");
		buf_release(&pointer);
	}
}

bool rest_take(struct resource_change *c, const json_t *body, const struct rest_member *members, void *out)
{
	refuse_unknown(c, body, members);
	for (const struct rest_member *m = members; m->name; m++) {
		json_t *v = jsn_get(body, m->name);
		char pointer[64];

		if (v && !json_is_null(v)) {
			if (!take(m, v, (char *)out + m->at))
				tell(c, m);
		} else if (m->needed) {
			snprintf(pointer, sizeof(pointer), "/%s", m->name);
			resource_problem(c, NULL, STR_NULL, str_of(pointer), "is required");
		}
	}
	return !resource_problem_count(c);
}

gh_rc rest_take_body(struct rest *r, const struct rest_member *members, void *out, bool *ok, struct gh_err *err)
{
	struct resource_change *c;
	struct gh_err why = { .message = "" };
	json_t *body;
	gh_rc rc;

	*ok = false;
	TRY(rest_body(r, false, &body, err));
	if (!body)
		return GH_RC_OK;
	rc = resource_begin(r->w->site->store, r->w->a, r->who.actor, &c, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	*ok = rest_take(c, body, members, out);
	rc = *ok ? GH_RC_OK : rest_refused(r, (gh_rc){ GH_E_INVALID }, &why, c, err);
	(void)resource_end(c, GH_RC_OK, true, NULL).code;
	return rc;
}

/* ---- deeds ------------------------------------------------------------------------------------------------------------------ */

static GH_RC body_of(struct rest *r, json_t **out, struct gh_err *err)
{
	if (r->w->rq.body.n)
		return rest_body(r, false, out, err);
	*out = jsn_keep(r->w->a, json_object());
	if (!*out)
		FAIL(err, NOMEM, "body");
	return GH_RC_OK;
}

/* *done: the answer stands and nothing is to be committed. */
static GH_RC do_it(struct rest *r, struct resource_change *c, rest_work *work, int status, const json_t *body, bool *done, struct gh_err *err)
{
	struct gh_err why = { .message = "" };
	json_t *answer = NULL;
	gh_rc rc;

	TRY(rest_again(r, done, err));
	if (*done)
		return GH_RC_OK;
	*done = true;
	r->w->rs.status = 0;                     /* each answer sets it */
	rc = work(r, c, body, &answer, &why);
	answer = jsn_keep(r->w->a, answer ? answer : json_object());
	if (!rc.code && r->w->rs.status)         /* it answered already */
		return GH_RC_OK;
	if (rc.code || resource_problem_count(c))
		return rest_refused(r, rc.code ? rc : (gh_rc){ GH_E_INVALID }, &why, c, err);
	if (!answer)
		FAIL(err, NOMEM, "answer");
	if (r->dry_run)
		web_header(r->w, "Dry-Run", STR("true"));
	TRY(web_json(r->w, status, "application/json", answer, err));
	TRY(rest_remember(r, err));
	*done = false;
	return GH_RC_OK;
}

static GH_RC in_a_change(struct rest *r, int status, rest_work *work, const json_t *body, struct gh_err *err)
{
	struct resource_change *c;
	struct gh_err why;
	bool refused = false;
	gh_rc rc = resource_begin(r->w->site->store, r->w->a, r->who.actor, &c, &why);

	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	rc = do_it(r, c, work, status, body, &refused, err);
	return rest_end(r, c, rc, refused, err);
}

gh_rc rest_deed_as(struct rest *r, int status, rest_work *work, struct gh_err *err)
{
	json_t *body;

	TRY(body_of(r, &body, err));
	return body ? in_a_change(r, status, work, body, err) : GH_RC_OK;
}

gh_rc rest_deed_with(struct rest *r, const json_t *body, rest_work *work, struct gh_err *err)
{
	return in_a_change(r, 200, work, body, err);
}

gh_rc rest_deed(struct rest *r, rest_work *work, struct gh_err *err)
{
	return rest_deed_as(r, 200, work, err);
}

gh_rc rest_look(void *look, struct gh_err *err)
{
	struct rest_look *l = look;

	TRY(rest_again(l->r, &l->again, err));
	if (l->again)
		FAIL(err, CONFLICT, "it was done before");
	if (l->r->dry_run)
		web_header(l->r->w, "Dry-Run", STR("true"));
	buf_clear(&l->r->w->rs.body);
	TRY(l->tell(l->r, l->ctx, err));
	return rest_remember(l->r, err);
}

/* ---- values of answers ------------------------------------------------------------------------------------------------------- */

json_t *rest_text(struct str s)
{
	return s.n ? json_stringn(s.p, s.n) : json_null();
}

json_t *rest_time(int64_t us, unsigned digits)
{
	char iso[CLOCK_ISO_MAX];

	return us ? json_string(clock_iso(us, digits, iso)) : json_null();
}
