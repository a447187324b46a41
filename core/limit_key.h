/* limit_key.h - under which keys limits count in core/counter.h, for all who count or look. In the arena; .p NULL when out
 * of memory. */
#pragma once

#include "core/arena.h"

struct str limit_quota_key(struct arena *a, struct str product, struct str subscription);      /* the policy quota of a product */
struct str limit_quota_part(struct arena *a, struct str key, bool bytes);    /* a quota counts calls and kilobytes apart */
struct str limit_tier_key(struct arena *a, struct str subscription);         /* the limits of a tier */
/* Limits of a tier or rule count calls and bytes apart under one key (struct counter_ask.part): so all of them are on one node of a
 * Redis Cluster. */
enum limit_part { LIMIT_PART_CALLS, LIMIT_PART_BYTES };
struct str limit_place_key(struct arena *a, struct str key);      /* the gauge of the calls at once under that key */
struct str limit_rule_key(struct arena *a, struct str subscription, struct str api);     /* of a consumer rule; api STR_NULL: every API */
