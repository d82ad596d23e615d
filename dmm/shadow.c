// SPDX-License-Identifier: MIT
/*
 * shadow.c: the transmit ring that the device sees, and no guest can reach:
 * whole checked frames of all guests enter it by weight, and leave by the
 * device's own write-back.
 *
 * A frame enters as its descriptors with device addresses in them, its first
 * bytes copied (so that the source that was checked is the one sent), its last
 * descriptor asking for a write-back.  What the device remembers between
 * frames (sticky descriptors) is replayed when the sender changes.
 */

#include <stdatomic.h>
#include <string.h>

#include "mon.h"
#include "offload.h"

/* Both addresses, and a VLAN tag with its type: what antispoof looks at. */
#define HEAD 18u
/* Units that one call lets go; the rest waits for dmm_tick(). */
#define PUMP_MAX 512u
/* Bytes of those that the monitor itself copies, likewise: under its lock. */
#define PUMP_BYTES (1u << 20)

static uint64_t *shadow_desc(const struct dmm *d, uint32_t i)
{
	return d->tx->desc + (size_t)(i % SHADOW_DEPTH) * d->tx->words;
}

bool shadow_busy(const struct dmm *d)
{
	return d->tx && d->tx->clean != d->tx->tail;
}

static void note_idle(struct dmm *d)
{
	d->shadow_env[d->model->transmit.dring * EXPR_RING_NUMBERS +
		      EXPR_RING_IDLE] = !shadow_busy(d);
}

/*
 * What guests' rules poll for may have happened: by merge, no driver's access
 * would look.
 */
static void poll_all(struct dmm *d)
{
	unsigned int i;

	for (i = 0; i < d->conf.guests; i++)
		if (d->guest[i].alive &&
		    (d->mode == MODE_SPOOL || d->owner == (int)i) &&
		    step_poll(d, i, false))
			lease_line(d, i);
}

/* Descriptors of the device's ring, and those that a frame may take of it. */
static bool has_room(const struct dmm *d, uint32_t unit)
{
	const struct ring *r = mon_tx_ring(d);
	uint32_t used = d->tx->tail - d->tx->clean;

	if (r->kind == RING_OF_SLOTS)
		return used < r->slots;
	return used + unit + 1 + MODEL_MAX_STICKY < SHADOW_DEPTH;
}

/* ---- a unit that does not go to the device ---- */

static void mark_done(struct dmm *d, unsigned int g, struct span sets,
		      bool with_done)
{
	struct txq *q = d->guest[g].txq;
	uint32_t unit = txq_at(q, q->sent)->unit, i;

	for (i = 0; i < unit; i++) {
		struct tx_desc *t = txq_at(q, q->sent + i);

		desc_sets(d, g, sets, t->w, t->len);
		if (with_done)
			own_set_done(mon_tx_ring(d), t->w, true);
		if (with_done)
			desc_sets(d, g, mon_tx_ring(d)->local, t->w, t->len);
		t->done = true;
	}
	q->sent += unit;
	txring_finish(d, g);
}

static void refuse_unit(struct dmm *d, unsigned int g)
{
	const struct ring *r = mon_tx_ring(d);
	bool abort = d->conf.guest[g].policy == DMM_ABORT;

	d->guest[g].stats.drops++;
	mark_done(d, g, r->refused[abort], false);
	step_sets(d, g, r->then, 0, false);
}

static void remember(struct dmm *d, unsigned int g)
{
	struct txq *q = d->guest[g].txq;
	struct tx_desc *t = txq_at(q, q->sent);
	const struct layout *l = &mon_tx_ring(d)->layout[t->layout];
	uint64_t key = desc_eval(d, g, l->sticky, t->w) % MODEL_MAX_STICKY;

	memcpy(q->sticky[key], t->w, sizeof(t->w));
	q->sticky_set[key] = true;
	if (d->last_sender == (int)g)
		d->last_sender = -1; /* the part has not seen this one */
	mark_done(d, g, (struct span){ .n = 0 }, true);
}

