/* SPDX-License-Identifier: MIT */
/*
 * test_lease.c: who owns the card, what a parked guest sees meanwhile, and
 * what a hand-over takes along and leaves behind.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "share.h"

#define LEASE_NS (50 * SHARE_MS) /* maxPark of 100 ms, two guests alike */

static bool drops(const struct share *s)
{
	return s->conf.when_parked == DMM_DROP;
}

/* Make the guest have the card, by something that needs it. */
static void own(struct share *s, unsigned int g)
{
	uint8_t byte;

	share_read(s, g, 0x7f00, &byte, 1);
	assert_int_equal(dmm_owner(s->dmm), g);
}

static void send_one(struct share *s, unsigned int g, unsigned int seq)
{
	struct share_frame f;

	share_make(&f, share_outside, share_mac(g), (uint8_t)(0xa0 + g), seq,
		   300);
	share_send(s, g, &f);
	if (!share_same(&s->wire.at[s->wire.n - 1], &f))
		fail_msg("guest %u: another frame than its own was sent", g);
}

/* ---- a parked guest's registers ---- */

static void test_banks(void **state)
{
	struct share *s = *state;
	unsigned int i;

	share_up_all(s);
	own(s, 0);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_STA | 1 << 6);
	own(s, 1);
	/* still in its page, started */
	assert_int_equal(share_in(s, 0, NE2K_CR), CR_RD2 | CR_STA | 1 << 6);
	assert_int_equal(share_in(s, 0, P1_CURR & 15), SHARE_START);
	for (i = 0; i < 6; i++)
		assert_int_equal(share_in(s, 0, 1 + i), share_mac(0)[i]);
	share_out(s, 0, 8, 0x5a);
	assert_int_equal(share_get(s, 1, P1_MAR0), 0xff);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_STA | 2 << 6);
	assert_int_equal(share_in(s, 0, 1), SHARE_START);
	assert_int_equal(share_in(s, 0, 2), SHARE_STOP);
	own(s, 1);
	assert_int_equal(share_in(s, 0, 4), SHARE_TX);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_STA);
	own(s, 0);
	assert_int_equal(share_get(s, 0, P1_MAR0), 0x5a);
	assert_int_equal(s->ne->mar[0], drops(s) ? 0x5a : 0xff);
	assert_true(s->ne->running);
}

static void test_causes(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	own(s, 0);
	share_make(&f, share_mac(0), share_outside, 0xc0, 0, 100);
	share_wire(s, &f);
	assert_true(s->guest[0].level);
	own(s, 1);
	/* its cause and its line are still up, and the other's are not */
	assert_int_equal(share_in(s, 0, P0_ISR), ISR_PRX);
	assert_true(s->guest[0].level);
	assert_int_equal(s->guest[1].edges, 0);
	assert_int_equal(share_in(s, 1, P0_ISR), 0);
	share_out(s, 0, P0_IMR, 0);
	assert_false(s->guest[0].level);
	share_out(s, 0, P0_IMR, ISR_PRX);
	assert_true(s->guest[0].level);
	share_out(s, 0, P0_ISR, ISR_PTX);
	assert_true(s->guest[0].level);
	share_out(s, 0, P0_ISR, ISR_PRX);
	assert_false(s->guest[0].level);
	assert_int_equal(share_in(s, 0, P0_ISR), 0);
	own(s, 0);
	assert_int_equal(share_in(s, 0, P0_ISR), 0);
	assert_true(share_recv(s, 0, &f));
}

/* A cause that comes along is seen by its owner until it is acknowledged. */
static void test_causes_return(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	own(s, 0);
	share_make(&f, share_mac(0), share_outside, 0xc0, 0, 100);
	share_wire(s, &f);
	own(s, 1);
	own(s, 0);
	assert_int_equal(share_in(s, 0, P0_ISR), ISR_PRX);
	assert_true(s->guest[0].level);
	share_out(s, 0, P0_ISR, ISR_PRX);
	assert_int_equal(share_in(s, 0, P0_ISR), 0);
	assert_false(s->guest[0].level);
	/* stopped while parked: RST, and it stays so */
	own(s, 1);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_STP);
	assert_int_equal(share_in(s, 0, P0_ISR), ISR_RST);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_STA);
	assert_int_equal(share_in(s, 0, P0_ISR), 0);
}

