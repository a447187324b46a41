/* builder.c - StringBuilder, StringWriter and StringReader. The text of a builder grows in the arena; what changes in the
 * middle (Insert, Remove, Replace, the indexer) makes it anew. */
#include "core/str.h"
#include "policy/net/format.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/string_search.h"
#include "policy/net/types.h"

#define NEW_LINE "\r\n"              /* Environment.NewLine on the hosts of the reference system */
#define OUT_OF_RANGE "Index was out of range. Must be non-negative and less than the size of the collection."

struct builder {
	struct object head;
	struct out o;
	size_t ascii;                /* so many bytes at the start are known to be ASCII */
	struct builder *over;        /* StringWriter.GetStringBuilder(): the writer that holds the text */
};

static struct value_class class_builder;
static struct value_class class_writer;
static struct value_class class_reader;

static struct builder *self_of(struct vm_call *c)
{
	struct builder *b = SELF(c, struct builder);

	return b->over ? b->over : b;
}

static bool done(struct vm_call *c)
{
	if (self_of(c)->o.failed)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	return vm_return(c, c->self);
}

static struct text text_of(struct builder *b)
{
	struct str s = out_str(&b->o), rest;

	if (b->ascii > s.n)
		b->ascii = 0;
	rest = str_from(s, b->ascii);
	if (rest.n && str_is_ascii(rest))
		b->ascii = s.n;
	return (struct text){ s.n, b->ascii == s.n, s.p ? s.p : "" };
}

/* The same, with the price of counting its units. */
static bool counted(struct vm_call *c, struct text *t)
{
	*t = text_of(self_of(c));
	return charge_text(c, t);
}

static bool make(struct vm_call *c, const struct value_class *cls)
{
	struct builder *b = vm_new(c, cls, sizeof(*b));

	if (!b)
		return false;
	b->o = out_in(c->arena);
	if (c->n && c->args[0].kind == VALUE_STRING)
		out_put(&b->o, arg_str(c, 0));
	return vm_return(c, value_object(b));
}

static bool new_builder(struct vm_call *c)
{
	return make(c, &class_builder);
}

static bool new_writer(struct vm_call *c)
{
	return make(c, &class_writer);
}

static struct str builder_text(struct arena *a, struct value v)
{
	const struct builder *b = (const struct builder *)(const void *)v.object;

	return arena_dup(a, out_str(b->over ? &b->over->o : &b->o));
}

static bool append(struct vm_call *c)
{
	struct value v = c->args[0];

	if (v.kind == VALUE_STRING)
		out_put(&self_of(c)->o, text_str(v.text));
	else if (v.kind == VALUE_CHAR)
		out_code_point(&self_of(c)->o, (uint32_t)v.u);
	else if (v.kind != VALUE_NULL)
		out_put(&self_of(c)->o, value_to_text(c->arena, v));
	return done(c);
}

static bool append_chars(struct vm_call *c)
{
	const struct array *chars = value_array(c->args[0]);

	for (size_t i = 0; chars && i < chars->n; i++)
		out_code_point(&self_of(c)->o, (uint32_t)array_get(chars, i).u);
	return done(c);
}

static bool append_part(struct vm_call *c)
{
	const struct text *t = arg_text(c, 0);
	int64_t from = arg_int(c, 1), count = arg_int(c, 2), length = t ? text_length(t) : 0;
	const struct text *part;

	if (from < 0 || count < 0 || from > length - count)
		return vm_throw_range(c, "startIndex", OUT_OF_RANGE);
	part = t ? text_slice(c->arena, t, from, count) : &text_empty;
	if (!part)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	out_put(&self_of(c)->o, text_str(part));
	return done(c);
}

static bool append_repeated(struct vm_call *c)
{
	if (arg_int(c, 1) < 0)
		return vm_throw_range(c, "repeatCount", "Count cannot be less than zero.");
	if (!vm_charge(c->vm, (uint64_t)arg_int(c, 1) / 16))
		return false;
	for (int64_t i = 0; i < arg_int(c, 1) && !self_of(c)->o.failed; i++)
		out_code_point(&self_of(c)->o, (uint32_t)c->args[0].u);
	return done(c);
}

