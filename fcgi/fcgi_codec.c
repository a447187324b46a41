/* fcgi_codec.c - FastCGI bytes to events and back.
 *
 *   byte   0     1      2..3      4..5         6        7
 *        | ver | type | req id | content len | padding | 0 |   all big-endian
 *
 * The reader is a state machine over single bytes of input, so a record may arrive in any number of pieces and nothing is
 * copied but the eight bytes of a cut header and the few bytes of control records. PARAMS is a stream: a pair may begin in
 * one record and end in the next. The caller joins the pieces under its own limit and decodes them afterwards with
 * fcgi_pair_next; a resumable decoder would be three times this size.
 *
 * Not here: multiplexing. No web server does it, and it would let one slow answer block its neighbours. */
#include "fcgi/fcgi_codec.h"

#include "core/str.h"

#include <stdio.h>

void fcgi_reader_init(struct fcgi_reader *r)
{
	r->phase = FCGI_PHASE_IDLE;
	r->id = 0;
	r->head_n = 0;
	r->in_record = r->skip = r->bad = false;
	r->left = r->padding = 0;
	r->control_n = 0;
}

void fcgi_reader_request_over(struct fcgi_reader *r)
{
	r->phase = FCGI_PHASE_IDLE;
	if (r->in_record && r->record_id == r->id && r->record_id != FCGI_NULL_REQUEST_ID)
		r->skip = true;
}

static struct fcgi_event bad(struct fcgi_reader *r, const char *problem)
{
	r->bad = true;
	return (struct fcgi_event){ .kind = FCGI_EV_BAD, .problem = problem };
}

/* Copies up to `want` bytes in total into `to`; true when they are complete. */
static bool gather(uint8_t *to, size_t have, size_t want, struct str *in, size_t *got)
{
	size_t n = want - have;

	if (n > in->n)
		n = in->n;
	memcpy(to + have, in->p, n);
	in->p += n;
	in->n -= n;
	*got = have + n;
	return have + n == want;
}

/* Control records are small and wanted whole. */
static bool is_control(uint8_t type)
{
	return type == FCGI_BEGIN_REQUEST || type == FCGI_GET_VALUES;
}

/* Streams of another request, or in the wrong phase, are skipped: they belong to a request that is over. */
static bool is_wanted(const struct fcgi_reader *r)
{
	switch (r->type) {
	case FCGI_PARAMS:
		return r->record_id == r->id && r->phase == FCGI_PHASE_PARAMS;
	case FCGI_STDIN:
		return r->record_id == r->id && r->phase == FCGI_PHASE_STDIN;
	case FCGI_BEGIN_REQUEST:
		return true;
	case FCGI_GET_VALUES:
		return r->record_id == FCGI_NULL_REQUEST_ID;
	default:
		return false;
	}
}

static const char *record_problem(const struct fcgi_reader *r)
{
	if (r->type == FCGI_BEGIN_REQUEST && r->record_id == FCGI_NULL_REQUEST_ID)
		return "a request with the id 0";
	if (r->type == FCGI_BEGIN_REQUEST && r->left != sizeof(FCGI_BeginRequestBody))
		return "a BEGIN_REQUEST record of the wrong length";
	if (r->type == FCGI_GET_VALUES && r->left > FCGI_CONTROL_MAX)
		return "a GET_VALUES record that is too long";
	return NULL;
}

