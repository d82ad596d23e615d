/* SPDX-License-Identifier: MIT */
/*
 * test_sim_ne2k.c: the simulated RTL8029AS against its data sheets, driven as
 * a driver drives it.
 */

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

static void rig_transmit(void *ctx, const uint8_t *frame, size_t len)
{
	struct rig *rig = ctx;

	assert_in_range(len, 0, SIM_FRAME_MAX);
	memcpy(rig->frame, frame, len);
	rig->len = len;
	rig->sent++;
}

static void rig_irq(void *ctx, bool level)
{
	struct rig *rig = ctx;

	assert_true(level != rig->level);
	rig->level = level;
	rig->edges++;
}

static uint64_t rig_now(void *ctx)
{
	return ((struct rig *)ctx)->now;
}

static void rig_arm(void *ctx, uint64_t at_ns)
{
	((struct rig *)ctx)->due = at_ns;
}

static const struct sim_host host = {
	.transmit = rig_transmit,
	.irq = rig_irq,
	.now = rig_now,
	.arm = rig_arm,
};

static uint8_t in(struct rig *rig, unsigned int off)
{
	return (uint8_t)sim_ne2k.read(rig->ne, 0, off, 1);
}

static void out(struct rig *rig, unsigned int off, unsigned int value)
{
	sim_ne2k.write(rig->ne, 0, off, 1, value);
}

/* A register of page (reg) >> 4, with the chip left in page 0, as it ran. */
static uint8_t get(struct rig *rig, unsigned int reg)
{
	uint8_t cr = in(rig, 0) & 0x23;
	uint8_t value;

	out(rig, 0, cr | (reg >> 4) << 6);
	value = in(rig, reg & 15);
	out(rig, 0, cr);
	return value;
}

static void set(struct rig *rig, unsigned int reg, unsigned int value)
{
	uint8_t cr = in(rig, 0) & 0x23;

	out(rig, 0, cr | (reg >> 4) << 6);
	out(rig, reg & 15, value);
	out(rig, 0, cr);
}

/* The hardware's turn, until it has nothing more to do. */
static void run(struct rig *rig)
{
	while (rig->due != SIM_NEVER) {
		if (rig->due > rig->now)
			rig->now = rig->due;
		rig->due = SIM_NEVER;
		sim_ne2k.run(rig->ne);
	}
}

static struct rig *power_on(const struct sim_conf *conf)
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
static void bring_up(struct rig *rig)
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

static int setup(void **state)
{
	struct rig *rig = power_on(NULL);

	bring_up(rig);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	free(rig->ne);
	free(rig);
	return 0;
}

static void remote(struct rig *rig, unsigned int addr, unsigned int len,
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

static void put(struct rig *rig, unsigned int addr, const uint8_t *from,
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

static void take(struct rig *rig, unsigned int addr, uint8_t *to,
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

static void fill(uint8_t *frame, size_t len, const uint8_t to[6])
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + len);
	memcpy(frame, to, 6);
	memcpy(frame + 6, other, 6);
}

/* A frame from the wire for (to). */
static void hear(struct rig *rig, const uint8_t to[6], size_t len)
{
	uint8_t frame[SIM_FRAME_MAX];

	fill(frame, len, to);
	sim_ne2k.receive(rig->ne, frame, len, 0);
}

static void transmit(struct rig *rig, unsigned int page, unsigned int len)
{
	out(rig, P0_TPSR, page);
	out(rig, P0_TBCR0, len & 0xff);
	out(rig, P0_TBCR1, len >> 8);
	out(rig, 0, START | CR_TXP);
}

static struct sim_stats stats(struct rig *rig)
{
	struct sim_stats stats;

	sim_ne2k.stats(rig->ne, &stats);
	return stats;
}

/* After power-on: NS chapter 11, "Reset"; RTL, identification. */
static void test_power_on(void **state)
{
	struct rig *rig = power_on(NULL);
	struct backend_info info;

	assert_int_equal(in(rig, 0), 0x21);
	assert_int_equal(in(rig, P0_ISR), ISR_RST);
	assert_int_equal(in(rig, P0_8029ID0), 0x50);
	assert_int_equal(in(rig, P0_8029ID1), 0x43);
	assert_int_equal(get(rig, P2_IMR) & 0x7f, 0);
	assert_int_equal(get(rig, P2_DCR) & DCR_LAS, DCR_LAS);
	assert_int_equal(get(rig, P2_TCR) & TCR_LB, 0);
	assert_int_equal(get(rig, P2_RCR) & 0xc0, 0xc0);
	assert_int_equal(get(rig, P3_8029ASID0), 0x29);
	assert_int_equal(get(rig, P3_8029ASID1), 0x80);
	assert_false(sim_ne2k.irq_level(rig->ne));

	sim_ne2k.info(&info);
	assert_int_equal(info.config[0] | info.config[1] << 8, 0x10ec);
	assert_int_equal(info.config[2] | info.config[3] << 8, 0x8029);
	assert_int_equal(info.config[11], 2);
	assert_int_equal(info.bar[0].space, BACKEND_IO);
	assert_int_equal(info.bar[0].size, 32);
	assert_true(info.intx);
	*state = rig;
	teardown(state);
}

static void test_init_refuses(void **state)
{
	struct sim_conf conf = { .ram = 0x10000 };
	struct ne2k *ne = calloc(1, sim_ne2k.size);

	(void)state;
	assert_int_equal(sim_ne2k.init(ne, &conf, &host, NULL), -EINVAL);
	conf.ram = 0x4001;
	assert_int_equal(sim_ne2k.init(ne, &conf, &host, NULL), -EINVAL);
	free(ne);
}

/* Each page keeps to itself, and CR is in all. */
static void test_pages(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(get(rig, P2_PSTART), PSTART);
	assert_int_equal(get(rig, P2_PSTOP), PSTOP);
	assert_int_equal(get(rig, P1_CURR), PSTART + 1);
	for (unsigned int i = 0; i < 8; i++)
		set(rig, P1_MAR0 + i, 0xa0 + i);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(get(rig, P1_MAR0 + i), 0xa0 + i);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(get(rig, P1_PAR0 + i), own[i]);
	assert_int_equal(in(rig, P0_BNRY), PSTART);
	for (unsigned int page = 0; page < 4; page++) {
		out(rig, 0, START | page << 6);
		assert_int_equal(in(rig, 0), START | page << 6);
	}
	/* Page 2 is for reading. */
	out(rig, 0, START | 2 << 6);
	out(rig, 1, 0x99);
	assert_int_equal(in(rig, 1), PSTART);
}

/* A wide access to registers is one to each byte. */
static void test_wide_registers(void **state)
{
	struct rig *rig = *state;

	sim_ne2k.write(rig->ne, 0, P0_PSTART, 2, 0x604c);
	assert_int_equal(get(rig, P2_PSTART), 0x4c);
	assert_int_equal(get(rig, P2_PSTOP), 0x60);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, P0_8029ID0, 2), 0x4350);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, 0, 4) & 0xff, START);
}

