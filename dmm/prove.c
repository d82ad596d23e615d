// SPDX-License-Identifier: MIT
/*
 * prove.c: the exploration: states of a model, breadth first, and what each
 * step does to them.
 */

#include "prove.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prove_impl.h"

#define VALUE_BITS 12u /* of a written value that all are tried of */

/* ---- what conditions look at ---- */

static void add_field(struct prove *p, uint16_t slot, uint8_t shift,
		      uint64_t mask)
{
	unsigned int i, bits = (unsigned int)__builtin_popcountll(mask);

	for (i = 0; i < p->fields; i++)
		if (p->field[i].slot == slot && p->field[i].shift == shift &&
		    p->field[i].mask == mask)
			return;
	if (p->fields == PROVE_FIELDS || p->bits + bits > PROVE_MAX_BITS) {
		p->out->bounded = true;
		return;
	}
	p->field[p->fields++] =
		(struct bits){ .slot = slot, .shift = shift, .mask = mask };
	p->bits += bits;
}

static void add_loads(struct prove *p, const struct expr *e)
{
	unsigned int i;

	for (i = 0; e && i < e->n; i++)
		if (e->ins[i].op == EXPR_OP_LOAD && e->ins[i].array == EXPR_REG)
			add_field(p, e->ins[i].index, e->ins[i].shift,
				  e->ins[i].k);
}

static void find_fields(struct prove *p)
{
	const struct dmm_model *m = p->m;
	unsigned int i;

	for (i = 0; i < m->rules; i++)
		add_loads(p, m->rule[i].when);
	for (i = 0; i < m->places; i++)
		if (m->place[i].cond &&
		    m->space[m->place[i].space].kind != SPACE_WINDOW)
			add_loads(p, m->place[i].cond);
	add_loads(p, m->transmit.enabled);
	add_loads(p, m->reusable);
}

/* ---- states ---- */

static uint64_t pack(const struct prove *p, const struct pstate *s)
{
	uint64_t key = 0;
	unsigned int i;

	for (i = 0; i < p->m->machines; i++)
		key = key * (p->m->machine[i].states.n + 1u) +
		      (s->state[i] - p->m->machine[i].states.first);
	for (i = 0; i < p->fields; i++)
		key = key << __builtin_popcountll(p->field[i].mask) |
		      (s->reg[p->field[i].slot] >> p->field[i].shift &
		       p->field[i].mask);
	return key;
}

/* Only what was found to matter differs between states. */
static void unpack(const struct prove *p, uint64_t key, struct pstate *s)
{
	unsigned int i;

	for (i = 0; i < p->fields; i++)
		s->reg[p->field[i].slot] &=
			~(p->field[i].mask << p->field[i].shift);
	for (i = p->fields; i-- > 0;) {
		s->reg[p->field[i].slot] |= (key & p->field[i].mask)
					    << p->field[i].shift;
		key >>= __builtin_popcountll(p->field[i].mask);
	}
	for (i = p->m->machines; i-- > 0;) {
		s->state[i] = p->m->machine[i].states.first +
			      key % (p->m->machine[i].states.n + 1u);
		key /= p->m->machine[i].states.n + 1u;
	}
}

void prove_load(const struct prove *p, uint32_t at, struct pstate *s)
{
	unpack(p, p->node[at].key, s);
}

bool prove_in_state(const struct prove *p, const struct pstate *s,
		    unsigned int to)
{
	unsigned int i;

	for (i = 0; i < p->m->machines; i++)
		if (s->state[i] == to)
			return true;
	return false;
}

static uint32_t *bucket(struct prove *p, uint64_t key)
{
	uint64_t h = key * UINT64_C(0x9e3779b97f4a7c15);

	return &p->hash[h >> (64 - PROVE_HASH_BITS)];
}

