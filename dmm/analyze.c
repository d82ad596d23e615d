// SPDX-License-Identifier: MIT
/*
 * analyze.c: the compiler's last part: what only the whole model shows (states
 * and rules that nothing reaches, procedures that sharing needs), and which
 * values of a register can make a rule fire.
 */

#include <stdlib.h>
#include <string.h>

#include "build.h"

/* ---- filters ---- */

/* The bits of the written value that a rule's condition looks at. */
static uint64_t value_bits(const struct expr *when, uint64_t all)
{
	uint64_t bits = 0;
	unsigned int i;

	if (!when)
		return 0;
	for (i = 0; i < when->n; i++)
		if (when->ins[i].op == EXPR_OP_LOAD &&
		    when->ins[i].array == EXPR_EVENT &&
		    when->ins[i].index == EXPR_VALUE)
			bits |= when->ins[i].k << when->ins[i].shift;
	return bits & all;
}

static bool can_fire(const struct rule *r, uint64_t value, bool known)
{
	uint64_t event[EXPR_EVENTS] = { [EXPR_VALUE] = value }, out;

	if (!r->when)
		return true;
	if (expr_eval_known(r->when, event, known ? 1u << EXPR_VALUE : 0, &out))
		return out != 0;
	return true;
}

/* Can it fire on a write of (width) bits? */
static bool can_fire_width(const struct rule *r, unsigned int width)
{
	uint64_t event[EXPR_EVENTS] = { [EXPR_WIDTH] = width }, out;

	return !r->when ||
	       !expr_eval_known(r->when, event, 1u << EXPR_WIDTH, &out) || out;
}

static bool rule_is_on(const struct rule *r, unsigned int reg, bool write)
{
	return r->reg == reg && r->on == (write ? ON_WRITE : ON_READ);
}

/* The filter of a register's rules in a state; false if none can fire. */
static bool make_filter(const struct dmm_model *m, unsigned int reg, bool write,
			unsigned int state, struct filter *f)
{
	const struct state *st = &m->state[state];
	uint64_t bits = 0, all = cc_ones(m->reg[reg].bits), v;
	const struct rule *r;
	unsigned int i, low = 0;
	bool any = false, fires;

	for (i = 0; i < st->rules.n; i++) {
		r = &m->rule[st->rules.first + i];
		if (write && rule_is_on(r, reg, write))
			bits |= value_bits(r->when, all);
	}
	*f = (struct filter){ .mask = 0 };
	if (bits) {
		low = (unsigned int)__builtin_ctzll(bits);
		if (bits >> low < 1024) {
			f->shift = (uint8_t)low;
			f->mask = (uint16_t)cc_ones(
				64u -
				(unsigned int)__builtin_clzll(bits >> low));
		}
	}
	for (v = 0; v <= f->mask; v++) {
		fires = false;
		for (i = 0; i < st->rules.n && !fires; i++) {
			r = &m->rule[st->rules.first + i];
			fires = rule_is_on(r, reg, write) &&
				can_fire(r, v << f->shift, write && f->mask);
		}
		if (fires)
			f->table[v / 64] |= UINT64_C(1) << v % 64;
		any |= fires;
	}
	return any;
}

static bool add_filters(struct build *b, unsigned int reg, bool write)
{
	struct dmm_model *m = b->m;
	struct filter f, *more;
	unsigned int i;

	m->reg[reg].filter[write] = m->filter_ofs;
	for (i = 0; i < m->states; i++) {
		m->filter_of[m->filter_ofs++] = MODEL_NONE;
		if (!make_filter(m, reg, write, i, &f))
			continue;
		more = realloc(m->filter, (m->filters + 1u) * sizeof(f));
		if (!more) {
			b->no_memory = true;
			return false;
		}
		m->filter = more;
		m->filter[m->filters] = f;
		m->filter_of[m->filter_ofs - 1] = m->filters++;
	}
	return true;
}

