/* The mail server and a webhook's receiver are away for five minutes, and the keeper is killed meanwhile: what an alert had to say is
 * tried again and again, arrives afterwards, and arrives once. The clock is the test's own; senders and receivers are processes. */
#include "tests/unit/db/fixture.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/str.h"
#include "db/alerts.h"
#include "db/mail.h"
#include "keeper/alerts_impl.h"
#include "keeper/mail.h"
#include "keeper/webhook.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { OUTAGE_S = 300, STEP_S = 5, DEADLINE_MS = 120000 };

static struct shared {
	_Atomic int64_t now;                     /* µs */
	atomic_int mails, hooks;                 /* that arrived */
	atomic_int asked;                        /* for the name that nobody can tell */
} *shared;

int64_t clock_wall_us(void)
{
	return atomic_load(&shared->now);
}

int64_t clock_mono_us(void)
{
	return atomic_load(&shared->now) - INT64_C(1700000000000000);
}

/* A resolver that never comes back for one name: libcurl calls this one. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");

	while (node && strcmp(node, "hangs.example") == 0) {
		atomic_fetch_add(&shared->asked, 1);
		pause();
	}
	return real(node, service, hints, out);
}

/* ---- receivers ---------------------------------------------------------------------------------------------------------- */

/* Bound and not listening: whoever calls is turned away. */
static int closed_port(uint16_t *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&to, n) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &n), 0);
	*port = ntohs(to.sin_port);
	return fd;
}

static void say(FILE *to, const char *text)
{
	fputs(text, to);
	fflush(to);
}

static void smtp(FILE *in, FILE *out)
{
	char line[4096];
	bool text = false;

	say(out, "220 sink ESMTP\r\n");
	while (fgets(line, sizeof(line), in)) {
		if (text && strcmp(line, ".\r\n") == 0) {
			text = false;
			atomic_fetch_add(&shared->mails, 1);
			say(out, "250 taken\r\n");
		} else if (!text) {
			text = strncasecmp(line, "DATA", 4) == 0;
			say(out, text ? "354 go on\r\n" : "250 fine\r\n");
		}
	}
}

static void http(FILE *in, FILE *out)
{
	char line[4096];
	size_t body = 0;

	while (fgets(line, sizeof(line), in) && strcmp(line, "\r\n") != 0)
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			body = strtoul(line + 15, NULL, 10);
	while (body && fgetc(in) != EOF)
		body--;
	atomic_fetch_add(&shared->hooks, 1);
	say(out, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

static pid_t open_port(int fd, void (*serve)(FILE *in, FILE *out))
{
	pid_t pid = fork();
	int one;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);        /* a test that fails leaves nothing behind */
	listen(fd, 16);
	while ((one = accept(fd, NULL, NULL)) >= 0) {
		FILE *in = fdopen(one, "r"), *out = fdopen(dup(one), "w");

		if (in && out)
			serve(in, out);
		fclose(in);
		fclose(out);
	}
	_exit(0);
}

/* ---- the keeper, as far as it sends --------------------------------------------------------------------------------------- */

static pid_t keeper(struct fixture *f, struct config *config)
{
	struct webhooks *hooks;
	struct mailer *mailer;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mailer_start(f->dir, config, &mailer, &f->err).code || webhooks_start(f->dir, config, &hooks, &f->err).code) {
		fprintf(stderr, "# %s\n", f->err.message);
		_exit(1);
	}
	for (;;)
		pause();
}

