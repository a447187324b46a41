/* json.h - what the files of the portal's JSON API share. The API is described in www/portal-api.yaml, which a test holds
 * against the routes and every answer against its schema. Who may see what is decided where the pages decide it: routes.c
 * for a route, sight.c for APIs and products, portal_own_… for what belongs to a person. */
#pragma once

#include "db/subscriptions.h"
#include "portal/portal/portal.h"

#define PORTAL_JSON "/portal/api/v1"

/* A text, null when it is STR_NULL. */
json_t *portal_json_text(struct str s);
/* "2026-11-21T17:58:15.000Z"; null for 0. */
json_t *portal_json_time(int64_t us);

/* The part of `total` rows that ?page= and ?per_page= ask for. */
struct portal_window {
	size_t total, page, per_page, from, n;
};
struct portal_window portal_json_window(struct web *w, size_t total);
/* {"items": …, "page": …, "perPage": …, "total": …} with the neighbours as Link. Takes items over. */
GH_RC portal_json_list(struct web *w, const struct portal_window *win, json_t *items, struct gh_err *err);
/* Takes v over. */
GH_RC portal_json_answer(struct web *w, int status, json_t *v, struct gh_err *err);

/* A new key in its transaction; what is shown once is kept as a digest only. */
GH_RC portal_key_replace(struct web *w, struct str id, enum store_key_slot slot, int64_t keep_s, struct str *key, struct gh_err *err);
/* www/portal-api.yaml with this portal's address. */
GH_RC portal_api_description(struct web *w, json_t **out, struct gh_err *err);

struct store_personal_token;
json_t *portal_json_token(const struct store_personal_token *t);         /* without its secret */
/* A new one as the form says; `token` is the only time in clear. *ok false: errors beside the fields. */
GH_RC portal_token_take(struct web *w, struct store_personal_token *t, struct str *token, bool *ok, struct gh_err *err);

web_handler portal_own_api_page, portal_tokens, portal_token_make, portal_token_end;
web_handler portal_json_about, portal_json_apis, portal_json_api, portal_json_operations, portal_json_operation;
web_handler portal_json_products, portal_json_product, portal_json_groups, portal_json_group;
web_handler portal_json_subscriptions, portal_json_subscribe, portal_json_subscription, portal_json_subscription_change;
web_handler portal_json_keys, portal_json_rotate, portal_json_cancel;
web_handler portal_json_applications, portal_json_application_create, portal_json_application, portal_json_application_change;
web_handler portal_json_application_delete;
web_handler portal_json_usage, portal_json_calls, portal_json_call;
web_handler portal_json_tier, portal_json_tier_withdraw;
web_handler portal_json_invited, portal_json_invite, portal_json_invitation_withdraw, portal_json_owner_remove;
web_handler portal_json_invitations, portal_json_invitation_accept, portal_json_invitation_decline;
web_handler portal_json_clients, portal_json_client_create, portal_json_client_rotate, portal_json_client_delete;
web_handler portal_json_guides, portal_json_guide, portal_json_api_guides, portal_json_api_guide;
web_handler portal_json_news, portal_json_status, portal_json_traces, portal_json_trace, portal_json_trace_credential;
web_handler portal_json_sessions, portal_json_sessions_end;
web_handler portal_json_password, portal_json_address, portal_json_close, portal_json_terms, portal_json_terms_agree;
web_handler portal_json_factor, portal_json_factor_begin, portal_json_factor_confirm, portal_json_factor_codes, portal_json_factor_remove;
web_handler portal_json_passkeys, portal_json_passkey_begin, portal_json_passkey_add, portal_json_passkey_remove;
web_handler portal_json_session, portal_json_sign_in, portal_json_sign_in_code, portal_json_sign_out;
web_handler portal_json_sign_in_passkey_begin, portal_json_sign_in_passkey, portal_json_code_passkey_begin, portal_json_code_passkey;
web_handler portal_json_sign_up, portal_json_forgot, portal_json_link, portal_json_link_use;
web_handler portal_json_identities, portal_json_identity_unlink, portal_json_token_make;
web_handler portal_json_account, portal_json_account_change, portal_json_tokens, portal_json_token_delete;
