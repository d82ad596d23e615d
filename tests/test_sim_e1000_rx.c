/* SPDX-License-Identifier: MIT */
/*
 * test_sim_e1000_rx.c: the simulated 82540EM receives: its filters, its FIFO,
 * its ring and what it tells of a frame, against Intel's manual.
 */

#include "test_sim_e1000.h"

static uint8_t *buf(struct rig *rig, uint32_t i)
{
	return rig->mem + RXBUFS + i * RXBUF;
}

static unsigned int rxlen(struct rig *rig, uint32_t i)
{
	return e1000_le16(rxd(rig, i) + 8);
}

static unsigned int status(struct rig *rig, uint32_t i)
{
	return rxd(rig, i)[RXD_STATUS];
}

static unsigned int errors(struct rig *rig, uint32_t i)
{
	return rxd(rig, i)[13];
}

static void rctl(struct rig *rig, uint32_t value)
{
	wr(rig, R_RCTL, RCTL_EN | value);
	run(rig);
}

/* A descriptor and what becomes of it: SDM 3.2.3; RXT0: 3.2.7. */
static void test_one(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[100];

	fill(frame, sizeof(frame), own);
	give(rig, 31);
	rd(rig, R_ICR);
	wr(rig, R_IMS, ICR_RXT0);
	memset(rxd(rig, 0) + 8, 0xee, 8);
	hear(rig, frame, sizeof(frame));
	assert_memory_equal(buf(rig, 0), frame, sizeof(frame));
	assert_int_equal(buf(rig, 0)[100], 0);
	assert_int_equal(rxlen(rig, 0), 100);
	assert_int_equal(status(rig, 0), RXD_DD | RXD_EOP | RXD_IXSM);
	assert_int_equal(errors(rig, 0), 0);
	assert_int_equal(e1000_le16(rxd(rig, 0) + 14), 0);
	assert_int_equal(rd(rig, R_RDH), 1);
	assert_true(rig->level);
	assert_int_equal(rd(rig, R_ICR), ICR_RXT0);
	assert_int_equal(stats(rig).received, 1);
	/* Not stripped, its check sequence comes, too: SDM 13.4.22, SECRC. */
	rctl(rig, RCTL_BAM);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rxlen(rig, 1), 104);
	assert_int_equal(e1000_le32(buf(rig, 1) + 100),
			 e1000_fcs(rig->e, frame, 100));
	/* Off: not heard. */
	wr(rig, R_RCTL, RCTL_BAM);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 2);
	assert_int_equal(stats(rig).unheard, 1);
	assert_int_equal(rd(rig, R_TPR), 2);
}

/* Buffers: SDM 3.2.2, 13.4.22; a frame in several: 3.2.3. */
static void test_sizes(void **state)
{
	static const struct {
		uint32_t rctl, size;
	} sizes[] = {
		{ 0, 2048 },
		{ 1u << 16, 1024 },
		{ 2u << 16, 512 },
		{ 3u << 16, 256 },
		{ RCTL_BSEX | 1u << 16, 16384 },
		{ RCTL_BSEX | 2u << 16, 8192 },
		{ RCTL_BSEX | 3u << 16, 4096 },
	};
	struct rig *rig = *state;
	uint8_t frame[9000];

	fill(frame, sizeof(frame), own);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint32_t size = sizes[i].size, left = 9000, n = 0;

		rings(rig, RING, 64);
		for (uint32_t j = 0; j < 64; j++) {
			put64(rxd(rig, j), BASE + RXBUFS + j * RXBUF);
			put64(rxd(rig, j) + 8, 0);
		}
		rctl(rig, RCTL_LPE | RCTL_SECRC | sizes[i].rctl);
		give(rig, 63);
		hear(rig, frame, sizeof(frame));
		for (; left; n++) {
			uint32_t part = left < size ? left : size;

			assert_int_equal(rxlen(rig, n), part);
			assert_memory_equal(buf(rig, n), frame + 9000 - left,
					    part);
			left -= part;
			assert_int_equal(status(rig, n) & (RXD_EOP | RXD_DD),
					 left ? RXD_DD : RXD_EOP | RXD_DD);
		}
		assert_int_equal(rd(rig, R_RDH), n);
	}
}

/* As RCTL says when the frame comes, not when the buffer was given. */
static void test_grown(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[9000];

	fill(frame, sizeof(frame), own);
	rctl(rig, 3u << 16);
	give(rig, 4);
	rctl(rig, RCTL_LPE | RCTL_BSEX | 1u << 16);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 1);
	assert_int_equal(rxlen(rig, 0), 9004);
	assert_memory_equal(buf(rig, 0), frame, sizeof(frame));
}

