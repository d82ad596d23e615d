/* SPDX-License-Identifier: MIT */
/*
 * cmd_model_graph.c: vpio model graph: a model's machines as DOT, or by
 * graphviz as SVG.
 */

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../dmm/explain.h"
#include "cmd_model.h"
#include "log.h"
#include "models.h"

extern char **environ;

static void print(void *ctx, const char *text)
{
	fputs(text, ctx);
}

/* Let graphviz make SVG of what is in (dot), onto (to). */
static void svg(FILE *dot, FILE *to)
{
	char *argv[] = { (char *)"dot", (char *)"-Tsvg", NULL };
	posix_spawn_file_actions_t files;
	int err, status;
	pid_t pid;

	if (fflush(dot) || fflush(to) || lseek(fileno(dot), 0, SEEK_SET) < 0)
		fatal("model graph: cannot hand the graph on");
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, fileno(dot), 0);
	posix_spawn_file_actions_adddup2(&files, fileno(to), 1);
	err = posix_spawnp(&pid, "dot", &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (err == ENOENT)
		fatalx("model graph: --svg needs graphviz, and there is no "
		       "\"dot\" in $PATH: install the package graphviz, or "
		       "leave --svg out");
	if (err) {
		errno = err;
		fatal("model graph: cannot start dot");
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fatal("model graph: cannot wait for dot");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fatalx("model graph: dot failed");
}

static int graph_one(const char *name, const struct model_options *o, FILE *to)
{
	struct dmm_model *model;
	FILE *dot;
	int err, fd;

	if (models_open(&model, name))
		return EXIT_BAD_INPUT;
	if (!o->svg) {
		err = explain_graph(model, o->machine, print, to);
	} else {
		fd = memfd_create("graph", MFD_CLOEXEC);
		dot = fd < 0 ? NULL : fdopen(fd, "w+");
		if (!dot)
			fatal("model graph: cannot make a file in memory");
		err = explain_picture(model, o->machine, print, dot);
		if (!err)
			svg(dot, to);
		fclose(dot);
	}
	dmm_model_free(model);
	if (err == -ENOENT)
		fatalx("model graph: %s has no machine \"%s\"", name,
		       o->machine);
	return err ? EXIT_BAD_INPUT : 0;
}

int model_graph(int n, char **names, const struct model_options *o)
{
	FILE *to = o->output ? fopen(o->output, "we") : stdout;
	int status = 0;

	if (!to)
		fatal("model graph: cannot write %s", o->output);
	for (int i = 0; i < n; i++) {
		int one = graph_one(names[i], o, to);

		status = one > status ? one : status;
	}
	if (fflush(to) || ferror(to) || (o->output && fclose(to)))
		fatal("model graph: cannot write %s",
		      o->output ? o->output : "standard output");
	return status;
}
