/* SPDX-License-Identifier: MIT */
/*
 * test_sim_ne2k.c: the simulated RTL8029AS against its data sheets:
 * registers, memory, remote DMA, causes.
 */

#include "test_sim_ne2k.h"

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
		TEST(test_isr),
		TEST(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
