/* SPDX-License-Identifier: MIT */
/*
 * boot_impl.h: what boot.c and boot_linux.c share: an image while it is read,
 * and where the guest is told of its machine.
 */

#ifndef VMM_BOOT_IMPL_H
#define VMM_BOOT_IMPL_H

#include "boot.h"
#include "mem.h"

#define SEGMENTS_MAX 64
#define MIB UINT64_C(0x100000)

/* Xen, public/elfnote.h and public/arch-x86/hvm/start_info.h. */
#define PVH_NOTE_ENTRY 18
#define PVH_MAGIC 0x336ec578

struct pvh_info {
	uint32_t magic, version, flags, modules;
	uint64_t modules_addr, cmdline_addr, rsdp_addr, memmap_addr;
	uint32_t memmap_count, reserved;
};

struct pvh_memmap {
	uint64_t addr, size;
	uint32_t type, reserved;
};

struct mb_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr, config_table, loader_name;
};

struct mb_mmap {
	uint32_t size; /* of what follows */
	uint64_t addr, len;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct pvh_info) == 56, "as Xen lays it out");
_Static_assert(sizeof(struct pvh_memmap) == 24, "as Xen lays it out");
_Static_assert(sizeof(struct mb_info) == 68, "as multiboot lays it out");
_Static_assert(sizeof(struct mb_mmap) == 24, "as multiboot lays it out");

/* The one place for what we tell a guest, from BOOT_INFO_BASE on. */
struct boot_info {
	union {
		struct pvh_info pvh;
		struct mb_info mb;
		uint8_t zero_page[4096]; /* Linux's struct boot_params */
	};
	union {
		struct pvh_memmap pvh_map[8];
		struct mb_mmap mb_map[8];
	};
	struct pvh_module {
		uint64_t addr, size, cmdline_addr, reserved;
	} module;
	char loader[8];
	uint64_t gdt[4];
	char cmdline[BOOT_CMDLINE_MAX];
};

#define INFO_AT(field) \
	((uint32_t)BOOT_INFO_BASE + offsetof(struct boot_info, field))

/* Behind it, from a page's start on: an identity map of 4 GiB. */
#define PAGE_TABLES (BOOT_INFO_BASE + 0x4000)
#define PAGE_TABLES_SIZE (6 * MEM_PAGE)

_Static_assert(sizeof(struct boot_info) <= 0x4000, "clear of the tables");
_Static_assert(0x4000 + PAGE_TABLES_SIZE <= BOOT_INFO_SIZE, "fits");

struct segment {
	uint64_t gpa, vaddr;
	uint64_t offset, filesz, memsz;
	bool loose; /* what is beyond (filesz) is for use, and not cleared */
};

struct loader {
	struct mem *mem;
	const struct boot_image *image;
	char **why;
	bool has_entry; /* by a PVH note */
	uint64_t entry, elf_entry;
	uint64_t initrd_max;   /* its last byte is not above; 0: no limit */
	size_t cmdline_max;    /* without its NUL; 0: ours */
	const uint8_t *header; /* a bzImage's setup header; NULL: none */
	size_t header_len;
	unsigned int count;
	struct segment segment[SEGMENTS_MAX];
};

/* Set (*why) and return (err). */
int PRINTF(3, 4) boot_fail(struct loader *ld, int err, const char *fmt, ...);

/* Copy (len) bytes at (offset) of the image; false if it has them not. */
bool boot_peek(const struct loader *ld, uint64_t offset, void *to, size_t len);

/* -ENOEXEC if there are too many. */
MUST_CHECK int boot_add_segment(struct loader *ld, const struct segment *s);

/* What the guest may use, as a map of (room) or fewer ranges; how many. */
unsigned int boot_memory_map(const struct mem *mem, struct pvh_memmap *map);

/* ---- boot_linux.c ---- */

/* Does the image have a bzImage's mark, where that has to be? */
bool linux_is_bzimage(const struct loader *ld);

/* Its setup header into segment, entry and limits; -ENOEXEC. */
MUST_CHECK int linux_parse(struct loader *ld);

/* An ELF file as Linux's vmlinux is linked, that can be entered directly. */
bool linux_is_vmlinux(const struct loader *ld);

/* The zero page, and what a processor in 64-bit mode needs. */
void linux_fill(const struct loader *ld, struct boot_info *info);

#endif /* VMM_BOOT_IMPL_H */
