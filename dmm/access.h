/* SPDX-License-Identifier: MIT */
/*
 * access.h: an access of a guest while it is judged and done; for access.c,
 * single.c, judge.c and port.c.
 */

#ifndef DMM_ACCESS_H
#define DMM_ACCESS_H

#include "mon.h"

/* One register's share of an access; most accesses have one. */
struct piece {
	const struct plan_entry *e;
	const struct reg *reg;
	unsigned int first, bytes; /* of the access */
	uint64_t mask;		   /* of the register's bits */
};

#define MAX_PIECES 8u

struct element {
	struct dmm *d;
	unsigned int g;
	struct dmm_access *a;
	struct context *c;
	struct piece piece[MAX_PIECES];
	struct judged judged[MAX_PIECES];
	unsigned int n;
	uint32_t hooked; /* bit set of pieces */
	enum dmm_path path;
	/* while several are judged: what is to be put back */
	uint64_t state[MODEL_MAX_MACHINES], old[MAX_PIECES];
	unsigned int tried; /* pieces */
	bool moved;	    /* machines too */
	bool reset;	    /* a rule reset the guest's part */
};

static inline uint64_t access_value(const uint8_t *p, unsigned int n)
{
	uint64_t v = 0;

	if (n == 1)
		return *p;
	if (n == 4) /* compilers make one load of it */
		return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		       (uint32_t)p[3] << 24;
	while (n--)
		v = v << 8 | p[n];
	return v;
}

static inline void access_put(uint8_t *p, unsigned int n, uint64_t v)
{
	if (n == 4) { /* compilers make one store of it */
		p[0] = (uint8_t)v;
		p[1] = (uint8_t)(v >> 8);
		p[2] = (uint8_t)(v >> 16);
		p[3] = (uint8_t)(v >> 24);
		return;
	}
	for (; n; n--, v >>= 8)
		*p++ = (uint8_t)v;
}

static inline uint8_t *access_data(const struct dmm_access *a)
{
	return a->data + (size_t)a->done * a->width;
}

/* access.c: any access; the way in is dmm_access(), in port.c. */
enum dmm_verdict access_any(struct dmm *d, unsigned int g,
			    struct dmm_access *a);

/* single.c: which registers may go that way; part of the plan. */
void single_plan(struct dmm *d);
/*
 * The last element of a sane access to (e), done; false: it must go the long
 * way, and nothing has happened.
 */
bool single_access(struct dmm *d, unsigned int g, struct dmm_access *a,
		   const struct plan_entry *e);

/*
 * The strictest verdict of all pieces, and whose it is; which rules fire is in
 * el->judged and el->hooked.  Nothing has changed but what a poll found out.
 */
enum rule_verdict judge_element(struct element *el, const struct judged **why,
				const struct piece **who);

#endif /* DMM_ACCESS_H */
