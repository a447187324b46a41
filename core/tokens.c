/* tokens.c - see tokens.h.
 *
 *   file   header | entries of TOKENS_SLOT_BYTES each
 *   entry  version, digest, names, times, counts, claim, failure, sealed value
 *
 * An entry belongs to a set of eight by its digest; when all eight are taken the least recently used one goes, one that
 * nobody is asking for. `version` is odd while an entry is being written: a reader that sees it odd, or changed under its
 * hands, looks again. Writers hold an open file description lock, so a killed writer leaves an odd version and no lock; the
 * next writer finds it odd with the lock in its own hands, and knows that the entry is damaged. Its value would not open
 * anyway: it is sealed to its digest and version.
 *
 * Times and counts that change with each call are atomics outside of the version.
 *
 * Each handle keeps what it has unsealed, by entry and version: the everyday look-up is a comparison. */
#include "core/tokens_impl.h"

#include "core/process.h"
#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void tokens_id_seal(struct tokens_id *id)
{
	uint8_t subject[CRYPTO_SHA256_BYTES] = { 0 };
	struct arena *a = arena_new(65536);
	struct str all;

	if (id->subject.n)
		crypto_sha256(id->subject, subject);
	all = arena_printf(a, "%zu:%.*s%zu:%.*s%c", id->environment.n, STR_ARG(id->environment), id->credential.n,
			   STR_ARG(id->credential), id->subject.n ? 's' : '-');
	if (all.p) {
		char *p = arena_alloc_text(a, all.n + sizeof(subject) + TOKENS_PRINT_BYTES);

		if (p) {
			memcpy(p, all.p, all.n);
			memcpy(p + all.n, subject, sizeof(subject));
			memcpy(p + all.n + sizeof(subject), id->print, TOKENS_PRINT_BYTES);
			all = (struct str){ p, all.n + sizeof(subject) + TOKENS_PRINT_BYTES };
		}
	}
	crypto_sha256(all, id->digest);
	arena_free(a);
}

/* ---- the file ------------------------------------------------------------------------------------------------------- */

