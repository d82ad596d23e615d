// SPDX-License-Identifier: MIT
/*
 * txring.c: a guest's transmit ring: at its doorbell the new descriptors are
 * read once, checked and kept; only whole frames go on to the shadow.
 */

#include <string.h>

#include "mon.h"

static const struct ring *tx_ring(const struct dmm *d)
{
	return &d->model->ring[d->model->transmit.dring];
}

static unsigned int slot_of(const struct dmm *d, uint16_t reg)
{
	return d->model->reg[reg].slot;
}

/* The ring as the guest's registers say. */
static void ring_at(const struct dmm *d, unsigned int g, const struct ring *r,
		    uint64_t *base, uint64_t *count)
{
	*base = mon_eval(d, g, r->base);
	*count = mon_eval(d, g, r->count);
}

bool txring_check(struct dmm *d, unsigned int g, const struct ring *r,
		  uint64_t *at, uint64_t *len)
{
	uint64_t count, iova;
	uint64_t tail = r->own ? 0 : d->guest[g].reg[slot_of(d, r->tail)];

	*at = *len = 0;
	if (r->kind == RING_OF_SLOTS)
		return true; /* they are registers */
	ring_at(d, g, r, at, &count);
	*len = count * form_bytes(d, g, r);
	if (d->conf.without & DMM_WITHOUT_RING)
		return true;
	if (count == 0)
		return tail == 0; /* nothing is there to be read */
	if (count > UINT16_MAX + 1u || tail >= count)
		return false;
	return d->host.translate(d->host.ctx, g, *at, *len, &iova) == 0;
}

void txring_reset(struct dmm *d, unsigned int g)
{
	struct txq *q = d->guest[g].txq;

	if (!q)
		return;
	q->clean = q->sent = q->ready = q->got = 0;
	q->count = q->fetch = q->head = 0; /* read anew at the next doorbell */
	q->part_bytes = 0;
	q->part_bad = false;
	q->generation++;
	memset(q->sticky_set, 0, sizeof(q->sticky_set));
	sched_unwant(&d->sched, g);
}

void txring_forget(struct dmm *d, unsigned int g)
{
	struct txq *q = d->guest[g].txq;
	uint32_t head = q->head, count = q->count;
	uint64_t base = q->base;

	txring_reset(d, g);
	q->base = base;
	q->count = count;
	q->head = q->fetch = head;
}

/* ---- one descriptor ---- */

static void refuse(struct dmm *d, unsigned int g, const char *rule, uint64_t at,
		   uint64_t len)
{
	const struct ring *r = tx_ring(d);

	mon_offence(d, (struct dmm_report){ .offence = DMM_REFUSED,
					    .guest = g,
					    .name = r->name,
					    .rule = rule,
					    .line = r->pos.line,
					    .address = at,
					    .length = len });
}

static void check_buffer(struct dmm *d, unsigned int g, struct tx_desc *t,
			 const struct layout *l)
{
	t->gpa = desc_get(t->w, l->buffer);
	t->len = (uint32_t)desc_eval(d, g, l->length, t->w);
	if (!t->len)
		return;
	if (tx_ring(d)->kind == RING_OF_SLOTS && t->len > SHADOW_BUFFER) {
		t->bad = true;
		refuse(d, g, "a frame is too long", t->gpa, t->len);
		return;
	}
	if (!d->host.translate(d->host.ctx, g, t->gpa, t->len, &t->iova)) {
		/* cut off, it would be an address of somebody else's */
		if (tx_ring(d)->kind == RING_OF_SLOTS ||
		    t->iova + t->len - 1 <= l->buffer.mask)
			return;
		t->bad = true;
		refuse(d, g, "a buffer is beyond the part's addresses", t->gpa,
		       t->len);
		return;
	}
	if (d->conf.without & DMM_WITHOUT_BUFFER) {
		t->iova = t->gpa;
		return;
	}
	t->bad = true;
	refuse(d, g, "a buffer is not the guest's memory", t->gpa, t->len);
}

