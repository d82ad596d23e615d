/* SPDX-License-Identifier: MIT */
/*
 * test_sim_e1000_tx.c: the simulated 82540EM sends: its transmit ring, and
 * what it does to frames, against Intel's manual and a plain reference.
 */

#include "test_sim_e1000.h"

#define WHOLE (TXD_EOP | TXD_IFCS)

static void expect(struct rig *rig, const uint8_t *frame, size_t len)
{
	assert_int_equal(last(rig)->len, len);
	assert_memory_equal(last(rig)->data, frame, len);
}

/* Legacy: SDM 3.3.3; DD and TXDW for RS: 3.3.3.2; TXQE: 13.4.17. */
static void test_legacy(void **state)
{
	struct rig *rig = *state;

	fill(rig->mem + BUFS, 100, other);
	rd(rig, R_ICR);
	wr(rig, R_IMS, ICR_TXDW);
	legacy(rig, BUFS, 100, WHOLE);
	go(rig);
	expect(rig, rig->mem + BUFS, 100);
	assert_int_equal(rd(rig, R_TDH), 1);
	assert_int_equal(txd(rig, 0)[TXD_STA], 0);
	assert_int_equal(rd(rig, R_ICR), ICR_TXQE);
	legacy(rig, BUFS, 100, WHOLE | TXD_RS);
	go(rig);
	assert_int_equal(txd(rig, 1)[TXD_STA], TXD_DD);
	assert_true(rig->level);
	assert_int_equal(rd(rig, R_ICR), ICR_TXQE | ICR_TXDW);
	assert_int_equal(stats(rig).sent, 2);
}

/* Many descriptors a frame, around the ring's end. */
static void test_gather(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[300];

	fill(frame, sizeof(frame), other);
	memcpy(rig->mem + BUFS, frame, sizeof(frame));
	for (unsigned int n = 0; n < 30; n++) {
		legacy(rig, BUFS, 14, TXD_RS);
		legacy(rig, BUFS + 14, 1, 0);
		legacy(rig, BUFS + 15, 200, 0);
		legacy(rig, BUFS + 215, 85, WHOLE | TXD_RS);
		go(rig);
		assert_int_equal(rig->sent, n + 1);
		expect(rig, frame, sizeof(frame));
		assert_int_equal(rd(rig, R_TDH), rig->tail);
	}
}

/* A null address or no length: nothing moves, DD is set: SDM 3.3.3. */
static void test_null(void **state)
{
	struct rig *rig = *state;

	fill(rig->mem + BUFS, 60, other);
	post(rig, 0, 500 | TXD_RS);
	legacy(rig, BUFS, 0, TXD_RS);
	legacy(rig, BUFS, 60, WHOLE | TXD_RS);
	post(rig, 0, 60 | WHOLE | TXD_RS);
	go(rig);
	assert_int_equal(rig->sent, 1);
	expect(rig, rig->mem + BUFS, 60);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(txd(rig, i)[TXD_STA], TXD_DD);
}

/* TCTL.PSP, and IFCS, whose check sequence is the driver's: 13.4.33, 3.3.3. */
static void test_short(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[64] = { 0 };
	uint32_t fcs;

	fill(frame, 40, other);
	memcpy(rig->mem + BUFS, frame, 40);
	legacy(rig, BUFS, 40, WHOLE);
	go(rig);
	expect(rig, frame, 60);
	wr(rig, R_TCTL, TCTL_EN);
	legacy(rig, BUFS, 40, WHOLE);
	go(rig);
	expect(rig, frame, 40);
	fcs = e1000_fcs(rig->e, frame, 60);
	memcpy(frame + 60, &fcs, 4);
	memcpy(rig->mem + BUFS, frame, 64);
	legacy(rig, BUFS, 64, TXD_EOP);
	go(rig);
	expect(rig, frame, 60);
	rig->mem[BUFS + 63] ^= 1;
	legacy(rig, BUFS, 64, TXD_EOP);
	legacy(rig, BUFS, 3, TXD_EOP);
	legacy(rig, BUFS, 13, WHOLE);
	go(rig);
	assert_int_equal(rig->sent, 3);
	assert_int_equal(stats(rig).spoiled, 3);
}

