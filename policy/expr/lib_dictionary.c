/* lib_dictionary.c - Dictionary<K, V> and KeyValuePair: a hash table over entries in the order of insertion.
 *
 * Hash values depend on a string's bytes alone, so a client that chooses header names or JSON keys could choose colliding
 * ones; the instruction budget bounds what that costs (a long chain is charged). */
#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/library.h"
#include "policy/expr/text.h"

enum { FIRST_CAP = 8, LONG_CHAIN = 8, LONG_KEY = 256 };

struct pair {
	struct generic_object g;
	struct value key, value;
};

struct dictionary *dictionary_of(struct value v)
{
	if (v.kind != VALUE_OBJECT || (v.object->cls != &class_dictionary && v.object->cls != &class_hash_set))
		return NULL;
	return (struct dictionary *)(void *)v.object;
}

static uint64_t hash_of(const struct dictionary *d, struct value key)
{
	if (!d->ignore_case || key.kind != VALUE_STRING)
		return value_hash(key);
	if (key.text->n >= LONG_KEY)
		(void)vm_charge_here(key.text->n / 4);
	return str_hash_ci(text_str(key.text));
}

static bool same_key(const struct dictionary *d, struct value a, struct value b)
{
	if (d->ignore_case && a.kind == VALUE_STRING && b.kind == VALUE_STRING)
		return str_eq_ci(text_str(a.text), text_str(b.text));
	return value_equals(a, b);
}

struct entry *dictionary_find(const struct dictionary *d, struct value key)
{
	uint64_t hash, steps = 0;

	if (!d->cap)
		return NULL;
	hash = hash_of(d, key);
	for (uint32_t i = d->buckets[hash & (d->cap - 1)]; i; i = d->entries[i - 1].next, steps++)
		if (d->entries[i - 1].hash == hash && same_key(d, d->entries[i - 1].key, key))
			return &d->entries[i - 1];
	if (steps > LONG_CHAIN)
		(void)vm_charge_here(steps);
	return NULL;
}

static bool grow(struct vm *vm, struct dictionary *d)
{
	size_t cap = d->n * 2 > FIRST_CAP ? d->cap * 2 : FIRST_CAP;
	struct entry *entries;
	size_t n = 0;

	if (d->n < d->cap / 2)
		cap = d->cap;           /* only gaps: make it anew */
	entries = vm_memory(vm, cap, sizeof(*entries));
	d->buckets = entries ? vm_memory(vm, cap, sizeof(*d->buckets)) : NULL;
	if (!d->buckets) {
		d->cap = d->used = d->n = 0;
		return false;
	}
	for (size_t i = 0; i < d->used; i++) {
		uint32_t *bucket;

		if (d->entries[i].gone)
			continue;
		entries[n] = d->entries[i];
		bucket = &d->buckets[entries[n].hash & (cap - 1)];
		entries[n].next = *bucket;
		*bucket = (uint32_t)++n;
	}
	d->entries = entries;
	d->used = n;
	d->cap = cap;
	return vm_charge(vm, cap);
}

bool dictionary_set(struct vm *vm, struct dictionary *d, struct value key, struct value v, bool *added)
{
	struct entry *e = dictionary_find(d, key);
	uint32_t *bucket;

	*added = e == NULL;
	d->version++;
	if (e) {
		e->value = v;
		return true;
	}
	if (d->used == d->cap && !grow(vm, d))
		return false;
	e = &d->entries[d->used];
	*e = (struct entry){ .key = key, .value = v, .hash = hash_of(d, key) };
	bucket = &d->buckets[e->hash & (d->cap - 1)];
	e->next = *bucket;
	*bucket = (uint32_t)++d->used;
	d->n++;
	return true;
}

bool dictionary_remove(struct dictionary *d, struct value key)
{
	struct entry *e = dictionary_find(d, key);
	uint32_t *link;

	if (!e)
		return false;
	for (link = &d->buckets[e->hash & (d->cap - 1)]; &d->entries[*link - 1] != e; link = &d->entries[*link - 1].next)
		;
	*link = e->next;
	e->gone = true;
	d->n--;
	d->version++;
	return true;
}

struct dictionary *dictionary_make(struct vm *vm, const struct type *type, bool ignore_case)
{
	struct dictionary *d = vm_new(vm_scratch(vm), type_class(type), sizeof(*d));

