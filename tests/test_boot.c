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

#include "../vmm/boot.h"
#include "../vmm/mem.h"
#include "../vmm/mptable.h"

#define MIB UINT64_C(0x100000)
#define CODE 0x100000
#define MB_MAGIC 0x1badb002

/* A small PVH image, 64 bits: headers, a note, a segment of 16 bytes. */
struct image64 {
	Elf64_Ehdr eh;
	Elf64_Phdr load, note;
	Elf64_Nhdr nh;
	char xen[4];
	uint32_t entry;
	uint8_t code[16];
};

/* A multiboot image, 32 bits, whose header lies in its segment. */
struct image32 {
	Elf32_Ehdr eh;
	Elf32_Phdr load;
	uint32_t header[3];
	uint8_t code[16];
};

static struct image64 pvh(void)
{
	struct image64 i = {
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_phoff = offsetof(struct image64, load),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2 },
		.load = { .p_type = PT_LOAD,
			  .p_offset = offsetof(struct image64, code),
			  .p_vaddr = UINT64_C(0xffffffff80000000) + CODE,
			  .p_paddr = CODE,
			  .p_filesz = 16,
			  .p_memsz = 64 },
		.note = { .p_type = PT_NOTE,
			  .p_offset = offsetof(struct image64, nh),
			  .p_filesz = 20,
			  .p_align = 4 },
		.nh = { .n_namesz = 4, .n_descsz = 4, .n_type = 18 },
		.xen = "Xen",
		.entry = CODE + 4,
		.code = { 1, 2, 3, 4 },
	};

	return i;
}

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

static struct mem *new_mem(uint64_t bytes)
{
	struct mem *mem;
	char *why;

	assert_int_equal(mem_open(&mem, bytes, &why), 0);
	memset(mem_ptr(mem, 0, bytes), 0xcc, bytes);
	return mem;
}

static int load(struct mem *mem, const void *data, size_t len,
		const char *cmdline, struct boot_entry *entry, char **why)
{
	struct boot_image image = {
		.name = "img", .data = data, .len = len, .cmdline = cmdline
	};

	*why = NULL;
	return boot_load(mem, &image, entry, why);
}

static uint32_t u32(const struct mem *mem, uint64_t gpa)
{
	uint32_t value;

	memcpy(&value, mem_ptr(mem, gpa, 4), 4);
	return value;
}

static void pvh_is_loaded_and_told(void **state)
{
	struct mem *mem = new_mem(4 * MIB);
	struct image64 i = pvh();
	struct boot_entry e;
	uint64_t info, map;
	char *why;

	(void)state;
	assert_int_equal(load(mem, &i, sizeof(i), "x=1", &e, &why), 0);
	assert_int_equal(e.kind, BOOT_PVH);
	assert_int_equal(e.eip, CODE + 4);
	info = e.ebx;
	assert_memory_equal(mem_ptr(mem, CODE, 16), i.code, 16);
	assert_int_equal(u32(mem, CODE + 60), 0); /* bss */
	assert_int_equal(u32(mem, CODE + 64), 0xcccccccc);
	assert_int_equal(u32(mem, info), 0x336ec578);
	assert_int_equal(u32(mem, info + 4), 1);
	assert_int_equal(u32(mem, info + 12), 0); /* modules */
	assert_int_equal(u32(mem, info + 32), BOOT_ACPI_BASE);
	assert_string_equal(mem_ptr(mem, u32(mem, info + 24), 4), "x=1");
	map = u32(mem, info + 40);
	assert_int_equal(u32(mem, info + 48), 3);
	assert_int_equal(u32(mem, map), 0);
	assert_int_equal(u32(mem, map + 8), 0x9fc00);
	assert_int_equal(u32(mem, map + 16), 1);
	assert_int_equal(u32(mem, map + 24 + 16), 2);
	assert_int_equal(u32(mem, map + 48), MIB);
	assert_int_equal(u32(mem, map + 56), 3 * MIB);
	mem_close(mem);
}

