/* http_status.h - the names of HTTP status codes (RFC 9110 section 15 and the IANA registry). */
#pragma once

#include "core/base.h"

struct str http_reason(int status);          /* "Not Found"; "" for a code that is not registered */
