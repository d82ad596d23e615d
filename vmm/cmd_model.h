/* SPDX-License-Identifier: MIT */
/*
 * cmd_model.h: the verbs of vpio model.
 *
 * A verb takes the words of the command line behind it, of which there is one
 * at least but for those that say otherwise, and returns an exit status.
 */

#ifndef VMM_CMD_MODEL_H
#define VMM_CMD_MODEL_H

#include "../dmm/cc.h"

/* The options that were given; each verb takes some of them. */
struct model_options {
	bool quiet, json, svg, check, write;
	char *pci, *dump, *svd, *output, *machine;
	const char *trace; /* verify: where the way goes */
	const char *costs; /* explain: from where */
};

typedef int model_verb(int n, char **names, const struct model_options *o);

/* cmd_model_check.c: each file is read once, and told of. */
model_verb model_check, model_test, model_verify;

/* cmd_model_graph.c */
model_verb model_graph;

/*
 * cmd_model_costs.c: what accesses cost by path, from a file of vpio calibrate
 * or, if (path) is "measure", here and now.  An exit status.
 */
int model_costs(const char *path);

/* cmd_model_fmt.c */
model_verb model_fmt;

/* cmd_model_new.c; takes no word */
model_verb model_new;

#endif /* VMM_CMD_MODEL_H */
