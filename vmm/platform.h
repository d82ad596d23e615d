/* SPDX-License-Identifier: MIT */
/*
 * platform.h: the small legacy ports of a PC, and what is not a device's.
 *
 *   0x64         keyboard controller: 0xfe resets; reads as ones, as none
 *   0x92         bit 0 resets
 *   0xcf9        bit 2 resets
 *   0xcf8-0xcff  PCI configuration, handed on to vpci
 *   0xf4-0xf7    exit: a value written ends the guest, 0 means well
 *
 * It also claims on the bus what RAM and the kernel have, so that no BAR can
 * be put there.
 *
 * Threads: the ports from any vCPU; callbacks are called on it.
 */

#ifndef VMM_PLATFORM_H
#define VMM_PLATFORM_H

#include "../dmm/cc.h"

#define PLATFORM_EXIT_PORT 0xf4

struct bus;
struct mem;
struct platform;
struct vpci;

struct platform_ops {
	void (*exit)(void *ctx, uint32_t code);	    /* the exit port */
	void (*reset)(void *ctx, const char *what); /* such as "port 0x64" */
};

/* Borrows all; -ENOMEM, or as bus_map(). */
MUST_CHECK int platform_open(struct platform **out, struct bus *bus,
			     const struct mem *mem, struct vpci *vpci,
			     const struct platform_ops *ops, void *ctx);
void platform_close(struct platform *p); /* NULL is fine */

/* As after power-on. */
void platform_reset(struct platform *p);

#endif /* VMM_PLATFORM_H */
