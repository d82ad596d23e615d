/* SPDX-License-Identifier: MIT */
/*
 * test_boot_linux.c: Linux kernels, by the 64-bit boot protocol: loaded, told
 * of the machine, and refused with every fault.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "bootrig.h"

#define KERNEL UINT64_C(0x1000000)
#define SETUP 1024 /* two sectors before the kernel */
#define BZIMAGE (SETUP + 0x300)

static void set(uint8_t *to, size_t at, size_t width, uint64_t value)
{
	memcpy(to + at, &value, width);
}

/* As Debian's are, but small. */
static void bzimage(uint8_t to[BZIMAGE])
{
	memset(to, 0, BZIMAGE);
	to[0x1f1] = 1;
	set(to, 0x1f4, 4, 0x30); /* paragraphs of 16 bytes */
	set(to, 0x1fe, 2, 0xaa55);
	to[0x201] = 0x6a;
	memcpy(to + 0x202, "HdrS", 4);
	set(to, 0x206, 2, 0x20f);
	to[0x211] = 1;
	set(to, 0x22c, 4, 0x7fffffff);
	set(to, 0x230, 4, 0x200000);
	set(to, 0x236, 2, 0x7f);
	set(to, 0x238, 4, 2047);
	set(to, 0x250, 8, 0x1234); /* must not reach the guest */
	set(to, 0x258, 8, KERNEL);
	set(to, 0x260, 4, 4 * MIB);
	memcpy(to + SETUP, "kernel", 6);
}

static uint64_t u64(const struct mem *mem, uint64_t gpa)
{
	return bootrig_u32(mem, gpa) | (uint64_t)bootrig_u32(mem, gpa + 4)
					       << 32;
}

/* 4 GiB one to one, and the two descriptors that Linux wants. */
static void check_long_mode(struct mem *mem, const struct boot_entry *e)
{
	uint64_t pdpt = u64(mem, e->page_tables) & ~UINT64_C(0xfff);

	assert_int_equal(u64(mem, e->page_tables) & 3, 3);
	for (uint64_t gib = 0; gib < 4; gib++) {
		uint64_t pd = u64(mem, pdpt + 8 * gib) & ~UINT64_C(0xfff);

		assert_int_equal(u64(mem, pd), gib << 30 | 0x83);
		assert_int_equal(u64(mem, pd + 8 * 511),
				 gib << 30 | 511 << 21 | 0x83);
	}
	assert_int_equal(u64(mem, pdpt + 8 * 4), 0);
	assert_int_equal(u64(mem, e->gdt + 16), UINT64_C(0xaf9a000000ffff));
	assert_int_equal(u64(mem, e->gdt + 24), UINT64_C(0xcf92000000ffff));
	assert_true(e->page_tables + 6 * 4096 <=
		    BOOT_INFO_BASE + BOOT_INFO_SIZE);
}

static void check_e820(struct mem *mem, uint64_t zero, uint64_t bytes)
{
	assert_int_equal(bootrig_u32(mem, zero + 0x1e8) & 0xff, 3);
	assert_int_equal(u64(mem, zero + 0x2d0 + 8), 0x9fc00);
	assert_int_equal(bootrig_u32(mem, zero + 0x2d0 + 16), 1);
	assert_int_equal(bootrig_u32(mem, zero + 0x2d0 + 36), 2);
	assert_int_equal(u64(mem, zero + 0x2d0 + 40), MIB);
	assert_int_equal(u64(mem, zero + 0x2d0 + 48), bytes - MIB);
}

static void bzimage_is_loaded_and_told(void **state)
{
	struct mem *mem = bootrig_mem(32 * MIB);
	struct boot_entry e;
	uint8_t file[BZIMAGE], initrd[5000];
	struct boot_image image = { .name = "img",
				    .data = file,
				    .len = sizeof(file),
				    .cmdline = "x=1",
				    .initrd = initrd,
				    .initrd_len = sizeof(initrd) };
	uint64_t zero, at;
	char *why = NULL;

	(void)state;
	bzimage(file);
	memset(initrd, 0x1d, sizeof(initrd));
	assert_int_equal(boot_load(mem, &image, &e, &why), 0);
	assert_int_equal(e.kind, BOOT_LINUX);
	assert_int_equal(e.eip, KERNEL + 0x200);
	assert_memory_equal(mem_ptr(mem, KERNEL, 6), "kernel", 6);
	/* what it only claims stays as it is */
	assert_int_equal(bootrig_u32(mem, KERNEL + 0x300), 0xcccccccc);
	zero = e.esi;
	assert_memory_equal(mem_ptr(mem, zero + 0x202, 4), "HdrS", 4);
	assert_int_equal(bootrig_u32(mem, zero + 0x210) & 0xff, 0xff);
	assert_int_equal(u64(mem, zero + 0x250), 0);
	assert_int_equal(u64(mem, zero + 0x70), BOOT_ACPI_BASE);
	assert_string_equal(mem_ptr(mem, bootrig_u32(mem, zero + 0x228), 4),
			    "x=1");
	at = bootrig_u32(mem, zero + 0x218);
	assert_int_equal(bootrig_u32(mem, zero + 0x21c), sizeof(initrd));
	assert_int_equal(at, 32 * MIB - 8192);
	assert_memory_equal(mem_ptr(mem, at, 5000), initrd, 5000);
	check_e820(mem, zero, 32 * MIB);
	check_long_mode(mem, &e);

	/* an initrd stays below what the kernel says */
	set(file, 0x22c, 4, 24 * MIB - 1);
	assert_int_equal(boot_load(mem, &image, &e, &why), 0);
	assert_int_equal(bootrig_u32(mem, zero + 0x218), 24 * MIB - 8192);
	set(file, 0x22c, 4, 21 * MIB);
	image.initrd_len = MIB;
	image.initrd = mem_ptr(mem, 0, MIB);
	assert_int_equal(boot_load(mem, &image, &e, &why), -ENOMEM);
	assert_non_null(strstr(why, "it and its initrd do not fit"));
	free(why);
	mem_close(mem);
}

