/* SPDX-License-Identifier: MIT */
/*
 * skeleton.h: the beginning of a model, from what is known of a part: its
 * configuration space, its registers.  It is a model at once (vpio model
 * check takes it), and says in comments what to do next.
 */

#ifndef VMM_SKELETON_H
#define VMM_SKELETON_H

#include <stdio.h>

#include "svd.h"

#define SKELETON_CAPS 48

struct skeleton_bar {
	bool there, io, wide; /* wide: of 64 bits, takes the next one too */
	uint64_t size;	      /* 0: not known */
};

struct skeleton_cap {
	unsigned int id, at;
	bool extended;
};

struct skeleton_part {
	bool there; /* false: no configuration space is known */
	uint16_t vendor, device, subvendor, subdevice;
	uint8_t revision, pin;
	char name[256]; /* for people; "" if it has none */
	struct skeleton_bar bar[6];
	struct skeleton_cap cap[SKELETON_CAPS];
	unsigned int caps;
};

/*
 * Write it to (to).  (svd) may be NULL; (from) says where all came from, for
 * a comment.
 */
void skeleton_write(FILE *to, const struct skeleton_part *part,
		    const struct svd *svd, const char *from);

#endif /* VMM_SKELETON_H */
