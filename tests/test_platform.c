/* SPDX-License-Identifier: MIT */
/*
 * test_platform.c: resets and ACPI's fixed hardware, as a guest's accesses find
 * them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../vmm/bus.h"
#include "../vmm/irq.h"
#include "../vmm/mem.h"
#include "../vmm/platform.h"
#include "../vmm/pm.h"
#include "../vmm/vpci.h"

struct pc {
	struct bus *bus;
	struct irq *irq;
	struct mem *mem;
	struct vpci *vpci;
	struct platform *platform;
	struct pm *pm;
	bool sci;
	unsigned int offs, resets;
	const char *reset_by;
};

static void on_irq(void *ctx, unsigned int line, bool level)
{
	struct pc *pc = ctx;

	assert_int_equal(line, PM_SCI);
	pc->sci = level;
}

static void on_off(void *ctx)
{
	struct pc *pc = ctx;

	pc->offs++;
}

static void on_exit_port(void *ctx, uint32_t code)
{
	(void)ctx;
	(void)code;
}

static void on_reset(void *ctx, const char *what)
{
	struct pc *pc = ctx;

	pc->resets++;
	pc->reset_by = what;
}

static int setup(void **state)
{
	static const struct platform_ops ops = { on_exit_port, on_reset };
	static struct pc pc;
	char *why;

	memset(&pc, 0, sizeof(pc));
	*state = &pc;
	return irq_open(&pc.irq, on_irq, &pc) || bus_open(&pc.bus) ||
	       mem_open(&pc.mem, MEM_MIN, &why) ||
	       vpci_open(&pc.vpci, pc.bus, pc.irq) ||
	       platform_open(&pc.platform, pc.bus, pc.mem, pc.vpci, &ops,
			     &pc) ||
	       pm_open(&pc.pm, pc.bus, pc.irq, on_off, &pc);
}

static int teardown(void **state)
{
	struct pc *pc = *state;

	pm_close(pc->pm);
	platform_close(pc->platform);
	vpci_close(pc->vpci);
	bus_close(pc->bus);
	irq_close(pc->irq);
	mem_close(pc->mem);
	return 0;
}

static uint32_t in(struct pc *pc, uint16_t port, uint8_t width)
{
	uint32_t value = 0;
	struct bus_access a = { .addr = port,
				.data = (uint8_t *)&value,
				.count = 1,
				.width = width };

	bus_access(pc->bus, BUS_IO, &a);
	return value;
}

static void out(struct pc *pc, uint16_t port, uint8_t width, uint32_t value)
{
	struct bus_access a = { .addr = port,
				.data = (uint8_t *)&value,
				.count = 1,
				.width = width,
				.write = true };

	bus_access(pc->bus, BUS_IO, &a);
}

static void ways_to_reset(void **state)
{
	struct pc *pc = *state;

	out(pc, 0x64, 1, 0xd1);
	out(pc, 0xcf9, 1, 0x02);
	out(pc, 0x92, 1, 0x02);
	assert_int_equal(pc->resets, 0);
	out(pc, 0x64, 1, 0xfe);
	assert_string_equal(pc->reset_by, "port 0x64");
	out(pc, 0xcf9, 1, 0x06);
	assert_string_equal(pc->reset_by, "port 0xcf9");
	out(pc, 0x92, 1, 0x03);
	assert_string_equal(pc->reset_by, "port 0x92");
	assert_int_equal(pc->resets, 3);
}

static void power_off_is_one_type(void **state)
{
	struct pc *pc = *state;

	assert_int_equal(in(pc, PM_CONTROL_PORT, 2), 1);
	for (uint32_t type = 0; type < 8; type++) {
		out(pc, PM_CONTROL_PORT, 2, type << 10);
		assert_int_equal(pc->offs, 0);
		if (type != PM_S5)
			out(pc, PM_CONTROL_PORT, 2, type << 10 | 1 << 13);
		assert_int_equal(pc->offs, 0);
	}
	out(pc, PM_CONTROL_PORT, 2, PM_S5 << 10 | 1 << 13);
	assert_int_equal(pc->offs, 1);
	out(pc, PM_CONTROL_PORT + 1, 1, PM_S5 << 2 | 1 << 5); /* by the byte */
	assert_int_equal(pc->offs, 2);
	assert_int_equal(in(pc, PM_CONTROL_PORT, 2), 1);
}

static void the_button_interrupts_who_listens(void **state)
{
	struct pc *pc = *state;

	assert_false(pm_power_button(pc->pm));
	assert_int_equal(in(pc, PM_EVENT_PORT, 2), 0);
	out(pc, PM_EVENT_PORT + 2, 2, 0xffff);
	assert_int_equal(in(pc, PM_EVENT_PORT + 2, 2), 0x721);
	assert_false(pc->sci);
	assert_true(pm_power_button(pc->pm));
	assert_true(pc->sci);
	assert_int_equal(in(pc, PM_EVENT_PORT, 2), 0x100);
	out(pc, PM_EVENT_PORT, 2, 0x00ff); /* another's */
	assert_true(pc->sci);
	out(pc, PM_EVENT_PORT + 2, 2, 0);
	assert_false(pc->sci);
	out(pc, PM_EVENT_PORT + 2, 2, 0x100);
	assert_true(pc->sci);
	out(pc, PM_EVENT_PORT, 2, 0x100);
	assert_false(pc->sci);
	assert_true(pm_power_button(pc->pm));
	pm_reset(pc->pm);
	assert_false(pc->sci);
	assert_int_equal(in(pc, PM_EVENT_PORT, 4), 0);
}

static void the_timer_goes_at_its_rate(void **state)
{
	struct pc *pc = *state;
	struct timespec a, b;
	uint32_t from, to;
	double ns;

	clock_gettime(CLOCK_MONOTONIC, &a);
	from = in(pc, PM_TIMER_PORT, 4);
	usleep(20000);
	to = in(pc, PM_TIMER_PORT, 4);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (double)(b.tv_sec - a.tv_sec) * 1e9 +
	     (double)(b.tv_nsec - a.tv_nsec);
	/* at least the 20 ms, and no more than went by */
	assert_true(to - from >= 71590);
	assert_true((double)(to - from) <= ns * 3.579545e-3 + 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ways_to_reset),
		TEST(power_off_is_one_type),
		TEST(the_button_interrupts_who_listens),
		TEST(the_timer_goes_at_its_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
