// SPDX-License-Identifier: MIT
/*
 * registers.c: the compiler's part for registers, their fields and the places
 * where they stand.
 */

#include <stdlib.h>
#include <string.h>

#include "build.h"

/* ---- places ---- */

static bool number_at(const char **p, uint64_t *out)
{
	char *end;
	int base;

	if (**p < '0' || **p > '9')
		return false;
	base = strncmp(*p, "0x", 2) == 0 ? 16 : 10;
	*out = strtoull(*p, &end, base);
	*p = end;
	return true;
}

static bool word_at(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) || ((*p)[n] && (*p)[n] != ' '))
		return false;
	*p += n;
	while (**p == ' ')
		(*p)++;
	return true;
}

static void bad_place(struct build *b, const struct node *node)
{
	diag_error(b->diag, node->pos, DIAG_FORM "\"%s\" is not a place",
		   node->text);
	diag_advise(b->diag, "a place is SPACE+OFFSET[..LAST] [read|write] "
			     "[if CONDITION], such as io+0x04 read if "
			     "CR.PS == 0");
}

/* Is there a space of the name before (plus), with places of its own? */
static bool place_space(struct build *b, const struct node *node,
			const struct place *pl, const char *plus)
{
	const struct space *s;
	char name[64] = "";

	if (pl->space == MODEL_NONE) {
		if ((size_t)(plus - node->text) < sizeof(name))
			memcpy(name, node->text, (size_t)(plus - node->text));
		build_unknown(b, node->pos, "space", name, &b->m->space[0].name,
			      b->m->spaces, sizeof(b->m->space[0]));
		return false;
	}
	s = &b->m->space[pl->space];
	if (s->same_as == MODEL_NONE)
		return true;
	diag_error(b->diag, node->pos, DIAG_FITS "%s is a second door to %s",
		   s->name, b->m->space[s->same_as].name);
	diag_advise(b->diag, "say where in %s it is; then it is there by both",
		    b->m->space[s->same_as].name);
	return false;
}

/* Returns where the condition begins in the text, NULL after an error. */
static const char *parse_place(struct build *b, const struct node *node,
			       struct place *pl)
{
	const char *p = node->text, *plus = strchr(p, '+');
	uint64_t off, last, unit = 1;

	if (!plus || plus == p) {
		bad_place(b, node);
		return NULL;
	}
	pl->space = build_find_space(b, p, (size_t)(plus - p));
	p = plus + 1;
	if (!number_at(&p, &off)) {
		bad_place(b, node);
		return NULL;
	}
	last = off;
	if (p[0] == '.' && p[1] == '.') {
		p += 2;
		if (!number_at(&p, &last)) {
			bad_place(b, node);
			return NULL;
		}
		if (last < off) {
			diag_error(b->diag, node->pos,
				   DIAG_RANGE "\"%s\" ends before it begins",
				   node->text);
			return NULL;
		}
	}
	while (*p == ' ')
		p++;
	pl->read = pl->write = true;
	if (word_at(&p, "read"))
		pl->write = false;
	else if (word_at(&p, "write"))
		pl->read = false;
	if (*p && (!word_at(&p, "if") || !*p)) {
		bad_place(b, node);
		return NULL;
	}
	if (!place_space(b, node, pl, plus))
		return NULL;
	if (b->m->space[pl->space].kind == SPACE_WINDOW)
		unit = b->m->space[pl->space].width / 8u;
	if (last * unit >= b->m->space[pl->space].size) {
		diag_error(b->diag, node->pos,
			   DIAG_RANGE "offset 0x%llx is beyond space %s",
			   (unsigned long long)last,
			   b->m->space[pl->space].name);
		return NULL;
	}
	pl->off = (uint32_t)(off * unit);
	pl->last = (uint32_t)(last * unit);
	return p;
}

/* Does the register fit into its space, from the place (pl) on? */
static bool place_fits(struct build *b, const struct reg *reg,
		       const struct place *pl)
{
	const struct space *s = &b->m->space[pl->space];
	uint64_t end =
		pl->off + (uint64_t)pl->step * (reg->dim - 1u) + reg->bits / 8u;

	if (end > s->size)
		diag_error(b->diag, pl->pos,
			   DIAG_RANGE "%s ends at 0x%llx, beyond space %s",
			   reg->name, (unsigned long long)end, s->name);
	else if (pl->last > pl->off && reg->dim > 1)
		diag_error(b->diag, pl->pos,
			   DIAG_FITS
			   "%s has elements, so a place of it has one offset",
			   reg->name);
	else if (pl->off % s->grain || pl->last % s->grain ||
		 pl->step % s->grain || reg->bits / 8u % s->grain)
		diag_error(b->diag, pl->pos,
			   DIAG_ALIGN "%s is not aligned to the space's width",
			   reg->name);
	else
		return true;
	return false;
}

