/* SPDX-License-Identifier: MIT */
/*
 * test_vpci.c: configuration space as a guest sees it, BARs that move, and
 * interrupt pins.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../vmm/bus.h"
#include "../vmm/irq.h"
#include "../vmm/vpci.h"

/* Where RAM is in these tests. */
#define RAM_SIZE 0x2000000

struct function {
	struct vpci_dev *dev;
	unsigned int accesses, bar, commands;
	uint64_t off;
	uint16_t command;
};

struct rig {
	struct bus *bus;
	struct irq *irq;
	struct vpci *vpci;
	bool level[IRQ_LINES];
	unsigned int changes;
	struct function f[3];
};

static void on_irq(void *ctx, unsigned int line, bool level)
{
	struct rig *r = ctx;

	assert_int_not_equal(r->level[line], level);
	r->level[line] = level;
	r->changes++;
}

static void on_access(void *ctx, unsigned int bar, struct bus_access *a)
{
	struct function *f = ctx;

	f->accesses++;
	f->bar = bar;
	f->off = a->off;
	if (!a->write)
		memset(a->data, 0x10 + (int)bar, a->width);
}

static void on_command(void *ctx, uint16_t command)
{
	struct function *f = ctx;

	f->commands++;
	f->command = command;
	assert_int_equal(vpci_command(f->dev), command);
}

static const struct vpci_ops ops = { .access = on_access,
				     .command = on_command };

static void nobody(void *ctx, struct bus_access *a)
{
	(void)ctx;
	memset(a->data, 0xee, a->width);
}

/* A NIC with ports, memory, a 64-bit BAR, and secrets it must not show. */
static struct backend_info card(void)
{
	struct backend_info info = {
		.config = { 0x34,
			    0x12,
			    0x78,
			    0x56,
			    0x07,
			    0x05,
			    0x90,
			    0xf2,
			    0x03,
			    0x00,
			    0x00,
			    0x02,
			    0x08,
			    0x40,
			    0x80,
			    0x80,
			    [0x28] = 1,
			    2,
			    3,
			    4,
			    0xaa,
			    0xbb,
			    0xcc,
			    0xdd,
			    [0x30] = 1,
			    0,
			    0xf0,
			    0xff,
			    [0x34] = 0x40,
			    [0x3c] = 0x77,
			    0x01,
			    0x20,
			    0x40,
			    [0x40] = 0x01,
			    0x00,
			    0x22,
			    0x00 },
		.intx = true,
	};

	info.bar[0] = (struct backend_bar){ BACKEND_IO, 32, false, false };
	info.bar[1] = (struct backend_bar){ BACKEND_MMIO, 4096, false, false };
	info.bar[2] = (struct backend_bar){ BACKEND_MMIO, 65536, true, true };
	return info;
}

