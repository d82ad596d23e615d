// SPDX-License-Identifier: MIT
/*
 * desc.c: descriptors: their bits, their layout, and what is written back into
 * them.
 */

#include <stdatomic.h>
#include <string.h>

#include "mon.h"

bool desc_take(struct dmm *d, const struct ring *r,
	       const volatile uint64_t *from, uint64_t w[MODEL_MAX_WORDS])
{
	unsigned int i;

	w[r->done.slot] = from[r->done.slot];
	atomic_thread_fence(memory_order_acquire);
	for (i = 0; i < r->words; i++)
		if (i != r->done.slot)
			w[i] = from[i];
	desc_took(d, from, w, r->words * 8u, own_done(r, w));
	return own_done(r, w);
}

void desc_took(struct dmm *d, const volatile void *from, void *to, size_t n,
	       bool done)
{
	const volatile uint8_t *at = from;

	if (d->host.area)
		d->host.area(d->host.ctx, (uint64_t)(at - d->conf.area.host),
			     to, n, done);
}

uint64_t desc_get(const uint64_t *w, struct bits b)
{
	return w[b.slot] >> b.shift & b.mask;
}

void desc_put(uint64_t *w, struct bits b, uint64_t value)
{
	w[b.slot] &= ~(b.mask << b.shift);
	w[b.slot] |= (value & b.mask) << b.shift;
}

void desc_written_back(const struct ring *r, uint64_t *to, const uint64_t *from)
{
	unsigned int i, low, high;
	struct bits b;

	for (i = r->back_low / 64u; i <= r->back_high / 64u; i++) {
		low = i == r->back_low / 64u ? r->back_low % 64u : 0;
		high = i == r->back_high / 64u ? r->back_high % 64u : 63;
		b = (struct bits){ .slot = (uint16_t)i,
				   .shift = (uint8_t)low,
				   .mask = cc_ones(high - low + 1u) };
		desc_put(to, b, desc_get(from, b));
	}
}

uint64_t desc_eval(const struct dmm *d, unsigned int g, const struct expr *e,
		   const uint64_t *w)
{
	struct expr_env env = { .array = { [EXPR_REG] = d->guest[g].reg,
					   [EXPR_STATE] = d->guest[g].state,
					   [EXPR_FIELD] = w } };

	return expr_eval(e, &env, NULL);
}

void desc_sets(const struct dmm *d, unsigned int g, struct span sets,
	       uint64_t *w, uint64_t length)
{
	uint64_t event[EXPR_EVENTS] = { [EXPR_LENGTH] = length };
	struct expr_env env = { .array = { [EXPR_REG] = d->guest[g].reg,
					   [EXPR_STATE] = d->guest[g].state,
					   [EXPR_EVENT] = event,
					   [EXPR_FIELD] = w } };
	const struct set *s = &d->model->set[sets.first], *end = s + sets.n;

	for (; s < end; s++)
		desc_put(w,
			 (struct bits){ .slot = s->slot,
					.shift = s->shift,
					.mask = s->mask },
			 expr_eval(s->value, &env, NULL));
}

const struct layout *desc_layout(const struct dmm *d, unsigned int g,
				 const struct ring *r, const uint64_t *w)
{
	unsigned int i;

	for (i = 0; i < r->layouts; i++)
		if (!r->layout[i].when || desc_eval(d, g, r->layout[i].when, w))
			return &r->layout[i];
	return NULL;
}

/*
 * Byte by byte of what the part writes back: all but the byte with the done
 * bit, then, after what was written is seen, that one.  x86 is little endian,
 * as descriptors are.
 */
void desc_write_back(struct dmm *d, unsigned int g, const struct ring *r,
		     uint64_t at, const uint64_t *w)
{
	unsigned int done = (r->done.slot * 64u + r->done.shift) / 8u;
	unsigned int low = r->back_low / 8u, high = r->back_high / 8u;
	const uint8_t *bytes = (const uint8_t *)w;

	if (r->forms && form_write_back(d, g, r, at, w))
		return;
	if (done > low)
		(void)!d->host.write_mem(d->host.ctx, g, at + low, bytes + low,
					 done - low);
	if (high > done)
		(void)!d->host.write_mem(d->host.ctx, g, at + done + 1,
					 bytes + done + 1, high - done);
	atomic_thread_fence(memory_order_release);
	(void)!d->host.write_mem(d->host.ctx, g, at + done, bytes + done, 1);
}
