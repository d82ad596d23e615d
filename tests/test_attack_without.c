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

static void ring(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_RING);
}

static void generation(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_GENERATION);
}

static void eeprom(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_EEPROM);
}

static void buffer(void **state)
{
	(void)state;
	notice(DMM_WITHOUT_BUFFER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring),
		cmocka_unit_test(buffer),
		cmocka_unit_test(generation),
		cmocka_unit_test(eeprom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