static void read_desc(struct dmm *d, unsigned int g, struct txq *q,
		      struct tx_desc *t)
{
	const struct ring *r = tx_ring(d);
	unsigned int bytes = form_bytes(d, g, r);
	uint64_t at = q->base + (uint64_t)q->fetch * bytes;
	const struct layout *l;

	*t = (struct tx_desc){ .index = q->fetch };
	if (r->kind == RING_OF_SLOTS) {
		slots_read(d, g, q->fetch, t->w);
	} else if (form_read(d, g, r, at, t->w, bytes)) {
		t->bad = true;
		return;
	}
	d->stats.transmit.descriptor_bytes_copied += bytes;
	t->report = r->own || r->kind == RING_OF_SLOTS ||
		    desc_get(t->w, r->report);
	l = desc_layout(d, g, r, t->w);
	if (!l) {
		t->bad = true;
		refuse(d, g, "a descriptor has no layout of the model", at,
		       bytes);
		return;
	}
	t->layout = (uint8_t)(l - r->layout);
	if (r->forbid && desc_eval(d, g, r->forbid, t->w) &&
	    !(d->conf.without & DMM_WITHOUT_OFFLOAD)) {
		t->bad = true;
		refuse(d, g, "a descriptor is one that the model forbids", at,
		       bytes);
		return;
	}
	if (l->length)
		check_buffer(d, g, t, l);
}

static bool is_sticky(const struct dmm *d, const struct tx_desc *t)
{
	return tx_ring(d)->layout[t->layout].sticky != NULL;
}

/* A frame, or a sticky descriptor, is whole: it may go on. */
static void close_unit(struct txq *q)
{
	struct tx_desc *first = &q->d[q->ready % TXQ_DEPTH];

	first->unit = (uint16_t)(q->got - q->ready);
	first->bytes = q->part_bytes;
	first->bad = q->part_bad;
	q->ready = q->got;
	q->part_bytes = 0;
	q->part_bad = false;
}

static void add_desc(struct dmm *d, unsigned int g, struct txq *q)
{
	struct tx_desc *t = &q->d[q->got % TXQ_DEPTH];
	const struct ring *r = tx_ring(d);
	bool end;

	read_desc(d, g, q, t);
	if (r->start.mask && q->got == q->ready && !t->bad &&
	    !desc_get(t->w, r->start)) {
		t->bad = true;
		refuse(d, g, "a frame has no start", t->gpa, t->len);
	}
	q->got++;
	q->fetch = q->fetch + 1 < q->count ? q->fetch + 1 : 0;
	q->part_bad |= t->bad;
	q->part_bytes += t->len;
	if (!t->bad && is_sticky(d, t)) {
		if (q->got - q->ready == 1) {
			close_unit(q);
			return;
		}
		q->part_bad = true;
		refuse(d, g, "an offload context is inside a frame", 0, 0);
	}
	end = r->kind == RING_OF_SLOTS || desc_get(t->w, r->end);
	if (q->part_bytes > TX_FRAME_MAX ||
	    q->got - q->ready >= TX_FRAME_DESCS) {
		if (!q->part_bad && !end)
			refuse(d, g, "a frame is too long, or has no end", 0,
			       q->part_bytes);
		q->part_bad |= !end || q->part_bytes > TX_FRAME_MAX;
		end = true; /* what follows is a frame of its own */
	}
	if (end || d->conf.without & DMM_WITHOUT_WHOLE)
		close_unit(q);
}

/* The guest moved its ring, or began anew: forget what was read of it. */
static void follow(struct dmm *d, unsigned int g, struct txq *q)
{
	const struct ring *r = tx_ring(d);
	uint64_t base, count, head = q->head;

	if (r->kind == RING_OF_SLOTS) {
		q->count = r->slots;
		return;
	}
	ring_at(d, g, r, &base, &count);
	if (!r->own)
		head = d->guest[g].reg[slot_of(d, r->head)];
	if (base == q->base && count == q->count && head == q->head)
		return;
	if (r->own)
		head = 0; /* such a part begins at the ring's start */
	txring_reset(d, g);
	q->base = base;
	q->count = (uint32_t)count;
	q->head = q->fetch = count ? (uint32_t)(head % count) : 0;
	if (!r->own)
		d->guest[g].reg[slot_of(d, r->head)] = q->head;
}

