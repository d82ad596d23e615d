// SPDX-License-Identifier: MIT
/*
 * names.c: what names in a model mean: registers and their fields, machines
 * and states, values of an event, fields of a descriptor; and the compiler's
 * common words for what it does not find.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

bool build_full(struct build *b, struct diag_pos pos, const char *what,
		unsigned int n, unsigned int max)
{
	if (n < max)
		return false;
	diag_error(b->diag, pos, DIAG_MANY "more than %u %s", max, what);
	return true;
}

void build_unknown(struct build *b, struct diag_pos pos, const char *what,
		   const char *name, const char *const *first, size_t n,
		   size_t stride)
{
	const char **names = calloc(n + 1, sizeof(*names));
	const char *near = NULL;
	size_t i;

	for (i = 0; names && i < n; i++)
		names[i] = *(const char *const *)((const char *)first +
						  i * stride);
	if (names)
		near = diag_nearest(name, names, n);
	diag_error(b->diag, pos, DIAG_NAME "no %s is called \"%s\"", what,
		   name);
	if (near)
		diag_suggest(b->diag, name, near);
	free(names);
}

unsigned int model_reg(const struct dmm_model *model, const char *name)
{
	unsigned int i;

	for (i = 0; i < model->regs; i++)
		if (strcmp(model->reg[i].name, name) == 0)
			return i;
	return MODEL_NONE;
}

/* ---- names ---- */

/* Split "NAME[3].FIELD": (base) gets NAME; (*field) points into (text). */
static bool split_name(const char *text, char base[64], unsigned int *index,
		       bool *indexed, const char **field)
{
	size_t n = strcspn(text, "[.");
	char *end;

	if (n == 0 || n >= 64)
		return false;
	memcpy(base, text, n);
	base[n] = '\0';
	text += n;
	*index = 0;
	*indexed = *text == '[';
	if (*indexed) {
		unsigned long i = strtoul(text + 1, &end, 10);

		if (end == text + 1 || *end != ']')
			return false;
		*index = i < MODEL_NONE ? (unsigned int)i : MODEL_NONE;
		text = end + 1;
	}
	*field = NULL;
	if (*text == '.')
		*field = text + 1;
	else if (*text)
		return false;
	return true;
}

static bool find_field(struct build *b, const struct reg *reg, const char *name,
		       struct diag_pos pos, uint8_t *shift, uint64_t *mask)
{
	unsigned int i;

	for (i = 0; i < reg->fields; i++) {
		if (strcmp(reg->field[i].name, name))
			continue;
		*shift = reg->field[i].low;
		*mask = cc_ones(reg->field[i].bits);
		return true;
	}
	build_unknown(b, pos, "field of this register", name,
		      &reg->field[0].name, reg->fields, sizeof(reg->field[0]));
	return false;
}

bool build_target(struct build *b, const char *text, struct diag_pos pos,
		  struct target *out)
{
	const struct reg *reg;
	unsigned int index, i;
	const char *field;
	bool indexed;
	char base[64];

	if (!split_name(text, base, &index, &indexed, &field)) {
		diag_error(b->diag, pos, DIAG_NAME "\"%s\" is not a name",
			   text);
		return false;
	}
	i = model_reg(b->m, base);
	if (i == MODEL_NONE) {
		build_unknown(b, pos, "register", base, &b->m->reg[0].name,
			      b->m->regs, sizeof(b->m->reg[0]));
		return false;
	}
	reg = &b->m->reg[i];
	if (index >= reg->dim) {
		diag_error(b->diag, pos,
			   DIAG_RANGE "%s has elements 0 to %u, not %u", base,
			   reg->dim - 1u, index);
		return false;
	}
	*out = (struct target){ .reg = (uint16_t)i,
				.slot = (uint16_t)(reg->slot + index),
				.mask = cc_ones(reg->bits),
				.whole = !field && !indexed };
	return !field ||
	       find_field(b, reg, field, pos, &out->shift, &out->mask);
}

