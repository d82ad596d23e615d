// SPDX-License-Identifier: MIT
/*
 * host.c: what a host that does not have a function gets in its place.
 */

#include <errno.h>
#include <string.h>

#include "mon.h"

static void no_write(void *ctx, unsigned int space, uint64_t off,
		     unsigned int width, uint64_t value)
{
	(void)ctx, (void)space, (void)off, (void)width, (void)value;
}

/* A bus on which nobody answers. */
static uint64_t no_read(void *ctx, unsigned int space, uint64_t off,
			unsigned int width)
{
	(void)ctx, (void)space, (void)off;
	return cc_ones(8 * width);
}

static void no_read_string(void *ctx, unsigned int space, uint64_t off,
			   unsigned int width, void *to, size_t n)
{
	(void)ctx, (void)space, (void)off;
	memset(to, 0xff, n * width);
}

static void no_write_string(void *ctx, unsigned int space, uint64_t off,
			    unsigned int width, const void *from, size_t n)
{
	(void)ctx, (void)space, (void)off, (void)width, (void)from, (void)n;
}

static void no_pause(void *ctx, uint64_t ns)
{
	(void)ctx, (void)ns;
}

/* Time that stands still, but is not "never". */
static uint64_t no_now(void *ctx)
{
	(void)ctx;
	return 1;
}

static int no_reset(void *ctx)
{
	(void)ctx;
	return 0;
}

static void no_line(void *ctx, unsigned int guest, bool level)
{
	(void)ctx, (void)guest, (void)level;
}

static void no_wake(void *ctx, unsigned int guest)
{
	(void)ctx, (void)guest;
}

static void no_due(void *ctx, uint64_t at_ns)
{
	(void)ctx, (void)at_ns;
}

static void no_frame(void *ctx, unsigned int guest, bool sent,
		     const uint8_t *bytes, size_t len)
{
	(void)ctx, (void)guest, (void)sent, (void)bytes, (void)len;
}

static void no_report(void *ctx, const struct dmm_report *report)
{
	(void)ctx, (void)report;
}

static int no_translate(void *ctx, unsigned int guest, uint64_t gpa,
			uint64_t len, uint64_t *iova)
{
	(void)ctx, (void)guest, (void)gpa, (void)len, (void)iova;
	return -EFAULT;
}

static int no_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
		       size_t len)
{
	(void)ctx, (void)guest, (void)gpa, (void)to, (void)len;
	return -EFAULT;
}

static int no_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			const void *from, size_t len)
{
	(void)ctx, (void)guest, (void)gpa, (void)from, (void)len;
	return -EFAULT;
}

#define OR(host, what)                            \
	do {                                      \
		if (!(host)->what)                \
			(host)->what = no_##what; \
	} while (0)

void host_complete(struct dmm_host *host)
{
	OR(host, read);
	OR(host, write);
	OR(host, read_string);
	OR(host, write_string);
	OR(host, pause);
	OR(host, now);
	OR(host, reset);
	OR(host, line);
	OR(host, wake);
	OR(host, due);
	OR(host, frame);
	OR(host, report);
	OR(host, translate);
	OR(host, read_mem);
	OR(host, write_mem);
}

size_t dmm_gather(const struct dmm_host *host, unsigned int guest,
		  const struct dmm_piece *piece, unsigned int n, uint8_t *to,
		  size_t room)
{
	size_t have = 0, part;
	unsigned int i;

	for (i = 0; i < n && have < room; i++) {
		part = piece[i].len < room - have ? piece[i].len : room - have;
		if (piece[i].bytes)
			memcpy(to + have, piece[i].bytes, part);
		else if (host->read_mem(host->ctx, guest, piece[i].gpa,
					to + have, part))
			break;
		have += part;
	}
	return have;
}