/* The guest has given more than was read. */
static bool has_more(struct dmm *d, unsigned int g, const struct txq *q)
{
	const struct ring *r = tx_ring(d);

	if (!q->count || q->got - q->clean >= TXQ_DEPTH)
		return false;
	if (r->kind == RING_OF_SLOTS)
		return slots_given(d, g, q);
	/* what was read and is not done has its bit still set */
	if (r->own)
		return q->got - q->clean < q->count &&
		       form_given(d, g, r,
				  q->base + (uint64_t)q->fetch *
						    form_bytes(d, g, r));
	return q->fetch !=
	       (uint32_t)d->guest[g].reg[slot_of(d, r->tail)] % q->count;
}

void txring_fetch(struct dmm *d, unsigned int g)
{
	struct txq *q = d->guest[g].txq;
	const struct expr *on = d->model->transmit.enabled;

	if (on && !mon_eval(d, g, on))
		return;
	while (has_more(d, g, q))
		add_desc(d, g, q);
	if (q->ready != q->sent)
		sched_want(&d->sched, g);
}

void txring_doorbell(struct dmm *d, unsigned int g)
{
	uint64_t at, len;

	if (!txring_check(d, g, tx_ring(d), &at, &len))
		return;
	d->stats.transmit.doorbell_exits++;
	follow(d, g, d->guest[g].txq);
	txring_fetch(d, g);
	shadow_pump(d);
}

void txring_tell(struct dmm *d, unsigned int g, const uint8_t *head,
		 uint32_t head_len)
{
	struct dmm_piece piece[TX_FRAME_DESCS + 1];
	struct txq *q = d->guest[g].txq;
	uint32_t skip = head_len, n, i;
	unsigned int pieces = 1;

	if (!d->host.sent)
		return;
	piece[0] = (struct dmm_piece){ .bytes = head, .len = head_len };
	for (i = 0; i < q->d[q->sent % TXQ_DEPTH].unit; i++) {
		const struct tx_desc *t = &q->d[(q->sent + i) % TXQ_DEPTH];

		n = t->len < skip ? t->len : skip;
		skip -= n;
		if (t->len > n)
			piece[pieces++] =
				(struct dmm_piece){ .gpa = t->gpa + n,
						    .len = t->len - n };
	}
	d->host.sent(d->host.ctx, g, piece, pieces);
}

/* ---- back to the guest ---- */

static void give_back(struct dmm *d, unsigned int g, const struct tx_desc *t)
{
	const struct ring *r = tx_ring(d);

	if (r->kind == RING_OF_SLOTS)
		slots_write_back(d, g, t->index, t->w);
	else
		desc_write_back(d, g, r,
				d->guest[g].txq->base +
					(uint64_t)t->index *
						form_bytes(d, g, r),
				t->w);
}

void txring_finish(struct dmm *d, unsigned int g)
{
	const struct ring *r = tx_ring(d);
	struct context *c = &d->guest[g];
	struct txq *q = c->txq;
	uint64_t none = q->head, *head;
	bool told = false, moved;

	head = r->head == MODEL_NONE ? &none : &c->reg[slot_of(d, r->head)];
	moved = *head != q->head;

	while (q->clean != q->sent && q->d[q->clean % TXQ_DEPTH].done) {
		struct tx_desc *t = &q->d[q->clean++ % TXQ_DEPTH];

		q->head = t->index + 1 < q->count ? t->index + 1 : 0;
		if (r->own)
			own_set_done(r, t->w, true);
		if (t->report)
			give_back(d, g, t);
		told |= t->report;
	}
	if (!moved) /* by the guest: it begins anew */
		*head = q->head;
	if (told)
		step_sets(d, g, d->model->transmit.sent, 0, false);
	lease_line(d, g);
}
