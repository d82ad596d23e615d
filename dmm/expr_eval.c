/* SPDX-License-Identifier: MIT */
/*
 * expr_eval.c: the value of a compiled expression, or as much of it as is
 * known before a guest runs.
 *
 * A program comes from expr_parse(), which has verified it: it stays within
 * the stack, jumps forward only, and no part of it reads what lies deeper in
 * the stack than where the part began.
 */

#include <errno.h>

#include "expr.h"

/* How many values (op) needs on the stack; it leaves what (leaves) says. */
static unsigned int needs(unsigned int op, unsigned int *leaves)
{
	*leaves = op < EXPR_OP_JUMP;
	if (op < EXPR_OP_NOT)
		return 0;
	return op >= EXPR_OP_MUL && op <= EXPR_OP_OR ? 2 : 1;
}

/*
 * Follow the stack's height through the program, which gives the deepest, and
 * prove that all ways to an operation find it alike.  What comes from the
 * parser is right but for its depth; the rest is to be sure.
 */
int expr_verify(struct expr *e)
{
	uint16_t height[EXPR_MAX_OPS + 1] = { 0 }; /* + 1; 0: not known */
	unsigned int h = 0, leaves;

	e->stack = 0;
	for (unsigned int pc = 0; pc < e->n; pc++) {
		const struct expr_ins *ins = &e->ins[pc];
		unsigned int to = pc + 1 + ins->index, there = h + 1;

		if ((height[pc] && height[pc] != h + 1) ||
		    h < needs(ins->op, &leaves))
			return -EINVAL;
		h = h - needs(ins->op, &leaves) + leaves;
		if (h > e->stack)
			e->stack = (uint16_t)h;
		if (ins->op < EXPR_OP_JUMP)
			continue;
		if (ins->op == EXPR_OP_JUMP_ZERO)
			there--; /* the others take the top along */
		if (to > e->n || (height[to] && height[to] != there))
			return -EINVAL;
		height[to] = (uint16_t)there;
	}
	return h == 1 ? 0 : -EINVAL;
}

/* Where a jump may go: to any operation, or behind the last. */
#define PLACES (EXPR_MAX_OPS + 1)

static inline uint64_t binary(unsigned int op, uint64_t a, uint64_t b)
{
	switch (op) {
	case EXPR_OP_MUL:
		return a * b;
	case EXPR_OP_DIV:
		return b ? a / b : 0;
	case EXPR_OP_MOD:
		return b ? a % b : 0;
	case EXPR_OP_ADD:
		return a + b;
	case EXPR_OP_SUB:
		return a - b;
	case EXPR_OP_SHL:
		return b < 64 ? a << b : 0;
	case EXPR_OP_SHR:
		return b < 64 ? a >> b : 0;
	case EXPR_OP_LT:
		return a < b;
	case EXPR_OP_LE:
		return a <= b;
	case EXPR_OP_GT:
		return a > b;
	case EXPR_OP_GE:
		return a >= b;
	case EXPR_OP_EQ:
		return a == b;
	case EXPR_OP_NE:
		return a != b;
	case EXPR_OP_AND:
		return a & b;
	case EXPR_OP_XOR:
		return a ^ b;
	default:
		return a | b;
	}
}

/* The host's answer; 0 if it has none. */
static uint64_t ask(const struct expr_ins *ins, const struct expr_env *env,
		    bool *unknown)
{
	bool none = !env->ask;
	uint64_t v = none ? 0 : env->ask(env->ctx, ins->index, &none);

	if (none && unknown)
		*unknown = true;
	return (v >> (ins->shift & 63)) & ins->k;
}

