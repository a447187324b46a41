#include "portal/portal/docs.h"
#include "portal/portal/json.h"

#include "core/str.h"
#include "db/environments.h"

static const struct web_route routes[] = {
	{ "GET", "/", WEB_ANYBODY, portal_home },
	{ "GET", "/apis", WEB_ANYBODY, portal_apis },
	{ "GET", "/new", WEB_ANYBODY, portal_news },
	{ "GET", "/new.atom", WEB_ANYBODY, portal_feed },
	{ "GET", "/apis/{api}", WEB_ANYBODY, portal_api },
	{ "GET", "/apis/{api}/operations/{operation}", WEB_ANYBODY, portal_operation },
	{ "GET", "/apis/{api}/document", WEB_ANYBODY, portal_document },
	{ "GET", "/apis/{api}/openapi.json", WEB_ANYBODY, portal_openapi_json },
	{ "GET", "/apis/{api}/openapi.yaml", WEB_ANYBODY, portal_openapi_yaml },
	{ "GET", "/apis/{api}/original", WEB_ANYBODY, portal_openapi_original },
	{ "GET", "/apis/{api}/pages/{page}", WEB_ANYBODY, portal_api_page },
	{ "GET", "/pages/{page}", WEB_ANYBODY, portal_page },
	{ "GET", "/products", WEB_ANYBODY, portal_products },
	{ "GET", "/products/{product}", WEB_ANYBODY, portal_product },
	{ "POST", "/products/{product}/subscribe", WEB_SIGNED_IN, portal_subscribe },
	{ "GET", "/account/subscriptions", WEB_SIGNED_IN, portal_subscriptions },
	{ "GET", "/account/subscriptions/{id}", WEB_SIGNED_IN, portal_subscription },
	{ "POST", "/account/subscriptions/{id}/keys", WEB_SIGNED_IN, portal_subscription_keys },
	{ "POST", "/account/subscriptions/{id}/console-key", WEB_SIGNED_IN, portal_console_key },
	{ "POST", "/account/subscriptions/{id}/rotate", WEB_SIGNED_IN, portal_subscription_rotate },
	{ "POST", "/account/subscriptions/{id}/name", WEB_SIGNED_IN, portal_subscription_name },
	{ "POST", "/account/subscriptions/{id}/cancel", WEB_SIGNED_IN, portal_subscription_cancel },
	{ "POST", "/account/subscriptions/{id}/tier", WEB_SIGNED_IN, portal_subscription_tier },
	{ "POST", "/account/subscriptions/{id}/tier/withdraw", WEB_SIGNED_IN, portal_subscription_tier_withdraw },
	{ "GET", "/account/applications", WEB_SIGNED_IN, portal_applications },
	{ "POST", "/account/applications", WEB_SIGNED_IN, portal_application_create },
	{ "GET", "/account/new-application", WEB_SIGNED_IN, portal_application_form },
	{ "GET", "/account/applications/{id}", WEB_SIGNED_IN, portal_application },
	{ "POST", "/account/applications/{id}", WEB_SIGNED_IN, portal_application_edit },
	{ "POST", "/account/applications/{id}/delete", WEB_SIGNED_IN, portal_application_delete },
	{ "POST", "/account/applications/{id}/owners", WEB_SIGNED_IN, portal_team_invite },
	{ "POST", "/account/applications/{id}/owners/{user}/remove", WEB_SIGNED_IN, portal_team_remove },
	{ "POST", "/account/applications/{id}/invitations/{invitation}/withdraw", WEB_SIGNED_IN, portal_team_withdraw },
	{ "POST", "/account/applications/{id}/clients", WEB_SIGNED_IN, portal_client_create },
	{ "POST", "/account/applications/{id}/clients/{client}/rotate", WEB_SIGNED_IN, portal_client_rotate },
	{ "POST", "/account/applications/{id}/clients/{client}/delete", WEB_SIGNED_IN, portal_client_delete },
	{ "POST", "/account/invitations/{id}/accept", WEB_SIGNED_IN, portal_invitation_accept },
	{ "POST", "/account/invitations/{id}/decline", WEB_SIGNED_IN, portal_invitation_decline },
	{ "GET", "/account/calls", WEB_SIGNED_IN, portal_usage },
	{ "GET", "/account/calls.csv", WEB_SIGNED_IN, portal_usage_csv },
	{ "GET", "/account/calls/{request}", WEB_SIGNED_IN, portal_call },
	{ "GET", "/sign-in", WEB_ANYBODY, web_sign_in_form },
	{ "POST", "/sign-in", WEB_ANYBODY, web_sign_in },
	{ "GET", "/sign-in/code", WEB_ANYBODY, web_code_form },
	{ "POST", "/sign-in/code", WEB_ANYBODY, web_code },
	{ "GET", "/sign-in/with/{provider}", WEB_ANYBODY, web_provider_start },
	{ "GET", "/sign-in/callback", WEB_ANYBODY, web_provider_back },
	{ "POST", "/sign-out", WEB_SIGNED_IN, web_sign_out },
	{ "GET", "/sign-up", WEB_ANYBODY, portal_sign_up_form },
	{ "POST", "/sign-up", WEB_ANYBODY, portal_sign_up },
	{ "GET", "/forgot", WEB_ANYBODY, portal_forgot_form },
	{ "POST", "/forgot", WEB_ANYBODY, portal_forgot },
	{ "GET", "/link/{token}", WEB_ANYBODY, portal_link_form },
	{ "POST", "/link/{token}", WEB_ANYBODY, portal_link },
	{ "GET", "/terms", WEB_ANYBODY, portal_terms_page },
	{ "POST", "/terms", WEB_SIGNED_IN, portal_terms_accept },
	{ "GET", "/account", WEB_SIGNED_IN, portal_account },
	{ "POST", "/account/name", WEB_SIGNED_IN, portal_account_name },
	{ "POST", "/account/preferences", WEB_SIGNED_IN, portal_account_preferences },
	{ "GET", "/language/{code}", WEB_ANYBODY, web_language },
	{ "POST", "/language/{code}", WEB_SIGNED_IN, web_language_set },
	{ "POST", "/account/password", WEB_SIGNED_IN, portal_account_password },
	{ "POST", "/account/address", WEB_SIGNED_IN, portal_account_address },
	{ "POST", "/account/sessions/end", WEB_SIGNED_IN, portal_sessions_end },
	{ "POST", "/account/sessions/end-others", WEB_SIGNED_IN, portal_sessions_end_others },
	{ "POST", "/account/identities/{provider}/unlink", WEB_SIGNED_IN, portal_account_unlink },
	{ "GET", "/account/second-factor", WEB_SIGNED_IN, portal_factor_form },
	{ "POST", "/account/second-factor", WEB_SIGNED_IN, portal_factor },
	{ "POST", "/account/second-factor/off", WEB_SIGNED_IN, portal_factor_off },
	{ "POST", "/account/second-factor/codes", WEB_SIGNED_IN, portal_factor_codes },
	{ "GET", "/account/traces", WEB_SIGNED_IN, portal_traces },
	{ "POST", "/account/traces", WEB_SIGNED_IN, portal_trace_token },
	{ "GET", "/account/traces/{id}", WEB_SIGNED_IN, portal_trace },
	{ "GET", "/account/tokens", WEB_SIGNED_IN, portal_tokens },
	{ "POST", "/account/tokens", WEB_SIGNED_IN, portal_token_make },
	{ "POST", "/account/tokens/{id}/end", WEB_SIGNED_IN, portal_token_end },
	{ "GET", "/account/close", WEB_SIGNED_IN, portal_close_form },
	{ "POST", "/account/close", WEB_SIGNED_IN, portal_close },
	{ "GET", "/look.css", WEB_ANYBODY, portal_look_css },
	{ "GET", "/logo", WEB_ANYBODY, portal_logo },
	{ "GET", "/theme/{file*}", WEB_ANYBODY, web_theme_file },
	{ "GET", "/static/{file*}", WEB_ANYBODY, web_static },
	/* the JSON API, described in www/portal-api.yaml */
	{ "GET", "/portal/api", WEB_ANYBODY, portal_own_api_page },
	{ "GET", PORTAL_JSON "/openapi.json", WEB_ANYBODY, portal_json_about },
	{ "GET", PORTAL_JSON "/apis", WEB_ANYBODY, portal_json_apis },
	{ "GET", PORTAL_JSON "/apis/{api}", WEB_ANYBODY, portal_json_api },
	{ "GET", PORTAL_JSON "/apis/{api}/operations", WEB_ANYBODY, portal_json_operations },
	{ "GET", PORTAL_JSON "/apis/{api}/operations/{operation}", WEB_ANYBODY, portal_json_operation },
	{ "GET", PORTAL_JSON "/products", WEB_ANYBODY, portal_json_products },
	{ "GET", PORTAL_JSON "/products/{product}", WEB_ANYBODY, portal_json_product },
	{ "GET", PORTAL_JSON "/subscriptions", WEB_SIGNED_IN, portal_json_subscriptions },
	{ "POST", PORTAL_JSON "/subscriptions", WEB_SIGNED_IN, portal_json_subscribe },
	{ "GET", PORTAL_JSON "/subscriptions/{id}", WEB_SIGNED_IN, portal_json_subscription },
	{ "PATCH", PORTAL_JSON "/subscriptions/{id}", WEB_SIGNED_IN, portal_json_subscription_change },
	{ "POST", PORTAL_JSON "/subscriptions/{id}/keys", WEB_SIGNED_IN, portal_json_keys },
	{ "POST", PORTAL_JSON "/subscriptions/{id}/rotate", WEB_SIGNED_IN, portal_json_rotate },
	{ "POST", PORTAL_JSON "/subscriptions/{id}/cancel", WEB_SIGNED_IN, portal_json_cancel },
	{ "GET", PORTAL_JSON "/usage", WEB_SIGNED_IN, portal_json_usage },
	{ "GET", PORTAL_JSON "/calls", WEB_SIGNED_IN, portal_json_calls },
	{ "GET", PORTAL_JSON "/calls/{request}", WEB_SIGNED_IN, portal_json_call },
	{ "GET", PORTAL_JSON "/account", WEB_SIGNED_IN, portal_json_account },
	{ "PATCH", PORTAL_JSON "/account", WEB_SIGNED_IN, portal_json_account_change },
	{ "GET", PORTAL_JSON "/account/tokens", WEB_SIGNED_IN, portal_json_tokens },
	{ "DELETE", PORTAL_JSON "/account/tokens/{id}", WEB_SIGNED_IN, portal_json_token_delete },
	{ NULL, NULL, WEB_ANYBODY, NULL },
};

/* A title set in the store wins over the configured one. One that cannot be read must not keep an error page from being shown. */
static GH_RC common(struct web *w, struct gh_err *err)
{
	struct str title = STR_NULL, terms;
	bool found = false, has_terms = false;

	portal_put_menu(w);
	if (store_setting_get(w->site->store, w->a, STR("portal.title"), &title, &found, err).code)
		found = false;
	portal_put_look(w);
	liquid_set_bool(w->page, "has_terms", !store_setting_get(w->site->store, w->a, STR("portal.terms"), &terms, &has_terms, err).code
						      && has_terms);
	liquid_set_text(w->page, "site_title", found && title.n ? title : config_text(&w->site->config, CONFIG_PORTAL_TITLE));
	return GH_RC_OK;
}

const struct web_app portal_app = {
	.program = "gatehouse-portal",
	.templates = "portal",
	.cookie = "gh_portal",
	.sign_in = "/sign-in",
	.enter = WEB_SIGNED_IN,
	.before = portal_ask_terms,
	.base_path = CONFIG_PORTAL_BASE_PATH,
	.routes = routes,
	.json = PORTAL_JSON "/",
	.token = portal_token_user,
	.common = common,
};
