/* SPDX-License-Identifier: MIT */
/*
 * cmd_model.c: vpio model: what can be known of a model without a device.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dmm/explain.h"
#include "../dmm/prove.h"
#include "cmd.h"
#include "log.h"
#include "models.h"
#include "options.h"

enum { OPTION_QUIET, OPTION_HELP, OPTIONS };

static const struct option_spec specs[OPTIONS] = {
	[OPTION_QUIET] = { 'q', "quiet", NULL, "say only what is wrong" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

/* Each takes one file, and returns an exit status. */
static int check(const char *name, bool quiet)
{
	struct dmm_model *model;
	size_t parts;

	if (models_open(&model, name))
		return EXIT_BAD_INPUT;
	(void)dmm_model_match(model, &parts);
	if (!quiet)
		printf("%s: %s, %u lines, serves %zu part%s\n", name,
		       dmm_model_name(model), dmm_model_lines(model), parts,
		       parts == 1 ? "" : "s");
	dmm_model_free(model);
	return 0;
}

/* The tests that a model carries; their failures have places, too. */
static int test(const char *name, bool quiet)
{
	unsigned int passed = 0, failed = 0;
	struct dmm_model *model = NULL;
	struct model_file file;
	struct diag diag;
	char *why = NULL;
	int err;

	if (models_read(&file, name, &why)) {
		log_warnx("%s", why);
		free(why);
		return EXIT_BAD_INPUT;
	}
	diag_init(&diag, file.path);
	err = dmm_model_parse(&model, file.text, file.len, &diag);
	if (!err)
		err = dmm_model_test(model, &diag, &passed, &failed);
	models_say(&diag, file.text, file.len);
	if (!quiet && model)
		printf("%s: %u passed, %u failed\n", name, passed, failed);
	dmm_model_free(model);
	diag_fini(&diag);
	models_free(&file);
	if (!model)
		return EXIT_BAD_INPUT;
	return err || failed ? EXIT_BAD_RUN : 0;
}

/* Explore all that can happen, and prove what sharing needs. */
static int verify(const char *name, bool quiet)
{
	struct dmm_model *model = NULL;
	struct prove_result r = { .states = 0 };
	struct model_file file;
	struct diag diag;
	char *why = NULL;
	int err;

	if (models_read(&file, name, &why)) {
		log_warnx("%s", why);
		free(why);
		return EXIT_BAD_INPUT;
	}
	diag_init(&diag, file.path);
	err = dmm_model_parse(&model, file.text, file.len, &diag);
	if (!err)
		err = prove_model(model, &diag, &r);
	models_say(&diag, file.text, file.len);
	if (!quiet && model)
		printf("%s: %s: %u states, %u steps, %u of them reusable, "
		       "%u left by force; %u rules fire%s\n",
		       name, err ? "not proved" : "proved", r.states, r.steps,
		       r.reusable, r.forced, r.rules,
		       r.bounded ? "; a bound was hit: not all was explored" :
				   "");
	diag_fini(&diag);
	models_free(&file);
	if (!model)
		return EXIT_BAD_INPUT;
	dmm_model_free(model);
	return err ? EXIT_BAD_RUN : 0;
}

static void print(void *ctx, const char *text)
{
	(void)ctx;
	fputs(text, stdout);
}

static int plan(const struct dmm_model *m, explain_put *put, void *ctx)
{
	return explain_plan(m, DMM_HOW_DEFAULT, DMM_SPOOL, put, ctx);
}

static int printed(const char *name, int (*fn)(const struct dmm_model *m,
					       explain_put *put, void *ctx))
{
	struct dmm_model *model;
	int err;

	if (models_open(&model, name))
		return EXIT_BAD_INPUT;
	err = fn(model, print, NULL);
	dmm_model_free(model);
	return err ? EXIT_BAD_INPUT : 0;
}

static int explain(const char *name, bool quiet)
{
	(void)quiet;
	return printed(name, plan);
}

static int graph(const char *name, bool quiet)
{
	(void)quiet;
	return printed(name, explain_graph);
}

static int doc(const char *name, bool quiet)
{
	(void)quiet;
	return printed(name, explain_doc);
}

static const struct verb {
	const char *name;
	const char *summary;
	int (*run)(const char *name, bool quiet);
} verbs[] = {
	{ "check", "is it a model? If not: where, why, and what to do", check },
	{ "test", "run the tests that it carries", test },
	{ "verify", "explore its states, and prove that it can be shared",
	  verify },
	{ "explain", "the dispatch plan: what each access costs, and why",
	  explain },
	{ "graph", "its machines as DOT, a digraph each", graph },
	{ "doc", "the part as a page of Markdown", doc },
};

static void help(void)
{
	puts("usage: vpio model VERB [OPTION...] MODEL...\n\n"
	     "MODEL is a file, or a name to be found in the directories of\n"
	     "$VPIO_MODELS, in ./models or among the installed ones.\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		printf("  %-8s%s\n", verbs[i].name, verbs[i].summary);
	puts("");
	options_help(specs, OPTIONS, stdout);
	puts("\nExit status: 0, 1 if a test failed, 2 if a file is no model.");
}

static const struct verb *find(const char *name)
{
	const char *names[ARRAY_LEN(verbs)];
	const char *near;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		names[i] = verbs[i].name;
		if (!strcmp(names[i], name))
			return &verbs[i];
	}
	near = diag_nearest(name, names, ARRAY_LEN(verbs));
	if (near)
		fatalx("model: there is no \"%s\"; did you mean \"%s\"?", name,
		       near);
	fatalx("model: there is no \"%s\"; see vpio help model", name);
}

int cmd_model(int argc, char **argv)
{
	const struct verb *verb = NULL;
	bool quiet = false, any = false;
	int status = 0, option;
	struct options o;

	options_init(&o, "model", specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_QUIET) {
			quiet = true;
		} else if (option == OPTION_HELP) {
			help();
			return 0;
		} else if (!verb) {
			verb = find(o.value);
		} else {
			int one = verb->run(o.value, quiet);

			status = one > status ? one : status;
			any = true;
		}
	}
	if (!verb)
		fatalx("model: what is to be done? See vpio help model");
	if (!any)
		fatalx("model %s: which model?", verb->name);
	return status;
}
