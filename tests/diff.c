/* SPDX-License-Identifier: MIT */
/*
 * diff.c: two cards side by side: their accesses, their wires, their memory,
 * and when they have come to rest.
 *
 * At rest: no frame is in any socket of ours and no thread of ours runs; then
 * the frames that went in are QEMU's, which took them one by one in its only
 * loop, as it does our requests: after one more of those they are done with.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "diff.h"
#include "dmm/load.h"
#include "vmm/log.h"
#include "vmm/qemu.h"

#define QUIET_MS 10000
#define CALM 3 /* looks in a row that found nothing */

const uint8_t diff_mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };

bool diff_have_qemu(void)
{
	char *path = xstrdup(getenv("PATH") ? getenv("PATH") : ""), *rest, *at;
	char *dir, name[4200];
	bool found = false;

	rest = at = path;
	while ((dir = strsep(&rest, ":"))) {
		snprintf(name, sizeof(name), "%s/" QEMU_PROGRAM, dir);
		found |= !access(name, X_OK);
	}
	free(at);
	return found;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void diff_sleep_us(unsigned int us)
{
	struct timespec t = { .tv_nsec = us * 1000L };

	nanosleep(&t, NULL);
}

/*
 * What goes wrong.
 */

void diff_note(struct diff *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(d->log[d->written++ % DIFF_LOG], sizeof(d->log[0]), fmt,
		  args);
	va_end(args);
}

_Noreturn void diff_fail(struct diff *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(d->why, sizeof(d->why), fmt, args);
	va_end(args);
	longjmp(d->over, 1);
}

static void met(struct diff *d, size_t i)
{
	__atomic_fetch_add(&d->tally->met[i], 1, __ATOMIC_RELAXED);
}

static void count(uint64_t *n, uint64_t more)
{
	__atomic_fetch_add(n, more, __ATOMIC_RELAXED);
}

void diff_excuse(struct diff *d, const char *name)
{
	const struct diff_exception *e = d->part->exceptions;

	for (size_t i = 0; e[i].name; i++) {
		if (!strcmp(e[i].name, name)) {
			met(d, i);
			return;
		}
	}
	diff_fail(d, "there is no exception \"%s\"", name);
}

/* The bits of (reg) that may differ; (differ) do. */
static uint32_t excepted(struct diff *d, uint32_t reg, uint32_t differ)
{
	const struct diff_exception *e = d->part->exceptions;
	uint32_t mask = 0;

	for (size_t i = 0; e[i].name; i++) {
		if (reg < e[i].first || reg > e[i].last)
			continue;
		mask |= e[i].mask;
		if (differ & e[i].mask)
			met(d, i);
	}
	return mask;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t diff_random(struct diff *d, uint32_t below)
{
	uint32_t value = (uint32_t)(next_random(&d->random) >> 32);

	return below ? (uint32_t)((uint64_t)value * below >> 32) : value;
}

bool diff_chance(struct diff *d, unsigned int percent)
{
	return diff_random(d, 100) < percent;
}

/*
 * Accesses.  The simulated card is the first, and may be wrong.
 */

static bool is_wrong(const struct diff *d, unsigned int side,
		     enum diff_wrong wrong, uint64_t at)
{
	return d->error && side == DIFF_SIM && d->error->wrong == wrong &&
	       (wrong == DIFF_WRONG_LEVEL || d->error->at == at);
}

void diff_write(struct diff *d, uint64_t off, unsigned int width,
		uint32_t value)
{
	diff_note(d, "write %#jx %u %#x", (uintmax_t)off, width, value);
	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;
		uint64_t v = value;

		if (is_wrong(d, i, DIFF_WRONG_WRITE, off))
			v ^= d->error->bit;
		be->ops->write(be, 0, off, width, v);
	}
	count(&d->tally->accesses, 1);
}

void diff_read_both(struct diff *d, uint64_t off, unsigned int width,
		    uint32_t value[DIFF_SIDES])
{
	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;

		value[i] = (uint32_t)be->ops->read(be, 0, off, width);
		if (is_wrong(d, i, DIFF_WRONG_READ, off))
			value[i] ^= (uint32_t)d->error->bit;
	}
	count(&d->tally->accesses, 1);
}