/* value, value.FIELD, width and a procedure's parameters. */
static bool resolve_event(const struct scope *sc, const char *name,
			  struct diag_pos pos, struct expr_operand *out,
			  bool *failed)
{
	static const struct {
		const char *name;
		unsigned int index, flag;
	} events[] = {
		{ "value", EXPR_VALUE, SCOPE_VALUE },
		{ "width", EXPR_WIDTH, SCOPE_VALUE },
		{ "at", EXPR_AT, SCOPE_PARAMS },
		{ "count", EXPR_COUNT, SCOPE_PARAMS },
		{ "length", EXPR_LENGTH, SCOPE_PARAMS },
		{ "mac", EXPR_MAC, SCOPE_MAC },
	};
	size_t i, n = strcspn(name, ".");

	for (i = 0; i < ARRAY_LEN(events); i++) {
		if (strlen(events[i].name) != n ||
		    strncmp(events[i].name, name, n))
			continue;
		if (!(sc->flags & events[i].flag))
			return false;
		out->kind = EXPR_IS_LOAD;
		out->ins = (struct expr_ins){
			.op = EXPR_OP_LOAD,
			.array = EXPR_EVENT,
			.index = (uint16_t)events[i].index,
			.k = UINT64_MAX,
		};
		if (!name[n])
			return true;
		if (i != 0 || !sc->reg) {
			diag_error(sc->b->diag, pos,
				   DIAG_NAME "\"%.*s\" has no fields", (int)n,
				   name);
			*failed = true;
			return true;
		}
		*failed = !find_field(sc->b, sc->reg, name + n + 1, pos,
				      &out->ins.shift, &out->ins.k);
		return true;
	}
	return false;
}

static bool resolve_machine(const struct scope *sc, const char *name,
			    int machine, struct expr_operand *out)
{
	const struct dmm_model *m = sc->b->m;
	const struct machine *mc;
	unsigned int i;

	if (!(sc->flags & SCOPE_STATES))
		return false;
	if (machine >= 0) {
		mc = &m->machine[machine];
		for (i = mc->states.first;
		     i < (unsigned int)mc->states.first + mc->states.n; i++) {
			if (strcmp(m->state[i].name, name))
				continue;
			out->kind = EXPR_IS_CONST;
			out->state = true;
			out->ins = (struct expr_ins){ .op = EXPR_OP_CONST,
						      .k = i };
			return true;
		}
		return false;
	}
	for (i = 0; i < m->machines; i++) {
		if (strcmp(m->machine[i].name, name))
			continue;
		out->kind = EXPR_IS_LOAD;
		out->ins = (struct expr_ins){ .op = EXPR_OP_LOAD,
					      .array = EXPR_STATE,
					      .index = (uint16_t)i,
					      .k = UINT64_MAX };
		out->machine = (int)i;
		return true;
	}
	return false;
}

/* True, and a message, if the latch of the bits (mask) says nothing here. */
static bool is_volatile(const struct scope *sc, const struct reg *reg,
			uint64_t mask, const char *name, struct diag_pos pos)
{
	if (sc->flags & SCOPE_VOLATILE || (!(reg->vol & mask) && reg->writable))
		return false;
	diag_error(sc->b->diag, pos,
		   DIAG_VOLATILE
		   "the device changes %s by itself: its latch says nothing "
		   "here",
		   name);
	diag_advise(sc->b->diag, "name a field that only the guest changes, "
				 "or ask the device in a rule on poll");
	return true;
}

/* May what a let stands for be used here? */
static bool let_fits(const struct scope *sc, const struct expr *e,
		     const char *name, struct diag_pos pos)
{
	const struct dmm_model *m = sc->b->m;
	const struct reg *reg;
	unsigned int i, k;

	for (i = 0; i < e->n; i++) {
		const struct expr_ins *ins = &e->ins[i];

		if (ins->op != EXPR_OP_LOAD)
			continue;
		if (ins->array == EXPR_STATE && !(sc->flags & SCOPE_STATES)) {
			diag_error(sc->b->diag, pos,
				   DIAG_SCOPE
				   "\"%s\" rests on a machine's state, which "
				   "counts for nothing here",
				   name);
			return false;
		}
		for (k = 0; ins->array == EXPR_REG && k < m->regs; k++) {
			reg = &m->reg[k];
			if (ins->index >= reg->slot &&
			    ins->index < reg->slot + reg->dim &&
			    is_volatile(sc, reg, ins->k << ins->shift, name,
					pos))
				return false;
		}
	}
	return true;
}

static bool resolve_let(const struct scope *sc, const char *name,
			struct diag_pos pos, struct expr_operand *out,
			bool *failed)
{
	const struct expr *e;
	unsigned int i;

	for (i = 0; i < sc->b->lets; i++) {
		if (strcmp(sc->b->let[i].name, name))
			continue;
		e = sc->b->let[i].expr;
		/* one that had its error stands for anything */
		out->kind = e ? EXPR_IS_EXPR : EXPR_IS_CONST;
		out->expr = e;
		*failed = e && !let_fits(sc, e, name, pos);
		return true;
	}
	return false;
}

