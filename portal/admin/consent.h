/* consent.h - an administrator consents once to what the gateway does with an authorization-code credential. */
#pragma once

#include "portal/web/web.h"

struct tokens;

/* The shared token cache; *out NULL: there is none yet. Close it. */
gh_rc admin_open_tokens(struct web *w, struct tokens **out, struct gh_err *err);
/* Where the credential stands that this browser went to the provider for; STR_NULL: for none. */
struct str admin_consent_environment(struct web *w);
web_handler admin_consent_start, admin_consent_back;
