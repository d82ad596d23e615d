// SPDX-License-Identifier: MIT
/*
 * proc.c: the model's procedures: short lists of register accesses that the
 * monitor makes itself, in the file's order.
 */

#include <errno.h>
#include <string.h>

#include "mon.h"

/* How long one look of a wait lets pass. */
#define PAUSE_NS 2000u

struct run {
	struct dmm *d;
	enum proc proc;
	const struct proc_args *args;
	unsigned int depth;
};

static int run_steps(const struct run *run);

static uint64_t ask(void *ctx, unsigned int slot, bool *unknown)
{
	struct dmm *d = ctx;

	return card_read(d, slot, true, unknown);
}

static uint64_t value_of(const struct run *run, const struct expr *e)
{
	struct dmm *d = run->d;
	const struct proc_args *a = run->args;
	uint64_t event[EXPR_EVENTS] = { [EXPR_AT] = a->at,
					[EXPR_COUNT] = a->count,
					[EXPR_LENGTH] = a->length };
	uint64_t no_state[MODEL_MAX_MACHINES] = { 0 };
	struct expr_env env = {
		.array = { [EXPR_REG] = a->guest < 0 ? d->dev :
						       d->guest[a->guest].reg,
			   [EXPR_STATE] = a->guest < 0 ?
						  no_state :
						  d->guest[a->guest].state,
			   [EXPR_EVENT] = event,
			   [EXPR_SHADOW] = d->shadow_env },
		.ask = ask,
		.ctx = d,
	};

	return expr_eval(e, &env, NULL);
}

static int wait_for(const struct run *run, const struct proc_step *st)
{
	struct dmm *d = run->d;
	uint64_t until = d->host.now(d->host.ctx) + st->timeout_ns;
	uint64_t looks = st->timeout_ns / PAUSE_NS + 2;

	for (; looks; looks--) {
		if (value_of(run, st->value))
			return 0;
		if (d->host.now(d->host.ctx) >= until)
			break;
		d->host.pause(d->host.ctx, PAUSE_NS);
	}
	return value_of(run, st->value) || st->late_ok ? 0 : -ETIMEDOUT;
}

/* The pages of a memory that somebody used; the rest are clean already. */
static int fill(const struct run *run, const struct proc_step *st)
{
	struct dmm *d = run->d;
	const struct memory *mem = &d->model->memory[st->reg];
	uint8_t page[PAGE];
	uint32_t i, n = mem->size / PAGE;
	int err;

	if (d->conf.without & DMM_WITHOUT_SCRUB)
		return 0;
	memset(page, st->value ? (int)value_of(run, st->value) : 0, PAGE);
	for (i = 0; i < n; i++) {
		if (!d->dirty[mem->copy / PAGE + i])
			continue;
		err = proc_store(d, mem->start + i * PAGE, page, PAGE);
		if (err)
			return err;
		d->dirty[mem->copy / PAGE + i] = 0;
	}
	return 0;
}

static void save_slot(struct dmm *d, unsigned int g, unsigned int slot)
{
	const struct reg *reg = &d->model->reg[d->reg_of[slot]];
	struct context *c = &d->guest[g];
	uint64_t v;

	if (!reg->readable)
		return;
	v = card_read(d, slot, true, NULL);
	if (d->reg_of[slot] == d->model->interrupt.cause) {
		c->pending |= v & reg->w1c;
		v = c->pending | (c->reg[slot] & ~reg->w1c);
	} else if (reg->writable) {
		/* the rest is not the guest's, but what a procedure wrote */
		v = (v & reg->vol) | (c->reg[slot] & ~reg->vol);
	}
	if (reg->read_clears && (v += c->reg[slot]) > cc_ones(reg->bits))
		v = cc_ones(reg->bits);
	c->reg[slot] = v;
}

static void restore_slot(struct dmm *d, unsigned int g, unsigned int slot)
{
	const struct reg *reg = &d->model->reg[d->reg_of[slot]];
	uint64_t v = reg->w1c ? reg->w1c : card_value(d, g, slot);

	card_write(d, slot, v, true);
}

static bool left_out(const struct run *run, const struct proc_step *st,
		     unsigned int reg)
{
	const struct reg *r = &run->d->model->reg[reg];
	unsigned int i;

	if (r->save_none || r->port_memory != MODEL_NONE ||
	    r->w1_reg != MODEL_NONE ||
	    (run->d->flags[reg] & REG_MONITOR && r->merge == MERGE_NONE))
		return true;
	for (i = 0; i < st->buts; i++)
		if (run->d->model->but[st->but + i] == reg)
			return true;
	return false;
}

static void all(const struct run *run, const struct proc_step *st)
{
	struct dmm *d = run->d;
	const struct reg *reg;
	unsigned int i, k;

	for (i = 0; i < d->model->regs; i++) {
		reg = &d->model->reg[i];
		if (left_out(run, st, i))
			continue;
		for (k = 0; k < reg->dim; k++) {
			if (run->proc != PROC_SAVE && reg->writable)
				restore_slot(d, (unsigned int)run->args->guest,
					     reg->slot + k);
			if (run->proc == PROC_SAVE &&
			    (reg->vol || !reg->writable))
				save_slot(d, (unsigned int)run->args->guest,
					  reg->slot + k);
		}
	}
}

