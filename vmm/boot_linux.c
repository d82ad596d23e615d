/* SPDX-License-Identifier: MIT */
/*
 * boot_linux.c: Linux by its 64-bit boot protocol: a bzImage's setup header,
 * and the zero page.
 *
 * The kernel's Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"
 * and "64-bit Boot Protocol", and zero-page.rst.  All values are little-endian
 * and most are not aligned.
 */

#include "boot_impl.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SECTOR UINT64_C(512)
#define ENTRY64 0x200 /* of the 64-bit code, from where it is loaded */
#define KERNEL_HALF (UINT64_C(1) << 63)

/* Offsets in the image, and the same in the zero page. */
enum {
	ZERO_RSDP = 0x070,
	ZERO_E820_COUNT = 0x1e8,
	HDR_START = 0x1f1,
	HDR_SETUP_SECTS = 0x1f1,
	HDR_SYSSIZE = 0x1f4,
	HDR_VID_MODE = 0x1fa,
	HDR_BOOT_FLAG = 0x1fe,
	HDR_JUMP = 0x201, /* its second byte: how long the header is */
	HDR_MAGIC = 0x202,
	HDR_VERSION = 0x206,
	HDR_LOADER = 0x210,
	HDR_LOADFLAGS = 0x211,
	HDR_INITRD = 0x218,
	HDR_INITRD_LEN = 0x21c,
	HDR_CMDLINE = 0x228,
	HDR_INITRD_MAX = 0x22c,
	HDR_ALIGNMENT = 0x230,
	HDR_XLOADFLAGS = 0x236,
	HDR_CMDLINE_SIZE = 0x238,
	HDR_SETUP_DATA = 0x250,
	HDR_PREF_ADDRESS = 0x258,
	HDR_INIT_SIZE = 0x260,
	HDR_END_LEAST = 0x264, /* what we read of it */
	HDR_END_MOST = 0x290,  /* where something else begins */
	ZERO_E820 = 0x2d0,
};

#define VERSION_LEAST 0x20c /* from which on the 64-bit entry is told of */
#define LOADED_HIGH 0x01
#define XLF_KERNEL_64 0x0001
#define LOADER_UNDEFINED 0xff
#define VID_MODE_NORMAL 0xffff

struct e820 {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct e820) == 20, "as Linux lays it out");

static uint32_t get16(const uint8_t *p, size_t at)
{
	uint16_t value;

	memcpy(&value, p + at, sizeof(value));
	return le16toh(value);
}

