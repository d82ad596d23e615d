/* SPDX-License-Identifier: MIT */
/*
 * qtest_pci.h: the PCI function that a QEMU has for us, set up from outside.
 *
 * Threads: one at a time.
 */

#ifndef VMM_QTEST_PCI_H
#define VMM_QTEST_PCI_H

#include "backend.h"
#include "qtest.h"

/*
 * Note what it shows in (info), and place its BARs, at (addr) of QEMU's ports
 * and memory.  False: it is another one, or they cannot be placed.
 */
MUST_CHECK bool qtest_pci_place(struct qtest *qtest, uint16_t vendor,
				uint16_t device, struct backend_info *info,
				uint64_t addr[BACKEND_BARS]);
/* It answers there, and masters the bus or not; so it is on return. */
void qtest_pci_command(struct qtest *qtest, bool master);

#endif /* VMM_QTEST_PCI_H */
