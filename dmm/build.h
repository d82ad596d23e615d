/* SPDX-License-Identifier: MIT */
/*
 * build.h: what the parts of the model compiler share, from tree to tables.
 *
 * Order: spaces, registers, names of machines, lets, places of registers,
 * memories, checks, machines, the rest; then analyze.c looks at the whole.  Each part goes on
 * after an error, so that one run shows several; build.diag counts them.
 */

#ifndef DMM_BUILD_H
#define DMM_BUILD_H

#include "kinds.h"
#include "load.h"
#include "model.h"

struct let {
	const char *name;
	struct expr *expr; /* NULL: it had its error */
};

struct build {
	struct dmm_model *m;
	struct diag *diag;
	struct let let[MODEL_MAX_LETS];
	unsigned int lets;
	unsigned int tries; /* of the values of places' conditions */
	bool no_memory;	    /* -ENOMEM, at the end */
};

/* What names mean where an expression stands. */
enum scope_flags {
	SCOPE_VALUE = 1 << 0,	 /* value, width; of scope.reg */
	SCOPE_DEVICE = 1 << 1,	 /* device.X */
	SCOPE_PARAMS = 1 << 2,	 /* at, count, length */
	SCOPE_STATES = 1 << 3,	 /* machines */
	SCOPE_VOLATILE = 1 << 4, /* latches of volatile bits */
	SCOPE_SHADOW = 1 << 5,	 /* base, count of the monitor's own rings */
	SCOPE_IDLE = 1 << 6,	 /* RING.idle */
	SCOPE_MAC = 1 << 7,	 /* mac: a guest's address */
};

struct scope {
	struct build *b;
	unsigned int flags;
	const struct reg *reg;	 /* whose value; may be NULL */
	const struct ring *ring; /* whose fields; may be NULL */
};

/* What a register's name with its index and field stands for. */
struct target {
	uint16_t reg, slot;
	uint8_t shift;
	uint64_t mask;
	bool whole; /* no field named */
};

/*
 * Find "NAME", "NAME[3]", "NAME.FIELD" or "NAME[3].FIELD"; false and a
 * message if there is none.
 */
MUST_CHECK bool build_target(struct build *b, const char *text,
			     struct diag_pos pos, struct target *out);

/* Compile the scalar (node); NULL and a message if that cannot be. */
struct expr *build_expr(struct build *b, const struct node *node,
			unsigned int flags, const struct reg *reg);
/* The same for text inside a scalar, at column offset (skip). */
struct expr *build_expr_text(struct build *b, const char *text,
			     struct diag_pos pos, unsigned int flags,
			     const struct reg *reg);

/* The same with the fields of a descriptor of (ring). */
struct expr *build_field_expr(struct build *b, const struct node *node,
			      const struct ring *ring);
struct expr *build_ring_expr(struct build *b, const struct node *node,
			     const struct ring *ring, unsigned int flags);
/* "NAME: EXPR" for fields of (ring) into model.set; slot is the word. */
struct span build_field_sets(struct build *b, const struct node *map,
			     const struct ring *ring, unsigned int flags);
/* "REGISTER: EXPR" of fields of (form) alone, likewise. */
struct span build_loads(struct build *b, const struct node *map,
			const struct ring *form);
/* Bits of a register "R" or "R.F", or of a descriptor; false and a message. */
MUST_CHECK bool build_bits(struct build *b, const struct node *node,
			   struct bits *out);
MUST_CHECK bool build_field_bits(struct build *b, const struct node *node,
				 const struct ring *ring, struct bits *out);

/* The register that (node) names, whole; MODEL_NONE and a message if none. */
uint16_t build_reg(struct build *b, const struct node *node, const char *what);

/* A mapping "NAME[.FIELD]: EXPR" into model.set. */
struct span build_sets(struct build *b, const struct node *map,
		       unsigned int flags);
/* The same where (value) is what is written to (reg). */
struct span build_event_sets(struct build *b, const struct node *map,
			     unsigned int flags, const struct reg *reg);

/*
 * "No such (what): (name)", with the nearest of the (n) names found (stride)
 * bytes apart from (first) on.
 */
void build_unknown(struct build *b, struct diag_pos pos, const char *what,
		   const char *name, const char *const *first, size_t n,
		   size_t stride);

/* True once (n) has reached (max): a message that the model is too large. */
bool build_full(struct build *b, struct diag_pos pos, const char *what,
		unsigned int n, unsigned int max);

/* The space whose name is the (n) bytes at (name), or MODEL_NONE. */
uint16_t build_find_space(const struct build *b, const char *name, size_t n);
void build_spaces(struct build *b, const struct node *root);
void build_registers(struct build *b, const struct node *root);
void build_places(struct build *b, const struct node *root);
void build_lets(struct build *b, const struct node *root);
void build_windows(struct build *b, const struct node *root);
void build_rings(struct build *b, const struct node *root);
void build_ring_fields(struct build *b, const struct node *map,
		       struct ring *ring);
void build_ring_layouts(struct build *b, const struct node *map,
			struct ring *ring);
void build_ring_refused(struct build *b, const struct node *map,
			struct ring *ring);
/* What a ring of another kind than descriptorRing says. */
void build_slots(struct build *b, const struct node *node, struct ring *ring);
void build_byte_ring(struct build *b, const struct node *node,
		     struct ring *ring);
/* One of `dma` that is a block: blocks.c. */
void build_block(struct build *b, const struct node *key,
		 const struct node *node);
/* After all rings: which of them a block begins. */
void build_begins(struct build *b, const struct node *root);
/* A ring with `own`: what it has in place of head, tail and done. */
bool build_own(struct build *b, const struct node *node, struct ring *ring);
/* Other ways in which a guest's descriptors may be laid out. */
void build_forms(struct build *b, const struct node *map, struct ring *ring);
/* "RING" or a list of them, as a bit set. */
uint32_t build_ring_set(struct build *b, const struct node *n);
void build_eeproms(struct build *b, const struct node *root);
/* The ring that is called (name), or MODEL_NONE. */
uint16_t build_find_ring(const struct build *b, const char *name);
void build_memories(struct build *b, const struct node *root);
void build_checks(struct build *b, const struct node *root);
void build_machine_names(struct build *b, const struct node *root);
void build_machines(struct build *b, const struct node *root);
void build_sharing(struct build *b, const struct node *root);
void build_procedures(struct build *b, const struct node *root);
void build_tests(struct build *b, const struct node *root);
void build_plan(struct build *b);
void build_analyze(struct build *b);

#endif /* DMM_BUILD_H */
