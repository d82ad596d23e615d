// SPDX-License-Identifier: MIT
/*
 * spool.c: sending and receiving for the guests, when the monitor alone drives
 * the card: each guest has its own copy of the card's memory with its own
 * ring; a checked frame goes onto the card when its guest has the device, and
 * arrivals are sorted into the rings of those whom they are for.
 */

#include <string.h>

#include "mon.h"

/* Frames taken from the card in one service, and looks at its causes. */
#define DRAIN_MAX 64u
#define SERVICE_MAX 4u
#define STATUS_OK 0x01u	       /* received intact */
#define STATUS_MULTICAST 0x20u /* by a group address */

bool spool_ring(struct dmm *d, unsigned int g, struct ring_page *out)
{
	const struct page_ring *r = &d->model->receive.ring;
	const struct context *c = &d->guest[g];
	const struct reg *reg = d->model->reg;
	const struct memory *mem;

	if (!r->present)
		return false;
	mem = &d->model->memory[r->memory];
	*out = (struct ring_page){
		.memory = c->memory + mem->copy,
		.mem_start = mem->start,
		.mem_size = mem->size,
		.start = (uint8_t)c->reg[reg[r->start].slot],
		.stop = (uint8_t)c->reg[reg[r->stop].slot],
		.boundary = (uint8_t)c->reg[reg[r->boundary].slot],
		.current = (uint8_t)c->reg[reg[r->current].slot],
		.full = c->ring_full,
	};
	return true;
}

/* ---- to the guests ---- */

static bool condition(const struct dmm *d, unsigned int g, const struct expr *e)
{
	return e && mon_eval(d, g, e);
}

/* Does one of the guest's address registers, where several, say its own? */
static bool claims_own(const struct dmm *d, unsigned int g)
{
	const struct identity *id = &d->model->identity;
	const struct reg *low = &d->model->reg[id->unicast];
	const struct reg *high = &d->model->reg[id->unicast_high];
	const struct context *c = &d->guest[g];
	uint64_t v;
	unsigned int i, k;
	bool same;

	for (i = 0; i < low->dim && i < high->dim; i++) {
		if (!(c->reg[high->slot + i] & id->unicast_valid))
			continue;
		v = c->reg[low->slot + i] | c->reg[high->slot + i] << 32;
		for (same = true, k = 0; k < 6; k++)
			same &= (uint8_t)(v >> 8 * k) ==
				d->conf.guest[g].mac[k];
		if (same)
			return true;
	}
	return false;
}

/* The bit that a group address selects in a table of 4096. */
static bool in_table(const struct dmm *d, unsigned int g, const uint8_t *to)
{
	const struct identity *id = &d->model->identity;
	const struct reg *table = &d->model->reg[id->table];
	unsigned int shift =
		id->table_shift ?
			(unsigned int)mon_eval(d, g, id->table_shift) & 15u :
			0;
	unsigned int bit = (unsigned int)(to[5] << 8 | to[4]) >> shift & 0xfff;

	if (bit / table->bits >= table->dim)
		return false;
	return d->guest[g].reg[table->slot + bit / table->bits] >>
		       bit % table->bits &
	       1;
}

/* The filter for groups, of which (bytes) is to one. */
static void multicast_of(const struct dmm *d, unsigned int g,
			 const uint8_t *bytes, struct frame_filter *f)
{
	const struct identity *id = &d->model->identity;

	f->multicast = condition(d, g, id->multicast);
	f->all_multicast = condition(d, g, id->all_multicast);
	f->hash_low = id->hash_low;
	if (id->table != MODEL_NONE) {
		f->multicast = true;
		f->hash = in_table(d, g, bytes) ? UINT64_MAX : 0;
	} else if (id->hash != MODEL_NONE) {
		f->hash = d->guest[g].reg[d->model->reg[id->hash].slot];
	}
}

static void unicast_of(const struct dmm *d, unsigned int g,
		       struct frame_filter *f)
{
	const struct identity *id = &d->model->identity;
	const struct context *c = &d->guest[g];
	unsigned int i;

