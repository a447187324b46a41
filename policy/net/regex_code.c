/* regex_code.c - compiled patterns, shared by all threads of the process.
 *
 * The cache is SETS lists of WAYS entries; a pattern's hash chooses the list. An entry that somebody holds is never thrown
 * out; when all entries of a list are held, the new one is not cached and ends with its arena. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "policy/net/regex_code.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/str.h"
#include "policy/expr/class.h"

enum { SETS = 128, WAYS = 8, CODE_BYTES_MAX = 4 << 20, TURNED_KEPT = 1 << 20 };
enum { LOOKS = 64, LOOK_COST = 10 };         /* of a callout, in instructions */

static struct {
	pthread_mutex_t lock;
	struct regex_code *entry[SETS][WAYS];
	uint64_t clock;
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local struct {
	pcre2_match_context *context;
	pcre2_match_data *data;
	uint32_t slots;
	char *turned;
	size_t turned_cap;
} scratch;

static void code_free(struct regex_code *r)
{
	pcre2_code_free(r->pcre);
	pcre2_code_free(r->watched);
	arena_free(r->arena);
}

static const char *net_message(int error, char text[static 200])
{
	static const struct {
		int error;
		const char *message;
	} known[] = {
		{ PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS, "Not enough )'s." },
		{ PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, "Too many )'s." },
		{ PCRE2_ERROR_MISSING_SQUARE_BRACKET, "Unterminated [] set." },
		{ PCRE2_ERROR_CLASS_RANGE_ORDER, "[x-y] range in reverse order." },
		{ PCRE2_ERROR_QUANTIFIER_INVALID, "Quantifier {x,y} following nothing." },
		{ PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER, "Illegal {x,y} with x > y." },
		{ PCRE2_ERROR_QUANTIFIER_TOO_BIG, "Capture group numbers must be less than or equal to Int32.MaxValue." },
		{ PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH, "A look-behind without a bound is not supported." },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].error == error)
			return known[i].message;
	pcre2_get_error_message(error, (PCRE2_UCHAR *)text, 200);
	return text;
}

static uint32_t pcre_options(unsigned o)
{
	uint32_t to = PCRE2_UTF | PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK;

	to |= o & REGEX_ECMASCRIPT ? 0 : PCRE2_UCP;
	to |= o & REGEX_IGNORE_CASE ? PCRE2_CASELESS : 0;
	to |= o & REGEX_MULTILINE ? PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX : 0;     /* ^ also behind the last line break */
	to |= o & REGEX_SINGLELINE ? PCRE2_DOTALL : 0;
	to |= o & REGEX_IGNORE_WHITE ? PCRE2_EXTENDED : 0;
	return to | (o & REGEX_EXPLICIT_CAPTURE ? PCRE2_NO_AUTO_CAPTURE : 0);
}

/* RightToLeft: the pattern turned round, its groups in .NET's order. */
static struct str turned(struct regex_code *r, unsigned *options, struct gh_err *err)
{
	struct str *names, pattern;
	struct regex_group *groups, *ordered;
	unsigned n, n_groups;
	struct str to;

	pattern = regex_reverse(r->arena, r->pattern, r->options, &names, &n, err);
	*options &= ~(unsigned)(REGEX_RIGHT_TO_LEFT | REGEX_EXPLICIT_CAPTURE | REGEX_IGNORE_WHITE);
	to = pattern.p ? regex_translate(r->arena, pattern, *options, &groups, &n_groups, &r->n_slots, err) : STR_NULL;
	ordered = to.p ? arena_alloc(r->arena, n, sizeof(*ordered)) : NULL;
	if (!ordered) {
		if (to.p)
			gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "Out of memory.");
		return STR_NULL;
	}
	for (unsigned i = 0; i < n; i++) {
		bool number = i > 0 && ascii_is_digit(names[i].p[0]);
		struct str inner = number ? arena_printf(r->arena, "_g%.*s", STR_ARG(names[i])) : names[i];

		for (unsigned g = 0; g < n_groups; g++)
			if (i == 0 ? g == 0 : g > 0 && str_eq(groups[g].name, inner))
				ordered[i] = groups[g];
		ordered[i].name = names[i];
	}
	r->groups = ordered;
	r->n_groups = n;
	return to;
}

static pcre2_code *pcre_compile(struct str to, uint32_t options, int *error)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code;
	size_t where;

	if (!context)
		return NULL;
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_set_max_pattern_length(context, REGEX_PATTERN_MAX * 4);
	code = pcre2_compile((PCRE2_SPTR)to.p, to.n, options, error, &where, context);
	pcre2_compile_context_free(context);
	return code;
}

static bool compile(struct regex_code *r, struct gh_err *err)
{
	unsigned options = r->options;
	struct str to = r->options & REGEX_RIGHT_TO_LEFT ? turned(r, &options, err)
			: regex_translate(r->arena, r->pattern, options, &r->groups, &r->n_groups, &r->n_slots, err);
	char text[200];
	int error = 0;

	if (!to.p)
		return false;
	r->translated = to;
	r->pcre_options = pcre_options(options);
	r->pcre = pcre_compile(to, r->pcre_options, &error);
	if (!r->pcre) {
		gh_err_set(err, error == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH ? GH_E_UNSUPPORTED : GH_E_INVALID, __FILE__, __LINE__,
			   "%s", net_message(error, text));
		return false;
	}
	pcre2_jit_compile(r->pcre, PCRE2_JIT_COMPLETE);
	return true;
}

