/* SPDX-License-Identifier: MIT */
/*
 * alone.h: a card that one guest has to itself, behind an IOMMU: its pages are
 * the guest's, its interrupts go to KVM, and it reaches the guest's memory and
 * no other.
 *
 * Interface: alone_open() when the guest's machine is there; then what its
 * virtual function tells goes to the other functions here; alone_close() when
 * the guest has ended.
 *
 * Threads: one at a time (the bus's lock, or set-up).
 */

#ifndef VMM_ALONE_H
#define VMM_ALONE_H

#include "../dmm/dmm.h"
#include "backend.h"
#include "vm.h"

#define ALONE_VECTORS 256u /* of MSI-X; more are not used by any card here */

struct alone_run { /* pages of a BAR, one after another */
	unsigned int bar, slot;
	uint64_t off, size;
	bool seen;
};

struct alone {
	struct backend *be; /* NULL: it is not open */
	struct vm *vm;
	const char *name;
	unsigned int runs;
	struct alone_run run[64];
	enum pcicap_mode mode;
	uint16_t command;
	bool pin; /* it goes to the guest, by (line) */
	unsigned int line;
	int unmask;
	int fd[ALONE_VECTORS]; /* -1: none */
	unsigned int fds, gsi[ALONE_VECTORS], routes;
	bool bound[ALONE_VECTORS];
};

/* (space)[bar] is the model's space of a BAR, or -1.  As gate_open(). */
MUST_CHECK int alone_open(struct alone *a, const char *name, struct backend *be,
			  struct vm *vm, const struct dmm *dmm,
			  const int space[BACKEND_BARS], char **why);
/* The card is quiet, and reaches nothing.  Not opened is fine. */
void alone_close(struct alone *a);

/* As vpci_ops; (pci) is the function. */
void alone_placed(struct alone *a, unsigned int bar, bool seen, uint64_t addr);
void alone_command(struct alone *a, const struct vpci_dev *pci,
		   uint16_t command);
void alone_mode(struct alone *a, const struct vpci_dev *pci,
		enum pcicap_mode mode);
void alone_vector(struct alone *a, unsigned int vector,
		  const struct pcicap_vector *message);

#endif /* VMM_ALONE_H */
