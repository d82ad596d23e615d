/* SPDX-License-Identifier: MIT */
/*
 * bus.c: which device of a guest answers at a port or at an address.
 *
 * A map is a sorted array that never changes once published: a change makes
 * a new one and frees the old one when no reader is left in it.  A reader
 * counts itself in and out of a look-up, in a cache line of its vCPU's own;
 * the device's function runs after it has left, so it may change the map.
 */

#include "bus.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define READERS 64 /* more vCPUs than that share, and lose nothing but time */

struct range {
	uint64_t base, size;
	bus_fn *fn;
	void *ctx;
};

struct table {
	size_t count;
	struct range range[];
};

struct reader {
	_Alignas(64) atomic_uint inside;
};

struct bus {
	_Atomic(struct table *) table[BUS_SPACES];
	struct table *spare[BUS_SPACES]; /* as large, so unmap cannot fail */
	pthread_mutex_t lock;		 /* of who changes the map */
	struct reader reader[READERS];
};

static struct table *table_new(size_t count)
{
	struct table *t;

	t = malloc(sizeof(*t) + count * sizeof(t->range[0]));
	if (t)
		t->count = count;
	return t;
}

/* The first range that starts above (addr). */
static size_t upper(const struct table *t, uint64_t addr)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->range[mid].base <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int bus_open(struct bus **out)
{
	struct bus *bus = aligned_alloc(_Alignof(struct bus), sizeof(*bus));

	if (!bus)
		return -ENOMEM;
	memset(bus, 0, sizeof(*bus));
	pthread_mutex_init(&bus->lock, NULL);
	for (int i = 0; i < BUS_SPACES; i++) {
		struct table *t = table_new(0);

		atomic_init(&bus->table[i], t);
		if (!t) {
			bus_close(bus);
			return -ENOMEM;
		}
	}
	*out = bus;
	return 0;
}

void bus_close(struct bus *bus)
{
	if (!bus)
		return;
	for (int i = 0; i < BUS_SPACES; i++) {
		free(atomic_load(&bus->table[i]));
		free(bus->spare[i]);
	}
	pthread_mutex_destroy(&bus->lock);
	free(bus);
}

/*
 * Publish (fresh) and return what it replaces.  A reader that counts itself in
 * after the exchange sees the new table; one from before is waited for, once
 * for each counter, and it stays for a few dozen instructions.
 */
static struct table *publish(struct bus *bus, enum bus_space space,
			     struct table *fresh)
{
	struct table *old = atomic_exchange(&bus->table[space], fresh);

	for (size_t i = 0; i < READERS; i++)
		while (atomic_load(&bus->reader[i].inside))
			sched_yield();
	return old;
}

/* Under the lock. */
static int map_locked(struct bus *bus, enum bus_space space,
		      const struct range *add)
{
	const struct table *old = atomic_load(&bus->table[space]);
	uint64_t last = add->base + (add->size - 1);
	size_t at = upper(old, add->base);
	struct table *fresh, *spare;

	if (at > 0) {
		const struct range *below = &old->range[at - 1];

		if (add->base - below->base < below->size)
			return -EBUSY;
	}
	if (at < old->count && old->range[at].base <= last)
		return -EBUSY;
	fresh = table_new(old->count + 1);
	spare = table_new(old->count + 1);
	if (!fresh || !spare) {
		free(fresh);
		free(spare);
		return -ENOMEM;
	}
	memcpy(fresh->range, old->range, at * sizeof(old->range[0]));
	fresh->range[at] = *add;
	memcpy(&fresh->range[at + 1], &old->range[at],
	       (old->count - at) * sizeof(old->range[0]));
	free(bus->spare[space]);
	bus->spare[space] = spare;
	free(publish(bus, space, fresh));
	return 0;
}

int bus_map(struct bus *bus, enum bus_space space, uint64_t base, uint64_t size,
	    bus_fn *fn, void *ctx)
{
	const struct range add = { base, size, fn, ctx };
	uint64_t last;
	int rc;

	/* A range may end at 2^64 exactly, so it is its last byte we test. */
	if (!size || cc_add(base, size - 1, &last))
		return -EINVAL;
	if (space == BUS_IO && last > 0xffff)
		return -EINVAL;
	pthread_mutex_lock(&bus->lock);
	rc = map_locked(bus, space, &add);
	pthread_mutex_unlock(&bus->lock);
	return rc;
}

/* Under the lock.  The table that is replaced is the next spare. */
static void unmap_locked(struct bus *bus, enum bus_space space, uint64_t base)
{
	const struct table *old = atomic_load(&bus->table[space]);
	struct table *fresh = bus->spare[space];
	size_t at = upper(old, base);

	if (at == 0 || old->range[at - 1].base != base)
		return;
	at--;
	fresh->count = old->count - 1;
	memcpy(fresh->range, old->range, at * sizeof(old->range[0]));
	memcpy(&fresh->range[at], &old->range[at + 1],
	       (old->count - at - 1) * sizeof(old->range[0]));
	bus->spare[space] = publish(bus, space, fresh);
}

void bus_unmap(struct bus *bus, enum bus_space space, uint64_t base)
{
	pthread_mutex_lock(&bus->lock);
	unmap_locked(bus, space, base);
	pthread_mutex_unlock(&bus->lock);
}

/* Copy out the range that all of [addr, addr + width) lies in. */
static bool find(struct bus *bus, enum bus_space space, uint64_t addr,
		 uint64_t width, unsigned int vcpu, struct range *out)
{
	atomic_uint *inside = &bus->reader[vcpu % READERS].inside;
	const struct table *t;
	bool found = false;
	size_t at;

	atomic_fetch_add(inside, 1);
	t = atomic_load(&bus->table[space]);
	at = upper(t, addr);
	if (at > 0) {
		*out = t->range[at - 1];
		found = cc_within(addr, width, out->base, out->size);
	}
	atomic_fetch_sub(inside, 1);
	return found;
}

void bus_access(struct bus *bus, enum bus_space space,
		struct bus_access *access)
{
	struct range range;

	if (find(bus, space, access->addr, access->width, access->vcpu,
		 &range)) {
		access->off = access->addr - range.base;
		range.fn(range.ctx, access);
	} else if (!access->write) {
		memset(access->data, 0xff,
		       (size_t)access->width * access->count);
	}
}
