/* SPDX-License-Identifier: MIT */
/*
 * test_sched.c: shares by weight, leases within the longest park, and no
 * credit for who was away.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dmm/sched.h"

#define MS 1000000u

static struct sched s;

static void shares(void **ctx)
{
	static const uint32_t weight[] = { 1, 2, 5 };
	uint64_t had[3] = { 0 };
	unsigned int i;
	int next;

	(void)ctx;
	sched_init(&s, 3, weight, 80 * MS, 0);
	assert_int_equal(s.lease_ns[0], 10 * MS);
	assert_int_equal(s.lease_ns[1], 20 * MS);
	assert_int_equal(s.lease_ns[2], 50 * MS);
	for (i = 0; i < 3; i++)
		sched_want(&s, i);
	for (i = 0; i < 800; i++) {
		next = sched_pick(&s, 7);
		assert_in_range(next, 0, 2);
		had[next] += MS;
		sched_charge(&s, (unsigned int)next, MS);
	}
	for (i = 0; i < 3; i++)
		assert_in_range(had[i], (100 * weight[i] - 2) * MS,
				(100 * weight[i] + 2) * MS);
}

static void pick(void **ctx)
{
	static const uint32_t weight[] = { 1, 1, 1, 1 };

	(void)ctx;
	sched_init(&s, 4, weight, 100 * MS, 0);
	assert_int_equal(sched_pick(&s, 0), -1);
	assert_int_equal(sched_pick(&s, 1 << 4), -1); /* there is none */
	assert_int_equal(sched_pick(&s, 0xf), 0);
	assert_int_equal(sched_pick(&s, 0xc), 2);
	sched_charge(&s, 2, 1);
	assert_int_equal(sched_pick(&s, 0xc), 3);
	assert_int_equal(sched_pick(&s, 0x4), 2);
}

/* The longest park is all the others' leases, whatever is asked for. */
static void leases(void **ctx)
{
	uint32_t weight[DMM_MAX_GUESTS];
	uint64_t sum = 0;
	unsigned int i;

	(void)ctx;
	weight[0] = weight[1] = 1;
	sched_init(&s, 2, weight, 100 * MS, 5 * MS);
	assert_int_equal(s.lease_ns[0], 5 * MS);
	sched_init(&s, 2, weight, 100 * MS, 500 * MS);
	assert_int_equal(s.lease_ns[0], 50 * MS);
	sched_init(&s, 2, weight, 100 * MS, UINT64_MAX);
	assert_int_equal(s.lease_ns[0], 50 * MS);
	sched_init(&s, 2, weight, 100 * MS, UINT64_C(1) << 63);
	assert_int_equal(s.lease_ns[0], 50 * MS);
	sched_init(&s, 1, weight, 0, 0);
	assert_int_equal(s.lease_ns[0], 0);
	for (i = 0; i < DMM_MAX_GUESTS; i++)
		weight[i] = i == 3 ? 1000 : 1;
	sched_init(&s, DMM_MAX_GUESTS, weight, 100 * MS, 10 * MS);
	for (i = 0; i < DMM_MAX_GUESTS; i++)
		sum += s.lease_ns[i];
	assert_true(sum <= 100 * MS);
	assert_true(s.lease_ns[3] > 90 * MS);
	assert_true(s.lease_ns[15] > 0);
}

static void no_credit(void **ctx)
{
	static const uint32_t weight[] = { 1, 1, 1 };

	(void)ctx;
	sched_init(&s, 3, weight, 100 * MS, 0);
	sched_want(&s, 0);
	sched_charge(&s, 0, 1000 * MS);
	sched_want(&s, 1); /* it comes late, and starts where the others are */
	assert_int_equal(s.vtime[1], s.vtime[0]);
	sched_charge(&s, 1, MS);
	assert_int_equal(sched_pick(&s, 3), 0);
	sched_want(&s, 1); /* once more changes nothing */
	assert_true(s.vtime[1] > s.vtime[0]);
	sched_unwant(&s, 1);
	sched_want(&s, 1); /* and to leave does not lose a debt */
	assert_true(s.vtime[1] > s.vtime[0]);
	sched_unwant(&s, 0);
	sched_unwant(&s, 1);
	sched_want(&s, 2); /* nobody to compare it with */
	assert_int_equal(s.vtime[2], 0);
}

/* Virtual time may wrap in a machine that runs for years. */
static void years(void **ctx)
{
	static const uint32_t weight[] = { 1, 1 };
	uint64_t had[2] = { 0 };
	unsigned int i;
	int next;

	(void)ctx;
	sched_init(&s, 2, weight, 100 * MS, 0);
	sched_want(&s, 0);
	sched_want(&s, 1);
	for (i = 0; i < 2; i++)
		s.vtime[i] = UINT64_MAX - 100 * MS;
	for (i = 0; i < 1000; i++) {
		next = sched_pick(&s, 3);
		had[next]++;
		sched_charge(&s, (unsigned int)next, MS);
	}
	assert_in_range(had[0], 499, 501);
	sched_unwant(&s, 1);
	s.vtime[0] = 50;
	s.vtime[1] = UINT64_MAX - 50;
	sched_want(&s, 1);
	assert_int_equal(s.vtime[1], 50);
	sched_charge(&s, 0, UINT64_MAX); /* no wonder, but no trap either */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares), cmocka_unit_test(pick),
		cmocka_unit_test(leases), cmocka_unit_test(no_credit),
		cmocka_unit_test(years),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
