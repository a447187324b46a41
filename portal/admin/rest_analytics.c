#include "portal/admin/rest.h"

#include "core/str.h"
#include "db/reports.h"

/* The reports in the OpenAPI document; they are run in analytics.c. */

static void add_parameter(json_t *list, const char *name, const char *description)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", name, "in", "query", "description", description, "schema", "type",
					      "string"));
}

static json_t *parameters(void)
{
	static const char *const own[][2] = {
		{ "range", "24h, 7d, today, yesterday, or FROM/TO: two days or two times (RFC 3339), without TO until now" },
		{ "from", "In place of range: the beginning" },
		{ "to", "The end; without it until now" },
		{ "step", "minute, hour or day: a row for each, too" },
		{ "group", "Dimensions to group by, with commas between" },
		{ "compare", "yes: the time before beside it" },
		{ "limit", "Most rows" },
		{ "format", "json or csv" },
	};
	json_t *list = json_array();
	char text[120];

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		add_parameter(list, own[i][0], own[i][1]);
	for (int i = 0; i < ROLLUP_DIMENSION__COUNT; i++) {
		snprintf(text, sizeof(text), "Only calls with this value of: %s; (none) are those without one", rollup_dimension_title((enum rollup_dimension)i));
		add_parameter(list, rollup_dimension_name((enum rollup_dimension)i), text);
	}
	return list;
}

static json_t *schema(void)
{
	return json_pack("{s:s, s:[s, s, s, s, s, s], s:{s:{s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:{s:s}}}}", "type", "object",
			 "required", "report", "from", "to", "noData", "more", "rows", "properties", "report", "type", "string", "from", "type", "string",
			 "format", "date-time", "to", "type", "string", "format", "date-time", "noData", "type", "boolean", "description",
			 "There was no call at all", "more", "type", "boolean", "description", "There are more rows than limit", "rows", "type", "array",
			 "items", "type", "object");
}

json_t *rest_describe_analytics(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const char *const refusals[] = { "400", "401", "403", "406" };
	const char *slash = strrchr(route->pattern, '/');
	struct str name = strcmp(slash, "/analytics") == 0 ? STR("") : str_of(slash + 1);
	enum report_id id = REPORT_TRAFFIC;
	json_t *answers;
	char operation[64];

	if (!report_find(name, &id))
		return NULL;
	answers = json_pack("{s:{s:s, s:{s:{s:o}, s:{s:{s:s}}}}}", "200", "description", "The figures, the same as on the page and by command", "content",
			    "application/json", "schema", schema(), "text/csv", "schema", "type", "string");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		json_object_set_new(answers, refusals[i], json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	snprintf(operation, sizeof(operation), "getAnalytics%s%.*s", name.n ? "-" : "", STR_ARG(name));
	return json_pack("{s:s, s:s, s:s, s:[s], s:o, s:o, s:[{s:[]}]}", "operationId", operation, "summary", report_infos[id].title, "description",
			 report_infos[id].question, "tags", "analytics", "parameters", parameters(), "responses", answers, "security", "token");
}

json_t *rest_describe_live(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_live, .operation = "getLive", .summary = "The last 30 minutes, a row each", .tag = "analytics",
		  .answer = "{'type': 'object', 'required': ['report', 'from', 'to', 'noData', 'more', 'rows'], 'properties': {'report': {'type': 'string'},"
		  "'from': {'type': 'string', 'format': 'date-time'}, 'to': {'type': 'string', 'format': 'date-time'}, 'noData': {'type': 'boolean'},"
		  "'more': {'type': 'boolean'}, 'rows': {'type': 'array', 'items': {'type': 'object'}}}}", .refusals = "" },
		{ .run = rest_live_events, .operation = "getLiveEvents", .summary = "The same as a server-sent event",
		  .description = "One event an answer, traffic, with the rows as data; ask again as often as retry says (an EventSource does by itself).",
		  .tag = "analytics", .answer = "{'type': 'string'}", .refusals = "", .media_type = "text/event-stream" },
		{ .run = NULL },
	};

	return rest_operation(route, table);
}
