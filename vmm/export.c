// SPDX-License-Identifier: MIT
/*
 * export.c: the table of formats that traces can be made into.
 */

#include "export.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "traceout.h"

static const struct {
	const char *name, *what;
	void (*run)(struct exporting *e);
} formats[] = {
	{ "chrome", "JSON for Perfetto: a lane a guest, device, machine",
	  export_chrome },
	{ "csv", "a line a packet", export_csv },
	{ "pcap", "the Ethernet frames", export_pcap },
	{ "qtest", "a script for a stock QEMU", export_qtest },
};

void export_help(FILE *to)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(formats); i++)
		fprintf(to, "  %-10s %s\n", formats[i].name, formats[i].what);
}

bool export_next(struct exporting *e, struct trace_packet *p)
{
	while (!e->bad && tracefile_packet(e->f, p)) {
		if (!e->named && !tracecut_names(&e->conf->cut, e->f,
						 &e->device, &e->guest)) {
			e->bad = true;
			return false;
		}
		e->named = true;
		if (p->ours && p->head.kind == TRACE_MODEL) {
			tracefile_model(e->f, p);
			if (e->device < 0 || e->device == p->head.device)
				return true;
		} else if (tracecut_wants(&e->conf->cut, e->f, p, e->device,
					  e->guest)) {
			return true;
		}
	}
	return false;
}

uint64_t export_ns(const struct exporting *e, const struct trace_packet *p)
{
	return p->ns > e->f->start_ns ? p->ns - e->f->start_ns : 0;
}

static void no_format(const char *format)
{
	const char *names[ARRAY_LEN(formats)], *near;
	size_t i;

	for (i = 0; i < ARRAY_LEN(formats); i++)
		names[i] = formats[i].name;
	near = diag_nearest(format, names, ARRAY_LEN(formats));
	if (near)
		fatalx("trace export: no format is called \"%s\"; did you "
		       "mean \"%s\"?",
		       format, near);
	fatalx("trace export: no format is called \"%s\"; see vpio help trace",
	       format);
}

int export_trace(const char *format, const char *path,
		 const struct export_conf *conf, const char *out)
{
	struct exporting e = { .conf = conf };
	struct tracefile f;
	char *why = NULL;
	bool whole;
	size_t i;

	for (i = 0; i < ARRAY_LEN(formats); i++)
		if (!strcmp(formats[i].name, format))
			break;
	if (i == ARRAY_LEN(formats))
		no_format(format);
	if (tracefile_open(&f, path, &why)) {
		log_errorx("%s", why);
		free(why);
		return EXIT_BAD_INPUT;
	}
	e.f = &f;
	e.to = traceout_file(out, &f, 1);
	formats[i].run(&e);
	whole = !fflush(e.to) && !ferror(e.to);
	if (e.to != stdout)
		whole &= !fclose(e.to);
	if (!whole)
		log_warnx("%s could not be written whole", out);
	tracefile_close(&f);
	if (!whole)
		return EXIT_BAD_RUN;
	return e.bad || f.bad ? EXIT_BAD_INPUT : 0;
}
