// SPDX-License-Identifier: MIT
/*
 * judge.c: what the model says of an access that may touch several registers:
 * one event after another, all of them or none.
 */

#include <string.h>

#include "access.h"

static uint64_t value_of(const struct element *el, const struct piece *p)
{
	uint64_t v = access_value(access_data(el->a) + p->first, p->bytes)
		     << 8 * p->e->byte;
	uint64_t kept = ~p->mask & ~p->reg->w1c & ~p->reg->w1s;

	return v | (el->c->reg[p->e->slot] & kept & cc_ones(p->reg->bits));
}

/*
 * The registers of an access are events one after another, but it passes whole
 * or not at all: so each is judged with what those before it would change, and
 * that is put back before anything happens.  (What `do` assigns is left out.)
 */
static void try_piece(struct element *el, unsigned int i, uint64_t v)
{
	const struct dmm_model *m = el->d->model;
	const struct piece *p = &el->piece[i];
	const struct rule *r;
	unsigned int k, n;

	if (el->a->write) {
		el->old[i] = *step_latch_of(el->d, el->g, p->reg, p->e->slot);
		el->tried = i + 1;
		step_latch(el->d, el->g, p->reg, p->e->slot, v, p->mask);
	}
	for (k = 0; el->hooked & 1u << i && k < m->machines; k++) {
		r = el->judged[i].rule[k];
		if (!r || (r->to == MODEL_NONE && !r->reset))
			continue;
		if (!el->moved)
			memcpy(el->state, el->c->state, sizeof(el->state));
		el->moved = true;
		for (n = 0; r->reset && n < m->machines; n++)
			el->c->state[n] = m->machine[n].states.first;
		if (r->to != MODEL_NONE)
			el->c->state[k] = r->to;
	}
}

static void put_back(struct element *el)
{
	const struct piece *p;

	while (el->tried) {
		p = &el->piece[--el->tried];
		*step_latch_of(el->d, el->g, p->reg, p->e->slot) =
			el->old[el->tried];
	}
	if (el->moved)
		memcpy(el->c->state, el->state, sizeof(el->state));
	el->moved = false;
}

/* A frame is to be sent, and one from before a reset is still on the card. */
static bool on_card(const struct element *el, const struct judged *j)
{
	return el->c->sending == SEND_ON_CARD && step_sends(el->d, j);
}

/* The device may have done since what the guest would wait for. */
static void look_again(struct element *el)
{
	if (el->d->mode == MODE_SPOOL && !el->d->model->rings)
		spool_sent(el->d, el->g);
	else if (el->d->mode == MODE_SPOOL || mon_on_device(el->d, el->g))
		step_poll(el->d, el->g, false);
}

static enum rule_verdict judge_piece(struct element *el, unsigned int i,
				     uint64_t v)
{
	const struct piece *p = &el->piece[i];
	enum rule_on on = el->a->write ? ON_WRITE : ON_READ;
	struct judged *j = &el->judged[i];

	step_judge(el->d, el->g, on, p->e->reg, p->e->slot, v,
		   8u * el->a->width, j);
	if ((j->verdict == RULE_HOLD || on_card(el, j)) && !el->moved) {
		look_again(el);
		step_judge(el->d, el->g, on, p->e->reg, p->e->slot, v,
			   8u * el->a->width, j);
	}
	if (on_card(el, j) && j->verdict < RULE_HOLD)
		j->verdict = RULE_HOLD;
	/* what it started itself will not end before it */
	if (j->refused || j->refused_ring ||
	    (j->verdict == RULE_HOLD && el->moved))
		return j->verdict > RULE_DENY ? j->verdict : RULE_DENY;
	return j->verdict;
}

enum rule_verdict judge_element(struct element *el, const struct judged **why,
				const struct piece **who)
{
	enum rule_verdict worst = RULE_PASS, verdict;
	uint64_t v = 0;
	unsigned int i;

	if (el->d->conf.alone)
		return RULE_PASS;
	for (i = 0; i < el->n; i++) {
		const struct piece *p = &el->piece[i];

		if (el->a->write)
			v = value_of(el, p);
		if ((!el->a->write || p->reg->hook_widths & el->a->width) &&
		    step_hooks(el->d, el->g, p->reg, el->a->write, v)) {
			verdict = judge_piece(el, i, v);
			el->hooked |= 1u << i;
			if (verdict > worst) {
				worst = verdict;
				*why = &el->judged[i];
				*who = p;
			}
		}
		if (i + 1 < el->n)
			try_piece(el, i, v);
	}
	put_back(el);
	return worst;
}
