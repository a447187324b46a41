/* Configuration files: every mistake has its place, what was exported is applied again byte for byte, and what no file names any
 * more goes only where the files cover it. */
#include "tests/unit/config/files.h"
#include "tests/unit/config/samples.h"

#include "config/files/export.h"
#include "config/files/layout.h"
#include "core/str.h"

#include <signal.h>
#include <sys/wait.h>

static void mistakes(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} rows[] = {
		{ "no kind", "$kind: product\nid: a\nname: A\n---\nid: b\n", "x.yaml:5:1: error: a resource begins with $kind" },
		{ "unknown kind", "\n$kind: prodcut\nid: a\n", "x.yaml:2:1: error: there is no kind 'prodcut'; did you mean 'product'?" },
		{ "no id", "$kind: product\nname: A\n", "x.yaml:1:1: error: a product needs an id" },
		{ "unknown field", "$kind: product\nid: a\nname: A\nterm: x\n", "x.yaml:4:1: error: product a: there is no such field; did you mean 'terms'?" },
		{ "wrong type", "---\n$kind: product\nid: a\nname: A\nsubscriptionRequired: perhaps\n", "x.yaml:5:1: error: product a: " },
		{ "not YAML", "$kind: product\nid: a\n---\n$kind: product\nid: [b\n", "x.yaml:6:1: error: " },
		{ "name twice", "$kind: product\nid: a\nname: A\nname: B\n", "x.yaml:4:1: error: " },
		{ "resource twice", "$kind: product\nid: a\nname: A\n---\n$kind: product\nid: a\nname: A\n", "error: the product 'a' stands in x.yaml already" },
		{ "no such file", "$kind: product\nid: a\nname: A\nterms:\n  $file: t.txt\n", "x.yaml:4:1: error: there is no file t.txt" },
		{ "file outside", "$kind: product\nid: a\nname: A\nterms:\n  $file: ../t.txt\n", "x.yaml:4:1: error: $file stands alone and names a file" },
		{ "unknown cover", "$kind: configuration\nkind: [products]\n", "x.yaml:2:1: error: 'kind' is no field of the configuration" },
		{ "covers nothing known", "$kind: configuration\nkinds: [products, produce]\n", "x.yaml:2:19: error: there is no kind" },
		{ "later format", "$kind: configuration\nformat: 2\n", "x.yaml:2:1: error: this program reads format 1" },
		{ "nothing of ours", "openapi: 3.1.0\n", "x.yaml:1:1: error: a resource begins with $kind" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tree t = tree_of(f, (const char *[]){ "x.yaml", rows[i].text, NULL });

		SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = false }), rows[i].want), "%s", rows[i].label);
	}
	check_done();
}

static void covered(void **state)
{
	struct fixture *f = *state;
	static const char two[] = "$kind: product\nid: a\nname: A\n---\n$kind: product\nid: b\nname: B\n";
	struct tree both = tree_of(f, (const char *[]){ "x.yaml", two, NULL });
	struct tree one = tree_of(f, (const char *[]){ "x.yaml", "$kind: product\nid: a\nname: A2\n", NULL });
	struct tree covers = tree_of(f, (const char *[]){ "gatehouse.yaml", "$kind: configuration\nkinds: [products]\n", "x.yaml",
					   "$kind: product\nid: a\nname: A2\nterms:\n  $file: terms.txt\n", "terms.txt", "Be kind.\n", NULL });
	const struct plan_options dry = { .dry_run = true }, wet = { .dry_run = false };

	SAYS(told(work(f, f->s, &both, dry), "2 to create, 0 to change, 0 to delete, 0 as they are"), "a plan of two");
	SAYS(told(work(f, f->s, &both, wet), "+ product b"), "applied");
	SAYS(told(work(f, f->s, &both, dry), "nothing to do: 2 resources as in the files"), "nothing is left to do");
	SAYS(told(work(f, f->s, &one, wet), "0 to create, 1 to change, 0 to delete"), "what is not covered stays");
	SAYS(told(work(f, f->s, &covers, dry), "- product b\n"), "what is covered goes");
	SAYS(told(work(f, f->s, &covers, dry), "terms: \"\" -> \"Be kind.\\n\""), "the text of a file is compared");
	SAYS(told(work(f, f->s, &covers, wet), "0 to create, 1 to change, 1 to delete"), "and is gone");
	SAYS(told(work(f, f->s, &covers, dry), "nothing to do"), "for good");
	check_done();
}

