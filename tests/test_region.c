// SPDX-License-Identifier: MIT
/*
 * test_region.c: registers that are mapped, in a file, both, or not there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "dmm/cc.h"
#include "vmm/region.h"

#define AT 0x100u /* of the region in its file */

static uint8_t mapped[16];

/* What is in the file is not what is mapped, so that it shows. */
static struct region open_region(bool map, bool file)
{
	struct region r = { .size = 14, .fd = -1, .offset = AT };
	unsigned int i;

	for (i = 0; i < sizeof(mapped); i++)
		mapped[i] = (uint8_t)(0x10 + i);
	if (map)
		r.map = mapped;
	if (!file)
		return r;
	r.fd = memfd_create("region", 0);
	assert_true(r.fd >= 0);
	for (i = 0; i < sizeof(mapped); i++)
		assert_int_equal(pwrite(r.fd, &(uint8_t){ (uint8_t)(0x80 + i) },
					1, AT + i),
				 1);
	return r;
}

static void reads(void **state)
{
	struct region map = open_region(true, false),
		      file = open_region(false, true),
		      both = open_region(true, true);

	(void)state;
	assert_int_equal(region_read(&map, 4, 1), 0x14);
	assert_int_equal(region_read(&map, 4, 2), 0x1514);
	assert_int_equal(region_read(&map, 4, 4), 0x17161514);
	assert_int_equal(region_read(&map, 0, 8), 0x1716151413121110);
	assert_int_equal(region_read(&file, 3, 2), 0x8483);
	/* what no one access reaches is the kernel's to do, or nobody's */
	assert_int_equal(region_read(&both, 4, 4), 0x17161514);
	assert_int_equal(region_read(&both, 3, 4), 0x86858483);
	assert_int_equal(region_read(&map, 3, 4), 0xffffffff);
	close(file.fd);
	close(both.fd);
}

static void writes(void **state)
{
	struct region map = open_region(true, false),
		      file = open_region(false, true),
		      both = open_region(true, true);

	(void)state;
	region_write(&map, 2, 2, 0xabcd1234);
	assert_memory_equal(mapped, "\x10\x11\x34\x12\x14", 5);
	region_write(&map, 5, 2, 0);
	assert_int_equal(mapped[5], 0x15);
	region_write(&file, 5, 2, 0x1234);
	assert_int_equal(region_read(&file, 4, 4), 0x87123484);
	region_write(&both, 8, 8, 0); /* it would end beyond */
	region_write(&both, 8, 4, 0x55667788);
	assert_memory_equal(mapped + 8, "\x88\x77\x66\x55\x1c", 5);
	close(file.fd);
	close(both.fd);
}

static void beyond(void **state)
{
	struct region file = open_region(false, true), none = { .fd = -1 };

	(void)state;
	assert_int_equal(region_read(&file, 12, 2), 0x8d8c);
	assert_int_equal(region_read(&file, 13, 2), 0xffff);
	assert_int_equal(region_read(&file, UINT64_MAX, 8), UINT64_MAX);
	region_write(&file, 13, 2, 0);
	file.size = 16;
	assert_int_equal(region_read(&file, 12, 4), 0x8f8e8d8c);
	assert_int_equal(region_read(&none, 0, 1), 0xff);
	close(file.fd);
}

static void strings(void **state)
{
	struct region map = open_region(true, false);
	uint8_t got[7] = { 0 };

	(void)state;
	region_read_string(&map, 2, 2, got, 3);
	assert_memory_equal(got, "\x12\x13\x12\x13\x12\x13\0", 7);
	region_write_string(&map, 4, 2, "\1\2\3\4", 2);
	assert_memory_equal(mapped, "\x10\x11\x12\x13\3\4\x16", 7);
	region_read_string(&map, 13, 2, got, 1);
	assert_memory_equal(got, "\xff\xff\x12", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(writes),
		cmocka_unit_test(beyond),
		cmocka_unit_test(strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
