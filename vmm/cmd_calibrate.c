// SPDX-License-Identifier: MIT
/*
 * cmd_calibrate.c: vpio calibrate: what things cost on this machine.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "costs.h"
#include "log.h"
#include "options.h"
#include "table.h"

enum { OPTION_OUT, OPTION_QUIET, OPTION_HELP, OPTIONS };

static const struct option_spec specs[OPTIONS] = {
	[OPTION_OUT] = { 'o', "out", "FILE",
			 "write them as YAML; - for standard output" },
	[OPTION_QUIET] = { 'q', "quiet", NULL, "no table" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

static void help(void)
{
	puts("usage: vpio calibrate [OPTION...]\n\n"
	     "Measures what exits, eventfds, interrupts, switches and steps of\n"
	     "a model cost on this machine, for vpio replay --what-if.  It\n"
	     "takes some seconds, and is best done when nothing else runs.\n");
	options_help(specs, OPTIONS, stdout);
	puts("\nExit status: 0, 1 if some could not be measured (they need\n"
	     "/dev/kvm), 2 if an argument is not what it must be.");
}

static void print(const struct costs *c, FILE *to)
{
	struct table t;
	int i;

	table_open(&t);
	table_column(&t, "cost", TABLE_LEFT);
	table_column(&t, "time", TABLE_RIGHT);
	table_column(&t, "of", TABLE_LEFT);
	for (i = 0; i < COSTS; i++) {
		table_text(&t, costs_key((enum cost)i));
		if (c->known[i])
			table_time(&t, c->ns[i]);
		else
			table_text(&t, NULL);
		table_text(&t, costs_what((enum cost)i));
	}
	table_print(&t, to, table_colour(to));
	table_close(&t);
}

static int write_file(const struct costs *c, const char *path)
{
	FILE *to = fopen(path, "we");
	bool bad;

	if (!to)
		fatal("calibrate: cannot write %s", path);
	costs_write(c, to);
	bad = ferror(to);
	if (fclose(to) || bad) {
		log_warnx("%s could not be written whole", path);
		return EXIT_BAD_RUN;
	}
	return 0;
}

int cmd_calibrate(int argc, char **argv)
{
	struct costs c = { .ns = { 0 } };
	const char *out = NULL;
	bool quiet = false, piped;
	char *why = NULL;
	struct options o;
	int option, status = 0;

	options_init(&o, "calibrate", specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_HELP) {
			help();
			return 0;
		}
		if (option == OPTION_OUT)
			out = o.value;
		else if (option == OPTION_QUIET)
			quiet = true;
		else
			fatalx("calibrate: what is %s?", o.value);
	}
	piped = out && !strcmp(out, "-");
	if (costs_measure(&c, &why)) {
		log_warnx("not all could be measured: %s", why);
		free(why);
		status = EXIT_BAD_RUN;
	}
	if (!quiet)
		print(&c, piped ? stderr : stdout);
	if (piped)
		costs_write(&c, stdout);
	else if (out && write_file(&c, out))
		status = EXIT_BAD_RUN;
	return status;
}
