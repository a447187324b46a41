#include "policy/elements/validation.h"

#include "core/str.h"
#include "policy/net/make.h"

enum { FINDINGS_MAX = 100 };

const struct str validation_generic =
	STR_INIT("The request could not be processed due to an internal error. Contact the API owner.");

bool validation_begin(struct exchange *x, struct validation *v)
{
	*v = (struct validation){ .x = x, .list = jsn_keep(x->arena, json_array()) };
	if (v->list)
		return true;
	exchange_no_memory(x);
	return false;
}

static void put(json_t *o, const char *key, struct str s)
{
	json_object_set_new(o, key, json_stringn(s.p ? s.p : "", s.n));
}

void validation_add(struct validation *v, enum validation_action action, struct str name, struct str type,
		    struct str rule, struct str details, struct str public_text)
{
	json_t *one;

	if (action == VALIDATION_IGNORE)
		return;
	exchange_trace(v->x, "%s %.*s: %.*s", action == VALIDATION_PREVENT ? "prevented" : "detected", STR_ARG(rule),
		       STR_ARG(details));
	if (action == VALIDATION_PREVENT && str_is_null(v->first))
		v->first = str_is_null(public_text) ? details : public_text;
	if (json_array_size(v->list) >= FINDINGS_MAX)
		return;
	one = json_object();
	put(one, "Name", name);
	put(one, "Type", type);
	put(one, "ValidationRule", rule);
	put(one, "Details", details);
	put(one, "Action", action == VALIDATION_PREVENT ? STR("Prevent") : STR("Detect"));
	json_array_append_new(v->list, one);
}

enum step validation_end(struct validation *v, const struct arg *variable)
{
	bool response = works_on_response(v->x);
	struct value list;
	struct gh_err err;

	if (variable->given && json_array_size(v->list)) {
		if (json_value(v->x->arena, jsn_text(v->x->arena, v->list, 0), &list, &err).code
		    || !exchange_set_variable(v->x, variable->text, list))
			return exchange_no_memory(v->x);
	}
	if (str_is_null(v->first))
		return STEP_NEXT;
	if (response)
		return exchange_refuse(v->x, 502, STR("Response not allowed"), v->first, validation_generic);
	return exchange_refuse(v->x, 400, STR("Bad request"), v->first, v->first);
}