/* The top of the stack is in (top); what (sp) points behind lies below it. */
uint64_t expr_eval(const struct expr *expr, const struct expr_env *env,
		   bool *unknown)
{
	const struct expr_ins *ins = expr->ins, *end = ins + expr->n;
	uint64_t stack[EXPR_MAX_STACK + 1], *sp = stack, top = 0;

	for (; ins < end; ins++) {
		switch (ins->op) {
		case EXPR_OP_CONST:
			*sp++ = top;
			top = ins->k;
			break;
		case EXPR_OP_LOAD:
			*sp++ = top;
			top = env->array[ins->array][ins->index];
			top = (top >> (ins->shift & 63)) & ins->k;
			break;
		case EXPR_OP_ASK:
			*sp++ = top;
			top = ask(ins, env, unknown);
			break;
		case EXPR_OP_NOT:
			top = !top;
			break;
		case EXPR_OP_INV:
			top = ~top;
			break;
		case EXPR_OP_NEG:
			top = -top;
			break;
		case EXPR_OP_BOOL:
			top = !!top;
			break;
		case EXPR_OP_JUMP:
			ins += ins->index;
			break;
		case EXPR_OP_JUMP_ZERO:
			ins += top ? 0 : ins->index;
			top = *--sp;
			break;
		case EXPR_OP_AND_THEN:
			if (!top)
				ins += ins->index;
			else
				top = *--sp;
			break;
		case EXPR_OP_OR_ELSE:
			if (top)
				ins += ins->index;
			top = top ? 1 : *--sp;
			break;
		default:
			sp--;
			top = binary(ins->op, *sp, top);
		}
	}
	return top;
}

/*
 * What is known of a value: the bits in (u) are unknown, and 0 in (v); the
 * others are as in (v).  So (v) is the least that it can be, (v | u) the most.
 */
struct bits {
	uint64_t v, u;
};

/* What arrives by jumps at an operation. */
struct arrival {
	bool live; /* something may */
	bool top;  /* it brings the top of the stack along */
	struct bits bits;
};

static const struct bits zero = { 0, 0 }, one = { 1, 0 };
static const struct bits either = { 0, 1 }; /* 0 or 1 */
static const struct bits any = { 0, UINT64_MAX };

static struct bits masked(struct bits b, uint64_t mask)
{
	return (struct bits){ b.v & mask, b.u & mask };
}

/* What is true of both. */
static struct bits join(struct bits a, struct bits b)
{
	uint64_t u = a.u | b.u | (a.v ^ b.v);

	return (struct bits){ a.v & ~u, u };
}

static struct bits truth(struct bits b)
{
	return b.v ? one : b.u ? either : zero;
}

static struct bits negated(struct bits b)
{
	return b.v ? zero : b.u ? either : one;
}

/* a < b, or with (equal) a <= b */
static struct bits less(struct bits a, struct bits b, bool equal)
{
	uint64_t most_a = a.v | a.u, most_b = b.v | b.u;

	if (equal ? most_a <= b.v : most_a < b.v)
		return one;
	if (equal ? a.v > most_b : a.v >= most_b)
		return zero;
	return either;
}

static struct bits equal(struct bits a, struct bits b)
{
	if ((a.v ^ b.v) & ~(a.u | b.u))
		return zero;
	return a.u | b.u ? either : one;
}

static struct bits shifted(unsigned int op, struct bits a, struct bits b)
{
	if (b.v >= 64 || !(a.v | a.u))
		return zero;
	if (b.u)
		return any;
	return (struct bits){ binary(op, a.v, b.v), binary(op, a.u, b.v) };
}

/* Sums and products: of use only if all is known, or one is 0. */
static struct bits arithmetic(unsigned int op, struct bits a, struct bits b)
{
	bool a_zero = !(a.v | a.u), b_zero = !(b.v | b.u);

	if (!a.u && !b.u)
		return (struct bits){ binary(op, a.v, b.v), 0 };
	if (op == EXPR_OP_ADD || op == EXPR_OP_SUB)
		return b_zero ? a : a_zero && op == EXPR_OP_ADD ? b : any;
	return a_zero || b_zero ? zero : any;
}

static struct bits binary_known(unsigned int op, struct bits a, struct bits b)
{
	uint64_t v, u;

	switch (op) {
	case EXPR_OP_SHL:
	case EXPR_OP_SHR:
		return shifted(op, a, b);
	case EXPR_OP_LT:
		return less(a, b, false);
	case EXPR_OP_LE:
		return less(a, b, true);
	case EXPR_OP_GT:
		return less(b, a, false);
	case EXPR_OP_GE:
		return less(b, a, true);
	case EXPR_OP_EQ:
		return equal(a, b);
	case EXPR_OP_NE:
		return negated(equal(a, b));
	case EXPR_OP_AND:
		v = a.v & b.v;
		return (struct bits){ v, ((a.v | a.u) & (b.v | b.u)) & ~v };
	case EXPR_OP_OR:
		v = a.v | b.v;
		return (struct bits){ v, (a.u | b.u) & ~v };
	case EXPR_OP_XOR:
		u = a.u | b.u;
		return (struct bits){ (a.v ^ b.v) & ~u, u };
	default:
		return arithmetic(op, a, b);
	}
}