/* Colours that go with the style sheet of the theme which comes in the same files, and with no other. */
static void look_and_theme(void **state)
{
	static const char look[] = "$kind: look\nid: portal\ncolours:\n  accent: ['#ffffff', '#ffffff']\n  on-accent: ['#000000', '#000000']\n";
	static const char css[] = ":root { --canvas: #000000; --surface: #000000; --text: #ffffff; --text-soft: #ffffff; --accent: #ffffff; --on-accent: #000; }";
	struct fixture *f = *state;
	struct tree alone = tree_of(f, (const char *[]){ "look.yaml", look, NULL });
	struct tree both = tree_of(f, (const char *[]){ "look.yaml", look, "theme/www/gatehouse.css", css, NULL });
	const struct plan_options wet = { .dry_run = false };

	SAYS(told(work(f, f->s, &alone, wet), "look.yaml:3:1: error: look portal: accent on "), "white on white");
	SAYS(told(work(f, f->s, &both, wet), "~ look portal"), "white on black");
	check_done();
}

/* Policies see the fragments and named values that came with them; what a template in markup names is the template's. */
static void together(void **state)
{
	struct fixture *f = *state;
	struct tree t = tree_of(f, (const char *[]){ "x.yaml", "$kind: policy\nid: global\npolicy: <policies><inbound><include-fragment "
				      "fragment-id=\"f\" /><set-body template=\"liquid\"><a>{{body.order.id}}</a></set-body></inbound></policies>\n---\n$kind: policy-fragment\nid: f\npolicy: <fragment><set-header "
				      "name=\"{{n}}\" exists-action=\"delete\" /></fragment>\n---\n$kind: named-value\nid: n\nvalue: X-Name\n", NULL });

	SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = false }), "3 to create"), "a policy with its fragment");
	check_done();
}

static void secrets(void **state)
{
	struct fixture *f = *state;
	struct tree t = tree_of(f, (const char *[]){ "x.yaml", "$kind: named-value\nid: pw\nsecret:\n  sealed: true\n", NULL });
	json_t *given = json_pack("{s:s}", "named-value/pw/secret", "hunter2");
	struct files_export what = { .personal = false };
	struct tree out;

	SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = false }), "x.yaml:3:1: error: the secret of named-value pw is kept"),
	      "a secret that is not here is asked for");
	SAYS(told(work(f, f->s, &t, (struct plan_options){ .secrets = given }), "+ named-value pw"), "it can be given apart");
	SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = true }), "nothing to do"), "what is kept stays");
	CHECK_OK(f, files_export(f->s, f->a, &what, &out, &f->err));
	for (size_t i = 0; i < out.n; i++)
		SAYS(str_find(out.files[i].bytes, STR("hunter2")) == SIZE_MAX, "no secret in %.*s", STR_ARG(out.files[i].path));
	json_decref(given);
	check_done();
}

/* A message about a policy quotes what is wrong in it: a sealed named value must not be read in that way, not even by who may only
 * look at plans. */
