/* context_identity.c - who calls what: API, operation, product, subscription, user, deployment, the last error. */
#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/context.h"
#include "policy/expr/library.h"
#include "policy/net/make.h"

#define TEXT(name, T, field)                                                    \
	static bool name(struct vm_call *c)                                     \
	{                                                                       \
		return context_text(c, ((const struct T *)context_self(c))->field); \
	}
#define FLAG(name, T, field)                                                    \
	static bool name(struct vm_call *c)                                     \
	{                                                                       \
		return vm_return(c, value_bool(((const struct T *)context_self(c))->field)); \
	}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

/* ---- IApi ----------------------------------------------------------------------------------------------------------------- */

TEXT(api_id, ctx_api, id)
TEXT(api_name, ctx_api, name)
TEXT(api_path, ctx_api, path)
TEXT(api_revision, ctx_api, revision)
FLAG(api_current, ctx_api, is_current_revision)
TEXT(key_header, ctx_api, key_header)
TEXT(key_query, ctx_api, key_query)

static bool api_version(struct vm_call *c)
{
	return vm_return_str(c, ((const struct ctx_api *)context_self(c))->version);
}

static bool api_service_url(struct vm_call *c)
{
	const struct ctx_api *api = context_self(c);

	return context_give(c, &class_url, api->service_url.host.n ? &api->service_url : NULL);
}

static bool api_protocols(struct vm_call *c)
{
	struct array *a = vm_array_of(c, &type_string, 2);

	if (!a || !vm_text(c->vm, STR("https"), &a->v[0]) || !vm_text(c->vm, STR("http"), &a->v[1]))
		return false;
	return vm_return(c, value_object(a));
}

static bool api_key_names(struct vm_call *c)
{
	return context_give(c, &class_key_names, context_self(c));
}

static const struct class_member api_members[] = {
	{ "string Id { get; }", api_id },
	{ "string Name { get; }", api_name },
	{ "string Path { get; }", api_path },
	{ "string Revision { get; }", api_revision },
	{ "string Version { get; }", api_version },
	{ "bool IsCurrentRevision { get; }", api_current },
	{ "IUrl ServiceUrl { get; }", api_service_url },
	{ "IEnumerable<string> Protocols { get; }", api_protocols },
	{ "ISubscriptionKeyParameterNames SubscriptionKeyParameterNames { get; }", api_key_names },
	{ 0 }
};
struct value_class class_api = { .name = "IApi", .members = api_members };

static const struct class_member key_name_members[] = {
	{ "string Header { get; }", key_header }, { "string Query { get; }", key_query }, { 0 }
};
struct value_class class_key_names = { .name = "ISubscriptionKeyParameterNames", .members = key_name_members };

/* ---- IOperation, IWorkspace ----------------------------------------------------------------------------------------------- */

TEXT(operation_id, ctx_operation, id)
TEXT(operation_name, ctx_operation, name)
TEXT(operation_method, ctx_operation, method)
TEXT(operation_template, ctx_operation, url_template)

static const struct class_member operation_members[] = {
	{ "string Id { get; }", operation_id },
	{ "string Name { get; }", operation_name },
	{ "string Method { get; }", operation_method },
	{ "string UrlTemplate { get; }", operation_template },
	{ 0 }
};
struct value_class class_operation = { .name = "IOperation", .members = operation_members };

TEXT(workspace_id, ctx_workspace, id)
TEXT(workspace_name, ctx_workspace, name)

static const struct class_member workspace_members[] = {
	{ "string Id { get; }", workspace_id }, { "string Name { get; }", workspace_name }, { 0 }
};
struct value_class class_workspace = { .name = "IWorkspace", .members = workspace_members };

/* ---- groups, IProduct ----------------------------------------------------------------------------------------------------- */

TEXT(group_id, ctx_group, id)
TEXT(group_name, ctx_group, name)

static const struct class_member group_members[] = {
	{ "string Id { get; }", group_id }, { "string Name { get; }", group_name }, { 0 }
};
struct value_class class_group = { .name = "IGroup", .members = group_members };