static void offends(struct dmm *d, unsigned int g, enum dmm_offence offence,
		    const char *rule, uint32_t len)
{
	struct txq *q = d->guest[g].txq;

	mon_offence(d, (struct dmm_report){ .offence = offence,
					    .guest = g,
					    .name = mon_tx_ring(d)->name,
					    .rule = rule,
					    .line = mon_tx_ring(d)->pos.line,
					    .address = txq_at(q, q->sent)->gpa,
					    .length = len });
	refuse_unit(d, g);
}

/* ---- into the shadow ---- */

static void put_entry(struct dmm *d, unsigned int g, const uint64_t *w,
		      uint64_t iova, uint32_t len, const struct layout *l,
		      bool first, bool end)
{
	const struct ring *r = mon_tx_ring(d);
	uint64_t *to = shadow_desc(d, d->tx->tail), tmp[MODEL_MAX_WORDS];

	memcpy(tmp, w, sizeof(tmp));
	if (l->length) {
		desc_put(tmp, l->buffer, iova);
		desc_put(tmp, l->length_bits, len);
	}
	desc_sets(d, g, r->shadow, tmp, len);
	if (!l->sticky) /* there, this bit may be another */
		desc_put(tmp, r->end, end);
	desc_put(tmp, r->report, end);
	/* the first one is given when the rest is there */
	desc_put(tmp, r->start, first);
	own_set_done(r, tmp, r->own && first);
	own_give(r, to, tmp);
	d->tx->note[d->tx->tail % SHADOW_DEPTH] =
		(struct shadow_note){ .guest = (uint8_t)g };
	d->tx->tail++;
}

static void replay_sticky(struct dmm *d, unsigned int g)
{
	const struct txq *q = d->guest[g].txq;
	const struct ring *r = mon_tx_ring(d);
	const struct layout *l;
	unsigned int i;

	if (d->last_sender == (int)g || d->conf.without & DMM_WITHOUT_STICKY)
		return;
	d->last_sender = (int)g;
	if (d->host.step)
		d->host.step(d->host.ctx, (int)g, DMM_STEP_CONTEXT);
	for (i = 0; i < MODEL_MAX_STICKY; i++) {
		if (!q->sticky_set[i])
			continue;
		l = desc_layout(d, g, r, q->sticky[i]);
		if (l)
			put_entry(d, g, q->sticky[i], 0, 0, l, false, false);
	}
}

/* Without its safeguard: what was checked is read again, and not checked. */
static void read_again(struct dmm *d, unsigned int g, struct tx_desc *t)
{
	const struct ring *r = mon_tx_ring(d);
	uint64_t at = d->guest[g].txq->base +
		      (uint64_t)t->index * form_bytes(d, g, r);
	const struct layout *l;

	if (!(d->conf.without & DMM_WITHOUT_SHADOW) ||
	    form_read(d, g, r, at, t->w, r->words * 8u))
		return;
	l = desc_layout(d, g, r, t->w);
	if (!l || !l->length)
		return;
	t->layout = (uint8_t)(l - r->layout);
	t->len = (uint32_t)desc_eval(d, g, l->length, t->w);
	t->gpa = desc_get(t->w, l->buffer);
	if (d->host.translate(d->host.ctx, g, t->gpa, t->len, &t->iova))
		t->iova = t->gpa;
}

static void note_last(struct dmm *d, unsigned int g, uint32_t unit)
{
	struct shadow_note *note =
		&d->tx->note[(d->tx->tail - 1) % SHADOW_DEPTH];
	struct txq *q = d->guest[g].txq;

	note->last = true;
	note->unit = (uint16_t)unit;
	note->bytes = txq_at(q, q->sent)->bytes;
	note->generation = q->generation;
	d->tx->bytes += note->bytes;
	q->sent += unit;
}