/* CONFIG2 and CONFIG3 open by 9346CR's mode: RTL. */
static void test_config(void **state)
{
	struct rig *rig = *state;

	set(rig, P3_CONFIG3, 0x04);
	assert_int_equal(get(rig, P3_CONFIG3), 0x40);
	set(rig, P3_9346CR, EEM_WRITE);
	set(rig, P3_CONFIG3, 0xff);
	assert_int_equal(get(rig, P3_CONFIG3), 0x46);
	set(rig, P3_CONFIG2, 0xff);
	assert_int_equal(get(rig, P3_CONFIG2), 0xe0);
	set(rig, P3_9346CR, EEM_NORMAL);
	set(rig, P3_CONFIG3, 0);
	assert_int_equal(get(rig, P3_CONFIG3), 0x46);
}

/* NE2000: each byte of the address twice, 'W' at the end; and it is a ROM. */
static void test_prom(void **state)
{
	struct rig *rig = *state;
	static const uint8_t evil[6] = { 1, 2, 3, 4, 5, 6 };
	uint8_t prom[32];

	take(rig, 0, prom, sizeof(prom));
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(prom[2 * i], own[i]);
		assert_int_equal(prom[2 * i + 1], own[i]);
	}
	for (unsigned int i = 28; i < 32; i++)
		assert_int_equal(prom[i], 0x57);
	put(rig, 0, evil, sizeof(evil));
	take(rig, 0, prom, 2);
	assert_int_equal(prom[0], own[0]);
}

/* NS chapter 9: bytes, words and double words by the port. */
static void test_remote_widths(void **state)
{
	struct rig *rig = *state;
	static const uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	unsigned int crda;

	put(rig, 0x4000, data, sizeof(data));

	/* WTS set: a word moves, whatever the access's width. */
	remote(rig, 0x4000, 8, CR_RD_READ);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, NE2K_DATA, 2), 0x0201);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, NE2K_DATA, 1), 0x03);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, NE2K_DATA, 4), 0x08070605);
	assert_true(in(rig, P0_ISR) & ISR_RDC);

	/* WTS clear: a byte. */
	out(rig, 0, START);
	out(rig, P0_DCR, DCR_LS | 0x40);
	remote(rig, 0x4000, 4, CR_RD_READ);
	assert_int_equal(in(rig, NE2K_DATA), 1);
	assert_int_equal(in(rig, NE2K_DATA + 7), 2); /* the same port */
	crda = in(rig, P0_CRDA0) | in(rig, P0_CRDA1) << 8;
	assert_int_equal(crda, 0x4002);
	assert_false(in(rig, P0_ISR) & ISR_RDC);
	assert_int_equal(in(rig, NE2K_DATA), 3);
	assert_int_equal(in(rig, NE2K_DATA), 4);
	assert_true(in(rig, P0_ISR) & ISR_RDC);

	remote(rig, 0x4100, 3, CR_RD_WRITE);
	out(rig, NE2K_DATA, 0xaa);
	out(rig, NE2K_DATA, 0xbb);
	assert_false(in(rig, P0_ISR) & ISR_RDC);
	out(rig, NE2K_DATA, 0xcc);
	assert_true(in(rig, P0_ISR) & ISR_RDC);
	assert_int_equal(ne2k_peek(rig->ne, 0x4102), 0xcc);
}

/* NS chapter 9: at PSTOP, back to PSTART. */
static void test_remote_wrap(void **state)
{
	struct rig *rig = *state;
	uint8_t got[8];

	for (unsigned int i = 0; i < 4; i++) {
		ne2k_poke(rig->ne, (uint16_t)(0x7ffc + i), (uint8_t)(0x10 + i));
		ne2k_poke(rig->ne, (uint16_t)(0x8000 + i), 0xee);
		ne2k_poke(rig->ne, (uint16_t)(0x4600 + i), (uint8_t)(0x20 + i));
	}
	take(rig, 0x7ffc, got, sizeof(got));
	assert_memory_equal(got, "\x10\x11\x12\x13\x20\x21\x22\x23", 8);
}

