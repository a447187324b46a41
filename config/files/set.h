/* set.h - the resources that configuration files describe, each with its place.
 *
 * A YAML file holds one or more documents, parted by lines of `---`. A document is a resource as config/resource.h has it, with
 * `$kind` in front:
 *
 *     $kind: policy
 *     id: api:orders
 *     policy:
 *       $file: policy.xml            the text of that file, by its path from this one
 *
 * The document of `$kind: configuration` says what the files cover: only there does plan see deletions.
 *
 *     $kind: configuration
 *     format: 1
 *     kinds: [apis, operations]      what is there of these kinds and in no file is deleted
 *     environments: [sandbox]        only what belongs to these; left out: all
 *
 * Reading collects all problems; nothing here looks into the store. Lives in the arena. Not thread-safe. */
#pragma once

#include "config/files/tree.h"
#include "config/resource.h"
#include "core/map.h"

#define FILES_KIND "$kind"
#define FILES_FILE "$file"
#define FILES_COVER "configuration"      /* $kind of the document that says what the files cover */
#define FILES_HEAD "gatehouse.yaml"      /* where an export puts it */
#define FILES_THEME "theme/"             /* files of the portal's theme, as they are */
enum { FILES_FORMAT = 1, FILES_PROBLEMS_MAX = 200 };
#define FILES_AGAIN_MAX ((size_t)64 << 20)       /* bytes of files, each counted whenever it is named after the first time */

struct files_doc {
	const struct resource_kind *kind;
	struct str id;
	json_t *doc;                     /* with its id, without $kind; texts of files put in */
	struct str file;                 /* path in the tree */
	struct str text;                 /* of this document alone */
	unsigned line;                   /* lines of the file before it */
};

struct files_problem {
	const struct files_doc *doc;     /* NULL: of no resource */
	struct str file;
	struct text_where at;            /* {0, 0}: the file as a whole */
	struct str message;
};

struct files_set {
	struct arena *arena;
	const struct tree *tree;
	bool *named;                     /* by file of the tree: it is a resource, or one names it */
	bool *copied;                    /* by file of the tree: a document has its text */
	struct files_doc *docs;          /* in the order of resource_kinds, then by id */
	size_t n, cap;
	struct map by_name;              /* "product gold" -> struct files_doc */
	bool covers[64];                 /* by the kind's place in resource_kinds */
	json_t *environments;            /* array of ids; NULL: all */
	struct str only;                 /* deletions: only of ids that begin so; empty: all */
	struct files_problem problems[FILES_PROBLEMS_MAX];
	size_t again;                    /* towards FILES_AGAIN_MAX */
	size_t n_problems, total_problems;
};

/* Problems stand in the set; err is for the lack of memory and the like. `t` is finished and must live on. */
GH_RC files_set_read(struct files_set *s, struct arena *a, const struct tree *t, struct gh_err *err);
const struct files_doc *files_set_find(const struct files_set *s, const struct resource_kind *k, struct str id);
/* Appends a document that was made by a program, an importer; its text is written for it, so that problems have a place. */
GH_RC files_set_add(struct files_set *s, const struct resource_kind *k, json_t *doc, struct str file, struct gh_err *err);
/* After files_set_add: sorts. Two documents of one resource become a problem. */
GH_RC files_set_finish(struct files_set *s, struct gh_err *err);

/* `doc` NULL: no place is known. The pointer is that of the resource ("/limits/0"). */
void files_set_problem(struct files_set *s, const struct files_doc *doc, struct str pointer, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* For an API that comes: also of the files of a whole installation nothing is deleted that they do not hold. */
void files_set_take_nothing_away(struct files_set *s);
/* "FILE:LINE:COLUMN: error: message" lines; `prefix` stands before each path: "conf/". */
void files_problems_text(const struct files_set *s, const char *prefix, struct buf *out);
json_t *files_problems_json(const struct files_set *s);          /* [{"file","line","column","message"}]; owned by the caller */

size_t files_kind_index(const struct resource_kind *k);          /* its place in resource_kinds */
