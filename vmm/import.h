/* SPDX-License-Identifier: MIT */
/*
 * import.h: logs of other programs made into traces.
 *
 * Interface: import_trace() for the user.  For a format (import_NAME.c, and a
 * line in import.c's table): its function takes a line at a time and says what
 * it found by the functions below.  Where a device's BARs are follows from the
 * config accesses among that, from the format's own lines, or from the user.
 *
 * A line that starts as one that matters and is not one is told with its
 * number; what else could be read is kept.
 */

#ifndef VMM_IMPORT_H
#define VMM_IMPORT_H

#include <stdio.h>

#include "models.h"
#include "traceout.h"

#define IMPORT_BARS 6
#define IMPORT_FUNCTIONS 64 /* PCI functions that are told apart */
#define IMPORT_NOWHERE 0xffffffffu

struct import_bar {
	uint64_t addr, size; /* size 0: as the model says */
	bool mapped;
};

struct import_conf {
	struct import_bar bar[IMPORT_BARS];
	uint32_t function; /* bus << 8 | device << 3 | function, or NOWHERE */
};

/* A PCI function that the log tells of. */
struct import_function {
	uint32_t where; /* as above; NOWHERE: the user's own BARs */
	uint16_t vendor, device;
	bool has_id;
	struct import_bar bar[IMPORT_BARS];
	bool sizing[IMPORT_BARS]; /* ones were written: the size is read next */
	bool wide[IMPORT_BARS];	  /* the next register has its upper half */
	uint8_t irq;		  /* interrupt line; 0: not known */
	bool level;		  /* of it */
};

struct import {
	const struct import_format *format;
	const struct import_conf *conf;
	const char *path;
	void *own;   /* of the format: its own_size bytes, zero at first */
	uint64_t ns; /* of the line at hand; set by formats that have times */
	uint64_t line;
	const struct dmm_model *model;
	const struct model_file *text; /* of it; NULL: is left out */
	struct traceout *out;
	uint64_t sequence;
	struct import_function function[IMPORT_FUNCTIONS];
	unsigned int functions;
	uint32_t config_address; /* of port 0xcf8 */
	uint64_t accesses, skipped, bad;
	uint64_t first_only; /* strings of which the log has one value */
	uint64_t grouped;    /* accesses that the log counts, and not tells */
};

struct import_format {
	const char *name, *what;
	size_t own_size;
	bool has_times;
	/* A line without its end, which may be written to. */
	void (*line)(struct import *im, char *line);
};

extern const struct import_format import_qemu, import_mmiotrace, import_kvm,
	import_qtest, import_bitvisor;

/* ---- for formats ---- */

/* This line is not what it must be. */
void import_bad(struct import *im, const char *fmt, ...) PRINTF(2, 3);

enum import_kind { IMPORT_ANY, IMPORT_PORT, IMPORT_MEMORY };

struct import_access {
	enum import_kind kind;
	uint64_t addr, value, rip; /* rip 0: not known */
	unsigned int width, vcpu;
	uint32_t count; /* elements, of which value is the first */
	bool write;
};

/* Of a guest, to whatever is there; ports 0xcf8 and 0xcfc are understood. */
void import_access(struct import *im, const struct import_access *a);
/* To BAR (bar) of the function, at a->addr in it. */
void import_bar_access(struct import *im, unsigned int bar,
		       const struct import_access *a);
void import_config(struct import *im, uint32_t where, unsigned int off,
		   unsigned int width, bool write, uint64_t value);
/* What the log says itself of a function. */
void import_id(struct import *im, uint32_t where, uint16_t vendor,
	       uint16_t device);
void import_map(struct import *im, uint32_t where, unsigned int bar,
		uint64_t addr, uint64_t size);
void import_unmap(struct import *im, uint32_t where, unsigned int bar);
/* An interrupt line of the machine. */
void import_irq(struct import *im, unsigned int irq, bool level);
/* The log says that (n) lines are not in it. */
void import_lost(struct import *im, uint64_t n);

/* Step over (word) at (*at); false if it is not there. */
bool import_word(const char **at, const char *word);
/* Step over (word) and a number as C writes it. */
bool import_number(const char **at, const char *word, uint64_t *out);
/* The same, hexadecimal without 0x, or with. */
bool import_hex(const char **at, const char *word, uint64_t *out);
/* (word), then "SECONDS.FRACTION", as nanoseconds. */
bool import_seconds(const char **at, const char *word, uint64_t *ns);
/* "BB:DD.F", after (word). */
bool import_where(const char **at, const char *word, uint32_t *where);
/* 1, 2, 4 or 8. */
bool import_width(uint64_t width);

/* ---- for the user ---- */

/*
 * Make (out) from (path), "-" being standard input, a log in (format), of the
 * accesses that a guest made to the part that (model) describes.  An exit
 * status, after it has been said what is wrong.
 */
int import_trace(const char *format, const char *path, const char *model,
		 const struct import_conf *conf, const char *out);
/* A line for each format. */
void import_help(FILE *to);
/* "N=ADDR+SIZE" or "N=ADDR" into (conf); "BB:DD.F": false if it is none. */
bool import_bar_option(const char *text, struct import_conf *conf);
bool import_function_option(const char *text, struct import_conf *conf);

/* ---- for tests ---- */

/* Lines of (from), with the names and limits of import_trace(). */
int import_stream(const struct import_format *format, FILE *from,
		  const char *path, const struct dmm_model *model,
		  const struct import_conf *conf, struct traceout *out);

#endif /* VMM_IMPORT_H */
