/* SPDX-License-Identifier: MIT */
/*
 * test_hostile.c: guest 0 does what no driver does; guest 1, its neighbour,
 * must not notice.  And, with a safeguard taken away, that it would.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dmm/mon.h"
#include "hostile.h"

#define SECRET HOSTILE_SECRET
#define RUN 4 /* that many of it in a row are no accident */

#define CASES_MAX 32

/* ---- what must hold after each ---- */

static uint64_t sum(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--)
		h = (h ^ *b++) * UINT64_C(0x100000001b3);
	return h;
}

/*
 * All of the neighbour that is not a count of frames or time.  With drop it
 * may have had the card meanwhile, for it listens: then what it wrote.
 */
static uint64_t context_of(const struct share *s)
{
	const struct context *c = &s->dmm->guest[1];
	const struct reg *reg;
	uint64_t h = 1;
	unsigned int i;

	for (i = 0; i < s->model->regs; i++) {
		reg = &s->model->reg[i];
		if (!hostile_drops(s) || (reg->writable && !reg->vol))
			h = sum(h, c->reg + reg->slot,
				reg->dim * sizeof(*c->reg));
	}
	h = sum(h, c->state, s->model->machines * sizeof(*c->state));
	for (i = 0; i < s->model->memory_bytes / PAGE; i++)
		if (!hostile_drops(s) || c->kept[i] == KEPT_WRITTEN)
			h = sum(h, c->memory + i * PAGE, PAGE);
	return h;
}

static struct share_frame unread[3], unsent;

/* The neighbour: secrets in its ring, in its buffers and under way. */
static void settle_neighbour(struct share *s)
{
	uint8_t fill[0x600];
	unsigned int i;

	share_up_all(s);
	memset(fill, SECRET, sizeof(fill));
	for (i = 0x4000; i < 0x4c00; i += sizeof(fill))
		share_write(s, 1, i, fill, sizeof(fill));
	share_write(s, 1, 0xb800, fill, sizeof(fill));
	for (i = 0; i < ARRAY_LEN(unread); i++) {
		share_make(&unread[i], share_mac(1), share_outside, SECRET, i,
			   700 + i);
		share_wire(s, &unread[i]);
	}
	share_make(&unsent, share_outside, share_mac(1), SECRET, 7, 1200);
	share_load(s, 1, SHARE_TX, &unsent);
	share_remote(s, 0, 0x7000, 2, false); /* the card changes hands */
	hostile_suck(s, 2, 1);
	hostile_abort(s);
	if (hostile_drops(s))
		assert_int_equal(dmm_owner(s->dmm), 0);
}

static void expect_honest_wire(const struct share *s, size_t from)
{
	const struct share_frame *f;
	size_t i;

	for (i = from; i < s->wire.n; i++) {
		f = &s->wire.at[i];
		if (memcmp(f->bytes + 6, share_mac(0), 6))
			fail_msg("frame %zu from %02x:%02x:%02x:%02x:%02x:%02x",
				 i, f->bytes[6], f->bytes[7], f->bytes[8],
				 f->bytes[9], f->bytes[10], f->bytes[11]);
		if (memchr(f->bytes + 14, SECRET, 4))
			fail_msg("frame %zu has its neighbour's bytes", i);
	}
}

/* It reads its ring and sends its frame as if nothing had been. */
static void expect_unharmed(struct share *s)
{
	struct share_frame got;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(unread); i++) {
		assert_true(share_recv(s, 1, &got));
		assert_true(share_same(&got, &unread[i]));
	}
	share_ring(s, 1, SHARE_TX, unsent.len);
	assert_true(share_wait_sent(s, 1));
	assert_true(share_same(&s->wire.at[s->wire.n - 1], &unsent));
	assert_int_equal(share_stats(s, 1).violations, 0);
	share_make(&got, share_mac(1), share_outside, SECRET, 9, 900);
	share_wire(s, &got);
	assert_true(share_recv(s, 1, &got));
}

static void run_case(struct share *s, unsigned int i)
{
	uint64_t before, after;
	unsigned int k;
	size_t sent;

	settle_neighbour(s);
	before = context_of(s);
	sent = s->wire.n;
	hostile_cases[i].run(s);
	after = context_of(s);
	share_pass(s, 5 * SHARE_MS);
	expect_honest_wire(s, sent);
	if (hostile_cases[i].run != hostile_claims || hostile_drops(s))
		assert_true(before == after);
	if (hostile_cases[i].run == hostile_claims && !hostile_drops(s))
		return; /* it has read its frames by now */
	if (share_leaked(s, 0, SECRET, RUN))
		fail_msg("%s: it read of its neighbour", hostile_cases[i].name);
	assert_int_equal(s->ne->ee, 0);
	assert_int_equal(s->ne->config2, 0x40);
	assert_int_equal(s->ne->config3, 0x40);
	expect_unharmed(s);
	/* and once more, when the card has been the neighbour's */
	hostile_out(s, P0_PSTART, 1, SHARE_START);
	hostile_out(s, P0_PSTOP, 1, SHARE_STOP);
	for (k = 0; k < 10; k++)
		hostile_read_all(s);
	assert_true(s->guest[0].read[s->guest[0].n - 0x100] != 0xff);
	if (share_leaked(s, 0, SECRET, RUN))
		fail_msg("%s: it read what its neighbour left",
			 hostile_cases[i].name);
}

