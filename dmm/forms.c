// SPDX-License-Identifier: MIT
/*
 * forms.c: descriptors and blocks that parts lay out in several ways, by a
 * register of the guest's: what is in memory becomes what the rest of the
 * monitor knows, field by field, and back.
 */

#include <stdatomic.h>
#include <string.h>

#include "mon.h"

#define FORM_BYTES (8u * MODEL_MAX_WORDS)

/* The form that the guest's registers say; NULL: as the fields are. */
static const struct form *form_of(const struct dmm *d, unsigned int g,
				  const struct ring *r)
{
	unsigned int i;

	for (i = 0; i < r->forms; i++)
		if (mon_eval(d, g, r->form[i].when))
			return &r->form[i];
	return NULL;
}

unsigned int form_size(const struct dmm *d, unsigned int g,
		       const struct ring *r, unsigned int plain)
{
	const struct form *f = r->forms ? form_of(d, g, r) : NULL;

	return f ? f->bytes : plain;
}

unsigned int form_bytes(const struct dmm *d, unsigned int g,
			const struct ring *r)
{
	return form_size(d, g, r, r->words * 8u);
}

static struct bits field_of(const struct ring *r, unsigned int i)
{
	const struct field *f = &r->field[i];

	return (struct bits){ .slot = f->low / 64u,
			      .shift = f->low % 64u,
			      .mask = cc_ones(f->bits) };
}

static void from_form(const struct dmm *d, unsigned int g, const struct ring *r,
		      const struct form *f, const uint64_t *raw, uint64_t *w)
{
	unsigned int i;

	memset(w, 0, FORM_BYTES);
	for (i = 0; i < r->fields; i++)
		if (f->at[i].mask)
			desc_put(w, field_of(r, i), desc_get(raw, f->at[i]));
	desc_sets(d, g, f->adds, w, 0);
}

int form_read(struct dmm *d, unsigned int g, const struct ring *r, uint64_t at,
	      uint64_t *w, unsigned int bytes)
{
	const struct form *f = r->forms ? form_of(d, g, r) : NULL;
	uint64_t raw[MODEL_MAX_WORDS] = { 0 };
	int err;

	if (!f)
		return d->host.read_mem(d->host.ctx, g, at, w, bytes);
	err = d->host.read_mem(d->host.ctx, g, at, raw, f->bytes);
	if (!err)
		from_form(d, g, r, f, raw, w);
	return err;
}

/* Where the done bit is, in a form: in a field that has it. */
static unsigned int done_byte(const struct ring *r, const struct form *f)
{
	unsigned int bit = r->done.slot * 64u + r->done.shift, i, low;

	for (i = 0; i < r->fields; i++) {
		low = r->field[i].low;
		if (f->at[i].mask && bit >= low && bit < low + r->field[i].bits)
			return (f->at[i].slot * 64u + f->at[i].shift + bit -
				low) /
			       8u;
	}
	return 0;
}

bool form_write_back(struct dmm *d, unsigned int g, const struct ring *r,
		     uint64_t at, const uint64_t *w)
{
	const struct form *f = r->forms ? form_of(d, g, r) : NULL;
	uint64_t raw[MODEL_MAX_WORDS] = { 0 };
	uint32_t touched = 0; /* bit set of bytes */
	unsigned int i, k, low, done;

	if (!f)
		return false;
	for (i = 0; i < r->fields; i++) {
		if (!f->at[i].mask)
			continue;
		desc_put(raw, f->at[i], desc_get(w, field_of(r, i)));
		if (r->field[i].low > r->back_high ||
		    r->field[i].low + r->field[i].bits <= r->back_low)
			continue;
		low = f->at[i].slot * 64u + f->at[i].shift;
		for (k = low / 8u; k <= (low + r->field[i].bits - 1u) / 8u; k++)
			touched |= 1u << k;
	}
	done = done_byte(r, f);
	for (i = 0; i < f->bytes; i++)
		if (i != done && touched & 1u << i)
			(void)!d->host.write_mem(d->host.ctx, g, at + i,
						 (uint8_t *)raw + i, 1);
	atomic_thread_fence(memory_order_release);
	(void)!d->host.write_mem(d->host.ctx, g, at + done,
				 (uint8_t *)raw + done, 1);
	return true;
}

bool form_given(struct dmm *d, unsigned int g, const struct ring *r,
		uint64_t at)
{
	const struct form *f = r->forms ? form_of(d, g, r) : NULL;
	unsigned int word = f ? done_byte(r, f) / 8u : r->done.slot;
	uint64_t raw[MODEL_MAX_WORDS] = { 0 }, w[MODEL_MAX_WORDS];

	/* the bit first, and then, when it was seen, the rest: the guest
	 * writes them the other way round */
	if (d->host.read_mem(d->host.ctx, g, at + word * 8u, &raw[word], 8))
		return false;
	atomic_thread_fence(memory_order_acquire);
	if (!f)
		return !own_done(r, raw);
	from_form(d, g, r, f, raw, w);
	return !own_done(r, w);
}