static int setup(void **state)
{
	static struct rig r;
	struct backend_info info = card();
	char *why;

	memset(&r, 0, sizeof(r));
	*state = &r;
	assert_int_equal(irq_open(&r.irq, on_irq, &r), 0);
	assert_int_equal(bus_open(&r.bus), 0);
	assert_int_equal(vpci_open(&r.vpci, r.bus, r.irq), 0);
	assert_int_equal(bus_map(r.bus, BUS_IO, VPCI_PORT, VPCI_PORTS,
				 vpci_config, r.vpci),
			 0);
	assert_int_equal(bus_map(r.bus, BUS_MMIO, 0, RAM_SIZE, nobody, NULL),
			 0);
	assert_int_equal(bus_map(r.bus, BUS_MMIO, 0xfec00000, 0x01400000,
				 nobody, NULL),
			 0);
	assert_int_equal(bus_map(r.bus, BUS_IO, 0x3f8, 8, nobody, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(r.f); i++)
		assert_int_equal(vpci_add(r.vpci, &info, &ops, &r.f[i],
					  &r.f[i].dev, &why),
				 0);
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	vpci_close(r->vpci);
	bus_close(r->bus);
	irq_close(r->irq);
	return 0;
}

static uint32_t io(struct rig *r, enum bus_space space, uint64_t addr,
		   uint8_t width, bool write, uint32_t value)
{
	struct bus_access a = { .addr = addr,
				.data = (uint8_t *)&value,
				.count = 1,
				.width = width,
				.write = write };

	bus_access(r->bus, space, &a);
	return value;
}

static void select_reg(struct rig *r, unsigned int slot, unsigned int reg)
{
	io(r, BUS_IO, 0xcf8, 4, true, 1U << 31 | slot << 11 | (reg & 0xfc));
}

static uint32_t get(struct rig *r, unsigned int slot, unsigned int reg,
		    uint8_t width)
{
	select_reg(r, slot, reg);
	return io(r, BUS_IO, 0xcfc + (reg & 3), width, false, 0);
}

static void set(struct rig *r, unsigned int slot, unsigned int reg,
		uint8_t width, uint32_t value)
{
	select_reg(r, slot, reg);
	io(r, BUS_IO, 0xcfc + (reg & 3), width, true, value);
}

static void who_is_there(void **state)
{
	struct rig *r = *state;

	assert_int_equal(get(r, 0, 0x0a, 2), 0x0600);
	assert_int_equal(get(r, 0, 0x0e, 1), 0);
	assert_int_equal(get(r, 1, 0, 4), UINT32_MAX);
	assert_int_equal(get(r, 2, 0, 4), 0x56781234);
	assert_int_equal(get(r, 4, 2, 2), 0x5678);
	assert_int_equal(get(r, 5, 0, 4), UINT32_MAX);
	assert_int_equal(vpci_slot(r->f[1].dev), 3);
	/* Another function, another bus, not enabled. */
	io(r, BUS_IO, 0xcf8, 4, true, 0x80001100);
	assert_int_equal(io(r, BUS_IO, 0xcfc, 4, false, 0), UINT32_MAX);
	io(r, BUS_IO, 0xcf8, 4, true, 0x80011000);
	assert_int_equal(io(r, BUS_IO, 0xcfc, 4, false, 0), UINT32_MAX);
	io(r, BUS_IO, 0xcf8, 4, true, 0x00001000);
	assert_int_equal(io(r, BUS_IO, 0xcfc, 4, false, 0), UINT32_MAX);
}

static void the_address_port_takes_dwords_alone(void **state)
{
	struct rig *r = *state;

	select_reg(r, 2, 8);
	assert_int_equal(io(r, BUS_IO, 0xcf8, 4, false, 0), 0x80001008);
	io(r, BUS_IO, 0xcf8, 2, true, 0);
	io(r, BUS_IO, 0xcfb, 1, true, 0);
	assert_int_equal(io(r, BUS_IO, 0xcf8, 4, false, 0), 0x80001008);
	assert_int_equal(io(r, BUS_IO, 0xcf8, 1, false, 0), 0xff);
	/* Half address and half data; data and beyond. */
	assert_int_equal(io(r, BUS_IO, 0xcfa, 4, false, 0), UINT32_MAX);
	assert_int_equal(io(r, BUS_IO, 0xcfd, 4, false, 0), UINT32_MAX);
	assert_int_equal(io(r, BUS_IO, 0xcfe, 2, false, 0), 0x0200);
}

static void the_rest_is_the_parts_and_constant(void **state)
{
	struct rig *r = *state;

	assert_int_equal(get(r, 2, 0x08, 4), 0x02000003);
	assert_int_equal(get(r, 2, 0x0c, 4), 0x00004008); /* one function */
	assert_int_equal(get(r, 2, 0x2c, 4), 0xddccbbaa);
	assert_int_equal(get(r, 2, 0x30, 4), 0);    /* no ROM */
	assert_int_equal(get(r, 2, 0x34, 4), 0x40); /* power management */
	assert_int_equal(get(r, 2, 0x40, 4), 0x00020001);
	assert_int_equal(get(r, 2, 0x44, 4), 0x00000008);
	assert_int_equal(get(r, 2, 0x06, 2), 0x0290);
	assert_int_equal(get(r, 2, 0x3c, 4), 0x4020010b);
	for (unsigned int reg = 0; reg < 256; reg += 4) {
		uint32_t was = get(r, 2, reg, 4);

		if (reg == 4 || (reg >= 0x10 && reg < 0x28) || reg == 0x3c ||
		    reg == 0x44)
			continue;
		set(r, 2, reg, 4, ~was);
		assert_int_equal(get(r, 2, reg, 4), was);
	}
	set(r, 2, 0x3c, 4, 0xffffff05);
	assert_int_equal(get(r, 2, 0x3c, 4), 0x40200105);
}

static void bars_tell_their_size(void **state)
{
	struct rig *r = *state;
	static const struct {
		unsigned int reg;
		uint32_t first, size;
	} bars[] = {
		{ 0x10, 0xc001, 0xffffffe1 },
		{ 0x14, 0xe0000000, 0xfffff000 },
		{ 0x18, 0xe001000c, 0xffff000c },
		{ 0x1c, 0, 0xffffffff },
		{ 0x20, 0, 0 },
		{ 0x24, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bars); i++) {
		assert_int_equal(get(r, 2, bars[i].reg, 4), bars[i].first);
		set(r, 2, bars[i].reg, 4, UINT32_MAX);
		assert_int_equal(get(r, 2, bars[i].reg, 4), bars[i].size);
		set(r, 2, bars[i].reg, 4, bars[i].first);
		assert_int_equal(get(r, 2, bars[i].reg, 4), bars[i].first);
	}
	/* Others are placed behind, aligned. */
	assert_int_equal(get(r, 3, 0x10, 4), 0xc021);
	assert_int_equal(get(r, 3, 0x14, 4), 0xe0020000);
	assert_int_equal(get(r, 3, 0x18, 4), 0xe003000c);
	/* And still there. */
	assert_int_equal(io(r, BUS_IO, 0xc01f, 1, false, 0), 0x10);
	assert_int_equal(r->f[0].off, 0x1f);
	assert_int_equal(io(r, BUS_MMIO, 0xe001ffff, 1, false, 0), 0x12);
	assert_int_equal(r->f[0].off, 0xffff);
}

static void bars_move(void **state)
{
	struct rig *r = *state;
	uint64_t addr;

	set(r, 2, 0x10, 4, 0xd000);
	assert_int_equal(io(r, BUS_IO, 0xc000, 1, false, 0), 0xff);
	assert_int_equal(io(r, BUS_IO, 0xd000, 1, false, 0), 0x10);
	assert_int_equal(r->f[0].accesses, 1);
	assert_true(vpci_where(r->f[0].dev, 0, &addr));
	assert_int_equal(addr, 0xd000);
	/* A byte of it. */
	set(r, 2, 0x11, 1, 0xd1);
	assert_int_equal(get(r, 2, 0x10, 4), 0xd101);
	assert_int_equal(io(r, BUS_IO, 0xd100, 1, false, 0), 0x10);
	/* Above 4 GiB. */
	set(r, 2, 0x1c, 4, 0x12);
	assert_int_equal(io(r, BUS_MMIO, UINT64_C(0x12e0010000), 4, false, 0),
			 0x12121212);
	assert_int_equal(io(r, BUS_MMIO, 0xe0010000, 4, false, 0), UINT32_MAX);
	/* Not decoded, then elsewhere, then decoded again. */
	set(r, 2, 4, 2, VPCI_COMMAND_IO);
	assert_int_equal(io(r, BUS_MMIO, 0xe0000000, 1, false, 0), 0xff);
	set(r, 2, 0x14, 4, 0xe8000000);
	assert_int_equal(io(r, BUS_MMIO, 0xe8000000, 1, false, 0), 0xff);
	set(r, 2, 4, 2, VPCI_COMMAND_IO | VPCI_COMMAND_MEMORY);
	assert_int_equal(io(r, BUS_MMIO, 0xe8000000, 1, false, 0), 0x11);
	assert_int_equal(io(r, BUS_MMIO, 0xe0000000, 1, false, 0), 0xff);
}

static void bars_stay_off_others(void **state)
{
	static const uint32_t taken[] = {
		0x00000000, 0x01fff000,		    /* RAM */
		0xfec00000, 0xfee00000, 0xfffff000, /* APICs, top */
		0xe0020000,			    /* the next function */
	};
	struct rig *r = *state;
	uint64_t addr;

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		set(r, 2, 0x14, 4, taken[i]);
		assert_int_equal(get(r, 2, 0x14, 4), taken[i]);
		assert_false(vpci_where(r->f[0].dev, 1, &addr));
	}
	assert_int_equal(io(r, BUS_MMIO, 0xe0020000, 1, false, 0), 0x11);
	assert_int_equal(r->f[1].accesses, 1);
	assert_int_equal(r->f[0].accesses, 0);
	/* The other goes, so this one is seen. */
	set(r, 3, 0x14, 4, 0xe9000000);
	assert_int_equal(io(r, BUS_MMIO, 0xe0020000, 1, false, 0), 0x11);
	assert_int_equal(r->f[0].accesses, 1);

	set(r, 2, 0x10, 4, 0x3e0); /* 0x3f8 is in it */
	assert_false(vpci_where(r->f[0].dev, 0, &addr));
	set(r, 2, 0x10, 4, 0x1c000); /* there are no such ports */
	assert_false(vpci_where(r->f[0].dev, 0, &addr));
	set(r, 2, 0x10, 4, 0xc000);
	assert_true(vpci_where(r->f[0].dev, 0, &addr));
}

