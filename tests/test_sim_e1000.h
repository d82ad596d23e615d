/* SPDX-License-Identifier: MIT */
/*
 * test_sim_e1000.h: a simulated 82540EM on a table, with memory that it can
 * reach and a wire, and what a driver does to it; for test_sim_e1000*.c.
 */

#ifndef TESTS_TEST_SIM_E1000_H
#define TESTS_TEST_SIM_E1000_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/sim_e1000.h"

#define BASE UINT64_C(0x1fff80000) /* memory crosses 2^33 */
#define SIZE 0x200000u
#define TXRING 0x00000u
#define RXRING 0x08000u
#define BUFS 0x10000u /* transmit; receive from here on: */
#define RXBUFS 0x100000u
#define RXBUF 0x4000u
#define RING 32u /* descriptors, unless a test says otherwise */
#define SENT_MAX 512

static const uint8_t own[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t other[6] = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x99 };
static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x12, 0x34, 0x56 };

struct sent {
	size_t len;
	uint8_t *data;
};

struct rig {
	struct e1000 *e;
	struct sim_conf conf;
	uint8_t *mem;
	uint64_t now, due;
	bool level;
	unsigned int edges, faults, reads, writes, runs;
	unsigned int most; /* frames of one run() */
	unsigned int burst;
	unsigned int sent;
	struct sent frame[SENT_MAX];
	uint32_t tail, rtail;
};

static inline void rig_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct rig *rig = ctx;
	struct sent *sent = &rig->frame[rig->sent % SENT_MAX];

	assert_in_range(len, 14, SIM_FRAME_MAX);
	free(sent->data);
	sent->data = malloc(len);
	assert_non_null(sent->data);
	memcpy(sent->data, frame, len);
	sent->len = len;
	rig->sent++;
	rig->burst++;
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

static inline int rig_read(void *ctx, uint64_t addr, void *to, size_t len)
{
	struct rig *rig = ctx;

	if (!cc_within(addr, len, BASE, SIZE)) {
		rig->faults++;
		return -EFAULT;
	}
	rig->reads++;
	memcpy(to, rig->mem + (addr - BASE), len);
	return 0;
}

static inline int rig_write(void *ctx, uint64_t addr, const void *from,
			    size_t len)
{
	struct rig *rig = ctx;

	if (!cc_within(addr, len, BASE, SIZE)) {
		rig->faults++;
		return -EFAULT;
	}
	rig->writes++;
	memcpy(rig->mem + (addr - BASE), from, len);
	return 0;
}

static const struct sim_host host = {
	.transmit = rig_transmit,
	.irq = rig_irq,
	.now = rig_now,
	.arm = rig_arm,
	.dma_read = rig_read,
	.dma_write = rig_write,
};

static inline uint32_t rd(struct rig *rig, unsigned int reg)
{
	return (uint32_t)sim_e1000.read(rig->e, 0, reg, 4);
}

static inline void wr(struct rig *rig, unsigned int reg, uint32_t value)
{
	sim_e1000.write(rig->e, 0, reg, 4, value);
}

/* The hardware's turn, until it has nothing more to do. */
static inline void run(struct rig *rig)
{
	unsigned int n = 0;

	while (rig->due != SIM_NEVER) {
		if (rig->due > rig->now)
			rig->now = rig->due;
		rig->due = SIM_NEVER;
		rig->burst = 0;
		sim_e1000.run(rig->e);
		rig->runs++;
		if (rig->burst > rig->most)
			rig->most = rig->burst;
		assert_true(++n < 100000);
	}
}

static inline struct rig *power_on(const struct sim_conf *conf)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->e = calloc(1, sim_e1000.size);
	rig->mem = calloc(1, SIZE);
	assert_non_null(rig->e);
	assert_non_null(rig->mem);
	rig->due = SIM_NEVER;
	if (conf)
		rig->conf = *conf;
	memcpy(rig->conf.mac, own, sizeof(own));
	assert_int_equal(sim_e1000.init(rig->e, &rig->conf, &host, rig), 0);
	return rig;
}

static inline void power_off(struct rig *rig)
{
	for (unsigned int i = 0; i < SENT_MAX; i++)
		free(rig->frame[i].data);
	free(rig->mem);
	free(rig->e);
	free(rig);
}

static inline uint8_t *txd(struct rig *rig, uint32_t i)
{
	return rig->mem + TXRING + i * DESC_LEN;
}

static inline uint8_t *rxd(struct rig *rig, uint32_t i)
{
	return rig->mem + RXRING + i * DESC_LEN;
}

