/* SPDX-License-Identifier: MIT */
/*
 * cmd_model.c: vpio model: what can be known of a model without a device; its
 * verbs and their options.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dmm/explain.h"
#include "cmd.h"
#include "cmd_model.h"
#include "log.h"
#include "models.h"
#include "options.h"

enum {
	OPTION_QUIET,
	OPTION_JSON,
	OPTION_TRACE,
	OPTION_COSTS,
	OPTION_SVG,
	OPTION_MACHINE,
	OPTION_OUTPUT,
	OPTION_PCI,
	OPTION_DUMP,
	OPTION_SVD,
	OPTION_CHECK,
	OPTION_WRITE,
	OPTION_HELP,
	OPTIONS
};

#define BIT(option) (1u << (option))

static const struct option_spec specs[OPTIONS] = {
	[OPTION_QUIET] = { 'q', "quiet", NULL, "say only what is wrong" },
	[OPTION_JSON] = { 0, "json", NULL,
			  "check, test, verify: what is wrong as SARIF 2.1.0" },
	[OPTION_TRACE] = { 0, "trace", "FILE",
			   "verify: the way to what is not so, to be replayed" },
	[OPTION_COSTS] = { 0, "costs", "FILE",
			   "explain: and what it costs, by a file of vpio\n"
			   "calibrate, or \"measure\": on this machine, now" },
	[OPTION_SVG] = { 0, "svg", NULL, "graph: as SVG, by graphviz" },
	[OPTION_MACHINE] = { 0, "machine", "NAME",
			     "graph: this machine alone" },
	[OPTION_OUTPUT] = { 'o', "output", "FILE",
			    "new, graph: not to standard output" },
	[OPTION_PCI] = { 0, "pci", "PART",
			 "new: VVVV:DDDD, or an address of this machine" },
	[OPTION_DUMP] = { 0, "dump", "FILE",
			  "new: the part is one of those that lspci -xxx\n"
			  "printed elsewhere" },
	[OPTION_SVD] = { 0, "svd", "FILE",
			 "new: registers from a CMSIS-SVD file" },
	[OPTION_CHECK] = { 0, "check", NULL,
			   "fmt: name the files whose layout differs; status 1" },
	[OPTION_WRITE] = { 'w', "write", NULL, "fmt: into the files" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

static void print(void *ctx, const char *text)
{
	(void)ctx;
	fputs(text, stdout);
}

static int plan(const struct dmm_model *m, explain_put *put, void *ctx)
{
	return explain_plan(m, DMM_HOW_DEFAULT, DMM_SPOOL, put, ctx);
}

static int printed(int n, char **names,
		   int (*fn)(const struct dmm_model *m, explain_put *put,
			     void *ctx))
{
	struct dmm_model *model;
	int status = 0;

	for (int i = 0; i < n; i++) {
		if (models_open(&model, names[i])) {
			status = EXIT_BAD_INPUT;
			continue;
		}
		if (fn(model, print, NULL))
			status = EXIT_BAD_INPUT;
		dmm_model_free(model);
	}
	return status;
}

static int explain(int n, char **names, const struct model_options *o)
{
	int status = printed(n, names, plan), costs;

	if (!o->costs)
		return status;
	puts("");
	costs = model_costs(o->costs);
	return costs > status ? costs : status;
}

static int doc(int n, char **names, const struct model_options *o)
{
	(void)o;
	return printed(n, names, explain_doc);
}

static const struct verb {
	const char *name;
	const char *summary;
	model_verb *run;
	unsigned int options; /* that it takes, besides quiet and help */
	bool alone;	      /* needs no word */
} verbs[] = {
	{ "new", "the beginning of a model, from a card or a file", model_new,
	  BIT(OPTION_PCI) | BIT(OPTION_DUMP) | BIT(OPTION_SVD) |
		  BIT(OPTION_OUTPUT),
	  true },
	{ "check", "is it a model? If not: where, why, and what to do",
	  model_check, BIT(OPTION_JSON), false },
	{ "test", "run the tests that it carries", model_test, BIT(OPTION_JSON),
	  false },
	{ "verify", "explore its states, and prove that it can be shared",
	  model_verify, BIT(OPTION_JSON) | BIT(OPTION_TRACE), false },
	{ "explain", "the dispatch plan: what each access costs, and why",
	  explain, BIT(OPTION_COSTS), false },
	{ "graph", "its machines as DOT, a digraph each", model_graph,
	  BIT(OPTION_SVG) | BIT(OPTION_MACHINE) | BIT(OPTION_OUTPUT), false },
	{ "fmt", "the one layout of its text, comments kept", model_fmt,
	  BIT(OPTION_CHECK) | BIT(OPTION_WRITE), false },
	{ "doc", "the part as a page of Markdown", doc, 0, false },
};

static void help(void)
{
	puts("usage: vpio model VERB [OPTION...] MODEL...\n"
	     "       vpio model new --pci PART|--dump FILE|--svd FILE\n\n"
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

/* The option's value or flag goes where the verb finds it. */
static void note(struct model_options *m, int option, char *value)
{
	switch (option) {
	case OPTION_QUIET:
		m->quiet = true;
		break;
	case OPTION_JSON:
		m->json = true;
		break;
	case OPTION_COSTS:
		m->costs = value;
		break;
	case OPTION_TRACE:
		m->trace = value;
		break;
	case OPTION_SVG:
		m->svg = true;
		break;
	case OPTION_MACHINE:
		m->machine = value;
		break;
	case OPTION_OUTPUT:
		m->output = value;
		break;
	case OPTION_PCI:
		m->pci = value;
		break;
	case OPTION_DUMP:
		m->dump = value;
		break;
	case OPTION_SVD:
		m->svd = value;
		break;
	case OPTION_CHECK:
		m->check = true;
		break;
	case OPTION_WRITE:
		m->write = true;
		break;
	default:
		break;
	}
}

static void check_options(const struct verb *verb, unsigned int given)
{
	unsigned int wrong = given & ~(verb->options | BIT(OPTION_QUIET));

	if (wrong)
		fatalx("model %s takes no --%s", verb->name,
		       specs[__builtin_ctz(wrong)].name);
}

int cmd_model(int argc, char **argv)
{
	char **words = xcalloc((size_t)argc, sizeof(*words));
	const struct verb *verb = NULL;
	struct model_options m = { 0 };
	unsigned int given = 0;
	int option, n = 0, status;
	struct options o;

	options_init(&o, "model", specs, OPTIONS, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_END) {
		if (option == OPTION_HELP) {
			help();
			free(words);
			return 0;
		}
		if (option == OPTIONS_WORD && !verb) {
			verb = find(o.value);
		} else if (option == OPTIONS_WORD) {
			words[n++] = (char *)o.value;
		} else {
			note(&m, option, (char *)o.value);
			given |= BIT(option);
		}
	}
	if (!verb)
		fatalx("model: what is to be done? See vpio help model");
	check_options(verb, given);
	if (!n && !verb->alone)
		fatalx("model %s: which model?", verb->name);
	status = verb->run(n, words, &m);
	free(words);
	return status;
}
