/* registry.c - finds classes by name and parses their tables when first asked.
 *
 * Two steps, so that a process which compiles one expression pays for the classes that it names: the table of names is
 * made once (pthread_once); a class is linked (signatures parsed) under a lock when it is first searched and published
 * with a release store, so that readers need no lock. Everything lives until the process ends. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/str.h"
#include "core/suggest.h"
#include "policy/expr/library.h"
#include "policy/expr/link.h"

enum { MEMORY_MAX = 256 << 20, EXTENSION_CLASSES_MAX = 64, CLASSES_MAX = 1024 };

static struct {
	struct arena *arena;
	struct map by_name, namespaces, extensions, types;
	const struct value_class *all[CLASSES_MAX];
	size_t n;
	pthread_mutex_t lock;
	pthread_once_t once;
	bool extensions_ready;
} registry = { .once = PTHREAD_ONCE_INIT };

static void oom(void)
{
	static const char text[] = "expr: out of memory while registering types\n";

	fwrite(text, 1, sizeof(text) - 1, stderr);
	abort();
}

static void put(struct map *m, struct str key, const void *value)
{
	if (!key.p || !map_put(m, key, (void *)(uintptr_t)value))
		oom();
}

static size_t parameters_of(const struct value_class *cls)
{
	size_t n = 0;

	if (!cls->parameters)
		return 0;
	for (const char *p = cls->parameters; *p; p++)
		n += *p == ',';
	return n + 1;
}

static struct str simple_name(const struct value_class *cls)
{
	struct str full = str_of(cls->name);
	size_t dot = str_rfind_char(full, '.');

	return dot == SIZE_MAX ? full : str_from(full, dot + 1);
}

static struct str keyed(struct arena *a, struct str name, size_t n)
{
	return n ? arena_printf(a, "%.*s`%zu", STR_ARG(name), n) : name;
}

static void add_class(const struct value_class *cls)
{
	static const char *const keywords[VALUE__COUNT] = {
		[VALUE_BOOL] = "bool", [VALUE_CHAR] = "char", [VALUE_SBYTE] = "sbyte", [VALUE_BYTE] = "byte",
		[VALUE_SHORT] = "short", [VALUE_USHORT] = "ushort", [VALUE_INT] = "int", [VALUE_UINT] = "uint",
		[VALUE_LONG] = "long", [VALUE_ULONG] = "ulong", [VALUE_FLOAT] = "float", [VALUE_DOUBLE] = "double",
		[VALUE_DECIMAL] = "decimal", [VALUE_STRING] = "string",
	};
	struct arena *a = registry.arena;
	struct str full = str_of(cls->name), simple = simple_name(cls);
	size_t n = parameters_of(cls);

	put(&registry.by_name, keyed(a, full, n), cls);
	put(&registry.by_name, keyed(a, simple, n), cls);
	if (cls->value_kind && keywords[cls->value_kind])
		put(&registry.by_name, str_of(keywords[cls->value_kind]), cls);
	for (size_t i = 0; i < full.n - simple.n; i++)
		if (full.p[i] == '.')
			put(&registry.namespaces, str_first(full, i), cls);
	if (registry.n < CLASSES_MAX)
		registry.all[registry.n++] = cls;
}

static void add_modules(const struct class_module *const *modules)
{
	for (; *modules; modules++)
		for (struct value_class *const *c = (*modules)->classes; c && *c; c++)
			add_class(*c);
}

static void build(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&registry.lock, &attr);
	pthread_mutexattr_destroy(&attr);
	registry.arena = arena_new(MEMORY_MAX);
	if (!registry.arena)
		oom();
	map_init(&registry.by_name, registry.arena, false);
	map_init(&registry.namespaces, registry.arena, false);
	map_init(&registry.extensions, registry.arena, false);
	map_init(&registry.types, registry.arena, false);
	add_modules(expr_modules);
	add_modules(net_modules);
	put(&registry.by_name, STR("object"), &class_object);
	put(&registry.by_name, STR("Array"), &class_array);
	put(&registry.by_name, STR("System.Array"), &class_array);
}

static void ready(void)
{
	pthread_once(&registry.once, build);
}

const struct value_class *class_find(struct str name, size_t n_parameters)
{
	char key[160];
	int n;

	ready();
	if (n_parameters == 0)
		return map_get(&registry.by_name, name);
	n = snprintf(key, sizeof(key), "%.*s`%zu", STR_ARG(name), n_parameters);
	return n > 0 && (size_t)n < sizeof(key) ? map_get(&registry.by_name, (struct str){ key, (size_t)n }) : NULL;
}

bool class_is_namespace(struct str name)
{
	ready();
	return map_get(&registry.namespaces, name) != NULL;
}

const struct value_class *class_each(size_t i)
{
	ready();
	return i < registry.n ? registry.all[i] : NULL;
}

/* ---- linking ---------------------------------------------------------------------------------------------------------- */

