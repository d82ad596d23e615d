// SPDX-License-Identifier: MIT
/*
 * access.c: an access of a guest: finds the registers that it touches, judges
 * them, and does what may be done.
 */

#include <string.h>

#include "access.h"

/*
 * All registers that the element touches, the first being at (e) if that is
 * known; false if a byte is not classed, or they cannot be touched at once.
 */
static bool find_pieces(struct element *el, const struct plan_entry *e)
{
	const struct dmm *d = el->d;
	const struct dmm_access *a = el->a;
	const struct dmm_model *m = el->d->model;
	unsigned int i, grain = m->space[a->space].grain;
	struct piece *p;

	if ((a->off | a->width) & (grain - 1u))
		return false;
	for (i = 0; i < a->width; i += p->bytes, e = NULL) {
		p = &el->piece[el->n];
		p->e = e ? e :
			   plan_find(m, a->space, a->off + i, a->write,
				     el->c->reg);
		p->bytes = a->width - i;
		if (p->e && d->flags[p->e->reg] & REG_DOOR)
			p->e = door_behind(d, el->g, p->e, a, &p->bytes);
		if (!p->e)
			return false;
		p->reg = &m->reg[p->e->reg];
		if (d->covered)
			d->covered[p->e->reg] = 1;
		/* not counted here; and a wide write has no one bank */
		if (d->flags[p->e->reg] & REG_PORT ||
		    (a->write && p->reg->selector &&
		     a->width > p->reg->bits / 8u))
			return false;
		p->first = i;
		if (p->bytes > p->reg->bits / 8u - p->e->byte)
			p->bytes = p->reg->bits / 8u - p->e->byte;
		p->mask = cc_ones(8 * p->bytes) << 8 * p->e->byte;
		if (!(p->reg->widths & a->width))
			return false;
		el->n++;
	}
	return true;
}

static enum dmm_verdict deny(struct element *el)
{
	if (!el->a->write)
		memset(access_data(el->a), 0xff, el->a->width);
	mon_count(el->d, el->g, DMM_DENY, 1);
	return DMM_PASS;
}

static enum dmm_verdict hold(struct element *el)
{
	el->c->held = true;
	lease_want(el->d, el->g, el->d->host.now(el->d->host.ctx));
	return DMM_HOLD;
}

/* ---- effects of a checked event ---- */

static struct span_of_state during(const struct element *el,
				   const struct judged *j, unsigned int check)
{
	unsigned int i;

	for (i = 0; i < el->d->model->machines; i++)
		if (j->rule[i] && j->rule[i]->checks & 1u << check)
			break;
	return (struct span_of_state){ .machine = (uint16_t)i,
				       .state = (uint16_t)el->c->state[i] };
}

static void start_transfer(struct element *el, const struct transfer *t)
{
	el->c->transfer = *t;
	if (t->left)
		return;
	el->c->transfer.on = false;
	if (!mon_on_device(el->d, el->g))
		step_sets(el->d, el->g, el->d->model->check[t->check].done, 0,
			  false);
	step_end(el->d, el->g, t->check);
}

static void start_frame(struct element *el, const struct transfer *t)
{
	struct dmm *d = el->d;
	struct context *c = el->c;
	const struct memory *mem = &d->model->memory[t->memory];
	const uint8_t *bytes = c->memory + mem->copy + (t->at - mem->start);

	c->frame_at = t->at;
	c->frame_len = t->left;
	c->frame_during = t->during;
	if (d->mode == MODE_SPOOL) {
		spool_send(d, el->g);
		return;
	}
	/* what was checked is what will be on the card */
	if (mon_parked(d, el->g))
		pages_keep(d, el->g, mem, t->at, t->left);
	c->stats.frames_sent++;
	c->stats.bytes_sent += t->left;
	d->host.frame(d->host.ctx, el->g, true, bytes, t->left);
	if (d->mode == MODE_DROP)
		spool_local(d, el->g, bytes, t->left);
}

