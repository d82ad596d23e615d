/* SPDX-License-Identifier: MIT */
/*
 * sched.h: who gets the device next: shares by weight, in device time.
 *
 * Each guest has a virtual time: the device time that it used, divided by its
 * weight.  The one that is furthest behind goes next.  Who did not want the
 * device for a while does not come back with credit.
 *
 * Threads: the monitor's.  Time is an argument.
 */

#ifndef DMM_SCHED_H
#define DMM_SCHED_H

#include "dmm.h"

struct sched {
	unsigned int n;
	uint32_t weight[DMM_MAX_GUESTS];
	uint64_t vtime[DMM_MAX_GUESTS];
	uint64_t lease_ns[DMM_MAX_GUESTS];
	uint32_t active; /* who wants it, or has it */
};

/*
 * (n) guests with (weight).  No guest waits for longer than (max_park_ns): the
 * leases are shares of it.  A (lease_ns) that is not 0 is the lease of a guest
 * of the mean weight instead, unless that is longer.
 */
void sched_init(struct sched *s, unsigned int n, const uint32_t weight[],
		uint64_t max_park_ns, uint64_t lease_ns);

/* (guest) wants the device from now on, or no longer does. */
void sched_want(struct sched *s, unsigned int guest);
void sched_unwant(struct sched *s, unsigned int guest);

/* (guest) had the device for (ns). */
void sched_charge(struct sched *s, unsigned int guest, uint64_t ns);

/* Which of the bit set (of) goes next; -1 if it is empty. */
int sched_pick(const struct sched *s, uint32_t of);

#endif /* DMM_SCHED_H */
