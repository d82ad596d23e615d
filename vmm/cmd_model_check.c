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

/*
 * One file at hand: the model is there if it could be compiled.  What is found
 * goes into (diag); returns an exit status, and may print a line unless quiet.
 */
typedef int look(const char *name, const struct dmm_model *model,
		 struct diag *diag, bool quiet);

static int look_at(const char *name, look *fn, struct sarif *sarif, bool quiet)
{
	struct dmm_model *model = NULL;
	int status = EXIT_BAD_INPUT;
	struct model_file file;
	struct diag diag;
	char *why = NULL;

	if (models_read(&file, name, &why)) {
		log_warnx("%s", why);
		free(why);
		return EXIT_BAD_INPUT;
	}
	diag_init(&diag, file.path);
	if (!dmm_model_parse(&model, file.text, file.len, &diag))
		status = fn(name, model, &diag, quiet || sarif);
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
		int one = look_at(names[i], fn, o->json ? &sarif : NULL,
				  o->quiet);

		status = one > status ? one : status;
	}
	if (o->json && sarif_close(&sarif))
		fatalx("model: standard output cannot be written");
	return status;
}

static int checked(const char *name, const struct dmm_model *model,
		   struct diag *diag, bool quiet)
{
	size_t parts;

	(void)diag;
	(void)dmm_model_match(model, &parts);
	if (!quiet)
		printf("%s: %s, %u lines, serves %zu part%s\n", name,
		       dmm_model_name(model), dmm_model_lines(model), parts,
		       parts == 1 ? "" : "s");
	return 0;
}

/* The tests that a model carries; their failures have places, too. */
static int tested(const char *name, const struct dmm_model *model,
		  struct diag *diag, bool quiet)
{
	unsigned int passed = 0, failed = 0;
	int err = dmm_model_test(model, diag, &passed, &failed);

	if (!quiet)
		printf("%s: %u passed, %u failed\n", name, passed, failed);
	return err || failed ? EXIT_BAD_RUN : 0;
}

/* Explore all that can happen, and prove what sharing needs. */
static int verified(const char *name, const struct dmm_model *model,
		    struct diag *diag, bool quiet)
{
	struct prove_result r = { .states = 0 };
	int err = prove_model(model, diag, &r);

	if (!quiet)
		printf("%s: %s: %u states, %u steps, %u of them reusable, "
		       "%u left by force; %u rules fire%s\n",
		       name, err ? "not proved" : "proved", r.states, r.steps,
		       r.reusable, r.forced, r.rules,
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