static void kill_9(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct queues {
	struct store_mail mail;                  /* the oldest */
	struct store_alert_delivery hook, of_hanging;
	size_t mails, hooks;
};

static struct queues look(struct fixture *f)
{
	const struct store_mail_filter all_mails = { .state = -1 };
	const struct store_alert_delivery_filter all_calls = { .state = -1 };
	struct store_alert_delivery *d;
	struct queues q = { .mails = 0 };
	struct store_mail *m;

	CHECK_OK(f, store_mails(f->s, f->a, &all_mails, &m, &q.mails, &f->err));
	CHECK_OK(f, store_alert_deliveries(f->s, f->a, &all_calls, &d, &q.hooks, &f->err));
	if (q.mails)
		q.mail = m[q.mails - 1];
	if (q.hooks)
		q.hook = d[q.hooks - 1];
	for (size_t i = 0; i < q.hooks; i++)
		if (str_eq(d[i].webhook_id, STR("hanging")))
			q.of_hanging = d[i];
	return q;
}

static bool is_waiting(const struct queues *q)
{
	return q->mail.state == STORE_MAIL_WAITING && q->hook.state == STORE_ALERT_WAITING;
}

static bool tried_all_due(const struct queues *q)
{
	return is_waiting(q) && q->mail.due_us > clock_wall_us() && q->hook.due_us > clock_wall_us();
}

static bool all_over(const struct queues *q)
{
	return q->mail.state == STORE_MAIL_SENT && q->hook.state == STORE_ALERT_DELIVERED;
}

static bool await(struct fixture *f, bool (*is)(const struct queues *q))
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	for (int ms = 0; ms < DEADLINE_MS; ms += 20) {
		const struct queues q = look(f);

		if (is(&q))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static bool is_given_up(const struct queues *q)
{
	return q->of_hanging.tries > 0 && q->of_hanging.problem.n > 0;
}

static bool await_hooks(int n)
{
	for (int ms = 0; ms < DEADLINE_MS && atomic_load(&shared->hooks) < n; ms += 20)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	return atomic_load(&shared->hooks) == n;
}

/* ---- the story ------------------------------------------------------------------------------------------------------------ */

static void read_config(struct fixture *f, struct config *config, uint16_t smtp_port, int webhook_s)
{
	char path[PATHS_MAX];
	struct str text = arena_printf(f->a, "mail.smtp_url = smtp://127.0.0.1:%u\nmail.from = gatehouse@example.com\nmail.tls = none\n"
					     "mail.retry_s = 1\nalerts.webhook_retry_s = 1\nalerts.webhook_timeout_s = %d\n", smtp_port, webhook_s);

	CHECK_OK(f, paths_join(path, f->dir, "gatehouse.conf", &f->err));
	CHECK_OK(f, file_write_atomic(path, text, 0600, &f->err));
	CHECK_OK(f, config_load(config, f->a, path, &f->err));
}

/* One change of state: a mail and a webhook's message in one transaction. */
static void fire(struct fixture *f, struct config *config, const char *id, const char *hook)
{
	const struct store_alert_rule r = { .id = str_of(id), .name = str_of(id), .enabled = true, .mails = STR("ops@example.com"), .webhooks = str_of(hook),
					    .description = STR(""), .rule = { .kind = ALERT_REQUESTS, .period_s = 7 * 86400, .status = STR("") } };
	struct telemetry_call c = { .started_us = clock_wall_us(), .status = 200 };
	struct alerts *a = NULL;

	CHANGE(f, store_alert_rule_set(f->s, f->a, &r, &f->err));
	CHECK_OK(f, alerts_new(f->dir, config, &a, &f->err));
	CHECK_OK(f, alerts_begin(a, f->s, &f->err));
	assert_true(alerts_count(a, &c));
	CHECK_OK(f, alerts_turn(a, f->s, &f->err));
	alerts_free(a);
}

static void five_minutes(void **state)
{
	struct store_alert_webhook hook = { .id = STR("pager"), .enabled = true };
	struct fixture *f = *state;
	struct config config;
	uint16_t smtp_port, http_port;
	int smtp_fd = closed_port(&smtp_port), http_fd = closed_port(&http_port);
	pid_t sender, servers[2];
	struct queues q;

	read_config(f, &config, smtp_port, 60);
	hook.url = arena_printf(f->a, "http://127.0.0.1:%u/", http_port);
	CHECK_OK(f, store_alert_secret_new(f->a, &hook.secret, &f->err));
	CHANGE(f, store_alert_webhook_set(f->s, f->a, &hook, &f->err));
	fire(f, &config, "orders", "pager");
	q = look(f);
	CHECK("a mail and a message wait", q.mails == 1 && q.hooks == 1 && is_waiting(&q));
	sender = keeper(f, &config);
	for (int s = 0; s < OUTAGE_S; s += STEP_S) {
		CHECK("it is tried and waits", await(f, tried_all_due));
		if (s == OUTAGE_S / 2) {
			kill_9(sender);
			sender = keeper(f, &config);
		}
		atomic_fetch_add(&shared->now, STEP_S * INT64_C(1000000));
	}
	q = look(f);
	CHECK("many tries, later each time", q.mail.tries >= 7 && q.hook.tries >= 7 && q.mail.tries < 12 && q.hook.tries < 12);
	CHECK("with the reason", q.mail.problem.n && q.hook.problem.n);
	CHECK("nothing has arrived", !atomic_load(&shared->mails) && !atomic_load(&shared->hooks));

	servers[0] = open_port(smtp_fd, smtp);
	servers[1] = open_port(http_fd, http);
	atomic_fetch_add(&shared->now, 600 * INT64_C(1000000));
	CHECK("they are there again", await(f, all_over));
	kill_9(sender);
	sender = keeper(f, &config);
	atomic_fetch_add(&shared->now, 86400 * INT64_C(1000000));
	fire(f, &config, "later", "pager");                       /* when this has arrived, the keeper has looked at all that may wait */
	for (int ms = 0; ms < DEADLINE_MS && (atomic_load(&shared->mails) < 2 || atomic_load(&shared->hooks) < 2); ms += 20)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	CHECK("the one after it", await(f, all_over));
	CHECK_INT("each mail once", atomic_load(&shared->mails), 2);
	CHECK_INT("each message once", atomic_load(&shared->hooks), 2);
	q = look(f);
	CHECK("and no other was made", q.mails == 2 && q.hooks == 2);
	kill_9(sender);
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		kill_9(servers[i]);
	close(smtp_fd);
	close(http_fd);
	check_done();
}

/* Asked for its address and over time: that is no reason to wait for the resolver, which keeps all the others waiting. */
static void no_name(void **state)
{
	struct store_alert_webhook hook = { .id = STR("hanging"), .url = STR("http://hangs.example/"), .enabled = true };
	struct fixture *f = *state;
	struct config config;
	uint16_t smtp_port, http_port;
	int smtp_fd = closed_port(&smtp_port), http_fd = closed_port(&http_port);
	pid_t sender, server;

	atomic_store(&shared->hooks, 0);
	read_config(f, &config, smtp_port, 2);
	CHECK_OK(f, store_alert_secret_new(f->a, &hook.secret, &f->err));
	CHANGE(f, store_alert_webhook_set(f->s, f->a, &hook, &f->err));
	hook.id = STR("pager");
	hook.url = arena_printf(f->a, "http://127.0.0.1:%u/", http_port);
	CHANGE(f, store_alert_webhook_set(f->s, f->a, &hook, &f->err));
	server = open_port(http_fd, http);
	sender = keeper(f, &config);
	fire(f, &config, "first", "hanging");
	for (int ms = 0; ms < DEADLINE_MS && !atomic_load(&shared->asked); ms += 20)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	fire(f, &config, "second", "pager");
	CHECK("others are called while it is looked for", await_hooks(1));
	CHECK("its time was over", await(f, is_given_up));
	fire(f, &config, "third", "pager");
	CHECK("and afterwards", await_hooks(2));
	kill_9(sender);
	kill_9(server);
	close(smtp_fd);
	close(http_fd);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(five_minutes), store_test(no_name) };

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	atomic_store(&shared->now, INT64_C(1800000000000000));
	log_init("test_outage", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
