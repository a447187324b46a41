#include "core/lang.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/map.h"
#include "core/str.h"
#include "core/yaml.h"

#include <math.h>
#include <unistd.h>

/* A catalogue is a YAML file:
 *
 *   language: Deutsch                      its name in itself
 *   plural: one-other                      which forms a text with numbers has, see `plurals`
 *   numbers: { group: ".", decimal: "," }
 *   dates: { date: "{day}. {month} {year}", time: "{date}, {time} {zone}", months: [Jan., …] }
 *   texts: { "Sign in": "Anmelden" }
 *
 * A theme's catalogue of a language that is shipped needs only `texts`. */

enum { CATALOGUE_MAX = 1 << 20, MONTHS = 12, TEXT_MAX = 16 * 1024, FORMS_MAX = 3 };

struct lang {
	struct str code, name;
	size_t (*form)(int64_t n);
	size_t forms;
	struct str group, decimal;
	struct str date, time;
	struct str months[MONTHS];
	struct map texts;                /* English -> struct str */
};

struct langs {
	struct lang *v[LANG_MAX];
	size_t n;
	const struct lang *english;
};

static size_t one_other(int64_t n)
{
	return n != 1;
}

static size_t zero_one_other(int64_t n)
{
	return n != 0 && n != 1;
}

static size_t no_forms(int64_t n UNUSED)
{
	return 0;
}

/* Czech, Slovak: 1, 2 to 4, the others */
static size_t one_few_other(int64_t n)
{
	return n == 1 ? 0 : n >= 2 && n <= 4 ? 1 : 2;
}

/* Russian, Ukrainian, Serbian: by the last digits; Polish differs in 21, 31 … */
static size_t slavic(int64_t n)
{
	int64_t ten = n % 10, hundred = n % 100;

	if (ten == 1 && hundred != 11)
		return 0;
	return ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14) ? 1 : 2;
}

static size_t polish(int64_t n)
{
	int64_t ten = n % 10, hundred = n % 100;

	if (n == 1)
		return 0;
	return ten >= 2 && ten <= 4 && (hundred < 12 || hundred > 14) ? 1 : 2;
}

static const struct {
	const char *name;
	size_t (*form)(int64_t n);
	size_t forms;
} plurals[] = {
	{ "one-other", one_other, 2 }, { "zero-one-other", zero_one_other, 2 }, { "none", no_forms, 1 },
	{ "one-few-other", one_few_other, 3 }, { "slavic", slavic, 3 }, { "polish", polish, 3 },
};

/* ---- reading a catalogue ------------------------------------------------------------------------------------------------ */

static GH_RC read_text(struct arena *a, const json_t *from, const char *name, struct str *out, struct gh_err *err)
{
	struct str s = jsn_str(from, name);

	if (!s.p)
		return GH_RC_OK;
	*out = arena_dup(a, s);
	if (!out->p)
		FAIL(err, NOMEM, "texts");
	return GH_RC_OK;
}

static GH_RC read_plural(struct lang *l, const json_t *doc, struct gh_err *err)
{
	struct str name = jsn_str(doc, "plural");

	if (!name.p)
		return GH_RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(plurals); i++)
		if (str_eq(name, str_of(plurals[i].name))) {
			l->form = plurals[i].form;
			l->forms = plurals[i].forms;
			return GH_RC_OK;
		}
	FAIL(err, INVALID, "plural: '%.*s' is none of one-other, zero-one-other, none, one-few-other, slavic, polish", STR_ARG(name));
}

static GH_RC read_dates(struct arena *a, struct lang *l, const json_t *doc, struct gh_err *err)
{
	const json_t *numbers = jsn_obj(doc, "numbers"), *dates = jsn_obj(doc, "dates"), *months = jsn_arr(dates, "months");

	TRY(read_text(a, numbers, "group", &l->group, err));
	TRY(read_text(a, numbers, "decimal", &l->decimal, err));
	TRY(read_text(a, dates, "date", &l->date, err));
	TRY(read_text(a, dates, "time", &l->time, err));
	if (months && json_array_size(months) != MONTHS)
		FAIL(err, INVALID, "dates.months: %zu names, not 12", json_array_size(months));
	for (size_t i = 0; months && i < MONTHS; i++) {
		l->months[i] = arena_dup(a, jsn_string(json_array_get(months, i)));
		if (!l->months[i].n)
			FAIL(err, INVALID, "dates.months: name %zu is no text", i + 1);
	}
	return GH_RC_OK;
}

