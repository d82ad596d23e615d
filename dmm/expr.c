/* SPDX-License-Identifier: MIT */
/*
 * expr.c: the text of an expression to a program for expr_eval().
 *
 * One pass: precedence climbing writes operations as it reads, and folds what
 * is constant by running it.  expr_verify() then proves the program's stack.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "kinds.h"
#include "utf8.h"

#define NAME_MAX_LEN 63

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_NAME, TOKEN_SIGN };

/* A binary operator; a higher (level) binds tighter. */
struct sign {
	const char *text;
	uint8_t level; /* 0: no binary operator */
	uint8_t op;
};

#define LEVEL_EQUAL 6

/* Longer before shorter. */
static const struct sign signs[] = {
	{ "||", 1, EXPR_OP_OR_ELSE },
	{ "&&", 2, EXPR_OP_AND_THEN },
	{ "==", 6, EXPR_OP_EQ },
	{ "!=", 6, EXPR_OP_NE },
	{ "<=", 7, EXPR_OP_LE },
	{ ">=", 7, EXPR_OP_GE },
	{ "<<", 8, EXPR_OP_SHL },
	{ ">>", 8, EXPR_OP_SHR },
	{ "|", 3, EXPR_OP_OR },
	{ "^", 4, EXPR_OP_XOR },
	{ "&", 5, EXPR_OP_AND },
	{ "<", 7, EXPR_OP_LT },
	{ ">", 7, EXPR_OP_GT },
	{ "+", 9, EXPR_OP_ADD },
	{ "-", 9, EXPR_OP_SUB },
	{ "*", 10, EXPR_OP_MUL },
	{ "/", 10, EXPR_OP_DIV },
	{ "%", 10, EXPR_OP_MOD },
	{ "!", 0, 0 },
	{ "~", 0, 0 },
	{ "(", 0, 0 },
	{ ")", 0, 0 },
	{ "?", 0, 0 },
	{ ":", 0, 0 },
};

struct token {
	enum token_kind kind;
	const char *at;
	size_t len;
	uint64_t value;		 /* TOKEN_NUMBER */
	const struct sign *sign; /* TOKEN_SIGN */
};

struct parser {
	const char *text;
	struct diag_pos pos;
	expr_resolve_fn *resolve;
	void *ctx;
	struct diag *diag;
	struct token last, token; /* the one before, and the one at hand */
	unsigned int depth;
	bool failed;	   /* a name means nothing */
	struct expr *fold; /* of up to three operations */
	struct expr *out;  /* of up to EXPR_MAX_OPS */
};

/* What is known of an operand that was just written. */
struct operand {
	unsigned int from; /* its first operation; it ends at the last */
	int machine;	   /* see struct expr_operand */
	bool state;	   /* likewise */
	bool boolean;	   /* is 0 or 1 */
	struct token name; /* of the machine */
};

/*
 * Tokens
 */

static struct diag_pos pos_at(const struct parser *p, const char *at)
{
	struct diag_pos pos = p->pos;

	if (pos.column)
		pos.column += (uint32_t)(at - p->text);
	return pos;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       is_digit(c);
}

static bool is_token(const struct token *t, const char *sign)
{
	return t->kind == TOKEN_SIGN && !strcmp(t->sign->text, sign);
}

static int digit(char c, unsigned int base)
{
	int d = is_digit(c)	     ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				       -1;

	return d < (int)base ? d : -1;
}

/* Advice to one who wrote (unit) behind a number. */
static void advise_unit(struct parser *p, const char *unit, size_t len)
{
	static const char *const units[] = { "ns", "us", "ms", "s",
					     "K",  "M",	 "G" };

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i]) == len && !memcmp(unit, units[i], len))
			diag_advise(p->diag, "numbers in an expression have no "
					     "units: times are in nanoseconds, "
					     "sizes in bytes");
}

