#include "policy/element.h"

#include "core/str.h"

#define POLICY(type) extern const struct policy_type type;
#include "policy/registry.def"
#undef POLICY

const struct policy_type *const policy_types[] = {
#define POLICY(type) &type,
#include "policy/registry.def"
#undef POLICY
	NULL,
};

const struct policy_type *policy_type_find(struct str name)
{
	size_t lo = 0, hi = ARRAY_LEN(policy_types) - 1;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = str_cmp(name, str_of(policy_types[mid]->schema->name));

		if (!order)
			return policy_types[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}
