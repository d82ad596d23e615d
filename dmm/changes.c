// SPDX-License-Identifier: MIT
/*
 * changes.c: a monitor's states and owner, and what changed in them.
 */

#include <string.h>

#include "changes.h"
#include "mon.h"

_Static_assert(CHANGES_MACHINES == MODEL_MAX_MACHINES, "room for all");

enum dmm_path dmm_last_path(const struct dmm *d)
{
	return d->last_path;
}

uint64_t dmm_last_switch(const struct dmm *d, uint64_t *forced)
{
	*forced = d->stats.forced;
	return d->last_switch_ns;
}

const uint64_t *dmm_states(const struct dmm *d, unsigned int g)
{
	return d->guest[g].state;
}

void changes_init(struct changes *c, const struct dmm *dmm,
		  const struct dmm_model *model, unsigned int guests)
{
	unsigned int g;

	memset(c, 0, sizeof(*c));
	c->guests = guests;
	c->machines = dmm_model_machines(model);
	c->owner = dmm_owner(dmm);
	(void)dmm_last_switch(dmm, &c->forced);
	for (g = 0; g < guests; g++)
		memcpy(c->state[g], dmm_states(dmm, g),
		       c->machines * sizeof(c->state[g][0]));
}

static uint8_t owner_of(int owner)
{
	return owner < 0 ? TRACE_NOBODY : (uint8_t)owner;
}

static void look_at_owner(struct changes *c, const struct dmm *dmm,
			  const struct changes_to *to)
{
	struct trace_switch sw = { .from = owner_of(c->owner),
				   .to = owner_of(dmm_owner(dmm)) };
	uint64_t forced;

	sw.ns = dmm_last_switch(dmm, &forced);
	sw.forced = forced != c->forced;
	c->owner = dmm_owner(dmm);
	c->forced = forced;
	to->owner(to->ctx, &sw);
}

static void state_changed(struct changes *c, unsigned int g, unsigned int i,
			  uint64_t now, const struct changes_to *to)
{
	const struct trace_state st = { .machine = (uint16_t)i,
					.from = (uint16_t)c->state[g][i],
					.to = (uint16_t)now };

	c->state[g][i] = now;
	to->state(to->ctx, g, &st);
}

bool changes_look(struct changes *c, const struct dmm *dmm,
		  const struct changes_to *to)
{
	bool changed = c->owner != dmm->owner;
	unsigned int g, i;

	if (changed)
		look_at_owner(c, dmm, to);
	for (g = 0; g < c->guests; g++) {
		const uint64_t *now = dmm->guest[g].state;

		for (i = 0; i < c->machines; i++)
			if (now[i] != c->state[g][i]) {
				state_changed(c, g, i, now[i], to);
				changed = true;
			}
	}
	return changed;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

static uint64_t context_digest(const struct dmm *d, const struct context *c)
{
	const struct dmm_model *m = d->model;
	uint64_t h = 0;
	unsigned int i;

	for (i = 0; i < m->machines; i++)
		h = mix(h, c->state[i]);
	for (i = 0; i < m->regs; i++)
		if (m->reg[i].selector)
			h = mix(h, c->reg[m->reg[i].slot]);
	h = mix(h, c->transfer.on | c->noted.on << 1 | c->line << 2 |
			   c->alive << 3 | c->held << 4);
	h = mix(h, (uint64_t)c->sending << 8 | c->own);
	return mix(h, c->txq ? c->txq->ready - c->txq->sent : 0);
}

uint64_t changes_digest(const struct dmm *d)
{
	uint64_t h = mix((uint64_t)d->owner, d->dev_level);
	unsigned int g;

	for (g = 0; g < d->conf.guests; g++)
		h = mix(h, context_digest(d, &d->guest[g]));
	return d->tx ? mix(h, d->tx->tail - d->tx->clean) : h;
}
