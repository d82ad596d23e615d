/* SPDX-License-Identifier: MIT */
/*
 * costs.h: what things cost on a machine, as vpio calibrate measures it and
 * vpio replay --what-if reckons with it.
 *
 * In a file they are times by name under the key "costs".
 */

#ifndef VMM_COSTS_H
#define VMM_COSTS_H

#include <stdio.h>

#include "../dmm/diag.h"
#include "../dmm/load.h"

enum cost {
	COST_PIO_READ, /* exits to user space, and back */
	COST_PIO_WRITE,
	COST_MMIO_READ,
	COST_MMIO_WRITE,
	COST_IOEVENTFD,
	COST_COALESCED,
	COST_READONLY,
	COST_IRQFD,
	COST_WAKEUP,
	COST_SWITCH_MERGE,
	COST_SWITCH_LEASE,
	COST_ACCESS, /* the monitor's part of an access */
	COST_STEP,   /* the same where the model steps */
	COST_USER_EXCEPTION,
	COST_EVENT_INTERRUPT,
	COSTS
};

struct costs {
	uint64_t ns[COSTS];
	bool known[COSTS];
};

/* "pio_read"; and what it is, for people. */
const char *costs_key(enum cost c);
const char *costs_what(enum cost c);

/* Those of the mapping (map) into (c); the others stay. */
void costs_read(struct costs *c, const struct node *map, struct diag *diag);
/* A file that costs_read() reads, and --what-if takes. */
void costs_write(const struct costs *c, FILE *to);

/*
 * Measure them: (seconds) or so.  Without /dev/kvm those that need it stay
 * unknown: -ENOENT, -EACCES and so on with one line in (*why), which the caller
 * frees; the others are there.
 */
MUST_CHECK int costs_measure(struct costs *c, char **why);

#endif /* VMM_COSTS_H */
