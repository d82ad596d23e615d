/* SPDX-License-Identifier: MIT */
/*
 * test_sim_ne2k_rx.c: the simulated RTL8029AS receives.
 */

#include "test_sim_ne2k.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_receive),	 TEST(test_receive_wrap),
		TEST(test_overflow),	 TEST(test_overflow_keeps),
		TEST(test_overflow_rst), TEST(test_no_start_no_stop),
		TEST(test_odd_rings),	 TEST(test_filter),
		TEST(test_multicast),	 TEST(test_runts),
		TEST(test_monitor),	 TEST(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
