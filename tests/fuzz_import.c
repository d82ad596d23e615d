/* SPDX-License-Identifier: MIT */
/*
 * fuzz_import.c: any text as a log of each format that is imported, which its
 * first byte tells; and what becomes of it is a trace that can be read.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/import.h"
#include "vmm/tracefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
	"device: { name: t, match: [ { vendorId: 0x10ec, deviceId: 0x8029 } ]}\n"
	"spaces:\n"
	"  io: { kind: io, bar: 0, size: 0x20 }\n"
	"  m: { kind: mmio, bar: 1, size: 0x40, width: 32 }\n"
	"registers:\n"
	"  CR: { at: io+0x00 }\n"
	"  T: { at: m+0x00, size: 24 }\n";

static struct dmm_model *model;

static void parse(void)
{
	struct diag diag;

	diag_init(&diag, "fuzz.yaml");
	if (dmm_model_parse(&model, text, sizeof(text) - 1, &diag)) {
		char *why = diag_render(&diag, text, sizeof(text) - 1);

		printf("%s", why ? why : "?");
		abort();
	}
	diag_fini(&diag);
}

/* What is said of an input is not looked at; what the fuzzer says is. */
static void hush(bool on)
{
	static int silent = -1, loud = -1;

	if (silent < 0) {
		silent = open("/dev/null", O_WRONLY | O_CLOEXEC);
		loud = dup(STDERR_FILENO);
	}
	fflush(stderr);
	if (dup2(on ? silent : loud, STDERR_FILENO) < 0)
		abort();
}

static const struct import_format *format_of(uint8_t first)
{
	switch (first) {
	case 'm':
		return &import_mmiotrace;
	case 'k':
		return &import_kvm;
	case 't':
		return &import_qtest;
	case 'b':
		return &import_bitvisor;
	default:
		return &import_qemu;
	}
}

/* All packets, and each one in words: a trace of ours is never malformed. */
static void read_back(const char *path)
{
	struct trace_packet p;
	struct tracefile f;
	char *why = NULL, words[256];

	if (tracefile_open(&f, path, &why))
		abort();
	while (tracefile_packet(&f, &p)) {
		if (p.ours && p.head.kind == TRACE_MODEL)
			tracefile_model(&f, &p);
		if (p.ours)
			tracefile_text(&f, &p, words, sizeof(words));
	}
	if (f.bad || f.reader.at != f.reader.len)
		abort();
	tracefile_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct import_conf conf = {
		.bar = { { 0xc000, 0x20, true } }, .function = IMPORT_NOWHERE
	};
	static char path[64];
	static int fd = -1;
	struct traceout out;
	FILE *from, *to;

	if (!model)
		parse();
	if (size < 2)
		return 0;
	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	from = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r");
	to = fopen(path, "w");
	if (!from || !to)
		abort();
	hush(true);
	traceout_begin(&out, to);
	(void)!import_stream(format_of(*data), from, "log", model, &conf, &out);
	if (!traceout_close(&out))
		abort();
	fclose(to);
	fclose(from);
	hush(false);
	read_back(path);
	return 0;
}
