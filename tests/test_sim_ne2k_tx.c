/* SPDX-License-Identifier: MIT */
/*
 * test_sim_ne2k_tx.c: the simulated RTL8029AS sends, or loops back.
 */

#include "test_sim_ne2k.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_transmit),
		TEST(test_transmit_raw),
		cmocka_unit_test(test_transmit_time),
		TEST(test_transmit_crc),
		TEST(test_stop_while_sending),
		TEST(test_reset_port),
		TEST(test_loopback),
		TEST(test_loopback_crc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
