/* SPDX-License-Identifier: MIT */
/*
 * replays.h: trace files through models: every device of every file, and what
 * came of each.
 *
 * Interface: replays_open(), replays_file() for each file in order,
 * replays_finish(); then look at the results; replays_close().
 *
 * A file that goes on where the one before ended (FILE, FILE.1, ... of a
 * record with a size) is the same trace.
 */

#ifndef VMM_REPLAYS_H
#define VMM_REPLAYS_H

#include <stdio.h>

#include "../dmm/replay.h"
#include "whatif.h"
#include "page.h"

#define REPLAYS_VIOLATIONS 100u /* kept of one device; the rest are counted */

/* A device of a trace. */
struct replays_result {
	const char *file; /* that it begins in */
	unsigned int device;
	unsigned int guests;
	const char *model_file; /* for places in it */
	struct dmm_model *model;
	struct replay *replay;
	bool other_model; /* not the one that was recorded */
	struct replay_violation *violation;
	unsigned int violations; /* of those kept */
	FILE *timeline;
	struct page *page;	      /* NULL: none is wanted */
	struct whatif_counts *counts; /* likewise */
	/* of the trace's interfaces: the device's, its guests'; "": not known */
	char name[32], guest_name[DMM_MAX_GUESTS][32];
	uint64_t first_ns;
	/* a later file has its model again: until its first record comes */
	struct trace_packet again;
	bool is_again;
};

/* How far all are that are at work on it. */
struct replays_progress {
	_Atomic uint64_t done; /* bytes */
	_Atomic unsigned int percent;
	uint64_t total;
};

struct replays_conf {
	const char *model;		   /* NULL: the one in the trace */
	FILE *timeline;			   /* NULL: none */
	bool page;			   /* keep events for replays_page() */
	const struct whatif *what_if;	   /* NULL: nothing */
	struct replays_progress *progress; /* NULL: none is shown */
};

struct replays {
	struct replays_conf conf;
	struct replays_result **result;
	size_t results;
	struct replays_result *at[256]; /* by device, of the file at hand */
	struct replays_map {
		const char *file;
		void *bytes;
		size_t len;
	} * map; /* in order */
	size_t maps;
	bool bad; /* something could not be read, and it was said */
};

void replays_open(struct replays *r, const struct replays_conf *conf);
/* Says on standard error what is wrong, with the offset; then bad is set. */
void replays_file(struct replays *r, const char *path);
void replays_finish(struct replays *r);
/*
 * All of (file), opened and finished, by up to (jobs) threads: a trace each,
 * with what goes on with it.  What comes of it, what is said and the timeline
 * are as by one.
 */
void replays_run(struct replays *r, const struct replays_conf *conf,
		 const char *const file[], size_t files, unsigned int jobs);
void replays_close(struct replays *r);

/* Tables, and one JSON object (-EIO). */
void replays_print(const struct replays *r, FILE *to, bool colour);
MUST_CHECK int replays_json(const struct replays *r, FILE *to);
/* The page (page.h) of all devices (-EIO). */
MUST_CHECK int replays_page(const struct replays *r, FILE *to);

#endif /* VMM_REPLAYS_H */
