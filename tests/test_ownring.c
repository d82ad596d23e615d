// SPDX-License-Identifier: MIT
/*
 * test_ownring.c: rings whose descriptors say whose they are, the block that
 * says where they are, and the other ways in which guests lay them out.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/frame.h"
#include "dmm/model.h"
#include "ownrig.h"

#define INIT_AT 0x100u
#define TX 0x1000u
#define RX 0x2000u
#define BUFS 0x4000u
#define LEN 8u /* descriptors */
#define OWN 0x8000u
#define ERR 0x4000u
#define STP 0x0200u
#define ENP 0x0100u
#define ONE (OWN | STP | ENP)

static struct ownrig rig;

static uint8_t *mem(unsigned int g, uint32_t at)
{
	return rig.mem[g] + at;
}

static uint32_t word(unsigned int g, uint32_t at)
{
	uint32_t v;

	memcpy(&v, mem(g, at), sizeof(v));
	return v;
}

static void put(unsigned int g, uint32_t at, uint32_t v)
{
	memcpy(mem(g, at), &v, sizeof(v));
}

static unsigned int status(unsigned int g, uint32_t ring, unsigned int i)
{
	return word(g, ring + i * 16 + 4) >> 16;
}

static void block(unsigned int g, uint32_t tx, uint32_t rx)
{
	put(g, INIT_AT, 3u << 20 | 3u << 28);
	memcpy(mem(g, INIT_AT + 4), rig.conf.guest[g].mac, 6);
	put(g, INIT_AT + 20, rx);
	put(g, INIT_AT + 24, tx);
}

static void give_rx(unsigned int g, unsigned int i, uint32_t at, uint32_t len)
{
	put(g, RX + i * 16, at);
	put(g, RX + i * 16 + 4, 0xf000 | ((4096 - len) & 0xfff) | OWN << 16);
}

static void start(unsigned int g)
{
	unsigned int i;

	ownrig_style(&rig, g, 2);
	block(g, TX, RX);
	for (i = 0; i < LEN; i++)
		give_rx(g, i, BUFS + 0x4000 + i * 0x800, 0x800);
	ownrig_set32(&rig, g, 1, INIT_AT);
	ownrig_set(&rig, g, 0, 1);
	ownrig_set(&rig, g, 0, 0x142);
}

static void setup(unsigned int guests)
{
	unsigned int g;

	ownrig_open(&rig, guests);
	for (g = 0; g < guests; g++)
		start(g);
	assert_int_equal(rig.reports, 0);
}

static void make(unsigned int g, uint32_t at, size_t len)
{
	uint8_t *p = mem(g, at);

	memset(p, (int)(0x30 + g), len);
	memset(p, 0x02, 6);
	memcpy(p + 6, rig.conf.guest[g].mac, 6);
}

static void desc(unsigned int g, unsigned int i, uint32_t at, size_t len,
		 unsigned int flags)
{
	put(g, TX + i * 16, at);
	put(g, TX + i * 16 + 8, 0);
	put(g, TX + i * 16 + 4,
	    0xf000 | ((4096 - (uint32_t)len) & 0xfff) | flags << 16);
}

static void demand(unsigned int g)
{
	ownrig_set(&rig, g, 0, 0x48);
	ownrig_work(&rig);
}

static void frame(void **state)
{
	(void)state;
	setup(1);
	make(0, BUFS, 100);
	desc(0, 0, BUFS, 100, ONE);
	demand(0);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.len, 100);
	assert_memory_equal(rig.frame, mem(0, BUFS), 100);
	/* OWN is clear, what marks the frame stays, and the guest is told */
	assert_int_equal(status(0, TX, 0), STP | ENP);
	assert_int_equal(word(0, TX), BUFS);
	assert_true(ownrig_csr(&rig, 0, 0) & 0x200);
	assert_true(rig.line[0]);
	ownrig_set(&rig, 0, 0, 0x240);
	assert_false(rig.line[0]);
	assert_int_equal(rig.faults, 0);
	assert_int_equal(rig.torn, 0);
	ownrig_close(&rig);
}

