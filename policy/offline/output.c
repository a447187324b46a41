/* output.c - what came of a run, as JSON. Secrets of the documents are masked in the trace. */
#include "policy/offline/internal.h"

#include "core/str.h"
#include "policy/context.h"
#include "policy/expr/class.h"

static json_t *text(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.n);
	char *p, *to;

	if (j)
		return j;
	/* bytes that are no UTF-8 become U+FFFD */
	to = p = malloc(s.n * 3 + 1);
	if (!p)
		return json_string("");
	while (s.n) {
		unsigned n = utf8_decode(s, NULL);

		memcpy(to, n ? s.p : "\xEF\xBF\xBD", n ? n : 3);
		to += n ? n : 3;
		s = str_from(s, n ? n : 1);
	}
	j = json_stringn(p, (size_t)(to - p));
	free(p);
	return j ? j : json_string("");
}

static void set(json_t *obj, struct str name, json_t *value)
{
	char key[1024];
	size_t n = name.n < sizeof(key) ? name.n : sizeof(key) - 1;

	memcpy(key, name.p ? name.p : "", n);
	key[n] = '\0';
	json_object_set_new(obj, key, value);
}

/* One value a name; several as an array. The first spelling of the name counts. */
json_t *offline_headers_json(const struct fields *f)
{
	json_t *out = json_object();

	for (size_t i = 0; f && i < f->n; i++) {
		bool seen = false;
		json_t *all;

		for (size_t k = 0; k < i; k++)
			seen |= str_eq_ci(f->v[k].name, f->v[i].name);
		if (seen)
			continue;
		if (fields_count(f, f->v[i].name) == 1) {
			set(out, f->v[i].name, text(f->v[i].value));
			continue;
		}
		all = json_array();
		for (size_t k = i; k < f->n; k++)
			if (str_eq_ci(f->v[k].name, f->v[i].name))
				json_array_append_new(all, text(f->v[k].value));
		set(out, f->v[i].name, all);
	}
	return out;
}

static json_t *body_json(const struct body *b)
{
	return b->kind == BODY_HELD ? text(b->bytes) : json_string("");
}

json_t *offline_request_json(struct arena *a, const struct request *r)
{
	json_t *out = json_object();

	json_object_set_new(out, "method", text(r->method));
	json_object_set_new(out, "url", text(url_text(a, &r->url)));
	json_object_set_new(out, "headers", offline_headers_json(&r->headers));
	json_object_set_new(out, "body", body_json(&r->body));
	return out;
}

static json_t *response_json(const struct response *r)
{
	json_t *out = json_object();

	json_object_set_new(out, "status", json_integer(r->status));
	json_object_set_new(out, "reason", text(r->reason));
	json_object_set_new(out, "headers", offline_headers_json(&r->headers));
	json_object_set_new(out, "body", body_json(&r->body));
	return out;
}

/* Newtonsoft's types print themselves as JSON; everything else as its text. */
static json_t *object_json(struct exchange *x, struct value v)
{
	const struct response *r = context_response_of(x, v);
	const struct value_class *cls = value_class_of(v);
	json_t *parsed = NULL;
	struct str s;

	if (r)
		return response_json(r);
	s = value_to_text(x->arena, v);
	if (cls && str_starts(str_of(cls->name), STR("Newtonsoft.")))
		if (jsn_parse(s, &(struct jsn_limits){ .flags = JSN_ANY }, &parsed, NULL, NULL).code)
			parsed = NULL;
	return parsed ? parsed : text(s);
}

static json_t *value_json(struct exchange *x, struct value v)
{
	switch (v.kind) {
	case VALUE_NULL:
		return json_null();
	case VALUE_BOOL:
		return json_boolean(v.b);
	case VALUE_SBYTE:
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG:
		return json_integer(v.i);
	case VALUE_BYTE:
	case VALUE_USHORT:
	case VALUE_UINT:
		return json_integer((json_int_t)v.u);
	case VALUE_FLOAT:
	case VALUE_DOUBLE: {
		json_t *real = json_real(v.d);

		return real ? real : text(value_to_text(x->arena, v));
	}
	case VALUE_STRING:
		return text(value_str(v));
	case VALUE_OBJECT:
		return object_json(x, v);
	default:
		return text(value_to_text(x->arena, v));
	}
}

static json_t *error_json(const struct last_error *e)
{
	json_t *out;
	const struct {
		const char *name;
		struct str value;
	} rows[] = {
		{ "source", e->source }, { "reason", e->reason }, { "message", e->message }, { "scope", e->scope },
		{ "section", e->section }, { "path", e->path }, { "policyId", e->policy_id },
	};

	if (!e->set)
		return json_null();
	out = json_object();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		json_object_set_new(out, rows[i].name, str_is_null(rows[i].value) ? json_null() : text(rows[i].value));
	return out;
}

static json_t *trace_json(struct exchange *x)
{
	json_t *out = json_array();

	for (const struct trace_step *t = x->trace_first; t; t = t->next) {
		json_t *one = json_object();

		json_object_set_new(one, "section", text(section_name(t->section)));
		json_object_set_new(one, "scope", text(scope_name(t->scope)));
		json_object_set_new(one, "policy", text(t->policy));
		json_object_set_new(one, "line", json_integer(t->line));
		json_object_set_new(one, "decision", text(exchange_mask(x, t->decision)));
		json_object_set_new(one, "us", json_integer(t->duration_us));
		json_array_append_new(out, one);
	}
	return out;
}

json_t *offline_result(struct offline *o, struct exchange *x)
{
	json_t *out = json_object(), *variables = json_object();

	for (size_t i = 0; i < x->n_variables; i++)
		set(variables, x->variables[i].name, value_json(x, x->variables[i].value));
	json_object_set_new(out, "response", response_json(&x->response));
	json_object_set_new(out, "backendRequest", o->backend_request ? o->backend_request : json_null());
	o->backend_request = NULL;
	json_object_set(out, "calls", o->sent);
	json_object_set_new(out, "variables", variables);
	json_object_set_new(out, "lastError", error_json(&x->error));
	json_object_set_new(out, "trace", trace_json(x));
	if (json_array_size(o->logs))
		json_object_set(out, "logs", o->logs);
	if (json_array_size(o->metrics))
		json_object_set(out, "metrics", o->metrics);
	return out;
}
