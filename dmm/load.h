/* SPDX-License-Identifier: MIT */
/*
 * load.h: YAML text to a tree of nodes that remember where they stood.
 *
 * The text is untrusted, and this is the one place that meets it raw: its
 * size, depth, number of nodes (aliases expanded and counted) and bytes are
 * bounded; NUL, invalid UTF-8, duplicate keys, cyclic and missing anchors, more than
 * one document and tags are errors with a place.
 *
 * YAML 1.2's core schema for scalars: `on`, `off`, `yes` and `no` are words.
 * Anchors and aliases work, `<<` merges mappings (own keys win), and a
 * sequence that is an element of a sequence by alias is spliced in.
 *
 * Errors:  0 or -EINVAL (said in diag) or -ENOMEM.
 * Threads: a tree never changes once loaded.
 */

#ifndef DMM_LOAD_H
#define DMM_LOAD_H

#include "cc.h"
#include "diag.h"

#define LOAD_MAX_BYTES (1u << 20) /* of text */
#define LOAD_MAX_NODES 100000u	  /* with every alias expanded */
#define LOAD_MAX_DEPTH 32u
#define LOAD_MAX_SCALAR 4096u

enum node_kind { NODE_SCALAR, NODE_SEQ, NODE_MAP };

struct node {
	enum node_kind kind;
	struct diag_pos pos;
	bool quoted;	   /* a scalar in quotes: a string, never a number */
	const char *text;  /* NODE_SCALAR: NUL terminated */
	size_t n;	   /* elements, or pairs */
	struct node **key; /* NODE_MAP: n scalar keys, in the file's order */
	struct node **at;  /* NODE_SEQ: n elements; NODE_MAP: n values */
};

struct tree; /* owns all its nodes */

/*
 * Load (len) bytes of (text).  (*root) is a mapping and lives as long as
 * (*out).
 */
MUST_CHECK int load_yaml(struct tree **out, const struct node **root,
			 const char *text, size_t len, struct diag *diag);
void load_free(struct tree *tree); /* NULL is fine */

/* The value of (key) in the mapping (map), or NULL; (map) may be NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* The pair's key node, for its place; or NULL. */
const struct node *node_key(const struct node *map, const char *key);

/* True if (node) is the scalar (text). */
bool node_is(const struct node *node, const char *text);

/*
 * Each of these reads one node as a type, or says in (diag) what was expected
 * and what was there.  (what) names the thing in the message: "a BAR number".
 * Numbers are decimal, 0x hexadecimal or 0b binary, without sign.
 * node_size() also takes K, M, G (powers of 1024): bytes.  node_time() takes
 * ns, us, ms, s: nanoseconds.  node_bool() takes true and false.
 */
MUST_CHECK int node_u64(const struct node *node, const char *what, uint64_t max,
			uint64_t *out, struct diag *diag);
MUST_CHECK int node_size(const struct node *node, const char *what,
			 uint64_t *out, struct diag *diag);
MUST_CHECK int node_time(const struct node *node, const char *what,
			 uint64_t *out, struct diag *diag);
MUST_CHECK int node_bool(const struct node *node, const char *what, bool *out,
			 struct diag *diag);
MUST_CHECK int node_word(const struct node *node, const char *what,
			 const char *const words[], size_t n, unsigned int *out,
			 struct diag *diag);
/* Six bytes, colon separated hex. */
MUST_CHECK int node_mac(const struct node *node, const char *what,
			uint8_t out[6], struct diag *diag);

/* -EINVAL unless (node) is of (kind); a message if not. */
MUST_CHECK int node_expect(const struct node *node, enum node_kind kind,
			   const char *what, struct diag *diag);

/*
 * An error for each key of the mapping (map) that is not among (keys), with
 * the nearest one as advice.  (what) names the mapping: "a register".
 */
MUST_CHECK int node_known(const struct node *map, const char *what,
			  const char *const keys[], size_t n,
			  struct diag *diag);

#endif /* DMM_LOAD_H */
