/* SPDX-License-Identifier: MIT */
/*
 * test_replay.c: stock Linux drivers' recorded sessions, as records of a trace
 * that has accesses alone, against the models: no violation, few steps; and
 * that a record which is complete must come out as it was.
 *
 * Usage: test_replay [DIRECTORY of the traces]; without them it skips.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dmm/replay.h"
#include "replay.h"
#include "stub.h"

static const char *traces = "traces";

/* ---- records in memory ---- */

struct records {
	struct replay *replay;
	uint64_t sequence, number, ns;
	uint8_t body[512];
	uint64_t violations;
};

static void on_violation(void *ctx, const struct replay_at *at,
			 const struct dmm_report *report)
{
	struct records *rec = ctx;

	if (rec->violations++ < 5)
		print_message("# packet %llu: %s: %s, line %u\n",
			      (unsigned long long)at->number, report->name,
			      report->rule, report->line);
}

static struct trace_packet packet(struct records *rec, enum trace_kind kind,
				  uint8_t guest, size_t len)
{
	return (struct trace_packet){
		.block = TRACE_BLOCK_PACKET,
		.ns = rec->ns,
		.ours = true,
		.head = { .version = TRACE_VERSION,
			  .kind = (uint8_t)kind,
			  .guest = guest,
			  .len = (uint32_t)len,
			  .sequence = rec->sequence++ },
		.body = rec->body,
	};
}

static void open_records(struct records *rec, const struct dmm_model *model,
			 bool complete)
{
	const struct replay_sink sink = { .ctx = rec,
					  .violation = on_violation };
	struct trace_model m = { .how = DMM_EXCLUSIVE,
				 .antispoof = true,
				 .guests = 1,
				 .complete = complete };
	struct trace_guest g = { .has_mac = 1, .weight = 1 };
	struct trace_packet p;
	char *why = NULL;

	memset(rec, 0, sizeof(*rec));
	rec->ns = 1;
	memcpy(g.mac, replay_mac, 6);
	memcpy(rec->body, &m, sizeof(m));
	memcpy(rec->body + sizeof(m), &g, sizeof(g));
	p = packet(rec, TRACE_MODEL, TRACE_NOBODY, sizeof(m) + sizeof(g) + 3);
	if (replay_open(&rec->replay, model, &p, &sink, &why))
		fail_msg("%s", why ? why : "?");
}

static void put_access(struct records *rec, unsigned int space,
		       const struct qlog_access *q)
{
	struct trace_access a = { .off = q->addr,
				  .count = 1,
				  .done = 1,
				  .space = (uint8_t)space,
				  .width = q->size,
				  .write = q->write,
				  .path = DMM_FORWARD };
	struct trace_packet p;

	rec->ns += 1000;
	memcpy(rec->body, &a, sizeof(a));
	memcpy(rec->body + sizeof(a), &q->value, q->size);
	p = packet(rec, TRACE_ACCESS, 0, sizeof(a) + q->size);
	assert_int_equal(replay_record(rec->replay, &p, ++rec->number), 0);
}

/* ---- the recorded drivers ---- */

static unsigned int space_of(const struct dmm_model *model, unsigned int bar)
{
	struct dmm_space s;
	unsigned int i;

	for (i = 0; dmm_model_space(model, i, &s); i++)
		if (!s.window && s.bar == bar)
			return i;
	return 99;
}

static void replay_driver(const char *file, const char *model_file,
			  unsigned int steps_one_in)
{
	struct dmm_model *model = replay_model(model_file);
	const struct replay_summary *s;
	struct dmm_guest_stats stats;
	struct trace trace;
	struct records rec;
	uint64_t sum = 0;
	size_t i;

	if (!model || trace_load(&trace, traces, file)) {
		dmm_model_free(model);
		skip();
	}
	open_records(&rec, model, false);
	for (i = 0; i < trace.n; i++)
		put_access(&rec, space_of(model, trace.access[i].bar),
			   &trace.access[i]);
	replay_end(rec.replay);
	s = replay_summary(rec.replay);
	dmm_guest_stats(replay_dmm(rec.replay), 0, &stats);
	for (i = 0; i < DMM_PATHS; i++) {
		sum += stats.accesses[i];
		print_message("# %s: %s %llu\n", model_file,
			      dmm_path_name((enum dmm_path)i),
			      (unsigned long long)stats.accesses[i]);
	}
	assert_int_equal(s->violations, 0);
	assert_int_equal(s->events, trace.n);
	assert_int_equal(sum, trace.n);
	assert_int_equal(s->held, 0);
	if (steps_one_in)
		assert_true(stats.accesses[DMM_HOOK] * steps_one_in <= sum);
	replay_close(rec.replay);
	dmm_model_free(model);
	trace_free(&trace);
}

