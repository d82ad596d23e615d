/* SPDX-License-Identifier: MIT */
/*
 * cmd_model_costs.c: vpio model explain --costs: what an access costs on a
 * machine, by the path that it takes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dmm/dmm.h"
#include "cmd_model.h"
#include "log.h"
#include "table.h"
#include "whatif.h"

/* Of the paths that leave the guest. */
static void put_path(struct table *t, const struct costs *c, enum dmm_path path)
{
	static const enum cost exits[] = { COST_PIO_READ, COST_PIO_WRITE,
					   COST_MMIO_READ, COST_MMIO_WRITE };
	enum cost ours = path == DMM_HOOK ? COST_STEP : COST_ACCESS;
	unsigned int i;

	table_text(t, dmm_path_name(path));
	for (i = 0; i < ARRAY_LEN(exits); i++)
		if (path == DMM_DIRECT)
			table_text(t, i < 2 ? NULL : "no exit");
		else if (!c->known[exits[i]] || !c->known[ours])
			table_text(t, NULL);
		else
			table_time(t, c->ns[exits[i]] + c->ns[ours]);
}

static void print(const struct costs *c)
{
	static const enum dmm_path paths[] = { DMM_DIRECT, DMM_FORWARD,
					       DMM_LATCH,  DMM_HOOK,
					       DMM_ANSWER, DMM_DENY };
	struct table t;
	unsigned int i;

	table_open(&t);
	table_column(&t, "an access", TABLE_LEFT);
	table_column(&t, "port read", TABLE_RIGHT);
	table_column(&t, "port write", TABLE_RIGHT);
	table_column(&t, "memory read", TABLE_RIGHT);
	table_column(&t, "memory write", TABLE_RIGHT);
	for (i = 0; i < ARRAY_LEN(paths); i++)
		put_path(&t, c, paths[i]);
	table_print(&t, stdout, table_colour(stdout));
	table_close(&t);
	puts("Exit and monitor; where the device is touched, its own time comes "
	     "on top.");
}

int model_costs(const char *path)
{
	struct costs c = { .ns = { 0 } };
	struct whatif w;
	char *why = NULL;

	if (strcmp(path, "measure")) {
		if (whatif_open(&w, path))
			return EXIT_BAD_INPUT;
		c = w.costs;
	} else if (costs_measure(&c, &why)) {
		log_warnx("not all could be measured: %s", why);
		free(why);
	}
	print(&c);
	return 0;
}
