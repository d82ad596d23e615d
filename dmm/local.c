// SPDX-License-Identifier: MIT
/*
 * local.c: frames of rings whose bytes the monitor must see: to be checked, or
 * for a guest's siblings, which the card does not hear.
 */

#include <stdatomic.h>
#include <string.h>

#include "mon.h"
#include "offload.h"

/* Segments that are cut in software have at least so many bytes. */
#define SEGMENT_MIN 128u
/* Those that the device cuts out of one frame are not more. */
#define SEGMENTS_MAX 2048u
/* What a frame costs on the wire beside its bytes: preamble, check, gap. */
#define WIRE_OVERHEAD 24u

/* The first (max) bytes of the unit at q->sent; returns how many there are. */
uint32_t frame_gather(struct dmm *d, unsigned int g, uint8_t *to, uint32_t max)
{
	struct txq *q = d->guest[g].txq;
	uint32_t have = 0, n, i;

	for (i = 0; i < txq_at(q, q->sent)->unit && have < max; i++) {
		const struct tx_desc *t = txq_at(q, q->sent + i);

		n = t->len < max - have ? t->len : max - have;
		if (n && d->host.read_mem(d->host.ctx, g, t->gpa, to + have, n))
			break;
		have += n;
	}
	return have;
}

static uint64_t off_value(const struct dmm *d, unsigned int g,
			  enum offload_key key, const uint64_t *w)
{
	const struct expr *e = mon_tx_ring(d)->off[key];

	return e ? desc_eval(d, g, e, w) : 0;
}

struct emit {
	struct dmm *d;
	unsigned int guest;
	bool tagged;
	uint16_t tag;
};

/* A tag that the part would have put in, behind the addresses. */
static size_t put_tag(const struct emit *e, uint8_t *to, const uint8_t *frame,
		      size_t len)
{
	memcpy(to, frame, 12);
	to[12] = 0x81; /* IEEE 802.1Q, 9.6 */
	to[13] = 0x00;
	to[14] = (uint8_t)(e->tag >> 8);
	to[15] = (uint8_t)e->tag;
	memcpy(to + 16, frame + 12, len - 12);
	return len + 4;
}

static void emit(void *ctx, const uint8_t *frame, size_t len)
{
	struct emit *e = ctx;
	uint8_t tagged[SHADOW_BUFFER * 8u];
	unsigned int i;

	if (e->tagged && len >= FRAME_HEADER && len + 4 <= sizeof(tagged)) {
		len = put_tag(e, tagged, frame, len);
		frame = tagged;
	}
	e->d->stats.transmit.local_bytes_copied += len;
	e->d->tx->copied += (uint32_t)len * (e->d->conf.guests - 1);
	for (i = 0; i < e->d->conf.guests; i++)
		if (i != e->guest)
			spool_deliver(e->d, i, frame, len);
}

/* The guest's sticky descriptor that (t) goes by; NULL: it set none. */
static const uint64_t *sticky_of(const struct dmm *d, unsigned int g,
				 const struct tx_desc *t)
{
	const struct ring *r = mon_tx_ring(d);
	const struct txq *q = d->guest[g].txq;
	unsigned int i;
	uint64_t key;

	for (i = 0; i < r->layouts; i++) {
		if (!r->layout[i].sticky)
			continue;
		key = desc_eval(d, g, r->layout[i].sticky, t->w) %
		      MODEL_MAX_STICKY;
		return q->sticky_set[key] ? q->sticky[key] : NULL;
	}
	return NULL;
}

/*
 * What the guest asked the card to do to the frame.  False: by a sticky
 * descriptor that it did not set.
 */
static bool offload_of(const struct dmm *d, unsigned int g,
		       const struct tx_desc *t, struct offload *o)
{
	const uint64_t *c;

	*o = (struct offload){
		.segment = off_value(d, g, OFF_SEGMENT, t->w),
		.ip_sum = off_value(d, g, OFF_IP_SUM, t->w),
		.l4_sum = off_value(d, g, OFF_L4_SUM, t->w),
	};
	if (!o->ip_sum && !o->l4_sum && !o->segment)
		return true;
	c = sticky_of(d, g, t);
	if (!c) {
		o->ip_sum = o->l4_sum = o->segment = false;
		return false;
	}
	o->ip_start = (uint16_t)off_value(d, g, OFF_IP_START, c);
	o->ip_at = (uint16_t)off_value(d, g, OFF_IP_AT, c);
	o->ip_end = (uint16_t)off_value(d, g, OFF_IP_END, c);
	o->l4_start = (uint16_t)off_value(d, g, OFF_L4_START, c);
	o->l4_at = (uint16_t)off_value(d, g, OFF_L4_AT, c);
	o->l4_end = (uint16_t)off_value(d, g, OFF_L4_END, c);
	o->ipv4 = off_value(d, g, OFF_IPV4, c);
	o->tcp = off_value(d, g, OFF_TCP, c);
	o->mss = (uint16_t)off_value(d, g, OFF_MSS, c);
	o->header = (uint16_t)off_value(d, g, OFF_HEADER, c);
	o->payload = (uint32_t)off_value(d, g, OFF_PAYLOAD, c);
	return true;
}

