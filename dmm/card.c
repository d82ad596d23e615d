// SPDX-License-Identifier: MIT
/*
 * card.c: touching the device's registers by name: finds the place, selects
 * the bank, and splits what is wider than the space.
 */

#include "mon.h"

static bool select_bank(struct dmm *d, const struct place *pl)
{
	struct expr_env env = { .array = { [EXPR_REG] = d->dev } };
	const struct reg *sel;
	uint64_t value;

	if (pl->sel_reg == MODEL_NONE)
		return false;
	sel = &d->model->reg[d->reg_of[pl->sel_reg]];
	if (!sel->select)
		return false;
	value = expr_eval(sel->select, &env, NULL);
	value &= ~(pl->sel_mask << pl->sel_shift);
	value |= pl->sel_value << pl->sel_shift;
	/* a selector stands in every bank, or it could not select */
	return card_write(d, pl->sel_reg, value, false);
}

/* The place to use, its bank selected; NULL if there is none now. */
static const struct place *find_place(struct dmm *d, const struct reg *reg,
				      bool write, bool select)
{
	const struct place *pl, *first = NULL;
	unsigned int i;

	for (i = 0; i < reg->places; i++) {
		pl = &d->model->place[reg->place + i];
		if (!(write ? pl->write : pl->read))
			continue;
		if (place_holds(pl, d->dev))
			return pl;
		if (!first)
			first = pl;
	}
	return first && select && select_bank(d, first) &&
			       place_holds(first, d->dev) ?
		       first :
		       NULL;
}

unsigned int card_width(const struct dmm *d, const struct place *pl,
			const struct reg *reg, unsigned int left)
{
	unsigned int w = d->model->space[pl->space].width / 8u;

	if (reg->widths != REG_ANY_WIDTH)
		w = 8;
	while (w > 1 && (w > left || !(reg->widths & w)))
		w /= 2;
	return w;
}

/* ---- behind a window ---- */

/* Looks of one command window, and what lies between them. */
#define READY_LOOKS 200u
#define READY_NS 1000u

static uint64_t command_value(const struct dmm *d, const struct window *w,
			      struct span sets, uint64_t index, uint64_t data)
{
	struct expr_env env = { .array = { [EXPR_REG] = d->dev } };
	uint64_t v = (index & w->index.mask) << w->index.shift |
		     (data & w->data.mask) << w->data.shift;
	unsigned int i;

	for (i = sets.first; i < (unsigned int)sets.first + sets.n; i++) {
		const struct set *s = &d->model->set[i];

		v |= (expr_eval(s->value, &env, NULL) & s->mask) << s->shift;
	}
	return v;
}

/* Nobody else moves it, so it is where it was. */
static void select_index(struct dmm *d, const struct window *w, uint64_t index)
{
	if (d->dev[w->index.slot] != index << w->index.shift)
		card_write(d, w->index.slot, index << w->index.shift, true);
}

static uint64_t read_window(struct dmm *d, const struct window *w,
			    uint64_t index)
{
	uint64_t v = 0;
	unsigned int i;

	if (!w->command) {
		select_index(d, w, index);
		return card_read(d, w->data.slot, true, NULL);
	}
	card_write(d, w->data.slot, command_value(d, w, w->read, index, 0),
		   true);
	for (i = 0; i < READY_LOOKS; i++) {
		v = card_read(d, w->data.slot, true, NULL);
		if (v >> w->ready.shift & w->ready.mask)
			break;
		d->host.pause(d->host.ctx, READY_NS);
	}
	return v >> w->data.shift & w->data.mask;
}

static void write_window(struct dmm *d, const struct window *w, uint64_t index,
			 uint64_t value)
{
	if (!w->command) {
		select_index(d, w, index);
		card_write(d, w->data.slot, value << w->data.shift, true);
		return;
	}
	card_write(d, w->data.slot, command_value(d, w, w->write, index, value),
		   true);
}

static const struct window *window_of(const struct dmm *d,
				      const struct place *pl)
{
	return &d->model->window[d->model->space[pl->space].window];
}

/* Which register of its window a place is. */
static uint64_t window_index(const struct dmm *d, const struct place *pl,
			     uint64_t off)
{
	return off / (d->model->space[pl->space].width / 8u);
}

