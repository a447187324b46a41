#include "portal/portal/portal.h"

#include "core/str.h"
#include "db/policies.h"
#include "policy/document.h"

/* The limits of a product in words, out of its policy document: what stands right in <inbound> and holds for everybody.
 * Limits inside of <choose> depend on the call and are left to the description. */

static struct str period_words(struct web *w, uint64_t s)
{
	static const struct {
		uint64_t seconds;
		struct str words;
	} known[] = { { 1, STR_INIT("a second") }, { 60, STR_INIT("a minute") }, { 3600, STR_INIT("an hour") },
		      { 86400, STR_INIT("a day") }, { 604800, STR_INIT("a week") }, { 0, STR_INIT("in all") } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].seconds == s)
			return web_text(w, known[i].words);
	if (s % 86400 == 0)
		return web_textf(w, "in {1} day || in {1} days", web_count(w, (int64_t)(s / 86400)));
	if (s % 3600 == 0)
		return web_textf(w, "in {1} hour || in {1} hours", web_count(w, (int64_t)(s / 3600)));
	if (s % 60 == 0)
		return web_textf(w, "in {1} minute || in {1} minutes", web_count(w, (int64_t)(s / 60)));
	return web_textf(w, "in {1} second || in {1} seconds", web_count(w, (int64_t)s));
}

static bool number(const struct doc_node *n, const char *name, uint64_t *out)
{
	for (const struct doc_attr *t = n->attrs; t; t = t->next)
		if (str_eq(t->name, str_of(name)))
			return !t->value.expression && str_to_u64(str_trim(t->value.text), INT64_MAX, out);
	return false;
}

static struct str bytes_words(struct arena *a, uint64_t kilobytes)
{
	if (kilobytes % (1024 * 1024) == 0)
		return arena_printf(a, "%llu GB", (unsigned long long)(kilobytes / 1024 / 1024));
	if (kilobytes % 1024 == 0)
		return arena_printf(a, "%llu MB", (unsigned long long)(kilobytes / 1024));
	return arena_printf(a, "%llu KB", (unsigned long long)kilobytes);
}

static void add(struct portal_limits *l, struct str words)
{
	if (words.n && l->n < ARRAY_LEN(l->words))
		l->words[l->n++] = words;
}

static void add_limit(struct web *w, struct portal_limits *list, const struct doc_node *n)
{
	static const struct str names[] = { STR_INIT("rate-limit"), STR_INIT("quota") };
	uint64_t calls, bytes, period;
	bool one = false;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		one = one || str_eq(n->name, names[i]);
	if (!one || !number(n, "renewal-period", &period))
		return;
	if (number(n, "calls", &calls))
		add(list, web_textf(w, "{1} call {2} || {1} calls {2}", web_count(w, (int64_t)calls), LANG_STR(period_words(w, period))));
	if (number(n, "bandwidth", &bytes))
		add(list, arena_printf(w->a, "%.*s %.*s", STR_ARG(bytes_words(w->a, bytes)), STR_ARG(period_words(w, period))));
}

gh_rc portal_limits(struct web *w, struct str product_id, struct portal_limits *out, struct gh_err *err)
{
	struct store_policy_scope scope = { .kind = STORE_POLICY_PRODUCT, .product_id = product_id };
	struct policy_diags diags;
	struct document d;
	struct str bytes;
	bool found;

	out->n = 0;
	TRY(store_policy_find(w->site->store, w->a, &scope, &bytes, &found, err));
	if (!found)
		return GH_RC_OK;
	policy_diags_init(&diags, w->a);
	if (!document_parse(w->a, bytes, NULL, &d, &diags))
		return GH_RC_OK;                 /* the gateway refuses it as well, and says so to its operator */
	for (const struct doc_node *section = d.root->first; section; section = section->next)
		if (str_eq(section->name, STR("inbound")))
			for (const struct doc_node *n = section->first; n; n = n->next)
				add_limit(w, out, n);
	return GH_RC_OK;
}

gh_rc portal_put_limits(struct web *w, struct liquid_record *r, struct str product_id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(r, "limits");
	struct portal_limits limits;

	TRY(portal_limits(w, product_id, &limits, err));
	for (size_t i = 0; i < limits.n; i++)
		liquid_push(list, liquid_of_text(limits.words[i]));
	return GH_RC_OK;
}