static void secrets_in_messages(void **state)
{
	static const char *const rows[] = {
		"<set-method>{{pw}} {{pw}}</set-method>", "<set-status code=\"{{pw}}\" />", "<set-status code=\"1{{pw}}\" />",
		"<set-variable name=\"a\" value=\"@({{pw}})\" />", "<set-variable name=\"a\" value=\"@(1 + {{pw}}.x)\" />",
		"<set-header name=\"{{pw}} x\" exists-action=\"{{pw}}\" />", "<rate-limit calls=\"{{long}}\" renewal-period=\"1\" />",
		"<set-status code=\"{{short}}\" />", "<set-status code=\"{{huge}}\" /><set-status code=\"{{pw}}\" />",
	};
	static const char *const hidden[] = { "Zq9", "wxv", "WWWW", "`~`", "HHHH" };
	struct fixture *f = *state;
	char huge[40000];
	struct tree h;
	struct tree t = tree_of(f, (const char *[]){ "v.yaml", "$kind: named-value\nid: pw\nsecret: Zq9_wxv\n---\n$kind: named-value\nid: short\n"
				      "secret: \"~\"\n---\n$kind: named-value\nid: long\nsecret: WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
				      "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\n", NULL });

	SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = false }), "3 to create"), "the secrets");
	memset(huge, 'H', sizeof(huge));
	h = tree_of(f, (const char *[]){ "h.yaml", arena_printf(f->a, "$kind: named-value\nid: huge\nsecret: %.*s\n", (int)sizeof(huge), huge).p, NULL });
	SAYS(told(work(f, f->s, &h, (struct plan_options){ .dry_run = false }), "1 to create"), "a large one");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = arena_printf(f->a, "$kind: policy\nid: global\npolicy: |\n  <policies><inbound>%s</inbound></policies>\n", rows[i]).p;
		struct tree p = tree_of(f, (const char *[]){ "p.yaml", text, NULL });
		struct str out = work(f, f->s, &p, (struct plan_options){ .dry_run = true });

		SAYS(told(out, "p.yaml:3:1: error: policy global: line 1, column"), "%s", rows[i]);
		for (size_t k = 0; k < ARRAY_LEN(hidden); k++)
			SAYS(str_find(out, str_of(hidden[k])) == SIZE_MAX, "%s is in: %.*s", hidden[k], STR_ARG(out));
	}
	check_done();
}

/* A file that many documents name is copied into each: bounded, or a request of a megabyte takes all memory. */
static void one_file_many_times(void **state)
{
	enum { DOCS = 70, BYTES = 1 << 20 };
	struct fixture *f = *state;
	struct str all = STR("");
	char *text = arena_alloc_text(f->a, BYTES + 1);
	struct tree t;

	memset(text, 'x', BYTES);
	text[BYTES] = '\0';
	for (int i = 0; i < DOCS; i++)
		all = arena_printf(f->a, "%.*s---\n$kind: product\nid: p%d\nname: P\nterms:\n  $file: t.txt\n", STR_ARG(all), i);
	t = tree_of(f, (const char *[]){ "t.txt", text, "x.yaml", all.p, NULL });
	SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = true }), "error: files that are named more than once have more than"), "bounded");
	check_done();
}

static void archives(void **state)
{
	static const char *const bad[] = { "../x", "/x", "a//b", "a/./b", "a\\b", "" };
	struct fixture *f = *state;
	struct tree t = tree_of(f, (const char *[]){ "b/c.yaml", "two", "a.yaml", "one", "b/empty", "", NULL }), back;
	struct str zip, again;
	struct gh_err why;

	CHECK_OK(f, tree_to_zip(&t, &zip, &f->err));
	tree_init(&back, f->a);
	CHECK_OK(f, tree_from_zip(&back, zip, &f->err));
	SAYS(back.n == 3 && str_eq(back.files[0].path, STR("a.yaml")) && str_eq(tree_find(&back, STR("b/c.yaml"))->bytes, STR("two")),
	      "a tree comes back");
	CHECK_OK(f, tree_to_zip(&back, &again, &f->err));
	SAYS(str_eq(zip, again), "equal trees give equal bytes");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tree one;

		tree_init(&one, f->a);
		SAYS(tree_add(&one, str_of(bad[i]), STR("x"), &why).code, "'%s' is no path", bad[i]);
	}
	for (size_t n = 0; n < zip.n; n += 7) {
		struct tree cut;

		tree_init(&cut, f->a);
		SAYS(tree_from_zip(&cut, str_first(zip, n), &why).code, "a ZIP of %zu bytes is refused", n);
	}
	check_done();
}

static gh_rc take_away(struct fixture *f, const char *kind, const char *id)
{
	struct resource_change *c;

	CHECK_OK(f, resource_begin(f->s, f->a, STR("test"), &c, &f->err));
	return resource_end(c, resource_remove(c, resource_kind_find(str_of(kind)), str_of(id), NULL, &f->err), false, &f->err);
}

/* What goes leaves nothing behind that files could not say: rules keep the last operation that they name, a page whose group is gone is
 * nobody's. */
