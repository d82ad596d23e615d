/* SPDX-License-Identifier: MIT */
/*
 * test_step.c: what an access of a guest does: paths, byte lanes, latches,
 * rules and their verdicts, banks by procedure.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stub.h"

#define TOP                                                    \
	"device: { name: t }\n"                                \
	"spaces:\n"                                            \
	"  io: { kind: io, bar: 0, size: 0x40 }\n"             \
	"  m: { kind: mmio, bar: 1, size: 0x40, width: 32 }\n" \
	"  f: { kind: mmio, bar: 2, size: 0x1100, width: 32 }\n"

#define IO 0
#define MEM 1
#define FAR 2

static struct stub s;

static int teardown(void **ctx)
{
	(void)ctx;
	stub_close(&s);
	return 0;
}

static void open_model(const char *text)
{
	stub_model(&s, text);
	stub_open(&s, DMM_EXCLUSIVE, 1);
}

static const char *state(const char *machine)
{
	return dmm_state(s.dmm, 0, machine);
}

/* ---- paths and lanes ---- */

static void forwards(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: io+0x00 }\n"
		       "  B: { at: io+0x02 write }\n"
		       "  C: { at: io+0x03 read }\n"
		       "  X: { at: m+0x00, size: 64 }\n");
	s.says[IO][0] = 0x5a;
	assert_int_equal(stub_read(&s, IO, 0, 1), 0x5a);
	stub_write(&s, IO, 0, 1, 0x11);
	assert_string_equal(stub_log(&s), "r0+0.1 w0+0.1=11 ");
	assert_int_equal(stub_count(&s, DMM_FORWARD), 2);
	stub_write(&s, IO, 2, 1, 0x22); /* cannot be read back */
	assert_int_equal(stub_count(&s, DMM_LATCH), 1);
	assert_int_equal(stub_latch(&s, "B"), 0x22);
	/* no place, no byte, no space, beyond it, no width */
	assert_int_equal(stub_read(&s, IO, 2, 1), 0xff);
	assert_int_equal(stub_read(&s, IO, 1, 1), 0xff);
	assert_int_equal(stub_read(&s, IO, 0, 2), 0xffff);
	assert_int_equal(stub_read(&s, 7, 0, 1), 0xff);
	assert_int_equal(stub_read(&s, IO, 0x3f, 2), 0xffff);
	assert_int_equal(stub_read(&s, IO, UINT64_MAX, 4), 0xffffffff);
	assert_int_equal(stub_read(&s, IO, 0, 3), 0xffffff);
	stub_write(&s, IO, 3, 1, 1);
	stub_write(&s, IO, 0x0, 2, 1);
	assert_int_equal(stub_count(&s, DMM_DENY), 9);
	assert_string_equal(stub_log(&s), "w0+2.1=22 ");
	/* a part of a register, and all of a wide one */
	stub_write(&s, MEM, 0, 8, 0x8877665544332211);
	stub_write(&s, MEM, 5, 1, 0xee);
	stub_write(&s, MEM, 2, 2, 0xdddd);
	assert_string_equal(stub_log(&s), "w1+0.8=8877665544332211 "
					  "w1+5.1=ee w1+2.2=dddd ");
	assert_int_equal(stub_latch(&s, "X"), 0x8877ee55dddd2211);
	assert_int_equal(s.reports, 0);
}

static void strings(void **ctx)
{
	uint8_t data[6] = { 1, 2, 3, 4, 5, 6 };
	struct dmm_access a = { .space = IO,
				.off = 0,
				.data = data,
				.count = 3,
				.width = 2,
				.write = true };

	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: io+0x00 write, size: 16 }\n"
		       "  B: { at: io+0x00 read, size: 16 }\n");
	assert_int_equal(dmm_access(s.dmm, 0, &a), DMM_PASS);
	assert_int_equal(a.done, 3);
	assert_string_equal(stub_log(&s), "w0+0.2=201 w0+0.2=403 w0+0.2=605 ");
	assert_int_equal(stub_latch(&s, "A"), 0x605);
	a.done = 0;
	a.write = false;
	s.says[IO][1] = 9;
	assert_int_equal(dmm_access(s.dmm, 0, &a), DMM_PASS);
	assert_memory_equal(data, "\0\11\0\11\0\11", 6);
	a.done = a.count = 0;
	assert_int_equal(dmm_access(s.dmm, 0, &a), DMM_PASS);
}

