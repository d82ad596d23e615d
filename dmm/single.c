// SPDX-License-Identifier: MIT
/*
 * single.c: an access of one register, or a part of it, that fires no rule:
 * what access.c would do, and none of what it would find that there is not to
 * do.
 */

#include "access.h"

/* Nothing but its rules, and what is asked below, says what it does. */
static bool is_plain(const struct dmm *d, unsigned int reg)
{
	return !(d->flags[reg] & (REG_PORT | REG_DOOR)) &&
	       reg != d->model->interrupt.cause;
}

static bool shows_where(const struct dmm_model *m, unsigned int reg)
{
	unsigned int i;

	for (i = 0; i < m->checks; i++)
		if (m->check[i].address == reg)
			return true;
	return false;
}

void single_plan(struct dmm *d)
{
	const struct reg *r = d->model->reg;
	unsigned int i;

	for (i = 0; i < d->model->regs; i++, r++) {
		if (!is_plain(d, i))
			continue;
		if (!r->read_clears && !r->after_read.n &&
		    r->answer != ANSWER_EXPR && r->answer != ANSWER_DEVICE &&
		    !shows_where(d->model, i))
			d->flags[i] |= REG_SINGLE_READ;
		if (!(d->flags[i] & REG_RING) && r->merge == MERGE_NONE)
			d->flags[i] |= REG_SINGLE_WRITE;
	}
}

static bool read_single(struct dmm *d, unsigned int g, struct dmm_access *a,
			const struct plan_entry *e)
{
	const struct reg *r = &d->model->reg[e->reg];
	struct context *c = &d->guest[g];
	enum dmm_path path = mon_path(d, e->reg, false, mon_parked(d, g));
	uint64_t v;

	if ((r->vol && c->sending == SEND_ON_CARD) ||
	    (r->hooks[0] && step_hooks(d, g, r, false, 0)))
		return false;
	if (path == DMM_ANSWER) {
		if (r->parked_hold)
			return false;
		v = c->reg[e->slot] >> 8 * e->byte;
	} else if (path == DMM_FORWARD &&
		   (r->writable || r->save_none || !c->own)) {
		v = d->host.read(d->host.ctx, a->space, a->off, a->width);
	} else {
		return false;
	}
	access_put(access_data(a), a->width, v);
	mon_count(d, g, path, 1);
	return true;
}

static bool write_single(struct dmm *d, unsigned int g, struct dmm_access *a,
			 const struct plan_entry *e)
{
	const struct reg *r = &d->model->reg[e->reg];
	struct context *c = &d->guest[g];
	enum dmm_path path = mon_path(d, e->reg, true, mon_parked(d, g));
	uint64_t raw = access_value(access_data(a), a->width);
	uint64_t mask = cc_ones(8u * a->width) << 8 * e->byte;
	uint64_t v = raw << 8 * e->byte, kept;

	if (path == DMM_DENY || c->noted.on)
		return false;
	kept = c->reg[e->slot] & ~mask & ~r->w1c & ~r->w1s & cc_ones(r->bits);
	if (r->hook_widths & a->width && step_hooks(d, g, r, true, v | kept))
		return false;
	step_latch(d, g, r, e->slot, v, mask);
	c->reg[e->slot] &= ~r->self_clear;
	if (r->eeprom != MODEL_NONE || r->window != MODEL_NONE)
		door_written(d, g, e->reg, v);
	if (path != DMM_ANSWER) {
		if (r->selector)
			d->dev[e->slot] = c->reg[e->slot];
		d->host.write(d->host.ctx, a->space, a->off, a->width, raw);
	}
	if (d->flags[e->reg] & REG_IN_LINE)
		lease_line(d, g);
	if (d->scans && !d->scanning)
		own_wake(d);
	mon_count(d, g, path, 1);
	return true;
}

bool single_access(struct dmm *d, unsigned int g, struct dmm_access *a,
		   const struct plan_entry *e)
{
	const struct reg *r = &d->model->reg[e->reg];

	if (!(d->flags[e->reg] &
	      (a->write ? REG_SINGLE_WRITE : REG_SINGLE_READ)) ||
	    e->any_byte || 8u * (e->byte + a->width) > r->bits ||
	    !(r->widths & a->width) ||
	    (a->off | a->width) & (d->model->space[a->space].grain - 1u))
		return false;
	if (d->covered)
		d->covered[e->reg] = 1;
	return a->write ? write_single(d, g, a, e) : read_single(d, g, a, e);
}
