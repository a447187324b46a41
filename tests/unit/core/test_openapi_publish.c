/* Descriptions as callers of the gateway should read them: a row a rule, each compared with the whole document expected. */
#include "tests/unit/check.h"

#include "core/openapi.h"

static const struct {
	const char *label, *document, *address, *key, *want;
} rows[] = {
	{ "3.0: servers are replaced at every level, the key is added",
	  "{'openapi':'3.0.3','info':{},'servers':[{'url':'https://erp'}],'paths':{'/a':{'servers':[{'url':'https://b'}],"
	  "'get':{'servers':[{'url':'https://c'}],'responses':{}}}}}",
	  "https://gw/api/a", "X-Key",
	  "{'openapi':'3.0.3','info':{},'servers':[{'url':'https://gw/api/a'}],'paths':{'/a':{'get':{'responses':{}}}},'components':"
	  "{'securitySchemes':{'subscriptionKey':{'type':'apiKey','in':'header','name':'X-Key','description':'The key of a subscription'}}},"
	  "'security':[{'subscriptionKey':[]}]}" },
	{ "no key: only the address changes",
	  "{'openapi':'3.1.0','info':{},'paths':{'/a':{'get':{'security':[{'o':['r']}]}}},'x-own':1}", "/api/a", NULL,
	  "{'openapi':'3.1.0','info':{},'paths':{'/a':{'get':{'security':[{'o':['r']}]}}},'x-own':1,'servers':[{'url':'/api/a'}]}" },
	{ "the key is needed besides each alternative; a name that is taken stays",
	  "{'openapi':'3.0.0','components':{'securitySchemes':{'subscriptionKey':{'type':'http','scheme':'basic'}}},"
	  "'security':[{'subscriptionKey':[]},{}],'paths':{'/a':{'get':{'security':[]},'post':{'security':[{'o':['w']}]}}}}",
	  "/x", "K",
	  "{'openapi':'3.0.0','components':{'securitySchemes':{'subscriptionKey':{'type':'http','scheme':'basic'},'subscriptionKey2':"
	  "{'type':'apiKey','in':'header','name':'K','description':'The key of a subscription'}}},"
	  "'security':[{'subscriptionKey':[],'subscriptionKey2':[]},{'subscriptionKey2':[]}],"
	  "'paths':{'/a':{'get':{'security':[{'subscriptionKey2':[]}]},'post':{'security':[{'o':['w'],'subscriptionKey2':[]}]}}},"
	  "'servers':[{'url':'/x'}]}" },
	{ "2.0: the address is taken apart", "{'swagger':'2.0','host':'erp','basePath':'/v','schemes':['http'],'paths':{'/a':{'get':{'schemes':['http']}}}}",
	  "https://gw.example:8443/api/a", "K",
	  "{'swagger':'2.0','basePath':'/api/a','paths':{'/a':{'get':{}}},'host':'gw.example:8443','schemes':['https'],"
	  "'securityDefinitions':{'subscriptionKey':{'type':'apiKey','in':'header','name':'K','description':'The key of a subscription'}},"
	  "'security':[{'subscriptionKey':[]}]}" },
	{ "2.0: a path alone", "{'swagger':'2.0','host':'erp','schemes':['http'],'paths':{}}", "/api/a", NULL,
	  "{'swagger':'2.0','paths':{},'basePath':'/api/a'}" },
	{ "3.1: path items that stand among the components",
	  "{'openapi':'3.1.0','info':{},'paths':{'/a':{'$ref':'#/components/pathItems/A'}},'components':{'pathItems':{'A':"
	  "{'servers':[{'url':'https://erp'}],'get':{'servers':[{'url':'https://c'}],'security':[]}}}}}",
	  "/x", "K",
	  "{'openapi':'3.1.0','info':{},'paths':{'/a':{'$ref':'#/components/pathItems/A'}},'components':{'pathItems':{'A':"
	  "{'get':{'security':[{'subscriptionKey':[]}]}}},'securitySchemes':{'subscriptionKey':{'type':'apiKey','in':'header','name':'K',"
	  "'description':'The key of a subscription'}}},'security':[{'subscriptionKey':[]}],'servers':[{'url':'/x'}]}" },
	{ "what is no object stays", "{'openapi':'3.0.0','paths':{'/a':null,'/b':{'get':7,'parameters':[]}}}", "/x", NULL,
	  "{'openapi':'3.0.0','paths':{'/a':null,'/b':{'get':7,'parameters':[]}},'servers':[{'url':'/x'}]}" },
};

/* Single quotes stand for double ones in the table. */
static struct str quoted(struct arena *a, const char *s)
{
	struct str out = arena_dup(a, str_of(s));

	for (size_t i = 0; i < out.n; i++)
		if (out.p[i] == '\'')
			((char *)out.p)[i] = '"';
	return out;
}

static void published(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct openapi_face face = { .address = str_of(rows[i].address), .key_header = str_of(rows[i].key) };
		struct arena *a = arena_new(1 << 20);
		struct text_where where;
		struct openapi *o;
		struct gh_err err;
		struct str before;
		json_t *got, *want = NULL;

		if (openapi_parse(a, quoted(a, rows[i].document), &o, &where, &err).code) {
			CHECK(rows[i].label, !err.message[0]);
			arena_free(a);
			continue;
		}
		before = jsn_text(a, o->root, 0);
		got = openapi_publish(o, &face);
		CHECK(rows[i].label, !jsn_parse_in(a, quoted(a, rows[i].want), NULL, &want, &where, &err).code);
		CHECK_STR(rows[i].label, jsn_text(a, got, JSN_SORTED), jsn_text(a, want, JSN_SORTED));
		CHECK_STR("the model is untouched", jsn_text(a, o->root, 0), before);
		json_decref(got);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(published) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