/* Which widths a register answers: an access that has another is denied. */
static void widths(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: m+0x00, width: 32 }\n"
		       "  B: { at: m+0x04, width: [ 8, 32 ] }\n");
	stub_write(&s, MEM, 0, 1, 1);
	stub_write(&s, MEM, 0, 2, 1);
	stub_write(&s, MEM, 0, 4, 1);
	stub_write(&s, MEM, 0, 8, 1);
	stub_write(&s, MEM, 4, 2, 1);
	stub_write(&s, MEM, 5, 1, 1);
	assert_string_equal(stub_log(&s), "w1+0.4=1 w1+5.1=1 ");
	assert_int_equal(stub_count(&s, DMM_DENY), 4);
}

static void wide_spaces(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: f+0x1000 write }\n"
		       "  B: { at: f+0x1004 write, size: 64 }\n");
	stub_write(&s, FAR, 0x1000, 8, 0x2222222211111111);
	assert_int_equal(stub_latch(&s, "A"), 0x11111111);
	assert_int_equal(stub_latch(&s, "B"), 0x22222222);
	stub_write(&s, FAR, 0x1008, 4, 0x33333333);
	assert_int_equal(stub_latch(&s, "B"), 0x3333333322222222);
	stub_log(&s);
	stub_write(&s, FAR, 0x1000, 2, 1); /* narrower than any */
	stub_write(&s, FAR, 0x1002, 4, 1); /* across */
	assert_string_equal(stub_log(&s), "");
}

/* ---- latches ---- */

static void ones_clear(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  C: { at: io+0x00, size: 16, w1c: [ LO, 15 ], "
		       "fields: { LO: 0..3, P: 8..11 }, resetValue: 0x800f }\n"
		       "  S: { at: io+0x04, w1s: all }\n"
		       "  MS: { at: m+0x00, w1s: all }\n"
		       "  MC: { at: m+0x04 write, w1c: MS }\n"
		       "  use: { at: io+0x08 if C == 1 && S == 1 && MS == 1 && "
		       "MC == 1, save: none }\n");
	assert_int_equal(stub_latch(&s, "C"), 0x800f);
	stub_write(&s, IO, 0, 1, 0x05);
	assert_int_equal(stub_latch(&s, "C"), 0x800a);
	stub_write(&s, IO, 1, 1, 0x8a); /* clears 15, the rest is plain */
	assert_int_equal(stub_latch(&s, "C"), 0x0a0a);
	stub_write(&s, IO, 0, 2, 0x03f2);
	assert_int_equal(stub_latch(&s, "C"), 0x03f8);
	stub_write(&s, IO, 4, 1, 0x81);
	stub_write(&s, IO, 4, 1, 0x10);
	assert_int_equal(stub_latch(&s, "S"), 0x91);
	stub_write(&s, MEM, 0, 4, 0xf0f0f0f0);
	stub_write(&s, MEM, 0, 4, 0x0000000f);
	assert_int_equal(stub_latch(&s, "MS"), 0xf0f0f0ff);
	stub_write(&s, MEM, 4, 4, 0xf00000f0);
	assert_int_equal(stub_latch(&s, "MS"), 0x00f0f00f);
	assert_int_equal(stub_latch(&s, "MC"), 0);
	stub_write(&s, MEM, 6, 1, 0xff); /* a lane of it */
	assert_int_equal(stub_latch(&s, "MS"), 0x0000f00f);
}

