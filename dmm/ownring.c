// SPDX-License-Identifier: MIT
/*
 * ownring.c: rings whose descriptors say by a bit of their own whose they are.
 * The part that has such a ring looks at its next descriptor when it is told
 * to, and by itself now and then; there is no tail to be written.
 */

#include <stdatomic.h>
#include <string.h>

#include "mon.h"

/* Descriptors of one frame that is received. */
#define ROOM_MAX 64u

bool own_done(const struct ring *r, const uint64_t *w)
{
	return desc_get(w, r->done) != r->own;
}

void own_set_done(const struct ring *r, uint64_t *w, bool done)
{
	desc_put(w, r->done, done != r->own);
}

void own_give(const struct ring *r, volatile uint64_t *to, const uint64_t *w)
{
	unsigned int i;

	for (i = 0; i < r->words; i++)
		if (i != r->done.slot)
			to[i] = w[i];
	atomic_thread_fence(memory_order_release);
	to[r->done.slot] = w[r->done.slot];
}

void own_start(const struct ring *r, volatile uint64_t *to)
{
	atomic_thread_fence(memory_order_release);
	to[r->done.slot] |= r->done.mask << r->done.shift;
}

/* ---- transmitting: the part looks by itself ---- */

static const struct ring *scanned(const struct dmm *d)
{
	return d->scans ? &d->model->ring[d->model->transmit.dring] : NULL;
}

static bool looks(const struct dmm *d, unsigned int g, const struct ring *r)
{
	const struct expr *on = d->model->transmit.enabled;

	return d->guest[g].alive && d->guest[g].txq->count &&
	       (!on || mon_eval(d, g, on)) &&
	       (!r->scan_if || mon_eval(d, g, r->scan_if));
}

void own_scan(struct dmm *d, uint64_t now)
{
	const struct ring *r = scanned(d);
	unsigned int i;

	if (!r || now - d->scanned < r->scan_ns)
		return;
	d->scanned = now;
	for (i = 0; i < d->conf.guests; i++)
		if (looks(d, i, r))
			txring_fetch(d, i);
	shadow_pump(d);
}

static bool any(const struct dmm *d, const struct ring *r)
{
	unsigned int i;

	for (i = 0; r && i < d->conf.guests; i++)
		if (looks(d, i, r))
			return true;
	return false;
}

uint64_t own_next(struct dmm *d)
{
	const struct ring *r = scanned(d);

	d->scanning = any(d, r);
	return d->scanning ? d->scanned + r->scan_ns : UINT64_MAX;
}

void own_wake(struct dmm *d)
{
	const struct ring *r = scanned(d);

	if (!any(d, r))
		return;
	d->scanning = true;
	d->host.due(d->host.ctx, d->host.now(d->host.ctx) + r->scan_ns);
}

/* ---- receiving ---- */

/* A buffer that the guest gave at (at); 0: it did not. */
static uint64_t buffer_at(struct dmm *d, unsigned int g, const struct ring *r,
			  uint64_t at, uint64_t *buffer)
{
	uint64_t w[MODEL_MAX_WORDS] = { 0 };
	const struct layout *l;

	if (!form_given(d, g, r, at) ||
	    form_read(d, g, r, at, w, r->words * 8u))
		return 0;
	l = desc_layout(d, g, r, w);
	if (!l || !l->length)
		return 0;
	*buffer = desc_get(w, l->buffer);
	return desc_eval(d, g, l->length, w);
}

bool own_room(struct dmm *d, unsigned int g, uint64_t base, uint32_t count,
	      size_t len)
{
	const struct ring *r = &d->model->ring[d->model->receive.dring];
	uint32_t i = d->guest[g].rx_head % count, n;
	unsigned int step = form_bytes(d, g, r);
	uint64_t size, buffer;

	for (n = 0; n < count && n < ROOM_MAX; n++) {
		size = buffer_at(d, g, r, base + (uint64_t)i * step, &buffer);
		if (!size)
			return false;
		if (size >= len)
			return true;
		len -= size;
		i = i + 1 < count ? i + 1 : 0;
	}
	return false;
}

bool own_buffers(struct dmm *d, unsigned int g, const struct ring *r,
		 uint64_t *at, uint64_t *len)
{
	uint64_t base = *at, step = form_bytes(d, g, r), n = *len / step;
	uint64_t i, size, buffer, iova;
	struct rx_seen now = { .base = base, .count = n };

	/* the others, and those given later, are looked at when they are used */
	if (memcmp(&d->guest[g].rx_seen, &now, sizeof(now)) == 0)
		return true;
	for (i = 0; i < n && i < RX_LOOK_MAX; i++) {
		size = buffer_at(d, g, r, base + i * step, &buffer);
		if (!size || d->conf.without & DMM_WITHOUT_BUFFER ||
		    !d->host.translate(d->host.ctx, g, buffer, size, &iova))
			continue;
		*at = buffer;
		*len = size;
		return false;
	}
	d->guest[g].rx_seen = now;
	return true;
}
