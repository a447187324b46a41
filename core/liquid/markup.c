#include "core/liquid/internal.h"

#include <string.h>

/* Follows HTML well enough to know what an output inside it would have to be escaped for. It reads the fixed text of a
 * template only, which is ours: it need not mend broken markup, just never take an attribute for text. */

static const char *const address_attrs[] = { "href", "src", "action", "formaction", "poster", "cite", "data", "background",
					     "manifest", "ping", "xlink:href", NULL };
static const char *const forbidden_attrs[] = { "style", "srcdoc", "srcset", "http-equiv", NULL };

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static enum attr_kind attr_kind_of(const char *name)
{
	if (strncmp(name, "on", 2) == 0 || listed(forbidden_attrs, name))
		return ATTR_FORBIDDEN;
	return listed(address_attrs, name) ? ATTR_ADDRESS : ATTR_PLAIN;
}

static void name_begin(struct markup *m)
{
	m->name_n = 0;
	m->name[0] = '\0';
}

static void name_add(struct markup *m, char c)
{
	if (m->name_n + 1 < sizeof(m->name)) {
		m->name[m->name_n++] = ascii_lower(c);
		m->name[m->name_n] = '\0';
	}
}

static void tag_end(struct markup *m)
{
	bool raw = !m->closing && (strcmp(m->tag, "script") == 0 || strcmp(m->tag, "style") == 0);

	m->state = raw ? MARKUP_RAW_TEXT : MARKUP_TEXT;
	name_begin(m);
}

static void feed_less(struct markup *m, char c)
{
	if (c == '!' || c == '?') {
		m->state = MARKUP_DECLARATION;
		m->dashes = 0;
	} else if (c == '/' || ascii_is_alpha(c)) {
		m->closing = c == '/';
		m->state = MARKUP_TAG_NAME;
		name_begin(m);
		if (c != '/')
			name_add(m, c);
	} else {
		m->state = MARKUP_TEXT;
	}
}

static void feed_in_tag(struct markup *m, char c)
{
	if (c == '>') {
		tag_end(m);
	} else if (!ascii_is_space(c) && c != '/') {
		name_begin(m);
		name_add(m, c);
		m->state = MARKUP_ATTR_NAME;
	}
}

static void feed_tag_name(struct markup *m, char c)
{
	if (!ascii_is_space(c) && c != '>' && c != '/') {
		name_add(m, c);
		return;
	}
	memcpy(m->tag, m->name, sizeof(m->tag));
	m->state = MARKUP_IN_TAG;
	if (c == '>')
		tag_end(m);
}

static void feed_attr_name(struct markup *m, char c)
{
	if (c == '=' || ascii_is_space(c) || c == '>' || c == '/') {
		m->attr = attr_kind_of(m->name);
		m->value_begun = false;
		m->state = c == '=' ? MARKUP_EQUALS : MARKUP_AFTER_NAME;
		if (c == '>')
			tag_end(m);
	} else {
		name_add(m, c);
	}
}

static void feed_after_name(struct markup *m, char c)
{
	if (c == '=') {
		m->state = MARKUP_EQUALS;
	} else if (!ascii_is_space(c)) {
		m->state = MARKUP_IN_TAG;
		feed_in_tag(m, c);
	}
}

static void feed_equals(struct markup *m, char c)
{
	if (c == '"')
		m->state = MARKUP_VALUE_DOUBLE;
	else if (c == '\'')
		m->state = MARKUP_VALUE_SINGLE;
	else if (c == '>')
		tag_end(m);
	else if (!ascii_is_space(c))
		m->state = MARKUP_VALUE_BARE;
}

static void feed_value(struct markup *m, char c)
{
	bool ends = m->state == MARKUP_VALUE_DOUBLE ? c == '"' : m->state == MARKUP_VALUE_SINGLE ? c == '\'' : ascii_is_space(c);

	if (m->state == MARKUP_VALUE_BARE && c == '>')
		tag_end(m);
	else if (ends)
		m->state = MARKUP_IN_TAG;
	else
		m->value_begun = true;
}

