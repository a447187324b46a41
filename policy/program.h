/* program.h - what a document is compiled to. Private to policy/: the compiler writes it, program.c and fiber.c run it.
 *
 * Each section is one flat array of instructions that ends in OP_END. Jumps go by index within the array. A place in it
 * needs no C stack: a fiber keeps frames (which document, which section, which instruction) and blocks (the loops and
 * concurrency slots that it is inside of). Only `wait` makes more than one fiber.
 *
 *   choose             UNLESS c1 → a;  …when 1…;  JUMP end;  a: UNLESS c2 → b;  …;  JUMP end;  b: …otherwise…;  end:
 *   retry              RETRY;  …;  AGAIN                (AGAIN sleeps and goes back, or leaves the block)
 *   limit-concurrency  ENTER;  …;  LEAVE
 *   wait               FORK;  JUMP end;  …child 1…;  END;  …child 2…;  END;  end:
 *   base, fragment     BASE, FRAGMENT: a new frame */
#pragma once

#include "policy/element.h"

enum {
	FRAMES_MAX = 16,             /* five scopes and a fragment in each, with room */
	BLOCKS_MAX = 64,             /* retry and limit-concurrency inside each other, over all frames */
	STEPS_MAX = 1000000,         /* instructions of one exchange */
	FORKS_MAX = 32,              /* children of one wait */
};

enum op {
	OP_POLICY,
	OP_UNLESS,                   /* config: struct arg; jumps to target when it is false */
	OP_JUMP,
	OP_BASE,
	OP_FRAGMENT,                 /* config: struct policy_document */
	OP_RETRY, OP_AGAIN,
	OP_ENTER, OP_LEAVE,
	OP_FORK,                     /* config: struct fork */
	OP_END,
	OP__COUNT
};

struct instruction {
	enum op op;
	uint32_t target;
	uint32_t line;
	const struct policy_type *type;      /* for names; NULL for instructions that nobody sees */
	const void *config;
	struct str name;             /* element, as traces and LastError show it */
	struct str path, policy_id;
};

struct code {
	struct instruction *v;
	uint32_t n;
	bool given;                  /* the section stands in the document */
};

struct policy_document {
	struct str name;
	enum scope scope;
	bool fragment;
	struct code sections[SECTION__COUNT];        /* a fragment has its instructions in [0] */
	struct policy_uses uses;
	bool has_base[SECTION__COUNT];
	struct str *secrets;
	size_t n_secrets;
	const struct cors_config *cors;      /* the first cors policy in inbound, for preflights; NULL: none */
	struct str cross_domain;             /* the file that a cross-domain policy in inbound serves; null: none */
};

/* ---- configurations that the interpreter itself reads ---- */
struct retry_config {
	struct arg condition, count, interval, max_interval, delta, first_fast;
};
struct limit_concurrency_config {
	struct arg key, max_count;
};
struct fork_config {
	struct arg wait_for;         /* all | any */
	uint32_t *starts;
	size_t n;
};

/* ---- state of a run ---- */
struct frame {
	const struct policy_document *doc;
	const struct code *code;
	uint32_t pc;
	enum scope scope;
};

struct block {
	enum op kind;                /* OP_RETRY or OP_ENTER */
	uint8_t frame;               /* index of the frame it belongs to */
	uint32_t body;               /* first instruction inside */
	const void *config;
	int64_t tries;               /* RETRY: finished ones */
	int64_t count;               /* RETRY: how many more there may be */
	struct place_take place;     /* ENTER */
	int64_t since_us;            /* ENTER; 0: not known to be inside */
	struct last_error *failed;   /* RETRY: the try ended with this error */
};

enum fiber_outcome { FIBER_WAITS, FIBER_DONE, FIBER_RESPONDS, FIBER_FAILED };