static void gone(void **state)
{
	static const char text[] = "$kind: api\nid: x\nname: X\npath: x\nbackendUrl: https://x.example\n---\n$kind: operation\nid: x/get\nname: G\nmethod: GET\n"
		"uriTemplate: /\n---\n$kind: revision\nid: x;rev=2\nbackendUrl: https://x.example\n---\n$kind: operation\nid: x;rev=2/get\nname: G\nmethod: GET\n"
		"uriTemplate: /\n---\n$kind: operation\nid: x/put\nname: P\nmethod: PUT\nuriTemplate: /\n---\n$kind: backend\nid: b\nurl: https://b.example\n---\n"
		"$kind: traffic-rule\nid: api:x\ncanary: {backend: b, percent: 5, operations: [put]}\n---\n$kind: product\nid: p\nname: P\napis: [x]\n---\n"
		"$kind: subscription\nid: s\nproduct: p\n---\n$kind: consumer-rule\nid: s/x\noperations: [get]\n---\n$kind: group\nid: g\nname: G\n---\n"
		"$kind: page\nid: x/start\ntitle: S\naudience: group\ngroup: g\n";
	const struct files_export what = { .personal = true };
	struct fixture *f = *state;
	struct tree t = tree_of(f, (const char *[]){ "x.yaml", text, NULL }), out;
	const struct tree_file *page;

	SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = false }), "to create"), "the beginning");
	SAYS(take_away(f, "operation", "x/put").code == GH_E_CONFLICT, "a canary needs its operation");
	SAYS(!take_away(f, "operation", "x/get").code, "another revision has it too");
	SAYS(take_away(f, "operation", "x;rev=2/get").code == GH_E_CONFLICT, "the last that a consumer's rule names stays");
	SAYS(!take_away(f, "group", "g").code, "a group");
	CHECK_OK(f, files_export(f->s, f->a, &what, &out, &f->err));
	page = tree_find(&out, STR("apis/x/pages.yaml"));
	SAYS(page && told(page->bytes, "audience: nobody"), "its page is nobody's");
	SAYS(told(work(f, f->s, &out, (struct plan_options){ .dry_run = true }), "nothing to do"), "and files can say so");
	check_done();
}

static struct tree exported(struct fixture *f)
{
	const struct files_export what = { .personal = true };
	struct tree out;

	CHECK_OK(f, files_export(f->s, f->a, &what, &out, &f->err));
	return out;
}

/* A plan, then what was agreed to; the store says afterwards what the files say. */
static void becomes(struct fixture *f, const struct tree *t, const char *want, const char *label)
{
	struct files_set *set = arena_new_of(f->a, struct files_set);
	const struct plan_options dry = { .actor = STR("test"), .dry_run = true };
	struct plan_options agreed = { .actor = STR("test") };
	struct plan p, done;
	struct tree now;

	SAYS(told(work(f, f->s, t, dry), want), "%s", label);
	CHECK_OK(f, files_set_read(set, f->a, t, &f->err));
	SAYS(!plan_run(f->s, f->a, set, &dry, &p, &f->err).code, "%s: %s", label, f->err.message);
	agreed.agreed = &p;
	SAYS(!plan_run(f->s, f->a, set, &agreed, &done, &f->err).code && done.n == p.n, "%s, agreed: %s", label, f->err.message);
	now = exported(f);
	same_trees(&now, t, label);
}

