/* lex.h - C# tokens. The lexer never allocates; the decoded value of a string is made on demand (lex_unescape). */
#pragma once

#include "core/arena.h"

enum token_kind { TOKEN_END, TOKEN_BAD, TOKEN_NAME, TOKEN_KEYWORD, TOKEN_NUMBER, TOKEN_CHAR, TOKEN_STRING, TOKEN_PUNCT };

#define LEX_KEYWORDS(X)                                                                                               \
	X(as) X(bool) X(break) X(byte) X(case) X(catch) X(char) X(checked) X(class) X(const) X(continue) X(decimal)  \
	X(default) X(delegate) X(do) X(double) X(else) X(enum) X(false) X(finally) X(fixed) X(float) X(for)          \
	X(foreach) X(goto) X(if) X(in) X(int) X(is) X(lock) X(long) X(namespace) X(new) X(null) X(object) X(out)     \
	X(params) X(ref) X(return) X(sbyte) X(short) X(sizeof) X(static) X(string) X(switch) X(this) X(throw)        \
	X(true) X(try) X(typeof) X(uint) X(ulong) X(unchecked) X(unsafe) X(ushort) X(using) X(void) X(while)

enum keyword {
	KW_none = 0x1000000,         /* apart from every punctuator */
#define X(word) KW_##word,
	LEX_KEYWORDS(X)
#undef X
};

/* Punctuators are named by their bytes: '(', P2('=', '='). `>` is always single: `>>` and generics look alike. */
#define P2(a, b) ((uint32_t)(a) << 8 | (uint32_t)(b))
#define P3(a, b, c) ((uint32_t)(a) << 16 | P2(b, c))

struct token {
	enum token_kind kind;
	uint32_t id;                 /* keyword or punctuator */
	uint32_t at, n;              /* bytes of the source */
	bool verbatim, interpolated; /* TOKEN_STRING */
	bool spaced;                 /* white space or a comment stands before it */
};

struct lexer {
	struct str source;
	size_t at;
	const char *what;            /* after TOKEN_BAD: why */
};

/* The next token; TOKEN_END at the end, TOKEN_BAD for what is no token. */
struct token lex_next(struct lexer *l);

/* In an interpolated string: end of the hole whose "{" stands at `at`, that is the place of its "}"; 0: not closed. */
size_t lex_hole_end(struct str source, size_t at);

/* Text of a plain string, or of the piece [at, at + n) of an interpolated one (doubled braces become single). Escapes are
 * decoded to UTF-8. .p NULL: out of memory or a bad escape, then *what says why. */
struct str lex_unescape(struct arena *a, struct str piece, bool verbatim, bool interpolated, const char **what);