/* The block is read once, and what is written there then means nothing. */
static void block_once(void **state)
{
	(void)state;
	ownrig_open(&rig, 1);
	rig.watch = INIT_AT;
	rig.watch_len = 28;
	ownrig_style(&rig, 0, 2);
	block(0, TX, RX);
	ownrig_set32(&rig, 0, 1, INIT_AT);
	ownrig_set(&rig, 0, 0, 1);
	assert_int_equal(rig.watched, 1);
	block(0, 0xfff0, 0xfff0);
	ownrig_set(&rig, 0, 0, 0x142);
	assert_int_equal(rig.watched, 1);
	assert_int_equal(rig.reports, 0);
	make(0, BUFS, 60);
	desc(0, 0, BUFS, 60, ONE);
	demand(0);
	assert_int_equal(rig.sent, 1);
	/* one that is refused changes nothing */
	ownrig_set(&rig, 0, 0, 4);
	ownrig_set(&rig, 0, 0, 3);
	assert_int_equal(rig.reports, 1);
	assert_string_equal(rig.last.name, "txRing");
	assert_int_equal(ownrig_csr(&rig, 0, 24), RX);
	assert_int_equal(ownrig_csr(&rig, 0, 30), TX);
	assert_int_equal(ownrig_csr(&rig, 0, 0), 4);
	ownrig_close(&rig);
}

/* All descriptors are given: each is read once, and none twice. */
static void whole_ring(void **state)
{
	unsigned int i;

	(void)state;
	setup(1);
	rig.idle = true;
	make(0, BUFS, 100);
	for (i = 0; i < LEN; i++)
		desc(0, i, BUFS, 100, ONE);
	for (i = 0; i < 5; i++)
		ownrig_set(&rig, 0, 0, 0x48);
	rig.idle = false;
	ownrig_work(&rig);
	assert_int_equal(rig.sent, LEN);
	for (i = 0; i < LEN; i++)
		assert_int_equal(status(0, TX, i), STP | ENP);
	/* round and round */
	for (i = 0; i < 5 * LEN + 3; i++) {
		desc(0, i % LEN, BUFS, 60 + i, ONE);
		demand(0);
		assert_int_equal(rig.len, 60 + i);
	}
	ownrig_close(&rig);
}

/* In pieces; without its end it waits, without its start it is refused. */
static void pieces(void **state)
{
	(void)state;
	setup(1);
	make(0, BUFS, 300);
	desc(0, 0, BUFS, 10, OWN | STP);
	desc(0, 1, BUFS + 10, 90, OWN);
	demand(0);
	assert_int_equal(rig.sent, 0);
	desc(0, 2, BUFS + 100, 200, OWN | ENP);
	demand(0);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.len, 300);
	assert_memory_equal(rig.frame, mem(0, BUFS), 300);
	assert_int_equal(status(0, TX, 0), STP);
	assert_int_equal(status(0, TX, 1), 0);
	assert_int_equal(status(0, TX, 2), ENP);
	assert_int_equal(rig.torn, 0);
	desc(0, 3, BUFS, 100, OWN | ENP);
	demand(0);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.reports, 1);
	assert_string_equal(rig.last.rule, "a frame has no start");
	assert_int_equal(status(0, TX, 3), ENP);
	ownrig_close(&rig);
}

/* More than the model lets out, in one buffer or in two. */
static void long_frame(void **state)
{
	(void)state;
	setup(1);
	make(0, BUFS, 1518);
	desc(0, 0, BUFS, 1518, ONE);
	desc(0, 1, BUFS, 1519, ONE);
	desc(0, 2, BUFS, 1500, OWN | STP);
	desc(0, 3, BUFS, 19, OWN | ENP);
	demand(0);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.len, 1518);
	assert_int_equal(rig.reports, 2);
	assert_string_equal(rig.last.rule,
			    "a frame is longer than the part may send");
	assert_int_equal(rig.last.length, 1519);
	assert_int_equal(status(0, TX, 3), ENP);
	ownrig_close(&rig);
}

/* What was read is checked, and is what goes out. */
static void read_once(void **state)
{
	(void)state;
	setup(1);
	rig.idle = true;
	make(0, BUFS, 100);
	desc(0, 0, BUFS, 100, ONE);
	desc(0, 1, 0xffc0, 100, ONE);
	ownrig_set(&rig, 0, 0, 0x48);
	assert_int_equal(rig.reports, 1);
	assert_string_equal(rig.last.name, "txRing");
	desc(0, 0, 0xffffff00, 4096, ONE);
	memcpy(mem(0, BUFS) + 6, "\2\2\2\2\2\2", 6);
	rig.idle = false;
	ownrig_work(&rig);
	assert_int_equal(rig.sent, 1);
	assert_memory_equal(rig.frame + 6, rig.conf.guest[0].mac, 6);
	assert_int_equal(rig.faults, 0);
	ownrig_close(&rig);
}

