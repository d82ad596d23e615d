/* SPDX-License-Identifier: MIT */
/*
 * bus.h: which device of a guest answers at a port or at an address.
 *
 * Interface:
 *  - bus_map() and bus_unmap() change the map, at set-up or when a guest moves
 *    a BAR;
 *  - bus_access() is the vCPU's exit path: a look-up in a table that never
 *    changes once published, no lock, no allocation.
 *
 * Nobody at an address: reads give ones, writes are lost.
 *
 * Threads: bus_access() from every vCPU at once; the others from any thread,
 *          one at a time (they lock).
 */

#ifndef VMM_BUS_H
#define VMM_BUS_H

#include "../dmm/cc.h"

enum bus_space { BUS_IO, BUS_MMIO, BUS_SPACES };

/* One exit: (count) elements of (width) bytes at one address, in (data). */
struct bus_access {
	uint64_t addr;	/* absolute */
	uint64_t off;	/* from the start of the mapped range */
	uint8_t *data;	/* read into, or written from */
	uint32_t count; /* more than 1 for rep ins and rep outs */
	uint8_t width;	/* 1, 2, 4 or 8 */
	bool write;
	unsigned int vcpu; /* whose exit it is */
	uint64_t rip;	   /* of it; 0: not known */
};

/*
 * Serve an access that lies wholly inside the range.  May block (the guest's
 * vCPU then waits), but must look at (stop) of its machine while it does.
 */
typedef void bus_fn(void *ctx, struct bus_access *access);

struct bus;

MUST_CHECK int bus_open(struct bus **out);
void bus_close(struct bus *bus);

/* -EINVAL if empty or wrapping, -EBUSY if it overlaps, -ENOMEM. */
MUST_CHECK int bus_map(struct bus *bus, enum bus_space space, uint64_t base,
		       uint64_t size, bus_fn *fn, void *ctx);
void bus_unmap(struct bus *bus, enum bus_space space, uint64_t base);

void bus_access(struct bus *bus, enum bus_space space,
		struct bus_access *access);

#endif /* VMM_BUS_H */
