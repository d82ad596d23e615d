// SPDX-License-Identifier: MIT
/*
 * lease.c: who owns the device, for how long, and the hand-over from one guest
 * to the next when the model says that the device is reusable.
 */

#include <errno.h>

#include "mon.h"

/* An owner that did not use the device for this part of its lease is idle. */
#define IDLE_PART 16u
/* The part of maxPark that an owner has to end what it has begun. */
#define GRACE_PART 4u
/* How often to look while somebody waits for a state that no interrupt tells. */
#define LOOK_NS 500000u

void lease_want(struct dmm *d, unsigned int g, uint64_t now)
{
	struct context *c = &d->guest[g];

	if (d->owner == (int)g && c->sending != SEND_WAITS) {
		/* it has the device already, and waits for what that does */
		d->host.due(d->host.ctx, now + LOOK_NS);
		return;
	}
	if (!c->want_since) {
		lease_account(d, now); /* idle time is nobody's credit */
		c->want_since = now ? now : 1;
		sched_want(&d->sched, g);
		d->host.due(d->host.ctx, now + LOOK_NS);
	}
}

void lease_wake(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];

	if (!c->held)
		return;
	c->held = false; /* until it asks again */
	d->host.wake(d->host.ctx, g);
}

/* Guests that listen have a claim too, but only when a lease is over. */
static bool listens(const struct dmm *d, unsigned int g)
{
	const struct expr *e = d->model->receive.enabled;

	return d->mode == MODE_DROP && !d->model->rings && e &&
	       mon_eval(d, g, e);
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
	/* by spool it is each frame's time on the card that counts */
	if (d->owner >= 0 && d->mode != MODE_SPOOL)
		sched_charge(&d->sched, (unsigned int)d->owner, ns);
	d->owner_since = now;
}

/* ---- the steps of a hand-over, where registers live on the device ---- */

static bool still_sends(struct dmm *d, unsigned int g)
{
	const struct context *c = &d->guest[g];

	return c->frame_len && !step_over(d, g, c->frame_during);
}

static int park(struct dmm *d, unsigned int g)
{
	struct proc_args args = { .guest = (int)g };
	struct context *c = &d->guest[g];
	int err = proc_run(d, PROC_QUIESCE, &args);

	if (!err)
		err = proc_run(d, PROC_SAVE, &args);
	if (!err)
		err = pages_save(d, g);
	if (err)
		pages_soil(d);
	/* it would go on with the memory of the next guest */
	if (still_sends(d, g) && mon_device_reset(d))
		err = -EIO;
	c->frame_len = 0;
	c->own = OWN_ALL;
	return err;
}

static int unpark(struct dmm *d, unsigned int g)
{
	struct proc_args args = { .guest = (int)g };
	struct context *c = &d->guest[g];
	unsigned int i;
	int err = proc_run(d, PROC_SCRUB, &(struct proc_args){ .guest = -1 });

	if (!err)
		err = pages_restore(d, g);
	if (!err)
		err = proc_run(d, PROC_RESTORE, &args);
	if (err)
		return err;
	if (c->noted.on) {
		c->noted.on = false;
		c->own &= c->frame_len ? 0 : OWN_SENT;
		for (i = 0; i < d->model->slots; i++)
			if (d->model->reg[d->reg_of[i]].selector)
				d->dev[i] = c->reg[i];
		d->host.write(d->host.ctx, c->noted.space, c->noted.off,
			      c->noted.width, c->noted.data);
	}
	return 0;
}

static void to_start(struct dmm *d, unsigned int g, unsigned int machine)
{
	d->guest[g].state[machine] = d->model->machine[machine].states.first;
}

/* Its frame is not under way any more, and did not go well. */
static void frame_lost(struct dmm *d, unsigned int g)
{
	const struct dmm_model *m = d->model;
	struct span one = { .n = 1 };
	unsigned int i;

	for (i = 0; i < m->transmit.local.n; i++) {
		one.first = (uint16_t)(m->transmit.local.first + i);
		if (m->reg[m->set[one.first].reg].writable &&
		    m->set[one.first].reg != m->interrupt.cause)
			step_sets(d, g, one, 0, false); /* as a bit for busy */
	}
	for (i = 0; i < m->checks; i++)
		if (m->check[i].frame)
			step_sets(d, g, m->check[i].refused[1], 0, false);
}

void lease_lose(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];

	if (c->transfer.on && mon_during(c, c->transfer.during))
		to_start(d, g, c->transfer.during.machine);
	if (c->frame_len && mon_during(c, c->frame_during) &&
	    (d->mode == MODE_SPOOL || d->guest[g].alive))
		to_start(d, g, c->frame_during.machine);
	c->transfer.on = false;
	if (c->sending != SEND_ON_CARD)
		return;
	c->sending = SEND_NONE;
	c->frame_len = 0;
	frame_lost(d, g);
}