static void two_bars_change_places(void **state)
{
	struct rig *r = *state;

	set(r, 2, 4, 2, 0);
	set(r, 2, 0x14, 4, 0xe0020000);
	set(r, 3, 0x14, 4, 0xe0000000);
	set(r, 2, 4, 2, 3);
	io(r, BUS_MMIO, 0xe0000000, 1, false, 0);
	assert_int_equal(r->f[1].accesses, 1);
	io(r, BUS_MMIO, 0xe0020000, 1, false, 0);
	assert_int_equal(r->f[0].accesses, 1);
}

static void the_command_register_is_told(void **state)
{
	struct rig *r = *state;

	assert_int_equal(get(r, 2, 4, 2), 3);
	set(r, 2, 4, 2, 7);
	assert_int_equal(r->f[0].commands, 1);
	assert_int_equal(r->f[0].command, 7);
	set(r, 2, 4, 2, 7);
	assert_int_equal(r->f[0].commands, 1);
	set(r, 2, 4, 4, 0xffffffff);
	assert_int_equal(r->f[0].command, 0x547);
	assert_int_equal(get(r, 2, 4, 4), 0x02900547);
	set(r, 2, 5, 1, 0);
	assert_int_equal(r->f[0].command, 0x47);
	assert_int_equal(r->f[1].commands, 0);
	set(r, 0, 4, 2, 0); /* the bridge has nobody to tell */
}

