// SPDX-License-Identifier: MIT
/*
 * rings.c: the compiler's part for DMA: rings of descriptors in guest memory,
 * their fields and layouts.  Other kinds of rings are in ringkinds.c.
 */

#include <stdlib.h>
#include <string.h>

#include "build.h"

static const char *const ring_keys[] = {
	"kind",	  "base",    "count",	"head",	     "tail",	"direction",
	"size",	  "fields",  "layouts", "end",	     "report",	"done",
	"tagged", "tag",     "length",	"writeBack", "refused", "shadow",
	"frame",  "offload", "forbid",	"own",	     "start",	"total",
	"error",  "trailer", "scan",	"scanIf",    "forms",
};
static const char *const layout_keys[] = { "when", "buffer", "length",
					   "sticky" };
static const char *const offload_keys[OFF_KEYS] = {
	[OFF_IP_SUM] = "ipSum",	   [OFF_L4_SUM] = "sum",
	[OFF_SEGMENT] = "segment", [OFF_IP_START] = "ipStart",
	[OFF_IP_AT] = "ipAt",	   [OFF_IP_END] = "ipEnd",
	[OFF_L4_START] = "start",  [OFF_L4_AT] = "at",
	[OFF_L4_END] = "end",	   [OFF_IPV4] = "ipv4",
	[OFF_TCP] = "tcp",	   [OFF_MSS] = "mss",
	[OFF_HEADER] = "header",   [OFF_PAYLOAD] = "payload",
};

/* "7" or "0..63", inside one 64-bit word. */
static bool field_bits(struct build *b, const struct node *n,
		       const struct ring *ring, unsigned int *low,
		       unsigned int *high)
{
	unsigned long lo, hi;
	char *end;

	if (node_expect(n, NODE_SCALAR, "bits", b->diag))
		return false;
	lo = hi = strtoul(n->text, &end, 10);
	if (end != n->text && end[0] == '.' && end[1] == '.')
		hi = strtoul(end + 2, &end, 10);
	if (*end || hi < lo || hi >= 64u * ring->words) {
		diag_error(b->diag, n->pos,
			   DIAG_RANGE
			   "expected bits of the descriptor (0 to %u), got "
			   "\"%s\"",
			   64u * ring->words - 1, n->text);
		return false;
	}
	*low = (unsigned int)lo;
	*high = (unsigned int)hi;
	return true;
}

void build_ring_fields(struct build *b, const struct node *map,
		       struct ring *ring)
{
	unsigned int low, high;
	struct field *f;
	size_t i;

	if (!map ||
	    node_expect(map, NODE_MAP, "fields and their bits", b->diag))
		return;
	for (i = 0; i < map->n; i++) {
		if (build_full(b, map->key[i]->pos, "fields", ring->fields,
			       MODEL_MAX_FIELDS))
			return;
		if (!field_bits(b, map->at[i], ring, &low, &high))
			continue;
		if (low / 64 != high / 64) {
			diag_error(b->diag, map->at[i]->pos,
				   DIAG_ALIGN
				   "field %s crosses a boundary of 64 bits",
				   map->key[i]->text);
			diag_advise(b->diag,
				    "no field crosses 64 bits: give "
				    "each half a name, such as %s_LO "
				    "and %s_HI",
				    map->key[i]->text, map->key[i]->text);
			continue;
		}
		f = &ring->field[ring->fields++];
		f->name = map->key[i]->text;
		f->low = (uint8_t)low;
		f->bits = (uint8_t)(high - low + 1);
	}
}

/* An expression that is one field and no more, so that it can be written. */
static bool plain_field(const struct expr *e, struct bits *out)
{
	if (!e || e->n != 1 || e->ins[0].op != EXPR_OP_LOAD ||
	    e->ins[0].array != EXPR_FIELD)
		return false;
	*out = (struct bits){ .slot = e->ins[0].index,
			      .shift = e->ins[0].shift,
			      .mask = e->ins[0].k };
	return true;
}