static void force(struct dmm *d, unsigned int g)
{
	unsigned int i;

	d->stats.forced++;
	/* by spool it is the device that is late: no guest can hold it */
	if (d->mode != MODE_SPOOL)
		d->guest[g].stats.violations++;
	mon_report(d, (struct dmm_report){
			      .offence = d->mode == MODE_SPOOL ? DMM_FAILED :
								 DMM_FORCED,
			      .guest = g,
			      .name = d->model->name,
			      .rule = d->mode == MODE_SPOOL ?
					      "the device was late with its "
					      "frame: reset" :
					      "it did not let go of the device "
					      "in time",
		      });
	if (shadow_busy(d)) {
		shadow_restart(d);
		step_poll(d, g, false);
	}
	lease_lose(d, g);
	for (i = 0; i < d->model->machines && !step_reusable(d, g); i++)
		to_start(d, g, i);
	if (d->mode == MODE_SPOOL && (mon_device_reset(d) || spool_open(d)))
		d->failed = true;
	lease_line(d, g);
}

/*
 * The device was reset by its guest.  A part keeps some registers: it gets
 * those of the context, so that both are the same again.
 */
void lease_resync(struct dmm *d, unsigned int g)
{
	struct proc_args args = { .guest = (int)g };

	mon_dev_reset(d);
	pages_soil(d);
	if (d->mode == MODE_DROP && proc_run(d, PROC_RESTORE, &args))
		d->failed = true;
}

void lease_evict(struct dmm *d, unsigned int g)
{
	struct proc_args args = { .guest = (int)g };

	lease_account(d, d->host.now(d->host.ctx));
	if (proc_run(d, PROC_QUIESCE, &args) ||
	    (still_sends(d, g) && mon_device_reset(d)))
		d->failed = true;
	pages_soil(d);
	d->owner = -1;
	d->dev_level = false;
}

void lease_count(struct dmm *d, uint64_t ns)
{
	struct dmm_stats *s = &d->stats;

	d->last_switch_ns = ns;
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
}

/* From the device to the context, and the other way for the next one. */
static int exchange(struct dmm *d, int from, unsigned int next)
{
	int err = 0;

	if (d->mode != MODE_DROP)
		return 0;
	if (from >= 0)
		err = park(d, (unsigned int)from);
	d->dev_level = false; /* that was the last one's */
	d->owner = (int)next;
	if (!err)
		err = unpark(d, next);
	if (!err)
		return 0;
	device_failed(d, next);
	return mon_device_reset(d) || unpark(d, next) ? -EIO : 0;
}

static void hand_over(struct dmm *d, unsigned int next, uint64_t now)
{
	int from = d->owner, err;
	uint64_t start = now;

	lease_account(d, now);
	err = exchange(d, from, next);
	now = d->host.now(d->host.ctx);
	d->owner = err ? -1 : (int)next; /* none, until it works again */
	d->owner_since = d->last_use = now;
	d->asked_since = 0;
	d->lease_end = now + d->sched.lease_ns[next];
	if (from >= 0) {
		lease_count(d, now - start);
		sched_unwant(&d->sched, (unsigned int)from);
		lease_line(d, (unsigned int)from);
		lease_wake(d, (unsigned int)from);
	}
	if (err)
		return;
	d->guest[next].want_since = 0;
	sched_want(&d->sched, next);
	lease_line(d, next);
	if (d->model->rings)
		shadow_pump(d);
	else if (d->mode == MODE_SPOOL)
		spool_ring_out(d, next);
	lease_wake(d, next);
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
		return c->sending == SEND_WAITS &&
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

/* A frame that never leaves the card is not waited for, wanted or not. */
static void lease_check(struct dmm *d, uint64_t now)
{
	if (d->mode != MODE_SPOOL || d->owner < 0 ||
	    d->guest[d->owner].sending != SEND_ON_CARD ||
	    now - d->last_use <= d->model->max_park_ns)
		return;
	spool_sent(d, (unsigned int)d->owner);
	if (d->guest[d->owner].sending == SEND_ON_CARD)
		force(d, (unsigned int)d->owner);
}

/*
 * Somebody waited for too long, and not because of others' leases: the owner
 * had time to end what it was doing.
 */
static bool may_force(struct dmm *d, uint32_t wants, uint64_t now)
{
	if (!d->asked_since)
		d->asked_since = now;
	return waited(d, wants, now) > d->model->max_park_ns &&
	       now - d->asked_since > d->model->max_park_ns / GRACE_PART;
}

void lease_try(struct dmm *d, uint64_t now)
{
	uint32_t wants;
	int next;

	if (d->mode == MODE_EXCLUSIVE ||
	    (d->model->rings && d->mode == MODE_SPOOL))
		return; /* one guest, or all of them by weight */
	lease_check(d, now);
	wants = wanting(d, d->owner < 0 || now >= d->lease_end);
	if (!wants)
		return;
	if (d->owner >= 0) {
		unsigned int g = (unsigned int)d->owner;

		if (keeps(d, wants, now))
			return;
		if (d->mode == MODE_SPOOL)
			spool_sent(d, g);
		else if (step_poll(d, g, false))
			lease_line(d, g);
		if (!step_reusable(d, g)) {
			if (!may_force(d, wants, now))
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
	if (d->tx && d->tx->more)
		return now;
	if (shadow_busy(d) || d->rx_more)
		return now + LOOK_NS;
	if (d->mode == MODE_EXCLUSIVE)
		return UINT64_MAX;
	if (wanting(d, false) ||
	    (d->owner >= 0 && (d->guest[d->owner].sending == SEND_ON_CARD ||
			       d->guest[d->owner].held)))
		return now + LOOK_NS;
	if (wanting(d, true))
		return d->lease_end > now ? d->lease_end : now + LOOK_NS;
	return UINT64_MAX;
}
