/* utf7.h - between UTF-8 and UTF-7 (RFC 2152). */
#pragma once

#include "policy/net/out.h"

void utf7_encode(struct out *o, struct str s);
void utf7_decode(struct out *o, struct str s);           /* bytes outside of runs are taken as they are */
