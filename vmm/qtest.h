/* SPDX-License-Identifier: MIT */
/*
 * qtest.h: QEMU's qtest protocol, from outside: the ports, the memory and the
 * interrupt lines of its machine.
 *
 * A request is a line, and so is its reply, in the same order; a line "IRQ
 * raise 23" comes whenever it likes.  A write does not wait for its reply: a
 * few may be under way, and what is asked later is done later all the same.
 * A request for many elements goes out in portions, so that the way there and
 * back is paid once a portion.
 *
 * QEMU is not trusted: a line that is too long, a reply that does not fit its
 * request, a reply that does not come in time, the end of the connection: each
 * ends it for good.  It is told once, reads give ones from then on, and no
 * line is asserted.
 *
 * Threads: any, but for qtest_close().  A thread of its own waits for what
 *          comes unasked, and sleeps while somebody waits for a reply.
 */

#ifndef VMM_QTEST_H
#define VMM_QTEST_H

#include "../dmm/cc.h"

#define QTEST_LINES 24 /* pins of the machine's I/O APIC */

struct qtest;

enum qtest_space { QTEST_IO, QTEST_MEMORY };

struct qtest_conf {
	int fd;	      /* a connected stream socket; closed by us, always */
	int event_fd; /* an eventfd of the caller's, told of each change */
	unsigned int timeout_ms;
	/*
	 * It ended, and (why): called once, on any thread, which may hold a
	 * lock of ours: so no call back.
	 */
	void (*dead)(void *ctx, const char *why);
	void *ctx;
};

/* -errno with one line in (*why), which the caller frees. */
MUST_CHECK int qtest_open(struct qtest **out, const struct qtest_conf *conf,
			  char **why);
void qtest_close(struct qtest *qtest); /* NULL is fine */

/* Any request whose reply is a plain OK; waits for it.  -EIO: it ended. */
MUST_CHECK int qtest_command(struct qtest *qtest, const char *request);

/* (width) is 1, 2, 4, and in memory 8 bytes. */
uint64_t qtest_read(struct qtest *qtest, enum qtest_space space, uint64_t addr,
		    unsigned int width);
void qtest_write(struct qtest *qtest, enum qtest_space space, uint64_t addr,
		 unsigned int width, uint64_t value);

/* (n) elements at one address, as bytes in little-endian order. */
void qtest_read_many(struct qtest *qtest, enum qtest_space space, uint64_t addr,
		     unsigned int width, void *to, size_t n);
void qtest_write_many(struct qtest *qtest, enum qtest_space space,
		      uint64_t addr, unsigned int width, const void *from,
		      size_t n);

/* The lines that are asserted, a bit each, after all that was written. */
uint32_t qtest_lines(struct qtest *qtest);

bool qtest_dead(struct qtest *qtest);

#endif /* VMM_QTEST_H */
