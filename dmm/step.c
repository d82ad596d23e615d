// SPDX-License-Identifier: MIT
/*
 * step.c: the model's step: which rules an event fires, what its checks say,
 * and what the rules then do to a guest's context.
 */

#include "mon.h"

/* Rules on poll may lead to states that poll again; this often at most. */
#define POLL_ROUNDS 4

struct asker {
	struct dmm *d;
	bool select;
	bool rest; /* the device has nothing to do: zeros */
};

static uint64_t ask(void *ctx, unsigned int slot, bool *unknown)
{
	const struct asker *a = ctx;

	return a->rest ? 0 : card_read(a->d, slot, a->select, unknown);
}

static struct expr_env env_of(const struct context *c, const uint64_t *event,
			      struct asker *asker)
{
	return (struct expr_env){
		.array = { [EXPR_REG] = c->reg,
			   [EXPR_STATE] = c->state,
			   [EXPR_EVENT] = event,
			   [EXPR_SHADOW] = asker->d->shadow_env },
		.ask = ask,
		.ctx = asker,
	};
}

bool step_hooks(const struct dmm *d, unsigned int g, const struct reg *reg,
		bool write, uint64_t value)
{
	const struct dmm_model *m = d->model;
	const uint64_t *state = d->guest[g].state;
	uint32_t machines = reg->hooks[write];
	const struct filter *f;
	unsigned int i, v;

	for (; machines; machines &= machines - 1) {
		i = (unsigned int)__builtin_ctz(machines);
		v = m->filter_of[reg->filter[write] + state[i]];
		if (v == MODEL_NONE)
			continue;
		f = &m->filter[v];
		v = (unsigned int)(value >> f->shift) & f->mask;
		if (f->table[v / 64] >> v % 64 & 1)
			return true;
	}
	return false;
}

static const struct rule *find_rule(const struct dmm_model *m,
				    const struct state *st, enum rule_on on,
				    unsigned int reg,
				    const struct expr_env *env)
{
	const struct rule *r = &m->rule[st->rules.first],
			  *end = r + st->rules.n;
	bool unknown;

	for (; r < end; r++) {
		if (r->on != on || (on != ON_POLL && r->reg != reg))
			continue;
		unknown = false;
		if (!r->when || (expr_eval(r->when, env, &unknown) && !unknown))
			return r;
	}
	return NULL;
}

/* Does the frame that a check covers claim to be from somebody else? */
static bool spoofed(const struct dmm *d, unsigned int g, uint64_t at,
		    uint64_t len, const struct memory *mem)
{
	const struct context *c = &d->guest[g];

	if (!d->conf.antispoof || !d->mac_set[g] ||
	    d->conf.without & (DMM_WITHOUT_SOURCE | DMM_WITHOUT_RANGE))
		return false;
	return frame_spoofed(c->memory + mem->copy + (at - mem->start),
			     (size_t)len, d->conf.guest[g].mac);
}

/* Rings of descriptors: where they lie; false if one is refused. */
static bool run_rings(struct dmm *d, unsigned int g, struct judged *j)
{
	uint32_t rings = j->rings;
	const struct ring *r;

	for (; rings; rings &= rings - 1) {
		r = &d->model->ring[__builtin_ctz(rings)];
		if (r->to_device ?
			    txring_check(d, g, r, &j->address, &j->length) :
			    rxring_check(d, g, r, &j->address, &j->length))
			continue;
		j->refused_ring = r;
		return false;
	}
	return true;
}

/* Blocks: what is read of them counts for the checks of rings. */
static bool run_blocks(struct dmm *d, unsigned int g, struct judged *j)
{
	uint64_t old[MODEL_MAX_BLOCKS][MODEL_MAX_LOADS];
	unsigned int i, n;
	bool ok = true;

	for (n = 0; n < d->model->blocks && ok; n++) {
		if (!(j->blocks & 1u << n))
			continue;
		ok = block_read(d, g, n, &j->address, &j->length);
		if (!ok)
			j->refused_ring = &d->model->block[n].form;
	}
	if (!ok)
		return false;
	for (i = 0; i < n; i++)
		if (j->blocks & 1u << i)
			block_try(d, g, i, old[i]);
	ok = run_rings(d, g, j);
	while (i-- > 0)
		if (j->blocks & 1u << i)
			block_undo(d, g, i, old[i]);
	return ok;
}

