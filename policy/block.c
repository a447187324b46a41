/* block.c - instructions that enclose others: retry, limit-concurrency, wait. */
#include "policy/program.h"

#include "core/str.h"

static struct block *push_block(struct exchange *x, struct fiber *f, enum op kind, const void *config)
{
	struct block *b;

	if (!f->blocks)
		f->blocks = arena_alloc(x->arena, BLOCKS_MAX, sizeof(*f->blocks));
	if (!f->blocks || f->n_blocks == BLOCKS_MAX) {
		exchange_fail(x, 500, STR_NULL, "retry and limit-concurrency are nested too deep");
		return NULL;
	}
	b = &f->blocks[f->n_blocks++];
	*b = (struct block){ .kind = kind, .config = config, .frame = (uint8_t)(f->n_frames - 1) };
	b->body = f->frames[f->n_frames - 1].pc + 1;
	return b;
}

static int64_t now_us(struct exchange *x)
{
	return x->host->now_us ? x->host->now_us(x) : 0;
}

static void pop_block(struct exchange *x, struct fiber *f)
{
	struct block *b = &f->blocks[--f->n_blocks];

	if (b->kind == OP_ENTER)
		x->host->leave(x, &b->place, b->since_us ? now_us(x) - b->since_us : -1);
}

static void stop_children(struct exchange *x, struct fiber *f)
{
	for (size_t i = 0; i < f->n_children; i++) {
		fiber_unwind(x, &f->children[i]);
		f->children[i].over = true;
	}
	f->n_children = 0;
}

void fiber_unwind(struct exchange *x, struct fiber *f)
{
	stop_children(x, f);
	while (f->n_blocks)
		pop_block(x, f);
}

/* ---- retry ------------------------------------------------------------------------------------------------------- */

enum step op_retry(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	const struct retry_config *c = i->config;
	struct block *b;
	int64_t count;

	if (!arg_get_int(x, &c->count, &count))
		return STEP_FAIL;
	b = push_block(x, f, OP_RETRY, c);
	if (!b)
		return STEP_FAIL;
	b->count = count;
	return STEP_NEXT;
}

static double seconds(double s, double most)
{
	return s > most ? most : s < 0 ? 0 : s;
}

/* How long to wait before retry number n (from 1). With interval alone: always that; with delta: linear; with delta and
 * max-interval: exponential with a spread of a fifth, so that many callers do not come back at once. */
static bool retry_wait_ms(struct exchange *x, const struct retry_config *c, int64_t n, uint32_t *ms)
{
	double interval, delta = 0, most = 0, s;
	bool fast = false;

	if (!arg_get_real(x, &c->interval, &interval) || (c->delta.given && !arg_get_real(x, &c->delta, &delta))
	    || (c->max_interval.given && !arg_get_real(x, &c->max_interval, &most))
	    || !arg_get_bool(x, &c->first_fast, &fast))
		return false;
	s = interval;
	if (c->delta.given && c->max_interval.given) {
		double spread = 0.8 + 0.4 * (double)(x->host->random(x) >> 11) / 9007199254740992.0;

		s = interval + (double)(1ULL << (n - 1 > 40 ? 40 : n - 1)) * delta * spread;
	} else if (c->delta.given) {
		s = interval + (double)(n - 1) * delta;
	}
	if (c->max_interval.given)
		s = seconds(s, most);
	*ms = fast && n == 1 ? 0 : (uint32_t)(seconds(s, 86400) * 1000);
	return true;
}

/* True: go round again. With an error standing, a condition that fails itself counts as false. */
static enum step wants_again(struct exchange *x, const struct block *b, bool *again)
{
	const struct retry_config *c = b->config;

	*again = false;
	if (b->tries >= b->count)
		return STEP_NEXT;
	if (!arg_get_bool(x, &c->condition, again))
		return STEP_FAIL;
	return STEP_NEXT;
}

static enum step leave_retry(struct exchange *x, struct fiber *f, struct last_error *failed)
{
	pop_block(x, f);
	if (!failed)
		return STEP_NEXT;
	x->error = *failed;
	return STEP_FAIL;
}

static enum step go_back(struct fiber *f, struct block *b)
{
	b->tries++;
	f->frames[b->frame].pc = b->body;
	return STEP_JUMP;
}

enum step op_again(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	struct block *b = &f->blocks[f->n_blocks - 1];
	struct last_error *failed = b->failed;
	struct host_sleep *sleep = f->state;
	bool again;
	uint32_t ms;
	enum step s;

	(void)i;
	if (f->waiting)
		return sleep->done ? go_back(f, b) : STEP_WAIT;
	b->failed = NULL;
	if (x->program->skipping)
		return leave_retry(x, f, NULL);
	if (failed && failed->exhausted)
		return leave_retry(x, f, failed);
	if (wants_again(x, b, &again) == STEP_FAIL)
		return leave_retry(x, f, failed ? failed : &x->error);
	if (!again)
		return leave_retry(x, f, failed);
	x->error = (struct last_error){ 0 };
	if (!retry_wait_ms(x, b->config, b->tries + 1, &ms))
		return STEP_FAIL;
	exchange_trace(x, "again, retry %lld of %lld after %u ms", (long long)b->tries + 1, (long long)b->count, ms);
	sleep = arena_new_of(x->arena, struct host_sleep);
	if (!sleep)
		return exchange_no_memory(x);
	f->state = sleep;
	sleep->ms = ms;
	s = ms ? x->host->sleep(x, sleep) : STEP_NEXT;
	return s == STEP_NEXT ? go_back(f, b) : s;
}

