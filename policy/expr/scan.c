/* scan.c - where an expression ends, for the loader that must take it out before an XML parser sees the document. */
#include "core/str.h"
#include "policy/expr/expr.h"
#include "policy/expr/lex.h"

size_t expr_scan(struct str s, const char **what)
{
	struct lexer l = { .source = s, .at = 1 };
	size_t open = 0;

	*what = NULL;
	if (s.n < 2 || s.p[0] != '@' || (s.p[1] != '(' && s.p[1] != '{')) {
		*what = "an expression starts with @( or @{";
		return 0;
	}
	for (;;) {
		struct token t = lex_next(&l);

		if (t.kind == TOKEN_END) {
			*what = s.p[1] == '(' ? "the expression is not closed by )" : "the expression is not closed by }";
			return 0;
		}
		if (t.kind == TOKEN_BAD && l.at >= s.n && t.n != 1) {
			*what = l.what;
			return 0;
		}
		if (t.kind != TOKEN_PUNCT)
			continue;
		if (t.id == '(' || t.id == '{' || t.id == '[' || t.id == P2('?', '['))
			open++;
		else if ((t.id == ')' || t.id == '}' || t.id == ']') && --open == 0)
			return l.at;
	}
}