static void test_tally(void **state)
{
	struct share *s = *state;

	share_up_all(s);
	own(s, 0);
	s->ne->cntr[0] = 3;
	s->ne->cntr[2] = 190;
	own(s, 1);
	assert_int_equal(share_in(s, 1, P0_CNTR0), 0);
	assert_int_equal(share_in(s, 0, P0_CNTR0), 3);
	assert_int_equal(share_in(s, 0, P0_CNTR0), 0);
	own(s, 0);
	s->ne->cntr[2] = 100;
	assert_int_equal(share_in(s, 0, P0_CNTR2),
			 255); /* as full as it gets */
	assert_int_equal(share_in(s, 0, P0_CNTR2), 0);
	assert_int_equal(share_in(s, 0, P0_CNTR0), 0);
}

/* TSR tells of the guest's own frame, owner or not. */
static void test_status(void **state)
{
	struct share *s = *state;
	uint8_t looped = TSR_PTX | TSR_ONE | TSR_CRS | TSR_CDH;
	struct share_frame f;

	share_up_all(s);
	send_one(s, 0, 0);
	assert_int_equal(share_in(s, 0, P0_TSR), TSR_PTX | TSR_ONE);
	if (drops(s)) {
		share_out(s, 1, P0_TCR, TCR_LB_NIC);
		share_make(&f, share_outside, share_mac(1), 0xa1, 0, 300);
		share_send(s, 1, &f);
		assert_int_equal(share_in(s, 1, P0_TSR), looped);
	} else {
		send_one(s, 1, 0);
		s->ne->tsr = looped;
	}
	assert_int_equal(share_in(s, 0, P0_TSR), TSR_PTX | TSR_ONE);
	own(s, 0); /* a transfer is not a frame */
	assert_int_equal(share_in(s, 0, P0_TSR), TSR_PTX | TSR_ONE);
	assert_int_equal(share_in(s, 0, P0_FIFO), 0);
	send_one(s, 0, 1);
	assert_int_equal(share_in(s, 0, P0_TSR), TSR_PTX | TSR_ONE);
}

/* ---- doorbells ---- */

static enum dmm_verdict try_out(struct share *s, unsigned int g,
				unsigned int off, unsigned int value)
{
	uint8_t v = (uint8_t)value;
	struct dmm_access a = {
		.off = off, .data = &v, .count = 1, .width = 1, .write = true
	};

	return share_try(s, g, &a);
}

static void test_doorbell(void **state)
{
	struct share *s = *state;
	unsigned int wakes;
	struct share_frame f;
	uint8_t data[4] = { 0 };
	struct dmm_access a = {
		.off = NE2K_DATA, .data = data, .count = 2, .width = 2
	};

	share_up_all(s);
	share_make(&f, share_outside, share_mac(0), 0xa0, 0, 300);
	share_load(s, 0, SHARE_TX, &f);
	own(s, 1);
	wakes = s->guest[0].wakes;
	/* the owner is at work: its transfer is not over */
	share_remote(s, 1, 0x7000, 64, false);
	share_out(s, 0, P0_TPSR, SHARE_TX);
	share_out16(s, 0, P0_TBCR0, 300);
	assert_int_equal(try_out(s, 0, NE2K_CR, CR_RD2 | CR_TXP | CR_STA),
			 DMM_PASS);
	assert_int_equal(s->wire.n, 0);
	assert_true(share_in(s, 0, NE2K_CR) & CR_TXP);
	assert_int_equal(share_in(s, 0, P0_ISR), 0);
	/* a second one, and what the first was checked with, have to wait */
	assert_int_equal(try_out(s, 0, P0_TPSR, 0x60), DMM_HOLD);
	assert_int_equal(try_out(s, 0, NE2K_CR, CR_RD2 | CR_TXP | CR_STA),
			 DMM_HOLD);
	assert_int_equal(try_out(s, 0, P0_IMR, 0x1b), DMM_PASS);
	share_pass(s, SHARE_MS);
	assert_int_equal(s->wire.n, 0);
	assert_int_equal(s->guest[0].wakes, wakes);
	share_io(s, 1, NE2K_DATA, 2, false, (uint8_t[64]){ 0 }, 32);
	share_pass(s, LEASE_NS + 10 * SHARE_MS);
	assert_true(s->guest[0].wakes > wakes);
	assert_int_equal(s->wire.n, 1);
	assert_true(share_same(&s->wire.at[0], &f));
	assert_true(share_in(s, 0, P0_ISR) & ISR_PTX);
	/* the data port waits for its guest's turn */
	own(s, 1);
	share_remote(s, 0, SHARE_TX << 8, 4, false);
	assert_int_equal(share_try(s, 0, &a), DMM_HOLD);
	share_pass(s, 60 * SHARE_MS);
	assert_int_equal(share_try(s, 0, &a), DMM_PASS);
	assert_memory_equal(data, f.bytes, 4);
}

