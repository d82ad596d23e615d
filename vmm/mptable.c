/* SPDX-License-Identifier: MIT */
/*
 * mptable.c: tells a guest of its processors and of where interrupts go.
 */

#include "mptable.h"

#include <errno.h>
#include <string.h>

#define LAPIC_ADDR 0xfee00000
#define IOAPIC_ADDR 0xfec00000
#define BUS_PCI 0
#define BUS_ISA 1
#define ISA_LINES 16

/* Trigger and polarity of an interrupt entry (table 4-10). */
#define AS_THE_BUS 0x0
#define LEVEL_HIGH 0xd

enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_INTERRUPT, ENTRY_LOCAL };
enum { INT_VECTORED, INT_NMI, INT_SMI, INT_EXT };

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, features[5];
};

struct mp_table {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem[8], product[12];
	uint32_t oem_table;
	uint16_t oem_size, count;
	uint32_t lapic;
	uint16_t ext_length;
	uint8_t ext_checksum, reserved;
};

struct mp_cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
};

struct mp_bus {
	uint8_t type, id;
	char name[6];
};

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t addr;
};

struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, source, apic, pin;
};

_Static_assert(sizeof(struct mp_pointer) == 16, "4.1");
_Static_assert(sizeof(struct mp_table) == 44, "4.2");
_Static_assert(sizeof(struct mp_cpu) == 20, "4.3.1");
_Static_assert(sizeof(struct mp_bus) == 8, "4.3.2");
_Static_assert(sizeof(struct mp_ioapic) == 8, "4.3.3");
_Static_assert(sizeof(struct mp_interrupt) == 8, "4.3.4");

struct writer {
	uint8_t *to;
	size_t room, len;
	uint16_t entries;
	bool full;
};

static void put(struct writer *w, const void *from, size_t len)
{
	if (len > w->room - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->to + w->len, from, len);
	w->len += len;
}

static void put_entry(struct writer *w, const void *entry, size_t len)
{
	put(w, entry, len);
	w->entries++;
}

/* What makes the sum of all bytes zero. */
static uint8_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

static void put_cpus(struct writer *w, unsigned int cpus)
{
	for (unsigned int i = 0; i < cpus; i++) {
		struct mp_cpu cpu = {
			.type = ENTRY_CPU,
			.apic_id = (uint8_t)i,
			.apic_version = 0x14,
			.flags = i ? 1 : 3, /* usable; the boot processor */
			.signature = 0x600,
			.features = 0x201, /* FPU and APIC */
		};

		put_entry(w, &cpu, sizeof(cpu));
	}
}

static void put_buses(struct writer *w)
{
	struct mp_bus pci = { ENTRY_BUS, BUS_PCI, "PCI   " };
	struct mp_bus isa = { ENTRY_BUS, BUS_ISA, "ISA   " };

	put_entry(w, &pci, sizeof(pci));
	put_entry(w, &isa, sizeof(isa));
}

static void put_interrupts(struct writer *w, const struct mptable_conf *conf,
			   uint8_t ioapic)
{
	for (unsigned int i = 0; i < ISA_LINES; i++) {
		struct mp_interrupt isa = { ENTRY_INTERRUPT, INT_VECTORED,
					    AS_THE_BUS,	     BUS_ISA,
					    (uint8_t)i,	     ioapic,
					    (uint8_t)i };

		/* Line 2 is where the second PIC hangs on the first. */
		if (i != 2 && !(conf->level_lines >> i & 1))
			put_entry(w, &isa, sizeof(isa));
	}
	for (unsigned int i = 0; i < conf->n_routes; i++) {
		const struct vpci_route *r = &conf->routes[i];
		struct mp_interrupt pci = {
			.type = ENTRY_INTERRUPT,
			.kind = INT_VECTORED,
			.flags = LEVEL_HIGH,
			.bus = BUS_PCI,
			.source = (uint8_t)(r->slot << 2 | r->pin), /* D.3 */
			.apic = ioapic,
			.pin = (uint8_t)r->line,
		};

		put_entry(w, &pci, sizeof(pci));
	}
}

static void put_local(struct writer *w)
{
	struct mp_interrupt ext = { ENTRY_LOCAL, INT_EXT, AS_THE_BUS, BUS_ISA,
				    0,		 0,	  0 };
	struct mp_interrupt nmi = { ENTRY_LOCAL, INT_NMI, AS_THE_BUS, BUS_ISA,
				    0,		 0xff,	  1 };

	put_entry(w, &ext, sizeof(ext)); /* LINT0 of the boot processor */
	put_entry(w, &nmi, sizeof(nmi)); /* LINT1 of all */
}

int mptable_build(const struct mptable_conf *conf, uint32_t gpa, uint8_t *to,
		  size_t room)
{
	struct writer w = { .to = to, .room = room };
	struct mp_pointer pointer = { .signature = "_MP_",
				      .table = gpa + sizeof(pointer),
				      .length = 1,
				      .revision = 4 };
	struct mp_table table = { .signature = "PCMP",
				  .revision = 4,
				  .oem = "VPIO    ",
				  .product = "VPIO        ",
				  .lapic = LAPIC_ADDR };
	struct mp_ioapic ioapic = { ENTRY_IOAPIC, (uint8_t)conf->cpus, 0x11, 1,
				    IOAPIC_ADDR };

	pointer.checksum = checksum(&pointer, sizeof(pointer));
	put(&w, &pointer, sizeof(pointer));
	put(&w, &table, sizeof(table));
	put_cpus(&w, conf->cpus);
	put_buses(&w);
	put_entry(&w, &ioapic, sizeof(ioapic));
	put_interrupts(&w, conf, ioapic.id);
	put_local(&w);
	if (w.full)
		return -ENOSPC;
	table.count = w.entries;
	table.length = (uint16_t)(w.len - sizeof(pointer));
	memcpy(to + sizeof(pointer), &table, sizeof(table));
	table.checksum = checksum(to + sizeof(pointer), table.length);
	memcpy(to + sizeof(pointer), &table, sizeof(table));
	return (int)w.len;
}
