/* SPDX-License-Identifier: MIT */
/*
 * sim_drive.h: guests without processors that drive a simulated card through a
 * monitor, to measure what the monitor's part costs.
 */

#ifndef VMM_SIM_DRIVE_H
#define VMM_SIM_DRIVE_H

#include "../dmm/dmm.h"

struct sim_drive_costs {
	uint64_t access_ns; /* no rule fires */
	uint64_t step_ns;   /* a doorbell with nothing new behind it */
	uint64_t switch_ns; /* median; a frame each, in turn */
	uint64_t switches;
};

/*
 * Two guests that share the card by (how), DMM_LEASE or DMM_MERGE.  -ENOENT if
 * there is no model of it here, -EIO; with one line in (*why).
 */
MUST_CHECK int sim_drive(enum dmm_how how, struct sim_drive_costs *out,
			 char **why);

#endif /* VMM_SIM_DRIVE_H */
