/* SPDX-License-Identifier: MIT */
/*
 * fuzz_boot.c: any bytes as a guest's image: no crash, no byte out of place,
 * and either an entry in memory or a line that says why not.
 */

#include <stdlib.h>
#include <string.h>

#include "../vmm/boot.h"
#include "../vmm/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mem *mem;
	struct boot_image image = {
		.name = "fuzz", .data = data, .len = size, .cmdline = "a=b"
	};
	struct boot_entry entry = { 0 };
	char *why = NULL;
	int rc;

	/* Once for all inputs: what one leaves there is nothing to another */
	if (!mem && mem_open(&mem, UINT64_C(32) << 20, &why))
		abort();
	/* with an initrd, of the same bytes, as the last one says */
	if (size && data[size - 1] & 1) {
		image.initrd = data;
		image.initrd_len = size;
	}
	rc = boot_load(mem, &image, &entry, &why);
	if (rc ? !why || strlen(why) < 8 : why || !mem_ptr(mem, entry.eip, 1))
		abort();
	if (!rc && entry.kind == BOOT_LINUX &&
	    (!mem_ptr(mem, entry.page_tables, 6 * MEM_PAGE) ||
	     !mem_ptr(mem, entry.esi, MEM_PAGE) ||
	     !mem_ptr(mem, entry.gdt, 32)))
		abort();
	free(why);
	return 0;
}