static void start_checked(struct element *el, const struct judged *j)
{
	uint32_t checks = j->checks;
	const struct check *ck;
	struct transfer t;
	uint64_t at, len;
	unsigned int i;

	for (; checks; checks &= checks - 1) {
		i = (unsigned int)__builtin_ctz(checks);
		ck = &el->d->model->check[i];
		if (!port_check(el->d, el->g, ck, &t, &at, &len))
			continue; /* its own rules moved it: not allowed */
		t.during = during(el, j, i);
		if (ck->port != MODEL_NONE)
			start_transfer(el, &t);
		if (ck->frame)
			start_frame(el, &t);
	}
}

/* Not done, and said so: DMM_PASS, or DMM_STOP if the guest must. */
static enum dmm_verdict refuse(struct element *el, const struct judged *why,
			       const struct piece *who)
{
	if (step_refused(el->d, el->g, why, who->reg->name))
		return DMM_STOP;
	deny(el);
	lease_line(el->d, el->g);
	return DMM_PASS;
}

/* ---- writes ---- */

/* What goes to the device: a global register's share is the union's. */
static uint64_t device_data(const struct element *el)
{
	uint64_t v = access_value(access_data(el->a), el->a->width), bits;
	const struct piece *p;
	unsigned int i;

	for (i = 0; i < el->n; i++) {
		p = &el->piece[i];
		if (p->reg->selector)
			el->d->dev[p->e->slot] = el->c->reg[p->e->slot];
		if (!(el->d->flags[p->e->reg] & REG_MONITOR))
			continue;
		bits = card_value(el->d, el->g, p->e->slot) >> 8 * p->e->byte;
		v &= ~(cc_ones(8 * p->bytes) << 8 * p->first);
		v |= (bits & cc_ones(8 * p->bytes)) << 8 * p->first;
	}
	return v;
}

static void apply_write(struct element *el)
{
	uint64_t raw = access_value(access_data(el->a), el->a->width);
	unsigned int i;

	for (i = 0; i < el->n; i++) {
		const struct piece *p = &el->piece[i];
		uint64_t v = (raw >> 8 * p->first & cc_ones(8 * p->bytes))
			     << 8 * p->e->byte;
		uint64_t old = el->c->reg[p->e->slot];
		uint8_t flags = el->d->flags[p->e->reg];

		step_latch(el->d, el->g, p->reg, p->e->slot, v, p->mask);
		if (p->e->reg == el->d->model->interrupt.cause)
			el->c->pending &= ~(v & p->reg->w1c);
		if (flags & REG_RING)
			pages_ring_written(el->d, el->g, p->e->reg, old);
		if (el->hooked & 1u << i) {
			step_apply(el->d, el->g, &el->judged[i], v);
			el->reset |= step_resets(el->d, &el->judged[i]);
		}
		el->c->reg[p->e->slot] &= ~p->reg->self_clear;
		if ((p->reg->eeprom != MODEL_NONE ||
		     p->reg->window != MODEL_NONE) &&
		    (flags & REG_MONITOR || !el->d->conf.alone))
			door_written(el->d, el->g, p->e->reg, v);
	}
}

/* Rung when the guest owns the device. */
static void note(struct element *el)
{
	unsigned int i;

	for (i = 0; i < el->n; i++)
		if (el->hooked & 1u << i && el->judged[i].checks)
			break;
	if (i == el->n)
		return; /* and one that is noted already stays so */
	el->c->noted.on = true;
	el->c->noted.space = el->a->space;
	el->c->noted.off = (uint32_t)el->a->off;
	el->c->noted.width = el->a->width;
	el->c->noted.data = access_value(access_data(el->a), el->a->width);
	lease_want(el->d, el->g, el->d->host.now(el->d->host.ctx));
}

/*
 * A parked guest with a doorbell to be rung must not move what was checked,
 * nor one whose frame is being sent the ring over it.
 */
static bool must_wait(const struct element *el)
{
	unsigned int i;

	for (i = 0; i < el->n; i++)
		if (el->c->noted.on ?
			    !(el->d->flags[el->piece[i].e->reg] & REG_IN_LINE) :
			    pages_sending(el->d, el->g, el->piece[i].e->reg))
			return true;
	return false;
}

