// SPDX-License-Identifier: MIT
/*
 * prove_rules.c: what must hold in each state, over all of them, and of the
 * model's tables.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "prove_impl.h"

#define WAY 400u

static struct prove_step step_of(const struct pevent *ev)
{
	static const uint8_t what[] = { [ON_READ] = PROVE_READ,
					[ON_WRITE] = PROVE_WRITE,
					[ON_END] = PROVE_END,
					[ON_POLL] = PROVE_POLL };

	return (struct prove_step){ .what = what[ev->on],
				    .which = ev->reg,
				    .width = ev->width,
				    .value = ev->value };
}

/* The first one's way is kept; one that is too long is only told. */
static void keep_way(struct prove *p, uint32_t at, const struct pevent *last)
{
	struct prove_result *out = p->out;
	unsigned int n = last ? 1 : 0, i;
	uint32_t to;

	if (out->has_way)
		return;
	for (to = at; to; to = p->node[to].from)
		n++;
	if (n > PROVE_WAY)
		return;
	out->has_way = true;
	out->ways = n;
	out->ways_to_state = n - (last != NULL);
	if (last)
		out->way[--n] = step_of(last);
	for (to = at; to; to = p->node[to].from)
		out->way[--n] = step_of(&p->node[to].ev);
	for (i = 0; i < p->m->machines; i++) /* (at) is where we are */
		out->state[i] = p->here.state[i];
}

static void tell(struct prove *p, struct diag_pos pos, uint32_t at,
		 const struct pevent *last, const char *what, const char *name)
{
	char way[WAY];

	keep_way(p, at, last);
	prove_way(p, at, last, way, sizeof(way));
	diag_error(p->diag, pos, DIAG_PROOF "%s: %s", name, what);
	diag_advise(p->diag, "it is so after: %s", way);
}

static bool rests_on(const struct expr *e, const struct reg *reg)
{
	unsigned int i;

	for (i = 0; e && i < e->n; i++)
		if (e->ins[i].op == EXPR_OP_LOAD &&
		    e->ins[i].array == EXPR_REG &&
		    e->ins[i].index >= reg->slot &&
		    e->ins[i].index < reg->slot + reg->dim)
			return true;
	return false;
}

static bool check_rests_on(const struct check *c, const struct reg *reg)
{
	return rests_on(c->start, reg) || rests_on(c->length, reg) ||
	       rests_on(c->wrap_from, reg) || rests_on(c->wrap_to, reg);
}

static bool ring_rests_on(const struct ring *r, const struct reg *reg)
{
	unsigned int i;

	for (i = 0; i < r->forms; i++)
		if (rests_on(r->form[i].when, reg))
			return true;
	return rests_on(r->base, reg) || rests_on(r->count, reg);
}

/* Is a register that the ring rests on among those? */
static bool loads_ring(const struct dmm_model *m, struct span loads,
		       const struct ring *r)
{
	unsigned int i;

	for (i = 0; i < loads.n; i++)
		if (ring_rests_on(r, &m->reg[m->set[loads.first + i].reg]))
			return true;
	return false;
}

bool prove_matters(const struct prove *p, const struct reg *reg)
{
	unsigned int i;

	for (i = 0; i < p->m->checks; i++)
		if (check_rests_on(&p->m->check[i], reg))
			return true;
	for (i = 0; i < p->m->rings; i++)
		if (ring_rests_on(&p->m->ring[i], reg))
			return true;
	return false;
}

/* ---- in each state ---- */

/* The part reads a ring only while this holds. */
static bool ring_is_on(const struct prove *p, unsigned int ring,
		       const struct pstate *s)
{
	const struct dmm_model *m = p->m;
	const struct expr *e = m->ring[ring].to_device ? m->transmit.enabled :
							 m->receive.enabled;
	bool unknown = false;

	return !e || prove_true(p, e, s, p->zeros, &unknown) || unknown;
}

/* A rule can be that of several states, by an alias: it is told of once. */
static void told_there(struct prove *p, struct diag_pos pos)
{
	unsigned int i;

	for (i = 0; i < p->m->rules; i++)
		if (p->m->rule[i].pos.line == pos.line &&
		    p->m->rule[i].pos.column == pos.column)
			p->told[i] = true;
}

/*
 * What a rule checks in its own state, must be checked, refused or held in
 * every state of that machine: else a guest starts the same thing unchecked.
 */
