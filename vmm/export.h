/* SPDX-License-Identifier: MIT */
/*
 * export.h: traces into formats of other programs.
 *
 * Interface: export_trace() for the user; a format is a line in export.c's
 * table and a file of its own, which takes packets by export_next() and writes
 * to e->to.
 */

#ifndef VMM_EXPORT_H
#define VMM_EXPORT_H

#include <stdio.h>

#include "tracecut.h"

#define EXPORT_BARS 6

struct export_conf {
	struct tracecut cut; /* what of the trace */
	/* a script's: where the device's BARs are to be, 0: anywhere */
	uint64_t bar[EXPORT_BARS];
	unsigned int function; /* bus << 8 | device << 3 | function */
};

struct exporting {
	const struct export_conf *conf;
	struct tracefile *f;
	FILE *to;
	int device, guest; /* that are wanted, -1: all */
	bool named;
	bool bad; /* it cannot be exported, and it was said */
};

/* The next packet that is wanted, and every model; false at the end. */
bool export_next(struct exporting *e, struct trace_packet *p);
/* Nanoseconds behind the first packet of the file. */
uint64_t export_ns(const struct exporting *e, const struct trace_packet *p);

void export_qtest(struct exporting *e);
void export_chrome(struct exporting *e);
void export_pcap(struct exporting *e);
void export_csv(struct exporting *e);

/*
 * (path) in (format) into (out), "-" being standard output.  An exit status,
 * after it was said what is wrong.
 */
int export_trace(const char *format, const char *path,
		 const struct export_conf *conf, const char *out);
/* A line for each format. */
void export_help(FILE *to);

#endif /* VMM_EXPORT_H */
