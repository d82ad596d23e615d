/* SPDX-License-Identifier: MIT */
/*
 * hostile.h: a guest without manners: guest 0 of a rig tries everything that
 * could reach its neighbour, guest 1.
 *
 * Nothing here expects anything (but of what a claim of an address does):
 * that is test_hostile.c's.
 */

#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include "share.h"

#define HOSTILE_SECRET 0x5e /* fills all frames of the neighbour */

struct hostile_case {
	const char *name;
	void (*run)(struct share *s);
};

extern const struct hostile_case hostile_cases[]; /* a NULL ends them */
void hostile_claims(struct share *s);		  /* one of them */

bool hostile_drops(const struct share *s); /* the rig's mode is drop */

/* An access that is held for 5 ms at most: whatever comes of it. */
void hostile_poke(struct share *s, unsigned int off, unsigned int width,
		  bool write, void *data, unsigned int count);
void hostile_out(struct share *s, unsigned int off, unsigned int width,
		 uint64_t v);
uint64_t hostile_in(struct share *s, unsigned int off, unsigned int width);

/* Begin a remote DMA by CR.RD = (rd); read (n) elements of (width) and more. */
void hostile_remote(struct share *s, unsigned int at, unsigned int len,
		    unsigned int rd);
void hostile_suck(struct share *s, unsigned int width, unsigned int n);
/* All memory that it may read, in two parts: a transfer wraps at PSTOP. */
void hostile_read_all(struct share *s);
/* Nothing is under way any more. */
void hostile_abort(struct share *s);

#endif /* TESTS_HOSTILE_H */
