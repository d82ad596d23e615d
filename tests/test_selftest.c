/* SPDX-License-Identifier: MIT */
/*
 * test_selftest.c: the tests that a model carries: their events, what they
 * expect, and what is said when it is not so.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stub.h"

#define TOP                                                                  \
	"device: { name: t }\n"                                              \
	"spaces:\n"                                                          \
	"  io: { kind: io, bar: 0, size: 0x40 }\n"                           \
	"  f: { kind: mmio, bar: 2, size: 0x1100, width: 32 }\n"             \
	"registers:\n"                                                       \
	"  CR: { at: io+0x00, fields: { TXP: 0, PS: 6..7 }, select: 0, "     \
	"volatile: [ TXP ] }\n"                                              \
	"  A: { at: io+0x02 write if CR.PS == 0, size: 16 }\n"               \
	"  B: { at: io+0x02 read if CR.PS == 0 }\n"                          \
	"  C: { at: io+0x03 read if CR.PS == 0 }\n"                          \
	"  D: { at: io+0x02 if CR.PS == 1, dim: 4 }\n"                       \
	"  W: { at: io+0x08, size: 24 }\n"                                   \
	"  F: { at: f+0x1000, size: 64 }\n"                                  \
	"  P: { at: io+0x10, size: 16 }\n"                                   \
	"memories: { ram: { start: 0, size: 256, port: P } }\n"              \
	"checks: { send: { memory: ram, start: 0, length: A } }\n"           \
	"machines:\n"                                                        \
	"  tx:\n"                                                            \
	"    idle:\n"                                                        \
	"      - { on: write CR, when: value.TXP, check: send, to: busy }\n" \
	"      - { on: write D, then: deny }\n"                              \
	"    busy:\n"                                                        \
	"      - { on: poll, when: '!device.CR.TXP', to: idle }\n"           \
	"      - { on: write A, then: hold }\n"

static struct stub s;
static unsigned int passed, failed;

static int teardown(void **ctx)
{
	(void)ctx;
	stub_close(&s);
	return 0;
}

static int run(const char *text)
{
	stub_model(&s, text);
	return dmm_model_test(s.model, &s.diag, &passed, &failed);
}

/* All of it holds. */
static void good(const char *events)
{
	char text[4096];

	snprintf(text, sizeof(text), "%stests:\n  - events: [ %s ]\n", TOP,
		 events);
	if (run(text) || passed != 1 || failed || s.diag.n)
		fail_msg("%s: %s", events,
			 s.diag.n ? s.diag.message[0].text : "no message");
	stub_close(&s);
}

/* It does not, and (message) says so, at (column). */
static void bad(const char *events, uint32_t column, const char *message)
{
	char text[4096];

	snprintf(text, sizeof(text), "%stests:\n  - events: [ %s ]\n", TOP,
		 events);
	if (run(text) != -EINVAL || passed || failed != 1)
		fail_msg("%s: it holds", events);
	assert_int_equal(s.diag.n, 1);
	assert_string_equal(s.diag.message[0].text, message);
	assert_int_equal(s.diag.message[0].pos.line, 25);
	assert_int_equal(s.diag.message[0].pos.column, column);
	stub_close(&s);
}

static void events(void **ctx)
{
	(void)ctx;
	good("write A 0x40, { A: 0x40 }, write CR 1, { tx: busy }");
	good("{ tx: idle, CR: 0 }, poll, { tx: idle }");
	good("write A 64, write CR 1, device CR 1, poll, { tx: busy }, "
	     "device CR 0, poll, { tx: idle }");
	good("device B 0x5a, device C 0xa5, read B, { value: 0x5a }, "
	     "read C, { value: 0xa5 }");
	good("write A 257, write CR 1, { refused: send, tx: idle, CR: 0 }");
	good("write CR 0x40, 'write D[2] 7', { denied: D, 'D[2]': 0 }, "
	     "'device D[3] 9', 'read D[3]', { value: 9 }");
	good("write W 0x332211, { W: 0x332211 }, device W 0x030201, read W, "
	     "{ value: 0x030201 }");
	good("write F 0x8877665544332211, { F: 0x8877665544332211 }, "
	     "device F 0x0807060504030201, read F, "
	     "{ value: 0x0807060504030201 }");
	good("write A 0b101, { A: 5 }, write A 010, { A: 10 }");
	/* a held write is not done, and not refused */
	good("device CR 1, write A 1, write CR 1, write A 2, { A: 1 }");
}

