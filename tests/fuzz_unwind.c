/* SPDX-License-Identifier: MIT */
/*
 * fuzz_unwind.c: fuzz target for images, registers and stacks of guests whose
 * call chain is to be told: registers first, then the image; the stack is the
 * input, too.
 */

#include <stdlib.h>
#include <string.h>

#include "../vmm/mem.h"
#include "../vmm/symbols.h"
#include "../vmm/unwind.h"

#define MEMORY (1u << 20)
#define MAX (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mem *mem;
	struct hv_registers regs = { .long_mode = true };
	struct symbols *symbols;
	char text[UNWIND_TEXT], *why = NULL;
	uint16_t rip, rsp;

	if (!mem && mem_open(&mem, MEMORY, &why))
		abort();
	if (size < 8 || size > MAX)
		return 0;
	memcpy(&rip, data, 2);
	memcpy(&rsp, data + 2, 2);
	regs.reg[HV_RIP] = rip;
	regs.reg[7] = rsp;
	regs.cr0 = data[4] & 1 ? UINT64_C(1) << 31 : 0;
	regs.efer = UINT64_C(1) << 10;
	regs.cr3 = (uint64_t)data[5] << 12;
	memcpy(mem_ptr(mem, 0, size), data, size);
	if (symbols_open(&symbols, data + 8, size - 8))
		return 0;
	unwind_say(symbols, mem, &regs, text, sizeof(text));
	symbols_close(symbols);
	return strnlen(text, sizeof(text)) == sizeof(text) ? abort(), 0 : 0;
}