/* A list of wrappers over n structs of that size. */
static bool give_list(struct vm_call *c, const struct value_class *cls, const void *first, size_t n, size_t size)
{
	struct array *a = vm_array(c, n);

	for (size_t i = 0; a && i < n; i++) {
		if (!context_give(c, cls, (const char *)first + i * size))
			return false;
		a->v[i] = c->result;
	}
	return a && vm_return(c, value_object(a));
}

TEXT(product_id, ctx_product, id)
TEXT(product_name, ctx_product, name)
FLAG(product_approval, ctx_product, approval_required)
FLAG(product_subscription, ctx_product, subscription_required)

static bool product_groups(struct vm_call *c)
{
	const struct ctx_product *p = context_self(c);

	return give_list(c, &class_group, p->groups, p->n_groups, sizeof(*p->groups));
}

static const struct class_member state_rows[] = { { "NotPublished = 0" }, { "Published = 1" }, { 0 } };
struct value_class class_product_state = { .name = "ProductState", .kind = CLASS_ENUM, .members = state_rows };

static bool product_state(struct vm_call *c)
{
	c->result = enum_of(c, &class_product_state, ((const struct ctx_product *)context_self(c))->published);
	return c->result.kind != VALUE_NULL;
}

static bool product_limit(struct vm_call *c)
{
	int64_t limit = ((const struct ctx_product *)context_self(c))->subscriptions_limit;

	return vm_return(c, limit < 0 ? VALUE_NULL_INIT : value_int(limit));
}

static const struct class_member product_members[] = {
	{ "string Id { get; }", product_id },
	{ "string Name { get; }", product_name },
	{ "bool ApprovalRequired { get; }", product_approval },
	{ "bool SubscriptionRequired { get; }", product_subscription },
	{ "int? SubscriptionsLimit { get; }", product_limit },
	{ "int? SubscriptionLimit { get; }", product_limit },      /* as older pages spell it */
	{ "ProductState State { get; }", product_state },
	{ "IEnumerable<IGroup> Groups { get; }", product_groups },
	{ "IEnumerable<IApi> Apis { get; }", nothing },
	{ 0 }
};
struct value_class class_product = { .name = "IProduct", .members = product_members };

/* ---- ISubscription -------------------------------------------------------------------------------------------------------- */

TEXT(subscription_id, ctx_subscription, id)
TEXT(subscription_name, ctx_subscription, name)
TEXT(subscription_key, ctx_subscription, key)
TEXT(subscription_primary, ctx_subscription, primary_key)
TEXT(subscription_secondary, ctx_subscription, secondary_key)

