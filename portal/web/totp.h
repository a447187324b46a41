/* totp.h - one-time codes by time (RFC 6238): six digits, SHA-1, steps of 30 seconds, as every authenticator app knows them. */
#pragma once

#include "core/arena.h"

enum { TOTP_SECRET_BYTES = 20, TOTP_DIGITS = 6, TOTP_STEP_S = 30, TOTP_DRIFT_STEPS = 1 };

/* The code of a time step, with leading zeros. */
void totp_code(struct str secret, int64_t step, char out[TOTP_DIGITS + 1]);
/* Whether the code (blanks are passed over) is that of now, of the step before or of the one after; *step tells which. */
bool totp_check(struct str secret, struct str code, int64_t now_s, int64_t *step);
/* "otpauth://totp/…": what the picture holds. */
struct str totp_address(struct arena *a, struct str issuer, struct str account, struct str secret);
