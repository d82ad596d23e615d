// SPDX-License-Identifier: MIT
/*
 * test_rtc.c: the clock as drivers read it, set it, and are woken by it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/bus.h"
#include "vmm/irq.h"
#include "vmm/rtc.h"

enum { SEC, SEC_AT, MIN, MIN_AT, HOUR, HOUR_AT, WDAY, DAY, MONTH, YEAR };
enum { A = 10, B, C, D, CENTURY = 0x32 };
enum { SET = 0x80, AIE = 0x20, UIE = 0x10, B_24 = 2 };

#define NS 1000000000L
/* Wednesday, 2024-02-28, 23:59:58 */
#define START 1709164798

static struct bus *bus;
static struct irq *irq;
static struct rtc *rtc;
static struct timespec now;
static bool line;
static unsigned int wakes;

static void on_irq(void *ctx, unsigned int which, bool level)
{
	(void)ctx;
	assert_int_equal(which, RTC_IRQ);
	line = level;
}

static void on_now(void *ctx, struct timespec *out)
{
	(void)ctx;
	*out = now;
}

static void on_wake(void *ctx)
{
	(void)ctx;
	wakes++;
}

static int open_rtc(const struct rtc_ops *ops)
{
	now = (struct timespec){ START, 0 };
	line = false;
	wakes = 0;
	return irq_open(&irq, on_irq, NULL) || bus_open(&bus) ||
	       rtc_open(&rtc, bus, irq, ops, NULL);
}

static int setup(void **state)
{
	(void)state;
	return open_rtc(&(struct rtc_ops){ on_now, on_wake });
}

static int teardown(void **state)
{
	(void)state;
	rtc_close(rtc);
	bus_close(bus);
	irq_close(irq);
	return 0;
}

static uint8_t port(unsigned int off, bool write, uint8_t value)
{
	struct bus_access a = { .addr = RTC_PORT + off,
				.data = &value,
				.count = 1,
				.width = 1,
				.write = write };

	bus_access(bus, BUS_IO, &a);
	return value;
}

static uint8_t get(uint8_t reg)
{
	port(0, true, reg | 0x80); /* bit 7 masks NMIs */
	return port(1, false, 0);
}

static void put(uint8_t reg, uint8_t value)
{
	port(0, true, reg);
	port(1, true, value);
}

static void pass(long ns)
{
	now.tv_sec += (now.tv_nsec + ns) / NS;
	now.tv_nsec = (now.tv_nsec + ns) % NS;
}

/* It shows (century, year, ... second), as the digits of BCD. */
static void shows(uint64_t date, unsigned int time)
{
	assert_int_equal((uint64_t)get(CENTURY) << 24 | get(YEAR) << 16 |
				 get(MONTH) << 8 | get(DAY),
			 date);
	assert_int_equal(get(HOUR) << 16 | get(MIN) << 8 | get(SEC), time);
}

static void it_goes(void **state)
{
	(void)state;
	shows(0x20240228, 0x235958);
	assert_int_equal(get(WDAY), 4);
	pass(2 * NS);
	shows(0x20240229, 0x000000);
	assert_int_equal(get(WDAY), 5);
	assert_int_equal(get(A), 0x26);
	assert_int_equal(get(B), B_24);
	assert_int_equal(get(D), 0x80);
	pass(NS - 244001);
	assert_int_equal(get(A), 0x26);
	pass(1);
	assert_int_equal(get(A), 0xa6); /* an update is near */
	pass(244000);
	assert_int_equal(get(A), 0x26);
}

/* This machine's clock, as Linux reads it: the same at both ends. */
static void it_is_right(void **state)
{
	struct tm tm = { 0 };
	time_t before, got;
	uint8_t second;

	(void)state;
	teardown(NULL);
	assert_int_equal(open_rtc(&(struct rtc_ops){ NULL, NULL }), 0);
	do {
		before = time(NULL);
		second = get(SEC);
		tm.tm_sec = (second >> 4) * 10 + (second & 15);
		tm.tm_min = (get(MIN) >> 4) * 10 + (get(MIN) & 15);
		tm.tm_hour = (get(HOUR) >> 4) * 10 + (get(HOUR) & 15);
		tm.tm_mday = (get(DAY) >> 4) * 10 + (get(DAY) & 15);
		tm.tm_mon = (get(MONTH) >> 4) * 10 + (get(MONTH) & 15) - 1;
		tm.tm_year = (get(YEAR) >> 4) * 10 + (get(YEAR) & 15) + 100;
	} while (get(SEC) != second);
	got = timegm(&tm);
	assert_true(got >= before && got <= time(NULL));
}

static void write_time(const uint8_t *date)
{
	static const uint8_t reg[] = {
		CENTURY, YEAR, MONTH, DAY, HOUR, MIN, SEC
	};

	for (size_t i = 0; i < sizeof(reg); i++)
		put(reg[i], date[i]);
}

/* As Linux sets it: stopped, the divider held, and let go. */
static void it_can_be_set(void **state)
{
	(void)state;
	pass(123456789);
	put(B, B_24 | SET);
	put(A, 0x76);
	write_time(
		(const uint8_t[]){ 0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59 });
	pass(5 * NS);
	shows(0x19991231, 0x235959); /* it stands */
	put(B, B_24);
	put(A, 0x26);
	shows(0x19991231, 0x235959);
	pass(NS / 2 - 1);
	shows(0x19991231, 0x235959);
	pass(1);
	shows(0x20000101, 0x000000);
	rtc_reset(rtc);
	pass(NS);
	shows(0x20000101, 0x000001);
	/* one register, without stopping */
	put(HOUR, 0x12);
	shows(0x20000101, 0x120001);
	pass(59 * NS);
	shows(0x20000101, 0x120100);
}