/* Disabled, nothing is sent; enabled, what waits is: SDM 13.4.33. */
static void test_enable(void **state)
{
	struct rig *rig = *state;

	wr(rig, R_TCTL, 0);
	fill(rig->mem + BUFS, 60, other);
	legacy(rig, BUFS, 60, WHOLE);
	go(rig);
	assert_int_equal(rig->sent, 0);
	assert_int_equal(rd(rig, R_TDH), 0);
	wr(rig, R_TCTL, TCTL_EN);
	run(rig);
	assert_int_equal(rig->sent, 1);
}

/* Work is in pieces: descriptors, and frames of one descriptor. */
static void test_bounded(void **state)
{
	struct e1000_context tso = { .hdrlen = 14, .mss = 20, .paylen = 4000 };
	struct rig *rig = *state;

	rings(rig, 256, RING);
	fill(rig->mem + BUFS, 60, other);
	for (unsigned int i = 0; i < 250; i++)
		legacy(rig, BUFS, 60, WHOLE);
	go(rig);
	assert_int_equal(rig->sent, 250);
	assert_int_equal(rig->most, SIM_BURST);
	assert_int_equal(rig->runs, 4);
	rig->runs = 0;
	context(rig, &tso, TXD_TSE);
	data(rig, BUFS, 4014, WHOLE | TXD_TSE | TXD_RS, 0);
	go(rig);
	assert_int_equal(rig->sent, 450);
	assert_int_equal(rig->most, SIM_BURST);
	assert_int_equal(rig->runs, 4);
	assert_int_equal(rd(rig, R_TSCTC), 1);
}

/* At a wire's speed a frame takes its time. */
static void test_speed(void **state)
{
	struct sim_conf conf = { .wire_bps = 10000000 };
	struct rig *rig = power_on(&conf);

	(void)state;
	bring_up(rig);
	fill(rig->mem + BUFS, 1514, other);
	for (unsigned int i = 0; i < 5; i++)
		legacy(rig, BUFS, 1514, WHOLE);
	go(rig);
	assert_int_equal(rig->sent, 5);
	assert_true(rig->now == 4 * UINT64_C(1538) * 800);
	power_off(rig);
}

/* What the driver did not map: zeros go out, DD is set, TDH moves. */
static void test_faults(void **state)
{
	struct rig *rig = *state;
	uint8_t zeros[100] = { 0 };

	post(rig, BASE + SIZE - 50, 100 | WHOLE | TXD_RS);
	go(rig);
	expect(rig, zeros, 100);
	assert_int_equal(txd(rig, 0)[TXD_STA], TXD_DD);
	assert_int_equal(rig->faults, 1);
	/* The ring itself: null descriptors, and no word of it. */
	wr(rig, R_TDBAH, 0);
	wr(rig, R_TDT, 5);
	run(rig);
	assert_int_equal(rd(rig, R_TDH), 5);
	assert_int_equal(rig->faults, 5);
	assert_int_equal(rig->sent, 1);
	/* Around 2^64. */
	wr(rig, R_TDBAH, 0xffffffff);
	wr(rig, R_TDBAL, 0xfffffff0);
	wr(rig, R_TDT, 8);
	run(rig);
	assert_int_equal(rd(rig, R_TDH), 8);
}

/* Bus mastering off: no DMA at all, and TDH moves. */
static void test_no_master(void **state)
{
	struct rig *rig = *state;
	unsigned int reads = rig->reads, writes = rig->writes;

	sim_e1000.bus_master(rig->e, false);
	fill(rig->mem + BUFS, 60, other);
	legacy(rig, BUFS, 60, WHOLE | TXD_RS);
	go(rig);
	assert_int_equal(rd(rig, R_TDH), 1);
	assert_int_equal(rig->sent, 0);
	assert_int_equal(txd(rig, 0)[TXD_STA], 0);
	assert_int_equal(rig->reads + rig->writes, reads + writes);
	assert_int_equal(rig->faults, 0);
}