/* The values, as bits, and the '|' of one form. */
static void anatomy(struct str s, unsigned *values, unsigned *bars)
{
	*values = *bars = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '|')
			(*bars)++;
		if (i + 2 < s.n && s.p[i] == '{' && s.p[i + 1] >= '1' && s.p[i + 1] <= '8' && s.p[i + 2] == '}')
			*values |= 1u << (s.p[i + 1] - '0');
	}
}

/* Cuts the next form off. */
static bool next_form(struct str *rest, struct str *form)
{
	size_t at;

	if (!rest->p)
		return false;
	at = str_find(*rest, STR(" || "));
	*form = str_first(*rest, at);
	*rest = at == SIZE_MAX ? STR_NULL : str_from(*rest, at + 4);
	return true;
}

/* A translation must have the values and parts of the English text: else a page loses a link or a name. */
static GH_RC check_text(const struct lang *l, struct str key, struct str text, struct gh_err *err)
{
	unsigned want, want_bars, have, have_bars;
	struct str rest = key, form, last = STR("");
	bool counts = str_find(key, STR(" || ")) != SIZE_MAX;
	size_t forms = 0;

	while (next_form(&rest, &form))
		last = form;
	anatomy(last, &want, &want_bars);
	for (rest = text; next_form(&rest, &form); forms++) {
		anatomy(form, &have, &have_bars);
		if (have_bars != want_bars)
			FAIL(err, INVALID, "'%.*s': %u parts, but %u in English", STR_ARG(key), have_bars + 1, want_bars + 1);
		if ((have | 2u) != (want | 2u) || (!counts && have != want))
			FAIL(err, INVALID, "'%.*s': the values {1}, {2} … are not those of the English text", STR_ARG(key));
	}
	if (forms != (counts ? l->forms : 1))
		FAIL(err, INVALID, "'%.*s': %zu forms, but this language has %zu", STR_ARG(key), forms, counts ? l->forms : 1);
	return GH_RC_OK;
}

static GH_RC read_texts(struct arena *a, struct lang *l, json_t *doc, struct gh_err *err)
{
	const char *key;
	json_t *v;

	json_object_foreach(jsn_obj(doc, "texts"), key, v) {
		struct str *text = arena_new_of(a, struct str), name = arena_dup(a, str_of(key));

		if (!text || !name.p)
			FAIL(err, NOMEM, "texts");
		if (!json_is_string(v) || jsn_string(v).n > TEXT_MAX)
			FAIL(err, INVALID, "'%.*s' is no text", STR_ARG(name));
		*text = arena_dup(a, jsn_string(v));
		TRY(check_text(l, name, *text, err));
		if (!text->p || !map_put(&l->texts, name, text))
			FAIL(err, NOMEM, "texts");
	}
	return GH_RC_OK;
}

static GH_RC read_document(struct arena *a, struct lang *l, json_t *doc, struct gh_err *err)
{
	static const char *const names[] = { "language", "plural", "numbers", "dates", "texts" };
	const char *key;
	json_t *v;

	if (!json_is_object(doc))
		FAIL(err, INVALID, "this is no catalogue: it begins with `texts:`");
	json_object_foreach(doc, key, v) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			known = known || strcmp(key, names[i]) == 0;
		if (!known)
			FAIL(err, INVALID, "'%s' is none of language, plural, numbers, dates, texts", key);
	}
	TRY(read_text(a, doc, "language", &l->name, err));
	TRY(read_plural(l, doc, err));
	TRY(read_dates(a, l, doc, err));
	TRY(read_texts(a, l, doc, err));
	if (!l->name.n)
		FAIL(err, INVALID, "`language` is missing: the name of the language in itself");
	return GH_RC_OK;
}

