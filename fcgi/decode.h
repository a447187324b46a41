/* decode.h - a held body for a policy that looks at it: content codings are undone. */
#pragma once

#include "core/buf.h"
#include "policy/message.h"

/* Replaces the bytes of `body` by what they were before the codings that Content-Encoding names, and takes the field away.
 * A coding that is not known, or that the bytes do not keep, changes nothing: the policy sees what came. False when there
 * would be more than `max` bytes. */
bool message_decode(struct fields *headers, struct buf *body, size_t max);