uint64_t card_read(struct dmm *d, unsigned int slot, bool select, bool *unknown)
{
	const struct reg *reg = &d->model->reg[d->reg_of[slot]];
	const struct place *pl = find_place(d, reg, false, select);
	unsigned int i, width, bytes = reg->bits / 8u;
	uint64_t v = 0, off;

	if (!pl) {
		if (unknown)
			*unknown = true;
		return 0;
	}
	off = pl->off + (uint64_t)(slot - reg->slot) * pl->step;
	if (d->model->space[pl->space].window != MODEL_NONE) {
		width = d->model->space[pl->space].width / 8u;
		for (i = 0; i < bytes; i += width)
			v |= (read_window(d, window_of(d, pl),
					  window_index(d, pl, off + i)) &
			      cc_ones(8 * width))
			     << 8 * i;
		return v;
	}
	for (i = 0; i < bytes; i += width) {
		width = card_width(d, pl, reg, bytes - i);
		v |= (d->host.read(d->host.ctx, pl->space, off + i, width) &
		      cc_ones(8 * width))
		     << 8 * i;
	}
	return v;
}

bool card_write(struct dmm *d, unsigned int slot, uint64_t value, bool select)
{
	const struct reg *reg = &d->model->reg[d->reg_of[slot]];
	const struct place *pl = find_place(d, reg, true, select);
	unsigned int i, width, bytes = reg->bits / 8u;
	uint64_t off;

	if (!pl)
		return false;
	off = pl->off + (uint64_t)(slot - reg->slot) * pl->step;
	d->dev[slot] = value & cc_ones(reg->bits);
	if (d->model->space[pl->space].window != MODEL_NONE) {
		width = d->model->space[pl->space].width / 8u;
		for (i = 0; i < bytes; i += width)
			write_window(d, window_of(d, pl),
				     window_index(d, pl, off + i),
				     value >> 8 * i & cc_ones(8 * width));
		return true;
	}
	for (i = 0; i < bytes; i += width) {
		width = card_width(d, pl, reg, bytes - i);
		d->host.write(d->host.ctx, pl->space, off + i, width,
			      value >> 8 * i & cc_ones(8 * width));
	}
	return true;
}

/* The bank in which the guest believes the device to be. */
static void bank_of(struct dmm *d, unsigned int g)
{
	struct expr_env env = { .array = { [EXPR_REG] = d->dev } };
	uint64_t value, *dev;
	const struct reg *sel;
	unsigned int i;

	for (i = 0; i < d->banks; i++) {
		const struct bank *b = &d->bank[i];

		dev = &d->dev[b->slot];
		value = d->guest[g].reg[b->slot] & b->mask;
		if ((*dev & b->mask) == value)
			continue;
		sel = &d->model->reg[d->reg_of[b->slot]];
		value |= expr_eval(sel->select, &env, NULL) & ~b->mask;
		card_write(d, b->slot, value, false);
	}
}

void card_load(struct dmm *d, unsigned int g, uint32_t checks)
{
	const uint16_t *slot, *end;
	struct span s;

	if (!checks)
		return;
	for (; checks; checks &= checks - 1) {
		s = d->loads_of[__builtin_ctz(checks)];
		end = d->loads + s.first + s.n;
		for (slot = d->loads + s.first; slot < end; slot++)
			card_write(d, *slot, card_value(d, g, *slot), true);
	}
	bank_of(d, g);
}

static uint64_t mac_value(const uint8_t mac[6])
{
	uint64_t v = 0;
	unsigned int i;

	for (i = 0; i < 6; i++)
		v |= (uint64_t)mac[i] << 8 * i;
	return v;
}

uint64_t card_value(struct dmm *d, unsigned int g, unsigned int slot)
{
	const struct reg *reg = &d->model->reg[d->reg_of[slot]];
	uint64_t v = 0;
	unsigned int i;

	if (!reg->global || !(d->flags[d->reg_of[slot]] & REG_MONITOR))
		return d->guest[g].reg[slot];
	switch (reg->merge) {
	case MERGE_NONE:
		return d->dev[slot];
	case MERGE_IDENTITY:
		return mac_value(d->conf.guest[g].mac);
	case MERGE_EXPR:
		return mon_eval(d, g, reg->merge_expr);
	case MERGE_OR:
		break;
	}
	for (i = 0; i < d->conf.guests; i++)
		if (d->guest[i].alive)
			v |= d->guest[i].reg[slot];
	return v;
}