/* The header is complete. True when it is an event by itself. */
static bool start_record(struct fcgi_reader *r, struct fcgi_event *ev)
{
	const char *problem;

	if (r->head[0] != FCGI_VERSION_1) {
		*ev = bad(r, "a record that is not FastCGI version 1");
		return true;
	}
	r->type = r->head[1];
	r->record_id = (uint16_t)(r->head[2] << 8 | r->head[3]);
	r->left = (uint16_t)(r->head[4] << 8 | r->head[5]);
	r->padding = r->head[6];
	r->in_record = true;
	r->control_n = 0;
	problem = record_problem(r);
	if (problem) {
		*ev = bad(r, problem);
		return true;
	}
	r->skip = !is_wanted(r);
	*ev = (struct fcgi_event){ .id = r->record_id, .type = r->type };
	if (r->type == FCGI_ABORT_REQUEST && r->phase != FCGI_PHASE_IDLE && r->record_id == r->id)
		ev->kind = FCGI_EV_ABORT;
	else if (r->type == FCGI_PARAMS && !r->skip && !r->left)
		ev->kind = FCGI_EV_PARAMS_END, r->phase = FCGI_PHASE_STDIN;
	else if (r->type == FCGI_STDIN && !r->skip && !r->left)
		ev->kind = FCGI_EV_STDIN_END, r->phase = FCGI_PHASE_ANSWER;
	else if (r->record_id == FCGI_NULL_REQUEST_ID && r->type != FCGI_GET_VALUES)
		ev->kind = FCGI_EV_UNKNOWN;
	return ev->kind != FCGI_EV_MORE;
}

static struct fcgi_event end_control(struct fcgi_reader *r)
{
	struct fcgi_event ev = { .id = r->record_id, .type = r->type };

	if (r->type == FCGI_GET_VALUES) {
		ev.kind = FCGI_EV_GET_VALUES;
		ev.bytes = (struct str){ (const char *)r->control, r->control_n };
		return ev;
	}
	if (r->phase != FCGI_PHASE_IDLE) {
		if (r->record_id == r->id)
			return bad(r, "a request that begins twice");
		ev.kind = FCGI_EV_MULTIPLEX;
		return ev;
	}
	ev.kind = FCGI_EV_BEGIN;
	ev.role = (uint16_t)(r->control[0] << 8 | r->control[1]);
	ev.keep = r->control[2] & FCGI_KEEP_CONN;
	r->id = r->record_id;
	r->phase = FCGI_PHASE_PARAMS;
	return ev;
}

/* Content of the present record. True when it makes an event. */
static bool read_content(struct fcgi_reader *r, struct str *in, struct fcgi_event *ev)
{
	size_t n = r->left < in->n ? r->left : in->n;
	size_t got;

	if (is_control(r->type) && !r->skip) {
		bool done = gather(r->control, r->control_n, (size_t)r->control_n + r->left, in, &got);

		r->left = (uint16_t)(r->left - (got - r->control_n));
		r->control_n = (uint16_t)got;
		if (done)
			*ev = end_control(r);
		return done;
	}
	*ev = (struct fcgi_event){ .kind = r->type == FCGI_PARAMS ? FCGI_EV_PARAMS : FCGI_EV_STDIN,
				   .id = r->record_id, .type = r->type, .bytes = { in->p, n } };
	in->p += n;
	in->n -= n;
	r->left = (uint16_t)(r->left - n);
	return !r->skip;
}

static void skip_padding(struct fcgi_reader *r, struct str *in)
{
	size_t n = r->padding < in->n ? r->padding : in->n;

	in->p += n;
	in->n -= n;
	r->padding = (uint8_t)(r->padding - n);
	if (!r->padding) {
		r->in_record = false;
		r->head_n = 0;
	}
}

struct fcgi_event fcgi_read(struct fcgi_reader *r, struct str *in)
{
	struct fcgi_event ev = { .kind = FCGI_EV_MORE };
	size_t got;

	if (r->bad)
		return bad(r, "nothing can be read after a malformed record");
	while (in->n || (r->in_record && !r->left && !r->padding)) {
		if (!r->in_record) {
			bool whole = gather(r->head, r->head_n, FCGI_HEADER_LEN, in, &got);

			r->head_n = (uint8_t)got;
			if (whole && start_record(r, &ev))
				return ev;
			/* an empty GET_VALUES has no content that could end it */
			if (whole && r->type == FCGI_GET_VALUES && !r->skip && !r->left)
				return end_control(r);
			continue;
		}
		if (r->left) {
			if (read_content(r, in, &ev))
				return ev;
			continue;
		}
		skip_padding(r, in);
	}
	return (struct fcgi_event){ .kind = FCGI_EV_MORE };
}

