/* SPDX-License-Identifier: MIT */
/*
 * ringrig.h: guests of a monitor on a simulated card with descriptor rings, on
 * one thread: each with memory, a small driver, and a clock that the test
 * moves (or the real one).
 */

#ifndef TESTS_RINGRIG_H
#define TESTS_RINGRIG_H

#include "dmm/dmm.h"
#include "vmm/sim_rig.h"

#define RIG_GUESTS 8u
#define RIG_TX 0x1000u /* guest addresses: rings, */
#define RIG_RX 0x3000u
#define RIG_TXBUF 0x10000u /* buffers of 2 KiB each */
#define RIG_RXBUF 0x90000u
#define RIG_RING 64u

struct ringguest {
	uint32_t tail, rx_next; /* the driver's */
	uint64_t sent, received, bad;
	uint64_t expect[RIG_GUESTS]; /* next number from each */
};

struct ringrig {
	struct sim_rig sim;
	struct ringguest guest[RIG_GUESTS];
};

/* A card of (bps) bits a second, 0: no time at all; (conf)'s area is made. */
void ringrig_open(struct ringrig *rig, const struct dmm_conf *conf,
		  uint64_t bps, bool real_clock);
void ringrig_close(struct ringrig *rig);

/* The driver of guest (g): set up; send; take what came. */
void ringrig_start(struct ringrig *rig, unsigned int g);
void ringrig_write(struct ringrig *rig, unsigned int g, uint32_t reg,
		   uint32_t value);
uint32_t ringrig_read(struct ringrig *rig, unsigned int g, uint32_t reg);
/* Room in the ring for another descriptor? */
bool ringrig_room(struct ringrig *rig, unsigned int g);
/* Put a legacy descriptor for a frame at the tail; no doorbell. */
void ringrig_post(struct ringrig *rig, unsigned int g, const uint8_t to[6],
		  uint32_t number, size_t len);
/* A descriptor as it is; no doorbell. */
void ringrig_desc(struct ringrig *rig, unsigned int g, uint64_t low,
		  uint64_t high);
void ringrig_bell(struct ringrig *rig, unsigned int g);
/* Frames of ringrig_post() in the receive ring are counted and checked. */
void ringrig_take(struct ringrig *rig, unsigned int g);

/* Let the card work, and the monitor, for (ns). */
void ringrig_run(struct ringrig *rig, uint64_t ns);
/* So long the host is busy: the card works, and then tells of all at once. */
void ringrig_sleep(struct ringrig *rig, uint64_t ns);

#endif /* TESTS_RINGRIG_H */
