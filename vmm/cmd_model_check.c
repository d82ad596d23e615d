/* SPDX-License-Identifier: MIT */
/*
 * cmd_model_check.c: vpio model check, test and verify: what is wrong with a
 * model, as text or as SARIF.
 */

#include <stdio.h>
#include <stdlib.h>

#include "../dmm/prove.h"
#include "cmd_model.h"
#include "log.h"
#include "models.h"
#include "sarif.h"
#include "traceout.h"

/* One file at hand, which could be compiled. */
struct looked {
	const char *name;
	const struct model_file *file;
	const struct dmm_model *model;
	const struct model_options *options;
	bool quiet;
};

/* What is found goes into (diag); returns an exit status. */
typedef int look(const struct looked *l, struct diag *diag);

static int look_at(const char *name, look *fn, struct sarif *sarif,
		   const struct model_options *o)
{
	struct dmm_model *model = NULL;
	int status = EXIT_BAD_INPUT;
	struct model_file file;
	struct diag diag;
	char *why = NULL;

	if (models_read(&file, name, &why)) {
		log_errorx("%s", why);
		free(why);
		return EXIT_BAD_INPUT;
	}
	diag_init(&diag, file.path);
	if (!dmm_model_parse(&model, file.text, file.len, &diag))
		status = fn(&(struct looked){ .name = name,
					      .file = &file,
					      .model = model,
					      .options = o,
					      .quiet = o->quiet || sarif },
			    &diag);
	else if (!diag.n)
		fatalx("no memory for %s", file.path);
	if (sarif)
		sarif_add(sarif, &diag, file.text, file.len);
	else
		models_say(&diag, file.text, file.len);
	dmm_model_free(model);
	diag_fini(&diag);
	models_free(&file);
	return status;
}

static int look_at_all(int n, char **names, look *fn,
		       const struct model_options *o)
{
	struct sarif sarif;
	int status = 0;

	if (o->json)
		sarif_open(&sarif, stdout);
	for (int i = 0; i < n; i++) {
		int one = look_at(names[i], fn, o->json ? &sarif : NULL, o);

		status = one > status ? one : status;
	}
	if (o->json && sarif_close(&sarif))
		fatalx("model: standard output cannot be written");
	return status;
}

static int checked(const struct looked *l, struct diag *diag)
{
	size_t parts;

	(void)diag;
	(void)dmm_model_match(l->model, &parts);
	if (!l->quiet)
		printf("%s: %s, %u lines, serves %zu part%s\n", l->name,
		       dmm_model_name(l->model), dmm_model_lines(l->model),
		       parts, parts == 1 ? "" : "s");
	return 0;
}

/* The tests that a model carries; their failures have places, too. */
static int tested(const struct looked *l, struct diag *diag)
{
	unsigned int passed = 0, failed = 0;
	int err = dmm_model_test(l->model, diag, &passed, &failed);

	if (!l->quiet)
		printf("%s: %u passed, %u failed\n", l->name, passed, failed);
	return err || failed ? EXIT_BAD_RUN : 0;
}

static void put_record(void *ctx, uint64_t ns, const struct trace_head *head,
		       const void *body)
{
	traceout_record(ctx, ns, *head, body, head->len, NULL, 0);
}

/* The way to the first thing that is not so, to be replayed. */
static void write_way(const struct looked *l, const struct prove_result *r)
{
	const char *path = l->options->trace;
	struct traceout to;
	bool there;
	int err;

	traceout_open(&to, path, NULL, 0);
	err = prove_trace(l->model, l->file->text, l->file->len, r, put_record,
			  &to, &there);
	if (!traceout_close(&to) || err)
		fatalx("model verify: %s could not be written whole", path);
	if (!l->quiet)
		printf("%s: %s; see it: vpio replay --timeline %s\n", path,
		       there ? "the way there" :
			       "the way there, but a replay of it goes another",
		       path);
}

/* Explore all that can happen, and prove what sharing needs. */
static int verified(const struct looked *l, struct diag *diag)
{
	struct prove_result r = { .states = 0 };
	int err = prove_model(l->model, diag, PROVE_MAX_STEPS, &r);

	if (err && r.has_way && l->options->trace)
		write_way(l, &r);
	if (!l->quiet)
		printf("%s: %s: %u states, %u steps, %u of them reusable, "
		       "%u left by force; %u rules fire%s\n",
		       l->name, err ? "not proved" : "proved", r.states,
		       r.steps, r.reusable, r.forced, r.rules,
		       r.bounded ? "; a bound was hit: not all was explored" :
				   "");
	return err ? EXIT_BAD_RUN : 0;
}

int model_check(int n, char **names, const struct model_options *o)
{
	return look_at_all(n, names, checked, o);
}

int model_test(int n, char **names, const struct model_options *o)
{
	return look_at_all(n, names, tested, o);
}

int model_verify(int n, char **names, const struct model_options *o)
{
	return look_at_all(n, names, verified, o);
}