static GH_RC parse(struct arena *a, struct lang *l, struct str yaml, struct gh_err *err)
{
	const struct yaml_limits limits = { .max_bytes = CATALOGUE_MAX, .max_depth = 8 };
	struct text_where where = { 0, 0 };
	json_t *doc;
	gh_rc rc = yaml_parse(yaml, &limits, &doc, &where, err);

	if (rc.code) {
		struct gh_err inner = *err;

		return gh_err_set(err, rc.code, __FILE__, __LINE__, "%u:%u: %s", where.line, where.column, inner.message);
	}
	rc = read_document(a, l, doc, err);
	json_decref(doc);
	return rc;
}

static void lang_init(struct lang *l, struct arena *a, struct str code)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	*l = (struct lang){ .code = code, .form = one_other, .forms = 2, .group = STR(","), .decimal = STR("."),
			    .date = STR("{day} {month} {year}"), .time = STR("{date}, {time} {zone}") };
	for (size_t i = 0; i < MONTHS; i++)
		l->months[i] = str_of(months[i]);
	map_init(&l->texts, a, false);
}

gh_rc lang_check(struct arena *a, struct str yaml, struct gh_err *err)
{
	struct lang l;

	lang_init(&l, a, STR("xx"));
	l.name = STR("?");                       /* of a shipped one only texts may be given */
	return parse(a, &l, yaml, err);
}

/* ---- all of them ---------------------------------------------------------------------------------------------------------- */

static struct lang *find(const struct langs *l, struct str code)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq_ci(l->v[i]->code, code))
			return l->v[i];
	return NULL;
}

static GH_RC load_file(struct langs *all, struct arena *a, struct str path, struct str code, struct gh_err *err)
{
	struct lang *l = find(all, code), fresh;
	struct str yaml;
	gh_rc rc;

	if (!code.n || code.n > LANG_CODE_MAX)
		FAIL(err, INVALID, "the name of the file is the language, \"fr.yaml\"");
	if (l)
		fresh = *l;                              /* what is wrong in a file leaves the language as it was */
	else
		lang_init(&fresh, a, arena_dup(a, code));
	if (l) {
		const struct map_slot *slot;

		map_init(&fresh.texts, a, false);
		for (size_t i = 0; (slot = map_next(&l->texts, &i));)
			if (!map_put(&fresh.texts, slot->key, slot->value))
				FAIL(err, NOMEM, "texts");
	}
	TRY(file_read(a, path.p, CATALOGUE_MAX, &yaml, err));
	rc = parse(a, &fresh, yaml, err);
	if (rc.code)
		return rc;
	if (!l) {
		l = arena_new_of(a, struct lang);
		if (!l || all->n == LANG_MAX)
			FAIL(err, LIMIT, "more than %d languages", LANG_MAX);
		all->v[all->n++] = l;
	}
	*l = fresh;
	return GH_RC_OK;
}

gh_rc langs_load(struct arena *a, const struct theme *theme, const struct langs **out, struct gh_err *err)
{
	struct langs *all = arena_new_of(a, struct langs);
	struct str *names;
	size_t n;

	if (!all)
		FAIL(err, NOMEM, "texts");
	TRY(theme_folder(theme, a, "templates/lang", ".yaml", &names, &n, err));
	for (int own = 0; own < 2; own++)                /* the shipped ones first: a theme's stand on top of them */
		for (size_t i = 0; i < n; i++) {
			struct str paths[2], code = str_first(names[i], names[i].n - 5);
			struct gh_err wrong;

			TRY(theme_paths(theme, a, arena_printf(a, "templates/lang/%.*s", STR_ARG(names[i])), &paths[1], &paths[0], err));
			if (own && paths[1].p && load_file(all, a, paths[1], code, &wrong).code)
				theme_problem(theme, paths[1], wrong.message);
			if (!own && access(paths[0].p, F_OK) == 0)
				TRY(load_file(all, a, paths[0], code, err));
		}
	all->english = find(all, STR("en"));
	if (!all->english)
		FAIL(err, INVALID, "%s/templates/lang/en.yaml is missing", theme->share_dir);
	*out = all;
	return GH_RC_OK;
}