static void same_start(struct prove *p, uint32_t at, const struct pstate *s,
		       const struct pstate *next, const struct pevent *ev,
		       const struct rule *const rule[])
{
	uint64_t event[EXPR_EVENTS] = {
		[EXPR_VALUE] = ev->value, [EXPR_WIDTH] = ev->width
	};
	const struct dmm_model *m = p->m;
	uint32_t checks, rings, need, on, bits;
	const struct rule *r;
	bool unknown = false;
	unsigned int i;

	(void)prove_verdict(p, rule, &checks, &rings);
	for (i = 0; i < m->rules; i++) {
		r = &m->rule[i];
		if (r->on != ev->on || r->reg != ev->reg || p->told[i] ||
		    !(r->checks | r->rings))
			continue;
		if (r->when && !prove_true(p, r->when, s, event, &unknown))
			continue;
		need = r->checks & ~checks;
		on = r->rings & ~rings;
		for (bits = on; bits; bits &= bits - 1)
			if (!ring_is_on(p, (unsigned int)__builtin_ctz(bits),
					next))
				on &= ~(bits & -bits);
		if (!(need | on))
			continue;
		told_there(p, r->pos);
		tell(p, r->pos, at, ev,
		     "what this rule checks is started without a check in "
		     "another state",
		     need ? m->check[__builtin_ctz(need)].name :
			    m->ring[__builtin_ctz(on)].name);
	}
}

/* Machines that agree on what a bit becomes, or do not both set it. */
static void no_fight(struct prove *p, uint32_t at, const struct pevent *ev,
		     const struct rule *const rule[])
{
	const struct dmm_model *m = p->m;
	unsigned int a, b, i, k;

	for (a = 0; a < m->machines; a++)
		for (b = a + 1; rule[a] && b < m->machines; b++)
			for (i = 0; rule[b] && i < rule[a]->sets.n; i++)
				for (k = 0; k < rule[b]->sets.n; k++) {
					const struct set *x =
						&m->set[rule[a]->sets.first +
							i];
					const struct set *y =
						&m->set[rule[b]->sets.first +
							k];

					if (x->slot != y->slot ||
					    !(x->mask << x->shift &
					      y->mask << y->shift) ||
					    p->told[rule[b] - m->rule])
						continue;
					p->told[rule[b] - m->rule] = true;
					tell(p, y->pos, at, ev,
					     "two machines set the same bits",
					     m->reg[y->reg].name);
				}
}

/* In the state that a check leads to, what it rests on must not move. */
static void nothing_moves(struct prove *p, uint32_t at, const struct pstate *s,
			  const struct pevent *ev,
			  const struct rule *const rule[])
{
	const struct dmm_model *m = p->m;
	const struct reg *reg = &m->reg[ev->reg];
	uint32_t checks, rings;
	unsigned int i, k;

	(void)prove_verdict(p, rule, &checks, &rings);
	if (ev->on != ON_WRITE)
		return;
	for (i = 0; i < m->rings; i++) {
		const struct ring *r = &m->ring[i];

		if (!ring_rests_on(r, reg) || !ring_is_on(p, i, s) ||
		    rings & 1u << i)
			continue;
		if (p->moved & 1u << i)
			continue;
		p->moved |= 1u << i;
		tell(p, reg->pos, at, ev,
		     "it says where a ring is, and changes while the ring "
		     "is in use",
		     reg->name);
	}
	for (i = 0; i < m->rules; i++) {
		const struct rule *r = &m->rule[i];

		for (k = 0; k < m->checks && r->to != MODEL_NONE; k++) {
			const struct check *c = &m->check[k];

			if (!(r->checks & 1u << k) || checks & 1u << k ||
			    p->moved & 1u << (k + 8) ||
			    !prove_in_state(p, s, r->to))
				continue;
			if (!check_rests_on(c, reg))
				continue;
			p->moved |= 1u << (k + 8);
			tell(p, reg->pos, at, ev,
			     "a check rests on it, and it changes while what "
			     "the check allowed goes on",
			     reg->name);
		}
	}
}

/* A block says where rings are: they are not in use, or checked with it. */
static void blocks(struct prove *p, uint32_t at, const struct pstate *next,
		   const struct pevent *ev, const struct rule *const rule[])
{
	const struct dmm_model *m = p->m;
	uint32_t checks, rings;
	unsigned int i, k, n;

	(void)prove_verdict(p, rule, &checks, &rings);
	for (i = 0; i < m->machines; i++)
		for (k = 0; rule[i] && k < m->blocks; k++) {
			struct span l = m->block[k].loads;

			if (!(rule[i]->blocks & 1u << k))
				continue;
			for (n = 0; n < m->rings; n++) {
				if (rings & 1u << n || p->moved & 1u << n ||
				    !ring_is_on(p, n, next) ||
				    !loads_ring(m, l, &m->ring[n]))
					continue;
				p->moved |= 1u << n;
				tell(p, rule[i]->pos, at, ev,
				     "what it reads says where a ring is that "
				     "is in use then, and this is not checked",
				     m->block[k].form.name);
			}
		}
}