	if (d) {
		d->g.type = type;
		d->ignore_case = ignore_case;
	}
	return d;
}

struct value pair_make(struct vm *vm, const struct type *type, struct value key, struct value v)
{
	struct pair *p = vm_new(vm_scratch(vm), &class_pair, sizeof(*p));

	if (!p)
		return VALUE_NULL_INIT;
	p->g.type = type;
	p->key = key;
	p->value = v;
	return value_object(p);
}

/* ---- for natives ---------------------------------------------------------------------------------------------------------- */

struct value vm_dictionary_new(struct vm_call *c, const struct type *key, const struct type *value, bool ignore_case)
{
	const struct type *const args[] = { key, value };

	return value_object(dictionary_make(c->vm, type_make(c->arena, &class_dictionary, args, 2), ignore_case));
}

bool vm_dictionary_put(struct vm_call *c, struct value dictionary, struct value key, struct value item)
{
	bool added;

	return dictionary_set(c->vm, dictionary_of(dictionary), key, item, &added);
}

struct value vm_pair(struct vm_call *c, const struct type *key, const struct type *value, struct value k, struct value v)
{
	const struct type *const args[] = { key, value };

	return pair_make(c->vm, type_make(c->arena, &class_pair, args, 2), k, v);
}

bool value_pair(struct value v, struct value *key, struct value *item)
{
	const struct pair *p = (const struct pair *)(const void *)v.object;

	if (v.kind != VALUE_OBJECT || v.object->cls != &class_pair)
		return false;
	*key = p->key;
	*item = p->value;
	return true;
}

bool value_is_dictionary(struct value v)
{
	if (v.kind != VALUE_OBJECT)
		return false;
	if (v.object->cls == &class_dictionary)
		return true;
	return v.object->cls->interfaces && strncmp(v.object->cls->interfaces, "IReadOnlyDictionary<", 20) == 0;
}

/* ---- Dictionary ----------------------------------------------------------------------------------------------------------- */

static struct dictionary *self_of(struct vm_call *c)
{
	return (struct dictionary *)(void *)c->self.object;
}

struct walk {
	const struct type *pair;
	uint32_t version;
};

static bool next(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct dictionary *d = (const struct dictionary *)(const void *)it->source.object;
	const struct walk *w = it->state;

	if (d->version != w->version)
		return vm_throw(vm_scratch(vm), EX_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
	while (it->at < d->used && d->entries[it->at].gone)
		it->at++;
	if (it->at >= d->used)
		return false;
	*item = d->g.head.cls == &class_hash_set ? d->entries[it->at].key
						 : pair_make(vm, w->pair, d->entries[it->at].key, d->entries[it->at].value);
	it->at++;
	return !vm->failed;
}

static struct iterator *iterate(struct vm *vm, struct value v)
{
	const struct dictionary *d = dictionary_of(v);
	struct walk *w = vm_memory(vm, 1, sizeof(*w));

	if (!w)
		return NULL;
	w->version = d->version;
	if (d->g.head.cls == &class_dictionary)
		w->pair = type_make(vm->arena, &class_pair, (const struct type *const[]){ type_arg(d->g.type, 0),
										      type_arg(d->g.type, 1) }, 2);
	return vm_iterator(vm, next, v, w);
}

bool key_not_found(struct vm_call *c, struct value key)
{
	return vm_throw(c, EX_KEY_NOT_FOUND, "The given key '%.*s' was not present in the dictionary.",
			STR_ARG(str_first(value_to_text(c->arena, key), 200)));
}

static bool duplicate_key(struct vm_call *c, struct value key)
{
	return vm_throw(c, EX_ARGUMENT, "An item with the same key has already been added. Key: %.*s",
			STR_ARG(str_first(value_to_text(c->arena, key), 200)));
}

static bool copy_from(struct vm_call *c, struct dictionary *d, struct value source)
{
	struct items items;
	struct value key, v;
	bool added;

	if (!items_of(c->vm, source, &items))
		return false;
	for (size_t i = 0; i < items.n; i++) {
		if (!value_pair(items.v[i], &key, &v))
			return vm_raise(c->vm, EX_INVALID_CAST);
		if (!dictionary_set(c->vm, d, key, v, &added))
			return false;
		if (!added)
			return duplicate_key(c, key);
	}
	return true;
}

static bool dictionary_new(struct vm_call *c)
{
	struct dictionary *d;
	struct value comparer = VALUE_NULL_INIT, source = VALUE_NULL_INIT;

	for (size_t i = 0; i < c->n; i++) {
		if (c->args[i].kind != VALUE_OBJECT)
			continue;
		if (type_item(c->arena, type_of_value(c->vm, c->args[i])))
			source = c->args[i];
		else
			comparer = c->args[i];
	}
	d = dictionary_make(c->vm, c->type, comparer_ignores_case(c->vm, comparer));
	if (!d || (source.kind != VALUE_NULL && !copy_from(c, d, source)))
		return false;
	return vm_return(c, value_object(d));
}

static bool not_null(struct vm_call *c)
{
	return c->args[0].kind != VALUE_NULL ? true : vm_throw_null(c, "key");
}

static bool get_count(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)self_of(c)->n));
}

