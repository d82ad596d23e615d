/* SPDX-License-Identifier: MIT */
/*
 * test_model.c: a model's text to tables: spaces, registers, places, names;
 * and what is no model, with the place that the message is about.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stub.h"

#define DEV "device: { name: t }\n"
#define IO "spaces: { io: { kind: io, bar: 0, size: 0x20 } }\n"
#define REGS DEV IO "registers:\n"
#define CR "  CR: { at: io+0x00, fields: { LOW: 0..1, PS: 6..7 }, select: 0 }\n"

static struct stub s;

static int teardown(void **ctx)
{
	(void)ctx;
	stub_close(&s);
	return 0;
}

static const struct reg *reg(const char *name)
{
	return &s.model->reg[stub_reg(&s, name)];
}

/* ---- what is right ---- */

static void whole_model(void **ctx)
{
	const struct dmm_match *match;
	char text[32768];
	size_t n;
	FILE *f = fopen("models/ne2k-pci.yaml", "r");

	(void)ctx;
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	stub_model(&s, text);
	assert_int_equal(s.diag.n, 0);
	assert_string_equal(dmm_model_name(s.model), "ne2k-pci");
	assert_in_range(dmm_model_lines(s.model), 50, 149);
	match = dmm_model_match(s.model, &n);
	assert_int_equal(n, 4);
	assert_int_equal(match[0].vendor, 0x10ec);
	assert_int_equal(match[0].device, 0x8029);
	assert_int_equal(reg("PAR")->bits, 48);
	assert_int_equal(reg("CONFIG")->dim, 15);
	assert_int_equal(reg("ISR")->w1c, 0x7f);
	assert_int_equal(reg("DATA")->widths, 1 | 2 | 4);
	assert_int_equal(reg("DATA")->port_memory, 0);
	assert_true(reg("CR")->selector);
	assert_false(reg("ISR")->selector);
}

static void registers(void **ctx)
{
	const struct reg *r;

	(void)ctx;
	stub_model(&s, DEV
		   "spaces:\n"
		   "  io: { kind: io, bar: 0, size: 0x20 }\n"
		   "  m: { kind: mmio, bar: 1, size: 1K, width: 32 }\n"
		   "registers:\n"
		   "  A: { at: io+0 }\n"
		   "  B: { at: m+0x10, resetValue: 0xdeadbeef, w1s: all, "
		   "volatile: true, readAction: clear, global: true, "
		   "keepOnReset: true, save: none, parked: hold }\n"
		   "  C: { at: [ m+0x20, io+8 read ], size: 16, dim: 2, "
		   "fields: { X: 3, Y: 8..15, Z: [ 0, 1, 2 ] }, w1c: [ X, 9 ], "
		   "volatile: [ Y ] }\n"
		   "  D: { at: m+0x30..0x3f write, width: [ 16, 32 ] }\n");
	r = reg("A");
	assert_int_equal(r->bits, 8);
	assert_int_equal(r->dim, 1);
	assert_int_equal(r->widths, 15);
	assert_true(r->readable && r->writable);
	assert_int_equal(r->w1_reg, MODEL_NONE);
	assert_int_equal(r->port_memory, MODEL_NONE);
	r = reg("B");
	assert_int_equal(r->bits, 32);
	assert_int_equal(r->reset, 0xdeadbeef);
	assert_int_equal(r->w1s, 0xffffffff);
	assert_int_equal(r->vol, 0xffffffff);
	assert_true(r->read_clears && r->global && r->keep_on_reset &&
		    r->save_none && r->parked_hold);
	r = reg("C");
	assert_int_equal(r->bits, 16);
	assert_int_equal(r->slot, 2);
	assert_int_equal(r->w1c, 0x208);
	assert_int_equal(r->vol, 0xff00);
	assert_int_equal(r->fields, 3);
	assert_int_equal(r->field[2].low, 0);
	assert_int_equal(r->field[2].bits, 3);
	assert_int_equal(r->places, 2);
	r = reg("D");
	assert_int_equal(r->slot, 4);
	assert_int_equal(r->widths, 2 | 4);
	assert_false(r->readable);
	assert_int_equal(s.model->places, 5);
	assert_int_equal(s.model->place[1].off, 0x10);
	assert_int_equal(s.model->place[2].step, 2);
	assert_int_equal(s.model->place[4].last, 0x3f);
}