static void failures(void **ctx)
{
	(void)ctx;
	bad("write CR 1, { tx: idle }", 29, "tx is busy, not idle");
	bad("{ CR: 1 }", 17, "CR is 0x0, not 0x1");
	bad("write CR 1, { refused: send }", 29,
	    "the check that refused is nothing, not send");
	bad("write A 1, { denied: A }", 28,
	    "the register denied is nothing, not A");
	bad("write X 1", 15, "no register is called \"X\"");
	bad("{ X: 1 }", 17, "no register is called \"X\"");
	bad("write D 1", 15, "D is not in the selected bank");
	bad("read A", 15, "A is not in the selected bank");
	bad("write A", 15, "\"write A\" is not an event of a test");
	bad("write A 1 2", 15, "\"write A 1 2\" is not an event of a test");
	bad("write A -1", 15, "expected a value, got \"-1\"");
	bad("device A 0x", 15, "expected a value, got \"0x\"");
	bad("poll A", 15, "\"poll A\" is not an event of a test");
	bad("{ A: many }", 20, "expected a value, got \"many\"");
	bad("'read D[4]'", 15, "D has elements 0 to 3, not 4");
	bad("'read D[x]'", 15, "no register is called \"D[x]\"");
	bad("write CR 0x41, write CR 0x40, 'write D[0] 1', { refused: send }",
	    63, "the check that refused is nothing, not send");
}

static void whole_tests(void **ctx)
{
	(void)ctx;
	assert_int_equal(run(TOP), 0);
	assert_int_equal(passed + failed, 0);
	stub_close(&s);
	assert_int_equal(run(TOP "tests:\n"
				 "  - name: one\n"
				 "    events: [ write A 1 ]\n"
				 "  - name: two\n"
				 "    events: [ { A: 1 } ]\n"
				 "  - events: []\n"),
			 -EINVAL);
	assert_int_equal(passed, 2);
	assert_int_equal(failed, 1);
	assert_int_equal(s.diag.errors, 1);
	assert_string_equal(s.diag.message[0].text, "A is 0x0, not 0x1");
}

/* What is no test at all is no model. */
static void shapes(void **ctx)
{
	static const struct {
		const char *tests, *message;
		uint32_t column;
	} cases[] = {
		{ "5", "expected a list for a list of tests, got \"5\"", 8 },
		{ "[ 5 ]", "expected a mapping for a test, got \"5\"", 10 },
		{ "[ { name: none } ]", "a test needs events", 10 },
		{ "[ { name: [], events: [] } ]",
		  "expected a single value for a name, got a list", 18 },
		{ "[ { name: x, event: [] } ]",
		  "unknown key \"event\" in a test", 21 },
		{ "[ { events: poll } ]",
		  "expected a list for a list of events, got \"poll\"", 20 },
		{ "[ { events: [ [ poll ] ] } ]",
		  "expected a single value for an event or what must hold, "
		  "got a list",
		  22 },
		{ "[ { events: [ { tx: [ idle ] } ] } ]",
		  "expected a single value for what must hold, got a list",
		  28 },
	};
	char text[4096];

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text), "%stests: %s\n", TOP,
			 cases[i].tests);
		stub_bad(text, 1, 24, cases[i].column, cases[i].message);
	}
}

/* A model's own procedures find a device that is done with all. */
static void procedures(void **ctx)
{
	(void)ctx;
	assert_int_equal(
		run("device: { name: t }\n"
		    "spaces: { io: { kind: io, bar: 0, size: 0x40 } }\n"
		    "registers:\n"
		    "  CR: { at: io+0x00, fields: { PS: 6..7 }, select: 0 }\n"
		    "  ISR: { at: io+0x01 read if CR.PS == 0, "
		    "fields: { RDC: 0 } }\n"
		    "  P: { at: io+0x10, size: 16 }\n"
		    "memories: { rom: { start: 0, size: 32, port: P, "
		    "answer: identity } }\n"
		    "procedures: { fetch: [ { in: P, width: 16 }, "
		    "{ wait: device.ISR.RDC, timeout: 1ms } ] }\n"
		    "tests:\n"
		    "  - events: [ write CR 1, { CR: 1 }, device ISR 1, "
		    "read ISR, { value: 1 } ]\n"),
		0);
	assert_int_equal(passed, 1);
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events),
		cmocka_unit_test(failures),
		cmocka_unit_test(shapes),
		T(whole_tests),
		T(procedures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
