/* SPDX-License-Identifier: MIT */
/*
 * test_spool.c: one card, driven by the monitor alone for guests with their
 * own registers and memory: who sends when, and what becomes of a frame whose
 * guest is gone, or whose card does not answer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "share.h"

#define STA_TXP (CR_RD2 | CR_TXP | CR_STA)

static void make(struct share_frame *f, unsigned int g, unsigned int seq,
		 size_t len)
{
	share_make(f, share_outside, share_mac(g), (uint8_t)(0xa0 + g), seq,
		   len);
}

/* Put a frame into the guest's memory and ring its bell; do not wait. */
static void start(struct share *s, unsigned int g, const struct share_frame *f)
{
	share_load(s, g, SHARE_TX, f);
	share_ring(s, g, SHARE_TX, f->len);
}

static enum dmm_verdict try_out(struct share *s, unsigned int g,
				unsigned int off, unsigned int value)
{
	uint8_t v = (uint8_t)value;
	struct dmm_access a = {
		.off = off, .data = &v, .count = 1, .width = 1, .write = true
	};

	return share_try(s, g, &a);
}

static void expect_wire(struct share *s, const struct share_frame *f, size_t n)
{
	size_t i;

	if (s->wire.n != n)
		fail_msg("%zu frames on the wire, not %zu", s->wire.n, n);
	for (i = 0; i < n; i++)
		if (!share_same(&s->wire.at[i], &f[i]))
			fail_msg("frame %zu on the wire is another", i);
}

/* ---- registers ---- */

static void test_registers(void **state)
{
	struct share *s = *state;
	unsigned int g, i;

	share_up_all(s);
	for (g = 0; g < s->guests; g++) {
		share_out(s, g, P0_PSTART, 0x50 + g);
		share_set(s, g, P1_CURR, 0x60 + g);
		share_set(s, g, P1_MAR0 + 3, g);
		share_out(s, g, NE2K_CR, CR_RD2 | CR_STA | (g & 3) << 6);
	}
	for (g = 0; g < s->guests; g++) {
		assert_int_equal(share_in(s, g, NE2K_CR),
				 CR_RD2 | CR_STA | (g & 3) << 6);
		assert_int_equal(share_get(s, g, P2_PSTART), 0x50 + g);
		assert_int_equal(share_get(s, g, P1_CURR), 0x60 + g);
		assert_int_equal(share_get(s, g, P1_MAR0 + 3), g);
		for (i = 0; i < 6; i++)
			assert_int_equal(share_get(s, g, P1_PAR0 + i),
					 share_mac(g)[i]);
		assert_int_equal(share_get(s, g, P2_IMR), 0x1f);
	}
}

static void test_lines(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	share_make(&f, share_mac(1), share_outside, 0xc1, 0, 100);
	share_wire(s, &f);
	assert_true(s->guest[1].level);
	assert_false(s->guest[0].level);
	assert_int_equal(share_in(s, 0, P0_ISR), 0);
	assert_int_equal(share_in(s, 1, P0_ISR), ISR_PRX);
	share_out(s, 0, P0_ISR, 0xff);
	assert_true(s->guest[1].level);
	share_out(s, 1, P0_IMR, ISR_PTX);
	assert_false(s->guest[1].level);
	make(&f, 1, 0, 100);
	share_load(s, 1, SHARE_TX, &f);
	share_ring(s, 1, SHARE_TX, 100);
	assert_false(s->guest[1].level);
	share_pass(s, SHARE_MS);
	assert_true(s->guest[1].level);
	share_out(s, 1, P0_ISR, ISR_PTX);
	assert_false(s->guest[1].level);
	assert_int_equal(share_in(s, 1, P0_ISR), ISR_PRX);
}

/* A transfer of one guest in the middle of another's. */
static void test_transfers(void **state)
{
	struct share *s = *state;
	uint8_t a[64], b[64], back[64];
	unsigned int i;

	share_up_all(s);
	memset(a, 0x0a, sizeof(a));
	memset(b, 0x0b, sizeof(b));
	share_remote(s, 0, 0x7000, 64, true);
	share_remote(s, 1, 0x7000, 64, true);
	for (i = 0; i < 64; i += 2) {
		share_io(s, 0, NE2K_DATA, 2, true, a + i, 1);
		share_io(s, 1, NE2K_DATA, 2, true, b + i, 1);
		assert_int_equal(share_in(s, 0, P0_CRDA0), i + 2);
	}
	assert_true(share_in(s, 0, P0_ISR) & ISR_RDC);
	assert_true(share_in(s, 1, P0_ISR) & ISR_RDC);
	share_read(s, 0, 0x7000, back, 64);
	assert_memory_equal(back, a, 64);
	share_read(s, 1, 0x7000, back, 64);
	assert_memory_equal(back, b, 64);
}