/* Bytes without EOP stay, over CTRL.RST, and lead the next frame. */
static void test_leftover(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[100];

	fill(frame, sizeof(frame), other);
	memcpy(rig->mem + BUFS, frame, sizeof(frame));
	legacy(rig, BUFS, 40, TXD_RS);
	go(rig);
	assert_int_equal(rd(rig, R_TDH), 1);
	assert_int_equal(txd(rig, 0)[TXD_STA], TXD_DD);
	assert_int_equal(rig->sent, 0);
	bring_up(rig);
	legacy(rig, BUFS + 40, 60, WHOLE);
	go(rig);
	expect(rig, frame, sizeof(frame));
	/* After power-on it is gone. */
	legacy(rig, BUFS, 40, 0);
	go(rig);
	sim_e1000.reset(rig->e);
	bring_up(rig);
	legacy(rig, BUFS, 60, WHOLE);
	go(rig);
	expect(rig, frame, 60);
}

/* More than any frame has: lost, and nothing else is. */
static void test_too_long(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 0; i < 12; i++)
		legacy(rig, BUFS, 16288, 0);
	legacy(rig, BUFS, 16288, WHOLE);
	go(rig);
	assert_int_equal(rig->sent, 0);
	assert_int_equal(stats(rig).spoiled, 1);
	fill(rig->mem + BUFS, SIM_FRAME_MAX, other);
	legacy(rig, BUFS, SIM_FRAME_MAX, WHOLE);
	go(rig);
	expect(rig, rig->mem + BUFS, SIM_FRAME_MAX);
}

/* A tail that the ring does not have: once around for each doorbell. */
static void test_wild_tail(void **state)
{
	struct rig *rig = *state;

	wr(rig, R_TDT, RING + 3);
	run(rig);
	assert_int_equal(rd(rig, R_TDH), 0);
	assert_int_equal(rig->reads, RING);
	wr(rig, R_TDLEN, 0);
	wr(rig, R_TDT, 3);
	run(rig);
	assert_int_equal(rig->reads, RING + 1);
	wr(rig, R_TDLEN, 128);
	wr(rig, R_TDH, 0xffff);
	wr(rig, R_TDT, 1);
	run(rig);
	assert_int_equal(rd(rig, R_TDH), 1);
}

/* TXD_LOW: SDM 13.4.43. */
static void test_low(void **state)
{
	struct rig *rig = *state;

	wr(rig, R_TXDCTL, 1u << 25);
	fill(rig->mem + BUFS, 60, other);
	for (unsigned int i = 0; i < 7; i++)
		legacy(rig, BUFS, 60, WHOLE);
	go(rig);
	assert_false(rd(rig, R_ICR) & ICR_TXD_LOW);
	for (unsigned int i = 0; i < 28; i++)
		legacy(rig, BUFS, 60, WHOLE);
	go(rig);
	assert_true(rd(rig, R_ICR) & ICR_TXD_LOW);
}

/* A tag: SDM 9.2, tables 9-1 and 9-2. */
static void test_vlan(void **state)
{
	struct rig *rig = *state;
	uint8_t want[104];

	fill(rig->mem + BUFS, 100, other);
	memcpy(want, rig->mem + BUFS, 12);
	memcpy(want + 12, "\x81\x00\x61\x23", 4);
	memcpy(want + 16, rig->mem + BUFS + 12, 88);
	post(rig, BASE + BUFS, 100 | WHOLE | TXD_VLE | UINT64_C(0x6123) << 48);
	go(rig);
	expect(rig, rig->mem + BUFS, 100); /* VME is off */
	wr(rig, R_CTRL, CTRL_SLU | CTRL_VME);
	post(rig, BASE + BUFS, 100 | WHOLE | TXD_VLE | UINT64_C(0x6123) << 48);
	go(rig);
	expect(rig, want, 104);
	/* VLE counts with EOP alone. */
	post(rig, BASE + BUFS, 40 | TXD_VLE | UINT64_C(0x6123) << 48);
	legacy(rig, BUFS + 40, 60, WHOLE);
	go(rig);
	expect(rig, rig->mem + BUFS, 100);
	wr(rig, R_VET, 0x88a8);
	want[12] = 0x88;
	want[13] = 0xa8;
	legacy(rig, BUFS, 40, 0);
	post(rig, BASE + BUFS + 40,
	     60 | WHOLE | TXD_VLE | UINT64_C(0x6123) << 48);
	go(rig);
	expect(rig, want, 104);
}

