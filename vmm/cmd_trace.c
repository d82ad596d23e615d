// SPDX-License-Identifier: MIT
/*
 * cmd_trace.c: vpio trace: what is in a trace, and what differs between two.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "import.h"
#include "log.h"
#include "options.h"
#include "tracefile.h"

enum { OPTION_OUT, OPTION_MODEL, OPTION_JSON, OPTION_HELP, OPTIONS };

static const struct option_spec specs[OPTIONS] = {
	[OPTION_OUT] = { 'o', "out", "FILE", "import: write the trace there" },
	[OPTION_MODEL] = { 0, "model", "NAME",
			   "import: the model that the accesses are for" },
	[OPTION_JSON] = { 0, "json", NULL, "cat: an object a line" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

static void help(void)
{
	puts("usage: vpio trace info FILE...\n"
	     "       vpio trace cat [--json] FILE\n"
	     "       vpio trace diff FILE FILE\n"
	     "       vpio trace import FORMAT FILE --model NAME -o FILE\n\n"
	     "Traces are pcapng: Wireshark and its tools read them, too.\n"
	     "FORMAT is qemu: a log that QEMU wrote of memory_region_ops_*.\n");
	options_help(specs, OPTIONS, stdout);
	puts("\nExit status: 0, 1 if two traces differ, 2 if a file is not\n"
	     "what it must be.");
}

/* The next block, or the end; false after it was said what is wrong. */
static bool next(struct tracefile *f, const char *path, struct trace_packet *p,
		 bool *end)
{
	int err = trace_next(&f->reader, p);

	*end = err == -ENODATA;
	if (err == -ENODATA && f->reader.at < f->reader.len)
		log_warnx("%s: cut off at offset %zu", path, f->reader.at);
	if (err && err != -ENODATA)
		log_warnx("%s: not a trace at offset %zu", path, p->offset);
	return !err || err == -ENODATA;
}

static bool opened(struct tracefile *f, const char *path)
{
	char *why = NULL;

	if (!tracefile_open(f, path, &why))
		return true;
	log_warnx("%s", why ? why : path);
	free(why);
	return false;
}

/* ---- info ---- */

struct counts {
	uint64_t kind[TRACE_KINDS], frames, first, last, packets;
};

static void count(struct counts *c, const struct trace_packet *p)
{
	char text[256];

	if (p->block != TRACE_BLOCK_PACKET)
		return;
	if (!c->packets++ || p->ns < c->first)
		c->first = p->ns;
	if (p->ns > c->last)
		c->last = p->ns;
	if (!p->ours) {
		c->frames++;
		return;
	}
	if (p->head.kind < TRACE_KINDS)
		c->kind[p->head.kind]++;
	if (p->head.kind == TRACE_MODEL) {
		tracefile_text(p, text, sizeof(text));
		printf("  device %u: %s\n", p->head.device, text);
	}
}

static int info(const char *path)
{
	struct counts c = { .packets = 0 };
	struct trace_packet p;
	struct tracefile f;
	bool end = false, ok;
	unsigned int i;

	if (!opened(&f, path))
		return EXIT_BAD_INPUT;
	printf("%s: %zu bytes\n", path, f.len);
	while ((ok = next(&f, path, &p, &end)) && !end)
		count(&c, &p);
	printf("  %llu packets in %.3f s, %llu frames\n",
	       (unsigned long long)c.packets, (double)(c.last - c.first) / 1e9,
	       (unsigned long long)c.frames);
	for (i = 1; i < TRACE_KINDS; i++)
		if (c.kind[i])
			printf("  %-12s %llu\n",
			       trace_kind_name((enum trace_kind)i),
			       (unsigned long long)c.kind[i]);
	for (i = 0; i < f.reader.interfaces; i++)
		printf("  interface %u: %s\n", i, f.reader.interface[i].name);
	tracefile_close(&f);
	return ok ? 0 : EXIT_BAD_INPUT;
}

/* ---- cat ---- */

static void print_line(const struct trace_packet *p, uint64_t number)
{
	char text[256];

	if (!p->ours) {
		printf("%llu %llu.%09llu frame on interface %u, %u bytes\n",
		       (unsigned long long)number,
		       (unsigned long long)(p->ns / 1000000000),
		       (unsigned long long)(p->ns % 1000000000), p->interface,
		       p->original);
		return;
	}
	tracefile_text(p, text, sizeof(text));
	printf("%llu %llu.%09llu device %u guest %d %s %s\n",
	       (unsigned long long)number,
	       (unsigned long long)(p->ns / 1000000000),
	       (unsigned long long)(p->ns % 1000000000), p->head.device,
	       p->head.guest == TRACE_NOBODY ? -1 : p->head.guest,
	       trace_kind_name((enum trace_kind)p->head.kind), text);
}

