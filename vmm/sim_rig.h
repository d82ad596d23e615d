/* SPDX-License-Identifier: MIT */
/*
 * sim_rig.h: guests that have no processors, only memory, on a simulated
 * 82540EM behind a monitor, on one thread: for measuring, and for tests.
 *
 *	struct sim_rig rig = { .model = model, .conf = conf, .real_clock = true };
 *	err = sim_rig_open(&rig, 0, &why);
 *	verdict = sim_rig_access(&rig, 0, R_TDT, &value, true);
 *	sim_rig_work(&rig);
 *	sim_rig_close(&rig);
 *
 * Threads: one at a time.
 */

#ifndef VMM_SIM_RIG_H
#define VMM_SIM_RIG_H

#include "../dmm/dmm.h"
#include "sim_e1000.h"

#define SIM_RIG_MEM 0x100000u		 /* bytes of a guest's memory, from 0 */
#define SIM_RIG_AREA UINT64_C(0x1000000) /* device addresses */
#define SIM_RIG_GUEST(g) (UINT64_C(0x2000000) + (uint64_t)(g)*0x200000)

struct sim_rig {
	/* Before sim_rig_open(); the model is the rig's from then on. */
	struct dmm_model *model;
	struct dmm_conf conf; /* weights of 0 are 1; (area) is made */
	bool real_clock;      /* else (clock) goes when it is made to */
	uint64_t clock;	      /* nanoseconds, 1 or more */
	void (*transmit)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx; /* of what is sent; NULL: nobody hears it */

	struct dmm *dmm;
	void *card;
	uint8_t *mem[DMM_MAX_GUESTS];
	uint64_t due;	     /* the card is to run */
	bool level, changed; /* its interrupt */
	uint64_t faults, reports;
	struct dmm_report last;
};

/* A card of (bps) bits a second, 0: no time at all.  -errno and (*why). */
MUST_CHECK int sim_rig_open(struct sim_rig *rig, uint64_t bps, char **why);
void sim_rig_close(struct sim_rig *rig); /* after a failure, too */

/* Guest (g)'s address on the wire. */
void sim_rig_mac(unsigned int g, uint8_t mac[6]);
uint64_t sim_rig_now(const struct sim_rig *rig);
/* An access of 32 bits to BAR 0. */
enum dmm_verdict sim_rig_access(struct sim_rig *rig, unsigned int g,
				uint32_t reg, uint32_t *value, bool write);
/* The card does what is due; and the monitor hears of its interrupt. */
void sim_rig_turn(struct sim_rig *rig);
void sim_rig_work(struct sim_rig *rig);

#endif /* VMM_SIM_RIG_H */
