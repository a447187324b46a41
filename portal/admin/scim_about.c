#include "portal/admin/scim.h"

#include "core/str.h"

/* What this endpoint can do and what its resources look like (RFC 7643 sections 5 to 7). The attributes of a schema are a
 * table here: one row an attribute, those of a complex one behind it with a dot. */

static const char media[] = "application/scim+json";

struct attribute {
	const char *name;                /* "emails", "emails.value" */
	const char *type;
	const char *mutability, *uniqueness;     /* NULL: readWrite, none */
	const char *text;
	bool many, required, exact;
};

static const struct attribute user_attributes[] = {
	{ "userName", "string", NULL, "server", "Name at the identity provider.", false, true, false },
	{ "externalId", "string", NULL, NULL, "Id at the provisioner.", false, false, true },
	{ "name", "complex", NULL, NULL, "The parts of the name.", false, false, false },
	{ "name.givenName", "string", NULL, NULL, "First name.", false, false, false },
	{ "name.familyName", "string", NULL, NULL, "Last name.", false, false, false },
	{ "name.formatted", "string", "readOnly", NULL, "First and last name.", false, false, false },
	{ "displayName", "string", NULL, NULL, "Name to show.", false, false, false },
	{ "active", "boolean", NULL, NULL, "Whether the user may sign in and call.", false, false, false },
	{ "emails", "complex", NULL, NULL, "The primary address, else the first one, is the account's.", true, false, false },
	{ "emails.value", "string", NULL, "server", "The address.", false, false, false },
	{ "emails.type", "string", NULL, NULL, "work or home.", false, false, false },
	{ "emails.primary", "boolean", NULL, NULL, "Whether it is the account's.", false, false, false },
	{ "groups", "complex", "readOnly", NULL, "Groups of the user; changed at the group.", true, false, false },
	{ "groups.value", "string", "readOnly", NULL, "Id of the group.", false, false, true },
	{ "groups.display", "string", "readOnly", NULL, "Name of the group.", false, false, false },
	{ "groups.$ref", "reference", "readOnly", NULL, "Address of the group.", false, false, true },
	{ "groups.type", "string", "readOnly", NULL, "direct", false, false, false },
};
static const struct attribute group_attributes[] = {
	{ "displayName", "string", NULL, "server", "Name of the group.", false, true, false },
	{ "externalId", "string", NULL, NULL, "Id at the provisioner.", false, false, true },
	{ "members", "complex", NULL, NULL, "Users of the group.", true, false, false },
	{ "members.value", "string", "immutable", NULL, "Id of the user.", false, false, true },
	{ "members.display", "string", "readOnly", NULL, "Address of the user.", false, false, false },
	{ "members.$ref", "reference", "readOnly", NULL, "Address of the resource.", false, false, true },
	{ "members.type", "string", "immutable", NULL, "User", false, false, false },
};

static json_t *attribute_json(const struct attribute *x)
{
	const char *dot = strchr(x->name, '.');
	json_t *v = json_pack("{s:s, s:s, s:b, s:s, s:b, s:b, s:s, s:s, s:s}", "name", dot ? dot + 1 : x->name, "type", x->type, "multiValued",
			      x->many, "description", x->text, "required", x->required, "caseExact", x->exact, "mutability",
			      x->mutability ? x->mutability : "readWrite", "returned", "default", "uniqueness",
			      x->uniqueness ? x->uniqueness : "none");

	if (strcmp(x->type, "complex") == 0)
		json_object_set_new(v, "subAttributes", json_array());
	if (strcmp(x->type, "reference") == 0)
		json_object_set_new(v, "referenceTypes", json_pack("[s, s]", "User", "Group"));
	return v;
}

static json_t *schema_json(struct web *w, const struct scim_kind *k, const struct attribute *v, size_t n)
{
	json_t *list = json_array(), *last = NULL;

	for (size_t i = 0; i < n; i++) {
		json_t *one = attribute_json(&v[i]);

		if (strchr(v[i].name, '.')) {
			json_array_append_new(json_object_get(last, "subAttributes"), one);
			continue;
		}
		last = one;
		json_array_append_new(list, one);
	}
	return json_pack("{s:[s], s:s, s:s, s:s, s:o, s:{s:s, s:s}}", "schemas", "urn:ietf:params:scim:schemas:core:2.0:Schema", "id", k->schema,
			 "name", k->type, "description", k->type, "attributes", list, "meta", "resourceType", "Schema", "location",
			 scim_address(w, "Schemas", str_of(k->schema)).p);
}

