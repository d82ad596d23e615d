// SPDX-License-Identifier: MIT
/*
 * paths.c: the dispatch plan: what an access of each register costs, to the
 * owner and to a parked guest, and whom a register concerns.
 */

#include <errno.h>
#include <stdlib.h>

#include "mon.h"

const char *dmm_path_name(enum dmm_path path)
{
	static const char *const names[DMM_PATHS] = {
		[DMM_DIRECT] = "direct", [DMM_FORWARD] = "forward",
		[DMM_LATCH] = "latch",	 [DMM_HOOK] = "hook",
		[DMM_DEFER] = "defer",	 [DMM_ANSWER] = "answer",
		[DMM_DENY] = "deny",
	};

	return names[path];
}

const char *dmm_offence_name(enum dmm_offence offence)
{
	static const char *const names[] = {
		[DMM_REFUSED] = "refused", [DMM_DENIED] = "denied",
		[DMM_SPOOFED] = "spoofed", [DMM_FORCED] = "forced",
		[DMM_FAILED] = "failed",
	};

	return names[offence];
}

bool mon_loads(const struct expr *e, const struct reg *reg)
{
	unsigned int i;

	for (i = 0; e && i < e->n; i++)
		if (e->ins[i].op == EXPR_OP_LOAD &&
		    e->ins[i].array == EXPR_REG &&
		    e->ins[i].index >= reg->slot &&
		    e->ins[i].index < reg->slot + reg->dim)
			return true;
	return false;
}

/* Does the model need to know what was last written there? */
static bool is_needed(const struct dmm_model *m, const struct reg *reg)
{
	const struct page_ring *r = &m->receive.ring;
	unsigned int i, index = (unsigned int)(reg - m->reg);

	if (reg->selector || !reg->readable)
		return true;
	for (i = 0; i < m->checks; i++)
		if (mon_loads(m->check[i].start, reg) ||
		    mon_loads(m->check[i].length, reg) ||
		    mon_loads(m->check[i].wrap_from, reg) ||
		    mon_loads(m->check[i].wrap_to, reg))
			return true;
	for (i = 0; i < m->rules; i++)
		if (mon_loads(m->rule[i].when, reg))
			return true;
	for (i = 0; i < m->regs; i++)
		if (mon_loads(m->reg[i].moves, reg))
			return true;
	return mon_loads(m->interrupt.line, reg) ||
	       mon_loads(m->reusable, reg) ||
	       (r->present && (index == r->start || index == r->stop ||
			       index == r->boundary || index == r->current));
}

/* With an address that is not the card's own, its EEPROM is a copy. */
static bool answers_alone(const struct dmm *d, const struct reg *r)
{
	return r->eeprom != MODEL_NONE && d->mac_given;
}

/* Registers that no guest ever moves on the device. */
static bool is_monitors(const struct dmm *d, unsigned int reg)
{
	const struct dmm_model *m = d->model;
	const struct reg *r = &m->reg[reg];
	unsigned int i;

	if (d->conf.alone)
		return answers_alone(d, r);
	if (r->global && (d->mode != MODE_EXCLUSIVE || m->rings))
		return true;
	if (r->window != MODEL_NONE || r->eeprom != MODEL_NONE)
		return true;
	for (i = 0; i < r->places; i++)
		if (m->space[m->place[r->place + i].space].kind == SPACE_WINDOW)
			return true;
	for (i = 0; i < m->windows; i++)
		if (reg == m->window[i].index.reg)
			return true;
	if (!m->rings)
		return false;
	for (i = 0; i < m->rings; i++)
		if (reg == m->ring[i].head || reg == m->ring[i].tail ||
		    slots_have(&m->ring[i], reg) ||
		    mon_loads(m->ring[i].base, r) ||
		    mon_loads(m->ring[i].count, r))
			return true;
	return signal_rests_on(m, reg) || r->read_clears;
}

enum dmm_path paths_of(const struct dmm *d, const struct reg *reg, bool write,
		       bool parked)
{
	bool device = d->mode != MODE_SPOOL && !parked &&
		      !is_monitors(d, (unsigned int)(reg - d->model->reg));

	if (!(write ? reg->writable : reg->readable))
		return DMM_DENY;
	if (!device)
		return DMM_ANSWER;
	if (d->conf.alone)
		return DMM_FORWARD;
	if (reg->answer != ANSWER_NONE && !write)
		return DMM_ANSWER;
	if (write && reg->port_memory == MODEL_NONE &&
	    (d->mode == MODE_DROP || is_needed(d->model, reg)))
		return DMM_LATCH;
	return DMM_FORWARD;
}

static bool looks_at(const struct check *c, const struct reg *reg)
{
	return mon_loads(c->start, reg) || mon_loads(c->length, reg) ||
	       mon_loads(c->wrap_from, reg) || mon_loads(c->wrap_to, reg);
}