/* The memory ends where it ends: nothing there reads as ones. */
static void test_memory_map(void **state)
{
	struct sim_conf conf = { .ram = NE2K_RAM_RTL8029 };
	struct rig *rig;
	uint8_t byte[2] = { 0x12, 0x34 };

	rig = *state;
	put(rig, 0xbffe, byte, 2);
	assert_int_equal(ne2k_peek(rig->ne, 0xbfff), 0x34);
	assert_int_equal(ne2k_peek(rig->ne, 0xc000), 0xff);
	assert_int_equal(ne2k_peek(rig->ne, 0x20), 0xff);
	assert_int_equal(ne2k_peek(rig->ne, 0x3fff), 0xff);

	rig = power_on(&conf);
	bring_up(rig);
	put(rig, 0x7ffe, byte, 2);
	put(rig, 0x8000, byte, 2);
	assert_int_equal(ne2k_peek(rig->ne, 0x7fff), 0x34);
	assert_int_equal(ne2k_peek(rig->ne, 0x8000), 0xff);
	free(rig->ne);
	free(rig);
}

/* What a monitor must guard against: the part itself does not. */
static void test_remote_leaks(void **state)
{
	struct rig *rig = *state;
	static const uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	put(rig, 0x4000, data, sizeof(data));
	put(rig, 0x5000, data, sizeof(data));

	/* Reading goes on behind the counted end, writing does not. */
	remote(rig, 0x4000, 4, CR_RD_READ);
	sim_ne2k.read(rig->ne, 0, NE2K_DATA, 4);
	assert_true(in(rig, P0_ISR) & ISR_RDC);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, NE2K_DATA, 4), 0x08070605);
	remote(rig, 0x4000, 2, CR_RD_WRITE);
	sim_ne2k.write(rig->ne, 0, NE2K_DATA, 2, 0xbeef);
	sim_ne2k.write(rig->ne, 0, NE2K_DATA, 2, 0xdead);
	assert_int_equal(ne2k_peek(rig->ne, 0x4000), 0xef);
	assert_int_equal(ne2k_peek(rig->ne, 0x4002), 3);

	/* RSAR is obeyed in mid-transfer. */
	remote(rig, 0x4000, 8, CR_RD_READ);
	sim_ne2k.read(rig->ne, 0, NE2K_DATA, 2);
	out(rig, P0_RSAR0, 0x04);
	out(rig, P0_RSAR1, 0x50);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, NE2K_DATA, 2), 0x0605);

	/* No command at all. */
	out(rig, 0, START);
	out(rig, P0_RSAR0, 0x02);
	out(rig, P0_RSAR1, 0x50);
	assert_int_equal(sim_ne2k.read(rig->ne, 0, NE2K_DATA, 2), 0x0403);
}

/* Nothing to move completes at once, for both directions. */
static void test_remote_nothing(void **state)
{
	struct rig *rig = *state;

	remote(rig, 0x4000, 0, CR_RD_READ);
	assert_true(in(rig, P0_ISR) & ISR_RDC);
	remote(rig, 0x4000, 0, CR_RD_WRITE);
	assert_true(in(rig, P0_ISR) & ISR_RDC);
	remote(rig, 0x4000, 4, CR_RD_READ);
	out(rig, 0, START); /* aborted: no RDC */
	assert_false(in(rig, P0_ISR) & ISR_RDC);
}

/* NS chapter 9, "Send Packet Command": RD = 3 takes a packet off the ring. */
static void test_send_packet(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[60], got[64];
	unsigned int words = 0;

	out(rig, P0_BNRY, PSTART + 1); /* BNRY at the packet, as for method 1 */
	set(rig, P1_CURR, PSTART + 1);
	hear(rig, everyone, 60);
	out(rig, P0_RBCR1, 0x0f); /* note 1 */
	out(rig, 0, CR_STA | CR_RD_SEND);
	while (!(in(rig, P0_ISR) & ISR_RDC) && words < 100) {
		uint64_t word = sim_ne2k.read(rig->ne, 0, NE2K_DATA, 2);

		if (words < 32) {
			got[2 * words] = (uint8_t)word;
			got[2 * words + 1] = (uint8_t)(word >> 8);
		}
		words++;
	}
	assert_int_equal(words, 32); /* the count in the header: 64 bytes */
	fill(frame, sizeof(frame), everyone);
	assert_int_equal(got[1], PSTART + 2);
	assert_memory_equal(got + 4, frame, 60);
	assert_int_equal(in(rig, P0_BNRY), PSTART + 2);
}