size_t langs_count(const struct langs *l)
{
	return l->n;
}

const struct lang *langs_at(const struct langs *l, size_t i)
{
	return l->v[i];
}

const struct lang *langs_find(const struct langs *l, struct str code)
{
	return find(l, code);
}

const struct lang *langs_english(const struct langs *l)
{
	return l->english;
}

struct str lang_code(const struct lang *l)
{
	return l->code;
}

struct str lang_name(const struct lang *l)
{
	return l->name;
}

/* "0.8" in thousandths; what is malformed counts nothing. */
static unsigned quality(struct str params)
{
	struct str q = str_trim(params);
	unsigned v = 0, unit = 1000;

	if (!q.n)
		return 1000;
	if (!str_starts_ci(q, STR("q=")))
		return 0;
	for (size_t i = 2; i < q.n && unit; i++) {
		if (q.p[i] == '.' && i == 3)
			continue;
		if (!ascii_is_digit(q.p[i]))
			return 0;
		v += (unsigned)(q.p[i] - '0') * unit;
		unit /= 10;
	}
	return v;
}

const struct lang *langs_accept(const struct langs *l, struct str header)
{
	const struct lang *best = NULL;
	unsigned most = 0;
	struct str item;

	while (str_split(&header, ',', &item)) {
		struct str range = str_trim(str_first(item, str_find_char(item, ';')));
		size_t at = str_find_char(item, ';');
		unsigned q = quality(at == SIZE_MAX ? STR("") : str_from(item, at + 1));
		const struct lang *found = str_eq(range, STR("*")) ? l->english : find(l, range);

		if (!found)
			found = find(l, str_first(range, str_find_char(range, '-')));
		if (found && q > most) {
			best = found;
			most = q;
		}
	}
	return best;
}

/* ---- texts ------------------------------------------------------------------------------------------------------------------ */

static struct str form_of(const struct lang *l, struct str text, int64_t count)
{
	size_t want = l->form(count < 0 ? -count : count);
	struct str rest = text, form = text;

	for (size_t i = 0; next_form(&rest, &form); i++)
		if (i == want)
			break;
	return form;
}

static struct str part_of(struct str text, unsigned part)
{
	struct str one = text;

	while (part && str_split(&text, '|', &one))
		part--;
	return part ? STR("") : one;
}

