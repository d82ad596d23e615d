/* SPDX-License-Identifier: MIT */
/*
 * irq.h: a guest's interrupt lines, several devices to a line.
 *
 * A device holds a pin.  A line is high while any of its pins is; only a
 * change of the line costs a call to the kernel.
 *
 * Threads: irq_pin_set() from any.
 */

#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include <stdatomic.h>

#include "../dmm/cc.h"

#define IRQ_LINES 24

/* Drive the line for real; called with a lock held, so briefly. */
typedef void irq_fn(void *ctx, unsigned int line, bool level);

struct irq;

/* A device's end of a line; embed it, it needs no clean-up. */
struct irq_pin {
	struct irq *irq;
	unsigned int line;
	atomic_bool level;
};

/* -ENOMEM. */
MUST_CHECK int irq_open(struct irq **out, irq_fn *set, void *ctx);
void irq_close(struct irq *irq); /* after its pins' last use; NULL is fine */

/* A pin, low; (line) is below IRQ_LINES. */
void irq_pin_init(struct irq_pin *pin, struct irq *irq, unsigned int line);

/* Costs one load when nothing changes. */
void irq_pin_set(struct irq_pin *pin, bool level);

#endif /* VMM_IRQ_H */
