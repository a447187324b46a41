/* schema_forms.h - compiled forms of JSON Schemas, made when they are first asked for and then kept: one for each schema
 * (by the address of its JSON) and each choice of options. Several threads may ask at once. */
#pragma once

#include "core/jsonschema.h"

#include <pthread.h>

struct schema_choice {                   /* as in struct jsonschema_options */
	enum jsonschema_direction direction;
	bool closed, open, ignore_case;
};

enum { SCHEMA_FORMS_MAX = 20000, SCHEMA_FORMS_BUCKETS = 256 };

struct schema_form;

struct schema_forms {
	pthread_mutex_t lock;
	struct schema_form *buckets[SCHEMA_FORMS_BUCKETS];
	size_t n;
};

typedef GH_RC schema_maker(void *ctx, json_t *schema, const struct schema_choice *choice, struct jsonschema **out,
			   struct gh_err *err);

void schema_forms_init(struct schema_forms *f);
void schema_forms_release(struct schema_forms *f);
/* NULL with a message when it does not compile. */
const struct jsonschema *schema_forms_get(struct schema_forms *f, json_t *schema, const struct schema_choice *choice,
					  schema_maker *make, void *ctx, struct gh_err *err);
