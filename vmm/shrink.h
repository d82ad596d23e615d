/* SPDX-License-Identifier: MIT */
/*
 * shrink.h: a trace that fails, made as small as it can be and still fail so.
 *
 * Entries of the failing device (each with what it took) are left out, more
 * and then fewer at a time, as long as what is left fails in the same way: the
 * first difference says the same, or the first violation is of the same kind,
 * name, line of the model and range.  In the end no entry can be left out alone.
 */

#ifndef VMM_SHRINK_H
#define VMM_SHRINK_H

#include "replays.h"

struct shrink_result {
	size_t from, to; /* entries */
	uint64_t tries;
	bool hurried; /* the time was over before it was done */
};

/*
 * The first result of (r) that fails, into (path), in about (seconds) at most.
 * 0, -ENOENT if none fails, else -errno; with one line in (*why).
 */
MUST_CHECK int shrink(const struct replays *r, const char *path,
		      unsigned int seconds, struct shrink_result *out,
		      char **why);

#endif /* VMM_SHRINK_H */
