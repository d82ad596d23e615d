/* SPDX-License-Identifier: MIT */
/*
 * prove.h: explore all that a guest and the device can make a model's machines
 * do, and prove that it is what sharing needs.
 *
 * A state is the machines' states and the values of those fields that
 * conditions look at; a step is a write or a read of a register, the end of a
 * transfer, or a poll, with every outcome that the device or a check could
 * give.  What is proved over all of them:
 *  - from every state a reusable one is reached, or the guest can be forced;
 *  - what starts DMA in one state does not start it unchecked in another;
 *  - what a check rests on does not change while what it allowed goes on;
 *  - every rule can fire, and no two set the same bits to different values;
 *  - every byte of every space is classed, or said to be denied;
 *  - all that a guest can change is part of its context.
 *
 * Errors:  0; -EINVAL with what is not so in the diag, each with the shortest
 *          way there; -ENOMEM.
 */

#ifndef DMM_PROVE_H
#define DMM_PROVE_H

#include "dmm.h"

#define PROVE_MAX_STATES 1000000u
#define PROVE_MAX_BITS 20u /* of all fields that conditions look at */

struct prove_result {
	unsigned int states, steps;
	unsigned int reusable; /* states */
	unsigned int forced;   /* states that only quiesce or force leaves */
	unsigned int rules;    /* that fired */
	bool bounded;	       /* a bound was hit: not all was explored */
};

MUST_CHECK int prove_model(const struct dmm_model *model, struct diag *diag,
			   struct prove_result *out);

#endif /* DMM_PROVE_H */