/* A null address takes nothing and is given back: SDM 3.2.4. */
static void test_null(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[60];

	fill(frame, sizeof(frame), own);
	put64(rxd(rig, 0), 0);
	give(rig, 4);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 2);
	assert_int_equal(status(rig, 0), RXD_DD);
	assert_int_equal(rxlen(rig, 0), 0);
	assert_memory_equal(buf(rig, 1), frame, sizeof(frame));
}

/* Frames wait in the FIFO for descriptors; RNBC, MPC, RXO: SDM 13.7. */
static void test_fifo(void **state)
{
	struct rig *rig = *state;
	unsigned int room = 0x30 * 1024 / (1504 + 16);
	uint8_t frame[1500];

	fill(frame, sizeof(frame), own);
	rd(rig, R_ICR);
	for (unsigned int i = 0; i < room + 3; i++) {
		frame[20] = (uint8_t)i;
		hear(rig, frame, sizeof(frame));
	}
	assert_int_equal(rd(rig, R_RDH), 0);
	assert_int_equal(rd(rig, R_RNBC), room);
	assert_int_equal(rd(rig, R_MPC), 3);
	assert_int_equal(stats(rig).missed, 3);
	assert_int_equal(rd(rig, R_ICR), ICR_RXO);
	assert_int_equal(rd(rig, R_RDFPC), room);
	assert_int_equal(rd(rig, R_GPRC), room);
	/* Off, they stay; without a bus master, too. */
	wr(rig, R_RCTL, 0);
	give(rig, 31);
	assert_int_equal(rd(rig, R_RDH), 0);
	sim_e1000.bus_master(rig->e, false);
	rctl(rig, RCTL_SECRC);
	assert_int_equal(rd(rig, R_RDH), 0);
	sim_e1000.bus_master(rig->e, true);
	run(rig);
	assert_int_equal(rd(rig, R_RDH), 31);
	for (uint32_t i = 0; i < 31; i++)
		assert_int_equal(buf(rig, i)[20], i);
	assert_int_equal(rd(rig, R_RDFPC), room - 31);
	/* CTRL.RST flushes it; the bytes are still to be seen. */
	assert_int_equal(rd(rig, R_PBM), e1000_le32(frame));
	bring_up(rig);
	give(rig, 31);
	assert_int_equal(rd(rig, R_RDH), 0);
	assert_int_equal(rd(rig, R_RDFPC), 0);
	assert_int_equal(rd(rig, R_PBM), e1000_le32(frame));
}

/* A frame of which one half has descriptors. */
static void test_half(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[1000];

	fill(frame, sizeof(frame), own);
	rctl(rig, 3u << 16 | RCTL_SECRC);
	give(rig, 2);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 2);
	assert_int_equal(stats(rig).received, 0);
	give(rig, 2);
	assert_int_equal(stats(rig).received, 1);
	assert_int_equal(rxlen(rig, 3), 1000 - 3 * 256);
	assert_memory_equal(buf(rig, 3), frame + 768, 232);
	assert_int_equal(status(rig, 3) & RXD_EOP, RXD_EOP);
}

/* RDFH written in between is obeyed, within the FIFO: SDM 13.8.1. */
static void test_fifo_pointers(void **state)
{
	struct rig *rig = *state;
	uint8_t a[100], b[100];

	fill(a, sizeof(a), own);
	fill(b, sizeof(b), own);
	memset(a + 14, 0xaa, 80);
	hear(rig, a, sizeof(a));
	hear(rig, b, sizeof(b));
	assert_int_equal(rd(rig, R_RDFT), 26);
	wr(rig, R_RDFH, 13);
	give(rig, 1);
	assert_memory_equal(buf(rig, 0), b, sizeof(b));
	wr(rig, R_RDFH, 0x1fff);
	wr(rig, R_RDFT, 0x1fff);
	give(rig, 1);
	hear(rig, a, sizeof(a));
	give(rig, 1);
	assert_int_equal(rd(rig, R_RDH), 3);
}

/* SDM 13.4.22, RDMTS. */
static void test_threshold(void **state)
{
	struct rig *rig = *state;

	for (unsigned int rdmts = 0; rdmts < 3; rdmts++) {
		uint32_t left = 31;

		rings(rig, RING, RING);
		rctl(rig, rdmts << RCTL_RDMTS_AT | RCTL_SECRC);
		give(rig, 31);
		rd(rig, R_ICR);
		do {
			uint8_t frame[60];

			fill(frame, sizeof(frame), own);
			hear(rig, frame, sizeof(frame));
			left--;
		} while (!(rd(rig, R_ICR) & ICR_RXDMT0));
		assert_int_equal(left, 16u >> rdmts);
	}
}

