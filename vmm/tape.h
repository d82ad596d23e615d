/* SPDX-License-Identifier: MIT */
/*
 * tape.h: a ring in memory of a trace's blocks, between the thread that
 * records and the one that writes the file; neither waits for the other.
 *
 * Blocks come in groups (one entry of a monitor, with all that it took): a
 * group is seen whole or not at all.  What finds no room is counted; a tape
 * that keeps (tape_open) makes room from its oldest end instead, until
 * tape_release() lets the reader have all that is there.
 *
 * Threads: one producer, one consumer.
 */

#ifndef VMM_TAPE_H
#define VMM_TAPE_H

#include <stdatomic.h>

#include "../dmm/trace.h"

struct tape {
	uint8_t *base; /* mapped twice, so that every block is in one piece */
	size_t size;   /* a power of 2 */
	bool keep;
	_Alignas(64) _Atomic uint64_t head; /* behind the last whole group */
	/* the producer's own */
	uint64_t at;	    /* behind the last block of the group at hand */
	uint64_t tail_seen; /* the tail was there, or is farther */
	uint64_t lost;	    /* records, not told yet */
	uint64_t sum_lost;
	uint64_t kept_out, last_out; /* dropped at the old end; the last's */
	uint64_t sequence;	     /* of the next record */
	uint32_t in_group;	     /* records of it */
	bool dropping;		     /* the group at hand */
	bool full;		     /* until there is room for more than one */
	_Alignas(64) _Atomic uint64_t tail;
	_Atomic uint64_t release; /* keep: the consumer may go up to here */
	/* by the producer before a release: what had been dropped before it */
	uint64_t gap, gap_last, gap_id;
	uint64_t gap_seen; /* the consumer's own */
};

/* At least (size) bytes; 0 or -errno. */
MUST_CHECK int tape_open(struct tape *t, size_t size, bool keep);
void tape_close(struct tape *t); /* zeros are fine */

/* ---- the producer ---- */

/* A record of a head (whose sequence is filled in) and pieces, or a frame. */
void tape_record(struct tape *t, uint64_t ns, struct trace_head *head,
		 const void *body, size_t len, const void *data,
		 size_t data_len);
void tape_frame(struct tape *t, uint32_t interface, uint64_t ns,
		const void *bytes, size_t len);
/* The group is whole: let it be seen.  (device) is for TRACE_LOST. */
void tape_end(struct tape *t, uint8_t device, uint64_t ns);
/* The same of a tape that has frames alone: what finds no room is counted. */
void tape_end_frame(struct tape *t);
/* A tape that keeps: let the consumer have what there is. */
void tape_release(struct tape *t);

/* ---- the consumer ---- */

/* Up to where it may read; all of it is whole blocks. */
uint64_t tape_limit(struct tape *t);

static inline const uint8_t *tape_at(const struct tape *t, uint64_t at)
{
	return t->base + (at & (t->size - 1));
}

static inline uint32_t tape_block_len(const uint8_t *block)
{
	uint32_t len;

	__builtin_memcpy(&len, block + 4, sizeof(len));
	return len;
}

#endif /* VMM_TAPE_H */