/* Who waits for its own frame is woken when that is away. */
static void test_wake(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int wakes;

	share_up_all(s);
	share_make(&f, share_outside, share_mac(0), 0xa0, 0, 1500);
	share_load(s, 0, SHARE_TX, &f);
	share_ring(s, 0, SHARE_TX, 1500);
	assert_int_equal(try_out(s, 0, P0_TPSR, 0x60), DMM_HOLD);
	/* nor may the card receive into it */
	assert_int_equal(try_out(s, 0, P0_PSTART, SHARE_TX), DMM_HOLD);
	wakes = s->guest[0].wakes;
	share_pass(s, 5 * SHARE_MS);
	assert_true(s->guest[0].wakes > wakes);
	assert_int_equal(try_out(s, 0, P0_TPSR, 0x60), DMM_PASS);
	assert_int_equal(s->wire.n, 1);
	assert_true(share_wait_sent(s, 0));
	/* and it does not want the card any more */
	send_one(s, 1, 0);
	assert_int_equal(dmm_owner(s->dmm), 1);
	send_one(s, 0, 0);
	assert_int_equal(dmm_owner(s->dmm), 0);
}

/* ---- leases ---- */

/* What a guest does over and over, an access at a time. */
struct worker {
	unsigned int at; /* the access to be made next */
	uint8_t data[64];
};

/* One access, if it may be; to start and read a transfer takes seven. */
static void work(struct share *s, unsigned int g, struct worker *w)
{
	static const uint8_t off[] = { P0_ISR,	 P0_RBCR0, P0_RBCR1,
				       P0_RSAR0, P0_RSAR1, NE2K_CR };
	static const uint8_t value[] = { ISR_RDC, 64,	0,
					 0,	  0x70, CR_STA | CR_RD_READ };
	struct dmm_access a = { .data = w->data, .count = 1, .width = 1 };

	if (w->at < ARRAY_LEN(off)) {
		a.off = off[w->at];
		a.write = true;
		w->data[0] = value[w->at];
	} else {
		a.off = NE2K_DATA;
		a.count = 32;
		a.width = 2;
	}
	if (share_try(s, g, &a) == DMM_PASS)
		w->at = (w->at + 1) % (ARRAY_LEN(off) + 1);
}

/* All guests do transfers whenever they may, for (ns). */
static void compete(struct share *s, uint64_t ns)
{
	struct worker w[DMM_MAX_GUESTS] = { { 0 } };
	uint64_t until = s->now + ns;
	unsigned int g, busy = 0;

	while (s->now < until || busy) {
		for (busy = g = 0; g < s->guests; g++) {
			if (s->now < until || w[g].at)
				work(s, g, &w[g]);
			busy += w[g].at;
		}
		share_pass(s, 5 * SHARE_US);
	}
}

static void test_weights(void **state)
{
	struct share *s = *state;
	struct dmm_guest_stats a, b, c;

	share_up_all(s);
	compete(s, 3000 * SHARE_MS);
	a = share_stats(s, 0);
	b = share_stats(s, 1);
	c = share_stats(s, 2);
	assert_in_range(a.held_ns / SHARE_MS, 1650, 1950); /* 6 of 10 */
	assert_in_range(b.held_ns / SHARE_MS, 800, 1000);  /* 3 */
	assert_in_range(c.held_ns / SHARE_MS, 250, 350);   /* 1 */
	assert_in_range((a.held_ns + a.parked_ns) / SHARE_MS, 2990, 3100);
	assert_int_equal(share_stats(s, 0).violations, 0);
}

/* Nobody waits for longer than maxPark, be there two or eight. */
static void test_max_park(void **state)
{
	struct share *s = *state;
	unsigned int g, i;
	uint64_t since;

	share_up_all(s);
	compete(s, 200 * SHARE_MS);
	for (g = 0; g < s->guests; g++)
		share_in(s, g, NE2K_CR);
	for (i = 0; i < 3; i++)
		for (g = 0; g < s->guests; g++) {
			since = s->now;
			own(s, g);
			assert_in_range(s->now - since, 0, 101 * SHARE_MS);
		}
	for (g = 0; g < s->guests; g++)
		assert_int_equal(share_stats(s, g).violations, 0);
}