/* ---- frames that wait ---- */

static void test_queue(void **state)
{
	struct share *s = *state;
	struct share_frame f[DMM_MAX_GUESTS];
	unsigned int g;

	share_up_all(s);
	for (g = 0; g < s->guests; g++) {
		make(&f[g], g, 0, 1500);
		share_load(s, g, SHARE_TX, &f[g]);
	}
	for (g = 0; g < s->guests; g++)
		share_ring(s, g, SHARE_TX, 1500);
	for (g = 0; g < s->guests; g++) {
		assert_true(share_in(s, g, NE2K_CR) & CR_TXP);
		assert_int_equal(share_in(s, g, P0_ISR), 0);
	}
	for (g = 0; g < s->guests; g++)
		assert_true(share_wait_sent(s, g));
	expect_wire(s, f, s->guests);
}

/*
 * That the card has nothing to do says nothing of a frame that is not on it
 * yet: the neighbour's is done, and the monitor was not told.
 */
static void test_waits(void **state)
{
	struct share *s = *state;
	struct share_frame f[3];
	uint8_t page = SHARE_TX2;
	struct dmm_access a = { .off = P0_TPSR,
				.data = &page,
				.count = 1,
				.width = 1,
				.write = true };

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], 1, 1, 1500);
	make(&f[2], 1, 2, 300);
	share_load(s, 1, SHARE_TX2, &f[2]);
	share_load(s, 1, SHARE_TX, &f[1]);
	start(s, 0, &f[0]);
	share_ring(s, 1, SHARE_TX, 1500);
	s->now += 2 * SHARE_MS;
	(void)!dmm_access(s->dmm, 1, &a);
	a.done = 0;
	share_io(s, 1, P0_TPSR, 1, true, &page, 1);
	share_ring(s, 1, SHARE_TX2, 300);
	share_pass(s, 10 * SHARE_MS);
	expect_wire(s, f, 3);
	assert_int_equal(share_stats(s, 1).frames_sent, 2);
}

/* Who waits for its own frame does not keep the card from others. */
static void test_no_hog(void **state)
{
	struct share *s = *state;
	struct share_frame f[2];
	unsigned int wakes;

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], 1, 1, 1500);
	start(s, 0, &f[0]);
	assert_int_equal(try_out(s, 0, P0_TPSR, 0x60), DMM_HOLD);
	wakes = s->guest[0].wakes;
	share_pass(s, 5 * SHARE_MS);
	assert_true(s->guest[0].wakes > wakes);
	start(s, 1, &f[1]);
	share_pass(s, 5 * SHARE_MS);
	expect_wire(s, f, 2);
}

/* All send whenever they may, for (ns); counts what each had on the wire. */
static void all_send(struct share *s, uint64_t ns, size_t *sent)
{
	uint64_t until = s->now + ns;
	struct share_frame f;
	size_t from = s->wire.n;
	unsigned int g;

	for (g = 0; g < s->guests; g++) {
		sent[g] = 0;
		make(&f, g, 0, 1500);
		share_load(s, g, SHARE_TX, &f);
	}
	while (s->now < until) {
		for (g = 0; g < s->guests; g++)
			if (!(share_in(s, g, NE2K_CR) & CR_TXP))
				share_ring(s, g, SHARE_TX, 1500);
		share_pass(s, 10 * SHARE_US);
	}
	share_pass(s, 20 * SHARE_MS);
	for (; from < s->wire.n; from++)
		sent[s->wire.at[from].bytes[11] - share_mac(0)[5]]++;
}

/* Time that a guest was the last to send is not time that it used. */
static void test_fair(void **state)
{
	struct share *s = *state;
	size_t sent[DMM_MAX_GUESTS], all = 0;
	struct share_frame f;
	unsigned int g;

	share_up_all(s);
	make(&f, 0, 0, 100);
	share_send(s, 0, &f);
	share_pass(s, 10000 * SHARE_MS);
	all_send(s, 500 * SHARE_MS, sent);
	for (g = 0; g < s->guests; g++)
		all += sent[g];
	assert_in_range(all, 330, 430); /* as much as the wire takes */
	for (g = 0; g < s->guests; g++)
		assert_in_range(sent[g], all / s->guests - 2,
				all / s->guests + 2);
}

/*
 * A guest has one frame under way, so a share is at most every second frame:
 * of those that always wait, the heaviest gets that.
 */