static void arrays(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: io+0x00 write, size: 16, dim: 3, step: 4, "
		       "resetValue: 7 }\n"
		       "  S: { at: io+0x10, dim: 2, w1s: all }\n"
		       "  K: { at: io+0x12 write, dim: 2, w1c: S }\n"
		       "machines:\n"
		       "  m:\n"
		       "    a: [ { on: write A, when: value == 5, to: b } ]\n"
		       "    b: [ { on: write A, when: 'A[1] == 5 && value == "
		       "9', to: a } ]\n");
	assert_int_equal(s.dmm->guest[0].reg[2], 7);
	stub_write(&s, IO, 4, 2, 5);
	assert_string_equal(state("m"), "b");
	stub_write(&s, IO, 8, 2, 8);
	assert_string_equal(state("m"), "b");
	stub_write(&s, IO, 8, 2, 9);
	assert_string_equal(state("m"), "a");
	assert_int_equal(s.dmm->guest[0].reg[0], 7);
	assert_int_equal(s.dmm->guest[0].reg[1], 5);
	assert_int_equal(s.dmm->guest[0].reg[2], 9);
	stub_write(&s, IO, 0x10, 1, 0xff);
	stub_write(&s, IO, 0x11, 1, 0xff);
	stub_write(&s, IO, 0x13, 1, 0x0f);
	assert_int_equal(s.dmm->guest[0].reg[3], 0xff);
	assert_int_equal(s.dmm->guest[0].reg[4], 0xf0);
}

/* ---- answers ---- */

static void answers(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: io+0x00, answer: latch, resetValue: 3 }\n"
		       "  B: { at: io+0x01 read, answer: A * 2 }\n"
		       "  C: { at: io+0x02 }\n"
		       "  D: { at: io+0x03, size: 16 }\n");
	memset(s.says[IO], 0xcc, 16);
	assert_int_equal(stub_read(&s, IO, 0, 1), 3);
	assert_int_equal(stub_read(&s, IO, 1, 1), 6);
	assert_int_equal(stub_read(&s, IO, 0, 2), 0x0603);
	assert_string_equal(stub_log(&s), "");
	assert_int_equal(stub_count(&s, DMM_ANSWER), 3);
	stub_write(&s, IO, 0, 1, 4);
	assert_string_equal(stub_log(&s), "w0+0.1=4 ");
	/* of an access to both, the device is asked for its own alone */
	s.says[IO][2] = 0x12;
	s.says[IO][3] = 0x34;
	assert_int_equal(stub_read(&s, IO, 1, 2), 0x1208);
	assert_string_equal(stub_log(&s), "r0+2.1 ");
	assert_int_equal(stub_read(&s, IO, 0, 4), 0x34120804);
	assert_string_equal(stub_log(&s), "r0+2.1 r0+3.1 ");
}

/* ---- verdicts ---- */

#define VERDICTS                                                      \
	TOP "registers:\n"                                            \
	    "  A: { at: io+0x00 }\n"                                  \
	    "  B: { at: io+0x01 }\n"                                  \
	    "  C: { at: io+0x02 }\n"                                  \
	    "  D: { at: io+0x03 }\n"                                  \
	    "  R: { at: io+0x04 read, volatile: true }\n"             \
	    "machines:\n"                                             \
	    "  one:\n"                                                \
	    "    a:\n"                                                \
	    "      - { on: write A, when: value == 1, to: b }\n"      \
	    "      - { on: access B, when: A == 2, then: deny }\n"    \
	    "      - { on: write C, then: stop }\n"                   \
	    "      - { on: access D, then: answer }\n"                \
	    "    b:\n"                                                \
	    "      - { on: write A, when: value == 3, then: hold }\n" \
	    "      - { on: read A, then: hold }\n"                    \
	    "      - { on: write B, then: deny }\n"                   \
	    "      - { on: poll, when: '!device.R', to: a }\n"        \
	    "  two:\n"                                                \
	    "    a:\n"                                                \
	    "      - { on: write A, when: value == 3, to: b }\n"      \
	    "    b:\n"                                                \
	    "      - { on: write A, when: value == 0, do: { B: 7 }, to: a }\n"