/* A field of a descriptor, where one is at hand. */
static bool resolve_field(const struct scope *sc, const char *name,
			  struct expr_operand *out)
{
	const struct field *f;
	unsigned int i;

	for (i = 0; sc->ring && i < sc->ring->fields; i++) {
		f = &sc->ring->field[i];
		if (strcmp(f->name, name))
			continue;
		out->kind = EXPR_IS_LOAD;
		out->ins = (struct expr_ins){ .op = EXPR_OP_LOAD,
					      .array = EXPR_FIELD,
					      .index = f->low / 64u,
					      .shift = f->low % 64u,
					      .k = cc_ones(f->bits) };
		return true;
	}
	return false;
}

uint16_t build_find_ring(const struct build *b, const char *name)
{
	unsigned int i;

	for (i = 0; i < b->m->rings; i++)
		if (strcmp(b->m->ring[i].name, name) == 0)
			return (uint16_t)i;
	return MODEL_NONE;
}

/* init.base: of the monitor's own block. */
static bool resolve_block(const struct scope *sc, const char *name,
			  struct expr_operand *out)
{
	unsigned int i;

	for (i = 0; i < sc->b->m->blocks; i++) {
		if (strcmp(sc->b->m->block[i].form.name, name))
			continue;
		out->kind = EXPR_IS_LOAD;
		out->ins = (struct expr_ins){
			.op = EXPR_OP_LOAD,
			.array = EXPR_SHADOW,
			.index =
				(uint16_t)(MODEL_MAX_RINGS * EXPR_RING_NUMBERS +
					   i),
			.k = UINT64_MAX,
		};
		return true;
	}
	return false;
}

/* txRing.base, txRing.count, txRing.idle: of the monitor's own ring. */
static bool resolve_shadow(const struct scope *sc, const char *name,
			   struct expr_operand *out)
{
	static const struct {
		const char *name;
		unsigned int index, flag;
	} numbers[] = {
		{ ".base", EXPR_RING_BASE, SCOPE_SHADOW },
		{ ".count", EXPR_RING_COUNT, SCOPE_SHADOW },
		{ ".idle", EXPR_RING_IDLE, SCOPE_IDLE | SCOPE_SHADOW },
	};
	const char *dot = strchr(name, '.');
	char base[64] = "";
	uint16_t ring;
	size_t i;

	if (!dot || (size_t)(dot - name) >= sizeof(base))
		return false;
	memcpy(base, name, (size_t)(dot - name));
	ring = build_find_ring(sc->b, base);
	if (ring == MODEL_NONE && strcmp(dot, ".base") == 0 &&
	    sc->flags & SCOPE_SHADOW)
		return resolve_block(sc, base, out);
	for (i = 0; ring != MODEL_NONE && i < ARRAY_LEN(numbers); i++) {
		if (strcmp(dot, numbers[i].name) ||
		    !(sc->flags & numbers[i].flag))
			continue;
		out->kind = EXPR_IS_LOAD;
		out->ins = (struct expr_ins){
			.op = EXPR_OP_LOAD,
			.array = EXPR_SHADOW,
			.index = (uint16_t)(ring * EXPR_RING_NUMBERS +
					    numbers[i].index),
			.k = UINT64_MAX,
		};
		return true;
	}
	return false;
}

/* Neither a register nor a let; what is near may be either. */
static void unknown_name(struct build *b, struct diag_pos pos, const char *name)
{
	const char *names[MODEL_MAX_REGS + MODEL_MAX_LETS];
	unsigned int i, n = 0;

	for (i = 0; i < b->m->regs; i++)
		names[n++] = b->m->reg[i].name;
	for (i = 0; i < b->lets; i++)
		names[n++] = b->let[i].name;
	build_unknown(b, pos, "register", name, names, n, sizeof(names[0]));
}

/* Names that mean something, but not here, or were misspelt. */
static bool said_why(const struct scope *sc, const char *name, int machine,
		     struct diag_pos pos)
{
	const struct dmm_model *m = sc->b->m;
	const struct machine *mc;
	char base[64] = "";
	unsigned int i;
	size_t n;