static int get_number(struct parser *p, struct token *t)
{
	const char *s = t->at, *first;
	unsigned int base = 10;
	bool over = false;
	int d;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'b')) {
		base = s[1] == 'x' ? 16 : 2;
		s += 2;
	}
	first = s;
	for (d = digit(*s, base); d >= 0; d = digit(*++s, base)) {
		over |= __builtin_mul_overflow(t->value, base, &t->value);
		over |= cc_add(t->value, (uint64_t)d, &t->value);
	}
	t->kind = TOKEN_NUMBER;
	t->len = (size_t)(s - t->at);
	while (is_word(t->at[t->len]))
		t->len++;
	if (s == t->at + t->len && s > first && !over)
		return 0;
	over = over && s == t->at + t->len;
	diag_error(p->diag, pos_at(p, t->at), DIAG_EXPR "\"%.*s\" %s",
		   (int)t->len, t->at,
		   over ? "does not fit in 64 bits" : "is not a number");
	advise_unit(p, s, (size_t)(t->at + t->len - s));
	return -EINVAL;
}

/* A word, then any of ".word" and "[number]". */
static int get_name(struct parser *p, struct token *t)
{
	const char *s = t->at, *open;

	t->kind = TOKEN_NAME;
	for (;;) {
		while (is_word(*s))
			s++;
		if (*s == '[') {
			for (open = s++; is_digit(*s); s++)
				;
			if (*s != ']' || s == open + 1)
				return diag_error(p->diag, pos_at(p, open),
						  DIAG_EXPR
						  "expected a number and \"]\" "
						  "after \"[\"");
			s++;
		}
		if (*s != '.')
			break;
		if (!is_word(*++s) || is_digit(*s))
			return diag_error(p->diag, pos_at(p, s),
					  DIAG_EXPR
					  "expected a name after \".\"");
	}
	t->len = (size_t)(s - t->at);
	if (t->len > NAME_MAX_LEN)
		return diag_error(p->diag, pos_at(p, t->at),
				  DIAG_EXPR
				  "a name of %zu bytes, at most %d may be",
				  t->len, NAME_MAX_LEN);
	return 0;
}

static int unexpected(struct parser *p, const char *at, size_t len)
{
	return diag_error(p->diag, pos_at(p, at),
			  DIAG_EXPR "unexpected \"%.*s\"", (int)len, at);
}

static int get_sign(struct parser *p, struct token *t)
{
	size_t len;

	t->kind = TOKEN_SIGN;
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		t->sign = &signs[i];
		t->len = strlen(t->sign->text);
		if (!strncmp(t->at, t->sign->text, t->len))
			return 0;
	}
	utf8_get(t->at, strlen(t->at), &len);
	unexpected(p, t->at, len ? len : 1);
	if (*t->at == '=')
		diag_advise(p->diag, "compare with \"==\"");
	return -EINVAL;
}

/* Go on to the next token. */
static int next(struct parser *p)
{
	const char *at = p->token.at + p->token.len;
	struct token *t = &p->token;

	while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
		at++;
	p->last = *t;
	*t = (struct token){ .kind = TOKEN_END, .at = at };
	if (!*at)
		return 0;
	if (is_digit(*at))
		return get_number(p, t);
	return is_word(*at) ? get_name(p, t) : get_sign(p, t);
}

/*
 * Operations
 */

static int too_long(struct parser *p)
{
	diag_error(p->diag, pos_at(p, p->last.at),
		   DIAG_EXPR "the expression takes more than %u operations",
		   EXPR_MAX_OPS);
	diag_advise(p->diag, "names stand for all that they are made of");
	return -EINVAL;
}

static int emit(struct parser *p, struct expr_ins ins)
{
	if (p->out->n == EXPR_MAX_OPS)
		return too_long(p);
	p->out->ins[p->out->n++] = ins;
	return 0;
}

static int emit_op(struct parser *p, unsigned int op)
{
	return emit(p, (struct expr_ins){ .op = (uint8_t)op });
}

/* Let the jump at (at) go to what is written next. */
static void land(struct parser *p, unsigned int at)
{
	p->out->ins[at].index = (uint16_t)(p->out->n - at - 1);
}

/* Take out the operations [from, to). */
static void cut(struct parser *p, unsigned int from, unsigned int to)
{
	struct expr *e = p->out;

	memmove(e->ins + from, e->ins + to, (e->n - to) * sizeof(*e->ins));
	e->n = (uint16_t)(e->n - (to - from));
}

/* True if the operations [from, to) are one constant. */
static bool constant(const struct parser *p, unsigned int from, unsigned int to)
{
	return to == from + 1 && p->out->ins[from].op == EXPR_OP_CONST;
}

