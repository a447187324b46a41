/* resource.h - how commands change the configuration: a command makes a document of its options and passes it to the one door of
 * config/resource.h, as forms, REST calls and files do. What is wrong is told in the words that those tell.
 *
 *     static const struct doc_option fields[] = {
 *         { "name", "name", DOC_TEXT }, { "require-key", "subscriptionRequired", DOC_YES }, DOC_END
 *     };
 *     return cli_patch(c, "product", id, cli_document(c, fields), err);
 *
 * Several resources in one transaction:
 *
 *     TRY(cli_change_begin(c, &ch, err));
 *     rc = cli_put(&ch, "product", id, doc, RESOURCE_CREATE, &out, err);
 *     rc = rc.code ? rc : cli_put(&ch, ...);
 *     TRY(cli_change_end(&ch, rc, err)); */
#pragma once

#include "cli/command.h"
#include "config/resource.h"

/* What an option becomes in a document; one that is not given leaves its field out. */
enum doc_kind {
	DOC_TEXT,
	DOC_OR_NULL,             /* a text; empty or "none": null */
	DOC_YES,                 /* yes|no */
	DOC_FLAG,                /* true when it is given */
	DOC_INT,
	DOC_LIST,                /* each time one more; "" or "none" alone: an empty list */
	DOC_TIME,                /* a day or a moment; "", "none" or "never": null */
};
struct doc_option {
	const char *option, *field;
	enum doc_kind kind;
};
#define DOC_END { NULL, NULL, DOC_TEXT }
/* Owned by the arena. NULL: no memory; the functions below then say so. */
json_t *cli_document(struct cli *c, const struct doc_option *table);
/* What a file holds, at most `most` bytes, as a field. INVALID: it is no text in UTF-8, which is what documents are made of. */
gh_rc cli_file_field(struct cli *c, json_t *doc, const char *field, const char *file, size_t most, struct gh_err *err);
/* The pieces of every value of an OPTION_MANY between commas and blanks as a list; "none" is an empty one. NULL: it was not given. */
json_t *cli_list_field(struct cli *c, const char *option);
json_t *cli_list_of(struct str text);     /* of one text */

struct cli_change {
	struct cli *c;
	struct store *store;
	struct resource_change *change;
	bool makes_id;                   /* of what is made: nobody knows it yet, so messages leave it out */
};
/* Opens the store. A change must be ended. */
gh_rc cli_change_begin(struct cli *c, struct cli_change *out, struct gh_err *err);
/* *out (may be NULL) as resource_write says it. */
gh_rc cli_put(struct cli_change *ch, const char *kind, struct str id, json_t *doc, enum resource_how how, struct resource_outcome *out,
	      struct gh_err *err);
/* Lays the document over the resource as it stands (RFC 7396). NOT_FOUND: there is none. */
gh_rc cli_merge(struct cli_change *ch, const char *kind, struct str id, json_t *patch, struct resource_outcome *out, struct gh_err *err);
/* The same, or makes it. */
gh_rc cli_lay(struct cli_change *ch, const char *kind, struct str id, json_t *doc, struct resource_outcome *out, struct gh_err *err);
/* Finds the account with that e-mail address. NOT_FOUND says which address was probably meant. */
struct store_user;
gh_rc cli_find_user(struct cli *c, struct store *s, const char *email, struct store_user *out, struct gh_err *err);
/* NOT_FOUND, with the name that was probably meant: `if (!found) return cli_no_such(c, s, "api", id, err);` */
gh_rc cli_no_such(struct cli *c, struct store *s, const char *kind, struct str id, struct gh_err *err);
/* The same of an API, or of the revision of one that is there (0: none was asked for). */
gh_rc cli_no_api(struct cli *c, struct store *s, struct str id, int64_t revision, struct gh_err *err);
gh_rc cli_drop(struct cli_change *ch, const char *kind, struct str id, struct gh_err *err);
/* Commits, or says all that is wrong with the documents: each on a line of standard error, the last one in err. */
gh_rc cli_change_end(struct cli_change *ch, gh_rc so_far, struct gh_err *err);

/* The same, of one resource. */
gh_rc cli_create(struct cli *c, const char *kind, struct str id, json_t *doc, struct resource_outcome *out, struct gh_err *err);
/* Whether it could be made; it is not. The messages are those of cli_create. */
gh_rc cli_try(struct cli *c, const char *kind, struct str id, json_t *doc, struct gh_err *err);
gh_rc cli_replace(struct cli *c, const char *kind, struct str id, json_t *doc, struct gh_err *err);      /* makes or replaces */
/* Makes it, or changes what the document names. */
gh_rc cli_set(struct cli *c, const char *kind, struct str id, json_t *doc, struct gh_err *err);
gh_rc cli_patch(struct cli *c, const char *kind, struct str id, json_t *patch, struct gh_err *err);
gh_rc cli_remove(struct cli *c, const char *kind, struct str id, struct gh_err *err);
