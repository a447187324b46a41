/* rest_about.c - what the OpenAPI document says of routes that are of no kind: a row of text each, made into an operation. What all of
 * them share (who may not, dry runs, keys of repeated requests) follows from the row of the route and stands in no text. */
#include "portal/admin/rest.h"

#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JSON with ' in place of ": it stays readable in C. */
static json_t *quoted(const char *text)
{
	char *copy = strdup(text);
	json_t *v;

	for (char *p = copy; p && *p; p++)
		if (*p == '\'')
			*p = '"';
	v = copy ? json_loads(copy, 0, NULL) : NULL;
	free(copy);
	return v;
}

static void refuse(json_t *answers, const char *statuses)
{
	struct str rest = str_of(statuses), one;

	while (str_word(&rest, &one)) {
		char name[8];

		snprintf(name, sizeof(name), "%.*s", STR_ARG(one));
		json_object_set_new(answers, name, json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	}
}

static void add_parameter(json_t *list, const char *name)
{
	json_array_append_new(list, json_pack("{s:s+}", "$ref", "#/components/parameters/", name));
}

json_t *rest_write_parameters(void)
{
	json_t *list = json_array();

	add_parameter(list, "DryRun");
	add_parameter(list, "IdempotencyKey");
	return list;
}

static json_t *parameters_of(const struct rest_route *route, const struct rest_about *about)
{
	json_t *list = about->query ? quoted(about->query) : json_array(), *v, *writing = route->writes ? rest_write_parameters() : NULL;
	size_t i;

	json_array_foreach(list, i, v)
		json_object_set_new(v, "in", json_string("query"));
	if (writing)
		json_array_extend(list, writing);
	json_decref(writing);
	if (about->takes_match)
		add_parameter(list, "IfMatch");
	return list;
}

static json_t *answers_of(const struct rest_route *route, const struct rest_about *about)
{
	json_t *answers = json_pack("{s:{s:s, s:{s:{s:o}}}}", "200", "description", about->summary, "content",
				    about->media_type ? about->media_type : "application/json", "schema", quoted(about->answer));

	if (route->right != WEB_ANYBODY)
		refuse(answers, "401 403");
	refuse(answers, "406");
	refuse(answers, about->refusals);
	if (about->body)
		refuse(answers, "400 413 415 422");
	if (route->writes)
		refuse(answers, "400 409 422");
	if (about->takes_match)
		refuse(answers, "412");
	return answers;
}

json_t *rest_operation(const struct rest_route *route, const struct rest_about *about)
{
	json_t *op;

	while (about->run && about->run != route->run)
		about++;
	if (!about->run)
		return NULL;
	op = json_pack("{s:s, s:s, s:s, s:[s], s:o, s:o, s:[{s:[]}]}", "operationId", about->operation, "summary", about->summary, "description",
		       about->description ? about->description : "", "tags", about->tag, "parameters", parameters_of(route, about), "responses",
		       answers_of(route, about), "security", "token");
	if (about->body)
		json_object_set_new(op, "requestBody", json_pack("{s:b, s:{s:{s:o}}}", "required", 1, "content", "application/json", "schema",
				    quoted(about->body)));
	return op;
}