bool fiber_recover(struct exchange *x, struct fiber *f)
{
	struct block *b;
	struct last_error *kept;

	stop_children(x, f);
	while (f->n_blocks && f->blocks[f->n_blocks - 1].kind != OP_RETRY)
		pop_block(x, f);
	if (!f->n_blocks)
		return false;
	b = &f->blocks[f->n_blocks - 1];
	kept = arena_new_of(x->arena, struct last_error);
	if (!kept)
		return false;
	*kept = x->error;
	b->failed = kept;
	f->n_frames = (size_t)b->frame + 1;
	f->frames[b->frame].pc = b->body - 1;
	f->frames[b->frame].pc = fiber_instruction(f)->target;
	f->waiting = false;
	return true;
}

/* ---- limit-concurrency ------------------------------------------------------------------------------------------- */

static enum step refuse_entry(struct exchange *x, struct str key)
{
	uint32_t wait_s = x->host->enter_wait_s ? x->host->enter_wait_s(x, key) : 1;

	exchange_refuse(x, 429, STR("ConcurrencyLimitExceeded"), STR("Concurrency limit is exceeded"),
			STR("Concurrency limit is exceeded. Try again later."));
	x->error.header = STR("Retry-After");
	x->error.header_value = arena_printf(x->arena, "%u", wait_s);
	return STEP_FAIL;
}

/* The host knows; what is refused has nothing to leave. */
static enum step entered(struct exchange *x, struct fiber *f)
{
	struct block *b = &f->blocks[f->n_blocks - 1];

	if (!b->place.done)
		return STEP_WAIT;
	if (b->place.allowed) {
		b->since_us = now_us(x);
		return STEP_NEXT;
	}
	f->n_blocks--;
	if (b->place.unavailable)
		return exchange_fail(x, 503, STR("CountersUnavailable"), "The limits of this gateway cannot be kept at present.");
	return refuse_entry(x, b->place.key);
}

enum step op_enter(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	const struct limit_concurrency_config *c = i->config;
	struct str parts[] = { STR("limit-concurrency:"), STR_NULL }, key;   /* a key may come from a request: it is no gauge of others */
	struct block *b;
	int64_t max;
	enum step s;

	if (f->waiting)
		return entered(x, f);
	if (!arg_get_text(x, &c->key, &parts[1]) || !arg_get_int(x, &c->max_count, &max))
		return STEP_FAIL;
	key = arena_join(x->arena, parts, ARRAY_LEN(parts));
	if (!key.p)
		return exchange_no_memory(x);
	b = push_block(x, f, OP_ENTER, c);
	if (!b)
		return STEP_FAIL;
	b->place = (struct place_take){ .key = key, .max = (uint32_t)max };
	s = x->host->enter(x, &b->place);
	return s == STEP_NEXT ? entered(x, f) : s;
}

enum step op_leave(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	(void)i;
	pop_block(x, f);
	return STEP_NEXT;
}

/* ---- wait -------------------------------------------------------------------------------------------------------- */

static bool start_children(struct exchange *x, struct fiber *f, const struct fork_config *c)
{
	struct fiber *v = arena_alloc(x->arena, c->n, sizeof(*v));

	if (!v)
		return false;
	for (size_t i = 0; i < c->n; i++) {
		memcpy(v[i].frames, f->frames, f->n_frames * sizeof(*f->frames));
		v[i].n_frames = f->n_frames;
		v[i].bottom = f->n_frames - 1;
		v[i].frames[f->n_frames - 1].pc = c->starts[i];
	}
	f->children = v;
	f->n_children = c->n;
	return true;
}

enum step op_fork(struct exchange *x, struct fiber *f, const struct instruction *i)
{
	const struct fork_config *c = i->config;
	size_t over = 0;
	int64_t any;

	if (!arg_get_int(x, &c->wait_for, &any))
		return STEP_FAIL;
	if (!f->waiting && !start_children(x, f, c))
		return exchange_no_memory(x);
	for (size_t k = 0; k < c->n; k++) {
		enum fiber_outcome o = f->children[k].over ? FIBER_DONE : fiber_run(x, &f->children[k]);

		if (o == FIBER_FAILED || o == FIBER_RESPONDS) {
			stop_children(x, f);
			return o == FIBER_FAILED ? STEP_FAIL : STEP_RESPOND;
		}
		over += o == FIBER_DONE;
		if (over && any)
			break;
	}
	if (over < c->n && !(over && any))
		return STEP_WAIT;
	stop_children(x, f);
	exchange_trace(x, "%zu of %zu are done", over, c->n);
	return STEP_NEXT;
}
