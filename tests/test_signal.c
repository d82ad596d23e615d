/* SPDX-License-Identifier: MIT */
/*
 * test_signal.c: interrupts as messages, and a device that its guest has
 * alone: by the model of an 82574L, which has vectors.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stub.h"
#include "vmm/file.h"

enum {
	CTRLX = 0x18,
	EERD = 0x14,
	ICR = 0xc0,
	ICS = 0xc8,
	IMS = 0xd0,
	EIAC = 0xdc,
	IAM = 0xe0,
	IVAR = 0xe4,
	RCTL = 0x100,
	RDBAL = 0x2800,
	TDT = 0x3818,
};
enum { LSC = 0x4, RXQ0 = 0x100000, TXQ0 = 0x400000, OTHER = 0x1000000 };
enum { EIAME = 1 << 24 };

static void load(struct stub *s)
{
	char *text, *why;
	size_t len;

	assert_int_equal(
		file_read("models/e1000e.yaml", 1 << 20, &text, &len, &why), 0);
	stub_model(s, text);
	free(text);
	s->says[0][EERD] = 2; /* done at once */
}

static void set(struct stub *s, unsigned int off, uint32_t value)
{
	stub_write(s, 0, off, 4, value);
}

static uint32_t get(struct stub *s, unsigned int off)
{
	return (uint32_t)stub_read(s, 0, off, 4);
}

static void setup_vectors(struct stub *s)
{
	load(s);
	stub_open(s, DMM_EXCLUSIVE, 1);
	dmm_signals(s->dmm, 0, DMM_VECTORS);
	set(s, IVAR, 0x0a0908); /* receiving 0, sending 1, others 2 */
	set(s, EIAC, RXQ0 | TXQ0);
	set(s, IAM, UINT32_MAX);
	set(s, CTRLX, EIAME);
	set(s, IMS, RXQ0 | TXQ0 | OTHER | LSC);
	assert_string_equal(stub_log(s), "");
}

static void each_cause_has_its_vector(void **state)
{
	static struct stub s;

	(void)state;
	setup_vectors(&s);
	set(&s, ICS, TXQ0);
	assert_string_equal(stub_log(&s), "m0.1 ");
	set(&s, ICS, RXQ0);
	assert_string_equal(stub_log(&s), "m0.0 ");
	set(&s, ICS, LSC);
	assert_string_equal(stub_log(&s), "m0.2 ");
	assert_false(s.line[0]);
	/* sent: the queues' causes are acknowledged, the others' are not */
	assert_int_equal(get(&s, ICR) & ~(1u << 31), LSC);
	stub_close(&s);
}

static void what_was_sent_is_masked_until_the_driver_says(void **state)
{
	static struct stub s;

	(void)state;
	setup_vectors(&s);
	set(&s, ICS, RXQ0);
	assert_string_equal(stub_log(&s), "m0.0 ");
	assert_int_equal(get(&s, IMS), TXQ0 | OTHER | LSC);
	set(&s, ICS, RXQ0);
	set(&s, ICS, RXQ0);
	assert_string_equal(stub_log(&s), "");
	set(&s, IMS, RXQ0); /* one was waiting */
	assert_string_equal(stub_log(&s), "m0.0 ");
	set(&s, IMS, RXQ0);
	assert_string_equal(stub_log(&s), "");
	/* Without EIAME nothing is masked: each cause is told of. */
	set(&s, CTRLX, 0);
	set(&s, ICS, RXQ0);
	set(&s, ICS, RXQ0);
	assert_string_equal(stub_log(&s), "m0.0 m0.0 ");
	/* And one that is not acknowledged by sending, once. */
	set(&s, EIAC, 0);
	set(&s, ICS, RXQ0);
	set(&s, ICS, RXQ0);
	assert_string_equal(stub_log(&s), "m0.0 ");
	stub_close(&s);
}

static void a_cause_without_a_vector_is_not_told_of(void **state)
{
	static struct stub s;

	(void)state;
	setup_vectors(&s);
	set(&s, IVAR, 0x000900);
	set(&s, ICS, RXQ0 | LSC);
	assert_string_equal(stub_log(&s), "");
	set(&s, IVAR, 0x000f00); /* and one of another number */
	set(&s, ICS, TXQ0);
	assert_string_equal(stub_log(&s), "m0.7 ");
	stub_close(&s);
}

