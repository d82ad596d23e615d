/* SPDX-License-Identifier: MIT */
/*
 * test_rules.c: memories, checks, machines and their rules, sharing and its
 * procedures, to tables; the values that can fire a rule; and what cannot be.
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

#define TOP                                                   \
	"device: { name: t }\n"                               \
	"spaces: { io: { kind: io, bar: 0, size: 0x40 } }\n"  \
	"registers:\n"                                        \
	"  A: { at: io+0, fields: { LO: 0..1, HI: 4..7 } }\n" \
	"  B: { at: io+2, size: 16 }\n"                       \
	"  W: { at: io+4 write }\n"                           \
	"  R: { at: io+4 read, fields: { ON: 0 } }\n"         \
	"  D: { at: io+8, size: 16, dim: 2 }\n"               \
	"  P: { at: io+0x10, size: 32 }\n"                    \
	"  Q: { at: io+0x14, size: 32 }\n"

static struct stub s;

static int teardown(void **ctx)
{
	(void)ctx;
	stub_close(&s);
	return 0;
}

static unsigned int state(const char *name)
{
	unsigned int i;

	for (i = 0; i < s.model->states; i++)
		if (!strcmp(s.model->state[i].name, name))
			return i;
	fail_msg("no state %s", name);
	return 0;
}

/* Can a rule fire on (value), with its machine in this state? */
static bool hooks(const char *name, const char *reg, bool write, uint64_t value)
{
	const struct reg *r = &s.model->reg[stub_reg(&s, reg)];

	s.dmm->guest[0].state[0] = state(name);
	return step_hooks(s.dmm, 0, r, write, value);
}

/* ---- what is right ---- */

static void tables(void **ctx)
{
	const struct dmm_model *m;
	const struct rule *r;

	(void)ctx;
	stub_model(
		&s, TOP
		"memories:\n"
		"  rom: { start: 0, size: 0x20, port: P, answer: identity }\n"
		"  ram: { start: 0x1000, size: 1K, port: P, isolate: scrub "
		"}\n"
		"checks:\n"
		"  one: { memory: [ rom, ram ], start: B, length: A, "
		"port: P, address: R }\n"
		"  two: { memory: ram, start: B, length: A, frame: true, "
		"wrap: { from: 1, to: 2 }, refused: { ignore: { A: 1, B: 2 "
		"}, abort: { B: 3 } } }\n"
		"machines:\n"
		"  m:\n"
		"    a:\n"
		"      - { on: write A B, check: [ one, two ], to: b }\n"
		"      - { on: access P, then: hold }\n"
		"    b: [ { on: end one, to: a }, { on: poll, to: a } ]\n"
		"  n: { any: [ { on: read R, do: reset } ] }\n");
	m = s.model;
	assert_int_equal(m->memory_bytes, 256 + 1024);
	assert_int_equal(m->memory[1].copy, 256);
	assert_int_equal(m->check[0].memories, 3);
	assert_int_equal(m->check[0].port, stub_reg(&s, "P"));
	assert_int_equal(m->check[0].address, stub_reg(&s, "R"));
	assert_int_equal(m->check[1].port, MODEL_NONE);
	assert_true(m->check[1].frame);
	assert_int_equal(m->check[1].refused[DMM_IGNORE].n, 2);
	assert_int_equal(m->check[1].refused[DMM_ABORT].n, 1);
	assert_int_equal(m->machines, 2);
	assert_int_equal(m->states, 3);
	assert_int_equal(m->state[0].rules.n, 4);
	assert_false(m->state[0].polls);
	assert_true(m->state[1].polls);
	r = &m->rule[0];
	assert_int_equal(r->on, ON_WRITE);
	assert_int_equal(r->checks, 3);
	assert_int_equal(r->to, 1);
	assert_int_equal(r[1].reg, stub_reg(&s, "B"));
	assert_int_equal(r[2].on, ON_READ);
	assert_int_equal(r[3].on, ON_WRITE);
	assert_int_equal(r[3].then, RULE_HOLD);
	assert_int_equal(r[4].on, ON_END);
	assert_int_equal(r[4].reg, 0);
	assert_true(r[6].reset);
	assert_int_equal(r[6].to, MODEL_NONE);
	assert_int_equal(m->reg[stub_reg(&s, "A")].hooks[1], 1);
	assert_int_equal(m->reg[stub_reg(&s, "R")].hooks[0], 2);
	assert_int_equal(m->reg[stub_reg(&s, "W")].hooks[1], 0);
	assert_int_equal(m->reg[stub_reg(&s, "P")].port_memory, 0);
	/* a state may be named before it is there, and rules spliced in */
	assert_int_equal(s.diag.n, 0);
}

