// SPDX-License-Identifier: MIT
/*
 * ringkinds.c: the compiler's part for rings that are no rings of descriptors
 * in memory: slots, whose descriptors are registers, and rings of bytes, in
 * which frames with headers follow one another.
 */

#include "build.h"

/* Headers of frames, and what they are aligned to. */
#define HEADER_MAX 8u
#define ALIGN_MAX 64u
#define LAG_MAX 4096u

static bool needs(struct build *b, const struct node *node,
		  const struct ring *ring, const char *kind,
		  const char *const keys[], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (node_get(node, keys[i]))
			continue;
		diag_error(b->diag, ring->pos, DIAG_MISSING "%s need \"%s:\"",
			   kind, keys[i]);
		return false;
	}
	return true;
}

static void one_way(struct build *b, const struct node *node, const char *way)
{
	unsigned int word;

	(void)!node_word(node_get(node, "direction"), "the direction", &way, 1,
			 &word, b->diag);
}

/* ---- slots ---- */

static bool add_field(struct build *b, struct ring *ring, struct diag_pos pos,
		      const char *name, unsigned int low, unsigned int bits)
{
	if (build_full(b, pos, "fields", ring->fields, MODEL_MAX_FIELDS))
		return false;
	ring->field[ring->fields++] = (struct field){ .name = name,
						      .low = (uint8_t)low,
						      .bits = (uint8_t)bits };
	return true;
}

/* Word (word) of each descriptor is a register: its fields are theirs. */
static bool slot_register(struct build *b, const struct node *n,
			  struct ring *ring, unsigned int word)
{
	uint16_t index = build_reg(b, n, "a register");
	const struct reg *reg = &b->m->reg[index];
	unsigned int i;

	if (index == MODEL_NONE)
		return false;
	if (word && reg->dim != ring->slots) {
		diag_error(b->diag, n->pos,
			   DIAG_FITS
			   "%s has %u elements, and the one before %u: one "
			   "for each slot",
			   n->text, reg->dim, ring->slots);
		return false;
	}
	ring->slots = reg->dim;
	ring->word[word] = index;
	for (i = 0; i < reg->fields; i++)
		if (!add_field(b, ring, n->pos, reg->field[i].name,
			       word * 64u + reg->field[i].low,
			       reg->field[i].bits))
			return false;
	return add_field(b, ring, n->pos, reg->name, word * 64u, reg->bits);
}

static bool slot_registers(struct build *b, const struct node *list,
			   struct ring *ring)
{
	size_t i;

	if (node_expect(list, NODE_SEQ, "a list of registers", b->diag))
		return false;
	if (list->n < 1 || list->n > MODEL_MAX_WORDS) {
		diag_error(b->diag, list->pos,
			   DIAG_VALUE "a slot has 1 to %u registers",
			   MODEL_MAX_WORDS);
		return false;
	}
	for (i = 0; i < list->n; i++)
		if (!slot_register(b, list->at[i], ring, (unsigned int)i))
			return false;
	ring->words = (uint8_t)list->n;
	ring->tail = ring->word[list->n - 1];
	if (ring->slots > MODEL_MAX_SLOTS_OF_RING ||
	    ring->slots & (ring->slots - 1u))
		diag_error(b->diag, list->pos,
			   DIAG_RANGE "there are 1, 2, 4 or 8 slots");
	return true;
}

void build_slots(struct build *b, const struct node *node, struct ring *ring)
{
	static const char *const keys[] = { "kind",    "registers", "direction",
					    "layouts", "given",	    "finished",
					    "sent",    "shadow",    "refused",
					    "forbid" };

	(void)!node_known(node, "slots", keys, ARRAY_LEN(keys), b->diag);
	ring->kind = RING_OF_SLOTS;
	ring->to_device = true;
	if (!needs(b, node, ring, "slots", keys, 7))
		return;
	one_way(b, node, "toDevice");
	if (!slot_registers(b, node_get(node, "registers"), ring))
		return;
	build_ring_layouts(b, node_get(node, "layouts"), ring);
	ring->given = build_field_expr(b, node_get(node, "given"), ring);
	ring->finished = build_field_expr(b, node_get(node, "finished"), ring);
	ring->local = build_field_sets(b, node_get(node, "sent"), ring, 0);
	ring->shadow = build_field_sets(b, node_get(node, "shadow"), ring, 0);
	build_ring_refused(b, node_get(node, "refused"), ring);
	if (node_get(node, "forbid"))
		ring->forbid =
			build_field_expr(b, node_get(node, "forbid"), ring);
}

