/* SPDX-License-Identifier: MIT */
/*
 * test_serial.c: a 16550 as Linux's 8250 driver probes and uses it, and text
 * that cannot harm a terminal.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../vmm/irq.h"
#include "../vmm/serial.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

struct port {
	struct serial *serial;
	struct irq *irq;
	bool level;
	unsigned int edges;
	unsigned int lines;
	size_t len;
	char last[SERIAL_LINE + 8];
};

static void on_irq(void *ctx, unsigned int line, bool level)
{
	struct port *p = ctx;

	assert_int_equal(line, SERIAL_IRQ);
	assert_int_not_equal(p->level, level);
	p->level = level;
	p->edges += level;
}

static void on_line(void *ctx, const char *line, size_t len)
{
	struct port *p = ctx;

	assert_int_equal(strlen(line), len);
	assert_true(len < sizeof(p->last));
	memcpy(p->last, line, len + 1);
	p->len = len;
	p->lines++;
}

static int setup(void **state)
{
	static struct port p;

	memset(&p, 0, sizeof(p));
	*state = &p;
	return irq_open(&p.irq, on_irq, &p) ||
	       serial_open(&p.serial, p.irq, on_line, &p);
}

static int teardown(void **state)
{
	struct port *p = *state;

	serial_close(p->serial);
	irq_close(p->irq);
	return 0;
}

static void out(struct port *p, unsigned int reg, uint8_t value)
{
	struct bus_access a = { .off = reg,
				.data = &value,
				.count = 1,
				.width = 1,
				.write = true };

	serial_access(p->serial, &a);
}

static uint8_t in(struct port *p, unsigned int reg)
{
	uint8_t value = 0x5a;
	struct bus_access a = {
		.off = reg, .data = &value, .count = 1, .width = 1
	};

	serial_access(p->serial, &a);
	return value;
}

static void say(struct port *p, const char *text, size_t len)
{
	uint8_t buf[2048];
	struct bus_access a = { .off = DATA,
				.data = buf,
				.count = (uint32_t)len,
				.width = 1,
				.write = true };

	memcpy(buf, text, len);
	serial_access(p->serial, &a);
}

static void lines_come_out_whole(void **state)
{
	struct port *p = *state;

	say(p, "hello, ", 7);
	assert_int_equal(p->lines, 0);
	say(p, "world\r\n\nx", 9);
	assert_int_equal(p->lines, 2);
	assert_string_equal(p->last, "");
	serial_flush(p->serial);
	assert_string_equal(p->last, "x");
	serial_flush(p->serial);
	assert_int_equal(p->lines, 3);
}

static void text_is_harmless(void **state)
{
	struct port *p = *state;

	say(p, "\033]0;x\a\t\b\177\x9b\xff\0ok\n", 15);
	assert_string_equal(p->last, "^[]0;x^G\t^H^?\\x9b\\xffok");
	for (int c = 0; c < 256; c++) {
		if (c != '\n')
			out(p, DATA, (uint8_t)c);
	}
	out(p, DATA, '\n');
	for (size_t i = 0; i < p->len; i++)
		assert_true(p->last[i] == '\t' ||
			    (p->last[i] >= ' ' && p->last[i] < 0x7f));
}

static void lines_are_bounded(void **state)
{
	struct port *p = *state;
	char text[2048];

	memset(text, '\xff', sizeof(text)); /* each takes four */
	say(p, text, sizeof(text));
	assert_in_range(p->len, SERIAL_LINE, SERIAL_LINE + 3);
	assert_int_equal(p->lines, sizeof(text) * 4 / SERIAL_LINE);
}

/* drivers/tty/serial/8250/8250_port.c, autoconfig(). */
static void linux_finds_a_16550a(void **state)
{
	struct port *p = *state;

	out(p, IER, 0);
	assert_int_equal(in(p, IER), 0);
	out(p, IER, 0x0f);
	assert_int_equal(in(p, IER), 0x0f);
	out(p, IER, 0xff);
	assert_int_equal(in(p, IER), 0x0f);
	out(p, IER, 0);
	out(p, MCR, 0x1a); /* loop, OUT2, RTS */
	assert_int_equal(in(p, MSR) & 0xf0, 0x90);
	out(p, MCR, 0x08);
	assert_int_equal(in(p, MSR) & 0xf0, 0xb0);
	out(p, LCR, 0);
	out(p, IIR, 1);
	assert_int_equal(in(p, IIR) >> 6, 3);
	out(p, SCR, 0xa5);
	assert_int_equal(in(p, SCR), 0xa5);
	out(p, LCR, 0x80);
	out(p, DATA, 0x12);
	out(p, IER, 0x34);
	assert_int_equal(in(p, DATA), 0x12);
	assert_int_equal(in(p, IER), 0x34);
	out(p, LCR, 3);
	assert_int_equal(in(p, IER), 0);
	assert_int_equal(in(p, LSR), 0x60);
	assert_int_equal(p->lines, 0);
}

