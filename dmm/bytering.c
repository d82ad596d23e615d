// SPDX-License-Identifier: MIT
/*
 * bytering.c: rings of bytes, in which frames follow one another, each behind
 * a small header: the device's, which is the monitor's memory, and a guest's,
 * into which frames are put by its own registers.
 */

#include <errno.h>
#include <string.h>

#include "mon.h"

/* Frames taken from the device in one service. */
#define DRAIN_MAX 64u
/* How often the device may show half a frame, and when to look again. */
#define TRIES 64u
#define AGAIN_NS 100000u

struct place_in {
	uint64_t base, size, slack;
	uint64_t write, read; /* from (base), below (size) */
};

static const struct ring *rx_ring(const struct dmm *d)
{
	return &d->model->ring[d->model->receive.dring];
}

static const struct reg *reg_of(const struct dmm *d, uint16_t reg)
{
	return &d->model->reg[reg];
}

/* False: there is no such ring. */
static bool ring_at(const struct dmm *d, const uint64_t *reg,
		    const struct ring *r, struct place_in *in)
{
	uint64_t states[MODEL_MAX_MACHINES] = { 0 };
	struct expr_env env = {
		.array = { [EXPR_REG] = reg, [EXPR_STATE] = states }
	};

	*in = (struct place_in){ .base = expr_eval(r->base, &env, NULL),
				 .size = expr_eval(r->count, &env, NULL) };
	if (r->slack)
		in->slack = expr_eval(r->slack, &env, NULL);
	if (in->size < 2u * SHADOW_BUFFER || in->size > BYTE_RING_MAX ||
	    in->slack > SHADOW_BUFFER)
		return false;
	in->write = reg[reg_of(d, r->head)->slot] % in->size;
	in->read = (reg[reg_of(d, r->tail)->slot] + r->lag) &
		   cc_ones(reg_of(d, r->tail)->bits);
	in->read %= in->size;
	return true;
}

static uint64_t aligned(const struct ring *r, uint64_t len)
{
	return (len + r->align - 1u) & ~(uint64_t)(r->align - 1u);
}

/* ---- a guest's ---- */

bool bytering_check(struct dmm *d, unsigned int g, const struct ring *r,
		    uint64_t *at, uint64_t *len)
{
	struct place_in in;
	uint64_t iova;
	bool there = ring_at(d, d->guest[g].reg, r, &in);

	*at = in.base;
	*len = in.size + in.slack;
	if (d->conf.without & DMM_WITHOUT_RING)
		return true;
	return there &&
	       !d->host.translate(d->host.ctx, g, in.base, *len, &iova);
}

/* (n) bytes at (pos): what does not fit goes behind the end, or on at 0. */
static int put_bytes(struct dmm *d, unsigned int g, const struct place_in *in,
		     uint64_t pos, const uint8_t *bytes, uint64_t n)
{
	uint64_t end = in->size + in->slack, first;

	if (pos >= end || (!in->slack && pos >= in->size))
		pos -= in->size;
	first = n < end - pos ? n : end - pos;
	if (d->host.write_mem(d->host.ctx, g, in->base + pos, bytes, first))
		return -EFAULT;
	return first == n ? 0 :
			    d->host.write_mem(d->host.ctx, g, in->base,
					      bytes + first, n - first);
}

static void make_header(struct dmm *d, unsigned int g, const uint8_t *bytes,
			size_t len, uint64_t w[MODEL_MAX_WORDS])
{
	const struct ring *r = rx_ring(d);

	w[0] = 0;
	desc_put(w, r->len, len);
	switch (frame_kind(bytes, len)) {
	case FRAME_UNICAST:
		/* by its own address, not because it hears all */
		desc_put(w, r->unicast,
			 frame_is_to(bytes, d->conf.guest[g].mac));
		break;
	case FRAME_MULTICAST:
		desc_put(w, r->multicast, 1);
		break;
	case FRAME_BROADCAST:
		desc_put(w, r->broadcast, 1);
		break;
	case FRAME_BAD:
		break;
	}
	desc_put(w, r->done, 1);
	desc_sets(d, g, r->frame, w, len);
}

