/* SPDX-License-Identifier: MIT */
/*
 * plan.h: which register stands at an offset of a space: the one look-up of
 * an access.
 *
 * A table per space and direction holds, for each offset, the head of a short
 * chain of entries: the registers that can stand there, told apart by the
 * conditions of their places (banks).
 */

#ifndef DMM_PLAN_H
#define DMM_PLAN_H

#include "cc.h"

struct dmm_model;

struct plan_entry {
	uint16_t reg, slot;
	uint16_t place; /* whose condition must hold */
	uint16_t next;	/* MODEL_NONE ends the chain */
	uint8_t byte;	/* of the register */
	bool any_byte;	/* a port: every offset is its first byte */
	bool always;	/* its place has no condition */
};

struct plan {
	uint16_t *head[8][2]; /* [space][write], by offset / grain */
	struct plan_entry *entry;
	uint16_t entries;
};

void plan_free(struct plan *plan);

/*
 * The entry for (off) of (space), which is inside it, under the registers'
 * values (reg); NULL: nothing is classed there.
 */
const struct plan_entry *plan_find(const struct dmm_model *model,
				   unsigned int space, uint64_t off, bool write,
				   const uint64_t *reg);

#endif /* DMM_PLAN_H */
