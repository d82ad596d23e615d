/* SPDX-License-Identifier: MIT */
/*
 * tracecut.h: parts of a trace, and several traces as one.
 *
 * Errors:  functions return an exit status after they said what is wrong.
 */

#ifndef VMM_TRACECUT_H
#define VMM_TRACECUT_H

#include "tracefile.h"

/* Which packets of a file. */
struct tracecut {
	uint64_t from_ns, to_ns;    /* behind the first packet; to: included */
	uint64_t first, last;	    /* numbers; included */
	const char *device, *guest; /* name or number; NULL: all */
	uint32_t kinds;		    /* bits of enum trace_kind; 0: all */
	bool no_frames;
};

/* All of a file. */
void tracecut_init(struct tracecut *cut);

/*
 * Numbers of what (cut) names, in (f), whose interfaces were read: -1 for all.
 * False, after it was said, if there is no such device or guest.
 */
bool tracecut_names(const struct tracecut *cut, const struct tracefile *f,
		    int *device, int *guest);

/* Is this packet of that device and guest wanted?  Nobody's are each one's. */
bool tracecut_wants(const struct tracecut *cut, const struct tracefile *f,
		    const struct trace_packet *p, int device, int guest);

/*
 * What (cut) wants of (path) into (out), in whole entries of the monitor; and
 * say whether that can be replayed.
 */
int trace_cut(const char *path, const struct tracecut *cut, const char *out);

/*
 * (n) files into (out), by time.  Devices and guests that have another's name
 * get a new one.  Files that are parts of one run stay one device.
 */
int trace_merge(const char *const *path, size_t n, const char *out);

#endif /* VMM_TRACECUT_H */
