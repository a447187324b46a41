#include "keeper/sinks.h"

#include "core/log.h"
#include "core/str.h"
#include "keeper/access_log.h"
#include "keeper/otlp.h"

#include <stdio.h>
#include <stdlib.h>

struct sinks {
	struct access_log *access;
	struct otlp *otlp[OTLP_SIGNAL__COUNT];
	struct outbox *outboxes[SINKS_MAX];
	size_t n;
	struct outbox_stats wrong[SINKS_MAX];        /* what could not be started */
	size_t n_wrong;
};

static void started(struct sinks *s, const char *name, struct outbox *outbox, gh_rc rc, const struct gh_err *err)
{
	if (outbox)
		s->outboxes[s->n++] = outbox;
	if (!rc.code)
		return;
	log_error("an export does not work", KV_CSTR("export", name), KV_CSTR("error", err->message));
	s->wrong[s->n_wrong].name = name;
	snprintf(s->wrong[s->n_wrong++].error, OUTBOX_ERROR_MAX, "%s", err->message);
}

gh_rc sinks_start(const struct config *config, struct sinks **out, struct gh_err *err)
{
	struct sinks *s = calloc(1, sizeof(*s));
	struct gh_err why;
	gh_rc rc;

	*out = s;
	if (!s)
		FAIL(err, NOMEM, "exports");
	rc = access_log_start(config, &s->access, &why);
	started(s, "access_log", s->access ? access_log_outbox(s->access) : NULL, rc, &why);
	for (int i = 0; i < OTLP_SIGNAL__COUNT; i++) {
		rc = otlp_start(config, (enum otlp_signal)i, &s->otlp[i], &why);
		started(s, otlp_names[i], s->otlp[i] ? otlp_outbox(s->otlp[i]) : NULL, rc, &why);
	}
	return GH_RC_OK;
}

void sinks_stop(struct sinks *s)
{
	if (!s)
		return;
	access_log_stop(s->access);
	for (int i = 0; i < OTLP_SIGNAL__COUNT; i++)
		otlp_stop(s->otlp[i]);
	free(s);
}

void sinks_add(struct sinks *s, const struct telemetry_call *call)
{
	if (s->access)
		access_log_add(s->access, call);
	for (int i = 0; i < OTLP_SIGNAL__COUNT; i++)
		if (s->otlp[i])
			otlp_add(s->otlp[i], call);
}

void sinks_drained(struct sinks *s, bool stored)
{
	for (size_t i = 0; i < s->n; i++)
		outbox_drained(s->outboxes[i], stored);
}

size_t sinks_stats(struct sinks *s, struct outbox_stats out[SINKS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		outbox_stats(s->outboxes[i], &out[n++]);
	for (size_t i = 0; i < s->n_wrong && n < SINKS_MAX; i++)
		out[n++] = s->wrong[i];
	return n;
}
