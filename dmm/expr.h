/* SPDX-License-Identifier: MIT */
/*
 * expr.h: the expressions of a model: C's operators on unsigned 64-bit
 * integers, compiled once to a short program for a stack machine.
 *
 *   RSAR < stop && end >= stop ? end - stop + (PSTART << 8) : end
 *
 * What a name means is the caller's: a resolver turns it into an operand (a
 * constant, some bits of an array element, a question to the host, or another
 * expression, which is put in place of the name).
 *
 * All arithmetic wraps; a shift by 64 or more gives 0, a division by 0 gives
 * 0: an expression always has a value, and nothing that a guest wrote can make
 * it fail.  && || ?: skip what they need not evaluate.
 *
 * Errors:  expr_parse() returns 0, -EINVAL (said in diag) or -ENOMEM.
 * Threads: a compiled expression never changes.
 */

#ifndef DMM_EXPR_H
#define DMM_EXPR_H

#include "cc.h"
#include "diag.h"

#define EXPR_MAX_OPS 256u  /* of one compiled expression */
#define EXPR_MAX_STACK 16u /* checked when compiled, so never when run */
#define EXPR_MAX_DEPTH 32u /* of parentheses and of names within names */

/* The arrays that an expression may load from. */
enum expr_array {
	EXPR_REG,    /* a guest's registers, by register number */
	EXPR_STATE,  /* its machines' states, by machine number */
	EXPR_EVENT,  /* the event at hand; see enum expr_event */
	EXPR_FIELD,  /* a descriptor or block of memory, as 64-bit words */
	EXPR_SHADOW, /* the monitor's own rings; see enum expr_shadow */
	EXPR_ARRAYS
};

/* Elements of EXPR_EVENT. */
enum expr_event {
	EXPR_VALUE,  /* what is written */
	EXPR_WIDTH,  /* its width in bits */
	EXPR_AT,     /* a procedure's parameters: where on the card, */
	EXPR_COUNT,  /* how many bytes, */
	EXPR_LENGTH, /* and of a frame */
	EXPR_MAC,    /* a guest's address, its first byte lowest */
	EXPR_EVENTS
};

/* Elements of EXPR_SHADOW, for each ring in turn. */
enum expr_shadow {
	EXPR_RING_BASE,	 /* device address */
	EXPR_RING_COUNT, /* descriptors */
	EXPR_RING_IDLE,	 /* all that entered has been written back */
	EXPR_RING_NUMBERS
};

enum expr_op {
	EXPR_OP_CONST, /* push k */
	EXPR_OP_LOAD,  /* push (array[a][index] >> shift) & k */
	EXPR_OP_ASK,   /* push (ask(index) >> shift) & k */
	/* unary */
	EXPR_OP_NOT,
	EXPR_OP_INV,
	EXPR_OP_NEG,
	EXPR_OP_BOOL,
	/* binary */
	EXPR_OP_MUL,
	EXPR_OP_DIV,
	EXPR_OP_MOD,
	EXPR_OP_ADD,
	EXPR_OP_SUB,
	EXPR_OP_SHL,
	EXPR_OP_SHR,
	EXPR_OP_LT,
	EXPR_OP_LE,
	EXPR_OP_GT,
	EXPR_OP_GE,
	EXPR_OP_EQ,
	EXPR_OP_NE,
	EXPR_OP_AND,
	EXPR_OP_XOR,
	EXPR_OP_OR,
	/* forward jumps, over index operations */
	EXPR_OP_JUMP,	   /* always */
	EXPR_OP_JUMP_ZERO, /* pop; jump if 0 (for ?:) */
	EXPR_OP_AND_THEN,  /* top 0: make it 0 and jump; else pop */
	EXPR_OP_OR_ELSE,   /* top not 0: make it 1 and jump; else pop */
};

struct expr_ins {
	uint8_t op;
	uint8_t array;	/* LOAD */
	uint8_t shift;	/* LOAD, ASK: 0 to 63 */
	uint16_t index; /* LOAD, ASK: which; jumps: how far */
	uint64_t k;	/* CONST: the value; LOAD, ASK: the mask */
};

struct expr {
	struct diag_pos pos; /* where its text began */
	uint16_t n;
	uint16_t stack; /* the deepest it gets */
	struct expr_ins ins[];
};

/* What a name turned out to be. */
struct expr_operand {
	enum { EXPR_IS_CONST, EXPR_IS_LOAD, EXPR_IS_ASK, EXPR_IS_EXPR } kind;
	struct expr_ins ins;	 /* CONST, LOAD, ASK: as it is to be run */
	const struct expr *expr; /* EXPR */
	int machine;		 /* a machine: its number, else -1; see below */
	bool state;		 /* a state of the machine compared with */
};

/*
 * Resolve (name): dotted and indexed as it stands in the text, such as
 * "value.TXP", "RAL[0]", "device.ISR.RST".  If it is compared by == or !=
 * with an operand whose (machine) was not -1, that number is in (machine)
 * (so that "tx == idle" finds the idle of tx), else -1.  A machine that is not
 * compared with one of its states, and the other way round, is an error.
 * 0, or -EINVAL with a message in (diag).
 */
typedef int expr_resolve_fn(void *ctx, const char *name, int machine,
			    struct diag_pos pos, struct expr_operand *out,
			    struct diag *diag);

/*
 * Compile (text), which stands at (pos) of the file.  Names are at most 63
 * bytes.  The caller frees (*out) with free().
 */
MUST_CHECK int expr_parse(struct expr **out, const char *text,
			  struct diag_pos pos, expr_resolve_fn *resolve,
			  void *ctx, struct diag *diag);

/*
 * Find how deep the stack of (e) gets, and prove that the program keeps it in
 * order: -EINVAL if not.  For expr_parse().
 */
MUST_CHECK int expr_verify(struct expr *e);

/* What an expression is evaluated over. */
struct expr_env {
	const uint64_t *array[EXPR_ARRAYS]; /* may be NULL if not loaded from */
	uint64_t (*ask)(void *ctx, unsigned int index, bool *unknown);
	void *ctx;
};

/*
 * The value.  (*unknown) (may be NULL) becomes true if an answer that the
 * value rests on was not to be had; it is never set to false.
 */
uint64_t expr_eval(const struct expr *expr, const struct expr_env *env,
		   bool *unknown);

/*
 * Evaluate with only EXPR_EVENT's elements in the bit set (known) known (bit
 * EXPR_VALUE, bit EXPR_WIDTH): true if the value is the same whatever all else
 * is; then it is in (*out).  So a rule that cannot fire on a value is found
 * when a model is compiled.
 */
bool expr_eval_known(const struct expr *expr, const uint64_t *event,
		     unsigned int known, uint64_t *out);

#endif /* DMM_EXPR_H */
