/* backend_list.c - `gatehouse backend list`: what is configured, and how each backend is at this moment. */
#include "cli/output.h"
#include "core/backend_state.h"
#include "core/clock.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/backends.h"

struct row {
	struct store_backend b;
	struct str members, breaker, health;
	int64_t open_s, trips, ejected_s;
};

static struct str members_of(struct cli *c, struct str id, const struct store_pool_member *v, size_t n)
{
	struct str text = STR("");

	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].pool_id, id))
			text = arena_printf(c->arena, "%.*s%s%.*s:%lld:%lld", STR_ARG(text), text.n ? " " : "", STR_ARG(v[i].backend_id),
					    (long long)v[i].weight, (long long)v[i].priority);
	return text;
}

static int64_t seconds_left(int64_t us)
{
	return (us + 999999) / 1000000;
}

static void look(struct cli *c, struct backend_states *states, struct row *r)
{
	static const char *const gates[] = { [BACKEND_PASS] = "closed", [BACKEND_PROBE] = "half-open", [BACKEND_SHUT] = "open" };
	struct breaker_rule rule;
	struct backend_view v;
	struct gh_err ignored;
	bool has = r->b.breaker.n && !breaker_rule_parse(r->b.breaker, &rule, &ignored).code;

	backend_look(backend_slot_find(states, backend_state_key(r->b.id)), has ? &rule : NULL, clock_mono_us(), &v);
	r->breaker = has ? str_of(gates[v.breaker]) : STR("");
	r->open_s = seconds_left(v.breaker_left_us);
	r->trips = (int64_t)v.trips;
	r->ejected_s = seconds_left(v.ejected_left_us);
	r->health = !r->b.health.n || v.health == BACKEND_UNKNOWN ? str_of(r->b.health.n ? "unknown" : "")
		    : v.health == BACKEND_UP ? STR("up")
		    : v.health_status ? arena_printf(c->arena, "down (%d)", v.health_status) : STR("down (no answer)");
}

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct row, b.id), NULL },
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct row, b.name), NULL },
		{ "URL", "url", COLUMN_TEXT, offsetof(struct row, b.url), NULL },
		{ "POOL", "pool", COLUMN_BOOL, offsetof(struct row, b.is_pool), NULL },
		{ "MEMBERS", "members", COLUMN_TEXT, offsetof(struct row, members), NULL },
		{ "BREAKER", "breaker", COLUMN_TEXT, offsetof(struct row, breaker), NULL },
		{ "OPEN FOR", "openSeconds", COLUMN_INT, offsetof(struct row, open_s), NULL },
		{ "TRIPS", "trips", COLUMN_INT, offsetof(struct row, trips), NULL },
		{ "EJECTED FOR", "ejectedSeconds", COLUMN_INT, offsetof(struct row, ejected_s), NULL },
		{ "HEALTH", "health", COLUMN_TEXT, offsetof(struct row, health), NULL },
		{ "CREDENTIAL", "credential", COLUMN_TEXT, offsetof(struct row, b.credential_id), NULL },
		{ "VERIFY TLS", "verifyTls", COLUMN_BOOL, offsetof(struct row, b.verify_tls), NULL },
		{ "VERIFY NAME", "verifyName", COLUMN_BOOL, offsetof(struct row, b.verify_name), NULL },
		{ "CLIENT CERTIFICATE", "clientCertificate", COLUMN_TEXT, offsetof(struct row, b.client_certificate_id), NULL },
		{ "SERVER NAME", "serverName", COLUMN_TEXT, offsetof(struct row, b.tls_server_name), NULL },
		{ "TLS", "tlsMin", COLUMN_TEXT, offsetof(struct row, b.tls_min_version), NULL },
		{ "PINS", "pins", COLUMN_TEXT, offsetof(struct row, b.tls_pins), NULL },
		{ "BALANCE", "balance", COLUMN_TEXT, offsetof(struct row, b.balance), NULL },
		{ "HASH ON", "hashOn", COLUMN_TEXT, offsetof(struct row, b.hash_on), NULL },
		{ "AFFINITY COOKIE", "affinityCookie", COLUMN_TEXT, offsetof(struct row, b.affinity_cookie), NULL },
	};
	struct backend_states *states = NULL;
	struct store_pool_member *members;
	struct store_backend *backends;
	struct gh_err no_worker_yet;
	char path[PATHS_MAX];
	struct row *rows;
	struct store *s;
	size_t n, n_members;

	TRY(cli_store(c, false, &s, err));
	TRY(store_backends(s, c->arena, false, &backends, &n, err));
	TRY(store_pool_members(s, c->arena, &members, &n_members, err));
	TRY(paths_join(path, c->state_dir, "backends", err));
	rows = arena_alloc(c->arena, n, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "no memory for the backends");
	if (backend_states_open(path, false, &states, &no_worker_yet).code)
		states = NULL;               /* nothing is known */
	for (size_t i = 0; i < n; i++) {
		rows[i].b = backends[i];
		rows[i].members = members_of(c, backends[i].id, members, n_members);
		if (!backends[i].is_pool)
			rows[i].b.balance = STR("");
		look(c, states, &rows[i]);
	}
	backend_states_close(states);
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_backend_list = {
	.name = "backend list", .summary = "list the backends and how they are now; credentials are not shown", .run = list,
};