/* NS chapter 8: asynchronous; TXP falls, PTX rises, the frame is the one. */
static void test_transmit(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[100];

	fill(frame, sizeof(frame), other);
	put(rig, TX_PAGE << 8, frame, sizeof(frame));
	out(rig, P0_IMR, ISR_PTX);
	transmit(rig, TX_PAGE, sizeof(frame));
	assert_true(in(rig, 0) & CR_TXP);
	assert_int_equal(in(rig, P0_TSR), 0);
	assert_false(in(rig, P0_ISR) & ISR_PTX);
	assert_int_equal(rig->sent, 0);
	out(rig, 0, START); /* TXP is not for the driver to clear */
	assert_true(in(rig, 0) & CR_TXP);

	rig->due = SIM_NEVER;
	sim_ne2k.run(rig->ne); /* the frame is out before TXP falls */
	assert_int_equal(rig->sent, 1);
	assert_true(in(rig, 0) & CR_TXP);
	assert_false(rig->level);
	run(rig);
	assert_false(in(rig, 0) & CR_TXP);
	assert_true(in(rig, P0_ISR) & ISR_PTX);
	assert_int_equal(in(rig, P0_TSR), TSR_PTX | TSR_ONE);
	assert_int_equal(in(rig, P0_NCR), 0);
	assert_true(rig->level);
	assert_int_equal(rig->sent, 1);
	assert_int_equal(rig->len, sizeof(frame));
	assert_memory_equal(rig->frame, frame, sizeof(frame));
	assert_int_equal(in(rig, P0_CLDA0) | in(rig, P0_CLDA1) << 8,
			 (TX_PAGE << 8) + 100);
	out(rig, P0_ISR, ISR_PTX);
	assert_false(rig->level);
	assert_int_equal(rig->edges, 2);
}

/* The chip sends what TBCR says: it does not pad, and reads memory late. */
static void test_transmit_raw(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[20];

	fill(frame, sizeof(frame), other);
	put(rig, TX_PAGE << 8, frame, sizeof(frame));
	transmit(rig, TX_PAGE, 20);
	out(rig, P0_TBCR0, 99); /* taken when TXP was written */
	out(rig, P0_TPSR, 0x50);
	ne2k_poke(rig->ne, (TX_PAGE << 8) + 19, 0x77);
	run(rig);
	assert_int_equal(rig->len, 20);
	assert_int_equal(rig->frame[19], 0x77);
	assert_memory_equal(rig->frame, frame, 19);

	/* A jabber and an empty frame complete, and nobody sees them. */
	transmit(rig, TX_PAGE, 0xffff);
	run(rig);
	transmit(rig, TX_PAGE, 0);
	run(rig);
	assert_int_equal(rig->sent, 1);
	assert_int_equal(stats(rig).spoiled, 2);
	assert_false(in(rig, 0) & CR_TXP);

	/* Beyond the memory there are ones. */
	transmit(rig, 0xbf, 512);
	run(rig);
	assert_int_equal(rig->len, 512);
	assert_int_equal(rig->frame[255], 0);
	assert_int_equal(rig->frame[256], 0xff);
}

/* A wire of 10 Mbit/s: preamble, frame, check sequence and gap take time. */
static void test_transmit_time(void **state)
{
	struct sim_conf conf = { .wire_bps = 10000000 };
	struct rig *rig = power_on(&conf);
	const uint64_t ns = (8 + 100 + 4 + 12) * 800;

	bring_up(rig);
	rig->now = 1000;
	transmit(rig, TX_PAGE, 100);
	assert_int_equal(rig->due, 1000 + ns);
	rig->now = 1000 + ns - 1;
	sim_ne2k.run(rig->ne); /* too early */
	assert_int_equal(rig->due, 1000 + ns);
	assert_true(in(rig, 0) & CR_TXP);
	assert_int_equal(rig->sent, 0);
	run(rig);
	assert_int_equal(rig->sent, 1);
	assert_false(in(rig, 0) & CR_TXP);
	*state = rig;
	teardown(state);
}

/* TCR.CRC: the driver makes the check sequence; a wrong one is for nobody. */
static void test_transmit_crc(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[64];
	uint32_t fcs;

	fill(frame, 60, other);
	fcs = ne2k_fcs(frame, 60);
	for (unsigned int i = 0; i < 4; i++)
		frame[60 + i] = (uint8_t)(fcs >> (8 * i));
	put(rig, TX_PAGE << 8, frame, 64);
	out(rig, P0_TCR, TCR_CRC);
	transmit(rig, TX_PAGE, 64);
	run(rig);
	assert_int_equal(rig->sent, 1);
	assert_int_equal(rig->len, 60);
	ne2k_poke(rig->ne, (TX_PAGE << 8) + 20, 0xaa);
	transmit(rig, TX_PAGE, 64);
	run(rig);
	assert_int_equal(rig->sent, 1);
	assert_int_equal(stats(rig).spoiled, 1);
	assert_true(in(rig, P0_ISR) & ISR_PTX);
}

/* NS 10.3, CR and ISR.RST: stopping waits for the frame on the wire. */
static void test_stop_while_sending(void **state)
{
	struct rig *rig = *state;

	transmit(rig, TX_PAGE, 60);
	out(rig, 0, STOP);
	assert_false(in(rig, P0_ISR) & ISR_RST);
	assert_true(in(rig, 0) & CR_TXP);
	run(rig);
	assert_int_equal(rig->sent, 1);
	assert_true(in(rig, P0_ISR) & ISR_RST);
	assert_false(in(rig, 0) & CR_TXP);

	/* Stopped, it neither sends nor hears. */
	out(rig, 0, STOP | CR_TXP);
	run(rig);
	assert_int_equal(rig->sent, 1);
	assert_false(in(rig, 0) & CR_TXP);
	hear(rig, everyone, 60);
	assert_int_equal(get(rig, P1_CURR), PSTART + 1);
	assert_int_equal(stats(rig).unheard, 1);
	out(rig, P0_ISR, 0xff); /* RST is not cleared by writing */
	assert_true(in(rig, P0_ISR) & ISR_RST);
	out(rig, 0, START);
	assert_false(in(rig, P0_ISR) & ISR_RST);
}