static void run_checks(struct dmm *d, unsigned int g, struct judged *j)
{
	uint32_t checks = j->checks;
	const struct check *c;
	struct transfer t;

	for (; checks; checks &= checks - 1) {
		c = &d->model->check[__builtin_ctz(checks)];
		if (!port_check(d, g, c, &t, &j->address, &j->length)) {
			j->refused = c;
			return;
		}
		if (c->frame &&
		    (j->length < FRAME_HEADER || j->length > RING_FRAME_MAX ||
		     frame_too_long(d, g, j->length))) {
			j->refused = c;
			return;
		}
		if (c->frame && spoofed(d, g, j->address, j->length,
					&d->model->memory[t.memory])) {
			j->refused = c;
			j->spoofed = true;
			return;
		}
	}
}

void step_judge(struct dmm *d, unsigned int g, enum rule_on on,
		unsigned int reg, unsigned int slot, uint64_t value,
		unsigned int width, struct judged *out)
{
	uint64_t event[EXPR_EVENTS] = {
		[EXPR_VALUE] = value, [EXPR_WIDTH] = width
	};
	struct context *c = &d->guest[g];
	struct asker asker = { .d = d, .select = d->mode == MODE_SPOOL };
	struct expr_env env = env_of(c, event, &asker);
	const struct reg *written = &d->model->reg[reg];
	const struct rule *r;
	uint64_t old, *at;
	unsigned int i;

	*out = (struct judged){ .verdict = RULE_PASS, .width = width };
	d->stats.steps++;
	for (i = 0; i < d->model->machines; i++) {
		r = find_rule(d->model, &d->model->state[c->state[i]], on, reg,
			      &env);
		out->rule[i] = r;
		if (!r)
			continue;
		out->checks |= r->checks;
		out->rings |= r->rings;
		out->blocks |= r->blocks;
		if (r->then > out->verdict || !out->culprit) {
			out->verdict = r->then;
			out->culprit = r;
		}
	}
	if (!out->checks && !out->rings && !out->blocks)
		return;
	/* checks see the new value; what fires, the one before */
	at = step_latch_of(d, g, written, slot);
	old = *at;
	if (on == ON_WRITE)
		step_latch(d, g, written, slot, value, cc_ones(written->bits));
	if (run_blocks(d, g, out))
		run_checks(d, g, out);
	*at = old;
}

/* One assignment, to where a guest sees it. */
static void set_bits(struct dmm *d, unsigned int g, const struct set *s,
		     uint64_t v)
{
	const struct reg *reg = &d->model->reg[s->reg];
	uint64_t mask = s->mask << s->shift, *at = &d->guest[g].reg[s->slot];

	v = (v & s->mask) << s->shift;
	if (mon_on_device(d, g) && !(d->flags[s->reg] & REG_MONITOR)) {
		if (s->reg == d->model->interrupt.cause) {
			d->guest[g].pending |= v & reg->w1c;
			*at = (*at & ~(mask & ~reg->w1c)) | (v & ~reg->w1c);
			return;
		}
		if (!reg->writable)
			d->guest[g].own |= OWN_ALL;
	}
	/* a cause that is up stays up until the guest acknowledges it */
	*at = (*at & ~(mask & ~reg->w1c)) | v;
	if (mon_cause_on_device(d) && s->reg == d->model->interrupt.cause)
		d->guest[g].pending = *at & reg->w1c;
}

static void sets_of(struct dmm *d, unsigned int g, struct span sets,
		    uint64_t value, unsigned int width, bool select)
{
	uint64_t event[EXPR_EVENTS] = { [EXPR_VALUE] = value,
					[EXPR_WIDTH] = width,
					[EXPR_LENGTH] = value };
	struct asker asker = { .d = d, .select = select };
	struct expr_env env = env_of(&d->guest[g], event, &asker);
	const struct set *s = &d->model->set[sets.first], *end = s + sets.n;
	bool unknown;
	uint64_t v;

	for (; s < end; s++) {
		unknown = false;
		v = expr_eval(s->value, &env, &unknown);
		if (!unknown)
			set_bits(d, g, s, v);
	}
}