/* Stopped, nothing is written; begun anew, at the first descriptor. */
static void stop(void **state)
{
	(void)state;
	setup(1);
	make(0, BUFS, 100);
	desc(0, 0, BUFS, 100, ONE);
	demand(0);
	rig.idle = true;
	desc(0, 1, BUFS, 100, ONE);
	ownrig_set(&rig, 0, 0, 0x48);
	ownrig_set(&rig, 0, 0, 4);
	memset(mem(0, TX), 0xff, 16 * LEN);
	rig.idle = false;
	ownrig_work(&rig);
	assert_int_equal(status(0, TX, 1), 0xffff);
	assert_int_equal(rig.sent, 2);
	memset(mem(0, TX), 0, 16 * LEN);
	start(0);
	desc(0, 0, BUFS, 90, ONE);
	demand(0);
	assert_int_equal(rig.sent, 3);
	assert_int_equal(status(0, TX, 0), STP | ENP);
	/* without a block it goes on where it was */
	ownrig_set(&rig, 0, 0, 4);
	desc(0, 1, BUFS, 91, ONE);
	ownrig_set(&rig, 0, 0, 0x42);
	ownrig_work(&rig);
	assert_int_equal(rig.len, 91);
	ownrig_close(&rig);
}

/* Nobody says so, and the part finds it; but not with DPOLL. */
static void scan(void **state)
{
	(void)state;
	setup(1);
	make(0, BUFS, 100);
	desc(0, 0, BUFS, 100, ONE);
	ownrig_wait(&rig, 5000000);
	ownrig_work(&rig);
	assert_int_equal(rig.sent, 1);
	ownrig_set(&rig, 0, 4, 0x1115);
	ownrig_wait(&rig, 5000000);
	desc(0, 1, BUFS, 100, ONE);
	ownrig_wait(&rig, 50000000);
	assert_int_equal(rig.sent, 1);
	assert_true(rig.due == UINT64_MAX);
	/* allowed again, it looks again */
	ownrig_set(&rig, 0, 4, 0x0115);
	ownrig_wait(&rig, 5000000);
	ownrig_work(&rig);
	assert_int_equal(rig.sent, 2);
	/* suspended, it does not */
	ownrig_set(&rig, 0, 5, 1);
	desc(0, 2, BUFS, 100, ONE);
	ownrig_wait(&rig, 5000000);
	assert_int_equal(rig.sent, 2);
	ownrig_set(&rig, 0, 5, 0);
	ownrig_wait(&rig, 5000000);
	ownrig_work(&rig);
	assert_int_equal(rig.sent, 3);
	ownrig_close(&rig);
}

static void hear(unsigned int g, size_t len)
{
	uint8_t f[2000];

	memset(f, 0x77, sizeof(f));
	memcpy(f, rig.conf.guest[g].mac, 6);
	memset(f + 6, 0x04, 6);
	ownrig_receive(&rig, f, len);
}

static void receive(void **state)
{
	unsigned int i;

	(void)state;
	setup(2);
	hear(1, 200);
	assert_int_equal(status(0, RX, 0), OWN);
	assert_int_equal(status(1, RX, 0), STP | ENP);
	assert_int_equal(word(1, RX + 8) & 0xfff, 204);
	assert_int_equal(mem(1, BUFS + 0x4000)[199], 0x77);
	assert_true(frame_crc(0, mem(1, BUFS + 0x4000), 200) ==
		    word(1, BUFS + 0x4000 + 200));
	assert_true(rig.line[1]);
	assert_false(rig.line[0]);
	/* over three buffers */
	for (i = 1; i < 4; i++)
		give_rx(1, i, BUFS + 0x4000 + i * 0x800, 100);
	hear(1, 250);
	assert_int_equal(status(1, RX, 1), STP);
	assert_int_equal(status(1, RX, 2), 0);
	assert_int_equal(status(1, RX, 3), ENP);
	assert_int_equal(word(1, RX + 3 * 16 + 8) & 0xfff, 254);
	/* no room */
	for (i = 4; i < LEN; i++)
		put(1, RX + i * 16 + 4, 0xf800);
	hear(1, 100);
	assert_true(ownrig_csr(&rig, 1, 0) & 0x1000);
	assert_true(ownrig_csr(&rig, 1, 0) & 0x8000);
	assert_int_equal(ownrig_csr(&rig, 1, 112), 1);
	/* a buffer that is not its own: its fault, and it goes on */
	give_rx(1, 4, 0xfff0, 0x800);
	give_rx(1, 5, BUFS, 0x800);
	hear(1, 100);
	assert_int_equal(rig.reports, 1);
	assert_string_equal(rig.last.name, "rxRing");
	hear(1, 100);
	assert_int_equal(word(1, RX + 5 * 16 + 8) & 0xfff, 104);
	ownrig_close(&rig);
}

