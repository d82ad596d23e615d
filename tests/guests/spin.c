/* SPDX-License-Identifier: MIT */
/*
 * spin.c: a guest that hangs for ever with interrupts off.
 */

#include "guest.h"

void guest_main(void)
{
	say("spin: hanging\n");
	__asm__ volatile("cli");
	for (;;)
		pause();
}
