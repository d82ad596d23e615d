/* SPDX-License-Identifier: MIT */
/*
 * test_port.c: checks of ranges on a card, and the transfers that they allow,
 * counted at its data port.
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

#define CARD                                                                \
	TOP "registers:\n"                                                  \
	    "  GO: { at: io+0x00, fields: { T: 0, F: 1 } }\n"               \
	    "  LEN: { at: io+0x02 write, size: 16 }\n"                      \
	    "  AT: { at: io+0x04 write, size: 16 }\n"                       \
	    "  ST: { at: io+0x06, w1c: 0..3, volatile: true }\n"            \
	    "  FR: { at: io+0x08 write, size: 16, w1s: all }\n"             \
	    "  POS: { at: io+0x0a read, size: 16 }\n"                       \
	    "  DATA: { at: io+0x10..0x13, size: 32, width: [ 8, 16, 32 ] "  \
	    "}\n"                                                           \
	    "memories:\n"                                                   \
	    "  ram: { start: 0x1000, size: 0x400, port: DATA, isolate: "    \
	    "scrub }\n"                                                     \
	    "checks:\n"                                                     \
	    "  move: { memory: ram, start: AT, length: LEN, port: DATA, "   \
	    "address: POS, wrap: { from: 0x1400, to: 0x1100 }, refused: { " \
	    "ignore: { ST: 1 }, abort: { ST: 2 } } }\n"                     \
	    "  far: { memory: ram, start: FR << 8, length: 256 }\n"         \
	    "machines:\n"                                                   \
	    "  m:\n"                                                        \
	    "    idle: [ { on: write GO, when: value.T, check: move, "      \
	    "to: moving } ]\n"                                              \
	    "    moving:\n"                                                 \
	    "      - { on: end move, to: idle }\n"                          \
	    "      - { on: write GO, when: '!value.T', to: idle }\n"        \
	    "      - { on: write LEN AT, then: deny }\n"                    \
	    "  f: { any: [ { on: write FR, check: far } ] }\n"              \
	    "interrupt: { line: ST & 0xf, cause: ST }\n"

static void start(unsigned int at, unsigned int len)
{
	stub_write(&s, IO, 4, 2, at);
	stub_write(&s, IO, 2, 2, len);
	stub_write(&s, IO, 0, 1, 1);
	stub_log(&s);
}

static void ranges(void **ctx)
{
	static const struct {
		unsigned int at, len;
		bool ok;
	} cases[] = {
		{ 0x1000, 0x400, true },  { 0x1000, 0x401, true },
		{ 0x1000, 0x700, true },  { 0x1000, 0x701, false },
		{ 0x0fff, 2, false },	  { 0x13ff, 1, true },
		{ 0x13ff, 2, true },	  { 0x13ff, 0x301, true },
		{ 0x13ff, 0x302, false }, { 0x1400, 1, false },
		{ 0x1400, 0, true },	  { 0xffff, 0xffff, false },
		{ 0, 0, false },	  { 0x1200, 0x100, true },
	};
	unsigned int i;

	(void)ctx;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		open_model(CARD);
		start(cases[i].at, cases[i].len);
		if ((s.reports == 0) != cases[i].ok)
			fail_msg("0x%x bytes at 0x%x: %u reports", cases[i].len,
				 cases[i].at, s.reports);
		if (!cases[i].ok) {
			assert_int_equal(s.report.address, cases[i].at);
			assert_int_equal(s.report.length, cases[i].len);
			assert_string_equal(s.report.name, "move");
			assert_string_equal(state("m"), "idle");
			assert_int_equal(stub_latch(&s, "GO"), 0);
			assert_int_equal(s.dmm->guest[0].pending, 1);
		}
		if (i + 1 < ARRAY_LEN(cases))
			stub_close(&s);
	}
}

/* A frame of the card's memory is not longer than the model says. */
static void long_frame(void **ctx)
{
	(void)ctx;
	open_model(TOP
		   "registers:\n"
		   "  LEN: { at: io+0x00 write, size: 16 }\n"
		   "  DATA: { at: io+0x02 }\n"
		   "memories: { ram: { start: 0, size: 0x400, port: DATA, "
		   "isolate: scrub } }\n"
		   "checks: { out: { memory: ram, start: 0, length: LEN, "
		   "frame: true } }\n"
		   "machines: { m: { any: [ { on: write LEN, check: out } ] "
		   "} }\n"
		   "transmit: { max: 100 }\n");
	stub_write(&s, IO, 0, 2, 100);
	assert_int_equal(s.reports, 0);
	stub_write(&s, IO, 0, 2, 101);
	assert_int_equal(s.reports, 1);
	assert_string_equal(s.report.name, "out");
	assert_int_equal(s.report.length, 101);
}