static void touch_line(struct element *el)
{
	unsigned int i;

	for (i = 0; i < el->n; i++)
		if (el->hooked ||
		    el->d->flags[el->piece[i].e->reg] & REG_IN_LINE) {
			lease_line(el->d, el->g);
			return;
		}
}

static void carry_out(struct element *el)
{
	struct dmm *d = el->d;
	bool device = mon_on_device(d, el->g);
	unsigned int i;

	device &= el->path != DMM_ANSWER;
	for (i = 0; device && i < el->n; i++)
		if (el->hooked & 1u << i)
			card_load(d, el->g, el->judged[i].checks);
	if (device)
		d->host.write(d->host.ctx, el->a->space, el->a->off,
			      el->a->width, device_data(el));
	for (i = 0; i < el->n; i++) {
		if (!(el->hooked & 1u << i))
			continue;
		if (el->judged[i].checks) {
			if (device)
				el->c->own &= step_sends(d, &el->judged[i]) ?
						      0 :
						      OWN_SENT;
			start_checked(el, &el->judged[i]);
		}
		if (d->model->rings &&
		    el->judged[i].rings & 1u << d->model->transmit.dring)
			txring_doorbell(d, el->g);
	}
	if (el->hooked && device && d->mode == MODE_DROP)
		d->last_use = d->host.now(d->host.ctx);
	if (el->reset && device)
		lease_resync(d, el->g);
}

/* A device-wide register: the device gets the union, when that changes. */
static void union_of(struct element *el)
{
	bool rings = el->d->model->rings;
	const struct piece *p;
	uint64_t v;
	unsigned int i;

	for (i = 0; i < el->n; i++) {
		p = &el->piece[i];
		if (p->reg->merge == MERGE_NONE ||
		    (el->d->mode != MODE_SPOOL && el->path != DMM_ANSWER) ||
		    (!rings && !mon_on_device(el->d, el->g)))
			continue;
		v = card_value(el->d, el->g, p->e->slot);
		/* a guest on the device may have reset it since */
		if (!rings || v != el->d->dev[p->e->slot])
			card_write(el->d, p->e->slot, v, true);
	}
}

static enum dmm_verdict write_element(struct element *el)
{
	const struct judged *why = NULL;
	const struct piece *who = NULL;
	struct dmm *d = el->d;
	unsigned int i;

	if (must_wait(el))
		return hold(el);
	el->path = DMM_FORWARD;
	for (i = 0; i < el->n; i++) {
		enum dmm_path p = mon_path(d, el->piece[i].e->reg, true,
					   mon_parked(d, el->g));

		if (p == DMM_DENY)
			return deny(el);
		if (p > el->path || el->path == DMM_FORWARD)
			el->path = p;
	}
	switch (judge_element(el, &why, &who)) {
	case RULE_PASS:
		break;
	case RULE_ANSWER:
		el->path = DMM_ANSWER;
		break;
	case RULE_HOLD:
		return hold(el);
	case RULE_DENY:
	case RULE_STOP:
		return refuse(el, why, who);
	}
	apply_write(el);
	if (d->mode == MODE_DROP && mon_parked(d, el->g))
		note(el);
	carry_out(el);
	union_of(el);
	touch_line(el);
	if (d->scans && !d->scanning)
		own_wake(d);
	mon_count(d, el->g, el->hooked ? DMM_HOOK : el->path, 1);
	return DMM_PASS;
}

/* ---- reads ---- */

/* What the context says of a register. */
static uint64_t context_value(struct element *el, const struct piece *p)
{
	struct context *c = el->c;
	uint64_t *at = &c->reg[p->e->slot], v = *at;

	if (c->transfer.on &&
	    el->d->model->check[c->transfer.check].address == p->e->reg)
		return c->transfer.at;
	if (p->reg->answer == ANSWER_DEVICE)
		v = *at = card_read(el->d, p->e->slot, true, NULL);
	if (p->reg->answer == ANSWER_EXPR)
		v = mon_eval(el->d, el->g, p->reg->answer_expr);
	step_sets(el->d, el->g, p->reg->after_read, 0, false);
	if (p->reg->read_clears)
		*at = 0;
	return v;
}