static uint32_t get32(const uint8_t *p, size_t at)
{
	uint32_t value;

	memcpy(&value, p + at, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const uint8_t *p, size_t at)
{
	return get32(p, at) | (uint64_t)get32(p, at + 4) << 32;
}

static void put16(uint8_t *p, size_t at, uint16_t value)
{
	value = htole16(value);
	memcpy(p + at, &value, sizeof(value));
}

static void put32(uint8_t *p, size_t at, uint32_t value)
{
	value = htole32(value);
	memcpy(p + at, &value, sizeof(value));
}

static void put64(uint8_t *p, size_t at, uint64_t value)
{
	put32(p, at, (uint32_t)value);
	put32(p, at + 4, (uint32_t)(value >> 32));
}

bool linux_is_bzimage(const struct loader *ld)
{
	char magic[4];

	return boot_peek(ld, HDR_MAGIC, magic, 4) && !memcmp(magic, "HdrS", 4);
}

/* What must be so for the header's fields to mean what we take them for. */
static int check_header(struct loader *ld, const uint8_t *h)
{
	size_t end = (size_t)HDR_MAGIC + h[HDR_JUMP];
	uint32_t version = get16(h, HDR_VERSION);

	if (get16(h, HDR_BOOT_FLAG) != 0xaa55)
		return boot_fail(ld, -ENOEXEC,
				 "is a broken Linux bzImage: it has no boot "
				 "flag");
	if (version < VERSION_LEAST)
		return boot_fail(ld, -ENOEXEC,
				 "is a Linux bzImage of boot protocol %u.%02u; "
				 "2.12 (Linux 3.8) is the least",
				 version >> 8, version & 0xff);
	if (end < HDR_END_LEAST)
		return boot_fail(ld, -ENOEXEC,
				 "is a broken Linux bzImage: its setup header "
				 "ends at %#zx",
				 end);
	if (!(h[HDR_LOADFLAGS] & LOADED_HIGH))
		return boot_fail(ld, -ENOEXEC,
				 "is a Linux zImage, for low memory: build a "
				 "bzImage");
	if (!(get16(h, HDR_XLOADFLAGS) & XLF_KERNEL_64))
		return boot_fail(ld, -ENOEXEC,
				 "is a Linux bzImage without a 64-bit entry: "
				 "take a kernel for amd64");
	ld->header = h;
	ld->header_len = (end < HDR_END_MOST ? end : HDR_END_MOST) - HDR_START;
	return 0;
}

/*
 * Where it would like to be: there it need not move itself.  It uses memory
 * from there on as it says (init_size), and puts nothing of ours into it.
 */
int linux_parse(struct loader *ld)
{
	const uint8_t *h = ld->image->data;
	struct segment s = { .loose = true };
	uint64_t sectors, want;
	int rc;

	if (ld->image->len < HDR_END_MOST)
		return boot_fail(ld, -ENOEXEC,
				 "is cut short: a Linux bzImage without all "
				 "of its setup header");
	rc = check_header(ld, h);
	if (rc)
		return rc;
	sectors = h[HDR_SETUP_SECTS] ? h[HDR_SETUP_SECTS] : 4;
	s.offset = (sectors + 1) * SECTOR;
	s.filesz = (uint64_t)get32(h, HDR_SYSSIZE) * 16;
	s.gpa = s.vaddr = get64(h, HDR_PREF_ADDRESS);
	want = get32(h, HDR_INIT_SIZE);
	s.memsz = want > s.filesz ? want : s.filesz;
	if (s.filesz <= ENTRY64)
		return boot_fail(ld, -ENOEXEC,
				 "is a broken Linux bzImage: it has no code");
	if (s.gpa < MIB)
		return boot_fail(ld, -ENOEXEC,
				 "is a broken Linux bzImage: it wants to be at "
				 "%#" PRIx64 ", below 1M",
				 s.gpa);
	if (cc_add(s.gpa, ENTRY64, &ld->entry))
		ld->entry = UINT64_MAX; /* told with the segment */
	ld->initrd_max = get32(h, HDR_INITRD_MAX);
	ld->cmdline_max = get32(h, HDR_CMDLINE_SIZE);
	return boot_add_segment(ld, &s);
}

/*
 * Linked to the upper half, where kernels are, and its entry is physical: that
 * is where the 64-bit boot protocol enters it (startup_64).
 */
bool linux_is_vmlinux(const struct loader *ld)
{
	bool upper = false, entry = false;

	for (unsigned int i = 0; i < ld->count; i++) {
		const struct segment *s = &ld->segment[i];

		upper |= s->vaddr >= KERNEL_HALF;
		entry |= cc_within(ld->elf_entry, 1, s->gpa, s->memsz);
	}
	return upper && entry;
}

/* A vmlinux has no header of its own; what the kernel looks at of one. */
static void put_header(uint8_t *zero)
{
	put16(zero, HDR_BOOT_FLAG, 0xaa55);
	memcpy(zero + HDR_MAGIC, "HdrS", 4);
	put16(zero, HDR_VERSION, VERSION_LEAST);
	zero[HDR_LOADFLAGS] = LOADED_HIGH;
	put32(zero, HDR_ALIGNMENT, 0x1000000);
}

static void put_e820(uint8_t *zero, const struct mem *mem)
{
	struct pvh_memmap map[8];
	unsigned int n = boot_memory_map(mem, map);

	for (unsigned int i = 0; i < n; i++) {
		struct e820 e = { htole64(map[i].addr), htole64(map[i].size),
				  htole32(map[i].type) };

		memcpy(zero + ZERO_E820 + i * sizeof(e), &e, sizeof(e));
	}
	zero[ZERO_E820_COUNT] = (uint8_t)n;
}

/* 4 GiB one to one, by pages of 2 MiB (Intel SDM volume 3A, 4.5). */
static void put_page_tables(const struct loader *ld)
{
	uint8_t *to = mem_ptr(ld->mem, PAGE_TABLES, PAGE_TABLES_SIZE);

	memset(to, 0, PAGE_TABLES_SIZE);
	put64(to, 0, (PAGE_TABLES + MEM_PAGE) | 3); /* present, writable */
	for (size_t i = 0; i < 4; i++)
		put64(to, MEM_PAGE + 8 * i,
		      (PAGE_TABLES + (2 + i) * MEM_PAGE) | 3);
	for (size_t i = 0; i < 4 * 512; i++) /* and large */
		put64(to, 2 * MEM_PAGE + 8 * i, (uint64_t)i << 21 | 0x83);
}

void linux_fill(const struct loader *ld, struct boot_info *info)
{
	uint8_t *zero = info->zero_page;

	if (ld->header)
		memcpy(zero + HDR_START, ld->header + HDR_START,
		       ld->header_len);
	else
		put_header(zero);
	zero[HDR_LOADER] = LOADER_UNDEFINED;
	put16(zero, HDR_VID_MODE, VID_MODE_NORMAL);
	put32(zero, HDR_CMDLINE, INFO_AT(cmdline));
	put64(zero, HDR_SETUP_DATA, 0);
	put32(zero, HDR_INITRD, (uint32_t)info->module.addr);
	put32(zero, HDR_INITRD_LEN, (uint32_t)info->module.size);
	put64(zero, ZERO_RSDP, BOOT_ACPI_BASE);
	put_e820(zero, ld->mem);
	put_page_tables(ld);
	/* selectors 0x10 and 0x18: flat, as the protocol wants them */
	put64((uint8_t *)info->gdt, 16, UINT64_C(0x00af9a000000ffff));
	put64((uint8_t *)info->gdt, 24, UINT64_C(0x00cf92000000ffff));
}