struct str lang_text(const struct lang *l, struct arena *a, struct str english, unsigned part, const struct lang_value *values,
		     size_t n)
{
	const struct str *found = map_get(&l->texts, english);
	struct str text = found ? *found : english, out;
	struct buf b;

	if (str_find(text, STR(" || ")) != SIZE_MAX) {
		struct lang plain = { .form = one_other };       /* English when it is not translated */

		text = form_of(found ? l : &plain, text, n ? values[0].count : 0);
	}
	text = part_of(text, part);
	if (!n)
		return text;
	buf_init(&b, TEXT_MAX * 4);
	for (size_t i = 0; i < text.n; i++) {
		unsigned at = i + 2 < text.n && text.p[i] == '{' && text.p[i + 2] == '}' ? (unsigned)(text.p[i + 1] - '1') : LANG_VALUES_MAX;

		if (at < n && at < LANG_VALUES_MAX) {
			buf_str(&b, values[at].text);
			i += 2;
		} else {
			buf_char(&b, text.p[i]);
		}
	}
	out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

/* ---- numbers and dates ------------------------------------------------------------------------------------------------------ */

struct str lang_number(const struct lang *l, struct arena *a, int64_t n)
{
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	char digits[24];
	size_t len = 0;
	struct str out;
	struct buf b;

	do {
		digits[len++] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	buf_init(&b, 256);
	if (n < 0)
		buf_char(&b, '-');
	while (len--) {
		buf_char(&b, digits[len]);
		if (len && len % 3 == 0)
			buf_str(&b, l->group);
	}
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}

struct lang_value lang_count(const struct lang *l, struct arena *a, int64_t n)
{
	return (struct lang_value){ lang_number(l, a, n), n };
}

struct str lang_decimal(const struct lang *l, struct arena *a, double v, unsigned digits)
{
	double scale = pow(10, digits), whole;
	double rest = modf(fabs(v) + 0.5 / scale, &whole);

	if (!(fabs(v) < 1e15))
		return STR("–");
	if (!digits)
		return lang_number(l, a, (int64_t)(v < 0 ? -whole : whole));
	return arena_printf(a, "%s%.*s%.*s%0*lld", v < 0 ? "-" : "", STR_ARG(lang_number(l, a, (int64_t)whole)), STR_ARG(l->decimal),
			    (int)digits, (long long)(rest * scale));
}

/* A pattern with {name}s. */
static struct str fill(struct arena *a, struct str pattern, const struct str (*values)[2], size_t n)
{
	struct str out;
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; i < pattern.n; i++) {
		size_t end = pattern.p[i] == '{' ? str_find_char(str_from(pattern, i), '}') : SIZE_MAX, k = n;

		for (k = 0; end != SIZE_MAX && k < n; k++)
			if (str_eq(values[k][0], str_first(str_from(pattern, i + 1), end - 1)))
				break;
		if (end != SIZE_MAX && k < n) {
			buf_str(&b, values[k][1]);
			i += end;
		} else {
			buf_char(&b, pattern.p[i]);
		}
	}
	out = arena_dup(a, str_trim(buf_view(&b)));
	buf_release(&b);
	return out;
}

struct str lang_date(const struct lang *l, struct arena *a, int64_t us, int64_t offset_s)
{
	char iso[CLOCK_ISO_MAX];
	uint64_t month, day;

	if (!us)
		return STR_NULL;
	clock_iso(us + offset_s * 1000000, 0, iso);
	if (!str_to_u64((struct str){ iso + 5, 2 }, 12, &month) || !month || !str_to_u64((struct str){ iso + 8, 2 }, 31, &day))
		return arena_dup(a, str_of(iso));
	return fill(a, l->date,
		    (const struct str[][2]){ { STR("day"), arena_printf(a, "%llu", (unsigned long long)day) },
					     { STR("month"), l->months[month - 1] },
					     { STR("year"), { iso, 4 } } },
		    3);
}

struct str lang_time(const struct lang *l, struct arena *a, int64_t us, int64_t offset_s, struct str zone)
{
	char iso[CLOCK_ISO_MAX];

	if (!us)
		return STR_NULL;
	clock_iso(us + offset_s * 1000000, 0, iso);
	return fill(a, l->time,
		    (const struct str[][2]){ { STR("date"), lang_date(l, a, us, offset_s) }, { STR("time"), { iso + 11, 5 } },
					     { STR("zone"), zone } },
		    3);
}

struct str lang_ago(const struct lang *l, struct arena *a, int64_t us, int64_t now_us)
{
	static const struct {
		int64_t seconds;
		struct str text;
	} units[] = {
		{ 86400 * 365, STR_INIT("{1} year ago || {1} years ago") }, { 86400 * 30, STR_INIT("{1} month ago || {1} months ago") },
		{ 86400, STR_INIT("{1} day ago || {1} days ago") },         { 3600, STR_INIT("{1} hour ago || {1} hours ago") },
		{ 60, STR_INIT("{1} minute ago || {1} minutes ago") },
	};
	int64_t s = (now_us - us) / 1000000;

	if (!us)
		return STR_NULL;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (s >= units[i].seconds) {
			struct lang_value n = lang_count(l, a, s / units[i].seconds);

			return lang_text(l, a, units[i].text, 0, &n, 1);
		}
	return lang_text(l, a, STR("just now"), 0, NULL, 0);
}