static bool append_line(struct vm_call *c)
{
	if (c->n)
		out_put(&self_of(c)->o, c->args[0].kind == VALUE_STRING ? arg_str(c, 0) : value_to_text(c->arena, c->args[0]));
	out_put(&self_of(c)->o, STR(NEW_LINE));
	return done(c);
}

static bool append_format(struct vm_call *c)
{
	size_t at = c->args[0].kind == VALUE_STRING ? 0 : c->n - 2;
	const struct array *args = value_array(c->args[c->n - 1]);
	struct value *v;

	if (arg_is_null(c, at) || !args)
		return vm_throw_null(c, args ? "format" : "args");
	v = vm_alloc(c, args->n + 1, sizeof(*v));
	if (!v)
		return false;
	for (size_t i = 0; i < args->n; i++)
		v[i] = array_get(args, i);
	return format_composite(c, &self_of(c)->o, arg_str(c, at), v, args->n) && done(c);
}

/* Puts `with` in place of [from, from + count) units. */
static bool exchange(struct vm_call *c, int64_t from, int64_t count, struct str with)
{
	struct builder *b = self_of(c);
	struct text t = text_of(b);
	size_t begin = text_offset(&t, from), end = text_offset(&t, from + count);
	struct out made = out_in(c->arena);

	out_add(&made, t.p, begin);
	out_put(&made, with);
	out_add(&made, t.p + end, t.n - end);
	b->o = made;
	b->ascii = 0;
	return charge_bytes(c, t.n) && done(c);
}

static bool insert(struct vm_call *c)
{
	struct text t;
	struct str with = c->args[1].kind == VALUE_STRING ? arg_str(c, 1) : value_to_text(c->arena, c->args[1]);

	if (!counted(c, &t))
		return false;
	if (arg_int(c, 0) < 0 || arg_int(c, 0) > text_length(&t))
		return vm_throw_range(c, "index", OUT_OF_RANGE);
	return exchange(c, arg_int(c, 0), 0, with);
}

static bool remove_part(struct vm_call *c)
{
	struct text t;

	if (!counted(c, &t))
		return false;
	if (arg_int(c, 0) < 0 || arg_int(c, 1) < 0 || arg_int(c, 0) > text_length(&t) - arg_int(c, 1))
		return vm_throw_range(c, "index", OUT_OF_RANGE);
	return exchange(c, arg_int(c, 0), arg_int(c, 1), STR(""));
}

static struct str part_of(struct vm_call *c, size_t i)
{
	struct out o = out_in(c->arena);

	if (c->args[i].kind != VALUE_CHAR)
		return arg_str(c, i);
	out_code_point(&o, (uint32_t)c->args[i].u);
	return out_str(&o);
}

static bool replace(struct vm_call *c)
{
	struct builder *b = self_of(c);
	struct str s = out_str(&b->o), old = part_of(c, 0), with = part_of(c, 1);
	struct out made = out_in(c->arena);
	size_t found;

	if (!old.p)
		return vm_throw_null(c, "oldValue");
	if (old.n == 0)
		return vm_throw(c, EX_ARGUMENT, "Empty name is not legal. (Parameter 'oldValue')");
	if (!charge_bytes(c, s.n))
		return false;
	while ((found = find_first(s, old, false, NULL)) != SIZE_MAX) {
		out_add(&made, s.p, found);
		out_put(&made, with);
		s = str_from(s, found + old.n);
	}
	out_put(&made, s);
	b->o = made;
	b->ascii = 0;
	return done(c);
}

static bool clear(struct vm_call *c)
{
	self_of(c)->o.n = self_of(c)->ascii = 0;
	return done(c);
}

static bool get_length(struct vm_call *c)
{
	struct text t;

	return counted(c, &t) && give_int(c, text_length(&t));
}