static void feed_declaration(struct markup *m, char c)
{
	if (m->dashes < 2 && c == '-' && m->state == MARKUP_DECLARATION) {
		if (++m->dashes == 2) {
			m->state = MARKUP_COMMENT;
			m->dashes = 0;
		}
	} else if (m->state == MARKUP_DECLARATION) {
		m->dashes = 3;
		if (c == '>')
			m->state = MARKUP_TEXT;
	} else if (c == '>' && m->dashes >= 2) {
		m->state = MARKUP_TEXT;
	} else {
		m->dashes = c == '-' ? m->dashes + 1 : 0;
	}
}

/* In script or style until "</script" or "</style": the name is gathered from the last '<' on. */
static void feed_raw_text(struct markup *m, char c)
{
	size_t n = strlen(m->tag);

	if (c == '<') {
		name_begin(m);
		name_add(m, c);
	} else if (m->name_n) {
		name_add(m, c);
	}
	if (m->name_n == n + 2 && m->name[0] == '<' && m->name[1] == '/' && strcmp(m->name + 2, m->tag) == 0) {
		m->closing = true;
		m->state = MARKUP_IN_TAG;
	}
}

static void feed_text(struct markup *m, char c)
{
	if (c == '<')
		m->state = MARKUP_LESS;
}

void markup_feed(struct markup *m, struct str text)
{
	static void (*const feed[])(struct markup *, char) = {
		[MARKUP_TEXT] = feed_text,
		[MARKUP_LESS] = feed_less,
		[MARKUP_TAG_NAME] = feed_tag_name,
		[MARKUP_IN_TAG] = feed_in_tag,
		[MARKUP_ATTR_NAME] = feed_attr_name,
		[MARKUP_AFTER_NAME] = feed_after_name,
		[MARKUP_EQUALS] = feed_equals,
		[MARKUP_VALUE_DOUBLE] = feed_value,
		[MARKUP_VALUE_SINGLE] = feed_value,
		[MARKUP_VALUE_BARE] = feed_value,
		[MARKUP_DECLARATION] = feed_declaration,
		[MARKUP_COMMENT] = feed_declaration,
		[MARKUP_RAW_TEXT] = feed_raw_text,
	};

	for (size_t i = 0; i < text.n; i++)
		feed[m->state](m, text.p[i]);
}

static bool in_value(const struct markup *m)
{
	return m->state == MARKUP_VALUE_DOUBLE || m->state == MARKUP_VALUE_SINGLE;
}

/* Behind a tag's or attribute's name is the same place as between attributes. */
static enum markup_state broad(const struct markup *m)
{
	bool in_tag = m->state == MARKUP_AFTER_NAME || m->state == MARKUP_ATTR_NAME || m->state == MARKUP_TAG_NAME;

	return in_tag ? MARKUP_IN_TAG : m->state;
}

bool markup_same(const struct markup *a, const struct markup *b)
{
	return broad(a) == broad(b) && (!in_value(a) || a->attr == b->attr)
	       && (a->state != MARKUP_RAW_TEXT || strcmp(a->tag, b->tag) == 0);
}

const char *markup_describe(const struct markup *m)
{
	switch (m->state) {
	case MARKUP_TEXT:
		return "in text";
	case MARKUP_VALUE_DOUBLE:
	case MARKUP_VALUE_SINGLE:
		return m->attr == ATTR_FORBIDDEN ? "in a script, style or srcset attribute" : "in an attribute";
	case MARKUP_VALUE_BARE:
	case MARKUP_EQUALS:
		return "in an attribute value without quotes";
	case MARKUP_COMMENT:
	case MARKUP_DECLARATION:
		return "in an HTML comment or declaration";
	case MARKUP_RAW_TEXT:
		return "in a script or style element";
	default:
		return "inside a tag";
	}
}
