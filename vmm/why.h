/* SPDX-License-Identifier: MIT */
/*
 * why.h: the one line that a function which failed leaves for a person.
 *
 * Threads: any.
 */

#ifndef VMM_WHY_H
#define VMM_WHY_H

#include "../dmm/cc.h"

struct diag;

/* Set (*why) and return (err), for "return why_set(why, -EINVAL, …)". */
int why_set(char **why, int err, const char *fmt, ...) PRINTF(3, 4);

/* The same from the first message in (diag), which this ends: -EINVAL. */
int why_diag(char **why, struct diag *diag);

#endif /* VMM_WHY_H */