static void pins_reach_their_lines(void **state)
{
	static const unsigned int lines[] = { 11, 10, 5 };
	struct rig *r = *state;
	struct vpci_route route;

	for (unsigned int i = 0; i < ARRAY_LEN(r->f); i++) {
		assert_int_equal(get(r, 2 + i, 0x3c, 1), lines[i]);
		assert_true(vpci_route(r->vpci, i, &route));
		assert_int_equal(route.slot, 2 + i);
		assert_int_equal(route.line, lines[i]);
		vpci_set_line(r->f[i].dev, true);
		assert_true(r->level[lines[i]]);
		assert_int_equal(r->changes, i + 1);
		vpci_set_line(r->f[i].dev, true);
		assert_int_equal(r->changes, i + 1);
	}
	assert_false(vpci_route(r->vpci, 3, &route));
	assert_int_equal(get(r, 2, 6, 2), 0x0298); /* pending, in status */
	set(r, 2, 4, 2, 0x403);
	assert_false(r->level[11]);
	assert_int_equal(get(r, 2, 6, 2), 0x0298);
	vpci_set_line(r->f[0].dev, false);
	vpci_set_line(r->f[0].dev, true);
	assert_false(r->level[11]);
	set(r, 2, 4, 2, 3);
	assert_true(r->level[11]);
	vpci_set_line(r->f[0].dev, false);
	assert_false(r->level[11]);
	assert_true(r->level[10]);
}

static void pins_share_a_line(void **state)
{
	struct rig *r = *state;
	struct irq_pin pin;

	irq_pin_init(&pin, r->irq, 11);
	irq_pin_set(&pin, true);
	vpci_set_line(r->f[0].dev, true);
	assert_int_equal(r->changes, 1);
	irq_pin_set(&pin, false);
	assert_true(r->level[11]);
	vpci_set_line(r->f[0].dev, false);
	assert_false(r->level[11]);
	assert_int_equal(r->changes, 2);
}