static void add_place(struct build *b, const struct node *node, struct reg *reg,
		      uint16_t index, uint32_t step)
{
	struct dmm_model *m = b->m;
	struct place pl = { .pos = node->pos,
			    .reg = index,
			    .step = step,
			    .sel_reg = MODEL_NONE };

	if (node_expect(node, NODE_SCALAR, "a place", b->diag) ||
	    build_full(b, node->pos, "places", m->places, MODEL_MAX_PLACES) ||
	    !parse_place(b, node, &pl) || !place_fits(b, reg, &pl)) {
		/* one error is enough: do not say that it cannot be written */
		reg->readable = reg->writable = true;
		return;
	}
	reg->readable |= pl.read;
	reg->writable |= pl.write;
	reg->places++;
	m->place[m->places++] = pl;
}

/*
 * If the condition is "FIELD == constant" of one register, note it so: the
 * look-up is quicker, and a procedure knows how to select the bank.
 */
static void note_selector(struct build *b, struct place *pl)
{
	const struct expr *e = pl->cond;
	unsigned int i;

	for (i = 0; i < e->n; i++) {
		if (e->ins[i].op != EXPR_OP_LOAD || e->ins[i].array != EXPR_REG)
			continue;
		for (unsigned int r = 0; r < b->m->regs; r++)
			if (e->ins[i].index >= b->m->reg[r].slot &&
			    e->ins[i].index <
				    b->m->reg[r].slot + b->m->reg[r].dim &&
			    e->ins[i].k << e->ins[i].shift & ~b->m->reg[r].ro)
				b->m->reg[r].selector = true;
	}
	if (e->n == 3 && e->ins[0].op == EXPR_OP_LOAD &&
	    e->ins[0].array == EXPR_REG && e->ins[1].op == EXPR_OP_CONST &&
	    e->ins[2].op == EXPR_OP_EQ) {
		pl->sel_reg = e->ins[0].index;
		pl->sel_shift = e->ins[0].shift;
		pl->sel_mask = e->ins[0].k;
		pl->sel_value = e->ins[1].k;
		if (pl->sel_value & ~pl->sel_mask)
			diag_error(b->diag, e->pos,
				   DIAG_NEVER "this is never so");
	}
}

static void place_condition(struct build *b, const struct node *node,
			    struct place *pl)
{
	struct diag_pos pos = node->pos;
	struct place scratch;
	const char *cond;

	scratch = *pl;
	cond = parse_place(b, node, &scratch);
	if (!cond || !*cond)
		return;
	if (pos.column)
		pos.column += (uint32_t)(cond - node->text) + node->quoted;
	pl->cond = build_expr_text(b, cond, pos, 0, NULL);
	if (pl->cond)
		note_selector(b, pl);
}

/* ---- registers ---- */

static const char *const reg_keys[] = {
	"at",	      "size",	    "dim",    "step",	     "width",
	"fields",     "resetValue", "w1c",    "w1s",	     "volatile",
	"readAction", "global",	    "merge",  "keepOnReset", "save",
	"parked",     "answer",	    "select", "moves",	     "selfClear",
	"readOnly",   "afterRead",
};

/* "7", "0..6", a field's name, or a list of them; `all` is every bit. */
static bool parse_bits(struct build *b, const struct node *node,
		       const struct reg *reg, uint64_t *out)
{
	uint64_t low, high;
	const char *p;
	size_t i;

	if (node->kind == NODE_SEQ) {
		for (i = 0; i < node->n; i++)
			if (!parse_bits(b, node->at[i], reg, out))
				return false;
		return true;
	}
	if (node_expect(node, NODE_SCALAR, "bits", b->diag))
		return false;
	if (node_is(node, "all") || node_is(node, "true")) {
		*out = cc_ones(reg->bits);
		return true;
	}
	if (node_is(node, "false"))
		return true;
	p = node->text;
	if (number_at(&p, &low)) {
		high = low;
		if (p[0] == '.' && p[1] == '.') {
			p += 2;
			if (!number_at(&p, &high))
				high = UINT64_MAX;
		}
		if (*p || high < low || high >= reg->bits) {
			diag_error(b->diag, node->pos,
				   DIAG_RANGE
				   "expected bits of %s (0 to %u), got \"%s\"",
				   reg->name, reg->bits - 1u, node->text);
			return false;
		}
		*out |= cc_ones((unsigned int)(high - low) + 1) << low;
		return true;
	}
	for (i = 0; i < reg->fields; i++) {
		if (strcmp(reg->field[i].name, node->text))
			continue;
		*out |= cc_ones(reg->field[i].bits) << reg->field[i].low;
		return true;
	}
	build_unknown(b, node->pos, "field of this register", node->text,
		      &reg->field[0].name, reg->fields, sizeof(reg->field[0]));
	return false;
}