static void build_filters(struct build *b)
{
	struct dmm_model *m = b->m;
	unsigned int i, dir, width, hooked = 0;

	for (i = 0; i < m->regs; i++)
		hooked += !!m->reg[i].hooks[0] + !!m->reg[i].hooks[1];
	if (hooked * m->states >= MODEL_NONE) {
		diag_error(b->diag, m->machine[0].pos,
			   DIAG_MANY
			   "too many registers with rules for so many states");
		return;
	}
	m->filter_of = calloc(hooked * m->states + 1u, sizeof(uint16_t));
	if (!m->filter_of) {
		b->no_memory = true;
		return;
	}
	for (i = 0; i < m->rules; i++)
		for (width = 1; width <= 8; width *= 2)
			if (m->rule[i].on == ON_WRITE &&
			    can_fire_width(&m->rule[i], 8 * width))
				m->reg[m->rule[i].reg].hook_widths |=
					(uint8_t)width;
	for (i = 0; i < m->regs; i++)
		for (dir = 0; dir < 2; dir++)
			if (m->reg[i].hooks[dir] && !add_filters(b, i, dir))
				return;
}

/* ---- what can never be ---- */

static bool always(const struct rule *r)
{
	uint64_t out;

	return !r->when || (expr_eval_known(r->when, NULL, 0, &out) && out);
}

/* A rule behind one for the same event that always fires. */
static void find_shadowed(struct build *b, const struct state *st)
{
	const struct rule *r, *before;
	uint64_t out;
	unsigned int i, k;

	for (i = 0; i < st->rules.n; i++) {
		r = &b->m->rule[st->rules.first + i];
		if (r->when && expr_eval_known(r->when, NULL, 0, &out) && !out)
			diag_error(b->diag, r->pos,
				   DIAG_NEVER
				   "this rule can never fire: its condition "
				   "is always false");
		for (k = 0; k < i; k++) {
			before = &b->m->rule[st->rules.first + k];
			if (before->on != r->on || !always(before) ||
			    (r->on != ON_POLL && before->reg != r->reg))
				continue;
			diag_error(b->diag, r->pos,
				   DIAG_NEVER
				   "this rule can never fire: the one in line "
				   "%u always does before it",
				   before->pos.line);
			break;
		}
	}
}

static void find_unreachable(struct build *b, const struct machine *mc)
{
	bool seen[MODEL_MAX_STATES] = { false }, more = true;
	const struct dmm_model *m = b->m;
	const struct state *st;
	unsigned int i, k;

	seen[mc->states.first] = true;
	while (more) {
		more = false;
		for (i = mc->states.first; i < mc->states.first + mc->states.n;
		     i++) {
			st = &m->state[i];
			for (k = 0; seen[i] && k < st->rules.n; k++) {
				uint16_t to = m->rule[st->rules.first + k].to;

				if (to == MODEL_NONE || seen[to])
					continue;
				seen[to] = more = true;
			}
		}
	}
	for (i = mc->states.first; i < mc->states.first + mc->states.n; i++)
		if (!seen[i])
			diag_error(b->diag, m->state[i].pos,
				   DIAG_NEVER
				   "no rule leads to state %s of machine %s",
				   m->state[i].name, mc->name);
}

/* A transfer's end must leave the state that its start led to. */
static void find_endless(struct build *b)
{
	const struct dmm_model *m = b->m;
	unsigned int i, k;
	bool end;

	for (i = 0; i < m->checks; i++) {
		if (m->check[i].port == MODEL_NONE)
			continue;
		for (end = false, k = 0; k < m->rules; k++)
			end |= m->rule[k].on == ON_END && m->rule[k].reg == i;
		if (!end)
			diag_warning(b->diag, m->check[i].pos,
				     DIAG_SHARING
				     "no rule says what happens at the end of "
				     "%s",
				     m->check[i].name);
	}
}

/* ---- what sharing needs ---- */