static void multicast(void **state)
{
	static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x01, 0x02, 0x03 };
	unsigned int n = frame_hash_le(group);
	uint8_t f[100] = { 0 };

	(void)state;
	setup(2);
	memcpy(f, group, 6);
	ownrig_receive(&rig, f, sizeof(f));
	assert_int_equal(status(0, RX, 0), OWN);
	ownrig_set(&rig, 0, 8 + n / 16, 1u << n % 16);
	ownrig_receive(&rig, f, sizeof(f));
	assert_int_equal(status(0, RX, 0), STP | ENP);
	assert_int_equal(status(1, RX, 0), OWN);
	/* ether_crc_le() of it, as Linux's driver has it */
	assert_int_equal(frame_hash_le((const uint8_t *)"\xff\xff\xff\xff\xff"
							"\xff"),
			 0x2f);
	ownrig_close(&rig);
}

/* Siblings reach each other, and a loop is for itself alone. */
static void siblings(void **state)
{
	(void)state;
	setup(2);
	make(0, BUFS, 100);
	memcpy(mem(0, BUFS), rig.conf.guest[1].mac, 6);
	desc(0, 0, BUFS, 100, ONE);
	demand(0);
	assert_int_equal(rig.sent, 0);
	assert_int_equal(status(0, TX, 0), STP | ENP);
	assert_int_equal(status(1, RX, 0), STP | ENP);
	ownrig_set(&rig, 0, 15, 0x8004);
	make(0, BUFS, 100);
	desc(0, 1, BUFS, 100, ONE);
	demand(0);
	assert_int_equal(rig.sent, 0);
	assert_int_equal(status(0, TX, 1), STP | ENP);
	assert_int_equal(status(0, RX, 0), STP | ENP);
	assert_int_equal(status(1, RX, 1), OWN);
	ownrig_close(&rig);
}

/* SWSTYLE 0: 8 bytes, 24 bits of address, the rest from IADR; and 3. */
static void forms(void **state)
{
	(void)state;
	setup(1);
	ownrig_set(&rig, 0, 0, 4);
	ownrig_style(&rig, 0, 0);
	put(0, INIT_AT, 0);
	memcpy(mem(0, INIT_AT + 2), rig.conf.guest[0].mac, 6);
	put(0, INIT_AT + 16, RX | 3u << 29);
	put(0, INIT_AT + 20, TX | 3u << 29);
	put(0, RX, BUFS + 0x4000 + ((uint32_t)OWN << 16));
	put(0, RX + 4, 0xf800);
	put(0, RX + 8, BUFS);
	put(0, RX + 12, 0xf800);
	make(0, BUFS, 100);
	put(0, TX + 4, 0xffff0000u | 0xf000 | (4096 - 100));
	put(0, TX, BUFS | (uint32_t)ONE << 16);
	put(0, TX + 8, BUFS);
	ownrig_set(&rig, 0, 0, 3);
	ownrig_work(&rig);
	assert_int_equal(rig.reports, 0);
	assert_int_equal(rig.sent, 1);
	assert_int_equal(rig.len, 100);
	assert_int_equal(word(0, TX), BUFS | (STP | ENP) << 16);
	assert_int_equal(word(0, TX + 4) & 0xffff, 0xf000 | (4096 - 100));
	hear(0, 200);
	assert_int_equal(word(0, RX), (BUFS + 0x4000) | (STP | ENP) << 16);
	assert_int_equal(word(0, RX + 4), 0xf800 | 204u << 16);
	assert_int_equal(word(0, RX + 8), BUFS);
	/* its addresses have their upper bits from the block's */
	ownrig_set(&rig, 0, 0, 4);
	ownrig_set32(&rig, 0, 1, 0x01000000 | INIT_AT);
	ownrig_set(&rig, 0, 0, 2);
	put(0, TX + 8, BUFS | (uint32_t)ONE << 16);
	put(0, TX + 12, 0xf000 | (4096 - 100));
	ownrig_set(&rig, 0, 0, 8);
	assert_int_equal(rig.reports, 1);
	assert_true(rig.last.address == 0x01000000 + BUFS);
	ownrig_close(&rig);
}