void paths_plan(struct dmm *d)
{
	const struct dmm_model *m = d->model;
	const struct page_ring *r = &m->receive.ring;
	unsigned int i, k;

	for (i = 0; i < m->regs; i++) {
		const struct reg *reg = &m->reg[i];

		for (k = 0; k < 4; k++)
			d->path[i * 4 + k] =
				(uint8_t)paths_of(d, reg, k & 2, k & 1);
		if (signal_rests_on(m, i))
			d->flags[i] |= REG_IN_LINE;
		if (is_monitors(d, i))
			d->flags[i] |= REG_MONITOR;
		if (reg->window != MODEL_NONE &&
		    !m->window[reg->window].command)
			d->flags[i] |= REG_DOOR;
		if (r->present && !d->conf.alone &&
		    (i == r->start || i == r->stop || i == r->boundary ||
		     i == r->current))
			d->flags[i] |= REG_RING;
		if (reg->port_memory != MODEL_NONE && !d->conf.alone)
			d->flags[i] |= REG_PORT;
		for (k = 0; k < m->transmit.sent.n; k++)
			if (m->set[m->transmit.sent.first + k].reg == i &&
			    !reg->writable)
				d->flags[i] |= REG_SENT;
		for (k = 0; k < reg->dim; k++)
			d->reg_of[reg->slot + k] = (uint16_t)i;
		for (k = 0; k < m->checks; k++)
			if (looks_at(&m->check[k], reg))
				d->checks[i] |= (uint16_t)(1u << k);
	}
}

static void add_bank(struct dmm *d, const struct place *pl)
{
	uint64_t mask = pl->sel_mask << pl->sel_shift;
	unsigned int i;

	if (pl->sel_reg == MODEL_NONE ||
	    !d->model->reg[d->reg_of[pl->sel_reg]].select)
		return;
	for (i = 0; i < d->banks; i++)
		if (d->bank[i].slot == pl->sel_reg && d->bank[i].mask == mask)
			return;
	d->bank[d->banks++] = (struct bank){ pl->sel_reg, mask };
}

int paths_lists(struct dmm *d)
{
	const struct dmm_model *m = d->model;
	unsigned int i, k, c, n = 0;

	d->loads = calloc((size_t)m->slots * m->checks + 1, sizeof(*d->loads));
	d->bank = calloc(m->places + 1u, sizeof(*d->bank));
	if (!d->loads || !d->bank)
		return -ENOMEM;
	for (c = 0; c < m->checks; c++) {
		d->loads_of[c].first = (uint16_t)n;
		for (i = 0; i < m->regs; i++)
			for (k = 0; m->reg[i].writable &&
				    d->checks[i] >> c & 1 && k < m->reg[i].dim;
			     k++)
				d->loads[n++] = (uint16_t)(m->reg[i].slot + k);
		d->loads_of[c].n = (uint16_t)(n - d->loads_of[c].first);
	}
	for (i = 0; i < m->places; i++)
		add_bank(d, &m->place[i]);
	return 0;
}

/* A byte that is denied on purpose, and not only because nobody classed it. */
static bool is_denied(const struct space *s, uint64_t off)
{
	unsigned int i;

	for (i = 0; i < s->denied; i++)
		if (s->deny[i].first < off + DMM_PAGE && s->deny[i].last >= off)
			return true;
	return false;
}

bool paths_direct(const struct dmm *d, unsigned int space, uint64_t off,
		  const struct reg **why)
{
	const struct dmm_model *m = d->model;
	const struct space *s = &m->space[space];
	unsigned int dir, grain = s->grain;
	bool any = false;
	uint64_t at;

	*why = NULL;
	for (at = off; at < off + DMM_PAGE && at < s->size; at += grain)
		for (dir = 0; dir < 2; dir++) {
			uint16_t e = m->plan.head[space][dir][at / grain];
			const struct reg *reg;

			if (e == MODEL_NONE)
				continue;
			any = true;
			reg = &m->reg[m->plan.entry[e].reg];
			if ((d->conf.alone || !reg->hooks[dir]) &&
			    paths_of(d, reg, dir, false) == DMM_FORWARD)
				continue;
			*why = reg;
			return false;
		}
	return any && !is_denied(s, off);
}

bool dmm_direct(const struct dmm *d, unsigned int space, uint64_t off)
{
	const struct reg *why;

	return d->conf.alone && space < d->model->spaces &&
	       d->model->space[space].kind == SPACE_MMIO &&
	       off % DMM_PAGE == 0 &&
	       cc_within(off, DMM_PAGE, 0, d->model->space[space].size) &&
	       paths_direct(d, space, off, &why);
}