static bool loads_fields(const struct expr *e)
{
	unsigned int i;

	for (i = 0; e && i < e->n; i++)
		if (e->ins[i].op == EXPR_OP_LOAD &&
		    e->ins[i].array == EXPR_FIELD)
			return true;
	return false;
}

static void build_layout(struct build *b, const struct node *key,
			 const struct node *node, struct ring *ring)
{
	struct layout *l = &ring->layout[ring->layouts];
	const struct node *n;

	if (build_full(b, key->pos, "layouts", ring->layouts,
		       MODEL_MAX_LAYOUTS) ||
	    node_expect(node, NODE_MAP, "a layout", b->diag) ||
	    node_known(node, "a layout", layout_keys, ARRAY_LEN(layout_keys),
		       b->diag))
		return;
	*l = (struct layout){ .name = key->text };
	ring->layouts++;
	if ((n = node_get(node, "when")))
		l->when = build_field_expr(b, n, ring);
	if ((n = node_get(node, "sticky")))
		l->sticky = build_field_expr(b, n, ring);
	if ((n = node_get(node, "length")))
		l->length = build_field_expr(b, n, ring);
	l->fixed = !l->when && l->length && !loads_fields(l->length);
	n = node_get(node, "buffer");
	if (!n) {
		/* or the device gets an address that nobody checked */
		if (node_get(node, "length") || !ring->to_device)
			diag_error(b->diag, key->pos,
				   DIAG_MISSING
				   "layout %s needs a buffer: where its bytes "
				   "are",
				   l->name);
		return;
	}
	if (!node_get(node, "length"))
		diag_error(b->diag, n->pos,
			   DIAG_MISSING "a buffer needs a length");
	if (!build_field_bits(b, n, ring, &l->buffer))
		return;
	if (l->buffer.mask <= 0xffff)
		diag_error(b->diag, n->pos,
			   DIAG_FITS "\"%s\" is too narrow for an address",
			   n->text);
	if (ring->to_device && !plain_field(l->length, &l->length_bits) &&
	    !ring->own)
		diag_error(b->diag, n->pos,
			   DIAG_FITS
			   "the length of what the device reads is a field of "
			   "the descriptor");
}

void build_ring_layouts(struct build *b, const struct node *map,
			struct ring *ring)
{
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "layouts", b->diag))
		return;
	for (i = 0; i < map->n; i++)
		build_layout(b, map->key[i], map->at[i], ring);
	if (!ring->layouts)
		diag_error(b->diag, map->pos,
			   DIAG_MISSING "a ring needs a layout");
}

static void ring_marks(struct build *b, const struct node *node,
		       struct ring *ring)
{
	static const char *const names[] = { "end",    "report", "done",
					     "tagged", "tag",	 "length",
					     "start",  "total",	 "error",
					     "own" };
	struct bits *const bits[] = { &ring->end,   &ring->report,
				      &ring->done,  &ring->tagged,
				      &ring->tag,   &ring->len,
				      &ring->start, &ring->total,
				      &ring->error, &ring->done };
	const struct node *n;
	unsigned int low, high;
	uint64_t trailer;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if ((n = node_get(node, names[i])))
			(void)!build_field_bits(b, n, ring, bits[i]);
	n = node_get(node, "trailer");
	if (n && !node_u64(n, "a number of bytes", 16, &trailer, b->diag))
		ring->trailer = (uint8_t)trailer;
	n = node_get(node, "writeBack");
	if (n && field_bits(b, n, ring, &low, &high)) {
		ring->back_low = (uint8_t)low;
		ring->back_high = (uint8_t)high;
	}
	if ((!node_get(node, "done") && !ring->own) || !n)
		diag_error(b->diag, ring->pos,
			   DIAG_MISSING
			   "ring %s needs done and writeBack: how its part "
			   "says that a descriptor is used",
			   ring->name);
	if (ring->to_device && (!node_get(node, "end") ||
				(!node_get(node, "report") && !ring->own)))
		diag_error(b->diag, ring->pos,
			   DIAG_MISSING
			   "ring %s needs end and report: what marks a "
			   "frame's last descriptor and asks for its write "
			   "back",
			   ring->name);
	if (!ring->to_device && !node_get(node, "length") &&
	    !node_get(node, "total"))
		diag_error(b->diag, ring->pos,
			   DIAG_MISSING
			   "ring %s needs length or total: how much was "
			   "received",
			   ring->name);
}