static bool give_date(struct vm_call *c, int64_t us)
{
	struct value v = date_time_of_us(c->arena, us);

	return v.kind != VALUE_NULL ? vm_return(c, v) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool subscription_created(struct vm_call *c)
{
	return give_date(c, ((const struct ctx_subscription *)context_self(c))->created_us);
}

static bool subscription_start(struct vm_call *c)
{
	int64_t us = ((const struct ctx_subscription *)context_self(c))->start_us;

	return us ? give_date(c, us) : nothing(c);
}

static bool subscription_end(struct vm_call *c)
{
	int64_t us = ((const struct ctx_subscription *)context_self(c))->end_us;

	return us ? give_date(c, us) : nothing(c);
}

static const struct class_member subscription_members[] = {
	{ "string Id { get; }", subscription_id },
	{ "string Name { get; }", subscription_name },
	{ "string Key { get; }", subscription_key },
	{ "string PrimaryKey { get; }", subscription_primary },
	{ "string SecondaryKey { get; }", subscription_secondary },
	{ "DateTime CreatedDate { get; }", subscription_created },
	{ "DateTime? StartDate { get; }", subscription_start },
	{ "DateTime? EndDate { get; }", subscription_end },
	{ 0 }
};
struct value_class class_subscription = { .name = "ISubscription", .members = subscription_members };

/* ---- IUser ---------------------------------------------------------------------------------------------------------------- */

TEXT(user_id, ctx_user, id)
TEXT(user_email, ctx_user, email)
TEXT(user_first, ctx_user, first_name)
TEXT(user_last, ctx_user, last_name)
TEXT(user_note, ctx_user, note)
TEXT(identity_id, ctx_identity, id)
TEXT(identity_provider, ctx_identity, provider)

static bool user_registered(struct vm_call *c)
{
	return give_date(c, ((const struct ctx_user *)context_self(c))->registered_us);
}

static bool user_groups(struct vm_call *c)
{
	const struct ctx_user *u = context_self(c);

	return give_list(c, &class_group, u->groups, u->n_groups, sizeof(*u->groups));
}

static bool user_identities(struct vm_call *c)
{
	const struct ctx_user *u = context_self(c);

	return give_list(c, &class_identity, u->identities, u->n_identities, sizeof(*u->identities));
}

static const struct class_member identity_members[] = {
	{ "string Id { get; }", identity_id }, { "string Provider { get; }", identity_provider }, { 0 }
};
struct value_class class_identity = { .name = "IUserIdentity", .members = identity_members };

static const struct class_member user_members[] = {
	{ "string Id { get; }", user_id },
	{ "string Email { get; }", user_email },
	{ "string FirstName { get; }", user_first },
	{ "string LastName { get; }", user_last },
	{ "string Note { get; }", user_note },
	{ "DateTime RegistrationDate { get; }", user_registered },
	{ "IEnumerable<IGroup> Groups { get; }", user_groups },
	{ "IEnumerable<IUserIdentity> Identities { get; }", user_identities },
	{ 0 }
};
struct value_class class_user = { .name = "IUser", .members = user_members };

/* ---- IDeployment ---------------------------------------------------------------------------------------------------------- */

TEXT(deployment_region, ctx_deployment, region)
TEXT(deployment_service_id, ctx_deployment, service_id)
TEXT(deployment_service_name, ctx_deployment, service_name)
TEXT(deployment_gateway_id, ctx_deployment, gateway_id)
TEXT(gateway_instance, ctx_deployment, gateway_instance_id)
FLAG(gateway_managed, ctx_deployment, gateway_is_managed)

static bool deployment_gateway(struct vm_call *c)
{
	return context_give(c, &class_gateway, context_self(c));
}

static bool deployment_certificates(struct vm_call *c)
{
	return context_give(c, &class_certificates, context_self(c));
}

static bool deployment_sustainability(struct vm_call *c)
{
	return context_give(c, &class_sustainability, context_self(c));
}

static const struct class_member deployment_members[] = {
	{ "IGateway Gateway { get; }", deployment_gateway },
	{ "string GatewayId { get; }", deployment_gateway_id },
	{ "string Region { get; }", deployment_region },
	{ "string ServiceId { get; }", deployment_service_id },
	{ "string ServiceName { get; }", deployment_service_name },
	{ "DeploymentCertificates Certificates { get; }", deployment_certificates },
	{ "ISustainabilityInfo SustainabilityInfo { get; }", deployment_sustainability },
	{ 0 }
};
struct value_class class_deployment = { .name = "IDeployment", .members = deployment_members };

static const struct class_member gateway_members[] = {
	{ "string Id { get; }", deployment_gateway_id },
	{ "string InstanceId { get; }", gateway_instance },
	{ "bool IsManaged { get; }", gateway_managed },
	{ 0 }
};
struct value_class class_gateway = { .name = "IGateway", .members = gateway_members };

static const struct class_member sustainability_members[] = {
	{ "object CurrentCarbonIntensity { get; }", nothing }, { 0 }
};
struct value_class class_sustainability = { .name = "ISustainabilityInfo", .members = sustainability_members };

/* Certificates are read when they are asked for: the host only knows their ids. */
static bool certificate_named(struct vm_call *c, struct str name, struct value *out, bool *there)
{
	struct str cert, key;
	struct gh_err err;

	*out = VALUE_NULL_INIT;
	*there = c->x->host && c->x->host->certificate && c->x->host->certificate(c->x, name, &cert, &key);
	if (*there && certificate_value_with_key(c->arena, cert, key, out, &err).code)
		return vm_throw(c, EX_CRYPTOGRAPHIC, "%s", err.message);
	return true;
}

static bool certificate(struct vm_call *c, struct value *out, bool *there)
{
	struct str name = value_str(c->args[0]);

	*out = VALUE_NULL_INIT;
	return name.p ? certificate_named(c, name, out, there) : vm_throw_null(c, "key");
}

static bool certificate_item(struct vm_call *c)
{
	bool there = false;

	if (!certificate(c, &c->result, &there))
		return false;
	return there ? true : key_not_found(c, c->args[0]);
}

static bool certificate_contains(struct vm_call *c)
{
	struct value v;
	bool there = false;

	return certificate(c, &v, &there) && vm_return(c, value_bool(there));
}

static bool certificate_try(struct vm_call *c)
{
	bool there = false;

	return certificate(c, &c->args[1], &there) && vm_return(c, value_bool(there));
}

static bool next_id(struct exchange *x, size_t *cursor, struct str *id)
{
	return x->host && x->host->certificate_next && x->host->certificate_next(x, cursor, id);
}

/* The next pair; its key is a copy, because the host may change what it has when the exchange is over. */
static bool next_certificate(struct vm *vm, struct iterator *it, struct value *item)
{
	struct vm_call *c = vm_scratch(vm);
	struct value cert, name;
	struct str id;
	bool there;

	if (!next_id(c->x, &it->at, &id))
		return false;
	name = value_string(c->arena, id, true);
	if (name.kind == VALUE_NULL)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (!vm_charge(vm, 1000) || !certificate_named(c, id, &cert, &there))
		return false;
	*item = vm_pair(c, &type_string, type_named("X509Certificate2"), name, cert);
	return item->kind != VALUE_NULL;
}

static struct iterator *iterate_certificates(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next_certificate, v, NULL);
}

