/* SPDX-License-Identifier: MIT */
/*
 * bars.c: list bus 0, then move the NIC's BAR and see that the NIC follows.
 */

#include "ne2k.h"
#include "pci.h"

#define NEW_IO 0xd400
#define OTHER_IO 0xd800

static void print_bars(uint8_t devfn)
{
	unsigned int count = (cfg_read(devfn, PCI_HEADER) >> 16 & 0x7f) ? 2 : 6;
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct pci_bar bar = cfg_bar(devfn, i);

		if (bar.size)
			say("  bar%u: %s 0x%lx size 0x%lx\n", i,
			    bar.is_io ? "io" : "memory", bar.addr, bar.size);
		if (bar.is_64)
			i++;
	}
}

static void list_bus(void)
{
	unsigned int devfn;

	for (devfn = 0; devfn < 256; devfn++) {
		uint32_t id = cfg_read((uint8_t)devfn, PCI_ID);
		bool many;

		if ((id & 0xffff) == 0xffff) {
			if (!(devfn & 7))
				devfn |= 7; /* no function 0: no device */
			continue;
		}
		say("%02x.%u: %04x:%04x class %06x line %u\n", devfn >> 3,
		    devfn & 7, id & 0xffff, id >> 16,
		    cfg_read((uint8_t)devfn, PCI_CLASS) >> 8,
		    cfg_read((uint8_t)devfn, PCI_IRQ_LINE) & 0xff);
		print_bars((uint8_t)devfn);
		many = cfg_read((uint8_t)devfn, PCI_HEADER) >> 16 & 0x80;
		if (!(devfn & 7) && !many)
			devfn |= 7;
	}
}

/* The RTL8029's identity registers, "PC", on page 0. */
static bool answers(uint16_t io)
{
	ne2k_write(io, NE2K_CR, CR_ABORT | CR_STP);
	return ne2k_read(io, NE2K_CR) == (CR_ABORT | CR_STP) &&
	       ne2k_read(io, NE2K_ID0) == 0x50 &&
	       ne2k_read(io, NE2K_ID1) == 0x43;
}

static bool empty(uint16_t io)
{
	uint16_t i;

	for (i = 0; i < NE2K_IO_LEN; i++) {
		if (inb(io + i) != 0xff)
			return false;
	}
	return true;
}

static void move(uint8_t devfn, uint16_t from, uint16_t to)
{
	cfg_set_bar(devfn, 0, to);
	if (cfg_bar(devfn, 0).addr != to)
		fail("bar0 reads 0x%lx, not 0x%x", cfg_bar(devfn, 0).addr, to);
	if (!answers(to))
		fail("the NIC does not answer at 0x%x", to);
	if (!empty(from))
		fail("something still answers at 0x%x", from);
	say("bars: moved 0x%x to 0x%x\n", from, to);
}

static void check_decode(uint8_t devfn, uint16_t io)
{
	uint32_t command = cfg_read(devfn, PCI_COMMAND) & 0xffff;

	cfg_write(devfn, PCI_COMMAND, command & ~(uint32_t)PCI_COMMAND_IO);
	if (!empty(io))
		fail("the NIC answers with I/O decoding off");
	cfg_write(devfn, PCI_COMMAND, command);
	if (!answers(io))
		fail("the NIC is gone after decoding was off");
	say("bars: I/O decoding can be switched\n");
}

void guest_main(void)
{
	struct pci_bar bar;
	uint16_t io;
	uint8_t devfn;

	guest_start();
	list_bus();
	if (!cfg_find(NE2K_VENDOR, NE2K_DEVICE, &devfn))
		fail("no RTL8029 on bus 0");
	io = (uint16_t)cfg_enable(devfn);
	bar = cfg_bar(devfn, 0);
	if (!bar.is_io || bar.addr != io || bar.size < NE2K_IO_LEN)
		fail("bar0 is no I/O BAR of 32 bytes or more");
	if (!answers(io))
		fail("the NIC does not answer at 0x%x", io);
	move(devfn, io, NEW_IO);
	move(devfn, NEW_IO, OTHER_IO);
	check_decode(devfn, OTHER_IO);
	move(devfn, OTHER_IO, io);
	succeed();
}