static void need_proc(struct build *b, enum proc proc, const char *name)
{
	if (!b->m->proc[proc].n)
		diag_error(b->diag, b->m->share_pos,
			   DIAG_SHARING
			   "a device that is leased needs procedures: %s",
			   name);
}

/* What a guest leaves on the card must not wait for the next one. */
static void check_scrub(struct build *b)
{
	const struct dmm_model *m = b->m;
	struct span scrub = m->proc[PROC_SCRUB];
	unsigned int i, k;

	for (i = 0; i < m->memories; i++) {
		if (m->memory[i].identity)
			continue;
		for (k = 0; k < scrub.n; k++)
			if (m->step[scrub.first + k].kind == STEP_FILL &&
			    m->step[scrub.first + k].reg == i &&
			    !m->step[scrub.first + k].cond)
				break;
		if (k < scrub.n)
			continue;
		diag_error(b->diag, m->memory[i].pos,
			   DIAG_SHARING "nothing clears %s between guests",
			   m->memory[i].name);
		diag_advise(b->diag,
			    "procedures: { scrub: [ { fill: %s, value: 0 } ] }",
			    m->memory[i].name);
	}
}

/* Whose bank can be selected, or needs not be. */
static bool is_reached(const struct dmm_model *m, const struct reg *reg)
{
	const struct place *pl;
	unsigned int i;

	for (i = 0; i < reg->places; i++) {
		pl = &m->place[reg->place + i];
		if (pl->write && (!pl->cond || pl->sel_reg != MODEL_NONE))
			return true;
	}
	return false;
}

/* A register that cannot be restored is as the guest before left it. */
static void check_reached(struct build *b)
{
	const struct dmm_model *m = b->m;
	const struct reg *reg;
	unsigned int i;

	for (i = 0; i < m->regs; i++) {
		reg = &m->reg[i];
		if (!reg->writable || reg->save_none || is_reached(m, reg))
			continue;
		diag_error(b->diag, reg->pos,
			   DIAG_SHARING
			   "%s cannot be restored: the monitor does not know "
			   "how to select its bank",
			   reg->name);
		diag_advise(b->diag, "give it a place with no condition but "
				     "FIELD == NUMBER, or \"save: none\"");
	}
}

static void check_sharing(struct build *b)
{
	const struct dmm_model *m = b->m;

	if (m->how != DMM_LEASE)
		return;
	if (!m->reusable) {
		diag_error(b->diag, m->share_pos,
			   DIAG_SHARING
			   "a device that is leased needs \"reusable:\"");
		diag_advise(b->diag, "say in which states another guest may "
				     "take it, such as reusable: tx == idle");
	}
	need_proc(b, PROC_QUIESCE, "quiesce");
	need_proc(b, PROC_SAVE, "save");
	need_proc(b, PROC_RESTORE, "restore");
	check_scrub(b);
	check_reached(b);
}

/* A procedure can reach a register in a bank only if it can select it. */
static void check_selectors(struct build *b)
{
	const struct dmm_model *m = b->m;
	const struct place *pl;
	unsigned int i, k;

	for (i = 0; i < m->places; i++) {
		pl = &m->place[i];
		if (pl->sel_reg == MODEL_NONE)
			continue;
		for (k = 0; k < m->regs; k++)
			if (m->reg[k].slot == pl->sel_reg &&
			    !m->reg[k].select && m->proc[PROC_RESTORE].n) {
				diag_error(b->diag, m->reg[k].pos,
					   DIAG_SHARING
					   "%s selects a bank: say in "
					   "\"select:\" what its other bits "
					   "are when the monitor moves it",
					   m->reg[k].name);
				return;
			}
	}
}

void build_analyze(struct build *b)
{
	unsigned int i;

	for (i = 0; i < b->m->machines; i++)
		find_unreachable(b, &b->m->machine[i]);
	for (i = 0; i < b->m->states; i++)
		find_shadowed(b, &b->m->state[i]);
	find_endless(b);
	check_sharing(b);
	check_selectors(b);
	if (!b->diag->errors)
		build_filters(b);
}
