/* words.h - enumerations that have a name and a text for each member, made from one list:
 *
 *     #define COLOURS(X) X(RED, "like a rose") X(BLUE, "like the sea")
 *     static const struct word colours[COLOUR__COUNT] = { COLOURS(WORD_OF_COLOUR) };      with
 *     #define WORD_OF_COLOUR(name, text) [COLOUR_##name] = { #name, text }, */
#pragma once

#include <stddef.h>

struct word {
	const char *name, *text;
};

/* "?" for what is no member. */
static inline const char *word_name(const struct word *words, size_t n, size_t i)
{
	return i < n && words[i].name ? words[i].name : "?";
}

static inline const char *word_text(const struct word *words, size_t n, size_t i)
{
	return i < n && words[i].text ? words[i].text : "?";
}
