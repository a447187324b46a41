/* bind_place.h - private to assignments and to what is taken apart: a place that can be written. Its parts are kept in
 * temporaries, so that `a[f()] += 1` calls f once and `(i, a[i]) = …` writes the element that i meant before. */
#pragma once

#include "policy/expr/bind.h"

struct place {
	struct node *read;           /* its present value */
	struct local *local;
	struct node *array, *index;  /* element of an array */
	struct place *tuple;         /* an element of the tuple at that place */
	size_t item;
	struct node *self, *args;    /* property or indexer */
	const struct member *member;
	const struct type *owner, *type;
	struct node *before;         /* list of assignments to temporaries: to be run first */
	struct node **last;
};

/* once: it is only written, and at once; nothing is kept and there is no .read. False: an error has been reported. */
bool place_of(struct binder *b, struct place *p, struct syntax *s, bool once);
struct node *place_write(struct binder *b, struct place *p, size_t at, struct node *value);