	f->has_unicast = id->unicast != MODEL_NONE;
	if (id->unicast_high != MODEL_NONE) {
		if (claims_own(d, g))
			memcpy(f->unicast, f->mac, 6);
		return;
	}
	/* zeros are nobody's address */
	for (i = 0; f->has_unicast && i < 6; i++)
		f->unicast[i] =
			id->own && !mon_eval(d, g, id->own) ?
				0 :
				(uint8_t)(c->reg[d->model->reg[id->unicast]
							 .slot] >>
					  8 * i);
}

/* As much of the guest's filter as a frame of its kind meets. */
static void filter_of(const struct dmm *d, unsigned int g, const uint8_t *bytes,
		      size_t len, struct frame_filter *f)
{
	const struct identity *id = &d->model->identity;

	*f = (struct frame_filter){
		.promiscuous = condition(d, g, id->promiscuous),
		.mirror = d->conf.mirror,
	};
	memcpy(f->mac, d->conf.guest[g].mac, 6);
	switch (frame_kind(bytes, len)) {
	case FRAME_UNICAST:
		if (frame_is_to(bytes, f->mac))
			unicast_of(d, g, f);
		break;
	case FRAME_MULTICAST:
		multicast_of(d, g, bytes, f);
		break;
	case FRAME_BROADCAST:
		f->broadcast = condition(d, g, id->broadcast);
		break;
	case FRAME_BAD:
		break;
	}
}

/* Is the destination another guest's address?  (whom) may be NULL. */
static bool is_siblings(const struct dmm *d, unsigned int g,
			const uint8_t *bytes)
{
	unsigned int i;

	for (i = 0; i < d->conf.guests; i++)
		if (i != g && d->mac_set[i] &&
		    frame_is_to(bytes, d->conf.guest[i].mac))
			return true;
	return false;
}

bool spool_is_local(const struct dmm *d, unsigned int g, const uint8_t *bytes,
		    size_t len)
{
	return len >= FRAME_HEADER && is_siblings(d, g, bytes);
}

/* The VLAN filter, and the longest frame that the guest takes. */
static bool passes_vlan(const struct dmm *d, unsigned int g,
			const uint8_t *bytes, size_t len)
{
	const struct receive *rx = &d->model->receive;
	const struct reg *table;
	unsigned int id;

	if (rx->max && len > mon_eval(d, g, rx->max))
		return false;
	if (rx->vlan_table == MODEL_NONE || len < FRAME_HEADER + 4 ||
	    bytes[12] != 0x81 || bytes[13] != 0 ||
	    !condition(d, g, rx->vlan_filter))
		return true;
	table = &d->model->reg[rx->vlan_table];
	id = (unsigned int)(bytes[14] << 8 | bytes[15]) & 0xfff;
	return id / table->bits < table->dim &&
	       d->guest[g].reg[table->slot + id / table->bits] >>
			       id % table->bits &
		       1;
}

bool spool_is_own(const struct dmm *d, unsigned int g, const uint8_t *bytes,
		  size_t len)
{
	if (!d->conf.antispoof || !d->mac_set[g] ||
	    d->conf.without & DMM_WITHOUT_SOURCE)
		return true;
	return !frame_spoofed(bytes, len, d->conf.guest[g].mac);
}

static bool is_for(const struct dmm *d, unsigned int g, const uint8_t *bytes,
		   size_t len)
{
	struct frame_filter f;

	if (!d->guest[g].alive || !condition(d, g, d->model->receive.enabled))
		return false;
	if (d->conf.without & DMM_WITHOUT_FILTER)
		return true;
	filter_of(d, g, bytes, len, &f);
	return frame_accepts(&f, bytes, len, is_siblings(d, g, bytes)) &&
	       passes_vlan(d, g, bytes, len);
}

/* It was put into the guest's ring, or there was no room. */
static void delivered(struct dmm *d, unsigned int g, const uint8_t *bytes,
		      size_t len, bool room)
{
	struct context *c = &d->guest[g];
	const struct receive *rx = &d->model->receive;

	if (!room) {
		c->stats.drops++;
		step_sets(d, g, rx->overflow, 0, false);
	} else {
		c->stats.frames_received++;
		c->stats.bytes_received += len;
		d->host.frame(d->host.ctx, g, false, bytes, len);
		step_sets(d, g, rx->arrived, len, false);
	}
	if (!d->draining)
		lease_line(d, g);
}