/* Everything without ";rev=" is about the current revision: files that say another one is current are compared with what it holds. */
static void other_revision(void **state)
{
	static const char api[] = "$kind: api\nid: x\nname: X\npath: x\nbackendUrl: https://one.example\n---\n$kind: operation\nid: x/get\nname: Get\n"
		"method: GET\nuriTemplate: /\n---\n$kind: operation\nid: x/old\nname: Old\nmethod: GET\nuriTemplate: /old\n";
	static const char next[] = "$kind: revision\nid: x;rev=2\nbackend: b\ncopyOf: 1\n---\n$kind: operation\nid: x;rev=2/new\nname: New\nmethod: PUT\n"
		"uriTemplate: /\n---\n$kind: policy\nid: operation:x;rev=2/new\npolicy: <policies><inbound><base /></inbound></policies>\n---\n"
		"$kind: backend\nid: b\nurl: https://two.example\n";
	static const char current[] = "$kind: api\nid: x\nname: X\npath: x\nrevision: 2\nbackend: b\n";
	struct fixture *f = *state;
	struct tree begin = tree_of(f, (const char *[]){ "x.yaml", api, NULL }), second = tree_of(f, (const char *[]){ "x.yaml", next, NULL });
	struct tree made = tree_of(f, (const char *[]){ "x.yaml", current, NULL });
	struct tree slip = tree_of(f, (const char *[]){ "x.yaml", "$kind: api\nid: x\nname: X\npath: x\nrevision: 2\n", NULL });
	struct tree none = exported(f), first, one, two;

	SAYS(told(work(f, f->s, &begin, (struct plan_options){ .dry_run = false }), "3 to create"), "revision 1");
	first = exported(f);
	SAYS(told(work(f, f->s, &slip, (struct plan_options){ .dry_run = true }), "there is no revision 2; make it first"), "a slip makes none");
	SAYS(told(work(f, f->s, &second, (struct plan_options){ .dry_run = false }), "4 to create"), "revision 2 beside it");
	one = exported(f);
	SAYS(told(work(f, f->s, &made, (struct plan_options){ .dry_run = false }), "revision: 1 -> 2"), "made current");
	two = exported(f);

	becomes(f, &one, "revision: 2 -> 1", "back");
	becomes(f, &two, "0 to create, 1 to change, 0 to delete", "forward: one line says it");
	becomes(f, &first, "- revision x;rev=2", "back, and away with it");
	becomes(f, &two, "+ revision x;rev=2", "one that is not there yet");
	becomes(f, &none, "- api x", "nothing");
	becomes(f, &two, "+ api x", "from nothing");
	check_done();
}

/* People and what lives with them, when an export is asked for them. Their secrets stay behind, so they become random texts. */
static void people(void **state)
{
	static const char text[] = "$kind: product\nid: p\nname: P\n---\n$kind: user\nid: ann\nemail: ann@example.com\ngroups: [developers]\n---\n"
		"$kind: role-assignment\nid: r\nrole: analyst\nuser: ann\n---\n$kind: application\nid: shop\nname: Shop\nowners: [ann]\n---\n"
		"$kind: caller\nid: client:shop\napplication: shop\ngroups: [eng]\nsecret: secret-of-sixteen-and-more\n---\n"
		"$kind: caller\nid: token:https://login.example/ robot\nname: Robot\n---\n$kind: subscription\nid: s\nproduct: p\napplication: shop\n"
		"starts: 2026-01-01\n---\n$kind: consumer-rule\nid: s\nlimits:\n  - {kind: concurrency, calls: 2}\n---\n$kind: signing-key\nid: k\n"
		"purpose: identity\nsignsFrom: 2031-01-01\n---\n$kind: scim-token\nid: directory\nends: 2031-01-01\n---\n"
		"$kind: machine-token\nid: pipeline\nrole: operator\nscopes: [read]\n";
	const struct files_export what = { .personal = true };
	struct fixture *f = *state, *empty;
	struct tree t = tree_of(f, (const char *[]){ "x.yaml", text, NULL }), first, second;
	void *other;

	SAYS(told(work(f, f->s, &t, (struct plan_options){ .dry_run = false }), "to create"), "people");
	CHECK_OK(f, files_export(f->s, f->a, &what, &first, &f->err));
	assert_int_equal(fixture_setup(&other), 0);
	empty = other;
	SAYS(told(work(empty, empty->s, &first, (struct plan_options){ .placeholders = true }), "to create"), "taken over");
	CHECK_OK(empty, files_export(empty->s, empty->a, &what, &second, &empty->err));
	same_trees(&first, &second, "people");
	SAYS(told(work(empty, empty->s, &second, (struct plan_options){ .dry_run = true }), "nothing to do"), "a plan of it");
	fixture_teardown(&other);
	check_done();
}

/* ---- one API as a ZIP ------------------------------------------------------------------------------------------------------------ */

