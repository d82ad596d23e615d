/* SPDX-License-Identifier: MIT */
/*
 * changes.h: what an entry of a monitor changed that its host cannot see:
 * states of machines, and the owner; as the records of a trace say it.
 *
 * Interface: changes_init() once the monitor is open; changes_look() after
 * each entry calls back with each change, in the order in which a trace has
 * them.
 */

#ifndef DMM_CHANGES_H
#define DMM_CHANGES_H

#include "trace.h"

#define CHANGES_MACHINES 16u

struct changes {
	unsigned int guests, machines;
	int owner;
	uint64_t forced;
	uint64_t state[DMM_MAX_GUESTS][CHANGES_MACHINES];
};

struct changes_to {
	void *ctx;
	void (*state)(void *ctx, unsigned int guest,
		      const struct trace_state *state);
	void (*owner)(void *ctx, const struct trace_switch *sw);
};

void changes_init(struct changes *c, const struct dmm *dmm,
		  const struct dmm_model *model, unsigned int guests);
/* True if there was any. */
bool changes_look(struct changes *c, const struct dmm *dmm,
		  const struct changes_to *to);

/* See replay_digest(). */
uint64_t changes_digest(const struct dmm *dmm);

#endif /* DMM_CHANGES_H */
