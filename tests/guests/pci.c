/* SPDX-License-Identifier: MIT */
/*
 * pci.c: find, size and enable PCI functions on bus 0.
 */

#include "pci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc

/* Where BARs go if nobody placed them: by device number, out of the way. */
#define FREE_IO(devfn) (0xc000u + ((devfn) << 5))
#define FREE_MEMORY(devfn) (0xe0000000u + ((uint32_t)(devfn) << 20))

static void select(uint8_t devfn, uint8_t offset)
{
	outl(CONFIG_ADDRESS, 0x80000000u | (uint32_t)devfn << 8 | offset);
}

uint32_t cfg_read(uint8_t devfn, uint8_t offset)
{
	select(devfn, offset);
	return inl(CONFIG_DATA);
}

void cfg_write(uint8_t devfn, uint8_t offset, uint32_t v)
{
	select(devfn, offset);
	outl(CONFIG_DATA, v);
}

bool cfg_find(uint16_t vendor, uint16_t device, uint8_t *devfn)
{
	uint32_t id = (uint32_t)device << 16 | vendor;
	unsigned int slot;

	for (slot = 0; slot < 32; slot++) {
		if (cfg_read((uint8_t)(slot << 3), PCI_ID) != id)
			continue;
		*devfn = (uint8_t)(slot << 3);
		return true;
	}
	return false;
}

struct pci_bar cfg_bar(uint8_t devfn, unsigned int index)
{
	uint8_t at = (uint8_t)(PCI_BAR0 + 4 * index);
	uint32_t command = cfg_read(devfn, PCI_COMMAND);
	struct pci_bar bar = { 0 };
	uint32_t was;
	uint32_t ones;
	uint32_t mask;

	cfg_write(devfn, PCI_COMMAND,
		  command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	was = cfg_read(devfn, at);
	cfg_write(devfn, at, 0xffffffff);
	ones = cfg_read(devfn, at);
	cfg_write(devfn, at, was);
	cfg_write(devfn, PCI_COMMAND, command);
	if (!ones)
		return bar;
	bar.is_io = ones & 1;
	bar.is_64 = !bar.is_io && (ones & 6) == 4;
	mask = bar.is_io ? ~3u : ~15u;
	bar.addr = was & mask;
	bar.size = -(ones & mask);
	if (bar.is_io)
		bar.size &= 0xffff; /* the upper half may read as zero */
	if (bar.is_64 && index < 5)
		bar.addr |= (uint64_t)cfg_read(devfn, at + 4) << 32;
	return bar;
}

void cfg_set_bar(uint8_t devfn, unsigned int index, uint64_t addr)
{
	cfg_write(devfn, (uint8_t)(PCI_BAR0 + 4 * index), (uint32_t)addr);
}

uint64_t cfg_enable(uint8_t devfn)
{
	struct pci_bar bar = cfg_bar(devfn, 0);
	uint32_t command = cfg_read(devfn, PCI_COMMAND) & 0xffff;

	if (bar.size && !bar.addr) {
		bar.addr = bar.is_io ? FREE_IO(devfn) : FREE_MEMORY(devfn);
		cfg_set_bar(devfn, 0, bar.addr);
	}
	command |= PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	command &= ~(uint32_t)PCI_COMMAND_INTX_OFF;
	cfg_write(devfn, PCI_COMMAND, command);
	return bar.addr;
}

uint8_t cfg_irq(uint8_t devfn)
{
	uint8_t line = cfg_read(devfn, PCI_IRQ_LINE) & 0xff;

	return line > 0 && line < 16 ? line : 0xff;
}