static struct regex_code *make(struct str pattern, unsigned options, struct gh_err *err)
{
	struct arena *a = arena_new(CODE_BYTES_MAX);
	struct regex_code *r = a ? arena_new_of(a, struct regex_code) : NULL;

	if (!r) {
		arena_free(a);
		gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "Out of memory.");
		return NULL;
	}
	r->arena = a;
	r->pattern = arena_dup(a, pattern);
	r->options = options;
	r->refs = 1;
	if (r->pattern.p && compile(r, err))
		return r;
	code_free(r);
	return NULL;
}

static struct regex_code *find(struct regex_code **set, struct str pattern, unsigned options)
{
	for (int i = 0; i < WAYS; i++)
		if (set[i] && set[i]->options == options && str_eq(set[i]->pattern, pattern))
			return set[i];
	return NULL;
}

/* Puts a new entry in place of the one that was used longest ago and that nobody holds. */
static void keep(struct regex_code **set, struct regex_code *r)
{
	struct regex_code **place = NULL;

	for (int i = 0; i < WAYS; i++)
		if (!set[i] || (set[i]->refs == 0 && (!place || (*place && set[i]->used < (*place)->used))))
			place = &set[i];
	if (!place)
		return;
	if (*place)
		code_free(*place);
	*place = r;
	r->cached = true;
}

static void release(void *arg)
{
	struct regex_code *r = arg;
	bool last;

	pthread_mutex_lock(&cache.lock);
	last = --r->refs == 0 && !r->cached;
	pthread_mutex_unlock(&cache.lock);
	if (last)
		code_free(r);
}

const struct regex_code *regex_get(struct arena *a, struct str pattern, unsigned options, bool *fresh, struct gh_err *err)
{
	struct regex_code **set = cache.entry[(str_hash(pattern) + options) % SETS], *r, *other;

	*fresh = false;
	if (pattern.n > REGEX_PATTERN_MAX || !utf8_valid(pattern)) {
		gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "The pattern is too long.");
		return NULL;
	}
	pthread_mutex_lock(&cache.lock);
	r = find(set, pattern, options);
	if (r) {
		r->refs++;
		r->used = ++cache.clock;
	}
	pthread_mutex_unlock(&cache.lock);
	*fresh = !r;
	if (!r) {
		r = make(pattern, options, err);
		if (!r)
			return NULL;
		pthread_mutex_lock(&cache.lock);
		other = find(set, pattern, options);
		r->used = ++cache.clock;
		if (!other)
			keep(set, r);
		pthread_mutex_unlock(&cache.lock);
	}
	if (!arena_defer(a, release, r)) {
		release(r);
		gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "Out of memory.");
		return NULL;
	}
	return r;
}

/* Match data and context are kept per thread; they grow to the largest pattern. */
static bool prepare(uint32_t slots)
{
	if (!scratch.context) {
		scratch.context = pcre2_match_context_create(NULL);
		if (!scratch.context)
			return false;
		pcre2_set_heap_limit(scratch.context, REGEX_HEAP_KIB);
	}
	if (scratch.slots >= slots)
		return true;
	pcre2_match_data_free(scratch.data);
	scratch.slots = slots < 32 ? 32 : slots;
	scratch.data = pcre2_match_data_create(scratch.slots, NULL);
	if (!scratch.data)
		scratch.slots = 0;
	return scratch.data != NULL;
}

/* The characters of s from the last to the first, in memory of this thread; STR_NULL: there is none. */
static struct str text_turned(struct str s)
{
	size_t to = s.n;

	if (s.n + 1 > scratch.turned_cap || scratch.turned_cap > TURNED_KEPT) {
		free(scratch.turned);
		scratch.turned = malloc(s.n + 1);
		scratch.turned_cap = scratch.turned ? s.n + 1 : 0;
	}
	if (!scratch.turned)
		return STR_NULL;
	for (size_t at = 0; at < s.n;) {
		unsigned n = utf8_decode(str_from(s, at), NULL);

		n = n ? n : 1;
		to -= n;
		memcpy(scratch.turned + to, s.p + at, n);
		at += n;
	}
	return (struct str){ scratch.turned, s.n };
}

static void turn_spans(size_t *spans, unsigned n_slots, size_t n)
{
	for (unsigned i = 0; i < n_slots; i++) {
		size_t from = spans[2 * i], to = spans[2 * i + 1];

		if (from != SIZE_MAX) {
			spans[2 * i] = n - to;
			spans[2 * i + 1] = n - from;
		}
	}
}