void step_sets(struct dmm *d, unsigned int g, struct span sets, uint64_t value,
	       bool select)
{
	sets_of(d, g, sets, value, 0, select);
}

/* `do` to bits that the device moves by itself is the device's, if it is there. */
static void rule_sets(struct dmm *d, unsigned int g, const struct rule *r,
		      uint64_t value, unsigned int width)
{
	struct span one = { .first = r->sets.first, .n = 1 };
	const struct set *s;
	uint64_t bits;

	for (; one.first < r->sets.first + r->sets.n; one.first++) {
		s = &d->model->set[one.first];
		bits = d->model->reg[s->reg].vol & s->mask << s->shift;
		if (s->reg == d->model->interrupt.cause)
			bits &= d->model->reg[s->reg].w1c;
		if (mon_on_device(d, g) && bits &&
		    !(d->flags[s->reg] & REG_MONITOR))
			continue;
		/* a rule says what causes are, a device only which came */
		d->guest[g].reg[s->slot] &=
			~(d->model->reg[s->reg].w1c & s->mask << s->shift);
		sets_of(d, g, one, value, width, false);
	}
}

bool step_resets(const struct dmm *d, const struct judged *j)
{
	unsigned int i;

	for (i = 0; i < d->model->machines; i++)
		if (j->rule[i] && j->rule[i]->reset)
			return true;
	return false;
}

bool step_sends(const struct dmm *d, const struct judged *j)
{
	uint32_t checks = j->checks;

	for (; checks; checks &= checks - 1)
		if (d->model->check[__builtin_ctz(checks)].frame)
			return true;
	return false;
}

static void reset(struct dmm *d, unsigned int g)
{
	struct context *c = &d->guest[g];
	const struct reg *reg;
	unsigned int i, k;

	for (i = 0; i < d->model->regs; i++) {
		reg = &d->model->reg[i];
		for (k = 0; k < reg->dim && !reg->keep_on_reset; k++)
			c->reg[reg->slot + k] = d->initial[reg->slot + k];
	}
	for (i = 0; i < d->model->machines; i++)
		c->state[i] = d->model->machine[i].states.first;
	c->transfer.on = false;
	c->noted.on = false;
	c->pending = 0;
	c->own = 0;
	c->ring_full = false;
	c->frame_len = 0;
	if (c->sending == SEND_WAITS)
		c->sending = SEND_NONE;
	c->rx_seen = (struct rx_seen){ .base = 0 };
	c->rx_head = 0;
	txring_reset(d, g);
	mon_identity(d, g);
}

/* What was read of the rings and is not done is the guest's again. */
static void forget(struct dmm *d, unsigned int g, uint32_t rings)
{
	for (; rings; rings &= rings - 1)
		if (d->model->ring[__builtin_ctz(rings)].to_device)
			txring_forget(d, g);
}

void step_apply(struct dmm *d, unsigned int g, const struct judged *j,
		uint64_t value)
{
	struct context *c = &d->guest[g];
	unsigned int i;

	for (i = 0; i < d->model->machines; i++)
		if (j->rule[i] && j->rule[i]->reset)
			reset(d, g);
	for (i = 0; i < d->model->machines; i++) {
		if (!j->rule[i])
			continue;
		if (d->covered)
			d->covered[d->model->regs +
				   (j->rule[i] - d->model->rule)] = 1;
		rule_sets(d, g, j->rule[i], value, j->width);
		if (j->rule[i]->to != MODEL_NONE)
			c->state[i] = j->rule[i]->to;
		if (j->rule[i]->forgets)
			forget(d, g, j->rule[i]->forgets);
	}
	for (i = 0; i < d->model->blocks; i++)
		if (j->blocks & 1u << i)
			block_load(d, g, i);
	if (c->transfer.on && !mon_during(c, c->transfer.during))
		c->transfer.on = false;
}

uint64_t *step_latch_of(struct dmm *d, unsigned int g, const struct reg *reg,
			unsigned int slot)
{
	if (reg->w1_reg != MODEL_NONE)
		slot = d->model->reg[reg->w1_reg].slot + (slot - reg->slot);
	return &d->guest[g].reg[slot];
}