static void broken_bzimages_are_refused(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t value;
		int rc;
		const char *says;
	} tries[] = {
		{ 0x1fe, 2, 0, -ENOEXEC, "no boot flag" },
		{ 0x206, 2, 0x20b, -ENOEXEC, "boot protocol 2.11" },
		{ 0x201, 1, 0x10, -ENOEXEC, "setup header ends at 0x212" },
		{ 0x211, 1, 0, -ENOEXEC, "zImage" },
		{ 0x236, 2, 0x7e, -ENOEXEC, "without a 64-bit entry" },
		{ 0x1f4, 4, 0x20, -ENOEXEC, "has no code" },
		{ 0x1f4, 4, 0x31, -ENOEXEC, "cut short" },
		{ 0x1f4, 4, UINT32_MAX, -ENOEXEC, "cut short" },
		{ 0x1f1, 1, 2, -ENOEXEC, "cut short" },
		{ 0x1f1, 1, 0, -ENOEXEC, "cut short" }, /* it means 4 */
		{ 0x258, 8, 0x9000, -ENOEXEC, "below 1M" },
		{ 0x258, 8, UINT64_MAX, -ENOEXEC, "no memory can be" },
		{ 0x258, 8, UINT64_MAX - 0x1ff, -ENOEXEC, "no memory can be" },
		{ 0x258, 8, UINT64_C(1) << 32, -ENOMEM, "would do" },
		{ 0x258, 8, 0xbfe00000, -ENOEXEC, "no memory can be" },
		{ 0x260, 4, UINT32_MAX, -ENOEXEC, "no memory can be" },
		{ 0x260, 4, 64 * MIB, -ENOMEM, "memory: 80M would do" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(tries); n++) {
		uint8_t file[BZIMAGE];

		bzimage(file);
		set(file, tries[n].at, tries[n].width, tries[n].value);
		bootrig_expect(file, sizeof(file), tries[n].rc, tries[n].says);
	}
}

/* Of every length, in a buffer that ends there. */
static void every_prefix_of_a_bzimage_is_refused(void **state)
{
	struct mem *mem = bootrig_mem(32 * MIB);
	uint8_t file[BZIMAGE];
	struct boot_entry e;

	(void)state;
	bzimage(file);
	for (size_t len = 0; len < sizeof(file); len++) {
		uint8_t *copy = malloc(len ? len : 1);
		char *why;

		memcpy(copy, file, len);
		assert_int_equal(bootrig_load(mem, copy, len, NULL, &e, &why),
				 -ENOEXEC);
		free(why);
		free(copy);
	}
	mem_close(mem);
}

static void a_kernel_says_how_long_its_command_line_is(void **state)
{
	struct mem *mem = bootrig_mem(32 * MIB);
	uint8_t file[BZIMAGE];
	struct boot_entry e;
	char line[100], *why;

	(void)state;
	bzimage(file);
	set(file, 0x238, 4, 90);
	memset(line, 'x', sizeof(line));
	line[91] = '\0';
	assert_int_equal(bootrig_load(mem, file, sizeof(file), line, &e, &why),
			 -E2BIG);
	assert_non_null(strstr(why, "longer than the 90 bytes"));
	free(why);
	line[90] = '\0';
	assert_int_equal(bootrig_load(mem, file, sizeof(file), line, &e, &why),
			 0);
	mem_close(mem);
}

/* Without the note: entered where the 64-bit protocol says. */
static void vmlinux_without_a_note(void **state)
{
	struct mem *mem = bootrig_mem(4 * MIB);
	struct bootrig_image i = bootrig_pvh();
	struct boot_entry e;
	char *why;

	(void)state;
	i.nh.n_type = 17;
	i.eh.e_entry = CODE + 2;
	assert_int_equal(bootrig_load(mem, &i, sizeof(i), "x=1", &e, &why), 0);
	assert_int_equal(e.kind, BOOT_LINUX);
	assert_int_equal(e.eip, CODE + 2);
	assert_int_equal(bootrig_u32(mem, CODE + 60), 0); /* bss */
	assert_int_equal(bootrig_u32(mem, e.esi + 0x1fe) & 0xffff, 0xaa55);
	assert_memory_equal(mem_ptr(mem, e.esi + 0x202, 4), "HdrS", 4);
	assert_string_equal(mem_ptr(mem, bootrig_u32(mem, e.esi + 0x228), 4),
			    "x=1");
	check_e820(mem, e.esi, 4 * MIB);
	check_long_mode(mem, &e);
	mem_close(mem);
	/* another program's file is not taken for one */
	i.load.p_vaddr = CODE;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "neither a PVH note nor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bzimage_is_loaded_and_told),
		cmocka_unit_test(broken_bzimages_are_refused),
		cmocka_unit_test(every_prefix_of_a_bzimage_is_refused),
		cmocka_unit_test(a_kernel_says_how_long_its_command_line_is),
		cmocka_unit_test(vmlinux_without_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