/* A name's parts in an expression: elements, fields, lets, states. */
static void names(void **ctx)
{
	uint64_t regs[8] = { 0xc3, 5, 6, 0x0907 }, states[1] = { 1 };
	struct expr_env env = {
		.array = { [EXPR_REG] = regs, [EXPR_STATE] = states }
	};

	(void)ctx;
	stub_model(&s, REGS CR
		   "  A: { at: io+1, dim: 2 }\n"
		   "  B: { at: io+4, size: 16, fields: { H: 8..15 } }\n"
		   "let:\n"
		   "  sum: A + A[1] * 10\n"
		   "  all: sum + B.H * 100\n"
		   "  busy: m != idle\n"
		   "machines:\n"
		   "  m: { idle: [ { on: write A, to: run } ], run: [] }\n"
		   "reusable: all + CR.PS * 1000 + busy * 10000\n");
	assert_int_equal(expr_eval(s.model->reusable, &env, NULL), 13965);
	states[0] = 0;
	assert_int_equal(expr_eval(s.model->reusable, &env, NULL), 3965);
}

/* A model may be as small as this, and monitored: all is denied. */
static void smallest(void **ctx)
{
	(void)ctx;
	stub_model(&s, DEV "spaces: {}\nregisters: {}\n");
	stub_open(&s, DMM_EXCLUSIVE, 1);
	assert_int_equal(stub_read(&s, 0, 0, 1), 0xff);
	dmm_interrupt(s.dmm, true);
	assert_int_equal(dmm_tick(s.dmm), UINT64_MAX);
	dmm_guest_reset(s.dmm, 0);
	assert_true(dmm_reusable(s.dmm));
	dmm_quiet(s.dmm);
	dmm_leave(s.dmm, 0);
}

/* Parts that are left out are not missed by those that are there. */
static void parts_left_out(void **ctx)
{
	static const char *const parts[] = {
		"interrupt: { line: CR }\n",
		"interrupt: { cause: CR }\n",
		"identity: {}\n",
		"identity: { filter: { promiscuous: 1 } }\n",
		"receive: { enabled: 1 }\n",
		"receive: {}\n",
		"transmit: { loopback: 0 }\n",
		"sharing: { how: exclusive }\n",
		"procedures: { quiesce: [ { write: CR, value: 1 } ] }\n",
		"checks: {}\nmemories: {}\nmachines: {}\nlet: {}\ntests: []\n",
		"memories: { r: { start: 0, size: 256, port: CR } }\n",
		"sharing: { how: lease, whenParked: drop }\nreusable: 1\n"
		"procedures: { quiesce: [ CR ], save: [ all ], "
		"restore: [ all ] }\n",
	};
	char text[1024];
	size_t i;

	(void)ctx;
	for (i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(text, sizeof(text), "%s%s", REGS CR, parts[i]);
		stub_model(&s, text);
		stub_open(&s, DMM_EXCLUSIVE, 1);
		stub_write(&s, 0, 0, 1, 5);
		stub_read(&s, 0, 0, 1);
		dmm_interrupt(s.dmm, true);
		dmm_tick(s.dmm);
		dmm_guest_reset(s.dmm, 0);
		dmm_quiet(s.dmm);
		stub_close(&s);
	}
}

/* ---- what is wrong ---- */

struct bad {
	const char *text;
	unsigned int errors;
	uint32_t line, column;
	const char *message;
};

static void all_bad(const struct bad *bad, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		stub_bad(bad[i].text, bad[i].errors, bad[i].line, bad[i].column,
			 bad[i].message);
}

