// SPDX-License-Identifier: MIT
/*
 * test_attack_without.c: the attack suite can fail: with each safeguard taken
 * away by itself, cases that test it do.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attack.h"

static const unsigned int ways[] = { IN_MERGE, IN_LEASE, IN_DROP };

/* NULL: the case is not for it. */
static const char *run(const struct attack_table *t,
		       const struct attack_case *c, unsigned int way,
		       unsigned int without)
{
	static char said[256];
	struct rig *rig;
	char why[128];
	const char *bad;

	if ((c->on & (ON_SIM | way)) != (ON_SIM | way) ||
	    !(c->without & without))
		return NULL;
	rig = attack_open(t->part, &backend_sim, way, without, why);
	if (!rig)
		fail_msg("%s", why);
	bad = attack_run(rig, c);
	snprintf(said, sizeof(said), "%s", bad ? bad : "");
	attack_close(rig);
	return said;
}

static void notice(unsigned int without)
{
	unsigned int i, w, noticed = 0, of = 0;
	bool loud = getenv("ATTACK_LOUD");
	const char *bad;
	size_t k;

	for (i = 0; attack_tables[i]; i++)
		for (w = 0; w < ARRAY_LEN(ways); w++)
			for (k = 0; k < attack_tables[i]->n; k++) {
				bad = run(attack_tables[i],
					  &attack_tables[i]->cases[k], ways[w],
					  without);
				if (!bad)
					continue;
				of++;
				noticed += *bad != 0;
				if (loud)
					print_message(
						"%s: %s\n",
						attack_tables[i]->cases[k].name,
						bad);
			}
	if (loud)
		print_message("%u of %u\n", noticed, of);
	assert_true(noticed > 0);
}

static void without_range(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_RANGE);
}

static void without_scrub(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_SCRUB);
}

static void without_count(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_COUNT);
}

static void without_source(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_SOURCE);
}

static void without_filter(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_FILTER);
}

static void without_ring(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_RING);
}

static void without_buffer(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_BUFFER);
}

static void without_shadow(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_SHADOW);
}

static void without_whole(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_WHOLE);
}

static void without_sticky(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_STICKY);
}

static void without_generation(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_GENERATION);
}

static void without_eeprom(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_EEPROM);
}

static void without_offload(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_OFFLOAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_range),
		cmocka_unit_test(without_scrub),
		cmocka_unit_test(without_count),
		cmocka_unit_test(without_source),
		cmocka_unit_test(without_filter),
		cmocka_unit_test(without_ring),
		cmocka_unit_test(without_buffer),
		cmocka_unit_test(without_shadow),
		cmocka_unit_test(without_whole),
		cmocka_unit_test(without_sticky),
		cmocka_unit_test(without_generation),
		cmocka_unit_test(without_eeprom),
		cmocka_unit_test(without_offload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