static int put(const struct run *run, const struct proc_step *st)
{
	if (run->depth)
		return -EINVAL;
	return proc_store(run->d, (uint32_t)value_of(run, st->value),
			  run->args->bytes, (uint32_t)run->args->length);
}

static void move(const struct run *run, const struct proc_step *st)
{
	struct dmm *d = run->d;
	const struct reg *reg = &d->model->reg[st->reg];
	const struct place *pl = &d->model->place[reg->place];
	size_t n = run->args->count / st->width;

	if (st->kind == STEP_OUT)
		d->host.write_string(d->host.ctx, pl->space, pl->off, st->width,
				     run->args->bytes, n);
	else
		d->host.read_string(d->host.ctx, pl->space, pl->off, st->width,
				    run->args->bytes, n);
}

static int run_step(const struct run *run, const struct proc_step *st)
{
	struct dmm *d = run->d;

	if (st->cond && !value_of(run, st->cond))
		return 0;
	switch ((enum step_kind)st->kind) {
	case STEP_WRITE:
		card_write(d, st->slot, value_of(run, st->value), true);
		return 0;
	case STEP_READ:
		if (run->args->guest >= 0)
			save_slot(d, (unsigned int)run->args->guest, st->slot);
		else
			card_read(d, st->slot, true, NULL);
		return 0;
	case STEP_WAIT:
		return wait_for(run, st);
	case STEP_FILL:
		return fill(run, st);
	case STEP_OUT:
	case STEP_IN:
		move(run, st);
		return 0;
	case STEP_PUT:
		return put(run, st);
	case STEP_SAVE:
		if (run->args->guest < 0)
			return 0;
		if (run->proc == PROC_SAVE)
			save_slot(d, (unsigned int)run->args->guest, st->slot);
		else
			restore_slot(d, (unsigned int)run->args->guest,
				     st->slot);
		return 0;
	case STEP_ALL:
		if (run->args->guest >= 0)
			all(run, st);
		return 0;
	}
	return 0;
}

static int run_steps(const struct run *run)
{
	const struct dmm_model *m = run->d->model;
	struct span span = m->proc[run->proc];
	int err = 0;
	unsigned int i;

	for (i = 0; i < span.n && !err; i++)
		err = run_step(run, &m->step[span.first + i]);
	return err;
}

const char *dmm_step_name(enum dmm_step step)
{
	static const char *const names[DMM_STEPS] = {
		[DMM_STEP_QUIESCE] = "quiesce", [DMM_STEP_SAVE] = "save",
		[DMM_STEP_SCRUB] = "scrub",	[DMM_STEP_RESTORE] = "restore",
		[DMM_STEP_CONTEXT] = "context", [DMM_STEP_FORCE] = "force",
	};

	return (unsigned int)step < DMM_STEPS && names[step] ? names[step] :
							       "unknown";
}

/* Those that are steps of a hand-over. */
static void tell_step(struct dmm *d, enum proc proc, int guest)
{
	static const enum dmm_step steps[PROCS] = {
		[PROC_QUIESCE] = DMM_STEP_QUIESCE,
		[PROC_SAVE] = DMM_STEP_SAVE,
		[PROC_SCRUB] = DMM_STEP_SCRUB,
		[PROC_RESTORE] = DMM_STEP_RESTORE,
		[PROC_FORCE] = DMM_STEP_FORCE,
	};

	if (steps[proc] && d->host.step)
		d->host.step(d->host.ctx, guest, steps[proc]);
}

int proc_run(struct dmm *d, enum proc proc, const struct proc_args *args)
{
	struct run run = { .d = d,
			   .proc = proc,
			   .args = args,
			   .depth = proc == PROC_STORE || proc == PROC_FETCH };

	tell_step(d, proc, args->guest);
	return run_steps(&run);
}

/* The widest that any step of (proc) moves: the count is a multiple of it. */
static uint32_t round_up(const struct dmm *d, enum proc proc, uint32_t len)
{
	struct span span = d->model->proc[proc];
	uint32_t w = 1;
	unsigned int i;

	for (i = 0; i < span.n; i++)
		if (d->model->step[span.first + i].width > w)
			w = d->model->step[span.first + i].width;
	return (len + w - 1) / w * w;
}

/* Transfers are of at most this, so that a buffer on the stack serves. */
#define CHUNK 2048u

static int transfer(struct dmm *d, enum proc proc, uint32_t at, uint8_t *bytes,
		    uint32_t len)
{
	uint8_t buf[CHUNK + 8] = { 0 };
	struct proc_args args = { .guest = -1, .at = at, .bytes = buf };
	int err;

	if (len > CHUNK)
		return -EINVAL;
	args.count = round_up(d, proc, len);
	if (proc == PROC_STORE)
		memcpy(buf, bytes, len);
	err = proc_run(d, proc, &args);
	if (!err && proc == PROC_FETCH)
		memcpy(bytes, buf, len);
	return err;
}

int proc_fetch(struct dmm *d, uint32_t at, uint8_t *to, uint32_t len)
{
	return transfer(d, PROC_FETCH, at, to, len);
}

int proc_store(struct dmm *d, uint32_t at, const uint8_t *from, uint32_t len)
{
	return transfer(d, PROC_STORE, at, (uint8_t *)(uintptr_t)from, len);
}