/* Put the value of the operations from (from) on in their place. */
static void fold(struct parser *p, unsigned int from)
{
	static const struct expr_env nothing;
	struct expr *e = p->out;
	uint64_t k;

	p->fold->n = (uint16_t)(e->n - from);
	memcpy(p->fold->ins, e->ins + from, p->fold->n * sizeof(*e->ins));
	k = expr_eval(p->fold, &nothing, NULL);
	e->ins[from] = (struct expr_ins){ .op = EXPR_OP_CONST, .k = k };
	e->n = (uint16_t)(from + 1);
}

/* A machine's state is no number: it has names, and is compared with them. */
static int no_machine(struct parser *p, const struct operand *v)
{
	const struct token *t = &v->name;

	if (v->machine < 0)
		return 0;
	diag_error(p->diag, pos_at(p, t->at),
		   DIAG_EXPR "\"%.*s\" is a machine, and no number",
		   (int)t->len, t->at);
	diag_advise(p->diag, "compare it with one of its states: %.*s == STATE",
		    (int)t->len, t->at);
	return -EINVAL;
}

static int emit_unary(struct parser *p, unsigned int op, struct operand *v)
{
	bool known = constant(p, v->from, p->out->n);
	int ret = no_machine(p, v);

	if (ret)
		return ret;
	if (op == EXPR_OP_BOOL && v->boolean)
		return 0;
	ret = emit_op(p, op);
	if (ret)
		return ret;
	if (known)
		fold(p, v->from);
	v->boolean = op == EXPR_OP_NOT || op == EXPR_OP_BOOL;
	v->machine = -1;
	v->state = false;
	return 0;
}

/*
 * Grammar
 */

static int parse_choice(struct parser *p, struct operand *v);

/* An operand was wanted where the token at hand stands. */
static int no_operand(struct parser *p)
{
	const struct token *t = &p->token, *last = &p->last;

	if (last->kind == TOKEN_SIGN && t->kind == TOKEN_END)
		return diag_error(p->diag, pos_at(p, last->at),
				  DIAG_EXPR "missing operand after \"%s\"",
				  last->sign->text);
	if (t->kind == TOKEN_END)
		return diag_error(p->diag, pos_at(p, t->at),
				  DIAG_EXPR "an expression is missing");
	if (last->kind == TOKEN_SIGN && !is_token(last, "(") &&
	    (is_token(t, ")") || is_token(t, ":")))
		return diag_error(p->diag, pos_at(p, last->at),
				  DIAG_EXPR "missing operand after \"%s\"",
				  last->sign->text);
	return unexpected(p, t->at, t->len);
}

static int expect(struct parser *p, const char *sign, const char *open,
		  const char *at)
{
	if (is_token(&p->token, sign))
		return next(p);
	if (p->token.kind != TOKEN_END && !is_token(&p->token, ")") &&
	    !is_token(&p->token, ":"))
		return unexpected(p, p->token.at, p->token.len);
	return diag_error(p->diag, pos_at(p, at),
			  DIAG_EXPR "missing \"%s\" for this \"%s\"", sign,
			  open);
}

/* Put what a name stands for in its place. */
static int emit_operand(struct parser *p, const struct expr_operand *what,
			struct operand *v)
{
	static const uint8_t op[] = {
		[EXPR_IS_CONST] = EXPR_OP_CONST,
		[EXPR_IS_LOAD] = EXPR_OP_LOAD,
		[EXPR_IS_ASK] = EXPR_OP_ASK,
	};
	struct expr_ins ins = what->ins;
	struct expr *e = p->out;

	v->machine = what->machine;
	v->state = what->state;
	v->name = p->last;
	if (what->kind == EXPR_IS_EXPR) {
		if (what->expr->n > EXPR_MAX_OPS - e->n)
			return too_long(p);
		memcpy(e->ins + e->n, what->expr->ins,
		       what->expr->n * sizeof(*e->ins));
		e->n = (uint16_t)(e->n + what->expr->n);
		return 0;
	}
	ins.op = op[what->kind];
	v->boolean = what->kind != EXPR_IS_CONST ? ins.k == 1 : ins.k <= 1;
	return emit(p, ins);
}

