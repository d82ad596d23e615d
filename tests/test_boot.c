/* SPDX-License-Identifier: MIT */
/*
 * test_boot.c: images of every kind and with every fault; and what a guest is
 * told of its machine.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../vmm/mptable.h"
#include "bootrig.h"

#define MB_MAGIC 0x1badb002

/* A multiboot image, 32 bits, whose header lies in its segment. */
struct image32 {
	Elf32_Ehdr eh;
	Elf32_Phdr load;
	uint32_t header[3];
	uint8_t code[16];
};

static struct image32 multiboot(void)
{
	struct image32 i = {
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_entry = 0xc0000008,
			.e_phoff = offsetof(struct image32, load),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1 },
		.load = { .p_type = PT_LOAD,
			  .p_offset = offsetof(struct image32, code),
			  .p_vaddr = 0xc0000000,
			  .p_paddr = CODE,
			  .p_filesz = 16,
			  .p_memsz = 16 },
		.header = { MB_MAGIC, 3, -(uint32_t)(MB_MAGIC + 3) },
		.code = { 5, 6, 7, 8 },
	};

	return i;
}

static void pvh_is_loaded_and_told(void **state)
{
	struct mem *mem = bootrig_mem(4 * MIB);
	struct bootrig_image i = bootrig_pvh();
	struct boot_entry e;
	uint64_t info, map;
	char *why;

	(void)state;
	assert_int_equal(bootrig_load(mem, &i, sizeof(i), "x=1", &e, &why), 0);
	assert_int_equal(e.kind, BOOT_PVH);
	assert_int_equal(e.eip, CODE + 4);
	info = e.ebx;
	assert_memory_equal(mem_ptr(mem, CODE, 16), i.code, 16);
	assert_int_equal(bootrig_u32(mem, CODE + 60), 0); /* bss */
	assert_int_equal(bootrig_u32(mem, CODE + 64), 0xcccccccc);
	assert_int_equal(bootrig_u32(mem, info), 0x336ec578);
	assert_int_equal(bootrig_u32(mem, info + 4), 1);
	assert_int_equal(bootrig_u32(mem, info + 12), 0); /* modules */
	assert_int_equal(bootrig_u32(mem, info + 32), BOOT_ACPI_BASE);
	assert_string_equal(mem_ptr(mem, bootrig_u32(mem, info + 24), 4),
			    "x=1");
	map = bootrig_u32(mem, info + 40);
	assert_int_equal(bootrig_u32(mem, info + 48), 3);
	assert_int_equal(bootrig_u32(mem, map), 0);
	assert_int_equal(bootrig_u32(mem, map + 8), 0x9fc00);
	assert_int_equal(bootrig_u32(mem, map + 16), 1);
	assert_int_equal(bootrig_u32(mem, map + 24 + 16), 2);
	assert_int_equal(bootrig_u32(mem, map + 48), MIB);
	assert_int_equal(bootrig_u32(mem, map + 56), 3 * MIB);
	mem_close(mem);
}

static void multiboot_is_loaded_and_told(void **state)
{
	struct mem *mem = bootrig_mem(4 * MIB);
	struct image32 i = multiboot();
	struct boot_entry e;
	uint64_t map;
	char *why;

	(void)state;
	assert_int_equal(bootrig_load(mem, &i, sizeof(i), "x=1", &e, &why), 0);
	assert_int_equal(e.kind, BOOT_MULTIBOOT);
	assert_int_equal(e.eax, 0x2badb002);
	assert_int_equal(e.eip, CODE + 8); /* its entry is virtual */
	assert_int_equal(bootrig_u32(mem, e.ebx), 0x245);
	assert_int_equal(bootrig_u32(mem, e.ebx + 4), 0x9fc00 / 1024);
	assert_int_equal(bootrig_u32(mem, e.ebx + 8), 3 * 1024);
	assert_string_equal(mem_ptr(mem, bootrig_u32(mem, e.ebx + 16), 8),
			    "img x=1");
	assert_int_equal(bootrig_u32(mem, e.ebx + 44), 3 * 24);
	map = bootrig_u32(mem, e.ebx + 48);
	assert_int_equal(bootrig_u32(mem, map), 20);
	assert_int_equal(bootrig_u32(mem, map + 48 + 4), MIB);
	assert_int_equal(bootrig_u32(mem, map + 48 + 12), 3 * MIB);
	mem_close(mem);
}