static void test_ne2k(void **state)
{
	(void)state;
	replay_driver(NE2K_TRACE, "models/ne2k-pci.yaml", 100);
}

static void test_e1000(void **state)
{
	(void)state;
	replay_driver("linux-6.1-e1000.qemu.log.xz", "models/e1000.yaml", 0);
}

/* ---- what must come out as it was ---- */

#define MODEL                                      \
	"device: { name: t }\n"                    \
	"spaces:\n"                                \
	"  io: { kind: io, bar: 0, size: 0x10 }\n" \
	"registers:\n"                             \
	"  COMMAND: { at: io+0x00 }\n"             \
	"  STATUS: { at: io+0x01 read }\n"

static void put_call(struct records *rec, const struct trace_call *call)
{
	static struct trace_call kept[8]; /* until their entry */
	struct trace_call *to = &kept[rec->sequence % 8];
	struct trace_packet p;

	*to = *call;
	p = packet(rec, TRACE_HOST, call->guest, sizeof(*call));
	p.body = (const uint8_t *)to;
	assert_int_equal(replay_record(rec->replay, &p, ++rec->number), 0);
}

/* The guest reads status; the device says (value); the guest got (got). */
static void read_status(struct records *rec, uint64_t off, uint8_t value,
			uint8_t got)
{
	put_call(rec, &(struct trace_call){ .what = TRACE_READ,
					    .width = 1,
					    .guest = TRACE_NOBODY,
					    .at = off,
					    .value = value,
					    .count = 1 });
	put_access(rec, 0,
		   &(struct qlog_access){ .addr = 1, .value = got, .size = 1 });
}

static const struct replay_difference *exact(struct stub *s, uint64_t off,
					     uint8_t value, uint8_t got,
					     struct records *rec)
{
	stub_model(s, MODEL);
	open_records(rec, s->model, true);
	/* opening: what the device says of itself, and the time */
	put_call(rec, &(struct trace_call){ .what = TRACE_READ,
					    .width = 1,
					    .guest = TRACE_NOBODY,
					    .at = 1,
					    .count = 1 });
	put_call(rec, &(struct trace_call){ .what = TRACE_NOW,
					    .guest = TRACE_NOBODY,
					    .value = 5 });
	read_status(rec, off, value, got);
	read_status(rec, 1, 0x12, 0x12);
	replay_end(rec->replay);
	return replay_difference(rec->replay);
}

static void test_exact(void **state)
{
	static const struct {
		uint64_t off;
		uint8_t value, got;
		const char *expected, *came;
	} cases[] = {
		{ 1, 0x34, 0x34, NULL, NULL },
		{ 1, 0x34, 0x35, "byte 0 is 0x35", "byte 0 is 0x34" },
		{ 2, 0x34, 0x34, "host read space 0 + 0x2, 1 bytes, 1 times",
		  "host read space 0 + 0x1, 1 bytes, 1 times" },
	};
	const struct replay_difference *d;
	static struct stub s;
	struct records rec;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		d = exact(&s, cases[i].off, cases[i].value, cases[i].got, &rec);
		if (!cases[i].expected) {
			if (d)
				fail_msg("%s; %s", d->expected, d->came);
			assert_int_equal(replay_summary(rec.replay)->events, 2);
		} else {
			assert_non_null(d);
			assert_string_equal(d->expected, cases[i].expected);
			assert_string_equal(d->came, cases[i].came);
		}
		replay_close(rec.replay);
		stub_close(&s);
	}
}

static void test_gap(void **state)
{
	static struct stub s;
	struct records rec;

	(void)state;
	stub_model(&s, MODEL);
	open_records(&rec, s.model, true);
	rec.sequence += 3;
	read_status(&rec, 1, 0, 0);
	replay_end(rec.replay);
	assert_null(replay_difference(rec.replay));
	assert_int_equal(replay_summary(rec.replay)->lost, 3);
	assert_int_equal(replay_summary(rec.replay)->events, 0);
	replay_close(rec.replay);
	stub_close(&s);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_ne2k),
		cmocka_unit_test(test_e1000),
	};

	if (argc > 1)
		traces = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
