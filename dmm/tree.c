/* SPDX-License-Identifier: MIT */
/*
 * tree.c: the memory of a tree of nodes, and how a collection is completed:
 * merges put in place, keys given twice found.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "tree.h"

#define BLOCK_SIZE 65536

struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

struct tree {
	struct block *blocks;
};

struct tree *tree_new(void)
{
	return calloc(1, sizeof(struct tree));
}

void *tree_alloc(struct tree *tree, size_t size)
{
	struct block *b = tree->blocks;
	size_t unit = sizeof(max_align_t), room;

	size = (size + unit - 1) / unit * unit;
	if (!b || b->size - b->used < size) {
		room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		b = malloc(sizeof(*b) + room);
		if (!b)
			return NULL;
		*b = (struct block){ .next = tree->blocks, .size = room };
		tree->blocks = b;
	}
	b->used += size;
	return (char *)b->data + b->used - size;
}

void load_free(struct tree *tree)
{
	if (!tree)
		return;
	while (tree->blocks) {
		struct block *b = tree->blocks;

		tree->blocks = b->next;
		free(b);
	}
	free(tree);
}

struct full_node *tree_node(struct tree *tree, enum node_kind kind,
			    struct diag_pos pos)
{
	struct full_node *node = tree_alloc(tree, sizeof(*node));

	if (!node)
		return NULL;
	memset(node, 0, sizeof(*node));
	node->node.kind = kind;
	node->node.pos = pos;
	node->node.text = kind == NODE_SCALAR ? "" : NULL;
	node->weight = 1;
	node->height = kind != NODE_SCALAR;
	return node;
}

char *tree_text(struct tree *tree, const char *text, size_t len)
{
	char *copy = tree_alloc(tree, len + 1);

	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

static bool is_merge(const struct full_node *key)
{
	return key->node.kind == NODE_SCALAR && !key->node.quoted &&
	       !strcmp(key->node.text, "<<");
}

/* A pair of a mapping with its merges in place; sorted to find doubles. */
struct pair {
	struct node *key, *value;
	size_t index; /* its place among all */
	bool own;     /* not merged */
	bool drop;
};

static bool pair_before(const struct pair *a, const struct pair *b)
{
	int d = strcmp(a->key->text, b->key->text);

	return d < 0 || (d == 0 && a->index < b->index);
}

/* Merge sort, for no text may make this slow; (spare) is as big as (at). */
static void sort_pairs(const struct pair **at, const struct pair **spare,
		       size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort_pairs(at, spare, half);
	sort_pairs(at + half, spare, n - half);
	memcpy(spare, at, half * sizeof(*at));
	while (i < half)
		at[k++] = j < n && pair_before(at[j], spare[i]) ? at[j++] :
								  spare[i++];
}

/*
 * One key, given (n) times: the first place counts, and the first pair that
 * is the mapping's own, else the first merged.
 */
static void settle_key(struct pair *pairs, const struct pair **same, size_t n,
		       struct diag *diag)
{
	struct pair *first = &pairs[same[0]->index];
	const struct pair *own = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct pair *p = same[i];

		if (i)
			pairs[p->index].drop = true;
		if (!p->own)
			continue;
		if (!own) {
			own = p;
			continue;
		}
		diag_error(diag, p->key->pos,
			   DIAG_BAD_KEY
			   "duplicate key \"%s\": first given on line %u",
			   p->key->text, own->key->pos.line);
		if (!strcmp(p->key->text, "<<"))
			diag_advise(diag, "merge several by a list: "
					  "<<: [ *a, *b ]");
		else
			diag_advise(diag, "keep one of them");
	}
	if (own) {
		first->key = own->key;
		first->value = own->value;
	}
}