static bool set_length(struct vm_call *c)
{
	struct text t;
	int64_t length, wanted = arg_int(c, 0);

	if (!counted(c, &t))
		return false;
	length = text_length(&t);
	if (wanted < 0)
		return vm_throw_range(c, "value", "Length cannot be less than zero.");
	if (wanted <= length)
		self_of(c)->o.n = text_offset(&t, wanted);
	else if (vm_charge(c->vm, (uint64_t)(wanted - length) / 16))
		out_fill(&self_of(c)->o, '\0', (size_t)(wanted - length));
	else
		return false;
	return done(c);
}

static bool get_char(struct vm_call *c)
{
	struct text t;

	if (!counted(c, &t))
		return false;
	if (arg_int(c, 0) < 0 || arg_int(c, 0) >= text_length(&t))
		return vm_throw(c, EX_INDEX_RANGE, NULL);
	return vm_return(c, value_char(text_unit(&t, arg_int(c, 0))));
}

static bool set_char(struct vm_call *c)
{
	struct text t;

	if (!counted(c, &t))
		return false;
	if (arg_int(c, 0) < 0 || arg_int(c, 0) >= text_length(&t))
		return vm_throw_range(c, "index", OUT_OF_RANGE);
	return exchange(c, arg_int(c, 0), 1, part_of(c, 1));
}