static void test_weights(void **state)
{
	struct share *s = *state;
	size_t sent[DMM_MAX_GUESTS];

	share_up_all(s);
	all_send(s, 500 * SHARE_MS, sent);
	assert_in_range(sent[0] * 100 / (sent[0] + sent[1] + sent[2]), 45, 55);
	assert_in_range(sent[1] * 100 / (sent[0] + sent[1] + sent[2]), 20, 30);
}

/* ---- memory that changes ---- */

/* What goes out is what is there then, and its source is looked at then. */
static void test_rewritten(void **state)
{
	struct share *s = *state;
	struct share_frame f[2], forged;

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], 1, 1, 1500);
	make(&forged, 1, 1, 1500);
	start(s, 0, &f[0]);
	/* on the card: it has its own copy */
	share_make(&forged, share_outside, share_mac(1), 0xee, 0, 1500);
	share_load(s, 0, SHARE_TX, &forged);
	share_pass(s, 5 * SHARE_MS);
	expect_wire(s, f, 1);
	/* waits: not sent at all */
	start(s, 1, &f[1]);
	share_ring(s, 0, SHARE_TX, 1500);
	assert_int_equal(share_stats(s, 0).violations, 1);
	share_load(s, 0, SHARE_TX, &f[0]);
	share_out(s, 0, P0_ISR, 0xff);
	share_ring(s, 0, SHARE_TX, 1500);
	share_load(s, 0, SHARE_TX, &forged);
	assert_true(share_wait_sent(s, 0));
	share_pass(s, 5 * SHARE_MS);
	expect_wire(s, (struct share_frame[]){ f[0], f[1] }, 2);
}

/* ---- guests that come and go ---- */

/* A frame on the card goes out whole, whatever its guest does. */
static void test_reset_on_card(void **state)
{
	struct share *s = *state;
	struct share_frame f[3];

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], 1, 1, 1000);
	make(&f[2], 0, 2, 300);
	start(s, 0, &f[0]);
	share_out(s, 0, NE2K_RESET, 0);
	assert_int_equal(share_in(s, 0, NE2K_CR), CR_RD2 | CR_STP);
	start(s, 1, &f[1]);
	share_up(s, 0, RCR_AB);
	share_load(s, 0, SHARE_TX, &f[2]);
	share_out(s, 0, P0_TPSR, SHARE_TX);
	share_out16(s, 0, P0_TBCR0, 300);
	assert_int_equal(try_out(s, 0, NE2K_CR, STA_TXP), DMM_HOLD);
	share_out(s, 0, NE2K_CR, STA_TXP);
	assert_true(share_wait_sent(s, 0));
	assert_true(share_wait_sent(s, 1));
	if (share_same(&s->wire.at[1], &f[2])) {
		s->wire.at[1] = s->wire.at[2];
		s->wire.at[2] = f[2];
	}
	expect_wire(s, f, 3);
}

static void test_reset_waiting(void **state)
{
	struct share *s = *state;
	struct share_frame f[3];

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], 1, 1, 1000);
	start(s, 0, &f[0]);
	start(s, 1, &f[1]);
	share_in(s, 1, NE2K_RESET + 3);
	share_pass(s, 5 * SHARE_MS);
	expect_wire(s, f, 1);
	share_up(s, 1, RCR_AB);
	share_send(s, 1, &f[1]);
	expect_wire(s, f, 2);
	assert_int_equal(share_stats(s, 1).violations, 0);
}

static void test_machine_reset(void **state)
{
	struct share *s = *state;
	struct share_frame f[3];
	uint8_t byte;

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], 1, 1, 1000);
	start(s, 0, &f[0]);
	dmm_guest_reset(s->dmm, 0);
	start(s, 1, &f[1]);
	share_pass(s, 5 * SHARE_MS);
	expect_wire(s, f, 2);
	assert_int_equal(share_in(s, 0, P0_ISR), ISR_RST);
	assert_false(s->guest[0].level);
	share_up(s, 0, RCR_AB);
	share_read(s, 0, SHARE_TX << 8, &byte, 1);
	assert_int_equal(byte, 0); /* nothing is left of before */
	share_send(s, 0, &f[0]);
	assert_int_equal(s->wire.n, 3);
}

static void test_leave(void **state)
{
	struct share *s = *state;
	struct share_frame f[3], in;

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], 2, 1, 1000);
	make(&f[2], 1, 1, 1000);
	start(s, 0, &f[0]);
	start(s, 1, &f[2]);
	start(s, 2, &f[1]);
	dmm_leave(s->dmm, 0); /* on the card: it goes out */
	dmm_leave(s->dmm, 1); /* waits: it does not */
	share_pass(s, 5 * SHARE_MS);
	expect_wire(s, f, 2);
	share_make(&in, share_mac(0), share_outside, 0xc0, 0, 100);
	share_wire(s, &in);
	assert_false(s->guest[0].level);
	assert_int_equal(share_stats(s, 0).frames_received, 0);
	share_make(&in, share_mac(2), share_outside, 0xc2, 0, 100);
	share_wire(s, &in);
	assert_true(share_recv(s, 2, &in));
	share_send(s, 2, &f[1]);
	dmm_quiet(s->dmm);
	assert_false(s->ne->running);
}