/* What the guest sees of a register that was read from the device. */
static uint64_t overlay(struct element *el, const struct piece *p, uint64_t v)
{
	struct context *c = el->c;
	uint8_t own;

	if (p->reg->answer != ANSWER_NONE ||
	    el->d->flags[p->e->reg] & REG_MONITOR)
		return context_value(el, p);
	if (p->e->reg == el->d->model->interrupt.cause)
		return v | c->pending;
	if (p->reg->writable || p->reg->save_none)
		return v;
	own = el->d->flags[p->e->reg] & REG_SENT ? OWN_SENT : OWN_REST;
	if (c->own & own && !p->reg->read_clears)
		return context_value(el, p);
	if (p->reg->read_clears && c->reg[p->e->slot]) {
		v += context_value(el, p);
		return v > cc_ones(p->reg->bits) ? cc_ones(p->reg->bits) : v;
	}
	return v;
}

/* What the device has of those pieces that it is to be asked for. */
static uint64_t ask_device(struct element *el, uint32_t asked)
{
	struct dmm *d = el->d;
	unsigned int i, at, n, end;
	uint64_t v = 0;

	if (asked == (1u << el->n) - 1)
		return d->host.read(d->host.ctx, el->a->space, el->a->off,
				    el->a->width);
	for (i = 0; i < el->n; i++) {
		end = el->piece[i].first + el->piece[i].bytes;
		for (at = el->piece[i].first; asked & 1u << i && at < end;
		     at += n) {
			for (n = 4; n > end - at; n /= 2)
				;
			v |= d->host.read(d->host.ctx, el->a->space,
					  el->a->off + at, n)
			     << 8 * at;
		}
	}
	return v;
}

static void give(struct element *el, uint32_t asked)
{
	uint64_t raw = asked ? ask_device(el, asked) : 0, v;
	unsigned int i;

	for (i = 0; i < el->n; i++) {
		const struct piece *p = &el->piece[i];

		v = raw >> 8 * p->first << 8 * p->e->byte;
		v = asked & 1u << i ? overlay(el, p, v) : context_value(el, p);
		access_put(access_data(el->a) + p->first, p->bytes,
			   v >> 8 * p->e->byte);
		if (p->reg->read_clears || p->reg->after_read.n)
			touch_line(el);
	}
}

static enum dmm_verdict read_element(struct element *el)
{
	const struct judged *why = NULL;
	const struct piece *who = NULL;
	struct dmm *d = el->d;
	bool device = mon_on_device(d, el->g);
	uint32_t asked = 0; /* bit set of pieces that the device is asked for */
	unsigned int i;

	el->path = DMM_FORWARD;
	for (i = 0; i < el->n; i++) {
		const struct piece *p = &el->piece[i];
		enum dmm_path path =
			mon_path(d, p->e->reg, false, mon_parked(d, el->g));

		if (path == DMM_DENY)
			return deny(el);
		if (path > el->path)
			el->path = path;
		if (device && path != DMM_ANSWER)
			asked |= 1u << i;
		if (p->reg->parked_hold && !device && d->mode == MODE_DROP)
			return hold(el);
		if (p->reg->vol && el->c->sending == SEND_ON_CARD)
			spool_sent(d, el->g);
	}
	switch (judge_element(el, &why, &who)) {
	case RULE_PASS:
		break;
	case RULE_ANSWER:
		asked = 0;
		break;
	case RULE_HOLD:
		return hold(el);
	case RULE_DENY:
	case RULE_STOP:
		return refuse(el, why, who);
	}
	for (i = 0; i < el->n; i++)
		if (el->hooked & 1u << i) {
			step_apply(d, el->g, &el->judged[i], 0);
			el->reset |= step_resets(d, &el->judged[i]);
		}
	give(el, asked);
	if (el->reset && asked) /* or the device knows nothing of it */
		lease_resync(d, el->g);
	if (el->hooked)
		el->path = DMM_HOOK;
	mon_count(d, el->g, el->path, 1);
	return DMM_PASS;
}