/* A flat file with the header at 8, loaded from byte 4 on. */
static void multiboot_by_address_fields(void **state)
{
	struct mem *mem = bootrig_mem(4 * MIB);
	struct boot_entry e;
	uint32_t file[16] = { 0 };
	uint32_t *h = file + 2;
	char *why;

	(void)state;
	h[0] = MB_MAGIC;
	h[1] = 0x10003;
	h[2] = -(h[0] + h[1]);
	h[3] = CODE + 4; /* the header's address */
	h[4] = CODE;
	h[5] = 0; /* all of the file */
	h[6] = CODE + 0x100;
	h[7] = CODE + 0x20;
	file[1] = 0x11111111;
	file[15] = 0x22222222;
	assert_int_equal(bootrig_load(mem, file, sizeof(file), NULL, &e, &why),
			 0);
	assert_int_equal(e.eip, CODE + 0x20);
	assert_int_equal(bootrig_u32(mem, CODE), 0x11111111);
	assert_int_equal(bootrig_u32(mem, CODE + 56), 0x22222222);
	assert_int_equal(bootrig_u32(mem, CODE + 60), 0);
	assert_int_equal(bootrig_u32(mem, CODE + 0xfc), 0);
	assert_int_equal(bootrig_u32(mem, CODE + 0x100), 0xcccccccc);

	h[5] = CODE + 8; /* two words of it */
	assert_int_equal(bootrig_load(mem, file, sizeof(file), NULL, &e, &why),
			 0);
	assert_int_equal(bootrig_u32(mem, CODE + 8), 0);

	static const struct {
		unsigned int field;
		uint32_t value;
	} bad[] = {
		{ 3, CODE - 1 },     /* header before what is loaded */
		{ 3, CODE + 0x40 },  /* starts before the file */
		{ 5, CODE - 1 },     /* ends before it starts */
		{ 5, CODE + 0x200 }, /* more than the file has */
		{ 6, CODE + 4 },     /* bss ends in the data */
		{ 7, CODE + 0x100 }, /* entry behind it */
		{ 4, 0xffffffff },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint32_t copy[16];

		memcpy(copy, file, sizeof(copy));
		copy[2 + bad[i].field] = bad[i].value;
		assert_int_equal(bootrig_load(mem, copy, sizeof(copy), NULL, &e,
					      &why),
				 -ENOEXEC);
		assert_non_null(why);
		free(why);
	}
	mem_close(mem);
}

static void what_is_no_image_says_so(void **state)
{
	struct bootrig_image i = bootrig_pvh();
	char text[1024] = "#!/bin/sh\n";

	(void)state;
	bootrig_expect("", 0, -ENOEXEC,
		       "is not a PVH or multiboot image: it is empty");
	bootrig_expect(text, 10, -ENOEXEC,
		       "is not a PVH or multiboot image: neither");
	memcpy(text + 0x202, "HdrS", 4);
	bootrig_expect(text, sizeof(text), -ENOEXEC, "bzImage");
	bootrig_expect(&i, 20, -ENOEXEC, "cut short in its ELF header");
	i.nh.n_type = 17;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "neither a PVH note nor");
	i = bootrig_pvh();
	i.eh.e_machine = EM_AARCH64;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "another processor");
	i = bootrig_pvh();
	i.eh.e_type = ET_DYN;
	bootrig_expect(&i, sizeof(i), -ENOEXEC,
		       "is not a PVH or multiboot image");
}