static void reached(struct prove *p, uint64_t key, uint32_t from,
		    const struct pevent *ev, bool device)
{
	uint32_t *at = bucket(p, key), i;

	for (i = *at; i; i = p->node[i - 1].next)
		if (p->node[i - 1].key == key)
			break;
	if (!i) {
		if (p->nodes == p->room) {
			p->out->bounded = true;
			return;
		}
		p->node[p->nodes] = (struct pnode){
			.key = key, .from = from, .ev = *ev, .next = *at
		};
		i = *at = ++p->nodes;
	}
	if (p->edges < PROVE_MAX_EDGES)
		p->edge[p->edges++] = (struct pedge){ .from = from,
						      .to = i - 1,
						      .device = device };
	else
		p->out->bounded = true;
}

/* ---- one step ---- */

bool prove_true(const struct prove *p, const struct expr *e,
		const struct pstate *s, const uint64_t *event, bool *unknown)
{
	struct expr_env env = { .array = { [EXPR_REG] = s->reg,
					   [EXPR_STATE] = s->state,
					   [EXPR_EVENT] = event,
					   [EXPR_SHADOW] = p->zeros },
				.ask = prove_ask };
	unsigned int i;

	for (i = 0; i < e->n; i++)
		if (e->ins[i].op == EXPR_OP_LOAD &&
		    e->ins[i].array == EXPR_SHADOW)
			*unknown = true;
	return expr_eval(e, &env, unknown) != 0;
}

uint64_t prove_ask(void *ctx, unsigned int index, bool *unknown)
{
	(void)ctx, (void)index;
	if (unknown)
		*unknown = true;
	return 0;
}

/* The rules that an access or a transfer's end fires, one a machine. */
void prove_choose(const struct prove *p, const struct pstate *s,
		  const struct pevent *ev, const struct rule *rule[])
{
	uint64_t event[EXPR_EVENTS] = {
		[EXPR_VALUE] = ev->value, [EXPR_WIDTH] = ev->width
	};
	const struct dmm_model *m = p->m;
	unsigned int i, k;
	bool unknown;

	for (i = 0; i < m->machines; i++) {
		const struct state *st = &m->state[s->state[i]];

		rule[i] = NULL;
		for (k = 0; k < st->rules.n && !rule[i]; k++) {
			const struct rule *r = &m->rule[st->rules.first + k];

			unknown = false;
			if (r->on == ev->on && r->reg == ev->reg &&
			    (!r->when ||
			     prove_true(p, r->when, s, event, &unknown)))
				rule[i] = r;
		}
	}
}

enum rule_verdict prove_verdict(const struct prove *p,
				const struct rule *const rule[],
				uint32_t *checks, uint32_t *rings)
{
	enum rule_verdict worst = RULE_PASS;
	unsigned int i;

	*checks = *rings = 0;
	for (i = 0; i < p->m->machines; i++) {
		if (!rule[i])
			continue;
		*checks |= rule[i]->checks;
		*rings |= rule[i]->rings;
		if (rule[i]->then > worst)
			worst = rule[i]->then;
	}
	return worst;
}

static void set_latch(const struct prove *p, struct pstate *s,
		      const struct pevent *ev)
{
	const struct reg *reg = &p->m->reg[ev->reg];
	uint64_t plain = cc_ones(reg->bits) & ~reg->w1c & ~reg->w1s & ~reg->ro;
	unsigned int slot = reg->slot;

	if (ev->on != ON_WRITE)
		return;
	if (reg->w1_reg != MODEL_NONE)
		slot = p->m->reg[reg->w1_reg].slot;
	s->reg[slot] = (s->reg[slot] & ~plain) | (ev->value & plain);
	s->reg[slot] &= ~(ev->value & reg->w1c);
	s->reg[slot] |= ev->value & reg->w1s;
	s->reg[reg->slot] &= ~reg->self_clear;
}

