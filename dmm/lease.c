// SPDX-License-Identifier: MIT
/*
 * lease.c: who owns the device, for how long, and the hand-over from one guest
 * to the next when the model says that the device is reusable.
 */

#include <stdlib.h>

#include "mon.h"

/* An owner that did not use the device for this part of its lease is idle. */
#define IDLE_PART 16u
/* How often to look while somebody waits for a state that no interrupt tells. */
#define LOOK_NS 500000u

void lease_line(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	bool level = false;
	uint64_t old;
	unsigned int cause = d->model->interrupt.cause;

	if (d->model->interrupt.line && cause != MODEL_NONE) {
		unsigned int slot = d->model->reg[cause].slot;

		old = c->reg[slot];
		if (mon_cause_on_device(d))
			c->reg[slot] = c->pending;
		level = mon_eval(d, g, d->model->interrupt.line) != 0;
		c->reg[slot] = old;
	}
	if (mon_on_device(d, g) && mon_cause_on_device(d))
		level |= d->dev_level;
	level &= c->alive;
	if (level == c->line)
		return;
	c->line = level;
	d->host.line(d->host.ctx, g, level);
}

void lease_want(struct dmm *d, unsigned int g, uint64_t now)
{
	struct context *c = &d->guest[g];

	if (!c->want_since) {
		c->want_since = now ? now : 1;
		sched_want(&d->sched, g);
		d->host.due(d->host.ctx, now + LOOK_NS);
	}
}

/* Guests that listen have a claim too, but only when a lease is over. */
static bool listens(const struct dmm *d, unsigned int g)
{
	const struct expr *e = d->model->receive.enabled;

	return d->mode == MODE_DROP && !d->model->rings && e && mon_eval(d, g, e);
}

static uint32_t wanting(const struct dmm *d, bool listeners)
{
	uint32_t set = 0;
	unsigned int i;

	for (i = 0; i < d->conf.guests; i++) {
		if ((int)i == d->owner || !d->guest[i].alive)
			continue;
		if (d->guest[i].want_since || (listeners && listens(d, i)))
			set |= 1u << i;
	}
	return set;
}

void lease_account(struct dmm *d, uint64_t now)
{
	uint64_t ns = now - d->owner_since;
	unsigned int i;

	for (i = 0; i < d->conf.guests; i++) {
		if (!d->guest[i].alive)
			continue;
		if ((int)i == d->owner)
			d->guest[i].stats.held_ns += ns;
		else
			d->guest[i].stats.parked_ns += ns;
	}
	if (d->owner >= 0)
		sched_charge(&d->sched, (unsigned int)d->owner, ns);
	d->owner_since = now;
}

/* ---- the steps of a hand-over, where registers live on the device ---- */

static void mark_dirty(struct dmm *d, const struct memory *mem,
		       unsigned int page)
{
	if (cc_within((uint64_t)page * PAGE, PAGE, mem->start, mem->size))
		d->dirty[mem->copy / PAGE + page - mem->start / PAGE] = 1;
}

/* Frames that the guest has not read yet come along, page by page. */
static int save_ring(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	const struct memory *mem;
	struct ring_page ring;
	unsigned int page, i, at;
	int err;

	if (!spool_ring(d, g, &ring))
		return 0;
	mem = &d->model->memory[d->model->receive.ring.memory];
	if (!ring_valid(&ring)) {
		/* it could be anywhere */
		for (i = 0; i < mem->size / PAGE; i++)
			d->dirty[mem->copy / PAGE + i] = 1;
		return 0;
	}
	page = ring.boundary < ring.start ? ring.stop - 1u : ring.boundary;
	for (i = ring.start; i < ring.stop; i++) {
		mark_dirty(d, mem, page);
		at = mem->copy / PAGE + page - mem->start / PAGE;
		err = proc_fetch(d, page * PAGE,
				 c->memory + (size_t)at * PAGE, PAGE);
		if (err)
			return err;
		c->kept[at] = 1;
		if (page == ring.current)
			break;
		page = page + 1 >= ring.stop ? ring.start : page + 1;
	}
	return 0;
}

/* What the guest had put on the card, put there again. */
static int restore_pages(struct dmm *d, unsigned int g)
{
	const struct context *c = &d->guest[g];
	const struct memory *mem = d->model->memory;
	unsigned int i, k, at;
	int err;

	for (k = 0; k < d->model->memories; k++, mem++) {
		if (mem->identity)
			continue;
		for (i = 0; i < mem->size / PAGE; i++) {
			at = mem->copy / PAGE + i;
			if (!c->kept[at])
				continue;
			err = proc_store(d, mem->start + i * PAGE,
					 c->memory + (size_t)at * PAGE, PAGE);
			if (err)
				return err;
			d->dirty[at] = 1;
		}
	}
	return 0;
}

static int park(struct dmm *d, unsigned int g)
{
	struct proc_args args = { .guest = (int)g };
	int err = proc_run(d, PROC_QUIESCE, &args);

	if (!err)
		err = proc_run(d, PROC_SAVE, &args);
	if (!err && d->guest[g].alive)
		err = save_ring(d, g);
	d->guest[g].own_status = true;
	return err;
}

static int unpark(struct dmm *d, unsigned int g)
{
	struct proc_args args = { .guest = (int)g };
	struct context *c = &d->guest[g];
	struct ring_page ring;
	int err = restore_pages(d, g);

	if (!err)
		err = proc_run(d, PROC_RESTORE, &args);
	if (err)
		return err;
	if (spool_ring(d, g, &ring) && ring_valid(&ring) && !c->used)
		ring_watch_start(&c->watch, &ring);
	if (c->noted.on) {
		c->noted.on = false;
		c->own_status = false;
		d->host.write(d->host.ctx, c->noted.space, c->noted.off,
			      c->noted.width, c->noted.data);
	}
	return 0;
}