static void multiboot_is_loaded_and_told(void **state)
{
	struct mem *mem = new_mem(4 * MIB);
	struct image32 i = multiboot();
	struct boot_entry e;
	uint64_t map;
	char *why;

	(void)state;
	assert_int_equal(load(mem, &i, sizeof(i), "x=1", &e, &why), 0);
	assert_int_equal(e.kind, BOOT_MULTIBOOT);
	assert_int_equal(e.eax, 0x2badb002);
	assert_int_equal(e.eip, CODE + 8); /* its entry is virtual */
	assert_int_equal(u32(mem, e.ebx), 0x245);
	assert_int_equal(u32(mem, e.ebx + 4), 0x9fc00 / 1024);
	assert_int_equal(u32(mem, e.ebx + 8), 3 * 1024);
	assert_string_equal(mem_ptr(mem, u32(mem, e.ebx + 16), 8), "img x=1");
	assert_int_equal(u32(mem, e.ebx + 44), 3 * 24);
	map = u32(mem, e.ebx + 48);
	assert_int_equal(u32(mem, map), 20);
	assert_int_equal(u32(mem, map + 48 + 4), MIB);
	assert_int_equal(u32(mem, map + 48 + 12), 3 * MIB);
	mem_close(mem);
}

/* A flat file with the header at 8, loaded from byte 4 on. */
static void multiboot_by_address_fields(void **state)
{
	struct mem *mem = new_mem(4 * MIB);
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
	assert_int_equal(load(mem, file, sizeof(file), NULL, &e, &why), 0);
	assert_int_equal(e.eip, CODE + 0x20);
	assert_int_equal(u32(mem, CODE), 0x11111111);
	assert_int_equal(u32(mem, CODE + 56), 0x22222222);
	assert_int_equal(u32(mem, CODE + 60), 0);
	assert_int_equal(u32(mem, CODE + 0xfc), 0);
	assert_int_equal(u32(mem, CODE + 0x100), 0xcccccccc);

	h[5] = CODE + 8; /* two words of it */
	assert_int_equal(load(mem, file, sizeof(file), NULL, &e, &why), 0);
	assert_int_equal(u32(mem, CODE + 8), 0);

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
		assert_int_equal(load(mem, copy, sizeof(copy), NULL, &e, &why),
				 -ENOEXEC);
		assert_non_null(why);
		free(why);
	}
	mem_close(mem);
}

static void expect(const void *data, size_t len, int rc, const char *says)
{
	struct mem *mem = new_mem(2 * MIB);
	struct boot_entry e = { .eip = 0x77 };
	char *why;

	assert_int_equal(load(mem, data, len, NULL, &e, &why), rc);
	assert_non_null(why);
	if (!strstr(why, says))
		fail_msg("\"%s\" does not say \"%s\"", why, says);
	assert_ptr_equal(strstr(why, "img: "), why);
	assert_int_equal(e.eip, 0x77);
	/* Nothing may have been written. */
	assert_int_equal(u32(mem, BOOT_INFO_BASE), 0xcccccccc);
	assert_int_equal(u32(mem, CODE), 0xcccccccc);
	free(why);
	mem_close(mem);
}

static void what_is_no_image_says_so(void **state)
{
	struct image64 i = pvh();
	char text[1024] = "#!/bin/sh\n";

	(void)state;
	expect("", 0, -ENOEXEC, "is not a PVH or multiboot image: it is empty");
	expect(text, 10, -ENOEXEC, "is not a PVH or multiboot image: neither");
	memcpy(text + 0x202, "HdrS", 4);
	expect(text, sizeof(text), -ENOEXEC, "bzImage");
	expect(&i, 20, -ENOEXEC, "cut short in its ELF header");
	i.nh.n_type = 17;
	expect(&i, sizeof(i), -ENOEXEC, "neither a PVH note nor");
	i = pvh();
	i.eh.e_machine = EM_AARCH64;
	expect(&i, sizeof(i), -ENOEXEC, "another processor");
	i = pvh();
	i.eh.e_type = ET_DYN;
	expect(&i, sizeof(i), -ENOEXEC, "is not a PVH or multiboot image");
}