void build_ring_refused(struct build *b, const struct node *map,
			struct ring *ring)
{
	static const char *const keys[] = { "ignore", "abort", "then" };
	unsigned int i;

	if (!map ||
	    node_expect(map, NODE_MAP, "what a refusal looks like", b->diag) ||
	    node_known(map, "refused", keys, 3, b->diag))
		return;
	for (i = 0; i < 2; i++)
		ring->refused[i] =
			build_field_sets(b, node_get(map, keys[i]), ring, 0);
	ring->then = build_sets(b, node_get(map, "then"), SCOPE_VOLATILE);
}

static void ring_offload(struct build *b, const struct node *map,
			 struct ring *ring)
{
	const struct node *n;
	unsigned int i;

	if (!map ||
	    node_expect(map, NODE_MAP, "what the part does to a frame",
			b->diag) ||
	    node_known(map, "offload", offload_keys, OFF_KEYS, b->diag))
		return;
	for (i = 0; i < OFF_KEYS; i++)
		if ((n = node_get(map, offload_keys[i])))
			ring->off[i] = build_field_expr(b, n, ring);
}

static bool ring_shape(struct build *b, const struct node *node,
		       struct ring *ring)
{
	static const char *const ways[] = { "toDevice", "fromDevice" };
	static const char *const needed[] = { "kind",	   "base", "count",
					      "direction", "size", "fields",
					      "layouts",   "head", "tail" };
	size_t needs = ARRAY_LEN(needed) - 2u * !!node_get(node, "own");
	const struct node *n;
	unsigned int word;
	uint64_t size;
	size_t i;

	for (i = 0; i < needs; i++) {
		if (node_get(node, needed[i]))
			continue;
		diag_error(b->diag, ring->pos,
			   DIAG_MISSING "a descriptorRing needs \"%s:\"",
			   needed[i]);
		return false;
	}
	if (node_word(node_get(node, "direction"), "a direction", ways, 2,
		      &word, b->diag) ||
	    node_u64(node_get(node, "size"), "a size in bytes",
		     8 * MODEL_MAX_WORDS, &size, b->diag))
		return false;
	n = node_get(node, "size");
	if (size < 8 || size % 8) {
		diag_error(b->diag, n->pos,
			   DIAG_VALUE "a descriptor has 8, 16, 24 or 32 bytes");
		return false;
	}
	ring->to_device = word == 0;
	ring->words = (uint8_t)(size / 8);
	ring->base =
		build_expr(b, node_get(node, "base"), SCOPE_VOLATILE, NULL);
	ring->count =
		build_expr(b, node_get(node, "count"), SCOPE_VOLATILE, NULL);
	ring->head = ring->tail = MODEL_NONE;
	n = node_get(node, "scan");
	if (!n)
		n = node_get(node, "scanIf");
	if (n && !node_get(node, "own"))
		diag_error(b->diag, n->pos,
			   DIAG_NOT_BOTH
			   "a part looks by itself at a ring with \"own\", not "
			   "at one with a tail");
	if (node_get(node, "own"))
		return build_own(b, node, ring) && ring->base && ring->count;
	ring->head = build_reg(b, node_get(node, "head"), "a register");
	ring->tail = build_reg(b, node_get(node, "tail"), "a register");
	return ring->base && ring->count && ring->head != MODEL_NONE &&
	       ring->tail != MODEL_NONE;
}