	if (machine >= 0 && model_reg(m, name) == MODEL_NONE) {
		mc = &m->machine[machine];
		build_unknown(sc->b, pos, "state of this machine", name,
			      &m->state[mc->states.first].name, mc->states.n,
			      sizeof(m->state[0]));
		return true;
	}
	n = strcspn(name, ".[");
	if (n < sizeof(base))
		memcpy(base, name, n);
	if (model_reg(m, base) != MODEL_NONE || strcmp(base, "device") == 0)
		return false;
	for (i = 0; i < sc->b->lets; i++)
		if (strcmp(sc->b->let[i].name, base) == 0)
			break;
	if (strcmp(base, "value") == 0)
		diag_error(sc->b->diag, pos,
			   DIAG_SCOPE
			   "the value is known only in rules on write");
	else if (i < sc->b->lets)
		diag_error(sc->b->diag, pos, DIAG_NAME "\"%s\" has no fields",
			   base);
	else
		unknown_name(sc->b, pos, base);
	return true;
}

static int resolve_register(const struct scope *sc, const char *name,
			    int machine, struct diag_pos pos,
			    struct expr_operand *out)
{
	bool device = strncmp(name, "device.", 7) == 0;
	struct build *b = sc->b;
	const struct reg *reg;
	struct target t;

	if (said_why(sc, name, machine, pos))
		return -EINVAL;
	if (!build_target(b, device ? name + 7 : name, pos, &t))
		return -EINVAL;
	reg = &b->m->reg[t.reg];
	out->ins = (struct expr_ins){ .index = t.slot,
				      .shift = t.shift,
				      .k = t.mask };
	if (device) {
		if (!(sc->flags & SCOPE_DEVICE))
			return diag_error(b->diag, pos,
					  DIAG_SCOPE
					  "the device is asked only in rules "
					  "on poll and in procedures");
		if (!reg->readable || reg->read_clears)
			return diag_error(b->diag, pos,
					  DIAG_DIRECTION
					  "%s cannot be read without an effect",
					  reg->name);
		out->kind = EXPR_IS_ASK;
		out->ins.op = EXPR_OP_ASK;
		return 0;
	}
	if (is_volatile(sc, reg, t.mask << t.shift, name, pos))
		return -EINVAL;
	out->kind = EXPR_IS_LOAD;
	out->ins.op = EXPR_OP_LOAD;
	out->ins.array = EXPR_REG;
	return 0;
}

static int resolve(void *ctx, const char *name, int machine,
		   struct diag_pos pos, struct expr_operand *out,
		   struct diag *diag)
{
	const struct scope *sc = ctx;
	bool failed = false;

	(void)diag; /* the build's own */
	*out = (struct expr_operand){ .machine = -1 };
	if (resolve_event(sc, name, pos, out, &failed))
		return failed ? -EINVAL : 0;
	if (resolve_field(sc, name, out) ||
	    resolve_machine(sc, name, machine, out))
		return 0;
	if (resolve_let(sc, name, pos, out, &failed))
		return failed ? -EINVAL : 0;
	if (resolve_shadow(sc, name, out))
		return 0;
	return resolve_register(sc, name, machine, pos, out);
}

static struct expr *parse(struct scope *sc, const char *text,
			  struct diag_pos pos)
{
	struct expr *expr = NULL;
	int err = expr_parse(&expr, text, pos, resolve, sc, sc->b->diag);

	if (err == -ENOMEM)
		sc->b->no_memory = true;
	return err ? NULL : expr;
}

struct expr *build_expr_text(struct build *b, const char *text,
			     struct diag_pos pos, unsigned int flags,
			     const struct reg *reg)
{
	struct scope sc = { .b = b, .flags = flags, .reg = reg };

	return parse(&sc, text, pos);
}

struct expr *build_ring_expr(struct build *b, const struct node *node,
			     const struct ring *ring, unsigned int flags)
{
	struct scope sc = { .b = b,
			    .ring = ring,
			    .flags = SCOPE_VOLATILE | flags };
	struct diag_pos pos = node->pos;

	if (node_expect(node, NODE_SCALAR, "an expression", b->diag))
		return NULL;
	if (node->quoted && pos.column)
		pos.column++;
	return parse(&sc, node->text, pos);
}

struct expr *build_field_expr(struct build *b, const struct node *node,
			      const struct ring *ring)
{
	return build_ring_expr(b, node, ring, 0);
}

bool build_bits(struct build *b, const struct node *node, struct bits *out)
{
	struct target t;

	if (!node ||
	    node_expect(node, NODE_SCALAR, "a register's bits", b->diag) ||
	    !build_target(b, node->text, node->pos, &t))
		return false;
	*out = (struct bits){
		.reg = t.reg, .slot = t.slot, .shift = t.shift, .mask = t.mask
	};
	return true;
}

