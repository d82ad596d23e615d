/* SPDX-License-Identifier: MIT */
/*
 * fuzz_load.c: any text to a tree; every node of it is read as every type,
 * and what is said about it is rendered.
 */

#include <stdlib.h>
#include <string.h>

#include "dmm/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = { "at", "size", "fields", "true" };

static void must(bool held)
{
	if (!held)
		abort();
}

static void read_node(const struct node *node, struct diag *diag)
{
	uint8_t mac[6];
	unsigned int word;
	uint64_t v;
	bool b;

	if (!node_u64(node, "a number", 1000, &v, diag))
		must(v <= 1000);
	if (!node_word(node, "a word", words, ARRAY_LEN(words), &word, diag))
		must(word < ARRAY_LEN(words) && node_is(node, words[word]));
	if (node_size(node, "a size", &v, diag) |
	    node_time(node, "a time", &v, diag) |
	    node_bool(node, "a switch", &b, diag) |
	    node_mac(node, "a MAC", mac, diag) |
	    node_known(node, "a map", words, ARRAY_LEN(words), diag))
		must(diag->errors > 0);
}

/* What load.h promises, of (node) and all in it; returns how many. */
static size_t walk(const struct node *node, unsigned int depth,
		   struct diag *diag)
{
	size_t n = 1;

	must(depth <= LOAD_MAX_DEPTH && node->pos.line && node->pos.column);
	read_node(node, diag);
	if (node->kind == NODE_SCALAR) {
		must(node->text && strlen(node->text) <= LOAD_MAX_SCALAR);
		return n;
	}
	for (size_t i = 0; i < node->n; i++) {
		if (node->kind == NODE_MAP) {
			const struct node *key = node->key[i];

			must(key->kind == NODE_SCALAR);
			if (node->n < 100) /* it is the only one */
				must(node_get(node, key->text) == node->at[i]);
			n++;
		}
		n += walk(node->at[i], depth + 1, diag);
	}
	return n;
}

/* Nothing that a terminal obeys leaves diag_render(). */
static void check_text(const char *s)
{
	for (; *s; s++)
		must((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const struct node *root;
	struct tree *tree;
	struct diag diag;
	char *s;
	int ret;

	diag_init(&diag, "fuzz.yaml");
	ret = load_yaml(&tree, &root, text, size, &diag);
	must(!ret == !diag.errors);
	if (!ret) {
		must(root->kind == NODE_MAP);
		must(walk(root, 0, &diag) <= LOAD_MAX_NODES);
		load_free(tree);
	}
	s = diag_render(&diag, text, size);
	must(s);
	check_text(s);
	free(s);
	diag_fini(&diag);
	return 0;
}