/* All of it comes from our copy. */
static void enter_slot(struct dmm *d, unsigned int g, const uint8_t *head,
		       uint32_t head_len)
{
	struct txq *q = d->guest[g].txq;
	struct tx_desc *t = txq_at(q, q->sent);
	uint64_t w[MODEL_MAX_WORDS], elsewhere = 0;

	memcpy(w, t->w, sizeof(w));
	desc_sets(d, g, mon_tx_ring(d)->shadow, w, t->len);
	if (d->conf.without & (DMM_WITHOUT_SHADOW | DMM_WITHOUT_BUFFER))
		elsewhere = t->iova;
	else
		slots_copy(d, g, t, head, head_len);
	slots_put(d, w, elsewhere, &mon_tx_ring(d)->layout[t->layout]);
	d->tx->note[d->tx->tail++ % SHADOW_DEPTH] =
		(struct shadow_note){ .guest = (uint8_t)g };
	note_last(d, g, 1);
}

/* Its first bytes come from our copy, the rest from where it lies. */
static void enter(struct dmm *d, unsigned int g, const uint8_t *head,
		  uint32_t head_len)
{
	struct txq *q = d->guest[g].txq;
	uint32_t unit = txq_at(q, q->sent)->unit, i, skip = head_len, n;
	uint32_t at = d->tx->tail % SHADOW_DEPTH * SHADOW_HEAD;
	uint32_t start = d->tx->tail;

	if (mon_tx_ring(d)->kind == RING_OF_SLOTS) {
		enter_slot(d, g, head, head_len);
		return;
	}
	memcpy(d->heads + at, head, head_len);
	d->stats.transmit.head_bytes_copied += head_len;
	for (i = 0; i < unit; i++) {
		struct tx_desc *t = txq_at(q, q->sent + i);
		const struct layout *l;

		read_again(d, g, t);
		l = &mon_tx_ring(d)->layout[t->layout];
		if (i == 0 && head_len)
			put_entry(d, g, t->w,
				  d->conf.area.iova +
					  (uint64_t)(d->heads -
						     d->conf.area.host) +
					  at,
				  head_len, l, true,
				  txq_at(q, q->sent)->bytes == head_len);
		n = t->len < skip ? t->len : skip;
		skip -= n;
		if (t->len > n)
			put_entry(d, g, t->w, t->iova + n, t->len - n, l,
				  d->tx->tail == start, i + 1 == unit);
	}
	/* a last descriptor without bytes of its own: the one before ends it */
	desc_put(shadow_desc(d, d->tx->tail - 1), mon_tx_ring(d)->end, 1);
	desc_put(shadow_desc(d, d->tx->tail - 1), mon_tx_ring(d)->report, 1);
	note_last(d, g, unit);
	if (mon_tx_ring(d)->own)
		own_start(mon_tx_ring(d), shadow_desc(d, start));
}

static void charge(struct dmm *d, unsigned int g, uint64_t wire)
{
	uint64_t ns = wire * 8;

	sched_charge(&d->sched, g, ns);
	if (d->mode == MODE_SPOOL)
		d->guest[g].stats.held_ns += ns;
}

/* What it sends, it hears itself, and nobody else. */
static bool loops_back(const struct dmm *d, unsigned int g)
{
	const struct expr *e = d->model->transmit.loopback;

	return e && mon_eval(d, g, e);
}

/*
 * The unit at q->sent, which is a frame: refused, delivered, or into the
 * shadow.  False if there is no room now.
 */
