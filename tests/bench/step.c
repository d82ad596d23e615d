/* SPDX-License-Identifier: MIT */
/*
 * step.c: what an access costs: recorded traces of Linux drivers with an NE2000
 * and with an 82540EM, held in memory, shown to monitors whose device is the
 * trace.
 *
 *   step          cycles (TSC) an access, by path; "monitor" is without what
 *                 the loop and the stand-in for the device take
 *   step --once   one run and no clock, for callgrind (scripts/bench)
 *
 * VPIO_BENCH_QUICK=1 in the environment makes it few runs.  Run it from the
 * top of the tree; exit status 77 if it cannot, as where there is no trace.
 */

#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "../replay.h"
#include "dmm/replay_impl.h"

#define RUNS 31
#define RUNS_QUICK 3
#define AIM 30.0  /* cycles */
#define DATA 0x10 /* the data port, and what is behind it */

struct bench {
	struct dmm_model *model;
	struct trace trace;
	uint8_t *path; /* of each access, enum dmm_path */
	uint64_t count[DMM_PATHS];
	uint64_t steps;
	uint64_t clock; /* what reading it costs, in cycles */
};

/* Medians over runs; the last is of all accesses together. */
struct result {
	double cycles[DMM_PATHS + 1];
	double best; /* of all accesses: what the quietest run took */
};

static void open_echo(const struct bench *b, struct echo *e)
{
	if (echo_open(e, b->model))
		exit(1);
}