/* ---- a card that does not answer ---- */

static void test_stuck(void **state)
{
	struct share *s = *state;
	struct share_frame f[2], in;
	struct dmm_stats stats;
	unsigned int last = s->guests - 1;

	share_up_all(s);
	make(&f[0], 0, 0, 1500);
	make(&f[1], last, 1, 1000);
	s->stuck = true;
	start(s, 0, &f[0]);
	if (last)
		start(s, last, &f[1]);
	share_pass(s, 90 * SHARE_MS);
	dmm_stats(s->dmm, &stats);
	assert_int_equal(stats.forced, 0);
	share_pass(s, 20 * SHARE_MS);
	dmm_stats(s->dmm, &stats);
	assert_int_equal(stats.forced, 1);
	assert_int_equal(s->guest[0].offence, DMM_FAILED);
	assert_true(share_in(s, 0, P0_ISR) & ISR_TXE);
	assert_false(share_in(s, 0, NE2K_CR) & CR_TXP);
	s->stuck = false;
	if (!last)
		start(s, last, &f[1]);
	share_pass(s, 5 * SHARE_MS);
	expect_wire(s, &f[1], 1);
	share_make(&in, share_mac(0), share_outside, 0xc0, 0, 100);
	share_wire(s, &in);
	assert_true(share_recv(s, 0, &f[0]));
	assert_true(share_same(&f[0], &in));
}

/* ---- many ---- */

static void test_many(void **state)
{
	struct share *s = *state;
	struct share_frame f, in, got;
	unsigned int i, g, n = 0;

	share_up_all(s);
	for (i = 0; n < 10000; i++)
		for (g = 0; g < s->guests; g++, n++) {
			make(&f, g, n, 60 + n * 31 % 1400);
			share_load(s, g, SHARE_TX, &f);
			share_ring(s, g, SHARE_TX, f.len);
			share_make(&in, share_mac((g + 1) % s->guests),
				   share_outside, 0xc0, n, 60 + n * 17 % 1400);
			share_wire(s, &in);
			assert_true(share_recv(s, (g + 1) % s->guests, &got));
			assert_true(share_same(&got, &in));
			assert_true(share_wait_sent(s, g));
			assert_int_equal(s->wire.n, n + 1);
			assert_true(share_same(&s->wire.at[n], &f));
		}
	assert_true(share_switches(s) >= 9999);
	for (g = 0; g < s->guests; g++) {
		assert_int_equal(share_stats(s, g).frames_sent, i);
		assert_int_equal(share_stats(s, g).frames_received, i);
		assert_int_equal(share_stats(s, g).drops, 0);
		assert_int_equal(share_stats(s, g).violations, 0);
	}
}

#define MODE_TEST(mode, f)                                           \
	{                                                            \
#mode ": " #f, f, share_setup, share_teardown, &mode \
	}

int main(void)
{
	static struct share_conf one = { .how = DMM_LEASE, .guests = 1 };
	static struct share_conf two = { .how = DMM_LEASE };
	static struct share_conf three = { .how = DMM_LEASE, .guests = 3 };
	static struct share_conf eight = { .how = DMM_LEASE, .guests = 8 };
	static struct share_conf heavy = { .how = DMM_LEASE,
					   .guests = 3,
					   .weight = { 8, 1, 1 } };
	const struct CMUnitTest tests[] = {
		MODE_TEST(two, test_registers),
		MODE_TEST(eight, test_registers),
		MODE_TEST(two, test_lines),
		MODE_TEST(two, test_transfers),
		MODE_TEST(two, test_queue),
		MODE_TEST(eight, test_queue),
		MODE_TEST(two, test_waits),
		MODE_TEST(two, test_no_hog),
		MODE_TEST(three, test_fair),
		MODE_TEST(eight, test_fair),
		MODE_TEST(heavy, test_weights),
		MODE_TEST(two, test_rewritten),
		MODE_TEST(two, test_reset_on_card),
		MODE_TEST(two, test_reset_waiting),
		MODE_TEST(two, test_machine_reset),
		MODE_TEST(three, test_leave),
		MODE_TEST(one, test_stuck),
		MODE_TEST(two, test_stuck),
		MODE_TEST(two, test_many),
		MODE_TEST(eight, test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