static void broken_headers_are_refused(void **state)
{
	struct bootrig_image i = bootrig_pvh();
	struct image32 m = multiboot();

	(void)state;
	i.eh.e_phentsize = 1;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "unknown size");
	i = bootrig_pvh();
	i.eh.e_phoff = UINT64_MAX - 8;
	bootrig_expect(&i, sizeof(i), -ENOEXEC,
		       "cut short in its program headers");
	i = bootrig_pvh();
	i.eh.e_phnum = 3;
	i.eh.e_phoff = sizeof(i) - 2 * sizeof(Elf64_Phdr);
	bootrig_expect(&i, sizeof(i), -ENOEXEC,
		       "cut short in its program headers");
	i = bootrig_pvh();
	i.eh.e_phnum = 0;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "neither");
	i = bootrig_pvh();
	i.note.p_filesz = UINT64_MAX;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "cut short in its notes");
	i = bootrig_pvh();
	i.nh.n_descsz = UINT32_MAX;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "broken note");
	i = bootrig_pvh();
	i.nh.n_namesz = UINT32_MAX;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "broken note");
	m.header[1] = 0x13 | 0x20;
	m.header[2] = -(m.header[0] + m.header[1]);
	bootrig_expect(&m, sizeof(m), -ENOEXEC, "requires what we have not");
	m = multiboot();
	m.header[2]++;
	bootrig_expect(&m, sizeof(m), -ENOEXEC, "neither a PVH note nor");
}

static void segments_stay_where_they_may(void **state)
{
	static const struct {
		uint64_t gpa, memsz, filesz;
		int rc;
		const char *says;
	} tries[] = {
		{ CODE, 8, 16, -ENOEXEC, "more bytes in the file" },
		{ CODE, 1024, 1024, -ENOEXEC, "cut short: a segment" },
		{ CODE, UINT64_MAX, UINT64_MAX, -ENOEXEC, "cut short" },
		{ CODE, UINT64_MAX, 16, -ENOEXEC, "no memory can be" },
		{ UINT64_MAX - 15, 16, 16, -ENOEXEC, "no memory can be" },
		{ 0xfee00000, 16, 16, -ENOEXEC, "no memory can be" },
		{ 0xbffffff8, 16, 16, -ENOEXEC, "no memory can be" },
		{ 0x90000, 16, 16, -ENOEXEC, "overlaps the boot structures" },
		{ 0x8fff1, 16, 16, -ENOEXEC, "overlaps the boot structures" },
		{ 0x1000, 0x200000, 16, -ENOEXEC, "overlaps" },
		{ 0xfffff, 16, 16, -ENOEXEC, "overlaps the boot structures" },
		{ 2 * MIB - 8, 16, 16, -ENOMEM, "memory: 3M would do" },
		{ CODE, 31 * MIB, 16, -ENOMEM, "memory: 32M would do" },
		{ MEM_HIGH_BASE, MIB, 16, -ENOMEM, "memory: 3073M would do" },
		{ CODE, 0, 0, -ENOEXEC, "nothing to load" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(tries); n++) {
		struct bootrig_image i = bootrig_pvh();

		i.load.p_paddr = tries[n].gpa;
		i.load.p_memsz = tries[n].memsz;
		i.load.p_filesz = tries[n].filesz;
		i.entry = (uint32_t)tries[n].gpa;
		bootrig_expect(&i, sizeof(i), tries[n].rc, tries[n].says);
	}
}

static void the_entry_is_in_a_segment(void **state)
{
	struct bootrig_image i = bootrig_pvh();

	(void)state;
	i.entry = CODE - 1;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "in none of its segments");
	i.entry = CODE + 64;
	bootrig_expect(&i, sizeof(i), -ENOEXEC, "in none of its segments");
}

/* Sixty segments of all memory would be copied sixty times. */
static void segments_that_overlap_are_bounded(void **state)
{
	struct {
		struct bootrig_image i;
		Elf64_Phdr more[60];
	} big = { .i = bootrig_pvh() };

	(void)state;
	big.more[0] = big.i.note;
	for (size_t n = 1; n < ARRAY_LEN(big.more); n++) {
		big.more[n] = big.i.load;
		big.more[n].p_memsz = MIB / 2;
	}
	big.i.eh.e_phoff = sizeof(big.i);
	big.i.eh.e_phnum = ARRAY_LEN(big.more);
	bootrig_expect(&big, sizeof(big), -ENOEXEC, "segments that overlap");
}

