// SPDX-License-Identifier: MIT
/*
 * cmd_replay.c: vpio replay: recorded traces through models.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "log.h"
#include "options.h"
#include "replays.h"
#include "shrink.h"
#include "table.h"

enum {
	OPTION_MODEL,
	OPTION_JSON,
	OPTION_TIMELINE,
	OPTION_REPORT,
	OPTION_JOBS,
	OPTION_WHAT_IF,
	OPTION_SHRINK,
	OPTION_OUT,
	OPTION_LIMIT,
	OPTION_QUIET,
	OPTION_HELP,
	OPTIONS
};

static const struct option_spec specs[OPTIONS] = {
	[OPTION_MODEL] = { 0, "model", "FILE",
			   "this model, and not the one in the trace" },
	[OPTION_JSON] = { 0, "json", "FILE",
			  "write it as JSON; - for standard output" },
	[OPTION_TIMELINE] = { 0, "timeline", NULL,
			      "each change of a state and of the owner, too" },
	[OPTION_REPORT] = { 0, "report", "FILE",
			    "a page (HTML) to look at it in a browser" },
	[OPTION_JOBS] = { 'j', "jobs", "N", "so many traces at a time (1)" },
	[OPTION_WHAT_IF] = { 0, "what-if", "FILE",
			     "exits and time by other mechanisms and costs\n"
			     "(vpio calibrate -o FILE)" },
	[OPTION_SHRINK] = { 0, "shrink", NULL,
			    "of what fails, a smallest part that still\n"
			    "fails in the same way" },
	[OPTION_OUT] = { 'o', "out", "FILE", "--shrink: write it there" },
	[OPTION_LIMIT] = { 0, "limit", "SECONDS",
			   "--shrink: stop after so long (60)" },
	[OPTION_QUIET] = { 'q', "quiet", NULL,
			   "no tables, only what is wrong" },
	[OPTION_HELP] = { 'h', "help", NULL, "this text" },
};

static void help(void)
{
	puts("usage: vpio replay [OPTION...] TRACE...\n\n"
	     "Shows what a trace holds to a model again.  One that vpio run\n"
	     "recorded must come out as it did, to the last verdict; of one\n"
	     "from elsewhere the model's rules are checked.  TRACE, TRACE.1,\n"
	     "... of a record in parts are one trace, in that order.\n");
	options_help(specs, OPTIONS, stdout);
	puts("\nExit status: 0, 1 if something was different or not allowed,\n"
	     "2 if a file is not what it must be, or has gaps.  With --shrink: 0 if\n"
	     "it was written, 2 if nothing fails.");
}

static int status_of(const struct replays *r)
{
	int status = 0;
	size_t i;

	for (i = 0; i < r->results; i++) {
		struct replay *one = r->result[i]->replay;

		if (replay_difference(one) || replay_summary(one)->violations)
			status = EXIT_BAD_RUN;
	}
	for (i = 0; i < r->results; i++)
		if (replay_summary(r->result[i]->replay)->lost)
			return EXIT_BAD_INPUT;
	return r->bad ? EXIT_BAD_INPUT : status;
}

struct outputs {
	const char *json, *report; /* files; NULL: none */
	const char *shrink;	   /* likewise */
	unsigned int limit;	   /* seconds to shrink */
	bool quiet;
};

static bool is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

/* False if it could not be written whole, which was said. */
static bool put(const struct replays *r, const char *path,
		int (*write)(const struct replays *r, FILE *to))
{
	FILE *to = is_stdout(path) ? stdout : fopen(path, "we");
	int err;

	if (!to)
		fatal("replay: cannot write %s", path);
	err = write(r, to);
	if (to != stdout && fclose(to))
		err = -1;
	if (err)
		log_warnx("%s could not be written whole", path);
	return !err;
}

static int show(const struct replays *r, const struct outputs *out, int status)
{
	bool used = is_stdout(out->json) || is_stdout(out->report);
	FILE *text = used ? stderr : stdout;
	bool fine = true;

	if (!out->quiet)
		replays_print(r, text, table_colour(text));
	if (out->json)
		fine &= put(r, out->json, replays_json);
	if (out->report)
		fine &= put(r, out->report, replays_page);
	return fine || status ? status : EXIT_BAD_RUN;
}

static int write_shrunk(const struct replays *r, const struct outputs *out)
{
	struct shrink_result res;
	char *why = NULL;

	if (shrink(r, out->shrink, out->limit, &res, &why)) {
		log_errorx("shrink: %s", why);
		free(why);
		return EXIT_BAD_INPUT;
	}
	if (res.hurried)
		log_warnx("shrink: the time was over: it may not be the "
			  "smallest; see --limit");
	if (!out->quiet)
		printf("%s: %zu of %zu entries, after %llu tries\n",
		       out->shrink, res.to, res.from,
		       (unsigned long long)res.tries);
	return 0;
}

/* What the command line asks for. */
struct request {
	struct replays_conf conf;
	struct outputs out;
	const char *what_if;
	const char **file;
	size_t files;
	unsigned int jobs;
	bool timeline, shrinks, help;
};

static void take_option(struct request *q, const struct options *o, int option)
{
	switch (option) {
	case OPTION_HELP:
		q->help = true;
		break;
	case OPTION_MODEL:
		q->conf.model = o->value;
		break;
	case OPTION_JSON:
		q->out.json = o->value;
		break;
	case OPTION_REPORT:
		q->out.report = o->value;
		break;
	case OPTION_JOBS:
		q->jobs = (unsigned int)options_number(o, option, 1, 256);
		break;
	case OPTION_WHAT_IF:
		q->what_if = o->value;
		break;
	case OPTION_SHRINK:
		q->shrinks = true;
		break;
	case OPTION_OUT:
		q->out.shrink = o->value;
		break;
	case OPTION_LIMIT:
		q->out.limit =
			(unsigned int)options_number(o, option, 1, 86400);
		break;
	case OPTION_TIMELINE:
		q->timeline = true;
		break;
	case OPTION_QUIET:
		q->out.quiet = true;
		break;
	default:
		q->file[q->files++] = o->value;
	}
}

static int run(struct request *q)
{
	bool used = is_stdout(q->out.json) || is_stdout(q->out.report);
	struct whatif what_if;
	struct replays r;
	int status;

	if (!q->files)
		fatalx("replay: which trace? See vpio help replay");
	if (q->shrinks != !!q->out.shrink)
		fatalx("replay: --shrink and -o FILE go together");
	if (is_stdout(q->out.json) && is_stdout(q->out.report))
		fatalx("replay: --json and --report cannot both go to "
		       "standard output");
	if (q->what_if && whatif_open(&what_if, q->what_if))
		return EXIT_BAD_INPUT;
	q->conf.what_if = q->what_if ? &what_if : NULL;
	q->conf.timeline = !q->timeline ? NULL : used ? stderr : stdout;
	q->conf.page = q->out.report != NULL;
	replays_run(&r, &q->conf, q->file, q->files, q->jobs);
	status = q->shrinks ? write_shrunk(&r, &q->out) :
			      show(&r, &q->out, status_of(&r));
	replays_close(&r);
	return status;
}

int cmd_replay(int argc, char **argv)
{
	struct request q = { .out.limit = 60, .jobs = 1 };
	struct options o;
	int option, status = 0;

	q.file = xcalloc((size_t)argc, sizeof(*q.file));
	options_init(&o, "replay", specs, OPTIONS, argc, argv);
	while (!q.help && (option = options_next(&o)) != OPTIONS_END)
		take_option(&q, &o, option);
	if (q.help)
		help();
	else
		status = run(&q);
	free(q.file);
	return status;
}