static void bad_tops(void **ctx)
{
	static const struct bad bad[] = {
		{ "{}", 3, 1, 1, "a model needs \"device:\"" },
		{ "device: 5\nspaces: []\nregisters: x\n", 3, 1, 9,
		  "expected a mapping for what the device is, got \"5\"" },
		{ "device: {}\nspaces: {}\nregisters: {}\n", 1, 1, 9,
		  "a device needs a name" },
		{ DEV "device: { name: u }\n" IO "registers: {}\n", 1, 2, 1,
		  "duplicate key \"device\": first given on line 1" },
		/* and what follows an unknown key is looked at, too */
		{ DEV IO "regsters: {}\nregisters: { A: { at: io+0x20 } }\n", 2,
		  3, 1, "unknown key \"regsters\" in a model" },
		{ "device: { name: t, clas: x, match: [ { vendorId: 1 } ] }\n" IO
		  "registers: {}\n",
		  2, 1, 20, "unknown key \"clas\" in a device" },
		{ "device: { name: [ t ], class: {}, source: [] }\n" IO
		  "registers: {}\n",
		  3, 1, 17, "expected a single value for a name, got a list" },
		{ "device: { name: t, match: [ { vendorId: 1, deviceId: 2 }, "
		  "{ vendorId: 1, deviceId: 2 } ] }\n" IO "registers: {}\n",
		  1, 1, 59, "this part is listed before" },
		{ "device: { name: t, match: [ 5, { vendorId: 0x10000, "
		  "deviceId: 2 } ] }\n" IO "registers: {}\n",
		  2, 1, 29, "expected a mapping for a match, got \"5\"" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

#define SPACES(text) DEV "spaces: { " text " }\nregisters: {}\n"
#define IO0 "io: { kind: io, bar: 0, size: 0x20 }"

static void bad_spaces(void **ctx)
{
	static const struct bad bad[] = {
		{ SPACES("io: 5"), 1, 2, 15,
		  "expected a mapping for a space, got \"5\"" },
		{ SPACES("io: { kind: io, size: 4 }"), 1, 2, 15,
		  "a space needs a bar" },
		{ SPACES("io: { bar: 0, size: 4 }"), 1, 2, 15,
		  "a space needs a kind" },
		{ SPACES("io: { kind: io, bar: 6, size: 4 }"), 1, 2, 32,
		  "expected a BAR number (0 to 5), got \"6\"" },
		{ SPACES("io: { kind: io, bar: 0 }"), 1, 2, 11,
		  "space io needs a size" },
		{ SPACES("io: { kind: io, bar: 0, size: 0 }"), 1, 2, 41,
		  "a space has 1 byte to 1M" },
		{ SPACES("io: { kind: io, bar: 0, size: 1M, width: 12 }"), 1, 2,
		  52, "a width is 8, 16, 32 or 64 bits" },
		{ SPACES(IO0 ", b: { kind: mmio, bar: 0, size: 4 }"), 1, 2, 49,
		  "b and io are both BAR 0" },
		{ SPACES(IO0 ", b: { kind: mmio, bar: 1, sameAs: oi }"), 1, 2,
		  82, "no space is called \"oi\"" },
		{ SPACES(IO0 ", b: { kind: mmio, bar: 1, sameAs: io, "
			     "size: 4 }"),
		  1, 2, 82, "a second door has a kind, a bar and no more" },
		{ SPACES("b: { kind: mmio, bar: 1, sameAs: b }"), 1, 2, 44,
		  "no space is called \"b\"" },
		/* windows that have no size are no windows */
		{ SPACES("a: { kind: window }, b: { kind: window }, "
			 "c: { kind: window }, d: { kind: window }, "
			 "e: { kind: window }, f: { kind: window }, "
			 "g: { kind: window }, h: { kind: window }, "
			 "i: { kind: window }, j: { kind: window }"),
		  10, 2, 11, "space a needs a size" },
		{ DEV "spaces:\n  " IO0 "\n"
		      "  d: { kind: mmio, bar: 1, sameAs: io }\n"
		      "registers: { A: { at: d+4 } }\n",
		  1, 5, 23, "d is a second door to io" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

static void bad_places(void **ctx)
{
	static const struct bad bad[] = {
		{ REGS "  A: {}\n", 1, 4, 6, "register A needs a place" },
		{ REGS "  A: { at: [] }\n", 1, 4, 12,
		  "register A needs a place" },
		{ REGS "  A: { at: { io: 0 } }\n", 1, 4, 12,
		  "expected a single value for a place, got a mapping" },
		{ REGS "  A: { at: io }\n", 1, 4, 12, "\"io\" is not a place" },
		{ REGS "  A: { at: io+ }\n", 1, 4, 12,
		  "\"io+\" is not a place" },
		{ REGS "  A: { at: +4 }\n", 1, 4, 12, "\"+4\" is not a place" },
		{ REGS "  A: { at: io+0x }\n", 1, 4, 12,
		  "\"io+0x\" is not a place" },
		{ REGS "  A: { at: io+4.. }\n", 1, 4, 12,
		  "\"io+4..\" is not a place" },
		{ REGS "  A: { at: io+4..3 }\n", 1, 4, 12,
		  "\"io+4..3\" ends before it begins" },
		{ REGS "  A: { at: io+4 reed }\n", 1, 4, 12,
		  "\"io+4 reed\" is not a place" },
		{ REGS "  A: { at: io+4 read write }\n", 1, 4, 12,
		  "\"io+4 read write\" is not a place" },
		{ REGS "  A: { at: io+4 if }\n", 1, 4, 12,
		  "\"io+4 if\" is not a place" },
		{ REGS "  A: { at: io+-4 }\n", 1, 4, 12,
		  "\"io+-4\" is not a place" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
	stub_model(&s, REGS "  A: { at: io+010 }\n"); /* ten, as elsewhere */
	assert_int_equal(s.model->place[0].off, 10);
}

static void places_beyond(void **ctx)
{
	static const struct bad bad[] = {
		{ REGS "  A: { at: oi+4 }\n", 1, 4, 12,
		  "no space is called \"oi\"" },
		{ REGS "  A: { at: io+32 }\n", 1, 4, 12,
		  "offset 0x20 is beyond space io" },
		{ REGS "  A: { at: io+99999999999999999999999 }\n", 1, 4, 12,
		  "offset 0xffffffffffffffff is beyond space io" },
		{ REGS "  A: { at: io+0x1f, size: 16 }\n", 1, 4, 12,
		  "A ends at 0x21, beyond space io" },
		{ REGS "  A: { at: io+0x1c..0x1f, size: 64 }\n", 1, 4, 12,
		  "A ends at 0x24, beyond space io" },
		{ REGS "  A: { at: io+0, dim: 9, step: 4 }\n", 1, 4, 12,
		  "A ends at 0x21, beyond space io" },
		{ REGS "  A: { at: io+0..7, dim: 4 }\n", 1, 4, 12,
		  "A has elements, so a place of it has one offset" },
		{ DEV "spaces: { m: { kind: mmio, bar: 0, size: 8K, "
		      "width: 32 } }\nregisters:\n"
		      "  A: { at: m+2 }\n"
		      "  B: { at: m+4, size: 16 }\n"
		      "  C: { at: m+8, dim: 2, step: 6 }\n"
		      "  D: { at: m+0x10..0x12 }\n",
		  4, 4, 12, "A is not aligned to the space's width" },
		{ REGS CR "  A: { at: io+4 if CR.PS == 4 }\n", 1, 5, 20,
		  "this is never so" },
		{ REGS CR "  A: { at: 'io+4 if CR.SP == 3' }\n", 1, 5, 21,
		  "no field of this register is called \"SP\"" },
		{ REGS CR "  A: { at: [ io+4 if C.PS == 1, io+0x99, io+5 if "
			  "X ] }\n",
		  1, 5, 33, "offset 0x99 is beyond space io" },
		/* the one error of a place is not followed by others */
		{ REGS "  A: { at: io+0x99 }\n"
		       "  B: { at: io+0x98 read }\n"
		       "machines:\n"
		       "  m: { a: [ { on: write A B, when: A == 5 } ] }\n"
		       "reusable: A == B\n",
		  2, 4, 12, "offset 0x99 is beyond space io" },
		{ REGS "  A: { size: 8 }\nreusable: A\n", 1, 4, 6,
		  "register A needs a place" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

#define REG(text) REGS CR "  A: { at: io+4, " text " }\n"

static void bad_registers(void **ctx)
{
	static const struct bad bad[] = {
		{ REG("sise: 8"), 1, 5, 18,
		  "unknown key \"sise\" in a register" },
		{ REG("isolate: scrub"), 1, 5, 18,
		  "unknown key \"isolate\" in a register" },
		{ REG("size: 12"), 1, 5, 24,
		  "a size is a multiple of 8 bits, up to 64" },
		{ REG("size: 0"), 1, 5, 24,
		  "a size is a multiple of 8 bits, up to 64" },
		{ REG("dim: 0"), 1, 5, 23, "dim is 1 or more" },
		{ REG("dim: 2000"), 1, 5, 23,
		  "expected a number of elements (0 to 1024), got \"2000\"" },
		{ REG("width: 7"), 1, 5, 25,
		  "a width is 8, 16, 32 or 64 bits" },
		{ REG("width: []"), 1, 5, 25, "A answers no width at all" },
		{ REG("resetValue: 256, readAction: set"), 2, 5, 30,
		  "A has 8 bits, so its value is at most 0xff" },
		{ REG("fields: { X: 8 }"), 1, 5, 31,
		  "expected bits of A (0 to 7), got \"8\"" },
		{ REG("fields: { X: 3..2 }"), 1, 5, 31,
		  "expected bits of A (0 to 7), got \"3..2\"" },
		{ REG("fields: { X: 0.. }"), 1, 5, 31,
		  "expected bits of A (0 to 7), got \"0..\"" },
		{ REG("fields: { X: 0..3, Y: 3 }"), 1, 5, 37,
		  "field Y overlaps another of A" },
		{ REG("fields: { X: [ 0, 2 ], Y: false, Z: [] }"), 3, 5, 31,
		  "a field is one run of bits, such as 3..5" },
		{ REG("fields: { XX: 0 }, w1c: [ XY ]"), 1, 5, 44,
		  "no field of this register is called \"XY\"" },
		{ REG("w1c: all, w1s: 1"), 1, 5, 3,
		  "ones in A cannot both clear a bit and set it" },
		{ REGS CR "  S: { at: io+1, size: 16 }\n"
			  "  A: { at: io+4, w1c: S }\n"
			  "  D: { at: io+5, w1c: CR, dim: 4 }\n"
			  "  E: { at: io+9, w1c: CR, w1s: CR }\n",
		  3, 6, 23, "A sets or clears one register, of its own size" },
		{ REG("merge: or"), 1, 5, 25,
		  "merge says what the device gets of a register with "
		  "\"global: true\"" },
		{ REG("answer: CR.LO + CR.PX"), 2, 5, 26,
		  "no field of this register is called \"LO\"" },
		{ REG("global: maybe, keepOnReset: 1, save: all, parked: x"), 4,
		  5, 26, "expected true or false, got \"maybe\"" },
		{ REGS "  A: 5\n  B: [ 1 ]\n", 2, 4, 6,
		  "expected a mapping for a register, got \"5\"" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

#define VOLATILE                                                            \
	REGS CR "  V: { at: io+4, volatile: [ X ], fields: { X: 0, Y: 1 } " \
		"}\n"                                                       \
		"  R: { at: io+5 read }\n"                                  \
		"  K: { at: io+6 read, readAction: clear }\n"               \
		"  A: { at: io+7, dim: 2 }\n"
#define MACHINE "machines: { m: { a: [ { on: write A, to: b } ], b: [] } }\n"

static void bad_names(void **ctx)
{
	static const struct bad bad[] = {
		{ REGS CR "reusable: CS + CR[1] + CR.P + CR[0].LOW\n", 3, 5, 11,
		  "no register is called \"CS\"" },
		{ REGS CR "reusable: CR[4294967296]\n", 1, 5, 11,
		  "CR has elements 0 to 0, not 65535" },
		{ REGS CR "reusable: CR.LOW.X\n", 1, 5, 11,
		  "no field of this register is called \"LOW.X\"" },
		{ REGS CR "let: { CR: 1 }\n", 1, 5, 8,
		  "\"CR\" is already a register" },
		{ REGS CR "let: { x: y, y: 1 }\nreusable: x + x\n", 1, 5, 11,
		  "no register is called \"y\"" },
		{ VOLATILE "reusable: V.Y && V.X\n", 1, 9, 18,
		  "the device changes V.X by itself: its latch says nothing "
		  "here" },
		{ VOLATILE "reusable: R\n", 1, 9, 11,
		  "the device changes R by itself: its latch says nothing "
		  "here" },
		/* no more than by its name, by that of a let */
		{ VOLATILE "let: { x: V.X + 1 }\nreusable: x\n", 1, 10, 11,
		  "the device changes x by itself: its latch says nothing "
		  "here" },
		{ VOLATILE "reusable: device.V.X\n", 1, 9, 11,
		  "the device is asked only in rules on poll and in "
		  "procedures" },
		{ VOLATILE "procedures: { quiesce: [ { wait: device.K, "
			   "timeout: 1ms } ] }\n",
		  1, 9, 34, "K cannot be read without an effect" },
		{ VOLATILE MACHINE "reusable: m == c\n", 1, 10, 16,
		  "no state of this machine is called \"c\"" },
		{ VOLATILE MACHINE "reusable: value\n", 1, 10, 11,
		  "the value is known only in rules on write" },
		{ VOLATILE MACHINE "interrupt: { line: m == a }\n", 2, 10, 20,
		  "no register is called \"m\"" },
		{ REGS CR
		  "  A: { at: io+4 if here }\n"
		  "let: { here: m == a }\n"
		  "machines: { m: { a: [ { on: write CR, to: b } ], b: [] } "
		  "}\n",
		  1, 5, 20,
		  "\"here\" rests on a machine's state, which counts for "
		  "nothing here" },
		{ REGS CR "reusable: \"CR == 1 &&\"\n", 1, 5, 20,
		  "missing operand after \"&&\"" },
		{ REGS CR "reusable: [ 1 ]\n", 1, 5, 11,
		  "expected a single value for an expression, got a list" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

/* So many that not all are kept, but all are counted. */
static void too_much(void **ctx)
{
	size_t size = 1 << 20, n = 0;
	char *text = malloc(size);
	unsigned int i;

	(void)ctx;
	assert_non_null(text);
	n += (size_t)sprintf(text, DEV "spaces:\n");
	for (i = 0; i < 9; i++)
		n += (size_t)sprintf(text + n,
				     "  s%u: { kind: io, bar: %u, size: 4 }\n",
				     i, i % 6);
	n += (size_t)sprintf(text + n, "registers: {}\n");
	stub_bad(text, 3, 9, 3, "s6 and s0 are both BAR 0");
	n = (size_t)sprintf(text, REGS);
	for (i = 0; i < 513; i++)
		n += (size_t)sprintf(text + n, "  R%u: { at: io+0 if %u }\n", i,
				     i);
	stub_bad(text, 1, 516, 3, "more than 512 registers");
	n = (size_t)sprintf(text, DEV
			    "spaces: { m: { kind: mmio, bar: 0, size: 1M } }\n"
			    "registers:\n");
	for (i = 0; i < 5; i++)
		n += (size_t)sprintf(text + n, "  R%u: { at: m+%u, dim: %u }\n",
				     i, i * 1024, i < 4 ? 1024 : 1);
	stub_bad(text, 1, 8, 3, "more than 4096 elements of registers");
	n = (size_t)sprintf(text, REGS "  A: { at: io+0, size: 64, fields: {");
	for (i = 0; i < 41; i++)
		n += (size_t)sprintf(text + n, "%s F%u: %u", i ? "," : "", i,
				     i);
	sprintf(text + n, " } }\n");
	stub_bad(text, 1, 4, 378, "more than 40 fields");
	n = (size_t)sprintf(text, REGS CR "let:\n");
	for (i = 0; i < 65; i++)
		n += (size_t)sprintf(text + n, "  l%u: 1\n", i);
	stub_bad(text, 1, 70, 3, "more than 64 names");
	free(text);
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(whole_model),
		T(registers),
		T(names),
		T(smallest),
		cmocka_unit_test(parts_left_out),
		cmocka_unit_test(bad_tops),
		cmocka_unit_test(bad_spaces),
		T(bad_places),
		T(places_beyond),
		cmocka_unit_test(bad_registers),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
