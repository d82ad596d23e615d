/* SPDX-License-Identifier: MIT */
/*
 * bootrig.h: a small image, memory to load it into, and what must be said of
 * one that is none.
 */

#ifndef TESTS_BOOTRIG_H
#define TESTS_BOOTRIG_H

#include <elf.h>

#include "vmm/boot.h"
#include "vmm/mem.h"

#define MIB UINT64_C(0x100000)
#define CODE 0x100000

/* A small PVH image, 64 bits: headers, a note, a segment of 16 bytes. */
struct bootrig_image {
	Elf64_Ehdr eh;
	Elf64_Phdr load, note;
	Elf64_Nhdr nh;
	char xen[4];
	uint32_t entry;
	uint8_t code[16];
};

struct bootrig_image bootrig_pvh(void);

/* Memory of (bytes), all 0xcc. */
struct mem *bootrig_mem(uint64_t bytes);
uint32_t bootrig_u32(const struct mem *mem, uint64_t gpa);
/* As boot_load(), of an image that is called "img". */
int bootrig_load(struct mem *mem, const void *data, size_t len,
		 const char *cmdline, struct boot_entry *entry, char **why);
/* Loading it returns (rc) and (says) so, and has done nothing. */
void bootrig_expect(const void *data, size_t len, int rc, const char *says);

#endif /* TESTS_BOOTRIG_H */
