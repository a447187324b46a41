/* regex.c - System.Text.RegularExpressions: Regex, Match, Group, Capture and their collections. */
#include "core/str.h"
#include "policy/expr/link.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/out.h"
#include "policy/net/regex_net.h"
#include "policy/net/unicode.h"

static struct value_class class_regex;
static struct value_class class_options;

/* ---- running ------------------------------------------------------------------------------------------------------------------- */

static const struct regex_code *code_of(struct vm_call *c, struct str pattern, int64_t options)
{
	struct gh_err err = { 0 };
	const struct regex_code *r;
	bool fresh;

	if (options & REGEX_RIGHT_TO_LEFT && options & REGEX_ECMASCRIPT) {
		vm_throw_range(c, "options", NULL);
		return NULL;
	}
	if (!vm_charge(c->vm, 10))
		return NULL;
	r = regex_get(c->arena, pattern, (unsigned)options & ~(unsigned)(REGEX_COMPILED | REGEX_CULTURE_INVARIANT), &fresh, &err);
	if (fresh && !vm_charge(c->vm, COST_REGEX_COMPILE))
		return NULL;
	if (!r && err.code == GH_E_NOMEM)
		vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	else if (!r && err.code == GH_E_UNSUPPORTED)
		vm_throw(c, EX_NOT_SUPPORTED, "parsing \"%.*s\" - %s", STR_ARG(pattern), err.message);
	else if (!r)
		vm_throw(c, EX_ARGUMENT, "parsing \"%.*s\" - %s", STR_ARG(pattern), err.message);
	return r;
}

/* The regex and its input, of an instance (input, …) or a static member (input, pattern, …[options][timeout]). */
struct job {
	const struct regex_code *code;
	const struct text *subject;
	size_t next_arg;             /* first argument after input (and pattern) */
	int64_t count;               /* -1: all */
	size_t from;
};

static bool from_right(const struct job *j)
{
	return j->code->options & REGEX_RIGHT_TO_LEFT;
}

static bool read_job(struct vm_call *c, struct job *j)
{
	bool is_static = c->self.kind == VALUE_NULL;
	int64_t options = 0;
	struct str clean;

	*j = (struct job){ .next_arg = is_static ? 2 : 1, .count = -1 };
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "input");
	if (is_static && arg_is_null(c, 1))
		return vm_throw_null(c, "pattern");
	for (size_t i = j->next_arg; i < c->n; i++)
		if (value_is(c->args[i], &class_options))
			options = enum_value(c->args[i]);
	j->code = is_static ? code_of(c, arg_str(c, 1), options) : SELF(c, struct regex)->code;
	if (!j->code)
		return false;
	j->subject = arg_text(c, 0);
	if (!j->subject->ascii) {
		clean = text_clean(c->arena, arg_str(c, 0));
		j->subject = clean.p ? text_new(c->arena, clean, false) : NULL;
	}
	if (!j->subject)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	j->from = from_right(j) ? j->subject->n : 0;
	return true;
}

static bool start_at(struct vm_call *c, struct job *j, int64_t unit)
{
	if (unit < 0 || unit > text_length(j->subject))
		return vm_throw_range(c, "startat", "Start index cannot be less than 0 or greater than input length.");
	j->from = text_offset(j->subject, unit);
	return true;
}

/* ---- Regex ---------------------------------------------------------------------------------------------------------------------- */

static bool new_regex(struct vm_call *c)
{
	struct regex *r;
	const struct regex_code *code;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "pattern");
	code = code_of(c, arg_str(c, 0), c->n > 1 ? arg_enum(c, 1) : 0);
	r = code ? vm_new(c, &class_regex, sizeof(*r)) : NULL;
	if (!r)
		return false;
	r->code = code;
	return vm_return(c, value_object(r));
}

static bool is_match(struct vm_call *c)
{
	struct job j;
	struct match *m;

	if (!read_job(c, &j))
		return false;
	if (c->n > j.next_arg && c->args[j.next_arg].kind == VALUE_INT && !start_at(c, &j, arg_int(c, j.next_arg)))
		return false;
	return regex_run(c, j.code, j.subject, j.from, &m) && give_bool(c, m != NULL);
}

static bool match(struct vm_call *c)
{
	struct job j;
	struct match *m;

	if (!read_job(c, &j))
		return false;
	if (c->n > j.next_arg && c->args[j.next_arg].kind == VALUE_INT && !start_at(c, &j, arg_int(c, j.next_arg)))
		return false;
	return regex_run(c, j.code, j.subject, j.from, &m) && give_match(c, m);
}

