// SPDX-License-Identifier: MIT
/*
 * blocks.c: the compiler's part for what has no doorbell: structures in guest
 * memory that the part reads when it is told to, and rings whose descriptors
 * say by a bit of their own whose they are.
 */

#include <string.h>

#include "build.h"

/* Of a part that looks at its ring by itself: the monitor does nothing else. */
#define SCAN_MIN_NS 100000u

static const char *const block_keys[] = {
	"kind", "at", "size", "fields", "loads", "shadow", "begins", "forms"
};
static const char *const form_keys[] = { "when", "size", "fields", "adds" };

/* Where a form has the fields that (ring) has. */
static void form_fields(struct build *b, const struct node *map,
			const struct ring *ring, struct form *f)
{
	struct ring there = { .words = (uint8_t)((f->bytes + 7u) / 8u) };
	unsigned int i, k;
	struct bits bits;

	build_ring_fields(b, map, &there);
	for (i = 0; i < there.fields; i++) {
		for (k = 0; k < ring->fields; k++)
			if (!strcmp(ring->field[k].name, there.field[i].name))
				break;
		bits = (struct bits){ .slot = there.field[i].low / 64u,
				      .shift = there.field[i].low % 64u,
				      .mask = cc_ones(there.field[i].bits) };
		if (k < ring->fields)
			f->at[k] = bits;
		else
			build_unknown(b, map->pos, "field that the form has",
				      there.field[i].name, &ring->field[0].name,
				      ring->fields, sizeof(ring->field[0]));
	}
}

static void build_form(struct build *b, const struct node *key,
		       const struct node *node, struct ring *ring)
{
	struct form *f = &ring->form[ring->forms];
	const struct node *n;
	uint64_t size;
	size_t i;

	if (build_full(b, key->pos, "forms", ring->forms, MODEL_MAX_FORMS) ||
	    node_expect(node, NODE_MAP, "a form", b->diag) ||
	    node_known(node, "a form", form_keys, ARRAY_LEN(form_keys),
		       b->diag))
		return;
	for (i = 0; i < 3; i++) {
		if (node_get(node, form_keys[i]))
			continue;
		diag_error(b->diag, key->pos,
			   DIAG_MISSING "a form needs \"%s:\"", form_keys[i]);
		return;
	}
	n = node_get(node, "size");
	if (node_u64(n, "a size in bytes", 8 * MODEL_MAX_WORDS, &size, b->diag))
		return;
	if (size == 0 || size % 8) {
		diag_error(b->diag, n->pos,
			   DIAG_VALUE "a form has 8, 16, 24 or 32 bytes");
		return;
	}
	*f = (struct form){ .name = key->text, .bytes = (uint8_t)size };
	f->when = build_expr(b, node_get(node, "when"), SCOPE_VOLATILE, NULL);
	if (!f->when)
		return;
	ring->forms++;
	form_fields(b, node_get(node, "fields"), ring, f);
	f->adds = build_field_sets(b, node_get(node, "adds"), ring, 0);
}

void build_forms(struct build *b, const struct node *map, struct ring *ring)
{
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "the forms", b->diag))
		return;
	for (i = 0; i < map->n; i++)
		build_form(b, map->key[i], map->at[i], ring);
}

static struct span block_loads(struct build *b, const struct node *map,
			       const struct ring *form)
{
	if (map && map->kind == NODE_MAP && map->n > MODEL_MAX_LOADS)
		(void)build_full(b, map->key[MODEL_MAX_LOADS]->pos,
				 "registers that it loads", MODEL_MAX_LOADS,
				 MODEL_MAX_LOADS);
	return build_loads(b, map, form);
}