/* Others hold it for microseconds. One that was stopped while it did must not stop us: then it cannot be had. */
bool tokens_lock(struct tokens *t, bool take)
{
	struct flock l = { .l_type = take ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET };
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (int tries = 0; fcntl(t->fd, F_OFD_SETLK, &l) < 0; tries++) {
		if ((errno != EAGAIN && errno != EACCES && errno != EINTR) || tries == LOCK_TRIES)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* While the file is opened, and perhaps made. */
static bool wait_for_lock(struct tokens *t)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(t->fd, F_OFD_SETLKW, &l) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

static void derive(struct tokens *t, const uint8_t master[CRYPTO_KEY_BYTES], uint8_t check[CRYPTO_SHA256_BYTES])
{
	crypto_hmac_sha256((struct str){ (const char *)master, CRYPTO_KEY_BYTES }, STR("gatehouse token cache"), t->key);
	crypto_hmac_sha256((struct str){ (const char *)t->key, sizeof(t->key) }, STR("check"), check);
}

static bool fits(const struct tokens *t, const struct header *h, const uint8_t check[CRYPTO_SHA256_BYTES])
{
	struct stat st;

	return fstat(t->fd, &st) == 0 && st.st_nlink > 0 && (size_t)st.st_size == HEADER_BYTES + h->entries * TOKENS_SLOT_BYTES
	       && h->magic == TOKENS_MAGIC && h->entries && h->entries % WAYS == 0 && memcmp(h->key_check, check, CRYPTO_SHA256_BYTES) == 0;
}

static bool read_header(const struct tokens *t, struct header *h)
{
	memset(h, 0, sizeof(*h));
	return pread(t->fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h);
}

/* With the lock held. The blocks are taken at once: a write to a mapped hole of a full disk would be a SIGBUS. */
static gh_rc make(struct tokens *t, const char *path, size_t entries, const uint8_t check[CRYPTO_SHA256_BYTES],
		  struct gh_err *err)
{
	struct header h = { .magic = TOKENS_MAGIC, .entries = entries };
	int failed = posix_fallocate(t->fd, 0, (off_t)(HEADER_BYTES + entries * TOKENS_SLOT_BYTES));

	memcpy(h.key_check, check, CRYPTO_SHA256_BYTES);
	if (failed || pwrite(t->fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h)) {
		(void)!ftruncate(t->fd, 0);
		FAIL(err, IO, "%s: no room for %zu entries: %s", path, entries, strerror(failed ? failed : errno));
	}
	return GH_RC_OK;
}

static gh_rc open_file(struct tokens *t, const char *path, size_t entries, const uint8_t check[CRYPTO_SHA256_BYTES],
		       struct gh_err *err)
{
	struct header h;
	struct stat st;
	gh_rc rc;

	for (int tries = 0; tries < 20; tries++) {
		t->fd = open(path, O_RDWR | O_CLOEXEC | (entries ? O_CREAT : 0), 0600);
		if (t->fd < 0 && errno == ENOENT)
			FAIL(err, NOT_FOUND, "%s: there is no token cache yet", path);
		if (t->fd < 0 || !wait_for_lock(t))
			FAIL(err, IO, "%s: %s", path, strerror(errno));
		if (read_header(t, &h) && fits(t, &h, check) && (!entries || h.entries == entries)) {
			t->entries = (size_t)h.entries;
			return GH_RC_OK;
		}
		if (!entries)
			FAIL(err, NOT_FOUND, "%s: the token cache is of another version or master key", path);
		if (fstat(t->fd, &st) == 0 && st.st_size == 0 && st.st_nlink > 0) {
			rc = make(t, path, entries, check, err);
			t->entries = entries;
			return rc;
		}
		/* others may have the old one mapped: it is taken away, never cut */
		if (st.st_nlink > 0)
			unlink(path);
		close(t->fd);
		t->fd = -1;
	}
	FAIL(err, BUSY, "%s: others keep replacing it", path);
}

GH_RC tokens_open(struct tokens **out, const char *path, size_t entries, const uint8_t master[CRYPTO_KEY_BYTES],
		  struct gh_err *err)
{
	struct tokens *t = calloc(1, sizeof(*t));
	uint8_t check[CRYPTO_SHA256_BYTES];
	gh_rc rc;

	if (!t)
		FAIL(err, NOMEM, "token cache");
	t->fd = -1;
	derive(t, master, check);
	rc = open_file(t, path, (entries + WAYS - 1) / WAYS * WAYS, check, err);
	if (!rc.code) {
		tokens_lock(t, false);
		t->bytes = HEADER_BYTES + t->entries * TOKENS_SLOT_BYTES;
		t->map = mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
		t->kept = calloc(t->entries, sizeof(*t->kept));
		t->scratch = arena_new(SCRATCH_BYTES);
		t->header = t->map == MAP_FAILED ? NULL : (struct header *)(void *)t->map;
		if (t->map == MAP_FAILED || !t->kept || !t->scratch) {
			t->map = t->map == MAP_FAILED ? NULL : t->map;
			rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "%s: cannot be mapped", path);
		}
	}
	if (rc.code) {
		tokens_close(t);
		return rc;
	}
	*out = t;
	return rc;
}

bool tokens_has_key(const struct tokens *t, const uint8_t master[CRYPTO_KEY_BYTES])
{
	uint8_t check[CRYPTO_SHA256_BYTES];
	struct tokens other = { 0 };
	bool same;

	derive(&other, master, check);
	same = memcmp(check, t->header->key_check, sizeof(check)) == 0;
	crypto_wipe(other.key, sizeof(other.key));
	return same;
}

static void forget(struct kept *k)
{
	if (k->value)
		crypto_wipe(k->value, k->n);
	free(k->value);
	*k = (struct kept){ 0 };
}

void tokens_close(struct tokens *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->kept && i < t->entries; i++)
		forget(&t->kept[i]);
	free(t->kept);
	if (t->map)
		munmap(t->map, t->bytes);
	if (t->fd >= 0)
		close(t->fd);
	arena_free(t->scratch);
	crypto_wipe(t->key, sizeof(t->key));
	free(t);
}

/* ---- finding ---------------------------------------------------------------------------------------------------------- */

static size_t first_of(const struct tokens *t, const uint8_t digest[CRYPTO_SHA256_BYTES])
{
	uint64_t n;

	memcpy(&n, digest, sizeof(n));
	return (size_t)(n % (t->entries / WAYS)) * WAYS;
}

