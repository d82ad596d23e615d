/* SPDX-License-Identifier: MIT */
/*
 * clock.h: the clock that monitors live by, and waiting by it.
 *
 * Threads: any.
 */

#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include "../dmm/cc.h"

uint64_t clock_now(void); /* nanoseconds, never backward */

/*
 * Wait until (until) (UINT64_MAX: for ever), or something can be read from one
 * of two file descriptors.
 */
void clock_wait(int a, int b, uint64_t until);

/* Read all that can be from an eventfd that does not block. */
void clock_empty(int fd);

#endif /* VMM_CLOCK_H */