/* ---- name-value pairs ---- */

static bool pair_length(struct str *rest, size_t *n)
{
	const unsigned char *p = (const unsigned char *)rest->p;

	if (!rest->n)
		return false;
	if (p[0] < 0x80) {
		*n = p[0];
		*rest = str_from(*rest, 1);
		return true;
	}
	if (rest->n < 4)
		return false;
	*n = (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*rest = str_from(*rest, 4);
	return true;
}

enum fcgi_pair fcgi_pair_next(struct str *rest, struct str *name, struct str *value)
{
	size_t name_n, value_n;

	if (!rest->n)
		return FCGI_PAIR_END;
	if (!pair_length(rest, &name_n) || !pair_length(rest, &value_n))
		return FCGI_PAIR_BAD;
	if (name_n > rest->n || value_n > rest->n - name_n)
		return FCGI_PAIR_BAD;
	*name = str_first(*rest, name_n);
	*rest = str_from(*rest, name_n);
	*value = str_first(*rest, value_n);
	*rest = str_from(*rest, value_n);
	return FCGI_PAIR_OK;
}

static void write_length(struct buf *out, size_t n)
{
	if (n < 0x80) {
		buf_char(out, (char)n);
		return;
	}
	buf_char(out, (char)(n >> 24 | 0x80));
	buf_char(out, (char)(n >> 16));
	buf_char(out, (char)(n >> 8));
	buf_char(out, (char)n);
}

void fcgi_pair_write(struct buf *out, struct str name, struct str value)
{
	write_length(out, name.n);
	write_length(out, value.n);
	buf_str(out, name);
	buf_str(out, value);
}

/* ---- records that we write ---- */

void fcgi_write_head(uint8_t head[FCGI_HEADER_LEN], uint8_t type, uint16_t id, size_t content, uint8_t padding)
{
	head[0] = FCGI_VERSION_1;
	head[1] = type;
	head[2] = (uint8_t)(id >> 8);
	head[3] = (uint8_t)id;
	head[4] = (uint8_t)(content >> 8);
	head[5] = (uint8_t)content;
	head[6] = padding;
	head[7] = 0;
}

void fcgi_write_end_request(struct buf *out, uint16_t id, uint8_t protocol_status)
{
	uint8_t record[sizeof(FCGI_EndRequestRecord)] = { 0 };

	fcgi_write_head(record, FCGI_END_REQUEST, id, sizeof(FCGI_EndRequestBody), 0);
	record[FCGI_HEADER_LEN + 4] = protocol_status;
	buf_add(out, record, sizeof(record));
}

void fcgi_write_unknown_type(struct buf *out, uint8_t type)
{
	uint8_t record[sizeof(FCGI_UnknownTypeRecord)] = { 0 };

	fcgi_write_head(record, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID, sizeof(FCGI_UnknownTypeBody), 0);
	record[FCGI_HEADER_LEN] = type;
	buf_add(out, record, sizeof(record));
}

void fcgi_write_values(struct buf *out, struct str asked, uint64_t max_conns)
{
	uint8_t head[FCGI_HEADER_LEN];
	struct str name, value;
	struct buf content;
	char number[24];
	struct { struct str name; const char *value; bool done; } known[] = {
		{ STR_INIT(FCGI_MAX_CONNS), number, false },
		{ STR_INIT(FCGI_MAX_REQS), number, false },
		{ STR_INIT(FCGI_MPXS_CONNS), "0", false },
	};

	snprintf(number, sizeof(number), "%llu", (unsigned long long)max_conns);
	buf_init(&content, FCGI_CONTROL_MAX);
	while (fcgi_pair_next(&asked, &name, &value) == FCGI_PAIR_OK)
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			if (!known[i].done && str_eq(name, known[i].name)) {
				fcgi_pair_write(&content, name, str_of(known[i].value));
				known[i].done = true;
			}
	fcgi_write_head(head, FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID, content.n, 0);
	buf_add(out, head, sizeof(head));
	buf_str(out, buf_view(&content));
	buf_release(&content);
}
