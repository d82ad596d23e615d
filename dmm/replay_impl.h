/* SPDX-License-Identifier: MIT */
/*
 * replay_impl.h: a replay, as its files share it.
 *
 *  replay.c       records in, entries of the monitor, what came of them
 *  replay_host.c  a host that answers as it did, and compares
 *  replay_echo.c  a host whose device is the trace
 */

#ifndef DMM_REPLAY_IMPL_H
#define DMM_REPLAY_IMPL_H

#include <string.h>

#include "changes.h"
#include "mon.h"
#include "replay.h"

/* What is seldom done, kept out of the way of what is done most. */
#define COLD __attribute__((noinline, cold))

/* A record that belongs to the entry that comes. */
struct replay_queued {
	struct trace_head head;
	const uint8_t *body; /* borrowed */
	struct replay_at at;
};

/* More than one entry can take: e.g. a whole ring of frames, for all guests. */
#define REPLAY_QUEUE_MAX (1u << 18)

/* A device that is the trace. */
struct replay_echo {
	uint64_t *dev;	/* slots: what was last written or seen */
	uint64_t *rest; /* slots: bits that the device has let go since */
	const struct dmm_access *access; /* at hand; NULL: none */
	bool asked;			 /* and the device was asked for it */
	bool level;			 /* of its line */
	unsigned int pauses;		 /* since it was written to */
};

struct replay {
	const struct dmm_model *model;
	struct dmm *dmm; /* NULL: not opened yet */
	struct dmm_conf conf;
	struct dmm_host host;
	struct replay_sink sink;
	struct changes changes;
	struct replay_at at;
	struct replay_summary sum;
	struct replay_difference difference;
	bool differs, ended;
	bool is_reusable;
	bool by_state; /* which only the machines' states say */
	uint64_t reusable_since;
	uint64_t next;	/* sequence */
	uint64_t clock; /* what the host's was last */
	struct replay_queued *queue;
	size_t queued, taken, room;
	size_t opening; /* taken by opening the monitor */
	struct replay_state *state;
	uint64_t since[DMM_MAX_GUESTS][CHANGES_MACHINES];
	uint8_t *covered;
	uint8_t *data; /* of the access at hand */
	struct replay_echo echo;
};

extern const struct dmm_host replay_exact_host;
extern const struct dmm_host replay_echo_host;

/* The first one counts. */
void replay_differ(struct replay *r, const struct replay_at *at,
		   const char *expected, const char *came);
/* The next of the queue if it is a (kind) of (guest), else NULL. */
static inline const struct replay_queued *replay_take(struct replay *r,
						      enum trace_kind kind,
						      uint8_t guest)
{
	const struct replay_queued *q;

	if (r->differs || r->taken == r->queued)
		return NULL;
	q = &r->queue[r->taken];
	if (q->head.kind != kind || q->head.guest != guest)
		return NULL;
	r->taken++;
	return q;
}

/* memcpy() and memcmp(), when it mostly is one element of a register. */
static inline void replay_copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len == 1)
		*to = *from;
	else if (len == 2)
		memcpy(to, from, 2);
	else if (len == 4)
		memcpy(to, from, 4);
	else if (len)
		memcpy(to, from, len);
}

static inline bool replay_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	if (len == 1)
		return *a == *b;
	if (len == 2)
		return !memcmp(a, b, 2);
	if (len == 4)
		return !memcmp(a, b, 4);
	return !len || !memcmp(a, b, len);
}

/* (came) is not what (q) says; NULL: not what comes next. */
void replay_unexpected(struct replay *r, const struct replay_queued *q,
		       const char *came);
/* A record in words. */
void replay_describe(const struct replay_queued *q, char *text, size_t room);

/* replay_echo.c: what the device does before and after an access. */
MUST_CHECK int replay_echo_open(struct replay *r);
void replay_echo_before(struct replay *r, unsigned int guest,
			const struct dmm_access *access);
void replay_echo_after(struct replay *r, unsigned int guest);

#endif /* DMM_REPLAY_IMPL_H */