static struct bits unary_known(unsigned int op, struct bits a)
{
	switch (op) {
	case EXPR_OP_NOT:
		return negated(a);
	case EXPR_OP_BOOL:
		return truth(a);
	case EXPR_OP_INV:
		return (struct bits){ ~a.v & ~a.u, a.u };
	default:
		return a.u ? any : (struct bits){ -a.v, 0 };
	}
}

static struct bits load_known(const struct expr_ins *ins, const uint64_t *event,
			      unsigned int known)
{
	unsigned int shift = ins->shift & 63;

	if (ins->op == EXPR_OP_CONST)
		return (struct bits){ ins->k, 0 };
	if (ins->op == EXPR_OP_LOAD && ins->array == EXPR_EVENT &&
	    ins->index < EXPR_EVENTS && known >> ins->index & 1)
		return (struct bits){ event[ins->index] >> shift & ins->k, 0 };
	return masked((struct bits){ 0, UINT64_MAX >> shift }, ins->k);
}

/* Note that (bits) may come to (at), if (live). */
static void arrive(struct arrival *at, bool live, bool top, struct bits bits)
{
	if (!live)
		return;
	at->bits = at->live ? join(at->bits, bits) : bits;
	at->live = true;
	at->top = top;
}

/*
 * A jump: leave with (top) at its target what may go there, and return if
 * something may go on without jumping.
 */
static bool jump_known(const struct expr_ins *ins, struct arrival *target,
		       struct bits top, bool live)
{
	bool may_be_0 = !top.v, may_be_1 = top.v || top.u;

	switch (ins->op) {
	case EXPR_OP_JUMP:
		arrive(target, live, true, top);
		return false;
	case EXPR_OP_JUMP_ZERO:
		arrive(target, live && may_be_0, false, zero);
		return live && may_be_1;
	case EXPR_OP_AND_THEN:
		arrive(target, live && may_be_0, true, zero);
		return live && may_be_1;
	default: /* OR_ELSE */
		arrive(target, live && may_be_1, true, one);
		return live && may_be_0;
	}
}

/*
 * All ways through the program at once, in the order of the text: as jumps go
 * forward, everything that comes to an operation has come before its turn.
 * What no way reaches (not live) is walked for the stack's height alone.
 */
bool expr_eval_known(const struct expr *expr, const uint64_t *event,
		     unsigned int known, uint64_t *out)
{
	struct arrival at[PLACES] = { 0 };
	struct bits stack[EXPR_MAX_STACK] = { 0 };
	unsigned int sp = 0, pc;
	bool live = true;

	for (pc = 0;; pc++) {
		const struct expr_ins *ins = &expr->ins[pc];

		if (at[pc].live && at[pc].top)
			stack[sp - 1] =
				live ? join(stack[sp - 1], at[pc].bits) :
				       at[pc].bits;
		live = live || at[pc].live;
		if (pc == expr->n)
			break;
		switch (ins->op) {
		case EXPR_OP_CONST:
		case EXPR_OP_LOAD:
		case EXPR_OP_ASK:
			stack[sp++] = load_known(ins, event, known);
			break;
		case EXPR_OP_NOT:
		case EXPR_OP_INV:
		case EXPR_OP_NEG:
		case EXPR_OP_BOOL:
			stack[sp - 1] = unary_known(ins->op, stack[sp - 1]);
			break;
		case EXPR_OP_JUMP:
		case EXPR_OP_JUMP_ZERO:
		case EXPR_OP_AND_THEN:
		case EXPR_OP_OR_ELSE:
			sp--;
			live = jump_known(ins, &at[pc + 1 + ins->index],
					  stack[sp], live);
			break;
		default:
			sp--;
			stack[sp - 1] =
				binary_known(ins->op, stack[sp - 1], stack[sp]);
		}
	}
	if (stack[0].u)
		return false;
	*out = stack[0].v;
	return true;
}
