/* SPDX-License-Identifier: MIT */
/*
 * reset.c: a guest that finds its machine by ACPI, resets it in every way there
 * is, one after the other, and then switches it off.
 *
 * What it has done it keeps in the CMOS memory, which a battery keeps.  Each
 * time all else must be as at the first: memory that the image sets, the local
 * APIC, the serial port's registers.
 */

#include "guest.h"

#define KEPT 0x40
#define APIC_SVR 0xfee000f0u /* spurious vector, and bit 8: on */
#define SERIAL_SCRATCH 0x3ff

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t checksum_all, reserved[3];
} __attribute__((packed));

static volatile uint32_t fresh = 0x600d; /* in .data: loaded anew, or not */
static volatile uint32_t cleared;	 /* in .bss */

static bool sums_up(const void *at, uint32_t len)
{
	const uint8_t *p = at;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return !sum;
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* As a kernel without a pointer does: on 16 bytes, below 1 MiB. */
static const struct rsdp *find_rsdp(void)
{
	uintptr_t at;

	for (at = 0xe0000; at < 0x100000; at += 16)
		if (!memcmp((void *)at, "RSD PTR ", 8) &&
		    sums_up((void *)at, 20) &&
		    sums_up((void *)at, sizeof(struct rsdp)))
			return (void *)at;
	fail("no ACPI root pointer");
}

static const uint8_t *find_table(const char *name)
{
	const struct rsdp *rsdp = find_rsdp();
	const uint8_t *xsdt = (void *)rsdp->xsdt;
	uint32_t i;

	if (memcmp(xsdt, "XSDT", 4) || !sums_up(xsdt, get32(xsdt + 4)))
		fail("a broken XSDT");
	for (i = 36; i + 8 <= get32(xsdt + 4); i += 8) {
		const uint8_t *table = (void *)(uintptr_t)get32(xsdt + i);

		if (memcmp(table, name, 4))
			continue;
		if (!sums_up(table, get32(table + 4)))
			fail("a broken %s", name);
		return table;
	}
	fail("no %s", name);
}

static void triple_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

/* In the DSDT: Name(_S5_, Package(4) { type, ... }) */
static uint8_t s5_type(const uint8_t *fadt)
{
	const uint8_t *dsdt = (void *)(uintptr_t)get32(fadt + 40);
	uint32_t i;

	if (memcmp(dsdt, "DSDT", 4) || !sums_up(dsdt, get32(dsdt + 4)))
		fail("a broken DSDT");
	for (i = 36; i + 9 < get32(dsdt + 4); i++)
		if (!memcmp(dsdt + i, "_S5_\x12", 5) && dsdt[i + 7] == 0x0a)
			return dsdt[i + 8];
	fail("no _S5");
}

static void power_off(const uint8_t *fadt)
{
	uint16_t event = (uint16_t)get32(fadt + 56);
	uint16_t control = (uint16_t)get32(fadt + 64);
	uint16_t timer = (uint16_t)get32(fadt + 76);
	uint32_t before = inl(timer);

	if (!(inw(control) & 1))
		fail("not in ACPI mode");
	delay_us(2000);
	if (inl(timer) - before < 1000)
		fail("the timer stands still");
	outw((uint16_t)(event + 2), 0x100); /* the power button, please */
	if (option("button")) {
		uint64_t end = now_ms() + 20000;

		say("reset: listens\n");
		if (option("deaf"))
			for (;;)
				inb(0x61);
		while (!(inw(event) & 0x100) && now_ms() < end)
			pause();
		if (!(inw(event) & 0x100))
			fail("nobody pressed the button");
		outw(event, 0x100);
		if (inw(event) & 0x100)
			fail("the button's event cannot be cleared");
	}
	say("reset: powering off\n");
	outw(control, 4 << 10 | 1 << 13); /* a type that there is not */
	outw(control, (uint16_t)(s5_type(fadt) << 10 | 1 << 13));
	fail("still on");
}

static void check_state(void)
{
	volatile uint32_t *svr = (volatile uint32_t *)(uintptr_t)APIC_SVR;

	if (fresh != 0x600d || cleared)
		fail("memory is not as the image has it");
	if (*svr != 0xff)
		fail("the local APIC is not reset");
	if (inb(SERIAL_SCRATCH))
		fail("the serial port is not reset");
	fresh = 0xbad;
	cleared = 1;
	*svr = 0x1fe;
	outb(SERIAL_SCRATCH, 0x55);
}

void guest_main(void)
{
	const uint8_t *fadt;
	uint8_t boots;

	guest_start();
	boots = cmos_read(KEPT);
	say("reset: boot %u, by %s\n", boots + 1, boot.protocol);
	check_state();
	fadt = find_table("FACP");
	find_table("APIC");
	if (option("button"))
		power_off(fadt);
	cmos_write(KEPT, (uint8_t)(boots + 1));
	switch (boots) {
	case 0:
		outb(0x64, 0xfe);
		break;
	case 1:
		outb(0xcf9, 0x06);
		break;
	case 2:
		outb((uint16_t)get32(fadt + 120), fadt[128]);
		break;
	case 3:
		outb(0x92, 1);
		break;
	case 4:
		triple_fault();
		break;
	default:
		power_off(fadt);
	}
	fail("still running");
}