static bool send_frame(struct dmm *d, unsigned int g)
{
	struct txq *q = d->guest[g].txq;
	struct tx_desc *first = txq_at(q, q->sent);
	uint32_t bytes = first->bytes, head_len;
	uint64_t start = 0, wire = 0;
	const char *fault;
	uint8_t head[HEAD];
	bool local;

	if (first->bad || bytes < FRAME_HEADER) {
		refuse_unit(d, g);
		return true;
	}
	if (!has_room(d, first->unit) || shadow_limited(d, bytes))
		return false;
	head_len = frame_gather(d, g, head, HEAD);
	if (head_len < FRAME_HEADER || !spool_is_own(d, g, head, head_len)) {
		offends(d, g, DMM_SPOOFED,
			"the frame's source is not the guest's", bytes);
		return true;
	}
	fault = frame_offload_fault(d, g, &wire);
	if (fault && !(d->conf.without & DMM_WITHOUT_OFFLOAD)) {
		offends(d, g, DMM_REFUSED, fault, bytes);
		return true;
	}
	d->guest[g].stats.frames_sent++;
	d->guest[g].stats.bytes_sent += bytes;
	d->stats.transmit.packets++;
	if (loops_back(d, g)) {
		/* the card has no part in it, but the others wait for it, too */
		d->tx->copied += bytes;
		sched_charge(&d->sched, g, wire * 8);
		spool_deliver(d, g, d->big,
			      frame_gather(d, g, d->big, TX_FRAME_MAX));
		mark_done(d, g, (struct span){ .n = 0 }, true);
		return true;
	}
	txring_tell(d, g, head, head_len);
	local = spool_is_local(d, g, head, head_len);
	if (d->conf.guests > 1 &&
	    (local || frame_kind(head, head_len) != FRAME_UNICAST))
		frame_to_siblings(d, g, head, head_len);
	charge(d, g, wire);
	if (local) {
		mark_done(d, g, (struct span){ .n = 0 }, true);
		return true;
	}
	if (d->mode == MODE_SPOOL && d->last_sender != (int)g)
		start = d->host.now(d->host.ctx);
	replay_sticky(d, g);
	if (start)
		lease_count(d, d->host.now(d->host.ctx) - start);
	enter(d, g, head, d->conf.antispoof ? head_len : 0);
	return true;
}

static uint32_t senders(const struct dmm *d)
{
	const struct expr *on = d->model->transmit.enabled;
	uint32_t set = 0;
	unsigned int i;

	for (i = 0; i < d->conf.guests; i++) {
		const struct txq *q = d->guest[i].txq;

		if (q && d->guest[i].alive && q->sent != q->ready &&
		    (!on || mon_eval(d, i, on)))
			set |= 1u << i;
	}
	return set;
}

static bool is_sticky_unit(const struct dmm *d, struct txq *q)
{
	const struct tx_desc *t = txq_at(q, q->sent);

	return t->unit == 1 && !t->bad &&
	       mon_tx_ring(d)->layout[t->layout].sticky;
}

/* The part is to look at what entered. */
static void ring_bell(struct dmm *d)
{
	struct proc_args args = { .guest = -1 };

	if (mon_tx_ring(d)->kind != RING_OF_DESCRIPTORS)
		return; /* each slot is its own doorbell */
	if (!mon_tx_ring(d)->own)
		card_write(d, d->model->reg[mon_tx_ring(d)->tail].slot,
			   d->tx->tail % SHADOW_DEPTH, true);
	else if (proc_run(d, PROC_DEMAND, &args))
		d->failed = true;
}