/* (machine) is of the operand that this one is compared with, or -1. */
static int parse_name(struct parser *p, int machine, struct operand *v)
{
	struct expr_operand what = { .machine = -1 };
	char name[NAME_MAX_LEN + 1];
	int ret;

	memcpy(name, p->token.at, p->token.len);
	name[p->token.len] = '\0';
	ret = next(p);
	if (ret)
		return ret;
	/* Compared only if nothing else is done with it first. */
	if (p->token.kind == TOKEN_SIGN && p->token.sign->level > LEVEL_EQUAL)
		machine = -1;
	ret = p->resolve(p->ctx, name, machine, pos_at(p, p->last.at), &what,
			 p->diag);
	if (ret == -EINVAL) {
		/* Said; the names that follow may have errors of their own. */
		p->failed = true;
		what = (struct expr_operand){ .machine = -1 };
		ret = 0;
	}
	return ret ? ret : emit_operand(p, &what, v);
}

static int parse_primary(struct parser *p, int machine, struct operand *v)
{
	const char *at = p->token.at;
	int ret;

	if (p->token.kind == TOKEN_NAME)
		return parse_name(p, machine, v);
	if (p->token.kind == TOKEN_NUMBER) {
		v->boolean = p->token.value <= 1;
		ret = emit(p, (struct expr_ins){ .op = EXPR_OP_CONST,
						 .k = p->token.value });
		return ret ? ret : next(p);
	}
	if (!is_token(&p->token, "("))
		return no_operand(p);
	ret = next(p);
	if (!ret)
		ret = parse_choice(p, v);
	return ret ? ret : expect(p, ")", "(", at);
}

/* Not by recursion: the operators before an operand, then it, then they. */
static int parse_unary(struct parser *p, int machine, struct operand *v)
{
	uint8_t op[EXPR_MAX_DEPTH];
	unsigned int n = 0;
	int ret;

	*v = (struct operand){ .from = p->out->n, .machine = -1 };
	for (;; n++) {
		uint8_t o = is_token(&p->token, "!") ? EXPR_OP_NOT :
			    is_token(&p->token, "~") ? EXPR_OP_INV :
			    is_token(&p->token, "-") ? EXPR_OP_NEG :
						       0;

		if (!o)
			break;
		if (n == EXPR_MAX_DEPTH)
			return diag_error(p->diag, pos_at(p, p->token.at),
					  DIAG_EXPR
					  "more than %u operators in a row",
					  EXPR_MAX_DEPTH);
		op[n] = o;
		ret = next(p);
		if (ret)
			return ret;
	}
	ret = parse_primary(p, n ? -1 : machine, v);
	while (n-- && !ret)
		ret = emit_unary(p, op[n], v);
	return ret;
}

/*
 * (left) && or ||, whose jump is at (at), and the right operand behind it are
 * written: make the value 0 or 1, and leave out what a constant decides.
 */
static int finish_logic(struct parser *p, struct operand *left, unsigned int at,
			struct operand *right)
{
	bool is_and = p->out->ins[at].op == EXPR_OP_AND_THEN;
	int ret = emit_unary(p, EXPR_OP_BOOL, right);

	if (ret)
		return ret;
	land(p, at);
	if (constant(p, left->from, at)) {
		if (!!p->out->ins[left->from].k == is_and) {
			cut(p, left->from, right->from);
		} else {
			p->out->n = (uint16_t)(left->from + 1);
			p->out->ins[left->from].k = !is_and;
		}
	}
	left->boolean = true;
	left->machine = -1;
	return 0;
}

static int parse_binary(struct parser *p, unsigned int level, int machine,
			struct operand *v);

/* What follows (left) and the operator (sign), which was just read. */
static int parse_right(struct parser *p, const struct sign *sign,
		       struct operand *left)
{
	bool logic = sign->level <= 2, compares = sign->level == LEVEL_EQUAL;
	unsigned int at = p->out->n;
	struct operand right;
	int ret = compares ? 0 : no_machine(p, left);

	if (!ret && logic)
		ret = emit_op(p, sign->op);
	if (!ret)
		ret = parse_binary(p, sign->level + 1u,
				   compares ? left->machine : -1, &right);
	if (!ret)
		ret = no_machine(p, &right);
	if (!ret && !right.state && !p->failed)
		ret = no_machine(p, left);
	if (ret)
		return ret;
	if (logic)
		return finish_logic(p, left, at, &right);
	ret = emit_op(p, sign->op);
	if (ret)
		return ret;
	if (constant(p, left->from, at) && constant(p, at, p->out->n - 1u))
		fold(p, left->from);
	left->boolean = sign->op >= EXPR_OP_LT && sign->op <= EXPR_OP_NE;
	left->state = false;
	left->machine = -1;
	return 0;
}

