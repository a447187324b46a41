#include "portal/admin/admin.h"
#include "portal/admin/scim.h"

#include "core/str.h"
#include "portal/admin/consent.h"

static const struct web_route routes[] = {
	{ "GET", "/", WEB_VIEW_APIS, admin_apis },
	{ "GET", "/apis/{api}", WEB_VIEW_APIS, admin_api },
	{ "POST", "/apis/{api}/life", WEB_CHANGE_APIS, admin_api_life },
	{ "GET", "/products", WEB_VIEW_APIS, admin_products },
	{ "GET", "/api-groups", WEB_VIEW_APIS, admin_groups },
	{ "GET", "/subscriptions", WEB_VIEW_SUBSCRIPTIONS, admin_subscriptions },
	{ "GET", "/pages", WEB_EDIT_PAGES, admin_page_list },
	{ "GET", "/pages/edit", WEB_EDIT_PAGES, admin_page_form },
	{ "POST", "/pages/edit", WEB_EDIT_PAGES, admin_page_act },
	{ "GET", "/credentials", WEB_VIEW_CREDENTIALS, admin_credentials },
	{ "GET", "/credentials/callback", WEB_CHANGE_CREDENTIALS, admin_consent_back },
	{ "GET", "/credentials/{environment}/{id}/connect", WEB_CHANGE_CREDENTIALS, admin_consent_start },
	{ "POST", "/credentials/{environment}/{id}/forget", WEB_CHANGE_CREDENTIALS, admin_credential_forget },
	{ "POST", "/subscriptions/{id}/{action}", WEB_MANAGE_SUBSCRIPTIONS, admin_subscription_act },
	{ "GET", "/look", WEB_CHANGE_LOOK, admin_look },
	{ "POST", "/look", WEB_CHANGE_LOOK, admin_look_save },
	{ "POST", "/look/reset", WEB_CHANGE_LOOK, admin_look_reset },
	{ "GET", "/sign-in", WEB_ANYBODY, web_sign_in_form },
	{ "POST", "/sign-in", WEB_ANYBODY, web_sign_in },
	{ "GET", "/sign-in/code", WEB_ANYBODY, web_code_form },
	{ "POST", "/sign-in/code", WEB_ANYBODY, web_code },
	{ "GET", "/sign-in/passkey", WEB_ANYBODY, web_passkey_form },
	{ "POST", "/sign-in/passkey", WEB_ANYBODY, web_passkey_sign_in },
	{ "GET", "/sign-in/code/passkey", WEB_ANYBODY, web_code_passkey_form },
	{ "POST", "/sign-in/code/passkey", WEB_ANYBODY, web_code_passkey },
	{ "GET", "/sign-in/with/{provider}", WEB_ANYBODY, web_provider_start },
	{ "GET", "/sign-in/callback", WEB_ANYBODY, web_provider_back },
	{ "POST", "/sign-out", WEB_SIGNED_IN, web_sign_out },
	{ "GET", "/scim/v2/{rest*}", WEB_TOKEN, admin_scim },
	{ "POST", "/scim/v2/{rest*}", WEB_TOKEN, admin_scim },
	{ "PUT", "/scim/v2/{rest*}", WEB_TOKEN, admin_scim },
	{ "PATCH", "/scim/v2/{rest*}", WEB_TOKEN, admin_scim },
	{ "DELETE", "/scim/v2/{rest*}", WEB_TOKEN, admin_scim },
	{ NULL, NULL, WEB_ANYBODY, NULL },
};

const struct web_app admin_app = {
	.program = "gatehouse-admin",
	.templates = "admin",
	.cookie = "gh_admin",
	.sign_in = "/sign-in",
	.base_path = CONFIG_ADMIN_BASE_PATH,
	.enter = WEB_VIEW_APIS,
	.is_dashboard = true,
	.routes = routes,
	.common = admin_menu,
};
