/* guard.h - nobody reaches above himself. The right to manage people opens accounts, roles and tokens, but not those that may
 * more than who asks: otherwise it would be every right there is.
 *
 *     an account          is changed, blocked, deleted, signed out, moved or has its second factor reset only by who has each right
 *                         that the account has, where it has it: by its role, by what is assigned to it, and by its groups
 *     what gives rights   a role of one's own, an assignment, a machine token, membership in a group with assignments, the role of
 *                         an account: given, changed and taken away only by who has each of these rights there
 *     what opens each     an identity provider (who runs it signs in as anybody), a token for provisioning (it fills groups and
 *     account             blocks anybody): only by who has every right everywhere
 *
 *     a business group    that becomes a part of another one, and an environment that goes into one: who has a role there has it here from
 *                         then on, so only by who has here each right of these roles
 *
 * Everybody may do to his own account what these rules allow him, for he has what it has. Without a viewer (store_viewer), a
 * program of the operator, nothing is refused. resource_write and resource_remove ask before and after each change of such a kind;
 * whoever does something to an account past them asks guard_account. Refusals are DENIED and say which rights are lacking and who
 * may. */
#pragma once

#include "config/rights.h"

/* The account as it stands. */
GH_RC guard_account(struct store *s, struct str user, struct gh_err *err);
/* The resource as it stands in the store; `removed`: it is about to go, and what it gives with it. Kinds that open nothing pass,
 * as does what is not there. */
GH_RC guard_resource(struct store *s, const struct resource_kind *k, struct str id, bool removed, struct gh_err *err);
/* The business group (or environment) of that id, which is there, as it goes into `group`; STR_NULL: into none. */
GH_RC guard_joins(struct store *s, struct arena *a, bool is_group, struct str id, struct str group, struct gh_err *err);
/* Whether `r` has each right of `of` where that has it; else *lacks says what it has not, of many the first: "change-settings,
 * view-audit; change-apis in the environment 'sandbox'". The text is in the arena. */
bool rights_cover(const struct rights *r, const struct rights *of, struct arena *a, struct str *lacks);
