/* SPDX-License-Identifier: MIT */
/*
 * record.c: what a record costs, and how fast a trace is replayed: a recorded
 * session of a Linux driver with an NE2000, shown to a monitor whose device is
 * the trace, with and without a recorder; then the file, to a fresh monitor.
 *
 *   record [FILE]	keep the file
 *
 * VPIO_BENCH_QUICK=1 in the environment makes it few runs.  Run it from the
 * top of the tree; exit status 77 if there is no trace.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../replay.h"
#include "vmm/file.h"
#include "vmm/record.h"
#include "vmm/replays.h"

#define RUNS 15
#define RUNS_QUICK 3

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct bench {
	struct trace trace;
	struct dmm_model *model;
	const char *text; /* the model's */
	size_t len;
	const char *file;
	unsigned int runs;
};

static void die(const char *what, char *why)
{
	fprintf(stderr, "%s: %s\n", what, why ? why : "?");
	exit(1);
}

/* One pass over the trace: nanoseconds of this thread. */
static uint64_t pass(const struct bench *b, struct record *r, struct echo *e)
{
	uint64_t start = cpu_ns();
	struct dmm_access a;
	uint8_t data[8];
	size_t i;

	for (i = 0; i < b->trace.n; i++) {
		const struct qlog_access *q = &b->trace.access[i];

		e->now_ns += 1000;
		e->at = q;
		e->asked = false;
		memcpy(data, &q->value, sizeof(data));
		a = (struct dmm_access){ .off = q->addr,
					 .data = data,
					 .count = 1,
					 .width = q->size,
					 .write = q->write };
		(void)enter_access(r, e->dmm, 0, &a, 0);
		e->at = NULL;
	}
	return cpu_ns() - start;
}

static struct record *open_echo(const struct bench *b, struct recorder *rec,
				struct echo *e)
{
	struct dmm_conf conf = { .how = DMM_EXCLUSIVE, .guests = 1 };
	struct dmm_host host = echo_device;
	struct record *r = NULL;
	char *why = NULL;

	*e = (struct echo){ .now_ns = 1 };
	memcpy(conf.guest[0].mac, replay_mac, 6);
	conf.guest[0].has_mac = true;
	conf.guest[0].weight = 1;
	host.ctx = e;
	if (rec)
		r = record_open(rec, 0, b->model, b->text, b->len, &conf,
				&host);
	if (dmm_open(&e->dmm, b->model, &conf, &host, &why))
		die("the monitor", why);
	if (r)
		record_start(r, e->dmm);
	return r;
}

/* The quietest of the runs, in nanoseconds an access. */
static double best_of(const struct bench *b, bool recorded)
{
	const struct record_conf conf = { .path = b->file,
					  .buffer = 256u << 20 };
	static struct machine machine = { .devices = 1, .guests = 1 };
	uint64_t best = UINT64_MAX, ns;
	struct recorder *rec = NULL;
	unsigned int run;
	struct record *r;
	struct echo e;
	char *why = NULL;

	machine.device[0].name = "nic0";
	machine.guest[0] = (struct machine_guest){ .name = "alpha", .uses = 1 };
	for (run = 0; run < b->runs; run++) {
		if (recorded && recorder_open(&rec, &conf, &machine, &why))
			die(b->file, why);
		r = open_echo(b, rec, &e);
		if (rec && recorder_start(rec, &why))
			die(b->file, why);
		ns = pass(b, r, &e);
		if (r)
			record_stop(r);
		echo_close(&e);
		recorder_close(rec);
		if (ns < best)
			best = ns;
	}
	return (double)best / (double)b->trace.n;
}

/* Millions of accesses a second. */
static double replayed(const struct bench *b)
{
	const struct replays_conf conf = { .model = NULL };
	uint64_t best = UINT64_MAX, ns, events = 0;
	struct replays r;
	unsigned int run;

	for (run = 0; run < b->runs; run++) {
		ns = cpu_ns();
		replays_open(&r, &conf);
		replays_file(&r, b->file);
		replays_finish(&r);
		ns = cpu_ns() - ns;
		if (ns < best)
			best = ns;
		if (r.bad || r.results != 1 ||
		    replay_difference(r.result[0]->replay))
			die(b->file, NULL);
		events = replay_summary(r.result[0]->replay)->events;
		replays_close(&r);
	}
	return (double)events * 1000.0 / (double)best;
}

int main(int argc, char **argv)
{
	const char *quick = getenv("VPIO_BENCH_QUICK");
	struct bench b = { .file = argc > 1 ? argv[1] : "record.bench.pcapng",
			   .runs = quick ? RUNS_QUICK : RUNS };
	char *text = NULL, *why = NULL;
	double off, on;

	b.model = replay_model("models/ne2k-pci.yaml");
	if (!b.model || trace_load(&b.trace, "traces", NE2K_TRACE)) {
		puts("no trace here, or no xz");
		return 77;
	}
	if (file_read("models/ne2k-pci.yaml", 1 << 20, &text, &b.len, &why))
		die("the model", why);
	b.text = text;
	off = best_of(&b, false);
	on = best_of(&b, true);
	printf("record: %.1f ns an access without, %.1f with: %.1f more\n", off,
	       on, on - off);
	printf("replay: %.2f million events a second, exact\n", replayed(&b));
	if (argc < 2)
		unlink(b.file);
	trace_free(&b.trace);
	dmm_model_free(b.model);
	free(text);
	return 0;
}
