// SPDX-License-Identifier: MIT
/*
 * card.c: touching the device's registers by name: finds the place, selects
 * the bank, and splits what is wider than the space.
 */

#include "mon.h"

static bool holds(const struct dmm *d, const struct place *pl)
{
	struct expr_env env = { .array = { [EXPR_REG] = d->dev } };

	return !pl->cond || expr_eval(pl->cond, &env, NULL);
}

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
		if (holds(d, pl))
			return pl;
		if (!first)
			first = pl;
	}
	return first && select && select_bank(d, first) && holds(d, first) ?
		       first :
		       NULL;
}

uint64_t card_read(struct dmm *d, unsigned int slot, bool select,
		   bool *unknown)
{
	const struct reg *reg = &d->model->reg[d->reg_of[slot]];
	const struct place *pl = find_place(d, reg, false, select);
	unsigned int i, width;
	uint64_t v = 0, off;

	if (!pl) {
		if (unknown)
			*unknown = true;
		return 0;
	}
	width = d->model->space[pl->space].width / 8u;
	if (width > reg->bits / 8u)
		width = reg->bits / 8u;
	off = pl->off + (uint64_t)(slot - reg->slot) * pl->step;
	for (i = 0; i < reg->bits / 8u; i += width)
		v |= (d->host.read(d->host.ctx, pl->space, off + i, width) &
		      cc_ones(8 * width))
		     << 8 * i;
	return v;
}

bool card_write(struct dmm *d, unsigned int slot, uint64_t value, bool select)
{
	const struct reg *reg = &d->model->reg[d->reg_of[slot]];
	const struct place *pl = find_place(d, reg, true, select);
	unsigned int i, width;
	uint64_t off;

	if (!pl)
		return false;
	width = d->model->space[pl->space].width / 8u;
	if (width > reg->bits / 8u)
		width = reg->bits / 8u;
	off = pl->off + (uint64_t)(slot - reg->slot) * pl->step;
	d->dev[slot] = value & cc_ones(reg->bits);
	for (i = 0; i < reg->bits / 8u; i += width)
		d->host.write(d->host.ctx, pl->space, off + i, width,
			      value >> 8 * i & cc_ones(8 * width));
	return true;
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

	if (!reg->global || d->mode == MODE_EXCLUSIVE)
		return d->guest[g].reg[slot];
	switch (reg->merge) {
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