static bool matches(struct vm_call *c)
{
	struct group_list *l = vm_new(c, &class_matches, sizeof(*l));
	size_t cap = 0;
	struct job j;
	struct match *m;

	if (!l || !read_job(c, &j))
		return false;
	if (c->n > j.next_arg && c->args[j.next_arg].kind == VALUE_INT && !start_at(c, &j, arg_int(c, j.next_arg)))
		return false;
	for (; j.from != SIZE_MAX; j.from = regex_after(m)) {
		if (!regex_run(c, j.code, j.subject, j.from, &m))
			return false;
		if (!m)
			break;
		if (!regex_list_add(c, l, &cap, value_object(m)))
			return false;
	}
	return vm_return(c, value_object(l));
}

/* ---- replacing ------------------------------------------------------------------------------------------------------------------- */

static bool replace_one(struct vm_call *c, struct out *o, struct match *m, struct value with)
{
	struct value arg = value_object(m), result;

	if (with.kind == VALUE_STRING) {
		regex_expand(o, m, text_str(with.text));
		return true;
	}
	if (!vm_invoke(c->vm, with, &arg, 1, &result))
		return false;
	out_put(o, value_str(result));
	return true;
}

/* The matches come from the right: what stands between them is put together at the end. */
static bool replace_from_right(struct vm_call *c, struct job *j, struct value with)
{
	struct group_list pieces = { .n = 0 };
	struct out o = out_in(c->arena);
	size_t cap = 0, end = j->subject->n;
	struct match *m;

	for (; j->from != SIZE_MAX && j->count != 0; j->from = regex_after(m), j->count -= j->count > 0) {
		struct out one = out_in(c->arena);

		if (!regex_run(c, j->code, j->subject, j->from, &m))
			return false;
		if (!m)
			break;
		if (!replace_one(c, &one, m, with))
			return false;
		out_add(&one, j->subject->p + m->whole.to, end - m->whole.to);
		end = m->whole.from;
		if (one.failed || !regex_list_add(c, &pieces, &cap, value_string(c->arena, one.n ? out_str(&one) : STR(""), false)))
			return vm_failed(c->vm) ? false : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	}
	if (pieces.n == 0)
		return vm_return(c, c->args[0]);
	out_add(&o, j->subject->p, end);
	while (pieces.n > 0)
		out_put(&o, value_str(pieces.v[--pieces.n]));
	return o.n ? give_new(c, out_str(&o)) : o.failed ? vm_throw(c, EX_OUT_OF_MEMORY, NULL) : vm_return_str(c, STR(""));
}

/* Replace(input, replacement|evaluator, [count, [startat]]) or static (input, pattern, replacement|evaluator, …). */
static bool replace(struct vm_call *c)
{
	struct out o = out_in(c->arena);
	size_t done = 0;
	struct job j;
	struct match *m;
	struct value with;

	if (!read_job(c, &j))
		return false;
	with = c->args[j.next_arg];
	if (with.kind == VALUE_NULL)
		return vm_throw_null(c, "replacement");
	if (c->n > j.next_arg + 1 && c->args[j.next_arg + 1].kind == VALUE_INT)
		j.count = arg_int(c, j.next_arg + 1);
	if (j.count < -1)
		return vm_throw_range(c, "count", "Count cannot be less than -1.");
	if (c->n > j.next_arg + 2 && c->args[j.next_arg + 2].kind == VALUE_INT && !start_at(c, &j, arg_int(c, j.next_arg + 2)))
		return false;
	if (from_right(&j))
		return replace_from_right(c, &j, with);
	for (; j.from != SIZE_MAX && j.count != 0; j.from = regex_after(m), j.count -= j.count > 0) {
		if (!regex_run(c, j.code, j.subject, j.from, &m))
			return false;
		if (!m)
			break;
		out_add(&o, j.subject->p + done, m->whole.from - done);
		if (!replace_one(c, &o, m, with))
			return false;
		done = m->whole.to;
	}
	if (done == 0 && o.n == 0 && !o.failed)
		return vm_return(c, c->args[0]);
	out_add(&o, j.subject->p + done, j.subject->n - done);
	return give_new(c, out_str(&o));
}

/* ---- splitting -------------------------------------------------------------------------------------------------------------------- */