/* The divider alone: no time goes by, and no update is near. */
static void it_can_be_held(void **state)
{
	(void)state;
	put(B, B_24 | UIE);
	pass(NS / 4);
	put(A, 0x66);
	pass(4 * NS + NS / 2 + NS / 4 - 1);
	shows(0x20240228, 0x235958);
	assert_int_equal(get(A), 0x66);
	assert_int_equal(rtc_due(rtc), 0);
	assert_false(line);
	put(A, 0x26);
	assert_int_equal(rtc_due(rtc), NS / 2);
	pass(NS / 2);
	(void)rtc_due(rtc);
	assert_true(line);
	shows(0x20240228, 0x235959);
	/* by both: the divider says when seconds begin, SET which it is */
	put(B, B_24 | SET);
	put(A, 0x66);
	put(A, 0x26);
	pass(NS / 4);
	put(B, B_24);
	pass(NS / 4 - 1);
	shows(0x20240228, 0x235959);
	pass(1);
	shows(0x20240229, 0x000000);
	/* and whoever left it so finds it going after a reset */
	put(A, 0x66);
	pass(NS);
	rtc_reset(rtc);
	assert_int_equal(get(A), 0x26);
	pass(NS);
	shows(0x20240229, 0x000001);
}

/* What no clock shows is another time, and nothing worse. */
static void nonsense(void **state)
{
	unsigned int v, i;

	(void)state;
	for (v = 0; v < 256; v++) {
		for (i = 0; i < 128; i++)
			put((uint8_t)i, (uint8_t)(v + (i % 3 ? 0 : 7)));
		pass(NS);
		for (i = 0; i < 128; i++)
			(void)get((uint8_t)i);
		(void)rtc_due(rtc);
	}
	put(A, 0x26);
	put(B, B_24);
	write_time((const uint8_t[]){ 0, 0, 0, 0x31, 0, 0, 0 });
	shows(0x99991231, 0); /* before the year 0 */
	write_time((const uint8_t[]){ 0x20, 0x23, 0x13, 0x01, 0, 0, 0 });
	shows(0x20240101, 0);
}

static void alarm_rings(void **state)
{
	(void)state;
	put(SEC_AT, 0x01);
	put(MIN_AT, 0x00);
	put(HOUR_AT, 0x00);
	assert_int_equal(rtc_due(rtc), 0); /* nobody listens */
	assert_int_equal(wakes, 0);
	put(B, B_24 | AIE);
	assert_true(wakes > 0);
	pass(NS / 4);
	assert_int_equal(rtc_due(rtc), 3 * NS / 4);
	pass(2 * NS);
	assert_int_equal(rtc_due(rtc), 3 * NS / 4);
	assert_false(line);
	pass(NS);
	(void)rtc_due(rtc);
	assert_true(line);
	assert_int_equal(get(C), 0xb0); /* it and an update, and why */
	assert_false(line);
	assert_int_equal(get(C), 0);
	/* again in a day, though nobody looked in time */
	pass(1000 * NS);
	(void)rtc_due(rtc);
	assert_false(line);
	for (unsigned int i = 0; i < 86; i++)
		pass(1000 * NS);
	(void)rtc_due(rtc);
	assert_true(line);
	put(B, B_24);
	assert_false(line);
	put(B, B_24 | AIE);
	assert_true(line);
	rtc_reset(rtc);
	assert_false(line);
	assert_int_equal(get(C), 0);
	assert_int_equal(get(SEC_AT), 0x01);
}

static void alarm_of_each(void **state)
{
	unsigned int i, rang = 0;

	(void)state;
	put(SEC_AT, 0x30);
	put(MIN_AT, 0xff);
	put(HOUR_AT, 0xc0);
	put(B, B_24 | AIE);
	for (i = 0; i < 3600; i++) {
		pass(NS);
		(void)rtc_due(rtc);
		rang += line;
		assert_true(!line || get(SEC) == 0x30);
		(void)get(C);
	}
	assert_int_equal(rang, 60);
	/* updates, likewise; not while it is set */
	put(B, B_24 | UIE);
	pass(NS);
	(void)rtc_due(rtc);
	assert_true(line);
	assert_int_equal(get(C), 0x90);
	put(B, B_24 | UIE | SET);
	assert_int_equal(get(B), B_24 | SET);
	pass(NS);
	assert_int_equal(rtc_due(rtc), 0);
	assert_false(line);
}

/* This machine's clock may be set: a look is short, however far it jumps. */
static void it_jumps(void **state)
{
	(void)state;
	put(SEC_AT, 0x99); /* never */
	put(B, B_24 | AIE);
	now.tv_sec += INT64_C(1) << 40;
	assert_int_equal(rtc_due(rtc), NS);
	assert_false(line);
	now.tv_sec -= INT64_C(1) << 40;
	assert_int_equal(rtc_due(rtc), NS);
	put(SEC_AT, 0x01); /* and MIN_AT, HOUR_AT are 0 */
	pass(3 * NS);
	(void)rtc_due(rtc);
	assert_true(line);
}

static void what_the_battery_keeps(void **state)
{
	(void)state;
	put(0x40, 0x5a);
	put(B, B_24 | AIE | SET);
	rtc_reset(rtc);
	assert_int_equal(get(0x40), 0x5a);
	assert_int_equal(get(0x41), 0);
	assert_int_equal(get(B), B_24);
	assert_int_equal(port(0, false, 0), 0xff);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_goes),
		TEST(it_is_right),
		TEST(it_can_be_set),
		TEST(it_can_be_held),
		TEST(nonsense),
		TEST(alarm_rings),
		TEST(alarm_of_each),
		TEST(it_jumps),
		TEST(what_the_battery_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
