/* SPDX-License-Identifier: MIT */
/*
 * test_share.c: frames of guests that share a card, in every mode: each gets
 * its own, whole and once, and the numbers say so.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "share.h"

static bool drops(const struct share *s)
{
	return s->conf.how == DMM_LEASE && s->conf.when_parked == DMM_DROP;
}

static bool spools(const struct share *s)
{
	return s->conf.how == DMM_LEASE && s->conf.when_parked == DMM_SPOOL;
}

/* With drop, a guest hears while it has the card: make it have it. */
static void own(struct share *s, unsigned int g)
{
	uint8_t byte;

	if (drops(s))
		share_read(s, g, SHARE_TX << 8, &byte, 1);
}

static void expect_nothing(struct share *s)
{
	struct share_frame got;
	unsigned int g;

	for (g = 0; g < s->guests; g++)
		if (share_recv(s, g, &got))
			fail_msg("guest %u got %02x %02x… of %zu bytes", g,
				 got.bytes[0], got.bytes[20], got.len);
}

static void expect(struct share *s, unsigned int g, const struct share_frame *f)
{
	struct share_frame got;

	if (!share_recv(s, g, &got))
		fail_msg("guest %u got nothing", g);
	if (!share_same(&got, f))
		fail_msg("guest %u got another frame", g);
}

/* ---- out ---- */

static void test_out(void **state)
{
	static const size_t lens[] = { 60,  61,	  64,	255, 256,
				       257, 1000, 1513, 1514 };
	struct share *s = *state;
	struct share_frame f;
	uint64_t bytes = 0;
	unsigned int g, i;

	share_up_all(s);
	for (i = 0; i < ARRAY_LEN(lens); i++)
		for (g = 0; g < s->guests; g++) {
			share_make(&f, share_outside, share_mac(g),
				   (uint8_t)(0xa0 + g), i, lens[i]);
			share_send(s, g, &f);
			assert_int_equal(s->wire.n, i * s->guests + g + 1);
			assert_true(share_same(&s->wire.at[s->wire.n - 1], &f));
			bytes += g ? 0 : lens[i];
		}
	for (g = 0; g < s->guests; g++) {
		assert_int_equal(share_stats(s, g).frames_sent,
				 ARRAY_LEN(lens));
		assert_int_equal(share_stats(s, g).bytes_sent, bytes);
		assert_int_equal(share_stats(s, g).violations, 0);
		assert_int_equal(s->guest[g].sent.n, ARRAY_LEN(lens));
		assert_true(share_same(&s->guest[g].sent.at[i - 1],
				       &s->wire.at[s->wire.n - s->guests + g]));
	}
	expect_nothing(s);
}

/* Two buffers: the second is filled while the first is being sent. */
static void test_ping_pong(void **state)
{
	struct share *s = *state;
	struct share_frame f[8];
	unsigned int g, i;

	share_up_all(s);
	for (g = 0; g < s->guests; g++) {
		for (i = 0; i < ARRAY_LEN(f); i++) {
			share_make(&f[i], share_outside, share_mac(g),
				   (uint8_t)(0xa0 + g), i, 1000 + i);
			share_load(s, g, i & 1 ? SHARE_TX2 : SHARE_TX, &f[i]);
			if (i)
				assert_true(share_wait_sent(s, g));
			share_ring(s, g, i & 1 ? SHARE_TX2 : SHARE_TX,
				   f[i].len);
		}
		assert_true(share_wait_sent(s, g));
		assert_int_equal(s->wire.n, (g + 1) * ARRAY_LEN(f));
		for (i = 0; i < ARRAY_LEN(f); i++)
			assert_true(share_same(
				&s->wire.at[g * ARRAY_LEN(f) + i], &f[i]));
	}
}

/* ---- in ---- */

static void test_unicast(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int g, i;

	share_up_all(s);
	for (i = 0; i < 40; i++)
		for (g = 0; g < s->guests; g++) {
			own(s, g);
			share_make(&f, share_mac(g), share_outside,
				   (uint8_t)(0xc0 + g), i, 60 + 37 * i);
			share_wire(s, &f);
			expect(s, g, &f);
			expect_nothing(s);
		}
	for (g = 0; g < s->guests; g++) {
		assert_int_equal(share_stats(s, g).frames_received, 40);
		assert_int_equal(share_stats(s, g).bytes_received,
				 40 * 60 + 37 * 780);
		assert_int_equal(share_stats(s, g).drops, 0);
	}
	share_make(&f, share_outside, share_mac(0), 0xee, 0, 100);
	share_wire(s, &f); /* to nobody here */
	expect_nothing(s);
}

