/* SPDX-License-Identifier: MIT */
/*
 * table.h: text tables for people: columns as wide as what they hold.
 *
 *   table_open(&t);
 *   table_column(&t, "guest", TABLE_LEFT);
 *   table_column(&t, "frames", TABLE_RIGHT);
 *   table_text(&t, "alpha");
 *   table_count(&t, 1234);		"1,234"
 *   table_print(&t, stdout, false);
 *   table_close(&t);
 *
 * Cells fill the columns from left to right, row by row.
 */

#ifndef VMM_TABLE_H
#define VMM_TABLE_H

#include <stdio.h>

#include "../dmm/cc.h"

#define TABLE_COLUMNS 16

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table {
	unsigned int columns;
	const char *heading[TABLE_COLUMNS];
	enum table_align align[TABLE_COLUMNS];
	char **cell; /* row by row */
	size_t cells, room;
};

void table_open(struct table *t);
void table_close(struct table *t);

/* All columns come before the first cell.  (heading) is borrowed. */
void table_column(struct table *t, const char *heading, enum table_align align);

void table_text(struct table *t, const char *text); /* NULL: "-" */
void table_count(struct table *t, uint64_t n);	    /* by thousands */
void table_time(struct table *t, uint64_t ns);	    /* "1.23 ms" */

/* True if (to) is a terminal whose user wants colour. */
bool table_colour(FILE *to);

/* (colour): headings stand out.  No blank ends a line. */
void table_print(const struct table *t, FILE *to, bool colour);

#endif /* VMM_TABLE_H */
