/* SPDX-License-Identifier: MIT */
/*
 * boot.h: a guest's image into its memory, and where its first instruction is.
 *
 * Takes PVH images (ELF with a note of type XEN_ELFNOTE_PHYS32_ENTRY; Xen,
 * docs/misc/pvh.pandoc), Linux ones (a bzImage, or a vmlinux without a PVH
 * note, by the kernel's 64-bit boot protocol; Documentation/arch/x86/boot.rst),
 * and multiboot ones (Multiboot Specification 0.6.96, ELF or any file with the
 * address fields).  The image is untrusted: all of it is checked here, and
 * nothing is read or written beyond the buffer and (mem).
 *
 * Threads: before the guest runs, so one.
 */

#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include "../dmm/cc.h"

/* Memory below this is what the guest may use first; no image lies above. */
#define BOOT_INFO_BASE UINT64_C(0x90000) /* start info, command line */
#define BOOT_INFO_SIZE UINT64_C(0xfc00)
#define BOOT_ROM_BASE UINT64_C(0xf0000) /* MP table, ACPI */
#define BOOT_ROM_SIZE UINT64_C(0x10000)
#define BOOT_ACPI_BASE (BOOT_ROM_BASE + 0x2000) /* the root pointer */
#define BOOT_CMDLINE_MAX 4096			/* with its NUL */
#define BOOT_IMAGE_MAX ((size_t)1 << 30)

enum boot_kind { BOOT_PVH, BOOT_MULTIBOOT, BOOT_LINUX };

struct boot_image {
	const char *name; /* for messages, and a multiboot command line */
	const uint8_t *data;
	size_t len;
	const char *cmdline;   /* NULL: none */
	const uint8_t *initrd; /* not of a multiboot image; NULL: none */
	size_t initrd_len;
};

struct boot_entry {
	enum boot_kind kind;
	uint32_t eip, eax, ebx, esi; /* as the protocol wants them */
	/* BOOT_LINUX starts in 64-bit mode, by these tables of ours */
	uint32_t page_tables, gdt;
};

struct mem;

/*
 * Put the image into (mem), and beside it what its boot protocol tells it.
 * One line in (*why), which the caller frees, with
 *  -ENOEXEC  it is no image that is known here, or a broken one;
 *  -ENOMEM   the memory is too small (and how much would do);
 *  -E2BIG    the command line is too long.
 */
MUST_CHECK int boot_load(struct mem *mem, const struct boot_image *image,
			 struct boot_entry *out, char **why);

#endif /* VMM_BOOT_H */