static void one_api(void **state)
{
	static const char text[] = "$kind: api\nid: orders\nname: Orders\npath: orders\nbackend: erp\n---\n$kind: backend\nid: erp\nmembers:\n  - backend: "
		"erp-1\n---\n$kind: backend\nid: erp-1\nurl: https://erp.example.com\n---\n$kind: operation\nid: orders/get\nname: Get\nmethod: GET\n"
		"uriTemplate: /{id}\n---\n$kind: policy\nid: operation:orders/get\npolicy: <policies><inbound><include-fragment fragment-id=\"f\" />"
		"</inbound></policies>\n---\n$kind: policy-fragment\nid: f\npolicy: <fragment><set-header name=\"X\" exists-action=\"override\"><value>"
		"{{pw}}</value></set-header></fragment>\n---\n$kind: named-value\nid: pw\nsecret: do-not-export\n---\n$kind: named-value\nid: other\n"
		"value: x\n---\n$kind: product\nid: gold\nname: Gold\napis: [orders]\n";
	const struct files_export what = { .api = STR("orders") };
	struct fixture *f = *state, *empty;
	struct tree all = tree_of(f, (const char *[]){ "x.yaml", text, NULL }), first, second, back;
	struct str zip, again, said;
	void *other;

	SAYS(told(work(f, f->s, &all, (struct plan_options){ .dry_run = false }), "9 to create"), "an API with what it needs");
	CHECK_OK(f, files_export(f->s, f->a, &what, &first, &f->err));
	CHECK_OK(f, tree_to_zip(&first, &zip, &f->err));
	SAYS(!tree_find(&first, STR("named-values/other.yaml")) && !tree_find(&first, STR("products/gold/product.yaml")), "nothing but that");
	for (size_t i = 0; i < first.n; i++)
		SAYS(str_find(first.files[i].bytes, STR("do-not-export")) == SIZE_MAX, "no secret in %.*s", STR_ARG(first.files[i].path));
	assert_int_equal(fixture_setup(&other), 0);
	empty = other;
	tree_init(&back, empty->a);
	CHECK_OK(empty, tree_from_zip(&back, zip, &empty->err));
	said = work(empty, empty->s, &back, (struct plan_options){ .dry_run = true });
	SAYS(told(said, "the secret of named-value pw is kept"), "what is missing is told before anything changes");
	SAYS(told(work(empty, empty->s, &back, (struct plan_options){ .placeholders = true }), "7 to create"), "imported");
	CHECK_OK(empty, files_export(empty->s, empty->a, &what, &second, &empty->err));
	CHECK_OK(empty, tree_to_zip(&second, &again, &empty->err));
	SAYS(str_eq(zip, again), "the second ZIP is byte-equal");
	fixture_teardown(&other);
	check_done();
}

/* ---- killed at any moment ------------------------------------------------------------------------------------------------------- */

enum { KILLS = 100, KILL_FIRST_US = 10000, KILL_LATEST_US = 1000000 };

/* Works the tree in, in a process of its own, which is killed after so long. */
static void apply_and_kill(struct fixture *f, const struct tree *t, unsigned after_us)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *s;

		if (!store_open(&s, f->dir, STORE_WRITE, &f->err).code)
			work(f, s, t, (struct plan_options){ .dry_run = false });
		_exit(0);
	}
	usleep(after_us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static bool equal_trees(const struct tree *a, const struct tree *b)
{
	bool equal = a->n == b->n;

	for (size_t i = 0; equal && i < a->n; i++)
		equal = str_eq(a->files[i].path, b->files[i].path) && str_eq(a->files[i].bytes, b->files[i].bytes);
	return equal;
}

/* The one of two states of a store: a document of every kind, or next to nothing. What is always there is in both. */
static struct tree state_tree(struct fixture *f, const struct tree *beginning, bool full)
{
	struct tree t;
	struct buf b;

	tree_init(&t, f->a);
	for (size_t i = 0; i < beginning->n; i++)
		if (!full || (!str_eq(beginning->files[i].path, STR("look.yaml")) && !str_eq(beginning->files[i].path, STR("terms.yaml"))))
			CHECK_OK(f, tree_add(&t, beginning->files[i].path, beginning->files[i].bytes, &f->err));
	buf_init(&b, 1 << 20);
	buf_fmt(&b, "$kind: product\nid: p\nname: of %d\n", full);
	for (int k = 0; k < 5; k++)
		buf_fmt(&b, "---\n$kind: named-value\nid: v%d-%d\nvalue: x\n", full, k);
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		bool stays = strcmp(samples[i].kind, "user") == 0;       /* the last administrator */
		json_t *doc;

		if (!full && !stays)
			continue;
		CHECK_OK(f, jsn_parse_in(f->a, str_of(samples[i].doc), NULL, &doc, NULL, &f->err));
		json_object_set_new(doc, "$kind", json_string(samples[i].kind));
		json_object_set_new(doc, "id", json_string(samples[i].id));
		if (!full)
			json_object_set_new(doc, "lastName", json_string("Ant"));
		if (strcmp(samples[i].kind, "signing-key") == 0)         /* else the moment at which it was made */
			json_object_set_new(doc, "signsFrom", json_string("2026-11-22T01:00:00Z"));
		buf_fmt(&b, "---\n%.*s\n", STR_ARG(jsn_text(f->a, doc, 0)));
	}
	CHECK_OK(f, tree_add(&t, STR("x.yaml"), arena_dup(f->a, buf_view(&b)), &f->err));
	CHECK_OK(f, tree_finish(&t, &f->err));
	buf_release(&b);
	return t;
}