void shadow_pump(struct dmm *d)
{
	uint32_t before = d->tx->tail, set, units = 0;
	struct txq *q;
	uint64_t now;
	int g;

	d->tx->more = false;
	d->tx->copied = 0;
	while ((set = senders(d))) {
		if (d->mode != MODE_SPOOL) {
			if (d->owner < 0 || !(set & 1u << d->owner))
				break;
			set = 1u << d->owner;
		}
		d->tx->more = units++ == PUMP_MAX || d->tx->copied > PUMP_BYTES;
		if (d->tx->more)
			break;
		g = sched_pick(&d->sched, set);
		q = d->guest[g].txq;
		if (is_sticky_unit(d, q))
			remember(d, (unsigned int)g);
		else if (!send_frame(d, (unsigned int)g))
			break;
		if (q->sent == q->ready)
			txring_fetch(d, (unsigned int)g);
		if (q->sent == q->ready)
			sched_unwant(&d->sched, (unsigned int)g);
	}
	now = d->tx->tail != before || set ? d->host.now(d->host.ctx) : 0;
	if (d->tx->tail != before) {
		if (d->tx->since == 0)
			d->tx->since = now;
		atomic_thread_fence(memory_order_release);
		ring_bell(d);
		note_idle(d);
		d->last_use = now;
		d->host.due(d->host.ctx, now + 1000000);
	} else if (!shadow_busy(d) && d->mode == MODE_SPOOL) {
		poll_all(d); /* nothing will come back */
	}
	if (d->tx->more)
		d->host.due(d->host.ctx, now);
	if (d->mode != MODE_SPOOL)
		for (set = senders(d); set; set &= set - 1)
			if (__builtin_ctz(set) != d->owner)
				lease_want(d, (unsigned int)__builtin_ctz(set),
					   now);
}

/* ---- out of the shadow ---- */

/* The unit whose last entry is at (i) came back as (w). */
static void completed(struct dmm *d, const struct shadow_note *note,
		      const uint64_t *w)
{
	const struct ring *r = mon_tx_ring(d);
	struct txq *q = d->guest[note->guest].txq;
	uint32_t i, at = q->clean;

	if (note->generation != q->generation &&
	    !(d->conf.without & DMM_WITHOUT_GENERATION))
		return; /* its ring is gone */
	while (at != q->sent && txq_at(q, at)->done)
		at++;
	for (i = 0; i < note->unit && at != q->sent; i++, at++) {
		struct tx_desc *t = txq_at(q, at);

		if (r->kind == RING_OF_SLOTS)
			t->w[r->words - 1u] = w[r->words - 1u];
		else
			desc_written_back(r, t->w, w);
		t->done = true;
	}
	txring_finish(d, note->guest);
	if (d->guest[note->guest].alive)
		txring_fetch(d, note->guest);
}

bool shadow_clean(struct dmm *d)
{
	const struct ring *r = mon_tx_ring(d);
	uint32_t end = d->tx->clean, before = d->tx->clean;

	while (end != d->tx->tail) {
		const struct shadow_note *note =
			&d->tx->note[end % SHADOW_DEPTH];
		uint64_t w[MODEL_MAX_WORDS] = { 0 };

		end++;
		if (!note->last)
			continue;
		if (!(r->kind == RING_OF_SLOTS ?
			      slots_take(d, end - 1, w) :
			      desc_take(d, r, shadow_desc(d, end - 1), w)))
			break;
		d->tx->clean = end;
		d->tx->bytes -= note->bytes;
		completed(d, note, w);
	}
	if (d->tx->clean != before) {
		d->tx->since = shadow_busy(d) ? d->host.now(d->host.ctx) : 0;
		shadow_adjust(d);
	}
	note_idle(d);
	if (d->mode != MODE_SPOOL && d->tx->clean != before && !shadow_busy(d))
		poll_all(d); /* there, shadow_pump() does */
	return d->tx->clean != before;
}

void shadow_lose(struct dmm *d)
{
	const struct ring *r = mon_tx_ring(d);

	while (d->tx->clean != d->tx->tail) {
		const struct shadow_note *note =
			&d->tx->note[d->tx->clean % SHADOW_DEPTH];
		uint64_t w[MODEL_MAX_WORDS] = { 0 };

		desc_sets(d, note->guest, r->refused[1], w, 0);
		d->tx->clean++;
		if (note->last)
			completed(d, note, w);
	}
	d->tx->clean = d->tx->tail = 0;
	d->tx->bytes = 0;
	d->tx->limited = false;
	d->tx->since = 0;
	d->last_sender = -1;
	note_idle(d);
}
