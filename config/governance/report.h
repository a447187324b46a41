/* report.h - how far the APIs hold to the rulesets: findings, each with where, why and how to mend it.
 *
 * Looks at the current revision of each API; what people excepted is there, marked, and counts for nothing. A thousand APIs of twenty
 * operations take about a second and a few hundred megabytes at most pass through, one API at a time; never on a loop that serves calls.
 *
 * The report is the same whoever looks (store_viewer): it is for the caller to show only APIs of environments that one may see.
 * Reads in one transaction of the store (or in that which is open: a plan that is judged before it is applied). */
#pragma once

#include "config/governance/rulesets.h"

enum {
	GOVERNANCE_OF_API_MAX = 500,             /* findings kept of one API; all are counted */
	GOVERNANCE_FINDINGS_MAX = 100000,        /* kept of all */
	GOVERNANCE_DESCRIPTION_MAX = 16 << 20,   /* bytes of a description that is looked at */
};

struct governance_exception {
	struct store_governance_exception row;
	bool over;                               /* its day has passed */
	size_t findings;                         /* that it lets pass now */
};

struct governance_finding {
	const struct governance_set *set;
	const struct governance_rule *rule;      /* NULL: the description cannot be read */
	enum governance_severity severity;
	enum governance_document document;
	struct str api_id;
	struct str place, pointer, message;      /* pointer: JSON Pointer in the document */
	struct text_where at;                    /* in the description, when one API is looked at; {0, 0}: not known */
	const struct governance_exception *exception;    /* it lets the finding pass; NULL: it counts */
};

struct governance_api {
	struct str id, name, environment;
	size_t counts[GOVERNANCE_SEVERITY__COUNT];       /* what counts, by severity */
	size_t excepted;
	size_t first, n;                         /* its findings in the report, worst first */
	bool more;                               /* some are counted and not kept */
};

struct governance_report {
	struct governance_set *sets;
	size_t n_sets;
	struct governance_exception *exceptions;
	size_t n_exceptions;
	struct governance_api *apis;             /* by id */
	size_t n_apis;
	struct governance_finding *findings;
	size_t n_findings, cap;
	size_t counts[GOVERNANCE_SEVERITY__COUNT], excepted;
	size_t clean;                            /* APIs that nothing counts against */
};

struct governance_query {
	struct str api;                          /* only this one; empty: all */
	struct str environment;                  /* only APIs of this one; empty: all */
	int64_t now_us;                          /* 0: the clock; exceptions that end before are over */
};

/* NOT_FOUND: there is no such API. Everything lives in the arena. */
GH_RC governance_report(struct store *s, struct arena *a, const struct governance_query *q, struct governance_report *out, struct gh_err *err);
/* "security/authentication" */
struct str governance_finding_rule(struct arena *a, const struct governance_finding *f);
/* How to mend it, with the API's id in the place of {{api}}; STR_NULL: the rule does not say. */
struct str governance_finding_mend(struct arena *a, const struct governance_finding *f);
/* Whether something of that severity or a worse one counts. */
bool governance_report_fails(const struct governance_report *r, enum governance_severity at_least);

/* {"summary", "apis": [{"id", ..., "findings": [...]}], "rulesets", "exceptions"}, without the findings when not asked for;
 * owned by the caller. NULL when out of memory. */
json_t *governance_report_json(struct arena *a, const struct governance_report *r, bool findings);
/* SARIF 2.1.0 (OASIS), for the code scanning of repositories; owned by the caller. */
json_t *governance_report_sarif(struct arena *a, const struct governance_report *r);
