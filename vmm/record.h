/* SPDX-License-Identifier: MIT */
/*
 * record.h: writes down what the monitors of a run saw and did, as a trace
 * (../dmm/trace.h), while it happens.
 *
 * Interface: recorder_open() for the run; record_open() for each gate before
 * its monitor is opened, with a host of its own for it; record_start() then.
 * From then on the gate enters its monitor by the functions here, under its
 * device's lock.  record_stop() before the device is made quiet;
 * recorder_close() writes the rest.
 *
 * Records go into a ring in memory, one a gate; a thread writes them to the
 * file.  What does not fit is dropped whole (all that one entry took) and
 * counted in a TRACE_LOST.
 *
 * Threads: the functions of a record under the lock of its device; the others
 * from one.
 */

#ifndef VMM_RECORD_H
#define VMM_RECORD_H

#include "../dmm/trace.h"
#include "machine.h"

#define RECORD_RING (16u << 20)
#define RECORD_WIRE (8u << 20) /* for frames */

struct recorder; /* of a run */
struct record;	 /* of a gate */

struct record_conf {
	const char *path;	    /* NULL: nothing is recorded */
	const char *guest, *device; /* NULL: all */
	uint32_t kinds;		    /* bits of enum trace_kind; 0: all */
	bool no_frames;		    /* "frame" is not among the kinds */
	uint64_t size;	     /* of a file, then comes the next; 0: no limit */
	bool ring;	     /* only the ring, until something happens */
	size_t buffer;	     /* bytes of a ring; 0: RECORD_RING */
	const char *machine; /* the text of the machine file; NULL: none */
};

/* The bits of (list), "access,host": -EINVAL with one line in (*why). */
MUST_CHECK int record_kinds(const char *list, struct record_conf *conf,
			    char **why);

/* 0, or -errno with one line in (*why), which the caller frees. */
MUST_CHECK int recorder_open(struct recorder **out,
			     const struct record_conf *conf,
			     const struct machine *m, char **why);
/* When all devices are open: begin to write.  As recorder_open(). */
MUST_CHECK int recorder_start(struct recorder *recorder, char **why);
/* Write what is left, and tell if something was lost.  NULL is fine. */
/* False if something did not reach the file. */
bool recorder_close(struct recorder *recorder);

/*
 * Begin to record device (device) of the machine, whose model has (text).
 * (*host) becomes a host that records and asks the one it was.  NULL if this
 * device is not to be recorded: then (*host) stays.
 */
struct record *record_open(struct recorder *recorder, unsigned int device,
			   const struct dmm_model *model, const char *text,
			   size_t len, const struct dmm_conf *conf,
			   struct dmm_host *host);
void record_start(struct record *record, struct dmm *dmm);
void record_stop(struct record *record);
/* A frame on the device's wire, either way; (record) is ours.  Any thread. */
void record_wire(void *record, const uint8_t *frame, size_t len);

/* As in dmm.h, recorded.  (rip): 0 if it is not known. */
enum dmm_verdict record_access(struct record *record, unsigned int guest,
			       struct dmm_access *access, uint64_t rip);
void record_interrupt(struct record *record, bool level);
uint64_t record_tick(struct record *record);
void record_leave(struct record *record, unsigned int guest);
void record_guest_reset(struct record *record, unsigned int guest);
void record_signals(struct record *record, unsigned int guest,
		    enum dmm_signals how);

/* ---- the same, whether it is recorded or not (NULL) ---- */

static inline enum dmm_verdict enter_access(struct record *r, struct dmm *dmm,
					    unsigned int guest,
					    struct dmm_access *access,
					    uint64_t rip)
{
	return r ? record_access(r, guest, access, rip) :
		   dmm_access(dmm, guest, access);
}

static inline void enter_interrupt(struct record *r, struct dmm *dmm,
				   bool level)
{
	if (r)
		record_interrupt(r, level);
	else
		dmm_interrupt(dmm, level);
}

static inline uint64_t enter_tick(struct record *r, struct dmm *dmm)
{
	return r ? record_tick(r) : dmm_tick(dmm);
}

static inline void enter_leave(struct record *r, struct dmm *dmm,
			       unsigned int guest)
{
	if (r)
		record_leave(r, guest);
	else
		dmm_leave(dmm, guest);
}

static inline void enter_guest_reset(struct record *r, struct dmm *dmm,
				     unsigned int guest)
{
	if (r)
		record_guest_reset(r, guest);
	else
		dmm_guest_reset(dmm, guest);
}

static inline void enter_signals(struct record *r, struct dmm *dmm,
				 unsigned int guest, enum dmm_signals how)
{
	if (r)
		record_signals(r, guest, how);
	else
		dmm_signals(dmm, guest, how);
}

#endif /* VMM_RECORD_H */