/* The values that can fire a rule are known, as far as they are few. */
static void filters(void **ctx)
{
	unsigned int v;

	(void)ctx;
	stub_model(
		&s, TOP
		"machines:\n"
		"  m:\n"
		"    a:\n"
		"      - { on: write A, when: value.HI == 3 && value.LO, to: "
		"b }\n"
		"      - { on: write A, when: value.HI == 5 && B == 1 }\n"
		"      - { on: write B, when: value >> 8 == 7 }\n"
		"      - { on: read R, when: A == 0, to: c }\n"
		"    b: [ { on: write A, to: c } ]\n"
		"    c: [ { on: write A, when: width == 16, to: d } ]\n"
		"    d: [ { on: write A, when: value & 4, to: e } ]\n"
		"    e: [ { on: write W, when: value + 1 == 256 } ]\n");
	stub_open(&s, DMM_EXCLUSIVE, 1);
	for (v = 0; v < 256; v++) {
		assert_int_equal(hooks("a", "A", true, v),
				 (v >> 4 == 3 && v & 3) || v >> 4 == 5);
		assert_true(hooks("b", "A", true, v));
		assert_true(hooks("c", "A", true, v));
		assert_int_equal(hooks("d", "A", true, v), !!(v & 4));
		assert_int_equal(hooks("e", "W", true, v), v == 255);
		assert_false(hooks("e", "A", true, v));
	}
	for (v = 0; v < 65536; v++) /* too many: never forgotten */
		if (v >> 8 == 7)
			assert_true(hooks("a", "B", true, v));
	assert_true(hooks("a", "R", false, 0));
	assert_false(hooks("b", "R", false, 0));
	assert_false(hooks("a", "Q", true, 0));
}

static void sharing(void **ctx)
{
	const struct proc_step *st;
	const struct dmm_model *m;

	(void)ctx;
	stub_model(&s, TOP
		   "memories: { ram: { start: 0x100, size: 256, port: P } }\n"
		   "sharing: { how: lease, whenParked: drop, maxPark: 7ms }\n"
		   "reusable: 1\n"
		   "interrupt: { line: R & 1, cause: A }\n"
		   "procedures:\n"
		   "  quiesce: [ { write: 'D[1]', value: 5 }, { wait: "
		   "device.R.ON, timeout: 1s, late: ok, if: A } ]\n"
		   "  save: [ all, B ]\n"
		   "  scrub: [ { fill: ram, value: 7 }, { read: R } ]\n"
		   "  restore: [ { allBut: [ A, B ] } ]\n"
		   "  store: [ { out: P, width: 32 } ]\n"
		   "  fetch: [ { in: P } ]\n"
		   "  send: [ { put: 0x100 } ]\n");
	m = s.model;
	assert_int_equal(m->how, DMM_LEASE);
	assert_int_equal(m->when_parked, DMM_DROP);
	assert_int_equal(m->max_park_ns, 7000000);
	assert_int_equal(m->interrupt.cause, stub_reg(&s, "A"));
	st = &m->step[m->proc[PROC_QUIESCE].first];
	assert_int_equal(m->proc[PROC_QUIESCE].n, 2);
	assert_int_equal(st->kind, STEP_WRITE);
	assert_int_equal(st->slot, m->reg[stub_reg(&s, "D")].slot + 1);
	assert_int_equal(st[1].kind, STEP_WAIT);
	assert_int_equal(st[1].timeout_ns, 1000000000);
	assert_true(st[1].late_ok && st[1].cond);
	assert_int_equal(m->step[m->proc[PROC_SAVE].first].kind, STEP_ALL);
	assert_int_equal(m->step[m->proc[PROC_SAVE].first + 1].kind, STEP_SAVE);
	assert_int_equal(m->step[m->proc[PROC_RESTORE].first].buts, 2);
	assert_int_equal(m->step[m->proc[PROC_STORE].first].width, 4);
	assert_int_equal(m->step[m->proc[PROC_FETCH].first].width, 1);
}