static bool get_item(struct vm_call *c)
{
	struct entry *e;

	if (!not_null(c))
		return false;
	e = dictionary_find(self_of(c), c->args[0]);
	return e ? vm_return(c, e->value) : key_not_found(c, c->args[0]);
}

static bool set_item(struct vm_call *c)
{
	bool added;

	return not_null(c) && dictionary_set(c->vm, self_of(c), c->args[0], c->args[1], &added);
}

static bool add(struct vm_call *c)
{
	bool added;

	if (!not_null(c))
		return false;
	if (dictionary_find(self_of(c), c->args[0]))
		return duplicate_key(c, c->args[0]);
	return dictionary_set(c->vm, self_of(c), c->args[0], c->args[1], &added);
}

static bool try_add(struct vm_call *c)
{
	bool added = false;

	if (!not_null(c))
		return false;
	if (!dictionary_find(self_of(c), c->args[0]) && !dictionary_set(c->vm, self_of(c), c->args[0], c->args[1], &added))
		return false;
	return vm_return(c, value_bool(added));
}

static bool contains_key(struct vm_call *c)
{
	return not_null(c) && vm_return(c, value_bool(dictionary_find(self_of(c), c->args[0]) != NULL));
}

static bool contains_value(struct vm_call *c)
{
	struct dictionary *d = self_of(c);
	bool found = false;

	for (size_t i = 0; i < d->used && !found; i++)
		found = !d->entries[i].gone && value_equals(d->entries[i].value, c->args[0]);
	return vm_charge(c->vm, d->used) && vm_return(c, value_bool(found));
}

static bool remove_key(struct vm_call *c)
{
	return not_null(c) && vm_return(c, value_bool(dictionary_remove(self_of(c), c->args[0])));
}

static bool try_get(struct vm_call *c)
{
	struct entry *e;

	if (!not_null(c))
		return false;
	e = dictionary_find(self_of(c), c->args[0]);
	c->args[1] = e ? e->value : type_default(type_arg(self_of(c)->g.type, 1));
	return vm_return(c, value_bool(e != NULL));
}

static bool get_or(struct vm_call *c)
{
	struct entry *e;

	if (!not_null(c))
		return false;
	e = dictionary_find(self_of(c), c->args[0]);
	return vm_return(c, e ? e->value : c->args[1]);
}

static bool clear(struct vm_call *c)
{
	struct dictionary *d = self_of(c);

	d->n = d->used = d->cap = 0;
	d->version++;
	return true;
}

static bool key_list(struct vm_call *c, bool values)
{
	struct dictionary *d = self_of(c);
	struct list *l = list_make(c->vm, &class_key_list, type_make1(c->arena, &class_key_list, type_arg(d->g.type, values)));

	for (size_t i = 0; l && i < d->used; i++)
		if (!d->entries[i].gone && !list_push(c->vm, l, values ? d->entries[i].value : d->entries[i].key))
			return false;
	return l && vm_return(c, value_object(l));
}

static bool get_keys(struct vm_call *c)
{
	return key_list(c, false);
}

static bool get_values(struct vm_call *c)
{
	return key_list(c, true);
}

static bool get_comparer(struct vm_call *c)
{
	c->result = comparer_of(c, type_arg(self_of(c)->g.type, 0), self_of(c)->ignore_case);
	return c->result.kind != VALUE_NULL;
}