static bool certificate_count(struct vm_call *c)
{
	size_t cursor = 0;
	int64_t n = 0;
	struct str id;

	while (next_id(c->x, &cursor, &id))
		n++;
	return vm_return(c, value_int(n));
}

static bool certificate_list(struct vm_call *c, bool values)
{
	struct value list = vm_list_new(c, type_item(c->arena, c->type)), pair, key, cert;
	struct iterator *it = list.kind == VALUE_NULL ? NULL : iterate_certificates(c->vm, c->self);

	while (it && vm_next(c->vm, it, &pair))
		if (!value_pair(pair, &key, &cert) || !vm_list_add(c, list, values ? cert : key))
			return false;
	return it && !vm_failed(c->vm) && vm_return(c, list);
}

static bool certificate_keys(struct vm_call *c)
{
	return certificate_list(c, false);
}

static bool certificate_values(struct vm_call *c)
{
	return certificate_list(c, true);
}

static const struct class_member certificate_members[] = {
	{ "X509Certificate2 this[string key] { get; }", certificate_item },
	{ "bool ContainsKey(string key)", certificate_contains },
	{ "bool TryGetValue(string key, out X509Certificate2 value)", certificate_try },
	{ "int Count { get; }", certificate_count },
	{ "IEnumerable<string> Keys { get; }", certificate_keys },
	{ "IEnumerable<X509Certificate2> Values { get; }", certificate_values },
	{ 0 }
};
struct value_class class_certificates = {
	.name = "DeploymentCertificates", .members = certificate_members, .iterate = iterate_certificates,
	.interfaces = "IReadOnlyDictionary<string, X509Certificate2>",
};

/* ---- the last error ------------------------------------------------------------------------------------------------------- */

TEXT(error_source, last_error, source)
TEXT(error_reason, last_error, reason)
TEXT(error_message, last_error, message)
TEXT(error_scope, last_error, scope)
TEXT(error_section, last_error, section)
TEXT(error_path, last_error, path)
TEXT(error_policy_id, last_error, policy_id)

static bool error_code(struct vm_call *c)
{
	return vm_return(c, value_int(((const struct last_error *)context_self(c))->status));
}

static const struct class_member error_members[] = {
	{ "string Source { get; }", error_source },
	{ "string Reason { get; }", error_reason },
	{ "string Message { get; }", error_message },
	{ "string Scope { get; }", error_scope },
	{ "string Section { get; }", error_section },
	{ "string Path { get; }", error_path },
	{ "string PolicyId { get; }", error_policy_id },
	{ "int HttpErrorCode { get; }", error_code },
	{ 0 }
};
struct value_class class_last_error = { .name = "ILastError", .members = error_members };

