/* class.h - how a .NET type is made known to expressions: one declarative table a type.
 *
 * A type is a `struct value_class`; its members are rows of a C#-like signature and a C function:
 *
 *     static bool guid_parse(struct vm_call *c) { ... return vm_return(c, v); }
 *
 *     static const struct class_member guid_members[] = {
 *         { "Guid(string g)", guid_new },                              // constructor: name without a result type
 *         { "static Guid NewGuid()", guid_make },
 *         { "static Guid Empty { get; }", guid_empty },
 *         { "string ToString(string format = null)", guid_to_string }, // optional: literal, null, default or Enum.Member
 *         { "static bool TryParse(string input, out Guid result)", guid_try_parse },
 *         { "static bool operator ==(Guid a, Guid b)", guid_equal },
 *         { "static implicit operator JToken(Guid value)", ... },      // also explicit
 *         { "string Name { get; set; }", get_name, set_name },         // setter: args[n - 1] is the value
 *         { "JToken this[object key] { get; set; }", get_item, set_item },
 *         { "const int MaxValue = 2147483647" },                       // number, "text", 'c', true, false
 *         { "static string Join(string separator, params object[] values)", ... },
 *         { "T Value<T>(object key)", ... },                           // type arguments in c->types
 *         { "static string AsJwt(this string text)", ... },            // extension method (class .extensions = true)
 *         { 0 }
 *     };
 *     struct value_class class_guid = { .name = "System.Guid", .kind = CLASS_STRUCT, .members = guid_members, ... };
 *
 * Types in signatures: C# keywords, simple names of registered types, T[], T?, generics (`IEnumerable<KeyValuePair<
 * string, JToken>>`, `Func<T, bool>`), type parameters of the class and of the method. `out` and `ref` are
 * written back from args[i]. Overloads are further rows; the compiler chooses among them as C# does.
 *
 * An enum: { .name = "System.StringComparison", .kind = CLASS_ENUM, .members = rows } with rows { "Ordinal = 4" }.
 *
 * A signature is parsed when its class is first named by an expression, once in a process, under a lock; afterwards the
 * link is read without one. A signature that does not parse ends the unit test class_all, so keep that one green.
 *
 * Values at run time describe themselves (value.h). Every enum value is an object (enum_of, enum_value); a nullable value
 * type is the bare value or VALUE_NULL; a struct such as DateTime is an immutable object; a decimal is decimal.h. */
#pragma once

#include "core/error.h"
#include "policy/expr/value.h"

/* Rows and classes name only the fields they need. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct exchange;
struct type;                         /* a constructed type, static and at run time: List<int>, string[], DateTime? */
struct vm;
struct vm_call;
struct class_link;                   /* private: the parsed members */
struct member;
struct iterator;

typedef bool (*vm_fn)(struct vm_call *);     /* false: an exception has been thrown (vm_throw) */

struct class_member {
	const char *signature;
	vm_fn fn;                    /* method, constructor, getter, operator */
	vm_fn set;                   /* setter of a property or indexer */
};

enum class_kind { CLASS_CLASS, CLASS_STRUCT, CLASS_ENUM, CLASS_INTERFACE, CLASS_DELEGATE, CLASS_STATIC };

struct value_class {
	const char *name;            /* with namespace: "System.Text.StringBuilder" */
	const char *parameters;      /* generic: "TKey, TValue"; objects of it begin with struct generic_object. NULL: none */
	enum class_kind kind;
	const char *base;            /* "JContainer"; NULL: object (ValueType, Enum) */
	const char *interfaces;      /* "IEnumerable<JToken>, IDisposable"; NULL: none */
	const struct class_member *members;  /* ends with a row without signature; NULL: none */
	bool extensions;             /* has methods whose first parameter is `this` */
	bool flags;                  /* enum with [Flags]: prints "A, B" */
	enum value_kind value_kind;  /* of its values; VALUE_NULL (0) means VALUE_OBJECT */

	/* What object offers. NULL: reference equality, identity, no order, the type's name, cannot be enumerated. v is
	 * never null. Classes that are compared by value set equals and hash together. */
	bool (*equals)(struct value v, struct value other);          /* other: same class */
	uint64_t (*hash)(struct value v);
	int (*compare)(struct value v, struct value other);          /* IComparable; <0, 0, >0 */
	struct str (*to_text)(struct arena *a, struct value v);      /* ToString(); STR_NULL: out of memory */
	struct iterator *(*iterate)(struct vm *vm, struct value v);  /* NULL: an exception has been thrown */
	const struct object *zero;                                   /* CLASS_STRUCT: default(T) */