uint32_t diff_read(struct diff *d, uint32_t reg, uint64_t off,
		   unsigned int width)
{
	uint32_t v[DIFF_SIDES], but;

	diff_read_both(d, off, width, v);
	diff_note(d, "read %#jx %u: %#x %#x", (uintmax_t)off, width,
		  v[DIFF_SIM], v[DIFF_QEMU]);
	but = excepted(d, reg, v[DIFF_SIM] ^ v[DIFF_QEMU]);
	if ((v[DIFF_SIM] ^ v[DIFF_QEMU]) & ~but)
		diff_fail(d, "register %#x reads %#x, QEMU's %#x (of %#x)", reg,
			  v[DIFF_SIM], v[DIFF_QEMU], ~but);
	return v[DIFF_SIM] & ~but;
}

void diff_write_string(struct diff *d, uint64_t off, unsigned int width,
		       const void *from, size_t n)
{
	diff_note(d, "write %#jx %u, %zu times", (uintmax_t)off, width, n);
	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;

		be->ops->write_string(be, 0, off, width, from, n);
	}
	count(&d->tally->accesses, n);
}

void diff_read_strings(struct diff *d, uint64_t off, unsigned int width,
		       uint8_t *to[DIFF_SIDES], size_t n)
{
	diff_note(d, "read %#jx %u, %zu times", (uintmax_t)off, width, n);
	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;

		be->ops->read_string(be, 0, off, width, to[i], n);
		if (n && is_wrong(d, i, DIFF_WRONG_STRING, off))
			to[i][n / 2 * width] ^= (uint8_t)d->error->bit;
	}
	count(&d->tally->accesses, n);
}

void diff_same(struct diff *d, const char *what, uint64_t at, const uint8_t *a,
	       const uint8_t *b, size_t n)
{
	count(&d->tally->bytes, n);
	if (!memcmp(a, b, n))
		return;
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			diff_fail(d, "%s at %#jx is %#x, QEMU's %#x", what,
				  (uintmax_t)(at + i), a[i], b[i]);
}

void diff_poke(struct diff *d, uint64_t at, const void *from, size_t len)
{
	for (unsigned int i = 0; i < DIFF_SIDES; i++)
		memcpy(d->side[i].memory + at, from, len);
}

void diff_memory(struct diff *d)
{
	uint8_t *sim = d->side[DIFF_SIM].memory;

	if (d->error && d->error->wrong == DIFF_WRONG_MEMORY)
		sim[d->error->at] ^= (uint8_t)d->error->bit;
	diff_same(d, "memory", 0, sim, d->side[DIFF_QEMU].memory,
		  d->part->memory);
}

/*
 * The wires.
 */

/* A request with a reply: all that was written before is done with. */
static void ask_qemu(struct diff *d)
{
	struct backend *qemu = d->side[DIFF_QEMU].be;

	(void)qemu->ops->read(qemu, 0, d->part->harmless, 1);
}

void diff_inject(struct diff *d, const uint8_t *frame, size_t len)
{
	ask_qemu(d);
	diff_note(d, "frame of %zu to %02x:%02x:%02x:%02x:%02x:%02x", len,
		  frame[0], frame[1], frame[2], frame[3], frame[4], frame[5]);
	for (unsigned int i = 0; i < DIFF_SIDES; i++)
		if (send(d->side[i].wire, frame, len, 0) != (ssize_t)len)
			diff_fail(d, "no way to send: %s", strerror(errno));
}

/* True if something came out. */
static bool collect(struct diff *d, struct diff_side *side)
{
	bool any = false;

	for (;;) {
		struct diff_frame *f = &side->out[side->n_out];
		ssize_t n;

		if (side->n_out == DIFF_FRAMES)
			diff_fail(d, "%s: too many frames", side->name);
		n = recv(side->wire, f->data, sizeof(f->data), MSG_DONTWAIT);
		if (n < 0)
			return any;
		f->len = (size_t)n;
		side->n_out++;
		any = true;
	}
}

