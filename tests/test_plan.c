/* SPDX-License-Identifier: MIT */
/*
 * test_plan.c: which register stands at an offset: banks, directions, arrays,
 * doors, wide spaces; and places that are in each other's way.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "stub.h"

#define TOP                                                         \
	"device: { name: t }\n"                                     \
	"spaces:\n"                                                 \
	"  io: { kind: io, bar: 0, size: 0x20 }\n"                  \
	"  mem: { kind: mmio, bar: 1, sameAs: io }\n"               \
	"  far: { kind: mmio, bar: 2, sameAs: mem }\n"              \
	"  wide: { kind: mmio, bar: 3, size: 0x2000, width: 32 }\n" \
	"registers:\n"

static struct stub s;
static uint64_t reg[64];

static int setup(void **ctx)
{
	(void)ctx;
	memset(reg, 0, sizeof(reg));
	return 0;
}

static int teardown(void **ctx)
{
	(void)ctx;
	stub_close(&s);
	return 0;
}

/* What stands there: "NAME:byte", "NAME[1]:byte", "NAME:*", or "" */
static const char *at(unsigned int space, uint64_t off, bool write)
{
	const struct plan_entry *e;
	static char text[64];
	const struct reg *r;

	e = plan_find(s.model, space, off, write, reg);
	if (!e)
		return "";
	r = &s.model->reg[e->reg];
	if (e->any_byte)
		snprintf(text, sizeof(text), "%s:*", r->name);
	else if (r->dim > 1)
		snprintf(text, sizeof(text), "%s[%u]:%u", r->name,
			 e->slot - r->slot, e->byte);
	else
		snprintf(text, sizeof(text), "%s:%u", r->name, e->byte);
	return text;
}

#define read_at(space, off) at(space, off, false)
#define write_at(space, off) at(space, off, true)

static void directions(void **ctx)
{
	(void)ctx;
	stub_model(&s, TOP "  RO: { at: io+0x00 read }\n"
			   "  WO: { at: io+0x00 write }\n"
			   "  RW: { at: io+0x01 }\n"
			   "  BACK: { at: [ io+0x02 write, io+0x1f read ] }\n");
	assert_string_equal(read_at(0, 0), "RO:0");
	assert_string_equal(write_at(0, 0), "WO:0");
	assert_string_equal(read_at(0, 1), "RW:0");
	assert_string_equal(write_at(0, 1), "RW:0");
	assert_string_equal(read_at(0, 2), "");
	assert_string_equal(write_at(0, 2), "BACK:0");
	assert_string_equal(read_at(0, 0x1f), "BACK:0");
	assert_string_equal(write_at(0, 0x1f), "");
}

static void banks(void **ctx)
{
	unsigned int i;

	(void)ctx;
	stub_model(&s, TOP "  CR: { at: io+0x00, fields: { PS: 6..7 } }\n"
			   "  A: { at: io+0x01 if CR.PS == 0 }\n"
			   "  B: { at: io+0x01 if CR.PS == 1 }\n"
			   "  C: { at: io+0x01 write if CR.PS > 1 }\n"
			   "  D: { at: io+0x01 read if CR.PS > 1 && CR.PS "
			   "!= 2 }\n");
	reg[0] = 0x3f;
	assert_string_equal(read_at(0, 1), "A:0");
	reg[0] = 0x7f;
	assert_string_equal(read_at(0, 1), "B:0");
	assert_string_equal(write_at(0, 1), "B:0");
	for (i = 0x80; i < 0x100; i++) {
		reg[0] = i;
		assert_string_equal(write_at(0, 1), "C:0");
		assert_string_equal(read_at(0, 1), i < 0xc0 ? "" : "D:0");
	}
}

static void bytes_and_arrays(void **ctx)
{
	(void)ctx;
	stub_model(&s, TOP "  W: { at: io+0x00, size: 24 }\n"
			   "  A: { at: io+0x04, size: 16, dim: 3, step: 4 }\n"
			   "  B: { at: io+0x06, dim: 2, step: 4 }\n"
			   "  P: { at: io+0x10..0x17, size: 32 }\n");
	assert_string_equal(read_at(0, 0), "W:0");
	assert_string_equal(read_at(0, 2), "W:2");
	assert_string_equal(read_at(0, 3), "");
	assert_string_equal(read_at(0, 4), "A[0]:0");
	assert_string_equal(read_at(0, 5), "A[0]:1");
	assert_string_equal(read_at(0, 6), "B[0]:0");
	assert_string_equal(read_at(0, 7), "");
	assert_string_equal(read_at(0, 0x0a), "B[1]:0");
	assert_string_equal(read_at(0, 0x0d), "A[2]:1");
	assert_string_equal(read_at(0, 0x10), "P:*");
	assert_string_equal(read_at(0, 0x17), "P:*");
	assert_string_equal(read_at(0, 0x18), "");
	/* elements are told apart by what they hold, too */
	assert_int_equal(s.model->reg[stub_reg(&s, "A")].slot, 1);
	assert_int_equal(s.model->reg[stub_reg(&s, "B")].slot, 4);
	assert_int_equal(s.model->slots, 7);
}