/* The reset port, read or written, in the midst of everything. */
static void test_reset_port(void **state)
{
	struct rig *rig = *state;
	uint8_t mark[2] = { 0xab, 0xcd };

	put(rig, 0x4800, mark, 2);
	out(rig, P0_IMR, 0x7f);
	transmit(rig, TX_PAGE, 60);
	hear(rig, everyone, 60);
	assert_true(rig->level);
	in(rig, 0x1f);
	assert_false(rig->level);
	assert_int_equal(in(rig, 0), 0x21);
	assert_true(in(rig, P0_ISR) & ISR_RST);
	run(rig);
	assert_int_equal(rig->sent, 0); /* cut off */
	assert_int_equal(get(rig, P2_IMR) & 0x7f, 0);
	assert_int_equal(ne2k_peek(rig->ne, 0x4801), 0xcd); /* kept */
	assert_int_equal(get(rig, P2_PSTOP), PSTOP);
	out(rig, 0, START);
	out(rig, 0x18, 0);
	assert_int_equal(in(rig, 0), 0x21);
}

/* NS chapter 7: a packet in the ring, its header, its check sequence. */
static void test_receive(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[300], got[308];
	uint32_t fcs;

	out(rig, P0_IMR, ISR_PRX);
	fill(frame, sizeof(frame), own);
	sim_ne2k.receive(rig->ne, frame, sizeof(frame), 0);
	assert_true(in(rig, P0_ISR) & ISR_PRX);
	assert_true(rig->level);
	assert_int_equal(in(rig, P0_RSR), RSR_PRX);
	assert_int_equal(get(rig, P1_CURR), PSTART + 3);
	take(rig, (PSTART + 1) << 8, got, sizeof(got));
	assert_int_equal(got[0], RSR_PRX);
	assert_int_equal(got[1], PSTART + 3);
	assert_int_equal(got[2] | got[3] << 8, 304);
	assert_memory_equal(got + 4, frame, sizeof(frame));
	fcs = ne2k_fcs(frame, sizeof(frame));
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(got[304 + i], fcs >> (8 * i) & 0xff);
	hear(rig, everyone, 60);
	assert_int_equal(in(rig, P0_RSR), RSR_PRX | RSR_PHY);
	assert_int_equal(stats(rig).received, 2);
}

/* The end of the ring: the packet goes on at PSTART, and so does its reader. */
static void test_receive_wrap(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[500], got[504];

	out(rig, P0_BNRY, PSTOP - 2);
	set(rig, P1_CURR, PSTOP - 1);
	fill(frame, sizeof(frame), own);
	sim_ne2k.receive(rig->ne, frame, sizeof(frame), 0);
	assert_int_equal(get(rig, P1_CURR), PSTART + 1);
	take(rig, (PSTOP - 1) << 8, got, sizeof(got));
	assert_int_equal(got[1], PSTART + 1);
	assert_memory_equal(got + 4, frame, sizeof(frame));
	assert_int_equal(ne2k_peek(rig->ne, PSTOP << 8), 0);
}

/* Until it is full; then the procedure of NS chapter 7. */
static void test_overflow(void **state)
{
	struct rig *rig = *state;
	unsigned int n = 0;
	uint8_t header[4];

	out(rig, P0_IMR, ISR_OVW);
	while (!(in(rig, P0_ISR) & ISR_OVW) && n < 100) {
		hear(rig, own, 60);
		n++;
	}
	/* Any start command would clear RST: look before CR is written. */
	assert_true(in(rig, P0_ISR) & ISR_RST);
	/* All pages but the boundary's and one. */
	assert_int_equal(n - 1, PSTOP - PSTART - 2);
	assert_int_equal(get(rig, P1_CURR), PSTOP - 1);
	assert_true(rig->level);
	assert_true(in(rig, P0_ISR) & ISR_RXE);
	assert_true(in(rig, P0_RSR) & RSR_MPA);
	assert_int_equal(in(rig, P0_CNTR2), 1);

	/* Room alone does not help. */
	out(rig, P0_BNRY, PSTART + 8);
	hear(rig, own, 60);
	assert_int_equal(in(rig, P0_CNTR2), 1);
	assert_int_equal(get(rig, P1_CURR), PSTOP - 1);

	out(rig, 0, STOP);
	assert_true(in(rig, P0_ISR) & ISR_RST);
	out(rig, P0_RBCR0, 0);
	out(rig, P0_RBCR1, 0);
	out(rig, P0_TCR, TCR_LB_NIC);
	out(rig, 0, START);
	take(rig, (PSTART + 1) << 8, header, 4);
	assert_int_equal(header[1], PSTART + 2);
	hear(rig, own, 60); /* looped back to itself: hears nothing */
	assert_int_equal(get(rig, P1_CURR), PSTOP - 1);
	out(rig, P0_ISR, ISR_OVW);
	assert_false(rig->level);
	out(rig, P0_TCR, 0);
	hear(rig, own, 60);
	assert_int_equal(get(rig, P1_CURR), PSTART);
	assert_int_equal(stats(rig).missed, 2);
}