static void line_and_message_follow_the_same_causes(void **state)
{
	static struct stub s;

	(void)state;
	setup_vectors(&s);
	dmm_signals(s.dmm, 0, DMM_MESSAGE);
	set(&s, ICS, LSC);
	set(&s, ICS, LSC);
	assert_string_equal(stub_log(&s), "m0.0 ");
	assert_false(s.line[0]);
	assert_int_equal(get(&s, ICR), LSC | 1u << 31);
	set(&s, ICS, LSC);
	assert_string_equal(stub_log(&s), "m0.0 ");
	/* The pin is up at once; then not any more. */
	dmm_signals(s.dmm, 0, DMM_LINE);
	assert_true(s.line[0]);
	dmm_signals(s.dmm, 0, DMM_VECTORS);
	assert_false(s.line[0]);
	assert_string_equal(stub_log(&s), "m0.2 ");
	dmm_leave(s.dmm, 0);
	stub_log(&s);
	dmm_signals(s.dmm, 0, DMM_MESSAGE);
	assert_string_equal(stub_log(&s), ""); /* nobody is there */
	stub_close(&s);
}

static void alone_all_goes_straight(void **state)
{
	static struct stub s;

	(void)state;
	load(&s);
	s.conf.alone = true;
	stub_open(&s, DMM_EXCLUSIVE, 1);
	assert_true(dmm_direct(s.dmm, 0, 0));
	assert_true(dmm_direct(s.dmm, 0, 0x3000));
	assert_false(dmm_direct(s.dmm, 0, 0x10000)); /* no register is there */
	assert_false(dmm_direct(s.dmm, 0, 0x20000));
	assert_false(dmm_direct(s.dmm, 0, 8));
	assert_false(dmm_direct(s.dmm, 1, 0)); /* ports */
	assert_false(dmm_direct(s.dmm, 99, 0));
	set(&s, RCTL, 2);
	set(&s, RDBAL, 0xfffff000);
	set(&s, TDT, 5);
	set(&s, IMS, LSC);
	set(&s, ICS, LSC);
	set(&s, EERD, 1);
	assert_string_equal(stub_log(&s),
			    "w0+100.4=2 w0+2800.4=fffff000 w0+3818.4=5 "
			    "w0+d0.4=4 w0+c8.4=4 w0+14.4=1 ");
	assert_false(s.line[0]);
	assert_int_equal(s.reports, 0);
	/* The window, too. */
	stub_write(&s, 1, 0, 4, 0x38);
	stub_write(&s, 1, 4, 4, 0x88a8);
	assert_non_null(strstr(stub_log(&s), "w0+38.4=88a8 "));
	s.resets = 0;
	dmm_guest_reset(s.dmm, 0);
	assert_int_equal(s.resets, 1);
	stub_close(&s);
}

static void alone_with_an_address_the_eeprom_is_a_copy(void **state)
{
	static struct stub s;

	(void)state;
	load(&s);
	s.conf.alone = true;
	s.conf.guest[0].has_mac = true;
	stub_open(&s, DMM_EXCLUSIVE, 1);
	assert_false(dmm_direct(s.dmm, 0, 0));
	assert_true(dmm_direct(s.dmm, 0, 0x3000));
	stub_log(&s);
	set(&s, EERD, 2 << 2 | 1);
	assert_int_equal(get(&s, EERD) >> 16, 0x0a00);
	assert_string_equal(stub_log(&s), "");
	set(&s, IMS, 5); /* traps for its page, and goes to the card */
	assert_string_equal(stub_log(&s), "w0+d0.4=5 ");
	stub_close(&s);
}

static void alone_is_for_one(void **state)
{
	static struct stub s;

	(void)state;
	load(&s);
	s.conf.alone = true;
	assert_int_equal(stub_try(&s, DMM_EXCLUSIVE, 2), -EINVAL);
	assert_int_equal(stub_try(&s, DMM_MERGE, 1), -EINVAL);
	assert_int_equal(stub_try(&s, DMM_LEASE, 1), -EINVAL);
	s.conf.alone = false;
	stub_open(&s, DMM_EXCLUSIVE, 1);
	assert_false(dmm_direct(s.dmm, 0, 0x3000));
	stub_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause_has_its_vector),
		cmocka_unit_test(what_was_sent_is_masked_until_the_driver_says),
		cmocka_unit_test(a_cause_without_a_vector_is_not_told_of),
		cmocka_unit_test(line_and_message_follow_the_same_causes),
		cmocka_unit_test(alone_all_goes_straight),
		cmocka_unit_test(alone_with_an_address_the_eeprom_is_a_copy),
		cmocka_unit_test(alone_is_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