static void test_broadcast(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int g;

	share_up_all(s);
	share_make(&f, share_everyone, share_outside, 0xbb, 1, 300);
	for (g = 0; g < s->guests; g++) {
		own(s, g);
		if (drops(s) || g == 0)
			share_wire(s, &f);
		expect(s, g, &f);
	}
	expect_nothing(s);
	/* who did not ask for it does not hear it */
	for (g = 0; g < s->guests; g++)
		share_out(s, g, P0_RCR, g ? RCR_AB : 0);
	own(s, 0);
	share_wire(s, &f);
	assert_false(share_recv(s, 0, &f));
}

static void test_multicast(void **state)
{
	static const uint8_t mine[6] = { 0x01, 0x00, 0x5e, 0, 0, 1 };
	static const uint8_t not_mine[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct share *s = *state;
	struct share_frame f, no;
	unsigned int g, i, hash = ne2k_hash(mine);

	assert_int_not_equal(hash, ne2k_hash(not_mine));
	share_up_all(s);
	for (g = 0; g < s->guests; g++)
		for (i = 0; i < 8; i++)
			share_set(s, g, P1_MAR0 + i,
				  i == hash >> 3 ? 1u << (hash & 7) : 0);
	share_make(&f, mine, share_outside, 0xbb, 2, 200);
	share_make(&no, not_mine, share_outside, 0xbc, 3, 200);
	for (g = 0; g < s->guests; g++) {
		own(s, g);
		if (drops(s) || g == 0) {
			share_wire(s, &f);
			share_wire(s, &no);
		}
		expect(s, g, &f);
	}
	expect_nothing(s);
	for (g = 0; g < s->guests; g++)
		share_out(s, g, P0_RCR, RCR_AB); /* no AM */
	own(s, 0);
	share_wire(s, &f);
	expect_nothing(s);
}

/* A chip that stopped, or only monitors, hears nothing. */
static void test_deaf(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	share_make(&f, share_mac(0), share_outside, 0xbb, 2, 200);
	share_out(s, 0, P0_RCR, RCR_AB | RCR_MON);
	own(s, 0);
	share_wire(s, &f);
	assert_false(share_recv(s, 0, &f));
	share_out(s, 0, P0_RCR, RCR_AB);
	share_wire(s, &f);
	expect(s, 0, &f);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_STP);
	share_wire(s, &f);
	assert_int_equal(share_get(s, 0, P1_CURR), s->guest[0].next);
}

/* Neither STA nor STP: the chip goes on as it was. */
static void test_neither(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	own(s, 0);
	share_out(s, 0, NE2K_CR, CR_RD2);
	assert_string_equal(dmm_state(s->dmm, 0, "chip"), "running");
	share_make(&f, share_mac(0), share_outside, 0xbb, 2, 200);
	share_wire(s, &f);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_STA);
	expect(s, 0, &f);
	share_make(&f, share_outside, share_mac(0), 0xbb, 2, 200);
	share_load(s, 0, SHARE_TX, &f);
	share_out(s, 0, P0_TPSR, SHARE_TX);
	share_out16(s, 0, P0_TBCR0, 200);
	share_out(s, 0, NE2K_CR, CR_RD2 | CR_TXP);
	assert_true(share_wait_sent(s, 0));
	assert_true(share_same(&s->wire.at[0], &f));
}

/* The ring's end, its overflow, and BNRY one page in front of the ring. */
static void test_ring_wraps(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int i, at_start = 0;

	share_up_all(s);
	own(s, 0);
	for (i = 0; i < 400; i++) {
		share_make(&f, share_mac(0), share_outside, 0xc1, i,
			   60 + i * 7 % 1454);
		share_wire(s, &f);
		expect(s, 0, &f);
		at_start += share_get(s, 0, P0_BNRY) == SHARE_START - 1;
	}
	assert_true(at_start > 0);
	assert_int_equal(share_stats(s, 0).frames_received, 400);
	assert_int_equal(share_stats(s, 0).drops, 0);
}

static void fill_ring(struct share *s, unsigned int g, unsigned int n)
{
	struct share_frame f;
	unsigned int i;

	for (i = 0; i < n; i++) {
		share_make(&f, share_mac(g), share_outside, 0xd0, i, 1500);
		share_wire(s, &f);
	}
}

