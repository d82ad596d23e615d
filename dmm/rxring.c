// SPDX-License-Identifier: MIT
/*
 * rxring.c: receiving by rings of descriptors: frames from the device's ring,
 * whose buffers are the monitor's, into the rings of those whom they are for.
 * A guest's buffers have the length that its own registers say at delivery.
 */

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "mon.h"

#define VLAN_AT 12u /* of the tag in a frame */
#define VLAN_TAG 4u
#define VLAN_TYPE 0x8100u

static const struct ring *rx_ring(const struct dmm *d)
{
	return &d->model->ring[d->model->receive.dring];
}

static uint64_t reg_of(const struct dmm *d, unsigned int g, uint16_t reg)
{
	return d->guest[g].reg[d->model->reg[reg].slot];
}

/* ---- into a guest's ring ---- */

struct into {
	uint64_t base;
	uint32_t count, head, tail;
	uint64_t size; /* of each buffer; 0: each descriptor says its own */
};

static bool ring_of(const struct dmm *d, unsigned int g, struct into *in)
{
	const struct ring *r = rx_ring(d);
	uint64_t count = mon_eval(d, g, r->count);

	if (count == 0 || count > UINT16_MAX + 1u)
		return false;
	in->size = 0;
	in->base = mon_eval(d, g, r->base);
	in->count = (uint32_t)count;
	if (r->own) {
		in->head = in->tail = d->guest[g].rx_head % in->count;
		return true;
	}
	in->head = (uint32_t)(reg_of(d, g, r->head) % count);
	in->tail = (uint32_t)(reg_of(d, g, r->tail) % count);
	return true;
}

static void bad_buffer(struct dmm *d, unsigned int g, uint64_t at, uint64_t len)
{
	mon_offence(d, (struct dmm_report){
			       .offence = DMM_REFUSED,
			       .guest = g,
			       .name = rx_ring(d)->name,
			       .rule = "a buffer is not the guest's memory",
			       .line = rx_ring(d)->pos.line,
			       .address = at,
			       .length = len });
}

/* How long a buffer given now would be. */
static uint64_t buffer_len(const struct dmm *d, unsigned int g,
			   const uint64_t *w, struct bits *buffer)
{
	const struct layout *l = desc_layout(d, g, rx_ring(d), w);

	if (!l || !l->length)
		return 0;
	*buffer = l->buffer;
	return desc_eval(d, g, l->length, w);
}

bool rxring_check(struct dmm *d, unsigned int g, const struct ring *r,
		  uint64_t *at, uint64_t *len)
{
	uint64_t w[MODEL_MAX_WORDS] = { 0 }, count, tail, size, iova, i;
	struct rx_seen *seen = &d->guest[g].rx_seen, now;
	struct bits buffer = { .mask = 0 };
	uint64_t ring, n;

	if (r->kind == RING_OF_BYTES)
		return bytering_check(d, g, r, at, len);
	*at = mon_eval(d, g, r->base);
	count = mon_eval(d, g, r->count);
	tail = r->own ? 0 : reg_of(d, g, r->tail);
	*len = count * form_bytes(d, g, r);
	if (d->conf.without & DMM_WITHOUT_RING)
		return true;
	if (count == 0)
		return tail == 0;
	if (count > UINT16_MAX + 1u || tail >= count ||
	    d->host.translate(d->host.ctx, g, *at, *len, &iova))
		return false;
	if (r->own)
		return own_buffers(d, g, r, at, len);
	/* what was looked at before is not looked at again */
	ring = *at;
	now = (struct rx_seen){ ring, count, buffer_len(d, g, w, &buffer),
				tail };
	i = reg_of(d, g, r->head) % count;
	if (seen->base == ring && seen->count == count &&
	    seen->size == now.size)
		i = seen->tail % count;
	for (n = 0; i != tail && n < RX_LOOK_MAX;
	     i = i + 1 < count ? i + 1 : 0, n++) {
		if (d->host.read_mem(d->host.ctx, g, ring + i * r->words * 8u,
				     w, r->words * 8u))
			return false;
		size = buffer_len(d, g, w, &buffer);
		if (!size || d->conf.without & DMM_WITHOUT_BUFFER)
			continue;
		if (d->host.translate(d->host.ctx, g, desc_get(w, buffer), size,
				      &iova)) {
			*at = desc_get(w, buffer);
			*len = size;
			return false;
		}
	}
	now.tail = i;
	*seen = now;
	return true;
}