static void rules_fire(void **ctx)
{
	(void)ctx;
	open_model(VERDICTS);
	assert_string_equal(state("one"), "a");
	assert_null(state("three"));
	stub_write(&s, IO, 0, 1, 0);
	assert_int_equal(stub_count(&s, DMM_HOOK), 0);
	stub_write(&s, IO, 0, 1, 1);
	assert_string_equal(state("one"), "b");
	assert_string_equal(state("two"), "a");
	assert_int_equal(stub_count(&s, DMM_HOOK), 1);
	stub_log(&s);
	/* held: by the state that the device has not left yet */
	s.says[IO][4] = 1;
	stub_write(&s, IO, 0, 1, 3);
	assert_int_equal(s.verdict, DMM_HOLD);
	assert_string_equal(state("two"), "a");
	assert_int_equal(stub_latch(&s, "A"), 1);
	assert_null(strchr(stub_log(&s), 'w'));
	stub_read(&s, IO, 0, 1);
	assert_int_equal(s.verdict, DMM_HOLD);
	/* and let go when it has */
	s.says[IO][4] = 0;
	stub_log(&s);
	stub_write(&s, IO, 0, 1, 3);
	assert_int_equal(s.verdict, DMM_PASS);
	assert_string_equal(state("one"), "a");
	assert_string_equal(state("two"), "b");
	assert_string_equal(stub_log(&s), "r0+4.1 w0+0.1=3 ");
	stub_write(&s, IO, 0, 1, 0);
	assert_string_equal(state("two"), "a");
	assert_int_equal(stub_latch(&s, "B"), 7);
	assert_int_equal(s.reports, 0);
}

static void reads_are_held(void **ctx)
{
	(void)ctx;
	open_model(VERDICTS);
	stub_write(&s, IO, 0, 1, 1);
	stub_log(&s);
	stub_read(&s, IO, 0, 1); /* the device has left it meanwhile */
	assert_int_equal(s.verdict, DMM_PASS);
	assert_string_equal(stub_log(&s), "r0+4.1 r0+0.1 ");
}

static void denied(void **ctx)
{
	(void)ctx;
	open_model(VERDICTS);
	stub_write(&s, IO, 0, 1, 2);
	stub_log(&s);
	stub_write(&s, IO, 1, 1, 5);
	assert_int_equal(s.verdict, DMM_PASS);
	assert_int_equal(s.reports, 1);
	assert_int_equal(s.report.offence, DMM_DENIED);
	assert_string_equal(s.report.name, "B");
	assert_int_equal(s.report.line, 16);
	assert_int_equal(stub_read(&s, IO, 1, 1), 0xff);
	assert_int_equal(s.reports, 2);
	assert_string_equal(stub_log(&s), "");
	assert_int_equal(stub_latch(&s, "B"), 0);
	stub_write(&s, IO, 2, 1, 5);
	assert_int_equal(s.verdict, DMM_STOP);
	assert_int_equal(s.reports, 3);
	assert_string_equal(s.report.name, "C");
	assert_string_equal(stub_log(&s), "");
	assert_int_equal(stub_latch(&s, "C"), 0);
	s.dmm->conf.guest[0].policy = DMM_POLICY_STOP;
	stub_write(&s, IO, 1, 1, 5);
	assert_int_equal(s.verdict, DMM_STOP);
}

/* `answer`: the device is not touched, the latch has the value. */
static void answered(void **ctx)
{
	(void)ctx;
	open_model(VERDICTS);
	s.says[IO][3] = 0x99;
	stub_write(&s, IO, 3, 1, 0x42);
	assert_int_equal(stub_latch(&s, "D"), 0x42);
	assert_int_equal(stub_read(&s, IO, 3, 1), 0x42);
	assert_string_equal(stub_log(&s), "");
	assert_int_equal(s.reports, 0);
}