void prove_event(struct prove *p, uint32_t at, const struct pstate *s,
		 const struct pstate *next, const struct pevent *ev,
		 const struct rule *const rule[])
{
	if (ev->on == ON_READ || ev->on == ON_WRITE)
		same_start(p, at, s, next, ev, rule);
	no_fight(p, at, ev, rule);
	blocks(p, at, next, ev, rule);
	nothing_moves(p, at, s, ev, rule);
}

/* ---- over all states ---- */

/* Edges by where they lead: those to state i are order[first[i]] and on. */
struct incoming {
	uint32_t *first, *order, *queue;
};

static bool sort_edges(const struct prove *p, struct incoming *in)
{
	uint32_t i, at;

	in->first = calloc(p->nodes + 2u, sizeof(*in->first));
	in->order = calloc(p->edges + 1u, sizeof(*in->order));
	in->queue = calloc(p->nodes + 1u, sizeof(*in->queue));
	if (!in->first || !in->order || !in->queue)
		return false;
	for (i = 0; i < p->edges; i++)
		in->first[p->edge[i].to + 1]++;
	for (i = 0; i < p->nodes; i++)
		in->first[i + 1] += in->first[i];
	for (i = 0; i < p->edges; i++) {
		at = in->first[p->edge[i].to]++;
		in->order[at] = i;
	}
	for (i = p->nodes; i > 0; i--)
		in->first[i] = in->first[i - 1];
	in->first[0] = 0;
	return true;
}

static void free_edges(struct incoming *in)
{
	free(in->first);
	free(in->order);
	free(in->queue);
}

/* Mark all from which a marked state is reached, by such edges. */
static void spread(const struct prove *p, const struct incoming *in,
		   uint8_t *mark, uint8_t bit, bool device_only)
{
	uint32_t i, k, n = 0, done = 0;

	for (i = 0; i < p->nodes; i++)
		if (mark[i] & bit)
			in->queue[n++] = i;
	while (done < n) {
		i = in->queue[done++];
		for (k = in->first[i]; k < in->first[i + 1]; k++) {
			const struct pedge *e = &p->edge[in->order[k]];

			if (mark[e->from] & bit || (device_only && !e->device))
				continue;
			mark[e->from] |= bit;
			in->queue[n++] = e->from;
		}
	}
}

/* In a state that a check or a sending ring led to, it is in use. */
static void not_in_use(struct prove *p, uint32_t at)
{
	const struct dmm_model *m = p->m;
	unsigned int i, k;

	for (i = 0; i < m->rules; i++) {
		const struct rule *r = &m->rule[i];
		bool starts = r->checks != 0;

		for (k = 0; k < m->rings; k++)
			starts |= r->rings & 1u << k && m->ring[k].to_device;
		if (!starts || r->to == MODEL_NONE || p->in_use ||
		    !prove_in_state(p, &p->here, r->to))
			continue;
		p->in_use = true;
		tell(p, r->pos, at, NULL,
		     "the device would be handed over while what this rule "
		     "started goes on",
		     "reusable");
	}
}

static void reusable_states(struct prove *p, const struct incoming *in,
			    uint8_t *mark)
{
	const struct dmm_model *m = p->m;
	bool can_force = m->proc[PROC_QUIESCE].n || m->proc[PROC_FORCE].n;
	bool unknown, told = false;
	uint32_t i;

	for (i = 0; i < p->nodes; i++) {
		prove_load(p, i, &p->here);
		unknown = false;
		if (!m->reusable ||
		    prove_true(p, m->reusable, &p->here, p->zeros, &unknown))
			mark[i] = 3;
		if (mark[i] == 3 && m->reusable)
			not_in_use(p, i);
		p->out->reusable += mark[i] == 3;
	}
	spread(p, in, mark, 1, true);
	spread(p, in, mark, 2, false);
	for (i = 0; i < p->nodes; i++) {
		if (!(mark[i] & 1))
			p->out->forced++;
		if (told || mark[i] & 1 || (mark[i] & 2 && can_force))
			continue;
		told = true;
		tell(p, m->machine[0].pos, i, NULL,
		     mark[i] & 2 ? "a guest can keep the device from being "
				   "reusable, and no procedure quiesces it" :
				   "no reusable state is reached any more",
		     m->name);
	}
}