/* An owner that does nothing is no obstacle, nor does its time count. */
static void test_idle_owner(void **state)
{
	struct share *s = *state;
	uint64_t since, before;

	share_up_all(s);
	own(s, 0);
	share_pass(s, 5000 * SHARE_MS);
	since = s->now;
	own(s, 1);
	assert_in_range(s->now - since, 0, 5 * SHARE_MS);
	before = share_stats(s, 1).held_ns;
	compete(s, 1000 * SHARE_MS);
	assert_in_range((share_stats(s, 1).held_ns - before) / SHARE_MS, 400,
			600);
}

/* ---- guests that do not let go ---- */

static void test_forced(void **state)
{
	struct share *s = *state;
	struct dmm_stats stats;
	uint8_t byte = 0x77;
	uint64_t since;

	share_up_all(s);
	own(s, 0);
	share_remote(s, 0, 0x7000, 64, true);
	share_io(s, 0, NE2K_DATA, 1, true, &byte, 1);
	since = s->now;
	own(s, 1);
	assert_in_range(s->now - since, 90 * SHARE_MS, 110 * SHARE_MS);
	dmm_stats(s->dmm, &stats);
	assert_int_equal(stats.forced, 1);
	assert_int_equal(s->guest[0].reports, 1);
	assert_int_equal(s->guest[0].offence, DMM_FORCED);
	assert_int_equal(s->resets, 1); /* that of opening: none was needed */
	/* its transfer is over, but the rest of its chip goes on */
	assert_string_equal(dmm_state(s->dmm, 0, "remote"), "idle");
	assert_string_equal(dmm_state(s->dmm, 0, "chip"), "running");
	share_io(s, 0, NE2K_DATA, 1, false, &byte, 1);
	assert_int_equal(byte, 0xff);
	assert_false(share_in(s, 0, P0_ISR) & ISR_RDC);
	send_one(s, 0, 1);
	send_one(s, 1, 1);
}

/* Only who waited for so long forces: not who comes later. */
static void test_not_forced(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	struct dmm_stats stats;

	share_up_all(s);
	share_make(&f, share_outside, share_mac(0), 0xa0, 0, 1500);
	share_load(s, 0, SHARE_TX, &f);
	share_ring(s, 0, SHARE_TX, 1500);
	assert_int_equal(try_out(s, 0, P0_TPSR, 0x60), DMM_HOLD);
	share_pass(s, 300 * SHARE_MS);
	own(s, 1);
	share_remote(s, 1, 0x7000, 64, false);
	share_pass(s, 40 * SHARE_MS);
	dmm_stats(s->dmm, &stats);
	assert_int_equal(stats.forced, 0);
	share_io(s, 1, NE2K_DATA, 2, false, (uint8_t[64]){ 0 }, 32);
	assert_true(share_in(s, 1, P0_ISR) & ISR_RDC);
}

/* A long lease, and a transfer begun at its very end: there is time for it. */
static void test_grace(void **state)
{
	struct share *s = *state;
	struct worker w = { 0 };
	struct dmm_stats stats;
	uint64_t since;

	share_up_all(s);
	own(s, 0);
	since = s->now;
	assert_int_equal(try_out(s, 1, P0_RBCR0, 2), DMM_PASS);
	assert_int_equal(try_out(s, 1, P0_RBCR1, 0), DMM_PASS);
	assert_int_equal(try_out(s, 1, P0_RSAR1, 0x70), DMM_PASS);
	assert_int_equal(try_out(s, 1, NE2K_CR, CR_STA | CR_RD_READ), DMM_PASS);
	while (s->now - since < 99 * SHARE_MS || w.at)
		work(s, 0, &w);
	assert_int_equal(dmm_owner(s->dmm), 0);
	share_remote(s, 0, 0x7000, 64, false);
	share_pass(s, 10 * SHARE_MS);
	share_io(s, 0, NE2K_DATA, 2, false, w.data, 32);
	share_pass(s, 10 * SHARE_MS);
	dmm_stats(s->dmm, &stats);
	assert_int_equal(stats.forced, 0);
	assert_int_equal(dmm_owner(s->dmm), 1);
}