static inline void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static inline void rings(struct rig *rig, uint32_t tx, uint32_t rx)
{
	wr(rig, R_TDBAL, (uint32_t)(BASE + TXRING));
	wr(rig, R_TDBAH, (uint32_t)((BASE + TXRING) >> 32));
	wr(rig, R_TDLEN, tx * DESC_LEN);
	wr(rig, R_TDH, 0);
	wr(rig, R_TDT, 0);
	wr(rig, R_RDBAL, (uint32_t)(BASE + RXRING));
	wr(rig, R_RDBAH, (uint32_t)((BASE + RXRING) >> 32));
	wr(rig, R_RDLEN, rx * DESC_LEN);
	wr(rig, R_RDH, 0);
	wr(rig, R_RDT, 0);
	rig->tail = rig->rtail = 0;
}

/* As a driver does: SDM 14.3 to 14.5. */
static inline void bring_up(struct rig *rig)
{
	sim_e1000.bus_master(rig->e, true);
	wr(rig, R_CTRL, CTRL_RST);
	wr(rig, R_CTRL, CTRL_SLU | CTRL_ASDE | CTRL_FD);
	rings(rig, RING, RING);
	for (uint32_t i = 0; i < RING; i++)
		put64(rxd(rig, i), BASE + RXBUFS + i * RXBUF);
	wr(rig, R_RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
	wr(rig, R_TCTL, TCTL_EN | TCTL_PSP | 0x0f << 4 | 0x40 << 12);
	run(rig);
	rig->runs = 0;
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
	power_off(*state);
	return 0;
}

/* A descriptor into the ring; the tail is told by go(). */
static inline void post(struct rig *rig, uint64_t first, uint64_t second)
{
	uint8_t *desc = txd(rig, rig->tail);

	put64(desc, first);
	put64(desc + 8, second);
	rig->tail = (rig->tail + 1) % (rd(rig, R_TDLEN) / DESC_LEN);
}

static inline void go(struct rig *rig)
{
	wr(rig, R_TDT, rig->tail);
	run(rig);
}

/* (cmd) as in the descriptor's second eight bytes, bits 24 and up. */
static inline void legacy(struct rig *rig, uint32_t at, uint32_t len,
			  uint32_t cmd)
{
	post(rig, BASE + at, len | cmd);
}

static inline void data(struct rig *rig, uint32_t at, uint32_t len,
			uint32_t cmd, unsigned int popts)
{
	post(rig, BASE + at,
	     len | TXD_DEXT | TXD_DTYP_DATA | cmd | (uint64_t)popts << 40);
}

static inline void context(struct rig *rig, const struct e1000_context *ctx,
			   uint32_t cmd)
{
	uint64_t first =
		ctx->ipcss | (uint64_t)ctx->ipcso << 8 |
		(uint64_t)ctx->ipcse << 16 | (uint64_t)ctx->tucss << 32 |
		(uint64_t)ctx->tucso << 40 | (uint64_t)ctx->tucse << 48;
	uint64_t second = ctx->paylen | TXD_DEXT | cmd |
			  (uint64_t)ctx->hdrlen << 40 |
			  (uint64_t)ctx->mss << 48;

	if (ctx->tcp)
		second |= TUCMD_TCP;
	if (ctx->ip4)
		second |= TUCMD_IP;
	post(rig, first, second);
}

static inline void fill(uint8_t *frame, size_t len, const uint8_t to[6])
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + len);
	memcpy(frame, to, 6);
	memcpy(frame + 6, other, 6);
	if (len >= 14) {
		frame[12] = 0x88;
		frame[13] = 0xb5;
	}
}

/* (n) more receive descriptors. */
static inline void give(struct rig *rig, uint32_t n)
{
	rig->rtail = (rig->rtail + n) % (rd(rig, R_RDLEN) / DESC_LEN);
	wr(rig, R_RDT, rig->rtail);
	run(rig);
}

static inline void hear(struct rig *rig, const uint8_t *frame, size_t len)
{
	sim_e1000.receive(rig->e, frame, len, 0);
	run(rig);
}

static inline struct sim_stats stats(struct rig *rig)
{
	struct sim_stats stats;

	sim_e1000.stats(rig->e, &stats);
	return stats;
}

static inline const struct sent *last(struct rig *rig)
{
	assert_true(rig->sent > 0);
	return &rig->frame[(rig->sent - 1) % SENT_MAX];
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* TESTS_TEST_SIM_E1000_H */