static void reg_fields(struct build *b, const struct node *map, struct reg *reg)
{
	uint64_t bits, run, used = 0;
	struct field *f;
	size_t i;

	if (!map ||
	    node_expect(map, NODE_MAP, "fields and their bits", b->diag))
		return;
	for (i = 0; i < map->n; i++) {
		if (build_full(b, map->key[i]->pos, "fields", reg->fields,
			       MODEL_MAX_FIELDS))
			return;
		bits = 0;
		if (!parse_bits(b, map->at[i], reg, &bits))
			continue;
		run = bits ? bits >> __builtin_ctzll(bits) : 0;
		if (!run || run & (run + 1)) {
			diag_error(b->diag, map->at[i]->pos,
				   DIAG_FITS
				   "a field is one run of bits, such as 3..5");
			continue;
		}
		if (bits & used)
			diag_error(b->diag, map->key[i]->pos,
				   DIAG_OVERLAP
				   "field %s overlaps another of %s",
				   map->key[i]->text, reg->name);
		used |= bits;
		f = &reg->field[reg->fields++];
		f->name = map->key[i]->text;
		f->low = (uint8_t)__builtin_ctzll(bits);
		f->bits = (uint8_t)__builtin_popcountll(bits);
	}
}

static void reg_widths(struct build *b, const struct node *n, struct reg *reg)
{
	const struct node *one = n;
	uint64_t v;
	size_t i;

	reg->widths = REG_ANY_WIDTH;
	if (!n)
		return;
	reg->widths = 0;
	for (i = 0; i < (n->kind == NODE_SEQ ? n->n : 1); i++) {
		if (n->kind == NODE_SEQ)
			one = n->at[i];
		if (node_u64(one, "a width in bits", 64, &v, b->diag))
			continue;
		if (v != 8 && v != 16 && v != 32 && v != 64)
			diag_error(b->diag, one->pos,
				   DIAG_VALUE
				   "a width is 8, 16, 32 or 64 bits");
		else
			reg->widths |= (uint8_t)(v / 8);
	}
	if (n->kind == NODE_SEQ && n->n == 0)
		diag_error(b->diag, n->pos,
			   DIAG_MISSING "%s answers no width at all",
			   reg->name);
}

static bool reg_shape(struct build *b, const struct node *node, struct reg *reg,
		      uint32_t *step)
{
	const struct node *at = node_get(node, "at"), *n;
	uint64_t v = 0, bits = 8;
	const char *plus;
	uint16_t space;

	reg->dim = 1;
	reg->bits = 8;
	if (!at || (at->kind == NODE_SEQ && at->n == 0)) {
		diag_error(b->diag, at ? at->pos : node->pos,
			   DIAG_MISSING "register %s needs a place", reg->name);
		diag_advise(b->diag, "at: SPACE+OFFSET");
		return false;
	}
	if (at->kind == NODE_SEQ)
		at = at->at[0];
	plus = at->kind == NODE_SCALAR ? strchr(at->text, '+') : NULL;
	space = plus ? build_find_space(b, at->text,
					(size_t)(plus - at->text)) :
		       MODEL_NONE;
	if (space != MODEL_NONE)
		bits = b->m->space[space].width;
	n = node_get(node, "size");
	if (n && node_u64(n, "a size in bits", 64, &bits, b->diag))
		return false;
	if (bits == 0 || bits % 8) {
		diag_error(b->diag, n->pos,
			   DIAG_VALUE
			   "a size is a multiple of 8 bits, up to 64");
		return false;
	}
	reg->bits = (uint8_t)bits;
	n = node_get(node, "dim");
	if (n) {
		if (node_u64(n, "a number of elements", 1024, &v, b->diag))
			return false;
		if (v == 0) {
			diag_error(b->diag, n->pos,
				   DIAG_VALUE "dim is 1 or more");
			return false;
		}
		reg->dim = (uint16_t)v;
	}
	v = bits / 8;
	n = node_get(node, "step");
	if (n && node_u64(n, "a step in bytes", 4096, &v, b->diag))
		return false;
	*step = (uint32_t)v;
	return true;
}