static void test_overflow(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int i, g;

	share_up_all(s);
	fill_ring(s, 0, 20);
	assert_true(share_in(s, 0, P0_ISR) & ISR_OVW);
	assert_int_equal(share_stats(s, 0).frames_received, 8);
	assert_int_equal(share_stats(s, 0).drops, 12);
	for (g = 1; g < s->guests; g++) {
		share_make(&f, share_mac(g), share_outside, 0xd1, g, 1500);
		share_wire(s, &f);
		expect(s, g, &f);
		assert_false(share_in(s, g, P0_ISR) & ISR_OVW);
		assert_int_equal(share_stats(s, g).drops, 0);
	}
	/* what was there is there, and it goes on where there is room */
	share_out(s, 0, P0_ISR, ISR_OVW);
	for (i = 0; i < 8; i++) {
		share_make(&f, share_mac(0), share_outside, 0xd0, i, 1500);
		expect(s, 0, &f);
	}
	expect_nothing(s);
	fill_ring(s, 0, 3);
	share_make(&f, share_mac(0), share_outside, 0xd0, 0, 1500);
	expect(s, 0, &f);
	assert_false(share_in(s, 0, P0_ISR) & ISR_OVW);
}

/* The card's own ring runs over: the monitor brings it back. */
static void test_card_overflow(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int i;

	share_up_all(s);
	for (i = 0; i < 30; i++) {
		share_make(&f, share_mac(i & 1), share_outside, 0xd0, i, 1500);
		sim_ne2k.receive(s->ne, f.bytes, f.len, 0);
	}
	share_pass(s, SHARE_MS);
	for (i = 0; i < 9; i++) {
		share_make(&f, share_mac(i & 1), share_outside, 0xd0, i, 1500);
		expect(s, i & 1, &f);
	}
	expect_nothing(s);
	share_make(&f, share_mac(1), share_outside, 0xd2, 0, 1500);
	share_wire(s, &f);
	expect(s, 1, &f);
	share_make(&f, share_outside, share_mac(0), 0xd2, 0, 1500);
	share_send(s, 0, &f);
	assert_true(share_same(&s->wire.at[0], &f));
}

/* ---- between guests ---- */

static void test_siblings(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int a, b, n = 0;

	share_up_all(s);
	for (a = 0; a < s->guests; a++)
		for (b = 0; b < s->guests; b++) {
			if (a == b)
				continue;
			share_make(&f, share_mac(b), share_mac(a),
				   (uint8_t)(0xa0 + a), b, 400 + b);
			share_send(s, a, &f);
			expect(s, b, &f);
			expect_nothing(s);
			n++;
		}
	assert_int_equal(s->wire.n, 0);
	share_make(&f, share_everyone, share_mac(0), 0xa0, 1, 400);
	share_send(s, 0, &f);
	assert_int_equal(s->wire.n, 1); /* others may be outside */
	for (b = 1; b < s->guests; b++)
		expect(s, b, &f);
	expect_nothing(s);
	for (a = 0; a < s->guests; a++) {
		assert_int_equal(share_stats(s, a).frames_sent,
				 n / s->guests + !a);
		assert_int_equal(share_stats(s, a).frames_received,
				 n / s->guests + !!a);
	}
}

/* With drop a sibling is parked, and misses it; that is counted. */
static void test_siblings_drop(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	share_make(&f, share_mac(1), share_mac(0), 0xa0, 0, 400);
	share_send(s, 0, &f);
	assert_int_equal(share_stats(s, 1).drops, 1);
	assert_int_equal(share_stats(s, 0).drops, 0);
	expect_nothing(s);
}

static void test_loopback(void **state)
{
	struct share *s = *state;
	struct share_frame f;

	share_up_all(s);
	share_out(s, 0, P0_TCR, TCR_LB_NIC);
	share_make(&f, share_everyone, share_mac(0), 0xa0, 0, 400);
	share_send(s, 0, &f);
	assert_int_equal(s->wire.n, 0);
	share_out(s, 0, P0_TCR, 0);
	expect_nothing(s);
}

/* A sibling's frames only with mirror, whatever RCR says. */
static void test_promiscuous(void **state)
{
	struct share *s = *state;
	struct share_frame f, got;

	share_up_all(s);
	share_out(s, 0, P0_RCR, RCR_AB | RCR_PRO);
	share_make(&f, share_mac(1), share_outside, 0xc1, 0, 400);
	share_wire(s, &f);
	expect(s, 1, &f);
	assert_int_equal(share_recv(s, 0, &got), s->conf.mirror);
	share_make(&f, share_mac(2), share_mac(1), 0xc1, 0, 400);
	share_send(s, 1, &f);
	expect(s, 2, &f);
	assert_int_equal(share_recv(s, 0, &got), s->conf.mirror);
	/* but what is nobody's it may hear */
	share_make(&f, (uint8_t[6]){ 2, 0, 0, 0, 0, 7 }, share_outside, 0xc1, 0,
		   400);
	share_wire(s, &f);
	expect(s, 0, &f);
	expect_nothing(s);
}

