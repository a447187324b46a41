/* counter_note.c - notes among the plain counters.
 *
 * A counter that is forgotten lets one call too many through. A note that is forgotten lets a signature pass twice or a session
 * live on after its end, so it keeps its place until its time is over, and no more than half of a set are notes: limits need
 * room as well. Its clock is the wall's, like that of fixed windows: it must hold over a reboot. */
#include "core/counter_impl.h"

enum { NOTE_SALT = 0x65746f6e };

bool counter_find_note(struct counters *c, struct str key, int64_t *at_us)
{
	struct place p = counter_place(c, TABLE_PLAIN, counter_digest(c, key, NOTE_SALT));
	const struct plain *body;
	bool found;

	counter_lock(c, &p);
	body = counter_find(c, &p, c->mono_us(), false);
	found = body && body->type == PLAIN_NOTE && body->end_us > c->wall_us();
	if (found)
		*at_us = body->start_us;
	counter_unlock(&p);
	return found;
}

enum counter_noted counter_note(struct counters *c, struct str key, int64_t at_us, int64_t until_us)
{
	struct place p = counter_place(c, TABLE_PLAIN, counter_digest(c, key, NOTE_SALT));
	enum counter_noted out = COUNTER_NOTED;
	struct plain *body;

	counter_lock(c, &p);
	body = counter_find(c, &p, c->mono_us(), false);
	if (body && body->end_us > c->wall_us())
		out = COUNTER_WAS_NOTED;
	else if (!body && counter_notes(c, &p) >= NOTES_MOST)
		out = COUNTER_NO_ROOM;
	else if (!body)
		body = counter_find(c, &p, c->mono_us(), true);
	if (body && out != COUNTER_NO_ROOM) {
		bool later = out == COUNTER_WAS_NOTED;

		body->start_us = later && body->start_us > at_us ? body->start_us : at_us;
		body->end_us = later && body->end_us > until_us ? body->end_us : until_us;
		body->count = 1;
		body->type = PLAIN_NOTE;
	}
	counter_unlock(&p);
	return body ? out : COUNTER_NO_ROOM;
}

int64_t counter_notes_since_us(const struct counters *c, bool boot)
{
	return boot ? c->header->boot_us : c->header->made_us;
}
