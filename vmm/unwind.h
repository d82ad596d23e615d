/* SPDX-License-Identifier: MIT */
/*
 * unwind.h: where a guest is, as people say it: the instruction pointer, and
 * the functions that led there.
 *
 * By libunwind's remote interface, over the tables of the guest's image and
 * the guest's memory.  Both are untrusted: frames and reads are bounded, all
 * memory goes through pagewalk.h.  It takes some tens of microseconds, so it
 * is only for reports, which are few.
 *
 * Threads: any; the processor must not run meanwhile.
 */

#ifndef VMM_UNWIND_H
#define VMM_UNWIND_H

#include "kvm.h"

#define UNWIND_FRAMES 32u
#define UNWIND_TEXT 512u /* holds most chains; others end in " ..." */

struct mem;
struct symbols;

/*
 * Write "rip 0x1234", with names "rip 0x1234 inner < outer < outermost", to
 * (text).  (symbols): NULL if the image has none.
 */
void unwind_say(const struct symbols *symbols, const struct mem *mem,
		const struct hv_registers *regs, char *text, size_t room);

#endif /* VMM_UNWIND_H */