/* ---- backend, GraphQL, the rest ------------------------------------------------------------------------------------------- */

static bool backend_id(struct vm_call *c)
{
	return context_text(c, c->x->backend_id);
}

static bool backend_region(struct vm_call *c)
{
	return context_text(c, STR(""));
}

static const struct class_member backend_type_rows[] = { { "Single = 0" }, { "Pool = 1" }, { 0 } };
struct value_class class_backend_type = { .name = "BackendType", .kind = CLASS_ENUM, .members = backend_type_rows };

static bool backend_type(struct vm_call *c)
{
	c->result = enum_of(c, &class_backend_type, c->x->backend_id.n && c->x->backend_is_pool);
	return c->result.kind != VALUE_NULL;
}

static const struct class_member backend_members[] = {
	{ "string Id { get; }", backend_id }, { "string AzureRegion { get; }", backend_region },
	{ "BackendType Type { get; }", backend_type }, { 0 }
};
struct value_class class_backend = { .name = "IBackend", .members = backend_members };

static bool graphql_arguments(struct vm_call *c)
{
	c->result = vm_dictionary_new(c, &type_string, &type_object, false);
	return c->result.kind != VALUE_NULL;
}

static const struct class_member graphql_members[] = {
	{ "IReadOnlyDictionary<string, object> GraphQLArguments { get; }", graphql_arguments },
	{ "IReadOnlyDictionary<string, object> Arguments { get; }", graphql_arguments },
	{ "object Parent { get; }", nothing },
	{ 0 }
};
struct value_class class_graphql = { .name = "IGraphQL", .members = graphql_members };

static const struct class_member endpoint_members[] = {
	{ "string Name { get; }", nothing }, { "string GroupId { get; }", nothing }, { "string MemberName { get; }", nothing }, { 0 }
};
struct value_class class_private_endpoint = { .name = "IPrivateEndpointConnection", .members = endpoint_members };

static const struct class_member foundry_members[] = { { "string Deployment { get; }", nothing }, { 0 } };
struct value_class class_foundry = { .name = "IFoundry", .members = foundry_members };

/* ---- Authorization -------------------------------------------------------------------------------------------------------- */

struct authorization {
	struct object head;
	struct str access_token;
	const struct fields *claims;
};

static bool authorization_token(struct vm_call *c)
{
	return context_text(c, ((const struct authorization *)(const void *)c->self.object)->access_token);
}

static bool authorization_claims(struct vm_call *c)
{
	const struct fields *f = ((const struct authorization *)(const void *)c->self.object)->claims;
	struct value d = vm_dictionary_new(c, &type_string, &type_object, false), name, v;

	for (size_t i = 0; d.kind != VALUE_NULL && f && i < f->n; i++)
		if (!vm_text(c->vm, f->v[i].name, &name) || !vm_text(c->vm, f->v[i].value, &v) || !vm_dictionary_put(c, d, name, v))
			return false;
	return d.kind != VALUE_NULL && vm_return(c, d);
}

static const struct class_member authorization_members[] = {
	{ "string AccessToken { get; }", authorization_token },
	{ "IReadOnlyDictionary<string, object> Claims { get; }", authorization_claims },
	{ 0 }
};
struct value_class class_authorization = { .name = "Authorization", .members = authorization_members };

struct value context_authorization(struct arena *a, struct str access_token, const struct fields *claims)
{
	struct authorization *o = arena_new_of(a, struct authorization);

	if (!o)
		return VALUE_NULL_INIT;
	*o = (struct authorization){ { &class_authorization }, access_token, claims };
	return value_object(o);
}

static struct value_class *const classes[] = {
	&class_context, &class_request, &class_response, &class_url, &class_headers, &class_body, &class_variables, &class_api,
	&class_operation, &class_product, &class_subscription, &class_user, &class_deployment, &class_workspace,
	&class_last_error, &class_gateway, &class_group, &class_identity, &class_backend, &class_graphql, &class_key_names,
	&class_sustainability, &class_private_endpoint, &class_foundry, &class_product_state, &class_backend_type,
	&class_authorization, &class_certificates, &class_context_extensions, NULL,
};
const struct class_module context_module = { classes, NULL };