/* Taking a packet off the ring clears the RST of an overflow: NS 10.3, ISR. */
static void test_overflow_rst(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < 100; i++)
		hear(rig, own, 60);
	assert_true(in(rig, P0_ISR) & ISR_RST);
	out(rig, P0_BNRY, PSTART + 1);
	assert_false(in(rig, P0_ISR) & ISR_RST);
}

/*
 * Neither start nor stop in a command changes nothing: Linux selects pages
 * so while frames come in.
 */
static void test_no_start_no_stop(void **state)
{
	struct rig *rig = *state;

	out(rig, 0, CR_RD2 | 0x40);
	out(rig, 0, CR_RD2);
	assert_int_equal(in(rig, 0), CR_RD2);
	hear(rig, own, 60);
	assert_true(in(rig, P0_ISR) & ISR_PRX);
	out(rig, 0, CR_RD2 | CR_TXP);
	assert_true(in(rig, 0) & CR_TXP);
	out(rig, 0, STOP);
	run(rig);
	out(rig, 0, CR_RD2);
	out(rig, P0_ISR, 0xff);
	hear(rig, own, 60);
	assert_int_equal(in(rig, P0_ISR), ISR_RST);
}

/* A long frame into little room: nothing unread is overwritten. */
static void test_overflow_keeps(void **state)
{
	struct rig *rig = *state;

	set(rig, P1_CURR, PSTART + 10);
	out(rig, P0_BNRY, PSTART + 12);
	for (unsigned int i = 0; i < 256; i++)
		ne2k_poke(rig->ne, (uint16_t)(((PSTART + 12) << 8) + i), 0x5a);
	hear(rig, own, 1514);
	assert_true(in(rig, P0_ISR) & ISR_OVW);
	assert_int_equal(get(rig, P1_CURR), PSTART + 10);
	for (unsigned int i = 0; i < 256; i++)
		assert_int_equal(
			ne2k_peek(rig->ne,
				  (uint16_t)(((PSTART + 12) << 8) + i)),
			0x5a);
}

/* Registers that make no ring: nothing breaks, CURR walks 8 bits. */
static void test_odd_rings(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < 256; i++) {
		out(rig, 0, STOP);
		out(rig, P0_PSTART, (i * 37) & 0xff);
		out(rig, P0_PSTOP, (i * 91) & 0xff);
		out(rig, P0_BNRY, (i * 11) & 0xff);
		set(rig, P1_CURR, i);
		out(rig, 0, START);
		hear(rig, own, SIM_FRAME_MAX);
		hear(rig, own, 60);
	}
	assert_int_equal(ne2k_peek(rig->ne, 0), own[0]);
}

static unsigned int heard(struct rig *rig, const uint8_t to[6])
{
	uint64_t before = stats(rig).received;

	out(rig, P0_BNRY, PSTART);
	set(rig, P1_CURR, PSTART + 1);
	hear(rig, to, 60);
	return (unsigned int)(stats(rig).received - before);
}

/* NS 10.3, RCR: who is heard. */
static void test_filter(void **state)
{
	struct rig *rig = *state;

	out(rig, P0_RCR, 0);
	assert_int_equal(heard(rig, own), 1);
	assert_int_equal(heard(rig, other), 0);
	assert_int_equal(heard(rig, everyone), 0);
	assert_int_equal(stats(rig).unheard, 2);
	out(rig, P0_RCR, RCR_AB);
	assert_int_equal(heard(rig, everyone), 1);
	assert_int_equal(heard(rig, group), 0);
	/* PRO is for physical addresses alone. */
	out(rig, P0_RCR, RCR_PRO);
	assert_int_equal(heard(rig, other), 1);
	assert_int_equal(heard(rig, everyone), 0);
	assert_int_equal(heard(rig, group), 0);
	/* By PAR, not by the PROM. */
	out(rig, P0_RCR, 0);
	for (unsigned int i = 0; i < 6; i++)
		set(rig, P1_PAR0 + i, other[i]);
	assert_int_equal(heard(rig, own), 0);
	assert_int_equal(heard(rig, other), 1);
}

/* The CRC register of NS 10.3 bit by bit, highest first: another way round. */
static unsigned int hash_by_sheet(const uint8_t mac[6])
{
	uint32_t crc = 0xffffffff;

	for (unsigned int i = 0; i < 48; i++) {
		uint32_t bit = (mac[i / 8] >> (i % 8)) & 1;
		uint32_t carry = crc >> 31 ^ bit;

		crc <<= 1;
		if (carry)
			crc ^= 0x04c11db7;
	}
	return crc >> 26;
}

static void test_multicast(void **state)
{
	struct rig *rig = *state;
	uint8_t mac[6] = { 0x01, 0x00, 0x5e };

	out(rig, P0_RCR, RCR_AM);
	for (unsigned int i = 0; i < 200; i++) {
		unsigned int hash;

		mac[4] = (uint8_t)(i * 53);
		mac[5] = (uint8_t)i;
		hash = hash_by_sheet(mac);
		assert_int_equal(ne2k_hash(mac), hash);
		for (unsigned int j = 0; j < 8; j++)
			set(rig, P1_MAR0 + j, 0);
		assert_int_equal(heard(rig, mac), 0);
		set(rig, P1_MAR0 + (hash >> 3), 1u << (hash & 7));
		assert_int_equal(heard(rig, mac), 1);
		set(rig, P1_MAR0 + (hash >> 3), ~(1u << (hash & 7)) & 0xff);
		assert_int_equal(heard(rig, mac), 0);
	}
	out(rig, P0_RCR, 0);
	for (unsigned int j = 0; j < 8; j++)
		set(rig, P1_MAR0 + j, 0xff);
	assert_int_equal(heard(rig, group), 0);
}