/* The address that the PROM shows is the guest's own. */
static void test_prom(void **state)
{
	struct share *s = *state;
	uint8_t prom[32];
	unsigned int g, i;

	share_up_all(s);
	for (g = 0; g < s->guests; g++) {
		share_read(s, g, 0, prom, sizeof(prom));
		for (i = 0; i < 12; i++)
			assert_int_equal(prom[i], share_mac(g)[i / 2]);
		assert_int_equal(prom[28], 'W');
		assert_int_equal(prom[31], 'W');
		share_remote(s, g, 0, 8, true);
		share_io(s, g, NE2K_DATA, 2, true, prom + 20, 4);
		share_read(s, g, 0, prom, sizeof(prom));
		assert_int_equal(prom[1], share_mac(g)[0]);
	}
}

/* The same traffic, many times over, of all at once. */
static void test_soak(void **state)
{
	struct share *s = *state;
	struct share_frame f;
	unsigned int i, g, seed = 7;
	size_t len;

	share_up_all(s);
	for (i = 0; i < 600; i++) {
		seed = seed * 1103515245u + 12345u;
		g = (seed >> 16) % s->guests;
		len = 60 + (seed >> 8) % 1455;
		own(s, g);
		share_make(&f, share_mac(g), share_outside, (uint8_t)(0x80 + g),
			   i, len);
		share_wire(s, &f);
		expect(s, g, &f);
		share_make(&f, share_outside, share_mac(g), (uint8_t)(0xa0 + g),
			   i, len);
		share_send(s, g, &f);
		assert_true(share_same(&s->wire.at[i], &f));
		assert_int_equal(s->wire.n, i + 1);
	}
	expect_nothing(s);
	for (g = 0; g < s->guests; g++) {
		assert_int_equal(share_stats(s, g).frames_received,
				 share_stats(s, g).frames_sent);
		assert_int_equal(share_stats(s, g).bytes_received,
				 share_stats(s, g).bytes_sent);
	}
	if (!spools(s) && s->guests > 1)
		assert_true(share_switches(s) > 100);
}

#define MODE_TEST(mode, f)                                           \
	{                                                            \
#mode ": " #f, f, share_setup, share_teardown, &mode \
	}
#define EVERY_MODE(f)                                                      \
	MODE_TEST(exclusive, f), MODE_TEST(drop, f), MODE_TEST(drop_8, f), \
		MODE_TEST(spool_1, f), MODE_TEST(spool, f),                \
		MODE_TEST(spool_8, f)

int main(void)
{
	static struct share_conf exclusive = { .how = DMM_EXCLUSIVE };
	static struct share_conf drop = { .how = DMM_LEASE,
					  .when_parked = DMM_DROP };
	static struct share_conf drop_8 = { .how = DMM_LEASE,
					    .when_parked = DMM_DROP,
					    .guests = 8 };
	static struct share_conf spool_1 = { .how = DMM_LEASE, .guests = 1 };
	static struct share_conf spool = { .how = DMM_LEASE };
	static struct share_conf spool_8 = { .how = DMM_LEASE, .guests = 8 };
	static struct share_conf mirror = { .how = DMM_LEASE,
					    .guests = 3,
					    .mirror = true };
	static struct share_conf spool_3 = { .how = DMM_LEASE, .guests = 3 };
	const struct CMUnitTest tests[] = {
		EVERY_MODE(test_out),
		EVERY_MODE(test_ping_pong),
		EVERY_MODE(test_unicast),
		EVERY_MODE(test_broadcast),
		EVERY_MODE(test_multicast),
		EVERY_MODE(test_deaf),
		EVERY_MODE(test_neither),
		EVERY_MODE(test_ring_wraps),
		EVERY_MODE(test_loopback),
		EVERY_MODE(test_prom),
		EVERY_MODE(test_soak),
		MODE_TEST(spool_1, test_overflow),
		MODE_TEST(spool, test_overflow),
		MODE_TEST(spool_8, test_overflow),
		MODE_TEST(spool, test_card_overflow),
		MODE_TEST(spool_8, test_card_overflow),
		MODE_TEST(spool, test_siblings),
		MODE_TEST(spool_8, test_siblings),
		MODE_TEST(drop, test_siblings_drop),
		MODE_TEST(spool_3, test_promiscuous),
		MODE_TEST(mirror, test_promiscuous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
