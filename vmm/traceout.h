/* SPDX-License-Identifier: MIT */
/*
 * traceout.h: writes a trace file from the start: section, interfaces,
 * packets.
 *
 * Interface: traceout_open() or traceout_begin(); then what is to be in it;
 * traceout_close().  What could not be written is remembered, not returned:
 * traceout_close() tells of it.
 *
 * Threads: one object, one thread.
 */

#ifndef VMM_TRACEOUT_H
#define VMM_TRACEOUT_H

#include <stdio.h>

#include "../dmm/trace.h"

struct tracefile;

struct traceout {
	FILE *to;
	const char *path; /* borrowed, for messages */
	unsigned int interfaces;
	bool failed;
};

/*
 * Begin the file (path), "-" being standard output: the section, and the
 * interface 0 of our records.  Dies if it cannot be written, or is one of the
 * (n) files that are being read.
 */
void traceout_open(struct traceout *o, const char *path,
		   const struct tracefile *reading, size_t n);
/* The same into an open file, which traceout_close() leaves open. */
void traceout_begin(struct traceout *o, FILE *to);
/* False, after it was said, if it is not all in the file. */
bool traceout_close(struct traceout *o);

/* Its number, for traceout_packet(). */
unsigned int traceout_interface(struct traceout *o, uint16_t linktype,
				const char *name);
void traceout_packet(struct traceout *o, unsigned int interface, uint64_t ns,
		     const struct trace_piece *piece, unsigned int n);
/* A record of ours; head.len is filled in. */
void traceout_record(struct traceout *o, uint64_t ns, struct trace_head head,
		     const void *body, size_t len, const void *more,
		     size_t more_len);

/*
 * For any kind of output: opened for writing, but never over one of the (n)
 * files that are being read.  Dies otherwise.
 */
FILE *traceout_file(const char *path, const struct tracefile *reading,
		    size_t n);

#endif /* VMM_TRACEOUT_H */
