/* SPDX-License-Identifier: MIT */
/*
 * test_pagewalk.c: a guest's page tables, good and bad.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "../vmm/mem.h"
#include "../vmm/pagewalk.h"

#define PG (UINT64_C(1) << 31)
#define LA57 (UINT64_C(1) << 12)
#define LMA (UINT64_C(1) << 10)
#define LARGE 0x80u

static struct mem *mem;
static struct hv_registers regs;

static void entry(uint64_t table, unsigned int i, uint64_t value)
{
	memcpy(mem_ptr(mem, table + 8 * i, 8), &value, 8);
}

static int set_up(void **state)
{
	char *why = NULL;

	(void)state;
	assert_int_equal(mem_open(&mem, 4 << 20, &why), 0);
	regs = (struct hv_registers){ .cr0 = PG, .cr3 = 0x10000, .efer = LMA };
	entry(0x10000, 0, 0x11000 | 1);
	entry(0x11000, 0, 0x12000 | 1);
	entry(0x11000, 1, 0x40000000 | 1 | LARGE);
	entry(0x12000, 0, 0x13000 | 1);
	entry(0x12000, 1, 0x200000 | 1 | LARGE);
	entry(0x13000, 5, 0x20000 | 1);
	entry(0x13000, 6, 0x3000 | 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mem_close(mem);
	return 0;
}

static void expect(uint64_t linear, int err, uint64_t gpa)
{
	uint64_t got = 0;

	assert_int_equal(pagewalk(mem, &regs, linear, &got), err);
	if (!err)
		assert_int_equal(got, gpa);
}

static void pages_of_all_sizes(void **state)
{
	(void)state;
	expect(0x5123, 0, 0x20123);
	expect(0x200000 + 0x12345, 0, 0x200000 + 0x12345);
	expect(0x40000000 + 0x1234567, 0, 0x41234567);
	expect(0x7000, -EFAULT, 0);
	expect(UINT64_C(1) << 39, -EFAULT, 0);
}

static void other_modes(void **state)
{
	(void)state;
	regs.cr0 = 0;
	expect(0x5123, 0, 0x5123);
	regs.cr0 = PG;
	regs.efer = 0;
	expect(0x5123, -ENOTSUP, 0);
	regs.efer = LMA;
	regs.cr4 = LA57;
	entry(0x14000, 0, 0x10000 | 1);
	regs.cr3 = 0x14000 | 0x18; /* with bits that are no address */
	expect(0x5123, 0, 0x20123);
}

static void tables_that_lie(void **state)
{
	(void)state;
	entry(0x12000, 0, UINT64_C(0xffffffffff000) | 1); /* no memory */
	expect(0x5123, -EFAULT, 0);
	entry(0x12000, 0, 0x12000 | 1); /* itself */
	expect(0x5123, -EFAULT, 0);
	regs.cr3 = UINT64_MAX;
	expect(0x5123, -EFAULT, 0);
	/* a large page where none can be is a table */
	regs.cr3 = 0x10000;
	entry(0x10000, 0, 0x11000 | 1 | LARGE);
	expect(0x40000000, 0, 0x40000000);
}

static void reads(void **state)
{
	uint8_t bytes[16], want[16];
	unsigned int i;

	(void)state;
	for (i = 0; i < 16; i++)
		want[i] = (uint8_t)i;
	memcpy(mem_ptr(mem, 0x20ff8, 8), want, 8);
	memcpy(mem_ptr(mem, 0x3000, 8), want + 8, 8);
	assert_int_equal(pagewalk_read(mem, &regs, 0x5ff8, bytes, 16), 0);
	assert_memory_equal(bytes, want, 16);
	/* into a page that is not there, and one that is no memory */
	assert_int_equal(pagewalk_read(mem, &regs, 0x6ff8, bytes, 16), -EFAULT);
	assert_int_equal(pagewalk_read(mem, &regs, 0x40000000, bytes, 1),
			 -EFAULT);
	regs.cr0 = 0;
	assert_int_equal(pagewalk_read(mem, &regs, UINT64_MAX - 3, bytes, 16),
			 -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_of_all_sizes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(other_modes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tables_that_lie, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(reads, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("pagewalk", tests, NULL, NULL);
}