static bool split(struct vm_call *c)
{
	struct group_list l = { .n = 0 };
	size_t cap = 0, done = 0;
	struct job j;
	struct match *m;
	struct array *out;
	struct str rest;

	if (!read_job(c, &j))
		return false;
	if (c->n > j.next_arg && c->args[j.next_arg].kind == VALUE_INT)
		j.count = arg_int(c, j.next_arg);
	if (j.count < -1)
		return vm_throw_range(c, "count", "Count cannot be less than -1.");
	j.count = j.count <= 0 ? -1 : j.count - 1;
	done = from_right(&j) ? j.subject->n : 0;
	for (; j.from != SIZE_MAX && j.count != 0; j.from = regex_after(m), j.count -= j.count > 0) {
		struct str part;

		if (!regex_run(c, j.code, j.subject, j.from, &m))
			return false;
		if (!m)
			break;
		if (from_right(&j))
			part = (struct str){ j.subject->p + m->whole.to, done - m->whole.to };
		else
			part = (struct str){ j.subject->p + done, m->whole.from - done };
		if (!regex_list_add(c, &l, &cap, value_string(c->arena, part, false)))
			return false;
		for (unsigned g = 1; g < j.code->n_groups; g++) {
			part = regex_span(m, g);
			if (part.p && !regex_list_add(c, &l, &cap, value_string(c->arena, part, false)))
				return false;
		}
		done = from_right(&j) ? m->whole.from : m->whole.to;
	}
	rest = from_right(&j) ? (struct str){ j.subject->p, done } : (struct str){ j.subject->p + done, j.subject->n - done };
	if (!regex_list_add(c, &l, &cap, value_string(c->arena, rest, false)))
		return false;
	out = vm_array(c, l.n);
	for (size_t i = 0; out && i < l.n; i++)
		out->v[i] = l.v[from_right(&j) ? l.n - 1 - i : i];
	return out && vm_return(c, value_object(out));
}

/* ---- escaping --------------------------------------------------------------------------------------------------------------------- */

static bool escape(struct vm_call *c)
{
	static const char plain[] = "\\*+?|{[()^$.# ", control[] = "\t\n\f\r", letters[] = "tnfr";
	struct str s = arg_str(c, 0);
	struct out o = out_in(c->arena);

	if (!s.p)
		return vm_throw_null(c, "str");
	for (size_t i = 0; i < s.n; i++) {
		const char *found = s.p[i] ? strchr(control, s.p[i]) : NULL;

		if (found || (s.p[i] && strchr(plain, s.p[i])))
			out_char(&o, '\\');
		out_char(&o, found ? letters[found - control] : s.p[i]);
	}
	return charge_bytes(c, s.n) && give_new(c, out_str(&o));
}

static int hex(struct str s, size_t at, size_t n)
{
	int out = 0;

	for (size_t i = at; i < at + n; i++) {
		char ch = i < s.n ? ascii_lower(s.p[i]) : 'x';

		if (!ascii_is_digit(ch) && !(ch >= 'a' && ch <= 'f'))
			return -1;
		out = out * 16 + (ascii_is_digit(ch) ? ch - '0' : ch - 'a' + 10);
	}
	return out;
}

static bool unescape(struct vm_call *c)
{
	static const char letters[] = "tnfrave", control[] = "\t\n\f\r\a\v\033";
	struct str s = arg_str(c, 0);
	struct out o = out_in(c->arena);

	if (!s.p)
		return vm_throw_null(c, "str");
	for (size_t i = 0; i < s.n; i++) {
		const char *found;
		int cp;

		if (s.p[i] != '\\') {
			out_char(&o, s.p[i]);
			continue;
		}
		if (++i >= s.n)
			return vm_throw(c, EX_ARGUMENT, "parsing \"%.*s\" - Illegal \\ at end of pattern.", STR_ARG(s));
		found = s.p[i] ? strchr(letters, s.p[i]) : NULL;
		cp = s.p[i] == 'x' ? hex(s, i + 1, 2) : s.p[i] == 'u' ? hex(s, i + 1, 4) : 0;
		if (cp < 0)
			return vm_throw(c, EX_ARGUMENT, "parsing \"%.*s\" - Insufficient hexadecimal digits.", STR_ARG(s));
		if (found)
			out_char(&o, control[found - letters]);
		else if (s.p[i] == 'x' || s.p[i] == 'u')
			out_code_point(&o, (uint32_t)cp);
		else
			out_char(&o, s.p[i]);
		i += s.p[i] == 'x' ? 2 : s.p[i] == 'u' ? 4 : 0;
	}
	return give_new(c, out_str(&o));
}

static bool regex_to_string(struct vm_call *c)
{
	return vm_return_str(c, SELF(c, struct regex)->code->pattern);
}

static struct str regex_text(struct arena *a, struct value v)
{
	return arena_dup(a, ((struct regex *)(void *)v.object)->code->pattern);
}

static bool get_options(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_options, SELF(c, struct regex)->code->options));
}

static bool group_names(struct vm_call *c)
{
	const struct regex_code *code = SELF(c, struct regex)->code;
	struct array *out = vm_array(c, code->n_groups);

	for (unsigned i = 0; out && i < code->n_groups; i++)
		out->v[i] = value_string(c->arena, code->groups[i].name, true);
	return out && vm_return(c, value_object(out));
}

