/* SPDX-License-Identifier: MIT */
/*
 * qtest.c: QEMU's qtest protocol.
 *
 * Whoever waits for a reply reads the socket itself, so that a round trip
 * wakes no third thread; the watcher, a thread of ours, reads it while nobody
 * waits.  The socket is armed in its epoll set only then, and only once, so
 * the two do not run after the same bytes.
 *
 * Locks: (lock) is held for a whole request.  So a reply belongs to the
 * oldest request, and there is one reader at a time.
 */

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "qtest.h"
#include "why.h"

#define LINE_MAX_LEN 64 /* of a line from QEMU; it has none above 32 */
#define REQUEST_MAX 64	/* of a line to it */

/*
 * Requests under way: portions go out when LOW are left, up to HIGH.  Their
 * replies must fit in a socket's buffer, or QEMU waits for us while we send.
 */
#define LOW 32u
#define HIGH 96u

/*
 * A reply takes QEMU a few microseconds, and going to sleep for it up to 70
 * where processors are virtual: look this often (about 20 us) before.
 */
#define SPINS 100u

/* Elements on their way, of one call. */
struct burst {
	enum qtest_space space;
	unsigned int width;
	uint64_t addr;
	const uint8_t *from; /* NULL: a read */
	uint8_t *to;
	size_t n, sent, answered;
};

struct qtest {
	struct qtest_conf conf;
	int epoll_fd, stop_fd;
	pthread_t watcher;
	atomic_uint lines;
	atomic_bool dead;