static void reg_flags(struct build *b, const struct node *node, struct reg *reg)
{
	static const char *const actions[] = { "clear" };
	static const char *const saves[] = { "none" };
	static const char *const parked[] = { "hold" };
	const struct node *n;
	unsigned int word;

	n = node_get(node, "resetValue");
	if (n && !node_u64(n, "a value", UINT64_MAX, &reg->reset, b->diag) &&
	    reg->reset > cc_ones(reg->bits))
		diag_error(b->diag, n->pos,
			   DIAG_RANGE "%s has %u bits, so its value is at most "
				      "0x%llx",
			   reg->name, reg->bits,
			   (unsigned long long)cc_ones(reg->bits));
	n = node_get(node, "readAction");
	if (n && !node_word(n, "a read action", actions, 1, &word, b->diag))
		reg->read_clears = true;
	n = node_get(node, "save");
	if (n && !node_word(n, "what to save", saves, 1, &word, b->diag))
		reg->save_none = true;
	n = node_get(node, "parked");
	if (n &&
	    !node_word(n, "what a parked read does", parked, 1, &word, b->diag))
		reg->parked_hold = true;
	n = node_get(node, "global");
	if (n)
		(void)!node_bool(n, "true or false", &reg->global, b->diag);
	n = node_get(node, "keepOnReset");
	if (n)
		(void)!node_bool(n, "true or false", &reg->keep_on_reset,
				 b->diag);
}

/* All that needs no other register's name. */
static void first_look(struct build *b, const struct node *node,
		       struct reg *reg, uint32_t step)
{
	const struct node *at = node_get(node, "at"), *n;
	size_t i;

	reg_widths(b, node_get(node, "width"), reg);
	reg_fields(b, node_get(node, "fields"), reg);
	reg_flags(b, node, reg);
	n = node_get(node, "volatile");
	if (n)
		(void)!parse_bits(b, n, reg, &reg->vol);
	n = node_get(node, "readOnly");
	if (n)
		(void)!parse_bits(b, n, reg, &reg->ro);
	n = node_get(node, "selfClear");
	if (n)
		(void)!parse_bits(b, n, reg, &reg->self_clear);
	if (at->kind == NODE_SEQ)
		for (i = 0; i < at->n; i++)
			add_place(b, at->at[i], reg, b->m->regs, step);
	else
		add_place(b, at, reg, b->m->regs, step);
}

static void build_register(struct build *b, const struct node *key,
			   const struct node *node)
{
	struct dmm_model *m = b->m;
	struct reg *reg = &m->reg[m->regs];
	uint32_t step;

	if (build_full(b, key->pos, "registers", m->regs, MODEL_MAX_REGS) ||
	    node_expect(node, NODE_MAP, "a register", b->diag))
		return;
	(void)!node_known(node, "a register", reg_keys, ARRAY_LEN(reg_keys),
			  b->diag);
	*reg = (struct reg){ .name = key->text,
			     .pos = key->pos,
			     .slot = m->slots,
			     .w1_reg = MODEL_NONE,
			     .port_memory = MODEL_NONE,
			     .window = MODEL_NONE,
			     .eeprom = MODEL_NONE,
			     .place = m->places };
	if (!reg_shape(b, node, reg, &step))
		reg->readable = reg->writable = true; /* had its error */
	else if (build_full(b, key->pos, "elements of registers",
			    m->slots + reg->dim - 1u, MODEL_MAX_SLOTS))
		return;
	else
		first_look(b, node, reg, step);
	m->slots = (uint16_t)(m->slots + reg->dim);
	m->regs++;
}

void build_registers(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "registers");
	size_t i;

	if (!map) {
		diag_error(b->diag, root->pos,
			   DIAG_MISSING "a model needs \"registers:\"");
		return;
	}
	if (node_expect(map, NODE_MAP, "the registers", b->diag))
		return;
	for (i = 0; i < map->n; i++)
		build_register(b, map->key[i], map->at[i]);
}

