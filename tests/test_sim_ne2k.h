/* SPDX-License-Identifier: MIT */
/*
 * test_sim_ne2k.h: a simulated RTL8029AS on a table, and what a driver does to
 * it; for test_sim_ne2k*.c.
 */

#ifndef TESTS_TEST_SIM_NE2K_H
#define TESTS_TEST_SIM_NE2K_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/sim_ne2k.h"

#define TX_PAGE 0x40
#define PSTART 0x46
#define PSTOP 0x80

#define START (CR_RD2 | CR_STA)
#define STOP (CR_RD2 | CR_STP)

static const uint8_t own[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t other[6] = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x99 };
static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 };

/* A card on a table, and the instruments around it. */
struct rig {
	struct ne2k *ne;
	struct sim_conf conf;
	uint64_t now, due;
	bool level;
	unsigned int edges; /* changes of (level) */
	unsigned int sent;
	size_t len; /* of the frame sent last */
	uint8_t frame[SIM_FRAME_MAX];
};

static inline void rig_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct rig *rig = ctx;

	assert_in_range(len, 0, SIM_FRAME_MAX);
	memcpy(rig->frame, frame, len);
	rig->len = len;
	rig->sent++;
}

static inline void rig_irq(void *ctx, bool level)
{
	struct rig *rig = ctx;

	assert_true(level != rig->level);
	rig->level = level;
	rig->edges++;
}

static inline uint64_t rig_now(void *ctx)
{
	return ((struct rig *)ctx)->now;
}

static inline void rig_arm(void *ctx, uint64_t at_ns)
{
	((struct rig *)ctx)->due = at_ns;
}

static const struct sim_host host = {
	.transmit = rig_transmit,
	.irq = rig_irq,
	.now = rig_now,
	.arm = rig_arm,
};

static inline uint8_t in(struct rig *rig, unsigned int off)
{
	return (uint8_t)sim_ne2k.read(rig->ne, 0, off, 1);
}

static inline void out(struct rig *rig, unsigned int off, unsigned int value)
{
	sim_ne2k.write(rig->ne, 0, off, 1, value);
}

/* A register of page (reg) >> 4, with the chip left in page 0, as it ran. */
static inline uint8_t get(struct rig *rig, unsigned int reg)
{
	uint8_t cr = in(rig, 0) & 0x23;
	uint8_t value;

	out(rig, 0, cr | (reg >> 4) << 6);
	value = in(rig, reg & 15);
	out(rig, 0, cr);
	return value;
}

static inline void set(struct rig *rig, unsigned int reg, unsigned int value)
{
	uint8_t cr = in(rig, 0) & 0x23;

	out(rig, 0, cr | (reg >> 4) << 6);
	out(rig, reg & 15, value);
	out(rig, 0, cr);
}

/* The hardware's turn, until it has nothing more to do. */
static inline void run(struct rig *rig)
{
	while (rig->due != SIM_NEVER) {
		if (rig->due > rig->now)
			rig->now = rig->due;
		rig->due = SIM_NEVER;
		sim_ne2k.run(rig->ne);
	}
}

static inline struct rig *power_on(const struct sim_conf *conf)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->ne = calloc(1, sim_ne2k.size);
	assert_non_null(rig->ne);
	rig->due = SIM_NEVER;
	if (conf)
		rig->conf = *conf;
	memcpy(rig->conf.mac, own, sizeof(own));
	assert_int_equal(sim_ne2k.init(rig->ne, &rig->conf, &host, rig), 0);
	return rig;
}

/* As a driver sets it up: NS chapter 11, "Initialization Procedures". */
static inline void bring_up(struct rig *rig)
{
	out(rig, 0, STOP);
	out(rig, P0_DCR, DCR_LS | 0x40 | DCR_WTS);
	out(rig, P0_RBCR0, 0);
	out(rig, P0_RBCR1, 0);
	out(rig, P0_RCR, RCR_AB);
	out(rig, P0_TCR, TCR_LB_NIC);
	out(rig, P0_PSTART, PSTART);
	out(rig, P0_PSTOP, PSTOP);
	out(rig, P0_BNRY, PSTART);
	out(rig, P0_ISR, 0xff);
	out(rig, P0_IMR, 0);
	for (unsigned int i = 0; i < 6; i++)
		set(rig, P1_PAR0 + i, own[i]);
	set(rig, P1_CURR, PSTART + 1);
	out(rig, 0, START);
	out(rig, P0_TCR, 0);
}

static inline int setup(void **state)
{
	struct rig *rig = power_on(NULL);

	bring_up(rig);
	*state = rig;
	return 0;
}

static inline int teardown(void **state)
{
	struct rig *rig = *state;

	free(rig->ne);
	free(rig);
	return 0;
}

static inline void remote(struct rig *rig, unsigned int addr, unsigned int len,
			  unsigned int rd)
{
	out(rig, 0, START);
	out(rig, P0_ISR, ISR_RDC);
	out(rig, P0_RBCR0, len & 0xff);
	out(rig, P0_RBCR1, len >> 8);
	out(rig, P0_RSAR0, addr & 0xff);
	out(rig, P0_RSAR1, addr >> 8);
	out(rig, 0, CR_STA | rd);
}

static inline void put(struct rig *rig, unsigned int addr, const uint8_t *from,
		       unsigned int len)
{
	remote(rig, addr, len, CR_RD_WRITE);
	for (unsigned int i = 0; i < len; i += 2)
		sim_ne2k.write(rig->ne, 0, NE2K_DATA, 2,
			       (uint64_t)(from[i] | from[i + 1] << 8));
	assert_true(in(rig, P0_ISR) & ISR_RDC);
	out(rig, P0_ISR, ISR_RDC);
	out(rig, 0, START);
}

static inline void take(struct rig *rig, unsigned int addr, uint8_t *to,
			unsigned int len)
{
	remote(rig, addr, len, CR_RD_READ);
	for (unsigned int i = 0; i < len; i += 2) {
		uint64_t word = sim_ne2k.read(rig->ne, 0, NE2K_DATA, 2);

		to[i] = (uint8_t)word;
		to[i + 1] = (uint8_t)(word >> 8);
	}
	assert_true(in(rig, P0_ISR) & ISR_RDC);
	out(rig, P0_ISR, ISR_RDC);
	out(rig, 0, START);
}

static inline void fill(uint8_t *frame, size_t len, const uint8_t to[6])
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + len);
	memcpy(frame, to, 6);
	memcpy(frame + 6, other, 6);
}

/* A frame from the wire for (to). */
static inline void hear(struct rig *rig, const uint8_t to[6], size_t len)
{
	uint8_t frame[SIM_FRAME_MAX];

	fill(frame, len, to);
	sim_ne2k.receive(rig->ne, frame, len, 0);
}

static inline void transmit(struct rig *rig, unsigned int page,
			    unsigned int len)
{
	out(rig, P0_TPSR, page);
	out(rig, P0_TBCR0, len & 0xff);
	out(rig, P0_TBCR1, len >> 8);
	out(rig, 0, START | CR_TXP);
}

static inline struct sim_stats stats(struct rig *rig)
{
	struct sim_stats stats;

	sim_ne2k.stats(rig->ne, &stats);
	return stats;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* TESTS_TEST_SIM_NE2K_H */
