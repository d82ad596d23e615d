/* SPDX-License-Identifier: MIT */
/*
 * libpci.h: opening libpci, on this machine's bus or on what lspci -xxx printed
 * elsewhere; its failures end the process with one line.
 */

#ifndef VMM_LIBPCI_H
#define VMM_LIBPCI_H

struct pci_access;

/*
 * The devices, scanned.  (command) is for messages, (dump) a file, or NULL for
 * this machine.  The caller calls pci_cleanup().
 */
struct pci_access *libpci_open(const char *command, char *dump);

#endif /* VMM_LIBPCI_H */
