/* SPDX-License-Identifier: MIT */
/*
 * pci.h: PCI configuration space of bus 0, by mechanism 1.
 */

#ifndef PCI_H
#define PCI_H

#include "guest.h"

#define PCI_ID 0x00
#define PCI_COMMAND 0x04
#define PCI_CLASS 0x08
#define PCI_HEADER 0x0c
#define PCI_BAR0 0x10
#define PCI_IRQ_LINE 0x3c

#define PCI_COMMAND_IO 0x01
#define PCI_COMMAND_MEMORY 0x02
#define PCI_COMMAND_MASTER 0x04
#define PCI_COMMAND_INTX_OFF 0x400

struct pci_bar {
	bool is_io;
	bool is_64;
	uint64_t addr;
	uint64_t size; /* 0: there is no such BAR */
};

/* (devfn) is device << 3 | function; (offset) a multiple of 4. */
uint32_t cfg_read(uint8_t devfn, uint8_t offset);
void cfg_write(uint8_t devfn, uint8_t offset, uint32_t v);

/* The lowest (devfn) of that part, or false. */
bool cfg_find(uint16_t vendor, uint16_t device, uint8_t *devfn);

/* Size a BAR by writing ones; its decoding is off meanwhile. */
struct pci_bar cfg_bar(uint8_t devfn, unsigned int index);
void cfg_set_bar(uint8_t devfn, unsigned int index, uint64_t addr);

/* Turn on I/O, memory and bus mastering.  Where no firmware placed BAR 0,
 * place it; returns its address. */
uint64_t cfg_enable(uint8_t devfn);

/* The PIC line of the function's INTx, or 0xff. */
uint8_t cfg_irq(uint8_t devfn);

#endif /* PCI_H */
