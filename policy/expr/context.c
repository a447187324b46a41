/* context.c - `context` itself, request, response, headers and variables. Objects are thin wrappers made when they are
 * asked for: a member reads the exchange as it is at that moment. */
#include "policy/expr/context.h"

#include "core/buf.h"
#include "core/str.h"
#include "core/uri.h"
#include "policy/expr/collection.h"
#include "policy/expr/library.h"
#include "policy/expr/text.h"
#include "policy/net/make.h"

enum { FORM_MAX = 16 * 1024 * 1024 };        /* bytes of a form written by ToFormUrlEncodedContent */

bool context_give(struct vm_call *c, const struct value_class *cls, const void *p)
{
	struct wrapper *w;

	if (!p)
		return vm_return(c, VALUE_NULL_INIT);
	w = vm_new(c, cls, sizeof(*w));
	if (!w)
		return false;
	w->p = p;
	return vm_return(c, value_object(w));
}

bool context_give_part(struct vm_call *c, enum context_part part, const struct value_class *cls, const void *p)
{
	struct wrapper *w;

	if (!p || !c->x)
		return context_give(c, cls, p);
	if (!c->x->context && !(c->x->context = vm_memory(c->vm, 1, sizeof(*c->x->context))))
		return false;
	w = &c->x->context->v[part];
	if (!w->p)
		*w = (struct wrapper){ .head.cls = cls, .p = p };
	return w->p == p ? vm_return(c, value_object(w)) : context_give(c, cls, p);
}

bool context_text(struct vm_call *c, struct str s)
{
	return vm_return_str(c, s.p ? s : STR(""));
}

