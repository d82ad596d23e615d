/* SPDX-License-Identifier: MIT */
/*
 * irq.c: a guest's interrupt lines, several devices to a line.
 */

#include "irq.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct irq {
	irq_fn *set;
	void *ctx;
	pthread_mutex_t lock;
	unsigned int high[IRQ_LINES]; /* how many pins are */
};

int irq_open(struct irq **out, irq_fn *set, void *ctx)
{
	struct irq *irq = calloc(1, sizeof(*irq));

	if (!irq)
		return -ENOMEM;
	irq->set = set;
	irq->ctx = ctx;
	pthread_mutex_init(&irq->lock, NULL);
	*out = irq;
	return 0;
}

void irq_close(struct irq *irq)
{
	if (!irq)
		return;
	pthread_mutex_destroy(&irq->lock);
	free(irq);
}

void irq_pin_init(struct irq_pin *pin, struct irq *irq, unsigned int line)
{
	assert(line < IRQ_LINES);
	pin->irq = irq;
	pin->line = line;
	atomic_init(&pin->level, false);
}

void irq_pin_set(struct irq_pin *pin, bool level)
{
	struct irq *irq = pin->irq;
	unsigned int *high = &irq->high[pin->line];

	if (atomic_load(&pin->level) == level)
		return;
	/*
	 * The lock is held over the call: else two threads could hand their
	 * changes to the kernel in the wrong order.
	 */
	pthread_mutex_lock(&irq->lock);
	if (atomic_load(&pin->level) != level) {
		atomic_store(&pin->level, level);
		if (level ? (*high)++ == 0 : --(*high) == 0)
			irq->set(irq->ctx, pin->line, level);
	}
	pthread_mutex_unlock(&irq->lock);
}
