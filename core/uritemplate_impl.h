/* uritemplate_impl.h - a parsed template, for core/uritemplate*.c only. */
#pragma once

#include "core/uritemplate.h"

enum segment_kind { SEGMENT_LITERAL, SEGMENT_MIXED, SEGMENT_PARAM, SEGMENT_WILD };

struct piece {                               /* of a mixed segment: literal and parameter take turns */
	struct str literal;                  /* decoded, lower case; .p NULL: a parameter */
};

struct segment {
	enum segment_kind kind;
	struct str literal;                  /* LITERAL: decoded, lower case. MIXED: "{}.{}", to compare segments */
	struct piece *pieces;                /* MIXED */
	size_t n_pieces;
	struct str name;                     /* PARAM, WILD; STR_NULL: a bare "*" */
	struct str fallback;                 /* PARAM: {name=fallback}; STR_NULL: none */
};

struct query_item {
	struct str key;                      /* decoded */
	struct str name;                     /* of the parameter; STR_NULL: a literal value, or none */
	struct str literal;                  /* value that it must have; STR_NULL: any */
	struct str fallback;                 /* STR_NULL: it must be there */
};

struct uritemplate {
	struct str text;
	struct segment *segments;
	struct query_item *query;
	struct str *names;
	size_t n_segments, n_query, n_names;
	size_t least_segments;               /* less those at the end that have a fallback, or the wildcard */
	bool slash;                          /* ends in a slash */
};

/* A path cut at its slashes; a slash at the end makes no empty segment but is remembered. */
struct path_cut {
	struct str v[URITEMPLATE_SEGMENTS_MAX];
	size_t n;
	bool more;                           /* than fit */
	bool slash;
	struct str path;                     /* without the first slash */
};

void path_cut(struct str path, struct path_cut *out);
bool uritemplate_query_fits(const struct uritemplate *t, struct str query);
bool uritemplate_segment_fits(const struct segment *s, struct arena *a, struct str raw, struct str *values);
/* The parameters of a path and query that are known to match. */
bool uritemplate_values_of(const struct uritemplate *t, struct arena *a, const struct path_cut *cut, struct str query,
			   struct uritemplate_values *values);
