/* SPDX-License-Identifier: MIT */
/*
 * report.h: what a run came to: a table for people, JSON for programs.
 */

#ifndef VMM_REPORT_H
#define VMM_REPORT_H

#include <stdio.h>

#include "../dmm/dmm.h"

struct report_guest {
	const char *name;
	const char *status;	      /* "ok", or how it ended */
	unsigned int reboots;	      /* in between */
	struct dmm_guest_stats stats; /* over all its devices */
};

struct report_device {
	const char *name;
	const char *model;
	unsigned int model_lines;
	bool rings; /* it transmits by rings of descriptors */
	struct dmm_stats stats;
	uint64_t unheard; /* frames the device did not take; ~0: not known */
};

struct report {
	struct report_guest *guest;
	size_t guests;
	struct report_device *device;
	size_t devices;
};

/* Room for so many, all zero; report_fini() gives it back. */
void report_init(struct report *r, size_t guests, size_t devices);
void report_fini(struct report *r);

/* Add up what a guest's devices counted. */
/* What (r) is of, beside the rule: a range, or an access; "" for neither. */
void report_range(const struct dmm_model *model, const struct dmm_report *r,
		  char *text, size_t room);
void report_add(struct dmm_guest_stats *sum, const struct dmm_guest_stats *s);

/* Tables in at most 100 columns; (colour): headings stand out. */
void report_print(const struct report *r, FILE *to, bool colour);

/* One JSON object; -EIO if something did not reach the file. */
MUST_CHECK int report_json(const struct report *r, FILE *to);

#endif /* VMM_REPORT_H */
