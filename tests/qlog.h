/* SPDX-License-Identifier: MIT */
/*
 * qlog.h: reads the accesses to one device from a log that QEMU wrote, such as
 * those in traces/.
 *
 *	struct qlog log;
 *	struct qlog_access access;
 *
 *	qlog_init_file(&log, popen("xz -dc x.qemu.log.xz", "r"), "ne2000");
 *	while ((ret = qlog_next(&log, &access)) > 0)
 *		use(&access);
 *
 * Lines are as QEMU's log backend writes its trace events; of these matter
 *
 *	memory_region_ops_read|write cpu N mr 0x.. addr 0xABS value 0x..
 *		size N name 'REGION'			(one line)
 *	pci_update_mappings_add NAME BDF BAR,0xADDR+0xSIZE
 *
 * and all others are skipped.  Which BAR an access belongs to, and where in it,
 * follows from the mapping that was added last and holds its address.
 */

#ifndef TESTS_QLOG_H
#define TESTS_QLOG_H

#include <stdio.h>

#include "dmm/cc.h"

#define QLOG_LINE 512u
#define QLOG_BARS 7u /* six, and the expansion ROM */

struct qlog_access {
	uint64_t addr;	/* in the BAR */
	uint64_t value; /* no wider than size; the log's may be */
	uint8_t size;	/* bytes: 1, 2, 4 or 8 */
	uint8_t bar;
	bool write;
};

struct qlog {
	FILE *file;	  /* borrowed; or */
	const char *text; /* what is left of a text, borrowed */
	size_t left;
	const char *region; /* borrowed */
	struct qlog_map {
		uint64_t addr, size; /* size 0: not mapped */
		uint64_t order;
	} bar[QLOG_BARS];
	uint64_t line;	   /* last one read, from 1 */
	uint64_t unmapped; /* accesses skipped: in no mapping seen so far */
	char buf[QLOG_LINE];
};

/* Read the accesses to the region named (region), or to any if it is NULL. */
void qlog_init_file(struct qlog *q, FILE *file, const char *region);
void qlog_init_text(struct qlog *q, const char *text, size_t len,
		    const char *region);

/*
 * The next access: 1 and (*out); 0 at the end; -EINVAL if line q->line starts
 * as one that matters and is not one; -EIO if the file cannot be read.
 */
MUST_CHECK int qlog_next(struct qlog *q, struct qlog_access *out);

#endif /* TESTS_QLOG_H */
