/* SPDX-License-Identifier: MIT */
/*
 * whatif.h: how long a recorded run would have taken, and how often it would
 * have left the guest, by other mechanisms and costs.
 *
 * docs/what-if.md has the formulas, and the file.
 */

#ifndef VMM_WHATIF_H
#define VMM_WHATIF_H

#include <stdio.h>

#include "../dmm/replay.h"
#include "costs.h"
#include "json.h"

enum mechanism {
	WHATIF_TRAP,	  /* every access exits and is emulated */
	WHATIF_VPIO,	  /* every access exits, the model steps on few */
	WHATIF_HOOKS,	  /* what the model does not need is mapped */
	WHATIF_COALESCED, /* writes that may wait do */
	WHATIF_IOEVENTFD, /* doorbells ring an eventfd */
	WHATIF_READONLY,  /* what the monitor has is read without it */
	WHATIF_POLLED,	  /* doorbells are looked for by a thread */
	WHATIF_ALL,	  /* hooks, coalesced, ioeventfd, readonly together */
	WHATIF_OWNER,	  /* one guest has the device */
	WHATIF_UER,	  /* HA-IOV: user-level exceptions for exits */
	WHATIF_VEI,	  /* HA-IOV: virtual event interrupts for doorbells */
	WHATIF_MECHANISMS
};

#define WHATIF_LIST 16u /* of leases, of numbers of guests */

struct whatif {
	struct costs costs;
	enum mechanism recorded; /* how the run was made */
	bool wanted[WHATIF_MECHANISMS];
	uint64_t lease_ns[WHATIF_LIST];
	unsigned int guests[WHATIF_LIST];
	unsigned int leases, numbers;
};

/*
 * The file's text.  -EINVAL, with what is wrong in (diag).  A file of costs
 * alone is fine: all mechanisms then.
 */
MUST_CHECK int whatif_parse(struct whatif *out, const char *text, size_t len,
			    struct diag *diag);
/* The file at (path), said on standard error if it is none. */
MUST_CHECK int whatif_open(struct whatif *out, const char *path);

/* What a device's guests did. */
struct whatif_counts {
	/* accesses, a string being one: [ports][writes] */
	uint64_t n[2][2][REPLAY_CLASSES];
	uint64_t interrupts, switches, switch_ns;
	uint64_t ns;	  /* the run's */
	uint64_t busy_ns; /* that the device could not change hands in */
	uint64_t lease_ns;
	unsigned int guests;
	bool merge;
};

struct whatif_answer {
	uint64_t exits, ns;
	uint64_t inside_ns; /* of it: what the accesses took */
};

/* By (mechanism), (guests) of them with leases of (lease_ns). */
struct whatif_answer whatif_predict(const struct whatif *w,
				    const struct whatif_counts *c,
				    enum mechanism mechanism,
				    unsigned int guests, uint64_t lease_ns);

const char *whatif_name(enum mechanism mechanism); /* "trap" */

void whatif_print(const struct whatif *w, const struct whatif_counts *c,
		  FILE *to, bool colour);
void whatif_json(const struct whatif *w, const struct whatif_counts *c,
		 struct json *j);

#endif /* VMM_WHATIF_H */