static void a_long_command_line_is_refused(void **state)
{
	struct mem *mem = bootrig_mem(2 * MIB);
	struct bootrig_image i = bootrig_pvh();
	struct boot_entry e;
	char line[BOOT_CMDLINE_MAX + 1];
	char *why;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[BOOT_CMDLINE_MAX] = '\0';
	assert_int_equal(bootrig_load(mem, &i, sizeof(i), line, &e, &why),
			 -E2BIG);
	free(why);
	line[BOOT_CMDLINE_MAX - 1] = '\0';
	assert_int_equal(bootrig_load(mem, &i, sizeof(i), line, &e, &why), 0);
	mem_close(mem);
}

/* Every length of a good image: never a crash, and only the whole is good. */
static void every_prefix_is_refused(void **state)
{
	struct mem *mem = bootrig_mem(2 * MIB);
	struct bootrig_image i = bootrig_pvh();
	struct boot_entry e;

	(void)state;
	for (size_t len = 0; len < offsetof(struct bootrig_image, code) + 16;
	     len++) {
		uint8_t *copy = malloc(len ? len : 1);
		char *why;

		memcpy(copy, &i, len);
		assert_int_equal(bootrig_load(mem, copy, len, NULL, &e, &why),
				 -ENOEXEC);
		free(why);
		free(copy);
	}
	mem_close(mem);
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t total = 0;

	while (len--)
		total = (uint8_t)(total + *p++);
	return total;
}

static void mp_table_says_who_and_where(void **state)
{
	const struct vpci_route route = { .slot = 3, .pin = 0, .line = 10 };
	struct mptable_conf conf = { .cpus = 2,
				     .level_lines = VPCI_IRQ_MASK,
				     .routes = &route,
				     .n_routes = 1 };
	const uint8_t pci[8] = { 3, 0, 0xd, 0, 0, 3 << 2, 2, 10 };
	uint8_t buf[1024], *table = buf + 16;
	bool found = false;
	int len = mptable_build(&conf, 0xf0000, buf, sizeof(buf));
	uint16_t count;

	(void)state;
	assert_true(len > 0);
	assert_memory_equal(buf, "_MP_\x10\x00\x0f\x00", 8);
	assert_int_equal(sum(buf, 16), 0);
	assert_memory_equal(table, "PCMP", 4);
	assert_int_equal(table[4] | table[5] << 8, len - 16);
	assert_int_equal(sum(table, (size_t)len - 16), 0);
	memcpy(&count, table + 34, 2);
	/* 2 cpus, 2 buses, IOAPIC, 11 ISA lines, 1 PCI, 2 local */
	assert_int_equal(count, 19);
	assert_int_equal(len, 16 + 44 + 2 * 20 + 17 * 8);
	for (uint8_t *p = table + 44 + 40; p < buf + len; p += 8) {
		found |= !memcmp(p, pci, 8);
		/* No ISA entry for a PCI line, and none for the cascade. */
		if (p[0] == 3 && p[4] == 1)
			assert_false((VPCI_IRQ_MASK | 4) >> p[5] & 1);
	}
	assert_true(found);
	for (size_t room = 0; room < (size_t)len; room++)
		assert_int_equal(mptable_build(&conf, 0, buf, room), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pvh_is_loaded_and_told),
		cmocka_unit_test(multiboot_is_loaded_and_told),
		cmocka_unit_test(multiboot_by_address_fields),
		cmocka_unit_test(what_is_no_image_says_so),
		cmocka_unit_test(broken_headers_are_refused),
		cmocka_unit_test(segments_stay_where_they_may),
		cmocka_unit_test(the_entry_is_in_a_segment),
		cmocka_unit_test(segments_that_overlap_are_bounded),
		cmocka_unit_test(a_long_command_line_is_refused),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(mp_table_says_who_and_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