/* An access to several registers: all of it or nothing, the strictest. */
static void several_at_once(void **ctx)
{
	(void)ctx;
	open_model(VERDICTS);
	stub_write(&s, IO, 0, 1, 2);
	stub_log(&s);
	stub_write(&s, IO, 0, 2, 0x0501); /* to b, but B is denied */
	assert_int_equal(s.reports, 1);
	assert_string_equal(state("one"), "a");
	assert_int_equal(stub_latch(&s, "A"), 2);
	stub_write(&s, IO, 0, 4, 0x01020304); /* C says stop */
	assert_int_equal(s.verdict, DMM_STOP);
	assert_string_equal(s.report.name, "C");
	assert_int_equal(stub_latch(&s, "A"), 2);
	assert_string_equal(stub_log(&s), "");
	stub_write(&s, IO, 0, 1, 0);
	/* A's event first: with it, the machine comes where B is denied */
	stub_log(&s);
	stub_write(&s, IO, 0, 2, 0x0501);
	assert_int_equal(s.report.line, 22);
	assert_string_equal(state("one"), "a");
	assert_int_equal(stub_latch(&s, "A"), 0);
	assert_int_equal(stub_latch(&s, "B"), 0);
	assert_string_equal(stub_log(&s), "");
}

/* A read of several: no rule of one is applied if another denies it. */
static void reads_whole(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: io+0x00 }\n"
		       "  B: { at: io+0x01 }\n"
		       "machines:\n"
		       "  m:\n"
		       "    a:\n"
		       "      - { on: read A, to: b }\n"
		       "      - { on: read B, to: c }\n"
		       "    b:\n"
		       "      - { on: read B, then: deny }\n"
		       "      - { on: write A, to: a }\n"
		       "    c: [ { on: write B, then: hold } ]\n");
	assert_int_equal(stub_read(&s, IO, 0, 2), 0xffff);
	assert_string_equal(stub_log(&s), "");
	assert_string_equal(state("m"), "a");
	stub_read(&s, IO, 0, 1);
	assert_string_equal(state("m"), "b");
}

static void resets(void **ctx)
{
	(void)ctx;
	open_model(TOP
		   "registers:\n"
		   "  A: { at: io+0x00 write, resetValue: 9 }\n"
		   "  K: { at: io+0x01 write, keepOnReset: true }\n"
		   "  Z: { at: io+0x02..0x03 }\n"
		   "machines:\n"
		   "  m:\n"
		   "    a: [ { on: write A, to: b } ]\n"
		   "    b: [ { on: access Z, do: reset } ]\n"
		   "  n: { any: [ { on: access Z, do: { A: A + 1 } } ] }\n");
	stub_write(&s, IO, 0, 1, 5);
	stub_write(&s, IO, 1, 1, 6);
	assert_string_equal(state("m"), "b");
	stub_log(&s);
	stub_read(&s, IO, 3, 1);
	assert_string_equal(stub_log(&s), "r0+3.1 ");
	assert_string_equal(state("m"), "a");
	assert_int_equal(stub_latch(&s, "A"), 10);
	assert_int_equal(stub_latch(&s, "K"), 6);
}

/* What a rule assigns may rest on the value written, by its register's names */
static void assignments(void **ctx)
{
	(void)ctx;
	open_model(TOP
		   "registers:\n"
		   "  A: { at: io+0x00 write, fields: { HI: 4..7 } }\n"
		   "  B: { at: io+0x01 write, size: 16, "
		   "fields: { LO: 0..3, MID: 6..9, HI: 15 } }\n"
		   "machines:\n"
		   "  m: { any: [ { on: write A, do: { B.MID: value.HI + 1, "
		   "B.HI: 1 } } ] }\n");
	stub_write(&s, IO, 1, 2, 0x7fff);
	stub_write(&s, IO, 0, 1, 0x5a);
	assert_int_equal(stub_latch(&s, "B"), 0xfdbf);
	stub_write(&s, IO, 0, 1, 0xf0); /* it is cut to the field */
	assert_int_equal(stub_latch(&s, "B"), 0xfc3f);
}

/* The width of the access is known to the condition and to what is done. */
static void widths_in_rules(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: io+0x00, size: 16 }\n"
		       "  B: { at: io+0x02 }\n"
		       "  C: { at: io+0x03 }\n"
		       "machines:\n"
		       "  m: { any: [ { on: write A, do: { B: width } } ] }\n"
		       "  n: { any: [ { on: write A, when: width == 16, "
		       "do: { C: C + 1 } } ] }\n");
	stub_write(&s, IO, 0, 2, 1);
	assert_int_equal(stub_latch(&s, "B"), 16);
	assert_int_equal(stub_latch(&s, "C"), 1);
	stub_write(&s, IO, 0, 1, 1);
	assert_int_equal(stub_latch(&s, "B"), 8);
	assert_int_equal(stub_latch(&s, "C"), 1);
}