void build_block(struct build *b, const struct node *key,
		 const struct node *node)
{
	static const char *const needed[] = { "at", "size", "fields", "loads" };
	struct block *block = &b->m->block[b->m->blocks];
	const struct node *n;
	uint64_t size;
	size_t i;

	if (build_full(b, key->pos, "blocks", b->m->blocks, MODEL_MAX_BLOCKS) ||
	    node_known(node, "a block", block_keys, ARRAY_LEN(block_keys),
		       b->diag))
		return;
	*block = (struct block){ .form = { .name = key->text,
					   .pos = key->pos } };
	b->m->blocks++;
	for (i = 0; i < ARRAY_LEN(needed); i++) {
		if (node_get(node, needed[i]))
			continue;
		diag_error(b->diag, key->pos,
			   DIAG_MISSING "a block needs \"%s:\"", needed[i]);
		return;
	}
	n = node_get(node, "size");
	if (node_u64(n, "a size in bytes", 8 * MODEL_MAX_WORDS, &size, b->diag))
		return;
	if (size == 0 || size % 4) {
		diag_error(b->diag, n->pos,
			   DIAG_VALUE
			   "a block has 4 to %u bytes, a multiple of 4",
			   8 * MODEL_MAX_WORDS);
		return;
	}
	block->bytes = (uint8_t)size;
	block->form.words = (uint8_t)((size + 7) / 8);
	block->form.base =
		build_expr(b, node_get(node, "at"), SCOPE_VOLATILE, NULL);
	build_ring_fields(b, node_get(node, "fields"), &block->form);
	build_forms(b, node_get(node, "forms"), &block->form);
	block->loads = block_loads(b, node_get(node, "loads"), &block->form);
	/* rings that stand below it have no names yet: see build_begins() */
}

uint32_t build_ring_set(struct build *b, const struct node *n)
{
	const struct node *one = n;
	uint32_t set = 0;
	uint16_t ring;
	size_t i;

	for (i = 0; n && i < (n->kind == NODE_SEQ ? n->n : 1); i++) {
		if (n->kind == NODE_SEQ)
			one = n->at[i];
		if (node_expect(one, NODE_SCALAR, "a ring", b->diag))
			continue;
		ring = build_find_ring(b, one->text);
		if (ring != MODEL_NONE)
			set |= 1u << ring;
		else
			build_unknown(b, one->pos, "ring", one->text,
				      &b->m->ring[0].name, b->m->rings,
				      sizeof(b->m->ring[0]));
	}
	return set;
}

void build_begins(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "dma");
	struct block *block;
	unsigned int i;
	size_t k;

	for (i = 0; i < b->m->blocks; i++) {
		block = &b->m->block[i];
		for (k = 0; k < map->n; k++)
			if (node_is(map->key[k], block->form.name))
				break;
		block->begins =
			build_ring_set(b, node_get(map->at[k], "begins"));
		block->form.shadow =
			build_field_sets(b, node_get(map->at[k], "shadow"),
					 &block->form, SCOPE_SHADOW);
	}
}

bool build_own(struct build *b, const struct node *node, struct ring *ring)
{
	static const char *const not [] = { "head", "tail", "done", "report" };
	const struct node *n;
	size_t i;

	for (i = 0; i < ARRAY_LEN(not ); i++) {
		n = node_get(node, not [i]);
		if (!n)
			continue;
		diag_error(b->diag, n->pos,
			   DIAG_NOT_BOTH
			   "a ring with \"own\" has no \"%s\": the bit says "
			   "whose a descriptor is, and that it is used",
			   not [i]);
		return false;
	}
	ring->own = true;
	n = node_get(node, "scan");
	if (n && !node_time(n, "a time", &ring->scan_ns, b->diag) &&
	    ring->scan_ns && ring->scan_ns < SCAN_MIN_NS)
		diag_error(b->diag, n->pos,
			   DIAG_RANGE
			   "a part looks by itself every 100us at most: each "
			   "look is the monitor's time");
	n = node_get(node, "scanIf");
	if (n)
		ring->scan_if = build_expr(b, n, SCOPE_VOLATILE, NULL);
	return true;
}
