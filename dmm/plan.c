// SPDX-License-Identifier: MIT
/*
 * plan.c: building the table of registers by offset, and looking in it.
 */

#include <stdlib.h>
#include <string.h>

#include "build.h"

void plan_free(struct plan *plan)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAX_SPACES; i++) {
		free(plan->head[i][0]);
		free(plan->head[i][1]);
	}
	free(plan->entry);
}

const struct plan_entry *plan_find(const struct dmm_model *m,
				   unsigned int space, uint64_t off, bool write,
				   const uint64_t *reg)
{
	const struct plan_entry *e;
	uint16_t i;

	if (m->space[space].same_as != MODEL_NONE)
		space = m->space[space].same_as;
	/* a grain is a power of two, and a division is slow */
	off >>= __builtin_ctz(m->space[space].grain);
	i = m->plan.head[space][write][off];
	for (; i != MODEL_NONE; i = e->next) {
		e = &m->plan.entry[i];
		if (e->always || place_holds(&m->place[e->place], reg))
			return e;
	}
	return NULL;
}

/* ---- building ---- */

/* The fields that two conditions rest on, to try all their values. */
struct loads {
	struct expr_ins ins[16];
	unsigned int n, bits;
};

static void add_loads(struct loads *l, const struct expr *e)
{
	unsigned int i, k;

	for (i = 0; e && i < e->n; i++) {
		if (e->ins[i].op != EXPR_OP_LOAD)
			continue;
		for (k = 0; k < l->n; k++)
			if (l->ins[k].index == e->ins[i].index &&
			    l->ins[k].shift == e->ins[i].shift &&
			    l->ins[k].k == e->ins[i].k)
				break;
		if (k < l->n)
			continue;
		if (l->n == ARRAY_LEN(l->ins)) {
			l->bits = 64;
			return;
		}
		l->ins[l->n++] = e->ins[i];
		l->bits += (unsigned int)__builtin_popcountll(e->ins[i].k);
	}
}

/* All values of so many bits are tried, and so many values for a model. */
#define TRY_BITS 12u
#define TRY_MAX (1u << 22)

/* Count (n) values to be tried; true, and a message once, if it is too much. */
static bool too_many(struct build *b, struct diag_pos pos, unsigned int n)
{
	if (b->tries > TRY_MAX)
		return true;
	b->tries += n;
	if (b->tries <= TRY_MAX)
		return false;
	diag_error(b->diag, pos,
		   DIAG_MANY
		   "too many conditions of places to tell them apart");
	diag_advise(b->diag, "write them as FIELD == NUMBER");
	return true;
}

/* Can both conditions hold at once?  Tries all values of what they read. */
static bool can_meet(struct build *b, const struct place *p,
		     const struct place *q)
{
	struct loads l = { .n = 0 };
	struct expr_env env;
	uint64_t v, rest, *reg;
	bool meet = false;
	unsigned int i;

	if (!p->cond || !q->cond)
		return true;
	if (p->sel_reg != MODEL_NONE && p->sel_reg == q->sel_reg &&
	    p->sel_shift == q->sel_shift && p->sel_mask == q->sel_mask)
		return p->sel_value == q->sel_value;
	add_loads(&l, p->cond);
	add_loads(&l, q->cond);
	if (l.bits > TRY_BITS)
		return true;
	if (too_many(b, p->pos, 1u << l.bits))
		return false;
	reg = calloc(b->m->slots + 1u, sizeof(*reg));
	if (!reg) {
		b->no_memory = true;
		return false;
	}
	env = (struct expr_env){ .array = { [EXPR_REG] = reg } };
	for (v = 0; v < UINT64_C(1) << l.bits && !meet; v++) {
		rest = v;
		for (i = 0; i < l.n; i++)
			reg[l.ins[i].index] = 0;
		for (i = 0; i < l.n; i++) {
			reg[l.ins[i].index] |= (rest & l.ins[i].k)
					       << l.ins[i].shift;
			rest >>= __builtin_popcountll(l.ins[i].k);
		}
		meet = expr_eval(p->cond, &env, NULL) &&
		       expr_eval(q->cond, &env, NULL);
	}
	free(reg);
	return meet;
}