static void words_turned(void **state)
{
	(void)state;
	setup(1);
	ownrig_set(&rig, 0, 0, 4);
	ownrig_style(&rig, 0, 3);
	make(0, BUFS, 100);
	put(0, TX, 0xaaaaaaaa);
	put(0, TX + 4, 0xf000 | (4096 - 100) | (uint32_t)ONE << 16);
	put(0, TX + 8, BUFS);
	put(0, RX, 0);
	put(0, RX + 4, 0xf800 | (uint32_t)OWN << 16);
	put(0, RX + 8, BUFS + 0x4000);
	ownrig_set(&rig, 0, 0, 3);
	ownrig_work(&rig);
	assert_int_equal(rig.len, 100);
	assert_int_equal(word(0, TX + 8), BUFS);
	assert_int_equal(status(0, TX, 0), STP | ENP);
	hear(0, 200);
	assert_int_equal(word(0, RX) & 0xfff, 204);
	assert_int_equal(word(0, RX + 8), BUFS + 0x4000);
	assert_int_equal(status(0, RX, 0), STP | ENP);
	ownrig_close(&rig);
}

/* One register behind a window's data, whole; more only in double words. */
static void window(void **state)
{
	(void)state;
	setup(1);
	ownrig_access(&rig, 0, 0x12, 2, true, 24);
	assert_int_equal(ownrig_access(&rig, 0, 0x10, 1, false, 0), 0xff);
	assert_int_equal(ownrig_access(&rig, 0, 0x11, 1, false, 0), 0xff);
	assert_int_equal(ownrig_access(&rig, 0, 0x11, 2, false, 0), 0xffff);
	assert_int_equal(ownrig_access(&rig, 0, 0x10, 2, false, 0), RX);
	ownrig_access(&rig, 0, 0x12, 2, true, 127);
	assert_int_equal(ownrig_access(&rig, 0, 0x10, 2, false, 0), 0xffff);
	ownrig_access(&rig, 0, 0x12, 2, true, 0);
	ownrig_access(&rig, 0, 0x10, 4, true, 0);
	ownrig_access(&rig, 0, 0x14, 4, true, 24);
	assert_int_equal(ownrig_access(&rig, 0, 0x14, 4, false, 0), 24);
	assert_int_equal(ownrig_access(&rig, 0, 0x10, 4, false, 0), RX);
	assert_int_equal(ownrig_access(&rig, 0, 0x10, 8, false, 0) & 0xffff,
			 0xffff);
	ownrig_access(&rig, 0, 0x18, 4, false, 0);
	ownrig_access(&rig, 0, 0x14, 4, true, 0);
	assert_int_equal(ownrig_access(&rig, 0, 0x10, 4, false, 0), 4);
	ownrig_close(&rig);
}

/*
 * Read, the reset is the guest's own; the part was not asked, and is as it
 * was, index and all.
 */
static void reset_alone(void **state)
{
	(void)state;
	assert_int_equal(ownrig_try(&rig, DMM_EXCLUSIVE, 1, OWN_AREA), 0);
	start(0);
	ownrig_access(&rig, 0, 0x12, 2, true, 4);
	ownrig_access(&rig, 0, 0x16, 2, false, 0); /* the link: the part's */
	assert_int_equal(rig.rap, 4);
	ownrig_access(&rig, 0, 0x14, 2, false, 0);
	assert_int_equal(ownrig_csr(&rig, 0, 0), 4);
	start(0);
	hear(0, 200);
	assert_int_equal(status(0, RX, 0), STP | ENP);
	/* it still tells, and of all that comes */
	assert_true(rig.csr[0] & 0x40);
	assert_false(rig.csr[0] & 0x7f00);
	make(0, BUFS, 100);
	desc(0, 0, BUFS, 100, ONE);
	demand(0);
	assert_int_equal(rig.sent, 1);
	ownrig_close(&rig);
}

/* Whatever a guest writes, and how wide, the part has it from the monitor. */
static void no_other_door(void **state)
{
	static const uint64_t values[] = { 0, UINT64_MAX, 0x0014001400140014 };
	unsigned int i, off, width;

	(void)state;
	assert_int_equal(ownrig_try(&rig, DMM_EXCLUSIVE, 1, OWN_AREA), 0);
	for (i = 0; i < 3 * 2; i++) {
		if (i == 3) /* and in double words */
			ownrig_access(&rig, 0, 0x10, 4, true, 0);
		for (width = 1; width <= 8; width *= 2)
			for (off = 0; off + width <= 0x20; off++)
				ownrig_access(&rig, 0, off, width, true,
					      values[i % 3]);
	}
	assert_int_equal(rig.strange, 0);
	ownrig_close(&rig);
}

