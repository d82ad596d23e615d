// SPDX-License-Identifier: MIT
/*
 * signal.c: a guest's interrupts: its line, or messages.
 *
 * A message is sent when its condition becomes true.  What a part does then
 * by itself (causes that are acknowledged, or masked) may make it false, so
 * that the next cause sends again.
 */

#include "mon.h"

static bool line_level(struct dmm *d, unsigned int g)
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
	return level && c->alive;
}

static void message(struct dmm *d, unsigned int g, unsigned int bit, bool up,
		    uint64_t vector)
{
	struct context *c = &d->guest[g];
	bool was = c->told >> bit & 1;

	c->told = (c->told & ~(1u << bit)) | (uint32_t)up << bit;
	if (up && !was && vector <= UINT16_MAX)
		d->host.message(d->host.ctx, g, (unsigned int)vector);
}

static void vector_line(struct dmm *d, unsigned int g, unsigned int i)
{
	const struct vector *v = &d->model->interrupt.vector[i];
	struct context *c = &d->guest[g];
	bool was = c->told >> i & 1;
	bool up = c->alive && mon_eval(d, g, v->when);

	message(d, g, i, up, up ? mon_eval(d, g, v->vector) : 0);
	if (!up || was)
		return;
	/* both see what was so when it was sent */
	step_sets(d, g, v->sets, 0, false);
	if (v->clears)
		c->reg[d->model->reg[d->model->interrupt.cause].slot] &=
			~mon_eval(d, g, v->clears);
	message(d, g, i, mon_eval(d, g, v->when), 0);
}

/* Causes on the device are told of by one line, and no vectors. */
static bool by_vectors(const struct dmm *d, const struct context *c)
{
	return c->signals == DMM_VECTORS && d->model->interrupt.vectors &&
	       !mon_cause_on_device(d);
}

void lease_line(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	unsigned int i;
	bool level;

	if (d->conf.alone)
		return;
	if (by_vectors(d, c)) {
		for (i = 0; i < d->model->interrupt.vectors; i++)
			vector_line(d, g, i);
		return;
	}
	level = line_level(d, g);
	if (c->signals != DMM_LINE) {
		message(d, g, 0, level, 0);
		return;
	}
	if (level == c->line)
		return;
	c->line = level;
	d->host.line(d->host.ctx, g, level);
}

void dmm_signals(struct dmm *d, unsigned int g, enum dmm_signals how)
{
	struct context *c = &d->guest[g];

	c->signals = (uint8_t)how;
	c->told = 0;
	if (how != DMM_LINE && c->line) {
		c->line = false;
		d->host.line(d->host.ctx, g, false);
	}
	lease_line(d, g);
}

bool signal_rests_on(const struct dmm_model *m, unsigned int reg)
{
	const struct reg *r = &m->reg[reg];
	const struct reg *other = r->w1_reg == MODEL_NONE ? r :
							    &m->reg[r->w1_reg];
	unsigned int i;

	if (mon_loads(m->interrupt.line, r) ||
	    mon_loads(m->interrupt.line, other))
		return true;
	for (i = 0; i < m->interrupt.vectors; i++)
		if (mon_loads(m->interrupt.vector[i].when, r) ||
		    mon_loads(m->interrupt.vector[i].when, other))
			return true;
	return false;
}