static void bad_parts_are_refused(void **state)
{
	static const struct {
		struct backend_bar bar;
		unsigned int at;
		int rc;
	} bad[] = {
		{ { BACKEND_IO, 3, false, false }, 0, -EINVAL },
		{ { BACKEND_IO, 0, false, false }, 0, -EINVAL },
		{ { BACKEND_MMIO, 8, false, false }, 0, -EINVAL },
		{ { BACKEND_MMIO, 0x3000, false, false }, 0, -EINVAL },
		{ { BACKEND_MMIO, 0x1000, true, false }, 5, -EINVAL },
		{ { BACKEND_MMIO, 0x1000, true, false }, 0, -EINVAL },
		{ { BACKEND_IO, 0x100, true, false }, 4, -EINVAL },
		{ { BACKEND_IO, 0x8000, false, false }, 0, -ENOSPC },
		{ { BACKEND_MMIO, 0x40000000, false, false }, 0, -ENOSPC },
		{ { BACKEND_MMIO, UINT64_C(1) << 63, false, false },
		  0,
		  -ENOSPC },
	};
	struct rig *r = *state;
	struct vpci_dev *dev;
	char *why;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct backend_info info = card();

		info.bar[bad[i].at] = bad[i].bar;
		assert_int_equal(vpci_add(r->vpci, &info, &ops, NULL, &dev,
					  &why),
				 bad[i].rc);
		assert_non_null(strstr(why, "BAR "));
		free(why);
	}
	for (int i = 0; i < VPCI_DEVICES - 3; i++) {
		struct backend_info info = { .intx = false };

		assert_int_equal(
			vpci_add(r->vpci, &info, &ops, NULL, &dev, &why), 0);
		vpci_set_line(dev, true); /* it has no pin */
	}
	assert_int_equal(r->changes, 0);
	assert_int_equal(vpci_add(r->vpci, &(struct backend_info){ 0 }, &ops,
				  NULL, &dev, &why),
			 -ENOSPC);
	free(why);
}

/* Whatever a guest writes, the map holds one owner for an address. */
static void random_writes_break_nothing(void **state)
{
	struct rig *r = *state;
	uint32_t seed = 7;

	for (int i = 0; i < 50000; i++) {
		uint32_t a = seed = seed * 1664525 + 1013904223;
		uint32_t b = seed = seed * 1664525 + 1013904223;
		uint8_t width = (uint8_t)(1U << (a >> 5) % 3);

		if (a >> 28 < 6)
			io(r, BUS_IO, 0xcf8, 4, true,
			   1U << 31 | (a >> 9 & 0x7ffc));
		else
			io(r, BUS_IO, 0xcf8 + (a >> 9) % 8, width, a >> 30 & 1,
			   a & 64 ? b : b & 0xe00fff07);
	}
	for (uint64_t at = 0; at < 0x10000; at++)
		io(r, BUS_IO, at, 1, false, 0);
}

/* Whatever it did before, all is where firmware would have put it. */
static void a_reset_is_as_power_on(void **state)
{
	struct rig *r = *state;
	uint64_t first[ARRAY_LEN(r->f)][3], now;
	uint16_t command[ARRAY_LEN(r->f)];

	for (size_t i = 0; i < ARRAY_LEN(r->f); i++) {
		command[i] = vpci_command(r->f[i].dev);
		for (unsigned int bar = 0; bar < 3; bar++)
			assert_true(
				vpci_where(r->f[i].dev, bar, &first[i][bar]));
	}
	random_writes_break_nothing(state);
	vpci_reset(r->vpci);
	assert_int_equal(io(r, BUS_IO, 0xcf8, 4, false, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(r->f); i++) {
		assert_int_equal(vpci_command(r->f[i].dev), command[i]);
		for (unsigned int bar = 0; bar < 3; bar++) {
			assert_true(vpci_where(r->f[i].dev, bar, &now));
			assert_int_equal(now, first[i][bar]);
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(who_is_there),
		TEST(the_address_port_takes_dwords_alone),
		TEST(the_rest_is_the_parts_and_constant),
		TEST(bars_tell_their_size),
		TEST(bars_move),
		TEST(bars_stay_off_others),
		TEST(two_bars_change_places),
		TEST(the_command_register_is_told),
		TEST(pins_reach_their_lines),
		TEST(pins_share_a_line),
		TEST(bad_parts_are_refused),
		TEST(random_writes_break_nothing),
		TEST(a_reset_is_as_power_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