/* All threads of ours but this one sleep. */
static bool asleep(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *task;
	bool all = dir;

	while (all && (task = readdir(dir))) {
		char path[300], text[200], *state;
		ssize_t n;
		int fd;

		if (task->d_name[0] == '.' || atoi(task->d_name) == gettid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stat",
			 task->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = '\0';
		state = strrchr(text, ')');
		all = state && !strncmp(state, ") S", 3);
	}
	if (dir)
		closedir(dir);
	return all;
}

/* What was put into our sockets was taken. */
static bool drained(const struct diff *d)
{
	for (unsigned int i = 0; i < d->socket_n; i++) {
		int left = 0;

		if (!ioctl(d->socket[i], SIOCOUTQ, &left) && left)
			return false;
	}
	return true;
}

void diff_quiet(struct diff *d)
{
	uint64_t until = now_ms() + QUIET_MS;
	unsigned int calm = 0;

	while (calm < CALM) {
		bool busy = !asleep() || !drained(d);

		ask_qemu(d);
		for (unsigned int i = 0; i < DIFF_SIDES; i++)
			busy |= collect(d, &d->side[i]);
		calm = busy ? 0 : calm + 1;
		if (busy && now_ms() > until)
			diff_fail(d, "the cards do not come to rest");
		if (busy)
			diff_sleep_us(20);
	}
	count(&d->tally->settled, 1);
}

/* A card that makes short frames longer: QEMU's does not. */
static void pad(struct diff *d, struct diff_frame *frame)
{
	if (frame->len >= d->part->pad)
		return;
	diff_excuse(d, d->part->padded);
	memset(frame->data + frame->len, 0, d->part->pad - frame->len);
	frame->len = d->part->pad;
}

static void spoil(struct diff *d, struct diff_side *sim)
{
	if (!d->error || !sim->n_out)
		return;
	if (d->error->wrong == DIFF_WRONG_FRAME)
		sim->out[0].data[sim->out[0].len / 2] ^= (uint8_t)d->error->bit;
	if (d->error->wrong == DIFF_WRONG_LOST)
		sim->n_out--;
}

static void compare_levels(struct diff *d)
{
	bool level[DIFF_SIDES];

	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct backend *be = d->side[i].be;

		level[i] = be->ops->irq_level(be);
	}
	count(&d->tally->levels, 1);
	if (is_wrong(d, DIFF_SIM, DIFF_WRONG_LEVEL, 0))
		level[DIFF_SIM] = !level[DIFF_SIM];
	if (level[DIFF_SIM] != level[DIFF_QEMU])
		diff_fail(d, "the interrupt pin is %d, QEMU's %d",
			  level[DIFF_SIM], level[DIFF_QEMU]);
}

void diff_settle(struct diff *d)
{
	struct diff_side *sim = &d->side[DIFF_SIM];
	struct diff_side *qemu = &d->side[DIFF_QEMU];

	diff_quiet(d);
	spoil(d, sim);
	if (sim->n_out != qemu->n_out)
		diff_fail(d, "%zu frames came out, of QEMU's %zu", sim->n_out,
			  qemu->n_out);
	for (size_t i = 0; i < sim->n_out; i++) {
		struct diff_frame *a = &sim->out[i], *b = &qemu->out[i];

		pad(d, b);
		if (a->len != b->len)
			diff_fail(d, "frame %zu has %zu bytes, QEMU's %zu", i,
				  a->len, b->len);
		diff_same(d, "frame", i << 16, a->data, b->data, a->len);
	}
	count(&d->tally->frames, sim->n_out);
	sim->n_out = 0;
	qemu->n_out = 0;
	compare_levels(d);
}

/*
 * Opening and closing.
 */

static int fail(struct diff *d, int err, const char *what)
{
	snprintf(d->why, sizeof(d->why), "%s: %s", what, strerror(-err));
	return err;
}