static const struct class_member regex_members[] = {
	{ "Regex(string pattern)", new_regex },
	{ "Regex(string pattern, RegexOptions options)", new_regex },
	{ "Regex(string pattern, RegexOptions options, TimeSpan matchTimeout)", new_regex },
	{ "bool IsMatch(string input)", is_match },
	{ "bool IsMatch(string input, int startat)", is_match },
	{ "static bool IsMatch(string input, string pattern)", is_match },
	{ "static bool IsMatch(string input, string pattern, RegexOptions options)", is_match },
	{ "static bool IsMatch(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", is_match },
	{ "Match Match(string input)", match },
	{ "Match Match(string input, int startat)", match },
	{ "static Match Match(string input, string pattern)", match },
	{ "static Match Match(string input, string pattern, RegexOptions options)", match },
	{ "static Match Match(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", match },
	{ "MatchCollection Matches(string input)", matches },
	{ "MatchCollection Matches(string input, int startat)", matches },
	{ "static MatchCollection Matches(string input, string pattern)", matches },
	{ "static MatchCollection Matches(string input, string pattern, RegexOptions options)", matches },
	{ "static MatchCollection Matches(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", matches },
	{ "string Replace(string input, string replacement)", replace },
	{ "string Replace(string input, string replacement, int count)", replace },
	{ "string Replace(string input, string replacement, int count, int startat)", replace },
	{ "string Replace(string input, Func<Match, string> evaluator)", replace },
	{ "string Replace(string input, Func<Match, string> evaluator, int count)", replace },
	{ "static string Replace(string input, string pattern, string replacement)", replace },
	{ "static string Replace(string input, string pattern, string replacement, RegexOptions options)", replace },
	{ "static string Replace(string input, string pattern, string replacement, RegexOptions options, TimeSpan matchTimeout)",
	  replace },
	{ "static string Replace(string input, string pattern, Func<Match, string> evaluator)", replace },
	{ "static string Replace(string input, string pattern, Func<Match, string> evaluator, RegexOptions options)", replace },
	{ "string[] Split(string input)", split },
	{ "string[] Split(string input, int count)", split },
	{ "static string[] Split(string input, string pattern)", split },
	{ "static string[] Split(string input, string pattern, RegexOptions options)", split },
	{ "static string[] Split(string input, string pattern, RegexOptions options, TimeSpan matchTimeout)", split },
	{ "static string Escape(string str)", escape },
	{ "static string Unescape(string str)", unescape },
	{ "RegexOptions Options { get; }", get_options },
	{ "string[] GetGroupNames()", group_names },
	{ "string ToString()", regex_to_string },
	{ 0 }
};
static const struct class_member options[] = {
	{ "None = 0" }, { "IgnoreCase = 1" }, { "Multiline = 2" }, { "ExplicitCapture = 4" }, { "Compiled = 8" },
	{ "Singleline = 16" }, { "IgnorePatternWhitespace = 32" }, { "RightToLeft = 64" }, { "ECMAScript = 256" },
	{ "CultureInvariant = 512" },
	{ 0 }
};

/* A pattern in the document that .NET would take and that cannot be carried over. One that is wrong for .NET too is an exception
 * when it is reached, as there. */
static struct str check_pattern(struct arena *a, const struct member *m, const struct value *const *args, size_t *which)
{
	const struct value *pattern = NULL;
	unsigned chosen = 0;
	struct gh_err err = { 0 };
	bool fresh;

	for (size_t i = 0; i < m->n; i++) {
		if (str_eq(m->params[i].name, STR("pattern"))) {
			pattern = args[i];
			*which = i;
		} else if (str_eq(m->params[i].name, STR("options")) && args[i]) {
			chosen = (unsigned)enum_value(*args[i]);
		}
	}
	if (!pattern || pattern->kind != VALUE_STRING ||
	    regex_get(a, text_str(pattern->text), chosen & ~(unsigned)(REGEX_COMPILED | REGEX_CULTURE_INVARIANT), &fresh, &err) ||
	    err.code != GH_E_UNSUPPORTED)
		return STR_NULL;
	return arena_printf(a, "this pattern cannot be used: %s", err.message);
}

static struct value_class class_regex = { .name = NAMESPACE "Regex", .members = regex_members, .to_text = regex_text, .check = check_pattern };
static struct value_class class_options = {
	.name = NAMESPACE "RegexOptions", .kind = CLASS_ENUM, .flags = true, .members = options
};
static struct value_class *const classes[] = { &class_regex, &class_options, NULL };

const struct class_module net_regex = { .classes = classes };
