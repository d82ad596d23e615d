/* SPDX-License-Identifier: MIT */
/*
 * test_bus.c: who answers at an address, and that the map may change while
 * others look things up.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../vmm/bus.h"

/* A device that notes what came, and answers with its own number. */
struct echo {
	uint8_t answer;
	unsigned int calls;
	struct bus_access last;
};

static void echo_access(void *ctx, struct bus_access *a)
{
	struct echo *e = ctx;

	e->calls++;
	e->last = *a;
	if (!a->write)
		memset(a->data, e->answer, (size_t)a->width * a->count);
}

static struct bus *new_bus(void)
{
	struct bus *bus;

	assert_int_equal(bus_open(&bus), 0);
	return bus;
}

static uint8_t read_byte(struct bus *bus, enum bus_space space, uint64_t addr)
{
	uint8_t value = 0x5a;
	struct bus_access a = {
		.addr = addr, .data = &value, .count = 1, .width = 1
	};

	bus_access(bus, space, &a);
	return value;
}

static void nobody_gives_ones(void **state)
{
	struct bus *bus = new_bus();
	uint8_t data[8] = { 0 };
	struct bus_access a = {
		.addr = 0x80, .data = data, .count = 2, .width = 4
	};
	const uint8_t ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };

	(void)state;
	bus_access(bus, BUS_IO, &a);
	assert_memory_equal(data, ones, 8);
	memset(data, 7, sizeof(data));
	a.write = true;
	bus_access(bus, BUS_IO, &a);
	assert_int_equal(data[0], 7);
	bus_close(bus);
}

static void each_gets_its_own(void **state)
{
	struct echo low = { .answer = 1 }, high = { .answer = 2 };
	struct bus *bus = new_bus();

	(void)state;
	assert_int_equal(bus_map(bus, BUS_IO, 0x110, 0x10, echo_access, &high),
			 0);
	assert_int_equal(bus_map(bus, BUS_IO, 0x100, 0x10, echo_access, &low),
			 0);
	assert_int_equal(read_byte(bus, BUS_IO, 0xff), 0xff);
	assert_int_equal(read_byte(bus, BUS_IO, 0x100), 1);
	assert_int_equal(read_byte(bus, BUS_IO, 0x10f), 1);
	assert_int_equal(low.last.off, 0xf);
	assert_int_equal(low.last.addr, 0x10f);
	assert_int_equal(read_byte(bus, BUS_IO, 0x110), 2);
	assert_int_equal(high.last.off, 0);
	assert_int_equal(read_byte(bus, BUS_IO, 0x120), 0xff);
	/* The other space is another one. */
	assert_int_equal(read_byte(bus, BUS_MMIO, 0x100), 0xff);
	bus_unmap(bus, BUS_IO, 0x100);
	assert_int_equal(read_byte(bus, BUS_IO, 0x100), 0xff);
	assert_int_equal(read_byte(bus, BUS_IO, 0x110), 2);
	bus_unmap(bus, BUS_IO, 0x111); /* not a base: nothing */
	assert_int_equal(read_byte(bus, BUS_IO, 0x110), 2);
	bus_close(bus);
}

static void an_access_that_juts_out_is_nobodys(void **state)
{
	struct echo e = { .answer = 1 };
	struct bus *bus = new_bus();
	uint32_t value = 0;
	struct bus_access a = { .data = (uint8_t *)&value,
				.count = 1,
				.width = 4 };

	(void)state;
	assert_int_equal(bus_map(bus, BUS_MMIO, 0x1000, 8, echo_access, &e), 0);
	a.addr = 0x1004;
	bus_access(bus, BUS_MMIO, &a);
	assert_int_equal(e.calls, 1);
	a.addr = 0x1005;
	bus_access(bus, BUS_MMIO, &a);
	assert_int_equal(e.calls, 1);
	assert_int_equal(value, UINT32_MAX);
	a.addr = 0xffe;
	bus_access(bus, BUS_MMIO, &a);
	assert_int_equal(e.calls, 1);
	bus_close(bus);
}

static void bad_ranges_are_refused(void **state)
{
	struct bus *bus = new_bus();
	struct echo e = { .answer = 3 };

	(void)state;
	assert_int_equal(bus_map(bus, BUS_IO, 0x100, 0, echo_access, &e),
			 -EINVAL);
	assert_int_equal(bus_map(bus, BUS_IO, 0xfff8, 9, echo_access, &e),
			 -EINVAL);
	assert_int_equal(bus_map(bus, BUS_IO, 0xfff8, 8, echo_access, &e), 0);
	assert_int_equal(bus_map(bus, BUS_MMIO, UINT64_MAX - 7, 9, echo_access,
				 &e),
			 -EINVAL);
	/* The last bytes there are. */
	assert_int_equal(
		bus_map(bus, BUS_MMIO, UINT64_MAX - 7, 8, echo_access, &e), 0);
	assert_int_equal(read_byte(bus, BUS_MMIO, UINT64_MAX), 3);
	assert_int_equal(bus_map(bus, BUS_MMIO, UINT64_MAX, 1, echo_access, &e),
			 -EBUSY);
	bus_close(bus);
}