/* One descriptor's share of a frame; bytes put there, or -EFAULT. */
static int put_one(struct dmm *d, unsigned int g, const struct into *in,
		   const uint8_t *bytes, size_t len, uint64_t *w)
{
	const struct ring *r = rx_ring(d);
	uint64_t at = in->base + (uint64_t)in->head * form_bytes(d, g, r), size;
	struct bits buffer = { .mask = 0 };

	if (form_read(d, g, r, at, w, r->words * 8u))
		return -EFAULT;
	buffer = r->layout[0].buffer;
	size = in->size ? in->size : buffer_len(d, g, w, &buffer);
	if (size > len)
		size = len;
	if (!size || d->host.write_mem(d->host.ctx, g, desc_get(w, buffer),
				       bytes, size)) {
		bad_buffer(d, g, desc_get(w, buffer), size);
		return -EFAULT;
	}
	return (int)size;
}

/* Descriptors that a frame of (len) bytes takes, at least. */
static bool has_room(struct dmm *d, unsigned int g, struct into *in, size_t len)
{
	uint32_t free = in->tail >= in->head ? in->tail - in->head :
					       in->count - in->head + in->tail;
	uint64_t w[MODEL_MAX_WORDS] = { 0 }, size;
	struct bits buffer;

	if (rx_ring(d)->own)
		return own_room(d, g, in->base, in->count, len);
	size = buffer_len(d, g, w, &buffer);
	in->size = rx_ring(d)->layout[0].fixed ? size : 0;
	return size && free >= (len + size - 1) / size;
}

/* How a frame lies in its descriptors: this one's share, and of it all. */
struct share {
	size_t len, total;
	bool first, last;
	const uint8_t *tag; /* NULL: none */
};

static void finish_desc(struct dmm *d, unsigned int g, struct into *in,
			uint64_t *w, const struct share *s)
{
	const struct ring *r = rx_ring(d);
	uint64_t at = in->base + (uint64_t)in->head * form_bytes(d, g, r);
	static const uint64_t zeros[MODEL_MAX_WORDS];

	/* what the part writes back is all new */
	desc_written_back(r, w, zeros);
	desc_sets(d, g, r->frame, w, s->len);
	desc_put(w, r->len, s->len);
	desc_put(w, r->start, s->first);
	desc_put(w, r->end, s->last);
	if (s->last)
		desc_put(w, r->total, s->total);
	if (s->tag && r->tagged.mask && r->tag.mask) {
		desc_put(w, r->tagged, 1);
		desc_put(w, r->tag, (uint64_t)(s->tag[0] << 8 | s->tag[1]));
	}
	own_set_done(r, w, true);
	desc_write_back(d, g, r, at, w);
	in->head = in->head + 1 < in->count ? in->head + 1 : 0;
}

/* The frame as the guest gets it, in d->big: padded, untagged, with check. */
static size_t prepare(struct dmm *d, unsigned int g, const uint8_t *bytes,
		      size_t len, uint8_t tag[2], bool *tagged)
{
	const struct receive *rx = &d->model->receive;
	uint8_t *to = d->big + 2 * BIG;
	uint32_t crc;

	*tagged = len >= FRAME_HEADER + VLAN_TAG &&
		  bytes[VLAN_AT] == VLAN_TYPE >> 8 &&
		  bytes[VLAN_AT + 1] == (VLAN_TYPE & 0xff) && rx->vlan_strip &&
		  mon_eval(d, g, rx->vlan_strip);
	if (*tagged) {
		memcpy(tag, bytes + VLAN_AT + 2, 2);
		memcpy(to, bytes, VLAN_AT);
		memcpy(to + VLAN_AT, bytes + VLAN_AT + VLAN_TAG,
		       len - VLAN_AT - VLAN_TAG);
		len -= VLAN_TAG;
	} else {
		memcpy(to, bytes, len);
	}
	if (len < FRAME_MIN) {
		memset(to + len, 0, FRAME_MIN - len);
		len = FRAME_MIN;
	}
	if (rx->check && mon_eval(d, g, rx->check)) {
		crc = frame_crc(0, to, len);
		memcpy(to + len, &crc, sizeof(crc));
		len += sizeof(crc);
	}
	return len;
}

int rxring_put(struct dmm *d, unsigned int g, const uint8_t *bytes, size_t len)
{
	const struct ring *r = rx_ring(d);
	const uint8_t *from = d->big + 2 * BIG;
	uint64_t w[MODEL_MAX_WORDS], iova;
	struct share s = { .first = true };
	struct into in;
	uint8_t tag[2];
	bool tagged;
	int n;

	if (len > SHADOW_BUFFER * 8u)
		return -ENOSPC;
	if (r->kind == RING_OF_BYTES)
		return bytering_put(d, g, from,
				    prepare(d, g, bytes, len, tag, &tagged));
	if (!ring_of(d, g, &in) ||
	    d->host.translate(d->host.ctx, g, in.base,
			      (uint64_t)in.count * form_bytes(d, g, r), &iova))
		return -ENOSPC;
	len = prepare(d, g, bytes, len, tag, &tagged);
	if (!has_room(d, g, &in, len))
		return -ENOSPC;
	s.tag = tagged ? tag : NULL;
	s.total = len;
	while (len) {
		n = put_one(d, g, &in, from, len, w);
		if (n < 0) {
			n = 0;
			len = 0; /* completes empty: the guest's own fault */
		}
		from += n;
		len -= (size_t)n;
		s.len = (size_t)n;
		s.last = len == 0;
		finish_desc(d, g, &in, w, &s);
		s.first = false;
	}
	if (r->own)
		d->guest[g].rx_head = in.head;
	else
		d->guest[g].reg[d->model->reg[r->head].slot] = in.head;
	return 0;
}