static void loopback_returns_what_is_sent(void **state)
{
	struct port *p = *state;

	in(p, MSR);
	out(p, MCR, 0x10);
	assert_int_equal(in(p, MSR), 0x0b); /* three lines fell */
	assert_int_equal(in(p, MSR), 0x00);
	out(p, MCR, 0x14);
	assert_int_equal(in(p, MSR), 0x40); /* ringing is no change */
	out(p, MCR, 0x10);
	assert_int_equal(in(p, MSR), 0x04); /* its end is */
	out(p, DATA, 'x');
	assert_int_equal(in(p, LSR), 0x61);
	assert_int_equal(in(p, DATA), 'x');
	assert_int_equal(in(p, LSR), 0x60);
	serial_flush(p->serial);
	assert_int_equal(p->lines, 0);
}

static void sending_interrupts(void **state)
{
	struct port *p = *state;

	out(p, IER, 2);
	assert_false(p->level); /* OUT2 is off */
	out(p, MCR, 8);
	assert_true(p->level);
	assert_int_equal(in(p, IIR), 2);
	assert_false(p->level);
	assert_int_equal(in(p, IIR), 1);
	out(p, DATA, 'a'); /* room again: an edge for each */
	assert_true(p->level);
	out(p, DATA, 'b');
	assert_int_equal(p->edges, 3);
	out(p, IER, 0);
	assert_false(p->level);
}

static void typing_interrupts(void **state)
{
	struct port *p = *state;

	out(p, MCR, 8);
	out(p, IER, 5);
	assert_int_equal(serial_input(p->serial, (const uint8_t *)"ab", 2), 2);
	assert_true(p->level);
	assert_int_equal(in(p, IIR), 4);
	assert_int_equal(in(p, LSR), 0x61);
	assert_int_equal(in(p, DATA), 'a');
	assert_true(p->level);
	assert_int_equal(in(p, DATA), 'b');
	assert_false(p->level);
	assert_int_equal(in(p, DATA), 0);
}

static void typing_is_bounded(void **state)
{
	struct port *p = *state;
	uint8_t text[4096];
	size_t taken;

	memset(text, 'y', sizeof(text));
	taken = serial_input(p->serial, text, sizeof(text));
	assert_in_range(taken, 16, sizeof(text) - 1);
	assert_int_equal(serial_input(p->serial, text, 1), 0);
	assert_int_equal(in(p, DATA), 'y');
	assert_int_equal(serial_input(p->serial, text, 2), 1);
	out(p, IIR, 3); /* clears what was received */
	assert_int_equal(in(p, LSR), 0x60);
}

struct tap {
	size_t len;
	uint8_t bytes[512];
};

static void on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct tap *t = ctx;

	assert_true(t->len + len < sizeof(t->bytes));
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

/* As they are, at the end of the access at the latest. */
static void a_tap_sees_all_bytes(void **state)
{
	struct port *p = *state;
	struct tap tap = { 0 };
	uint8_t many[200];
	struct bus_access a = {
		.data = many, .count = sizeof(many), .width = 1, .write = true
	};

	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = (uint8_t)(i | 0x80);
	serial_tap(p->serial, on_bytes, &tap);
	out(p, DATA, 0x1b);
	assert_int_equal(tap.len, 1);
	out(p, DATA, '\r');
	serial_access(p->serial, &a);
	assert_int_equal(tap.len, 202);
	assert_memory_equal(tap.bytes, "\x1b\r", 2);
	assert_memory_equal(tap.bytes + 2, many, sizeof(many));
	out(p, MCR, 0x10); /* what goes round goes nowhere else */
	out(p, DATA, 'x');
	assert_int_equal(tap.len, 202);
	out(p, MCR, 0);
	serial_tap(p->serial, NULL, NULL);
	tap.len = 0;
	out(p, DATA, 'x');
	assert_int_equal(tap.len, 0);
}

static void a_reset_leaves_nothing(void **state)
{
	struct port *p = *state;

	out(p, LCR, 0x80);
	out(p, DATA, 12);
	out(p, SCR, 0x55);
	out(p, MCR, 8);
	out(p, LCR, 3);
	out(p, IER, 5);
	assert_int_equal(serial_input(p->serial, (const uint8_t *)"ab", 2), 2);
	assert_true(p->level);
	out(p, DATA, 'x');
	serial_reset(p->serial);
	assert_string_equal(p->last, "x"); /* a line, though it had no end */
	assert_false(p->level);
	assert_int_equal(in(p, IER), 0);
	assert_int_equal(in(p, SCR), 0);
	assert_int_equal(in(p, MCR), 0);
	assert_int_equal(in(p, LSR), 0x60);
	assert_int_equal(serial_input(p->serial, (const uint8_t *)"c", 1), 1);
	assert_int_equal(in(p, DATA), 'c');
	out(p, LCR, 0x80);
	assert_int_equal(in(p, DATA), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lines_come_out_whole),
		TEST(text_is_harmless),
		TEST(lines_are_bounded),
		TEST(linux_finds_a_16550a),
		TEST(loopback_returns_what_is_sent),
		TEST(sending_interrupts),
		TEST(typing_interrupts),
		TEST(typing_is_bounded),
		TEST(a_tap_sees_all_bytes),
		TEST(a_reset_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
