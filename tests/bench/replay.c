/* SPDX-License-Identifier: MIT */
/*
 * replay.c: how fast vpio replay is, and how much memory it takes: a session of
 * a Linux driver with an NE2000, again and again on one monitor, recorded as
 * vpio run does; then vpio replay of that file, in a process of its own.
 *
 *   replay                 1 million events, and 10 million
 *   replay --write FILE N  write a record of about N events, and no more
 *
 * A million events a second is what the fastest of some runs took of one core:
 * user and system time, the model's compilation with it.  The file is cached:
 * it was just written.  VPIO_BENCH_QUICK=1 in the environment: a tenth of it.
 * VPIO is build/vpio unless the environment says so.  Run it from the top of
 * the tree; exit status 77 if there is no trace, 1 if memory grows with the
 * file.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../replay.h"
#include "vmm/file.h"
#include "vmm/record.h"

#define MODEL "models/ne2k-pci.yaml"
#define FILE_NAME "replay.bench.pcapng"
#define MILLION 1000000u
#define RUNS 7
#define RUNS_QUICK 3
#define AIM 10.0	  /* million events a second */
#define GROWTH_KIB 16384L /* that a file ten times as long may cost */

static void die(const char *what, char *why)
{
	fprintf(stderr, "%s: %s\n", what, why ? why : strerror(errno));
	exit(1);
}

/* ---- the file ---- */

struct writer {
	struct trace trace;
	struct dmm_model *model;
	struct record *record;
	struct echo echo;
	const char *file;
};

static void interrupt(struct writer *w)
{
	struct echo *e = &w->echo;
	bool level = e->isr & e->imr & 0x7f;

	if (level != e->level)
		record_interrupt(w->record, level);
	e->level = level;
}

static uint64_t now(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* As echo_before(), echo_access() and echo_after(), recorded. */
static void show(struct writer *w, const struct qlog_access *q)
{
	struct echo *e = &w->echo;
	uint8_t data[8];
	struct dmm_access a = { .off = q->addr,
				.data = data,
				.count = 1,
				.width = q->size,
				.write = q->write };

	if (!q->write && q->addr == 0x07 && !e->page) {
		e->isr = (uint8_t)q->value;
		if (e->isr & 0x0a)
			e->cr &= (uint8_t)~0x04;
		interrupt(w);
	}
	e->at = q;
	e->asked = false;
	memcpy(data, &q->value, sizeof(data));
	(void)record_access(w->record, 0, &a, 0);
	e->at = NULL;
	if (q->write && !e->page && (q->addr == 0x07 || q->addr == 0x0f))
		interrupt(w);
}

/* Nothing may be lost: wait until the writer has caught up. */
static void catch_up(const struct writer *w)
{
	const struct timespec nap = { .tv_nsec = 50000000 };
	struct stat before = { .st_size = -1 }, now;

	while (!stat(w->file, &now) && now.st_size != before.st_size) {
		before = now;
		nanosleep(&nap, NULL);
	}
}

static void write_file(struct writer *w, size_t events)
{
	const struct record_conf conf = { .path = w->file,
					  .buffer = 512u << 20 };
	struct dmm_conf dc = { .how = DMM_EXCLUSIVE, .guests = 1 };
	static struct machine machine = { .devices = 1, .guests = 1 };
	struct dmm_host host = echo_device;
	struct recorder *rec;
	char *text = NULL, *why = NULL;
	size_t len, done, i;

	machine.device[0].name = "nic0";
	machine.guest[0] = (struct machine_guest){ .name = "alpha", .uses = 1 };
	if (file_read(MODEL, 1 << 20, &text, &len, &why) ||
	    recorder_open(&rec, &conf, &machine, &why))
		die(w->file, why);
	w->echo = (struct echo){ .now_ns = 0 };
	host.ctx = &w->echo;
	host.now = now;
	memcpy(dc.guest[0].mac, replay_mac, 6);
	dc.guest[0].has_mac = true;
	dc.guest[0].weight = 1;
	w->record = record_open(rec, 0, w->model, text, len, &dc, &host);
	if (dmm_open(&w->echo.dmm, w->model, &dc, &host, &why))
		die("the monitor", why);
	record_start(w->record, w->echo.dmm);
	if (recorder_start(rec, &why))
		die(w->file, why);
	for (done = 0; done < events; done += i) {
		for (i = 0; i < w->trace.n; i++)
			show(w, &w->trace.access[i]);
		catch_up(w);
	}
	record_stop(w->record);
	echo_close(&w->echo);
	if (!recorder_close(rec))
		die(w->file, NULL);
	free(text);
}

/* ---- vpio replay ---- */

struct run {
	double seconds; /* of one core */
	long kib;	/* resident at most, the file's pages too */
};

static struct run replay(const char *file)
{
	const char *vpio = getenv("VPIO") ? getenv("VPIO") : "build/vpio";
	struct rusage u;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork", NULL);
	if (!pid) {
		execl(vpio, vpio, "replay", "--quiet", file, NULL);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &u) < 0)
		die("wait", NULL);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("vpio replay", "it failed");
	return (struct run){
		.seconds =
			(double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
			(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
		.kib = u.ru_maxrss,
	};
}

/* Events in it: they are what the trace has, so many times, and interrupts. */
static struct run measure(struct writer *w, size_t events, unsigned int runs)
{
	struct run best = { .seconds = 1e9 }, one;
	struct stat st;

	write_file(w, events);
	if (stat(w->file, &st))
		die(w->file, NULL);
	events = (events + w->trace.n - 1) / w->trace.n * w->trace.n;
	while (runs--) {
		one = replay(w->file);
		if (one.seconds < best.seconds)
			best.seconds = one.seconds;
		if (one.kib > best.kib)
			best.kib = one.kib;
	}
	printf("%8.2f M events, %6.0f MiB: %6.2f M events a second, "
	       "%4.0f MiB a second, resident %.1f MiB\n",
	       (double)events / MILLION, (double)st.st_size / 1048576,
	       (double)events / best.seconds / MILLION,
	       (double)st.st_size / best.seconds / 1048576,
	       (double)best.kib / 1024);
	fflush(stdout);
	return best;
}

int main(int argc, char **argv)
{
	bool quick = getenv("VPIO_BENCH_QUICK");
	size_t events = quick ? MILLION / 10 : MILLION;
	unsigned int runs = quick ? RUNS_QUICK : RUNS;
	struct writer w = { .model = replay_model(MODEL), .file = FILE_NAME };
	struct run few, many;
	int status = 0;

	if (!w.model || trace_load(&w.trace, "traces", NE2K_TRACE)) {
		puts("no trace here, or no xz");
		return 77;
	}
	if (argc == 4 && !strcmp(argv[1], "--write")) {
		w.file = argv[2];
		write_file(&w, strtoul(argv[3], NULL, 0));
	} else {
		few = measure(&w, events, runs);
		many = measure(&w, 10 * events, runs);
		unlink(w.file);
		printf("The aim is %.0f M events a second.\n", AIM);
		if (many.kib > few.kib + GROWTH_KIB) {
			puts("Memory grows with the file.");
			status = 1;
		}
	}
	trace_free(&w.trace);
	dmm_model_free(w.model);
	return status;
}
