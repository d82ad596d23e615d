// SPDX-License-Identifier: MIT
/*
 * acpi.c: tells a guest of its machine by ACPI tables.
 */

#include "acpi.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "aml.h"
#include "pm.h"
#include "serial.h"

#define LAPIC_ADDR 0xfee00000
#define IOAPIC_ADDR 0xfec00000
#define RESET_PORT 0xcf9 /* platform.h */
#define RESET_VALUE 0x06
#define CMOS_CENTURY 0x32
#define LINT_NMI 1

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t checksum_all, reserved[3];
} __attribute__((packed));

struct header { /* of each table but the FACS (5.2.6) */
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct address { /* 5.2.3.2, table 5.1 */
	uint8_t space, bits, offset, width;
	uint64_t at;
} __attribute__((packed));

struct fadt { /* 5.2.9, revision 5 */
	struct header header;
	uint32_t facs, dsdt;
	uint8_t reserved1, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control;
	uint32_t pm2_control, pm_timer, gpe0, gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len;
	uint8_t gpe0_len, gpe1_len, gpe1_base, cstate;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved2;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_event, x_pm1b_event, x_pm1a_control;
	struct address x_pm1b_control, x_pm2_control, x_pm_timer;
	struct address x_gpe0, x_gpe1, sleep_control, sleep_status;
} __attribute__((packed));

struct facs { /* 5.2.10 */
	char signature[4];
	uint32_t length, hardware, waking, lock, flags;
	uint64_t x_waking;
	uint8_t version, reserved[31];
} __attribute__((packed));

struct madt { /* 5.2.12; entries follow */
	struct header header;
	uint32_t lapic, flags;
} __attribute__((packed));

struct madt_cpu {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t addr, base;
} __attribute__((packed));

struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t line;
	uint16_t flags;
} __attribute__((packed));

