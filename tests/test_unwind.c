/* SPDX-License-Identifier: MIT */
/*
 * test_unwind.c: call chains of a guest that was made up, and of stacks that
 * lie.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../vmm/mem.h"
#include "../vmm/symbols.h"
#include "../vmm/unwind.h"
#include "tinyelf.h"

#define STACK 0x8000u

static struct mem *mem;
static struct symbols *symbols;
static struct hv_registers regs;
static uint8_t image[TINYELF_MAX];

static void push(unsigned int i, uint64_t value)
{
	memcpy(mem_ptr(mem, STACK + 8 * i, 8), &value, 8);
}

/* In inner(), which outer() called, which `start` called. */
static int set_up(void **state)
{
	char *why = NULL;

	(void)state;
	assert_int_equal(mem_open(&mem, 1 << 20, &why), 0);
	assert_int_equal(symbols_open(&symbols, image, tinyelf(image)), 0);
	regs = (struct hv_registers){ .long_mode = true };
	regs.reg[7] = STACK;
	regs.reg[HV_RIP] = TINYELF_INNER + 0x20;
	push(0, 0x1234); /* that inner() pushed */
	push(1, TINYELF_OUTER + 0x30);
	push(2, TINYELF_START + 8);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	symbols_close(symbols);
	mem_close(mem);
	return 0;
}

static const char *said(void)
{
	static char text[UNWIND_TEXT];

	memset(text, 'x', sizeof(text));
	unwind_say(symbols, mem, &regs, text, sizeof(text));
	return text;
}

static void chain(void **state)
{
	(void)state;
	assert_string_equal(said(), "rip 0x1020 inner < outer < start");
	/* before the push, the return is one word nearer */
	regs.reg[HV_RIP] = TINYELF_INNER;
	regs.reg[7] = STACK + 8;
	assert_string_equal(said(), "rip 0x1000 inner < outer < start");
}

/* A call that does not return is the last of its function. */
static void return_behind_the_end(void **state)
{
	(void)state;
	push(1, TINYELF_OUTER + 0x100);
	assert_string_equal(said(), "rip 0x1020 inner < outer < start");
}

static void where_names_end(void **state)
{
	(void)state;
	push(2, 0xdead0000);
	assert_string_equal(said(), "rip 0x1020 inner < outer < 0xdead0000");
	push(2, 0);
	assert_string_equal(said(), "rip 0x1020 inner < outer");
	regs.reg[HV_RIP] = TINYELF_START + 1;
	assert_string_equal(said(), "rip 0x2801 start");
	regs.reg[HV_RIP] = 0x99;
	assert_string_equal(said(), "rip 0x99");
	regs.reg[HV_RIP] = TINYELF_INNER + 0x20;
	regs.long_mode = false;
	assert_string_equal(said(), "rip 0x1020");
}

static void without_an_image(void **state)
{
	char text[UNWIND_TEXT];

	(void)state;
	unwind_say(NULL, mem, &regs, text, sizeof(text));
	assert_string_equal(text, "rip 0x1020");
}

/* A stack that goes on for ever ends at 32 functions, or when the line is full. */
static void endless(void **state)
{
	char small[32];
	const char *text, *at;
	unsigned int i, n = 0;

	(void)state;
	for (i = 1; i < 1000; i++)
		push(i, TINYELF_OUTER + 0x30);
	text = said();
	for (at = text; (at = strstr(at, "outer")); at++)
		n++;
	assert_int_equal(n, UNWIND_FRAMES - 1);
	unwind_say(symbols, mem, &regs, small, sizeof(small));
	assert_string_equal(small, "rip 0x1020 inner < outer ...");
}

static void stack_that_is_no_memory(void **state)
{
	(void)state;
	regs.reg[7] = UINT64_MAX - 7;
	assert_string_equal(said(), "rip 0x1020 inner");
	regs.reg[7] = 0x7fff00000000;
	assert_string_equal(said(), "rip 0x1020 inner");
	regs.cr0 = UINT64_C(1) << 31;
	regs.efer = UINT64_C(1) << 10;
	regs.cr3 = UINT64_MAX;
	regs.reg[7] = STACK;
	assert_string_equal(said(), "rip 0x1020 inner");
}

/* Tables that are a byte off give another chain, or none. */
static void every_byte(void **state)
{
	static const uint8_t values[] = { 0x00, 0x10, 0x7f, 0x80, 0xff };
	size_t i, k;

	(void)state;
	for (i = 0; i < symbols->frames_len; i++)
		for (k = 0; k < sizeof(values); k++) {
			uint8_t was = symbols->frames[i];

			symbols->frames[i] = values[k];
			assert_int_equal(memcmp(said(), "rip 0x1020", 10), 0);
			symbols->frames[i] = was;
		}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chain),	       TEST(return_behind_the_end),
		TEST(where_names_end), TEST(without_an_image),
		TEST(endless),	       TEST(stack_that_is_no_memory),
		TEST(every_byte),
	};

	return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
