/* SPDX-License-Identifier: MIT */
/*
 * acpi.h: tells a guest of its machine by ACPI tables: processors, interrupts,
 * the PCI bus, the small devices, power-off and reset.
 *
 * ACPI Specification 6.4, chapter 5: RSDP, XSDT, FADT, FACS, MADT, DSDT.
 * Interrupts go as the MP table says, too (mptable.h).
 *
 * Threads: any, it only writes the caller's buffer.
 */

#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include "../dmm/cc.h"
#include "vpci.h"

struct acpi_conf {
	unsigned int cpus;
	const struct vpci_route *routes;
	unsigned int n_routes;
};

/*
 * Write the tables, which the guest will find at (gpa) (of a page), into
 * (room) bytes at (to); the root pointer comes first.  Returns their length,
 * or -ENOSPC.
 */
MUST_CHECK int acpi_build(const struct acpi_conf *conf, uint32_t gpa,
			  uint8_t *to, size_t room);

#endif /* VMM_ACPI_H */