/* Find doubles among (n) pairs, and put what remains into (map). */
static int settle(struct tree *tree, struct node *map, struct pair *pairs,
		  size_t n, struct diag *diag)
{
	const struct pair **by_key = malloc((n + 1) * 2 * sizeof(*by_key));
	size_t kept = 0;
	int ret = -ENOMEM;

	map->key = tree_alloc(tree, n * sizeof(*map->key));
	map->at = tree_alloc(tree, n * sizeof(*map->at));
	if (!by_key || !map->key || !map->at)
		goto out;
	for (size_t i = 0; i < n; i++)
		by_key[i] = &pairs[i];
	sort_pairs(by_key, by_key + n, n);
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n; j++)
			if (strcmp(by_key[i]->key->text, by_key[j]->key->text))
				break;
		settle_key(pairs, by_key + i, j - i, diag);
	}
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].drop)
			continue;
		map->key[kept] = pairs[i].key;
		map->at[kept++] = pairs[i].value;
	}
	map->n = kept;
	ret = 0;
out:
	free(by_key);
	return ret;
}

/* Take the pairs of (map) into (pairs), of which there are (*n). */
static void merge_map(const struct node *map, struct pair *pairs, size_t *n)
{
	for (size_t i = 0; i < map->n; i++, (*n)++)
		pairs[*n] = (struct pair){ map->key[i], map->at[i], *n, false,
					   false };
}

/* The value of a "<<". */
static void merge(const struct full_node *from, struct pair *pairs, size_t *n,
		  struct diag *diag)
{
	const struct node *node = &from->node;

	if (node->kind == NODE_MAP) {
		merge_map(node, pairs, n);
		return;
	}
	if (node->kind == NODE_SCALAR) {
		if (!from->poison)
			diag_error(diag, node->pos,
				   DIAG_ALIAS
				   "\"<<\" merges a mapping, got \"%s\"",
				   node->text);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		if (node->at[i]->kind == NODE_MAP)
			merge_map(node->at[i], pairs, n);
		else if (!((const struct full_node *)node->at[i])->poison)
			diag_error(diag, node->at[i]->pos,
				   DIAG_ALIAS
				   "\"<<\" merges mappings, this is none");
	}
}

/* How many pairs merge() may add. */
static size_t merge_size(const struct node *node)
{
	size_t n = 0;

	if (node->kind == NODE_MAP)
		return node->n;
	for (size_t i = 0; i < node->n; i++)
		if (node->at[i]->kind == NODE_MAP)
			n += node->at[i]->n;
	return n;
}

static int close_map(struct tree *tree, struct node *map,
		     const struct item *items, size_t n_items,
		     struct diag *diag)
{
	struct pair *pairs;
	size_t n = 0;
	int ret;

	for (size_t i = 0; i < n_items; i++)
		n += is_merge(items[i].key) ?
			     1 + merge_size(&items[i].value->node) :
			     1;
	pairs = malloc((n + 1) * sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < n_items; i++) {
		bool merged = is_merge(items[i].key);

		/* A "<<" stays until doubles have been found. */
		pairs[n] = (struct pair){ &items[i].key->node,
					  &items[i].value->node, n, true,
					  merged };
		n++;
		if (merged)
			merge(items[i].value, pairs, &n, diag);
	}
	ret = settle(tree, map, pairs, n, diag);
	free(pairs);
	return ret;
}

static int close_seq(struct tree *tree, struct node *seq,
		     const struct item *items, size_t n)
{
	seq->at = tree_alloc(tree, n * sizeof(*seq->at));
	if (!seq->at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		seq->at[i] = &items[i].value->node;
	seq->n = n;
	return 0;
}

int tree_close(struct tree *tree, struct full_node *node,
	       const struct item *items, size_t n, struct diag *diag)
{
	for (size_t i = 0; i < n; i++) {
		node->weight += items[i].value->weight + !!items[i].key;
		if (node->height <= items[i].value->height)
			node->height = items[i].value->height + 1;
	}
	node->open = false;
	if (node->node.kind == NODE_MAP)
		return close_map(tree, &node->node, items, n, diag);
	return close_seq(tree, &node->node, items, n);
}