/* ---- what may name other registers: the second look ---- */

static void reg_w1(struct build *b, const struct node *n, struct reg *reg,
		   uint64_t *bits)
{
	unsigned int other;

	if (!n)
		return;
	other = n->kind == NODE_SCALAR ? model_reg(b->m, n->text) : MODEL_NONE;
	if (other == MODEL_NONE) {
		(void)!parse_bits(b, n, reg, bits);
		return;
	}
	if (reg->w1_reg != MODEL_NONE || b->m->reg[other].dim != reg->dim ||
	    b->m->reg[other].bits != reg->bits) {
		diag_error(b->diag, n->pos,
			   DIAG_FITS
			   "%s sets or clears one register, of its own size",
			   reg->name);
		return;
	}
	reg->w1_reg = (uint16_t)other;
	*bits = cc_ones(reg->bits);
}

static void reg_answer(struct build *b, const struct node *n, struct reg *reg)
{
	unsigned int flags = SCOPE_VOLATILE | SCOPE_STATES;

	if (!n)
		return;
	if (node_is(n, "latch")) {
		reg->answer = ANSWER_LATCH;
	} else if (node_is(n, "device")) {
		reg->answer = ANSWER_DEVICE;
	} else if (node_is(n, "identity") &&
		   model_reg(b->m, n->text) == MODEL_NONE) {
		diag_error(b->diag, n->pos,
			   DIAG_FITS "a register answers latch, device, or an "
				     "expression");
		diag_advise(b->diag, "identity.reset says which registers "
				     "hold the guest's address");
	} else if ((reg->answer_expr = build_expr(b, n, flags, NULL))) {
		reg->answer = ANSWER_EXPR;
	}
}

static void reg_merge(struct build *b, const struct node *n, struct reg *reg)
{
	if (!n)
		return;
	if (!reg->global) {
		diag_error(b->diag, n->pos,
			   DIAG_FITS
			   "merge says what the device gets of a register "
			   "with \"global: true\"");
		return;
	}
	if (node_is(n, "identity"))
		reg->merge = MERGE_IDENTITY;
	else if (node_is(n, "or"))
		reg->merge = MERGE_OR;
	else if ((reg->merge_expr = build_expr(b, n, SCOPE_VOLATILE, NULL)))
		reg->merge = MERGE_EXPR;
}

static void second_look(struct build *b, const struct node *node,
			struct reg *reg)
{
	const struct node *at = node_get(node, "at"), *n;
	unsigned int i;

	for (i = 0; i < reg->places; i++)
		place_condition(b, at->kind == NODE_SEQ ? at->at[i] : at,
				&b->m->place[reg->place + i]);
	reg_w1(b, node_get(node, "w1c"), reg, &reg->w1c);
	reg_w1(b, node_get(node, "w1s"), reg, &reg->w1s);
	if (reg->w1c & reg->w1s)
		diag_error(b->diag, reg->pos,
			   DIAG_FITS
			   "ones in %s cannot both clear a bit and set it",
			   reg->name);
	reg_answer(b, node_get(node, "answer"), reg);
	if (reg->answer == ANSWER_DEVICE && (reg->writable || reg->read_clears))
		diag_error(b->diag, reg->pos,
			   DIAG_FITS
			   "%s cannot be asked of the device for every guest: "
			   "it can be written, or reading has an effect",
			   reg->name);
	reg_merge(b, node_get(node, "merge"), reg);
	n = node_get(node, "select");
	if (n)
		reg->select = build_expr(b, n, SCOPE_VOLATILE, NULL);
	reg->after_read =
		build_sets(b, node_get(node, "afterRead"), SCOPE_VOLATILE);
	n = node_get(node, "moves");
	if (n)
		reg->moves = build_expr(b, n, 0, NULL);
}

void build_places(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "registers");
	const struct node *at;
	unsigned int i;
	size_t k;

	if (!map || map->kind != NODE_MAP)
		return;
	for (k = 0, i = 0; k < map->n && i < b->m->regs; k++) {
		struct reg *reg = &b->m->reg[i];

		if (strcmp(reg->name, map->key[k]->text))
			continue; /* was refused */
		at = node_get(map->at[k], "at");
		i++;
		/* a refused place would put its conditions off by one */
		if (!at || !reg->places ||
		    reg->places != (at->kind == NODE_SEQ ? at->n : 1))
			continue;
		second_look(b, map->at[k], reg);
	}
}