/* ---- from the device's ring ---- */

static void refresh(struct dmm *d, uint32_t i)
{
	const struct ring *r = rx_ring(d);
	volatile uint64_t *to = d->rx_desc + (size_t)i * r->words;
	uint64_t w[MODEL_MAX_WORDS] = { 0 };
	struct bits buffer = r->layout[0].buffer;

	desc_put(w, buffer,
		 d->conf.area.iova +
			 (uint64_t)(d->rx_buffer - d->conf.area.host) +
			 (uint64_t)i * SHADOW_BUFFER);
	desc_sets(d, 0, r->shadow, w, SHADOW_BUFFER);
	own_give(r, to, w);
}

void rxring_open(struct dmm *d)
{
	uint32_t i;

	for (i = 0; rx_ring(d)->kind != RING_OF_BYTES && i < SHADOW_DEPTH; i++)
		refresh(d, i);
	d->rx_next = d->rx_len = 0;
}

/* A frame is whole: its tag back in its place, then to all whom it is for. */
static void arrived(struct dmm *d, const uint64_t *w)
{
	const struct ring *r = rx_ring(d);
	uint8_t *bytes = d->big + 3 * BIG;
	uint32_t len = d->rx_len;
	unsigned int i;
	uint64_t tag;

	d->rx_len = 0;
	if (r->error.mask && desc_get(w, r->error))
		return;
	len -= len < r->trailer ? len : r->trailer;
	if (r->tagged.mask && desc_get(w, r->tagged) && len >= FRAME_HEADER) {
		memmove(bytes + VLAN_AT + VLAN_TAG, bytes + VLAN_AT,
			len - VLAN_AT);
		tag = desc_get(w, r->tag);
		bytes[VLAN_AT] = VLAN_TYPE >> 8;
		bytes[VLAN_AT + 1] = VLAN_TYPE & 0xff;
		bytes[VLAN_AT + 2] = (uint8_t)(tag >> 8);
		bytes[VLAN_AT + 3] = (uint8_t)tag;
		len += VLAN_TAG;
	}
	for (i = 0; i < d->conf.guests; i++)
		spool_deliver(d, i, bytes, len);
}

/* Bytes of a frame in the device's descriptor. */
static uint64_t taken(const struct dmm *d, const struct ring *r,
		      const uint64_t *w)
{
	uint64_t total = desc_get(w, r->total);

	if (!r->total.mask)
		return desc_get(w, r->len);
	if (!desc_get(w, r->end))
		return SHADOW_BUFFER;
	return total > d->rx_len ? total - d->rx_len : 0;
}

static void drain_descs(struct dmm *d)
{
	const struct ring *r = rx_ring(d);
	uint64_t w[MODEL_MAX_WORDS] = { 0 };
	const uint8_t *from;
	unsigned int n;
	uint64_t len;

	for (n = 0; n < SHADOW_DEPTH; n++) {
		if (!desc_take(d, r, d->rx_desc + (size_t)d->rx_next * r->words,
			       w))
			break;
		len = taken(d, r, w);
		if (len > SHADOW_BUFFER)
			len = SHADOW_BUFFER;
		if (d->rx_len + len > SHADOW_BUFFER * 8u)
			d->rx_len = 0; /* no frame is so long */
		from = d->rx_buffer + (size_t)d->rx_next * SHADOW_BUFFER;
		memcpy(d->big + 3 * BIG + d->rx_len, from, len);
		desc_took(d, from, d->big + 3 * BIG + d->rx_len, len, true);
		d->rx_len += (uint32_t)len;
		refresh(d, d->rx_next);
		d->rx_next = (d->rx_next + 1) % SHADOW_DEPTH;
		if (!r->end.mask || desc_get(w, r->end))
			arrived(d, w);
	}
	if (n && !r->own)
		card_write(d, d->model->reg[r->tail].slot,
			   (d->rx_next + SHADOW_DEPTH - 1) % SHADOW_DEPTH,
			   true);
}

/* One interrupt for all of them: a guest may come for the first at once. */
void rxring_drain(struct dmm *d)
{
	unsigned int i;

	d->draining = true;
	if (rx_ring(d)->kind == RING_OF_BYTES)
		bytering_drain(d);
	else
		drain_descs(d);
	d->draining = false;
	for (i = 0; i < d->conf.guests; i++)
		lease_line(d, i);
}