int prove_graph(struct prove *p)
{
	uint8_t *mark = calloc(p->nodes + 1u, 1);
	const struct dmm_model *m = p->m;
	struct incoming in;
	bool fine = sort_edges(p, &in) && mark;
	unsigned int i;

	if (fine && m->machines)
		reusable_states(p, &in, mark);
	free_edges(&in);
	free(mark);
	if (!fine)
		return -ENOMEM;
	for (i = 0; i < m->rules; i++) {
		p->out->rules += p->fired[i];
		if (!p->fired[i] && !p->out->bounded)
			diag_error(p->diag, m->rule[i].pos,
				   DIAG_PROOF
				   "this rule never fires, whatever a guest "
				   "and the device do");
	}
	return 0;
}

/* ---- of the tables ---- */

static bool is_denied(const struct space *s, uint64_t off)
{
	unsigned int i;

	for (i = 0; i < s->denied; i++)
		if (off >= s->deny[i].first && off <= s->deny[i].last)
			return true;
	return false;
}

/* Every byte has a register in some bank, or is denied on purpose. */
static void classed(struct prove *p, unsigned int space)
{
	const struct dmm_model *m = p->m;
	const struct space *s = &m->space[space];
	uint64_t off, first = UINT64_MAX;

	if (s->same_as != MODEL_NONE || s->kind == SPACE_WINDOW ||
	    s->denied_rest)
		return;
	for (off = 0; off <= s->size; off += s->grain) {
		bool has =
			off < s->size &&
			(m->plan.head[space][0][off / s->grain] != MODEL_NONE ||
			 m->plan.head[space][1][off / s->grain] != MODEL_NONE);

		if (off < s->size && !has && !is_denied(s, off)) {
			if (first == UINT64_MAX)
				first = off;
			continue;
		}
		if (first != UINT64_MAX) {
			diag_error(p->diag, s->pos,
				   DIAG_PROOF
				   "nothing is said of %s+0x%llx..0x%llx",
				   s->name, (unsigned long long)first,
				   (unsigned long long)off - 1);
			diag_advise(p->diag, "give it a register, or list it "
					     "in the space's \"denied:\"");
			return;
		}
		if (has && is_denied(s, off)) {
			diag_error(p->diag, s->pos,
				   DIAG_PROOF
				   "%s+0x%llx is denied, and has a register",
				   s->name, (unsigned long long)off);
			return;
		}
	}
}

/* A second way to what another register already is, not said to be one. */
static bool is_command(const struct dmm_model *m, const struct reg *reg)
{
	uint64_t all = cc_ones(reg->bits);

	return reg->w1_reg != MODEL_NONE || reg->window != MODEL_NONE ||
	       reg->port_memory != MODEL_NONE || reg->hooks[0] ||
	       reg->hooks[1] || reg->self_clear == all ||
	       (unsigned int)(reg - m->reg) == m->interrupt.cause;
}

static bool written_by(const struct dmm_model *m, enum proc proc,
		       unsigned int reg)
{
	unsigned int i;

	for (i = 0; i < m->proc[proc].n; i++) {
		const struct proc_step *st = &m->step[m->proc[proc].first + i];

		if (st->kind == STEP_SAVE && st->reg == reg)
			return true;
		/* with what the guest had there, not just anything */
		if (st->kind == STEP_WRITE && st->reg == reg &&
		    rests_on(st->value, &m->reg[reg]))
			return true;
	}
	return false;
}

static bool restores_all(const struct dmm_model *m, unsigned int reg)
{
	unsigned int i, k;

	for (i = 0; i < m->proc[PROC_RESTORE].n; i++) {
		const struct proc_step *st =
			&m->step[m->proc[PROC_RESTORE].first + i];
		bool but = false;

		for (k = 0; k < st->buts; k++)
			but |= m->but[st->but + k] == reg;
		if (st->kind == STEP_ALL && !but)
			return true;
	}
	return written_by(m, PROC_RESTORE, reg);
}

static void context(struct prove *p)
{
	const struct dmm_model *m = p->m;
	unsigned int i;

	for (i = 0; i < m->regs && m->how != DMM_EXCLUSIVE; i++) {
		const struct reg *reg = &m->reg[i];

		if (!reg->writable || reg->global || is_command(m, reg))
			continue;
		if (reg->save_none)
			diag_error(p->diag, reg->pos,
				   DIAG_PROOF
				   "a guest can change %s, and it is not part "
				   "of a context",
				   reg->name);
	}
	for (i = 0; i < m->regs && m->proc[PROC_RESTORE].n; i++) {
		const struct reg *reg = &m->reg[i];

		if (!reg->writable || reg->save_none || reg->global ||
		    reg->w1_reg != MODEL_NONE || reg->window != MODEL_NONE ||
		    reg->port_memory != MODEL_NONE || restores_all(m, i))
			continue;
		diag_error(p->diag, reg->pos,
			   DIAG_PROOF
			   "a guest can change %s, and restore does not put "
			   "it back",
			   reg->name);
	}
}