/* A door to a door is a door to what that one leads to. */
static void doors(void **ctx)
{
	(void)ctx;
	stub_model(&s, TOP "  A: { at: io+0x02, size: 16 }\n");
	assert_string_equal(read_at(0, 3), "A:1");
	assert_string_equal(read_at(1, 3), "A:1");
	assert_string_equal(write_at(2, 2), "A:0");
	assert_int_equal(s.model->space[2].size, 0x20);
}

static void wide_spaces(void **ctx)
{
	struct dmm_space space;

	(void)ctx;
	stub_model(&s, TOP "  A: { at: wide+0x1000 }\n"
			   "  B: { at: wide+0x1004, size: 64 }\n"
			   "  T: { at: wide+0x0, dim: 16, step: 8 }\n");
	assert_int_equal(s.model->space[3].grain, 4);
	assert_int_equal(s.model->reg[0].bits, 32);
	assert_string_equal(read_at(3, 0x1000), "A:0");
	assert_string_equal(read_at(3, 0x1004), "B:0");
	assert_string_equal(read_at(3, 0x1008), "B:4");
	assert_string_equal(read_at(3, 0x100c), "");
	assert_string_equal(read_at(3, 0x78), "T[15]:0");
	assert_string_equal(read_at(3, 0x7c), "");
	assert_string_equal(read_at(3, 0x1ffc), "");
	assert_true(dmm_model_space(s.model, 3, &space));
	assert_string_equal(space.name, "wide");
	assert_false(space.io);
	assert_int_equal(space.bar, 3);
	assert_int_equal(space.size, 0x2000);
	assert_false(dmm_model_space(s.model, 4, &space));
}

static void overlaps(void **ctx)
{
	(void)ctx;
	stub_bad(TOP "  A: { at: io+0x00, size: 16 }\n"
		     "  B: { at: io+0x01 write }\n"
		     "  C: { at: io+0x00 }\n",
		 2, 9, 12, "B and A are both written at io+0x1");
	stub_bad(TOP "  A: { at: io+0x00 }\n"
		     "  B: { at: io+0x01 if A < 0x80 }\n"
		     "  C: { at: io+0x01 if A > 0x7e }\n",
		 1, 10, 12, "C and B are both read at io+0x1");
	stub_bad(TOP "  A: { at: io+0x00, size: 16, dim: 2, step: 1 }\n", 1, 8,
		 12, "A and A are both read at io+0x1");
	/* too many values to be tried: taken for an overlap */
	stub_bad(TOP "  A: { at: io+0x00, size: 64 }\n"
		     "  B: { at: io+0x08 if A * A == 4 }\n"
		     "  C: { at: io+0x08 if A * A == 5 }\n",
		 1, 10, 12, "C and B are both read at io+0x8");
	stub_model(&s, TOP "  A: { at: io+0x00, size: 64 }\n"
			   "  B: { at: io+0x08 if A == 4 }\n"
			   "  C: { at: io+0x08 if A == 5 }\n");
}

/* However many places there are, comparing them ends. */
static void many_places(void **ctx)
{
	size_t size = 1 << 20, n = 0;
	char *text = malloc(size);
	unsigned int i;
	clock_t start = clock();

	(void)ctx;
	assert_non_null(text);
	n += (size_t)sprintf(text + n, TOP "  A: { at: io+0x00, size: 16, "
					   "fields: { X: 0..11 } }\n");
	for (i = 0; i < 400; i++)
		n += (size_t)sprintf(text + n,
				     "  B%u: { at: [ io+0x08 if %u == A.X, "
				     "io+0x08 if %u == A.X, "
				     "io+0x08 if %u == A.X ], size: 64 }\n",
				     i, i, i + 500, i + 1000);
	stub_bad(text, 1, 12, 59,
		 "too many conditions of places to tell them apart");
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
	free(text);
}

static void large_ports(void **ctx)
{
	size_t size = 1 << 20, n = 0;
	char *text = malloc(size);
	clock_t start = clock();
	unsigned int i;

	(void)ctx;
	assert_non_null(text);
	n += (size_t)sprintf(text + n,
			     "device: { name: t }\n"
			     "spaces: { m: { kind: mmio, bar: 0, size: 1M } }\n"
			     "registers:\n");
	for (i = 0; i < 500; i++)
		n += (size_t)sprintf(text + n,
				     "  B%u: { at: [ m+0..0xfffff, "
				     "m+0..0xfffff, m+0..0xfffff ] }\n",
				     i);
	stub_bad(text, 1, 4, 15,
		 "with this the registers cover more than 65534 bytes");
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(directions, setup, teardown),
		cmocka_unit_test_setup_teardown(banks, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_and_arrays, setup,
						teardown),
		cmocka_unit_test_setup_teardown(doors, setup, teardown),
		cmocka_unit_test_setup_teardown(wide_spaces, setup, teardown),
		cmocka_unit_test_setup_teardown(overlaps, setup, teardown),
		cmocka_unit_test(many_places),
		cmocka_unit_test(large_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
