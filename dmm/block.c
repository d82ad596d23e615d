// SPDX-License-Identifier: MIT
/*
 * block.c: structures in guest memory that a part reads when it is told to:
 * the monitor reads a guest's once, and its fields become the guest's
 * registers; the device reads one of the monitor's own.
 */

#include <string.h>

#include "mon.h"

bool block_read(struct dmm *d, unsigned int g, unsigned int i, uint64_t *at,
		uint64_t *len)
{
	const struct block *b = &d->model->block[i];
	uint64_t *w = d->guest[g].block[i], iova;

	*at = mon_eval(d, g, b->form.base);
	*len = form_size(d, g, &b->form, b->bytes);
	memset(w, 0, sizeof(d->guest[g].block[i]));
	if (d->host.translate(d->host.ctx, g, *at, *len, &iova))
		return d->conf.without & DMM_WITHOUT_RING;
	return form_read(d, g, &b->form, *at, w, b->bytes) == 0;
}

static void load(struct dmm *d, unsigned int g, unsigned int i)
{
	const struct block *b = &d->model->block[i];
	struct context *c = &d->guest[g];
	unsigned int k;

	for (k = 0; k < b->loads.n; k++) {
		const struct set *s = &d->model->set[b->loads.first + k];
		uint64_t v = desc_eval(d, g, s->value, c->block[i]);

		c->reg[s->slot] &= ~(s->mask << s->shift);
		c->reg[s->slot] |= (v & s->mask) << s->shift;
	}
}

void block_load(struct dmm *d, unsigned int g, unsigned int i)
{
	const struct block *b = &d->model->block[i];

	load(d, g, i);
	for (uint32_t set = b->begins; set; set &= set - 1) {
		if (d->model->ring[__builtin_ctz(set)].to_device)
			txring_reset(d, g);
		else
			d->guest[g].rx_head = 0;
	}
	d->guest[g].rx_seen = (struct rx_seen){ .base = 0 };
}

void block_try(struct dmm *d, unsigned int g, unsigned int i,
	       uint64_t old[MODEL_MAX_LOADS])
{
	const struct span loads = d->model->block[i].loads;
	unsigned int k;

	for (k = 0; k < loads.n; k++)
		old[k] = d->guest[g].reg[d->model->set[loads.first + k].slot];
	load(d, g, i);
}

void block_undo(struct dmm *d, unsigned int g, unsigned int i,
		const uint64_t old[MODEL_MAX_LOADS])
{
	const struct span loads = d->model->block[i].loads;
	unsigned int k;

	/* the other way round: one register may stand there twice */
	for (k = loads.n; k-- > 0;)
		d->guest[g].reg[d->model->set[loads.first + k].slot] = old[k];
}

void block_open(struct dmm *d, uint8_t *host, uint64_t iova)
{
	const struct dmm_model *m = d->model;
	uint64_t w[MODEL_MAX_WORDS];
	struct expr_env env = { .array = { [EXPR_REG] = d->dev,
					   [EXPR_FIELD] = w,
					   [EXPR_SHADOW] = d->shadow_env } };
	unsigned int i, k;

	for (i = 0; i < m->blocks; i++, host += sizeof(w), iova += sizeof(w)) {
		const struct block *b = &m->block[i];

		memset(w, 0, sizeof(w));
		for (k = 0; k < b->form.shadow.n; k++) {
			const struct set *s = &m->set[b->form.shadow.first + k];

			desc_put(w,
				 (struct bits){ .slot = s->slot,
						.shift = s->shift,
						.mask = s->mask },
				 expr_eval(s->value, &env, NULL));
		}
		memcpy(host, w, sizeof(w));
		d->shadow_env[MODEL_MAX_RINGS * EXPR_RING_NUMBERS + i] = iova;
	}
}
