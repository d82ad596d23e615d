/* SPDX-License-Identifier: MIT */
/*
 * hello.c: the smallest machine test: boot, memory map, time, memory, end.
 *
 * Options:
 *   irq        wait for three timer interrupts, too
 *   crash      end in an exception
 *   status=N   end with that exit status
 */

#include "guest.h"

/* The top of each range must hold what is written there. */
static void check_range(const struct memory_range *range)
{
	volatile uint64_t *last;
	uint64_t was;

	if (range->addr + range->size > 1ull << 32)
		return;
	last = (void *)(range->addr + range->size - sizeof(*last));
	was = *last;
	*last = 0x5a5a0123456789ab;
	if (*last != 0x5a5a0123456789ab)
		fail("no memory at 0x%lx", (uint64_t)(uintptr_t)last);
	*last = was;
}

static void check_interrupts(void)
{
	uint32_t start;

	if (!irq_start())
		fail("no timer interrupt in 300 ms");
	start = irq_counts[0];
	while (irq_counts[0] - start < 3)
		irq_wait();
	say("irq: timer works\n");
}

void guest_main(void)
{
	uint64_t usable = 0;
	uint64_t start;
	uint32_t i;

	guest_start();
	say("hello: %s, options '%s'\n", boot.protocol, boot.options);
	for (i = 0; i < boot.map_len; i++) {
		const struct memory_range *range = &boot.map[i];

		say("memory: 0x%lx size 0x%lx type %u\n", range->addr,
		    range->size, range->type);
		if (range->type != 1)
			continue;
		usable += range->size;
		check_range(range);
	}
	if (!usable)
		fail("no usable memory in the map");
	say("memory: %lu KiB usable\n", usable / 1024);

	start = now_us();
	delay_us(20000);
	say("time: 20000 us took %lu\n", now_us() - start);
	if (option("irq"))
		check_interrupts();
	if (option("crash"))
		__asm__ volatile("ud2");
	if (option("status"))
		guest_exit((uint8_t)option_number("status", 0));
	succeed();
}