	/* Looks at a call when the document is loaded: args are the constants among the arguments, NULL for others. What is
	 * wrong with which of them, or STR_NULL. May be NULL. */
	struct str (*check)(struct arena *a, const struct member *m, const struct value *const *args, size_t *which);

	struct class_link *link;     /* set by the registry */
};

/* Objects of a generic class know their type arguments. */
struct generic_object {
	struct object head;
	const struct type *type;
};

/* More members for a class that is defined elsewhere: policy/expr owns the classes of the keywords (below), and whoever
 * implements string.Split or int.Parse adds them as a part. */
struct class_part {
	struct value_class *cls;
	const struct class_member *members;
};

struct class_module {                        /* what one .c file brings */
	struct value_class *const *classes;      /* ends with NULL; may be NULL */
	const struct class_part *parts;          /* ends with cls NULL; may be NULL */
};

extern const struct class_module *const net_modules[];       /* policy/net/net.c; ends with NULL */

/* Owned by policy/expr; extend them with parts. */
extern struct value_class class_object, class_bool, class_char, class_sbyte, class_byte, class_short, class_ushort, class_int,
	class_uint, class_long, class_ulong, class_float, class_double, class_decimal, class_string, class_array, class_enum,
	class_exception, class_nullable;

/* ---- a call -------------------------------------------------------------------------------------------------------- */

struct vm_call {
	struct vm *vm;
	struct arena *arena;         /* of the exchange: results live here */
	struct exchange *x;          /* may be NULL in tests */
	struct value self;           /* the instance, never null; static members and extensions: VALUE_NULL */
	struct value *args;          /* all parameters in order: defaults filled in, params packed into an array,
	                                extension: args[0] is `this`. An out parameter is written into its args[i]. */
	size_t n;
	const struct type *const *types;     /* type arguments: those of the class, then those of the method */
	const struct type *type;     /* the result type with type arguments put in; of a constructor: what is built */
	struct value result;
};

/* Results: `return vm_return(c, value_int(3));`. The kind must be that of the declared type. */
static inline bool vm_return(struct vm_call *c, struct value v)
{
	c->result = v;
	return true;
}

bool vm_return_str(struct vm_call *c, struct str s);          /* borrows the bytes; STR_NULL returns null */
bool vm_return_copy(struct vm_call *c, struct str s);         /* copies them */

/* Memory of the exchange, counted against the limit of the run. NULL: the error is set, return false. Zeroed. */
void *vm_alloc(struct vm_call *c, size_t n, size_t size);
void *vm_new(struct vm_call *c, const struct value_class *cls, size_t size);  /* an object with its head set */

/* Work that a native does beyond a small constant (bytes scanned, steps of a match): 1 for about 10 ns. False: the budget
 * is used up and the run ends; return false. */
bool vm_charge(struct vm *vm, uint64_t instructions);
/* The same for what has no vm at hand (comparing, hashing, printing and copying of what is nested): of the run that is under
 * way in this thread, if one is. False: it has ended, go no further; its exception is set already. */
bool vm_charge_here(uint64_t instructions);
/* Processor time that the run has left. False: it has none left (with ns) or has no limit of it. ns may be NULL. */
bool vm_time_left(struct vm *vm, uint64_t *ns);
struct vm_call *vm_scratch(struct vm *vm);   /* a call for use outside of one (in an iterator): arena, x, vm are set */

/* ---- exceptions ---------------------------------------------------------------------------------------------------- */

