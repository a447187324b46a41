/* library.h - the types that the language itself brings: keywords, exceptions, collections, LINQ, delegates, `context`. */
#pragma once

#include "policy/expr/class.h"

extern const struct class_module *const expr_modules[];      /* library.c; ends with NULL */
extern const struct class_module core_module, exception_module, delegate_module, array_module, list_module,
	dictionary_module, set_module, search_module, tuple_module, interface_module, grid_module, comparer_module, linq_module, context_module;
