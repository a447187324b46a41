/* portal_site.h - where the web apps stand, for links in mails. */
#pragma once

#include "cli/command.h"
#include "db/notices.h"

/* From web.public_url of gatehouse.conf; both addresses are STR_NULL when it is not set. */
gh_rc portal_site(struct cli *c, struct store_site *out, struct gh_err *err);