static void print_json(const struct trace_packet *p, uint64_t number)
{
	char text[256] = "";

	if (p->ours)
		tracefile_text(p, text, sizeof(text));
	printf("{\"number\":%llu,\"ns\":%llu,\"kind\":\"%s\",\"device\":%u,"
	       "\"guest\":%d,\"bytes\":%u,\"text\":\"%s\"}\n",
	       (unsigned long long)number, (unsigned long long)p->ns,
	       p->ours ? trace_kind_name((enum trace_kind)p->head.kind) :
			 "frame",
	       p->ours ? p->head.device : 0,
	       p->ours && p->head.guest != TRACE_NOBODY ? p->head.guest : -1,
	       p->original, text);
}

static int cat(const char *path, bool json)
{
	struct trace_packet p;
	struct tracefile f;
	uint64_t number = 0;
	bool end = false, ok;

	if (!opened(&f, path))
		return EXIT_BAD_INPUT;
	while ((ok = next(&f, path, &p, &end)) && !end) {
		if (p.block != TRACE_BLOCK_PACKET)
			continue;
		number++;
		if (json)
			print_json(&p, number);
		else
			print_line(&p, number);
	}
	tracefile_close(&f);
	return ok ? 0 : EXIT_BAD_INPUT;
}

/* ---- diff ---- */

/* The next record of ours; false at the end. */
static bool next_record(struct tracefile *f, const char *path,
			struct trace_packet *p, uint64_t *number, bool *bad)
{
	bool end = false;

	while (next(f, path, p, &end)) {
		if (end)
			return false;
		if (p->block != TRACE_BLOCK_PACKET)
			continue;
		++*number;
		/* times differ from run to run, and so do what they cost */
		if (p->ours && p->head.kind != TRACE_SWITCH)
			return true;
	}
	*bad = true;
	return false;
}

static bool same(const struct trace_packet *a, const struct trace_packet *b)
{
	return a->head.kind == b->head.kind &&
	       a->head.device == b->head.device &&
	       a->head.guest == b->head.guest && a->head.len == b->head.len &&
	       memcmp(a->body, b->body, a->head.len) == 0;
}

static int diff(const char *path[2])
{
	uint64_t number[2] = { 0, 0 };
	struct trace_packet p[2];
	struct tracefile f[2];
	bool bad = false, more[2];
	int status = 0;

	if (!opened(&f[0], path[0]))
		return EXIT_BAD_INPUT;
	if (!opened(&f[1], path[1])) {
		tracefile_close(&f[0]);
		return EXIT_BAD_INPUT;
	}
	for (;;) {
		more[0] = next_record(&f[0], path[0], &p[0], &number[0], &bad);
		more[1] = next_record(&f[1], path[1], &p[1], &number[1], &bad);
		if (bad || (!more[0] && !more[1]))
			break;
		if (more[0] && more[1] && same(&p[0], &p[1]))
			continue;
		status = EXIT_BAD_RUN;
		for (int i = 0; i < 2; i++) {
			printf("%s: ", path[i]);
			if (more[i])
				print_line(&p[i], number[i]);
			else
				puts("the end");
		}
		break;
	}
	tracefile_close(&f[0]);
	tracefile_close(&f[1]);
	return bad ? EXIT_BAD_INPUT : status;
}

/* ---- all ---- */

struct words {
	const char *word[8];
	size_t n;
};

static int run(const struct words *w, const char *out, const char *model,
	       bool json)
{
	const char *verb = w->word[0];
	int status = 0;
	size_t i;

	if (!strcmp(verb, "info") && w->n >= 2) {
		for (i = 1; i < w->n; i++)
			status |= info(w->word[i]);
		return status;
	}
	if (!strcmp(verb, "cat") && w->n == 2)
		return cat(w->word[1], json);
	if (!strcmp(verb, "diff") && w->n == 3)
		return diff((const char *[2]){ w->word[1], w->word[2] });
	if (!strcmp(verb, "import") && w->n == 3) {
		if (!out || !model)
			fatalx("trace import: needs --model NAME and -o FILE");
		return import_trace(w->word[1], w->word[2], model, out);
	}
	fatalx("trace: see vpio help trace");
}

int cmd_trace(int argc, char **argv)
{
	const char *out = NULL, *model = NULL;
	struct words w = { .n = 0 };
	struct options o;
	bool json = false;
	int option;

	options_init(&o, "trace", specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_HELP) {
			help();
			return 0;
		}
		if (option == OPTION_OUT)
			out = o.value;
		else if (option == OPTION_MODEL)
			model = o.value;
		else if (option == OPTION_JSON)
			json = true;
		else if (w.n < ARRAY_LEN(w.word))
			w.word[w.n++] = o.value;
	}
	if (!w.n)
		fatalx("trace: what is to be done? See vpio help trace");
	return run(&w, out, model, json);
}
