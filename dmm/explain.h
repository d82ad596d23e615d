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

/* The machines in DOT, in the dialect of the kernel's runtime verification. */
MUST_CHECK int explain_graph(const struct dmm_model *model, explain_put *put,
			     void *ctx);

/* The part as a Markdown page: registers, machines, DMA, hand-over. */
MUST_CHECK int explain_doc(const struct dmm_model *model, explain_put *put,
			   void *ctx);

#endif /* DMM_EXPLAIN_H */