static bool made(struct vm_call *c, struct value v)
{
	return v.kind != VALUE_NULL ? vm_return(c, v) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

struct value context_object(struct vm *vm)
{
	if (!vm->x) {
		vm_raise(vm, EX_NULL_REFERENCE);
		return VALUE_NULL_INIT;
	}
	return context_give_part(&vm->scratch, PART_CONTEXT, &class_context, vm->x) ? vm->scratch.result : VALUE_NULL_INIT;
}

/* ---- context -------------------------------------------------------------------------------------------------------------- */

#define PART(name, cls, expression)                                    \
	static bool get_##name(struct vm_call *c)                      \
	{                                                              \
		return context_give(c, &cls, expression);              \
	}
#define KEPT_PART(name, part, cls, expression)                         \
	static bool get_##name(struct vm_call *c)                      \
	{                                                              \
		return context_give_part(c, part, &cls, expression);   \
	}
PART(api, class_api, c->x->api)
PART(operation, class_operation, c->x->operation)
PART(product, class_product, c->x->product)
KEPT_PART(subscription, PART_SUBSCRIPTION, class_subscription, c->x->subscription)
PART(user, class_user, c->x->user)
PART(deployment, class_deployment, c->x->deployment)
PART(workspace, class_workspace, c->x->workspace)
KEPT_PART(request, PART_REQUEST, class_request, &c->x->request)
/* null until there is one */
KEPT_PART(response, PART_RESPONSE, class_response, c->x->response.status ? &c->x->response : NULL)
PART(last_error, class_last_error, c->x->error.set ? &c->x->error : NULL)
KEPT_PART(variables, PART_VARIABLES, class_variables, c->x)
PART(backend, class_backend, c->x->backend_id.p ? c->x : NULL)
PART(graphql, class_graphql, c->x)

static bool get_application_id(struct vm_call *c)
{
	return context_text(c, c->x->application_id);
}

static bool get_request_id(struct vm_call *c)
{
	uint8_t bytes[16] = { 0 };

	guid_parse(c->x->request_id, bytes);
	return made(c, guid_value(c->arena, bytes));
}

static bool get_timestamp(struct vm_call *c)
{
	return made(c, date_time_of_us(c->arena, c->x->started_us));
}

static bool get_elapsed(struct vm_call *c)
{
	int64_t now = c->x->host && c->x->host->now_us ? c->x->host->now_us(c->x) : c->x->started_us;

	return made(c, time_span_value(c->arena, (now - c->x->started_us) * TICKS_PER_US));
}

static bool get_tracing(struct vm_call *c)
{
	return vm_return(c, value_bool(c->x->trace_on));
}

static bool trace(struct vm_call *c)
{
	struct str text = value_str(c->args[0]);

	exchange_trace(c->x, "%.*s", STR_ARG(text));
	return true;
}

static const struct class_member context_members[] = {
	{ "IApi Api { get; }", get_api },
	{ "string ApplicationId { get; }", get_application_id },
	{ "IBackend Backend { get; }", get_backend },
	{ "IDeployment Deployment { get; }", get_deployment },
	{ "TimeSpan Elapsed { get; }", get_elapsed },
	{ "IGraphQL GraphQL { get; }", get_graphql },
	{ "ILastError LastError { get; }", get_last_error },
	{ "IOperation Operation { get; }", get_operation },
	{ "IProduct Product { get; }", get_product },
	{ "IRequest Request { get; }", get_request },
	{ "Guid RequestId { get; }", get_request_id },
	{ "IResponse Response { get; }", get_response },
	{ "ISubscription Subscription { get; }", get_subscription },
	{ "DateTime Timestamp { get; }", get_timestamp },
	{ "bool Tracing { get; }", get_tracing },
	{ "IUser User { get; }", get_user },
	{ "ContextVariables Variables { get; }", get_variables },
	{ "IWorkspace Workspace { get; }", get_workspace },
	{ "void Trace(string message)", trace },
	{ 0 }
};
struct value_class class_context = { .name = "IProxyRequestContext", .members = context_members };

/* ---- headers -------------------------------------------------------------------------------------------------------------- */

static const struct fields *fields_of(struct vm_call *c)
{
	return context_self(c);
}

static struct array *values_of(struct vm_call *c, const struct fields *f, struct str name)
{
	struct array *a = vm_array_of(c, &type_string, fields_count(f, name));
	size_t n = 0;

	for (size_t i = 0; a && i < f->n && n < a->n; i++)
		if (str_eq_ci(f->v[i].name, name) && !vm_text(c->vm, f->v[i].value, &a->v[n++]))
			return NULL;
	return a;
}

static bool header_item(struct vm_call *c)
{
	struct str name = value_str(c->args[0]);
	struct array *a;

	if (!name.p)
		return vm_throw_null(c, "key");
	if (!fields_count(fields_of(c), name))
		return key_not_found(c, c->args[0]);
	a = values_of(c, fields_of(c), name);
	return a && vm_return(c, value_object(a));
}

static bool header_contains(struct vm_call *c)
{
	struct str name = value_str(c->args[0]);

	return name.p ? vm_return(c, value_bool(fields_count(fields_of(c), name) > 0)) : vm_throw_null(c, "key");
}

static bool header_try(struct vm_call *c)
{
	struct str name = value_str(c->args[0]);
	bool there = name.p && fields_count(fields_of(c), name) > 0;
	struct array *a = there ? values_of(c, fields_of(c), name) : NULL;

	c->args[1] = value_object(a);
	return (a || !there) && vm_return(c, value_bool(there));
}

/* All values of one name joined by commas; most have one, which is given as it is. */
static bool header_default(struct vm_call *c)
{
	const struct fields *f = fields_of(c);
	struct str name = value_str(c->args[0]), out = STR_NULL;
	size_t n = 0;

	if (!name.p)
		return vm_throw_null(c, "key");
	for (size_t i = 0; i < f->n; i++) {
		if (!str_eq_ci(f->v[i].name, name))
			continue;
		out = n++ ? arena_join(c->arena, (struct str[]){ out, STR(","), f->v[i].value }, 3) : f->v[i].value;
	}
	return n ? context_text(c, out) : vm_return(c, c->args[1]);
}

/* Each name once, in the order of the first field of that name. */
static bool is_first(const struct fields *f, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq_ci(f->v[i].name, f->v[at].name))
			return false;
	return true;
}

static bool header_count(struct vm_call *c)
{
	const struct fields *f = fields_of(c);
	int64_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += is_first(f, i);
	return vm_charge(c->vm, f->n) && vm_return(c, value_int(n));
}

static bool next_header(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct fields *f = ((const struct wrapper *)(const void *)it->source.object)->p;
	struct vm_call *c = vm_scratch(vm);
	struct array *a;
	struct value name;

	while (it->at < f->n && !is_first(f, it->at))
		it->at++;
	if (it->at >= f->n)
		return false;
	a = values_of(c, f, f->v[it->at].name);
	if (!a || !vm_text(vm, f->v[it->at++].name, &name))
		return false;
	*item = vm_pair(c, &type_string, a->g.type, name, value_object(a));
	return !vm->failed;
}

static struct iterator *iterate_headers(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next_header, v, NULL);
}