void step_latch(struct dmm *d, unsigned int g, const struct reg *reg,
		unsigned int slot, uint64_t value, uint64_t mask)
{
	uint64_t *to = step_latch_of(d, g, reg, slot);
	uint64_t plain = mask & ~reg->w1c & ~reg->w1s & ~reg->ro;

	*to = (*to & ~plain) | (value & plain);
	*to &= ~(value & mask & reg->w1c);
	*to |= value & mask & reg->w1s;
}

static bool apply_if_any(struct dmm *d, unsigned int g, struct judged *j)
{
	unsigned int i;

	for (i = 0; i < d->model->machines; i++)
		if (j->rule[i])
			break;
	if (i == d->model->machines)
		return false;
	step_apply(d, g, j, 0);
	return true;
}

bool step_poll(struct dmm *d, unsigned int g, bool rest)
{
	struct context *c = &d->guest[g];
	struct asker asker = { .d = d,
			       .select = d->mode == MODE_SPOOL,
			       .rest = rest };
	struct expr_env env = env_of(c, NULL, &asker);
	struct judged j;
	unsigned int i, round;
	bool polls;

	for (round = 0; round < POLL_ROUNDS; round++) {
		j = (struct judged){ .verdict = RULE_PASS };
		polls = false;
		for (i = 0; i < d->model->machines; i++) {
			const struct state *st = &d->model->state[c->state[i]];

			if (!st->polls)
				continue;
			polls = true;
			j.rule[i] = find_rule(d->model, st, ON_POLL, 0, &env);
		}
		if (!polls || !apply_if_any(d, g, &j))
			break;
		d->stats.steps++;
	}
	return round > 0;
}

bool step_over(struct dmm *d, unsigned int g, struct span_of_state s)
{
	struct asker asker = { .d = d, .select = d->mode == MODE_SPOOL };
	struct expr_env env = env_of(&d->guest[g], NULL, &asker);

	return find_rule(d->model, &d->model->state[s.state], ON_POLL, 0, &env);
}

void step_end(struct dmm *d, unsigned int g, unsigned int check)
{
	struct context *c = &d->guest[g];
	struct asker asker = { .d = d };
	struct expr_env env = env_of(c, NULL, &asker);
	struct judged j = { .verdict = RULE_PASS };
	unsigned int i;

	for (i = 0; i < d->model->machines; i++)
		j.rule[i] = find_rule(d->model, &d->model->state[c->state[i]],
				      ON_END, check, &env);
	apply_if_any(d, g, &j);
}

bool step_refused(struct dmm *d, unsigned int g, const struct judged *j,
		  const char *reg)
{
	enum dmm_policy policy = d->conf.guest[g].policy;
	struct dmm_report r = { .guest = g };

	if (j->refused_ring) {
		r.offence = DMM_REFUSED;
		r.name = j->refused_ring->name;
		r.rule = j->refused_ring->words && j->refused_ring->layouts ?
				 "the ring, its tail or a buffer is not the "
				 "guest's memory" :
				 "what it reads is not the guest's memory";
		r.line = j->refused_ring->pos.line;
		r.address = j->address;
		r.length = j->length;
	} else if (j->refused) {
		r.offence = j->spoofed ? DMM_SPOOFED : DMM_REFUSED;
		r.name = j->refused->name;
		r.rule = j->spoofed ? "the frame's source is not the guest's" :
				      "the range is not the guest's to use";
		r.line = j->refused->pos.line;
		r.address = j->address;
		r.length = j->length;
	} else {
		r.offence = DMM_DENIED;
		r.name = reg;
		r.rule = "a rule of the model denies it";
		r.line = j->culprit ? j->culprit->pos.line : 0;
	}
	mon_offence(d, r);
	if (j->refused && policy != DMM_POLICY_STOP)
		step_sets(d, g, j->refused->refused[policy == DMM_ABORT], 0,
			  false);
	return policy == DMM_POLICY_STOP || j->verdict == RULE_STOP;
}

bool step_reusable(const struct dmm *d, unsigned int g)
{
	const struct context *c = &d->guest[g];

	if (d->mode == MODE_SPOOL)
		return c->sending != SEND_ON_CARD;
	if (shadow_busy(d))
		return false;
	return !d->model->reusable || mon_eval(d, g, d->model->reusable);
}
