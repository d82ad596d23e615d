/* SPDX-License-Identifier: MIT */
/*
 * test_microwire.c: the serial EEPROM, read by drivers that move its pins as
 * those of operating systems do: each in its own order of pins and clocks.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dmm/microwire.h"

/* A part in its socket, with the pins as a driver's register has them. */
struct part {
	struct microwire chip;
	bool cs, sk, di, write_tried;
	uint16_t words[256];
	unsigned int words_n, address_bits;
};

static struct part part(unsigned int address_bits)
{
	struct part p = { .address_bits = address_bits,
			  .words_n = 1u << address_bits };

	microwire_reset(&p.chip);
	for (unsigned int i = 0; i < p.words_n; i++)
		p.words[i] = (uint16_t)(0x9d31 * (i + 1) ^ i << 8);
	return p;
}

static bool pins(struct part *p)
{
	return microwire_pins(&p->chip, p->cs, p->sk, p->di, p->words,
			      p->words_n, p->address_bits, &p->write_tried);
}

/* One pin at a time, as a register is written. */
static bool set_cs(struct part *p, bool level)
{
	p->cs = level;
	return pins(p);
}

static bool set_sk(struct part *p, bool level)
{
	p->sk = level;
	return pins(p);
}

static bool set_di(struct part *p, bool level)
{
	p->di = level;
	return pins(p);
}

/*
 * First kind of driver: DI and SK change in writes of their own, DI is put
 * back to 0, and CS rises while SK is high.
 */
static void careful_standby(struct part *p)
{
	p->cs = false;
	set_sk(p, false);
	set_sk(p, true);
	set_cs(p, true);
	set_sk(p, false);
}

static void careful_out(struct part *p, unsigned int bits, unsigned int n)
{
	set_di(p, false);
	while (n--) {
		set_di(p, bits >> n & 1);
		set_sk(p, true);
		set_sk(p, false);
	}
	set_di(p, false);
}

static uint16_t careful_in(struct part *p)
{
	unsigned int word = 0;

	set_di(p, false);
	for (unsigned int i = 0; i < 16; i++) {
		set_sk(p, true);
		word = word << 1 | pins(p);
		set_sk(p, false);
	}
	return (uint16_t)word;
}

static uint16_t careful_read(struct part *p, unsigned int address)
{
	uint16_t word;

	p->di = false;
	set_sk(p, false);
	set_cs(p, true);
	careful_out(p, 6, 3);
	careful_out(p, address, p->address_bits);
	word = careful_in(p);
	careful_standby(p);
	return word;
}

/*
 * Second kind: all pins in one write, two 0 bits before the start bit, DI
 * sampled as it changes, CS taken away and given back between words.
 */
static uint16_t hasty_read(struct part *p, unsigned int address)
{
	unsigned int command = address | 6u << p->address_bits;
	unsigned int word = 0;

	p->cs = p->sk = p->di = false;
	pins(p);
	set_cs(p, true);
	for (int i = (int)p->address_bits + 4; i >= 0; i--) {
		p->sk = false;
		set_di(p, command >> i & 1);
		set_sk(p, true);
	}
	p->di = false;
	set_sk(p, false);
	for (int i = 0; i < 16; i++) {
		word = word << 1 | set_sk(p, true);
		set_sk(p, false);
	}
	set_cs(p, false);
	return (uint16_t)word;
}

/*
 * Third kind: does not know how long addresses are.  It clocks zeros after
 * the opcode until DO falls, which is the dummy bit.
 */
static unsigned int probe_width(struct part *p)
{
	unsigned int n;

	p->di = false;
	set_cs(p, false);
	set_sk(p, false);
	set_cs(p, true);
	careful_out(p, 6, 3);
	for (n = 1; n <= 12; n++) {
		if (!set_sk(p, true))
			break;
		set_sk(p, false);
	}
	set_sk(p, false);
	set_cs(p, false);
	return n;
}

static void command(struct part *p, unsigned int bits, unsigned int n)
{
	careful_standby(p);
	careful_out(p, bits, n);
}

static void test_read(void **state)
{
	static const unsigned int widths[] = { 6, 8 };

	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(widths); w++) {
		struct part p = part(widths[w]);

		for (unsigned int i = 0; i < p.words_n; i++) {
			assert_int_equal(careful_read(&p, i), p.words[i]);
			assert_int_equal(hasty_read(&p, i), p.words[i]);
		}
		assert_int_equal(probe_width(&p), widths[w]);
		assert_int_equal(careful_read(&p, 5), p.words[5]);
		assert_false(p.write_tried);
	}
}