static json_t *type_json(struct web *w, const struct scim_kind *k)
{
	return json_pack("{s:[s], s:s, s:s, s:s, s:s, s:[], s:{s:s, s:s}}", "schemas",
			 "urn:ietf:params:scim:schemas:core:2.0:ResourceType", "id", k->type, "name", k->type, "endpoint",
			 arena_printf(w->a, "/%s", k->endpoint).p, "schema", k->schema, "schemaExtensions", "meta", "resourceType",
			 "ResourceType", "location", scim_address(w, "ResourceTypes", str_of(k->type)).p);
}

static json_t *service_json(struct web *w)
{
	return json_pack("{s:[s], s:{s:b}, s:{s:b, s:i, s:i}, s:{s:b, s:I}, s:{s:b}, s:{s:b}, s:{s:b}, s:[{s:s, s:s, s:s, s:b}], s:{s:s, s:s}}",
			 "schemas", "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig", "patch", "supported", 1, "bulk", "supported", 0,
			 "maxOperations", 0, "maxPayloadSize", 0, "filter", "supported", 1, "maxResults",
			 (json_int_t)config_int(&w->site->config, CONFIG_SCIM_MAX_RESULTS), "changePassword", "supported", 0, "sort", "supported",
			 0, "etag", "supported", 1, "authenticationSchemes", "type", "oauthbearertoken", "name", "Bearer token", "description",
			 "A token made with `gatehouse scim-token create`.", "primary", 1, "meta", "resourceType", "ServiceProviderConfig",
			 "location", scim_address(w, "ServiceProviderConfig", STR_NULL).p);
}

static json_t *list_json(json_t *a, json_t *b)
{
	return json_pack("{s:[s], s:i, s:i, s:i, s:[o, o]}", "schemas", "urn:ietf:params:scim:api:messages:2.0:ListResponse", "totalResults", 2,
			 "startIndex", 1, "itemsPerPage", 2, "Resources", a, b);
}

static json_t *about(struct web *w, struct str what)
{
	struct str id = str_from(what, str_find_char(what, '/') == SIZE_MAX ? what.n : str_find_char(what, '/') + 1);

	if (str_eq(what, STR("ServiceProviderConfig")))
		return service_json(w);
	if (str_eq(what, STR("ResourceTypes")))
		return list_json(type_json(w, &scim_users), type_json(w, &scim_groups));
	if (str_eq(what, STR("ResourceTypes/User")) || str_eq(what, STR("ResourceTypes/Group")))
		return type_json(w, str_eq(id, STR("User")) ? &scim_users : &scim_groups);
	if (str_eq(what, STR("Schemas")))
		return list_json(schema_json(w, &scim_users, user_attributes, ARRAY_LEN(user_attributes)),
				 schema_json(w, &scim_groups, group_attributes, ARRAY_LEN(group_attributes)));
	if (str_starts(what, STR("Schemas/")) && str_eq(id, str_of(scim_users.schema)))
		return schema_json(w, &scim_users, user_attributes, ARRAY_LEN(user_attributes));
	if (str_starts(what, STR("Schemas/")) && str_eq(id, str_of(scim_groups.schema)))
		return schema_json(w, &scim_groups, group_attributes, ARRAY_LEN(group_attributes));
	return NULL;
}

gh_rc scim_about(struct web *w, struct str what, bool *found, struct gh_err *err)
{
	json_t *v = about(w, what);

	*found = v != NULL;
	if (!v)
		return GH_RC_OK;
	jsn_keep(w->a, v);
	if (!str_eq(w->rq.method, STR("GET")) && !str_eq(w->rq.method, STR("HEAD")))
		return scim_error(w, 405, NULL, "This can only be read.", err);
	return web_json(w, 200, media, v, err);
}