void spool_deliver(struct dmm *d, unsigned int g, const uint8_t *bytes,
		   size_t len)
{
	struct context *c = &d->guest[g];
	const struct dmm_model *m = d->model;
	struct ring_page ring;
	uint8_t status = STATUS_OK;
	int err;

	if (!is_for(d, g, bytes, len))
		return;
	if (m->receive.dring != MODEL_NONE) {
		bool drop = d->mode == MODE_DROP && mon_parked(d, g) &&
			    d->conf.when_parked == DMM_DROP;

		delivered(d, g, bytes, len,
			  !drop && rxring_put(d, g, bytes, len) == 0);
		return;
	}
	if (d->mode != MODE_SPOOL || !spool_ring(d, g, &ring)) {
		c->stats.drops++;
		return;
	}
	if (frame_kind(bytes, len) != FRAME_UNICAST)
		status |= STATUS_MULTICAST;
	err = ring_put(&ring, bytes, len, status);
	c->ring_full = ring.full;
	if (!err)
		c->reg[m->reg[m->receive.ring.current].slot] = ring.current;
	delivered(d, g, bytes, len, !err);
}

void spool_local(struct dmm *d, unsigned int g, const uint8_t *bytes,
		 size_t len)
{
	unsigned int i;

	/* one to somebody outside is nobody's here, promiscuous or not */
	if (frame_kind(bytes, len) == FRAME_UNICAST && !d->conf.mirror &&
	    !spool_is_local(d, g, bytes, len))
		return;
	for (i = 0; i < d->conf.guests; i++)
		if (i != g)
			spool_deliver(d, i, bytes, len);
}

/* ---- to the card ---- */

static const uint8_t *frame_of(const struct dmm *d, unsigned int g)
{
	const struct context *c = &d->guest[g];
	const struct memory *mem = d->model->memory;
	unsigned int i;

	for (i = 0; i < d->model->memories; i++, mem++)
		if (cc_within(c->frame_at, c->frame_len, mem->start, mem->size))
			return c->memory + mem->copy +
			       (c->frame_at - mem->start);
	return NULL;
}

/* The guest sees its frame as sent. */
static void complete(struct dmm *d, unsigned int g, struct span sets)
{
	struct context *c = &d->guest[g];

	c->sending = SEND_NONE;
	c->frame_len = 0;
	step_sets(d, g, sets, 0, true);
	lease_line(d, g);
	lease_wake(d, g);
}

void spool_send(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	const uint8_t *bytes = frame_of(d, g);
	uint64_t now;

	if (!bytes)
		return;
	c->stats.frames_sent++;
	c->stats.bytes_sent += c->frame_len;
	if (condition(d, g, d->model->transmit.loopback)) {
		step_poll(d, g, true);
		complete(d, g, d->model->transmit.local);
		return;
	}
	d->host.frame(d->host.ctx, g, true, bytes, c->frame_len);
	spool_local(d, g, bytes, c->frame_len);
	if (spool_is_local(d, g, bytes, c->frame_len)) {
		step_poll(d, g, true);
		complete(d, g, d->model->transmit.local);
		return;
	}
	c->sending = SEND_WAITS;
	now = d->host.now(d->host.ctx);
	lease_want(d, g, now);
	lease_try(d, now);
	if (d->owner == (int)g && c->sending == SEND_WAITS)
		spool_ring_out(d, g);
}

void spool_ring_out(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	const uint8_t *bytes = frame_of(d, g);
	struct proc_args args = { .guest = (int)g };

	if (c->sending != SEND_WAITS)
		return;
	c->want_since = 0;
	if (!bytes || c->frame_len > sizeof(d->frame) ||
	    /* the guest may have written there since it was checked */
	    !spool_is_own(d, g, bytes, c->frame_len)) {
		step_poll(d, g, true);
		complete(d, g, d->model->transmit.local);
		return;
	}
	memcpy(d->frame, bytes, c->frame_len);
	args.length = c->frame_len;
	args.bytes = d->frame;
	c->sending = SEND_ON_CARD;
	d->last_use = d->host.now(d->host.ctx);
	if (proc_run(d, PROC_SEND, &args))
		d->failed = true;
	spool_sent(d, g);
}