int bytering_put(struct dmm *d, unsigned int g, const uint8_t *bytes,
		 size_t len)
{
	const struct ring *r = rx_ring(d);
	uint64_t w[MODEL_MAX_WORDS], iova, free, whole = r->header + len;
	struct place_in in;

	if (!ring_at(d, d->guest[g].reg, r, &in) || whole > SHADOW_BUFFER)
		return -ENOSPC;
	free = (in.size + in.read - in.write) % in.size;
	if (free && aligned(r, whole) >= free)
		return -ENOSPC;
	if (d->host.translate(d->host.ctx, g, in.base, in.size + in.slack,
			      &iova) &&
	    !(d->conf.without & DMM_WITHOUT_RING))
		return -ENOSPC;
	make_header(d, g, bytes, len, w);
	/* the driver looks at the write position last */
	if (put_bytes(d, g, &in, in.write + r->header, bytes, len) ||
	    put_bytes(d, g, &in, in.write, (uint8_t *)w, r->header))
		return -ENOSPC;
	in.write = (in.write + aligned(r, whole)) % in.size;
	d->guest[g].reg[reg_of(d, r->head)->slot] = in.write;
	return 0;
}

/* ---- the device's ---- */

int bytering_open(struct dmm *d)
{
	const struct ring *r = rx_ring(d);
	struct place_in in;

	d->rx_tries = 0;
	d->rx_more = false;
	if (!ring_at(d, d->dev, r, &in))
		return -EINVAL;
	d->rx_size = (uint32_t)in.size;
	d->rx_slack = (uint32_t)in.slack;
	d->rx_next =
		(uint32_t)(card_read(d, reg_of(d, r->head)->slot, true, NULL) %
			   in.size);
	return 0;
}

/* Bytes at (pos) of the device's ring; it is done with them. */
static void get_bytes(struct dmm *d, uint32_t pos, uint8_t *to, uint32_t n)
{
	uint32_t end = d->rx_size + d->rx_slack, first;
	const uint8_t *from;

	if (pos >= end || (!d->rx_slack && pos >= d->rx_size))
		pos -= d->rx_size;
	first = n < end - pos ? n : end - pos;
	from = d->rx_buffer + pos;
	memcpy(to, from, first);
	desc_took(d, from, to, first, true);
	if (first == n)
		return;
	memcpy(to + first, d->rx_buffer, n - first);
	desc_took(d, d->rx_buffer, to + first, n - first, true);
}

/*
 * The frame at rx_next, of which (have) bytes are there, into d->big; in
 * (*out) its length without its check sequence.  One that is longer than
 * anybody takes is passed over: its length is 0.  False if what is there is no
 * whole frame.
 */
static bool take(struct dmm *d, uint32_t have, uint32_t *out)
{
	const struct expr *check = d->model->receive.check;
	const struct ring *r = rx_ring(d);
	uint8_t *bytes = d->big + 3 * BIG;
	uint64_t w[MODEL_MAX_WORDS] = { 0 }, len;
	struct expr_env env = { .array = { [EXPR_REG] = d->dev } };
	uint32_t trailer = check && expr_eval(check, &env, NULL) ? FRAME_FCS :
								   0;

	if (have < r->header)
		return false;
	get_bytes(d, d->rx_next, (uint8_t *)w, r->header);
	len = desc_get(w, r->len);
	if (!desc_get(w, r->done) || len < FRAME_HEADER + trailer ||
	    len > BYTE_RING_MAX || aligned(r, r->header + len) > have)
		return false;
	*out = 0;
	if (len <= SHADOW_BUFFER - r->header) {
		get_bytes(d, d->rx_next + r->header, bytes, (uint32_t)len);
		*out = (uint32_t)len - trailer;
	}
	d->rx_next = (uint32_t)((d->rx_next + aligned(r, r->header + len)) %
				d->rx_size);
	return true;
}

void bytering_drain(struct dmm *d)
{
	const struct ring *r = rx_ring(d);
	uint32_t end, before = d->rx_next, len, n, i;

	end = (uint32_t)(card_read(d, reg_of(d, r->head)->slot, true, NULL) %
			 d->rx_size);
	for (n = 0; n < DRAIN_MAX && d->rx_next != end; n++) {
		if (!take(d, (end + d->rx_size - d->rx_next) % d->rx_size,
			  &len))
			break;
		d->rx_tries = 0;
		for (i = 0; len && i < d->conf.guests; i++)
			spool_deliver(d, i, d->big + 3 * BIG, len);
	}
	if (d->rx_next != before)
		card_write(d, reg_of(d, r->tail)->slot,
			   d->rx_next - (uint64_t)r->lag, true);
	d->rx_more = d->rx_next != end;
	/* still coming, or it lost its way */
	if (d->rx_more && n < DRAIN_MAX && ++d->rx_tries > TRIES)
		shadow_restart(d);
	else if (d->rx_more)
		d->host.due(d->host.ctx, d->host.now(d->host.ctx) + AGAIN_NS);
}
