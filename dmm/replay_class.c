// SPDX-License-Identifier: MIT
/*
 * replay_class.c: what another mechanism could do with an access: by the model
 * and the path that it took.
 */

#include "replay_impl.h"

/* Its effect is seen by nobody before the next access that exits. */
static bool may_wait(const struct dmm *d, const struct plan_entry *e)
{
	const struct reg *r = &d->model->reg[e->reg];

	if (r->port_memory != MODEL_NONE)
		return true;
	return !(d->flags[e->reg] & (REG_IN_LINE | REG_DOOR)) && !r->vol &&
	       !r->self_clear && r->eeprom == MODEL_NONE &&
	       r->window == MODEL_NONE && r->w1_reg == MODEL_NONE;
}

/* It stands in the guest's context, and reading it changes nothing. */
static bool is_copy(const struct dmm *d, const struct plan_entry *e)
{
	const struct reg *r = &d->model->reg[e->reg];

	return !r->read_clears && !r->vol && r->port_memory == MODEL_NONE &&
	       r->eeprom == MODEL_NONE && r->window == MODEL_NONE;
}

enum replay_class replay_class_of(const struct replay *r, unsigned int guest,
				  const struct dmm_access *a,
				  enum dmm_path path)
{
	const struct dmm_model *m = r->model;
	const struct plan_entry *e;

	if (path == DMM_HOOK)
		return a->write ? REPLAY_BELL : REPLAY_STEP;
	if (path == DMM_DENY || guest >= r->conf.guests || !r->dmm ||
	    a->space >= m->spaces || a->off >= m->space[a->space].size)
		return REPLAY_OTHER;
	e = plan_find(m, a->space, a->off, a->write, r->dmm->guest[guest].reg);
	if (!e)
		return REPLAY_OTHER;
	if (a->write && a->count == 1 && may_wait(r->dmm, e))
		return REPLAY_WAITS;
	if (path == DMM_FORWARD)
		return REPLAY_PLAIN;
	if (!a->write && path == DMM_ANSWER && is_copy(r->dmm, e))
		return REPLAY_COPY;
	return REPLAY_OTHER;
}

uint64_t replay_lease_ns(const struct replay *r)
{
	return r->conf.lease_ns ? r->conf.lease_ns : r->model->max_park_ns;
}

enum dmm_how replay_how(const struct replay *r)
{
	return r->conf.how == DMM_HOW_DEFAULT ? r->model->how : r->conf.how;
}
