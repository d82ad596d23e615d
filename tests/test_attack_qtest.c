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

#include "attack_pcnet.h"
#include "attack_rtl8139.h"
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

static void rtl8139_merge(void **state)
{
	(void)state;
	run(&attack_rtl8139, IN_MERGE);
}

static void rtl8139_lease(void **state)
{
	(void)state;
	run(&attack_rtl8139, IN_LEASE);
}

static void pcnet_merge(void **state)
{
	(void)state;
	run(&attack_pcnet, IN_MERGE);
}

static void pcnet_lease(void **state)
{
	(void)state;
	run(&attack_pcnet, IN_LEASE);
}

/* With a safeguard taken away, the cases that test it notice. */
static void notice(const struct attack_table *t, unsigned int without)
{
	unsigned int of = 0, noticed = 0;
	struct rig *rig;
	char why[128];
	size_t i;

	rig = attack_open(t->part, &backend_qtest, IN_MERGE, without, why);
	if (!rig)
		fail_msg("%s", why);
	for (i = 0; i < t->n; i++) {
		if (!(t->cases[i].without & without))
			continue;
		of++;
		if (attack_run(rig, &t->cases[i]))
			noticed++;
		else
			print_error("not noticed without %x: %s\n", without,
				    t->cases[i].name);
		rig->spent = true;
	}
	attack_close(rig);
	assert_true(of > 0);
	assert_int_equal(noticed, of);
}

static void rtl8139_without(void **state)
{
	static const unsigned int safeguards[] = {
		DMM_WITHOUT_BUFFER, DMM_WITHOUT_RING,	DMM_WITHOUT_SHADOW,
		DMM_WITHOUT_SOURCE, DMM_WITHOUT_FILTER, DMM_WITHOUT_EEPROM,
	};
	size_t i;

	(void)state;
	if (!have_qemu())
		skip();
	for (i = 0; i < ARRAY_LEN(safeguards); i++)
		notice(&attack_slots_table, safeguards[i]);
}

static void pcnet_without(void **state)
{
	static const unsigned int safeguards[] = {
		/* a bad buffer may be a long frame, too */
		DMM_WITHOUT_BUFFER | DMM_WITHOUT_OFFLOAD,
		DMM_WITHOUT_RING,
		DMM_WITHOUT_WHOLE,
		DMM_WITHOUT_SOURCE,
		DMM_WITHOUT_FILTER,
		DMM_WITHOUT_SHADOW,
		DMM_WITHOUT_OFFLOAD,
	};
	size_t i;

	(void)state;
	if (!have_qemu())
		skip();
	for (i = 0; i < ARRAY_LEN(safeguards); i++)
		notice(&attack_own_table, safeguards[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e1000_merge),
		cmocka_unit_test(e1000_lease),
		cmocka_unit_test(ne2k_spool),
		cmocka_unit_test(ne2k_drop),
		cmocka_unit_test(rtl8139_merge),
		cmocka_unit_test(rtl8139_lease),
		cmocka_unit_test(rtl8139_without),
		cmocka_unit_test(pcnet_merge),
		cmocka_unit_test(pcnet_lease),
		cmocka_unit_test(pcnet_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
