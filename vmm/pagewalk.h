/* SPDX-License-Identifier: MIT */
/*
 * pagewalk.h: read a guest's memory by its linear addresses, through its own
 * page tables.
 *
 * The tables are the guest's and may change or lie: every entry is read once,
 * checked, and looked up in guest memory; a walk has at most five steps.
 *
 * Threads: any.
 */

#ifndef VMM_PAGEWALK_H
#define VMM_PAGEWALK_H

#include "kvm.h"

struct mem;

/*
 * The guest-physical address of (linear): long mode (4 or 5 levels, pages of
 * 4 KiB, 2 MiB and 1 GiB), or no paging.  -EFAULT: not mapped, or its tables
 * are not memory; -ENOTSUP: paged, but not in long mode.
 */
MUST_CHECK int pagewalk(const struct mem *mem, const struct hv_registers *regs,
			uint64_t linear, uint64_t *gpa);

/* Copy (len) bytes at (linear); -EFAULT unless all are mapped to memory. */
MUST_CHECK int pagewalk_read(const struct mem *mem,
			     const struct hv_registers *regs, uint64_t linear,
			     void *to, size_t len);

#endif /* VMM_PAGEWALK_H */
