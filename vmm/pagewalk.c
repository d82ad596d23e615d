// SPDX-License-Identifier: MIT
/*
 * pagewalk.c: read a guest's memory by its linear addresses, through its own
 * page tables.  Intel SDM volume 3A, 4.5.
 */

#include "pagewalk.h"

#include <errno.h>
#include <string.h>

#include "mem.h"

#define CR0_PG (UINT64_C(1) << 31)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA (UINT64_C(1) << 10)
#define ENTRY_PRESENT 1u
#define ENTRY_LARGE (1u << 7)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define PAGE_BITS 12u
#define LEVEL_BITS 9u

static int read_entry(const struct mem *mem, uint64_t at, uint64_t *entry)
{
	const volatile uint64_t *from = mem_ptr(mem, at, sizeof(*entry));

	if (!from)
		return -EFAULT;
	*entry = *from; /* once: the guest may be writing it */
	return *entry & ENTRY_PRESENT ? 0 : -EFAULT;
}

int pagewalk(const struct mem *mem, const struct hv_registers *regs,
	     uint64_t linear, uint64_t *gpa)
{
	unsigned int level = regs->cr4 & CR4_LA57 ? 5 : 4, shift;
	uint64_t table = regs->cr3 & ENTRY_ADDRESS, entry;
	int err;

	if (!(regs->cr0 & CR0_PG)) {
		*gpa = linear;
		return 0;
	}
	if (!(regs->efer & EFER_LMA))
		return -ENOTSUP;
	for (; level; level--) {
		shift = PAGE_BITS + LEVEL_BITS * (level - 1);
		err = read_entry(mem,
				 table + 8 * (linear >> shift &
					      cc_ones(LEVEL_BITS)),
				 &entry);
		if (err)
			return err;
		/* a large page is of 1 GiB or 2 MiB */
		if (level == 1 || (level <= 3 && entry & ENTRY_LARGE)) {
			*gpa = (entry & ENTRY_ADDRESS & ~cc_ones(shift)) |
			       (linear & cc_ones(shift));
			return 0;
		}
		table = entry & ENTRY_ADDRESS;
	}
	return -EFAULT;
}

int pagewalk_read(const struct mem *mem, const struct hv_registers *regs,
		  uint64_t linear, void *to, size_t len)
{
	uint8_t *at = to;

	while (len) {
		size_t n = MEM_PAGE - linear % MEM_PAGE;
		const void *from;
		uint64_t gpa;
		int err = pagewalk(mem, regs, linear, &gpa);

		if (err)
			return err;
		if (n > len)
			n = len;
		from = mem_ptr(mem, gpa, n);
		if (!from)
			return -EFAULT;
		memcpy(at, from, n);
		at += n;
		linear += n;
		len -= n;
	}
	return 0;
}
