/* SPDX-License-Identifier: MIT */
/*
 * tree.h: the memory of a tree of nodes, and how a collection is completed.
 * For load.c alone: all others take load.h.
 */

#ifndef DMM_TREE_H
#define DMM_TREE_H

#include "diag.h"
#include "load.h"

/* A node, and what is true of it while it is loaded. */
struct full_node {
	struct node node; /* first: the two are cast to each other */
	uint32_t weight;  /* nodes in it, itself too, aliases expanded */
	uint8_t height;	  /* collections within each other, itself too */
	bool open;	  /* its end is not yet read */
	bool poison;	  /* stands for something that has had its error */
};

/* A value, and in a mapping its key, that wait until their parent ends. */
struct item {
	struct full_node *key, *value;
};

/* These return NULL without memory. */
struct tree *tree_new(void);
void *tree_alloc(struct tree *tree, size_t size);
char *tree_text(struct tree *tree, const char *text, size_t len);
struct full_node *tree_node(struct tree *tree, enum node_kind kind,
			    struct diag_pos pos);

/*
 * Give (node) its (n) items.  In a mapping, "<<" is replaced by what it
 * merges, and keys given twice are said in (diag).  0 or -ENOMEM.
 */
MUST_CHECK int tree_close(struct tree *tree, struct full_node *node,
			  const struct item *items, size_t n,
			  struct diag *diag);

#endif /* DMM_TREE_H */
