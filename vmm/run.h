/* SPDX-License-Identifier: MIT */
/*
 * run.h: run a machine: open its devices, start its guests, wait for them.
 */

#ifndef VMM_RUN_H
#define VMM_RUN_H

#include "machine.h"
#include "record.h"
#include "report.h"

/* What vpio run was told beside the machine itself. */
struct run_options {
	bool quiet;
	bool verbose;
	bool stdout_taken; /* guests say what they say on standard error */
	uint8_t escape;	   /* of the console; 0: its default */
	struct record_conf record;
};

/*
 * Run (m) until every guest has ended.  What is wrong before the first guest
 * starts ends the process with one line (fatal()); after that a fault ends
 * only the guest it is in.  Fills (out), with arrays that report_fini() frees
 * and strings of (m).  Returns the exit status: 0 if every guest ended well,
 * else EXIT_BAD_RUN.
 */
MUST_CHECK int run_machine(const struct machine *m, const struct run_options *o,
			   struct report *out);

#endif /* VMM_RUN_H */