static void link_row(struct class_link *link, const struct value_class *cls, const struct class_member *row)
{
	struct member *m = arena_new_of(registry.arena, struct member), *first;
	const char *what = NULL;

	if (!m)
		oom();
	if (!signature_parse(registry.arena, cls, row, m, &what)) {
		if (!link->error.p)
			link->error = arena_printf(registry.arena, "%s: \"%s\": %s", cls->name, row->signature, what);
		return;
	}
	first = map_get(&link->by_name, m->name);
	if (!first) {
		put(&link->by_name, m->name, m);
	} else {
		while (first->next)
			first = first->next;
		first->next = m;
	}
	if (m->kind == MEMBER_PROPERTY && !m->is_static && m->fn && link->n_properties < 64)
		link->properties[link->n_properties++] = m;
}

static void link_rows(struct class_link *link, const struct value_class *cls, const struct class_member *rows)
{
	for (; rows && rows->signature; rows++)
		link_row(link, cls, rows);
}

static void link_parts(struct class_link *link, const struct value_class *cls, const struct class_module *const *modules)
{
	for (; *modules; modules++)
		for (const struct class_part *p = (*modules)->parts; p && p->cls; p++)
			if (p->cls == cls)
				link_rows(link, cls, p->members);
}

static void link_enum(struct class_link *link, const struct value_class *cls)
{
	for (const struct class_member *row = cls->members; row && row->signature; row++)
		link->n_rows++;
	link->rows = arena_alloc(registry.arena, link->n_rows + 1, sizeof(*link->rows));
	if (!link->rows)
		oom();
	for (size_t i = 0; i < link->n_rows; i++) {
		struct str text = str_of(cls->members[i].signature);
		size_t eq = str_find_char(text, '=');
		struct enum_row *row = &link->rows[i];

		row->object.head.cls = cls;
		row->object.number = (int64_t)i;
		row->name = str_trim(eq == SIZE_MAX ? text : str_first(text, eq));
		if (eq != SIZE_MAX && !str_to_i64(str_trim(str_from(text, eq + 1)), INT64_MIN, INT64_MAX, &row->object.number))
			link->error = str_of(cls->members[i].signature);
	}
}

static void link_bases(struct class_link *link, const struct value_class *cls)
{
	const struct type *types[16];
	size_t n = 0;

	if (cls->base) {
		if (signature_types(registry.arena, cls, cls->base, types, 1, &n))
			link->base = types[0];
		else
			link->error = str_of(cls->base);
	} else if (cls != &class_object && cls->kind != CLASS_INTERFACE) {
		link->base = cls->kind == CLASS_ENUM ? class_link(&class_enum)->self : &type_object;
	}
	n = 0;
	if (cls->interfaces && !signature_types(registry.arena, cls, cls->interfaces, types, ARRAY_LEN(types), &n))
		link->error = str_of(cls->interfaces);
	link->interfaces = arena_alloc(registry.arena, n + 1, sizeof(*link->interfaces));
	if (!link->interfaces)
		oom();
	for (size_t i = 0; i < n; i++)
		link->interfaces[i] = types[i];
	link->n_interfaces = n;
}

static struct class_link *link_class(const struct value_class *cls)
{
	struct class_link *link = arena_new_of(registry.arena, struct class_link);

	if (!link)
		oom();
	link->name = simple_name(cls);
	link->self = signature_self(registry.arena, cls);
	map_init(&link->by_name, registry.arena, false);
	link->properties = arena_alloc(registry.arena, 64, sizeof(*link->properties));
	if (!link->properties)
		oom();
	link_bases(link, cls);
	if (cls->kind == CLASS_ENUM)
		link_enum(link, cls);
	else
		link_rows(link, cls, cls->members);
	link_parts(link, cls, expr_modules);
	link_parts(link, cls, net_modules);
	return link;
}