/* RCR.AR: less than 64 bytes with the check sequence is a runt. */
static void test_runts(void **state)
{
	struct rig *rig = *state;

	hear(rig, own, 59);
	assert_int_equal(get(rig, P1_CURR), PSTART + 1);
	out(rig, P0_RCR, RCR_AR);
	hear(rig, own, 59);
	assert_int_equal(get(rig, P1_CURR), PSTART + 2);
	assert_int_equal(ne2k_peek(rig->ne, ((PSTART + 1) << 8) + 2), 63);
	hear(rig, own, 6);
	assert_int_equal(get(rig, P1_CURR), PSTART + 3);
}

/* RCR.MON: counted, and not kept. */
static void test_monitor(void **state)
{
	struct rig *rig = *state;

	out(rig, P0_RCR, RCR_MON);
	assert_int_equal(in(rig, P0_RSR) & RSR_DIS, RSR_DIS);
	hear(rig, own, 60);
	hear(rig, other, 60);
	assert_int_equal(in(rig, P0_RSR), RSR_DIS | RSR_MPA);
	assert_int_equal(get(rig, P1_CURR), PSTART + 1);
	assert_false(in(rig, P0_ISR) & ISR_PRX);
	assert_int_equal(in(rig, P0_CNTR2), 1);
	out(rig, P0_RCR, 0);
	assert_int_equal(in(rig, P0_RSR) & RSR_DIS, 0);
}

/* NS 10.3, "Network Tally Counters": cleared by reading, CNT at 128. */
static void test_counters(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[60];

	fill(frame, sizeof(frame), own);
	out(rig, P0_IMR, ISR_CNT);
	for (unsigned int i = 0; i < 127; i++)
		sim_ne2k.receive(rig->ne, frame, sizeof(frame), SIM_BAD_CRC);
	assert_true(in(rig, P0_ISR) & ISR_RXE);
	assert_false(in(rig, P0_ISR) & ISR_CNT);
	assert_false(rig->level);
	assert_int_equal(in(rig, P0_RSR), RSR_CRC);
	sim_ne2k.receive(rig->ne, frame, sizeof(frame), SIM_BAD_CRC);
	assert_true(in(rig, P0_ISR) & ISR_CNT);
	assert_true(rig->level);
	for (unsigned int i = 0; i < 100; i++)
		sim_ne2k.receive(rig->ne, frame, sizeof(frame), SIM_BAD_CRC);
	assert_int_equal(in(rig, P0_CNTR1), 192);
	assert_int_equal(in(rig, P0_CNTR1), 0);
	assert_int_equal(in(rig, P0_CNTR0), 0);
	sim_ne2k.receive(rig->ne, frame, sizeof(frame), SIM_BAD_ALIGN);
	assert_int_equal(in(rig, P0_RSR), RSR_CRC | RSR_FAE);
	assert_int_equal(in(rig, P0_CNTR0), 1);
	assert_int_equal(get(rig, P1_CURR), PSTART + 1);

	/* SEP keeps them, with their errors in the header. */
	out(rig, P0_RCR, RCR_SEP);
	sim_ne2k.receive(rig->ne, frame, sizeof(frame), SIM_BAD_CRC);
	assert_int_equal(get(rig, P1_CURR), PSTART + 2);
	assert_int_equal(ne2k_peek(rig->ne, (PSTART + 1) << 8), RSR_CRC);
	assert_false(in(rig, P0_ISR) & ISR_PRX);
}

/* Bits are cleared by ones, one by one; the line is ISR & IMR. */
static void test_isr(void **state)
{
	struct rig *rig = *state;

	hear(rig, everyone, 60);
	transmit(rig, TX_PAGE, 60);
	run(rig);
	assert_int_equal(in(rig, P0_ISR), ISR_PRX | ISR_PTX);
	assert_false(rig->level);
	out(rig, P0_IMR, ISR_PRX | ISR_PTX);
	assert_true(rig->level);
	out(rig, P0_ISR, 0);
	assert_int_equal(in(rig, P0_ISR), ISR_PRX | ISR_PTX);
	out(rig, P0_ISR, ISR_PTX);
	assert_int_equal(in(rig, P0_ISR), ISR_PRX);
	assert_true(rig->level);
	out(rig, P0_IMR, ISR_PTX);
	assert_false(rig->level);
	out(rig, P0_IMR, ISR_PRX);
	assert_true(rig->level);
	assert_true(sim_ne2k.irq_level(rig->ne));
	sim_ne2k.reset(rig->ne);
	assert_false(rig->level);
	assert_int_equal(in(rig, P0_ISR), ISR_RST);
}

