/* SPDX-License-Identifier: MIT */
/*
 * test_qtest.c: the qtest protocol against a server that lies, or is silent.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/qtest.h"

#define TIMEOUT_MS 5000
#define SHORT_MS 200

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/*
 * A server that says what a test wants it to.
 */

struct fake {
	struct qtest *q;
	int fd, event_fd;
	unsigned int died; /* how often it was told */
	char why[200];
	const char *answer; /* of the thread, to each request line */
	bool drip;	    /* send it for ever instead */
	pthread_t thread;
};

static void fake_dead(void *ctx, const char *why)
{
	struct fake *f = ctx;

	__atomic_add_fetch(&f->died, 1, __ATOMIC_SEQ_CST);
	snprintf(f->why, sizeof(f->why), "%s", why);
}

static void fake_open(struct fake *f, unsigned int timeout_ms)
{
	struct qtest_conf conf = { .timeout_ms = timeout_ms,
				   .dead = fake_dead,
				   .ctx = f };
	char *why = NULL;
	int pair[2];

	*f = (struct fake){ .event_fd = eventfd(0, EFD_NONBLOCK) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	f->fd = pair[1];
	conf.fd = pair[0];
	conf.event_fd = f->event_fd;
	assert_int_equal(qtest_open(&f->q, &conf, &why), 0);
}

static void fake_close(struct fake *f)
{
	qtest_close(f->q);
	close(f->fd);
	close(f->event_fd);
}

static void say(struct fake *f, const char *text)
{
	(void)!send(f->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void *fake_thread(void *arg)
{
	struct fake *f = arg;
	char in[4096];
	ssize_t n;

	while (f->drip) {
		if (send(f->fd, f->answer, strlen(f->answer), MSG_NOSIGNAL) < 0)
			return NULL;
		usleep(1000);
	}
	while ((n = read(f->fd, in, sizeof(in))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (in[i] == '\n')
				say(f, f->answer);
	return NULL;
}

static void fake_answers(struct fake *f, const char *answer)
{
	f->answer = answer;
	assert_int_equal(pthread_create(&f->thread, NULL, fake_thread, f), 0);
}

static void fake_ends(struct fake *f)
{
	qtest_close(f->q);
	shutdown(f->fd, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->fd);
	close(f->event_fd);
}

/* What goes over the socket, and that writes do not wait. */
static void test_requests(void **state)
{
	static const char want[] = "outb 0xc000 0x12\n"
				   "writeq 0xe0000000 0xffffffffffffffff\n"
				   "outw 0xc010 0x201\noutw 0xc010 0x403\n";
	static const uint8_t bytes[] = { 1, 2, 3, 4 };
	char got[200] = "";
	struct fake f;
	uint64_t one;

	(void)state;
	fake_open(&f, TIMEOUT_MS);
	qtest_write(f.q, QTEST_IO, 0xc000, 1, 0x12);
	qtest_write(f.q, QTEST_MEMORY, 0xe0000000, 8, UINT64_MAX);
	qtest_write_many(f.q, QTEST_IO, 0xc010, 2, bytes, 2);
	assert_true(read(f.fd, got, sizeof(got) - 1) > 0);
	assert_string_equal(got, want);
	/* An interrupt between the replies, and in pieces. */
	say(&f, "OK\nIRQ ra");
	usleep(10000);
	assert_false(readable(f.event_fd, 0));
	say(&f, "ise 23\nOK\n");
	assert_true(readable(f.event_fd, 5000));
	assert_int_equal(read(f.event_fd, &one, sizeof(one)), 8);
	say(&f, "OK\nIRQ raise 0\nIRQ lower 23\nOK\n");
	assert_true(readable(f.event_fd, 5000));
	assert_int_equal(qtest_lines(f.q), 1);
	assert_false(qtest_dead(f.q));
	fake_close(&f);
}

static void test_replies(void **state)
{
	uint16_t many[1000];
	struct fake f;

	(void)state;
	fake_open(&f, TIMEOUT_MS);
	fake_answers(&f, "IRQ raise 5\nOK 0x00fe\nIRQ lower 5\n");
	assert_int_equal(qtest_read(f.q, QTEST_IO, 1, 1), 0xfe);
	qtest_read_many(f.q, QTEST_IO, 1, 2, many, ARRAY_LEN(many));
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		assert_int_equal(many[i], 0xfe);
	assert_int_equal(qtest_read(f.q, QTEST_IO, 1, 3), 0xffffff);
	assert_false(qtest_dead(f.q));
	fake_ends(&f);
	assert_int_equal(f.died, 0);
}

/* Each of these, for the reply to "inb", is the end. */
static void test_rubbish(void **state)
{
	static const char *const rubbish[] = {
		"OK\n",
		"FAIL Unknown command\n",
		"OK 0x100\n",
		"OK 0x\n",
		"OK 0x-1\n",
		"OK 0x1 \n",
		"OK 0xFF\n",
		"OK 12\n",
		"OK 0x00000000000000001\n",
		"\n",
		"IRQ raise 24\n",
		"IRQ raise -1\n",
		"IRQ raise\n",
		"IRQ wave 1\n",
		"IRQ raise 99999999999999999999\n",
		"OK 0x1\nOK 0x1\n",
		/* longer than any line, and without an end */
		"OK 0x0000000000000000000000000000000000000000000000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		struct fake f;
		uint64_t value;

		fake_open(&f, TIMEOUT_MS);
		say(&f, "IRQ raise 7\n");
		assert_true(readable(f.event_fd, 5000));
		fake_answers(&f, rubbish[i]);
		value = qtest_read(f.q, QTEST_IO, 1, 1);
		if (value != 0xff) /* the one with two replies */
			value = qtest_read(f.q, QTEST_IO, 1, 1);
		if (value != 0xff || !qtest_dead(f.q))
			fail_msg("\"%s\" is taken: %jx", rubbish[i],
				 (uintmax_t)value);
		assert_int_equal(qtest_read(f.q, QTEST_MEMORY, 1, 8),
				 UINT64_MAX);
		assert_int_equal(qtest_lines(f.q), 0);
		assert_int_equal(qtest_command(f.q, "hello"), -EIO);
		fake_ends(&f);
		assert_int_equal(f.died, 1);
	}
}

static void test_unasked(void **state)
{
	static const char nul[] = "IRQ\0raise 1\n";
	struct fake f;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		fake_open(&f, TIMEOUT_MS);
		if (i == 0)
			say(&f, "OK\n");
		else if (i == 1)
			assert_int_equal(send(f.fd, nul, 12, 0), 12);
		else
			shutdown(f.fd, SHUT_RDWR);
		/* Told though nobody asks. */
		assert_true(readable(f.event_fd, 5000));
		qtest_write(f.q, QTEST_IO, 1, 1, 1);
		assert_int_equal(qtest_read(f.q, QTEST_IO, 1, 4), UINT32_MAX);
		fake_close(&f);
		assert_int_equal(f.died, 1);
	}
}

/* Neither silence nor a stream of other things holds us for long. */
static void test_hang(void **state)
{
	struct fake f;
	uint64_t start = now_ms();

	(void)state;
	fake_open(&f, SHORT_MS);
	for (unsigned int i = 0; i < 200; i++)
		qtest_write(f.q, QTEST_IO, 1, 1, 1);
	assert_int_equal(qtest_read(f.q, QTEST_IO, 1, 1), 0xff);
	assert_true(qtest_dead(f.q));
	assert_true(now_ms() - start >= SHORT_MS);
	fake_close(&f);
	fake_open(&f, SHORT_MS);
	f.drip = true;
	fake_answers(&f, "IRQ raise 1\n");
	assert_int_equal(qtest_read(f.q, QTEST_IO, 1, 1), 0xff);
	assert_true(qtest_dead(f.q));
	assert_non_null(strstr(f.why, "no answer"));
	fake_ends(&f);
	assert_true(now_ms() - start < 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests), cmocka_unit_test(test_replies),
		cmocka_unit_test(test_rubbish),	 cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
