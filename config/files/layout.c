#include "config/files/layout.h"

#include "core/str.h"

enum { SEGMENT_MAX = 180 };

/* One part of an id as a name that every file system takes; long ones are cut and told apart by a hash. */
static void put_segment(struct buf *b, struct str s)
{
	size_t from = b->n;

	for (size_t i = 0; i < s.n && b->n - from < SEGMENT_MAX; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c >= 0x80 || (c && strchr("-_.@=+;,~", c));

		if (plain && (c != '.' || i > 0))
			buf_char(b, (char)c);
		else
			buf_fmt(b, "%%%02X", c);
	}
	if (b->n - from >= SEGMENT_MAX) {
		while (b->n > from && ((unsigned char)b->p[b->n - 1] & 0xc0) == 0x80)
			b->n--;                          /* not in the middle of a character */
		buf_fmt(b, "-%016llx", (unsigned long long)str_hash(s));
	}
}

static void put_id(struct buf *b, struct str id)
{
	struct str part;
	bool first = true;

	while (str_split(&id, '/', &part)) {
		if (!first)
			buf_char(b, '/');
		put_segment(b, part.n ? part : STR(" "));
		first = false;
	}
}

/* "orders;rev=2/get-order": the API, and what is behind it. */
static struct layout_owner of_api(struct str id)
{
	size_t end = str_find_char(id, '/'), rev = str_find_char(id, ';');

	if (rev < end)
		end = rev;
	return (struct layout_owner){ "api", str_first(id, end), end == SIZE_MAX ? STR("") : str_from(id, end + 1) };
}

struct layout_owner layout_owner(const struct resource_kind *k, const json_t *doc)
{
	const struct resource_field *f = k->fields;
	struct str id = jsn_str(doc, "id");

	if (strcmp(k->name, "api") == 0)
		return (struct layout_owner){ "api", id, STR("") };
	if (strcmp(k->name, "product") == 0)
		return (struct layout_owner){ "product", id, STR("") };
	if (str_starts(id, STR("api:")))
		return of_api(str_from(id, 4));
	if (str_starts(id, STR("operation:")))
		return of_api(str_from(id, 10));
	if (str_starts(id, STR("product:")))
		return (struct layout_owner){ "product", str_from(id, 8), STR("") };
	for (; f->name; f++) {
		struct str owner = jsn_str(doc, f->name);

		if (f->type != RESOURCE_REF || !(f->flags & (RESOURCE_FIXED | RESOURCE_READ_ONLY)) || !owner.n)
			continue;
		if (strcmp(f->ref, "api") == 0) {
			struct layout_owner o = of_api(id);

			return str_eq(o.id, owner) ? o : (struct layout_owner){ "api", owner, id };
		}
		if (strcmp(f->ref, "product") == 0)
			return (struct layout_owner){ "product", owner, id };
	}
	if (strcmp(k->name, "operation") == 0 || strcmp(k->name, "revision") == 0)
		return of_api(id);
	return (struct layout_owner){ NULL, STR_NULL, id };
}

static const char *owner_folder(const char *kind)
{
	return strcmp(kind, "api") == 0 ? "apis" : "products";
}

static struct str take(struct arena *a, struct buf *b)
{
	struct str out = buf_ok(b) ? arena_dup(a, buf_view(b)) : STR_NULL;

	buf_release(b);
	return out;
}

struct str layout_file(struct arena *a, const struct resource_kind *k, const json_t *doc)
{
	struct layout_owner o = layout_owner(k, doc);
	struct buf b;

	buf_init(&b, FILES_PATH_MAX);
	if (k->single) {
		buf_fmt(&b, "%s.yaml", k->name);
	} else if (o.kind) {
		buf_fmt(&b, "%s/", owner_folder(o.kind));
		put_segment(&b, o.id);
		buf_fmt(&b, "/%s.yaml", strcmp(o.kind, k->name) == 0 ? k->name : k->plural);
	} else {
		buf_fmt(&b, "%s/", k->plural);
		put_id(&b, o.rest);
		buf_cstr(&b, ".yaml");
	}
	return take(a, &b);
}

static bool has_line(struct str text, struct str begin)
{
	struct str rest = text, line;

	for (unsigned i = 0; i < 200 && str_split(&rest, '\n', &line); i++)
		if (str_starts(line, begin))
			return true;
	return false;
}

static const char *ending(const struct resource_kind *k, struct str text)
{
	struct str start = str_trim(str_first(text, 4096));

	if (str_starts(start, STR("\xef\xbb\xbf")))
		start = str_trim(str_from(start, 3));
	if (strstr(k->name, "page") || strcmp(k->name, "terms") == 0)
		return "md";
	if (strcmp(k->name, "governance-ruleset") == 0)
		return "yaml";
	if (str_starts(start, STR("<")))
		return "xml";
	if (str_starts(start, STR("{")) || str_starts(start, STR("[")))
		return "json";
	return has_line(text, STR("openapi:")) || has_line(text, STR("swagger:")) ? "yaml" : "txt";
}

struct str layout_text_file(struct arena *a, const struct resource_kind *k, const json_t *doc, const struct resource_field *f,
			    struct str text)
{
	struct layout_owner o = layout_owner(k, doc);
	const char *end = ending(k, text), *what = strcmp(k->name, "policy") == 0 ? "policy" : f->name;
	struct buf b;

	if ((strcmp(end, "yaml") == 0 && strcmp(f->name, "rules") != 0) || (strcmp(end, "json") == 0 && o.kind))
		what = "openapi";
	buf_init(&b, FILES_PATH_MAX);
	if (k->single) {                         /* in a folder of its own, so that a later export takes it away again */
		buf_fmt(&b, "%s/%s.%s", k->plural, what, end);
	} else if (o.kind) {
		buf_fmt(&b, "%s/", owner_folder(o.kind));
		put_segment(&b, o.id);
		buf_char(&b, '/');
		if (o.rest.n) {
			put_id(&b, o.rest);
			buf_char(&b, '.');
		}
		buf_fmt(&b, "%s.%s", what, end);
	} else {
		buf_fmt(&b, "%s/", k->plural);
		put_id(&b, o.rest);
		buf_fmt(&b, strcmp(end, "yaml") == 0 ? ".%s.%s" : "%.0s.%s", what, end);
	}
	return take(a, &b);
}
