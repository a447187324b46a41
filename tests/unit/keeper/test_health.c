/* Health checks of many backends: all of them are asked, and never more at once than there are connections for. A check carries what
 * each call to its backend carries. */
#include "tests/unit/db/fixture.h"

#include "core/backend_state.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/backends.h"
#include "db/named_values.h"
#include "keeper/health.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

enum { BACKENDS = HEALTH_AT_ONCE + 100, QUIET_MS = 300, DEADLINE_US = 60000000 };

static int listener(uint16_t *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&to, n) == 0 && listen(fd, 4096) == 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &n), 0);
	*port = ntohs(to.sin_port);
	return fd;
}

static void add_backends(struct fixture *f, uint16_t port)
{
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	for (int i = 0; i < BACKENDS; i++) {
		struct store_backend b = { .id = arena_printf(f->a, "b%d", i), .name = STR("b"),
					   .url = arena_printf(f->a, "http://127.0.0.1:%u", port),
					   .health = STR("{\"path\":\"/\",\"interval\":3600,\"timeout\":120}") };

		CHECK_OK(f, store_backend_create(f->s, &b, &f->err));
	}
	CHECK_OK(f, store_tx_end(f->s, GH_RC_OK, &f->err));
}

/* All that wait, at once. */
static void answer(int *open, size_t *n)
{
	static const char text[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

	while (*n) {
		(void)!write(open[--*n], text, sizeof(text) - 1);
		shutdown(open[*n], SHUT_WR);
		close(open[*n]);
	}
}

/* Answers nobody before no more come. */
static void many(void **state)
{
	static int open[BACKENDS * 2];
	struct fixture *f = *state;
	struct health_watch *w = NULL;
	int64_t deadline = clock_mono_us() + DEADLINE_US;
	size_t n = 0, most = 0, seen = 0;
	struct pollfd p = { .events = POLLIN };
	uint16_t port;

	p.fd = listener(&port);
	add_backends(f, port);
	CHECK_OK(f, health_watch_new(f->dir, &w, &f->err));
	CHECK_OK(f, health_watch_start(w, &f->err));
	while (seen < BACKENDS && clock_mono_us() < deadline) {
		int fd = poll(&p, 1, n ? QUIET_MS : 1000) == 1 ? accept4(p.fd, NULL, NULL, SOCK_CLOEXEC) : -1;

		if (fd < 0) {
			answer(open, &n);
			continue;
		}
		open[n++] = fd;
		seen++;
		most = n > most ? n : most;
	}
	answer(open, &n);
	CHECK_INT("all were asked", seen, BACKENDS);
	CHECK("not more at once than there may be", most > 1 && most <= HEALTH_AT_ONCE);
	health_watch_free(w);
	close(p.fd);
	check_done();
}

/* The next request, as it came; it is answered. */
static struct str next_request(struct fixture *f, int listener_fd)
{
	struct pollfd p = { .fd = listener_fd, .events = POLLIN };
	char *text = arena_alloc(f->a, 4096, 1);
	int fd = poll(&p, 1, DEADLINE_US / 1000) == 1 ? accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
	struct str got = { text, 0 };
	size_t one = 1;
	ssize_t n = 1;

	assert_true(fd >= 0 && text);
	while (n > 0 && str_find(got, STR("\r\n\r\n")) == SIZE_MAX && got.n < 4096) {
		n = read(fd, text + got.n, 4096 - got.n);
		got.n += n > 0 ? (size_t)n : 0;
	}
	answer(&fd, &one);
	return got;
}

static void add_fixed(struct fixture *f, uint16_t port, const char *id, const char *fixed)
{
	struct store_backend b = { .id = str_of(id), .name = STR("b"), .url = arena_printf(f->a, "http://127.0.0.1:%u", port), .credentials = str_of(fixed),
				   .health = STR("{\"path\":\"/ok?code=old&deep=yes\",\"interval\":3600,\"timeout\":120}") };

	CHANGE(f, store_backend_create(f->s, &b, &f->err));
}

/* Fixed headers and parameters with their named values; one that has no value yet keeps the check from being asked. */
static void fixed(void **state)
{
	static const char *const rows[] = { "GET /ok?deep=yes&code=a%20b&code=2 HTTP/1.1\r\n", "\r\nX-Key: k-1\r\n", "\r\nX-Tag: a\r\n", "\r\nX-Tag: b\r\n",
					    "\r\nX-None:\r\n", "\r\nAuthorization: Bearer t k-1 u\r\n", "\r\nUser-Agent: mine\r\n" };
	struct store_named_value key = { .id = STR("key"), .value = STR("k-1"), .secret = true }, later = { .id = STR("later"), .ref = STR("file:/none") };
	struct fixture *f = *state;
	struct health_watch *w = NULL;
	struct str got;
	uint16_t port;
	int fd = listener(&port);

	CHANGE(f, store_named_value_set(f->s, &key, &f->err));
	CHANGE(f, store_named_value_set(f->s, &later, &f->err));
	add_fixed(f, port, "waits", "{\"header\":{\"X-Later\":\"{{later}}\"}}");
	add_fixed(f, port, "asked", "{\"header\":{\"X-Key\":\"{{key}}\",\"X-Tag\":[\"a\",\"b\"],\"X-None\":\"\",\"User-Agent\":\"mine\"},"
		  "\"query\":{\"code\":[\"a b\",\"2\"]},\"authorization\":{\"scheme\":\"Bearer\",\"parameter\":\"t {{ key }} u\"}}");
	CHECK_OK(f, health_watch_new(f->dir, &w, &f->err));
	CHECK_OK(f, health_watch_start(w, &f->err));
	got = next_request(f, fd);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK(rows[i], str_find(got, str_of(rows[i])) != SIZE_MAX);
	later = (struct store_named_value){ .id = STR("later"), .value = STR("l-1"), .secret = true };
	CHANGE(f, store_named_value_set(f->s, &later, &f->err));
	got = next_request(f, fd);
	CHECK("asked once there is a value", str_find(got, STR("\r\nX-Later: l-1\r\n")) != SIZE_MAX && str_find(got, STR("X-Key")) == SIZE_MAX);
	CHECK("its own parameters stay", str_starts(got, STR("GET /ok?code=old&deep=yes HTTP/1.1\r\n")));
	health_watch_free(w);
	close(fd);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(many), store_test(fixed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