static void apply(const struct prove *p, struct pstate *s,
		  const struct rule *const rule[])
{
	const struct dmm_model *m = p->m;
	unsigned int i, k;

	for (i = 0; i < m->machines; i++) {
		if (!rule[i] || !rule[i]->reset)
			continue;
		for (k = 0; k < m->regs; k++)
			s->reg[m->reg[k].slot] = m->reg[k].reset;
		for (k = 0; k < m->machines; k++)
			s->state[k] = m->machine[k].states.first;
	}
	for (i = 0; i < m->machines; i++) {
		if (!rule[i])
			continue;
		for (k = 0; k < rule[i]->sets.n; k++) {
			const struct set *set =
				&m->set[rule[i]->sets.first + k];
			struct expr_env env = {
				.array = { [EXPR_REG] = s->reg,
					   [EXPR_STATE] = s->state,
					   [EXPR_EVENT] = p->zeros,
					   [EXPR_SHADOW] = p->zeros },
				.ask = prove_ask
			};
			uint64_t v = expr_eval(set->value, &env, NULL);

			s->reg[set->slot] &= ~(set->mask << set->shift);
			s->reg[set->slot] |= (v & set->mask) << set->shift;
		}
		if (rule[i]->to != MODEL_NONE)
			s->state[i] = rule[i]->to;
	}
}

static void fired(struct prove *p, const struct rule *const rule[])
{
	unsigned int i;

	for (i = 0; i < p->m->machines; i++)
		if (rule[i])
			p->fired[rule[i] - p->m->rule] = true;
}

/* An access or an end: passed, or (the same state) refused, denied, held. */
static void step(struct prove *p, uint32_t from, const struct pstate *s,
		 const struct pevent *ev)
{
	const struct rule *rule[MODEL_MAX_MACHINES];
	struct pstate *next = &p->scratch;
	uint32_t checks, rings;

	prove_choose(p, s, ev, rule);
	p->out->steps++;
	fired(p, rule);
	if (prove_verdict(p, rule, &checks, &rings) >= RULE_HOLD)
		return;
	memcpy(next->reg, s->reg, p->m->slots * sizeof(*s->reg));
	memcpy(next->state, s->state, sizeof(s->state));
	set_latch(p, next, ev);
	apply(p, next, rule);
	prove_event(p, from, s, next, ev, rule);
	reached(p, pack(p, next), from, ev, false);
}

/* A poll: the device may say anything, so any rule may be the one. */
static void poll(struct prove *p, uint32_t from, const struct pstate *s)
{
	const struct dmm_model *m = p->m;
	struct pevent ev = { .on = ON_POLL };
	const struct rule *rule[MODEL_MAX_MACHINES];
	struct pstate *next = &p->scratch;
	unsigned int i, k;

	for (i = 0; i < m->machines; i++) {
		const struct state *st = &m->state[s->state[i]];

		for (k = 0; k < st->rules.n; k++) {
			const struct rule *r = &m->rule[st->rules.first + k];
			bool unknown = false;

			if (r->on != ON_POLL)
				continue;
			if (r->when &&
			    !prove_true(p, r->when, s, p->zeros, &unknown) &&
			    !unknown)
				continue;
			memset(rule, 0, sizeof(rule));
			rule[i] = r;
			p->out->steps++;
			fired(p, rule);
			memcpy(next->reg, s->reg, m->slots * sizeof(*s->reg));
			memcpy(next->state, s->state, sizeof(s->state));
			apply(p, next, rule);
			reached(p, pack(p, next), from, &ev, true);
		}
	}
}

/* Is there a place for it, as the banks stand? */
static bool stands(const struct prove *p, const struct pstate *s,
		   unsigned int reg, bool write)
{
	const struct reg *r = &p->m->reg[reg];
	unsigned int i;
	bool unknown;

	for (i = 0; i < r->places; i++) {
		const struct place *pl = &p->m->place[r->place + i];

		unknown = false;
		if ((write ? pl->write : pl->read) &&
		    (!pl->cond ||
		     prove_true(p, pl->cond, s, p->zeros, &unknown)))
			return true;
	}
	return false;
}

