/* fcgi_codec.h - FastCGI bytes to events and back (FastCGI 1.0, the constants are those of <fastcgi.h>). No sockets.
 *
 * Invariants: the reader keeps no more than FCGI_CONTROL_MAX bytes of its own, and what it reports does not depend on how
 * the input was cut into pieces (a test and a fuzz target hold it to that), but for PARAMS and STDIN, whose bytes come in
 * as many pieces as there were reads.
 *
 * One request at a time on a connection: a second BEGIN_REQUEST is reported as FCGI_EV_MULTIPLEX and its records are
 * skipped. Records of a request that is over are skipped too, as the specification asks. */
#pragma once

#include "core/base.h"
#include "core/buf.h"

#include <fastcgi.h>

enum {
	FCGI_CONTROL_MAX = 512,          /* content of a management record (GET_VALUES) that is looked at */
	FCGI_OUT_RECORD_MAX = 65528,     /* content of a record that we write: the largest multiple of 8 */
};

enum fcgi_event_kind {
	FCGI_EV_MORE,                    /* all input is used up */
	FCGI_EV_BEGIN,                   /* .id, .role, .keep */
	FCGI_EV_PARAMS,                  /* .bytes: next piece of the stream */
	FCGI_EV_PARAMS_END,
	FCGI_EV_STDIN,                   /* .bytes: next piece of the stream */
	FCGI_EV_STDIN_END,
	FCGI_EV_ABORT,
	FCGI_EV_GET_VALUES,              /* .bytes: its content */
	FCGI_EV_MULTIPLEX,               /* .id: of the request that must be refused */
	FCGI_EV_UNKNOWN,                 /* .type: a management record that we do not know */
	FCGI_EV_BAD,                     /* .problem; the connection is beyond repair */
};

struct fcgi_event {
	enum fcgi_event_kind kind;
	uint16_t id, role;
	uint8_t type;
	bool keep;
	struct str bytes;                /* points into the input, or into the reader; valid until the next call */
	const char *problem;
};

enum fcgi_phase { FCGI_PHASE_IDLE, FCGI_PHASE_PARAMS, FCGI_PHASE_STDIN, FCGI_PHASE_ANSWER };

struct fcgi_reader {
	enum fcgi_phase phase;           /* ANSWER: all input is there */
	uint16_t id;                     /* of the request in hand; meaningless when IDLE */
	uint8_t head[FCGI_HEADER_LEN], head_n;
	uint8_t type, padding;
	uint16_t record_id, left;        /* content bytes of the present record still to come */
	bool in_record, skip, bad;
	uint16_t control_n;
	uint8_t control[FCGI_CONTROL_MAX];
};

void fcgi_reader_init(struct fcgi_reader *r);
/* Takes one event off the front of *in. FCGI_EV_MORE when *in is empty. After FCGI_EV_BAD every call gives it again. */
struct fcgi_event fcgi_read(struct fcgi_reader *r, struct str *in);
/* The request has been answered: whatever still comes for it is skipped, and a new one may begin. */
void fcgi_reader_request_over(struct fcgi_reader *r);

/* PARAMS and GET_VALUES content: cuts the first pair off *rest. */
enum fcgi_pair { FCGI_PAIR_OK, FCGI_PAIR_END, FCGI_PAIR_BAD };
enum fcgi_pair fcgi_pair_next(struct str *rest, struct str *name, struct str *value);
void fcgi_pair_write(struct buf *out, struct str name, struct str value);

void fcgi_write_head(uint8_t head[FCGI_HEADER_LEN], uint8_t type, uint16_t id, size_t content, uint8_t padding);
void fcgi_write_end_request(struct buf *out, uint16_t id, uint8_t protocol_status);
void fcgi_write_unknown_type(struct buf *out, uint8_t type);
/* Answers GET_VALUES: FCGI_MAX_CONNS and FCGI_MAX_REQS as given, FCGI_MPXS_CONNS 0; names we do not know are left out. */
void fcgi_write_values(struct buf *out, struct str asked, uint64_t max_conns);
