// SPDX-License-Identifier: MIT
/*
 * test_attack.c: the attack suite on simulated parts: each case by itself on a
 * card of its own, in each way of sharing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attack.h"

static void run_table(const struct attack_table *t, unsigned int way)
{
	const char *only = getenv("ATTACK"), *bad;
	unsigned int failed = 0;
	struct rig *rig;
	char why[128];
	size_t i;

	for (i = 0; i < t->n; i++) {
		if ((t->cases[i].on & (ON_SIM | way)) != (ON_SIM | way) ||
		    (only && !strstr(t->cases[i].name, only)))
			continue;
		rig = attack_open(t->part, &backend_sim, way, 0, why);
		bad = rig ? attack_run(rig, &t->cases[i]) : why;
		if (bad) {
			print_error("%s: %s\n", t->cases[i].name, bad);
			failed++;
		}
		attack_close(rig);
	}
	assert_int_equal(failed, 0);
}

static void ring_merge(void **state)
{
	(void)state;
	run_table(&attack_ring_table, IN_MERGE);
}

static void door_merge(void **state)
{
	(void)state;
	run_table(&attack_door_table, IN_MERGE);
}

static void door_lease(void **state)
{
	(void)state;
	run_table(&attack_door_table, IN_LEASE);
}

static void frame_merge(void **state)
{
	(void)state;
	run_table(&attack_frame_table, IN_MERGE);
	run_table(&attack_offload_table, IN_MERGE);
}

static void frame_lease(void **state)
{
	(void)state;
	run_table(&attack_frame_table, IN_LEASE);
	run_table(&attack_offload_table, IN_LEASE);
}

static void rx_merge(void **state)
{
	(void)state;
	run_table(&attack_rx_table, IN_MERGE);
}

static void rx_lease(void **state)
{
	(void)state;
	run_table(&attack_rx_table, IN_LEASE);
}

static void port_spool(void **state)
{
	(void)state;
	run_table(&attack_port_table, IN_LEASE);
}

static void port_drop(void **state)
{
	(void)state;
	run_table(&attack_port_table, IN_DROP);
}

static void ring_lease(void **state)
{
	(void)state;
	run_table(&attack_ring_table, IN_LEASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_merge),  cmocka_unit_test(ring_lease),
		cmocka_unit_test(door_merge),  cmocka_unit_test(door_lease),
		cmocka_unit_test(frame_merge), cmocka_unit_test(frame_lease),
		cmocka_unit_test(rx_merge),    cmocka_unit_test(rx_lease),
		cmocka_unit_test(port_spool),  cmocka_unit_test(port_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