/* Loopback in the PHY and the MAC: SDM 13.4.22, 13.4.7.1. */
static void test_loopback(void **state)
{
	struct rig *rig = *state;

	give(rig, 8);
	fill(rig->mem + BUFS, 100, own);
	wr(rig, R_MDIC, MDIC_WRITE | 1u << 21 | 0x1140 | PCTRL_LOOPBACK);
	legacy(rig, BUFS, 100, WHOLE);
	go(rig);
	assert_int_equal(rig->sent, 0);
	assert_memory_equal(rig->mem + RXBUFS, rig->mem + BUFS, 100);
	assert_int_equal(rd(rig, R_RDH), 1);
	hear(rig, rig->mem + BUFS, 100);
	assert_int_equal(rd(rig, R_RDH), 1);
	assert_int_equal(stats(rig).unheard, 1);
	wr(rig, R_MDIC, MDIC_WRITE | 1u << 21 | 0x1140);
	wr(rig, R_RCTL, rd(rig, R_RCTL) | RCTL_LBM);
	legacy(rig, BUFS, 100, WHOLE);
	go(rig);
	assert_int_equal(rd(rig, R_RDH), 2);
	assert_int_equal(rig->sent, 0);
}

/* SDM 13.7: sizes are with the check sequence. */
static void test_counters(void **state)
{
	static const uint16_t lens[] = { 60,  61,  123,	 124,  251, 252,
					 507, 508, 1019, 1020, 1514 };
	static const uint8_t bins[] = { 1, 2, 2, 2, 2, 2 };
	struct rig *rig = *state;
	uint32_t total = 0;

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		fill(rig->mem + BUFS, lens[i],
		     i == 0 ? everyone : (i < 3 ? group : other));
		legacy(rig, BUFS, lens[i], WHOLE);
		go(rig);
		total += lens[i] + 4u;
	}
	for (size_t i = 0; i < ARRAY_LEN(bins); i++)
		assert_int_equal(rd(rig, R_PTC64 + 4 * (unsigned int)i),
				 bins[i]);
	assert_int_equal(rd(rig, R_TPT), ARRAY_LEN(lens));
	assert_int_equal(rd(rig, R_GPTC), ARRAY_LEN(lens));
	assert_int_equal(rd(rig, R_BPTC), 1);
	assert_int_equal(rd(rig, R_MPTC), 2);
	assert_int_equal(rd(rig, R_TOTL), total);
	assert_int_equal(rd(rig, R_GOTCL), total);
}

/* The packet buffer holds what was sent: SDM 13.8. */
static void test_packet_buffer(void **state)
{
	struct rig *rig = *state;
	uint32_t at = rd(rig, R_TDFT) * 8;
	uint32_t word;

	assert_int_equal(at, 0x30 * 1024);
	fill(rig->mem + BUFS, 100, other);
	legacy(rig, BUFS, 100, WHOLE);
	go(rig);
	for (unsigned int i = 0; i < 100; i += 4) {
		memcpy(&word, rig->mem + BUFS + i, 4);
		assert_int_equal(rd(rig, R_PBM + at + i), word);
	}
	assert_int_equal(rd(rig, R_TDFT) * 8, at + 104);
	/* Around its end, and from anywhere that is written. */
	wr(rig, R_TDFT, (E1000_PBM_SIZE - 64) / 8);
	legacy(rig, BUFS, 100, WHOLE);
	go(rig);
	assert_int_equal(rd(rig, R_PBM + E1000_PBM_SIZE - 64),
			 e1000_le32(rig->mem + BUFS));
	assert_int_equal(rd(rig, R_PBM + at), e1000_le32(rig->mem + BUFS + 64));
	for (unsigned int i = 0; i < 200; i++) {
		legacy(rig, BUFS, 1514, WHOLE);
		wr(rig, R_TDFT, i * 97);
		go(rig);
	}
}