/* Cut off at 32 bits, an address would be another's. */
static void far_memory(void **state)
{
	const uint64_t end = UINT64_C(0x100000000);

	(void)state;
	assert_int_equal(ownrig_try(&rig, DMM_MERGE, 1, end), -EINVAL);
	assert_int_equal(ownrig_try(&rig, DMM_MERGE, 1, end - 4096), -EINVAL);
	setup(1);
	make(0, BUFS, 100);
	rig.far = end;
	desc(0, 0, BUFS, 100, ONE);
	demand(0);
	assert_int_equal(rig.sent, 0);
	assert_int_equal(rig.reports, 1);
	/* its last byte counts, too */
	rig.far = end - OWN_GUEST(0) - BUFS - 99;
	desc(0, 1, BUFS, 100, ONE);
	demand(0);
	assert_int_equal(rig.sent, 0);
	assert_int_equal(rig.reports, 2);
	assert_int_equal(rig.faults, 0);
	rig.far = 0;
	desc(0, 2, BUFS, 100, ONE);
	demand(0);
	assert_int_equal(rig.sent, 1);
	ownrig_close(&rig);
}

/* A long ring whose last buffer is bad costs a start no more than others. */
static void long_ring(void **state)
{
	unsigned int i;

	(void)state;
	ownrig_open(&rig, 1);
	for (i = 0; i < OWN_MEM / 8; i++) /* 8 bytes each: all are given */
		put(0, i * 8, (uint32_t)OWN << 16);
	put(0, OWN_MEM - 8, OWN_MEM - 1 + ((uint32_t)OWN << 16));
	ownrig_set32(&rig, 0, 24, 0);
	ownrig_set(&rig, 0, 76, 0x10000u - OWN_MEM / 8);
	rig.watch_len = OWN_MEM;
	ownrig_set(&rig, 0, 0, 2);
	assert_in_range(rig.watched, 1024, 5000);
	ownrig_close(&rig);
}

/* Loops cost the part nothing, and the others little: a go has its end. */
static void long_loop(void **state)
{
	const uint32_t ring = 0x8000, n = 512, unit = 64;
	struct expr *max;
	unsigned int i;

	(void)state;
	setup(1);
	max = rig.model->transmit.max;
	rig.model->transmit.max = NULL; /* a part that sends all */
	make(0, BUFS, 4096);
	ownrig_set(&rig, 0, 0, 4);
	ownrig_set(&rig, 0, 15, 4);
	for (i = 0; i < n; i++) {
		put(0, ring + i * 16, BUFS);
		put(0, ring + i * 16 + 4,
		    0xf000 | (uint32_t)(OWN | (i % unit ? 0 : STP) |
					(i % unit == unit - 1 ? ENP : 0))
				     << 16);
	}
	ownrig_set32(&rig, 0, 30, ring);
	ownrig_set(&rig, 0, 78, 0x10000u - n);
	rig.watch = BUFS;
	rig.watch_len = 4096;
	ownrig_set(&rig, 0, 0, 0x42);
	assert_in_range(rig.watched, unit, 6 * unit);
	assert_true(word(0, ring + (n - 1) * 16 + 4) >> 31);
	ownrig_wait(&rig, 1000);
	assert_false(word(0, ring + (n - 1) * 16 + 4) >> 31);
	assert_int_equal(rig.reports, 0);
	rig.model->transmit.max = max;
	ownrig_close(&rig);
}

static int teardown(void **state)
{
	(void)state;
	dmm_model_free(rig.model);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame),	cmocka_unit_test(long_frame),
		cmocka_unit_test(block_once),	cmocka_unit_test(whole_ring),
		cmocka_unit_test(pieces),	cmocka_unit_test(read_once),
		cmocka_unit_test(stop),		cmocka_unit_test(scan),
		cmocka_unit_test(receive),	cmocka_unit_test(multicast),
		cmocka_unit_test(siblings),	cmocka_unit_test(forms),
		cmocka_unit_test(words_turned), cmocka_unit_test(window),
		cmocka_unit_test(reset_alone),	cmocka_unit_test(far_memory),
		cmocka_unit_test(long_ring),	cmocka_unit_test(no_other_door),
		cmocka_unit_test(long_loop),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