/* Memory on the card must not show one guest what another left. */
static void isolation(struct prove *p)
{
	const struct dmm_model *m = p->m;
	unsigned int i, k;

	for (i = 0; i < m->memories; i++) {
		bool filled = m->memory[i].identity;

		for (k = 0; k < m->proc[PROC_SCRUB].n; k++) {
			const struct proc_step *st =
				&m->step[m->proc[PROC_SCRUB].first + k];

			filled |= st->kind == STEP_FILL && st->reg == i;
		}
		if (!filled && m->how != DMM_EXCLUSIVE)
			diag_error(p->diag, m->memory[i].pos,
				   DIAG_PROOF
				   "what a guest leaves in %s, the next one "
				   "finds: scrub does not fill it",
				   m->memory[i].name);
		if (!m->memory[i].identity && !m->memory[i].scrub &&
		    m->how != DMM_EXCLUSIVE)
			diag_error(p->diag, m->memory[i].pos,
				   DIAG_PROOF "memory %s needs isolate: scrub",
				   m->memory[i].name);
	}
}

/* A memory behind a port is reached only by what a check allowed. */
static void ports(struct prove *p)
{
	const struct dmm_model *m = p->m;
	unsigned int i, k;
	bool checked;

	for (i = 0; i < m->memories; i++) {
		for (checked = false, k = 0; k < m->checks; k++)
			checked |= m->check[k].port == m->memory[i].port &&
				   m->check[k].memories & 1u << i;
		if (!checked)
			diag_error(p->diag, m->memory[i].pos,
				   DIAG_PROOF "no check with a port covers %s",
				   m->memory[i].name);
	}
	for (k = 0; k < m->checks; k++) {
		for (checked = false, i = 0; i < m->rules; i++)
			checked |= m->rule[i].checks & 1u << k;
		if (!checked)
			diag_error(p->diag, m->check[k].pos,
				   DIAG_PROOF "no rule runs check %s",
				   m->check[k].name);
	}
	for (k = 0; k < m->rings; k++) {
		/* a ring without a tail is given when its use begins */
		bool tail = m->ring[k].kind != RING_OF_BYTES && !m->ring[k].own;

		for (checked = false, i = 0; i < m->rules; i++)
			checked |= (m->rule[i].rings & 1u << k) &&
				   m->rule[i].on == ON_WRITE &&
				   (!tail || m->rule[i].reg == m->ring[k].tail);
		if (!checked)
			diag_error(p->diag, m->ring[k].pos,
				   DIAG_PROOF "no rule checks %s when %s",
				   m->ring[k].name,
				   tail ? "its tail is written" :
					  "it comes into use");
	}
}

/* A guest must see only its own address, and only its own frames. */
static void identity(struct prove *p)
{
	const struct dmm_model *m = p->m;
	const struct identity *id = &m->identity;

	if (m->how == DMM_EXCLUSIVE ||
	    (!m->receive.ring.present && m->receive.dring == MODEL_NONE))
		return;
	if (id->mac_memory == MODEL_NONE && id->mac_eeprom == MODEL_NONE &&
	    id->mac_reg == MODEL_NONE)
		diag_error(p->diag, m->receive.pos,
			   DIAG_PROOF
			   "identity.mac does not say where a guest reads its "
			   "address");
	if (id->unicast == MODEL_NONE)
		diag_error(p->diag, m->receive.pos,
			   DIAG_PROOF
			   "identity.filter.unicast does not say which "
			   "addresses a guest listens to");
	if (!m->interrupt.line || m->interrupt.cause == MODEL_NONE)
		diag_error(p->diag, m->receive.pos,
			   DIAG_PROOF
			   "interrupt needs line and cause: how a guest is "
			   "told of what arrived");
	if (!m->receive.arrived.n)
		diag_error(p->diag, m->receive.pos,
			   DIAG_PROOF
			   "receive.arrived does not say what a guest sees of "
			   "a frame that the monitor put into its ring");
}

void prove_shape(struct prove *p)
{
	unsigned int i;

	for (i = 0; i < p->m->spaces; i++)
		classed(p, i);
	context(p);
	isolation(p);
	ports(p);
	identity(p);
}