/*
 * A page of the ring whose bytes look like a frame of the guest's own, read
 * and given back: sent while parked it is as it was checked; later it is gone.
 */
static void test_read_page(void **state)
{
	struct share *s = *state;
	struct share_frame f, own_one, got;
	unsigned int i;

	share_up_all(s);
	own(s, 0);
	share_make(&f, share_mac(0), share_outside, 0xc0, 0, 700);
	share_make(&own_one, share_outside, share_mac(0), 0xa0, 0, 100);
	memcpy(f.bytes + 252, own_one.bytes, 100); /* a page behind */
	for (i = 0; i < 2; i++) {
		own(s, 0);
		share_wire(s, &f);
		assert_true(share_recv(s, 0, &got));
		own(s, 1);
		if (i)
			own(s, 0);
		share_ring(s, 0, SHARE_START + 3 * i + 1, 100);
		own(s, 0);
		share_pass(s, 5 * SHARE_MS);
		assert_int_equal(s->wire.n, 1);
		assert_true(share_same(&s->wire.at[0], &own_one));
	}
	assert_int_equal(s->guest[0].offence, DMM_SPOOFED);
}

/* A card that never ends a frame: reset before the next guest has it. */
static void test_stuck(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	share_make(&f, share_outside, share_mac(0), 0xa0, 0, 1500);
	share_load(s, 0, SHARE_TX, &f);
	s->stuck = true;
	share_ring(s, 0, SHARE_TX, 1500);
	own(s, 1);
	assert_int_equal(s->resets, 2);
	s->stuck = false;
	send_one(s, 1, 0);
	assert_int_equal(s->wire.n, 1);
	send_one(s, 0, 1);
	assert_int_equal(s->wire.n, 2);
	assert_int_equal(share_stats(s, 0).violations, 1);
}

static void test_leave(void **state)
{
	struct share *s = *state;
	uint64_t since;

	share_up_all(s);
	own(s, 0);
	share_remote(s, 0, 0x7000, 64, true);
	dmm_leave(s->dmm, 0);
	assert_false(s->guest[0].level);
	since = s->now;
	own(s, 1);
	assert_in_range(s->now - since, 0, 5 * SHARE_MS);
	assert_int_equal(share_stats(s, 0).violations, 0);
	send_one(s, 1, 0);
	share_pass(s, 200 * SHARE_MS);
	assert_int_equal(dmm_owner(s->dmm), 1);
	dmm_leave(s->dmm, 1);
	share_pass(s, 200 * SHARE_MS);
	dmm_quiet(s->dmm);
	assert_false(s->ne->running);
}

static void test_guest_reset(void **state)
{
	struct share *s = *state;
	uint64_t since;

	share_up_all(s);
	own(s, 0);
	share_out(s, 0, NE2K_CR, CR_STA | 1 << 6);
	share_out(s, 0, NE2K_CR, CR_STA);
	share_remote(s, 0, 0x7000, 64, true);
	dmm_guest_reset(s->dmm, 0);
	assert_int_equal(share_in(s, 0, NE2K_CR), CR_RD2 | CR_STP);
	assert_int_equal(share_in(s, 0, P0_ISR), ISR_RST);
	since = s->now;
	own(s, 1);
	assert_in_range(s->now - since, 0, 5 * SHARE_MS);
	share_up(s, 0, RCR_AB);
	send_one(s, 0, 0);
	send_one(s, 1, 0);
	assert_int_equal(share_stats(s, 0).violations, 0);
}

/* By the reset port, from a page of its own, in mid-transfer. */
static void test_chip_reset(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int i;

	share_up_all(s);
	for (i = 0; i < 4; i++) {
		own(s, 0);
		share_remote(s, 0, 0x7000, 64, true);
		share_out(s, 0, NE2K_CR, CR_RD2 | CR_STA | (i & 3) << 6);
		if (i & 1)
			share_in(s, 0, NE2K_RESET + i);
		else
			share_out(s, 0, NE2K_RESET + i, 0);
		assert_int_equal(share_in(s, 0, NE2K_CR), CR_RD2 | CR_STP);
		assert_true(share_in(s, 0, P0_ISR) & ISR_RST);
		assert_string_equal(dmm_state(s->dmm, 0, "remote"), "idle");
		/* what the part keeps is what the context says */
		assert_int_equal(s->ne->pstart, 0);
		assert_int_equal(s->ne->tpsr, 0);
		own(s, 1);
		assert_int_equal(share_get(s, 1, P1_CURR), s->guest[1].next);
		send_one(s, 1, i);
		share_up(s, 0, RCR_AB);
		own(s, 0);
		share_make(&f, share_mac(0), share_outside, 0xc0, i, 900);
		share_wire(s, &f);
		assert_true(share_recv(s, 0, &f));
	}
}