/* NS chapter 12 and AN-937 6.0: what each kind of loopback shows. */
static void test_loopback(void **state)
{
	struct rig *rig = *state;
	static const struct {
		uint8_t tcr, tsr;
		unsigned int sent;
	} modes[] = {
		{ TCR_LB_NIC, 0x53, 0 },
		{ TCR_LB_SNI, 0x43, 0 },
		{ TCR_LB_COAX, 0x03, 1 },
	};
	uint8_t frame[64];
	uint32_t fcs;

	fill(frame, sizeof(frame), own);
	fcs = ne2k_fcs(frame, 57);
	put(rig, TX_PAGE << 8, frame, 64);
	out(rig, P0_DCR, 0x40); /* bytes, LS clear */
	out(rig, P0_RCR, 0);
	for (unsigned int i = 0; i < ARRAY_LEN(modes); i++) {
		rig->sent = 0;
		out(rig, P0_ISR, 0xff);
		out(rig, P0_TCR, modes[i].tcr);
		transmit(rig, TX_PAGE, 57);
		run(rig);
		assert_int_equal(in(rig, P0_TSR), modes[i].tsr);
		assert_int_equal(in(rig, P0_RSR), RSR_CRC);
		assert_int_equal(in(rig, P0_ISR), ISR_PTX | ISR_RXE);
		assert_int_equal(rig->sent, modes[i].sent);
		/* 7 * 8 + 5 bytes came in: NS 12, FIFO alignment. */
		assert_int_equal(in(rig, P0_FIFO), frame[56]);
		for (unsigned int j = 0; j < 4; j++)
			assert_int_equal(in(rig, P0_FIFO),
					 fcs >> (8 * j) & 0xff);
		assert_int_equal(in(rig, P0_FIFO), 61);
		assert_int_equal(in(rig, P0_FIFO), 0);
		assert_int_equal(in(rig, P0_FIFO), 0);
	}
	assert_int_equal(get(rig, P1_CURR), PSTART + 1);

	/* Not our address: no error is looked for. */
	out(rig, P0_ISR, 0xff);
	ne2k_poke(rig->ne, (TX_PAGE << 8) + 5, 0x01);
	out(rig, P0_TCR, TCR_LB_NIC);
	transmit(rig, TX_PAGE, 57);
	run(rig);
	assert_int_equal(in(rig, P0_RSR), RSR_PRX);
	assert_int_equal(in(rig, P0_ISR), ISR_PTX);
}

/* A check sequence of the driver's own is checked in loopback. */
static void test_loopback_crc(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[64];
	uint32_t fcs;

	fill(frame, 60, own);
	fcs = ne2k_fcs(frame, 60);
	for (unsigned int i = 0; i < 4; i++)
		frame[60 + i] = (uint8_t)(fcs >> (8 * i));
	put(rig, TX_PAGE << 8, frame, 64);
	out(rig, P0_DCR, 0x40);
	out(rig, P0_TCR, TCR_LB_NIC | TCR_CRC);
	transmit(rig, TX_PAGE, 64);
	run(rig);
	assert_int_equal(in(rig, P0_RSR), RSR_PRX);
	ne2k_poke(rig->ne, (TX_PAGE << 8) + 30, 0);
	transmit(rig, TX_PAGE, 64);
	run(rig);
	assert_int_equal(in(rig, P0_RSR), RSR_CRC);
	assert_int_equal(rig->sent, 0);
}

/* Equal calls, equal answers, whatever the calls are. */
static void test_anything(void **state)
{
	struct rig *a = *state;
	struct rig *b = power_on(NULL);
	uint32_t x = 12345;

	bring_up(b);
	for (unsigned int i = 0; i < 200000; i++) {
		unsigned int off, width;

		x = x * 1664525 + 1013904223;
		off = x >> 8 & 31;
		width = 1u << (x >> 14 & 3);
		if (off + width > NE2K_PORTS)
			continue;
		/* Seldom a reset, for it ends everything. */
		if (off >= NE2K_RESET && x >> 28)
			continue;
		if (x >> 16 & 1) {
			sim_ne2k.write(a->ne, 0, off, width, x >> 3);
			sim_ne2k.write(b->ne, 0, off, width, x >> 3);
		} else {
			assert_int_equal(sim_ne2k.read(a->ne, 0, off, width),
					 sim_ne2k.read(b->ne, 0, off, width));
		}
		if (i % 7 == 0) {
			hear(a, i % 2 ? everyone : own, x >> 20 & 2047);
			hear(b, i % 2 ? everyone : own, x >> 20 & 2047);
		}
		if (i % 5 == 0) {
			run(a);
			run(b);
		}
		assert_int_equal(a->level, b->level);
		assert_int_equal(a->level, sim_ne2k.irq_level(a->ne));
	}
	assert_int_equal(a->sent, b->sent);
	assert_memory_equal(a->ne->ram, b->ne->ram, sizeof(a->ne->ram));
	free(b->ne);
	free(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_on),
		cmocka_unit_test(test_init_refuses),
		TEST(test_pages),
		TEST(test_wide_registers),
		TEST(test_config),
		TEST(test_prom),
		TEST(test_remote_widths),
		TEST(test_remote_wrap),
		TEST(test_memory_map),
		TEST(test_remote_leaks),
		TEST(test_remote_nothing),
		TEST(test_send_packet),
		TEST(test_transmit),
		TEST(test_transmit_raw),
		cmocka_unit_test(test_transmit_time),
		TEST(test_transmit_crc),
		TEST(test_stop_while_sending),
		TEST(test_reset_port),
		TEST(test_receive),
		TEST(test_receive_wrap),
		TEST(test_overflow),
		TEST(test_overflow_keeps),
		TEST(test_overflow_rst),
		TEST(test_no_start_no_stop),
		TEST(test_odd_rings),
		TEST(test_filter),
		TEST(test_multicast),
		TEST(test_runts),
		TEST(test_monitor),
		TEST(test_counters),
		TEST(test_isr),
		TEST(test_loopback),
		TEST(test_loopback_crc),
		TEST(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