/* ---- the way in ---- */

/* The data port that the access, which is to (e), is to, or MODEL_NONE. */
static unsigned int port_of(const struct dmm *d, unsigned int g,
			    const struct dmm_access *a,
			    const struct plan_entry *e)
{
	const struct plan_entry *last;

	/* a bus would split what is not aligned */
	if (!e || !(d->flags[e->reg] & REG_PORT) || a->off & (a->width - 1u) ||
	    !(d->model->reg[e->reg].widths & a->width))
		return MODEL_NONE;
	last = plan_find(d->model, a->space, a->off + a->width - 1, a->write,
			 d->guest[g].reg);
	return last && last->reg == e->reg ? e->reg : MODEL_NONE;
}

static bool sane(const struct dmm *d, const struct dmm_access *a)
{
	return a->space < d->model->spaces && a->width <= 8 &&
	       0x116u >> a->width & 1 && /* 1, 2, 4 or 8 */
	       cc_within(a->off, a->width, 0, d->model->space[a->space].size);
}

/* One element of a sane access, to (e); NULL: nothing is classed there. */
static enum dmm_verdict one(struct dmm *d, unsigned int g, struct dmm_access *a,
			    const struct plan_entry *e)
{
	struct dmm_access behind;
	struct element el;

	el.d = d;
	el.g = g;
	el.a = a;
	el.c = &d->guest[g];
	el.n = 0;
	el.hooked = 0;
	el.tried = 0;
	el.moved = el.reset = false;
	if (!e || d->flags[e->reg] & REG_DOOR) {
		behind = *a;
		if (!e || !door_open(d, g, &behind, e) || !sane(d, &behind))
			return deny(&el);
		el.a = a = &behind;
		e = NULL;
	}
	if (!find_pieces(&el, e))
		return deny(&el);
	return a->write ? write_element(&el) : read_element(&el);
}

static enum dmm_verdict deny_all(struct dmm *d, unsigned int g,
				 struct dmm_access *a)
{
	for (; a->done < a->count; a->done++) {
		if (!a->write)
			memset(access_data(a), 0xff, a->width);
		mon_count(d, g, DMM_DENY, 1);
	}
	return DMM_PASS;
}

static enum dmm_verdict try_access(struct dmm *d, unsigned int g,
				   struct dmm_access *a)
{
	const struct plan_entry *e;
	enum dmm_verdict v;
	unsigned int port;

	if (!sane(d, a))
		return deny_all(d, g, a);
	if (a->done == a->count)
		return DMM_PASS;
	e = plan_find(d->model, a->space, a->off, a->write, d->guest[g].reg);
	port = port_of(d, g, a, e);
	if (port != MODEL_NONE) {
		v = port_access(d, g, port, a);
		if (v == DMM_HOLD) {
			d->guest[g].held = true;
			lease_want(d, g, d->host.now(d->host.ctx));
		}
		return v;
	}
	if (e && a->count - a->done == 1 && !d->long_way &&
	    single_access(d, g, a, e)) {
		a->done++;
		return DMM_PASS;
	}
	for (;;) {
		v = one(d, g, a, e);
		a->done += v == DMM_PASS;
		if (v != DMM_PASS || a->done == a->count)
			return v;
		/* it may have selected another bank */
		e = plan_find(d->model, a->space, a->off, a->write,
			      d->guest[g].reg);
	}
}

enum dmm_verdict access_any(struct dmm *d, unsigned int g, struct dmm_access *a)
{
	enum dmm_verdict v;

	d->access = a;
	d->accessor = g;
	v = try_access(d, g, a);
	if (v == DMM_HOLD) {
		lease_try(d, d->host.now(d->host.ctx));
		if (!mon_parked(d, g))
			v = try_access(d, g, a);
	}
	d->access = NULL;
	if (d->stop_guest) {
		d->stop_guest = false;
		v = DMM_STOP;
	}
	return v;
}
