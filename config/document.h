/* document.h - a document against the table of its kind. For config/ only. */
#pragma once

#include "config/kind.h"

#include <stdarg.h>

/* The document in its normal form: all writable fields in the order of the table, defaults filled in, without the id. What is
 * wrong becomes problems of the change, for the kind and id that it is at. NULL: not even an object, or out of memory. */
json_t *resource_normal(struct resource_change *c, struct arena *a, const json_t *document);
/* C0, DEL and C1: nothing that people type, and terminals obey them. */
bool resource_has_control(struct str s);
/* A new reference. */
json_t *resource_default(const struct resource_field *f);
/* Puts the writable fields that have a member into the row, and the id. */
void resource_fill(const struct resource_kind *k, const json_t *normal, struct str id, void *row);
/* What policies were compiled with holds no longer once one of these kinds is written. */
void resource_forget_policies(struct resource_change *c, const struct resource_kind *k);
/* resource_problem with its arguments (config/problem.c). */
void resource_add_problem(struct resource_change *c, const struct resource_kind *k, struct str id, struct str pointer, const char *fmt,
			  va_list args) __attribute__((format(printf, 5, 0)));