/* The bits of a register's written value that anything looks at. */
static uint64_t value_bits(const struct prove *p, unsigned int reg)
{
	const struct dmm_model *m = p->m;
	uint64_t bits = 0;
	unsigned int i, k;

	for (i = 0; i < m->rules; i++) {
		const struct expr *e = m->rule[i].when;

		if (m->rule[i].reg != reg || m->rule[i].on != ON_WRITE)
			continue;
		for (k = 0; e && k < e->n; k++)
			if (e->ins[k].op == EXPR_OP_LOAD &&
			    e->ins[k].array == EXPR_EVENT &&
			    e->ins[k].index == EXPR_VALUE)
				bits |= e->ins[k].k << e->ins[k].shift;
	}
	for (i = 0; i < p->fields; i++)
		if (p->field[i].slot == m->reg[reg].slot)
			bits |= p->field[i].mask << p->field[i].shift;
	return bits & cc_ones(m->reg[reg].bits);
}

/* The (n)th value with ones only in (bits). */
static uint64_t deposit(uint64_t n, uint64_t bits)
{
	uint64_t v = 0;

	for (; bits; bits &= bits - 1, n >>= 1)
		if (n & 1)
			v |= bits & -bits;
	return v;
}

/* Enough is enough, and it is said. */
static bool is_long(struct prove *p)
{
	if (p->out->steps < p->max_steps)
		return false;
	p->out->bounded = true;
	return true;
}

/* The widths of a write that are told apart, as bits: 1 for a byte; or 0. */
static uint8_t widths_of(const struct dmm_model *m, unsigned int reg)
{
	unsigned int i, k;

	for (i = 0; i < m->rules; i++) {
		const struct expr *e = m->rule[i].when;

		if (m->rule[i].reg != reg || m->rule[i].on != ON_WRITE)
			continue;
		for (k = 0; e && k < e->n; k++)
			if (e->ins[k].op == EXPR_OP_LOAD &&
			    e->ins[k].array == EXPR_EVENT &&
			    e->ins[k].index == EXPR_WIDTH)
				return m->reg[reg].widths;
	}
	return 0;
}

/* All that could be written to register (ev->reg). */
static void writes(struct prove *p, uint32_t from, const struct pstate *s,
		   struct pevent *ev)
{
	uint64_t values = p->values[ev->reg], n;
	unsigned int bits = (unsigned int)__builtin_popcountll(values), w;
	uint8_t widths = widths_of(p->m, ev->reg);

	if (bits > VALUE_BITS) {
		bits = VALUE_BITS;
		p->out->bounded = true;
	}
	for (w = widths ? 1 : 0; w <= 8; w = w ? 2 * w : 16) {
		if (w && !(widths & w))
			continue;
		ev->width = (uint8_t)(8 * w);
		for (n = 0; n < UINT64_C(1) << bits && !is_long(p); n++) {
			ev->value = deposit(n, values);
			step(p, from, s, ev);
		}
	}
}

static void accesses(struct prove *p, uint32_t from, const struct pstate *s)
{
	const struct dmm_model *m = p->m;
	struct pevent ev;
	unsigned int i;

	for (i = 0; i < m->regs; i++) {
		ev = (struct pevent){ .reg = (uint16_t)i };
		if (m->reg[i].hooks[0] && stands(p, s, i, false)) {
			ev.on = ON_READ;
			step(p, from, s, &ev);
		}
		if (!p->written[i] || !stands(p, s, i, true))
			continue;
		ev.on = ON_WRITE;
		writes(p, from, s, &ev);
	}
	for (i = 0; i < m->checks; i++) {
		ev = (struct pevent){ .on = ON_END, .reg = (uint16_t)i };
		if (m->check[i].port != MODEL_NONE && p->ends[i])
			step(p, from, s, &ev);
	}
}

