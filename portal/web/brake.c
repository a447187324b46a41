#include "portal/web/internal.h"

#include "core/str.h"

#include <arpa/inet.h>

/* Slowing down. Failed tries are counted per account and address together, per account, and per address, over all
 * processes; past the limit one more try passes per pause, so guessing is slow while the owner of an account can still get
 * in from elsewhere. */

enum { HOUR_S = 3600 };

static const struct {
	const char *name;
	bool account, address;
	uint64_t times;          /* of web.sign_in_tries */
} brakes[] = {
	{ "both", true, true, 1 },
	{ "account", true, false, 10 },
	{ "address", false, true, 4 },
};

/* Accounts are found without regard to case, so they are counted that way too. */
static struct str lower(struct arena *a, struct str s)
{
	char *p = arena_alloc_text(a, s.n);

	for (size_t i = 0; p && i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	return (struct str){ p, p ? s.n : 0 };
}

/* One household or attacker has a whole /64 of IPv6 addresses: they count as one. */
struct str web_network(struct web *w)
{
	const char *text = arena_cstr(w->a, w->rq.address);
	struct in6_addr six;

	if (!text || inet_pton(AF_INET6, text, &six) != 1)
		return w->rq.address;
	return crypto_hex(w->a, (struct str){ (const char *)&six, 8 });
}

static struct counter_ask ask_for(struct web *w, const char *what, struct str account, size_t i)
{
	uint64_t tries = (uint64_t)config_int(&w->site->config, CONFIG_WEB_SIGN_IN_TRIES);

	return (struct counter_ask){
		.type = COUNTER_TYPE_BUCKET,
		.limit = brakes[i].times,
		.window_s = (uint32_t)config_int(&w->site->config, CONFIG_WEB_SIGN_IN_PAUSE_S),
		.burst = tries * brakes[i].times,
		.key = arena_printf(w->a, "%s %s|%.*s|%.*s", what, brakes[i].name,
				    STR_ARG(brakes[i].account ? lower(w->a, account) : STR("")),
				    STR_ARG(brakes[i].address ? web_network(w) : STR(""))),
	};
}

uint32_t web_brake(struct web *w, const char *what, struct str account)
{
	uint32_t wait = 0;

	for (size_t i = 0; i < ARRAY_LEN(brakes); i++) {
		struct counter_ask ask = ask_for(w, what, account, i);
		struct counter_answer answer = counter_take(w->site->counters, &ask);
		uint32_t needed = answer.retry_after_s ? answer.retry_after_s : ask.window_s;

		if ((!answer.allowed || answer.remaining == 0) && needed > wait)
			wait = needed;
	}
	return wait;
}

void web_brake_count(struct web *w, const char *what, struct str account)
{
	for (size_t i = 0; i < ARRAY_LEN(brakes); i++) {
		struct counter_ask ask = ask_for(w, what, account, i);

		ask.amount = 1;
		counter_take(w->site->counters, &ask);
	}
}

bool web_allowance(struct web *w, const char *what, struct str whom, int64_t per_hour)
{
	const struct counter_ask ask = {
		.type = COUNTER_TYPE_SLIDING, .limit = (uint64_t)per_hour, .window_s = HOUR_S, .amount = 1,
		.key = arena_printf(w->a, "%s|%.*s", what, STR_ARG(lower(w->a, whom))),
	};

	return counter_take(w->site->counters, &ask).allowed;
}