/* enum name, .NET name, base, .NET's own message */
#define VM_EXCEPTIONS(X)                                                                                          \
	X(EXCEPTION, "System.Exception", NULL, "Exception of type 'System.Exception' was thrown.")                \
	X(SYSTEM, "System.SystemException", "Exception", "System error.")                                         \
	X(APPLICATION, "System.ApplicationException", "Exception", "Error in the application.")                   \
	X(ARGUMENT, "System.ArgumentException", "SystemException",                                                \
	  "Value does not fall within the expected range.")                                                       \
	X(ARGUMENT_NULL, "System.ArgumentNullException", "ArgumentException", "Value cannot be null.")            \
	X(ARGUMENT_RANGE, "System.ArgumentOutOfRangeException", "ArgumentException",                              \
	  "Specified argument was out of the range of valid values.")                                             \
	X(ARITHMETIC, "System.ArithmeticException", "SystemException",                                            \
	  "Overflow or underflow in the arithmetic operation.")                                                   \
	X(DIVIDE_BY_ZERO, "System.DivideByZeroException", "ArithmeticException", "Attempted to divide by zero.")  \
	X(OVERFLOW, "System.OverflowException", "ArithmeticException",                                            \
	  "Arithmetic operation resulted in an overflow.")                                                        \
	X(FORMAT, "System.FormatException", "SystemException", "One of the identified items was in an invalid format.") \
	X(UNPARSABLE_URI, "System.UriFormatException", "FormatException", "Invalid URI: The format of the URI could not be determined.") \
	X(INVALID_CAST, "System.InvalidCastException", "SystemException", "Specified cast is not valid.")         \
	X(INVALID_OPERATION, "System.InvalidOperationException", "SystemException",                               \
	  "Operation is not valid due to the current state of the object.")                                       \
	X(OBJECT_DISPOSED, "System.ObjectDisposedException", "InvalidOperationException",                         \
	  "Cannot access a disposed object.")                                                                     \
	X(INDEX_RANGE, "System.IndexOutOfRangeException", "SystemException",                                      \
	  "Index was outside the bounds of the array.")                                                           \
	X(KEY_NOT_FOUND, "System.Collections.Generic.KeyNotFoundException", "SystemException",                    \
	  "The given key was not present in the dictionary.")                                                     \
	X(NULL_REFERENCE, "System.NullReferenceException", "SystemException",                                     \
	  "Object reference not set to an instance of an object.")                                                \
	X(NOT_SUPPORTED, "System.NotSupportedException", "SystemException", "Specified method is not supported.") \
	X(NOT_IMPLEMENTED, "System.NotImplementedException", "SystemException",                                   \
	  "The method or operation is not implemented.")                                                          \
	X(OUT_OF_MEMORY, "System.OutOfMemoryException", "SystemException",                                        \
	  "Insufficient memory to continue the execution of the program.")                                        \
	X(TIMEOUT, "System.TimeoutException", "SystemException", "The operation has timed out.")                  \
	X(REGEX_TIMEOUT, "System.Text.RegularExpressions.RegexMatchTimeoutException", "TimeoutException",         \
	  "The Regex engine has timed out while trying to match a pattern to an input string.")                   \
	X(DECODER, "System.Text.DecoderFallbackException", "ArgumentException",                                   \
	  "Unable to translate bytes to Unicode.")                                                                \
	X(TIME_ZONE, "System.TimeZoneNotFoundException", "Exception", "The time zone ID was not found on the local computer.") \
	X(CRYPTOGRAPHIC, "System.Security.Cryptography.CryptographicException", "SystemException",                \
	  "Error occurred during a cryptographic operation.")                                                     \
	X(XML, "System.Xml.XmlException", "SystemException", "An XML error has occurred.")                        \
	X(XPATH, "System.Xml.XPath.XPathException", "SystemException", "XPath error.")                            \
	X(JSON, "Newtonsoft.Json.JsonException", "Exception", "JSON error.")                                      \
	X(JSON_READER, "Newtonsoft.Json.JsonReaderException", "JsonException", "Unexpected JSON.")                \
	X(JSON_SERIALIZATION, "Newtonsoft.Json.JsonSerializationException", "JsonException", "Cannot serialise.")

enum vm_exception {
#define X(name, full, base, message) EX_##name,
	VM_EXCEPTIONS(X)
#undef X
	EX__COUNT
};

