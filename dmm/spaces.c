// SPDX-License-Identifier: MIT
/*
 * spaces.c: the compiler's first part: the spaces of addresses that registers
 * stand in.
 */

#include <stdlib.h>
#include <string.h>

#include "build.h"

static const char *const space_keys[] = { "kind",    "bar",   "size",  "width",
					  "sameAs",  "index", "data",  "into",
					  "command", "read",  "write", "ready",
					  "denied" };
static const char *const kind_words[] = { "io", "mmio", "window" };

uint16_t build_find_space(const struct build *b, const char *name, size_t n)
{
	unsigned int i;

	for (i = 0; i < b->m->spaces; i++)
		if (strlen(b->m->space[i].name) == n &&
		    strncmp(b->m->space[i].name, name, n) == 0)
			return (uint16_t)i;
	return MODEL_NONE;
}

static bool space_numbers(struct build *b, const struct node *node,
			  struct space *s)
{
	const struct node *n;
	unsigned int kind;
	uint64_t v;

	n = node_get(node, "kind");
	if (!n) {
		diag_error(b->diag, node->pos,
			   DIAG_MISSING "a space needs a kind");
		return false;
	}
	if (node_word(n, "a kind of space", kind_words, ARRAY_LEN(kind_words),
		      &kind, b->diag))
		return false;
	s->kind = (enum space_kind)kind;
	n = node_get(node, "bar");
	if (!n && s->kind != SPACE_WINDOW) {
		diag_error(b->diag, node->pos,
			   DIAG_MISSING "a space needs a bar");
		return false;
	}
	if (s->kind != SPACE_WINDOW &&
	    node_u64(n, "a BAR number", 5, &v, b->diag))
		return false;
	s->bar = s->kind == SPACE_WINDOW ? 0xff : (uint8_t)v;
	n = node_get(node, "width");
	v = 8;
	if (n && node_u64(n, "a width in bits", 64, &v, b->diag))
		return false;
	if (v != 8 && v != 16 && v != 32 && v != 64) {
		diag_error(b->diag, n->pos,
			   DIAG_VALUE "a width is 8, 16, 32 or 64 bits");
		return false;
	}
	s->width = (uint8_t)v;
	n = node_get(node, "size");
	if (n && node_size(n, "a size in bytes", &s->size, b->diag))
		return false;
	if (n && (s->size == 0 || s->size > MODEL_MAX_SPACE_BYTES)) {
		diag_error(b->diag, n->pos,
			   DIAG_RANGE "a space has 1 byte to 1M");
		return false;
	}
	return true;
}

/* A second door has what the first one has; false if there is none. */
static bool space_same(struct build *b, const struct node *node,
		       struct space *s)
{
	const struct node *same = node_get(node, "sameAs");

	if (!same)
		return true;
	if (node_expect(same, NODE_SCALAR, "a space", b->diag))
		return false;
	s->same_as = build_find_space(b, same->text, strlen(same->text));
	if (s->same_as == MODEL_NONE) {
		build_unknown(b, same->pos, "space", same->text,
			      &b->m->space[0].name, b->m->spaces, sizeof(*s));
		return false;
	}
	if (s->kind == SPACE_WINDOW || node_get(node, "size") ||
	    node_get(node, "width")) {
		diag_error(b->diag, same->pos,
			   DIAG_NOT_BOTH
			   "a second door has a kind, a bar and no more");
		return false;
	}
	if (b->m->space[s->same_as].same_as != MODEL_NONE)
		s->same_as = b->m->space[s->same_as].same_as;
	s->size = b->m->space[s->same_as].size;
	s->width = b->m->space[s->same_as].width;
	return true;
}

static void space_bar(struct build *b, const struct space *s)
{
	unsigned int i;

	for (i = 0; s->kind != SPACE_WINDOW && i < b->m->spaces; i++)
		if (b->m->space[i].kind != SPACE_WINDOW &&
		    b->m->space[i].bar == s->bar)
			diag_error(b->diag, s->pos,
				   DIAG_TAKEN "%s and %s are both BAR %u",
				   s->name, b->m->space[i].name, s->bar);
}

/* "0x2410..0x342f", or one offset, or a list of them. */
static bool offsets(const char *p, uint64_t *first, uint64_t *last)
{
	char *end;

	*last = *first = strtoull(p, &end, 0);
	if (end == p)
		return false;
	if (end[0] == '.' && end[1] == '.') {
		p = end + 2;
		*last = strtoull(p, &end, 0);
	}
	return end != p && !*end && *last >= *first;
}

static void space_denied(struct build *b, const struct node *n, struct space *s)
{
	const struct node *one = n;
	uint64_t first, last;
	size_t i;

	s->denied_rest = n && node_is(n, "rest");
	if (s->denied_rest)
		return;
	for (i = 0; n && i < (n->kind == NODE_SEQ ? n->n : 1); i++) {
		if (n->kind == NODE_SEQ)
			one = n->at[i];
		if (node_expect(one, NODE_SCALAR, "offsets", b->diag) ||
		    build_full(b, one->pos, "ranges that are denied", s->denied,
			       ARRAY_LEN(s->deny)))
			return;
		if (!offsets(one->text, &first, &last) || last >= s->size) {
			diag_error(b->diag, one->pos,
				   DIAG_RANGE "expected offsets of %s, such as "
					      "0x2410..0x342f, got \"%s\"",
				   s->name, one->text);
			return;
		}
		s->deny[s->denied].first = (uint32_t)first;
		s->deny[s->denied++].last = (uint32_t)last;
	}
}

static void build_space(struct build *b, const struct node *key,
			const struct node *node)
{
	struct dmm_model *m = b->m;
	struct space s = { .name = key->text,
			   .pos = key->pos,
			   .same_as = MODEL_NONE,
			   .window = MODEL_NONE };

	if (node_expect(node, NODE_MAP, "a space", b->diag) ||
	    node_known(node, "a space", space_keys, ARRAY_LEN(space_keys),
		       b->diag) ||
	    !space_numbers(b, node, &s) ||
	    build_full(b, key->pos, "spaces", m->spaces, MODEL_MAX_SPACES) ||
	    !space_same(b, node, &s))
		return;
	if (s.kind == SPACE_WINDOW) {
		s.size *= s.width / 8u; /* given in registers */
		if (node_get(node, "into"))
			s.size = 1; /* no place of its own */
	}
	if (s.size == 0) {
		diag_error(b->diag, key->pos,
			   DIAG_MISSING "space %s needs a size", s.name);
		return;
	}
	space_bar(b, &s);
	if (s.kind == SPACE_WINDOW) {
		m->window[m->windows] = (struct window){ .pos = key->pos,
							 .node = node,
							 .space = m->spaces };
		s.window = m->windows++;
	}
	space_denied(b, node_get(node, "denied"), &s);
	s.grain = s.size > 4096 ? s.width / 8 : 1;
	m->space[m->spaces++] = s;
}

void build_spaces(struct build *b, const struct node *root)
{
	const struct node *map = node_get(root, "spaces");
	size_t i;

	if (!map) {
		diag_error(b->diag, root->pos,
			   DIAG_MISSING "a model needs \"spaces:\"");
		diag_advise(b->diag,
			    "spaces: { io: { kind: io, bar: 0, size: 0x20 } }");
		return;
	}
	if (node_expect(map, NODE_MAP, "the spaces", b->diag))
		return;
	for (i = 0; i < map->n; i++)
		build_space(b, map->key[i], map->at[i]);
}