/* Which path each access takes, by the monitor's own counts. */
static void find_paths(struct bench *b)
{
	struct dmm_guest_stats s, last = { 0 };
	struct dmm_stats d;
	struct echo e;
	uint64_t value;
	size_t i;
	int p;

	open_echo(b, &e);
	for (i = 0; i < b->trace.n; i++) {
		echo_before(&e, &b->trace.access[i]);
		if (echo_access(&e, &b->trace.access[i], &value) != DMM_PASS)
			exit(1);
		echo_after(&e, &b->trace.access[i]);
		dmm_guest_stats(e.dmm, 0, &s);
		for (p = 0; p < DMM_PATHS; p++)
			if (s.accesses[p] != last.accesses[p])
				b->path[i] = (uint8_t)p;
		b->count[b->path[i]]++;
		last = s;
	}
	dmm_stats(e.dmm, &d);
	b->steps = d.steps;
	echo_close(&e);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void time_clock(struct bench *b)
{
	double v[1001];
	size_t i;

	for (i = 0; i < ARRAY_LEN(v); i++) {
		uint64_t start = __rdtsc();

		v[i] = (double)(__rdtsc() - start);
	}
	b->clock = (uint64_t)median(v, ARRAY_LEN(v));
}

enum what { ALL, ALL_BUT_MONITOR };

/* As dmm_access(), by a monitor that does nothing but ask the device. */
static __attribute__((noinline)) enum dmm_verdict access_device(
	const struct dmm_host *device, struct echo *e, struct dmm_access *a)
{
	uint64_t value;

	if (a->off >= DATA && a->write) {
		device->write_string(e, 0, a->off, a->width, a->data, 1);
	} else if (a->off >= DATA) {
		device->read_string(e, 0, a->off, a->width, a->data, 1);
	} else if (a->write) {
		memcpy(&value, a->data, sizeof(value));
		device->write(e, 0, a->off, a->width, value);
	} else {
		value = device->read(e, 0, a->off, a->width);
		memcpy(a->data, &value, sizeof(value));
	}
	return DMM_PASS;
}

/* As echo_access(): what all but the monitor costs. */
static inline void no_monitor(struct echo *e, const struct qlog_access *access,
			      uint64_t *value)
{
	struct dmm_access a = { .off = access->addr,
				.data = (uint8_t *)value,
				.count = 1,
				.width = access->size,
				.write = access->write };

	e->at = access;
	e->asked = false;
	*value = access->write ? access->value : 0;
	access_device(&echo_device, e, &a);
	e->at = NULL;
}

/*
 * One run.  The clock is read where the path changes, not for each access; the
 * device's own doings are in no path's time.
 */
static void run(const struct bench *b, enum what what,
		uint64_t cycles[DMM_PATHS])
{
	const struct qlog_access *a = b->trace.access, *end = a + b->trace.n;
	const uint8_t *path = b->path;
	uint64_t value, start, took;
	struct echo e;

	open_echo(b, &e);
	while (a < end) {
		int p = *path;

		if (what == ALL)
			echo_before(&e, a);
		start = __rdtsc();
		do {
			if (what == ALL)
				echo_access(&e, a, &value);
			else
				no_monitor(&e, a, &value);
			a++;
			path++;
		} while (a < end && *path == p && a->addr >= DATA &&
			 a[-1].addr >= DATA);
		took = __rdtsc() - start;
		cycles[p] += took > b->clock ? took - b->clock : 0;
		if (what == ALL)
			echo_after(&e, a - 1);
	}
	echo_close(&e);
}

static struct result measure(const struct bench *b, enum what what, size_t runs)
{
	static double v[DMM_PATHS + 1][RUNS];
	struct result out;
	size_t i;
	int p;

	for (i = 0; i < runs; i++) {
		uint64_t cycles[DMM_PATHS] = { 0 }, sum = 0;

		run(b, what, cycles);
		for (p = 0; p < DMM_PATHS; p++) {
			sum += cycles[p];
			v[p][i] = b->count[p] ? (double)cycles[p] /
							(double)b->count[p] :
						0;
		}
		v[DMM_PATHS][i] = (double)sum / (double)b->trace.n;
	}
	for (p = 0; p <= DMM_PATHS; p++)
		out.cycles[p] = median(v[p], runs);
	out.best = v[DMM_PATHS][0]; /* they are in order now */
	return out;
}

/* ---- the other trace: an 82540EM, whose stand-in is the replay's ---- */

/* Cycles in the host's functions, and how often: to be taken away. */
static struct {
	struct dmm_host real;
	uint64_t cycles, calls;
} host;

#define TIMED(call)                                \
	do {                                       \
		uint64_t start_ = __rdtsc();       \
		call;                              \
		host.cycles += __rdtsc() - start_; \
		host.calls++;                      \
	} while (0)

static uint64_t timed_read(void *ctx, unsigned int space, uint64_t off,
			   unsigned int width)
{
	uint64_t v;

	TIMED(v = host.real.read(ctx, space, off, width));
	return v;
}

static void timed_write(void *ctx, unsigned int space, uint64_t off,
			unsigned int width, uint64_t value)
{
	TIMED(host.real.write(ctx, space, off, width, value));
}

static int timed_read_mem(void *ctx, unsigned int guest, uint64_t gpa, void *to,
			  size_t len)
{
	int err;

	TIMED(err = host.real.read_mem(ctx, guest, gpa, to, len));
	return err;
}

static int timed_write_mem(void *ctx, unsigned int guest, uint64_t gpa,
			   const void *from, size_t len)
{
	int err;

	TIMED(err = host.real.write_mem(ctx, guest, gpa, from, len));
	return err;
}

static struct replay *open_replay(const struct dmm_model *model)
{
	struct trace_model m = { .guests = 1 };
	struct trace_guest g = { .has_mac = 1, .weight = 1 };
	uint8_t body[128] = { 0 };
	struct trace_packet p = {
		.ours = true,
		.head = { .version = TRACE_VERSION, .kind = TRACE_MODEL },
		.body = body,
	};
	struct replay *r = NULL;
	char *why = NULL;

	memcpy(g.mac, replay_mac, 6);
	memcpy(body, &m, sizeof(m));
	memcpy(body + sizeof(m), &g, sizeof(g));
	p.head.len = sizeof(m) + sizeof(g) + 3;
	if (replay_open(&r, model, &p, NULL, &why))
		exit(1);
	/* something without an effect opens the monitor */
	p.head = (struct trace_head){ .version = TRACE_VERSION,
				      .kind = TRACE_TICK,
				      .len = 8,
				      .sequence = 1 };
	if (replay_record(r, &p, 1))
		exit(1);
	host.real = r->dmm->host;
	r->dmm->host.read = timed_read;
	r->dmm->host.write = timed_write;
	r->dmm->host.read_mem = timed_read_mem;
	r->dmm->host.write_mem = timed_write_mem;
	return r;
}

/* Cycles of the monitor alone, of all accesses of one run. */
static uint64_t run_replay(const struct bench *b, const struct dmm_model *model,
			   const struct trace *trace)
{
	struct replay *r = open_replay(model);
	uint64_t sum = 0, start, own, value;
	size_t i;

	for (i = 0; i < trace->n; i++) {
		const struct qlog_access *q = &trace->access[i];
		struct dmm_access a = { .off = q->addr,
					.data = (uint8_t *)&value,
					.count = 1,
					.width = q->size,
					.write = q->write };

		value = q->value;
		replay_echo_before(r, 0, &a);
		host.cycles = host.calls = 0;
		start = __rdtsc();
		(void)dmm_access(r->dmm, 0, &a);
		own = __rdtsc() - start;
		/* a clock that is read twice shows one of them */
		host.cycles += (host.calls + 1) * b->clock;
		sum += own > host.cycles ? own - host.cycles : 0;
		replay_echo_after(r, 0);
	}
	replay_close(r);
	return sum;
}

static void other_trace(const struct bench *b, size_t runs, double first)
{
	struct dmm_model *model = replay_model("models/e1000.yaml");
	struct trace trace;
	double v[RUNS], best;
	size_t i;

	if (!model ||
	    trace_load(&trace, "traces", "linux-6.1-e1000.qemu.log.xz")) {
		dmm_model_free(model);
		return;
	}
	for (i = 0; i < runs; i++)
		v[i] = (double)run_replay(b, model, &trace);
	(void)median(v, runs); /* puts them in order */
	best = v[0];
	printf("\n%zu accesses of a Linux driver with an 82540EM, doorbells "
	       "with all that is\nread and checked behind them: %.1f cycles "
	       "an access in the quietest run; of\nboth traces %.1f.\n",
	       trace.n, best / (double)trace.n,
	       (best + first * (double)b->trace.n) /
		       (double)(trace.n + b->trace.n));
	trace_free(&trace);
	dmm_model_free(model);
}

static void print_line(const char *name, uint64_t n, double all, double own)
{
	printf("%-8s %9llu  %8.1f  %8.1f\n", name, (unsigned long long)n, all,
	       all - own);
}

static void print(const struct bench *b, const struct result *all,
		  const struct result *own, size_t runs)
{
	double best = all->best - own->best;
	int p;

	printf("%zu accesses of a Linux driver, %llu steps of the model; "
	       "medians of %zu runs\n\n",
	       b->trace.n, (unsigned long long)b->steps, runs);
	printf("path      accesses    cycles   monitor\n");
	for (p = 0; p < DMM_PATHS; p++)
		if (b->count[p])
			print_line(dmm_path_name((enum dmm_path)p), b->count[p],
				   all->cycles[p], own->cycles[p]);
	print_line("all", b->trace.n, all->cycles[DMM_PATHS],
		   own->cycles[DMM_PATHS]);
	printf("\n%.1f in the quietest run; the aim is %.0f.\n", best, AIM);
}

static void once(const struct bench *b)
{
	struct echo e;
	struct dmm_stats d;
	uint64_t value;
	size_t i;

	open_echo(b, &e);
	for (i = 0; i < b->trace.n; i++) {
		echo_before(&e, &b->trace.access[i]);
		echo_access(&e, &b->trace.access[i], &value);
		echo_after(&e, &b->trace.access[i]);
	}
	dmm_stats(e.dmm, &d);
	echo_close(&e);
	printf("accesses %zu steps %llu\n", b->trace.n,
	       (unsigned long long)d.steps);
}

int main(int argc, char **argv)
{
	struct bench b = { .model = replay_model("models/ne2k-pci.yaml") };
	size_t runs = getenv("VPIO_BENCH_QUICK") ? RUNS_QUICK : RUNS;
	struct result all, own;

	if (!b.model)
		return 1;
	if (trace_load(&b.trace, "traces", NE2K_TRACE)) {
		printf("no trace in traces/\n");
		dmm_model_free(b.model);
		return 77;
	}
	b.path = calloc(b.trace.n, 1);
	if (!b.path)
		return 1;
	if (argc > 1 && strcmp(argv[1], "--once") == 0) {
		once(&b);
	} else {
		find_paths(&b);
		time_clock(&b);
		own = measure(&b, ALL_BUT_MONITOR, runs);
		all = measure(&b, ALL, runs);
		print(&b, &all, &own, runs);
		other_trace(&b, runs, all.best - own.best);
	}
	free(b.path);
	trace_free(&b.trace);
	dmm_model_free(b.model);
	return 0;
}
