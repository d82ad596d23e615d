/* SPDX-License-Identifier: MIT */
/*
 * triple.c: a guest that ends in a triple fault.
 */

#include "guest.h"

void guest_main(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	say("triple: faulting\n");
	__asm__ volatile("lidt %0; ud2" : : "m"(none));
	fail("still running");
}
