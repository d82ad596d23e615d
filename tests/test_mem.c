/* SPDX-License-Identifier: MIT */
/*
 * test_mem.c: guest addresses to host addresses, at every edge.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../vmm/mem.h"

#define MIB UINT64_C(0x100000)

static void ranges_are_whole_or_nothing(void **state)
{
	struct mem *mem;
	char *why = NULL;
	uint8_t *base;

	(void)state;
	assert_int_equal(mem_open(&mem, 16 * MIB, &why), 0);
	base = mem_ptr(mem, 0, 1);
	assert_non_null(base);
	assert_ptr_equal(mem_ptr(mem, 0, 16 * MIB), base);
	assert_ptr_equal(mem_ptr(mem, 16 * MIB - 1, 1), base + 16 * MIB - 1);
	assert_ptr_equal(mem_ptr(mem, 16 * MIB, 0), base + 16 * MIB);
	assert_null(mem_ptr(mem, 0, 16 * MIB + 1));
	assert_null(mem_ptr(mem, 16 * MIB - 1, 2));
	assert_null(mem_ptr(mem, 16 * MIB, 1));
	assert_null(mem_ptr(mem, 1, UINT64_MAX));
	assert_null(mem_ptr(mem, UINT64_MAX, 1));
	assert_null(mem_ptr(mem, UINT64_MAX, 2));
	assert_null(mem_ptr(mem, UINT64_MAX - 4095, 8192));
	assert_int_equal(base[16 * MIB - 1], 0);
	mem_close(mem);
}

static void memory_above_the_pci_hole(void **state)
{
	struct mem *mem;
	char *why = NULL;
	uint64_t offset;

	(void)state;
	if (mem_open(&mem, MEM_LOW_MAX + 8 * MIB, &why)) {
		free(why);
		skip(); /* this machine has less */
	}
	assert_int_equal(mem->count, 2);
	assert_int_equal(mem->bytes, MEM_LOW_MAX + 8 * MIB);
	assert_non_null(mem_ptr(mem, MEM_LOW_MAX - 1, 1));
	assert_null(mem_ptr(mem, MEM_LOW_MAX - 1, 2));
	assert_null(mem_ptr(mem, MEM_HIGH_BASE - 1, 1));
	assert_non_null(mem_ptr(mem, MEM_HIGH_BASE, 8 * MIB));
	assert_null(mem_ptr(mem, MEM_HIGH_BASE, 8 * MIB + 1));
	assert_int_equal(mem_offset(mem, MEM_HIGH_BASE + 5, 1, &offset), 0);
	assert_int_equal(offset, MEM_LOW_MAX + 5);
	assert_int_equal(mem_offset(mem, MEM_HIGH_BASE - 5, 1, &offset),
			 -EFAULT);
	mem_close(mem);
}

/* Two guests in one file, as a backend in another process wants them. */
static void windows_of_a_shared_file(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct mem *a, *b;
	char *why = NULL;
	uint8_t byte = 0;
	uint64_t offset;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 8 * MIB), 0);
	assert_int_equal(mem_open_fd(&a, fd, 0, 4 * MIB, &why), 0);
	assert_int_equal(mem_open_fd(&b, fd, 4 * MIB, 4 * MIB, &why), 0);
	*(uint8_t *)mem_ptr(b, 0x1234, 1) = 0xa5;
	assert_int_equal(*(uint8_t *)mem_ptr(a, 0x1234, 1), 0);
	assert_int_equal(mem_offset(b, 0x1234, 1, &offset), 0);
	assert_int_equal(offset, 4 * MIB + 0x1234);
	assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
	assert_int_equal(byte, 0xa5);
	mem_close(a);
	mem_close(b);

	assert_int_equal(mem_open_fd(&a, fd, 4096, 8 * MIB, &why), -EINVAL);
	free(why);
	assert_int_equal(mem_open_fd(&a, fd, 5, MIB, &why), -EINVAL);
	free(why);
	assert_int_equal(mem_open_fd(&a, fd, UINT64_MAX - 4095, MIB, &why),
			 -EINVAL);
	free(why);
	close(fd);
	assert_int_equal(mem_open_fd(&a, fd, 0, MIB, &why), -EBADF);
	free(why);
}

static void sizes_are_rounded_and_bounded(void **state)
{
	static const struct {
		uint64_t bytes;
		int rc;
		const char *says;
	} tries[] = {
		{ 0, -EINVAL, "too few" },
		{ MEM_MIN - 1, -EINVAL, "at least 1M" },
		{ UINT64_MAX, -EINVAL, "too many" },
		{ UINT64_C(1) << 40, -ENOMEM, "do not fit" },
	};
	struct mem *mem;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		char *why = NULL;

		assert_int_equal(mem_open(&mem, tries[i].bytes, &why),
				 tries[i].rc);
		assert_non_null(strstr(why, tries[i].says));
		free(why);
	}

	char *why = NULL;

	assert_int_equal(mem_open(&mem, MEM_MIN + 1, &why), 0);
	assert_int_equal(mem->bytes, MEM_MIN + MEM_PAGE);
	mem_close(mem);
	mem_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_whole_or_nothing),
		cmocka_unit_test(memory_above_the_pci_hole),
		cmocka_unit_test(windows_of_a_shared_file),
		cmocka_unit_test(sizes_are_rounded_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