static const struct class_member dictionary_members[] = {
	{ "IEqualityComparer<K> Comparer { get; }", get_comparer },
	{ "Dictionary()", dictionary_new },
	{ "Dictionary(int capacity)", dictionary_new },
	{ "Dictionary(IEqualityComparer<K> comparer)", dictionary_new },
	{ "Dictionary(int capacity, IEqualityComparer<K> comparer)", dictionary_new },
	{ "Dictionary(IDictionary<K, V> dictionary)", dictionary_new },
	{ "Dictionary(IDictionary<K, V> dictionary, IEqualityComparer<K> comparer)", dictionary_new },
	{ "Dictionary(IEnumerable<KeyValuePair<K, V>> collection)", dictionary_new },
	{ "int Count { get; }", get_count },
	{ "V this[K key] { get; set; }", get_item, set_item },
	{ "KeyCollection<K> Keys { get; }", get_keys },
	{ "KeyCollection<V> Values { get; }", get_values },
	{ "void Add(K key, V value)", add },
	{ "bool TryAdd(K key, V value)", try_add },
	{ "bool ContainsKey(K key)", contains_key },
	{ "bool ContainsValue(V value)", contains_value },
	{ "bool Remove(K key)", remove_key },
	{ "bool TryGetValue(K key, out V value)", try_get },
	/* an extension of both its interfaces: here, so that the two do not compete */
	{ "V GetValueOrDefault(K key, V defaultValue = default)", get_or },
	{ "void Clear()", clear },
	{ 0 }
};
struct value_class class_dictionary = {
	.name = "System.Collections.Generic.Dictionary", .parameters = "K, V", .members = dictionary_members, .iterate = iterate,
	.interfaces = "IDictionary<K, V>, IReadOnlyDictionary<K, V>",
};

/* ---- KeyValuePair --------------------------------------------------------------------------------------------------------- */

static bool pair_new(struct vm_call *c)
{
	c->result = pair_make(c->vm, c->type, c->args[0], c->args[1]);
	return c->result.kind != VALUE_NULL;
}

/* default(KeyValuePair<string, int>) is one object for all types: its parts get their zero when they are read. */
static bool pair_part(struct vm_call *c, struct value v, size_t i)
{
	return vm_return(c, v.kind == VALUE_NULL && c->types ? type_default(c->types[i]) : v);
}

static bool pair_key(struct vm_call *c)
{
	return pair_part(c, ((struct pair *)(void *)c->self.object)->key, 0);
}

static bool pair_value(struct vm_call *c)
{
	return pair_part(c, ((struct pair *)(void *)c->self.object)->value, 1);
}

static struct str pair_text(struct arena *a, struct value v)
{
	const struct pair *p = (const struct pair *)(const void *)v.object;

	return arena_join(a, (struct str[]){ STR("["), value_to_text(a, p->key), STR(", "), value_to_text(a, p->value), STR("]") }, 5);
}

static bool pair_equals(struct value v, struct value other)
{
	struct value k1, v1, k2, v2;

	return value_pair(v, &k1, &v1) && value_pair(other, &k2, &v2) && value_equals(k1, k2) && value_equals(v1, v2);
}

static uint64_t pair_hash(struct value v)
{
	struct value key, item;

	return value_pair(v, &key, &item) ? value_hash(key) * 31 + value_hash(item) : 0;
}

static const struct class_member pair_members[] = {
	{ "KeyValuePair(K key, V value)", pair_new }, { "K Key { get; }", pair_key }, { "V Value { get; }", pair_value }, { 0 }
};
static const struct pair no_pair = { .g = { .head = { &class_pair }, .type = &type_object } };
struct value_class class_pair = {
	.name = "System.Collections.Generic.KeyValuePair", .kind = CLASS_STRUCT, .parameters = "K, V", .members = pair_members,
	.to_text = pair_text, .equals = pair_equals, .hash = pair_hash, .zero = &no_pair.g.head,
};

static struct value_class *const classes[] = { &class_dictionary, &class_pair, NULL };
const struct class_module dictionary_module = { classes, NULL };

struct iterator *dictionary_iterate(struct vm *vm, struct value v)
{
	return iterate(vm, v);
}