static void killed(void **state)
{
	const struct files_export what = { .personal = true };
	struct fixture *f = *state;
	struct tree beginning, in[2], out[2], now;
	unsigned seen[2] = { 0, 0 }, within = KILL_FIRST_US;    /* follows the moment of the commit, however slow the machine is */
	int latest = 1;
	bool neither;

	CHECK_OK(f, files_export(f->s, f->a, &what, &beginning, &f->err));
	for (int i = 0; i < 2; i++) {
		in[i] = state_tree(f, &beginning, i == 0);
		SAYS(told(work(f, f->s, &in[i], (struct plan_options){ .dry_run = false }), i ? "to delete" : "to create"), "state %d", i);
		CHECK_OK(f, files_export(f->s, f->a, &what, &out[i], &f->err));
	}
	SAYS(out[0].n > out[1].n + ARRAY_LEN(samples) / 2, "a state with all kinds, %zu files, and one with few, %zu", out[0].n, out[1].n);
	SAYS(!equal_trees(&out[0], &out[1]), "there are two states");
	store_free(f->s);
	f->s = NULL;
	dice = 7;
	for (unsigned i = 0; i < KILLS; i++) {
		int before = latest, to = 1 - latest;

		apply_and_kill(f, &in[to], within / 2 + (unsigned)roll(within / 2));
		CHECK_OK(f, store_open(&f->s, f->dir, STORE_READ, &f->err));
		CHECK_OK(f, files_export(f->s, f->a, &what, &now, &f->err));
		neither = !equal_trees(&now, &out[0]) && !equal_trees(&now, &out[1]);
		SAYS(!neither, "kill %u: the store is in neither state", i);
		for (size_t k = 0; neither && k < now.n && k < out[now.n == out[1].n].n; k++) {
			const struct tree_file *was = &out[now.n == out[1].n].files[k];

			if (!str_eq(now.files[k].path, was->path) || !str_eq(now.files[k].bytes, was->bytes))
				fprintf(stderr, "# %.*s\n%.*s\n# and not\n%.*s\n", STR_ARG(now.files[k].path), STR_ARG(now.files[k].bytes), STR_ARG(was->bytes));
		}
		latest = equal_trees(&now, &out[1]);
		seen[latest != before]++;
		within = latest != before ? within * 3 / 4 + 100 : within < KILL_LATEST_US ? within * 5 / 4 : within;
		store_free(f->s);
		f->s = NULL;
	}
	fprintf(stderr, "# %d kills: %u times the old state, %u times the new one\n", KILLS, seen[0], seen[1]);
	CHECK_OK(f, store_open(&f->s, f->dir, STORE_WRITE, &f->err));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(mistakes, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(covered, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(together, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(look_and_theme, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(secrets, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(secrets_in_messages, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(one_file_many_times, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(archives, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(one_api, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(killed, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(gone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(people, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(other_revision, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("config/files", tests, NULL, NULL);
}
