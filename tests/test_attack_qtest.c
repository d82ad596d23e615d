// SPDX-License-Identifier: MIT
/*
 * test_attack_qtest.c: the attack suite on QEMU's devices, whose DMA is real:
 * one QEMU for a table and a way of sharing.  Skipped where there is no QEMU.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "attack.h"
#include "vmm/log.h"
#include "vmm/qemu.h"

static bool have_qemu(void)
{
	char *path = xstrdup(getenv("PATH") ? getenv("PATH") : ""), *rest, *dir;
	char name[4200];
	bool found = false;

	rest = path;
	while ((dir = strsep(&rest, ":"))) {
		snprintf(name, sizeof(name), "%s/" QEMU_PROGRAM, dir);
		found |= !access(name, X_OK);
	}
	free(path);
	return found;
}

static unsigned int run_table(struct rig *rig, const struct attack_table *t,
			      unsigned int way)
{
	const char *only = getenv("ATTACK"), *bad;
	unsigned int failed = 0;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if ((t->cases[i].on & (ON_QTEST | way)) != (ON_QTEST | way) ||
		    (only && !strstr(t->cases[i].name, only)))
			continue;
		bad = attack_run(rig, &t->cases[i]);
		if (bad) {
			print_error("%s: %s\n", t->cases[i].name, bad);
			failed++;
		}
	}
	return failed;
}

/* All tables of one part, on one QEMU. */
static void run(const struct attack_part *part, unsigned int way)
{
	unsigned int failed = 0;
	struct rig *rig;
	char why[128];
	size_t i;

	if (!have_qemu())
		skip();
	rig = attack_open(part, &backend_qtest, way, 0, why);
	if (!rig)
		fail_msg("%s", why);
	for (i = 0; attack_tables[i]; i++)
		if (attack_tables[i]->part == part)
			failed += run_table(rig, attack_tables[i], way);
	attack_close(rig);
	assert_int_equal(failed, 0);
}

static void e1000_merge(void **state)
{
	(void)state;
	run(&attack_e1000, IN_MERGE);
}

static void e1000_lease(void **state)
{
	(void)state;
	run(&attack_e1000, IN_LEASE);
}

static void ne2k_spool(void **state)
{
	(void)state;
	run(&attack_ne2k, IN_LEASE);
}

static void ne2k_drop(void **state)
{
	(void)state;
	run(&attack_ne2k, IN_DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e1000_merge),
		cmocka_unit_test(e1000_lease),
		cmocka_unit_test(ne2k_spool),
		cmocka_unit_test(ne2k_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
