/* net.c - the list of what the .NET library brings: one module a file. */
#include "policy/expr/class.h"

const struct class_module *const net_modules[] = {
	NULL,
};