/* Bits before the start, and the one before the data. */
static void test_zeros(void **state)
{
	struct part p = part(6);

	(void)state;
	for (unsigned int zeros = 0; zeros < 40; zeros++) {
		careful_standby(&p);
		for (unsigned int i = 0; i < zeros; i++)
			careful_out(&p, 0, 1);
		careful_out(&p, 6, 3);
		careful_out(&p, zeros >> 1, 5);
		assert_true(pins(&p)); /* floats: pulled up */
		set_di(&p, zeros & 1);
		assert_true(pins(&p));
		assert_false(set_sk(&p, true)); /* the dummy bit */
		assert_false(set_sk(&p, false));
		assert_int_equal(careful_in(&p), p.words[zeros]);
	}
}

static void test_sequential(void **state)
{
	struct part p = part(6);

	(void)state;
	p.words_n = 40; /* the rest is erased */
	command(&p, 6 << 6 | 30, 9);
	for (unsigned int i = 30; i < 150; i++) {
		unsigned int at = i % 64;

		assert_int_equal(careful_in(&p),
				 at < 40 ? p.words[at] : 0xffff);
	}
	assert_true(set_cs(&p, false));
	assert_true(set_cs(&p, true));
}

/* An instruction that is cut off leaves nothing behind. */
static void test_cut(void **state)
{
	struct part p = part(6);

	(void)state;
	for (unsigned int n = 0; n < 40; n++) {
		careful_standby(&p);
		for (unsigned int i = 0; i < n; i++)
			careful_out(&p, 6 << 6 >> (8 - i % 9) & 1, 1);
		assert_int_equal(hasty_read(&p, n), p.words[n]);
	}
	/* Nor do clocks that come while it is not selected. */
	set_cs(&p, false);
	careful_out(&p, 6 << 6 | 3, 9);
	assert_true(pins(&p));
	set_cs(&p, true);
	assert_int_equal(careful_in(&p), 0xffff);
	assert_false(p.write_tried);
	/* An edge of both at once is none of SK. */
	set_cs(&p, false);
	p.cs = p.sk = p.di = true;
	pins(&p);
	set_sk(&p, false);
	careful_out(&p, 6 << 6 | 3, 9);
	assert_int_equal(careful_in(&p), p.words[3]);
}

struct program {
	const char *name;
	unsigned int bits, n;
	bool tries;
};

/* After standby, all bits of an instruction for 64 words. */
static const struct program programs[] = {
	{ "EWEN", 0x130, 9, false },	 { "EWDS", 0x100, 9, false },
	{ "READ", 0x185, 9, false },	 { "ERASE", 0x1c5, 9, true },
	{ "ERAL", 0x120, 9, true },	 { "WRITE", 0x145a5a5, 25, true },
	{ "WRAL", 0x110ffff, 25, true },
};

static void test_programs(void **state)
{
	struct part p = part(6);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		const struct program *q = &programs[i];

		/* Without the last bit nothing was tried. */
		p.write_tried = false;
		command(&p, q->bits >> 1, q->n - 1);
		assert_false(p.write_tried);
		command(&p, q->bits, q->n);
		if (p.write_tried != q->tries)
			fail_msg("%s", q->name);
		/* Ready at once, when asked as it should be: 2.8. */
		set_cs(&p, false);
		assert_true(set_cs(&p, true));
		assert_int_equal(careful_read(&p, 5), part(6).words[5]);
	}
	/* The flag is the caller's to clear. */
	assert_true(p.write_tried);
	careful_read(&p, 1);
	assert_true(p.write_tried);
	/* Behind an instruction, clocks do not start another: 3.2. */
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		command(&p, programs[i].bits, programs[i].n);
		p.write_tried = false;
		careful_out(&p, 0x145a5a5, 25);
		assert_false(p.write_tried);
	}
}

/* Whatever was saved is safe to put back, and a reset clears it. */
static void test_restored(void **state)
{
	struct part p = part(6);

	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		p.chip = (struct microwire){ .cs = true,
					     .state = (uint8_t)(i % 8),
					     .left = (uint8_t)(i * 7),
					     .address = (uint16_t)(i * 259),
					     .bits = i * 0x01010101u };
		p.cs = true;
		for (unsigned int n = 0; n < 300; n++) {
			set_sk(&p, false);
			p.di = n & 1;
			set_sk(&p, true);
		}
		assert_int_equal(hasty_read(&p, i % 64), p.words[i % 64]);
		set_cs(&p, true);
		microwire_reset(&p.chip);
		assert_int_equal(hasty_read(&p, i % 64), p.words[i % 64]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_sequential),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_restored),
	};

	return cmocka_run_group_tests_name("microwire", tests, NULL, NULL);
}