/* Throws; returns false for `return vm_throw(...)`. fmt NULL: .NET's own message. */
bool vm_throw(struct vm_call *c, enum vm_exception kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "Value cannot be null. (Parameter 'input')" and "… (Parameter 'index')". */
bool vm_throw_null(struct vm_call *c, const char *parameter);
bool vm_throw_range(struct vm_call *c, const char *parameter, const char *message);  /* message NULL: .NET's own */

/* ---- values ---------------------------------------------------------------------------------------------------------- */

struct value value_char(uint16_t unit);
struct value value_long(int64_t i);
struct value value_double(double d);
struct value value_of(enum value_kind kind, int64_t i);       /* any integer kind, cut to its width */
struct value value_object(const void *object);                /* begins with struct object; NULL gives VALUE_NULL */
bool value_equals(struct value a, struct value b);            /* object.Equals(a, b) */
uint64_t value_hash(struct value v);                          /* agrees with value_equals */
int value_compare(struct value a, struct value b, bool *comparable);  /* Comparer<object>.Default; null first */
const struct value_class *value_class_of(struct value v);     /* NULL for VALUE_NULL */
bool value_is(struct value v, const struct value_class *cls); /* of that class exactly */

struct value enum_of(struct vm_call *c, const struct value_class *cls, int64_t number);
int64_t enum_value(struct value v);                           /* 0 for null */
/* Name of a number ("A, B" for flags), the number itself when it has none. */
struct str enum_text(struct arena *a, const struct value_class *cls, int64_t number);
bool enum_parse(const struct value_class *cls, struct str name, bool ignore_case, int64_t *number);

/* Arrays. byte[] is packed; all others hold values. */
struct array {
	struct generic_object g;     /* g.type: the array type */
	bool packed;
	size_t n;
	union {
		struct value *v;
		uint8_t *bytes;
	};
};
/* An array of n elements (zeroed: fill it) for a result of type c->type: T[], IEnumerable<T>, IList<T> …; NULL: failed. */
struct array *vm_array(struct vm_call *c, size_t n);
struct array *vm_array_of(struct vm_call *c, const struct type *element, size_t n);
struct value vm_bytes(struct vm_call *c, struct str bytes);   /* byte[] that borrows them; VALUE_NULL: failed */
struct array *value_array(struct value v);                    /* NULL when v is no array */
struct str value_bytes(struct value v);                       /* of a byte[]; STR_NULL when v is none */
struct value array_get(const struct array *a, size_t i);

/* Collections of policy/expr from natives. c->type is not consulted: say which. */
struct value vm_list_new(struct vm_call *c, const struct type *element);                    /* List<element> */
bool vm_list_add(struct vm_call *c, struct value list, struct value item);
struct value vm_dictionary_new(struct vm_call *c, const struct type *key, const struct type *value, bool ignore_case);
bool vm_dictionary_put(struct vm_call *c, struct value dictionary, struct value key, struct value item);
struct value vm_pair(struct vm_call *c, const struct type *key, const struct type *value, struct value k, struct value v);
bool value_pair(struct value v, struct value *key, struct value *item);     /* false: no KeyValuePair */
bool value_is_dictionary(struct value v);                                   /* enumerates as KeyValuePairs */

/* Enumerating anything that foreach takes (arrays, List, LINQ results, JArray …):
 *     struct iterator *it = vm_iterate(c->vm, v);            NULL: threw
 *     while (vm_next(c->vm, it, &item)) ...
 *     if (vm_failed(c->vm)) return false;
 * A class's .iterate returns an iterator made with vm_iterator; `next` returns false at the end or after a throw. */
struct iterator {
	bool (*next)(struct vm *vm, struct iterator *it, struct value *item);
	struct value source;
	size_t at;                   /* free for use by next */
	void *state;
};
struct iterator *vm_iterator(struct vm *vm, bool (*next)(struct vm *, struct iterator *, struct value *),
			     struct value source, void *state);
struct iterator *vm_iterate(struct vm *vm, struct value v);
bool vm_next(struct vm *vm, struct iterator *it, struct value *item);
bool vm_failed(const struct vm *vm);

/* Calls a delegate (Func, Action, Predicate, Comparison …). */
bool vm_invoke(struct vm *vm, struct value fn, const struct value *args, size_t n, struct value *result);

/* Public readable properties, for serialising: anonymous types, KeyValuePair, tuples, any class.
 * i counts from 0; false when there is none left or it threw (vm_failed). */
bool vm_property(struct vm_call *c, struct value v, size_t i, struct str *name, struct value *out);
/* True for a value of an anonymous type. */
bool value_is_anonymous(struct value v);

/* ---- types ---------------------------------------------------------------------------------------------------------- */

const struct value_class *type_class(const struct type *t);          /* class_array for arrays, class_nullable for T? */
const struct type *type_arg(const struct type *t, size_t i);         /* i-th type argument; element of an array; T of T? */
size_t type_n_args(const struct type *t);
/* A type by its C# text ("IDictionary<string, JToken>"), for natives and tests; NULL: unknown. Kept for ever. */
const struct type *type_named(const char *text);
const struct type *type_of_value(struct vm *vm, struct value v);
const struct type *type_in_value(struct value v);            /* of a System.Type; NULL: v is none */
bool type_accepts(struct vm *vm, const struct type *t, struct value v);   /* `v is t`, null excluded */
struct value type_default(const struct type *t);                          /* default(t) */
struct str type_text(struct arena *a, const struct type *t, bool full);   /* "List<int>"; full: as .NET's Type.ToString() */
