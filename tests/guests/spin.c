/* SPDX-License-Identifier: MIT */
/*
 * spin.c: a guest that hangs for ever with interrupts off; by option in a few
 * instructions, or at work.
 *
 *   work=MS   in a long way round, and after so many milliseconds it is done;
 *             without a number, never
 */

#include "guest.h"

static void long_way(void)
{
	__asm__ volatile(".rept 2000; nop; .endr");
}

void guest_main(void)
{
	bool work;
	uint64_t end;

	guest_start();
	work = option("work");
	end = now_ms() + option_number("work", 0);
	say("spin: hanging\n");
	__asm__ volatile("cli");
	while (!work)
		pause();
	while (option_is("work", "") || now_ms() < end)
		long_way();
	succeed();
}
