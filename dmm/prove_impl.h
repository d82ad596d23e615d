/* SPDX-License-Identifier: MIT */
/*
 * prove_impl.h: what prove.c (the exploration) and prove_rules.c (what must
 * hold) share.
 */

#ifndef DMM_PROVE_IMPL_H
#define DMM_PROVE_IMPL_H

#include "model.h"
#include "prove.h"

#define PROVE_FIELDS 32u
#define PROVE_HASH_BITS 20u
#define PROVE_MAX_EDGES 8000000u

struct pstate {
	uint64_t *reg;
	uint64_t state[MODEL_MAX_MACHINES];
};

struct pevent {
	uint8_t on;    /* enum rule_on */
	uint16_t reg;  /* or check */
	uint8_t width; /* of the access, in bits */
	uint64_t value;
};

struct pnode {
	uint64_t key;
	uint32_t from; /* the state before it, on a shortest way */
	uint32_t next; /* of the same bucket, counted from 1 */
	struct pevent ev;
};

struct pedge {
	uint32_t from, to;
	bool device; /* needs no help of the guest */
};

struct prove {
	const struct dmm_model *m;
	struct diag *diag;
	struct prove_result *out;
	struct bits field[PROVE_FIELDS];
	unsigned int fields, bits;
	struct pnode *node;
	struct pedge *edge;
	uint32_t nodes, edges, room;
	uint64_t max_steps;
	uint32_t *hash;
	struct pstate here, scratch;
	bool *fired, *told; /* rules */
	uint64_t *values;   /* registers: bits of a value that matter */
	bool *written;
	bool ends[MODEL_MAX_CHECKS];
	bool in_use;	/* told of once */
	uint32_t moved; /* rings, and checks from bit 8: told of once */
	uint64_t zeros[MODEL_MAX_RINGS * EXPR_RING_NUMBERS + EXPR_EVENTS];
};

uint64_t prove_ask(void *ctx, unsigned int index, bool *unknown);
bool prove_true(const struct prove *p, const struct expr *e,
		const struct pstate *s, const uint64_t *event, bool *unknown);
void prove_choose(const struct prove *p, const struct pstate *s,
		  const struct pevent *ev, const struct rule *rule[]);
enum rule_verdict prove_verdict(const struct prove *p,
				const struct rule *const rule[],
				uint32_t *checks, uint32_t *rings);
/* Does a check or a ring rest on it? */
bool prove_matters(const struct prove *p, const struct reg *reg);
/* Is the machine that has state (to) in it? */
bool prove_in_state(const struct prove *p, const struct pstate *s,
		    unsigned int to);
/* What state (at) is, into (s). */
void prove_load(const struct prove *p, uint32_t at, struct pstate *s);
/* "write CR 0x26, poll": how state (to) is reached, then (last). */
void prove_way(const struct prove *p, uint32_t to, const struct pevent *last,
	       char *text, size_t room);

/* In each state, for each event that passes, as it leads to (next). */
void prove_event(struct prove *p, uint32_t at, const struct pstate *s,
		 const struct pstate *next, const struct pevent *ev,
		 const struct rule *const rule[]);
/* Over all states, when they are known. */
int prove_graph(struct prove *p); /* 0 or -ENOMEM */
/* Over the model's tables. */
void prove_shape(struct prove *p);

#endif /* DMM_PROVE_IMPL_H */