/* One test a case and mode; a new rig each. */
static const struct share_conf modes[] = {
	{ .how = DMM_LEASE, .when_parked = DMM_DROP },
	{ .how = DMM_LEASE, .when_parked = DMM_SPOOL },
	{ .how = DMM_LEASE, .when_parked = DMM_DROP, .policy = DMM_ABORT },
	{ .how = DMM_LEASE, .when_parked = DMM_SPOOL, .policy = DMM_ABORT },
	{ .how = DMM_LEASE, .when_parked = DMM_SPOOL, .wire_bps = 1000000 },
};

static void test_case(void **state)
{
	unsigned int i = (unsigned int)(uintptr_t)*state, m;

	for (m = 0; m < ARRAY_LEN(modes); m++) {
		struct share *s = share_open(&modes[m]);

		run_case(s, i);
		share_close(s);
	}
}

/* Alone on the card, it can still not send as somebody else. */
static void test_exclusive(void **state)
{
	static const struct share_conf conf = { .how = DMM_EXCLUSIVE };
	unsigned int i;

	(void)state;
	for (i = 0; hostile_cases[i].name; i++) {
		struct share *s;

		if (hostile_cases[i].run == hostile_claims)
			continue; /* it has the card, and may */
		s = share_open(&conf);
		share_up(s, 0, RCR_AB);
		hostile_cases[i].run(s);
		share_pass(s, 5 * SHARE_MS);
		expect_honest_wire(s, 0);
		assert_int_equal(s->ne->ee, 0);
		share_close(s);
	}
}

/* A guest that must stop for it, does. */
static void test_stop(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.policy = DMM_POLICY_STOP };
	struct share *s = share_open(&conf);
	uint8_t cr = CR_STA | CR_RD_READ;

	(void)state;
	share_up_all(s);
	share_out16(s, 0, P0_RSAR0, 0xc000);
	share_out16(s, 0, P0_RBCR0, 4);
	assert_int_equal(share_io(s, 0, NE2K_CR, 1, true, &cr, 1), DMM_STOP);
	assert_int_equal(s->guest[0].offence, DMM_REFUSED);
	share_close(s);
}

/* ---- a frame that comes in while its guest is away ---- */

/* What the card had of frames that it gave up, and what a reset forgets. */
static void test_leftovers(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.when_parked = DMM_DROP };
	struct share_frame f;
	unsigned int i, how;
	uint8_t byte, all[0x1000];

	(void)state;
	for (how = 0; how < 6; how++) {
		struct share *s = share_open(&conf);

		share_up_all(s);
		share_read(s, 1, 0x4000, &byte, 1);
		for (i = 0; i < 12; i++) { /* the ring runs over */
			share_make(&f, share_mac(1), share_outside, SECRET, i,
				   1514);
			share_wire(s, &f);
		}
		if (how == 1)
			share_in(s, 1, NE2K_RESET);
		if (how == 2)
			dmm_guest_reset(s->dmm, 1);
		if (how == 3)
			dmm_leave(s->dmm, 1);
		if (how == 4) {
			share_out(s, 1, P0_PSTOP, 0x50);
			share_set(s, 1, P1_CURR, SHARE_START);
			share_out(s, 1, P0_BNRY, SHARE_START);
		}
		if (how == 5)
			share_up(s, 1, RCR_AB);
		for (i = 0x4000; i < 0xc000; i += sizeof(all))
			share_read(s, 0, i, all, sizeof(all));
		assert_int_equal(dmm_owner(s->dmm), 0);
		if (share_leaked(s, 0, SECRET, RUN))
			fail_msg("it read what was received (%u)", how);
		share_close(s);
	}
}

/* Nor what was on the card before. */
static void test_before(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.when_parked = DMM_DROP };
	struct share *s = share_open(&conf);

	(void)state;
	memset(s->ne->ram, SECRET, sizeof(s->ne->ram));
	share_up(s, 0, RCR_AB);
	hostile_read_all(s);
	assert_false(share_leaked(s, 0, SECRET, RUN));
	share_close(s);
}