static bool header_lists(struct vm_call *c, bool values)
{
	struct iterator *it = iterate_headers(c->vm, c->self);
	struct value item, key, v, list = vm_list_new(c, type_item(c->arena, c->type));

	while (it && list.kind != VALUE_NULL && vm_next(c->vm, it, &item))
		if (!value_pair(item, &key, &v) || !vm_list_add(c, list, values ? v : key))
			return false;
	return it && !c->vm->failed && vm_return(c, list);
}

static bool header_keys(struct vm_call *c)
{
	return header_lists(c, false);
}

static bool header_values(struct vm_call *c)
{
	return header_lists(c, true);
}

static const struct class_member header_members[] = {
	{ "string[] this[string key] { get; }", header_item },
	{ "bool ContainsKey(string key)", header_contains },
	{ "bool TryGetValue(string key, out string[] value)", header_try },
	{ "string GetValueOrDefault(string key, string defaultValue = null)", header_default },
	{ "int Count { get; }", header_count },
	{ "IEnumerable<string> Keys { get; }", header_keys },
	{ "IEnumerable<string[]> Values { get; }", header_values },
	{ 0 }
};
struct value_class class_headers = {
	.name = "Headers", .members = header_members, .iterate = iterate_headers,
	.interfaces = "IReadOnlyDictionary<string, string[]>",
};

/* ---- variables ------------------------------------------------------------------------------------------------------------ */

static const struct value *variable(struct vm_call *c)
{
	struct str name = value_str(c->args[0]);

	return name.p ? exchange_variable(c->x, name) : NULL;
}

/* A name that is not there gives null and no exception, as in the reference toolkit. */
static bool variable_item(struct vm_call *c)
{
	const struct value *v = variable(c);

	return vm_return(c, v ? *v : VALUE_NULL_INIT);
}

static bool variable_contains(struct vm_call *c)
{
	return vm_return(c, value_bool(variable(c) != NULL));
}

static bool variable_try(struct vm_call *c)
{
	const struct value *v = variable(c);

	c->args[1] = v ? *v : VALUE_NULL_INIT;
	return vm_return(c, value_bool(v != NULL));
}

/* T must be what is stored; anything else is the exception of a cast. */
static bool variable_default(struct vm_call *c)
{
	const struct value *v = variable(c);

	if (!v)
		return vm_return(c, c->args[1]);
	return vm_cast(c->vm, *v, c->type, &c->result);
}

static bool variable_count(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)c->x->n_variables));
}

static bool next_variable(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct exchange *x = ((const struct wrapper *)(const void *)it->source.object)->p;
	struct value name;

	if (it->at >= x->n_variables || !vm_text(vm, x->variables[it->at].name, &name))
		return false;
	*item = vm_pair(vm_scratch(vm), &type_string, &type_object, name, x->variables[it->at++].value);
	return !vm->failed;
}

static struct iterator *iterate_variables(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next_variable, v, NULL);
}

static bool variable_lists(struct vm_call *c, bool values)
{
	struct value list = vm_list_new(c, values ? &type_object : &type_string), name;

	for (size_t i = 0; list.kind != VALUE_NULL && i < c->x->n_variables; i++)
		if (!vm_text(c->vm, c->x->variables[i].name, &name) ||
		    !vm_list_add(c, list, values ? c->x->variables[i].value : name))
			return false;
	return list.kind != VALUE_NULL && vm_return(c, list);
}

static bool variable_keys(struct vm_call *c)
{
	return variable_lists(c, false);
}

static bool variable_values(struct vm_call *c)
{
	return variable_lists(c, true);
}

static const struct class_member variable_members[] = {
	{ "object this[string key] { get; }", variable_item },
	{ "bool ContainsKey(string key)", variable_contains },
	{ "bool TryGetValue(string key, out object value)", variable_try },
	{ "T GetValueOrDefault<T>(string key, T defaultValue = default)", variable_default },
	{ "object GetValueOrDefault(string key)", variable_item },
	{ "int Count { get; }", variable_count },
	{ "IEnumerable<string> Keys { get; }", variable_keys },
	{ "IEnumerable<object> Values { get; }", variable_values },
	{ 0 }
};
struct value_class class_variables = {
	.name = "ContextVariables", .members = variable_members, .iterate = iterate_variables,
	.interfaces = "IReadOnlyDictionary<string, object>",
};

/* ---- extension methods of dictionaries ------------------------------------------------------------------------------------ */