static void broken_headers_are_refused(void **state)
{
	struct image64 i = pvh();
	struct image32 m = multiboot();

	(void)state;
	i.eh.e_phentsize = 1;
	expect(&i, sizeof(i), -ENOEXEC, "unknown size");
	i = pvh();
	i.eh.e_phoff = UINT64_MAX - 8;
	expect(&i, sizeof(i), -ENOEXEC, "cut short in its program headers");
	i = pvh();
	i.eh.e_phnum = 3;
	i.eh.e_phoff = sizeof(i) - 2 * sizeof(Elf64_Phdr);
	expect(&i, sizeof(i), -ENOEXEC, "cut short in its program headers");
	i = pvh();
	i.eh.e_phnum = 0;
	expect(&i, sizeof(i), -ENOEXEC, "neither");
	i = pvh();
	i.note.p_filesz = UINT64_MAX;
	expect(&i, sizeof(i), -ENOEXEC, "cut short in its notes");
	i = pvh();
	i.nh.n_descsz = UINT32_MAX;
	expect(&i, sizeof(i), -ENOEXEC, "broken note");
	i = pvh();
	i.nh.n_namesz = UINT32_MAX;
	expect(&i, sizeof(i), -ENOEXEC, "broken note");
	m.header[1] = 0x13 | 0x20;
	m.header[2] = -(m.header[0] + m.header[1]);
	expect(&m, sizeof(m), -ENOEXEC, "requires what we have not");
	m = multiboot();
	m.header[2]++;
	expect(&m, sizeof(m), -ENOEXEC, "neither a PVH note nor");
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
		struct image64 i = pvh();

		i.load.p_paddr = tries[n].gpa;
		i.load.p_memsz = tries[n].memsz;
		i.load.p_filesz = tries[n].filesz;
		i.entry = (uint32_t)tries[n].gpa;
		expect(&i, sizeof(i), tries[n].rc, tries[n].says);
	}
}

static void the_entry_is_in_a_segment(void **state)
{
	struct image64 i = pvh();

	(void)state;
	i.entry = CODE - 1;
	expect(&i, sizeof(i), -ENOEXEC, "in none of its segments");
	i.entry = CODE + 64;
	expect(&i, sizeof(i), -ENOEXEC, "in none of its segments");
}

/* Sixty segments of all memory would be copied sixty times. */
static void segments_that_overlap_are_bounded(void **state)
{
	struct {
		struct image64 i;
		Elf64_Phdr more[60];
	} big = { .i = pvh() };

	(void)state;
	big.more[0] = big.i.note;
	for (size_t n = 1; n < ARRAY_LEN(big.more); n++) {
		big.more[n] = big.i.load;
		big.more[n].p_memsz = MIB / 2;
	}
	big.i.eh.e_phoff = sizeof(big.i);
	big.i.eh.e_phnum = ARRAY_LEN(big.more);
	expect(&big, sizeof(big), -ENOEXEC, "segments that overlap");
}

static void a_long_command_line_is_refused(void **state)
{
	struct mem *mem = new_mem(2 * MIB);
	struct image64 i = pvh();
	struct boot_entry e;
	char line[BOOT_CMDLINE_MAX + 1];
	char *why;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[BOOT_CMDLINE_MAX] = '\0';
	assert_int_equal(load(mem, &i, sizeof(i), line, &e, &why), -E2BIG);
	free(why);
	line[BOOT_CMDLINE_MAX - 1] = '\0';
	assert_int_equal(load(mem, &i, sizeof(i), line, &e, &why), 0);
	mem_close(mem);
}

/* Every length of a good image: never a crash, and only the whole is good. */
static void every_prefix_is_refused(void **state)
{
	struct mem *mem = new_mem(2 * MIB);
	struct image64 i = pvh();
	struct boot_entry e;

	(void)state;
	for (size_t len = 0; len < offsetof(struct image64, code) + 16; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		char *why;

		memcpy(copy, &i, len);
		assert_int_equal(load(mem, copy, len, NULL, &e, &why),
				 -ENOEXEC);
		free(why);
		free(copy);
	}
	mem_close(mem);
}

/* ---- Linux ---- */

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
	return u32(mem, gpa) | (uint64_t)u32(mem, gpa + 4) << 32;
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
	assert_int_equal(u32(mem, zero + 0x1e8) & 0xff, 3);
	assert_int_equal(u64(mem, zero + 0x2d0 + 8), 0x9fc00);
	assert_int_equal(u32(mem, zero + 0x2d0 + 16), 1);
	assert_int_equal(u32(mem, zero + 0x2d0 + 36), 2);
	assert_int_equal(u64(mem, zero + 0x2d0 + 40), MIB);
	assert_int_equal(u64(mem, zero + 0x2d0 + 48), bytes - MIB);
}