/* SDM 13.4.32. */
static void test_small(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[200];

	wr(rig, R_RSRPD, 100);
	give(rig, 8);
	fill(frame, sizeof(frame), own);
	hear(rig, frame, 200);
	assert_false(rd(rig, R_ICR) & ICR_SRPD);
	hear(rig, frame, 80);
	assert_true(rd(rig, R_ICR) & ICR_SRPD);
}

/* What cannot be written is lost, RDH moves, and nothing else is touched. */
static void test_faults(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[100];

	fill(frame, sizeof(frame), own);
	put64(rxd(rig, 0), BASE + SIZE - 50);
	put64(rxd(rig, 1), UINT64_MAX - 10);
	give(rig, 8);
	hear(rig, frame, sizeof(frame));
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rig->faults, 2);
	assert_int_equal(rd(rig, R_RDH), 2);
	assert_int_equal(status(rig, 0) & RXD_DD, RXD_DD);
	assert_int_equal(rig->mem[SIZE - 50], 0);
	wr(rig, R_RDBAH, 0);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 8);
	assert_int_equal(stats(rig).received, 2);
	assert_int_equal(rd(rig, R_RDFPC), 1);
}

/* A tail beyond the ring: the frame is missed after a turn. */
static void test_wild_tail(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[60];

	fill(frame, sizeof(frame), own);
	for (uint32_t i = 0; i < RING; i++)
		put64(rxd(rig, i), 0);
	wr(rig, R_RDT, RING + 5);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_MPC), 1);
	assert_true(rd(rig, R_ICR) & ICR_RXO);
	assert_int_equal(rd(rig, R_RDH), 0);
	wr(rig, R_RDLEN, 0);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDH), 0);
	wr(rig, R_RDLEN, 128);
	wr(rig, R_RDH, 0xffff);
	hear(rig, frame, sizeof(frame));
	assert_int_equal(rd(rig, R_RDFPC), 0);
}

/* Bad frames: SDM 3.2.3.2, 13.4.22 (SBP, LPE), 13.7. */
static void test_bad(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[2000];

	fill(frame, sizeof(frame), own);
	give(rig, 20);
	sim_e1000.receive(rig->e, frame, 100, SIM_BAD_CRC);
	sim_e1000.receive(rig->e, frame, 100, SIM_BAD_ALIGN);
	hear(rig, frame, 59);
	hear(rig, frame, 1519);
	hear(rig, frame, 13);
	assert_int_equal(rd(rig, R_RDH), 0);
	assert_int_equal(rd(rig, R_CRCERRS), 1);
	assert_int_equal(rd(rig, R_ALGNERRC), 1);
	assert_int_equal(rd(rig, R_RUC), 1);
	assert_int_equal(rd(rig, R_ROC), 1);
	assert_int_equal(rd(rig, R_TPR), 5);
	assert_int_equal(rd(rig, R_GPRC), 0);
	hear(rig, frame, 1518);
	assert_int_equal(rd(rig, R_RDH), 1);
	rctl(rig, RCTL_SBP);
	sim_e1000.receive(rig->e, frame, 100, SIM_BAD_CRC);
	assert_int_equal(errors(rig, 1), RXE_CE);
	assert_int_equal(e1000_le32(buf(rig, 1) + 100),
			 ~e1000_fcs(rig->e, frame, 100));
	hear(rig, frame, 40);
	assert_int_equal(rxlen(rig, 2), 44);
	rctl(rig, RCTL_LPE);
	hear(rig, frame, 2000);
	assert_int_equal(rd(rig, R_RDH), 4);
}

/* TPR and TORL: all; the others: what passed: SDM 13.7. */
static void test_counters(void **state)
{
	static const uint16_t lens[] = { 60, 61, 124, 252, 508, 1020, 1514 };
	struct rig *rig = *state;
	uint32_t all = 0, good = 0;
	uint8_t frame[1514];

	give(rig, 31);
	rctl(rig, RCTL_MPE | RCTL_BAM);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		fill(frame, lens[i], i == 0 ? everyone : i == 1 ? group : own);
		hear(rig, frame, lens[i]);
		good += lens[i] + 4u;
		all += lens[i] + 4u;
	}
	fill(frame, 60, other);
	hear(rig, frame, 60);
	all += 64;
	assert_int_equal(rd(rig, R_TPR), ARRAY_LEN(lens) + 1);
	assert_int_equal(rd(rig, R_TORL), all);
	assert_int_equal(rd(rig, R_GPRC), ARRAY_LEN(lens));
	assert_int_equal(rd(rig, R_GORCL), good);
	assert_int_equal(rd(rig, R_BPRC), 1);
	assert_int_equal(rd(rig, R_MPRC), 1);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(rd(rig, R_PRC64 + 4 * i), i == 1 ? 1 :
							   i == 5 ? 2 :
								    1);
	assert_int_equal(stats(rig).unheard, 1);
}