bool build_field_bits(struct build *b, const struct node *node,
		      const struct ring *ring, struct bits *out)
{
	unsigned int i;

	if (node_expect(node, NODE_SCALAR, "a field", b->diag))
		return false;
	for (i = 0; i < ring->fields; i++) {
		const struct field *f = &ring->field[i];

		if (!node_is(node, f->name))
			continue;
		*out = (struct bits){ .slot = f->low / 64u,
				      .shift = f->low % 64u,
				      .mask = cc_ones(f->bits) };
		return true;
	}
	build_unknown(b, node->pos, "field of the descriptor", node->text,
		      &ring->field[0].name, ring->fields,
		      sizeof(ring->field[0]));
	return false;
}

struct expr *build_expr(struct build *b, const struct node *node,
			unsigned int flags, const struct reg *reg)
{
	struct diag_pos pos = node->pos;

	if (node_expect(node, NODE_SCALAR, "an expression", b->diag))
		return NULL;
	if (node->quoted && pos.column)
		pos.column++;
	return build_expr_text(b, node->text, pos, flags, reg);
}

uint16_t build_reg(struct build *b, const struct node *node, const char *what)
{
	struct target t;

	if (node_expect(node, NODE_SCALAR, what, b->diag) ||
	    !build_target(b, node->text, node->pos, &t))
		return MODEL_NONE;
	if (t.whole)
		return t.reg;
	diag_error(b->diag, node->pos,
		   DIAG_FITS "expected %s, got a part of one", what);
	return MODEL_NONE;
}

/* What is set, and what the values may name. */
struct sides {
	const struct ring *left;  /* its fields; NULL: registers */
	const struct ring *right; /* its fields, too; NULL: registers alone */
	unsigned int flags;
	const struct reg *reg;
};

static struct span sets_of(struct build *b, const struct node *map,
			   const struct sides *s)
{
	struct dmm_model *m = b->m;
	struct span span = { .first = m->sets };
	struct bits bits;
	struct set *set;
	size_t i;

	if (!map || node_expect(map, NODE_MAP,
				s->left ? "fields and their values" :
					  "registers and their values",
				b->diag))
		return span;
	for (i = 0; i < map->n; i++) {
		if (build_full(b, map->key[i]->pos, "assignments", m->sets,
			       MODEL_MAX_SETS))
			break;
		if (!(s->left ?
			      build_field_bits(b, map->key[i], s->left, &bits) :
			      build_bits(b, map->key[i], &bits)))
			continue;
		set = &m->set[m->sets];
		*set = (struct set){ .pos = map->key[i]->pos,
				     .reg = s->left ? MODEL_NONE : bits.reg,
				     .slot = bits.slot,
				     .shift = bits.shift,
				     .mask = bits.mask };
		set->value =
			s->right ? build_ring_expr(b, map->at[i], s->right,
						   s->flags) :
				   build_expr(b, map->at[i], s->flags, s->reg);
		if (set->value)
			m->sets++;
	}
	span.n = (uint16_t)(m->sets - span.first);
	return span;
}

struct span build_field_sets(struct build *b, const struct node *map,
			     const struct ring *ring, unsigned int flags)
{
	return sets_of(
		b, map,
		&(struct sides){ .left = ring, .right = ring, .flags = flags });
}

struct span build_loads(struct build *b, const struct node *map,
			const struct ring *form)
{
	return sets_of(b, map, &(struct sides){ .right = form });
}

struct span build_sets(struct build *b, const struct node *map,
		       unsigned int flags)
{
	return build_event_sets(b, map, flags, NULL);
}

struct span build_event_sets(struct build *b, const struct node *map,
			     unsigned int flags, const struct reg *reg)
{
	return sets_of(b, map, &(struct sides){ .flags = flags, .reg = reg });
}

void build_lets(struct build *b, const struct node *root)
{
	const struct node *lets = node_get(root, "let");
	unsigned int flags = SCOPE_VOLATILE | SCOPE_STATES;
	struct expr *expr;
	size_t i;

	if (!lets ||
	    node_expect(lets, NODE_MAP, "names and expressions", b->diag))
		return;
	for (i = 0; i < lets->n; i++) {
		if (build_full(b, lets->key[i]->pos, "names", b->lets,
			       MODEL_MAX_LETS))
			return;
		if (model_reg(b->m, lets->key[i]->text) != MODEL_NONE)
			diag_error(b->diag, lets->key[i]->pos,
				   DIAG_TAKEN "\"%s\" is already a register",
				   lets->key[i]->text);
		expr = build_expr(b, lets->at[i], flags, NULL);
		b->let[b->lets].name = lets->key[i]->text;
		b->let[b->lets++].expr = expr;
	}
}
