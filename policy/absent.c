/* absent.c - stands in for .NET objects that the library does not make yet, so that what needs none of them works. Each
 * is replaced by the real one at link time and this file goes with the last. */
#include "core/error.h"
#include "policy/net/make.h"

#define ABSENT __attribute__((weak))
#define NO_RESULT(name, ...)                                                            \
	ABSENT gh_rc name(__VA_ARGS__, struct value *out UNUSED, struct gh_err *err)    \
	{                                                                               \
		FAIL(err, UNSUPPORTED, "this kind of value is not supported");          \
	}
NO_RESULT(xml_element_value, struct arena *a UNUSED, struct str text UNUSED)
NO_RESULT(xml_document_value, struct arena *a UNUSED, struct str text UNUSED)

ABSENT struct value jwt_value(struct arena *a UNUSED, struct str token UNUSED)
{
	return VALUE_NULL_INIT;
}