static void add_entry(struct build *b, uint16_t place, bool write, uint64_t off,
		      uint16_t slot, uint8_t byte, bool any)
{
	struct dmm_model *m = b->m;
	const struct place *pl = &m->place[place], *other;
	uint16_t *link = &m->plan.head[pl->space][write]
				      [off / m->space[pl->space].grain];
	struct plan_entry *e;

	while (*link != MODEL_NONE) {
		e = &m->plan.entry[*link];
		other = &m->place[e->place];
		if (can_meet(b, pl, other)) {
			diag_error(b->diag, pl->pos,
				   DIAG_OVERLAP
				   "%s and %s are both %s at %s+0x%llx",
				   m->reg[pl->reg].name,
				   m->reg[other->reg].name,
				   write ? "written" : "read",
				   m->space[pl->space].name,
				   (unsigned long long)off);
			diag_advise(b->diag, "give each a condition (if …) "
					     "that tells them apart");
			return;
		}
		link = &e->next;
	}
	e = &m->plan.entry[m->plan.entries];
	*e = (struct plan_entry){ .reg = pl->reg,
				  .slot = slot,
				  .place = place,
				  .next = MODEL_NONE,
				  .byte = byte,
				  .any_byte = any,
				  .always = !pl->cond };
	*link = m->plan.entries++;
}

/* Every offset of a place, in both directions; counts only, without (b). */
static uint64_t walk_place(struct build *b, struct dmm_model *m, uint16_t place)
{
	const struct place *pl = &m->place[place];
	const struct reg *reg = &m->reg[pl->reg];
	unsigned int grain = m->space[pl->space].grain, bytes = reg->bits / 8u;
	bool port = pl->last > pl->off;
	uint64_t off, n = 0;
	unsigned int i, dir, errors = b ? b->diag->errors : 0;

	for (dir = 0; dir < 2; dir++) {
		if (!(dir ? pl->write : pl->read))
			continue;
		for (off = pl->off; port && off <= pl->last; off += grain, n++)
			if (b)
				add_entry(b, place, dir, off, reg->slot, 0,
					  true);
		for (i = 0; !port && i < reg->dim; i++)
			for (off = 0; off < bytes; off += grain, n++) {
				if (b && b->diag->errors == errors)
					add_entry(b, place, dir,
						  pl->off + i * pl->step + off,
						  (uint16_t)(reg->slot + i),
						  (uint8_t)off, false);
			}
	}
	return n;
}

void build_plan(struct build *b)
{
	struct dmm_model *m = b->m;
	uint64_t n = 0;
	unsigned int i, dir;
	size_t k, size;

	for (i = 0; i < m->spaces; i++) {
		size = m->space[i].size / m->space[i].grain + 1;
		for (dir = 0; dir < 2; dir++) {
			m->plan.head[i][dir] = malloc(size * sizeof(uint16_t));
			if (!m->plan.head[i][dir]) {
				b->no_memory = true;
				return;
			}
			for (k = 0; k < size; k++)
				m->plan.head[i][dir][k] = MODEL_NONE;
		}
	}
	for (i = 0; i < m->places && n < MODEL_NONE; i++)
		n += walk_place(NULL, m, (uint16_t)i);
	if (n >= MODEL_NONE) {
		diag_error(b->diag, m->place[i - 1].pos,
			   DIAG_MANY
			   "with this the registers cover more than %u bytes",
			   MODEL_NONE - 1);
		return;
	}
	m->plan.entry = calloc(n + 1, sizeof(*m->plan.entry));
	if (!m->plan.entry) {
		b->no_memory = true;
		return;
	}
	for (i = 0; i < m->places && !b->no_memory; i++)
		walk_place(b, m, (uint16_t)i);
}
