/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tracefile.c: any bytes as a trace that is shown, cut, merged with
 * itself, and made into every other format.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT "/dev/null"

/* What is said of an input is not looked at; what the fuzzer says is. */
static void hush(bool on)
{
	static int silent = -1, loud = -1;

	if (silent < 0) {
		silent = open(OUT, O_WRONLY | O_CLOEXEC);
		loud = dup(STDERR_FILENO);
	}
	fflush(stderr);
	if (dup2(on ? silent : loud, STDERR_FILENO) < 0)
		abort();
}

static void show(const char *path)
{
	struct trace_packet p;
	struct tracefile f;
	char *why = NULL, words[256];
	uint64_t n = 0;

	if (tracefile_open(&f, path, &why))
		abort();
	while (tracefile_packet(&f, &p)) {
		if (f.number <= n)
			abort();
		n = f.number;
		if (p.ours && p.head.kind == TRACE_MODEL)
			tracefile_model(&f, &p);
		if (p.ours)
			tracefile_text(&f, &p, words, sizeof(words));
	}
	if (f.reader.at > f.reader.len)
		abort();
	tracefile_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "chrome", "csv", "pcap",
					       "qtest" };
	static char path[64];
	static int fd = -1;
	struct export_conf conf = { .function = 3 << 3 };
	const char *both[2] = { path, path };
	size_t i;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	tracecut_init(&conf.cut);
	hush(true);
	show(path);
	(void)!trace_cut(path, &conf.cut, OUT);
	if (size) { /* some of it, as the last bytes say */
		conf.cut.first = data[size - 1];
		conf.cut.kinds = data[size / 2] ? data[size / 2] : 0;
		(void)!trace_cut(path, &conf.cut, OUT);
	}
	tracecut_init(&conf.cut);
	(void)!trace_merge(both, 2, OUT);
	for (i = 0; i < ARRAY_LEN(formats); i++)
		(void)!export_trace(formats[i], path, &conf, OUT);
	hush(false);
	return 0;
}