/* A let may name states; rules on poll go on until nothing changes. */
static void polls(void **ctx)
{
	(void)ctx;
	open_model(TOP "registers:\n"
		       "  A: { at: io+0x00, fields: { B: 0, C: 1 }, "
		       "volatile: [ B, C ] }\n"
		       "  W: { at: io+0x01 write }\n"
		       "let: { idle: m == c }\n"
		       "machines:\n"
		       "  m:\n"
		       "    a: [ { on: poll, when: device.A.B, to: b } ]\n"
		       "    b: [ { on: poll, when: device.A.C, to: c, "
		       "do: { W: 5 } } ]\n"
		       "    c: [ { on: write W, when: value == 1, to: a } ]\n"
		       "reusable: idle\n");
	dmm_interrupt(s.dmm, true);
	assert_string_equal(state("m"), "a");
	assert_false(dmm_reusable(s.dmm));
	s.says[IO][0] = 3;
	dmm_interrupt(s.dmm, true);
	assert_string_equal(state("m"), "c");
	assert_int_equal(stub_latch(&s, "W"), 5);
	assert_true(dmm_reusable(s.dmm));
	stub_write(&s, IO, 1, 1, 1);
	assert_false(dmm_reusable(s.dmm));
}

/* ---- banks, by the monitor's own hand ---- */

static void procedures(void **ctx)
{
	(void)ctx;
	stub_model(&s, TOP
		   "registers:\n"
		   "  CR: { at: io+0x00, fields: { PS: 6..7 }, "
		   "select: CR & 3 | 0x20, resetValue: 0x21 }\n"
		   "  A: { at: io+0x01 if CR.PS == 0 }\n"
		   "  B: { at: io+0x01 if CR.PS == 2, size: 48 }\n"
		   "  T: { at: m+0x00, size: 24 }\n"
		   "  Q: { at: m+0x04, size: 48 }\n"
		   "  D: { at: io+0x20, size: 32, width: 32 }\n"
		   "sharing: { how: lease, whenParked: drop }\n"
		   "reusable: 1\n"
		   "procedures:\n"
		   "  quiesce: [ { write: A, value: 1 }, { write: B, value: "
		   "0x665544332211 } ]\n"
		   "  save: [ { read: CR } ]\n"
		   "  restore: [ { write: T, value: 0x332211 }, "
		   "{ write: Q, value: 0x665544332211 }, "
		   "{ write: D, value: 5 }, { write: CR, value: CR } ]\n");
	s.conf.when_parked = DMM_DROP;
	stub_open(&s, DMM_LEASE, 2);
	stub_write(&s, IO, 0, 1, 0xe2);
	lease_want(s.dmm, 0, s.now);
	dmm_tick(s.dmm);
	assert_int_equal(dmm_owner(s.dmm), 0);
	assert_string_equal(stub_log(&s),
			    "w1+0.2=2211 w1+2.1=33 w1+4.4=44332211 "
			    "w1+8.2=6655 w0+20.4=5 w0+0.1=e2 ");
	dmm_quiet(s.dmm);
	assert_string_equal(stub_log(&s),
			    "w0+0.1=22 w0+1.1=1 w0+0.1=a2 w0+1.1=11 "
			    "w0+2.1=22 w0+3.1=33 w0+4.1=44 w0+5.1=55 "
			    "w0+6.1=66 ");
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(forwards),	    T(strings),	   T(widths),
		T(wide_spaces),	    T(ones_clear), T(arrays),
		T(answers),	    T(rules_fire), T(reads_are_held),
		T(denied),	    T(answered),   T(several_at_once),
		T(reads_whole),	    T(resets),	   T(assignments),
		T(widths_in_rules), T(polls),	   T(procedures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
