/* SPDX-License-Identifier: MIT */
/*
 * ownrig.h: two guests of a monitor on a part whose descriptors say whose they
 * are (models/pcnet.yaml): a part of a page, without time, for tests and
 * fuzzers.  Its DMA beyond what the monitor shares is counted.
 */

#ifndef TESTS_OWNRIG_H
#define TESTS_OWNRIG_H

#include "dmm/dmm.h"

#define OWN_GUESTS 2u
#define OWN_MEM 0x10000u
#define OWN_AREA UINT64_C(0x1000000) /* device addresses */
#define OWN_GUEST(g) (UINT64_C(0x2000000) + (uint64_t)(g)*0x100000)
#define OWN_FRAME 2048u

struct ownrig {
	struct dmm_model *model;
	struct dmm *dmm;
	struct dmm_conf conf;
	uint8_t mem[OWN_GUESTS][OWN_MEM];
	uint64_t far;	     /* so far behind OWN_GUEST() guests lie */
	uint64_t clock, due; /* nanoseconds */
	bool line[OWN_GUESTS];
	struct dmm_report last;
	unsigned int reports;
	/* reads of guests' memory in [watch, +watch_len): how many */
	uint64_t watch, watch_len;
	unsigned int watched;

	/* the part */
	uint16_t rap, csr[128];
	uint64_t tx_base, rx_base;
	uint32_t tx_count, rx_count, tx_at, rx_at;
	bool idle;	     /* it does not look at its rings, whatever comes */
	unsigned int faults; /* DMA that is nobody's */
	unsigned int strange; /* writes that are to no register of it */
	unsigned int torn;    /* frames whose end it did not find */
	unsigned int sent;    /* frames, the last of which is */
	uint8_t frame[OWN_FRAME];
	size_t len;
};

void ownrig_open(struct ownrig *rig, unsigned int guests);
/* The same, shared (how), with the monitor's area anywhere: dmm_open()'s word. */
MUST_CHECK int ownrig_try(struct ownrig *rig, enum dmm_how how,
			  unsigned int guests, uint64_t area);
void ownrig_close(struct ownrig *rig);

/* An access of a guest to BAR 0. */
uint64_t ownrig_access(struct ownrig *rig, unsigned int g, uint64_t off,
		       unsigned int width, bool write, uint64_t value);
uint16_t ownrig_csr(struct ownrig *rig, unsigned int g, unsigned int n);
void ownrig_set(struct ownrig *rig, unsigned int g, unsigned int n,
		uint32_t value);
/* Two registers of 16 bits. */
void ownrig_set32(struct ownrig *rig, unsigned int g, unsigned int n,
		  uint32_t value);
void ownrig_style(struct ownrig *rig, unsigned int g, unsigned int style);

/* The part works off its ring; and interrupts, if it has a cause. */
void ownrig_work(struct ownrig *rig);
/* A frame from the wire. */
void ownrig_receive(struct ownrig *rig, const uint8_t *frame, size_t len);
/* Time goes on, and the monitor is called if it asked for it. */
void ownrig_wait(struct ownrig *rig, uint64_t ns);

#endif /* TESTS_OWNRIG_H */