static void refusals(void **ctx)
{
	(void)ctx;
	open_model(CARD);
	s.dmm->conf.guest[0].policy = DMM_ABORT;
	start(0, 5);
	assert_int_equal(s.verdict, DMM_PASS);
	assert_int_equal(stub_read(&s, IO, 6, 1), 2);
	assert_true(s.line[0]);
	stub_write(&s, IO, 6, 1, 2);
	assert_false(s.line[0]);
	assert_int_equal(stub_read(&s, IO, 6, 1), 0);
	s.dmm->conf.guest[0].policy = DMM_MCE; /* is the host's to do */
	start(0, 5);
	assert_int_equal(s.verdict, DMM_PASS);
	assert_int_equal(s.report.policy, DMM_MCE);
	assert_int_equal(s.report.length, 5);
	s.dmm->conf.guest[0].policy = DMM_POLICY_STOP;
	start(0, 5);
	assert_int_equal(s.verdict, DMM_STOP);
	assert_int_equal(s.report.policy, DMM_POLICY_STOP);
	s.dmm->conf.without = DMM_WITHOUT_RANGE;
	start(0, 5);
	assert_string_equal(state("m"), "moving");
}

/* Checks see what the register will hold: here, old bits and new ones. */
static void checks_see_the_latch(void **ctx)
{
	(void)ctx;
	open_model(CARD);
	stub_write(&s, IO, 8, 2, 0x10);
	stub_write(&s, IO, 8, 2, 0x03);
	assert_int_equal(s.reports, 0);
	assert_int_equal(stub_latch(&s, "FR"), 0x13);
	stub_write(&s, IO, 8, 2, 0x04); /* 0x17 */
	assert_int_equal(s.reports, 1);
	assert_int_equal(s.report.address, 0x1700);
	assert_int_equal(stub_latch(&s, "FR"), 0x13);
}

static void transfer(unsigned int width, unsigned int count, bool write,
		     uint8_t *data)
{
	struct dmm_access a = { .space = IO,
				.off = 0x10,
				.data = data,
				.count = count,
				.width = (uint8_t)width,
				.write = write };

	assert_int_equal(dmm_access(s.dmm, 0, &a), DMM_PASS);
	assert_int_equal(a.done, count);
}

static void transfers(void **ctx)
{
	uint8_t data[64];

	(void)ctx;
	open_model(CARD);
	memset(data, 0, sizeof(data));
	s.says[IO][0x10] = 0x77;
	transfer(1, 4, false, data); /* nothing allowed */
	assert_memory_equal(data, "\xff\xff\xff\xff", 4);
	assert_string_equal(stub_log(&s), "");
	start(0x1000, 10);
	memset(data, 0, sizeof(data));
	transfer(1, 4, false, data);
	assert_memory_equal(data, "\x77\x77\x77\x77", 5);
	assert_string_equal(stub_log(&s), "R0+10.1*4 ");
	assert_string_equal(state("m"), "moving");
	stub_write(&s, IO, 4, 2, 0); /* not in mid-transfer */
	assert_int_equal(s.report.offence, DMM_DENIED);
	transfer(4, 2, true, data); /* six are left: two of them */
	assert_string_equal(state("m"), "idle");
	stub_log(&s);
	transfer(4, 1, true, data);
	assert_string_equal(stub_log(&s), "");
	/* none: it ends at once */
	start(0x1000, 0);
	assert_string_equal(state("m"), "idle");
	/* given up: what is left is denied */
	start(0x1000, 10);
	transfer(2, 1, true, data);
	stub_write(&s, IO, 0, 1, 0);
	stub_log(&s);
	transfer(2, 1, true, data);
	assert_string_equal(stub_log(&s), "");
	/* beyond what is left, and across the wrap */
	start(0x13f8, 16);
	transfer(2, 10, true, data);
	assert_string_equal(stub_log(&s), "W0+10.2*4 W0+10.2*4 ");
	assert_int_equal(stub_count(&s, DMM_DENY), 4 + 1 + 1 + 1 + 2);
}

#define T(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ranges),    T(long_frame),
		T(refusals),  T(checks_see_the_latch),
		T(transfers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
