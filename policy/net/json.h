/* json.h - Newtonsoft.Json's tree: JObject, JArray, JProperty, JValue and what they are made of.
 *
 * A token belongs to at most one parent. Adding a token that has one puts in a copy, as Newtonsoft does. Everything lives
 * in the exchange's arena. Depth is bounded: the reader refuses text nested deeper than JT_DEPTH_MAX, and functions that
 * walk down a tree made by code give up there (failing like out of memory). */
#pragma once

#include "core/error.h"
#include "policy/expr/class.h"
#include "policy/net/annotations.h"
#include "policy/net/out.h"

enum { JT_DEPTH_MAX = 512 };
#define JT_NEW_LINE "\r\n"         /* Environment.NewLine on the Windows hosts of the reference system */

/* JTokenType, with its numbers */
enum jt_type {
	JT_NONE, JT_OBJECT, JT_ARRAY, JT_CONSTRUCTOR, JT_PROPERTY, JT_COMMENT, JT_INTEGER, JT_FLOAT,
	JT_STRING, JT_BOOLEAN, JT_NULL, JT_UNDEFINED, JT_DATE, JT_RAW, JT_BYTES, JT_GUID, JT_URI,
	JT_TIMESPAN, JT__COUNT
};

struct jtoken {
	struct object head;
	enum jt_type type;
	uint32_t index_cap;
	struct jtoken *parent;
	struct annotation *annotations;      /* annotations.c */
	size_t place;                /* within the parent; a guess that jt_position sets right */
	union {
		struct {                     /* object (of properties), array, constructor, property (of at most one) */
			struct jtoken **v;
			size_t n, cap;
			struct str name;     /* of a property or constructor */
			uint32_t *index;     /* of an object: hash table of positions + 1; NULL: none yet */
		};
		struct {                     /* all others */
			struct value value;  /* VALUE_NULL for null and undefined */
			struct str raw;      /* an integer past 64 bits, a comment, raw JSON: the text itself */
		};
	};
};

extern struct value_class class_jtoken, class_jcontainer, class_jobject, class_jarray, class_jproperty, class_jvalue,
	class_jconstructor, class_jraw, class_jtoken_type, class_formatting;

static inline bool jt_is_container(const struct jtoken *t)
{
	return t->type >= JT_OBJECT && t->type <= JT_PROPERTY;
}
/* The token of a value; NULL when it is none. */
struct jtoken *value_token(struct value v);
/* The value inside a JValue (or a JProperty's); any other value as it is. */
struct value jt_unwrap(struct value v);
const char *jt_type_name(enum jt_type type);

/* ---- making; NULL: out of memory ---------------------------------------------------------------------------------------- */
struct jtoken *jt_container(struct arena *a, enum jt_type type);
struct jtoken *jt_leaf(struct arena *a, enum jt_type type, struct value v);
struct jtoken *jt_string(struct arena *a, struct str s);
struct jtoken *jt_property(struct arena *a, struct str name, struct jtoken *value);
struct jtoken *jt_clone(struct arena *a, const struct jtoken *t);
/* A leaf of any simple value (string, number, bool, DateTime, Guid …, null). NULL also when v is none of these. */
struct jtoken *jt_of_simple(struct arena *a, struct value v);

/* ---- changing; false: out of memory -------------------------------------------------------------------------------------- */
/* Inserts at a position; copies `t` when it has a parent or holds `to`. `added` may be NULL. */
bool jt_insert(struct arena *a, struct jtoken *to, size_t at, struct jtoken *t, struct jtoken **added);
void jt_remove_at(struct jtoken *from, size_t at);
size_t jt_position(const struct jtoken *t);              /* within its parent */
/* What finding a name in an object costs, in instructions: without an index (after a removal) each name is looked at. */
static inline uint64_t jt_find_cost(const struct jtoken *object)
{
	return object->index ? 1 : object->n / 8;
}
/* Sets or adds a property. */
bool jt_set(struct arena *a, struct jtoken *object, struct str name, struct jtoken *value);
bool jt_replace(struct arena *a, struct jtoken *old, struct jtoken *with);

/* ---- asking ----------------------------------------------------------------------------------------------------------------- */
struct jtoken *jt_find(struct jtoken *object, struct str name);        /* the property; NULL: none */
struct jtoken *jt_get(struct jtoken *object, struct str name);         /* its value; NULL: none */
bool jt_equal(const struct jtoken *l, const struct jtoken *r);
uint64_t jt_count(const struct jtoken *t);               /* tokens, itself and all below */
uint64_t jt_hash(const struct jtoken *t);
struct str jt_path(struct arena *a, const struct jtoken *t);

/* ---- text -------------------------------------------------------------------------------------------------------------------- */
void jt_write(struct out *o, const struct jtoken *t, bool indented);
void jt_write_string(struct out *o, struct str s);
/* JValue.ToString(): the plain value; a container's JSON, indented. */
void jt_text(struct arena *a, struct out *o, const struct jtoken *t);

enum { JT_READ_PLAIN_DATES = 1 };  /* dates stay texts */
GH_RC jt_read(struct arena *a, struct str text, unsigned flags, struct jtoken **out, struct gh_err *err);

/* ---- JSONPath ------------------------------------------------------------------------------------------------------------------ */
struct jt_found {
	struct jtoken **v;
	size_t n, cap;
};
/* True: found (perhaps nothing). False: err has the message of Newtonsoft's JsonException. steps: work left, counted down. */
bool jt_select(struct arena *a, struct jtoken *root, struct str path, uint64_t *steps, struct jt_found *found,
		 struct gh_err *err);

/* ---- to and from other values (json_convert.c); false: threw ------------------------------------------------------------------ */
bool jt_from_value(struct vm_call *c, struct value v, struct jtoken **out);            /* JToken.FromObject */
bool jt_to_type(struct vm_call *c, struct jtoken *t, const struct type *type, struct value *out);   /* ToObject<T> */
bool jt_cast(struct vm_call *c, struct jtoken *t, const struct type *type, struct value *out);      /* Value<T> */
bool jt_explicit(struct vm_call *c);                   /* every explicit operator from JToken; c->type is the target */