/* SIZE_MAX: not there. What is found may be written over at any time: readers check the version. */
static size_t find(const struct tokens *t, const uint8_t digest[CRYPTO_SHA256_BYTES])
{
	size_t first = first_of(t, digest);

	for (size_t i = first; i < first + WAYS; i++) {
		const struct entry *e = tokens_entry(t, i);

		if (atomic_load_explicit(&e->version, memory_order_acquire) && memcmp(e->digest, digest, CRYPTO_SHA256_BYTES) == 0)
			return i;
	}
	return SIZE_MAX;
}

bool tokens_read_head(const struct entry *e, struct entry *copy)
{
	for (int tries = 0; tries < READ_TRIES; tries++) {
		uint64_t before = atomic_load_explicit(&e->version, memory_order_acquire);

		if (before & 1)
			continue;
		memcpy((void *)copy, (const void *)e, sizeof(*copy));
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&e->version, memory_order_relaxed) == before) {
			copy->version = before;
			return true;
		}
	}
	return false;
}

static struct str associated(struct arena *a, const struct entry *head)
{
	struct str s = { (const char *)head->digest, CRYPTO_SHA256_BYTES };
	struct str hex = crypto_hex(a, s);

	return hex.p ? arena_printf(a, "token:%s:%lld", hex.p, (long long)head->issued_us) : STR_NULL;
}

/* The value of an undisturbed head, from what is kept or unsealed now. STR_NULL: it does not open. */
static struct str value_of(struct tokens *t, size_t i, const struct entry *head)
{
	struct kept *k = &t->kept[i];
	struct str plain, ad;

	if (k->value && k->version == head->version)
		return (struct str){ k->value, k->n };
	forget(k);
	arena_reset(t->scratch);
	if (!head->sealed_n || head->sealed_n > SEALED_MAX)
		return STR_NULL;
	ad = associated(t->scratch, head);
	if (!ad.p || crypto_open(t->scratch, t->key, (struct str){ (const char *)tokens_entry(t, i)->sealed, head->sealed_n }, ad, &plain, NULL).code)
		return STR_NULL;
	k->value = malloc(plain.n + 1);
	if (k->value) {
		memcpy(k->value, plain.p, plain.n + 1);
		k->n = plain.n;
		k->version = head->version;
	}
	crypto_wipe((char *)(uintptr_t)plain.p, plain.n);
	return (struct str){ k->value, k->n };
}

static bool is_claimed(const struct entry *e, int64_t now_us)
{
	return atomic_load(&e->claim_until_us) > now_us && process_runs(atomic_load(&e->claim_pid));
}

/* The head and, while it is good, the value. Again when a writer came in between. */
static struct entry *look(struct tokens *t, const struct tokens_id *id, int64_t now_us, struct entry *head, struct str *value)
{
	for (int tries = 0; tries < VALUE_TRIES; tries++) {
		size_t i = find(t, id->digest);
		struct entry *e;

		*value = STR_NULL;
		if (i == SIZE_MAX)
			return NULL;
		e = tokens_entry(t, i);
		if (!tokens_read_head(e, head) || memcmp(head->digest, id->digest, sizeof(head->digest)) != 0)
			return NULL;
		if (head->expires_us <= now_us)
			return e;
		*value = value_of(t, i, head);
		if (value->p || atomic_load(&e->version) == head->version)
			return e;
	}
	return NULL;
}

void tokens_get(struct tokens *t, const struct tokens_id *id, int64_t now_us, bool use, struct tokens_view *out)
{
	struct entry *e, head;
	struct str value;

	*out = (struct tokens_view){ 0 };
	e = look(t, id, now_us, &head, &value);
	if (!e)
		return;
	out->version = head.version;
	out->retry_us = head.retry_us;
	out->failures = head.failures;
	if (head.failures) {
		memcpy(t->failure, head.failure, sizeof(t->failure));
		t->failure[sizeof(t->failure) - 1] = '\0';
		out->failure = str_of(t->failure);
	}
	out->value = value;
	if (!value.p) {
		out->asking = is_claimed(e, now_us);
		return;
	}
	out->issued_us = head.issued_us;
	out->expires_us = head.expires_us;
	out->state = head.refresh_us <= now_us ? TOKENS_DUE : TOKENS_LIVE;
	if (out->state == TOKENS_DUE)
		out->asking = is_claimed(e, now_us);
	if (use) {
		atomic_fetch_add_explicit(&e->uses, 1, memory_order_relaxed);
		atomic_store_explicit(&e->used_us, now_us, memory_order_relaxed);
	}
}