static void explore(struct prove *p)
{
	struct pevent none = { .on = ON_POLL };
	struct pstate *s = &p->here;
	unsigned int i, k;
	uint32_t at;

	for (i = 0; i < p->m->regs; i++) {
		for (k = 0; k < p->m->reg[i].dim; k++)
			s->reg[p->m->reg[i].slot + k] = p->m->reg[i].reset;
		p->values[i] = value_bits(p, i);
		p->written[i] = p->m->reg[i].writable &&
				(p->m->reg[i].hooks[1] || p->values[i] ||
				 prove_matters(p, &p->m->reg[i]));
	}
	for (i = 0; i < p->m->rules; i++)
		if (p->m->rule[i].on == ON_END)
			p->ends[p->m->rule[i].reg] = true;
	for (i = 0; i < p->m->machines; i++)
		s->state[i] = p->m->machine[i].states.first;
	reached(p, pack(p, s), 0, &none, true);
	for (at = 0; at < p->nodes && !is_long(p); at++) {
		unpack(p, p->node[at].key, s);
		accesses(p, at, s);
		poll(p, at, s);
	}
	p->out->states = p->nodes;
}

/* ---- the way to a state, for messages ---- */

void prove_way(const struct prove *p, uint32_t to, const struct pevent *last,
	       char *text, size_t room)
{
	const struct pevent *ev[32];
	size_t n = 0, at = 0;

	if (last)
		ev[n++] = last;
	for (; to && n < ARRAY_LEN(ev); to = p->node[to].from)
		ev[n++] = &p->node[to].ev;
	text[0] = '\0';
	while (n-- > 0 && at < room) {
		const char *sep = at ? ", " : "";
		int k;

		if (ev[n]->on == ON_POLL)
			k = snprintf(text + at, room - at, "%spoll", sep);
		else if (ev[n]->on == ON_END)
			k = snprintf(text + at, room - at, "%send %s", sep,
				     p->m->check[ev[n]->reg].name);
		else if (ev[n]->on == ON_READ)
			k = snprintf(text + at, room - at, "%sread %s", sep,
				     p->m->reg[ev[n]->reg].name);
		else
			k = snprintf(text + at, room - at, "%swrite %s 0x%llx",
				     sep, p->m->reg[ev[n]->reg].name,
				     (unsigned long long)ev[n]->value);
		at += k > 0 ? (size_t)k : 0;
	}
	if (!text[0])
		snprintf(text, room, "at the start");
}

/* ---- all ---- */

static int allocate(struct prove *p)
{
	p->room = PROVE_MAX_STATES;
	p->node = calloc(p->room, sizeof(*p->node));
	p->edge = calloc(PROVE_MAX_EDGES, sizeof(*p->edge));
	p->hash = calloc((size_t)1 << PROVE_HASH_BITS, sizeof(*p->hash));
	p->here.reg = calloc(p->m->slots + 1u, sizeof(uint64_t));
	p->scratch.reg = calloc(p->m->slots + 1u, sizeof(uint64_t));
	p->fired = calloc(p->m->rules + 1u, sizeof(bool));
	p->told = calloc(p->m->rules + 1u, sizeof(bool));
	p->values = calloc(p->m->regs + 1u, sizeof(uint64_t));
	p->written = calloc(p->m->regs + 1u, sizeof(bool));
	return p->node && p->edge && p->hash && p->here.reg && p->scratch.reg &&
			       p->fired && p->told && p->values && p->written ?
		       0 :
		       -ENOMEM;
}

int prove_model(const struct dmm_model *model, struct diag *diag,
		uint64_t max_steps, struct prove_result *out)
{
	struct prove *p = calloc(1, sizeof(*p));
	unsigned int before = diag->errors;
	int err;

	*out = (struct prove_result){ .states = 0 };
	if (!p)
		return -ENOMEM;
	p->m = model;
	p->diag = diag;
	p->out = out;
	p->max_steps = max_steps;
	err = allocate(p);
	if (!err) {
		find_fields(p);
		explore(p);
		err = prove_graph(p);
	}
	if (!err)
		prove_shape(p);
	free(p->node);
	free(p->edge);
	free(p->hash);
	free(p->here.reg);
	free(p->scratch.reg);
	free(p->fired);
	free(p->told);
	free(p->values);
	free(p->written);
	free(p);
	if (!err && diag->errors != before)
		err = -EINVAL;
	return err;
}