struct madt_nmi {
	uint8_t type, length, uid;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

_Static_assert(sizeof(struct rsdp) == 36, "5.2.5.3");
_Static_assert(sizeof(struct header) == 36, "5.2.6");
_Static_assert(sizeof(struct fadt) == 268, "5.2.9");
_Static_assert(sizeof(struct facs) == 64, "5.2.10");
_Static_assert(sizeof(struct madt) == 44, "5.2.12");

enum { MADT_CPU = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_NMI = 4 };
#define MADT_PC_COMPATIBLE 1
#define LEVEL_LOW 0xf /* 5.2.12.5: as Linux takes PCI's lines */
#define ALL_CPUS 0xff

/* 5.2.9.3 and table 5.10 */
#define BOOT_LEGACY 0x0001 /* there are ISA devices */
#define BOOT_NO_VGA 0x0004
#define FLAG_WBINVD (1U << 0)
#define FLAG_C1 (1U << 2)
#define FLAG_NO_SLEEP_BUTTON (1U << 5)
#define FLAG_NO_RTC_WAKE (1U << 6)
#define FLAG_TIMER_32 (1U << 8)
#define FLAG_RESET (1U << 10)

/* ---- writing ---- */

struct writer {
	uint8_t *to;
	size_t room, len;
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

/* Where the next table is to begin: 64 bytes, as the FACS needs it. */
static size_t align(struct writer *w)
{
	static const uint8_t zeros[64];

	put(w, zeros, (64 - w->len % 64) % 64);
	return w->len;
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

static struct header header(const char *signature, uint8_t revision)
{
	struct header h = { .revision = revision,
			    .oem = "VPIO  ",
			    .oem_table = "VPIO    ",
			    .oem_revision = 1,
			    .creator = "VPIO",
			    .creator_revision = 1 };

	memcpy(h.signature, signature, 4);
	return h;
}

/* The table from (at) on is whole: its length and its checksum. */
static void finish(struct writer *w, size_t at)
{
	struct header h;

	if (w->full)
		return;
	memcpy(&h, w->to + at, sizeof(h));
	h.length = (uint32_t)(w->len - at);
	h.checksum = 0;
	memcpy(w->to + at, &h, sizeof(h));
	h.checksum = checksum(w->to + at, h.length);
	memcpy(w->to + at, &h, sizeof(h));
}

/* ---- the DSDT ---- */

/* Small resources (6.4.2): a line, ports, the end. */
static void put_irq(struct aml *a, unsigned int line)
{
	const uint8_t bytes[] = { 0x22, (uint8_t)(1U << line),
				  (uint8_t)(1U << line >> 8) };

	aml_bytes(a, bytes, sizeof(bytes));
}

static void put_ports(struct aml *a, uint16_t base, uint8_t count)
{
	const uint8_t low = (uint8_t)base, high = (uint8_t)(base >> 8);
	const uint8_t bytes[] = { 0x47, 1, low, high, low, high, 1, count };

	aml_bytes(a, bytes, sizeof(bytes));
}

static void put_resources_end(struct aml *a)
{
	const uint8_t bytes[] = { 0x79, 0 }; /* a checksum of 0: none */

	aml_bytes(a, bytes, sizeof(bytes));
}

#define IRQ_LEN 3
#define PORTS_LEN 8
#define END_LEN 2

/* An ISA device with ports and a line. */
static void put_isa(struct aml *a, const char *name, const char *id,
		    uint16_t base, uint8_t count, unsigned int line)
{
	aml_device(a, name);
	aml_name(a, "_HID");
	aml_eisaid(a, id);
	aml_name(a, "_UID");
	aml_integer(a, 1);
	aml_name(a, "_CRS");
	aml_buffer(a, PORTS_LEN + IRQ_LEN + END_LEN);
	put_ports(a, base, count);
	put_irq(a, line);
	put_resources_end(a);
	aml_end(a);
	aml_end(a);
}

enum { RANGE_MEMORY, RANGE_PORTS, RANGE_BUSES };

/* Address spaces (6.4.3.5): what the bridge passes on, from (min) to (max). */
static void put_words(struct aml *a, uint8_t kind, uint16_t min, uint16_t max)
{
	const uint8_t flags = 0x0c; /* both ends fixed */
	const uint16_t words[5] = { 0, min, max, 0, (uint16_t)(max - min + 1) };
	const uint8_t head[] = { 0x88, 13,    0,
				 kind, flags, kind == RANGE_PORTS ? 3 : 0 };

	aml_bytes(a, head, sizeof(head));
	aml_bytes(a, words, sizeof(words));
}

static void put_dwords(struct aml *a, uint32_t min, uint32_t max)
{
	const uint32_t dwords[5] = { 0, min, max, 0, max - min + 1 };
	const uint8_t head[] = { 0x87, 23, 0, RANGE_MEMORY, 0x0c, 1 };

	aml_bytes(a, head, sizeof(head));
	aml_bytes(a, dwords, sizeof(dwords));
}

#define WORDS_LEN 16
#define DWORDS_LEN 26

static void put_bridge_resources(struct aml *a)
{
	aml_name(a, "_CRS");
	aml_buffer(a, 3 * WORDS_LEN + PORTS_LEN + DWORDS_LEN + END_LEN);
	put_words(a, RANGE_BUSES, 0, 0);
	put_ports(a, VPCI_PORT, VPCI_PORTS);
	put_words(a, RANGE_PORTS, 0, VPCI_PORT - 1);
	put_words(a, RANGE_PORTS, VPCI_PORT + VPCI_PORTS, 0xffff);
	put_dwords(a, VPCI_MMIO_BASE, VPCI_MMIO_END - 1);
	put_resources_end(a);
	aml_end(a);
}

/* Straight to the IOAPIC's pins (6.2.13), there are no link devices. */
static void put_routes(struct aml *a, const struct acpi_conf *conf)
{
	aml_name(a, "_PRT");
	aml_package(a, (uint8_t)conf->n_routes);
	for (unsigned int i = 0; i < conf->n_routes; i++) {
		const struct vpci_route *r = &conf->routes[i];

		aml_package(a, 4);
		aml_integer(a, r->slot << 16 | 0xffff);
		aml_integer(a, r->pin);
		aml_integer(a, 0);
		aml_integer(a, r->line);
		aml_end(a);
	}
	aml_end(a);
}

static void put_bridge(struct aml *a, const struct acpi_conf *conf)
{
	aml_device(a, "PCI0");
	aml_name(a, "_HID");
	aml_eisaid(a, "PNP0A03");
	aml_name(a, "_UID");
	aml_integer(a, 0);
	aml_name(a, "_BBN");
	aml_integer(a, 0);
	put_bridge_resources(a);
	put_routes(a, conf);
	put_isa(a, "COM1", "PNP0501", SERIAL_PORT, SERIAL_PORTS, SERIAL_IRQ);
	put_isa(a, "RTC_", "PNP0B00", 0x70, 2, 8);
	aml_end(a);
}

static size_t put_dsdt(struct writer *w, const struct acpi_conf *conf)
{
	size_t at = align(w);
	struct header h = header("DSDT", 2);
	struct aml a;

	put(w, &h, sizeof(h));
	a = (struct aml){ .to = w->to, .room = w->room, .len = w->len };
	aml_name(&a, "_S5_");
	aml_package(&a, 4);
	aml_integer(&a, PM_S5);
	aml_integer(&a, PM_S5);
	aml_integer(&a, 0);
	aml_integer(&a, 0);
	aml_end(&a);
	aml_scope(&a, "\\_SB_");
	put_bridge(&a, conf);
	aml_end(&a);
	w->len = a.len;
	w->full |= a.full;
	finish(w, at);
	return at;
}

/* ---- the others ---- */

static size_t put_facs(struct writer *w)
{
	struct facs facs = { .signature = "FACS",
			     .length = sizeof(facs),
			     .version = 2 };
	size_t at = align(w);

	put(w, &facs, sizeof(facs));
	return at;
}

static struct address port(uint16_t at, uint8_t bits)
{
	/* 1: the I/O space; the width of an access: 1 is a byte, 2, 3 more */
	return (struct address){ .space = 1,
				 .bits = bits,
				 .width = bits == 8  ? 1 :
					  bits == 16 ? 2 :
						       3,
				 .at = at };
}

static size_t put_fadt(struct writer *w, uint32_t facs, uint32_t dsdt)
{
	struct fadt fadt = {
		.header = header("FACP", 5),
		.facs = facs,
		.dsdt = dsdt,
		.sci = PM_SCI,
		.pm1a_event = PM_EVENT_PORT,
		.pm1a_control = PM_CONTROL_PORT,
		.pm_timer = PM_TIMER_PORT,
		.pm1_event_len = 4,
		.pm1_control_len = 2,
		.pm_timer_len = 4,
		.c2_latency = 0xffff, /* there is none */
		.c3_latency = 0xffff,
		.century = CMOS_CENTURY,
		.boot_flags = BOOT_LEGACY | BOOT_NO_VGA,
		.flags = FLAG_WBINVD | FLAG_C1 | FLAG_NO_SLEEP_BUTTON |
			 FLAG_NO_RTC_WAKE | FLAG_TIMER_32 | FLAG_RESET,
		.reset = port(RESET_PORT, 8),
		.reset_value = RESET_VALUE,
		.x_dsdt = dsdt,
		.x_pm1a_event = port(PM_EVENT_PORT, 32),
		.x_pm1a_control = port(PM_CONTROL_PORT, 16),
		.x_pm_timer = port(PM_TIMER_PORT, 32),
	};
	size_t at = align(w);

	fadt.x_pm1a_event.width = 2; /* two registers of 16 bits */
	put(w, &fadt, sizeof(fadt));
	finish(w, at);
	return at;
}

static size_t put_madt(struct writer *w, unsigned int cpus)
{
	struct madt madt = { .header = header("APIC", 3),
			     .lapic = LAPIC_ADDR,
			     .flags = MADT_PC_COMPATIBLE };
	struct madt_ioapic ioapic = { .type = MADT_IOAPIC,
				      .length = sizeof(ioapic),
				      .id = (uint8_t)cpus,
				      .addr = IOAPIC_ADDR };
	struct madt_override sci = { .type = MADT_OVERRIDE,
				     .length = sizeof(sci),
				     .source = PM_SCI,
				     .line = PM_SCI,
				     .flags = LEVEL_LOW };
	struct madt_nmi nmi = { .type = MADT_NMI,
				.length = sizeof(nmi),
				.uid = ALL_CPUS,
				.lint = LINT_NMI };
	size_t at = align(w);

	put(w, &madt, sizeof(madt));
	for (unsigned int i = 0; i < cpus; i++) {
		struct madt_cpu cpu = { .type = MADT_CPU,
					.length = sizeof(cpu),
					.uid = (uint8_t)i,
					.apic_id = (uint8_t)i,
					.flags = 1 };

		put(w, &cpu, sizeof(cpu));
	}
	put(w, &ioapic, sizeof(ioapic));
	put(w, &sci, sizeof(sci));
	put(w, &nmi, sizeof(nmi));
	finish(w, at);
	return at;
}

int acpi_build(const struct acpi_conf *conf, uint32_t gpa, uint8_t *to,
	       size_t room)
{
	struct writer w = { .to = to, .room = room };
	struct rsdp rsdp = { .signature = "RSD PTR ",
			     .oem = "VPIO  ",
			     .revision = 2,
			     .length = sizeof(rsdp) };
	struct header xsdt = header("XSDT", 1);
	uint64_t tables[2];
	size_t at, dsdt, facs;

	put(&w, &rsdp, sizeof(rsdp));
	dsdt = put_dsdt(&w, conf);
	facs = put_facs(&w);
	tables[0] = gpa + put_fadt(&w, (uint32_t)(gpa + facs),
				   (uint32_t)(gpa + dsdt));
	tables[1] = gpa + put_madt(&w, conf->cpus);
	at = align(&w);
	put(&w, &xsdt, sizeof(xsdt));
	put(&w, tables, sizeof(tables));
	finish(&w, at);
	if (w.full)
		return -ENOSPC;
	rsdp.xsdt = gpa + at;
	rsdp.checksum = checksum(&rsdp, offsetof(struct rsdp, length));
	rsdp.checksum_all = checksum(&rsdp, sizeof(rsdp));
	memcpy(to, &rsdp, sizeof(rsdp));
	return (int)w.len;
}