/* Operators of (level) and those that bind tighter. */
static int parse_binary(struct parser *p, unsigned int level, int machine,
			struct operand *v)
{
	int ret = parse_unary(p, machine, v);

	while (!ret && p->token.kind == TOKEN_SIGN &&
	       p->token.sign->level >= level && p->token.sign->level) {
		const struct sign *sign = p->token.sign;

		ret = next(p);
		if (!ret)
			ret = parse_right(p, sign, v);
	}
	return ret;
}

/* The arms of ?: behind the condition (v). */
static int parse_arms(struct parser *p, struct operand *v, const char *at)
{
	unsigned int test = p->out->n, skip;
	struct operand yes, no;
	int ret = emit_op(p, EXPR_OP_JUMP_ZERO);

	if (!ret)
		ret = parse_choice(p, &yes);
	if (!ret)
		ret = expect(p, ":", "?", at);
	if (ret)
		return ret;
	skip = p->out->n;
	ret = emit_op(p, EXPR_OP_JUMP);
	if (ret)
		return ret;
	land(p, test);
	ret = parse_choice(p, &no);
	if (ret)
		return ret;
	land(p, skip);
	ret = no_machine(p, &yes);
	if (!ret)
		ret = no_machine(p, &no);
	if (ret)
		return ret;
	v->boolean = yes.boolean && no.boolean;
	v->machine = -1;
	if (!constant(p, v->from, test))
		return 0;
	if (p->out->ins[v->from].k) {
		p->out->n = (uint16_t)skip;
		cut(p, v->from, yes.from);
		v->boolean = yes.boolean;
	} else {
		cut(p, v->from, no.from);
		v->boolean = no.boolean;
	}
	return 0;
}

/* A whole expression, or one in parentheses or in an arm of ?: */
static int parse_choice(struct parser *p, struct operand *v)
{
	const char *at = p->token.at;
	int ret;

	if (++p->depth > EXPR_MAX_DEPTH)
		return diag_error(p->diag, pos_at(p, at),
				  DIAG_EXPR "more than %u levels deep",
				  EXPR_MAX_DEPTH);
	ret = parse_binary(p, 1, -1, v);
	at = p->token.at;
	if (!ret && is_token(&p->token, "?")) {
		ret = no_machine(p, v);
		if (!ret)
			ret = next(p);
		if (!ret)
			ret = parse_arms(p, v, at);
	}
	p->depth--;
	return ret;
}

static int parse_whole(struct parser *p)
{
	struct operand v;
	int ret = next(p);

	if (!ret)
		ret = parse_choice(p, &v);
	if (ret)
		return ret;
	if (p->token.kind != TOKEN_END)
		return unexpected(p, p->token.at, p->token.len);
	if (p->failed || no_machine(p, &v))
		return -EINVAL;
	ret = expr_verify(p->out);
	if (!ret && p->out->stack <= EXPR_MAX_STACK)
		return 0;
	diag_error(p->diag, p->pos,
		   DIAG_EXPR "the expression keeps more than %u values",
		   EXPR_MAX_STACK);
	diag_advise(p->diag, "begin with its deepest parentheses");
	return -EINVAL;
}

int expr_parse(struct expr **out, const char *text, struct diag_pos pos,
	       expr_resolve_fn *resolve, void *ctx, struct diag *diag)
{
	struct parser p = { .text = text,
			    .pos = pos,
			    .resolve = resolve,
			    .ctx = ctx,
			    .diag = diag,
			    .token.at = text };
	size_t one = sizeof(struct expr_ins);
	struct expr *shrunk;
	int ret = -ENOMEM;

	p.out = calloc(1, sizeof(*p.out) + EXPR_MAX_OPS * one);
	p.fold = calloc(1, sizeof(*p.fold) + 3 * one);
	if (p.out && p.fold)
		ret = parse_whole(&p);
	if (!ret) {
		p.out->pos = pos;
		shrunk = realloc(p.out, sizeof(*p.out) + p.out->n * one);
		*out = shrunk ? shrunk : p.out;
		p.out = NULL;
	}
	free(p.out);
	free(p.fold);
	return ret;
}