bool frame_too_long(const struct dmm *d, unsigned int g, uint64_t bytes)
{
	const struct expr *e = d->model->transmit.max;

	return e && bytes > mon_eval(d, g, e);
}

/* The longest that the part makes of a frame of (bytes). */
static uint32_t longest(const struct offload *o, uint32_t bytes)
{
	uint32_t cut = (uint32_t)o->header + o->mss;

	return o->segment && cut < bytes ? cut : bytes;
}

/*
 * Is there something in what the card shall do to the frame at q->sent that it
 * must not do?  A part writes where it is told to, over addresses that were
 * checked, too.  NULL, and in (*wire) the bytes that it will put on the wire.
 */
const char *frame_offload_fault(const struct dmm *d, unsigned int g,
				uint64_t *wire)
{
	struct txq *q = d->guest[g].txq;
	uint32_t bytes = txq_at(q, q->sent)->bytes, i, n;
	struct offload o;

	*wire = (bytes < 60 ? 60 : bytes) + WIRE_OVERHEAD;
	for (i = 0; i < txq_at(q, q->sent)->unit; i++) {
		if (!offload_of(d, g, txq_at(q, q->sent + i), &o))
			return "an offload by a context that it did not set";
		if ((o.ip_sum && o.ip_at < FRAME_HEADER) ||
		    (o.l4_sum && o.l4_at < FRAME_HEADER) ||
		    (o.segment &&
		     (o.header < FRAME_HEADER || o.ip_start < FRAME_HEADER ||
		      o.l4_start < FRAME_HEADER)))
			return "an offload would change a frame's addresses";
		/* an empty first one counts: the head goes out by its words */
		if ((i == 0 || txq_at(q, q->sent + i)->len) &&
		    frame_too_long(d, g, longest(&o, bytes)))
			return "a frame is longer than the part may send";
		if (!o.segment || bytes <= o.header)
			continue;
		if (!o.mss || (bytes - o.header) / o.mss >= SEGMENTS_MAX)
			return "segments of no length, or too many";
		n = (bytes - o.header + o.mss - 1) / o.mss;
		*wire = bytes + (uint64_t)n * (o.header + WIRE_OVERHEAD);
	}
	return NULL;
}

/* Whether the guest asked for a VLAN tag, and the shadow lets it. */
static struct emit tag_of(struct dmm *d, unsigned int g)
{
	const struct ring *r = mon_tx_ring(d);
	struct txq *q = d->guest[g].txq;
	struct emit e = { .d = d, .guest = g };
	uint64_t w[MODEL_MAX_WORDS];
	uint32_t i;

	for (i = 0; r->tagged.mask && i < txq_at(q, q->sent)->unit; i++) {
		memcpy(w, txq_at(q, q->sent + i)->w, sizeof(w));
		desc_sets(d, g, r->shadow, w, 0);
		if (!desc_get(w, r->tagged))
			continue;
		e.tagged = true;
		e.tag = (uint16_t)desc_get(w, r->tag);
	}
	return e;
}

/* To the siblings, as the card would have put it on the wire. */
void frame_to_siblings(struct dmm *d, unsigned int g, const uint8_t *head,
		       uint32_t head_len)
{
	struct txq *q = d->guest[g].txq;
	struct emit e = tag_of(d, g);
	uint32_t len = frame_gather(d, g, d->big, TX_FRAME_MAX), i;
	struct offload o = { .mss = 0 };

	memcpy(d->big, head, head_len); /* what was checked, not read again */
	for (i = 0; i < txq_at(q, q->sent)->unit; i++) {
		const struct tx_desc *t = txq_at(q, q->sent + i);

		if (!t->len)
			continue;
		(void)!offload_of(d, g, t, &o);
		break;
	}
	/* small segments are many: the work is bounded */
	if (o.segment && o.mss < SEGMENT_MIN)
		o = (struct offload){ .mss = 0 };
	if (o.ip_sum || o.l4_sum || o.segment) {
		if (offload_run(&o, d->big, len, d->big + BIG, BIG, emit, &e))
			d->guest[g].stats.drops++;
	} else {
		emit(&e, d->big, len);
	}
}