/* ---- what is wrong ---- */

struct bad {
	const char *text;
	unsigned int errors;
	uint32_t column; /* in line 11, the one after the registers */
	const char *message;
};

static void all_bad(const struct bad *bad, size_t n)
{
	char text[4096];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s%s\n", TOP, bad[i].text);
		stub_bad(text, bad[i].errors, 11, bad[i].column,
			 bad[i].message);
	}
}

#define MEM(text) "memories: { " text " }"
#define RAM "ram: { start: 0, size: 256, port: P }"

static void bad_memories(void **ctx)
{
	static const struct bad bad[] = {
		{ "memories: 5", 1, 11,
		  "expected a mapping for the memories, got \"5\"" },
		{ MEM("r: { start: 0, size: 256 }"), 1, 13,
		  "a memory needs start, size and port" },
		{ MEM("r: { start: 0, size: 0, port: P }"), 1, 13,
		  "a memory has 1 byte to 1M" },
		{ MEM("r: { start: 0, size: 2M, port: P }"), 1, 13,
		  "a memory has 1 byte to 1M" },
		{ MEM("r: { start: x, size: 256, port: PP }"), 2, 25,
		  "expected an address on the card (0 to 0x100000), got "
		  "\"x\"" },
		{ MEM("r: { start: 0, size: 256, port: A.LO }"), 1, 45,
		  "expected a data port, got a part of one" },
		{ MEM("r: { start: 0, size: 256, port: 'D[1]' }"), 1, 45,
		  "expected a data port, got a part of one" },
		/* pages are what is scrubbed: what is none would not be */
		{ MEM("r: { start: 0, size: 300, port: P }"), 1, 13,
		  "a memory that guests write is of whole pages of 256 "
		  "bytes" },
		{ MEM("r: { start: 8, size: 256, port: P }"), 1, 13,
		  "a memory that guests write is of whole pages of 256 "
		  "bytes" },
		{ MEM(RAM ", s: { start: 255, size: 1, port: Q, answer: "
			  "identity }"),
		  1, 52, "memory s overlaps ram" },
		{ MEM("r: { start: 0, size: 256, port: P, isolate: yes, "
		      "answer: me }"),
		  2, 57, "expected how to isolate, got \"yes\"" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

static void bad_checks(void **ctx)
{
	static const struct bad bad[] = {
		{ "checks: { c: { start: 0, length: 1 } }", 1, 11,
		  "check c needs a memory" },
		{ "checks: { c: { memory: ram, start: 0, length: 1 } }", 1, 24,
		  "no memory is called \"ram\"" },
		{ "checks: { c: { memory: [ [] ], start: 0, length: 1 } }", 1,
		  26, "expected a single value for a memory, got a list" },
		{ "checks: { c: { memory: [], start: 0, length: 1 } }", 1, 11,
		  "check c needs a memory" },
	};
	static const struct {
		const char *text;
		unsigned int errors;
		uint32_t column;
		const char *message;
	} more[] = {
		{ "start: 0", 1, 3, "a check needs start and length" },
		{ "start: R, length: B, sart: 1", 2, 28,
		  "the device changes R by itself: its latch says nothing "
		  "here" },
		{ "start: 0, length: 1, wrap: { from: 1 }", 1, 48,
		  "a wrap needs from and to" },
		{ "start: 0, length: 1, wrap: 5", 1, 48,
		  "expected a mapping for from and to, got \"5\"" },
		{ "start: 0, length: 1, port: Q", 1, 48,
		  "ram is not behind Q" },
		{ "start: 0, length: 1, refused: { ignore: { X: 1, R.OF: 1, "
		  "R.ON: X } }",
		  3, 63, "no register is called \"X\"" },
		{ "start: 0, length: 1, access: go, frame: 1", 2, 42,
		  "unknown key \"access\" in a check" },
	};
	char text[2048];
	size_t i;

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
	for (i = 0; i < ARRAY_LEN(more); i++) {
		snprintf(text, sizeof(text),
			 "%smemories: { %s }\nchecks:\n  c: { memory: ram, %s "
			 "}\n",
			 TOP, RAM, more[i].text);
		stub_bad(text, more[i].errors, 13, more[i].column,
			 more[i].message);
	}
}

#define RULE(text) "machines: { m: { a: [ { " text " } ] } }"
#define RULES(text) "machines: { m: { a: [ " text " ] } }"

static void bad_rules(void **ctx)
{
	static const struct bad bad[] = {
		{ "machines: 5", 1, 11,
		  "expected a mapping for the machines, got \"5\"" },
		{ "machines: { m: [] }", 1, 16,
		  "expected a mapping for the states of a machine, got a "
		  "list" },
		{ "machines: { m: {} }", 1, 13, "machine m has no state" },
		{ "machines: { m: { a: 5 } }", 1, 21,
		  "expected a list for a list of rules, got \"5\"" },
		{ RULES("5"), 1, 23,
		  "expected a mapping for a rule, got \"5\"" },
		{ RULE("to: a"), 1, 23, "a rule needs \"on:\"" },
		{ RULE("on: [ poll ]"), 1, 29,
		  "expected a single value for an event, got a list" },
		{ RULE("on: ''"), 1, 29, "\"\" is not an event" },
		{ RULE("on: write"), 1, 29, "\"write\" is not an event" },
		{ RULE("on: poll A"), 1, 29, "\"poll A\" is not an event" },
		{ RULE("on: end"), 1, 29, "\"end\" is not an event" },
		{ RULE("on: end read A"), 1, 29,
		  "\"end read A\" is not an event" },
		{ RULE("on: end A"), 1, 33, "no check is called \"A\"" },
		{ RULE("on: wirte A"), 1, 29, "\"wirte A\" is not an event" },
		{ RULE("on: write A X Y"), 1, 37,
		  "no register is called \"X\"" },
		{ RULE("on: 'write A X Y'"), 1, 38,
		  "no register is called \"X\"" },
		{ RULE("on: write A.LO"), 1, 35,
		  "an event is of a whole register, not of A.LO" },
		{ RULE("on: 'write D[1]'"), 1, 36,
		  "an event is of a whole register, not of D[1]" },
		{ RULE("on: write R"), 1, 35, "R has no place to write" },
		{ RULE("on: read A W"), 1, 36, "W has no place to read" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

static void bad_effects(void **ctx)
{
	static const struct bad bad[] = {
		{ RULE("on: write A, too: b"), 1, 38,
		  "unknown key \"too\" in a rule" },
		/* once, for all the registers of a rule */
		{ RULE("on: access A B W, to: c"), 1, 47,
		  "no state of this machine is called \"c\"" },
		{ RULE("on: write A, check: c, then: no"), 2, 45,
		  "no check is called \"c\"" },
		{ RULE("on: write A, then: [ deny ]"), 1, 44,
		  "expected a verdict, got a list" },
		{ RULE("on: write A, do: rest"), 1, 42,
		  "expected reset, or registers and their values" },
		{ RULE("on: write A, do: { B: value.XX, C: 1 }"), 2, 47,
		  "no field of this register is called \"XX\"" },
		{ RULE("on: read A, when: value == 1"), 1, 43,
		  "the value is known only in rules on write" },
		{ RULE("on: write A, when: value.LO.X"), 1, 44,
		  "no field of this register is called \"LO.X\"" },
		{ RULE("on: write A, when: width.X"), 1, 44,
		  "\"width\" has no fields" },
		{ RULE("on: write A, when: device.R.ON"), 1, 44,
		  "the device is asked only in rules on poll and in "
		  "procedures" },
		{ RULE("on: poll, then: deny"), 1, 41,
		  "a verdict is on an access: read, write or access" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

static void never_fire(void **ctx)
{
	static const struct bad bad[] = {
		{ RULE("on: write A, when: 0"), 1, 23,
		  "this rule can never fire: its condition is always "
		  "false" },
		{ RULE("on: write A, when: value.LO == 4 && 0"), 1, 23,
		  "this rule can never fire: its condition is always "
		  "false" },
		{ RULES("{ on: write A B }, { on: access B, when: A }"), 1, 42,
		  "this rule can never fire: the one in line 11 always does "
		  "before it" },
		{ RULES("{ on: poll, when: 1 }, { on: poll }"), 1, 46,
		  "this rule can never fire: the one in line 11 always does "
		  "before it" },
		{ "machines: { m: { a: [ { on: write A } ], b: [ { on: poll, "
		  "to: a } ] } }",
		  1, 42, "no rule leads to state b of machine m" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
	stub_bad(TOP "memories: { " RAM " }\n"
		     "checks: { c: { memory: ram, start: 0, length: A } }\n"
		     "machines:\n"
		     "  m:\n"
		     "    a: [ { on: end c }, { on: read A, check: c }, "
		     "{ on: poll, check: c } ]\n",
		 3, 15, 10, "c has no port to be counted at, so it never ends");
}

/* No rule ends the transfer: a warning, for it may end by itself. */
static void endless(void **ctx)
{
	(void)ctx;
	stub_model(&s, TOP "memories: { " RAM " }\n"
			   "checks: { c: { memory: ram, start: 0, length: A, "
			   "port: P } }\n"
			   "machines: { m: { a: [ { on: write A, check: c } ] "
			   "} }\n");
	assert_int_equal(s.diag.n, 1);
	assert_int_equal(s.diag.message[0].level, DIAG_WARNING);
	assert_string_equal(s.diag.message[0].text,
			    "no rule says what happens at the end of c");
}

#define PROC(name, text) "procedures: { " name ": [ " text " ] }"

static void bad_sharing(void **ctx)
{
	static const struct bad bad[] = {
		{ "sharing: { how: leese, maxPark: 5 }", 2, 17,
		  "expected a way to share, got \"leese\"" },
		{ "sharing: { hw: lease }", 1, 12,
		  "unknown key \"hw\" in sharing" },
		{ "interrupt: { line: X, cause: A.LO }", 2, 20,
		  "no register is called \"X\"" },
		{ "receive: { ring: { kind: pageRing } }", 1, 18,
		  "a pageRing needs \"memory:\"" },
		{ "receive: { ring: { kind: pageRung, memory: m, start: A, "
		  "stop: A, boundary: A, current: A } }",
		  1, 26, "expected a kind of ring, got \"pageRung\"" },
		{ "receive: { ring: { kind: pageRing, memory: m, start: X, "
		  "stop: A, boundary: A, current: A.LO } }",
		  3, 44, "no memory is called \"m\"" },
		{ "receive: { enabled: A &, arrived: 5 }", 2, 23,
		  "missing operand after \"&\"" },
		{ "transmit: { sent: { X: 1 }, loopback: }", 2, 21,
		  "no register is called \"X\"" },
		{ "identity: { mac: 5, filter: { unicast: X } }", 2, 18,
		  "expected a mapping for where the address stands, got "
		  "\"5\"" },
		{ "identity: { mac: { memory: none, at: 5000 } }", 2, 28,
		  "no memory is called \"none\"" },
		{ "procedures: { start: [] }", 1, 15,
		  "unknown key \"start\" in procedures" },
		{ "procedures: { save: 5 }", 1, 21,
		  "expected a list for a list of steps, got \"5\"" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

static void bad_steps(void **ctx)
{
	static const struct bad bad[] = {
		{ PROC("save", "X, [ A ], A.LO"), 2, 23,
		  "no register is called \"X\"" },
		{ PROC("save", "{}"), 1, 23, "what does this step do?" },
		{ PROC("save", "{ write: A, reed: B }"), 1, 35,
		  "unknown key \"reed\" in a step" },
		{ PROC("save", "{ write: A, value: 1, read: B }"), 1, 23,
		  "a step does one thing, not \"write\" and \"read\"" },
		{ PROC("save", "{ write: A }"), 1, 23,
		  "what value is written?" },
		{ PROC("save", "{ write: R, value: 1 }, { read: W }"), 2, 32,
		  "R cannot be written" },
		{ PROC("save", "{ wait: A }"), 1, 23,
		  "a wait needs a timeout of at most 1s" },
		{ PROC("save", "{ wait: A, timeout: 2s, late: no }"), 2, 43,
		  "a wait needs a timeout of at most 1s" },
		{ PROC("store", "{ out: R, width: 12 }"), 2, 31,
		  "R cannot be written" },
		{ PROC("save", "{ fill: A }"), 1, 31,
		  "no memory is called \"A\"" },
		{ PROC("save", "{ allBut: A }, { allBut: [ A, X ] }"), 2, 33,
		  "expected a list for a list of registers, got \"A\"" },
		/* no bytes are at hand there */
		{ PROC("quiesce", "{ put: 0 }"), 1, 26,
		  "\"put\" has bytes to move only in procedure send" },
		{ PROC("fetch", "{ out: P }"), 1, 24,
		  "\"out\" has bytes to move only in procedure store" },
		{ PROC("restore", "{ in: P }"), 1, 26,
		  "\"in\" has bytes to move only in procedure fetch" },
	};

	(void)ctx;
	all_bad(bad, ARRAY_LEN(bad));
}

#define LEASED                      \
	"sharing: { how: lease }\n" \
	"procedures: { quiesce: [ A ], save: [ all ], restore: [ all ]"

static void bad_leases(void **ctx)
{
	(void)ctx;
	stub_bad(TOP "sharing: { how: lease }\n", 4, 11, 10,
		 "a device that is leased needs \"reusable:\"");
	stub_bad(TOP LEASED " }\n", 1, 11, 10,
		 "a device that is leased needs \"reusable:\"");
	/* a memory that stays as the guest before left it */
	stub_bad(TOP LEASED " }\nreusable: 1\nmemories:\n  " RAM "\n", 1, 15, 3,
		 "nothing clears ram between guests");
	stub_bad(TOP LEASED ", scrub: [ { fill: ram, if: A } ] }\n"
			    "reusable: 1\nmemories:\n  " RAM "\n",
		 1, 15, 3, "nothing clears ram between guests");
	/* and a register */
	stub_bad("device: { name: t }\n"
		 "spaces: { io: { kind: io, bar: 0, size: 0x40 } }\n"
		 "registers:\n"
		 "  A: { at: io+0, fields: { PS: 6..7 } }\n"
		 "  B: { at: io+1 if A.PS >= 2 }\n"
		 "  C: { at: [ io+1 if A.PS == 0, io+2 read ] }\n" LEASED
		 " }\nreusable: 1\n",
		 2, 4, 3,
		 "A selects a bank: say in \"select:\" what its other bits "
		 "are when the monitor moves it");
}

static void too_much(void **ctx)
{
	size_t size = 1 << 20, n;
	char *text = malloc(size);
	unsigned int i;

	(void)ctx;
	assert_non_null(text);
	n = (size_t)sprintf(text, TOP "machines:\n");
	for (i = 0; i < 17; i++)
		n += (size_t)sprintf(text + n, "  m%u: { a: [] }\n", i);
	stub_bad(text, 1, 28, 3, "more than 16 machines");
	n = (size_t)sprintf(text, TOP "machines:\n  m:\n");
	for (i = 0; i < 129; i++)
		n += (size_t)sprintf(text + n, "    s%u: []\n", i);
	stub_bad(text, 1, 141, 5, "more than 128 states");
	n = (size_t)sprintf(text, TOP "machines:\n  m:\n    a:\n");
	for (i = 0; i < 1025; i++)
		n += (size_t)sprintf(text + n,
				     "      - { on: write A, when: B == %u }\n",
				     i);
	stub_bad(text, 1, 1038, 9, "more than 1024 rules");
	n = (size_t)sprintf(text, TOP "memories:\n");
	for (i = 0; i < 9; i++)
		n += (size_t)sprintf(text + n,
				     "  m%u: { start: %u, size: 256, port: P }"
				     "\n",
				     i, i * 256);
	stub_bad(text, 1, 20, 3, "more than 8 memories");
	n = (size_t)sprintf(text, TOP "memories: { " RAM " }\nchecks:\n");
	for (i = 0; i < 17; i++)
		n += (size_t)sprintf(text + n,
				     "  c%u: { memory: ram, start: 0, length: "
				     "1 }\n",
				     i);
	stub_bad(text, 1, 29, 3, "more than 16 checks");
	n = (size_t)sprintf(text,
			    "device: { name: t }\n"
			    "spaces: { io: { kind: io, bar: 0, size: 512 } }\n"
			    "registers:\n");
	for (i = 0; i < 450; i++)
		n += (size_t)sprintf(text + n, "  R%u: { at: io+%u }\n", i, i);
	n += (size_t)sprintf(text + n, "machines:\n  m:\n    s0:\n"
				       "      - { on: access");
	for (i = 0; i < 450; i++)
		n += (size_t)sprintf(text + n, " R%u", i);
	n += (size_t)sprintf(text + n, ", to: s1 }\n");
	for (i = 1; i < 100; i++)
		n += (size_t)sprintf(text + n,
				     "    s%u: [ { on: poll, to: s%u } ]\n", i,
				     (i + 1) % 100);
	stub_bad(text, 1, 455, 3,
		 "too many registers with rules for so many states");
	n = (size_t)sprintf(text, TOP "procedures:\n  save:\n");
	for (i = 0; i < 257; i++)
		n += (size_t)sprintf(text + n, "    - A\n");
	stub_bad(text, 1, 269, 7, "more than 256 steps of procedures");
	free(text);
}

static int no_reset(void *ctx)
{
	(void)ctx;
	return -ENOTTY;
}

static int bad_reset(void *ctx)
{
	(void)ctx;
	return -EIO;
}

/* Where the host cannot reset the device, the model can; and only there. */
static void force(void **ctx)
{
	struct dmm_host host;

	(void)ctx;
	stub_model(&s, TOP "procedures: { force: [ { write: A, value: 0x5a } "
			   "] }\n");
	stub_open(&s, DMM_EXCLUSIVE, 1);
	host = s.host;
	assert_int_equal(dmm_reset(s.model, &host), 0);
	assert_string_equal(stub_log(&s), "");
	host.reset = bad_reset;
	assert_int_equal(dmm_reset(s.model, &host), -EIO);
	assert_string_equal(stub_log(&s), "");
	host.reset = no_reset;
	assert_int_equal(dmm_reset(s.model, &host), 0);
	assert_string_equal(stub_log(&s), "w0+0.1=5a ");
	stub_close(&s);
	stub_model(&s, TOP);
	stub_open(&s, DMM_EXCLUSIVE, 1);
	host = s.host;
	host.reset = no_reset;
	assert_int_equal(dmm_reset(s.model, &host), -ENOTTY);
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(tables),
		T(filters),
		T(sharing),
		T(force),
		cmocka_unit_test(bad_memories),
		cmocka_unit_test(bad_checks),
		cmocka_unit_test(bad_rules),
		cmocka_unit_test(bad_effects),
		cmocka_unit_test(never_fire),
		T(endless),
		cmocka_unit_test(bad_sharing),
		cmocka_unit_test(bad_steps),
		cmocka_unit_test(bad_leases),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
