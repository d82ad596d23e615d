/* SPDX-License-Identifier: MIT */
/*
 * tracefile.h: a trace as a file: mapped to be read, or written block by block.
 */

#ifndef VMM_TRACEFILE_H
#define VMM_TRACEFILE_H

#include <stdio.h>

#include "../dmm/trace.h"

struct tracefile {
	struct trace_reader reader;
	void *map;
	size_t len;
	int fd;
};

/* 0, or -errno with one line in (*why), which the caller frees. */
MUST_CHECK int tracefile_open(struct tracefile *f, const char *path,
			      char **why);
void tracefile_close(struct tracefile *f);

/*
 * One line that says what a record of ours is, without its time, such as
 * "access guest 0 write io+0x07 width 1: 0xff pass hook".
 */
void tracefile_text(const struct trace_packet *p, char *to, size_t room);

/* A record of (device) onto interface 0; false if it was not written whole. */
bool tracefile_put(FILE *to, uint64_t ns, struct trace_head head,
		   const void *body, size_t body_len, const void *more,
		   size_t more_len);
/* The section, and the interface of our records. */
bool tracefile_begin(FILE *to);

#endif /* VMM_TRACEFILE_H */