	pthread_mutex_t lock;  /* all below */
	unsigned int writes;   /* sent, and not answered yet */
	struct burst *reading; /* whose replies come behind those */
	size_t used;	       /* of (in) */
	char in[4096];
	char out[HIGH * REQUEST_MAX];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tell(struct qtest *q)
{
	uint64_t one = 1;

	if (write(q->conf.event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("cannot tell of an interrupt");
}

PRINTF(2, 3) static void die(struct qtest *q, const char *fmt, ...)
{
	char why[160];
	va_list args;

	if (atomic_exchange(&q->dead, true))
		return;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	atomic_store(&q->lines, 0);
	shutdown(q->conf.fd, SHUT_RDWR);
	tell(q);
	q->conf.dead(q->conf.ctx, why);
}

/* What it sent, fit for a log. */
static void die_of(struct qtest *q, const char *what, const char *line)
{
	char shown[LINE_MAX_LEN + 1];
	size_t i;

	for (i = 0; line[i] && i < LINE_MAX_LEN; i++)
		shown[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
	shown[i] = '\0';
	die(q, "%s: \"%s\"", what, shown);
}

/*
 * What comes.
 */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* All of (text) as a number, or false. */
static bool number(const char *text, unsigned int base, uint64_t max,
		   uint64_t *out)
{
	uint64_t value = 0;
	unsigned int n;

	for (n = 0; text[n]; n++) {
		int d = digit(text[n]);

		if (n == 16 || d < 0 || (unsigned int)d >= base)
			return false;
		value = value * base + (uint64_t)d;
	}
	*out = value;
	return n && value <= max;
}

/* "IRQ raise 23" or "IRQ lower 23" */
static bool irq_line(struct qtest *q, const char *line)
{
	bool raise = !strncmp(line, "IRQ raise ", 10);
	uint64_t pin;

	if (!raise && strncmp(line, "IRQ lower ", 10) != 0)
		return false;
	if (!number(line + 10, 10, QTEST_LINES - 1, &pin))
		return false;
	if (raise)
		atomic_fetch_or(&q->lines, 1u << pin);
	else
		atomic_fetch_and(&q->lines, ~(1u << pin));
	tell(q);
	return true;
}

/* "OK 0x00ff" */
static bool read_reply(struct burst *b, const char *line)
{
	uint64_t value;

	if (strncmp(line, "OK 0x", 5) != 0 ||
	    !number(line + 5, 16, cc_ones(8 * b->width), &value))
		return false;
	value = htole64(value);
	memcpy(b->to + b->answered++ * b->width, &value, b->width);
	return true;
}

static void take_line(struct qtest *q, const char *line)
{
	struct burst *b = q->reading;
	bool good;

	if (!strncmp(line, "IRQ ", 4)) {
		if (!irq_line(q, line))
			die_of(q, "it tells of no interrupt line", line);
		return;
	}
	if (q->writes) {
		good = !strcmp(line, "OK");
		q->writes -= good;
	} else if (b && b->answered < b->sent) {
		good = read_reply(b, line);
	} else {
		die_of(q, "it answers what was not asked", line);
		return;
	}
	if (!good)
		die_of(q, "its answer does not fit the request", line);
}

static void take_lines(struct qtest *q)
{
	char *at = q->in, *end = q->in + q->used, *stop;

	while (!atomic_load(&q->dead)) {
		stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop)
			break;
		*stop = '\0';
		if (stop - at > LINE_MAX_LEN ||
		    strlen(at) < (size_t)(stop - at))
			die_of(q, "it sent what is no line", at);
		else
			take_line(q, at);
		at = stop + 1;
	}
	q->used = (size_t)(end - at);
	if (q->used > LINE_MAX_LEN)
		die(q, "it sent a line without an end");
	else
		memmove(q->in, at, q->used);
}

/* Take what is there; unless (flags) say not to, wait for it. */
static void receive(struct qtest *q, int flags)
{
	unsigned int spins = flags & MSG_DONTWAIT ? 0 : SPINS;
	ssize_t n;

	do
		n = recv(q->conf.fd, q->in + q->used, sizeof(q->in) - q->used,
			 spins ? MSG_DONTWAIT : flags);
	while (n < 0 && errno == EAGAIN && spins-- > 0);
	if (n > 0) {
		q->used += (size_t)n;
		take_lines(q);
	} else if (!n) {
		die(q, "it closed the connection");
	} else if (errno == EAGAIN) {
		if (!(flags & MSG_DONTWAIT))
			die(q, "no answer within %u ms", q->conf.timeout_ms);
	} else if (errno != EINTR) {
		die(q, "the connection failed: %s", strerror(errno));
	}
}

/* The watcher looks at the socket, or not. */
static void arm(struct qtest *q, bool on)
{
	struct epoll_event ev = { .events = on ? EPOLLIN | EPOLLONESHOT : 0 };

	if (epoll_ctl(q->epoll_fd, EPOLL_CTL_MOD, q->conf.fd, &ev) < 0)
		die(q, "epoll failed: %s", strerror(errno));
}

static void *watcher_thread(void *arg)
{
	struct qtest *q = arg;
	struct epoll_event ev;

	for (;;) {
		if (epoll_wait(q->epoll_fd, &ev, 1, -1) < 1)
			continue; /* a signal */
		if (ev.data.ptr == q)
			return NULL;
		pthread_mutex_lock(&q->lock);
		if (!atomic_load(&q->dead))
			receive(q, MSG_DONTWAIT);
		if (!atomic_load(&q->dead))
			arm(q, true);
		pthread_mutex_unlock(&q->lock);
	}
}

/*
 * What goes.
 */

static bool send_text(struct qtest *q, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(q->conf.fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			die(q, "it takes no request: %s", strerror(errno));
			return false;
		}
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static int put_request(const struct burst *b, size_t i, char *to)
{
	static const char letters[] = "?bw?l???q";
	char letter = letters[b->width];
	const char *verb;
	uint64_t value = 0;

	if (b->space == QTEST_IO)
		verb = b->from ? "out" : "in";
	else
		verb = b->from ? "write" : "read";
	if (!b->from)
		return snprintf(to, REQUEST_MAX, "%s%c 0x%jx\n", verb, letter,
				(uintmax_t)b->addr);
	memcpy(&value, b->from + i * b->width, b->width);
	return snprintf(to, REQUEST_MAX, "%s%c 0x%jx 0x%jx\n", verb, letter,
			(uintmax_t)b->addr, (uintmax_t)le64toh(value));
}

/* As many of (b) as may be under way, in one piece. */
static void send_portion(struct qtest *q, struct burst *b, size_t under_way)
{
	size_t i = b->sent, len = 0;

	for (; i < b->n && under_way < HIGH; i++, under_way++)
		len += (size_t)put_request(b, i, q->out + len);
	if (!send_text(q, q->out, len))
		return;
	if (b->from)
		q->writes += (unsigned int)(i - b->sent);
	b->sent = i;
}

/*
 * Do all of (b): what is written is under way then, what is read is there.
 * Under the lock, with the watcher off.
 */
static void run(struct qtest *q, struct burst *b)
{
	uint64_t until = 0;

	q->reading = b->from ? NULL : b;
	while (!atomic_load(&q->dead)) {
		size_t under_way = q->writes;

		if (!b->from)
			under_way += b->sent - b->answered;
		if (b->sent < b->n && under_way <= LOW) {
			send_portion(q, b, under_way);
			continue;
		}
		if (b->sent == b->n && (b->from || b->answered == b->n))
			break;
		if (!until)
			until = now_ms() + q->conf.timeout_ms;
		receive(q, 0);
		/* Bytes come, but not what was asked for. */
		if (!atomic_load(&q->dead) && now_ms() > until)
			die(q, "no answer within %u ms", q->conf.timeout_ms);
	}
	q->reading = NULL;
}

/* Wait until all that was written is done; under the lock as well. */
static void settle(struct qtest *q)
{
	uint64_t until = now_ms() + q->conf.timeout_ms;

	while (q->writes && !atomic_load(&q->dead)) {
		receive(q, 0);
		if (!atomic_load(&q->dead) && now_ms() > until)
			die(q, "no answer within %u ms", q->conf.timeout_ms);
	}
}

/* Take the lock and the socket; false if there is nobody to talk to. */
static bool begin(struct qtest *q)
{
	pthread_mutex_lock(&q->lock);
	if (!atomic_load(&q->dead))
		arm(q, false);
	return !atomic_load(&q->dead);
}

static void end(struct qtest *q)
{
	if (!atomic_load(&q->dead))
		arm(q, true);
	pthread_mutex_unlock(&q->lock);
}

static bool width_ok(enum qtest_space space, unsigned int width)
{
	return width == 1 || width == 2 || width == 4 ||
	       (width == 8 && space == QTEST_MEMORY);
}

static void do_burst(struct qtest *q, struct burst *b)
{
	bool ok = width_ok(b->space, b->width);

	if (begin(q) && ok)
		run(q, b);
	end(q);
	if (b->to)
		memset(b->to + b->answered * b->width, 0xff,
		       (b->n - b->answered) * b->width);
}

int qtest_command(struct qtest *q, const char *request)
{
	if (begin(q) && send_text(q, request, strlen(request)) &&
	    send_text(q, "\n", 1)) {
		q->writes++;
		settle(q);
	}
	end(q);
	return qtest_dead(q) ? -EIO : 0;
}

void qtest_read_many(struct qtest *q, enum qtest_space space, uint64_t addr,
		     unsigned int width, void *to, size_t n)
{
	struct burst b = {
		.space = space, .width = width, .addr = addr, .to = to, .n = n
	};

	do_burst(q, &b);
}

void qtest_write_many(struct qtest *q, enum qtest_space space, uint64_t addr,
		      unsigned int width, const void *from, size_t n)
{
	struct burst b = { .space = space,
			   .width = width,
			   .addr = addr,
			   .from = from,
			   .n = n };

	do_burst(q, &b);
}

uint64_t qtest_read(struct qtest *q, enum qtest_space space, uint64_t addr,
		    unsigned int width)
{
	uint64_t value = 0;

	if (width > sizeof(value))
		return UINT64_MAX;
	qtest_read_many(q, space, addr, width, &value, 1);
	return le64toh(value);
}

void qtest_write(struct qtest *q, enum qtest_space space, uint64_t addr,
		 unsigned int width, uint64_t value)
{
	value = htole64(value);
	if (width <= sizeof(value))
		qtest_write_many(q, space, addr, width, &value, 1);
}

uint32_t qtest_lines(struct qtest *q)
{
	pthread_mutex_lock(&q->lock);
	if (q->writes && !atomic_load(&q->dead)) {
		arm(q, false);
		settle(q);
		if (!atomic_load(&q->dead))
			arm(q, true);
	}
	pthread_mutex_unlock(&q->lock);
	return atomic_load(&q->lines);
}

bool qtest_dead(struct qtest *q)
{
	return atomic_load(&q->dead);
}

/*
 * Opening and closing.
 */

static void set_timeout(int fd, unsigned int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
			      .tv_usec = ms % 1000 * 1000 };

	/* On a socket these do not fail. */
	(void)!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int watch(struct qtest *q)
{
	struct epoll_event stop = { .events = EPOLLIN, .data.ptr = q };
	struct epoll_event in = { .events = EPOLLIN | EPOLLONESHOT };

	q->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	q->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (q->epoll_fd < 0 || q->stop_fd < 0 ||
	    epoll_ctl(q->epoll_fd, EPOLL_CTL_ADD, q->stop_fd, &stop) < 0 ||
	    epoll_ctl(q->epoll_fd, EPOLL_CTL_ADD, q->conf.fd, &in) < 0)
		return -errno;
	return -pthread_create(&q->watcher, NULL, watcher_thread, q);
}

static void qtest_free(struct qtest *q)
{
	close(q->conf.fd);
	if (q->epoll_fd >= 0)
		close(q->epoll_fd);
	if (q->stop_fd >= 0)
		close(q->stop_fd);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int qtest_open(struct qtest **out, const struct qtest_conf *conf, char **why)
{
	struct qtest *q = xcalloc(1, sizeof(*q));
	int err;

	q->conf = *conf;
	q->epoll_fd = -1;
	q->stop_fd = -1;
	pthread_mutex_init(&q->lock, NULL);
	set_timeout(conf->fd, conf->timeout_ms);
	err = watch(q);
	if (err) {
		qtest_free(q);
		return why_set(why, err, "cannot watch a socket: %s",
			       strerror(-err));
	}
	*out = q;
	return 0;
}

void qtest_close(struct qtest *q)
{
	uint64_t one = 1;

	if (!q)
		return;
	if (write(q->stop_fd, &one, sizeof(one)) < 0)
		log_warn("cannot end a thread");
	pthread_join(q->watcher, NULL);
	qtest_free(q);
}
