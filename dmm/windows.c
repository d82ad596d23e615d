// SPDX-License-Identifier: MIT
/*
 * windows.c: the compiler's part for second doors: windows (an index and a
 * data register, or a command register), and serial EEPROMs behind pins.
 */

#include <string.h>

#include "build.h"

/* ---- windows ---- */

/* Fields of the command register, as they must be: sets with its name. */
static struct span command_sets(struct build *b, const struct node *map,
				const struct reg *reg, uint16_t index)
{
	struct dmm_model *m = b->m;
	struct span span = { .first = m->sets };
	struct set *s;
	size_t i;

	if (!map ||
	    node_expect(map, NODE_MAP, "fields and their values", b->diag))
		return span;
	for (i = 0; i < map->n; i++) {
		unsigned int f;

		if (build_full(b, map->key[i]->pos, "assignments", m->sets,
			       MODEL_MAX_SETS))
			break;
		for (f = 0; f < reg->fields; f++)
			if (node_is(map->key[i], reg->field[f].name))
				break;
		if (f == reg->fields) {
			build_unknown(b, map->key[i]->pos,
				      "field of this register",
				      map->key[i]->text, &reg->field[0].name,
				      reg->fields, sizeof(reg->field[0]));
			continue;
		}
		s = &m->set[m->sets];
		*s = (struct set){ .pos = map->key[i]->pos,
				   .reg = index,
				   .slot = reg->slot,
				   .shift = reg->field[f].low,
				   .mask = cc_ones(reg->field[f].bits) };
		s->value = build_expr(b, map->at[i], 0, NULL);
		if (s->value)
			m->sets++;
	}
	span.n = (uint16_t)(m->sets - span.first);
	return span;
}

static void command_window(struct build *b, struct window *w,
			   const struct node *command)
{
	uint16_t reg = build_reg(b, command, "the command register");

	if (reg == MODEL_NONE)
		return;
	w->command = true;
	if (!build_bits(b, node_get(w->node, "ready"), &w->ready) ||
	    w->ready.reg != reg || w->index.reg != reg || w->data.reg != reg) {
		diag_error(b->diag, w->pos,
			   DIAG_FITS
			   "a command window has index, data and ready in the "
			   "command register");
		return;
	}
	w->read = command_sets(b, node_get(w->node, "read"), &b->m->reg[reg],
			       reg);
	w->write = command_sets(b, node_get(w->node, "write"), &b->m->reg[reg],
				reg);
}

static void window_into(struct build *b, struct window *w,
			const struct node *into)
{
	unsigned int i;

	if (!into || node_expect(into, NODE_SCALAR, "a space", b->diag))
		return;
	for (i = 0; i < b->m->spaces; i++)
		if (node_is(into, b->m->space[i].name))
			break;
	if (i == b->m->spaces || b->m->space[i].kind == SPACE_WINDOW)
		build_unknown(b, into->pos, "space", into->text,
			      &b->m->space[0].name, b->m->spaces,
			      sizeof(b->m->space[0]));
	else
		w->space = (uint16_t)i;
}

void build_windows(struct build *b, const struct node *root)
{
	const struct node *command;
	struct window *w;
	unsigned int i;

	(void)root;
	for (i = 0; i < b->m->windows; i++) {
		w = &b->m->window[i];
		command = node_get(w->node, "command");
		if (!node_get(w->node, "index") || !node_get(w->node, "data")) {
			diag_error(b->diag, w->pos,
				   DIAG_MISSING
				   "a window needs index and data");
			continue;
		}
		if (!build_bits(b, node_get(w->node, "index"), &w->index) ||
		    !build_bits(b, node_get(w->node, "data"), &w->data))
			continue;
		if (b->m->reg[w->data.reg].window != MODEL_NONE)
			diag_error(b->diag, w->pos,
				   DIAG_TAKEN "%s is the data of two windows",
				   b->m->reg[w->data.reg].name);
		b->m->reg[w->data.reg].window = (uint16_t)i;
		window_into(b, w, node_get(w->node, "into"));
		if (command)
			command_window(b, w, command);
	}
}

/* ---- EEPROMs ---- */

static const char *const eeprom_keys[] = { "kind",   "register",    "pins",
					   "words",  "addressBits", "sum",
					   "answer", "read",	    "mode" };
static const char *const pin_keys[] = { "SK", "CS", "DI", "DO", "REQ", "GNT" };
static const char *const read_keys[] = { "register", "start", "done", "address",
					 "data" };

/* A field of a register; with no mask if (name) is no field of it. */
static struct bits field_of(const struct dmm_model *m, uint16_t reg,
			    const char *name)
{
	const struct reg *r = &m->reg[reg];
	unsigned int i;

	for (i = 0; i < r->fields; i++)
		if (strcmp(r->field[i].name, name) == 0)
			return (struct bits){ .reg = reg,
					      .slot = r->slot,
					      .shift = r->field[i].low,
					      .mask = cc_ones(
						      r->field[i].bits) };
	return (struct bits){ .reg = reg };
}

static bool eeprom_pins(struct build *b, const struct node *node,
			struct eeprom *e)
{
	struct bits *const pins[] = { &e->sk,	&e->cs,	     &e->di,
				      &e->dout, &e->request, &e->grant };
	const struct node *map = node_get(node, "pins");
	uint16_t reg =
		build_reg(b, node_get(node, "register"), "the pins' register");
	size_t i;

