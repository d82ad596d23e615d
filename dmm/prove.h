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

#include "trace.h"

#define PROVE_MAX_STATES 1000000u
#define PROVE_MAX_BITS 20u /* of all fields that conditions look at */
#define PROVE_MAX_STEPS 50000000u

#define PROVE_WAY 32u
#define PROVE_MACHINES 16u

/* A step of a way: of register or check (which), as the model counts them. */
struct prove_step {
	enum { PROVE_WRITE, PROVE_READ, PROVE_END, PROVE_POLL } what;
	unsigned int which;
	unsigned int width; /* of a write, in bits; 0: any */
	uint64_t value;
};

struct prove_result {
	unsigned int states, steps;
	unsigned int reusable; /* states */
	unsigned int forced;   /* states that only quiesce or force leaves */
	unsigned int rules;    /* that fired */
	bool bounded;	       /* a bound was hit: not all was explored */
	/* to the first thing that is not so; it is the shortest */
	bool has_way;
	unsigned int ways, ways_to_state; /* its steps; those to (state) */
	struct prove_step way[PROVE_WAY];
	uint64_t state[PROVE_MACHINES]; /* of the machines */
};

/* At most (max_steps) of the bound above. */
MUST_CHECK int prove_model(const struct dmm_model *model, struct diag *diag,
			   uint64_t max_steps, struct prove_result *out);

/* A record of ours: (head).len bytes of (body). */
typedef void prove_put(void *ctx, uint64_t ns, const struct trace_head *head,
		       const void *body);

/*
 * The way in (r) as the records of a trace: (text), which (model) was made of,
 * and accesses, to be replayed.  (*there) says whether they really led to
 * (r)->state.  -ENODATA if there is no way; -EFBIG if the text is too long
 * for a trace; -ENOMEM.
 */
MUST_CHECK int prove_trace(const struct dmm_model *model, const char *text,
			   size_t len, const struct prove_result *r,
			   prove_put *put, void *ctx, bool *there);

#endif /* DMM_PROVE_H */
