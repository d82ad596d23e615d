/* SPDX-License-Identifier: MIT */
/*
 * replay.h: a recorded trace of one device, shown to a fresh monitor.
 *
 *	replay_open(&r, model, &packet, &sink, &why);	its TRACE_MODEL
 *	replay_record(r, &packet, number);		each of its records
 *	replay_end(r);
 *	replay_summary(r), replay_difference(r)
 *
 * A trace that is complete is replayed exactly: the monitor's questions are
 * answered as they were, and all that it does must be what it did.  The first
 * difference ends the replay.
 *
 * One that is not (imported, filtered) has accesses alone.  Then the device is
 * the trace: a read gives what was read, its causes of interrupts come when
 * the guest finds them, and what the monitor asks for itself is answered by
 * what was last seen there.  Nothing is compared, but the model's rules are.
 *
 * Packets are borrowed until the entry that they belong to has been replayed.
 *
 * Errors:  0 or -errno; -EINVAL: a record where none like it can be.
 * Threads: one replay, one thread.
 */

#ifndef DMM_REPLAY_H
#define DMM_REPLAY_H

#include <limits.h>

#include "trace.h"

struct replay;

/* Where we are. */
struct replay_at {
	uint64_t number;   /* of the packet in its file, from 1, as Wireshark */
	uint64_t offset;   /* of it in the file */
	uint64_t sequence; /* of the device's records */
	uint64_t ns;
};

/* An access that was replayed. */
struct replay_access {
	const struct dmm_access *access;
	enum dmm_verdict verdict;
	enum dmm_path path; /* of its last element */
	unsigned int reg;   /* that its first byte stands in, when it came */
};

#define REPLAY_NO_REGISTER UINT_MAX

/* A report that outlives what it was told of. */
struct replay_violation {
	struct replay_at at;
	unsigned int guest, line;
	enum dmm_offence offence;
	uint64_t address, length;
	char name[48], rule[96];
};

void replay_keep(struct replay_violation *to, const struct replay_at *at,
		 const struct dmm_report *report);

/* What to tell of on the way; each may be NULL. */
struct replay_sink {
	void *ctx;
	void (*state)(void *ctx, const struct replay_at *at, unsigned int guest,
		      const struct trace_state *state);
	void (*owner)(void *ctx, const struct replay_at *at,
		      const struct trace_switch *sw);
	void (*violation)(void *ctx, const struct replay_at *at,
			  const struct dmm_report *report);
	/* The device could change hands from now on, or no longer. */
	void (*window)(void *ctx, const struct replay_at *at, bool open);
	void (*access)(void *ctx, const struct replay_at *at,
		       unsigned int guest, const struct replay_access *access);
	void (*line)(void *ctx, const struct replay_at *at, unsigned int guest,
		     bool level);
};

struct replay_difference {
	struct replay_at at;
	char expected[160], came[160];
};

struct replay_state { /* of all guests */
	uint64_t entered, ns;
};

struct replay_summary {
	bool exact;
	uint64_t events; /* entries: accesses, interrupts, ticks, ... */
	uint64_t violations, held;
	uint64_t windows, window_ns;
	uint64_t first_ns, last_ns;
	uint64_t lost;	     /* records that are missing; it ends there */
	unsigned int states; /* as dmm_model_state() numbers them */
	const struct replay_state *state;
	/* a byte each: was it met? */
	unsigned int registers, rules;
	const uint8_t *reg, *rule;
};

/*
 * (first) is the device's TRACE_MODEL.  (model) is borrowed; (sink) is copied.
 * -EINVAL with one line in (*why), which the caller frees, if it cannot be a
 * record of this model.
 */
MUST_CHECK int replay_open(struct replay **out, const struct dmm_model *model,
			   const struct trace_packet *first,
			   const struct replay_sink *sink, char **why);
void replay_close(struct replay *r); /* NULL is fine */

/*
 * The next record of the device, at packet (number).  After a difference, or
 * where records are missing, nothing more is done with them.
 */
MUST_CHECK int replay_record(struct replay *r, const struct trace_packet *p,
			     uint64_t number);
/* That was all; times of states end here. */
void replay_end(struct replay *r);

const struct replay_summary *replay_summary(struct replay *r);
const struct replay_difference *replay_difference(const struct replay *r);
/* How many records opening the monitor took: the first ones. */
size_t replay_opening(const struct replay *r);
/*
 * A number for where the monitor stands: its machines, banks, transfers, lines,
 * owner.  What lies between two entries with the same one may be left out
 * without that what comes behind makes no sense; it may, not must.
 */
uint64_t replay_digest(const struct replay *r);
/* The sequence that the next record must have. */
uint64_t replay_next(const struct replay *r);
/* NULL until the first entry; for dmm_guest_stats() and the like. */
struct dmm *replay_dmm(struct replay *r);

/* ---- what if ---- */

/* What another mechanism than an exit for each could do with an access. */
enum replay_class {
	REPLAY_PLAIN, /* the device's own: a mapped page would do */
	REPLAY_WAITS, /* a write whose effect may wait for the next exit */
	REPLAY_BELL,  /* a write that steps the model */
	REPLAY_STEP,  /* a read that does */
	REPLAY_COPY,  /* a read of what the monitor has, without an effect */
	REPLAY_OTHER, /* anything else: it must come out */
	REPLAY_CLASSES
};

/* Of an access that was just replayed, and took (path). */
enum replay_class replay_class_of(const struct replay *r, unsigned int guest,
				  const struct dmm_access *access,
				  enum dmm_path path);
enum dmm_how replay_how(const struct replay *r); /* as recorded */
/* How long a lease is, as recorded, or as the model has it. */
uint64_t replay_lease_ns(const struct replay *r);

/* Names for the summary: of register (i), of machine and line of rule (i). */
const char *replay_register(const struct replay *r, unsigned int i);
/* Does a write of register (i) have a range of memory checked for the device? */
bool replay_is_doorbell(const struct replay *r, unsigned int i);
unsigned int replay_rule_line(const struct replay *r, unsigned int i);

#endif /* DMM_REPLAY_H */
