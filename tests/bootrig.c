// SPDX-License-Identifier: MIT
/*
 * bootrig.c: the image and the memory of bootrig.h.
 */

#include "bootrig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bootrig_image bootrig_pvh(void)
{
	struct bootrig_image i = {
		.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_phoff = offsetof(struct bootrig_image, load),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2 },
		.load = { .p_type = PT_LOAD,
			  .p_offset = offsetof(struct bootrig_image, code),
			  .p_vaddr = UINT64_C(0xffffffff80000000) + CODE,
			  .p_paddr = CODE,
			  .p_filesz = 16,
			  .p_memsz = 64 },
		.note = { .p_type = PT_NOTE,
			  .p_offset = offsetof(struct bootrig_image, nh),
			  .p_filesz = 20,
			  .p_align = 4 },
		.nh = { .n_namesz = 4, .n_descsz = 4, .n_type = 18 },
		.xen = "Xen",
		.entry = CODE + 4,
		.code = { 1, 2, 3, 4 },
	};

	return i;
}

struct mem *bootrig_mem(uint64_t bytes)
{
	struct mem *mem;
	char *why;

	assert_int_equal(mem_open(&mem, bytes, &why), 0);
	memset(mem_ptr(mem, 0, bytes), 0xcc, bytes);
	return mem;
}

int bootrig_load(struct mem *mem, const void *data, size_t len,
		 const char *cmdline, struct boot_entry *entry, char **why)
{
	struct boot_image image = {
		.name = "img", .data = data, .len = len, .cmdline = cmdline
	};

	*why = NULL;
	return boot_load(mem, &image, entry, why);
}

uint32_t bootrig_u32(const struct mem *mem, uint64_t gpa)
{
	uint32_t value;

	memcpy(&value, mem_ptr(mem, gpa, 4), 4);
	return value;
}

void bootrig_expect(const void *data, size_t len, int rc, const char *says)
{
	struct mem *mem = bootrig_mem(2 * MIB);
	struct boot_entry e = { .eip = 0x77 };
	char *why;

	assert_int_equal(bootrig_load(mem, data, len, NULL, &e, &why), rc);
	assert_non_null(why);
	if (!strstr(why, says))
		fail_msg("\"%s\" does not say \"%s\"", why, says);
	assert_ptr_equal(strstr(why, "img: "), why);
	assert_int_equal(e.eip, 0x77);
	/* Nothing may have been written. */
	assert_int_equal(bootrig_u32(mem, BOOT_INFO_BASE), 0xcccccccc);
	assert_int_equal(bootrig_u32(mem, CODE), 0xcccccccc);
	free(why);
	mem_close(mem);
}