static void bzimage_is_loaded_and_told(void **state)
{
	struct mem *mem = new_mem(32 * MIB);
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
	assert_int_equal(u32(mem, KERNEL + 0x300), 0xcccccccc);
	zero = e.esi;
	assert_memory_equal(mem_ptr(mem, zero + 0x202, 4), "HdrS", 4);
	assert_int_equal(u32(mem, zero + 0x210) & 0xff, 0xff);
	assert_int_equal(u64(mem, zero + 0x250), 0);
	assert_int_equal(u64(mem, zero + 0x70), BOOT_ACPI_BASE);
	assert_string_equal(mem_ptr(mem, u32(mem, zero + 0x228), 4), "x=1");
	at = u32(mem, zero + 0x218);
	assert_int_equal(u32(mem, zero + 0x21c), sizeof(initrd));
	assert_int_equal(at, 32 * MIB - 8192);
	assert_memory_equal(mem_ptr(mem, at, 5000), initrd, 5000);
	check_e820(mem, zero, 32 * MIB);
	check_long_mode(mem, &e);

	/* an initrd stays below what the kernel says */
	set(file, 0x22c, 4, 24 * MIB - 1);
	assert_int_equal(boot_load(mem, &image, &e, &why), 0);
	assert_int_equal(u32(mem, zero + 0x218), 24 * MIB - 8192);
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
		expect(file, sizeof(file), tries[n].rc, tries[n].says);
	}
}

/* Of every length, in a buffer that ends there. */
static void every_prefix_of_a_bzimage_is_refused(void **state)
{
	struct mem *mem = new_mem(32 * MIB);
	uint8_t file[BZIMAGE];
	struct boot_entry e;

	(void)state;
	bzimage(file);
	for (size_t len = 0; len < sizeof(file); len++) {
		uint8_t *copy = malloc(len ? len : 1);
		char *why;

		memcpy(copy, file, len);
		assert_int_equal(load(mem, copy, len, NULL, &e, &why),
				 -ENOEXEC);
		free(why);
		free(copy);
	}
	mem_close(mem);
}

static void a_kernel_says_how_long_its_command_line_is(void **state)
{
	struct mem *mem = new_mem(32 * MIB);
	uint8_t file[BZIMAGE];
	struct boot_entry e;
	char line[100], *why;

	(void)state;
	bzimage(file);
	set(file, 0x238, 4, 90);
	memset(line, 'x', sizeof(line));
	line[91] = '\0';
	assert_int_equal(load(mem, file, sizeof(file), line, &e, &why), -E2BIG);
	assert_non_null(strstr(why, "longer than the 90 bytes"));
	free(why);
	line[90] = '\0';
	assert_int_equal(load(mem, file, sizeof(file), line, &e, &why), 0);
	mem_close(mem);
}

/* Without the note: entered where the 64-bit protocol says. */
static void vmlinux_without_a_note(void **state)
{
	struct mem *mem = new_mem(4 * MIB);
	struct image64 i = pvh();
	struct boot_entry e;
	char *why;

	(void)state;
	i.nh.n_type = 17;
	i.eh.e_entry = CODE + 2;
	assert_int_equal(load(mem, &i, sizeof(i), "x=1", &e, &why), 0);
	assert_int_equal(e.kind, BOOT_LINUX);
	assert_int_equal(e.eip, CODE + 2);
	assert_int_equal(u32(mem, CODE + 60), 0); /* bss */
	assert_int_equal(u32(mem, e.esi + 0x1fe) & 0xffff, 0xaa55);
	assert_memory_equal(mem_ptr(mem, e.esi + 0x202, 4), "HdrS", 4);
	assert_string_equal(mem_ptr(mem, u32(mem, e.esi + 0x228), 4), "x=1");
	check_e820(mem, e.esi, 4 * MIB);
	check_long_mode(mem, &e);
	mem_close(mem);
	/* another program's file is not taken for one */
	i.load.p_vaddr = CODE;
	expect(&i, sizeof(i), -ENOEXEC, "neither a PVH note nor");
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
		cmocka_unit_test(bzimage_is_loaded_and_told),
		cmocka_unit_test(broken_bzimages_are_refused),
		cmocka_unit_test(every_prefix_of_a_bzimage_is_refused),
		cmocka_unit_test(a_kernel_says_how_long_its_command_line_is),
		cmocka_unit_test(vmlinux_without_a_note),
		cmocka_unit_test(mp_table_says_who_and_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
