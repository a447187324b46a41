/* consent.h - an administrator consents once to what the gateway does with an authorization-code credential. */
#pragma once

#include "portal/web/web.h"

struct tokens;

/* The shared token cache; *out NULL: there is none yet. Close it. */
gh_rc admin_open_tokens(struct web *w, struct tokens **out, struct gh_err *err);
web_handler admin_consent_start, admin_consent_back;