static bool look_up(struct vm_call *c, struct value *found, bool *there)
{
	struct value args[2] = { c->args[1], VALUE_NULL_INIT }, yes = VALUE_NULL_INIT;
	bool known;

	if (c->args[0].kind == VALUE_NULL)
		return vm_raise(c->vm, EX_NULL_REFERENCE);
	if (c->args[1].kind == VALUE_NULL)
		return vm_throw_null(c, "key");
	vm_call_member(c->vm, c->args[0], STR("TryGetValue"), MEMBER_METHOD, args, 2, &yes, &known);
	*there = yes.kind == VALUE_BOOL && yes.b;
	*found = args[1];
	return !vm_failed(c->vm);
}

static bool dictionary_default(struct vm_call *c)
{
	struct value v;
	bool there;

	return look_up(c, &v, &there) && vm_return(c, there ? v : c->args[2]);
}

/* query["a"], Claims["scp"]: the values joined by commas */
static bool joined_default(struct vm_call *c)
{
	struct value v;
	struct items items;
	bool there;
	struct str out = STR("");

	if (!look_up(c, &v, &there))
		return false;
	if (!there || v.kind == VALUE_NULL)
		return vm_return(c, c->args[2]);
	if (!items_of(c->vm, v, &items))
		return false;
	if (items.n == 1)
		return vm_return(c, items.v[0]);
	for (size_t i = 0; i < items.n; i++)
		out = arena_join(c->arena, (struct str[]){ out, i ? STR(",") : STR(""), value_str(items.v[i]) }, 3);
	return vm_return_str(c, out);
}

/* Form fields as they are sent: name=value&name=value, each escaped; null without any. `first` stands before a text. */
static bool form_text(struct vm_call *c, const char *first)
{
	struct dictionary *d = dictionary_of(c->args[0]);
	struct items items;
	struct buf b;
	bool ok = true;

	if (!d)
		return c->args[0].kind == VALUE_NULL ? vm_return(c, VALUE_NULL_INIT)
						     : vm_throw(c, EX_NOT_SUPPORTED, "Only a Dictionary can be written as a form.");
	buf_init(&b, FORM_MAX);
	for (size_t i = 0; ok && i < d->used; i++) {
		struct str name = uri_encode(c->arena, value_str(d->entries[i].key), URI_KEEP_TEXT);

		ok = d->entries[i].gone || items_of(c->vm, d->entries[i].value, &items);
		for (size_t k = 0; ok && !d->entries[i].gone && k < items.n; k++) {
			buf_cstr(&b, b.n ? "&" : first);
			buf_str(&b, name);
			buf_char(&b, '=');
			buf_str(&b, uri_encode(c->arena, value_str(items.v[k]), URI_KEEP_TEXT));
			ok = vm_charge_here(1);
		}
	}
	if (ok && !buf_ok(&b))
		ok = vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	else if (ok)
		ok = b.n ? vm_return_str(c, arena_dup(c->arena, buf_view(&b))) : vm_return(c, VALUE_NULL_INIT);
	buf_release(&b);
	return ok;
}

static bool form_content(struct vm_call *c)
{
	return form_text(c, "");
}

static bool form_query(struct vm_call *c)
{
	return form_text(c, "?");
}

static bool object_default(struct vm_call *c)
{
	struct value v;
	bool there;

	return look_up(c, &v, &there) && (there ? vm_cast(c->vm, v, c->type, &c->result) : vm_return(c, c->args[2]));
}

#define READ(types) "this IReadOnlyDictionary<" types "> dictionary"
#define BOTH(types) "this IDictionary<" types "> dictionary"
static const struct class_member extension_members[] = {
	{ "static string GetValueOrDefault(" READ("string, string[]") ", string key, string defaultValue = null)", joined_default },
	{ "static string GetValueOrDefault(" BOTH("string, IList<string>") ", string key, string defaultValue = null)",
	  joined_default },
	{ "static string ToFormUrlEncodedContent(" BOTH("string, IList<string>") ")", form_content },
	{ "static string ToQueryString(" BOTH("string, IList<string>") ")", form_query },
	{ "static T GetValueOrDefault<T>(" READ("string, object") ", string key, T defaultValue = default)", object_default },
	{ "static V GetValueOrDefault<K, V>(" READ("K, V") ", K key, V defaultValue = default)", dictionary_default },
	{ "static V GetValueOrDefault<K, V>(" BOTH("K, V") ", K key, V defaultValue = default)", dictionary_default },
	{ 0 }
};
struct value_class class_context_extensions = {
	.name = "DictionaryExtensions", .kind = CLASS_STATIC, .extensions = true, .members = extension_members,
};