/* ---- rings of bytes ---- */

static void byte_numbers(struct build *b, const struct node *node,
			 struct ring *ring)
{
	const struct node *n;
	uint64_t v;

	ring->header = ring->align = 4;
	n = node_get(node, "header");
	if (n && !node_u64(n, "a header's bytes", HEADER_MAX, &v, b->diag)) {
		if (v == 0)
			diag_error(b->diag, n->pos,
				   DIAG_VALUE "a header has 1 to %u "
					      "bytes",
				   HEADER_MAX);
		else
			ring->header = (uint8_t)v;
	}
	n = node_get(node, "align");
	if (n &&
	    !node_u64(n, "an alignment in bytes", ALIGN_MAX, &v, b->diag)) {
		if (v == 0 || v & (v - 1))
			diag_error(b->diag, n->pos,
				   DIAG_VALUE "an alignment is a power of two");
		else
			ring->align = (uint8_t)v;
	}
	n = node_get(node, "lag");
	if (n && !node_u64(n, "a number of bytes", LAG_MAX, &v, b->diag))
		ring->lag = (uint16_t)v;
}

static void byte_header(struct build *b, const struct ring *ring)
{
	unsigned int i;

	for (i = 0; i < ring->fields; i++)
		if (ring->field[i].low + ring->field[i].bits >
		    8u * ring->header)
			diag_error(b->diag, ring->pos,
				   DIAG_RANGE
				   "field %s is beyond the header's %u bytes",
				   ring->field[i].name, ring->header);
}

static void byte_marks(struct build *b, const struct node *node,
		       struct ring *ring)
{
	static const char *const names[] = { "length", "done", "unicast",
					     "multicast", "broadcast" };
	struct bits *const bits[] = { &ring->len, &ring->done, &ring->unicast,
				      &ring->multicast, &ring->broadcast };
	const struct node *n;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if ((n = node_get(node, names[i])))
			(void)!build_field_bits(b, n, ring, bits[i]);
}

void build_byte_ring(struct build *b, const struct node *node,
		     struct ring *ring)
{
	static const char *const keys[] = { "kind",	 "base",    "bytes",
					    "write",	 "read",    "direction",
					    "fields",	 "length",  "done",
					    "slack",	 "lag",	    "header",
					    "align",	 "unicast", "multicast",
					    "broadcast", "frame" };

	(void)!node_known(node, "a ring of bytes", keys, ARRAY_LEN(keys),
			  b->diag);
	ring->kind = RING_OF_BYTES;
	ring->words = 1;
	if (!needs(b, node, ring, "rings of bytes", keys, 9))
		return;
	one_way(b, node, "fromDevice");
	ring->base =
		build_expr(b, node_get(node, "base"), SCOPE_VOLATILE, NULL);
	ring->count =
		build_expr(b, node_get(node, "bytes"), SCOPE_VOLATILE, NULL);
	if (node_get(node, "slack"))
		ring->slack = build_expr(b, node_get(node, "slack"),
					 SCOPE_VOLATILE, NULL);
	ring->head = build_reg(b, node_get(node, "write"), "a register");
	ring->tail = build_reg(b, node_get(node, "read"), "a register");
	build_ring_fields(b, node_get(node, "fields"), ring);
	byte_numbers(b, node, ring);
	byte_header(b, ring);
	byte_marks(b, node, ring);
	ring->frame = build_field_sets(b, node_get(node, "frame"), ring,
				       SCOPE_PARAMS);
}