struct fiber {
	struct frame frames[FRAMES_MAX];
	size_t n_frames, bottom;     /* it is done when only `bottom` frames are left */
	struct block *blocks;        /* BLOCKS_MAX; NULL until the first is entered */
	size_t n_blocks;
	void *state;                 /* of the present instruction */
	struct fiber *children;      /* of a wait that is under way: what they hold goes with their parent */
	size_t n_children;
	bool waiting;                /* its instruction is to be resumed */
	bool over;
	struct trace_step *trace;    /* of the present instruction */
	int64_t trace_started_us;
};

struct end_hook {
	struct end_hook *next;
	void (*fn)(struct exchange *x, void *arg);
	void *arg;
};

struct cache_session;                /* elements/cache_response.c */

struct bandwidth_take {
	struct bandwidth_take *next;
	struct counter_take take;
	bool void_take;              /* the request turned out not to count */
};

struct program_state {
	struct fiber main;
	struct fiber *now;           /* the fiber that runs */
	struct end_hook *hooks;
	struct cache_session *cache; /* of cache-lookup, for cache-store; NULL: there was none, or the answer came from it */
	bool from_cache;             /* cache-lookup has found the response: outbound is next */
	bool skipping;               /* outbound, up to the cache-store that kept the response */
	struct fields marks;         /* names that a policy has used up for this request */
	struct bandwidth_take *bandwidth;    /* quotas to be counted after the transfer */
	struct policy_uses uses;
	struct str base_path;        /* the part of request.url.path that is the backend's own; no "/" at its end */
	uint32_t steps, traced;
	bool running;                /* the driver is on the C stack */
	bool again;                  /* resumed while running */
	bool finished;
};

/* fiber.c */
bool fiber_start(struct exchange *x, struct fiber *f, const struct policy_document *doc, enum section s,
		 enum scope scope);
enum fiber_outcome fiber_run(struct exchange *x, struct fiber *f);
void fiber_unwind(struct exchange *x, struct fiber *f);      /* gives back what its blocks hold */
/* The innermost document at `from` or further out that applies, with its scope. */
const struct policy_document *document_from(const struct exchange *x, int from, enum scope *scope);

const struct instruction *fiber_instruction(const struct fiber *f);  /* NULL when it has ended */
/* After FIBER_FAILED: true when a retry around the failed instruction takes over; run the fiber again. */
bool fiber_recover(struct exchange *x, struct fiber *f);

/* block.c: retry, limit-concurrency, wait */
enum step op_retry(struct exchange *x, struct fiber *f, const struct instruction *i);
enum step op_again(struct exchange *x, struct fiber *f, const struct instruction *i);
enum step op_enter(struct exchange *x, struct fiber *f, const struct instruction *i);
enum step op_leave(struct exchange *x, struct fiber *f, const struct instruction *i);
enum step op_fork(struct exchange *x, struct fiber *f, const struct instruction *i);

/* elements/cache_response.c: lets those go on that wait for the response of this request */
void cache_fill_drop(struct exchange *x);
extern const struct policy_type cache_store_type;

/* trace.c */
void trace_begin(struct exchange *x, struct fiber *f, const struct instruction *i);
void trace_end(struct exchange *x, struct fiber *f);

/* compiler: what emit functions use */
uint32_t emit(struct compiler *c, enum op op, const struct doc_node *n, const void *config);   /* index */
void emit_target(struct compiler *c, uint32_t at);           /* the jump at `at` goes to the next instruction */
void emit_as(struct compiler *c, uint32_t at, const struct doc_node *n);      /* shows it under the name of n */
uint32_t emit_here(const struct compiler *c);
void compile_preflight(struct compiler *c, const struct cors_config *cors);   /* remembers the first */
void compile_cross_domain(struct compiler *c, struct str file);
void compile_policies(struct compiler *c, const struct doc_node *n);  /* the children of n */
void compile_policy(struct compiler *c, const struct doc_node *n);
void compile_enter(struct compiler *c, const struct doc_node *n);     /* path names of what follows begin with n */
void compile_leave(struct compiler *c);