static int open_side(struct diff *d, unsigned int i)
{
	static const struct backend_ops *const ops[] = { &backend_sim,
							 &backend_qtest };
	struct diff_side *side = &d->side[i];
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct node *root;
	char *text, *why = NULL;
	struct diag diag;
	int err;

	side->name = ops[i]->name;
	snprintf(side->local, sizeof(side->local), "%s/%s", d->dir, side->name);
	snprintf(side->remote, sizeof(side->remote), "%s/%s.test", d->dir,
		 side->name);
	side->wire = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(un.sun_path, side->remote);
	if (side->wire < 0 || bind(side->wire, (void *)&un, sizeof(un)))
		return fail(d, -errno, "a socket");
	text = xasprintf("network: { dgram: { local: %s, remote: %s } }\n"
			 "mac: 52:54:00:01:02:03\n%s",
			 side->local, side->remote,
			 i == DIFF_QEMU ? "memory: 64M\n" : "");
	diag_init(&diag, "test");
	err = load_yaml(&side->tree, &root, text, strlen(text), &diag);
	diag_fini(&diag);
	if (!err)
		err = ops[i]->open(&side->be, root, d->part->vendor,
				   d->part->device, &why);
	if (err)
		snprintf(d->why, sizeof(d->why), "%s", why ? why : "no text");
	free(why);
	free(text);
	strcpy(un.sun_path, side->local);
	if (!err && connect(side->wire, (void *)&un, sizeof(un)))
		err = fail(d, -errno, "a socket");
	return err;
}

/* The same addresses for both cards: those that QEMU has. */
static int open_memory(struct diff *d)
{
	struct backend *qemu = d->side[DIFF_QEMU].be;
	uint64_t len = d->part->memory, offset;
	int fd, err;

	err = qemu->ops->guest_memory(qemu, len, &fd, &offset, &d->iova);
	if (err)
		return fail(d, err, "QEMU's memory");
	for (unsigned int i = 0; i < DIFF_SIDES && !err; i++) {
		struct diff_side *side = &d->side[i];
		bool shared = i == DIFF_QEMU;

		side->memory =
			mmap(NULL, len, PROT_READ | PROT_WRITE,
			     shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
			     shared ? fd : -1, shared ? (off_t)offset : 0);
		if (side->memory == MAP_FAILED)
			return fail(d, -errno, "memory");
		err = side->be->ops->dma_map(side->be, d->iova, side->memory,
					     len, true);
		if (err)
			return fail(d, err, "a window");
		side->be->ops->bus_master(side->be, true);
	}
	return 0;
}

/* Sockets for frames: our ends, the ports' and both of QEMU's wire. */
static void find_sockets(struct diff *d)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name), type = 0, domain = 0;
		socklen_t len = sizeof(int);

		if (d->socket_n < ARRAY_LEN(d->socket) &&
		    !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) &&
		    !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
		    type == SOCK_DGRAM && domain == AF_UNIX)
			d->socket[d->socket_n++] = fd;
	}
	if (dir)
		closedir(dir);
}

int diff_open(struct diff **out, const struct diff_part *part)
{
	static struct diff_tally unused;
	struct diff *d = xcalloc(1, sizeof(*d));
	int err = 0;

	*out = d;
	d->part = part;
	d->tally = &unused;
	d->steps = part->steps;
	d->side[DIFF_SIM].wire = d->side[DIFF_QEMU].wire = -1;
	strcpy(d->dir, "/tmp/vpio-diff-XXXXXX");
	if (!mkdtemp(d->dir))
		return fail(d, -errno, "a directory");
	for (unsigned int i = 0; i < DIFF_SIDES && !err; i++)
		err = open_side(d, i);
	if (!err && part->memory)
		err = open_memory(d);
	find_sockets(d);
	return err;
}

void diff_close(struct diff *d)
{
	for (unsigned int i = 0; i < DIFF_SIDES; i++) {
		struct diff_side *side = &d->side[i];

		if (side->be)
			side->be->ops->close(side->be);
		load_free(side->tree);
		if (side->memory && side->memory != MAP_FAILED)
			munmap(side->memory, d->part->memory);
		if (side->wire >= 0)
			close(side->wire);
		unlink(side->remote);
	}
	rmdir(d->dir);
	free(d->driver);
	free(d);
}