static int match(const struct regex_code *r, struct str s, size_t from, uint32_t limit)
{
	int n;

	pcre2_set_match_limit(scratch.context, limit);
	n = pcre2_match(r->pcre, (PCRE2_SPTR)s.p, s.n, from, PCRE2_NO_UTF_CHECK, scratch.data, scratch.context);
	if (n == PCRE2_ERROR_JIT_STACKLIMIT)
		n = pcre2_match(r->pcre, (PCRE2_SPTR)s.p, s.n, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, scratch.data,
				scratch.context);
	return n;
}

enum regex_result regex_match(const struct regex_code *r, struct str s, size_t from, uint32_t steps, size_t *spans)
{
	const size_t *found;
	int n;

	if (!prepare(r->n_slots))
		return REGEX_MEMORY;
	if (r->options & REGEX_RIGHT_TO_LEFT) {
		s = text_turned(s);
		from = s.n - from;
		if (!s.p)
			return REGEX_MEMORY;
	}
	n = match(r, s, from, steps);
	if (n == PCRE2_ERROR_NOMATCH)
		return REGEX_NO_MATCH;
	if (n < 0)
		return n == PCRE2_ERROR_NOMEMORY ? REGEX_MEMORY : REGEX_TIMEOUT;
	found = pcre2_get_ovector_pointer(scratch.data);
	for (unsigned i = 0; i < r->n_slots * 2; i++)
		spans[i] = i < (unsigned)n * 2 ? found[i] : SIZE_MAX;
	if (r->options & REGEX_RIGHT_TO_LEFT)
		turn_spans(spans, r->n_slots, s.n);
	return REGEX_MATCH;
}

/* ---- captures on the way -------------------------------------------------------------------------------------------------- */

struct trail {
	struct arena *a;
	unsigned slot;
	size_t *v, n, cap;           /* pairs */
	uint64_t steps;
	bool failed;
};

/* The slot holds this now. What was tried and given up is taken back: the captures of one match follow each other, so the one
 * that is seen again, or that begins before another ends, stands in the place of those behind it. */
static void now_holds(struct trail *t, size_t from, size_t to)
{
	size_t n = t->n;

	while (n && (t->v[2 * n - 2] != from || t->v[2 * n - 1] != to))
		n--;
	if (n) {
		t->n = n;
		return;
	}
	while (t->n && (t->v[2 * t->n - 1] > from || t->v[2 * t->n - 2] > from))
		t->n--;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 8, *v = arena_alloc(t->a, cap * 2, sizeof(*v));

		if (!v) {
			t->failed = true;
			return;
		}
		if (t->n)
			memcpy(v, t->v, t->n * 2 * sizeof(*v));
		t->v = v;
		t->cap = cap;
	}
	t->v[2 * t->n] = from;
	t->v[2 * t->n + 1] = to;
	t->n++;
}

static int look(pcre2_callout_block *b, void *arg)
{
	struct trail *t = arg;
	const size_t *held = b->offset_vector + 2 * t->slot;

	if (++t->steps % LOOKS == 0 && !vm_charge_here(LOOKS * LOOK_COST))
		t->failed = true;
	if (b->capture_top <= t->slot || held[0] == PCRE2_UNSET)
		t->n = 0;
	else if (!t->n || t->v[2 * t->n - 2] != held[0] || t->v[2 * t->n - 1] != held[1])
		now_holds(t, held[0], held[1]);
	return t->failed ? PCRE2_ERROR_CALLOUT : 0;
}

static const pcre2_code *watched_code(struct regex_code *r)
{
	const pcre2_code *code;
	int error;

	pthread_mutex_lock(&cache.lock);
	if (!r->watched)
		r->watched = pcre_compile(r->translated, r->pcre_options | PCRE2_AUTO_CALLOUT, &error);
	code = r->watched;
	pthread_mutex_unlock(&cache.lock);
	return code;
}

bool regex_captures(const struct regex_code *r, struct arena *a, struct str s, size_t from, unsigned slot, size_t **spans, size_t *n)
{
	const pcre2_code *code = watched_code((struct regex_code *)(uintptr_t)r);
	struct trail t = { .a = a, .slot = slot };
	const size_t *found;
	int result;

	if (!code || !prepare(r->n_slots))
		return false;
	if (r->options & REGEX_RIGHT_TO_LEFT) {
		s = text_turned(s);
		from = s.n - from;
	}
	if (!s.p)
		return false;
	pcre2_set_callout(scratch.context, look, &t);
	pcre2_set_match_limit(scratch.context, REGEX_MATCH_LIMIT);
	result = pcre2_match(code, (PCRE2_SPTR)s.p, s.n, from, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, scratch.data, scratch.context);
	pcre2_set_callout(scratch.context, NULL, NULL);
	if (t.failed)
		return false;
	*n = 0;
	*spans = NULL;
	if (result < 0)                         /* too many steps: whoever asked has the last capture */
		return true;
	found = pcre2_get_ovector_pointer(scratch.data);
	if ((unsigned)result <= slot || found[2 * slot] == PCRE2_UNSET)
		return true;
	now_holds(&t, found[2 * slot], found[2 * slot + 1]);
	if (r->options & REGEX_RIGHT_TO_LEFT)
		turn_spans(t.v, (unsigned)t.n, s.n);
	*spans = t.v;
	*n = t.n;
	return !t.failed;
}
