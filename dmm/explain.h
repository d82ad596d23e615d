/* SPDX-License-Identifier: MIT */
/*
 * explain.h: a compiled model in words and pictures: the dispatch plan, the
 * machines as a graph, the part as a page.
 *
 * Each writes text piece by piece to (put); -ENOMEM or 0.
 */

#ifndef DMM_EXPLAIN_H
#define DMM_EXPLAIN_H

#include "dmm.h"

typedef void explain_put(void *ctx, const char *text);

/*
 * The plan, register by register: which path a read and a write take, of the
 * owner and of a parked guest, when the device is shared (how), and why; then
 * page by page of memory what a guest alone could have mapped.
 */
MUST_CHECK int explain_plan(const struct dmm_model *model, enum dmm_how how,
			    enum dmm_when_parked when_parked, explain_put *put,
			    void *ctx);

/*
 * The machines in DOT, a digraph each, as the kernel's runtime verification
 * reads them (tools/verification/dot2; one digraph a file, so (machine) names
 * the one that is wanted, or NULL).  Its automata are deterministic: where
 * rules differ by their conditions alone, their events are numbered, and
 * comments at the end say which is which.  -ENOENT: no such machine.
 */
MUST_CHECK int explain_graph(const struct dmm_model *model, const char *machine,
			     explain_put *put, void *ctx);

/* The same as one digraph for people: all machines, each in its box. */
MUST_CHECK int explain_picture(const struct dmm_model *model,
			       const char *machine, explain_put *put,
			       void *ctx);

/* The part as a Markdown page: registers, machines, DMA, hand-over. */
MUST_CHECK int explain_doc(const struct dmm_model *model, explain_put *put,
			   void *ctx);

#endif /* DMM_EXPLAIN_H */