	if (reg == MODEL_NONE)
		return false;
	if (map &&
	    (node_expect(map, NODE_MAP, "the pins", b->diag) ||
	     node_known(map, "pins", pin_keys, ARRAY_LEN(pin_keys), b->diag)))
		return false;
	for (i = 0; i < ARRAY_LEN(pins); i++) {
		const struct node *n = map ? node_get(map, pin_keys[i]) : NULL;

		if (n && node_expect(n, NODE_SCALAR, "a field", b->diag))
			continue;
		*pins[i] = field_of(b->m, reg, n ? n->text : pin_keys[i]);
		if (n && !pins[i]->mask && i >= 4)
			diag_error(b->diag, n->pos,
				   DIAG_NAME "register %s has no field %s",
				   b->m->reg[reg].name, n->text);
		if (!pins[i]->mask && i < 4)
			diag_error(b->diag, e->pos,
				   DIAG_NAME
				   "register %s has no field %s for the pin",
				   b->m->reg[reg].name, pin_keys[i]);
	}
	b->m->reg[reg].eeprom = b->m->eeproms;
	return true;
}

static void eeprom_read(struct build *b, const struct node *map,
			struct eeprom *e)
{
	struct bits *const bits[] = { &e->start, &e->done, &e->address,
				      &e->data };
	const struct node *n;
	uint16_t reg;
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "the read register", b->diag) ||
	    node_known(map, "a read register", read_keys, ARRAY_LEN(read_keys),
		       b->diag))
		return;
	for (i = 0; i < ARRAY_LEN(read_keys); i++) {
		if (node_get(map, read_keys[i]))
			continue;
		diag_error(b->diag, map->pos,
			   DIAG_MISSING "a read register needs \"%s:\"",
			   read_keys[i]);
		return;
	}
	reg = build_reg(b, node_get(map, "register"), "a register");
	if (reg == MODEL_NONE)
		return;
	for (i = 0; i < ARRAY_LEN(bits); i++) {
		n = node_get(map, read_keys[i + 1]);
		if (node_expect(n, NODE_SCALAR, "a field", b->diag))
			return;
		*bits[i] = field_of(b->m, reg, n->text);
		if (!bits[i]->mask) {
			diag_error(b->diag, n->pos,
				   DIAG_NAME "which field of %s is \"%s\"?",
				   b->m->reg[reg].name, read_keys[i + 1]);
			return;
		}
	}
	b->m->reg[reg].eeprom = b->m->eeproms;
}

static void build_eeprom(struct build *b, const struct node *key,
			 const struct node *node)
{
	static const char *const kinds[] = { "microwire", "words" };
	static const char *const answers[] = { "identity" };
	struct eeprom *e = &b->m->eeprom[b->m->eeproms];
	uint64_t words = 64, bits = 6, sum;
	const struct node *n;
	unsigned int word, kind;

	if (build_full(b, key->pos, "EEPROMs", b->m->eeproms,
		       MODEL_MAX_EEPROMS) ||
	    node_expect(node, NODE_MAP, "an EEPROM", b->diag) ||
	    node_known(node, "an EEPROM", eeprom_keys, ARRAY_LEN(eeprom_keys),
		       b->diag))
		return;
	*e = (struct eeprom){ .name = key->text, .pos = key->pos };
	n = node_get(node, "kind");
	if (!n || (!node_is(n, "words") && !node_get(node, "register"))) {
		diag_error(b->diag, key->pos,
			   DIAG_MISSING "an EEPROM needs kind and register");
		return;
	}
	if (node_word(n, "a kind of EEPROM", kinds, ARRAY_LEN(kinds), &kind,
		      b->diag))
		return;
	if (kind && !node_get(node, "read")) {
		diag_error(b->diag, key->pos,
			   DIAG_MISSING "an EEPROM of words needs read");
		return;
	}
	n = node_get(node, "answer");
	if (n && node_word(n, "who answers", answers, 1, &word, b->diag))
		return;
	if ((node_get(node, "words") &&
	     node_u64(node_get(node, "words"), "a number of words", 256, &words,
		      b->diag)) ||
	    (node_get(node, "addressBits") &&
	     node_u64(node_get(node, "addressBits"), "a number of bits", 8,
		      &bits, b->diag)))
		return;
	n = node_get(node, "sum");
	if (n && !node_u64(n, "a sum of words", 0xffff, &sum, b->diag)) {
		e->has_sum = true;
		e->sum = (uint16_t)sum;
	}
	if (bits < 2) {
		diag_error(b->diag, key->pos,
			   DIAG_VALUE "an address has 2 to 8 bits");
		return;
	}
	e->words = (uint16_t)words;
	e->address_bits = (uint16_t)bits;
	if (kind == 0 && !eeprom_pins(b, node, e))
		return;
	eeprom_read(b, node_get(node, "read"), e);
	if (e->cs.mask)
		e->mode = command_sets(b, node_get(node, "mode"),
				       &b->m->reg[e->cs.reg], e->cs.reg);
	b->m->eeproms++;
}

void build_eeproms(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "eeproms");
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "the EEPROMs", b->diag))
		return;
	for (i = 0; i < map->n; i++)
		build_eeprom(b, map->key[i], map->at[i]);
}