static void overlaps_are_refused(void **state)
{
	static const struct {
		uint64_t base, size;
		int rc;
	} tries[] = {
		{ 0x1000, 0x1000, -EBUSY }, { 0x1800, 0x10, -EBUSY },
		{ 0x0, 0x1001, -EBUSY },    { 0x1fff, 1, -EBUSY },
		{ 0x0, 0x10000, -EBUSY },   { 0x0, 0x1000, 0 },
		{ 0x2000, 0x1000, 0 },	    { 0x2fff, 0x2, -EBUSY },
	};
	struct bus *bus = new_bus();
	struct echo e = { .answer = 1 };

	(void)state;
	assert_int_equal(
		bus_map(bus, BUS_MMIO, 0x1000, 0x1000, echo_access, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(tries); i++)
		assert_int_equal(bus_map(bus, BUS_MMIO, tries[i].base,
					 tries[i].size, echo_access, &e),
				 tries[i].rc);
	bus_close(bus);
}

/* A guest that moves a BAR does so from inside an access. */
static void unmap_me(void *ctx, struct bus_access *a)
{
	memset(a->data, 9, a->width);
	bus_unmap(ctx, BUS_IO, a->addr - a->off);
}

static void a_handler_may_change_the_map(void **state)
{
	struct bus *bus = new_bus();

	(void)state;
	assert_int_equal(bus_map(bus, BUS_IO, 0x200, 4, unmap_me, bus), 0);
	assert_int_equal(read_byte(bus, BUS_IO, 0x201), 9);
	assert_int_equal(read_byte(bus, BUS_IO, 0x201), 0xff);
	bus_close(bus);
}

/* A program of random changes, against a map of plain bytes. */
static void it_agrees_with_a_plain_map(void **state)
{
	struct bus *bus = new_bus();
	static struct echo e[256];
	uint8_t owner[4096] = { 0 };
	uint32_t seed = 1;

	(void)state;
	for (unsigned int i = 1; i < ARRAY_LEN(e); i++)
		e[i].answer = (uint8_t)i;
	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t r = seed = seed * 1664525 + 1013904223;
		unsigned int base = r >> 8 & 0xfff, size = 1 + (r >> 20 & 63);
		unsigned int who = 1 + (r >> 3) % 254;
		bool is_free = base + size <= sizeof(owner);

		if (r >> 31) {
			unsigned int old = owner[base];

			bus_unmap(bus, BUS_IO, base);
			if (old && (base == 0 || owner[base - 1] != old))
				for (; base < 4096 && owner[base] == old;)
					owner[base++] = 0;
			continue;
		}
		for (unsigned int b = base; is_free && b < base + size; b++)
			is_free = !owner[b];
		/* Neighbours of one owner would look like one range. */
		if (!is_free || (base && owner[base - 1] == who) ||
		    (base + size < 4096 && owner[base + size] == who))
			continue;
		assert_int_equal(bus_map(bus, BUS_IO, base, size, echo_access,
					 &e[who]),
				 0);
		memset(owner + base, (int)who, size);
	}
	for (unsigned int b = 0; b < sizeof(owner); b++)
		assert_int_equal(read_byte(bus, BUS_IO, b),
				 owner[b] ? owner[b] : 0xff);
	bus_close(bus);
}

static struct {
	struct bus *bus;
	atomic_bool done;
	atomic_uint wrong;
} race;

static void const_access(void *ctx, struct bus_access *a)
{
	a->data[0] = *(uint8_t *)ctx;
}

static void *reader(void *arg)
{
	unsigned int vcpu = *(unsigned int *)arg;

	while (!atomic_load(&race.done)) {
		uint8_t fixed = 0, moving = 0;
		struct bus_access a = { .addr = 0x10,
					.data = &fixed,
					.count = 1,
					.width = 1,
					.vcpu = vcpu };
		struct bus_access b = { .addr = 0x20,
					.data = &moving,
					.count = 1,
					.width = 1,
					.vcpu = vcpu };

		bus_access(race.bus, BUS_IO, &a);
		bus_access(race.bus, BUS_IO, &b);
		if (fixed != 1 || (moving != 2 && moving != 0xff))
			atomic_fetch_add(&race.wrong, 1);
	}
	return NULL;
}

static void readers_never_see_a_half_made_map(void **state)
{
	static unsigned int vcpus[] = { 0, 1, 1 };
	static uint8_t one = 1, two = 2;
	pthread_t thread[ARRAY_LEN(vcpus)];

	(void)state;
	race.bus = new_bus();
	assert_int_equal(bus_map(race.bus, BUS_IO, 0x10, 1, const_access, &one),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(vcpus); i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, reader, &vcpus[i]), 0);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(bus_map(race.bus, BUS_IO, 0x20, 1,
					 const_access, &two),
				 0);
		bus_unmap(race.bus, BUS_IO, 0x20);
	}
	atomic_store(&race.done, true);
	for (size_t i = 0; i < ARRAY_LEN(vcpus); i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&race.wrong), 0);
	bus_close(race.bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_gives_ones),
		cmocka_unit_test(each_gets_its_own),
		cmocka_unit_test(an_access_that_juts_out_is_nobodys),
		cmocka_unit_test(bad_ranges_are_refused),
		cmocka_unit_test(overlaps_are_refused),
		cmocka_unit_test(a_handler_may_change_the_map),
		cmocka_unit_test(it_agrees_with_a_plain_map),
		cmocka_unit_test(readers_never_see_a_half_made_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