/* PAUSE: SDM 8.7; PMCF and DPF: 13.4.22. */
static void test_pause(void **state)
{
	struct rig *rig = *state;
	uint8_t frame[60] = { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x01 };

	memcpy(frame + 6, other, 6);
	memcpy(frame + 12, "\x88\x08\x00\x01\x00\x10", 6);
	wr(rig, R_FCAL, 0x00c28001);
	wr(rig, R_FCAH, 0x0100);
	wr(rig, R_FCT, 0x8808);
	give(rig, 8);
	rctl(rig, RCTL_MPE);
	hear(rig, frame, 60);
	assert_int_equal(rd(rig, R_FCRUC), 1);
	assert_int_equal(rd(rig, R_RDH), 1);
	wr(rig, R_CTRL, CTRL_SLU | CTRL_RFCE);
	hear(rig, frame, 60);
	assert_int_equal(rd(rig, R_RDH), 1);
	assert_int_equal(rd(rig, R_XOFFRXC), 1);
	frame[5] = 2; /* another group's: no PAUSE */
	hear(rig, frame, 60);
	assert_int_equal(rd(rig, R_RDH), 2);
	frame[5] = 1;
	frame[17] = 0;
	rctl(rig, RCTL_MPE | RCTL_PMCF);
	hear(rig, frame, 60);
	assert_int_equal(rd(rig, R_RDH), 3);
	assert_int_equal(rd(rig, R_XONRXC), 1);
	memcpy(frame, own, 6);
	hear(rig, frame, 60);
	assert_int_equal(rd(rig, R_RDH), 4);
	rctl(rig, RCTL_DPF);
	hear(rig, frame, 60);
	assert_int_equal(rd(rig, R_RDH), 4);
}

/*
 * Random frames, rings, buffers and batches: all arrives, in order.
 */

static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* What the ring gave back, put together. */
struct reader {
	uint32_t ring, at, len;
	uint8_t frame[2048];
};

/* One descriptor, if it is done; true if it ends a frame. */
static bool step(struct rig *rig, struct reader *reader)
{
	uint32_t at = reader->at;

	if (!(status(rig, at) & RXD_DD))
		return false;
	memcpy(reader->frame + reader->len, buf(rig, at), rxlen(rig, at));
	reader->len += rxlen(rig, at);
	reader->at = (at + 1) % reader->ring;
	wr(rig, R_RDT, (reader->at + reader->ring - 1) % reader->ring);
	if (status(rig, at) & RXD_EOP) {
		rxd(rig, at)[RXD_STATUS] = 0;
		return true;
	}
	rxd(rig, at)[RXD_STATUS] = 0;
	return false;
}

static void round_of(struct rig *rig, uint32_t ring)
{
	static uint8_t frames[64][1514];
	struct reader reader = { .ring = ring };
	unsigned int n = 0, read = 0, turns = 0;
	uint32_t lens[64];

	rings(rig, RING, ring);
	for (uint32_t i = 0; i < ring; i++) {
		put64(rxd(rig, i), BASE + RXBUFS + i * RXBUF);
		put64(rxd(rig, i) + 8, 0);
	}
	rctl(rig, rnd(4) << 16 | RCTL_SECRC);
	wr(rig, R_RDT, ring - 1);
	while (read < 64) {
		assert_true(++turns < 10000);
		if (n < 64 && n - read < 20 && rnd(2)) {
			lens[n] = 60 + rnd(1455);
			fill(frames[n], lens[n], own);
			frames[n][14] = (uint8_t)n;
			hear(rig, frames[n], lens[n]);
			n++;
		}
		for (uint32_t i = rnd(4); i; i--) {
			if (!step(rig, &reader))
				continue;
			assert_int_equal(reader.len, lens[read]);
			assert_memory_equal(reader.frame, frames[read],
					    reader.len);
			reader.len = 0;
			read++;
		}
		run(rig);
	}
	assert_int_equal(rd(rig, R_RDFPC), 0);
}

static void test_random(void **state)
{
	struct rig *rig = *state;

	for (unsigned int i = 1; i < 100; i++) {
		seed = i;
		round_of(rig, 8 * (1 + rnd(7)));
	}
	assert_int_equal(rd(rig, R_MPC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one),		  TEST(test_sizes),
		TEST(test_grown),	  TEST(test_null),
		TEST(test_fifo),	  TEST(test_half),
		TEST(test_fifo_pointers), TEST(test_threshold),
		TEST(test_small),	  TEST(test_faults),
		TEST(test_wild_tail),	  TEST(test_bad),
		TEST(test_counters),	  TEST(test_pause),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
