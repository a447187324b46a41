#include "policy/expr/library.h"

const struct class_module *const expr_modules[] = {
	&core_module, &exception_module, &delegate_module, &interface_module, &array_module, &grid_module, &list_module, &dictionary_module,
	&set_module, &search_module, &comparer_module, &tuple_module, &linq_module, &context_module, NULL,
};