/*
 * The length of what the device reads is a field, or the shadow says how to
 * write what the length is made of.
 */
static void check_lengths(struct build *b, const struct ring *ring)
{
	const struct layout *l = ring->layout;
	unsigned int i, k, n;

	for (n = 0; ring->to_device && ring->own && n < ring->layouts;
	     n++, l++) {
		bool written = !l->length || l->length_bits.mask;

		for (i = 0; !written && i < ring->shadow.n; i++)
			for (k = 0; k < l->length->n; k++) {
				const struct expr_ins *e = &l->length->ins[k];
				const struct set *s =
					&b->m->set[ring->shadow.first + i];

				written |= e->op == EXPR_OP_LOAD &&
					   e->array == EXPR_FIELD &&
					   e->index == s->slot &&
					   e->shift == s->shift;
			}
		if (!written)
			diag_error(b->diag, ring->pos,
				   DIAG_FITS
				   "layout %s: the length of what the device "
				   "reads is a field of the descriptor, or "
				   "\"shadow\" writes what it is made of",
				   l->name);
	}
}

static void descriptor_ring(struct build *b, const struct node *node,
			    struct ring *ring)
{
	if (node_known(node, "a ring", ring_keys, ARRAY_LEN(ring_keys),
		       b->diag) ||
	    !ring_shape(b, node, ring))
		return;
	build_ring_fields(b, node_get(node, "fields"), ring);
	build_forms(b, node_get(node, "forms"), ring);
	build_ring_layouts(b, node_get(node, "layouts"), ring);
	ring_marks(b, node, ring);
	build_ring_refused(b, node_get(node, "refused"), ring);
	ring_offload(b, node_get(node, "offload"), ring);
	if (node_get(node, "forbid"))
		ring->forbid =
			build_field_expr(b, node_get(node, "forbid"), ring);
	ring->shadow = build_field_sets(b, node_get(node, "shadow"), ring,
					SCOPE_PARAMS);
	check_lengths(b, ring);
	ring->frame = build_field_sets(b, node_get(node, "frame"), ring,
				       SCOPE_PARAMS);
}

static void build_ring(struct build *b, const struct node *key,
		       const struct node *node)
{
	static const char *const kinds[] = { "descriptorRing", "slots",
					     "byteRing", "block" };
	struct ring *ring = &b->m->ring[b->m->rings];
	unsigned int kind = RING_OF_DESCRIPTORS;
	const struct node *n;

	if (build_full(b, key->pos, "rings", b->m->rings, MODEL_MAX_RINGS) ||
	    node_expect(node, NODE_MAP, "a ring", b->diag))
		return;
	n = node_get(node, "kind");
	if (n && node_word(n, "a kind of ring", kinds, ARRAY_LEN(kinds), &kind,
			   b->diag))
		return;
	*ring = (struct ring){ .name = key->text,
			       .pos = key->pos,
			       .head = MODEL_NONE,
			       .tail = MODEL_NONE };
	b->m->rings++;
	switch ((enum ring_kind)kind) {
	case RING_OF_DESCRIPTORS:
		descriptor_ring(b, node, ring);
		break;
	case RING_OF_SLOTS:
		build_slots(b, node, ring);
		break;
	case RING_OF_BYTES:
		build_byte_ring(b, node, ring);
		break;
	}
}

void build_rings(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "dma");
	size_t i;

	if (!map || node_expect(map, NODE_MAP, "the rings", b->diag))
		return;
	for (i = 0; i < map->n; i++) {
		const struct node *kind = node_get(map->at[i], "kind");

		if (kind && node_is(kind, "block"))
			build_block(b, map->key[i], map->at[i]);
		else
			build_ring(b, map->key[i], map->at[i]);
	}
	build_begins(b, root);
}