/* The guest lost what it had on the device. */
static void lose(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	unsigned int i;

	for (i = 0; i < d->model->machines; i++)
		c->state[i] = d->model->machine[i].states.first;
	c->transfer.on = false;
	c->frame_len = 0;
	if (c->sending == SEND_ON_CARD) {
		c->sending = SEND_NONE;
		for (i = 0; i < d->model->checks; i++)
			if (d->model->check[i].frame)
				step_sets(d, g, d->model->check[i].refused[1],
					  0, false);
	}
}

static void force(struct dmm *d, unsigned int g)
{
	struct proc_args args = { .guest = -1 };

	d->stats.forced++;
	d->guest[g].stats.violations++;
	mon_report(d, (struct dmm_report){
			      .offence = DMM_FORCED,
			      .guest = g,
			      .name = d->model->name,
			      .rule = "it did not let go of the device in time",
		      });
	lose(d, g);
	if (d->mode == MODE_DROP &&
	    !proc_run(d, PROC_QUIESCE, &(struct proc_args){ .guest = (int)g }))
		return;
	if (d->host.reset(d->host.ctx) ||
	    (d->model->proc[PROC_FORCE].n &&
	     proc_run(d, PROC_FORCE, &args)))
		d->failed = true;
	if (d->mode == MODE_SPOOL && spool_open(d))
		d->failed = true;
}

void lease_count(struct dmm *d, uint64_t ns)
{
	struct dmm_stats *s = &d->stats;

	d->switch_ns[s->switches % SWITCHES_KEPT] = ns;
	if (!s->switches || ns < s->switch_ns_min)
		s->switch_ns_min = ns;
	if (ns > s->switch_ns_max)
		s->switch_ns_max = ns;
	s->switches++;
}

static void device_failed(struct dmm *d, unsigned int g)
{
	if (!d->failed)
		mon_report(d, (struct dmm_report){
				      .offence = DMM_FAILED,
				      .guest = g,
				      .name = d->model->name,
				      .rule = "it does not do what a procedure "
					      "waits for",
			      });
	d->failed = true;
	if (d->host.reset(d->host.ctx))
		return;
}

static void hand_over(struct dmm *d, unsigned int next, uint64_t now)
{
	struct proc_args args = { .guest = -1 };
	int from = d->owner, err = 0;
	uint64_t start = now;

	lease_account(d, now);
	if (d->mode == MODE_DROP && from >= 0)
		err = park(d, (unsigned int)from);
	if (d->mode == MODE_DROP && !err && from >= 0)
		err = proc_run(d, PROC_SCRUB, &args);
	d->owner = (int)next;
	d->guest[next].want_since = 0;
	if (d->mode == MODE_DROP && !err)
		err = unpark(d, next);
	if (err)
		device_failed(d, next);
	now = d->host.now(d->host.ctx);
	d->owner_since = d->last_use = now;
	d->lease_end = now + d->sched.lease_ns[next];
	if (from >= 0) {
		lease_count(d, now - start);
		sched_unwant(&d->sched, (unsigned int)from);
		lease_line(d, (unsigned int)from);
	}
	sched_want(&d->sched, next);
	lease_line(d, next);
	if (d->model->rings)
		shadow_pump(d);
	else if (d->mode == MODE_SPOOL)
		spool_ring_out(d, next);
	if (d->guest[next].held)
		d->host.wake(d->host.ctx, next);
}

/* ---- when ---- */

/* The owner has its lease, and uses it. */
static bool keeps(struct dmm *d, uint32_t wants, uint64_t now)
{
	const struct context *c = &d->guest[d->owner];
	uint64_t idle = d->sched.lease_ns[d->owner] / IDLE_PART;

	if (!c->alive)
		return false;
	if (d->mode == MODE_SPOOL)
		return c->want_since &&
		       sched_pick(&d->sched, wants | 1u << d->owner) ==
			       d->owner;
	return now < d->lease_end && now - d->last_use < idle;
}

static uint64_t waited(const struct dmm *d, uint32_t wants, uint64_t now)
{
	uint64_t most = 0;

	for (; wants; wants &= wants - 1) {
		uint64_t since = d->guest[__builtin_ctz(wants)].want_since;

		if (since && now > since && now - since > most)
			most = now - since;
	}
	return most;
}

void lease_try(struct dmm *d, uint64_t now)
{
	uint32_t wants;
	int next;

	if (d->mode == MODE_EXCLUSIVE || (d->model->rings &&
					  d->mode == MODE_SPOOL))
		return; /* one guest, or all of them by weight */
	wants = wanting(d, d->owner < 0 || now >= d->lease_end);
	if (!wants)
		return;
	if (d->owner >= 0) {
		unsigned int g = (unsigned int)d->owner;

		if (keeps(d, wants, now))
			return;
		if (d->mode == MODE_SPOOL)
			spool_sent(d, g);
		else
			step_poll(d, g, false);
		if (!step_reusable(d, g)) {
			if (waited(d, wants, now) <= d->model->max_park_ns)
				return;
			force(d, g);
		}
		lease_account(d, now);
	}
	next = sched_pick(&d->sched, wants);
	hand_over(d, (unsigned int)next, now);
}

uint64_t lease_next(struct dmm *d, uint64_t now)
{
	if (shadow_busy(d))
		return now + LOOK_NS;
	if (d->mode == MODE_EXCLUSIVE)
		return UINT64_MAX;
	if (wanting(d, false) ||
	    (d->owner >= 0 && d->guest[d->owner].sending == SEND_ON_CARD))
		return now + LOOK_NS;
	if (wanting(d, true))
		return d->lease_end > now ? d->lease_end : now + LOOK_NS;
	return UINT64_MAX;
}
