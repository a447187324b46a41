/* Bodies that are masked. Properties: the output keeps its limit, nothing is left under the name that was marked once it is
 * masked (masking again changes nothing), and a body without names of secrets stays as it was. */
#include "core/body_mask.h"
#include "core/str.h"

#include <stdlib.h>

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_any(struct str s, const char *of)
{
	for (; *of; of++)
		if (str_find_char(s, *of) != SIZE_MAX)
			return true;
	return false;
}

static void once(struct arena *a, enum body_form form, struct str body)
{
	static const struct str name = STR_INIT("iban");
	const struct mask_names marked = { &name, 1 };
	static const char *const nests[] = { [BODY_FORM_TEXT] = "\\%&+<=", [BODY_FORM_FIELDS] = "\\%+<{[\"", [BODY_FORM_XML] = "\\%&+={[\"!" };
	struct buf first, again;

	buf_init(&first, 7 * body.n + 16);
	buf_init(&again, 7 * (7 * body.n + 16) + 16);
	MUST(mask_body(&first, a, form, body, &marked));
	MUST(mask_body(&again, a, form, buf_view(&first), &marked));
	/* with texts within texts the second time may hide more: what is written anew may be deeper than is looked */
	if (!has_any(body, nests[form]))
		MUST(str_eq(buf_view(&first), buf_view(&again)));
	if (str_find(buf_view(&first), STR("***")) == SIZE_MAX && form != BODY_FORM_XML)
		MUST(str_eq(buf_view(&first), body));
	buf_release(&first);
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size };
	struct arena *a;

	if (size > 16384 || !(a = arena_new(16 << 20)))
		return 0;
	mask_form_of(STR(""), body);
	once(a, BODY_FORM_TEXT, body);
	once(a, BODY_FORM_FIELDS, body);
	once(a, BODY_FORM_XML, body);
	arena_free(a);
	return 0;
}
