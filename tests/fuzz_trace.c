/* SPDX-License-Identifier: MIT */
/*
 * fuzz_trace.c: any bytes as a trace: the reader stays inside and comes to an
 * end, and a replay of what it reads does, too.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmm/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A little of everything that a trace can ask a monitor for. */
static const char text[] =
	"device: { name: t }\n"
	"spaces:\n"
	"  io: { kind: io, bar: 0, size: 0x20 }\n"
	"  m: { kind: mmio, bar: 1, size: 0x40, width: 32 }\n"
	"registers:\n"
	"  CR: { at: io+0x00, fields: { GO: 0, PS: 6..7 }, select: CR & 1 }\n"
	"  A: { at: io+0x01 if CR.PS == 0 }\n"
	"  B: { at: io+0x01 if CR.PS == 1, size: 16 }\n"
	"  STATUS: { at: io+0x04 read }\n"
	"  T: { at: m+0x00, size: 24 }\n"
	"sharing: { how: lease, whenParked: drop }\n"
	"reusable: 1\n"
	"machines:\n"
	"  chip:\n"
	"    idle: [ { on: write CR, when: value.GO == 1, to: busy } ]\n"
	"    busy: [ { on: write CR, when: value.GO == 0, to: idle } ]\n"
	"procedures:\n"
	"  quiesce: [ { write: CR, value: 0 } ]\n"
	"  save: [ { read: CR } ]\n"
	"  restore: [ { write: CR, value: CR } ]\n";

static struct dmm_model *model;

static void parse(void)
{
	struct diag diag;

	diag_init(&diag, "fuzz.yaml");
	if (dmm_model_parse(&model, text, sizeof(text) - 1, &diag)) {
		char *why = diag_render(&diag, text, sizeof(text) - 1);

		fprintf(stderr, "%s", why ? why : "?");
		abort();
	}
	diag_fini(&diag);
}

static void show(struct replay **r, const struct trace_packet *p, uint64_t n)
{
	char *why = NULL;

	if (p->head.kind == TRACE_MODEL && !*r) {
		if (replay_open(r, model, p, NULL, &why))
			*r = NULL;
		free(why);
	} else if (*r) {
		(void)!replay_record(*r, p, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay *r = NULL;
	struct trace_reader tr;
	struct trace_packet p;
	uint64_t n = 0;
	size_t before;
	int err;

	if (!model)
		parse();
	trace_open(&tr, data, size);
	do {
		before = tr.at;
		err = trace_next(&tr, &p);
		if (tr.at > size || (!err && tr.at <= before))
			abort();
		if (!err && p.ours)
			show(&r, &p, ++n);
	} while (!err || (err == -EINVAL && tr.at > before));
	if (r)
		replay_end(r);
	replay_close(r);
	return 0;
}