void spool_sent(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];

	if (c->sending != SEND_ON_CARD || !step_over(d, g, c->frame_during))
		return;
	sched_charge(&d->sched, g, d->host.now(d->host.ctx) - d->last_use);
	if (c->frame_len) {
		step_poll(d, g, false);
		complete(d, g, d->model->transmit.sent);
		return;
	}
	c->sending = SEND_NONE; /* the guest was reset, and does not care */
	lease_wake(d, g);
}

/* ---- from the card ---- */

/* The card's own ring, as the monitor set it up. */
static void card_ring(const struct dmm *d, struct ring_page *out)
{
	const struct page_ring *r = &d->model->receive.ring;
	const struct reg *reg = d->model->reg;
	const struct memory *mem = &d->model->memory[r->memory];

	*out = (struct ring_page){
		.mem_start = mem->start,
		.mem_size = mem->size,
		.start = (uint8_t)d->dev[reg[r->start].slot],
		.stop = (uint8_t)d->dev[reg[r->stop].slot],
		.boundary = (uint8_t)d->dev[reg[r->boundary].slot],
		.current = d->ring_next,
	};
}

/* One frame off the card; 0, -EINVAL if the ring makes no sense, -ETIMEDOUT. */
static int take_frame(struct dmm *d)
{
	const struct page_ring *r = &d->model->receive.ring;
	uint32_t at = d->ring_next * PAGE, len;
	struct ring_page ring;
	uint8_t header[4], next;
	unsigned int i;
	int err;

	card_ring(d, &ring);
	err = proc_fetch(d, at, header, sizeof(header));
	if (!err)
		err = ring_next(&ring, d->ring_next, header, &next, &len);
	if (!err)
		err = proc_fetch(d, at + 4, d->frame, len);
	if (err)
		return err;
	d->ring_next = next;
	card_write(d, d->model->reg[r->boundary].slot,
		   next == ring.start ? ring.stop - 1u : next - 1u, true);
	for (i = 0; i < d->conf.guests; i++)
		spool_deliver(d, i, d->frame, len);
	return 0;
}

static void drain(struct dmm *d)
{
	const struct page_ring *r = &d->model->receive.ring;
	unsigned int i, current;

	for (i = 0; i < DRAIN_MAX; i++) {
		current = (unsigned int)card_read(
			d, d->model->reg[r->current].slot, true, NULL);
		if (current == d->ring_next)
			return;
		if (take_frame(d)) {
			if (spool_open(d))
				d->failed = true;
			return;
		}
	}
}

static bool overflowed(const struct dmm *d, uint64_t cause)
{
	struct span s = d->model->receive.overflow;
	unsigned int i;

	for (i = 0; i < s.n; i++) {
		const struct set *set = &d->model->set[s.first + i];

		if (set->reg == d->model->interrupt.cause &&
		    cause & set->mask << set->shift)
			return true;
	}
	return false;
}

void spool_service(struct dmm *d)
{
	struct proc_args args = { .guest = -1 };
	unsigned int i, reg = d->model->interrupt.cause;
	uint64_t cause;

	for (i = 0; i < SERVICE_MAX; i++) {
		cause = card_read(d, d->model->reg[reg].slot, true, NULL) &
			d->model->reg[reg].w1c;
		if (d->owner >= 0)
			spool_sent(d, (unsigned int)d->owner);
		drain(d);
		if (!cause)
			return;
		card_write(d, d->model->reg[reg].slot, cause, true);
		if (overflowed(d, cause) && d->model->proc[PROC_OVERFLOW].n &&
		    proc_run(d, PROC_OVERFLOW, &args))
			d->failed = true;
	}
}

int spool_open(struct dmm *d)
{
	struct proc_args args = { .guest = -1 };
	unsigned int slot;
	int err = proc_run(d, PROC_OPEN, &args);

	slot = d->model->reg[d->model->receive.ring.current].slot;
	d->ring_next = (uint8_t)d->dev[slot];
	return err;
}