struct str tokens_last(struct tokens *t, const struct tokens_id *id, struct arena *a)
{
	size_t i = find(t, id->digest);
	struct entry head;

	if (i == SIZE_MAX || !tokens_read_head(tokens_entry(t, i), &head) || memcmp(head.digest, id->digest, sizeof(head.digest)) != 0)
		return STR_NULL;
	return arena_dup(a, value_of(t, i, &head));
}

/* ---- changing; with the lock held ------------------------------------------------------------------------------------ */

static void begin_write(struct entry *e)
{
	uint64_t v = atomic_load_explicit(&e->version, memory_order_relaxed);

	atomic_store_explicit(&e->version, v | 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static void end_write(struct entry *e)
{
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&e->version, (atomic_load_explicit(&e->version, memory_order_relaxed) | 1) + 1, memory_order_release);
}

static void put_name(struct name *to, struct str s)
{
	to->n = (uint16_t)(s.n < TOKENS_NAME_MAX ? s.n : TOKENS_NAME_MAX);
	memset(to->text, 0, sizeof(to->text));
	if (to->n)
		memcpy(to->text, s.p, to->n);
}

/* Everything but the version, which must go on. */
void tokens_clear(struct entry *e)
{
	begin_write(e);
	memset(e->digest, 0, TOKENS_SLOT_BYTES - offsetof(struct entry, digest));
	end_write(e);
}

static struct entry *victim(struct tokens *t, const uint8_t digest[CRYPTO_SHA256_BYTES], int64_t now_us)
{
	size_t first = first_of(t, digest);
	struct entry *best = NULL;

	for (size_t i = first; i < first + WAYS; i++) {
		struct entry *e = tokens_entry(t, i);
		bool free = !e->credential.n || (e->version & 1);

		if (free)
			return e;
		if (is_claimed(e, now_us))
			continue;
		if (!best || (e->expires_us <= now_us && best->expires_us > now_us)
		    || ((e->expires_us <= now_us) == (best->expires_us <= now_us) && e->used_us < best->used_us))
			best = e;
	}
	return best;
}

/* The entry, made when it is not there. NULL: all places are taken by tokens that are being asked for. */
static struct entry *take(struct tokens *t, const struct tokens_id *id, int64_t now_us)
{
	size_t i = find(t, id->digest);
	struct entry *e = i != SIZE_MAX ? tokens_entry(t, i) : victim(t, id->digest, now_us);
	static const char digits[] = "0123456789abcdef";
	char hex[8];

	if (!e)
		return NULL;
	if (i != SIZE_MAX && !(e->version & 1))
		return e;
	atomic_store(tokens_taken(t, (size_t)((uint8_t *)e - t->map - HEADER_BYTES) / TOKENS_SLOT_BYTES), 1);
	tokens_clear(e);
	begin_write(e);
	memcpy(e->digest, id->digest, sizeof(e->digest));
	memcpy(e->print, id->print, sizeof(e->print));
	put_name(&e->environment, id->environment);
	put_name(&e->credential, id->credential);
	if (id->subject.n) {
		uint8_t d[CRYPTO_SHA256_BYTES];

		crypto_sha256(id->subject, d);
		for (size_t k = 0; k < sizeof(hex) / 2; k++)
			hex[2 * k] = digits[d[k] >> 4], hex[2 * k + 1] = digits[d[k] & 15];
		memcpy(e->subject, hex, sizeof(hex));
	}
	end_write(e);
	atomic_store(&e->used_us, now_us);
	return e;
}

bool tokens_claim(struct tokens *t, const struct tokens_id *id, int64_t now_us, int64_t lease_us)
{
	size_t i = find(t, id->digest);
	struct entry *e = i != SIZE_MAX ? tokens_entry(t, i) : NULL;
	bool mine = false;

	if (e && (is_claimed(e, now_us) || atomic_load(&e->retry_us) > now_us))
		return false;            /* the everyday answer, without a lock */
	if (!tokens_lock(t, true))
		return false;
	e = take(t, id, now_us);
	/* somebody may have stored one since the caller looked */
	if (e && !is_claimed(e, now_us) && atomic_load(&e->retry_us) <= now_us && e->refresh_us <= now_us) {
		atomic_store(&e->claim_pid, (int32_t)getpid());
		atomic_store(&e->claim_until_us, now_us + lease_us);
		mine = true;
	}
	tokens_lock(t, false);
	return mine;
}

GH_RC tokens_store(struct tokens *t, const struct tokens_id *id, struct str value, int64_t issued_us, int64_t refresh_us,
		   int64_t expires_us, struct gh_err *err)
{
	struct entry head = { .issued_us = issued_us };
	struct str sealed, ad;
	struct entry *e;

	memcpy(head.digest, id->digest, sizeof(head.digest));
	arena_reset(t->scratch);
	if (value.n + CRYPTO_SEAL_BYTES > SEALED_MAX)
		FAIL(err, LIMIT, "a token of %zu bytes is too large to keep", value.n);
	ad = associated(t->scratch, &head);
	if (!ad.p)
		FAIL(err, NOMEM, "token");
	TRY(crypto_seal(t->scratch, t->key, value, ad, &sealed, err));
	if (!tokens_lock(t, true))
		FAIL(err, IO, "the token cache cannot be locked: %s", strerror(errno));
	e = take(t, id, issued_us);
	if (e) {
		begin_write(e);
		e->issued_us = issued_us;
		e->refresh_us = refresh_us;
		e->expires_us = expires_us;
		e->sealed_n = (uint32_t)sealed.n;
		memcpy(e->sealed, sealed.p, sealed.n);
		memset(e->failure, 0, sizeof(e->failure));
		end_write(e);
		atomic_fetch_add(&e->requests, 1);
		atomic_store(&e->failures, 0);
		atomic_store(&e->retry_us, 0);
		atomic_store(&e->claim_until_us, 0);
	}
	tokens_lock(t, false);
	if (!e)
		FAIL(err, BUSY, "the token cache is full");
	return GH_RC_OK;
}

void tokens_fail(struct tokens *t, const struct tokens_id *id, struct str failure, int64_t retry_us)
{
	struct entry *e;
	size_t i;

	if (!tokens_lock(t, true))
		return;
	i = find(t, id->digest);
	e = i != SIZE_MAX ? tokens_entry(t, i) : NULL;
	if (e) {
		size_t n = failure.n < TOKENS_FAILURE_MAX - 1 ? failure.n : TOKENS_FAILURE_MAX - 1;

		begin_write(e);
		memset(e->failure, 0, sizeof(e->failure));
		memcpy(e->failure, failure.p ? failure.p : "", n);
		end_write(e);
		atomic_fetch_add(&e->failures, 1);
		atomic_store(&e->retry_us, retry_us);
		atomic_store(&e->claim_until_us, 0);
	}
	tokens_lock(t, false);
}

void tokens_unclaim(struct tokens *t, const struct tokens_id *id)
{
	size_t i = find(t, id->digest);

	if (i != SIZE_MAX && atomic_load(&tokens_entry(t, i)->claim_pid) == (int32_t)getpid())
		atomic_store(&tokens_entry(t, i)->claim_until_us, 0);
}

bool tokens_refused(struct tokens *t, const struct tokens_id *id, uint64_t version, int64_t now_us)
{
	bool worth = true;
	struct entry *e;
	size_t i;

	if (!tokens_lock(t, true))
		return false;
	i = find(t, id->digest);
	e = i != SIZE_MAX ? tokens_entry(t, i) : NULL;
	if (e && e->version == version && e->expires_us) {
		worth = atomic_load(&e->blame_until_us) <= now_us;
		if (worth) {
			begin_write(e);
			e->expires_us = e->refresh_us = 0;
			end_write(e);
		}
	}
	tokens_lock(t, false);
	return worth;
}

void tokens_replayed(struct tokens *t, const struct tokens_id *id, bool accepted, int64_t now_us)
{
	size_t i = find(t, id->digest);
	struct entry *e = i != SIZE_MAX ? tokens_entry(t, i) : NULL;
	uint32_t blames;
	int64_t wait_s;

	if (!e)
		return;
	if (accepted) {
		atomic_store(&e->blames, 0);
		atomic_store(&e->blame_until_us, 0);
		return;
	}
	blames = atomic_fetch_add(&e->blames, 1);
	wait_s = (int64_t)BLAME_LEAST_S << (blames < BLAME_DOUBLINGS ? blames : BLAME_DOUBLINGS);
	atomic_store(&e->blame_until_us, now_us + (wait_s < BLAME_MOST_S ? wait_s : BLAME_MOST_S) * 1000000);
}