const struct class_link *class_link(const struct value_class *cls)
{
	struct value_class *c = (struct value_class *)(uintptr_t)cls;
	struct class_link *link = __atomic_load_n(&c->link, __ATOMIC_ACQUIRE);

	if (link)
		return link;
	ready();
	pthread_mutex_lock(&registry.lock);
	link = __atomic_load_n(&c->link, __ATOMIC_ACQUIRE);
	if (!link) {
		link = link_class(cls);
		__atomic_store_n(&c->link, link, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&registry.lock);
	return link;
}

struct member *class_member(const struct value_class *cls, struct str name)
{
	return map_get(&class_link(cls)->by_name, name);
}

static void collect_extensions(const struct value_class *cls)
{
	const struct map_slot *slot;
	const struct class_link *link = class_link(cls);

	for (size_t i = 0; (slot = map_next(&link->by_name, &i));)
		for (struct member *m = slot->value; m; m = m->next) {
			struct member *first = m->extension ? map_get(&registry.extensions, m->name) : NULL;

			if (!m->extension)
				continue;
			m->next_extension = first ? first->next_extension : NULL;
			if (first)
				first->next_extension = m;
			else
				put(&registry.extensions, m->name, m);
		}
}

struct member *class_extensions(struct str name)
{
	ready();
	if (!__atomic_load_n(&registry.extensions_ready, __ATOMIC_ACQUIRE)) {
		pthread_mutex_lock(&registry.lock);
		if (!registry.extensions_ready) {
			for (size_t i = 0; i < registry.n; i++)
				if (registry.all[i]->extensions)
					collect_extensions(registry.all[i]);
			__atomic_store_n(&registry.extensions_ready, true, __ATOMIC_RELEASE);
		}
		pthread_mutex_unlock(&registry.lock);
	}
	return map_get(&registry.extensions, name);
}

const struct type *type_named(const char *text)
{
	const struct type *t;
	size_t n;

	ready();
	pthread_mutex_lock(&registry.lock);
	t = map_get(&registry.types, str_of(text));
	if (!t && signature_types(registry.arena, NULL, text, &t, 1, &n))
		put(&registry.types, arena_dup(registry.arena, str_of(text)), t);
	pthread_mutex_unlock(&registry.lock);
	return t;
}

/* ---- did you mean ------------------------------------------------------------------------------------------------------ */

enum { NAMES_MAX = 2000 };

struct names {
	const char **v;
	size_t n;
};

static void add_name(struct names *names, struct arena *a, struct str name)
{
	const char *text = names->n + 1 < NAMES_MAX ? arena_cstr(a, name) : NULL;

	if (text)
		names->v[names->n++] = text;
}

const char *class_suggest(struct arena *a, struct str wrong)
{
	struct names names = { arena_alloc(a, NAMES_MAX, sizeof(char *)), 0 };

	ready();
	for (size_t i = 0; names.v && i < registry.n; i++)
		add_name(&names, a, simple_name(registry.all[i]));
	return names.v ? suggest(wrong, names.v) : NULL;
}

static void member_names(struct names *names, struct arena *a, const struct type *t, bool is_static)
{
	const struct class_link *link = class_link(t->cls);
	const struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&link->by_name, &i));) {
		const struct member *m = slot->value;

		if (m->is_static == is_static && !m->extension && ascii_is_alpha(m->name.p[0]) && m->kind <= MEMBER_PROPERTY)
			add_name(names, a, m->name);
	}
	for (size_t i = 0; i < link->n_rows; i++)
		add_name(names, a, link->rows[i].name);
	if (link->base)
		member_names(names, a, link->base, is_static);
	for (size_t i = 0; i < link->n_interfaces; i++)
		member_names(names, a, link->interfaces[i], is_static);
}

const char *member_suggest(struct arena *a, const struct type *t, struct str wrong, bool is_static)
{
	struct names names = { arena_alloc(a, NAMES_MAX, sizeof(char *)), 0 };

	if (!names.v || t->kind != TYPE_CLASS)
		return NULL;
	member_names(&names, a, t, is_static);
	return suggest(wrong, names.v);
}
