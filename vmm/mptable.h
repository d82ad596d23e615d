/* SPDX-License-Identifier: MIT */
/*
 * mptable.h: tells a guest of its processors and of where interrupts go.
 *
 * The MultiProcessor Specification 1.4, chapter 4.  Interrupts go as KVM's
 * default routing has it: ISA line n to pin n of the one IOAPIC, line 0 too.
 *
 * Threads: any, it only writes the caller's buffer.
 */

#ifndef VMM_MPTABLE_H
#define VMM_MPTABLE_H

#include "../dmm/cc.h"
#include "vpci.h"

struct mptable_conf {
	unsigned int cpus;
	uint16_t level_lines; /* lines of PCI's: not listed as ISA's */
	const struct vpci_route *routes;
	unsigned int n_routes;
};

/*
 * Write pointer and table, which the guest will find at (gpa), into (room)
 * bytes at (to).  Returns their length, or -ENOSPC.
 */
MUST_CHECK int mptable_build(const struct mptable_conf *conf, uint32_t gpa,
			     uint8_t *to, size_t room);

#endif /* VMM_MPTABLE_H */
