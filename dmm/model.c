// SPDX-License-Identifier: MIT
/*
 * model.c: giving a compiled model back, piece by piece.
 */

#include <stdlib.h>

#include "load.h"
#include "model.h"
#include "plan.h"

static void free_regs(struct dmm_model *m)
{
	unsigned int i;

	for (i = 0; m->reg && i < m->regs; i++) {
		free(m->reg[i].answer_expr);
		free(m->reg[i].merge_expr);
		free(m->reg[i].select);
		free(m->reg[i].moves);
	}
	for (i = 0; m->place && i < m->places; i++)
		free(m->place[i].cond);
	free(m->reg);
	free(m->place);
}

static void free_rules(struct dmm_model *m)
{
	unsigned int i;

	for (i = 0; i < m->checks; i++) {
		free(m->check[i].start);
		free(m->check[i].length);
		free(m->check[i].wrap_from);
		free(m->check[i].wrap_to);
	}
	for (i = 0; m->rule && i < m->rules; i++)
		free(m->rule[i].when);
	for (i = 0; m->set && i < m->sets; i++)
		free(m->set[i].value);
	for (i = 0; m->step && i < m->steps; i++) {
		free(m->step[i].value);
		free(m->step[i].cond);
	}
	free(m->rule);
	free(m->set);
	free(m->step);
}

static void free_rings(struct dmm_model *m)
{
	struct ring *r;
	unsigned int i, k;

	for (i = 0; i < m->rings; i++) {
		r = &m->ring[i];
		free(r->base);
		free(r->scan_if);
		for (k = 0; k < r->forms; k++)
			free(r->form[k].when);
		free(r->forbid);
		free(r->count);
		free(r->given);
		free(r->finished);
		free(r->slack);
		for (k = 0; k < r->layouts; k++) {
			free(r->layout[k].when);
			free(r->layout[k].length);
			free(r->layout[k].sticky);
		}
		for (k = 0; k < OFF_KEYS; k++)
			free(r->off[k]);
	}
	for (i = 0; i < m->blocks; i++) {
		r = &m->block[i].form;
		free(r->base);
		for (k = 0; k < r->forms; k++)
			free(r->form[k].when);
	}
}

void dmm_model_free(struct dmm_model *m)
{
	unsigned int i;

	if (!m)
		return;
	free_regs(m);
	free_rules(m);
	free_rings(m);
	plan_free(&m->plan);
	free(m->machine);
	free(m->state);
	free(m->but);
	free(m->filter);
	free(m->filter_of);
	free(m->reusable);
	free(m->receive.enabled);
	free(m->receive.max);
	free(m->receive.check);
	free(m->receive.vlan_filter);
	free(m->receive.vlan_strip);
	free(m->identity.table_shift);
	free(m->identity.own);
	free(m->transmit.loopback);
	free(m->transmit.max);
	free(m->transmit.enabled);
	free(m->identity.broadcast);
	free(m->identity.multicast);
	free(m->identity.all_multicast);
	free(m->identity.promiscuous);
	free(m->interrupt.line);
	for (i = 0; i < m->interrupt.vectors; i++) {
		free(m->interrupt.vector[i].when);
		free(m->interrupt.vector[i].vector);
		free(m->interrupt.vector[i].clears);
	}
	free(m->match);
	free(m->name);
	load_free(m->tree);
	free(m);
}

int dmm_model_revision(const struct dmm_model *m)
{
	return m->revision;
}

unsigned int dmm_model_machines(const struct dmm_model *m)
{
	return m->machines;
}

const char *dmm_model_machine(const struct dmm_model *m, unsigned int i)
{
	return i < m->machines ? m->machine[i].name : NULL;
}

const char *dmm_model_state(const struct dmm_model *m, unsigned int i)
{
	return i < m->states ? m->state[i].name : NULL;
}

const char *dmm_model_machine_of(const struct dmm_model *m, unsigned int state)
{
	unsigned int i;

	for (i = 0; i < m->machines; i++)
		if (state - m->machine[i].states.first <
		    (unsigned int)m->machine[i].states.n)
			return m->machine[i].name;
	return NULL;
}
