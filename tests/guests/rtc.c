/* SPDX-License-Identifier: MIT */
/*
 * rtc.c: a guest that is woken by its clock's alarm.
 *
 * Some KVMs deliver no interrupt to it, so it looks at what the 8259 got; the
 * clock itself is not asked meanwhile, or that would make it look.
 */

#include "guest.h"

#define PIC2 0xa0
#define READ_IRR 0x0a /* OCW3; line 8 is bit 0 of the second one */

enum { SECONDS = 0, SECONDS_ALARM = 1, MINUTES_ALARM = 3, HOURS_ALARM = 5 };
enum { REG_B = 11, REG_C = 12, B_24 = 0x02, AIE = 0x20, IRQF = 0x80 };

static bool has_irq(void)
{
	outb(PIC2, READ_IRR);
	return inb(PIC2) & 1;
}

/* In BCD, two seconds from now. */
static uint8_t soon(void)
{
	uint8_t at = cmos_read(SECONDS);
	unsigned int seconds = ((at >> 4) * 10u + (at & 0xf) + 2) % 60;

	return (uint8_t)((seconds / 10) << 4 | seconds % 10);
}

void guest_main(void)
{
	uint64_t start;
	uint8_t why;

	guest_start();
	start = now_ms();
	cmos_write(MINUTES_ALARM, 0xff); /* any */
	cmos_write(HOURS_ALARM, 0xff);
	cmos_write(SECONDS_ALARM, soon());
	(void)cmos_read(REG_C);
	cmos_write(REG_B, B_24 | AIE);
	while (!has_irq())
		if (now_ms() - start > 4000)
			fail("rtc: no alarm");
	say("rtc: alarm after %lu ms\n", now_ms() - start);
	why = cmos_read(REG_C);
	if ((why & (AIE | IRQF)) != (AIE | IRQF))
		fail("rtc: it says 0x%02x", why);
	if (now_ms() - start < 900)
		fail("rtc: too soon");
	succeed();
}