static bool to_string(struct vm_call *c)
{
	struct text t;
	struct value v;
	const struct text *part;

	if (!counted(c, &t))
		return false;
	if (c->n == 0)
		return vm_return_copy(c, (struct str){ t.p, t.n });
	if (arg_int(c, 0) < 0 || arg_int(c, 1) < 0 || arg_int(c, 0) > text_length(&t) - arg_int(c, 1))
		return vm_throw_range(c, "startIndex", OUT_OF_RANGE);
	part = text_slice(c->arena, &t, arg_int(c, 0), arg_int(c, 1));
	v = part ? value_string(c->arena, text_str(part), true) : VALUE_NULL_INIT;
	return give_made(c, v);
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static bool max_capacity(struct vm_call *c)
{
	return give_int(c, INT32_MAX);
}

/* The room that it would have: only asked for, never given back smaller. */
static bool ensure_capacity(struct vm_call *c)
{
	if (arg_int(c, 0) < 0)
		return vm_throw_range(c, "capacity", "Capacity must be positive.");
	return give_int(c, arg_int(c, 0) > (int64_t)self_of(c)->o.cap ? arg_int(c, 0) : (int64_t)self_of(c)->o.cap);
}

/* (sourceIndex, destination, destinationIndex, count), in UTF-16 units */
static bool copy_to(struct vm_call *c)
{
	struct array *to = value_array(c->args[1]);
	int64_t from = arg_int(c, 0), at = arg_int(c, 2), n = arg_int(c, 3);
	struct text t;

	if (!to)
		return vm_throw_null(c, "destination");
	if (!counted(c, &t))
		return false;
	if (from < 0 || at < 0 || n < 0)
		return vm_throw_range(c, from < 0 ? "sourceIndex" : at < 0 ? "destinationIndex" : "count", OUT_OF_RANGE);
	if (from > text_length(&t) - n || at > (int64_t)to->n - n)
		return vm_throw(c, EX_ARGUMENT, "Either offset did not refer to a position in the string, or there is an insufficient "
				"length of destination character array.");
	if (!vm_charge(c->vm, (uint64_t)n))
		return false;
	for (int64_t i = 0; i < n; i++)
		to->v[at + i] = value_char(text_unit(&t, from + i));
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member builder_members[] = {
	{ "int MaxCapacity { get; }", max_capacity },
	{ "int EnsureCapacity(int capacity)", ensure_capacity },
	{ "void CopyTo(int sourceIndex, char[] destination, int destinationIndex, int count)", copy_to },
	{ "StringBuilder()", new_builder },
	{ "StringBuilder(int capacity)", new_builder },
	{ "StringBuilder(string value)", new_builder },
	{ "StringBuilder(string value, int capacity)", new_builder },
	{ "StringBuilder Append(string value)", append },
	{ "StringBuilder Append(char value)", append },
	{ "StringBuilder Append(object value)", append },
	{ "StringBuilder Append(char[] value)", append_chars },
	{ "StringBuilder Append(string value, int startIndex, int count)", append_part },
	{ "StringBuilder Append(char value, int repeatCount)", append_repeated },
	{ "StringBuilder AppendLine()", append_line },
	{ "StringBuilder AppendLine(string value)", append_line },
	{ "StringBuilder AppendFormat(string format, params object[] args)", append_format },
	{ "StringBuilder AppendFormat(IFormatProvider provider, string format, params object[] args)", append_format },
	{ "StringBuilder Insert(int index, string value)", insert },
	{ "StringBuilder Insert(int index, object value)", insert },
	{ "StringBuilder Remove(int startIndex, int length)", remove_part },
	{ "StringBuilder Replace(string oldValue, string newValue)", replace },
	{ "StringBuilder Replace(char oldChar, char newChar)", replace },
	{ "StringBuilder Clear()", clear },
	{ "int Length { get; set; }", get_length, set_length },
	{ "int Capacity { get; }", get_length },
	{ "char this[int index] { get; set; }", get_char, set_char },
	{ "string ToString()", to_string },
	{ "string ToString(int startIndex, int length)", to_string },
	{ 0 }
};
bool string_writer_add(struct value writer, struct str text)
{
	if (!value_is(writer, &class_writer))
		return false;
	out_put(&((struct builder *)(void *)writer.object)->o, text);
	return true;
}

static bool new_line(struct vm_call *c)
{
	return vm_return_str(c, STR(NEW_LINE));
}

static bool writer_builder(struct vm_call *c)
{
	struct builder *b = vm_new(c, &class_builder, sizeof(*b));

	if (!b)
		return false;
	b->over = self_of(c);
	return vm_return(c, value_object(b));
}

/* UTF-16, as its documentation says; the invariant culture. */
static bool writer_encoding(struct vm_call *c)
{
	return vm_return(c, encoding_utf16());
}

static bool writer_provider(struct vm_call *c)
{
	return vm_return(c, culture_invariant());
}

static const struct class_member writer_members[] = {
	{ "StringBuilder GetStringBuilder()", writer_builder },
	{ "Encoding Encoding { get; }", writer_encoding },
	{ "IFormatProvider FormatProvider { get; }", writer_provider },
	{ "StringWriter()", new_writer },
	{ "void Write(string value)", append },
	{ "void Write(char value)", append },
	{ "void Write(object value)", append },
	{ "void Write(string format, params object[] arg)", append_format },
	{ "void WriteLine()", append_line },
	{ "void WriteLine(string value)", append_line },
	{ "void WriteLine(object value)", append_line },
	{ "string NewLine { get; }", new_line },
	{ "void Flush()", nothing },
	{ "void Close()", nothing },
	{ "void Dispose()", nothing },
	{ "string ToString()", to_string },
	{ 0 }
};

/* ---- StringReader ------------------------------------------------------------------------------------------------------------- */

struct reader {
	struct object head;
	const struct text *text;
	size_t at;                   /* byte; -1 as unit index is kept by text_index */
	bool closed;
};

static bool new_reader(struct vm_call *c)
{
	struct reader *r;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "s");
	r = vm_new(c, &class_reader, sizeof(*r));
	if (!r)
		return false;
	r->text = arg_text(c, 0);
	return vm_return(c, value_object(r));
}

bool string_reader_rest(struct value v, struct str *rest)
{
	struct reader *r = (struct reader *)(void *)v.object;

	if (!value_is(v, &class_reader))
		return false;
	*rest = str_from(text_str(r->text), r->at);
	r->at = r->text->n;
	return true;
}

static bool closed(struct vm_call *c)
{
	return SELF(c, struct reader)->closed && !vm_throw(c, EX_OBJECT_DISPOSED, "Cannot read from a closed TextReader.");
}

static bool read_char(struct vm_call *c, bool advance)
{
	struct reader *r = SELF(c, struct reader);
	struct text rest = { r->text->n - r->at, r->text->ascii, r->text->p + r->at };

	if (closed(c))
		return false;
	if (rest.n == 0)
		return give_int(c, -1);
	if (advance)
		r->at += text_offset(&rest, 1) ? text_offset(&rest, 1) : text_offset(&rest, 2);
	return give_int(c, text_unit(&rest, 0));
}

static bool reader_read(struct vm_call *c)
{
	return read_char(c, true);
}

static bool reader_peek(struct vm_call *c)
{
	return read_char(c, false);
}

/* (buffer, index, count): how many characters were read */
static bool reader_block(struct vm_call *c)
{
	struct array *to = value_array(c->args[0]);
	int64_t at = arg_int(c, 1), n = arg_int(c, 2), done = 0;

	if (!to)
		return vm_throw_null(c, "buffer");
	if (at < 0 || n < 0)
		return vm_throw_range(c, at < 0 ? "index" : "count", "Non-negative number required.");
	if (at > (int64_t)to->n || n > (int64_t)to->n - at)
		return vm_throw(c, EX_ARGUMENT, "Offset and length were out of bounds for the array or count is greater than the number "
				"of elements from index to the end of the source collection.");
	for (; done < n; done++) {
		if (!read_char(c, true) || !vm_charge(c->vm, 2))
			return false;
		if (c->result.i < 0)
			break;
		to->v[at + done] = value_char((uint16_t)c->result.i);
	}
	return give_int(c, done);
}

static bool reader_line(struct vm_call *c)
{
	struct reader *r = SELF(c, struct reader);
	struct str rest = str_from(text_str(r->text), r->at);
	size_t n = 0;

	if (closed(c))
		return false;
	if (rest.n == 0)
		return vm_return(c, VALUE_NULL_INIT);
	while (n < rest.n && rest.p[n] != '\r' && rest.p[n] != '\n')
		n++;
	r->at += n;
	if (n < rest.n)
		r->at += rest.p[n] == '\r' && n + 1 < rest.n && rest.p[n + 1] == '\n' ? 2 : 1;
	return vm_return_str(c, (struct str){ rest.p, n });
}

static bool reader_end(struct vm_call *c)
{
	struct str rest;

	if (closed(c))
		return false;
	string_reader_rest(c->self, &rest);
	return vm_return_str(c, rest.n ? rest : STR(""));
}

static bool reader_close(struct vm_call *c)
{
	SELF(c, struct reader)->closed = true;
	return nothing(c);
}

static const struct class_member reader_members[] = {
	{ "StringReader(string s)", new_reader },
	{ "int Read()", reader_read },
	{ "int Peek()", reader_peek },
	{ "int Read(char[] buffer, int index, int count)", reader_block },
	{ "int ReadBlock(char[] buffer, int index, int count)", reader_block },
	{ "string ReadLine()", reader_line },
	{ "string ReadToEnd()", reader_end },
	{ "void Close()", reader_close },
	{ "void Dispose()", reader_close },
	{ 0 }
};

static struct value_class class_builder = {
	.name = "System.Text.StringBuilder", .members = builder_members, .to_text = builder_text
};
static struct value_class class_text_writer = { .name = "System.IO.TextWriter", .interfaces = "IDisposable" };
static struct value_class class_text_reader = { .name = "System.IO.TextReader", .interfaces = "IDisposable" };
static struct value_class class_writer = {
	.name = "System.IO.StringWriter", .base = "TextWriter", .members = writer_members, .to_text = builder_text
};
static struct value_class class_reader = { .name = "System.IO.StringReader", .base = "TextReader", .members = reader_members };
static struct value_class *const classes[] = { &class_builder, &class_text_writer, &class_text_reader,
					       &class_writer, &class_reader, NULL };

const struct class_module net_builder = { .classes = classes };