/* ---- many hand-overs ---- */

/* Frames that a guest has not read yet and what it wrote come along. */
static void test_many(void **state)
{
	struct share *s = *state;
	struct share_frame in[DMM_MAX_GUESTS], f, got;
	uint8_t note[64], back[64];
	unsigned int i, g, rounds = 10000 / s->guests;
	bool pending[DMM_MAX_GUESTS] = { false };

	share_up_all(s);
	memset(note, 0x11, sizeof(note));
	for (i = 0; i < rounds; i++)
		for (g = 0; g < s->guests; g++) {
			if (i) {
				share_read(s, g, 0x4b80, back, sizeof(back));
				note[0] = (uint8_t)(i - 1);
				note[1] = (uint8_t)g;
				assert_memory_equal(back, note, sizeof(note));
			}
			note[0] = (uint8_t)i;
			note[1] = (uint8_t)g;
			share_write(s, g, 0x4b80, note, sizeof(note));
			assert_int_equal(share_recv(s, g, &got), pending[g]);
			if (pending[g])
				assert_true(share_same(&got, &in[g]));
			share_make(&in[g], share_mac(g), share_outside,
				   (uint8_t)(0xc0 + g), i,
				   60 + (i * 31 + g) % 1400);
			share_wire(s, &in[g]);
			pending[g] = true;
			if (i % 8)
				continue;
			share_make(&f, share_outside, share_mac(g),
				   (uint8_t)(0xa0 + g), i, 60 + i % 1400);
			share_send(s, g, &f);
			assert_true(share_same(&s->wire.at[s->wire.n - 1], &f));
		}
	assert_int_equal(s->wire.n, (rounds + 7) / 8 * s->guests);
	if (drops(s))
		assert_true(share_switches(s) >= rounds * s->guests - 1);
	for (g = 0; g < s->guests; g++) {
		assert_int_equal(share_stats(s, g).frames_sent,
				 (rounds + 7) / 8);
		assert_int_equal(share_stats(s, g).frames_received,
				 rounds - drops(s));
		assert_int_equal(share_stats(s, g).violations, 0);
		assert_int_equal(share_stats(s, g).drops, 0);
	}
}

#define MODE_TEST(mode, f)                                           \
	{                                                            \
#mode ": " #f, f, share_setup, share_teardown, &mode \
	}

int main(void)
{
	static struct share_conf drop = { .how = DMM_LEASE,
					  .when_parked = DMM_DROP };
	static struct share_conf drop_8 = { .how = DMM_LEASE,
					    .when_parked = DMM_DROP,
					    .guests = 8 };
	static struct share_conf weights = { .how = DMM_LEASE,
					     .when_parked = DMM_DROP,
					     .guests = 3,
					     .weight = { 6, 3, 1 } };
	static struct share_conf uneven = { .how = DMM_LEASE,
					    .when_parked = DMM_DROP,
					    .weight = { 1000, 1 } };
	const struct CMUnitTest tests[] = {
		MODE_TEST(drop, test_banks),
		MODE_TEST(drop, test_causes),
		MODE_TEST(drop, test_causes_return),
		MODE_TEST(drop, test_tally),
		MODE_TEST(drop, test_status),
		MODE_TEST(drop, test_doorbell),
		MODE_TEST(drop, test_wake),
		MODE_TEST(weights, test_weights),
		MODE_TEST(drop, test_max_park),
		MODE_TEST(drop_8, test_max_park),
		MODE_TEST(drop, test_idle_owner),
		MODE_TEST(drop, test_forced),
		MODE_TEST(drop, test_not_forced),
		MODE_TEST(uneven, test_grace),
		MODE_TEST(drop, test_read_page),
		MODE_TEST(drop, test_stuck),
		MODE_TEST(drop, test_leave),
		MODE_TEST(drop, test_guest_reset),
		MODE_TEST(drop, test_chip_reset),
		MODE_TEST(drop, test_many),
		MODE_TEST(drop_8, test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
