/* SPDX-License-Identifier: MIT */
/*
 * main.c: the table of subcommands.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dmm/diag.h"
#include "cmd.h"
#include "crash.h"
#include "log.h"

static const struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", "run guests that share devices", cmd_run },
	{ "list", "PCI devices here, and the model that would serve each",
	  cmd_list },
	{ "bind", "take a PCI device from the host, for guests", cmd_bind },
	{ "unbind", "give a PCI device back to the host", cmd_unbind },
	{ "model", "check and test device models", cmd_model },
	{ "replay", "show recorded traces to models again", cmd_replay },
	{ "trace", "what is in a trace, what differs, logs made into one",
	  cmd_trace },
	{ "calibrate", "what exits and the like cost on this machine",
	  cmd_calibrate },
};

static void usage(FILE *to)
{
	fputs("usage: vpio COMMAND [ARGUMENT...]\n\n"
	      "Lets several guests share one PCI device, each with its own\n"
	      "driver; a model of the device says when it may change hands.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-10s%s\n", commands[i].name,
			commands[i].summary);
	fputs("\n"
	      "  vpio help COMMAND, vpio COMMAND --help: more about it\n"
	      "  vpio --version\n\n"
	      "Exit status: 0 if all went well, 1 if a guest or a test did\n"
	      "not, 2 if a file or an argument is not what it must be.\n",
	      to);
}

static const struct command *find(const char *name)
{
	const char *names[ARRAY_LEN(commands)];
	const char *near;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		names[i] = commands[i].name;
		if (!strcmp(names[i], name))
			return &commands[i];
	}
	near = diag_nearest(name, names, ARRAY_LEN(commands));
	if (near)
		fatalx("there is no command \"%s\"; did you mean \"%s\"?", name,
		       near);
	fatalx("there is no command \"%s\"; vpio --help names them", name);
}

static int run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	char *help[] = { NULL, "--help", NULL };

	if (!word) {
		usage(stderr);
		return EXIT_BAD_INPUT;
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		puts("vpio " VPIO_VERSION);
		return 0;
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h") ||
	    (!strcmp(word, "help") && argc == 2)) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(word, "help")) {
		help[0] = argv[2];
		return find(argv[2])->run(2, help);
	}
	if (*word == '-')
		fatalx("unknown option %s; options come after the command",
		       word);
	return find(word)->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status;

	log_init(false, false);
	crash_init();
	status = run(argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		log_warn("cannot write standard output");
		return status ? status : EXIT_BAD_RUN;
	}
	return status;
}
