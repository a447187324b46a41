#include "policy/schema_forms.h"

#include "core/str.h"

#include <stdlib.h>

struct schema_form {
	struct schema_form *next;
	const json_t *schema;
	struct schema_choice choice;
	struct jsonschema *js;               /* NULL: it does not compile */
	char why[256];
};

void schema_forms_init(struct schema_forms *f)
{
	memset(f, 0, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
}

void schema_forms_release(struct schema_forms *f)
{
	for (size_t i = 0; i < SCHEMA_FORMS_BUCKETS; i++)
		for (struct schema_form *c = f->buckets[i], *next; c; c = next) {
			next = c->next;
			jsonschema_free(c->js);
			free(c);
		}
	pthread_mutex_destroy(&f->lock);
}

static bool same(const struct schema_choice *a, const struct schema_choice *b)
{
	return a->direction == b->direction && a->closed == b->closed && a->open == b->open && a->ignore_case == b->ignore_case;
}

/* Under the lock. NULL: too many, or out of memory. */
static struct schema_form *find(struct schema_forms *f, json_t *schema, const struct schema_choice *choice, schema_maker *make,
				void *ctx)
{
	struct schema_form **bucket = &f->buckets[((uintptr_t)schema >> 4) % SCHEMA_FORMS_BUCKETS], *c;
	struct gh_err err = { 0 };

	for (c = *bucket; c; c = c->next)
		if (c->schema == schema && same(&c->choice, choice))
			return c;
	if (f->n == SCHEMA_FORMS_MAX || !(c = calloc(1, sizeof(*c))))
		return NULL;
	f->n++;
	c->schema = schema;
	c->choice = *choice;
	if (make(ctx, schema, choice, &c->js, &err).code) {
		struct str why = str_first(str_of(err.message), sizeof(c->why) - 1);

		c->js = NULL;
		memcpy(c->why, why.p, why.n);
	}
	c->next = *bucket;
	*bucket = c;
	return c;
}

const struct jsonschema *schema_forms_get(struct schema_forms *f, json_t *schema, const struct schema_choice *choice,
					  schema_maker *make, void *ctx, struct gh_err *err)
{
	struct schema_form *c;

	pthread_mutex_lock(&f->lock);
	c = find(f, schema, choice, make, ctx);
	pthread_mutex_unlock(&f->lock);
	if (c && c->js)
		return c->js;
	(void)gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%s", c ? c->why : "too many schemas");
	return NULL;
}
