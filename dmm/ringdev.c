// SPDX-License-Identifier: MIT
/*
 * ringdev.c: a device with rings of descriptors: its area, its opening, and
 * what it wants when it interrupts.
 */

#include <errno.h>
#include <string.h>

#include "mon.h"

/* Looks at the causes in one service. */
#define SERVICE_MAX 8u

/* The area: both rings, then heads, buffers, blocks; pages each. */
#define RING_BYTES (SHADOW_DEPTH * MODEL_MAX_WORDS * 8u)
#define HEADS_BYTES (SHADOW_DEPTH * SHADOW_HEAD)
#define BUFFER_BYTES (SHADOW_DEPTH * SHADOW_BUFFER)
#define BLOCKS_AT (2u * RING_BYTES + HEADS_BYTES + BUFFER_BYTES)
#define BLOCKS_BYTES 4096u

uint64_t dmm_model_area(const struct dmm_model *m)
{
	return m->rings ? BLOCKS_AT + (m->blocks ? BLOCKS_BYTES : 0) : 0;
}

int shadow_open(struct dmm *d)
{
	const struct dmm_model *m = d->model;
	struct proc_args args = { .guest = -1 };
	uint64_t *env = d->shadow_env, iova = d->conf.area.iova;
	uint8_t *host = d->conf.area.host;
	unsigned int tx = m->transmit.dring, rx = m->receive.dring;
	int err;

	memset(host, 0, 2u * RING_BYTES);
	d->tx->desc = (uint64_t *)(void *)host;
	d->tx->words = m->ring[tx].words;
	d->tx->clean = d->tx->tail = d->tx->bytes = 0;
	d->tx->limit = SHADOW_SHARED;
	d->tx->since = 0;
	d->rx_desc = (uint64_t *)(void *)(host + RING_BYTES);
	d->heads = host + 2u * RING_BYTES;
	d->rx_buffer = d->heads + HEADS_BYTES;
	d->last_sender = -1;
	env[tx * EXPR_RING_NUMBERS + EXPR_RING_BASE] = iova;
	env[tx * EXPR_RING_NUMBERS + EXPR_RING_COUNT] = SHADOW_DEPTH;
	env[tx * EXPR_RING_NUMBERS + EXPR_RING_IDLE] = 1;
	env[rx * EXPR_RING_NUMBERS + EXPR_RING_BASE] =
		m->ring[rx].kind == RING_OF_BYTES ?
			iova + (uint64_t)(d->rx_buffer - host) :
			iova + RING_BYTES;
	env[rx * EXPR_RING_NUMBERS + EXPR_RING_COUNT] = SHADOW_DEPTH;
	env[rx * EXPR_RING_NUMBERS + EXPR_RING_IDLE] = 1;
	rxring_open(d);
	d->scans = m->ring[tx].own && m->ring[tx].scan_ns;
	if (m->blocks)
		block_open(d, host + BLOCKS_AT, iova + BLOCKS_AT);
	err = proc_run(d, PROC_OPEN, &args);
	return err || m->ring[rx].kind != RING_OF_BYTES ? err :
							  bytering_open(d);
}

bool shadow_limited(struct dmm *d, uint32_t bytes)
{
	if (!shadow_busy(d) ||
	    d->tx->bytes + bytes <=
		    (d->conf.guests > 1 ? d->tx->limit : SHADOW_ALONE))
		return false;
	d->tx->limited = true;
	return true;
}

/* Dry, with more to send: too little.  Half is there: enough. */
void shadow_adjust(struct dmm *d)
{
	struct shadow *tx = d->tx;

	if (tx->limited && !shadow_busy(d) && tx->limit < SHADOW_ALONE)
		tx->limit *= 2;
	else if (tx->limited && tx->bytes > tx->limit / 2 &&
		 tx->limit > SHADOW_SHARED)
		tx->limit -= tx->limit / 16;
	if (tx->limit < SHADOW_SHARED)
		tx->limit = SHADOW_SHARED;
	tx->limited = false;
}

void shadow_restart(struct dmm *d)
{
	shadow_lose(d);
	if (mon_device_reset(d) || shadow_open(d))
		d->failed = true;
}

/* What the part says of itself may be new: every guest sees it. */
static void refresh_status(struct dmm *d)
{
	const struct reg *reg;
	unsigned int i, k, g;
	uint64_t v;

	for (i = 0; i < d->model->regs; i++) {
		reg = &d->model->reg[i];
		if (reg->writable || reg->read_clears || reg->save_none ||
		    reg->answer != ANSWER_NONE)
			continue;
		for (k = 0; k < reg->dim; k++) {
			v = card_read(d, reg->slot + k, true, NULL);
			d->initial[reg->slot + k] = v;
			for (g = 0; g < d->conf.guests; g++)
				d->guest[g].reg[reg->slot + k] = v;
		}
	}
}

static void tell_all(struct dmm *d, uint64_t cause)
{
	unsigned int g, slot = d->model->reg[d->model->interrupt.cause].slot;

	refresh_status(d);
	for (g = 0; g < d->conf.guests; g++) {
		d->guest[g].reg[slot] |= cause;
		lease_line(d, g);
	}
}

/* Clear the causes by ones; what else stands there stays as we wrote it. */
static uint64_t acknowledge(struct dmm *d, const struct reg *reg,
			    uint64_t cause)
{
	uint64_t plain = cc_ones(reg->bits) & ~reg->w1c & ~reg->w1s &
			 ~reg->self_clear & ~reg->ro;

	cause &= reg->w1c;
	if (cause)
		card_write(d, reg->slot, cause | (d->dev[reg->slot] & plain),
			   true);
	return cause;
}

void shadow_service(struct dmm *d)
{
	const struct interrupt *irq = &d->model->interrupt;
	unsigned int i, slot = d->model->reg[irq->cause].slot;
	const struct reg *reg = &d->model->reg[irq->cause];
	uint64_t cause;

	for (i = 0; i < SERVICE_MAX; i++) {
		cause = card_read(d, slot, true, NULL);
		if (!reg->read_clears)
			cause = acknowledge(d, reg, cause);
		if (cause & irq->all)
			tell_all(d, cause & irq->all);
		rxring_drain(d);
		if (shadow_clean(d))
			shadow_pump(d);
		if (!cause)
			return;
	}
}
