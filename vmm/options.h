/* SPDX-License-Identifier: MIT */
/*
 * options.h: a subcommand's options as one table, from which both the parser
 * and the help text are made.
 *
 * Interface: fill a struct options, call options_next() until OPTIONS_END.
 *
 *   --name VALUE, --name=VALUE, -n VALUE, -nVALUE, --flag, -f; "--" ends them
 *
 * Errors:  a wrong command line is said, with the nearest right name, and ends
 *          the process with EXIT_BAD_INPUT.
 */

#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdio.h>

#include "../dmm/cc.h"

#define OPTIONS_MAX 32 /* in one table */

/* One option; (value) names what follows it, NULL if nothing does. */
struct option_spec {
	char letter; /* 0: has none */
	const char *name;
	const char *value;
	const char *help; /* lines are folded where it has a newline */
};

struct options {
	const char *command; /* for messages: "run" */
	const struct option_spec *spec;
	size_t n;
	char **argv; /* argv[0] is the subcommand */
	int argc;
	int at;		   /* set to 1 by options_init() */
	bool only_words;   /* "--" has been seen */
	const char *value; /* of the option, or the word itself */
};

/* What options_next() returns besides an index into the table. */
enum { OPTIONS_END = -1, OPTIONS_WORD = -2 };

void options_init(struct options *o, const char *command,
		  const struct option_spec spec[], size_t n, int argc,
		  char **argv);

/* The next option's index, OPTIONS_WORD for a word that is none, or the end. */
MUST_CHECK int options_next(struct options *o);

/* (value) as a whole number from (min) to (max), or a fatal message. */
MUST_CHECK uint64_t options_number(const struct options *o, int option,
				   uint64_t min, uint64_t max);

/* One line an option, aligned. */
void options_help(const struct option_spec spec[], size_t n, FILE *to);

#endif /* VMM_OPTIONS_H */