/* What lies partly on the data port does not reach it, counted or not. */
static void test_straddle(void **state)
{
	static const struct share_conf conf = { .how = DMM_LEASE,
						.when_parked = DMM_DROP };
	struct share *s = share_open(&conf);
	unsigned int off, width;
	uint64_t v;

	(void)state;
	share_up(s, 0, RCR_AB);
	share_read(s, 0, 0x4000, &v, 2);
	share_remote(s, 0, 0x5000, 0x100, false);
	for (width = 2; width <= 8; width *= 2)
		for (off = 0x10 - width + 1; off < 0x18; off++) {
			if (off >= 0x10 && off % width == 0 && width < 8)
				continue; /* as it should be */
			v = hostile_in(s, off, width);
			assert_int_equal(v, UINT64_MAX >> (64 - 8 * width));
			hostile_out(s, off, width, 0);
			assert_int_equal(s->ne->rsar, 0x5000);
			assert_int_equal(s->ne->rbcr, 0x100);
			assert_true(s->ne->running);
		}
	share_close(s);
}

/* ---- without a safeguard, it shows ---- */

/* Nothing but what came in for it: no transfer of its own is needed. */
static void settle_ring(struct share *s)
{
	struct share_frame f;

	share_up_all(s);
	share_make(&f, share_mac(1), share_outside, SECRET, 0, 1500);
	share_wire(s, &f);
}

static bool reads_neighbour(unsigned int when_parked, unsigned int without,
			    void (*attack)(struct share *s))
{
	struct share_conf conf = { .how = DMM_LEASE,
				   .when_parked = when_parked,
				   .without = without };
	struct share *s = share_open(&conf);
	bool leaked;

	if (when_parked == DMM_SPOOL)
		settle_ring(s);
	else
		settle_neighbour(s);
	attack(s);
	leaked = share_leaked(s, 0, SECRET, RUN);
	share_close(s);
	return leaked;
}

static void read_outside(struct share *s)
{
	hostile_remote(s, 0x9000, 0x7000, 1); /* to the neighbour's ring */
	hostile_suck(s, 2, 0x37f0);
}

static void read_behind(struct share *s)
{
	hostile_remote(s, 0xbf00, 0x100, 1);
	hostile_suck(s, 2, 0x2000);
}

static void hear_neighbour(struct share *s)
{
	struct share_frame f;

	share_make(&f, share_mac(1), share_outside, SECRET, 99, 400);
	share_wire(s, &f);
	hostile_read_all(s);
}

static void test_without_range(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_SPOOL, 0, read_outside));
	assert_true(
		reads_neighbour(DMM_SPOOL, DMM_WITHOUT_RANGE, read_outside));
}

static void test_without_scrub(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_DROP, 0, hostile_read_all));
	assert_true(
		reads_neighbour(DMM_DROP, DMM_WITHOUT_SCRUB, hostile_read_all));
}

static void test_without_count(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_SPOOL, 0, read_behind));
	assert_true(reads_neighbour(DMM_SPOOL, DMM_WITHOUT_COUNT, read_behind));
}

static void test_without_filter(void **state)
{
	(void)state;
	assert_false(reads_neighbour(DMM_SPOOL, 0, hear_neighbour));
	assert_true(
		reads_neighbour(DMM_SPOOL, DMM_WITHOUT_FILTER, hear_neighbour));
}

static void test_without_source(void **state)
{
	unsigned int m, without;

	(void)state;
	for (m = 0; m < 4; m++) {
		struct share_conf conf = { .how = DMM_LEASE,
					   .when_parked = m & 1 ? DMM_DROP :
								  DMM_SPOOL };
		struct share_frame f;
		struct share *s;

		without = m & 2 ? DMM_WITHOUT_SOURCE : 0;
		conf.without = without;
		s = share_open(&conf);
		share_up_all(s);
		share_make(&f, share_outside, share_mac(1), 0x66, 0, 100);
		share_load(s, 0, SHARE_TX, &f);
		share_ring(s, 0, SHARE_TX, 100);
		share_pass(s, SHARE_MS);
		assert_int_equal(share_frames_have(&s->wire, &f), without != 0);
		assert_int_equal(s->guest[0].reports, without == 0);
		share_close(s);
	}
}

int main(void)
{
	struct CMUnitTest tests[10 + CASES_MAX] = {
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_straddle),
		cmocka_unit_test(test_without_range),
		cmocka_unit_test(test_without_scrub),
		cmocka_unit_test(test_without_count),
		cmocka_unit_test(test_without_filter),
		cmocka_unit_test(test_without_source),
	};
	unsigned int i;

	for (i = 0; i < CASES_MAX && hostile_cases[i].name; i++)
		tests[10 + i] = (struct CMUnitTest){
			.name = hostile_cases[i].name,
			.test_func = test_case,
			.initial_state = (void *)(uintptr_t)i,
		};
	return _cmocka_run_group_tests("tests", tests, 10 + i, NULL, NULL);
}