/*
 * Random frames in random pieces, rings and batches.
 */

static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void random_frame(struct rig *rig, uint32_t at, uint32_t len)
{
	bool is_data = rnd(2);

	while (len) {
		uint32_t n = rnd(3) ? len : 1 + rnd(len);
		uint32_t cmd = n == len ? WHOLE : 0;

		cmd |= rnd(2) ? TXD_RS : 0;
		if (is_data)
			data(rig, at, n, cmd, 0);
		else
			legacy(rig, at, n, cmd);
		at += n;
		len -= n;
	}
}

static void test_random(void **state)
{
	struct rig *rig = *state;

	for (seed = 1; seed < 60; seed++) {
		uint32_t keep = seed, count = 8 * (1 + rnd(20));
		unsigned int first = rig->sent, frames = 0;
		uint32_t len[100];

		rings(rig, count, RING);
		while (frames < 100) {
			uint32_t at = BUFS + 2048 * frames;

			/* At most one ring less one a batch. */
			len[frames] = 60 + rnd(1400);
			fill(rig->mem + at, len[frames], other);
			if (count < 32 || rnd(4)) {
				legacy(rig, at, len[frames], WHOLE | TXD_RS);
				go(rig);
			} else {
				random_frame(rig, at, len[frames]);
				go(rig);
			}
			frames++;
		}
		assert_int_equal(rig->sent, first + frames);
		assert_int_equal(rd(rig, R_TDH), rig->tail);
		for (unsigned int i = 0; i < frames; i++) {
			const struct sent *sent =
				&rig->frame[(first + i) % SENT_MAX];

			assert_int_equal(sent->len, len[i]);
			assert_memory_equal(sent->data,
					    rig->mem + BUFS + 2048 * i, len[i]);
		}
		seed = keep;
	}
}

/* Rings of noise: nothing but the sanitizers and the bounds look. */
static void test_noise(void **state)
{
	struct rig *rig = *state;

	seed = 7;
	for (unsigned int i = 0; i < 3000; i++) {
		for (unsigned int j = 0; j < RING; j++) {
			uint64_t second = (uint64_t)rnd(1u << 24) << 40 |
					  (uint64_t)rnd(1u << 24) << 20 |
					  rnd(1u << 20);

			if (rnd(2))
				second = (second & ~UINT64_C(0xff000)) |
					 (rnd(2) ? TXD_EOP : 0);
			put64(txd(rig, j),
			      rnd(2) ? rnd(SIZE) + BASE : rnd(1u << 24));
			put64(txd(rig, j) + 8, second);
		}
		wr(rig, R_TDT, rnd(RING + 2));
		if (!rnd(50))
			wr(rig, R_CTRL,
			   rnd(2) ? CTRL_SLU : CTRL_VME | CTRL_SLU);
		for (unsigned int j = 0; j < 8 && rig->due != SIM_NEVER; j++) {
			rig->due = SIM_NEVER;
			sim_e1000.run(rig->e);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_legacy),
		TEST(test_gather),
		TEST(test_null),
		TEST(test_short),
		TEST(test_enable),
		TEST(test_bounded),
		cmocka_unit_test(test_speed),
		TEST(test_faults),
		TEST(test_no_master),
		TEST(test_leftover),
		TEST(test_too_long),
		TEST(test_wild_tail),
		TEST(test_low),
		TEST(test_vlan),
		TEST(test_loopback),
		TEST(test_counters),
		TEST(test_packet_buffer),
		TEST(test_random),
		TEST(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
