// SPDX-License-Identifier: MIT
/*
 * slots.c: transmit descriptors that are registers, a few slots of them, used
 * one after the other: a guest's, read once when it gives them, and the
 * device's, which only the monitor writes.
 *
 * A slot has one buffer, so a checked frame is copied into the monitor's own
 * memory: what was checked is what is sent, and the device is never told an
 * address of a guest's.
 */

#include <string.h>

#include "mon.h"

static unsigned int slot_of(const struct dmm *d, const struct ring *r,
			    unsigned int word, uint32_t index)
{
	return d->model->reg[r->word[word]].slot + index % r->slots;
}

bool slots_have(const struct ring *r, unsigned int reg)
{
	unsigned int i;

	for (i = 0; r->kind == RING_OF_SLOTS && i < r->words; i++)
		if (r->word[i] == reg)
			return true;
	return false;
}

/* ---- a guest's ---- */

void slots_read(const struct dmm *d, unsigned int g, uint32_t index,
		uint64_t w[MODEL_MAX_WORDS])
{
	const struct ring *r = mon_tx_ring(d);
	unsigned int i;

	for (i = 0; i < r->words; i++)
		w[i] = d->guest[g].reg[slot_of(d, r, i, index)];
}

bool slots_given(const struct dmm *d, unsigned int g, const struct txq *q)
{
	const struct ring *r = mon_tx_ring(d);
	uint64_t w[MODEL_MAX_WORDS] = { 0 };

	if (q->got - q->clean >= r->slots)
		return false;
	slots_read(d, g, q->fetch, w);
	return desc_eval(d, g, r->given, w);
}

void slots_write_back(struct dmm *d, unsigned int g, uint32_t index,
		      const uint64_t *w)
{
	const struct ring *r = mon_tx_ring(d);
	unsigned int last = r->words - 1u;

	d->guest[g].reg[slot_of(d, r, last, index)] =
		w[last] & cc_ones(d->model->reg[r->word[last]].bits);
}

/* ---- the device's ---- */

/* Bytes of the area: a buffer for each slot, where a ring has its heads. */
static uint8_t *buffer_of(const struct dmm *d, uint32_t index)
{
	return d->heads +
	       (size_t)(index % mon_tx_ring(d)->slots) * SHADOW_BUFFER;
}

void slots_copy(struct dmm *d, unsigned int g, const struct tx_desc *t,
		const uint8_t *head, uint32_t head_len)
{
	uint8_t *to = buffer_of(d, d->tx->tail);
	uint32_t len = t->len <= SHADOW_BUFFER ? t->len : SHADOW_BUFFER;

	if (d->host.read_mem(d->host.ctx, g, t->gpa, to, len))
		memset(to, 0, len); /* its memory is not there any more */
	memcpy(to, head, head_len); /* what was checked, not read again */
	d->stats.transmit.payload_bytes_copied += len;
}

void slots_put(struct dmm *d, const uint64_t *w, uint64_t elsewhere,
	       const struct layout *l)
{
	const struct ring *r = mon_tx_ring(d);
	uint32_t at = d->tx->tail;
	uint64_t tmp[MODEL_MAX_WORDS];
	unsigned int i;

	memcpy(tmp, w, sizeof(tmp));
	desc_put(tmp, l->buffer,
		 elsewhere ? elsewhere :
			     d->conf.area.iova + (uint64_t)(buffer_of(d, at) -
							    d->conf.area.host));
	/* the last register is what gives the slot */
	for (i = 0; i < r->words; i++)
		card_write(d, slot_of(d, r, i, at), tmp[i], true);
}

bool slots_take(struct dmm *d, uint32_t at, uint64_t w[MODEL_MAX_WORDS])
{
	const struct ring *r = mon_tx_ring(d);
	struct expr_env env = {
		.array = { [EXPR_REG] = d->dev, [EXPR_FIELD] = w }
	};
	unsigned int i;

	for (i = 0; i < r->words; i++)
		w[i] = i + 1u < r->words ?
			       d->dev[slot_of(d, r, i, at)] :
			       card_read(d, slot_of(d, r, i, at), true, NULL);
	return expr_eval(r->finished, &env, NULL);
}
