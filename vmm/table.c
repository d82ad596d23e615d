/* SPDX-License-Identifier: MIT */
/*
 * table.c: collect cells, then print them in columns that fit.
 */

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "table.h"
#include "utf8.h"

void table_open(struct table *t)
{
	*t = (struct table){ 0 };
}

void table_close(struct table *t)
{
	for (size_t i = 0; i < t->cells; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct table){ 0 };
}

void table_column(struct table *t, const char *heading, enum table_align align)
{
	assert(t->columns < TABLE_COLUMNS && !t->cells);
	t->heading[t->columns] = heading;
	t->align[t->columns] = align;
	t->columns++;
}

static void add(struct table *t, char *cell)
{
	if (t->cells == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cell = realloc(t->cell, t->room * sizeof(*t->cell));
		if (!t->cell)
			fatalx("no memory for a table");
	}
	t->cell[t->cells++] = cell;
}

void table_text(struct table *t, const char *text)
{
	char *cell = xstrdup(text && *text ? text : "-");

	/* One row, one line, whatever a name holds. */
	for (char *c = cell; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	add(t, cell);
}

void table_count(struct table *t, uint64_t n)
{
	char digits[24], text[32];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	add(t, xstrdup(text));
}

void table_time(struct table *t, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
		{ 1000000000, "s" },
		{ 1000000, "ms" },
		{ 1000, "us" },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		double n = (double)ns / (double)units[i].ns;

		if (ns < units[i].ns)
			continue;
		add(t, xasprintf("%.*f %s", n < 10 ? 2 : n < 100, n,
				 units[i].name));
		return;
	}
	add(t, ns ? xasprintf("%" PRIu64 " ns", ns) : xstrdup("0"));
}

bool table_colour(FILE *to)
{
	const char *term = getenv("TERM");

	return isatty(fileno(to)) && term && strcmp(term, "dumb") &&
	       !getenv("NO_COLOR");
}

static void print_row(const struct table *t, const char *const cell[],
		      const size_t width[], FILE *to)
{
	size_t owed = 0; /* blanks, printed only before something */

	for (unsigned int c = 0; c < t->columns; c++) {
		size_t pad = width[c] - utf8_columns(cell[c]);
		bool right = t->align[c] == TABLE_RIGHT;

		fprintf(to, "%*s%s", (int)(owed + (right ? pad : 0)), "",
			cell[c]);
		owed = 2 + (right ? 0 : pad);
	}
}

void table_print(const struct table *t, FILE *to, bool colour)
{
	size_t width[TABLE_COLUMNS];

	for (unsigned int c = 0; c < t->columns; c++)
		width[c] = utf8_columns(t->heading[c]);
	for (size_t i = 0; i < t->cells; i++) {
		size_t w = utf8_columns(t->cell[i]);

		if (w > width[i % t->columns])
			width[i % t->columns] = w;
	}
	fputs(colour ? "\033[1m" : "", to);
	print_row(t, t->heading, width, to);
	fputs(colour ? "\033[0m\n" : "\n", to);
	for (size_t i = 0; i + t->columns <= t->cells; i += t->columns) {
		print_row(t, (const char *const *)t->cell + i, width, to);
		fputc('\n', to);
	}
}
